"""Isolation of processes on Linux, built from the kernel's own means through ctypes.

Stands alone like `worker`: nothing of course_lib outside the sandbox. Each layer is used where
this machine offers it, and `layers.Isolation.words` says which hold and which are missing:

* namespaces (as root, or where users may make user namespaces): a view of the file system that
  holds the interpreter, its packages and nothing else; no network; no other process; a working
  folder of limited size in memory. (user_namespaces(7), pid_namespaces(7), pivot_root(2))
* Landlock: only the same folders can be read, only the working folder written, no program
  started, no other process traced. (landlock(7))
* seccomp: no sockets that reach anything, no tracing of processes, no new namespaces, no memory
  that the limits do not count. (seccomp(2))
* an unprivileged user when started as root, and no capabilities in any case. (capabilities(7))

`layers` puts them together, `view` decides what may be seen. A limit on the memory of all of
an answer's processes together, by cgroups, would need a machine that delegates one: the address
space of each process and their number are limited instead.
"""

from __future__ import annotations

import secrets
from os import scandir
from pathlib import Path

LAYERS = ("namespaces", "landlock", "seccomp", "user")
NO_NETWORK, NO_SIGHT = "no network", "no sight of other files"
NO_REACH = "no reach to other processes"


def clear(folder: str) -> None:
    """Remove a folder, however deep it is and whatever the rights on what is in it.

    (`shutil.rmtree` recurses, and gives up where a folder was made unreadable.)
    """
    while entries := list(scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            Path(entry.path).chmod(0o700)
            for inner in scandir(entry.path):
                if inner.is_dir(follow_symlinks=False):
                    Path(inner.path).chmod(0o700)
                Path(inner.path).rename(Path(folder, secrets.token_hex(8)))
            Path(entry.path).rmdir()
    Path(folder).rmdir()
