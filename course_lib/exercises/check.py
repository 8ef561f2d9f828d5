"""`check` inside a notebook: the judge's verdict, shown at once."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from html import escape
from typing import Any

from .. import settings
from ..learner import progress
from ..shell import display, shell
from .catalogue import find
from .exercise import Status, Verdict
from .judge import judge

Function = Callable[..., Any]
VERDICT_TYPE = "application/vnd.course.verdict+json"
"""MIME type under which an executed notebook keeps its verdicts, for `course run`."""

HEADINGS: dict[Status, str] = {
    "correct": "Correct",
    "wrong": "Not right yet",
    "not attempted": "Not attempted yet",
    "error": "It stopped with an error",
    "timeout": "Out of time",
}
# Colour repeats what the heading and the line style say: blue and solid for correct, vermilion
# and dashed for wrong, grey and dotted for open (Okabe & Ito's colour-blind safe colours).
BORDERS: dict[Status, str] = {
    "correct": "solid #0072B2",
    "not attempted": "dotted #767676",
}
OTHER_BORDER = "dashed #D55E00"
HINT_TITLES = ("How to think about it", "Where it is derived")
# Said with each verdict: who tries the lent function out would take it for their own.
LENT = "Until yours is right, the lesson goes on with the course's own `{}`."


class NotCorrectError(AssertionError):
    """Raised by `check` under nbgrader or `COURSE_STRICT=1`, so that the cell earns nothing."""


def check(function: Function, hint: int = 1) -> Function:
    """Judge an answer, show the verdict, and return a function that the lesson can go on with.

    In a lesson, ``mse = check(mse)``. It never raises, except under nbgrader
    (``NBGRADER_EXECUTION`` set) or with ``COURSE_STRICT=1``.

    Args:
        function: the learner's function; its name says which exercise it answers. It may be
            what an earlier check returned; a hint is then about the attempt of that time.
        hint: 1 says what is wrong, 2 also how to think about it, 3 also where it is derived.

    Returns:
        The learner's function if it is right, else the course's own.
    """
    name = getattr(function, "__name__", type(function).__name__)
    try:
        exercise = find(name)
    except KeyError as error:
        _display(Note(f"{error.args[0]} Define the function with `def` under the exercise's name."))
        return function
    # After `mse = check(mse)` the name stands for the course's own; hints are about the attempt.
    attempt: Function | None = getattr(function, "attempt", None)
    if not _is_hint(hint):
        _display(Note(f"There is no such hint. Ask for `check({name}, hint=2)`, or for `hint=3`."))
        hint = 1
    elif attempt is not None and hint == 1:
        _display(
            Note(
                f"`{name}` is still the course's own: run a cell that contains `def {name}(…)` "
                "and ends without an error, then check again."
            )
        )
    if attempt is not None and hint == 1:
        return function
    answer = function if attempt is None else attempt
    verdict = judge(name, answer)
    _display(VerdictView(verdict, hint))
    if attempt is None and (unrecorded := progress.record(verdict)):
        _display(Note(unrecorded))
    if verdict.status == "correct":
        return answer
    reference = _stand_in(exercise.reference, answer)
    if _strict():
        _bind_in_notebook(name, reference)
        raise NotCorrectError(f"{name}: {verdict.message}")
    return reference


class VerdictView:
    """A verdict as an HTML block that a screen reader can read, and as one line of text."""

    def __init__(self, verdict: Verdict, hint: int = 1) -> None:
        self.verdict = verdict
        self.hint = hint

    @property
    def text(self) -> str:
        """One line: exercise, status, points, what is wrong, the hints asked for."""
        v = self.verdict
        parts = [f"{v.exercise}: {v.status} ({_points(v)})."]
        if v.status != "correct":
            parts += [v.message, *v.hints[: max(self.hint - 1, 0)], LENT.format(v.exercise)]
            if self.hint <= len(v.hints):
                parts.append(f"More: check({v.exercise}, hint={max(self.hint, 1) + 1})")
        return " ".join(parts)

    @property
    def html(self) -> str:
        """The same as a block; hints not asked for are folded, one below the other."""
        v = self.verdict
        border = BORDERS.get(v.status, OTHER_BORDER)
        message = lent = ""
        if v.status != "correct":
            message = f"<div>{code_marked(v.message)}</div>"
            lent = f'<div style="margin-top:0.3em">{code_marked(LENT.format(v.exercise))}</div>'
        hints = "".join(
            f'<details{" open" if self.hint > number else ""} style="margin-top:0.3em">'
            f'<summary style="cursor:pointer">{title}</summary>{code_marked(hint)}</details>'
            for number, (title, hint) in enumerate(zip(HINT_TITLES, v.hints, strict=False), start=1)
        )
        return (
            f'<div role="status" style="border-left:4px {border};padding:0.3em 0.8em;'
            'max-width:48em;line-height:1.5">'
            f"<div><strong>{HEADINGS[v.status]}</strong> · <code>{escape(v.exercise)}</code> · "
            f"{_points(v)}</div>{message}{hints}{lent}</div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        v = self.verdict
        record = {
            "exercise": v.exercise,
            "status": v.status,
            "points": v.points,
            "max_points": v.max_points,
            "misconception": v.misconception,
        }
        return {"text/plain": self.text, "text/html": self.html, VERDICT_TYPE: record}


class Note(VerdictView):
    """A sentence about the check itself, when there is nothing to judge."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    @property
    def text(self) -> str:
        return self.sentence

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        html = f'<div role="status" style="padding:0.3em 0.8em">{code_marked(self.sentence)}</div>'
        return {"text/plain": self.sentence, "text/html": html}


def _display(view: VerdictView) -> None:
    if shell() is not None:
        display(view)
    else:
        print(view.text)


def _is_hint(hint: object) -> bool:
    return isinstance(hint, int) and not isinstance(hint, bool) and hint in (1, 2, 3)


def _stand_in(reference: Function, attempt: Function) -> Function:
    """The reference, which knows whose place it takes: no later check calls it correct."""

    @functools.wraps(reference)
    def stand_in(*arguments: Any, **keywords: Any) -> Any:
        return reference(*arguments, **keywords)

    stand_in.attempt = attempt  # type: ignore[attr-defined]
    # A cell that ends in `check(mse, hint=2)` shows its value below the verdict.
    shown = f"The course's own <code>{reference.__name__}</code>"
    stand_in._repr_html_ = lambda: shown  # type: ignore[attr-defined]
    return stand_in


def _strict() -> bool:
    return settings.strict()


def _bind_in_notebook(name: str, function: Function) -> None:
    """What the assignment ``mse = check(mse)`` would have done, had the check not to raise.

    Later exercises then build on the reference and are not marked down for an earlier mistake.
    """
    notebook = shell()
    if notebook is not None:
        notebook.user_ns[name] = function


def _points(verdict: Verdict) -> str:
    unit = "point" if verdict.max_points == 1 else "points"
    return f"{verdict.points:g} of {verdict.max_points:g} {unit}"


def code_marked(sentence: str) -> str:
    """Escaped HTML in which `backticks` become code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence))
