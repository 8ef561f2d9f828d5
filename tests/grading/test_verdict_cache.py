"""Programs that many hand in are run once in a class, and everyone gets what they would alone."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import marking
from course_lib.grading.gradebook import grade
from course_lib.grading.marking import Marked, VerdictCache, mark
from course_lib.sandbox.limits import Limits

from .conftest import RIGHT, answers, in_own_words, notebook

LESSON = "01_losses"
SUM = "def mse(predictions, targets):\n    return np.sum((predictions - targets) ** 2)"
NOT_YET = "mse = None"
RAISES = "def mse(predictions, targets):\n    return predictions @ targets"
KINDS = {
    "right": {},
    "wrong": {"mse": SUM},
    "raises": {"mse": RAISES},
    "not yet": {"mse": NOT_YET},
    "does not load": {"mse": "def mse(a, b): return 1\nraise ValueError('no')"},
    "prints": {"mse": f"{RIGHT['mse'].rstrip()} + print('here') if 0 else 1"},
    "checked, then spoilt": {"mse": f"{RIGHT['mse']}\nmse = check(mse)\nprint(1)\n{SUM}"},
}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions whose programs were run, once for each run."""
    run, names = marking.run, list[str]()

    def noted(program: Any, *rest: Any, **options: Any) -> Any:
        names.append(program.name)
        return run(program, *rest, **options)

    monkeypatch.setattr(marking, "run", noted)
    return names


def marked(cache: VerdictCache | None, locate: bool = False, **changed: str) -> list[Marked]:
    return mark(notebook(*answers(**changed)), LESSON, 7, locate=locate, cache=cache)[0]


@pytest.mark.parametrize("locate", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_is_not_run_again_and_said_in_the_same_words(
    kind: str, locate: bool, ran: list[str]
) -> None:
    alone = marked(None, locate, **KINDS[kind])
    cache = VerdictCache()
    for _ in range(2):
        assert marked(cache, locate, **KINDS[kind]) == alone
    ran.clear()
    assert marked(cache, locate, **KINDS[kind]) == alone
    # Of a program that is not what counts nobody has looked for the place.
    assert ran == (["mse"] if locate and "spoilt" in kind else [])


@pytest.mark.parametrize(
    "other",
    [
        SUM.replace("predictions - targets", "targets - predictions"),
        SUM.replace("return", "# mine\n    return"),
        SUM.replace("return", "np = __import__('numpy')\n    return"),
    ],
)
def test_another_text_is_another_program(other: str, ran: list[str]) -> None:
    cache = VerdictCache()
    for _ in range(2):
        marked(cache, mse=SUM)
    ran.clear()
    marked(cache, mse=other)
    assert set(ran) == {"mse"}


def test_what_an_answer_calls_is_part_of_it(ran: list[str]) -> None:
    cache, body = (
        VerdictCache(),
        "def mse(predictions, targets):\n    return scaled(predictions, targets)",
    )
    for factor, status in ((1, "correct"), (2, "wrong"), (1, "correct")):
        helper = f"def scaled(p, t):\n    return {factor} * np.mean((p - t) ** 2)"
        assert marked(cache, mse=f"{helper}\n{body}")[0].status == status


@pytest.mark.parametrize(
    "ends",
    [
        "mse = next(n for n in iter(int, 1) if n)",
        "import os\ndef mse(predictions, targets):\n    os._exit(3)",
    ],
)
def test_what_may_be_this_machines_fault_is_tried_with_each(ends: str, ran: list[str]) -> None:
    cache, limits = VerdictCache(), Limits(grace=0.0, patience=1.0, load=1.0)
    data = notebook(*answers(mse=ends))
    for _ in range(2):
        ran.clear()
        mark(data, LESSON, 7, limits=replace(limits), cache=cache)
        assert "mse" in ran


def test_who_fails_by_chance_fails_for_oneself(ran: list[str]) -> None:
    """A right verdict counts for all; another one is no other person's."""
    chance = "int.from_bytes(__import__('os').urandom(4), 'big') / 2**32"
    answer = SUM.replace("return np.sum", f"return (2 + {chance}) * np.mean")
    cache = VerdictCache()
    for _ in range(3):
        ran.clear()
        marked(cache, mse=answer)
        assert "mse" in ran


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch, ran: list[str]) -> None:
    monkeypatch.setattr(marking, "MOST_CACHED", 0)
    cache = VerdictCache()
    for _ in range(2):
        ran.clear()
        marked(cache)
    assert set(ran) == set(RIGHT)


def test_a_statement_that_was_passed_over_for_its_time_may_have_been_all_that_lacked(
    monkeypatch: pytest.MonkeyPatch, ran: list[str]
) -> None:
    monkeypatch.setattr(marking, "STATEMENT", 0.0)  # as if each took that long
    hidden = 'exec("scaled = lambda p, t: np.mean((p - t) ** 2)")'
    body = "def mse(predictions, targets):\n    return scaled(predictions, targets)"
    cache = VerdictCache()
    for _ in range(3):
        ran.clear()
        found = marked(cache, mse=f"{hidden}\n{body}\nmse = check(mse)")
        assert found[0].status == "correct"
    assert ran == ["mse"]


def test_a_class_runs_each_program_once_and_a_wrong_one_twice(
    folder: Callable[..., Path], tmp_path: Path, ran: list[str]
) -> None:
    data = notebook(*answers(mse=SUM))
    learners = folder(**{f"learner{number:02}": data for number in range(12)})
    grade([learners], tmp_path / "out", jobs=1, seed=3)
    assert sorted(set(ran)) == sorted(RIGHT)
    twice = ran.count("mse")  # it is not right
    ran.clear()
    grade([folder(anna=data) / "anna.ipynb"], tmp_path / "alone", jobs=1, seed=3)
    assert sorted(set(ran)) == sorted(RIGHT)
    assert twice == 2 * ran.count("mse")
    with (tmp_path / "out" / "results.jsonl").open(encoding="utf-8") as lines:
        exercises = [json.loads(line)["exercises"] for line in lines]
    assert len(exercises) == 12
    assert all(one == exercises[0] for one in exercises)


def test_no_program_is_kept_itself() -> None:
    long = RIGHT["mse"].replace("return", f"'{'x' * 100_000}'\n    return")
    cache = VerdictCache()
    tracemalloc.start()
    try:
        marked(cache, mse=in_own_words([long], 0)[0])
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, 6):
            marked(cache, mse=in_own_words([long], number)[0])
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 100_000
