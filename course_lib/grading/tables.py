"""Records -> tables: grades.csv, gradebook.csv, gradebook.xlsx, for Canvas and for Moodle.

Each table is made line by line from records in the order of their learners.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..errors import JOINERS
from ..exercises.catalogue import catalogue
from ..exercises.verdict import HEADINGS
from ..files import in_temporary_folder
from . import platforms
from .record import Graded

_FORMULA = r"=+\-@|%＝＋－＠"


def by_learner(records: Sequence[Graded]) -> Iterator[tuple[str, list[Graded]]]:
    """Each learner with the records that follow each other."""
    for learner, own in groupby(records, lambda record: record.learner):
        yield learner, list(own)


def best_points(records: Sequence[Graded]) -> dict[str, tuple[float | None, float]]:
    """For each exercise, a learner's points (None: never graded) and the most there are.

    Of an exercise that is in several submissions of one learner, the best counts.
    """
    best: dict[str, tuple[float | None, float]] = {}
    for record in records:
        for entry in record.exercises:
            before, _ = best.get(entry.exercise, (None, 0.0))
            points = [p for p in (before, entry.points) if p is not None]
            best[entry.exercise] = (max(points, default=None), entry.max_points)
    return best


def totals(records: Sequence[Graded]) -> tuple[float | None, float | None]:
    """A learner's total and what could be reached; None where nothing was graded, or known."""
    best = best_points(records)
    graded = [points for points, _ in best.values() if points is not None]
    return sum(graded) if graded else None, sum(top for _, top in best.values()) if best else None


def grades_csv(records: Sequence[Graded]) -> Iterator[str]:
    """One row for each exercise of each submission.

    A submission that could not be graded has empty points: that is not the learner's zero.
    """
    yield _line(["submission", "exercise", "points", "max_points", "status", "misconception"])
    for record in records:
        name = defused(record.submission)
        for entry in record.exercises:
            yield _line(
                [
                    name,
                    entry.exercise,
                    number(entry.points),
                    number(entry.max_points),
                    entry.status,
                    entry.misconception or "",
                ]
            )
        if not record.exercises:
            yield _line([name, "", "", "", record.status, ""])


def gradebook_csv(records: Sequence[Graded]) -> Iterator[str]:
    """One row for each learner, one column for each exercise that occurs."""
    for learner, *points in _gradebook(records):
        row = [number(value) if isinstance(value, float) else value or "" for value in points]
        yield _line([defused(str(learner)), *row])


def gradebook_xlsx(records: Sequence[Graded], path: Path) -> None:
    """The same as a workbook, in which names stay text and points are numbers in every language.

    Raises:
        OSError: it cannot be written.
        CourseError: nothing can be written to the temporary folder.
    """
    from openpyxl import Workbook  # only here: importing it takes long
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Gradebook")
    sheet.freeze_panes = "B2"
    sheet.column_dimensions["A"].width = 30
    with in_temporary_folder():  # where openpyxl keeps a sheet until it is whole
        for place, row in enumerate(_gradebook(records)):
            shown = [printable(value) if isinstance(value, str) else value for value in row]
            cells = [WriteOnlyCell(sheet, value) for value in shown]
            for cell, value in zip(cells, row, strict=True):
                if isinstance(value, str):
                    cell.data_type = "s"  # whatever it begins with, it is no formula
                cell.font = Font(bold=not place)
            sheet.append(cells)
        sheet.close()
    book.save(path)


def _gradebook(records: Sequence[Graded]) -> Iterator[list[str | float | None]]:
    occurring = {entry.exercise for record in records for entry in record.exercises}
    names = [name for name in catalogue() if name in occurring]
    yield ["learner", "total", "max_total", *names]
    for learner, own in by_learner(records):
        best = best_points(own)
        points = [*totals(own), *(best.get(name, (None, 0.0))[0] for name in names)]
        yield [learner, *(None if value is None else float(value) for value in points)]


def canvas_csv(records: Sequence[Graded]) -> Iterator[str]:
    """What "Import" in the gradebook of Canvas takes: a column for each lesson.

    Canvas finds a learner by its own number, which the files that it names hold; else by login or
    name: the learner's is offered as both. The second row holds the points possible; where nothing
    was graded the grade stays empty.
    """
    top: dict[str, float] = {}
    for _, own in by_learner(records):
        for lesson in lessons_of(own):
            top[lesson] = max(top.get(lesson, 0.0), totals(_of(own, lesson))[1] or 0.0)
    lessons = sorted(top)
    yield _line(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *lessons])
    possible = [number(top[lesson]) for lesson in lessons]
    yield _line(["    Points Possible", "", "", "", "", *possible])
    for learner, own in by_learner(records):
        grades = [number(totals(_of(own, lesson))[0]) for lesson in lessons]
        known = next(filter(None, (_canvas_number(r.submission, learner) for r in own)), "")
        login = "" if known else defused(learner)
        yield _line([defused(learner), known, "", login, "", *grades])


def moodle_csv(records: Sequence[Graded]) -> Iterator[str]:
    """What "Grades, Import, CSV file" in Moodle takes: a grade and feedback for each lesson.

    While importing, the first column is mapped to whatever the learners' files are named by:
    user name, e-mail address or ID number.
    """
    lessons = lessons_of(records)
    columns = [name for lesson in lessons for name in (lesson, f"{lesson} feedback")]
    yield _line(["Identifier", *columns])
    for learner, own in by_learner(records):
        row = [defused(learner)]
        for lesson in lessons:
            here = _of(own, lesson)
            row += [number(totals(here)[0]), defused(" ".join(map(_told, here)))]
        yield _line(row)


def moodle_worksheets(records: Sequence[Graded]) -> Iterator[tuple[str, Iterator[str]]]:
    """For each lesson what "Upload grading worksheet" in an assignment of Moodle takes.

    Only learners whom Moodle's download has named; for any other there is no table. The names of
    the columns are Moodle's in English. That no time of an earlier grade is given keeps Moodle from
    overwriting, unasked, what somebody has graded there.

    Returns:
        Lesson and lines of each table.
    """
    named: dict[str, list[tuple[platforms.Person, list[Graded]]]] = {}
    for _, own in by_learner(records):
        for lesson in lessons_of(own):
            here = _of(own, lesson)
            person = platforms.by_moodle(here[0].submission.split("/"))
            if person is not None:
                named.setdefault(lesson, []).append((person, here))
    return ((lesson, _worksheet(named[lesson])) for lesson in sorted(named))


def _worksheet(rows: Sequence[tuple[platforms.Person, list[Graded]]]) -> Iterator[str]:
    yield _line(
        [
            "Identifier",
            "Full name",
            "Grade",
            "Maximum grade",
            "Last modified (grade)",
            "Feedback comments",
        ]
    )
    for person, own in rows:
        points, top = totals(own)
        told = defused(" ".join(map(_told, own)))
        identifier = f"Participant {person.number}"
        yield _line([identifier, defused(person.name), number(points), number(top), "-", told])


def _canvas_number(submission: str, learner: str) -> str:
    """The number by which Canvas knows the learner, if Canvas named what was handed in, or ""."""
    people = (who for part in submission.split("/") for who, _ in platforms.canvas_ways(part))
    numbers = (p.number for p in people if p.learner == learner and p.name != platforms.ANONYMOUS)
    return next(numbers, "")


def lessons_of(records: Sequence[Graded]) -> list[str]:
    """The lessons that occur, in order."""
    return sorted({record.lesson for record in records if record.lesson})


def _of(records: Sequence[Graded], lesson: str) -> list[Graded]:
    return [record for record in records if record.lesson == lesson]


def _told(record: Graded) -> str:
    """What a feedback page says, without the hints, on one line."""
    if record.status != "graded":
        return record.message
    told = []
    for entry in record.exercises:
        right = entry.status == "correct"
        said = "" if right else f" {entry.message}"
        told.append(f"{entry.exercise}: {HEADINGS[entry.status].lower()}.{said}")
    return " ".join(told)


def defused(text: str) -> str:
    """On one line, and no formula: a spreadsheet would run a cell that begins with = + - @.

    In many languages a semicolon begins a new cell.
    """
    unseen = rf"[\s{JOINERS}]*"
    line = re.sub(rf"(;{unseen})(?=[{_FORMULA}])", r"\1'", printable(text))
    return f"'{line}" if re.match(rf"{unseen}[{_FORMULA}]", line) else line


def printable(text: str) -> str:
    """On one line, without what controls a screen or a printer."""
    return "".join(c if c.isprintable() or c in JOINERS else " " for c in text)


def number(points: float | None) -> str:
    """Points without needless decimals; empty for None."""
    return "" if points is None else f"{points:g}"


def _line(row: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()
