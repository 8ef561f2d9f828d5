"""What moves in fine-tuning, how far, and what batch normalization does meanwhile (lesson 06).

L layers, G groups of layers, N examples, K channels, C classes. Batch normalization follows Keras.
Sources: Ioffe & Szegedy, Batch normalization (2015); Howard & Ruder, Universal language model
fine-tuning (2018); Clark, Luong, Le & Manning, ELECTRA (2020); King & Zeng, Logistic regression in
rare events data (2001); Kumar, Raghunathan, Jones, Ma & Liang, Fine-tuning can distort pretrained
features and underperform out-of-distribution (2022); Cameron & Miller, A practitioner's guide to
cluster-robust inference (2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def trainable_mask(
    layer_names: Sequence[str], first_trainable: str, is_batchnorm: np.ndarray
) -> np.ndarray:
    """Which layers train: all from the named one to the output, except batch normalization.

    Args:
        layer_names: L names, from the input side to the output side.
        first_trainable: one of them.
        is_batchnorm: (L,) booleans, true where the layer is a batch normalization.

    Returns:
        (L,) booleans.

    Raises:
        ValueError: no layer has this name.
    """
    if first_trainable not in layer_names:
        raise ValueError(f"there is no layer {first_trainable!r}")
    start = list(layer_names).index(first_trainable)
    mask: np.ndarray = (np.arange(len(layer_names)) >= start) & ~np.asarray(is_batchnorm, bool)
    return mask


def trainable_parameters(shapes: Sequence[tuple[int, ...]], mask: Sequence[bool]) -> int:
    """How many numbers training may change.

    Args:
        shapes: of the arrays of weights; () is that of a single number.
        mask: for each array, whether it trains.

    Raises:
        ValueError: there is not one boolean for each array.
    """
    return sum(math.prod(shape) for shape, trains in zip(shapes, mask, strict=True) if trains)


def batchnorm_inference(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    moving_mean: np.ndarray,
    moving_variance: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    """Batch normalization with the stored statistics: γ (x - mean) / √(variance + ε) + β.

    Each example by itself, whatever else is in the batch (Ioffe & Szegedy 2015, algorithm 2,
    step 11, with the moving averages of Keras in place of averages over batches).

    Args:
        x: (N, K).
        gamma: γ, (K,).
        beta: β, (K,).
        moving_mean: (K,), in the units of x.
        moving_variance: (K,), in squared units of x.
        epsilon: ε, in squared units of x; Keras' default is 1e-3.

    Returns:
        (N, K).
    """
    centered = x - moving_mean
    normalized: np.ndarray = gamma * centered / np.sqrt(moving_variance + epsilon) + beta
    return normalized


def batchnorm_moving_update(
    moving_mean: np.ndarray, moving_variance: np.ndarray, batch: np.ndarray, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """The stored statistics after one batch in training mode, as in Keras.

    New = momentum · old + (1 - momentum) · that of the batch; the variance is biased (divided by
    N). In PyTorch momentum is the share of the batch, and the variance is unbiased, as in the
    paper (Ioffe & Szegedy 2015, algorithm 2, step 10).

    Args:
        moving_mean: (K,).
        moving_variance: (K,).
        batch: (N, K), the layer's input.
        momentum: share of the old statistics that stays, 0..1.

    Returns:
        (moving_mean, moving_variance) after the batch.
    """
    return (
        momentum * moving_mean + (1 - momentum) * batch.mean(axis=0),
        momentum * moving_variance + (1 - momentum) * batch.var(axis=0),
    )


def class_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Weights with which every class counts the same in the loss: N / (C · count).

    The weights of all examples add up to N if all classes occur (King & Zeng 2001, section 4.2;
    scikit-learn calls them "balanced").

    Args:
        labels: (N,) integers in 0..C-1.
        num_classes: C.

    Returns:
        (C,), 0 for a class without examples.
    """
    counts = np.bincount(labels, minlength=num_classes)
    weights: np.ndarray = np.where(
        counts > 0, len(labels) / (num_classes * np.maximum(counts, 1)), 0.0
    )
    return weights


def fine_tune(
    x: np.ndarray,
    targets: np.ndarray,
    backbone: np.ndarray,
    head: np.ndarray,
    rates: Sequence[float],
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient descent on the mean squared error of two linear layers, each at its own rate.

    The smallest network in which fine-tuning can distort what was pretrained (Kumar et al. 2022,
    section 3).

    Args:
        x: (N, D).
        targets: (N,).
        backbone: (D, H).
        head: (H,); the predictions are x @ backbone @ head.
        rates: learning rates of the backbone and of the head; 0 freezes.
        steps: how many.

    Returns:
        (backbone (D, H), head (H,)) after the last step.
    """
    for _ in range(steps):
        features = x @ backbone
        error = 2 * (features @ head - targets) / len(x)
        to_backbone, to_head = x.T @ np.outer(error, head), features.T @ error
        backbone = backbone - rates[0] * to_backbone
        head = head - rates[1] * to_head
    return backbone, head


def layerwise_learning_rates(
    num_groups: int, base_learning_rate: float, decay: float
) -> np.ndarray:
    """A learning rate for every group of layers, smaller by one factor per group to the input.

    Howard & Ruder (2018, section 3.2) divide by 2.6 from layer to layer, Clark et al. (2020,
    appendix B) multiply by 0.8.

    Args:
        num_groups: G.
        base_learning_rate: of the last group, the one at the output.
        decay: the factor, 0 < decay <= 1.

    Returns:
        (G,), from the input side to the output side.
    """
    distances = np.arange(num_groups)[::-1]
    rates: np.ndarray = base_learning_rate * decay**distances
    return rates


def grouped_difference(
    correct_a: np.ndarray, correct_b: np.ndarray, groups: np.ndarray
) -> tuple[float, float]:
    """By how much A is ahead of B on the same examples, and the standard error of that.

    Examples of a group succeed and fail together, so it is the groups that were drawn, not the
    examples: the error is the cluster-robust one of a mean (Cameron & Miller 2015, section II).

    Args:
        correct_a: (N,) 1 where A is right, else 0.
        correct_b: (N,) the same of B.
        groups: (N,) the group of each example; two groups at least.

    Returns:
        (difference of the accuracies, standard error), both shares.
    """
    difference = correct_a - correct_b
    deviations = difference - np.mean(difference)
    sums = [np.sum(deviations[groups == group]) for group in np.unique(groups)]
    error = math.sqrt(len(sums) * np.var(sums, ddof=1)) / len(deviations)
    return float(np.mean(difference)), error
