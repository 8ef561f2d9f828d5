"""A picture with sliders: live in JupyterLab, a static picture wherever no kernel runs."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from course_lib.errors import CourseError

from .palette import style
from .picture import frame, new_figure, page_size, static_bundle

Draw = Callable[..., str]
"""``draw(figure, **values) -> alt text``. The figure still holds what the last call drew."""


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """Sliders above a picture that follows them.

    The picture is an HTML image with alternative text that tells the current numbers. All
    frames are drawn on one figure, which saves making one for each frame.
    Jupyter stores the explorer as PNG and text, so it is a picture in any viewer.

    Args:
        draw: draws on the figure and returns the alternative text. It gets the figure and, by
            name, the value of each slider; it may clear the figure or only change what is there.
        sliders: widgets with a ``value``, by the name of the argument of ``draw``.
        size: width and height of the figure in inches (100 pixels each).
        title: heading above the sliders.

    Raises:
        Exception: whatever ``draw`` raises for the first picture. Later errors are shown in
            place of the picture, because a notebook hides what a callback raises.
    """

    def __init__(
        self,
        draw: Draw,
        sliders: Mapping[str, ipywidgets.ValueWidget],
        size: tuple[float, float] = (8.4, 3.2),
        title: str = "",
    ) -> None:
        self.figure: Figure = new_figure(size)
        self.alt = ""
        self.sliders = dict(sliders)
        self._draw_on = draw
        self._picture = ipywidgets.HTML()
        self._redraw()
        for slider in self.sliders.values():
            slider.observe(self._follow, names="value")
        heading = [ipywidgets.HTML(f"<b>{html.escape(title)}</b>")] if title else []
        row = ipywidgets.Box(
            list(self.sliders.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"),
        )
        super().__init__([*heading, row, self._picture])

    @property
    def values(self) -> dict[str, Any]:
        """What the sliders say now, by name."""
        return {name: slider.value for name, slider in self.sliders.items()}

    def _follow(self, _: Any) -> None:
        try:
            self._redraw()
        except Exception as error:
            self.figure.clear()  # may be half drawn
            what = str(error) if isinstance(error, CourseError) else _sentence(error, self.values)
            self.alt = what
            self._failed = True
            self._picture.value = f'<p role="alert"><b>{html.escape(what)}</b></p>'

    def _redraw(self) -> None:
        with style():
            self.alt = self._draw_on(self.figure, **self.values)
        self._picture.value = _image(self.figure, self.alt)
        self._failed = False

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        static, metadata = static_bundle(self.figure, self.alt)
        if self._failed:
            static, metadata = {"text/plain": self.alt}, {}
        return {**live, **static}, metadata


def slider(
    description: str, value: float, lowest: float, highest: float, step: float
) -> ipywidgets.FloatSlider:
    """A slider for a number, wide enough for its description."""
    return ipywidgets.FloatSlider(
        value=value,
        min=lowest,
        max=highest,
        step=step,
        description=description,
        style={"description_width": "initial"},
        layout=_GROWING,
    )


def choice(description: str, options: Mapping[str, Any], value: Any) -> ipywidgets.Dropdown:
    """A list to choose from; ``options`` maps what is shown to the value."""
    return ipywidgets.Dropdown(
        options=list(options.items()),
        value=value,
        description=description,
        style={"description_width": "initial"},
        layout=_GROWING,
    )


_GROWING = {"flex": "1 1 19em", "width": "auto", "max_width": "30em"}
"""As many in a row as fit with room for dragging."""


def _image(figure: Figure, alt: str) -> str:
    """An HTML image; its size is given, so that the page does not jump between two frames."""
    data = base64.b64encode(frame(figure)).decode()
    width, height = page_size(figure)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" decoding="sync" '
        f'style="max-width: 100%; height: auto" src="data:image/png;base64,{data}">'
    )


def _sentence(error: Exception, values: Mapping[str, Any]) -> str:
    at = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"This picture could not be drawn for {at}: {type(error).__name__}: {error}."
