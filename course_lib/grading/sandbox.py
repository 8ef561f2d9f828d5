"""Runs one learner's programs in a process of its own, under limits: values in, values out.

The process (`worker`) is started, asked and ended by this side; it holds no answer and no verdict,
and whatever it does, every wait here has a deadline and every buffer a largest size.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import CourseError
from ..exercises.diagnosis import advice, error_at
from ..exercises.exercise import Case, Exercise, Formula, Outcome, Status
from ..sandbox.calling import call
from . import worker
from .process import KILLED, WORKER, Answer, Channel, DiedError, HungError, Spawned
from .process import StoppedError as StoppedError
from .servers import CAN_FORK, SERVERS, Server
from .slicing import Program
from .walls import NO_NETWORK, NO_REACH, NO_SIGHT
from .worker import Message, ProtocolError

# Some of the course's functions make a square matrix of a row, or a step of each unit.
MAX_ASKED_BYTES = 1 << 14
MAX_ASKED_INTEGER = 10_000

_KERAS = re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.MULTILINE)

_FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {"holds": tuple, "missing": tuple},
    "loaded": {"instead": str},
    "value": {"value": object, "arguments": (tuple, type(None))},
    "raised": {"error": str, "line": str, "begun": bool},
    "ask": {"name": str, "arguments": tuple, "keywords": tuple},
}


@dataclass(frozen=True)
class Limits:
    """What one learner's process may use.

    Attributes:
        memory: address space, in bytes.
        keras_memory: the same where an answer imports a framework, which reserves much more.
        keras_processes: likewise; frameworks start threads for each core.
        file_size: of any file that it writes, in bytes.
        open_files: at once.
        processes: at once, threads included; each may use the memory above.
        start: seconds until the process answers; its failure is never the learner's.
        load: seconds for the statements that an answer needs, imports included; like all of a
            call, without those in which it waits for a processor, where the system tells.
        grace: seconds beyond `Exercise.seconds` that a call may take on a busy machine.
        submission: seconds for all answers of one submission.
        asks: calls of the course's own functions by one answer.
    """

    memory: int = 2 << 30
    keras_memory: int = 16 << 30
    file_size: int = 16 << 20
    open_files: int = 64
    processes: int = 8
    keras_processes: int = 512
    start: float = 300.0
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


class Sandbox:
    """A context in which the answers of one submission run, one after another.

    One process serves them, on Linux forked by one that has imported NumPy (or Keras, if an
    answer does). After a hang, a death or a lie it is replaced for the next answer.

    Args:
        limits: for the process.
        stop: when set, the wait in progress ends with `StoppedError`.
        command: what to start, another program than `worker` only in tests.
        without: layers to leave out even if they are there (`walls.LAYERS`), only in tests.

    Attributes:
        holds, missing: walls and limits of the process, in words, once there is one.
        shared: whether the last answer ran in a process in which another had run before that may
            have left something behind.
        killed: whether the process of the last answer was, as also happens when something else
            uses up this machine's memory.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        stop: Event | None = None,
        command: Sequence[str] = WORKER,
        *,
        without: Sequence[str] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.holds: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        self.shared = self.killed = False
        self._stop = stop or Event()
        self._command = command
        self._forks = CAN_FORK and command == WORKER
        self._without = without
        self._servers: dict[str, Server] = {}
        self._process: Channel | None = None
        self._used = False  # by an answer that may have left something behind
        self._module = ""
        self._end = time.monotonic() + self.limits.submission

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        for server in self._servers.values():
            if server.alive:
                SERVERS.put(server)
        self._servers.clear()

    def start(self, module: str = "numpy") -> None:
        """Start a process if there is none.

        Args:
            module: what the answer will import: "numpy", or "keras" with its backend.

        Raises:
            WorkerError: it does not answer.
        """
        if self._process is not None:
            return
        if not hasattr(os, "set_blocking"):
            raise WorkerError("Grading on Windows needs Python 3.12 or newer.")
        limits = self.limits
        heavy = module == "keras"
        setup = {
            "kind": "setup",
            "memory": limits.keras_memory if heavy else limits.memory,
            "file_size": limits.file_size,
            "open_files": limits.open_files,
            "processes": limits.keras_processes if heavy else limits.processes,
            "cpu_seconds": int(limits.submission) + 1,
            "wall_seconds": int(2 * limits.submission + limits.start) + 1,
        }
        try:
            self._process = self._started(module)
            ready = self._exchange(setup, limits.start, expected="ready")
        except (OSError, ProtocolError, HungError, DiedError) as error:
            said = self._process.errors() if self._process is not None else str(error)
            self._drop()
            raise WorkerError(
                "The process for answers does not start on this machine: "
                f"{_line(said) or type(error).__name__.removesuffix('Error').lower()}."
            ) from error
        self.holds, self.missing, self._module = ready["holds"], ready["missing"], module
        self._used = False

    def _started(self, module: str) -> Channel:
        if not self._forks:
            return Spawned(self._command, self._stop)
        if module in self._servers:
            try:
                return Answer(self._servers[module], self._stop)
            except OSError:  # it was killed, or ran out of something: a new one may do
                self._servers.pop(module).end()
        server = SERVERS.take(module, self._without)
        try:
            answer = Answer(server, self._stop)
        except OSError:
            server.end()
            server = SERVERS.new(module, self._without)
            server.wait()
            answer = Answer(server, self._stop)
        self._servers[module] = server
        return answer

    def run(
        self,
        program: Program,
        exercise: Exercise,
        cases: Sequence[Case],
        given: Mapping[str, Callable[..., Any]],
        *,
        alone: bool = False,
    ) -> Attempt:
        """Load a program and call its function on every case.

        Args:
            program: the answer; its ``given`` names may ask for values.
            exercise: says how long a call may take.
            cases: the calls.
            given: the course's own function for each name in ``program.given``.
            alone: in a process in which nobody can have left anything behind.

        Raises:
            WorkerError: no process could be started.
            StoppedError: the run is being stopped.
        """
        if time.monotonic() >= self._end:
            return self._no_time()
        module = "keras" if _needs_keras(program) else "numpy"
        if self._process is not None and (
            (alone and self._used) or module != self._module or not self._process.is_fresh()
        ):
            self._leave()  # what the answer before has left behind is not this one's fault
        self.shared = self._process is not None and self._used
        self.killed = False
        self.start(module)
        self._used |= program.leaves_tracks
        asks = _Asks({name: given[name] for name in program.given}, self.limits.asks)
        outcomes: list[Outcome] = []
        try:
            problem = self._load(program, asks)
            if problem is not None:
                return Attempt(problem=problem)
            seconds = exercise.seconds + self.limits.grace
            for part, frame in _frames(exercise.name, tuple(cases)):
                request = self._send({"kind": "call"}, seconds, frame)
                for number, case in enumerate(part):
                    reply = self._reply(f"{request}/{number}", seconds, asks, "value")
                    outcomes.append(_outcome(reply, case))
            if self._process is not None and self._process.has_stray():
                raise ProtocolError("a reply to no question")
        except HungError:
            self._leave()
            if time.monotonic() >= self._end:
                return self._no_time()
            outcomes.append(Outcome("timeout"))
        except DiedError:
            outcomes.append(Outcome("lost", error=self._end_of_its_own()))
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
        except DiedError:
            return "error", (
                f"The code that `{name}` needs ended its process: {self._end_of_its_own()}."
            )
        except HungError:
            self._leave()
            if time.monotonic() >= self._end:
                return self._no_time().problem
            return "timeout", (
                f"The code that `{name}` needs had not finished after {self.limits.load:g} s: "
                "look for a loop at the top level of a cell."
            )
        if reply["kind"] == "raised":
            raised, line = _line(reply["error"]), _line(reply["line"])
            told = f"{error_at(raised, line)}.{advice(raised, line)}"
            return "error", f"The code that `{name}` needs raised {told}"
        if reply["instead"]:
            kind = _line(reply["instead"])
            return "error", f"`{name}` is not a function but a value of type {kind}."
        return None

    def _exchange(
        self, message: Message, seconds: float, asks: _Asks | None = None, expected: str = ""
    ) -> Message:
        """Send one request and wait for its reply, serving the asks that come in between."""
        return self._reply(self._send(message, seconds), seconds, asks, expected)

    def _send(self, message: Message, seconds: float, more: bytes = b"") -> str:
        """Send one request, and a frame that belongs to it; returns the request's id."""
        process = self._process
        assert process is not None
        if process.has_stray():
            raise ProtocolError("a reply to no question")
        request = secrets.token_hex(8)
        frame = worker.encode({**message, "id": request}, trusted=True)
        process.send(frame + more, self._deadline(seconds, message["kind"] == "setup"))
        return request

    def _reply(
        self, request: str, seconds: float, asks: _Asks | None = None, expected: str = ""
    ) -> Message:
        """The next reply to a request; a call brings one for each case."""
        process = self._process
        assert process is not None
        deadline = self._deadline(seconds, expected == "ready")
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
                if asks.left <= 0 and process.now() > deadline:
                    raise HungError
                process.send(asks.answer(reply, request), deadline)
            elif kind == expected or (kind == "raised" and asks is not None):
                return reply
            else:
                raise ProtocolError("a reply to another question")

    def _deadline(self, seconds: float, starting: bool) -> float:
        """At most the end of the submission's time, of which the start is no part."""
        assert self._process is not None
        left = seconds if starting else min(seconds, self._end - time.monotonic())
        return self._process.now() + left

    def _end_of_its_own(self) -> str:
        """How the process has ended, for which the answer is to blame.

        Raises:
            WorkerError: it is not: something has killed the process that had started it.
        """
        process = self._process
        how = self._drop()
        self.killed = how == KILLED
        if process is not None and process.bereft:
            raise WorkerError(
                "Something on this machine has ended the process that starts answers: grade this "
                "submission again."
            )
        return how

    def _leave(self) -> None:
        """End the process, if there is one, whatever has become of it."""
        process, self._process = self._process, None
        if process is not None:
            process.leave()

    def _drop(self) -> str:
        """End the process, if there is one; returns how it had ended."""
        process, self._process = self._process, None
        return process.end() if process is not None else ""


def describe() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The walls and limits around answers that hold on this machine, and those that are missing.

    Raises:
        WorkerError: answers cannot be run here at all.
    """
    with Sandbox() as sandbox:
        sandbox.start()
    holds = ["a process without answers or verdicts", "wall time", "no inherited environment"]
    missing: list[str] = []
    if not CAN_FORK:
        missing += [NO_NETWORK, NO_SIGHT, NO_REACH]
        (holds if os.name == "posix" else missing).append("a process group of its own")
    return (*holds, *sandbox.holds), (*missing, *sandbox.missing)


def require_walls(missing: Collection[str]) -> None:
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


def _needs_keras(program: Program) -> bool:
    return any(_KERAS.search(source) for _, source in program.segments)


# --- values ------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _frames(name: str, cases: tuple[Case, ...]) -> list[tuple[tuple[Case, ...], bytes]]:
    """Cases as they are sent, the same for everybody: as many in a frame as fit.

    Raises:
        CourseError: not even one fits.
    """
    arguments = [tuple(map(_sent, case.arguments)) for case in cases]
    try:
        return [(cases, worker.encode({"cases": arguments}, trusted=True))]
    except worker.TooLargeError:
        if len(cases) == 1:
            raise CourseError(f"A case of `{name}` is too large to be sent.") from None
        middle = len(cases) // 2
        return [*_frames(name, cases[:middle]), *_frames(name, cases[middle:])]


def _sent(argument: Any) -> Any:
    return worker.Formula(argument.text) if isinstance(argument, Formula) else argument


def _outcome(reply: Message, case: Case) -> Outcome:
    if reply["kind"] == "raised":
        said, line = _line(reply["error"]), _line(reply["line"])
        return Outcome("raised", error=said, line=line, begun=reply["begun"])
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
            outcome = call(lambda *a: function(*a, **keywords), ask["arguments"])
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
