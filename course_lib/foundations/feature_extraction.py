"""Fixed features and a linear model on top of them, as lesson 05 derives them.

N examples, D features, C classes; images are (N, H, W, 3), feature maps (N, H, W, K).
Sources: He, Zhang, Ren & Sun, Deep residual learning (2016); Lin, Chen & Yan, Network in network
(2014); Alain & Bengio, Understanding intermediate layers using linear classifier probes (2017);
Brodersen, Ong, Stephan & Buhmann, The balanced accuracy and its posterior distribution (2010);
Nadeau & Bengio, Inference for the generalization error (2003).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .adam import adam_step
from .losses import softmax_cross_entropy_gradient
from .regularization import l2_gradient

IMAGENET_MEAN = (103.939, 116.779, 123.68)
"""Mean blue, green and red of ImageNet's training images, 0..255, in the order of BGR."""


def stratified_split(
    labels: np.ndarray, fraction: float, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take the same share of every class: the first ceil(fraction · count) of it in this order.

    Rounding up takes at least one of each class, however rare.

    Args:
        labels: (N,) integers, not necessarily 0..C-1.
        fraction: share to take, 0 < fraction <= 1.
        order: (N,) a permutation of 0..N-1.

    Returns:
        (taken, rest), arrays of indices into ``labels``, each in the given order.
    """
    labels, order = np.asarray(labels), np.asarray(order)
    in_order = labels[order]
    chosen = np.zeros(len(order), dtype=bool)
    for label in np.unique(labels):
        places = np.flatnonzero(in_order == label)
        chosen[places[: math.ceil(fraction * len(places))]] = True
    return order[chosen], order[~chosen]


def resnet50_preprocess(images: np.ndarray) -> np.ndarray:
    """Images as Keras' ResNet50 expects them: blue, green, red, each minus ImageNet's mean.

    The network was trained in Caffe, which reads BGR and does not divide. (Keras calls this mode
    "caffe"; the images stay as they are here, while Keras' own function overwrites them.)

    Args:
        images: (N, H, W, 3) red, green, blue, 0..255.

    Returns:
        (N, H, W, 3), about -124..151.
    """
    images = np.asarray(images, dtype=float)
    prepared: np.ndarray = images[..., ::-1] - np.array(IMAGENET_MEAN)
    return prepared


def global_average_pool(feature_maps: np.ndarray) -> np.ndarray:
    """The mean of every feature map over all its places (Lin et al. 2014, section 3.2).

    Args:
        feature_maps: (N, H, W, K), channels last.

    Returns:
        (N, K), for any H and W.
    """
    means: np.ndarray = np.mean(feature_maps, axis=(1, 2))
    return means


def standardize(train: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets minus the training mean, over the training standard deviation, by feature.

    Nothing of ``other`` is used to scale: at test time there may be one example only. A feature
    that is constant in training is only centered.

    Args:
        train: (N, D).
        other: (M, D).

    Returns:
        (train, other); the columns of the first have mean 0 and (biased) variance 1 or 0.
    """
    mean = train.mean(axis=0)
    # Not "deviation > 0": that of equal numbers may round to 1e-17.
    constant = train.max(axis=0) == train.min(axis=0)
    deviation = np.where(constant, 1.0, train.std(axis=0))
    return (train - mean) / deviation, (other - mean) / deviation


def linear_probe_gradients(
    features: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    strength: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of mean cross-entropy of softmax(XW + b), plus strength · Σ W².

    The bias is not penalized (Bishop 2006, eq. 4.109, divided by N; Alain & Bengio 2017).

    Args:
        features: X, (N, D).
        labels: (N,) integers in 0..C-1.
        weights: W, (D, C).
        bias: b, (C,).
        strength: of the penalty, at least 0.

    Returns:
        (by weights (D, C), by bias (C,)).

    Raises:
        ValueError: the numbers of rows and labels differ.
        IndexError: a label is not a class.
    """
    slope = softmax_cross_entropy_gradient(features @ weights + bias, labels)
    return features.T @ slope + l2_gradient(weights, strength), slope.sum(axis=0)


def train_probe(
    features: np.ndarray,
    labels: np.ndarray,
    strength: float,
    steps: int = 1000,
    learning_rate: float = 0.02,
) -> tuple[np.ndarray, np.ndarray]:
    """A linear probe for two classes, trained by Adam on all examples at once.

    Weights and bias begin at zero; in step t of T the rate is η(1 - t/T), so that Adam comes to
    rest. (Kingma & Ba 2015, algorithm 1, with its β₁, β₂ and ε.)

    Args:
        features: (N, D).
        labels: (N,) integers, 0 or 1.
        strength: of the penalty on the weights, at least 0.
        steps: T.
        learning_rate: η.

    Returns:
        (weights (D, 2), bias (2,)).
    """
    variables: list[np.ndarray] = [np.zeros((features.shape[1], 2)), np.zeros(2)]
    moments = [(np.zeros_like(one), np.zeros_like(one)) for one in variables]
    for step in range(1, steps + 1):
        rate = learning_rate * (1 - step / steps)
        gradients = linear_probe_gradients(features, labels, variables[0], variables[1], strength)
        for i, gradient in enumerate(gradients):
            m, v = moments[i]
            variables[i], m, v = adam_step(
                variables[i], gradient, m, v, step, rate, 0.9, 0.999, 1e-8
            )
            moments[i] = m, v
    return variables[0], variables[1]


def known_rate(
    labels: np.ndarray, groups: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """What is known of a test example from the labels of its group alone.

    A classifier that looks at nothing but the group; whatever it scores is due to the split
    (Kaufman, Rosset & Perlich 2011, on leakage).

    Args:
        labels: (N,) integers, 0 or 1.
        groups: (N,) integers, where each example comes from.
        train: indices of the training examples, at least one.
        test: (M,) indices of the test examples.

    Returns:
        (M,) the share of ones among the training examples of the same group; among all training
        examples where there are none of that group.
    """
    rates = np.full(len(test), labels[train].mean())
    for place, group in enumerate(groups[test]):
        known = labels[train][groups[train] == group]
        if len(known):
            rates[place] = known.mean()
    return rates


def balanced_accuracy(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> float:
    """The mean, over the classes that occur, of the share of each that is recognized (recall).

    A guess that ignores the input scores 1/C, however rare a class is (Brodersen et al. 2010
    for two classes).

    Args:
        labels: (N,) integers in 0..C-1, N > 0.
        predictions: (N,) integers.
        num_classes: C; classes without a label do not count.

    Returns:
        0 to 1.
    """
    recalls = [
        np.mean(predictions[labels == label] == label)
        for label in range(num_classes)
        if np.any(labels == label)
    ]
    return float(np.mean(recalls))


def standard_error(values: Sequence[float] | np.ndarray, test_share: float = 0.25) -> float:
    """Of the mean over splits that share their examples (Nadeau & Bengio 2003).

    Args:
        values: (K,) one score, or difference of scores, of each split; K is at least 2.
        test_share: share of the examples that a split tests on; it trains on the others.
    """
    variance = float(np.var(values, ddof=1))
    return math.sqrt(variance * (1 / len(values) + test_share / (1 - test_share)))
