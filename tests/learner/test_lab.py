"""`course lab` serves the lesson and ends quietly; a real server, no browser."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from tornado.websocket import WebSocketClosedError

from course_lib.learner import lab
from course_lib.lessons import pages

START = "import sys; sys.argv = ['course', 'lab']; from course_lib.cli import main; main()"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an interrupt is a POSIX signal")


@pytest.fixture
def course() -> Iterator[subprocess.Popen[str]]:
    without_display = {k: v for k, v in os.environ.items() if not k.endswith("DISPLAY")}
    with subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=without_display | {"CI": "true"},
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.slow
def test_the_printed_address_shows_the_start_page(course: subprocess.Popen[str]) -> None:
    assert course.stdout is not None
    printed = [course.stdout.readline() for _ in range(5)]
    first = pages()[0]
    assert printed[0] == "The start page is in JupyterLab at\n"
    address = printed[2].strip()
    assert re.search(rf"/lab/tree/{first.name}\.ipynb\?token=\w+$", address)
    assert "Ctrl-C" in printed[4]

    with urllib.request.urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    assert f'"treePath": "{first.name}.ipynb"' in page
    disabled = re.search(r'"disabledExtensions": \[(.*?)\]', page)
    assert disabled is not None
    assert "announcements" in disabled[1]  # no question about news, which need the network

    course.send_signal(signal.SIGINT)
    rest, _ = course.communicate(timeout=60)
    assert course.returncode == 0
    assert rest == ""


@pytest.mark.parametrize("name", lab.WEB_LOGGERS)
def test_a_page_that_was_closed_is_no_error(
    name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger(name)
    monkeypatch.setattr(logger, "filters", [lab._is_no_closed_page])
    monkeypatch.setattr(logger, "handlers", [caplog.handler])  # whatever others have set up
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "disabled", False)
    monkeypatch.setattr(logger, "level", logging.ERROR)
    logger.error("closed", exc_info=WebSocketClosedError())
    logger.error("broken", exc_info=ValueError())
    logger.error("said")
    assert [record.message for record in caplog.records] == ["broken", "said"]
