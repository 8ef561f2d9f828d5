"""A plain `pip install .` brings all that the package needs, not its Python alone."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from flit_core import buildapi

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_the_whole_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    name = buildapi.build_wheel(str(tmp_path))
    with ZipFile(tmp_path / name) as wheel:
        held = {Path(file) for file in wheel.namelist() if file.startswith("course_lib/")}
    package = {
        path.relative_to(ROOT)
        for path in (ROOT / "course_lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == package
    assert {".py", ".j2", ".js", ".json"} <= {path.suffix for path in held}
    assert Path("course_lib/py.typed") in held  # type checkers trust the type hints
