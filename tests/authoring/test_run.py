"""Lessons are executed in memory, measured, and stopped when asked to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.authoring import run as running
from course_lib.authoring.run import execute, run_lessons
from course_lib.errors import CourseError
from course_lib.lessons import Lesson

pytestmark = pytest.mark.slow

RECORD = {
    "exercise": "mse",
    "status": "correct",
    "points": 1,
    "max_points": 1,
    "misconception": None,
}
VERDICT = f"""\
from IPython.display import display
display({{"application/vnd.course.verdict+json": {RECORD}, "text/plain": "fine"}}, raw=True)
"""


def notebook(*sources: str) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell("# Tiny"), *map(new_code_cell, sources)])


def lesson(root: Path, name: str, *sources: str) -> Lesson:
    (root / "notebooks").mkdir(exist_ok=True)
    nbformat.write(notebook(*sources), root / "notebooks" / f"{name}.ipynb")
    return Lesson(name, name, 1, "test", root)


def test_a_run_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the clock shows at the start, as each of three cells is sent and done, and at the end.
    shown = iter([0, 1, 2, 2, 3, 3, 7, 8])
    monkeypatch.setattr(running, "time", SimpleNamespace(perf_counter=lambda: next(shown)))
    big = 200 * 2**20
    tiny = notebook(f"peak = bytearray({big}); del peak", VERDICT, "# the slowest\n1 + 1")
    progress: list[tuple[int, int]] = []
    run = execute(tiny, "tiny", on_cell=lambda *done: progress.append(done), folder=tmp_path)
    assert run.verdicts == [RECORD]
    assert run.slowest_cell == running.SlowestCell(number=4, seconds=4, line="1 + 1")
    assert run.seconds == 8
    assert run.peak_memory is not None
    assert run.peak_memory > big  # though it was given back
    assert progress == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_kernel_is_this_environment_and_the_folder_is_the_given_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")  # as in some continuous integration
    tiny = notebook("import os, sys\n(sys.prefix, os.getcwd(), os.environ['MPLBACKEND'])")
    execute(tiny, "tiny", folder=tmp_path)
    prefix, folder, backend = eval(tiny.cells[1].outputs[0].data["text/plain"])
    assert prefix == sys.prefix
    assert Path(folder) == tmp_path.resolve()
    assert "inline" in backend


def test_the_same_notebook_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    original = notebook("import ipywidgets\nipywidgets.IntSlider()", "print('a')\n1 + 1")
    for _ in range(2):
        copy = nbformat.from_dict(original)
        execute(copy, "tiny", folder=tmp_path)
        assert "widgets" not in copy.metadata
        for output in copy.cells[1].outputs:  # a widget's id is drawn anew; the build drops it
            output.data.pop("application/vnd.jupyter.widget-view+json")
        written.append(nbformat.writes(copy))
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("# comment\n1 / 0", "tiny: cell 2, `1 / 0`: ZeroDivisionError: division by zero"),
        ("import os\nos._exit(1)", "tiny: cell 2, `import os`: its kernel ended"),
    ],
)
def test_a_failing_cell_is_named(source: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError) as raised:
        execute(notebook(source, "'never'"), "tiny", folder=tmp_path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_failing_lesson_costs_only_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lessons = [
        lesson(tmp_path, "01_right", VERDICT),
        lesson(tmp_path, "02_wrong", "oops"),
        Lesson("03_gone_with_the_wind", "", 1, "", tmp_path),
        lesson(tmp_path, "04_torn"),
    ]
    lessons[3].notebook("notebooks").write_text('{"cells": [', encoding="utf-8")
    before = {path: path.read_bytes() for path in (tmp_path / "notebooks").iterdir()}
    report = tmp_path / "report.json"
    right, wrong, gone, torn = run_lessons(lessons, jobs=2, report=report)
    assert right.error is None
    assert wrong.error == "cell 2, `oops`: NameError: name 'oops' is not defined"
    file = "notebooks/03_gone_with_the_wind.ipynb"
    restored = "run `course reset 03`."
    assert gone.error == f"{file} is missing: {restored}"
    assert torn.error is not None
    assert "notebooks/04_torn.ipynb is not a notebook" in torn.error
    assert before == {path: path.read_bytes() for path in (tmp_path / "notebooks").iterdir()}

    shown = capsys.readouterr().out
    assert re.search(r"^ *03_gone_with_the_wind .* FAILED", shown, flags=re.MULTILINE)
    for run in (wrong, gone, torn):
        assert f"{run.lesson} failed" in shown
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["edition"] == "notebooks"
    assert [each["lesson"] for each in written["lessons"]] == [each.name for each in lessons]
    assert written["lessons"][0]["verdicts"] == [RECORD]
    assert written["lessons"][0]["peak_memory"] == right.peak_memory
    assert list(tmp_path.glob(".report*")) == []


def test_an_impossible_report_is_refused_before_the_run(tmp_path: Path) -> None:
    fine = lesson(tmp_path, "01_right", "open('ran', 'w').close()")
    with pytest.raises(CourseError, match="Cannot write"):
        run_lessons([fine], report=tmp_path / "missing" / "report.json")
    assert not (tmp_path / "notebooks" / "ran").exists()


def course_run(root: Path, name: str) -> subprocess.Popen[str]:
    """`course run` in a process of its own, in a course of this one lesson."""
    program = (
        "import sys; from pathlib import Path; from course_lib.lessons import Lesson\n"
        "from course_lib import cli, lessons\n"
        f"only = Lesson({name!r}, '', 1, '', Path({str(root)!r}))\n"
        "lessons.chosen = lambda names: [only]\n"
        "sys.argv = ['course', 'run']; cli.main()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_kernel_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    lesson(tmp_path, "01_right")
    in_its_place = tmp_path / "notebooks" / "ipykernel_launcher.py"
    in_its_place.write_text("raise SystemExit(1)", encoding="utf-8")
    course = course_run(tmp_path, "01_right")
    said, errors = course.communicate(timeout=60)
    assert course.returncode == 1
    assert "01_right failed: no Python kernel could run it (" in said
    assert errors == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_an_interrupt_stops_the_kernels(tmp_path: Path) -> None:
    cell = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\n"
    lesson(tmp_path, "01_slow", cell + "time.sleep(600)")
    course = course_run(tmp_path, "01_slow")
    pid = tmp_path / "notebooks" / "pid"
    try:
        _wait_for(lambda: pid.is_file() and pid.read_text() != "")
        os.kill(course.pid, signal.SIGINT)
        _, said = course.communicate(timeout=60)
    finally:
        course.kill()
    assert course.returncode == 130
    assert said.strip().splitlines()[-1].startswith("Interrupted")
    assert "Traceback" not in said
    assert not psutil.pid_exists(int(pid.read_text()))


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the kernel did not start"
        time.sleep(0.05)
