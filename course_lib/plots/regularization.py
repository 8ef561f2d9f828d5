"""Pictures of lesson 02: what penalties do to a fit, to its weights and to its validation error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..foundations.losses import mse
from ..foundations.regularization import ridge_weights, soft_threshold
from .explorer import Draw, Explorer, choice, log_slider
from .palette import BLUE, INK, LINES, MARKED, MOVING_TEXT, ORANGE, PLAIN, style
from .picture import Picture, new_figure
from .words import number

EXPONENTS = np.arange(-10, 1.01, 0.25)
"""Decimal logarithms of the strengths that the explorer offers."""

POINTS: dict[str, Any] = {"marker": "o", "linestyle": "", "color": INK, "markersize": 5}
GRID = np.linspace(-1, 1, 201)


def noisy_sine(count: int = 12, noise: float = 0.25, seed: int = 4) -> tuple[np.ndarray, ...]:
    """The curve-fitting problem of the lesson: few noisy points of one period of a sine.

    Args:
        count: of training points, evenly spaced from -1 to 1.
        noise: standard deviation of the targets around sin πx.
        seed: of the noise and of the validation points.

    Returns:
        x and t of the training points, (count,), then of 200 validation points.
    """
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, count)
    t = np.sin(np.pi * x) + noise * rng.normal(size=count)
    fresh = rng.uniform(-1, 1, 200)
    return x, t, fresh, np.sin(np.pi * fresh) + noise * rng.normal(size=200)


def powers(x: np.ndarray, degree: int) -> np.ndarray:
    """Features of a polynomial: (N, degree + 1) with the columns x, x², ... and the ones last."""
    columns: np.ndarray = np.asarray(x, dtype=float)[:, None] ** np.append(
        np.arange(1, degree + 1), 0
    )
    return columns


# --- the explorer --------------------------------------------------------------------------------


def strength_explorer(penalty: str = "L2", degree: int = 11) -> Explorer:
    """A polynomial through few points, its weights and its errors, at any strength of a penalty.

    Args:
        penalty: "L2" or "L1", what the list shows first.
        degree: of the polynomial.

    Returns:
        An explorer with the slider ``strength`` (logarithmic) and the list ``penalty``.
    """
    sliders = {
        "strength": log_slider("strength", 1e-10, 1e-10, 10, step=0.25, readout=".1e"),
        "penalty": choice("penalty", {name: name for name in ("L2", "L1")}, penalty),
    }
    x, t, fresh_x, fresh_t = noisy_sine()
    features, strengths = powers(x, degree), 10**EXPONENTS
    paths = {
        "L2": np.array([ridge_weights(features, t, strength) for strength in strengths]),
        "L1": lasso_path(features, t, strengths),
    }
    data = {
        "x": x.tolist(),
        "t": t.tolist(),
        "freshX": fresh_x.tolist(),
        "freshT": fresh_t.tolist(),
        "exponents": EXPONENTS.tolist(),
        "paths": {name: path.tolist() for name, path in paths.items()},
    }
    prepare = partial(_prepare_strength, degree, paths)
    return Explorer(prepare, sliders, size=(9.6, 3.4), in_browser=("penalty", data))


def _prepare_strength(degree: int, paths: Mapping[str, np.ndarray], figure: Figure) -> Draw:
    x, t, fresh_x, fresh_t = noisy_sine()
    features, fresh = powers(x, degree), powers(fresh_x, degree)
    strengths = 10**EXPONENTS
    curves = {name: path @ powers(GRID, degree).T for name, path in paths.items()}
    errors = {
        name: [
            np.array([mse(rows @ weights, answers) for weights in path])
            for rows, answers in ((features, t), (fresh, fresh_t))
        ]
        for name, path in paths.items()
    }

    figure.subplots_adjust(0.05, 0.16, 0.985, 0.83, wspace=0.3)
    left, middle, right = figure.subplots(1, 3)
    headline = figure.text(0.5, 0.93, "", weight="bold", size=11, ha="center", animated=True)

    left.plot(GRID, np.sin(np.pi * GRID), color=ORANGE, linestyle="--", label="truth")
    (curve,) = left.plot([], [], color=BLUE, label="fit", animated=True)
    left.plot(x, t, **POINTS, animated=True)
    left.set(xlim=(-1.05, 1.05), ylim=(-2.6, 2.6), xlabel="x", title="the fit")
    left.legend(loc="lower center", fontsize=9)

    bars = middle.bar(np.arange(1, degree + 1), np.zeros(degree), animated=True, **PLAIN)
    zeros = [middle.text(k + 1, 0, "0", **MOVING_TEXT | {"size": 9.5}) for k in range(degree)]
    middle.axhline(0, color=INK, linewidth=0.8)
    middle.set_yscale("symlog", linthresh=1)
    middle.set(ylim=(-9999, 9999), yticks=(-1000, -10, 0, 10, 1000), xlabel="power of x")
    middle.set_yticklabels(["−1000", "−10", "0", "10", "1000"])
    middle.set_xticks(np.arange(1, degree + 1, 2))
    middle.minorticks_off()
    middle_title = middle.text(0.5, 1.036, "", transform=middle.transAxes, **MOVING_TEXT)

    right.set(xscale="log", yscale="log", xlabel="strength", title="mean squared error")
    right.set(xlim=(strengths[0] / 4, strengths[-1] * 4), ylim=(4e-3, 8))
    right.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    right.minorticks_off()
    lines, marks = [], []
    for name, line in zip(("training", "validation"), LINES, strict=False):
        shown = {**line, "marker": ""}
        lines += right.plot(strengths, np.ones(len(strengths)), label=name, animated=True, **shown)
        marks += right.plot([], [], **{**line, "markersize": 9}, mec=INK, animated=True)
    right.legend(loc="upper right", fontsize=9)

    def draw(*, strength: float, penalty: str) -> str:
        at = int(np.abs(EXPONENTS - np.log10(strength)).argmin())
        weights = paths[penalty][at][:-1]
        curve.set_data(GRID, curves[penalty][at])
        for bar, zero, weight in zip(bars, zeros, weights, strict=True):
            bar.set_height(weight)
            zero.set_visible(weight == 0)
        for line, mark, values in zip(lines, marks, errors[penalty], strict=True):
            line.set_ydata(values)
            mark.set_data([strengths[at]], [values[at]])
        training, validation = (values[at] for values in errors[penalty])
        used = np.count_nonzero(weights)
        middle_title.set_text(f"weights: {used} of {degree} not zero")
        headline.set_text(
            f"{penalty}, strength {_strength(strengths[at])}      training error "
            f"{training:.3f}      validation error {validation:.3f}"
        )
        best = errors[penalty][1].argmin()
        return (
            f"{penalty} penalty of strength {_strength(strengths[at])} on a polynomial of degree "
            f"{degree} through {len(x)} points. Training error {training:.3f}, validation error "
            f"{validation:.3f} (least, {errors[penalty][1][best]:.3f}, at strength "
            f"{_strength(strengths[best])}). {used} of {degree} weights are not zero, the largest "
            f"has size {np.abs(weights).max():.3g}."
        )

    return draw


def lasso_path(features: np.ndarray, targets: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """What `lasso_weights` converges to, for many strengths at once.

    Powers of x are so alike that proximal gradient steps would take minutes, and least angle
    regression picks wrong ones on some processors. Here the residuals are found first: of all with
    |xᵀr| at most λN/2 for each column x, those nearest to the targets (Osborne, Presnell & Turlach
    2000, "On the LASSO and its dual"). This is least distance programming, and non-negative least
    squares solve it (Lawson & Hanson 1974, Solving Least Squares Problems, 23.4); the weights are
    its multipliers.

    Args:
        features: (N, D), the bias column last.
        targets: (N,).
        strengths: (S,), positive.

    Returns:
        (S, D), the bias last.
    """
    from scipy.optimize import nnls

    columns = features[:, :-1] - features[:, :-1].mean(axis=0)
    pull = columns.T @ (targets - targets.mean())
    goal = np.append(np.zeros(len(targets)), 1.0)
    path = []
    for bound in strengths * len(targets) / 2:
        limits = np.concatenate([pull - bound, -pull - bound])
        multipliers, _ = nnls(np.vstack([np.hstack([-columns, columns]), limits]), goal)
        positive, negative = np.split(multipliers / (1 - limits @ multipliers), 2)
        path.append(positive - negative)
    weights = np.array(path)
    return np.column_stack([weights, targets.mean() - weights @ features[:, :-1].mean(axis=0)])


# --- figures -------------------------------------------------------------------------------------


@style()
def fits(x: np.ndarray, t: np.ndarray, curves: Mapping[str, np.ndarray]) -> Picture:
    """Several fits of the same points, side by side, over the sine that made them.

    Args:
        x, t: (N,) training points.
        curves: title -> (201,) predictions on `GRID`.
    """
    figure = new_figure((3.0 * len(curves), 2.7))
    figure.subplots_adjust(0.05, 0.17, 0.99, 0.88, wspace=0.12)
    told = []
    for axes, (title, curve) in zip(
        figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True
    ):
        axes.plot(GRID, np.sin(np.pi * GRID), color=ORANGE, linestyle="--", label="truth")
        axes.plot(GRID, curve, color=BLUE, label="fit")
        axes.plot(x, t, **POINTS)
        axes.set(ylim=(-2.6, 2.6), yticks=(-2, 0, 2), xlabel="x", title=title)
        low, high = (number(end, ".1f") for end in (curve.min(), curve.max()))
        told.append(f"{title}, from {low} to {high}")
    axes.legend(loc="lower center", fontsize=9)
    return Picture(
        figure,
        f"{len(x)} points near a sine, and {len(curves)} fits: {'; '.join(told)}.",
    )


@style()
def shares_kept(eigenvalues: np.ndarray, shares: Mapping[str, np.ndarray]) -> Picture:
    """How much of the least-squares solution is kept along each eigenvector.

    Args:
        eigenvalues: (D,) of XᵀX/N with centered columns, all positive.
        shares: name -> (D,) shares between 0 and 1.
    """
    figure = new_figure((6.4, 3))
    axes = figure.add_axes((0.1, 0.18, 0.87, 0.77))
    told = []
    for (name, values), line in zip(shares.items(), LINES, strict=False):
        axes.plot(eigenvalues, values, label=name, **line)
        told.append(
            f"{name}: {values[eigenvalues.argmax()]:.2f} for the largest, "
            f"{number(values[eigenvalues.argmin()], '.2g')} for the smallest"
        )
    axes.set(xscale="log", ylim=(-0.03, 1.05), xlabel="eigenvalue d", ylabel="share kept")
    axes.legend()
    return Picture(
        figure,
        f"Share of the solution that is kept along each of {len(eigenvalues)} eigenvectors, "
        f"rising with the eigenvalue. {'. '.join(told)}.",
    )


@style()
def shrinking(amount: float = 1.0) -> Picture:
    """The v that minimizes ½ (v - w)² plus a · v² (L2) or a · |v| (L1), for each w.

    Args:
        amount: a, not negative.
    """
    w = np.linspace(-3, 3, 121)
    figure = new_figure((5.2, 3.2))
    axes = figure.add_axes((0.11, 0.16, 0.86, 0.8))
    axes.plot(w, w, color=INK, linewidth=0.8)
    axes.text(1.9, 2.3, "no penalty", ha="right", size=9.5)
    curves = {
        "L2: w / (1 + 2a)": w / (1 + 2 * amount),
        "L1: soft threshold": soft_threshold(w, amount),
    }
    for (name, values), line in zip(curves.items(), LINES, strict=False):
        axes.plot(w, values, label=name, markevery=20, **line)
    axes.set(xlabel=f"w before, a = {amount:g}", ylabel="v after")
    axes.legend(loc="upper left")
    return Picture(
        figure,
        f"Two curves over w from −3 to 3. Under L2 the result is a straight line of slope "
        f"{1 / (1 + 2 * amount):.2f} through zero. Under L1 it is exactly zero between "
        f"−{amount:g} and {amount:g}, and beyond it runs parallel to no penalty, {amount:g} "
        "closer to zero.",
    )


@style()
def weights_side_by_side(truth: np.ndarray, found: Mapping[str, np.ndarray]) -> Picture:
    """Bars of the weights that several methods found, the true ones marked behind them.

    Args:
        truth: (D,); entries that are not zero are drawn as marked bars.
        found: name -> (D,).
    """
    place = np.arange(1, len(truth) + 1)
    limit = 1.1 * max(np.abs(w).max() for w in (truth, *found.values()))
    figure = new_figure((4.4 * len(found), 2.8))
    figure.subplots_adjust(0.06, 0.18, 0.99, 0.88, wspace=0.14)
    told = []
    for axes, (name, weights) in zip(
        figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True
    ):
        zero = int(np.count_nonzero(weights == 0))
        for chosen, look in ((truth != 0, MARKED), (truth == 0, PLAIN)):
            axes.bar(place[chosen], weights[chosen], width=0.7, **look)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.plot(place[weights == 0], weights[weights == 0], "o", color=INK, mfc="white", ms=4)
        title = f"{name}: {zero} of {len(weights)} exactly zero"
        axes.set(ylim=(-limit, limit), xlabel="number of the weight", title=title)
        axes.set_xticks([1, *range(5, len(truth) + 1, 5)])
        idle = np.abs(weights[truth == 0]).max()
        told.append(f"{title}; the largest of the useless ones has size {idle:.2f}")
    return Picture(
        figure,
        f"Bars of {len(truth)} weights, of which {np.count_nonzero(truth)} (hatched) matter. "
        f"{'. '.join(told)}.",
    )


@style()
def stopping_curves(training: Sequence[float], validation: Sequence[float], best: int) -> Picture:
    """Training and validation loss after each step, and the step whose weights to keep."""
    figure = new_figure((6, 3))
    axes = figure.add_axes((0.1, 0.17, 0.87, 0.78))
    told = []
    for name, values, line in zip(
        ("training", "validation"), (training, validation), LINES, strict=False
    ):
        axes.plot(values, label=name, markevery=max(1, len(values) // 10), **line)
        told.append(f"{name} loss from {values[0]:.2f} to {values[-1]:.2f}")
    axes.axvline(best, color=INK, linestyle=":", linewidth=1.2)
    axes.annotate(f"best: step {best}", (best, 0.9), (6, 0), **_BESIDE, size=9.5)
    axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
    axes.legend()
    return Picture(
        figure,
        f"Over {len(training)} steps: {', '.join(told)}. The validation loss is least, "
        f"{validation[best]:.2f}, at step {best}.",
    )


@style()
def scores_by_strength(strengths: np.ndarray, scores: Mapping[str, np.ndarray]) -> Picture:
    """Accuracy against the strength of a penalty, mean and spread over seeds.

    Args:
        strengths: (S,), positive.
        scores: name -> (seeds, S), accuracies between 0 and 1.
    """
    figure = new_figure((6, 3))
    axes = figure.add_axes((0.1, 0.17, 0.87, 0.78))
    told = []
    for shift, (name, values), line in zip((0.97, 1.03), scores.items(), LINES, strict=False):
        mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
        axes.errorbar(strengths * shift, mean, spread, label=name, capsize=3, **line)
        told.append(
            f"{name} from {mean[0]:.0%} at the weakest to {mean[-1]:.0%} at the strongest, "
            f"at most {mean.max():.0%} at {_strength(strengths[mean.argmax()])}"
        )
    axes.set(xscale="log", xlabel="strength", ylabel="accuracy")
    axes.legend(loc="lower left")
    return Picture(figure, f"Accuracy over {len(strengths)} strengths: {'; '.join(told)}.")


_BESIDE: dict[str, Any] = {
    "xycoords": ("data", "axes fraction"),
    "textcoords": "offset points",
}


def _strength(strength: float) -> str:
    """Two digits, small ones as powers of ten: 0.56, 1.8e−06."""
    return number(strength, ".2g" if strength >= 1e-3 else ".1e")
