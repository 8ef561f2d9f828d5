"""What the training runs on: several devices at once, and what helps on a GPU only."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from ..errors import CourseError

OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")
"""Names of the errors of TensorFlow, of PyTorch and of Python; JAX says RESOURCE_EXHAUSTED."""


def every_device() -> AbstractContextManager[Any]:
    """In here, models are made so that each batch is shared out over all devices.

    Load the backbone in it and train in it. TensorFlow uses `tf.distribute.MirroredStrategy`, JAX
    `keras.distribution.DataParallel`; with one device, and with PyTorch, it does nothing. All
    GPUs take part or, on a machine without one, all (virtual) CPU devices.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) > 1:
            scope: AbstractContextManager[Any] = tf.distribute.MirroredStrategy(
                [device.name for device in devices]
            ).scope()
            return scope
    if backend == "jax":
        devices = keras.distribution.list_devices()
        if len(devices) > 1:
            parallel: AbstractContextManager[Any] = keras.distribution.DataParallel(
                devices=devices, auto_shard_dataset=False
            ).scope()
            return parallel
    return nullcontext()


def names() -> list[str]:
    """What Keras' backend computes on, as ``GPU:0``, ``cuda:1`` or ``cpu:0``."""
    if keras.config.backend() == "torch":
        import torch

        return [f"cuda:{n}" for n in range(torch.cuda.device_count())] or ["cpu:0"]
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return [
            str(device.name).split("device:")[-1] for device in tf.config.list_logical_devices()
        ]
    return [str(name) for name in keras.distribution.list_devices()]


def has_gpu() -> bool:
    """Whether Keras' backend computes on a GPU."""
    return any(name.lower().startswith(("gpu", "cuda")) for name in names())


def accelerate() -> str:
    """Half precision where it helps, which is on a GPU; call it before a model is made.

    Returns:
        One sentence: the backend, the devices and the precision.
    """
    gpu = has_gpu()
    if gpu:
        keras.config.set_dtype_policy("mixed_bfloat16")
    precision = "bfloat16 with float32 weights" if gpu else str(keras.config.floatx())
    kind = "GPU" if gpu else "CPU"
    number = sum(name.lower().startswith(("gpu", "cuda")) == gpu for name in names())
    count = f"{number} {kind}s" if number > 1 else f"one {kind}"
    return f"Keras computes with {keras.config.backend()} on {count}, in {precision}."


def out_of_memory(error: BaseException) -> bool:
    """Whether a backend, or Python, says that it has no memory left."""
    return type(error).__name__ in OUT_OF_MEMORY or "RESOURCE_EXHAUSTED" in str(error)


def memory_error(batch_size: int, input_shape: tuple[int | None, ...]) -> CourseError:
    """The sentence that says what to change."""
    shape = " by ".join(str(length) for length in input_shape[1:])
    return CourseError(
        f"The device has no memory left for batches of {batch_size} examples of {shape}: "
        f"take batch_size={max(1, batch_size // 2)}, smaller images, or unfreeze fewer stages."
    )
