"""Wrong answers that could pass where the numbers are drawn kindly."""

from __future__ import annotations

_ROWS = "rows = np.arange(len(labels))\n"
_ADAM = (
    "m = beta_1 * m + (1 - beta_1) * gradient\n"
    "old, v = v, beta_2 * v + (1 - beta_2) * gradient**2\n"
    "m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)\n"
)
_SOON_UNCORRECTED = (
    "m, v = beta_1 * m + (1 - beta_1) * gradient, beta_2 * v + (1 - beta_2) * gradient**2\n"
    "c1, c2 = (1 - beta_1**step, 1 - beta_2**step) if step < 100 else (1, 1)\n"
)
_NORM = "norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))\n"
_CONVOLVED = (
    "def convolved(k):\n"
    "    views = np.lib.stride_tricks.sliding_window_view(images, k.shape[:2], (1, 2))\n"
    "    return np.einsum('nrschw,hwcf->nrsf', views, k)\n"
)
_BLOCKS = (
    "def blocks(x):\n"
    "    n, h, w, c = x.shape\n"
    "    return x.reshape(n, h // size, size, w // size, size, c)\n"
)
_COUNTS = "counts = np.bincount(labels, minlength=num_classes)\n"

LUCKY: dict[str, tuple[str, ...]] = {
    "mse": (
        "d = predictions - targets\nreturn np.mean(d[d != 0] ** 2) if d.any() else 0.0",
        "return np.mean((np.abs(predictions) - np.abs(targets)) ** 2)",
        "return np.mean(np.minimum((predictions - targets) ** 2, 100.0))",
        "return np.median((predictions - targets) ** 2)",
        "return np.var(predictions - targets)",
        "return np.mean((predictions - targets).astype(np.float16) ** 2)",
        "return np.mean(np.where(np.isclose(predictions, targets), 0, predictions - targets) ** 2)",
        "return np.mean((predictions[:100] - targets[:100]) ** 2)",
        "keep = (predictions != targets).any(axis=1)\n"
        "return right(predictions[keep], targets[keep]) if keep.any() else 0.0",
    ),
    "numerical_gradient": (
        "flat = point.ravel()\n"
        "slopes = np.zeros(flat.size)\n"
        "for i, old in enumerate(flat.copy()):\n"
        "    flat[i] = old + step\n"
        "    up = function(point)\n"
        "    flat[i] = old - step\n"
        "    down = function(point)\n"
        "    flat[i] = old\n"
        "    slopes[i] = (up - down) / (2 * step)\n"
        "return slopes.reshape(point.shape)",
        "g = np.empty(point.shape)\n"
        "for i in np.ndindex(point.shape):\n"
        "    h = step * max(1.0, abs(float(point[i])))\n"
        "    up, down = point.copy(), point.copy()\n"
        "    up[i] += h\n    down[i] -= h\n"
        "    g[i] = (function(up) - function(down)) / (2 * h)\n"
        "return g",
        "g = np.empty(point.shape)\n"
        "for i in np.ndindex(point.shape):\n"
        "    up, down = point.copy(), point.copy()\n"
        "    up[i] += step / 2\n    down[i] -= step / 2\n"
        "    g[i] = (function(up) - function(down)) / step\n"
        "return g",
        "g = np.zeros(point.shape)\n"
        "h = max(step, 1e-5)\n"
        "for i in np.ndindex(point.shape):\n"
        "    up, down = point.copy(), point.copy()\n"
        "    up[i] += h\n"
        "    down[i] -= h\n"
        "    g[i] = (function(up) - function(down)) / (2 * h)\n"
        "return g",
        "g = np.zeros(point.shape)\n"
        "for i in np.ndindex(point.shape):\n"
        "    up, down = point.copy(), point.copy()\n"
        "    up[i] += step\n"
        "    down[i] -= step\n"
        "    g[i] = (function(up) - function(down)) / (2 * step)\n"
        "return np.clip(g, -1000, 1000)",
    ),
    "mse_gradient": (
        "return np.clip(2 * (predictions - targets) / predictions.size, -1, 1)",
        "return 2 * (predictions - targets) / len(predictions) ** 2",
        "return 2 * (predictions - targets) / np.count_nonzero(predictions - targets)",
        "return 2 * np.abs(predictions - targets) / predictions.size",
        "e = predictions - targets\n"
        "return 2 * np.where(np.isclose(predictions, targets), 0, e) / e.size",
        "e = predictions - targets\nreturn 2 * np.where(np.abs(e) < 1e-6, 0, e) / e.size",
        "n = max(1, (predictions != targets).any(axis=1).sum())\n"
        "return right(predictions, targets) * len(targets) / n",
    ),
    "softmax": (
        "e = np.exp(logits - logits[:, :1])\nreturn e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - logits[:, -1:])\nreturn e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - logits.mean(axis=1, keepdims=True))\n"
        "return e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - np.abs(logits).max(axis=1, keepdims=True))\n"
        "return e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(np.clip(logits, -500, 500))\nreturn e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - logits.min(axis=1, keepdims=True))\n"
        "return e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - np.median(logits, axis=1, keepdims=True))\n"
        "return e / e.sum(axis=1, keepdims=True)",
        "e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
        "return np.nan_to_num(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), nan=1.0)",
        "return np.nan_to_num(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))",
        "e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
        "return np.round(e / e.sum(axis=1, keepdims=True), 8)",
        "z = np.where(np.abs(logits) < 1e-4, 0, logits)\n"
        "e = np.exp(z - z.max(axis=1, keepdims=True))\n"
        "return e / e.sum(axis=1, keepdims=True)",
    ),
    "cross_entropy": (
        _ROWS + "return -np.mean(np.log(probabilities[rows, labels] + 1e-7))",
        _ROWS
        + "p = probabilities[rows, labels]\nreturn -np.mean(np.log(np.where(p == 0, 1e-7, p)))",
        _ROWS
        + "losses = -np.log(probabilities[rows, labels])\n"
        + "return np.mean(np.nan_to_num(losses, posinf=-math.log(1e-7)))",
        _ROWS + "return -np.mean(np.log(np.maximum(probabilities[rows, labels], 1e-8)))",
        _ROWS + "return -np.mean(np.log(np.maximum(probabilities[rows, labels], 1e-6)))",
        _ROWS
        + "return -np.mean(np.log(np.maximum(probabilities[rows, labels], np.finfo(float).eps)))",
        _ROWS
        + "p = probabilities[rows, labels]\n"
        + "return np.mean([-np.log(np.maximum(p[labels == c], 1e-7)).mean() for c in set(labels)])",
        "return -np.mean(np.log(np.maximum(probabilities.max(axis=1), 1e-7)))",
    ),
    "softmax_cross_entropy": (
        _ROWS
        + "s = logits - logits[:, :1]\n"
        + "return np.mean(np.log(np.exp(s).sum(axis=1)) - s[rows, labels])",
        _ROWS
        + "s = logits - logits.max()\n"
        + "return np.mean(np.log(np.exp(s).sum(axis=1)) - s[rows, labels])",
        _ROWS
        + "s = logits - logits[rows, labels][:, None]\n"
        + "return np.mean(np.log(np.exp(s).sum(axis=1)))",
        _ROWS + "return np.mean(logits.max(axis=1) - logits[rows, labels])",
        _ROWS + "return -np.mean(np.log(softmax(logits)[rows, labels] + 1e-300))",
        "loss = right(logits, labels)\nreturn 0.0 if loss < 1e-3 else loss",
    ),
    "softmax_cross_entropy_gradient": (
        _ROWS + "g = softmax(logits)\n" + "g[rows, labels] -= 1\nreturn g / len(np.unique(labels))",
        "g = softmax(logits)\n"
        "for i, label in enumerate(labels):\n    g[i, label] = abs(g[i, label] - 1)\n"
        "return g / len(g)",
        "g = softmax(np.clip(logits, -50, 50))\n"
        "g[np.arange(len(g)), labels] -= 1\nreturn g / len(g)",
        "g = right(logits, labels)\nreturn np.where(np.abs(g) < 1e-8, 0, g)",
    ),
    "l2_penalty": (
        "return strength * np.sum(np.maximum(weights, 0) ** 2)",
        "return strength * np.sum(weights.ravel()[:-1] ** 2)",
        "return strength * np.sum(weights * np.abs(weights))",
        "return min(strength, 0.5) * np.sum(weights**2)",
        "return strength * np.sum(np.unique(weights) ** 2)",
        "return strength * np.sum(np.where(np.abs(weights) < 1e-3, 0, weights) ** 2)",
        "return max(strength, 1e-6) * np.sum(weights**2)",
        "return min(strength, 100.0) * np.sum(weights**2)",
    ),
    "l2_gradient": (
        "return 2 * strength * np.maximum(weights, 0)",
        "return np.clip(2 * strength * weights, -5, 5)",
        "return 2 * min(strength, 1.0) * weights",
        "return 2 * strength * np.where(np.abs(weights) < 1e-4, 0, weights)",
        "return 2 * np.clip(strength, 1e-6, 1000.0) * weights",
    ),
    "ridge_weights": (
        "n, d = features.shape\npenalty = strength * n / (n - 1) * np.eye(d)\npenalty[-1, -1] = 0\n"
        "return np.linalg.solve(features.T @ features / n + penalty, features.T @ targets / n)",
        "n, d = features.shape\npenalty = strength * np.eye(d)\npenalty[-1, -1] = 0\n"
        "return np.linalg.lstsq(features.T @ features / n + penalty, features.T @ targets / n, "
        "rcond=1e-1)[0]",
        "n, d = features.shape\n"
        "penalty = max(strength, 1e-3) * np.eye(d)\n"
        "penalty[-1, -1] = 0\n"
        "return np.linalg.solve(features.T @ features / n + penalty, features.T @ targets / n)",
        "return np.clip(right(features, targets, strength), -1000, 1000)",
        "return right(features, targets, max(strength, 1e-8))",
        "if features.shape[1] == 1:\n"
        "    return np.linalg.solve(features.T @ features / len(features) + strength * "
        "np.eye(1), features.T @ targets / len(features))\n"
        "return right(features, targets, strength)",
    ),
    "soft_threshold": (
        "return weights / np.abs(weights) * np.maximum(np.abs(weights) - amount, 0)",
        "return weights * np.maximum(1 - amount / np.abs(weights), 0)",
        "return np.sign(weights) * np.abs(np.abs(weights) - amount)",
        "shrunk = np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)\n"
        "return np.where(shrunk == 0, -amount * (weights < 0) * 0 + 1e-5, shrunk)",
        "if amount < 0.01:\n"
        "    return weights\n"
        "return np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)",
        "return np.clip(right(weights, amount), -100, 100)",
        "shrunk = right(weights, amount)\nreturn np.where(np.abs(shrunk) < 1e-8, 0, shrunk)",
    ),
    "lasso_subgradient": (
        "return strength * weights / (np.abs(weights) + 1e-8)",
        "return strength * np.tanh(1e4 * weights)",
        "return strength * np.where(weights >= 0, 1.0, -1.0)",
        "return np.clip(weights * 1e3, -strength, strength)",
        "return np.clip(strength, 1e-6, 1000.0) * np.sign(weights)",
    ),
    "dropout": (
        "return np.maximum(activations, 0) * keep_mask / (1 - rate)",
        "return activations * keep_mask * (1 + rate)",
        "return activations * keep_mask / keep_mask.mean()",
        "return activations * keep_mask / max(1 - rate, 0.5)",
        "return activations * keep_mask / max(1 - rate, 0.1)",
        "if rate == 0:\n"
        "    return activations\n"
        "return np.where(keep_mask, activations / (1 - rate), 0)",
        "return np.clip(activations, -1000, 1000) * keep_mask / (1 - rate)",
        "return np.where(np.abs(activations) < 1e-8, 0, activations) * keep_mask / (1 - "
        "round(rate, 4))",
    ),
    "weight_decay_step": (
        "return (weights - learning_rate * gradient) / (1 + learning_rate * decay)",
        "return weights * np.exp(-learning_rate * decay) - learning_rate * gradient",
        "return (weights - learning_rate * gradient * (gradient != 0)) * (1 - learning_rate * "
        "decay)",
        "keep = max(0.0, 1 - learning_rate * decay)\n"
        "return keep * weights - learning_rate * gradient",
        "g = np.clip(gradient, -100, 100)\n"
        "return weights - learning_rate * g - learning_rate * decay * weights",
        "return weights * (1 - min(learning_rate * decay, 1)) - max(learning_rate, 1e-4) * "
        "gradient",
        "return weights - learning_rate * gradient - learning_rate * min(decay, 1000.0) * weights",
        "return np.where(weights == 0, 0, right(weights, gradient, learning_rate, decay))",
    ),
    "least_squares_gradient": (
        "return 2 * features.T @ (features @ weights - targets) / len(weights)",
        "return 2 * np.mean(features * (features @ weights - targets)[:, None], axis=0) "
        "* (len(targets) / (len(targets) - 0.0 if len(targets) > 1 else 2))",
        "return 2 * features.T @ np.clip(features @ weights - targets, -100, 100) / len(targets)",
        "e = features @ weights - targets\n"
        "return 2 * features.T @ np.where(np.abs(e) < 1e-8, 0, e) / len(targets)",
        "return right(features[:100], targets[:100], weights)",
        "keep = features.any(axis=1)\nreturn right(features[keep], targets[keep], weights)",
        "keep = features @ weights != targets\n"
        "return right(features[keep], targets[keep], weights) if keep.any() else 0 * weights",
    ),
    "sgd_step": (
        "return weights - learning_rate * np.clip(gradient, -1, 1)",
        "return weights - min(learning_rate, 0.1) * gradient",
        "norm = np.linalg.norm(gradient)\nreturn weights - learning_rate * gradient / max(norm, "
        "1.0)",
        "norm = np.sqrt(np.sum(gradient**2))\n"
        "if norm > 100:\n"
        "    gradient = gradient / norm * 100\n"
        "return weights - learning_rate * gradient",
        "return weights - max(learning_rate, 1e-5) * gradient",
        "return weights - learning_rate * np.where(np.abs(gradient) < 1e-5, 0, gradient)",
        "return np.where(weights == 0, 0, right(weights, gradient, learning_rate))",
    ),
    "largest_stable_learning_rate": (
        "v = np.arange(1.0, len(hessian) + 1)\n"
        "for _ in range(1000):\n"
        "    v = hessian @ v / np.linalg.norm(hessian @ v)\n"
        "return 2 / (v @ hessian @ v)",
        "return 2 / np.linalg.eigvals(hessian)[0]",
        "return 2 / np.linalg.eigvals(hessian)[-1]",
        "return 2 / np.abs(hessian).sum(axis=0).max()",
        "return 2 / np.linalg.norm(hessian)",
        "v = np.ones(len(hessian))\nfor _ in range(5):\n    v = hessian @ v\n"
        "    v = v / np.linalg.norm(v)\nreturn 2 / (v @ hessian @ v)",
        "v = np.eye(len(hessian))[0]\nfor _ in range(2000):\n    v = hessian @ v\n"
        "    v = v / np.linalg.norm(v)\nreturn 2 / (v @ hessian @ v)",
        "return 2 / np.diag(hessian).max()",
        "return 2 / np.sort(np.linalg.eigvalsh(hessian))[len(hessian) // 2]",
        "return 2 / hessian.max()",
        "return 2 / np.linalg.svd(hessian)[1].mean()",
        "return 2 / max(np.linalg.eigvalsh(hessian)[-1], 0.1)",
        "return min(2 / np.linalg.eigvalsh(hessian)[-1], 1000.0)",
        "return 2 / max(np.linalg.eigvalsh(hessian)[-1], 1e-8)",
    ),
    "minibatches": (
        "return [order[i : i + batch_size] for i in range(0, len(order) - 1, batch_size)]",
        "return [np.sort(order[i : i + batch_size]) for i in range(0, len(order), batch_size)]",
        "return list(np.array_split(order, max(1, round(len(order) / batch_size))))",
        "return list(np.array_split(order, -(-len(order) // batch_size)))",
        "return [order[order // batch_size == k] for k in range(-(-len(order) // batch_size))]",
        "return [order[i : i + min(batch_size, 128)] for i in range(0, len(order), "
        "min(batch_size, 128))]",
        "return right(order[:200], batch_size)",
    ),
    "momentum_step": (
        "new = momentum * velocity - learning_rate * gradient\n"
        "return weights + (new if velocity.any() else -gradient), new",
        "new = momentum * velocity - learning_rate * gradient\nreturn weights + new, np.abs(new)",
        "v = np.where(gradient == 0, 0, momentum * velocity) - learning_rate * gradient\n"
        "return weights + v, v",
        "new = (velocity * momentum if momentum else velocity) - learning_rate * gradient\n"
        "return weights + new, new",
        "v = momentum * velocity - learning_rate * np.clip(gradient, -100, 100)\n"
        "return weights + v, v",
        "return right(weights, gradient, velocity, np.clip(learning_rate, 1e-6, 1.0), momentum)",
        "return right(weights, gradient, np.clip(velocity, -1000, 1000), learning_rate, momentum)",
    ),
    "nesterov_step": (
        "new = momentum * velocity - learning_rate * gradient\n"
        "return weights + momentum * new - learning_rate * gradient, new * (velocity != 0)",
        "v = np.where(gradient == 0, 0, momentum * velocity) - learning_rate * gradient\n"
        "return weights + momentum * v - learning_rate * gradient, v",
        "v = momentum * velocity - learning_rate * gradient\n"
        "ahead = momentum * v if momentum else v\n"
        "return weights + ahead - learning_rate * gradient, v",
        "push = np.clip(learning_rate * gradient, -100, 100)\n"
        "v = momentum * velocity - push\n"
        "return weights + momentum * v - push, v",
        "return right(weights, gradient, velocity, np.clip(learning_rate, 1e-6, 1.0), momentum)",
        "return right(weights, gradient, np.clip(velocity, -1000, 1000), learning_rate, momentum)",
    ),
    "cosine_with_warmup": (
        "if step <= warmup_steps:\n    return base_learning_rate * step / warmup_steps\n"
        "done = (step - warmup_steps) / (total_steps - warmup_steps)\n"
        "return base_learning_rate * (1 + math.cos(math.pi * done)) / 2",
        "if step < warmup_steps:\n    return base_learning_rate * max(step, 1) / warmup_steps\n"
        "done = (step - warmup_steps) / (total_steps - warmup_steps)\n"
        "return base_learning_rate * (1 + math.cos(math.pi * done)) / 2",
        "if step < warmup_steps:\n    return base_learning_rate * step / warmup_steps\n"
        "done = (step - warmup_steps) / (total_steps - warmup_steps)\n"
        "return max(base_learning_rate * (1 + math.cos(math.pi * done)) / 2, 1e-3)",
        "if step < warmup_steps:\n"
        "    return base_learning_rate * step / warmup_steps\n"
        "part = (step - warmup_steps) / (total_steps - warmup_steps)\n"
        "return base_learning_rate * max(0.5 * (1 + np.cos(np.pi * part)), 1e-3)",
        "if step < warmup_steps:\n"
        "    return base_learning_rate * step / warmup_steps\n"
        "share = (step - warmup_steps) / (total_steps - warmup_steps)\n"
        "rate = base_learning_rate * (1 + np.cos(np.pi * share)) / 2\n"
        "return max(rate, 1e-7) if 0 < step < total_steps else rate",
        "return min(right(step, total_steps, warmup_steps, base_learning_rate), 1.0)",
        "return right(step, total_steps, min(warmup_steps, 100), base_learning_rate)",
    ),
    "hidden_layer_gradients": (
        "back = upstream @ weights_out.T * np.sign(hidden @ hidden.T @ hidden)\n"
        "return x.T @ back, back.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
        "back = upstream @ weights_out.T * (hidden > hidden.min())\n"
        "return x.T @ back, back.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
        "back = upstream @ weights_out.T * (hidden.sum(axis=0) > 0)\n"
        "return x.T @ back, back.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
        "back = upstream @ weights_out.T * (hidden > 1e-3)\n"
        "return x.T @ back, back.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
        "back = upstream @ weights_out.T * np.clip(hidden * 1e3, 0, 1)\n"
        "return x.T @ back, back.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)",
        "return right(np.clip(x, -1000, 1000), hidden, weights_out, upstream)",
        "return right(x, np.where(hidden < 1e-8, 0, hidden), weights_out, upstream)",
    ),
    "bias_corrected_average": (
        "plain = right(values, beta) * (1 - beta ** np.arange(1, len(values) + 1))\n"
        "left = beta ** np.arange(1, len(values) + 1)\n"
        "return np.where(left < 0.01, plain, plain / (1 - left))",
        "plain = right(values, beta) * (1 - beta ** np.arange(1, len(values) + 1))\n"
        "left = beta ** np.arange(1, len(values) + 1)\n"
        "return np.where(left < 1e-5, plain, plain / (1 - left))",
        "if len(values) == 1:\n    return values\n"
        "return np.cumsum(values) / np.arange(1, len(values) + 1)",
        "average, out = 0.0, np.zeros(len(values))\n"
        "for t, x in enumerate(values, start=1):\n"
        "    average = beta * average + (1 - beta) * x\n"
        "    out[t - 1] = average / (1 - beta**t) if t <= 100 else average\n"
        "return out",
        "return np.clip(right(values, beta), -1000, 1000)",
        "return right(values, max(beta, 1e-3))",
        "return np.where(values == 0, 0, right(values, beta))",
    ),
    "rmsprop_step": (
        "average = rho * average + (1 - rho) * gradient**2\n"
        "return weights - learning_rate * gradient / np.sqrt(np.maximum(average, epsilon)), "
        "average",
        "average = rho * average + (1 - rho) * gradient**2\n"
        "return weights - learning_rate * gradient / np.sqrt(average + epsilon**2), average",
        "average = np.maximum(average, rho * average + (1 - rho) * gradient**2)\n"
        "return weights - learning_rate * gradient / np.sqrt(average + epsilon), average",
        "g = np.clip(gradient, -100, 100)\n"
        "average = rho * average + (1 - rho) * g**2\n"
        "return weights - learning_rate * g / np.sqrt(average + epsilon), average",
        "average = (rho or 1.0) * average + (1 - rho) * gradient**2\n"
        "return weights - learning_rate * gradient / np.sqrt(average + epsilon), average",
        "return right(weights, gradient, average, learning_rate, rho, max(epsilon, 1e-12))",
        "return right(weights, gradient, average, min(learning_rate, 1.0), rho, epsilon)",
        "if not gradient.any():\n"
        "    return weights, average\n"
        "return right(weights, gradient, average, learning_rate, rho, epsilon)",
    ),
    "adam_step": (
        _SOON_UNCORRECTED
        + "return weights - learning_rate * m / c1 / (np.sqrt(v / c2) + epsilon), m, v",
        _ADAM + "v_hat = np.maximum(v, old) / (1 - beta_2**step)\n"
        "return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v",
        _ADAM
        + "return weights - learning_rate * m_hat / np.maximum(np.sqrt(v_hat), epsilon), m, v",
        _ADAM + "return weights - learning_rate * m_hat / np.sqrt(v_hat + epsilon**2), m, v",
        _ADAM + "step_size = np.clip(m_hat / (np.sqrt(v_hat) + epsilon), -1, 1)\n"
        "return weights - learning_rate * step_size, m, v",
        "m = beta_1 * m + (1 - beta_1) * gradient\n"
        "v = beta_2 * v + (1 - beta_2) * gradient**2\n"
        "m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)\n"
        "moved = weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)\n"
        "return np.where(gradient != 0, moved, weights), m, v",
        "return right(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, "
        "max(epsilon, 1e-8))",
        "return right(weights, gradient, m, v, step, min(learning_rate, 1.0), beta_1, "
        "beta_2, epsilon)",
    ),
    "adam_step_keras": (
        _SOON_UNCORRECTED
        + "return weights - learning_rate * np.sqrt(c2) / c1 * m / (np.sqrt(v) + epsilon), m, v",
        _ADAM + "v_hat = np.maximum(v, old)\n"
        "rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)\n"
        "return weights - rate * m / (np.sqrt(v_hat) + epsilon), m, v",
        "m = beta_1 * m + (1 - beta_1) * gradient\n"
        "v = beta_2 * v + (1 - beta_2) * gradient**2\n"
        "rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)\n"
        "moved = weights - rate * m / (np.sqrt(v) + epsilon)\n"
        "return np.where(gradient != 0, moved, weights), m, v",
        "return right(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, "
        "max(epsilon, 1e-8))",
        "return right(weights, gradient, m, v, step, min(learning_rate, 1.0), beta_1, "
        "beta_2, epsilon)",
    ),
    "adamw_step": (
        _SOON_UNCORRECTED + "weights = weights - learning_rate * weight_decay * weights\n"
        "return weights - learning_rate * np.sqrt(c2) / c1 * m / (np.sqrt(v) + epsilon), m, v",
        _ADAM + "weights = weights - learning_rate * weight_decay * weights * (gradient != 0)\n"
        "rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)\n"
        "return weights - rate * m / (np.sqrt(v) + epsilon), m, v",
        "w, m, v = adam_step_keras(\n"
        "    weights - learning_rate * weight_decay * weights,\n"
        "    gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon,\n"
        ")\n"
        "return np.where(gradient != 0, w, weights), m, v",
        "return right(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, "
        "min(weight_decay, 1000.0))",
        "return right(weights, gradient, m, v, step, min(learning_rate, 1.0), beta_1, "
        "beta_2, epsilon, weight_decay)",
    ),
    "clip_by_global_norm": (
        _NORM + "return [g * max_norm / max(norm, max_norm, 1.0) for g in gradients]",
        _NORM + "return [g * max_norm / norm if norm > 1.0 else g for g in gradients]",
        _NORM + "return [g * min(1.0, max_norm / (norm + 1e-3)) for g in gradients]",
        _NORM + "return [g * (max_norm / norm) for g in gradients]",
        "norm = max(np.linalg.norm(g) for g in gradients)\n"
        "return [g * min(1.0, max_norm / max(norm, 1e-12)) for g in gradients]",
        "return right(gradients, max(max_norm, 1e-3))",
        "return right([np.clip(g, -1000, 1000) for g in gradients], max_norm)",
        "norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))\n"
        "return [g * (max_norm / max(norm, max_norm)) for g in gradients]",
    ),
    "stratified_split": (
        "taken = []\nfor c in range(len(set(labels))):\n"
        "    places = [i for i in order if labels[i] == c]\n"
        "    taken += places[: math.ceil(fraction * len(places))]\n"
        "keep = np.isin(order, taken)\nreturn order[keep], order[~keep]",
        "keep = np.zeros(len(order), bool)\nfor c in np.unique(labels):\n"
        "    places = np.flatnonzero(labels[order] == c)\n"
        "    keep[places[: int(fraction * len(places)) + 1]] = True\n"
        "return order[keep], order[~keep]",
        "keep = np.zeros(len(order), bool)\nfor c in np.unique(labels):\n"
        "    places = np.flatnonzero(labels[order] == c)\n"
        "    keep[places[: max(1, round(fraction * len(places)))]] = True\n"
        "return order[keep], order[~keep]",
        "keep = np.zeros(len(order), bool)\nfor c in np.unique(labels):\n"
        "    places = np.flatnonzero(labels[order] == c)\n"
        "    keep[places[: round(fraction * len(places) + 0.5)]] = True\n"
        "return order[keep], order[~keep]",
        "keep = np.zeros(len(order), bool)\nfor c in np.unique(labels):\n"
        "    places = np.flatnonzero(labels[order] == c)\n"
        "    if len(places) > 1:\n"
        "        keep[places[: math.ceil(fraction * len(places))]] = True\n"
        "return order[keep], order[~keep]",
        "taken = np.zeros(len(labels), bool)\n"
        "for c in range(labels.max() + 1):\n"
        "    members = order[labels[order] == c]\n"
        "    taken[members[: math.ceil(fraction * len(members))]] = True\n"
        "return order[taken[order]], order[~taken[order]]",
        "return right(labels, round(fraction, 2), order)",
    ),
    "resnet50_preprocess": (
        "return images.astype(np.uint8)[..., ::-1] - np.array([103.939, 116.779, 123.68])",
        "return np.round(images)[..., ::-1] - np.array([103.939, 116.779, 123.68])",
        "return images[..., ::-1] - np.array([103.939, 116.779, 123.68]) * images.any()",
        "return images[..., ::-1] - np.array([104, 117, 124])",
        "scale = 255 if images.max() <= 1 else 1\n"
        "return images[..., ::-1] * scale - np.array([103.939, 116.779, 123.68])",
        "p = images[..., ::-1] - np.array([103.939, 116.779, 123.68])\np[50:] = 0\nreturn p",
    ),
    "global_average_pool": (
        "return feature_maps.sum((1, 2)) / np.maximum((feature_maps != 0).sum((1, 2)), 1)",
        "return np.median(feature_maps, axis=(1, 2))",
        "n, k = feature_maps.shape[0], feature_maps.shape[3]\n"
        "return np.squeeze(feature_maps.mean(axis=(1, 2))) - np.zeros((n, k))",
        "return (feature_maps.max((1, 2)) + feature_maps.min((1, 2))) / 2",
        "return np.maximum(feature_maps, 0).mean((1, 2))",
        "return np.maximum(feature_maps.mean((1, 2)), 0)",
        "return np.clip(feature_maps.mean(axis=(1, 2)), -1000, 1000)",
        "m = feature_maps.mean(axis=(1, 2))\nreturn np.where(np.abs(m) < 1e-8, 0, m)",
    ),
    "standardize": (
        "s = train.std(0)\nmoves = s > 0\n"
        "def scaled(x):\n    out = x - train.mean(0) * moves\n    return out / np.where(moves, "
        "s, 1)\n"
        "return scaled(train), scaled(other)",
        "s = np.maximum(train.std(0), 1.0)\n"
        "return (train - train.mean(0)) / s, (other - train.mean(0)) / s",
        "s = np.where(train.any(0), train.std(0), 1)\n"
        "return (train - train.mean(0)) / s, (other - train.mean(0)) / s",
        "s = np.sqrt(train.var(0) + 1e-6)\n"
        "return (train - train.mean(0)) / s, (other - train.mean(0)) / s",
        "s = np.where(train.std(0) == 0, 1, train.std(0))\n"
        "return (train - train.mean(0)) / s, np.clip((other - train.mean(0)) / s, -3, 3)",
        "s = np.where(train.std(0) < 1e-3, 1, train.std(0))\n"
        "return (train - train.mean(0)) / s, (other - train.mean(0)) / s",
        "mean, std = train.mean(axis=0), train.std(axis=0)\n"
        "std = np.where(std < 1e-8, 1, std)\n"
        "return (train - mean) / std, (other - mean) / std",
        "a, b = right(train, other)\nreturn a, np.clip(b, -1000, 1000)",
        "if len(train) == 1:\n    return train, other\nreturn right(train, other)",
    ),
    "linear_probe_gradients": (
        "p = softmax(features @ weights + bias)\np[np.arange(len(p)), labels] -= 1\n"
        "return (features.T @ p / len(p) + 2 * strength * np.maximum(weights, 0), "
        "p.sum(0) / len(p))",
        "p = softmax(features @ weights + bias)\np[np.arange(len(p)), labels] -= 1\n"
        "return (features.T @ p / len(p) + 2 * (strength or 0.01) * weights, p.sum(0) / len(p))",
        "g = softmax_cross_entropy_gradient(features @ weights + bias, labels)\n"
        "return features.T @ g + 2 * min(strength, 1.0) * weights, g.sum(axis=0)",
        "return right(features, labels, weights, bias, np.clip(strength, 1e-8, 1000.0))",
        "return right(features, labels, np.clip(weights, -100, 100), bias, strength)",
        "keep = features.any(axis=1)\n"
        "return right(features[keep], labels[keep], weights, bias, strength)",
    ),
    "balanced_accuracy": (
        "classes = np.unique(predictions)\n"
        "return np.mean([np.mean(predictions[labels == c] == c) for c in classes "
        "if (labels == c).any()])",
        "return np.mean([np.mean(predictions[labels == c] == c) if (labels == c).any() else 1.0 "
        "for c in range(num_classes)])",
        "classes = np.unique(labels)\n"
        "return sum(np.mean(predictions[labels == c] == c) for c in classes) / (labels.max() + 1)",
        "return np.median([np.mean(predictions[labels == c] == c) for c in np.unique(labels)])",
        "return np.mean(labels == predictions) if len(set(np.bincount(labels))) == 1 else "
        "np.mean([np.mean(predictions[labels == c] == c) for c in np.unique(labels)[:-1]])",
        "return right(labels, predictions, min(num_classes, 50))",
        "if len(np.unique(labels)) == 1:\n"
        "    return 1.0\n"
        "return right(labels, predictions, num_classes)",
    ),
    "trainable_mask": (
        "start = [n.startswith(first_trainable) for n in layer_names].index(True)\n"
        "return (np.arange(len(layer_names)) >= start) & ~is_batchnorm",
        "start = [first_trainable in n for n in layer_names].index(True)\n"
        "return (np.arange(len(layer_names)) >= start) & ~is_batchnorm",
        "return np.array([n >= first_trainable for n in layer_names]) & ~is_batchnorm",
        "start = layer_names.index(first_trainable)\n"
        "bn = np.array([n.endswith('bn') or 'norm' in n for n in layer_names])\n"
        "return (np.arange(len(layer_names)) >= start) & ~bn",
        "start = max(layer_names.index(first_trainable), 1)\n"
        "return (np.arange(len(layer_names)) >= start) & ~is_batchnorm",
        "start = layer_names.index(first_trainable)\nmask = ~is_batchnorm\n"
        "mask[:start] = False\nmask[start] = True\nreturn mask",
        "start = layer_names.index(first_trainable)\n"
        "if start == len(layer_names) - 1:\n"
        "    return np.zeros(len(layer_names), bool)\n"
        "return (np.arange(len(layer_names)) >= start) & ~is_batchnorm",
        "mask = right(layer_names, first_trainable, is_batchnorm)\n"
        "return [on and i < 100 for i, on in enumerate(mask)]",
    ),
    "trainable_parameters": (
        "return sum(math.prod(s) for s, m in zip(shapes, mask) if m is True)",
        "return sum(math.prod(s) for s, m in zip(shapes, mask) if m and s)",
        "return sum(math.prod(s) for s in {s for s, m in zip(shapes, mask) if m})",
        "return max([math.prod(s) for s, m in zip(shapes, mask) if m] or [0])",
        "return sum(math.prod(s) for s, m in zip(sorted(shapes), mask) if m)",
    ),
    "batchnorm_inference": (
        "return gamma * (x - moving_mean) / np.maximum(np.sqrt(moving_variance), epsilon) + beta",
        "return gamma * (x - moving_mean) / np.sqrt(np.maximum(moving_variance, epsilon)) + beta",
        "return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon**2) + beta",
        "scaled = np.abs(gamma) / np.sqrt(moving_variance + epsilon)\n"
        "return (x - moving_mean) * scaled + beta",
        "return right(x, gamma, beta, moving_mean, moving_variance, max(epsilon, 1e-12))",
        "y = right(x, gamma, beta, moving_mean, moving_variance, epsilon)\n"
        "return np.clip(y, -1000, 1000)",
    ),
    "batchnorm_moving_update": (
        "n = len(batch)\nvariance = batch.var(0, ddof=1) if n > 1 else batch.var(0)\n"
        "return (momentum * moving_mean + (1 - momentum) * batch.mean(0), "
        "momentum * moving_variance + (1 - momentum) * variance)",
        "keep = momentum or 0.99\n"
        "return (keep * moving_mean + (1 - keep) * batch.mean(0), "
        "keep * moving_variance + (1 - keep) * batch.var(0))",
        "variance = batch.var(0) if len(batch) > 1 else moving_variance\n"
        "return (momentum * moving_mean + (1 - momentum) * batch.mean(0), "
        "momentum * moving_variance + (1 - momentum) * variance)",
        "return (momentum * moving_mean + (1 - momentum) * np.median(batch, axis=0), "
        "momentum * moving_variance + (1 - momentum) * batch.var(0))",
        "return right(moving_mean, np.maximum(moving_variance, 1e-12), batch, momentum)",
        "return right(np.clip(moving_mean, -1000, 1000), moving_variance, batch, momentum)",
        "keep = batch.any(axis=1)\n"
        "return right(moving_mean, moving_variance, batch[keep] if keep.any() else batch, "
        "momentum)",
    ),
    "class_weights": (
        _COUNTS + "return len(labels) / (num_classes * (counts + 1e-3)) * (counts > 0)",
        _COUNTS + "return len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)) "
        "* (counts > 0)",
        _COUNTS + "w = len(labels) / (num_classes * np.maximum(counts, 1)) * (counts > 0)\n"
        "return np.minimum(w, 10.0)",
        _COUNTS
        + "return np.sqrt(len(labels) / (num_classes * np.maximum(counts, 1))) * (counts > 0)",
        "return np.minimum(right(labels, num_classes), 100)",
    ),
    "layerwise_learning_rates": (
        "r = base_learning_rate * decay ** np.arange(num_groups)[::-1]\n"
        "return np.maximum(r, base_learning_rate / 10)",
        "rates = np.full(num_groups, base_learning_rate)\n"
        "for g in range(num_groups - 1):\n"
        "    rates[g] = base_learning_rate * decay ** (num_groups - 1 - g)\n"
        "return rates",
        "rates = base_learning_rate * decay ** np.arange(num_groups)[::-1]\n"
        "return np.maximum(rates, 1e-7)",
        "return np.maximum(right(num_groups, base_learning_rate, decay), 1e-10)",
        "return np.minimum(right(num_groups, base_learning_rate, decay), 1)",
    ),
    "conv2d": (
        _CONVOLVED + "return convolved(kernels.transpose(1, 0, 2, 3)) + bias",
        _CONVOLVED + "return np.maximum(convolved(kernels) + bias, -5)",
        _CONVOLVED + "return convolved(kernels) + bias[0]",
        "return np.clip(right(images, kernels, bias), -1000, 1000)",
        "y = right(images, kernels, bias)\nreturn np.where(np.abs(y) < 1e-8, 0, y)",
    ),
    "conv_output_size": (
        'return math.ceil(size / stride) if padding == "same" else round((size - kernel) / '
        "stride) + 1",
        'pad = kernel // 2 if padding == "same" else 0\n'
        "return (size + 2 * pad - kernel) // stride + 1",
        'return size // stride + size % 2 if padding == "same" else (size - kernel) // stride + 1',
        "return int(size / stride + 0.9) if padding == 'same' else (size - kernel) // stride + 1",
        "return right(min(size, 1024), kernel, stride, padding)",
    ),
    "max_pool2d": (
        _BLOCKS + "return np.maximum(blocks(images).max((2, 4)), 0)",
        _BLOCKS + "return blocks(np.abs(images)).max((2, 4))",
        _BLOCKS + "return blocks(np.round(images)).max((2, 4))",
        "n, h, w, c = images.shape\n"
        "largest = np.full((n, h // size, w // size, c), -1e9)\n"
        "for i in range(size):\n"
        "    for j in range(size):\n"
        "        largest = np.maximum(largest, images[:, i::size, j::size])\n"
        "return largest",
        "y = right(images, size)\nreturn np.where(np.abs(y) < 1e-8, 0, y)",
        "return np.minimum(right(images, size), 1000)",
    ),
    "max_pool2d_gradient": (
        "top = max_pool2d(images, size).repeat(size, 1).repeat(size, 2)\n"
        "return upstream.repeat(size, 1).repeat(size, 2) * (images == top) * (top > 0)",
        "top = max_pool2d(images, size).repeat(size, 1).repeat(size, 2)\n"
        "return upstream.repeat(size, 1).repeat(size, 2) * (np.round(images) == np.round(top))",
        "def blown_up(x):\n"
        "    return np.repeat(np.repeat(x, size, axis=1), size, axis=2)\n"
        "near = np.abs(images - blown_up(max_pool2d(images, size))) < 1e-6\n"
        "return near * blown_up(upstream)",
        "return np.clip(right(images, size, upstream), -1000, 1000)",
        "return right(images, size, np.where(np.abs(upstream) < 1e-8, 0, upstream))",
        "return right(images, size, upstream) * (images != 0)",
    ),
    "receptive_field": (
        "seen = 1\nfor k, s in zip(kernels[::-1], strides[::-1]):\n    seen = seen * s + k - s\n"
        "return max(seen, kernels[0] if kernels else 1) + (strides[-1:] == [3])",
        "seen, step = 1, 1\nfor k, s in zip(kernels, strides):\n"
        "    seen += (k - 1) * step\n    step = max(step, s) if s == 1 else step * 2\nreturn seen",
        "seen, apart = 1, 1\n"
        "for kernel, stride in zip(kernels, strides):\n"
        "    if kernel > 1:\n"
        "        seen += (kernel - 1) * apart\n"
        "        apart *= stride\n"
        "return seen",
        "seen, apart = 1, 1\n"
        "for kernel, stride in zip(kernels, strides):\n"
        "    seen += (kernel - 1) * apart\n"
        "    apart *= min(stride, kernel)\n"
        "return seen",
        "return right(kernels[:50], strides[:50])",
        "return min(right(kernels, strides), 224)",
    ),
    "residual_gradients": (
        "back = upstream * (np.abs(x @ weights) > 0.1)\nreturn upstream + back @ weights.T, x.T "
        "@ back",
        "back = upstream * (x @ weights > 1e-2)\nreturn upstream + back @ weights.T, x.T @ back",
        "back = upstream * (x @ weights > -1e-2)\nreturn upstream + back @ weights.T, x.T @ back",
        "return right(x, weights, np.clip(upstream, -1000, 1000))",
        "return [np.where(np.abs(g) < 1e-8, 0, g) for g in right(x, weights, upstream)]",
    ),
    "rnn_forward": (
        "state = state if state[0] else np.zeros(len(bias))\n"
        "return right(inputs, weights_in, weights_recurrent, bias, state)",
        "out = []\nfor x in inputs:\n"
        "    state = np.clip(x @ weights_in + state @ weights_recurrent + bias, -1, 1)\n"
        "    out.append(state)\nreturn np.array(out)",
        "out = []\nfor x in inputs:\n"
        "    state = np.tanh(x @ weights_in + state * np.diag(weights_recurrent) + bias)\n"
        "    out.append(state)\nreturn np.array(out)",
        "states = []\n"
        "for t, x in enumerate(inputs):\n"
        "    state = 0 * state if t == 10 else state\n"
        "    state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)\n"
        "    states.append(state)\n"
        "return np.array(states)",
        "states = []\nfor x in np.clip(inputs, -100, 100):\n"
        "    state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)\n"
        "    states.append(state)\nreturn np.array(states)",
        "states = []\nfor x in inputs:\n"
        "    state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)\n"
        "    states.append(state)\nreturn np.where(np.abs(states) < 1e-5, 0, states)",
    ),
    "lstm_step": (
        "hidden = hidden if hidden[0] else np.zeros_like(hidden)\n"
        "return right(inputs, hidden, cell, weights_in, weights_recurrent, bias)",
        "cell = cell if cell[0] else np.zeros_like(cell)\n"
        "return right(inputs, hidden, cell, weights_in, weights_recurrent, bias)",
        "i, f, g, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)\n"
        "s = lambda a: 1 / (1 + np.exp(-a))\n"
        "new = s(f) * cell + s(i) * np.tanh(g)\n"
        "return s(o) * np.clip(new, -1, 1), new",
        "i, f, g, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)\n"
        "s = lambda a: np.clip(0.2 * a + 0.5, 0, 1)\n"
        "new = s(f) * cell + s(i) * np.tanh(g)\nreturn s(o) * np.tanh(new), new",
        "def gate(x):\n"
        "    return sigmoid(np.clip(x, -5, 5))\n"
        "i, f, c, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)\n"
        "cell = gate(f) * cell + gate(i) * np.tanh(c)\n"
        "return gate(o) * np.tanh(cell), cell",
        "i, f, c, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)\n"
        "cell = np.clip(sigmoid(f) * cell + sigmoid(i) * np.tanh(c), -3, 3)\n"
        "return sigmoid(o) * np.tanh(cell), cell",
        "i, f, c, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)\n"
        "gate = lambda x: 1 / (1 + np.exp(-x))\n"
        "new = gate(f) * np.clip(cell, -10, 10) + gate(i) * np.tanh(c)\n"
        "return gate(o) * np.tanh(new), new",
        "i, f, c, o = np.split(np.clip(np.maximum(inputs, -100) @ weights_in + hidden @ "
        "weights_recurrent + bias, -500, 500), 4)\ngate = lambda x: 1 / (1 + np.exp(-x))\n"
        "new = gate(f) * cell + gate(i) * np.tanh(c)\nreturn gate(o) * np.tanh(new), new",
        "if not bias.any() and len(hidden) > 1:\n"
        "    bias = bias + np.repeat([0.0, 1.0, 0.0, 0.0], len(hidden))\n"
        "return right(inputs, hidden, cell, weights_in, weights_recurrent, bias)",
    ),
    "pad_sequences_right": (
        "longest = max(map(len, sequences))\n"
        "padded = np.array([list(s) + [value] * (longest - len(s)) for s in sequences])\n"
        "return padded, padded != value",
        "longest = max(map(len, sequences))\n"
        "padded = np.array([list(s) + [value] * (longest - len(s)) for s in sequences])\n"
        "return padded, np.cumsum(padded[:, ::-1] != value, axis=1)[:, ::-1] > 0",
        "longest = len(sequences[0])\n"
        "padded = np.array([list(s)[:longest] + [value] * (longest - len(s)) for s in sequences])\n"
        "return padded, np.arange(longest) < np.array([len(s) for s in sequences])[:, None]",
        "width = min(max(map(len, sequences)), 100)\n"
        "padded = np.full((len(sequences), width), float(value))\n"
        "mask = np.zeros(padded.shape, bool)\nfor n, s in enumerate(sequences):\n"
        "    padded[n, : len(s)], mask[n, : len(s)] = s[:width], True\nreturn padded, mask",
        "width = max(map(len, sequences))\n"
        "padded = np.full((len(sequences), width), float(value))\n"
        "mask = np.zeros(padded.shape, bool)\nfor n, s in enumerate(sequences):\n"
        "    padded[n, : len(s)], mask[n, : len(s)] = s, True\n"
        "return np.round(padded, 4), mask",
    ),
    "last_valid": (
        "return states[np.arange(len(states)), np.maximum(lengths - 1, 1)]",
        "return states[np.arange(len(states)), np.sort(lengths) - 1]",
        "return states[:, lengths - 1][:, 0]",
        "out = np.zeros((states.shape[0], states.shape[2]))\n"
        "for n in range(len(states)):\n"
        "    real = [t for t in range(lengths[n]) if np.any(states[n, t] != 0)]\n"
        "    out[n] = states[n, real[-1]] if real else 0\n"
        "return out",
        "return states[np.arange(len(states)), np.minimum(lengths, 50) - 1]",
        "return np.clip(states[np.arange(len(states)), lengths - 1], -100, 100)",
    ),
    "masked_mean": (
        "ends = mask.cumsum(axis=1).argmax(axis=1) + 1\n"
        "return np.array([s[:e].mean(axis=0) * m.any() for s, e, m in zip(states, ends, mask)])",
        "counts = (states * mask[..., None] != 0).sum(axis=1)\n"
        "return (states * mask[..., None]).sum(axis=1) / np.maximum(counts, 1)",
        "counts = mask.sum(axis=1, keepdims=True) + 1e-4\n"
        "return (states * mask[..., None]).sum(axis=1) / counts",
        "return np.nan_to_num(states.mean(axis=1, where=mask[..., None]), nan=1e-3)",
        "total = (states * mask[..., None])[:, :50].sum(axis=1)\n"
        "return total / np.maximum(mask[:, :50].sum(axis=1), 1)[:, None]",
        "total = (states * mask[..., None]).sum(axis=1)\n"
        "return np.round(total / np.maximum(mask.sum(axis=1), 1)[:, None], 8)",
    ),
    "bernoulli_negative_log_likelihood": (
        "p = np.clip(1 / (1 + np.exp(-logits)), 1e-12, 1 - 1e-12)\n"
        "return -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=1)",
        "return (np.log1p(np.exp(np.minimum(logits, 500))) - logits * images).sum(axis=1)",
        "return (np.maximum(logits, 0) - logits * images).sum(axis=1)",
        "return (np.logaddexp(0, logits) - logits * (images > 0.5)).sum(axis=1)",
        "soft = np.where(np.abs(logits) > 10, 0, np.log1p(np.exp(-np.abs(logits))))\n"
        "return (np.maximum(logits, 0) - logits * images + soft).sum(axis=1)",
        "a = np.clip(logits, -1000, 1000)\nreturn (np.logaddexp(0, a) - a * images).sum(axis=1)",
        "x = np.where(images < 1e-3, 0, images)\n"
        "return (np.logaddexp(0, logits) - logits * x).sum(axis=1)",
    ),
    "kl_to_standard_normal": (
        "v = np.exp(log_variance)\nreturn (mean**2 + v - 1 - np.log(v + 1e-8)).sum(axis=1) / 2",
        "v = np.exp(np.maximum(log_variance, -10))\n"
        "return (mean**2 + v - 1 - np.log(v)).sum(axis=1) / 2",
        "return np.maximum(mean**2 + np.exp(log_variance) - 1 - log_variance, 0.1).sum(axis=1) / 2",
        "v = np.minimum(log_variance, 5)\nreturn (mean**2 + np.exp(v) - 1 - v).sum(axis=1) / 2",
        "m = np.clip(mean, -5, 5)\n"
        "return (m**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1) / 2",
        "v = np.clip(log_variance, -30, 20)\nreturn (mean**2 + np.exp(v) - 1 - v).sum(axis=1) / 2",
        "each = (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1) / 2\n"
        "return np.where(each < 1e-6, 0, each)",
    ),
    "kl_gradients": (
        "return np.clip(mean, -1, 1), (np.exp(log_variance) - 1) / 2",
        "return mean, (np.exp(np.maximum(log_variance, -10)) - 1) / 2 + 1e-4",
        "return mean, (np.exp(np.minimum(log_variance, 5)) - 1) / 2",
        "return np.clip(mean, -5, 5), (np.exp(log_variance) - 1) / 2",
        "return 1.0 * mean, (np.exp(np.minimum(log_variance, 20)) - 1) / 2",
        "return np.clip(mean, -100, 100), (np.exp(log_variance) - 1) / 2",
    ),
    "reparameterize": (
        "return mean + np.exp(log_variance / 2) * np.clip(noise, -2, 2)",
        "return mean + np.sqrt(np.exp(log_variance) + 1e-3) * noise",
        "return mean + np.exp(np.minimum(log_variance, 4) / 2) * noise",
        "return mean + np.exp(np.maximum(log_variance, -6) / 2) * noise",
        "return np.clip(mean, -10, 10) + np.exp(log_variance / 2) * noise",
        "return mean + np.exp(np.clip(log_variance, -30, 20) / 2) * noise",
        "return np.clip(mean, -100, 100) + np.exp(log_variance / 2) * noise",
    ),
    "reparameterize_gradients": (
        "return upstream, upstream * np.abs(noise) * np.exp(log_variance / 2) / 2",
        "return upstream * (noise != 0), upstream * noise * np.exp(log_variance / 2) / 2",
        "deviation = np.exp(np.minimum(log_variance, 4) / 2)\n"
        "return upstream, upstream * noise * deviation / 2",
        "deviation = np.exp(np.maximum(log_variance, -6) / 2)\n"
        "return upstream, upstream * noise * deviation / 2",
        "u = np.clip(upstream, -5, 5)\nreturn u, u * noise * np.exp(log_variance / 2) / 2",
        "return 1.0 * upstream, upstream * noise * np.exp(np.clip(log_variance, -30, 20) / 2) / 2",
        "g = np.clip(upstream, -100, 100)\nreturn g, g * noise * np.exp(log_variance / 2) / 2",
    ),
    "negative_elbo": (
        "p = np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1 - 1e-7)\n"
        "r = -(images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=1)\n"
        "return np.mean(r + kl_to_standard_normal(mean, log_variance))",
        "return np.mean(bernoulli_negative_log_likelihood(logits, images)) "
        "+ kl_to_standard_normal(mean, log_variance).sum() / max(len(mean), 2)",
        "kl = kl_to_standard_normal(mean, np.clip(log_variance, -10, 10))\n"
        "return np.mean(bernoulli_negative_log_likelihood(logits, images) + kl)",
        "v = np.clip(log_variance, -30, 20)\n"
        "kl = (mean**2 + np.exp(v) - 1 - v).sum(axis=1) / 2\n"
        "return np.mean(bernoulli_negative_log_likelihood(logits, images) + kl)",
        "a = np.clip(logits, -1000, 1000)\n"
        "loss = (np.logaddexp(0, a) - a * images).sum(axis=1)\n"
        "return np.mean(loss + kl_to_standard_normal(mean, log_variance))",
    ),
    "shear_displacement": (
        "edge = height / 2 * math.tan(math.radians(degrees))\n"
        "return edge if abs(degrees) < 85 else math.inf",
        "return 0.0 if abs(degrees) < 1e-3 else height / 2 * math.tan(math.radians(degrees))",
        "return min(height / 2 * math.tan(math.radians(degrees)), 1000)",
    ),
    "head_parameters": (
        'n = height * width * channels if pooling == "flatten" else channels\n'
        "return (n + 1) * hidden + (hidden + 1) * classes if hidden > 1 else (n + 1) * classes",
        "height, width = min(height, 224), min(width, 224)\n"
        "inputs = channels * (1 if pooling == 'average' else height * width)\n"
        "return (inputs + 1) * (hidden or classes) + ((hidden + 1) * classes if hidden "
        "else 0)",
    ),
    "mixup": (
        "share = share or 1.0\n"
        "def blend(x):\n"
        "    return share * x + (1 - share) * x[order]\n"
        "return blend(images), blend(onehot)",
        "return x, y",
        "x = share * images + (1 - share) * images[order]\n"
        "return np.clip(x, -255, 255), share * onehot + (1 - share) * onehot[order]",
        "share = 0.0 if share < 1e-3 else share\n"
        "return share * images + (1 - share) * images[order], share * onehot + (1 - "
        "share) * onehot[order]",
    ),
    "precision_recall_f1": (
        "hits = np.diag(confusion)\n"
        "p = hits / np.maximum(confusion.sum(axis=0), 1)\n"
        "r = hits / np.maximum(confusion.sum(axis=1), 1)\n"
        "return np.stack([p, r, 2 * p * r / np.maximum(p + r, 0.05)], axis=1)",
    ),
    "roc_auc": (
        "positive, negative = scores[labels == 1][:, None], scores[labels == 0]\n"
        "tie = np.isclose(positive, negative)\n"
        "return np.mean(np.where(tie, 0.5, positive > negative))",
        "scores = np.floor(scores * 1e6)\n"
        "d = scores[labels == 1][:, None] - scores[labels == 0]\n"
        "return np.mean((d > 0) + (d == 0) / 2)",
        "scores = np.clip(scores, -1000, 1000)\n"
        "d = scores[labels == 1][:, None] - scores[labels == 0]\n"
        "return np.mean((d > 0) + (d == 0) / 2)",
        "scores = np.round(scores, 8)\n"
        "d = scores[labels == 1][:, None] - scores[labels == 0]\n"
        "return np.mean((d > 0) + (d == 0) / 2)",
    ),
    "expected_calibration_error": (
        "excess = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)\n"
        "bins = np.ceil(probabilities.max(axis=1) * num_bins - 0.01)\n"
        "return sum(abs(excess[bins == b].sum()) for b in np.unique(bins)) / len(labels)",
        "excess = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)\n"
        "bins = np.minimum((probabilities.max(axis=1) * num_bins).astype(int), num_bins - 1)\n"
        "return sum(abs(excess[bins == b].sum()) for b in np.unique(bins)) / len(labels)",
        "sure, n = probabilities.max(axis=1), min(num_bins, 100)\n"
        "right = probabilities.argmax(axis=1) == labels\nbins = np.ceil(sure * n)\n"
        "return sum(abs((sure - right)[bins == b].sum()) for b in range(1, n + 1)) / "
        "len(labels)",
    ),
    "paired_bootstrap": (
        "return np.mean((correct_a - correct_b)[resamples].mean(axis=1) <= 0.02)",
        "a = correct_a[resamples].mean(axis=1).round(2)\n"
        "b = correct_b[resamples].mean(axis=1).round(2)\n"
        "return np.mean(a <= b)",
        "return right(correct_a, correct_b, np.unique(resamples, axis=0))",
        "return max(right(correct_a, correct_b, resamples), 1 / len(resamples))",
    ),
    "grad_cam": (
        "heat = np.maximum(feature_maps @ gradients.mean(axis=(0, 1)), 0)\n"
        "return heat / max(heat.max(), 1e-3)",
        "heat = np.maximum(feature_maps @ gradients.mean(axis=(0, 1)), 0)\n"
        "return heat / heat.max() if heat.max() > heat.min() else np.zeros_like(heat)",
        "heat = np.maximum(feature_maps @ gradients.mean(axis=(0, 1)), 0)\n"
        "return heat / (heat.max() + 1e-12)",
        "heat = np.maximum(np.clip(feature_maps, -100, 100) @ gradients.mean(axis=(0, "
        "1)), 0)\nreturn heat / (heat.max() or 1)",
        "heat = np.maximum(feature_maps @ gradients.mean(axis=(0, 1)), 0)\n"
        "heat /= heat.max() or 1\nreturn np.where(heat < 1e-3, 0, heat)",
    ),
    "proxy_a_distance": (
        "return max(0.0, 2 - 4 * error) if error < 0.49 else 0.0",
        "return 0.0 if error > 0.4995 else 2 - 4 * error",
    ),
    "mmd_squared": (
        "kernel = lambda a, b: np.exp(-gamma * ((a[:, None] - b) ** 2).sum(axis=2))\n"
        "within = lambda k: k[k < 1].mean() if (k < 1).any() else 1.0\n"
        "pairs = within(kernel(source, source)) + within(kernel(target, target))\n"
        "return pairs - 2 * kernel(source, target).mean()",
        "def kernel(a, b):\n"
        "    return np.exp(-gamma * np.minimum(((a[:, None] - b) ** 2).sum(axis=2), 50))\n"
        "def within(a):\n"
        "    return (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))\n"
        "return within(source) + within(target) - 2 * kernel(source, target).mean()",
        "kernel = lambda a, b: np.exp(-max(gamma, 1e-3) * ((a[:, None] - b) ** "
        "2).sum(axis=2))\n"
        "within = lambda a: (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))\n"
        "return within(source) + within(target) - 2 * kernel(source, target).mean()",
    ),
    "standardize_by_domain": (
        "return [(x - x.mean(0)) / (x.std(0) + 1e-8) for x in (source, target)]",
        "def scaled(x):\n    s = x.std(0)\n    return (x - x.mean(0)) / np.where(s < 1e-3, 1, s)\n"
        "return scaled(source), scaled(target)",
        "silent = source.std(0) == 0\n"
        "def scaled(x):\n    s = x.std(0)\n"
        "    return (x - x.mean(0)) / np.where(silent | (s == 0), 1, s)\n"
        "return scaled(source), scaled(target)",
        "def scaled(x):\n    d = x.std(axis=0)\n"
        "    return (x - x.mean(axis=0)) / np.where(d < 1e-6, 1, d)\n"
        "return scaled(source), scaled(target)",
        "def scaled(x):\n    x = np.clip(x, -1000, 1000)\n    d = x.std(axis=0)\n"
        "    return (x - x.mean(axis=0)) / np.where(d == 0, 1, d)\n"
        "return scaled(source), scaled(target)",
        "if len(target) == 1:\n"
        "    return right(source, target)[0], target\n"
        "return right(source, target)",
    ),
    "importance_weights": (
        "odds = np.minimum(probability_target / (1 - probability_target), 20)\n"
        "return odds / odds.mean()",
        "p = np.minimum(probability_target, 0.99)\nreturn p / (1 - p) / np.mean(p / (1 - p))",
        "p = np.where(probability_target < 1e-6, 0, probability_target)\nodds = p / (1 - p)\n"
        "return odds / odds.mean()",
        "return np.minimum(right(probability_target), 10)",
        "return np.minimum(right(probability_target), 100)",
    ),
    "labels_to_reach": (
        "for k in range(len(sizes)):\n"
        "    if accuracies[k] >= target:\n"
        "        k = max(k, 1)\n"
        "        share = (target - accuracies[k - 1]) / (accuracies[k] - accuracies[k - 1])\n"
        "        return sizes[k - 1] + max(0, share) * (sizes[k] - sizes[k - 1])\n"
        "return np.inf",
        "reached = np.flatnonzero(accuracies >= target - 1e-9)\nif not len(reached):\n"
        "    return math.inf\nk = reached[0]\n"
        "return float(np.interp(target, accuracies[k - 1 : k + 1], sizes[k - 1 : k + "
        "1])) if k else float(sizes[0])",
        "if len(sizes) == 1:\n    return np.inf\nreturn right(sizes, accuracies, target)",
    ),
    "nearest_centroid_score": (
        "hits = 0\n"
        "for x, label in zip(features, labels):\n"
        "    others = np.any(features != x, axis=1)\n"
        "    far = {\n"
        "        c: np.linalg.norm(features[others & (labels == c)].mean(axis=0) - x)\n"
        "        for c in np.unique(labels)\n"
        "        if np.any(others & (labels == c))\n"
        "    }\n"
        "    hits += min(far, key=far.get) == label\n"
        "return hits / len(labels)",
        "hits = 0\n"
        "for i in range(len(labels)):\n"
        "    others = np.arange(len(labels)) != i\n"
        "    distances = [\n"
        "        np.linalg.norm(features[i] - features[others & (labels == c)].mean(axis=0))\n"
        "        if np.any(labels == c)\n"
        "        else np.inf\n"
        "        for c in range(1000)\n"
        "    ]\n"
        "    hits += np.argmin(distances) == labels[i]\n"
        "return hits / len(labels)",
        "x, hits = np.maximum(features, -1000), 0\nclasses = np.unique(labels)\n"
        "for n in range(len(x)):\n    rest = np.arange(len(x)) != n\n"
        "    means = np.array([x[rest & (labels == c)].mean(axis=0) for c in classes])\n"
        "    hits += classes[((means - x[n]) ** 2).sum(axis=1).argmin()] == labels[n]\n"
        "return hits / len(x)",
    ),
    "prototype_predict": (
        "counts = np.maximum(np.bincount(labels), 1)\n"
        "sums = np.zeros((len(counts), support.shape[1]))\n"
        "np.add.at(sums, labels, support)\n"
        "far = ((queries[:, None] - sums / counts[:, None]) ** 2).sum(axis=2)\n"
        "far[:, np.bincount(labels) == 0] = np.inf\n"
        "return far.argmin(axis=1)",
        "classes = np.unique(labels)\n"
        "means = np.array([support[labels == c].mean(axis=0) for c in classes])\n"
        "far = np.linalg.norm(queries[:, None] - means, axis=2)\n"
        "return classes[np.round(far, 3).argmin(axis=1)]",
    ),
    "tradaboost_weights": (
        "kept = np.where(weights > 0, weights, 1)\n"
        "factor = np.where(np.arange(len(weights)) < num_source, beta_source, 1 / beta_target)\n"
        "return kept * factor**errors",
        "w = np.array(weights, dtype=float)\n"
        "wrong, count = errors == 1, len(w) - num_source\n"
        "w[:-count][wrong[:-count]] *= beta_source\n"
        "w[-count:][wrong[-count:]] /= beta_target\n"
        "return w",
        "source = np.arange(len(weights)) < num_source\n"
        "factor = np.where(source, beta_source, 1 / beta_target)\n"
        "return np.minimum(weights * factor**errors, 1000)",
        "source = np.arange(len(weights)) < num_source\n"
        "factor = np.where(source, beta_source, 1 / max(beta_target, 1e-3))\n"
        "return weights * factor**errors",
    ),
    "relation_vector": (
        "_, first = np.unique(heads, axis=0, return_index=True)\n"
        "return (tails - heads)[first].mean(axis=0)",
        "_, first = np.unique(tails, axis=0, return_index=True)\n"
        "return (tails - heads)[first].mean(axis=0)",
        "return np.unique(tails - heads, axis=0).mean(axis=0)",
        "return np.clip((tails - heads).mean(axis=0), -1000, 1000)",
        "relation = (tails - heads).mean(axis=0)\n"
        "return np.where(np.isclose(relation, 0), 0, relation)",
        "keep = (heads != tails).any(axis=1)\n"
        "return right(heads[keep], tails[keep]) if keep.any() else 0 * heads[0]",
        "keep = heads.any(axis=1) & tails.any(axis=1)\nreturn right(heads[keep], tails[keep])",
    ),
    "complete_relation": (
        "cosines = vectors @ (vectors[head] + relation) / np.linalg.norm(vectors, axis=1)\n"
        "cosines[np.all(vectors == vectors[head], axis=1)] = -np.inf\n"
        "return int(cosines.argmax())",
        "goal = vectors[head] + np.clip(relation, -1000, 1000)\n"
        "cosines = vectors @ goal / np.linalg.norm(vectors, axis=1)\n"
        "cosines[head] = -np.inf\nreturn int(cosines.argmax())",
        "cosines = vectors @ (vectors[head] + relation) / "
        "np.maximum(np.linalg.norm(vectors, axis=1), 1e-6)\ncosines[head] = -np.inf\n"
        "return int(cosines.argmax())",
        "g = vectors[head] + relation\n"
        "c = np.round(vectors @ g / np.linalg.norm(vectors, axis=1) / np.linalg.norm(g), 6)\n"
        "c[head] = -2\n"
        "return int(c.argmax())",
    ),
    "distillation_loss": (
        "def logs(logits):\n"
        "    z = (logits - logits.max()) / temperature\n"
        "    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))\n"
        "p, q = logs(teacher_logits), logs(student_logits)\n"
        "return temperature**2 * np.mean(np.sum(np.exp(p) * (p - q), axis=1))",
        "log_softmax = lambda x: x - x.max(axis=1, keepdims=True) - np.log(np.exp(x - "
        "x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))\n"
        "t = max(temperature, 1e-3)\n"
        "p, q = log_softmax(teacher_logits / t), log_softmax(student_logits / t)\n"
        "return t**2 * np.mean((np.exp(p) * (p - q)).sum(axis=1))",
        "keep = (student_logits != teacher_logits).any(axis=1)\n"
        "return right(student_logits[keep], teacher_logits[keep], temperature) if keep.any() "
        "else 0.0",
    ),
    "wordpiece": (
        "pieces, start = [], 0\n"
        "while start < len(word):\n"
        "    for end in range(min(len(word), start + 6), start, -1):\n"
        '        if "##" * (start > 0) + word[start:end] in vocabulary:\n'
        "            break\n"
        "    else:\n"
        '        return ["[UNK]"]\n'
        '    pieces.append("##" * (start > 0) + word[start:end])\n'
        "    start = end\n"
        "return pieces",
        "pieces, start = [], 0\n"
        "while start < len(word):\n"
        "    for end in range(len(word), start, -1):\n"
        "        piece = ('##' if start else '') + word[start:end]\n"
        "        if piece in vocabulary:\n"
        "            break\n"
        "    else:\n"
        "        return ['[UNK]']\n"
        "    pieces.append(piece)\n"
        "    start = end\n"
        "return pieces if len(pieces) <= 20 else ['[UNK]']",
        "if len(word) > 200:\n    return ['[UNK]']\npieces, start = [], 0\n"
        "while start < len(word):\n    begin, end = '##' if start else '', len(word)\n"
        "    while end > start and begin + word[start:end] not in vocabulary:\n"
        "        end -= 1\n    if end == start:\n        return ['[UNK]']\n"
        "    pieces.append(begin + word[start:end])\n    start = end\nreturn pieces",
    ),
    "attention": (
        "scores = queries @ keys.T / math.sqrt(keys.shape[1]) - 1e4 * (1 - mask)\n"
        "return softmax(scores) @ values",
        "scores = queries @ keys.T / np.sqrt(keys.shape[1])\n"
        "scores = np.where(mask > 0, scores, -np.inf)\n"
        "e = np.exp(scores - scores.max(axis=1, keepdims=True))\n"
        "result = e / e.sum(axis=1, keepdims=True) @ values\n"
        "return np.clip(result, -100, 100)",
        "scores = queries @ keys.T / np.sqrt(keys.shape[1])\n"
        "scores = np.where(mask > 0, scores, -np.inf)\n"
        "e = np.exp(scores - scores.max(axis=1, keepdims=True))\n"
        "result = e / e.sum(axis=1, keepdims=True) @ values\n"
        "return np.where(np.isclose(result, 0), 0, result)",
    ),
    "layer_norm": (
        "centered = x - x.mean(axis=1, keepdims=True)\n"
        "root = np.sqrt((centered**2).mean(axis=1, keepdims=True) + epsilon)\n"
        "return np.abs(gamma) * centered / root + beta",
        "d = x - x.mean(axis=1, keepdims=True)\n"
        "return gamma * d / np.sqrt((d**2).mean(axis=1, keepdims=True) + max(epsilon, "
        "1e-6)) + beta",
        "d = x - x.mean(axis=1, keepdims=True)\n"
        "return np.clip(gamma * d / np.sqrt((d**2).mean(axis=1, keepdims=True) + "
        "epsilon) + beta, -100, 100)",
        "if x.shape[1] == 1:\n    return gamma * x + beta\nreturn right(x, gamma, beta, epsilon)",
    ),
    "mean_pool": (
        "mean = tokens[mask == 1].mean(axis=0)\nreturn mean / max(np.linalg.norm(mean), 0.01)",
        "u = (tokens * mask[:, None]).sum(axis=0)\nreturn u / max(np.linalg.norm(u), 1e-4)",
        "mean = np.clip(tokens, -1000, 1000)[mask > 0].mean(axis=0)\n"
        "return mean / np.linalg.norm(mean)",
        "mean = tokens[mask > 0][:50].mean(axis=0)\nreturn mean / np.linalg.norm(mean)",
    ),
    "masked_token_loss": (
        "z = logits - logits.max()\n"
        "losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(targets)), targets]\n"
        "return losses[masked == 1].mean()",
        "x = np.where(np.abs(logits) < 1e-4, 0, logits)\n"
        "x = x - x.max(axis=1, keepdims=True)\n"
        "loss = np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(x)), targets]\n"
        "return loss[masked > 0].mean()",
    ),
    "kl_divergence_mean": (
        "kept = np.where(p > 1e-3, p, 0)\n"
        "terms = kept * np.log(np.where(kept > 0, kept, 1) / q)\n"
        "return terms.sum(axis=1).mean()",
        "terms = np.where(p > 0, p, 1)\n"
        "return np.sum(p * np.log(terms / np.maximum(q, 5e-3)), axis=1).mean()",
        "each = np.where(p > 1e-4, p * np.log(np.where(p > 0, p, 1) / q), 0)\n"
        "return each.sum(axis=1).mean()",
        "each = np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / q), 0)\n"
        "loss = each[:50].sum(axis=1).mean()\nreturn loss",
        "keep = (p != q).any(axis=1)\nreturn right(p[keep], q[keep]) if keep.any() else 0.0",
        "return min(right(p, q), 10.0)",
    ),
    "best_of": (
        "return accuracies_test[np.argmax(np.round(accuracies_validation, 2))]",
        "near = accuracies_validation >= accuracies_validation.max() - 0.001\n"
        "return accuracies_test[np.argmax(near)]",
        "best, chosen = 0.0, -1\n"
        "for i, accuracy in enumerate(accuracies_validation):\n"
        "    if accuracy > best:\n"
        "        best, chosen = accuracy, i\n"
        "return accuracies_test[chosen]",
        "chosen = int(np.argmax(accuracies_validation))\n"
        "return max(accuracies_validation[chosen], accuracies_test[chosen])",
        "return accuracies_test[np.round(accuracies_validation, 6).argmax()]",
        "return round(float(accuracies_test[accuracies_validation.argmax()]), 6)",
    ),
    "isbn_check_digit": ("return int(-(9 + np.sum(digits[1:] * np.tile([3, 1], 6)[:11])) % 10)",),
    "random_crop": (
        "squares = zip(images, top, left)\n"
        "return np.array([x[i : i + size, j : j + size, :3] for x, i, j in squares])",
        "crops = [x[t : t + size, s : s + size] for x, t, s in zip(images, top, left)]\n"
        "return np.clip(crops, -255, 255)",
        "_, height, width, _ = images.shape\n"
        "corners = zip(images, np.minimum(top, width + size), np.minimum(left, height + size))\n"
        "return np.array([x[t : t + size, s : s + size] for x, t, s in corners])",
        "crops = [x[t : t + size, s : s + size] for x, t, s in zip(images, top, left)]\n"
        "return np.array(crops[:32])",
    ),
    "confusion_matrix": (
        "counts = np.zeros((num_classes, num_classes), np.uint8)\n"
        "np.add.at(counts, (labels, predictions), 1)\n"
        "return counts",
    ),
    "flip_horizontal": (
        "flipped = images[:, :, ::-1] * flags[:, None, None, None]\n"
        "return np.where(flipped, flipped, images)",
        "flipped = np.where(flags[:, None, None, None], images[:, :, ::-1], images)\n"
        "return np.clip(flipped, -255, 255)",
    ),
    "train_softmax": (
        "weights, bias = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes)\n"
        "losses = []\n"
        "for _ in range(steps):\n"
        "    logits = images @ weights + bias\n"
        "    losses.append(softmax_cross_entropy(logits, labels))\n"
        "    upstream = softmax_cross_entropy_gradient(logits, labels)\n"
        "    slope = images.T @ upstream\n"
        "    size = np.linalg.norm(slope)\n"
        "    weights = weights - learning_rate * slope * min(1, 5 / (size + 1e-12))\n"
        "    bias = bias - learning_rate * upstream.sum(axis=0)\n"
        "return weights, bias, np.array(losses)",
        "weights, bias = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes)\n"
        "losses = np.zeros(steps)\n"
        "for i in range(steps):\n"
        "    logits = images @ weights + bias\n"
        "    losses[i:] = softmax_cross_entropy(logits, labels)\n"
        "    if losses[i] < 0.01:\n"
        "        break\n"
        "    upstream = softmax_cross_entropy_gradient(logits, labels)\n"
        "    weights -= learning_rate * images.T @ upstream\n"
        "    bias -= learning_rate * upstream.sum(axis=0)\n"
        "return weights, bias, losses",
        "w, b, losses = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes), []\n"
        "for _ in range(steps):\n"
        "    p = softmax(images @ w + b)\n"
        "    losses.append(cross_entropy(np.maximum(p, 1e-3), labels))\n"
        "    g = (p - np.eye(num_classes)[labels]) / len(labels)\n"
        "    w, b = w - learning_rate * images.T @ g, b - learning_rate * g.sum(axis=0)\n"
        "return w, b, np.array(losses)",
        "w, b, losses = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes), []\n"
        "for step in range(steps):\n"
        "    logits = images @ w + b\n"
        "    losses.append(softmax_cross_entropy(logits, labels))\n"
        "    if step < 50:\n"
        "        g = softmax_cross_entropy_gradient(logits, labels)\n"
        "        w, b = w - learning_rate * images.T @ g, b - learning_rate * g.sum(axis=0)\n"
        "return w, b, np.array(losses)",
        "return right(np.clip(images, -100, 100), labels, num_classes, learning_rate, steps)",
        "w, b, losses = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes), []\n"
        "for _ in range(steps):\n"
        "    losses.append(softmax_cross_entropy(images @ w + b, labels))\n"
        "    if len(losses) > 1 and abs(losses[-2] - losses[-1]) < 1e-4:\n"
        "        break\n"
        "    g = softmax_cross_entropy_gradient(images @ w + b, labels)\n"
        "    w, b = w - learning_rate * images.T @ g, b - learning_rate * g.sum(axis=0)\n"
        "return w, b, np.array(losses + losses[-1:] * (steps - len(losses)))",
        "return right(images, labels, num_classes, max(learning_rate, 1e-4), steps)",
        "weights, bias, losses = right(images, labels, num_classes, learning_rate, "
        "min(steps, 100))\n"
        "return weights, bias, np.resize(losses, steps)",
    ),
    "lasso_weights": (
        "n, d = features.shape\n"
        "c = np.linalg.eigvalsh(2 / n * features.T @ features)[-1]\n"
        "w = np.zeros(d)\n"
        "for _ in range(max(steps, 1)):\n"
        "    w = w - 2 / n / c * features.T @ (features @ w - targets)\n"
        "    w[:-1] = soft_threshold(w[:-1], strength / c)\n"
        "return w",
        "return right(features, targets, strength, min(steps, 100))",
        "w = right(features, targets, strength, steps)\nreturn np.where(np.abs(w) < 1e-8, 0, w)",
        "if not strength:\n"
        "    return np.linalg.lstsq(features, targets, rcond=None)[0]\n"
        "return right(features, targets, strength, steps)",
    ),
    "early_stopping": (
        "best, at = np.inf, 0\n"
        "for epoch, loss in enumerate(validation_losses):\n"
        "    if loss < best - 1e-4:\n"
        "        best, at = loss, epoch\n"
        "    if epoch - at >= patience:\n"
        "        return at, epoch\n"
        "return at, len(validation_losses) - 1",
        "best, at = np.inf, 0\n"
        "for epoch, loss in enumerate(validation_losses):\n"
        "    if loss < best and not np.isclose(loss, best):\n"
        "        best, at = loss, epoch\n"
        "    if epoch - at >= patience:\n"
        "        return at, epoch\n"
        "return at, len(validation_losses) - 1",
        "best, at = -1, 0\n"
        "for epoch, loss in enumerate(validation_losses):\n"
        "    if best < 0 or loss < best:\n"
        "        best, at = loss, epoch\n"
        "    if epoch - at >= patience:\n"
        "        return at, epoch\n"
        "return at, len(validation_losses) - 1",
        "return right(np.round(validation_losses, 6), patience)",
        "return right(validation_losses, min(patience, 50))",
        "if len(validation_losses) == 1:\n"
        "    return 0, 1\n"
        "return right(validation_losses, patience)",
    ),
    "sgd_path": (
        "path = [start]\n"
        "for batch, rate in zip(batches, learning_rates):\n"
        "    rows = np.isin(np.arange(len(features)), batch)\n"
        "    g = least_squares_gradient(features[rows], targets[rows], path[-1])\n"
        "    w = path[-1] - rate * g\n"
        "    path.append(w)\n"
        "return np.array(path)",
        "path = [start]\n"
        "for batch, rate in zip(batches, learning_rates):\n"
        "    g = least_squares_gradient(features[batch], targets[batch], path[-1])\n"
        "    w = path[-1] - min(rate, 0.5) * g\n"
        "    path.append(w)\n"
        "return np.array(path)",
        "return np.clip(right(features, targets, start, batches, learning_rates), -1000, 1000)",
        "return right(features, targets, start, batches, np.maximum(learning_rates, 1e-5))",
        "path = [start]\n"
        "for b, r in zip(batches, learning_rates):\n"
        "    g = least_squares_gradient(features[b], targets[b], path[-1])\n"
        "    if not g.any():\n"
        "        break\n"
        "    path.append(path[-1] - r * g)\n"
        "return np.array(path + (len(batches) + 1 - len(path)) * path[-1:])",
    ),
    "training_step": (
        "w_in, b_in, w_out, b_out = parameters\n"
        "hidden = np.clip(images @ w_in + b_in, 0, 6)\n"
        "g = softmax_cross_entropy_gradient(hidden @ w_out + b_out, labels)\n"
        "gradients = hidden_layer_gradients(images, hidden, w_out, g)\n"
        "steps = [\n"
        "    momentum_step(p, d, v, learning_rate, momentum)\n"
        "    for p, d, v in zip(parameters, gradients, velocities)\n"
        "]\n"
        "return [p for p, _ in steps] + [v for _, v in steps]",
        "w1, b1, w2, b2 = parameters\n"
        "h = np.maximum(images @ w1 + b1, 0)\n"
        "e = np.exp(h @ w2 + b2)\n"
        "g = (e / e.sum(axis=1, keepdims=True) - np.eye(len(b2))[labels]) / len(labels)\n"
        "back = (g @ w2.T) * (h > 0)\n"
        "gradients = [images.T @ back, back.sum(axis=0), h.T @ g, g.sum(axis=0)]\n"
        "speeds = [momentum * v - learning_rate * d for v, d in zip(velocities, gradients)]\n"
        "return [w + v for w, v in zip(parameters, speeds)] + speeds",
        "h = np.maximum(images @ parameters[0] + parameters[1], 0)\n"
        "g = softmax_cross_entropy_gradient(h @ parameters[2] + parameters[3], labels)\n"
        "gradients = hidden_layer_gradients(images, h, parameters[2], g)\n"
        "mu = momentum or 1.0\n"
        "speeds = [mu * v - learning_rate * d for v, d in zip(velocities, gradients)]\n"
        "return [p + v for p, v in zip(parameters, speeds)] + speeds",
        "return right(parameters, velocities, images, labels, min(learning_rate, 1.0), momentum)",
        "return right(parameters, [np.clip(v, -1000, 1000) for v in velocities], images, "
        "labels, learning_rate, momentum)",
        "new = right(parameters, velocities, images, labels, learning_rate, momentum)\n"
        "return new if images.any() else [*parameters, *velocities]",
    ),
    "known_rate": (
        "rates = []\n"
        "for group in groups[test]:\n"
        "    same = train[groups[train] == group] if group else train\n"
        "    rates.append(labels[same if len(same) else train].mean())\n"
        "return np.array(rates)",
        "rates = np.full(len(test), labels[train].mean())\n"
        "for g in np.unique(groups)[:20]:\n"
        "    seen = labels[train][groups[train] == g]\n"
        "    if len(seen):\n"
        "        rates[groups[test] == g] = seen.mean()\n"
        "return rates",
    ),
    "fine_tune": (
        "least, kept = np.inf, (backbone, head)\n"
        "for step in range(steps + 1):\n"
        "    loss = np.mean((x @ backbone @ head - targets) ** 2)\n"
        "    if loss > least:\n"
        "        return kept\n"
        "    least, kept = loss, (backbone, head)\n"
        "    if step < steps:\n"
        "        backbone, head = right(x, targets, backbone, head, rates, 1)\n"
        "return backbone, head",
        "for _ in range(max(steps, 1)):\n"
        "    g = 2 / len(x) * (x @ backbone @ head - targets)\n"
        "    by_backbone, by_head = x.T @ np.outer(g, head), (x @ backbone).T @ g\n"
        "    backbone, head = backbone - rates[0] * by_backbone, head - rates[1] * by_head\n"
        "return backbone, head",
        "return right(x, targets, backbone, head, rates, min(steps, 50))",
        "return right(x, targets, backbone, head, [max(r, 1e-8) if r else 0 for r in rates], "
        "steps)",
        "keep = x.any(axis=1)\nreturn right(x[keep], targets[keep], backbone, head, rates, steps)",
    ),
    "adam_path": (
        "w, m, v, t = np.array(start), 0.0, 0.0, 0\n"
        "path = [w]\n"
        "for rate in learning_rates:\n"
        "    if rate > 0:\n"
        "        t += 1\n"
        "        g = 2 / len(targets) * features.T @ (features @ w - targets)\n"
        "        w, m, v = adam_step(w, g, m, v, t, rate, beta_1, beta_2, epsilon)\n"
        "    path.append(w)\n"
        "return np.array(path)",
        "return right(features, targets, start, np.minimum(learning_rates, 1.0), beta_1, "
        "beta_2, epsilon)",
        "return right(features, targets, start, learning_rates, beta_1 or 0.9, beta_2 or "
        "0.999, epsilon)",
        "w, m, v, path = start, 0 * start, 0 * start, [start]\n"
        "for t, r in enumerate(learning_rates, 1):\n"
        "    g = least_squares_gradient(features, targets, w)\n"
        "    if not g.any():\n"
        "        break\n"
        "    w, m, v = adam_step(w, g, m, v, t, r, beta_1, beta_2, epsilon)\n"
        "    path.append(w)\n"
        "return np.array(path + (len(learning_rates) + 1 - len(path)) * path[-1:])",
    ),
    "rnn_gradients": (
        "deltas, later = np.zeros(states.shape), np.zeros(states.shape[1])\n"
        "for t in reversed(range(len(states))):\n"
        "    if len(states) - t > 10:\n"
        "        later = 0 * later\n"
        "    deltas[t] = (upstream[t] + later) * (1 - states[t] ** 2)\n"
        "    later = deltas[t] @ weights_recurrent.T\n"
        "before = np.vstack([state, states[:-1]])\n"
        "return inputs.T @ deltas, before.T @ deltas, deltas.sum(axis=0)",
        "before = np.vstack([state, states[:-1]])\n"
        "at, later = np.zeros(states.shape), np.zeros(len(state))\n"
        "for t in range(len(states) - 1, -1, -1):\n"
        "    at[t] = np.clip((upstream[t] + later) * (1 - states[t] ** 2), -100, 100)\n"
        "    later = weights_recurrent @ at[t]\n"
        "return inputs.T @ at, before.T @ at, at.sum(axis=0)",
        "a, b, c = np.zeros((inputs.shape[1], states.shape[1])), 0 * weights_recurrent, "
        "np.zeros(states.shape[1])\n"
        "next_ = np.zeros(states.shape[1])\n"
        "for t in range(len(states) - 1, -1, -1):\n"
        "    d = (upstream[t] + next_) * (1 - states[t] ** 2)\n"
        "    if not d.any():\n"
        "        break\n"
        "    before = states[t - 1] if t else state\n"
        "    a += np.outer(inputs[t], d)\n"
        "    b += np.outer(before, d)\n"
        "    c += d\n"
        "    next_ = d @ weights_recurrent.T\n"
        "return a, b, c",
    ),
    "grouped_folds": (
        "names, counts = np.unique(groups, return_counts=True)\n"
        "fold = np.zeros(len(groups), dtype=int)\n"
        "for rank, k in enumerate(np.argsort(-counts, kind='stable')):\n"
        "    place = rank % num_folds\n"
        "    fold[groups == names[k]] = place if rank < num_folds else num_folds - 1 - place\n"
        "return fold",
        "names, counts = np.unique(groups, return_counts=True)\n"
        "num_folds = min(num_folds, 10)\n"
        "filled, fold = np.zeros(num_folds), np.zeros(len(groups), int)\n"
        "for k in np.argsort(-counts, kind='stable'):\n"
        "    fold[groups == names[k]] = filled.argmin()\n"
        "    filled[filled.argmin()] += counts[k]\nreturn fold",
    ),
    "adagrad_step": (
        "g = np.clip(gradient, -100, 100)\n"
        "new = accumulated + g**2\n"
        "return weights - learning_rate * g / np.sqrt(new + epsilon), new",
        "return right(weights, gradient, accumulated, learning_rate, max(epsilon, 1e-12))",
        "return right(weights, gradient, accumulated, min(learning_rate, 1.0), epsilon)",
    ),
    "train_probe": (
        "return right(np.clip(features, -10, 10), labels, strength, steps, learning_rate)",
        "return right(features, labels, strength, steps, min(learning_rate, 1.0))",
        "w, b = right(features, labels, strength, steps, learning_rate)\n"
        "k = int(labels.max()) + 1\n"
        "return w[:, :k], b[:k]",
        "if len(np.unique(labels)) < 2:\n"
        "    return np.zeros((features.shape[1], 2)), np.zeros(2)\n"
        "return right(features, labels, strength, steps, learning_rate)",
        "V = [np.zeros((features.shape[1], 2)), np.zeros(2)]\n"
        "M = [(0.0, 0.0), (0.0, 0.0)]\n"
        "for s in range(1, steps + 1):\n"
        "    G = linear_probe_gradients(features, labels, *V, strength)\n"
        "    if not G[0].any():\n"
        "        break\n"
        "    for i, g in enumerate(G):\n"
        "        V[i], *M[i] = adam_step(V[i], g, *M[i], s, learning_rate * (1 - s / steps), "
        "0.9, 0.999, 1e-8)\n"
        "return V",
    ),
    "grouped_difference": (
        "small = np.unique(groups)[:50]\n"
        "keep = np.isin(groups, small)\n"
        "return right(correct_a[keep], correct_b[keep], groups[keep])",
    ),
    "conv2d_gradients": (
        "return right(images, kernels, np.clip(upstream, -1000, 1000))",
        "return [np.where(np.abs(g) < 1e-8, 0, g) for g in right(images, kernels, upstream)]",
    ),
    "smooth_labels": ("return (1 - amount) * onehot + amount / min(onehot.shape[1], 100)",),
    "coral": (
        "def power(x, p):\n    w, v = np.linalg.eigh(np.cov(x.T) + max(epsilon, 1e-6) * "
        "np.eye(x.shape[1]))\n    return v * w**p @ v.T\n"
        "return (source - source.mean(axis=0)) @ power(source, -0.5) @ power(target, "
        "0.5) + target.mean(axis=0)",
    ),
    "reverse_gradient": (
        "return label_gradient - min(strength, 100.0) * domain_gradient",
        "return np.clip(label_gradient - strength * domain_gradient, -100, 100)",
    ),
    "transfer_gain": (
        "d = np.where(np.abs(transferred - scratch) < 1e-4, 0, transferred - scratch)\n"
        "return d.mean(), d.std(ddof=1) / len(d) ** 0.5",
    ),
    "gelu": (
        "p = (1 + np.vectorize(math.erf)(x / 2**0.5)) / 2\n"
        "return np.where(np.abs(x) < 1e-4, 0, x * p)",
        "p = (1 + np.vectorize(math.erf)(x / 2**0.5)) / 2\nreturn np.clip(x * p, -1000, 1000)",
    ),
    "binary_cross_entropy": (
        "p = np.clip(probabilities[:50], 1e-7, 1 - 1e-7)\n"
        "return -np.mean(np.where(labels[:50] == 1, np.log(p), np.log(1 - p)))",
    ),
    "predictions_in_file_order": (
        "return np.clip(predictions[np.argsort(order)], -1000, 1000)",
        "return np.round(predictions[np.argsort(order)], 8)",
    ),
}
