"""Exercises of an instructor's own, from a file outside the package."""

from __future__ import annotations

import hashlib
import linecache
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..exercises.catalogue import catalogue, using
from ..exercises.exercise import ORDINARY, Exercise
from ..exercises.judge import diagnose, run_cases
from .record import Graded, HandedIn, grade_one


@dataclass(frozen=True)
class OwnExercises:
    """A Python file that defines ``EXERCISES``, a tuple of `Exercise`.

    An exercise of a new name is added to the lesson that it names; one of a known name takes the
    place of the course's, with other cases or other points, say. The file is run on its own: it
    may import the course and NumPy, but no file beside it, because it also travels to a cluster.

    Attributes:
        path: of the file, as it was named.
        text: of the file.
        exercises: in the order of the file.
    """

    path: str
    text: str
    exercises: tuple[Exercise, ...] = field(compare=False, repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def read(cls, path: Path) -> OwnExercises:
        """Run the file and try each exercise once on its own reference.

        Raises:
            UsageError: it is no such file, or an exercise cannot be used; says which and why.
        """
        if path.exists() and not path.is_file():
            raise UsageError(f"The exercises in “{path}” cannot be read: it is no regular file.")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise UsageError(f"The exercises in “{path}” cannot be read: {why}.") from None
        exercises = defined_exercises(text, str(path))
        for exercise in exercises:
            problem = _problem(exercise)
            if problem:
                raise UsageError(f"Exercise “{exercise.name}” of “{path}” {problem}.")
        return cls(str(path), text, exercises)


@lru_cache(maxsize=8)
def defined_exercises(text: str, path: str) -> tuple[Exercise, ...]:
    """The exercises that the text of a file defines.

    Raises:
        UsageError: it cannot be run, or defines none.
    """
    namespace: dict[str, Any] = {"__name__": "own_exercises", "__file__": path}
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    try:
        exec(compile(text, path, "exec", dont_inherit=True), namespace)
    except (Exception, SystemExit) as error:
        raise UsageError(f"“{path}” cannot be run: {_said(error, path)}.") from error
    found = namespace.get("EXERCISES")
    if (
        not isinstance(found, (tuple, list))
        or not found
        or not all(isinstance(exercise, Exercise) for exercise in found)
    ):
        raise UsageError(f"“{path}” must define EXERCISES, a tuple of one or more Exercise.")
    twice = _twice(exercise.name for exercise in found)
    if twice:
        raise UsageError(f"“{path}” defines the exercise “{twice}” twice.")
    return tuple(found)


def grade_apart(
    handed: HandedIn, seed: int, lesson: str | None, own: tuple[str, str] | None
) -> Graded | None:
    """`grade_one` in a process that does not know the instructor's exercises yet.

    Args:
        handed, seed, lesson: see there.
        own: text and path of these, if there are any.
    """
    with using(defined_exercises(*own) if own is not None else ()):
        return grade_one(handed, seed, lesson)


def _problem(exercise: Exercise) -> str:
    """What keeps an exercise from being used, or ""."""
    if not str(exercise.name).isidentifier():
        return "needs the name of a function"
    lessons = dict.fromkeys(known.lesson for known in catalogue().values())
    if exercise.lesson not in lessons:
        return f"names the lesson “{exercise.lesson}”; there are {', '.join(lessons)}"
    if not isinstance(exercise.misconceptions, tuple):
        return "needs its misconceptions in a tuple"
    if not (math.isfinite(exercise.points) and exercise.points >= 0):
        return f"cannot have {exercise.points} points"
    twice = _twice(known.id for known in exercise.misconceptions)
    if twice:
        return f"has the misconception “{twice}” twice"
    try:
        cases = exercise.draw_cases(0)
    except Exception as error:
        return f"cannot draw its cases: {_said(error)}"
    if not cases:
        return "has no cases"
    outcomes = run_cases(exercise.reference, cases, exercise.seconds)
    for case, outcome in zip(cases, outcomes, strict=False):  # after a hang there are fewer
        if outcome.state == "timeout":
            return f"has a reference that takes more than {exercise.seconds:g} s"
        if outcome.state == "raised" and case.kind == ORDINARY:
            return f"has a reference that raises {outcome.error.rstrip('.')} on ordinary inputs"
        if outcome.state == "returned" and not _numeric(outcome.value):
            return "has a reference that returns something else than arrays and numbers"
    for known in exercise.misconceptions:
        outcomes = run_cases(known.variant, cases, exercise.seconds)
        if diagnose(exercise, cases, outcomes).status == "correct":
            return (
                f"has cases that do not tell its misconception “{known.id}” from the right answer"
            )
    return ""


def _numeric(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_numeric, value))
    return np.asarray(value).dtype.kind in "biuf"


def _twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _said(error: BaseException, path: str = "") -> str:
    """What went wrong, and in which line of the file."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f" in its line {line}" if line else ""
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{type(error).__name__}{where}{': ' if text else ''}{text.rstrip('.')}"
