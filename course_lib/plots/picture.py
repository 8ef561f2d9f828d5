"""A picture with words: a matplotlib figure and the text that says what it shows."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .palette import GRAY, style

PIXELS_PER_INCH = 100
"""Of the page: a figure of 9 inches is 900 pixels wide there."""

SHARPER = 1.5
"""Pixels of the picture for each pixel of the page, for screens that have them."""


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of ``size`` inches, known to no global state of matplotlib."""
    return Figure(figsize=size, dpi=SHARPER * PIXELS_PER_INCH)


def framed(axes: Axes) -> None:
    """A thin frame and nothing else around an image whose edges may be white."""
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=GRAY)


def page_size(figure: Figure) -> tuple[int, int]:
    """Width and height of the figure on a page, in pixels."""
    width, height = figure.get_size_inches() * PIXELS_PER_INCH
    return round(width), round(height)


def png(canvas: FigureCanvasAgg, compression: int) -> bytes:
    """What is on the canvas as PNG: no date or version in it, so that same pixels are same bytes.

    Args:
        canvas: already drawn on.
        compression: 1 is fast, for frames that are thrown away; 9 is small, for keeping.
    """
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, "png", compress_level=compression)
    return file.getvalue()


def stored(canvas: FigureCanvasAgg, alt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a notebook keeps of a picture: PNG and text, then the metadata of the PNG.

    nbconvert's classic pages take the alternative text from the metadata, and so does JupyterLab 4
    with the extension in `course_lib/learner/labextensions`; nbconvert's lab pages do not look
    there.
    """
    image = base64.b64encode(png(canvas, compression=9)).decode()
    width, height = page_size(canvas.figure)
    metadata = {"alt": alt, "width": width, "height": height}
    return {"text/plain": alt, "image/png": image}, {"image/png": metadata}


class Picture:
    """A static figure with alternative text; a notebook shows it as the last value of a cell.

    Attributes:
        figure: the matplotlib figure.
        alt: what it shows, in words and numbers, for those who cannot see it.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure = figure
        self.alt = alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        canvas = FigureCanvasAgg(self.figure)
        with style():
            canvas.draw()  # type: ignore[no-untyped-call]
        return stored(canvas, self.alt)
