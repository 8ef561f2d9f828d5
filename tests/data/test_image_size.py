"""Sizes of images, as numbers and as Keras' users write them."""

import numpy as np
import pytest

from course_lib.data.image_size import side_length
from course_lib.errors import UsageError


@pytest.mark.parametrize("size", [96, (96, 96), [96, 96], np.int64(96)])
def test_a_number_or_a_pair(size):
    assert side_length(size, 32) == 96


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((96, 64), "96 by 64, but images are made square"),
        (96.0, r"image_size is 96\.0: give the pixels along each side"),
        ("96", "image_size is '96'"),
        ((96, 96, 3), "give the pixels along each side"),
        (None, "image_size is None"),
        (31, "image_size is 31: it has to be 32 or more"),
        (-1, "32 or more"),
    ],
)
def test_anything_else_is_one_sentence(size, sentence):
    with pytest.raises(UsageError, match=sentence):
        side_length(size, 32)
