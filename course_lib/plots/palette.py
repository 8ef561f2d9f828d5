"""Colors and style of every figure: readable in grayscale and by color-blind readers.

Three inks for data and one gray for what stands behind them. They are blue and orange of Okabe
and Ito (2008, Color Universal Design), darkened until lightness alone tells all four apart
(CIE L* 9, 37, 60, 87) and each ink has a contrast of 3:1 on white, as WCAG 2.2, 1.4.11 asks.
Lines differ in dashes and markers too, and bars in hatches, so that no figure needs its colors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.colors import LinearSegmentedColormap

INK = "#1a1a1a"
BLUE = "#005b8e"
ORANGE = "#dd7711"
GRAY = "#d9d9d9"

COLORS = {"ink": INK, "blue": BLUE, "orange": ORANGE, "gray": GRAY}

LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s"},
    {"color": INK, "linestyle": ":", "marker": "^"},
)
"""Keyword arguments of `Axes.plot` for the first, second and third line of a figure."""

MARKED: dict[str, Any] = {"facecolor": ORANGE, "edgecolor": INK, "hatch": "///"}
"""Keyword arguments of a bar that stands out from its neighbors."""

PLAIN: dict[str, Any] = {"facecolor": BLUE, "edgecolor": INK, "hatch": ""}
"""Keyword arguments of all other bars."""

MOVING_TEXT: dict[str, Any] = {"size": 10.5, "ha": "center", "va": "bottom", "animated": True}
"""Keyword arguments of `Axes.text` for words above a picture that follow its sliders."""

SIGNED = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE], N=257)
"""Color map for signed numbers, limits symmetric: zero is white, and what is far from it is dark.
Orange for minus and blue for plus differ in every kind of vision, and the blue end is darker: in
grayscale, what is darker than the orange end is above zero."""

HEAT = "cividis"
"""Color map for shares from 0 to 1: its lightness rises with them, also in grayscale."""

STYLE: Any = {  # the type of the keys changes with the version of matplotlib
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.titlesize": 11,
    "hatch.color": INK,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.color": INK,
    "ytick.labelsize": 9.5,
}


@contextmanager
def style() -> Iterator[None]:
    """The course's matplotlib style, until the end of the `with` block."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        yield
