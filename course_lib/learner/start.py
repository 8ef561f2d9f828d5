"""What the pages show live: the findings of the doctor, and the learner's progress."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from .. import settings
from ..errors import CourseError
from ..exercises import catalogue
from ..exercises.verdict import environment
from ..lessons import LAST_PAGE, Lesson, lessons
from ..settings import display, shell
from . import doctor, progress

WORDS: dict[doctor.Level, str] = {"ok": "Fine", "note": "Note", "missing": "Missing"}


def machine() -> None:
    """Show what was found on this machine, line by line, as `course doctor` does."""
    view = MachineView()
    handle = _display(view)
    for finding in doctor.findings():
        view.findings.append(finding)
        if handle:
            handle.update(view)
    view.done = True
    if handle:
        handle.update(view)
    else:
        print(view.text)


def my_progress() -> ProgressView:
    """A table of the lessons: which exercises are solved, and which comes next."""
    return ProgressView()


class MachineView:
    """Findings so far, as an HTML list and as lines of text."""

    def __init__(self) -> None:
        self.findings: list[doctor.Finding] = []
        self.done = False

    @property
    def summary(self) -> str:
        if not self.done:
            return "Looking at this machine; loading Keras takes longest."
        if any(finding.level == "missing" for finding in self.findings):
            return "A lesson cannot run yet: look for the lines that begin with “Missing”."
        if any(finding.level == "note" and finding.do for finding in self.findings):
            return (
                "Every lesson can run here. The lines that begin with “Note” say what would help."
            )
        return "Every lesson can run here."

    @property
    def text(self) -> str:
        return "\n".join([self.summary, *map(str, self.findings)])

    @property
    def html(self) -> str:
        """Each line begins with its level in words."""
        return _html("machine", self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


class ProgressView:
    """The learner's progress by lesson, as an HTML table and as lines of text."""

    def __init__(self) -> None:
        self.exercises: dict[Lesson, dict[str, progress.Standing]] = {}
        known = progress.Progress({})
        self.remark = ""
        try:
            file = progress.path()
            known = progress.read(file)
            if file is None:
                self.remark = f"No progress is kept, because {settings.PROGRESS} is off."
            elif known.unreadable:
                lines = "1 line" if known.unreadable == 1 else f"{known.unreadable} lines"
                self.remark = f"{lines} of {file} could not be read; the rest counts."
        except CourseError as error:
            self.remark = str(error)
        for lesson in lessons():
            self.exercises[lesson] = {
                name: known.of(name)
                for name, exercise in catalogue().items()
                if exercise.lesson == lesson.name
            }

    @property
    def summary(self) -> str:
        every = [standing for each in self.exercises.values() for standing in each.values()]
        return f"{sum(standing.solved for standing in every)} of {len(every)} exercises solved"

    @property
    def ahead(self) -> tuple[Lesson, str] | None:
        """The first exercise that is not solved, with its lesson; None if all are."""
        for lesson, standings in self.exercises.items():
            for name, standing in standings.items():
                if not standing.solved:
                    return lesson, name
        return None

    @property
    def text(self) -> str:
        """A line for each lesson and, where one has begun, for each exercise."""
        lines = [f"{self.summary}."]
        for lesson, standings in self.exercises.items():
            solved = sum(standing.solved for standing in standings.values())
            lines.append(f"{lesson.number} {lesson.title}: {solved} of {len(standings)}")
            if any(standing.tries for standing in standings.values()):
                lines += [f"   {name}: {standing}" for name, standing in standings.items()]
        return "\n".join([*lines, *filter(None, [self.remark])])

    @property
    def html(self) -> str:
        """A row for each lesson; its exercises, folded, say in words how they stand."""
        return _html("progress", self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


@cache
def _templates() -> Any:
    pages = environment(Path(__file__).parent)
    pages.globals |= {"words": WORDS, "last_page": LAST_PAGE}
    return pages.get_template("start.html.j2").module


def _html(block: str, view: MachineView | ProgressView) -> str:
    return str(getattr(_templates(), block)(view))


def _display(view: MachineView) -> Any:
    """Shows it in a notebook, where the handle that this returns can update it; else None."""
    return display(view, display_id=True) if shell() is not None else None
