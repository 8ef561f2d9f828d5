"""What lessons 03 and 04 share: a path over a loss of two weights, which may escape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .palette import GRAY

GROUND = LinearSegmentedColormap.from_list("ground", ["white", GRAY])
"""From white, where the loss is lowest, to the gray on which all inks are still seen."""

ESCAPED = 1e6
"""A coordinate of this size: the path has left every picture and will not come back."""

CROSS: dict[str, Any] = {
    "marker": "x",
    "markersize": 11,
    "markeredgewidth": 3,
    "clip_on": False,
    "zorder": 5,
    "in_layout": False,
    "animated": True,
}
"""Keyword arguments of `Axes.plot` for where a path leaves the picture."""

Rule = Callable[..., tuple[np.ndarray, ...]]
"""(weights, gradient, *memories, step) to (weights, *memories)."""


def descend(
    gradient: Callable[[np.ndarray], np.ndarray],
    start: tuple[float, float],
    rule: Rule,
    memories: int,
    steps: int,
) -> np.ndarray:
    """The weights at the start and after each step, cut off where they escape.

    Args:
        gradient: from weights (2,) to (2,).
        start: where the path begins.
        rule: how a step is made.
        memories: how many arrays the rule remembers; they start at zero.
        steps: at most.

    Returns:
        (T + 1, 2) with T at most ``steps``.
    """
    weights, memory = np.array(start, dtype=float), [np.zeros(2)] * memories
    points = [weights]
    for step in range(1, steps + 1):
        weights, *memory = rule(weights, gradient(weights), *memory, step)
        points.append(weights)
        if np.abs(weights).max() > ESCAPED:
            break
    return np.array(points)
