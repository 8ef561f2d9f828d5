"""Lesson 12's reference: definitions, scikit-learn, SciPy and finite differences agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.foundations import domain_adaptation as da
from course_lib.foundations.feature_extraction import standardize
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import softmax_cross_entropy, softmax_cross_entropy_gradient


@pytest.fixture
def domains():
    rng = np.random.default_rng(0)
    source = 2 + rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4))
    target = -1 + rng.normal(size=(25, 4)) @ rng.normal(size=(4, 4))
    return source, target


@given(st.floats(0, 1))
def test_the_proxy_distance_falls_from_two_to_zero(error):
    assert 0 <= da.proxy_a_distance(error) <= 2
    assert da.proxy_a_distance(error / 2) == pytest.approx(2 - 2 * error)
    assert da.proxy_a_distance(0.5 + error / 2) == 0


def test_the_discrepancy_is_that_of_pairs(domains):
    metrics = pytest.importorskip("sklearn.metrics.pairwise")
    source, target = domains
    inner = [metrics.rbf_kernel(x, x, 0.1)[~np.eye(len(x), dtype=bool)].mean() for x in domains]
    theirs = sum(inner) - 2 * metrics.rbf_kernel(source, target, 0.1).mean()
    assert da.mmd_squared(source, target, 0.1) == pytest.approx(theirs)
    assert da.mmd_squared(target, source, 0.1) == pytest.approx(theirs)


def test_the_discrepancy_is_unbiased():
    rng = np.random.default_rng(0)
    values = [da.mmd_squared(*rng.normal(size=(2, 5, 2)), 0.5) for _ in range(2000)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(2000)
    assert min(values) < 0


def test_each_domain_is_standardized_as_the_training_set_of_lesson_05(domains):
    for ours, x in zip(da.standardize_by_domain(*domains), domains, strict=True):
        np.testing.assert_allclose(ours, standardize(x, x)[0])


def test_a_feature_that_is_constant_in_a_domain_is_only_centered():
    source, target = da.standardize_by_domain(np.full((3, 1), 0.1), np.array([[1.0], [3.0]]))
    np.testing.assert_array_equal(target, [[-1], [1]])
    np.testing.assert_allclose(source, 0, atol=1e-15)


@pytest.mark.parametrize("exponent", [0.5, -0.5])
def test_powers_of_matrices_are_those_of_scipy(domains, exponent):
    linalg = pytest.importorskip("scipy.linalg")
    covariance = np.cov(domains[0].T)
    theirs = linalg.fractional_matrix_power(covariance, exponent)
    np.testing.assert_allclose(da.symmetric_power(covariance, exponent), theirs, atol=1e-9)


def test_coral_gives_mean_and_covariance_of_the_target(domains):
    source, target = domains
    aligned = da.coral(source, target, 1e-12)
    np.testing.assert_allclose(aligned.mean(axis=0), target.mean(axis=0))
    np.testing.assert_allclose(np.cov(aligned.T), np.cov(target.T), atol=1e-8)


def test_coral_leaves_a_source_that_is_the_target_as_it_is(domains):
    source, _ = domains
    np.testing.assert_allclose(da.coral(source, source, 0.3), source)


def test_a_large_epsilon_moves_only_the_mean(domains):
    source, target = domains
    moved = source - source.mean(axis=0) + target.mean(axis=0)
    np.testing.assert_allclose(da.coral(source, target, 1e9), moved, atol=1e-5)


def test_one_feature_is_enough():
    source, target = np.array([[1.0], [3.0]]), np.array([[10.0], [14.0]])
    np.testing.assert_allclose(da.coral(source, target, 1e-12), target)


def test_weights_are_the_ratio_of_the_densities():
    x = np.linspace(-2, 2, 41)
    source, target = (np.exp(-((x - m) ** 2) / 2) for m in (0.0, 1.0))
    for share in (0.2, 0.5):
        probability = share * target / (share * target + (1 - share) * source)
        weights = da.importance_weights(probability)
        np.testing.assert_allclose(weights / weights[0], (target / source) / (target / source)[0])
        assert weights.mean() == pytest.approx(1)


def test_the_reversed_gradient_is_that_of_a_difference_of_losses():
    rng = np.random.default_rng(0)
    h, w, v = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
    digit, domain = rng.integers(0, 4, 5), rng.integers(0, 2, 5)
    by_label = softmax_cross_entropy_gradient(h @ w, digit) @ w.T
    by_domain = softmax_cross_entropy_gradient(h @ v, domain) @ v.T

    def difference(h):
        return softmax_cross_entropy(h @ w, digit) - 0.7 * softmax_cross_entropy(h @ v, domain)

    ours = da.reverse_gradient(by_label, by_domain, 0.7)
    np.testing.assert_allclose(ours, numerical_gradient(difference, h), atol=1e-8)


def test_arguments_stay_as_they_are(domains):
    kept = [x.copy() for x in domains]
    da.mmd_squared(*domains, 0.1)
    da.standardize_by_domain(*domains)
    da.coral(*domains, 0.1)
    da.reverse_gradient(domains[0], domains[0], 2.0)
    for x, before in zip(domains, kept, strict=True):
        np.testing.assert_array_equal(x, before)
