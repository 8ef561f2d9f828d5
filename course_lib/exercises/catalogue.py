"""All exercises by name, in the order in which the lessons teach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from ..errors import unknown
from . import adam, feature_extraction, fine_tuning, losses, regularization, sgd
from .exercise import Exercise

LESSONS = (losses, regularization, sgd, adam, feature_extraction, fine_tuning)


@cache
def _by_name() -> dict[str, Exercise]:
    return {exercise.name: exercise for lesson in LESSONS for exercise in lesson.EXERCISES}


# Of the context, not of the process: a machine of a cluster may serve two instructors at once.
_own: ContextVar[tuple[Exercise, ...]] = ContextVar("own exercises", default=())


@contextmanager
def using(exercises: Sequence[Exercise]) -> Iterator[None]:
    """In here the catalogue has these exercises too; one of a known name takes its place."""
    token = _own.set((*_own.get(), *exercises))
    try:
        yield
    finally:
        _own.reset(token)


def catalogue() -> dict[str, Exercise]:
    """Every exercise of the course by its name, and the instructor's own (see `using`)."""
    return {**_by_name(), **{exercise.name: exercise for exercise in _own.get()}}


def find(name: str) -> Exercise:
    """The exercise of this name.

    Raises:
        KeyError: there is none; the message names the nearest one.
    """
    known = catalogue()
    if name in known:
        return known[name]
    raise KeyError(unknown(f"exercise “{name}”", name, known))
