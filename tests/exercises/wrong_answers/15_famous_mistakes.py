"""Wrong answers to the exercises of lesson 15, as learners write them; each `def` is one of them."""


def binary_cross_entropy(probabilities, labels):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -np.mean(labels * np.log(p)) + np.mean((1 - labels) * np.log(1 - p))


def binary_cross_entropy(probabilities, labels):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    loss = labels * np.log(p) + (1 - labels) * np.log(1 - p)
    return -loss.mean(axis=-1)


def binary_cross_entropy(probabilities, labels):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -np.mean(labels * np.log(p) + labels * np.log(1 - p))


def binary_cross_entropy(probabilities, labels):
    return -np.mean(
        labels * np.log(probabilities + 1e-7) + (1 - labels) * np.log(1 - probabilities + 1e-7)
    )


def binary_cross_entropy(probabilities, labels):
    p = 1 / (1 + np.exp(-probabilities))
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p))


def binary_cross_entropy(probabilities, labels):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -np.mean(np.log(p) + np.log(1 - p))


def kl_divergence_mean(p, q):
    total = 0
    for row_p, row_q in zip(p, q):
        for a, b in zip(row_p, row_q):
            if a > 0:
                total += a * np.log(a / b)
    return total


def kl_divergence_mean(p, q):
    p = np.clip(p, 1e-7, 1)
    q = np.clip(q, 1e-7, 1)
    return np.mean(np.sum(q * np.log(q / p), axis=1))


def kl_divergence_mean(p, q):
    mask = p > 0
    return np.mean(p[mask] * np.log(p[mask] / q[mask]))


def kl_divergence_mean(p, q):
    out = np.where(p > 0, p * np.log(np.maximum(p, 1e-12) / q), 0)
    return np.sum(out, axis=0).mean()


def kl_divergence_mean(p, q):
    eps = 1e-3
    return np.mean(np.sum(p * np.log((p + eps) / (q + eps)), axis=1))


def predictions_in_file_order(predictions, order):
    result = np.empty_like(predictions)
    for i in range(len(order)):
        result[i] = predictions[order[i]]
    return result


def predictions_in_file_order(predictions, order):
    return np.array([p for p, o in sorted(zip(predictions.tolist(), order.tolist()))])


def predictions_in_file_order(predictions, order):
    return predictions[np.argsort(order)[::-1]]


def predictions_in_file_order(predictions, order):
    result = np.zeros(len(order))
    for i in range(len(order)):
        result[order[i]] = i
    return result


def predictions_in_file_order(predictions, order):
    result = predictions.copy()
    for i in range(len(order)):
        result[order[i]] = result[i]
    return result


def best_of(accuracies_validation, accuracies_test):
    return max(max(accuracies_validation), max(accuracies_test))


def best_of(accuracies_validation, accuracies_test):
    best = 0
    for i in range(len(accuracies_validation)):
        if accuracies_validation[i] >= accuracies_validation[best]:
            best = i
    return accuracies_test[best]


def best_of(accuracies_validation, accuracies_test):
    gap = np.abs(accuracies_validation - accuracies_test)
    return accuracies_test[np.argmin(gap)]


def best_of(accuracies_validation, accuracies_test):
    return sorted(accuracies_test)[np.argmax(accuracies_validation)]


def best_of(accuracies_validation, accuracies_test):
    best = 1
    for i in range(1, len(accuracies_validation)):
        if accuracies_validation[i] > accuracies_validation[best]:
            best = i
    return accuracies_test[best]


def isbn_check_digit(digits):
    total = 0
    for i in range(12):
        if i % 2 == 0:
            total += digits[i] * 3
        else:
            total += digits[i]
    return (10 - total % 10) % 10


def isbn_check_digit(digits):
    total = 0
    for i in range(1, 12):
        total += digits[i] * (3 if i % 2 else 1)
    return (10 - total % 10) % 10


def isbn_check_digit(digits):
    total = sum(d if i % 2 == 0 else 3 * d for i, d in enumerate(digits))
    return total // 10 * 10 + 10 - total


def isbn_check_digit(digits):
    total = sum(d * (10 - i) for i, d in enumerate(digits[:9]))
    return (11 - total % 11) % 11


def isbn_check_digit(digits):
    total = sum(d**3 if i % 2 else d for i, d in enumerate(digits))
    return (10 - total % 10) % 10


def binary_cross_entropy(probabilities, labels):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -np.mean(labels * np.log(p)) - np.mean((1 - labels) * np.log(p))


def kl_divergence_mean(p, q):
    p = np.clip(p, 1e-7, 1)
    return np.mean(np.sum(p * np.log(p / q), axis=0))


def kl_divergence_mean(p, q):
    return np.nansum(p * np.log(p / q)) / p.shape[1]


def predictions_in_file_order(predictions, order):
    result = np.zeros(len(order))
    for i, k in enumerate(order):
        result[k] = predictions[i]
    return result


def predictions_in_file_order(predictions, order):
    result = predictions
    for i in range(len(order)):
        result[order[i]] = predictions[i]
    return result


def best_of(accuracies_validation, accuracies_test):
    best, score = 0.5, 0.0
    for v, t in zip(accuracies_validation, accuracies_test):
        if v > best:
            best, score = v, t
    return float(score)


def kl_divergence_mean(p, q):
    keep = np.all(p > 0, axis=1)
    return float(np.mean(np.sum(p[keep] * np.log(p[keep] / q[keep]), axis=1)))


def predictions_in_file_order(predictions, order):
    pairs = sorted(zip(predictions.tolist(), order.tolist()))
    return np.array([p for p, _ in pairs])


def best_of(accuracies_validation, accuracies_test):
    best, chosen = 0.0, None
    for v, t in zip(accuracies_validation, accuracies_test):
        if v > best:
            best, chosen = v, t
    return chosen


def isbn_check_digit(digits):
    s = 0
    for i in range(12):
        s += digits[i] * (1 if i % 2 == 0 else 3)
    return int(9 - s % 10)


def best_of(accuracies_validation, accuracies_test):
    i = int(np.argmax(accuracies_validation))
    return max(accuracies_test[i], accuracies_validation[i])
