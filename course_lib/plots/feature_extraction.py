"""Pictures of lesson 05: what a network sees in an image, and how good its features are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .explorer import Draw, Explorer, slider
from .palette import BLUE, GRAY, INK, LINES, ORANGE, style
from .picture import Picture, new_figure

__all__ = [  # everything that the lesson shows
    "feature_maps",
    "image_rows",
    "score_lines",
    "threshold_explorer",
    "two_splits",
]

FIVE_LINES: tuple[dict[str, Any], ...] = (
    *LINES,
    {"color": BLUE, "linestyle": "-.", "marker": "D", "markerfacecolor": "white"},
    {"color": ORANGE, "linestyle": (0, (1, 1)), "marker": "v", "markerfacecolor": "white"},
)
"""As `palette.LINES`; the fourth and fifth have hollow markers."""


@style()
def image_rows(images: np.ndarray, captions: Sequence[Sequence[str]], heading: str) -> Picture:
    """Rows of gray or colored images with captions.

    Args:
        images: (R, C, S, S), (R, C, S, S, 1) or (R, C, S, S, 3), 0..255.
        captions: R rows of C short texts.
        heading: stands above them and begins the alternative text.
    """
    rows, columns = images.shape[:2]
    figure = new_figure((1.25 * columns, 1.62 * rows + 0.35))
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.62 / (1.62 * rows + 0.35), 0.08, 0.32)
    figure.suptitle(heading, y=0.99)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, image, caption in zip(
        grid.ravel(), images.reshape(-1, *images.shape[2:]), np.ravel(captions), strict=True
    ):
        shown = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
        axes.imshow(np.clip(shown, 0, 255).astype(np.uint8), cmap="gray", vmin=0, vmax=255)
        axes.set_title(caption, fontsize=9.5)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GRAY)  # an image may be white all over
    told = "; ".join(", ".join(" ".join(text.split()) for text in row) for row in captions)
    counted = f"{rows * columns} images in {rows} row{'s' if rows > 1 else ''}"
    return Picture(figure, f"{heading}. {counted}: {told}.")


@style()
def feature_maps(image: np.ndarray, maps: Mapping[str, np.ndarray], count: int = 6) -> Picture:
    """For each stage the feature maps that differ most from place to place in this image.

    Args:
        image: (S, S, 1), what the network was shown.
        maps: (s, s, K) of each stage, by its name.
        count: maps of each stage.
    """
    figure = new_figure((1.25 * (count + 1), 1.45 * len(maps)))
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.93, 0.06, 0.25)
    grid = figure.subplots(len(maps), count + 1, squeeze=False)
    told = []
    for row, (stage, stack) in zip(grid, maps.items(), strict=True):
        relative = stack.std(axis=(0, 1)) / (np.abs(stack).mean(axis=(0, 1)) + stack.std())
        chosen = np.argsort(-relative, kind="stable")[:count]
        row[0].imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
        row[0].set_title(f"{stage}: {stack.shape[0]}x{stack.shape[1]}", fontsize=9.5)
        for axes, channel in zip(row[1:], chosen, strict=True):
            axes.imshow(stack[..., channel], cmap="gray")
            axes.set_title(f"map {channel}", fontsize=9.5)
        told.append(
            f"{stage} has {stack.shape[2]} maps of {stack.shape[0]} by {stack.shape[1]} places: "
            f"numbers {', '.join(map(str, chosen))}"
        )
    for axes in figure.axes:
        axes.set_axis_off()
    return Picture(
        figure,
        f"One image and {count} feature maps of each stage, bright where their values are large; "
        f"shown are those that vary most from place to place. {'; '.join(told)}.",
    )


def threshold_explorer(probabilities: np.ndarray, labels: np.ndarray) -> Explorer:
    """From the threshold of a decision to its confusion matrix, precision and recall.

    Args:
        probabilities: (N,) of the class 1, for examples that were not trained on.
        labels: (N,) 0 or 1, both of them present.

    Returns:
        An explorer with the slider ``threshold``.
    """
    sliders = {"threshold": slider("call it defective from probability", 0.5, 0.01, 0.99, 0.01)}
    p, labels = np.asarray(probabilities, float), np.asarray(labels, int)
    data = {"p": p.tolist(), "labels": labels.tolist()}
    prepare = partial(_prepare_threshold, p, labels)
    return Explorer(prepare, sliders, size=(9, 3.4), in_browser=("threshold", data))


def _prepare_threshold(p: np.ndarray, labels: np.ndarray, figure: Figure) -> Draw:
    figure.subplots_adjust(0.06, 0.16, 0.985, 0.86, wspace=0.3)
    left, middle, right = figure.subplots(1, 3)
    edges = np.linspace(0, 1, 26)
    left.hist(p[labels == 0], edges, facecolor=GRAY, edgecolor=INK, label="sound")
    left.hist(
        p[labels == 1], edges, facecolor="none", edgecolor=ORANGE, hatch="///", label="defect"
    )
    left.set(xlabel="probability of a defect", title="cells", xlim=(0, 1))
    left.legend(loc="upper right", bbox_to_anchor=(0.95, 1))
    (line,) = left.plot([], [], color=INK, linestyle="--", animated=True)
    top = left.get_ylim()[1]

    middle.set(xlim=(0, 2), ylim=(2, 0), xticks=(0.5, 1.5), yticks=(0.5, 1.5))
    middle.set_xticklabels(["sound", "defect"])
    middle.set_yticklabels(["sound", "defect"], rotation=90, va="center")
    middle.set(xlabel="said to be", ylabel="is", title="confusion matrix")
    cells = [
        middle.add_patch(
            Rectangle((said, true), 1, 1, facecolor=GRAY, edgecolor=INK, animated=True)
        )
        for true in (0, 1)
        for said in (0, 1)
    ]
    counts = [
        middle.text(said + 0.5, true + 0.5, "", ha="center", va="center", size=12, animated=True)
        for true in (0, 1)
        for said in (0, 1)
    ]

    thresholds: np.ndarray = np.r_[np.sort(p), np.inf]
    sound, defect = np.sort(p[labels == 0]), np.sort(p[labels == 1])
    false_alarms = 1 - np.searchsorted(sound, thresholds) / len(sound)
    recalls = 1 - np.searchsorted(defect, thresholds) / len(defect)
    area = float(np.sum(-np.diff(false_alarms) * (recalls[1:] + recalls[:-1]) / 2))
    right.plot(false_alarms, recalls, color=BLUE)
    right.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
    right.set(xlabel="false alarms among the sound", ylabel="recall of defects")
    right.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), title=f"ROC curve, area {area:.3f}")
    (point,) = right.plot(
        [], [], "s", color=ORANGE, markeredgecolor=INK, markersize=9, animated=True
    )
    headline = figure.text(0.5, 0.94, "", weight="bold", size=10.5, ha="center", animated=True)

    def draw(*, threshold: float) -> str:
        said = p >= threshold
        matrix = np.array([[np.sum((labels == a) & (said == b)) for b in (0, 1)] for a in (0, 1)])
        shares = matrix / matrix.sum(axis=1, keepdims=True)
        recall, called = shares[1, 1], matrix[:, 1].sum()
        precision = f"{matrix[1, 1] / called:.2f}" if called else "none said"
        accuracy, balanced = np.trace(matrix) / len(p), np.trace(shares) / 2
        f1 = 2 * matrix[1, 1] / (called + matrix[1].sum())
        line.set_data([threshold, threshold], [0, top])
        for patch, text, count, share in zip(
            cells, counts, matrix.ravel(), shares.ravel(), strict=True
        ):
            patch.set_alpha(0.15 + 0.85 * share)
            text.set_text(f"{count}\n{share:.0%}")
        point.set_data([shares[0, 1]], [recall])
        headline.set_text(
            f"accuracy {accuracy:.2f}   balanced {balanced:.2f}   precision {precision}   "
            f"recall {recall:.2f}   F1 {f1:.2f}"
        )
        return (
            f"At the threshold {threshold:.2f}, {matrix[1, 1]} of {matrix[1].sum()} defects are "
            f"found (recall {recall:.2f}) and {matrix[0, 1]} of {matrix[0].sum()} sound cells are "
            f"false alarms; precision {precision}, F1 {f1:.2f}, accuracy {accuracy:.2f}, balanced "
            f"accuracy {balanced:.2f}. Area under the ROC curve {area:.3f}."
        )

    return draw


@style()
def score_lines(
    places: Sequence[int] | Sequence[str],
    scores: Mapping[str, Sequence[Sequence[float]]],
    x_label: str,
    y_label: str,
) -> Picture:
    """Up to five lines with their spread over repetitions.

    Args:
        places: P numbers, drawn on a logarithmic axis, or P names, drawn side by side.
        scores: by the name of the line, a row of repetitions for each place; an empty row where
            nothing was measured.
        x_label, y_label: what the axes show.
    """
    figure = new_figure((7.4, 3.9))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    named = isinstance(places[0], str)
    at = np.arange(len(places)) if named else np.array(places, dtype=float)
    told = []
    for (name, rows), line in zip(scores.items(), FIVE_LINES, strict=False):
        seen = [number for number, row in enumerate(rows) if len(row)]
        means = [float(np.mean(rows[n])) for n in seen]
        spread = [float(np.std(rows[n], ddof=1)) if len(rows[n]) > 1 else 0.0 for n in seen]
        axes.errorbar(at[seen], means, spread, label=name, capsize=3, **line)
        words = [f"{mean:.2f} at {places[n]}" for mean, n in zip(means, seen, strict=True)]
        top = int(np.argmax(means))
        highest = f", highest {words[top]}" if 0 < top < len(means) - 1 else ""
        told.append(f"{name} from {words[0]} to {words[-1]}{highest}")
    axes.set(xlabel=x_label, ylabel=y_label, xscale="linear" if named else "log")
    axes.set_xticks(at, [str(place) for place in places])
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, f"{y_label} against {x_label}: {'; '.join(told)}.")


@style()
def two_splits(
    scores: Mapping[str, tuple[Sequence[float], Sequence[float]]], label: str
) -> Picture:
    """Each method's score on random splits and on splits by module, with one point a split.

    Args:
        scores: by the name of the method, its scores on random splits, then on splits by module.
        label: of the score.
    """
    figure = new_figure((8.2, 0.42 * len(scores) + 1.3))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    told = []
    for number, (name, pair) in enumerate(scores.items()):
        means = [float(np.mean(values)) for values in pair]
        for values, mean, line, shift, kind in zip(
            pair, means, LINES, (-0.16, 0.16), ("random split", "split by module"), strict=False
        ):
            look = {"color": line["color"], "marker": line["marker"], "linestyle": ""}
            height = number + shift
            axes.plot(values, np.full(len(values), height), alpha=0.35, **look)
            axes.plot(mean, height, markersize=9, markeredgecolor=INK, **look, label=kind)
        told.append(f"{name} {means[0]:.2f} on random splits and {means[1]:.2f} by module")
    axes.set_yticks(range(len(scores)), list(scores))
    axes.invert_yaxis()
    axes.set(xlabel=label)
    axes.grid(axis="y", color=GRAY)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[:2], names[:2], loc="upper left", bbox_to_anchor=(1, 1))
    said = f"{label} of each method, mean over the splits: {'; '.join(told)}."
    return Picture(figure, said[0].upper() + said[1:])
