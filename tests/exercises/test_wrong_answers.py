"""Wrong answers as learners write them, and what they are told."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest
from learners import answers
from written import answer

from course_lib.exercises import Verdict, judge

GRADIENT_OF_BOTH = "softmax_cross_entropy_gradient"
START = "start = layer_names.index(first_trainable)\n"
LAYERS = START + "layers = np.arange(len(layer_names))\n"


def loop(body: str, after: str = "return gradient") -> str:
    """A body for `numerical_gradient`."""
    return (
        "gradient = np.zeros(point.shape)\n"
        "for index in np.ndindex(point.shape):\n"
        f"{textwrap.indent(body.strip(), '    ')}\n{after}"
    )


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
        (  # labels only as an index
            GRADIENT_OF_BOTH,
            "return logits - logits[np.arange(len(labels)), labels]",
            "or `[:, None]`?",
        ),
        ("cross_entropy", "return -np.mean(labels * np.log(probabilities))", "or make the labels"),
        (GRADIENT_OF_BOTH, "return softmax(logits) - labels", "A label says which entry of a row"),
        (
            GRADIENT_OF_BOTH,
            "return (softmax(logits) - np.eye(10)[labels]) / len(labels)",
            "The rows fit, the columns do not: where does their number come from? One that is",
        ),
        (
            "conv_output_size",
            "return np.ceil(size / stride) if padding == 'same' else (size - kernel) // stride + 1",
            "it is a float, as 5.0; a whole number is wanted: `int(x)` makes one.",
        ),
        (
            "confusion_matrix",
            "return right(labels, predictions, num_classes) / 1",
            "they are floats, as 10.0; whole numbers are wanted: `np.array(x, int)` makes them.",
        ),
        (
            "early_stopping",
            "best, last = right(validation_losses, patience)\nreturn best, last + 0.0",
            "In value 2 of the 2 that you return: The number is right, but it is a float, as ",
        ),
        (
            "early_stopping",
            "best, last = right(validation_losses, patience)\nreturn best, last / 2",
            "In value 2 of the 2 that you return: The numbers should be of type int64, yours are",
        ),
        ("mse_gradient", "return predictions - targets.T", "is a `.T` missing, or one too many?"),
        ("mse", "return predictions @ targets", "In `a @ b` the last axis of `a`"),
        (
            "known_rate",
            "return np.array([labels[groups[train] == one].mean() for one in groups[test]])",
            "one that is made from `a[rows]` chooses from `b[rows]`, not from `b`.",
        ),
        (
            "rnn_gradients",
            "return inputs[0].T @ upstream[0], None, None",
            "(If both are rows: `.T` changes nothing in a row; `np.outer(a, b)` makes the table",
        ),
        (
            "rnn_gradients",
            "return np.dot(inputs[0].T, upstream[0]), None, None",
            "). `.T` changes nothing in a row; `np.outer(a, b)` makes the table of all products.",
        ),
        (
            "clip_by_global_norm",
            "norm = sum(np.sum(g**2) for g in gradients) ** 0.5\n"
            "return gradients * min(1.0, float(max_norm / norm))",
            "go through it, `[2 * a for a in arrays]`",
        ),
        (  # not as if all errors of this kind came from joining arrays
            "clip_by_global_norm",
            "norms = np.array([np.linalg.norm(g) for g in gradients])\n"
            "return [g / norms for g in gradients] if norms > max_norm else gradients",
            "A comparison of an array has one answer for each entry",
        ),
        (
            "coral",
            "return right(source, target, epsilon) + source.T",
            "One of the two arrays lies across",
        ),
        ("clip_by_global_norm", "return sum(gradients**2)", "`[2 * a for a in arrays]`"),
        ("trainable_mask", "return is_batchnorm - True", "turned round by `~`; `-` is for numbers"),
        (
            "trainable_mask",
            "return right(layer_names, first_trainable, is_batchnorm) * 1",
            "Expected truth values, True or False (type",
        ),
        (
            "trainable_mask",
            LAYERS + "return layers >= first_trainable",
            "Text meets numbers there: is a name used",
        ),
        (
            "trainable_mask",
            LAYERS + "return layers >= start and not is_batchnorm",
            "`|` and `~` do what `and`, `or` and `not` do",
        ),
        (
            "batchnorm_moving_update",
            "return np.array([moving_mean, moving_variance]) * momentum",
            "Expected 2 values in a tuple, got an array of shape (2, 3): put commas between them",
        ),
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
            "return -2 * np.log(probabilities[np.arange(len(labels)), labels]).mean()",
            "probability of exactly zero. On ordinary inputs it stays finite, but is not right",
        ),
        (
            "numerical_gradient",
            loop(
                "up = point\ndown = point.copy()\nup[index] += step\ndown[index] -= step\n"
                "gradient[index] = (function(up) - function(down)) / (2 * step)"
            ),
            "or a second name, as in `y = x` or `y = x[:]`",
        ),
        (
            "minibatches",
            "starts = range(0, len(order), batch_size)\n"
            "return np.array([order[start : start + batch_size] for start in starts])",
            "a list takes them",
        ),
        (
            "minibatches",
            "for start in range(0, len(order), batch_size):\n"
            "    yield order[start : start + batch_size]",
            "Expected 3 values in a list, got a value of type generator (on ordinary inputs).",
        ),
        (
            "rnn_forward",
            "states = []\nfor x in inputs:\n"
            "    state[:] = np.tanh(x @ weights_in + state @ weights_recurrent + bias)\n"
            "    states.append(state)\nreturn np.stack(states)",
            "as `x = x - 1` does. What it returns is not right either. For example",
        ),
        (  # only matrices raise
            "sgd_step",
            "new = np.zeros(len(weights))\nfor i in range(len(weights)):\n"
            "    new[i] = weights[i] - learning_rate * gradient[i]\nreturn new",
            "(on some ordinary inputs)",
        ),
        (  # where ordinary numbers are right, their type is what is amiss
            "predictions_in_file_order",
            "in_order = np.zeros(len(order))\nfor position in range(len(order)):\n"
            "    in_order[order[position]] = predictions[position]\nreturn in_order",
            "raises nothing, but is right only up to the type of its numbers. For example, ",
        ),
        (  # but not where an argument is changed, too
            "predictions_in_file_order",
            "in_order = np.zeros(len(order), predictions.dtype)\n"
            "for position in range(len(order)):\n"
            "    in_order[order[position]] = predictions[position]\n"
            "predictions[:] = 0\nreturn in_order",
            "raises nothing, but is not right either.",
        ),
        (  # what was drawn raises nothing, and so no call is shown that does
            "stratified_split",
            "counts = np.bincount(labels)\nso_far = np.zeros(len(counts), int)\n"
            "chosen = np.zeros(len(order), bool)\nfor place, index in enumerate(order):\n"
            "    k = labels[index]\n    if so_far[k] <= fraction * counts[k] + 1:\n"
            "        chosen[place] = True\n    so_far[k] += 1\n"
            "return order[chosen], order[~chosen]",
            "differs, too. For example, `stratified_split(np.array([0, 0, 1, 1",
        ),
        (  # batches are of different lengths, and here is one array
            "minibatches",
            "if batch_size > len(order):\n    raise ValueError\nreturn order",
            "On ordinary inputs it raises nothing, but is not right either.",
        ),
        (  # an error in calls that nobody makes by hand
            "flip_horizontal",
            "mirrored = np.flip(images, axis=2)\n"
            "return np.where(flags[:, None, None], mirrored, images)",
            "or one is 1. Another call raises nothing, but is wrong: `flip_horizontal(",
        ),
        (  # so of numbers that are lost
            "adam_path",
            "m = v = np.zeros_like(start)\nw, path, t = start.copy(), [start.copy()], 0\n"
            "for rate in learning_rates:\n"
            "    t += 1\n    g = 2 * features.T @ (features @ w - targets) / len(targets)\n"
            "    m *= beta_1\n    m += (1 - beta_1) * g\n    v *= beta_2\n"
            "    v += (1 - beta_2) * g**2\n"
            "    w = w - rate * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)\n"
            "    path.append(w)\nreturn np.stack(path)",
            "and on 2 more kinds of calls. Another call stays finite, but is wrong: `adam_path(",
        ),
        (
            "l2_penalty",
            "return strength * np.dot(weights, weights)",
            "or is `a * b` meant, entry by entry?",
        ),
        (
            "soft_threshold",
            "return np.sign(weights) * max(np.abs(weights) - amount, 0)",
            "`np.where`, `np.maximum` and `np.minimum` take all",
        ),
        (
            "isbn_check_digit",
            "check = right(digits)\nreturn check or 'none'",
            "Expected a single number, got 'none' (on a sum that is a multiple of ten). For",
        ),
        (  # as many digits as it takes
            "ridge_weights",
            "w, spared = np.zeros(features.shape[1]), np.arange(features.shape[1])[::-1] > 0\n"
            "for _ in range(300):\n"
            "    error = features @ w - targets\n"
            "    w = w - 0.1 * (features.T @ error / len(error) + strength * spared * w)\n"
            "return w",
            "expected 0.309384793, got 0.30938535.",
        ),
    ],
)
def test_another_mistake_gets_a_sentence_that_helps(name: str, body: str, says: str) -> None:
    assert says in told(name, body).message


def test_a_known_mistake_may_be_made_in_more_ways_than_one() -> None:
    half_is_white = "return np.logaddexp(0, np.where(images >= 0.5, -1, 1) * logits).sum(axis=1)"
    name = "bernoulli_negative_log_likelihood"
    verdict = judge(name, answer(name, half_is_white))
    assert verdict.misconception == "rounded"
    assert verdict.message == "You round the gray values to black and white; take x as it is."


def test_where_an_error_is_rare_the_wrong_values_of_other_calls_are_told_too() -> None:
    by_rows = (
        "gradient = np.zeros(point.shape)\nfor i in range(len(point)):\n"
        "    up, down = point.copy(), point.copy()\n    up[i] += step\n    down[i] -= step\n"
        "    gradient[i] = (function(up) - function(down)) / (2 * step)\nreturn gradient"
    )
    verdict = told("numerical_gradient", by_rows)
    assert verdict.status == "error"
    assert "On ordinary inputs it raises nothing, but is not always right." in verdict.message
    assert verdict.message.endswith("should be [[6, 6]], yours is [[12, 12]].")


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("random_crop", "return images[:, top : top + size]", "one whole number each"),
        ("flip_horizontal", "return images * flags", "`[:, None, None]`, or one `None` more"),
        ("flip_horizontal", "return flags / images", "`[:, None, None]`, or one `None` more"),
        ("max_pool2d", "return np.zeros(len(images) / size)", "and `//` an integer"),
        ("conv2d", "return np.tensordot(images, kernels[:1], 3)", "of the same lengths"),
        ("early_stopping", "return 0, [0][len(validation_losses)]", "places are counted from 0"),
        ("mse", "return predictions.reshape(-1)[predictions.size]", "Places are counted from 0"),
        ("softmax", "return np.exp(logits) / np.exp(logits).sum().sum(axis=1)", "fewer axes there"),
        ("softmax", "return logits.max(axis=1)[:, 0]", "fewer axes there"),
        ("roc_auc", "return scores[labels == 1] > scores[labels == 0]", "`a[:, None] > b`"),
        ("fine_tune", "return x.T @ (targets * head), head", "`np.outer(a, b)` is the table"),
        ("max_pool2d_gradient", "return images * upstream", "`np.repeat(a, 2, axis=1)` gives"),
        ("max_pool2d_gradient", "return images * upstream.repeat(9)", "if no `axis` is given"),
        ("conv2d", "return images[:, 1:3] * kernels", "(Slices of one length move both their"),
        ("max_pool2d", "return images.reshape(7, 1)", "adds no entries and drops none"),
        (
            "sgd_path",
            "for rows in batches:\n    error = features[rows] @ start - targets",
            "Does the one hold chosen entries, as `a[rows]`, and the other all?",
        ),
        (
            "confusion_matrix",
            "return np.bincount(labels * num_classes).reshape(num_classes, num_classes)",
            "(`np.bincount` ends at the largest",
        ),
        (
            "predictions_in_file_order",
            "out = np.zeros(len(order))\nfor place in order:\n"
            "    out[place] = predictions[place]\nreturn out",
            "(`np.zeros_like(x)` has the shape",
        ),
        (
            "max_pool2d",
            "out = np.zeros((1, 2, 2, 1))\nout[:] = images\nreturn out",
            "has another shape than the place",
        ),
        ("best_of", "return accuracies_test[accuracies_test.max()], 0", "where the largest stands"),
        (
            "precision_recall_f1",
            "counts = np.zeros_like(confusion)\ncounts += 0.5\nreturn counts",
            "An array of whole numbers takes nothing else",
        ),
        ("residual_gradients", "return upstream + x.T @ upstream, x", "what in the other?"),
    ],
)
def test_errors_of_places_get_a_lead(name: str, body: str, says: str) -> None:
    assert says in told(name, body).message


def test_an_error_of_another_kind_gets_no_advice_on_shapes() -> None:
    message = told("mse", "return predictions @ targets").message
    assert "keepdims" not in message
    assert "`**`" not in message
    assert "`**`" not in told("trainable_mask", "return is_batchnorm - True").message


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
    assert "raised NotImplementedError in line 2: `return helper(predictions)` (" in verdict.message


# --- a collection, written without a look at the known mistakes ----------------------------------


@pytest.mark.parametrize("wrong", [pytest.param(f, id=name) for name, f in answers()])
def test_a_wrong_answer_is_named_or_shown_on_a_call(wrong: Any) -> None:
    verdict = judge(wrong.__name__, wrong)
    assert verdict.status in ("wrong", "error")
    assert verdict.misconception or verdict.counterexample, verdict.message
