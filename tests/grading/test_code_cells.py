"""Which lessons a file is of: its code says so, and nothing that only speaks of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from course_lib.exercises import catalogue
from course_lib.grading.marking import functions_in, lesson_of, other_lessons
from course_lib.lessons import root

from .conftest import answers, notebook

LESSONS = tuple(dict.fromkeys(exercise.lesson for exercise in catalogue().values()))
LATER = "check(l2_penalty) and check(attention), def wordpiece(x): pass"


def of_cells(*cells: dict[str, Any], **other: Any) -> bytes:
    return json.dumps({"cells": cells, "nbformat": 4, "metadata": {}, **other}).encode()


def code(source: str | list[str]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source}


def test_what_is_checked_says_more_than_what_is_only_defined() -> None:
    """An earlier lesson's answers may stand above, as helpers."""
    pasted = notebook(*answers(), "def l2_penalty(w, s): pass", "l2_penalty = check(l2_penalty)")
    assert lesson_of(pasted) == "02_regularization"
    assert other_lessons(functions_in(pasted), "01_losses") == (["02_regularization"], [])
    assert other_lessons(functions_in(pasted), "02_regularization") == ([], ["01_losses"])
    two = notebook("def mse(p, t): 1", "check(mse)", "def l2_penalty(w, s): 1", "check(l2_penalty)")
    assert lesson_of(two) == "01_losses"
    assert other_lessons(functions_in(two), "01_losses") == (["02_regularization"], [])


@pytest.mark.parametrize(
    "cell",
    [
        {"cell_type": "markdown", "source": LATER, "metadata": {}},
        {"metadata": {}, "source": LATER.split(" "), "cell_type": "raw"},
        code(f"x = 1  # {LATER}"),
        code(f'def mse(p, t):\n    """Not yet:\n\n    {LATER}\n"""'),
        code([f"a = '{LATER}'\n", f'b = "it\'s {LATER}"\n']),
        code(f"text = '''\n{LATER}"),
        {**code(""), "outputs": [{"text": LATER}, {"source": [LATER], "input": LATER}]},
        {**code(""), "metadata": {"note": [LATER], "source": {"source": LATER}}},
    ],
)
@pytest.mark.parametrize("declared", [{}, {"course": {"lesson": "01_losses"}}])
def test_what_is_only_spoken_of_is_of_no_lesson(
    cell: dict[str, Any], declared: dict[str, Any]
) -> None:
    cells = json.loads(notebook(*answers(), "mse = check(mse)"))["cells"]
    data = of_cells(*cells, cell, metadata=declared)
    assert lesson_of(data) == "01_losses"
    assert other_lessons(functions_in(data), "01_losses") == ([], [])


@pytest.mark.parametrize("how", ["import *", "import attention", "import (attention,\n    gelu)"])
@pytest.mark.parametrize("checked", ["check(attention)", "attention = check(attention)"])
def test_what_is_only_imported_is_not_answered(how: str, checked: str) -> None:
    cell = f"from course_lib.foundations.text {how}\nassert attention == 1\n{checked}"
    assert other_lessons(functions_in(notebook(*answers(), cell)), "01_losses") == ([], [])


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_handed_out_is_of_one_lesson(lesson: str) -> None:
    for edition in ("notebooks", "solutions"):
        data = (root() / edition / f"{lesson}.ipynb").read_bytes()
        assert lesson_of(data) == lesson
        assert other_lessons(functions_in(data), lesson) == ([], [])


@pytest.mark.parametrize(
    "lessons",
    [
        ("01_losses", "02_regularization"),
        ("02_regularization", "01_losses"),
        ("03_sgd", "01_losses", "04_adam"),
    ],
)
def test_all_lessons_of_a_file_are_found(lessons: tuple[str, ...]) -> None:
    solved = [json.loads((root() / f"solutions/{one}.ipynb").read_bytes()) for one in lessons]
    data = of_cells(*(cell for one in solved for cell in one["cells"]))
    own = lesson_of(data)
    others, left_out = other_lessons(functions_in(data), str(own))
    assert {own, *others} == {*lessons}
    assert left_out == []


@pytest.mark.parametrize(
    "cell",
    [
        "@check\ndef l2_penalty(w, s): 1",
        "@exercises.check\ndef l2_penalty(w, s): 1",
        "l2_penalty = lambda w, s: 1\ncheck( function=l2_penalty)",
        "l2_penalty = other\nl2_penalty = check(l2_penalty)",
        "exec('def l2_penalty(w, s): 1')\ncheck(l2_penalty)",
        "a = '''it's'''; b = \"#\"; c = 'it\\'s'\ndef l2_penalty(w, s): 1\ncheck(l2_penalty)  # '",
    ],
)
def test_however_it_is_checked(cell: str) -> None:
    assert other_lessons(functions_in(notebook(cell)), "01_losses") == (["02_regularization"], [])


@pytest.mark.parametrize(
    "data",
    [
        of_cells({"metadata": {}, "source": "def mse(p, t): 1", "cell_type": "code"}),
        of_cells({"cell_type": "markdown", "source": "x" * (9 << 20)}, code("def mse(p, t): 1")),
        of_cells(code(["def \u006dse(p, t):\n", "    return 'ü \U0001f600'"])),
        json.dumps(
            {"worksheets": [{"cells": [{"cell_type": "code", "input": ["def mse(p, t): 1"]}]}]}
        ).encode(),
        *(notebook(*answers(), "check(mse)")[: 300 * part] for part in range(2, 9)),
    ],
    ids=range(11),
)
def test_in_whatever_form_the_code_stands(data: bytes) -> None:
    assert lesson_of(data) == "01_losses"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": "' + b'\\"' * 2_000_000,
        b"[" * 2_000_000,
        b"]" * 2_000_000,
        b'{"cells": [{"cell_type": "code", "source": [' + b'"",' * 500_000 + b'""]}]}',
        of_cells(code('\\"""' * 100_000)),
        of_cells(code("\\'" * 500_000)),
        of_cells(code("@check" + " " * 1_000_000)),
        b"def " * 2_000_000,
        b'{"a"' + b" " * 2_000_000,
    ],
    ids=range(9),
)
def test_a_file_of_any_form_takes_no_long_look(data: bytes) -> None:
    """Where the time for one grows with its square, this has no end."""
    assert lesson_of(data) is None
