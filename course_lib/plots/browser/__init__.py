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


def described(
    name: str, data: Mapping[str, Any], sliders: Mapping[str, ipywidgets.ValueWidget]
) -> str:
    """What a notebook stores of an explorer beside its picture, so that a page can make it live.

    It is JSON, in one line of the notebook's file.

    Args:
        name: of its module, without ``.js``.
        data: what the module computes with; anything that JSON holds.
        sliders: widgets by the name of the value; the page begins with their values.
    """
    controls = [_control(key, widget) for key, widget in sliders.items()]
    return json.dumps({"name": name, "controls": controls, "data": dict(data)}, sort_keys=True)


def live_html(image: str, metadata: Mapping[str, Any]) -> str:
    """The explorer as HTML that needs no kernel, no network and no other file.

    Args:
        image: PNG in base64; it stands there where scripts may not run.
        metadata: of the PNG: ``alt``, ``width``, ``height`` and, as ``explorer``, what
            `described` gives.
    """
    explorer, size = json.loads(metadata["explorer"]), [metadata["width"], metadata["height"]]
    name, attributes = explorer["name"], _attributes({**explorer, "size": size})
    looks = {"alt": metadata["alt"], "width": size[0], "height": size[1]}
    looks |= {"style": "max-width: 100%; height: auto", "src": f"data:image/png;base64,{image}"}
    element = f"<course-{name} {attributes}><img {_attributes(looks)}></course-{name}>"
    return f'{element}<script type="module">{_script(name)}</script>'


def _attributes(entries: Mapping[str, Any]) -> str:
    told = {
        key: entry if isinstance(entry, str) else json.dumps(entry, separators=(",", ":"))
        for key, entry in entries.items()
    }
    return " ".join(f'{key}="{html.escape(entry)}"' for key, entry in told.items())


def _control(name: str, widget: ipywidgets.ValueWidget) -> dict[str, Any]:
    """What a control of the page needs to know of a widget."""
    common = {"name": name, "description": widget.description, "value": widget.value}
    if hasattr(widget, "options"):
        return common | {"options": [[*option] for option in widget.options]}
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
