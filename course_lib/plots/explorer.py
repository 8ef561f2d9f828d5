"""A picture with sliders: live in JupyterLab, a static picture wherever no kernel runs."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import ipywidgets
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..errors import CourseError
from .browser import described, live_html
from .palette import style
from .picture import new_figure, page_size, png, stored

Draw = Callable[..., str]
"""``draw(**values) -> alt text``: moves the artists that ``prepare`` made."""


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """Sliders above a picture that follows them.

    The picture is an HTML image whose alternative text tells the current numbers. A frame is
    quick because only what moves is drawn again, over a copy of what stays (blitting). Jupyter
    stores the explorer as PNG and text, so that it is a picture where no kernel runs.

    Args:
        prepare: puts everything on the empty figure, what moves with ``animated=True``, and
            returns ``draw``, which gets the value of each slider by name, changes the animated
            artists (no axis limits, no new artists) and returns the alternative text.
        sliders: widgets with a ``value``, by the name of the argument of ``draw``.
        size: width and height of the figure in inches (100 pixels of the page each).
        title: heading above the sliders.
        in_browser: name and data of the module in ``browser/`` that does the same there; the page
            then asks no kernel, and the sliders here only say where it begins.

    Raises:
        Exception: whatever ``draw`` raises for the first picture. Later errors are shown in
            place of the picture, because a notebook hides what a callback raises.
    """

    def __init__(
        self,
        prepare: Callable[[Figure], Draw],
        sliders: Mapping[str, ipywidgets.ValueWidget],
        size: tuple[float, float] = (9, 3.2),
        title: str = "",
        in_browser: tuple[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._in_browser = in_browser
        self.sliders = dict(sliders)
        self.figure = new_figure(size)
        self.alt = ""
        self._canvas = cast(Any, FigureCanvasAgg(self.figure))  # methods without type hints
        with style():
            self._draw_values = prepare(self.figure)
            self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        moving = self.figure.findobj(Artist.get_animated)
        self._moving = sorted(moving, key=Artist.get_zorder)

        self._picture = ipywidgets.HTML()
        self._redraw()
        for widget in self.sliders.values():
            widget.observe(self._follow, names="value")
        heading = [ipywidgets.HTML(f"<b>{html.escape(title)}</b>")] if title else []
        row = ipywidgets.Box(
            list(self.sliders.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"),
        )
        super().__init__([*heading, row, self._picture])

    @property
    def values(self) -> dict[str, Any]:
        """What the sliders say now, by name."""
        return {name: widget.value for name, widget in self.sliders.items()}

    def move(self, **values: Any) -> None:
        """Put several sliders elsewhere at once, so that there is one new picture, not many."""
        for name in values:
            self.sliders[name].unobserve(self._follow, names="value")
        for name, value in values.items():
            self.sliders[name].value = value
            self.sliders[name].observe(self._follow, names="value")
        self._follow(None)

    def _follow(self, _: Any) -> None:
        try:
            self._redraw()
        except Exception as error:
            self._failed = True
            self.alt = str(error) if isinstance(error, CourseError) else self._sentence(error)
            self._picture.value = f'<p role="alert"><b>{html.escape(self.alt)}</b></p>'

    def _redraw(self) -> None:
        with style():
            self.alt = self._draw_values(**self.values)
            self._canvas.restore_region(self._still)
            for artist in self._moving:
                self.figure.draw_artist(artist)
        self._picture.value = _image(self._canvas, self.alt)
        self._failed = False

    def _sentence(self, error: Exception) -> str:
        at = ", ".join(f"{name} = {value}" for name, value in self.values.items())
        return f"This picture could not be drawn for {at}: {type(error).__name__}: {error}."

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = {} if self._in_browser else super()._repr_mimebundle_(**kwargs) or {}
        if self._failed:
            return {**live, "text/plain": self.alt}, {}
        data, metadata = stored(self._canvas, self.alt)
        if self._in_browser:
            metadata["image/png"]["explorer"] = described(*self._in_browser, self.sliders)
            live = {"text/html": live_html(data["image/png"], metadata["image/png"])}
        return {**live, **data}, metadata


def slider(
    description: str, value: float, lowest: float, highest: float, step: float
) -> ipywidgets.FloatSlider:
    """A slider for a number, wide enough for its description; whole numbers are read as such.

    A value between two steps is moved to the nearer one: the browser would do so by itself.
    """
    steps = (value - lowest) / step
    if abs(steps - round(steps)) > 1e-6:
        value = round(lowest + round(steps) * step, 9)
    whole = all(float(number).is_integer() for number in (value, lowest, step))
    return ipywidgets.FloatSlider(
        value=value,
        min=lowest,
        max=highest,
        step=step,
        readout_format=".0f" if whole else ".2f",
        description=description,
        style={"description_width": "initial"},
        layout=_growing(description),
    )


def log_slider(
    description: str,
    value: float,
    lowest: float,
    highest: float,
    step: float = 0.05,
    readout: str = ".2g",
) -> ipywidgets.FloatLogSlider:
    """A slider for a positive number over several powers of ten; ``step`` is of the logarithm."""
    return ipywidgets.FloatLogSlider(
        value=value,
        min=math.log10(lowest),
        max=math.log10(highest),
        step=step,
        description=description,
        readout_format=readout,
        style={"description_width": "initial"},
        layout=_growing(description),
    )


def choice(description: str, options: Mapping[str, Any], value: Any) -> ipywidgets.Dropdown:
    """A list to choose from; ``options`` maps what is shown to the value."""
    return ipywidgets.Dropdown(
        options=list(options.items()),
        value=value,
        description=description,
        style={"description_width": "initial"},
        layout=_growing(description),
    )


def _growing(description: str) -> dict[str, str]:
    """As many in a row as fit with room for dragging, however long the words before it."""
    room = max(19.0, 12 + 0.55 * len(description))
    return {"flex": f"1 1 {room:g}em", "width": "auto", "max_width": f"{max(30.0, room):g}em"}


def _image(canvas: FigureCanvasAgg, alt: str) -> str:
    """An HTML image; its size is given, so that the page does not jump between two frames."""
    data = base64.b64encode(png(canvas, compression=1)).decode()
    width, height = page_size(canvas.figure)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" decoding="sync" '
        f'style="max-width: 100%; height: auto" src="data:image/png;base64,{data}">'
    )
