"""Numbers as the words beside a figure say them."""

from __future__ import annotations


def number(value: float, spec: str = "g") -> str:
    """Formatted by ``spec``, with a real minus sign: screen readers skip a hyphen. 0 has no sign."""
    text = format(value, spec)
    if not text.strip("-+0.,% "):
        text = format(abs(value), spec)
    return text.replace("-", "−")


def brief(value: float) -> str:
    """In three digits."""
    return number(value, ".3g")
