"""Right answers are never refused: each exercise written in other ways, in other types."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import catalogue
from course_lib.exercises.diagnosis import SINGLE_PRECISION
from course_lib.exercises.exercise import Exercise, Verdict
from course_lib.exercises.judge import diagnose, run_cases

Answer = Callable[..., Any]
EXERCISES: dict[str, Exercise] = catalogue()
SEEDS = range(6)


# --- 01 losses -----------------------------------------------------------------------------------


def mse_by_loops(predictions, targets):
    total = 0.0
    for row, wanted in zip(predictions, targets, strict=True):
        for p, t in zip(row, wanted, strict=True):
            total += (p - t) ** 2
    return total / (len(predictions) * len(predictions[0]))


def mse_by_einsum(predictions, targets):
    error = predictions - targets
    return np.einsum("ij,ij->", error, error) / error.size


def mse_by_norm(predictions, targets):
    return np.linalg.norm(predictions - targets) ** 2 / predictions.size


def numerical_gradient_by_flat_index(function, point, step=1e-5):
    flat = np.array(point, dtype=float).ravel()
    slopes = []
    for place in range(flat.size):
        values = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[place] += sign * step
            values.append(function(moved.reshape(np.shape(point))))
        slopes.append((values[0] - values[1]) / (2 * step))
    return np.reshape(slopes, np.shape(point))


def numerical_gradient_by_unit_arrays(function, point, step=1e-5):
    units = np.eye(np.size(point)).reshape(-1, *np.shape(point))
    rises = [function(point + step * unit) - function(point - step * unit) for unit in units]
    return (np.array(rises) / step / 2).reshape(np.shape(point))


def numerical_gradient_undone(function, point, step=1e-5):
    x, gradient = np.array(point, dtype=float), np.zeros(np.shape(point))
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        up = function(x)
        x[index] = kept - step
        gradient[index] = 0.5 * (up - function(x)) / step
        x[index] = kept
    return gradient


def mse_gradient_by_loops(predictions, targets):
    n, d = len(predictions), len(predictions[0])
    return [[2 / (n * d) * (predictions[i][j] - targets[i][j]) for j in range(d)] for i in range(n)]


def softmax_by_loops(logits):
    rows = []
    for row in logits:
        powers = [math.exp(z - max(row)) for z in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def softmax_by_log_sum_exp(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def softmax_by_rows(logits):
    def one(row):
        powers = np.exp(row - row.max())
        return powers / powers.sum()

    return np.apply_along_axis(one, 1, logits)


def cross_entropy_by_loops(probabilities, labels):
    total = 0.0
    for row, label in zip(probabilities, labels, strict=True):
        total -= math.log(max(row[label], 1e-7))
    return total / len(labels)


def cross_entropy_by_onehot(probabilities, labels):
    onehot = np.eye(probabilities.shape[1], dtype=probabilities.dtype)[labels]
    return -(onehot * np.log(np.clip(probabilities, 1e-7, 1))).sum() / len(labels)


def cross_entropy_by_take(probabilities, labels):
    chosen = np.take_along_axis(probabilities, np.expand_dims(labels, 1), axis=1)
    return np.mean(np.log(1 / np.maximum(chosen, 1e-7)))


def softmax_cross_entropy_by_loops(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(z - top) for z in row)) - row[label]
    return total / len(labels)


def softmax_cross_entropy_by_logaddexp(logits, labels):
    rows = np.arange(len(labels))
    return (np.logaddexp.reduce(logits, axis=1) - logits[rows, labels]).mean()


def softmax_cross_entropy_by_gaps(logits, labels):
    gaps = logits - np.take_along_axis(logits, labels[:, None], axis=1)
    top = gaps.max(axis=1)
    return np.mean(top + np.log(np.exp(gaps - top[:, None]).sum(axis=1)))


def gradient_by_loops(logits, labels):
    rows = softmax_by_loops(logits)
    for row, label in zip(rows, labels, strict=True):
        row[label] -= 1
    return [[value / len(rows) for value in row] for row in rows]


def gradient_by_onehot(logits, labels):
    onehot = np.equal.outer(labels, np.arange(logits.shape[1]))
    return (softmax_by_log_sum_exp(logits) - onehot) / len(labels)


def gradient_by_scatter(logits, labels):
    gradient = softmax_by_rows(logits) / len(labels)
    np.subtract.at(gradient, (np.arange(len(labels)), labels), 1 / len(labels))
    return gradient


# --- 02 regularization ---------------------------------------------------------------------------


def soft_threshold_by_loops(weights, amount):
    moved = [max(abs(w) - amount, 0.0) * (1 if w > 0 else -1) for w in weights.ravel()]
    return np.reshape(moved, weights.shape)


def soft_threshold_by_cases(weights, amount):
    above, below = weights > amount, weights < -amount
    return np.select([above, below], [weights - amount, weights + amount], 0.0)


def ridge_by_stacking(features, targets, strength):
    """Least squares with the penalty as extra examples, the bias by centring."""
    x, y = features[:, :-1] - features[:, :-1].mean(axis=0), targets - targets.mean()
    rows = math.sqrt(strength * len(x)) * np.eye(x.shape[1])
    stacked, answers = np.vstack([x, rows]), np.append(y, np.zeros(len(rows)))
    weights = np.linalg.lstsq(stacked, answers, rcond=None)[0]
    return np.append(weights, targets.mean() - features[:, :-1].mean(axis=0) @ weights)


def ridge_by_inverse(features, targets, strength):
    penalty = np.eye(features.shape[1], dtype=features.dtype)
    penalty[-1, -1] = 0
    inverse = np.linalg.inv(features.T @ features + len(features) * strength * penalty)
    return inverse @ (features.T @ targets)


def ridge_by_elimination(features, targets, strength):
    """Gauss and Jordan, in plain lists."""
    n, d = features.shape
    columns = features.T.tolist()
    rows = [
        [sum(a * b for a, b in zip(columns[i], columns[j], strict=True)) / n for j in range(d)]
        + [sum(a * t for a, t in zip(columns[i], targets, strict=True)) / n]
        for i in range(d)
    ]
    for i in range(d - 1):
        rows[i][i] += strength
    for i in range(d):
        pivot = max(range(i, d), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(d):
            if k != i:
                factor = rows[k][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def dropout_by_assignment(activations, keep_mask, rate):
    result = activations / (1 - rate)
    result[~keep_mask] = 0
    return result


def dropout_by_loops(activations, keep_mask, rate):
    pairs = zip(activations.tolist(), keep_mask.tolist(), strict=True)
    return [
        [a / (1 - rate) if keep else 0.0 for a, keep in zip(row, mask, strict=True)]
        for row, mask in pairs
    ]


# --- 03 stochastic gradient descent --------------------------------------------------------------


def least_squares_gradient_by_loops(features, targets, weights):
    gradient = [0.0] * len(weights)
    for row, target in zip(features, targets, strict=True):
        error = sum(x * w for x, w in zip(row, weights, strict=True)) - target
        for place, x in enumerate(row):
            gradient[place] += 2 * error * x / len(features)
    return gradient


def largest_by_power_iteration(hessian):
    """With the matrix squared again and again, a thousand billion steps are forty."""
    power = hessian / np.linalg.norm(hessian)
    for _ in range(40):
        power = power @ power
        power = power / np.linalg.norm(power)
    vector = power @ (np.ones(len(hessian)) + np.arange(len(hessian)) / 7)
    return 2 * (vector @ vector) / (vector @ hessian @ vector)


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


def cosine_by_half_angle(step, total_steps, warmup_steps, base_learning_rate):
    if step < warmup_steps:
        return step * base_learning_rate / warmup_steps
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return base_learning_rate * math.cos(math.pi / 2 * done) ** 2


def cosine_by_one_expression(step, total_steps, warmup_steps, base_learning_rate):
    done = np.float64(step - warmup_steps) / (total_steps - warmup_steps)
    falling = base_learning_rate * 0.5 * (np.cos(np.pi * done) + 1)
    return np.where(step < warmup_steps, base_learning_rate * step / max(warmup_steps, 1), falling)


def momentum_by_loops(weights, gradient, velocity, learning_rate, momentum):
    w, v = np.empty(weights.shape), np.empty(weights.shape)
    for i in np.ndindex(weights.shape):
        v[i] = momentum * velocity[i] - learning_rate * gradient[i]
        w[i] = weights[i] + v[i]
    return w, v


def nesterov_by_look_ahead_points(weights, gradient, velocity, learning_rate, momentum):
    new = momentum * velocity - learning_rate * gradient
    return weights - momentum * velocity + (1 + momentum) * new, new


def nesterov_by_loops(weights, gradient, velocity, learning_rate, momentum):
    w, v = np.empty(weights.shape), np.empty(weights.shape)
    for i in np.ndindex(weights.shape):
        v[i] = momentum * velocity[i] - learning_rate * gradient[i]
        w[i] = weights[i] + momentum * v[i] - learning_rate * gradient[i]
    return w, v


def backward_by_einsum(x, hidden, weights_out, upstream):
    back = np.einsum("nc,hc->nh", upstream, weights_out)
    back[hidden == 0] = 0
    ones = np.ones(len(x), dtype=x.dtype)
    return [x.T @ back, ones @ back, np.einsum("nh,nc->hc", hidden, upstream), ones @ upstream]


def backward_by_examples(x, hidden, weights_out, upstream):
    parts = [0.0, 0.0, 0.0, 0.0]
    for inputs, active, above in zip(x, hidden, upstream, strict=True):
        back = (weights_out @ above) * np.sign(active)
        new = [np.outer(inputs, back), back, np.outer(active, above), above]
        parts = [old + more for old, more in zip(parts, new, strict=True)]
    return tuple(parts)


def backward_with_a_bias_column(x, hidden, weights_out, upstream):
    back = np.where(hidden > 0, upstream @ weights_out.T, 0)
    column = np.ones((len(x), 1), dtype=x.dtype)
    first, second = np.hstack([x, column]).T @ back, np.hstack([hidden, column]).T @ upstream
    return first[:-1], first[-1], second[:-1], second[-1]


# --- 04 Adam -------------------------------------------------------------------------------------


def averages_by_their_weights(values, beta):
    ages = [beta ** np.arange(t)[::-1] for t in range(1, len(values) + 1)]
    return np.array([w @ values[: len(w)] / w.sum() for w in ages])


def averages_by_loop(values, beta):
    averages, total, weight = [], 0.0, 0.0
    for value in values:
        total, weight = beta * total + value, beta * weight + 1
        averages.append(total / weight)
    return averages


def averages_by_matrix(values, beta):
    times = np.arange(len(values))
    matrix = np.tril((1 - beta) * beta ** np.abs(times[:, None] - times))
    return np.asarray(matrix, dtype=values.dtype) @ values / (1 - beta ** (times + 1.0))


def rmsprop_by_loops(w, g, a, learning_rate, rho, epsilon):
    average, weights = np.empty(w.shape), np.empty(w.shape)
    for i in np.ndindex(w.shape):
        average[i] = rho * a[i] + (1 - rho) * g[i] ** 2
        weights[i] = w[i] - learning_rate * g[i] / math.sqrt(average[i] + epsilon)
    return weights, average


def rmsprop_by_increment(w, g, a, learning_rate, rho, epsilon):
    a = a + (1 - rho) * (np.square(g) - a)
    return w - learning_rate * g * (a + epsilon) ** -0.5, a


def rmsprop_as_rate_times_gradient(w, g, a, learning_rate, rho, epsilon):
    a = np.average([a, g * g], axis=0, weights=[rho, 1 - rho])
    rate = learning_rate / np.sqrt(a + epsilon)
    return w - rate * g, a


def moments(g, m, v, beta_1, beta_2):
    return beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g


def adam_by_increments(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
    root = np.sqrt(1 - beta_2**step)
    return w - learning_rate * root / (1 - beta_1**step) * m / (np.sqrt(v) + epsilon * root), m, v


def adam_by_loops(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new = np.empty(w.shape)
    m, v = moments(g, m, v, beta_1, beta_2)
    for i in np.ndindex(w.shape):
        m_hat, v_hat = m[i] / (1 - beta_1**step), v[i] / (1 - beta_2**step)
        new[i] = w[i] - learning_rate * m_hat / (math.sqrt(v_hat) + epsilon)
    return new, m, v


def adam_in_steps(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = moments(g, m, v, beta_1, beta_2)
    update = m / (1 - math.pow(beta_1, step))
    update = update / (np.sqrt(v / (1 - math.pow(beta_2, step))) + epsilon)
    return [w + -learning_rate * update, m, v]


def adam_keras_by_hats(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = moments(g, m, v, beta_1, beta_2)
    hat = epsilon / np.sqrt(1 - beta_2**step)
    m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + hat), m, v


def adam_keras_by_loops(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    new = np.empty(w.shape)
    m, v = moments(g, m, v, beta_1, beta_2)
    alpha = learning_rate * math.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    for i in np.ndindex(w.shape):
        new[i] = w[i] - m[i] * alpha / (v[i] ** 0.5 + epsilon)
    return new, m, v


def adam_keras_by_increments(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m, v = m - (m - g) * (1 - beta_1), v - (v - np.square(g)) * (1 - beta_2)
    alpha = learning_rate * np.sqrt(1 - np.power(beta_2, step)) / (1 - np.power(beta_1, step))
    return w - (m * float(alpha)) / (np.sqrt(v) + epsilon), m, v


def adamw_in_one_line(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon, decay):
    m, v = moments(g, m, v, beta_1, beta_2)
    hat = epsilon / np.sqrt(1 - beta_2**step)
    adaptive = m / (1 - beta_1**step) / (np.sqrt(v / (1 - beta_2**step)) + hat)
    return w - learning_rate * (adaptive + decay * w), m, v


def adamw_shrunk_first(w, *rest):
    *others, decay = rest
    return adam_keras_by_loops(w * (1 - others[4] * decay), *others)


def adamw_shrunk_last(w, *rest):
    *others, decay = rest
    new, m, v = adam_keras_by_increments(w, *others)
    return new - others[4] * decay * w, m, v


def clip_as_keras(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    return [g * max_norm * min(1 / norm, 1 / max_norm) for g in gradients]


def clip_by_loops(gradients, max_norm):
    norm = math.sqrt(sum(float(value) ** 2 for g in gradients for value in g.flat))
    if norm <= max_norm:
        return tuple(g.copy() for g in gradients)
    return tuple(g / (norm / max_norm) for g in gradients)


def clip_by_maximum(gradients, max_norm):
    norm = np.sqrt(sum(np.vdot(g, g) for g in gradients))
    return [g / np.maximum(norm / max_norm, 1) for g in gradients]


# --- 05 feature extraction -----------------------------------------------------------------------


def split_by_walking(labels, fraction, order):
    open_places = {
        label: math.ceil(fraction * count)
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True)
    }
    taken, rest = [], []
    for index in order:
        if open_places[labels[index]] > 0:
            open_places[labels[index]] -= 1
            taken.append(index)
        else:
            rest.append(index)
    return np.array(taken), np.array(rest)


def split_by_ranks(labels, fraction, order):
    same = labels[order][:, None] == labels[order]
    ranks, counts = np.tril(same, -1).sum(axis=1), same.sum(axis=1)
    chosen = ranks < np.ceil(fraction * counts)
    return order[chosen], order[~chosen]


def split_by_membership(labels, fraction, order):
    kept = set()
    for label in set(labels.tolist()):
        members = [index for index in order if labels[index] == label]
        kept |= set(members[: -int(-fraction * len(members) // 1)])
    return (
        np.array([index for index in order if index in kept]),
        np.array([index for index in order if index not in kept]),
    )


def preprocess_by_channels(images):
    red, green, blue = np.moveaxis(images, -1, 0)
    return np.stack([blue - 103.939, green - 116.779, red - 123.68], axis=-1)


def preprocess_in_a_copy(images):
    bgr = np.flip(images, -1).astype(float)
    bgr -= [103.939, 116.779, 123.68]
    return bgr


def pool_by_loops(feature_maps):
    n, h, w, k = feature_maps.shape
    pooled = np.zeros((n, k), feature_maps.dtype)
    for row in range(h):
        for column in range(w):
            pooled += feature_maps[:, row, column] / (h * w)
    return pooled


def standardize_by_columns(train, other):
    scaled = [np.empty_like(train), np.empty_like(other)]
    for column in range(train.shape[1]):
        mean, deviation = train[:, column].mean(), train[:, column].std()
        for new, old in zip(scaled, (train, other), strict=True):
            new[:, column] = (old[:, column] - mean) / (deviation or 1)
    return tuple(scaled)


def standardize_by_moments(train, other):
    mean = train.sum(axis=0) / len(train)
    deviation = np.sqrt(((train - mean) ** 2).sum(axis=0) / len(train))
    deviation[deviation == 0] = 1
    return (train - mean) / deviation, (other - mean) / deviation


def standardize_by_factors(train, other):
    spread = np.std(train, axis=0)
    factor = np.divide(1, spread, out=np.ones_like(spread), where=spread > 1e-12)
    return [(features - train.mean(0)) * factor for features in (train, other)]


def probe_with_onehot(features, labels, weights, bias, strength):
    logits = features @ weights + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = powers / powers.sum(axis=1, keepdims=True) - np.eye(len(bias))[labels]
    n = len(labels)
    return features.T @ error / n + 2 * strength * weights, error.sum(axis=0) / n


def probe_with_a_column_of_ones(features, labels, weights, bias, strength):
    extended = np.column_stack([features, np.ones(len(features), features.dtype)])
    every = np.vstack([weights, bias])
    logits = extended @ every
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    p[np.arange(len(p)), labels] -= 1
    penalty = np.vstack([2 * strength * weights, np.zeros_like(bias)])
    gradient = np.einsum("nd,nc->dc", extended, p) / len(p) + penalty
    return gradient[:-1], gradient[-1]


def probe_by_examples(features, labels, weights, bias, strength):
    grad_weights, grad_bias = strength * weights + weights * strength, np.zeros_like(bias)
    for x, label in zip(features, labels, strict=True):
        logits = x @ weights + bias
        p = np.exp(logits - logits.max())
        p /= p.sum()
        p[label] -= 1
        grad_weights = grad_weights + np.outer(x, p) / len(labels)
        grad_bias = grad_bias + p / len(labels)
    return grad_weights, grad_bias


def balanced_by_weights(labels, predictions, num_classes):
    counts = np.bincount(labels, minlength=num_classes)
    weights = 1 / counts[labels]
    return np.sum(weights * (labels == predictions)) / np.sum(weights)


def balanced_by_confusions(labels, predictions, num_classes):
    table = np.zeros((num_classes, num_classes), int)
    np.add.at(table, (labels, predictions), 1)
    present = table.sum(axis=1) > 0
    return float((np.diag(table)[present] / table[present].sum(axis=1)).mean())


def balanced_by_loops(labels, predictions, num_classes):
    total, classes = 0.0, 0
    for label in range(num_classes):
        hits = [p == label for y, p in zip(labels, predictions, strict=True) if y == label]
        if hits:
            total, classes = total + sum(hits) / len(hits), classes + 1
    return total / classes


# --- 06 fine-tuning ------------------------------------------------------------------------------


def mask_by_loop(layer_names, first_trainable, is_batchnorm):
    mask, started = [], False
    for name, frozen in zip(layer_names, is_batchnorm, strict=True):
        started = started or name == first_trainable
        mask.append(bool(started and not frozen))
    return np.array(mask)


def mask_by_assignment(layer_names, first_trainable, is_batchnorm):
    mask = np.zeros(len(layer_names), dtype=bool)
    mask[layer_names.index(first_trainable) :] = True
    mask[is_batchnorm] = False
    return mask


def mask_by_accumulation(layer_names, first_trainable, is_batchnorm):
    seen = np.logical_or.accumulate(np.array(layer_names) == first_trainable)
    return np.logical_and(seen, np.logical_not(is_batchnorm))


def parameters_by_loops(shapes, mask):
    total = 0
    for shape, trains in zip(shapes, mask, strict=True):
        if trains:
            size = 1
            for length in shape:
                size *= length
            total += size
    return total


def batchnorm_as_a_line(x, gamma, beta, moving_mean, moving_variance, epsilon):
    slope = gamma / np.sqrt(moving_variance + epsilon)
    return slope * x + (beta - slope * moving_mean)


def batchnorm_by_power(x, gamma, beta, moving_mean, moving_variance, epsilon):
    return (x - moving_mean) * (moving_variance + epsilon) ** -0.5 * gamma + beta


def batchnorm_by_loops(x, gamma, beta, moving_mean, moving_variance, epsilon):
    out = np.empty_like(x)
    for n, k in np.ndindex(x.shape):
        root = math.sqrt(moving_variance[k] + epsilon)
        out[n, k] = gamma[k] * (x[n, k] - moving_mean[k]) / root + beta[k]
    return out


def moving_by_increments(moving_mean, moving_variance, batch, momentum):
    mean = batch.mean(axis=0)
    variance = np.mean((batch - mean) ** 2, axis=0)
    rate = 1 - momentum
    return moving_mean + rate * (mean - moving_mean), moving_variance + rate * (
        variance - moving_variance
    )


def moving_by_second_moments(moving_mean, moving_variance, batch, momentum):
    shifted = batch - batch[0]  # as a constant changes no variance, but spares digits
    variance = np.mean(shifted**2, axis=0) - np.mean(shifted, axis=0) ** 2
    new = batch.sum(axis=0) / len(batch), variance
    olds = moving_mean, moving_variance
    return [momentum * old + (1 - momentum) * n for old, n in zip(olds, new, strict=True)]


def moving_by_channels(moving_mean, moving_variance, batch, momentum):
    def mix(old, new):
        return np.array([momentum * a + (1 - momentum) * b for a, b in zip(old, new, strict=True)])

    columns = list(batch.T)
    return (
        mix(moving_mean, [column.mean() for column in columns]),
        mix(moving_variance, [column.var() for column in columns]),
    )


def weights_by_loops(labels, num_classes):
    weights = []
    for label in range(num_classes):
        count = sum(1 for y in labels if y == label)
        weights.append(len(labels) / (num_classes * count) if count else 0.0)
    return np.array(weights)


def weights_by_division(labels, num_classes):
    counts = np.bincount(labels, minlength=num_classes)
    share = len(labels) / num_classes
    return np.divide(share, counts, out=np.zeros(num_classes), where=counts > 0)


def weights_by_means(labels, num_classes):
    frequencies = np.mean(labels[:, None] == np.arange(num_classes), axis=0)
    with np.errstate(divide="ignore"):
        weights = 1 / (num_classes * frequencies)
    weights[np.isinf(weights)] = 0
    return weights


def rates_by_loop(num_groups, base_learning_rate, decay):
    rates = [base_learning_rate]
    while len(rates) < num_groups:
        rates.insert(0, rates[0] * decay)
    return np.array(rates)


ANSWERS: dict[str, tuple[Answer, Answer, Answer]] = {
    "mse": (mse_by_einsum, mse_by_norm, mse_by_loops),
    "numerical_gradient": (
        numerical_gradient_undone,
        numerical_gradient_by_unit_arrays,
        numerical_gradient_by_flat_index,
    ),
    "mse_gradient": (
        lambda p, t: (p - t) / p.size * 2,
        lambda p, t: np.einsum("ij,->ij", p - t, 2 / (p.shape[0] * p.shape[1])),
        mse_gradient_by_loops,
    ),
    "softmax": (softmax_by_log_sum_exp, softmax_by_rows, softmax_by_loops),
    "cross_entropy": (cross_entropy_by_onehot, cross_entropy_by_take, cross_entropy_by_loops),
    "softmax_cross_entropy": (
        softmax_cross_entropy_by_gaps,
        softmax_cross_entropy_by_logaddexp,
        softmax_cross_entropy_by_loops,
    ),
    "softmax_cross_entropy_gradient": (gradient_by_scatter, gradient_by_onehot, gradient_by_loops),
    "l2_penalty": (
        lambda w, s: s * np.linalg.norm(w.ravel()) ** 2,
        lambda w, s: np.vdot(w, s * w),
        lambda w, s: s * sum(value**2 for value in w.flat),
    ),
    "l2_gradient": (
        lambda w, s: s * w + w * s,
        lambda w, s: np.multiply(w, 2 * s),
        lambda w, s: np.reshape([2 * s * value for value in w.flat], w.shape),
    ),
    "ridge_weights": (ridge_by_inverse, ridge_by_stacking, ridge_by_elimination),
    "soft_threshold": (
        lambda w, a: w - np.clip(w, -a, a),
        soft_threshold_by_cases,
        soft_threshold_by_loops,
    ),
    "lasso_subgradient": (
        lambda w, s: s * ((w > 0).astype(int) - (w < 0).astype(int)),
        lambda w, s: np.select([w > 0, w < 0], [s, -s], 0),
        lambda w, s: np.reshape([math.copysign(s, x) if x else 0 for x in w.flat], w.shape),
    ),
    "dropout": (
        lambda a, keep, rate: a * (keep / (1 - rate)),
        dropout_by_assignment,
        dropout_by_loops,
    ),
    "weight_decay_step": (
        lambda w, g, lr, d: (1 - lr * d) * w - lr * g,
        lambda w, g, lr, d: w - lr * (g + d * w),
        lambda w, g, lr, d: np.reshape(
            [x - lr * y - lr * d * x for x, y in zip(w.flat, g.flat, strict=True)], w.shape
        ),
    ),
    "least_squares_gradient": (
        lambda x, y, w: np.mean(2 * (x @ w - y)[:, None] * x, axis=0),
        lambda x, y, w: np.einsum("ij,i->j", x, np.einsum("ij,j->i", x, w) - y) * 2 / len(y),
        least_squares_gradient_by_loops,
    ),
    "sgd_step": (
        lambda w, g, lr: w + -lr * g,
        lambda w, g, lr: np.subtract(w, np.multiply(lr, g)),
        lambda w, g, lr: np.reshape(
            [x - lr * y for x, y in zip(w.flat, g.flat, strict=True)], w.shape
        ),
    ),
    "largest_stable_learning_rate": (
        lambda h: 2 / np.linalg.norm(h, 2),
        lambda h: 2 / max(np.linalg.eigvals(h).real),
        largest_by_power_iteration,
    ),
    "minibatches": (
        lambda o, b: np.split(o, range(b, len(o), b)),
        lambda o, b: [o[b * i : b * (i + 1)] for i in range(math.ceil(len(o) / b))],
        batches_by_loop,
    ),
    "momentum_step": (
        lambda w, g, v, lr, mu: (w + mu * v - lr * g, mu * v - lr * g),
        lambda w, g, v, lr, mu: [w - (lr * g - mu * v), -(lr * g - mu * v)],
        momentum_by_loops,
    ),
    "nesterov_step": (
        nesterov_by_look_ahead_points,
        lambda w, g, v, lr, mu: (w + mu**2 * v - (1 + mu) * lr * g, mu * v - lr * g),
        nesterov_by_loops,
    ),
    "cosine_with_warmup": (cosine_by_one_expression, cosine_by_interpolation, cosine_by_half_angle),
    "hidden_layer_gradients": (
        backward_by_einsum,
        backward_with_a_bias_column,
        backward_by_examples,
    ),
    "bias_corrected_average": (averages_by_matrix, averages_by_their_weights, averages_by_loop),
    "rmsprop_step": (rmsprop_by_increment, rmsprop_as_rate_times_gradient, rmsprop_by_loops),
    "adam_step": (adam_by_increments, adam_in_steps, adam_by_loops),
    "adam_step_keras": (adam_keras_by_increments, adam_keras_by_hats, adam_keras_by_loops),
    "adamw_step": (adamw_in_one_line, adamw_shrunk_last, adamw_shrunk_first),
    "clip_by_global_norm": (clip_by_maximum, clip_as_keras, clip_by_loops),
    "stratified_split": (split_by_walking, split_by_ranks, split_by_membership),
    "resnet50_preprocess": (
        lambda x: x[:, :, :, [2, 1, 0]] - np.array([103.939, 116.779, 123.68]),
        preprocess_by_channels,
        preprocess_in_a_copy,
    ),
    "global_average_pool": (
        lambda m: np.einsum("nhwk->nk", m) / (m.shape[1] * m.shape[2]),
        lambda m: m.reshape(len(m), -1, m.shape[3]).mean(axis=1),
        pool_by_loops,
    ),
    "standardize": (standardize_by_columns, standardize_by_moments, standardize_by_factors),
    "linear_probe_gradients": (probe_with_onehot, probe_with_a_column_of_ones, probe_by_examples),
    "balanced_accuracy": (balanced_by_weights, balanced_by_confusions, balanced_by_loops),
    "trainable_mask": (mask_by_assignment, mask_by_accumulation, mask_by_loop),
    "trainable_parameters": (
        lambda shapes, mask: sum(math.prod(s) for s, m in zip(shapes, mask, strict=True) if m),
        lambda shapes, mask: int(np.dot([np.prod(shape) for shape in shapes], mask)),
        parameters_by_loops,
    ),
    "batchnorm_inference": (batchnorm_as_a_line, batchnorm_by_power, batchnorm_by_loops),
    "batchnorm_moving_update": (
        moving_by_increments,
        moving_by_second_moments,
        moving_by_channels,
    ),
    "class_weights": (weights_by_loops, weights_by_division, weights_by_means),
    "layerwise_learning_rates": (
        lambda g, rate, decay: rate * np.power(decay, np.arange(g - 1, -1, -1)),
        lambda g, rate, decay: np.cumprod([rate] + [decay] * (g - 1))[::-1],
        rates_by_loop,
    ),
}


# --- the same in other types ---------------------------------------------------------------------


def converted(value: Any, convert: Callable[[np.ndarray], Any]) -> Any:
    """Each array of floats, wherever it is, and each number of NumPy's."""
    if isinstance(value, tuple):
        return tuple(converted(part, convert) for part in value)
    if isinstance(value, list):
        if all(isinstance(part, (int, float, list)) for part in value):
            return convert(np.array(value))
        return [converted(part, convert) for part in value]
    if isinstance(value, (np.ndarray, np.floating)):
        return convert(np.asarray(value))
    return value


def single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def in_single_precision(answer: Answer) -> Answer:
    """All of it in float32, arguments included, as PyTorch and Keras compute by default."""
    return lambda *arguments: converted(answer(*converted(arguments, single)), single)


def in_lists(answer: Answer) -> Answer:
    """Returns lists in place of arrays, and Python's numbers in place of NumPy's."""
    return lambda *arguments: converted(answer(*arguments), np.ndarray.tolist)


def in_column_order(answer: Answer) -> Answer:
    """Returns arrays laid out by columns, as transposing leaves them."""
    return lambda *arguments: converted(answer(*arguments), lambda a: np.asarray(a, order="F"))


WAYS: dict[str, Callable[[Answer], Answer]] = {
    "as written": lambda answer: answer,
    "float32": in_single_precision,
    "lists": in_lists,
    "by columns": in_column_order,
}


def test_every_exercise_has_its_answers() -> None:
    assert set(ANSWERS) == set(EXERCISES)


def judged(exercise: Exercise, answer: Answer, seed: int) -> Verdict:
    cases = exercise.draw_cases(seed)
    return diagnose(exercise, cases, run_cases(answer, cases, exercise.seconds))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_right_answer_is_accepted(name: str, way: str) -> None:
    for number, answer in enumerate(ANSWERS[name]):
        for seed in SEEDS:
            verdict = judged(EXERCISES[name], WAYS[way](answer), seed)
            assert verdict.status == "correct", f"way {number}, seed {seed}: {verdict.message}"


@pytest.mark.parametrize("name", ANSWERS)
def test_the_tolerance_has_room_on_both_sides(name: str) -> None:
    exercise = EXERCISES[name]
    strict = replace(exercise, tolerance=exercise.tolerance / 1000)
    generous = replace(exercise, tolerance=SINGLE_PRECISION)
    for seed in SEEDS:
        for answer in ANSWERS[name]:
            assert judged(strict, answer, seed).status == "correct"
        for mistake in exercise.misconceptions:
            assert judged(generous, mistake.variant, seed).status != "correct", mistake.id
