"""Picture of lesson 13: two learning curves, a target, and the labels that lie between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_lib.foundations.kinds_of_transfer import labels_to_reach

from .explorer import Draw, Explorer, slider
from .palette import INK, LINES

_MOVING: dict[str, Any] = {"animated": True}


def saving_explorer(sizes: np.ndarray, curves: Mapping[str, np.ndarray]) -> Explorer:
    """A target accuracy that is moved, and the labels at which each curve reaches it.

    Args:
        sizes: (K,) numbers of labels, rising.
        curves: two names, each with (K,) accuracies: without transfer, then with it.

    Returns:
        An explorer with the slider ``target``.
    """
    every = np.concatenate(list(curves.values()))
    low, high = math.floor(50 * every.min()) / 50, math.ceil(50 * every.max()) / 50
    middle = round((low + high) / 2, 2)
    controls = {"target": slider("target accuracy", middle, low, high, 0.01)}
    return Explorer(partial(_prepare, np.asarray(sizes, float), curves), controls, (7.2, 3.8))


def _prepare(sizes: np.ndarray, curves: Mapping[str, np.ndarray], figure: Figure) -> Draw:
    figure.subplots_adjust(0.1, 0.14, 0.98, 0.86)
    axes = figure.subplots()
    axes.set(xscale="log", ylabel="accuracy")
    axes.set_xlabel("labels of the target (on a logarithmic axis straight lines are bent)")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    for (name, curve), line in zip(curves.items(), LINES, strict=False):
        fine = np.geomspace(sizes[0], sizes[-1], 121)  # straight in the sizes, so bent on this axis
        axes.plot(fine, np.interp(fine, sizes, curve), **{**line, "marker": ""})
        axes.plot(sizes, curve, label=name, **{**line, "linestyle": ""})
    axes.legend(loc="lower right")
    level = axes.axhline(float(np.mean(next(iter(curves.values())))), color=INK, **_MOVING)
    level.set_linestyle(":")
    (points,) = axes.plot([], [], "o", color=INK, markersize=10, fillstyle="none", **_MOVING)
    headline = figure.text(0.5, 0.92, "", weight="bold", size=11, ha="center", **_MOVING)

    highest = max(curves, key=lambda name: float(np.max(curves[name])))
    reached = math.floor(1000 * np.max(curves[highest])) / 1000  # down: it must not say the target
    neither = f"neither curve reaches it: at most {reached:.3f} ({highest})"

    def draw(*, target: float) -> str:
        needed = [labels_to_reach(sizes, curve, target) for curve in curves.values()]
        level.set_ydata([target, target])
        finite = [number for number in needed if math.isfinite(number)]
        points.set_data(finite, [target] * len(finite))
        scratch, transferred = needed
        if all(map(math.isfinite, needed)):
            saved = round(scratch) - round(transferred)  # of the two numbers that are told
            first = bool(scratch == sizes[0]), bool(transferred == sizes[0])
            headline.set_text(_SAVED[first].format(f"{_count(saved)} labels"))
        else:
            behind = [name for name, it in zip(curves, needed, strict=True) if it == math.inf]
            headline.set_text(f"not reached by {behind[0]}" if len(behind) == 1 else neither)
        told = (
            f"{name} reaches it with {_count(number)} labels"
            + (" or fewer" if number == sizes[0] else "")
            if math.isfinite(number)
            else f"{name} does not reach it"
            for name, number in zip(curves, needed, strict=True)
        )
        one = sum(map(math.isfinite, needed)) == 1
        ending = "" if one else f" {headline.get_text().capitalize()}."
        return f"Target accuracy {target:.2f}: {', '.join(told)}.{ending}"

    return draw


_SAVED = {
    (False, False): "{} saved",
    (False, True): "at least {} saved",
    (True, False): "at most {} saved",
    (True, True): "the first size is enough for both: nobody knows what is saved",
}
"""By whether the first size is enough without transfer, and with it."""


def _count(number: float) -> str:
    return f"{number:.0f}".replace("-", "−")
