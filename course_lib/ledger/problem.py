"""The same four steps of an optimizer in NumPy, in Keras and in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

WEIGHTS = np.array([0.75, -1.5, 0.5])
"""Those that every path starts from."""
GRADIENTS = np.array([[1.0, -0.5, 0.25], [0.5, 0.75, -2.0], [-0.25, 1.5, 1.0], [2.0, 0.5, 0.5]])
"""One for each step; also a batch of four examples with three channels."""
RATES = (0.125, 0.125, 0.03125, 0.03125)
"""Learning rates of the four steps, exact in binary; the drop tells momentum's forms apart."""
CURVATURES = np.array([4.0, 1.0, 0.25])
"""Of the quadratic ½ Σ c w², for the one row where the gradient depends on the weights."""
DECAY = 0.25
"""Strength of an L2 penalty or of weight decay."""

Gradient = Callable[[int, np.ndarray], np.ndarray]
"""From the number of the step and the weights to the gradient."""
Stepped = tuple[np.ndarray, ...]
"""New weights and the new state of the rule."""


def fixed_gradient(index: int, weights: np.ndarray) -> np.ndarray:
    """The gradient of this step, whatever the weights."""
    gradient: np.ndarray = GRADIENTS[index]
    return gradient


def quadratic_gradient(index: int, weights: np.ndarray) -> np.ndarray:
    """The gradient of the quadratic at these weights."""
    gradient: np.ndarray = CURVATURES * weights
    return gradient


def numpy_path(
    step: Callable[..., Stepped],
    states: int,
    *rest: float,
    gradients: Gradient = fixed_gradient,
    counted: bool = False,
) -> np.ndarray:
    """Weights after four steps of a rule step(w, g, *states, [t], η, *rest)."""
    weights, state = WEIGHTS, [np.zeros_like(WEIGHTS)] * states
    for index, rate in enumerate(RATES):
        counter = [index + 1] if counted else []
        gradient = gradients(index, weights)
        weights, *state = step(weights, gradient, *state, *counter, rate, *rest)
    return weights


def keras_path(keras: Any, optimizer: Any, gradients: Gradient = fixed_gradient) -> np.ndarray:
    """Weights after four steps of an optimizer of Keras, in float32."""
    variable = keras.Variable(WEIGHTS, dtype="float32")
    for index, rate in enumerate(RATES):
        optimizer.learning_rate = rate
        gradient = gradients(index, keras.ops.convert_to_numpy(variable))
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
    weights: np.ndarray = keras.ops.convert_to_numpy(variable)
    return weights


def torch_path(
    torch: Any, optimizer: Callable[..., Any], gradients: Gradient = fixed_gradient, **options: Any
) -> np.ndarray:
    """Weights after four steps of an optimizer of PyTorch, in float64."""
    parameter = torch.nn.Parameter(torch.tensor(WEIGHTS))
    rule = optimizer([parameter], lr=RATES[0], **options)
    for index, rate in enumerate(RATES):
        rule.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradients(index, parameter.detach().numpy()))
        rule.step()
    weights: np.ndarray = parameter.detach().numpy()
    return weights


def torch_default(torch: Any, optimizer: Callable[..., Any], name: str) -> float:
    """What an optimizer of PyTorch has where it is not told."""
    return float(optimizer([torch.nn.Parameter(torch.zeros(1))], lr=1.0).defaults[name])
