"""Lesson 02's reference: equations, NumPy, finite differences, Keras and scikit-learn agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.foundations import losses, regularization, sgd
from course_lib.foundations.gradients import numerical_gradient
from course_lib.ledger import row

finite = st.floats(-100, 100)


@pytest.fixture
def data():
    """Features (30, 5) with a bias column last, targets far from zero."""
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=(30, 4)), np.ones(30)])
    return features, features @ rng.normal(size=5) + 4 + 0.5 * rng.normal(size=30)


def ridge_loss(features, targets, weights, strength):
    penalty = regularization.l2_penalty(weights[:-1], strength)
    return losses.mse(features @ weights, targets) + penalty


# --- penalties ------------------------------------------------------------------------------------


def test_penalties_are_those_of_keras(keras64):
    assert row("l2-half").keras == "λ Σw², gradient 2λw"
    weights = np.random.default_rng(1).normal(size=(4, 3))
    l2 = float(keras64.regularizers.L2(0.3)(keras64.ops.convert_to_tensor(weights)))
    # `L1` alone is float32 up to Keras 3.13.
    l1 = float(keras64.regularizers.L1L2(l1=0.3)(keras64.ops.convert_to_tensor(weights)))
    # Keras passes the strength through float32.
    assert regularization.l2_penalty(weights, 0.3) == pytest.approx(l2, rel=1e-6)
    assert regularization.l1_penalty(weights, 0.3) == pytest.approx(l1, rel=1e-6)


def test_the_l2_gradient_is_the_slope_of_the_penalty():
    weights = np.random.default_rng(2).normal(size=(4, 3))
    slope = numerical_gradient(lambda w: regularization.l2_penalty(w, 0.7), weights)
    np.testing.assert_allclose(regularization.l2_gradient(weights, 0.7), slope, rtol=1e-8)
    np.testing.assert_allclose(
        regularization.l2_gradient(1e8 * weights, 0.7), 1.4e8 * weights, rtol=1e-12
    )


def test_the_l1_subgradient_is_the_slope_of_the_penalty_and_zero_at_zero():
    weights = np.array([1.0, -2.0, 0.5, -0.25])
    slope = numerical_gradient(lambda w: regularization.l1_penalty(w, 0.7), weights)
    np.testing.assert_allclose(regularization.lasso_subgradient(weights, 0.7), slope, rtol=1e-8)
    np.testing.assert_array_equal(regularization.lasso_subgradient(np.zeros(2), 0.7), 0)
    np.testing.assert_array_equal(
        regularization.lasso_subgradient(1e8 * weights, 0.7), 0.7 * np.sign(weights)
    )


def test_training_with_l2_is_weight_decay_of_twice_the_strength_for_plain_sgd():
    weights, gradient = np.array([1.0, -2.0]), np.array([0.3, 0.1])
    penalized = gradient + regularization.l2_gradient(weights, 0.05)
    np.testing.assert_allclose(
        sgd.sgd_step(weights, penalized, 0.1),
        regularization.weight_decay_step(weights, gradient, 0.1, 2 * 0.05),
    )


@pytest.mark.slow
def test_weight_decay_follows_keras_for_1000_steps(largest_gap, keras64):
    assert row("sgd-weight-decay").keras == "on the weights, times η"

    def rule(weights, gradient, step, rate):
        return (regularization.weight_decay_step(weights, gradient, rate, 0.0625),)

    optimizer = keras64.optimizers.SGD(1.0, weight_decay=0.0625)
    assert largest_gap(rule, [], optimizer, [0.25, 0.0625]) < 1e-11


# --- ridge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.01, 0.5, 10.0])
def test_the_loss_is_level_at_the_closed_form(data, strength):
    weights = regularization.ridge_weights(*data, strength)
    slope = numerical_gradient(lambda w: ridge_loss(*data, w, strength), weights)
    np.testing.assert_allclose(slope, 0, atol=1e-8)


@pytest.mark.parametrize("strength", [0.01, 0.5, 10.0])
def test_ridge_is_scikit_learns(data, strength):
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, targets = data
    theirs = linear_model.Ridge(alpha=len(features) * strength, tol=1e-12)
    theirs.fit(features[:, :-1], targets)
    expected = [*theirs.coef_, theirs.intercept_]
    np.testing.assert_allclose(
        regularization.ridge_weights(features, targets, strength), expected, rtol=1e-9
    )


@given(st.floats(-1000, 1000), st.floats(0.01, 10))
def test_moving_all_targets_moves_the_bias_only(shift, strength):
    rng = np.random.default_rng(4)
    features = np.column_stack([rng.normal(size=(8, 3)), np.ones(8)])
    targets = rng.normal(size=8)
    before = regularization.ridge_weights(features, targets, strength)
    after = regularization.ridge_weights(features, targets + shift, strength)
    np.testing.assert_allclose(after - before, [0, 0, 0, shift], atol=1e-9)


def test_dependent_columns_without_a_penalty_have_no_answer():
    with pytest.raises(np.linalg.LinAlgError):
        regularization.ridge_weights(np.ones((4, 2)), np.arange(4.0), 0.0)


# --- lasso ----------------------------------------------------------------------------------------


@given(arrays(float, 5, elements=finite), st.floats(0, 50))
def test_soft_thresholding_minimizes_its_objective(weights, amount):
    def objective(v):
        return 0.5 * (v - weights) ** 2 + amount * np.abs(v)

    best = regularization.soft_threshold(weights, amount)
    for other in (best + 0.01, best - 0.01, 0.0, weights):
        assert np.all(objective(best) <= objective(other) + 1e-9)


@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_lasso_is_scikit_learns(data, strength):
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, targets = data
    features = np.column_stack([np.random.default_rng(5).normal(size=(30, 3)), features])
    theirs = linear_model.Lasso(alpha=strength / 2, tol=1e-12, max_iter=100_000)
    theirs.fit(features[:, :-1], targets)
    ours = regularization.lasso_weights(features, targets, strength)
    np.testing.assert_allclose(ours, [*theirs.coef_, theirs.intercept_], atol=1e-8)
    np.testing.assert_array_equal(ours[:-1] == 0, theirs.coef_ == 0)
    assert np.any(ours == 0)


# --- dropout --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.75])
def test_dropout_leaves_the_expectation_where_it_was(rate):
    rng = np.random.default_rng(6)
    activations = rng.normal(size=6)
    masks = rng.random((40_000, 6)) >= rate
    mean = regularization.dropout(np.tile(activations, (40_000, 1)), masks, rate).mean(axis=0)
    deviation = np.abs(activations) * np.sqrt(rate / (1 - rate) / 40_000)
    assert np.all(np.abs(mean - activations) < 5 * deviation)


@pytest.mark.parametrize("rate", [0.2, 0.75])
def test_dropout_is_that_of_keras_given_the_same_mask(keras64, rate):
    assert row("dropout-rate").keras == "dropped"
    activations = np.random.default_rng(7).uniform(0.5, 1.0, size=(50, 20))
    layer = keras64.layers.Dropout(rate, seed=0)
    theirs = keras64.ops.convert_to_numpy(layer(activations, training=True))
    ours = regularization.dropout(activations, theirs != 0, rate)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 20])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match="share that is dropped"):
        regularization.dropout(np.ones(2), np.array([True, False]), rate)


# --- early stopping -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses_seen", "patience", "expected"),
    [
        ([3, 2, 1, 2, 2, 2, 0], 3, (2, 5)),
        ([3, 2, 1, 2, 0.5, 2], 3, (4, 5)),
        ([3, 2, 2, 2, 1], 2, (1, 3)),
        ([1], 1, (0, 0)),
        ([1, 2], 1, (0, 1)),
    ],
)
def test_early_stopping(losses_seen, patience, expected):
    assert regularization.early_stopping(np.array(losses_seen), patience) == expected


@pytest.mark.parametrize("seed", range(5))
def test_early_stopping_stops_where_keras_does(keras64, seed):
    seen = np.random.default_rng(seed).uniform(size=15) - 0.02 * np.arange(15)
    callback = keras64.callbacks.EarlyStopping("val_loss", patience=3)
    model = keras64.Sequential([keras64.Input((1,)), keras64.layers.Dense(1)])
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(seen):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    assert regularization.early_stopping(seen, 3) == (callback.best_epoch, epoch)


def test_early_stopping_refuses_a_patience_of_zero():
    with pytest.raises(ValueError, match="patience"):
        regularization.early_stopping(np.ones(3), 0)
