"""Every exercise: its reference is right, its known mistakes are rejected and recognized."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import Exercise, Outcome, Verdict, catalogue, judge
from course_lib.exercises.diagnosis import Trial, is_numeric, is_text, parts, same_values
from course_lib.exercises.exercise import AGAIN, ORDINARY
from course_lib.exercises.judge import call, diagnose, known_outcome, run_cases

EXERCISES = list(catalogue().values())


def name(value: object) -> str | None:
    return value.name if isinstance(value, Exercise) else None


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_the_reference_is_correct(exercise: Exercise) -> None:
    for seed in range(20):
        verdict = judge(exercise.name, exercise.reference, seed)
        assert (verdict.status, verdict.points) == ("correct", exercise.points)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_a_stub_is_not_attempted(exercise: Exercise) -> None:
    def stub(*arguments: object) -> None:
        raise NotImplementedError

    verdict = judge(exercise.name, stub)
    assert (verdict.status, verdict.points) == ("not attempted", 0)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_each_mistake_is_python(exercise: Exercise) -> None:
    """(What cannot be read raises the same error whenever it is called, and so knows itself.)"""
    case = exercise.by_hand[0]
    for mistake in exercise.misconceptions:
        for way in (mistake.variant, *mistake.others):
            assert not call(way, case.arguments).error.startswith("CourseError"), mistake.id


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_each_mistake_is_recognized(exercise: Exercise) -> None:
    missed = []
    written = [way for m in exercise.misconceptions for way in (m.variant, *m.others)]
    by_hand = {way: run_cases(way, exercise.by_hand, exercise.seconds) for way in written}
    for seed in range(20):
        cases = exercise.draw_cases(seed)  # once for all: each mistake is held against all others
        again = [case for case in cases if case.kind == AGAIN]
        drawn = [case for case in cases if not case.call and case not in again]
        for mistake in exercise.misconceptions:
            ways = [mistake.variant, *(mistake.others if seed < 12 else ())]
            for number, way in enumerate(ways):
                made = partial(run_cases, way, seconds=exercise.seconds)
                if way is mistake.variant and seed >= 4:  # that it is the same each time is known
                    made = partial(map, partial(known_outcome, way))
                outcomes = [*made(drawn), *by_hand[way], *made(again)]
                verdict = diagnose(exercise, cases, outcomes)
                right = verdict.status != "correct" and verdict.points == 0
                right &= verdict.misconception == mistake.id
                if way is mistake.variant:
                    right &= verdict.message.startswith(mistake.says)
                if not right:
                    missed.append((mistake.id, number, seed, verdict.message))
    assert missed == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_mistakes_are_told_apart_from_each_other(exercise: Exercise) -> None:
    cases = exercise.draw_cases(0)
    outcomes = {m.id: run_cases(m.variant, cases, 5) for m in exercise.misconceptions}
    assert len(outcomes) == len(exercise.misconceptions), "two misconceptions share an id"
    for one in outcomes:
        for other in outcomes:
            if one != other:
                trials = zip(cases, outcomes[one], outcomes[other], strict=True)
                assert not all(Trial(c, a, b, exercise.tolerance).correct for c, a, b in trials)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_a_mistake_is_known_from_arrays_and_from_lists(exercise: Exercise) -> None:
    """Where an array is expected a list counts as one, but not the other way round."""
    case = exercise.draw_cases(0)[0]
    right = call(exercise.reference, case.arguments).value
    for mistake in exercise.misconceptions:
        made = call(mistake.variant, case.arguments).value
        for _, want, got in parts(right, made):
            lists = isinstance(want, np.ndarray) and isinstance(got, list)
            assert not (lists and is_numeric(got)), mistake.id


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_cases_depend_on_the_seed_alone(exercise: Exercise) -> None:
    random.seed(1)
    np.random.seed(1)
    first, again, other = (exercise.draw_cases(seed) for seed in (3, 3, 4))
    assert repr(first) == repr(again)
    assert repr(first) != repr(other)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_the_reference_keeps_its_arguments_and_its_contract(exercise: Exercise) -> None:
    assert exercise.reference.__name__ == exercise.name
    for case in exercise.draw_cases(0):
        outcome = call(exercise.reference, case.arguments)
        assert same_values(outcome.arguments, case.arguments, 0.0)
    parameters = inspect.signature(exercise.reference).parameters
    assert len(parameters) >= len(exercise.draw_cases(0)[0].arguments)


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_a_wrong_verdict_has_both_hints_and_a_right_one_none(exercise: Exercise) -> None:
    cases = exercise.draw_cases(0)
    wrong = diagnose(exercise, cases, run_cases(lambda *a: None, cases, 5))
    assert len(wrong.hints) == 2
    assert exercise.section in wrong.hints[1]
    assert judge(exercise.name, exercise.reference).hints == ()


INFINITE = {"labels_to_reach"}
"""Exercises that ask for infinity, for something that never happens."""


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_every_right_answer_is_finite(exercise: Exercise) -> None:
    for seed in range(20):
        for case in exercise.draw_cases(seed):
            value = exercise.reference(*case.arguments)
            if is_text(value):
                continue
            arrays = value if isinstance(value, (tuple, list)) else [value]
            assert not any(np.isnan(array).any() for array in arrays)
            finite = all(np.isfinite(array).all() for array in arrays)
            assert finite or exercise.name in INFINITE


ODD: dict[str, Callable[[Any], Any]] = {
    "truth values": lambda array: np.asarray(array) <= 0,
    "whole numbers": lambda array: np.asarray(array).astype("uint8"),
    "complex numbers": lambda array: np.asarray(array) + 1j,
    "texts": lambda array: np.asarray(array).astype(str),
    "objects": lambda array: np.asarray(array).astype(object),
    "huge integers": lambda array: [10**30, 10**400],
    "nothing in it": lambda array: np.array([]),
    "one axis more": lambda array: np.asarray(array)[None],
    "infinity": lambda array: np.asarray(array, float) + np.inf,
    "noise": lambda array: np.asarray(array, float) + 0.1 * np.arange(np.size(array))[-1],
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_a_verdict_comes_whatever_is_returned(exercise: Exercise) -> None:
    cases = exercise.draw_cases(0)

    def verdict(odd: Callable[[Any], Any], in_parts: bool) -> Verdict:
        def answer(*arguments: Any) -> Any:
            value = exercise.reference(*arguments)
            several = in_parts and isinstance(value, (tuple, list))
            return type(value)(odd(part) for part in value) if several else odd(value)

        return diagnose(exercise, cases, run_cases(answer, cases, 5))

    for odd in [*ODD.values(), lambda value: [value, value], lambda value: {1: value}]:
        for in_parts in (True, False):
            assert verdict(odd, in_parts).message


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_a_verdict_comes_though_other_calls_raise(exercise: Exercise) -> None:
    cases = exercise.draw_cases(0)
    error = Outcome("raised", error="ValueError: x", line="line 2: f()", begun=True)
    for value in (None, 3.0, np.zeros(3), [np.zeros(2), np.zeros(3)], "x", {1: 2}, [[1], [2, 3]]):
        odd = [replace(known_outcome(exercise.reference, case), value=value) for case in cases]
        for raising in (lambda case: case.kind != ORDINARY, lambda case: bool(case.call)):
            pairs = zip(cases, odd, strict=True)
            outcomes = [error if raising(case) else outcome for case, outcome in pairs]
            assert diagnose(exercise, cases, outcomes).message
