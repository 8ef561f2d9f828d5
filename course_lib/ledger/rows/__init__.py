"""All rows in the order of the lessons, each beside the questions to the libraries."""

from ..convention import Convention
from . import adam, batch_normalization, images, losses, regularization, sgd

ROWS: tuple[Convention, ...] = (
    *losses.ROWS,
    *regularization.ROWS,
    *sgd.ROWS,
    *adam.ROWS,
    *images.ROWS,
    *batch_normalization.ROWS,
)
