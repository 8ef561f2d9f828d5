"""Paths that an instructor names -> the submissions there, and whose they are."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError, unknown
from ..exercises.catalogue import catalogue
from ..lessons import START_PAGE

# As canvas-lms's lib/content_zipper.rb and Moodle's mod/assign name what is downloaded.
_CANVAS = re.compile(r"(?P<name>\w+?)(?:_LATE)?_(?P<id>\d+)_\d{3,}_.+")
_MOODLE = re.compile(r"(?P<learner>(?P<name>.+)_\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?")
# Some browsers add an ending to what they do not know.
_ENDING = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.IGNORECASE)
_ARCHIVES = frozenset({".zip", ".gz", ".tgz", ".7z", ".rar"})


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
    (which may also be named by the folder that it stands in, or by one in it). The name of a
    learner is that of the file, or of the topmost folder that is not named after a lesson. In
    downloads from Canvas and Moodle it is the name and the number that they put in front. What a
    Mac adds to archives is passed over in silence, and the solutions in a clone of the course with
    a note.

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
            raise UsageError(
                f"There is no notebook to grade in “{path}”{skipped}: put LEARNER.ipynb files "
                "there, or a folder of notebooks for each learner."
            )
        by_canvas = _named_by_canvas(files)
        for file in files:
            if file not in found:
                root = path if path.is_dir() else path.parent
                found[file] = _source(file, root, taken, by_canvas=file.parent in by_canvas)
    return sorted(found.values(), key=lambda source: source.id), notes + _namesakes(found.values())


def _named_by_canvas(files: Iterable[Path]) -> set[Path]:
    """Folders in which all names are as Canvas makes them.

    Others number their files, too: ``ws_01_4711223_anna``. A number of Canvas does not begin with
    zero, is not everybody's, and stands before no more files than one person hands in.
    """
    by_folder: dict[Path, list[re.Match[str] | None]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(_CANVAS.fullmatch(stem(file)))
    most = len({exercise.lesson for exercise in catalogue().values()})
    found = set()
    for folder, matches in by_folder.items():
        of_canvas = [match for match in matches if match is not None]
        people = Counter((match["name"], match["id"]) for match in of_canvas)
        if (
            len(of_canvas) == len(matches)
            and not any(number.startswith("0") for _, number in people)
            and max(people.values()) <= most
            and (len(people) > 1 or len(matches) == 1)
        ):
            found.add(folder)
    return found


def _namesakes(sources: Iterable[Source]) -> list[str]:
    """A note on names that Moodle has numbered twice, as it does anew for each assignment."""
    numbered: dict[str, set[str]] = {}
    for source in sources:
        for part in source.path.parts:
            if moodle := _MOODLE.fullmatch(part):
                numbered.setdefault(_text(moodle["name"]), set()).add(source.learner)
    several = [name for name, learners in numbered.items() if len(learners) > 1]
    told = ", ".join(f"“{name}”" for name in sorted(several))
    if not told:
        return []
    return [
        f"Moodle's downloads hold several numbers for {told}: each is taken for a person of its "
        "own. Grade the downloads of different assignments into different folders."
    ]


def stem(path: Path) -> str:
    """The name of a notebook's file without its ending, or endings."""
    return _ENDING.sub("", path.name)


def _missing(path: Path) -> str:
    try:
        names = [beside.name for beside in path.parent.iterdir()]
    except OSError:
        names = []
    thing = f"file or folder “{path}”"
    return unknown(thing, path.name, names, called=lambda near: path.parent / near)


def _notebooks(path: Path, notes: list[str]) -> Iterator[Path]:
    if path.is_symlink():
        notes.append(f"“{path}” is a symbolic link and was skipped.")
    elif not path.is_dir():
        if not _is_notebook(path):
            todo = "name an .ipynb file, or a folder of them"
            if path.suffix.lower() in _ARCHIVES:
                todo = "unpack it and name the folder"
            raise UsageError(f"“{path}” is not a notebook: {todo}.")
        yield path
    else:
        submitted = path / "submitted"
        for entry in _entries(submitted if submitted.is_dir() else path, notes):
            noted = len(notes)
            found = list(_under(entry, notes))
            told = stem(entry) == START_PAGE or any(f"“{entry}”" in note for note in notes[noted:])
            if not found and not told:  # somebody may be missing from the gradebook
                what = "holds no notebook to grade" if entry.is_dir() else "is not a notebook"
                notes.append(f"“{entry}” {what} and was skipped.")
            yield from found


def _entries(folder: Path, notes: list[str]) -> list[Path]:
    """What is in a folder, less what is hidden and no notebook."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        notes.append(f"“{folder}” cannot be opened ({error.strerror}) and was skipped.")
        return []
    if folder / ".ipynb_checkpoints" in entries:
        notes.append(f"“{folder / '.ipynb_checkpoints'}” holds automatic copies and was skipped.")
    handed_out, solved = (
        {path.name for path in (folder / part).glob("*.ipynb")}
        for part in ("notebooks", "solutions")
    )
    if solved and solved <= handed_out and folder / "solutions" in entries:
        notes.append(f"“{folder / 'solutions'}” are the course's own and were skipped.")
        entries.remove(folder / "solutions")
    return [
        entry
        for entry in entries
        if entry.name != "__MACOSX"
        and not entry.name.startswith("._")
        and (not entry.name.startswith(".") or (_is_notebook(entry) and not entry.is_dir()))
    ]


def _under(path: Path, notes: list[str]) -> Iterator[Path]:
    if path.is_symlink():
        if _is_notebook(path) or path.is_dir():
            notes.append(f"“{path}” is a symbolic link and was skipped.")
    elif path.is_dir():
        for entry in _entries(path, notes):
            yield from _under(entry, notes)
    elif _is_notebook(path) and stem(path) != START_PAGE:
        yield path


def _is_notebook(path: Path) -> bool:
    return _ENDING.search(path.name) is not None


def _source(file: Path, root: Path, taken: set[str], *, by_canvas: bool) -> Source:
    path, root = file.absolute(), root.absolute()
    if path.is_relative_to(root / "submitted"):
        root /= "submitted"
    # Above what was named it is nbgrader's only if a learner and an assignment lie between.
    above = next((folder for folder in (root, *root.parents) if folder.name == "submitted"), root)
    if len(path.relative_to(above).parts) >= 3:
        root = above
    below = path.relative_to(root)
    parts = [*below.parent.parts, stem(below)]
    lessons = {exercise.lesson for exercise in catalogue().values()}
    while len(parts) > 1 and parts[0] in lessons:
        del parts[0]
    whole = _text(below.with_name(stem(below)).as_posix())
    name, number = whole, 1
    while name in taken:
        number += 1
        name = f"{whole} ({number})"
    taken.add(name)
    learner = _canvas(parts[0])[0] if by_canvas and len(parts) == 1 else ""
    moodle = next(filter(None, map(_MOODLE.fullmatch, parts)), None)
    learner = learner or (moodle["learner"] if moodle else parts[0])
    return Source(name, _text(unicodedata.normalize("NFC", learner)), file)


def canvas_id(submission: str, learner: str) -> str:
    """The number by which Canvas knows the learner, if Canvas named the file, or ""."""
    named, number = _canvas(submission.split("/")[-1])
    return number if named == learner else ""


def _canvas(name: str) -> tuple[str, str]:
    found = _CANVAS.fullmatch(name)
    return (f"{found['name']}_{found['id']}", found["id"]) if found is not None else ("", "")


def _text(name: str) -> str:
    """A file name that can be written as UTF-8; bytes that are none stay recognisable."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
