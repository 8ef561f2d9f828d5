"""The Markdown file of an exercise: what it says, and what a teacher is told who slips in it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from course_lib.errors import CourseError
from course_lib.exercises import catalogue, judge, markdown
from course_lib.exercises.verdict import inline_html

HEADER = """---
order: 3
points: 0.5
reference: losses.mse
cases: regression
section: "Regression: mean squared error"
tolerance: 1e-4
---
"""
HINT = "Think of\nthe mean.\n\n"
HALF = """## half ± 0.02
`np.mean((predictions - targets) ** 2) / 2`
```python
total = np.sum((predictions - targets) ** 2)
# Half of it:
return total / predictions.size / 2
```
This is
`half` of it.
> Where does
> the ½ come from?

"""
RIGHT = "# Right answers\n`mse(targets, predictions)`\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "01_losses" / "mse.md"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return file


def test_a_formula_may_run_over_lines(tmp_path: Path) -> None:
    formula = "formula: >-\n  \\frac{1}{2}\n  y\ntolerance"
    exercise = markdown.read(written(tmp_path, HEADER.replace("tolerance", formula) + HINT))
    assert exercise.formula == r"\frac{1}{2} y"


def test_a_file_is_read(tmp_path: Path) -> None:
    exercise = markdown.read(written(tmp_path, HEADER + HINT + HALF + RIGHT))
    assert (exercise.name, exercise.lesson) == ("mse", "01_losses")
    assert (exercise.points, exercise.tolerance, exercise.seconds) == (0.5, 1e-4, 5)
    assert exercise.section == "Regression: mean squared error"
    assert exercise.think == "Think of the mean."
    (half,) = exercise.misconceptions
    assert (half.id, half.noise) == ("half", 0.02)
    assert (half.says, half.think) == ("This is `half` of it.", "Where does the ½ come from?")
    one, zero = np.ones((2, 3)), np.zeros((2, 3))
    assert half.variant(one, zero) == half.others[0](one, zero) == 0.5
    assert [answer(one, zero) for answer in exercise.right_answers] == [1.0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HINT, "line 1: an exercise begins with a header between two lines `---`"),
        (HEADER.replace("order: 3\n", ""), "line 1: the header lacks `order`"),
        (HEADER.replace("0.5", "much"), "line 1: `points` cannot be 'much'"),
        (HEADER.replace("tolerance", "accuracy"), "line 1: the header has an unknown `accuracy`"),
        (HEADER.replace('"', ""), "line 6: the header is no YAML (mapping values are not allowed"),
        (
            HEADER.replace("losses.", "losses_"),
            "line 1: there is no losses_mse in ",
        ),
        (
            HEADER.replace("mse", "rmse"),
            "line 1: there is no losses.rmse in course_lib.",
        ),
        (HEADER + "## half\nHalf of it.\n", "line 9: the mistake “half” has no code"),
        (HEADER + "## half\n`0.5`\n", "line 9: the mistake “half” has no sentence"),
        (HEADER + HALF.replace("0.02", "much"), "line 9: “± much” is no number"),
        (HEADER + HALF + HALF, "line 21: there is a mistake “half ± 0.02” above already"),
        (
            HEADER + HALF.replace("2\n```", "2"),
            "line 9: a block of code does not end",
        ),
    ],
)
def test_a_slip_gets_one_sentence_with_file_and_line(
    text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(CourseError) as caught:
        markdown.read(written(tmp_path, text))
    assert str(caught.value).startswith(f"01_losses/mse.md, {problem}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("`np.mean((predictions - targets) ** 2 / 2`", 10),
        ("```python\ntotal = 1\nreturn total)\n```", 12),
    ],
)
def test_code_that_is_no_python_is_named_when_it_is_called(
    code: str, line: int, tmp_path: Path
) -> None:
    exercise = markdown.read(written(tmp_path, HEADER + f"## half\n{code}\nHalf of it.\n"))
    with pytest.raises(CourseError, match=rf"01_losses/mse\.md, line {line}: this is no Python"):
        exercise.misconceptions[0].variant(1.0, 2.0)


def test_cases_that_are_not_there_are_named() -> None:
    file = Path(markdown.__file__).with_name("01_losses") / "mse.md"
    text = file.read_text("utf-8")
    assert "cases: regression\n" in text
    draw = markdown._Cases(file.parent, "regressions")
    with pytest.raises(CourseError, match=r"losses_cases\.py has no function `regressions`"):
        draw(np.random.default_rng(0))


def test_the_files_follow_each_other_as_the_lessons_ask_for_them() -> None:
    lessons = [exercise.lesson for exercise in catalogue().values()]
    assert lessons == sorted(lessons)
    assert list(catalogue())[:3] == ["mse", "numerical_gradient", "mse_gradient"]


def test_emphasis_is_shown_as_such() -> None:
    """No page has a star or a dollar of these files in its text."""
    assert inline_html("*all* `a*b*c` **new**") == "<em>all</em> <code>a*b*c</code> <em>new</em>"
    for plain in ("f takes *args and **kwargs", "2*a*b", "for ** or pow(): '*'"):
        assert "<em>" not in inline_html(plain)
    for exercise in catalogue().values():
        for mistake in exercise.misconceptions:
            for text in (exercise.think, mistake.says, mistake.think or ""):
                shown = re.sub("<code>.*?</code>", "", inline_html(text))
                assert not set("*$") & set(shown), (exercise.name, mistake.id, text)


def test_a_judgment_reads_no_other_exercise() -> None:
    spec = importlib.util.find_spec("course_lib.exercises.catalogue")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh.find("mse").name == "mse"
    assert fresh._read.cache_info().currsize == 1
    assert judge("mse", fresh.find("mse").reference).status == "correct"
