"""Pictures of lesson 12: two clouds that are moved apart, and methods beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_lib.foundations.domain_adaptation import (
    coral,
    mmd_squared,
    proxy_a_distance,
    standardize_by_domain,
)

from .explorer import Draw, Explorer, choice, slider
from .palette import INK, LINES
from .training import methods_figure as methods_figure
from .words import number

_MOVING: dict[str, Any] = {"animated": True}

# --- two clouds -----------------------------------------------------------------------------------

EACH = 60
"""Points of each class in each domain."""
_CENTERS = np.array([[-1.3, -0.4], [1.3, 0.4]])
_WIDTHS = np.array([0.55, 0.75])
_EPSILON = 1e-3
_REACH = 7.5
METHODS = {"nothing": 0, "means and deviations": 1, "CORAL": 2}


def clouds_explorer() -> Explorer:
    """Two classes in two domains: the target is shifted, turned and widened, and aligned again.

    Returns:
        An explorer with the sliders ``shift``, ``turn`` and ``width`` of the target and the list
        ``method``, what is aligned.
    """
    controls = {
        "shift": slider("target: shift", 0.0, -3.0, 3.0, 0.1),
        "turn": slider("turn", 0.0, -180.0, 180.0, 5.0),
        "width": slider("width", 1.0, 0.3, 2.0, 0.1),
        "method": choice("aligned", METHODS, 0),
    }
    return Explorer(_prepare_clouds, controls, size=(9.2, 4.4))


def moved(points: np.ndarray, shift: float, turn: float, width: float) -> np.ndarray:
    """The target: points widened, turned about the origin and shifted to the upper right.

    Args:
        points: (N, 2).
        shift: in both directions.
        turn: in degrees, against the clock.
        width: factor on the first number.
    """
    angle = np.deg2rad(turn)
    turning = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    placed: np.ndarray = (points * [width, 1.0]) @ turning + shift
    return placed


def _prepare_clouds(figure: Figure) -> Draw:
    random = np.random.default_rng(0)
    labels = np.tile([0, 1], EACH)
    source, base = (
        _CENTERS[labels] + _WIDTHS * random.normal(size=(2 * EACH, 2)) for _ in range(2)
    )
    figure.subplots_adjust(0.05, 0.1, 0.99, 0.86, wspace=0.12)
    titles = ("as they are", "what the classifier sees")
    panels = []
    for axes, title in zip(figure.subplots(1, 2), titles, strict=True):
        axes.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), title=title)
        marks = [
            axes.plot([], [], marker, linestyle="", label=name, markersize=5, **look, **_MOVING)[0]
            for name, marker, look in (
                ("source, class 0", "o", {"color": LINES[0]["color"], "markerfacecolor": "white"}),
                ("source, class 1", "o", {"color": LINES[0]["color"]}),
                ("target, class 0", "^", {"color": LINES[1]["color"], "markerfacecolor": "white"}),
                ("target, class 1", "^", {"color": LINES[1]["color"]}),
            )
        ]
        (line,) = axes.plot([], [], "--", color=INK, **_MOVING)
        panels.append((marks, line))
    figure.axes[0].legend(loc="lower right", fontsize=8.5)
    headline = figure.text(0.5, 0.94, "", weight="bold", size=10.5, ha="center", **_MOVING)

    def draw(*, shift: float, turn: float, width: float, method: int) -> str:
        target = moved(base, shift, turn, width)
        seen = source, target
        if method == METHODS["means and deviations"]:
            seen = standardize_by_domain(source, target)
        elif method == METHODS["CORAL"]:
            seen = coral(source, target, _EPSILON), target
        for (marks, _), pair in zip(panels, ((source, target), seen), strict=True):
            parts = [points[labels == label] for points in pair for label in (0, 1)]
            for mark, part in zip(marks, parts, strict=True):
                mark.set_data(part[:, 0], part[:, 1])
        weights, bias = _line(seen[0], labels)
        panels[0][1].set_data([], [])
        panels[1][1].set_data(*_ends(weights, bias))
        right = float(np.mean((seen[1] @ weights + bias > 0) == labels))
        distance = proxy_a_distance(_confused(*seen))
        discrepancy = mmd_squared(*seen, 0.25)
        headline.set_text(
            f"MMD² {number(discrepancy, '.2f')}   proxy distance {distance:.2f}   "
            f"right on the target {right:.0%}"
        )
        name = next(key for key, value in METHODS.items() if value == method)
        return (
            f"The target is shifted by {number(shift, '.1f')}, turned by {number(turn, '.0f')} "
            f"degrees and {width:.1f} times as wide; aligned: {name}. "
            f"MMD² {number(discrepancy, '.2f')}, proxy distance {distance:.2f}; a line learned "
            f"from the source is right for {right:.0%} of the target."
        )

    return draw


def _line(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and bias of the least squares classifier of two classes, above 0 for class 1."""
    rows = np.column_stack([points, np.ones(len(points))])
    solution = np.linalg.lstsq(rows, 2.0 * labels - 1, rcond=None)[0]
    return solution[:2], float(solution[2])


def _ends(weights: np.ndarray, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """A stretch of the line on which a classifier says 0."""
    length = float(np.linalg.norm(weights))
    foot = -bias * weights / length**2
    along = np.array([-weights[1], weights[0]]) / length
    ends = foot + 3 * _REACH * np.array([[-1.0], [1.0]]) * along
    return ends[:, 0], ends[:, 1]


def _confused(source: np.ndarray, target: np.ndarray) -> float:
    """Share of unseen points whose domain a line guesses wrong: it learns from every other one."""
    points = np.concatenate([source, target])
    domains = np.repeat([0, 1], [len(source), len(target)])
    known = np.arange(len(points)) // 2 % 2 == 0  # pairs, so that both classes are there
    weights, bias = _line(points[known], domains[known])
    return float(np.mean((points[~known] @ weights + bias > 0) != domains[~known]))
