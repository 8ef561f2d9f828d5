"""Many submissions -> records on disk, one line each, resumable; then the reports."""

from __future__ import annotations

import os
import time
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from ..errors import NAMED, CourseError, UsageError, named
from ..exercises.catalogue import using
from ..sandbox import run as sandbox
from ..sandbox.isolation import NO_SIGHT
from ..settings import cores
from .archives import SUFFIX, Archives
from .discovery import ENDINGS, Source, discover
from .marking import VerdictCache
from .own_exercises import OwnExercises, grade_apart
from .reading import launch_reader
from .record import Graded, HandedIn, grade_one, hand_in, set_aside
from .report import Run, ready_to_write, require_own, write_reports
from .results import Results

CHECK_SECONDS = 5.0
SAFE_PATH = "PYTHONSAFEPATH"
FIRST_YEAR, LAST_YEAR = 1980, 2107
"""That the format of zip files, and so of workbooks, knows."""

Progress = Callable[[int, int, Graded], None]
"""Called after each submission is safely on disk: how many are done, of how many, the record."""


@dataclass(frozen=True)
class Summary:
    """What a run of `grade` did, for the last lines that the command prints.

    Attributes:
        seed: of the random cases; `grade(..., seed=seed)` reproduces every verdict.
        graded, unreadable, crashed: numbers of submissions by how they ended.
        files: the tables, the summary, results.jsonl and the feedback folder.
        notes: things to know, one sentence each (skipped symbolic links, kept records, learners
            with several notebooks, whom to grade again).
        holds, missing: limits on the learners' code that were enforced, or were not.
    """

    seed: int
    graded: int
    unreadable: int
    crashed: int
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    holds: tuple[str, ...]
    missing: tuple[str, ...]


class Workers(Protocol):
    """What grades: threads here (`_Local`), or a cluster; each has a `concurrent.futures.Executor`.

    Attributes:
        holds, missing: limits on the learners' code there.
    """

    holds: tuple[str, ...]
    missing: tuple[str, ...]

    def width(self) -> int:
        """How many submissions it can use at once, queued ones included."""

    def submit(self, handed: HandedIn, seed: int, lesson: str | None) -> Future[Graded | None]:
        """Start `grade_one`."""

    def result(self, future: Future[Graded | None]) -> Graded | None:
        """Of one that is done."""

    def apart(self, handed: HandedIn, seed: int, lesson: str | None) -> Graded | None:
        """Grade what an earlier run was killed at, where it cannot kill this one."""

    def check(self) -> None:
        """Called now and then while nothing is done. Raises: CourseError: it never will be."""


def grade(
    paths: Sequence[Path],
    out: Path,
    *,
    jobs: int | None = None,
    seed: int | None = None,
    resume: bool = False,
    cluster: str | None = None,
    exercises: Path | None = None,
    unsafe: bool = False,
    locate: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], object] | None = None,
) -> Summary:
    """Grade every submission under ``paths`` and write the reports into ``out``.

    Args:
        paths: notebooks, folders of LEARNER.ipynb, or nbgrader's ``submitted`` (or its parent).
        out: folder for the tables, summary.html, results.jsonl and feedback/LEARNER.html; made
            if it is not there.
        jobs: submissions graded at once; by default one per processor core.
        seed: of the random cases; drawn if not given, and recorded either way.
        resume: keep what an earlier, interrupted run into ``out`` has finished.
        cluster: address of a running Dask scheduler, whose workers grade in place of ``jobs``.
        exercises: a file of the instructor's own exercises (see `OwnExercises`).
        unsafe: grade other people's notebooks even where nothing keeps their code from this
            user's files; a single notebook is taken for one's own.
        locate: look for the place of each mistake, as the notebook's last hint does; several times
            slower.
        progress: called in the calling thread after each submission is on disk.
        warn: called, before any code is run, with a sentence on what a person should know by then.

    Raises:
        UsageError: a path is missing or holds no notebook; ``out`` has results and ``resume`` is
            false, or is in use, or something else has the name of a report; ``seed`` is negative or
            not the one recorded; ``jobs`` and ``cluster`` are given both; ``exercises`` has a
            mistake.
        CourseError: ``out`` cannot be written, the workers cannot be started, the cluster cannot
            be reached, there is no isolation and ``unsafe`` is false, or submissions were lost.
        KeyboardInterrupt: passed on after the workers have been stopped; what is finished stays.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"There must be at least one job, not {jobs}.")
    if jobs is not None and cluster is not None:
        raise UsageError("Choose --jobs for this machine or --cluster for others, not both.")
    if seed is not None and seed < 0:
        raise UsageError(f"The seed must not be negative, as {seed} is.")
    year = time.localtime().tm_year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CourseError(
            f"By this machine's clock it is the year {year}, which no zip file and no workbook can "
            "say: set the clock."
        )
    own = OwnExercises.read(exercises) if exercises is not None else None
    if cluster is None:
        sandbox.launch()
        launch_reader()
    ready_to_write()  # at the end; now there is time, while the servers start
    ended: Counter[str] = Counter()
    crashed: list[str] = []
    of_lesson: Counter[tuple[str, str]] = Counter()
    scratch: list[Source] = []
    try:
        if not (out / "results.jsonl").exists():
            require_own(out)
    except OSError as error:
        raise UsageError(
            f"“{out}” cannot be a folder for the results: {error.strerror}. Choose another with "
            "--out."
        ) from None
    with (
        _discovered(paths) as (sources, notes),
        using(own.exercises if own is not None else ()),
        _workers(jobs, cluster, own, trusted=unsafe or _is_one_file(paths)) as workers,
        Results(out, resume, seed, own.sha256 if own is not None else None) as results,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of Python about the learners' code
        if warn is not None and not unsafe and NO_SIGHT in workers.missing:
            warn(
                f"Nothing here keeps the code in “{paths[0]}” from your files: that is fine if it "
                "is your own; grade another person's on Linux."
            )
        with closing(_graded(sources, results, workers, locate, scratch)) as graded:
            for record in graded:
                ended[record.status] += 1
                if record.status == "crashed":
                    crashed.append(record.submission)
                of_lesson[record.learner, record.lesson or ""] += 1
                if progress is not None:
                    progress(ended.total(), len(sources), record)
        if scratch:
            show, were, are = (
                ("shows", "was", "its learner has")
                if len(scratch) == 1
                else ("show", "were", "their learners have")
            )
            notes.append(
                f"{named(sorted(one.id for one in scratch))} {show} no exercise of the course and "
                f"{were} skipped: {are} handed in another notebook that does."
            )
        if several := sorted({learner for (learner, _), number in of_lesson.items() if number > 1}):
            notes.append(
                f"There are several notebooks of one lesson by {named(several)}: for each exercise "
                "the best counts. If they are by different people, give the files different names, "
                "or the folders in which they lie."
            )
        skipped = {source.id for source in scratch}
        kept = [source for source in sources if source.id not in skipped]
        records = [part for one in results.records(kept) for part in one.by_lesson()]
        run = Run(records, results.seed, workers.holds, workers.missing, tuple(notes))
        files = write_reports(out, run)
        results.require_unchanged()
    if results.damaged:
        lines, were = ("Line", "was") if len(results.damaged) == 1 else ("Lines", "were")
        notes.append(
            f"{lines} {', '.join(map(str, results.damaged[:NAMED]))} of results.jsonl {were} "
            "damaged: what stood there was graded again."
        )
    if results.kept:
        notes.append(f"{results.kept} of {len(sources)} were graded before and kept.")
    if crashed:
        notes.append(
            f"Grading failed here, and not in the answers, for {named(sorted(crashed))}: run again "
            "with --resume to try once more."
        )
    return Summary(
        seed=results.seed,
        graded=ended["graded"],
        unreadable=ended["unreadable"],
        crashed=ended["crashed"],
        files=files,
        notes=tuple(notes),
        holds=workers.holds,
        missing=workers.missing,
    )


@contextmanager
def _discovered(paths: Sequence[Path]) -> Iterator[tuple[list[Source], list[str]]]:
    """See `discover`; what is unpacked is there until the end, to be read one by one."""
    with Archives(ENDINGS) as archives:
        yield discover(paths, archives)


def _graded(
    sources: Sequence[Source],
    results: Results,
    workers: Workers,
    locate: bool,
    scratch: list[Source],
) -> Generator[Graded, None, None]:
    """The records as they are finished, each on disk before it is handed on.

    Into ``scratch`` comes what shows no exercise, if its learner has handed in what does.
    """
    lessons: dict[str, set[str]] = defaultdict(set)  # and who has handed it in
    waiting: list[Source] = []
    for lesson, batch in ((None, sources), ("", waiting)):
        if lesson == "" and lessons:  # what shows no lesson belongs to the common one
            lesson = min(lessons, key=lambda name: (-len(lessons[name]), name))
            having = set().union(*lessons.values())
            scratch += [source for source in waiting if source.learner in having]
            batch = [source for source in waiting if source.learner not in having]
        for source, record in _finished(batch, lesson, results, workers, locate):
            if record is None:
                waiting.append(source)
                continue
            if record.lesson:
                lessons[record.lesson].add(record.learner)
            yield record


def _finished(
    sources: Sequence[Source],
    lesson: str | None,
    results: Results,
    workers: Workers,
    locate: bool,
) -> Iterator[tuple[Source, Graded | None]]:
    """Each source with its record; no more files are in memory than the workers can use."""
    under_way: dict[Future[Graded | None], Source] = {}
    left = deque(sources)
    while left or under_way:
        while left and len(under_way) < workers.width():
            source = left.popleft()
            handed = hand_in(source, locate)
            kept = results.earlier(handed)
            if kept is not None:
                yield source, kept
            elif source.id in results.killed_at:
                graded = workers.apart(handed, results.seed, lesson)
                yield source, results.append(graded) if graded is not None else None
            else:
                results.begin(handed)
                under_way[workers.submit(handed, results.seed, lesson)] = source
        done, _ = wait(under_way, timeout=CHECK_SECONDS, return_when=FIRST_COMPLETED)
        if under_way and not done:
            workers.check()
        for future in done:
            graded = workers.result(future)
            yield under_way.pop(future), results.append(graded) if graded is not None else None


class _Local:
    """Grades in threads, each of which waits for a process of its own."""

    def __init__(
        self, jobs: int, own: OwnExercises | None, pool: ThreadPoolExecutor, stop: Event
    ) -> None:
        self.holds, self.missing = sandbox.describe()
        self._jobs, self._own, self._pool, self._stop = jobs, own, pool, stop
        self._cache = VerdictCache()

    def width(self) -> int:
        return 2 * self._jobs  # so that no thread waits while a record is written

    def submit(self, handed: HandedIn, seed: int, lesson: str | None) -> Future[Graded | None]:
        here = copy_context()  # the instructor's own exercises are part of it
        try:
            return self._pool.submit(
                here.run, grade_one, handed, seed, lesson, self._stop, self._cache
            )
        except RuntimeError as error:
            raise CourseError(
                "This machine does not let another thread start. What was graded is kept: run "
                "again with --resume and fewer --jobs."
            ) from error

    def result(self, future: Future[Graded | None]) -> Graded | None:
        return future.result()

    def apart(self, handed: HandedIn, seed: int, lesson: str | None) -> Graded | None:
        own = (self._own.text, self._own.path) if self._own is not None else None
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_send, args=(sender, handed, seed, lesson, own))
        with receiver:
            with _nothing_from_here():
                child.start()
            sender.close()
            try:
                graded: Graded | None = receiver.recv()
            except EOFError:
                return set_aside(handed, seed, lesson or "")
            finally:
                child.kill()
                child.join()
        return graded

    def check(self) -> None:
        """Threads do not go away."""


@contextmanager
def _nothing_from_here() -> Iterator[None]:
    """A Python that is started imports no module from the working folder: learners' files may lie
    there.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


def _send(answer: Connection, *submission: Any) -> None:
    graded = grade_apart(*submission)
    sandbox.shut_down()
    answer.send(graded)


@contextmanager
def _local(jobs: int, own: OwnExercises | None) -> Iterator[Workers]:
    stop = Event()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield _Local(jobs, own, pool, stop)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _workers(
    jobs: int | None, cluster: str | None, own: OwnExercises | None, *, trusted: bool
) -> Iterator[Workers]:
    where = _local(jobs or cores(), own) if cluster is None else _connected(cluster, own, trusted)
    with where as workers:
        if not trusted:
            sandbox.require_isolation(workers.missing)
        yield workers


def _connected(
    cluster: str, own: OwnExercises | None, trusted: bool
) -> AbstractContextManager[Workers]:
    from .cluster import connected

    return connected(cluster, own, trusted=trusted)


def _is_one_file(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and paths[0].is_file() and paths[0].suffix.lower() != SUFFIX
