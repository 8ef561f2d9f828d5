"""ResNet50 as the lessons tell of it, at random weights, and how its file gets into its layers."""

import functools
import hashlib
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlretrieve

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from course_lib.errors import CourseError
from course_lib.foundations import feature_extraction, fine_tuning
from course_lib.transfer import backbones, features
from course_lib.transfer.weights import WeightsFile

pytestmark = pytest.mark.slow

SIZE = 32
STAGES = {"conv1": (2, 64), "conv2": (4, 256), "conv3": (8, 512), "conv4": (16, 1024)}
STAGES |= {"conv5": (32, 2048)}
"""By how much each stage shrinks the image, and its channels (He et al. 2016, table 1)."""


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)


@functools.cache
def network(size):
    return backbones.load("resnet50", size, weights="random")


@pytest.fixture
def backbone():
    """One for all tests, which is as it was before each of them."""
    shared = network(SIZE)
    before = shared.model.get_weights()
    yield shared
    shared.model.trainable = False  # without this the next line may reach no layer, see below
    shared.model.trainable = True
    shared.model.set_weights(before)


def norms(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def numbers(weights):
    return fine_tuning.trainable_parameters(
        [tuple(w.shape) for w in weights], [True] * len(weights)
    )


def array(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


def arrays(model):
    return {weight.path: array(weight) for weight in model.weights}


def moved(before, model):
    """Paths of the weights that are not what they were."""
    after = arrays(model)
    return {path for path, old in before.items() if not np.array_equal(old, after[path])}


def statistics(model):
    """Paths of what batch normalization stores."""
    return {w.path for layer in norms(model) for w in (layer.moving_mean, layer.moving_variance)}


def classifier(base, **options):
    """The network, called as guides call it, with global average pooling and two classes."""
    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base(inputs, **options))
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(pooled))


def train_one_step(model, images):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss, run_eagerly=True)  # spares half a minute
    model.fit(images.astype(np.float32), np.array([0, 1, 0, 1]), batch_size=4, verbose=0)


# --- its parts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SIZE, 64])
def test_stages_have_the_shapes_of_the_paper(size):
    assert list(network(size).stages) == list(STAGES)
    for stage, (shrinks, channels) in STAGES.items():
        shape = network(size).model.get_layer(network(size).stages[stage]).output.shape
        assert tuple(shape[1:]) == (size // shrinks, size // shrinks, channels)


def test_it_has_53_convolutions_each_with_its_batch_normalization(backbone):
    kinds = [type(layer).__name__ for layer in backbone.model.layers]
    assert kinds.count("Conv2D") == kinds.count("BatchNormalization") == 53
    for layer in norms(backbone.model):
        assert layer.momentum == 0.99
        assert layer.epsilon == pytest.approx(1.001e-5)  # not Keras' default


def test_what_is_frozen_is_not_counted(backbone):
    model = backbone.model
    stored = sum(2 * layer.gamma.shape[0] for layer in norms(model))
    assert numbers(model.weights) == model.count_params() == 23_587_712
    assert numbers(model.trainable_weights) == model.count_params() - stored
    for layer in norms(model):
        layer.trainable = False
    assert numbers(model.trainable_weights) == model.count_params() - 2 * stored
    model.trainable = False
    assert model.trainable_weights == []


def test_unfreezing_conv5_trains_most_of_the_numbers(backbone):
    layers = backbone.model.layers
    normalizes = [isinstance(layer, keras.layers.BatchNormalization) for layer in layers]
    mask = fine_tuning.trainable_mask([e.name for e in layers], "conv5_block1_1_conv", normalizes)
    weights = [
        (weight, trains) for e, trains in zip(layers, mask, strict=True) for weight in e.weights
    ]
    shapes, trains = [tuple(w.shape) for w, _ in weights], [bool(t) for _, t in weights]
    assert fine_tuning.trainable_parameters(shapes, trains) > backbone.model.count_params() / 2
    assert sum(trains) == 2 * 10  # kernels and biases


@pytest.mark.parametrize("size", [SIZE, 64])
def test_its_features_are_2048_whatever_the_size(size):
    pictures = np.zeros((2, size, size, 3))
    assert feature_extraction.global_average_pool(network(size)(pictures)).shape == (2, 2048)
    assert network(size).width == 2048


def test_its_features_are_the_means_of_its_last_maps(backbone, images, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    rows = features.pooled(backbone, images)
    by_hand = feature_extraction.global_average_pool(backbone(images))
    np.testing.assert_allclose(rows, by_hand, rtol=1e-3, atol=1e-4 * by_hand.max())


def test_its_preprocessing_and_first_normalization_are_those_of_the_lessons(backbone, images):
    prepared = array(backbone.prepare()(backbone.rgb(images)))
    np.testing.assert_allclose(
        prepared, feature_extraction.resnet50_preprocess(images), rtol=1e-5, atol=1e-4
    )
    layer, rng = backbone.model.get_layer("conv1_bn"), np.random.default_rng(1)
    stored = [*rng.normal(size=(3, 64)), rng.uniform(0.5, 2.0, 64)]
    layer.set_weights(stored)
    maps = rng.normal(size=(2, 3, 3, 64)).astype(np.float32)
    ours = fine_tuning.batchnorm_inference(maps.reshape(-1, 64), *stored, layer.epsilon)
    np.testing.assert_allclose(array(layer(maps)).reshape(-1, 64), ours, rtol=1e-4, atol=1e-5)


# --- what moves, and what training=False does not keep ------------------------------------------


def test_a_frozen_network_stays_and_its_head_moves(backbone, images):
    backbone.model.trainable = False
    model = classifier(backbone.model)
    before = arrays(model)
    train_one_step(model, images)
    assert moved(before, model) == {weight.path for weight in model.get_layer("logits").weights}


def test_an_unfrozen_network_moves_its_stored_statistics_in_spite_of_training_false(
    backbone, images
):
    model = classifier(backbone.model, training=False)
    before = arrays(model)
    train_one_step(model, images)
    found = moved(before, model)
    assert statistics(backbone.model) <= found
    assert {weight.path for weight in norms(backbone.model)[0].trainable_weights} <= found


def test_with_frozen_normalization_only_kernels_and_biases_move(backbone, images):
    for layer in norms(backbone.model):
        layer.trainable = False
    model = classifier(backbone.model)
    before = arrays(model)
    train_one_step(model, images)
    assert moved(before, model) <= {weight.path for weight in model.trainable_weights}
    assert not any("_bn" in path for path in moved(before, model))
    assert {path for path in moved(before, model) if path.endswith("kernel")} == {
        path for path in before if path.endswith("kernel")
    }


def test_stages_behind_a_frozen_one_move_alone(backbone, images):
    layers = backbone.model.layers
    normalizes = [isinstance(layer, keras.layers.BatchNormalization) for layer in layers]
    mask = fine_tuning.trainable_mask([e.name for e in layers], "conv5_block1_1_conv", normalizes)
    for layer, trains in zip(layers, mask, strict=True):
        layer.trainable = bool(trains)
    model = classifier(backbone.model)
    before = arrays(model)
    train_one_step(model, images)
    found = moved(before, model)
    assert all(path.startswith(("conv5_", "logits")) for path in found)
    assert len([path for path in found if path.endswith("kernel")]) == 10 + 1


class Inference(keras.layers.Layer):
    """A layer of one's own, which does pass training=False on."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def call(self, inputs):
        return self.base(inputs, training=False)


@pytest.mark.parametrize(
    "way", ["called so", "network frozen", "each frozen", "layer of one's own"]
)
def test_which_ways_keep_the_stored_statistics(backbone, images, way):
    base = backbone.model
    if way == "network frozen":
        base.trainable = False
    if way == "each frozen":
        for layer in norms(base):
            layer.trainable = False
    wrapped = way == "layer of one's own"
    model = classifier(Inference(base)) if wrapped else classifier(base, training=False)
    before = arrays(base)
    model(images.astype(np.float32), training=True)  # as `fit` calls it
    assert moved(before, base) == (statistics(base) if way == "called so" else set())


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="only TensorFlow does so")
def test_setting_trainable_to_what_it_is_already_reaches_no_layer(backbone):
    first, *others = norms(backbone.model)
    first.trainable = False
    backbone.model.trainable = True
    assert not first.trainable  # TensorFlow skips an assignment that changes nothing
    backbone.model.trainable = False
    backbone.model.trainable = True
    assert first.trainable
    assert all(layer.trainable for layer in others)


def test_an_image_does_not_see_its_neighbors_at_inference(backbone, images):
    together, alone = backbone(images), backbone(images[:1])
    np.testing.assert_allclose(together[:1], alone, rtol=1e-3, atol=1e-4 * np.abs(alone).max())
    pictures = backbone.rgb(images)
    training = [array(backbone.model(batch, training=True)) for batch in (pictures, pictures[:1])]
    assert np.abs(training[0][:1] - training[1]).max() > 0.1 * np.abs(training[1]).max()


# --- the file of weights, from the server into every layer ----------------------------------------


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """Weights unlike each other everywhere, in Keras' format, and the server that hands them out.

    Every array differs, so that one in the wrong place would be seen.
    """
    folder = tmp_path_factory.mktemp("server")
    model = keras.applications.ResNet50(include_top=False, weights=None)
    backbones.draw_weights(model, seed=1, gain=1.0)
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape[0]
            means = rng.normal(0.0, 0.2, (2, size))
            layer.set_weights([rng.uniform(0.5, 1.0, size), *means, rng.uniform(0.5, 2.0, size)])
        elif layer.weights:
            layer.bias.assign(rng.normal(0.0, 0.2, layer.bias.shape))
    path = folder / "resnet50_random_notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    url = f"http://127.0.0.1:{server.server_port}/{path.name}"
    yield WeightsFile(url, md5), {weight.path: array(weight) for weight in model.weights}
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def publish(monkeypatch, file):
    """Make this the file that Keras publishes for ResNet50."""
    resnet50 = replace(backbones.ARCHITECTURES["resnet50"], published=file)
    table = dict(backbones.ARCHITECTURES) | {"resnet50": resnet50}
    monkeypatch.setattr(backbones, "ARCHITECTURES", table)


def put(file, path):
    """What a person does without a network here: bring the file from elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    urlretrieve(file.url, path)


def test_the_published_file_reaches_every_layer(stand_in, keras_home, monkeypatch, images):
    file, expected = stand_in
    publish(monkeypatch, file)
    loaded = backbones.load("resnet50", SIZE)
    assert file.path == keras_home / "models" / "resnet50_random_notop.h5"
    found = arrays(loaded.model)
    assert found.keys() == expected.keys()
    for path, values in expected.items():
        np.testing.assert_array_equal(found[path], values, err_msg=path)

    # The same file, read and fed as Keras itself does it.
    theirs = keras.applications.ResNet50(
        include_top=False, weights=str(file.path), input_shape=(SIZE, SIZE, 3)
    )
    prepared = keras.applications.resnet50.preprocess_input(images.astype(np.float32))
    maps = array(theirs(prepared, training=False))
    assert maps.std() > 1e-3
    np.testing.assert_allclose(loaded(images), maps, rtol=1e-3, atol=1e-4 * maps.max())


def test_a_file_put_there_by_hand_serves_without_a_network(stand_in, keras_home, monkeypatch):
    file, expected = stand_in
    unreachable = WeightsFile(f"http://127.0.0.1:1/{file.name}", file.digest)
    publish(monkeypatch, unreachable)
    with pytest.raises(CourseError, match=f"put the file at {unreachable.path} by hand"):
        backbones.load("resnet50", SIZE)
    put(file, unreachable.path)
    found = arrays(backbones.load("resnet50", SIZE).model)
    kernel = "conv5_block3_3_conv/kernel"
    np.testing.assert_array_equal(found[kernel], expected[kernel])


@pytest.mark.parametrize("placed", [False, True], ids=["served", "in place"])
def test_another_file_than_the_published_one_is_refused(stand_in, keras_home, monkeypatch, placed):
    file, _ = stand_in
    expected = WeightsFile(file.url, "0" * 32)
    publish(monkeypatch, expected)
    if placed:
        put(file, expected.path)
    said = "is not the published file" if placed else "its hash is another"
    with pytest.raises(CourseError, match=said):
        backbones.load("resnet50", SIZE)
    assert expected.path.exists() == placed  # never deleted, never kept


def test_weights_of_another_network_are_refused(stand_in, keras_home):
    file, _ = stand_in
    path = keras_home / file.name
    put(file, path)
    with pytest.raises(CourseError, match="does not hold weights of vgg16"):
        backbones.load("vgg16", SIZE, weights=path)
