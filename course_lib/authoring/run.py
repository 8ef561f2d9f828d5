"""Execute lessons from top to bottom, in memory, and measure them."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from .. import settings
from ..errors import CourseError
from ..exercises.verdict import VERDICT_TYPE
from ..files import atomic_write
from ..lessons import Edition, Lesson, how_to_restore, root
from ..progress_bar import bars

CELL_SECONDS = 7200 if settings.full() else 600
"""No cell of a lesson may take longer; the slowest one should take well under a minute."""

KERNEL_SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's greetings would be outputs of the lesson
    "TF_ENABLE_ONEDNN_OPTS": "0",  # and oneDNN's rounding depends on the processor
    settings.PROGRESS: "off",  # no learner is at work here, even if one has started this
}

OnCell = Callable[[int, int], None]
"""Called with the number of cells that are done and the number of all cells."""


@dataclass(frozen=True)
class SlowestCell:
    """Where a lesson spends its time; cells are counted from 1, text cells included.

    ``processor_seconds`` are those of all cores together, as in `Run`.
    """

    number: int
    seconds: float
    line: str
    processor_seconds: float = field(default=0.0, compare=False)


@dataclass
class Run:
    """What one execution of a notebook took and gave.

    Attributes:
        lesson: name of the notebook.
        seconds: wall time, start of the kernel included.
        processor_seconds: of all cores that the kernel had; other work on the machine, which makes
            the wall time longer, hardly changes them.
        slowest_cell: None if no cell was run.
        peak_memory: bytes of resident memory of the kernel at its peak; None if not known.
        verdicts: of the exercises' checks, in the order of the notebook: dictionaries with
            exercise, status, points, max_points and misconception.
        error: None, or one line: the cell, the exception, the cell's first line.
    """

    lesson: str
    seconds: float = 0.0
    processor_seconds: float = 0.0
    slowest_cell: SlowestCell | None = None
    peak_memory: int | None = None
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None


def execute(
    notebook: NotebookNode, name: str, on_cell: OnCell | None = None, folder: Path | None = None
) -> Run:
    """Execute a notebook in place: afterwards its cells hold their outputs and counts.

    The same notebook gives the same outputs each time, as far as its own code does: no times,
    no widget state, no version of Python are stored, and neither the user's IPython profile nor
    another environment's kernel is used.

    Args:
        notebook: changed in place.
        name: for messages.
        on_cell: called after every cell.
        folder: working directory of the kernel; ``notebooks/`` of the project if not given, which
            stands beside ``solutions/``, so that relative paths mean the same in both.

    Raises:
        CourseError: a cell raised, hung, or ended the kernel; the message names the cell.
    """
    run = _all([_Execution(notebook, name, on_cell or _nothing, folder or _folder())], jobs=1)[0]
    if run.error:
        raise CourseError(f"{name}: {run.error}")
    return run


def run_lessons(
    lessons: Sequence[Lesson],
    edition: Edition = "notebooks",
    jobs: int = 1,
    report: Path | None = None,
) -> list[Run]:
    """Execute lessons as they are on disk and say in the terminal how they went.

    The files are not changed. A lesson that fails costs only itself.

    Args:
        lessons: which.
        edition: the learners' notebooks or the solved ones.
        jobs: how many at the same time; each has a kernel of its own.
        report: JSON file to write the measurements to, at once or not at all.

    Raises:
        CourseError: the report cannot be written.
        KeyboardInterrupt: the kernels have been stopped.
    """
    from rich.console import Console

    if report:
        _check_writable(report)
    runs: dict[str, Run] = {}
    with bars("cells") as add_bar:
        executions = []
        for lesson in lessons:
            on_cell = add_bar(lesson.name)
            try:
                notebook = read_notebook(lesson.notebook(edition))
            except CourseError as error:
                runs[lesson.name] = Run(lesson.name, error=str(error))
            else:
                executions.append(_Execution(notebook, lesson.name, on_cell, lesson.root / edition))
        runs |= {run.lesson: run for run in _all(executions, jobs)}
    ordered = [runs[lesson.name] for lesson in lessons]
    console = Console()
    console.print(_table(ordered))
    for run in ordered:
        if run.error:
            failed = f"{run.lesson} failed: {run.error}"
            console.print(failed, style="red", markup=False, highlight=False, soft_wrap=True)
    if report:  # last, for it may fail: what is printed cannot be lost then
        _write(report, {"edition": edition, "lessons": [asdict(run) for run in ordered]})
    return ordered


# --- one notebook ------------------------------------------------------------------------------


class _Execution:
    """One notebook on its way through a kernel. `run` blocks; `stop` ends it from outside."""

    def __init__(self, notebook: NotebookNode, name: str, on_cell: OnCell, folder: Path) -> None:
        self.notebook = notebook
        self.result = Run(name)
        self.on_cell = on_cell
        self.folder = folder
        self.cell_number = 0
        self.cell_started = self.processor_started = 0.0
        self.client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
            extra_arguments=["--log-level=40"],  # the kernel's own warnings are not the lesson's
            on_cell_start=self._cell_starts,
            on_cell_execute=self._cell_is_sent,
            on_cell_executed=self._cell_is_done,
        )

    def run(self) -> Run:
        started = time.perf_counter()
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(done,), daemon=True)
        watch.start()
        # An empty IPython directory: nobody's start-up files, no race between two first starts.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            environment = os.environ | KERNEL_SETTINGS | {"IPYTHONDIR": profile}
            environment.pop("MPLBACKEND", None)  # figures go where IPython's kernel puts them
            try:
                asyncio.run(self.client.async_execute(env=environment, cwd=str(self.folder)))
                self.on_cell(len(self.notebook.cells), len(self.notebook.cells))
            except CellTimeoutError:
                self._failed(f"it had not finished after {CELL_SECONDS} s")
            except DeadKernelError:
                self._failed("its kernel ended (out of memory, or a crash in compiled code)")
            except CellExecutionError as error:
                said = error.evalue.splitlines() or [""]
                self._failed(f"{error.ename}: {said[0]}")
            except Exception as error:  # the kernel did not start or does not answer
                self.result.error = (
                    f"no Python kernel could run it ({error or type(error).__name__}); "
                    "`course doctor` says what is missing."
                )
            finally:
                # If the kernel did not start, this is left over and fails as Python ends.
                atexit.unregister(self.client._cleanup_kernel)
                done.set()
                watch.join()
        self.notebook.metadata.get("language_info", {}).pop("version", None)
        self.result.seconds = time.perf_counter() - started
        self.result.verdicts = [
            dict(output.data[VERDICT_TYPE])
            for cell in self.notebook.cells
            for output in cell.get("outputs", ())
            if VERDICT_TYPE in output.get("data", ())
        ]
        return self.result

    def stop(self) -> None:
        """End the kernel and its children now; `run` then returns with an error."""
        with suppress(psutil.NoSuchProcess):
            for process in self._processes():
                process.kill()

    def _processes(self) -> list[psutil.Process]:
        """The kernel and whatever it started (in a Windows environment the kernel is a child)."""
        provisioner = getattr(self.client.km, "provisioner", None)
        pid = getattr(provisioner, "pid", None)
        if pid is None:
            return []
        kernel = psutil.Process(pid)
        return [kernel, *kernel.children(recursive=True)]

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(0.2):
            self._measure()

    def _measure(self) -> None:
        with suppress(psutil.Error, OSError):
            processes = self._processes()
            if processes:
                self.result.peak_memory = max(self.result.peak_memory or 0, _memory(processes))
                used = sum(sum(process.cpu_times()[:2]) for process in processes)
                self.result.processor_seconds = max(self.result.processor_seconds, used)

    def _cell_starts(self, cell: NotebookNode, cell_index: int) -> None:
        self.on_cell(cell_index, len(self.notebook.cells))

    def _cell_is_sent(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell_number, self.cell_started = cell_index + 1, time.perf_counter()
        self.processor_started = self.result.processor_seconds

    def _cell_is_done(
        self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]
    ) -> None:
        seconds = time.perf_counter() - self.cell_started
        self._measure()
        slowest = self.result.slowest_cell
        if slowest is None or seconds > slowest.seconds:
            self.result.slowest_cell = SlowestCell(
                cell_index + 1,
                seconds,
                _first_line(cell),
                self.result.processor_seconds - self.processor_started,
            )

    def _failed(self, why: str) -> None:
        if self.cell_number:
            line = _first_line(self.notebook.cells[self.cell_number - 1])
            why = f"cell {self.cell_number}, `{line}`: {why}"
        self.result.error = why


def _first_line(cell: NotebookNode) -> str:
    """The first line of code: what a reader will look for."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), "")[:80]


def _memory(processes: list[psutil.Process]) -> int:
    """Bytes of resident memory: the kernel's peak so far where the system keeps it."""
    if sys.platform == "linux":
        status = Path(f"/proc/{processes[0].pid}/status").read_text(encoding="utf-8")
        peak = re.search(r"VmHWM:\s*(\d+) kB", status)  # missing once the process has ended
        return int(peak[1]) * 1024 if peak else 0
    return sum(process.memory_info().rss for process in processes)


# --- several at a time -------------------------------------------------------------------------


def _all(executions: Iterable[_Execution], jobs: int) -> list[Run]:
    """Run them in threads, for an interrupt reaches only the main one, which stops the kernels."""
    # Set for this process, because that is where Jupyter looks the kernel up.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    executions = list(executions)
    pool = ThreadPoolExecutor(max(1, jobs))
    futures: list[Future[Run]] = [pool.submit(execution.run) for execution in executions]
    try:
        return [future.result() for future in futures]
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        running = {future for future in futures if not future.done()}
        while running:
            for execution in executions:
                execution.stop()
            running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED).not_done
        raise
    finally:
        pool.shutdown()


# --- files and words ---------------------------------------------------------------------------


def _folder() -> Path:
    return root() / "notebooks"


def _nothing(done: int, total: int) -> None:
    """Progress that nobody watches."""


def read_notebook(path: Path) -> NotebookNode:
    """A notebook of the course.

    Raises:
        CourseError: it is missing, or none that Jupyter can read.
    """
    name = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise CourseError(f"{name} is missing: {how_to_restore(path)}.")
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except Exception as error:  # whatever nbformat meets in a file that is no notebook
        raise CourseError(
            f"{name} is not a notebook that Jupyter can read ({type(error).__name__}): "
            f"{how_to_restore(path)}."
        ) from None
    return notebook


def _check_writable(path: Path) -> None:
    """Say so before the lessons have run for minutes."""
    if path.is_dir() or not os.access(path.resolve().parent, os.W_OK):
        raise CourseError(f"Cannot write {path}: name a file in a folder that you may write to.")


def _write(path: Path, content: dict[str, Any]) -> None:
    try:
        with atomic_write(path) as unfinished:
            unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise CourseError(f"Cannot write {path}: {error.strerror}.") from None


def _table(runs: Sequence[Run]) -> Any:
    from rich import box
    from rich.table import Table

    # As much as 80 columns hold; the rest is in the report.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("lesson", no_wrap=True)
    for column in ("seconds", "slowest cell", "peak memory", "correct"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for run in runs:
        slow = run.slowest_cell
        correct = sum(verdict["status"] == "correct" for verdict in run.verdicts)
        table.add_row(
            run.lesson,
            f"{run.seconds:.1f}",
            f"{slow.seconds:.1f} s, cell {slow.number}" if slow else "",
            f"{run.peak_memory / 2**20:.0f} MiB" if run.peak_memory else "",
            f"{correct} of {len(run.verdicts)}" if run.verdicts else "",
            "FAILED" if run.error else "ran",
        )
    return table
