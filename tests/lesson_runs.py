"""nbval runs each notebook once; what else is to be said of a notebook is said of that run.

nbval starts a kernel for a notebook, executes its cells and compares their outputs with the stored
ones. Here that kernel is kept from the network and from what is stored on this machine (but the
features that another lesson or edition has computed are there, as for a learner), the run is
measured, and behind the cells stand four more tests: verdicts, budget, no network, and no
warnings.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import psutil
import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile

from course_lib.authoring.run import Run, SlowestCell
from course_lib.exercises import catalogue
from course_lib.exercises.verdict import VERDICT_TYPE

LESSON_SECONDS = 90
CELL_SECONDS = 20
LAP_SECONDS = 0.02
"""For one `lap` of a core as budgets have it in mind; a slower one has more time in proportion."""
GONE = {"text/html": ""}  # what nbval sees of a progress bar: its beginning
KERNEL_BYTES = 1.6e9  # mybinder.org gives 2 GB to all processes of a learner

NO_NETWORK = """
def guard(asked):
    import sys
    def watch(event, arguments):
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        if host not in (None, "", "localhost", "::1") and not str(host).startswith("127."):
            with open(asked, "a") as file:
                print(host, file=file)
            raise OSError("there is no network in tests")
    sys.addaudithook(watch)
guard({asked!r})
del guard
"""
"""Run in a kernel before the notebook: whoever asks for another machine is noted and refused."""


class Measured:
    """A notebook on its way through nbval's kernel.

    Attributes:
        run: what it took and gave so far.
        asked: file that names the machines which it asked for.
        complained: what its cells wrote to the error stream.
    """

    def __init__(self, book: IPyNbFile, folder: str) -> None:
        self.book = book
        self.run = Run(book.path.stem, peak_memory=0)
        self.asked = Path(folder, "asked")
        self.complained: list[str] = []
        self.started = time.perf_counter()
        self.kernel: psutil.Process | None = None

    def begin(self) -> None:
        """The kernel is up: from now on it is watched."""
        kernel = self.book.kernel
        self.kernel = psutil.Process(kernel.km.provisioner.pid)
        code = NO_NETWORK.format(asked=str(self.asked))
        kernel.await_idle(kernel.execute_cell_input(code, allow_stdin=False), 60)

    def cell(self, item: IPyNbCell) -> Iterator[None]:
        """Around the execution of one cell."""
        assert self.kernel is not None
        compare = item.compare_outputs
        item.compare_outputs = lambda made, stored, **rest: compare(
            [_as_stored(output) for output in made if output.get("data") != GONE], stored, **rest
        )
        started, busy = time.perf_counter(), self.run.processor_seconds
        try:
            yield
        finally:
            now, run = time.perf_counter(), self.run
            if self.kernel.is_running():
                run.processor_seconds = sum(self.kernel.cpu_times()[:2])
                run.peak_memory = max(run.peak_memory or 0, peak(self.kernel))
            run.seconds = now - self.started
            line = next(iter(item.cell.source.splitlines()), "")
            slow = SlowestCell(item.cell_num, now - started, line, run.processor_seconds - busy)
            if run.slowest_cell is None or slow.seconds > run.slowest_cell.seconds:
                run.slowest_cell = slow
            outputs = item.test_outputs or ()
            run.verdicts += [
                o.data[VERDICT_TYPE] for o in outputs if VERDICT_TYPE in o.get("data", ())
            ]
            self.complained += [o.text for o in outputs if o.get("name") == "stderr"]


def _as_stored(output: NotebookNode) -> NotebookNode:
    """Of an explorer that lives in the browser, the picture and the words that `build` stores."""
    if "image/png" not in output.get("data", {}):
        return output
    data = {kind: shown for kind, shown in output.data.items() if kind != "text/html"}
    return NotebookNode({**output, "data": NotebookNode(data)})


def peak(process: psutil.Process) -> int:
    """Bytes of resident memory, at their peak where the system keeps it."""
    status = Path(f"/proc/{process.pid}/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


# --- what is said of a run -----------------------------------------------------------------------


def verdicts(measured: Measured) -> None:
    """Untouched, each exercise is not attempted; solved, it earns all its points."""
    solved = measured.book.path.parent.name == "solutions"
    expected = [
        (name, "correct" if solved else "not attempted", exercise.points if solved else 0)
        for name, exercise in catalogue().items()
        if exercise.lesson == measured.run.lesson
    ]
    found = [(v["exercise"], v["status"], v["points"]) for v in measured.run.verdicts]
    assert found == expected


def budget(measured: Measured) -> None:
    """In time, as far as this machine is as fast as others, and in memory."""
    assert over_budget(measured.run, slowness()) == []


def no_network(measured: Measured) -> None:
    """It did not even ask for another machine."""
    assert not measured.asked.exists(), measured.asked.read_text(encoding="utf-8")


def no_warnings(measured: Measured) -> None:
    """Nothing that a learner would take for a fault."""
    assert measured.complained == []


def over_budget(run: Run, slowness: float = 1.0) -> list[str]:
    """What a learner would wait for too long, and the memory that Binder does not have.

    Where other work shares the machine, the clock says more than a learner would wait; the
    seconds of the processor are then what one free core would take.
    """
    found = []
    seconds = min(run.seconds, run.processor_seconds)
    if seconds > LESSON_SECONDS * slowness:
        found.append(f"{run.lesson} takes {seconds:.0f} s")
    slowest = run.slowest_cell
    if slowest:
        cell = min(slowest.seconds, slowest.processor_seconds)
        if cell > CELL_SECONDS * slowness:
            found.append(f"cell {slowest.number}, {slowest.line}, takes {cell:.0f} s")
    if run.peak_memory and run.peak_memory > KERNEL_BYTES:
        found.append(f"the kernel takes {run.peak_memory / 1e9:.1f} GB")
    return found


def slowness() -> float:
    """How many times as long as `LAP_SECONDS` a lap takes here, and at least 1."""
    return max(1.0, median(lap() for _ in range(9)) / LAP_SECONDS)


def lap() -> float:
    """Processor seconds of what lessons spend most on: a window of 3 by 3 over many maps."""
    maps, window = np.ones((16, 66, 66, 96), np.float32), np.ones((3, 3, 96), np.float32)
    total = np.zeros((16, 64, 64, 96), np.float32)
    started = time.process_time()
    for u, v in np.ndindex(3, 3):
        total += maps[:, u : u + 64, v : v + 64] * window[u, v]
    return time.process_time() - started


class Whole(pytest.Item):
    """One thing that is said of the whole run of a notebook."""

    def __init__(self, said: Callable[[Measured], None], **rest: Any) -> None:
        super().__init__(name=said.__name__, **rest)
        self.said = said

    def runtest(self) -> None:
        if MEASURED not in self.parent.stash:  # type: ignore[union-attr]
            pytest.skip("the cells of the notebook were not run")
        self.said(self.parent.stash[MEASURED])  # type: ignore[union-attr]

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.parent.name}/{self.path.name}: {self.name}"


# --- pytest's hooks ------------------------------------------------------------------------------

MEASURED = pytest.StashKey[Measured]()
FEATURES = "COURSE_TEST_FEATURES"
"""The environment's name of the folder that all processes of this session keep features in."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of xdist inherit the environment
        folder = tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True)
        os.environ[FEATURES] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        report.result += [
            Whole.from_parent(collector, said=said)
            for said in (verdicts, budget, no_network, no_warnings)
        ]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lessons and browser are slow, and slow files come first: two processes end together."""
    for item in items:
        if isinstance(item.parent, IPyNbFile):
            item.add_marker("lessons")
        if any(map(item.get_closest_marker, ("lessons", "browser"))):
            item.add_marker("slow")
    kinds = ("browser", "lessons", "slow")
    files = [{item.path for item in items if item.get_closest_marker(kind)} for kind in kinds]
    items.sort(key=lambda item: [item.path not in of_kind for of_kind in files])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """The first cell of a notebook brings the kernel up."""
    book = item.parent
    if not isinstance(item, IPyNbCell) or MEASURED in book.stash:
        return (yield)
    folder = tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True)
    book.stash[MEASURED] = Measured(book, folder.name)
    own = {"COURSE_CACHE": os.environ[FEATURES], "KERAS_HOME": folder.name}
    with mock.patch.dict(os.environ, own | {"COURSE_OFFLINE": "1"}):
        yield
    book.addfinalizer(folder.cleanup)
    book.stash[MEASURED].begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if isinstance(item, IPyNbCell):
        yield from item.parent.stash[MEASURED].cell(item)
    else:
        yield
