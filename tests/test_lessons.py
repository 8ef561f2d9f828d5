"""Every lesson runs unsolved too, and is graded as it should be in both editions.

(nbval runs all notebooks and compares the outputs of the solved ones: see pyproject.toml.)
"""

from __future__ import annotations

import csv
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring.run import execute
from course_lib.exercises import catalogue
from course_lib.exercises.check import VERDICT_TYPE
from course_lib.grading.gradebook import grade
from course_lib.lessons import Edition, Lesson, lessons

LESSONS = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)


def exercises(lesson: Lesson) -> list[str]:
    return [e.name for e in catalogue().values() if e.lesson == lesson.name]


@LESSONS
def test_the_unsolved_lesson_runs_to_its_end(lesson: Lesson) -> None:
    notebook = nbformat.read(lesson.notebook("notebooks"), as_version=4)
    run = execute(notebook, lesson.name)
    assert [(v["exercise"], v["status"]) for v in run.verdicts] == [
        (name, "not attempted") for name in exercises(lesson)
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


@LESSONS
def test_cells_are_short(lesson: Lesson) -> None:
    cells = nbformat.read(lesson.notebook("solutions"), as_version=4).cells
    lengths = sorted(
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in cells
        if cell.cell_type == "code"
    )
    assert lengths[len(lengths) // 2] <= 5
    assert lengths[int(0.9 * len(lengths))] <= 15
    assert lengths[-1] <= 25
