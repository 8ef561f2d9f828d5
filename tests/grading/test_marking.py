"""One submission: every exercise judged by itself, and what went wrong said in one sentence."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course_lib.exercises import catalogue, judge
from course_lib.exercises.catalogue import using
from course_lib.grading import marking
from course_lib.grading.gradebook import grade
from course_lib.grading.marking import mark
from course_lib.grading.reader import MOST_DEFINITIONS
from course_lib.sandbox.limits import Limits

from .conftest import MAX_POINTS, RIGHT, answers, notebook

Marked = Callable[..., dict[str, dict[str, Any]]]
WRONG_SOFTMAX = "def softmax(logits):\n    e = np.exp(logits)\n    return e / e.sum(axis=0)"
LIMITS = Limits(grace=0.0, load=1.0, memory=300 << 20)


def points(entries: dict[str, dict[str, Any]]) -> float:
    return sum(entry["points"] for entry in entries.values())


def test_right_answers_earn_everything(marked: Marked) -> None:
    entries = marked(*answers())
    assert list(entries) == list(RIGHT)
    assert {entry["status"] for entry in entries.values()} == {"correct"}
    assert points(entries) == MAX_POINTS


def test_order_and_unrelated_cells_do_not_matter(marked: Marked) -> None:
    cells = ["while True: pass", *reversed(answers()), "raise SystemExit", "import no_such_thing"]
    assert points(marked(*cells)) == MAX_POINTS


def test_right_answers_written_differently(marked: Marked) -> None:
    entries = marked(
        *answers(
            mse="mse = lambda a, b: sum(sum((x - y) ** 2 for x, y in zip(r, s)) / len(r)"
            " for r, s in zip(a, b)) / len(a)",
            softmax="""
from scipy import special
softmax = lambda z: special.softmax(z.astype(np.longdouble), axis=1)
""",
            mse_gradient="""
def mse_gradient(p, t):
    return ((2 * np.matrix(p) - 2 * np.matrix(t)) / p.size).tolist()
""",
        )
    )
    assert points(entries) == MAX_POINTS


@pytest.mark.parametrize(
    ("instead", "meant"),
    [
        ("def my_error(predictions, targets): return 0.0", "my_error"),
        ("def mse_(a, b): return 0.0", "mse_"),
        ("def first(predictions: float, targets=None): return 0.0", "first"),
        ("def helper(a): return 0.0", None),
    ],
)
def test_a_function_of_another_name_is_asked_about(
    marked: Marked, instead: str, meant: str | None
) -> None:
    entry = marked(*answers(mse=instead))["mse"]
    assert entry["status"] == "not attempted"
    assert (f"Is `{meant}` meant to be it?" in entry["message"]) == (meant is not None)


def test_a_known_mistake_is_named(marked: Marked) -> None:
    half = "def mse(p, t):\n    return np.mean((p - t) ** 2) / 2"
    entry = marked(*answers(mse=half))["mse"]
    assert (entry["status"], entry["points"], entry["misconception"]) == ("wrong", 0, "half")
    assert len(entry["hints"]) == 2


def test_what_worked_in_the_notebook_works_here(marked: Marked) -> None:
    """Names used again further down, counters, constants that a function has set."""
    entries = marked(
        *answers(
            mse="calls = 0\n\n\ndef mse(p, t):\n    global calls\n    calls += 1\n"
            "    return sum(((p - t) ** 2).ravel()) / p.size",
            cross_entropy="def use(tiny):\n    global EPS\n    EPS = tiny\n\n\nuse(1e-12)\n\n\n"
            + RIGHT["cross_entropy"].strip(),
            softmax="def softmax(logits):\n"
            "    rows = [np.exp(row - max(row)) for row in logits]\n"
            "    return np.array([row / row.sum() for row in rows])",
        ),
        "sum = 0\nfor value in [1, 2]:\n    sum += value\nmin, max = 1, 2",
    )
    assert {entry["status"] for entry in entries.values()} == {"correct"}


def test_nothing_attempted(marked: Marked) -> None:
    stub = "def mse(predictions, targets):\n    raise NotImplementedError"
    entries = marked(stub)
    assert {entry["status"] for entry in entries.values()} == {"not attempted"}
    assert "Put your own lines" in entries["mse"]["message"]
    assert entries["softmax"]["message"] == "There is no function `softmax` in this notebook."


def test_syntax_errors(marked: Marked) -> None:
    stub = "def softmax(logits):\n    raise NotImplementedError"
    entries = marked(
        "a = = 1",
        *answers(mse="def mse(p, t):\n    return (p", softmax=stub),
        "def softmax(logits):\n    return 1 +",
        "def cross_entropy(:",
    )
    for name in ("mse", "softmax"):
        assert entries[name]["status"] == "error"
        assert f"in its line 2, so `{name}` could not be graded." in entries[name]["message"]
    # What Python could read stands, as it would in the notebook.
    assert entries["cross_entropy"]["status"] == "correct"


@pytest.mark.slow
@pytest.mark.parametrize(
    "bad",
    [
        "def mse(p, t):\n    while True: pass",
        "import os\ndef mse(p, t): os._exit(0)",
        "def mse(p, t): raise SystemExit",
        "def mse(p, t): return [0] * 10**12",
        "def mse(p, t):\n    x = []\n    while True: x.append(bytearray(10**8))",
        "def mse(p, t):\n    for _ in range(20): print('flood' * 10**6)\n    return 0.0",
        "def mse(p, t):\n    p[:] = t\n    return 0.0",
        "import sys\nsys.setrecursionlimit(10**9)\ndef mse(p, t): return mse(p, t)",
        "while True:\n    def mse(p, t): return 1",
    ],
)
def test_one_bad_answer_costs_itself_only(marked: Marked, bad: str) -> None:
    with using([replace(catalogue()["mse"], seconds=0.5)]):
        entries = marked(*answers(mse=bad), limits=replace(LIMITS, load=0.5))
    assert entries["mse"]["points"] == 0
    assert entries["mse"]["status"] in {"error", "timeout", "wrong"}
    assert points(entries) == MAX_POINTS - catalogue()["mse"].points


@pytest.mark.parametrize(
    "cheat",
    [
        "from course_lib.foundations.losses import mse",
        "from course_lib.foundations import losses\nmse = losses.mse",
        "import importlib\ndef mse(p, t):\n"
        "    return importlib.import_module('course_lib.foundations.losses').mse(p, t)",
        "np.allclose = np.array_equal = lambda *a, **k: True\ndef mse(p, t): return 0.0",
        "class Yes(float):\n    __eq__ = __lt__ = __le__ = lambda *a: True\n"
        "def mse(p, t): return Yes(0)",
        "def mse(p, t):\n    import sys\n"
        "    return [f.f_locals for f in [sys._getframe(i) for i in range(4)]]",
    ],
)
def test_cheats_earn_nothing(marked: Marked, cheat: str) -> None:
    entries = marked(*answers(mse=cheat))
    assert entries["mse"]["points"] == 0
    assert points(entries) == MAX_POINTS - catalogue()["mse"].points


def test_the_course_s_own_functions_are_refused_in_words(marked: Marked) -> None:
    entry = marked(
        "from course_lib.foundations.losses import mse as ref\nmse = lambda p, t: ref(p, t)"
    )
    assert entry["mse"]["status"] == "error"
    assert "answers may not use the course's own functions" in entry["mse"]["message"]


def test_a_patched_numpy_can_only_lose(marked: Marked) -> None:
    patch = "np.mean = lambda *a, **k: 0.0\ndef mse(p, t): return np.mean(p - t)"
    entries = marked(*answers(mse=patch))
    assert entries["mse"]["points"] == 0
    assert points(entries) == MAX_POINTS - catalogue()["mse"].points
    assert points(marked(*answers())) == MAX_POINTS


@pytest.mark.parametrize(
    "leaves",
    [
        "np.mean = np.sum = lambda *a, **k: 0.0",
        "import builtins\nbuiltins.len = lambda x: 0",
        "np.seterr = None\nnp.errstate = None",
        "import threading, time, os\n"
        "threading.Thread(target=lambda: (time.sleep(0.02), os._exit(0))).start()",
        "import numpy.random, os\nos.closerange(3, 9)",
    ],
)
def test_what_an_answer_does_to_the_process_costs_the_others_nothing(
    marked: Marked, leaves: str
) -> None:
    entries = marked(*answers(mse=f"{leaves}\ndef mse(p, t): return len(p)"))
    assert points(entries) >= MAX_POINTS - catalogue()["mse"].points


# --- follow-on mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "softmax",
    [WRONG_SOFTMAX, "def softmax(logits):\n    raise NotImplementedError", "", "softmax = 3"],
)
def test_a_mistake_is_not_punished_twice(marked: Marked, softmax: str) -> None:
    entries = marked(*answers(softmax=softmax))
    assert entries["softmax"]["points"] == 0
    follow_on = entries["softmax_cross_entropy_gradient"]
    assert follow_on["status"] == "correct"
    why = "yours is not right yet" if softmax else "there is none in this notebook"
    assert follow_on["notes"] == (f"Graded with the course's own `softmax`, because {why}.",)


def test_a_right_answer_is_used_itself(marked: Marked) -> None:
    entries = marked(*answers())
    assert entries["softmax_cross_entropy_gradient"]["notes"] == ()


def test_what_is_given_cannot_be_handed_in_for_another_exercise(marked: Marked) -> None:
    entries = marked(
        *answers(
            softmax="softmax = lambda z: softmax_cross_entropy_gradient(z, z)", mse="mse = mse"
        )
    )
    assert entries["softmax"]["points"] == 0
    assert entries["mse"]["points"] == 0


def test_circles_end(marked: Marked) -> None:
    entries = marked(
        *answers(
            softmax="def softmax(z): return cross_entropy(z, z)",
            cross_entropy="def cross_entropy(p, y): return softmax(p)",
        )
    )
    assert entries["softmax"]["points"] == entries["cross_entropy"]["points"] == 0


def test_functions_of_functions_are_given_too(marked: Marked) -> None:
    own = """
def numerical_gradient(function, point, step=1e-5):
    return np.zeros(np.shape(point))
"""
    by_numbers = """
def mse_gradient(p, t):
    return numerical_gradient(lambda q: ((q - t) ** 2).mean(), p)
"""
    entry = marked(*answers(numerical_gradient=own, mse_gradient=by_numbers))["mse_gradient"]
    (note,) = entry["notes"]
    assert note.startswith("Graded with the course's own `numerical_gradient`")


# --- the seed ------------------------------------------------------------------------------------


def test_the_grader_s_own_time_for_a_submission_has_an_end(
    marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(0, 250)  # so long each of the answers takes here
    monkeypatch.setattr(marking, "thread_time", now.__next__)
    states = [entry["status"] for entry in marked(*answers()).values()]
    assert states[:2] == ["correct", "correct"]
    assert set(states[3:]) == {"timeout"}


@pytest.mark.parametrize(("right", "status"), [(28, "correct"), (18, "correct"), (2, "wrong")])
def test_of_many_definitions_the_last_are_tried(
    marked: Marked, monkeypatch: pytest.MonkeyPatch, right: int, status: str
) -> None:
    tried: list[str] = []
    run = marking.run

    def counted(program: Any, *rest: Any, **options: Any) -> Any:
        tried.append(program.name)
        return run(program, *rest, **options)

    monkeypatch.setattr(marking, "run", counted)
    cells = [
        RIGHT["mse"].rstrip() + f" + {abs(number - right)}\nmse = check(mse)"
        for number in range(30)
    ]
    assert marked(*cells)["mse"]["status"] == status
    assert tried.count("mse") < 4 * MOST_DEFINITIONS


def test_the_seed_reproduces_every_word() -> None:
    data = notebook(*answers(mse="def mse(p, t): return float(p[0, 0])"))
    first, again, other = (mark(data, "01_losses", seed) for seed in (5, 5, 6))
    assert first == again
    assert first[0][0].message != other[0][0].message


def test_a_stub_that_was_begun_is_an_error_as_in_the_notebook(marked: Marked) -> None:
    begun = "def mse(p, t):\n    gap = p - t\n    raise NotImplementedError()"
    function: dict[str, Any] = {}
    exec(begun, function)
    here = judge("mse", function["mse"], seed=7)
    there = marked(begun)["mse"]
    assert here.status == there["status"] == "error"
    assert here.message == there["message"]


PROBE = """
def linear_probe_gradients(features, labels, weights, bias, strength):
    errors = softmax(features @ weights + bias)
    errors[np.arange(len(labels)), labels] -= 1
    errors /= len(labels)
    return features.T @ errors + 2 * strength * weights, errors.sum(axis=0)
"""


def probe(setup: str) -> dict[str, Any]:
    cells = ("import numpy as np", setup, PROBE)
    entries, _ = mark(notebook(*cells), "05_feature_extraction", 1, limits=LIMITS)
    [entry] = [entry for entry in entries if entry.exercise == "linear_probe_gradients"]
    return entry.to_json()


def test_functions_of_earlier_lessons_come_from_the_course() -> None:
    entry = probe("from course_lib.foundations.losses import mse, softmax")
    assert (entry["status"], entry["notes"]) == (
        "correct",
        ("Graded with the course's own `softmax`, because the notebook imports it.",),
    )


def test_a_function_of_ones_own_by_that_name_is_used() -> None:
    imported = "from course_lib.foundations.losses import softmax"
    assert probe(f"{imported}\n{WRONG_SOFTMAX}")["status"] == "wrong"


def test_the_answer_itself_does_not_come_from_the_course() -> None:
    entries, _ = mark(
        notebook("from course_lib.foundations.losses import mse, softmax"),
        "01_losses",
        1,
        limits=LIMITS,
    )
    assert points({entry.exercise: entry.to_json() for entry in entries}) == 0


def test_without_the_cell_of_imports_the_notebook_says_so_and_grading_has_them(
    tmp_path: Path,
) -> None:
    """It may have run, and been deleted before the notebook was handed in."""
    used_when_called = "def mse(predictions, targets): return np.mean((predictions - targets) ** 2)"
    used_at_once = "TWO = np.array(2.0)\ndef mse_gradient(p, t): return TWO * (p - t) / p.size"
    whole = json.loads(notebook(used_when_called, used_at_once))
    without_imports = {**whole, "cells": whole["cells"][1:]}
    file = tmp_path / "anna.ipynb"
    file.write_text(json.dumps(without_imports))
    grade([file], tmp_path / "out")
    (line,) = (tmp_path / "out/results.jsonl").read_text().splitlines()
    entries = {entry["exercise"]: entry for entry in json.loads(line)["exercises"]}
    assert entries["mse"]["status"] == entries["mse_gradient"]["status"] == "correct"
    names: dict[str, Any] = {}
    exec(used_when_called, names)
    said = judge("mse", names["mse"]).message
    assert "NameError: name 'np' is not defined" in said
    assert "`np` is NumPy, which nothing has imported: the cell of imports at the top" in said


# --- what a lesson imports from the course -------------------------------------------------------


def graded(lesson: str, *cells: str) -> dict[str, Any]:
    entries, _ = mark(notebook(*cells), lesson, seed=1)
    return {entry.exercise: entry for entry in entries}


def test_a_helper_that_the_lesson_imports_is_there() -> None:
    found = graded(
        "13_kinds_of_transfer",
        "from course_lib.foundations.kinds_of_transfer import log_softmax",
        """
def distillation_loss(student_logits, teacher_logits, temperature):
    student = log_softmax(student_logits / temperature)
    teacher = log_softmax(teacher_logits / temperature)
    each = np.sum(np.exp(teacher) * (teacher - student), axis=1)
    return temperature**2 * np.mean(each)
""",
    )["distillation_loss"]
    assert found.status == "correct", found.message
    assert found.notes == ()


def test_no_part_of_an_experiment_is_lent() -> None:
    """`train_to_remember` brings backpropagation through time along."""
    found = graded(
        "08_recurrence",
        "from course_lib.foundations.memory import train_to_remember",
        """
def rnn_gradients(*given):
    return train_to_remember.__globals__["_simple_gradients"]
""",
    )["rnn_gradients"]
    assert found.points == 0
    assert "not defined" in found.message or "course's own" in found.message


def test_what_is_lent_shows_nobody_its_lines() -> None:
    found = graded(
        "01_losses",
        "def softmax(logits):\n    return 0 * logits",
        """
def softmax_cross_entropy_gradient(logits, labels):
    import linecache
    softmax(logits)
    print([line for key in linecache.cache for line in linecache.getlines(key)])
""",
    )["softmax_cross_entropy_gradient"]
    assert "def softmax_cross_entropy_gradient" in found.printed
    assert "exp" not in found.printed


def test_a_module_that_the_lesson_imports_has_what_earlier_lessons_made() -> None:
    found = graded(
        "04_adam",
        "from course_lib.foundations import sgd",
        """
def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = beta_1 * m + (1 - beta_1) * gradient, beta_2 * v + (1 - beta_2) * gradient**2
    change = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
    return sgd.sgd_step(weights, change, learning_rate), m, v
""",
    )["adam_step"]
    assert found.status == "correct", found.message


@pytest.mark.parametrize(
    ("how", "called"),
    [
        ("from course_lib.foundations import losses", "losses.mse"),
        ("from course_lib.foundations import losses as L, gradients", "L.mse"),
        ("import course_lib.foundations.losses as L", "L.mse"),
        ("import course_lib.foundations.losses as losses", "losses.mse"),
        ("from course_lib.foundations.losses import mse as mse", "mse"),
        ("from course_lib.foundations.losses import mse as s, softmax", "s"),
        ("from course_lib.foundations.losses import *", "mse"),
    ],
)
def test_what_earlier_lessons_made_is_there_however_it_is_imported(how: str, called: str) -> None:
    """Also where the lesson itself imports it otherwise, or not at all."""
    body = f"return weights - learning_rate * gradient + 0 * {called}(weights, weights)"
    answer = f"def sgd_step(weights, gradient, learning_rate):\n    {body}"
    found = graded("03_sgd", how, answer)["sgd_step"]
    assert found.status == "correct", found.message


@pytest.mark.parametrize(
    "how",
    [
        "from course_lib.foundations import sgd as course",
        "import course_lib.foundations.sgd as course",
        "from course_lib.foundations import sgd\ncourse = sgd",
    ],
)
def test_what_the_lesson_has_asked_for_so_far_is_in_its_module(how: str) -> None:
    answers = """
def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return course.sgd_step(weights, -velocity, 1.0), velocity
def nesterov_step(*arguments):
    return course.nesterov_step(*arguments)
"""
    found = graded("03_sgd", how, answers)
    assert found["momentum_step"].status == "correct", found["momentum_step"].message
    assert "course's own module" in found["momentum_step"].notes[0]
    assert found["nesterov_step"].points == 0


@pytest.mark.parametrize(
    ("lesson", "name", "how"),
    [
        ("04_adam", "adam_step", "import course_lib.foundations.adam as a"),
        ("02_regularization", "l2_penalty", "from course_lib.foundations import regularization"),
        ("04_adam", "adam_step", "from course_lib.foundations import adam as sgd"),
        ("04_adam", "adam_step", "from course_lib.foundations import adam"),
        ("04_adam", "adam_step", "from course_lib.foundations.adam import adam_step as other"),
        ("03_sgd", "sgd_step", "from course_lib.foundations import sgd"),
    ],
)
def test_no_answer_is_given_with_it(lesson: str, name: str, how: str) -> None:
    alias = how.split()[-1]
    call = alias if alias == "other" else f"{alias}.{name}"
    found = graded(lesson, how, f"def {name}(*arguments): return {call}(*arguments)")[name]
    assert found.points == 0


@pytest.mark.parametrize(
    ("name", "arguments", "body"),
    [
        ("sgd_step", "w, g, rate", "sgd.momentum_step_pytorch(w, g, 0 * g, rate, 0.0)[0]"),
        ("momentum_step", "w, g, v, rate, m", "pair(sgd.momentum_step_pytorch, w, g, v, rate, m)"),
        ("nesterov_step", "w, g, v, rate, m", "pair(sgd.nesterov_step_pytorch, w, g, v, rate, m)"),
    ],
)
def test_nor_is_another_form_of_the_answer(name: str, arguments: str, body: str) -> None:
    """Each of them would be right."""
    pair = """
def pair(step, w, g, v, rate, m):
    w, v = step(w, rate * g, -v, 1.0, m)
    return w, -v
"""
    answer = f"{pair}\ndef {name}({arguments}):\n    return {body}"
    found = graded("03_sgd", "from course_lib.foundations import sgd", answer)[name]
    assert found.points == 0
    assert "answers may not use the course's own functions" in found.message


def test_what_answers_may_build_on_is_lent_with_the_lesson_s_own_module() -> None:
    body = "return weights - learning_rate * gradient if sgd.two_layer_forward else sgd.he_normal"
    answer = f"def sgd_step(weights, gradient, learning_rate):\n    {body}"
    found = graded("03_sgd", "from course_lib.foundations import sgd", answer)["sgd_step"]
    assert found.status == "correct", found.message
