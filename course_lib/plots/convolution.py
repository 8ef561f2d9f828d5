"""Pictures of lesson 07: a window, what kernels make and units see, what a network answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.foundations.convolution import conv2d

from .explorer import Draw, Explorer, choice, slider
from .feature_extraction import image_rows
from .palette import GRAY, INK, LINES, ORANGE, PLAIN, SIGNED, style
from .picture import Picture, framed, new_figure
from .training import curves
from .words import brief, number

__all__ = [  # everything that the lesson shows
    "answers_figure",
    "curves",
    "image_rows",
    "kernel_explorer",
    "maps_figure",
    "seen_figure",
    "window_figure",
]

# --- a kernel to drag -----------------------------------------------------------------------------

KERNELS: dict[str, tuple[float, ...]] = {
    "the picture itself": (0, 0, 0, 0, 1, 0, 0, 0, 0),
    "mean of nine": (1 / 9,) * 9,
    "right minus left": (-1, 0, 1, -1, 0, 1, -1, 0, 1),
    "below minus above": (-1, -1, -1, 0, 0, 0, 1, 1, 1),
    "middle minus neighbors": (0, -1, 0, -1, 4, -1, 0, -1, 0),
    "sharper": (0, -1, 0, -1, 5, -1, 0, -1, 0),
}
START = "the picture itself"  # not the answer to what the lesson asks before
STEP = 1 / 9
"""Of a slider. All numbers above are whole multiples: a browser puts a slider on its next step."""


def kernel_explorer(photograph: np.ndarray) -> Explorer:
    """What a kernel of nine numbers makes of a photograph.

    Args:
        photograph: (S, S, 3), RGB 0..255; its mean over the colors is shown.

    Returns:
        An explorer with the list ``begin`` and nine sliders ``k00`` to ``k22``: row, then column.
    """
    gray = np.asarray(photograph, dtype=float).mean(axis=2)
    begin = choice("begin with", {name: name for name in KERNELS}, START)
    sliders: dict[str, Any] = {"begin": begin}
    for place, value in enumerate(KERNELS[START]):
        row, column = divmod(place, 3)
        one = sliders[f"k{row}{column}"] = slider(
            f"row {row + 1}, column {column + 1}", value, -5, 5, STEP
        )
        one.readout = False  # the number stands in the picture, and the slider has the room
        one.layout = {"flex": "1 1 30%", "width": "auto", "max_width": "33%", "min_width": "0"}
    begin.layout = {"flex": "1 0 100%", "width": "auto"}  # a row for itself, then three by three

    explorer = Explorer(partial(_prepare_kernel, gray), sliders, size=(9.2, 3.7))

    def take(change: Any) -> None:
        numbers = enumerate(KERNELS[change["new"]])
        explorer.move(**{f"k{place // 3}{place % 3}": value for place, value in numbers})

    begin.observe(take, names="value")
    return explorer


def _prepare_kernel(gray: np.ndarray, figure: Figure) -> Draw:
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.84, wspace=0.06)
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 2, 3))
    left.imshow(gray, cmap="gray", vmin=0, vmax=255)
    left.set_title("photograph")
    squares = [[0.0] * 3] * 3
    tiles = middle.imshow(squares, cmap=SIGNED, vmin=-5, vmax=5, animated=True)
    middle.set(xlim=(-0.5, 2.5), ylim=(2.5, -0.5), title="kernel")
    numbers = [
        middle.text(n % 3, n // 3, "", ha="center", va="center", size=14, animated=True)
        for n in range(9)
    ]
    made = right.imshow(np.zeros_like(gray)[1:-1, 1:-1], cmap="gray", animated=True)
    below = figure.text(0.815, 0.95, "", ha="center", size=10.5, animated=True)
    words = figure.text(0.815, 0.88, "", ha="center", size=9.5, animated=True)
    for axes in (left, right):
        axes.set_axis_off()
    framed(middle)
    middle.spines[:].set_animated(True)  # above the tiles

    def draw(*, begin: str, **values: float) -> str:
        kernel = np.array([values[f"k{n // 3}{n % 3}"] for n in range(9)]).reshape(3, 3)
        result = conv2d(gray[None, :, :, None], kernel[:, :, None, None], np.zeros(1))[0, :, :, 0]
        low, high = float(result.min()), float(result.max())
        largest = max(abs(low), abs(high), 1e-9)
        limits = (-largest, largest) if low < -1e-9 else (0.0, largest)
        tiles.set_data(kernel)
        for text, value in zip(numbers, kernel.ravel(), strict=True):
            text.set(text=brief(value), color="white" if value > 3.5 else INK)
        made.set_data(result)
        made.set_clim(*limits)
        below.set_text("what it makes")
        legend = "middle gray is 0" if limits[0] < 0 else f"white is {_whole(largest)}"
        words.set_text(f"from {_whole(low)} to {_whole(high)}; {legend}")
        rows = "; ".join(", ".join(brief(value) for value in row) for row in kernel)
        row, column = np.unravel_index(np.abs(result).argmax(), result.shape)
        return (
            f"Kernel, row by row: {rows}. Its numbers add up to {brief(kernel.sum())}: an even "
            f"surface comes out that many times as bright. The picture that it makes has values "
            f"from {_whole(low)} to {_whole(high)}; the strongest stands at row {row + 1}, column "
            f"{column + 1} of {len(result)}."
        )

    return draw


def _whole(gray: float) -> str:
    return number(round(gray), ",")


# --- one window -----------------------------------------------------------------------------------


@style()
def window_figure(
    image: np.ndarray, kernel: np.ndarray, output: np.ndarray, at: tuple[int, int]
) -> Picture:
    """One place of a convolution: the window in the image, the kernel, the number that they give.

    Args:
        image: (H, W) whole numbers.
        kernel: (h, w).
        output: (H - h + 1, W - w + 1), of this image and kernel.
        at: row and column of the output.
    """
    figure = new_figure((8.4, 2.9))
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.87, wspace=0.12)
    ratios = [part.shape[1] for part in (image, kernel, output)]
    grids = figure.subplots(1, 3, width_ratios=ratios)
    (i, j), (h, w) = at, kernel.shape
    marks = ((i, j, h, w), (0, 0, h, w), (i, j, 1, 1))
    titles = ("image", "kernel", "output")
    for axes, part, mark, title in zip(grids, (image, kernel, output), marks, titles, strict=True):
        _numbers(axes, part, mark, title)
    window = image[i : i + h, j : j + w]
    products = " + ".join(
        f"{brief(a)}·{brief(b)}" for a, b in zip(window.ravel(), kernel.ravel(), strict=True) if b
    )
    return Picture(
        figure,
        f"An image of {image.shape[0]} by {image.shape[1]} numbers, a kernel of {h} by {w}, and an "
        f"output of {output.shape[0]} by {output.shape[1]}. The window at row {i + 1}, column "
        f"{j + 1} gives {products} = {brief(output[i, j])}.",
    )


def _numbers(axes: Axes, part: np.ndarray, mark: tuple[int, int, int, int], title: str) -> None:
    rows, columns = part.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0), title=title, aspect="equal")
    axes.set_axis_off()
    for i, j in np.ndindex(rows, columns):
        axes.add_patch(Rectangle((j, i), 1, 1, facecolor="none", edgecolor=GRAY))
        axes.text(j + 0.5, i + 0.5, brief(float(part[i, j])), ha="center", va="center", size=11)
    top, left, height, width = mark
    axes.add_patch(
        Rectangle((left, top), width, height, facecolor="none", edgecolor=ORANGE, linewidth=3)
    )


# --- what is seen ---------------------------------------------------------------------------------


@style()
def maps_figure(image: np.ndarray, kernels: np.ndarray, maps: np.ndarray) -> Picture:
    """Each filter of a first layer above the map that it makes of one image.

    Args:
        image: (H, W), large is ink.
        kernels: (h, w, F).
        maps: (H', W', F), after the ReLU.
    """
    filters = kernels.shape[-1]
    figure = new_figure((1.02 * (filters + 1), 2.35))
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.87, 0.08, 0.12)
    grid = figure.subplots(2, filters + 1)
    for axes in grid.ravel():
        axes.set_axis_off()
    grid[1, 0].imshow(image, cmap="gray_r")
    grid[1, 0].set_title("image", fontsize=9.5)
    limit = float(np.abs(kernels).max())
    for n in range(filters):
        grid[0, n + 1].imshow(kernels[..., n], cmap=SIGNED, vmin=-limit, vmax=limit)
        framed(grid[0, n + 1])
        grid[0, n + 1].set_title(f"filter {n}", fontsize=9.5)
        grid[1, n + 1].imshow(maps[..., n], cmap="gray_r", vmin=0, vmax=maps.max())
    quiet = [str(n) for n in range(filters) if not maps[..., n].any()]
    return Picture(
        figure,
        f"{filters} kernels of {kernels.shape[0]} by {kernels.shape[1]} numbers, from "
        f"−{brief(limit)} (orange) to {brief(limit)} (blue), and below each the map that it makes "
        f"of one image. Maps that are empty: {', '.join(quiet) or 'none'}.",
    )


@style()
def seen_figure(image: np.ndarray, fields: Mapping[str, int], corner: tuple[int, int]) -> Picture:
    """On an image, how much of it one unit of each layer sees.

    Args:
        image: (H, W), large is ink.
        fields: pixels along one side, by the name of the layer; at most three.
        corner: row and column where all the windows begin.
    """
    figure = new_figure((1.0 + 2.1 * len(fields), 2.5))
    figure.subplots_adjust(0.02, 0.02, 0.98, 0.85, wspace=0.1)
    row, column = corner
    grid = figure.subplots(1, len(fields), squeeze=False)[0]
    for axes, (name, side), line in zip(grid, fields.items(), LINES, strict=False):
        axes.imshow(image, cmap="gray_r")
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                side,
                side,
                facecolor="none",
                edgecolor=ORANGE,
                linewidth=2.5,
                linestyle=line["linestyle"],
            )
        )
        axes.set_title(f"{name}: {side} by {side}", fontsize=9.5)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GRAY)
    told = ", ".join(f"of {name} {side} by {side} pixels" for name, side in fields.items())
    return Picture(
        figure,
        f"The same image of {image.shape[0]} by {image.shape[1]} pixels {len(fields)} times, with "
        f"the part of it framed that one unit sees: {told}.",
    )


# --- what a network answers -----------------------------------------------------------------------


@style()
def answers_figure(
    images: Sequence[np.ndarray], answers: Sequence[Mapping[str, float]], heading: str
) -> Picture:
    """Photographs, and below each the classes that a network finds most probable.

    Args:
        images: each (S, S, 3), RGB 0..255.
        answers: for each image the probabilities of some classes by name, the largest first.
        heading: begins the alternative text.
    """
    figure = new_figure((3.05 * len(images), 4.1))
    figure.subplots_adjust(0.01, 0.03, 0.99, 0.99, wspace=0.06, hspace=0.06)
    grid = figure.subplots(2, len(images), squeeze=False, height_ratios=(3, 2))
    told = []
    for (above, below), image, answer in zip(grid.T, images, answers, strict=True):
        above.imshow(np.asarray(image, dtype=np.uint8))
        above.set_axis_off()
        places = range(len(answer))
        below.barh(places, list(answer.values()), height=0.75, **{**PLAIN, "facecolor": GRAY})
        for place, (name, probability) in enumerate(answer.items()):
            at = 0.02 if probability > 0.5 else probability + 0.02
            below.text(at, place, f"{name}  {probability:.0%}", va="center", size=9.5)
        below.set(xlim=(0, 1), ylim=(len(answer) - 0.5, -0.5), xticks=[], yticks=[])
        below.spines["bottom"].set_visible(False)
        told.append(", ".join(f"{name} {p:.0%}" for name, p in answer.items()))
    return Picture(figure, f"{heading}. {len(images)} photographs: {'; '.join(told)}.")
