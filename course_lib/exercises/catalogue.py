"""All exercises by name, in the order in which the lessons teach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from ..errors import unknown
from . import markdown
from .exercise import Exercise

_read = cache(markdown.read)


@cache
def _files() -> dict[str, Path]:
    """The file of each exercise, ``NN_lesson/name.md``, by its name."""
    return {file.stem: file for file in Path(__file__).parent.glob("[0-9][0-9]_*/*.md")}


@cache
def _by_name() -> dict[str, Exercise]:
    return {file.stem: _read(file) for file in sorted(_files().values(), key=markdown.order)}


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
    """Every exercise of the course by its name, and the instructor's own (see `using`).

    Raises:
        CourseError: the file of an exercise cannot be read.
    """
    return {**_by_name(), **_own_by_name()}


def find(name: str) -> Exercise:
    """The exercise of this name; of the course's files only this one is read.

    Raises:
        KeyError: there is none; the message names the nearest one.
        CourseError: its file cannot be read.
    """
    own, files = _own_by_name(), _files()
    if name in own:
        return own[name]
    if name in files:
        return _read(files[name])
    raise KeyError(unknown(f"exercise “{name}”", name, [*files, *own]))


def names() -> frozenset[str]:
    """Of all exercises; none of their files is read."""
    return frozenset({**_files(), **_own_by_name()})


def _own_by_name() -> dict[str, Exercise]:
    return {exercise.name: exercise for exercise in _own.get()}
