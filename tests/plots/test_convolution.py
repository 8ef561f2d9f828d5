"""The explorer of lesson 07 makes of a photograph what its nine numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.plots import Explorer
from course_lib.plots import convolution as figures


@pytest.fixture
def explorer() -> Explorer:
    """On a picture that is dark on the left and bright on the right."""
    photograph = np.zeros((10, 10, 3))
    photograph[:, 5:] = 200
    return figures.kernel_explorer(photograph)


def kernel(explorer: Explorer) -> list[float]:
    return [explorer.values[f"k{n // 3}{n % 3}"] for n in range(9)]


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("right minus left", "has values from 0 to 600"),
        ("below minus above", "has values from 0 to 0"),
        ("the picture itself", "has values from 0 to 200"),
        ("middle minus neighbors", "has values from −200 to 200"),
        ("sharper", "has values from −200 to 400"),
    ],
)
def test_to_begin_with_a_kernel_moves_all_nine_sliders(
    explorer: Explorer, name: str, made: str
) -> None:
    explorer.sliders["begin"].value = "mean of nine"
    assert "from 0 to 200" in explorer.alt
    explorer.sliders["begin"].value = name
    assert kernel(explorer) == list(figures.KERNELS[name])
    assert made in explorer.alt


def test_each_kernel_is_where_sliders_can_stand(explorer: Explorer) -> None:
    """A browser moves a slider to its next step, and says so."""
    one = explorer.sliders["k00"]
    for numbers in figures.KERNELS.values():
        steps = (np.array(numbers) - one.min) / one.step
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


def test_each_slider_is_its_own_number_of_the_kernel(explorer: Explorer) -> None:
    explorer.sliders["begin"].value = "the picture itself"
    explorer.sliders["k11"].value = 0
    explorer.sliders["k02"].value = -2.5
    assert "row by row: 0, 0, −2.5; 0, 0, 0; 0, 0, 0." in explorer.alt
    assert "has values from −500 to 0; the strongest stands at row 1, column 4 of 8" in explorer.alt


def test_zero_everywhere_is_a_picture_too(explorer: Explorer) -> None:
    explorer.sliders["begin"].value = "the picture itself"
    explorer.sliders["k11"].value = 0
    assert "has values from 0 to 0" in explorer.alt
    assert "<img" in explorer.children[-1].value
