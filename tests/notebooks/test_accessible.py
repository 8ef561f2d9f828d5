"""What a reader meets who cannot see the pictures, or not their colors."""

from __future__ import annotations

import ast
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbformat import NotebookNode

from course_lib.exercises.verdict import HEADINGS, VERDICT_TYPE
from course_lib.lessons import Lesson, lessons

from .reading import ROOT, documents, notebook, pictures, text_of

ALL = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
PLOTS = sorted(path for path in (ROOT / "course_lib/plots").glob("*.py"))
SOURCES = sorted(
    [
        *(path for path in documents() if path.suffix == ".md"),
        *(ROOT / "solutions").glob("*.py"),
        *(ROOT / "course_lib").rglob("*.py"),
        *(ROOT / "course_lib").rglob("*.j2"),
    ]
)
COLOR_ARGUMENTS = {"color", "c", "facecolor", "edgecolor", "ecolor", "colors", "mfc", "mec"} | {
    "facecolors",
    "edgecolors",
    "markerfacecolor",
    "markeredgecolor",
}
MARKERS = "□★"  # signs of a figure, named beside it
UNCOLORED = {"white", "none"}
GRAY_MAPS = {"gray", "gray_r"}


def outputs(book: NotebookNode) -> list[NotebookNode]:
    return [output for cell in book.cells for output in cell.get("outputs", ())]


@ALL
def test_every_figure_says_what_it_shows(lesson: Lesson) -> None:
    """As alternative text of the picture, and as the text that stands in its place."""
    for output in outputs(notebook(lesson)):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                alt = output.metadata[kind]["alt"]
                assert len(alt.split()) >= 8, alt
                assert output.data["text/plain"] == alt


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_picture_in_the_text_says_what_it_shows(path: Path) -> None:
    assert [alt for alt in pictures(text_of(path)) if len(alt.split()) < 2] == []


@ALL
def test_verdicts_are_read_aloud_as_they_are_seen(lesson: Lesson) -> None:
    """A status region, so that a screen reader announces it; the result in words."""
    for output in outputs(notebook(lesson)):
        verdict = output.get("data", {}).get(VERDICT_TYPE)
        if verdict:
            page = _Page(output.data["text/html"])
            assert page.tags[0] == ("div", "status")
            assert page.text.startswith(f"{HEADINGS[verdict['status']]} · {verdict['exercise']}")
            start = f"{verdict['exercise']}: {verdict['status']} ("
            assert output.data["text/plain"].startswith(start)


class _Page(HTMLParser):
    """Tags of a page and the text that a screen reader reads, nothing that is hidden from it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str | None]] = []
        self.text = ""
        self.hidden = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs).get("role")))
        if dict(attrs).get("aria-hidden") == "true":
            self.hidden = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden:
            self.hidden = ""

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text += data


def emoji(text: str) -> set[str]:
    """Pictographs, and signs such as ticks that stand for a word; not those beside the word."""
    return {
        sign
        for sign in re.sub(r'<(\w+) aria-hidden="true">.*?</\1>', "", text)
        if (unicodedata.category(sign) == "So" and sign not in "°©" + MARKERS)
        or sign == "\N{VARIATION SELECTOR-16}"
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_said_by_emoji(path: Path) -> None:
    assert emoji(path.read_text(encoding="utf-8")) == set()


def test_emoji_are_found() -> None:
    assert emoji("λ → ∞ ± ½ 20 °C ✓ 🎉 损失") == {"✓", "🎉"}
    assert emoji('<i aria-hidden="true">✓</i>Correct<i>🎉</i>') == {"🎉"}


def stray_colors(source: str) -> list[str]:
    """Colors and color maps that are written out instead of taken from the palette."""
    found = []
    for node in ast.walk(ast.parse(source)):
        named: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Call):
            named = [(keyword.arg, keyword.value) for keyword in node.keywords]
            if isinstance(node.func, ast.Attribute) and node.func.attr == "plot":
                found += [text for text in map(_text, node.args) if set(text) & set("rgbcmykw")]
        elif isinstance(node, ast.Dict):
            named = [
                (key.value, entry)
                for key, entry in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        for name, entry in named:
            allowed = UNCOLORED if name in COLOR_ARGUMENTS else GRAY_MAPS
            if name in COLOR_ARGUMENTS | {"cmap"} and _text(entry) not in {"", *allowed}:
                found.append(_text(entry))
        if re.fullmatch(r"#[0-9a-fA-F]{3,8}", _text(node)):
            found.append(_text(node))
    return sorted(set(found))


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize("path", PLOTS, ids=lambda path: path.name)
def test_figures_take_their_colors_from_the_palette(path: Path) -> None:
    """Which tests/plots/test_palette.py holds against models of color vision."""
    if path.name != "palette.py":
        assert stray_colors(path.read_text(encoding="utf-8")) == []


@ALL
def test_lessons_leave_drawing_to_the_course(lesson: Lesson) -> None:
    """A figure drawn by hand has neither the palette nor alternative text."""
    assert not re.search(r"\b(matplotlib|pyplot)\b", lesson.source.read_text(encoding="utf-8"))


def test_stray_colors_are_found() -> None:
    source = """
axes.plot(x, y, "o", color=BLUE, markerfacecolor="white")
axes.plot(x, y, "r--")
axes.bar(x, y, color="tab:red", **{"edgecolor": "green", "hatch": "/"})
axes.imshow(image, cmap="jet")
axes.imshow(image, cmap="gray_r")
MINE = "#ff0000"
"""
    assert stray_colors(source) == ["#ff0000", "green", "jet", "r--", "tab:red"]
