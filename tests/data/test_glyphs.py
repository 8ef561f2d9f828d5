"""Drawn letters and digits: sizes, a steady and an unsteady hand, and what all typefaces share."""

from __future__ import annotations

import numpy as np

from course_lib.data import glyphs


def test_a_steady_hand_draws_the_same_twice() -> None:
    first, second = glyphs.draw("A8"), glyphs.draw("A8")
    np.testing.assert_array_equal(first, second)
    assert first.shape == (2, 64)
    assert 0 <= first.min() < first.max() <= 1


def test_bold_has_more_ink_in_every_family() -> None:
    for family, endings in glyphs.FAMILIES.items():
        regular, bold = (glyphs.draw("HEn5", family + ending, 16) for ending in endings[:2])
        assert bold.sum() > regular.sum()


def test_an_alphabet_is_every_character_in_every_file() -> None:
    images, labels = glyphs.alphabet("AB3", copies=2)
    assert images.shape == (2 * len(glyphs.FILES) * 3, 64)
    assert np.bincount(labels).tolist() == [2 * len(glyphs.FILES)] * 3
    again, _ = glyphs.alphabet("AB3", copies=2)
    np.testing.assert_array_equal(images, again)
    assert not np.array_equal(images, glyphs.alphabet("AB3", copies=2, seed=1)[0])


def test_most_drawn_digits_are_nearest_to_their_like() -> None:
    plain = glyphs.draw("017")
    images, labels = glyphs.alphabet("017", copies=1)
    far = ((images[:, None] - plain) ** 2).sum(axis=2)
    assert np.mean(far.argmin(axis=1) == labels) > 0.6


def test_a_digit_is_more_like_others_of_its_class() -> None:
    images, labels = glyphs.alphabet("0123456789", copies=2)
    learned, asked = np.split(images, 2)
    means = np.array([learned[labels[: len(learned)] == k].mean(axis=0) for k in range(10)])
    distance = ((asked[:, None] - means) ** 2).sum(axis=2)
    assert np.mean(distance.argmin(axis=1) == labels[len(learned) :]) > 0.7
