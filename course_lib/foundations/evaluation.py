"""How good a classifier is, how far to trust that number, and where it looks: lesson 11.

N examples, C classes, B resamples; feature maps are (H, W, K).
Sources: Fawcett, An introduction to ROC analysis (2006); Guo, Pleiss, Sun & Weinberger, On
calibration of modern neural networks (2017); Efron & Tibshirani, An introduction to the bootstrap
(1993); Selvaraju et al., Grad-CAM (2017); scikit-learn, `GroupKFold`.
"""

from __future__ import annotations

import numpy as np


def grouped_folds(groups: np.ndarray, num_folds: int) -> np.ndarray:
    """The fold of each example; a group is never cut, and the folds become about equally large.

    The largest group goes first, each into the fold that has fewest examples so far (the lower
    fold where two have as few; groups of one size go in rising label). scikit-learn's `GroupKFold`
    does the same with falling labels.

    Args:
        groups: (N,) integers, the group of each example.
        num_folds: at least 1.

    Returns:
        (N,) integers in 0..num_folds-1.
    """
    names, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of = np.zeros(len(names), dtype=int)
    filled = np.zeros(num_folds, dtype=int)
    for group in np.argsort(-sizes, kind="stable"):
        fold_of[group] = np.argmin(filled)
        filled[fold_of[group]] += sizes[group]
    folds: np.ndarray = fold_of[members]
    return folds


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class (row) was called each class (column).

    Args:
        labels: (N,) integers in 0..C-1, the truth.
        predictions: (N,) integers in 0..C-1.
        num_classes: C; a class that does not occur keeps its row and column.

    Returns:
        (C, C) integers whose sum is N.
    """
    counts = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def precision_recall_f1(confusion: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 of each class; 0 where there is nothing to divide by.

    Args:
        confusion: (C, C), rows are the truth.

    Returns:
        (C, 3), 0 to 1.
    """
    hits = np.diag(confusion).astype(float)
    called, true = confusion.sum(axis=0), confusion.sum(axis=1)
    table = np.zeros((len(hits), 3))
    for column, total in enumerate((called, true, (called + true) / 2)):
        np.divide(hits, total, out=table[:, column], where=total > 0)
    return table


def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive example scores above a negative one.

    A tie counts as half (the Mann-Whitney statistic over its maximum; Fawcett 2006, section 7).

    Args:
        labels: (N,) 0 or 1, both present.
        scores: (N,) any numbers, large for class 1.

    Returns:
        0 to 1; 0.5 if the scores say nothing.
    """
    labels = np.asarray(labels)
    negative = np.sort(scores[labels == 0])
    positive = scores[labels == 1]
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float(np.mean(below + not_above) / (2 * len(negative)))


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, num_bins: int
) -> float:
    """How far the confidence is from the accuracy, averaged over the examples.

    The confidence is the largest probability. Examples of similar confidence share a bin, all
    bins are equally wide and own their upper edge (Guo et al. 2017, equation 5).

    Args:
        probabilities: (N, C), rows sum to 1.
        labels: (N,) integers in 0..C-1.
        num_bins: of the interval from 0 to 1.

    Returns:
        0 to 1, 0 if every bin keeps what it promises.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.ceil(confidence * num_bins).astype(int)
    gaps = [abs(np.sum(confidence[bins == b]) - np.sum(right[bins == b])) for b in np.unique(bins)]
    return float(np.sum(gaps) / len(labels))


def paired_bootstrap(correct_a: np.ndarray, correct_b: np.ndarray, resamples: np.ndarray) -> float:
    """In what share of the resamples A does not come out better than B.

    Both models are judged on the same examples in each resample: what makes an example hard for
    both cancels out (Efron & Tibshirani 1993, chapter 16, on paired data).

    Args:
        correct_a, correct_b: (N,) 1 where the model is right, else 0.
        resamples: (B, N) indices into them, drawn with replacement.

    Returns:
        0 to 1; equal scores count as not better.
    """
    lead = np.asarray(correct_a, float) - np.asarray(correct_b, float)
    return float(np.mean(lead[resamples].sum(axis=1) <= 0))


def grad_cam(feature_maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Where in the image the network found what speaks for a class.

    Each map is weighted by the mean of its gradient over all places; what speaks against the class
    is cut off (Selvaraju et al. 2017, equations 1 and 2).

    Args:
        feature_maps: (H, W, K) of one image.
        gradients: (H, W, K) of the class's logit by these maps.

    Returns:
        (H, W), 0 to 1, the largest is 1; zeros if nothing speaks for the class.
    """
    weights = gradients.mean(axis=(0, 1))
    heat: np.ndarray = np.maximum(feature_maps @ weights, 0)
    top = heat.max()
    return heat / top if top > 0 else heat
