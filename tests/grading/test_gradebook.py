"""A whole class: nothing is lost, nothing is mixed up, nobody is harmed by a neighbor."""

from __future__ import annotations

import errno
import html
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.exercises import catalogue
from course_lib.grading import gradebook, record
from course_lib.grading.discovery import discover
from course_lib.grading.gradebook import grade
from course_lib.grading.record import Graded
from course_lib.grading.results import Results
from course_lib.grading.summary import by_exercise
from course_lib.lessons import LAST_PAGE, START_PAGE
from course_lib.sandbox import run as sandbox
from course_lib.sandbox.isolation import clear

from .conftest import MAX_POINTS, RIGHT, answers, notebook, rows

Folder = Callable[..., Path]
GOOD = notebook(*answers())
HALF = notebook(*answers(mse="def mse(p, t):\n    return np.mean((p - t) ** 2) / 2"))
BLANK = notebook(*(f"def {name}(*a):\n    raise NotImplementedError" for name in RIGHT))


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]


def totals(out: Path) -> dict[str, str]:
    return {row["learner"]: row["total"] for row in rows((out / "gradebook.csv").read_text())}


def test_a_class_is_graded(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD, ben=HALF, cem=BLANK, dora=b"", eve=b"{}")
    out = tmp_path / "out"
    seen: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, record: Graded) -> None:
        assert record.submission in [r["submission"] for r in records(out)]
        seen.append((done, total, record.status))

    summary = grade([place], out, jobs=2, seed=3, progress=progress)
    assert (summary.graded, summary.unreadable, summary.crashed, summary.seed) == (3, 2, 0, 3)
    assert sorted(seen) == [(n, 5, s) for (n, _, s) in sorted(seen)]
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5]
    full = f"{MAX_POINTS:g}"
    assert totals(out) == {
        "anna": full,
        "ben": f"{MAX_POINTS - 1:g}",
        "cem": "0",
        "dora": "",
        "eve": "",
    }
    table = rows((out / "gradebook.csv").read_text())
    assert list(table[0]) == ["learner", "total", "max_total", *RIGHT]
    assert {row["max_total"] for row in table} == {full}
    grades = rows((out / "grades.csv").read_text())
    assert len(grades) == 5 * len(RIGHT)
    by_learner = {(row["submission"], row["exercise"]): row for row in grades}
    assert by_learner["ben", "mse"] == {
        "submission": "ben",
        "exercise": "mse",
        "points": "0",
        "max_points": "1",
        "status": "wrong",
        "misconception": "half",
    }
    assert by_learner["cem", "mse"]["status"] == "not attempted"
    assert by_learner["dora", "mse"]["status"] == "unreadable"
    assert by_learner["dora", "mse"]["points"] == ""
    names = {path.name for path in (out / "feedback").iterdir()}
    assert names == {f"{name}.html" for name in ("anna", "ben", "cem", "dora", "eve")}
    assert all(path.exists() for path in summary.files)


def test_the_seed_is_drawn_recorded_and_reproduces(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=notebook("def mse(p, t):\n    return float(p[0, 0])"))
    first = grade([place], tmp_path / "a")
    second = grade([place], tmp_path / "b")
    third = grade([place], tmp_path / "c", seed=first.seed)
    assert first.seed != second.seed
    assert third.seed == first.seed
    assert records(tmp_path / "a")[0]["seed"] == first.seed
    assert records(tmp_path / "a") == records(tmp_path / "c")
    assert (tmp_path / "a/grades.csv").read_bytes() == (tmp_path / "c/grades.csv").read_bytes()


# --- finding submissions -------------------------------------------------------------------------


def test_nbgrader_s_folders(tmp_path: Path) -> None:
    for learner, name, data in (
        ("anna", "01", GOOD),
        ("ben", "01", HALF),
        ("ben", "extra", HALF),
    ):
        place = tmp_path / "course/submitted" / learner / "ps1"
        (place / ".ipynb_checkpoints").mkdir(parents=True, exist_ok=True)
        (place / ".ipynb_checkpoints/01-checkpoint.ipynb").write_bytes(BLANK)
        (place / f"{name}.ipynb").write_bytes(data)
        for page in (START_PAGE, LAST_PAGE):
            (place / f"{page}.ipynb").write_bytes(notebook("start.my_progress()"))
    (tmp_path / "course/source").mkdir()
    (tmp_path / "course/source/01.ipynb").write_bytes(GOOD)
    expected = {"anna": f"{MAX_POINTS:g}", "ben": f"{MAX_POINTS - 1:g}"}
    for number, path in enumerate(("course", "course/submitted", "course/submitted/ben/ps1")):
        out = tmp_path / f"out{number}"
        summary = grade([tmp_path / path], out)
        assert totals(out) == (expected if number < 2 else {"ben": expected["ben"]})
        assert any("automatic copies and was skipped" in note for note in summary.notes)
    submissions = {record["submission"] for record in records(tmp_path / "out0")}
    assert submissions == {"anna/ps1/01", "ben/ps1/01", "ben/ps1/extra"}


def test_a_folder_in_one_that_happens_to_be_called_submitted(tmp_path: Path) -> None:
    place = tmp_path / "submitted" / "week 3"
    place.mkdir(parents=True)
    for learner in ("anna", "ben"):
        (place / f"{learner}.ipynb").write_bytes(GOOD)
    grade([place], tmp_path / "out")
    assert set(totals(tmp_path / "out")) == {"anna", "ben"}
    inside = tmp_path / "class" / "carl" / "submitted"
    inside.mkdir(parents=True)
    (inside / "01.ipynb").write_bytes(GOOD)
    grade([tmp_path / "class"], tmp_path / "another")
    assert set(totals(tmp_path / "another")) == {"carl"}


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (("01_losses/anna", "02_regularization/anna", "01_losses/ben"), {"anna", "ben"}),
        (("12_smith/01_losses", "12_smith/other"), {"12_smith"}),
        (
            ("annam_345_678901_01", "annam_LATE_345_678902_02-1", "ü_346_678_x"),
            {"annam_345", "ü_346"},
        ),
        (
            ("Anna M_71_assignsubmission_file_/x", "B_72_assignsubmission_file_y"),
            {"Anna M_71", "B_72"},
        ),
        (
            ("Anna M_71_assignsubmission_file/x", "HW 1-44/B_72_assignsubmission_file_/y"),
            {"Anna M_71", "B_72"},
        ),
        (
            ("ws_01_4711223_anna", "ws_01_4711224_ben", "ws_02_4711225_ben"),
            {"ws_01_4711223_anna", "ws_01_4711224_ben", "ws_02_4711225_ben"},
        ),
        (("annam_345_678901_01",), {"annam_345"}),
        (("Zoe\u0308/1", "Zo\u00eb/2"), {"Zo\u00eb"}),  # one name in two forms of Unicode
        (("xy_2_100_x", "ben"), {"xy_2_100_x", "ben"}),  # in a download of Canvas all are so named
        (("anna_2_1",), {"anna_2_1"}),
    ],
)
def test_whose_a_file_is(tmp_path: Path, files: tuple[str, ...], learners: set[str]) -> None:
    for name in files:
        (tmp_path / f"{name}.ipynb").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.ipynb").write_bytes(GOOD)
    found, notes = discover([tmp_path])
    assert {source.learner for source in found} == learners
    assert len({source.id for source in found}) == len(files)
    assert not notes


def test_what_machines_add_is_passed_over(tmp_path: Path) -> None:
    """Macs to archives, browsers to names; and the solutions in a clone of the course."""
    for name in (
        "anna.ipynb",
        "._anna.ipynb",
        "ben/01.ipynb.txt",
        "carl/01.IPYNB.json",
        "__MACOSX/ben/._01.ipynb",
        "dora/course/notebooks/01.ipynb",
        "dora/course/solutions/01.ipynb",
        "eve/solutions/01.ipynb",
        "fay/notebooks/scratch.ipynb",
        "fay/solutions/01.ipynb",
        "gus/notebooks/01.ipynb",
        "gus/solutions/01.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        solved = name.startswith("dora") and "solutions" in name  # else it is their own
        (tmp_path / name).write_bytes(notebook("### BEGIN SOLUTION") if solved else GOOD)
    found, notes = discover([tmp_path])
    assert {source.id: source.learner for source in found} == {
        "anna": "anna",
        "ben/01": "ben",
        "carl/01": "carl",
        "dora/course/notebooks/01": "dora",
        "eve/solutions/01": "eve",
        "fay/notebooks/scratch": "fay",
        "fay/solutions/01": "fay",
        "gus/notebooks/01": "gus",
        "gus/solutions/01": "gus",
    }
    assert notes == [
        f"“{tmp_path / 'dora/course/solutions'}” are the course's own and were skipped."
    ]


def test_numbers_that_moodle_gives_anew_are_noted(tmp_path: Path) -> None:
    for name in ("1/Kim B_903_assignsubmission_file_", "2/Kim B_955_assignsubmission_file_"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.ipynb").write_bytes(GOOD)
    found, (note,) = discover([tmp_path])
    assert {source.learner for source in found} == {"Kim B_903", "Kim B_955"}
    assert "several numbers for “Kim B”" in note
    assert discover([tmp_path / "1"])[1] == []


def test_who_handed_in_something_else_is_noted(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD, **{START_PAGE: GOOD})
    (place / "anna.ipynb").rename(place / "anna.IPYNB")
    (place / "ben.zip").write_bytes(b"PK")
    (place / "carl" / "ps1" / ".ipynb_checkpoints").mkdir(parents=True)
    (place / "carl" / "ps1" / "mse.py").touch()
    (place / ".DS_Store").touch()
    summary = grade([place], tmp_path / "out")
    assert totals(tmp_path / "out") == {"anna": f"{MAX_POINTS:g}", "ben": ""}
    page = html.unescape((tmp_path / "out/summary.html").read_text("utf-8"))
    assert all(note in page for note in summary.notes)
    assert "“ben.zip” is no zip file that can be read: File is not a zip file. Hand in the" in page
    assert summary.notes == (
        f"“{place / 'carl/ps1/.ipynb_checkpoints'}” holds automatic copies and was skipped.",
        f"“{place / 'carl'}” holds no notebook to grade (but “mse.py”) and was skipped; if it "
        "was handed in, ask for the .ipynb file.",
    )


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (["anna.ipynb", "submitted/carl.ipynb"], {"anna", "carl"}),
        (["anna/01.ipynb", "submitted/carl/01.ipynb"], {"anna", "carl"}),
        (["source/01/01.ipynb", "submitted/carl/01/01.ipynb"], {"carl"}),
        (["docs/a.txt", "submitted/carl/01/01.ipynb"], {"carl"}),
        (["notebooks/01.ipynb", "solutions/01.ipynb"], {"notebooks", "solutions"}),
        (
            ["lesson1/meyeranna_345_678_01.ipynb", "lesson2/meyeranna_345_679_02.ipynb"],
            {"meyeranna_345"},
        ),
        (["anna.ipynb", "out/results.jsonl", "out/feedback/x.html"], {"anna"}),
    ],
)
def test_a_name_of_a_folder_costs_nobody_a_row(
    tmp_path: Path, files: list[str], learners: set[str]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    found, notes = discover([tmp_path])
    assert {source.learner for source in found} == learners
    assert not any("“out" in note or "results" in note for note in notes)


@pytest.mark.parametrize("year", [1970, 2108])
def test_a_clock_that_is_wrong_is_told_at_once(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((year, 1, 1, *[0] * 6)))
    with pytest.raises(CourseError, match=f"it is the year {year}, which no zip file"):
        grade([folder(anna=GOOD)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_hidden_folder_with_a_notebook_is_told_of(tmp_path: Path) -> None:
    for name in ("anna.ipynb", ".bob/01.ipynb", ".cache/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    _, (note,) = discover([tmp_path])
    assert note == f"“{tmp_path / '.bob'}” has a dot before its name and was skipped."


def test_a_folder_that_cannot_be_opened_is_noted(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(anna=GOOD)
    (place / "ben").mkdir()
    whole = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "ben":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return whole(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert f"“{place / 'ben'}” cannot be opened (Permission denied) and was skipped." in (
        grade([place], tmp_path / "out").notes
    )
    with pytest.raises(UsageError, match=r"no notebook to grade in .*ben” cannot be opened"):
        grade([place / "ben"], tmp_path / "nothing")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENAMETOOLONG, errno.EIO, errno.ESTALE])
def test_what_the_system_does_not_tell_of_a_path_ends_no_run(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    place = folder(anna=GOOD)
    (place / "ben" / "ps1").mkdir(parents=True)
    (place / "carl").mkdir()
    (place / "carl" / "01.ipynb").write_bytes(GOOD)

    def asked(name: str) -> None:
        whole = getattr(os, name)

        def ask(path: Any, *more: Any, **options: Any) -> Any:
            if not isinstance(path, int) and Path(path).parent.name in ("ben", "carl"):
                raise OSError(number, os.strerror(number), str(path))
            return whole(path, *more, **options)

        monkeypatch.setattr(os, name, ask)

    for name in ("stat", "lstat"):
        asked(name)
    found, notes = discover([place])
    assert {source.learner for source in found} == {"anna", "carl"}  # reading tells why
    assert notes == [f"“{place / 'ben/ps1'}” cannot be opened and was skipped."]
    if number != errno.EACCES:
        return
    with pytest.raises(UsageError, match="cannot be opened: Permission denied"):
        discover([place / "ben" / "ps1"])
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name not in ("ben", "carl"))
    found, notes = discover([place])
    assert {source.learner for source in found} == {"anna"}
    assert notes == [
        f"“{place / name}” cannot be opened (Permission denied) and was skipped."
        for name in ("ben", "carl")
    ]


@pytest.fixture
def deep(folder: Folder) -> Iterator[Path]:
    """A class that holds a folder which other programs than this one may not be able to remove."""
    place = folder(anna=GOOD)
    (place / "ben").mkdir()
    yield place
    clear(str(place / "ben"))


@pytest.mark.skipif(os.name != "posix", reason="long paths of POSIX")
def test_a_path_that_is_too_long_ends_no_run(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(deep / "ben")
    for _ in range(17):
        os.mkdir("d" * 250)  # noqa: PTH102 (the whole path is too long)
        monkeypatch.chdir("d" * 250)
    Path("01.ipynb").write_bytes(GOOD)
    monkeypatch.chdir(deep)
    found, (note,) = discover([deep])
    assert {source.learner for source in found} == {"anna"}
    assert "cannot be opened" in note
    assert len(note) < 400


def test_a_hidden_folder_of_a_thousand_folders_ends_no_run(deep: Path) -> None:
    (deep / "ben" / "01.ipynb").write_bytes(GOOD)
    hidden = deep / "ben" / ".x"
    for _ in range(1100):
        hidden.mkdir()
        hidden /= "d"
    found, notes = discover([deep])
    assert {source.learner for source in found} == {"anna", "ben"}
    assert not notes
    (hidden.parent / "02.ipynb").write_bytes(GOOD)
    assert discover([deep])[1] == [
        f"“{deep / 'ben/.x'}” has a dot before its name and was skipped."
    ]


def test_what_a_grading_has_written_is_skipped_but_nobody_who_has_such_a_file(
    folder: Folder, tmp_path: Path
) -> None:
    place = folder(anna=GOOD)
    for name in ("Kim B_903_assignsubmission_file_", "annam_345_678901_01"):
        other = tmp_path / f"{name}.ipynb"
        other.write_bytes(GOOD)
        grade([other], place / f"of {name}")
    found, notes = discover([place])
    assert [source.learner for source in found] == ["anna"]
    assert not notes
    for name in ("ben/01.ipynb", "ben/results.jsonl", "carl/x.pdf", "carl/results.jsonl"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(GOOD)
    found, notes = discover([place])
    assert {source.learner for source in found} == {"anna", "ben"}
    assert notes[0].startswith(f"“{place / 'carl'}” holds no notebook to grade (but “results.json")


def test_a_class_that_is_named_twice_is_graded_once(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD, ben=GOOD)
    with zipfile.ZipFile(place / "carl.zip", "w") as archive:
        archive.writestr("01.ipynb", GOOD)
        archive.writestr("x.png", "")
    (place / "list.txt").touch()
    paths = [place, place / ".." / place.name, place / "carl.zip", place / "ben.ipynb"]
    summary = grade(paths, tmp_path / "out")
    assert {row["submission"] for row in records(tmp_path / "out")} == {"anna", "ben", "carl/01"}
    assert len(summary.notes) == 2
    assert grade(paths[::-1], tmp_path / "again").graded == 3


def test_many_notes_of_one_kind_are_one(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    for name in ("ben", "carl"):
        (place / name).mkdir()
        (place / name / "own.ipynb").write_bytes(GOOD)
        for number in range(50):
            (place / name / f"{number:02}.ipynb").symlink_to(place / "anna.ipynb")
            hidden = place / name / "sub" / f".{number}"
            hidden.mkdir(parents=True)
            (hidden / "x.ipynb").write_bytes(GOOD)
    found, notes = discover([place])
    assert len(found) == 3
    assert len(notes) == 4
    for name in ("ben", "carl"):
        told = [note for note in notes if note.startswith(f"“{place / name}/")]
        assert any(note.endswith("more are symbolic links and were skipped.") for note in told)
        assert any(
            note.endswith("have a dot before their names and were skipped.") for note in told
        )


def test_one_notebook_and_the_same_twice(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    other = tmp_path / "other"
    other.mkdir()
    (other / "anna.ipynb").write_bytes(BLANK)
    paths = [place / "anna.ipynb", place, other / "anna.ipynb"]
    summary = grade(paths, tmp_path / "out")
    assert summary.graded == 2
    assert {record["submission"] for record in records(tmp_path / "out")} == {"anna", "anna (2)"}


def test_symbolic_links_are_skipped(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    (place / "ben.ipynb").symlink_to(place / "anna.ipynb")
    (place / "loop").symlink_to(place)
    summary = grade([place], tmp_path / "out")
    assert summary.graded == 1
    assert sum("symbolic link and was skipped" in note for note in summary.notes) == 2


def test_wrong_paths_are_told(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    (place / "list.txt").write_text("")
    (place / "all.zip").touch()
    (place / "all.7z").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.ipynb").symlink_to(place / "anna.ipynb")
    for path, says in (
        (tmp_path / "clas", f": did you mean “{place}”?"),
        (place / "ana.ipynb", f": did you mean “{place / 'anna.ipynb'}”?"),
        (tmp_path / "no/where.ipynb", "There is no file or folder"),
        (place / "all.zip", "all.zip” is no zip file that can be read"),
        (place / "all.7z", "unpack it and name the folder"),
        (place / "list.txt", "name an .ipynb file, a zip file, or a folder"),
        (tmp_path / "empty", ": put LEARNER.ipynb files there"),
        (tmp_path / "link.ipynb", "symbolic link"),
    ):
        with pytest.raises(UsageError) as refused:
            grade([path], tmp_path / "out")
        assert says in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_wrong_options_are_told(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    with pytest.raises(UsageError, match="at least one job"):
        grade([place], tmp_path / "out", jobs=0)
    with pytest.raises(UsageError, match="must not be negative"):
        grade([place], tmp_path / "out", seed=-1)


def test_a_file_without_exercises_belongs_to_the_lesson_of_the_others(
    folder: Folder, tmp_path: Path
) -> None:
    grade([folder(anna=GOOD, ben=notebook("a = 1"))], tmp_path / "a")
    ben = {record["learner"]: record for record in records(tmp_path / "a")}["ben"]
    assert (ben["lesson"], ben["points"]) == ("01_losses", 0)
    alone = tmp_path / "alone.ipynb"
    alone.write_bytes(notebook("a = 1"))
    assert grade([alone], tmp_path / "b").unreadable == 1
    assert rows((tmp_path / "b/grades.csv").read_text())[0]["status"] == "unreadable"


def test_scratch_beside_a_lesson_is_told_of_and_counts_for_nothing(
    folder: Folder, tmp_path: Path
) -> None:
    place, out = folder(ben=HALF, cem=notebook("a = 1")), tmp_path / "out"
    (place / "anna").mkdir()
    for name, data in (("losses", GOOD), ("second try", HALF), ("tries", notebook("a = 1"))):
        (place / "anna" / f"{name}.ipynb").write_bytes(data)
    summary = grade([place], out, seed=1)
    assert totals(out) == {"anna": f"{MAX_POINTS:g}", "ben": f"{MAX_POINTS - 1:g}", "cem": "0"}
    (told,) = (note for note in summary.notes if "no exercise" in note)
    assert told == (
        "“anna/tries” shows no exercise of the course and was skipped: its learner has handed in "
        "another notebook that does."
    )
    assert {record["submission"] for record in records(out)} == {
        "anna/losses", "anna/second try", "ben", "cem"
    }  # fmt: skip
    again = grade([place], out, resume=True)
    assert told in again.notes
    (mse,) = (one for one in by_exercise(graded(out)) if one.name == "mse")
    assert mse.counts["correct"] == mse.counts["wrong"] == mse.counts["not attempted"] == 1
    assert mse.mean == pytest.approx(1 / 3)  # each learner counts once


def graded(out: Path) -> list[Graded]:
    return [Graded.from_json(one) for one in records(out)]


# --- nothing is lost -----------------------------------------------------------------------------


def test_two_lessons_in_one_file_are_both_graded(tmp_path: Path) -> None:
    penalty = "def l2_penalty(weights, strength):\n    return strength * np.sum(weights**2)"
    place = tmp_path / "class"
    place.mkdir()
    checked = "mse = check(mse)\nl2_penalty = check(l2_penalty)"
    (place / "anna.ipynb").write_bytes(notebook(*answers(), penalty, checked))
    (place / "ben.ipynb").write_bytes(notebook(*answers(), penalty))
    summary = grade([place], tmp_path / "out", seed=1)
    assert summary.graded == 2
    assert len(records(tmp_path / "out")) == 2
    row, other = rows((tmp_path / "out/gradebook.csv").read_text("utf-8"))
    assert (row["learner"], row["mse"], row["l2_penalty"]) == ("anna", "1", "1")
    assert (other["learner"], other["mse"], other["l2_penalty"]) == ("ben", "1", "")
    page = (tmp_path / "out/feedback/anna.html").read_text("utf-8")
    assert page.count("also holds answers to") == 1
    assert "2 submissions of 2 learners" in (tmp_path / "out/summary.html").read_text("utf-8")
    again = grade([place], tmp_path / "out", resume=True)
    assert again.notes[-1] == "2 of 2 were graded before and kept."
    assert (tmp_path / "out/gradebook.csv").read_text("utf-8").count("anna") == 1


def test_what_of_several_lessons_is_not_graded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "MAX_OTHER_LESSONS", 1)
    place = tmp_path / "class"
    place.mkdir()
    names = ("mse", "l2_penalty", "sgd_step", "adam_step")
    stubs = [f"def {name}(*a):\n    raise NotImplementedError" for name in names]
    checks = [f"check({name})" for name in names]
    (place / "anna.ipynb").write_bytes(notebook(*stubs, *checks))
    grade([place], tmp_path / "out")
    (found,) = records(tmp_path / "out")
    assert found["notes"] == [
        "This file also holds answers to “02_regularization”.",
        "This file also has functions of “03_sgd”, “04_adam”, which were not graded: hand in a "
        "file of its own for each lesson.",
    ]
    lessons = {catalogue()[one["exercise"]].lesson for one in found["exercises"]}
    assert lessons == {"01_losses", "02_regularization"}


def test_results_are_not_mixed_with_another_run(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    grade([place], tmp_path / "out", seed=1)
    before = (tmp_path / "out/results.jsonl").read_bytes()
    with pytest.raises(UsageError, match="--resume"):
        grade([place], tmp_path / "out")
    with pytest.raises(UsageError, match="begun with seed 1, not 2"):
        grade([place], tmp_path / "out", seed=2, resume=True)
    assert (tmp_path / "out/results.jsonl").read_bytes() == before


def test_a_torn_run_is_continued(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(anna=GOOD, ben=HALF, cem=BLANK)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    grade([place], whole, seed=4, jobs=1)
    lines = (whole / "results.jsonl").read_bytes().splitlines(keepends=True)
    torn.mkdir()
    (torn / "results.jsonl").write_bytes(lines[0] + lines[1] + lines[2][:100])
    graded: list[str] = []
    mark = record.mark
    monkeypatch.setattr(record, "mark", lambda *a, **k: graded.append(a[1]) or mark(*a, **k))
    summary = grade([place], torn, resume=True)
    assert summary.seed == 4
    assert len(graded) == 1
    assert "2 of 3 were graded before and kept." in summary.notes
    for name in ("results.jsonl", "grades.csv", "gradebook.csv"):
        assert (torn / name).read_bytes() == (whole / name).read_bytes()


def test_a_changed_file_is_graded_again(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=BLANK, ben=GOOD)
    grade([place], tmp_path / "out")
    (place / "anna.ipynb").write_bytes(GOOD)
    summary = grade([place], tmp_path / "out", resume=True)
    assert "1 of 2 were graded before and kept." in summary.notes
    assert totals(tmp_path / "out")["anna"] == f"{MAX_POINTS:g}"
    again = grade([place], tmp_path / "out", resume=True)
    assert "2 of 2 were graded before and kept." in again.notes


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (("anna (1)", "anna (2)"), "anna"),
        (("week 1/anna/01", "week 1/anna/02"), "week 1/ben/01"),
        (("annam_345_678901_01", "benk_346_678902_01"), "notes"),
    ],
)
def test_a_file_that_comes_later_may_show_whose_the_others_are(
    tmp_path: Path, first: tuple[str, ...], later: str
) -> None:
    place, out = tmp_path / "class", tmp_path / "out"
    for name in first:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.ipynb").write_bytes(GOOD)
    grade([place], out)
    before = totals(out)
    (place / later).parent.mkdir(parents=True, exist_ok=True)
    (place / f"{later}.ipynb").write_bytes(HALF)
    for again in ("2 of 3", "3 of 3"):
        summary = grade([place], out, resume=True)
        assert f"{again} were graded before and kept." in summary.notes
        assert totals(out) != before
    fresh = tmp_path / "fresh"
    grade([place], fresh)
    assert totals(out) == totals(fresh)
    now = {one["submission"]: one["learner"] for one in records(out)}  # the last line of each
    assert now == {one["submission"]: one["learner"] for one in records(fresh)}


def test_a_file_without_a_whole_record_is_told(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.jsonl").write_text('{"submission": 3}\n')
    with pytest.raises(CourseError, match=r"holds no whole record of an earlier run: delete it"):
        grade([folder(anna=GOOD)], tmp_path / "out", resume=True)


def test_our_own_failure_is_no_zero_and_is_tried_again(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(anna=GOOD, ben=GOOD)
    mark = record.mark

    def failing(data: bytes, *rest: Any, **options: Any) -> Any:
        if not (tmp_path / "failed").exists():
            (tmp_path / "failed").touch()
            raise RuntimeError("a bug\nof ours")
        return mark(data, *rest, **options)

    monkeypatch.setattr(record, "mark", failing)
    summary = grade([place], tmp_path / "out", jobs=1)
    assert (summary.graded, summary.crashed) == (1, 1)
    crashed = next(r for r in records(tmp_path / "out") if r["status"] == "crashed")
    assert crashed["message"] == "Grading failed here, not in the answers: a bug of ours"
    row = rows((tmp_path / "out/grades.csv").read_text())[0]
    assert (row["status"], row["points"]) == ("crashed", "")
    assert grade([place], tmp_path / "out", resume=True).graded == 2


def test_a_worker_that_does_not_start_is_our_failure(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.shut_down()
    monkeypatch.setattr("sys.executable", "/no/python")
    with pytest.raises(CourseError, match="does not start on this machine"):
        grade([folder(anna=GOOD)], tmp_path / "out")


def test_a_full_disk_ends_in_one_sentence_and_whole_lines(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(anna=GOOD, ben=GOOD, cem=GOOD)
    calls: list[int] = []

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) == 3:  # the folder, the first record, the second
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(CourseError, match="No space left on device"):
            grade([place], tmp_path / "out", jobs=1)
    assert len(records(tmp_path / "out")) == 1
    assert not (tmp_path / "out/grades.csv").exists()
    assert grade([place], tmp_path / "out", resume=True).graded == 3


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be opened")
def test_a_drive_that_cannot_sync_folders_will_do(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.fsync

    def fsync(number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        whole(number)

    monkeypatch.setattr(os, "fsync", fsync)
    assert grade([folder(anna=GOOD)], tmp_path / "out").graded == 1


def test_an_output_folder_that_cannot_be(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be a folder for the results"):
        grade([folder(anna=GOOD)], tmp_path / "file" / "out")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(
    folder: Folder, tmp_path: Path
) -> None:
    hangs = "def mse(p, t):\n    import time\n    time.sleep(60)"
    place = folder(a=GOOD, b=notebook(hangs))
    out = tmp_path / "out"
    script = f"""
    import sys
    from pathlib import Path
    from course_lib.grading.gradebook import grade
    try:
        grade([Path({str(place)!r})], Path({str(out)!r}), jobs=1)
    except KeyboardInterrupt:
        sys.exit(77)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)]) as process:
        try:
            while not ((out / "results.jsonl").exists() and records(out)):
                assert process.poll() is None
                time.sleep(0.05)
            time.sleep(0.5)  # what can be read is on disk a little later
            started = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 77
        finally:
            process.kill()
    assert [record["submission"] for record in records(out)] == ["a"]
    assert started
    assert psutil.wait_procs(started, timeout=5)[1] == []


# --- nothing of anybody else's is touched --------------------------------------------------------


def test_a_folder_that_may_not_be_looked_into_is_none_for_results(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "feedback").mkdir(parents=True)
    whole = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "feedback":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return whole(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(UsageError, match="cannot be a folder for the results: Permission denied"):
        grade([folder(anna=GOOD)], tmp_path / "out")


@pytest.mark.parametrize("name", ["grades.csv", "summary.html", "feedback", "gradebook.xlsx"])
def test_a_file_of_somebody_else_s_is_not_replaced(
    folder: Folder, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    (out / "notes.txt").write_text("mine, too")
    with pytest.raises(UsageError, match=rf"{name}” is there, and no earlier run"):
        grade([folder(anna=GOOD)], out)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        name: "mine",
        "notes.txt": "mine, too",
    }


def test_nothing_is_written_through_a_link(folder: Folder, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    place = folder(anna=GOOD)
    grade([place], out, seed=1)
    shutil.move(out / "feedback", elsewhere)
    before = {path: path.stat().st_mtime_ns for path in elsewhere.iterdir()}
    (out / "feedback").symlink_to(elsewhere)
    with pytest.raises(CourseError, match="cannot be written"):
        grade([place], out, resume=True)
    assert {path: path.stat().st_mtime_ns for path in elsewhere.iterdir()} == before
    other = tmp_path / "other"
    other.mkdir()
    (other / "results.jsonl").symlink_to(tmp_path / "precious.txt")
    with pytest.raises(CourseError):
        grade([place], other, resume=True)
    assert not (tmp_path / "precious.txt").exists()
    third = tmp_path / "third"
    third.mkdir()
    (third / "under_way.txt").symlink_to(tmp_path / "precious.txt")
    with pytest.raises(CourseError, match="cannot be written"):
        grade([place], third)
    assert not (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize("below", ["", "below"])
def test_one_s_own_link_to_the_output_folder_is_followed(
    folder: Folder, tmp_path: Path, below: str
) -> None:
    disk = tmp_path / "large disk"
    disk.mkdir()
    (disk / "mine.txt").write_text("mine")
    link = tmp_path / "results"
    link.symlink_to(disk)
    tmp_path.chmod(0o777)
    grade([folder(anna=GOOD)], link / below, seed=1)
    assert (disk / below / "summary.html").exists()
    assert (disk / "mine.txt").read_text() == "mine"
    assert link.is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="users of POSIX")
@pytest.mark.parametrize("below", ["", "below"])
def test_another_user_s_link_in_a_shared_folder_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str
) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "results"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    lstat = Path.lstat

    def theirs(path: Path) -> os.stat_result:
        found = lstat(path)
        return os.stat_result([*found[:4], found.st_uid + 1, *found[5:]]) if path == link else found

    monkeypatch.setattr(Path, "lstat", theirs)
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="another user has put there"):
        Results(link / below, resume=True, seed=None)
    assert not [*elsewhere.iterdir()]
    tmp_path.chmod(0o755)  # whoever may write there is trusted with it
    with Results(link / below, resume=True, seed=None):
        assert (elsewhere / below / "results.jsonl").exists()


def test_folders_in_folders_have_an_end(folder: Folder, tmp_path: Path) -> None:
    place = folder(anna=GOOD)
    deep = place / "ben" / Path(*["x"] * 400)
    deep.mkdir(parents=True)
    (deep / "mse.ipynb").write_bytes(GOOD)
    found, notes = discover([place])
    assert [source.learner for source in found] == ["anna"]
    assert any("too many folders in folders" in note for note in notes)


def test_names_do_not_control_a_terminal(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    names = ["\x1b[31mred", "a\u202egnp", "new\nline", "علی\u200cرضا"]
    for name in names:
        (place / f"{name}.ipynb").write_bytes(GOOD)
    (place / "\x1b]0;title\x07.txt").write_text("")
    found, (note,) = discover([place])
    assert sorted(source.learner for source in found) == [
        "\\x1b[31mred",
        "a\\u202egnp",
        "new\\nline",
        "علی\u200cرضا",
    ]
    assert note.isprintable()


# --- what kills the grader -----------------------------------------------------------------------


class KilledError(BaseException):
    """Stands for a signal that ends the grader at once."""


def killed_here(*rest: Any, **options: Any) -> Any:
    raise KilledError


def killed_apart(*rest: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
@pytest.mark.parametrize("again", [True, False])
def test_what_has_killed_the_grader_is_graded_apart(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """If it kills that process, too, it is set aside; what was graded beside it is not."""
    place, out = folder(anna=GOOD, ben=GOOD), tmp_path / "out"
    (place / "ben.ipynb").rename(tmp_path / "ben.ipynb")
    with monkeypatch.context() as patch:
        patch.setattr(Results, "__exit__", lambda self, *failure: self._file.close())
        patch.setattr(record, "mark", killed_here)
        with pytest.raises(KilledError):
            grade([place], out, jobs=1)
    (tmp_path / "ben.ipynb").rename(place / "ben.ipynb")
    if again:
        monkeypatch.setattr(gradebook, "_send", killed_apart)
    summary = grade([place], out, resume=True)
    points = {one["learner"]: one["points"] for one in records(out)}
    assert points == {"anna": None if again else MAX_POINTS, "ben": MAX_POINTS}
    assert (summary.unreadable, summary.crashed) == (int(again), 0)
    assert ("was set aside" in (out / "summary.html").read_text("utf-8")) == again
    assert not (out / "under_way.txt").exists()


@pytest.mark.parametrize("module", ["multiprocessing", "pickle", "numpy"])
def test_what_grades_apart_imports_nothing_that_was_handed_in(
    folder: Folder, tmp_path: Path, module: str
) -> None:
    place, out, trace = folder(anna=GOOD), tmp_path / "out", tmp_path / "trace"
    (place / f"{module}.py").write_text(f"open({str(trace)!r}, 'w')\nraise ImportError\n")
    out.mkdir()
    (out / "under_way.txt").write_text(json.dumps("anna") + "\n")
    script = tmp_path / "course.py"
    script.write_text("from course_lib.cli import main\nif __name__ == '__main__':\n    main()\n")
    command = (sys.executable, str(script))
    options = ("grade", ".", "--out", str(out), "--resume", "--unsafe")
    environment = {**os.environ, "PYTHONPATH": str(Path(gradebook.__file__).parents[2])}
    ended = subprocess.run(
        (*command, *options), cwd=place, env=environment, capture_output=True, text=True
    )
    assert not trace.exists()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert totals(out) == {"anna": f"{MAX_POINTS:g}"}


def test_an_interrupted_run_was_not_killed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(record, "mark", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grade([place], out, jobs=1)
    monkeypatch.setattr(gradebook, "_send", killed_apart)
    assert grade([place], out, resume=True).graded == 2


def interrupted(*rest: Any, **options: Any) -> Any:
    raise KeyboardInterrupt


def test_the_common_lesson_is_that_of_most_learners(tmp_path: Path) -> None:
    """Not of most files."""
    for learner in ("anna", "ben"):
        (tmp_path / f"{learner}.ipynb").write_bytes(GOOD)
    for number in range(3):
        path = tmp_path / "eve" / f"{number}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(notebook(f"def sgd_step(w, g, rate):\n    return w - rate * g * {number}"))
    (tmp_path / "carl.ipynb").write_bytes(b"")
    grade([tmp_path], tmp_path.parent / f"{tmp_path.name} out")
    lines = (tmp_path.parent / f"{tmp_path.name} out" / "results.jsonl").read_text().splitlines()
    found = {record.get("learner"): record.get("lesson") for record in map(json.loads, lines)}
    assert found["carl"] == "01_losses"
