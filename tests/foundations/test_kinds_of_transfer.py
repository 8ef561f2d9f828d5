"""Lesson 13's functions against scikit-learn, SciPy, Keras, finite differences, and by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from scipy import special, stats
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import NearestCentroid

from course_lib.foundations import kinds_of_transfer as ours
from course_lib.foundations.gradients import numerical_gradient

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(30, 4)) + np.repeat(np.eye(3, 4) * 2, 10, axis=0)
LABELS = np.repeat([2, 5, 9], 10)


def test_the_standard_error_is_that_of_a_paired_t_test() -> None:
    scratch = RNG.uniform(size=6)
    transferred = scratch + RNG.normal(0.1, 0.05, size=6)
    mean, error = ours.transfer_gain(transferred, scratch)
    statistic = stats.ttest_rel(transferred, scratch).statistic
    assert mean / error == pytest.approx(statistic)
    assert mean == pytest.approx(np.mean(transferred - scratch))


@pytest.mark.parametrize(
    ("target", "labels"),
    [(0.4, 10.0), (0.5, 10.0), (0.65, 25.0), (0.8, 40.0), (0.85, 70.0), (0.95, math.inf)],
)
def test_a_curve_is_read_at_its_first_crossing(target: float, labels: float) -> None:
    sizes, curve = np.array([10, 20, 40, 100]), np.array([0.5, 0.6, 0.8, 0.9])
    assert ours.labels_to_reach(sizes, curve, target) == pytest.approx(labels)


def test_the_first_of_two_crossings() -> None:
    dip = np.array([0.5, 0.7, 0.6, 0.9])
    assert ours.labels_to_reach(np.array([1, 2, 3, 4]), dip, 0.65) == pytest.approx(1.75)


def test_prototypes_are_the_nearest_centroids_of_scikit_learn() -> None:
    queries = RNG.normal(size=(40, 4)) + 1
    theirs = NearestCentroid().fit(FEATURES, LABELS).predict(queries)
    np.testing.assert_array_equal(ours.prototype_predict(FEATURES, LABELS, queries), theirs)


def test_ties_go_to_the_lower_label() -> None:
    found = ours.prototype_predict(np.array([[0.0], [2.0]]), np.array([9, 5]), np.array([[1.0]]))
    assert found.tolist() == [5]


def test_the_score_leaves_one_out_as_scikit_learn_does() -> None:
    theirs = cross_val_score(NearestCentroid(), FEATURES, LABELS, cv=LeaveOneOut()).mean()
    assert ours.nearest_centroid_score(FEATURES, LABELS) == pytest.approx(theirs)


def test_weights_fall_for_the_source_and_rise_for_the_target() -> None:
    new = ours.tradaboost_weights(np.ones(4), np.array([1, 0, 1, 0]), 2, 0.5, 0.25)
    assert new.tolist() == [0.5, 1, 4, 1]


def test_a_relation_between_shifted_points_is_the_shift() -> None:
    heads, shift = RNG.normal(size=(5, 3)), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ours.relation_vector(heads, heads + shift), shift)


def test_a_relation_leads_to_its_tail_and_never_back_to_the_head() -> None:
    vectors = np.array([[5.0, 0.0], [4.0, 1.0], [0.0, 3.0]])
    assert ours.complete_relation(0, np.array([0.0, 0.01]), vectors) == 1
    assert ours.complete_relation(0, np.array([-5.0, 4.0]), vectors) == 2


def test_distillation_is_the_divergence_of_scipy_and_keras() -> None:
    student, teacher = RNG.normal(size=(2, 5, 4))
    p, q = special.softmax(teacher / 3, axis=1), special.softmax(student / 3, axis=1)
    loss = ours.distillation_loss(student, teacher, 3.0)
    assert loss == pytest.approx(9 * special.rel_entr(p, q).sum(axis=1).mean())
    assert loss == pytest.approx(9 * float(np.mean(keras.losses.kl_divergence(p, q))), rel=1e-5)


def test_distillation_is_finite_for_large_logits() -> None:
    large = np.array([[1000.0, 0.0, -1000.0]])
    assert ours.distillation_loss(large, large[:, ::-1], 2.0) == pytest.approx(4000.0)
    assert ours.distillation_loss(large, large, 2.0) == 0


def test_the_gradient_of_distillation_is_that_of_finite_differences() -> None:
    student, teacher = RNG.normal(size=(2, 3, 4))
    by_hand = numerical_gradient(lambda z: ours.distillation_loss(z, teacher, 2.5), student)
    np.testing.assert_allclose(
        ours.distillation_gradient(student, teacher, 2.5), by_hand, atol=1e-8
    )
