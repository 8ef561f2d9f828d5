"""Networks with a memory: the simple recurrent network, the LSTM, and sequences of unequal length.

T steps, I inputs a step, H hidden units, N sequences. Rows are examples, as in Keras: a state of
shape (H,) is multiplied by its weights from the left, h @ U. What Keras calls the kernel is
``weights_in``, its recurrent kernel is ``weights_recurrent``. Every function returns new arrays.
Sources: Elman, Finding structure in time (1990); Werbos, Backpropagation through time (1990);
Hochreiter & Schmidhuber, Long short-term memory (1997); Gers, Schmidhuber & Cummins, Learning to
forget (2000), who added the forget gate; Goodfellow, Bengio & Courville (2016), chapter 10.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .losses import sigmoid


def rnn_forward(
    inputs: np.ndarray,
    weights_in: np.ndarray,
    weights_recurrent: np.ndarray,
    bias: np.ndarray,
    state: np.ndarray,
) -> np.ndarray:
    """All states of a simple recurrent network: hₜ = tanh(xₜ W + hₜ₋₁ U + b).

    Args:
        inputs: x, (T, I).
        weights_in: W, (I, H).
        weights_recurrent: U, (H, H).
        bias: b, (H,).
        state: h₀, (H,), the memory before the first step.

    Returns:
        (T, H): the states after each step, h₀ not among them (Goodfellow et al. 2016, eq. 10.8
        and 10.9; Keras' `SimpleRNN(return_sequences=True)`).
    """
    states = np.empty((len(inputs), len(bias)))
    for t, x in enumerate(inputs):
        state = np.tanh(x @ weights_in + state @ weights_recurrent + bias)
        states[t] = state
    return states


def rnn_gradients(
    inputs: np.ndarray,
    states: np.ndarray,
    weights_recurrent: np.ndarray,
    state: np.ndarray,
    upstream: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through time: gradients of the weights that every step shares.

    Args:
        inputs: x, (T, I).
        states: (T, H), what `rnn_forward` returned.
        weights_recurrent: U, (H, H).
        state: h₀, (H,).
        upstream: (T, H), the direct part of the gradient at each state: what the loss takes from
            that state itself, not what later states take from it.

    Returns:
        Gradients (weights_in (I, H), weights_recurrent (H, H), bias (H,)), summed over the steps
        (Goodfellow et al. 2016, section 10.2.2).
    """
    grad_in = np.zeros((inputs.shape[1], states.shape[1]))
    grad_recurrent = np.zeros_like(weights_recurrent, dtype=float)
    grad_bias = np.zeros(states.shape[1])
    from_later = np.zeros(states.shape[1])
    before = np.concatenate([state[None], states[:-1]])
    for t in reversed(range(len(inputs))):
        at_sum = (upstream[t] + from_later) * (1 - states[t] ** 2)
        grad_in += np.outer(inputs[t], at_sum)
        grad_recurrent += np.outer(before[t], at_sum)
        grad_bias += at_sum
        from_later = at_sum @ weights_recurrent.T
    return grad_in, grad_recurrent, grad_bias


def lstm_step(
    inputs: np.ndarray,
    hidden: np.ndarray,
    cell: np.ndarray,
    weights_in: np.ndarray,
    weights_recurrent: np.ndarray,
    bias: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """One step of a long short-term memory for one example, with Keras' order of the gates.

    The four blocks of the last axis are: input gate, forget gate, candidate, output gate. The
    bias is used as it is (Keras adds 1 to that of the forget gate when it makes a new layer; by
    then it is part of the bias).

    Args:
        inputs: x, (I,).
        hidden: h, (H,), the output of the step before.
        cell: c, (H,), the memory.
        weights_in: W, (I, 4H).
        weights_recurrent: U, (H, 4H).
        bias: b, (4H,).

    Returns:
        (hidden (H,), cell (H,)): c ← f·c + i·tanh(g) and h ← o·tanh(c), with the gates i, f, o
        the sigmoids of their sums (Gers et al. 2000; Goodfellow et al. 2016, eq. 10.40 to 10.44).
    """
    sums = inputs @ weights_in + hidden @ weights_recurrent + bias
    into, forget, candidate, out = np.split(sums, 4)
    cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(candidate)
    return sigmoid(out) * np.tanh(cell), cell


def pad_sequences_right(
    sequences: Sequence[Sequence[float]], value: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of unequal length as one array, filled up behind their ends.

    Keras' `pad_sequences` fills up in front unless it is told ``padding="post"``.

    Args:
        sequences: N lists of numbers, some possibly empty.
        value: what stands behind the end of a shorter sequence.

    Returns:
        (padded (N, T) floats, mask (N, T) booleans, true where a number is real), T the length
        of the longest sequence, 0 if there are none.
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=int)
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    padded = np.full(mask.shape, value, dtype=float)
    padded[mask] = [number for sequence in sequences for number in sequence]
    return padded, mask


def last_valid(states: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The state after the last real step of each sequence.

    Args:
        states: (N, T, H).
        lengths: (N,) integers from 1 to T.

    Returns:
        (N, H). Keras returns the same from a layer that is given a mask.
    """
    last: np.ndarray = states[np.arange(len(states)), np.asarray(lengths) - 1]
    return last


def masked_mean(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean of the states at real steps, 0 for a sequence that has none.

    Args:
        states: (N, T, H).
        mask: (N, T) booleans, true where a step is real; there may be holes.

    Returns:
        (N, H). Keras' `GlobalAveragePooling1D` does the same, but divides 0 by 0 where a row of
        the mask is empty.
    """
    real = np.asarray(mask, dtype=bool)[..., None]
    counts = real.sum(axis=1)
    mean: np.ndarray = np.where(real, states, 0).sum(axis=1) / np.maximum(counts, 1)
    return mean
