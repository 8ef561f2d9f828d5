"""One submission, as it was handed in -> its record, whatever state it is in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from threading import Event
from typing import Any

from ..errors import named
from ..exercises.catalogue import catalogue
from ..sandbox.process import StoppedError
from ..sandbox.run import SandboxError
from .discovery import Source
from .marking import (
    Marked,
    VerdictCache,
    functions_in,
    lesson_of,
    mark,
    other_lessons,
    require_lists,
    require_texts,
    ungraded,
)
from .submission import UnreadableError, read

MAX_OTHER_LESSONS = 2
"""In one file, beside its own."""
PAUSES = (0.3, 2.0, 5.0)
"""Seconds before each further try, where this machine failed and not the submission."""


@dataclass(frozen=True)
class HandedIn:
    """All that has to travel to where a submission is graded.

    Attributes:
        id: unique in the run.
        learner: whose it is.
        data: the file's bytes.
        problem: why it could not be read, or "".
        fault_here: that was this machine's fault, not the file's.
        locate: the places of its mistakes are to be looked for, too.
    """

    id: str
    learner: str
    data: bytes
    problem: str = ""
    fault_here: bool = False
    locate: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Graded:
    """What is known of one submission that went through grading: a line of results.jsonl.

    Attributes:
        submission, learner, sha256: see `HandedIn`.
        seed: of the random cases.
        lesson: that it belongs to, or None if there is no saying.
        status: "graded", "unreadable" or "crashed".
        message: why it is not graded, or "".
        exercises: all of the lesson, in order; behind them those of further ones in the file.
        notes: sentences on how it was graded.
        own: identifies the instructor's own exercises, if there were any.
    """

    submission: str
    learner: str
    sha256: str
    seed: int
    lesson: str | None
    status: str
    message: str = ""
    exercises: tuple[Marked, ...] = ()
    notes: tuple[str, ...] = ()
    own: str | None = None

    @property
    def points(self) -> float | None:
        """Earned; None if nothing could be graded."""
        return sum(one.points or 0 for one in self.exercises) if self.status == "graded" else None

    @property
    def max_points(self) -> float | None:
        """That there are; None if nothing could be graded."""
        return sum(one.max_points for one in self.exercises) if self.status == "graded" else None

    def by_lesson(self) -> list[Graded]:
        """The same, once for each lesson whose exercises it holds; the notes with the first."""
        known = catalogue()
        parts: dict[str | None, list[Marked]] = {}
        for one in self.exercises:
            lesson = known[one.exercise].lesson if one.exercise in known else self.lesson
            parts.setdefault(lesson, []).append(one)
        if len(parts) < 2:
            return [self]
        notes = [self.notes, *[()] * (len(parts) - 1)]
        return [
            replace(self, lesson=lesson, exercises=tuple(own), notes=said)
            for (lesson, own), said in zip(parts.items(), notes, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "points": self.points, "max_points": self.max_points}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Graded:
        """Raises: KeyError, TypeError, ValueError or AttributeError: it is none."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name != "own"}
        exercises = tuple(map(Marked.from_json, data["exercises"]))
        more = {"exercises": exercises, "notes": tuple(data["notes"]), "own": data.get("own")}
        known |= more
        texts = [known[name] for name in ("submission", "learner", "sha256", "status", "message")]
        texts += [*known["notes"], *(known[n] for n in ("lesson", "own") if known[n] is not None)]
        require_texts(texts)
        require_lists(data["exercises"], data["notes"])
        if type(known["seed"]) is not int or known["seed"] < 0:
            raise ValueError("a seed is a whole number from 0 on")
        if known["status"] not in ("graded", "unreadable", "crashed"):
            raise ValueError("no status is called so")
        return cls(**known)


def hand_in(source: Source, locate: bool = False) -> HandedIn:
    """Read a submission; a file that cannot be read is handed in empty, with the reason."""
    if source.trouble:
        return HandedIn(source.id, source.learner, b"", source.trouble)
    try:
        return HandedIn(source.id, source.learner, read(source.path), locate=locate)
    except UnreadableError as error:
        return HandedIn(source.id, source.learner, b"", str(error))
    except OSError as error:
        said = f"The file cannot be read: {error.strerror}."
        return HandedIn(source.id, source.learner, b"", said, fault_here=True)


def grade_one(
    handed: HandedIn,
    seed: int,
    lesson: str | None,
    stop: Event | None = None,
    cache: VerdictCache | None = None,
) -> Graded | None:
    """The record of one submission, or None if it does not show which lesson it belongs to.

    Whatever is wrong with the submission, or goes wrong here, is in the record.

    Args:
        handed: the submission.
        seed: of the random cases.
        lesson: what to take it for if it does not show it; "" if there is no saying.
        stop: when set, ends with `StoppedError`.
        cache: what the run knows of programs already.
    """
    found = functions_in(handed.data)
    shown = lesson_of(handed.data, reversed(handed.id.split("/")), found) or lesson
    if shown is None:
        return None
    try:
        if handed.problem:
            raise (OSError if handed.fault_here else UnreadableError)(handed.problem)
        if not shown:
            raise UnreadableError("No exercise of the course is in this file.")
        entries, notes = _marked(handed, shown, seed, stop or Event(), cache)
        others, left_out = other_lessons(found, shown)
        left_out = sorted(others[MAX_OTHER_LESSONS:] + left_out)
        others = sorted(others[:MAX_OTHER_LESSONS])
        for other in others:
            entries += _marked(handed, other, seed, stop or Event(), cache)[0]
        if others:
            notes.append(f"This file also holds answers to {named(others)}.")
        if left_out:
            notes.append(
                f"This file also has functions of {named(left_out)}, which were not graded: hand "
                "in a file of its own for each lesson."
            )
        return _record(handed, seed, shown, "graded", entries, notes=notes)
    except StoppedError:
        raise
    except UnreadableError as error:
        status, message = "unreadable", str(error)
    except Exception as error:  # a mistake of ours costs no learner points, and no batch its end
        said = " ".join(str(error).split())[:300] or type(error).__name__
        status, message = "crashed", f"Grading failed here, not in the answers: {said}"
    return _record(handed, seed, shown, status, ungraded(shown, status, message), message)


def _marked(
    handed: HandedIn, lesson: str, seed: int, stop: Event, cache: VerdictCache | None
) -> tuple[list[Marked], list[str]]:
    """`mark`, once more from the start if what it needs of this machine was not to be had."""
    for pause in PAUSES:
        try:
            return mark(handed.data, lesson, seed, locate=handed.locate, stop=stop, cache=cache)
        except (SandboxError, OSError):
            stop.wait(pause)
    return mark(handed.data, lesson, seed, locate=handed.locate, stop=stop, cache=cache)


def lost(handed: HandedIn, seed: int, lesson: str, reason: str) -> Graded:
    """The record of a submission whose grading was lost through no fault of its own."""
    message = f"Grading failed here, not in the answers: {reason}"
    return _record(handed, seed, lesson, "crashed", ungraded(lesson, "crashed", message), message)


def set_aside(handed: HandedIn, seed: int, lesson: str) -> Graded:
    """The record of a submission that has killed the grader, and a second one, too."""
    shown = lesson_of(handed.data, reversed(handed.id.split("/"))) or lesson
    message = (
        "The grader was killed while it was at this file, and so was a second one: the file was "
        "set aside."
    )
    return _record(
        handed, seed, shown, "unreadable", ungraded(shown, "unreadable", message), message
    )


def _record(
    handed: HandedIn,
    seed: int,
    lesson: str,
    status: str,
    entries: Sequence[Marked],
    message: str = "",
    notes: Sequence[str] = (),
) -> Graded:
    return Graded(
        handed.id,
        handed.learner,
        handed.sha256,
        seed,
        lesson or None,
        status,
        message,
        tuple(entries),
        tuple(notes),
    )
