"""Batch normalization: what its momentum keeps, which variance it stores, what freezing stops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...foundations import fine_tuning
from ..convention import Convention
from ..problem import GRADIENTS


def _keras_batchnorm(keras: Any, trainable: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The stored mean and variance after one batch in training mode."""
    layer = keras.layers.BatchNormalization(momentum=0.75)
    layer.trainable = trainable
    layer(keras.ops.convert_to_tensor(GRADIENTS, "float32"), training=True)
    mean, variance = map(keras.ops.convert_to_numpy, (layer.moving_mean, layer.moving_variance))
    return mean, variance


def _torch_batchnorm(
    torch: Any, momentum: float, trainable: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    layer = torch.nn.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
    layer.requires_grad_(trainable)
    layer(torch.tensor(GRADIENTS))
    return layer.running_mean.numpy(), layer.running_var.numpy()


def _numpy_batchnorm(momentum: float) -> tuple[np.ndarray, np.ndarray]:
    return fine_tuning.batchnorm_moving_update(np.zeros(3), np.ones(3), GRADIENTS, momentum)


ROWS = (
    Convention(
        id="batchnorm-momentum",
        question="Batch normalization: momentum is the share of ...",
        forms={
            "the old statistics": _numpy_batchnorm(0.75)[0],
            "the batch": _numpy_batchnorm(0.25)[0],
        },
        paper="has none",
        keras="the old statistics",
        pytorch="the batch",
        source="Ioffe & Szegedy 2015, algorithm 2",
        ask_keras=lambda keras: _keras_batchnorm(keras)[0],
        ask_pytorch=lambda torch: _torch_batchnorm(torch, 0.75)[0],
    ),
    Convention(
        id="batchnorm-variance",
        question="Batch normalization: the stored variance averages variances that are ...",
        forms={
            "biased, ÷ N": _numpy_batchnorm(0.75)[1],
            "unbiased, ÷ (N − 1)": 0.75 + 0.25 * GRADIENTS.var(axis=0, ddof=1),
        },
        paper="unbiased, ÷ (N − 1)",
        keras="biased, ÷ N",
        pytorch="unbiased, ÷ (N − 1)",
        source="Ioffe & Szegedy 2015, algorithm 2",
        ask_keras=lambda keras: _keras_batchnorm(keras)[1],
        ask_pytorch=lambda torch: _torch_batchnorm(torch, 1 - 0.75)[1],
    ),
    Convention(
        id="batchnorm-epsilon-default",
        question="Batch normalization: ε by default",
        forms={"1e-3": 1e-3, "1e-5": 1e-5},
        paper="has none",
        keras="1e-3",
        pytorch="1e-5",
        source="Ioffe & Szegedy 2015, algorithm 1",
        ask_keras=lambda keras: keras.layers.BatchNormalization().epsilon,
        ask_pytorch=lambda torch: torch.nn.BatchNorm1d(1).eps,
    ),
    Convention(
        id="batchnorm-frozen",
        question="Batch normalization with frozen weights, in training: the stored statistics ...",
        forms={"stay": 0.0, "move": 1.0},
        paper="has none",
        keras="stay",
        pytorch="move",
        source="Ioffe & Szegedy 2015",
        ask_keras=lambda keras: np.any(_keras_batchnorm(keras, trainable=False)[0]),
        ask_pytorch=lambda torch: np.any(_torch_batchnorm(torch, 0.75, trainable=False)[0]),
    ),
)
