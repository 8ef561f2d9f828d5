"""What fails on the machine costs no learner a point and no class a record."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from course_lib.cli import course
from course_lib.errors import CourseError
from course_lib.exercises import Case
from course_lib.grading import gradebook, process, record, servers
from course_lib.grading.gradebook import grade
from course_lib.grading.process import Answer, Channel, DiedError, HungError
from course_lib.grading.record import HandedIn, grade_one
from course_lib.grading.results import NAMED, named
from course_lib.grading.sandbox import Limits, Sandbox, WorkerError, _Asks
from course_lib.grading.slicing import Program
from course_lib.grading.worker import Message, encode

from .conftest import MAX_POINTS, answers, call_of_f, notebook

pytestmark = pytest.mark.slow

Folder = Callable[..., Path]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only there answers are forked")
GOOD = notebook(*answers())
SLOW = """
import time
def mse(predictions, targets):
    time.sleep(0.15)
    return np.mean((predictions - targets) ** 2)
"""


def outcome(source: str, seconds: float, **limits: Any) -> str:
    """What comes of the one call of a function `f`."""
    asked = call_of_f(Case((1.0,)), seconds=seconds)
    with Sandbox(Limits(grace=0.0, **limits)) as box:
        attempt = box.run(Program("f", (("f", source),)), asked, asked.draw_cases(0), {})
    assert attempt.problem is None, attempt.problem
    return attempt.outcomes[0].state


# --- processes that are killed -------------------------------------------------------------------


@pytest.fixture
def killing() -> Iterator[Callable[[Callable[[psutil.Process], bool]], Event]]:
    """Starts to kill, again and again, one of the processes below this one; returns when it has."""
    servers.SERVERS.end()  # others may have lost their parent
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
    servers.SERVERS.end()


def generation(one: psutil.Process) -> int:
    """1 for a nursery, 2 for what it has forked, and so on."""
    return len(one.parents()) - len(psutil.Process().parents())


def is_answer_at_work(one: psutil.Process) -> bool:
    return generation(one) >= 3 and not one.children() and time.time() - one.create_time() > 0.3


@linux
def test_an_answer_that_was_killed_gets_a_second_chance(killing: Any) -> None:
    killed = killing(is_answer_at_work)
    made = grade_one(HandedIn("anna", "anna", notebook(*answers(mse=SLOW))), 1, None)
    assert killed.is_set()
    assert made is not None
    assert made["points"] == MAX_POINTS, made


@linux
@pytest.mark.parametrize("below", [1, 2, 3])
def test_whatever_dies_every_submission_has_its_points(
    folder: Folder, tmp_path: Path, killing: Any, below: int
) -> None:
    place = folder(**{f"learner{n}": notebook(*answers(mse=SLOW)) for n in range(4)})
    begun = Event()

    def chosen(one: psutil.Process) -> bool:
        return begun.is_set() and generation(one) == below

    killed = killing(chosen, times=2)
    done = grade([place], tmp_path / "out", seed=1, jobs=2, progress=lambda *_: begun.set())
    assert killed.is_set()
    assert done.graded == 4
    lines = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert [json.loads(line)["points"] for line in lines] == [MAX_POINTS] * 4


@linux
def test_servers_that_die_before_they_are_taken_are_passed_over() -> None:
    pool = servers.Servers()
    try:
        pool.launch(2)
        [nursery] = pool._nurseries.values()
        nursery._popen.kill()
        server = pool.take("numpy")
        assert server.alive
        pool.put(server)
    finally:
        pool.end()


@linux
def test_a_wall_that_could_be_had_before_is_not_done_without() -> None:
    pool = servers.Servers()
    without = ("namespaces",)
    try:
        first = pool.take("numpy", without)
        pool.put(first)
        assert pool.take("numpy", without) is first
        [nursery] = pool._nurseries.values()
        assert nursery.missing[without]  # at least the limit on files in memory
        nursery.missing[without] = frozenset()
        with pytest.raises(OSError, match=r"it lacks .*files in memory"):
            pool.take("numpy", without)
        first.end()
    finally:
        pool.end()


def test_what_fails_here_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = HandedIn("anna", "anna", GOOD)
    really = record.mark
    failures: list[Exception] = [
        WorkerError("Something has ended the process."),
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
    assert (made["status"], made["points"]) == ("graded", MAX_POINTS)
    failures += [WorkerError(f"Failure {n}.") for n in (3, 2, 1)]
    made = grade_one(handed, 1, None)
    assert made is not None
    assert (made["status"], made["points"]) == ("crashed", None)
    assert made["message"] == "Grading failed here, not in the answers: Failure 3."


# --- a slow machine ------------------------------------------------------------------------------


def test_what_has_come_counts_however_late_this_side_looks() -> None:
    from_it, to_us = os.pipe()
    try:
        channel = Channel(to_us, from_it, Event())
        with pytest.raises(HungError):
            channel.receive(channel.now() - 1)
        os.write(to_us, encode({"kind": "value"}))
        assert channel.receive(channel.now() - 1) == {"kind": "value"}
    finally:
        os.close(from_it)
        os.close(to_us)


def test_while_the_machine_stands_still_no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    waits: list[float] = []

    def ready(number: int, writing: bool, seconds: float) -> bool:
        nonlocal clock
        waits.append(seconds)
        clock += seconds + (30.0 if len(waits) == 2 else 0.0)  # halted during the second look
        return False

    from_it, to_us = os.pipe()
    try:
        channel = Channel(to_us, from_it, Event())
        monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: clock))
        monkeypatch.setattr(process, "_ready", ready)
        with pytest.raises(HungError):
            channel.receive(channel.now() + 1.0)
    finally:
        os.close(from_it)
        os.close(to_us)
    assert sum(waits) == pytest.approx(1.0)
    assert waits[-1] == 0.0


def test_where_pipes_cannot_be_waited_for_deadlines_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("select.poll", raising=False)  # as on Windows
    from_it, to_us = os.pipe()
    try:
        channel = Channel(to_us, from_it, Event())
        with pytest.raises(HungError):
            channel.receive(channel.now() + 0.1)
        os.write(to_us, encode({"kind": "value"}))
        assert channel.receive(channel.now() + 10) == {"kind": "value"}
        assert not channel.has_stray()
        os.write(to_us, b"x")
        assert channel.has_stray()
    finally:
        os.close(from_it)
        os.close(to_us)


@linux
def test_waiting_for_a_processor_takes_no_time_from_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = "import time\ndef f(x):\n    time.sleep(0.6)\n    return x"
    assert outcome(source, 0.2) == "timeout"
    monkeypatch.setattr(Answer, "_waited", lambda self: time.monotonic() * 0.9)
    assert outcome(source, 0.2) == "returned"


@linux
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell")
def test_how_long_an_answer_has_waited_for_a_processor_is_known() -> None:
    source = """
import os, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
for _ in range(3):
    if os.fork() == 0:
        spin(2)
        os._exit(0)
def f(x):
    spin(1.2)
    return x
"""
    assert outcome(source, 0.8) == "returned"  # of the one processor it has a quarter


def test_asking_for_ever_is_a_loop_without_end() -> None:
    class Asking(Channel):
        """Has always asked once more already, and reads all replies."""

        left = 100_000

        def __init__(self) -> None:
            pass

        def receive(self, deadline: float) -> Message:
            self.left -= 1
            assert self.left
            return {"kind": "ask", "id": "1", "name": "one", "arguments": (), "keywords": ()}

        def send(self, frame: bytes, deadline: float) -> None:
            pass

    box = Sandbox()
    box._process = Asking()
    with pytest.raises(HungError):
        box._reply("1", 0.1, _Asks({"one": lambda: 1}, 20), "value")


@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.EPIPE, DiedError), (errno.ECONNRESET, DiedError), (errno.ENOBUFS, OSError)],
)
def test_a_lack_of_buffers_is_not_the_death_of_a_process(
    monkeypatch: pytest.MonkeyPatch, number: int, raised: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    from_it, to_us = os.pipe()
    try:
        channel = Channel(to_us, from_it, Event())
        os.write(to_us, b"x")
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", fail)
            patched.setattr(os, "read", fail)
            with pytest.raises(raised):
                channel.send(b"x", channel.now() + 1)
            with pytest.raises(raised):
                channel.receive(channel.now() + 1)
    finally:
        os.close(from_it)
        os.close(to_us)


def test_threads_that_cannot_start_are_told(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(CourseError, match=r"does not let another thread start.*fewer --jobs"):
        grade([folder(anna=GOOD)], tmp_path / "out")


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EMFILE, "crashed"), (errno.EACCES, "unreadable")]
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
            raise WorkerError("There is no memory left.")
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


def test_a_file_of_results_that_something_else_changes_is_noticed(
    folder: Folder, tmp_path: Path
) -> None:
    place, out = folder(anna=GOOD, ben=GOOD), tmp_path / "out"

    def spoil(done: int, total: int, found: object) -> None:
        if done == 1:
            (out / "results.jsonl").write_bytes(b"")

    with pytest.raises(CourseError, match=r"not in “.*” any more: something else has changed"):
        grade([place], out, seed=1, jobs=1, progress=spoil)
    assert [path.name for path in out.iterdir() if path.suffix == ".csv"] == []
