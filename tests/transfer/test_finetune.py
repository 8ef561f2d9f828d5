"""Fine-tuning: what moves and what does not, how fast, and that it can be saved."""

import functools
import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from course_lib.errors import UsageError
from course_lib.foundations.fine_tuning import layerwise_learning_rates
from course_lib.transfer import backbones, features, finetune, layerwise
from course_lib.transfer.training import Batches

pytestmark = pytest.mark.slow

SIZE = 32
STAGES = ("stage6", "stage7")
BOTH = ("average", "maximum")
LABELS = np.arange(12) % 2


@functools.cache
def backbone():
    return backbones.load("efficientnet-lite0", SIZE, weights="random")


@pytest.fixture(autouse=True)
def pretrained():
    """Training changes the backbone; each test begins with its first weights."""
    yield
    if backbone.cache_info().currsize:
        backbones.draw_weights(backbone().model, 0, 2.0)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def images():
    """Bright ones are of class 1."""
    images = np.random.default_rng(0).integers(0, 150, (12, SIZE, SIZE, 3), dtype=np.uint8)
    return images + 100 * LABELS[:, None, None, None].astype(np.uint8)


def with_head(images, start="", stages=STAGES):
    rows = features.pooled(backbone(), images, stages, BOTH)
    return finetune.assemble(
        backbone(), finetune.head(rows, 2, dropout=0.3), stages, BOTH, start=start
    )


def small():
    """A head with a hidden layer below it, on its own."""
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(6, "tanh", name="hidden")(inputs)
    return keras.Model(inputs, finetune.head(np.ones((2, 6)), 2)(hidden))


def train(model, inputs, labels=LABELS[:8], epochs=3, learning_rate=0.01):
    """As lesson 06 does, with the first examples."""
    optimizer = layerwise.LayerwiseAdamW.by_group(learning_rate, model, [], 0.5, 0.01)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = Batches([inputs[: len(labels)]], labels, batch_size=4)
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0)


def snapshot(model):
    """Copies of all weights by path."""
    return {w.path: np.array(keras.ops.convert_to_numpy(w)) for w in model.weights}


def moved(before, model):
    after = snapshot(model)
    return {path for path, array in before.items() if not np.array_equal(array, after[path])}


# --- what may move -----------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["stage7_block1_expand_convolution", "logits"])
def test_only_what_is_unfrozen_moves_and_batch_statistics_stay(images, first):
    model = with_head(images, start="stage5")
    numbers = finetune.unfreeze(model, first)
    maps = features.maps(backbone(), images, "stage5")
    trainable = {w.path for w in model.trainable_weights}
    assert numbers == sum(math.prod(w.shape) for w in model.trainable_weights)
    assert not [path for path in trainable if "_bn/" in path]
    before = snapshot(model)
    train(model, maps)
    assert moved(before, model) == trainable
    assert bool([path for path in trainable if "stage7" in path]) == (first != "logits")
    assert not [path for path in trainable if "stage6" in path]


def test_resnet50_takes_a_step_of_fine_tuning():
    resnet = backbones.load("resnet50", SIZE, weights="random")
    pictures = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    maps = features.maps(resnet, pictures, "conv4")
    rows = features.pooled(resnet, pictures)
    model = finetune.assemble(resnet, finetune.head(rows, 2), ["conv5"], start="conv4")
    finetune.unfreeze(model, finetune.stage_start(resnet, "conv5"))
    trainable, before = {w.path for w in model.trainable_weights}, snapshot(model)
    train(model, maps, LABELS[:4], epochs=2)  # in the first step, a head of 0 sends no gradient
    assert moved(before, model) == trainable
    assert len(trainable) == 2 * 10 + 2  # kernels and biases of conv5, and the head


def test_stage_starts_behind_the_stage_before_it():
    network = backbone()
    assert finetune.stage_start(network, "stem") == "stem_convolution"
    assert finetune.stage_start(network, "stage6") == "stage6_block1_expand_convolution"
    with pytest.raises(UsageError, match="no stage stage9"):
        finetune.stage_start(network, "stage9")


@pytest.mark.parametrize("stage", ["stem", "stage6", "stage7"])
def test_a_stage_is_unfrozen_from_its_first_layer_on(images, stage):
    model, trains = with_head(images), []
    for first in (stage, finetune.stage_start(backbone(), stage)):
        finetune.unfreeze(model, first)
        trains.append([w.path for w in model.trainable_weights])
    assert trains[0] == trains[1]


def test_unfreezing_an_unknown_layer_is_one_sentence():
    with pytest.raises(
        UsageError, match="no layer and no stage 'conv9'; its last layer is 'logits"
    ):
        finetune.unfreeze(small(), "conv9")


def test_an_assembled_model_trains_its_head_alone_until_it_is_told(images):
    model = with_head(images)
    assert {w.path for w in model.trainable_weights} == {"logits/kernel", "logits/bias"}


def test_a_frozen_model_is_not_trained():
    model = small()
    model.trainable = False
    with pytest.raises(UsageError, match="Every layer of this model is frozen"):
        layerwise.LayerwiseAdamW.by_group(0.1, model, [], 0.5)


# --- a frozen prefix, computed once ------------------------------------------------------------


def test_prefix_and_top_are_the_whole_model(images):
    rows = features.pooled(backbone(), images, STAGES, BOTH)
    head = finetune.head(rows, 2)
    head.get_layer("logits").set_weights(
        [np.random.default_rng(3).normal(0, 0.05, (rows.shape[1], 2)), np.zeros(2)]
    )
    whole = finetune.assemble(backbone(), head, STAGES, BOTH)
    top = finetune.assemble(backbone(), head, STAGES, BOTH, start="stage5")
    by_whole = whole.predict(backbone().rgb(images), verbose=0)
    by_parts = top.predict(features.maps(backbone(), images, "stage5"), verbose=0)
    assert by_whole.std() > 0.1
    np.testing.assert_allclose(by_parts, by_whole, rtol=1e-5, atol=1e-5)


def test_training_from_maps_is_training_from_images(images):
    results = []
    for start in ("", "stage5"):
        weights = backbone().model.get_weights()
        model = with_head(images, start)
        finetune.unfreeze(model, "stage7_block1_expand_convolution")
        inputs = features.maps(backbone(), images, start) if start else backbone().rgb(images)
        train(model, inputs, epochs=1, learning_rate=1e-4)
        results.append([keras.ops.convert_to_numpy(w) for w in model.trainable_weights])
        backbone().model.set_weights(weights)
    for whole, part in zip(*results, strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-5)


def test_the_head_standardizes_as_its_features():
    rows = np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)
    constant = np.hstack([rows, np.full((12, 1), 7.0)])
    inner = keras.Model(
        (head := finetune.head(constant, 3)).input, head.get_layer("standardized").output
    )
    standardized = inner.predict(constant, verbose=0)
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(standardized.std(axis=0), [1, 1, 1, 1, 1, 0], atol=1e-6)
    np.testing.assert_array_equal(head.predict(constant, verbose=0), 0)


@pytest.mark.parametrize(
    "features",
    [np.ones(4), np.ones((2, 1, 1, 4)), np.ones((0, 4)), np.full((2, 4), np.nan), "rows"],
)
def test_a_head_learns_from_a_table_of_numbers(features):
    with pytest.raises(UsageError, match="A head learns from rows of finite numbers"):
        finetune.head(features, 2)


def test_a_head_has_two_classes():
    with pytest.raises(UsageError, match="num_classes is 2 or more"):
        finetune.head(np.ones((2, 4)), 1)


def test_one_name_needs_no_list(images):
    head = finetune.head(features.pooled(backbone(), images, "stage6", "maximum"), 2)
    alone = finetune.assemble(backbone(), head, "stage6", "maximum")
    listed = finetune.assemble(backbone(), head, ["stage6"], ["maximum"])
    assert [layer.name for layer in alone.layers[:-2]] == [
        layer.name for layer in listed.layers[:-2]
    ]
    assert finetune.tail(backbone(), "stage5", "stage6").output_shape == (None, 192)


def test_a_head_for_other_features_is_refused(images):
    head = finetune.head(features.pooled(backbone(), images, "stage6"), 2)
    with pytest.raises(UsageError, match=r"not take the 384 numbers that stage6 with average and"):
        finetune.assemble(backbone(), head, "stage6", BOTH)
    with pytest.raises(UsageError, match="no pooling avg"):
        finetune.assemble(backbone(), head, "stage6", "avg")


def test_the_tail_goes_from_maps_to_what_the_head_sees(images):
    maps = features.maps(backbone(), images, "stage5")
    rows = finetune.tail(backbone(), "stage5", STAGES, BOTH).predict(maps, verbose=0)
    pooled = features.pooled(backbone(), images, STAGES, BOTH)
    np.testing.assert_allclose(rows, pooled, rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="starts behind stage7 cannot see stage6"):
        finetune.tail(backbone(), "stage7", STAGES)


def test_a_start_behind_what_the_head_sees_is_refused(images):
    with pytest.raises(UsageError, match="starts behind stage7 cannot see stage6"):
        with_head(images, start="stage7")


@pytest.mark.parametrize("name", finetune.FLIPS)
def test_flips_are_of_the_image(name):
    corner = np.zeros((1, 2, 2, 1))
    corner[0, 0, 0] = 1
    flipped = np.flip(corner, finetune.FLIPS[name])[0, ..., 0]
    assert (
        tuple(np.argwhere(flipped)[0])
        == {
            "as it is": (0, 0),
            "mirrored": (0, 1),
            "upside down": (1, 0),
            "turned by 180°": (1, 1),
        }[name]
    )


# --- how fast ----------------------------------------------------------------------------------


def test_groups_are_stages_and_each_has_its_rate(images):
    model = with_head(images, start="stage5")
    finetune.unfreeze(model, finetune.stage_start(backbone(), "stage6"))
    ends = list(backbone().stages.values())
    found = layerwise.groups(model, ends)
    assert [group[0].name for group in found] == [
        "stage6_block1_expand_convolution",
        "stage7_block1_expand_convolution",
        "logits",
    ]
    optimizer = layerwise.LayerwiseAdamW.by_group(0.5, model, ends, 0.25)
    expected = layerwise_learning_rates(3, 0.5, 0.25)
    np.testing.assert_allclose(0.5 * np.unique(list(optimizer.factors.values())), expected)


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_layerwise_adamw_is_adamw_with_a_rate_for_each_variable(weight_decay):
    """Against Keras' own AdamW, one optimizer for each variable, over several steps."""
    random = np.random.default_rng(0)
    starts = [random.normal(size=(3, 2)), random.normal(size=2)]
    factors = [0.25, 1.0]
    ours = [keras.Variable(start, name=f"v{n}") for n, start in enumerate(starts)]
    paths = {variable.path: factor for variable, factor in zip(ours, factors, strict=True)}
    optimizer = layerwise.LayerwiseAdamW(0.125, paths, weight_decay)
    theirs = [keras.Variable(start) for start in starts]
    alone = [
        keras.optimizers.AdamW(0.125 * factors[0], weight_decay=weight_decay),
        keras.optimizers.AdamW(0.125 * factors[1], weight_decay=0.0),  # a bias does not decay
    ]
    for _ in range(5):
        gradients = [
            keras.ops.convert_to_tensor(random.normal(size=start.shape), "float32")
            for start in starts
        ]
        optimizer.apply(gradients, ours)
        for single, gradient, variable in zip(alone, gradients, theirs, strict=True):
            single.apply([gradient], [variable])
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b), atol=1e-6
        )


def test_layerwise_adamw_can_be_made_anew_from_its_settings():
    optimizer = layerwise.LayerwiseAdamW(0.125, {"a/kernel": 0.5}, 0.25)
    again = layerwise.LayerwiseAdamW.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


def test_what_is_unfrozen_after_its_rates_were_given_is_refused():
    model = small()
    first = next(layer for layer in model.layers if layer.trainable_weights)
    first.trainable = False
    optimizer = layerwise.LayerwiseAdamW.by_group(0.1, model, [], 0.5)
    first.trainable = True
    with pytest.raises(ValueError, match="originally built with"):
        optimizer.apply([0 * w for w in model.trainable_variables], model.trainable_variables)


def test_ends_that_are_no_layers_are_refused(images):
    model = with_head(images)
    with pytest.raises(UsageError, match="No layer of this model is called stage6 or stage7"):
        layerwise.LayerwiseAdamW.by_group(0.1, model, ["stage6", "stage7"], 0.5)
    end = backbone().stages["stage7"]
    assert layerwise.groups(model, end) == layerwise.groups(model, [end])


@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_factor_outside_its_range_is_refused(decay):
    with pytest.raises(UsageError, match=r"take one in 0\.\.1"):
        layerwise.LayerwiseAdamW.by_group(0.1, small(), [], decay)


# --- saved and used ----------------------------------------------------------------------------

FRESH = """
import sys
import keras, numpy as np
from course_lib.transfer import layerwise

for folder in sys.argv[1:]:
    model = keras.saving.load_model(f"{folder}/it.keras")
    assert type(model.optimizer) is layerwise.LayerwiseAdamW and len(model.optimizer.factors) > 2
    np.save(f"{folder}/said.npy", model.predict(np.load(f"{folder}/given.npy"), verbose=0))
"""


def test_saved_models_say_the_same_in_a_fresh_process(images, tmp_path):
    said = {}
    for start in ("", "stage5"):
        model = with_head(images, start)
        finetune.unfreeze(model, "stage7_block1_expand_convolution")
        inputs = features.maps(backbone(), images, start) if start else backbone().rgb(images)
        train(model, inputs)
        folder = tmp_path / f"from {start}"
        folder.mkdir()
        model.save(folder / "it.keras")
        np.save(folder / "given.npy", inputs)
        said[folder] = model.predict(inputs, verbose=0)
    subprocess.run([sys.executable, "-c", FRESH, *map(str, said)], check=True)
    for folder, here in said.items():
        np.testing.assert_allclose(np.load(folder / "said.npy"), here, atol=1e-5)
