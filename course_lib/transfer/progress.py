"""A bar for work that takes a while: in the terminal, or in a notebook, which does not keep it."""

from __future__ import annotations

import html
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")

INTERVAL = 0.25
"""Seconds between two pictures of the bar in a notebook."""


def progress(items: Sequence[Item], label: str, unit: str) -> Generator[Item, None, None]:
    """The items one by one, with a bar that says how many are done and how long the rest takes.

    It writes to neither standard output nor standard error, unless the latter is a terminal, and
    nothing of it stays when the work ends or is interrupted.

    Args:
        label: what is being done.
        unit: what the items are, in the plural.
    """
    bar = _notebook_bar if _in_notebook() else _terminal_bar
    with bar(label, unit, len(items)) as show:
        for done, item in enumerate(items):
            show(done)
            yield item


def _in_notebook() -> bool:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell: Any = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_bar(label: str, unit: str, total: int) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TextColumn(unit),
        Remaining(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        task = bars.add_task(label, total=total)
        yield lambda done: bars.update(task, completed=done)


@contextmanager
def _notebook_bar(label: str, unit: str, total: int) -> Iterator[Any]:
    import IPython.display

    display: Any = IPython.display.display  # without type hints
    started = shown = time.monotonic()
    handle = display({"text/html": ""}, raw=True, display_id=True)

    def show(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= INTERVAL or not done:
            shown = now
            rest = f", {(now - started) / done * (total - done):.0f} s left" if done else ""
            text = html.escape(f"{label}: {done} of {total} {unit}{rest}")
            bar = f'<progress value="{done}" max="{total}" aria-label="{text}"></progress> {text}'
            handle.update({"text/html": bar}, raw=True)

    try:
        yield show
    finally:
        handle.update({}, raw=True)  # a saved notebook has no bar that stands still
