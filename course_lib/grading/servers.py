"""Processes that fork one process for each answer, as this side sees them (Linux).

This module imports no NumPy, so that the `course` command can start them before it does: they
import it at the same time.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

from .walls import clear

HERE = Path(__file__).resolve().parent
FORKSERVER = (sys.executable, "-I", "-B", str(HERE / "forkserver.py"))
CAN_FORK = sys.platform == "linux"
TO_START = 60.0
TO_END = 5.0
TO_SWEEP = 60.0
_PREFIX = "answer-"


class Folder:
    """An empty folder in the temporary one, locked while this process lives.

    What processes that were killed have left of the kind is removed.
    """

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = tempfile.mkdtemp(prefix=_PREFIX)
        self._lock = _locked(self.path)

    def clear(self) -> None:
        """Remove it, if it is still there."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        with contextlib.suppress(OSError):
            clear(self.path)


@cache
def _sweep(place: Path) -> None:
    """Remove what is nobody's any more, once."""
    for path in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime < TO_SWEEP:
                continue  # just made, and perhaps not yet locked
            lock = _locked(str(path))
            if lock is not None:
                clear(str(path))
                os.close(lock)


def _locked(path: str) -> int | None:
    """A handle on a folder that nobody else has locked; None where that cannot be had."""
    try:
        import fcntl

        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def clean_environment(folder: str) -> dict[str, str]:
    """All that a learner's process knows of the environment."""
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


def last_line(file: IO[bytes]) -> str:
    """The last line of what a process has written."""
    file.seek(0)
    lines = file.read(100_000).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


class Server:
    """A process that imports what answers need and forks one for each.

    It is started at once; `wait` before it is used.

    Args:
        module: which it imports once, "numpy" or "keras".
        without: layers of the walls to leave out (`walls.LAYERS`).

    Attributes:
        alive: it can fork.
    """

    def __init__(self, module: str = "numpy", without: Sequence[str] = ()) -> None:
        self.module, self.without = module, tuple(without)
        self.alive = False
        self._owes = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = Folder()
        self._control, theirs = socket.socketpair()
        self._popen = subprocess.Popen(
            (*FORKSERVER, self._folder.path, module, ",".join(without)),
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd=self._folder.path,
            env=clean_environment(self._folder.path),
            start_new_session=True,
        )
        theirs.close()

    def wait(self) -> None:
        """Wait until it can fork.

        Raises:
            OSError: it has not started; says why.
        """
        if self.alive:
            return
        self._control.settimeout(TO_START)
        with contextlib.suppress(OSError):
            word = self._control.recv(5)
            self.alive = word in (b"ready", b"apart")
            if word == b"apart":
                self._folder.clear()
        if not self.alive:
            said = self.errors()
            self.end()
            raise OSError(said or "the process that forks answers does not start")

    def fork(self, answer: socket.socket) -> None:
        """Fork a process that has this socket.

        Raises:
            OSError: the server is gone.
        """
        self._settle()
        socket.send_fds(self._control, [b"f"], [answer.fileno()])

    def end_answer(self) -> dict[str, object]:
        """End what was forked; says its exit "status", or the "error" that there was none."""
        self.leave_answer()
        return self._settle()

    def leave_answer(self) -> None:
        """End what was forked, without waiting until it has."""
        self._settle()
        with contextlib.suppress(OSError):
            self._control.send(b"e")
        self._owes = True

    def _settle(self) -> dict[str, object]:
        """The report on the process that was ended last, if it is still owed."""
        if not self._owes:
            return {}
        self._owes = False
        try:
            self._control.settimeout(TO_END)
            report: dict[str, object] = json.loads(self._control.recv(1 << 16))
        except (OSError, ValueError):  # the server is gone, or cannot end the process
            self.end()
            return {}
        return report

    def errors(self) -> str:
        """The last line that the server wrote."""
        return "" if self._errors.closed else last_line(self._errors)

    def dismiss(self) -> None:
        """Let it end, and with it the answers and keepers that are left."""
        self._control.close()
        if not self.alive:  # it has forked nothing yet
            self._popen.kill()
        self.alive = False

    def end(self) -> None:
        """Dismiss it, and wait until it has ended."""
        self.dismiss()
        try:
            self._popen.wait(TO_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._errors.close()
        self._folder.clear()


class Servers:
    """Servers that wait for their next submission; each serves one at a time."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[int, str, tuple[str, ...]], list[Server]] = defaultdict(list)
        self._lock = threading.Lock()

    def launch(self, count: int) -> None:
        """Have ``count`` servers idle, which will soon be wanted; `take` waits until they are."""
        if CAN_FORK:
            for _ in range(count - len(self._idle[os.getpid(), "numpy", ()])):
                with contextlib.suppress(OSError):  # as it will be said when one is taken
                    self._put(Server())

    def take(self, module: str, without: Sequence[str] = ()) -> Server:
        """An idle server, or a new one.

        Raises:
            OSError: it does not start; says why.
        """
        with self._lock:
            idle = self._idle[os.getpid(), module, tuple(without)]
            server = idle.pop(0) if idle else None
        server = server or Server(module, without)
        server.wait()
        return server

    def put(self, server: Server) -> None:
        """Give a server back."""
        if server.alive:
            self._put(server)

    def _put(self, server: Server) -> None:
        with self._lock:
            self._idle[os.getpid(), server.module, server.without].append(server)

    def end(self) -> None:
        """End those that are idle."""
        with self._lock:
            servers = [server for idle in self._idle.values() for server in idle]
            self._idle.clear()
        for server in servers:
            server.dismiss()
        for server in servers:
            server.end()


SERVERS = Servers()
atexit.register(SERVERS.end)
