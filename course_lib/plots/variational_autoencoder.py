"""Pictures of lesson 09: a plane of codes that is dragged, rows of decoded digits, and a bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.errors import CourseError
from course_lib.foundations.variational_autoencoder import (
    linear_gaussian_elbo,
    linear_gaussian_log_likelihood,
    linear_gaussian_posterior,
    log_normal,
)

from .explorer import Draw, Explorer, choice, slider
from .palette import BLUE, INK, ORANGE, style
from .picture import Picture, new_figure
from .words import brief

Decode = Callable[[np.ndarray], np.ndarray]
"""From codes (N, 2) to gray values (N, H·H)."""

_MOVING: dict[str, Any] = {"animated": True}
_INK_IMAGE: dict[str, Any] = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0}

# --- the plane of codes ---------------------------------------------------------------------------

NEIGHBORS = 5
SHOWN = 300
"""So many codes are written into the plane: more hide each other."""


def plane_explorer(
    decode: Decode, codes: np.ndarray, images: np.ndarray, labels: np.ndarray
) -> Explorer:
    """A point in the plane of codes, the picture that it decodes to, and its nearest neighbors.

    Args:
        decode: the decoder.
        codes: (N, 2), of images that the network knows.
        images: (N, H·H), those images, gray values in 0..1.
        labels: (N,) their classes, written into the plane at their codes.

    Returns:
        An explorer with the sliders ``first`` and ``second``.
    """
    low, high = np.quantile(codes, [0.01, 0.99], axis=0)
    margin = 0.08 * (high - low)
    stop = 10.0 ** math.floor(math.log10(float(np.min(high - low)) / 20))
    ends = np.round(np.stack([low - margin, high + margin]) / stop) * stop
    controls = {
        name: slider(f"{name} number", 0.0, float(least), float(most), stop)
        for name, least, most in zip(("first", "second"), *ends, strict=True)
    }
    for control in controls.values():
        control.readout_format = f".{max(0, round(-math.log10(stop)))}f"
    prepare = partial(_prepare_plane, decode, np.asarray(codes, float), images, labels, ends)
    return Explorer(prepare, controls, size=(9.2, 4.4))


def _prepare_plane(
    decode: Decode,
    codes: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    ends: np.ndarray,
    figure: Figure,
) -> Draw:
    plane = figure.add_axes((0.07, 0.11, 0.49, 0.83))
    plane.set(xlim=ends[:, 0], ylim=ends[:, 1], xlabel="first number of the code")
    plane.set_ylabel("second number", labelpad=1)
    plane.set_title("codes of known digits, +: your code")
    for code, label in zip(codes[:SHOWN], labels, strict=False):
        plane.text(
            code[0], code[1], str(label), size=8, ha="center", va="center", clip_on=True, alpha=0.75
        )
    for size, color in ((21, "white"), (17, ORANGE)):
        (cross,) = plane.plot([0], [0], "+", color=color, markersize=size, **_MOVING)
        cross.set(markeredgewidth=size / 5, clip_on=False)  # whole at the edges, too
    crosses = plane.lines[-2:]

    side = _side(images)
    picture = _frame(figure, (0.6, 0.42, 0.36, 0.5), "its picture")
    shown = picture.imshow(np.zeros((side, side)), **_INK_IMAGE, **_MOVING)
    small, names = [], []
    for place in range(NEIGHBORS):
        axes = _frame(figure, (0.6 + 0.076 * place, 0.09, 0.068, 0.15), "")
        small.append(axes.imshow(np.zeros((side, side)), **_INK_IMAGE, **_MOVING))
        names.append(figure.text(0.634 + 0.076 * place, 0.045, "", ha="center", **_MOVING))
    figure.text(0.79, 0.28, "known digits with the nearest codes", ha="center", size=10.5)

    def draw(*, first: float, second: float) -> str:
        code = np.array([first, second])
        gray = np.clip(decode(code[None])[0], 0, 1)
        distance = np.linalg.norm(codes - code, axis=1)
        nearest = np.argsort(distance, kind="stable")[:NEIGHBORS]
        for cross in crosses:
            cross.set_data([first], [second])
        shown.set_data(gray.reshape(side, side))
        for image, name, n in zip(small, names, nearest, strict=True):
            image.set_data(images[n].reshape(side, side))
            name.set_text(str(labels[n]))
        sure = np.mean((gray < 0.1) | (gray > 0.9))
        return (
            f"Code ({_signed(first)}, {_signed(second)}). Its picture: {gray.mean():.0%} ink, "
            f"{sure:.0%} of its pixels nearly black or nearly white. The known digits with the "
            f"nearest codes: {', '.join(str(labels[n]) for n in nearest)}; the nearest is "
            f"{brief(distance[nearest[0]])} away."
        )

    return draw


def _frame(figure: Figure, box: tuple[float, float, float, float], title: str) -> Axes:
    """Axes for an image: a frame without ticks."""
    axes = figure.add_axes(box)
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(True)
    return axes


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _side(images: np.ndarray) -> int:
    """Width of square images (N, H·H)."""
    side = math.isqrt(images.shape[1])
    if side**2 != images.shape[1]:
        raise CourseError(f"{images.shape[1]} pixels do not fill a square image.")
    return side


@style()
def plane_figure(decode: Decode, reach: float = 2.0, count: int = 13) -> Picture:
    """What the decoder makes of a grid of codes: a map of the plane.

    Args:
        decode: the decoder.
        reach: the plane is shown from −reach to reach in both numbers.
        count: pictures in a row and in a column.
    """
    line = np.linspace(-reach, reach, count)
    codes = np.array([(first, second) for second in line[::-1] for first in line])
    gray = np.clip(decode(codes), 0, 1)
    side = _side(gray)
    rows = gray.reshape(count, count, side, side).swapaxes(1, 2)
    figure = new_figure((5.6, 5.6))
    axes = figure.add_axes((0.12, 0.09, 0.87, 0.87))
    edge = reach + reach / (count - 1)
    extent = (-edge, edge, -edge, edge)
    axes.imshow(rows.reshape(count * side, count * side), extent=extent, **_INK_IMAGE)
    axes.set(xlabel="first number of the code")
    axes.set_ylabel("second number", labelpad=0)
    steps = np.abs(np.diff(rows.swapaxes(1, 2), axis=1)).mean()
    return Picture(
        figure,
        f"{count} by {count} pictures, decoded from codes between {_signed(-reach)} and "
        f"{_signed(reach)} in both numbers. From one picture to its neighbor on the right the "
        f"gray value of a pixel changes by {steps:.2f} on average.",
    )


# --- rows of pictures -----------------------------------------------------------------------------


@style()
def rows_of_pictures(by_name: Mapping[str, np.ndarray]) -> Picture:
    """Rows of square images, a name in front of each row; large is ink, 0 white and 1 black.

    Args:
        by_name: for each row (K, H·H), the same K everywhere.

    Raises:
        CourseError: the images are not square.
    """
    count = len(next(iter(by_name.values())))
    names = 0.25 + 0.085 * max(map(len, by_name))
    figure = new_figure((names + 0.62 * count, 0.68 * len(by_name) + 0.06))
    left = (names - 0.05) / (names + 0.62 * count)
    figure.subplots_adjust(left, 0.02, 0.995, 0.98, wspace=0.06, hspace=0.08)
    grid = figure.subplots(len(by_name), count, squeeze=False)
    told = []
    for row, (name, images) in zip(grid, by_name.items(), strict=True):
        side = _side(images)
        for axes, image in zip(row, images, strict=True):
            axes.imshow(image.reshape(side, side), **_INK_IMAGE)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
        outside = np.mean((images < 0) | (images > 1))
        told.append(
            f"{name}: {np.mean(np.clip(images, 0, 1)):.0%} ink, one picture differs from their "
            f"mean by {np.abs(images - images.mean(axis=0)).mean():.2f} a pixel"
            + (f", {outside:.0%} of the pixels outside 0 to 1" if outside else "")
        )
    return Picture(figure, f"Rows of {count} pictures. {'. '.join(told)}.")


# --- the bound ------------------------------------------------------------------------------------

_CODES = np.linspace(-4, 4, 241)
_LOWEST = -6.0
"""Nats at the lower edge of the picture of the bound."""


def bound_explorer(x: float, weight: float, variance: float) -> Explorer:
    """A Gaussian q(z|x) to be moved, and what the ELBO says of it: below log p(x), or not.

    Args:
        x: what was observed.
        weight, variance: of x given z, N(weight·z, variance); z has the prior N(0, 1).

    Returns:
        An explorer with the sliders ``mean`` and ``deviation`` and the list ``kl_weight``.
    """
    controls = {
        "mean": slider("mean of q", 0.0, -2.0, 2.0, 0.05),
        "deviation": slider("deviation of q", 1.0, 0.3, 2.0, 0.05),
        "kl_weight": choice("weight of KL", {"1": 1.0, "½, as in the article": 0.5}, 1.0),
    }
    return Explorer(partial(_prepare_bound, x, weight, variance), controls, size=(9.2, 3.7))


def _prepare_bound(x: float, weight: float, variance: float, figure: Figure) -> Draw:
    exact = linear_gaussian_log_likelihood(x, weight, variance)
    best, best_variance = linear_gaussian_posterior(x, weight, variance)
    figure.subplots_adjust(0.06, 0.14, 0.985, 0.82, wspace=0.2)
    left, right = figure.subplots(1, 2)
    left.set(xlim=(-4, 4), ylim=(0, 1.4), xlabel="code z", ylabel="density")
    left.plot(_CODES, _density(0.0, 1.0), ":", color=INK, label="prior p(z)")
    left.plot(_CODES, _density(best, best_variance), "--", color=ORANGE, label="p(z|x)")
    (hill,) = left.plot([], [], color=BLUE, label="q(z|x), yours", linewidth=2.5, **_MOVING)
    left.legend(loc="upper left")
    means = np.linspace(-2, 2, 161)
    right.set(xlim=(-2, 2), ylim=(_LOWEST, exact + 1.2), xlabel="mean of q", ylabel="nats")
    right.axhline(exact, color=ORANGE, linestyle="--")
    right.text(-1.95, exact + 0.12, f"log p(x) = {_signed(exact)}")
    (curve,) = right.plot([], [], color=BLUE, linewidth=1.3, **_MOVING)
    (point,) = right.plot([], [], "o", color=BLUE, markersize=9, clip_on=False, **_MOVING)
    headline = figure.text(0.5, 0.92, "", weight="bold", size=11, ha="center", **_MOVING)

    def draw(*, mean: float, deviation: float, kl_weight: float) -> str:
        log_variance = 2 * math.log(deviation)
        model = {"weight": weight, "variance": variance, "kl_weight": kl_weight}
        value = float(linear_gaussian_elbo(x, mean, log_variance, **model))
        hill.set_data(_CODES, _density(mean, deviation**2))
        curve.set_data(means, linear_gaussian_elbo(x, means, log_variance, **model))
        point.set_data([mean], [max(value, _LOWEST)])
        gap = exact - value
        name = "ELBO" if kl_weight == 1 else "with half the KL"
        side = f"{gap:.3f} below" if gap >= 0 else f"{-gap:.3f} ABOVE"
        headline.set_text(f"{name}: {value:.3f}, that is {side} log p(x)".replace("-", "−"))
        return (
            f"q has the mean {_signed(mean)} and the deviation {deviation:.2f}; p(z|x) has "
            f"{_signed(best)} and {math.sqrt(best_variance):.2f}. {headline.get_text()}, which "
            f"is {_signed(exact)}."
        )

    return draw


def _density(mean: float, variance: float) -> np.ndarray:
    density: np.ndarray = np.exp(log_normal(_CODES, np.array(mean), np.array(variance)))
    return density
