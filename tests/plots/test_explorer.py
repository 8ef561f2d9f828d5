"""Explorers: they follow their sliders, in the browser and in what a notebook stores."""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from course_lib.errors import CourseError
from course_lib.plots import Explorer, slider
from course_lib.plots.losses import (
    INTERCEPTS,
    LINE_T,
    LINE_X,
    SLOPES,
    line_explorer,
    logits_explorer,
)

WIDGET = "application/vnd.jupyter.widget-view+json"


def prepare(figure: Figure) -> Callable[..., str]:
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8), xlim=(0, 1), ylim=(0, 1))
    (point,) = axes.plot([], [], "o", animated=True)

    def draw(*, height: float) -> str:
        if height > 0.9:
            raise CourseError("Too high: stay below 0.9.")
        if height < 0.1:
            raise ZeroDivisionError("<nothing> & more")
        point.set_data([0.5], [height])
        return f'height "{height:.2f}"'

    return draw


def small() -> Explorer:
    return Explorer(prepare, {"height": slider("height", 0.5, 0, 1, 0.1)}, size=(2, 1), title="A<B")


def live(explorer: Explorer) -> str:
    """The HTML that JupyterLab shows."""
    value: str = explorer.children[-1].value
    return value


def pixels(explorer: Explorer) -> np.ndarray:
    found = re.search(r"base64,([^\"]+)", live(explorer))
    assert found
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def stored(explorer: Any) -> dict[str, Any]:
    data: dict[str, Any] = explorer._repr_mimebundle_()[0]
    return data


def test_picture_and_words_follow_the_slider() -> None:
    explorer = small()
    before, figure = pixels(explorer), explorer.figure
    explorer.sliders["height"].value = 0.7
    assert explorer.values == {"height": 0.7}
    assert explorer.alt == 'height "0.70"'
    assert f'alt="{html.escape(explorer.alt)}"' in live(explorer)
    assert (pixels(explorer) != before).any()
    assert explorer.figure is figure


def test_a_frame_leaves_nothing_behind() -> None:
    explorer = small()
    before = pixels(explorer)
    for value in (0.3, 0.8, 0.5):
        explorer.sliders["height"].value = value
    np.testing.assert_array_equal(pixels(explorer), before)


def test_what_a_notebook_stores() -> None:
    explorer = small()
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", WIDGET}
    assert data["text/plain"] == explorer.alt
    assert data[WIDGET]["model_id"] == explorer.model_id
    assert metadata["image/png"] == {"alt": explorer.alt, "width": 200, "height": 100}
    kept = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
    np.testing.assert_array_equal(kept, pixels(explorer))


def test_same_values_same_bytes() -> None:
    one, other = small(), small()
    other.sliders["height"].value = 0.2
    assert stored(one)["image/png"] != stored(other)["image/png"]
    other.sliders["height"].value = 0.5
    assert stored(one)["image/png"] == stored(other)["image/png"]
    assert b"Software" not in base64.b64decode(stored(one)["image/png"])


def test_an_error_is_a_sentence_in_place_of_the_picture_until_it_is_over() -> None:
    explorer = small()
    good = pixels(explorer)
    explorer.sliders["height"].value = 1.0
    assert "<img" not in live(explorer)
    assert "Too high: stay below 0.9." in live(explorer)
    assert set(stored(explorer)) == {"text/plain", WIDGET}

    explorer.sliders["height"].value = 0.0
    assert "height = 0.0: ZeroDivisionError: &lt;nothing&gt; &amp; more" in live(explorer)
    assert 'role="alert"' in live(explorer)

    explorer.sliders["height"].value = 0.5
    np.testing.assert_array_equal(pixels(explorer), good)
    assert "image/png" in stored(explorer)


def test_an_error_in_the_first_picture_is_raised() -> None:
    with pytest.raises(CourseError, match="Too high"):
        Explorer(prepare, {"height": slider("height", 1, 0, 1, 0.1)})


def test_title_is_escaped_and_every_slider_is_described() -> None:
    explorer = small()
    assert explorer.children[0].value == "<b>A&lt;B</b>"
    for made in (explorer, line_explorer(), logits_explorer()):
        assert all(widget.description for widget in made.sliders.values())


def test_logits_explorer_tells_loss_and_gradient() -> None:
    explorer = logits_explorer()
    for name, logit in zip(("cat", "dog", "bird"), (0.0, 0.0, 0.0), strict=True):
        explorer.sliders[name].value = logit
    assert explorer.alt == (
        "True label cat, loss 1.099. cat: logit 0, probability 0.33, gradient −0.67; "
        "dog: logit 0, probability 0.33, gradient 0.33; "
        "bird: logit 0, probability 0.33, gradient 0.33."
    )
    before = pixels(explorer)
    explorer.sliders["label"].value = 1
    assert explorer.alt.startswith("True label dog, loss 1.099. cat: logit 0, probability 0.33, ")
    assert (pixels(explorer) != before).any()


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c", "d", "e")])
def test_logits_explorer_at_the_ends_of_its_sliders(classes: tuple[str, ...]) -> None:
    explorer = logits_explorer(classes)
    for name in classes:
        explorer.sliders[name].value = 10
    explorer.sliders[classes[0]].value = -10
    assert explorer.alt.startswith(f"True label {classes[0]}, loss 2")
    assert "<img" in live(explorer)


def test_line_explorer_tells_the_mean_squared_error() -> None:
    explorer = line_explorer()
    explorer.sliders["slope"].value, explorer.sliders["intercept"].value = 0, 0
    # Of the targets themselves: (1.6² + 1.2² + ... + 5.1²) / 8 and 5.1.
    assert "Mean squared error 12.32; the largest error is −5.10, at x = 7.5" in explorer.alt
    explorer.sliders["intercept"].value = 2
    assert "Mean squared error 3.37; the largest error is −3.10" in explorer.alt


def test_line_explorer_can_be_solved_by_hand() -> None:
    slope, intercept = np.polyfit(LINE_X, LINE_T, 1)
    explorer = line_explorer()
    for name, best in (("slope", slope), ("intercept", intercept)):
        widget = explorer.sliders[name]
        assert widget.min < best < widget.max
        assert abs(widget.value - best) > 4 * widget.step  # something is left to find


@pytest.mark.parametrize(("slope", "intercept"), [*itertools.product(SLOPES, INTERCEPTS)])
def test_no_square_leaves_the_frame(slope: float, intercept: float) -> None:
    explorer = line_explorer()
    explorer.sliders["slope"].value, explorer.sliders["intercept"].value = slope, intercept
    for axes in explorer.figure.axes:
        frame = axes.viewLim
        for square in axes.patches:
            assert frame.containsx(square.get_x())
            assert frame.containsx(square.get_x() + square.get_width())
            assert frame.containsy(square.get_y())
            assert frame.containsy(square.get_y() + square.get_height())


def test_plots_import_no_framework_and_start_no_backend() -> None:
    code = (
        "import sys, course_lib.plots.losses as plots; plots.logits_explorer(); "
        "print([name for name in ('keras', 'tensorflow', 'torch', 'jax', 'matplotlib.pyplot') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_stored_of_an_explorer_that_computes_in_the_browser() -> None:
    explorer = line_explorer()
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "image/png"}
    spec = json.loads(metadata["image/png"]["explorer"])
    assert spec["name"] == "line"
    assert [control["name"] for control in spec["controls"]] == ["slope", "intercept"]
    assert data["image/png"] in data["text/html"]
