"""The same code under other names is found; other code is not."""

from __future__ import annotations

import pytest

from course_lib.grading.likeness import code_prints, normal_form
from course_lib.grading.submission import parse

from .conftest import notebook

WRITTEN = '''
import numpy as np

def softmax(logits):
    """Row by row."""
    top = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits - top)
    return powers / powers.sum(axis=1, keepdims=True)
'''


def prints(*cells: str, status: str = "correct") -> dict[str, str]:
    slices = parse(notebook(*cells), ()).slices
    return code_prints(slices, [{"exercise": "softmax", "status": status}])


@pytest.mark.parametrize(
    "changed",
    [
        WRITTEN.replace("logits", "z").replace("top", "m").replace("powers", "e"),
        WRITTEN.replace("import numpy as np", "import numpy").replace("np.", "numpy."),
        WRITTEN.replace("    top", "\n    # the maximum\n    top").replace("axis=1,", "axis = 1 ,"),
        WRITTEN.replace("(logits):", "(logits: np.ndarray) -> np.ndarray:"),
        WRITTEN.replace("top =", "top: object =").replace('"""Row by row."""', ""),
        WRITTEN.replace("softmax(logits)", "softmax(top)").replace("logits", "top")
        .replace("top = top.max", "logits = top.max").replace("top - top", "top - logits"),
        "unrelated = 1\n" + WRITTEN + "softmax(np.ones((2, 2)))",
    ],
)  # fmt: skip
def test_names_layout_and_annotations_do_not_matter(changed: str) -> None:
    assert prints(changed) == prints(WRITTEN)
    assert len(prints(changed)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        WRITTEN.replace("axis=1", "axis=0"),
        WRITTEN.replace("logits - top", "top - logits"),
        WRITTEN.replace("np.exp", "np.exp2"),
        WRITTEN.replace("powers = np.exp(logits - top)", "powers = logits - top"),
        WRITTEN.replace("import numpy as np", "import math as np"),
    ],
)
def test_other_code_is_other_code(changed: str) -> None:
    assert changed != WRITTEN
    assert prints(changed) != prints(WRITTEN)


def test_helpers_belong_to_the_answer_and_their_names_do_not_matter() -> None:
    helper = "def shifted(z):\n    return z - z.max(axis=1, keepdims=True)"
    answer = "def softmax(z):\n    e = np.exp(shifted(z))\n    return e / e.sum(axis=1)[:, None]"
    one = prints(helper, answer)
    assert prints(helper.replace("shifted", "f"), answer.replace("shifted", "f")) == one
    assert prints(helper.replace("1", "-1"), answer) != one


def test_what_was_not_attempted_is_like_nothing() -> None:
    assert prints("def softmax(z):\n    raise NotImplementedError", status="not attempted") == {}
    assert prints("a = 1") == {}


def test_two_names_are_not_taken_for_one() -> None:
    assert normal_form(["def f(a, b):\n    return a + b"]) != normal_form(
        ["def f(a, b):\n    return a + a"]
    )
    inner = "def f(a):\n    def g(b):\n        return {}\n    return g"
    assert normal_form([inner.format("a")]) != normal_form([inner.format("b")])


def test_code_that_cannot_be_followed_is_left_out() -> None:
    deep = "def softmax(z):\n    return " + "-" * 800 + "z"
    assert set(prints(deep)) <= {"softmax"}
