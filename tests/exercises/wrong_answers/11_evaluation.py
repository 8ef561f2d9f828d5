"""Wrong answers to the exercises of lesson 11, as learners write them; each `def` is one of them."""


def grouped_folds(groups, num_folds):
    names = np.unique(groups)
    folds = np.zeros(len(groups), dtype=int)
    for i, name in enumerate(names):
        folds[groups == name] = i % num_folds
    return folds


def grouped_folds(groups, num_folds):
    sizes = np.zeros(num_folds)
    folds = np.zeros(len(groups), dtype=int)
    for name in np.unique(groups):
        f = np.argmin(sizes)
        folds[groups == name] = f
        sizes[f] += np.sum(groups == name)
    return folds


def grouped_folds(groups, num_folds):
    names, counts = np.unique(groups, return_counts=True)
    sizes = np.zeros(num_folds)
    folds = np.zeros(len(groups), dtype=int)
    for i in np.argsort(counts):
        f = np.argmin(sizes)
        folds[groups == names[i]] = f
        sizes[f] += counts[i]
    return folds


def grouped_folds(groups, num_folds):
    names, counts = np.unique(groups, return_counts=True)
    sizes = np.zeros(num_folds)
    folds = np.zeros(len(groups), dtype=int)
    for i in np.argsort(-counts, kind="stable"):
        f = np.argmin(sizes)
        folds[groups == names[i]] = f
        sizes[f] += 1
    return folds


def grouped_folds(groups, num_folds):
    target = len(groups) / num_folds
    folds = np.zeros(len(groups), dtype=int)
    fold, size = 0, 0
    for name in np.unique(groups):
        folds[groups == name] = fold
        size += np.sum(groups == name)
        if size >= target and fold < num_folds - 1:
            fold, size = fold + 1, 0
    return folds


def confusion_matrix(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes), dtype=int)
    for i in range(len(labels)):
        m[predictions[i], labels[i]] += 1
    return m


def confusion_matrix(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes), dtype=int)
    m[labels, predictions] = m[labels, predictions] + 1
    return m


def confusion_matrix(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes))
    for t, p in zip(labels, predictions):
        m[t, p] += 1
    return m / m.sum()


def confusion_matrix(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes), dtype=int)
    for i in range(1, len(labels)):
        m[labels[i], predictions[i]] += 1
    return m


def precision_recall_f1(confusion):
    out = []
    for c in range(len(confusion)):
        tp = confusion[c, c]
        fp = confusion[c].sum() - tp
        fn = confusion[:, c].sum() - tp
        precision = tp / (tp + fp) if tp + fp else 0
        recall = tp / (tp + fn) if tp + fn else 0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
        out.append([precision, recall, f1])
    return np.array(out)


def precision_recall_f1(confusion):
    tp = np.diag(confusion)
    precision = tp / confusion.sum(axis=0)
    recall = tp / confusion.sum(axis=1)
    f1 = 2 * precision * recall / (precision + recall)
    return np.column_stack([precision, recall, f1])


def precision_recall_f1(confusion):
    tp = np.diag(confusion)
    precision = tp / np.maximum(confusion.sum(axis=0), 1)
    recall = tp / np.maximum(confusion.sum(axis=1), 1)
    return np.column_stack([precision, recall, (precision + recall) / 2])


def precision_recall_f1(confusion):
    tp = np.diag(confusion)
    precision = tp / np.maximum(confusion.sum(axis=0), 1)
    recall = tp / np.maximum(confusion.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1)
    return np.column_stack([precision, recall, f1])


def roc_auc(labels, scores):
    positive = scores[labels == 1]
    negative = scores[labels == 0]
    wins = 0
    for p in positive:
        for n in negative:
            if p > n:
                wins += 1
    return wins / (len(positive) * len(negative))


def roc_auc(labels, scores):
    ranks = np.argsort(np.argsort(scores)) + 1
    n1 = labels.sum()
    n0 = len(labels) - n1
    return (ranks[labels == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)


def roc_auc(labels, scores):
    order = np.argsort(scores)
    y = labels[order]
    tpr = np.cumsum(y) / y.sum()
    fpr = np.cumsum(1 - y) / (1 - y).sum()
    return np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2)


def roc_auc(labels, scores):
    predictions = scores >= 0.5
    tpr = np.mean(predictions[labels == 1])
    fpr = np.mean(predictions[labels == 0])
    return (1 + tpr - fpr) / 2


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, num_bins + 1)
    ece = 0
    for i in range(num_bins):
        inside = (conf >= edges[i]) & (conf < edges[i + 1])
        if inside.sum() > 0:
            ece += inside.mean() * abs(correct[inside].mean() - conf[inside].mean())
    return ece


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, num_bins + 1)
    ece = 0
    for i in range(num_bins):
        inside = (conf > edges[i]) & (conf <= edges[i + 1])
        if inside.sum() > 0:
            ece += abs(correct[inside].mean() - conf[inside].mean())
    return ece / num_bins


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, num_bins + 1)
    ece = 0
    for i in range(num_bins):
        inside = (conf > edges[i]) & (conf <= edges[i + 1])
        ece += inside.mean() * abs(correct[inside].mean() - conf[inside].mean())
    return ece


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, num_bins + 1)
    ece = 0
    for i in range(num_bins):
        inside = (conf > edges[i]) & (conf <= edges[i + 1])
        if inside.sum() > 0:
            ece += inside.mean() * (correct[inside].mean() - conf[inside].mean())
    return ece


def paired_bootstrap(correct_a, correct_b, resamples):
    count = 0
    for r in resamples:
        if correct_a[r].mean() > correct_b[r].mean():
            count += 1
    return count / len(resamples)


def paired_bootstrap(correct_a, correct_b, resamples):
    count = 0
    for r in resamples:
        if correct_a[r].mean() < correct_b[r].mean():
            count += 1
    return count / len(resamples)


def paired_bootstrap(correct_a, correct_b, resamples):
    difference = correct_a - correct_b
    return np.mean(difference[resamples] <= 0)


def paired_bootstrap(correct_a, correct_b, resamples):
    observed = correct_a.mean() - correct_b.mean()
    difference = (correct_a - correct_b)[resamples].mean(axis=1)
    return np.mean(difference <= observed)


def grad_cam(feature_maps, gradients):
    weights = gradients.mean(axis=(0, 1))
    cam = (feature_maps * weights).mean(axis=2)
    return cam / cam.max()


def grad_cam(feature_maps, gradients):
    weights = gradients.mean(axis=2)
    cam = np.maximum((feature_maps * weights[:, :, None]).sum(axis=2), 0)
    return cam / cam.max() if cam.max() > 0 else cam


def grad_cam(feature_maps, gradients):
    cam = np.maximum((feature_maps * gradients).sum(axis=2), 0)
    if cam.max() > 0:
        cam = cam / cam.max()
    return cam


def grad_cam(feature_maps, gradients):
    weights = gradients.mean(axis=(0, 1))
    cam = np.maximum(feature_maps @ weights, 0)
    return (cam - cam.min()) / (cam.max() - cam.min())


def confusion_matrix(labels, predictions, num_classes):
    counts = np.bincount(labels * num_classes + predictions)
    return counts.reshape(num_classes, num_classes)


def precision_recall_f1(confusion):
    out = np.zeros((len(confusion), 3))
    for c in range(len(confusion)):
        tp = confusion[c, c]
        fp = confusion[:, c].sum()
        fn = confusion[c, :].sum()
        if tp > 0:
            p = tp / (tp + fp)
            r = tp / (tp + fn)
            out[c] = p, r, 2 * p * r / (p + r)
    return out


def roc_auc(labels, scores):
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    n1 = np.sum(labels == 1)
    n0 = np.sum(labels == 0)
    return (ranks[labels == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)


def roc_auc(labels, scores):
    pos = scores[labels == 1]
    neg = scores[labels == 0]
    n = min(len(pos), len(neg))
    return np.mean((pos[:n] > neg[:n]) + 0.5 * (pos[:n] == neg[:n]))


def expected_calibration_error(probabilities, labels, num_bins):
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.floor(confidence * num_bins).astype(int)
    total = 0.0
    for b in range(num_bins):
        inside = bins == b
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return total


def grad_cam(feature_maps, gradients):
    weights = gradients.mean(axis=2)
    heat = np.zeros(feature_maps.shape[:2])
    for k in range(feature_maps.shape[2]):
        heat += weights * feature_maps[:, :, k]
    heat = np.maximum(heat, 0)
    return heat / heat.max() if heat.max() > 0 else heat


def roc_auc(labels, scores):
    pos = scores[labels == 1][:, None]
    neg = scores[labels == 0][None, :]
    tie = np.isclose(pos, neg)
    return float(np.mean(np.where(tie, 0.5, pos > neg)))


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    which = np.minimum((conf * num_bins).astype(int), num_bins - 1)
    ece = 0.0
    for b in range(num_bins):
        mask = which == b
        if mask.any():
            ece += mask.mean() * abs(conf[mask].mean() - right[mask].mean())
    return ece


def expected_calibration_error(probabilities, labels, num_bins):
    p = probabilities[:, 1]
    conf = np.maximum(p, 1 - p)
    right = (p > 0.5) == labels
    edges = np.linspace(0, 1, num_bins + 1)
    total = 0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (conf > low) & (conf <= high)
        if inside.sum():
            total += inside.sum() / len(labels) * abs(conf[inside].mean() - right[inside].mean())
    return total


def grad_cam(feature_maps, gradients):
    weights = gradients.mean(axis=(0, 1))
    heat = np.maximum(feature_maps @ weights, 0)
    return heat / max(heat.max(), 1e-3)


def expected_calibration_error(probabilities, labels, num_bins):
    conf = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    ece = 0.0
    for b in range(1, num_bins + 1):
        m = (conf > (b - 1) / num_bins) & (conf <= b / num_bins)
        if m.any():
            ece += m.mean() * (conf[m].mean() - right[m].mean())
    return abs(ece)
