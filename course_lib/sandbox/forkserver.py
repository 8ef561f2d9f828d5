"""Starts processes for other people's code by forking, so that imports are paid once (Linux).

A new interpreter runs `main`, which imports NumPy (or Keras, or Matplotlib), takes up the isolation
that all answers share, and forks for each request on standard input, a socket. A request brings two
sockets.
The forked process, a keeper, goes into namespaces of its own and forks the `worker`, which has no
handle but the first socket. The keeper has the second: when that is closed at the other end, or the
worker ends, it ends all that there is of it, sends how it had ended, and ends itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from . import limits, worker
from .isolation.layers import Isolation

MAX_HANDLES = 1 << 16
MAX_WORD = 200
Serve = Callable[[int, int, worker.Isolate], None]


def main(module: str, folder: str, *without: str) -> None:
    """Fork until the other end of standard input is closed.

    Args:
        module: what the code will import, imported here once; or one of the course's own, whose
            `serve` takes the worker's place, and whose `prepare` is called before each fork.
        folder: an empty folder of this process's own.
        without: layers of the isolation that are not to be used.
    """
    try:
        for name in (module, "resource"):  # the second is what `limits` needs
            importlib.import_module(name)
        served = sys.modules[module] if is_own(module) else worker
        prepare = getattr(served, "prepare", None)
        if served is worker:
            worker.hide_the_course()
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise RuntimeError(f"{module} has started threads, so that forking is not safe")
        isolation = Isolation(folder, frozenset(without))
        with socket.socket(fileno=os.dup(0)) as control:
            os.dup2(1, 0)  # nowhere: 0, 1 and 2 stay what they are
            isolation.share()
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers need no burial
            ready = {"apart": isolation.namespaces, "missing": isolation.words()[1]}
            control.send(json.dumps(ready).encode())
            while True:
                word, handles, _, _ = socket.recv_fds(control, MAX_WORD, 2)
                if not word:
                    break
                if prepare is not None:
                    prepare(word.decode("utf-8", "replace"))
                gc.freeze()  # so that collecting does not copy the memory that all share
                if os.fork() == 0:
                    control.close()
                    _keep(isolation, served.serve, *handles)
                for handle in handles:
                    os.close(handle)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(0)  # nothing is left to be tidied up


def is_own(module: str) -> bool:
    """Whether it is one of the course's own."""
    return module.startswith("course_lib.")


def _keep(isolation: Isolation, serve: Serve, replies: int, orders: int) -> NoReturn:
    """Stand between the server and one worker."""
    report: dict[str, object] = {}
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        isolation.separate()
        number = os.fork()
        if number == 0:
            _work(isolation, serve, replies)
        os.close(replies)
        ended = os.pidfd_open(number)
        select.select([ended, orders], [], [])
        os.kill(number, signal.SIGKILL)
        report["status"] = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        isolation.clean()
    except OSError as error:
        report["error"] = str(error)
    finally:
        with contextlib.suppress(OSError):  # nobody may want to know any more
            os.write(orders, json.dumps(report).encode())
        os._exit(0)


def _work(isolation: Isolation, serve: Serve, own: int) -> NoReturn:
    """The process that runs the code."""
    try:
        os.setsid()
        start = 3
        for kept in sorted({own, isolation.ruleset} - {-1}):
            os.closerange(start, kept)
            start = kept + 1
        os.closerange(start, MAX_HANDLES)
        limits.silence()
        os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP"), isolation.work))
        tempfile.tempdir = isolation.work  # which was found out when modules were imported

        def isolate(wanted: limits.Limits) -> tuple[list[str], list[str]]:
            holds, missing = limits.take_on(wanted, isolation.other_processes)
            isolation.enclose()
            more, less = isolation.words()
            return [*more, *holds], [*less, *missing]

        serve(own, own, isolate)
    finally:
        os._exit(1)
