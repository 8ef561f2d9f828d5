"""Zip files as learners and platforms hand them in, unpacked where they can harm nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from ..errors import UsageError
from ..files import in_temporary_folder
from ..sandbox.isolation import clear
from ..sandbox.scratch import ScratchFolder

SUFFIX = ".zip"
MAX_FILES = 50_000
MAX_BYTES = 8 << 30
"""Of a download, unpacked."""
MAX_HANDED_IN = 256 << 20
"""Of what one learner hands in, unpacked, and of any one file."""
MAX_PARTS = 40
MAX_NAME = 100  # of a file that is told of, in characters
MAX_DEPTH = 3
_CHUNK = 1 << 20
_UTF8 = 0x800
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quotas on Windows
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,  # it is encrypted
    ValueError,
)


class Archives:
    """The zip files of a run, each unpacked when it is met; all is removed at the end.

    Of what is not wanted only the name is kept, so that it can be accounted for.

    Args:
        wanted: endings of the files to be unpacked, in small letters.
    """

    def __init__(self, wanted: tuple[str, ...]) -> None:
        self.wanted = (*wanted, SUFFIX)
        self._scratch: ScratchFolder | None = None
        self._origins: dict[Path, Path] = {}
        self._left = 0

    def __enter__(self) -> Archives:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._scratch is not None:
            self._scratch.clear()

    def takes(self, path: Path) -> bool:
        """Whether that is an archive which can be unpacked here."""
        return path.suffix.lower() == SUFFIX and len(self.wanted) > 1 and path.is_file()

    def shown(self, path: Path) -> Path:
        """A path as a person knows it: an archive stands for the folder that it was unpacked to."""
        for folder, archive in self._origins.items():
            if path.is_relative_to(folder):
                return self.shown(archive) / path.relative_to(folder)
        return path

    def told(self, sentence: str) -> str:
        """A sentence with all paths as a person knows them."""
        for folder, archive in reversed(self._origins.items()):
            sentence = sentence.replace(str(folder), str(archive))
        return sentence

    def unpack(self, archive: Path, notes: list[str], most: int) -> Path:
        """The folder in which it is unpacked.

        Args:
            archive: a zip file.
            notes: get a sentence on each file in it that cannot be had.
            most: bytes that it may hold, unpacked.

        Raises:
            UsageError: it cannot be read at all, or holds too much; nothing of it is left.
            CourseError: the temporary folder is full.
        """
        if self._depth(archive) >= MAX_DEPTH:
            raise UsageError(f"“{archive}” lies in too many archives.")
        if self._scratch is None:
            self._scratch = ScratchFolder()
        folder = Path(self._scratch.path) / str(len(self._origins))
        folder.mkdir()
        self._origins[folder] = archive
        self._left = most
        try:
            with zipfile.ZipFile(archive) as opened:
                entries = opened.infolist()
                if len(entries) > MAX_FILES:
                    raise UsageError(_too_much(archive, f"{MAX_FILES} files"))
                for entry in entries:
                    for said in self._unpack(opened, entry, folder):
                        name = said[0][:MAX_NAME]
                        notes.append(f"“{folder}{os.sep}{name}” {said[1]} and was skipped.")
                    if self._left < 0:
                        clear(str(folder))
                        raise UsageError(_too_much(archive, f"{most >> 20} MB"))
        except _BROKEN as error:
            raise UsageError(f"“{archive}” is no zip file that can be read: {error}.") from None
        except OSError as error:
            if error.errno in _FULL:
                with in_temporary_folder():
                    raise
            why = error.strerror or type(error).__name__
            raise UsageError(f"“{archive}” cannot be opened: {why}.") from None
        return folder

    def _depth(self, archive: Path) -> int:
        inside = next((f for f in self._origins if archive.is_relative_to(f)), None)
        return 0 if inside is None else 1 + self._depth(self._origins[inside])

    def _unpack(
        self, opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path
    ) -> Iterator[tuple[str, str]]:
        """Unpack one file; yields its name and why it could not be done."""
        name = _name(entry)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if entry.is_dir():
            return
        if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
            yield name, "would lie outside of the archive"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            yield name, "is a symbolic link"
        elif len(parts) > MAX_PARTS:
            yield parts[-1], "lies too deep"
        else:
            try:
                file, target = _new(folder.joinpath(*parts))
                if target.name != parts[-1]:
                    yield name, f"is there twice, is called {target.name} here"
                with file:
                    if target.name.lower().endswith(self.wanted):
                        self._copy(opened, entry, file)
            except _BROKEN as error:
                yield name, f"cannot be unpacked ({error})"
            except OSError as error:
                if error.errno in _FULL:
                    raise
                yield parts[-1], f"cannot be unpacked ({error.strerror})"

    def _copy(self, opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes]) -> None:
        left = min(MAX_HANDED_IN, self._left + 1)
        with opened.open(entry) as packed:
            while left > 0 and (chunk := packed.read(min(_CHUNK, left))):
                left -= len(chunk)
                self._left -= len(chunk)
                file.write(chunk)


def _too_much(archive: Path, what: str) -> str:
    return f"“{archive}” holds more than {what}: unpack it yourself, and see what is in it."


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of a file in an archive; a Mac writes UTF-8 and does not say so."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name


def _new(path: Path) -> tuple[IO[bytes], Path]:
    """A new file, under another name where an archive holds two of one name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, target = 1, path
    while True:
        try:
            return target.open("xb"), target
        except FileExistsError:
            number += 1
            stem, dot, ending = path.name.partition(".")
            target = path.with_name(f"{stem} ({number}){dot}{ending}")
            if os.path.lexists(path) and path.is_dir():
                raise
