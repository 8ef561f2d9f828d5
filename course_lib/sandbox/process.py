"""One process for somebody's code, as this side sees it: started, talked to, ended.

On Linux a `ForkServer` forks it in milliseconds, isolated; elsewhere a new interpreter is
started. All waiting has an end.
"""

from __future__ import annotations

import contextlib
import errno
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
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import IO

from .scratch import ScratchFolder
from .wire import MAX_PAYLOAD, Frames, Message, ProtocolError

KILLED = "it was killed, or asked for too much memory"
OUT_OF_TIME = "it used up its processor time"
CRASHED = "it crashed"
SLICE = 0.2
TO_END = 5.0
MAX_RECEIVED = MAX_PAYLOAD + (8 << 20)
CHUNK = 1 << 18
_PACKAGE = Path(__file__).resolve().parent
_START = f"import sys; sys.path.insert(0, {str(_PACKAGE.parent)!r}); from {_PACKAGE.name} import "
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.EINVAL})  # the last is how Windows says it


class StoppedError(Exception):
    """The whole run is being stopped; what is under way has no result."""


class HungError(Exception):
    """The time is over."""


class DiedError(Exception):
    """The process has closed its end."""


class LostError(Exception):
    """What had started the process is gone: something on this machine has ended it."""


class Countdown:
    """Seconds of waiting that are left.

    They are counted in short slices, each of which is at most as long as was asked for: while this
    process itself stands still (halted, or starved), hardly any pass. Nothing else adds to them.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds


class AnswerProcess:
    """A process that runs `worker`.

    Args:
        server: forks it; None for a new interpreter.
        stop: when set, waiting ends with `StoppedError`.
        command: for a new interpreter, another program than `worker`.
        word: for the server, see `ForkServer.fork`.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        server: ForkServer | None,
        stop: Event,
        command: Sequence[str] | None = None,
        word: str = "",
    ) -> None:
        self._stop = stop
        self._frames = Frames()
        self._received = 0
        self._ended = False
        self._popen: subprocess.Popen[bytes] | None = None
        if server is not None:
            self._own, self._orders = server.fork(word)
            self._requests = self._replies = self._own.fileno()
        else:
            self._start(
                command or (sys.executable, "-I", "-B", "-c", f"{_START}worker; worker.main()")
            )
        os.set_blocking(self._requests, False)
        os.set_blocking(self._replies, False)

    def _start(self, command: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = ScratchFolder()
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
        self._requests, self._replies = self._popen.stdin.fileno(), self._popen.stdout.fileno()

    def send(self, frame: bytes, *clocks: Countdown) -> None:
        """Send a frame; as much may come back, beside what may come anyway.

        Raises:
            HungError, DiedError, StoppedError: before it was taken.
        """
        self._received -= len(frame)
        rest = memoryview(frame)
        while rest:
            if not self._wait(self._requests, True, clocks):
                raise HungError
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _died(error) from None

    def receive(self, *clocks: Countdown) -> Message:
        """The next message; what has come counts, however late this side looks.

        Raises:
            HungError, DiedError, StoppedError: before it came.
            ProtocolError: what came is none.
        """
        while (message := self._frames.next()) is None:
            in_time = self._wait(self._replies, False, clocks)
            self._read()
            if not in_time and (message := self._frames.next()) is None:
                raise HungError
            if message is not None:
                break
        return message

    def _read(self) -> None:
        try:
            chunk = os.read(self._replies, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise _died(error) from None
        if not chunk:
            raise DiedError
        self._received += len(chunk)
        if self._received > MAX_RECEIVED:
            raise ProtocolError("more than one answer may send")
        self._frames.feed(chunk)

    def _wait(self, handle: int, writing: bool, clocks: Sequence[Countdown]) -> bool:
        """Whether the handle is ready before one of the clocks has run down."""
        while (left := min(clock.left for clock in clocks)) > 0:
            if self._stop.is_set():
                raise StoppedError
            seconds = min(left, SLICE)
            start = time.monotonic()
            ready = _ready(handle, writing, seconds)
            passed = min(time.monotonic() - start, seconds) if ready else seconds
            for clock in clocks:
                clock.left -= passed
            if ready:
                return True
        return False

    def end(self, *, wait: bool = True) -> str:
        """End the process and all that it has started, once; returns how it had ended before.

        Args:
            wait: until it has ended; otherwise "" is returned.

        Raises:
            LostError: what had forked it is gone.
        """
        if self._ended:
            return ""
        self._ended = True
        if self._popen is not None:
            return self._end_interpreter(self._popen)
        self._own.close()
        report: dict[str, object] = {}
        with self._orders as orders:
            orders.shutdown(socket.SHUT_WR)
            if not wait:
                return ""
            orders.settimeout(TO_END)
            with contextlib.suppress(OSError, ValueError):
                report = json.loads(orders.recv(1 << 12))
        if "status" not in report:
            raise LostError(str(report.get("error", "")))
        return how(report["status"])

    def _end_interpreter(self, popen: subprocess.Popen[bytes]) -> str:
        # The group goes first: once its leader has been waited for, the number may be another's.
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(popen.pid, signal.SIGKILL)
            else:
                popen.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(TO_END)
        said = last_line(self._errors)
        for pipe in (popen.stdin, popen.stdout, self._errors):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._folder.clear()
        return said or how(popen.returncode)


def _ready(handle: int, writing: bool, seconds: float) -> bool:
    """Whether a pipe can, or on Windows might, be used, waiting at most ``seconds``."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(handle, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    time.sleep(min(seconds, 0.002))  # Windows cannot wait for a pipe: look again and again
    return True


def _died(error: OSError) -> Exception:
    return DiedError() if error.errno in _GONE else error


def how(code: object) -> str:
    """How a process has ended, by the status that the system gives it."""
    if not isinstance(code, int) or code == -9:
        return KILLED
    if hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU:
        return OUT_OF_TIME
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"{CRASHED} ({signal.Signals(-code).name})"
    return f"it ended by itself (status {code})"


# --- a server ------------------------------------------------------------------------------------


class ForkServer:
    """A process that forks others (Linux). It is started at once, and used when it is ready.

    Args:
        module: that it imports, such as "numpy", or one of the course's own (see `forkserver`).
        without: layers of the isolation to leave out.

    Attributes:
        missing: the layers that it has not, once it is ready.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, module: str, without: Sequence[str] = ()) -> None:
        self.missing: frozenset[str] | None = None
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = ScratchFolder()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"{_START}forkserver; {_path(module)}; forkserver.main(*sys.argv[1:])"
        try:
            self._popen = subprocess.Popen(
                (sys.executable, "-I", "-B", "-c", code, module, self._folder.path, *without),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd=self._folder.path,
                env=clean_environment(self._folder.path),
                start_new_session=True,
            )
        except OSError:
            self._control.close()
            self._errors.close()
            self._folder.clear()
            raise
        finally:
            theirs.close()

    def wait(self, seconds: float) -> None:
        """Wait until it can fork.

        Raises:
            OSError: it has not started; says why.
        """
        with self._lock:
            if self.missing is not None:
                return
            try:
                self._control.settimeout(seconds)
                ready = json.loads(self._control.recv(1 << 12))
                self._control.settimeout(None)
            except (OSError, ValueError):
                said = "" if self._errors.closed else last_line(self._errors)
                raise OSError(said or "the process that forks answers does not start") from None
            self.missing = frozenset(ready["missing"])
            if ready["apart"]:
                self._folder.clear()  # what it does there is not seen outside any more

    def fork(self, word: str = "") -> tuple[socket.socket, socket.socket]:
        """Sockets to a new process and to its keeper.

        Args:
            word: for the module's `prepare`, if it has one.

        Raises:
            OSError: the server is gone.
        """
        own, theirs = socket.socketpair()
        orders, keeper = socket.socketpair()
        try:
            said = word.encode() or b"-"
            socket.send_fds(self._control, [said], [theirs.fileno(), keeper.fileno()])
        except OSError:
            own.close()
            orders.close()
            raise
        finally:
            theirs.close()
            keeper.close()
        return own, orders

    def end(self) -> None:
        """Let it end, with all that it has forked."""
        self._control.close()
        if self.missing is None:  # nobody has anything of it yet
            self._popen.kill()
        try:
            self._popen.wait(TO_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._errors.close()
        self._folder.clear()


def _path(module: str) -> str:
    """What becomes of the path's first entry, the course's package, in a server."""
    if module.startswith(f"{_PACKAGE.parent.name}."):
        return f"sys.path[0] = {str(_PACKAGE.parents[1])!r}"
    return "del sys.path[0]"


def clean_environment(folder: str) -> dict[str, str]:
    """All that a process knows of the environment."""
    one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    names = ("SYSTEMROOT", "KERAS_BACKEND")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {
        **dict.fromkeys(one, "1"),
        **kept,
        **dict.fromkeys(("HOME", "KERAS_HOME", "TMPDIR", "TEMP"), folder),
        "LANG": "C.UTF-8",
        "LOGNAME": "learner",  # the user that the process becomes has no name
        "CUDA_VISIBLE_DEVICES": "",
        "HDF5_USE_FILE_LOCKING": "FALSE",  # locks are refused
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }


def last_line(file: IO[bytes]) -> str:
    """The last line of what a process has written."""
    file.seek(0)
    lines = file.read(100_000).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
