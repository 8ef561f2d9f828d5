"""Wrong answers to the exercises of lesson 12, as learners write them; each `def` is one of them."""


def proxy_a_distance(error):
    return max(0, 2 * 1 - 2 * error)


def proxy_a_distance(error):
    accuracy = 1 - error
    return 2 * abs(accuracy - 0.5)


def proxy_a_distance(error):
    if error > 0.5:
        return 0
    return 1 - error / 0.5


def proxy_a_distance(error):
    return np.maximum(0, 2 * (0.5 - 2 * error))


def proxy_a_distance(error):
    return max(0, 2 * (1 - 2 * error) - 1)


def mmd_squared(source, target, gamma):
    def kernel(a, b):
        return np.exp(-gamma * np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2))

    n, m = len(source), len(target)
    k_ss = kernel(source, source).sum() / (n * n)
    k_tt = kernel(target, target).sum() / (m * m)
    return k_ss + k_tt - 2 * kernel(source, target).sum() / (n * m)


def mmd_squared(source, target, gamma):
    n, m = len(source), len(target)
    total = 0
    for i in range(n):
        for j in range(i + 1, n):
            total += np.exp(-gamma * np.sum((source[i] - source[j]) ** 2)) / (n * (n - 1))
    for i in range(m):
        for j in range(i + 1, m):
            total += np.exp(-gamma * np.sum((target[i] - target[j]) ** 2)) / (m * (m - 1))
    for i in range(n):
        for j in range(m):
            total -= 2 * np.exp(-gamma * np.sum((source[i] - target[j]) ** 2)) / (n * m)
    return total


def mmd_squared(source, target, gamma):
    def k(a, b):
        return np.exp(-gamma * np.linalg.norm(a[:, None] - b[None], axis=2))

    n, m = len(source), len(target)
    inner = (k(source, source).sum() - n) / (n * (n - 1))
    inner += (k(target, target).sum() - m) / (m * (m - 1))
    return inner - 2 * k(source, target).mean()


def mmd_squared(source, target, gamma):
    n, m = len(source), len(target)
    d = ((source[:, None] - target[None]) ** 2).sum(-1)
    ds = ((source[:, None] - source[None]) ** 2).sum(-1)
    dt = ((target[:, None] - target[None]) ** 2).sum(-1)
    ks, kt, k = np.exp(-gamma * ds), np.exp(-gamma * dt), np.exp(-gamma * d)
    return ks.sum() / (n * (n - 1)) + kt.sum() / (m * (m - 1)) - 2 * k.sum() / (n * m)


def mmd_squared(source, target, gamma):
    d = ((source[:, None] - target[None]) ** 2).sum(-1)
    return float(np.exp(-gamma * d).mean())


def standardize_by_domain(source, target):
    m, s = source.mean(0), source.std(0)
    source = (source - m) / s
    target = (target - m) / s
    return source, target


def standardize_by_domain(source, target):
    return (source - source.mean()) / source.std(), (target - target.mean()) / target.std()


def standardize_by_domain(source, target):
    a = (source - source.mean(axis=0)) / source.std(axis=0)
    b = (target - target.mean(axis=0)) / target.std(axis=0)
    return a, b


def standardize_by_domain(source, target):
    out = []
    for x in (source, target):
        std = x.std(axis=0)
        std[std == 0] = 1
        out.append(x - x.mean(axis=0) / std)
    return out


def standardize_by_domain(source, target):
    def scale(x):
        low, high = x.min(axis=0), x.max(axis=0)
        return (x - low) / np.where(high > low, high - low, 1)

    return scale(source), scale(target)


def coral(source, target, epsilon):
    d = source.shape[1]
    cs = np.cov(source.T) + epsilon * np.eye(d)
    ct = np.cov(target.T) + epsilon * np.eye(d)
    return source @ np.linalg.inv(cs) @ ct


def coral(source, target, epsilon):
    def power(c, p):
        w, v = np.linalg.eigh(c)
        return v @ np.diag(w**p) @ v.T

    d = source.shape[1]
    cs = np.cov(source.T) + epsilon * np.eye(d)
    ct = np.cov(target.T) + epsilon * np.eye(d)
    return (source - target.mean(axis=0)) @ power(cs, -0.5) @ power(ct, 0.5) + target.mean(axis=0)


def coral(source, target, epsilon):
    def power(c, p):
        w, v = np.linalg.eigh(c)
        return v @ np.diag(w**p)

    d = source.shape[1]
    cs = np.cov(source.T) + epsilon * np.eye(d)
    ct = np.cov(target.T) + epsilon * np.eye(d)
    return (source - source.mean(axis=0)) @ power(cs, -0.5) @ power(ct, 0.5) + target.mean(axis=0)


def coral(source, target, epsilon):
    s = (source - source.mean(0)) / (source.std(0) + epsilon)
    return s * (target.std(0) + epsilon) + target.mean(0)


def coral(source, target, epsilon):
    d = source.shape[1]
    cs = source.T @ source / (len(source) - 1) + epsilon * np.eye(d)
    ct = target.T @ target / (len(target) - 1) + epsilon * np.eye(d)
    w, v = np.linalg.eigh(cs)
    white = (source - source.mean(axis=0)) @ (v * w**-0.5) @ v.T
    w, v = np.linalg.eigh(ct)
    return white @ (v * w**0.5) @ v.T + target.mean(axis=0)


def importance_weights(probability_target):
    w = probability_target / (1 - probability_target)
    return w / np.sum(w)


def importance_weights(probability_target):
    w = 1 / probability_target - 1
    return w / w.mean()


def importance_weights(probability_target):
    w = probability_target / 1 - probability_target
    return w / w.mean()


def importance_weights(probability_target):
    w = np.exp(probability_target) / np.exp(1 - probability_target)
    return w / w.mean()


def importance_weights(probability_target):
    w = probability_target / (1 - probability_target)
    return w - w.mean() + 1


def reverse_gradient(label_gradient, domain_gradient, strength):
    return label_gradient + domain_gradient * strength


def reverse_gradient(label_gradient, domain_gradient, strength):
    return strength * (label_gradient - domain_gradient)


def reverse_gradient(label_gradient, domain_gradient, strength):
    return label_gradient - strength * (label_gradient + domain_gradient)


def reverse_gradient(label_gradient, domain_gradient, strength):
    return label_gradient * (1 - strength * domain_gradient)


def reverse_gradient(label_gradient, domain_gradient, strength):
    reversed_part = -strength * domain_gradient
    return (label_gradient + reversed_part) / 2


def mmd_squared(source, target, gamma):
    ss, n = 0, len(source)
    tt, m = 0, len(target)
    st = 0
    for i in range(n):
        for j in range(i):
            ss += np.exp(-gamma * np.sum((source[i] - source[j]) ** 2))
    for i in range(m):
        for j in range(i):
            tt += np.exp(-gamma * np.sum((target[i] - target[j]) ** 2))
    for i in range(n):
        for j in range(m):
            st += np.exp(-gamma * np.sum((source[i] - target[j]) ** 2))
    return ss / (n * (n - 1)) + tt / (m * (m - 1)) - 2 * st / (n * m)


def standardize_by_domain(source, target):
    source -= source.mean(axis=0)
    target -= target.mean(axis=0)
    s, t = source.std(axis=0), target.std(axis=0)
    return source / np.where(s == 0, 1, s), target / np.where(t == 0, 1, t)


def importance_weights(probability_target):
    w = probability_target / (1 - probability_target)
    return w - w.mean() + 1


def importance_weights(probability_target):
    p = probability_target / probability_target.mean()
    return p / (1 - p)


def standardize_by_domain(source, target):
    def scale(x):
        return (x - x.mean(0)) / (x.std(0) + 1e-8)

    return scale(source), scale(target)


def standardize_by_domain(source, target):
    s, t = source.std(0), target.std(0)
    constant = s == 0
    s = np.where(constant, 1, s)
    t = np.where(constant, 1, t)
    return (source - source.mean(0)) / s, (target - target.mean(0)) / t


def standardize_by_domain(source, target):
    out = []
    for x in (source, target):
        s = x.std(axis=0)
        s = np.where(s < 1e-3, 1.0, s)
        out.append((x - x.mean(axis=0)) / s)
    return tuple(out)


def importance_weights(probability_target):
    p = np.clip(probability_target, 0.01, 0.99)
    w = p / (1 - p)
    return w / w.mean()
