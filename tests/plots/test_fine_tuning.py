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


def test_the_legend_hides_no_curve(rates):
    axes = rates.figure.axes[0]
    below = axes.get_legend().get_window_extent().y0
    for warmup in (0.0, 0.25, 0.5):
        rates.sliders["warmup"].value = warmup
        for line in axes.lines:
            points = axes.transData.transform(line.get_xydata())
            assert points[:, 1].max() < below


def test_variants_are_the_image_turned_round():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    picture = figures.variants_figure(image, FLIPS)
    shown = [np.asarray(axes.images[0].get_array()) for axes in picture.figure.axes]
    np.testing.assert_array_equal(shown[0], image[..., 0])
    np.testing.assert_array_equal(shown[1], image[:, ::-1, 0])
    assert picture.alt == "The same solar cell 2 times: as it is, mirrored."


def test_scores_are_means_with_the_standard_error_of_overlapping_splits():
    picture = figures.scores_figure(SCORES)
    [axes] = picture.figure.axes
    for container, by_method in zip(axes.containers, SCORES.values(), strict=True):
        means = np.array([values.mean() for values in by_method.values()])
        np.testing.assert_allclose(container.lines[0].get_xdata(), 100 * means)
        segments = np.array([s[:, 0] for s in container.lines[2][0].get_segments()])
        deviations = np.array([values.std(ddof=1) for values in by_method.values()])
        errors = 100 * deviations * np.sqrt(1 / 2 + 1 / 3)  # two splits, a quarter to test
        np.testing.assert_allclose(segments.T, [100 * means - errors, 100 * means + errors])
    assert "random split: frozen 85.0, fine-tuned 90.0. modules apart: frozen 75.0" in picture.alt


def test_single_splits_are_ticks_beside_their_mean():
    scores = {"random split": {"frozen": np.array([0.8, 0.9]), "control": np.array([0.7])}}
    [axes] = figures.scores_figure(scores).figure.axes
    [ticks] = [line for line in axes.lines if line.get_marker() == "|"]
    np.testing.assert_allclose(ticks.get_xdata(), [80, 90, 70])
    np.testing.assert_array_equal(ticks.get_ydata(), [0, 0, 1])


def test_changed_verdicts_are_put_right_or_spoiled():
    images = np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3, 1)
    truth, before = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    picture = figures.changed_figure(images, truth, before, np.array([1, 1, 0, 1]), count=3)
    assert picture.alt == "Images whose verdict changed, of 4: 2 put right and 1 spoiled."
    shown = [
        (axes.get_title(), axes.images[0].get_array())
        for axes in picture.figure.axes
        if axes.images
    ]
    assert [title for title, _ in shown] == ["0 → 1", "1 → 0", "0 → 1"]
    for (_, image), n in zip(shown, (1, 2, 0), strict=True):
        np.testing.assert_array_equal(image, images[n, ..., 0])


def test_a_live_curve_is_one_figure_that_grows(capsys):
    keras = pytest.importorskip("keras")
    from course_lib.plots.live import LiveCurve

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True), metrics=["accuracy"])
    x, y = np.eye(2), np.array([0, 1])
    live = LiveCurve(0.25, {"frozen": 0.5}, metric="accuracy", label="accuracy on all")
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[live]).history
    assert live.values == pytest.approx([0.25, *history["accuracy"]])
    picture = live.picture()
    [axes] = picture.figure.axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), live.values)
    assert picture.alt.startswith("accuracy on all, before and after each epoch: 0.25, ")
    assert picture.alt.endswith(" frozen: 0.50.")


def test_a_live_curve_leaves_out_the_epochs_of_an_earlier_run():
    pytest.importorskip("keras")
    from course_lib.plots.live import LiveCurve

    live = LiveCurve(0.25, {}, metric="accuracy")
    live.on_train_begin()
    live.on_epoch_end(2, {"accuracy": 0.5})
    np.testing.assert_array_equal(live.values, [0.25, np.nan, np.nan, 0.5])
    assert live.picture().alt == "accuracy, before and after each epoch: 0.25, 0.50."
