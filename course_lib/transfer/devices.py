"""What the work runs on, and what helps on a GPU only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")
"""Names of the errors of TensorFlow, of PyTorch and of Python."""
OUT_OF_MEMORY_SAID = ("RESOURCE_EXHAUSTED", "CUDNN_STATUS_ALLOC_FAILED", "No algorithm worked")
"""What other errors say: JAX's, and those of cuDNN where no memory is left to try a convolution."""
BFLOAT16 = 8.0
"""Compute capability from which on NVIDIA's GPUs have units for bfloat16; a T4 has 7.5."""


def names() -> list[str]:
    """What Keras' backend computes on, as ``GPU:0``, ``cuda:1``, ``mps:0`` or ``cpu``."""
    if keras.config.backend() == "torch":
        import torch

        used = str(keras.ops.zeros(()).device)
        return [f"cuda:{n}" for n in range(torch.cuda.device_count())] or [used]
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
    """In here, models are made to compute in half precision on a GPU that is made for bfloat16.

    What is made outside, a head or a small example, computes in single precision as ever.
    Compiling by XLA is up to Keras: always with JAX, with TensorFlow on a GPU only (on a CPU it
    makes convolutions many times slower), never with PyTorch.
    """
    before = keras.config.dtype_policy()
    if _halves():
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def report() -> str:
    """One sentence: the backend, the devices and the precision of what is made `accelerated`."""
    others = _accelerators()
    kind = "GPU" if "GPU" in others else others[0] if others else "CPU"
    count = others.count(kind)
    precision = "bfloat16 with float32 weights" if _halves() else str(keras.config.floatx())
    device = f"one of {count} {kind}s" if count > 1 else f"one {kind}"
    make = f" ({_gpu_name()})" if kind == "GPU" else ""
    return f"Keras computes with {keras.config.backend()} on {device}{make}, in {precision}."


def out_of_memory(error: BaseException) -> bool:
    """Whether a backend, or Python, says that it has no memory left."""
    said = str(error)
    return type(error).__name__ in OUT_OF_MEMORY or any(part in said for part in OUT_OF_MEMORY_SAID)


def _halves() -> bool:
    """Whether there is a GPU that gains by bfloat16."""
    return has_gpu() and _compute_capability() >= BFLOAT16


def _is_gpu(name: str) -> bool:
    return name.lower().startswith(("gpu", "cuda"))


def _accelerators() -> list[str]:
    """What there is beside the CPU, as GPU or TPU. TensorFlow names a host of TPUs, too."""
    kinds = ["GPU" if _is_gpu(name) else name.split(":")[0].upper() for name in names()]
    return [kind for kind in kinds if kind not in ("CPU", "TPU_SYSTEM")]


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


def _compute_capability() -> float:
    """Of the first GPU, as NVIDIA counts; 0 if it is of another maker."""
    backend = keras.config.backend()
    if backend == "torch":
        import torch

        major, minor = torch.cuda.get_device_capability()
        return float(f"{major}.{minor}")
    if backend == "jax":
        import jax

        told = str(getattr(jax.local_devices()[0], "compute_capability", 0))
        return float(told) if told.replace(".", "").isdigit() else 0.0  # AMD's say "gfx90a"
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    major, minor = details.get("compute_capability", (0, 0))
    return float(f"{major}.{minor}")
