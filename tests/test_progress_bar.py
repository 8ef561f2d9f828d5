"""A bar that nobody has to look at afterwards."""

import sys

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.progress_bar import bars, track

CELL = """
import time
from course_lib.progress_bar import track

print("before")
for item in track(range({count}), "Counting", "items"):
    time.sleep(0.15)
    if item == {stop}:
        raise KeyboardInterrupt
print("after")
"""


def run(count, stop, on_message=None):
    cell = nbformat.v4.new_code_cell(CELL.format(count=count, stop=stop))
    seen = []

    class Client(NotebookClient):
        def process_message(self, message, *rest):
            seen.append(message)
            return super().process_message(message, *rest)

    Client(
        nbformat.v4.new_notebook(cells=[cell]), kernel_name="python3", allow_errors=True
    ).execute()
    shown = [
        message["content"]["data"].get("text/html", "")
        for message in seen
        if message["msg_type"] in ("display_data", "update_display_data")
    ]
    return cell.outputs, shown


@pytest.mark.parametrize("stop", [-1, 3])
def test_a_notebook_shows_it_and_keeps_nothing(stop):
    outputs, shown = run(6, stop)
    assert any('<progress value="2" max="6"' in html and "left" in html for html in shown)
    displayed = [output for output in outputs if output.output_type == "display_data"]
    assert [output.data for output in displayed] == [{}]
    streams = [output.name for output in outputs if output.output_type == "stream"]
    assert set(streams) == {"stdout"}


def test_it_is_silent_where_there_is_no_terminal(capsys):
    assert list(track([1, 2, 3], "Counting", "items")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_each_bar_and_keeps_none(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with bars("cells") as add:
        for show in (add("first"), add("second")):
            show(0, None)
            show(2, 5)
    out, err = capsys.readouterr()
    assert out == ""
    *_, last = [line for line in err.split("\n") if "second" in line]
    assert "2/5" in last
    assert "cells" in last
    assert err.endswith("\x1b[2K")  # the lines are cleared
