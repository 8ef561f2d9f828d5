"""Wrong answers as learners write them, and what they are told."""

from __future__ import annotations

import inspect
import linecache
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import Verdict, catalogue, judge

PERTURBED = """
up, down = point.copy(), point.copy()
up[index] += step
down[index] -= step
"""
GRADIENT_OF_BOTH = "softmax_cross_entropy_gradient"


def answer(name: str, body: str) -> Callable[..., Any]:
    """The function that a cell with this body would define, below the other right answers."""
    parameters = ", ".join(inspect.signature(catalogue()[name].reference).parameters)
    source = f"def {name}({parameters}):\n" + textwrap.indent(body.strip("\n"), "    ") + "\n"
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {other: exercise.reference for other, exercise in catalogue().items()}
    namespace: dict[str, Any] = {**names, "np": np}
    exec(compile(source, file, "exec"), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


def loop(body: str, after: str = "return gradient") -> str:
    """A body for `numerical_gradient`."""
    return (
        "gradient = np.zeros(point.shape)\n"
        "for index in np.ndindex(point.shape):\n"
        f"{textwrap.indent(body.strip(), '    ')}\n{after}"
    )


@pytest.mark.parametrize(
    ("name", "body", "misconception"),
    [
        (
            "numerical_gradient",
            loop(
                "up, down = point.copy(), point.copy()\nup[index] += 1e-3\ndown[index] -= 1e-3\n"
                "gradient[index] = (function(up) - function(down)) / 2e-3"
            ),
            "step-ignored",
        ),
        (
            "numerical_gradient",
            loop(PERTURBED + "gradient[index] = (function(up) - function(down)) / 2 * step"),
            "divided-then-multiplied",
        ),
        (
            "numerical_gradient",
            loop(
                PERTURBED + "gradient[index] = (function(up) - function(down)) / (2 * step)\n"
                "return gradient",
                after="",
            ),
            "first-entry-only",
        ),
        (
            "numerical_gradient",
            loop(
                "up = point\ndown = point\nup[index] += step\ndown[index] -= step\n"
                "gradient[index] = (function(up) - function(down)) / (2 * step)"
            ),
            "second-name-for-the-point",
        ),
        (
            "numerical_gradient",
            loop(
                "up = point\nup[index] += step\nabove = function(up)\n"
                "down = point\ndown[index] -= step\n"
                "gradient[index] = (above - function(down)) / (2 * step)"
            ),
            "half-forward",
        ),
        (
            "numerical_gradient",
            loop(
                "down = point.copy()\ndown[index] -= step\n"
                "gradient[index] = (function(point) - function(down)) / step"
            ),
            "backward-difference",
        ),
        (
            "numerical_gradient",
            loop(
                "up, down = function(point[index] + step), function(point[index] - step)\n"
                "gradient[index] = (up - down) / (2 * step)"
            ),
            "one-number-instead-of-the-array",
        ),
        (
            "mse_gradient",
            "N, D = predictions.shape\nreturn 2 * (predictions - targets) / N * D",
            "divided-then-multiplied",
        ),
        (
            "mse_gradient",
            "N, D = predictions.shape\nreturn 2 / N * D * (predictions - targets)",
            "divided-then-multiplied",
        ),
        (
            "mse_gradient",
            "return (predictions - targets) / len(predictions)",
            "divided-by-rows-only-and-missing-2",
        ),
        (
            "mse_gradient",
            "return numerical_gradient(lambda p: mse(p, targets), predictions)",
            "finite-differences",
        ),
        (
            "mse_gradient",
            "return numerical_gradient(lambda p: ((p - targets) ** 2).sum() / p.size, predictions, "
            "1e-3)",
            "finite-differences",
        ),
        (
            "softmax",
            "e = np.exp(logits - logits.max(axis=1))\nreturn e / e.sum(axis=1)",
            "keepdims-missing-in-both",
        ),
        (
            "softmax",
            "e = np.exp(logits - logits.max(1, keepdims=True))\nreturn e / e.sum(axis=1)",
            "keepdims-missing-in-the-sum",
        ),
        (
            "softmax",
            "e = np.exp(logits - logits.max(1, keepdims=True))\nreturn e / e.sum()",
            "over-everything-after-row-maximum",
        ),
        ("softmax", "return np.exp(logits - logits.max(1, keepdims=True))", "not-divided"),
        ("softmax", "return np.exp(logits)", "not-divided-not-shifted"),
        ("softmax", "return np.exp(logits) / np.exp(logits).sum()", "over-everything"),
        (
            "cross_entropy",
            "return -np.log(np.maximum(probabilities[:, labels], 1e-7)).mean()",
            "labels-of-all-rows",
        ),
        (
            GRADIENT_OF_BOTH,
            "p = softmax(logits)\nreturn p - np.eye(logits.shape[1])[labels] / len(p)",
            "only-onehot-divided",
        ),
        (
            GRADIENT_OF_BOTH,
            "p = softmax(logits)\nreturn (p - labels[:, None]) / len(p)",
            "labels-as-numbers",
        ),
        (
            GRADIENT_OF_BOTH,
            "p = softmax(logits)\np[:, labels] -= 1\nreturn p / len(p)",
            "labels-of-all-rows",
        ),
        (
            GRADIENT_OF_BOTH,
            "p = softmax(logits)\np[np.arange(len(p)), labels] -= 1\nreturn p / p.shape[1]",
            "divided-by-classes",
        ),
        (
            GRADIENT_OF_BOTH,
            "return numerical_gradient(lambda z: softmax_cross_entropy(z, labels), logits)",
            "finite-differences",
        ),
        (
            GRADIENT_OF_BOTH,
            "rows = np.arange(len(labels))\n"
            "def loss(z):\n"
            "    return (np.logaddexp.reduce(z, axis=1) - z[rows, labels]).mean()\n"
            "return numerical_gradient(loss, logits, 1e-4)",
            "finite-differences",
        ),
    ],
)
def test_a_known_mistake_is_named(name: str, body: str, misconception: str) -> None:
    for seed in range(12):
        verdict = judge(name, answer(name, body), seed)
        assert verdict.misconception == misconception, f"seed {seed}: {verdict.message}"


def told(name: str, body: str) -> Verdict:
    verdict = judge(name, answer(name, body))
    assert verdict.points == 0
    assert verdict.misconception is None
    return verdict


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("mse", "return np.sum((predictions - targets) ^ 2)", "a power is written `**`"),
        ("mse", "return (predictions[0, 0] - targets[0, 0]) ^ 2", "a power is written `**`"),
        ("softmax", "return np.exp(logits) / np.exp(logits).sum(1)", "is `keepdims=True` missing"),
        (GRADIENT_OF_BOTH, "return labels * logits", "or `[:, None]`?"),
        (
            "mse",
            "return np.mean((predictions - targets) ** 2),",
            "Expected a single number, got a tuple of 1: does your `return` line end with a comma?",
        ),
        (
            "mse_gradient",
            "return 2 * (predictions - targets) / predictions.size,",
            "Expected an array of shape (4, 3), got a tuple of 1: does your `return` line end",
        ),
        ("mse", "return predictions, 2", "Expected a single number, got a tuple of 2."),
        ("mse", "return -np.mean((predictions - targets) ** 2)", "Your value has the right size,"),
        (
            "mse",
            "return np.sum((predictions - targets) ** 2) / predictions.shape[1]",
            "Your value is off by a factor that is the number of rows",
        ),
        (
            "cross_entropy",
            "return -np.log(probabilities[labels]).mean()",
            "on a probability of exactly zero. Ordinary inputs stay finite, but they are not right",
        ),
        (
            "numerical_gradient",
            loop(
                "up = point\ndown = point.copy()\nup[index] += step\ndown[index] -= step\n"
                "gradient[index] = (function(up) - function(down)) / (2 * step)"
            ),
            "`y = x` is only a second name",
        ),
    ],
)
def test_another_mistake_gets_a_sentence_that_helps(name: str, body: str, says: str) -> None:
    assert says in told(name, body).message


def test_an_error_of_another_kind_gets_no_advice_on_shapes() -> None:
    message = told("mse", "return predictions @ targets").message
    assert "keepdims" not in message
    assert "`**`" not in message


@pytest.mark.parametrize("body", ["return np.max((predictions - targets) ** 2)", "return 7.0"])
def test_one_number_has_no_common_factor(body: str) -> None:
    message = told("mse", body).message
    assert "factor" not in message
    assert message.startswith("On ordinary inputs (`predictions` of shape (4, 3)): expected ")


def test_common_factors_are_named_once_each() -> None:
    body = "N, D = predictions.shape\nreturn 3 ** (N % 2) * 2 * (predictions - targets)"
    message = told("mse_gradient", body + " / (5 * N * D)").message
    assert "not the same in every call: 0.2, 0.6. What do" in message


# --- NotImplementedError ------------------------------------------------------------------------

FORGOTTEN = (
    "Your function still runs into `raise NotImplementedError()`: delete that line, "
    "and end with a `return`."
)


@pytest.mark.parametrize(
    "body",
    [
        "error = predictions - targets\nraise NotImplementedError()",
        "np.mean((predictions - targets) ** 2)\nraise NotImplementedError()",
        "raise NotImplementedError()\nreturn np.mean((predictions - targets) ** 2)",
        "raise NotImplementedError()\nerror = predictions - targets\nreturn error",
    ],
)
def test_a_forgotten_stub_line_is_named(body: str) -> None:
    verdict = told("mse", body)
    assert (verdict.status, verdict.message) == ("error", FORGOTTEN)


@pytest.mark.parametrize(
    "body",
    ["raise NotImplementedError()", '"""Doc."""\n# YOUR CODE HERE\nraise NotImplementedError'],
)
def test_a_stub_is_told_what_to_do_with_it(body: str) -> None:
    verdict = told("mse", body)
    assert verdict.status == "not attempted"
    assert "attempt" not in verdict.message
    assert "`raise NotImplementedError()`" in verdict.message


def test_a_forgotten_stub_line_is_named_where_no_source_is_kept() -> None:
    namespace: dict[str, Any] = {}
    exec("def mse(p, t):\n    error = p - t\n    raise NotImplementedError()", namespace)
    assert judge("mse", namespace["mse"]).message == FORGOTTEN


def test_an_unfinished_function_that_is_called_is_pointed_at() -> None:
    def unfinished(predictions: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    function = answer("mse", "return helper(predictions)")
    function.__globals__["helper"] = eval(
        compile("lambda p: unfinished(p)", "<another cell>", "eval"), {"unfinished": unfinished}
    )
    verdict = judge("mse", function)
    assert verdict.status == "error"
    assert "raised NotImplementedError in line 2: return helper(predictions)" in verdict.message
