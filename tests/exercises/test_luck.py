"""No verdict depends on luck: what is wrong is refused at every seed, what is right at none.

With `SEEDS=1000` in the environment a thousand seeds are tried, not just a few, and all changes of
right answers.
"""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from lucky import LUCKY
from unusual import UNUSUAL
from written import answer

from course_lib.exercises import Case, Exercise, Outcome, catalogue, judge
from course_lib.exercises.diagnosis import Trial
from course_lib.exercises.edits import edits
from course_lib.exercises.markdown import Code
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


MANY = "SEEDS" in os.environ
EACH = 12
"""Of so many changes one is tried, if not many seeds are."""
SECONDS = 1.0
"""For a call of a changed answer, which may never end."""


def changed(exercise: Exercise, body: str) -> Iterator[tuple[str, Answer]]:
    """A right answer with one part changed, in ways in which a mistake is looked for."""
    given = ", ".join(inspect.signature(exercise.reference).parameters)
    tree = ast.parse(f"def answer({given}):\n{textwrap.indent(body, '    ')}")
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    seen = set()
    for edit in islice(edits(function), 0, None, 1 if MANY else EACH):
        with edit.made():
            source = "\n".join(map(ast.unparse, function.body))
        if source in seen:
            continue
        seen.add(source)
        try:
            with warnings.catch_warnings(action="ignore"):  # of Python about odd code
                made = answer(exercise.name, source)
        except SyntaxError:
            continue
        yield source, made


def all_right(
    exercise: Exercise, function: Answer, cases: Iterable[tuple[Case, Outcome]]
) -> bool | None:
    """None if that is not known, because a call takes too long."""
    for case, want in cases:
        got = call(function, case.arguments, SECONDS)
        if not Trial(case, want, got, exercise.tolerance).correct:
            return None if got.state == "timeout" else False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_with_one_part_changed_an_answer_passes_at_every_seed_or_at_none(
    exercise: Exercise,
) -> None:
    """Some changes make it right in another way, and what is wrong must not pass by luck."""
    by_hand = asked(exercise, exercise.by_hand)
    bodies = [known.body for known in exercise.right_answers if isinstance(known, Code)]
    left = [
        (body, function)
        for right in bodies[: None if MANY else 1]
        for body, function in changed(exercise, right)
        if all_right(exercise, function, by_hand)
    ]
    passed: dict[str, set[bool | None]] = defaultdict(set)
    for seed in SEEDS if MANY else SEEDS[:4]:
        drawn = [case for case in exercise.draw_cases(seed) if not case.call]
        cases = asked(exercise, drawn)[::-1]
        for body, function in left:
            passed[body].add(all_right(exercise, function, cases))
    assert [body for body, found in passed.items() if {True, False} <= found] == []


LEFT_EMPTY = {
    "class_weights": """
        counts = np.bincount(labels, minlength=num_classes)
        return np.divide(len(labels) / num_classes, counts, where=counts > 0)
    """,
    "precision_recall_f1": """
        hits, called, members = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
        p = np.divide(hits, called, where=called > 0)
        r = np.divide(hits, members, where=members > 0)
        return np.stack([p, r, np.divide(2 * p * r, p + r, where=p + r > 0)], axis=1)
    """,
    "masked_mean": """
        counts = mask.astype(float).sum(axis=1, keepdims=True)
        sums = np.einsum("nth,nt->nh", states, mask.astype(float))
        return np.divide(sums, counts, where=counts > 0)
    """,
    "rnn_forward": """
        states = np.empty((len(inputs), len(bias)))
        for t, x in enumerate(inputs):
            if np.any(x):
                state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)
                states[t] = state
        return states
    """,
}
"""Right where memory happens to hold a zero, or what was there before."""


@pytest.mark.parametrize(("name", "body"), LEFT_EMPTY.items(), ids=LEFT_EMPTY)
def test_what_is_left_empty_is_wrong_at_every_seed(name: str, body: str) -> None:
    function = answer(name, textwrap.dedent(body))
    for seed in SEEDS:
        verdict = judge(name, function, seed)
        assert verdict.status == "wrong"
        assert "Nothing was written there" in verdict.message


def test_what_is_left_empty_and_not_taken_is_right() -> None:
    body = """
        counts = np.bincount(labels, minlength=num_classes)
        shares = np.divide(len(labels) / num_classes, counts, where=counts > 0)
        return np.where(counts > 0, shares, 0)
    """
    function = answer("class_weights", textwrap.dedent(body))
    assert {judge("class_weights", function, seed).status for seed in SEEDS} == {"correct"}
