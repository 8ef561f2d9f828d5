"""Processes for answers as this side sees them: started, talked to, ended, with deadlines.

On Linux a `Server` forks an `Answer` in milliseconds, behind walls; elsewhere `Spawned` starts a
new interpreter. Both are a `Channel`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import IO

from . import worker
from .walls import clear
from .worker import Message

HERE = Path(__file__).resolve().parent
WORKER = (sys.executable, "-I", "-B", str(HERE / "worker.py"))
FORKSERVER = (sys.executable, "-I", "-B", str(HERE / "forkserver.py"))
CAN_FORK = sys.platform == "linux"
TO_START = 60.0
TO_END = 5.0


class StoppedError(Exception):
    """The whole run is being stopped; what is under way has no result."""


class HungError(Exception):
    """The deadline has passed."""


class DiedError(Exception):
    """The process has closed its end."""


class Channel:
    """Frames to a process and back; all waiting has a deadline.

    `send` and `receive` raise `HungError` at the deadline, `DiedError` when the other end is
    closed, `ProtocolError` for bytes that are no frame, and `StoppedError`.

    Args:
        requests, replies: file descriptors to write to and to read from.
        stop: when set, waiting ends.

    Attributes:
        bereft: once it has ended, whether it did so because what had started it was gone.
    """

    bereft = False

    def __init__(self, requests: int, replies: int, stop: Event) -> None:
        self._requests, self._replies, self._stop = requests, replies, stop
        self._closed = False
        self._frames = worker.Frames()
        os.set_blocking(requests, False)
        os.set_blocking(replies, False)

    def send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            self._wait(self._requests, True, deadline)
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise DiedError from error

    def receive(self, deadline: float) -> Message:
        while (message := self._frames.next()) is None:
            self._wait(self._replies, False, deadline)
            self._read()
        return message

    def has_stray(self) -> bool:
        """Whether something has come that was not asked for."""
        with contextlib.suppress(DiedError):
            if _ready(self._replies, False, 0.0):
                self._read()
        return bool(self._frames)

    def is_fresh(self) -> bool:
        """Whether it lives, and has said nothing unasked."""
        return not self.has_stray() and not self._closed

    def errors(self) -> str:
        """Why it did not start, if it said so."""
        raise NotImplementedError

    def end(self) -> str:
        """End the process and all that it has started; returns how it had ended before."""
        raise NotImplementedError

    def _read(self) -> None:
        try:
            chunk = os.read(self._replies, 1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            raise DiedError from error
        if not chunk:
            self._closed = True
            raise DiedError
        self._frames.feed(chunk)

    def _wait(self, number: int, writing: bool, deadline: float) -> None:
        while True:
            if self._stop.is_set():
                raise StoppedError
            left = deadline - time.monotonic()
            if left <= 0:
                raise HungError
            if _ready(number, writing, min(left, 0.2)):
                return


def _ready(number: int, writing: bool, seconds: float) -> bool:
    """Whether a pipe can be used, waiting at most ``seconds``."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(number, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    time.sleep(min(seconds, 0.002))  # Windows cannot wait for a pipe: look again and again
    return True


def _how(code: int | None) -> str:
    if code is None or code == -9:
        return "it was killed, or asked for too much memory"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"it crashed ({signal.Signals(-code).name})"
    return f"it ended by itself (status {code})"


# --- a new interpreter ---------------------------------------------------------------------------


class Spawned(Channel):
    """A process of its own, with two pipes."""

    def __init__(self, command: Sequence[str], stop: Event) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = tempfile.mkdtemp(prefix="answer-")
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
        super().__init__(self._popen.stdin.fileno(), self._popen.stdout.fileno(), stop)

    def errors(self) -> str:
        """The last line that the process wrote before it began to serve."""
        return _last_line(self._errors)

    def end(self) -> str:
        # The group goes first: once its leader has been waited for, the number may be another's.
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._popen.pid, signal.SIGKILL)
            else:
                self._popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(TO_END)
        for pipe in (self._popen.stdin, self._popen.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(OSError):
            clear(self._folder)
        return _how(self._popen.returncode)


def _last_line(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read(100_000).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _environment(folder: str) -> dict[str, str]:
    one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    names = ("SYSTEMROOT", "KERAS_BACKEND")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **dict.fromkeys(one, "1"),
        **kept,
        "HOME": folder,
        "TMPDIR": folder,
        "TEMP": folder,
        "LANG": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }


# --- forked --------------------------------------------------------------------------------------


class Answer(Channel):
    """A process that a `Server` has forked.

    Args:
        server: which forks it.
        stop: when set, waiting ends.

    Raises:
        OSError: the server is gone.
    """

    def __init__(self, server: Server, stop: Event) -> None:
        self._server = server
        self._report: dict[str, object] | None = None
        self._own, theirs = socket.socketpair()
        try:
            server.fork(theirs)
        except BaseException:
            self._own.close()
            raise
        finally:
            theirs.close()
        super().__init__(self._own.fileno(), self._own.fileno(), stop)

    def errors(self) -> str:
        return str(self._reported().get("error", "")) or self._server.errors()

    def end(self) -> str:
        status = self._reported().get("status")
        self.bereft = not self._server.alive
        self._own.close()
        return _how(status if isinstance(status, int) else None)

    def _reported(self) -> dict[str, object]:
        if self._report is None:
            self._report = self._server.end_answer()
        return self._report


class Server:
    """A process that has imported what answers need and forks one for each.

    Args:
        module: which it imports once, "numpy" or "keras".
        without: layers of the walls to leave out (`walls.LAYERS`).

    Raises:
        OSError: it does not start; says why.
    """

    def __init__(self, module: str = "numpy", without: Sequence[str] = ()) -> None:
        self.module, self.without = module, tuple(without)
        self.alive = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = tempfile.mkdtemp(prefix="answer-")
        self._control, theirs = socket.socketpair()
        self._popen = subprocess.Popen(
            (*FORKSERVER, self._folder, module, ",".join(without)),
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd=self._folder,
            env=_environment(self._folder),
            start_new_session=True,
        )
        theirs.close()
        self._control.settimeout(TO_START)
        with contextlib.suppress(OSError):
            word = self._control.recv(5)
            self.alive = word in (b"ready", b"apart")
            if word == b"apart":
                clear(self._folder)
        if not self.alive:
            said = self.errors()
            self.end()
            raise OSError(said or "the process that forks answers does not start")

    def fork(self, answer: socket.socket) -> None:
        """Fork a process that has this socket.

        Raises:
            OSError: the server is gone.
        """
        socket.send_fds(self._control, [b"f"], [answer.fileno()])

    def end_answer(self) -> dict[str, object]:
        """End what was forked; says its exit "status", or the "error" that there was none."""
        try:
            self._control.settimeout(TO_END)
            self._control.send(b"e")
            report: dict[str, object] = json.loads(self._control.recv(1 << 16))
        except (OSError, ValueError):  # the server is gone, or cannot end the process
            self.end()
            return {}
        return report

    def errors(self) -> str:
        """The last line that the server wrote."""
        return "" if self._errors.closed else _last_line(self._errors)

    def end(self) -> None:
        """End the server, and with it the answers and keepers that are left."""
        self.alive = False
        self._control.close()
        try:
            self._popen.wait(TO_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._errors.close()
        with contextlib.suppress(OSError):
            clear(self._folder)


class Servers:
    """Servers that wait for their next submission; each serves one at a time."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[int, str, tuple[str, ...]], list[Server]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, module: str, without: Sequence[str] = ()) -> Server:
        """An idle server, or a new one.

        Raises:
            OSError: it does not start; says why.
        """
        with self._lock:
            idle = self._idle[os.getpid(), module, tuple(without)]
            if idle:
                return idle.pop()
        return Server(module, without)

    def put(self, server: Server) -> None:
        """Give a server back."""
        if server.alive:
            with self._lock:
                self._idle[os.getpid(), server.module, server.without].append(server)

    def end(self) -> None:
        """End those that are idle."""
        with self._lock:
            servers = [server for idle in self._idle.values() for server in idle]
            self._idle.clear()
        for server in servers:
            server.end()


SERVERS = Servers()
atexit.register(SERVERS.end)
