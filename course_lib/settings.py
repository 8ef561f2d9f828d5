"""What surrounds this process: the switches ``COURSE_*``, its cores, and the notebook if any.

A switch is off if it is not set, empty, ``0``, ``false``, ``no`` or ``off``, in any case of
letters; anything else is on.
"""

from __future__ import annotations

import os
import sys
from typing import Any

PROGRESS = "COURSE_PROGRESS"
_OFF = ("0", "false", "no", "off")


def quick() -> bool:
    """``COURSE_QUICK``: long lessons take a few examples, to see whether they run."""
    return _is_on("COURSE_QUICK")


def full() -> bool:
    """``COURSE_FULL``: long lessons take larger images and more repetitions."""
    return _is_on("COURSE_FULL")


def offline() -> bool:
    """``COURSE_OFFLINE``: nothing is downloaded."""
    return _is_on("COURSE_OFFLINE")


def strict() -> bool:
    """``COURSE_STRICT``: a wrong answer is an error; so it is wherever nbgrader runs the cell."""
    return "NBGRADER_EXECUTION" in os.environ or _is_on("COURSE_STRICT")


def cache() -> str:
    """``COURSE_CACHE``: the folder for computed features; "" for the platform's own."""
    return os.environ.get("COURSE_CACHE", "")


def progress_file() -> str | None:
    """``COURSE_PROGRESS``: where progress is kept; "" for the usual file, None for nowhere."""
    named = os.environ.get(PROGRESS, "").strip()
    return None if named.lower() in _OFF else named


def cores() -> int:
    """How many processor cores this process may use (Python 3.13 has `os.process_cpu_count`)."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS or Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def shell() -> Any:
    """IPython's shell of this process, or None. IPython is never imported to find out."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def display(view: Any, **options: Any) -> Any:
    """Show something in the notebook, as IPython's `display` does; only where there is a shell."""
    return sys.modules["IPython"].display.display(view, **options)


def _is_on(name: str) -> bool:
    value = os.environ.get(name, "").strip()
    return bool(value) and value.lower() not in _OFF
