"""The course inside nbgrader, unchanged: the same points for each exercise as `course grade`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_lib.exercises import catalogue
from course_lib.grading.gradebook import grade

from .conftest import SETUP, rows
from .messy import LATER, WAYS, solutions

pytestmark = pytest.mark.slow

pytest.importorskip("nbgrader")

ROOT = Path(__file__).parents[2]
LESSON = "01_losses"
EXERCISES = [exercise for exercise in catalogue().values() if exercise.lesson == LESSON]
WRONG = {"softmax", "cross_entropy"}
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "course"
c.NotebookClient.shutdown_kernel = "immediate"
"""


def half_solved(released: str, solved: str) -> str:
    """The handed-out notebook with solutions put in: one is wrong, one is left untouched."""
    notebook, answers = json.loads(released), cells(json.loads(solved))
    for name, cell in cells(notebook).items():
        if name not in WRONG and name in answers:
            cell["source"] = answers[name]["source"]
        elif name == "softmax":
            wrong = "    return np.exp(logits) / np.exp(logits).sum()\n"
            cell["source"] = ["def softmax(logits):\n", wrong]
    return json.dumps(notebook)


def messy_cells(released: str, first: int) -> str:
    """The handed-out notebook solved rightly, each answer written in another way."""
    notebook, own = json.loads(without_lesson(released)), solutions(LESSON)
    made, later = [], []
    for cell in notebook["cells"]:
        marked = cell["metadata"].get("nbgrader", {})
        name = marked.get("grade_id")
        if not (marked.get("solution") and name in own):
            made.append(cell)
            continue
        pieces = WAYS[(first + len(made)) % len(WAYS)](name, own[name])
        end = next((k for k, piece in enumerate(pieces) if piece.endswith(LATER)), len(pieces))
        made += [scratch(piece) for piece in pieces[:end]]
        made.append({**cell, "source": pieces[end].removesuffix(LATER) if pieces[end:] else "pass"})
        later += [scratch(piece) for piece in pieces[end + 1 :]]
    return json.dumps({**notebook, "cells": made + later})


def without_lesson(notebook: str) -> str:
    """Its answers and checks alone: the lesson's own cells, which take long, need no second run."""
    made = json.loads(notebook)
    kept = [cell for cell in made["cells"] if "nbgrader" in cell["metadata"]]
    return json.dumps({**made, "cells": [scratch(SETUP), *kept]})


def scratch(source: str) -> dict[str, Any]:
    return dict(nbformat.v4.new_code_cell(source))


def cells(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The answer cells by the name of their exercise."""
    names = {exercise.name for exercise in EXERCISES}
    found = {}
    for cell in notebook["cells"]:
        marked = cell["metadata"].get("nbgrader", {})
        if marked.get("solution") and marked["grade_id"] in names:
            found[marked["grade_id"]] = cell
    return found


def nbgrader(course: Path, *arguments: str) -> None:
    # It calls alembic and jupyter by name; it and its kernels keep their files to themselves.
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(course),
        "PYTHONPATH": str(ROOT),
    }
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr


def scores(course: Path) -> dict[tuple[str, str], float]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            (submission.student.id, one.name.removesuffix("-check")): one.auto_score
            for submission in book.assignment_submissions(LESSON)
            for notebook in submission.notebooks
            for one in notebook.grades
        }


def test_nbgrader_gives_the_same_points(tmp_path: Path) -> None:
    course = tmp_path / "course"
    source = course / "source" / LESSON
    source.mkdir(parents=True)
    solved = (ROOT / "solutions" / f"{LESSON}.ipynb").read_text()
    (source / f"{LESSON}.ipynb").write_text(solved)
    (course / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(course, "generate_assignment", LESSON, "--create")
    released = (course / "release" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "BEGIN SOLUTION" not in released
    handed_in = {
        "untouched": without_lesson(released),
        "half": half_solved(released, solved),
    }
    handed_in |= {f"messy {first}": messy_cells(released, first) for first in (0, 11)}
    for learner, text in handed_in.items():
        place = course / "submitted" / learner / LESSON
        place.mkdir(parents=True)
        (place / f"{LESSON}.ipynb").write_text(text)
    nbgrader(course, "autograde", LESSON)
    theirs = scores(course)

    grade([course], tmp_path / "grades", seed=1)
    ours = {
        (row["submission"].split("/")[0], row["exercise"]): float(row["points"])
        for row in rows((tmp_path / "grades/grades.csv").read_text())
    }
    right = {exercise.name: exercise.points for exercise in EXERCISES}
    half = {name: 0.0 if name in WRONG else points for name, points in right.items()}
    expected = {"untouched": dict.fromkeys(right, 0.0), "half": half}
    expected |= {learner: right for learner in handed_in if learner.startswith("messy")}
    flat = {(who, name): p for who, points in expected.items() for name, p in points.items()}
    assert ours == flat
    assert theirs == flat
