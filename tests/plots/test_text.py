"""The explorer of lesson 14 tells where a token looks."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.plots import Explorer
from course_lib.plots.text import attention_explorer

TOKENS = ["[CLS]", "the", "bank", "the"]


@pytest.fixture
def explorer() -> Explorer:
    shares = np.full((2, 3, 4, 4), 0.25)
    shares[1, 2, 2] = [0.1, 0.0, 0.2, 0.7]
    return attention_explorer(TOKENS, shares)


def test_it_tells_where_a_token_looks_most(explorer: Explorer) -> None:
    for name, value in {"layer": 2, "head": 3, "token": 2}.items():
        explorer.sliders[name].value = value
    assert explorer.alt == (
        "In layer 2, head 3, “bank” looks most at “the”: 0.70 of its attention."
    )


def test_a_token_that_stands_there_twice_can_be_chosen_twice(explorer: Explorer) -> None:
    values = [value for _, value in explorer.sliders["token"].options]
    assert values == [0, 1, 2, 3]


def test_no_text_is_cut_off_at_the_edge(explorer: Explorer) -> None:
    figure = explorer.figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_the_picture_moves_with_the_sliders(explorer: Explorer) -> None:
    seen = {explorer._repr_mimebundle_()[0]["image/png"]}
    for name, value in {"token": 2, "layer": 2, "head": 3}.items():
        explorer.sliders[name].value = value
        seen.add(explorer._repr_mimebundle_()[0]["image/png"])
    assert len(seen) == 3  # all shares of layer 2 are equal but in its third head
