"""Wrong answers to the exercises of lesson 08, as learners write them; each `def` is one of them."""


def rnn_forward(inputs, weights_in, weights_recurrent, bias, state):
    states = [state]
    for x in inputs:
        state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)
        states.append(state)
    return np.array(states)


def rnn_forward(inputs, weights_in, weights_recurrent, bias, state):
    states = []
    for t in range(len(inputs)):
        h = np.tanh(inputs[t] @ weights_in + state @ weights_recurrent + bias)
        states.append(h)
    return np.array(states)


def rnn_forward(inputs, weights_in, weights_recurrent, bias, state):
    T = len(inputs)
    states = np.zeros((T, len(state)))
    for t in range(T):
        state = np.tanh(weights_in.T @ inputs[t] + weights_recurrent @ state + bias)
        states[t] = state
    return states


def rnn_forward(inputs, weights_in, weights_recurrent, bias, state):
    states = []
    for x in inputs:
        state = x @ weights_in + state @ weights_recurrent + bias
        states.append(np.tanh(state))
    return np.array(states)


def rnn_gradients(inputs, states, weights_recurrent, state, upstream):
    T, H = states.shape
    dW = np.zeros((inputs.shape[1], H))
    dU = np.zeros((H, H))
    db = np.zeros(H)
    carry = np.zeros(H)
    for t in range(T - 1, -1, -1):
        d = (upstream[t] + carry) * (1 - states[t] ** 2)
        dW += np.outer(inputs[t], d)
        dU += np.outer(states[t], d)
        db += d
        carry = d @ weights_recurrent.T
    return dW, dU, db


def rnn_gradients(inputs, states, weights_recurrent, state, upstream):
    T, H = states.shape
    dW = np.zeros((inputs.shape[1], H))
    dU = np.zeros((H, H))
    db = np.zeros(H)
    carry = np.zeros(H)
    for t in range(T - 1, -1, -1):
        prev = states[t - 1] if t > 0 else state
        d = (upstream[t] + carry) * (1 - states[t] ** 2)
        dW += np.outer(inputs[t], d)
        dU += np.outer(prev, d)
        db += d
        carry = d @ weights_recurrent
    return dW, dU, db


def rnn_gradients(inputs, states, weights_recurrent, state, upstream):
    T, H = states.shape
    dW = np.zeros((inputs.shape[1], H))
    dU = np.zeros((H, H))
    db = np.zeros(H)
    for t in range(T - 1, -1, -1):
        prev = states[t - 1] if t > 0 else state
        d = upstream[t] * (1 - states[t] ** 2)
        dW += np.outer(inputs[t], d)
        dU += np.outer(prev, d)
        db += d
    return dW, dU, db


def rnn_gradients(inputs, states, weights_recurrent, state, upstream):
    T, H = states.shape
    dW = np.zeros((inputs.shape[1], H))
    dU = np.zeros((H, H))
    db = np.zeros(H)
    carry = np.zeros(H)
    for t in range(T):
        prev = states[t - 1] if t > 0 else state
        d = (upstream[t] + carry) * (1 - states[t] ** 2)
        dW += np.outer(inputs[t], d)
        dU += np.outer(prev, d)
        db += d
        carry = d @ weights_recurrent.T
    return dW, dU, db


def lstm_step(inputs, hidden, cell, weights_in, weights_recurrent, bias):
    z = inputs @ weights_in + hidden @ weights_recurrent + bias
    i, f, o, g = np.split(z, 4)
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = np.tanh(g)
    c = f * cell + i * g
    return o * np.tanh(c), c


def lstm_step(inputs, hidden, cell, weights_in, weights_recurrent, bias):
    z = inputs @ weights_in + hidden @ weights_recurrent + bias
    i, f, g, o = np.split(z, 4)
    c = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * c
    return h, c


def lstm_step(inputs, hidden, cell, weights_in, weights_recurrent, bias):
    z = inputs @ weights_in + hidden @ weights_recurrent + bias
    i, f, g, o = np.split(z, 4)
    c = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return c, h


def lstm_step(inputs, hidden, cell, weights_in, weights_recurrent, bias):
    z = inputs @ weights_in + hidden @ weights_recurrent + bias
    i, f, g, o = sigmoid(np.split(z, 4))
    c = f * cell + i * g
    h = o * np.tanh(c)
    return h, c


def pad_sequences_right(sequences, value):
    T = max(len(s) for s in sequences)
    padded = np.full((len(sequences), T), value)
    mask = np.zeros((len(sequences), T), dtype=bool)
    for n, s in enumerate(sequences):
        padded[n, : len(s)] = s
        mask[n, : len(s)] = True
    return padded, mask


def pad_sequences_right(sequences, value):
    T = max(len(s) for s in sequences)
    padded = np.full((len(sequences), T), float(value))
    for n, s in enumerate(sequences):
        padded[n, : len(s)] = s
    mask = padded != value
    return padded, mask


def pad_sequences_right(sequences, value):
    T = max(len(s) for s in sequences)
    padded = np.full((len(sequences), T), float(value))
    mask = np.zeros((len(sequences), T), dtype=bool)
    for n, s in enumerate(sequences):
        padded[n, T - len(s) :] = s
        mask[n, T - len(s) :] = True
    return padded, mask


def pad_sequences_right(sequences, value):
    T = len(sequences[0])
    padded = np.full((len(sequences), T), float(value))
    mask = np.zeros((len(sequences), T), dtype=bool)
    for n, s in enumerate(sequences):
        padded[n, : len(s)] = s
        mask[n, : len(s)] = True
    return padded, mask


def last_valid(states, lengths):
    return states[np.arange(len(states)), lengths]


def last_valid(states, lengths):
    return states[:, -1]


def last_valid(states, lengths):
    return states[:, lengths - 1]


def last_valid(states, lengths):
    out = []
    for n in range(len(states)):
        out.append(states[n, : lengths[n]].mean(axis=0))
    return np.array(out)


def masked_mean(states, mask):
    return (states * mask[:, :, None]).mean(axis=1)


def masked_mean(states, mask):
    total = (states * mask[:, :, None]).sum(axis=1)
    count = mask.sum()
    return total / count


def masked_mean(states, mask):
    total = (states * mask[..., None]).sum(axis=1)
    return total / mask.sum(axis=1)[:, None]


def masked_mean(states, mask):
    out = np.zeros((states.shape[0], states.shape[2]))
    for n in range(len(states)):
        if mask[n].any():
            out[n] = states[n][mask[n]].mean()
    return out


def rnn_gradients(inputs, states, weights_recurrent, state, upstream):
    T = len(inputs)
    gw = np.zeros((inputs.shape[1], len(state)))
    gu = np.zeros_like(weights_recurrent)
    gb = np.zeros(len(state))
    later = np.zeros(len(state))
    for t in range(T - 1, 0, -1):
        delta = (upstream[t] + later) * (1 - states[t] ** 2)
        gw += np.outer(inputs[t], delta)
        gu += np.outer(states[t - 1], delta)
        gb += delta
        later = delta @ weights_recurrent.T
    return gw, gu, gb


def lstm_step(inputs, hidden, cell, weights_in, weights_recurrent, bias):
    i, f, c, o = np.split(inputs @ weights_in + hidden @ weights_recurrent + bias, 4)
    i = sigmoid(i)
    new = (1 - i) * cell + i * np.tanh(c)
    return sigmoid(o) * np.tanh(new), new
