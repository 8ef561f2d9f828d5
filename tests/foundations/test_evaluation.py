"""Evaluation against scikit-learn, by hand, and by what must hold for any input."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score
from sklearn.model_selection import GroupKFold

from course_lib.foundations import evaluation


@pytest.fixture(params=range(5))
def rng(request):
    return np.random.default_rng(request.param)


def drawn(rng, classes=4, size=60):
    labels = rng.integers(0, classes, size)
    return labels, np.where(rng.random(size) < 0.6, labels, rng.integers(0, classes, size))


def test_folds_are_those_of_scikit_learn_where_no_two_groups_are_of_one_size(rng):
    sizes = rng.permutation(np.arange(3, 14))
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    ours, theirs = evaluation.grouped_folds(groups, 3), np.empty(len(groups), int)
    for fold, (_, test) in enumerate(GroupKFold(3).split(groups, groups=groups)):
        theirs[test] = fold
    np.testing.assert_array_equal(ours, theirs)


def test_folds_keep_groups_and_sizes_of_scikit_learn_with_groups_of_one_size(rng):
    groups = rng.integers(0, 9, 40)
    folds = evaluation.grouped_folds(groups, 3)
    assert all(len(np.unique(folds[groups == group])) == 1 for group in np.unique(groups))
    theirs = [len(test) for _, test in GroupKFold(3).split(groups, groups=groups)]
    assert sorted(np.bincount(folds)) == sorted(theirs)


def test_groups_of_one_size_go_in_rising_label():
    groups = np.array([9, 9, 4, 4, 6, 6])
    np.testing.assert_array_equal(evaluation.grouped_folds(groups, 3), [2, 2, 0, 0, 1, 1])


def test_the_confusion_matrix_is_that_of_scikit_learn(rng):
    labels, predictions = drawn(rng)
    theirs = confusion_matrix(labels, predictions, labels=range(6))
    np.testing.assert_array_equal(evaluation.confusion_matrix(labels, predictions, 6), theirs)


def test_the_report_is_that_of_scikit_learn(rng):
    labels, predictions = drawn(rng, size=12)
    table = evaluation.precision_recall_f1(evaluation.confusion_matrix(labels, predictions, 6))
    theirs = precision_recall_fscore_support(
        labels, predictions, labels=range(6), zero_division=0.0
    )
    np.testing.assert_allclose(table, np.transpose(theirs[:3]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("decimals", [8, 0])
def test_the_area_is_that_of_scikit_learn(rng, decimals):
    labels = np.repeat([0, 1], [30, 17])
    scores = np.round(rng.normal(labels, 1.0), decimals)
    ours, theirs = evaluation.roc_auc(labels, scores), roc_auc_score(labels, scores)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_the_area_knows_only_the_order(rng):
    labels, scores = rng.permutation(np.repeat([0, 1], 20)), rng.normal(size=40)
    area = evaluation.roc_auc(labels, scores)
    assert evaluation.roc_auc(labels, np.exp(3 * scores)) == area
    assert evaluation.roc_auc(labels, -scores) == pytest.approx(1 - area)


def test_calibration_by_hand():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [1.0, 0.0]])
    labels = np.array([0, 1, 1, 0])
    # Bin of ½ to 1: mean confidence 0.825, three of four right.
    assert evaluation.expected_calibration_error(p, labels, 2) == pytest.approx(0.075)


def test_a_promise_that_is_kept_has_no_error():
    p = np.tile([0.75, 0.25], (8, 1))
    labels = np.array([0, 0, 0, 1] * 2)
    assert evaluation.expected_calibration_error(p, labels, 10) == 0


def test_a_bin_owns_its_upper_edge():
    p = np.array([[0.5, 0.5], [0.75, 0.25]])
    labels = np.array([1, 0])
    assert evaluation.expected_calibration_error(p, labels, 4) == pytest.approx((0.5 + 0.25) / 2)


def test_the_bootstrap_counts_ties_against_the_claim(rng):
    right = rng.integers(0, 2, 12)
    resamples = rng.integers(0, 12, (30, 12))
    assert evaluation.paired_bootstrap(right, right, resamples) == 1.0
    assert evaluation.paired_bootstrap(np.ones(12), np.zeros(12), resamples) == 0.0


def test_the_bootstrap_keeps_pairs_together():
    """One example on which only A is right: A leads wherever it is drawn."""
    a, b = np.array([1, 0, 1]), np.array([0, 0, 1])
    resamples = np.array([[0, 1, 1], [1, 1, 2], [2, 2, 2], [0, 0, 2]])
    assert evaluation.paired_bootstrap(a, b, resamples) == 0.5


def test_grad_cam_of_a_linear_head_is_the_weighted_sum_of_maps(rng):
    """Behind an average and one linear layer it is the class activation map of Zhou et al."""
    maps, weights = rng.normal(size=(4, 5, 3)), rng.normal(size=3)
    heat = evaluation.grad_cam(maps, np.broadcast_to(weights / 20, maps.shape))
    cam = np.maximum((maps * weights).sum(axis=2), 0)
    np.testing.assert_allclose(heat, cam / cam.max())


def test_nothing_for_the_class_stays_dark():
    assert not evaluation.grad_cam(np.ones((2, 3, 4)), -np.ones((2, 3, 4))).any()
