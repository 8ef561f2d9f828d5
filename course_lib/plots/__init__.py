"""Figures and explorers of the lessons, each with text for those who cannot see it."""

from .explorer import Explorer, choice, slider
from .losses import (
    line_explorer,
    logits_explorer,
    overflow_figure,
    squared_and_absolute_error,
)
from .picture import Picture
from .training import training_curves, weights_as_images, wrong_predictions_figure

__all__ = [
    "Explorer",
    "Picture",
    "choice",
    "line_explorer",
    "logits_explorer",
    "overflow_figure",
    "slider",
    "squared_and_absolute_error",
    "training_curves",
    "weights_as_images",
    "wrong_predictions_figure",
]
