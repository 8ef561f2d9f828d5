"""What a Markdown text says: its headings, links, pictures and prose, read by a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from course_lib.exercises import catalogue
from course_lib.lessons import EDITIONS, Edition, Lesson, lessons, root

ROOT = root()
PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
TAUGHT = [
    lesson for lesson in lessons() if any(e.lesson == lesson.name for e in catalogue().values())
]
"""The lessons with exercises: those that keep the frame of a lesson."""


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


def notebook(lesson: Lesson, edition: Edition = "solutions") -> NotebookNode:
    return nbformat.read(lesson.notebook(edition), as_version=4)


def markdown_of(book: NotebookNode) -> str:
    """All text cells as one text."""
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def documents() -> list[Path]:
    """All Markdown files and notebooks of the course."""
    folders = [ROOT / name for name in (*EDITIONS, "course_lib", "tests", "binder")]
    files = chain(ROOT.glob("*.md"), *(folder.rglob("*.md") for folder in folders))
    books = chain(*((ROOT / edition).glob("*.ipynb") for edition in EDITIONS))
    return sorted([*files, *books])


def text_of(path: Path) -> str:
    """The Markdown of a file or of a notebook's text cells."""
    if path.suffix == ".ipynb":
        return markdown_of(nbformat.read(path, as_version=4))
    return path.read_text(encoding="utf-8")


def cells_of(path: Path) -> list[str]:
    """The text of a Markdown file, or of each text cell of a notebook."""
    if path.suffix == ".ipynb":
        book = nbformat.read(path, as_version=4)
        return [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    return [text_of(path)]


def headings(text: str) -> list[Heading]:
    tokens = PARSER.parse(text)
    return [
        Heading(int(opening.tag[1]), inline.content)
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    ]


def links(text: str) -> list[str]:
    """Where links and pictures point to."""
    found = (token.attrGet("href") or token.attrGet("src") for token in _flat(text))
    return [str(target) for target in found if target]


def pictures(text: str) -> list[str]:
    """The alternative text of every picture."""
    return [token.content for token in _flat(text) if token.type == "image"]


FOLD = r"<details>\n<summary>[^<>]+</summary>"
"""Opens a part that is folded until its reader unfolds it; a blank line follows."""


def raw_html(text: str) -> list[str]:
    """HTML that is neither a comment nor a fold, and folds that do not pair up."""
    html = [token.content for token in _flat(text) if token.type in ("html_block", "html_inline")]
    opened = [piece for piece in html if re.fullmatch(FOLD, piece.strip())]
    closed = [piece for piece in html if piece.strip() == "</details>"]
    known = rf"\s*(<!--.*?-->|{FOLD}|</details>)\s*"
    lone = [] if len(opened) == len(closed) else opened + closed
    return lone + [piece for piece in html if not re.fullmatch(known, piece, re.DOTALL)]


def prose(text: str) -> str:
    """Sentences and formulas, without code and addresses."""
    kept = ("text", "math_inline", "math_block", "softbreak", "paragraph_close", "td_close")
    return "".join(token.content or " " for token in _flat(text) if token.type in kept)


def anchors(path: Path) -> set[str]:
    """What may stand after # in a link to this file.

    GitHub makes anchors of lower case letters, JupyterLab keeps the heading's own; an anchor
    that serves in notebooks must be JupyterLab's.
    """
    titles = [heading.text for heading in headings(text_of(path))]
    if path.suffix == ".ipynb":
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _flat(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield from token.children if token.children else (token,)
