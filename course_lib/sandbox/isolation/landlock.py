"""Rights on files that no process can win back. (landlock(7))"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from .kernel import ADD_RULE, RESTRICT, RULESET, syscall
from .view import DEVICES, OF_PROCESSES

# Landlock's rights on files, of its first version: execute, write, read, list, then the rest.
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
WITH_TRUNCATE, WITH_SIGNALS = 3, 6
"""The first versions that know of these."""
_MAKE_CHARACTER, _MAKE_BLOCK = 1 << 6, 1 << 11
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE_CONTROL


def version() -> int:
    """The newest version of the rules that this kernel knows; 0 if it knows none."""
    with contextlib.suppress(OSError):
        return syscall(RULESET, None, 0, 1)
    return 0


def ruleset(known: int, paths: dict[str, bool], work: str) -> int:
    """A set of rules: ``paths`` can be read, ``work`` written, no port used, nobody signaled."""
    newest = min(known, 6)
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(newest, 16)) - 1
    parts = [files, 0b11, 0b11][: 1 + (newest >= 4) + (newest >= WITH_SIGNALS)]
    attributes = struct.pack(f"={len(parts)}Q", *parts)
    handle = syscall(RULESET, attributes, len(attributes), 0)

    def allow_around(path: str) -> None:
        """Allow a folder less what is hidden in it: rules can only add, never take away."""
        deeper = [other for other in paths if other.startswith(f"{path}/")]
        if not deeper:
            _allow(handle, path, _READ | _LIST)
            return
        _allow(handle, path, _LIST)
        for entry in os.scandir(path):
            if paths.get(entry.path, True) and not entry.is_symlink():
                allow_around(entry.path)

    for path, readable in paths.items():
        if readable and Path(path).exists():
            allow_around(path)
    for path in DEVICES:
        _allow(handle, path, _READ | _WRITE)
    _allow(handle, work, files & ~(_EXECUTE | _MAKE_CHARACTER | _MAKE_BLOCK | _DEVICE_CONTROL))
    return handle


def _allow(handle: int, path: str, rights: int) -> None:
    """Add a rule; what is not there needs none."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights &= -1 if Path(path).is_dir() else _OF_FILES
            syscall(ADD_RULE, handle, 1, struct.pack("=Qi", rights, place), 0)
        finally:
            os.close(place)


def restrict(handle: int) -> None:
    """Allow this process, and all that it starts, nothing but what the rules allow."""
    for path in OF_PROCESSES:
        _allow(handle, path, _READ | _LIST)
    syscall(RESTRICT, handle, 0)
    os.close(handle)
