"""Ordinary notebooks with right answers, as messy as people's are, made of parts by a seed."""

from __future__ import annotations

import ast
import json
import random
import re
import textwrap
from collections.abc import Callable
from functools import cache

from course_lib.exercises import catalogue
from course_lib.lessons import root

LESSONS = ("01_losses", "02_regularization", "03_sgd", "04_adam")
IMPORTS = (
    "import numpy as np\nfrom course_lib.exercises import check",
    "import math, numpy as np, os\nfrom course_lib.exercises import catalogue, check",
    "import numpy as np, no_such_thing",
    "%matplotlib inline\nimport numpy as np\nimport matplotlib.pyplot as plt",
    "from __future__ import annotations\nimport numpy as np",
)
LATER = "\n# LATER"
"""Ends the cell below which the check stands; what follows comes at the end of the notebook."""
CHECK = "from course_lib.exercises import check"


@cache
def solutions(lesson: str) -> dict[str, str]:
    """The course's own `def` of each exercise, as the solved lesson has it."""
    cells = json.loads((root() / "solutions" / f"{lesson}.ipynb").read_text("utf-8"))["cells"]
    names = {e.name for e in catalogue().values() if e.lesson == lesson}
    found = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and any(f"def {name}(" in source for name in names):
            for node in ast.parse(source).body:
                if isinstance(node, ast.FunctionDef) and node.name in names:
                    found[node.name] = ast.unparse(node)
    return found


@cache
def helpers(lesson: str) -> dict[str, str]:
    """What the solved lesson brings along for its answers, by name: imports and own functions."""
    cells = json.loads((root() / "solutions" / f"{lesson}.ipynb").read_text("utf-8"))["cells"]
    found = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.startswith("%"):
            continue
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = ast.unparse(node)
            elif isinstance(node, ast.ImportFrom) and "foundations" in str(node.module):
                found |= {alias.asname or alias.name: ast.unparse(node) for alias in node.names}
    return {name: source for name, source in found.items() if name not in solutions(lesson)}


@cache
def needs(lesson: str, name: str) -> tuple[str, ...]:
    """The exercises that a solution reads, in order, itself last."""
    own = solutions(lesson)
    words = set(re.findall(r"\w+", own[name])) & set(own) - {name}
    read = [other for word in own if word in words for other in needs(lesson, word)]
    return (*dict.fromkeys(read), name)


# --- ways to write one answer: from its name and its `def` to cells ------------------------------


def renamed(source: str, name: str, new: str) -> str:
    return re.sub(rf"\b{name}\b", new, source)


def body_first(source: str, line: str) -> str:
    """The `def` with one more line at the top of its body, below its docstring."""
    node = ast.parse(source)
    function = node.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body.insert(bool(ast.get_docstring(function)), ast.parse(line).body[0])
    return ast.unparse(node)


def with_all_parameters(source: str) -> str:
    """The parameters as they are passed on."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    return ", ".join(argument.arg for argument in function.args.args)


def parameters(source: str) -> str:
    """The parameters as they are written, with defaults."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    return ast.unparse(function.args)


def plain(name: str, source: str) -> list[str]:
    return [source]


def under_time(name: str, source: str) -> list[str]:
    return [f"%%time\n{source}"]


def under_capture(name: str, source: str) -> list[str]:
    return [f"%%capture out\n{source}\nprint('defined')"]


def by_global(name: str, source: str) -> list[str]:
    wrapped = f"def {name}({parameters(source)}):\n    global tries\n    tries += 1\n    " + (
        f"return _first_{name}({with_all_parameters(source)})"
    )
    return ["tries = 0", renamed(source, name, f"_first_{name}"), wrapped]


def printing(name: str, source: str) -> list[str]:
    return [body_first(source, f"print('in {name}')")]


def displaying(name: str, source: str) -> list[str]:
    return [body_first(source, "display('here')")]


def by_helper(name: str, source: str, helper: str, below: str) -> list[str]:
    """An answer that calls a helper, whose name is another thing further down."""
    passed = with_all_parameters(source)
    return [
        renamed(source, name, helper),
        f"def {name}({parameters(source)}):\n    return {helper}({passed}){LATER}",
        below,
    ]


def helper_used_again(name: str, source: str) -> list[str]:
    return by_helper(name, source, "helper", "def helper(x):\n    return x + 1\n\nhelper(1)")


def helper_becomes_a_number(name: str, source: str) -> list[str]:
    return by_helper(name, source, "go", "go = 0.1")


def helper_deleted(name: str, source: str) -> list[str]:
    return by_helper(name, source, "once", "del once")


def decorated(name: str, source: str) -> list[str]:
    wrapper = """
        import functools

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                seen.append(function.__name__)
                return function(*args, **kwargs)
            return wrapper
    """
    return ["seen = []", textwrap.dedent(wrapper).strip(), f"@logged\n{source}"]


def of_a_class(name: str, source: str) -> list[str]:
    inside = textwrap.indent(f"@staticmethod\n{source}", "    ")
    return [f"class Mine:\n{inside}", f"{name} = Mine.{name}"]


def of_a_factory(name: str, source: str) -> list[str]:
    return [
        f"def make():\n    tiny = 0\n{textwrap.indent(source, '    ')}\n    return {name}",
        f"{name} = make()",
    ]


def constant_filled(name: str, source: str) -> list[str]:
    guard = "if not table['ready']: raise ValueError('not ready')"
    return [
        "table = {}",
        "def fill(t, value):\n    t['ready'] = value",
        "fill(table, True)",
        body_first(source, guard),
    ]


def constant_by_loop(name: str, source: str) -> list[str]:
    guard = "if total != 6: raise ValueError('not six')"
    return ["total = 0\nfor k in range(4):\n    total += k", body_first(source, guard)]


def constant_by_name(name: str, source: str) -> list[str]:
    guard = "if not READY: raise ValueError('not ready')"
    return ["globals()['READY'] = True", body_first(source, guard)]


def constant_by_exec(name: str, source: str) -> list[str]:
    guard = "if EPSILON > 1: raise ValueError('too large')"
    return ["exec('EPSILON = 1e-12')", body_first(source, guard)]


def constant_by_setattr(name: str, source: str) -> list[str]:
    guard = "if not np.course_is_fun: raise ValueError('no fun')"
    return ["setattr(np, 'course_is_fun', True)", body_first(source, guard)]


def constant_by_walrus(name: str, source: str) -> list[str]:
    guard = "if width != 3: raise ValueError('not three')"
    return ["print(width := 3)", body_first(source, guard) + LATER, "width = 'used again'"]


def constant_by_output(name: str, source: str) -> list[str]:
    guard = "if READY != 2: raise ValueError('not ready')"
    return ["1 + 1", "READY = _", body_first(source, guard) + LATER, "_, READY = 3, 4"]


def constant_by_input(name: str, source: str) -> list[str]:
    guard = "if READY != 'more = 1': raise ValueError('not ready')"
    return ["more = 1", "READY = _i", body_first(source, guard)]


def constant_timed(name: str, source: str) -> list[str]:
    guard = "if not READY: raise ValueError('not ready')"
    return ["%time READY = True", body_first(source, guard)]


def helper_in_a_file(name: str, source: str) -> list[str]:
    guard = f"if square_{name}(2) != 4 or cube_{name}(2) != 8: raise ValueError('odd')"
    return [
        f"%%writefile own_{name}.py\ndef square_{name}(x):\n    return x * x\n",
        f"%%writefile -a own_{name}.py\n\ndef cube_{name}(x):\n    return x ** 3\n",
        f"from own_{name} import square_{name}\n%run own_{name}.py",
        body_first(source, guard),
    ]


def command_above(name: str, source: str) -> list[str]:
    return [f"lines = !echo 2\nhere = %pwd\nsize = int(lines[0]) + len(here)\n\n{source}"]


def under_if(name: str, source: str) -> list[str]:
    return [f"if True:\n{textwrap.indent(source, '    ')}"]


def under_try(name: str, source: str) -> list[str]:
    inside = textwrap.indent(source, "    ")
    return [f"try:\n    import seaborn_that_is_not_there\nexcept ImportError:\n{inside}"]


def annotated(name: str, source: str) -> list[str]:
    return ["Array = np.ndarray", f"{source}\n\n{name}.__annotations__['return'] = Array"]


def cached_helper(name: str, source: str) -> list[str]:
    guard = "if square(2) != 4: raise ValueError('odd')"
    cached = "from functools import lru_cache\n\n@lru_cache\ndef square(x):\n    return x * x"
    return [cached, body_first(source, guard)]


def starred_any(name: str, source: str) -> list[str]:
    guard = "if not isinstance(any([1]), np.generic): raise ValueError('of Python')"
    starred = "from numpy import *\nfrom builtins import abs, max, min, round, sum"
    return [starred, body_first(source, guard) + LATER, "from builtins import any"]


def magic_inside(name: str, source: str) -> list[str]:
    return [f"{source}\n\n!echo done\n%timeit -n 1 -r 1 1 + 1"]


def overwritten_below(name: str, source: str) -> list[str]:
    """The name is used again for a try that nobody checks."""
    return [f"{source}{LATER}", f"def {name}(*anything):\n    return 'a try'"]


def stub_pasted_below(name: str, source: str) -> list[str]:
    return [f"{source}{LATER}", f"def {name}(*anything):\n    raise NotImplementedError()"]


def number_below(name: str, source: str) -> list[str]:
    return [f"{source}{LATER}", f"{name} = 3.5"]


def wrong_at_first(name: str, source: str) -> list[str]:
    return [f"def {name}(*anything):\n    return 0", f"{name} = check({name})", source]


def own_check_above(name: str, source: str) -> list[str]:
    return ["def check(f):\n    return f(2)\n\nsmall = check(abs)", CHECK, source]


def plotting(name: str, source: str) -> list[str]:
    drawn = f"import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.close()\n\n{source}"
    return [drawn]


WAYS: tuple[Callable[[str, str], list[str]], ...] = (
    plain,
    under_time,
    under_capture,
    by_global,
    printing,
    displaying,
    helper_used_again,
    helper_becomes_a_number,
    helper_deleted,
    decorated,
    of_a_class,
    of_a_factory,
    constant_filled,
    constant_by_loop,
    constant_by_name,
    constant_by_exec,
    constant_by_setattr,
    constant_by_walrus,
    constant_by_output,
    constant_by_input,
    constant_timed,
    helper_in_a_file,
    command_above,
    under_if,
    under_try,
    annotated,
    cached_helper,
    starred_any,
    magic_inside,
    overwritten_below,
    stub_pasted_below,
    number_below,
    wrong_at_first,
    own_check_above,
    plotting,
)
SCRATCH = (
    "sum = 0\nfor value in [1, 2]:\n    sum += value\nprint(sum)\ndel sum",
    "x = np.linspace(0, 1, 5)\nx",
    "1 / 0",
    "np.random.seed(0)\nrng = np.random.default_rng(3)\nrng.normal(size=3)",
    "for name in dir(np)[:3]:\n    print(name)",
    "data = {'a': 1}\ndata.update(b=2)\ndata",
    "help(len)",
    "import matplotlib.pyplot as plt\nplt.plot(np.arange(3))\nplt.show()",
    "def test():\n    assert 1 + 1 == 2\n\ntest()",
    "np.set_printoptions(precision=3)",
    "def broken(:\n    pass",
    "max = 9\nprint(max)\ndel max",
    "?len",
    "%%bash\nls > /dev/null",
    "from math import *\npi",
    "import time\ntime.sleep(0.01)",
    "while True:\n    break",
    "a, *b = range(3)\nprint(a, b)",
    "with open('/dev/null') as file:\n    file.read()",
    "lambda: None",
)
LATER_ON = (
    "sum = 0\nfor value in [1, 2]:\n    sum += value",
    "np.mean",
    "len = 3\nprint(len)",
    "x = 'used again'",
    "from math import *",
    "range, zip, float = 1, 2, 3",
)


def messy(seed: int) -> tuple[list[str], list[str]]:
    """The cells of a notebook, and the exercises that it answers rightly."""
    rng = random.Random(seed)
    lesson = LESSONS[seed % len(LESSONS)]
    own = solutions(lesson)
    wanted = rng.sample(sorted(own), 2)
    names = list(dict.fromkeys(n for name in own if name in wanted for n in needs(lesson, name)))
    words = {word for name in names for word in re.findall(r"\w+", own[name])}
    brought = [source for name, source in helpers(lesson).items() if name in words]
    cells = [rng.choice(IMPORTS), "import numpy as np", CHECK, *dict.fromkeys(brought)]
    below = [rng.choice(LATER_ON)]
    for name in names:
        way = WAYS[(seed + len(cells)) % len(WAYS)] if name in wanted else plain
        checked = rng.choice([f"{name} = check({name})", f"check({name});"])
        above, later = [], False
        for cell in way(name, own[name]):
            (below if later else above).append(cell.removesuffix(LATER))
            later = later or cell.endswith(LATER)
        cells += [*above, checked]
        if rng.random() < 0.7:
            cells.append(rng.choice(SCRATCH))
    return cells + below, names
