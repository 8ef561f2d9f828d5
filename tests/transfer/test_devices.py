"""What is said and done about the devices; the GPUs here are made up."""

import keras
import pytest

from course_lib.transfer import devices

pytestmark = pytest.mark.slow


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, as far as this module knows."""
    monkeypatch.setattr(devices, "names", lambda: ["CPU:0", "GPU:0", "GPU:1"])
    monkeypatch.setattr(devices, "_gpu_name", lambda: "Imaginary 1")
    monkeypatch.setattr(devices, "_compute_capability", lambda: 8.0)


def test_a_cpu_computes_in_single_precision():
    assert not devices.has_gpu()
    backend = keras.config.backend()
    assert devices.report() == f"Keras computes with {backend} on one CPU, in float32."
    with devices.accelerated():
        assert keras.layers.Dense(1).compute_dtype == "float32"


def test_gpus_compute_in_half_precision_and_are_named(gpus):
    said = devices.report()
    assert said.endswith("on one of 2 GPUs (Imaginary 1), in bfloat16 with float32 weights.")
    with devices.accelerated():
        inside = keras.layers.Dense(1)
    assert (inside.compute_dtype, inside.variable_dtype) == ("bfloat16", "float32")


@pytest.mark.parametrize("capability", [7.5, 0.0])
def test_a_gpu_without_bfloat16_computes_in_single_precision(gpus, monkeypatch, capability):
    """Such as the T4 that Colab gives, or one of another maker."""
    monkeypatch.setattr(devices, "_compute_capability", lambda: capability)
    assert devices.report().endswith("on one of 2 GPUs (Imaginary 1), in float32.")
    with devices.accelerated():
        assert keras.layers.Dense(1).compute_dtype == "float32"


def test_what_is_made_elsewhere_keeps_its_precision(gpus):
    with pytest.raises(RuntimeError), devices.accelerated():
        raise RuntimeError
    assert keras.layers.Dense(1).compute_dtype == "float32"


@pytest.mark.parametrize(
    ("found", "device"),
    [
        (["CPU:0", "TPU_SYSTEM:0", *(f"TPU:{n}" for n in range(8))], "one of 8 TPUs"),
        (["tpu:0"], "one TPU"),
        (["mps:0"], "one MPS"),
        (["cpu"], "one CPU"),
        (["cpu:0", "cpu:1"], "one CPU"),
    ],
)
def test_what_is_no_gpu_is_named_too(monkeypatch, found, device):
    monkeypatch.setattr(devices, "names", lambda: found)
    assert devices.report().endswith(f" on {device}, in float32.")


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 2 bytes", True),
        ("CUDNN_STATUS_ALLOC_FAILED in external/xla/cuda_dnn.cc", True),
        ("No algorithm worked!  Error messages:", True),
        ("CUDNN_STATUS_NOT_INITIALIZED", False),
    ],
)
def test_lack_of_memory_is_known_by_what_backends_say(said, lacks):
    assert devices.out_of_memory(RuntimeError(said)) is lacks
