"""`course grade --locate` says where to look, as the notebook's check does, and gives no points."""

from __future__ import annotations

import linecache
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import catalogue, judge
from course_lib.exercises.catalogue import using
from course_lib.grading import marking
from course_lib.grading import place as place_module
from course_lib.grading.marking import Marked, mark
from course_lib.grading.place import HANGS, MOST, TOGETHER
from course_lib.sandbox.limits import Limits
from course_lib.sandbox.run import Attempt, Program, run

from .conftest import RIGHT, answers, notebook

pytestmark = pytest.mark.slow

LESSON = "01_losses"
WRONG = {
    "mse": """
def mse(predictions, targets):
    squares = (predictions - targets) ** 2
    return np.mean(np.sum(squares, axis=1))
""",
    "softmax": """
def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=0, keepdims=True)
""",
    "cross_entropy": """
def cross_entropy(probabilities, labels):
    chosen = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(chosen, 1e-7)).sum()
""",
    "softmax_cross_entropy_gradient": """
def softmax_cross_entropy_gradient(logits, labels):
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] += 1
    return gradient / len(labels)
""",
}
LOOPS = """
def mse(predictions, targets):
    total = 0.0
    row = 0
    while row < len(predictions):
        total += np.sum((predictions[row] - targets[row]) ** 2)
        row += 1
    return total / len(predictions)
"""


def marked(locate: bool, patience: float = 4.0, **changed: str) -> dict[str, Marked]:
    limits = Limits(grace=0.0, patience=patience)  # edits that never end are given up sooner
    found, _ = mark(notebook(*answers(**changed)), LESSON, seed=3, locate=locate, limits=limits)
    return {one.exercise: one for one in found}


@pytest.fixture(scope="module")
def located() -> dict[str, Marked]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marking, "PLACE_SECONDS", 600.0)  # however slow this machine is
        return marked(True, **WRONG)


def place(found: Marked) -> str:
    return next((hint for hint in found.hints if hint.startswith("Line ")), "")


@pytest.mark.parametrize("name", WRONG)
def test_it_is_the_place_that_the_notebook_shows(located: dict[str, Marked], name: str) -> None:
    namespace: dict[str, Any] = {"np": np}
    for defined in ("softmax", name):
        source = (WRONG if defined == name else RIGHT)[defined].lstrip()
        linecache.cache[defined] = (len(source), None, source.splitlines(keepends=True), defined)
        exec(compile(source, defined, "exec"), namespace)
    in_notebook = judge(name, namespace[name], seed=3, locate=True)
    assert in_notebook.place
    assert located[name].hints == in_notebook.hints
    assert located[name].message == in_notebook.message


def test_it_is_not_looked_for_unless_asked() -> None:
    assert not any(map(place, marked(False, **WRONG).values()))


def test_points_and_verdicts_stay(located: dict[str, Marked]) -> None:
    for name, found in marked(False, **WRONG).items():
        assert (found.status, found.points, found.misconception, found.message) == (
            located[name].status,
            located[name].points,
            located[name].misconception,
            located[name].message,
        )


def test_edits_that_never_end_do_not_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "PLACE_SECONDS", 600.0)  # however slow this machine is
    assert place(marked(True, patience=1.0, mse=LOOPS)["mse"])


def test_an_answer_of_too_many_parts_is_not_edited() -> None:
    lists = "\n".join(f"    x{n} = [{', '.join(['p'] * 30)}]" for n in range(50))
    for body in (f"    x = [{', '.join(['p'] * 900)}]", lists):
        assert place_module._function(f"def mse(p, t):\n{body}") is None
    assert place_module._function(RIGHT["mse"].lstrip()) is not None


def test_edits_that_take_long_to_make_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_module, "MAKING", 0.0)
    found = marked(True, mse=WRONG["mse"])["mse"]
    assert not place(found)
    assert found.status == "wrong"


LIMIT = MOST // TOGETHER + HANGS + 10
"""Of programs that are run to look for one place, where few edits are right on the first call."""


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import os; os._exit(0)",
        "raise SystemExit",
        "global globals, enumerate, tuple; globals = enumerate = tuple = None; return 0.0",
        "return " + " + ".join(["predictions.sum()"] * 150),
        "x = [" + ", ".join(["targets"] * 900) + "]\n    return len(x)",
    ],
)
def test_a_hostile_answer_costs_few_programs(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = []

    def counted(program: Program, *rest: Any, **options: Any) -> Attempt:
        programs.append(program.name)
        return run(program, *rest, **options)

    monkeypatch.setattr(marking, "run", counted)
    with using([replace(catalogue()["mse"], seconds=0.5)]):
        found = marked(True, mse=f"def mse(predictions, targets):\n    {body}")
    assert programs.count("mse") < LIMIT
    assert found["mse"].points == 0
    assert all(one.points for name, one in found.items() if name != "mse")
