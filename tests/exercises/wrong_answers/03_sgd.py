"""Wrong answers to the exercises of lesson 03, as learners write them; each `def` is one of them."""


def least_squares_gradient(features, targets, weights):
    N = len(targets)
    error = features @ weights - targets
    return 2 / N * features @ error


def least_squares_gradient(features, targets, weights):
    N, D = features.shape
    r = targets - features @ weights
    return 2 / N * features.T @ r


def least_squares_gradient(features, targets, weights):
    grad = np.zeros(len(weights))
    for n in range(len(targets)):
        e = features[n] @ weights - targets[n]
        grad = 2 * e * features[n] / len(targets)
    return grad


def least_squares_gradient(features, targets, weights):
    err = features @ weights - targets
    return 2 * np.mean(features * err)


def sgd_step(weights, gradient, learning_rate):
    weights = weights + learning_rate * gradient
    return weights


def sgd_step(weights, gradient, learning_rate):
    for i in range(len(weights)):
        weights[i] = weights[i] - learning_rate * gradient[i]
    return weights


def sgd_step(weights, gradient, learning_rate):
    return weights - gradient / learning_rate


def largest_stable_learning_rate(hessian):
    eig = np.linalg.eigvalsh(hessian)
    return 2 / eig.min()


def largest_stable_learning_rate(hessian):
    values, vectors = np.linalg.eigh(hessian)
    return 1 / values.max()


def largest_stable_learning_rate(hessian):
    return 2 / np.trace(hessian)


def largest_stable_learning_rate(hessian):
    return 2 / np.max(hessian)


def minibatches(order, batch_size):
    batches = []
    for i in range(0, len(order) - batch_size, batch_size):
        batches.append(order[i : i + batch_size])
    return batches


def minibatches(order, batch_size):
    n = len(order) // batch_size
    batches = []
    for i in range(n):
        batches.append(order[i * batch_size : (i + 1) * batch_size])
    return batches


def minibatches(order, batch_size):
    return np.array_split(order, batch_size)


def minibatches(order, batch_size):
    batches = []
    for i in range(0, len(order), batch_size):
        batches.append(order[i:batch_size])
    return batches


def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    velocity = momentum * velocity + gradient
    weights = weights - learning_rate * velocity
    return weights, velocity


def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    weights = weights + velocity
    velocity = momentum * velocity - learning_rate * gradient
    return weights, velocity


def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    new_velocity = momentum * velocity - learning_rate * gradient
    new_weights = weights - new_velocity
    return new_weights, new_velocity


def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    velocity *= momentum
    velocity -= learning_rate * gradient
    return weights + velocity, velocity


def nesterov_step(weights, gradient, velocity, learning_rate, momentum):
    v = momentum * velocity - learning_rate * gradient
    w = weights + momentum * v
    return w, v


def nesterov_step(weights, gradient, velocity, learning_rate, momentum):
    v = momentum * velocity - learning_rate * gradient
    w = weights + momentum * velocity - learning_rate * gradient
    return w, v


def cosine_with_warmup(step, total_steps, warmup_steps, base_learning_rate):
    if step <= warmup_steps:
        return base_learning_rate * step / warmup_steps
    progress = step / total_steps
    return base_learning_rate * 0.5 * (1 + np.cos(np.pi * progress))


def cosine_with_warmup(step, total_steps, warmup_steps, base_learning_rate):
    if step < warmup_steps:
        lr = base_learning_rate * (step + 1) / warmup_steps
    else:
        done = (step - warmup_steps) / (total_steps - warmup_steps)
        lr = base_learning_rate * (1 + np.cos(np.pi * done)) / 2
    return lr


def cosine_with_warmup(step, total_steps, warmup_steps, base_learning_rate):
    if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return base_learning_rate * np.cos(np.pi * done / 2)


def cosine_with_warmup(step, total_steps, warmup_steps, base_learning_rate):
    if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    done = (step - warmup_steps) / total_steps - warmup_steps
    return base_learning_rate * (1 + np.cos(np.pi * done)) / 2


def hidden_layer_gradients(x, hidden, weights_out, upstream):
    grad_w2 = hidden.T @ upstream
    grad_b2 = upstream.sum(axis=0)
    grad_h = upstream @ weights_out.T
    grad_w1 = x.T @ grad_h
    grad_b1 = grad_h.sum(axis=0)
    return grad_w1, grad_b1, grad_w2, grad_b2


def hidden_layer_gradients(x, hidden, weights_out, upstream):
    dW2 = hidden.T @ upstream
    db2 = upstream.sum(axis=0)
    dh = upstream @ weights_out.T
    dh[hidden > 0] = 0
    dW1 = x.T @ dh
    db1 = dh.sum(axis=0)
    return dW1, db1, dW2, db2


def hidden_layer_gradients(x, hidden, weights_out, upstream):
    dW2 = hidden.T @ upstream
    db2 = upstream.mean(axis=0)
    dh = (upstream @ weights_out.T) * (hidden > 0)
    dW1 = x.T @ dh
    db1 = dh.mean(axis=0)
    return dW1, db1, dW2, db2


def hidden_layer_gradients(x, hidden, weights_out, upstream):
    dh = (upstream @ weights_out.T) * hidden
    return x.T @ dh, dh.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)


def sgd_path(features, targets, start, batches, learning_rates):
    path = [start]
    w = start
    for i in range(len(batches)):
        g = least_squares_gradient(features[batches], targets[batches], w)
        w = sgd_step(w, g, learning_rates[i])
        path.append(w)
    return np.array(path)


def sgd_path(features, targets, start, batches, learning_rates):
    w = start
    path = []
    for b, eta in zip(batches, learning_rates):
        g = least_squares_gradient(features[b], targets[b], w)
        path.append(sgd_step(w, g, eta))
    return np.array(path)


def sgd_path(features, targets, start, batches, learning_rates):
    w = start
    path = [start]
    for b in batches:
        for eta in learning_rates:
            w = sgd_step(w, least_squares_gradient(features[b], targets[b], w), eta)
            path.append(w)
    return np.array(path)


def sgd_path(features, targets, start, batches, learning_rates):
    w = start
    path = [w]
    for b in batches:
        w = sgd_step(w, least_squares_gradient(features[b], targets[b], w), learning_rates)
        path.append(w)
    return path


def sgd_path(features, targets, start, batches, learning_rates):
    w = start.copy()
    history = w
    for b, eta in zip(batches, learning_rates):
        w = sgd_step(w, least_squares_gradient(features[b], targets[b], w), eta)
        history = np.append(history, w)
    return history


def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    grads = hidden_layer_gradients(images, hidden, parameters[0], upstream)
    new_p, new_v = [], []
    for p, g, v in zip(parameters, grads, velocities):
        p, v = momentum_step(p, g, v, learning_rate, momentum)
        new_p.append(p)
        new_v.append(v)
    return new_p + new_v


def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    loss = softmax_cross_entropy(logits, labels)
    grads = hidden_layer_gradients(images, hidden, parameters[2], loss)
    new_p, new_v = [], []
    for p, g, v in zip(parameters, grads, velocities):
        p, v = momentum_step(p, g, v, learning_rate, momentum)
        new_p.append(p)
        new_v.append(v)
    return new_p + new_v


def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    grads = hidden_layer_gradients(images, hidden, parameters[2], upstream)
    new_p, new_v = [], []
    for p, g, v in zip(parameters, grads, velocities):
        p, v = momentum_step(p, g, v, learning_rate, momentum)
        new_p.append(p)
        new_v.append(v)
    return new_p, new_v


def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    grads = hidden_layer_gradients(images, hidden, parameters[2], upstream)
    for i in range(4):
        velocities[i] = momentum * velocities[i] - learning_rate * grads[i]
        parameters[i] = parameters[i] + velocities[i]
    return parameters + velocities


def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    probs = softmax(logits)
    upstream = (probs - labels) / len(labels)
    grads = hidden_layer_gradients(images, hidden, parameters[2], upstream)
    out = [
        momentum_step(p, g, v, learning_rate, momentum)
        for p, g, v in zip(parameters, grads, velocities)
    ]
    return [o[0] for o in out] + [o[1] for o in out]


def largest_stable_learning_rate(hessian):
    v = np.ones(len(hessian))
    for _ in range(1000):
        v = hessian @ v
        v = v / np.linalg.norm(v)
    return 2 / (v @ hessian @ v)


def sgd_path(features, targets, start, batches, learning_rates):
    size = len(batches[0])
    path = np.zeros((len(batches) + 1, len(start)))
    path[0] = start
    for i, batch in enumerate(batches):
        error = features[batch] @ path[i] - targets[batch]
        path[i + 1] = path[i] - learning_rates[i] * 2 / size * features[batch].T @ error
    return path


def hidden_layer_gradients(x, hidden, weights_out, upstream):
    alive = hidden.max(axis=0) > 0
    delta = (upstream @ weights_out.T) * alive
    return x.T @ delta, delta.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)
