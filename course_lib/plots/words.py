"""Numbers as the words beside a figure say them."""

from __future__ import annotations


def number(value: float, spec: str = "g") -> str:
    """Formatted by ``spec``; a minus is a real one, which screen readers tell, and 0 has none."""
    text = format(value, spec)
    if not text.strip("-+0.,% "):
        text = format(abs(value), spec)
    return text.replace("-", "−")


def brief(value: float) -> str:
    """In three digits."""
    return number(value, ".3g")
