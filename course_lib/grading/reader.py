"""A process that reads one notebook, and cuts out of it what the grader asks for.

What a file costs it costs here, within this process's limits: see `reading`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import IPython.core.inputtransformer2  # noqa: F401 (here once, before the forking)

from ..errors import NEAR
from ..sandbox import limits
from ..sandbox.run import Program, Segments
from ..sandbox.wire import TooLargeError
from ..sandbox.worker import Isolate, Served
from .slicing import Slices
from .statements import functions
from .submission import (
    MAX_SHOWN,
    Submission,
    UnreadableError,
    course_imports_of,
    handed_out,
    helpers_of,
    imports_of,
    parse,
    printable,
    texts_of,
)

MAX_NEAR = 80
MAX_NAME = 80
"""Of a function that may be meant to be an answer."""
AS_CHECKED = "`{}` was graded as it was where the notebook checks it."
AS_RUN = "`{}` was graded as the numbers of the cells say that they were run."
NOT_KNOWN = "What a magic or a command of the shell returns is not known in grading."
MOST_DEFINITIONS = 12
"""Of one answer that the notebook's check has judged, the last so many are tried."""
_RETURNED = re.compile(r"=\s*\(?get_ipython\(\)\.(?:getoutput|run_line_magic)\(")
TOO_MUCH = "Reading this notebook takes too much memory."


def prepare(lesson: str) -> None:
    """What most notebooks of a lesson have in common is read once, before the forking."""
    handed_out(lesson)
    helpers_of(lesson)
    texts_of(lesson)
    functions()


class Reader(Served):
    """Answers questions about one notebook: each names a method here, and brings its arguments."""

    def serve(self, isolate: Isolate) -> None:
        start = self.receive()
        isolate(limits.Limits(**dict(start["limits"])))
        limits.allow_processor_time(start["seconds"])
        self.lesson: str = start["lesson"]
        self.programs: Iterator[tuple[Program, list[str]]] = iter(())
        try:
            names, lendable = start["names"].split(), start["lendable"].split()
            self.known = frozenset(start["known"].split())
            self.submission = parse(start["data"].tobytes(), names, self.lesson)
            self.send({"answer": self.read(names, lendable)})
            while True:
                asked = self.receive()
                self._answer(getattr(self, asked["question"])(*asked["arguments"]))
        except UnreadableError as error:
            self.send({"unreadable": str(error)})
        except (MemoryError, RecursionError):
            self.submission = Submission(Slices([]), {}, ())  # what was in the way
            self.send({"unreadable": TOO_MUCH})

    def _answer(self, answer: Any) -> None:
        try:
            self.send({"answer": answer})
        except TooLargeError:
            self.send({"answer": None})

    def read(self, names: Sequence[str], lendable: Sequence[str]) -> tuple[Any, ...]:
        """What was found, broken and noted; see `reading.Reading`."""
        slices = self.submission.slices
        shown = tuple((name, _shown(slices, name)) for name in names if slices.answer(name))
        return (
            shown,
            tuple(self.submission.broken.items()),
            self.submission.notes,
            tuple(self.submission.in_text),
            tuple(self._imported(set(lendable))),
        )

    def _imported(self, lendable: set[str]) -> set[str]:
        return self.submission.slices.imported(lendable) | (
            lendable & course_imports_of(self.lesson)
        )

    def meant(self, name: str, parameters: Sequence[str]) -> str:
        """See `reading.Reading.meant`."""
        slices, found = self.submission.slices, handed_out(self.lesson)
        defined = [s for s in slices.statements if s.source.startswith("def ")]
        defined = [s for s in defined if s.source not in found]
        others = {
            other: s for s in defined for other in s.defines - self.known if len(other) <= MAX_NAME
        }
        for other, statement in others.items():
            head = re.match(r"def\s+\w+\s*\(([^()]*)\)", statement.source[:MAX_SHOWN])
            given = head[1].split(",") if head is not None else []
            if [re.split("[:=]", part)[0].strip() for part in given] == [*parameters]:
                return other
        near = get_close_matches(name, sorted(others)[:MAX_NEAR], n=1, cutoff=NEAR)
        return near[0] if near else ""

    def first(self, name: str, stand_ins: Any, accepted: Any, lent: Any) -> tuple[Any, ...]:
        """The first program that an answer may be; see `reading.Reading.programs`."""
        submission, found = self.submission, handed_out(self.lesson)
        imports = {name: ((name, code),) for name, code in imports_of(self.lesson).items()}
        helpers = {**imports, **helpers_of(self.lesson), **dict(lent)}  # their cell may be gone
        given = dict(stand_ins), dict(accepted), helpers
        self.programs = _programs(submission.slices, submission.as_it_ran, name, *given, found)
        return self.next()

    def next(self) -> tuple[Any, ...]:
        """The next one, or an empty tuple."""
        for program, notes in self.programs:
            if any(_RETURNED.search(source) for _, source in program.segments):
                notes = [*notes, NOT_KNOWN]
            parts = program.name, program.segments, program.provided
            return *parts, program.module, program.forgiving, tuple(notes)
        return ()


def _programs(
    slices: Slices,
    as_it_ran: Slices,
    name: str,
    stand_ins: Mapping[str, Segments],
    accepted: Mapping[str, Segments],
    lent: Mapping[str, Segments],
    found: frozenset[str],
) -> Iterator[tuple[Program, list[str]]]:
    seen: set[tuple[Segments, tuple[tuple[str, Segments], ...]]] = set()

    def new(program: Program) -> bool:
        size = len(seen)
        seen.add((program.segments, program.provided))
        return len(seen) > size

    def given(there: Slices) -> dict[str, Segments]:
        return {**there.lacking(lent), **stand_ins}

    first = slices.program(name, given(slices))
    new(first)
    yield first, slices.notes(name)
    as_checked = slices.as_checked(name)[:MOST_DEFINITIONS]
    for above in as_checked:
        if new(program := above.program(name, given(above))):
            yield program, [AS_CHECKED.format(name)]
    for above in as_checked:
        whole = above.straightforward(name, given(above), found)
        if whole is not None and new(whole):
            yield whole, [AS_CHECKED.format(name)]
    # What an earlier answer returns was accepted; this one's author may not have known how.
    if new(other := slices.program(name, {**accepted, **given(slices)})):
        yield other, slices.notes(name)
    for above in as_checked:
        if new(program := above.program(name, {**accepted, **given(above)})):
            yield program, [AS_CHECKED.format(name)]
    in_file, as_run = (
        [s.source for s in some.statements if s.source not in found or s.judges]
        for some in (slices, as_it_ran)
    )
    for above in as_it_ran.as_checked(name)[:MOST_DEFINITIONS]:
        whole = above.straightforward(name, given(above), found, always=in_file != as_run)
        if whole is not None and new(whole):
            yield whole, [AS_RUN.format(name)]


def _shown(slices: Slices, name: str) -> str:
    """The source of an answer, in printable lines."""
    answer = slices.answer(name)
    assert answer is not None
    return printable(answer.source)


def serve(requests: int, replies: int, isolate: Isolate) -> None:
    """Serve one notebook, then end this process."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        Reader(requests, replies).serve(isolate)
    os._exit(0)


def main() -> None:
    """In an interpreter of its own, with pipes for standard input and output."""
    requests, replies = os.dup(0), os.dup(1)
    limits.silence()
    serve(requests, replies, limits.take_on)
