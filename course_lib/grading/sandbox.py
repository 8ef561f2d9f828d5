"""Runs one learner's programs in a process of its own, under limits: values in, values out.

Everything about processes is here. The process (`worker`) is started, asked and ended by this
side; it holds no answer and no verdict, and whatever it does, every wait here has a deadline and
every buffer a largest size.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import CourseError
from ..exercises.exercise import Case, Exercise, Formula, Outcome, Status
from ..exercises.judge import call
from . import worker
from .slicing import Program
from .worker import Message, ProtocolError

WORKER = (sys.executable, "-I", "-B", str(Path(worker.__file__).resolve()))
MAX_ASKED_BYTES = 1 << 20
MAX_ASKED_INTEGER = 1_000_000

_FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {"holds": tuple, "missing": tuple},
    "loaded": {"instead": str},
    "value": {"value": object, "arguments": (tuple, type(None))},
    "raised": {"error": str, "line": str},
    "ask": {"name": str, "arguments": tuple, "keywords": tuple},
}


@dataclass(frozen=True)
class Limits:
    """What one learner's process may use.

    Attributes:
        memory: address space, in bytes (Keras needs more than 4 GB of it).
        file_size: of any file that it writes, in bytes.
        open_files: at once.
        start: seconds until the process answers; its failure is never the learner's.
        load: seconds for the statements that an answer needs, imports included.
        grace: seconds beyond `Exercise.seconds` that a call may take on a busy machine.
        submission: seconds for all answers of one submission.
        asks: calls of the course's own functions by one answer.
    """

    memory: int = 2 << 30
    file_size: int = 16 << 20
    open_files: int = 64
    start: float = 60.0
    load: float = 30.0
    grace: float = 1.0
    submission: float = 300.0
    asks: int = 1000


@dataclass(frozen=True)
class Attempt:
    """What came of one answer: the outcome of each call, or a problem that left none.

    ``problem`` is a status and a sentence: the answer did not load, or there was no time left.
    """

    outcomes: tuple[Outcome, ...] = ()
    problem: tuple[Status, str] | None = None


class WorkerError(CourseError):
    """The process for answers does not start: a fault of this machine, not of a submission."""


class StoppedError(Exception):
    """The whole run is being stopped; what is under way has no result."""


class _HungError(Exception):
    """The deadline has passed."""


class _DiedError(Exception):
    """The process has closed its end."""


class Sandbox:
    """A context in which the answers of one submission run, one after another.

    One process serves them; after a hang, a death or a lie it is replaced for the next answer.

    Args:
        limits: for the process.
        stop: when set, the wait in progress ends with `StoppedError`.
        command: what to start, another program than `worker` only in tests.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        stop: Event | None = None,
        command: Sequence[str] = WORKER,
    ) -> None:
        self.limits = limits or Limits()
        self.holds: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        self._stop = stop or Event()
        self._command = command
        self._process: _Process | None = None
        self._end = time.monotonic() + self.limits.submission

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def start(self) -> None:
        """Start a process if there is none.

        Raises:
            WorkerError: it does not answer.
        """
        if self._process is not None:
            return
        if not hasattr(os, "set_blocking"):
            raise WorkerError("Grading on Windows needs Python 3.12 or newer.")
        limits = self.limits
        try:
            self._process = _Process(self._command, self._stop)
            ready = self._exchange(
                {
                    "kind": "setup",
                    "memory": limits.memory,
                    "file_size": limits.file_size,
                    "open_files": limits.open_files,
                    "cpu_seconds": int(limits.submission) + 1,
                    "wall_seconds": int(limits.submission + limits.start) + 1,
                },
                limits.start,
                expected="ready",
            )
        except (OSError, ProtocolError, _HungError, _DiedError) as error:
            said = self._process.errors() if self._process is not None else str(error)
            self._drop()
            raise WorkerError(
                "The process for answers does not start on this machine: "
                f"{said or type(error).__name__.strip('_').lower()}."
            ) from error
        self.holds, self.missing = ready["holds"], ready["missing"]

    def run(
        self,
        program: Program,
        exercise: Exercise,
        cases: Sequence[Case],
        given: Mapping[str, Callable[..., Any]],
    ) -> Attempt:
        """Load a program and call its function on every case.

        Args:
            program: the answer; its ``given`` names may ask for values.
            exercise: says how long a call may take.
            cases: the calls.
            given: the course's own function for each name in ``program.given``.

        Raises:
            WorkerError: no process could be started.
            StoppedError: the run is being stopped.
        """
        if time.monotonic() >= self._end:
            return self._no_time()
        if self._process is not None and not self._process.is_fresh():
            self._drop()  # what the answer before has left behind is not this one's fault
        self.start()
        asks = _Asks({name: given[name] for name in program.given}, self.limits.asks)
        outcomes: list[Outcome] = []
        try:
            problem = self._load(program, asks)
            if problem is not None:
                return Attempt(problem=problem)
            for case in cases:
                message = {"kind": "call", "arguments": tuple(map(_sent, case.arguments))}
                seconds = exercise.seconds + self.limits.grace
                reply = self._exchange(message, seconds, asks, "value")
                outcomes.append(_outcome(reply, case))
            if self._process is not None and self._process.has_stray():
                raise ProtocolError("a reply to no question")
        except _HungError:
            self._drop()
            if time.monotonic() >= self._end:
                return self._no_time()
            outcomes.append(Outcome("timeout"))
        except _DiedError:
            outcomes.append(Outcome("lost", error=self._drop()))
        except ProtocolError as error:
            self._drop()
            del outcomes[len(cases) - 1 :]
            outcomes.append(Outcome("lost", error=f"it broke the rules of grading ({error})"))
        return Attempt(tuple(outcomes))

    def _no_time(self) -> Attempt:
        return Attempt(
            problem=(
                "timeout",
                f"The {self.limits.submission:g} s that one submission may take were used up "
                "before this function was done.",
            )
        )

    def _load(self, program: Program, asks: _Asks) -> tuple[Status, str] | None:
        name = program.name
        message = {
            "kind": "load",
            "name": name,
            "segments": program.segments,
            "given": program.given,
            "passing": program.passing,
        }
        try:
            reply = self._exchange(message, self.limits.load, asks, "loaded")
        except worker.TooLargeError:
            return "error", f"The code that `{name}` needs is too long to be graded."
        except ProtocolError as error:
            self._drop()
            return "error", f"The code that `{name}` needs broke the rules of grading ({error})."
        except _DiedError:
            return "error", f"The code that `{name}` needs ended its process: {self._drop()}."
        except _HungError:
            self._drop()
            if time.monotonic() >= self._end:
                return self._no_time().problem
            return "timeout", (
                f"The code that `{name}` needs had not finished after {self.limits.load:g} s: "
                "look for a loop at the top level of a cell."
            )
        if reply["kind"] == "raised":
            where = f" in {reply['line']}" if reply["line"] else ""
            return "error", f"The code that `{name}` needs raised {_line(reply['error'])}{where}."
        if reply["instead"]:
            kind = _line(reply["instead"])
            return "error", f"`{name}` is not a function but a value of type {kind}."
        return None

    def _exchange(
        self, message: Message, seconds: float, asks: _Asks | None = None, expected: str = ""
    ) -> Message:
        """Send one request and wait for its reply, serving the asks that come in between."""
        process = self._process
        assert process is not None
        deadline = min(time.monotonic() + seconds, self._end)
        if expected == "ready":  # the start has its own time
            deadline = time.monotonic() + seconds
        if process.has_stray():
            raise ProtocolError("a reply to no question")
        request = secrets.token_hex(8)
        process.send(worker.encode({**message, "id": request}, trusted=True), deadline)
        while True:
            reply = process.receive(deadline)
            kind = reply.get("kind")
            fields = _FIELDS.get(kind) if isinstance(kind, str) else None
            if reply.get("id") != request or fields is None:
                raise ProtocolError("a reply to no question")
            if not all(
                name in reply and isinstance(reply[name], kinds) for name, kinds in fields.items()
            ):
                raise ProtocolError("a reply without its parts")
            if kind == "ask" and asks is not None:
                process.send(asks.answer(reply, request), deadline)
            elif kind == expected or (kind == "raised" and asks is not None):
                return reply
            else:
                raise ProtocolError("a reply to another question")

    def _drop(self) -> str:
        """End the process, if there is one; returns how it had ended."""
        process, self._process = self._process, None
        return process.end() if process is not None else ""


def describe() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The limits on answers that hold on this machine, and those that are missing.

    Raises:
        WorkerError: answers cannot be run here at all.
    """
    with Sandbox() as sandbox:
        sandbox.start()
    holds = ["a process without answers or verdicts", "wall time", "an empty working folder"]
    missing = [
        "no network",
        "no sight of other files",
        "no reach to other processes",
        "number of processes",
    ]
    (holds if os.name == "posix" else missing).append("a process group of its own")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        missing.append("an unprivileged user (started as root)")
    return (*holds, *sandbox.holds), (*missing, *sandbox.missing)


# --- values ------------------------------------------------------------------------------------


def _sent(argument: Any) -> Any:
    return worker.Formula(argument.text) if isinstance(argument, Formula) else argument


def _outcome(reply: Message, case: Case) -> Outcome:
    if reply["kind"] == "raised":
        return Outcome("raised", error=_line(reply["error"]), line=_line(reply["line"]))
    after = reply["arguments"]
    if after is None:  # the reply was too large to be sent
        after = case.arguments
    if len(after) != len(case.arguments):
        raise ProtocolError("a reply with other arguments")
    # A Formula cannot be changed from there; it does not come back.
    after = tuple(
        before if isinstance(before, Formula) else now
        for before, now in zip(case.arguments, after, strict=True)
    )
    return Outcome("returned", reply["value"], after)


def _line(text: str) -> str:
    """Printable text on one line, not too long."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)[:300]


class _Asks:
    """Answers calls of the course's own functions, for the names that one answer was given.

    Arguments come from the learner's process: they are small, or refused, so that the reference
    cannot be made to fill this process's memory or time.
    """

    def __init__(self, given: Mapping[str, Callable[..., Any]], limit: int) -> None:
        self.given = given
        self.left = limit

    def answer(self, ask: Message, request: str) -> bytes:
        self.left -= 1
        try:
            keywords = dict(ask["keywords"])
            if ask["name"] not in self.given:
                raise NameError(f"name '{ask['name'][:80]}' is not given here")
            if self.left < 0:
                raise RuntimeError("too many calls of the course's own function")
            if not _small([ask["arguments"], list(keywords.values())]):
                raise ValueError("arguments too large for the course's own function")
            function = self.given[ask["name"]]
            outcome = call(lambda *a: function(*a, **keywords), Case(ask["arguments"]), None)
            if outcome.state == "returned":
                reply = {"kind": "value", "id": request, "value": outcome.value}
                return worker.encode(reply, trusted=True)
            said = outcome.error
        except (TypeError, ValueError, NameError, RuntimeError, ProtocolError) as error:
            said = f"{type(error).__name__}: {error}"
        return worker.encode({"kind": "raised", "id": request, "error": _line(said)}, trusted=True)


def _small(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_small(part) for part in value)
    if isinstance(value, (int, np.ndarray, np.generic)):
        array = np.asarray(value)
        whole = array.dtype.kind in "iu" and array.size
        fits = not whole or max(-int(array.min()), int(array.max())) <= MAX_ASKED_INTEGER
        return array.nbytes <= MAX_ASKED_BYTES and fits
    return True


# --- the process -------------------------------------------------------------------------------


class _Process:
    """A child with two pipes; all waiting has a deadline.

    `send` and `receive` raise `_HungError` at the deadline, `_DiedError` when the other end is
    closed, `ProtocolError` for bytes that are no frame, and `StoppedError`.
    """

    def __init__(self, command: Sequence[str], stop: Event) -> None:
        self._stop = stop
        self._closed = False
        self._frames = worker.Frames()
        self._folder = tempfile.mkdtemp(prefix="answer-")
        # What the worker says before it closes its standard error, then it is silent.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        try:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                cwd=self._folder,
                env=_environment(self._folder),
                start_new_session=True,
            )
        except BaseException:
            self._errors.close()
            Path(self._folder).rmdir()
            raise
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._requests, self._replies = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        os.set_blocking(self._requests, False)
        os.set_blocking(self._replies, False)

    def send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            self._wait(self._requests, True, deadline)
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _DiedError from error

    def receive(self, deadline: float) -> Message:
        while (message := self._frames.next()) is None:
            self._wait(self._replies, False, deadline)
            self._read()
        return message

    def has_stray(self) -> bool:
        """Whether something has come that was not asked for."""
        with contextlib.suppress(_DiedError):
            if _ready(self._replies, False, 0.0):
                self._read()
        return bool(self._frames)

    def is_fresh(self) -> bool:
        """Whether it lives, and has said nothing unasked."""
        return not self.has_stray() and not self._closed

    def _read(self) -> None:
        try:
            chunk = os.read(self._replies, 1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            raise _DiedError from error
        if not chunk:
            self._closed = True
            raise _DiedError
        self._frames.feed(chunk)

    def _wait(self, number: int, writing: bool, deadline: float) -> None:
        while True:
            if self._stop.is_set():
                raise StoppedError
            left = deadline - time.monotonic()
            if left <= 0:
                raise _HungError
            if _ready(number, writing, min(left, 0.2)):
                return

    def errors(self) -> str:
        """The last line that the process wrote before it began to serve."""
        self._errors.seek(0)
        lines = self._errors.read(100_000).decode("utf-8", "replace").strip().splitlines()
        return _line(lines[-1]) if lines else ""

    def end(self) -> str:
        """Kill the process and its group, and clear up; returns how it had ended before."""
        # The group goes first: once its leader has been waited for, the number may be another's.
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._popen.pid, signal.SIGKILL)
            else:
                self._popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(5)
        for pipe in (self._popen.stdin, self._popen.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(RecursionError):
            shutil.rmtree(self._folder, ignore_errors=True)
        code = self._popen.returncode
        if code is None or code == -9:
            return "it was killed, or asked for too much memory"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"it crashed ({signal.Signals(-code).name})"
        return f"it ended by itself (status {code})"


def _ready(number: int, writing: bool, seconds: float) -> bool:
    """Whether a pipe can be used, waiting at most ``seconds``."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(number, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    time.sleep(min(seconds, 0.002))  # Windows cannot wait for a pipe: look again and again
    return True


def _environment(folder: str) -> dict[str, str]:
    one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {
        **dict.fromkeys(one, "1"),
        **kept,
        "HOME": folder,
        "TMPDIR": folder,
        "TEMP": folder,
        "LANG": "C.UTF-8",
    }
