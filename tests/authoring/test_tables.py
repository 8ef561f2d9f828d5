"""README and the start page say what the lessons say, and the glossary is in order."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from course_lib.authoring import tables
from course_lib.errors import CourseError
from course_lib.lessons import LAST_PAGE, START_PAGE, lessons, pages

TERMS = tables.glossary()
KNOWN = {lesson.name[:2]: lesson for lesson in lessons()}


def rows(table: str) -> list[list[str]]:
    """Cells of a Markdown table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()][
        2:
    ]


def test_the_map_has_every_lesson_and_adds_up() -> None:
    *each, total = rows(tables.map_table())
    assert [row[0] for row in each] == [
        f"[{lesson.name[:2]} {lesson.title}]({lesson.name}.ipynb)" for lesson in lessons()
    ]
    for column in (1, 2):
        assert total[column] == f"**{sum(int(row[column]) for row in each)}**"


def test_a_text_has_its_tables_between_its_markers() -> None:
    text = "a\n<!-- exercises -->\nold\n<!-- /exercises -->\nb\n<!-- map --> c\n"
    filled = tables.with_tables(text)
    assert filled == text.replace("old", tables.exercise_table())
    assert "| `mse` | 1 | 01_losses |" in filled
    assert tables.with_tables(filled) == filled
    assert tables.without_markers(filled).startswith("a\n| exercise |")
    with pytest.raises(CourseError, match=r"line <!-- /lessons --> is missing"):
        tables.with_tables("<!-- lessons -->\nno end")


def test_a_bar_or_a_line_break_breaks_no_table() -> None:
    table = tables._table(("a", "b"), "lr", [("one | two\n three", 4)])
    assert table == "| a | b |\n| :--- | ---: |\n| one \\| two three | 4 |"


def test_the_pages_on_disk_hold_the_tables_and_nothing_executed() -> None:
    assert [page.name for page in pages()] == [START_PAGE, LAST_PAGE]
    for page, held in zip(
        pages(), [(tables.map_table, tables.glossary_table), (tables.abilities,)], strict=True
    ):
        book = nbformat.read(page.notebook("notebooks"), as_version=4)
        text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
        assert all(table() in text for table in held)
        assert "<!--" not in text
        assert all(not cell.get("outputs") for cell in book.cells)
        assert not page.notebook("solutions").exists()


def test_the_glossary_is_sorted_and_links_to_lessons() -> None:
    found = rows(tables.glossary_table())
    assert len(found) == sum(term.lesson in KNOWN for term in TERMS) >= 50
    assert [row[0].lower() for row in found] == sorted(row[0].lower() for row in found)
    for term, _, _, link in found:
        number = next(t.lesson for t in TERMS if t.term == term)
        assert link == f"[{number}]({KNOWN[number].name}.ipynb)"


def test_every_term_is_there_once() -> None:
    assert len({term.term.lower() for term in TERMS}) == len(TERMS)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.term)
def test_a_term_is_short_and_has_a_chinese_name(term: tables.Term) -> None:
    assert re.search(r"[\u4e00-\u9fff]", term.zh)
    assert re.fullmatch(r"\d\d", term.lesson)
    assert 3 <= len(term.means.split()) <= 20
    assert not term.means.endswith(".")


@pytest.mark.parametrize("term", [t for t in TERMS if t.lesson in KNOWN], ids=lambda t: t.term)
def test_its_lesson_uses_the_term(term: tables.Term) -> None:
    text = re.sub(r"\s+(?:# )?", " ", KNOWN[term.lesson].source.read_text(encoding="utf-8"))
    assert re.search(rf"\b{re.escape(term.seen_as or term.term)}", text, re.IGNORECASE)


@pytest.mark.parametrize("text", ["[", "- term: a", "- 3", "3", "- {term: a, color: b}"])
def test_a_broken_glossary_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "glossary.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(tables, "root", lambda: tmp_path)
    with pytest.raises(CourseError, match=r"glossary\.yaml is not a list of term, zh, .*: ."):
        tables.glossary()
