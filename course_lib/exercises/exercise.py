"""The vocabulary of exercises: Exercise, Misconception, Case, Formula, Outcome, Verdict."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..sandbox.calling import Formula as Formula
from ..sandbox.calling import Outcome as Outcome
from .verdict import Status as Status
from .verdict import Verdict as Verdict

ORDINARY = "ordinary inputs"
AGAIN = "an earlier call, made again"


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the learner's function.

    ``kind`` names what is special about the arguments, in words that end the sentence
    "It is not right on ..." ("logits of ±10,000", "a batch of one"). ``call`` is the text of a
    hand-sized call, to paste into a cell. Cases are told apart by identity: what is known of one
    is remembered for as long as it is there.
    """

    arguments: tuple[Any, ...]
    kind: str = ORDINARY
    call: str = ""


@dataclass(frozen=True)
class Misconception:
    """A known wrong answer: a variant of the function and what a good teacher would say to it.

    says: what is wrong, in one sentence. think: how to find the right way, without the answer.
    noise: how far an answer may be from the variant, relative to its largest number, where the
    variant is wrong: for mistakes that come out a little different in everybody's hands.
    others: other ways to write it, for tests.
    """

    id: str
    variant: Callable[..., Any]
    says: str
    think: str = ""
    noise: float = 0.0
    others: tuple[Callable[..., Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function to write, and everything that is needed to judge an attempt at it.

    Exercises are told apart by identity, as cases are.

    Attributes:
        name: the function's name, a contract with graders outside this package.
        lesson: the lesson's file name without ending, as ``01_losses``.
        points: for a correct answer; a wrong one earns none.
        reference: the correct function, from ``course_lib.foundations``.
        cases: draws argument tuples from a random generator, edge cases included.
        misconceptions: known wrong answers, the most specific first.
        think: the second hint, for mistakes that are no known misconception.
        section: heading of the lesson's section that derives the answer, the last hint.
        formula: what that section derives, in LaTeX as it stands there; "" if it is in words.
        tolerance: largest accepted difference, relative to each expected number.
        seconds: time limit of one call.
        right_answers: unusual ways to be right, for tests.
        calls: makes ``by_hand``, when that is wanted for the first time.
    """

    name: str
    lesson: str
    points: float
    reference: Callable[..., Any]
    cases: Callable[[np.random.Generator], list[Case]]
    misconceptions: tuple[Misconception, ...]
    think: str
    section: str
    formula: str = ""
    tolerance: float = 1e-6
    seconds: float = 5.0
    right_answers: tuple[Callable[..., Any], ...] = ()
    calls: Callable[[], tuple[Case, ...]] = tuple

    @cached_property
    def by_hand(self) -> tuple[Case, ...]:
        """Calls that one can compute by hand, the smallest first; see `Case.call`."""
        return self.calls()

    def draw_cases(self, seed: int) -> list[Case]:
        """The cases of one run: the same seed gives the same cases, whatever ran before.

        Behind them come those by hand, and then the first of both kinds once more, for what is kept
        between calls.
        """
        drawn = self.cases(np.random.default_rng([seed, zlib.crc32(self.name.encode())]))
        firsts = (*drawn[:1], *self.by_hand[:1])
        again = [Case(case.arguments, AGAIN) for case in firsts]
        return [*drawn, *self.by_hand, *again]
