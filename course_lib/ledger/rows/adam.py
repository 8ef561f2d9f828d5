"""AdaGrad, RMSProp, Adam, AdamW, clipping: where ε and the decay stand, what starts where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...foundations import adam
from ..convention import Convention
from ..problem import DECAY, RATES, Stepped, keras_path, numpy_path, torch_default, torch_path

EPSILON = 0.0625
NO_EPSILON = 1e-12
CLIPPED = [np.array([3.0, 1.0]), np.array([0.5, 0.25])]


def _rmsprop_outside(w: Any, g: Any, a: Any, rate: float, rho: float, epsilon: float) -> Stepped:
    a = rho * a + (1 - rho) * g**2
    return w - rate * g / (np.sqrt(a) + epsilon), a


def _adagrad_outside(w: Any, g: Any, a: Any, rate: float, epsilon: float) -> Stepped:
    a = a + g**2
    return w - rate * g / (np.sqrt(a) + epsilon), a


def _adam_inside(w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float) -> Stepped:
    beta_1, beta_2, epsilon = rest
    _, m, v = adam.adam_step(w, g, m, v, t, rate, *rest)
    root = np.sqrt(v / (1 - beta_2**t) + epsilon)
    return w - rate * m / (1 - beta_1**t) / root, m, v


def _adam_counted_from(first: int) -> np.ndarray:
    def step(w: Any, g: Any, m: Any, v: Any, t: int, *rest: float) -> Stepped:
        return adam.adam_step(w, g, m, v, t - 1 + first, *rest)

    return numpy_path(step, 2, 0.9, 0.99, NO_EPSILON, counted=True)


def _adam_uncorrected(w: Any, g: Any, m: Any, v: Any, rate: float, *rest: float) -> Stepped:
    beta_1, beta_2, epsilon = rest
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
    return w - rate * m / (np.sqrt(v) + epsilon), m, v


def _adam_penalized(w: Any, g: Any, m: Any, v: Any, t: int, *rest: float) -> Stepped:
    return adam.adam_step(w, g + DECAY * w, m, v, t, *rest)


def _adam_decayed_by_schedule(
    w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float
) -> Stepped:
    return adam.adam_step(w - rate / RATES[0] * DECAY * w, g, m, v, t, rate, *rest)


def _adam_decayed_after(
    w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float
) -> Stepped:
    w, m, v = adam.adam_step(w, g, m, v, t, rate, *rest)
    return w - rate * DECAY * w, m, v


def _adam_path(step: Callable[..., Stepped], epsilon: float, *rest: float) -> np.ndarray:
    return numpy_path(step, 2, 0.9, 0.99, epsilon, *rest, counted=True)


def _keras_clipnorm(keras: Any) -> np.ndarray:
    variables = [keras.Variable(np.zeros(2), dtype="float32") for _ in range(2)]
    optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor(g, "float32") for g in CLIPPED], variables)
    return np.concatenate([-keras.ops.convert_to_numpy(variable) for variable in variables])


def _torch_clip_grad_norm(torch: Any) -> np.ndarray:
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in CLIPPED]
    for parameter, gradient in zip(parameters, CLIPPED, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float32)
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    return np.concatenate([parameter.grad.numpy() for parameter in parameters])


ROWS = (
    Convention(
        id="adagrad-epsilon",
        question="AdaGrad: where is ε?",
        forms={
            "inside the root": numpy_path(adam.adagrad_step, 1, EPSILON),
            "outside the root": numpy_path(_adagrad_outside, 1, EPSILON),
        },
        paper="outside the root",
        keras="inside the root",
        pytorch="outside the root",
        source="Duchi et al. 2011, figure 1",
        ask_keras=lambda keras: keras_path(
            keras,
            keras.optimizers.Adagrad(1.0, initial_accumulator_value=0.0, epsilon=EPSILON),
        ),
        ask_pytorch=lambda torch: torch_path(torch, torch.optim.Adagrad, eps=EPSILON),
    ),
    Convention(
        id="adagrad-start",
        question="AdaGrad: the sum of squares starts at",
        forms={"0": 0.0, "0.1": 0.1},
        paper="0",
        keras="0.1",
        pytorch="0",
        source="Duchi et al. 2011, figure 1",
        ask_keras=lambda keras: keras.optimizers.Adagrad().initial_accumulator_value,
        ask_pytorch=lambda torch: torch_default(
            torch, torch.optim.Adagrad, "initial_accumulator_value"
        ),
    ),
    Convention(
        id="rmsprop-epsilon",
        question="RMSProp: where is ε?",
        forms={
            "inside the root": numpy_path(adam.rmsprop_step, 1, 0.9, EPSILON),
            "outside the root": numpy_path(_rmsprop_outside, 1, 0.9, EPSILON),
        },
        paper="has none",
        keras="inside the root",
        pytorch="outside the root",
        source="Tieleman & Hinton 2012, lecture 6.5",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.RMSprop(1.0, rho=0.9, epsilon=EPSILON)
        ),
        ask_pytorch=lambda torch: torch_path(torch, torch.optim.RMSprop, alpha=0.9, eps=EPSILON),
    ),
    Convention(
        id="rmsprop-rho",
        question="RMSProp: ρ by default",
        forms={"0.9": 0.9, "0.99": 0.99},
        paper="0.9",
        keras="0.9",
        pytorch="0.99",
        source="Tieleman & Hinton 2012, lecture 6.5",
        ask_keras=lambda keras: keras.optimizers.RMSprop().rho,
        ask_pytorch=lambda torch: torch_default(torch, torch.optim.RMSprop, "alpha"),
    ),
    Convention(
        id="adam-step",
        question="Adam: the exponent of β at the first step",
        forms={
            "1": _adam_counted_from(1),
            "2": _adam_counted_from(2),
            "no correction": numpy_path(_adam_uncorrected, 2, 0.9, 0.99, NO_EPSILON),
        },
        paper="1",
        keras="1",
        pytorch="1",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.Adam(1.0, 0.9, 0.99, NO_EPSILON)
        ),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=NO_EPSILON
        ),
    ),
    Convention(
        id="adam-epsilon",
        question="Adam: ε is added to the root of ...",
        forms={
            "v corrected, outside the root": _adam_path(adam.adam_step, EPSILON),
            "v as it is, outside the root (ε̂)": _adam_path(adam.adam_step_keras, EPSILON),
            "v corrected, inside the root": _adam_path(_adam_inside, EPSILON),
        },
        paper="v corrected, outside the root",
        keras="v as it is, outside the root (ε̂)",
        pytorch="v corrected, outside the root",
        source="Kingma & Ba 2015, algorithm 1; ε̂ before section 2.1",
        ask_keras=lambda keras: keras_path(keras, keras.optimizers.Adam(1.0, 0.9, 0.99, EPSILON)),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=EPSILON
        ),
    ),
    Convention(
        id="adam-epsilon-default",
        question="Adam: ε by default",
        forms={"1e-7": 1e-7, "1e-8": 1e-8},
        paper="1e-8",
        keras="1e-7",
        pytorch="1e-8",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: keras.optimizers.Adam().epsilon,
        ask_pytorch=lambda torch: torch_default(torch, torch.optim.Adam, "eps"),
    ),
    Convention(
        id="adam-weight-decay",
        question="Adam's (not AdamW's) `weight_decay`: where does it act?",
        forms={
            "on the weights, times η": _adam_path(adam.adamw_step, NO_EPSILON, DECAY),
            "in the gradient": _adam_path(_adam_penalized, NO_EPSILON),
        },
        paper="has none",
        keras="on the weights, times η",
        pytorch="in the gradient",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.Adam(1.0, 0.9, 0.99, NO_EPSILON, weight_decay=DECAY)
        ),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=NO_EPSILON, weight_decay=DECAY
        ),
    ),
    Convention(
        id="adamw-decay",
        question="AdamW: what is decayed, and times what?",
        forms={
            "the old weights, times η": _adam_path(adam.adamw_step, NO_EPSILON, DECAY),
            "the old weights, times the schedule": _adam_path(
                _adam_decayed_by_schedule, NO_EPSILON
            ),
            "the new weights, times η": _adam_path(_adam_decayed_after, NO_EPSILON),
        },
        paper="the old weights, times the schedule",
        keras="the old weights, times η",
        pytorch="the old weights, times η",
        source="Loshchilov & Hutter 2019, algorithm 2",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.AdamW(1.0, DECAY, 0.9, 0.99, NO_EPSILON)
        ),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.AdamW, betas=(0.9, 0.99), eps=NO_EPSILON, weight_decay=DECAY
        ),
    ),
    Convention(
        id="adamw-decay-default",
        question="AdamW: `weight_decay` by default",
        forms={"0.004": 0.004, "0.01": 0.01},
        paper="has none",
        keras="0.004",
        pytorch="0.01",
        source="Loshchilov & Hutter 2019, section 4",
        ask_keras=lambda keras: keras.optimizers.AdamW().weight_decay,
        ask_pytorch=lambda torch: torch_default(torch, torch.optim.AdamW, "weight_decay"),
    ),
    Convention(
        id="clip-norm",
        question="Clipping by norm (`clipnorm`, `clip_grad_norm_`): whose norm?",
        forms={
            "of all arrays together": np.concatenate(adam.clip_by_global_norm(CLIPPED, 1.0)),
            "of each array": np.concatenate(
                [adam.clip_by_global_norm([array], 1.0)[0] for array in CLIPPED]
            ),
        },
        paper="of all arrays together",
        keras="of each array",
        pytorch="of all arrays together",
        source="Pascanu et al. 2013, algorithm 1",
        ask_keras=_keras_clipnorm,
        ask_pytorch=_torch_clip_grad_norm,
    ),
)
