"""The pictures of lesson 04 show what the references compute, divergence included."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from course_lib.foundations.adam import adam_step, bias_corrected_average
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.sgd import sgd_step
from course_lib.plots import adam as figures

RATES = 10 ** np.linspace(-3, 0, 4)


@pytest.fixture(scope="module")
def race():
    return figures.optimizer_explorer()


@pytest.fixture(scope="module")
def averages():
    return figures.average_explorer()


def moved(explorer, **values):
    for name, value in values.items():
        explorer.sliders[name].value = value
    return explorer


@pytest.mark.parametrize("name", figures.SURFACES)
def test_gradient_is_that_of_the_height_and_vanishes_at_each_minimum(name):
    surface = figures.SURFACES[name]
    for point in (np.array(surface.start), np.array([0.3, -0.7]), np.array([-1.0, 1.5])):
        witness = numerical_gradient(lambda w: float(surface.height(w)), point)
        np.testing.assert_allclose(surface.gradient(point), witness, rtol=1e-6, atol=1e-8)
    for minimum in np.array(surface.minima):
        assert surface.height(minimum) == 0
        assert not surface.gradient(minimum).any()


@pytest.mark.parametrize("name", figures.SURFACES)
def test_race_tells_where_the_references_end(race, name):
    surface = figures.SURFACES[name]
    moved(race, surface=name, learning_rate=0.01)
    w, m, v = np.array(surface.start), np.zeros(2), np.zeros(2)
    by_sgd = w
    for t in range(1, 101):
        w, m, v = adam_step(w, surface.gradient(w), m, v, t, 0.01, 0.9, 0.999, 1e-8)
        by_sgd = sgd_step(by_sgd, surface.gradient(by_sgd), 0.01)
    assert f"SGD: final loss {surface.height(by_sgd):.3g}." in race.alt
    assert f"Adam: final loss {surface.height(w):.3g}." in race.alt


def test_turning_the_valley_changes_adam_and_not_sgd(race):
    first, second = (
        moved(race, learning_rate=0.03, surface=name).alt.split(". ")[1:]
        for name in ("valley along an axis", "the same valley, turned")
    )
    assert first[0] == second[0]
    assert first[2] != second[2]


def test_divergence_is_said_and_marked(race):
    moved(race, surface="valley along an axis", learning_rate=0.03)
    assert "diverges" not in race.alt
    crosses = [line for line in race.figure.findobj() if getattr(line, "get_marker", str)() == "x"]
    assert len(crosses) == 6
    assert not any(len(cross.get_xdata()) for cross in crosses)
    moved(race, learning_rate=0.3)  # the limit is 2/50
    assert "SGD: diverges at step " in race.alt
    assert "Adam: final loss" in race.alt
    assert [len(cross.get_xdata()) for cross in crosses] == [1, 0, 0, 1, 0, 0]


@pytest.mark.slow
def test_race_draws_every_position_without_a_word_of_complaint(race):
    pictures = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in figures.SURFACES:
            for rate in RATES:
                moved(race, surface=name, learning_rate=rate)
                assert "nan" not in race.alt
                pictures.add(race._picture.value)
    assert len(pictures) == len(figures.SURFACES) * len(RATES)


@pytest.mark.parametrize(("beta", "time"), [(0.5, 1), (0.9, 5), (0.99, 40)])
def test_averages_tell_the_reference(averages, beta, time):
    moved(averages, beta=beta, time=time)
    assert f"add up to {1 - beta**time:.3f}" in averages.alt
    values = 10 + np.random.default_rng(4).normal(scale=2, size=40)
    corrected = bias_corrected_average(values, beta)[time - 1]
    assert f"the corrected one {corrected:.2f}" in averages.alt
    assert f"plain average is {corrected * (1 - beta**time):.2f}" in averages.alt


def test_key_of_the_race_fits_with_its_longest_words(race):
    moved(race, surface="the same valley, turned", learning_rate=0.001)
    [key] = race.figure.legends
    for text in key.get_texts():
        text.set_text(f"RMSProp: {figures._end(np.array([1.0, 1.23e-12]), False)}")
    race.figure.draw_without_rendering()
    box = key.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= race.figure.bbox.width
