"""Two domains: how far apart they are, and how to bring them together, as lesson 12 derives it.

N examples of the source, which have labels, M of the target, which have none; D features. New
arrays are returned.
Sources: Ben-David, Blitzer, Crammer, Kulesza, Pereira & Vaughan, A theory of learning from
different domains (2010); Gretton, Borgwardt, Rasch, Schölkopf & Smola, A kernel two-sample test
(2012); Sun, Feng & Saenko, Return of frustratingly easy domain adaptation (2016); Shimodaira,
Improving predictive inference under covariate shift (2000); Bickel, Brückner & Scheffer,
Discriminative learning under covariate shift (2009); Ganin et al., Domain-adversarial training of
neural networks (2016).
"""

from __future__ import annotations

import numpy as np

# --- how far apart --------------------------------------------------------------------------------


def proxy_a_distance(error: float) -> float:
    """2 (1 - 2 error), and never below 0 (Ben-David et al. 2007; Ganin et al. 2016, eq. 3).

    Args:
        error: share of unseen examples, as many of each domain, whose domain is guessed wrong, 0
            to 1; chance is ½.

    Returns:
        0 for domains that cannot be told apart, 2 for those that always can.
    """
    return float(max(0.0, 2 * (1 - 2 * error)))


def mmd_squared(source: np.ndarray, target: np.ndarray, gamma: float) -> float:
    """Squared maximum mean discrepancy, unbiased (Gretton et al. 2012, eq. 3).

    The kernel is exp(-gamma · squared distance). Pairs of an example with itself do not count, so
    that the mean over draws from one distribution is 0 and a single value may be negative.

    Args:
        source: (N, D), N > 1.
        target: (M, D), M > 1.
        gamma: of the kernel, positive.
    """

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        similarity: np.ndarray = np.exp(-gamma * np.maximum(squares, 0))
        return similarity

    def within(a: np.ndarray) -> float:
        similarity = kernel(a, a)
        others: float = similarity.sum() - np.trace(similarity)
        return others / (len(a) * (len(a) - 1))

    return float(within(source) + within(target) - 2 * kernel(source, target).mean())


# --- moments --------------------------------------------------------------------------------------


def standardize_by_domain(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each domain minus its own mean, over its own standard deviation, feature by feature.

    A feature that is constant in a domain is only centered there (Li et al., Revisiting batch
    normalization for practical domain adaptation (2016), does it to every layer).

    Args:
        source: (N, D).
        target: (M, D).

    Returns:
        (source, target); the columns of both have mean 0 and (biased) variance 1 or 0.
    """

    def scaled(x: np.ndarray) -> np.ndarray:
        # Not "deviation > 0": that of equal numbers may round to 1e-17.
        deviation = np.where(x.max(axis=0) == x.min(axis=0), 1.0, x.std(axis=0))
        standardized: np.ndarray = (x - x.mean(axis=0)) / deviation
        return standardized

    return scaled(source), scaled(target)


def symmetric_power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """A power of a symmetric matrix: its eigenvalues raised, its eigenvectors kept.

    Args:
        matrix: (D, D), symmetric, with positive eigenvalues.
        exponent: ½ for the root, -½ for the inverse of the root.

    Returns:
        (D, D), symmetric.
    """
    eigenvalues, vectors = np.linalg.eigh(matrix)
    power: np.ndarray = (vectors * eigenvalues**exponent) @ vectors.T
    return power


def coral(source: np.ndarray, target: np.ndarray, epsilon: float) -> np.ndarray:
    """The source with the target's mean and covariance (Sun et al. 2016, algorithm 1).

    (X - mean) Cs^-½ Ct^½ + mean of the target, where both covariances are divided by one less than
    the number of examples and epsilon is added to their diagonals.

    Args:
        source: (N, D), N > 1.
        target: (M, D), M > 1.
        epsilon: positive; the larger, the less is aligned.

    Returns:
        (N, D).
    """
    ridge = epsilon * np.eye(source.shape[1])
    whiten = symmetric_power(np.atleast_2d(np.cov(source.T)) + ridge, -0.5)
    color = symmetric_power(np.atleast_2d(np.cov(target.T)) + ridge, 0.5)
    aligned: np.ndarray = (source - source.mean(axis=0)) @ whiten @ color + target.mean(axis=0)
    return aligned


# --- weights --------------------------------------------------------------------------------------


def importance_weights(probability_target: np.ndarray) -> np.ndarray:
    """Odds of being of the target, scaled to the mean 1 (Bickel et al. 2009, section 5).

    By Bayes' rule the odds are the ratio of the densities, target over source, times a constant
    that the scaling removes (Shimodaira 2000 weighs with that ratio).

    Args:
        probability_target: (N,), of source examples, by a classifier of domains; below 1.

    Returns:
        (N,), at least 0.
    """
    odds = probability_target / (1 - probability_target)
    weights: np.ndarray = odds / odds.mean()
    return weights


# --- adversarial training -------------------------------------------------------------------------


def reverse_gradient(
    label_gradient: np.ndarray, domain_gradient: np.ndarray, strength: float
) -> np.ndarray:
    """What features receive behind a gradient reversal (Ganin et al. 2016, eq. 13).

    Args:
        label_gradient: gradient of the loss of labels by the features, (N, D).
        domain_gradient: gradient of the loss of domains by the same features, (N, D).
        strength: λ, at least 0.

    Returns:
        (N, D): one step against it makes labels easier and domains harder to tell.
    """
    received: np.ndarray = label_gradient - strength * domain_gradient
    return received
