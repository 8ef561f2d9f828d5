"""Lesson 08's reference: equations, NumPy, finite differences and Keras agree."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.foundations import recurrence
from course_lib.foundations.gradients import numerical_gradient


@pytest.fixture
def sequence():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 4)), 0.7 * rng.normal(size=(4, 4)), rng.normal(size=4)]
    return rng.normal(size=(7, 3)), weights, rng.uniform(-1, 1, size=4)


def test_states_are_those_of_keras(keras64, sequence):
    inputs, weights, state = sequence
    layer = keras64.layers.SimpleRNN(4, return_sequences=True)
    layer.build((1, 7, 3))
    layer.set_weights(weights)
    by_keras = layer(inputs[None], initial_state=keras64.ops.convert_to_tensor(state[None]))
    ours = recurrence.rnn_forward(inputs, *weights, state)
    np.testing.assert_allclose(ours, by_keras[0], rtol=1e-12)


@pytest.mark.parametrize("which", range(3))
def test_gradients_are_those_of_finite_differences_and_of_keras(keras64, sequence, which):
    from course_lib.transfer.autodiff import gradient

    inputs, weights, state = sequence
    upstream = np.random.default_rng(1).normal(size=(7, 4))
    states = recurrence.rnn_forward(inputs, *weights, state)
    ours = recurrence.rnn_gradients(inputs, states, weights[1], state, upstream)[which]
    ops = keras64.ops

    def loss(w):
        changed = [w if n == which else other for n, other in enumerate(weights)]
        return float(np.sum(upstream * recurrence.rnn_forward(inputs, *changed, state)))

    def keras_loss(w):
        kernel, recurrent, bias = (w if n == which else v for n, v in enumerate(weights))
        layer = keras64.layers.SimpleRNN(4, return_sequences=True)
        layer.build((1, 7, 3))
        variables = [layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias]
        tensors = [ops.convert_to_tensor(value) for value in (kernel, recurrent, bias)]
        with keras64.StatelessScope(state_mapping=list(zip(variables, tensors, strict=True))):
            outputs = layer(inputs[None], initial_state=ops.convert_to_tensor(state[None]))
            return ops.sum(upstream * outputs[0])

    np.testing.assert_allclose(ours, numerical_gradient(loss, weights[which]), rtol=1e-6)
    np.testing.assert_allclose(ours, gradient(keras_loss, weights[which]), rtol=1e-9)


def test_an_lstm_is_that_of_keras(keras64):
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(6, 3))
    weights = [rng.normal(size=(3, 16)), rng.normal(size=(4, 16)), rng.normal(size=16)]
    layer = keras64.layers.LSTM(4, return_state=True)
    layer.build((1, 6, 3))
    layer.set_weights(weights)
    _, hidden, cell = layer(inputs[None])
    h = c = np.zeros(4)
    for x in inputs:
        h, c = recurrence.lstm_step(x, h, c, *weights)
    np.testing.assert_allclose(h, hidden[0], rtol=1e-10)
    np.testing.assert_allclose(c, cell[0], rtol=1e-10)


def test_keras_adds_one_to_the_forget_bias_of_a_new_layer_only(keras64):
    layer = keras64.layers.LSTM(2)
    layer.build((1, 1, 1))
    np.testing.assert_array_equal(layer.cell.bias, [0, 0, 1, 1, 0, 0, 0, 0])


def test_padding_is_that_of_keras(keras64):
    lists = [[3, 1], [], [5.5, 2, 9, 1], [4]]
    padded, mask = recurrence.pad_sequences_right(lists, -1)
    by_keras = keras64.utils.pad_sequences(lists, padding="post", value=-1, dtype="float64")
    np.testing.assert_array_equal(padded, by_keras)
    np.testing.assert_array_equal(mask.sum(axis=1), [2, 0, 4, 1])
    np.testing.assert_array_equal(padded[~mask], -1)
    assert recurrence.pad_sequences_right([], 0)[0].shape == (0, 0)
    assert recurrence.pad_sequences_right([[], []], 0)[1].shape == (2, 0)


def test_the_last_valid_state_is_what_a_masked_layer_returns(keras64):
    rng = np.random.default_rng(3)
    lengths = np.array([1, 4, 6, 3])
    mask = np.arange(6) < lengths[:, None]
    inputs = rng.normal(size=(4, 6, 2))
    every, last = (keras64.layers.SimpleRNN(3, return_sequences=r) for r in (True, False))
    every.build((4, 6, 2))
    last.build((4, 6, 2))
    last.set_weights(every.get_weights())
    ours = recurrence.last_valid(keras64.ops.convert_to_numpy(every(inputs)), lengths)
    np.testing.assert_allclose(ours, last(inputs, mask=mask), rtol=1e-12)


def test_the_mean_is_that_of_keras_and_zero_where_nothing_is(keras64):
    rng = np.random.default_rng(4)
    states = rng.normal(size=(3, 5, 2))
    mask = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
    layer = keras64.layers.GlobalAveragePooling1D()
    by_keras = layer(states, mask=mask)
    np.testing.assert_allclose(recurrence.masked_mean(states, mask), by_keras, rtol=1e-6)
    np.testing.assert_array_equal(recurrence.masked_mean(states, np.zeros((3, 5), bool)), 0)
