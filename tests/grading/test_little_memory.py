"""A class on a machine that has 600 MB: whoever asks for more loses what is theirs, nobody else."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import answers, in_own_words, notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's own"),
]
MEMORY = 600 << 20  # bytes
GROUPS = Path("/sys/fs/cgroup")
LIMITS = {"memory/memory.limit_in_bytes": "memory", "memory.max": ""}
"""Of the two versions of control groups: the file of a limit, and where groups are made."""

HOG = """
def mse(predictions, targets):
    kept = []
    while True:
        kept.append(np.ones(10**6))
"""
LONG = "\n".join(f"a{number} = {number}" for number in range(200_000))


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group whose processes have 600 MB together; skips where none can be made."""
    for limit, parent in LIMITS.items():
        group = GROUPS / parent / f"course-test-{os.getpid()}"
        with suppress(OSError):
            group.mkdir()
            try:
                (group / Path(limit).name).write_text(str(MEMORY))
                yield group
                return
            finally:
                group.rmdir()
    pytest.skip("no control group can be made here")


def test_who_asks_for_more_costs_nobody_else(little_memory: Path, tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    honest = [f"learner{number}" for number in range(10)]
    for number, name in enumerate(honest):
        (place / f"{name}.ipynb").write_bytes(notebook(*in_own_words(answers(), number)))
    (place / "hog.ipynb").write_bytes(notebook(*answers(mse=HOG)))
    (place / "long.ipynb").write_bytes(notebook(*answers(), LONG))
    (place / "huge.ipynb").write_bytes(notebook(*answers()) + b" " * (50 << 20))
    command = [sys.executable, "-m", "course_lib.cli", "grade", str(place), "--jobs", "2"]
    run = subprocess.run(
        [*command, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        preexec_fn=lambda: (little_memory / "cgroup.procs").write_text(str(os.getpid())),
    )
    assert run.returncode == 0, run.stderr
    with (tmp_path / "out" / "grades.csv").open(newline="") as file:
        status = {
            (row["submission"], row["exercise"]): row["status"] for row in csv.DictReader(file)
        }
    assert {status[name, exercise] for name in honest for _, exercise in status} == {"correct"}
    assert status["hog", "mse"] == "error"
    assert status["hog", "softmax"] == "correct"
