"""Downloads arrive whole and verified or not at all, whatever the server does."""

import sys
from contextlib import nullcontext

import pytest

from course_lib.errors import CourseError
from course_lib.transfer import weights
from course_lib.transfer.weights import WeightsFile

from .conftest import CONTENT, MD5, SHA256


def files(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("digest", [MD5, SHA256], ids=["md5", "sha256"])
@pytest.mark.parametrize("manner", ["serve", "unmeasured"])
def test_a_served_file_lies_where_keras_looks(url, tmp_path, manner, digest):
    path = weights.fetch(WeightsFile(f"{url}/{manner}/w.h5", digest))
    assert path == tmp_path / "models" / "w.h5"
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["w.h5"]


def test_a_file_that_is_there_is_not_fetched_again(url, tmp_path):
    file = WeightsFile(f"{url}/refuse/w.h5", MD5)
    file.path.parent.mkdir()
    file.path.write_bytes(CONTENT)
    assert weights.fetch(file) == file.path


def test_an_unknown_file_in_its_place_is_kept_and_named(url, tmp_path):
    file = WeightsFile(f"{url}/serve/w.h5", MD5)
    file.path.parent.mkdir()
    file.path.write_bytes(b"mine")
    with pytest.raises(CourseError, match=r"w\.h5 is not the published file.*move it away"):
        weights.fetch(file)
    assert file.path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("refuse", "Forbidden"),
        ("truncate", "the connection ended after 300000 of 600000 bytes"),
        ("corrupt", "its hash is another"),
        ("stall", "the server does not answer"),
        ("mute", "the server does not answer"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_no_file(url, tmp_path, manner, reason):
    with pytest.raises(CourseError) as caught:
        weights.fetch(WeightsFile(f"{url}/{manner}/w.h5", MD5), silence=0.3)
    said = str(caught.value)
    assert reason in said
    assert said.endswith(f"put the file at {tmp_path / 'models' / 'w.h5'} by hand.")
    assert "\n" not in said
    assert files(tmp_path) == []


def test_a_drip_does_not_outlast_the_patience(url, tmp_path):
    with pytest.raises(CourseError, match="not complete after 0 s"):
        weights.fetch(WeightsFile(f"{url}/drip/w.h5", MD5), patience=0.2)
    assert files(tmp_path) == []


def test_no_server_and_no_such_host(url, tmp_path):
    port = url.rpartition(":")[2]
    with pytest.raises(CourseError, match=r"could not be fetched.*by hand"):
        weights.fetch(WeightsFile(f"http://name.invalid:{port}/w.h5", MD5))
    with pytest.raises(CourseError, match=r"could not be fetched.*by hand"):
        weights.fetch(WeightsFile("http://127.0.0.1:1/w.h5", MD5))
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(url, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(CourseError, match=r"could not be fetched.*Not a directory"):
        weights.fetch(WeightsFile(f"{url}/serve/w.h5", MD5))


def test_an_interrupted_download_leaves_no_file(url, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "bar", lambda *_: nullcontext(interrupt))
    with pytest.raises(KeyboardInterrupt):
        weights.fetch(WeightsFile(f"{url}/serve/w.h5", MD5))
    assert files(tmp_path) == []


def test_progress_is_shown(url, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    weights.fetch(WeightsFile(f"{url}/serve/w.h5", MD5))
    shown = capsys.readouterr()
    assert "w.h5" in shown.err
    assert shown.out == ""
