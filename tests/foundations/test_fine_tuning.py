"""Lesson 06's reference: definitions, Keras, scikit-learn and PyTorch agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.foundations import fine_tuning, losses
from course_lib.foundations.gradients import numerical_gradient
from course_lib.ledger import row

EPSILON = 0.125  # large enough that its place shows
SINGLE = {"rtol": 1e-6, "atol": 1e-6}  # Keras on PyTorch rounds arrays to float32


# --- which layers move, and how many numbers they have --------------------------------------------


@pytest.fixture(scope="module")
def resnet50():
    """The real network: its layers' names do not depend on the weights or the size of images."""
    keras = pytest.importorskip("keras")
    return keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.fixture(scope="module")
def resnet50_layers(resnet50):
    keras = pytest.importorskip("keras")
    names = [layer.name for layer in resnet50.layers]
    norms = [isinstance(layer, keras.layers.BatchNormalization) for layer in resnet50.layers]
    return names, np.array(norms)


@pytest.mark.parametrize("stage", [2, 3, 4, 5])
def test_a_mask_on_resnet50_unfreezes_stages_but_no_batch_normalization(resnet50_layers, stage):
    names, norms = resnet50_layers
    assert norms.sum() == 53
    mask = fine_tuning.trainable_mask(names, f"conv{stage}_block1_1_conv", norms)
    moves = {name for name, trains in zip(names, mask, strict=True) if trains}
    assert mask.shape == (len(names),)
    assert mask.dtype == bool
    assert not any(name.endswith("_bn") for name in moves)
    stages = {int(name[4]) for name in moves if name.startswith("conv")}
    assert stages == set(range(stage, 6))
    kernels = {f"conv{s}_block1_{i}_conv" for s in stages for i in range(4)}
    assert kernels <= moves


def test_the_mask_and_the_count_are_those_of_keras(resnet50, resnet50_layers):
    names, norms = resnet50_layers
    mask = fine_tuning.trainable_mask(names, "conv5_block1_1_conv", norms)
    before = [layer.trainable for layer in resnet50.layers]
    try:
        for layer, trains in zip(resnet50.layers, mask, strict=True):
            layer.trainable = bool(trains)
        moving = {weight.path for weight in resnet50.trainable_weights}
        theirs = sum(int(np.prod(weight.shape)) for weight in resnet50.trainable_weights)
    finally:
        for layer, trains in zip(resnet50.layers, before, strict=True):
            layer.trainable = trains
    weights = resnet50.weights
    shapes = [tuple(weight.shape) for weight in weights]
    ours = fine_tuning.trainable_parameters(shapes, [weight.path in moving for weight in weights])
    assert ours == theirs
    everything = fine_tuning.trainable_parameters(shapes, [True] * len(shapes))
    assert everything == resnet50.count_params()
    assert 0 < ours < everything


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.data())
def test_a_layer_trains_if_place_and_kind_allow_it(norms, data):
    names = [f"layer{number}" for number in range(len(norms))]
    start = data.draw(st.integers(0, len(norms) - 1))
    mask = fine_tuning.trainable_mask(names, names[start], norms)
    assert mask.tolist() == [place >= start and not norm for place, norm in enumerate(norms)]


def test_an_unknown_layer_is_named():
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        fine_tuning.trainable_mask(["conv1", "conv2"], "conv9", [False, False])


def test_parameters_are_counted_as_keras_counts_them():
    keras = pytest.importorskip("keras")
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    shapes = [tuple(weight.shape) for weight in model.weights]
    assert fine_tuning.trainable_parameters(shapes, [True] * len(shapes)) == model.count_params()
    mask = [weight.trainable for weight in model.weights]
    assert not all(mask)  # the stored statistics
    theirs = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert fine_tuning.trainable_parameters(shapes, mask) == theirs


@given(st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=4), st.booleans()), max_size=8))
def test_trained_and_frozen_parameters_add_up(arrays):
    shapes, mask = [tuple(shape) for shape, _ in arrays], [trains for _, trains in arrays]
    trained = fine_tuning.trainable_parameters(shapes, mask)
    frozen = fine_tuning.trainable_parameters(shapes, [not trains for trains in mask])
    assert trained + frozen == sum(np.zeros(shape).size for shape in shapes)
    assert isinstance(trained, int)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        fine_tuning.trainable_parameters([(2, 3), (3,)], [True])


# --- batch normalization --------------------------------------------------------------------------


@pytest.fixture
def statistics():
    """γ, β, stored mean and variance of five channels, unlike those of the batch (8, 5)."""
    rng = np.random.default_rng(0)
    gamma, beta, mean = rng.normal(size=(3, 5))
    return rng.normal(2.0, 3.0, (8, 5)), gamma, beta, mean, rng.uniform(0.1, 2.0, 5)


def keras_batchnorm(keras, statistics):
    x, *values = statistics
    layer = keras.layers.BatchNormalization(momentum=0.875, epsilon=EPSILON, dtype="float64")
    layer.build(x.shape)
    layer.set_weights(values)
    return layer


def test_inference_is_that_of_keras(keras64, statistics):
    layer = keras_batchnorm(keras64, statistics)
    theirs = keras64.ops.convert_to_numpy(layer(statistics[0], training=False))
    ours = fine_tuning.batchnorm_inference(*statistics, EPSILON)
    np.testing.assert_allclose(ours, theirs, **SINGLE)


def test_inference_with_the_batchs_own_statistics_is_keras_in_training(keras64, statistics):
    x, gamma, beta, *_ = statistics
    layer = keras_batchnorm(keras64, statistics)
    theirs = keras64.ops.convert_to_numpy(layer(x, training=True))
    own = x.mean(axis=0), x.var(axis=0)
    ours = fine_tuning.batchnorm_inference(x, gamma, beta, *own, EPSILON)
    np.testing.assert_allclose(ours, theirs, **SINGLE)


def test_the_moving_update_follows_keras_for_20_batches(keras64, statistics):
    assert row("batchnorm-momentum").keras == "the old statistics"
    assert row("batchnorm-variance").keras == "biased, ÷ N"
    layer = keras_batchnorm(keras64, statistics)
    *_, mean, variance = statistics
    rng = np.random.default_rng(1)
    for size in range(1, 21):
        batch = rng.normal(1.0, 2.0, (size, 5))
        layer(batch, training=True)
        mean, variance = fine_tuning.batchnorm_moving_update(mean, variance, batch, 0.875)
    np.testing.assert_allclose(mean, keras64.ops.convert_to_numpy(layer.moving_mean), rtol=1e-6)
    stored = keras64.ops.convert_to_numpy(layer.moving_variance)
    np.testing.assert_allclose(variance, stored, rtol=1e-6)


def test_a_frozen_layer_of_keras_infers_even_in_training(keras64, statistics):
    assert row("batchnorm-frozen").keras == "stay"
    layer = keras_batchnorm(keras64, statistics)
    layer.trainable = False
    theirs = keras64.ops.convert_to_numpy(layer(statistics[0], training=True))
    ours = fine_tuning.batchnorm_inference(*statistics, EPSILON)
    np.testing.assert_allclose(ours, theirs, **SINGLE)
    for stored, before in zip(layer.get_weights(), statistics[1:], strict=True):
        np.testing.assert_array_equal(stored, before)


def test_pytorch_follows_with_its_own_momentum_and_variance(statistics):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    assert row("batchnorm-momentum").pytorch == "the batch"
    assert row("batchnorm-variance").pytorch == "unbiased, ÷ (N − 1)"
    x, *_, mean, variance = statistics
    layer = torch.nn.BatchNorm1d(5, eps=EPSILON, momentum=0.125, dtype=torch.float64)
    names = ("weight", "bias", "running_mean", "running_var")
    layer.load_state_dict(
        {name: torch.tensor(v) for name, v in zip(names, statistics[1:], strict=True)}, strict=False
    )
    theirs = layer.eval()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(fine_tuning.batchnorm_inference(*statistics, EPSILON), theirs)
    layer.train()(torch.tensor(x))
    new_mean, _ = fine_tuning.batchnorm_moving_update(mean, variance, x, 0.875)
    np.testing.assert_allclose(new_mean, layer.running_mean.numpy())
    unbiased = 0.875 * variance + 0.125 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(unbiased, layer.running_var.numpy())


def test_inference_treats_every_example_by_itself(statistics):
    x, *rest = statistics
    together = fine_tuning.batchnorm_inference(x, *rest, EPSILON)
    alone = [fine_tuning.batchnorm_inference(example[None], *rest, EPSILON)[0] for example in x]
    np.testing.assert_array_equal(together, alone)


@given(st.floats(0, 1), st.integers(1, 9))
def test_the_moving_update_lies_between_old_and_new(momentum, size):
    rng = np.random.default_rng(size)
    batch, old = rng.normal(size=(size, 3)), (np.zeros(3), np.ones(3))
    updated = fine_tuning.batchnorm_moving_update(*old, batch, momentum)
    for before, after, new in zip(
        old, updated, (batch.mean(axis=0), batch.var(axis=0)), strict=True
    ):
        assert np.all(after >= np.minimum(before, new) - 1e-12)
        assert np.all(after <= np.maximum(before, new) + 1e-12)


def test_many_batches_of_one_kind_make_the_stored_statistics_theirs():
    batch = np.random.default_rng(0).normal(3.0, 2.0, (10, 4))
    mean, variance = np.zeros(4), np.ones(4)
    for _ in range(300):
        mean, variance = fine_tuning.batchnorm_moving_update(mean, variance, batch, 0.9)
    np.testing.assert_allclose(mean, batch.mean(axis=0))
    np.testing.assert_allclose(variance, batch.var(axis=0))


# --- rare classes ---------------------------------------------------------------------------------

labels_of = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(np.array)


@given(labels_of)
def test_class_weights_are_those_of_scikit_learn(labels):
    class_weight = pytest.importorskip("sklearn.utils.class_weight")
    _, labels = np.unique(labels, return_inverse=True)  # scikit-learn wants no absent class
    classes = np.unique(labels)
    theirs = class_weight.compute_class_weight("balanced", classes=classes, y=labels)
    np.testing.assert_allclose(fine_tuning.class_weights(labels, len(classes)), theirs)


@given(labels_of)
def test_every_class_that_occurs_weighs_the_same(labels):
    weights = fine_tuning.class_weights(labels, 5)
    totals = np.bincount(labels, weights[labels], minlength=5)
    present = np.bincount(labels, minlength=5) > 0
    np.testing.assert_allclose(totals[present], len(labels) / 5)
    np.testing.assert_array_equal(weights[~present], 0)


def test_weighting_is_repeating_until_the_classes_are_of_equal_size(keras64):
    labels = np.array([0, 0, 0, 0, 1, 1])
    logits = np.random.default_rng(0).normal(size=(6, 2))
    weights = fine_tuning.class_weights(labels, 2)
    loss = keras64.losses.SparseCategoricalCrossentropy(from_logits=True)
    weighted = float(loss(labels, logits, sample_weight=weights[labels]))
    again = [0, 1, 2, 3, 4, 4, 5, 5]
    repeated = losses.softmax_cross_entropy(logits[again], labels[again])
    assert weighted == pytest.approx(repeated, rel=1e-6)


# --- smaller steps for older layers ---------------------------------------------------------------


@given(st.integers(1, 12), st.floats(1e-6, 1.0), st.floats(0.05, 1.0))
def test_rates_fall_by_one_factor_towards_the_input(num_groups, base, decay):
    rates = fine_tuning.layerwise_learning_rates(num_groups, base, decay)
    assert rates.shape == (num_groups,)
    assert rates[-1] == base
    np.testing.assert_allclose(rates[:-1], decay * rates[1:])


# --- head first -----------------------------------------------------------------------------------


@pytest.fixture
def two_layers():
    rng = np.random.default_rng(0)
    x, backbone, head = rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    return x, rng.normal(size=6), backbone, head


def test_a_step_is_the_rate_times_the_slope_by_finite_differences(two_layers):
    x, targets, backbone, head = two_layers
    moved = fine_tuning.fine_tune(x, targets, backbone, head, (0.25, 0.5), 1)

    def loss(b, h):
        return np.mean((x @ b @ h - targets) ** 2)

    slopes = (
        numerical_gradient(lambda b: loss(b, head), backbone),
        numerical_gradient(lambda h: loss(backbone, h), head),
    )
    np.testing.assert_allclose((backbone - moved[0]) / 0.25, slopes[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose((head - moved[1]) / 0.5, slopes[1], rtol=1e-6, atol=1e-8)


def test_steps_add_up_and_a_rate_of_zero_freezes(two_layers):
    x, targets, backbone, head = two_layers
    once = fine_tuning.fine_tune(x, targets, backbone, head, (0.01, 0.02), 2)
    again = fine_tuning.fine_tune(x, targets, *once, (0.01, 0.02), 3)
    whole = fine_tuning.fine_tune(x, targets, backbone, head, (0.01, 0.02), 5)
    for ours, theirs in zip(again, whole, strict=True):
        np.testing.assert_allclose(ours, theirs)
    frozen, _ = fine_tuning.fine_tune(x, targets, backbone, head, (0.0, 0.02), 5)
    np.testing.assert_array_equal(frozen, backbone)


def test_two_layers_move_as_in_keras(two_layers, keras64):
    x, targets, backbone, head = two_layers
    layers = [keras64.layers.Dense(3, use_bias=False), keras64.layers.Dense(1, use_bias=False)]
    model = keras64.Sequential([keras64.Input((4,)), *layers])
    model.set_weights([backbone, head[:, None]])
    model.compile(keras64.optimizers.SGD(0.125), "mse")
    model.fit(x, targets, batch_size=6, epochs=4, verbose=0)
    ours = fine_tuning.fine_tune(x, targets, backbone, head, (0.125, 0.125), 4)
    theirs = model.get_weights()
    np.testing.assert_allclose(ours[0], theirs[0], **SINGLE)
    np.testing.assert_allclose(ours[1], theirs[1][:, 0], **SINGLE)


# --- a difference and its error -------------------------------------------------------------------


def test_with_groups_of_one_the_error_is_the_usual_one_of_a_mean():
    a, b = np.array([1, 1, 0, 1, 0]), np.array([0, 1, 1, 0, 0])
    difference, error = fine_tuning.grouped_difference(a, b, np.arange(5))
    assert difference == pytest.approx(0.2)
    assert error == pytest.approx(np.std(a - b, ddof=1) / np.sqrt(5))


def test_examples_that_agree_within_their_group_count_once():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, 12))
    alone = fine_tuning.grouped_difference(a, b, np.arange(12))
    groups = np.repeat(np.arange(12), 7)
    together = fine_tuning.grouped_difference(np.repeat(a, 7), np.repeat(b, 7), groups)
    assert together == pytest.approx(alone)


def test_the_error_is_how_far_the_difference_scatters_over_draws_of_groups():
    rng = np.random.default_rng(0)
    sizes = np.array([4, 9, 6, 12, 5, 8] * 10)
    groups = np.repeat(np.arange(60), sizes)
    found = []
    for _ in range(400):
        ahead = (rng.random(60) < 0.5)[groups]
        found.append(fine_tuning.grouped_difference(ahead.astype(int), 0 * groups, groups))
    differences, errors = np.transpose(found)
    assert np.mean(errors) == pytest.approx(np.std(differences), rel=0.15)


def test_arguments_stay_as_they_are(statistics):
    kept = [array.copy() for array in statistics]
    names, norms, labels = ["a", "b"], np.array([False, True]), np.array([0, 1, 1])
    fine_tuning.batchnorm_inference(*statistics, EPSILON)
    fine_tuning.batchnorm_moving_update(*statistics[3:], statistics[0], 0.9)
    fine_tuning.trainable_mask(names, "a", norms)
    fine_tuning.class_weights(labels, 3)
    for array, before in zip(statistics, kept, strict=True):
        np.testing.assert_array_equal(array, before)
    assert names == ["a", "b"]
    assert norms.tolist() == [False, True]
    assert labels.tolist() == [0, 1, 1]
