"""Forty learners beside ten hostile ones and one that stands still: the forty lose nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import record
from course_lib.grading.gradebook import grade

from .attacks import ATTACKS, mark
from .conftest import RIGHT, answers, in_own_words, notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the isolation is Linux's own"),
]
HOSTILE = [
    next(name for name in ATTACKS if name.endswith(kind))
    for kind in (
        "loop ignoring signals",
        "exit with a lie",
        "memory by and by",
        "fork and hold",
        "many files",
        "kill everything",
        "forged reply",
        "endless stream",
        "patched language",
        "a hostile error",
    )
]
PAUSED = next(name for name in ATTACKS if name.endswith("stopping itself"))
KINDS = (
    answers(),
    answers(mse="def mse(p, t):\n    return np.mean((p - t) ** 2) / 2"),
    answers(softmax="def softmax(z):\n    return np.exp(z) / np.exp(z).sum()"),
    answers(mse_gradient="def mse_gradient(p, t):\n    return missing"),
    [RIGHT["mse"]],
)


def graded(place: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is said of each exercise of each learner."""
    with monkeypatch.context() as patch:
        patch.setattr(record, "mark", mark)
        summary = grade([place], out, jobs=4, seed=3)
    assert summary.crashed == 0
    lines = map(json.loads, (out / "results.jsonl").read_text().splitlines())
    return {line["learner"]: line["exercises"] for line in lines}


def test_the_others_get_what_they_get_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    learners = [f"{number:02} learner" for number in range(40)]
    for place in (alone, together):
        place.mkdir()
        for number, learner in enumerate(learners):
            data = notebook(*in_own_words(KINDS[number % len(KINDS)], number))
            (place / f"{learner}.ipynb").write_bytes(data)
    for number, name in enumerate((PAUSED, *HOSTILE)):
        (together / f"{4 * number:02} {name}.ipynb").write_bytes(ATTACKS[name].data)
    undisturbed = graded(alone, tmp_path / "out alone", monkeypatch)
    beside = graded(together, tmp_path / "out together", monkeypatch)
    assert len(undisturbed) == 40
    assert len(beside) == 51
    for learner in learners:
        assert beside[learner] == undisturbed[learner]
    gained = {
        name: points
        for name in (PAUSED, *HOSTILE)
        for learner, entries in beside.items()
        if learner.endswith(name) and (points := entries[0]["points"]) and not ATTACKS[name].points
    }
    assert not gained
