"""Exercises of your own, graded with `course grade PATH --out DIR --exercises THIS_FILE`.

The first is new: learners write `rmse` in the notebook of lesson 01. The second takes the place of
the course's `mse`: other cases, which nobody outside has seen, and more points.
"""

from dataclasses import replace

import numpy as np

from course_lib.exercises import Case, Exercise, Misconception, catalogue


def rmse(predictions, targets):
    """The right answer: arrays and plain numbers in and out."""
    return float(np.sqrt(np.mean((predictions - targets) ** 2)))


def pairs(rng):
    """Draws the arguments of some calls. Let no mistake hide: N and D differ, errors vary."""

    def case(n, d, kind="ordinary inputs"):
        return Case((rng.normal(size=(n, d)), rng.normal(size=(n, d))), kind)

    return [case(4, 3), case(7, 2), case(1, 5, "a batch of one")]


EXERCISES = (
    Exercise(
        name="rmse",
        lesson="01_losses",
        points=2,
        reference=rmse,
        cases=pairs,
        think="In which unit is the mean squared error, and in which unit should this be?",
        section="Regression: mean squared error",
        misconceptions=(
            Misconception(
                "no-root",
                lambda p, t: float(np.mean((p - t) ** 2)),
                "The root is missing: this is the mean squared error.",
            ),
            Misconception(
                "mean-of-roots",
                lambda p, t: float(np.mean(np.sqrt((p - t) ** 2))),
                "You take the root before the mean: this is the mean absolute error.",
                "Mean first, then root.",
            ),
        ),
    ),
    replace(catalogue()["mse"], points=3, cases=pairs),
)
