"""Of a class of any size, few files are in memory at a time."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import record
from course_lib.grading.gradebook import grade
from course_lib.grading.marking import Marked, ungraded

from .conftest import RIGHT, notebook

pytestmark = pytest.mark.slow

LARGE = 100_000


def peak_of(place: Path, size: int) -> int:
    """The most bytes that Python held while it graded a class of this size."""
    folder = place / f"class-{size}"
    folder.mkdir()
    for number in range(size):
        (folder / f"learner{number:03}.ipynb").write_bytes(notebook(RIGHT["mse"], "#" * LARGE))
    tracemalloc.start()
    try:
        summary = grade([folder], place / f"grades-{size}", jobs=1, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert summary.graded == size
    return peak


def test_memory_does_not_grow_with_the_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(data: bytes, lesson: str, seed: int, **_: Any) -> tuple[list[Marked], list[str]]:
        return [replace(one, points=0.0) for one in ungraded(lesson, "wrong", "Wrong.")], []

    monkeypatch.setattr(record, "mark", nothing)
    peak_of(tmp_path, 20)  # imports, templates and caches
    few, many = peak_of(tmp_path, 30), peak_of(tmp_path, 120)
    assert many - few < 20 * LARGE  # all files together would be 90 of these more
