"""The lessons that gain from a GPU install the course in Google Colab, and nowhere else."""

import re
import subprocess
import sys
import types

import nbformat
import pytest

from course_lib.lessons import find, root

LESSONS = pytest.mark.parametrize("name", ["05", "06"])


def first_cell(name: str) -> str:
    notebook = nbformat.read(find(name).notebook("notebooks"), as_version=4)
    return next(cell.source for cell in notebook.cells if cell.cell_type == "code")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command that a cell would have run."""
    run: list[list[str]] = []
    monkeypatch.setattr(subprocess, "check_call", run.append)
    return run


@LESSONS
def test_elsewhere_the_first_cell_does_nothing(name, commands, monkeypatch):
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    exec(first_cell(name), {})
    assert commands == []


@LESSONS
def test_in_colab_it_installs_the_course_with_images_and_weights(name, commands, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(first_cell(name), {})
    [command] = commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert "--no-deps" in command  # Colab's kernel needs the versions that it was started with
    project = (root() / "pyproject.toml").read_text(encoding="utf-8")
    package = re.findall(r'^name = "(.+)"', project, re.MULTILINE)[0]
    assert f"{package} @ git+https://github.com/OWNER/REPOSITORY" in command
    [offline] = re.findall(r"^offline = \[(.+)\]", project, re.MULTILINE)
    assert all(one in command for one in re.findall(r'"([\w-]+)', offline))


@LESSONS
def test_readme_opens_it_in_colab(name):
    address = f"OWNER/REPOSITORY/blob/HEAD/notebooks/{find(name).name}.ipynb"
    readme = (root() / "README.md").read_text(encoding="utf-8")
    assert f"https://colab.research.google.com/github/{address}" in readme
