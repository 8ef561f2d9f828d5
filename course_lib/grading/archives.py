"""Zip files as learners and platforms hand them in, unpacked where they can harm nothing."""

from __future__ import annotations

import contextlib
import errno
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
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
"""Of what one learner hands in, unpacked, archives in it included, and of any one file."""
MAX_NOTEBOOKS = 300
"""In what one learner hands in; a clone of the course has some forty."""
MAX_ARCHIVES = 100
"""In what one learner hands in."""
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
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # it is encrypted
    ValueError,
)


@dataclass
class _Allowance:
    """What may still be unpacked: of a download, or of all that one learner hands in."""

    left: int
    handed_in: bool
    notebooks: int = MAX_NOTEBOOKS
    archives: int = MAX_ARCHIVES


class Archives:
    """The zip files of a run, each unpacked when it is met; all is removed at the end.

    Of what is not wanted only the name is kept, so that it can be accounted for.

    Args:
        wanted: endings of the files to be unpacked, in small letters.

    Attributes:
        trouble: of files that could not be unpacked: why, in a sentence.
    """

    def __init__(self, wanted: tuple[str, ...]) -> None:
        self.wanted = (*wanted, SUFFIX)
        self._scratch: ScratchFolder | None = None
        self._origins: dict[Path, Path] = {}
        self._allowances: dict[Path, _Allowance] = {}
        self.trouble: dict[Path, str] = {}

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
        folder = self._folder(path)
        if folder is None:
            return path
        return self.shown(self._origins[folder]) / path.relative_to(folder)

    def told(self, sentence: str) -> str:
        """A sentence with all paths as a person knows them."""
        if self._scratch is None:
            return sentence
        folder = re.escape(str(Path(self._scratch.path) / "0")[:-1]) + r"\d+"
        return re.sub(folder, lambda found: str(self.shown(Path(found[0]))), sentence)

    def _folder(self, path: Path) -> Path | None:
        """Of an archive's, that in which the path lies."""
        if self._scratch is None or not path.is_relative_to(self._scratch.path):
            return None
        inside = path.relative_to(self._scratch.path).parts
        folder = Path(self._scratch.path, *inside[:1])
        return folder if folder in self._origins else None

    def unpack(self, archive: Path, notes: list[str], most: int) -> Path:
        """The folder in which it is unpacked.

        Args:
            archive: a zip file.
            notes: get a sentence on each file in it that cannot be had.
            most: bytes that it may hold, unpacked; in a learner's archive, what is left of those.

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
        around = self._allowances.get(self._folder(archive) or folder)
        self._origins[folder] = archive
        shared = around is not None and around.handed_in
        allowed = around if around is not None and shared else _Allowance(most, most < MAX_BYTES)
        self._allowances[folder] = allowed
        allowed.archives -= shared
        if allowed.archives < 0:
            raise UsageError(_too_much(archive, f"{MAX_ARCHIVES} archives", shared=True))
        try:
            with zipfile.ZipFile(archive) as opened:
                entries = opened.infolist()
                if len(entries) > MAX_FILES:
                    raise UsageError(_too_much(archive, f"{MAX_FILES} files"))
                for entry in entries:
                    for said in self._unpack(opened, entry, folder, allowed):
                        name = said[0][:MAX_NAME]
                        notes.append(f"“{folder}{os.sep}{name}” {said[1]}.")
                    if allowed.left < 0 or (allowed.handed_in and allowed.notebooks < 0):
                        clear(str(folder))
                        what = f"{most >> 20} MB" if allowed.left < 0 else f"{MAX_NOTEBOOKS} files"
                        raise UsageError(_too_much(archive, what, shared=shared))
        except _BROKEN as error:
            raise UsageError(
                f"“{archive}” is no zip file that can be read: {_reason(error)}."
            ) from None
        except OSError as error:
            if error.errno in _FULL:
                with in_temporary_folder():
                    raise
            why = error.strerror or type(error).__name__
            raise UsageError(f"“{archive}” cannot be opened: {why}.") from None
        return folder

    def _depth(self, archive: Path) -> int:
        inside = self._folder(archive)
        return 0 if inside is None else 1 + self._depth(self._origins[inside])

    def _unpack(
        self,
        opened: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        folder: Path,
        allowed: _Allowance,
    ) -> Iterator[tuple[str, str]]:
        """Unpack one file; yields its name and why it could not be done."""
        name = _name(entry)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if entry.is_dir():
            return
        if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
            yield name, "would lie outside of the archive and was skipped"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            yield name, "is a symbolic link and was skipped"
        elif len(parts) > MAX_PARTS:
            yield parts[-1], "lies too deep and was skipped"
        else:
            try:
                file, target = _new(folder.joinpath(*parts))
                if target.name != parts[-1]:
                    yield name, f"is there twice: the second is called “{target.name}” here"
            except OSError as error:
                if error.errno in _FULL:
                    raise
                yield parts[-1], f"cannot be unpacked ({_reason(error)}) and was skipped"
                return
            if not target.name.lower().endswith(self.wanted):
                file.close()
                return
            try:
                with file:
                    _copy(opened, entry, file, allowed)
            except (*_BROKEN, OSError) as error:
                if isinstance(error, OSError) and error.errno in _FULL:
                    raise
                if target.suffix.lower() == SUFFIX:
                    target.unlink()
                    yield name, f"cannot be unpacked ({_reason(error)}) and was skipped"
                else:
                    self.trouble[target] = (
                        f"It cannot be unpacked from its archive: {_reason(error)}. Hand in the "
                        "notebook itself, NAME.ipynb."
                    )


def _copy(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes], allowed: _Allowance
) -> None:
    left = min(MAX_HANDED_IN, allowed.left + 1)
    allowed.notebooks -= 1
    with opened.open(entry) as packed:
        while left > 0 and (chunk := packed.read(min(_CHUNK, left))):
            left -= len(chunk)
            allowed.left -= len(chunk)
            file.write(chunk)


def _reason(error: Exception) -> str:
    """In a few words, why it cannot be unpacked."""
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "it is protected by a password"
    said = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join(str(said or "").split())[:MAX_NAME].rstrip(".") or "it is damaged"


def _too_much(archive: Path, what: str, *, shared: bool = False) -> str:
    beside = " with the archives around it" if shared else ""
    return f"“{archive}” holds more than {what}{beside}: unpack it yourself, and see what is in it."


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of a file in an archive.

    Where it does not say that it is in UTF-8, a Mac has written it so all the same, and Windows in
    the encoding of its country: one is taken in which all letters are of one script.
    """
    name = entry.filename
    if entry.flag_bits & _UTF8 or name.isascii():
        return name
    with contextlib.suppress(UnicodeError):
        written = name.encode("cp437")
        for encoding, letters in _ENCODINGS.items():
            with contextlib.suppress(UnicodeError):
                read = written.decode(encoding)
                mixed = re.search(rf"[A-Za-z]{letters}|{letters}[A-Za-z]", read)
                others = re.sub(rf"[\x00-\x7f]|{letters}", "", read)
                if encoding == "utf-8" or not (mixed or others):
                    return read
    return name


_ENCODINGS = {
    "utf-8": "",
    "gb2312": "[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]",  # of Chinese what is in common use
    "cp932": "[\u3040-\u30ff\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]",
    "cp866": "[\u0400-\u045f]",
}


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
