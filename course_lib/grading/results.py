"""results.jsonl: one line for each finished submission, on disk before it is reported."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ..errors import CourseError, UsageError, named
from ..files import is_file
from .discovery import Source
from .record import Graded, HandedIn

UNDER_WAY = "under_way.txt"
"""Beside the records while a run lasts: the submissions that it has begun."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FAR = 1 << 40  # Windows locks bytes, and others must be able to read those that are there


class Results:
    """The file of records, locked against a second run while it is open.

    The lock is the system's own, on the open file: it ends with the process, however that ends.

    Args:
        out: the folder of the file, made if it is not there.
        resume: keep what is whole in the file.
        seed: wanted, or None for the recorded one, or else a new one.
        own: identifies the instructor's own exercises; records made with others are not kept.

    Attributes:
        path: of the file.
        seed: of the run.
        kept: how many earlier records `earlier` has found.
        killed_at: submissions that an earlier run was at when it was killed.
        damaged: numbers of earlier lines that are no record, of which nothing is kept.

    Raises:
        UsageError: another run is writing there; there are results and ``resume`` is false; the
            recorded seed is another; another user's link leads there.
        CourseError: the folder cannot be written, or holds something else of a file's name, or no
            line is whole.
    """

    def __init__(self, out: Path, resume: bool, seed: int | None, own: str | None = None) -> None:
        self.path = out / "results.jsonl"
        self.kept = 0
        self._own = own
        self._earlier: dict[str, Graded] = {}
        self._records: dict[tuple[str, str], Graded] = {}
        self._under_way = out / UNDER_WAY
        self.killed_at: set[str] = set()
        self.damaged: list[int] = []
        self._holes: list[tuple[int, int]] = []
        _require_own_way(out)
        for file in (self.path, self._under_way):
            _require_file(file)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | _NO_LINK
        try:
            out.mkdir(parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self.path, flags, 0o666), "r+b", buffering=0)
        except OSError as error:
            why = "it is a file" if out.is_file() else error.strerror or type(error).__name__
            raise CourseError(
                f"“{out}” cannot be a folder for the results: {why}. Choose another with --out."
            ) from error
        try:
            if not _lock(self._file.fileno()):
                raise UsageError(
                    f"Another run is writing to “{out}”: wait until it has ended, or choose "
                    "another folder with --out."
                )
            self._end = self._read(resume)
            self.seed = self._agreed(seed)
            with writing(out):
                self._take_up()
                self._blank()
                self._file.truncate(self._end)
                self._file.seek(self._end)
                _sync_folder(out)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(OSError):  # what ends so was not killed
            self._under_way.unlink(missing_ok=True)
        self._file.close()

    def _take_up(self) -> None:
        """Find out what an earlier run was at."""
        with suppress(FileNotFoundError, ValueError, RecursionError):
            lines = self._under_way.read_text("utf-8").splitlines()
            begun = {one for one in map(json.loads, lines) if isinstance(one, str)}
            self.killed_at = begun - set(self._earlier)

    def _blank(self) -> None:
        """Damaged lines become blanks before the next one, which JSON allows."""
        for start, length in self._holes:
            self._file.seek(start)
            self._file.write(b" " * length)

    def begin(self, handed: HandedIn) -> None:
        """Note that a submission is about to be graded, in case that this process is killed.

        Raises:
            CourseError: it cannot be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK
        with (
            writing(self.path.parent),
            os.fdopen(os.open(self._under_way, flags, 0o666), "a", encoding="utf-8") as file,
        ):
            file.write(json.dumps(handed.id) + "\n")

    def _read(self, resume: bool) -> int:
        """Take up the earlier records; returns where the last whole line ends."""
        end = whole = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not resume:
                    raise UsageError(
                        f"“{self.path}” holds the results of another run: continue it with "
                        "--resume, or choose another folder with --out."
                    )
                if not line.endswith(b"\n"):  # torn when the earlier run was killed
                    break
                start, end = end, end + len(line)
                try:
                    record = Graded.from_json(json.loads(line.decode("utf-8-sig")))
                    self._earlier[record.submission] = record
                    whole = end
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    self._holes.append((start, len(line)))
                    self.damaged += [number] if line.strip() else []
        if self.damaged and not whole:
            raise CourseError(
                f"“{self.path}” holds no whole record of an earlier run: delete it to grade all "
                "again, or choose another folder with --out."
            )
        return whole

    def _agreed(self, seed: int | None) -> int:
        others = {record.seed for record in self._earlier.values()} - {seed}
        if seed is not None and others:
            raise UsageError(
                f"“{self.path}” was begun with seed {others.pop()}, not {seed}: leave --seed "
                "out to continue it."
            )
        drawn = int.from_bytes(os.urandom(4), "big")
        return seed if seed is not None else others.pop() if others else drawn

    def earlier(self, handed: HandedIn) -> Graded | None:
        """The record of a submission that has not changed since; a crash is tried again.

        It is written once more if files that came later show that it is another learner's.

        Raises:
            CourseError: see `append`.
        """
        found = self._earlier.get(handed.id)
        if (
            found is None
            or found.status == "crashed"
            or found.sha256 != handed.sha256
            or found.own != self._own
        ):
            return None
        self.kept += 1
        if found.learner != handed.learner:
            return self.append(replace(found, learner=handed.learner))
        self._records[found.learner, found.submission] = found
        return found

    def append(self, record: Graded) -> Graded:
        """Write one record; it is on disk when this returns, or not at all.

        Raises:
            CourseError: it cannot be written, or something else has written there.
        """
        self.require_unchanged()
        record = replace(record, own=self._own)
        line = memoryview(json.dumps(record.to_json()).encode() + b"\n")
        with writing(self.path.parent):
            try:
                rest = line
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except BaseException:  # a full disk, or Ctrl-C in between: no half of a line stays
                self._file.truncate(self._end)
                raise
        self._records[record.learner, record.submission] = record
        self._end += len(line)
        return record

    def records(self, sources: Iterable[Source]) -> list[Graded]:
        """Those of this run, kept ones included, in the order of learners and submissions.

        Raises:
            CourseError: some submissions have no record; names them. Or something else has written
                to the file.
        """
        self.require_unchanged()
        missing = [s.id for s in sources if (s.learner, s.id) not in self._records]
        if missing:
            raise CourseError(
                f"The grading of {named(missing)} was lost. What is in results.jsonl is kept: run "
                "again with --resume to grade the rest."
            )
        return [self._records[key] for key in sorted(self._records)]

    def require_unchanged(self) -> None:
        """Raises: CourseError: the file is not there any more, or something else has changed it."""
        with writing(self.path.parent):  # its disk may be gone
            same = os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        if not same or os.fstat(self._file.fileno()).st_size != self._end:
            raise CourseError(
                f"Something else has changed “{self.path}” while it was being written: run again "
                "with --resume, or into another folder with --out."
            )


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turns a failure to write into a sentence.

    Raises:
        CourseError: in place of `OSError`.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        rest = "What is in results.jsonl is kept; run again with --resume when that is mended."
        if not is_file(out / "results.jsonl"):
            rest = (
                "What was graded was in its results.jsonl, which is not there any more: bring the "
                "folder back and run again with --resume, or grade all again."
            )
        raise CourseError(f"The results cannot be written to “{out}”: {reason}. {rest}") from error


def _require_own_way(out: Path) -> None:
    """Refuse a folder to which a link leads that another user may have put there.

    One's own link is followed, and the system's: they say where results are to be. The rule is
    Linux' own for links in folders that all may write in (`fs.protected_symlinks`).
    """
    if os.name == "nt":
        return
    way = out.absolute()
    for part in (way, *way.parents):
        with suppress(OSError):
            link, folder = part.lstat(), part.parent.stat()
            shared = bool(folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
            theirs = link.st_uid not in {os.geteuid(), folder.st_uid}
            if stat.S_ISLNK(link.st_mode) and shared and theirs:
                raise UsageError(
                    f"“{part}” is a link that another user has put there: choose another folder "
                    "with --out."
                )


def _require_file(path: Path) -> None:
    """Refuse what is no file, as a pipe, of which reading never ends."""
    with suppress(OSError):  # it is not there
        if not stat.S_ISREG(path.stat().st_mode):
            raise CourseError(f"“{path}” is no file: move it, or choose another folder with --out.")


def _lock(number: int) -> bool:
    """Whether the open file is ours alone now; where a file system knows no locks, it is."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(number, _FAR, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
    return True


def _sync_folder(folder: Path) -> None:
    """A new file's name, too, is on disk; not every system can do that for a folder."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows
        return
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # as on network drives
            raise
    finally:
        os.close(number)
