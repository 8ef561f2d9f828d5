"""Functions with famous mistakes, repaired: lesson 15.

N examples, C classes, E checkpoints.
Sources: Goodfellow, Bengio & Courville, Deep Learning (2016), sections 3.13 and 6.2; Cawley &
Talbot, On over-fitting in model selection (2010); ISO 2108 on the check digit of an ISBN.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1, as Keras does."""


def binary_cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of −log of the probability that the model gave to what is true.

    Args:
        probabilities: of class 1, any shape; clipped to [1e-7, 1 − 1e-7].
        labels: the same shape, 0 or 1.

    Returns:
        The mean over all elements, in nats.
    """
    p = np.clip(np.asarray(probabilities, dtype=float), EPSILON, 1 - EPSILON)
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))


def kl_divergence_mean(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p ‖ q) of each row, averaged over the rows.

    Args:
        p: (N, C), rows sum to 1; zeros are allowed and add nothing.
        q: (N, C), rows sum to 1, no zeros.

    Returns:
        At least 0, in nats; 0 if the rows are equal.
    """
    where = p > 0
    terms = np.zeros(np.shape(p))
    terms[where] = p[where] * np.log(p[where] / q[where])
    return float(terms.sum(axis=1).mean())


def predictions_in_file_order(predictions: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Undo the shuffling of a loader.

    Args:
        predictions: (N, ...), the one in row i was made for file ``order[i]``.
        order: (N,), each of 0..N-1 once.

    Returns:
        As ``predictions``; row k is that of file k.
    """
    sorted_rows = np.empty_like(predictions)
    sorted_rows[order] = predictions
    return sorted_rows


def best_of(accuracies_validation: np.ndarray, accuracies_test: np.ndarray) -> float:
    """The honest score of the checkpoint that the validation set chose.

    Args:
        accuracies_validation: (E,) of each checkpoint; at a tie the first is chosen.
        accuracies_test: (E,) of the same checkpoints.

    Returns:
        One of ``accuracies_test``.
    """
    return float(accuracies_test[int(np.argmax(accuracies_validation))])


def isbn_check_digit(digits: np.ndarray) -> int:
    """The thirteenth digit of an ISBN, from the first twelve (ISO 2108).

    Args:
        digits: (12,) integers in 0..9.

    Returns:
        The digit that makes the sum with the weights 1, 3, 1, 3, ..., 1 a multiple of ten.
    """
    total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits))
    return -total % 10
