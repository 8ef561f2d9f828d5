"""The next batch is made ready while the device computes with this one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Items by number; while the caller works with one, a thread makes the next.

    Args:
        make: gives item n; it is called in one thread of its own, with one number after the other.
        length: number of items; the first is number 0.
    """

    def __init__(self, make: Callable[[int], Item], length: int) -> None:
        self._make, self._length = make, length
        self._worker = ThreadPoolExecutor(1, "course-prefetch")
        self._begun: dict[int, Future[Item]] = {}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> Item:
        """Item `number`; whatever `make` raises is raised here."""
        wanted = self._begun.pop(number, None) or self._worker.submit(self._make, number)
        following = number + 1
        if following < self._length and following not in self._begun:
            self._begun = {following: self._worker.submit(self._make, following)}
        return wanted.result()
