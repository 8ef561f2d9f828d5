"""Fine-tuning: what moves and what does not, how fast, and what survives an interruption."""

import functools
import math
import os
import subprocess
import sys
from contextlib import contextmanager
from importlib import util
from pathlib import Path

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.foundations.fine_tuning import class_weights, layerwise_learning_rates
from course_lib.foundations.sgd import cosine_with_warmup
from course_lib.transfer import backbones, features, finetune, layerwise
from course_lib.transfer.finetune import Plan

pytestmark = pytest.mark.slow

SIZE = 32
STAGES = ("stage6", "stage7")
BOTH = ("average", "maximum")
PLAN = Plan(epochs=3, batch_size=4, learning_rate=0.01)
TRAIN, VALIDATION = np.arange(8), np.arange(8, 12)
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


@pytest.fixture(scope="module")
def rows():
    """Features that a small model learns from: the first tells the class, the rest nothing."""
    rows = np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)
    rows[:, 0] += 4 * LABELS
    return rows


def with_head(images, start="", stages=STAGES):
    rows = features.pooled(backbone(), images, stages, BOTH)
    return finetune.assemble(
        backbone(), finetune.head(rows, 2, dropout=0.3), stages, BOTH, start=start
    )


def small(rows, dropout=0.5):
    """A head with a hidden layer below it, on its own."""
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(6, "tanh", name="hidden", kernel_initializer=_fixed)(inputs)
    normalised = keras.layers.BatchNormalization(name="bn")(hidden)
    head = finetune.head(np.ones((2, 6)), 2, dropout=dropout)
    return keras.Model(inputs, head(normalised))


def _fixed(shape, dtype=None):
    return keras.ops.convert_to_tensor(np.random.default_rng(2).normal(size=shape), dtype)


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
    finetune.fine_tune(model, [maps], LABELS, PLAN, train=TRAIN)
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
    plan = Plan(
        epochs=2, batch_size=2, learning_rate=1e-3
    )  # a step at rate 0, one with a head of 0
    finetune.fine_tune(model, [maps], np.array([0, 1, 0, 1]), plan, train=np.arange(4))
    assert moved(before, model) == trainable
    assert len(trainable) == 2 * 10 + 2  # kernels and biases of conv5, and the head


def test_stage_starts_behind_the_stage_before_it():
    network = backbone()
    assert finetune.stage_start(network, "stem") == "stem_convolution"
    assert finetune.stage_start(network, "stage6") == "stage6_block1_expand_convolution"
    with pytest.raises(UsageError, match="no stage stage9"):
        finetune.stage_start(network, "stage9")


def test_unfreezing_an_unknown_layer_is_one_sentence(rows):
    with pytest.raises(UsageError, match="no layer 'conv9'; its last is 'logits'"):
        finetune.unfreeze(small(rows), "conv9")


def test_a_frozen_model_is_not_trained(rows):
    model = small(rows)
    model.trainable = False
    with pytest.raises(UsageError, match="Every layer of this model is frozen"):
        finetune.fine_tune(model, [rows], LABELS, PLAN, train=TRAIN)


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
        plan = Plan(epochs=1, batch_size=4, learning_rate=1e-4)
        finetune.fine_tune(model, [inputs], LABELS, plan, train=TRAIN)
        results.append([keras.ops.convert_to_numpy(w) for w in model.trainable_weights])
        backbone().model.set_weights(weights)
    for whole, part in zip(*results, strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-5)


def test_the_head_standardizes_as_its_features(rows):
    constant = np.hstack([rows, np.full((12, 1), 7.0)])
    inner = keras.Model(
        (head := finetune.head(constant, 3)).input, head.get_layer("standardized").output
    )
    standardized = inner.predict(constant, verbose=0)
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(standardized.std(axis=0), [1, 1, 1, 1, 1, 0], atol=1e-6)
    np.testing.assert_array_equal(head.predict(constant, verbose=0), 0)


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
    np.testing.assert_allclose(layerwise.learning_rates(optimizer, 0.5), expected)


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


@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_factor_outside_its_range_is_refused(rows, decay):
    with pytest.raises(UsageError, match=r"take one in 0\.\.1"):
        layerwise.LayerwiseAdamW.by_group(0.1, small(rows), [], decay)


def test_schedule_is_that_of_lesson_03():
    plan = Plan(epochs=4, batch_size=8, learning_rate=0.25, warmup=0.25)
    schedule = plan.schedule(examples=36)  # 5 steps in an epoch
    ours = [cosine_with_warmup(step, 20, 5, 0.25) for step in range(21)]
    theirs = [float(schedule(step)) for step in range(21)]
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_class_weights_weigh_the_loss(rows):
    """A class without weight is not learnt."""
    predictions = {}
    for weights in (class_weights(LABELS, 2), np.array([0.0, 1.0])):
        model = small(rows, dropout=0.0)
        finetune.fine_tune(model, [rows], LABELS, PLAN, train=np.arange(12), class_weights=weights)
        predictions[weights[0]] = model.predict(rows, verbose=0).argmax(axis=1)
    assert (predictions[0.0] == 1).all()
    assert not (predictions[1.0] == 1).all()


# --- how long ----------------------------------------------------------------------------------


def test_early_stopping_restores_the_best_weights(rows):
    model = small(rows)
    wrong = np.concatenate([LABELS[:8], 1 - LABELS[8:]])  # what is learnt is wrong over there
    plan = Plan(epochs=30, batch_size=4, learning_rate=0.05, warmup=0.0, patience=2)
    run = finetune.fine_tune(model, [rows], wrong, plan, train=TRAIN, validation=VALIDATION)
    assert run.ended == "stopped early"
    assert len(run.losses) == len(run.validation_losses) == run.best_epoch + 2 < 30
    assert run.best_epoch == 1 + np.argmin(run.validation_losses)
    loss = model.evaluate(rows[VALIDATION], wrong[VALIDATION], verbose=0)
    assert loss == pytest.approx(min(run.validation_losses), rel=1e-5)


def trained(rows, plan=PLAN, **settings):
    model = small(rows)
    run = finetune.fine_tune(
        model, [rows, -rows], LABELS, plan, train=TRAIN, validation=VALIDATION, **settings
    )
    return model, run


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the second batch of the second epoch."""

    epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == (1, 1):
            raise KeyboardInterrupt


@contextmanager
def interrupted():
    """In here, training is interrupted."""
    fit = keras.Model.fit

    def interrupted_fit(self, *args, callbacks, **settings):
        return fit(self, *args, callbacks=[*callbacks, Interrupt()], **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", interrupted_fit)
        yield


def test_interrupt_keeps_the_best_so_far_and_says_so(rows, capsys):
    with interrupted():
        model, run = trained(rows)
    assert capsys.readouterr().out == (
        "Interrupted after 1 of 3 epochs: the model has the weights of epoch 1, the best so far.\n"
    )
    assert (run.ended, run.best_epoch, len(run.losses)) == ("interrupted", 1, 1)
    loss = model.evaluate(rows[VALIDATION], LABELS[VALIDATION], verbose=0)
    assert loss == pytest.approx(run.validation_losses[0], rel=1e-5)


def test_resuming_gives_the_same_weights(rows, tmp_path):
    """With dropout, moments, schedule, order and variants where the break left them."""
    path = tmp_path / "checkpoints" / "run.npz"
    whole, run = trained(rows)
    with interrupted():
        trained(rows, checkpoint=path)
    again, rest = trained(rows, checkpoint=path)
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"]
    np.testing.assert_array_equal(rest.losses, run.losses)
    np.testing.assert_array_equal(rest.validation_losses, run.validation_losses)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoints_of_other_trainings_and_damaged_ones_are_refused(rows, tmp_path):
    path = tmp_path / "run.npz"
    trained(rows, checkpoint=path)
    with pytest.raises(CourseError, match="is of another training"):
        trained(rows, Plan(epochs=5, batch_size=4), checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CourseError, match="is damaged: delete it"):
        trained(rows, checkpoint=path)
    with pytest.raises(CourseError, match="cannot be written"):
        trained(rows, checkpoint=path / "below")


# --- labels of which one is not sure -----------------------------------------------------------


@pytest.mark.parametrize("weights", [None, np.array([0.5, 2.0])])
def test_probabilities_of_0_and_1_are_labels(rows, weights):
    results = []
    for labels in (LABELS, np.eye(2)[LABELS]):
        model = small(rows)
        run = finetune.fine_tune(
            model, [rows], labels, PLAN, train=TRAIN, validation=VALIDATION, class_weights=weights
        )
        results.append([*model.get_weights(), run.losses, run.validation_losses])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 3.0)])
def test_the_loss_of_doubtful_examples_is_cross_entropy_with_expected_weights(rows, weights):
    labels = np.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]] * 4)
    head = finetune.head(rows, 2, dropout=0.0, l2=0.0)
    head.get_layer("logits").set_weights([np.zeros((5, 2)), np.log([0.8, 0.2])])  # says 80 to 20
    plan = Plan(epochs=1, batch_size=12)  # the loss of its only step is that before the step
    run = finetune.fine_tune(
        head, [rows], labels, plan, train=np.arange(12), class_weights=np.array(weights)
    )
    expected = np.mean(labels @ weights * -(labels @ np.log([0.8, 0.2])))
    assert run.losses == pytest.approx([expected], rel=1e-5)


# --- what can go wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variants", "train", "weights", "sentence"),
    [
        ([np.ones((12, 5)), np.ones((11, 5))], TRAIN, None, "they have 11, 12 entries"),
        ([np.ones((12, 5))], TRAIN[:0], None, "no examples to learn from"),
        ([np.ones((12, 5))], TRAIN, np.ones(1), "1 class weights, but a label is 1"),
    ],
)
def test_data_that_do_not_fit_are_one_sentence(rows, variants, train, weights, sentence):
    with pytest.raises(UsageError, match=sentence):
        finetune.fine_tune(small(rows), variants, LABELS, PLAN, train=train, class_weights=weights)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (LABELS / 3, "Labels of type float64 are no classes"),
        (np.eye(2)[LABELS] / 2, "those of each example add up to 1"),
        (np.array([[1.5, -0.5]] * 12), "none below 0"),
        (LABELS + 1, "tells 2 classes apart, but the labels 3"),
        (np.eye(3)[LABELS], "tells 2 classes apart, but the labels 3"),
        (np.ones((12, 1)), "tells 2 classes apart, but the labels 1"),
    ],
)
def test_labels_that_say_nothing_are_one_sentence(rows, labels, sentence):
    with pytest.raises(UsageError, match=sentence):
        finetune.fine_tune(small(rows), [rows], labels, PLAN, train=TRAIN)


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


@pytest.mark.parametrize(
    "error", [ResourceExhaustedError("OOM"), RuntimeError("RESOURCE_EXHAUSTED: 9 GB")]
)
def test_no_memory_says_what_to_change(rows, monkeypatch, error):
    def fit(self, *args, **settings):
        raise error

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(CourseError, match=r"batches of 4 examples of 5: take batch_size=2"):
        trained(rows)


def test_other_errors_are_not_taken_for_lack_of_memory(rows, monkeypatch):
    def fit(self, *args, **settings):
        raise RuntimeError("something else")

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(RuntimeError, match="something else"):
        trained(rows)


def test_checkpoint_holds_no_pickle(rows, tmp_path):
    trained(rows, checkpoint=tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file)


def batches(variants, order=TRAIN):
    picks = np.arange(len(order)) % len(variants)
    return finetune.Batches(variants, LABELS, np.ones(12, np.float32), order, picks, batch_size=4)


def test_batches_hold_the_chosen_variants_of_the_chosen_examples(rows):
    order = np.array([3, 1, 11, 0, 5, 4])
    given = batches([rows, -rows], order)
    assert len(given) == 2
    x, labels, weights = (np.concatenate(parts) for parts in zip(given[0], given[1], strict=True))
    np.testing.assert_array_equal(x, rows[order] * np.array([1, -1, 1, -1, 1, -1])[:, None])
    np.testing.assert_array_equal(labels, LABELS[order])
    np.testing.assert_array_equal(weights, np.ones(6))


@pytest.mark.parametrize(
    ("types", "carried"),
    [
        (["uint8", "uint8"], "uint8"),
        (["float16"], "float16"),
        (["uint8", "float16"], "float32"),
        (["float64"], "float32"),
        (["int64"], "float32"),
    ],
)
def test_small_types_are_carried_to_the_device_as_they_are(rows, types, carried):
    x, _, _ = batches([np.abs(rows).astype(each) for each in types])[0]
    assert x.dtype == carried


def test_training_from_bytes_is_training_from_their_values(images):
    weights = []
    for given in (images, images.astype(np.float32)):
        model = with_head(images)
        finetune.unfreeze(model, finetune.stage_start(backbone(), "stage7"))
        plan = Plan(epochs=1, batch_size=4)
        finetune.fine_tune(model, [given], LABELS, plan, train=TRAIN)
        weights.append(model.get_weights())
        backbones.draw_weights(backbone().model, 0, 2.0)
    for from_bytes, from_values in zip(*weights, strict=True):
        np.testing.assert_allclose(from_bytes, from_values, atol=1e-5)


def test_the_bar_counts_every_batch(rows, monkeypatch):
    counted = []

    def counting(items, *words):
        for item in items:
            yield item
            counted.append(item)

    monkeypatch.setattr(finetune, "track", counting)
    trained(rows)
    assert counted == list(range(PLAN.epochs * 2))


# --- several devices ---------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_train_as_one_does(backend, tmp_path):
    """Virtual devices of this machine's CPU, each with half of every batch."""
    if util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    results = []
    for devices in (1, 2):
        file = tmp_path / f"{devices}.npz"
        command = [sys.executable, str(Path(__file__).with_name("two_devices.py"))]
        environment = os.environ | {
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        }
        subprocess.run([*command, str(devices), str(file)], check=True, env=environment)
        with np.load(file) as saved:
            results.append(dict(saved))
    one, two = results
    assert (one.pop("devices"), two.pop("devices")) == (1, 2)
    assert one["losses"][-1] < one["losses"][0]
    for name, array in one.items():
        np.testing.assert_allclose(two[name], array, atol=1e-4, err_msg=name)
