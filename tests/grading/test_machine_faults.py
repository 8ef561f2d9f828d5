"""What fails on the machine costs no learner a point and no class a record."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from course_lib.cli import course
from course_lib.errors import NAMED, CourseError, named
from course_lib.grading import archives, gradebook, record
from course_lib.grading.gradebook import grade
from course_lib.grading.record import Graded, HandedIn, grade_one
from course_lib.grading.report import write_reports
from course_lib.sandbox import process
from course_lib.sandbox.process import AnswerProcess, Countdown, DiedError, HungError
from course_lib.sandbox.run import SandboxError, shut_down
from course_lib.sandbox.scratch import shared_place
from course_lib.sandbox.wire import Frames, encode

from .conftest import MAX_POINTS, answers, notebook

pytestmark = pytest.mark.slow

Folder = Callable[..., Path]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only there answers are forked")
GOOD = notebook(*answers())
SLOW = """
import time
def mse(predictions, targets):
    time.sleep(0.03)
    return np.mean((predictions - targets) ** 2)
"""


# --- processes that are killed -------------------------------------------------------------------


@pytest.fixture
def killing() -> Iterator[Callable[[Callable[[psutil.Process], bool]], Event]]:
    """Starts to kill, again and again, one of the processes below this one; returns when it has."""
    shut_down()  # others may have lost their parent
    ended = Event()
    threads = []

    def start(chosen: Callable[[psutil.Process], bool], times: int = 1) -> Event:
        killed = Event()

        def kill() -> None:
            left = times
            while left and not ended.wait(0.02):
                try:
                    below = psutil.Process().children(recursive=True)
                    for one in [one for one in below if chosen(one)][:left]:
                        one.kill()
                        left -= 1
                        killed.set()
                except psutil.Error:  # it has ended by itself
                    continue

        threads.append(threading.Thread(target=kill))
        threads[-1].start()
        return killed

    yield start
    ended.set()
    for thread in threads:
        thread.join()
    shut_down()


def generation(one: psutil.Process) -> int:
    """1 for the server, 2 for itself in its namespaces, 3 for a keeper, 4 for an answer."""
    return len(one.parents()) - len(psutil.Process().parents())


def is_answer_at_work(one: psutil.Process) -> bool:
    return generation(one) >= 4 and not one.children() and time.time() - one.create_time() > 0.1


@linux
def test_an_answer_that_was_killed_gets_a_second_chance(killing: Any) -> None:
    killed = killing(is_answer_at_work)
    made = grade_one(HandedIn("anna", "anna", notebook(*answers(mse=SLOW))), 1, None)
    assert killed.is_set()
    assert made is not None
    assert made.points == MAX_POINTS, made


@linux
@pytest.mark.parametrize("below", [1, 2, 3, 4])
def test_whatever_dies_every_submission_has_its_points(
    folder: Folder, tmp_path: Path, killing: Any, below: int
) -> None:
    own = {f"learner{n}": SLOW.replace("return", f"{n}\n    return") for n in range(4)}
    place = folder(**{name: notebook(*answers(mse=code)) for name, code in own.items()})
    begun = Event()

    def chosen(one: psutil.Process) -> bool:
        return begun.is_set() and generation(one) == below

    killed = killing(chosen, times=2)
    done = grade([place], tmp_path / "out", seed=1, jobs=2, progress=lambda *_: begun.set())
    assert killed.is_set()
    assert done.graded == 4
    lines = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert [json.loads(line)["points"] for line in lines] == [MAX_POINTS] * 4


def test_what_fails_here_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = HandedIn("anna", "anna", GOOD)
    really = record.mark
    failures: list[Exception] = [
        SandboxError("Something has ended the process."),
        OSError(errno.ENOBUFS, "No buffer space available"),
    ]

    def mark(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return really(*arguments, **options)

    monkeypatch.setattr(record, "mark", mark)
    monkeypatch.setattr(record, "PAUSES", (0.0, 0.0))
    made = grade_one(handed, 1, None)
    assert made is not None
    assert (made.status, made.points) == ("graded", MAX_POINTS)
    failures += [SandboxError(f"Failure {n}.") for n in (3, 2, 1)]
    made = grade_one(handed, 1, None)
    assert made is not None
    assert (made.status, made.points) == ("crashed", None)
    assert made.message == "Grading failed here, not in the answers: Failure 3."


# --- a slow machine ------------------------------------------------------------------------------


@pytest.fixture
def waiting() -> Iterator[tuple[AnswerProcess, int]]:
    """This side of a process, and a handle to write what it would."""
    from_it, to_us = os.pipe()
    ours = object.__new__(AnswerProcess)
    ours._stop, ours._frames, ours._received = Event(), Frames(), 0
    ours._requests, ours._replies = to_us, from_it
    os.set_blocking(from_it, False)
    yield ours, to_us
    os.close(from_it)
    os.close(to_us)


def test_what_has_come_counts_however_late_this_side_looks(waiting: Any) -> None:
    ours, to_us = waiting
    with pytest.raises(HungError):
        ours.receive(Countdown(0))
    os.write(to_us, encode({"kind": "value"}))
    assert ours.receive(Countdown(0)) == {"kind": "value"}


def test_while_the_machine_stands_still_no_time_passes(
    waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    waits: list[float] = []

    def ready(handle: int, writing: bool, seconds: float) -> bool:
        nonlocal clock
        waits.append(seconds)
        clock += seconds + (30.0 if len(waits) == 2 else 0.0)  # halted during the second look
        return False

    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: clock))
    monkeypatch.setattr(process, "_ready", ready)
    with pytest.raises(HungError):
        waiting[0].receive(Countdown(1.0))
    assert sum(waits) == pytest.approx(1.0)


def test_nothing_that_comes_drop_by_drop_wins_time(
    waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, to_us = waiting
    frame = encode({"kind": "value", "value": "a" * 1000})
    sent = 0

    def ready(handle: int, writing: bool, seconds: float) -> bool:
        nonlocal sent
        os.write(to_us, frame[sent : sent + 1])
        sent += 1
        time.sleep(0.02)
        return True

    monkeypatch.setattr(process, "_ready", ready)
    with pytest.raises(HungError):
        ours.receive(Countdown(0.3))
    assert sent < 30


def test_where_pipes_cannot_be_waited_for_the_time_is_over_all_the_same(
    waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("select.poll", raising=False)  # as on Windows
    ours, to_us = waiting
    with pytest.raises(HungError):
        ours.receive(Countdown(0.1))
    os.write(to_us, encode({"kind": "value"}))
    assert ours.receive(Countdown(10)) == {"kind": "value"}


@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.EPIPE, DiedError), (errno.ECONNRESET, DiedError), (errno.ENOBUFS, OSError)],
)
def test_a_lack_of_buffers_is_not_the_death_of_a_process(
    waiting: Any, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    ours, to_us = waiting
    os.write(to_us, b"x")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fail)
        patched.setattr(os, "read", fail)
        with pytest.raises(raised):
            ours.send(b"x", Countdown(1))
        with pytest.raises(raised):
            ours.receive(Countdown(1))


def test_threads_that_cannot_start_are_told(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(CourseError, match=r"does not let another thread start.*fewer --jobs"):
        grade([folder(anna=GOOD)], tmp_path / "out")


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.EMFILE, "crashed"), (errno.ENOENT, "crashed"), (errno.EACCES, "unreadable")],
)
def test_a_file_that_cannot_be_read_just_now_is_not_called_unreadable(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, status: str
) -> None:
    place, out = folder(anna=GOOD), tmp_path / "out"
    really = os.open

    def fail(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path).name == "anna.ipynb":
            raise OSError(number, os.strerror(number))
        return really(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", fail)
        summary = grade([place], out)
    assert (summary.crashed, summary.unreadable) == (status == "crashed", status == "unreadable")
    (line,) = (out / "results.jsonl").read_text().splitlines()
    assert f"be {'read' if status == 'crashed' else 'opened'}: {os.strerror(number)}." in line
    assert grade([place], out, resume=True).graded == 1


def test_a_class_whose_disk_is_gone_for_a_time_loses_nothing(
    folder: Folder, tmp_path: Path
) -> None:
    place, out, away = folder(anna=GOOD, ben=GOOD, carl=GOOD), tmp_path / "out", tmp_path / "away"

    def leave(done: int, total: int, graded: Graded) -> None:
        if done == 1:
            place.rename(away)

    summary = grade([place], out, jobs=1, progress=leave)
    assert summary.unreadable == 0
    assert summary.crashed
    away.rename(place)
    assert grade([place], out, resume=True).graded == 3


@pytest.mark.parametrize("other", [False, True], ids=["gone", "another disk in its place"])
def test_results_whose_disk_is_gone_for_a_time_are_resumed(
    folder: Folder, tmp_path: Path, other: bool
) -> None:
    place, out, away = folder(anna=GOOD, ben=GOOD, carl=GOOD), tmp_path / "out", tmp_path / "away"

    def leave(done: int, total: int, graded: Graded) -> None:
        out.rename(away)
        if other:
            out.mkdir()
            (out / "results.jsonl").touch()

    with pytest.raises(CourseError, match=r"results.jsonl.*--resume"):
        grade([place], out, jobs=1, progress=leave)
    if other:
        assert [path.name for path in out.iterdir()] == ["results.jsonl"]
        (out / "results.jsonl").unlink()
        out.rmdir()
    away.rename(out)
    assert len((out / "results.jsonl").read_text().splitlines()) == 1
    summary = grade([place], out, resume=True)
    assert summary.graded == 3
    assert any("1 of 3 were graded before" in note for note in summary.notes)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("how", ["removed", "moved", "another", "a file", "without records"])
def test_what_is_not_there_any_more_is_not_said_to_be_kept(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, how: str
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD), tmp_path / "out"

    def take_away() -> None:
        if how == "without records":
            (out / "results.jsonl").unlink()
            return
        (shutil.rmtree if how == "removed" else lambda path: path.rename(tmp_path / "away"))(out)
        if how == "another":
            out.mkdir()
        if how == "a file":
            out.touch()

    def writing_reports(*arguments: Any) -> Any:
        written = write_reports(*arguments)
        if at == 3:
            take_away()
        return written

    monkeypatch.setattr(gradebook, "write_reports", writing_reports)
    with pytest.raises(CourseError, match="not there any more: bring the folder back") as told:
        grade([place], out, jobs=1, progress=lambda done, *_: take_away() if done == at else None)
    assert "kept" not in str(told.value)


def test_a_full_temporary_folder_is_not_taken_for_the_results(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = folder(anna=GOOD), tmp_path / "out"

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        # First, for it imports.
        patched.setattr("openpyxl.worksheet._writer.NamedTemporaryFile", full)
        patched.setattr(tempfile, "NamedTemporaryFile", full)
        with pytest.raises(CourseError, match=r"temporary folder.*No space left.*TMPDIR"):
            grade([place], out)
    assert grade([place], out, resume=True).graded == 1
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.write(place / "anna.ipynb", "anna.ipynb")
    monkeypatch.setattr(archives._Unpacked, "new", full)
    with pytest.raises(CourseError, match=r"temporary folder.*No space left.*TMPDIR"):
        grade([tmp_path / "class.zip"], tmp_path / "of zip")


@pytest.mark.parametrize("temporary", ["class", "."])
def test_temporary_files_in_the_class_itself_are_nobodys(
    temporary: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(anna=GOOD)
    monkeypatch.chdir(place)
    monkeypatch.setattr(tempfile, "tempdir", str(place) if temporary == "class" else temporary)
    shut_down()  # so that what runs answers starts there
    try:
        summary = grade([place], place.parent / "out")
    finally:
        shut_down()
    assert (summary.graded, list(summary.notes)) == (1, [])


# --- records -------------------------------------------------------------------------------------


def test_a_lost_submission_is_named_and_graded_by_resume(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD, carl=GOOD), tmp_path / "out"

    def losing(handed: HandedIn, *arguments: Any) -> Any:
        return None if handed.id == "ben" else grade_one(handed, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(gradebook, "grade_one", losing)
        with pytest.raises(CourseError, match=r"grading of “ben” was lost.*--resume"):
            grade([place], out, seed=1)
    assert [path.name for path in out.iterdir()] == ["results.jsonl"]
    assert grade([place], out, resume=True).graded == 3


def test_what_failed_here_is_named_has_a_status_and_is_tried_again_by_resume(
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD.replace(b"np.mean", b"np.median")), tmp_path / "out"
    really = record.mark

    def mark(data: bytes, *arguments: Any, **options: Any) -> Any:
        if b"np.median" in data:
            raise SandboxError("There is no memory left.")
        return really(data, *arguments, **options)

    monkeypatch.setattr(record, "PAUSES", ())
    command = ["grade", str(place), "--out", str(out)]
    with monkeypatch.context() as patched:
        patched.setattr(record, "mark", mark)
        assert course.main(command, standalone_mode=False) == 1
    said = capsys.readouterr().out
    assert said.startswith("1 graded, 1 crashed;")
    assert "note: Grading failed here, and not in the answers, for “ben”: run again with" in said
    assert course.main([*command, "--resume"], standalone_mode=False) == 0
    assert capsys.readouterr().out.startswith("2 graded;")


def test_namesakes_are_not_merged_in_silence(tmp_path: Path) -> None:
    of_next_lesson = notebook("def ridge_weights(*a):\n    raise NotImplementedError")
    for group, ben in (("group a", GOOD), ("group b", of_next_lesson)):
        (tmp_path / group).mkdir()
        (tmp_path / group / "anna.ipynb").write_bytes(GOOD)
        (tmp_path / group / "ben.ipynb").write_bytes(ben)
    paths = [tmp_path / "group a", tmp_path / "group b"]
    (told,) = grade(paths, tmp_path / "out").notes
    assert told.startswith("There are several notebooks of one lesson by “anna”: for each exercise")
    assert grade(paths[:1], tmp_path / "one").notes == ()


def test_only_so_many_are_named() -> None:
    assert named(["a", "b"]) == "“a”, “b”"
    assert named(["a"] * (NAMED + 2)) == ", ".join(["“a”"] * NAMED) + " and 2 more"
    assert named([]) == ""
    long = [f"{n:04}" * 1000 for n in range(30)]
    assert len(named(long)) < 1300
    assert named(long).startswith("“0000")
    assert named(long).endswith("0004” and 25 more")


def test_a_file_of_results_that_something_else_changes_is_noticed(
    folder: Folder, tmp_path: Path
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD), tmp_path / "out"

    def spoil(done: int, total: int, found: object) -> None:
        if done == 1:
            (out / "results.jsonl").write_bytes(b"")

    with pytest.raises(CourseError, match=r"Something else has changed “.*results.jsonl”"):
        grade([place], out, seed=1, jobs=1, progress=spoil)
    assert [path.name for path in out.iterdir() if path.suffix == ".csv"] == []


def test_no_folder_for_temporary_files_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(
        CourseError, match="make room on the disk, or name another folder in TMPDIR"
    ):
        shared_place()
