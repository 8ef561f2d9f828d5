"""Penalties, their proximal steps and closed forms, dropout and early stopping of lesson 02.

N examples, D features. Penalties follow Keras: strength times a plain sum, no half and no mean.
Where features are given, **the last column belongs to the bias and is not penalized**.
Sources: Goodfellow, Bengio & Courville, Deep Learning (2016), chapter 7; Hastie, Tibshirani &
Friedman, The Elements of Statistical Learning, 2nd edition (2009), section 3.4.
"""

from __future__ import annotations

import numpy as np

from .losses import mse_gradient


def l2_penalty(weights: np.ndarray, strength: float) -> float:
    """The squared norm times the strength, as `keras.regularizers.L2` (no half).

    Args:
        weights: any shape.
        strength: not negative, in units of the loss per squared weight.

    Returns:
        strength · Σ w² (Goodfellow et al. 2016, eq. 7.2 has half of it).
    """
    return float(strength * np.sum(np.square(weights)))


def l2_gradient(weights: np.ndarray, strength: float) -> np.ndarray:
    """Gradient of `l2_penalty`: 2 · strength · w.

    Args:
        weights: any shape.
        strength: as in `l2_penalty`.

    Returns:
        Shape of the weights.
    """
    gradient: np.ndarray = 2 * strength * np.asarray(weights, dtype=float)
    return gradient


def l1_penalty(weights: np.ndarray, strength: float) -> float:
    """strength · Σ |w|, as `keras.regularizers.L1` (Tibshirani 1996, "lasso").

    Args:
        weights: any shape.
        strength: not negative, in units of the loss per weight.
    """
    return float(strength * np.sum(np.abs(weights)))


def lasso_subgradient(weights: np.ndarray, strength: float) -> np.ndarray:
    """A subgradient of `l1_penalty`: strength · sign(w), and 0 where w is 0.

    At 0 every number from -strength to strength would do; 0 leaves a zero weight alone.

    Args:
        weights: any shape.
        strength: as in `l1_penalty`.

    Returns:
        Shape of the weights (Hastie et al. 2009, section 3.4.2).
    """
    subgradient: np.ndarray = strength * np.sign(np.asarray(weights, dtype=float))
    return subgradient


def soft_threshold(weights: np.ndarray, amount: float) -> np.ndarray:
    """Move every weight towards zero by ``amount``, and stop there.

    It is the proximal step of the L1 penalty: the v that minimizes ½ (v - w)² + amount · |v|.

    Args:
        weights: any shape.
        amount: not negative, in units of the weights.

    Returns:
        Shape of the weights (Parikh & Boyd, Proximal Algorithms, 2014, section 6.5.2).
    """
    weights = np.asarray(weights, dtype=float)
    shrunk: np.ndarray = np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)
    return shrunk


def ridge_weights(features: np.ndarray, targets: np.ndarray, strength: float) -> np.ndarray:
    """The weights that minimize ‖Xw - t‖²/N + strength · Σ w², the bias not penalized.

    Setting the gradient to zero gives (XᵀX/N + strength · I') w = Xᵀt/N, where I' is the unit
    matrix with a zero for the bias (Hastie et al. 2009, eq. 3.44, with λ = N · strength).

    Args:
        features: (N, D); the last column is the bias column, usually ones. Its weight is not
            penalized, so that moving all targets moves the bias and nothing else.
        targets: (N,).
        strength: not negative.

    Returns:
        (D,), the bias last.

    Raises:
        numpy.linalg.LinAlgError: no unique minimum (strength 0 and dependent columns). Mostly
            rounding hides that, and the weights are huge and mean nothing.
    """
    features = np.asarray(features, dtype=float)
    count = len(features)
    penalty = strength * np.diag(_penalized(features.shape[1]))
    return np.linalg.solve(features.T @ features / count + penalty, features.T @ targets / count)


def lasso_weights(
    features: np.ndarray, targets: np.ndarray, strength: float, steps: int = 2000
) -> np.ndarray:
    """Minimize ‖Xw - t‖²/N + strength · Σ |w|, the bias not penalized, by proximal gradient steps.

    Each step goes down the gradient of the squared error, then soft-thresholds (ISTA: Beck &
    Teboulle 2009, eq. 1.4). The step size is one over the largest curvature.

    Args:
        features: (N, D), the bias column last.
        targets: (N,).
        strength: not negative.
        steps: number of steps; the loss falls with each.

    Returns:
        (D,), the bias last; weights that the penalty switches off are exactly zero.
    """
    features = np.asarray(features, dtype=float)
    curvature = 2 * np.linalg.eigvalsh(features.T @ features)[-1] / len(features)
    amount = strength / curvature * _penalized(features.shape[1])
    weights = np.zeros(features.shape[1])
    for _ in range(steps):
        slope = features.T @ mse_gradient(features @ weights, targets)
        weights = soft_threshold(weights - slope / curvature, amount)
    return weights


def dropout(activations: np.ndarray, keep_mask: np.ndarray, rate: float) -> np.ndarray:
    """Inverted dropout: dropped entries are 0, kept ones are divided by 1 - rate.

    The mean over masks is the activation itself, so nothing needs scaling at test time.

    Args:
        activations: any shape.
        keep_mask: bool, shape of the activations, True with probability 1 - rate.
        rate: share that is **dropped**, 0 <= rate < 1. (Srivastava et al. 2014 write p for the
            share kept, and scale at test time instead: section 10.)

    Returns:
        Shape of the activations.

    Raises:
        ValueError: rate is outside 0 <= rate < 1.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate is the share that is dropped, 0 <= rate < 1, not {rate}")
    return np.where(keep_mask, np.asarray(activations, dtype=float) / (1 - rate), 0.0)


def weight_decay_step(
    weights: np.ndarray, gradient: np.ndarray, learning_rate: float, decay: float
) -> np.ndarray:
    """One step of gradient descent with decoupled weight decay: w - η g - η · decay · w.

    As `keras.optimizers.SGD(weight_decay=...)`: the learning rate multiplies the decay, and what
    decays is the old weights (Loshchilov & Hutter 2019, eq. 1 has no learning rate there).

    Args:
        weights: any shape.
        gradient: of the loss without any penalty, shape of the weights.
        learning_rate: η.
        decay: share of a weight lost per unit of learning rate.

    Returns:
        The new weights.
    """
    return weights - learning_rate * gradient - learning_rate * decay * weights


def early_stopping(validation_losses: np.ndarray, patience: int) -> tuple[int, int]:
    """Which epoch's weights to keep, and the epoch at which training stops.

    As `keras.callbacks.EarlyStopping`: training stops once ``patience`` epochs in a row have not
    brought a loss below the best (Goodfellow et al. 2016, algorithm 7.1).

    Args:
        validation_losses: (E,), one per epoch.
        patience: epochs to wait, at least 1.

    Returns:
        (best epoch, last epoch), counted from 0; without a stop the last epoch is E - 1.

    Raises:
        ValueError: there is no epoch, or patience is below 1.
    """
    if len(validation_losses) == 0 or patience < 1:
        raise ValueError("early stopping needs at least one epoch and a patience of at least 1")
    best, epoch = 0, 0
    for epoch, loss in enumerate(validation_losses):
        if epoch and loss < validation_losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best, epoch


def _penalized(count: int) -> np.ndarray:
    """1 for each weight that is penalized, 0 for the bias, which comes last."""
    flags = np.ones(count)
    flags[-1] = 0
    return flags
