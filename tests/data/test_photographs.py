"""Photographs that are installed anyway, and the names of what is on them."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.data import photographs
from course_lib.errors import UsageError


@pytest.mark.parametrize("name", photographs.NAMES)
def test_a_photograph_is_a_square_of_bytes_with_many_colors(name: str) -> None:
    image = photographs.load(name, 96)
    assert image.shape == (96, 96, 3)
    assert image.dtype == np.uint8
    assert image.std(axis=(0, 1)).min() > 20
    assert np.abs(image[..., 0].astype(int) - image[..., 2]).mean() > 5


def test_an_unknown_photograph_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="there are pagoda, flower, officer"):
        photographs.load("cat")


def test_imagenets_classes_have_their_numbers() -> None:
    names = photographs.imagenet_classes()
    assert len(names) == 1000
    known = {0: "tench", 207: "golden retriever", 652: "military uniform", 985: "daisy"}
    assert {number: names[number] for number in known} == known
