"""What a kernel keeps of cells, and what magics bind: right in the notebook, right here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from course_lib.grading.marking import mark
from course_lib.grading.reader import NOT_KNOWN

from .conftest import RIGHT, SETUP

MSE = RIGHT["mse"].strip()
CHECKED = "mse = check(mse)"
Marked = Callable[..., dict[str, dict[str, Any]]]


def using(two: str) -> str:
    """The answer `mse`, right if that is two."""
    return MSE.replace("** 2)", f"** ({two}))")


KEPT = {
    "the last output": ["1 + 1", "k = _", using("k")],
    "in the answer's cell": ["1 + 1", f"k = _\n{using('k')}"],
    "in the answer": ["1 + 1", using("_")],
    "the one before": ["1 + 1", "'more'", "k = __", using("k")],
    "the third last": ["1 + 1", "'more'", "'yet more'", "k = ___", using("k")],
    "by its number": ["1 + 1", "k = _2", using("k")],
    "in the list of outputs": ["1 + 1", "k = Out[2]", using("k")],
    "in its other name": ["1 + 1", "k = _oh[2]", using("k")],
    "nothing is no output": ["1 + 1", "print('more')", "k = _", using("k")],
    "nor is what is kept silent": ["1 + 1", "3;", "(4);  # more", "k = _", using("k")],
    "a semicolon in a comment": ["3", "1 + 1  # here; and", "k = _", using("k")],
    "in a line above it": ["1 + 1", "3\n4\nk = _", using("k")],
    "what is the learner's own": ["_, k = 2, 3", "5", using("_")],
    "a loop's": ["for _ in range(3): pass", "5", using("_")],
    "a loop's below": ["1 + 1", "k = _", using("k"), "for _ in range(3): pass"],
    "above a cell that fails": ["1 + 1", "1 / 0", "k = _", using("k")],
    "all inputs": ["'a'", "k = len(In) - 2", using("k")],
    "one input": ["1 + 1", "k = int(In[2][0]) + 1", using("k")],
    "in the other name of inputs": ["1 + 1", "k = int(_ih[2][0]) + 1", using("k")],
    "the last input": ["1 + 1", "k = eval(_i)", using("k")],
    "the last input but one": ["1 + 1", "5", "k = eval(_ii)", using("k")],
    "the last input but two": ["1 + 1", "5", "6", "k = eval(_iii)", using("k")],
    "an input by its number": ["1 + 1", "k = eval(_i2)", using("k")],
    "the end of the kernel": ["exit", "exit()", MSE],
    "the end in the answer's cell": [f"{MSE}\nexit"],
    "the function that ends it": ["k = 2 if callable(exit) else 3", using("k")],
    "a statement that is timed": ["%time k = 2", using("k")],
    "a value that is timed": ["k = %time 1 + 1", using("k")],
    "a value that is timed, kept": ["%time 1 + 1", "k = _", using("k")],
    "a command that is timed": [f"%time !echo 2\n%time %pwd\n%time x = (\n{MSE}"],
    "the environment": ["%env K=2", "import os", using("int(os.environ['K'])")],
    "the environment, in two words": ["%set_env K 2\nimport os", using("int(os.environ['K'])")],
    "the environment, with blanks": ["%env K = 2\nimport os", using("int(os.environ['K'])")],
    "names of NumPy": ["%pylab inline", MSE.replace("np.mean", "mean")],
    "code that waits is timed": ["%time await __import__('asyncio').sleep(0)", "k = 2", using("k")],
    "code that is text": ["get_ipython().run_cell('k = 2')", using("k")],
}
UNUSED = {
    "what a command prints": ["n = !echo 2", MSE],
    "in the answer's cell": [f"n = !echo 2\n{MSE}"],
    "its lines": ["n = !echo 2", "k = int(n[0])", MSE],
    "its lines in the answer's cell": [f"n = !echo 2\nk = int(n[0])\n{MSE}"],
    "whether there are any": [
        "n = !nvidia-smi",
        "GPU = len(n) > 9 and 'H100' in n.s",
        using("3 if GPU else 2"),
    ],
    "what a magic returns": ["x = %pwd", MSE],
    "in the answer's cell ": [f"x = %pwd\nhere = x + '/data'\n{MSE}"],
    "measured times": ["t = %timeit -n 1 -r 1 -o 1 + 1", "t.best", MSE],
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_kernel_keeps_is_there(kind: str, marked: Marked) -> None:
    entry = marked(*KEPT[kind], CHECKED)["mse"]
    assert entry["status"] == "correct"
    assert NOT_KNOWN not in entry["notes"]


@pytest.mark.parametrize("kind", UNUSED)
def test_what_cannot_be_known_costs_no_answer_that_does_without(kind: str, marked: Marked) -> None:
    assert marked(*UNUSED[kind], CHECKED)["mse"]["status"] == "correct"


@pytest.mark.parametrize("cell", ["n = !echo 2", "n = %env N", "!!echo 2\n\nn = _"])
def test_an_answer_that_needs_it_is_told_so(cell: str, marked: Marked) -> None:
    entry = marked(*cell.split("\n\n"), using("int(n[0])"), CHECKED)["mse"]
    assert (entry["status"], entry["notes"]) == ("error", (NOT_KNOWN,))


def test_outputs_have_the_numbers_that_the_kernel_gave_them() -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, "5", "1 + 1", using("_36"))]
    for cell, count in zip(cells, (1, 35, 36, 40), strict=True):
        cell["execution_count"] = count
    data = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    entries, _ = mark(data, "01_losses", seed=7)
    assert entries[0].status == "correct"
