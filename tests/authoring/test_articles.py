"""Each row of the page on the articles leads to a heading of a lesson, or says why it does not."""

from __future__ import annotations

import re

import pytest

from course_lib.authoring import articles
from course_lib.authoring.links import book_anchor
from course_lib.errors import CourseError
from course_lib.lessons import lessons

ROWS = [row for _, rows in articles.articles().values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.article} {row.at} {row.what}")
def test_a_row_points_somewhere(row: articles.Row) -> None:
    assert len(set(row.see)) == len(row.see)
    assert set(row.see) <= articles.places().keys()
    assert bool(row.see) != bool(row.why)


def test_all_five_articles_and_all_lessons_are_there() -> None:
    assert [*articles.articles()] == ["000", "001", "002", "003", "004"]
    assert {name[:2] for row in ROWS for name in row.see} == {one.number for one in lessons()}
    assert len({(row.article, row.at, row.what) for row in ROWS}) == len(ROWS)


def test_the_page_has_every_row_with_its_links() -> None:
    page = articles.page()
    assert page.count("\n- ") == len(ROWS)
    links = re.findall(r"\]\((\w+)\.ipynb#([\w-]+)\)", page)
    assert len(links) == sum(len(row.see) for row in ROWS)
    known = {(lesson.name, book_anchor(name)) for lesson, name in articles.places().values()}
    assert set(links) <= known


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("see: ['01 99 Gone']", "names a heading that no lesson has: 01 99 Gone"),
        ("see: []", "what is left out has a why"),
        ("where: 3", "cannot be read"),
    ],
)
def test_a_row_that_points_nowhere_is_named(tmp_path, monkeypatch, entry, said):
    (tmp_path / "solutions").mkdir()
    row = f"{{at: '1', kind: claim, what: All, how: measured, {entry}}}"
    text = f"- article: '000'\n  about: Something\n  rows:\n    - {row}\n"
    (tmp_path / "solutions" / "articles.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(articles, "root", lambda: tmp_path)
    with pytest.raises(CourseError, match=re.escape(said)):
        articles.page()
