"""Explorers that compute in the browser: they answer at once, and live where no kernel runs.

Beside this file lie one JavaScript module for each of them and ``frame.js``, which all share.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import ipywidgets


def live_html(
    name: str,
    data: Mapping[str, Any],
    sliders: Mapping[str, ipywidgets.ValueWidget],
    size: tuple[int, int],
    image: str,
) -> str:
    """The explorer as HTML that needs no kernel, no network and no other file.

    Args:
        name: of its module, without ``.js``.
        data: what the module computes with; anything that JSON holds.
        sliders: widgets by the name of the value; the page begins with their values.
        size: width and height of the picture in pixels of the page.
        image: HTML that stands there where scripts may not run.
    """
    controls = [_control(key, widget) for key, widget in sliders.items()]
    said = {"controls": controls, "data": data, "size": size}
    attributes = " ".join(
        f'{key}="{html.escape(json.dumps(entry, separators=(",", ":")))}"'
        for key, entry in said.items()
    )
    script = _script(name)
    element = f"<course-{name} {attributes}>{image}</course-{name}>"
    return f'{element}<script type="module">{script}</script>'


def _control(name: str, widget: ipywidgets.ValueWidget) -> dict[str, Any]:
    """What a control of the page needs to know of a widget."""
    common = {"name": name, "description": widget.description, "value": widget.value}
    if hasattr(widget, "options"):
        return common | {"options": widget.options}
    return common | {
        "min": widget.min,
        "max": widget.max,
        "step": widget.step,
        "power": hasattr(widget, "base"),
        "readout": widget.readout_format,
    }


@cache
def _script(name: str) -> str:
    folder = files(__package__)
    return "".join((folder / f"{part}.js").read_text(encoding="utf-8") for part in ("frame", name))
