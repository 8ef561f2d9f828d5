"""Right answers are never refused: each exercise written in other ways, in other types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import Case, Exercise, Verdict, catalogue
from course_lib.exercises.diagnosis import SINGLE_PRECISION
from course_lib.exercises.judge import diagnose, run_cases

Answer = Callable[..., Any]
EXERCISES: dict[str, Exercise] = catalogue()
SEEDS = range(6)


def converted(value: Any, convert: Callable[[np.ndarray], Any]) -> Any:
    """Each array of floats, wherever it is, and each number of NumPy's."""
    if isinstance(value, tuple):
        return tuple(converted(part, convert) for part in value)
    if isinstance(value, list):
        lengths = {len(part) if isinstance(part, list) else 0 for part in value}
        if all(isinstance(part, (int, float, list)) for part in value) and len(lengths) < 2:
            return convert(np.array(value))
        return [converted(part, convert) for part in value]
    if isinstance(value, (np.ndarray, np.floating)):
        return convert(np.asarray(value))
    return value


def single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def in_single_precision(answer: Answer) -> Answer:
    """All of it in float32, arguments included, as PyTorch and Keras compute by default."""
    return lambda *arguments: converted(answer(*converted(arguments, single)), single)


def in_lists(answer: Answer) -> Answer:
    """Returns lists in place of arrays, and Python's numbers in place of NumPy's."""
    return lambda *arguments: converted(answer(*arguments), np.ndarray.tolist)


def in_column_order(answer: Answer) -> Answer:
    """Returns arrays laid out by columns, as transposing leaves them."""
    return lambda *arguments: converted(answer(*arguments), lambda a: np.asarray(a, order="F"))


WAYS: dict[str, Callable[[Answer], Answer]] = {
    "as written": lambda answer: answer,
    "float32": in_single_precision,
    "lists": in_lists,
    "by columns": in_column_order,
}


NOT_IN_SINGLE = {"binary_cross_entropy"}
"""Asks for 1 - 1e-7, next to which float32 has 1 - 1.2e-7: a sure mistake costs another number."""


def judged(exercise: Exercise, answer: Answer, cases: Sequence[Case]) -> Verdict:
    return diagnose(exercise, cases, run_cases(answer, cases, exercise.seconds))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_is_accepted(name: str, way: str) -> None:
    if way == "float32" and name in NOT_IN_SINGLE:
        pytest.skip("float32 cannot hold what is asked for")
    exercise = EXERCISES[name]
    assert len(exercise.right_answers) >= 3
    for seed in SEEDS:
        cases = exercise.draw_cases(seed)
        for number, answer in enumerate(exercise.right_answers):
            verdict = judged(exercise, WAYS[way](answer), cases)
            assert verdict.status == "correct", f"way {number}, seed {seed}: {verdict.message}"


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_the_tolerance_has_room_on_both_sides(name: str) -> None:
    exercise = EXERCISES[name]
    strict = replace(exercise, tolerance=exercise.tolerance / 1000)
    generous = replace(exercise, tolerance=SINGLE_PRECISION)
    for seed in SEEDS:
        cases = exercise.draw_cases(seed)  # once for all: what they should give is computed once
        for answer in exercise.right_answers:
            assert judged(strict, answer, cases).status == "correct"
        for mistake in exercise.misconceptions:
            assert judged(generous, mistake.variant, cases).status != "correct", mistake.id
