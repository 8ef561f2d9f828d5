"""Gradient descent from the full batch to momentum and schedules, and a network to train with it.

N examples, D inputs, H hidden units, C classes; η is the learning rate, μ the momentum. Update
rules follow Keras, whose velocity contains the learning rate: v ← μv - ηg, w ← w + v. PyTorch's
form is here too, under its own name. Every function returns new arrays.
Sources: Goodfellow, Bengio & Courville, Deep Learning (2016), chapters 6 and 8; Sutskever,
Martens, Dahl & Hinton, On the importance of initialization and momentum (2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .losses import mse_gradient, softmax_cross_entropy_gradient


def least_squares_gradient(
    features: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Gradient, by the weights, of the mean squared error of the predictions Xw.

    Args:
        features: X, (N, D).
        targets: y, (N,).
        weights: w, (D,).

    Returns:
        (D,): 2 Xᵀ(Xw - y)/N, the chain rule through `mse` (Goodfellow et al. 2016, eq. 5.7-5.12).
    """
    features = np.asarray(features, dtype=float)
    gradient: np.ndarray = features.T @ mse_gradient(features @ weights, targets)
    return gradient


def sgd_step(weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> np.ndarray:
    """One step against the gradient: w - ηg (Goodfellow et al. 2016, algorithm 8.1).

    Args:
        weights: any shape.
        gradient: shape of the weights.
        learning_rate: η, in units of weights per gradient.

    Returns:
        The new weights.
    """
    return weights - learning_rate * gradient


def largest_stable_learning_rate(hessian: np.ndarray) -> float:
    """2/λmax: above it, gradient descent on this quadratic grows along the steepest direction.

    A step multiplies the error along an eigenvector by 1 - ηλ, which must not exceed 1 in size
    (Goh, Why Momentum Really Works, Distill 2017; Nesterov 2004, theorem 2.1.14).

    Args:
        hessian: (D, D), symmetric and positive semi-definite.

    Returns:
        The limit of the learning rate.

    Raises:
        ValueError: there is no positive curvature, so no limit.
    """
    steepest = float(np.linalg.eigvalsh(hessian)[-1])
    if steepest <= 0:
        raise ValueError("no direction curves upwards, so no learning rate is too large")
    return 2 / steepest


def minibatches(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut one epoch's order into batches, each example in exactly one of them.

    Args:
        order: (N,) integers, a permutation of the examples.
        batch_size: at least 1.

    Returns:
        The batches in the given order; the last is short if batch_size does not divide N.

    Raises:
        ValueError: batch_size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def sgd_path(
    features: np.ndarray,
    targets: np.ndarray,
    start: np.ndarray,
    batches: Sequence[np.ndarray],
    learning_rates: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Mini-batch descent on the least squares of Xw (Goodfellow et al. 2016, algorithm 8.1).

    Args:
        features: X, (N, D).
        targets: (N,).
        start: the first weights, (D,).
        batches: T arrays of integers, the rows that each step looks at.
        learning_rates: T numbers, one for each step.

    Returns:
        (T + 1, D): the weights before the first step and after each.

    Raises:
        ValueError: there are not as many batches as learning rates.
    """
    path = [np.asarray(start, dtype=float)]
    for batch, rate in zip(batches, learning_rates, strict=True):
        gradient = least_squares_gradient(features[batch], targets[batch], path[-1])
        path.append(sgd_step(path[-1], gradient, rate))
    return np.array(path)


def momentum_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    velocity: np.ndarray,
    learning_rate: float,
    momentum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Momentum as in Keras: v ← μv - ηg, then w ← w + v (Sutskever et al. 2013, eq. 1 and 2).

    Args:
        weights: any shape.
        gradient: shape of the weights.
        velocity: v, shape of the weights, zeros before the first step. It contains η.
        learning_rate: η.
        momentum: μ, 0 <= μ < 1.

    Returns:
        (weights, velocity) after the step.
    """
    velocity = momentum * velocity - learning_rate * gradient
    return weights + velocity, velocity


def momentum_step_pytorch(
    weights: np.ndarray,
    gradient: np.ndarray,
    buffer: np.ndarray,
    learning_rate: float,
    momentum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Momentum as in PyTorch: b ← μb + g, then w ← w - ηb.

    The same path as `momentum_step` while η stays; after a change of η the old steps are
    rescaled at once (`torch.optim.SGD`, note on Sutskever et al.).

    Args:
        weights: any shape.
        gradient: shape of the weights.
        buffer: b, shape of the weights, zeros before the first step. It does not contain η.
        learning_rate: η.
        momentum: μ, 0 <= μ < 1.

    Returns:
        (weights, buffer) after the step.
    """
    buffer = momentum * buffer + gradient
    return weights - learning_rate * buffer, buffer


def nesterov_step(
    weights: np.ndarray,
    gradient: np.ndarray,
    velocity: np.ndarray,
    learning_rate: float,
    momentum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Nesterov's momentum as in Keras: v ← μv - ηg, then w ← w + μv - ηg with the new v.

    The weights kept here are the look-ahead point θ + μv of the paper's θ, which is why the
    gradient is taken at the weights themselves (Sutskever et al. 2013, eq. 3 and 4; the change
    of variables is that of Bengio, Boulanger-Lewandowski & Pascanu 2013).

    Args:
        weights: any shape.
        gradient: at the weights, their shape.
        velocity: v, shape of the weights, zeros before the first step.
        learning_rate: η.
        momentum: μ, 0 <= μ < 1.

    Returns:
        (weights, velocity) after the step.
    """
    velocity = momentum * velocity - learning_rate * gradient
    return weights + momentum * velocity - learning_rate * gradient, velocity


def nesterov_step_pytorch(
    weights: np.ndarray,
    gradient: np.ndarray,
    buffer: np.ndarray,
    learning_rate: float,
    momentum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Nesterov's momentum as in PyTorch: b ← μb + g, then w ← w - η(g + μb) with the new b.

    The same path as `nesterov_step` while η stays (`torch.optim.SGD(nesterov=True)`).

    Args:
        weights, gradient, buffer, learning_rate, momentum: as in `momentum_step_pytorch`.

    Returns:
        (weights, buffer) after the step.
    """
    buffer = momentum * buffer + gradient
    return weights - learning_rate * (gradient + momentum * buffer), buffer


def cosine_with_warmup(
    step: int, total_steps: int, warmup_steps: int, base_learning_rate: float
) -> float:
    """Linear from 0 to the base rate over the warm-up, then half a cosine down to 0.

    As Keras' `CosineDecay(0.0, total_steps - warmup_steps, warmup_target=base_learning_rate,
    warmup_steps=warmup_steps)` (Loshchilov & Hutter 2017, eq. 5; warm-up: Goyal et al. 2017,
    section 2.2).

    Args:
        step: from 0; past ``total_steps`` the rate stays 0.
        total_steps: step at which the rate reaches 0, above ``warmup_steps``.
        warmup_steps: step at which the base rate is reached; 0 for no warm-up.
        base_learning_rate: the largest rate.

    Returns:
        The learning rate of this step.
    """
    if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    done = min((step - warmup_steps) / (total_steps - warmup_steps), 1.0)
    return base_learning_rate * (1 + math.cos(math.pi * done)) / 2


def he_normal(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Random weights (inputs, outputs) of variance 2/inputs, for a layer before a ReLU.

    This variance keeps the size of activations from layer to layer (He et al. 2015, eq. 10).
    Keras' `HeNormal` draws from a normal distribution truncated at two deviations instead.
    """
    return rng.normal(scale=math.sqrt(2 / inputs), size=(inputs, outputs))


def two_layer_forward(
    x: np.ndarray,
    weights_in: np.ndarray,
    bias_in: np.ndarray,
    weights_out: np.ndarray,
    bias_out: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The network x → ReLU → logits (Goodfellow et al. 2016, section 6.1).

    Args:
        x: (N, D).
        weights_in: (D, H).
        bias_in: (H,).
        weights_out: (H, C).
        bias_out: (C,).

    Returns:
        (hidden (N, H) after the ReLU, logits (N, C)).
    """
    hidden = np.maximum(x @ weights_in + bias_in, 0)
    return hidden, hidden @ weights_out + bias_out


def hidden_layer_gradients(
    x: np.ndarray, hidden: np.ndarray, weights_out: np.ndarray, upstream: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through `two_layer_forward`.

    Args:
        x: (N, D).
        hidden: (N, H), after the ReLU.
        weights_out: (H, C).
        upstream: (N, C), gradient of the loss at the logits; a mean over the batch has put its
            1/N in already.

    Returns:
        Gradients (weights_in (D, H), bias_in (H,), weights_out (H, C), bias_out (C,))
        (Goodfellow et al. 2016, algorithm 6.4).
    """
    at_hidden = (upstream @ weights_out.T) * (hidden > 0)
    return x.T @ at_hidden, at_hidden.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)


def training_step(
    parameters: Sequence[np.ndarray],
    velocities: Sequence[np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
    learning_rate: float,
    momentum: float,
) -> list[np.ndarray]:
    """One step of the two-layer network on the mean cross-entropy of a batch.

    Args:
        parameters: weights_in (D, H), bias_in (H,), weights_out (H, C), bias_out (C,).
        velocities: as the parameters, zeros before the first step.
        images: (N, D).
        labels: (N,) integers below C.
        learning_rate, momentum: as in `momentum_step`.

    Returns:
        Eight arrays: the parameters after the step, then their velocities (Goodfellow et al.
        2016, algorithms 6.4 and 8.2).
    """
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    gradients = hidden_layer_gradients(images, hidden, parameters[2], upstream)
    moved = [
        momentum_step(p, g, v, learning_rate, momentum)
        for p, g, v in zip(parameters, gradients, velocities, strict=True)
    ]
    return [p for p, _ in moved] + [v for _, v in moved]
