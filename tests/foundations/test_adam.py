"""Lesson 04's reference: equations, NumPy, Keras and PyTorch give the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.foundations import adam
from course_lib.ledger import row

BETA_1, BETA_2 = 0.875, 1 - 2**-10
EPSILON = 1e-7
RATES = [0.0625, 0.015625, 0.00390625]
ROUNDING = 1e-11
finite = st.floats(-100, 100)


def states(problem, count):
    return [np.zeros_like(problem.start)] * count


# --- Keras, step by step --------------------------------------------------------------------------


def adam_rule(step_function, epsilon=EPSILON):
    def rule(weights, gradient, m, v, step, rate):
        return step_function(weights, gradient, m, v, step, rate, BETA_1, BETA_2, epsilon)

    return rule


@pytest.mark.parametrize("epsilon", [EPSILON, 1e-3])
@pytest.mark.slow
def test_adam_follows_keras_for_1000_steps(largest_gap, keras64, problem, epsilon):
    assert row("adam-epsilon").keras.startswith("v as it is")
    assert row("adam-step").keras == "1"
    optimizer = keras64.optimizers.Adam(1.0, BETA_1, BETA_2, epsilon)
    rule = adam_rule(adam.adam_step_keras, epsilon)
    assert largest_gap(rule, states(problem, 2), optimizer, RATES) < ROUNDING


def test_adam_of_the_paper_does_not_follow_keras(largest_gap, keras64, problem):
    assert row("adam-epsilon").paper != row("adam-epsilon").keras
    optimizer = keras64.optimizers.Adam(1.0, BETA_1, BETA_2, EPSILON)
    gap = largest_gap(adam_rule(adam.adam_step), states(problem, 2), optimizer, RATES, steps=50)
    assert gap > 1e-3


@pytest.mark.slow
def test_adamw_follows_keras_for_1000_steps(largest_gap, keras64, problem):
    assert row("adamw-decay").keras == "the old weights, times η"

    def rule(weights, gradient, m, v, step, rate):
        return adam.adamw_step(weights, gradient, m, v, step, rate, BETA_1, BETA_2, EPSILON, 0.125)

    optimizer = keras64.optimizers.AdamW(
        1.0, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON, weight_decay=0.125
    )
    assert largest_gap(rule, states(problem, 2), optimizer, RATES) < ROUNDING


@pytest.mark.parametrize("epsilon", [EPSILON, 1e-3])
@pytest.mark.slow
def test_rmsprop_follows_keras_for_1000_steps(largest_gap, keras64, problem, epsilon):
    assert row("rmsprop-epsilon").keras == "inside the root"

    def rule(weights, gradient, average, step, rate):
        return adam.rmsprop_step(weights, gradient, average, rate, BETA_1, epsilon)

    optimizer = keras64.optimizers.RMSprop(1.0, rho=BETA_1, epsilon=epsilon)
    assert largest_gap(rule, states(problem, 1), optimizer, RATES) < ROUNDING


@pytest.mark.parametrize("epsilon", [EPSILON, 1e-3])
@pytest.mark.slow
def test_adagrad_follows_keras_for_1000_steps(largest_gap, keras64, problem, epsilon):
    assert row("adagrad-epsilon").keras == "inside the root"

    def rule(weights, gradient, accumulated, step, rate):
        return adam.adagrad_step(weights, gradient, accumulated, rate, epsilon)

    optimizer = keras64.optimizers.Adagrad(1.0, initial_accumulator_value=0.125, epsilon=epsilon)
    start = [np.full_like(problem.start, 0.125)]
    assert largest_gap(rule, start, optimizer, RATES) < ROUNDING


def test_clipping_follows_keras(keras64):
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=(3, 4)), rng.normal(size=4)]
    for max_norm in (0.5, 100.0):
        variables = [keras64.Variable(np.zeros_like(g), dtype="float64") for g in gradients]
        optimizer = keras64.optimizers.SGD(1.0, global_clipnorm=max_norm)
        optimizer.apply([keras64.ops.convert_to_tensor(g) for g in gradients], variables)
        clipped = adam.clip_by_global_norm(gradients, max_norm)
        for variable, expected in zip(variables, clipped, strict=True):
            np.testing.assert_allclose(-keras64.ops.convert_to_numpy(variable), expected)


# --- PyTorch, where it is installed -------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.0, 0.125])
def test_adam_of_the_paper_follows_pytorch_for_1000_steps(problem, decay):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    assert row("adam-epsilon").pytorch == row("adam-epsilon").paper
    weights, (m, v) = problem.start, states(problem, 2)
    parameter = torch.nn.Parameter(torch.tensor(problem.start))
    optimizer = torch.optim.AdamW(
        [parameter], lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay
    )
    for step in range(len(problem.batches)):
        parameter.grad = torch.tensor(problem.gradient(parameter.detach().numpy(), step))
        optimizer.step()
        gradient = problem.gradient(weights, step)
        weights = weights - 0.01 * decay * weights
        weights, m, v = adam.adam_step(weights, gradient, m, v, step + 1, 0.01, 0.9, 0.999, 1e-8)
        np.testing.assert_allclose(weights, parameter.detach().numpy(), rtol=0, atol=1e-9)


# --- definitions and properties ------------------------------------------------------------------


@given(arrays(float, st.integers(1, 30), elements=finite), st.floats(0, 0.99))
def test_the_corrected_average_is_a_weighted_mean(values, beta):
    averages = adam.bias_corrected_average(values, beta)
    for t in range(1, len(values) + 1):
        weights = beta ** np.arange(t)[::-1]
        np.testing.assert_allclose(
            averages[t - 1], weights @ values[:t] / weights.sum(), rtol=1e-7, atol=1e-7
        )


@given(st.floats(-100, 100), st.floats(0, 0.99), st.integers(1, 40))
def test_the_corrected_average_of_a_constant_is_the_constant(value, beta, length):
    averages = adam.bias_corrected_average(np.full(length, value), beta)
    np.testing.assert_allclose(averages, value, rtol=1e-9)


def test_adam_corrects_its_moments_as_the_corrected_average_does():
    gradients = np.random.default_rng(0).normal(size=20)
    weights, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
    for step, gradient in enumerate(gradients, start=1):
        before = weights
        weights, m, v = adam.adam_step(
            weights, np.array([gradient]), m, v, step, 0.1, 0.9, 0.99, 1e-3
        )
        first = adam.bias_corrected_average(gradients[:step], 0.9)[-1]
        second = adam.bias_corrected_average(gradients[:step] ** 2, 0.99)[-1]
        np.testing.assert_allclose(before - weights, 0.1 * first / (np.sqrt(second) + 1e-3))


@given(st.integers(1, 500), st.floats(1e-9, 1.0))
def test_the_two_adams_are_one_with_epsilon_converted(step, epsilon):
    w, g, m, v = np.random.default_rng(step).uniform(0.1, 1.0, size=(4, 3))
    converted = epsilon / np.sqrt(1 - BETA_2**step)
    for ours, theirs in zip(
        adam.adam_step(w, g, m, v, step, 0.1, BETA_1, BETA_2, converted),
        adam.adam_step_keras(w, g, m, v, step, 0.1, BETA_1, BETA_2, epsilon),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@given(arrays(float, 4, elements=st.floats(0.01, 100)), st.floats(0.1, 1000))
def test_adam_does_not_see_the_scale_of_the_loss(gradient, scale):
    zero = np.zeros(4)
    one = adam.adam_step(zero, gradient, zero, zero, 1, 0.1, 0.9, 0.999, 0.0)[0]
    other = adam.adam_step(zero, scale * gradient, zero, zero, 1, 0.1, 0.9, 0.999, 0.0)[0]
    np.testing.assert_allclose(one, other)
    np.testing.assert_allclose(one, -0.1)


def test_decay_in_the_gradient_is_not_decoupled_decay():
    gradient, weights = np.array([10.0, 0.1]), np.ones(2)
    m, v, rest = gradient, gradient**2, (1000, 0.01, 0.9, 0.999, 1e-8)
    plain = adam.adam_step_keras(weights, gradient, m, v, *rest)[0]
    decoupled = plain - adam.adamw_step(weights, gradient, m, v, *rest, 0.5)[0]
    penalized = plain - adam.adam_step_keras(weights, gradient + 0.5 * weights, m, v, *rest)[0]
    np.testing.assert_allclose(decoupled[0], decoupled[1])
    assert penalized[1] > 10 * penalized[0]


@given(st.lists(arrays(float, st.integers(1, 5), elements=finite), min_size=1, max_size=4))
def test_clipping_keeps_the_direction_and_bounds_the_norm(gradients):
    clipped = np.concatenate(adam.clip_by_global_norm(gradients, 1.5))
    whole = np.concatenate(gradients)
    norm = np.linalg.norm(whole)
    np.testing.assert_allclose(np.linalg.norm(clipped), min(norm, 1.5), atol=1e-12)
    np.testing.assert_allclose(clipped * norm, whole * np.linalg.norm(clipped), atol=1e-9)


def test_arguments_stay_as_they_are():
    arguments = [np.ones(3) for _ in range(4)]
    adam.adam_step(*arguments, 1, 0.1, 0.9, 0.999, 1e-8)
    adam.adamw_step(*arguments, 1, 0.1, 0.9, 0.999, 1e-8, 0.1)
    adam.rmsprop_step(*arguments[:3], 0.1, 0.9, 1e-7)
    adam.adagrad_step(*arguments[:3], 0.1, 1e-7)
    adam.clip_by_global_norm(arguments, 0.1)
    for argument in arguments:
        np.testing.assert_array_equal(argument, 1)


def test_a_path_of_adam_is_that_of_keras(keras64):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    path = adam.adam_path(x, y, np.ones(3), RATES, BETA_1, BETA_2, 1e-14)
    variable = keras64.Variable(np.ones(3))
    optimizer = keras64.optimizers.Adam(1.0, BETA_1, BETA_2, epsilon=1e-14)
    np.testing.assert_array_equal(path[0], 1)
    for rate, weights in zip(RATES, path[1:], strict=True):
        optimizer.learning_rate = rate
        before = keras64.ops.convert_to_numpy(variable)
        optimizer.apply([2 * x.T @ (x @ before - y) / 20], [variable])
        np.testing.assert_allclose(weights, keras64.ops.convert_to_numpy(variable), rtol=1e-6)


def test_epsilon_is_seen_in_a_path_of_adam():
    x, y, start = np.ones((1, 1)), np.array([3.0]), np.array([1.0])
    path = adam.adam_path(x, y, start, [0.5], 0.5, 0.75, 1.0)
    np.testing.assert_allclose(path, [[1.0], [1.4]])


def test_adagrad_by_hand():
    weights, total = adam.adagrad_step(
        np.array([2.0, 1.0]), np.array([-3.0, 2.0]), np.array([6.0, 4.0]), 0.5, 1.0
    )
    np.testing.assert_array_equal(weights, [2.375, 1 - 1 / 3])
    np.testing.assert_array_equal(total, [15, 8])
