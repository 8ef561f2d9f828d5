"""Paths that an instructor names -> the submissions there, and whose they are."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NEAR, UsageError
from ..lessons import START_PAGE


@dataclass(frozen=True)
class Source:
    """One notebook to be graded.

    Attributes:
        id: unique in the run; its path below the folder that was named, without ending.
        learner: whose it is.
        path: of the file.
    """

    id: str
    learner: str
    path: Path


def discover(paths: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """All submissions under ``paths``, sorted, and a note on each thing that was passed over.

    A folder holds LEARNER.ipynb files, or folders of learners as nbgrader's ``submitted`` does
    (which may also be named by the folder that it stands in). The name of a learner is that of
    the file, or of the topmost folder.

    Raises:
        UsageError: a path is missing, is no notebook, or holds none.
    """
    found: dict[Path, Source] = {}
    notes: list[str] = []
    taken: set[str] = set()
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UsageError(_missing(path))
        files = list(_notebooks(path, notes))
        if not files:
            skipped = f" ({notes[-1]})" if notes else ""
            raise UsageError(f"There is no notebook to grade in “{path}”{skipped}.")
        for file in files:
            if file not in found:
                found[file] = _source(file, path if path.is_dir() else path.parent, taken)
    return sorted(found.values(), key=lambda source: source.id), notes


def _missing(path: Path) -> str:
    names = _listing(path.parent)
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=NEAR)
    hint = f" Did you mean “{path.parent / near[0]}”?" if near else ""
    return f"There is no file or folder “{path}”.{hint}"


def _listing(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _notebooks(path: Path, notes: list[str]) -> Iterator[Path]:
    if path.is_symlink():
        notes.append(f"“{path}” is a symbolic link and was skipped.")
    elif not path.is_dir():
        if path.suffix != ".ipynb":
            raise UsageError(f"“{path}” is not a notebook: its name should end in .ipynb.")
        yield path
    else:
        submitted = path / "submitted"
        yield from _inside(submitted if submitted.is_dir() else path, notes)


def _inside(folder: Path, notes: list[str]) -> Iterator[Path]:
    for name in _listing(folder):
        path = folder / name
        if path.is_symlink():
            if path.suffix == ".ipynb" or path.is_dir():
                notes.append(f"“{path}” is a symbolic link and was skipped.")
        elif path.is_dir():
            if name == ".ipynb_checkpoints":
                notes.append(f"“{path}” holds automatic copies and was skipped.")
            elif not name.startswith("."):
                yield from _inside(path, notes)
        elif path.suffix == ".ipynb" and path.stem != START_PAGE:
            yield path


def _source(file: Path, root: Path, taken: set[str]) -> Source:
    parents = [parent for parent in file.absolute().parents if parent.name == "submitted"]
    below = file.absolute().relative_to(parents[0] if parents else root.absolute())
    learner = below.parts[0] if len(below.parts) > 1 else below.stem
    whole = _text(below.with_suffix("").as_posix())
    name, number = whole, 1
    while name in taken:
        number += 1
        name = f"{whole} ({number})"
    taken.add(name)
    return Source(name, _text(learner), file)


def _text(name: str) -> str:
    """A file name that can be written as UTF-8; bytes that are none stay recognisable."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
