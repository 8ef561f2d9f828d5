"""Which answers may leave something behind, and so make those after them run a second time."""

from __future__ import annotations

import ast
import textwrap

import pytest

from course_lib.exercises import catalogue
from course_lib.grading import sandbox
from course_lib.grading.marking import mark
from course_lib.grading.tracks import leaves_tracks

from .conftest import RIGHT, answers, notebook

PLAIN = [
    *RIGHT.values(),
    "import numpy as np",
    "from numpy import exp, log",
    "import numpy.linalg\nimport math",
    "def f(x):\n    x = x.copy()\n    x[0][1:] -= 1\n    return {'a': [n for n in x.T]}",
    "def f(x):\n    with np.errstate(all='ignore'):\n        raise ValueError(f'{x.shape}')",
    "def f(x):\n    global seen\n    seen = []\n    seen.append(np.linalg.norm(x))",
]
UNUSUAL = [
    "np.mean = None",
    "def f(x):\n    np.pi += 1",
    "del np.mean",
    "for np.mean in [None]: pass",
    "np.typecodes['All'] = ''",
    "np.typecodes.clear()",
    "np.__dict__['mean'] = None",
    "setattr(np, 'mean', None)",
    "vars(np)['mean'] = None",
    "__builtins__['len'] = None",
    "exec('import os')",
    "np.seterr(all='raise')",
    "from numpy import seterr as quiet\nquiet(all='raise')",
    "np.random.seed(0)",
    "from numpy import *",
    "import os",
    "import course_lib",
    "from . import mse",
    "class np: pass",
    "open('left', 'w')",
    "def f(x):\n    f.calls = 1",
]


@pytest.mark.parametrize("source", PLAIN)
def test_plain_code_leaves_nothing_behind(source: str) -> None:
    assert not leaves_tracks(ast.parse(textwrap.dedent(source)))


@pytest.mark.parametrize("source", UNUSUAL)
def test_what_is_unusual_counts_as_leaving_something(source: str) -> None:
    assert leaves_tracks(ast.parse(source))


@pytest.mark.parametrize(
    ("first", "started"), [("", 1), ("np.mean = None", 2), ("import os", 2)], ids=str
)
def test_wrong_answers_run_again_only_where_another_may_be_to_blame(
    first: str, started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = []
    really = sandbox.Sandbox._started

    def counted(self: sandbox.Sandbox, module: str) -> object:
        processes.append(module)
        return really(self, module)

    monkeypatch.setattr(sandbox.Sandbox, "_started", counted)
    wrong = {
        "mse_gradient": "def mse_gradient(p, t): return p - t",
        "softmax": "def softmax(z): return z",
    }
    mse = f"def mse(p, t):\n    {first or 'pass'}\n    return ((p - t) ** 2).sum() / p.size"
    entries, _ = mark(notebook(*answers(mse=mse, **wrong)), "01_losses", 0)
    found = {entry["exercise"]: entry["status"] for entry in entries}
    assert {name for name, status in found.items() if status != "correct"} == set(wrong)
    assert len(processes) == started
    assert set(found) < set(catalogue())
