"""A picture with words: a matplotlib figure and the text that says what it shows."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .palette import style

PIXELS_PER_INCH = 100
SHARPER = 1.5
"""Pixels of a kept picture for each pixel of its size on the page, for screens that have them."""


def new_figure(size: tuple[float, float]) -> Figure:
    """An empty figure of ``size`` inches, known to no global state of matplotlib."""
    return Figure(figsize=size, dpi=PIXELS_PER_INCH)


def frame(figure: Figure) -> bytes:
    """The figure as PNG, quickly: one of many that are shown and thrown away."""
    canvas = FigureCanvasAgg(figure)
    with style():
        canvas.draw()
    file = io.BytesIO()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(pixels).save(file, "png", compress_level=1)
    return file.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as PNG, to be kept: the same bytes each time, with no date or version in them."""
    file = io.BytesIO()
    with style():
        figure.savefig(
            file,
            format="png",
            dpi=SHARPER * PIXELS_PER_INCH,
            metadata={"Software": None},
            pil_kwargs={"compress_level": 9},
        )
    return file.getvalue()


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
        return static_bundle(self.figure, self.alt)


def static_bundle(figure: Figure, alt: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Jupyter stores for a picture: PNG and text, then the metadata of the PNG.

    nbconvert makes the alternative text of its pages from the metadata; JupyterLab 4 ignores it.
    """
    image = base64.b64encode(png(figure)).decode()
    width, height = page_size(figure)
    metadata = {"alt": alt, "width": width, "height": height}
    return {"text/plain": alt, "image/png": image}, {"image/png": metadata}


def page_size(figure: Figure) -> tuple[int, int]:
    """Width and height of the figure on a page, in pixels."""
    width, height = figure.get_size_inches() * PIXELS_PER_INCH
    return round(width), round(height)
