"""Wrong answers to the exercises of lesson 05, as learners write them; each `def` is one of them."""


def stratified_split(labels, fraction, order):
    n = int(np.ceil(fraction * len(order)))
    return order[:n], order[n:]


def stratified_split(labels, fraction, order):
    first, second = [], []
    for c in np.unique(labels):
        members = np.where(labels == c)[0]
        k = int(np.ceil(fraction * len(members)))
        first.extend(members[:k])
        second.extend(members[k:])
    return np.array(first), np.array(second)


def stratified_split(labels, fraction, order):
    first, second = [], []
    for c in np.unique(labels):
        members = order[labels[order] == c]
        k = int(fraction * len(members))
        first.extend(members[:k])
        second.extend(members[k:])
    return np.array(first), np.array(second)


def resnet50_preprocess(images):
    mean = np.array([103.939, 116.779, 123.68])
    return images - mean


def resnet50_preprocess(images):
    mean = np.array([123.68, 116.779, 103.939])
    bgr = images[:, :, :, ::-1]
    return bgr - mean


def resnet50_preprocess(images):
    bgr = images[:, :, ::-1, :]
    return bgr - np.array([103.939, 116.779, 123.68])


def resnet50_preprocess(images):
    x = images / 255.0
    x = x[..., ::-1]
    return x - np.array([103.939, 116.779, 123.68])


def global_average_pool(feature_maps):
    return feature_maps.mean(axis=(2, 3))


def global_average_pool(feature_maps):
    N, H, W, K = feature_maps.shape
    out = np.zeros((N, K))
    for n in range(N):
        for k in range(K):
            out[n, k] = feature_maps[n, :, :, k].sum() / H
    return out


def global_average_pool(feature_maps):
    return feature_maps.max(axis=1).max(axis=1)


def standardize(train, other):
    m = train.mean(axis=0)
    s = train.std(axis=0)
    s[s == 0] = 1
    return (train - m) / s, (other - other.mean(axis=0)) / s


def standardize(train, other):
    m = train.mean()
    s = train.std()
    if s == 0:
        s = 1
    return (train - m) / s, (other - m) / s


def standardize(train, other):
    m, s = train.mean(axis=0), train.std(axis=0)
    return (train - m) / (s + 1e-8), (other - m) / (s + 1e-8)


def standardize(train, other):
    m, v = train.mean(axis=0), train.var(axis=0)
    v[v == 0] = 1
    return (train - m) / v, (other - m) / v


def linear_probe_gradients(features, labels, weights, bias, strength):
    p = softmax(features @ weights + bias)
    p[np.arange(len(labels)), labels] -= 1
    gw = features.T @ p / len(labels) + strength * weights
    gb = p.sum(axis=0) / len(labels)
    return gw, gb


def linear_probe_gradients(features, labels, weights, bias, strength):
    p = softmax(features @ weights + bias)
    p[np.arange(len(labels)), labels] -= 1
    gw = features.T @ p + 2 * strength * weights
    gb = p.sum(axis=0)
    return gw, gb


def linear_probe_gradients(features, labels, weights, bias, strength):
    p = softmax(features @ weights + bias)
    onehot = np.eye(len(bias))[labels]
    g = (p - onehot) / len(labels)
    return features.T @ g + 2 * strength * weights, g.mean(axis=0)


def balanced_accuracy(labels, predictions, num_classes):
    return np.mean(labels == predictions)


def balanced_accuracy(labels, predictions, num_classes):
    total = 0
    for c in range(num_classes):
        mask = labels == c
        if mask.sum() > 0:
            total += np.mean(predictions[mask] == c)
    return total / num_classes


def balanced_accuracy(labels, predictions, num_classes):
    accs = []
    for c in range(num_classes):
        mask = predictions == c
        if mask.any():
            accs.append(np.mean(labels[mask] == c))
    return np.mean(accs)


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    w = np.zeros((features.shape[1], 2))
    b = np.zeros(2)
    mw, vw, mb, vb = 0, 0, 0, 0
    for t in range(steps):
        lr = learning_rate * (1 - t / steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t + 1, lr, 0.9, 0.999, 1e-8)
        b, mb, vb = adam_step(b, gb, mb, vb, t + 1, lr, 0.9, 0.999, 1e-8)
    return w, b


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    w, b = np.zeros((features.shape[1], 2)), np.zeros(2)
    mw, vw, mb, vb = 0, 0, 0, 0
    for t in range(1, steps + 1):
        learning_rate = learning_rate * (1 - t / steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t, learning_rate, 0.9, 0.999, 1e-8)
        b, mb, vb = adam_step(b, gb, mb, vb, t, learning_rate, 0.9, 0.999, 1e-8)
    return w, b


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    w, b = np.zeros((features.shape[1], 2)), np.zeros(2)
    mw, vw, mb, vb = 0, 0, 0, 0
    for t in range(1, steps):
        lr = learning_rate * (1 - t / steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t, lr, 0.9, 0.999, 1e-8)
        b, mb, vb = adam_step(b, gb, mw, vw, t, lr, 0.9, 0.999, 1e-8)
    return w, b


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    w, b = np.zeros((features.shape[1], 2)), np.zeros(2)
    mw, vw, mb, vb = 0, 0, 0, 0
    for t in range(1, steps + 1):
        lr = learning_rate * (1 - t / steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t, lr, 0.9, 0.999, 1e-8)
        b, mb, vb = adam_step(b, gb, mb, vb, t, lr, 0.9, 0.999, 1e-8)
        return w, b


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    w, b = np.zeros((features.shape[1], 2)), np.zeros(2)
    mw, vw, mb, vb = 0, 0, 0, 0
    for t in range(1, steps + 1):
        lr = learning_rate * (1 - t // steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t, lr, 0.9, 0.999, 1e-8)
        b, mb, vb = adam_step(b, gb, mb, vb, t, lr, 0.9, 0.999, 1e-8)
    return w, b


def known_rate(labels, groups, train, test):
    rates = []
    for i in test:
        same = groups == groups[i]
        same[i] = False
        rates.append(labels[same].mean() if same.any() else labels[train].mean())
    return np.array(rates)


def known_rate(labels, groups, train, test):
    rates = np.zeros(len(test))
    for k, i in enumerate(test):
        members = train[groups[train] == groups[i]]
        if len(members) > 0:
            rates[k] = labels[members].mean()
        else:
            rates[k] = labels.mean()
    return rates


def known_rate(labels, groups, train, test):
    rates = np.zeros(len(test))
    for k, i in enumerate(test):
        members = train[groups[train] == groups[k]]
        rates[k] = labels[members].mean() if len(members) else labels[train].mean()
    return rates


def known_rate(labels, groups, train, test):
    known = [labels[train][groups[train] == g] for g in groups[test]]
    return np.array([k.sum() / (len(k) + 1) if len(k) else labels[train].mean() for k in known])


def stratified_split(labels, fraction, order):
    chosen = np.zeros(len(labels), bool)
    for c in np.unique(labels):
        where = np.flatnonzero(labels == c)
        chosen[where[: int(np.ceil(fraction * len(where)))]] = True
    return order[chosen[order]], order[~chosen[order]]


def stratified_split(labels, fraction, order):
    chosen = np.zeros(len(labels), bool)
    for c in range(len(np.unique(labels))):
        where = order[labels[order] == c]
        chosen[where[: int(np.ceil(fraction * len(where)))]] = True
    return order[chosen[order]], order[~chosen[order]]


def stratified_split(labels, fraction, order):
    chosen = []
    for c in np.unique(labels):
        where = order[labels[order] == c]
        k = min(int(np.ceil(fraction * len(where))), max(1, len(where) - 1))
        chosen.append(where[:k])
    chosen = np.isin(order, np.concatenate(chosen))
    return order[chosen], order[~chosen]


def global_average_pool(feature_maps):
    return np.squeeze(feature_maps.mean(axis=(1, 2), keepdims=True))


def standardize(train, other):
    m = train.mean(axis=0)
    s = np.maximum(train.std(axis=0), 1)
    return (train - m) / s, (other - m) / s


def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    d = features.shape[1]
    w, b = np.zeros((d, 2)), np.zeros(2)
    mw, vw = np.zeros((d, 2)), np.zeros((d, 2))
    mb, vb = np.zeros(2), np.zeros(2)
    for t in range(1, steps + 1):
        rate = learning_rate * (1 - t / steps)
        gw, gb = linear_probe_gradients(features, labels, w, b, strength)
        w, mw, vw = adam_step(w, gw, mw, vw, t, rate, 0.9, 0.999, 1e-8)
        b, _, _ = adam_step(b, gb, mb, vb, t, rate, 0.9, 0.999, 1e-8)
    return w, b


def known_rate(labels, groups, train, test):
    overall = labels[train].mean()
    rates = {}
    for g in np.unique(groups[train]):
        rates[g] = labels[train][groups[train] == g].mean()
    return np.array([rates.get(groups[t], 0) or overall for t in test])
