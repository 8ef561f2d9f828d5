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
MOMENTS = """
m = beta_1 * m + (1 - beta_1) * gradient
v = beta_2 * v + (1 - beta_2) * gradient**2
"""
CORRECTED = MOMENTS + "m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)\n"
MEAN_SQUARE = "average = rho * average + (1 - rho) * gradient**2\n"
BACKWARD = "a = (upstream @ weights_out.T) * (hidden > 0)\n"
START = "start = layer_names.index(first_trainable)\n"
LAYERS = START + "layers = np.arange(len(layer_names))\n"
COUNTS = "counts = np.bincount(labels, minlength=num_classes)\n"


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


def running(stored: str, start: str = "0.0") -> str:
    """A body for `bias_corrected_average`."""
    return (
        f"a, averages = {start}, []\n"
        "for t, value in enumerate(values, start=1):\n"
        "    a = beta * a + (1 - beta) * value\n"
        f"    averages.append({stored})\n"
        "return np.array(averages)"
    )


@pytest.mark.parametrize(
    ("name", "body", "misconception"),
    [
        ("mse", "return np.mean((predictions - targets) ** 2, axis=0)", "one-number-per-column"),
        ("mse", "return (predictions - targets) ** 2", "squares-not-averaged"),
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
            "g = softmax(logits)\ng[labels] -= 1\nreturn g / len(labels)",
            "labels-as-rows",
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
        ("l2_penalty", "return strength * sum(weights ** 2)", "first-axis-only"),
        ("l2_penalty", "return strength * weights @ weights", "product-of-vectors"),
        ("l2_penalty", "return strength * np.linalg.norm(weights, 2) ** 2", "spectral-norm"),
        ("l2_penalty", "return strength * weights.sum() ** 2", "sum-squared"),
        (
            "l2_gradient",
            "return numerical_gradient(lambda w: l2_penalty(w, strength), weights)",
            "finite-differences",
        ),
        (
            "l2_gradient",
            "return numerical_gradient(lambda w: strength * np.vdot(w, w), weights, 1e-3)",
            "finite-differences",
        ),
        ("l2_gradient", "return weights - 2 * strength * weights", "step-taken"),
        ("l2_gradient", "return 2 * np.sum(strength * weights)", "added-up"),
        (
            "lasso_subgradient",
            "return numerical_gradient(lambda w: strength * np.abs(w).sum(), weights)",
            "finite-differences",
        ),
        ("lasso_subgradient", "return np.where(weights == 0, 0, strength)", "always-plus-but-zero"),
        (
            "ridge_weights",
            "return np.linalg.pinv(features) @ targets",
            "least-squares",
        ),
        (
            "ridge_weights",
            "n, d = features.shape\npenalty = strength * np.eye(d)\npenalty[0, 0] = 0\n"
            "return np.linalg.solve(features.T @ features / n + penalty, features.T @ targets / n)",
            "first-column-not-penalised",
        ),
        (
            "soft_threshold",
            "up = np.where(weights < amount, weights + amount, 0)\n"
            "return np.where(weights > amount, weights - amount, up)",
            "two-branches",
        ),
        ("dropout", "return activations * keep_mask / 1 - rate", "parentheses-missing"),
        ("dropout", "return keep_mask * activations * (1 / rate)", "divided-by-rate-first"),
        (
            "weight_decay_step",
            "new = weights - learning_rate * gradient\nreturn new - decay * new",
            "decay-after-step-without-learning-rate",
        ),
        (
            "weight_decay_step",
            "return learning_rate * (gradient + decay * weights)",
            "step-instead-of-weights",
        ),
        (
            "least_squares_gradient",
            "return numerical_gradient(lambda w: mse(features @ w, targets), weights)",
            "finite-differences",
        ),
        (
            "least_squares_gradient",
            "return numerical_gradient(lambda w: ((features @ w - targets) ** 2).sum() / "
            "len(targets), weights, 1e-4)",
            "finite-differences",
        ),
        (
            "least_squares_gradient",
            "return 2 * features.T * (features @ weights - targets) / len(targets)",
            "star-instead-of-matrix-product",
        ),
        (
            "least_squares_gradient",
            "return features.T @ (features @ weights - targets)",
            "missing-two-and-not-divided",
        ),
        (
            "sgd_step",
            "return (weights - gradient) * learning_rate",
            "learning-rate-times-everything",
        ),
        (
            "largest_stable_learning_rate",
            "eigenvalues = np.linalg.eigvalsh(hessian)\n"
            "return 2 / (eigenvalues[0] + eigenvalues[-1])",
            "fastest-rate",
        ),
        (
            "minibatches",
            "for i in range(0, len(order), batch_size):\n    return order[i : i + batch_size]",
            "first-batch-only",
        ),
        (
            "minibatches",
            "batches = []\n"
            "for i in range(0, len(order), batch_size):\n"
            "    batches.append(order[i : i + batch_size])\n"
            "    return batches",
            "list-of-the-first-batch",
        ),
        (
            "minibatches",
            "count = len(order) // batch_size + 1\n"
            "return [order[i * batch_size : (i + 1) * batch_size] for i in range(count)]",
            "empty-batch-at-the-end",
        ),
        ("minibatches", "return order.reshape(-1, batch_size)", "as-a-matrix"),
        (
            "momentum_step",
            "velocity = momentum * velocity - learning_rate * gradient\n"
            "return velocity, weights + velocity",
            "returned-in-the-other-order",
        ),
        (
            "momentum_step",
            "new = momentum * velocity - learning_rate * gradient\nreturn weights + new, velocity",
            "old-velocity-returned",
        ),
        (
            "nesterov_step",
            "new = momentum * velocity - learning_rate * gradient\n"
            "return weights + new - learning_rate * gradient, new",
            "whole-velocity-and-push",
        ),
        (
            "cosine_with_warmup",
            "if step < warmup_steps:\n"
            "    rate = base_learning_rate * step / warmup_steps\n"
            "done = (step - warmup_steps) / (total_steps - warmup_steps)\n"
            "rate = base_learning_rate * (1 + np.cos(np.pi * done)) / 2\n"
            "return rate",
            "warmup-overwritten",
        ),
        (
            "cosine_with_warmup",
            "if step < warmup_steps:\n"
            "    return base_learning_rate * step / warmup_steps\n"
            "return base_learning_rate * (1 + np.cos(np.pi * step - warmup_steps / total_steps - "
            "warmup_steps)) / 2",
            "parentheses-around-the-difference",
        ),
        (
            "hidden_layer_gradients",
            BACKWARD + "return x.T @ a, hidden.T @ upstream, a.sum(0), upstream.sum(0)",
            "weights-before-biases",
        ),
        (
            "hidden_layer_gradients",
            BACKWARD
            + "out = numerical_gradient(lambda w: np.sum(upstream * (hidden @ w)), weights_out)\n"
            "return x.T @ a, a.sum(axis=0), out, upstream.sum(axis=0)",
            "finite-differences",
        ),
        (
            "hidden_layer_gradients",
            BACKWARD + "def loss(w):\n"
            "    return np.sum(upstream * ((hidden + (hidden > 0) * (x @ w)) @ weights_out))\n"
            "inner = numerical_gradient(loss, np.zeros((x.shape[1], hidden.shape[1])), 1e-4)\n"
            "return inner, a.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
            "finite-differences",
        ),
        ("bias_corrected_average", running("a / 1 - beta**t"), "parentheses"),
        ("bias_corrected_average", running("a / (1 - beta)"), "power-forgotten"),
        ("bias_corrected_average", running("a / beta**t"), "divided-by-what-is-missing"),
        (
            "bias_corrected_average",
            running("a / (1 - beta**t)", start="values[0]"),
            "started-at-the-first-value-and-corrected",
        ),
        (
            "rmsprop_step",
            MEAN_SQUARE + "return weights - learning_rate * gradient / np.sqrt(average) + epsilon, "
            "average",
            "epsilon-added-to-weights",
        ),
        (
            "rmsprop_step",
            "new = rho * average + (1 - rho) * gradient**2\n"
            "return weights - learning_rate * gradient / np.sqrt(new + epsilon), average",
            "old-average-returned",
        ),
        (
            "rmsprop_step",
            "average = np.sqrt(rho * average + (1 - rho) * gradient**2)\n"
            "return weights - learning_rate * gradient / (average + epsilon), average",
            "root-kept-in-the-average",
        ),
        (
            "adam_step",
            CORRECTED
            + "return weights - learning_rate * gradient / (np.sqrt(v_hat) + epsilon), m, v",
            "gradient-instead-of-m",
        ),
        (
            "adam_step",
            CORRECTED + "return weights - learning_rate * m_hat / (np.sqrt(v) + epsilon), m, v",
            "v-not-corrected",
        ),
        (
            "adam_step",
            MOMENTS + "m_hat, v_hat = m / 1 - beta_1**step, v / 1 - beta_2**step\n"
            "return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v",
            "parentheses-of-the-correction",
        ),
        (
            "adam_step_keras",
            MOMENTS + "rate = learning_rate * np.sqrt(1 - beta_2) / (1 - beta_1)\n"
            "return weights - rate * m / (np.sqrt(v) + epsilon), m, v",
            "power-forgotten",
        ),
        (
            "adam_step_keras",
            CORRECTED + "rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)\n"
            "return weights - rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v",
            "corrected-twice",
        ),
        (
            "adamw_step",
            "w, betas = weights - learning_rate * weight_decay, (beta_1, beta_2)\n"
            "return adam_step_keras(w, gradient, m, v, step, learning_rate, *betas, epsilon)",
            "same-amount-for-all",
        ),
        (
            "clip_by_global_norm",
            "norm = np.linalg.norm(gradients)\n"
            "return [g * min(1.0, max_norm / norm) for g in gradients]",
            "laid-end-to-end-without-flattening",
        ),
        (
            "clip_by_global_norm",
            "norm = np.sqrt(sum(np.sum(g) ** 2 for g in gradients))\n"
            "return [g * max_norm / norm if norm > max_norm else g for g in gradients]",
            "squares-of-sums",
        ),
        (
            "clip_by_global_norm",
            "norm = np.sqrt(sum(np.sum(g**2) for g in gradients))\n"
            "if norm > max_norm:\n    return [g * max_norm / norm for g in gradients]",
            "nothing-returned-below-the-limit",
        ),
        (
            "linear_probe_gradients",
            "def loss(w, b):\n"
            "    return softmax_cross_entropy(features @ w + b, labels) + strength * np.sum(w**2)\n"
            "by_weights = numerical_gradient(lambda w: loss(w, bias), weights)\n"
            "return by_weights, numerical_gradient(lambda b: loss(weights, b), bias)",
            "finite-differences",
        ),
        (
            "linear_probe_gradients",
            "g = softmax(features @ weights + bias) - np.eye(len(bias))[labels]\n"
            "return features.T @ g + 2 * strength * weights, g.mean(axis=0)",
            "weights-not-averaged",
        ),
        (
            "stratified_split",
            "taken = np.zeros(len(labels), bool)\n"
            "for label in np.unique(labels):\n"
            "    members = order[labels == label]\n"
            "    taken[members[: int(np.ceil(fraction * len(members)))]] = True\n"
            "return order[taken[order]], order[~taken[order]]",
            "mask-of-the-file",
        ),
        (
            "global_average_pool",
            "n, h, w, k = feature_maps.shape\n"
            "return feature_maps.reshape(n, k, h * w).mean(axis=2)",
            "reshaped-not-moved",
        ),
        (
            "standardize",
            "mean, deviation = train.mean(axis=0), train.std(axis=0)\n"
            "def scaled(x):\n"
            "    out = np.zeros(x.shape)\n"
            "    return np.divide(x - mean, deviation, out=out, where=deviation > 0)\n"
            "return scaled(train), scaled(other)",
            "constant-feature-erased",
        ),
        (
            "trainable_mask",
            LAYERS + "return layers >= start & ~is_batchnorm",
            "parentheses-missing",
        ),
        (
            "trainable_mask",
            LAYERS + "return ~is_batchnorm & layers >= start",
            "parentheses-missing-behind",
        ),
        (
            "trainable_mask",
            "return [name >= first_trainable and not norm "
            "for name, norm in zip(layer_names, is_batchnorm)]",
            "alphabetical",
        ),
        (
            "trainable_mask",
            LAYERS + "mask = layers >= start\nmask[is_batchnorm] = True\nreturn mask",
            "batch-normalisation-always-trains",
        ),
        (
            "trainable_mask",
            START + "return [i for i in range(start, len(layer_names)) if not is_batchnorm[i]]",
            "places",
        ),
        (
            "trainable_mask",
            LAYERS + "return np.where((layers >= start) & ~is_batchnorm)",
            "places-from-where",
        ),
        (
            "trainable_mask",
            START + "return [n for i, n in enumerate(layer_names) "
            "if i >= start and not is_batchnorm[i]]",
            "names",
        ),
        ("trainable_mask", START + "return ~is_batchnorm[start:]", "from-the-named-layer-on"),
        (
            "trainable_mask",
            "return [name == first_trainable for name in layer_names]",
            "only-named-layer",
        ),
        (
            "trainable_parameters",
            "total = 0\nfor shape, trains in zip(shapes, mask):\n    if trains:\n"
            "        total += np.prod(shape)\n    return total",
            "first-array-only",
        ),
        (
            "trainable_parameters",
            "total = 0\nfor shape, trains in zip(shapes, mask):\n    size = 0\n"
            "    for n in shape:\n        size *= n\n    total += size * trains\nreturn total",
            "product-from-zero",
        ),
        (
            "trainable_parameters",
            "total = 1\nfor shape, trains in zip(shapes, mask):\n    if trains:\n"
            "        total *= np.prod(shape, dtype=int)\nreturn total",
            "product-over-all",
        ),
        (
            "trainable_parameters",
            "total, size = 0, 1\nfor shape, trains in zip(shapes, mask):\n    if trains:\n"
            "        for n in shape:\n            size *= n\n        total += size\nreturn total",
            "product-not-restarted",
        ),
        (
            "trainable_parameters",
            "total = 0\nfor shape, trains in zip(shapes, mask):\n    size = 1\n"
            "    for n in shape:\n        size *= n if trains else 1\n    total += size\n"
            "return total",
            "frozen-as-one",
        ),
        (
            "trainable_parameters",
            "return sum(np.size(s) for s, trains in zip(shapes, mask) if trains)",
            "axes-counted",
        ),
        (
            "trainable_parameters",
            "return [int(np.prod(s)) for s, trains in zip(shapes, mask) if trains]",
            "one-number-per-array",
        ),
        (
            "trainable_parameters",
            "return sum(np.sum(s) for s, trains in zip(shapes, mask) if trains)",
            "sum-of-lengths",
        ),
        (
            "batchnorm_inference",
            "return gamma * x - moving_mean / np.sqrt(moving_variance + epsilon) + beta",
            "parentheses-around-the-difference",
        ),
        (
            "batchnorm_inference",
            "return gamma * (x - moving_mean) / np.sqrt(moving_variance) + epsilon + beta",
            "epsilon-behind-the-division",
        ),
        (
            "batchnorm_inference",
            "return gamma * (x - moving_mean) / np.sqrt(moving_variance + 1e-3) + beta",
            "epsilon-of-its-own",
        ),
        (
            "batchnorm_inference",
            "scale = np.sqrt(x.var(axis=1, keepdims=True) + epsilon)\n"
            "return gamma * (x - x.mean(axis=1, keepdims=True)) / scale + beta",
            "each-example-by-itself",
        ),
        (
            "batchnorm_inference",
            "return (gamma * (x - moving_mean) + beta) / np.sqrt(moving_variance + epsilon)",
            "beta-divided-too",
        ),
        ("batchnorm_inference", "return x * gamma + beta", "statistics-forgotten"),
        (
            "batchnorm_moving_update",
            "a, b = momentum, 1 - momentum\nmean = a * moving_mean + b * batch.mean(axis=0)\n"
            "variance = ((batch - mean) ** 2).mean(axis=0)\n"
            "return mean, a * moving_variance + b * variance",
            "around-the-new-mean",
        ),
        (
            "batchnorm_moving_update",
            "return (momentum * moving_mean + 1 - momentum * batch.mean(axis=0),\n"
            "        momentum * moving_variance + 1 - momentum * batch.var(axis=0))",
            "parentheses",
        ),
        (
            "batchnorm_moving_update",
            "a, b = momentum, 1 - momentum\nreturn (a * moving_mean + b * batch.mean(axis=1),\n"
            "        a * moving_variance + b * batch.var(axis=1))",
            "over-the-channels",
        ),
        (
            "class_weights",
            "counts = np.bincount(labels)\nreturn len(labels) / (num_classes * counts)",
            "minlength-forgotten-and-divided-by-zero",
        ),
        (
            "class_weights",
            "counts = np.unique(labels, return_counts=True)[1]\n"
            "return len(labels) / (num_classes * counts)",
            "only-classes-that-occur",
        ),
        (
            "class_weights",
            COUNTS + "return len(labels) / num_classes * counts",
            "divided-then-multiplied",
        ),
        (
            "class_weights",
            COUNTS + "return np.where(counts > 0, 1 - counts / len(labels), 0)",
            "one-minus-frequency",
        ),
        (
            "class_weights",
            COUNTS + "return len(labels) // (num_classes * np.maximum(counts, 1))",
            "whole-numbers",
        ),
        ("class_weights", COUNTS + "return counts", "counts"),
        (
            "layerwise_learning_rates",
            "return (base_learning_rate * decay) ** np.arange(num_groups)[::-1]",
            "base-in-the-power",
        ),
        (
            "layerwise_learning_rates",
            "return base_learning_rate * decay * np.arange(num_groups)[::-1]",
            "distance-as-factor",
        ),
        (
            "layerwise_learning_rates",
            "return base_learning_rate * decay ** np.arange(num_groups - 1, 0, -1)",
            "last-group-missing",
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
            "The rows fit, the columns do not: is their number written into your code?",
        ),
        ("mse_gradient", "return predictions - targets.T", "is a `.T` missing, or one too many?"),
        ("mse", "return predictions @ targets", "In `a @ b` the last axis of `a`"),
        (
            "clip_by_global_norm",
            "norm = sum(np.sum(g**2) for g in gradients) ** 0.5\n"
            "return gradients * min(1.0, float(max_norm / norm))",
            "go through it, `[2 * a for a in arrays]`",
        ),
        ("clip_by_global_norm", "return sum(gradients**2)", "`[2 * a for a in arrays]`"),
        ("trainable_mask", "return is_batchnorm - True", "turned round by `~`; `-` is for numbers"),
        (
            "trainable_mask",
            "return ~is_batchnorm * 1",
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
            "Expected 3 values in a list, got a value of type generator.",
        ),
        (
            "soft_threshold",
            "return np.sign(weights) * max(np.abs(weights) - amount, 0)",
            "`np.where`, `np.maximum` and `np.minimum` take all",
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
