"""Zip files as learners and platforms hand them in, unpacked where they can harm nothing."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from ..errors import UsageError
from ..files import in_temporary_folder, is_file
from ..sandbox.isolation import clear
from ..sandbox.scratch import ScratchFolder
from .notes import LINK, Kind, Notes, skipped

SUFFIX = ".zip"
MAX_FILES = 50_000
"""Of a download, or of what one learner hands in, archives in it included."""
MAX_FOLDERS = 20_000
"""Likewise."""
MAX_LIST = 20 << 20
"""Bytes of the list of files in an archive."""
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
    EOFError,
    NotImplementedError,
    RuntimeError,  # it is encrypted
    ValueError,
)


_NAMELESS = Kind("holds something without a name, which was skipped")
_OUTSIDE = skipped("would lie outside of the archive")
_DEEP = skipped("lies too deep", "lie too deep")
_TWICE = Kind(
    "is so called here, as its own name is there twice",
    "are so called here, as their own names are there twice",
)
_SIGNS = str.maketrans(dict.fromkeys(':<>|"?*', "_")) if os.name == "nt" else {}
"""That no file's name may hold here."""


@dataclass(eq=False)
class _Allowance:
    """What may still be unpacked: of a download, or of all that one learner hands in.

    Attributes:
        most: bytes, as they are told of.
        left: bytes of those.
    """

    most: int
    left: int
    handed_in: bool
    notebooks: int = MAX_NOTEBOOKS
    archives: int = MAX_ARCHIVES
    files: int = MAX_FILES
    folders: int = MAX_FOLDERS

    def exceeded(self) -> str:
        """What there is too much of, or ""."""
        if self.archives < 0:
            return f"{MAX_ARCHIVES} archives"
        if self.left < 0:
            return f"{self.most >> 20} MB"
        if self.handed_in and self.notebooks < 0:
            return f"{MAX_NOTEBOOKS} files"
        if self.files < 0:
            return f"{MAX_FILES} files"
        return f"{MAX_FOLDERS} folders" if self.folders < 0 else ""


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
        return path.suffix.lower() == SUFFIX and len(self.wanted) > 1 and is_file(path)

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

    def handed_in(self, path: Path) -> object:
        """Stands for all that a learner has handed in in archives, if the path lies there."""
        allowed = self._allowances.get(self._folder(path) or path)
        return allowed if allowed is not None and allowed.handed_in else None

    def unpack(self, archive: Path, notes: Notes, most: int) -> Path:
        """The folder in which it is unpacked.

        Args:
            archive: a zip file.
            notes: are told of each file in it that cannot be had.
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
        new = _Allowance(most, most, most < MAX_BYTES)
        allowed = around if around is not None and shared else new
        self._allowances[folder] = allowed
        allowed.archives -= shared
        unpacked, shown = _Unpacked(folder, allowed), self.shown(folder)
        try:
            _require_room(archive, allowed, shared)
            with (
                _Listed(archive, allowed, shared) as file,
                zipfile.ZipFile(file) as opened,
            ):
                entries = opened.infolist()
                allowed.files -= len(entries)
                for entry in entries:
                    _require_room(archive, allowed, shared)
                    for name, kind in self._unpack(opened, entry, unpacked):
                        told = f"{shown}{os.sep}{name}" if name else shown
                        notes.add(kind, told, allowed)
                _require_room(archive, allowed, shared)
        except UsageError:
            clear(str(folder))
            raise
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
        self, opened: zipfile.ZipFile, entry: zipfile.ZipInfo, unpacked: _Unpacked
    ) -> Iterator[tuple[str, Kind]]:
        """Unpack one file; yields its name and why it could not be done."""
        name = _name(entry)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.endswith(("/", "\\")):
            return
        if not parts:
            yield "", _NAMELESS
        elif ".." in parts or _is_elsewhere(parts):
            yield name, _OUTSIDE
        elif stat.S_ISLNK(entry.external_attr >> 16):
            yield name, LINK
        elif len(parts) > MAX_PARTS:
            yield parts[-1], _DEEP
        else:
            parts = tuple(os.fsdecode(part.translate(_SIGNS).encode()) for part in parts)
            try:
                file, target = unpacked.new(parts)
                if target.name != parts[-1]:
                    yield str(PurePosixPath(*parts[:-1], target.name)), _TWICE
            except OSError as error:
                if error.errno in _FULL:
                    raise
                yield parts[-1], _not_unpacked(error)
                return
            if not target.name.lower().endswith(self.wanted):
                file.close()
                return
            try:
                with file:
                    _copy(opened, entry, file, unpacked.allowed)
            except (*_BROKEN, OSError) as error:
                if isinstance(error, OSError) and error.errno in _FULL:
                    raise
                if target.suffix.lower() == SUFFIX:
                    target.unlink()
                    yield name, _not_unpacked(error)
                else:
                    self.trouble[target] = (
                        f"It cannot be unpacked from its archive: {_reason(error)}. Hand in the "
                        "notebook itself, NAME.ipynb."
                    )


class _Listed(io.BufferedReader):
    """A zip file, refused before a list of more files than are allowed is taken apart.

    `zipfile` reads that list in one piece, and never looks at the number of files that the archive
    tells.
    """

    def __init__(self, archive: Path, allowed: _Allowance, shared: bool) -> None:
        super().__init__(io.FileIO(archive))
        self._archive, self._allowed, self._shared = archive, allowed, shared

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size <= _CHUNK:
            return super().read(size)
        if size > MAX_LIST:
            what = f"{MAX_LIST >> 20} MB of names"
            raise UsageError(_too_much(self._archive, what, shared=False))
        listed = super().read(size)
        if listed.count(b"PK\1\2") > self._allowed.files:
            self._allowed.files = -1
            _require_room(self._archive, self._allowed, self._shared)
        return listed


class _Unpacked:
    """A folder in which new files are made, under other names where two have one."""

    def __init__(self, path: Path, allowed: _Allowance) -> None:
        self.allowed = allowed
        self._path = path
        self._folders = {path}
        self._numbers: Counter[str] = Counter()

    def new(self, parts: Sequence[str]) -> tuple[IO[bytes], Path]:
        """Raises: OSError: it cannot be made."""
        path = self._path.joinpath(*parts)
        missing = [*takewhile(lambda folder: folder not in self._folders, path.parents)]
        for folder in reversed(missing):
            self.allowed.folders -= 1
            folder.mkdir(exist_ok=True)
            self._folders.add(folder)
        target = path
        while True:
            try:
                return target.open("xb"), target
            except FileExistsError:
                if path.is_dir():
                    raise
                name = str(path).casefold()  # on some systems that is the same file
                self._numbers[name] += 1
                stem, dot, ending = path.name.partition(".")
                target = path.with_name(f"{stem} ({self._numbers[name] + 1}){dot}{ending}")


def _is_elsewhere(parts: Sequence[str]) -> bool:
    """Whether they begin at the top of this machine, or of a disk of Windows."""
    return parts[0].startswith("/") or (
        len(parts) > 1 and bool(re.fullmatch("[a-zA-Z]:", parts[0]))
    )


def _copy(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes], allowed: _Allowance
) -> None:
    left = min(MAX_HANDED_IN, allowed.left + 1)
    allowed.notebooks -= 1
    with opened.open(entry) as packed:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Of others `zipfile` unpacks at once what a piece holds, however much that is.
            raise NotImplementedError("it is packed by another method than Deflate")
        while left > 0 and (chunk := packed.read(min(_CHUNK, left))):
            left -= len(chunk)
            allowed.left -= len(chunk)
            file.write(chunk)


def _not_unpacked(error: Exception) -> Kind:
    return skipped(f"cannot be unpacked ({_reason(error)})")


def _reason(error: Exception) -> str:
    """In a few words, why it cannot be unpacked."""
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "it is protected by a password"
    said = error.strerror if isinstance(error, OSError) else str(error).partition(" for file ")[0]
    return " ".join(str(said or "").split())[:MAX_NAME].rstrip(".") or "it is damaged"


def _require_room(archive: Path, allowed: _Allowance, shared: bool) -> None:
    """Raises: UsageError: it holds too much."""
    if what := allowed.exceeded():
        raise UsageError(_too_much(archive, what, shared=shared))


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
