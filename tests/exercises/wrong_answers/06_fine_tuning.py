"""Wrong answers to the exercises of lesson 06, as learners write them; each `def` is one of them."""


def trainable_mask(layer_names, first_trainable, is_batchnorm):
    mask = []
    found = False
    for name, bn in zip(layer_names, is_batchnorm):
        if name == first_trainable:
            found = True
        mask.append(found and bn)
    return np.array(mask)


def trainable_mask(layer_names, first_trainable, is_batchnorm):
    mask = np.zeros(len(layer_names), dtype=bool)
    start = list(layer_names).index(first_trainable)
    mask[start + 1 :] = True
    mask[is_batchnorm] = False
    return mask


def trainable_mask(layer_names, first_trainable, is_batchnorm):
    mask = np.zeros(len(layer_names), dtype=bool)
    start = list(layer_names).index(first_trainable)
    mask[:start] = True
    return mask & ~np.array(is_batchnorm)


def trainable_mask(layer_names, first_trainable, is_batchnorm):
    mask = []
    found = False
    for name, bn in zip(layer_names, is_batchnorm):
        mask.append(found and not bn)
        if name == first_trainable:
            found = True
    return np.array(mask)


def trainable_parameters(shapes, mask):
    total = 0
    for shape, m in zip(shapes, mask):
        if m:
            total += np.sum(shape)
    return total


def trainable_parameters(shapes, mask):
    total = 0
    for shape, m in zip(shapes, mask):
        size = 1
        for s in shape:
            size *= s
        total += size
    return total


def trainable_parameters(shapes, mask):
    total = 0
    size = 1
    for shape, m in zip(shapes, mask):
        if m:
            for s in shape:
                size *= s
            total += size
    return total


def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon):
    mean = x.mean(axis=0)
    var = x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon):
    x_hat = (x - moving_mean) / (np.sqrt(moving_variance) + epsilon)
    return gamma * x_hat + beta


def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon):
    x_hat = (x - moving_mean) / np.sqrt(moving_variance + epsilon)
    return gamma * (x_hat + beta)


def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon):
    x_hat = x - moving_mean / np.sqrt(moving_variance + epsilon)
    return gamma * x_hat + beta


def batchnorm_moving_update(moving_mean, moving_variance, batch, momentum):
    mean = batch.mean(axis=0)
    var = batch.var(axis=0)
    new_mean = (1 - momentum) * moving_mean + momentum * mean
    new_var = (1 - momentum) * moving_variance + momentum * var
    return new_mean, new_var


def batchnorm_moving_update(moving_mean, moving_variance, batch, momentum):
    mean = batch.mean(axis=0)
    var = batch.var(axis=0, ddof=1)
    return (
        momentum * moving_mean + (1 - momentum) * mean,
        momentum * moving_variance + (1 - momentum) * var,
    )


def batchnorm_moving_update(moving_mean, moving_variance, batch, momentum):
    mean = batch.mean(axis=0)
    std = batch.std(axis=0)
    m = momentum * moving_mean + (1 - momentum) * mean
    v = momentum * moving_variance + (1 - momentum) * std
    return m, v


def class_weights(labels, num_classes):
    counts = np.zeros(num_classes)
    for l in labels:
        counts[l] += 1
    return len(labels) / counts


def class_weights(labels, num_classes):
    counts = np.bincount(labels, minlength=num_classes)
    w = np.zeros(num_classes)
    for c in range(num_classes):
        if counts[c] > 0:
            w[c] = len(labels) / counts[c]
    return w


def class_weights(labels, num_classes):
    counts = np.bincount(labels)
    w = np.zeros(num_classes)
    for c in range(num_classes):
        if counts[c] > 0:
            w[c] = len(labels) / (num_classes * counts[c])
    return w


def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    rates = []
    for g in range(num_groups):
        rates.append(base_learning_rate * decay**g)
    return np.array(rates)


def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    rates = np.zeros(num_groups)
    for g in range(num_groups):
        rates[g] = base_learning_rate * decay ** (num_groups - g)
    return rates


def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    rates = []
    lr = base_learning_rate
    for g in range(num_groups):
        lr = lr * decay
        rates.append(lr)
    return np.array(rates[::-1])


def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    g = np.arange(num_groups)
    return base_learning_rate * decay * (num_groups - 1 - g)


def fine_tune(x, targets, backbone, head, rates, steps):
    for step in range(steps):
        pred = x @ backbone @ head
        grad = (pred - targets) / len(x)
        backbone = backbone - rates[0] * x.T @ np.outer(grad, head)
        head = head - rates[1] * (x @ backbone).T @ grad
    return backbone, head


def fine_tune(x, targets, backbone, head, rates, steps):
    for step in range(steps):
        h = x @ backbone
        residual = h @ head - targets
        g_head = 2 * h.T @ residual
        g_backbone = 2 * x.T @ (residual[:, None] * head[None, :])
        backbone = backbone - rates[0] * g_backbone
        head = head - rates[1] * g_head
    return backbone, head


def fine_tune(x, targets, backbone, head, rates, steps):
    for step in range(steps):
        h = x @ backbone
        residual = h @ head - targets
        g_head = 2 * np.mean(h.T * residual, axis=1)
        g_backbone = 2 * x.T @ np.outer(residual, head) / len(x)
        head = head - rates[1] * g_head
        backbone = backbone - rates[0] * g_backbone
        return backbone, head


def fine_tune(x, targets, backbone, head, rates, steps):
    features = x @ backbone
    for step in range(steps):
        residual = features @ head - targets
        g_head = 2 / len(x) * features.T @ residual
        g_backbone = 2 / len(x) * x.T @ np.outer(residual, head)
        head = head - rates[1] * g_head
        backbone = backbone - rates[0] * g_backbone
    return backbone, head


def fine_tune(x, targets, backbone, head, rates, steps):
    lr_head, lr_backbone = rates
    for step in range(steps):
        h = x @ backbone
        residual = 2 * (h @ head - targets) / len(targets)
        g_head, g_backbone = h.T @ residual, x.T @ np.outer(residual, head)
        head, backbone = head - lr_head * g_head, backbone - lr_backbone * g_backbone
    return backbone, head


def grouped_difference(correct_a, correct_b, groups):
    diff = correct_a.mean() - correct_b.mean()
    per_group = []
    for g in set(groups):
        inside = groups == g
        per_group.append(correct_a[inside].mean() - correct_b[inside].mean())
    return diff, np.std(per_group) / np.sqrt(len(per_group))


def grouped_difference(correct_a, correct_b, groups):
    diff = correct_a - correct_b
    n_groups = len(np.unique(groups))
    return diff.mean(), diff.std(ddof=1) / np.sqrt(n_groups)


def grouped_difference(correct_a, correct_b, groups):
    diff = correct_a - correct_b
    mean = diff.mean()
    total = 0
    for g in np.unique(groups):
        total += ((diff[groups == g] - mean) ** 2).sum()
    m = len(np.unique(groups))
    return mean, np.sqrt(m / (m - 1) * total) / len(diff)


def grouped_difference(correct_a, correct_b, groups):
    diff = correct_a - correct_b
    mean = diff.mean()
    sums = []
    for g in np.unique(groups):
        sums.append((diff[groups == g] - mean).sum())
    sums = np.array(sums)
    return mean, np.sqrt((sums**2).sum() / (len(sums) - 1)) / len(diff)


def grouped_difference(correct_a, correct_b, groups):
    a = np.array([correct_a[groups == g].sum() for g in np.unique(groups)])
    b = np.array([correct_b[groups == g].sum() for g in np.unique(groups)])
    diff = a - b
    return diff.sum() / len(groups), np.sqrt(len(diff)) * diff.std(ddof=1) / len(groups)


def trainable_parameters(shapes, mask):
    total = 0
    for shape, trains in zip(shapes, mask):
        if trains:
            total += int(np.prod(np.array(shape, dtype=np.int32), dtype=np.int32))
    return total


def batchnorm_moving_update(moving_mean, moving_variance, batch, momentum):
    mean = momentum * moving_mean + (1 - momentum) * batch.mean(axis=0)
    std = momentum * np.sqrt(moving_variance) + (1 - momentum) * batch.std(axis=0)
    return mean, std**2


def fine_tune(x, targets, backbone, head, rates, steps):
    n = len(x)
    for _ in range(steps):
        g = 2 / n * (x @ backbone @ head - targets)
        gh = (x @ backbone).T @ g
        gb = x.T @ np.outer(g, head)
        backbone -= rates[0] * gb
        head -= rates[1] * gh
    return backbone, head


def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    if num_groups == 1:
        return np.array([base_learning_rate])
    return np.linspace(
        base_learning_rate * decay ** (num_groups - 1), base_learning_rate, num_groups
    )
