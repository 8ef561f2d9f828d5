"""Files: read, or it is said why not; written as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

from .errors import CourseError


def text_of(path: Path) -> str:
    """The text of a file that belongs to the course.

    Raises:
        CourseError: there is none, it may not be read, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CourseError(
            f"{path} cannot be read ({why}): restore it, as with `git checkout`."
        ) from error


def is_folder(path: Path) -> bool:
    """Whether that is a folder; `Path.is_dir` raises where the system does not say it."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether that is a file, likewise."""
    return os.path.isfile(path)  # noqa: PTH113


def is_link(path: Path) -> bool:
    """Whether that is a symbolic link, likewise."""
    return os.path.islink(path)  # noqa: PTH114


def from_yaml(text: str) -> Any:
    """What a text in YAML says, read by libyaml where PyYAML has it.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@contextmanager
def in_temporary_folder() -> Iterator[None]:
    """Turns a failure to write there, as on a full disk, into a sentence.

    Raises:
        CourseError: in place of `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"Nothing can be written to the temporary folder “{tempfile.gettempdir()}”: "
            f"{error.strerror or type(error).__name__}. Make room there, or name another folder in "
            "TMPDIR; then run again."
        ) from error


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which takes its place at the end.

    If anything fails, or the writing is interrupted, nothing is left of it and what was at ``path``
    stays. What a killed process leaves ends in ``.part``.

    Raises:
        OSError: it cannot be put there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
