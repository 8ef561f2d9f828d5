"""No verdict depends on luck: what is wrong is refused at every seed, what is right at none.

With `SEEDS=1000` in the environment a thousand seeds are tried, not just a few.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from lucky import LUCKY
from unusual import UNUSUAL
from written import answer

from course_lib.exercises import Case, Exercise, Outcome, catalogue
from course_lib.exercises.diagnosis import Trial
from course_lib.sandbox.calling import call

SEEDS = range(int(os.environ.get("SEEDS", "14")))
EXERCISES = list(catalogue().values())
Answer = Callable[..., Any]


def is_right(exercise: Exercise, function: Answer, case: Case, want: Outcome) -> bool:
    return Trial(case, want, call(function, case.arguments), exercise.tolerance).correct


def asked(exercise: Exercise, cases: Iterable[Case]) -> list[tuple[Case, Outcome]]:
    return [(case, call(exercise.reference, case.arguments)) for case in cases]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_no_wrong_answer_passes_by_luck(exercise: Exercise) -> None:
    wrong: list[tuple[str, Answer]] = [
        (known.id, written)
        for known in exercise.misconceptions
        for written in (known.variant, *known.others)
    ]
    wrong += [(body, answer(exercise.name, body)) for body in LUCKY.get(exercise.name, ())]
    # A call by hand is the same at every seed.
    by_hand = asked(exercise, exercise.by_hand)
    left = [
        (name, function)
        for name, function in wrong
        if all(is_right(exercise, function, *case) for case in by_hand)
    ]
    for seed in SEEDS if left else ():
        drawn = [case for case in exercise.draw_cases(seed) if not case.call]
        cases = asked(exercise, drawn)[::-1]  # the special ones first: they tell sooner
        for name, function in left:
            assert not all(is_right(exercise, function, *case) for case in cases), (seed, name)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_no_right_answer_is_refused_by_bad_luck(exercise: Exercise) -> None:
    unusual = [answer(exercise.name, body) for body in UNUSUAL.get(exercise.name, ())]
    for seed in SEEDS:
        for case, want in asked(exercise, exercise.draw_cases(seed)):
            for number, right in enumerate([*exercise.right_answers, *unusual]):
                assert is_right(exercise, right, case, want), (number, seed, case.kind)
