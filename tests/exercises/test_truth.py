"""What a wrong answer is told is true of it: every known mistake, and two at once.

Named mistakes are tried with their sentences and without, so that the general findings speak. Two
mistakes at once are made from the outcomes of each. With `PAIRS=all` in the environment all pairs
of an exercise are tried, not just some.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from claims import Call, untrue
from lucky import LUCKY
from written import answer

from course_lib.exercises import Case, Exercise, Outcome, catalogue
from course_lib.exercises.judge import diagnose, run_cases

EXERCISES = list(catalogue().values())
ORDINARY = "ordinary inputs"
PAIRS = os.environ.get("PAIRS", "8")
Outcomes = Sequence[Outcome]


def problems(exercise: Exercise, cases: Sequence[Case], wants: Outcomes, gots: Outcomes) -> str:
    calls = [
        Call(case, want, got, exercise.tolerance)
        for case, want, got in zip(cases, wants, gots, strict=True)
    ]
    verdict = diagnose(exercise, cases, gots)
    return "; ".join(untrue(exercise, calls, verdict))


def mixed(
    cases: Sequence[Case], right: Outcomes, one: Outcomes, other: Outcomes, rng: Any
) -> Iterator[tuple[str, Outcomes]]:
    """Outcomes of an answer that makes both mistakes, in several ways."""
    kinds = list(dict.fromkeys(case.kind for case in cases))
    special = rng.choice(kinds)
    coins = rng.integers(0, 2, len(cases))

    def by_case(choose: Any) -> Outcomes:
        return [choose(number, case) for number, case in enumerate(cases)]

    yield (
        "one on ordinary inputs, the other elsewhere",
        by_case(lambda i, case: one[i] if case.kind == ORDINARY or case.call else other[i]),
    )
    yield f"one on {special} only", by_case(lambda i, c: (one if c.kind == special else right)[i])
    yield f"not on {special}", by_case(lambda i, c: (right if c.kind == special else one)[i])
    yield "one or the other, by chance", by_case(lambda i, c: (one, other)[coins[i]][i])
    yield "one or none, by chance", by_case(lambda i, c: (one, right)[coins[i]][i])
    yield "values of both", [_both(*three) for three in zip(right, one, other, strict=True)]
    yield "errors added", [_added(*three) for three in zip(right, one, other, strict=True)]
    factor = rng.choice([-1.0, 2.0, 0.25])
    yield f"{factor} times", [_added(Outcome("returned"), o, o, factor) for o in one]


def as_steady(cases: Sequence[Case], outcomes: Outcomes) -> Outcomes:
    """With the same result where a call is made again."""
    first = [next(c for c in cases if c.arguments is case.arguments) for case in cases]
    return [outcomes[cases.index(case)] for case in first]


def _both(right: Outcome, one: Outcome, other: Outcome) -> Outcome:
    """The first value of one, the rest of the other."""
    if isinstance(one.value, tuple) and isinstance(other.value, tuple):
        return replace(one, value=(*one.value[:1], *other.value[1:]))
    return one


def _added(right: Outcome, one: Outcome, other: Outcome, factor: float = 0.0) -> Outcome:
    def added(r: Any, a: Any, b: Any) -> Any:
        if isinstance(a, (tuple, list)):
            return type(a)(added(*parts) for parts in zip(r or a, a, b, strict=True))
        if np.asarray(a).dtype.kind != "f":
            return a
        with np.errstate(invalid="ignore"):  # of infinities comes nan, a wrong answer like others
            return np.multiply(a, factor) if factor else np.asarray(a) + np.asarray(b) - r

    try:
        return replace(one, value=added(right.value, one.value, other.value))
    except (TypeError, ValueError):  # of different shapes
        return one


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_what_is_said_is_true(exercise: Exercise) -> None:
    rng = np.random.default_rng(0)
    cases = exercise.draw_cases(0)
    unnamed = replace(exercise, misconceptions=())
    right = run_cases(exercise.reference, cases, exercise.seconds)
    known = {m.id: run_cases(m.variant, cases, exercise.seconds) for m in exercise.misconceptions}
    wrong = {
        name: said
        for name, outcomes in known.items()
        for judged in (exercise, unnamed)
        if (said := problems(judged, cases, right, outcomes))
    }
    pairs = [(one, other) for one in known for other in known if one != other]
    if PAIRS != "all":
        pairs = [pairs[i] for i in rng.permutation(len(pairs))[: int(PAIRS)]]
    for one, other in pairs:
        for way, outcomes in mixed(cases, right, known[one], known[other], rng):
            outcomes = as_steady(cases, outcomes)
            for judged in (exercise, unnamed):
                if said := problems(judged, cases, right, outcomes):
                    wrong[f"{one} + {other} ({way})"] = said
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong.items())


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_what_other_wrong_answers_are_told_is_true(exercise: Exercise) -> None:
    cases = exercise.draw_cases(1)
    right = run_cases(exercise.reference, cases, exercise.seconds)
    for body in LUCKY.get(exercise.name, ()):
        outcomes = run_cases(answer(exercise.name, body), cases, exercise.seconds)
        assert not problems(exercise, cases, right, outcomes), body
