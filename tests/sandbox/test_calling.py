"""One call: it always comes back, and its error is told by the learner's own line."""

from __future__ import annotations

import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from course_lib.sandbox.calling import UNWRITTEN, Outcome, call


def swallows() -> None:
    while True:
        try:
            time.sleep(0.01)
        except:  # noqa: E722 (what a learner may write)
            continue


def swallows_more() -> None:
    for _ in iter(int, 1):
        try:
            sum(range(1000))
        except BaseException:
            continue


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers there")
@pytest.mark.parametrize("endless", [swallows, swallows_more])
def test_a_bare_except_does_not_defeat_the_time_limit(endless: Any) -> None:
    start = time.perf_counter()
    assert call(endless, (), 0.1) == Outcome("timeout")
    assert time.perf_counter() - start < 10
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


class Lasting:
    def __del__(self) -> None:
        while True:
            pass


class Failing:
    def __del__(self) -> None:
        raise ValueError


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers there")
def test_the_end_of_time_is_not_told_where_it_cannot_be_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever tells of what was ignored may take long, and meet the end of time again."""
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    kept = sys.unraisablehook

    def deletes() -> None:
        Failing()
        for _ in range(3):
            Lasting()
        while True:
            pass

    assert call(deletes, (), 0.05) == Outcome("timeout")
    assert [type(one.exc_value) for one in told] == [ValueError]
    told.clear()
    assert sys.unraisablehook is kept


def test_a_call_works_on_copies() -> None:
    given: list[int] = [1]
    outcome = call(lambda numbers: numbers.append(2), (given,))
    assert given == [1]
    assert outcome == Outcome("returned", None, ([1, 2],))


def test_an_error_is_told_by_the_last_line_of_ones_own() -> None:
    namespace: dict[str, Any] = {}
    source = "def helper(x):\n    return x.no\n\ndef f(x):\n    y = x\n    return helper(y)\n"
    exec(compile(source, "<cell>", "exec"), namespace)
    outcome = call(namespace["f"], (1,))
    assert outcome.error == "AttributeError: 'int' object has no attribute 'no'"
    assert outcome.line == "line 2"
    assert call(lambda x: x / 0, (1,)).line.startswith("line 1: ")


def test_numpy_counts_within_its_bounds() -> None:
    """The largest integer would end the process."""
    own = np.bincount, np.empty, np.empty_like
    counted = call(lambda x: np.bincount(x), (np.array([np.iinfo(np.intp).max]),))
    assert (counted.state, counted.error) == ("raised", "ValueError: too large to be counted")
    weighted = call(lambda x: np.bincount(x, weights=x, minlength=4), (np.array([1, 2]),))
    assert weighted.value.tolist() == [0, 1, 2, 0]
    assert own == (np.bincount, np.empty, np.empty_like)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "complex128"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_what_is_empty_holds_the_same_in_every_call(dtype: str, shape: tuple[int, ...]) -> None:
    made = [
        call(function, (np.asfortranarray(np.ones(shape, dtype)),)).value.tobytes()
        for function in (np.copy, lambda x: np.empty_like(x), lambda x: np.empty(x.shape, dtype))
        for _ in range(2)
    ]
    assert made[2:] == [bytes([UNWRITTEN]) * len(made[0])] * 4


def test_what_is_empty_may_hold_anything_but_numbers() -> None:
    assert call(lambda: np.empty(2, object), ()).value.tolist() == [None, None]
    assert call(lambda: np.empty(2, bool), ()).value.shape == (2,)


def test_calls_of_several_threads_leave_the_process_as_it_was() -> None:
    """What one silences must not be what another finds, and puts back at its end."""
    before = sys.stdout, np.empty, np.bincount, warnings.showwarning
    both = threading.Barrier(2, timeout=5)

    def slowly(number: int) -> int:
        time.sleep(0.01 * number)
        print("said", number)
        return number

    def calling_it(number: int) -> None:
        both.wait()
        outcomes = [call(slowly, (number,)) for _ in range(5)]
        assert {(one.value, one.printed) for one in outcomes} == {(number, f"said {number}")}

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(calling_it, (1, 2)))
    assert (sys.stdout, np.empty, np.bincount, warnings.showwarning) == before
