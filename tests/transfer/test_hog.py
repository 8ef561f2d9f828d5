"""Histograms of oriented gradients say which way the edges run."""

import numpy as np
import pytest

from course_lib.errors import UsageError
from course_lib.transfer.hog import BINS, hog

SIDE = 32


def stripes(degrees, side=SIDE):
    """Waves whose gradient points in this direction (from right, downwards)."""
    y, x = np.mgrid[:side, :side]
    angle = np.deg2rad(degrees)
    return 128 + 100 * np.sin(0.9 * (x * np.cos(angle) + y * np.sin(angle)))


@pytest.mark.parametrize("number", range(BINS))
def test_an_edge_counts_in_the_bin_of_its_direction(number):
    rows = hog(stripes(20 * number)[None])
    assert rows.reshape(-1, BINS).sum(axis=0).argmax() == number


def test_an_edge_between_two_bins_counts_in_both():
    strength = hog(stripes(30)[None]).reshape(-1, BINS).sum(axis=0)
    assert set(np.argsort(strength)[-2:]) == {1, 2}


def test_neither_brightness_nor_contrast_nor_sign_count():
    image = np.random.default_rng(0).uniform(0, 255, (1, SIDE, SIDE))
    expected = hog(image)
    for other in (image + 20, image / 2, 255 - image):
        np.testing.assert_allclose(hog(other), expected, atol=1e-5)


def test_shape_and_length_of_blocks():
    images = np.random.default_rng(0).integers(0, 256, (130, SIDE, SIDE, 1), dtype=np.uint8)
    rows = hog(images, cell=8)
    assert rows.shape == (130, 3 * 3 * 4 * BINS)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows.reshape(130, 9, -1), axis=2)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    np.testing.assert_allclose(hog(images[-3:]), rows[-3:], atol=1e-6)  # whatever the chunk


def test_an_image_without_edges_is_all_zero():
    assert not hog(np.full((1, 16, 16), 200)).any()


@pytest.mark.parametrize("shape", [(16, 16), (1, 16, 24), (1, 20, 20), (1, 8, 8), (1, 16, 16, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UsageError, match=r"shape \("):
        hog(np.zeros(shape))
