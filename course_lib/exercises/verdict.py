"""The judgment of an attempt and how it is shown: in the notebook, on the feedback page.

Jinja is imported when a verdict is shown as HTML, so that importing the checks stays quick.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import jinja2

Status = Literal["correct", "wrong", "not attempted", "error", "timeout"]
VERDICT_TYPE = "application/vnd.course.verdict+json"
"""MIME type under which an executed notebook keeps its verdicts, for `course run`."""

HEADINGS: dict[str, str] = {
    "correct": "Correct",
    "wrong": "Not right yet",
    "not attempted": "Not attempted yet",
    "error": "It stopped with an error",
    "timeout": "Out of time",
}
# Color repeats what the heading and the line style say: blue and solid for correct, vermilion
# and dashed for wrong, gray and dotted for open (Okabe & Ito's color-blind safe colors).
BORDERS: dict[Status, str] = {
    "correct": "solid #0072B2",
    "wrong": "dashed #D55E00",
    "not attempted": "dotted #767676",
    "error": "dashed #D55E00",
    "timeout": "dashed #D55E00",
}
HINT_TITLES = ("How to think about it", "Where it is derived", "Where to look")
PLACE_IS_LOOKED_FOR: tuple[Status, ...] = ("wrong", "error")
# Said with each verdict: who tries the borrowed function out would take it for their own.
BORROWED = "Until yours is right, the lesson goes on with the course's own `{}`."


@dataclass(frozen=True)
class Verdict:
    """The judgment of one attempt.

    ``message`` says what is wrong (or that nothing is) in a sentence or two. ``hints`` go on from
    there: how to think about it, then where the lesson derives it. ``counterexample`` is a small
    call that goes wrong, with what it should give and what it gives, as it stands at the end of the
    message; "" if a known mistake explains it or no such call is known. ``place`` is the line one
    change of which makes the answer right, and what to look at there, as `judge` finds it with
    ``locate=True``; "" if it was not looked for or not found. It is the last hint, too. ``formula``
    is what the lesson derives, in LaTeX, and ``anchor`` leads there in the notebook; "" if there is
    none. ``printed`` is what the attempt printed in a call or two, below a line that says which.
    """

    status: Status
    points: float
    max_points: float
    misconception: str | None
    message: str
    exercise: str = ""
    hints: tuple[str, ...] = field(default=())
    counterexample: str = ""
    place: str = ""
    formula: str = ""
    anchor: str = ""
    printed: str = ""

    def with_place(self, place: str) -> Verdict:
        """The same with a place to look; as it is if there is none."""
        if not place:
            return self
        several = re.search(r", and (?:again )?in (?:line \d|the same line)", place)
        change = "The same change in each of them" if several else "One change there"
        line, _, what = place.partition(": ")  # which is counted from `def`, not in its cell
        sentence = f"{line.capitalize()} of your function: {what}. {change} makes it right."
        return replace(self, place=place, hints=(*self.hints, sentence))

    def mimebundle(self, hint: int = 1) -> dict[str, Any]:
        """What a notebook shows and keeps; ``hint`` as in `check`."""
        record = ("exercise", "status", "points", "max_points", "misconception")
        return {
            "text/plain": self.text(hint),
            "text/html": self.html(hint),
            VERDICT_TYPE: {name: getattr(self, name) for name in record},
        }

    def text(self, hint: int = 1) -> str:
        """A line with exercise, status, points, what is wrong, hints; below it what was printed."""
        parts = [f"{self.exercise}: {self.status} ({points(self.points, self.max_points)})."]
        if self.status != "correct":
            shown = self.hints[: max(hint - 1, 0)]
            parts += [self.message, *shown, BORROWED.format(self.exercise)]
            most = len(HINT_TITLES) if self.status in PLACE_IS_LOOKED_FOR else len(self.hints)
            if hint <= most:
                parts.append(f"More: check({self.exercise}, hint={max(hint, 1) + 1})")
        elif remark := self.message.removeprefix("Correct.").strip():
            parts.append(remark)
        return "\n".join([" ".join(parts), *filter(None, [self.printed])])

    def html(self, hint: int = 1) -> str:
        """The same as a block for a screen reader, too; hints not asked for are folded."""
        borrowed = "" if self.status == "correct" else BORROWED.format(self.exercise)
        block = _notebook().get_template("verdict.html.j2").module.block  # type: ignore[attr-defined]
        return str(block(self, hint=hint, borrowed=borrowed, live=True))


def points(earned: float, of: float) -> str:
    """How many points of how many: "0.5 of 1 point"."""
    return f"{earned:g} of {of:g} {'point' if of == 1 else 'points'}"


def inline_html(sentence: str) -> str:
    """Escaped HTML in which `backticks` become code, and *stars* outside of it emphasis."""

    def marked(found: re.Match[str]) -> str:
        return f"<em>{found[3]}</em>" if found[2] else f"<code>{found[1]}</code>"

    return _INLINE.sub(marked, escape(sentence))


# Not the stars of `*args and **kwargs` or of 2*a*b.
_INLINE = re.compile(r"`([^`]*)`|(?<![\w*])(\*{1,2})([^*`\s](?:[^*`]*[^*`\s])?)\2(?![\w*])")


def environment(folder: Path, filters: Mapping[str, Any] | None = None) -> jinja2.Environment:
    """For templates of this folder, which may import ``block`` of ``verdict.html.j2``.

    The filter ``inline`` is `inline_html`. Everything else is escaped, and a name that
    nobody gave is an error.
    """
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters.update(inline=lambda text: Markup(inline_html(text)), **(filters or {}))
    made.globals.update(
        headings=HEADINGS, borders=BORDERS, hint_titles=HINT_TITLES, points_of=points
    )
    return made


@cache
def _notebook() -> jinja2.Environment:
    return environment(Path(__file__).parent)
