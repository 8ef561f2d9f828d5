"""Bars for work that takes a while: in the terminal, or in a notebook, which does not keep them.

They write to neither standard output nor standard error, unless the latter is a terminal, and
nothing of them stays when the work ends or is interrupted.
"""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from .settings import display, shell

Item = TypeVar("Item")

Show = Callable[[int, int | None], None]
"""Sets a bar to so many done of so many; None as long as that is not known."""

INTERVAL = 0.25
"""Seconds between two pictures of a bar in a notebook."""


def track(items: Sequence[Item], label: str, unit: str) -> Generator[Item, None, None]:
    """The items one by one, with a bar that says how many are done and how long the rest takes.

    Args:
        label: what is being done.
        unit: what the items are, in the plural.
    """
    with bar(label, unit) as show:
        for done, item in enumerate(items):
            show(done, len(items))
            yield item


@contextmanager
def bar(label: str, unit: str) -> Iterator[Show]:
    """One bar, and the function that sets it."""
    with bars(unit) as add:
        yield add(label)


@contextmanager
def bars(unit: str) -> Iterator[Callable[[str], Show]]:
    """As many bars as labels are added, each with a function of its own that sets it."""
    if getattr(shell(), "kernel", None) is not None:
        shown = _notebook_bars(unit)
    elif sys.stderr.isatty():
        shown = _terminal_bars(unit)
    else:
        yield lambda label: lambda done, total: None
        return
    with shown as add:
        yield add


@contextmanager
def _terminal_bars(unit: str) -> Iterator[Callable[[str], Show]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TextColumn(unit), Remaining(), console=console, transient=True) as them:

        def add(label: str) -> Show:
            task = them.add_task(label, total=None)
            return lambda done, total: them.update(task, completed=done, total=total)

        yield add


@contextmanager
def _notebook_bars(unit: str) -> Iterator[Callable[[str], Show]]:
    handles = []

    def add(label: str) -> Show:
        started = shown = time.monotonic()
        handle = display({"text/html": ""}, raw=True, display_id=True)
        handles.append(handle)

        def show(done: int, total: int | None) -> None:
            nonlocal shown
            now = time.monotonic()
            if total is None or (done and now - shown < INTERVAL):
                return
            shown = now
            rest = f", {(now - started) / done * (total - done):.0f} s left" if done else ""
            text = html.escape(f"{label}: {done} of {total} {unit}{rest}")
            drawn = f'<progress value="{done}" max="{total}" aria-label="{text}"></progress>'
            handle.update({"text/html": f"{drawn} {text}"}, raw=True)

        return show

    try:
        yield add
    finally:
        for handle in handles:
            handle.update({}, raw=True)  # a saved notebook has no bar that stands still
