"""The pictures of lesson 06 show what the references compute."""

import numpy as np
import pytest

from course_lib.foundations.fine_tuning import layerwise_learning_rates
from course_lib.foundations.sgd import cosine_with_warmup
from course_lib.plots import fine_tuning as figures

FLIPS = {"as it is": (), "mirrored": (2,)}
SCORES = {
    "random split": {"frozen": np.array([0.8, 0.9]), "fine-tuned": np.array([0.9, 0.9])},
    "modules apart": {"frozen": np.array([0.8, 0.7]), "fine-tuned": np.array([0.7, 0.85])},
}


@pytest.fixture(scope="module")
def rates():
    return figures.rates_explorer()


@pytest.mark.parametrize(("warmup", "decay"), [(0.0, 1.0), (0.1, 0.5), (0.5, 0.05)])
def test_rates_are_those_of_the_references(rates, warmup, decay):
    rates.sliders["warmup"].value, rates.sliders["decay"].value = warmup, decay
    peaks = layerwise_learning_rates(3, figures.BASE, decay)
    warm = round(warmup * figures.STEPS)
    schedule = [cosine_with_warmup(t, figures.STEPS, warm, 1.0) for t in range(figures.STEPS + 1)]
    axes, bars = rates.figure.axes
    for line, bar, peak in zip(axes.lines, bars.patches, peaks, strict=True):
        np.testing.assert_allclose(line.get_ydata(), peak * np.array(schedule))
        assert bar.get_width() == pytest.approx(peak * sum(schedule))
    assert f"a rise over the first {warm}," in rates.alt
    assert f"head at most {peaks[2]:.3g}, in all {peaks[2] * sum(schedule):.3g}." in rates.alt


def test_every_position_gives_a_picture_of_its_own(rates):
    pictures = set()
    for decay in (0.05, 0.5, 1.0):
        for warmup in (0.0, 0.25, 0.5):
            rates.sliders["warmup"].value, rates.sliders["decay"].value = warmup, decay
            assert not rates._failed
            pictures.add(rates._picture.value)
    assert len(pictures) == 9


def test_training_curves_tell_training_from_validation():
    picture = figures.training_curves([0.9, 0.5], [0.8, 0.7])
    assert "training: from 0.9 at 1 to 0.5 at 2" in picture.alt
    assert "validation: from 0.8 at 1 to 0.7 at 2" in picture.alt
    [axes] = picture.figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]


def test_variants_are_the_image_turned_round():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    picture = figures.variants_figure(image, FLIPS)
    shown = [np.asarray(axes.images[0].get_array()) for axes in picture.figure.axes]
    np.testing.assert_array_equal(shown[0], image[..., 0])
    np.testing.assert_array_equal(shown[1], image[:, ::-1, 0])
    assert picture.alt == "The same solar cell 2 times: as it is, mirrored."


def test_scores_are_means_with_the_standard_error_of_their_test_parts():
    picture = figures.scores_figure(SCORES, tested=100)
    [axes] = picture.figure.axes
    for container, by_method in zip(axes.containers, SCORES.values(), strict=True):
        means = np.array([values.mean() for values in by_method.values()])
        np.testing.assert_allclose(container.lines[0].get_xdata(), 100 * means)
        segments = np.array([s[:, 0] for s in container.lines[2][0].get_segments()])
        errors = 100 * np.sqrt(means * (1 - means) / 200)
        np.testing.assert_allclose(segments.T, [100 * means - errors, 100 * means + errors])
    assert "random split: frozen 85.0, fine-tuned 90.0. modules apart: frozen 75.0" in picture.alt


def test_single_splits_are_ticks_beside_their_mean():
    scores = {"random split": {"frozen": np.array([0.8, 0.9]), "control": np.array([0.7])}}
    [axes] = figures.scores_figure(scores, tested=100).figure.axes
    [ticks] = [line for line in axes.lines if line.get_marker() == "|"]
    np.testing.assert_allclose(ticks.get_xdata(), [80, 90, 70])
    np.testing.assert_array_equal(ticks.get_ydata(), [0, 0, 1])
