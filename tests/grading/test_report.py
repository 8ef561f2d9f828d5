"""Tables that spreadsheets cannot be hurt by, and pages that everybody can read."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading.gradebook import grade
from course_lib.grading.report import (
    best_points,
    defused,
    feedback_pages,
    file_names,
    grades_csv,
    totals,
    write_all,
)

from .conftest import answers, notebook, rows


class Page(HTMLParser):
    """Tags with their attributes, headings in order, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


def entry(exercise: str = "mse", points: float | None = 1, **changed: Any) -> dict[str, Any]:
    return {
        "exercise": exercise,
        "status": "correct",
        "points": points,
        "max_points": 2,
        "misconception": None,
        "message": "",
        "hints": [],
        "notes": [],
        **changed,
    }


def record(learner: str, *entries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "submission": learner,
        "learner": learner,
        "lesson": "01_losses",
        "status": "graded",
        "message": "",
        "exercises": list(entries),
        "notes": [],
        **changed,
    }


def page(*records: dict[str, Any]) -> Page:
    pages = feedback_pages(records, seed=12345, holds=["memory"], missing=["no network"])
    assert len(pages) == 1
    return Page(next(iter(pages.values())))


HOSTILE = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "  =1",
    "\t=1",
    "|cmd",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    'a,b"c\nd',
    "CON",
    "Ünïcode 名前",
    "x" * 300,
    "..",
    "\u202egnp.exe",
    "anna",
    "Anna",
]


def test_spreadsheets_run_nothing() -> None:
    for name in HOSTILE:
        assert defused(name)[0] not in "=+-@|\t"
        assert defused(name).isprintable()
    assert defused("anna-lena (2)") == "anna-lena (2)"
    text = grades_csv([record(name, entry()) for name in HOSTILE])
    assert len(rows(text)) == len(HOSTILE)
    assert not any(line.startswith(("=", "+", "-", "@", '"=')) for line in text.splitlines())


def test_file_names_are_safe_unique_and_stay_as_they_are() -> None:
    names = file_names(HOSTILE)
    assert len({name.casefold() for name in names.values()}) == len(HOSTILE)
    for name in names.values():
        assert Path(name).name == name
        assert not name.startswith(".")
        assert len(name.encode()) < 255
        assert name.isprintable()
        assert not set('<>:"/\\|?*') & set(name)
    assert file_names(["anna", "b.c", "Ünïcode 名前"]) == {
        "anna": "anna.html",
        "b.c": "b.c.html",
        "Ünïcode 名前": "Ünïcode 名前.html",
    }
    assert file_names(["CON"])["CON"] != "CON.html"


def test_hostile_names_through_a_whole_run(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    names = [
        "=1+1",
        "<img src=x onerror=alert(1)>",
        "a b",
        b"\xff\xfe".decode("utf-8", "surrogateescape"),
    ]
    for name in names:
        (place / f"{name}.ipynb").write_bytes(notebook("def mse(p, t): raise ValueError('<b>=1')"))
    grade([place], tmp_path / "out", seed=1)
    table = rows((tmp_path / "out/gradebook.csv").read_text("utf-8"))
    assert sorted(row["learner"] for row in table) == sorted(
        ["'=1+1", "<img src=x onerror=alert(1)>", "a b", "\\xff\\xfe"]
    )
    pages = [path.read_text("utf-8") for path in (tmp_path / "out/feedback").iterdir()]
    assert len(pages) == 4
    for text in pages:
        assert not {"img", "script", "b"} & set(Page(text).names())
        assert "ValueError: <b>=1" in Page(text).text


def test_a_page_is_accessible() -> None:
    shown = page(
        record(
            "anna",
            entry(),
            entry("softmax", 0, status="wrong", message="Use `axis=1`.", hints=["Think.", "Read."]),
            entry("cross_entropy", 0, status="timeout", message="Too long.", notes=["A note."]),
            notes=["The file has 30 MB."],
        )
    )
    tags = dict(shown.tags)
    assert tags["html"]["lang"] == "en"
    metas = {attributes.get("name"): attributes for tag, attributes in shown.tags if tag == "meta"}
    assert metas["viewport"]["content"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"]["content"] == "light dark"
    levels = [int(tag[1]) for tag in shown.names() if tag in {"h1", "h2", "h3", "h4"}]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {"main", "title", "footer"} <= set(shown.names())
    assert shown.names().count("details") == shown.names().count("summary") == 3
    for word in ("✓", "Correct, 1 of 2 points", "✗", "Not right yet", "It took too long"):
        assert word in shown.text
    for word in ("Feedback for anna", "Total: 1 of 6 points", "A note.", "30 MB", "seed 12345"):
        assert word in shown.text
    for word in ("Limits that held: memory", "not in force: no network", "Use axis=1."):
        assert word in shown.text
    assert "code" in shown.names()
    assert not {"script", "link", "img"} & set(shown.names())


def test_a_page_says_when_nothing_could_be_graded() -> None:
    lost = entry("mse", None, status="unreadable", message="The file is empty.")
    shown = page(record("anna", lost, status="unreadable", message="The file is empty."))
    assert "Nothing could be graded." in shown.text
    assert shown.text.count("The file is empty.") == 1
    assert "0 of" not in shown.text


def test_everything_is_escaped() -> None:
    nasty = "<script>`<i>`</script>{{ 7*7 }}"
    shown = page(
        record(
            nasty,
            entry(status="wrong", message=nasty, hints=[nasty], notes=[nasty]),
            message=nasty,
            notes=[nasty],
            lesson=nasty,
        )
    )
    assert not {"script", "i"} & set(shown.names())
    assert "49" not in shown.text


def test_the_answer_is_not_given_away(tmp_path: Path) -> None:
    place = tmp_path / "anna.ipynb"
    place.write_bytes(notebook(*answers(softmax="def softmax(z): return z")))
    grade([place], tmp_path / "out", seed=1)
    text = (tmp_path / "out/feedback/anna.html").read_text("utf-8")
    assert "def " not in text
    assert "keepdims" not in text


@pytest.mark.parametrize(
    ("records", "total", "best"),
    [
        ([record("a", entry(points=0)), record("a", entry(points=2))], (2, 2), 2),
        ([record("a", entry(points=None)), record("a", entry(points=0))], (0, 2), 0),
        ([record("a", entry(points=None))], (None, 2), None),
        ([record("a")], (None, None), None),
    ],
)
def test_the_best_of_several_submissions_counts(
    records: list[dict[str, Any]], total: tuple[float | None, float | None], best: float | None
) -> None:
    assert totals(records) == total
    assert best_points(records).get("mse", (None, 0))[0] == best


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    write_all(tmp_path, {"a.csv": "old"})
    with pytest.raises(UnicodeEncodeError):
        write_all(tmp_path, {"a.csv": "new\ud800"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"
