"""Paths that an instructor names -> the submissions there, and whose they are."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NAMED, UsageError, named, short, unknown, visible
from ..files import is_file, is_folder, is_link
from ..lessons import LAST_PAGE, START_PAGE
from ..sandbox.scratch import shared_place
from . import platforms
from .archives import MAX_BYTES, MAX_HANDED_IN, MAX_NOTEBOOKS, Archives
from .names import ENDING, bare
from .notes import LINK, Kind, Notes, skipped
from .people import namesakes, people, text

ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")
PAGES = (START_PAGE, LAST_PAGE)  # nothing to grade
MAX_DEPTH = 60  # of folders in folders
_OF_NBGRADER = frozenset({"source", "release", "gradebook.db", "nbgrader_config.py"})
_HIDDEN = frozenset({".ipynb_checkpoints", ".git", ".venv", ".Trash"})
_OTHER_ARCHIVES = frozenset({".gz", ".tgz", ".tar", ".7z", ".rar"})
# What grading writes, and systems beside it.
_OF_GRADING = re.compile(
    r"results\.jsonl|under_way\.txt|summary\.html|gradebook\.(?:csv|xlsx)|feedback"
    r"|(?:grades|canvas|moodle(?:_worksheet_.+)?)\.csv|feedback_(?:moodle|canvas)\.zip|\..+\.part"
    r"|~\$.+|\.~lock.+|\.DS_Store|Thumbs\.db|desktop\.ini"
)
_COPIES = skipped("holds automatic copies", "hold automatic copies")
_SOLVED = Kind("are the course's own and were skipped")
_HIDDEN_NAME = skipped("has a dot before its name", "have a dot before their names")
_LACKING = skipped("holds no notebook to grade", "hold no notebook to grade")
_DEEP = Kind(
    "holds too many folders in folders: some were skipped",
    "hold too many folders in folders: some were skipped",
)


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
    found: dict[Path, Source] = {}  # by the place of each file, however the path to it is written
    walk = _Walk(archives)
    guesses: list[str] = []
    taken: set[str] = set()
    seen: set[Path] = set()
    for path in paths:
        _require(path)
        place = _place(path)
        is_inside = any(place.is_relative_to(other) for other in seen)
        if is_inside and any(file.is_relative_to(place) for file in found):
            continue
        seen.add(place)
        is_class = is_folder(path) or archives.takes(path)
        files = [(f, shown) for f, shown in walk.notebooks(path) if _place(shown) not in found]
        if not files and not any(file.is_relative_to(place) for file in found):
            walk.account((), ())
            *_, last = "", *walk.notes
            passed_over = f" ({archives.told(last)})" if last else ""
            raise UsageError(
                f"There is no notebook to grade in “{path}”{passed_over}: put LEARNER.ipynb files "
                "there, or a folder of notebooks for each learner."
            )
        named_root = path if is_class else path.parent
        roots = [_root(shown, named_root) for _, shown in files]
        below = [_below(shown, root) for (_, shown), root in zip(files, roots, strict=True)]
        owned = people(below, [_below(file, _root(file, named_root)) for file in walk.lying(path)])
        guesses += owned.notes if is_class else []
        whose = list(zip(files, below, owned.learners, strict=True))
        having = {learner for (file, _), _, learner in whose if file not in walk.refused}
        for (file, shown), parts, learner in whose:
            if file in walk.refused and learner in having:
                walk.notes.say(walk.refused[file])
                continue
            name = _unused("/".join(map(bare, parts)), taken)
            trouble = visible(archives.trouble.get(file, ""))
            found[_place(shown)] = Source(name, learner, file, trouble)
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


def _place(path: Path) -> Path:
    """One for all ways to write a path."""
    return path.absolute() if is_link(path) else Path(os.path.realpath(path))


def _require(path: Path) -> None:
    """Raises: UsageError: it is missing, or this user may not see it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        names = [beside.name for beside in _listed(path.parent)]
        thing = f"file or folder “{path}”"
        near = unknown(thing, path.name, names, called=lambda name: path.parent / name)
        raise UsageError(near) from None
    except OSError as error:
        raise UsageError(f"“{path}” cannot be opened: {error.strerror}.") from None


def _listed(folder: Path) -> list[Path]:
    """What is in it, as far as this user may know."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


class _Walk:
    """Looks for notebooks in folders and archives.

    Attributes:
        notes: a sentence on each thing that was passed over, but for files beside notebooks.
        refused: archives that cannot be unpacked, with a sentence on each.
    """

    def __init__(self, archives: Archives) -> None:
        self.archives = archives
        self.notes = Notes()
        self._beside: list[Path] = []
        self._lacking: list[tuple[Path, list[str] | None]] = []
        self._empty: list[Path] = []
        self._having: set[Path] = set()  # folders in which a notebook was found
        self._people: set[str] = set()  # of platforms, who handed one in
        self.refused: dict[Path, str] = {}
        self._named: set[Path] = set()
        self._packs: set[Path] = set()  # archives among others
        self._unopened = 0
        self._top: Path | None = None  # the entry of a folder that was named, which is looked at
        self._own = shared_place()  # which a class may hold, if that is where temporary files go

    def notebooks(self, path: Path) -> Iterator[tuple[Path, Path]]:
        """Each notebook under a path that was named, and its path as a person knows it."""
        self._top = path
        self._named.add(path.absolute())
        if is_link(path):
            self._pass_over(path, LINK)
        elif self.archives.takes(path):
            yield from self._folder(self.archives.unpack(path, self.notes, MAX_BYTES))
        elif is_folder(path):
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
        self._people |= {platforms.handed_in_by(self._below(place)) for place in places}
        lacking: dict[Path, list[Path]] = {}
        for file in self._beside:
            inside = [*self._inside(file.absolute())]
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
        told: Counter[Path] = Counter()
        for entry, others in self._lacking:
            shown = self.archives.shown(entry)
            told.update(packs := self._packs.intersection(shown.absolute().parents))
            person = platforms.handed_in_by(self._below(shown.absolute()))
            if person and person in self._people:  # a receipt, or words beside the notebook
                self._beside += [shown] if others is None else [shown / name for name in others]
            elif any(told[pack] > MAX_NOTEBOOKS for pack in packs):
                self.notes.add(_LACKING, shown, min(packs))
            else:
                self._lacks(entry, others)
        self._lacking, self._empty = [], []

    def _inside(self, path: Path) -> Iterator[Path]:
        """A path and those around it, up to one that was named: others say nothing of people."""
        for around in (path, *path.parents):
            yield around
            if around in self._named:
                return

    def _below(self, path: Path) -> list[str]:
        return [around.name for around in self._inside(path)][::-1]

    def beside(self) -> list[str]:
        """A sentence on each kind of file that lay beside notebooks."""
        kinds: dict[str, list[str]] = {}
        for file in {_place(file): file for file in self._beside}.values():
            kinds.setdefault(file.suffix.lower(), []).append(str(file))
        often = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
        told = []
        for kind in sorted(often[:NAMED]):
            ending = f"of kind {short(kind)}" if kind else "without an ending"
            told.append(_told_beside(kinds[kind], ending))
        if rest := [file for kind in often[NAMED:] for file in kinds[kind]]:
            told.append(_told_beside(rest, "of other kinds"))
        return told

    def _folder(self, path: Path) -> Iterator[tuple[Path, Path]]:
        if _is_of_nbgrader(path):
            around, path = path, path / "submitted"
            kept = (e for e in _listed(around) if is_folder(e) and e != path)
            if own := [e.name for e in kept if _holds_notebook(e) and e.name not in _HIDDEN]:
                self.notes.say(f"Beside “{path}” what nbgrader keeps was skipped: {named(own)}.")
        for entry in self._entries(path, top=True):
            self._top = entry
            unopened, beside = self._unopened, len(self._beside)
            found = list(self._under(entry))
            told = bare(entry.name) in PAGES or self._unopened > unopened
            told = told or self.notes.tell_of(self.archives.shown(entry))
            if not found:
                others = [file.name for file in self._beside[beside:]]
                del self._beside[beside:]
            if not found and not told:  # somebody may be missing from the gradebook
                holds = is_folder(entry) or self.archives.takes(entry)
                self._lacking.append((entry, others if holds else None))
            yield from found

    def _pass_over(self, path: Path, kind: Kind) -> None:
        """Note it, with others of its kind that one person may have handed in."""
        place = self.archives.handed_in(path) or self._top
        self.notes.add(kind, self.archives.shown(path), place)

    def _cannot_open(self, path: Path, number: int | None) -> None:
        self._unopened += 1
        why = f" ({os.strerror(number)})" if number else ""
        self._pass_over(path, skipped(f"cannot be opened{why}"))

    def _lacks(self, entry: Path, others: Sequence[str] | None) -> None:
        what = "is not a notebook"
        if others is not None:
            what = "holds no notebook to grade" + (f" (but {named(others)})" if others else "")
        ask = "if it was handed in, ask for the .ipynb file"
        entry = self.archives.shown(entry)
        self.notes.say(f"{named([str(entry)])} {what} and was skipped; {ask}.")

    def _under(self, path: Path, depth: int = 0) -> Iterator[tuple[Path, Path]]:
        if is_link(path):
            if _is_notebook(path) or is_folder(path):
                self._pass_over(path, LINK)
        elif is_folder(path):
            if depth > MAX_DEPTH:
                self._unopened += 1
                self._pass_over(Path(*path.parts[: -MAX_DEPTH + 1]), _DEEP)
                return
            unopened = self._unopened
            entries = self._entries(path)
            if not entries and depth and self._unopened == unopened:
                self._empty.append(path)
            for entry in entries:
                yield from self._under(entry, depth + 1)
        elif self.archives.takes(path):
            yield from self._packed(path)
        elif _is_notebook(path):
            if bare(path.name) not in PAGES:
                yield path, self.archives.shown(path)
        elif os.path.lexists(path):
            self._beside.append(self.archives.shown(path))
        else:
            self._cannot_open(path, None)

    def _packed(self, path: Path) -> Iterator[tuple[Path, Path]]:
        """What a zip file among others holds."""
        try:
            self._packs.add(self.archives.shown(path).absolute())
            folder = self.archives.unpack(path, self.notes, MAX_HANDED_IN)
        except UsageError as error:
            what = str(error).replace(str(path), path.name)
            self.archives.trouble[path] = f"{what} Hand in the notebook itself, NAME.ipynb."
            told = str(error).replace(str(path), short(str(self.archives.shown(path))))
            self.refused[path] = f"{told} It was skipped."
            yield path, self.archives.shown(path)
            return
        yield from self._under(folder)

    def _entries(self, folder: Path, *, top: bool = False) -> list[Path]:
        """What is in a folder, less what is hidden and no notebook."""
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self._cannot_open(folder, error.errno)
            return []
        if not os.access(folder, os.X_OK):
            self._cannot_open(folder, errno.EACCES)
            return []
        copies, solutions = folder / ".ipynb_checkpoints", folder / "solutions"
        if copies in entries:
            self._pass_over(copies, _COPIES)
        is_clone = not top or folder / "course_lib" in entries  # else learners may be called so
        if is_clone and solutions in entries and _are_the_course_s(solutions):
            self._pass_over(solutions, _SOLVED)
            entries.remove(solutions)
        hidden = [e for e in entries if e.name.startswith(".") and e.name not in _HIDDEN]
        for entry in hidden:
            if is_folder(entry) and not is_link(entry) and _holds_notebook(entry):
                self._pass_over(entry, _HIDDEN_NAME)
        return [
            entry
            for entry in entries
            if entry.name != "__MACOSX"
            and entry.absolute() != self._own
            and not _is_of_grading(entry)
            and not entry.name.startswith("._")
            and (not entry.name.startswith(".") or (_is_notebook(entry) and not is_folder(entry)))
        ]


def _told_beside(files: Sequence[str], what: str) -> str:
    counted, were = (f"{len(files)} files", "were") if len(files) > 1 else ("one file", "was")
    return f"Beside notebooks {counted} {what} {were} skipped: {named(files)}."


def _is_of_nbgrader(folder: Path) -> bool:
    """Whether what was handed in is all in ``submitted``; else that is a folder like others."""
    if not is_folder(folder / "submitted"):
        return False
    beside = [entry for entry in _listed(folder) if entry.name != "submitted"]
    if _OF_NBGRADER & {entry.name for entry in beside}:
        return True
    others = (entry for entry in beside if not entry.name.startswith("."))
    return not any(_is_notebook(e) or (is_folder(e) and _holds_notebook(e)) for e in others)


def _is_of_grading(folder: Path) -> bool:
    """Whether an earlier grading has written there, and nobody handed it in with something else."""
    if not is_file(folder / "results.jsonl"):
        return False
    return all(_OF_GRADING.fullmatch(entry.name) for entry in _listed(folder))


def _holds_notebook(folder: Path) -> bool:
    left = [str(folder)]
    while left:  # not by recursion: it may be deep
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif ENDING.search(entry.name):
                    return True
    return False


def _are_the_course_s(solutions: Path) -> bool:
    """Whether a folder holds solved lessons as the course has them, and learners' stand beside."""
    solved = [path for path in _listed(solutions) if path.suffix == ".ipynb"]
    handed_out = {path.name for path in _listed(solutions.with_name("notebooks"))}
    named_alike = bool(solved) and {path.name for path in solved} <= handed_out
    return named_alike and all(map(_is_solved, solved))


def _is_solved(path: Path) -> bool:
    """Whether it is a solved lesson as the course has it, with its marks."""
    try:
        return b"### BEGIN SOLUTION" in path.read_bytes()
    except OSError:
        return False


def _is_notebook(path: Path) -> bool:
    return ENDING.search(path.name) is not None
