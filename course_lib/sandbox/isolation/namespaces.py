"""A file system, a network and process numbers of one's own. (namespaces(7))"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
import sysconfig
from pathlib import Path

from .kernel import MOUNT_SETATTR, libc, syscall
from .seccomp import MACHINES
from .view import SYSTEM

FOLDER_BYTES = 64 << 20
FOLDER_FILES = 4096

_NEW_MOUNTS, _NEW_HOST_NAME, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PIDS, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_DETACH = 2
_EVERYTHING_BELOW = 0x8000


def change_root(root: str, paths: dict[str, bool]) -> None:
    """Make ``root`` the top of a read-only file system that holds these paths and ``/work``."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("view", root, "tmpfs", _NO_SETUID, "size=1m,mode=755")
    for path, readable in paths.items():
        inside = root + path
        if not readable:
            _mount("hidden", inside, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=64k,mode=755")
        else:
            Path(inside).parent.mkdir(parents=True, exist_ok=True)
            if Path(path).is_dir():
                Path(inside).mkdir(exist_ok=True)
            else:
                Path(inside).touch()
            _mount(path, inside, None, _BIND | _RECURSIVE)
    for link in (*SYSTEM, *sys.path, *sysconfig.get_paths().values()):
        target, place = os.path.realpath(link), Path(root + link)
        if target != link and not place.exists() and Path(root + target).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
    Path(root, "work", "answer").mkdir(parents=True)
    Path(root, "proc").mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # some containers forbid it
        flags = _NO_SETUID | _NO_DEVICES | _NO_EXEC
        _mount("proc", f"{root}/proc", "proc", flags, "hidepid=2,subset=pid")
    attributes = struct.pack("=4Q", _READ_ONLY | _NO_SETUID, 0, 0, 0)
    place_text = ctypes.c_char_p(root.encode())
    syscall(MOUNT_SETATTR, -100, place_text, _EVERYTHING_BELOW, attributes, len(attributes))
    os.chdir(root)
    here = ctypes.c_char_p(b".")
    syscall(MACHINES[platform.machine()][1]["pivot_root"], here, here)
    libc("umount2", here, _DETACH)
    os.chdir("/")


def apart() -> None:
    """Have mounts, a network and process numbers of this process's own."""
    _unshare(_NEW_MOUNTS | _NEW_NETWORK | _NEW_IPC | _NEW_HOST_NAME | _NEW_PIDS)


def open_cell(folder: str, owner: int) -> None:
    """Mount an empty folder in memory; the next process is the first of its numbers.

    Both end with this process and those that it forks.
    """
    _unshare(_NEW_MOUNTS | _NEW_PIDS)
    size = f"size={FOLDER_BYTES},nr_inodes={FOLDER_FILES},mode=700,uid={owner},gid={owner}"
    _mount("answer", folder, "tmpfs", _NO_SETUID | _NO_DEVICES | _NO_EXEC, size)


def _unshare(own: int) -> None:
    user, group = os.geteuid(), os.getegid()
    libc("unshare", own if user == 0 else own | _NEW_USER)
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str = ""
) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    libc("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
