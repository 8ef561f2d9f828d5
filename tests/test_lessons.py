"""Every lesson runs unsolved too, in time, and is graded as it should be in both editions.

(nbval runs all notebooks and compares the outputs of the solved ones: see pyproject.toml.)
"""

from __future__ import annotations

import csv
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring.run import Run, SlowestCell, execute
from course_lib.exercises import catalogue
from course_lib.exercises.check import VERDICT_TYPE
from course_lib.grading.gradebook import grade
from course_lib.lessons import Edition, Lesson, lessons

LESSONS = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)

LESSON_SECONDS = 90
CELL_SECONDS = 20
KERNEL_BYTES = 1.6e9  # mybinder.org gives 2 GB to all processes of a learner


def exercises(lesson: Lesson) -> list[str]:
    return [e.name for e in catalogue().values() if e.lesson == lesson.name]


def over_budget(run: Run) -> list[str]:
    """What a learner would wait for too long, and the memory that Binder does not have.

    Where other work shares the machine, the clock says more than a learner would wait; the
    seconds of the processor are then what one free core would take.
    """
    found = []
    seconds = min(run.seconds, run.processor_seconds)
    if seconds > LESSON_SECONDS:
        found.append(f"{run.lesson} takes {seconds:.0f} s")
    slowest = run.slowest_cell
    if slowest and (cell := min(slowest.seconds, slowest.processor_seconds)) > CELL_SECONDS:
        found.append(f"cell {slowest.number}, {slowest.line}, takes {cell:.0f} s")
    if run.peak_memory and run.peak_memory > KERNEL_BYTES:
        found.append(f"the kernel takes {run.peak_memory / 1e9:.1f} GB")
    return found


@LESSONS
def test_the_unsolved_lesson_runs_to_its_end_within_its_budgets(lesson: Lesson) -> None:
    def run() -> Run:
        return execute(nbformat.read(lesson.notebook("notebooks"), as_version=4), lesson.name)

    first = run()
    assert [(v["exercise"], v["status"]) for v in first.verdicts] == [
        (name, "not attempted") for name in exercises(lesson)
    ]
    # A second try, for the first may have read Keras from a cold disk or shared the processor.
    assert not over_budget(first) or over_budget(run()) == []


def test_a_broken_budget_is_named() -> None:
    good = Run("good", 80, 160, SlowestCell(3, 12, "fit()", 24), peak_memory=10**9)
    shared = Run("shared", 180, 85, SlowestCell(3, 60, "fit()", 18), peak_memory=10**9)
    bad = Run("bad", 95, 190, SlowestCell(7, 21, "fit()", 42), peak_memory=2 * 10**9)
    assert over_budget(good) == over_budget(shared) == []
    assert over_budget(bad) == [
        "bad takes 95 s",
        "cell 7, fit(), takes 21 s",
        "the kernel takes 2.0 GB",
    ]


@LESSONS
def test_the_solved_lesson_earned_every_point(lesson: Lesson) -> None:
    notebook = nbformat.read(lesson.notebook("solutions"), as_version=4)
    verdicts = [
        output.data[VERDICT_TYPE]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if VERDICT_TYPE in output.get("data", ())
    ]
    assert [v["exercise"] for v in verdicts] == exercises(lesson)
    assert all(v["status"] == "correct" and v["points"] == v["max_points"] for v in verdicts)


@pytest.mark.parametrize(
    ("edition", "status", "share"), [("notebooks", "not attempted", 0), ("solutions", "correct", 1)]
)
def test_the_grader_agrees(edition: Edition, status: str, share: int, tmp_path: Path) -> None:
    grade([lesson.notebook(edition) for lesson in lessons()], tmp_path, seed=1)
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["exercise"] for row in rows) == sorted(catalogue())
    for row in rows:
        assert row["status"] == status, row
        assert float(row["points"]) == share * float(row["max_points"])
