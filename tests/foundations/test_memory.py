"""The test of memory: its networks learn by the gradients of their own loss, and Keras agrees."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.foundations import memory
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.recurrence import lstm_step


def network(seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    shapes = [(3, 16), (4, 16), (1, 16)]
    return rng.normal(size=(6, 5, 3)), [rng.normal(size=shape) for shape in shapes]


def test_many_sequences_are_each_a_chain_of_single_steps() -> None:
    inputs, weights = network()
    hidden, cells, _ = memory.lstm_forward(inputs, *weights)
    for n in range(5):
        h = c = np.zeros(4)
        for t in range(6):
            h, c = lstm_step(inputs[t, n], h, c, weights[0], weights[1], weights[2][0])
            np.testing.assert_allclose(hidden[t, n], h, rtol=1e-12)
            np.testing.assert_allclose(cells[t, n], c, rtol=1e-12)


def test_lstm_gradients_are_those_of_finite_differences_and_of_keras(keras64) -> None:
    from course_lib.transfer.autodiff import gradient

    inputs, weights = network(1)
    upstream = np.random.default_rng(2).normal(size=(5, 4))
    forward = memory.lstm_forward(inputs, *weights)
    ours = memory.lstm_gradients(inputs, *forward, weights[1], upstream)
    layer = keras64.layers.LSTM(4)
    layer.build((5, 6, 3))
    for n in range(3):

        def loss(w: np.ndarray, n: int = n) -> float:
            changed = [w if k == n else other for k, other in enumerate(weights)]
            return float(np.sum(upstream * memory.lstm_forward(inputs, *changed)[0][-1]))

        def keras_loss(w, n=n):
            flat = [keras64.ops.convert_to_tensor(v) for v in weights]
            flat[n] = w
            flat[2] = keras64.ops.reshape(flat[2], (16,))
            variables = [layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias]
            mapping = list(zip(variables, flat, strict=True))
            with keras64.StatelessScope(state_mapping=mapping):
                return keras64.ops.sum(upstream * layer(inputs.swapaxes(0, 1)))

        np.testing.assert_allclose(ours[n], numerical_gradient(loss, weights[n]), rtol=1e-6)
        np.testing.assert_allclose(ours[n], gradient(keras_loss, weights[n]), rtol=1e-9)


@pytest.mark.parametrize("cell", ["sigmoid", "tanh", "lstm"])
def test_training_follows_the_slope_of_each_networks_loss(cell: memory.Cell) -> None:
    rng = np.random.default_rng(0)
    draws = [memory._initial(rng, 4 if cell == "lstm" else 1, 3) for _ in range(2)]
    weights = [np.stack(drawn) for drawn in zip(*draws, strict=True)]
    inputs, labels = memory._sequences(rng, 4, 2, batch=3)
    gradients, _ = memory._gradients(cell, weights, inputs, labels)

    def loss(changed: list[np.ndarray]) -> float:
        if cell == "lstm":
            hidden = memory.lstm_forward(inputs, *changed[:3])[0]
        else:
            hidden = memory._simple_forward(cell, inputs, *changed[:3])
        logits = hidden[-1] @ changed[3] + changed[4]
        logits = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        return float(-np.take_along_axis(logits, labels[..., None], -1).sum() / 3)

    for n, gradient in enumerate(gradients):
        slope = numerical_gradient(
            lambda w, n=n: loss([w if k == n else v for k, v in enumerate(weights)]), weights[n]
        )
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-9)


def test_a_short_memory_is_learned_and_a_sigmoids_is_not() -> None:
    assert memory.train_to_remember("tanh", 4, steps=200)[:, -20:].mean() > 0.95
    assert memory.train_to_remember("sigmoid", 20, steps=60)[:, -20:].mean() < 0.45
