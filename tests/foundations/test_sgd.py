"""Lesson 03's reference: equations, NumPy, finite differences, Keras and PyTorch agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.foundations import losses, sgd
from course_lib.foundations.gradients import numerical_gradient
from course_lib.ledger import row

MOMENTUM = 0.875
RATES = [0.25, 0.0625, 0.125]
ROUNDING = 1e-11


# --- Keras, step by step, with two changes of the learning rate -------------------------------


@pytest.mark.slow
def test_sgd_follows_keras_for_1000_steps(largest_gap, keras64):
    def rule(weights, gradient, step, rate):
        return (sgd.sgd_step(weights, gradient, rate),)

    assert largest_gap(rule, [], keras64.optimizers.SGD(1.0), RATES) < ROUNDING


@pytest.mark.parametrize(
    ("step_function", "nesterov"), [(sgd.momentum_step, False), (sgd.nesterov_step, True)]
)
@pytest.mark.slow
def test_momentum_follows_keras_for_1000_steps(
    largest_gap, keras64, problem, step_function, nesterov
):
    assert row("momentum-learning-rate").keras.startswith("in the velocity")
    assert row("nesterov-gradient").keras == "at the weights that are kept"

    def rule(weights, gradient, velocity, step, rate):
        return step_function(weights, gradient, velocity, rate, MOMENTUM)

    optimizer = keras64.optimizers.SGD(1.0, momentum=MOMENTUM, nesterov=nesterov)
    assert largest_gap(rule, [np.zeros_like(problem.start)], optimizer, RATES) < ROUNDING


@pytest.mark.slow
def test_pytorchs_momentum_follows_keras_only_while_the_rate_stays(largest_gap, keras64, problem):
    def rule(weights, gradient, buffer, step, rate):
        return sgd.momentum_step_pytorch(weights, gradient, buffer, rate, MOMENTUM)

    zero = [np.zeros_like(problem.start)]
    for rates, same in [([0.125], True), (RATES, False)]:
        optimizer = keras64.optimizers.SGD(1.0, momentum=MOMENTUM)
        gap = largest_gap(rule, zero, optimizer, rates)
        assert gap < ROUNDING if same else gap > 1e-3


@pytest.mark.parametrize(("total", "warmup"), [(100, 20), (60, 1)])
def test_cosine_follows_keras(keras64, total, warmup):
    assert row("cosine-length").keras == "no"
    schedule = keras64.optimizers.schedules.CosineDecay(
        0.0, total - warmup, warmup_target=0.25, warmup_steps=warmup
    )
    for step in range(total + 5):
        ours = sgd.cosine_with_warmup(step, total, warmup, 0.25)
        np.testing.assert_allclose(ours, float(schedule(step)), rtol=1e-5, atol=1e-7)


def test_cosine_without_warmup_follows_keras(keras64):
    schedule = keras64.optimizers.schedules.CosineDecay(0.25, 50)
    for step in range(55):
        ours = sgd.cosine_with_warmup(step, 50, 0, 0.25)
        np.testing.assert_allclose(ours, float(schedule(step)), rtol=1e-5, atol=1e-7)


# --- PyTorch, where it is installed -------------------------------------------------------------


@pytest.mark.parametrize(
    ("step_function", "nesterov"),
    [(sgd.momentum_step_pytorch, False), (sgd.nesterov_step_pytorch, True)],
)
def test_momentum_follows_pytorch_for_1000_steps(problem, step_function, nesterov):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    weights, buffer = problem.start, np.zeros_like(problem.start)
    parameter = torch.nn.Parameter(torch.tensor(problem.start))
    optimizer = torch.optim.SGD([parameter], lr=0.2, momentum=0.9, nesterov=nesterov)
    for step in range(len(problem.batches)):
        rate = 0.2 if step < 400 else 0.05
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(problem.gradient(parameter.detach().numpy(), step))
        optimizer.step()
        weights, buffer = step_function(weights, problem.gradient(weights, step), buffer, rate, 0.9)
        np.testing.assert_allclose(weights, parameter.detach().numpy(), rtol=0, atol=1e-9)


# --- gradients ----------------------------------------------------------------------------------


def test_least_squares_gradient_is_the_slope_of_the_mean_squared_error():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(7, 4)), rng.normal(size=7), rng.normal(size=4)
    slope = numerical_gradient(lambda weights: losses.mse(x @ weights, y), w)
    np.testing.assert_allclose(sgd.least_squares_gradient(x, y, w), slope, rtol=1e-7)
    np.testing.assert_allclose(
        sgd.least_squares_gradient(1e6 * x, y, w), 2e6 * x.T @ (1e6 * x @ w - y) / 7, rtol=1e-12
    )


@pytest.fixture
def network():
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(9, 4)), rng.integers(0, 3, 9)
    weights_in, weights_out = sgd.he_normal(rng, 4, 6), sgd.he_normal(rng, 6, 3)
    return x, labels, [weights_in, rng.normal(size=6), weights_out, rng.normal(size=3)]


def test_backpropagation_is_the_slope_of_the_loss(network):
    x, labels, parameters = network
    hidden, logits = sgd.two_layer_forward(x, *parameters)
    upstream = losses.softmax_cross_entropy_gradient(logits, labels)
    gradients = sgd.hidden_layer_gradients(x, hidden, parameters[2], upstream)
    for index, gradient in enumerate(gradients):

        def loss(parameter, index=index):
            changed = [*parameters[:index], parameter, *parameters[index + 1 :]]
            return losses.softmax_cross_entropy(sgd.two_layer_forward(x, *changed)[1], labels)

        slope = numerical_gradient(loss, parameters[index])
        np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-9)


def test_backpropagation_by_hand():
    x, hidden = np.array([[1.0, 2.0]]), np.array([[3.0, 0.0]])
    weights_out, upstream = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0]])
    expected = [[-1, 0], [-2, 0]], [-1, 0], [[3, -3], [0, 0]], [1, -1]
    gradients = sgd.hidden_layer_gradients(x, hidden, weights_out, upstream)
    for gradient, numbers in zip(gradients, expected, strict=True):
        np.testing.assert_array_equal(gradient, numbers)


def test_the_network_is_keras_dense_relu_dense(keras64, network):
    x, _, parameters = network
    model = keras64.Sequential(
        [keras64.Input((4,)), keras64.layers.Dense(6, "relu"), keras64.layers.Dense(3)]
    )
    model.set_weights(parameters)
    logits = keras64.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(sgd.two_layer_forward(x, *parameters)[1], logits, rtol=1e-5)


def test_he_normal_keeps_the_size_of_activations():
    rng = np.random.default_rng(2)
    activations = rng.normal(size=(200, 800))
    weights = sgd.he_normal(rng, 800, 400)
    after = np.maximum(activations @ weights, 0)
    assert np.mean(after**2) == pytest.approx(np.mean(activations**2), rel=0.05)
    assert weights.std() == pytest.approx(np.sqrt(2 / 800), rel=0.01)


# --- the stability limit -------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "grows"), [(0.99, False), (1.01, True)])
def test_descent_breaks_at_the_limit(factor, grows):
    root = np.random.default_rng(3).normal(size=(4, 4))
    hessian = root @ root.T
    rate = factor * sgd.largest_stable_learning_rate(hessian)
    weights = np.ones(4)
    for _ in range(2000):
        weights = sgd.sgd_step(weights, hessian @ weights, rate)
    assert (np.linalg.norm(weights) > 100) == grows


def test_a_flat_loss_has_no_limit():
    with pytest.raises(ValueError, match="no learning rate is too large"):
        sgd.largest_stable_learning_rate(np.zeros((2, 2)))


# --- mini-batches and schedules -----------------------------------------------------------------


@given(st.permutations(range(13)), st.integers(1, 20))
def test_minibatches_are_the_order_cut_up(order, batch_size):
    batches = sgd.minibatches(np.array(order), batch_size)
    np.testing.assert_array_equal(np.concatenate(batches), order)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= batch_size


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        sgd.minibatches(np.arange(3), 0)


def test_minibatch_gradients_average_to_the_full_gradient():
    rng = np.random.default_rng(4)
    x, y, w = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=3)
    batches = sgd.minibatches(rng.permutation(12), 4)
    parts = [sgd.least_squares_gradient(x[batch], y[batch], w) for batch in batches]
    np.testing.assert_allclose(np.mean(parts, axis=0), sgd.least_squares_gradient(x, y, w))


@given(st.integers(2, 200), st.data())
def test_the_schedule_rises_then_falls_between_zero_and_base(total, data):
    warmup = data.draw(st.integers(0, total - 1))
    rates = [sgd.cosine_with_warmup(step, total, warmup, 0.3) for step in range(total + 1)]
    assert rates[warmup] == pytest.approx(0.3)
    assert rates[-1] == 0
    assert np.all(np.diff(rates[: warmup + 1]) > 0)
    assert np.all(np.diff(rates[warmup:]) <= 0)


def test_arguments_stay_as_they_are():
    arguments = [np.ones(3) for _ in range(3)]
    for step_function in (
        sgd.momentum_step,
        sgd.momentum_step_pytorch,
        sgd.nesterov_step,
        sgd.nesterov_step_pytorch,
    ):
        step_function(*arguments, 0.1, 0.9)
    sgd.sgd_step(*arguments[:2], 0.1)
    for argument in arguments:
        np.testing.assert_array_equal(argument, 1)


def test_a_path_of_batches_by_hand():
    features, targets = np.array([[1.0], [2.0], [1.0]]), np.array([2.0, 1.0, 1.0])
    batches, rates = [np.array([1, 0]), np.array([2])], [0.5, 0.25]
    path = sgd.sgd_path(features, targets, np.array([1.0]), batches, rates)
    np.testing.assert_array_equal(path, [[1.0], [0.5], [0.75]])
    with pytest.raises(ValueError, match="shorter"):
        sgd.sgd_path(features, targets, np.array([1.0]), batches, rates[:1])


def test_full_batches_reach_the_least_squares_solution():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    path = sgd.sgd_path(x, y, np.ones(3), [np.arange(40)] * 300, np.full(300, 0.2))
    assert path.shape == (301, 3)
    np.testing.assert_allclose(path[-1], np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)


def test_training_steps_are_those_of_keras(keras64, network):
    x, labels, parameters = network
    model = keras64.Sequential(
        [keras64.Input((4,)), keras64.layers.Dense(6, "relu"), keras64.layers.Dense(3)]
    )
    model.set_weights(parameters)
    loss = keras64.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras64.optimizers.SGD(0.125, momentum=0.875), loss=loss)
    state = [*parameters, *(np.zeros_like(p) for p in parameters)]
    for batch in (slice(0, 5), slice(5, 9), slice(2, 7)):
        model.train_on_batch(x[batch], labels[batch])
        state = sgd.training_step(state[:4], state[4:], x[batch], labels[batch], 0.125, 0.875)
    for ours, theirs in zip(state[:4], model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    rest = [*parameters, *(0.5 * p for p in parameters)]
    moved = sgd.training_step(rest[:4], rest[4:], x, labels, 0.0, 0.5)
    for new, p in zip(
        moved, [*(1.25 * p for p in parameters), *(p / 4 for p in parameters)], strict=True
    ):
        np.testing.assert_allclose(new, p)


def test_nesterovs_weights_are_the_look_ahead_point_of_the_paper():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=20)
    theta = weights = velocity = v = np.zeros(2)
    for _ in range(20):
        ahead = sgd.least_squares_gradient(x, y, theta + 0.9 * v)
        theta, v = sgd.momentum_step(theta, ahead, v, 0.03, 0.9)
        here = sgd.least_squares_gradient(x, y, weights)
        weights, velocity = sgd.nesterov_step(weights, here, velocity, 0.03, 0.9)
        np.testing.assert_allclose(weights, theta + 0.9 * v, rtol=1e-12)
