"""Every lesson keeps the same frame, short cells and tags that mean something."""

from __future__ import annotations

import re
from collections import Counter

import jupytext
import pytest
from browser.notebook import names
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbval.plugin import metadata_tags

from course_lib.authoring.build import CELL_METADATA, NOT_STORED
from course_lib.lessons import Lesson, lessons

from .reading import PARSER, TAUGHT, Heading, headings, markdown_of, notebook

ALL = pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
WITH_EXERCISES = pytest.mark.parametrize("lesson", TAUGHT, ids=lambda lesson: lesson.name)

OPENING = ("**What you will do.**", "**What you will learn**", "**What you need.**")
CLOSING = ["What you have now", "On your own", "In practice", "Further reading"]


def jumps(found: list[Heading]) -> list[str]:
    """Headings that are more than one level below the one before them."""
    levels = [0, *(heading.level for heading in found)]
    return [
        heading.text
        for before, heading in zip(levels, found, strict=False)
        if heading.level > before + 1
    ]


@ALL
def test_headings_are_in_order(lesson: Lesson) -> None:
    found = headings(markdown_of(notebook(lesson)))
    assert [heading.level for heading in found].count(1) == 1
    assert jumps(found) == []


def test_a_jump_is_found() -> None:
    text = "# One\n## Two\n#### Four\n## Two again\n```\n#### code\n```\n"
    assert jumps(headings(text)) == ["Four"]


@WITH_EXERCISES
def test_it_opens_and_closes_alike(lesson: Lesson) -> None:
    book = notebook(lesson)
    assert book.cells[0].source.startswith(f"# {lesson.name[:2]} {lesson.title}\n")
    places = [book.cells[0].source.find(part) for part in OPENING]
    assert -1 not in places
    assert places == sorted(places)
    assert [heading.text for heading in headings(markdown_of(book))[-4:]] == CLOSING


@WITH_EXERCISES
def test_sections_and_minutes_add_up(lesson: Lesson) -> None:
    """The table at the top, the sections below it and the header tell the same."""
    book = notebook(lesson)
    table = re.findall(
        r"^\| \[(\d+ .+)\]\(#.+\) \| (\d+) \|$", book.cells[0].source, flags=re.MULTILINE
    )
    sections = re.findall(
        r"^## (\d+ .+)\n\n\*(\d+) minutes\*$", markdown_of(book), flags=re.MULTILINE
    )
    assert table == sections
    assert [int(title.split()[0]) for title, _ in table] == list(range(1, len(table) + 1))
    assert sum(int(minutes) for _, minutes in table) == lesson.minutes


@ALL
def test_no_number_that_begins_a_line_becomes_a_list(lesson: Lesson) -> None:
    """Markdown takes "1." at the start of a line for an item."""
    kinds = [token.type for token in PARSER.parse(markdown_of(notebook(lesson)))]
    for start in (n for n, kind in enumerate(kinds) if kind == "ordered_list_open"):
        end = kinds.index("ordered_list_close", start)
        assert kinds[start:end].count("list_item_open") > 1


@ALL
def test_no_sentence_is_said_twice(lesson: Lesson) -> None:
    texts = (cell.source for cell in notebook(lesson).cells if cell.cell_type == "markdown")
    sentences = [re.split(r"(?<=[.?!:]) |<.*?>", " ".join(text.split())) for text in texts]
    told = Counter(one for each in sentences for one in each if len(one) > 40)
    assert [sentence for sentence, times in told.items() if times > 1] == []


@ALL
def test_cells_are_short(lesson: Lesson) -> None:
    lengths = sorted(
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in notebook(lesson).cells
        if cell.cell_type == "code"
    )
    assert lengths[len(lengths) // 2] <= 5
    assert lengths[int(0.9 * len(lengths))] <= 15
    assert lengths[-1] <= 25


def missed_without_deeper(cells: list[NotebookNode]) -> set[str]:
    """Names that cells use although only cells below a heading "Deeper" define them."""
    defined: dict[bool, set[str]] = {True: set(), False: set()}  # by whether it is below one
    used: set[str] = set()
    above: list[Heading] = []
    for cell in cells:
        if cell.cell_type == "markdown":
            for heading in headings(cell.source):
                above = [*(one for one in above if one.level < heading.level), heading]
            continue
        deeper = any(re.match(r"(\d+ )?Deeper\b", heading.text) for heading in above)
        makes, _, takes = names(cell.source)
        defined[deeper] |= makes
        used |= set() if deeper else takes
    return used & defined[True] - defined[False]


@ALL
def test_what_is_deeper_may_be_skipped(lesson: Lesson) -> None:
    assert missed_without_deeper(notebook(lesson).cells) == set()


def test_what_is_missed_without_deeper_is_found() -> None:
    deeper = [new_markdown_cell("### Deeper: why"), new_code_cell("a = 1\nb = a\ndef c(): pass")]
    below = new_code_cell("b = 2\ndef f(b):\n    a.b = 3\n    return [c for c in b]\nf(b)")
    assert missed_without_deeper([*deeper, new_markdown_cell("### Next"), below]) == {"a"}
    assert missed_without_deeper([*deeper, new_markdown_cell("#### Next"), below]) == set()


@ALL
def test_nothing_beside_a_cell_mark_is_misspelled(lesson: Lesson) -> None:
    """The build drops keys, and nbval ignores tags, that it does not know: neither says so."""
    for cell in jupytext.read(lesson.source, fmt="py:percent").cells:
        unknown = set(cell.metadata) - {*CELL_METADATA, "lines_to_next_cell"}
        unknown |= set(cell.metadata.get("tags", ())) - {*metadata_tags, NOT_STORED}
        assert not unknown, cell.source[:80]
        assert cell.metadata.get("jupyter", {"source_hidden": True}) == {"source_hidden": True}
        assert "NBVAL" not in cell.source, "tags say it"


@ALL
def test_what_is_tagged_to_be_compared_prints_something(lesson: Lesson) -> None:
    for cell in notebook(lesson).cells:
        if "nbval-check-output" in cell.metadata.get("tags", ()):
            assert cell.outputs, cell.source[:80]


@ALL
def test_what_may_not_be_stored_is_not(lesson: Lesson) -> None:
    """And nbval does not miss it."""
    for cell in notebook(lesson).cells:
        if NOT_STORED in cell.metadata.get("tags", ()):
            assert "nbval-ignore-output" in cell.metadata.tags, cell.source[:80]
            kinds = [kind for output in cell.outputs for kind in output.data]
            assert set(kinds) <= {"text/plain"}, cell.source[:80]
