"""Where to look in a wrong answer that was handed in, as the notebook's check says it.

The edits are those of `exercises.locate`; here they run behind the sandbox's walls, many in one
process, and what they should give stays in this one.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile
from time import thread_time

from ..exercises.diagnosis import Trial
from ..exercises.edits import Edit
from ..exercises.exercise import Exercise
from ..exercises.locate import candidates, is_large
from ..exercises.syntax import NUMPY
from ..sandbox.calling import Outcome
from ..sandbox.run import Attempt, Calls, Program
from ..sandbox.wire import MAX_PAYLOAD
from .statements import syntax_tree

MOST = 1200
"""So many edits are tried."""
LARGEST = 4000
"""A longer answer, in characters, is not edited."""
TOGETHER = 200
"""So many edits are in one process, if their calls fit into one message."""
HANGS = 10
"""After so many edits that never end the search is given up."""
MAKING = 5.0
"""Seconds of this thread's processor time in which edits are made and sifted."""
SECONDS = 0.5
"""For one call of an edited answer."""

Run = Callable[[Program, Calls], Attempt]


def place(exercise: Exercise, program: Program, trials: Sequence[Trial], run: Run) -> str:
    """The place of which one change makes an answer right in every call; "" if none is found.

    Args:
        exercise: what was asked.
        program: of the wrong answer.
        trials: every call, with what was expected and what the answer did.
        run: runs a program in the sandbox, within limits of time of the caller's.

    Returns:
        The line, counted from `def`, and what to look at: "line 2: the axis in `x.sum(axis=0)`".
    """
    end = thread_time() + MAKING
    search = _Search(program, run)
    if search.tree is None:
        return ""
    # A wrong edit shows at once on what the answer itself gets wrong, and on small calls.
    first, *others = sorted(trials, key=lambda trial: (trial.correct, not trial.case.call))
    edits = islice(candidates(search.tree, exercise, search.functions, {}), MOST)
    variants = takewhile(lambda _: thread_time() < end, search.variants(edits))
    ((_, frame),) = Calls((first.case.arguments,)).frames
    together = max(min(TOGETHER, MAX_PAYLOAD // len(frame)), 1)
    while some := list(islice(variants, together)):
        for variant in search.right(some, [first]):
            if not others or search.right([variant], others):
                return variant[0]
    return ""


Variant = tuple[str, str]  # what to look at, and the source of the edited function


class _Search:
    """Edited answers to one exercise, and whether they are right.

    Attributes:
        tree: the answer's, or None if it is no plain function of its own.
        functions: other names that its program binds.
    """

    def __init__(self, program: Program, run: Run) -> None:
        self.program, self.run, self.hangs = program, run, 0
        sources = [source for title, source in program.segments if title == program.name]
        self.tree = _function(sources[0]) if len(sources) == 1 else None
        self.functions = {title for title, _ in program.segments if title.isidentifier()}
        self.functions -= {program.name}

    def variants(self, edits: Iterator[Edit]) -> Iterator[Variant]:
        """Each edit that gives Python, once."""
        assert self.tree is not None
        seen: set[str] = set()
        for edit in edits:
            with edit.made():
                try:
                    source = ast.unparse(self.tree)
                    compile(source, "<an edited answer>", "exec", dont_inherit=True)
                except (SyntaxError, ValueError, TypeError, RecursionError, OverflowError):
                    continue
            if source not in seen:
                seen.add(source)
                yield f"line {edit.line}: {edit.told()}", source

    def right(self, variants: Sequence[Variant], trials: Sequence[Trial]) -> list[Variant]:
        """Those that are right in all of these calls."""
        found = []
        while variants and self.hangs < HANGS:
            calls = [(k, *t.case.arguments) for k in range(len(variants)) for t in trials]
            attempt = self.run(self._program(variants), Calls(tuple(calls), SECONDS))
            outcomes = list(attempt.outcomes)
            for variant, number in zip(
                variants, range(0, len(outcomes), len(trials)), strict=False
            ):
                got = outcomes[number : number + len(trials)]
                if len(got) == len(trials) and all(map(_is_right, trials, got)):
                    found.append(variant)
            if len(outcomes) == len(calls):
                break
            self.hangs += 1  # the last one never came back: those behind it are asked again
            variants = variants[max(len(outcomes) - 1, 0) // len(trials) + 1 :]
        return found

    def _program(self, variants: Sequence[Variant]) -> Program:
        """The answer's program in which its first argument chooses among the variants."""
        name = self.program.name
        made = "".join(
            f"def _edit_{number}():\n{textwrap.indent(source, '    ')}\n    return {name}\n"
            for number, (_, source) in enumerate(variants)
        )
        all_made = "".join(f"_edit_{number}, " for number in range(len(variants)))
        chooser = (
            f"import numpy as {NUMPY}\n{made}_edits = ({all_made})\n"
            f"def {name}(edit, *arguments): return _edits[edit]()(*arguments)\n"
        )
        segments = tuple(
            (title, chooser if title == name else source) for title, source in self.program.segments
        )
        return replace(self.program, segments=segments)


def _is_right(trial: Trial, got: Outcome) -> bool:
    return replace(trial, got=replace(got, arguments=got.arguments[1:])).correct


def _function(source: str) -> ast.FunctionDef | None:
    if len(source) > LARGEST:
        return None
    try:
        (tree,) = syntax_tree(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        return None
    return None if is_large(tree) else tree
