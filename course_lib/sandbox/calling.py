"""One call of a function that somebody else wrote, and what came of it.

The judge of a notebook loads this module, and so does the process that runs learners' code: what a
call is, and how its error is told, is the same in both. Standard library and NumPy only.
"""

from __future__ import annotations

import copy
import inspect
import io
import signal
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Literal

import numpy as np

MAX_TEXT = 200
"""Of an error's message and of a quoted line, so many characters are told."""
MAX_PRINTED = 2000
"""Of what a call prints, so many characters are kept."""
MAX_LINES = 20
"""And so many lines."""
DEEPEST = 32
"""Lists that lie deeper in each other have no end: no array has more axes."""
AGAIN = 0.01
"""Seconds after which the end of a call's time is said again, to code that did not listen."""

UNWRITTEN = 0xCA
"""Each byte of memory that an answer leaves as it finds it; as a number it is below -1e6."""


@dataclass(frozen=True)
class Formula:
    """A function of one array ``x``, given as text, so that it can travel to another process.

    An exercise whose argument is a function (`numerical_gradient`) uses it in its cases:
    ``Formula("np.sum(x ** 3)")`` maps an array of any shape to a float.
    """

    text: str

    def __call__(self, x: np.ndarray) -> float:
        return float(eval(self.text, {"np": np, "x": x}))


@dataclass(frozen=True)
class Outcome:
    """What one call did: it returned a value, or raised, or ran out of time, or was lost.

    Attributes:
        state: "returned", "raised", "timeout", or "lost" when the process that ran it ended.
        value: what it returned.
        arguments: the arguments as they are after the call.
        error: type and message of what it raised, on one line ("ValueError: ...").
        line: number and text of the learner's own line that raised, or "".
        begun: it raised NotImplementedError, but is more than the stub that was handed out.
        printed: the beginning of what it printed, with a last line that says so if there was more.
    """

    state: Literal["returned", "raised", "timeout", "lost"]
    value: Any = None
    arguments: tuple[Any, ...] = ()
    error: str = ""
    line: str = ""
    begun: bool = False
    printed: str = ""


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed into it, however much that is."""

    def __init__(self) -> None:
        self._kept = io.StringIO()
        self._left = MAX_PRINTED

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._left >= 0:
            self._kept.write(text[: self._left])
            self._left -= len(text)  # below zero: something was left out
        return len(text)

    @property
    def text(self) -> str:
        lines = self._kept.getvalue().rstrip().split("\n")
        more = self._left < 0 or len(lines) > MAX_LINES
        return "\n".join(lines[:MAX_LINES]) + ("\n… more is not shown" if more else "")


_ALONE = threading.RLock()
"""Held during a call: what is silenced and kept from chance is so for the whole process."""


class OutOfTime(BaseException):
    """Not an Exception, so that `except Exception` in an answer does not swallow it."""


def call(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    seconds: float | None = None,
    titles: Mapping[str, str] | None = None,
) -> Outcome:
    """One call on copies of the arguments, `undisturbed`; what it prints is kept.

    Args:
        function: to be called.
        arguments: by position.
        seconds: how long it may take; on the main thread of a system with interval timers only.
        titles: see `raised`.

    Raises:
        KeyboardInterrupt: as the person in front of it wanted, or the function.
    """
    printed = Printed()
    with undisturbed(), redirect_stdout(printed):
        outcome = one_of_many(
            function, arguments, seconds, lambda error: raised(error, function, titles)
        )
    return replace(outcome, printed=printed.text)


@contextmanager
def undisturbed() -> Iterator[None]:
    """For calls: warnings are silenced, nothing comes by chance, and no other thread calls."""
    with _ALONE, quiet(), nothing_by_chance():
        yield


def one_of_many(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    seconds: float | None = None,
    told: Callable[[BaseException], Outcome] = lambda _: Outcome("raised"),
    patience: float = 1.0,
) -> Outcome:
    """A call as `call` makes it, for those who have seen to it that all are `undisturbed`.

    Args:
        function, arguments, seconds: see `call`.
        told: the outcome of a call that ended with an error.
        patience: see `time_limit`.

    Raises:
        KeyboardInterrupt: as the person in front of it wanted, or the function.
    """
    own = tuple(map(_copied, arguments))
    try:
        with time_limit(seconds, patience):
            value = function(*own)
            if _endless((value, own)):
                raise RecursionError("a list contains itself, or lists lie too deep")
    except OutOfTime:
        return Outcome("timeout")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit in an answer must not end the lesson
        return told(error)
    return Outcome("returned", value, own)


def _copied(value: Any) -> Any:
    if type(value) is np.ndarray and not value.dtype.hasobject:  # quicker than what does the same
        return value.copy(order="K")
    if type(value) in (float, int, bool, str):
        return value
    return copy.deepcopy(value)


def raised(
    error: BaseException, function: object, titles: Mapping[str, str] | None = None
) -> Outcome:
    """The outcome of a call, or of the code that defines a function, which ended with an error.

    Args:
        error: that it ended with.
        function: the learner's; None if there is none yet.
        titles: names of the files that hold the learner's code, with what each defines; by default
            the function's own.
    """
    begun = isinstance(error, NotImplementedError) and _is_begun(function)
    return Outcome(
        "raised", error=_one_line(error), line=_own_line(error, function, titles), begun=begun
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Neither Python nor NumPy warns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _scribbled(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "iufc":
        array.ravel(order="K").view(np.uint8).fill(UNWRITTEN)
    return array


def _scribbling(make: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    @wraps(make)
    def made(*given: Any, **named: Any) -> np.ndarray:
        return _scribbled(make(*given, **named))

    return made


def _within_bounds(bincount: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    @wraps(bincount)
    def counted(x: Any, *more: Any, **named: Any) -> np.ndarray:
        if np.size(x) and np.max(x) == np.iinfo(np.intp).max:
            raise ValueError("too large to be counted")
        return bincount(x, *more, **named)

    return counted


_INSTEAD = {
    "empty": _scribbling(np.empty),
    "empty_like": _scribbling(np.empty_like),
    "bincount": _within_bounds(np.bincount),
}


@contextmanager
def nothing_by_chance() -> Iterator[None]:
    """What is left empty holds no right number from earlier, and nothing is counted out of bounds.

    `np.empty`, and functions of NumPy where their `where` is false, give what stood in memory.
    `np.bincount` of the largest integer writes past the end of its memory (NumPy 2.4), which ends
    the process; an infinity that is made an integer comes there.
    """

    def scribble(*_: Any, **__: Any) -> None:
        """NumPy warns of `where` before it takes memory: what was freed last."""
        for size in range(1, 128):
            [_INSTEAD["empty"](size) for _ in range(2)]

    own = {name: getattr(np, name) for name in _INSTEAD}
    try:
        for name, function in _INSTEAD.items():
            setattr(np, name, function)
        with warnings.catch_warnings():
            warnings.filterwarnings("always", message="'where' used without 'out'")
            warnings.showwarning = scribble
            yield
    finally:
        for name, function in own.items():
            setattr(np, name, function)


BUSY = 0.05
"""So large a share of a processor has a process that does not just wait, on a busy machine, too."""


@contextmanager
def time_limit(seconds: float | None, patience: float = 1.0) -> Iterator[None]:
    """Raises `OutOfTime` inside, on the main thread of a system with interval timers.

    Args:
        seconds: by the clock on the wall.
        patience: so many times as long for what computes, but gets little of a processor.
    """
    on_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not on_main or not hasattr(signal, "setitimer"):
        yield
        return

    said = False
    began, used = time.monotonic(), time.process_time()

    def out_of_time(number: int, frame: types.FrameType | None) -> None:
        nonlocal said
        passed, worked = time.monotonic() - began, time.process_time() - used
        if worked < seconds and passed < patience * seconds and worked > BUSY * passed:
            signal.setitimer(signal.ITIMER_REAL, seconds / 5, AGAIN)
            return
        if said:  # a bare `except:` has swallowed it: now its lines fail, too
            sys.settrace(lambda *_: None)
            while frame is not None and frame.f_code is not one_of_many.__code__:
                frame.f_trace = _fail
                frame = frame.f_back
        said = True
        raise OutOfTime

    def unraisable(found: Any) -> None:
        """It may come while an object is deleted, where no exception gets out: it comes again."""
        if not isinstance(found.exc_value, OutOfTime):
            telling(found)

    tracing, telling = sys.gettrace(), sys.unraisablehook
    before = signal.signal(signal.SIGALRM, out_of_time)
    try:
        sys.unraisablehook = unraisable
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)  # in here: it may be over at once
        yield
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
                break
            except OutOfTime:
                pass
        sys.unraisablehook = telling
        if said:
            sys.settrace(tracing)


def _fail(frame: types.FrameType, event: str, argument: object) -> Any:
    if event == "line":
        raise OutOfTime
    return _fail


def _endless(value: object, depth: int = 0) -> bool:
    """Whether lists lie in lists without end, through which NumPy would go for hours."""
    if not isinstance(value, (list, tuple)):
        return False
    return depth > DEEPEST or any(_endless(part, depth + 1) for part in value)


def _one_line(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a learner's exception may fail at telling what it is
        text = ""
    return f"{name}: {text[:MAX_TEXT]}" if text else name


def _is_begun(function: object) -> bool:
    """Whether it uses any variable or name that the stub of an exercise does not.

    The compiler drops lines below a `raise`, but keeps their names: they count, too.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += sum(
        bool(code.co_flags & flag) for flag in (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
    )
    return len(code.co_varnames) > arguments or set(code.co_names) != {"NotImplementedError"}


def _own_line(
    error: BaseException, function: object, titles: Mapping[str, str] | None = None
) -> str:
    """The last line of the learner's own in the traceback, counted from its `def`."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        code = None
    files = titles if titles is not None else {code.co_filename: ""} if code is not None else {}
    if isinstance(error, SyntaxError) and error.filename in files:
        return f"line {error.lineno}: {(error.text or '').strip()}"[:MAX_TEXT]
    try:
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if frame.filename in files][-1]
    except Exception:  # none of them, or an exception that cannot even be looked at
        return ""
    line = inside.lineno or 1
    own = code is not None and code.co_filename == inside.filename and code.co_firstlineno <= line
    first = code.co_firstlineno if own and code is not None else 1
    title = files[inside.filename]
    where = f" of `{title}`" if title and not own and function is not None else ""
    text = (inside.line or "").strip()[:MAX_TEXT]
    return f"line {line - first + 1}{where}: {text}".rstrip(": ")
