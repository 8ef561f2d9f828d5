"""Records -> the files of a finished run: tables, a page for each learner, a summary."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError, short
from ..exercises.verdict import environment
from ..files import atomic_write
from . import platforms, summary, tables
from .record import Graded
from .results import writing

if TYPE_CHECKING:
    import jinja2


TABLES = {
    "gradebook.csv": tables.gradebook_csv,
    "grades.csv": tables.grades_csv,
    "canvas.csv": tables.canvas_csv,
    "moodle.csv": tables.moodle_csv,
}
WORKBOOK = "gradebook.xlsx"
FEEDBACK = "feedback"
LEFT = ".*.[0-9]*-[0-9]*.part"
"""What a killed run leaves half written."""
# Names that Windows keeps for devices.
_RESERVED = frozenset({"con", "prn", "aux", "nul"}).union(
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
)


_HASHED = re.compile(r"-[0-9a-f]{24}$")
"""Ends the file names that are not the learners' own: a learner of such a name gets another."""


@dataclass(frozen=True)
class Run:
    """All that the reports tell.

    Attributes:
        records: of all submissions, in the order of their learners.
        seed: of the random cases.
        holds, missing: limits on the learners' code that were enforced, or were not.
        passed_over: a sentence on each file or folder that was passed over, or taken by a guess.
    """

    records: Sequence[Graded]
    seed: int
    holds: Sequence[str]
    missing: Sequence[str]
    passed_over: Sequence[str] = ()


def require_own(out: Path) -> None:
    """Refuse a folder in which the reports would take the place of something else.

    Args:
        out: for the results of a run that has none yet.

    Raises:
        UsageError: something there has the name of a report.
    """
    zips = (*BACK, *(path.name for path in out.glob("moodle_worksheet_*.csv")))
    for name in ("summary.html", WORKBOOK, *TABLES, *zips, FEEDBACK):
        there = out / name
        if os.path.lexists(there) and not (name == FEEDBACK and _is_ours(there)):
            raise UsageError(
                f"“{out / name}” is there, and no earlier run of `course grade` has told of it: "
                "move it, or choose another folder with --out."
            )


def _is_ours(folder: Path) -> bool:
    """Whether nothing is in it but what a killed run may have left."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return all(path.match(LEFT) for path in folder.iterdir())


def write_reports(out: Path, run: Run) -> tuple[Path, ...]:
    """Write all files but results.jsonl; returns what a person may want to open.

    Raises:
        CourseError: one cannot be written.
    """
    worksheets = {
        f"moodle_worksheet_{lesson}.csv": lines
        for lesson, lines in tables.moodle_worksheets(run.records)
    }
    with writing(out):
        write_all(out / FEEDBACK, feedback_pages(run))
        out = out.resolve()
        write_all(out, ((name, table(run.records)) for name, table in TABLES.items()))
        write_all(out, worksheets.items())
        with atomic_write(out / WORKBOOK) as unfinished:
            tables.gradebook_xlsx(run.records, unfinished)
        zips = [name for name, back in BACK.items() if _write_zip(out, name, run, back)]
        write_all(out, [("summary.html", [summary_page(run)])])
    files = ("summary.html", WORKBOOK, *TABLES, *worksheets, *zips, "results.jsonl")
    return *(out / name for name in files), out / FEEDBACK


def _to_moodle(submission: str) -> str | None:
    person = platforms.by_moodle(submission.split("/"))
    return platforms.back_to_moodle(person, "feedback.html") if person is not None else None


def _to_canvas(submission: str) -> str | None:
    # By the numbers in a name Canvas knows what to put it to: it is the one that it gave itself.
    named = platforms.by_canvas(submission) is not None
    return f"{_plain(submission, 200)}.html" if named else None


BACK: dict[str, Callable[[str], str | None]] = {
    "feedback_moodle.zip": _to_moodle,
    "feedback_canvas.zip": _to_canvas,
}
"""Zip files that these platforms give out as feedback: the name of a submission's page in it."""


def _write_zip(out: Path, name: str, run: Run, back: Callable[[str], str | None]) -> bool:
    """Write the pages of those whom the platform has named; returns whether there are any."""
    pages = file_names(learner for learner, _ in tables.by_learner(run.records))
    inside = {back(record.submission): pages[record.learner] for record in run.records}
    inside.pop(None, None)
    if not inside:
        return False
    with (
        atomic_write(out / name) as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for target, page in sorted(inside.items()):
            archive.write(out / FEEDBACK / page, target)
    return True


def feedback_pages(run: Run) -> Iterator[tuple[str, Iterable[str]]]:
    """File name and HTML of each learner's page."""
    template = templates()["feedback"]
    names = file_names(learner for learner, _ in tables.by_learner(run.records))
    for learner, own in tables.by_learner(run.records):
        total, max_total = tables.totals(own)
        yield (
            names[learner],
            [
                template.render(
                    run=run,
                    learner=learner,
                    records=own,
                    total=total,
                    max_total=max_total,
                    totals=tables.totals,
                )
            ],
        )


def summary_page(run: Run) -> str:
    """The instructor's page, as HTML."""
    learners = summary.in_order(summary.by_learner(run.records))
    return templates()["summary"].render(
        run=run,
        submissions=len({record.submission for record in run.records}),
        exercises=summary.by_exercise(run.records),
        mistakes=summary.mistakes(run.records),
        errors=summary.errors(run.records),
        nothing=summary.attempted_nothing(run.records),
        ungraded=summary.ungraded(run.records),
        learners=learners,
        totals=summary.totals(learners),
        wider=summary.wider_limits(run.records),
        today=date.today(),
        lessons=tables.lessons_of(run.records),
        pages=file_names(one.name for one in learners),
    )


def ready_to_write() -> None:
    """Load what `write_reports` will need, and what takes long to load."""
    templates()
    import_module("openpyxl")


@cache
def templates() -> dict[str, jinja2.Template]:
    """The pages without their contents, by name."""
    pages = environment(Path(__file__).parent, {"points": tables.number, "short": short})
    return {name: pages.get_template(f"{name}.html.j2") for name in ("feedback", "summary")}


def file_names(learners: Iterable[str]) -> dict[str, str]:
    """A file name for each learner: safe on every system, and no two the same there.

    Ordinary names stay as they are; others get a piece of their hash.
    """
    learners = list(learners)
    plain = {learner: _writable(_plain(learner)) for learner in learners}
    folded = Counter(name.casefold() for name in plain.values())
    names = {}
    for learner, name in plain.items():
        others = name != learner or folded[name.casefold()] > 1 or _is_reserved(name)
        if others or _HASHED.search(name):
            name += "-" + hashlib.sha256(learner.encode()).hexdigest()[:24]
        names[learner] = f"{name}.html"
    return names


def _plain(learner: str, most: int = 50) -> str:
    name = unicodedata.normalize("NFC", learner)
    return re.sub(r"[^\w.\- ]", "_", name)[:most].strip(". ") or "learner"


def _writable(name: str) -> str:
    """The name in the letters that this system's names of files may hold."""
    letters = sys.getfilesystemencoding()
    return name.encode(letters, "replace").decode(letters).replace("?", "_")


def _is_reserved(name: str) -> bool:
    return name.split(".")[0].casefold() in _RESERVED


def write_all(folder: Path, texts: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Write files so that each is there whole or not at all.

    They can be made again from the records, and so are not waited for until they are on disk. What
    a killed run has left half done in the folder is removed.

    Args:
        folder: made if it is not there, and nobody else's now.
        texts: file names, and the parts of each text.

    Raises:
        OSError: one cannot be written; no half of it is left.
    """
    if folder.is_symlink():  # what lies there is not ours
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(LEFT):
        left.unlink(missing_ok=True)
    for name, parts in texts:
        with (
            atomic_write(folder / name) as unfinished,
            unfinished.open("w", encoding="utf-8", newline="") as file,
        ):
            file.writelines(parts)
