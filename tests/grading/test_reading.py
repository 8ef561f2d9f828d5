"""Notebooks are read in a process of their own: what exceeds its limits costs itself alone."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from dataclasses import replace
from threading import Event

import pytest

from course_lib.grading import reading, record
from course_lib.grading.reading import TOO_LONG, Reading
from course_lib.grading.record import HandedIn, grade_one
from course_lib.grading.submission import UnreadableError
from course_lib.sandbox.run import SandboxError

from .conftest import answers, notebook

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no limits of this kind")

LESSON = "01_losses"
SLOW = {
    "a name of a hundred thousand accents": ["a" + "\u0300\u0323" * 45_000 + " = 1"],
    "a value that is filled again and again": [
        "def g(x): pass\nx = 1\n" + "g(x)\n" * 2900,
        "def mse(p, t): return x",
    ],
    "lists that hold each other": [
        "x = []\n" + "".join(f"x.append(y{n}); y{n} = x\n" for n in range(1450)),
        "def mse(p, t): return x",
    ],
}


def outcome(data: bytes) -> tuple[str, str]:
    graded = grade_one(HandedIn("anna", "anna", data), 3, LESSON)
    assert graded is not None
    assert len(graded.exercises) > 3
    return graded.status, graded.message


@pytest.mark.slow
@pytest.mark.parametrize("kind", SLOW)
def test_a_file_that_takes_long_to_read_costs_itself(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.1)
    monkeypatch.setattr(reading, "LIMITS", replace(reading.LIMITS, patience=3000.0))
    assert outcome(notebook(*SLOW[kind])) == ("unreadable", TOO_LONG)


@pytest.mark.slow
def test_a_file_that_takes_much_memory_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIMITS", replace(reading.LIMITS, memory=500 << 20))
    large = b"x" * (40 << 20) + "\N{GRINNING FACE}".encode()  # four bytes for each character
    data = b'{"nbformat": 4, "cells": [{"outputs": ["' + large + b'"]}]}'
    assert outcome(data) == ("unreadable", "Reading this notebook takes too much memory.")


def test_a_reader_that_is_killed_is_no_fault_of_the_file() -> None:
    with closing(Reading(notebook(*answers()), LESSON, ["mse"], [], [], Event())) as opened:
        assert opened.shown["mse"].startswith("def mse")
        opened._process.end()
        with pytest.raises((SandboxError, OSError)):
            opened.meant("mse", [])


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"patience": 0.0}, r"This machine had no time to read the notebook\.$"),
        ({"open_files": 3}, "^Grading failed here, not in the answers:"),
    ],
    ids=["processor", "handles"],
)
def test_a_reader_that_lacks_something_here_is_no_fault_of_the_file(
    limit: dict[str, float], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIMITS", replace(reading.LIMITS, **limit))
    monkeypatch.setattr(record, "PAUSES", ())
    status, message = outcome(notebook(*answers()))
    assert status == "crashed"
    assert re.search(said, message)


def test_what_is_no_notebook_is_said() -> None:
    with pytest.raises(UnreadableError, match="cut off in line 1"):
        Reading(b'{"cells": [', LESSON, [], [], [], Event())
