"""The pictures of lesson 02 show what the references compute, at every position of the sliders."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from course_lib.foundations.losses import mse
from course_lib.foundations.regularization import lasso_weights, ridge_weights
from course_lib.plots import regularization as figures

STRENGTHS = 10**figures.EXPONENTS


@pytest.fixture(scope="module")
def explorer():
    return figures.strength_explorer()


def moved(explorer, **values):
    for name, value in values.items():
        explorer.sliders[name].value = value
    return explorer


@pytest.mark.parametrize("strength", STRENGTHS[[0, 16, 24, 40]])
def test_explorer_tells_the_errors_of_the_closed_form(explorer, strength):
    x, t, fresh_x, fresh_t = figures.noisy_sine()
    weights = ridge_weights(figures.powers(x, 11), t, strength)
    moved(explorer, penalty="L2", strength=strength)
    training = mse(figures.powers(x, 11) @ weights, t)
    validation = mse(figures.powers(fresh_x, 11) @ weights, fresh_t)
    assert f"Training error {training:.3f}, validation error {validation:.3f} " in explorer.alt
    assert "11 of 11 weights are not zero" in explorer.alt


@pytest.mark.slow
def test_explorer_draws_every_position_without_a_word_of_complaint(explorer):
    pictures = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for penalty in ("L2", "L1"):
            for strength in STRENGTHS:
                pictures.add(moved(explorer, penalty=penalty, strength=strength)._picture.value)
    assert len(pictures) == 2 * len(STRENGTHS)


def test_l1_switches_all_weights_off_and_l2_none(explorer):
    assert "0 of 11 weights" in moved(explorer, penalty="L1", strength=STRENGTHS[-1]).alt
    assert "11 of 11 weights" in moved(explorer, penalty="L2", strength=STRENGTHS[-1]).alt


def test_explorer_begins_with_the_penalty_asked_for():
    assert figures.strength_explorer("L1").alt.startswith("L1 penalty")


def test_lasso_path_is_where_proximal_steps_lead():
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=(30, 6)), np.ones(30)])
    targets = features @ np.array([2.0, 0, 0, -1.0, 0, 0.5, 3.0]) + 0.3 * rng.normal(size=30)
    strengths = np.array([0.01, 0.1, 0.5, 2.0])
    path = figures.lasso_path(features, targets, strengths)
    for strength, weights in zip(strengths, path, strict=True):
        expected = lasso_weights(features, targets, strength)
        np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1e-9)


def test_lasso_path_of_the_lesson_is_optimal():
    x, t, _, _ = figures.noisy_sine()
    features = figures.powers(x, 11)
    for strength, weights in zip(
        STRENGTHS, figures.lasso_path(features, t, STRENGTHS), strict=True
    ):
        pull = 2 * features.T @ (features @ weights - t) / len(x)
        used = weights[:-1] != 0
        np.testing.assert_allclose(pull[-1], 0, atol=1e-9)
        np.testing.assert_allclose(
            pull[:-1][used], -strength * np.sign(weights[:-1][used]), atol=1e-9
        )
        assert np.all(np.abs(pull[:-1][~used]) <= strength + 1e-9)
