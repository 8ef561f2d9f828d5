"""Pictures of lesson 06: rates by step and group, verdicts that changed, and who is ahead."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ..foundations.feature_extraction import standard_error
from ..foundations.fine_tuning import layerwise_learning_rates
from ..foundations.sgd import cosine_with_warmup
from .explorer import Draw, Explorer, slider
from .palette import INK, LINES, PLAIN, style
from .picture import Picture, new_figure
from .words import brief

STEPS = 200
GROUPS = ("older stage", "younger stage", "head")
BASE = 1e-3


def rates_explorer() -> Explorer:
    """The learning rate of three groups of layers at each step, and how far each can get.

    Returns:
        An explorer with the sliders ``warmup`` and ``decay``.
    """
    sliders = {
        "warmup": slider("warm-up, share of the steps", 0.1, 0.0, 0.5, 0.05),
        "decay": slider("factor from group to group", 0.5, 0.05, 1.0, 0.05),
    }
    return Explorer(_prepare_rates, sliders, size=(9, 3.2))


def _prepare_rates(figure: Figure) -> Draw:
    steps = np.arange(STEPS + 1)
    figure.subplots_adjust(0.085, 0.17, 0.965, 0.89, wspace=0.3)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    left.set(xlim=(0, STEPS), ylim=(0, 1.25 * BASE), xlabel="step", title="learning rate")
    lines = [
        left.plot(
            steps, 0.0 * steps, label=name, markevery=(12 * number, 40), **line, animated=True
        )[0]
        for number, (name, line) in enumerate(zip(GROUPS, LINES, strict=True))
    ]
    left.legend(loc="upper right", ncols=3)  # above all curves, wherever their peak is
    right.set(xlim=(0, 0.65 * BASE * STEPS), ylim=(-0.6, 2.6), yticks=range(3))
    right.set(yticklabels=GROUPS, xlabel="learning rate, summed up")
    right.set_title("how far Adam can move a weight")
    bars = right.barh(range(3), [0.0] * 3, height=0.6, **PLAIN, animated=True)
    words = [right.text(0, n, "", va="center", color=INK, animated=True) for n in range(3)]

    def draw(*, warmup: float, decay: float) -> str:
        warm = round(warmup * STEPS)
        schedule = np.array([cosine_with_warmup(t, STEPS, warm, 1.0) for t in range(STEPS + 1)])
        told = []
        for number, rate in enumerate(layerwise_learning_rates(3, BASE, decay)):
            lines[number].set_ydata(rate * schedule)
            reach = rate * schedule.sum()
            bars[number].set_width(reach)
            words[number].set(text=f" {brief(reach)}", x=reach)
            told.append(f"{GROUPS[number]} at most {brief(rate)}, in all {brief(reach)}")
        return (
            f"Learning rates over {STEPS} steps: a rise over the first {warm}, then half a cosine "
            f"down to 0. With a factor of {decay:.2f} from group to group: {'; '.join(told)}."
        )

    return draw


@style()
def variants_figure(image: np.ndarray, flips: Mapping[str, tuple[int, ...]]) -> Picture:
    """One cell in each of its variants, side by side.

    Args:
        image: (S, S, 1).
        flips: axes of (N, S, S, C) along which a variant is turned round, by its name.
    """
    figure = new_figure((2.1 * len(flips), 2.35))
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.88, wspace=0.06)
    for axes, (name, flip) in zip(figure.subplots(1, len(flips)), flips.items(), strict=True):
        axes.imshow(np.flip(image[None], flip)[0, ..., 0], cmap="gray", vmin=0, vmax=255)
        axes.set_title(name)
        axes.set_axis_off()
    return Picture(figure, f"The same solar cell {len(flips)} times: {', '.join(flips)}.")


@style()
def scores_figure(scores: Mapping[str, Mapping[str, np.ndarray]]) -> Picture:
    """Mean accuracy of each method, with a bar of one standard error and a tick for each split.

    A single split has neither: nothing tells its error.

    Args:
        scores: by kind and then by method, (R,) accuracies of R splits that each test on a quarter,
            0..1; R need not be the same for all methods.
    """
    methods = list(next(iter(scores.values())))
    figure = new_figure((8.6, 0.9 + 0.42 * len(methods)))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    told = []
    for number, ((kind, by_method), line) in enumerate(zip(scores.items(), LINES, strict=False)):
        means = np.array([np.mean(by_method[method]) for method in methods])
        repeats = np.array([len(by_method[method]) for method in methods])
        errors = [
            standard_error(by_method[method]) if len(by_method[method]) > 1 else 0.0
            for method in methods
        ]
        rows = np.arange(len(methods)) + 0.16 * (number - (len(scores) - 1) / 2)
        look = line | {"linestyle": "none"}
        axes.errorbar(100 * means, rows, xerr=100 * np.array(errors), label=kind, **look)
        if max(repeats) > 1:
            single = 100 * np.concatenate([by_method[method] for method in methods])
            ticks = look | {"marker": "|", "markersize": 9, "markeredgewidth": 0.8}
            axes.plot(single, np.repeat(rows, repeats), **ticks)
        told += [
            f"{kind}: "
            + ", ".join(
                f"{method} {100 * mean:.1f}" for method, mean in zip(methods, means, strict=True)
            )
        ]
    axes.set(yticks=range(len(methods)), yticklabels=methods, xlabel="accuracy in %")
    axes.margins(y=0.12)
    axes.invert_yaxis()
    axes.legend(loc="best")
    return Picture(figure, f"Accuracy in %, with one standard error. {'. '.join(told)}.")


@style()
def changed_figure(
    images: np.ndarray, truth: np.ndarray, before: np.ndarray, after: np.ndarray, count: int = 6
) -> Picture:
    """Images whose verdict changed: put right in the upper row, spoiled in the lower.

    Args:
        images: (N, S, S, 1).
        truth, before, after: (N,) what each is, and was called before and after.
        count: how many to show in a row at most.
    """
    rows = {
        "put right": np.flatnonzero((before != truth) & (after == truth)),
        "spoiled": np.flatnonzero((before == truth) & (after != truth)),
    }
    figure = new_figure((1.35 * count, 3.6))
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.9, wspace=0.1, hspace=0.42)
    grid = figure.subplots(2, count, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for line, found in zip(grid, rows.values(), strict=True):
        for axes, n in zip(line, found[:: max(1, len(found) // count)], strict=False):
            axes.imshow(images[n, ..., 0], cmap="gray", vmin=0, vmax=255)
            axes.set_title(f"{before[n]} → {after[n]}", fontsize=9.5)
    told = " and ".join(f"{len(found)} {name}" for name, found in rows.items())
    figure.suptitle(
        f"of {len(truth)} verdicts {told.replace(' and', ' (above),')} (below)", y=0.995
    )
    return Picture(figure, f"Images whose verdict changed, of {len(truth)}: {told}.")
