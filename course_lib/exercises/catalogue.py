"""All exercises by name, in the order in which the lessons teach them."""

from __future__ import annotations

import difflib
from functools import cache

from . import losses
from .exercise import Exercise

LESSONS = (losses,)


@cache
def _by_name() -> dict[str, Exercise]:
    return {exercise.name: exercise for lesson in LESSONS for exercise in lesson.EXERCISES}


def catalogue() -> dict[str, Exercise]:
    """Every exercise of the course by its name."""
    return dict(_by_name())


def find(name: str) -> Exercise:
    """The exercise of this name.

    Raises:
        KeyError: there is none; the message names the nearest one.
    """
    known = _by_name()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean “{near[0]}”?" if near else ""
    raise KeyError(f"There is no exercise “{name}”.{hint}")
