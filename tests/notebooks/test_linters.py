"""The repository is clean for the linters, as pyproject.toml sets them up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .reading import ROOT

pytestmark = pytest.mark.slow

COMMANDS = (
    ["ruff", "check", "--no-cache", "."],
    ["ruff", "format", "--check", "--no-cache", "."],
    ["mypy"],
    ["codespell_lib", "."],
)

MISSPELT = "recie" + "ve"  # in two parts, for this file is read too


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_finds_nothing(command: list[str]) -> None:
    done = run(command, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lessons_are_among_what_they_read(tmp_path: Path) -> None:
    """A fault in a copy of a lesson is found under the repository's settings."""
    lesson = next(path for path in (ROOT / "solutions").glob("01_*.py"))
    source = lesson.read_text(encoding="utf-8") + f"\n# %%\nimport  json  # {MISSPELT}\n"
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / lesson.name).write_text(source, encoding="utf-8")
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    said = {" ".join(c): run(c, tmp_path).stdout for c in COMMANDS if c != ["mypy"]}
    assert "F401" in said["ruff check --no-cache ."]
    assert lesson.name in said["ruff format --check --no-cache ."]
    assert MISSPELT in said["codespell_lib ."]
