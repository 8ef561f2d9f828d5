"""Progress is recorded where a learner works, nowhere else, and nothing stops a check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib import cli, settings
from course_lib.errors import CourseError
from course_lib.exercises import catalogue, check
from course_lib.exercises.check import Note
from course_lib.learner import progress
from course_lib.learner.progress import Standing
from course_lib.learner.start import ProgressView
from course_lib.lessons import LAST_PAGE, lessons

SOLVED = {"mse": Standing(1, True)}


def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean((predictions - targets) ** 2))


def wrong() -> object:
    def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
        return float(np.sum((predictions - targets) ** 2))

    return mse


def empty() -> object:
    def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
        raise NotImplementedError()

    return mse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the notebook that a learner has open in JupyterLab."""
    shell = SimpleNamespace(user_ns={})
    interactive = SimpleNamespace(
        get_ipython=lambda: shell,
        display=SimpleNamespace(display=lambda view, **_: print(view.text)),
    )
    monkeypatch.setitem(sys.modules, "IPython", interactive)
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "01_losses.ipynb"))
    for variable in (settings.PROGRESS, "NBGRADER_EXECUTION", "COURSE_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(progress, "_said", False)
    yield tmp_path
    monkeypatch.undo()  # first, for pytest looks at IPython when it reports


# --- where -------------------------------------------------------------------------------------


def test_checks_are_recorded_beside_the_notebook(folder: Path) -> None:
    check(empty())
    check(wrong())
    check(wrong())
    assert progress.read(folder / progress.FILE).of("mse") == Standing(2, False)
    check(mse)
    check(wrong())  # solved once is solved
    assert progress.read(folder / progress.FILE).of("mse") == Standing(4, True)
    assert [path.name for path in folder.iterdir()] == [progress.FILE]


def test_a_line_is_readable_and_holds_no_code(folder: Path) -> None:
    check(mse)
    (line,) = (folder / progress.FILE).read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert list(entry) == ["exercise", "status", "at"]
    assert (entry["exercise"], entry["status"]) == ("mse", "correct")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("COURSE_PROGRESS", "off"), ("NBGRADER_EXECUTION", "1"), ("JPY_SESSION_NAME", "")],
)
def test_nothing_is_recorded_where_no_learner_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    check(mse)
    assert list(folder.iterdir()) == []


def test_nothing_is_recorded_outside_a_notebook(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "IPython")
    check(mse)
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_executed_notebooks_record_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`course run`, even if started from a notebook that a learner has open."""
    from nbformat.v4 import new_code_cell, new_notebook

    from course_lib.authoring.run import execute

    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "01_losses.ipynb"))
    monkeypatch.delenv(settings.PROGRESS, raising=False)
    lines = (
        "from course_lib.exercises import catalogue, check",
        "check(catalogue()['mse'].reference)",
    )
    tiny = new_notebook(cells=[new_code_cell("\n".join(lines))])
    run = execute(tiny, "tiny", folder=tmp_path)
    assert [verdict["status"] for verdict in run.verdicts] == ["correct"]
    assert list(tmp_path.iterdir()) == []


def test_visual_studio_code_is_a_place_to_work_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME")
    shell = sys.modules["IPython"].get_ipython()
    shell.user_ns["__vsc_ipynb_file__"] = str(folder / "deeper.ipynb")
    check(mse)
    assert progress.read(folder / progress.FILE).exercises == SOLVED


def test_another_file_can_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.PROGRESS, str(folder / "mine.txt"))
    check(mse)
    assert progress.read(folder / "mine.txt").exercises == SOLVED
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_notebook_that_was_moved_away_leaves_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "gone" / "01_losses.ipynb"))
    monkeypatch.chdir(folder)
    assert progress.path() == folder / progress.FILE


# --- what cannot be written or read --------------------------------------------------------------


def test_a_file_that_cannot_be_written_is_said_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / progress.FILE).mkdir()
    assert check(mse) is mse
    check(mse)
    said = capsys.readouterr().out
    assert said.count("Your progress is not recorded (") == 1
    assert said.count("): set COURSE_PROGRESS to a file that you may write to") == 1
    assert said.count("mse: correct") == 2


def test_a_learner_without_a_home_can_check(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.PROGRESS, "~no-such-user/progress.jsonl")
    assert check(mse) is mse
    assert "Your progress is not recorded" in capsys.readouterr().out
    assert ProgressView().remark.startswith("COURSE_PROGRESS is ~no-such-user/")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        '{"exercise": "mse"}',
        "\0\0\0",
        '{"exercise": "mse", "status": "corr',
        "[" * 9999,
    ],
)
def test_an_unreadable_line_costs_only_itself(folder: Path, line: str) -> None:
    file = folder / progress.FILE
    file.write_text(f"{line}\n", encoding="utf-8")
    check(mse)
    assert progress.read(file) == progress.Progress(SOLVED, unreadable=1)


def test_a_line_that_was_cut_off_does_not_swallow_the_next(folder: Path) -> None:
    file = folder / progress.FILE
    file.write_bytes(b'{"exercise": "softm\xff')
    check(mse)
    assert progress.read(file) == progress.Progress(SOLVED, unreadable=1)


def test_a_file_that_cannot_be_opened_is_one_sentence(folder: Path) -> None:
    (folder / progress.FILE).mkdir()
    with pytest.raises(CourseError, match=r"cannot be read \(.*\): set COURSE_PROGRESS"):
        progress.read(folder / progress.FILE)
    assert "cannot be read" in ProgressView().remark


def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from course_lib.learner.progress import _append\n"
        "for number in range(300):\n"
        "    _append(Path(sys.argv[1]), {'exercise': f'{sys.argv[2]}-{number}', 'status': 'wrong'})"
    )
    file = tmp_path / progress.FILE

    def write(name: str) -> None:
        subprocess.run([sys.executable, "-c", program, file, name], check=True)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, "abc"))
    found = progress.read(file)
    assert found.unreadable == 0
    assert sorted(found.exercises) == sorted(f"{n}-{i}" for n in "abc" for i in range(300))


# --- what the learner sees -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(), "not tried yet"),
        (Standing(1), "tried once"),
        (Standing(3), "tried 3 times"),
        (Standing(3, True), "solved"),
    ],
)
def test_a_standing_is_said_in_words(standing: Standing, words: str) -> None:
    assert str(standing) == words


def test_a_new_file_after_a_reset_and_the_old_one_beside_it(folder: Path) -> None:
    assert progress.reset() is None
    check(mse)
    kept = progress.reset()
    assert kept == folder / "progress.old.jsonl"
    assert progress.read(progress.path()).exercises == {}
    assert progress.read(kept).exercises == SOLVED
    check(mse)
    assert progress.read(progress.path()).exercises == SOLVED


@pytest.mark.parametrize(
    ("options", "answer", "left"),
    [([], None, True), (["--reset"], "n\n", True), (["--reset"], "y\n", False),
     (["--reset", "--yes"], None, False)],
)  # fmt: skip
def test_the_command_shows_and_resets(
    tmp_path: Path, options: list[str], answer: str | None, left: bool
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"exercise": "mse", "status": "correct"}\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from course_lib.cli import main; main()", "progress", *options],
        env=os.environ | {settings.PROGRESS: str(file)},
        input=answer,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert file.exists() == left
    assert file.with_name("mine.old.jsonl").exists() != left
    if not options:
        assert done.stdout.startswith("1 of ")
        assert "   mse: solved\n   numerical_gradient: not tried yet\n" in done.stdout
        assert "Regularization: 0 of 9\n03 " in done.stdout  # nothing of it was tried


def test_no_answer_changes_nothing(folder: Path) -> None:
    file = folder / progress.FILE
    file.write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from course_lib.cli import main; main()", "progress", "--reset"],
        env=os.environ | {settings.PROGRESS: str(file)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.endswith("\nNothing was changed: with --yes nobody is asked.\n")
    assert file.exists()


def test_it_can_be_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(settings.PROGRESS, "off")
    assert progress.reset() is None
    monkeypatch.setattr(sys, "argv", ["course", "progress"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "No progress is kept, because COURSE_PROGRESS is off." in capsys.readouterr().out


# --- what is said --------------------------------------------------------------------------------


def test_each_exercise_that_is_solved_is_counted_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_lesson = [one for one in catalogue().values() if one.lesson == "01_losses"]
    check(mse)
    assert f"That is 1 of the {len(of_lesson)} exercises of lesson 01." in capsys.readouterr().out
    check(mse)
    assert "That is" not in capsys.readouterr().out
    for exercise in of_lesson[1:]:
        check(exercise.reference)
    said = capsys.readouterr().out
    assert f"All {len(of_lesson)} exercises of lesson 01 are solved." in said
    assert "Next comes lesson 02, Regularization." in said


def test_what_comes_next_is_a_link() -> None:
    said = [Note(progress._next(lesson.name)) for lesson in lessons()]
    shown = [note._repr_mimebundle_()["text/html"] for note in said]
    after = [f"{lesson.name}.ipynb" for lesson in lessons()[1:]] + [f"{LAST_PAGE}.ipynb"]
    assert all(f'<a href="{name}">' in html for name, html in zip(after, shown, strict=True))
    assert not any("](" in note.text for note in said)


def test_who_has_tried_often_may_unfold_a_solution(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    interactive = sys.modules["IPython"].display
    show = lambda view, **_: shown.append(view._repr_mimebundle_()["text/html"])  # noqa: E731
    monkeypatch.setattr(interactive, "display", show)
    for attempt in range(1, 5):
        shown.clear()
        check(wrong())  # type: ignore[arg-type]
        offered = "<summary" in shown[-1] and "One solution" in shown[-1]
        assert offered == (attempt >= progress.PATIENCE)
    assert "def mse(predictions, targets):" in shown[-1]
    assert "np.mean(" in shown[-1]
    assert "###" not in shown[-1]
    assert "What to notice in it: " in shown[-1]
    shown.clear()
    check(mse)
    assert "One solution" not in "".join(shown)


@pytest.mark.parametrize("text", ["", "[]", '{"cells": []}', '{"cells": [{"id": "mse"}]}'])
def test_without_the_solved_lesson_the_way_to_it_is_told(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "root", lambda: tmp_path)
    for _ in range(2):
        said = progress._solution("01_losses", "mse", 3)
        assert "see `course lab --solution 01` in a terminal" in str(said)
        (tmp_path / "solutions").mkdir(exist_ok=True)
        (tmp_path / "solutions/01_losses.ipynb").write_text(text)


@pytest.mark.parametrize("name", catalogue())
def test_each_exercise_has_its_solution(name: str) -> None:
    said = progress._solution(catalogue()[name].lesson, name, 3)
    assert not isinstance(said, str)
    assert said.folded is not None
    assert f"def {name}(" in said.folded[1]
