"""Losses and their gradients, as lesson 01 derives them.

N examples, D outputs, C classes. All means follow Keras: mean squared error over all N·D
elements, cross-entropy over the N examples. Logarithms are natural, so losses are in nats.
Sources: Bishop, Pattern Recognition and Machine Learning (2006), sections 1.2.5 and 4.3.4;
Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.
"""

from __future__ import annotations

import numpy as np

CLIP = 1e-7
"""Smallest probability whose logarithm is taken, as `keras.config.epsilon()`."""


def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Mean squared error, the mean over all elements.

    Args:
        predictions: (N, D), in the units of the targets.
        targets: (N, D).

    Returns:
        The loss, in squared units of the targets (Bishop 2006, eq. 1.62 up to constants).

    Raises:
        ValueError: the shapes differ (NumPy would broadcast them silently).
    """
    predictions, targets = _same_shape(predictions, targets)
    return float(np.mean((predictions - targets) ** 2))


def mse_gradient(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Gradient of `mse` by the predictions, 2 (predictions - targets) / (N·D).

    Args:
        predictions: (N, D).
        targets: (N, D).

    Returns:
        (N, D).

    Raises:
        ValueError: the shapes differ.
    """
    predictions, targets = _same_shape(predictions, targets)
    gradient: np.ndarray = 2 * (predictions - targets) / predictions.size
    return gradient


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits, row by row, without overflow.

    The row maximum is subtracted first, which changes no ratio (Goodfellow et al. 2016,
    eq. 6.29 and section 4.1).

    Args:
        logits: (N, C), any size.

    Returns:
        (N, C), rows sum to 1.
    """
    logits = np.asarray(logits, dtype=float)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-a)), entry by entry: softmax of two classes with the logits a and 0.

    It does not overflow at any size.

    Args:
        logits: any shape.
    """
    small = np.exp(-np.abs(logits))
    probabilities: np.ndarray = np.where(logits >= 0, 1.0, small) / (1 + small)
    return probabilities


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -log p[label], with p clipped below at 1e-7 as Keras clips it.

    Args:
        probabilities: (N, C), rows sum to 1.
        labels: (N,) integers in 0..C-1.

    Returns:
        The loss in nats (Bishop 2006, eq. 4.108, divided by N).

    Raises:
        ValueError: the numbers of rows and labels differ.
        IndexError: a label is not a class.
    """
    chosen = _of_labels(np.asarray(probabilities, dtype=float), labels)
    return float(np.mean(-np.log(np.maximum(chosen, CLIP))))


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Cross-entropy of softmax(logits) by log-sum-exp, exact for logits of any size.

    Mean over N of log(sum(exp(logits))) - logits[label].

    Args:
        logits: (N, C).
        labels: (N,) integers in 0..C-1.

    Returns:
        The loss in nats.

    Raises:
        ValueError: the numbers of rows and labels differ.
        IndexError: a label is not a class.
    """
    logits = np.asarray(logits, dtype=float)
    top = logits.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float(np.mean(log_sum - _of_labels(logits, labels)))


def softmax_cross_entropy_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Gradient of `softmax_cross_entropy` by the logits: (softmax(logits) - onehot) / N.

    Args:
        logits: (N, C).
        labels: (N,) integers in 0..C-1.

    Returns:
        (N, C), rows sum to 0 (Bishop 2006, eq. 4.109, divided by N).

    Raises:
        ValueError: the numbers of rows and labels differ.
        IndexError: a label is not a class.
    """
    gradient = softmax(logits)
    _of_labels(gradient, labels)
    gradient[np.arange(len(gradient)), labels] -= 1
    return gradient / len(gradient)


def train_softmax(
    images: np.ndarray, labels: np.ndarray, num_classes: int, learning_rate: float, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Softmax regression by gradient descent on all examples, from weights and biases of zero.

    Args:
        images: (N, D), one flat image per row.
        labels: (N,) integers in 0..C-1.
        num_classes: C.
        learning_rate: size of a step, above 0.
        steps: number of steps, each on all examples.

    Returns:
        The weights (D, C), the biases (C,), and the losses in nats *before* each step, (steps,)
        (Bishop 2006, section 4.3.4).

    Raises:
        ValueError: the numbers of images and labels differ.
        IndexError: a label is not a class.
    """
    images = np.asarray(images, dtype=float)
    weights, bias = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes)
    losses = np.zeros(steps)
    for step in range(steps):
        logits = images @ weights + bias
        losses[step] = softmax_cross_entropy(logits, labels)
        upstream = softmax_cross_entropy_gradient(logits, labels)
        weights -= learning_rate * images.T @ upstream
        bias -= learning_rate * upstream.sum(axis=0)
    return weights, bias, losses


def _same_shape(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    predictions, targets = np.asarray(predictions, float), np.asarray(targets, float)
    if predictions.shape != targets.shape:
        raise ValueError(
            f"predictions have shape {predictions.shape} but targets {targets.shape}: "
            "NumPy would broadcast them and average the wrong differences"
        )
    return predictions, targets


def _of_labels(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The entry of each row that belongs to its label, (N,)."""
    labels = np.asarray(labels)
    if rows.ndim != 2 or labels.shape != rows.shape[:1]:
        raise ValueError(f"{labels.shape} labels do not fit {rows.shape} rows of classes")
    if labels.size and (labels.min() < 0 or labels.max() >= rows.shape[1]):
        raise IndexError(f"labels must lie in 0..{rows.shape[1] - 1}")
    chosen: np.ndarray = rows[np.arange(len(rows)), labels]
    return chosen
