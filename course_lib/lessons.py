"""The lessons: where their files are, and what each says about itself in its source's header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote

from .errors import CourseError, UsageError, unknown
from .files import from_yaml, text_of

Edition = Literal["notebooks", "solutions"]
EDITIONS: tuple[Edition, ...] = get_args(Edition)
IN_ANCHORS = ":,?!'’"
"""Beside letters and digits, what may stand in an anchor as in its heading."""
START_PAGE, LAST_PAGE = "00_start_here", "16_what_you_have_done"
"""Of the pages; learners who hand in their whole folder hand them in too."""


@dataclass(frozen=True)
class Lesson:
    """One lesson, as the header of its source ``solutions/NN_name.py`` describes it.

    Attributes:
        name: file name without ending, as ``01_losses``.
        title: as the reader sees it.
        minutes: that a learner needs, about.
        able: ends the sentence "After this lesson you are able to ...".
        root: folder of the project.
        after: numbers of the lessons that it builds on, as ``01``.
        is_page: it teaches nothing by itself, as the start page; see `pages`.
        data: names of the data sets that it reads, as in `course_lib.data.SOURCES`.
        weights: names of the pretrained networks that it loads, as ``resnet50``.
        gpu: whether a GPU makes it quicker; it needs none.
        colab: whether it opens in Google Colab, by a cell that installs the course there.
    """

    name: str
    title: str
    minutes: int
    able: str
    root: Path
    after: tuple[str, ...] = ()
    is_page: bool = False
    data: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    gpu: bool = False
    colab: bool = False

    @property
    def number(self) -> str:
        """As ``01``."""
        return self.name.partition("_")[0]

    @property
    def editions(self) -> tuple[Edition, ...]:
        """Those that there are: a page has nothing to solve, so it is there for learners only."""
        return ("notebooks",) if self.is_page else EDITIONS

    @property
    def source(self) -> Path:
        """The text file from which both editions are built."""
        return self.root / "solutions" / f"{self.name}.py"

    def notebook(self, edition: Edition) -> Path:
        """The learner's notebook (``notebooks``) or the solved one (``solutions``)."""
        return self.root / edition / f"{self.name}.ipynb"

    def files(self) -> list[Path]:
        """Those of its files that are there: the source and the notebooks."""
        every = [self.source, *map(self.notebook, self.editions)]
        return [file for file in every if file.is_file()]


def root() -> Path:
    """Folder of the project, the one that holds ``notebooks/`` and ``solutions/``.

    Raises:
        CourseError: the package was installed without its lessons.
    """
    folder = Path(__file__).resolve().parents[1]
    absent = [f"{edition}/" for edition in EDITIONS if not (folder / edition).is_dir()]
    if absent:
        raise CourseError(
            f"There is no {' and no '.join(absent)} in {folder}, so this installation has no "
            "lessons: in a whole copy of the course's repository, run "
            "`pip install --no-deps -e .`."
        )
    return folder


def lessons() -> list[Lesson]:
    """All lessons in the order of teaching.

    Raises:
        CourseError: a source has no header or lacks one of its facts.
    """
    return [lesson for lesson in _sources() if not lesson.is_page]


def pages() -> list[Lesson]:
    """The notebooks that are built like lessons but teach nothing: the first and the last page.

    The header of such a source says ``page: true``.

    Raises:
        CourseError: as `lessons`.
    """
    return [lesson for lesson in _sources() if lesson.is_page]


def find(name: str) -> Lesson:
    """The lesson or page called so: "01", "1", "losses", "01_losses", or a path of its files.

    Raises:
        UsageError: there is none, and the message names the nearest one; or the path is that of
            a file elsewhere.
    """
    stem = re.sub(r"\.(ipynb|py)$", "", re.split(r"[/\\]", name)[-1]).lower()
    by_name = {known: lesson for lesson in _sources() for known in _names(lesson)}
    if stem in by_name:
        lesson, file = by_name[stem], Path(name)
        if file.is_file() and not any(map(file.samefile, lesson.files())):
            raise UsageError(
                f"“{name}” is not the course's own file, which is in {lesson.root}: to mean that "
                f"one, write {lesson.name}."
            )
        return lesson
    words = [known for known in by_name if not known.isdigit()]  # every number is near another
    names = dict.fromkeys(lesson.name for lesson in by_name.values())
    raise UsageError(
        unknown(f"lesson “{name}”", stem, words, names, lambda near: by_name[near].name)
    )


def chosen(names: Iterable[str]) -> list[Lesson]:
    """The lessons and pages of these names in their order, each once; without names all lessons.

    Raises:
        UsageError: a name is not a lesson's.
    """
    named = {find(name) for name in names}
    return [lesson for lesson in _sources() if lesson in named] or lessons()


def title(name: str) -> str:
    """Number and title of the lesson with this file name: "01, “Losses”". No other file is read.

    Without its source, as where the package was installed alone, the number.
    """
    number = name.partition("_")[0]
    try:
        folder = root()
        return f"{number}, “{_read(folder / 'solutions' / f'{name}.py', folder).title}”"
    except CourseError:
        return number


@cache
def anchor(name: str, section: str) -> str:
    """In JupyterLab, of the section of this lesson whose heading is so, without its number.

    That is the heading itself, with dashes for blanks; "" without the lesson's source.
    """
    try:
        text = text_of(root() / "solutions" / f"{name}.py")
    except CourseError:
        return ""
    found = re.search(rf"(?m)^# ##+ ((?:\d+ )?{re.escape(section)})$", text)
    return anchor_of(found[1]) if found else ""


def anchor_of(heading: str) -> str:
    """Of a heading, as `anchor`."""
    return quote(heading.replace(" ", "-"), safe=IN_ANCHORS)


def numbered(some: Iterable[Lesson]) -> str:
    """Their numbers in words: "lessons 01 to 04 and 06"; "no lesson" if there are none."""
    runs: list[list[str]] = []
    for number in sorted(lesson.number for lesson in some):
        if runs and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    if not runs:
        return "no lesson"
    words = []
    for run in runs:
        words += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else run
    *first, last = words
    several = len(runs) > 1 or len(runs[0]) > 1
    told = f"{', '.join(first)} and {last}" if first else last
    return f"lesson{'s' if several else ''} {told}"


def how_to_restore(*notebooks: Path) -> str:
    """What brings these notebooks back, and touches no other, which may hold answers."""
    numbers = " ".join(path.name[:2] for path in notebooks)
    learners = all(path.parent.name == "notebooks" for path in notebooks)
    return f"run `course {'reset' if learners else 'build'} {numbers}`"


def _names(lesson: Lesson) -> tuple[str, ...]:
    number, _, word = lesson.name.partition("_")
    return number, number.lstrip("0") or "0", word, lesson.name


def _sources() -> list[Lesson]:
    folder = root()
    return [_read(source, folder) for source in sorted((folder / "solutions").glob("[0-9]*_*.py"))]


def _read(source: Path, folder: Path) -> Lesson:
    """A lesson from the YAML header between the first two lines ``# ---`` of its source."""
    facts = _header(text_of(source)).get("jupyter", {}).get("course", {})
    try:
        lesson = Lesson(
            name=source.stem,
            title=str(facts.pop("title")),
            minutes=int(facts.pop("minutes")),
            able=str(facts.pop("able")),
            root=folder,
            after=tuple(map(str, facts.pop("after", ()))),
            is_page=facts.pop("page", False) is True,
            data=tuple(map(str, facts.pop("data", ()))),
            weights=tuple(map(str, facts.pop("weights", ()))),
            gpu=facts.pop("gpu", False) is True,
            colab=facts.pop("colab", False) is True,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        lesson = None
    if lesson is None or facts:
        raise CourseError(
            f"{source.name} does not describe its lesson: its header needs, under jupyter: course:,"
            " a title, a whole number of minutes and what the reader will be able to do; it may "
            "list data, weights and what it builds on (after), and say true for gpu, colab or page."
        )
    return lesson


def _header(text: str) -> dict[str, Any]:
    import yaml

    match = re.match(r"# ---\n((?:#.*\n)*?)# ---\n", text)
    if match is None:
        return {}
    try:
        header = from_yaml(re.sub(r"^# ?", "", match[1], flags=re.MULTILINE))
    except yaml.YAMLError:
        return {}
    return header if isinstance(header, dict) else {}
