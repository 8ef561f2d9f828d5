"""From AdaGrad to AdamW: update rules that give every weight its own step size (lesson 04).

All functions take and return arrays of one shape, that of the weights, and keep no state: the
moments go in and come out. ``step`` counts from 1. Where the paper and Keras differ, the function
of the paper's name follows the paper and the other one says `keras`.
Sources: Duchi, Hazan & Singer (2011); Tieleman & Hinton, lecture 6.5 (2012); Kingma & Ba, Adam
(2015); Loshchilov & Hutter, Decoupled weight decay (2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .sgd import least_squares_gradient


def bias_corrected_average(values: np.ndarray, beta: float) -> np.ndarray:
    """Exponential averages that start at 0, each divided by 1 - βᵗ.

    The weights of the uncorrected average, (1 - β) βᵗ⁻ⁱ, add up to 1 - βᵗ only; dividing makes
    them add up to 1 (Kingma & Ba 2015, section 3, eq. 1 to 4).

    Args:
        values: (T,), of times t = 1..T.
        beta: β, 0 <= β < 1.

    Returns:
        (T,); the first entry is the first value.
    """
    values = np.asarray(values, dtype=float)
    averages, average = np.empty_like(values), 0.0
    for index, value in enumerate(values):
        average = beta * average + (1 - beta) * value
        averages[index] = average / (1 - beta ** (index + 1))
    return averages


def adagrad_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    accumulated: np.ndarray,
    learning_rate: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """AdaGrad as in Keras: a ← a + g², then w ← w - ηg/√(a + ε).

    Duchi et al. (2011, figure 1) and PyTorch add ε after the root.

    Args:
        weights, gradient: any shape, the same.
        accumulated: a, sum of squared gradients so far; Keras starts it at 0.1.
        learning_rate: η.
        epsilon: ε, in squared units of the gradient.

    Returns:
        (weights, accumulated) after the step.
    """
    accumulated = accumulated + gradient**2
    return weights - learning_rate * gradient / np.sqrt(accumulated + epsilon), accumulated


def rmsprop_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    average: np.ndarray,
    learning_rate: float,
    rho: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """RMSProp as in Keras: a ← ρa + (1 - ρ)g², then w ← w - ηg/√(a + ε).

    PyTorch adds ε after the root; the lecture that introduced the rule has none.

    Args:
        weights, gradient: any shape, the same.
        average: a, average of squared gradients, zeros before the first step.
        learning_rate: η.
        rho: ρ, share of the old average that stays.
        epsilon: ε, in squared units of the gradient.

    Returns:
        (weights, average) after the step (Tieleman & Hinton 2012).
    """
    average = rho * average + (1 - rho) * gradient**2
    return weights - learning_rate * gradient / np.sqrt(average + epsilon), average


def adam_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adam as in the paper and in PyTorch: ε joins the root of the **corrected** second moment.

    m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², then
    w ← w - η · m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + ε) (Kingma & Ba 2015, algorithm 1).

    Args:
        weights, gradient: any shape, the same.
        m: first moment, not corrected, zeros before the first step.
        v: second moment, not corrected, zeros before the first step.
        step: t, 1 at the first step.
        learning_rate: η.
        beta_1: β₁, decay of m.
        beta_2: β₂, decay of v.
        epsilon: ε, in units of the gradient.

    Returns:
        (weights, m, v) after the step, the moments not corrected.
    """
    m, v = _moments(gradient, m, v, beta_1, beta_2)
    m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_path(
    features: np.ndarray,
    targets: np.ndarray,
    start: np.ndarray,
    learning_rates: Sequence[float] | np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> np.ndarray:
    """`adam_step` after `adam_step` on the least squares of Xw (Kingma & Ba 2015, algorithm 1).

    Args:
        features: X, (N, D).
        targets: (N,).
        start: the first weights, (D,).
        learning_rates: T numbers, one for each step.
        beta_1, beta_2, epsilon: as in `adam_step`.

    Returns:
        (T + 1, D): the weights before the first step and after each.
    """
    path = [np.asarray(start, dtype=float)]
    m, v = np.zeros_like(path[0]), np.zeros_like(path[0])
    for t, rate in enumerate(learning_rates, start=1):
        gradient = least_squares_gradient(features, targets, path[-1])
        weights, m, v = adam_step(path[-1], gradient, m, v, t, rate, beta_1, beta_2, epsilon)
        path.append(weights)
    return np.array(path)


def adam_step_keras(
    weights: np.ndarray,
    gradient: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adam as in Keras: ε joins the root of the **uncorrected** second moment ("epsilon hat").

    w ← w - η √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m/(√v + ε) (Kingma & Ba 2015, the remark before
    section 2.1). Equal to `adam_step` with epsilon/√(1 - β₂ᵗ) in place of epsilon.

    Args:
        weights, gradient, m, v, step, learning_rate, beta_1, beta_2: as in `adam_step`.
        epsilon: ε̂, in units of the gradient.

    Returns:
        (weights, m, v) after the step, the moments not corrected.
    """
    m, v = _moments(gradient, m, v, beta_1, beta_2)
    rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return weights - rate * m / (np.sqrt(v) + epsilon), m, v


def adamw_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """AdamW as in Keras: first w ← w - η · decay · w, then `adam_step_keras`.

    The decay bypasses the moments, so it is the same share for every weight (Loshchilov & Hutter
    2019, algorithm 2, where a schedule multiplier stands in place of η before the decay).

    Args:
        weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon: as in
            `adam_step_keras`; the gradient is that of the loss without any penalty.
        weight_decay: share of a weight lost per unit of learning rate.

    Returns:
        (weights, m, v) after the step, the moments not corrected.
    """
    weights = weights - learning_rate * weight_decay * weights
    return adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)


def clip_by_global_norm(gradients: Sequence[np.ndarray], max_norm: float) -> list[np.ndarray]:
    """Shrink all gradients by one common factor if their joint norm exceeds ``max_norm``.

    The direction stays (Pascanu, Mikolov & Bengio 2013, algorithm 1; Keras' `global_clipnorm`).

    Args:
        gradients: arrays of any shapes, one per weight array.
        max_norm: largest norm, positive, of all entries together.

    Returns:
        New arrays, unchanged in value if the norm is small enough.
    """
    norm = np.sqrt(sum(float(np.sum(np.square(gradient))) for gradient in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    return [gradient * scale for gradient in gradients]


def _moments(
    gradient: np.ndarray, m: np.ndarray, v: np.ndarray, beta_1: float, beta_2: float
) -> tuple[np.ndarray, np.ndarray]:
    """The exponential averages of the gradient and of its square (no correction)."""
    return beta_1 * m + (1 - beta_1) * gradient, beta_2 * v + (1 - beta_2) * gradient**2
