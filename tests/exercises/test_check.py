"""What a learner sees of a check, in a notebook and outside."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_lib.exercises import catalogue, check, judge
from course_lib.exercises.check import NotCorrectError
from course_lib.exercises.verdict import VERDICT_TYPE
from course_lib.files import text_of
from course_lib.lessons import lessons


def mse(predictions: np.ndarray, targets: np.ndarray) -> Any:
    return np.sum((predictions - targets) ** 2)


def right_mse() -> Any:
    def mse(predictions: np.ndarray, targets: np.ndarray) -> Any:
        return np.mean((predictions - targets) ** 2)

    return mse


class Balanced(HTMLParser):
    """Collects text and fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_right_answer_comes_back_itself(capsys: pytest.CaptureFixture[str]) -> None:
    answer = right_mse()
    assert check(answer) is answer
    assert capsys.readouterr().out == "mse: correct (1 of 1 point).\n"


def test_what_is_printed_stands_below_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    def mse(predictions: np.ndarray, targets: np.ndarray) -> Any:
        print("difference", predictions - targets)
        return np.sum((predictions - targets) ** 2)

    check(mse)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("mse: wrong")
    assert lines[0] == "In mse(np.array([[3.0]]), np.array([[1.0]])) it printed:"
    assert lines[1] == "    difference [[2.]]"
    assert len(lines) < 10


def test_an_endless_loop_that_prints_is_told_in_a_few_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = replace(catalogue()["mse"], seconds=0.2)
    judging = sys.modules["course_lib.exercises.judge"]
    monkeypatch.setattr(judging, "find", lambda name: exercise)

    def mse(predictions: np.ndarray, targets: np.ndarray) -> Any:
        while True:
            print("again")

    check(mse)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mse: timeout")
    assert lines[2:] == ["    again"] * 20 + ["    … more is not shown"]


@pytest.mark.parametrize(
    ("handed", "says"),
    [
        ("mse", "without quotation marks: `check(mse)`"),
        (4.0, "as in `check(mse)`. This was a value of type float."),
        (np.ones(3), "This was a value of type ndarray."),
        (None, "This was a value of type NoneType."),
        ("losses", "This was a value of type str."),
    ],
)
def test_what_is_no_function_is_told_so(
    handed: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(handed) is handed
    assert says in capsys.readouterr().out


def test_an_interrupted_check_shows_one_line_and_ends_the_cell() -> None:
    notebook = InteractiveShell()
    notebook.run_cell("from course_lib.exercises import check")
    with capture_output() as captured:
        done = notebook.run_cell(
            "def mse(p, t):\n    raise KeyboardInterrupt\nmse = check(mse)\nprint('went on')"
        )
    assert isinstance(done.error_in_exec, KeyboardInterrupt)
    shown = (captured.stdout + captured.stderr).strip()
    assert shown == "Interrupted: `mse` was not judged. Run the cell again when you want to know."


def test_an_earlier_exercise_that_is_missing_is_named() -> None:
    def softmax_cross_entropy_gradient(logits: np.ndarray, labels: np.ndarray) -> Any:
        return softmax(logits)  # type: ignore[name-defined]  # noqa: F821

    said = judge("softmax_cross_entropy_gradient", softmax_cross_entropy_gradient).message
    assert "It is an exercise, too: run the cell of `softmax` and its check" in said


@pytest.mark.parametrize(
    ("name", "missing", "lesson"),
    [
        ("linear_probe_gradients", "softmax_cross_entropy_gradient", "01"),
        ("batchnorm_inference", "standardize", "05"),
    ],
)
def test_an_exercise_of_another_lesson_is_imported(name: str, missing: str, lesson: str) -> None:
    said = judge(name, eval(f"lambda *_: {missing}(1)", {})).message
    line = said.partition(f"It is an exercise of lesson {lesson}: `")[2].partition("`")[0]
    brought: dict[str, Any] = {}
    exec(line, brought)
    assert brought[missing] is catalogue()[missing].reference
    assert "run the cell of" not in said


def test_a_wrong_answer_is_replaced_by_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    lent = check(mse)
    x = np.ones((2, 3))
    assert lent(x, 3 * x) == 4.0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert said.startswith("mse: wrong (0 of 1 point). You add the squared errors up")
    assert said.endswith("More: check(mse, hint=2)\n")
    assert "Until yours is right, the lesson goes on with the course's own `mse`." in said


def test_the_reference_is_never_called_correct(capsys: pytest.CaptureFixture[str]) -> None:
    lent = check(mse)
    capsys.readouterr()
    assert check(lent) is lent
    said = capsys.readouterr().out
    assert said.startswith("`mse` is still the course's own: run a cell that contains `def mse(…)`")


def test_hints_can_be_asked_for_after_the_reference_stepped_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lent = check(mse)
    hints = judge("mse", mse).hints
    capsys.readouterr()
    again = check(lent, hint=2)
    said = capsys.readouterr().out
    assert "You add the squared errors up" in said
    assert hints[0] in said
    assert hints[1] not in said
    check(again, hint=3)
    assert hints[1] in capsys.readouterr().out
    x = np.ones((2, 3))
    assert again(x, 3 * x) == 4.0


@pytest.mark.parametrize("hint", ["2", 7, 0, True, None, 2.0, np.ones(2)], ids=repr)
def test_a_hint_that_does_not_exist_gets_a_sentence_and_the_verdict(
    hint: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    check(mse, hint=hint)
    sentence, verdict = capsys.readouterr().out.splitlines()
    assert sentence == "There is no such hint. Ask for `check(mse, hint=2)`, up to `hint=4`."
    assert verdict.startswith("mse: wrong")
    lent = check(mse)
    capsys.readouterr()
    assert check(lent, hint=hint) is lent
    assert capsys.readouterr().out == f"{sentence}\n"


def test_hints_come_by_degrees() -> None:
    verdict = judge("mse", mse)
    first, second, third = (verdict.text(hint) for hint in (1, 2, 3))
    assert verdict.hints[0] not in first
    assert verdict.hints[0] in second
    assert verdict.hints[1] not in second
    assert "hint=3" in second
    assert verdict.hints[1] in third
    assert third.endswith("More: check(mse, hint=4)")
    placed = judge("mse", mse, locate=True)
    assert placed.place == "line 2: the function `np.sum`"
    fourth = "Line 2 of your function: the function `np.sum`. One change there makes it right."
    assert fourth in placed.text(4)
    assert fourth not in placed.text(3)
    assert "More:" not in placed.text(4)
    opened = [placed.html(hint).count("<details open") for hint in (1, 2, 3, 4)]
    assert opened == [0, 1, 2, 3]
    assert verdict.html().count("<details") == 2


@pytest.mark.parametrize("exercise", catalogue().values(), ids=lambda exercise: exercise.name)
def test_where_it_is_derived_leads_there_and_quotes_the_formula(exercise: Any) -> None:
    verdict = judge(exercise.name, lambda *arguments: None)
    page = unescape(verdict.html())
    (link,) = re.findall(r'<a href="#([^"]+)">Go to the section', page)
    (lesson,) = (one for one in lessons() if one.name == exercise.lesson)
    headings = re.findall(r"(?m)^# ##+ (.+)$", text_of(lesson.source))
    assert unquote(link) in [heading.replace(" ", "-") for heading in headings]
    assert re.findall(r"\$\$(.+)\$\$", page) == [*filter(None, [exercise.formula])]
    assert "$$" not in verdict.text(hint=3)
    assert "Go to the section" not in judge(exercise.name, exercise.reference).html()


def test_a_place_is_looked_for_when_text_is_asked_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def nothing_like_it(predictions: np.ndarray, targets: np.ndarray) -> Any:
        return 7.0

    lent = check(mse, hint=4)
    said = capsys.readouterr().out
    assert said.count("Line 2 of your function: the function `np.sum`.") == 1
    check(lent, hint=4)
    assert capsys.readouterr().out == said
    nothing_like_it.__name__ = "mse"
    check(nothing_like_it, hint=4)
    assert capsys.readouterr().out.splitlines()[1].startswith("No one place was found")
    check(right_mse(), hint=4)
    assert capsys.readouterr().out == "mse: correct (1 of 1 point).\n"


@pytest.mark.parametrize("exercise", catalogue().values(), ids=lambda e: e.name)
def test_every_verdict_is_wellformed_and_says_its_state_in_words(exercise: Any) -> None:
    for known in exercise.misconceptions:
        verdict = judge(exercise.name, known.variant)
        page = Balanced(verdict.html())
        assert "Not right yet" in page.text
        assert f"goes on with the course's own {exercise.name}." in page.text
        for hint in verdict.hints:
            without_marks = hint.replace("`", "").replace("*", "")
            assert without_marks in page.text.replace("*", "")
        assert "\n" not in verdict.text()
    right = Balanced(judge(exercise.name, exercise.reference).html())
    assert right.text.startswith("✓ Correct")
    assert "✓" not in page.text
    assert "the course's own" not in right.text


def test_what_a_learner_raises_is_escaped() -> None:
    def mse(predictions: np.ndarray, targets: np.ndarray) -> None:
        raise ValueError("<script>alert(1)</script>")

    html = judge("mse", mse).html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "thing",
    [lambda p, t: 0, np.mean],
    ids=["a lambda", "a NumPy function"],  # an address would differ by worker
)
def test_what_is_no_answer_comes_back_with_a_sentence(
    thing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(thing) is thing
    assert "There is no exercise" in capsys.readouterr().out


def test_a_misspelled_name_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    def sofmax(logits: np.ndarray) -> np.ndarray:
        return logits

    check(sofmax)
    assert ": did you mean “softmax”?" in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["NBGRADER_EXECUTION", "COURSE_STRICT"])
def test_it_raises_under_nbgrader_and_when_strict(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(NotCorrectError, match="mse: You add the squared errors up"):
        check(mse)
    answer = right_mse()
    assert check(answer) is answer


def test_in_a_notebook_it_displays_html_text_and_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    InteractiveShell.instance()
    try:
        with capture_output() as shown:
            check(mse)
        output, again = shown.outputs
        assert again.data[VERDICT_TYPE] == output.data[VERDICT_TYPE]
        assert "Where to look" not in output.data["text/html"]
        assert "Where to look" in again.data["text/html"]
        assert set(output.data) == {"text/plain", "text/html", VERDICT_TYPE}
        assert output.data[VERDICT_TYPE] == {
            "exercise": "mse",
            "status": "wrong",
            "points": 0.0,
            "max_points": 1,
            "misconception": "sum-instead-of-mean",
        }
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("cells", "is_of_before"),
    [
        (["def mse(p, t): return 1.0", "def mse(p, t):\nreturn 2.0"], True),
        (["def mse(p, t): return 1.0", "not_there\ndef mse(p, t): return 2.0"], True),
        (["def mse(p, t): return 1.0", "def mse(p, t): return 2.0"], False),
        (["def mse(p, t): return 1.0", "def mse(p, t): return 1.0"], False),
        (["def mse(p, t): return 1.0", "def mse_gradient(p, t):\nreturn 2.0"], False),
        (["def mse(p, t): return 1.0", "def mse(p, t):\nreturn 2.0", "1"], False),
    ],
)
def test_a_cell_that_has_failed_is_not_what_is_judged(cells: list[str], is_of_before: bool) -> None:
    shell = InteractiveShell.instance()
    try:
        with capture_output() as shown:
            for cell in [*cells, "from course_lib.exercises import check; mse = check(mse)"]:
                shell.run_cell(cell, store_history=True)
        said = [output.data["text/plain"] for output in shown.outputs]
        assert any("judged is the function of before" in text for text in said) == is_of_before
    finally:
        InteractiveShell.clear_instance()


def test_a_hint_as_the_last_line_of_a_cell_says_whose_function_that_is() -> None:
    shell = InteractiveShell.instance()
    try:
        with capture_output():
            lent = check(mse, hint=2)
        data, _ = shell.display_formatter.format(lent)
        assert data["text/html"] == "The course's own <code>mse</code>"
    finally:
        InteractiveShell.clear_instance()


def test_strict_checks_leave_the_reference_in_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    shell = InteractiveShell.instance()
    try:
        shell.user_ns["mse"] = mse
        with pytest.raises(NotCorrectError):
            check(mse)
        assert shell.user_ns["mse"](np.ones((2, 2)), np.zeros((2, 2))) == 1.0
    finally:
        InteractiveShell.clear_instance()


def test_importing_the_checks_imports_neither_keras_nor_jupyter() -> None:
    code = (
        "import sys, course_lib.exercises\n"
        "heavy = {'keras', 'tensorflow', 'IPython', 'matplotlib', 'nbformat', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_decorator_that_hides_the_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def timed(function: Any) -> Any:
        def wrapper(*arguments: Any) -> Any:
            return function(*arguments)

        return wrapper

    @timed
    def mse(predictions: Any, targets: Any) -> Any:
        return 0

    assert check(mse) is mse
    said = capsys.readouterr().out
    assert "There is no exercise “wrapper”" in said
    assert "`@functools.wraps(f)`" in said


def test_a_right_answer_is_told_what_later_ones_may_stumble_over() -> None:
    right = catalogue()["softmax"].reference
    ways: dict[str, Callable[..., Any]] = {
        "": right,
        "You return a list, not an array": lambda logits: right(logits).tolist(),
        "You return an `np.matrix`": lambda logits: np.asmatrix(right(logits)),
        "Your numbers are rounded to float32": lambda logits: right(logits).astype(np.float32),
    }
    for says, way in ways.items():
        verdict = judge("softmax", way)
        assert verdict.status == "correct"
        assert verdict.message.startswith(f"Correct. {says}" if says else "Correct.")
        assert says in verdict.text()
        assert says.replace("`np.matrix`", "<code>np.matrix</code>") in verdict.html()
        assert verdict.text().endswith("points).") == (not says)


def test_a_list_of_an_earlier_answer_is_pointed_at() -> None:
    def gradient(logits: np.ndarray, labels: np.ndarray) -> Any:
        rows: Any = [list(row) for row in catalogue()["softmax"].reference(logits)]
        rows[np.arange(len(labels)), labels] -= 1
        return rows

    verdict = judge("softmax_cross_entropy_gradient", gradient)
    assert "Does a function that you call return a list?" in verdict.message
