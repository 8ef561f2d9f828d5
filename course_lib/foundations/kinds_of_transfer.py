"""Kinds of transfer, as lesson 13 runs them: instances, models, relations, and how to judge them.

N examples, D features, C classes, M queries, V vectors. Distances are Euclidean. New arrays are
returned. Sources: Dai, Yang, Xue & Yu, Boosting for Transfer Learning (ICML 2007); Snell, Swersky &
Zemel, Prototypical Networks for Few-shot Learning (NeurIPS 2017); Hinton, Vinyals & Dean,
Distilling the Knowledge in a Neural Network (2015); Mikolov, Yih & Zweig, Linguistic Regularities
in Continuous Space Word Representations (NAACL 2013).
"""

from __future__ import annotations

import math

import numpy as np

from .losses import softmax

# --- judging --------------------------------------------------------------------------------------


def transfer_gain(transferred: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Mean gain over paired runs, and its standard error: deviation (N - 1) by the root of N.

    Args:
        transferred: (N,) accuracies with transfer, N at least 2.
        scratch: (N,) accuracies without it, each on the labels and test data of its partner.

    Returns:
        (mean of the differences, standard error of that mean).
    """
    gains = np.asarray(transferred, float) - scratch
    return float(gains.mean()), float(gains.std(ddof=1) / math.sqrt(len(gains)))


def labels_to_reach(sizes: np.ndarray, accuracies: np.ndarray, target: float) -> float:
    """The number of labels at which a learning curve first reaches a target.

    Args:
        sizes: (K,) numbers of labels, rising.
        accuracies: (K,) what was measured there; joined by straight lines.
        target: the accuracy that is to be reached.

    Returns:
        The first crossing; the first size if it is reached there; infinity if it never is.
    """
    reached = np.flatnonzero(np.asarray(accuracies) >= target)
    if not len(reached):
        return math.inf
    k = int(reached[0])
    if k == 0:
        return float(sizes[0])
    share = (target - accuracies[k - 1]) / (accuracies[k] - accuracies[k - 1])
    return float(sizes[k - 1] + share * (sizes[k] - sizes[k - 1]))


# --- class means ----------------------------------------------------------------------------------


def prototype_predict(support: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The class whose mean is nearest (Snell, Swersky & Zemel 2017, eq. 1 and 2).

    Args:
        support: (N, D) features of the labeled examples.
        labels: (N,) integers, any.
        queries: (M, D).

    Returns:
        (M,) labels; of two at the same distance the lower.
    """
    classes = np.unique(labels)
    prototypes = np.array([support[labels == label].mean(axis=0) for label in classes])
    squared = ((queries[:, None] - prototypes) ** 2).sum(axis=2)
    nearest: np.ndarray = classes[squared.argmin(axis=1)]
    return nearest


def nearest_centroid_score(features: np.ndarray, labels: np.ndarray) -> float:
    """Share of examples that are nearest to the mean of their class, themselves left out.

    Args:
        features: (N, D).
        labels: (N,) integers, at least two examples of each class.

    Returns:
        From 0 to 1; of two means at the same distance the lower label is taken.
    """
    classes, hits = np.unique(labels), 0
    for n, one in enumerate(features):
        others = np.arange(len(features)) != n
        means = [features[others & (labels == label)].mean(axis=0) for label in classes]
        nearest = np.argmin(np.sum((np.array(means) - one) ** 2, axis=1))
        hits += int(classes[nearest] == labels[n])
    return hits / len(features)


# --- instances ------------------------------------------------------------------------------------


def tradaboost_weights(
    weights: np.ndarray,
    errors: np.ndarray,
    num_source: int,
    beta_source: float,
    beta_target: float,
) -> np.ndarray:
    """Weights after one round of TrAdaBoost (Dai and others 2007, figure 1, step 5).

    Args:
        weights: (N,), source rows first.
        errors: (N,) 1 where this round's classifier is wrong, else 0.
        num_source: so many rows are of the source.
        beta_source: a wrong source row is multiplied by it; below 1.
        beta_target: a wrong target row is divided by it; below 1.

    Returns:
        (N,), not normalized.
    """
    is_source = np.arange(len(weights)) < num_source
    factor = np.where(is_source, beta_source, 1 / beta_target)
    changed: np.ndarray = weights * factor**errors
    return changed


# --- relations ------------------------------------------------------------------------------------


def relation_vector(heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """What leads from heads to tails, on average.

    Args:
        heads, tails: (n, D), row by row a pair.

    Returns:
        (D,) the mean of tail - head.
    """
    relation: np.ndarray = np.mean(np.asarray(tails, float) - heads, axis=0)
    return relation


def complete_relation(head: int, relation: np.ndarray, vectors: np.ndarray) -> int:
    """Which vector stands where the relation leads (Mikolov, Yih & Zweig 2013, section 4).

    Args:
        head: a row of vectors.
        relation: (D,) see `relation_vector`.
        vectors: (V, D), none of them zero.

    Returns:
        The row with the largest cosine to vectors[head] + relation, the head excluded.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = vectors @ (vectors[head] + relation) / lengths
    cosines[head] = -np.inf
    return int(cosines.argmax())


# --- a teacher ------------------------------------------------------------------------------------


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithm of softmax, row by row, for logits of any size; (N, C) like the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def distillation_loss(
    student_logits: np.ndarray, teacher_logits: np.ndarray, temperature: float
) -> float:
    """T² KL(teacher ‖ student), both softened by T, averaged over the examples.

    (Hinton, Vinyals & Dean 2015, section 2; they use the cross-entropy, which differs from the
    divergence by what does not depend on the student.)

    Args:
        student_logits, teacher_logits: (N, C).
        temperature: T, above 0.
    """
    teacher = log_softmax(teacher_logits / temperature)
    student = log_softmax(student_logits / temperature)
    divergences = (np.exp(teacher) * (teacher - student)).sum(axis=1)
    return float(temperature**2 * divergences.mean())


def distillation_gradient(
    student_logits: np.ndarray, teacher_logits: np.ndarray, temperature: float
) -> np.ndarray:
    """Gradient of `distillation_loss` by the student's logits: T (q - p) / N, (N, C)."""
    student = softmax(student_logits / temperature)
    teacher = softmax(teacher_logits / temperature)
    gradient: np.ndarray = temperature * (student - teacher) / len(student)
    return gradient
