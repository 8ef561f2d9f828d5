"""Wrong answers to the exercises of lesson 13, as learners write them; each `def` is one of them."""


def transfer_gain(transferred, scratch):
    diff = transferred - scratch
    return diff.mean(), diff.std() / np.sqrt(len(diff))


def transfer_gain(transferred, scratch):
    n = len(scratch)
    se_t = np.std(transferred, ddof=1) / np.sqrt(n)
    se_s = np.std(scratch, ddof=1) / np.sqrt(n)
    return transferred.mean() - scratch.mean(), np.sqrt(se_t**2 + se_s**2)


def transfer_gain(transferred, scratch):
    n = len(scratch)
    se_t = np.std(transferred, ddof=1) / np.sqrt(n)
    se_s = np.std(scratch, ddof=1) / np.sqrt(n)
    return transferred.mean() - scratch.mean(), se_t - se_s


def transfer_gain(transferred, scratch):
    gain = transferred - scratch
    return gain.mean(), 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))


def transfer_gain(transferred, scratch):
    gain = (transferred - scratch) / scratch
    return gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain))


def labels_to_reach(sizes, accuracies, target):
    for i in range(len(sizes)):
        if accuracies[i] >= target:
            return float(sizes[i])
    return float("inf")


def labels_to_reach(sizes, accuracies, target):
    for i in range(1, len(sizes)):
        if accuracies[i] >= target:
            f = (target - accuracies[i - 1]) / (accuracies[i] - accuracies[i - 1])
            return float(sizes[i - 1] + f * (sizes[i] - sizes[i - 1]))
    return float("inf")


def labels_to_reach(sizes, accuracies, target):
    i = np.argmax(accuracies >= target)
    if i == 0:
        return float(sizes[0])
    f = (target - accuracies[i - 1]) / (accuracies[i] - accuracies[i - 1])
    return float(sizes[i - 1] + f * (sizes[i] - sizes[i - 1]))


def labels_to_reach(sizes, accuracies, target):
    if target > accuracies.max():
        return float("inf")
    i = np.searchsorted(accuracies, target)
    if i == 0:
        return float(sizes[0])
    f = (accuracies[i] - target) / (accuracies[i] - accuracies[i - 1])
    return float(sizes[i - 1] + f * (sizes[i] - sizes[i - 1]))


def labels_to_reach(sizes, accuracies, target):
    if accuracies[-1] < target:
        return -1.0
    return float(np.interp(target, accuracies, sizes))


def prototype_predict(support, labels, queries):
    out = []
    for q in queries:
        d = np.linalg.norm(support - q, axis=1)
        out.append(labels[np.argmin(d)])
    return np.array(out)


def prototype_predict(support, labels, queries):
    classes = np.unique(labels)
    protos = np.stack([support[labels == c].mean(0) for c in classes])
    d = np.linalg.norm(queries[:, None] - protos[None], axis=-1)
    return d.argmin(1)


def prototype_predict(support, labels, queries):
    classes = np.unique(labels)
    protos = np.stack([support[labels == c].mean(0) for c in classes])
    return classes[np.argmax(queries @ protos.T, axis=1)]


def prototype_predict(support, labels, queries):
    protos = np.stack([support[labels == c].mean(0) for c in range(labels.max() + 1)])
    d = np.linalg.norm(queries[:, None] - protos[None], axis=-1)
    return d.argmin(1)


def prototype_predict(support, labels, queries):
    classes = np.unique(labels)
    protos = np.stack([support[labels == c].mean(0) for c in classes])
    d = np.abs(queries[:, None] - protos[None]).sum(-1)
    return classes[d.argmin(1)]


def nearest_centroid_score(features, labels):
    pred = prototype_predict(features, labels, features)
    return float(np.mean(pred == labels))


def nearest_centroid_score(features, labels):
    classes = np.unique(labels)
    hits = 0
    for i in range(len(features)):
        f, y = np.delete(features, i, 0), np.delete(labels, i)
        cents = np.array([f[y == c].mean(0) for c in classes])
        hits += np.argmin(((cents - features[i]) ** 2).sum(1)) == labels[i]
    return hits / len(features)


def nearest_centroid_score(features, labels):
    classes = np.unique(labels)
    hits = 0
    for i in range(len(features)):
        f, y = np.delete(features, i, 0), np.delete(labels, i)
        cents = np.array([f[y == c].mean(0) for c in classes])
        hits += classes[np.argmin(((cents - features[i]) ** 2).sum(1))] == labels[i]
    return int(hits)


def nearest_centroid_score(features, labels):
    hits = 0
    for i in range(len(features)):
        f, y = np.delete(features, i, 0), np.delete(labels, i)
        own = f[y == labels[i]].mean(0)
        rest = f[y != labels[i]].mean(0)
        hits += np.linalg.norm(features[i] - own) < np.linalg.norm(features[i] - rest)
    return hits / len(features)


def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    new = weights.copy()
    new[:num_source] *= beta_source ** errors[:num_source]
    new[num_source:] *= beta_target ** errors[num_source:]
    return new


def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    new = weights.copy()
    new[:num_source] *= beta_source ** errors[:num_source]
    new[num_source:] /= beta_target ** errors[num_source:]
    return new / new.sum()


def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    new = weights.copy()
    new[:num_source] *= beta_source
    new[num_source:] /= beta_target
    return new


def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    new = weights.copy()
    for i in range(len(weights)):
        if i <= num_source:
            new[i] *= beta_source ** errors[i]
        else:
            new[i] /= beta_target ** errors[i]
    return new


def relation_vector(heads, tails):
    return (heads - tails).mean(0)


def relation_vector(heads, tails):
    r = (tails - heads).mean(0)
    return r / np.linalg.norm(r)


def relation_vector(heads, tails):
    return (tails - heads).sum(0)


def relation_vector(heads, tails):
    return np.mean(tails - heads)


def complete_relation(head, relation, vectors):
    q = vectors[head] + relation
    sims = vectors @ q / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(q))
    return int(np.argmax(sims))


def complete_relation(head, relation, vectors):
    q = vectors[head] + relation
    d = np.linalg.norm(vectors - q, axis=1)
    d[head] = np.inf
    return int(np.argmin(d))


def complete_relation(head, relation, vectors):
    q = vectors[head] - relation
    sims = vectors @ q / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(q))
    sims[head] = -1
    return int(np.argmax(sims))


def complete_relation(head, relation, vectors):
    q = vectors[head] + relation
    sims = vectors @ q
    sims[head] = -np.inf
    return int(np.argmax(sims))


def distillation_loss(student_logits, teacher_logits, temperature):
    p = softmax(teacher_logits / temperature)
    log_q = np.log(softmax(student_logits / temperature))
    return -(temperature**2) * np.mean(np.sum(p * log_q, axis=1))


def distillation_loss(student_logits, teacher_logits, temperature):
    p = softmax(teacher_logits / temperature)
    q = softmax(student_logits / temperature)
    return np.mean(np.sum(p * np.log(p / q), axis=1))


def distillation_loss(student_logits, teacher_logits, temperature):
    p = softmax(teacher_logits / temperature)
    q = softmax(student_logits / temperature)
    return temperature**2 * np.mean(np.sum(q * np.log(q / p), axis=1))


def distillation_loss(student_logits, teacher_logits, temperature):
    p = softmax(teacher_logits) / temperature
    q = softmax(student_logits) / temperature
    return temperature**2 * np.mean(np.sum(p * np.log(p / q), axis=1))


def transfer_gain(transferred, scratch):
    gain = np.mean(transferred - scratch)
    error = np.sqrt(np.var(transferred) / len(transferred) + np.var(scratch) / len(scratch))
    return gain, error


def nearest_centroid_score(features, labels):
    right = 0
    for i in range(len(features)):
        best, said = np.inf, None
        for c in np.unique(labels):
            group = features[labels == c]
            if c == labels[i]:
                mean = (group.sum(axis=0) - features[i]) / len(group)
            else:
                mean = group.mean(axis=0)
            d = np.sum((features[i] - mean) ** 2)
            if d < best:
                best, said = d, c
        right += said == labels[i]
    return right / len(features)


def prototype_predict(support, labels, queries):
    classes = list(set(labels))
    means = [support[labels == c].mean(axis=0) for c in classes]
    out = []
    for q in queries:
        d = [np.linalg.norm(q - m) for m in means]
        out.append(d.index(min(d)))
    return np.array(out)


def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    new = weights * 1.0
    new[:num_source] *= np.where(errors[:num_source], 1, beta_source)
    new[num_source:] /= np.where(errors[num_source:], beta_target, 1)
    return new


def complete_relation(head, relation, vectors):
    wanted = vectors[head] + relation
    cosine = vectors @ wanted / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(wanted))
    cosine[head] = 0
    return int(np.argmax(cosine))


def prototype_predict(support, labels, queries):
    classes = np.unique(labels)
    out = []
    for q in queries:
        best, chosen = 1000.0, classes[0]
        for k in classes:
            d = np.sum((support[labels == k].mean(axis=0) - q) ** 2)
            if d < best:
                best, chosen = d, k
        out.append(chosen)
    return np.array(out)


def nearest_centroid_score(features, labels):
    hits = 0
    for n in range(len(features)):
        best, chosen = 1000.0, None
        for k in np.unique(labels):
            other = (labels == k) & (np.arange(len(labels)) != n)
            d = np.sum((features[other].mean(axis=0) - features[n]) ** 2)
            if d < best:
                best, chosen = d, k
        hits += chosen == labels[n]
    return hits / len(features)


def nearest_centroid_score(features, labels):
    hits = 0
    n = len(features)
    for i in range(n):
        keep = np.arange(n) != i
        own = np.linalg.norm(features[i] - features[keep & (labels == labels[i])].mean(0))
        others = [
            np.linalg.norm(features[i] - features[labels == c].mean(0))
            for c in np.unique(labels)
            if c != labels[i]
        ]
        if all(own <= o for o in others):
            hits += 1
    return hits / n


def prototype_predict(support, labels, queries):
    classes = np.array(list(dict.fromkeys(labels.tolist())))
    means = np.array([support[labels == c].mean(axis=0) for c in classes])
    d = ((queries[:, None] - means[None]) ** 2).sum(axis=2)
    return classes[d.argmin(axis=1)]


def labels_to_reach(sizes, accuracies, target):
    if accuracies[0] >= target:
        return 0.0
    for k in range(1, len(sizes)):
        if accuracies[k] >= target:
            t = (target - accuracies[k - 1]) / (accuracies[k] - accuracies[k - 1])
            return sizes[k - 1] + t * (sizes[k] - sizes[k - 1])
    return math.inf if False else float("inf")


def complete_relation(head, relation, vectors):
    goal = vectors[head] + relation
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    far = np.abs(unit - goal / np.linalg.norm(goal)).max(axis=1)
    far[head] = np.inf
    return int(far.argmin())


def complete_relation(head, relation, vectors):
    goal = vectors[head] + relation
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    far = ((unit - goal / np.linalg.norm(goal)) ** 4).sum(axis=1)
    far[head] = np.inf
    return int(far.argmin())


def distillation_loss(student_logits, teacher_logits, temperature):
    s, t = student_logits / temperature, teacher_logits / temperature
    s, t = s - s.mean(axis=1, keepdims=True), t - t.mean(axis=1, keepdims=True)
    s = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    t = t - np.log(np.exp(t).sum(axis=1, keepdims=True))
    return temperature**2 * (np.exp(t) * (t - s)).sum(axis=1).mean()
