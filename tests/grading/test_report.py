"""Tables that spreadsheets cannot be hurt by, and pages that everybody can read."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest

from course_lib.exercises import catalogue
from course_lib.exercises.verdict import HINT_TITLES
from course_lib.grading.gradebook import grade
from course_lib.grading.marking import Marked
from course_lib.grading.record import Graded
from course_lib.grading.report import Run, feedback_pages, file_names, summary_page, write_all
from course_lib.grading.summary import errors
from course_lib.grading.tables import (
    best_points,
    canvas_csv,
    defused,
    gradebook_csv,
    gradebook_xlsx,
    grades_csv,
    moodle_csv,
    printable,
    totals,
)

from .conftest import MAX_POINTS, RIGHT, answers, notebook, rows


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


def entry(exercise: str = "mse", points: float | None = 1, **changed: Any) -> Marked:
    return replace(Marked(exercise, "correct", points, max_points=2), **changed)


def record(learner: str, *entries: Marked, **changed: Any) -> Graded:
    made = Graded(learner, learner, "", 1, "01_losses", "graded", exercises=entries)
    return replace(made, **changed)


def page(*records: Graded) -> Page:
    ((_, parts),) = feedback_pages(Run(records, 12345, ["memory"], ["no network"]))
    return Page("".join(parts))


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
    text = "".join(grades_csv([record(name, entry()) for name in HOSTILE]))
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


def test_the_workbook_has_names_as_text_and_points_as_numbers(tmp_path: Path) -> None:
    names = ["=1+1", "007", "1e5", "Müller", "王", "a\x07b\u202e"]
    records = [record(name, entry(points=1.5)) for name in names]
    records.append(record("zoe", entry(points=None)))
    gradebook_xlsx(records, tmp_path / "book.xlsx")
    head, *lines = openpyxl.load_workbook(tmp_path / "book.xlsx").active.iter_rows()
    assert [cell.value for cell in head] == ["learner", "total", "max_total", "mse"]
    assert [line[0].value for line in lines] == [*names[:-1], "a b ", "zoe"]
    assert {line[0].data_type for line in lines} == {"s"}
    assert {tuple(cell.value for cell in line[1:]) for line in lines[:-1]} == {(1.5, 2, 1.5)}
    assert [cell.value for cell in lines[-1][1:]] == [None, 2, None]
    as_text = [[defused(printable(n)), "1.5", "2", "1.5"] for n in names]
    table = list(csv.reader(gradebook_csv(records)))
    assert table[1:-1] == as_text


def test_tables_for_programs_have_no_byte_order_mark(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    for name in ("Müller", "王"):
        (place / f"{name}.ipynb").write_bytes(notebook("def mse(p, t): return 0"))
    made = {path.name: path for path in grade([place], tmp_path / "out", seed=1).files}
    texts = {name: path.read_text("utf-8") for name, path in made.items() if name.endswith(".csv")}
    assert not any(text.startswith("\ufeff") for text in texts.values())
    assert [row["learner"] for row in rows(texts["gradebook.csv"])] == ["Müller", "王"]
    assert made["gradebook.xlsx"].is_file()


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
            entry("softmax", 0, status="wrong", message="Use `axis=1`.", hints=("Think.", "Read.")),
            entry("cross_entropy", 0, status="timeout", message="Too long.", notes=("A note.",)),
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
    assert {"main", "title"} <= set(shown.names())
    assert shown.names().count("details") == shown.names().count("summary") == 2
    for word in ("Correct · mse · 1 of 2 points", "Not right yet · softmax", "Out of time"):
        assert word in shown.text
    for title in HINT_TITLES[:2]:  # a place to look is for the notebook
        assert title in shown.text
    blocks = [attributes for _, attributes in shown.tags if attributes.get("class") == "verdict"]
    borders = [block["style"].partition(";")[0] for block in blocks]
    styles = ["solid #0072B2", "dashed #D55E00", "dashed #D55E00"]
    assert borders == [f"border-left:4px {style}" for style in styles]
    for word in ("Feedback for anna", "Total: 1 of 6 points", "A note.", "30 MB", "Use axis=1."):
        assert word in shown.text
    assert "Right already: mse (1 of 3)." in shown.text
    for word in ("12345", "memory", "network"):  # how it was run is for the instructor
        assert word not in shown.text
    assert "code" in shown.names()
    assert not {"script", "link", "img"} & set(shown.names())


def test_a_page_says_when_nothing_could_be_graded() -> None:
    lost = entry("mse", None, status="unreadable", message="The file is empty.")
    shown = page(record("anna", lost, status="unreadable", message="The file is empty."))
    assert "Nothing could be graded." in shown.text
    assert shown.text.count("The file is empty.") == 1
    assert "0 of" not in shown.text


def test_the_path_of_a_file_is_no_page_of_its_own() -> None:
    path = "begin/" + "d" * 4000 + "/end"
    lost = record("anna", submission=path, status="unreadable", message="It is empty.")
    for text in (page(lost).text, Page(summary_page(Run([lost], 1, (), ()))).text):
        assert "begin/ddd" in text
        assert "ddd/end" in text
        assert max(map(len, text.splitlines())) < 300


def test_each_of_several_files_has_its_points() -> None:
    shown = page(record("anna", entry(points=2)), record("anna", entry(points=0), submission="b"))
    assert "File anna: 2 of 2 points" in shown.text
    assert "File b: 0 of 2 points" in shown.text
    assert "Total: 2 of 2 points" in shown.text
    assert "File anna: " not in page(record("anna", entry())).text


def test_everything_is_escaped() -> None:
    nasty = "<script>`<i>`</script>{{ 7*7 }}"
    told = {"message": nasty, "code": nasty, "printed": nasty, "hints": (nasty,), "notes": (nasty,)}
    shown = page(
        record(
            nasty,
            entry(status="wrong", **told),
            message=nasty,
            notes=(nasty,),
            lesson=nasty,
        )
    )
    assert not {"script", "i"} & set(shown.names())
    assert "49" not in shown.text


def test_the_answer_is_not_given_away(tmp_path: Path) -> None:
    place = tmp_path / "anna.ipynb"
    place.write_bytes(notebook("def softmax(z): return z"))
    grade([place], tmp_path / "out", seed=1)
    text = (tmp_path / "out/feedback/anna.html").read_text("utf-8")
    assert text.count("def ") == text.count("<code>def softmax(z): return z</code>") == 1
    assert "keepdims" not in text


def test_what_an_answer_prints_and_its_code_are_on_the_page(tmp_path: Path) -> None:
    place = tmp_path / "anna.ipynb"
    mse = "def mse(p, t):\n\tprint('\x1b[31mdifference', p - t, flush=True)\n\treturn 0.0"
    endless = "def softmax(z):\n    for n in range(10**4): print(n)\n    raise ValueError"
    place.write_bytes(notebook(*answers(mse=mse, softmax=endless)))
    grade([place], tmp_path / "out", seed=1)
    shown = Page((tmp_path / "out/feedback/anna.html").read_text("utf-8"))
    assert "it printed:\n    \\x1b[31mdifference [[2.]]" in shown.text
    assert "\n    19\n    … more is not shown" in shown.text
    assert "return 0.0" in shown.text
    assert all(c.isprintable() or c == "\n" for c in shown.text)


def test_a_class_and_its_totals(tmp_path: Path) -> None:
    learners = {"müller": 2.0, "Zoe": 0.0, "Alice": 2.0, "dave": 1.0}
    run = Run([record(n, entry(points=p)) for n, p in learners.items()], 1, [], [])
    shown = Page(summary_page(run)).text
    assert "62 % in the mean, 75 % in the median" in shown
    assert sorted(learners, key=shown.index) == ["Alice", "dave", "müller", "Zoe"]
    assert re.search(
        r"0 to 20 %\s*1\s*20 to 40 %\s*0\s*40 to 60 %\s*1\s.*80 to 100 %\s*2", shown, re.S
    )
    nobody = Page(summary_page(Run([record("a", status="crashed")], 1, [], []))).text
    assert "in the mean" not in nobody


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
    records: list[Graded], total: tuple[float | None, float | None], best: float | None
) -> None:
    assert totals(records) == total
    assert best_points(records).get("mse", (None, 0))[0] == best


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    write_all(tmp_path, [("a.csv", ["old"])])
    with pytest.raises(UnicodeEncodeError):
        write_all(tmp_path, [("a.csv", ["new", "\ud800"])])
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


# --- other gradebooks ----------------------------------------------------------------------------


def two_lessons() -> list[Graded]:
    wrong = entry("softmax", 0, status="wrong", message="Use `axis=1`,\nplease.", max_points=3)
    return [
        record("anna", entry(points=2)),
        record("anna", entry("dropout", 1), submission="anna/2", lesson="02_regularization"),
        record("ben", entry(points=2), wrong),
        record("cem", entry(points=None), status="unreadable", message="The file is empty."),
    ]


def test_canvas_can_import_it() -> None:
    # Canvas looks for exactly these five columns, and for a row that holds the points possible.
    table = list(csv.reader(canvas_csv(two_lessons())))
    student = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert table == [
        [*student, "01_losses", "02_regularization"],
        ["    Points Possible", "", "", "", "", "5", "2"],
        ["anna", "", "", "anna", "", "2", "1"],
        ["ben", "", "", "ben", "", "2", ""],
        ["cem", "", "", "cem", "", "", ""],
    ]


def test_canvas_knows_its_own_numbers() -> None:
    named = record("annam_345", entry(points=2), submission="annam_LATE_345_678901_losses")
    chance = record("ben", entry(points=1), submission="ben/week_2_101_x")
    table = list(csv.reader(canvas_csv([named, chance])))
    assert table[2:] == [["annam_345", "345", "", "", "", "2"], ["ben", "", "", "ben", "", "1"]]


def test_moodle_can_import_it() -> None:
    table = rows("".join(moodle_csv(two_lessons())))
    names = ["01_losses", "01_losses feedback", "02_regularization", "02_regularization feedback"]
    assert list(table[0]) == ["Identifier", *names]
    assert [row["Identifier"] for row in table] == ["anna", "ben", "cem"]
    assert [row["01_losses"] for row in table] == ["2", "2", ""]
    assert [row["02_regularization"] for row in table] == ["1", "", ""]
    assert table[1]["01_losses feedback"] == (
        "mse: correct. softmax: not right yet. Use `axis=1`, please."
    )
    assert table[2]["01_losses feedback"] == "The file is empty."


@pytest.mark.parametrize("table", [canvas_csv, moodle_csv, gradebook_csv, grades_csv])
def test_no_table_runs_a_formula(table: Callable[[Any], str]) -> None:
    message = "=HYPERLINK(1)"
    made = table([record(name, status="unreadable", message=message) for name in HOSTILE])
    for row in csv.reader(made):
        assert all(cell.lstrip()[:1] not in tuple("=+@|") for cell in row)


# --- the instructor's page -----------------------------------------------------------------------


def summary(*records: Graded) -> Page:
    return Page(summary_page(Run(records, 12345, ["memory"], ["no network"])))


def test_the_summary_draws_and_tells(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    half = "def mse(p, t):\n    return np.mean((p - t) ** 2) / 2"
    untouched = "def mse(p, t):\n    raise NotImplementedError"
    for name, cells in {
        "anna": answers(),
        "ben": answers(mse=half),
        "cem": answers(mse="def mse(a, b):  # mine\n    return np.mean((a-b)**2) / 2"),
        "dora": answers(mse="def mse(p, t):\n    return 1 / 0"),
        "eve": [untouched],
    }.items():
        (place / f"{name}.ipynb").write_bytes(notebook(*cells))
    (place / "fred.ipynb").write_bytes(b"{}")
    grade([place], tmp_path / "out", seed=12)
    shown = Page((tmp_path / "out/summary.html").read_text("utf-8"))
    text = " ".join(shown.text.split())
    assert "6 submissions of 6 learners, 1 of which could not be graded." in text
    bars = {a.get("aria-label") for tag, a in shown.tags if tag == "svg" and a.get("role") == "img"}
    assert (
        "mse: Correct: 1, Not right yet: 2, It stopped with an error: 1, Not attempted yet: 1"
        in bars
    )
    assert len(bars) == len(RIGHT)
    assert "0.20 of 1" in text
    assert "2msehalfYour value is half" in text
    assert "Handed in without a single answer: eve." in text
    assert "fred (unreadable): The file is JSON, but not a notebook" in text
    assert "seed 12;" in text
    assert "Limits that held:" in text
    assert "learners whose answers run on one machine could agree on signs" in text


def test_the_summary_is_accessible_and_survives_grayscale() -> None:
    statuses = ["correct", "wrong", "error", "timeout", "not attempted"]
    shown = summary(
        *(record(f"{status} one", entry(points=0, status=status)) for status in statuses)
    )
    levels = [int(tag[1]) for tag in shown.names() if tag in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    drawn = [attributes["fill"] for tag, attributes in shown.tags if tag == "rect"]
    fills = {fill for fill in drawn if fill and fill.startswith("url")}
    patterns = {f"url(#{a['id']})" for tag, a in shown.tags if tag == "pattern"}
    assert fills == patterns
    assert len(fills) == 5
    widths = [a["width"] for tag, a in shown.tags if tag == "rect" and "x" in a]
    assert widths == ["20.0"] * 5
    heads = [attributes for tag, attributes in shown.tags if tag == "th"]
    assert heads
    assert all(head.get("scope") in {"row", "col", "rowgroup"} for head in heads)
    assert {"main", "title", "caption", "footer"} <= set(shown.names())


def test_the_summary_leads_to_every_learner(tmp_path: Path) -> None:
    names = ["anna", "=1+1", "Ünal, Ayşe", "100% sure?"]
    for name in names:
        place = tmp_path / "class" / name
        place.mkdir(parents=True)
        (place / "1.ipynb").write_bytes(notebook(*answers()))
    (tmp_path / "class/anna/2.ipynb").write_bytes(notebook("def l2_penalty(w, s): return 0"))
    (tmp_path / "class/lost.ipynb").write_bytes(b"{}")
    grade([tmp_path / "class"], tmp_path / "out", seed=1)
    text = (tmp_path / "out/summary.html").read_text("utf-8")
    links = [attributes["href"] or "" for tag, attributes in Page(text).tags if tag == "a"]
    assert len(links) == len(names) + 1
    for link in links:
        assert (tmp_path / "out" / unquote(link)).is_file()
    told = [" ".join(Page(row).text.split()) for row in re.findall(r"<tr>.*?</tr>", text)]
    assert "Learner01_losses02_regularizationTotal" in told
    other = sum(it.points for it in catalogue().values() if it.lesson == "02_regularization")
    mine, both = f"{MAX_POINTS:g} of {MAX_POINTS:g}", f"{MAX_POINTS:g} of {MAX_POINTS + other:g}"
    assert f"=1+1{mine}not handed in{mine}" in told
    assert f"anna{mine}0 of {other:g}{both}" in told
    assert any(row.startswith("lostnot graded") for row in told)


def test_counts_of_one() -> None:
    assert "1 submission of 1 learner." in summary(record("anna", entry())).text


def test_the_stub_is_not_shown_as_somebodys_code() -> None:
    stub = "def mse(predictions, targets):\n    raise NotImplementedError()"
    assert stub not in page(record("anna", entry(status="not attempted", code=stub))).text
    assert stub in page(record("anna", entry(status="error", code=stub))).text


def test_the_summary_of_nothing() -> None:
    lost = record("anna", status="unreadable", message="The file is empty.", lesson=None)
    shown = summary(lost)
    assert "Nothing could be graded." in shown.text
    assert "anna (unreadable): The file is empty." in shown.text


def test_the_summary_escapes_everything() -> None:
    nasty = "<script>`<i>`</script>{{ 7*7 }}"
    blank = entry(status="not attempted", points=0)
    shown = summary(
        record(nasty, blank, lesson=nasty),
        record(nasty + "2", entry(misconception=nasty, status="wrong")),
        record("3", blank, lesson=nasty),
        record(nasty + "4", status="unreadable", message=nasty),
    )
    assert not {"script", "i"} & set(shown.names())
    assert "49" not in shown.text
    assert shown.text.count("<script>") >= 5


# --- back to where it came from ------------------------------------------------------------------


def test_moodle_takes_its_worksheet_and_the_pages(tmp_path: Path) -> None:
    """As importgradeslib.php and importziplib.php of Moodle's assignment read them."""
    place = tmp_path / "TL101-Lesson 1-44120.zip"
    name = "Meyer Anna_903411_assignsubmission_file"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(f"{name}/01_losses.ipynb", notebook(*answers()))
        archive.writestr("Kim B_903412_assignsubmission_file/x.ipynb", notebook(RIGHT["mse"]))
    files = {path.name: path for path in grade([place], tmp_path / "out", seed=1).files}
    table = rows(files["moodle_worksheet_01_losses.csv"].read_text("utf-8"))
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= set(table[0])
    assert [row["Identifier"] for row in table] == ["Participant 903412", "Participant 903411"]
    assert [row["Full name"] for row in table] == ["Kim B", "Meyer Anna"]
    top = float(table[0]["Maximum grade"])
    assert [float(row["Grade"]) for row in table] == [catalogue()["mse"].points, top]
    assert {row["Last modified (grade)"] for row in table} == {"-"}
    with zipfile.ZipFile(files["feedback_moodle.zip"]) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert set(inside) == {
        "Kim B_903412_assignfeedback_file_feedback.html",
        "Meyer Anna_903411_assignfeedback_file_feedback.html",
    }
    for name, content in inside.items():
        who, number, kind, plugin, file = name.split("_", 4)
        assert (kind, plugin, file) == ("assignfeedback", "file", "feedback.html")
        assert content == (tmp_path / f"out/feedback/{who}_{number}.html").read_bytes()


def test_canvas_takes_the_pages(tmp_path: Path) -> None:
    """As assignment.rb of Canvas reads names: by the first two that are numbers."""
    place = tmp_path / "submissions"
    place.mkdir()
    for name in ("annam_LATE_345_678901_01", "benk_346_678902_my work"):
        (place / f"{name}.ipynb").write_bytes(notebook(RIGHT["mse"]))
    files = {path.name: path for path in grade([place], tmp_path / "out", seed=1).files}
    assert not any(name.startswith(("moodle_worksheet", "feedback_moodle")) for name in files)
    with zipfile.ZipFile(files["feedback_canvas.zip"]) as archive:
        names = archive.namelist()
        pages = [archive.read(name) for name in names]
    numbers = [[part for part in name.split("_") if part.isdigit()][:2] for name in names]
    assert numbers == [["345", "678901"], ["346", "678902"]]
    learners = ("annam_345", "benk_346")
    assert pages == [(tmp_path / f"out/feedback/{who}.html").read_bytes() for who in learners]


def test_who_was_named_by_hand_gets_no_zip_of_a_platform(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    (place / "anna.ipynb").write_bytes(notebook(RIGHT["mse"]))
    files = {path.name for path in grade([place], tmp_path / "out", seed=1).files}
    assert not any("worksheet" in name or name.endswith(".zip") for name in files)


def test_errors_are_counted() -> None:
    """Twenty times one module that is missing here is seen at once."""
    missing = "ModuleNotFoundError: No module named 'seaborn'"
    some = [
        record(name, entry(status="error", points=0, error=missing), entry("softmax"))
        for name in ("anna", "ben")
    ]
    some.append(record("carl", entry("softmax", status="error", points=0, error="NameError: x")))
    again = entry("softmax", status="error", points=0, error=missing)
    some.append(record("anna", again, submission="anna/2"))
    assert [(one.count, one.error, one.exercises) for one in errors(some)] == [
        (2, missing, ["mse", "softmax"]),
        (1, "NameError: x", ["softmax"]),
    ]
    text = " ".join(summary(*some).text.split())
    assert f"2{missing}mse, softmax" in text
    assert "Errors None." in " ".join(summary(record("anna", entry())).text.split())


def test_nobody_has_the_page_of_another() -> None:
    """Not even who is called like the file of another's page."""
    first = file_names(["O'Brien"])["O'Brien"].removesuffix(".html")
    names = file_names(["O'Brien", first])
    assert len(set(names.values())) == 2


@pytest.mark.parametrize("text", ["x;=1+1", "x; =1", "x;@SUM(A1)", "a;b;\t+1"])
def test_a_semicolon_begins_no_formula(text: str) -> None:
    assert not re.search(r";\s*[=+@-]", defused(text))
    assert defused("a; b - c, -1") == "a; b - c, -1"
