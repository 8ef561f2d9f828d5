"""Pictures of lesson 15: what they say is what they show."""

import numpy as np
import pytest

from course_lib.plots import famous_mistakes as figures


def test_an_outcome_tells_claim_and_measurement():
    picture = figures.outcome(
        "dropout is a sigmoid", "share", {"units off": (0.2, 0.0), "runs": (None, [0.1, 0.3])}
    )
    assert picture.alt == (
        "Claim: dropout is a sigmoid. In share: units off: expected 0.20, measured 0.00; "
        "runs: measured 0.20 ± 0.10."
    )
    (axes,) = picture.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["units off", "runs"]
    drawn = [tuple(line.get_xydata()[0]) for line in axes.lines if line.get_marker() in "oD"]
    np.testing.assert_allclose(drawn, [(0, 0), (0.2, 0), (0.2, 1)])


def test_an_outcome_has_a_real_minus_sign():
    assert "measured −1.5" in figures.outcome("a claim", "points", {"x": (0, -1.5)}, 1).alt


def test_a_single_checkpoint_flatters_by_nothing():
    explorer = figures.best_of_explorer()
    explorer.move(checkpoints=1, images=100)
    assert "flatters by 0.0 points" in explorer.alt
    assert "flattery 0.0 points" in explorer.figure.texts[0].get_text()


@pytest.mark.parametrize(("checkpoints", "images"), [(1, 100), (10, 50), (100, 1000)])
def test_the_explorer_tells_what_simulation_finds(checkpoints, images):
    explorer = figures.best_of_explorer()
    explorer.sliders["images"].value = images
    explorer.sliders["checkpoints"].value = checkpoints
    rng = np.random.default_rng(0)
    best = rng.binomial(images, 0.8, (4000, checkpoints)).max(axis=1).mean() / images
    told = float(explorer.alt.split(" reads ")[1].split()[0])
    assert told == pytest.approx(best, abs=0.004)


def test_the_explorer_draws_another_picture_for_each_setting():
    explorer = figures.best_of_explorer()
    seen = {explorer.children[-1].value}
    for name, value in (("checkpoints", 100), ("images", 1000)):
        explorer.sliders[name].value = value
        seen.add(explorer.children[-1].value)
    assert len(seen) == 3
