"""Paths that an instructor names -> the submissions there, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError, named, unknown, visible
from ..lessons import LAST_PAGE, START_PAGE
from ..sandbox.scratch import shared_place
from . import platforms
from .archives import MAX_BYTES, MAX_HANDED_IN, Archives
from .names import ENDING, bare
from .people import namesakes, people, text

ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")
PAGES = (START_PAGE, LAST_PAGE)  # nothing to grade
MAX_DEPTH = 60  # of folders in folders
_OF_NBGRADER = frozenset({"source", "release", "gradebook.db", "nbgrader_config.py"})
_HIDDEN = frozenset({".ipynb_checkpoints", ".git", ".venv", ".Trash"})
_OTHER_ARCHIVES = frozenset({".gz", ".tgz", ".tar", ".7z", ".rar"})


@dataclass(frozen=True)
class Source:
    """One notebook to be graded.

    Attributes:
        id: unique in the run; its path below the folder that was named, without ending.
        learner: whose it is.
        path: of the file, which may be unpacked from an archive.
        trouble: why that could not be done, in a sentence, or "".
    """

    id: str
    learner: str
    path: Path
    trouble: str = ""


def discover(
    paths: Sequence[Path], archives: Archives | None = None
) -> tuple[list[Source], list[str]]:
    """All submissions under ``paths``, sorted, and a note on each thing that was passed over.

    A folder holds LEARNER.ipynb files, or folders of learners as nbgrader's ``submitted`` does
    (which may also be named by the folder that it stands in, or by one in it). Whose they are,
    `people` says. A zip file is taken for the folder that is packed in it. What a Mac adds to
    archives is passed over in silence, and the solutions in a clone of the course with a note.

    Args:
        paths: of files and folders.
        archives: which unpack zip files; without them these are passed over.

    Raises:
        UsageError: a path is missing, is no notebook, or holds none.
    """
    archives = archives or Archives(())
    found: dict[Path, Source] = {}
    walk = _Walk(archives)
    guesses: list[str] = []
    taken: set[str] = set()
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UsageError(_missing(path))
        is_folder = path.is_dir() or archives.takes(path)
        files = [(file, shown) for file, shown in walk.notebooks(path) if file not in found]
        if not files and not any(file.is_relative_to(path) for file in found):
            walk.account((), ())
            skipped = f" ({archives.told(walk.notes[-1])})" if walk.notes else ""
            raise UsageError(
                f"There is no notebook to grade in “{path}”{skipped}: put LEARNER.ipynb files "
                "there, or a folder of notebooks for each learner."
            )
        named_root = path if is_folder else path.parent
        roots = [_root(shown, named_root) for _, shown in files]
        below = [_below(shown, root) for (_, shown), root in zip(files, roots, strict=True)]
        owned = people(below, [_below(file, _root(file, named_root)) for file in walk.lying(path)])
        guesses += owned.notes if is_folder else []
        whose = list(zip(files, below, owned.learners, strict=True))
        having = {learner for (file, _), _, learner in whose if file not in walk.refused}
        for (file, _), parts, learner in whose:
            if file in walk.refused and learner in having:
                walk.notes.append(walk.refused[file])
                continue
            name = _unused("/".join(map(bare, parts)), taken)
            found[file] = Source(name, learner, file, archives.trouble.get(file, ""))
        around = {root.joinpath(*parts) for root in set(roots) for parts in owned.around}
        walk.account(files, around)
    numbered = namesakes({source.id: source.learner for source in found.values()})
    notes = [*map(archives.told, walk.notes), *walk.beside(), *guesses, *numbered]
    notes = list(map(visible, notes))
    return sorted(found.values(), key=lambda source: source.id), notes


def _root(shown: Path, root: Path) -> Path:
    """The folder that was named, or nbgrader's below or above it."""
    path, root = shown.absolute(), root.absolute()
    if path.is_relative_to(root / "submitted"):
        root /= "submitted"
    # Above what was named it is nbgrader's only if a learner and an assignment lie between.
    above = next((folder for folder in (root, *root.parents) if folder.name == "submitted"), root)
    return above if len(path.relative_to(above).parts) >= 3 else root


def _below(shown: Path, root: Path) -> tuple[str, ...]:
    return shown.absolute().relative_to(root).parts


def _unused(name: str, taken: set[str]) -> str:
    whole, number = text(name), 1
    name = whole
    while name in taken:
        number += 1
        name = f"{whole} ({number})"
    taken.add(name)
    return name


def _missing(path: Path) -> str:
    try:
        names = [beside.name for beside in path.parent.iterdir()]
    except OSError:
        names = []
    thing = f"file or folder “{path}”"
    return unknown(thing, path.name, names, called=lambda near: path.parent / near)


class _Walk:
    """Looks for notebooks in folders and archives.

    Attributes:
        notes: a sentence on each thing that was passed over, but for files beside notebooks.
        refused: archives that cannot be unpacked, with a sentence on each.
    """

    def __init__(self, archives: Archives) -> None:
        self.archives = archives
        self.notes: list[str] = []
        self._beside: list[Path] = []
        self._lacking: list[tuple[Path, list[str] | None]] = []
        self._empty: list[Path] = []
        self._having: set[Path] = set()  # folders in which a notebook was found
        self._people: set[str] = set()  # of platforms, who handed one in
        self.refused: dict[Path, str] = {}
        self._own = shared_place()  # which a class may hold, if that is where temporary files go

    def notebooks(self, path: Path) -> Iterator[tuple[Path, Path]]:
        """Each notebook under a path that was named, and its path as a person knows it."""
        if path.is_symlink():
            self.notes.append(f"“{path}” is a symbolic link and was skipped.")
        elif self.archives.takes(path):
            yield from self._folder(self.archives.unpack(path, self.notes, MAX_BYTES))
        elif path.is_dir():
            yield from self._folder(path)
        elif _is_notebook(path):
            yield path, path
        else:
            todo = "name an .ipynb file, a zip file, or a folder of them"
            if path.suffix.lower() in _OTHER_ARCHIVES:
                todo = "unpack it and name the folder"
            raise UsageError(f"“{path}” is not a notebook: {todo}.")

    def lying(self, path: Path) -> list[Path]:
        """Files that are no notebooks, below a path that was named."""
        return [file for file in self._beside if file.absolute().is_relative_to(path.absolute())]

    def account(self, notebooks: Sequence[tuple[Path, Path]], around: Collection[Path]) -> None:
        """Note who has handed in no notebook, but other files.

        Args:
            notebooks: that were found under a path that was named.
            around: folders in which the learners' own files and folders lie.
        """
        places = {self.archives.shown(file).absolute() for file, _ in notebooks}
        places |= {shown.absolute() for _, shown in notebooks}
        self._having |= {folder for place in places for folder in place.parents}
        self._people |= {platforms.handed_in_by(place.parts) for place in places}
        lacking: dict[Path, list[Path]] = {}
        for file in self._beside:
            inside = (file.absolute(), *file.absolute().parents)
            owns = (p for p in inside if p.parent in around or platforms.by_folder([p.name]))
            owner = next(owns, None)
            if owner is not None and owner not in self._having:
                lacking.setdefault(owner, []).append(file)
        for owner, files in lacking.items():
            if owner == files[0]:
                self._lacking.append((owner, None))
            else:
                self._lacking.append((owner, [file.name for file in files]))
        gone = {file for files in lacking.values() for file in files}
        self._beside = [file for file in self._beside if file not in gone]
        self._lacking += [(e, []) for e in self._empty if e.absolute().parent in around]
        for entry, others in self._lacking:
            shown = self.archives.shown(entry)
            person = platforms.handed_in_by(shown.absolute().parts)
            if person and person in self._people:  # a receipt, or words beside the notebook
                self._beside += [shown] if others is None else [shown / name for name in others]
            else:
                self._lacks(entry, others)
        self._lacking, self._empty = [], []

    def beside(self) -> list[str]:
        """A sentence on each kind of file that lay beside notebooks."""
        kinds: dict[str, list[str]] = {}
        for file in self._beside:
            kinds.setdefault(file.suffix.lower(), []).append(str(file))
        told = []
        for kind, files in sorted(kinds.items()):
            counted = f"{len(files)} files" if len(files) > 1 else "one file"
            ending = f"of kind {kind}" if kind else "without an ending"
            were = "were" if len(files) > 1 else "was"
            told.append(f"Beside notebooks {counted} {ending} {were} skipped: {named(files)}.")
        return told

    def _folder(self, path: Path) -> Iterator[tuple[Path, Path]]:
        if _is_of_nbgrader(path):
            around, path = path, path / "submitted"
            kept = (e for e in sorted(around.iterdir()) if e.is_dir() and e != path)
            if own := [e.name for e in kept if _holds_notebook(e) and e.name not in _HIDDEN]:
                self.notes.append(f"Beside “{path}” what nbgrader keeps was skipped: {named(own)}.")
        for entry in self._entries(path, top=True):
            noted, beside = len(self.notes), len(self._beside)
            found = list(self._under(entry))
            told = bare(entry.name) in PAGES
            told = told or any(f"“{entry}”" in note for note in self.notes[noted:])
            if not found:
                others = [file.name for file in self._beside[beside:]]
                del self._beside[beside:]
            if not found and not told:  # somebody may be missing from the gradebook
                holds = entry.is_dir() or self.archives.takes(entry)
                self._lacking.append((entry, others if holds else None))
            yield from found

    def _lacks(self, entry: Path, others: Sequence[str] | None) -> None:
        what = "is not a notebook"
        if others is not None:
            what = "holds no notebook to grade" + (f" (but {named(others)})" if others else "")
        ask = "if it was handed in, ask for the .ipynb file"
        self.notes.append(f"“{entry}” {what} and was skipped; {ask}.")

    def _under(self, path: Path, depth: int = 0) -> Iterator[tuple[Path, Path]]:
        if path.is_symlink():
            if _is_notebook(path) or path.is_dir():
                self.notes.append(f"“{path}” is a symbolic link and was skipped.")
        elif path.is_dir():
            if depth > MAX_DEPTH:
                told = Path(*path.parts[: -MAX_DEPTH + 1])
                self.notes.append(f"“{told}” holds too many folders in folders: some were skipped.")
                return
            entries = self._entries(path)
            if not entries and depth:
                self._empty.append(path)
            for entry in entries:
                yield from self._under(entry, depth + 1)
        elif self.archives.takes(path):
            yield from self._packed(path)
        elif _is_notebook(path):
            if bare(path.name) not in PAGES:
                yield path, self.archives.shown(path)
        else:
            self._beside.append(self.archives.shown(path))

    def _packed(self, path: Path) -> Iterator[tuple[Path, Path]]:
        """What a zip file among others holds."""
        try:
            folder = self.archives.unpack(path, self.notes, MAX_HANDED_IN)
        except UsageError as error:
            what = str(error).replace(str(path), path.name)
            self.archives.trouble[path] = f"{what} Hand in the notebook itself, NAME.ipynb."
            self.refused[path] = f"{error} It was skipped."
            yield path, self.archives.shown(path)
            return
        yield from self._under(folder)

    def _entries(self, folder: Path, *, top: bool = False) -> list[Path]:
        """What is in a folder, less what is hidden and no notebook."""
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.notes.append(f"“{folder}” cannot be opened ({error.strerror}) and was skipped.")
            return []
        copies, solutions = folder / ".ipynb_checkpoints", folder / "solutions"
        if copies in entries:
            self.notes.append(f"“{copies}” holds automatic copies and was skipped.")
        handed_out, solved = (
            {path.name for path in (folder / part).glob("*.ipynb")}
            for part in ("notebooks", "solutions")
        )
        is_clone = not top or folder / "course_lib" in entries  # else learners may be called so
        own = is_clone and solutions in entries and solved and solved <= handed_out
        if own and all(map(_is_solved, solutions.glob("*.ipynb"))):
            self.notes.append(f"“{solutions}” are the course's own and were skipped.")
            entries.remove(solutions)
        hidden = [e for e in entries if e.name.startswith(".") and e.name not in _HIDDEN]
        for entry in hidden:
            if entry.is_dir() and not entry.is_symlink() and _holds_notebook(entry):
                self.notes.append(f"“{entry}” has a dot before its name and was skipped.")
        return [
            entry
            for entry in entries
            if entry.name != "__MACOSX"
            and entry.absolute() != self._own
            and not (entry / "results.jsonl").is_file()  # what an earlier grading has written
            and not entry.name.startswith("._")
            and (not entry.name.startswith(".") or (_is_notebook(entry) and not entry.is_dir()))
        ]


def _is_of_nbgrader(folder: Path) -> bool:
    """Whether what was handed in is all in ``submitted``; else that is a folder like others."""
    if not (folder / "submitted").is_dir():
        return False
    beside = [entry for entry in folder.iterdir() if entry.name != "submitted"]
    if _OF_NBGRADER & {entry.name for entry in beside}:
        return True
    others = (entry for entry in beside if not entry.name.startswith("."))
    return not any(_is_notebook(e) or (e.is_dir() and _holds_notebook(e)) for e in others)


def _holds_notebook(folder: Path) -> bool:
    return any(any(map(_is_notebook, map(Path, files))) for _, _, files in os.walk(folder))


def _is_solved(path: Path) -> bool:
    """Whether it is a solved lesson as the course has it, with its marks."""
    try:
        return b"### BEGIN SOLUTION" in path.read_bytes()
    except OSError:
        return False


def _is_notebook(path: Path) -> bool:
    return ENDING.search(path.name) is not None
