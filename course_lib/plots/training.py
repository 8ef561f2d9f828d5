"""Pictures of a classifier in training: its losses, its weights, its mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import CourseError
from .palette import GRAY, INK, LINES, SIGNED, style
from .picture import Picture, framed, new_figure
from .words import brief


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
        images: (N, H, W) in gray values, or (N, H·H) for square ones; large is ink.
        labels: (N,) true classes.
        predictions: (N,) predicted classes.
        probabilities: (N, C) predicted probabilities.
        count: how many to show at most.

    Raises:
        CourseError: images in one row each that are not square.
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

    figure.subplots_adjust(0.01, 0.02, 0.99, 0.6, wspace=0.15)
    figure.suptitle(f"{total}; the surest of them:", y=0.97)
    for axes, n in zip(figure.subplots(1, count, squeeze=False)[0], shown, strict=False):
        axes.imshow(images[n] if images.ndim == 3 else _square(images[n]), cmap="gray_r")
        axes.set_title(f"is {labels[n]}\nsaid {predictions[n]} ({sure[n]:.2f})", fontsize=9.5)
    for axes in figure.axes:
        axes.set_axis_off()
    told = ", ".join(
        f"{_with_article(labels[n])} taken for {_with_article(predictions[n])} ({sure[n]:.2f})"
        for n in shown
    )
    return Picture(figure, f"{total}. The surest of them: {told}.")


@style()
def training_curves(
    train_losses: Sequence[float],
    test_losses: Sequence[float] = (),
    test_accuracies: Sequence[float] = (),
    unit: str = "epoch",
) -> Picture:
    """Losses after each epoch, step or batch, and beside them accuracies if there are any.

    Args:
        train_losses: (T,), one for each unit.
        test_losses: (T,) or empty.
        test_accuracies: (T,) between 0 and 1, or empty.
        unit: what T counts, in the singular.

    Raises:
        CourseError: there are no losses.
    """
    if not len(train_losses):
        raise CourseError("There are no losses to draw: append one after each step of training.")
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
            number = list(losses).index(which)
            every = max(1, len(values) // 10)
            axes.plot(
                np.arange(1, len(values) + 1),
                values,
                markevery=(number * every // 2, every),  # markers of two lines do not coincide
                label=which,
                **LINES[number],
            )
            told.append(f"{which} {name} from {values[0]:.3f} to {values[-1]:.3f}")
        axes.set(xlabel=unit, title=name)
        axes.legend()
    return Picture(figure, f"From {unit} 1 to {len(train_losses)}: {', '.join(told)}.")


@style()
def weights_as_images(weights: np.ndarray) -> Picture:
    """What each class of a linear classifier looks for: its weights, laid out as an image.

    Args:
        weights: (H·H, C), one column for each class.

    Raises:
        CourseError: the number of rows is no square.
    """
    side, classes = len(_square(weights[:, 0])), weights.shape[1]
    limit = float(np.abs(weights).max()) or 1.0
    columns = min(classes, 5)
    rows = -(-classes // columns)
    figure = new_figure((1.35 * columns + 1, 1.6 * rows))
    figure.subplots_adjust(0.01, 0.02, 0.86, 0.88, wspace=0.1, hspace=0.25)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for number, axes in enumerate(grid[:classes]):
        image = axes.imshow(_square(weights[:, number]), cmap=SIGNED, vmin=-limit, vmax=limit)
        framed(axes)
        axes.set_title(str(number))
    bar = figure.colorbar(image, cax=figure.add_axes((0.89, 0.1, 0.02, 0.7)))
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"{limit:.2g}"])
    return Picture(
        figure,
        f"{classes} images of {side} by {side} weights, one for each class, from −{limit:.2g} "
        f"(orange: ink here speaks against the class) to {limit:.2g} (blue: it speaks for it).",
    )


def _with_article(number: int) -> str:
    """A number as it is read aloud: "a 7", but "an 8", "an 11", "an 18", "an 80"."""
    spoken = str(number)
    return f"{'an' if spoken[0] == '8' or spoken in ('11', '18') else 'a'} {spoken}"


def _square(pixels: np.ndarray) -> np.ndarray:
    """Pixels (H·H,) as an image (H, H)."""
    side = round(np.sqrt(pixels.size))
    if side**2 != pixels.size:
        raise CourseError(f"{pixels.size} pixels do not fill a square image: pass whole images.")
    return pixels.reshape(side, side)


@style()
def curves(
    x: Sequence[float] | np.ndarray,
    by_name: Mapping[str, Any],
    x_label: str,
    y_label: str,
    logarithmic: str = "",
    words: Mapping[str, str] | None = None,
) -> Picture:
    """Up to three curves over the same x, with their spread where there are repetitions.

    Args:
        x: (T,).
        by_name: for each curve (T,), or (T, R) for R repetitions: their mean is drawn, with bars
            of one standard deviation. Entries that are not finite are left out.
        x_label, y_label: what the axes show.
        logarithmic: the axes that are: "", "x", "y" or "xy".
        words: for each curve what the picture says of it, instead of its ends and extremes; for
            curves that differ from machine to machine, as those that diverge.

    Raises:
        CourseError: there are more curves than lines that can be told apart.
    """
    if len(by_name) > len(LINES):
        raise CourseError(
            f"{len(by_name)} curves in one figure cannot be told apart: draw at most {len(LINES)}."
        )
    x = np.asarray(x, dtype=float)
    figure = new_figure((7.4, 3.3))
    figure.set_layout_engine("constrained")  # the labels of a logarithmic axis differ in width
    axes = figure.subplots()
    told = []
    for (name, values), line in zip(by_name.items(), LINES, strict=False):  # fewer than LINES
        rows = np.asarray(values, dtype=float).reshape(len(x), -1)
        middle = rows.mean(axis=1)
        spread = rows.std(axis=1, ddof=1) if rows.shape[1] > 1 else None
        every = max(1, len(x) // 10)
        axes.errorbar(x, middle, spread, label=name, markevery=every, capsize=3, **line)
        seen = np.flatnonzero(np.isfinite(middle))
        if words:
            told.append(f"{name}: {words[name]}")
            continue
        if not len(seen):
            told.append(f"{name}: no finite value")
            continue
        # Of equal values the first, even if rounding tells them apart.
        low, high = (
            seen[np.isclose(middle[seen], extreme, rtol=1e-9, atol=0).argmax()]
            for extreme in (middle[seen].min(), middle[seen].max())
        )
        told.append(
            f"{name}: from {brief(middle[seen[0]])} at {brief(x[seen[0]])} to "
            f"{brief(middle[seen[-1]])} at {brief(x[seen[-1]])}, lowest {brief(middle[low])} at "
            f"{brief(x[low])}, highest {brief(middle[high])} at {brief(x[high])}"
        )
    axes.set(xlabel=x_label, ylabel=y_label)
    if "x" in logarithmic:
        axes.set_xscale("log")
    if "y" in logarithmic:
        axes.set_yscale("log")
    axes.legend()
    return Picture(figure, f"{y_label} against {x_label}. {'. '.join(told)}.")


@style()
def methods_figure(
    scores: Mapping[str, Mapping[str, Sequence[float]]], label: str, chance: float | None = None
) -> Picture:
    """Each method's scores, a point for each repetition and a bar at their mean.

    Args:
        scores: by the name of the task, at most three, and of the method, one score for each
            repetition.
        label: of the score.
        chance: what guessing scores, drawn as a line, if it is to be seen.
    """
    names = list(next(iter(scores.values())))
    figure = new_figure((8.4, 0.42 * len(names) + 1.2))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    if chance is not None:
        axes.axvline(chance, color=INK, linestyle=":", linewidth=1)
    told = []
    shifts = (np.arange(len(scores)) - (len(scores) - 1) / 2) * 0.3
    for (task, methods), line, shift in zip(scores.items(), LINES, shifts, strict=False):
        look = {"color": line["color"], "marker": line["marker"], "linestyle": ""}
        means = [float(np.mean(methods[name])) for name in names]
        for place, name in enumerate(names):
            heights = np.full(len(methods[name]), place + shift)
            axes.plot(methods[name], heights, alpha=0.35, markersize=5, **look)
        places = np.arange(len(names)) + shift
        axes.plot(means, places, markersize=9, markeredgecolor=INK, label=task, **look)
        words = [f"{name} {mean:.2f}" for name, mean in zip(names, means, strict=True)]
        told.append(f"{task}: {', '.join(words)}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(xlabel=label)
    axes.grid(axis="y", color=GRAY)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    guessing = "" if chance is None else f"; guessing scores {chance:.2f}"
    return Picture(figure, f"{label}, mean over the repetitions{guessing}. {'. '.join(told)}.")
