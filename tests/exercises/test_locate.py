"""Where to look: the place of which one change makes a wrong answer right."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import random
import signal
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_lib.exercises import Exercise, catalogue, judge, locate
from course_lib.exercises.edits import edits
from course_lib.exercises.judge import judged
from course_lib.exercises.markdown import Code

RIGHT = {name: exercise.reference for name, exercise in catalogue().items()}


def cell(source: str, name: str, **names: Any) -> Callable[..., Any]:
    """The function of that name which a cell with this source defines, below right answers."""
    source = textwrap.dedent(source).strip("\n") + "\n"
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {**RIGHT, "np": np, **names}
    exec(compile(source, file, "exec"), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


def answer(name: str, body: str) -> Callable[..., Any]:
    """The function with this body, in the reference's parameters."""
    given = ", ".join(inspect.signature(RIGHT[name]).parameters)
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    return cell(f"def {name}({given}):\n{body}", name)


def place(name: str, function: Callable[..., Any], seconds: float = 20) -> str:
    """Without haste, so that a busy machine finds it, too."""
    judgment = judged(name, function)
    assert judgment.verdict.status in ("wrong", "error")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locate, "ONE_CALL", 10 * locate.ONE_CALL)
        return locate.place(judgment.exercise, function, judgment.trials, seconds)


@pytest.mark.parametrize(
    "lines",
    [
        "rates.append(labels[same].mean() if len(same) else {})",
        "rates.append(np.where(len(same) > 0, labels[same].sum() / max(len(same), 1), {}))",
        "if len(same):\n        rates.append(labels[same].mean())\n"
        "    else:\n        rates.append({})",
    ],
)
@pytest.mark.parametrize("number", ["0", "0.5"])
def test_a_number_that_comes_out_in_one_case_is_a_place(lines: str, number: str) -> None:
    body = "rates = []\nfor row in test:\n    same = train[groups[train] == groups[row]]\n    "
    source = f"{body}{lines.format(number)}\nreturn np.array(rates)"
    line = next(n for n, text in enumerate(source.splitlines(), 2) if f"{number})" in text)
    found = place("known_rate", answer("known_rate", source))
    assert found.startswith(f"line {line}: the expression `{number}`")


def test_sizes_that_are_written_into_the_code_are_told() -> None:
    source = """
    weights, bias = np.zeros((images.shape[1], 10)), np.zeros(10)
    losses = []
    for _ in range(steps):
        logits = images @ weights + bias
        losses.append(softmax_cross_entropy(logits, labels))
        upstream = softmax_cross_entropy_gradient(logits, labels)
        weights -= learning_rate * images.T @ upstream
        bias -= learning_rate * upstream.sum(axis=0)
    return weights, bias, np.array(losses)
    """
    verdict = judge("train_softmax", answer("train_softmax", source))
    assert verdict.message.startswith(
        "Your code writes the size 10 itself, and in other calls another is needed: "
    )
    several = source.replace("images.shape[1]", "64")
    assert (
        "the sizes 64 and 10 itself"
        in judge("train_softmax", answer("train_softmax", several)).message
    )
    taken = source.replace("10", "num_classes").replace("-= learning", "+= learning")
    assert "itself" not in judge("train_softmax", answer("train_softmax", taken)).message


def test_what_binds_less_than_a_sum_is_quoted_with_brackets() -> None:
    function = answer("mse", "return np.mean((predictions - targets) ^ 2)")
    assert place("mse", function).endswith(" in `(predictions - targets) ^ 2`")


@pytest.mark.parametrize("parts", ["0", "predictions"])
def test_an_answer_of_very_many_parts_is_not_edited(
    parts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its edits would take gigabytes of the learner's kernel."""

    def never(*_: Any) -> None:
        raise AssertionError("edits were made")

    monkeypatch.setattr(locate, "candidates", never)
    many = answer("mse", f"x = [{', '.join([parts] * 1200)}]\nreturn np.sum(predictions)")
    assert place("mse", many) == ""


@pytest.mark.parametrize(
    ("name", "body", "where"),
    [
        (
            "mse",
            "d = predictions - targets\nreturn np.sum(d ** 2)",
            "line 3: the function `np.sum`",
        ),
        (
            "resnet50_preprocess",
            """
            x = np.zeros_like(images)
            for c, mean in enumerate((103.939, 116.779, 123.68)):
                x[..., c] = images[..., 2 - c] - mean
            return x
            """,
            "line 2: the type of `np.zeros_like(images)`",
        ),
        (
            "confusion_matrix",
            """
            counts = np.zeros((num_classes, num_classes))
            for k, p in zip(labels, predictions):
                counts[k, p] += 1
            return counts
            """,
            "line 2: the type of `np.zeros((num_classes, num_classes))`",
        ),
        (
            "early_stopping",
            """
            best, kept, wait = 1e3, 0, 0
            for e, loss in enumerate(validation_losses):
                if loss < best:
                    best, kept, wait = loss, e, 0
                else:
                    wait += 1
                    if wait == patience:
                        return kept, e
            return kept, len(validation_losses) - 1
            """,
            "line 2: the number `1000.0`",
        ),
        ("mse", "d = predictions + targets\nreturn np.mean(d ** 2)", "line 2: the operator in"),
        ("mse", "d = predictions - targets\nreturn np.mean(d ** 3)", "line 3: the number 3 in"),
        ("mse", "return np.mean((predictions - targets) ** 2, axis=1)", "line 2: the axis in"),
        (
            "mse",
            """
            total = 0
            for n in range(predictions.shape[0]):
                for d in range(predictions.shape[1]):
                    total += (predictions[n, d] - targets[n, d]) ** 2
                return total / predictions.size
            """,
            "line 6: the indentation of `return total / predictions.size`",
        ),
        (
            "mse",
            """
            total = 0
            for n in range(predictions.shape[0]):
                for d in range(1, predictions.shape[1]):
                    total += (predictions[n, d] - targets[n, d]) ** 2
            return total / predictions.size
            """,
            "line 4: ",
        ),
        (
            "mse",
            """
            total = 0
            for n in range(predictions.shape[0]):
                for d in range(predictions.shape[1]):
                    total = (predictions[n, d] - targets[n, d]) ** 2
            return total / predictions.size
            """,
            "line 5: the assignment",
        ),
        (
            "softmax",
            """
            shifted = logits - logits.max(axis=1, keepdims=True)
            e = np.exp(shifted)
            return e / e.sum(axis=1)
            """,
            "line 4: the shape of `e.sum(axis=1)`",
        ),
        (
            "softmax",
            """
            e = np.exp(logits - logits.max(axis=0, keepdims=True))
            return e / e.sum(axis=0, keepdims=True)
            """,
            "line 2: the axis in `logits.max(axis=0, keepdims=True)`, and again in line 3",
        ),
        (
            "numerical_gradient",
            """
            g = np.zeros(point.shape)
            for i in np.ndindex(point.shape):
                up = point
                down = point.copy()
                up[i] += step
                down[i] -= step
                g[i] = (function(up) - function(down)) / (2 * step)
            return g
            """,
            "line 4: ",
        ),
        (
            "cross_entropy",
            """
            n = np.arange(len(labels))
            p = probabilities[labels, n]
            return -np.log(np.maximum(p, 1e-7)).mean()
            """,
            "line 3: the index in",
        ),
        (
            "ridge_weights",
            """
            n, d = features.shape
            eye = np.eye(d)
            eye[0, 0] = 0
            left = features.T @ features / n + strength * eye
            return np.linalg.solve(left, features.T @ targets / n)
            """,
            "line 4: ",
        ),
        (
            "weight_decay_step",
            "shrunk = weights * (1 - decay)\nreturn shrunk - learning_rate * gradient",
            "line 2: ",
        ),
        (
            "sgd_step",
            "weights -= learning_rate * gradient\nreturn weights",
            "line 2: what `weights -= learning_rate * gradient` changes in place",
        ),
        (
            "momentum_step",
            """
            v = momentum * velocity - learning_rate * gradient
            w = weights + velocity
            return w, v
            """,
            "line 3: the name `velocity`",
        ),
        (
            "standardize",
            """
            m, s = train.mean(axis=0), train.std(axis=0, ddof=1)
            s[s == 0] = 1
            return (train - m) / s, (other - m) / s
            """,
            "line 2: ",
        ),
        (  # what changes it first
            "binary_cross_entropy",
            """
            probabilities[probabilities < 1e-7] = 1e-7
            probabilities[probabilities > 1 - 1e-7] = 1 - 1e-7
            correct = np.where(labels == 1, probabilities, 1 - probabilities)
            return np.mean(-np.log(correct))
            """,
            "line 2: what `probabilities[probabilities < 1e-07] = 1e-07` changes in place",
        ),
        (
            "flip_horizontal",
            """
            result = images[:]
            for i in range(len(result)):
                if flags[i]:
                    result[i] = np.fliplr(images[i])
            return result
            """,
            "line 2: what `result` is: a view of `images`, or an array of its own",
        ),
        (
            "lasso_weights",
            """
            n, d = features.shape
            hessian = 2 / n * features.T @ features
            c = np.linalg.norm(hessian)
            w = np.zeros(d)
            for _ in range(steps):
                w = w - features.T @ mse_gradient(features @ w, targets) / c
                w[:-1] = soft_threshold(w[:-1], strength / c)
            return w
            """,
            "line 4: which norm `np.linalg.norm(hessian)` is",
        ),
        (  # its mean; not a whole other way of computing in the last line
            "grouped_difference",
            """
            d = np.subtract(correct_a, correct_b, dtype=float)
            names, index = np.unique(groups, return_inverse=True)
            totals = np.zeros(len(names))
            np.add.at(totals, index, d)
            return d.mean(), np.sqrt(len(names) * totals.var(ddof=1)) / len(d)
            """,
            "line 5: what is added to `d`, or taken from it",
        ),
        (  # not a function that makes all cosines positive
            "complete_relation",
            """
            goal = vectors[head] + relation
            best, best_cosine = 0, 0
            for row, vector in enumerate(vectors):
                if row == head:
                    continue
                cosine = vector @ goal / np.linalg.norm(vector) / np.linalg.norm(goal)
                if cosine > best_cosine:
                    best, best_cosine = row, cosine
            return best
            """,
            "line 3: the number `0`",
        ),
        (  # not the square of the cosine
            "cosine_with_warmup",
            """
            if step < warmup_steps:
                return base_learning_rate * step / warmup_steps
            share = (step - warmup_steps) / (total_steps - warmup_steps)
            return base_learning_rate * np.cos(share * np.pi / 2)
            """,
            "line 5: the expression `base_learning_rate * np.cos(share * np.pi / 2)`",
        ),
        ("l2_gradient", "return strength * weights", "line 2: what `strength * weights` is"),
        (
            "rnn_forward",
            """
            states = []
            for x in inputs:
                new = np.tanh(x @ weights_in + state @ weights_recurrent + bias)
                states.append(new)
            return np.array(states)
            """,
            "line 4: the name to the left",
        ),
        (
            "kl_to_standard_normal",
            "v = np.exp(log_variance)\nreturn np.sum(mean ** 2 + v - 1 + log_variance, axis=1) / 2",
            "line 3: the operator before `log_variance` in",
        ),
        (
            "reparameterize",
            "deviation = np.exp(log_variance)\nreturn mean + deviation * noise",
            "line 3: the power of `deviation`",
        ),
        (  # not the order of this line and the `return`: behind that, it would not run
            "reverse_gradient",
            "strength = min(strength, 1.0)\nreturn label_gradient - strength * domain_gradient",
            "line 2: whether it needs `min(strength, 1.0)`",
        ),
        (
            "reverse_gradient",
            "return label_gradient - (strength or 1.0) * domain_gradient",
            "line 2: the `or` in `strength or 1.0`",
        ),
        (  # not what `g` is: to write into a copy of it would change nothing
            "lasso_subgradient",
            "g = strength * np.sign(weights)\ng[np.abs(weights) < 1e-4] = 0\nreturn g",
            "line 3: ",
        ),
        (  # not the number in line 3, from which one could count, too
            "conv_output_size",
            """
            if padding == "same":
                return int(np.ceil(size / stride))
            count, begin = 0, 0
            while begin + kernel < size:
                count += 1
                begin += stride
            return count
            """,
            "line 5: the comparison `begin + kernel < size`",
        ),
        (  # not the order in line 2: where all odds are negative, none is cut off
            "importance_weights",
            """
            odds = probability_target / (1 - probability_target)
            odds = np.minimum(odds, 10)
            return odds / odds.mean()
            """,
            "line 3: whether it needs `np.minimum(odds, 10)`",
        ),
        (
            "kl_divergence_mean",
            """
            total = 0.0
            for row_p, row_q in zip(p, q):
                for a, b in zip(row_p, row_q):
                    if a == 0:
                        break
                    total += a * np.log(a / b)
            return total / len(p)
            """,
            "line 6: what `break` ends",
        ),
        (  # not the name of what is compared
            "nesterov_step",
            """
            push = learning_rate * gradient
            if not np.any(velocity):
                return weights - push, -push
            new = momentum * velocity - push
            return weights + momentum * new - push, new
            """,
            "line 3: whether it needs `if not np.any(velocity):`",
        ),
        (
            "attention",
            """
            scores = queries @ keys.T / np.sqrt(queries.shape[1])
            scores = np.where(mask[None, :] > 0, scores, -30.0)
            e = np.exp(scores - scores.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True) @ values
            """,
            "line 3: the number 30.0 in",
        ),
        (
            "standardize",
            """
            m, s = train.mean(axis=0), train.std(axis=0)
            s = np.where(s < 0.01, 1.0, s)
            return (train - m) / s, (other - m) / s
            """,
            "line 3: the number 0.01 in `s < 0.01`",
        ),
        (
            "least_squares_gradient",
            """
            g = 2 * features.T @ (features @ weights - targets) / len(targets)
            length = np.sqrt(np.sum(g**2))
            if length > 100:
                g = g * 100 / length
            return g
            """,
            "line 4: whether it needs `if length > 100:`",
        ),
        (
            "adam_step",
            """
            m = beta_1 * m + (1 - beta_1) * gradient
            v = beta_2 * v + (1 - beta_2) * gradient**2
            update = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + epsilon)
            update = np.where(gradient == 0, 0.0, update)
            return weights - learning_rate * update, m, v
            """,
            "line 5: whether it needs `np.where(gradient == 0, 0.0, update)`",
        ),
        (
            "sgd_step",
            """
            still = np.isclose(gradient, 0, atol=1e-3)
            return np.where(still, weights, weights - learning_rate * gradient)
            """,
            "line 3: whether it needs `np.where(still, weights, weights - ",
        ),
        (
            "residual_gradients",
            """
            through = upstream * (x @ weights > 0)
            by_weights = x.T @ through
            by_weights = by_weights * (weights != 0)
            return upstream + through @ weights.T, by_weights
            """,
            "line 4: a factor of `by_weights * (weights != 0)`",
        ),
        (
            "hidden_layer_gradients",
            """
            slope = np.where(hidden > 0, 1.0, 0.01)
            at_hidden = upstream @ weights_out.T * slope
            return x.T @ at_hidden, at_hidden.sum(0), hidden.T @ upstream, upstream.sum(0)
            """,
            "line 2: the number 0.01",
        ),
        (
            "complete_relation",
            """
            goal = vectors[head] + relation
            cosines = vectors @ goal / np.linalg.norm(vectors, axis=1) / np.linalg.norm(goal)
            cosines[head] = 0
            return int(cosines.argmax())
            """,
            "line 4: the number `0`",
        ),
        (
            "predictions_in_file_order",
            """
            result = np.zeros(predictions.shape, dtype=int)
            for i, file in enumerate(order):
                result[file] = predictions[i]
            return result
            """,
            "line 2: `dtype` in `np.zeros(predictions.shape, dtype=int)`",
        ),
        # --- what is left out comes before what is exchanged ---
        (  # not the operator in `n - 1`: `n * 1` is `n`
            "standardize",
            """
            n = len(train)
            m = train.sum(axis=0) / n
            s = np.sqrt(((train - m) ** 2).sum(axis=0) / (n - 1))
            s[s == 0] = 1
            return (train - m) / s, (other - m) / s
            """,
            "line 4: a term of `n - 1`",
        ),
        (  # not the comparison: `lengths >= 0` is always true
            "relation_vector",
            """
            steps = tails - heads
            lengths = np.linalg.norm(steps, axis=1, keepdims=True)
            lengths[lengths == 0] = 1
            return (steps / lengths).mean(axis=0)
            """,
            "line 5: a factor of `steps / lengths`",
        ),
        (  # not the brackets: accuracies have no sign
            "transfer_gain",
            """
            gains = np.abs(transferred - scratch)
            return gains.mean(), np.std(gains, ddof=1) / np.sqrt(len(gains))
            """,
            "line 2: the function in `np.abs(transferred - scratch)`",
        ),
        (  # not its order with the loop: zeros can be divided
            "residual_gradients",
            """
            back = upstream * (x @ weights > 0)
            by_weights = np.zeros_like(weights)
            for a, b in zip(x, back):
                by_weights += np.outer(a, b)
            by_weights /= len(x)
            return upstream + back @ weights.T, by_weights
            """,
            "line 6: whether it needs `by_weights /= len(x)`",
        ),
        (  # not the number 2
            "linear_probe_gradients",
            """
            p = softmax(features @ weights + bias)
            p[np.arange(len(labels)), labels] -= 1
            by_weights = features.T @ p / len(labels)
            by_bias = p.mean(axis=0)
            return by_weights + 2 * strength * weights, by_bias + 2 * strength * bias
            """,
            "line 6: a term of `by_bias + 2 * strength * bias`",
        ),
        (  # not the operator in `1 - mask`
            "attention",
            """
            scores = queries @ keys.T / np.sqrt(keys.shape[1])
            scores = scores - 10.0 * (1 - mask)
            e = np.exp(scores - scores.max(axis=1, keepdims=True))
            return (e / e.sum(axis=1, keepdims=True)) @ values
            """,
            "line 3: the number 10.0 in `10.0 * (1 - mask)`",
        ),
        # --- the last lines come first ---
        (  # not the order of the arguments in line 3
            "relation_vector",
            """
            total = np.zeros(heads.shape[1])
            for h, t in zip(heads, tails):
                total += h - t
            return total / len(heads)
            """,
            "line 4: the order in `h - t`",
        ),
        (
            "reparameterize_gradients",
            """
            deviation = np.sqrt(np.exp(log_variance))
            by_variance = deviation * noise
            return upstream * 1.0, upstream * by_variance
            """,
            "line 4: what `upstream * by_variance` is",
        ),
        (
            "isbn_check_digit",
            """
            total = 0
            for place, digit in enumerate(digits):
                if place % 2:
                    total += 3 * int(digit)
                else:
                    total += int(digit)
            return total % 10
            """,
            "line 8: the sign of `total`",
        ),
        (
            "masked_token_loss",
            """
            total, n = 0.0, 0
            for row, target, m in zip(logits, targets, masked):
                if m:
                    continue
                shifted = row - row.max()
                total += np.log(np.exp(shifted).sum()) - shifted[target]
                n += 1
            return total / max(n, 1)
            """,
            "line 4: the condition `m`",
        ),
        # --- what it is called ---
        (
            "rmsprop_step",
            """
            new = average + rho * (gradient**2 - average)
            return weights - learning_rate * gradient / np.sqrt(new + epsilon), new
            """,
            "line 2: whether `rho` or 1 \N{MINUS SIGN} `rho` is meant",
        ),
        (
            "clip_by_global_norm",
            """
            norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
            if norm == 0:
                return [g + 0.0 for g in gradients]
            return [g * (max_norm / norm) for g in gradients]
            """,
            "line 5: a function missing around `max_norm / norm`",
        ),
        (
            "isbn_check_digit",
            """
            total = sum((1, 3)[i % 2] * int(d) for i, d in enumerate(digits))
            check = (11 - total % 11) % 11
            return 0 if check == 10 else check
            """,
            "line 3: the number 11 in `11 - total % 11`, and again in the same line",
        ),
        (  # it stands there twice
            "weight_decay_step",
            """
            stepped = weights - learning_rate * gradient
            stepped = stepped - learning_rate * decay * stepped
            return stepped
            """,
            "line 3: the name `stepped`, in `learning_rate * decay * stepped`",
        ),
        (  # the same slip in two lines
            "distillation_loss",
            """
            def logs(z):
                z = z - z.max(axis=1, keepdims=True)
                return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

            t = logs(teacher_logits) / temperature
            s = logs(student_logits) / temperature
            return temperature**2 * (np.exp(t) * (t - s)).sum() / len(t)
            """,
            "line 6: the brackets in `logs(teacher_logits) / temperature`, and again in line 7",
        ),
        (  # no function of zeros
            "max_pool2d",
            """
            n, h, w, c = images.shape
            out = np.zeros((n, h // size, w // size, c))
            for i in range(h // size * size):
                for j in range(w // size * size):
                    here = out[:, i // size, j // size]
                    out[:, i // size, j // size] = np.maximum(here, images[:, i, j])
            return out
            """,
            "line 3: the numbers that `np.zeros((n, h // size, w // size, c))` is filled with",
        ),
        (  # its shape is the same without and with the transpose
            "confusion_matrix",
            """
            cell = predictions * num_classes + labels
            counts = np.bincount(cell, minlength=num_classes * num_classes)
            return counts.reshape(num_classes, num_classes)
            """,
            "line 4: the order of the axes of `counts.reshape(num_classes, num_classes)`",
        ),
        (  # two numbers, which are the same by chance
            "conv_output_size",
            """
            if padding == "same":
                pad = (kernel - 1) // 2
            else:
                pad = 0
            return (size + 2 * pad - kernel) // stride + 1
            """,
            "line 3: the number 2 in `(kernel - 1) // 2`, and in line 6 that in `2 * pad`",
        ),
        (
            "softmax",
            """
            result = np.asarray(logits, dtype=float)
            for n in range(result.shape[0]):
                row = np.exp(result[n] - np.max(result[n]))
                result[n] = row / np.sum(row)
            return result
            """,
            "line 2: what `result` is: a second name for `logits`, or an array of its own",
        ),
        (  # its second line is no line that could be exchanged
            "adamw_step",
            """
            weights, m, v = adam_step_keras(
                weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon
            )
            weights = weights - learning_rate * weight_decay * weights
            return weights, m, v
            """,
            "line 2: the order of this statement and the next, in line 5",
        ),
        (  # which of the three
            "mse_gradient",
            """
            n, d = predictions.shape
            difference = predictions - targets
            return 2 * difference / n * d
            """,
            "line 4: the operator before `d` in `2 * difference / n * d`",
        ),
        (  # not in the bare name that is returned
            "kl_gradients",
            """
            variance = np.exp(log_variance)
            by_mean = 1.0 * mean
            by_log_variance = 0.5 * (1 - 1 / variance)
            return by_mean, by_log_variance
            """,
            "line 4: what `0.5 * (1 - 1 / variance)` is multiplied or divided by",
        ),
        (
            "mse_gradient",
            """
            gradient = np.zeros(predictions.shape)
            rows, columns = predictions.shape
            for i in range(rows):
                for j in range(columns):
                    gradient[i, j] = (predictions[i, j] - targets[i, j]) / (rows * columns)
            return gradient
            """,
            "line 6: what `(predictions[i, j] - targets[i, j]) / (rows * columns)` is multiplied",
        ),
        (  # it is not to be kept
            "rmsprop_step",
            """
            average = rho * average + (1 - rho) * gradient ** 2 + epsilon
            update = gradient * average ** -0.5
            return weights - learning_rate * update, average
            """,
            "line 2: a term of `rho * average + (1 - rho) * gradient ** 2 + epsilon`, which",
        ),
        (  # where names are exchanged, not where they are used as they are called
            "random_crop",
            """
            n, h, w, c = images.shape
            out = np.zeros((n, size, size, c))
            for i in range(n):
                x, y = top[i], left[i]
                out[i] = images[i, y : y + size, x : x + size]
            return out
            """,
            "line 5: the order in `(x, y)`",
        ),
        (  # `output` is right: a mask is made of it
            "residual_gradients",
            """
            hidden = x @ weights
            output = x + np.maximum(hidden, 0)
            masked = upstream.copy()
            masked[output <= 0] = 0
            return upstream + masked @ weights.T, x.T @ masked
            """,
            "line 5: the name `output`",
        ),
        (  # not `1 - confidence`, with the bins turned round
            "expected_calibration_error",
            """
            confidence = probabilities.max(axis=1)
            right = probabilities.argmax(axis=1) == labels
            which = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
            sum_confidence = np.bincount(which, weights=confidence, minlength=num_bins)
            sum_right = np.bincount(which, weights=right, minlength=num_bins)
            return np.abs(sum_confidence - sum_right).sum() / len(labels)
            """,
            "line 4: the rounding in `(confidence * num_bins).astype(int)`",
        ),
        (  # not `n` in the error of the mean
            "transfer_gain",
            """
            differences = transferred - scratch
            n = len(differences)
            mean = np.sum(differences) / n
            variance = np.sum((differences - mean) ** 2) / n
            return mean, np.sqrt(variance) / np.sqrt(n)
            """,
            "line 5: what is added to `n`, or taken from it",
        ),
        (  # not the sum of what the helper gives
            "mmd_squared",
            """
            def inside(x):
                n = len(x)
                total = 0.0
                for i in range(n):
                    for j in range(i + 1, n):
                        total += np.exp(-gamma * np.sum((x[i] - x[j]) ** 2))
                return total / (n * (n - 1))

            cross = np.mean(
                [[np.exp(-gamma * np.sum((s - t) ** 2)) for t in target] for s in source]
            )
            return inside(source) + inside(target) - 2 * cross
            """,
            "line 8: what `total / (n * (n - 1))` is multiplied or divided by",
        ),
        (  # not the order in `[p, r, f1]`
            "precision_recall_f1",
            """
            rows = []
            for k in range(len(confusion)):
                tp = confusion[k, k]
                fp = sum(confusion[k, j] for j in range(len(confusion)) if j != k)
                fn = sum(confusion[j, k] for j in range(len(confusion)) if j != k)
                p = tp / (tp + fp) if tp + fp > 0 else 0.0
                r = tp / (tp + fn) if tp + fn > 0 else 0.0
                f1 = 2 * p * r / (p + r) if p + r > 0 else 0.0
                rows.append([p, r, f1])
            return np.array(rows)
            """,
            "line 5: the index in `confusion[k, j]`, and in line 6 that in `confusion[j, k]`",
        ),
        (  # not `np.fmax`, which passes over NaN
            "soft_threshold",
            """
            factor = 1 - amount / np.abs(weights)
            factor = np.maximum(factor, 0)
            return weights * factor
            """,
            "line 2: a function missing around `np.abs(weights)`",
        ),
        (  # not 1.0 in the place of what guards against zeros
            "mean_pool",
            """
            real = tokens[mask > 0]
            lengths = np.linalg.norm(real, axis=1, keepdims=True)
            lengths = np.where(lengths == 0, 1.0, lengths)
            mean = (real / lengths).mean(axis=0)
            return mean / np.linalg.norm(mean)
            """,
            "line 5: a factor of `real / lengths`",
        ),
        (  # where the mask is missing, not where it would do for both
            "hidden_layer_gradients",
            """
            d_hidden = upstream @ weights_out.T
            relu_on = np.where(hidden > 0, 1.0, 0.0)
            d_weights_in = x.T @ (d_hidden * relu_on)
            d_bias_in = d_hidden.sum(axis=0)
            return d_weights_in, d_bias_in, hidden.T @ upstream, upstream.sum(axis=0)
            """,
            "line 5: what `d_hidden` is multiplied or divided by",
        ),
        (  # no brackets are meant, but no term
            "random_crop",
            """
            n, height, width, _ = images.shape
            top = np.clip(top, 0, max(height - size - 1, 0))
            left = np.clip(left, 0, max(width - size - 1, 0))
            rows = top[:, None] + np.arange(size)
            columns = left[:, None] + np.arange(size)
            return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
            """,
            "line 3: a term of `height - size - 1`, and again in line 4",
        ),
        (  # not the name that is returned
            "reparameterize_gradients",
            """
            sigma = np.exp(log_variance / 2)
            by_log_variance = 0.5 * sigma * noise * upstream
            by_mean = np.ones(upstream.shape)
            return by_mean, by_log_variance
            """,
            "line 4: the expression `np.ones(upstream.shape)`",
        ),
        (  # not the brackets, with which there never is an X
            "isbn_check_digit",
            """
            total = sum(w * int(d) for w, d in zip([1, 3] * 6, digits))
            check = 10 - total % 10
            if check == 10:
                return "X"
            return check
            """,
            "line 5: the value `'X'`",
        ),
        (  # not `predictions != targets + 0.5`, or so
            "mse_gradient",
            """
            error = predictions - targets
            wrong = error != 0
            gradient = np.zeros_like(error)
            gradient[wrong] = 2 * error[wrong] / max(wrong.sum(), 1)
            return gradient
            """,
            "line 5: the expression `wrong.sum()`",
        ),
        (  # the bound, not what is made of it
            "proxy_a_distance",
            """
            best = min(error, 1 - error)
            return 2 * (1 - 2 * best)
            """,
            "line 2: the bound in `min(error, 1 - error)`",
        ),
        (  # nothing divides the bias
            "conv2d",
            """
            N, H, W, C = images.shape
            h, w, _, F = kernels.shape
            out = np.zeros((N, H - h + 1, W - w + 1, F))
            for c in range(C):
                for f in range(F):
                    for i in range(H - h + 1):
                        for j in range(W - w + 1):
                            window = images[:, i : i + h, j : j + w, c]
                            out[:, i, j, f] += (window * kernels[:, :, c, f]).sum((1, 2)) + bias[f]
            return out
            """,
            "line 10: how often `bias[f]` is added",
        ),
        (  # what is read once, where it is assigned
            "receptive_field",
            """
            jumps = np.cumprod(strides)
            field = 1
            for i, k in enumerate(kernels):
                field = field + (k - 1) * int(jumps[i])
            return field
            """,
            "line 2: what `np.cumprod(strides)` is multiplied or divided by",
        ),
        (  # names given to what is made of themselves are in order
            "lstm_step",
            """
            z = inputs @ weights_in + hidden @ weights_recurrent + bias
            f, i, g, o = np.split(z, 4)
            f, i, o = (1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-o)))
            cell = f * cell + i * np.tanh(g)
            return o * np.tanh(cell), cell
            """,
            "line 3: the order in `(f, i, g, o)`",
        ),
        (  # it is not 1 - length that is meant, but the minus before it that is not
            "last_valid",
            "return np.stack([row[-length] for row, length in zip(states, lengths)])",
            "line 2: the expression `-length`",
        ),
        (
            "expected_calibration_error",
            """
            confidence = np.max(probabilities, axis=1)
            correct = np.argmax(probabilities, axis=1) == labels
            bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
            total = 0.0
            for b in np.unique(bins):
                in_bin = bins == b
                total += in_bin.sum() * abs(confidence[in_bin].mean() - correct[in_bin].mean())
            return float(total / len(labels))
            """,
            "line 4: the rounding in `(confidence * num_bins).astype(int)`, and from which number",
        ),
        (  # a function is there, and another is meant
            "proxy_a_distance",
            "advantage = 1 - 2 * error\nreturn 2 * abs(advantage)",
            "line 3: the function in `abs(advantage)`",
        ),
        (  # the deviation is right
            "transfer_gain",
            """
            gains = [t - s for t, s in zip(transferred, scratch)]
            dof = len(gains) - 1
            mean = sum(gains) / len(gains)
            spread = np.sqrt(sum((g - mean) ** 2 for g in gains) / dof)
            return mean, spread / np.sqrt(dof)
            """,
            "line 6: what is added to `dof`, or taken from it",
        ),
        (
            "conv2d",
            """
            h, w = kernels.shape[:2]
            windows = np.lib.stride_tricks.sliding_window_view(images, (h, w), axis=(1, 2))
            return np.einsum("nijcuv,vucf->nijf", windows, kernels) + bias
            """,
            "line 4: the letters in `np.einsum(",
        ),
        (
            "adam_path",
            """
            t = len(learning_rates)
            path = [start]
            m, v = np.zeros(len(start)), np.zeros(len(start))
            for i in range(t):
                residual = features @ path[-1] - targets
                g = 2 * features.T @ residual / len(targets)
                m = beta_1 * m + (1 - beta_1) * g
                v = beta_2 * v + (1 - beta_2) * g**2
                a = m / (1 - np.power(beta_1, t))
                b = v / (1 - beta_2 ** (i + 1))
                path.append(path[-1] - learning_rates[i] * a / (np.sqrt(b) + epsilon))
            return np.array(path)
            """,
            "line 10: the name `t`",
        ),
        (  # no count is one off to round it up or down
            "minibatches",
            """
            full = len(order) // batch_size
            batches = []
            for i in range(full):
                batches.append(order[i * batch_size : (i + 1) * batch_size])
            batches.append(order[full * batch_size :])
            return batches
            """,
            "",
        ),
    ],
)
def test_one_change_is_placed(name: str, body: str, where: str) -> None:
    found = place(name, answer(name, body))
    assert found.startswith(where), found


def test_a_number_is_called_what_it_is() -> None:
    source = "def f(d, i, x):\n    return d[d != 0] + x[2 * i + 1] + max(x, 1.0) + np.max(x, 1)"
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    told = {edit.told() for edit in edits(function)}
    assert {"the number 0 in `d != 0`", "the number 1.0 in `max(x, 1.0)`"} <= told
    assert {"the index 1 in `2 * i + 1`", "the axis in `np.max(x, 1)`"} <= told
    assert not told & {"the index 0 in `d != 0`", "the axis in `max(x, 1.0)`"}


@pytest.mark.parametrize(
    ("name", "body", "where"),
    [
        (  # the shift by the maximum is missing
            "softmax",
            "e = np.exp(logits)\nreturn e / e.sum(axis=1, keepdims=True)",
            "line 2: the expression `logits`",
        ),
        (  # the clip
            "cross_entropy",
            "p = probabilities[np.arange(len(labels)), labels]\nreturn np.mean(-np.log(p))",
            "line 2: the expression `probabilities[np.arange(len(labels)), labels]`",
        ),
        (  # one-hot
            "softmax_cross_entropy_gradient",
            "p = softmax(logits)\nreturn (p - labels[:, None]) / len(p)",
            "line 3: the expression `labels[:, None]`",
        ),
        (  # where the name is made, not where it is read
            "softmax_cross_entropy",
            """
            log_sum = np.log(np.exp(logits).sum(axis=1))
            chosen = logits[np.arange(len(labels)), labels]
            return (log_sum - chosen).mean()
            """,
            "line 2: the expression `np.log(np.exp(logits).sum(axis=1))`",
        ),
        (  # the whole of a right answer is no part of it
            "last_valid",
            """
            result = []
            for sequence in states:
                real = [row for row in sequence if np.any(row)]
                result.append(real[-1] if real else sequence[0])
            return np.array(result)
            """,
            "",
        ),
        (  # not `hessian`, of which the diagonal is asked for
            "largest_stable_learning_rate",
            "curvatures = np.diag(hessian)\nreturn 2.0 / curvatures.max()",
            "line 2: the expression `np.diag(hessian)`",
        ),
        (  # nor is nearly all of it: what breaks is the clipping in line 3
            "negative_elbo",
            """
            p = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
            p = np.clip(p, 1e-7, 1 - 1e-7)
            log_likelihood = images * np.log(p) + (1 - images) * np.log(1 - p)
            loss = -log_likelihood.sum(axis=1)
            return np.mean(loss + kl_to_standard_normal(mean, log_variance))
            """,
            "",
        ),
        (  # no function of it alone
            "class_weights",
            """
            counts = np.maximum(np.bincount(labels, minlength=num_classes), 1)
            return len(labels) / (num_classes * counts)
            """,
            "line 3: the expression `len(labels) / (num_classes * counts)`",
        ),
        (  # the whole solution, once for each map, would be right by the division alone
            "grad_cam",
            """
            heat = np.zeros(feature_maps.shape[:2])
            for k in range(feature_maps.shape[2]):
                weight = gradients[:, :, k].mean()
                heat += np.maximum(weight * feature_maps[:, :, k], 0)
            return heat / heat.max() if heat.max() > 0 else heat
            """,
            "",
        ),
        (  # not `-total`, without the total
            "isbn_check_digit",
            """
            digits = [int(d) for d in digits]
            total = 3 * sum(digits[0::2]) + sum(digits[1::2])
            return -total % 10
            """,
            "line 3: the expression `3 * sum(digits[0::2]) + sum(digits[1::2])`",
        ),
        (  # not `logits - biggest` in `logits[...]`
            "softmax_cross_entropy",
            """
            n = len(logits)
            biggest = np.max(logits, axis=1, keepdims=True)
            log_sum = np.log(np.sum(np.exp(logits - biggest), axis=1))
            right = logits[np.arange(n), labels]
            return np.sum(log_sum - right) / n
            """,
            "line 4: the expression `np.log(np.sum(np.exp(logits - biggest), axis=1))`",
        ),
        (  # not the index
            "best_of",
            """
            epoch = 0
            while epoch + 1 < len(accuracies_validation):
                if accuracies_validation[epoch + 1] <= accuracies_validation[epoch]:
                    break
                epoch += 1
            return accuracies_test[epoch]
            """,
            "line 4: the expression `accuracies_validation[epoch + 1]`",
        ),
        (  # added where it is assigned, not in the root
            "transfer_gain",
            """
            n = len(transferred)
            gain = np.mean(transferred) - np.mean(scratch)
            variance = np.var(transferred, ddof=1) + np.var(scratch, ddof=1)
            return gain, np.sqrt(variance / n)
            """,
            "line 4: what is added to `np.var(transferred, ddof=1) "
            "+ np.var(scratch, ddof=1)`, or taken from it",
        ),
        (  # not instead of what is filled entry by entry
            "roc_auc",
            """
            ranks = np.empty(len(scores))
            ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
            ones = np.sum(labels == 1)
            u = ranks[labels == 1].sum() - ones * (ones + 1) / 2
            return float(u / (ones * (len(labels) - ones)))
            """,
            "",
        ),
        (  # not instead of a slice of an own list
            "head_parameters",
            """
            features = channels
            if pooling == "flatten":
                features *= height * width
            sizes = [features, hidden, classes]
            count = 0
            for a, b in zip(sizes[:-1], sizes[1:]):
                count += a * b + b
            return count
            """,
            "",
        ),
        (  # not what the answer decides itself
            "conv_output_size",
            """
            p = 0
            if padding == "same":
                p = kernel // 2
            return (size + 2 * p - kernel) // stride + 1
            """,
            "",
        ),
        (  # not in place of what the lines above have made
            "linear_probe_gradients",
            """
            probs = softmax(features @ weights + bias)
            probs[:, labels] -= 1
            probs = probs / len(labels)
            return np.einsum("nd,nc->dc", features, probs) + 2 * strength * weights, probs.sum(0)
            """,
            "",
        ),
        (  # not in place of what a loop has gathered
            "balanced_accuracy",
            """
            scores = []
            for c in range(num_classes):
                if c not in labels:
                    continue
                said = predictions == c
                right = np.sum(said & (labels == c))
                scores.append(right / max(said.sum(), 1))
            return sum(scores) / len(scores)
            """,
            "",
        ),
        (  # not by an infinity in place of an error
            "cosine_with_warmup",
            """
            slope = base_learning_rate / warmup_steps
            done = (step - warmup_steps) / (total_steps - warmup_steps)
            falling = 0.5 * base_learning_rate * (1 + np.cos(np.pi * done))
            return slope * step if step < warmup_steps else falling
            """,
            "line 2: a function missing around `warmup_steps`",
        ),
        (  # nothing is made zeros
            "grad_cam",
            """
            alpha = gradients.mean(axis=(0, 1))
            cam = np.maximum(feature_maps @ alpha, 0)
            low, high = cam.min(), cam.max()
            if high == low:
                return cam
            return (cam - low) / (high - low)
            """,
            "line 4: the expression `cam.min()`",
        ),
    ],
)
def test_a_part_of_a_right_answer_is_placed(name: str, body: str, where: str) -> None:
    found = place(name, answer(name, body))
    assert found == where


def test_answers_with_ranks_and_plain_statistics_are_tried() -> None:
    auc = """
        from scipy.stats import rankdata
        def roc_auc(labels, scores):
            ones = int(np.sum(labels == 1))
            zeros = len(labels) - ones
            ranks = rankdata(scores)[labels == 1].sum()
            return float((ranks - ones * ones / 2) / (ones * zeros))
    """
    assert place("roc_auc", cell(auc, "roc_auc")).startswith("line 5: what is added to `ones`")


@pytest.mark.parametrize(
    ("name", "body", "trick"),
    [
        (
            "kl_gradients",
            "n = mean.shape[0]\nreturn mean / n, (np.exp(log_variance) - 1) / 2 / n",
            "mean.shape[0] / len(mean)",
        ),
        (
            "proxy_a_distance",
            "error = 1 - error if error > 0.5 else error\nreturn 2 * (1 - 2 * error)",
            "1 - error - (0.5 - error)",
        ),
        ("rnn_forward", "x = np.zeros((len(inputs), len(bias)))\nreturn x", "bias))) + [state]"),
        (
            "conv2d",
            """
            total = np.zeros(images.shape[:3])
            for c in range(images.shape[3]):
                total += images[..., c] + bias[0]
            return total
            """,
            "images[..., c] + bias[0] / len(images)",
        ),
        (
            "paired_bootstrap",
            """
            count = 0
            for rows in resamples:
                count += correct_a[rows].mean() <= correct_b[rows].mean()
            return count / len(resamples)
            """,
            ".mean() <= (sum(",
        ),
        (
            "weight_decay_step",
            """
            stepped = weights - learning_rate * gradient
            shrink = 1 - learning_rate * decay
            return stepped * shrink
            """,
            "gradient / (1 - ",
        ),
        (
            "minibatches",
            "count = -(-len(order) // batch_size)\nreturn list(np.array_split(order, count))",
            "= range(",
        ),
        (
            "complete_relation",
            """
            goal = vectors[head] + relation
            distances = [
                np.linalg.norm(v - goal) if i != head else np.inf for i, v in enumerate(vectors)
            ]
            return int(np.argmin(distances))
            """,
            "enumerate(vectors / __numpy__",
        ),
    ],
)
def test_nothing_is_right_by_a_trick(name: str, body: str, trick: str) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(answer(name, body)))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    for edit in locate.candidates(tree, catalogue()[name], (), {}):
        with edit.made():
            assert trick not in ast.unparse(tree)


@pytest.mark.parametrize("name", ["nesterov_step", "mixup", "numerical_gradient"])
def test_nothing_is_replaced_by_what_stood_in_memory(name: str) -> None:
    exercise = catalogue()[name]
    body = f"x = np.zeros(3)\nreturn {', '.join(inspect.signature(RIGHT[name]).parameters)}"
    tree = ast.parse(textwrap.dedent(inspect.getsource(answer(name, body)))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    for edit in locate.candidates(tree, exercise, (), {}):
        with edit.made():
            assert "empty" not in ast.unparse(tree)


def test_what_an_edit_leaves_empty_is_not_right_by_chance() -> None:
    """Moved into the `if`, the last line of the loop leaves an old state where it was in memory."""
    still = """
        states = np.empty((len(inputs), len(bias)))
        for t, x in enumerate(inputs):
            if np.any(x):
                state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)
            states[t] = state
        return states
    """
    found = place("rnn_forward", answer("rnn_forward", still))
    assert found == "line 4: the condition in `if np.any(x):`"


def test_no_edit_counts_out_of_bounds() -> None:
    """An infinity made an integer, less one, is the largest: it would end the process."""
    by_the_label = """
        confidence = probabilities[np.arange(len(labels)), labels]
        right = probabilities.argmax(axis=1) == labels
        bins = np.maximum(np.ceil(confidence * num_bins).astype(int) - 1, 0)
        gaps = np.bincount(bins, weights=confidence - right, minlength=num_bins)
        return float(np.abs(gaps).sum() / len(labels))
    """
    name = "expected_calibration_error"
    bincount = np.bincount
    assert place(name, answer(name, by_the_label)).startswith("line 2:")
    assert np.bincount is bincount


def test_the_place_comes_with_the_verdict_when_asked_for() -> None:
    wrong = answer("mse", "return np.sum((predictions - targets) ** 2)")
    assert judge("mse", wrong).place == ""
    assert judge("mse", wrong, locate=True).place == "line 2: the function `np.sum`"
    assert judge("mse", RIGHT["mse"], locate=True).place == ""
    stub = answer("mse", "raise NotImplementedError()")
    assert judge("mse", stub, locate=True).place == ""


def test_it_names_a_line_and_never_the_edit() -> None:
    found = place("mse", answer("mse", "return np.median((predictions - targets) ** 2)"))
    assert found == "line 2: the function `np.median`"


def test_it_says_so_where_one_change_has_to_be_made_twice() -> None:
    wrong = """
        pad = 0
        if padding == "same":
            pad = (kernel - 1) // 2
        return (size + 2 * pad - kernel) // stride + 1
    """
    twice = judge("conv_output_size", answer("conv_output_size", wrong), locate=True).hints[-1]
    assert twice.startswith(
        "Line 4 of your function: the number 2 in `(kernel - 1) // 2`, and in line 5"
    )
    assert twice.endswith("The same change in each of them makes it right.")
    once = judge("mse", answer("mse", "return np.sum((predictions - targets) ** 2)"), locate=True)
    assert once.hints[-1].endswith("One change there makes it right.")


def test_nothing_is_warned_of() -> None:
    body = "if len(predictions) is 3:\n    pass\nreturn np.sum((predictions - targets) ** 2) / 7"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        function = answer("mse", body)
    judgment = judged("mse", function)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        locate.place(judgment.exercise, function, judgment.trials, 1.0)
    assert not warned


# --- what is tried, and what it leaves behind ----------------------------------------------------


def test_nothing_of_the_learner_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    source = """
    calls = [0]
    seen = {}
    scale = np.array([2.0])

    def helper(x):
        global last
        last = x
        seen[len(seen)] = 1
        return x ** scale

    def make():
        inside = []
        def mse(predictions, targets, more=[]):
            calls[0] += 1
            inside.append(1)
            more.append(1)
            print("in here")
            if inside:
                print("and deeper")
            np.random.normal()
            return np.sum(helper(predictions - targets))
        return mse

    mse = make()
    """
    function = cell(source, "mse")
    judgment = judged("mse", function)
    capsys.readouterr()
    names = function.__globals__
    (inside,) = (c.cell_contents for c in function.__closure__ or ())  # type: ignore[attr-defined]
    (more,) = function.__defaults__  # type: ignore[attr-defined]
    counts = names["calls"][0], len(names["seen"]), len(inside), len(more), id(names["last"])
    states = repr(np.random.get_state()), random.getstate(), function.__code__, dict(names)
    found = locate.place(judgment.exercise, function, judgment.trials, 20)
    assert found == "line 9: the function `np.sum`"
    after = names["calls"][0], len(names["seen"]), len(inside), len(more), id(names["last"])
    assert after == counts
    now = repr(np.random.get_state()), random.getstate(), function.__code__, dict(names)
    assert now[:3] == states[:3]
    assert now[3].keys() == states[3].keys()
    assert all(now[3][name] is value for name, value in states[3].items())
    assert capsys.readouterr().out == ""


class Thing:
    count = 0


NOT_TRIED = """
open: open("/dev/null")
os: os.getcwd()
input: input()
exec: exec("1")
imported: __import__("os")
import: import subprocess
saved: np.save("/dev/null", predictions)
to a file: predictions.tofile("/dev/null")
memory: np.lib.stride_tricks.as_strided(predictions, (2, 2), (8, 8))
memory by its name: as_strided(predictions, (2, 2), (8, 8))
dunder: predictions.__class__
an object: thing.count
a helper: helper()
long: len(long)
"""


@pytest.mark.parametrize("line", NOT_TRIED.strip().splitlines())
def test_what_does_more_than_compute_is_not_tried(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def function(line: str) -> Callable[..., Any]:
        source = f"""
        def helper():
            return open("/dev/null")

        def mse(predictions, targets):
            if len(predictions) > 99:
                {line}
            return np.sum((predictions - targets) ** 2)
        """
        return cell(
            source,
            "mse",
            os=os,
            thing=Thing(),
            long=list(range(2000)),
            as_strided=np.lib.stride_tricks.as_strided,
        )

    monkeypatch.setattr(locate, "one_of_many", None)
    assert place("mse", function(line.partition(": ")[2])) == ""
    with pytest.raises(TypeError):  # else it would have been tried
        place("mse", function("pass"))


def test_without_a_source_there_is_no_place() -> None:
    namespace: dict[str, Any] = {"np": np}
    exec("def mse(p, t):\n    return np.sum((p - t) ** 2)", namespace)
    assert place("mse", namespace["mse"]) == ""
    assert place("mse", lambda p, t: np.sum((p - t) ** 2)) == ""
    assert place("mse", np.multiply) == ""
    assert place("mse", max) == ""


def test_a_source_that_has_changed_since_is_not_told_about() -> None:
    source = "def mse(p, t):\n    return np.sum((p - t) ** 2)\n"
    function = cell(source, "mse")
    file = function.__code__.co_filename
    lines = ["def mse(p, t):\n", "    return np.median((p - t) ** 2)\n"]
    linecache.cache[file] = (len(source), None, lines, file)
    assert place("mse", function) == ""


def test_decorated_answers_are_left_alone() -> None:
    source = """
    import functools

    def twice(f):
        @functools.wraps(f)
        def doubled(*arguments):
            return 2 * f(*arguments)
        return doubled

    @twice
    def mse(predictions, targets):
        return np.mean((predictions - targets) ** 2)
    """
    assert place("mse", cell(source, "mse")) == ""


ENDLESS_WHEN_EDITED = """
i, total = 0, 0.0
while i < len(predictions):
    total = total + np.sum((predictions[i] - targets[i]) ** 4)
    i = i + 1
return total / len(predictions) / 7
"""


ENDLESS_IN_A_HELPER = """
def squares(x, left):
    total = 0
    while left != 0:
        total = total + np.sum(x ** 2)
        left = left - 1
    return total

def mse(predictions, targets):
    return squares(predictions - targets, 1) / 7 / predictions.shape[0]
"""


@pytest.mark.parametrize("on_main_thread", [True, False])
@pytest.mark.parametrize("in_a_helper", [True, False])
def test_it_ends_in_time(on_main_thread: bool, in_a_helper: bool) -> None:
    function = answer("mse", ENDLESS_WHEN_EDITED)
    if in_a_helper:
        function = cell(ENDLESS_IN_A_HELPER, "mse")
    judgment = judged("mse", function)
    took: list[float] = []

    def look() -> None:
        start = time.perf_counter()
        locate.place(judgment.exercise, function, judgment.trials, seconds=0.5)
        took.append(time.perf_counter() - start)

    if on_main_thread:
        look()
    else:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert took[0] < 2.0


@pytest.mark.parametrize("at", [1, 3, 30])
def test_an_interrupt_leaves_everything_as_it_was(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    function = answer("mse", ENDLESS_WHEN_EDITED)
    judgment = judged("mse", function)
    real, calls = locate.one_of_many, 0

    def interrupted(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    def state() -> tuple[Any, ...]:
        handler = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
        return sys.stdout, sys.stderr, sys.gettrace(), handler, repr(np.random.get_state())

    before = state()
    monkeypatch.setattr(locate, "one_of_many", interrupted)
    with pytest.raises(KeyboardInterrupt):
        locate.place(judgment.exercise, function, judgment.trials)
    assert state() == before


FORGOTTEN = {
    "what `v` is multiplied or divided by": ("v = beta_2 * v +", "v = v +"),
    "what is added to `(1 - beta_1) * gradient`": ("m = beta_1 * m +", "m ="),
    "the expression `beta_1`": ("m / (1 - beta_1**step)", "m / (1 - beta_1)"),
}
"""What is said of Adam's step, and how it is made wrong."""
ADAM = """
def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v
"""


@pytest.mark.parametrize("said", FORGOTTEN)
def test_edits_that_are_compiled_together_are_as_each_alone(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = FORGOTTEN[said]
    assert ADAM.count(right) == 1
    function = cell(ADAM.replace(right, wrong), "adam_step")
    judgment = judged("adam_step", function)
    together = locate.place(judgment.exercise, function, judgment.trials, 60.0)
    assert said in together
    monkeypatch.setattr(locate, "IN_ONE", 1)
    assert locate.place(judgment.exercise, function, judgment.trials, 60.0) == together


# --- a place is never named wrongly --------------------------------------------------------------


def lines(tree: ast.FunctionDef) -> list[tuple[int, str]]:
    """Each line of the answer as it would be written, and where it stands."""
    return [
        (node.lineno, ast.unparse(node).split("\n")[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", catalogue().values(), ids=lambda exercise: exercise.name)
def test_a_change_at_the_place_makes_it_right(exercise: Exercise) -> None:
    for known in exercise.misconceptions[:2]:
        assert isinstance(known.variant, Code)
        function = answer(exercise.name, known.variant.body)
        judgment = judged(exercise.name, function)
        found = locate.repair(exercise, function, judgment.trials, seconds=0.5)
        if found is None:
            continue
        before = lines(found.tree)
        with found.edit.made():
            after = lines(found.tree)
        changed = {a[0] for a, b in zip(before, after, strict=False) if a != b}
        changed |= {line for line, _ in [*before[len(after) :], *after[len(before) :]]}
        assert found.edit.line in changed, (known.id, found.place)
        for seed in (1, 2):
            verdict = judge(exercise.name, found.function, seed)
            assert verdict.status == "correct", (known.id, found.place, verdict.message)


# --- in a notebook -------------------------------------------------------------------------------


def test_the_place_is_added_to_the_verdict_that_is_shown(tmp_path: Path) -> None:
    cells = [
        "import numpy as np\nfrom course_lib.exercises import check",
        "# mine\ndef mse(p, t):\n    return np.sum((p - t) ** 2)\nmse = check(mse)",
        "check(mse, hint=4)\nNone",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    for cell_, opened in zip(notebook.cells[1:], (0, 3), strict=True):
        (output,) = cell_.outputs
        html = output.data["text/html"]
        assert "Line 2 of your function: the function <code>np.sum</code>. One change" in html
        assert html.count("<details open") == opened
