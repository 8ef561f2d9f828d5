"""The palette against published models of color vision."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_lib.plots.palette import (
    BLUE,
    COLORS,
    GRAY,
    HEAT,
    INK,
    LINES,
    MARKED,
    ORANGE,
    PLAIN,
    SIGNED,
    style,
)

# Machado, Oliveira & Fernandes 2009, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", severity 1.0; they apply to linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB to CIE XYZ (IEC 61966-2-1), white point D65.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
PAIRS = list(itertools.combinations(COLORS, 2))


def linear(color: str) -> np.ndarray:
    encoded = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB."""
    relative = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_lab_of_known_colors() -> None:
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_colors_differ_in_every_kind_of_vision(vision: str, one: str, other: str) -> None:
    seen = [lab(VISION[vision] @ linear(COLORS[name])) for name in (one, other)]
    assert np.linalg.norm(seen[0] - seen[1]) > 30  # a just noticeable difference is 2.3


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_colors_differ_in_grayscale(one: str, other: str) -> None:
    lightness = [lab(linear(COLORS[name]))[0] for name in (one, other)]
    assert abs(lightness[0] - lightness[1]) > 20


@pytest.mark.parametrize("ink", [INK, BLUE, ORANGE])
def test_inks_have_the_contrast_on_white_that_wcag_asks_of_graphics(ink: str) -> None:
    luminance = float(XYZ[1] @ linear(ink))
    assert 1.05 / (luminance + 0.05) >= 3


@pytest.mark.parametrize("vision", VISION)
def test_signs_differ_in_every_kind_of_vision_as_soon_as_they_are_seen(vision: str) -> None:
    for far in (0.25, 0.5, 1.0):
        minus, plus = (
            lab(VISION[vision] @ linear(to_hex(SIGNED((1 + sign * far) / 2)))) for sign in (-1, 1)
        )
        assert np.linalg.norm(minus - plus) > 30 * far


def test_zero_is_white_and_signed_numbers_are_darker_the_farther_they_are_from_it() -> None:
    colors = [to_hex(color) for color in SIGNED(np.linspace(0, 1, 9))]
    lightness = np.array([lab(linear(color))[0] for color in colors])
    assert lightness[4] == pytest.approx(100, abs=0.01)
    assert np.all(np.diff(lightness[:5]) > 0)
    assert np.all(np.diff(lightness[4:]) < 0)
    assert lightness[0] - lightness[-1] > 20  # the ends are told apart in grayscale


def test_shares_are_lighter_the_larger_they_are() -> None:
    colors = [to_hex(color) for color in matplotlib.colormaps[HEAT](np.linspace(0, 1, 9))]
    assert np.all(np.diff([lab(linear(color))[0] for color in colors]) > 0)


def test_lines_and_bars_differ_in_more_than_color() -> None:
    for key in ("color", "linestyle", "marker"):
        assert len({line[key] for line in LINES}) == len(LINES)
    assert MARKED["hatch"] != PLAIN["hatch"]
    assert GRAY not in {line["color"] for line in LINES}  # too light for a line


def test_style_ends_with_its_block() -> None:
    before = matplotlib.rcParams["axes.spines.top"]
    with style():
        assert matplotlib.rcParams["axes.spines.top"] is False
    assert matplotlib.rcParams["axes.spines.top"] is before is True
