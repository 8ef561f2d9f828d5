"""Pictures of lesson 15: a claim beside what was measured, and how far choosing flatters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from .explorer import Draw, Explorer, log_slider
from .palette import BLUE, GRAY, INK, LINES, MOVING_TEXT, ORANGE, style
from .picture import Picture, new_figure
from .words import brief, number

Measured = float | Sequence[float] | np.ndarray
WORTH = 0.8
"""Accuracy of every checkpoint of the explorer on all images that there could be."""


@style()
def outcome(
    claim: str, unit: str, rows: Mapping[str, tuple[float | None, Measured]], places: int = 2
) -> Picture:
    """What a claim leads one to expect, as a diamond, and what was measured, as a dot.

    Args:
        claim: stands above the picture.
        unit: of all numbers.
        rows: by name, what is expected (or None) and what was measured; of several runs, the mean
            and its standard error are shown.
        places: decimals of the numbers at the right.
    """
    figure = new_figure((7.4, 1.15 + 0.34 * len(rows)))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    axes.set_title(fill(f"Claim: {claim}", 88), loc="left")
    told = []
    for place, (name, (expected, measured)) in enumerate(rows.items()):
        values = np.atleast_1d(np.asarray(measured, dtype=float))
        mean = float(values.mean())
        words = f"measured {number(mean, f'.{places}f')}"
        axes.axhline(place, color=GRAY, linewidth=0.8, zorder=0)
        if len(values) > 1:
            error = float(values.std(ddof=1) / np.sqrt(len(values)))
            axes.errorbar(mean, place, xerr=error, color=BLUE, capsize=3, zorder=2)
            words += f" ± {error:.{places}f}"
        axes.plot(mean, place, "o", color=BLUE, markersize=7, zorder=3)
        if expected is not None:
            axes.plot(expected, place, "D", mfc="none", mec=ORANGE, mew=2, markersize=10, zorder=4)
            words = f"expected {number(expected, f'.{places}f')}, {words}"
        axes.annotate(
            words,
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            annotation_clip=False,
            fontsize=9.5,
        )
        told.append(f"{name}: {words}")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=unit)
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)
    return Picture(figure, f"Claim: {claim}. In {unit}: {'; '.join(told)}.")


def best_of_explorer() -> Explorer:
    """How far the best of many checkpoints on the test set lies above what each is worth.

    The checkpoints are independent and all right on four images in five; the picture is computed,
    not drawn by chance.

    Returns:
        An explorer with the sliders ``checkpoints`` and ``images``.
    """
    sliders = {
        "checkpoints": log_slider("checkpoints", 10, 1, 1000, 0.1, ".0f"),
        "images": log_slider("test images", 100, 20, 5000, 0.1, ".0f"),
    }
    return Explorer(_prepare, sliders, size=(7.6, 3.3))


def _prepare(figure: Figure) -> Draw:
    figure.subplots_adjust(0.09, 0.16, 0.98, 0.86)
    axes = figure.subplots()
    axes.set(xlim=(0.5, 1), ylim=(0, 1.08), xlabel="accuracy on the test set", yticks=[])
    axes.set_ylabel("how often (highest = 1)")
    axes.axvline(WORTH, color=INK, linewidth=1, linestyle=":")
    moving = {"marker": "", "animated": True}
    (one,) = axes.plot([], [], **(LINES[0] | moving), label="the one that validation chose")
    (best,) = axes.plot([], [], **(LINES[1] | moving), label="the best on the test set")
    axes.legend(loc="upper left")
    headline = figure.text(0.5, 0.9, "", **MOVING_TEXT)

    def draw(*, checkpoints: float, images: float) -> str:
        count, size = round(checkpoints), round(images)
        right = np.arange(size + 1)
        below = binom.cdf(right, size, WORTH)
        alone, highest = (np.diff(below**power, prepend=0.0) for power in (1, count))
        for line, chances in ((one, alone), (best, highest)):
            line.set_data(right / size, chances / chances.max())
        mean = float(np.sum(highest * right) / size)
        points = number(100 * (mean - WORTH), ".1f")
        headline.set_text(f"reported {mean:.3f}   worth {WORTH:.3f}   flattery {points} points")
        plural = "checkpoint" if count == 1 else "checkpoints"
        return (
            f"The best of {count} {plural} on {size} test images reads {mean:.3f} on average; "
            f"each is worth {WORTH:.3f}. The test set flatters by {points} points. The one that "
            f"another set chose reads {WORTH:.3f} on average, give or take "
            f"{brief(100 * float(np.sqrt(WORTH * (1 - WORTH) / size)))} points."
        )

    return draw
