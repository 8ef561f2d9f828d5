"""Runs a program that nobody trusts in a process of its own: values in, values out.

The process holds no expected value; whatever it does, every wait here has an end and every buffer
a largest size. One process serves one program and is ended with it, so that nothing that one
leaves behind meets another.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ..errors import CourseError
from . import wire
from .calling import MAX_LINES, MAX_PRINTED, Formula, Outcome
from .isolation import NO_NETWORK, NO_REACH, NO_SIGHT
from .limits import Limits, for_keras
from .process import (
    KILLED,
    OUT_OF_TIME,
    AnswerProcess,
    Countdown,
    DiedError,
    ForkServer,
    HungError,
    LostError,
)
from .process import StoppedError as StoppedError
from .wire import MAX_PAYLOAD, Message, ProtocolError

CAN_FORK = sys.platform == "linux"
TOO_LONG = "it is too long to be sent"
Segments = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Program:
    """Code that defines a function.

    Attributes:
        name: of the function.
        segments: title and source of each statement, in the order in which they run.
        provided: functions that are there before: the name and the code of each, which runs in a
            module of its own.
        module: imported before it runs: "numpy", or one whose import takes long. With "keras",
            and its backend, go other limits.
        forgiving: a statement that fails, or takes longer than `worker.STATEMENT`, is passed over.
    """

    name: str
    segments: Segments
    provided: tuple[tuple[str, Segments], ...] = ()
    module: str = "numpy"
    forgiving: bool = False


@dataclass(frozen=True, eq=False)
class Calls:
    """Calls of one function, kept as they are sent.

    Attributes:
        arguments: of each call: arrays, numbers, texts, `Formula`, tuples and lists of them.
        seconds: how long one may take, of a processor's time.
    """

    arguments: tuple[tuple[Any, ...], ...]
    seconds: float = 5.0

    @cached_property
    def frames(self) -> list[tuple[int, bytes]]:
        """As many calls in a frame as fit, and their number.

        Raises:
            CourseError: not even one fits.
        """
        return list(_frames(self.arguments))


def kept_from_being_sent(arguments: Sequence[tuple[Any, ...]], outcomes: Sequence[Outcome]) -> str:
    """What of these calls, and of what came of them, cannot be sent, and why; or ""."""
    try:
        for some in arguments:
            wire.encode({"calls": [some]}, trusted=True)
    except ProtocolError as error:
        return f"cannot send the arguments of a call: {error}"
    returned = 0
    try:
        for some, outcome in zip(arguments, outcomes, strict=False):
            sent = len(wire.encode({"arguments": some}, trusted=True))
            returned += len(wire.encode({"value": outcome.value, "arguments": some}, trusted=True))
            returned -= sent
    except ProtocolError as error:
        return f"cannot send what its reference returns, with the arguments: {error}"
    if returned > MAX_PAYLOAD:
        return f"has a reference that returns {returned >> 20} MiB in all, too much to be sent"
    return ""


@dataclass(frozen=True)
class Attempt:
    """What came of a program.

    Attributes:
        outcomes: of the calls; after one that did not come back there are no more.
        loading: what kept the code from defining the function, if anything.
        instead: the type of what bears the function's name and cannot be called, or "".
        doubtful: it was ended by the clock on the wall, or killed, as also happens when something
            else uses up this machine: worth a second try.
        holds, missing: limits that were enforced, or were not.
    """

    outcomes: tuple[Outcome, ...] = ()
    loading: Outcome | None = None
    instead: str = ""
    doubtful: bool = False
    holds: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class SandboxError(CourseError):
    """The process does not start, or was lost: a fault of this machine, not of the code."""


class _NothingRanError(SandboxError):
    """The server was lost before the program was begun."""


def run(
    program: Program,
    calls: Calls,
    limits: Limits | None = None,
    *,
    clock: Countdown | None = None,
    stop: threading.Event | None = None,
    without: Sequence[str] = (),
    command: Sequence[str] | None = None,
) -> Attempt:
    """Load a program and call its function.

    Args:
        program: to be run.
        calls: to be made.
        limits: for the process.
        clock: of the submission that the program is of, which runs down with all its programs.
        stop: when set, waiting ends.
        without: layers of the isolation to leave out (`isolation.LAYERS`), only in tests.
        command: what to start in place of `worker`, only in tests.

    Raises:
        SandboxError: no process could be started, or it was lost through no fault of the program.
        StoppedError: the run is being stopped.
    """
    limits = limits or Limits()
    if program.module == "keras":
        limits = for_keras(limits)
    clock = clock or Countdown(limits.submission)
    stop = stop or threading.Event()
    try:
        process = started(program.module, stop, limits, without, command)
        return _exchanged(process, limits, clock, program, calls)
    except _NothingRanError:  # a new server may do
        _forget(program.module, without)
        process = started(program.module, stop, limits, without, command)
        return _exchanged(process, limits, clock, program, calls)


def _exchanged(
    process: AnswerProcess, limits: Limits, clock: Countdown, program: Program, calls: Calls
) -> Attempt:
    try:
        return _Exchange(process, limits, clock).run(program, calls)
    except BaseException:
        with contextlib.suppress(LostError):
            process.end(wait=False)
        raise


def started(
    module: str,
    stop: threading.Event,
    limits: Limits,
    without: Sequence[str] = (),
    command: Sequence[str] | None = None,
    word: str = "",
) -> AnswerProcess:
    """A process that serves, forked where that is possible.

    Args:
        module: see `ForkServer`.
        stop, limits, without, command: see `run`.
        word: see `ForkServer.fork`.

    Raises:
        SandboxError: it cannot be started.
    """
    try:
        if not CAN_FORK or command is not None:
            if not hasattr(os, "set_blocking"):
                raise SandboxError("Grading on Windows needs Python 3.12 or newer.")
            return AnswerProcess(None, stop, command)
        with contextlib.suppress(OSError):
            return AnswerProcess(_server(module, without, limits.start), stop, word=word)
        _forget(module, without)  # it was killed, or ran out of something: a new one may do
        return AnswerProcess(_server(module, without, limits.start), stop, word=word)
    except OSError as error:
        _forget(module, without)
        raise _does_not_start(str(error)) from error


def _does_not_start(said: str) -> SandboxError:
    return SandboxError(
        f"The process for answers does not start on this machine: {_line(said).rstrip('.')}."
    )


_SERVER_LOST = (
    "Something on this machine has ended the process that starts answers: grade this "
    "submission again."
)


class _Exchange:
    """One program's messages."""

    def __init__(self, process: AnswerProcess, limits: Limits, clock: Countdown) -> None:
        self.process = process
        self.limits = limits
        self.clock = clock
        self.words: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def run(self, program: Program, calls: Calls) -> Attempt:
        request = {
            "limits": tuple(asdict(self.limits).items()),
            "name": program.name,
            "segments": program.segments,
            "provided": program.provided,
            "forgiving": program.forgiving,
            "frames": len(calls.frames),
            "seconds": calls.seconds,
        }
        try:
            frame = wire.encode(request, trusted=True)
        except wire.TooLargeError:
            return self._attempt(loading=self._lost(TOO_LONG))
        self._begin(frame)
        outcome = self._outcome("loaded", self.limits.load)
        if isinstance(outcome, Outcome):
            return self._attempt(loading=outcome)
        if outcome["instead"]:
            self.process.end(wait=False)
            return self._attempt(instead=_line(outcome["instead"]))
        outcomes: list[Outcome] = []
        seconds = calls.seconds + self.limits.grace
        for count, frame in calls.frames:
            with contextlib.suppress(DiedError, HungError):  # as will be found by the reply
                self.process.send(frame, self._patience(seconds), self.clock)
            for _ in range(count):
                arguments = calls.arguments[len(outcomes)]
                reply = self._outcome("value", seconds, len(outcomes))
                outcomes.append(_returned(reply, arguments) if isinstance(reply, dict) else reply)
                if outcomes[-1].state in ("timeout", "lost"):
                    return self._attempt(outcomes)
        self.process.end(wait=False)
        return self._attempt(outcomes)

    def _begin(self, frame: bytes) -> None:
        start = Countdown(self.limits.start)
        try:
            self.process.send(frame, start)
            ready = _checked(self.process.receive(start), "ready")
        except (OSError, ProtocolError, HungError, DiedError) as error:
            said = str(error)
            try:
                said = self.process.end() or said
            except LostError as lost:
                if not str(lost):
                    raise _NothingRanError(_SERVER_LOST) from None
                said = str(lost)
            raise _does_not_start(said) from error
        self.words = ready["holds"], ready["missing"]

    def _outcome(self, expected: str, seconds: float, number: int | None = None) -> Any:
        """A reply with a value, or what came in place of it."""
        try:
            reply = _checked(
                self.process.receive(self._patience(seconds), self.clock), expected, number
            )
        except HungError:
            self.process.end(wait=False)
            if self.clock.left <= 0:
                used_up = f"the {self.limits.submission:g} s that one submission may take are over"
                return Outcome("timeout", error=used_up)
            return Outcome("timeout", error="wall")
        except DiedError:
            return self._lost("")
        except ProtocolError as error:
            return self._lost(f"it broke the rules of grading ({error})")
        if reply["state"] == "returned":
            return reply
        said, line = _line(reply["error"]), _line(reply["line"])
        printed = _lines(reply["printed"])
        return Outcome("raised", error=said, line=line, begun=reply["begun"], printed=printed)

    def _lost(self, why: str) -> Outcome:
        try:
            how = self.process.end()
        except LostError:
            raise SandboxError(_SERVER_LOST) from None
        if why:
            return Outcome("lost", error=why)
        return Outcome("timeout") if how == OUT_OF_TIME else Outcome("lost", error=how)

    def _patience(self, seconds: float) -> Countdown:
        return Countdown(self.limits.patience * seconds)

    def _attempt(
        self,
        outcomes: Sequence[Outcome] = (),
        loading: Outcome | None = None,
        instead: str = "",
    ) -> Attempt:
        last = loading or (outcomes[-1] if outcomes else None)
        doubtful = last is not None and last.error in ("wall", KILLED)
        return Attempt(tuple(outcomes), loading, instead, doubtful, *self.words)


# --- servers -------------------------------------------------------------------------------------

_servers: dict[tuple[str, tuple[str, ...]], ForkServer] = {}
_layers: dict[tuple[str, ...], frozenset[str]] = {}
_lock = threading.Lock()


def launch(module: str = "numpy", without: Sequence[str] = ()) -> None:
    """Have a process import what will soon be wanted."""
    key = module, tuple(without)
    if CAN_FORK:
        with contextlib.suppress(OSError), _lock:  # as it will be said when it is wanted
            if key not in _servers:
                _servers[key] = ForkServer(*key)


def _server(module: str, without: Sequence[str], seconds: float) -> ForkServer:
    key = module, tuple(without)
    with _lock:
        if key not in _servers:
            _servers[key] = ForkServer(module, without)
        server = _servers[key]
    server.wait(seconds)
    assert server.missing is not None
    # A layer that could be had before is not done without because this machine is busy.
    if lacks := server.missing - _layers.setdefault(key[1], server.missing):
        raise OSError(f"it lacks {', '.join(sorted(lacks))}")
    return server


def _forget(module: str, without: Sequence[str]) -> None:
    with _lock:
        server = _servers.pop((module, tuple(without)), None)
    if server is not None:
        server.end()


def shut_down() -> None:
    """End the processes that wait for work."""
    for module, without in list(_servers):
        _forget(module, without)


atexit.register(shut_down)


def describe() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The isolation and limits that hold on this machine, and those that are missing.

    Raises:
        SandboxError: nothing can be run here at all.
    """
    attempt = run(Program("f", (("f", "f = len"),)), Calls(()))
    holds = ["a process without answers or verdicts", "wall time", "no inherited environment"]
    missing: list[str] = []
    if not CAN_FORK:
        missing += [NO_NETWORK, NO_SIGHT, NO_REACH]
        (holds if os.name == "posix" else missing).append("a process group of its own")
    return (*holds, *attempt.holds), (*missing, *attempt.missing)


def require_isolation(missing: Collection[str]) -> None:
    """Refuse to run other people's code where it could read this user's files.

    Args:
        missing: what `describe` says of the machine.

    Raises:
        CourseError: neither namespaces nor Landlock are to be had there.
    """
    if NO_SIGHT in missing:
        raise CourseError(
            "Nothing here keeps learners' code from your files: grade on Linux with Landlock or "
            "user namespaces (a virtual machine will do), or add --unsafe if you trust everyone "
            "who handed in."
        )


# --- messages ------------------------------------------------------------------------------------

_FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {"holds": tuple, "missing": tuple},
    "loaded": {"instead": str},
    "value": {"value": object, "arguments": tuple, "printed": str},
    "raised": {"error": str, "line": str, "begun": bool, "printed": str},
}


def _checked(reply: Message, expected: str, number: int | None = None) -> Message:
    """A reply that keeps to the rules.

    Raises:
        ProtocolError: it does not.
    """
    if reply.get("kind") != expected or reply.get("call") != number:
        raise ProtocolError("a reply to no question")
    state = reply.get("state")
    fields = _FIELDS["raised" if state == "raised" else expected]
    if not all(
        isinstance(reply.get(name, fields), kinds) for name, kinds in fields.items()
    ) or not (
        set(fields) <= set(reply) and (expected == "ready" or state in ("returned", "raised"))
    ):
        raise ProtocolError("a reply without its parts")
    return reply


def _returned(reply: Message, before: tuple[Any, ...]) -> Outcome:
    after = reply["arguments"] or before  # none if the reply was too large to be sent
    if len(after) != len(before):
        return Outcome("lost", error="it broke the rules of grading (a reply with other arguments)")
    # A Formula cannot be changed from there; it does not come back.
    pairs = zip(before, after, strict=True)
    own = tuple(old if isinstance(old, Formula) else new for old, new in pairs)
    return Outcome("returned", reply["value"], own, printed=_lines(reply["printed"]))


def _frames(arguments: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, bytes]]:
    if not arguments:
        return
    try:
        yield len(arguments), wire.encode({"calls": list(arguments)}, trusted=True)
    except wire.TooLargeError:
        if len(arguments) == 1:
            raise CourseError("The arguments of one call are too large to be sent.") from None
        middle = len(arguments) // 2
        yield from _frames(arguments[:middle])
        yield from _frames(arguments[middle:])


def _lines(text: str) -> str:
    """What was printed, no more than `calling.Printed` keeps."""
    return "\n".join(text[: 2 * MAX_PRINTED].split("\n")[: MAX_LINES + 1])


def _line(text: str) -> str:
    """Printable text on one line, not too long."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)[:300]
