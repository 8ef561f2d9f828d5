"""Lesson 15's functions against Keras, SciPy, real books, and by hand."""

import keras
import numpy as np
import pytest
from scipy.stats import entropy

from course_lib.foundations import famous_mistakes as ours


@pytest.fixture(params=range(3))
def rng(request):
    return np.random.default_rng(request.param)


def test_the_binary_loss_is_that_of_keras(rng):
    p, labels = rng.uniform(0.01, 0.99, (6, 3)), rng.integers(0, 2, (6, 3))
    theirs = keras.losses.BinaryCrossentropy(dtype="float64")(labels.astype(float), p)
    assert ours.binary_cross_entropy(p, labels) == pytest.approx(float(theirs), rel=1e-6)


def test_a_sure_mistake_costs_what_it_costs_in_keras():
    """Both ends are clipped; in float32 the upper end is not exact."""
    for p, label in ((0.0, 1), (1.0, 0)):
        cost = ours.binary_cross_entropy(np.array([p]), np.array([label]))
        assert cost == pytest.approx(-np.log(1e-7))
        theirs = keras.losses.BinaryCrossentropy()(np.array([float(label)]), np.array([p]))
        assert cost == pytest.approx(float(theirs), rel=0.02)


def test_the_mean_runs_over_all_elements():
    p, labels = np.array([[0.5, 0.25], [0.75, 0.5]]), np.array([[1, 0], [1, 0]])
    by_hand = -(2 * np.log(0.5) + 2 * np.log(0.75)) / 4
    assert ours.binary_cross_entropy(p, labels) == pytest.approx(by_hand)


def test_the_divergence_is_that_of_scipy_and_keras(rng):
    p, q = rng.dirichlet(np.ones(4), (2, 5))
    value = ours.kl_divergence_mean(p, q)
    assert value == pytest.approx(entropy(p, q, axis=1).mean())
    theirs = keras.losses.KLDivergence(dtype="float64")(p, q)
    assert value == pytest.approx(float(theirs), rel=1e-5)


def test_the_divergence_is_cross_entropy_minus_entropy(rng):
    p, q = rng.dirichlet(np.ones(3), (2, 4))
    assert ours.kl_divergence_mean(p, p) == 0
    difference = np.mean(np.sum(p * np.log(p), axis=1) - np.sum(p * np.log(q), axis=1))
    assert ours.kl_divergence_mean(p, q) == pytest.approx(difference)


def test_what_is_impossible_adds_nothing():
    p, q = np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])
    assert ours.kl_divergence_mean(p, q) == pytest.approx(np.log(2))


def test_shuffling_is_undone(rng):
    files, order = rng.normal(size=(8, 2)), rng.permutation(8)
    np.testing.assert_array_equal(ours.predictions_in_file_order(files[order], order), files)
    names = np.arange(8)
    np.testing.assert_array_equal(ours.predictions_in_file_order(names[order], order), names)


def test_the_validation_set_chooses_and_the_first_at_a_tie():
    validation, test = np.array([0.5, 0.75, 0.75]), np.array([0.9, 0.6, 0.8])
    assert ours.best_of(validation, test) == 0.6


@pytest.mark.parametrize("isbn", ["9780262035613", "9780387310732", "9781492032649"])
def test_the_check_digits_of_books_in_print(isbn):
    digits = np.array([int(digit) for digit in isbn])
    assert ours.isbn_check_digit(digits[:12]) == digits[12]


def test_nothing_missing_is_zero():
    assert ours.isbn_check_digit(np.array([9, 7, 8] + [0] * 8 + [4])) == 0
