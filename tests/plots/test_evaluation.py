"""Pictures of lesson 11: what they say is what they show."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_curve

from course_lib.foundations.losses import softmax
from course_lib.plots import evaluation as figures


@pytest.fixture(scope="module")
def overconfident():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 300)
    z = 4 * (labels - 0.5) + 4 * rng.normal(size=300)
    return np.stack([np.zeros(300), z], axis=1), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_explorer_tells_what_scikit_learn_computes(overconfident, temperature):
    logits, labels = overconfident
    explorer = figures.temperature_explorer(logits, labels)
    explorer.sliders["temperature"].value = temperature
    p = softmax(logits / temperature)
    assert f"accuracy {np.mean((p[:, 1] > 0.5) == labels):.3f}" in explorer.alt
    assert f"cross-entropy {log_loss(labels, p[:, 1]):.3f}" in explorer.alt
    assert f"mean confidence {p.max(axis=1).mean():.3f}" in explorer.alt


def test_a_temperature_changes_the_promise_and_no_decision(overconfident):
    explorer = figures.temperature_explorer(*overconfident)
    seen = []
    for temperature in (0.3, 1.0, 15.0):
        explorer.sliders["temperature"].value = temperature
        seen.append((explorer.alt.split(", ")[1], explorer.children[-1].value))
    assert len({accuracy for accuracy, _ in seen}) == 1
    assert len({picture for _, picture in seen}) == 3


def test_the_curve_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 40])
    scores = np.round(rng.normal(labels, 1.0), 1)
    picture = figures.roc_curves(labels, {"a score": scores})
    alarms, recall, _ = roc_curve(labels, scores, drop_intermediate=False)
    drawn = picture.figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, np.stack([alarms, recall], axis=1), atol=1e-12)
    few = recall[alarms <= 0.1].max()
    assert f"a score finds {few:.0%} of the defects" in picture.alt


def test_what_choosing_flatters_is_told():
    shown, true = np.array([[0.5, 0.5], [0.6, 0.7]]), np.full((2, 2), 0.5)
    alt = figures.best_of_many([1, 10], shown, true).alt
    assert "on the test that chose it from 0.50 to 0.65; on a fresh test from 0.50 to 0.50" in alt


def test_leads_are_told_with_their_middle():
    picture = figures.leads_figure({"cells": np.linspace(-1, 3, 401), "modules": np.zeros(5)})
    assert "cells, 95 % from −0.9 to 2.9" in picture.alt
    assert [axes.get_title() for axes in picture.figure.axes] == ["cells", "modules"]


def test_heat_is_told_by_its_hottest_place():
    heat = np.zeros((3, 3))
    heat[2, 0] = 1
    image = np.zeros((9, 9, 3), np.uint8)
    picture = figures.heat_rows(
        [image, image[..., :1]],
        [[heat, heat.T], [heat, 0 * heat]],
        [["a dog", "dog", "cat"], ["a cell", "defect", "nothing"]],
        "Two images",
    )
    assert picture.alt == (
        "Two images. a dog: dog, hottest at the bottom left, cat, hottest at the top right; "
        "a cell: defect, hottest at the bottom left, nothing, hottest nowhere."
    )
