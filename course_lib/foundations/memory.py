"""A test of memory: networks that must still know their first input many steps later.

All networks of an experiment are trained at once, with one axis more: S networks, N sequences of
each, T steps, I inputs, H hidden units, K symbols. The task is that of Hochreiter & Schmidhuber,
Long short-term memory (1997), section 5, made small; Keras' initial weights (Glorot's for the
inputs, orthogonal ones for the recurrence).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .adam import adam_step
from .losses import sigmoid

Cell = Literal["sigmoid", "tanh", "lstm"]
SYMBOLS = 3


def lstm_forward(
    inputs: np.ndarray, weights_in: np.ndarray, weights_recurrent: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`lstm_step` for many sequences, and for many networks at once, from a memory of zeros.

    Args:
        inputs: (T, ..., N, I).
        weights_in: (..., I, 4H).
        weights_recurrent: (..., H, 4H).
        bias: (..., 1, 4H) or (4H,).

    Returns:
        (hidden (T, ..., N, H), cells (T, ..., N, H), gates (T, ..., N, 4H) in Keras' order, after
        their sigmoids and the candidate's tanh).
    """
    size = weights_recurrent.shape[-2]
    hidden = [np.zeros((*inputs.shape[1:-1], size))]
    cells, gates = [hidden[0]], []
    for x in inputs:
        sums = x @ weights_in + hidden[-1] @ weights_recurrent + bias
        squashed = sigmoid(sums)
        squashed[..., 2 * size : 3 * size] = np.tanh(sums[..., 2 * size : 3 * size])
        into, forget, candidate, out = np.split(squashed, 4, axis=-1)
        cells.append(forget * cells[-1] + into * candidate)
        hidden.append(out * np.tanh(cells[-1]))
        gates.append(squashed)
    return np.array(hidden[1:]), np.array(cells[1:]), np.array(gates)


def lstm_gradients(
    inputs: np.ndarray,
    hidden: np.ndarray,
    cells: np.ndarray,
    gates: np.ndarray,
    weights_recurrent: np.ndarray,
    upstream: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through time through `lstm_forward`, from the last output.

    Args:
        inputs, weights_recurrent: as for `lstm_forward`.
        hidden, cells, gates: what it returned.
        upstream: (..., N, H), gradient of the loss at the last output.

    Returns:
        Gradients (weights_in, weights_recurrent, bias (..., 1, 4H)), summed over steps and
        sequences.
    """
    none = np.zeros_like(upstream)
    grad_in, grad_recurrent, grad_bias = 0.0, 0.0, 0.0
    at_cell = none
    for t in reversed(range(len(inputs))):
        into, forget, candidate, out = np.split(gates[t], 4, axis=-1)
        before_cell, before = (cells[t - 1], hidden[t - 1]) if t else (none, none)
        squashed = np.tanh(cells[t])
        at_cell = at_cell + upstream * out * (1 - squashed**2)
        at_gates = (at_cell * candidate, at_cell * before_cell, at_cell * into, upstream * squashed)
        slopes = gates[t] * (1 - gates[t])
        size = upstream.shape[-1]
        slopes[..., 2 * size : 3 * size] = 1 - candidate**2
        at_sums = np.concatenate(at_gates, axis=-1) * slopes
        grad_in = grad_in + _transposed(inputs[t]) @ at_sums
        grad_recurrent = grad_recurrent + _transposed(before) @ at_sums
        grad_bias = grad_bias + at_sums.sum(axis=-2, keepdims=True)
        upstream = at_sums @ _transposed(weights_recurrent)
        at_cell = at_cell * forget
    return np.asarray(grad_in), np.asarray(grad_recurrent), np.asarray(grad_bias)


def train_to_remember(
    cell: Cell,
    length: int,
    forget_bias: float = 1.0,
    steps: int = 300,
    learning_rate: float = 0.01,
    networks: int = 5,
) -> np.ndarray:
    """Train networks to name the first of many random symbols after the last one.

    Each step has 16 new sequences. The optimizer is Adam; a gradient longer than 1 is cut to 1;
    16 hidden units.

    Args:
        cell: a simple recurrent network with this function, or an LSTM.
        length: T, symbols of a sequence.
        forget_bias: of an LSTM's forget gate before training; Keras begins with 1.
        steps: of training.
        learning_rate: of Adam.
        networks: S, each with its own initial weights and sequences.

    Returns:
        (S, steps): share of right answers at each step, before the step is taken.
    """
    blocks, hidden = (4, 16) if cell == "lstm" else (1, 16)
    rng = np.random.default_rng(length)
    draws = [_initial(np.random.default_rng(s), blocks, hidden) for s in range(networks)]
    weights = [np.stack(drawn) for drawn in zip(*draws, strict=True)]
    if cell == "lstm":
        weights[2][..., hidden : 2 * hidden] = forget_bias
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    right = np.empty((networks, steps))
    for step in range(steps):
        inputs, labels = _sequences(rng, length, networks)
        gradients, right[:, step] = _gradients(cell, weights, inputs, labels)
        norm = np.sqrt(sum(np.sum(g**2, axis=(1, 2), keepdims=True) for g in gradients))
        for n, gradient in enumerate(gradients):
            cut = gradient / np.maximum(norm, 1)
            weights[n], *moments[n] = adam_step(  # type: ignore[call-overload]
                weights[n], cut, *moments[n], step + 1, learning_rate, 0.9, 0.999, 1e-7
            )
    return right


def _initial(rng: np.random.Generator, blocks: int, hidden: int) -> list[np.ndarray]:
    """Weights of one network: inputs, recurrence, bias, and those of its answer."""

    def glorot(inputs: int, outputs: int) -> np.ndarray:
        limit = np.sqrt(6 / (inputs + outputs))
        return rng.uniform(-limit, limit, (inputs, outputs))

    width = blocks * hidden
    orthogonal = np.linalg.qr(rng.normal(size=(width, hidden)))[0].T
    inputs = SYMBOLS + 1
    return [
        glorot(inputs, width),
        orthogonal,
        np.zeros((1, width)),
        glorot(hidden, SYMBOLS),
        np.zeros((1, SYMBOLS)),
    ]


def _sequences(
    rng: np.random.Generator, length: int, networks: int, batch: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """One-hot symbols (T, S, N, K + 1), the first marked by the last column, and the first (S, N).

    Without the mark, no network could tell which symbol it is asked for before it has counted.
    """
    symbols = rng.integers(0, SYMBOLS, (length, networks, batch))
    inputs = np.eye(SYMBOLS + 1)[symbols]
    inputs[0, ..., SYMBOLS] = 1
    return inputs, symbols[0]


def _gradients(
    cell: Cell, weights: list[np.ndarray], inputs: np.ndarray, labels: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Gradients of the mean cross-entropy of each network, and its share of right answers."""
    w_in, w_recurrent, bias, w_out, bias_out = weights
    if cell == "lstm":
        hidden, cells, gates = lstm_forward(inputs, w_in, w_recurrent, bias)
    else:
        hidden = _simple_forward(cell, inputs, w_in, w_recurrent, bias)
    logits = hidden[-1] @ w_out + bias_out
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=-1, keepdims=True)
    at_logits = (probabilities - np.eye(SYMBOLS)[labels]) / labels.shape[-1]
    upstream = at_logits @ _transposed(w_out)
    if cell == "lstm":
        inner = lstm_gradients(inputs, hidden, cells, gates, w_recurrent, upstream)
    else:
        inner = _simple_gradients(cell, inputs, hidden, w_recurrent, upstream)
    outer = (_transposed(hidden[-1]) @ at_logits, at_logits.sum(axis=-2, keepdims=True))
    return [*inner, *outer], np.mean(logits.argmax(axis=-1) == labels, axis=-1)


def _simple_forward(
    cell: Cell, inputs: np.ndarray, w_in: np.ndarray, w_recurrent: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    squash = sigmoid if cell == "sigmoid" else np.tanh
    state, states = np.zeros((*inputs.shape[1:-1], w_recurrent.shape[-1])), []
    for x in inputs:
        state = squash(x @ w_in + state @ w_recurrent + bias)
        states.append(state)
    return np.array(states)


def _simple_gradients(
    cell: Cell,
    inputs: np.ndarray,
    states: np.ndarray,
    w_recurrent: np.ndarray,
    upstream: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    slopes = states * (1 - states) if cell == "sigmoid" else 1 - states**2
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    at_sums = np.empty_like(states)
    for t in reversed(range(len(inputs))):
        at_sums[t] = upstream * slopes[t]
        upstream = at_sums[t] @ _transposed(w_recurrent)
    grad_in = (_transposed(inputs) @ at_sums).sum(axis=0)
    grad_recurrent = (_transposed(before) @ at_sums).sum(axis=0)
    return grad_in, grad_recurrent, at_sums.sum(axis=(0, -2))[..., None, :]


def _transposed(array: np.ndarray) -> np.ndarray:
    return np.swapaxes(array, -1, -2)
