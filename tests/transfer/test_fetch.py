"""`course fetch` puts weights in place, and says where they are or what to do."""

import sys

import pytest

from course_lib import cli
from course_lib.learner import fetch
from course_lib.learner.doctor import Finding
from course_lib.transfer.weights import WeightsFile

from .conftest import CONTENT, MD5


def course_fetch(address):
    """Status of the command, with the weights at this address."""
    supplies = fetch.fetch_supplies(WeightsFile(f"{address}/w.h5", MD5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "fetch_supplies", lambda: supplies)
        patch.setattr(sys, "argv", ["course", "fetch"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code or 0


def test_it_fetches_once_and_says_where(url, tmp_path, capsys):
    assert course_fetch(f"{url}/serve") == 0
    assert (tmp_path / "models" / "w.h5").read_bytes() == CONTENT
    first = capsys.readouterr().out
    assert f"ok      weights: ResNet50 is now in {tmp_path / 'models'}\n" in first
    assert course_fetch("http://127.0.0.1:1") == 0  # no server needed any more
    assert "ResNet50 was in" in capsys.readouterr().out


def test_what_comes_with_the_packages_is_named(url, capsys):
    course_fetch(f"{url}/serve")
    said = capsys.readouterr().out
    for thing in ("handwritten digits", "images of solar cells", "EfficientNet-Lite0"):
        assert thing in said


@pytest.mark.parametrize(
    ("manner", "reason"), [("refuse", "Forbidden"), ("corrupt", "its hash is another")]
)
def test_a_failure_is_status_1_and_one_thing_to_do(url, capsys, manner, reason):
    assert course_fetch(f"{url}/{manner}") == 1
    said = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(said) if line.startswith("missing weights: w.h5"))
    assert reason in said[at]
    assert said[at + 1].startswith("        -> try again with an internet connection, or put ")


@pytest.mark.parametrize(("level", "until"), [("ok", True), ("missing", False)])
def test_without_a_network_it_says_what_lessons_use(monkeypatch, tmp_path, level, until):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "small_network", lambda: Finding(level, "weights: small"))
    *_, failed = fetch.fetch_supplies(WeightsFile("http://127.0.0.1:1/w.h5", MD5))
    assert failed.level == "missing"
    assert ("until then lessons use EfficientNet-Lite0" in failed.do) == until
