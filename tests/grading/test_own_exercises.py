"""An instructor's own exercises, from a file outside the package."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.errors import UsageError
from course_lib.exercises import catalogue
from course_lib.exercises.catalogue import find, using
from course_lib.grading import own_exercises
from course_lib.grading.gradebook import grade
from course_lib.grading.own_exercises import OwnExercises

from .conftest import MAX_POINTS, RIGHT, answers, notebook, rows

EXAMPLE = Path(__file__).with_name("own_exercises_example.py")
RMSE = "def rmse(p, t):\n    return mse(p, t) ** 0.5"
Folder = Callable[..., Path]


def table(out: Path) -> dict[str, dict[str, str]]:
    return {row["learner"]: row for row in rows((out / "gradebook.csv").read_text())}


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_example_file_grades_a_class(folder: Folder, tmp_path: Path, jobs: int) -> None:
    before = catalogue()
    place = folder(
        anna=notebook(*answers(), RMSE),
        ben=notebook(*answers(), "def rmse(p, t):\n    return np.mean((p - t) ** 2)"),
        cem=notebook(*answers(mse="def mse(p, t):\n    return ((p - t) ** 2).sum()"), RMSE),
        dora=notebook(*answers()),
    )
    summary = grade([place], tmp_path, seed=1, jobs=jobs, exercises=EXAMPLE)
    assert (summary.graded, summary.crashed) == (4, 0)
    graded = table(tmp_path)
    full = MAX_POINTS + 2 + 2  # rmse, and mse has 3 points instead of 1
    expected = {"anna": full, "ben": full - 2, "cem": full - 3, "dora": full - 2}
    assert {name: float(row["total"]) for name, row in graded.items()} == expected
    assert {float(row["max_total"]) for row in graded.values()} == {full}
    assert list(graded["anna"]) == ["learner", "total", "max_total", *RIGHT, "rmse"]
    by_name = {
        (row["submission"], row["exercise"]): row
        for row in rows((tmp_path / "grades.csv").read_text())
    }
    assert by_name["ben", "rmse"]["misconception"] == "no-root"
    assert by_name["dora", "rmse"]["status"] == "not attempted"
    assert "The root is missing" in (tmp_path / "feedback/ben.html").read_text()
    assert "The root is missing" in (tmp_path / "summary.html").read_text()
    assert catalogue() == before


def test_other_exercises_are_graded_again_with_resume(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=notebook(*answers(), RMSE))
    grade([place], tmp_path, seed=1)
    assert table(tmp_path)["anna"]["total"] == f"{MAX_POINTS:g}"
    grade([place], tmp_path, resume=True, exercises=EXAMPLE)
    assert table(tmp_path)["anna"]["total"] == f"{MAX_POINTS + 4:g}"
    summary = grade([place], tmp_path, resume=True, exercises=EXAMPLE)
    assert "1 of 1 were graded before and kept." in summary.notes


def test_they_are_there_inside_only() -> None:
    own = OwnExercises.read(EXAMPLE)
    with using(own.exercises):
        assert find("rmse").points == 2
        assert find("mse").points == 3
        assert list(catalogue()).index("mse") == 0
    assert find("mse").points == 1
    with pytest.raises(KeyError, match="no exercise"):
        find("rmse")


def changed(old: str, new: str) -> str:
    text = EXAMPLE.read_text()
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must define EXERCISES, a tuple of one or more Exercise"),
        ("EXERCISES = (1,)", "must define EXERCISES"),
        ("a = 1\nb = (", "cannot be run: SyntaxError in its line 2"),
        ("a = 1\nb = 1 / 0", "cannot be run: ZeroDivisionError in its line 2: division by zero"),
        ("import sys\nsys.exit(0)", "cannot be run: SystemExit in its line 2: 0"),
        (
            changed('"01_losses"', '"01"'),
            "“rmse” .* names the lesson “01”; there are 01_losses, 02_",
        ),
        ("import beside_it", "cannot be run: ModuleNotFoundError in its line 1: No module named"),
        (changed('name="rmse"', 'name="r m"'), "“r m” .* needs the name of a function"),
        (changed('name="rmse"', 'name="mse"'), "defines the exercise “mse” twice"),
        (changed("points=2,", "points=-2,"), "cannot have -2 points"),
        (changed('"mean-of-roots"', '"no-root"'), "has the misconception “no-root” twice"),
        (changed("rng.normal", "rng.unknown"), "cannot draw its cases: AttributeError: .*unknown"),
        (changed("return [case", "return [] and [case"), "has no cases"),
        (changed("predictions - targets", "p - t"), "a reference that raises NameError: .*'p'"),
        (changed("return float(np", "return str(np"), "returns something else than arrays"),
        (changed("return float(np", "while True: (np"), r"takes more than 0.2 s"),
        ("raise KeyboardInterrupt", "cannot be run: KeyboardInterrupt in its line 1"),
        ("class Own(BaseException):\n    pass\nraise Own", "cannot be run: Own in its line 3"),
        ("import os\nos._exit(0)", r"“.*” cannot be used: .* it ended by itself \(status 0\)"),
        ("import os\nos.abort()", r"“.*” cannot be used: .* it crashed \(SIGABRT\)"),
        (changed("return [case", "raise SystemExit\n    return [case"), "its cases: SystemExit"),
        (
            changed("return float(np", "import os; os._exit(3)\n    return float(np"),
            r"“rmse” .* cannot be used: when it was tried, it ended by itself \(status 3\)",
        ),
        (
            changed("return float(np", "raise KeyboardInterrupt\n    return float(np"),
            "“rmse” .* cannot be tried: KeyboardInterrupt",
        ),
        (changed("points=2,", "points='2',"), "“rmse” .* cannot have 2 points"),
        (changed("points=2,", "points=10 ** 9,"), "“rmse” .* cannot have 1000000000 points"),
        (changed("points=2,", "points=2, tolerance=-1,"), "does not find its own reference right"),
        (changed("points=2,", "points=2, tolerance='x',"), "“rmse” .* cannot be tried: TypeError"),
        (changed("points=2,", "points=2, formula=None,"), "needs a text for its `formula`"),
        (changed('name="rmse"', 'name="class"'), "“class” .* needs the name of a function"),
        (changed('"no-root"', "None"), "needs texts in its misconception “None”"),
        (
            changed("lambda p, t: float(np.mean((p - t) ** 2))", "None"),
            "needs a function for its misconception “no-root”",
        ),
        (
            changed("return float(np", "return np.random.rand() + float(np"),
            "does not find its own reference right: is that the same in each call",
        ),
        (
            changed("return float(np", "return 1.0 or float(np").replace("4, 3", "3000, 3000"),
            r"the arrays are too large \(more than 64 MiB",
        ),
        (
            changed("case(4, 3)", "*(case(1000, 500) for _ in range(20))").replace(
                "float(np.sqrt(np.mean((predictions - targets) ** 2)))", "predictions - targets"
            ),
            "has a reference that returns 80 MiB in all, too much to be sent",
        ),
        (
            changed("return float(np", "return 1.0 or float(np").replace(
                "Case((rng.normal(size=(n, d)),", "Case(({'n': n},"
            ),
            "a value of type dict cannot be sent",
        ),
        (
            changed("lambda p, t: float(np.mean(np", "lambda p, t: rmse(p, t) or float(np.mean(np"),
            "do not tell its misconception “mean-of-roots” from the right answer",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_sentence(
    folder: Folder, tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "own.py"
    file.write_text(text.replace("points=2,", "points=2, seconds=0.2,"))
    with pytest.raises(UsageError, match=says) as refused:
        grade([folder(anna=notebook("a = 1"))], tmp_path / "out", exercises=file)
    said = str(refused.value)
    assert "\n" not in said
    assert str(file) in said
    assert re.search(r"[^.]\.$", said)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "while True:\n    pass",
            "“.*” cannot be run: it had not come to its end after 0.5 s, in its",
        ),
        (
            "sum(iter(int, 1))",
            "“.*” cannot be used: when it was tried, after 3 s it had not come to",
        ),
        (
            changed("return [case", "while n: pass\n    return [case"),
            "cannot draw its cases: it had",
        ),
        (
            changed("return float(np", "sum(iter(int, 1))\n    return float(np"),
            "“rmse” of .* cannot be used: when it was tried, after 3 s it had not come to its end",
        ),
    ],
)
def test_what_never_ends_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.setattr(own_exercises, "SECONDS", 0.5)
    monkeypatch.setattr(own_exercises, "AT_MOST", 3.0)
    (tmp_path / "own.py").write_text(text.replace("while n", "while True"))
    with pytest.raises(UsageError, match=says):
        OwnExercises.read(tmp_path / "own.py")


def test_arrays_of_megabytes_are_arguments(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(changed("case(4, 3)", "*(case(1000, 1000) for _ in range(5))"))
    place = folder(anna=notebook(*answers(), RMSE))
    grade([place], tmp_path / "out", seed=1, exercises=file)
    assert table(tmp_path / "out")["anna"]["rmse"] == "2"
    assert "rules of grading" not in (tmp_path / "out/results.jsonl").read_text()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(folder: Folder, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "own.py"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        grade([folder(anna=notebook("a = 1"))], tmp_path / "out", exercises=file)


def test_the_command_takes_the_file(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = folder(anna=notebook(*answers(), RMSE)), tmp_path / "out"
    options = ["grade", str(place), "--out", str(out), "--exercises", str(EXAMPLE)]
    monkeypatch.setattr(sys, "argv", ["course", *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert table(out)["anna"]["rmse"] == "2"
