"""One submission -> the verdict on each exercise of its lesson."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from threading import Event
from typing import Any

from ..exercises.catalogue import catalogue
from ..exercises.exercise import Case, Exercise, Verdict
from ..exercises.judge import diagnose
from .likeness import code_prints
from .sandbox import Attempt, Limits, Sandbox
from .slicing import Slices
from .submission import Submission, parse

MAX_NAME = 80
Entry = dict[str, Any]
"""One exercise of one submission, as JSON: a verdict's fields, "notes", and "code", which is the
same for two answers that differ in names and layout only."""


def lessons_with_exercises() -> tuple[str, ...]:
    """All lessons that have exercises, in order."""
    return tuple(dict.fromkeys(exercise.lesson for exercise in catalogue().values()))


def exercises_of(lesson: str) -> list[Exercise]:
    """The exercises of one lesson, in order."""
    return [exercise for exercise in catalogue().values() if exercise.lesson == lesson]


def lesson_of(data: bytes, names: Iterable[str] = ()) -> str | None:
    """Which lesson a file belongs to, even if it is too broken to be parsed.

    It is the one most of whose functions it defines; if it defines none, the one that the
    notebook's metadata declare; else the one that a name (of the file, of the assignment) holds.
    """
    functions = catalogue()
    # Each pattern begins with a fixed word, which is found in no time in a file of any size.
    defined = {word.decode() for word in re.findall(rb"def[ \t]+([a-z_0-9]+)", data)}
    for equals in re.finditer(rb"= ?lambda\b", data):
        before = re.search(rb"([a-z_0-9]+) ?$", data[: equals.start()][-MAX_NAME:])
        defined |= {before[1].decode()} if before is not None else set()
    votes = Counter(functions[name].lesson for name in sorted(defined & set(functions)))
    if votes:
        return max(lessons_with_exercises(), key=lambda lesson: votes[lesson])
    declared = re.search(rb'"course"\s*:\s*\{[^{}]*"lesson"\s*:\s*"([\w.-]+)"', data)
    if declared is not None and declared[1].decode("ascii", "replace") in lessons_with_exercises():
        return declared[1].decode()
    for name in names:
        for lesson in lessons_with_exercises():
            if lesson in name:
                return lesson
    return None


def mark(
    data: bytes, lesson: str, seed: int, *, limits: Limits | None = None, stop: Event | None = None
) -> tuple[list[Entry], list[str]]:
    """Judge every exercise of the lesson.

    Args:
        data: the notebook.
        lesson: all of whose exercises count.
        seed: of the random cases.
        limits: for the learner's process.
        stop: when set, marking ends with `sandbox.StoppedError`.

    Returns:
        An entry for each exercise, in the lesson's order, and notes on the notebook.

    Raises:
        UnreadableError: ``data`` are no notebook.
        WorkerError: no process can be started.
    """
    exercises = exercises_of(lesson)
    submission = parse(data, [exercise.name for exercise in exercises])
    entries: dict[str, Entry] = {}
    correct: set[str] = set()
    lent = _lent(exercises, submission.slices)
    with Sandbox(limits, stop) as sandbox:
        for exercise in _in_order(exercises, submission.slices):
            # What this answer reads and the learner has not got right is given by the course:
            # no mistake is punished twice. (`softmax = check(softmax)` does so in the notebook.)
            given = [
                name for name in entries if name not in correct and _givable(catalogue()[name])
            ]
            verdict, notes = _judge(exercise, submission, [*given, *lent], seed, sandbox)
            if verdict.status == "correct":
                correct.add(exercise.name)
            entries[exercise.name] = _entry(verdict, notes)
    prints = code_prints(submission.slices, entries.values())
    ordered = [{**entries[e.name], "code": prints.get(e.name)} for e in exercises]
    return ordered, list(submission.notes)


def ungraded(lesson: str, status: str, message: str) -> list[Entry]:
    """Entries without points, for a submission that could not be graded at all."""
    return [
        {
            "exercise": exercise.name,
            "status": status,
            "points": None,
            "max_points": exercise.points,
            "misconception": None,
            "message": message,
            "hints": [],
            "notes": [],
            "code": None,
        }
        for exercise in exercises_of(lesson)
    ]


def _entry(verdict: Verdict, notes: Sequence[str]) -> Entry:
    return {
        "exercise": verdict.exercise,
        "status": verdict.status,
        "points": verdict.points,
        "max_points": verdict.max_points,
        "misconception": verdict.misconception,
        "message": verdict.message,
        "hints": list(verdict.hints),
        "notes": list(notes),
    }


def _judge(
    exercise: Exercise, submission: Submission, given: Collection[str], seed: int, sandbox: Sandbox
) -> tuple[Verdict, Sequence[str]]:
    name = exercise.name
    broken = submission.broken.get(name)
    if submission.slices.answer(name) is None:
        if broken is not None:
            return _without_points(exercise, "error", broken), ()
        missing = f"There is no function `{name}` in this notebook."
        return _without_points(exercise, "not attempted", missing), ()
    program = submission.slices.program(name, given)
    cases = _cases(exercise, seed)
    references = {other: catalogue()[other].reference for other in program.given}
    attempt = sandbox.run(program, exercise, cases, references)
    verdict = _verdict(exercise, cases, attempt)
    doubtful = sandbox.shared or sandbox.killed
    if doubtful and verdict.status not in {"correct", "not attempted"}:
        # Whatever an earlier answer may have done to the process, or another to this machine's
        # memory, costs this one nothing.
        attempt = sandbox.run(program, exercise, cases, references, alone=True)
        verdict = _verdict(exercise, cases, attempt)
    notes = [
        *program.notes,
        *(
            f"Graded with the course's own `{other}`, because yours is not right yet."
            for other in program.given
            if catalogue()[other].lesson == exercise.lesson
        ),
    ]
    if verdict.status == "not attempted" and broken is not None:
        return _without_points(exercise, "error", broken), notes
    return verdict, notes


def _verdict(exercise: Exercise, cases: Sequence[Case], attempt: Attempt) -> Verdict:
    if attempt.problem is not None:
        return _without_points(exercise, *attempt.problem)
    return diagnose(exercise, cases, attempt.outcomes)


def _without_points(exercise: Exercise, status: Any, message: str) -> Verdict:
    return Verdict(status, 0.0, exercise.points, None, message, exercise.name)


@lru_cache(maxsize=64)
def _cases(exercise: Exercise, seed: int) -> list[Case]:
    return exercise.draw_cases(seed)


def _lent(exercises: Sequence[Exercise], slices: Slices) -> list[str]:
    """Functions of other lessons that this one imports from the course, as learners may, too."""
    own = {exercise.lesson for exercise in exercises}
    others = {e.name: e for e in catalogue().values() if e.lesson not in own}
    return sorted(name for name in slices.lent(others) if _givable(others[name]))


@lru_cache(maxsize=64)
def _givable(exercise: Exercise) -> bool:
    """Functions cannot travel as arguments of an ask."""
    cases = _cases(exercise, 0)
    return not any(callable(argument) for case in cases for argument in case.arguments)


def _in_order(exercises: Sequence[Exercise], slices: Slices) -> list[Exercise]:
    """What an answer reads is judged before it; a circle is cut in the lesson's order."""
    by_name = {exercise.name: exercise for exercise in exercises}
    ordered: dict[str, Exercise] = {}
    under_way: set[str] = set()

    def visit(exercise: Exercise) -> None:
        if exercise.name in ordered or exercise.name in under_way:
            return
        under_way.add(exercise.name)
        reads = slices.reads(exercise.name, by_name)
        for other in exercises:
            if other.name in reads:
                visit(other)
        ordered[exercise.name] = exercise

    for exercise in exercises:
        visit(exercise)
    return list(ordered.values())
