"""Wrong answers to the exercises of lesson 02, as learners write them; each `def` is one of them."""


def l2_penalty(weights, strength):
    total = 0
    for w in weights:
        total += w**2
    return strength * total


def l2_penalty(weights, strength):
    return strength * np.linalg.norm(weights)


def l2_penalty(weights, strength):
    return (strength * weights.sum()) ** 2


def l2_gradient(weights, strength):
    return 2 * strength * np.sum(weights)


def l2_gradient(weights, strength):
    return strength * weights**2


def l2_gradient(weights, strength):
    grad = np.zeros(weights.shape)
    for i in range(len(weights)):
        grad[i] = strength * weights[i]
    return grad


def ridge_weights(features, targets, strength):
    N, D = features.shape
    I = np.eye(D)
    I[-1, -1] = 0
    A = features.T @ features + strength * I
    b = features.T @ targets
    return np.linalg.solve(A, b)


def ridge_weights(features, targets, strength):
    N, D = features.shape
    I = np.eye(D)
    I[-1] = 0
    A = features.T @ features / N + strength * I
    return np.linalg.inv(A) @ features.T @ targets


def ridge_weights(features, targets, strength):
    N, D = features.shape
    I = np.eye(N)
    I[-1, -1] = 0
    A = features @ features.T / N + strength * I
    return np.linalg.solve(A, features @ targets / N)


def ridge_weights(features, targets, strength):
    N, D = features.shape
    P = np.eye(D) * strength
    P[D - 1, D - 1] = 1
    return np.linalg.solve(features.T @ features / N + P, features.T @ targets / N)


def soft_threshold(weights, amount):
    result = np.abs(weights) - amount
    result[result < 0] = 0
    return result


def soft_threshold(weights, amount):
    out = weights.copy()
    out[weights > amount] = weights[weights > amount] - amount
    out[weights < -amount] = weights[weights < -amount] + amount
    return out


def soft_threshold(weights, amount):
    return np.where(np.abs(weights) > amount, weights - amount, 0)


def soft_threshold(weights, amount):
    return np.where(weights > 0, weights - amount, weights + amount)


def lasso_subgradient(weights, strength):
    return np.where(weights >= 0, strength, -strength)


def lasso_subgradient(weights, strength):
    return strength * np.abs(weights)


def lasso_subgradient(weights, strength):
    g = weights / np.abs(weights)
    return strength * g


def dropout(activations, keep_mask, rate):
    return activations * keep_mask / rate


def dropout(activations, keep_mask, rate):
    out = activations.copy()
    out[keep_mask] = 0
    return out / (1 - rate)


def dropout(activations, keep_mask, rate):
    scale = 1 - rate
    return activations * keep_mask * scale


def dropout(activations, keep_mask, rate):
    activations[~keep_mask] = 0
    return activations / (1 - rate)


def weight_decay_step(weights, gradient, learning_rate, decay):
    new = weights - learning_rate * gradient
    new = new - learning_rate * decay * new
    return new


def weight_decay_step(weights, gradient, learning_rate, decay):
    return weights - learning_rate * gradient - decay * weights


def weight_decay_step(weights, gradient, learning_rate, decay):
    g = gradient + 2 * decay * weights
    return weights - learning_rate * g


def weight_decay_step(weights, gradient, learning_rate, decay):
    return weights - learning_rate * gradient + decay * weights


def lasso_weights(features, targets, strength, steps):
    N, D = features.shape
    c = 2 / N * np.linalg.eigvalsh(features.T @ features).max()
    w = np.zeros(D)
    for i in range(steps):
        g = 2 / N * features.T @ (features @ w - targets)
        w = soft_threshold(w - g / c, strength / c)
    return w


def lasso_weights(features, targets, strength, steps):
    N, D = features.shape
    c = 2 / N * np.linalg.eigvalsh(features.T @ features).max()
    w = np.zeros(D)
    for i in range(steps):
        g = 2 / N * features.T @ (features @ w - targets)
        w = w - g / c
        w[:-1] = soft_threshold(w[:-1], strength)
    return w


def lasso_weights(features, targets, strength, steps):
    N, D = features.shape
    c = 2 / N * np.linalg.eigvalsh(features.T @ features).max()
    w = np.zeros(D)
    for i in range(steps):
        g = 2 / N * features.T @ (features @ w - targets) + lasso_subgradient(w, strength)
        w = w - g / c
        w[:-1] = soft_threshold(w[:-1], strength / c)
    return w


def lasso_weights(features, targets, strength, steps):
    N, D = features.shape
    c = 2 / N * np.linalg.eigvalsh(features.T @ features).max()
    w = np.zeros(D)
    for i in range(steps):
        g = 2 / N * features.T @ (targets - features @ w)
        w = w + g / c
        w[:-1] = np.maximum(w[:-1] - strength / c, 0)
    return w


def early_stopping(validation_losses, patience):
    best_loss = np.inf
    wait = 0
    for epoch, loss in enumerate(validation_losses):
        if loss < best_loss:
            best_loss = loss
            best = epoch
        else:
            wait += 1
            if wait >= patience:
                return best, epoch
    return best, epoch


def early_stopping(validation_losses, patience):
    best_loss = np.inf
    for epoch, loss in enumerate(validation_losses):
        if loss < best_loss:
            best_loss = loss
            best = epoch
            wait = 0
        else:
            wait += 1
            if wait > patience:
                return best, epoch
    return best, epoch


def early_stopping(validation_losses, patience):
    best_loss = np.inf
    best = wait = 0
    for epoch, loss in enumerate(validation_losses):
        if loss < best_loss:
            best = epoch
            wait = 0
        else:
            wait += 1
            if wait >= patience:
                return best, epoch
        best_loss = loss
    return best, epoch


def early_stopping(validation_losses, patience):
    best = 0
    for epoch in range(len(validation_losses)):
        if validation_losses[epoch] < validation_losses[best]:
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(validation_losses)


def early_stopping(validation_losses, patience):
    best, best_loss, wait, epoch = 0, 100.0, 0, 0
    for epoch, loss in enumerate(validation_losses):
        if loss < best_loss:
            best, best_loss, wait = epoch, loss, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return best, epoch


def ridge_weights(features, targets, strength):
    x = features[:, :-1]
    n, d = x.shape
    t = targets - targets.mean()
    w = np.linalg.solve(x.T @ x / n + strength * np.eye(d), x.T @ t / n)
    return np.append(w, targets.mean())


def lasso_weights(features, targets, strength, steps):
    n, d = features.shape
    c = np.linalg.eigvalsh(2 / n * features.T @ features)[-1]
    w = np.zeros(d)
    for _ in range(steps):
        shrunk = soft_threshold(w, strength / c)
        shrunk[-1] = w[-1]
        g = 2 / n * features.T @ (features @ shrunk - targets)
        w = shrunk - g / c
    return w


def lasso_subgradient(weights, strength):
    g = strength * np.sign(weights)
    g[np.isclose(weights, 0)] = 0
    return g


def early_stopping(validation_losses, patience):
    best = None
    best_epoch = 0
    for epoch, loss in enumerate(validation_losses):
        if not best or loss < best:
            best, best_epoch = loss, epoch
        if epoch - best_epoch >= patience:
            return best_epoch, epoch
    return best_epoch, len(validation_losses) - 1
