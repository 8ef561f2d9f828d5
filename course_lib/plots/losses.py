"""Pictures of lesson 01: what a loss measures and where its gradient points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.foundations.losses import (
    cross_entropy,
    mse,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)

from .explorer import Explorer, choice, slider
from .palette import BLUE, GREY, INK, LINES, MARKED, ORANGE, PLAIN, SIGNED, style
from .picture import Picture, new_figure

LINE_X = np.array([0.5, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.5])
LINE_Y = np.array([1.6, 1.2, 2.9, 2.6, 4.1, 3.4, 5.0, 5.1])


def logits_explorer(classes: Sequence[str] = ("cat", "dog", "bird")) -> Explorer:
    """From logits to probabilities, loss and gradient, for one example.

    Args:
        classes: names of two to five classes; each gets a slider for its logit.

    Returns:
        An explorer with one slider for each class, named as the class, and the list ``label``.
    """
    start = np.linspace(2, 0, len(classes))
    sliders = {
        name: slider(f"logit of {name}", value, -10, 10, 0.25)
        for name, value in zip(classes, start, strict=True)
    }
    label = choice("true label", {name: n for n, name in enumerate(classes)}, 0)
    return Explorer(_draw_logits, {**sliders, "label": label}, size=(9, 3.2))


def _draw_logits(figure: Figure, *, label: int, **by_name: float) -> str:
    names = list(by_name)
    logits = np.array([list(by_name.values())])
    p = softmax(logits)[0]
    loss = softmax_cross_entropy(logits, np.array([label]))
    gradient = softmax_cross_entropy_gradient(logits, np.array([label]))[0]

    figure.subplots_adjust(0.05, 0.2, 0.99, 0.79, wspace=0.25)
    left, middle, right = _cleared(figure) or figure.subplots(1, 3)
    figure.suptitle(
        f"true label: {names[label]}      p({names[label]}) = {_short(p[label])}      "
        f"loss = −log p = {loss:.3f}",
        weight="bold",
        y=0.97,
    )

    ticks = [f"{name}\nz = {z:g}" for name, z in zip(names, logits[0], strict=True)]
    _bars(left, ticks, p, label, "probabilities p = softmax(z)")
    left.set(ylim=(0, 1.12), yticks=(0, 0.5, 1))

    curve = np.geomspace(1e-9, 1, 200)
    middle.plot(curve, -np.log(curve), color=BLUE)
    middle.plot([p[label]] * 2 + [0], [0, loss, loss], color=INK, linestyle=":", linewidth=1.2)
    middle.plot(p[label], loss, "s", color=ORANGE, markeredgecolor=INK, markersize=9, zorder=3)
    middle.set(xlim=(-0.03, 1.03), ylim=(-0.6, 22), title=f"loss −log p({names[label]})")
    middle.set_xlabel(f"p({names[label]})", labelpad=1)

    _bars(right, names, gradient, label, "gradient p − onehot")
    right.axhline(0, color=INK, linewidth=0.8)
    right.set(ylim=(-1.35, 1.35), yticks=(-1, 0, 1))

    told = "; ".join(
        f"{name}: logit {z:g}, probability {_short(q)}, gradient {g:+.2f}"
        for name, z, q, g in zip(names, logits[0], p, gradient, strict=True)
    )
    return f"True label {names[label]}, loss {loss:.3f}. {told}."


def line_explorer(x: np.ndarray = LINE_X, y: np.ndarray = LINE_Y) -> Explorer:
    """A line to lay through points by hand, with the square of every error drawn as a square.

    Args:
        x: (N,), in the same units as ``y``, so that squares look square.
        y: (N,).

    Returns:
        An explorer with the sliders ``slope`` and ``intercept``.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)

    def draw(figure: Figure, *, slope: float, intercept: float) -> str:
        return _draw_line(figure, x, y, slope, intercept)

    sliders = {
        "slope": slider("slope", 0, -1, 2, 0.05),
        "intercept": slider("intercept", 1, -2, 5, 0.1),
    }
    return Explorer(draw, sliders, size=(8.2, 3.9))


def _draw_line(figure: Figure, x: np.ndarray, y: np.ndarray, slope: float, intercept: float) -> str:
    line = slope * x + intercept
    error = line - y
    loss = mse(line[:, None], y[:, None])

    figure.subplots_adjust(0.04, 0.08, 0.985, 0.91, wspace=0.12)
    left, right = _cleared(figure) or figure.subplots(1, 2, width_ratios=(2, 1))
    for at, low, e in zip(x, np.minimum(line, y), np.abs(error), strict=True):
        left.add_patch(Rectangle((at, low), e, e, **_SQUARE))
    left.plot(x, y, "o", color=INK)
    left.axline((0, intercept), slope=slope, color=BLUE)
    left.set_title(f"ŷ = {slope:.2f} x {_signed(intercept)}, and the square of each error")

    side = float(np.sqrt(loss))
    right.add_patch(Rectangle((0, 0), side, side, **_SQUARE))
    right.set_title(f"mean area: MSE = {loss:.2f}", weight="bold")
    for axes, width in ((left, x.max() + 3), (right, (x.max() + 3) / 2)):
        axes.set(aspect="equal", xlim=(-0.3, width), ylim=(-1.2, y.max() + 1.5))
    return (
        f"The line with slope {slope:.2f} and intercept {intercept:.1f} among {len(x)} points. "
        f"Mean squared error {loss:.2f}; the largest error is {error[np.abs(error).argmax()]:+.2f}, "
        f"at x = {x[np.abs(error).argmax()]:g}."
    )


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
        "Two curves over the error e from -3 to 3. Both are zero at e = 0 and meet again at 1 and "
        "-1. Beyond, the square grows faster: at e = 3 it is 9, the absolute value 3.",
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

    figure = new_figure((7.4, 3.2))
    axes = figure.add_axes((0.09, 0.16, 0.89, 0.8))
    axes.axvspan(shifts[0], first, facecolor=GREY)
    axes.axvspan(last, shifts[-1], facecolor=GREY)
    axes.plot(shifts, stable, color=BLUE, linewidth=5, label="row maximum subtracted")
    axes.plot(shifts, naive, color=ORANGE, linestyle="--", label="exp(z) / Σ exp(z)")
    axes.text((shifts[0] + first) / 2, 0.3, "all exp(z) are 0:\n0/0 = nan", ha="center")
    axes.text((shifts[-1] + last) / 2, 0.3, "exp(z) is ∞:\n∞/∞ = nan", ha="center")
    axes.set(
        xlim=(shifts[0], shifts[-1]),
        ylim=(0, 1),
        xlabel="number added to the logits 2, 1, 0",
        ylabel="probability of the first",
    )
    axes.legend(loc="lower center")
    return Picture(
        figure,
        f"The probability of the first of three classes stays at {stable[0]:.3f} whatever number "
        "is added to all logits, if the row maximum is subtracted. The plain formula gives nan "
        f"from {last:.0f} upwards and from {first:.0f} downwards.",
    )


@style()
def wrong_predictions_figure(
    images: np.ndarray,
    labels: np.ndarray,
    predictions: np.ndarray,
    probabilities: np.ndarray,
    count: int = 8,
) -> Picture:
    """The wrong predictions that the model was surest of, in a row.

    Args:
        images: (N, H, W) in grey values, or (N, H·H) for square ones; large is bright.
        labels: (N,) true classes.
        predictions: (N,) predicted classes.
        probabilities: (N, C) predicted probabilities.
        count: how many to show at most.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    sure = probabilities[np.arange(len(labels)), predictions]
    wrong = np.flatnonzero(predictions != labels)
    shown = wrong[np.argsort(-sure[wrong], kind="stable")][:count]
    figure = new_figure((1.12 * count, 1.75))
    total = f"{len(wrong)} of {len(labels)} predictions are wrong"
    if not len(shown):
        figure.text(0.5, 0.5, total, ha="center")
        return Picture(figure, f"{total}.")

    side = int(np.sqrt(images[0].size))
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.6, wspace=0.15)
    figure.suptitle(f"{total}; the surest of them:", y=0.97)
    for axes, n in zip(figure.subplots(1, count), shown, strict=False):
        image = images[n] if images.ndim == 3 else images[n].reshape(side, side)
        axes.imshow(image, cmap="gray_r")
        axes.set_title(f"is {labels[n]}\nsaid {predictions[n]} ({sure[n]:.2f})", fontsize=9.5)
    for axes in figure.axes:
        axes.set_axis_off()
    told = ", ".join(f"a {labels[n]} taken for a {predictions[n]} ({sure[n]:.2f})" for n in shown)
    return Picture(figure, f"{total}. The surest of them: {told}.")


@style()
def training_curves(
    train_losses: Sequence[float],
    test_losses: Sequence[float] = (),
    test_accuracies: Sequence[float] = (),
) -> Picture:
    """Losses after each epoch, and beside them accuracies if there are any.

    Args:
        train_losses: (T,), one for each epoch.
        test_losses: (T,) or empty.
        test_accuracies: (T,) between 0 and 1, or empty.
    """
    losses = {"training": train_losses, "test": test_losses}
    panels = {"loss": {name: values for name, values in losses.items() if len(values)}}
    if len(test_accuracies):
        panels["accuracy"] = {"test": test_accuracies}
    figure = new_figure((4.4 * len(panels), 3))
    figure.subplots_adjust(0.14 / len(panels), 0.17, 0.98, 0.9, wspace=0.25)
    told = []
    for axes, (name, curves) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for which, values in curves.items():
            line = LINES[list(losses).index(which)]
            axes.plot(
                np.arange(1, len(values) + 1),
                values,
                markevery=max(1, len(values) // 10),
                label=which,
                **line,
            )
            told.append(f"{which} {name} from {values[0]:.3f} to {values[-1]:.3f}")
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    return Picture(figure, f"Over {len(train_losses)} epochs: {', '.join(told)}.")


@style()
def weights_as_images(weights: np.ndarray) -> Picture:
    """What each class of a linear classifier looks for: its weights, laid out as an image.

    Args:
        weights: (H·H, C), one column for each class.
    """
    side = int(np.sqrt(len(weights)))
    classes = weights.shape[1]
    limit = float(np.abs(weights).max())
    columns = min(classes, 5)
    rows = -(-classes // columns)
    figure = new_figure((1.35 * columns + 1, 1.6 * rows))
    figure.subplots_adjust(0.01, 0.02, 0.86, 0.88, wspace=0.1, hspace=0.25)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for number, axes in enumerate(grid[:classes]):
        image = axes.imshow(
            weights[:, number].reshape(side, side), cmap=SIGNED, vmin=-limit, vmax=limit
        )
        axes.set_title(str(number))
    bar = figure.colorbar(image, cax=figure.add_axes((0.89, 0.1, 0.02, 0.7)))
    bar.set_ticks([-limit, 0, limit], labels=[f"{-limit:.2g}", "0", f"{limit:.2g}"])
    return Picture(
        figure,
        f"{classes} images of {side} by {side} weights, one for each class, from {-limit:.2g} "
        f"(dark: ink here speaks against the class) to {limit:.2g} (bright: it speaks for it).",
    )


_SQUARE = {"facecolor": ORANGE, "edgecolor": INK, "alpha": 0.45, "linewidth": 1.2}


def _cleared(figure: Figure) -> list[Axes]:
    """The axes of the last frame, emptied: faster than new ones. None before the first."""
    for axes in figure.axes:
        axes.clear()
    return figure.axes


def _bars(axes: Axes, names: Sequence[str], values: np.ndarray, marked: int, title: str) -> None:
    """Bars with their numbers, the marked one hatched."""
    bars = axes.bar(names, values, width=0.65, **PLAIN)
    bars[marked].set(**MARKED)
    labels = [_short(value) if value >= 0 else f"−{_short(-value)}" for value in values]
    axes.bar_label(bars, labels, padding=2, fontsize=9.5)
    axes.set_title(title)


def _short(probability: float) -> str:
    """Two digits, also for small numbers: 0.67, 0.0025, 2e-09."""
    if probability >= 0.01 or probability == 0:
        return f"{probability:.2f}"
    return f"{probability:.0e}"


def _signed(number: float) -> str:
    return f"{'−' if number < 0 else '+'} {abs(number):.1f}"
