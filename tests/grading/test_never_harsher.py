"""What the notebook's own check calls right, grading calls right: tried in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from course_lib.exercises.verdict import VERDICT_TYPE
from course_lib.grading.marking import lesson_of, mark

from .conftest import notebook_of
from .messy import messy

pytestmark = pytest.mark.slow
NOTEBOOKS = 160
AT_ONCE = 20
SOON_RESET = "import gc, matplotlib.pyplot, course_lib.exercises\ngc.freeze()"
"""What is there for good need not be looked through each time that a notebook is forgotten."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(
        extra_arguments=["--HistoryManager.enabled=False"],
        cwd=str(tmp_path_factory.mktemp("kernel")),  # where cells write files
    )
    try:
        client.execute_interactive(SOON_RESET, silent=True, timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def kernel_says(client: BlockingKernelClient, cells: list[str]) -> dict[str, str]:
    """The last verdict on each exercise, from a kernel that has forgotten the notebook before."""
    verdicts: dict[str, str] = {}

    def listen(message: dict[str, Any]) -> None:
        shown = message["content"].get("data", {}).get(VERDICT_TYPE)
        if shown is not None:
            verdicts[shown["exercise"]] = shown["status"]

    client.execute_interactive("%reset -f", silent=True, output_hook=listen, timeout=60)
    for cell in cells:
        client.execute_interactive(cell, output_hook=listen, stop_on_error=False, timeout=60)
    return verdicts


@pytest.mark.parametrize("first", range(0, NOTEBOOKS, AT_ONCE))
def test_grading_is_never_harsher_than_the_notebook(
    kernel: BlockingKernelClient, first: int
) -> None:
    harsher, judged = [], 0
    for seed in range(first, first + AT_ONCE):
        cells, names = messy(seed)
        shown = kernel_says(kernel, cells)
        assert set(shown.values()) == {"correct"}, (seed, shown)
        assert set(names) <= set(shown), (seed, shown)
        data = notebook_of(cells)
        marked, _ = mark(data, str(lesson_of(data)), seed)
        for entry in marked:
            if shown.get(entry.exercise) == "correct":
                judged += 1
                if entry.status != "correct":
                    harsher.append((seed, entry.exercise, entry.status, entry.message))
    assert not harsher
    assert judged >= 2 * AT_ONCE
