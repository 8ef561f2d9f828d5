"""Many submissions -> records on disk, one line each, resumable; then the reports."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from ..errors import CourseError, UsageError
from . import report, sandbox
from .discovery import Source, discover
from .marking import lesson_of, mark, ungraded
from .submission import UnreadableError, read

Record = dict[str, Any]
Progress = Callable[[int, int, Record], None]
"""Called after each submission is safely on disk, with: how many are done, of how many, and the
record: ``record["submission"]``, ``record["status"]`` ("graded", "unreadable" or "crashed"),
``record["points"]`` and ``record["max_points"]`` (None when nothing could be graded)."""


@dataclass(frozen=True)
class Summary:
    """What a run of `grade` did, for the last lines that the command prints.

    Attributes:
        seed: of the random cases; `grade(..., seed=seed)` reproduces every verdict.
        graded, unreadable, crashed: numbers of submissions by how they ended.
        files: gradebook.csv, grades.csv, results.jsonl and the feedback folder.
        notes: things to know, one sentence each (skipped symbolic links, kept records).
        holds, missing: limits on the learners' code that this machine enforces, or does not.
    """

    seed: int
    graded: int
    unreadable: int
    crashed: int
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    holds: tuple[str, ...]
    missing: tuple[str, ...]


def grade(
    paths: Sequence[Path],
    out: Path,
    *,
    jobs: int | None = None,
    seed: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Grade every submission under ``paths`` and write the reports into ``out``.

    Args:
        paths: notebooks, folders of LEARNER.ipynb, or nbgrader's ``submitted`` (or its parent).
        out: folder for grades.csv, gradebook.csv, results.jsonl and feedback/LEARNER.html; made
            if it is not there.
        jobs: submissions graded at once; by default one per processor core.
        seed: of the random cases; drawn if not given, and recorded either way.
        resume: keep what an earlier, interrupted run into ``out`` has finished.
        progress: called in the calling thread after each submission is on disk.

    Raises:
        UsageError: a path is missing or holds no notebook; ``out`` has results and ``resume`` is
            false; ``seed`` is negative or not the one recorded.
        CourseError: ``out`` cannot be written, or the workers cannot be started.
        KeyboardInterrupt: passed on after the workers have been stopped; what is finished stays.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"There must be at least one job, not {jobs}.")
    if seed is not None and seed < 0:
        raise UsageError(f"The seed must not be negative, as {seed} is.")
    sources, notes = discover(paths)
    holds, missing = sandbox.describe()
    records: list[Record] = []
    with _Results(out, resume, seed) as results, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python about the learners' code
        with closing(_graded(sources, results, jobs or _cores())) as graded:
            for record in graded:
                records.append(record)
                if progress is not None:
                    progress(len(records), len(sources), record)
    if results.kept:
        notes.append(f"{results.kept} of {len(sources)} were graded before and kept.")
    files = _write_reports(out, records, results.seed, holds, missing)
    ended = Counter(record["status"] for record in records)
    return Summary(
        seed=results.seed,
        graded=ended["graded"],
        unreadable=ended["unreadable"],
        crashed=ended["crashed"],
        files=files,
        notes=tuple(notes),
        holds=holds,
        missing=missing,
    )


def grade_one(source: Source, seed: int, lesson: str | None, stop: Event) -> Record | None:
    """The record of one submission, or None if it does not show which lesson it belongs to.

    Whatever is wrong with the submission, or goes wrong here, is in the record.

    Args:
        source: the file and whose it is.
        seed: of the random cases.
        lesson: what to take it for if it does not show it; "" if there is no saying.
        stop: when set, ends with `sandbox.StoppedError`.
    """
    data = b""
    lesson_here = lesson
    try:
        try:
            data = read(source.path)
        finally:
            lesson_here = lesson_of(data, reversed(source.id.split("/"))) or lesson
        if lesson_here is None:
            return None
        if not lesson_here:
            raise UnreadableError("No exercise of the course is in this file.")
        entries, notes = mark(data, lesson_here, seed, stop=stop)
        return _record(source, data, seed, lesson_here, "graded", entries, notes=notes)
    except sandbox.StoppedError:
        raise
    except UnreadableError as error:
        if lesson_here is None:
            return None
        status, message = "unreadable", str(error)
    except Exception as error:  # a mistake of ours costs no learner points, and no batch its end
        said = " ".join(str(error).split())[:300] or type(error).__name__
        status, message = "crashed", f"Grading failed here, not in the answers: {said}"
    entries = ungraded(lesson_here or "", status, message)
    return _record(source, data, seed, lesson_here, status, entries, message)


def _record(
    source: Source,
    data: bytes,
    seed: int,
    lesson: str | None,
    status: str,
    entries: list[Record],
    message: str = "",
    notes: Sequence[str] = (),
) -> Record:
    graded = status == "graded"
    return {
        "submission": source.id,
        "learner": source.learner,
        "sha256": hashlib.sha256(data).hexdigest(),
        "seed": seed,
        "lesson": lesson or None,
        "status": status,
        "message": message,
        "points": sum(entry["points"] for entry in entries) if graded else None,
        "max_points": sum(entry["max_points"] for entry in entries) if graded else None,
        "exercises": entries,
        "notes": list(notes),
    }


def _graded(
    sources: Sequence[Source], results: _Results, jobs: int
) -> Generator[Record, None, None]:
    """The records as they are finished, each on disk before it is handed on."""
    stop = Event()
    lessons: Counter[str] = Counter()
    waiting: list[Source] = []

    def work(source: Source, lesson: str | None) -> tuple[Source, Record | None, bool]:
        kept = results.earlier(source)
        if kept is not None:
            return source, kept, True
        return source, grade_one(source, results.seed, lesson, stop), False

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for lesson, batch in ((None, sources), ("", waiting)):
                if lesson == "" and lessons:  # what shows no lesson belongs to the common one
                    lesson = min(lessons, key=lambda name: (-lessons[name], name))
                futures = [pool.submit(work, source, lesson) for source in batch]
                for future in as_completed(futures):
                    source, record, kept = future.result()
                    if record is None:
                        waiting.append(source)
                        continue
                    if kept:
                        results.kept += 1
                    else:
                        results.append(record)
                    if record["lesson"]:
                        lessons[record["lesson"]] += 1
                    yield record
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


class _Results:
    """results.jsonl: one line for each finished submission, on disk before it is reported.

    Args:
        out: the folder of the file.
        resume: keep what is in the file, less a torn last line.
        seed: wanted, or None for the recorded one, or else a new one.
    """

    def __init__(self, out: Path, resume: bool, seed: int | None) -> None:
        self.path = out / "results.jsonl"
        self._earlier: dict[str, Record] = {}
        self.kept = 0
        if self.path.exists() and not resume:
            raise UsageError(
                f"“{self.path}” holds the results of another run: continue it with --resume, or "
                "choose another folder with --out."
            )
        with _writing(out):
            out.mkdir(parents=True, exist_ok=True)
            self._end = self._read() if self.path.exists() else 0
        recorded = {record["seed"] for record in self._earlier.values()}
        if seed is not None and recorded - {seed}:
            raise UsageError(
                f"“{self.path}” was begun with seed {recorded.pop()}, not {seed}: leave --seed "
                "out to continue it."
            )
        drawn = int.from_bytes(os.urandom(4), "big")
        self.seed = seed if seed is not None else recorded.pop() if recorded else drawn
        with _writing(out):
            self._file = self.path.open("r+b" if self.path.exists() else "xb", buffering=0)
            self._file.truncate(self._end)
            self._file.seek(self._end)

    def __enter__(self) -> _Results:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def _read(self) -> int:
        """Take up the earlier records; returns where the last whole line ends."""
        end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):  # torn when the earlier run was killed
                    break
                try:
                    record = json.loads(line)
                    self._earlier[record["submission"]] = record
                    _ = record["seed"], record["sha256"], record["status"]
                except (ValueError, KeyError, TypeError):
                    raise CourseError(
                        f"Line {number} of “{self.path}” is damaged: delete that line to grade "
                        "its submission again."
                    ) from None
                end += len(line)
        return end

    def earlier(self, source: Source) -> Record | None:
        """The record of a submission that has not changed since; a crash is tried again."""
        record = self._earlier.get(source.id)
        if record is None or record["status"] == "crashed":
            return None
        try:
            data = read(source.path)
        except UnreadableError:
            data = b""
        if record["sha256"] != hashlib.sha256(data).hexdigest():
            return None
        return record

    def append(self, record: Record) -> None:
        line = memoryview(json.dumps(record).encode() + b"\n")
        with _writing(self.path.parent):
            try:
                rest = line
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except BaseException:  # a full disk, or Ctrl-C in between: no half of a line stays
                self._file.truncate(self._end)
                raise
        self._end += len(line)


def _write_reports(
    out: Path,
    records: Sequence[Record],
    seed: int,
    holds: tuple[str, ...],
    missing: tuple[str, ...],
) -> tuple[Path, ...]:
    pages = report.feedback_pages(records, seed=seed, holds=holds, missing=missing)
    tables = {
        "grades.csv": report.grades_csv(records),
        "gradebook.csv": report.gradebook_csv(records),
    }
    with _writing(out):
        report.write_all(out / "feedback", pages)
        report.write_all(out, tables)
    return out / "gradebook.csv", out / "grades.csv", out / "results.jsonl", out / "feedback"


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CourseError(
            f"The results cannot be written to “{out}”: {reason}. What is in results.jsonl is "
            "kept; run again with --resume when that is mended."
        ) from error


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
