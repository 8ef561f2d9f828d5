"""Lesson 12's pictures tell what the distances and a line say."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from course_lib.plots import Explorer, Picture
from course_lib.plots import domain_adaptation as figures

SCORES = {
    "there": {"source only": [0.5, 0.6], "CORAL": [0.6, 0.7]},
    "back": {"source only": [0.55, 0.65], "CORAL": [0.7, 0.8]},
}


def methods() -> Picture:
    return figures.methods_figure(SCORES, "balanced accuracy", 0.5)


DRAWN: dict[str, Callable[[], Picture | Explorer]] = {
    "methods": methods,
    "clouds": figures.clouds_explorer,
}


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_is_cut_off_at_the_edge(name: str) -> None:
    figure = DRAWN[name]().figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width
    assert box.y1 <= height


@pytest.mark.parametrize("name", DRAWN)
def test_it_is_the_same_picture_twice(name: str) -> None:
    first, second = (DRAWN[name]()._repr_mimebundle_()[0] for _ in range(2))
    assert first["image/png"] == second["image/png"]


def test_the_methods_are_told_with_their_means() -> None:
    assert "there: source only 0.55, CORAL 0.65. back: source only 0.60" in methods().alt


def told(explorer: Explorer, **values: float) -> tuple[float, float, int]:
    """MMD², proxy distance and percentage that is right."""
    for name, value in values.items():
        explorer.sliders[name].value = value
    found = re.search(r"MMD² (\S+), proxy distance (\S+); .* for (\d+)%", explorer.alt)
    assert found
    return float(found[1].replace("−", "-")), float(found[2]), int(found[3])


def test_a_shift_is_seen_and_repaired() -> None:
    explorer = figures.clouds_explorer()
    discrepancy, distance, right = told(explorer)
    assert (discrepancy < 0.05, distance < 0.5, right > 90) == (True, True, True)
    discrepancy, distance, right = told(explorer, shift=3.0)
    assert (discrepancy > 0.2, distance > 1.5, right < 70) == (True, True, True)
    discrepancy, distance, right = told(explorer, method=1)
    assert (discrepancy < 0.05, distance < 0.5, right > 90) == (True, True, True)


def test_half_a_turn_is_not_seen_and_everything_is_wrong() -> None:
    discrepancy, distance, right = told(figures.clouds_explorer(), turn=180.0, method=2)
    assert discrepancy < 0.05
    assert distance < 0.5
    assert right < 10


def test_the_target_is_widened_turned_and_shifted() -> None:
    points = figures.moved(np.array([[1.0, 0.0]]), shift=1.0, turn=90.0, width=2.0)
    np.testing.assert_allclose(points, [[1.0, 3.0]])
