"""Lesson 05's reference: definitions, finite differences, Keras and scikit-learn agree."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.foundations import feature_extraction, losses, regularization
from course_lib.foundations.gradients import numerical_gradient
from course_lib.ledger import row

# Multiples of 1/8, so that a column is either constant or varies by more than rounding.
eighths = st.integers(-800, 800).map(lambda n: n / 8)
SINGLE = {"rtol": 1e-6, "atol": 1e-6}  # Keras on PyTorch rounds arrays to float32
labels_of = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(np.array)


# --- splits ---------------------------------------------------------------------------------------


@given(labels_of, st.floats(0.01, 1.0), st.randoms(use_true_random=False))
def test_a_stratified_split_takes_the_same_share_of_every_class(labels, fraction, random):
    order = np.array(random.sample(range(len(labels)), len(labels)))
    taken, _ = feature_extraction.stratified_split(labels, fraction, order)
    for label in np.unique(labels):
        count = np.sum(labels == label)
        assert np.sum(labels[taken] == label) == math.ceil(fraction * count) >= 1
        first = [index for index in order if labels[index] == label][: math.ceil(fraction * count)]
        assert [index for index in taken if labels[index] == label] == first


@given(labels_of, st.floats(0.01, 1.0), st.randoms(use_true_random=False))
def test_the_parts_of_a_split_are_everything_once_and_in_order(labels, fraction, random):
    order = np.array(random.sample(range(len(labels)), len(labels)))
    taken, rest = feature_extraction.stratified_split(labels, fraction, order)
    assert sorted([*taken, *rest]) == list(range(len(labels)))
    place = np.argsort(order)
    for part in (taken, rest):
        assert np.all(np.diff(place[part]) > 0)
        assert part.dtype == order.dtype


def test_a_split_has_the_shares_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    order = np.random.default_rng(0).permutation(100)
    taken, rest = feature_extraction.stratified_split(labels, 0.3, order)
    theirs = selection.train_test_split(labels, train_size=0.3, stratify=labels, random_state=0)
    for ours, part in zip((taken, rest), theirs, strict=True):
        np.testing.assert_array_equal(np.bincount(labels[ours]), np.bincount(part))


# --- what goes into the network and what comes out ------------------------------------------------


def test_a_trained_probe_is_that_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    labels = np.resize([0, 1, 1], 60)
    features = rng.normal(size=(60, 4)) + labels[:, None]
    weights, bias = feature_extraction.train_probe(features, labels, 0.05, 2000, 0.05)
    theirs = linear_model.LogisticRegression(C=1 / (0.05 * 60), tol=1e-10).fit(features, labels)
    np.testing.assert_allclose(weights[:, 1] - weights[:, 0], theirs.coef_[0], rtol=1e-4)
    np.testing.assert_allclose(bias[1] - bias[0], theirs.intercept_[0], rtol=1e-4)


def test_each_step_of_a_probe_is_adam_with_a_rate_that_sinks():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(7, 3)), np.resize([0, 1, 1], 7)
    weights, bias = feature_extraction.train_probe(features, labels, 0.3, 6, 0.1)
    variables = [keras.Variable(np.zeros(s), dtype="float64") for s in ((3, 2), (2,))]
    # Keras adds its epsilon elsewhere: so small a one makes no difference.
    optimizer = keras.optimizers.Adam(0.1, epsilon=1e-12)
    for step in range(1, 7):
        optimizer.learning_rate = 0.1 * (1 - step / 6)
        now = [keras.ops.convert_to_numpy(one) for one in variables]
        gradients = feature_extraction.linear_probe_gradients(features, labels, *now, 0.3)
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    np.testing.assert_allclose(weights, keras.ops.convert_to_numpy(variables[0]), rtol=1e-4)
    np.testing.assert_allclose(bias, keras.ops.convert_to_numpy(variables[1]), rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_preprocessing_is_that_of_keras(dtype):
    keras = pytest.importorskip("keras")
    assert row("resnet50-input").keras == "BGR 0..255, minus the mean"
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3)).astype(dtype)
    kept = images.copy()
    ours = feature_extraction.resnet50_preprocess(images)
    np.testing.assert_array_equal(images, kept)
    # On a copy, because Keras overwrites arrays of floats.
    theirs = keras.applications.resnet50.preprocess_input(images.astype("float64"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_keras_overwrites_the_images_and_the_reference_does_not():
    keras = pytest.importorskip("keras")
    images = np.full((1, 2, 2, 3), 128.0)
    once = feature_extraction.resnet50_preprocess(images).copy()
    np.testing.assert_array_equal(feature_extraction.resnet50_preprocess(images), once)
    keras.applications.resnet50.preprocess_input(images)
    assert np.abs(images - 128).min() > 1


@given(st.tuples(*[st.integers(1, 5)] * 4))
def test_pooling_is_that_of_keras(shape):
    keras = pytest.importorskip("keras")
    maps = np.random.default_rng(shape).normal(size=shape)
    layer = keras.layers.GlobalAveragePooling2D(dtype="float64")
    theirs = keras.ops.convert_to_numpy(layer(maps))
    np.testing.assert_allclose(feature_extraction.global_average_pool(maps), theirs, **SINGLE)


def test_pooling_does_not_see_where_a_value_is():
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    moved = np.roll(maps, (1, 2), axis=(1, 2))
    np.testing.assert_allclose(*map(feature_extraction.global_average_pool, (maps, moved)))


# --- one scale for all features -------------------------------------------------------------------


@given(
    arrays(float, st.tuples(st.integers(1, 8), st.just(3)), elements=eighths),
    arrays(float, st.tuples(st.integers(1, 8), st.just(3)), elements=eighths),
)
def test_standardizing_is_that_of_scikit_learn(train, other):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    scaler = preprocessing.StandardScaler().fit(train)
    for ours, part in zip(
        feature_extraction.standardize(train, other), (train, other), strict=True
    ):
        np.testing.assert_allclose(ours, scaler.transform(part), rtol=1e-9, atol=1e-9)


@given(arrays(float, (6, 3), elements=eighths))
def test_the_training_set_has_mean_0_and_variance_1_or_0(train):
    scaled, _ = feature_extraction.standardize(train, train)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    varies = np.ptp(train, axis=0) > 0
    np.testing.assert_allclose(scaled.var(axis=0), varies, atol=1e-9)


def test_a_constant_feature_is_only_centered_even_if_its_deviation_rounds():
    train = np.full((7, 1), 0.1)
    assert train.std() > 0  # 1e-17, by which nothing should be divided
    scaled, other = feature_extraction.standardize(train, np.array([[0.6]]))
    np.testing.assert_allclose(scaled, 0, atol=1e-15)
    np.testing.assert_allclose(other, 0.5)


def test_other_examples_are_scaled_one_by_one():
    rng = np.random.default_rng(0)
    train, other = rng.normal(size=(9, 4)), rng.normal(3.0, 2.0, size=(5, 4))
    _, together = feature_extraction.standardize(train, other)
    alone = [feature_extraction.standardize(train, example[None])[1][0] for example in other]
    np.testing.assert_allclose(together, alone)


# --- a linear probe -------------------------------------------------------------------------------


@pytest.fixture
def probe():
    """Features (6, 3), labels of four classes, weights, bias and a strength."""
    rng = np.random.default_rng(0)
    features, weights, bias = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    return features, np.array([0, 1, 2, 3, 3, 1]), weights, bias, 0.3


def probe_loss(features, labels, weights, bias, strength):
    penalty = regularization.l2_penalty(weights, strength)
    return losses.softmax_cross_entropy(features @ weights + bias, labels) + penalty


def test_the_probes_gradients_are_slopes(probe):
    features, labels, weights, bias, strength = probe
    by_weights, by_bias = feature_extraction.linear_probe_gradients(*probe)
    slope = numerical_gradient(
        lambda w: probe_loss(features, labels, w, bias, strength), weights, 1e-5
    )
    np.testing.assert_allclose(by_weights, slope, rtol=1e-6, atol=1e-9)
    slope = numerical_gradient(
        lambda b: probe_loss(features, labels, weights, b, strength), bias, 1e-5
    )
    np.testing.assert_allclose(by_bias, slope, rtol=1e-6, atol=1e-9)


def test_the_gradients_of_a_probe_of_zeros(probe):
    features, labels, weights, bias, strength = probe
    by_weights, by_bias = feature_extraction.linear_probe_gradients(
        features, labels, np.zeros_like(weights), np.zeros_like(bias), strength
    )
    error = (1 / 4 - np.eye(4)[labels]) / 6
    np.testing.assert_allclose(by_weights, features.T @ error, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(by_bias, error.sum(axis=0), rtol=1e-12, atol=1e-15)


def test_the_probes_gradients_are_those_of_keras(probe, keras64):
    from course_lib.transfer import autodiff

    assert row("cross-entropy-mean").keras == "examples"
    assert row("l2-half").keras == "λ Σw², gradient 2λw"
    features, labels, weights, bias, strength = probe
    loss = keras64.losses.SparseCategoricalCrossentropy(from_logits=True)
    by_weights, by_bias = feature_extraction.linear_probe_gradients(*probe)
    # As tensors, because those of PyTorch add no arrays.
    x, shift, scores = map(keras64.ops.convert_to_tensor, (features, bias, features @ weights))

    def of_weights(w):
        penalty = strength * keras64.ops.sum(keras64.ops.square(w))
        return loss(labels, keras64.ops.matmul(x, w) + shift) + penalty

    def of_bias(b):
        return loss(labels, scores + b)

    np.testing.assert_allclose(by_weights, autodiff.gradient(of_weights, weights), **SINGLE)
    np.testing.assert_allclose(by_bias, autodiff.gradient(of_bias, bias), **SINGLE)


def test_descent_with_these_gradients_finds_scikit_learns_probe():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    features = rng.normal(size=(60, 4)) + np.eye(3, 4)[labels]
    weights, bias, strength = np.zeros((4, 3)), np.zeros(3), 0.02
    for _ in range(3000):
        by_weights, by_bias = feature_extraction.linear_probe_gradients(
            features, labels, weights, bias, strength
        )
        weights, bias = weights - 0.5 * by_weights, bias - 0.5 * by_bias
    # Theirs is C times the sum of the losses plus half the squares.
    theirs = linear.LogisticRegression(C=1 / (2 * strength * 60), tol=1e-10, max_iter=1000)
    theirs.fit(features, labels)
    np.testing.assert_allclose(weights, theirs.coef_.T, atol=1e-5)
    np.testing.assert_allclose(bias - bias.mean(), theirs.intercept_, atol=1e-5)


def test_large_features_do_not_overflow(probe):
    features, *rest = probe
    for gradient in feature_extraction.linear_probe_gradients(1e6 * features, *rest):
        assert np.isfinite(gradient).all()


# --- what accuracy hides --------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_balanced_accuracy_is_that_of_scikit_learn(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    labels, predictions = np.array(pairs).T
    ours = feature_extraction.balanced_accuracy(labels, predictions, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of classes that are predicted but do not occur
        theirs = metrics.balanced_accuracy_score(labels, predictions)
    assert ours == pytest.approx(theirs)


@given(labels_of, st.integers(0, 4))
def test_one_answer_for_everything_scores_one_over_the_classes(labels, answer):
    score = feature_extraction.balanced_accuracy(labels, np.full(len(labels), answer), 5)
    present = np.unique(labels)
    assert score == pytest.approx(np.isin(answer, present) / len(present))


@given(labels_of, st.integers(2, 5))
def test_repeating_a_class_changes_accuracy_but_not_its_balance(labels, times):
    predictions = (labels + np.arange(len(labels)) % 2) % 5
    before = feature_extraction.balanced_accuracy(labels, predictions, 5)
    again = np.repeat(np.arange(len(labels)), np.where(labels == labels[0], times, 1))
    after = feature_extraction.balanced_accuracy(labels[again], predictions[again], 5)
    assert after == pytest.approx(before)


def test_arguments_stay_as_they_are(probe):
    images, maps = np.full((1, 2, 2, 3), 5.0), np.ones((1, 2, 2, 3))
    labels, order = np.array([0, 1, 1]), np.array([2, 0, 1])
    arguments = [images, maps, labels, order, *probe[:4]]
    kept = [array.copy() for array in arguments]
    feature_extraction.resnet50_preprocess(images)
    feature_extraction.global_average_pool(maps)
    feature_extraction.stratified_split(labels, 0.5, order)
    feature_extraction.standardize(probe[0], probe[2].T)
    feature_extraction.linear_probe_gradients(*probe)
    feature_extraction.balanced_accuracy(labels, labels, 2)
    for array, before in zip(arguments, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_the_error_of_splits_that_share_their_examples_is_larger_than_that_of_others():
    values = [1.0, 3.0, 5.0, 7.0]
    alone = feature_extraction.standard_error(values, 0.0)
    assert alone == pytest.approx(np.std(values, ddof=1) / 2)
    shared = feature_extraction.standard_error(values)
    assert shared == pytest.approx(np.std(values, ddof=1) * np.sqrt(1 / 4 + 1 / 3))
    assert feature_extraction.standard_error(values, 0.5) > shared > alone
