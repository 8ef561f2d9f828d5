"""Problems and comparisons that the parity tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

from course_lib.foundations.losses import mse_gradient

# A busy machine is no failure, and the same examples every time.
settings.register_profile("course", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("course")


class TanhRegression:
    """Mean squared error of tanh(XW): not convex, noisy by batches, features of 1 down to 1e-6.

    The small features give small gradients, without which the place of epsilon could not be seen.
    """

    def __init__(self, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.features = rng.normal(size=(64, 6)) * np.array([1.0, 1.0, 0.3, 1e-2, 1e-4, 1e-6])
        self.targets = np.tanh(self.features @ rng.normal(size=(6, 3)) + rng.normal(size=(64, 3)))
        self.start = rng.normal(size=(6, 3))
        self.batches = rng.integers(0, 64, size=(1000, 16))

    def gradient(self, weights, step):
        batch = self.batches[step]
        outputs = np.tanh(self.features[batch] @ weights)
        slope = mse_gradient(outputs, self.targets[batch]) * (1 - outputs**2)
        return self.features[batch].T @ slope


@pytest.fixture(scope="session")
def problem():
    return TanhRegression()


@pytest.fixture
def keras64():
    """Keras computing in float64, as NumPy does, for the length of a test."""
    keras = pytest.importorskip("keras")
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")  # kept from the first layer on, whatever floatx is
    yield keras
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def traced(keras, optimizer, variable):
    """A step of a Keras optimizer by a gradient: traced, as in `fit`, where that saves time."""
    optimizer.build([variable])

    def apply(gradient):
        optimizer.apply([gradient], [variable])

    if keras.config.backend() != "tensorflow":
        return apply
    import tensorflow as tf

    return tf.function(apply)


@pytest.fixture
def largest_gap(keras64, problem):
    """Largest difference between a NumPy rule and a Keras optimizer over 1,000 steps or fewer.

    Both start at the same weights and then go their own way: each takes the gradient at its own
    weights. `rule(weights, gradient, state, step, rate)` returns weights and state; `rates` are
    exact in binary, because Keras keeps the learning rate in float32.
    """

    def compare(rule, state, optimizer, rates, steps=1000):
        assert all(float(np.float32(rate)) == rate for rate in rates)
        weights, gap = problem.start, 0.0
        variable = keras64.Variable(problem.start, dtype="float64")
        apply = traced(keras64, optimizer, variable)
        for step in range(steps):
            rate = rates[step * len(rates) // steps]
            if optimizer.iterations == 0 or rate != float(optimizer.learning_rate):
                optimizer.learning_rate = rate
            gradient = problem.gradient(keras64.ops.convert_to_numpy(variable), step)
            apply(keras64.ops.convert_to_tensor(gradient))
            gradient = problem.gradient(weights, step)
            weights, *state = rule(weights, gradient, *state, step + 1, rate)
            gap = max(gap, np.abs(weights - keras64.ops.convert_to_numpy(variable)).max())
        assert np.abs(weights - problem.start).max() > 0.1  # it has gone somewhere
        return gap

    return compare
