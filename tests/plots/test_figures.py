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
    Picture,
    overflow_figure,
    squared_and_absolute_error,
    training_curves,
    weights_as_images,
    wrong_predictions_figure,
)
from course_lib.plots.training import curves

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(64, 10))
IMAGES = RANDOM.uniform(size=(6, 8, 8))
LABELS = np.array([0, 1, 2, 0, 1, 2])
PROBABILITIES = softmax(
    np.array([[3.0, 0, 0], [2, 0, 0], [0, 0, 3], [0, 3, 0], [0, 3, 0], [9, 0, 0]])
)
PREDICTIONS = PROBABILITIES.argmax(axis=1)  # wrong for examples 1, 3 and 5

FIGURES: dict[str, Callable[[], Picture]] = {
    "errors": squared_and_absolute_error,
    "overflow": overflow_figure,
    "curves": lambda: training_curves([2.0, 1.0, 0.5], [2.1, 1.2, 0.9], [0.2, 0.5, 0.75]),
    "one curve": lambda: training_curves([2.0]),
    "weights": lambda: weights_as_images(WEIGHTS),
    "zero weights": lambda: weights_as_images(np.zeros((64, 3))),
    "mistakes": lambda: wrong_predictions_figure(IMAGES, LABELS, PREDICTIONS, PROBABILITIES),
    "no mistakes": lambda: wrong_predictions_figure(IMAGES, LABELS, LABELS, PROBABILITIES),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_words_and_the_same_bytes_twice(name: str) -> None:
    picture = FIGURES[name]()
    data, metadata = picture._repr_mimebundle_()
    assert len(picture.alt) > 20
    assert data["text/plain"] == repr(picture) == metadata["image/png"]["alt"] == picture.alt
    assert data == FIGURES[name]()._repr_mimebundle_()[0]
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    grey = np.asarray(image.convert("L"))
    assert grey.min() < 80  # something is drawn
    assert grey.max() == 255
    assert image.width == pytest.approx(1.5 * metadata["image/png"]["width"], abs=1)


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_at_the_edge(name: str) -> None:
    figure = FIGURES[name]().figure
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_overflow_is_told_where_float64_ends() -> None:
    # exp overflows above 709.78 and the largest logit is 2 above the shift;
    # it underflows to zero below about −745.13.
    assert "stays at 0.665" in overflow_figure().alt
    assert "nan from 708 upwards and from −748 downwards" in overflow_figure().alt


def test_mistakes_come_surest_first() -> None:
    alt = wrong_predictions_figure(IMAGES, LABELS, PREDICTIONS, PROBABILITIES, count=2).alt
    assert alt == (
        "3 of 6 predictions are wrong. The surest of them: "
        "a 2 taken for a 0 (1.00), a 0 taken for a 1 (0.91)."
    )


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
    assert flat._repr_mimebundle_() == FIGURES["mistakes"]()._repr_mimebundle_()


def test_curves_are_told_from_first_to_last() -> None:
    assert FIGURES["curves"]().alt == (
        "From epoch 1 to 3: training loss from 2.000 to 0.500, test loss from 2.100 to 0.900, "
        "test accuracy from 0.200 to 0.750."
    )
    assert training_curves([1.0, 0.5], unit="step").alt.startswith("From step 1 to 2:")


def test_a_curve_without_numbers_is_told_as_such() -> None:
    picture = curves([1, 2], {"lost": [np.nan, np.inf], "kept": [2.0, 1.0]}, "step", "loss")
    assert picture.alt.startswith("loss against step. lost: no finite value. kept: from 2 at 1")


def test_more_curves_than_lines_are_refused() -> None:
    with pytest.raises(CourseError, match="4 curves in one figure"):
        curves([1, 2], {name: [1.0, 2.0] for name in "abcd"}, "step", "loss")


def test_what_cannot_be_drawn_is_said_in_a_sentence() -> None:
    with pytest.raises(CourseError, match="no losses"):
        training_curves([])
    with pytest.raises(CourseError, match="65 pixels do not fill a square"):
        weights_as_images(np.zeros((65, 10)))
