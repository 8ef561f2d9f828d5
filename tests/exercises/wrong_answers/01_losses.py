"""Wrong answers to the exercises of lesson 01, as learners write them; each `def` is one of them."""


def mse(predictions, targets):
    N, D = predictions.shape
    total = 0
    for n in range(N):
        for d in range(D):
            err = predictions[n, d] - targets[n, d]
            total += err * err
    return total / N


def mse(predictions, targets):
    diff = predictions - targets
    sq = diff * diff
    return sq.sum() / len(sq)


def mse(predictions, targets):
    loss = 0.0
    for p, t in zip(predictions, targets):
        loss += np.mean((p - t) ** 2)
    return loss


def mse(predictions, targets):
    return np.linalg.norm(predictions - targets) / predictions.size


def mse(predictions, targets):
    err = (predictions - targets) ** 2
    return err.mean(axis=0).sum()


def numerical_gradient(function, point, step=1e-5):
    grad = np.zeros_like(point)
    for idx in np.ndindex(point.shape):
        plus = point.copy()
        minus = point.copy()
        plus[idx] += step
        minus[idx] -= step
        grad[idx] = (function(plus) - function(minus)) / step
    return grad


def numerical_gradient(function, point, step=1e-5):
    grad = np.zeros(point.shape)
    plus, minus = point.copy(), point.copy()
    for idx in np.ndindex(point.shape):
        plus[idx] += step
        minus[idx] -= step
        grad[idx] = (function(plus) - function(minus)) / (2 * step)
    return grad


def numerical_gradient(function, point, step=1e-5):
    grad = []
    for idx in np.ndindex(point.shape):
        a = point.copy()
        b = point.copy()
        a[idx] = a[idx] + step
        b[idx] = b[idx] - step
        grad.append((function(a) - function(b)) / (2 * step))
    return np.array(grad)


def numerical_gradient(function, point, step=1e-5):
    result = np.zeros(point.shape)
    for i in np.ndindex(point.shape):
        old = point[i]
        point[i] = old + step
        up = function(point)
        point[i] = old - step
        down = function(point)
        result[i] = (up - down) / (2 * step)
    return result


def mse_gradient(predictions, targets):
    n = predictions.shape[0]
    grad = 2 * (predictions - targets)
    return grad / n


def mse_gradient(predictions, targets):
    g = np.zeros_like(predictions)
    N, D = predictions.shape
    for i in range(N):
        for j in range(D):
            g[i, j] = 2 / N * D * (predictions[i, j] - targets[i, j])
    return g


def mse_gradient(predictions, targets):
    diff = predictions - targets
    return 2 * np.mean(diff, axis=0)


def softmax(logits):
    m = np.max(logits)
    e = np.exp(logits - m)
    s = np.sum(e, axis=1, keepdims=True)
    return e / s


def softmax(logits):
    out = []
    for row in logits:
        e = np.exp(row - np.max(logits))
        out.append(e / e.sum())
    return np.array(out)


def softmax(logits):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=-1)


def softmax(logits):
    z = logits / logits.max(axis=1, keepdims=True)
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def cross_entropy(probabilities, labels):
    N = len(labels)
    p = probabilities[np.arange(N), labels]
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.sum(np.log(p))


def cross_entropy(probabilities, labels):
    total = 0
    for i in range(len(labels)):
        total -= np.log(np.maximum(probabilities[i, labels[i]], 1e-7))
    return total


def cross_entropy(probabilities, labels):
    N = len(labels)
    p = probabilities[np.arange(N), labels]
    p = np.minimum(p, 1e-7)
    return -np.mean(np.log(p))


def cross_entropy(probabilities, labels):
    chosen = probabilities[np.arange(len(labels)), labels]
    loss = -np.log10(np.maximum(chosen, 1e-7))
    return loss.mean()


def softmax_cross_entropy(logits, labels):
    m = logits.max(axis=1)
    shifted = logits - m[:, None]
    lse = np.log(np.exp(shifted).sum(axis=1))
    return np.mean(lse - logits[np.arange(len(labels)), labels])


def softmax_cross_entropy(logits, labels):
    loss = 0
    for z, k in zip(logits, labels):
        m = max(z)
        loss += m + np.log(np.sum(np.exp(z - m))) - z[k]
        return loss / len(labels)


def softmax_cross_entropy_gradient(logits, labels):
    p = softmax(logits)
    onehot = np.zeros_like(p)
    onehot[np.arange(len(labels)), labels] = 1
    return p - onehot / len(labels)


def softmax_cross_entropy_gradient(logits, labels):
    p = softmax(logits)
    for i in range(len(labels)):
        p[i, labels[i]] -= 1
    return p / p.size


def softmax_cross_entropy_gradient(logits, labels):
    g = softmax(logits)
    n = len(labels)
    g[np.arange(n), labels] -= 1 / n
    return g


def train_softmax(images, labels, num_classes, learning_rate, steps):
    N, D = images.shape
    W = np.zeros((D, num_classes))
    b = np.zeros(num_classes)
    history = []
    for i in range(steps):
        z = images @ W + b
        history.append(softmax_cross_entropy(z, labels))
        dz = softmax_cross_entropy_gradient(z, labels)
        W = W - learning_rate * (images.T @ dz) / N
        b = b - learning_rate * dz.sum(axis=0) / N
    return W, b, history


def train_softmax(images, labels, num_classes, learning_rate, steps):
    W = np.zeros((images.shape[1], num_classes))
    b = np.zeros((num_classes,))
    history = []
    for i in range(steps):
        z = images @ W + b
        dz = softmax_cross_entropy_gradient(z, labels)
        W -= learning_rate * images.T @ dz
        b -= learning_rate * np.mean(dz, axis=0)
        history.append(softmax_cross_entropy(z, labels))
    return W, b, history


def train_softmax(images, labels, num_classes, learning_rate, steps):
    W = np.zeros((num_classes, images.shape[1]))
    b = np.zeros(num_classes)
    history = []
    for i in range(steps):
        z = images @ W.T + b
        history.append(softmax_cross_entropy(z, labels))
        dz = softmax_cross_entropy_gradient(z, labels)
        W -= learning_rate * dz.T @ images
        b -= learning_rate * dz.sum(axis=0)
    return W, b, history


def train_softmax(images, labels, num_classes, learning_rate, steps):
    W = np.zeros((images.shape[1], num_classes))
    b = np.zeros(num_classes)
    for i in range(steps):
        history = []
        z = images @ W + b
        history.append(softmax_cross_entropy(z, labels))
        dz = softmax_cross_entropy_gradient(z, labels)
        W -= learning_rate * images.T @ dz
        b -= learning_rate * dz.sum(axis=0)
    return W, b, history


def train_softmax(images, labels, num_classes, learning_rate, steps):
    W = np.zeros((images.shape[1], num_classes))
    b = np.zeros(num_classes)
    history = []
    for i in range(steps):
        p = softmax(images @ W + b)
        history.append(cross_entropy(p, labels))
        W = W - learning_rate * images.T @ p
        b = b - learning_rate * p.sum(axis=0)
    return W, b, history


def train_softmax(images, labels, num_classes, learning_rate, steps):
    W = np.zeros((images.shape[1], num_classes))
    b = np.zeros(num_classes)
    history = []
    for i in range(steps):
        z = images @ W + b
        history.append(softmax_cross_entropy(z, labels))
        dz = softmax_cross_entropy_gradient(z, labels)
        W -= learning_rate * images.T @ dz
        b -= learning_rate * dz[0]
    return W, b, history


def mse(predictions, targets):
    return np.linalg.norm(predictions - targets, 2) ** 2 / predictions.size


def numerical_gradient(function, point, step=1e-5):
    result = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        up, down = point.copy(), point.copy()
        up[index] *= 1 + step
        down[index] *= 1 - step
        result[index] = (function(up) - function(down)) / (2 * step)
    return result


def cross_entropy(probabilities, labels):
    picked = probabilities[np.arange(len(labels)), labels]
    with np.errstate(divide="ignore"):
        loss = -np.mean(np.log(picked))
    return min(loss, -np.log(1e-7))


def train_softmax(images, labels, num_classes, learning_rate, steps):
    weights = np.zeros((images.shape[1], num_classes))
    bias = np.zeros(num_classes)
    losses = []
    for _ in range(steps):
        g = softmax_cross_entropy_gradient(images @ weights + bias, labels)
        weights = weights - learning_rate * images.T @ g
        bias = bias - learning_rate * g.sum(axis=0)
        losses.append(softmax_cross_entropy(images @ weights + bias, labels))
    return weights, bias, np.array(losses)


def train_softmax(images, labels, num_classes, learning_rate, steps):
    n, d = images.shape
    weights = np.zeros((d, num_classes))
    bias = np.zeros(num_classes)
    losses = np.zeros(steps)
    g = softmax_cross_entropy_gradient(images @ weights + bias, labels)
    for i in range(steps):
        losses[i] = softmax_cross_entropy(images @ weights + bias, labels)
        weights -= learning_rate * images.T @ g
        bias -= learning_rate * g.sum(axis=0)
    return weights, bias, losses


def train_softmax(images, labels, num_classes, learning_rate, steps):
    weights = np.zeros((images.shape[1], num_classes))
    bias = np.zeros(num_classes)
    losses = np.zeros(steps)
    best = np.inf
    for step in range(steps):
        logits = images @ weights + bias
        losses[step] = softmax_cross_entropy(logits, labels)
        if losses[step] > best:
            break
        best = losses[step]
        g = softmax_cross_entropy_gradient(logits, labels)
        weights -= learning_rate * images.T @ g
        bias -= learning_rate * g.sum(axis=0)
    return weights, bias, losses
