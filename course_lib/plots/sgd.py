"""Pictures of lesson 03: descent on a quadratic, with momentum or without, and a small network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..foundations.sgd import (
    largest_stable_learning_rate,
    momentum_step,
    nesterov_step,
)
from .descent import CROSS, ESCAPED, GROUND, descend
from .explorer import Draw, Explorer, choice, slider
from .palette import BLUE, GRAY, INK, ORANGE, style
from .picture import Picture, new_figure
from .training import curves as curves
from .training import methods_figure as methods_figure
from .training import weights_as_images
from .words import brief

# --- descent on a quadratic ----------------------------------------------------------------------

STEPS = 80

LOSSES = (1e-7, 1e3)
"""Lowest and highest loss in the picture."""

RULES: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "momentum": momentum_step,
    "Nesterov": nesterov_step,
}


def descent_explorer(hessian: np.ndarray, minimum: np.ndarray) -> Explorer:
    """Gradient descent on a quadratic of two weights, from zero: when does it arrive?

    Args:
        hessian: (2, 2), symmetric and positive definite.
        minimum: (2,), where the loss is lowest, not at zero.

    Returns:
        An explorer with the slider ``learning_rate``.
    """
    rate = _rate_slider(hessian, share=0.3)
    return _descent(hessian, minimum, {"learning_rate": rate})


def momentum_explorer(hessian: np.ndarray, minimum: np.ndarray) -> Explorer:
    """The same descent with momentum.

    Args:
        hessian: (2, 2), symmetric and positive definite.
        minimum: (2,), where the loss is lowest, not at zero.

    Returns:
        An explorer with the sliders ``learning_rate`` and ``momentum`` and the list ``rule``.
    """
    controls = {
        "learning_rate": _rate_slider(hessian, share=0.3),
        "momentum": slider("momentum μ", 0.8, 0, 0.95, 0.05),
        "rule": choice("rule", {name: name for name in RULES}, "momentum"),
    }
    return _descent(hessian, minimum, controls)


def _rate_slider(hessian: np.ndarray, share: float) -> Any:
    """From one stop to 2.4 times the limit without momentum; it starts at a share of the limit."""
    limit = largest_stable_learning_rate(hessian)
    stop = 10 ** math.floor(math.log10(limit)) / 20
    start, highest = (round(part * limit / stop) * stop for part in (share, 2.4))
    rate = slider("learning rate η", start, stop, highest, stop)
    rate.readout_format = f".{max(0, math.ceil(-math.log10(stop)))}f"
    return rate


def _descent(hessian: np.ndarray, minimum: np.ndarray, controls: dict[str, Any]) -> Explorer:
    hessian, minimum = np.asarray(hessian, float), np.asarray(minimum, float)
    low, high = _window(minimum)
    data = {
        "hessian": hessian.tolist(),
        "minimum": minimum.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "steps": STEPS,
        "escaped": ESCAPED,
        "lowest": LOSSES[0],
        "highest": LOSSES[1],
    }
    prepare = partial(_prepare_descent, hessian, minimum)
    return Explorer(prepare, controls, size=(9.2, 3.9), in_browser=("descent", data))


def _prepare_descent(hessian: np.ndarray, minimum: np.ndarray, figure: Figure) -> Draw:
    figure.subplots_adjust(0.065, 0.13, 0.985, 0.83, wspace=0.16)
    left, right = figure.subplots(1, 2)
    low, high = _window(minimum)
    _ellipses(left, hessian, minimum, low, high)
    left.plot(*minimum, "*", color=INK, markersize=13)
    left.plot(0, 0, "s", color=INK, markersize=8, markerfacecolor="white")
    left.set_title("path: start □, minimum ★")
    right.set(yscale="log", xlim=(-1, STEPS + 1), ylim=LOSSES, xlabel="step")
    right.set_title("loss above the minimum")
    look = {"color": BLUE, "marker": "o", "markersize": 3.5, "linewidth": 1.3, "animated": True}
    (route,) = left.plot([], [], **look)
    (heights,) = right.plot([], [], **look)
    crosses = [axes.plot([], [], color=ORANGE, linestyle="", **CROSS)[0] for axes in (left, right)]
    headline = figure.text(0.5, 0.93, "", weight="bold", size=11, ha="center", animated=True)
    eigenvalues = np.linalg.eigvalsh(hessian)

    def draw(*, learning_rate: float, momentum: float = 0.0, rule: str = "momentum") -> str:
        points = _path(hessian, minimum, learning_rate, momentum, rule)
        losses = _heights(hessian, points - minimum)
        factor = kept_each_step(eigenvalues, learning_rate, momentum, rule)
        limit = _limit(eigenvalues[-1], momentum, rule)
        outside = np.flatnonzero(((points < low) | (points > high)).any(axis=1))
        escaped = outside[: int(factor > 1)]  # one that converges may leave and come back
        shown = points[: escaped[0] + 1] if len(escaped) else points

        route.set_data(*shown.T)
        heights.set_data(np.arange(len(losses)), np.maximum(losses, LOSSES[0] / 10))
        crosses[0].set_data(*(_exit(shown[-2], shown[-1], low, high) if len(escaped) else ([], [])))
        above = np.flatnonzero(losses > LOSSES[1])[:1]
        crosses[1].set_data(above, np.full(len(above), LOSSES[1]))
        said = f"{_verdict(factor, losses)} (limit of η: {limit:.3f})"
        headline.set_text(said[0].upper() + said[1:])
        name = "without momentum" if momentum == 0 else f"{rule}, μ = {momentum:.2f}"
        left_it = f" It leaves the picture at step {escaped[0]}." if len(escaped) else ""
        return (
            f"Learning rate {learning_rate:.3f}, {name}: {said}. Loss above the minimum "
            f"{brief(losses[0])} at the start, {brief(losses[-1])} after {len(losses) - 1} "
            f"steps.{left_it}"
        )

    return draw


def _path(
    hessian: np.ndarray, minimum: np.ndarray, rate: float, momentum: float, rule: str
) -> np.ndarray:
    """Weights from zero on, (T + 1, 2)."""
    return descend(
        lambda w: hessian @ (w - minimum),
        (0.0, 0.0),
        lambda w, gradient, velocity, _: RULES[rule](w, gradient, velocity, rate, momentum),
        memories=1,
        steps=STEPS,
    )


def _exit(inside: np.ndarray, outside: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where the way from one point to the other leaves the picture, (2, 1)."""
    way = outside - inside
    edge = np.where(way > 0, high, low)
    share = np.min((edge - inside) / np.where(way == 0, np.inf, way), where=way != 0, initial=1)
    crossing: np.ndarray = (inside + share * way)[:, None]
    return crossing


def kept_each_step(eigenvalues: np.ndarray, rate: float, momentum: float, rule: str) -> float:
    """By how much a step multiplies the error in the end, in the worst direction.

    Along an eigenvector with eigenvalue λ, the error e follows e'' = (1 + μ - ηλ)e' - μe, with
    Nesterov e'' = (1 + μ)(1 - ηλ)e' - μ(1 - ηλ)e: the larger root of the polynomial tells.

    Args:
        eigenvalues: (D,), of the Hessian.
        rate, momentum, rule: as in the explorer.
    """
    largest = 0.0
    for plain in 1 - rate * np.asarray(eigenvalues):
        sum_of_roots, product = plain + momentum, momentum
        if rule == "Nesterov":
            sum_of_roots, product = (1 + momentum) * plain, momentum * plain
        largest = max(largest, *np.abs(np.roots([1.0, -sum_of_roots, product])))
    return largest


def _limit(steepest: float, momentum: float, rule: str) -> float:
    """From this learning rate on it does not converge: here one of the roots is -1."""
    without_lookahead = 2 * (1 + momentum) / steepest
    return without_lookahead / (1 + 2 * momentum) if rule == "Nesterov" else without_lookahead


def _verdict(factor: float, losses: np.ndarray) -> str:
    if factor > 1:
        return f"diverges: in the end every step multiplies the error by {factor:.3f}"
    last_above = np.flatnonzero(losses > losses[0] / 1000)[-1]
    if last_above == STEPS:
        return f"converges slowly: in the end every step keeps {factor:.3f} of the error"
    return f"converges: below a thousandth of the first loss from step {last_above + 1} on"


# --- paths ---------------------------------------------------------------------------------------


@style()
def paths_on_contours(
    hessian: np.ndarray, minimum: np.ndarray, paths: Mapping[str, np.ndarray]
) -> Picture:
    """Up to three paths from zero over the contours of one quadratic.

    Args:
        hessian: (2, 2), symmetric and positive definite.
        minimum: (2,), where the loss is lowest.
        paths: for each name the weights (T + 1, 2), start included.
    """
    figure = new_figure((9, 3.6))
    figure.subplots_adjust(0.065, 0.15, 0.985, 0.9, wspace=0.18)
    low, high = _window(minimum)
    told = []
    for axes, (name, points) in zip(
        figure.subplots(1, len(paths), squeeze=False)[0], paths.items(), strict=True
    ):
        _ellipses(axes, hessian, minimum, low, high)
        axes.plot(*points.T, color=BLUE, marker="o", markersize=3, linewidth=1.1)
        axes.plot(*points[0], "s", color=INK, markersize=8, markerfacecolor="white")
        axes.plot(*minimum, "*", color=ORANGE, markeredgecolor=INK, markersize=14, zorder=5)
        axes.set_title(f"{name}: {len(points) - 1} steps")
        first, last = _heights(hessian, points[[0, -1]] - minimum)
        told.append(
            f"{name}: {len(points) - 1} steps, loss above the minimum from {first:.2g} to "
            f"{last:.2g}"
        )
    return Picture(
        figure,
        "Paths from the start (square) towards the minimum (star) over bands of equal loss, "
        f"narrow ellipses, the darker the larger. {'. '.join(told)}.",
    )


def _window(minimum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest weights in a picture with the minimum in its middle and zero inside."""
    half = 1.15 * np.abs(minimum).max() * np.array([1.3, 1.0])
    return minimum - half, minimum + half


def _ellipses(
    axes: Axes, hessian: np.ndarray, minimum: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """Bands of equal loss, narrower near the minimum: the darker, the larger."""
    grid = np.meshgrid(*(np.linspace(a, b, 120) for a, b in zip(low, high, strict=True)))
    errors = np.stack([part.ravel() for part in grid], axis=1) - minimum
    heights = _heights(hessian, errors).reshape(grid[0].shape) ** 0.25
    axes.contourf(*grid, heights, levels=12, cmap=GROUND, vmin=0, zorder=0)
    axes.contour(*grid, heights, levels=12, colors=[GRAY], linewidths=1, zorder=0)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="slope")
    axes.set_ylabel("intercept", labelpad=1)


def _heights(hessian: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """½ eᵀHe for each row of errors (T, 2)."""
    heights: np.ndarray = np.einsum("ti,ij,tj->t", errors, hessian, errors) / 2
    return heights


# --- the network ---------------------------------------------------------------------------------


@style()
def network_figure() -> Picture:
    """The two-layer network: its units, and below the chain of numbers and of gradients."""
    figure = new_figure((9.2, 4.2))
    axes = figure.add_axes((0.005, 0.01, 0.99, 0.98))
    axes.set(xlim=(0, 9.2), ylim=(0, 4.2))
    axes.set_axis_off()
    stations = {  # name: (shape, gradient, where)
        "x": ("(N, D)", "", 0.5),
        "a": ("(N, H)", r"$\partial L/\partial a$", 2.9),
        "h": ("(N, H)", r"$\partial L/\partial h$", 5.0),
        "z": ("(N, C)", r"$G = \partial L/\partial z$", 7.3),
        "L": ("a number", "", 8.8),
    }
    for name, (shape, gradient, at) in stations.items():
        axes.text(at, 1.5, f"${name}$", size=16, ha="center", va="center")
        axes.text(at, 1.15, shape, size=9.5, ha="center", va="center")
        axes.text(at, 0.4, gradient, size=12, ha="center", va="center")
    steps = (r"$xW_1 + b_1$", r"$\max(a, 0)$", r"$hW_2 + b_2$", "loss")
    back = ("", "through the ReLU", "through $W_2$", "")  # how is for the exercise to ask
    places = [at for _, _, at in stations.values()]
    for start, end, step, undo in zip(places, places[1:], steps, back, strict=False):
        axes.annotate("", (end - 0.3, 1.5), (start + 0.3, 1.5), arrowprops=_ARROW | {"color": BLUE})
        axes.text((start + end) / 2, 1.75, step, size=11, ha="center")
        if undo:
            axes.annotate("", (start + 0.5, 0.4), (end - 0.55, 0.4), arrowprops=_BACK)
            axes.text((start + end) / 2, 0.55, undo, size=11, ha="center")
    _units(axes, dict(zip(stations, places, strict=True)))
    axes.text(0.1, 2.15, "forward: numbers →", color=BLUE, weight="bold")
    axes.text(0.1, 0.35, "backward: gradients ←", weight="bold")
    return Picture(
        figure,
        "A network: D inputs, H hidden units, each before and after its ReLU, C outputs, one loss. "
        "Lines join every input with every hidden unit and every hidden unit with every output. "
        "Below, the same as a chain. Forward: from x, (N, D), by x W1 + b1 to a, (N, H); by "
        "max(a, 0) to h, (N, H); by h W2 + b2 to z, (N, C); by the loss to one number L. "
        "Backward: the gradient G at z leads through W2 to the gradient at h, and that through the "
        "ReLU to the gradient at a.",
    )


def _units(axes: Axes, places: Mapping[str, float]) -> None:
    """Circles for the units of each station, with dots for the many that are not drawn."""
    names = {"x": "D inputs", "a": "H hidden units", "h": "after the ReLU", "z": "C logits"}
    rows = {"x": 4, "a": 3, "h": 3, "z": 3, "L": 1}
    heights = {name: 3.25 + 0.38 * (np.arange(n) - (n - 1) / 2) for name, n in rows.items()}
    for start, end in pairwise(places):
        for (i, low), (j, high) in product(enumerate(heights[start]), enumerate(heights[end])):
            if (start, end) != ("a", "h") or i == j:  # a ReLU looks at its own unit alone
                along = [places[start], places[end]]
                axes.plot(along, [low, high], color=INK, linewidth=0.6, alpha=0.5, zorder=1)
    for name, at in places.items():
        color = BLUE if name == "L" else "white"
        axes.plot(np.full(rows[name], at), heights[name], "o", color=INK, mfc=color, markersize=13)
        if name in names:
            axes.text(at, 4.06, names[name], size=9.5, ha="center", va="center")
            axes.text(at, heights[name][0] - 0.3, "⋮", size=13, ha="center", va="center")


_ARROW: dict[str, Any] = {"arrowstyle": "->", "linewidth": 1.8}
_BACK: dict[str, Any] = {"arrowstyle": "->", "linewidth": 1.8, "linestyle": "--", "color": ORANGE}


def hidden_units(weights: np.ndarray) -> Picture:
    """What each hidden unit looks for: its incoming weights, laid out as an image.

    Args:
        weights: (H·H, U), one column for each of the units shown.
    """
    figure, units = weights_as_images(weights).figure, weights.shape[1]
    with style():
        for number, axes in enumerate(figure.axes[:units]):
            axes.set_title(f"unit {number}")
    strongest = float(np.abs(weights).max())
    return Picture(
        figure,
        f"Incoming weights of {units} hidden units as images, on a scale from −{strongest:.2g} "
        f"(orange) to {strongest:.2g} (blue): ink on a blue pixel pushes the unit up, ink on an "
        "orange one pushes it down.",
    )
