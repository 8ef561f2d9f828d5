"""For all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from unittest import mock

import pytest

pytest.register_assert_rewrite("lesson_runs")
import lesson_runs  # noqa: E402

# Started in the background (`pytest &`), this process and all that the tests start would ignore
# interrupts; the tests of Ctrl-C need the usual state.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Not as a conftest, whose hooks would not reach `notebooks/` and `solutions/`."""
    config.pluginmanager.register(lesson_runs)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Each test leaves the environment as it was: lessons, whose cells some execute, change it."""
    with mock.patch.dict(os.environ):
        yield
