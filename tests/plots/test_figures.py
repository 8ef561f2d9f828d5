"""Static figures: drawn, told in words, the same bytes each time."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from course_lib.errors import CourseError
from course_lib.foundations.losses import softmax
from course_lib.plots import (
    Explorer,
    Picture,
    adam,
    convolution,
    curves,
    fine_tuning,
    losses,
    recurrence,
    regularization,
    sgd,
    training_curves,
    weights_as_images,
    wrong_predictions_figure,
)

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(64, 10))
IMAGES = RANDOM.uniform(size=(6, 8, 8))
LABELS = np.array([0, 1, 2, 0, 1, 2])
PROBABILITIES = softmax(
    np.array([[3.0, 0, 0], [2, 0, 0], [0, 0, 3], [0, 3, 0], [0, 3, 0], [9, 0, 0]])
)
PREDICTIONS = PROBABILITIES.argmax(axis=1)  # wrong for examples 1, 3 and 5

HESSIAN = np.array([[10.0, 4.0], [4.0, 2.0]])
MINIMUM = np.array([0.8, 2.0])
ONE = np.eye(4)
PATH = np.linspace(0, 1, 5)[:, None] * MINIMUM
SINE = regularization.noisy_sine()[:2]
GRID = regularization.GRID
FLIPS = {"as it is": (), "mirrored": (2,)}
SCORES = {
    "random split": {"frozen": np.array([0.8, 0.9]), "fine-tuned": np.array([0.9, 0.9])},
    "modules apart": {"frozen": np.array([0.8, 0.7]), "fine-tuned": np.array([0.7, 0.85])},
}

FIGURES: dict[str, tuple[Callable[[], Picture], str]] = {
    "errors": (losses.squared_and_absolute_error, "at e = 3 it is 9, the absolute value 3"),
    # exp overflows above 709.78 and the largest logit is 2 above the shift; it underflows to zero
    # below about −745.13.
    "overflow": (
        losses.overflow_figure,
        "stays at 0.665 whatever number is added to all logits, if the row maximum is subtracted. "
        "The plain formula gives nan from 708 upwards and from −748 downwards",
    ),
    "training": (
        lambda: training_curves([2.0, 1.0, 0.5], [2.1, 1.2, 0.9], [0.2, 0.5, 0.75]),
        "From epoch 1 to 3: training loss from 2.000 to 0.500, test loss from 2.100 to 0.900, "
        "test accuracy from 0.200 to 0.750.",
    ),
    "one curve": (lambda: training_curves([2.0], unit="step"), "From step 1 to 1:"),
    "weights": (lambda: weights_as_images(WEIGHTS), "10 images of 8 by 8 weights"),
    "zero weights": (lambda: weights_as_images(np.zeros((64, 3))), "3 images of 8 by 8 weights"),
    "mistakes": (
        lambda: wrong_predictions_figure(IMAGES, LABELS, PREDICTIONS, PROBABILITIES),
        "3 of 6 predictions are wrong. The surest of them: "  # the surest come first
        "a 2 taken for a 0 (1.00), a 0 taken for a 1 (0.91)",
    ),
    "no mistakes": (
        lambda: wrong_predictions_figure(IMAGES, LABELS, LABELS, PROBABILITIES),
        "0 of 6 predictions are wrong.",
    ),
    "curves": (  # of repetitions the mean, without what is not finite
        lambda: curves(
            [0.1, 1.0, 10.0],
            {"rising": [1.0, 2.0, 4.0], "repeated": [[1, 3], [2, 2], [np.nan, 1]]},
            "rate",
            "loss",
            logarithmic="xy",
        ),
        "loss against rate. rising: from 1 at 0.1 to 4 at 10, lowest 1 at 0.1, highest 4 at 10. "
        "repeated: from 2 at 0.1 to 2 at 1",
    ),
    "a lost curve": (
        lambda: curves([1, 2], {"lost": [np.nan, np.inf], "kept": [2.0, 1.0]}, "step", "loss"),
        "loss against step. lost: no finite value. kept: from 2 at 1",
    ),
    "curves in words": (
        lambda: curves([1, 2], {"wild": [1.0, 7.0]}, "step", "loss", words={"wild": "jumps"}),
        "loss against step. wild: jumps.",
    ),
    "equal but for rounding": (
        lambda: curves([1, 2, 3], {"flat": [0.5, 0.5 - 1e-16, 0.5 + 2e-16]}, "step", "loss"),
        "lowest 0.5 at 1, highest 0.5 at 1",
    ),
    "fits": (
        lambda: regularization.fits(*SINE, {"flat": 0 * GRID, "no": -GRID}),
        "flat, from 0.0 to 0.0; no, from −1.0 to 1.0",
    ),
    "shares": (
        lambda: regularization.shares_kept(np.array([1.0, 0.01]), {"r": np.array([0.9, 0.1])}),
        "r: 0.90 for the largest, 0.1 for the smallest",
    ),
    "shrinking": (lambda: regularization.shrinking(0.5), "exactly zero between −0.5 and 0.5"),
    "weights side by side": (
        lambda: regularization.weights_side_by_side(
            np.array([1.0, 0, 0]), {"a": np.array([0.8, 0.1, -0.2]), "b": np.array([0.7, 0, 0.1])}
        ),
        "b: 1 of 3 exactly zero; the largest of the useless ones has size 0.10",
    ),
    "stopping": (
        lambda: regularization.stopping_curves([2.0, 1.0, 0.5], [2.0, 1.2, 1.5], best=1),
        "The validation loss is least, 1.20, at step 1",
    ),
    "scores by strength": (
        lambda: regularization.scores_by_strength(
            np.array([0.1, 1.0]), {"validation": np.array([[0.5, 0.7], [0.6, 0.8]])}
        ),
        "from 55% at the weakest to 75% at the strongest, at most 75% at 1",
    ),
    "one path": (
        lambda: sgd.paths_on_contours(HESSIAN, MINIMUM, {"straight": PATH}),
        "straight: 4 steps, loss above the minimum from 14 to 0.",
    ),
    "paths": (
        lambda: sgd.paths_on_contours(HESSIAN, MINIMUM, {"a": PATH, "b": PATH[:3]}),
        "a: 4 steps, loss above the minimum from 14 to 0. "
        "b: 2 steps, loss above the minimum from 14 to 3.4.",
    ),
    "network": (sgd.network_figure, "Backward: the gradient G at z"),
    "hidden units": (lambda: sgd.hidden_units(WEIGHTS[:, :7]), "weights of 7 hidden units"),
    "variants": (
        lambda: fine_tuning.variants_figure(np.zeros((4, 4, 1)), FLIPS),
        "The same solar cell 2 times: as it is, mirrored.",
    ),
    "scores": (
        lambda: fine_tuning.scores_figure(SCORES),
        "random split: frozen 85.0, fine-tuned 90.0. modules apart: frozen 75.0",
    ),
    "a window": (
        lambda: convolution.window_figure(ONE, np.eye(2), np.eye(3) * 2, at=(1, 1)),
        "an output of 3 by 3. The window at row 2, column 2 gives 1·1 + 1·1 = 2.",
    ),
    "maps": (
        lambda: convolution.maps_figure(ONE, np.ones((3, 3, 2)), ONE[:2, :2, None] * [1, 0]),
        "from −1 (orange) to 1 (blue), and below each the map that it makes of one image. "
        "Maps that are empty: 1.",
    ),
    "what units see": (
        lambda: convolution.seen_figure(ONE, {"first": 2, "second": 3}, (0, 0)),
        "of first 2 by 2 pixels, of second 3 by 3 pixels.",
    ),
    "answers": (
        lambda: convolution.answers_figure(
            [np.zeros((4, 4, 3))] * 2, [{"cat": 0.875, "dog": 0.125}, {"tench": 0.5}], "Said"
        ),
        "Said. 2 photographs: cat 88%, dog 12%; tench 50%.",
    ),
    "chain": (recurrence.chain_figure, "h0, h1, h2, h3 and so on to hT"),
    "few labels": (
        lambda: recurrence.transfer_figure(
            {3: {"counting": np.array([0.4, 0.6]), "a network": np.array([0.6, 0.8])}}, 0.125
        ),
        "3 words of each: counting 50, a network 70.",
    ),
}
EXPLORERS: list[Callable[[], Explorer]] = [
    losses.line_explorer,
    losses.logits_explorer,
    regularization.strength_explorer,
    lambda: sgd.momentum_explorer(HESSIAN, MINIMUM),
    adam.average_explorer,
    adam.optimizer_explorer,
    fine_tuning.rates_explorer,
    lambda: convolution.kernel_explorer(np.zeros((12, 12, 3))),
    lambda: recurrence.belief_explorer(
        lambda word: np.full((len(word), 7), 1 / 7), [*"ABCDEFG"], "saksalainen"
    ),
]


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_words_and_the_same_bytes_twice(name: str) -> None:
    draw, words = FIGURES[name]
    picture = draw()
    data, metadata = picture._repr_mimebundle_()
    assert words in picture.alt
    assert data["text/plain"] == repr(picture) == metadata["image/png"]["alt"] == picture.alt
    assert data == draw()._repr_mimebundle_()[0]
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    gray = np.asarray(image.convert("L"))
    assert gray.min() < 80  # something is drawn
    assert gray.max() == 255
    assert image.width == pytest.approx(1.5 * metadata["image/png"]["width"], abs=1)


@pytest.mark.parametrize("draw", [*(draw for draw, _ in FIGURES.values()), *EXPLORERS])
def test_no_text_is_cut_off_at_the_edge(draw: Callable[[], Picture | Explorer]) -> None:
    figure = draw().figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width
    assert box.y1 <= height


@pytest.mark.parametrize(
    ("number", "spoken"), [(7, "a 7"), (8, "an 8"), (11, "an 11"), (18, "an 18"), (81, "an 81")]
)
def test_numbers_get_the_article_that_they_are_spoken_with(number: int, spoken: str) -> None:
    rows = np.zeros((1, number + 2))
    rows[0, number] = 1.0
    picture = wrong_predictions_figure(
        IMAGES[:1], np.array([number + 1]), np.array([number]), rows, count=1
    )
    assert f"taken for {spoken} (1.00)" in picture.alt


def test_flat_images_are_drawn_as_squares() -> None:
    flat = wrong_predictions_figure(IMAGES.reshape(6, 64), LABELS, PREDICTIONS, PROBABILITIES)
    assert flat._repr_mimebundle_() == FIGURES["mistakes"][0]()._repr_mimebundle_()


def test_more_curves_than_lines_are_refused() -> None:
    with pytest.raises(CourseError, match="4 curves in one figure"):
        curves([1, 2], {name: [1.0, 2.0] for name in "abcd"}, "step", "loss")


def test_what_cannot_be_drawn_is_said_in_a_sentence() -> None:
    with pytest.raises(CourseError, match="no losses"):
        training_curves([])
    with pytest.raises(CourseError, match="65 pixels do not fill a square"):
        weights_as_images(np.zeros((65, 10)))
