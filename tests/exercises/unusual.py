"""Right answers that few would write."""

from __future__ import annotations

UNUSUAL: dict[str, tuple[str, ...]] = {
    "mse": (
        "d = (predictions - targets).ravel()\nreturn d @ d / d.size",
        "return np.linalg.norm(predictions - targets) ** 2 / predictions.size",
        "return np.trace((predictions - targets).T @ (predictions - targets)) / targets.size",
        "return np.mean([(p - t) ** 2 for p, t in zip(predictions.flat, targets.flat)])",
    ),
    "numerical_gradient": (
        "flat = point.ravel()\n"
        "def at(i, h):\n"
        "    moved = flat.copy()\n    moved[i] += h\n    return "
        "function(moved.reshape(point.shape))\n"
        "slopes = [(at(i, step) - at(i, -step)) / step / 2 for i in range(flat.size)]\n"
        "return np.reshape(slopes, point.shape)",
    ),
    "mse_gradient": ("return (predictions - targets) / (0.5 * targets.size)",),
    "softmax": (
        "z = logits - np.sort(logits, axis=1)[:, -1:]\nreturn np.exp(z - "
        "np.log(np.exp(z).sum(1))[:, None])",
        "return np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))",
    ),
    "cross_entropy": (
        "p = np.choose(labels, probabilities.T)\nreturn np.log(1 / np.clip(p, 1e-7, None)).mean()",
        "return sum(-math.log(max(probabilities[i][c], 1e-7)) for i, c in enumerate(labels)) / "
        "len(labels)",
        "p = probabilities[np.arange(len(labels)), labels]\n"
        "return -np.log(np.where(p < 1e-7, 1e-7, p)).mean()",
    ),
    "softmax_cross_entropy": (
        "return np.mean([np.logaddexp.reduce(z) - z[c] for z, c in zip(logits, labels)])",
        "own = np.take_along_axis(logits, labels[:, None], 1)\n"
        "return np.logaddexp.reduce(logits - own, axis=1).mean()",
    ),
    "softmax_cross_entropy_gradient": (
        "g = softmax(logits)\nnp.subtract.at(g, (np.arange(len(g)), labels), 1)\nreturn g / len(g)",
        "hot = labels[:, None] == np.arange(logits.shape[1])\n"
        "return (softmax(logits) - hot) / len(logits)",
    ),
    "l2_penalty": ("return strength * np.vdot(weights, weights)",),
    "l2_gradient": ("return strength * (weights + weights)",),
    "ridge_weights": (
        "n, d = features.shape\nextra = np.sqrt(n * strength) * np.eye(d)[:-1]\n"
        "return np.linalg.lstsq(np.vstack([features, extra]), "
        "np.append(targets, np.zeros(d - 1)), rcond=None)[0]",
    ),
    "soft_threshold": (
        "return weights - np.clip(weights, -amount, amount)",
        "return np.maximum(weights - amount, 0) - np.maximum(-weights - amount, 0)",
        "return (np.abs(weights - amount + 0.0) - np.abs(weights + amount)) / 2 + weights",
    ),
    "lasso_subgradient": ("return strength * ((weights > 0) * 1.0 - (weights < 0))",),
    "dropout": (
        "out = np.zeros_like(activations)\n"
        "out[keep_mask] = activations[keep_mask] / (1 - rate)\nreturn out",
    ),
    "weight_decay_step": (
        "return weights * (1 - learning_rate * decay) - learning_rate * gradient",
    ),
    "least_squares_gradient": (
        "errors = features @ weights - targets\nreturn np.einsum('nd,n->d', features, errors) * "
        "2 / len(errors)",
        "return 2 * (features.T @ features @ weights - features.T @ targets) / len(targets)",
    ),
    "sgd_step": ("return np.add(weights, -learning_rate * gradient)",),
    "largest_stable_learning_rate": (
        "return 2 / np.linalg.svd(hessian, compute_uv=False)[0]",
        "return 2 / np.linalg.norm(hessian, 2)",
        "return (2 / np.linalg.eigvals(hessian).real.max()).item()",
    ),
    "minibatches": (
        "return np.split(order, np.arange(batch_size, len(order), batch_size))",
        "rest, batches = list(order), []\nwhile rest:\n"
        "    batches.append(np.array(rest[:batch_size]))\n    rest = rest[batch_size:]\nreturn "
        "batches",
    ),
    "momentum_step": (
        "after = weights + momentum * velocity - learning_rate * gradient\n"
        "return after, momentum * velocity - learning_rate * gradient",
    ),
    "cosine_with_warmup": (
        "return np.where(step < warmup_steps, base_learning_rate * step / max(warmup_steps, 1), "
        "base_learning_rate * np.cos(np.pi * (step - warmup_steps) / (total_steps - "
        "warmup_steps) / 2) ** 2)",
    ),
    "hidden_layer_gradients": (
        "back = np.where(hidden == 0, 0.0, np.einsum('nc,hc->nh', upstream, weights_out))\n"
        "ones = np.ones(len(x))\nreturn x.T @ back, ones @ back, hidden.T @ upstream, ones @ "
        "upstream",
    ),
    "bias_corrected_average": (
        "weights = beta ** np.arange(len(values))[::-1]\n"
        "return [np.average(values[: t + 1], weights=weights[-t - 1 :]) for t in "
        "range(len(values))]",
    ),
    "rmsprop_step": (
        "average = average + (1 - rho) * (gradient**2 - average)\n"
        "return weights - learning_rate * gradient * (average + epsilon) ** -0.5, average",
    ),
    "adam_step": (
        "m = m + (gradient - m) * (1 - beta_1)\nv = v + (gradient**2 - v) * (1 - beta_2)\n"
        "root = np.sqrt(v / (1 - beta_2**step))\n"
        "return weights - learning_rate / (1 - beta_1**step) * m / (root + epsilon), m, v",
    ),
    "clip_by_global_norm": (
        "norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))\n"
        "return [g * min(1.0, max_norm / (norm + 1e-6)) for g in gradients]",
        "norm = math.hypot(*[x for g in gradients for x in g.ravel()])\n"
        "return [g / max(1.0, norm / max_norm) for g in gradients]",
    ),
    "stratified_split": (
        "seen = {c: 0 for c in labels}\nmay = {c: math.ceil(fraction * list(labels).count(c)) "
        "for c in seen}\n"
        "taken, rest = [], []\nfor i in order:\n    c = labels[i]\n    seen[c] += 1\n"
        "    (taken if seen[c] <= may[c] else rest).append(i)\nreturn taken, rest",
    ),
    "resnet50_preprocess": (
        "r, g, b = np.moveaxis(images.astype(float), -1, 0)\n"
        "return np.stack([b - 103.939, g - 116.779, r - 123.68], axis=-1)",
    ),
    "global_average_pool": (
        "return np.einsum('nhwc->nc', feature_maps) / feature_maps[0, :, :, 0].size",
    ),
    "standardize": (
        "mean, s = train.mean(0), train.std(0)\ns = s + (s == 0)\n"
        "return (train - mean) / s, (other - mean) / s",
    ),
    "linear_probe_gradients": (
        "one = np.hstack([features, np.ones((len(features), 1))])\n"
        "slope = softmax_cross_entropy_gradient(one @ np.vstack([weights, bias]), labels)\n"
        "both = one.T @ slope\nreturn both[:-1] + 2 * strength * weights, both[-1]",
    ),
    "balanced_accuracy": (
        "right = np.bincount(labels, weights=labels == predictions, minlength=num_classes)\n"
        "return np.nanmean(right / np.bincount(labels, minlength=num_classes))",
    ),
    "trainable_mask": (
        "seen, mask = False, []\nfor name, norm in zip(layer_names, is_batchnorm):\n"
        "    seen = seen or name == first_trainable\n    mask.append(bool(seen and not "
        "norm))\nreturn mask",
    ),
    "trainable_parameters": (
        "return int(np.dot([int(np.prod(s)) for s in shapes], np.asarray(mask, int)))",
    ),
    "batchnorm_inference": (
        "scale = gamma / np.sqrt(moving_variance + epsilon)\nreturn x * scale + (beta - "
        "moving_mean * scale)",
    ),
    "batchnorm_moving_update": (
        "center = batch.mean(0)\nspread = (batch**2).mean(0) - center**2\n"
        "return (moving_mean + (1 - momentum) * (center - moving_mean), "
        "moving_variance + (1 - momentum) * (spread - moving_variance))",
    ),
    "class_weights": (
        "return [len(labels) / num_classes / n if (n := np.sum(labels == c)) else 0.0 "
        "for c in range(num_classes)]",
    ),
    "layerwise_learning_rates": (
        "rates = [base_learning_rate]\nwhile len(rates) < num_groups:\n"
        "    rates.insert(0, rates[0] * decay)\nreturn rates",
    ),
    "conv2d": (
        "views = np.lib.stride_tricks.sliding_window_view(images, kernels.shape[:2], (1, 2))\n"
        "return np.einsum('nrschw,hwcf->nrsf', views, kernels) + bias",
    ),
    "conv_output_size": (
        "if padding == 'same':\n    return len(range(0, size, stride))\n"
        "return len(range(0, size - kernel + 1, stride))",
    ),
    "max_pool2d": (
        "n, h, w, c = images.shape\n"
        "return images.reshape(n, h // size, size, w // size, size, c).max((2, 4))",
    ),
    "max_pool2d_gradient": (
        "top = max_pool2d(images, size).repeat(size, 1).repeat(size, 2)\n"
        "return np.where(images == top, upstream.repeat(size, 1).repeat(size, 2), 0.0)",
    ),
    "receptive_field": (
        "seen = 1\nfor k, s in zip(kernels[::-1], strides[::-1]):\n    seen = (seen - 1) * s + "
        "k\nreturn seen",
    ),
    "residual_gradients": (
        "back = np.where(x @ weights > 0, upstream, 0)\n"
        "return np.einsum('nj,ij->ni', back, weights) + upstream, np.einsum('ni,nj->ij', x, back)",
    ),
    "rnn_forward": (
        "both = np.vstack([weights_in, weights_recurrent])\nstates = [state]\nfor x in inputs:\n"
        "    states.append(np.tanh(np.concatenate([x, states[-1]]) @ both + bias))\nreturn "
        "states[1:]",
    ),
    "lstm_step": (
        "a = np.hstack([inputs, hidden]) @ np.vstack([weights_in, weights_recurrent]) + bias\n"
        "i, f, g, o = a.reshape(4, -1)\ns = lambda t: (1 + np.tanh(t / 2)) / 2\n"
        "cell = s(f) * cell + s(i) * np.tanh(g)\nreturn [s(o) * np.tanh(cell), cell]",
    ),
    "last_valid": ("return np.stack([s[n - 1] for s, n in zip(states, lengths)])",),
    "masked_mean": (
        "return np.einsum('nth,nt->nh', states, mask / np.maximum(mask.sum(1, keepdims=True), 1))",
    ),
    "bernoulli_negative_log_likelihood": (
        "return (images * np.logaddexp(0, -logits) + (1 - images) * np.logaddexp(0, "
        "logits)).sum(1)",
    ),
    "kl_to_standard_normal": (
        "return -0.5 * np.sum(1 + log_variance - mean**2 - np.exp(log_variance), axis=1)",
    ),
    "reparameterize": ("return mean + noise * np.sqrt(np.exp(log_variance))",),
}
