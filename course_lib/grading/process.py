"""Processes for answers as this side sees them: started, talked to, ended, with deadlines.

On Linux a server forks an `Answer` in milliseconds, behind walls; elsewhere `Spawned` starts a new
interpreter. Both are a `Channel`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from threading import Event

from . import worker
from .servers import HERE, TO_END, Folder, Server, clean_environment, last_line
from .worker import Message

WORKER = (sys.executable, "-I", "-B", str(HERE / "worker.py"))
KILLED = "it was killed, or asked for too much memory"
CHUNK = 1 << 18
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.EINVAL})  # the last is how Windows says it
_CREDENTIALS = struct.Struct("=iII")  # number of the process, user, group: unix(7)


class StoppedError(Exception):
    """The whole run is being stopped; what is under way has no result."""


class HungError(Exception):
    """The deadline has passed."""


class DiedError(Exception):
    """The process has closed its end."""


class Channel:
    """Frames to a process and back; all waiting has a deadline, on the clock of `now`.

    `send` and `receive` raise `HungError` at the deadline if nothing has come by then, `DiedError`
    when the other end is closed, `ProtocolError` for bytes that are no frame, and `StoppedError`.
    An `OSError` is this machine's failure, not the process's.

    Args:
        requests, replies: file descriptors to write to and to read from.
        stop: when set, waiting ends.

    Attributes:
        bereft: once it has ended, whether it did so because what had started it was gone.
    """

    bereft = False
    _missed = 0.0

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
                raise _died(error) from None

    def now(self) -> float:
        """Seconds on a clock that stands still while the process waits for a processor.

        It stands still, too, while this process does (as when a whole virtual machine is halted):
        a slow machine takes no time from an answer.
        """
        return time.monotonic() - max(self._waited(), self._missed)

    def receive(self, deadline: float) -> Message:
        while (message := self._frames.next()) is None:
            self._wait(self._replies, False, deadline)
            self._read()
        return message

    def has_stray(self) -> bool:
        """Whether something has come that was not asked for."""
        with contextlib.suppress(DiedError):
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

    def leave(self) -> None:
        """End it where nobody wants to know how; need not wait until it has ended."""
        self.end()

    def _waited(self) -> float:
        """Seconds that the process, ready to run, had no processor, if this system tells."""
        return 0.0

    def _received(self) -> bytes:
        return os.read(self._replies, CHUNK)

    def _read(self) -> None:
        try:
            chunk = self._received()
        except BlockingIOError:
            return
        except OSError as error:
            self._closed = error.errno in _GONE
            raise _died(error) from None
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
                left = deadline - self.now()  # is asked only where it matters
            seconds = max(min(left, 0.2), 0.0)
            start = time.monotonic()
            if _ready(number, writing, seconds):
                return  # even late: it may be this side that was kept from looking
            self._missed += max(time.monotonic() - start - seconds, 0.0)
            if left <= 0:
                raise HungError


def _ready(number: int, writing: bool, seconds: float) -> bool:
    """Whether a pipe can, or on Windows might, be used, waiting at most ``seconds``."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(number, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    time.sleep(min(seconds, 0.002))  # Windows cannot wait for a pipe: look again and again
    return seconds > 0


def _died(error: OSError) -> Exception:
    return DiedError() if error.errno in _GONE else error


def _how(code: int | None) -> str:
    if code is None or code == -9:
        return KILLED
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"it crashed ({signal.Signals(-code).name})"
    return f"it ended by itself (status {code})"


# --- a new interpreter ---------------------------------------------------------------------------


class Spawned(Channel):
    """A process of its own, with two pipes."""

    def __init__(self, command: Sequence[str], stop: Event) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = Folder()
        try:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                cwd=self._folder.path,
                env=clean_environment(self._folder.path),
                start_new_session=True,
            )
        except BaseException:
            self._errors.close()
            self._folder.clear()
            raise
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        super().__init__(self._popen.stdin.fileno(), self._popen.stdout.fileno(), stop)

    def errors(self) -> str:
        """The last line that the process wrote before it began to serve."""
        return last_line(self._errors)

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
        self._folder.clear()
        return _how(self._popen.returncode)


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
        self._schedule = -1  # a handle on what the system tells of its waiting
        self._own, theirs = socket.socketpair()
        try:
            self._own.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
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
        self._close()
        return _how(status if isinstance(status, int) else None)

    def leave(self) -> None:
        if self._report is None:
            self._report = {}
            self._server.leave_answer()
        self._close()

    def _close(self) -> None:
        self._own.close()
        if self._schedule >= 0:
            os.close(self._schedule)
            self._schedule = -1

    def _waited(self) -> float:
        if self._schedule < 0:
            return 0.0
        try:  # on a processor, waiting for one, times: sched-stats in the kernel's documentation
            return int(os.pread(self._schedule, 100, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # it has ended
            return 0.0

    def _received(self) -> bytes:
        """With the first bytes comes the process's number here; in its own view it is 1."""
        if self._schedule >= 0:
            return super()._received()
        chunk, words, _, _ = self._own.recvmsg(CHUNK, socket.CMSG_SPACE(_CREDENTIALS.size))
        with contextlib.suppress(OSError, ValueError, struct.error):
            ((_, _, data),) = words
            number, _, _ = _CREDENTIALS.unpack(data)
            flags = os.O_RDONLY | os.O_CLOEXEC
            self._schedule = os.open(f"/proc/{number}/schedstat", flags)
        return chunk

    def _reported(self) -> dict[str, object]:
        if self._report is None:
            self._report = self._server.end_answer()
        return self._report
