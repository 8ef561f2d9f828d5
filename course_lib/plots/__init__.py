"""Figures and explorers, each with words for those who cannot see it: one module for each lesson.

Here stands what any lesson may use: explorers of one's own, and the figures of a training.
"""

from .explorer import Explorer, choice, log_slider, slider
from .picture import Picture
from .training import curves, training_curves, weights_as_images, wrong_predictions_figure

__all__ = [
    "Explorer",
    "Picture",
    "choice",
    "curves",
    "log_slider",
    "slider",
    "training_curves",
    "weights_as_images",
    "wrong_predictions_figure",
]
