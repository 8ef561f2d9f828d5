"""The explorer of lesson 13 tells the labels that the curves tell."""

from __future__ import annotations

import numpy as np

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


def test_a_curve_that_ends_below_is_said() -> None:
    explorer = saving_explorer(SIZES, CURVES)
    explorer.sliders["target"].value = 0.78
    assert "transfer does not reach it" in explorer.alt
    assert explorer.alt.endswith("transfer does not reach it.")


def test_what_the_first_size_reaches_may_need_fewer() -> None:
    explorer = saving_explorer(SIZES, CURVES)
    explorer.sliders["target"].value = 0.6
    assert "transfer reaches it with 10 labels or fewer" in explorer.alt
    assert explorer.alt.endswith("At least 10 labels saved.")


def test_a_loss_is_a_negative_saving() -> None:
    explorer = saving_explorer(
        SIZES, {"scratch": CURVES["transfer"], "transfer": CURVES["scratch"]}
    )
    explorer.sliders["target"].value = 0.7
    assert explorer.alt.endswith("−15 labels saved.")


def test_where_the_first_size_is_enough_for_both_nobody_knows() -> None:
    explorer = saving_explorer(SIZES, CURVES)
    explorer.sliders["target"].value = 0.4
    assert "scratch reaches it with 10 labels or fewer" in explorer.alt
    assert explorer.alt.endswith("enough for both: nobody knows what is saved.")


def test_what_fewer_than_the_first_size_do_without_transfer_may_make_a_loss_larger() -> None:
    explorer = saving_explorer(
        SIZES, {"scratch": CURVES["transfer"], "transfer": CURVES["scratch"]}
    )
    explorer.sliders["target"].value = 0.6
    assert explorer.alt.endswith("At most −10 labels saved.")


def test_the_axis_says_that_it_is_logarithmic() -> None:
    [axes] = saving_explorer(SIZES, CURVES).figure.axes
    assert axes.get_xscale() == "log"
    assert "logarithmic" in axes.get_xlabel()
