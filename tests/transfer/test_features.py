"""Features: computed once, right, and kept whatever happens to the process or the files."""

import os
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.transfer import backbones, features

pytestmark = pytest.mark.slow

SIZE = 32
STAGES = ("stage2", "head")


@pytest.fixture(scope="module")
def backbone():
    return backbones.load("efficientnet-lite0", SIZE, weights="random")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (7, SIZE, SIZE, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(features, "CHUNK", 3)  # several files for few images
    return tmp_path / "cache" / "features"


@pytest.fixture
def computed(monkeypatch):
    """Sizes of the chunks that were computed rather than read."""
    sizes = []
    forward = features._forward

    def watched(*args):
        compute = forward(*args)

        def counting(chunk):
            sizes.append(len(chunk))
            return compute(chunk)

        return counting

    monkeypatch.setattr(features, "_forward", watched)
    return sizes


def test_rows_are_the_pooled_maps_of_the_stages(backbone, images):
    rows = features.pooled(backbone, images, STAGES, ("average", "maximum"), batch_size=4)
    maps = backbone.up_to(*STAGES)(backbone.rgb(images), training=False)
    expected = []
    for stage in map(keras.ops.convert_to_numpy, maps):
        expected += [stage.mean(axis=(1, 2)), stage.max(axis=(1, 2))]
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, np.concatenate(expected, axis=1), rtol=1e-4, atol=1e-5)


def test_the_last_stage_is_the_default(backbone, images):
    rows = features.pooled(backbone, images)
    assert rows.shape == (7, backbone.width)
    np.testing.assert_allclose(rows, backbone(images).mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)


def test_maps_are_not_pooled(backbone, images):
    maps = features.maps(backbone, images, "stage3")
    expected = backbone.up_to("stage3")(backbone.rgb(images), training=False)
    np.testing.assert_allclose(maps, keras.ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-5)


def test_what_is_stored_is_not_computed_again(backbone, images, computed, capsys):
    first = features.pooled(backbone, images, STAGES)
    assert computed == [3, 3, 1]
    assert (features.pooled(backbone, images, STAGES) == first).all()
    assert (features.pooled(backbone, images, ["head"]) == first[:, -backbone.width :]).all()
    features.pooled(backbone, images[:6], STAGES)  # whole chunks serve other sets of images too
    assert computed == [3, 3, 1]
    assert capsys.readouterr() == ("", "")


def test_anything_that_decides_the_values_computes_anew(backbone, images, monkeypatch):
    """(What is computed does not matter here.)"""
    computed = []

    def forward(network, outputs, *rest):
        shapes = [network.up_to(o.stage).output_shape for o in outputs]

        def compute(chunk):
            computed.append(len(chunk))
            return [
                np.zeros((len(chunk), *(shape[-1:] if o.pooling else shape[1:])))
                for o, shape in zip(outputs, shapes, strict=True)
            ]

        return compute

    monkeypatch.setattr(features, "_forward", forward)
    features.pooled(backbone, images)
    other_pixel = images.copy()
    other_pixel[0, 0, 0] += 1
    other_weights = backbones.load("efficientnet-lite0", SIZE, weights="random", seed=1)
    for call in (
        lambda: features.pooled(backbone, other_pixel),
        lambda: features.pooled(other_weights, images),
        lambda: features.pooled(backbone, images, pooling=["maximum"]),
        lambda: features.pooled(backbone, images, ["stage7"]),
        lambda: features.pooled(backbone, images, preprocess=lambda rgb: rgb / 255),
        lambda: features.pooled(backbone, images, preprocess=lambda rgb: rgb / 254),
        lambda: features.pooled(replace(backbone, name="another"), images),
        lambda: features.maps(backbone, images),
    ):
        computed.clear()
        call()
        assert computed


def test_a_trained_network_neither_reads_nor_writes_the_features_of_the_pretrained_one(images):
    """Also across processes: the key is made of the weights themselves, stage by stage."""
    network = backbones.load("efficientnet-lite0", SIZE, weights="random")
    pretrained, early = features.pooled(network, images), features.maps(network, images, "stage2")
    kernel = network.model.get_layer("head_convolution").kernel
    weights = network.model.get_weights()
    kernel.assign(2 * kernel)
    tuned = features.pooled(network, images)
    np.testing.assert_allclose(tuned, network(images).mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)
    assert np.abs(tuned - pretrained).max() > 0.01
    np.testing.assert_array_equal(features.maps(network, images, "stage2"), early)
    network.model.set_weights(weights)
    np.testing.assert_array_equal(features.pooled(network, images), pretrained)


def test_preprocessing_is_known_by_these_images_and_not_by_a_sample(backbone, images):
    """On an image of mean 127.5 these two do the same, on ours they do not."""
    fixed, own = (
        features.pooled(backbone, images, preprocess=prepare)
        for prepare in (lambda rgb: rgb - 127.5, lambda rgb: rgb - rgb.mean((1, 2, 3))[0])
    )
    assert np.abs(fixed - own).max() > 0


def test_one_name_needs_no_list(backbone, images):
    np.testing.assert_array_equal(
        features.pooled(backbone, images, "stage2", "maximum"),
        features.pooled(backbone, images, ["stage2"], ["maximum"]),
    )


def test_maps_are_never_in_memory_twice(backbone, monkeypatch):
    """Those of ResNet50 at 224 pixels would fill a small machine."""
    monkeypatch.setattr(features, "CHUNK", 30)
    many = np.random.default_rng(0).integers(0, 256, (300, SIZE, SIZE, 1), dtype=np.uint8)
    first = features.maps(backbone, many, "stage1")
    tracemalloc.start()
    again = features.maps(backbone, many, "stage1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(again, first)
    assert peak < 1.5 * first.nbytes


def test_numpy_reads_what_is_kept(backbone, images, cache):
    rows = features.pooled(backbone, images)
    kept = [np.load(path)["features"] for path in cache.glob("*.npz")]
    assert sorted(map(len, kept)) == [1, 3, 3]
    assert {row.tobytes() for part in kept for row in part} == {row.tobytes() for row in rows}


def test_another_preprocessing_reaches_the_network_itself(backbone, images):
    own = features.pooled(backbone, images)
    same = features.pooled(backbone, images, preprocess=lambda rgb: rgb / 128 - 127 / 128)
    np.testing.assert_allclose(own, same, rtol=1e-3, atol=1e-4)
    wrong = features.pooled(backbone, images, preprocess=lambda rgb: rgb / 255)
    assert np.abs(own - wrong).max() > 0.01


def test_an_interrupted_run_goes_on_where_it_stopped(
    backbone, images, computed, monkeypatch, capsys
):
    def interrupted(items, *words):
        yield from items[:2]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(features, "track", interrupted)
        with pytest.raises(KeyboardInterrupt):
            features.pooled(backbone, images)
    assert computed == [3, 3]
    assert capsys.readouterr().out == (
        "Interrupted: 2 of 3 parts are kept; run it again to go on.\n"
    )
    features.pooled(backbone, images)
    assert computed == [3, 3, 1]


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


@pytest.fixture
def memory(monkeypatch):
    """Lets the device take so many images at once; gives the sizes of the batches it took."""
    predict, sizes = keras.Model.predict_on_batch, []

    def limit(images):
        def predict_on_batch(self, batch):
            if len(batch) > images:
                raise ResourceExhaustedError("OOM")
            sizes.append(len(batch))
            return predict(self, batch)

        monkeypatch.setattr(keras.Model, "predict_on_batch", predict_on_batch)
        return sizes

    return limit


def test_batches_are_halved_until_they_fit(backbone, images, memory, monkeypatch, capsys):
    monkeypatch.setattr(features, "CHUNK", 6)
    monkeypatch.setattr(features, "cache_folder", lambda: features.Path(os.devnull))  # none is kept
    whole = features.pooled(backbone, images, STAGES)
    capsys.readouterr()
    sizes = memory(2)
    np.testing.assert_allclose(features.pooled(backbone, images, STAGES), whole, 1e-4, 1e-5)
    assert max(sizes) == 2
    assert capsys.readouterr().out.splitlines()[:2] == [
        "The device has no memory for 6 images at once: 3 from now on.",
        "The device has no memory for 3 images at once: 2 from now on.",
    ]


def test_too_little_memory_for_one_image_is_one_sentence(backbone, images, memory):
    memory(0)
    with pytest.raises(CourseError, match=r"no memory left for one image of 32 by 32 pixels: take"):
        features.pooled(backbone, images)


def test_other_errors_of_the_device_are_not_taken_for_lack_of_memory(backbone, images, monkeypatch):
    def broken(self, batch):
        raise RuntimeError("something else")

    monkeypatch.setattr(keras.Model, "predict_on_batch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        features.pooled(backbone, images)


def test_bytes_reach_the_device_as_bytes(backbone, images, monkeypatch):
    types, predict = [], keras.Model.predict_on_batch

    def predicting(self, batch):
        types.append(batch.dtype)
        return predict(self, batch)

    monkeypatch.setattr(keras.Model, "predict_on_batch", predicting)
    rows = features.pooled(backbone, images)
    np.testing.assert_allclose(features.pooled(backbone, images.astype(float)), rows, 1e-4, 1e-5)
    assert set(types[:3]) == {np.dtype(np.uint8)}


def with_one_byte_changed(content: bytes) -> bytes:
    middle = len(content) // 3
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [b"", b"x", with_one_byte_changed])
def test_damaged_files_are_computed_again_and_said(
    damage, backbone, images, computed, cache, capsys
):
    first = features.pooled(backbone, images)
    path = sorted(cache.glob("*.npz"))[0]
    path.write_bytes(damage if isinstance(damage, bytes) else damage(path.read_bytes()))
    assert (features.pooled(backbone, images) == first).all()
    assert len(computed) == 4
    assert capsys.readouterr().out == (
        f"Stored features were damaged and are computed again: {path}\n"
    )
    features.pooled(backbone, images)
    assert len(computed) == 4


def test_without_a_place_to_keep_them_they_are_computed_all_the_same(
    backbone, images, monkeypatch, tmp_path, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    assert features.pooled(backbone, images).shape == (7, backbone.width)
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"Features cannot be kept for the next time (Not a directory): {tmp_path}/file/features"
    ]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"stages": ["conv9"]}, "conv9"),
        ({"pooling": ["median"]}, "median"),
        ({"pooling": []}, "no pooling"),
        ({"images": np.zeros((0, SIZE, SIZE, 3), np.uint8)}, "no images"),
        ({"images": np.zeros((1, 64, 64, 3), np.uint8)}, "64"),
        ({"images": np.full((1, SIZE, SIZE, 3), 0.5)}, "0..255"),
        ({"stages": "conv9"}, "no stage conv9"),
        ({"pooling": "mean"}, "no pooling mean"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 2.5}, r"batch_size is 2\.5"),
        ({"preprocess": lambda rgb: rgb[..., :1]}, "preprocess makes"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_a_sentence(
    arguments, named, backbone, images, cache
):
    with pytest.raises(UsageError, match=named):
        features.pooled(backbone, **{"images": images, **arguments})
    assert not cache.exists()


def test_maps_are_of_one_stage(backbone, images):
    with pytest.raises(UsageError, match="Maps are of one stage"):
        features.maps(backbone, images, ["stage2"])


def test_the_folder_is_the_platforms_unless_it_is_chosen(monkeypatch, tmp_path):
    assert features.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("COURSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert features.cache_folder().name == "transfer-learning-course" or os.name == "nt"
    assert not list(tmp_path.iterdir())


PROCESS = """
import os, signal, sys
import numpy as np
from course_lib.transfer import backbones, features

features.CHUNK = 3
size, death = int(sys.argv[1]), int(sys.argv[2])
count = 7 if death > 9 else 14  # the one that dies has work left when the other has done all
images = np.random.default_rng(0).integers(0, 256, (14, size, size, 1), dtype=np.uint8)[:count]

def dying(items, *words):
    for number, item in enumerate(items):
        if number == death:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item

features.track = dying
features.pooled(backbones.load("efficientnet-lite0", size, weights="random"), images)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_two_processes_and_one_of_them_killed(backbone, images, computed, cache, capsys):
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(SIZE), str(death)],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for death in (2, 99)
    ]
    assert [process.wait(timeout=120) for process in running] == [-signal.SIGKILL, 0]
    features.pooled(backbone, images)
    assert computed == []
    np.testing.assert_allclose(
        features.pooled(backbone, images), backbone(images).mean(axis=(1, 2)), rtol=1e-4, atol=1e-5
    )
    assert capsys.readouterr().out == ""
