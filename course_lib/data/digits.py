"""The handwritten digits that scikit-learn ships: 1,797 images of 8x8 pixels, ten classes.

Source: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository (1998), CC BY 4.0; scikit-learn contains its test part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Digits:
    """A split of the digits. Images are (N, 64) floats in 0..1, labels (N,) integers in 0..9."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load(seed: int = 0, test_share: float = 0.25) -> Digits:
    """The digits, split at random with equal shares of every class (stratified).

    Args:
        seed: of the split; the same seed gives the same split.
        test_share: share of the images that the test set gets, between 0 and 1.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images / 16.0, labels, test_size=test_share, stratify=labels, random_state=seed
    )
    return Digits(train_x, train_y, test_x, test_y)
