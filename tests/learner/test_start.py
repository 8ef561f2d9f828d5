"""What the start page shows can be read by everybody, and nothing stops it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_lib import settings
from course_lib.exercises import catalogue
from course_lib.learner import doctor, start
from course_lib.learner.doctor import Finding
from course_lib.learner.lab import EXTENSIONS
from course_lib.lessons import LAST_PAGE, START_PAGE, lessons, pages

FOUND = [
    Finding("ok", "Python"),
    Finding("note", "no <GPU>", "buy one & wait"),
    Finding("missing", "package keras", "pip install keras"),
]


class Page(HTMLParser):
    """Fails on tags that do not nest; collects text, attributes and links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where progress is kept."""
    monkeypatch.setenv(settings.PROGRESS, str(tmp_path / "mine.jsonl"))
    return tmp_path / "mine.jsonl"


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


# --- progress ------------------------------------------------------------------------------------


def test_progress_is_a_table_with_heads_links_and_words(file: Path) -> None:
    file.write_text(
        '{"exercise": "mse", "status": "correct"}\n{"exercise": "softmax", "status": "wrong"}\n',
        encoding="utf-8",
    )
    view = start.my_progress()
    page = Page(view.html)
    total = sum(len(standings) for standings in view.exercises.values())
    assert view.summary == f"1 of {total} exercises solved"
    assert view.text.startswith(f"{view.summary}.")
    assert len(page.attributes("caption")) == 1
    scopes = [attrs["scope"] for attrs in page.attributes("th")]
    assert scopes == ["col"] * 5 + ["row"] * len(lessons())
    links = [attrs["href"] for attrs in page.attributes("a")]
    assert links == [f"{lesson.name}.ipynb" for lesson in (lessons()[0], *lessons())]
    assert page.text.startswith("Next: numerical_gradient in lesson 01")
    assert "mse: solved" in page.text
    assert "softmax: tried once" in page.text
    assert view.html.count("<td") == 4 * len(lessons())
    assert "<code>numerical_<wbr>gradient</code></td>" in view.html  # comes next


def test_a_finished_lesson_says_so(file: Path) -> None:
    first = lessons()[0]
    names = start.my_progress().exercises[first]
    lines = [f'{{"exercise": "{name}", "status": "correct"}}\n' for name in names]
    file.write_text("".join(lines), encoding="utf-8")
    html = start.my_progress().html
    assert f"{len(names)} of {len(names)}</td>" in html
    assert "all done" in html
    assert f'in <a href="{lessons()[1].name}.ipynb">' in html


def test_who_has_solved_everything_is_told(file: Path) -> None:
    lines = [f'{{"exercise": "{name}", "status": "correct"}}\n' for name in catalogue()]
    file.write_text("".join(lines), encoding="utf-8")
    view = start.my_progress()
    assert view.ahead is None
    assert "You have solved every exercise of this course." in view.html
    assert f'<a href="{LAST_PAGE}.ipynb">' in view.html


@pytest.mark.parametrize("number", range(2))
def test_jupyterlab_runs_the_cell_of_a_page(number: int) -> None:
    """Its extension knows the cell by its code."""
    script = (EXTENSIONS / "course-pictures" / "static" / "pictures.js").read_text("utf-8")
    (known,) = re.findall(r'PROGRESS = (".*");', script)
    page = nbformat.read(pages()[number].notebook("notebooks"), as_version=4)
    assert json.loads(known) in [cell.source for cell in page.cells]
    assert page.metadata.course.lesson == (START_PAGE, LAST_PAGE)[number]


def test_what_cannot_be_read_is_said_and_the_rest_shown(file: Path) -> None:
    file.write_text('{"exercise": "mse", "status": "correct"}\n{\n', encoding="utf-8")
    page = Page(start.my_progress().html)
    assert "1 of " in page.text
    assert f"1 line of {file} could not be read; the rest counts." in page.text
    file.unlink()
    file.mkdir()
    assert "cannot be read" in Page(start.my_progress().html).text


# --- the machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "summary"),
    [
        (1, "Every lesson can run here."),
        (2, "Every lesson can run here. The lines that begin with “Note” say what would help."),
        (3, "A lesson cannot run yet: look for the lines that begin with “Missing”."),
    ],
)
def test_findings_come_with_a_summary_in_words(
    number: int, summary: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "ALL", (lambda: FOUND[:number],))
    start.machine()
    assert capsys.readouterr().out.splitlines()[0] == summary


def test_findings_appear_one_by_one_in_one_place(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ALL", (lambda: FOUND,))
    with capture_output() as shown:
        start.machine()
    pages = [Page(output.data["text/html"]) for output in shown.outputs]
    assert [len(page.attributes("li")) for page in pages] == [0, 1, 2, 3, 3]
    assert [page.text.startswith("Looking at") for page in pages] == [True] * 4 + [False]
    last = pages[-1]
    assert last.attributes("div")[0]["role"] == "status"
    for words in ("Fine. Python", "Note. no <GPU>To do: buy one & wait", "Missing. package keras"):
        assert words in last.text


def test_importing_it_imports_neither_keras_nor_jupyter() -> None:
    import subprocess

    code = (
        "import sys, course_lib.learner.start\n"
        "heavy = {'keras', 'tensorflow', 'IPython', 'matplotlib', 'nbformat', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
