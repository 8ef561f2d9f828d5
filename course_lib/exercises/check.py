"""`check` inside a notebook: the judge's verdict, shown at once."""

from __future__ import annotations

import functools
import inspect
import linecache
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from .. import settings
from ..settings import display, shell
from .catalogue import find
from .judge import Judgment, judged
from .verdict import PLACE_IS_LOOKED_FOR, Verdict, inline_html

Function = Callable[..., Any]
WITH_PLACE = 4
NO_PLACE = "No one place was found whose change makes it right: more than one thing may be wrong."
OF_BEFORE = (
    "The cell that was run last contains `def {}`, but ended with an error: judged is the function "
    "of before."
)
LISTENERS = "course_lib.on_verdict"
"""Entry points of this name are told of each verdict: functions of one, which may return a sentence
for the learner, or a `Note`. So the learner's progress is recorded, and the check knows nothing of
that."""


class NotCorrectError(AssertionError):
    """Raised by `check` under nbgrader or `COURSE_STRICT=1`, so that the cell earns nothing."""


class InterruptedCheckError(KeyboardInterrupt):
    """Ends the cell and those behind it, as any interrupt does, and says so in one line."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: `{self}` was not judged. Run the cell again when you want to know."]


_LINK = re.compile(r"\[([^\[\]]+)\]\((\w+\.ipynb)\)")


def check(function: Function, hint: int = 1) -> Function:
    """Judge an answer, show the verdict, and return a function that the lesson can go on with.

    In a lesson, ``mse = check(mse)``. It never raises, except under nbgrader
    (``NBGRADER_EXECUTION`` set) or with ``COURSE_STRICT=1``.

    In a notebook the verdict is shown at once. If one change would make the function right, the
    place to look is then added as a folded hint; that may take 1.5 s and can be interrupted.

    Args:
        function: the learner's function; its name says which exercise it answers. It may be
            what an earlier check returned; a hint is then about the attempt of that time.
        hint: 1 says what is wrong, 2 also how to think about it, 3 also where it is derived,
            4 also where to look in the function.

    Returns:
        The learner's function if it is right, else the course's own.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if not callable(function):
        _display(Note(_no_function(function)))
        return function
    try:
        exercise = find(name)
    except KeyError as error:
        todo = "Define the function with `def` under the exercise's name."
        if "<locals>" in getattr(function, "__qualname__", ""):
            todo += " If a decorator has wrapped it, put `@functools.wraps(f)` above its wrapper."
        _display(Note(f"{error.args[0]} {todo}"))
        return function
    # After `mse = check(mse)` the name stands for the course's own; hints are about the attempt.
    attempt: Function | None = getattr(function, "attempt", None)
    if not _is_hint(hint):
        _display(Note(f"There is no such hint. Ask for `check({name}, hint=2)`, up to `hint=4`."))
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
    if attempt is None and _is_of_before(name, answer):
        _display(Note(OF_BEFORE.format(name)))
    try:
        judgment = judged(name, answer)
    except KeyboardInterrupt:
        raise InterruptedCheckError(name) from None
    verdict = judgment.verdict
    looks = verdict.status in PLACE_IS_LOOKED_FOR and not settings.strict()
    if shell() is None:  # what is printed cannot be changed
        verdict = _located(judgment) if looks and hint == WITH_PLACE else verdict
    handle = _display(VerdictView(verdict, hint))
    for listener in _listeners() if attempt is None else ():
        if remark := listener(verdict):
            _display(remark if isinstance(remark, Note) else Note(remark))
    if verdict.status == "correct":
        return answer
    reference = _stand_in(exercise.reference, answer)
    if settings.strict():
        _bind_in_notebook(name, reference)
        raise NotCorrectError(f"{name}: {verdict.message}")
    if looks and handle is not None:
        verdict = _located(judgment)
        if verdict.place:
            handle.update(VerdictView(verdict, hint))
    if looks and hint == WITH_PLACE and not verdict.place:
        _display(Note(NO_PLACE))
    return reference


def _is_of_before(name: str, function: Function) -> bool:
    """Whether the cell that was run last would define the function, and has not come so far."""
    notebook = shell()
    cells = [*notebook.user_ns.get("In", ())][-2:] if notebook is not None else []
    code = getattr(inspect.unwrap(function), "__code__", None)
    source = "".join(linecache.getlines(code.co_filename)).strip() if code is not None else ""
    if len(cells) < 2 or not source or source in map(str.strip, cells):
        return False
    return re.search(rf"^(async +)?def +{name}\b", cells[0], re.MULTILINE) is not None


def _no_function(value: object) -> str:
    """What to do where something else was handed to `check`."""
    if isinstance(value, str):
        with suppress(KeyError):
            find(value)
            return f"Hand over the function itself, without quotation marks: `check({value})`."
    return (
        "`check` judges a function, and calls it by itself: hand over its name, without arguments "
        f"and brackets, as in `check(mse)`. This was a value of type {type(value).__name__}."
    )


def _located(judgment: Judgment) -> Verdict:
    try:
        return judgment.located()
    except Exception:  # a hint that cannot be given must not end the lesson
        return judgment.verdict


class VerdictView:
    """A verdict with as many hints as were asked for, as a notebook displays it."""

    def __init__(self, verdict: Verdict, hint: int = 1) -> None:
        self.verdict = verdict
        self.hint = hint

    @property
    def text(self) -> str:
        return self.verdict.text(self.hint)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.verdict.mimebundle(self.hint)


@dataclass
class Note:
    """A sentence that is no verdict.

    Attributes:
        said: the sentence, with notebooks beside this one as ``[links](name.ipynb)``.
        folded: what it offers to unfold: a title, code, a remark.
    """

    said: str
    folded: tuple[str, str, str] | None = None

    @property
    def text(self) -> str:
        return _LINK.sub(r"\1", self.said)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        said = _LINK.sub(r'<a href="\2">\1</a>', inline_html(self.said))
        fold = ""
        if self.folded is not None:
            title, code, remark = map(inline_html, self.folded)
            fold = (
                f'<details><summary style="cursor:pointer">{title}</summary>'
                f'<pre style="margin:0.3em 0" tabindex="0">{code}</pre>{remark}</details>'
            )
        html = f'<div role="status" style="padding:0.3em 0.8em">{said}{fold}</div>'
        return {"text/plain": self.text, "text/html": html}


def _display(view: VerdictView | Note) -> Any:
    """Returns IPython's handle, with which it can be changed; None where there is no notebook."""
    if shell() is not None:
        return display(view, display_id=True)
    print(view.text)
    return None


@cache
def _listeners() -> tuple[Callable[[Verdict], str], ...]:
    from importlib.metadata import entry_points  # a third of the time that importing checks takes

    listeners = []
    for point in entry_points(group=LISTENERS):
        with suppress(ImportError, AttributeError):  # of a package that is only half there
            listeners.append(point.load())
    return tuple(dict.fromkeys(listeners))


def _is_hint(hint: object) -> bool:
    return isinstance(hint, int) and not isinstance(hint, bool) and hint in (1, 2, 3, WITH_PLACE)


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


def _bind_in_notebook(name: str, function: Function) -> None:
    """What the assignment ``mse = check(mse)`` would have done, had the check not to raise.

    Later exercises then build on the reference and are not marked down for an earlier mistake.
    """
    notebook = shell()
    if notebook is not None:
        notebook.user_ns[name] = function
