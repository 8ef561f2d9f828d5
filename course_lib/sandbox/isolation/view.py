"""What an answer may see of the file system: Python and its packages, and nothing else."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
OF_PROCESSES = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo")  # TensorFlow asks who it is


def course_free_folders() -> tuple[list[str], list[str]]:
    """Folders that Python needs, and those of the course that are hidden even inside of them."""
    library = Path(sys.base_prefix, "lib")
    wanted = [*SYSTEM, *map(str, (library, *sysconfig.get_paths().values()))]
    wanted += [entry for entry in sys.path if Path(entry).is_dir()]
    own = {"data", "include", "platinclude", "scripts"}
    unwanted = {sysconfig.get_path(name) for name in own} | {sys.prefix, sys.base_prefix}
    package = Path(__file__).resolve().parents[2]
    hidden = []
    for place in (package.parent, *map(Path, sys.path)):
        if (place / package.name).is_dir():
            # Among other packages only the course's own; otherwise the whole project lies there.
            hidden.append(place / package.name if (place / "numpy").is_dir() else place)
    projects = {str(path.resolve()) for path in hidden}
    readable = [
        path
        for path in dict.fromkeys(wanted)
        if path not in unwanted
        and Path(path).exists()
        and str(Path(path).resolve()) not in projects
    ]
    return readable, sorted(projects)


def decided(readable: Iterable[str], hidden: Iterable[str]) -> dict[str, bool]:
    """For each path that matters whether it can be read, the upper before the lower.

    The deepest decides. A path on which its nearest ancestor decides the same is left out;
    symbolic links stand for what they lead to.
    """
    wishes = {os.path.realpath(path): True for path in readable}
    wishes |= {os.path.realpath(path): False for path in hidden}
    kept: dict[str, bool] = {}
    for path in sorted(wishes, key=lambda path: (path.count("/"), path)):
        above = [str(parent) for parent in Path(path).parents if str(parent) in kept]
        if wishes[path] != (bool(above) and kept[above[0]]):
            kept[path] = wishes[path]
    return kept


def world_readable(path: str, *, way_there: bool) -> bool:
    """Whether any user can read it, and can get there."""
    place = Path(path).resolve()
    needed = {place: 0o5 if place.is_dir() else 0o4}
    if way_there:
        needed |= dict.fromkeys(place.parents, 0o1)
    return all(way.stat().st_mode & rights == rights for way, rights in needed.items())
