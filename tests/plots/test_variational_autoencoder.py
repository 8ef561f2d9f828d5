"""Lesson 09's pictures: they tell what the decoder and the bound say."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from course_lib.errors import CourseError
from course_lib.foundations.losses import sigmoid
from course_lib.plots import Explorer, Picture
from course_lib.plots import variational_autoencoder as figures

RANDOM = np.random.default_rng(0)
CODES, WEIGHTS = RANDOM.normal(size=(40, 2)), RANDOM.normal(size=(2, 16))
IMAGES, LABELS = RANDOM.uniform(size=(40, 16)), np.arange(40) % 10


def decode(codes: np.ndarray) -> np.ndarray:
    return sigmoid(codes @ WEIGHTS)


FIGURES: dict[str, Callable[[], Picture]] = {
    "plane": lambda: figures.plane_figure(decode, count=5),
    "one row": lambda: figures.rows_of_pictures({"digits": IMAGES[:6]}),
    "rows": lambda: figures.rows_of_pictures(
        {"in": IMAGES[:9], "a name that is long": 3 * IMAGES[9:18] - 1}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_words_and_the_same_bytes_twice(name: str) -> None:
    picture = FIGURES[name]()
    data, metadata = picture._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == picture.alt
    assert data == FIGURES[name]()._repr_mimebundle_()[0]
    gray = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("L"))
    assert gray.min() < 80
    assert gray.max() == 255


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_at_the_edge(name: str) -> None:
    figure = FIGURES[name]().figure
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def plane() -> Explorer:
    return figures.plane_explorer(decode, CODES, IMAGES, LABELS)


def test_the_plane_names_the_nearest_codes() -> None:
    explorer = plane()
    target = np.round(CODES[7], 1)
    explorer.sliders["first"].value, explorer.sliders["second"].value = map(float, target)
    found = re.search(r"nearest codes: ([\d, ]+); the nearest is ([\d.]+) away", explorer.alt)
    assert found
    distance = np.linalg.norm(CODES - target, axis=1)
    nearest = LABELS[np.argsort(distance)[:5]]
    assert found[1] == ", ".join(map(str, nearest))
    assert float(found[2]) == pytest.approx(distance.min(), rel=0.01)


def test_the_plane_tells_of_the_picture_that_is_decoded() -> None:
    explorer = plane()
    explorer.sliders["first"].value = explorer.sliders["first"].max
    code = np.array([[explorer.sliders[name].value for name in ("first", "second")]])
    assert f"Its picture: {decode(code).mean():.0%} ink" in explorer.alt


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_the_sliders_reach_over_the_codes_in_stops_that_are_seen(scale: float) -> None:
    explorer = figures.plane_explorer(decode, scale * CODES, IMAGES, LABELS)
    for control, column in zip(explorer.sliders.values(), scale * CODES.T, strict=True):
        assert control.min < np.quantile(column, 0.02)
        assert control.max > np.quantile(column, 0.98)
        assert 15 < (control.max - control.min) / control.step < 1000
        assert float(format(control.step, control.readout_format)) == pytest.approx(control.step)


def test_every_frame_of_the_plane_is_another_picture() -> None:
    explorer = plane()
    before = explorer.children[-1].value
    explorer.sliders["second"].value = 0.5
    assert explorer.children[-1].value != before


def bound() -> Explorer:
    return figures.bound_explorer(1.0, 1.5, 0.5)


def told(explorer: Explorer) -> tuple[float, str]:
    found = re.search(r"that is ([\d.]+) (below|ABOVE) log p", explorer.alt)
    assert found
    return float(found[1]), found[2]


def test_no_gaussian_lifts_the_elbo_above_the_likelihood() -> None:
    explorer = bound()
    gaps = []
    for mean in (-2, -0.5, 0, 0.5, 0.55, 2):
        for deviation in (0.3, 0.4, 0.45, 1, 2):
            explorer.sliders["mean"].value = mean
            explorer.sliders["deviation"].value = deviation
            gap, side = told(explorer)
            assert side == "below"
            gaps.append(gap)
    assert min(gaps) < 0.02
    assert max(gaps) > 5


def test_half_the_divergence_goes_above_it() -> None:
    explorer = bound()
    explorer.sliders["kl_weight"].value = 0.5
    explorer.sliders["mean"].value, explorer.sliders["deviation"].value = 0.55, 0.45
    gap, side = told(explorer)
    assert side == "ABOVE"
    assert gap > 0.1


def test_images_that_are_no_squares_are_refused() -> None:
    with pytest.raises(CourseError, match="15 pixels"):
        figures.rows_of_pictures({"no": np.zeros((2, 15))})
