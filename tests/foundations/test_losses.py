"""Lesson 01's formulas: NumPy = finite differences = Keras, and their properties."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import (
    cross_entropy,
    mse,
    mse_gradient,
    sigmoid,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    train_softmax,
)
from course_lib.transfer.autodiff import gradient as keras_gradient

pytestmark = pytest.mark.usefixtures("keras64")


@pytest.fixture(params=range(5))
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


def batch(rng: np.random.Generator, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    n, c = rng.integers(1, 8), rng.integers(2, 7)
    return rng.normal(size=(n, c), scale=scale), rng.integers(0, c, n)


def close(ours: object, theirs: object, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=tolerance, atol=tolerance * 1e-3)


# --- against Keras and finite differences --------------------------------------------------------


def test_mse_and_gradient(rng: np.random.Generator) -> None:
    predictions, targets = rng.normal(size=(2, rng.integers(1, 8), rng.integers(1, 6)))

    def loss(y: object) -> object:
        return keras.ops.mean(keras.losses.mean_squared_error(targets, y))

    close(mse(predictions, targets), keras.ops.convert_to_numpy(loss(predictions)))
    close(mse_gradient(predictions, targets), keras_gradient(loss, predictions))
    numerical = numerical_gradient(lambda y: mse(y, targets), predictions)
    close(mse_gradient(predictions, targets), numerical, 1e-5)


def test_softmax(rng: np.random.Generator) -> None:
    for scale in (1.0, 100.0, 1e4):
        logits, _ = batch(rng, scale)
        close(softmax(logits), keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=1)))


def test_cross_entropy(rng: np.random.Generator) -> None:
    logits, labels = batch(rng)
    p = softmax(logits)
    theirs = np.mean(keras.losses.sparse_categorical_crossentropy(labels, p))
    close(cross_entropy(p, labels), theirs)


def test_cross_entropy_of_an_impossible_label_is_clipped_as_in_keras() -> None:
    p, labels = np.eye(3)[[0, 1]], np.array([1, 1])
    theirs = np.mean(keras.losses.sparse_categorical_crossentropy(labels, p))
    close(cross_entropy(p, labels), theirs)


def test_a_sigmoid_is_the_softmax_of_two_classes_and_does_not_overflow() -> None:
    logits = np.array([-1e4, -1.0, 0.0, 1.0, 1e4])
    with np.errstate(over="raise"):
        values = sigmoid(logits)
    both = softmax(np.stack([logits, np.zeros(5)], axis=1))
    np.testing.assert_allclose(values, both[:, 0], rtol=1e-12)


def test_softmax_cross_entropy_and_gradient(rng: np.random.Generator) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for scale in (1.0, 1e4):
        logits, labels = batch(rng, scale)
        close(softmax_cross_entropy(logits, labels), loss(labels, logits))
        automatic = keras_gradient(lambda z, y=labels: loss(y, z), logits)
        close(softmax_cross_entropy_gradient(logits, labels), automatic)
    logits, labels = batch(rng)
    numerical = numerical_gradient(lambda z: softmax_cross_entropy(z, labels), logits)
    close(softmax_cross_entropy_gradient(logits, labels), numerical, 1e-5)


@pytest.mark.parametrize("power", [2, 3, 4])
def test_error_of_central_differences_falls_with_the_square_of_the_step(power: int) -> None:
    point = np.array([[1.5, -0.5], [0.7, 2.0]])
    exact = np.exp(point)
    steps = (2.0**-power, 2.0 ** -(power + 1))
    coarse, fine = (
        np.abs(numerical_gradient(lambda x: np.exp(x).sum(), point, h) - exact).max() for h in steps
    )
    assert coarse / fine == pytest.approx(4, rel=0.05)


# --- properties ----------------------------------------------------------------------------------

any_logits = arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.floats(-1e4, 1e4),
)


@given(any_logits)
def test_softmax_rows_sum_to_one(logits: np.ndarray) -> None:
    p = softmax(logits)
    assert np.isfinite(p).all()
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


@given(any_logits, st.floats(-1e4, 1e4))
def test_softmax_does_not_see_a_shift(logits: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(softmax(logits + shift), softmax(logits), rtol=1e-6, atol=1e-9)


@given(any_logits, st.data())
def test_gradient_rows_sum_to_zero_and_the_loss_is_finite(
    logits: np.ndarray, data: st.DataObject
) -> None:
    n, c = logits.shape
    labels = data.draw(arrays(np.int64, n, elements=st.integers(0, c - 1)))
    gradient = softmax_cross_entropy_gradient(logits, labels)
    assert np.abs(gradient.sum(axis=1)).max() < 1e-12
    loss = softmax_cross_entropy(logits, labels)
    assert np.isfinite(loss)
    assert loss >= 0


@given(any_logits, st.integers(2, 4), st.data())
def test_a_mean_does_not_grow_with_the_batch(
    logits: np.ndarray, times: int, data: st.DataObject
) -> None:
    n, c = logits.shape
    labels = data.draw(arrays(np.int64, n, elements=st.integers(0, c - 1)))
    once = softmax_cross_entropy(logits, labels)
    again = softmax_cross_entropy(np.tile(logits, (times, 1)), np.tile(labels, times))
    np.testing.assert_allclose(again, once, rtol=1e-9, atol=1e-9)


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6)))
def test_mse_is_zero_exactly_for_perfect_predictions(values: np.ndarray) -> None:
    assert mse(values, values) == 0
    assert mse(values, values + 1) > 0


# --- errors --------------------------------------------------------------------------------------


def test_shapes_that_numpy_would_broadcast_are_refused() -> None:
    for function in (mse, mse_gradient):
        with pytest.raises(ValueError, match="broadcast"):
            function(np.zeros((4, 1)), np.zeros(4))


def test_labels_must_be_classes_one_per_row() -> None:
    for function in (cross_entropy, softmax_cross_entropy, softmax_cross_entropy_gradient):
        with pytest.raises(ValueError, match="labels"):
            function(np.full((2, 3), 1 / 3), np.array([0]))
        for label in (3, -1):
            with pytest.raises(IndexError, match=r"0\.\.2"):
                function(np.full((2, 3), 1 / 3), np.array([0, label]))


def test_arguments_are_left_alone() -> None:
    logits, labels = np.arange(6.0).reshape(2, 3), np.array([0, 2])
    before = logits.copy()
    softmax(logits)
    softmax_cross_entropy(logits, labels)
    softmax_cross_entropy_gradient(logits, labels)
    numerical_gradient(lambda z: softmax_cross_entropy(z, labels), logits)
    np.testing.assert_array_equal(logits, before)


def test_training_goes_downhill_from_the_loss_of_knowing_nothing(
    rng: np.random.Generator,
) -> None:
    images, labels = rng.normal(size=(12, 5)), rng.integers(0, 4, 12)
    weights, bias, losses = train_softmax(images, labels, 4, 0.1, 50)
    assert losses.shape == (50,)
    close(losses[0], np.log(4))
    assert np.all(np.diff(losses) < 0)
    assert softmax_cross_entropy(images @ weights + bias, labels) < losses[-1]


def test_a_training_step_follows_the_numerical_gradient(rng: np.random.Generator) -> None:
    images, labels = rng.normal(size=(6, 3)), rng.integers(0, 4, 6)
    before, bias_before, _ = train_softmax(images, labels, 4, 0.5, 2)
    after, bias_after, _ = train_softmax(images, labels, 4, 0.5, 3)
    by_weights = numerical_gradient(
        lambda w: softmax_cross_entropy(images @ w + bias_before, labels), before
    )
    by_bias = numerical_gradient(
        lambda b: softmax_cross_entropy(images @ before + b, labels), bias_before
    )
    close(after, before - 0.5 * by_weights, 1e-5)
    close(bias_after, bias_before - 0.5 * by_bias, 1e-5)
