"""Lessons 02 to 04: right answers in other words are accepted too (rounding is no mistake)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from course_lib.exercises import adam, regularization, sgd
from course_lib.exercises.judge import diagnose, run_cases

EXERCISES = {
    exercise.name: exercise
    for lesson in (regularization, sgd, adam)
    for exercise in lesson.EXERCISES
}
SEEDS = range(4)


def verdict(name, function, seed):
    exercise = EXERCISES[name]
    cases = exercise.draw_cases(seed)
    return diagnose(exercise, cases, run_cases(function, cases, exercise.seconds))


def ridge_by_stacking(features, targets, strength):
    """Least squares with the penalty as extra examples, the bias by centring."""
    x, y = features[:, :-1] - features[:, :-1].mean(axis=0), targets - targets.mean()
    rows = math.sqrt(strength * len(x)) * np.eye(x.shape[1])
    stacked, answers = np.vstack([x, rows]), np.append(y, np.zeros(len(rows)))
    weights = np.linalg.lstsq(stacked, answers, rcond=None)[0]
    return np.append(weights, targets.mean() - features[:, :-1].mean(axis=0) @ weights)


def dropout_by_assignment(activations, keep_mask, rate):
    result = activations / (1 - rate)
    result[~keep_mask] = 0
    return result


def batches_by_loop(order, batch_size):
    batches, rest = [], list(order)
    while rest:
        batches.append(np.array(rest[:batch_size]))
        rest = rest[batch_size:]
    return tuple(batches)


def cosine_by_interpolation(step, total_steps, warmup_steps, base_learning_rate):
    if step < warmup_steps:
        return np.interp(step, [0, warmup_steps], [0, base_learning_rate])
    left = (total_steps - step) / (total_steps - warmup_steps)
    return base_learning_rate * np.sin(np.pi * left / 2) ** 2


def nesterov_by_look_ahead_points(weights, gradient, velocity, learning_rate, momentum):
    new = momentum * velocity - learning_rate * gradient
    return weights - momentum * velocity + (1 + momentum) * new, new


def backward_by_einsum(x, hidden, weights_out, upstream):
    back = np.einsum("nc,hc->nh", upstream, weights_out)
    back[hidden == 0] = 0
    ones = np.ones(len(x))
    return [x.T @ back, ones @ back, np.einsum("nh,nc->hc", hidden, upstream), ones @ upstream]


def averages_by_their_weights(values, beta):
    ages = [beta ** np.arange(t)[::-1] for t in range(1, len(values) + 1)]
    return np.array([w @ values[: len(w)] / w.sum() for w in ages])


def adam_by_increments(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
    root = np.sqrt(1 - beta_2**step)
    return w - learning_rate * root / (1 - beta_1**step) * m / (np.sqrt(v) + epsilon * root), m, v


def adamw_in_one_line(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon, decay):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
    hat = epsilon / np.sqrt(1 - beta_2**step)
    adaptive = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + hat)
    return w - learning_rate * (adaptive + decay * w), m, v


def clip_as_keras(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    return [g * max_norm * min(1 / norm, 1 / max_norm) for g in gradients]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("l2_penalty", lambda w, s: s * np.linalg.norm(w.ravel()) ** 2),
        ("l2_gradient", lambda w, s: s * w + w * s),
        ("ridge_weights", ridge_by_stacking),
        ("soft_threshold", lambda w, a: w - np.clip(w, -a, a)),
        ("lasso_subgradient", lambda w, s: s * ((w > 0).astype(int) - (w < 0).astype(int))),
        ("dropout", dropout_by_assignment),
        ("weight_decay_step", lambda w, g, lr, d: (1 - lr * d) * w - lr * g),
        ("least_squares_gradient", lambda x, y, w: np.mean(2 * (x @ w - y)[:, None] * x, axis=0)),
        ("largest_stable_learning_rate", lambda h: 2 / np.linalg.norm(h, 2)),
        ("minibatches", batches_by_loop),
        ("cosine_with_warmup", cosine_by_interpolation),
        ("nesterov_step", nesterov_by_look_ahead_points),
        ("hidden_layer_gradients", backward_by_einsum),
        ("bias_corrected_average", averages_by_their_weights),
        ("adam_step", adam_by_increments),
        ("adamw_step", adamw_in_one_line),
        ("clip_by_global_norm", clip_as_keras),
    ],
)
def test_another_way_to_the_right_answer_is_accepted(name, function):
    for seed in SEEDS:
        result = verdict(name, function, seed)
        assert result.status == "correct", result.message


@pytest.mark.parametrize("name", [name for name in EXERCISES if name != "minibatches"])
def test_every_case_of_an_exercise_stays_finite(name):
    for seed in SEEDS:
        for case in EXERCISES[name].draw_cases(seed):
            value = EXERCISES[name].reference(*case.arguments)
            arrays = value if isinstance(value, (tuple, list)) else [value]
            assert all(np.isfinite(array).all() for array in arrays)
