"""The explorer of lesson 13 tells the labels that the curves tell."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.plots.kinds_of_transfer import saving_explorer

SIZES = np.array([10.0, 20.0, 50.0])
CURVES = {"scratch": np.array([0.4, 0.6, 0.8]), "transfer": np.array([0.6, 0.7, 0.75])}


def test_it_tells_what_is_saved() -> None:
    explorer = saving_explorer(SIZES, CURVES)
    explorer.sliders["target"].value = 0.7
    assert "scratch reaches it with 35 labels, transfer reaches it with 20 labels" in explorer.alt
    assert explorer.alt.endswith("15 labels saved.")


def test_what_is_saved_is_the_difference_of_what_is_told() -> None:
    explorer = saving_explorer(
        SIZES, {"scratch": np.array([0.4, 0.6, 0.766]), "transfer": np.array([0.4, 0.632, 0.75])}
    )
    explorer.sliders["target"].value = 0.63  # 25.4 and 19.9, which is 5.5
    assert "scratch reaches it with 25 labels, transfer reaches it with 20 labels" in explorer.alt
    assert explorer.alt.endswith(". 5 labels saved.")


LOSS = {"scratch": CURVES["transfer"], "transfer": CURVES["scratch"]}


@pytest.mark.parametrize(
    ("curves", "target", "says", "ends"),
    [
        (CURVES, 0.78, "transfer does not reach it", "transfer does not reach it."),
        (
            {"scratch": np.array([0.4, 0.6, 0.8]), "transfer": np.array([0.6, 0.7, 0.8196])},
            0.82,
            "scratch does not reach it, transfer does not reach it",
            "Neither curve reaches it: at most 0.819 (transfer).",
        ),
        (CURVES, 0.6, "transfer reaches it with 10 labels or fewer", "At least 10 labels saved."),
        (LOSS, 0.7, "", "−15 labels saved."),
        (
            CURVES,
            0.4,
            "scratch reaches it with 10 labels or fewer",
            "enough for both: nobody knows what is saved.",
        ),
        (LOSS, 0.6, "", "At most −10 labels saved."),  # fewer may do without transfer
    ],
)
def test_what_is_saved_is_said_as_far_as_it_is_known(
    curves: dict[str, np.ndarray], target: float, says: str, ends: str
) -> None:
    explorer = saving_explorer(SIZES, curves)
    explorer.sliders["target"].value = target
    assert says in explorer.alt
    assert explorer.alt.endswith(ends)


def test_the_axis_says_that_it_is_logarithmic() -> None:
    [axes] = saving_explorer(SIZES, CURVES).figure.axes
    assert axes.get_xscale() == "log"
    assert "logarithmic" in axes.get_xlabel()
