"""Names, texts and notebooks of any content: at worst a sentence, and nothing that hurts."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from course_lib.errors import visible
from course_lib.exercises.verdict import inline_html
from course_lib.grading.marking import lesson_of
from course_lib.grading.people import people
from course_lib.grading.platforms import are_canvas, by_canvas, by_moodle, canvas_ways
from course_lib.grading.report import file_names
from course_lib.grading.statements import statements
from course_lib.grading.submission import Submission, UnreadableError, parse
from course_lib.grading.tables import defused

from .conftest import RIGHT

NAMES = tuple(RIGHT)
names = st.text(max_size=80) | st.text("aA.-_/\\ \u200d\u202e\x1b;=+@|\n0'", max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
things = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=15,
)
PIECES = (
    "def mse(p, t):\n    return p\n",
    "%%time\n",
    "!ls\n",
    "mse = check(mse)\n",
    "import numpy as np, x\n",
    "global n\n",
    "x = 1\n",
    "(",
    "\\\n",
    '"""',
    "\x0c",
    "\u2028",
    "?x\n",
    "k = _\n",
    "Out[1], In, _i, _2\n",
    "%time x = 1\n",
    "n = !ls\n",
)
code = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | scalars, "source": code | things}
)


@given(st.lists(names, unique=True, max_size=8))
def test_pages_have_names_of_their_own_that_are_safe(learners: list[str]) -> None:
    pages = file_names(learners)
    assert len({page.casefold() for page in pages.values()}) == len(learners)
    for page in pages.values():
        assert Path(page).name == page
        assert page.endswith(".html")
        assert not page.startswith(".")
        assert not set('<>:"/\\|?*') & set(page)
        assert len(page.encode()) < 255


@given(names)
def test_what_is_shown_controls_nothing(text: str) -> None:
    shown = visible(text).replace("\u200d", "").replace("\u200c", "")
    assert shown.isprintable()
    cell = defused(text).replace("\u200d", "").replace("\u200c", "")
    assert cell.isprintable()
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%"))
    assert not any(part.lstrip()[:1] in tuple("=+-@|%") for part in cell.split(";")[1:])
    assert "<script" not in inline_html(f"<script>{text}")


@given(names)
def test_any_name_may_be_a_platform_s(name: str) -> None:
    for person in (by_canvas(name), by_moodle([name])):
        assert person is None or person.number.isdigit()
        assert person is None or person.learner in name.replace("_LATE", "")
    assert are_canvas([name], 15) <= (by_canvas(name) is not None)
    assert next((who for who, _ in canvas_ways(name)), None) == by_canvas(name)


def read_or_refused(data: bytes) -> Submission | None:
    lesson_of(data, ["anna"])
    try:
        return parse(data, NAMES)
    except UnreadableError as error:
        told = str(error)
    assert told.endswith(".")
    return None


parts = names.filter(lambda name: name not in (".", "..", "") and "/" not in name)


@given(st.lists(st.lists(parts, min_size=1, max_size=4).map(tuple), max_size=8, unique=True))
@example([(".ipynb.txt",), (".zip", ".ipynb")])
def test_every_submission_is_somebody_s(paths: list[tuple[str, ...]]) -> None:
    owned = people(paths, [("x", "y.pdf")])
    assert len(owned.learners) == len(paths)
    for told in (*owned.learners, *owned.notes):
        assert told
        assert visible(told) == told


@given(st.lists(cells | things, max_size=6), things)
def test_any_notebook_is_read_or_refused_in_a_sentence(made: list[object], rest: object) -> None:
    for tree in ({"cells": made, "metadata": rest, "nbformat": 4}, made, {"cells": rest}, rest):
        submission = read_or_refused(json.dumps(tree).encode())
        for name in NAMES if submission is not None else ():
            assert submission is not None
            if submission.slices.answer(name) is not None:
                submission.slices.program(name)
                for above in submission.slices.as_checked(name):
                    above.straightforward(name)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_a_sentence(data: bytes) -> None:
    read_or_refused(data)


@given(code)
@example("\r0")
@example("*0")
def test_statements_are_the_source_again(source: str) -> None:
    try:
        found = list(statements(1, source, first=0))
    except (SyntaxError, ValueError):
        return
    assert [one.order for one in found] == list(range(len(found)))
    for one in found:
        compile(one.source, "<statement>", "exec", 0x2000)  # may await at the top
