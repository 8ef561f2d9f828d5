"""Exercises of an instructor's own, from a file outside the package."""

from __future__ import annotations

import hashlib
import json
import linecache
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CourseError, UsageError
from ..exercises.catalogue import catalogue, using
from ..exercises.exercise import ORDINARY, Exercise
from ..exercises.judge import diagnose, run_cases
from ..sandbox import limits
from ..sandbox.calling import OutOfTime, time_limit
from ..sandbox.process import how
from ..sandbox.run import kept_from_being_sent
from .marking import MAX_POINTS
from .record import Graded, HandedIn, grade_one

SECONDS = 60.0
"""For the file to be run, and for an exercise to draw its cases."""
PATIENCE = 4.0
"""So many times as long by the clock on the wall, as long as it computes."""
AT_MOST = 600.0
"""Seconds for a file to be tried, also where Python cannot interrupt it."""


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
        if problem := _tried(text, str(path)):
            raise UsageError(problem)
        return cls(str(path), text, defined_exercises(text, str(path)))


@lru_cache(maxsize=8)
def defined_exercises(text: str, path: str) -> tuple[Exercise, ...]:
    """The exercises that the text of a file defines.

    Raises:
        UsageError: it cannot be run, or defines none.
    """
    namespace: dict[str, Any] = {"__name__": "own_exercises", "__file__": path}
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    try:
        with time_limit(SECONDS, PATIENCE):
            exec(compile(text, path, "exec", dont_inherit=True), namespace)
    except (Exception, SystemExit, OutOfTime) as error:
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


def _tried(text: str, path: str) -> str:
    """What keeps a file from being used, as a sentence, or "".

    It is run, and each exercise tried, in another process: it may end that one, or keep it.
    """
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
    try:
        process = subprocess.Popen(
            (sys.executable, "-c", code),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise CourseError(
            f"The exercises in “{path}” cannot be tried: {error.strerror}."
        ) from error
    with process:
        try:
            said, _ = process.communicate(json.dumps([text, path, SECONDS]).encode(), AT_MOST)
            came = how(process.returncode)
        except subprocess.TimeoutExpired as late:
            said, came = late.stdout or b"", f"after {AT_MOST:g} s it had not come to its end"
        finally:
            _end(process)
    last = [None, *map(json.loads, said.splitlines())][-1]
    if isinstance(last, list):
        return str(last[0])
    of = f"Exercise “{last}” of “{path}”" if last is not None else f"“{path}”"
    return f"{of} cannot be used: when it was tried, {came}."


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it has started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def main() -> None:
    """Try a file, in an interpreter of its own, and tell what `_trial` does."""
    global SECONDS
    text, path, SECONDS = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        limits.silence()  # what it prints is seen when it is read
        for said in _trial(text, path):
            print(json.dumps(said), file=replies, flush=True)
    os._exit(0)  # threads of the file's must not keep it


def _trial(text: str, path: str) -> Iterator[str | list[str]]:
    """The name of each exercise before it is tried; at last a list of what `_tried` returns."""
    try:
        exercises = defined_exercises(text, path)
    except CourseError as error:
        yield [str(error)]
        return
    except BaseException as error:
        yield [f"“{path}” cannot be run: {_said(error, path)}."]
        return
    for exercise in exercises:
        yield str(exercise.name)
        try:
            problem = _problem(exercise)
        except BaseException as error:
            problem = f"cannot be tried: {_said(error)}"
        if problem:
            yield [f"Exercise “{exercise.name}” of “{path}” {problem}."]
            return
    yield [""]


def _problem(exercise: Exercise) -> str:
    """What keeps an exercise from being used, or ""."""
    if not str(exercise.name).isidentifier() or iskeyword(exercise.name):
        return "needs the name of a function"
    lessons = dict.fromkeys(known.lesson for known in catalogue().values())
    if exercise.lesson not in lessons:
        return f"names the lesson “{exercise.lesson}”; there are {', '.join(lessons)}"
    if not isinstance(exercise.misconceptions, tuple):
        return "needs its misconceptions in a tuple"
    number = isinstance(exercise.points, (int, float)) and not isinstance(exercise.points, bool)
    if not (number and 0 <= exercise.points <= MAX_POINTS):
        return f"cannot have {exercise.points} points"
    for field_name in ("think", "section", "formula"):
        if not isinstance(getattr(exercise, field_name), str):
            return f"needs a text for its `{field_name}`"
    for known in exercise.misconceptions:
        if not all(isinstance(text, str) for text in (known.id, known.says, known.think)):
            return f"needs texts in its misconception “{known.id}”"
        if not callable(known.variant):
            return f"needs a function for its misconception “{known.id}”"
    twice = _twice(known.id for known in exercise.misconceptions)
    if twice:
        return f"has the misconception “{twice}” twice"
    try:
        with time_limit(SECONDS, PATIENCE):
            cases = exercise.draw_cases(0)
    except BaseException as error:
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
    if diagnose(exercise, cases, outcomes).status != "correct":
        return "does not find its own reference right: is that the same in each call?"
    if unsent := kept_from_being_sent([case.arguments for case in cases], outcomes):
        return unsent
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
    if isinstance(error, OutOfTime):
        return f"it had not come to its end after {SECONDS:g} s{',' if where else ''}{where}"
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{type(error).__name__}{where}{': ' if text else ''}{text.rstrip('.')}"
