"""What the work runs on: several devices at once, and what helps on a GPU only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras

from ..errors import CourseError
from .layerwise import flat

BATCH = 32
"""Images in a batch without a GPU, at most: that keeps the cores of a CPU busy."""
KEPT = 2**25
"""Bytes of the largest array that the C library of Linux keeps for the next one. What is larger
goes back to the system each time, and clearing new memory costs more than a larger batch gains:
EfficientNet-Lite0 at 128 pixels took 1.5 times as long in batches of 32 as in batches of 16."""
LARGEST_BATCH = 128
"""Images in a batch on a GPU, at most: more of them do not make it faster."""
LIVE = 6
"""Arrays as large as the largest feature map that a compiled forward pass may hold at once: a
layer's input and output, a shortcut around it, and what the backend works with. Measured on a CPU
at 224 pixels: 2 to 3 with TensorFlow, 5 with JAX."""
SHARE = 0.8
"""Of the free memory; the rest is left to what else the backend allocates."""

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
    return any(map(_is_gpu, names()))


@contextmanager
def accelerated() -> Iterator[None]:
    """In here, models are made to compute on every device and, on GPUs, in half precision.

    What is made outside, a head or a small example, computes in single precision as ever.
    Compiling by XLA is up to Keras: always with JAX, with TensorFlow on a GPU only (on a CPU it
    makes convolutions many times slower), never with PyTorch.
    """
    before = keras.config.dtype_policy()
    if has_gpu():
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with every_device():
            yield
    finally:
        keras.config.set_dtype_policy(before)


def report() -> str:
    """One sentence: the backend, the devices and the precision of what is made `accelerated`."""
    gpus = [name for name in names() if _is_gpu(name)]
    precision = "bfloat16 with float32 weights" if gpus else str(keras.config.floatx())
    number, kind = len(gpus or names()), "GPU" if gpus else "CPU"
    count = f"{number} {kind}s" if number > 1 else f"one {kind}"
    make = f" ({_gpu_name()})" if gpus else ""
    return f"Keras computes with {keras.config.backend()} on {count}{make}, in {precision}."


def free_memory() -> int | None:
    """Bytes that are free on the first GPU for this process; None if that cannot be told."""
    if not has_gpu():
        return None
    backend = keras.config.backend()
    if backend == "torch":
        import torch

        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(torch.cuda.mem_get_info()[0] + unused)
    if backend == "jax":
        import jax

        stats = jax.local_devices()[0].memory_stats() or {}
        limit, used = stats.get("bytes_limit"), stats.get("bytes_in_use", 0)
        return None if limit is None else int(limit - used)
    import tensorflow as tf
    from tensorflow.python.client import device_lib  # nothing public tells the limit

    limits = [d.memory_limit for d in device_lib.list_local_devices() if d.device_type == "GPU"]
    return int(limits[0] - tf.config.experimental.get_memory_info("GPU:0")["current"])


def largest_batch(model: keras.Model) -> int:
    """How many examples to give to a model at once where it is not trained, by the free memory.

    (How many are in a step of training is part of the recipe: the result depends on it.)

    Returns:
        A power of two. On a GPU, up to `LARGEST_BATCH`, as many as fit by an estimate that is
        rather too careful; elsewhere, up to `BATCH`, as many as are computed fastest.
    """
    sizes = [_output_bytes(layer) for layer in flat(model)]
    free = free_memory()
    if free is None:
        return _power_of_two(KEPT // max(sizes), BATCH)
    each = LIVE * max(sizes)
    if keras.config.backend() == "torch":  # not compiled, Keras keeps all layers' outputs
        each += sum(sizes)
    return _power_of_two(int(SHARE * free) // each, LARGEST_BATCH)


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


def _is_gpu(name: str) -> bool:
    return name.lower().startswith(("gpu", "cuda"))


def _gpu_name() -> str:
    """What the maker calls the first GPU."""
    backend = keras.config.backend()
    if backend == "torch":
        import torch

        return str(torch.cuda.get_device_name())
    if backend == "jax":
        import jax

        return str(jax.local_devices()[0].device_kind)
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    return str(details.get("device_name", "of an unknown kind"))


def _output_bytes(layer: keras.Layer) -> int:
    """Bytes of a layer's output for one example."""
    width = 2 if "16" in layer.compute_dtype else 4
    numbers: int = math.prod(layer.output.shape[1:])
    return width * numbers


def _power_of_two(most: int, limit: int) -> int:
    """The largest one that is not above either, and at least 1."""
    return 1 << (max(1, min(most, limit)).bit_length() - 1)
