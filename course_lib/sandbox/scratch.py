"""Temporary folders that are surely this user's own, and that no killed process leaves for ever."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import CourseError
from .isolation import clear

_LOCK = ".lock"


class ScratchFolder:
    """An empty folder, locked while this process lives.

    It lies in a folder that only this user can write in; what killed processes have left there is
    removed, and nothing anywhere else.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self) -> None:
        place = _own_place(shared_place())
        _sweep(place)
        while True:
            path = place / f"answer-{secrets.token_hex(8)}"
            place.mkdir(mode=0o711, exist_ok=True)  # another grader may have removed it
            lock = _lock(path)
            with contextlib.suppress(Timeout, FileNotFoundError):
                lock.acquire(blocking=False)
                path.mkdir(mode=0o700)
                break
        self.path = str(path)
        self._lock = lock

    def clear(self) -> None:
        """Remove it, if it is still there."""
        with contextlib.suppress(OSError):
            clear(self.path)
        self._lock.release()
        for remove in (Path(f"{self.path}{_LOCK}").unlink, Path(self.path).parent.rmdir):
            with contextlib.suppress(OSError):
                remove()


def _lock(path: Path) -> FileLock:
    return FileLock(f"{path}{_LOCK}", thread_local=False)


def shared_place() -> Path:
    """Where the scratch folders of all of this user's processes lie.

    Raises:
        CourseError: no folder for temporary files can be written to.
    """
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    try:
        place = tempfile.gettempdir()
    except FileNotFoundError:
        raise CourseError(
            "No folder for temporary files can be written to: make room on the disk, or name "
            "another folder in TMPDIR; then run again."
        ) from None
    return Path(place).absolute() / f"course-grading-{user}"


def _own_place(place: Path) -> Path:
    """A folder that nobody but this user can have put anything into."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o711, exist_ok=True)
        found = place.lstat()
        own = os.name == "nt" or (found.st_uid == user and not found.st_mode & 0o022)
        if stat.S_ISDIR(found.st_mode) and own:
            return place
    return Path(tempfile.mkdtemp(prefix="course-grading-"))


@cache
def _sweep(place: Path) -> None:
    """Remove what is nobody's any more, once."""
    for left in place.glob(f"answer-*{_LOCK}"):
        path = left.with_suffix("")
        lock = _lock(path)
        with contextlib.suppress(Timeout, OSError), lock.acquire(blocking=False):
            if path.exists():
                clear(str(path))
            left.unlink()
