"""Wrong answers to the exercises of lesson 14, as learners write them; each `def` is one of them."""


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    scores[:, mask == 0] = -1
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ values


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    e = np.exp(scores - scores.max()) * mask
    return e / e.sum() @ values


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    e = np.exp(scores) * mask
    return e / e.sum(axis=1, keepdims=True) @ values


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    scores = np.where(mask[:, None] > 0, scores, -1e9)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ values


def attention(queries, keys, values, mask):
    q, k, v = queries[mask > 0], keys[mask > 0], values[mask > 0]
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def layer_norm(x, gamma, beta, epsilon):
    m = x.mean(axis=1)
    v = x.var(axis=1)
    return gamma * (x - m) / np.sqrt(v + epsilon) + beta


def layer_norm(x, gamma, beta, epsilon):
    m = x.mean(axis=1, keepdims=True)
    v = ((x - m) ** 2).sum(axis=1, keepdims=True)
    return gamma * (x - m) / np.sqrt(v + epsilon) + beta


def layer_norm(x, gamma, beta, epsilon):
    m = x.mean(axis=1, keepdims=True)
    v = x.var(axis=1, keepdims=True)
    return gamma * (x - m) / np.sqrt(v + epsilon**2) + beta


def layer_norm(x, gamma, beta, epsilon):
    lo, hi = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return gamma * (x - lo) / (hi - lo + epsilon) + beta


def layer_norm(x, gamma, beta, epsilon):
    m = x.mean(axis=1, keepdims=True)
    return gamma * (x - m) / np.abs(x - m).mean(axis=1, keepdims=True) + beta


def gelu(x):
    return x * 0.5 * (1 + np.tanh(x / np.sqrt(2)))


def gelu(x):
    import math

    return x * (1 + math.erf(x / np.sqrt(2))) / 2


def gelu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


def gelu(x):
    return np.log1p(np.exp(np.minimum(x, 700)))


def gelu(x):
    import math

    return np.where(x > 0, x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2, 0)


def mean_pool(tokens, mask):
    m = tokens[mask > 0].mean(axis=1)
    return m / np.linalg.norm(m)


def mean_pool(tokens, mask):
    t = tokens[mask > 0]
    return t / np.linalg.norm(t, axis=1, keepdims=True)


def mean_pool(tokens, mask):
    m = tokens[1:][mask[1:] > 0].mean(axis=0) if mask[1:].any() else tokens[0]
    return m / np.linalg.norm(m)


def mean_pool(tokens, mask):
    m = tokens[mask > 0].mean(axis=0)
    return m / np.linalg.norm(tokens)


def mean_pool(tokens, mask):
    m = np.abs(tokens[mask > 0]).mean(axis=0)
    return m / np.linalg.norm(m)


def masked_token_loss(logits, targets, masked):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(len(targets)), targets])
    return (losses * masked).sum() / masked.sum()


def masked_token_loss(logits, targets, masked):
    z = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=0)
    losses = -np.log(np.maximum(p[np.arange(len(targets)), targets], 1e-300))
    return (losses * masked).sum() / masked.sum()


def masked_token_loss(logits, targets, masked):
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(logp[masked > 0]).mean()


def masked_token_loss(logits, targets, masked):
    z = (logits - logits.max(axis=1, keepdims=True)) * masked[:, None]
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(targets)), targets].mean()


def masked_token_loss(logits, targets, masked):
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(logp[np.arange(len(targets)), targets] * masked)


def wordpiece(word, vocabulary):
    pieces = []
    while word:
        end = len(word)
        while end > 0 and word[:end] not in vocabulary:
            end -= 1
        if end == 0:
            return ["[UNK]"]
        pieces.append(word[:end])
        word = "##" + word[end:] if word[end:] else ""
    return "".join(pieces)


def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(word[start:end] if start == 0 else "##" + word[start:end])
        start = end
    return pieces


def wordpiece(word, vocabulary):
    return ["[UNK]" if letter not in vocabulary else letter for letter in word]


def wordpiece(word, vocabulary):
    pieces, start = [], 0
    for end in range(len(word), 0, -1):
        piece = word[start:end] if start == 0 else "##" + word[start:end]
        if piece in vocabulary:
            pieces.append(piece)
            start = end
    return pieces or ["[UNK]"]


def wordpiece(word, vocabulary):
    fitting = [piece for piece in vocabulary if piece.replace("##", "") in word]
    return sorted(fitting, key=len, reverse=True) or ["[UNK]"]


def wordpiece(word, vocabulary):
    pieces, rest = [], word
    while rest:
        found = [v for v in vocabulary if rest.startswith(v.replace("##", ""))]
        if not found:
            return ["[UNK]"]
        best = max(found, key=len)
        pieces.append(best)
        rest = rest[len(best.replace("##", "")) :]
    return pieces


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(queries.shape[-1])
    scores[mask == 0] = -np.inf
    weights = softmax(scores)
    return weights @ values


def layer_norm(x, gamma, beta, epsilon):
    mean = x.mean(axis=1)
    std = np.sqrt(x.var(axis=1) + epsilon)
    return ((x.T - mean) / std).T * (gamma + beta)


def mean_pool(tokens, mask):
    mean = (tokens * mask[:, None]).mean(axis=0)
    return mean / mean.sum()


def masked_token_loss(logits, targets, masked):
    logp = np.log(softmax(logits)[masked])
    return -logp[np.arange(len(logp)), targets[masked]].mean()


def masked_token_loss(logits, targets, masked):
    hidden = masked == 1
    p = np.exp(logits[hidden])
    p = p / p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(p)), targets[hidden]]).mean()


def attention(queries, keys, values, mask):
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    scores = np.where(mask > 0, scores, -100.0)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True) @ values


def wordpiece(word, vocabulary):
    def cut(rest, prefix):
        if not rest:
            return []
        for end in range(len(rest), 0, -1):
            piece = prefix + rest[:end]
            if piece in vocabulary:
                tail = cut(rest[end:], "##")
                if tail is not None:
                    return [piece, *tail]
        return None

    found = cut(word, "")
    return found if found is not None else ["[UNK]"]


def wordpiece(word, vocabulary):
    word = word.lower()
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


def masked_token_loss(logits, targets, masked):
    logp = logits - logits.max(axis=1, keepdims=True)
    logp = logp - np.log(np.exp(logp).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(len(targets)), targets]
    return loss[masked == 0].mean()


def masked_token_loss(logits, targets, masked):
    z = logits - logits.max()
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    chosen = log_p[np.arange(len(targets)), targets][masked.astype(bool)]
    return -chosen.mean()


def attention(queries, keys, values, mask):
    s = queries @ keys.T / np.sqrt(queries.shape[1])
    return softmax(s) @ (values * mask[:, None])
