"""Notebooks whose check says "correct", by the way in which their cells were run or written.

Each was tried in a real kernel; here it is as it would be handed in.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

import nbformat
import pytest

from course_lib.exercises import catalogue
from course_lib.grading.marking import Marked, lesson_of, mark
from course_lib.lessons import root

from .conftest import RIGHT, notebook_of

SETUP = "import numpy as np\nfrom course_lib.exercises import check"
MSE, HALF = RIGHT["mse"], RIGHT["mse"].replace("return ", "return 0.5 * ")
BY_FACTOR = RIGHT["mse"].replace("return ", "return FACTOR * ")
CHECK = "mse = check(mse)"
DEFINED_LATER = MSE.replace("def mse(predictions, targets)", "def later(predictions, targets)")
OWN_FILE = f"%%writefile own.py\nimport numpy as np\n{MSE}"
SCRATCH = "def mse(predictions, targets):\n    return 'scratch'"


def handed_in(*cells: str | tuple[str, int | None] | tuple[str, int | None, str]) -> bytes:
    """A notebook of cells: source, the number of its run (by default its place), its error."""
    whole: dict[str, Any] = json.loads(notebook_of([SETUP]))
    (model,) = whole["cells"]
    whole["cells"] = []
    for place, cell in enumerate((SETUP, *cells), start=1):
        source, count, error = (*((cell, place) if isinstance(cell, str) else cell), "")[:3]
        said = {"output_type": "error", "ename": error, "evalue": "", "traceback": []}
        more = {"id": f"c{place}", "source": source, "execution_count": count}
        whole["cells"].append({**model, **more, "outputs": [said] if error else []})
    return json.dumps(whole).encode()


def judged(data: bytes, name: str) -> Marked:
    marked, _ = mark(data, "01_losses", seed=1)
    return next(one for one in marked if one.exercise == name)


@pytest.mark.parametrize(
    "cells",
    {
        "an old attempt below was never run": (MSE, (HALF, None), CHECK),
        "an old attempt below was run first": ((MSE, 3), (HALF, 2), (CHECK, 4)),
        "an experiment above the check was run after it": (MSE, (HALF, 4), (CHECK, 3)),
        "the check stands on top, an experiment below": ((CHECK, 3), (MSE, 2), (HALF, 4)),
        "a helper has another meaning later": (
            ("def scale(x):\n    return x", 2),
            (MSE.replace("return ", "return scale(1) * "), 3),
            ("def scale(x):\n    return x / 2", 5),
            (CHECK, 4),
        ),
        "a helper's name is used again below": (
            (MSE.replace("return ", "return scale(1) * "), 2),
            (CHECK, 4),
            ("def scale(x):\n    return x", 3),
            ("def scale(x, y):\n    return x * y", 5),
        ),
        "of two settings the second was not run": (
            "FACTOR = 1",
            ("FACTOR = 2", None),
            BY_FACTOR,
            CHECK,
        ),
        "of two settings the second was run first": (
            ("FACTOR = 1", 3),
            ("FACTOR = 2", 2),
            (BY_FACTOR, 4),
            (CHECK, 5),
        ),
        "a cell failed above another attempt in it": (
            MSE,
            (f"import no_such_thing\n{HALF}", 3, "ModuleNotFoundError"),
            CHECK,
        ),
        "a cell failed above a setting in it": (
            "FACTOR = 1",
            ("assert FACTOR == 3\nFACTOR = 2", 3, "AssertionError"),
            BY_FACTOR,
            CHECK,
        ),
    }.items(),
    ids=lambda case: case[0],
)
def test_what_counts_is_what_was_run(cells: tuple[str, Any]) -> None:
    found = judged(handed_in(*cells[1]), "mse")
    assert found.status == "correct", found.message
    assert found.notes == ("`mse` was graded as the numbers of the cells say that they were run.",)
    assert "0.5" not in found.code  # beside "correct" stands what is correct


WRITTEN = {
    "indented as a whole": (textwrap.indent(MSE, "    "), CHECK),
    "with Python's prompts": ("\n".join(f">>> {line}" for line in MSE.strip().split("\n")), CHECK),
    "with IPython's prompts": (f"In [3]: {MSE.strip()}", CHECK),
    "above one in a branch that does not run": (
        MSE,
        "if 0:\n" + textwrap.indent(HALF.strip(), "    "),
        CHECK,
    ),
    "above a fallback that is not needed": (
        MSE,
        "try:\n    import numpy\nexcept ImportError:\n" + textwrap.indent(HALF, "    "),
        CHECK,
    ),
    "from a text": (f"exec({MSE!r})", CHECK),
    "by its name": (f"{DEFINED_LATER}\nglobals()['ms' + 'e'] = later", CHECK),
    "looked up by a helper's name": (
        DEFINED_LATER,
        "def mse(predictions, targets):\n    return globals()['la' + 'ter'](predictions, targets)",
        CHECK,
    ),
    "imported from the notebook": (
        DEFINED_LATER,
        "def mse(predictions, targets):\n    from __main__ import later\n"
        "    return later(predictions, targets)",
        CHECK,
    ),
    "in a class": (
        "class Losses:\n    @staticmethod\n" + textwrap.indent(MSE.strip(), "    "),
        "check(Losses.mse)",
    ),
    "from an own module": (
        f"%%writefile own.py\nimport numpy as np\n{MSE}",
        "from own import mse",
        CHECK,
    ),
    "all of an own module": (
        f"%%writefile own.py\nimport numpy as np\n{MSE}",
        "from own import *",
        CHECK,
    ),
    "waiting for a number": (
        "import asyncio\nasync def one():\n    return 1.0\nFACTOR = await one()",
        BY_FACTOR,
        CHECK,
    ),
    "checked in a loop": (MSE, "for f in (mse,):\n    check(f)", SCRATCH),
    "checked under another name": (MSE, "c = check", "c(mse)", SCRATCH),
    "checked with an option": (
        MSE,
        "from functools import partial\nsay = partial(check, hint=2)",
        "say(mse)",
        SCRATCH,
    ),
    "checked by an own function": (MSE, "def say(f):\n    return check(f)", "say(mse)", SCRATCH),
    "checked by a decorator": (f"@check\n{MSE.strip()}", SCRATCH),
    "checked by its text": (MSE, 'check(globals()["mse"])', SCRATCH),
    "checked as another": (MSE, "best = mse", "check(best)", SCRATCH),
    "in a cell as long as a short book": (
        f"TABLE = {[1] * 50_000}",
        "FACTOR = TABLE[7]",
        BY_FACTOR,
    ),
    "below thousands of statements": ("x = 1\n" * 4_000, MSE, CHECK),
    "checked by a keyword": (MSE, "check(function=mse)", SCRATCH),
    "with as many threads as a pool takes": (
        "from concurrent.futures import ThreadPoolExecutor\nPOOL = ThreadPoolExecutor(16)",
        "def mse(predictions, targets):\n"
        "    rows = list(POOL.map(lambda n: np.sum((predictions[n] - targets[n]) ** 2),\n"
        "                         range(len(predictions))))\n"
        "    return np.sum(rows) / predictions.size",
        CHECK,
    ),
    "where it is asked whether this is a notebook": (
        "shell = get_ipython().__class__.__name__\n"
        "FACTOR = 1 if shell == 'ZMQInteractiveShell' and __IPYTHON__ else 0",
        BY_FACTOR,
        CHECK,
    ),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_it_is_found_however_it_is_written(way: str) -> None:
    found = judged(handed_in(*WRITTEN[way]), "mse")
    assert found.status == "correct", found.message


def test_an_own_helper_may_be_named_like_another_exercise() -> None:
    """Their `softmax` is of one row, and never checked."""
    softmax = "def softmax(z):\n    e = np.exp(z - z.max())\n    return e / e.sum()"
    gradient = (
        "def softmax_cross_entropy_gradient(logits, labels):\n"
        "    rows = np.array([softmax(row) for row in logits])\n"
        "    rows[np.arange(len(labels)), labels] -= 1\n"
        "    return rows / len(labels)"
    )
    name = "softmax_cross_entropy_gradient"
    found = judged(handed_in(softmax, gradient, f"{name} = check({name})"), name)
    assert found.status == "correct", found.message
    assert not any("the course's own" in note for note in found.notes)


def test_a_lesson_is_what_its_notebook_says_though_an_earlier_one_is_pasted_above() -> None:
    above = [*RIGHT.values()][:6]
    own = [e.name for e in catalogue().values() if e.lesson == "02_regularization"][:5]
    data = handed_in(*above, *(f"def {name}(x):\n    return x" for name in own))
    assert lesson_of(data) == "01_losses"
    declared = data[:-1] + b', "x": {"course": {"lesson": "02_regularization"}}}'
    assert lesson_of(declared) == "02_regularization"


def test_a_pasted_prompt_or_indented_magic_breaks_no_other_cell() -> None:
    data = handed_in("  x = 1\n%time y = 2", "In [1]: z = 3", MSE, CHECK)
    assert judged(data, "mse").status == "correct"


def test_what_a_lesson_imports_is_there_though_its_cell_is_gone() -> None:
    data = json.loads(handed_in(MSE, CHECK))
    del data["cells"][0]
    assert judged(json.dumps(data).encode(), "mse").status == "correct"


@pytest.mark.parametrize(
    "cell",
    [
        "from course_lib.exercises import *\nfrom math import *",
        "%pylab inline",
        "%pylab --no-import-all inline",
    ],
)
def test_imports_of_everything(cell: str) -> None:
    data = json.loads(handed_in(cell, MSE, CHECK))
    del data["cells"][0]
    assert judged(json.dumps(data).encode(), "mse").status == "correct"


def test_the_page_shows_the_answer_that_was_judged() -> None:
    stub = "def mse(predictions, targets):\n    raise NotImplementedError()"
    for cells in (
        (MSE, CHECK, stub),
        (MSE, CHECK, (HALF, None)),
        (MSE, (HALF, 4), (CHECK, 3)),
        (MSE, CHECK, stub, (SCRATCH, None)),
    ):
        found = judged(handed_in(*cells), "mse")
        assert found.status == "correct"
        assert found.code.strip() == MSE.strip()


def test_a_module_that_is_not_there_is_told_of_in_words() -> None:
    by_module = MSE.replace("return ", "return no_such_thing.f() * ")
    inside = MSE.replace("return ", "import no_such_thing\n    return ")
    for cell in (f"import no_such_thing\n{by_module}", inside):
        found = judged(handed_in(cell), "mse")
        assert "no such module. If it is a file of your own, put its code" in found.message


OF_COURSE = {
    "a function": ("from course_lib.foundations.losses import softmax", "softmax"),
    "under another name": ("from course_lib.foundations.losses import softmax as s", "s"),
    "a module": ("import course_lib.foundations.losses as losses", "losses.softmax"),
    "in a block": (
        "try:\n    from course_lib.foundations.losses import softmax\n"
        "except ImportError:\n    raise",
        "softmax",
    ),
    "and more that is not used": (
        "from course_lib.exercises import check\nfrom course_lib.data import digits\n"
        "from course_lib.foundations.losses import softmax",
        "softmax",
    ),
}


@pytest.mark.parametrize("how", OF_COURSE)
@pytest.mark.parametrize("file", ["own.py", "parts/own.py"])
def test_a_module_of_one_s_own_that_imports_the_course(how: str, file: str) -> None:
    imported, called = OF_COURSE[how]
    module = f"%%writefile {file}\n{imported}\ndef shares(x):\n    return {called}(x)"
    folder, _, _ = file.rpartition("/")
    name = "parts.own" if folder else "own"
    answer = ATTENTION.replace("softmax(", "shares(")
    cells = [f"!mkdir -p {folder}"] if folder else []
    found = attended(*cells, module, f"from {name} import shares", answer, JUDGED)
    assert found.status == "correct", found.message


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("plain(predictions) @ targets", "ValueError: matmul"),
        ("plain(prediction)", "NameError: name 'prediction'"),
        ("np.mean((plain(predictions) - targets) ** 2, axis=0)", "one number per output"),
    ],
)
def test_of_a_module_of_one_s_own_is_not_said_that_it_is_not_there(inside: str, said: str) -> None:
    file = "%%writefile own.py\ndef plain(x):\n    return x"
    answer = f"def mse(predictions, targets):\n    return {inside}"
    found = judged(handed_in(file, "from own import plain", answer, CHECK), "mse")
    assert said in found.message
    assert "no such module" not in found.message


MEAN = "def mean(x):\n    return np.mean(x)"
BY_MEAN = "def mse(predictions, targets):\n    return {}((predictions - targets) ** 2)"
MISSING = {
    "imported, and not used": ("import no_such_thing", MEAN, True),
    "in parts": ("from no_such_thing import nn", MEAN, True),
    "a part of one": ("import no_such_thing.nn as nn", MEAN, True),
    "that computes something at once": (
        "import no_such_thing\nA = no_such_thing.one()",
        MEAN,
        True,
    ),
    "in hints": ("import no_such_thing as t", MEAN.replace("(x)", "(x: t.Tensor)", 1), True),
    "that is used": (
        "import no_such_thing",
        MEAN.replace("np.mean(x)", "no_such_thing.f(x)"),
        False,
    ),
    "that is used under another name": ("import no_such_thing as t", "mean = t.compiled", False),
    "told by the module": (
        "try:\n    import no_such_thing\nexcept ImportError:\n    raise ImportError('install it')",
        MEAN,
        True,
    ),
    "told by its end": (
        "try:\n    import no_such_thing\nexcept ImportError:\n    import sys; sys.exit('no')",
        MEAN,
        True,
    ),
    "or data are": ("WEIGHTS = np.load('no_such_file.npy')", MEAN, True),
    "or the kernel is": ("get_ipython().run_line_magic('matplotlib', 'inline')", MEAN, True),
    "as a decorator": ("from no_such_thing import jit", f"@jit\n{MEAN}", False),
    "as a base": (
        "from no_such_thing import nn",
        "class Mean(nn.Module):\n    pass\ndef mean(x):\n    return Mean()(x)",
        False,
    ),
}


@pytest.mark.parametrize("how", MISSING)
@pytest.mark.parametrize(
    "use", ["import own", "from own import mean", "from own import *", "%run own.py"]
)
def test_what_an_own_module_imports_may_be_missing_here(how: str, use: str) -> None:
    imported, defined, right = MISSING[how]
    file = f"%%writefile own.py\nimport numpy as np\n{imported}\n{defined}"
    called = "own.mean" if use == "import own" else "mean"
    found = judged(handed_in(file, use, BY_MEAN.format(called), CHECK), "mse")
    if right:
        assert found.status == "correct", found.message
        return
    line = imported.split("\n")[0]
    assert f"No module named 'no_such_thing' in line 2 of `own.py`: `{line}`" in found.message
    assert "a package that is missing there, through no fault of the answer's" in found.message


def test_what_fails_in_an_own_module_for_another_reason_is_told() -> None:
    file = "%%writefile own.py\nhalf = 1 / 0\ndef mean(x):\n    return x.mean()"
    data = handed_in(file, "from own import mean", BY_MEAN.format("mean"), CHECK)
    assert judged(data, "mse").points == 0


def test_a_name_in_hints_only_is_not_needed() -> None:
    for imported, hint in (
        ("import no_such_thing as t", "t.Tensor"),
        ("from course_lib.exercises import Case", "Case | None"),
        ("import course_lib", "course_lib.exercises.Case"),
        ("import no_such_thing as t\nTensor = t.Tensor\nBoth = Tensor | float", "Both"),
    ):
        answer = MSE.replace("predictions,", f"predictions: {hint},", 1)
        found = judged(handed_in(imported, answer, CHECK), "mse")
        assert found.status == "correct", found.message


OF_THE_COURSE = {
    "the package": "import course_lib",
    "the package under another name": "import course_lib as c",
    "a part of it": "import course_lib.exercises",
    "a part under another name": "import course_lib.exercises as e",
    "by a function": "import importlib\nc = importlib.import_module('course_lib')",
    "a class to build on": "from course_lib.exercises import Case\nclass Own(Case):\n    pass",
    "a class to ask for": "from course_lib.exercises import Case\nKIND = isinstance(3, Case)",
    "a class to use": "from course_lib.exercises import Case\nONE = Case((1,))\nTWO = [ONE]",
    "a class in a hint": "from course_lib.exercises import Case\ndef f(x: Case | None): return x",
    "the package in a hint": "import course_lib\ndef f(x: course_lib.exercises.Case): return x",
    "data": "from course_lib.data import digits\nX, y = digits.load()\nMEAN = X.mean()",
    "data by the package": "from course_lib import data\nX = data.digits.load()",
    "figures": "from course_lib.plots.live import LiveCurve\nCURVE = LiveCurve('loss')",
    "what the notebook has": "from __main__ import np, Array\ndef f(x: Array): return np.sum(x)",
    "the notebook": "import __main__\ndef f(x: __main__.Array): return __main__.np.sum(x)",
}


@pytest.mark.parametrize("how", OF_THE_COURSE)
def test_an_own_module_may_use_what_is_of_the_course_or_the_notebook(how: str) -> None:
    file = f"%%writefile own.py\n{OF_THE_COURSE[how]}\ndef mean(x):\n    return x.mean()"
    if "f(" in OF_THE_COURSE[how]:
        file += " + f(x) * 0" if "sum" in file else " + np.mean(f(x)) * 0"
        file = (
            file.replace("own.py\n", "own.py\nimport numpy as np\n") if "sum" not in file else file
        )
    cells = ("Array = np.ndarray", file, "from own import mean", BY_MEAN.format("mean"), CHECK)
    found = judged(handed_in(*cells), "mse")
    assert found.status == "correct", found.message


NAMES = {
    "$NAME": "NAME = 'own.py'",
    "{NAME}": "NAME: str = 'own.py'",
    '"$NAME"': "_, NAME = 1, 'own.py'",
    "'{NAME}'": "NAME = 'own.py'",
    "{NAME}.py": "NAME = 'o' + 'wn'",
    "./$NAME": "NAME = 'own.py'",
    "{NAMES['own']}": "NAMES = {'own': 'own.py'}",
    "{NAME[:3]}.py": "NAME = 'own and more'",
    "$PLACE.name": "import pathlib\nPLACE = pathlib.Path('x/own.py')",
    "/content/own.py": "",
    "own.py -a": "",
}


@pytest.mark.parametrize("name", ["$NAME", "{NAME}", "own", "own.py", "./$NAME"])
def test_the_name_of_a_file_that_is_run_may_be_a_variable_s(name: str) -> None:
    file = f"%%writefile own.py\nimport numpy as np\n{MEAN}"
    data = handed_in("NAME = 'own.py'", file, f"%run {name}", BY_MEAN.format("mean"), CHECK)
    assert judged(data, "mse").status == "correct"


@pytest.mark.parametrize(
    "use",
    [
        "import sys\nsys.path.append('lib')\nfrom own import mean",
        "import os, sys\nsys.path.insert(0, os.path.abspath('lib'))\nfrom own import mean",
        "import importlib.util as u\nspec = u.spec_from_file_location('o', 'lib/own.py')\n"
        "own = u.module_from_spec(spec)\nspec.loader.exec_module(own)\nmean = own.mean",
        "from lib.own import mean",
        "import importlib, lib.own\nmean = importlib.reload(lib.own).mean",
    ],
)
def test_an_own_module_may_be_found_in_any_way(use: str) -> None:
    file = f"%%writefile lib/own.py\nimport numpy as np\nimport no_such_thing\n{MEAN}"
    found = judged(handed_in(file, use, BY_MEAN.format("mean"), CHECK), "mse")
    assert found.status == "correct", found.message


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_may_be_a_variable_s(name: str) -> None:
    file = f"%%writefile {name}\nimport numpy as np\n{MEAN}"
    data = handed_in(NAMES[name], file, "from own import mean", BY_MEAN.format("mean"), CHECK)
    found = judged(data, "mse")
    assert found.status == "correct", found.message
    assert not any("%%writefile" in note for note in found.notes)


@pytest.mark.parametrize("name", ["input()", "os.environ['OF_THE_LEARNER']", None])
def test_a_name_of_a_file_that_cannot_be_known_is_told(name: str | None) -> None:
    file = f"%%writefile $NAME\nimport numpy as np\n{MEAN}"
    above = [f"import os\nNAME = {name}"] if name else []
    use = ("from own import mean", BY_MEAN.format("mean"), CHECK)
    found = judged(handed_in(*above, file, *use), "mse")
    assert found.points == 0
    (said,) = (note for note in found.notes if "%%writefile" in note)
    assert said.startswith(
        "`%%writefile` takes the name of a file from a variable that is not known"
    )


def test_of_a_module_that_is_not_there_that_is_said() -> None:
    answer = "import pandas_of_mine\ndef mse(p, t):\n    return pandas_of_mine.mean((p - t) ** 2)"
    found = judged(handed_in(answer, CHECK), "mse")
    assert "ModuleNotFoundError: No module named 'pandas_of_mine'" in found.message


IN_ANY_FORM = {
    "a line with more behind": (
        "own.py",
        "from course_lib.foundations.losses import softmax; half = 0.5\n"
        "def shares(x):\n    return softmax(x) * 2 * half",
    ),
    "a line with more before": (
        "own.py",
        "import numpy as np; from course_lib.exercises import check\n"
        "def shares(x):\n    e = np.exp(x - x.max(-1, keepdims=True))\n"
        "    return e / e.sum(-1, keepdims=True)",
    ),
    "in a function's line": (
        "own.py",
        "def shares(x):\n    from course_lib.foundations.losses import softmax; return softmax(x)",
    ),
    "if on its line": (
        "own.py",
        "if True: from course_lib.foundations.losses import softmax as shares",
    ),
    "in quotation marks": (
        '"own.py"',
        "from course_lib.foundations.losses import softmax as shares",
    ),
}


@pytest.mark.parametrize("how", IN_ANY_FORM)
def test_a_module_of_one_s_own_in_any_form(how: str) -> None:
    file, text = IN_ANY_FORM[how]
    answer = ATTENTION.replace("softmax(", "shares(")
    found = attended(f"%%writefile {file}\n{text}", "from own import shares", answer, JUDGED)
    assert found.status == "correct", found.message


@pytest.mark.parametrize("use", ["from own import mean", "%run own", "%run -i own.py"])
def test_what_is_appended_to_a_file_begins_in_a_line_of_its_own(use: str) -> None:
    cells = [
        "%%writefile own.py\nimport numpy as np",
        "%%writefile -a own.py\ndef mean(x):\n    return np.mean(x)",
    ]
    answer = "def mse(predictions, targets):\n    return mean((predictions - targets) ** 2)"
    assert judged(handed_in(*cells, use, answer, CHECK), "mse").status == "correct"


def test_what_a_file_imports_overwrites_nothing_of_the_notebook() -> None:
    file = (
        "%%writefile own.py\ndef plain(x):\n    return x\ndef net():\n    from keras import layers"
    )
    answer = "def mse(p, t):\n    return plain(layers * np.mean((p - t) ** 2))"
    cells = ["layers = 1.0", file, "from own import plain", answer, CHECK]
    assert judged(handed_in(*cells), "mse").status == "correct"


def test_a_module_of_one_s_own_gives_no_answer_of_the_course() -> None:
    for name in ("attention", "layer_norm"):
        module = f"%%writefile own.py\nfrom course_lib.foundations.text import {name} as theirs"
        data = handed_in(
            module, "from own import theirs", f"def {name}(*a):\n    return theirs(*a)"
        )
        marked, _ = mark(data, "14_text", seed=1)
        found = next(one for one in marked if one.exercise == name)
        assert found.points == 0
        assert "answers may not use the course's own functions" in found.message


def test_an_answer_that_needs_a_module_of_one_s_own_is_not_called_failing() -> None:
    module = "%%writefile own.py\ndef scaled(x, by):\n    return by * x"
    step = (
        "from own import scaled\n"
        "def sgd_step(weights, gradient, learning_rate):\n"
        "    return weights - scaled(gradient, learning_rate)"
    )
    momentum = (
        "def momentum_step(weights, gradient, velocity, learning_rate, momentum):\n"
        "    velocity = momentum * velocity - learning_rate * gradient\n"
        "    return sgd_step(weights, -velocity, 1.0), velocity"
    )
    data = handed_in(module, step, "sgd_step = check(sgd_step)", momentum)
    marked, _ = mark(data, "03_sgd", seed=1)
    for found in marked[:1] + [one for one in marked if one.exercise == "momentum_step"]:
        assert not any("with yours it fails" in note for note in found.notes)
    assert next(one for one in marked if one.exercise == "momentum_step").status == "correct"


@pytest.mark.parametrize("how", ["import mse", "import *"])
def test_the_course_s_own_is_nobody_s_answer(how: str) -> None:
    found = judged(handed_in(f"from course_lib.foundations.losses {how}", CHECK), "mse")
    assert found.status == "not attempted"
    assert found.message == "`mse` is the course's own in this notebook: write your own."


def test_commands_without_their_sign_break_no_cell() -> None:
    data = handed_in(f"pip install --quiet numpy\nls -l\n{MSE}", CHECK)
    assert judged(data, "mse").status == "correct"


def test_the_stub_is_no_definition_of_the_learner_s() -> None:
    stub = "def mse(predictions, targets):\n    raise NotImplementedError()"
    found = judged(handed_in(stub, MSE, CHECK), "mse")
    assert found.status == "correct"
    assert found.notes == ()


def test_an_answer_that_is_not_there_is_not_called_wrong() -> None:
    answer = """
        def softmax_cross_entropy_gradient(logits, labels):
            shares = softmax(logits)
            shares[np.arange(len(labels)), labels] -= 1
            return shares / len(labels)
    """
    found = judged(handed_in(textwrap.dedent(answer)), "softmax_cross_entropy_gradient")
    assert found.status == "correct"
    assert found.notes == (
        "Graded with the course's own `softmax`, because there is none in this notebook.",
    )


# --- what the course gives ------------------------------------------------------------------------

SOFTMAX = "from course_lib.foundations.losses import softmax"
ATTENTION = """
def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    return softmax(np.where(mask > 0, scores, -np.inf)) @ values
"""
FOR_A_PLOT = "def softmax(x):\n    return np.exp(x) / np.exp(x).sum()"
JUDGED = "attention = check(attention)"
IN_BLOCKS = {
    "a try": f"try:\n    {SOFTMAX}\nexcept ModuleNotFoundError:\n    print('not here')",
    "a try with a fallback": (
        f"try:\n    {SOFTMAX}\nexcept ImportError:\n    from scipy.special import softmax"
    ),
    "an if": f"COLAB = False\nif not COLAB:\n    {SOFTMAX}\nelse:\n    softmax = None",
    "a function that says so": f"def setup():\n    global softmax\n    {SOFTMAX}\nsetup()",
    "a try that ends in a line of several": (
        "try:\n    from course_lib.foundations.losses import (\n        softmax,\n        mse)"
        "; x = 1\nexcept ImportError:\n    pass"
    ),
    "a with": f"import warnings\nwith warnings.catch_warnings():\n    {SOFTMAX}",
}


def attended(*cells: str) -> Marked:
    marked, _ = mark(handed_in(*cells), "14_text", seed=1)
    return next(one for one in marked if one.exercise == "attention")


@pytest.mark.parametrize(
    "later",
    [
        FOR_A_PLOT,
        "from scipy.special import softmax",
        "softmax = softmax(np.ones((2, 2)))",
        "for softmax in range(3):\n    pass",
        f"{FOR_A_PLOT}\n{SOFTMAX}",
    ],
)
def test_a_name_of_the_course_that_means_something_else_later(later: str) -> None:
    found = attended(SOFTMAX, ATTENTION, JUDGED, later)
    assert found.status == "correct", found.message
    assert not any("with yours it fails" in note for note in found.notes)


@pytest.mark.parametrize("block", IN_BLOCKS)
def test_imports_from_the_course_in_blocks(block: str) -> None:
    found = attended(IN_BLOCKS[block], ATTENTION, JUDGED)
    assert found.status == "correct", found.message


def test_imports_from_the_course_in_the_answer_itself() -> None:
    """The lines are the learner's all the same."""
    inside = ATTENTION.replace("    scores", f"    {SOFTMAX}\n    scores")
    assert attended(inside, JUDGED).status == "correct"
    found = attended(inside.replace("keys.T", "keys.U"))
    assert "in line 3: `scores = queries @ keys.U" in found.message


def test_what_the_lesson_imports_is_there_though_that_cell_is_gone() -> None:
    assert attended(ATTENTION, JUDGED).status == "correct"


def test_what_the_lesson_defines_is_there_though_that_cell_is_gone() -> None:
    source = """
        def lstm_step(inputs, state, cell, weights_in, weights_recurrent, bias):
            gates = inputs @ weights_in + state @ weights_recurrent + bias
            into, forget, candidate, out = np.split(gates, 4, axis=-1)
            cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(candidate)
            return sigmoid(out) * np.tanh(cell), cell
    """
    changed = "def sigmoid(x):\n    return np.clip(0.2 * x + 0.5, 0, 1)"
    ways = (
        (),
        ("from course_lib.foundations.losses import sigmoid",),
        ((changed, 9),),  # the lesson's own was there when the answer was checked
        ((f"import numpy as np\n{changed}", 9),),
    )
    for cells in ways:
        data = handed_in(*cells, textwrap.dedent(source), "lstm_step = check(lstm_step)")
        marked, _ = mark(data, "08_recurrence", seed=1)
        found = next(one for one in marked if one.exercise == "lstm_step")
        assert found.status == "correct", found.message


def test_what_a_lesson_imports_of_its_own_module_is_there_by_that_module() -> None:
    source = """
        def distillation_loss(student_logits, teacher_logits, temperature):
            student = kt.log_softmax(student_logits / temperature)
            teacher = kt.log_softmax(teacher_logits / temperature)
            each = np.sum(np.exp(teacher) * (teacher - student), axis=1)
            return temperature**2 * np.mean(each)
    """
    imported = "import course_lib.foundations.kinds_of_transfer as kt"
    data = handed_in(imported, textwrap.dedent(source))
    marked, _ = mark(data, "13_kinds_of_transfer", seed=1)
    found = next(one for one in marked if one.exercise == "distillation_loss")
    assert found.status == "correct", found.message


def test_the_lesson_s_own_text_is_nobody_s_answer() -> None:
    wrong_repair = next(
        cell.source
        for cell in nbformat.read(root() / "notebooks/15_famous_mistakes.ipynb", 4).cells
        if cell.cell_type == "markdown" and "def predictions_in_file_order" in cell.source
    )
    data = json.loads(handed_in())
    data["cells"].append({"cell_type": "markdown", "metadata": {}, "source": wrong_repair})
    marked, _ = mark(json.dumps(data).encode(), "15_famous_mistakes", seed=1)
    found = next(one for one in marked if one.exercise == "predictions_in_file_order")
    assert found.status == "not attempted"
    assert found.message.startswith("There is no function")


@pytest.mark.parametrize("way", ["from a text", "by its name"])
def test_what_was_never_run_is_not_judged_beside_a_text_that_was(way: str) -> None:
    found = judged(handed_in(*WRITTEN[way], (SCRATCH, None)), "mse")
    assert found.status == "correct", found.message


def test_none_is_not_attempted() -> None:
    found = judged(handed_in("mse = None  # later"), "mse")
    assert found.status == "not attempted"
    assert found.message == "`mse` is None in this notebook, and no function yet."


@pytest.mark.parametrize(
    "cell",
    [
        f"if True:\n{textwrap.indent(MSE.strip(), '    ')}",
        f"try:\n{textwrap.indent(MSE.strip(), '    ')}\nfinally:\n    pass",
        "f = mse = lambda predictions, targets: np.mean((predictions - targets) ** 2)",
        "mse: object = lambda predictions, targets: np.mean((predictions - targets) ** 2)",
    ],
)
def test_beside_correct_stands_no_answer_that_was_never_run(cell: str) -> None:
    found = judged(handed_in(cell, CHECK, (SCRATCH, None)), "mse")
    assert found.status == "correct"
    assert found.code.strip() == cell.strip()
