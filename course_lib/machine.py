"""What this process may use of the machine."""

from __future__ import annotations

import os


def cores() -> int:
    """How many processor cores this process may use (Python 3.13 has `os.process_cpu_count`)."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS or Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
