"""Lesson 03's pictures: what they claim about convergence is what descent does."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from course_lib.foundations.sgd import largest_stable_learning_rate
from course_lib.plots import Explorer
from course_lib.plots import sgd as figures

HESSIAN = np.array([[10.0, 4.0], [4.0, 2.0]])
MINIMUM = np.array([0.8, 2.0])
LIMIT = largest_stable_learning_rate(HESSIAN)
RATES = (0.1, 0.5, 0.99, 1.01, 1.3, 2.1)  # times the limit
MOMENTA = (0.0, 0.5, 0.9)


def at(explorer: Explorer, learning_rate: float) -> str:
    explorer.sliders["learning_rate"].value = learning_rate
    return explorer.alt


def arrives(rate: float, momentum: float, rule: str) -> bool:
    weights = velocity = np.zeros(2)
    for _ in range(3000):
        gradient = HESSIAN @ (weights - MINIMUM)
        weights, velocity = figures.RULES[rule](weights, gradient, velocity, rate, momentum)
        if np.abs(weights).max() > 1e6:
            return False
    return bool(np.abs(weights - MINIMUM).max() < 1e-6)


@pytest.mark.parametrize("rule", figures.RULES)
@pytest.mark.parametrize(("share", "momentum"), list(itertools.product(RATES, MOMENTA)))
def test_the_factor_tells_what_descent_does(rule: str, share: float, momentum: float) -> None:
    rate = share * LIMIT
    factor = figures.kept_each_step(np.linalg.eigvalsh(HESSIAN), rate, momentum, rule)
    assert arrives(rate, momentum, rule) == (factor < 1)


@pytest.mark.slow
@pytest.mark.parametrize("rule", figures.RULES)
@pytest.mark.parametrize("momentum", [0.0, 0.4, 0.95])
def test_the_limit_that_is_told_is_where_the_verdict_changes(rule: str, momentum: float) -> None:
    explorer = figures.momentum_explorer(HESSIAN, MINIMUM)
    explorer.sliders["momentum"].value = momentum
    explorer.sliders["rule"].value = rule
    for rate in np.arange(0.01, 0.4, 0.02):
        explorer.sliders["learning_rate"].value = rate
        found = re.search(r"limit of η: ([\d.]+)", explorer.alt)
        assert found
        limit = float(found[1])
        if abs(rate - limit) > 0.001:
            assert ("diverges" in explorer.alt) == (rate > limit)


def test_descent_explorer_tells_both_sides_of_the_limit() -> None:
    explorer = figures.descent_explorer(HESSIAN, MINIMUM)
    assert "without momentum: converges" in at(explorer, learning_rate=0.12)
    alt = at(explorer, learning_rate=0.2)
    assert "diverges: in the end every step multiplies the error by 1.331" in alt
    assert f"limit of η: {LIMIT:.3f}" in alt
    assert "It leaves the picture at step" in alt


@pytest.mark.slow
def test_no_slider_position_is_without_picture_or_words() -> None:
    explorer = figures.momentum_explorer(HESSIAN, MINIMUM)
    rate, momentum = explorer.sliders["learning_rate"], explorer.sliders["momentum"]
    for rule, mu, share in itertools.product(figures.RULES, (0, 0.95), (0, 0.5, 1)):
        explorer.sliders["rule"].value, momentum.value = rule, mu
        rate.value = rate.min + share * (rate.max - rate.min)
        assert re.search("converges|diverges", explorer.alt)
        assert "nan" not in explorer.alt
        assert "<img" in explorer.children[-1].value


def test_the_slider_starts_below_the_limit_and_reaches_beyond_that_of_momentum() -> None:
    for hessian in (HESSIAN, 0.01 * HESSIAN, 30 * HESSIAN):
        limit = largest_stable_learning_rate(hessian)
        rate = figures.descent_explorer(hessian, MINIMUM).sliders["learning_rate"]
        assert rate.value < limit / 2
        assert rate.max > 2 * limit
        assert float(format(rate.step, rate.readout_format)) == pytest.approx(rate.step)
