"""Momentum, Nesterov, weight decay and warm-up: where the learning rate and the gradient stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...foundations import sgd
from ..convention import Convention
from ..problem import (
    DECAY,
    RATES,
    WEIGHTS,
    Stepped,
    keras_path,
    numpy_path,
    quadratic_gradient,
    torch_path,
)


def _averaged_momentum(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step_pytorch(w, (1 - momentum) * g, v, rate, momentum)


def _sgd_decayed(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step(w - rate * DECAY * w, g, v, rate, momentum)


def _sgd_decayed_by_schedule(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step(w - rate / RATES[0] * DECAY * w, g, v, rate, momentum)


def _sgd_penalized(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step_pytorch(w, g + DECAY * w, v, rate, momentum)


def _nesterov_of_the_paper(momentum: float) -> np.ndarray:
    """θ after four steps on the quadratic: the gradient is taken at θ + μv."""
    weights, velocity = WEIGHTS, np.zeros_like(WEIGHTS)
    for index, rate in enumerate(RATES):
        gradient = quadratic_gradient(index, weights + momentum * velocity)
        weights, velocity = sgd.momentum_step(weights, gradient, velocity, rate, momentum)
    return weights


def _keras_cosine(keras: Any) -> list[float]:
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 80, warmup_target=0.5, warmup_steps=20)
    return [float(schedule(step)) for step in (10, 20, 50, 70)]


def _numpy_cosine(total: int) -> list[float]:
    return [sgd.cosine_with_warmup(step, total, 20, 0.5) for step in (10, 20, 50, 70)]


ROWS = (
    Convention(
        id="sgd-weight-decay",
        question="SGD's `weight_decay`: where does it act?",
        forms={
            "on the weights, times η": numpy_path(_sgd_decayed, 1, 0.5),
            "on the weights, times the schedule": numpy_path(_sgd_decayed_by_schedule, 1, 0.5),
            "in the gradient": numpy_path(_sgd_penalized, 1, 0.5),
        },
        paper="on the weights, times the schedule",
        keras="on the weights, times η",
        pytorch="in the gradient",
        source="Loshchilov & Hutter 2019, algorithm 1",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.SGD(1.0, momentum=0.5, weight_decay=DECAY)
        ),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.SGD, momentum=0.5, weight_decay=DECAY
        ),
    ),
    Convention(
        id="momentum-learning-rate",
        question="Momentum: where is the learning rate, and is the gradient weighted?",
        forms={
            "in the velocity: v ← μv − ηg": numpy_path(sgd.momentum_step, 1, 0.9),
            "outside: v ← μv + g": numpy_path(sgd.momentum_step_pytorch, 1, 0.9),
            "outside: v ← μv + (1 − μ)g": numpy_path(_averaged_momentum, 1, 0.9),
        },
        paper="in the velocity: v ← μv − ηg",
        keras="in the velocity: v ← μv − ηg",
        pytorch="outside: v ← μv + g",
        source="Sutskever et al. 2013, eq. 1 and 2",
        ask_keras=lambda keras: keras_path(keras, keras.optimizers.SGD(1.0, momentum=0.9)),
        ask_pytorch=lambda torch: torch_path(torch, torch.optim.SGD, momentum=0.9),
    ),
    Convention(
        id="nesterov-gradient",
        question="Nesterov: where is the gradient taken?",
        forms={
            "at the weights that are kept": numpy_path(
                sgd.nesterov_step, 1, 0.9, gradients=quadratic_gradient
            ),
            "at the weights that are kept, η outside v": numpy_path(
                sgd.nesterov_step_pytorch, 1, 0.9, gradients=quadratic_gradient
            ),
            "at the look-ahead point θ + μv": _nesterov_of_the_paper(0.9),
        },
        paper="at the look-ahead point θ + μv",
        keras="at the weights that are kept",
        pytorch="at the weights that are kept, η outside v",
        source="Sutskever et al. 2013, eq. 3 and 4",
        ask_keras=lambda keras: keras_path(
            keras, keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True), quadratic_gradient
        ),
        ask_pytorch=lambda torch: torch_path(
            torch, torch.optim.SGD, quadratic_gradient, momentum=0.9, nesterov=True
        ),
    ),
    Convention(
        id="cosine-length",
        question="Cosine decay: does `decay_steps` contain the warm-up?",
        forms={"no": _numpy_cosine(100), "yes": _numpy_cosine(80)},
        paper="has no warm-up",
        keras="no",
        pytorch="has no warm-up",
        source="Loshchilov & Hutter 2017, eq. 5",
        ask_keras=_keras_cosine,
    ),
)
