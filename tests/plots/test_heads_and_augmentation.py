"""Lesson 10's pictures: they show what their numbers say."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from course_lib.foundations.heads_and_augmentation import flip_horizontal, shear_displacement
from course_lib.plots import heads_and_augmentation as figures

PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, (61, 61, 3), dtype=np.uint8)
GAINS = {
    "digits": {"left and right": (-5.0, 1.0), "shift": (0.5, 0.4)},
    "cells": {"left and right": (0.1, 2.0), "shift": (9.0, 1.5)},
}


def test_gains_have_words_and_the_same_bytes_twice() -> None:
    picture = figures.gains_figure(GAINS, "gain in points")
    assert "digits: left and right −5.0, shift +0.5. cells: left and right +0.1" in picture.alt
    data, metadata = picture._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == picture.alt
    assert data == figures.gains_figure(GAINS, "gain in points")._repr_mimebundle_()[0]
    gray = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("L"))
    assert gray.min() < 80
    assert gray.max() == 255


def test_no_text_of_the_gains_is_cut_off() -> None:
    figure = figures.gains_figure(GAINS, "gain in points").figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width
    assert box.y1 <= height


# --- switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [20.0, -35.0])
def test_a_shear_moves_the_upper_edge_as_far_as_lesson_10_says(degrees: float) -> None:
    edge = figures.warp_matrix(shear=degrees) @ np.array([-50.0, 0.0])
    assert edge == pytest.approx([-50.0, shear_displacement(100, degrees)])


def test_a_turn_is_counterclockwise_and_a_flip_is_that_of_lesson_10() -> None:
    image = PHOTOGRAPH.astype(float)
    quarter, outside = figures.warped(image, figures.warp_matrix(rotation=90), np.zeros(2))
    np.testing.assert_allclose(quarter, np.rot90(image), atol=1e-6)
    assert outside < 0.02
    flipped, _ = figures.warped(image, figures.warp_matrix(flip="left and right"), np.zeros(2))
    np.testing.assert_allclose(flipped, flip_horizontal(image[None], np.array([True]))[0])


def test_all_switches_together_are_those_of_keras() -> None:
    """Keras counts from the corner, in columns and rows, and from the new image to the old."""
    keras = pytest.importorskip("keras")
    image = PHOTOGRAPH.astype(float)
    matrix = figures.warp_matrix(shear=12, rotation=-25, wider=30, taller=-10)
    shift, center = np.array([4.0, -7.0]), np.array([30.0, 30.0])
    ours, _ = figures.warped(image, matrix, shift)
    back = np.linalg.inv(matrix)
    start = center - back @ (center + shift)
    turned = [back[1, 1], back[1, 0], start[1], back[0, 1], back[0, 0], start[0], 0, 0]
    theirs = keras.ops.image.affine_transform(
        image, np.array(turned), interpolation="bilinear", fill_mode="nearest"
    )
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), atol=0.05)


def test_what_lies_outside_is_counted() -> None:
    _, outside = figures.warped(PHOTOGRAPH, np.eye(2), np.array([0.0, 61 / 2]))
    assert outside == pytest.approx(0.5, abs=0.02)
    _, outside = figures.warped(PHOTOGRAPH, np.eye(2), np.zeros(2))
    assert outside == 0


def test_the_explorer_says_what_its_switches_do() -> None:
    explorer = figures.switches_explorer(PHOTOGRAPH)
    before = explorer.children[-1].value
    explorer.sliders["shear"].value = -45.0
    found = re.search(r"the upper edge moves (\S+) of 61 pixels", explorer.alt)
    assert found
    assert found[1] == "−30.5"
    for name, value in [("right", 10.0), ("flip", "upside down"), ("brighter", -50.0)]:
        explorer.sliders[name].value = value
    assert "10% to the right" in explorer.alt
    assert "−50% brighter; flip: upside down" in explorer.alt
    assert explorer.children[-1].value != before
    for name, control in explorer.sliders.items():
        for value in (control.min, control.max) if name != "flip" else figures.FLIPS:
            control.value = value
            assert "could not be drawn" not in explorer.alt


def test_stripes_are_one_pixel_wide() -> None:
    images = figures.stripes(20, [3, 7])
    assert images.shape == (2, 20, 20, 1)
    assert (images[1, :, 7] == 0).all()
    assert (images == 0).sum() == 40
