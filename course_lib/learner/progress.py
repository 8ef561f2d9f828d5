"""How far a learner has come: one line for each check, in a file beside the notebooks.

``progress.jsonl`` is only ever appended to, one short line at a time. So two kernels at once lose
nothing, a crash costs a line at most, and a line that cannot be read costs only itself.

Set ``COURSE_PROGRESS`` to a file to keep it elsewhere, or to ``off`` to keep nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import settings
from ..errors import CourseError
from ..lessons import LAST_PAGE, lessons, root
from ..settings import shell

if TYPE_CHECKING:
    from ..exercises.check import Note
    from ..exercises.verdict import Verdict

FILE = "progress.jsonl"
PATIENCE = 3
"""After so many attempts at an exercise the solved lesson is offered."""
ELSEWHERE = f"set {settings.PROGRESS} to a file that you may write to, then restart the kernel"

_said = False
"""Whether this process has said that progress cannot be recorded."""


@dataclass(frozen=True)
class Standing:
    """What became of one exercise so far: how often it was tried, and whether once rightly."""

    tries: int = 0
    solved: bool = False

    def __str__(self) -> str:
        if self.solved:
            return "solved"
        if self.tries:
            return f"tried {'once' if self.tries == 1 else f'{self.tries} times'}"
        return "not tried yet"


@dataclass(frozen=True)
class Progress:
    """What the file says.

    Attributes:
        exercises: standing of each exercise that was tried, by its name.
        unreadable: number of lines that are no records.
    """

    exercises: dict[str, Standing]
    unreadable: int = 0

    def of(self, exercise: str) -> Standing:
        return self.exercises.get(exercise, Standing())


def record(verdict: Verdict) -> str | Note:
    """Note an attempt. Returns a sentence on how far the learner has come, or "".

    Whoever has tried in vain several times may unfold a solution.

    It never raises. Where nothing can be noted it says why, once in a process. Nothing is noted of
    a cell that was not filled in, under nbgrader, and where no person has the notebook open, as in
    `course run` and in tests.
    """
    global _said
    if verdict.status == "not attempted" or _open_notebook() is None:
        return ""
    try:
        file = path()
        if file is not None:
            before = read(file) if file.is_file() else Progress({})
            _append(file, {"exercise": verdict.exercise, "status": verdict.status})
            return _remark(verdict, before, read(file))
    except (OSError, CourseError) as error:
        if not _said:
            _said = True
            reason = getattr(error, "strerror", None) or str(error).rstrip(".")
            return f"Your progress is not recorded ({reason}): {ELSEWHERE}."
    return ""


def _remark(verdict: Verdict, before: Progress, now: Progress) -> str | Note:
    """What an attempt has changed, in a sentence; "" if it is nothing to speak of."""
    from ..exercises.catalogue import catalogue

    name = verdict.exercise
    lesson = catalogue()[name].lesson
    own = [one.name for one in catalogue().values() if one.lesson == lesson]
    number, tries = lesson.partition("_")[0], now.of(name).tries
    if not now.of(name).solved and tries >= PATIENCE:
        return _solution(lesson, name, tries)
    if before.of(name).solved or not now.of(name).solved:
        return ""
    solved = sum(now.of(other).solved for other in own)
    if solved < len(own):
        return f"That is {solved} of the {len(own)} exercises of lesson {number}."
    return f"All {len(own)} exercises of lesson {number} are solved. Well done.{_next(lesson)}"


def _solution(lesson: str, name: str, tries: int) -> str | Note:
    """Offers one solution: in a fold; where the solved lesson is not at hand, how to open it."""
    from ..exercises.catalogue import find
    from ..exercises.check import Note

    said = f"You have tried `{name}` {tries} times. Go on trying, go on without it, or"
    number = lesson.partition("_")[0]
    try:
        solved = json.loads((root() / "solutions" / f"{lesson}.ipynb").read_text("utf-8"))
        (cell,) = (cell for cell in solved["cells"] if cell.get("id") == name)
        lines = "".join(cell["source"]).splitlines()
    except (OSError, CourseError, ValueError, TypeError, KeyError, AttributeError):
        return f"{said} see `course lab --solution {number}` in a terminal: the solved lesson."
    code = "\n".join(line for line in lines if not line.strip().startswith("### "))
    notice = f"What to notice in it: {find(name).think}"
    return Note(f"{said} unfold this:", ("One solution", code, notice))


def _next(lesson: str) -> str:
    after = [one for one in lessons() if one.name > lesson]
    if after:
        return f" Next comes [lesson {after[0].number}, {after[0].title}]({after[0].name}.ipynb)."
    return f" That was the last one: see [what you have done]({LAST_PAGE}.ipynb)."


def read(file: Path | None) -> Progress:
    """The progress that a file holds; none without a file. It is left as it is.

    Raises:
        CourseError: it is there but cannot be opened.
    """
    try:
        lines = file.read_text("utf-8", errors="replace").splitlines() if file else []
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise CourseError(
            f"Your progress in {file} cannot be read ({error.strerror}): {ELSEWHERE}."
        ) from error
    progress = Progress({})
    unreadable = 0
    for line in filter(str.strip, lines):
        try:
            entry = json.loads(line)
            name, solved = str(entry["exercise"]), entry["status"] == "correct"
        except (ValueError, TypeError, KeyError, RecursionError):
            unreadable += 1
            continue
        before = progress.of(name)
        progress.exercises[name] = Standing(before.tries + 1, before.solved or solved)
    return Progress(progress.exercises, unreadable)


def path() -> Path | None:
    """The file: of `COURSE_PROGRESS`, else beside the open notebook, else in ``notebooks/``.

    None if `COURSE_PROGRESS` is off.

    Raises:
        CourseError: there can be none: an unknown home, or a course installed without lessons.
    """
    wanted = settings.progress_file()
    if wanted is None:
        return None
    if wanted:
        try:
            return Path(wanted).expanduser()
        except RuntimeError as error:
            raise CourseError(
                f"{settings.PROGRESS} is {wanted}, but there is no such home."
            ) from error
    notebook = _open_notebook()
    return (notebook.parent if notebook else root() / "notebooks") / FILE


def reset() -> Path | None:
    """Start again: moves the file aside, in place of the one that was moved aside before.

    Returns:
        Where it is now; None if there was none.

    Raises:
        CourseError: it cannot be moved.
    """
    file = path()
    if file is None:
        return None
    try:
        return file.replace(file.with_name(f"{file.stem}.old{file.suffix}"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CourseError(f"{file} cannot be moved aside: {error.strerror}.") from error


def _open_notebook() -> Path | None:
    """The notebook that a person has open in Jupyter or Visual Studio Code, else None.

    Both name it to the kernel; programs that execute notebooks do not.
    """
    notebook = shell()
    if notebook is None or "NBGRADER_EXECUTION" in os.environ:
        return None
    named = os.environ.get("JPY_SESSION_NAME") or notebook.user_ns.get("__vsc_ipynb_file__")
    if not named:
        return None
    file = Path(named)
    return file if file.parent.is_dir() else Path.cwd() / file.name


def _append(file: Path, entry: dict[str, str]) -> None:
    entry["at"] = datetime.now().astimezone().isoformat(timespec="seconds")
    line = json.dumps(entry).encode() + b"\n"
    with file.open("a+b", buffering=0) as stream:  # unbuffered: a line is one write
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
            if stream.read(1) != b"\n":  # a line that was cut off
                line = b"\n" + line
        stream.write(line)
