"""Wrong answers to the exercises of lesson 04, as learners write them; each `def` is one of them."""


def bias_corrected_average(values, beta):
    avg = 0
    out = []
    for t in range(len(values)):
        avg = beta * avg + (1 - beta) * values[t]
        out.append(avg / (1 - beta**t))
    return np.array(out)


def bias_corrected_average(values, beta):
    avg = values[0]
    out = []
    for t, v in enumerate(values):
        avg = beta * avg + (1 - beta) * v
        out.append(avg / (1 - beta ** (t + 1)))
    return np.array(out)


def bias_corrected_average(values, beta):
    avg = 0
    out = []
    for t, v in enumerate(values):
        avg = (beta * avg + (1 - beta) * v) / (1 - beta ** (t + 1))
        out.append(avg)
    return np.array(out)


def bias_corrected_average(values, beta):
    m = 0.0
    result = np.zeros(len(values))
    for t in range(1, len(values)):
        m = beta * m + (1 - beta) * values[t]
        result[t] = m / (1 - beta**t)
    return result


def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    average = rho * average + (1 - rho) * gradient**2
    step = learning_rate * gradient / (np.sqrt(average) + epsilon)
    return weights - step, average


def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    new_average = rho * average + (1 - rho) * gradient**2
    return weights - learning_rate * gradient / np.sqrt(average + epsilon), new_average


def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    average = rho * average + (1 - rho) * gradient
    return weights - learning_rate * gradient / np.sqrt(average + epsilon), average


def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    a = (1 - rho) * average + rho * gradient**2
    w = weights - learning_rate * gradient / np.sqrt(a + epsilon)
    return w, a


def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m = m / (1 - beta_1**step)
    v = v / (1 - beta_2**step)
    weights = weights - learning_rate * m / (np.sqrt(v) + epsilon)
    return weights, m, v


def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1 * step)
    v_hat = v / (1 - beta_2 * step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_1**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m_new = beta_1 * m + (1 - beta_1) * gradient
    v_new = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m_new / (1 - beta_1**step)
    v_hat = v_new / (1 - beta_2**step)
    w = weights - learning_rate * m_hat / np.sqrt(v_hat + epsilon)
    return w, m_new, v_new


def adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    alpha = learning_rate * (1 - beta_2**step) / (1 - beta_1**step)
    return weights - alpha * m / (np.sqrt(v) + epsilon), m, v


def adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    alpha = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return weights - alpha * m / np.sqrt(v) + epsilon, m, v


def adamw_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay):
    w, m, v = adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    w = w - learning_rate * weight_decay * w
    return w, m, v


def adamw_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay):
    gradient = gradient + weight_decay * weights
    return adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)


def adamw_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay):
    weights = weights - weight_decay * weights
    w, m, v = adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    return w, m, v


def clip_by_global_norm(gradients, max_norm):
    clipped = []
    for g in gradients:
        norm = np.sqrt(np.sum(g**2))
        if norm > max_norm:
            g = g * max_norm / norm
        clipped.append(g)
    return clipped


def clip_by_global_norm(gradients, max_norm):
    total = 0
    for g in gradients:
        total += np.sum(g**2)
    if total > max_norm:
        return [g * max_norm / total for g in gradients]
    return [g.copy() for g in gradients]


def clip_by_global_norm(gradients, max_norm):
    norm = 0
    for g in gradients:
        norm += np.linalg.norm(g)
    factor = min(1, max_norm / norm)
    return [g * factor for g in gradients]


def clip_by_global_norm(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * max_norm / norm for g in gradients]


def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    accumulated = accumulated + gradient**2
    step = learning_rate * gradient / np.sqrt(accumulated + epsilon**2)
    return weights - step, accumulated


def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    accumulated += gradient**2
    return weights - learning_rate * gradient / np.sqrt(accumulated + epsilon), accumulated


def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    accumulated = accumulated + gradient**2
    weights = weights - learning_rate / np.sqrt(accumulated + epsilon)
    return weights, accumulated


def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    accumulated = (accumulated + gradient) ** 2
    weights = weights - learning_rate * gradient / np.sqrt(accumulated + epsilon)
    return weights, accumulated


def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    total = accumulated + gradient * gradient
    scaled = learning_rate * gradient / np.sqrt(total) + epsilon
    return weights - scaled, total


def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    w, m, v = start, 0, 0
    path = [w]
    t = 1
    for rate in learning_rates:
        g = least_squares_gradient(features, targets, w)
        w, m, v = adam_step(w, g, m, v, t, rate, beta_1, beta_2, epsilon)
        path.append(w)
        t = +1
    return np.array(path)


def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    w, m, v = start, np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for t in range(1, len(learning_rates)):
        g = least_squares_gradient(features, targets, w)
        w, m, v = adam_step(w, g, m, v, t, learning_rates[t], beta_1, beta_2, epsilon)
        path.append(w)
    return np.array(path)


def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    w, m, v = start, np.zeros_like(start), np.zeros_like(start)
    path = [w]
    g = least_squares_gradient(features, targets, w)
    for t, rate in enumerate(learning_rates, 1):
        w, m, v = adam_step(w, g, m, v, t, rate, beta_1, beta_2, epsilon)
        path.append(w)
    return np.array(path)


def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    w, m, v = np.zeros_like(start), np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for t, rate in enumerate(learning_rates, 1):
        g = least_squares_gradient(features, targets, w)
        w, m, v = adam_step(w, g, m, v, t, rate, beta_1, beta_2, epsilon)
        path.append(w)
    return np.array(path)


def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    w, m, v = start, np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for t, rate in enumerate(learning_rates, 1):
        g = least_squares_gradient(features, targets, w)
        path.append(adam_step(w, g, m, v, t, rate, beta_1, beta_2, epsilon))
    return np.array(path)


def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    average = rho * average + (1 - rho) * np.square(gradient)
    return weights - learning_rate * gradient / np.sqrt(np.maximum(average, epsilon)), average
