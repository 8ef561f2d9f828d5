"""Digits drawn in fonts: in the form of the handwritten ones, ten classes alike, seeded."""

from __future__ import annotations

import numpy as np

from course_lib.data import printed_digits


def test_they_have_the_form_of_the_handwritten_ones() -> None:
    images, labels = printed_digits.load(seed=1, each=2)
    assert images.shape == (2 * 10 * len(printed_digits.FACES), 64)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(np.bincount(labels), 2 * len(printed_digits.FACES))


def test_a_seed_gives_the_same_digits() -> None:
    first, again, other = (printed_digits.load(seed, 1)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_a_digit_is_more_like_others_of_its_class() -> None:
    images, labels = printed_digits.load(seed=0, each=2)
    means = np.array([images[::2][labels[::2] == label].mean(axis=0) for label in range(10)])
    distance = ((images[1::2, None] - means) ** 2).sum(axis=2)
    assert np.mean(distance.argmin(axis=1) == labels[1::2]) > 0.8
