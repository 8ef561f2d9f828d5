"""A scheduler and two workers on loopback: the same grades, whatever happens to a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.grading import cluster as clusters
from course_lib.grading.gradebook import grade
from course_lib.grading.record import Graded, HandedIn
from course_lib.sandbox.isolation import NO_SIGHT

from .conftest import answers, notebook, reports
from .test_own_exercises import EXAMPLE, RMSE

pytestmark = pytest.mark.slow

distributed = pytest.importorskip("distributed")

Folder = Callable[..., Path]
MISTAKE = "def mse(p, t):\n    return np.mean((p - t) ** 2) / 2"
SLOW = "def mse(p, t):\n    import time\n    time.sleep(0.02)\n    return np.mean((p - t) ** 2)"
QUIET = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical"}


class Network:
    """A scheduler and its workers, each a process of its own on 127.0.0.1, without a dashboard."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.processes: list[subprocess.Popen[bytes]] = []
        file = place / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.address = self._address(file)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1"],
            cwd=self.place,
            env={**QUIET, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def _address(self, file: Path) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if file.exists() and file.read_text():
                return str(json.loads(file.read_text())["address"])
            assert self.processes[0].poll() is None
            time.sleep(0.05)
        raise AssertionError("the scheduler does not start")

    def worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--local-directory", str(self.place),
        )  # fmt: skip

    def wait_for(self, workers: int) -> None:
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    made = Network(tmp_path_factory.mktemp("cluster"))
    try:
        made.worker()
        made.worker()
        made.wait_for(2)
        yield made
    finally:
        made.close()


def a_class(folder: Folder, more: int = 0) -> Path:
    kinds = [notebook(*answers()), notebook(*answers(mse=MISTAKE)), b"{", notebook("a = 1")]
    slow = {f"slow{n:02}": notebook(*answers(mse=SLOW), RMSE) for n in range(more)}
    return folder(**{f"learner{n}": kinds[n % 4] for n in range(6)}, **slow)


def test_the_same_grades_as_here_and_at_once_on_disk(
    network: Network, folder: Folder, tmp_path: Path
) -> None:
    place, out = a_class(folder), tmp_path / "there"
    seen: list[int] = []

    def progress(done: int, total: int, record: Graded) -> None:
        assert record.submission in (out / "results.jsonl").read_text()
        seen.append(done)

    here = grade([place], tmp_path / "here", seed=7)
    there = grade([place], out, seed=7, cluster=network.address, progress=progress)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert (there.graded, there.unreadable, there.crashed) == (5, 1, 0)
    assert (there.holds, there.missing) == (here.holds, here.missing)
    assert reports(out) == reports(tmp_path / "here")


def test_own_exercises_travel_along(network: Network, folder: Folder, tmp_path: Path) -> None:
    place = folder(a=notebook(*answers(), RMSE), b=notebook(*answers(mse=MISTAKE)))
    grade([place], tmp_path / "here", seed=7, exercises=EXAMPLE)
    grade([place], tmp_path / "there", seed=7, cluster=network.address, exercises=EXAMPLE)
    grade([place], tmp_path / "plain", seed=7, cluster=network.address)
    assert reports(tmp_path / "there") == reports(tmp_path / "here")
    assert b"rmse" in reports(tmp_path / "there")["gradebook.csv"]
    assert b"rmse" not in reports(tmp_path / "plain")["gradebook.csv"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_worker_killed_in_the_middle_costs_nothing(
    network: Network, folder: Folder, tmp_path: Path
) -> None:
    place = a_class(folder, more=6)
    grade([place], tmp_path / "here", seed=7)
    victim = network.worker()
    network.wait_for(3)
    alive: list[bool] = []

    def kill(done: int, total: int, record: dict[str, Any]) -> None:
        if done == 2:
            alive.append(victim.poll() is None)
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    there = grade([place], tmp_path / "there", seed=7, cluster=network.address, progress=kill)
    assert alive == [True]
    assert (there.graded, there.crashed) == (11, 0)
    assert reports(tmp_path / "there") == reports(tmp_path / "here")


def test_an_interrupted_run_goes_on_here(network: Network, folder: Folder, tmp_path: Path) -> None:
    place = a_class(folder)
    grade([place], tmp_path / "here", seed=7)

    def stop(done: int, total: int, record: dict[str, Any]) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade([place], tmp_path / "out", seed=7, cluster=network.address, progress=stop)
    summary = grade([place], tmp_path / "out", resume=True)
    assert "3 of 6 were graded before and kept." in summary.notes
    assert reports(tmp_path / "out") == reports(tmp_path / "here")


def test_another_version_on_the_workers_is_refused(
    network: Network, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "_course", lambda: "another")
    with pytest.raises(CourseError, match="another version of the course"):
        grade([folder(a=notebook("a = 1"))], tmp_path / "out", cluster=network.address)


def test_a_worker_that_joins_later_needs_isolation_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clusters.sandbox, "describe", lambda: ((), (NO_SIGHT,)))
    clusters._require_isolation.cache_clear()
    handed = HandedIn("a", "a", notebook(*answers()))
    with pytest.raises(CourseError, match="add --unsafe"):
        clusters._grade(handed, 7, None, None, clusters._course(), trusted=False)
    record = clusters._grade(handed, 7, None, None, clusters._course(), trusted=True)
    assert record is not None
    assert record.status == "graded"


def test_a_scheduler_without_workers_and_one_that_goes(
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    place = a_class(folder)
    lonely = Network(tmp_path)
    try:
        monkeypatch.setattr(clusters, "PATIENCE_SECONDS", 0.3)
        with pytest.raises(CourseError, match="has no workers"):
            grade([place], tmp_path / "out", cluster=lonely.address)
        monkeypatch.undo()
        lonely.worker()
        lonely.wait_for(1)

        def leave(done: int, total: int, record: dict[str, Any]) -> None:
            if done == 1:
                lonely.close()

        with pytest.raises(CourseError, match="has gone"):
            grade([place], tmp_path / "out", cluster=lonely.address, progress=leave)
        assert capfd.readouterr().err == ""
    finally:
        lonely.close()
    assert grade([place], tmp_path / "out", resume=True).graded == 5


def test_what_is_wrong_is_told_in_one_sentence(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = folder(a=notebook("a = 1")), tmp_path / "out"
    with pytest.raises(UsageError, match="not both"):
        grade([place], out, jobs=2, cluster="tcp://127.0.0.1:1")
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 0.3)
    for address in ("tcp://127.0.0.1:1", "no such place", "ftp://127.0.0.1"):
        with pytest.raises(CourseError, match=f"No Dask scheduler answers at “{address}”"):
            grade([place], out, cluster=address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CourseError, match="needs the package `distributed`"):
        grade([place], out, cluster="tcp://127.0.0.1:1")
