"""Pictures of lesson 11: what choosing flatters, curves, kept promises, where a network looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from ..foundations.evaluation import expected_calibration_error
from ..foundations.losses import softmax, softmax_cross_entropy
from .explorer import Draw, Explorer, log_slider
from .feature_extraction import image_rows as image_rows
from .palette import GRAY, HEAT, INK, LINES, MOVING_TEXT, ORANGE, PLAIN, style
from .picture import Picture, new_figure
from .words import number

BINS = 10
"""Of the reliability diagram; the five below one half stay empty with two classes."""


@style()
def best_of_many(counts: Sequence[int], shown: np.ndarray, true: np.ndarray) -> Picture:
    """The score of the best of so many candidates, on the test that chose it and on a fresh one.

    Args:
        counts: K numbers of candidates.
        shown, true: (K, R) accuracies on the test that chose and on a fresh one, R repetitions.
    """
    figure = new_figure((6.6, 3.3))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    told = []
    for name, rows, line in zip(
        ("on the test that chose it", "on a fresh test"), (shown, true), LINES, strict=False
    ):
        axes.errorbar(counts, rows.mean(axis=1), rows.std(axis=1), label=name, capsize=3, **line)
        told.append(f"{name} from {rows[0].mean():.2f} to {rows[-1].mean():.2f}")
    axes.set(xscale="log", xlabel="candidates to choose from", ylabel="accuracy of the best")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.legend(loc="upper left")
    return Picture(
        figure,
        f"Accuracy of the best of {counts[0]} to {counts[-1]} guessing candidates: "
        f"{'; '.join(told)}.",
    )


@style()
def roc_curves(labels: np.ndarray, scores: Mapping[str, np.ndarray]) -> Picture:
    """Recall against false alarms over all thresholds, one curve for each of up to three scores.

    Args:
        labels: (N,) 0 or 1, both present.
        scores: by name, (N,).
    """
    figure = new_figure((4.9, 3.9))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    told = []
    for (name, values), line in zip(scores.items(), LINES, strict=False):
        thresholds = np.r_[np.inf, np.unique(values)[::-1]]
        alarms, recall = (
            1 - np.searchsorted(np.sort(values[labels == k]), thresholds) / np.sum(labels == k)
            for k in (0, 1)
        )
        axes.plot(alarms, recall, label=name, markevery=0.15, **line)
        few = float(recall[np.searchsorted(alarms, 0.1, side="right") - 1])
        told.append(f"{name} finds {few:.0%} of the defects at one false alarm in ten sound cells")
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
    axes.set(xlabel="false alarms among the sound", ylabel="recall of defects")
    axes.legend(loc="lower right")
    return Picture(figure, f"ROC curves: {'; '.join(told)}.")


def temperature_explorer(logits: np.ndarray, labels: np.ndarray) -> Explorer:
    """From a temperature to the reliability diagram of a classifier and its losses.

    Args:
        logits: (N, 2), of examples that were not trained on.
        labels: (N,) 0 or 1.

    Returns:
        An explorer with the slider ``temperature``.
    """
    sliders = {"temperature": log_slider("temperature", 1.0, 0.25, 16.0, 0.02)}
    prepare = partial(_prepare_temperature, np.asarray(logits, float), np.asarray(labels))
    return Explorer(prepare, sliders, size=(8.6, 3.6))


def _prepare_temperature(logits: np.ndarray, labels: np.ndarray, figure: Figure) -> Draw:
    figure.subplots_adjust(0.075, 0.155, 0.985, 0.85, wspace=0.25)
    left, right = figure.subplots(1, 2)
    centers = (np.arange(BINS) + 0.5) / BINS
    left.plot([0.5, 1], [0.5, 1], color=INK, linestyle="--", linewidth=1)
    left.text(0.7, 0.74, "promise kept", ha="right", va="bottom", size=9.5)
    left.set(xlim=(0.5, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    kept = left.bar(centers, 0.0, 0.92 / BINS, **PLAIN, animated=True)
    (promised,) = left.plot([], [], "s", color=ORANGE, markeredgecolor=INK, animated=True)
    right.set(xlim=(0.5, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share of the cells")
    shares = right.bar(centers, 0.0, 0.92 / BINS, facecolor=GRAY, edgecolor=INK, animated=True)
    headline = figure.text(0.5, 0.9, "", **MOVING_TEXT)

    def draw(*, temperature: float) -> str:
        p = softmax(logits / temperature)
        confidence, hit = p.max(axis=1), p.argmax(axis=1) == labels
        place = np.clip(np.ceil(confidence * BINS).astype(int), 1, BINS) - 1
        count = np.bincount(place, minlength=BINS)
        filled = np.flatnonzero(count)
        mean = np.bincount(place, confidence, BINS)[filled] / count[filled]
        accuracy = np.bincount(place, hit, BINS)[filled] / count[filled]
        heights = np.zeros(BINS)
        heights[filled] = accuracy
        for bar, share, of_all, height in zip(kept, shares, count, heights, strict=True):
            share.set_height(of_all / len(labels))
            bar.set_height(height)
        promised.set_data(mean, mean)
        error = expected_calibration_error(p, labels, BINS)
        loss = softmax_cross_entropy(logits / temperature, labels)
        headline.set_text(
            f"accuracy {hit.mean():.3f}   mean confidence {confidence.mean():.3f}   "
            f"calibration error {error:.3f}   cross-entropy {loss:.3f}"
        )
        told = ", ".join(
            f"{b / BINS:.1f} to {(b + 1) / BINS:.1f}: {count[b]} cells, {a:.0%} right"
            for b, a in zip(filled, accuracy, strict=True)
        )
        return (
            f"At the temperature {number(temperature, '.2f')}, accuracy {hit.mean():.3f}, mean "
            f"confidence {confidence.mean():.3f}, calibration error {error:.3f}, cross-entropy "
            f"{loss:.3f}. By confidence: {told}."
        )

    return draw


@style()
def leads_figure(leads: Mapping[str, np.ndarray]) -> Picture:
    """How far one model leads another in imagined tests, one histogram for each way to draw them.

    Args:
        leads: by the way, (B,) leads in points.
    """
    figure = new_figure((7.6, 2.9))
    figure.set_layout_engine("constrained")
    told = []
    edges = np.histogram_bin_edges(np.concatenate(list(leads.values())), 40)
    for axes, (name, values) in zip(
        figure.subplots(1, len(leads), sharey=True, squeeze=False)[0], leads.items(), strict=True
    ):
        axes.hist(values, edges, **PLAIN)
        axes.axvline(0, color=INK, linestyle="--")
        axes.set(title=name, xlabel="lead in points")
        low, high = np.quantile(values, [0.025, 0.975])
        told.append(f"{name}, 95 % from {number(low, '.1f')} to {number(high, '.1f')}")
    figure.axes[0].set_ylabel("resamples")
    return Picture(figure, f"Leads in resampled tests, in points: {'; '.join(told)}.")


@style()
def heat_rows(
    images: Sequence[np.ndarray],
    heats: Sequence[Sequence[np.ndarray]],
    captions: Sequence[Sequence[str]],
    heading: str,
) -> Picture:
    """One row for each image: the image, then the image under each of its heat maps.

    Args:
        images: R of (S, S, 1) or (S, S, 3), 0..255.
        heats: R rows of M maps (h, w), 0..1; bright where the heat is.
        captions: R rows of M + 1 short texts.
        heading: stands above them and begins the alternative text.
    """
    columns = len(heats[0]) + 1
    figure = new_figure((1.85 * columns, 2.15 * len(images) + 0.35))
    figure.set_layout_engine("constrained")
    figure.suptitle(heading)
    grid = figure.subplots(len(images), columns, squeeze=False)
    for row, image, maps, words in zip(grid, images, heats, captions, strict=True):
        gray = image.mean(axis=2)
        for axes, heat, caption in zip(row, [None, *maps], words, strict=True):
            axes.imshow(image if image.shape[2] == 3 else gray, cmap="gray", vmin=0, vmax=255)
            if heat is not None:
                axes.imshow(gray, cmap="gray", vmin=0, vmax=255)
                size = image.shape[0]
                shown = {"extent": (-0.5, size - 0.5, size - 0.5, -0.5), "alpha": 0.6}
                axes.imshow(heat, cmap=HEAT, vmin=0, vmax=1, interpolation="bilinear", **shown)
            axes.set_title(caption, fontsize=9.5)
            axes.set(xticks=[], yticks=[])
    told = []
    for maps, words in zip(heats, captions, strict=True):
        pairs = zip(words[1:], maps, strict=True)
        said = [f"{caption}, hottest {_where(heat)}" for caption, heat in pairs]
        told.append(f"{words[0]}: {', '.join(said)}")
    text = " ".join("; ".join(told).split())
    return Picture(figure, f"{heading}. {text}.")


def _where(heat: np.ndarray) -> str:
    """In which part of the picture the largest number is, in words."""
    if not heat.any():
        return "nowhere"
    row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
    rows = ("at the top", "halfway down", "at the bottom")
    columns = ("left", "in the middle", "right")
    return (
        f"{rows[int(3 * (row + 0.5) / heat.shape[0])]} "
        f"{columns[int(3 * (column + 0.5) / heat.shape[1])]}"
    )
