"""A class full of hostile and broken submissions: each costs itself, and nobody else, anything."""

from __future__ import annotations

import csv
import html
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

import course_lib
from course_lib.errors import visible
from course_lib.grading import gradebook, record
from course_lib.sandbox.run import shut_down

from .attacks import ATTACKS, mark

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the isolation is Linux's own"),
]
PACKAGE = Path(course_lib.__file__).resolve().parent


@dataclass(frozen=True)
class Graded:
    """What came of the class: a record for each learner, the files, and what was left behind."""

    records: dict[str, dict[str, Any]]
    out: Path
    changed: list[str]
    files_left: list[str]
    processes_left: list[str]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    place, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("out") / "grades"
    scratch = tmp_path_factory.mktemp("scratch")
    handed_in = {}
    for name, attack in ATTACKS.items():
        data = attack.data.replace(b"COURSE/", f"{PACKAGE}/".encode())
        data = data.replace(b"'COURSE'", f"'{PACKAGE}'".encode())
        handed_in[name] = data.replace(b"CLASS", str(place).encode())
        (place / f"{name}.ipynb").write_bytes(handed_in[name])
    shut_down()
    before = set(psutil.Process().children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(scratch))
        patch.setenv("COURSE_TEST_SECRET", "1.0")
        patch.setattr(record, "mark", mark)
        gradebook.grade([place], out, jobs=4, seed=11)
        shut_down()
    left = psutil.wait_procs(set(psutil.Process().children(recursive=True)) - before, timeout=5)[1]
    return Graded(
        records={
            found["submission"]: found
            for found in map(json.loads, (out / "results.jsonl").read_text().splitlines())
        },
        out=out,
        changed=[n for n, d in handed_in.items() if (place / f"{n}.ipynb").read_bytes() != d],
        files_left=[str(path) for path in scratch.rglob("*")],
        processes_left=[repr(one) for one in left],
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(graded: Graded, name: str) -> None:
    attack, found = ATTACKS[name], graded.records[visible(name)]
    assert found["points"] == attack.points
    if attack.points is None:
        assert found["status"] == attack.status
        assert {entry["points"] for entry in found["exercises"]} <= {None}
        message = found["message"]
    else:
        assert found["status"] == "graded"
        mse = next(entry for entry in found["exercises"] if entry["exercise"] == "mse")
        assert mse["status"] == attack.status, mse["message"]
        message = mse["message"]
    assert attack.says in message
    assert message
    assert message.isprintable()
    assert len(message) < 600


def test_nothing_is_left_behind(graded: Graded) -> None:
    assert graded.changed == []
    assert graded.files_left == []
    assert graded.processes_left == []
    assert not Path("/tmp/left").exists()


def test_all_reports_are_written_and_none_runs_what_learners_wrote(graded: Graded) -> None:
    with (graded.out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(ATTACKS)
    assert not [row["learner"] for row in rows if row["learner"].strip()[:1] in tuple("=+-@")]
    pages = list((graded.out / "feedback").iterdir())
    assert len(pages) == len(ATTACKS)
    assert {page.suffix for page in pages} == {".html"}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "</html>" in text
    shown = [page for page in pages if html.escape("<script>alert(1)") in page.read_text("utf-8")]
    assert len(shown) >= 2
