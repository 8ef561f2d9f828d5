"""Pictures of lesson 05: what they say is what they show."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, roc_auc_score

from course_lib.plots import feature_extraction as figures


@pytest.fixture(scope="module")
def decision():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [80, 40])
    return np.clip(rng.normal(0.3 + 0.35 * labels, 0.2), 0.001, 0.999), labels


@pytest.fixture(scope="module")
def explorer(decision):
    return figures.threshold_explorer(*decision)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.77])
def test_the_explorer_counts_like_scikit_learn(explorer, decision, threshold):
    p, labels = decision
    explorer.sliders["threshold"].value = threshold
    said = (p >= threshold).astype(int)
    (_, alarms), (_, found) = confusion_matrix(labels, said)
    assert f"{found} of 40 defects" in explorer.alt
    assert f"{alarms} of 80 sound cells" in explorer.alt
    assert f"F1 {f1_score(labels, said):.2f}" in explorer.alt
    assert f"balanced accuracy {balanced_accuracy_score(labels, said):.2f}" in explorer.alt
    assert f"ROC curve {roc_auc_score(labels, p):.3f}" in explorer.alt


def test_the_explorer_has_words_where_nothing_is_called_defective(decision):
    p, labels = decision
    explorer = figures.threshold_explorer(p / 2, labels)
    explorer.sliders["threshold"].value = 0.99
    assert "precision none said" in explorer.alt
    assert "nan" not in explorer.alt


def test_the_explorer_draws_another_picture_at_another_threshold(explorer):
    pictures = set()
    for threshold in (0.01, 0.3, 0.6, 0.99):
        explorer.sliders["threshold"].value = threshold
        pictures.add(explorer.children[-1].value)
    assert len(pictures) == 4


def test_tied_scores_make_the_curve_of_scikit_learn():
    p, labels = np.array([0.1, 0.5, 0.5, 0.5, 0.9]), np.array([0, 0, 1, 1, 0])
    assert f"ROC curve {roc_auc_score(labels, p):.3f}" in figures.threshold_explorer(p, labels).alt


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 8, 8, 1), (2, 3, 8, 8, 3)])
def test_rows_of_images(shape):
    images = np.random.default_rng(0).uniform(-50, 300, shape)
    picture = figures.image_rows(images, [["a", "b", "c"], ["d", "e\nf", "g"]], "Six images")
    assert picture.alt == "Six images. 6 images in 2 rows: a, b, c; d, e f, g."
    assert [axes.get_title() for axes in picture.figure.axes] == ["a", "b", "c", "d", "e\nf", "g"]


def test_feature_maps_shows_those_that_differ_from_place_to_place():
    rng = np.random.default_rng(0)
    stack = np.full((6, 6, 9), 0.5)
    stack[..., [2, 7]] = rng.uniform(0, 1, (6, 6, 2))
    picture = figures.feature_maps(np.zeros((24, 24, 1)), {"early": stack}, count=2)
    assert {axes.get_title() for axes in picture.figure.axes} == {"early: 6x6", "map 2", "map 7"}
    assert "9 maps of 6 by 6 places" in picture.alt


@pytest.mark.parametrize("places", [[25, 100], ["early", "late"]])
def test_lines_leave_out_what_was_not_measured(places):
    scores = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": [[], [0.6]]}
    picture = figures.score_lines(places, scores, "labels", "score")
    first, second = places
    assert picture.alt == (
        f"score against labels: a from 0.55 at {first} to 0.75 at {second}; "
        f"b from 0.60 at {second} to 0.60 at {second}."
    )
    [axes] = picture.figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(p) for p in places]


def test_the_peak_of_a_line_is_told():
    scores = {"a": [[0.5], [0.8], [0.7]], "b": [[0.5], [0.6], [0.7]]}
    alt = figures.score_lines(["early", "middle", "late"], scores, "stage", "score").alt
    assert "a from 0.50 at early to 0.70 at late, highest 0.80 at middle; " in alt
    assert "b from 0.50 at early to 0.70 at late." in alt


def test_both_splits_of_each_method():
    scores = {"features": ([0.9, 0.8], [0.7, 0.6]), "pixels": ([0.6], [0.5])}
    picture = figures.two_splits(scores, "score")
    assert "features 0.85 on random splits and 0.65 by module" in picture.alt
    assert picture.alt.startswith("Score of each method")
    [axes] = picture.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["features", "pixels"]
