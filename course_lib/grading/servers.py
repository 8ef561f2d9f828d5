"""Processes that fork one process for each answer, as this side sees them (Linux).

This module imports no NumPy, so that the `course` command can start them before it does: they
import it at the same time.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from .walls import clear

HERE = Path(__file__).resolve().parent
FORKSERVER = (sys.executable, "-I", "-B", str(HERE / "forkserver.py"))
CAN_FORK = sys.platform == "linux"
TO_START = 300.0
TO_ANSWER = 60.0
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


class Nursery:
    """A process that imports what answers need, once, and forks servers.

    It is started at once; a server waits until it has imported.

    Args:
        module: to import, "numpy" or "keras".

    Attributes:
        imported: it has done so, as is known once a server of it can fork.
        missing: the walls that the first of its servers had not, by the layers left out.
    """

    imported = False

    def __init__(self, module: str) -> None:
        self.missing: dict[tuple[str, ...], frozenset[str]] = {}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        # Each request arrives as one piece.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._popen = subprocess.Popen(
            (*FORKSERVER, module),
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            cwd=tempfile.gettempdir(),
            env=clean_environment(tempfile.gettempdir()),
            start_new_session=True,
        )
        theirs.close()

    def fork(
        self, control: socket.socket, errors: IO[bytes], request: Mapping[str, object]
    ) -> None:
        """Have a server forked that has these handles.

        Raises:
            OSError: the process is gone.
        """
        handles = [control.fileno(), errors.fileno()]
        socket.send_fds(self._control, [json.dumps(request).encode()], handles)

    def said(self) -> str:
        """The last line that it wrote."""
        return "" if self.errors.closed else last_line(self.errors)

    def end(self) -> None:
        """Let it end, once its servers have."""
        self._control.close()
        if not self.imported:  # nobody has anything of it yet
            self._popen.kill()
        try:
            self._popen.wait(TO_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self.errors.close()


class Server:
    """A process that forks one process for each answer.

    It is forked as soon as its nursery can; `wait` before it is used.

    Args:
        nursery: which forks it.
        module: that the nursery has imported.
        without: layers of the walls to leave out (`walls.LAYERS`).

    Attributes:
        alive: it can fork.
        number: of its process, once it is alive.

    Raises:
        OSError: the nursery is gone.
    """

    def __init__(self, nursery: Nursery, module: str, without: Sequence[str] = ()) -> None:
        self.module, self.without = module, tuple(without)
        self.alive = False
        self.number = 0
        self._nursery = nursery
        self._owes = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `end`)
        self._folder = Folder()
        self._control, theirs = socket.socketpair()
        try:
            request = {"folder": self._folder.path, "without": list(without)}
            nursery.fork(theirs, self._errors, request)
        except OSError:
            self.end()
            raise
        finally:
            theirs.close()

    def wait(self) -> None:
        """Wait until it can fork.

        Raises:
            OSError: it has not started; says why.
        """
        if self.alive:
            return
        said = ""
        with contextlib.suppress(OSError, ValueError):
            self._control.settimeout(TO_START)
            ready = json.loads(self._control.recv(1 << 12))
            self._nursery.imported = True
            self.number = ready["number"]
            if ready["apart"]:
                self._folder.clear()
            lacks = frozenset(ready["missing"])
            before = self._nursery.missing.setdefault(self.without, lacks)
            # A wall that could be had before is not done without because this machine is busy.
            self.alive = lacks <= before
            said = ", ".join(sorted(lacks - before))
        if not self.alive:
            said = f"it lacks {said}" if said else self.errors() or self._nursery.said()
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
            self._control.settimeout(TO_ANSWER)
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
        self.alive = False
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Dismiss it, and wait until it has ended, if it had begun."""
        self.dismiss()
        if self.number:
            try:
                self._control.settimeout(TO_END)
                while self._control.recv(1 << 16):
                    pass  # it is closed when the last process ends that has the other end
            except TimeoutError:
                with contextlib.suppress(OSError):
                    os.kill(self.number, signal.SIGKILL)
            except OSError:
                pass
            self.number = 0
        self._control.close()
        self._errors.close()
        self._folder.clear()


class Servers:
    """Servers that wait for their next submission; each serves one at a time."""

    def __init__(self) -> None:
        self._nurseries: dict[tuple[int, str], Nursery] = {}
        self._idle: defaultdict[tuple[int, str, tuple[str, ...]], list[Server]] = defaultdict(list)
        self._lock = threading.Lock()

    def launch(self, count: int) -> None:
        """Have ``count`` servers idle, which will soon be wanted; `take` waits until they are."""
        if CAN_FORK:
            for _ in range(count - len(self._idle[os.getpid(), "numpy", ()])):
                with contextlib.suppress(OSError):  # as it will be said when one is taken
                    self.put(self.new("numpy"))

    def take(self, module: str, without: Sequence[str] = ()) -> Server:
        """An idle server, or a new one, that can fork; those that have died are passed over.

        Raises:
            OSError: none starts; says why.
        """
        while (server := self._next_idle(module, without)) is not None:
            with contextlib.suppress(OSError):
                server.wait()
                return server
        with contextlib.suppress(OSError):  # its nursery may be ending just now
            return self._started(module, without)
        return self._started(module, without)

    def _next_idle(self, module: str, without: Sequence[str]) -> Server | None:
        with self._lock:
            idle = self._idle[os.getpid(), module, tuple(without)]
            return idle.pop(0) if idle else None

    def _started(self, module: str, without: Sequence[str]) -> Server:
        server = self.new(module, without)
        server.wait()
        return server

    def new(self, module: str, without: Sequence[str] = ()) -> Server:
        """A new server, from the module's nursery or, if that is gone, from a new one.

        Raises:
            OSError: no process can be started.
        """
        key = os.getpid(), module
        with self._lock:
            nursery = self._nurseries.get(key)
            if nursery is not None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    return Server(nursery, module, without)
                nursery.end()
            self._nurseries[key] = Nursery(module)
            return Server(self._nurseries[key], module, without)

    def put(self, server: Server) -> None:
        """Give a server back."""
        with self._lock:
            self._idle[os.getpid(), server.module, server.without].append(server)

    def end(self) -> None:
        """End those that are idle."""
        with self._lock:
            servers = [server for idle in self._idle.values() for server in idle]
            nurseries = list(self._nurseries.values())
            self._idle.clear()
            self._nurseries.clear()
        for server in servers:
            server.dismiss()
        for server in servers:
            server.end()
        for nursery in nurseries:
            nursery.end()


SERVERS = Servers()
atexit.register(SERVERS.end)
