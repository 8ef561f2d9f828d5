"""Grading on the workers of a running Dask scheduler, in place of this machine's cores.

A submission travels as bytes, its record comes back. On the worker's machine the learner's code
runs in an isolated process as here. A worker that is lost costs nothing: Dask gives its
submissions to the others. Whether the connection is encrypted is up to Dask's own configuration.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import math
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import CourseError
from ..sandbox import run as sandbox
from .own_exercises import OwnExercises, grade_apart
from .record import Graded, HandedIn, lost

CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 60.0
"""How long a cluster may be without a worker."""

Limits = tuple[tuple[str, ...], tuple[str, ...]]


@contextmanager
def connected(address: str, own: OwnExercises | None, *, trusted: bool) -> Iterator[Cluster]:
    """A connection to the scheduler at ``address``, as ``tcp://host:8786``.

    Args:
        address: of the scheduler.
        own: the instructor's own exercises.
        trusted: learners' code may run on workers without isolation, too.

    Raises:
        CourseError: `distributed` is not installed; no scheduler answers there; it has no workers,
            or workers with another version of the course.
    """
    try:
        import distributed
    except ImportError:
        raise CourseError(
            "Grading on a cluster needs the package `distributed`: install the extra `cluster`, or "
            "leave out --cluster."
        ) from None
    with _quiet():
        client, said = None, ""
        try:
            client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            said = _said(error)
        if client is None:
            # The half-made client closes when it is collected, which waits for ever if the next
            # one is just being made then.
            gc.collect()
            raise CourseError(
                f"No Dask scheduler answers at “{address}”: {said}. Start one with `dask "
                "scheduler`, or correct the address."
            )
        with client:
            cluster = Cluster(client, address, own, trusted=trusted)
            try:
                yield cluster
            finally:
                cluster.executor.shutdown(wait=False)  # takes back what is not done


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs of lost connections, tracebacks included, is said here in one sentence."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in names}
    for logger in levels:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


class Cluster:
    """Hands submissions to the workers (`Workers` of `gradebook`).

    Args:
        client: connected.
        address: as the person wrote it.
        own: the instructor's own exercises, which travel along.
        trusted: see `connected`.
    """

    def __init__(
        self, client: Any, address: str, own: OwnExercises | None, *, trusted: bool
    ) -> None:
        self._client = client
        self._address = address
        self._own = (own.text, own.path) if own is not None else None
        self._trusted = trusted
        self._handed: dict[Future[Graded | None], tuple[HandedIn, int, str]] = {}
        self._alone_since = math.inf
        self.executor: Executor = client.get_executor(pure=False)
        self.holds, self.missing = self._limits()

    def _limits(self) -> Limits:
        """What holds on every worker, and what is missing on any."""
        from distributed import TimeoutError as TimedOut

        try:
            self._client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except TimedOut:
            raise self._no_workers() from None
        try:
            found: list[Limits] = list(self._client.run(_describe, _course()).values())
        except ImportError as error:
            raise self._without_course(error) from error
        missing = {word: None for _, words in found for word in words}
        holds = [word for word in found[0][0] if all(word in words for words, _ in found)]
        return tuple(holds), tuple(missing)

    def width(self) -> int:
        return max(2 * self._threads(), 2)  # so that no worker waits for a record to be written

    def submit(self, handed: HandedIn, seed: int, lesson: str | None) -> Future[Graded | None]:
        with warnings.catch_warnings():
            # Dask would rather keep large data on one worker; there they could be lost with it.
            warnings.simplefilter("ignore")
            future: Future[Graded | None] = self.executor.submit(
                _grade, handed, seed, lesson, self._own, _course(), self._trusted
            )
        self._handed[future] = handed, seed, lesson or ""
        return future

    def result(self, future: Future[Graded | None]) -> Graded | None:
        from distributed import KilledWorker

        handed, seed, lesson = self._handed.pop(future)
        try:
            return future.result()
        except KilledWorker:
            return lost(handed, seed, lesson, "one worker of the cluster after another was lost")
        except CancelledError as error:
            raise self._disconnected() from error
        except ImportError as error:
            raise self._without_course(error) from error

    def apart(self, handed: HandedIn, seed: int, lesson: str | None) -> Graded | None:
        return self.result(self.submit(handed, seed, lesson))

    def check(self) -> None:
        if self._threads():
            self._alone_since = math.inf
            return
        self._alone_since = min(self._alone_since, time.monotonic())
        if time.monotonic() - self._alone_since > PATIENCE_SECONDS:
            raise self._no_workers()

    def _threads(self) -> int:
        if self._client.status != "running":
            raise self._disconnected()
        try:
            return sum(self._client.nthreads().values())
        except OSError as error:
            raise self._disconnected() from error

    def _disconnected(self) -> CourseError:
        return CourseError(
            f"The Dask scheduler at “{self._address}” has gone. What was graded is kept: start it "
            "again and run again with --resume."
        )

    def _no_workers(self) -> CourseError:
        return CourseError(
            f"The Dask scheduler at “{self._address}” has no workers. What was graded is kept: "
            "start some with `dask worker` and run again with --resume."
        )

    def _without_course(self, error: ImportError) -> CourseError:
        return CourseError(
            f"A worker of the cluster at “{self._address}” does not have what grading needs "
            f"({_said(error)}): install the course there, too."
        )


# --- what runs on the workers --------------------------------------------------------------------


def _describe(course: str) -> Limits:
    _check(course)
    return sandbox.describe()


def _grade(
    handed: HandedIn,
    seed: int,
    lesson: str | None,
    own: tuple[str, str] | None,
    course: str,
    trusted: bool,
) -> Graded | None:
    _check(course)
    if not trusted:
        _require_isolation()
    return grade_apart(handed, seed, lesson, own)


def _check(course: str) -> None:
    if course != _course():
        raise CourseError(
            "A worker of the cluster has another version of the course: install the same on all "
            "machines and restart the workers, so that they all judge alike."
        )


@cache
def _require_isolation() -> None:
    """Workers may join when the run has begun: each answers for itself."""
    sandbox.require_isolation(sandbox.describe()[1])


@cache
def _course() -> str:
    """A hash of all code that has a say in a grade."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for folder in ("exercises", "foundations", "grading", "sandbox"):
        for path in sorted((package / folder).rglob("*")):
            if path.suffix in (".py", ".md"):  # an exercise is Markdown
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _said(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__).rstrip(".")
