"""What the start page shows first is true, and nothing in it was chosen to look well."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from course_lib.data import elpv
from course_lib.learner import first_look

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network() -> Any:
    return first_look.pretrained_network()


def test_the_network_names_photographs(network: Any) -> None:
    words = first_look.name_photographs(network).alt
    for name in ("palace", "daisy", "military uniform"):
        assert name in words


def test_cells_of_other_modules_are_sorted_and_mistakes_are_marked(network: Any) -> None:
    words = first_look.sort_cells(network).alt
    right, asked = map(int, re.findall(r"(\d+) of (\d+) right", words)[0])
    assert asked == 2 * first_look.ASKED
    assert words.count(": right") == right
    assert words.count("WRONG") == asked - right
    assert 8 <= right <= asked


def test_its_features_are_those_of_the_network_one_image_at_a_time(network: Any) -> None:
    cells = elpv.load(first_look.CELL_SIZE, every=64).images[: first_look.BATCH + 2]
    found = first_look._features(network, cells)
    alone = [network(np.repeat(cell[None], 3, axis=3).astype(float))[0] for cell in cells[-2:]]
    np.testing.assert_allclose(found[-2:], np.concatenate(alone), atol=1e-4)
