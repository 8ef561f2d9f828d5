"""Switches have one meaning of on, wherever they are read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from course_lib import settings

SWITCHES = {
    "COURSE_QUICK": settings.quick,
    "COURSE_FULL": settings.full,
    "COURSE_OFFLINE": settings.offline,
    "COURSE_STRICT": settings.strict,
}


@pytest.mark.parametrize(("name", "switch"), SWITCHES.items(), ids=SWITCHES)
@pytest.mark.parametrize(
    ("value", "on"),
    [(None, False), ("", False), (" ", False), ("0", False), ("False", False), ("no", False),
     ("OFF", False), ("1", True), ("true", True), ("yes", True), ("2", True)],
)  # fmt: skip
def test_a_switch_is_on_or_off(
    name: str,
    switch: Callable[[], bool],
    value: str | None,
    on: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(name, value)
    assert switch() is on


@pytest.mark.parametrize(
    ("value", "file"), [("", ""), ("off", None), ("0", None), ("~/mine.jsonl", "~/mine.jsonl")]
)
def test_progress_is_kept_in_a_file_or_nowhere(
    value: str, file: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.PROGRESS, value)
    assert settings.progress_file() == file


def test_importing_the_course_takes_no_time_and_no_keras() -> None:
    program = (
        "import sys, time; start = time.process_time(); import course_lib\n"
        "print(time.process_time() - start, {'keras', 'numpy', 'yaml'} & set(sys.modules))"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True)
    seconds, heavy = said.split(maxsplit=1)
    assert float(seconds) < 0.1
    assert heavy.strip() == "set()"
