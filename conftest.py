"""For all tests, and for the lessons that nbval runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from course_lib.learner.lab import KEPT

pytest_plugins = ["lesson_runs"]
"""In `tests/`: what is asked of each lesson, beside nbval."""

# Started in the background (`pytest &`), this process and all that the tests start would ignore
# interrupts; the tests of Ctrl-C need the usual state.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As lessons have it. Else a process that loaded TensorFlow after a lesson's cells, and another one
# that it starts, would round differently.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# As `course lab` has it.
os.environ.setdefault(*KEPT)

# Of the hundreds of Pythons that are started, only the first ones compile the course.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# For this process it is too late; for the two that run tests, and for all that they start:
STARTUP = str(Path(__file__).parent / "tests" / "startup")
if STARTUP not in (path := os.environ.get("PYTHONPATH", "")).split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (STARTUP, path)))

# The two processes that run tests keep two cores busy: more threads would only wait for each other.
for threads in ("TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(threads, "1")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Each test leaves the environment as it was: lessons, whose cells some execute, change it."""
    with mock.patch.dict(os.environ):
        yield
