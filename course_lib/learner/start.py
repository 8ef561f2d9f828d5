"""What the start page shows live: the findings of the doctor, and the learner's progress."""

from __future__ import annotations

from html import escape
from typing import Any

from .. import settings
from ..errors import CourseError
from ..exercises import catalogue
from ..lessons import Lesson, lessons
from ..shell import display, shell
from . import doctor, progress

WORDS: dict[doctor.Level, str] = {"ok": "Fine", "note": "Note", "lacks": "Missing"}
BLOCK = "max-width:56em;line-height:1.5"
CELL = "text-align:left;vertical-align:top;white-space:normal"


def machine() -> None:
    """Show what this machine has and lacks, line by line, as `course doctor` does."""
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
        if any(finding.level == "lacks" for finding in self.findings):
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
        rows = "".join(
            f"<li><strong>{WORDS[finding.level]}.</strong> {escape(finding.what)}"
            + (f"<br>To do: {escape(finding.do)}" if finding.do else "")
            + "</li>"
            for finding in self.findings
        )
        return (
            f'<div role="status" style="{BLOCK}"><strong>{self.summary}</strong>'
            f"<ul>{rows}</ul></div>"
        )

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
    def text(self) -> str:
        """A line for each lesson and one for each exercise."""
        lines = [f"{self.summary}."]
        for lesson, standings in self.exercises.items():
            solved, total = _counts(standings)
            lines.append(f"{lesson.name[:2]} {lesson.title}: {solved} of {total}")
            lines += [f"   {name}: {standing}" for name, standing in standings.items()]
        return "\n".join([*lines, *filter(None, [self.remark])])

    @property
    def html(self) -> str:
        """A row for each lesson; its exercises, folded, say in words how they stand."""
        heads = ("lesson", "minutes", "solved", "next", "exercises")
        head = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in heads)
        rows = "".join(_row(*item) for item in self.exercises.items())
        remark = f"<p>{escape(self.remark)}</p>" if self.remark else ""
        return (
            f'<div style="{BLOCK}"><table><caption style="text-align:left">'
            f"<strong>{self.summary}</strong></caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>{remark}</div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


def _row(lesson: Lesson, standings: dict[str, progress.Standing]) -> str:
    solved, total = _counts(standings)
    open_ones = [name for name, standing in standings.items() if not standing.solved]
    following = f"<code>{escape(open_ones[0])}</code>" if open_ones else "all done"
    each = "".join(f"<li><code>{name}</code>: {it}</li>" for name, it in standings.items())
    cells = (
        str(lesson.minutes),
        f"{solved} of {total}",
        following,
        f"<details><summary>show all {total}</summary><ul>{each}</ul></details>",
    )
    return (
        f'<tr><th scope="row" style="{CELL}"><a href="{lesson.name}.ipynb">{lesson.name[:2]} '
        f"{escape(lesson.title)}</a></th>"
        + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def _counts(standings: dict[str, progress.Standing]) -> tuple[int, int]:
    return sum(standing.solved for standing in standings.values()), len(standings)


def _display(view: MachineView) -> Any:
    """Shows it in a notebook, where the handle that this returns can update it; else None."""
    return display(view, display_id=True) if shell() is not None else None
