"""Pictures of lesson 04: averages that forget, and optimizers racing over a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from ..foundations.adam import adam_step, bias_corrected_average, rmsprop_step
from ..foundations.sgd import sgd_step
from .descent import CROSS, ESCAPED, GROUND, Rule, descend
from .explorer import Draw, Explorer, choice, log_slider, slider
from .palette import BLUE, GRAY, INK, LINES, MOVING_TEXT, ORANGE
from .training import curves as curves
from .words import brief

# --- averages ------------------------------------------------------------------------------------

TIMES = np.arange(1, 41)


def average_explorer() -> Explorer:
    """Exponential averages with and without correction, and the sum of the weights behind them.

    Returns:
        An explorer with the sliders ``beta`` and ``time``.
    """
    sliders = {
        "beta": slider("β", 0.9, 0.5, 0.99, 0.01),
        "time": slider("time t", 5, 1, len(TIMES), 1),
    }
    return Explorer(_prepare_averages, sliders, size=(9, 3.2))


def _prepare_averages(figure: Figure) -> Draw:
    values = 10 + np.random.default_rng(4).normal(scale=2, size=len(TIMES))
    figure.subplots_adjust(0.05, 0.17, 0.985, 0.9, wspace=0.13)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    left.plot(TIMES, values, ".", color=INK, markersize=5, label="values")
    left.set(xlim=(0, len(TIMES) + 1), ylim=(0, 19), xlabel="time", title="averages of the values")
    lines = [
        left.plot(TIMES, values, label=name, **line, animated=True)[0]
        for name, line in zip(("corrected", "plain"), LINES, strict=False)
    ]
    left.legend(loc="upper right", ncols=3)
    (sums,) = right.plot(TIMES, values, color=BLUE, animated=True)
    (point,) = right.plot(
        [], [], "s", color=ORANGE, markeredgecolor=INK, markersize=9, animated=True
    )
    right.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    right.set(xlim=(0, len(TIMES) + 1), ylim=(0, 1.08), xlabel="time")
    title = right.text(0.5, 1.03, "", weight="bold", **MOVING_TEXT, transform=right.transAxes)

    def draw(*, beta: float, time: float) -> str:
        now = int(time) - 1
        total = 1 - beta**TIMES
        corrected = bias_corrected_average(values, beta)
        averages = corrected, corrected * total
        for line, average in zip(lines, averages, strict=True):
            line.set(ydata=average, markevery=[now])
        sums.set_ydata(total)
        point.set_data([now + 1], [total[now]])
        title.set_text(f"sum of the weights at t = {now + 1}: {total[now]:.3f}")
        return (
            f"Values around 10. With β = {beta:g}, at time {now + 1}, the plain average is "
            f"{averages[1][now]:.2f} and the corrected one {corrected[now]:.2f}. The weights of "
            f"the values so far add up to {total[now]:.3f}."
        )

    return draw


# --- optimizers on a surface ---------------------------------------------------------------------

STEPS = 100

WINDOW = (-2.6, 2.6, -1.9, 2.3)
"""Lowest and highest first weight, lowest and highest second weight in the picture."""


@dataclass(frozen=True)
class Surface:
    """A loss of two weights.

    Attributes:
        height: from weights (2, ...) to the loss (...), whose minimum is 0.
        gradient: from weights (2,) to (2,).
        start: where the paths begin.
        minima: where the loss is 0.
    """

    height: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...] = ((0.0, 0.0),)


def _valley(turn: float) -> Surface:
    """½(a² + 50 b²) in coordinates (a, b) that are turned by an angle; SGD does not notice."""
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    hessian = axes.T @ np.diag([1.0, 50.0]) @ axes
    x, y = axes.T @ np.array([-2.0, 0.5])
    return Surface(
        height=lambda w: np.einsum("i...,ij,j...->...", w, hessian, w) / 2,
        gradient=lambda w: hessian @ w,
        start=(float(x), float(y)),
    )


SURFACES = {
    "valley along an axis": _valley(0),
    "the same valley, turned": _valley(np.pi / 5),
    "Rosenbrock's bent valley": Surface(
        height=lambda w: (1 - w[0]) ** 2 + 10 * (w[1] - w[0] ** 2) ** 2,
        gradient=lambda w: np.array(
            [
                -2 * (1 - w[0]) - 40 * w[0] * (w[1] - w[0] ** 2),
                20 * (w[1] - w[0] ** 2),
            ]
        ),
        start=(-1.2, 1.8),
        minima=((1.0, 1.0),),
    ),
    "saddle": Surface(
        height=lambda w: w[0] ** 2 + (w[1] ** 2 - 1) ** 2 / 4,
        gradient=lambda w: np.array([2 * w[0], w[1] * (w[1] ** 2 - 1)]),
        start=(-1.6, 1e-4),
        minima=((0.0, 1.0), (0.0, -1.0)),
    ),
}


def optimizer_explorer() -> Explorer:
    """SGD, RMSProp and Adam from the same start on the same surface, with the same rate.

    Returns:
        An explorer with the slider ``learning_rate`` and the list ``surface``.
    """
    name = next(iter(SURFACES))
    controls = {
        "learning_rate": log_slider("learning rate", 10**-1.5, 0.001, 1),
        "surface": choice("surface", {name: name for name in SURFACES}, name),
    }
    return Explorer(_prepare_race, controls, size=(9.4, 4))


def path(surface: Surface, rule: Rule, memories: int) -> np.ndarray:
    """The weights at the start and after each of at most `STEPS` steps, as `descend`."""
    return descend(surface.gradient, surface.start, rule, memories, STEPS)


def _rules(rate: float) -> dict[str, tuple[Rule, int]]:
    return {
        "SGD": (lambda w, g, t: (sgd_step(w, g, rate),), 0),
        "RMSProp": (lambda w, g, a, t: rmsprop_step(w, g, a, rate, 0.9, 1e-7), 1),
        "Adam": (lambda w, g, m, v, t: adam_step(w, g, m, v, t, rate, 0.9, 0.999, 1e-8), 2),
    }


def _prepare_race(figure: Figure) -> Draw:
    figure.subplots_adjust(0.035, 0.12, 0.985, 0.82, wspace=0.13)
    left, right = figure.subplots(1, 2)
    left.set(xlim=WINDOW[:2], ylim=WINDOW[2:], xticks=[], yticks=[])
    left.set(xlabel="the two weights: start □, minimum ★")
    right.set(yscale="log", xlim=(-1, STEPS + 1), ylim=(1e-8, 1e3), xlabel="step")
    grounds = {name: _ground(left, surface) for name, surface in SURFACES.items()}
    looks = [{**line, "markersize": 4, "linewidth": 1.5, "markevery": 10} for line in LINES]
    paths = [left.plot([], [], **look, animated=True)[0] for look in looks]
    losses = [right.plot([], [], **look, animated=True)[0] for look in looks]
    crosses = [
        axes.plot([], [], color=look["color"], linestyle="", **CROSS)[0]
        for axes in (left, right)
        for look in looks
    ]
    (start,) = left.plot(
        [], [], "s", color=INK, markersize=8, markerfacecolor="white", animated=True
    )
    (minima,) = left.plot([], [], "*", color=INK, markersize=13, animated=True)
    right.set_title(f"loss over {STEPS} steps")
    left.set_title("paths from one start")
    key = figure.legend(
        paths, [""] * 3, loc="upper center", ncols=3, borderaxespad=0.2, columnspacing=1.5
    )
    key.set_animated(True)

    def draw(*, learning_rate: float, surface: str) -> str:
        chosen = SURFACES[surface]
        for name, bands in grounds.items():
            for part in bands:
                part.set_visible(name == surface)
        start.set_data(*np.array(chosen.start)[:, None])
        minima.set_data(*np.transpose(chosen.minima))
        told = []
        for index, (name, (rule, memories)) in enumerate(_rules(learning_rate).items()):
            points = path(chosen, rule, memories)
            heights = chosen.height(points.T)
            escaped = np.abs(points[-1]).max() > ESCAPED
            paths[index].set_data(*points.T)
            losses[index].set_data(np.arange(len(heights)), np.maximum(heights, 1e-12))
            edge = np.clip(points[-1:], WINDOW[::2], WINDOW[1::2])
            crosses[index].set_data(*(edge.T if escaped else ([], [])))
            last = ([len(heights) - 1], [min(heights[-1], 1e3)])
            crosses[3 + index].set_data(*(last if escaped else ([], [])))
            told.append(f"{name}: {_end(heights, escaped)}")
            key.get_texts()[index].set_text(told[-1])
        return (
            f"{STEPS} steps on the surface “{surface}” with learning rate {learning_rate:.2g}. "
            f"{'. '.join(told)}."
        )

    return draw


def _end(heights: np.ndarray, escaped: bool) -> str:
    if escaped:
        return f"diverges at step {len(heights) - 1}"
    if heights[-1] < 1e-12:
        return "final loss below 1e−12"
    return f"final loss {brief(heights[-1])}"


def _ground(axes: Axes, surface: Surface) -> tuple[ContourSet, ContourSet]:
    """Bands of equal loss, narrower where it is low, and lines between them."""
    low_x, high_x, low_y, high_y = WINDOW
    x, y = np.linspace(low_x, high_x, 121), np.linspace(low_y, high_y, 121)
    heights = surface.height(np.array(np.meshgrid(x, y)))
    roots, levels = np.sqrt(heights / np.median(heights)), np.linspace(0.1, 1.8, 12)
    bands = axes.contourf(x, y, roots, levels, cmap=GROUND, extend="max", zorder=0)
    lines = axes.contour(x, y, roots, levels, colors=[GRAY], linewidths=1, zorder=0)
    for part in (bands, lines):
        part.set_animated(True)
    return bands, lines
