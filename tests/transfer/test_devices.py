"""What is said and done about the devices; the GPUs here are made up."""

import sys
from types import SimpleNamespace as Made

import keras
import pytest

from course_lib.transfer import backbones, devices

pytestmark = pytest.mark.slow

GIB = 2**30


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, as far as this module knows."""
    monkeypatch.setattr(devices, "names", lambda: ["CPU:0", "GPU:0", "GPU:1"])
    monkeypatch.setattr(devices, "_gpu_name", lambda: "Imaginary 1")


def test_a_cpu_computes_in_single_precision():
    assert not devices.has_gpu()
    backend = keras.config.backend()
    assert devices.report() == f"Keras computes with {backend} on one CPU, in float32."
    with devices.accelerated():
        assert keras.layers.Dense(1).compute_dtype == "float32"


def test_gpus_compute_in_half_precision_and_are_named(gpus):
    said = devices.report()
    assert said.endswith("on 2 GPUs (Imaginary 1), in bfloat16 with float32 weights.")
    with devices.accelerated():
        inside = keras.layers.Dense(1)
    assert (inside.compute_dtype, inside.variable_dtype) == ("bfloat16", "float32")


def test_what_is_made_elsewhere_keeps_its_precision(gpus):
    with pytest.raises(RuntimeError), devices.accelerated():
        raise RuntimeError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_without_a_gpu_the_largest_array_is_one_that_is_kept():
    assert devices.free_memory() is None
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    assert devices.largest_batch(small) == devices.BATCH
    for kilobytes, batch in ((1024, 32), (1025, 16), (3000, 8), (2**15, 1), (2**17, 1)):
        wide = keras.Sequential([keras.Input((256 * kilobytes,)), keras.layers.ReLU()])
        assert devices.largest_batch(wide) == batch, kilobytes


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_each_backend_is_asked_for_its_free_memory(backend, gpus, monkeypatch):
    """10 GiB, of which this process uses 4; PyTorch has reserved one of its own more."""
    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    if backend == "torch":
        cuda = Made(
            mem_get_info=lambda: (5 * GIB, 10 * GIB),
            memory_reserved=lambda: 5 * GIB,
            memory_allocated=lambda: 4 * GIB,
        )
        monkeypatch.setitem(sys.modules, "torch", Made(cuda=cuda))
    elif backend == "jax":
        stats = {"bytes_limit": 10 * GIB, "bytes_in_use": 4 * GIB}
        device = Made(memory_stats=lambda: stats)
        monkeypatch.setitem(sys.modules, "jax", Made(local_devices=lambda: [device]))
    else:
        tensorflow = pytest.importorskip("tensorflow")
        from tensorflow.python.client import device_lib

        listed = [Made(device_type="CPU", memory_limit=1), Made(device_type="GPU")]
        listed[1].memory_limit = 10 * GIB
        monkeypatch.setattr(device_lib, "list_local_devices", lambda: listed)
        monkeypatch.setattr(
            tensorflow.config.experimental, "get_memory_info", lambda _: {"current": 4 * GIB}
        )
    assert devices.free_memory() == 6 * GIB


def test_a_backend_that_does_not_tell_its_memory_is_no_error(gpus, monkeypatch):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    device = Made(memory_stats=lambda: None)
    monkeypatch.setitem(sys.modules, "jax", Made(local_devices=lambda: [device]))
    assert devices.largest_batch(model) == devices.BATCH


def test_the_batch_follows_the_free_memory(monkeypatch):
    """64 kB is the largest output of a convolution here; the pooled ones count for nothing."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(16, 3, padding="same"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )

    def batch(kilobytes):
        monkeypatch.setattr(devices, "free_memory", lambda: kilobytes * 1024)
        return devices.largest_batch(model)

    each = devices.LIVE * 64 / devices.SHARE
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    assert [batch(int(n * each) + 1) for n in (0, 1, 2, 3, 4, 1000)] == [1, 1, 2, 2, 4, 128]
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")  # keeps every output
    assert batch(int(4 * each) + 1) == 2


def test_half_precision_takes_half_the_memory(monkeypatch):
    monkeypatch.setattr(devices, "free_memory", lambda: GIB // 2)
    whole = backbones.load("efficientnet-lite0", 224, weights="random")
    monkeypatch.setattr(devices, "has_gpu", lambda: True)
    with devices.accelerated():
        half = backbones.load("efficientnet-lite0", 224, weights="random")
    assert devices.largest_batch(half.model) == 2 * devices.largest_batch(whole.model) > 2


@pytest.mark.parametrize("name", list(backbones.ARCHITECTURES))
def test_it_knows_every_layer_of_every_backbone(name, monkeypatch):
    monkeypatch.setattr(devices, "free_memory", lambda: GIB)
    backbone = backbones.load(name, 32, weights="random")
    assert devices.largest_batch(backbone.model) == devices.LARGEST_BATCH
