"""Calls of the C library and of the kernel, with errors as exceptions."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable
from functools import cache

NO_NEW_PRIVILEGES, SECCOMP, DUMPABLE, SUBREAPER, END_WITH_PARENT = 38, 22, 4, 36, 1
# The same on all machines since Linux 5.1.
MOUNT_SETATTR, RULESET, ADD_RULE, RESTRICT = 442, 444, 445, 446

Step = Callable[[], object]


def works(step: Step) -> bool:
    """Whether a step that cannot be undone would succeed: tried in a process of its own."""
    number = os.fork()
    if number == 0:
        with contextlib.suppress(BaseException):
            step()
            os._exit(0)
        os._exit(1)
    return os.waitpid(number, 0)[1] == 0


def prctl(option: int, *arguments: object) -> None:
    """Change something about this process. (prctl(2))"""
    wide = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)]
    libc("prctl", option, *wide[:4])


def syscall(number: int, *arguments: object) -> int:
    """Make a system call for which the C library has no function."""
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return libc("syscall", ctypes.c_long(number), *wide)


def libc(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    result = int(getattr(_library(), name)(*arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
