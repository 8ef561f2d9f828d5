"""Starts a process for each answer by forking, so that imports are paid once (Linux).

`servers` runs this file (``python -I forkserver.py``). Like `worker` and `walls`, which it loads
from beside it, it knows nothing of course_lib, so that no answer is in the memory that it hands
on. It imports NumPy (or Keras) and forks a server for each request on standard input, a socket.

A server raises the walls that all its answers share and waits on a socket of its own: ``f`` with a
handle forks a `worker` that has no handle but this one, ``e`` ends that process with all that it
has started, and is answered by how it had ended. When the grader closes its end, or dies, all
these processes end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

MAX_HANDLES = 1 << 16
MAX_REQUEST = 1 << 16


def main(module: str) -> None:
    """Fork servers until the grader closes its end.

    Args:
        module: what answers will import, imported here once.
    """
    beside = str(Path(__file__).resolve().parent)
    sys.path.insert(0, beside)
    raised, worker = map(importlib.import_module, ("walls.raised", "worker"))
    sys.path.remove(beside)
    importlib.import_module(module)
    worker.hide_the_course()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError(f"{module} has started threads, so that forking is not safe")
    gc.freeze()  # so that collecting does not copy the memory that all share
    with socket.socket(fileno=os.dup(0)) as grader:
        os.dup2(1, 0)  # nowhere: 0, 1 and 2 stay what they are
        while True:
            word, handles, _, _ = socket.recv_fds(grader, MAX_REQUEST, 2)
            if not word:
                break
            if os.fork() == 0:
                grader.close()
                _become_server(raised, worker, handles, **json.loads(word))
            for handle in handles:
                os.close(handle)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass  # bury those that have ended
    with contextlib.suppress(ChildProcessError):
        while os.wait():
            pass
    os._exit(0)  # nothing is left to be tidied up


def _become_server(
    raised: Any, worker: Any, handles: list[int], folder: str, without: list[str]
) -> None:
    """A server, until its grader goes: never returns.

    Args:
        raised, worker: the modules.
        handles: of the socket to the grader, and of the file for what goes wrong.
        folder: an empty folder of this server's own.
        without: layers of the walls that are not to be used.
    """
    control, errors = handles
    try:
        os.dup2(errors, 2)
        os.close(errors)
        os.chdir(folder)
        number = os.getpid()
        walls = raised.Walls(folder, frozenset(without))
        walls.raise_shared()
        os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP"), walls.work))
        gc.freeze()
        with socket.socket(fileno=control) as grader:
            # apart: what it does with its folder is not seen outside any more
            ready = {"number": number, "apart": walls.namespaces, "missing": walls.words()[1]}
            grader.send(json.dumps(ready).encode())
            _serve(grader, walls, worker)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)


def _serve(grader: socket.socket, walls: Any, worker: Any) -> None:
    while True:
        word, handles, _, _ = socket.recv_fds(grader, 1, 1)
        if not word:
            break
        number, said = _fork(walls, worker, *handles)
        ended = not grader.recv(1)
        status = walls.end_own(number)
        if ended:
            break
        with contextlib.suppress(OSError):  # it may be gone by now
            grader.send(json.dumps({"status": status, "error": said}).encode())


def _fork(walls: Any, worker: Any, own: int) -> tuple[int | None, str]:
    """The number of a new process, or why there is none."""
    try:
        walls.raise_own()
        number = os.fork()
        if number == 0:
            _answer(walls, worker, own)
    except OSError as error:
        return None, str(error)
    finally:
        os.close(own)
    return number, ""


def _answer(walls: Any, worker: Any, own: int) -> None:
    """The process that runs a learner's code: never returns."""
    try:
        os.setsid()
        start = 3
        for kept in sorted({own, walls.ruleset} - {-1}):
            os.closerange(start, kept)
            start = kept + 1
        os.closerange(start, MAX_HANDLES)
        worker.silence()

        def enclose(message: dict[str, Any]) -> tuple[list[str], list[str]]:
            holds, missing = worker.set_limits(message, walls.besides)
            walls.enclose()
            more, less = walls.words()
            return [*more, *holds], [*less, *missing]

        worker.serve(own, own, enclose)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
