"""Records -> grades.csv, gradebook.csv and one feedback page for each learner."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exercises.catalogue import catalogue

if TYPE_CHECKING:
    from markupsafe import Markup

Record = dict[str, Any]

# Symbol, words and colour class; the colour is never the only sign.
WORDS = {
    "correct": ("✓", "Correct", "correct"),
    "wrong": ("✗", "Not right yet", "wrong"),
    "not attempted": ("–", "Not attempted", "open"),
    "error": ("!", "It could not run", "error"),
    "timeout": ("…", "It took too long", "timeout"),
}
# Names that Windows keeps for devices.
_RESERVED = frozenset({"con", "prn", "aux", "nul"}).union(
    f"{device}{number}" for device in ("com", "lpt") for number in range(10)
)


def by_learner(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each learner, both sorted."""
    grouped: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record["submission"]):
        grouped.setdefault(record["learner"], []).append(record)
    return dict(sorted(grouped.items()))


def best_points(records: Iterable[Record]) -> dict[str, tuple[float | None, float]]:
    """For each exercise, a learner's points (None: never graded) and the most there are.

    Of an exercise that is in several submissions of one learner, the best counts.
    """
    best: dict[str, tuple[float | None, float]] = {}
    for record in records:
        for entry in record["exercises"]:
            before, _ = best.get(entry["exercise"], (None, 0.0))
            points = [p for p in (before, entry["points"]) if p is not None]
            best[entry["exercise"]] = (max(points, default=None), entry["max_points"])
    return best


def totals(records: Iterable[Record]) -> tuple[float | None, float | None]:
    """A learner's total and what could be reached; None where nothing was graded, or known."""
    best = best_points(records)
    graded = [points for points, _ in best.values() if points is not None]
    return sum(graded) if graded else None, sum(top for _, top in best.values()) if best else None


def grades_csv(records: Iterable[Record]) -> str:
    """One row for each exercise of each submission.

    A submission that could not be graded has empty points: that is not the learner's zero.
    """
    rows = [["submission", "exercise", "points", "max_points", "status", "misconception"]]
    for record in sorted(records, key=lambda record: record["submission"]):
        name = defused(record["submission"])
        for entry in record["exercises"]:
            rows.append(
                [
                    name,
                    entry["exercise"],
                    number(entry["points"]),
                    number(entry["max_points"]),
                    entry["status"],
                    entry["misconception"] or "",
                ]
            )
        if not record["exercises"]:
            rows.append([name, "", "", "", record["status"], ""])
    return _csv(rows)


def gradebook_csv(records: Iterable[Record]) -> str:
    """One row for each learner, one column for each exercise that occurs."""
    learners = {learner: best_points(own) for learner, own in by_learner(records).items()}
    occurring = {name for best in learners.values() for name in best}
    names = [name for name in catalogue() if name in occurring]
    rows = [["learner", "total", "max_total", *names]]
    for learner, own in by_learner(records).items():
        best = learners[learner]
        points = [number(best[name][0]) if name in best else "" for name in names]
        rows.append([defused(learner), *map(number, totals(own)), *points])
    return _csv(rows)


def feedback_pages(
    records: Iterable[Record], *, seed: int, holds: Sequence[str], missing: Sequence[str]
) -> dict[str, str]:
    """File name and HTML of each learner's page."""
    import jinja2
    from markupsafe import Markup, escape

    def code(text: str) -> Markup:
        return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    source = Path(__file__).with_name("feedback.html.j2").read_text(encoding="utf-8")
    template = environment.from_string(source)
    learners = by_learner(records)
    names = file_names(learners)
    pages = {}
    for learner, own in learners.items():
        total, max_total = totals(own)
        pages[names[learner]] = template.render(
            learner=learner,
            records=own,
            total=total,
            max_total=max_total,
            seed=seed,
            holds=holds,
            missing=missing,
            words=WORDS,
            points=number,
            code=code,
        )
    return pages


def file_names(learners: Iterable[str]) -> dict[str, str]:
    """A file name for each learner: safe on every system, and no two the same there.

    Ordinary names stay as they are; others get a piece of their hash.
    """
    learners = list(learners)
    plain = {learner: _plain(learner) for learner in learners}
    folded = [name.casefold() for name in plain.values()]
    names = {}
    for learner, name in plain.items():
        if name != learner or folded.count(name.casefold()) > 1 or _is_reserved(name):
            name += "-" + hashlib.sha256(learner.encode()).hexdigest()[:8]
        names[learner] = f"{name}.html"
    return names


def _plain(learner: str) -> str:
    name = unicodedata.normalize("NFC", learner)
    return re.sub(r"[^\w.\- ]", "_", name)[:50].strip(". ") or "learner"


def _is_reserved(name: str) -> bool:
    return name.split(".")[0].casefold() in _RESERVED


def defused(text: str) -> str:
    """On one line, and no formula: a spreadsheet would run a cell that begins with = + - @."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return f"'{line}" if line.lstrip()[:1] in tuple("=+-@|%＝＋－＠") else line


def number(points: float | None) -> str:
    """Points without needless decimals; empty for None."""
    return "" if points is None else f"{points:g}"


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files so that each is there whole or not at all.

    Args:
        folder: made if it is not there.
        texts: by file name.

    Raises:
        OSError: one cannot be written; no half of it is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        temporary = folder / f".{name}.tmp"
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
