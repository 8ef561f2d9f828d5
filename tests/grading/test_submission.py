"""Files of every kind, and which statements an answer consists of."""

from __future__ import annotations

import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_lib.exercises import catalogue
from course_lib.grading import statements
from course_lib.grading.marking import lesson_of
from course_lib.grading.submission import (
    MAX_CELL,
    MAX_NOTES,
    MAX_STATEMENTS,
    Submission,
    UnreadableError,
    parse,
    read,
)

from .conftest import RIGHT, answers, notebook

NAMES = tuple(RIGHT)


def parsed(*cells: str) -> Submission:
    return parse(notebook(*cells), NAMES)


def program(name: str, *cells: str) -> list[str]:
    """First line of each statement of the answer's program."""
    made = parsed(*cells).slices.program(name)
    return [source.strip().split("\n")[0] for _, source in made.segments]


def test_cells_are_parsed_in_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else Python 3.11 now and then takes another thread's depth for its own: a SystemError.
    under_way: list[str] = []
    most: list[int] = []

    def counting(source: str, *rest: Any) -> Any:
        under_way.append(source)
        time.sleep(0.001)
        most.append(len(under_way))
        try:
            return compile(source, *rest)
        finally:
            under_way.pop()

    monkeypatch.setattr(statements, "compile", counting, raising=False)
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda n: parsed(f"x{n} = {n}", f"def mse(p, t): return {n}"), range(8))
        )
    assert all(one.slices.answer("mse") is not None for one in made)
    assert set(most) == {1}


# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (bytes(1000), "is empty"),
        (b"def mse(p, t): ...", "is not JSON: Expecting value in line 1. Hand in the notebook"),
        (b"name,points\nanna,1\n", "in line 1. Hand in the notebook itself"),
        (b'{"error": "sign in"}', "it has no list of cells. Hand in the notebook itself"),
        (b"[1]", "JSON, but not a notebook. Hand in the notebook itself"),
        (b"{\\rtf1 mse}", "a document (RTF). Hand in the notebook itself"),
        (b"\x1f\x8b\x08mse", "an archive (gzip). Hand in"),
        (b'<?xml version="1.0"?>', "is XML. Hand in"),
        (b"{cells: []}", "is not JSON"),
        (notebook("a = 1")[:-40], "cut off in line"),
        (notebook("a = 1")[:80], "cut off in line"),
        (b"%PDF-1.7\n%\xe2\xe3\0", "a PDF"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"\xef\xbb\xbf<HTML lang=de>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d", "a pointer of Git LFS"),
        (b"PK\x03\x04\x14\0", "an archive"),
        (b'{"cells": [\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n]}', "unfinished merge"),
        (notebook("a = 1") + b"\0", "null bytes"),
        (b'{"cells": "\xff"}', "not UTF-8 text (byte 11)"),
        (notebook("a = 1").decode().encode("utf-16"), "UTF-16"),
        (b"[1, 2]", "JSON, but not a notebook"),
        (b'{"a": 1}', "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [], "nbformat": 4}', "has no cells"),
        (b'{"cells": [], "nbformat": 99}', "not a notebook of a known format"),
        (b'{"worksheets": [7], "nbformat": 3}', "old format 3 and cannot be converted"),
        (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"cells": [' + b"9" * 50_000 + b"]}", "a number of absurd length"),
        (b'{"cells": [' + b"{}," * 5_000_000 + b"{}]}", "too many separate values"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        parse(data, NAMES)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_byte_order_mark_is_only_noted() -> None:
    submission = parse(b"\xef\xbb\xbf" + notebook(*answers()), NAMES)
    assert submission.slices.answer("mse") is not None
    assert any("byte order mark" in note for note in submission.notes)


def test_version_3_is_converted() -> None:
    old = nbformat.convert(nbformat.reads(notebook(*answers()).decode(), as_version=4), 3)
    without_metadata = {key: value for key, value in old.items() if key != "metadata"}
    for written in (old, without_metadata):
        submission = parse(json.dumps(written).encode(), NAMES)
        assert submission.slices.answer("softmax") is not None
        assert submission.notes == ("The notebook has the old format 3 and was converted.",)


def test_a_python_newer_than_this_one_is_told() -> None:
    for version, told in (("3.99.1", True), ("3.11.0", False), (None, False), ("x" * 99, False)):
        whole = json.loads(notebook("def mse(p, t) return 1"))
        whole["metadata"]["language_info"] = {"name": "python", "version": version}
        said = parse(json.dumps(whole).encode(), NAMES).broken["mse"]
        assert ("the notebook's Python is 3.99, the grader's 3." in said) == told


def test_answers_in_cells_of_text_are_seen() -> None:
    whole = json.loads(notebook("a = 1"))
    whole["cells"].append({"cell_type": "markdown", "source": RIGHT["mse"], "metadata": {}})
    submission = parse(json.dumps(whole).encode(), NAMES)
    assert submission.in_text == {"mse"}
    assert submission.slices.answer("mse") is None


def test_odd_cells_are_left_out() -> None:
    whole = json.loads(notebook(*answers()))
    whole["cells"] += [None, {"cell_type": "code"}, {"cell_type": "code", "source": [1]}]
    submission = parse(json.dumps(whole).encode(), NAMES)
    assert submission.slices.answer("mse") is not None
    assert submission.notes == ("A cell without type or source was left out.",) * 3


def test_30_megabytes_are_read_and_65_are_not(tmp_path: Path) -> None:
    whole = json.loads(notebook(*answers()))
    picture = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": "A" * 30_000_000},
    }
    whole["cells"][0]["outputs"] = [picture]
    path = tmp_path / "large.ipynb"
    path.write_bytes(json.dumps(whole).encode())
    submission = parse(read(path), NAMES)
    assert submission.slices.answer("mse") is not None
    assert submission.notes == ("The file has 30 MB; clear large outputs before saving.",)
    with path.open("r+b") as file:
        file.truncate(65 << 20)
    with pytest.raises(UnreadableError, match="larger than 64 MB"):
        read(path)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(notebook())
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "a.ipynb")
    os.mkfifo(tmp_path / "pipe.ipynb")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(tmp_path / "socket.ipynb"))  # such paths are short
    for name, says in (
        ("link.ipynb", "symbolic link"),
        ("pipe.ipynb", "not a regular file"),
        ("socket.ipynb", "cannot be opened"),
    ):
        with pytest.raises(UnreadableError, match=says):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError):  # it was there when it was found
        read(tmp_path / "none.ipynb")


# --- cells -----------------------------------------------------------------------------------


def test_nothing_of_a_cell_that_cannot_run_is_used() -> None:
    submission = parsed("mse = lambda p, t: 1\ndef f(a, a): pass")
    assert submission.slices.answer("mse") is None


def test_a_syntax_error_costs_its_cell_only() -> None:
    submission = parsed("x = = 1", *answers(mse="def mse(p, t):\n    return (p - t"))
    assert submission.slices.answer("mse") is None
    assert submission.slices.answer("softmax") is not None
    sentence = submission.broken["mse"]
    assert sentence.startswith("Code cell 3 cannot be read as Python: ")
    assert sentence.endswith(" in its line 2, so `mse` could not be graded.")
    assert [note.split(" cannot")[0] for note in submission.notes] == ["Code cell 2", "Code cell 3"]


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\n!pip list\nfiles = !ls\nprint?\n" + RIGHT["mse"],
        "%%time\n" + RIGHT["mse"],
        "\n\n%%capture output\n%%time\n" + RIGHT["mse"],
        RIGHT["mse"] + "\n%timeit mse(a, b)",
        RIGHT["mse"].replace("\n", "\r\n"),
        "await something()\n" + RIGHT["mse"],
        "print('ü' * 3); a = 'ü'; " + "mse = lambda p, t: ((p - t) ** 2).mean()",
    ],
)
def test_notebook_syntax_is_understood(cell: str) -> None:
    submission = parsed(cell)
    assert submission.notes == ()
    answer = submission.slices.answer("mse")
    assert answer is not None
    assert answer.source.strip().startswith(("def mse", "mse = lambda"))


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%writefile mse.py", "%%javascript"])
def test_cells_in_other_languages_are_skipped(magic: str) -> None:
    submission = parsed(f"{magic}\n{RIGHT['mse']}", "%%time")
    assert submission.slices.answer("mse") is None
    assert submission.notes == ()


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 50_000,
        "-" * 90_000 + "1",
        "a" + ".b" * 45_000,
        "a = " + "1+" * 45_000 + "1",
        "[" * 90 + "]" * 90 + "\n" + "x = 1\n" * 10_000,
        "if a: b\n" + "elif c: d\n" * 8_000,
        "\n" * 99_000 + "x ==== 1",
        "a\0b",
        "\ud800 = 1",
        "x = 1\n" * 30_000,
        ";" * 600,
        "x = 1\n" + " ,\t;/" * 200,
        "," * 100_000,
    ],
)
def test_monstrous_cells_cost_nothing_but_themselves(bomb: str) -> None:
    whole = json.loads(notebook(*answers()))
    whole["cells"].append({"cell_type": "code", "source": bomb, "metadata": {}, "outputs": []})
    submission = parse(json.dumps(whole).encode(), NAMES)
    assert submission.slices.answer("mse") is not None
    assert submission.notes


@pytest.mark.parametrize("error", [RuntimeError, KeyError, SyntaxError, AssertionError])
def test_where_ipython_fails_it_costs_that_cell_only(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> str:
        raise error("still changing")

    monkeypatch.setattr("IPython.core.inputtransformer2.TransformerManager.transform_cell", failing)
    submission = parsed(RIGHT["mse"], "!ls\n" + RIGHT["softmax"])
    assert submission.slices.answer("mse") is not None
    assert submission.broken["softmax"].startswith("Code cell 3 cannot be read as Python: ")


# --- what an answer consists of --------------------------------------------------------------


def test_only_what_the_answer_needs_is_run() -> None:
    assert program(
        "mse",
        "while True: pass",
        "EPS = 1e-7\nimport matplotlib.pyplot as plt",
        "def square(x):\n    return x ** 2 + ZERO",
        RIGHT["mse"].replace("(predictions - targets) ** 2", "square(predictions - targets)"),
        "mse = check(mse)",
        "plt.plot(mse(1, 2))",
        "ZERO = 0",
    ) == ["import numpy as np", "def square(x):", "def mse(predictions, targets):", "ZERO = 0"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["def mse(p, t): return 1", "def mse(p, t): return 2"], ["def mse(p, t): return 2"]),
        (["def mse(p, t): return 1", "mse = lambda p, t: 2"], ["mse = lambda p, t: 2"]),
        (["def mse(p, t): return 1", "mse = check(mse)"], ["def mse(p, t): return 1"]),
        (["def mse(p, t): return 1", "mse = course.check(mse)"], ["def mse(p, t): return 1"]),
        (["def mse(p, t): return 1", "mse = mse(a, b)"], ["def mse(p, t): return 1"]),
        (["def mine(p, t): return 1", "mse = mine"], ["def mine(p, t): return 1", "mse = mine"]),
        (["async def mse(p, t): return 1"], ["async def mse(p, t): return 1"]),
        (["try:\n    def mse(p, t): return 1\nexcept Exception: pass"], ["try:"]),
        (["if True:\n    def mse(p, t): return 1"], ["if True:"]),
        (["a = 1; mse = lambda p, t: a; b = 2"], ["a = 1", "mse = lambda p, t: a"]),
        (["def scale(p): return p", "mse = partial(scale, 1)", "from functools import partial"],
         ["from functools import partial", "def scale(p): return p", "mse = partial(scale, 1)"]),
        (["from numpy import *", "def mse(p, t): return mean((p - t) ** 2)"],
         ["from numpy import *", "def mse(p, t): return mean((p - t) ** 2)"]),
        (["from numpy import *", "def mse(p, t): return sum(p)"], ["def mse(p, t): return sum(p)"]),
        (["D = 2", "def mse(p, t, d=D): return d", "D = 9"],
         ["D = 2", "def mse(p, t, d=D): return d"]),
        (["N = 2", "def mse(p, t): return N", "N = 9"], ["N = 2", "def mse(p, t): return N"]),
        (["def mse(p, t): return N", "N = 9"], ["def mse(p, t): return N", "N = 9"]),
        (["def h(x): return 1", "def mse(p, t): return h(p)", "def h(x): return x"],
         ["def mse(p, t): return h(p)", "def h(x): return x"]),
        (["T = {}", "T['a'] = 1", "T.update(b=2)", "def mse(p, t): return T", "T['c'] = 3"],
         ["T = {}", "T['a'] = 1", "T.update(b=2)", "def mse(p, t): return T"]),
        (["n = 1", "n += 1", "def mse(p, t): return n"],
         ["n = 1", "n += 1", "def mse(p, t): return n"]),
        (["def deco(f): return f", "@deco\ndef mse(p, t): return 1"],
         ["def deco(f): return f", "@deco"]),
        (["@check\ndef mse(p, t): return 1"], ["def check(answer, *rest, **options):", "@check"]),
        (["def check(f): return f", "mse = check(mse)", "def mse(p, t): return 1"],
         ["def mse(p, t): return 1"]),
        (["def check(f): return f(1, 2)", "size = check(max)", "def mse(p, t): return size"],
         ["def check(f): return f(1, 2)", "size = check(max)", "def mse(p, t): return size"]),
        (["import math, no_such_thing", "def mse(p, t): return math.pi"],
         ["import math", "def mse(p, t): return math.pi"]),
        (["from __future__ import annotations\nx = 1", "def mse(p: A, t: A): return 1"],
         ["from __future__ import annotations", "def mse(p: A, t: A): return 1"]),
        (["def f(n): return f(n - 1)", "def f(n): return f(n)", "def mse(p, t): return f(p)"],
         ["def f(n): return f(n)", "def mse(p, t): return f(p)"]),
        (["def mse(p, t): return sum(p)", "sum = 0\nprint(sum)"], ["def mse(p, t): return sum(p)"]),
        (["sum = 0\ndel sum", "def mse(p, t): return sum(p)"], ["def mse(p, t): return sum(p)"]),
        (["max = 9", "def mse(p, t): return max"], ["max = 9", "def mse(p, t): return max"]),
        (["def mse(p, t): return abs(p)", "def abs(x): return x"],
         ["def mse(p, t): return abs(p)", "def abs(x): return x"]),
        (["n = 0", "def mse(p, t):\n    global n\n    n += 1"], ["n = 0", "def mse(p, t):"]),
        (["def use(x):\n    global E\n    E = x", "use(1)", "def mse(p, t): return E", "use(2)"],
         ["def use(x):", "use(1)", "def mse(p, t): return E"]),
        (["t = {}", "def fill(d): d[1] = 2", "fill(t)", "show(t)", "def mse(p, q): return t[1]"],
         ["t = {}", "def fill(d): d[1] = 2", "fill(t)", "def mse(p, q): return t[1]"]),
        (["import numpy as np\na = np.eye(2)", "np.fill_diagonal(a, 3)", "def mse(p, t): return a"],
         ["import numpy as np", "a = np.eye(2)", "np.fill_diagonal(a, 3)",
          "def mse(p, t): return a"]),
        (["x = 1", "def mse(p, t): return [x for x in p]"],
         ["def mse(p, t): return [x for x in p]"]),
        (["class A:\n    k = x", "x = 1", "def mse(p, t): return A.k"],
         ["class A:", "x = 1", "def mse(p, t): return A.k"]),
    ],
)  # fmt: skip
def test_slices(cells: list[str], expected: list[str]) -> None:
    assert program("mse", *cells) == expected


def test_a_second_definition_is_noted() -> None:
    slices = parsed(RIGHT["mse"], "a = 1", RIGHT["mse"]).slices
    assert slices.notes("mse") == [
        "`mse` is defined 2 times; the last one (code cell 4) was graded."
    ]
    assert parsed(*answers()).slices.notes("mse") == []


def test_other_answers_come_along_unless_something_stands_in_for_them() -> None:
    calls_helper = answers(mse="def mse(p, t):\n    return helper(p)")
    slices = parsed(*calls_helper, "def helper(x):\n    return softmax(x).sum()").slices
    own = slices.program("mse")
    assert own.provided == ()
    assert [title for title, _ in own.segments].count("softmax") == 1
    stand_ins = {
        name: (("ours", f"def {name}(): ..."),) for name in ("softmax", "cross_entropy", "mse")
    }
    given = slices.program("mse", stand_ins)
    assert given.provided == (("softmax", stand_ins["softmax"]),)  # what it reads, and no more
    assert "softmax" not in [title for title, _ in given.segments]
    assert slices.program("softmax", stand_ins).provided == ()  # never in place of the answer


def test_the_notebooks_check_is_passed_over_under_every_name() -> None:
    renamed = "from course_lib.exercises import check as verdict"
    made = parsed(renamed, "@verdict\n" + RIGHT["mse"].strip()).slices.program("mse")
    assert ("verdict", statements.PASSING.format("verdict")) in made.segments
    assert not any("course_lib" in source for _, source in made.segments)


# --- lessons ---------------------------------------------------------------------------------


def test_a_lesson_is_recognized() -> None:
    assert lesson_of(notebook(*answers())) == "01_losses"
    assert lesson_of(b'{"cells": [{"source": ["def mse(p, t):\\n", "broken') == "01_losses"
    assert lesson_of(notebook("mse = lambda p, t: 1")) == "01_losses"
    assert lesson_of(b'{"metadata": {"course": {"lesson": "01_losses"}}}') == "01_losses"
    assert lesson_of(b"", ["anna", "week-01_losses"]) == "01_losses"
    assert lesson_of(notebook("def other(): pass"), ["anna"]) is None


def test_half_a_character_costs_nothing() -> None:
    data = notebook("# HALF\ndef mse(p, t):\n    return 'HALF'").replace(b"HALF", b"\\ud83d")
    assert "# \ud83d\n" in json.loads(data)["cells"][1]["source"]
    submission = parse(data, NAMES)
    assert not submission.broken
    assert submission.slices.answer("mse") is not None


def test_every_function_of_the_catalogue_points_to_its_lesson() -> None:
    for exercise in catalogue().values():
        assert lesson_of(f"def {exercise.name}(a):".encode()) == exercise.lesson


# --- floods ------------------------------------------------------------------------------------


def of_cells(*cells: dict[str, Any] | int, **other: Any) -> bytes:
    made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **other}
    return json.dumps(made).encode()


def code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}}


FLOODS: dict[str, tuple[list[dict[str, Any] | int], str]] = {
    "cells that are none": ([1] * 15_000, "A cell without type or source was left out."),
    "broken cells": ([code("(")] * 2_000, "Code cell 1 cannot be read as Python"),
    "tiny cells": ([code("x")] * 40_000, "Only the first 20000 cells of the notebook were read."),
    "statements": (
        [code("x = 1\n" * (MAX_STATEMENTS + 100))],
        f"Only the first {MAX_STATEMENTS} statements",
    ),
    "long cells": ([code("x" * (MAX_CELL + 1))], "Code cell 1 is too long"),
    "magics": ([code("%magic x\n" * 300)] * 10, "cannot be read as Python"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_cut_off_and_told_of_shortly(flood: str) -> None:
    cells, says = FLOODS[flood]
    made = parse(of_cells(code(RIGHT["mse"]), *cells), NAMES)
    assert made.slices.answer("mse") is not None
    assert any(says.replace("cell 1 ", "cell 2 ") in note for note in made.notes)
    assert len(made.notes) <= MAX_NOTES + 1
    assert len(made.slices.statements) <= MAX_STATEMENTS


def test_only_so_much_of_an_old_format_is_converted() -> None:
    cells = [{"cell_type": "code", "input": "x", "outputs": [], "language": "python"}] * 3_000
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    with pytest.raises(UnreadableError, match="open and save it in JupyterLab"):
        parse(json.dumps(old).encode(), NAMES)


def test_what_takes_long_to_import_is_seen_in_the_code_and_not_in_its_words() -> None:
    words = RIGHT["mse"].strip().replace("\n", '\n    """\n    import keras\n    """\n', 1)
    inside = RIGHT["mse"].strip().replace("\n", "\n    from keras.ops import mean\n", 1)
    assert parsed(words).slices.program("mse").module == "numpy"
    assert parsed(inside).slices.program("mse").module == "keras"
    assert parsed("import tensorflow as tf", RIGHT["mse"]).slices.program("mse").module == "numpy"
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"
    assert parsed(plot, RIGHT["mse"]).slices.program("mse").module == "numpy"
    assert parsed(plot, RIGHT["mse"]).slices.straightforward("mse").module == "matplotlib.pyplot"
    for line in ("from matplotlib import pyplot\nimport keras", "import matplotlib, os, keras"):
        both = parsed(line, plot, RIGHT["mse"])
        assert both.slices.straightforward("mse").module == "keras"
