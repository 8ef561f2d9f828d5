"""Budgets that are broken are named, and both editions of the lessons are graded as they should be.

(That every notebook runs, in time, with the outputs and verdicts that it should have, is for nbval:
see `lesson_runs`.)
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from lesson_runs import over_budget

from course_lib.authoring.run import Run, SlowestCell
from course_lib.exercises import catalogue
from course_lib.grading.gradebook import grade
from course_lib.lessons import Edition, lessons


def test_a_broken_budget_is_named() -> None:
    good = Run("good", 80, 160, SlowestCell(3, 12, "fit()", 24), peak_memory=10**9)
    shared = Run("shared", 180, 85, SlowestCell(3, 60, "fit()", 18), peak_memory=10**9)
    bad = Run("bad", 95, 190, SlowestCell(7, 21, "fit()", 42), peak_memory=2 * 10**9)
    assert over_budget(good) == over_budget(shared) == []
    assert len(over_budget(bad, slowness=1000.0)) == 1  # memory is the same everywhere
    assert over_budget(bad) == [
        "bad takes 95 s",
        "cell 7, fit(), takes 21 s",
        "the kernel takes 2.0 GB",
    ]


@pytest.mark.slow
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
