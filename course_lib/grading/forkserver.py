"""Starts a process for each answer by forking, so that imports are paid once (Linux).

`servers` runs this file (``python -I forkserver.py``). Like `worker` and `walls`, which it loads
from beside it, it knows nothing of course_lib, so that no answer is in the memory that it hands
on. It imports NumPy (or Keras), raises the walls that all answers share and waits on standard
input, a socket: ``f`` with a handle forks a `worker` that has no handle but this one, ``e`` ends
that process with all that it has started, and is answered by how it had ended. When the grader
closes its end, or dies, this process ends, and the answer with it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

MAX_HANDLES = 1 << 16


def main(folder: str, module: str, without: str) -> None:
    """Serve until the grader closes its end.

    Args:
        folder: an empty folder of this server's own.
        module: what answers will import, imported here once.
        without: layers of the walls that are not to be used, with commas between.
    """
    beside = str(Path(__file__).resolve().parent)
    sys.path.insert(0, beside)
    raised, worker = map(importlib.import_module, ("walls.raised", "worker"))
    sys.path.remove(beside)
    importlib.import_module(module)
    worker.hide_the_course()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError(f"{module} has started threads, so that forking is not safe")
    walls = raised.Walls(folder, frozenset(without.split(",")))
    walls.raise_shared()
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP"), walls.work))
    gc.freeze()  # so that collecting does not copy the memory that all share
    with socket.socket(fileno=0) as grader:
        grader.send(b"apart" if walls.namespaces else b"ready")  # apart: not in `folder` any more
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
    os._exit(0)  # nothing is left to be tidied up


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
