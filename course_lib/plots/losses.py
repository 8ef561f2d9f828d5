"""Pictures of lesson 01: what a loss measures and where its gradient points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..foundations.losses import (
    mse,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from .explorer import Draw, Explorer, choice, slider
from .palette import BLUE, GRAY, INK, LINES, MARKED, MOVING_TEXT, ORANGE, PLAIN, style
from .picture import Picture, new_figure
from .training import training_curves, weights_as_images, wrong_predictions_figure
from .words import number

__all__ = [  # everything that the lesson shows
    "LINE_T",
    "LINE_X",
    "line_explorer",
    "logits_explorer",
    "overflow_figure",
    "squared_and_absolute_error",
    "training_curves",
    "weights_as_images",
    "wrong_predictions_figure",
]

LINE_X = np.array([0.5, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.5])
LINE_T = np.array([1.6, 1.2, 2.9, 2.6, 4.1, 3.4, 5.0, 5.1])
SLOPES = (0.0, 0.8)
INTERCEPTS = (0.0, 2.5)
"""Lowest and highest: the best line is well inside, and no square leaves the frame."""
LINE_ACROSS, LINE_UP = (-0.3, 8.3), (-0.3, SLOPES[1] * LINE_X[-1] + INTERCEPTS[1] + 0.3)
"""The frame."""

SQUARE: dict[str, Any] = {
    "facecolor": ORANGE,
    "edgecolor": INK,
    "alpha": 0.45,
    "linewidth": 1.2,
    "animated": True,
}
POINT: dict[str, Any] = {"color": ORANGE, "marker": "s", "markeredgecolor": INK, "markersize": 9}


def logits_explorer(classes: Sequence[str] = ("cat", "dog", "bird")) -> Explorer:
    """From logits to probabilities, loss and gradient, for one example.

    Args:
        classes: names of two to five classes; each gets a slider for its logit.

    Returns:
        An explorer with one slider for each class, named as the class, and the list ``label``.
    """
    logits = {
        name: slider(f"logit of {name}", value, -10, 10, 0.25)
        for name, value in zip(classes, np.linspace(2, 0, len(classes)), strict=True)
    }
    label = choice("true label", {name: n for n, name in enumerate(classes)}, 0)
    return Explorer(
        partial(_prepare_logits, classes),
        {**logits, "label": label},
        size=(9, 3.2),
        in_browser=("logits", {"names": list(classes)}),
    )


def _prepare_logits(names: Sequence[str], figure: Figure) -> Draw:
    figure.subplots_adjust(0.05, 0.18, 0.99, 0.8, wspace=0.25)
    left, middle, right = figure.subplots(1, 3)
    headline = figure.text(0.5, 0.93, "", weight="bold", size=11, ha="center", animated=True)

    show_probabilities = _bars(left, names)
    left.set(ylim=(0, 1.12), yticks=(0, 0.5, 1), title="probabilities p = softmax(z)")
    below = left.get_xaxis_transform()
    z_texts = [
        left.text(n, -0.16, "", size=9.5, ha="center", va="top", transform=below, animated=True)
        for n in range(len(names))
    ]

    curve = np.geomspace(1e-9, 1, 200)
    middle.plot(curve, -np.log(curve), color=BLUE)
    (guide,) = middle.plot([], [], color=INK, linestyle=":", linewidth=1.2, animated=True)
    (point,) = middle.plot([], [], **POINT, animated=True)
    middle.set(xlim=(-0.03, 1.03), xticks=(0, 0.5, 1), ylim=(-0.6, 22), yticks=(0, 5, 10, 15, 20))
    middle.set(xlabel="p of the true label", title="loss −log p")

    show_gradient = _bars(right, names)
    right.axhline(0, color=INK, linewidth=0.8)
    right.set(ylim=(-1.35, 1.35), yticks=(-1, 0, 1), title="gradient by each logit")

    def draw(*, label: int, **by_name: float) -> str:
        logits, labels = np.array([list(by_name.values())]), np.array([label])
        p = softmax(logits)[0]
        loss = softmax_cross_entropy(logits, labels)
        gradient = softmax_cross_entropy_gradient(logits, labels)[0]

        headline.set_text(
            f"true label: {names[label]}      p({names[label]}) = {_short(p[label])}      "
            f"loss = −log p = {_short(loss, 3)}"
        )
        show_probabilities(p, label)
        for text, z in zip(z_texts, logits[0], strict=True):
            text.set_text(f"z = {number(z)}")
        guide.set_data([p[label], p[label], 0], [0, loss, loss])
        point.set_data([p[label]], [loss])
        show_gradient(gradient, label)

        told = "; ".join(
            f"{name}: logit {number(z)}, probability {_short(q)}, gradient {_short(g)}"
            for name, z, q, g in zip(names, logits[0], p, gradient, strict=True)
        )
        return f"True label {names[label]}, loss {_short(loss, 3)}. {told}."

    return draw


def line_explorer() -> Explorer:
    """A line to lay through points by hand, with the square of every error drawn as a square.

    Returns:
        An explorer with the sliders ``slope`` and ``intercept``.
    """
    sliders = {
        "slope": slider("slope", SLOPES[0], *SLOPES, 0.02),
        "intercept": slider("intercept", INTERCEPTS[1], *INTERCEPTS, 0.1),
    }
    data = {"x": [*LINE_X], "t": [*LINE_T], "xLimits": [*LINE_ACROSS], "yLimits": [*LINE_UP]}
    return Explorer(_prepare_line, sliders, size=(8.2, 5), in_browser=("line", data))


def _prepare_line(figure: Figure) -> Draw:
    x, t = LINE_X, LINE_T
    figure.subplots_adjust(0.07, 0.1, 0.985, 0.93, wspace=0.14)
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    frame = {"aspect": "equal", "ylim": LINE_UP}
    left.set(
        **frame, xlim=LINE_ACROSS, xlabel="x", ylabel="targets t (points), predictions y (line)"
    )
    right.set(**frame, xlim=(-0.3, 4.1), xlabel="on the same scale")
    squares = [left.add_patch(Rectangle((at, 0), 0, 0, **SQUARE)) for at in x]
    mean_square = right.add_patch(Rectangle((0, 0), 0, 0, **SQUARE))
    ends = np.array(left.get_xlim())
    (line,) = left.plot([], [], color=BLUE, animated=True)
    left.plot(x, t, "o", color=INK, animated=True)  # it stays, but above the squares
    title = left.text(0.5, 1.03, "", **MOVING_TEXT, transform=left.transAxes)
    mean = right.text(0.5, 1.03, "", weight="bold", **MOVING_TEXT, transform=right.transAxes)

    def draw(*, slope: float, intercept: float) -> str:
        predictions = slope * x + intercept
        error = predictions - t
        worst = np.abs(error).argmax()
        loss = mse(predictions[:, None], t[:, None])

        line.set_data(ends, slope * ends + intercept)
        side = np.abs(error)
        corners = np.where(x < x.mean(), x, x - side)  # squares grow inwards, to stay in the frame
        for square, *bounds in zip(
            squares, corners, np.minimum(predictions, t), side, side, strict=True
        ):
            square.set_bounds(*bounds)
        mean_square.set_bounds(0, 0, np.sqrt(loss), np.sqrt(loss))
        line_text = f"{number(slope, '.2f')} x {'−' if intercept < 0 else '+'} {abs(intercept):.1f}"
        title.set_text(f"y = {line_text}, and the square of each error")
        mean.set_text(f"mean area: MSE = {loss:.2f}")
        return (
            f"The line with slope {number(slope, '.2f')} and intercept "
            f"{number(intercept, '.1f')} among {len(x)} points. Mean squared error {loss:.2f}; "
            f"the largest error is {number(error[worst], '+.2f')}, at x = {x[worst]:g}."
        )

    return draw


@style()
def squared_and_absolute_error() -> Picture:
    """Squared and absolute error of one prediction, against the error."""
    error = np.linspace(-3, 3, 121)
    figure = new_figure((5.2, 3.2))
    axes = figure.add_axes((0.1, 0.16, 0.86, 0.8))
    for values, name, line in zip((error**2, np.abs(error)), ("e²", "|e|"), LINES, strict=False):
        axes.plot(error, values, label=name, markevery=20, **line)
    axes.set(xlabel="error e = prediction − target", ylabel="loss")
    axes.legend(loc="upper center")
    return Picture(
        figure,
        "Two curves over the error e from −3 to 3. Both are zero at e = 0 and meet again at 1 and "
        "−1. Beyond, the square grows faster: at e = 3 it is 9, the absolute value 3.",
    )


@style()
def overflow_figure() -> Picture:
    """One softmax written in two ways, while the same number is added to all of its logits."""
    logits = np.array([2.0, 1.0, 0.0])
    shifts = np.arange(-1200.0, 1201.0)
    rows = logits + shifts[:, None]
    with np.errstate(all="ignore"):
        powers = np.exp(rows)
        naive = (powers / powers.sum(axis=1, keepdims=True))[:, 0]
    stable = softmax(rows)[:, 0]
    lost = shifts[~np.isfinite(naive)]
    first, last = lost[lost < 0].max(), lost[lost > 0].min()
    rough = shifts[np.abs(naive - stable) > 0.01].max()  # comparisons with nan are false

    figure = new_figure((7.4, 3.2))
    axes = figure.add_axes((0.09, 0.16, 0.89, 0.8))
    axes.axvspan(shifts[0], first, facecolor=GRAY)
    axes.axvspan(last, shifts[-1], facecolor=GRAY)
    axes.plot(shifts, stable, color=BLUE, linewidth=5, label="row maximum subtracted")
    axes.plot(shifts, naive, color=ORANGE, linestyle="--", label="exp(z) / Σ exp(z)")
    axes.text((shifts[0] + first) / 2, 0.3, "all exp(z) are 0:\n0/0 = nan", ha="center")
    axes.text((shifts[-1] + last) / 2, 0.3, "exp(z) is ∞:\n∞/∞ = nan", ha="center")
    axes.text(rough + 20, 0.9, "so few digits are left\nthat the quotient is wrong", va="center")
    axes.set(
        xlim=(shifts[0], shifts[-1]),
        ylim=(0, 1.04),
        xlabel="number added to the logits 2, 1, 0",
        ylabel="probability of the first",
    )
    axes.legend(loc="lower center")
    return Picture(
        figure,
        f"The probability of the first of three classes stays at {stable[0]:.3f} whatever number "
        "is added to all logits, if the row maximum is subtracted. The plain formula gives nan "
        f"from {number(last)} upwards and from {number(first)} downwards; from "
        f"{number(rough)} downwards it is off by more than 0.01 without a warning.",
    )


def _bars(axes: Axes, names: Sequence[str]) -> Callable[[np.ndarray, int], None]:
    """Bars with their numbers; the function returned sets the values and marks one of the bars."""
    bars = axes.bar(names, np.zeros(len(names)), width=0.65, animated=True)
    texts = [axes.text(n, 0, "", size=9.5, ha="center", animated=True) for n in range(len(names))]

    def show(values: np.ndarray, marked: int) -> None:
        low, high = axes.get_ylim()
        gap = (high - low) / 50
        for n, (bar, text, value) in enumerate(zip(bars, texts, values, strict=True)):
            bar.set(height=value, **(MARKED if n == marked else PLAIN))
            text.set(text=_short(value), y=value + (gap if value >= 0 else -gap))
            text.set_verticalalignment("bottom" if value >= 0 else "top")

    return show


def _short(value: float, digits: int = 2) -> str:
    """So many digits behind the point, but small numbers as powers: 0.67, −0.33, 2e−09."""
    return number(value, f".{digits}f" if abs(value) >= 0.1**digits or value == 0 else ".0e")
