"""Gradients as Keras' backend computes them: one of the witnesses of every derivation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def gradient(loss: Callable[[Any], Any], point: np.ndarray) -> np.ndarray:
    """Gradient of ``loss`` at ``point`` by automatic differentiation in float64.

    Args:
        loss: from a backend tensor of the shape of ``point`` to a scalar tensor, written with
            `keras.losses` or `keras.ops`.
        point: any shape.

    Returns:
        float64 array of the shape of ``point``.

    Raises:
        NotImplementedError: Keras runs on a backend without gradients (NumPy, OpenVINO).
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        variable = tf.Variable(point, dtype="float64")
        with tf.GradientTape() as tape:
            value = loss(variable.value())
        return np.asarray(tape.gradient(value, variable))
    if backend == "torch":
        import torch

        tensor = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        loss(tensor).backward()
        assert tensor.grad is not None
        return np.asarray(tensor.grad)
    if backend == "jax":
        import jax

        with jax.enable_x64(True):
            return np.asarray(jax.grad(loss)(jax.numpy.asarray(point, dtype="float64")))
    raise NotImplementedError(f"the Keras backend {backend} has no automatic gradients")
