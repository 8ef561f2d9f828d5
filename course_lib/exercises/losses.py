"""Exercises of lesson 01: losses and their gradients (on classes: `classification`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..foundations import gradients, losses
from . import classification
from .exercise import Case, Exercise, Formula, Misconception

LESSON = "01_losses"
Function = Callable[[np.ndarray], float]


# --- cases: N, D and C all different and none of them 1 or 2, unless the edge is the point ------


def regression(rng: np.random.Generator) -> list[Case]:
    def pair(*shape: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        return scale * rng.normal(size=shape), scale * rng.normal(size=shape)

    same = rng.normal(size=(3, 5))
    return [
        Case(pair(4, 3)),
        Case(pair(7, 5)),
        Case(pair(3, 6, scale=2.5)),
        Case(pair(5, 5)),
        Case(pair(1, 4), "a batch of one"),
        Case(pair(6, 1), "a single output"),
        Case(pair(4, 3, scale=1e8), "large inputs"),  # finite differences are off by 1 % here
        Case((same, same.copy()), "perfect predictions"),
    ]


def functions_and_points(rng: np.random.Generator) -> list[Case]:
    cubic, wavy = Formula("np.sum(x ** 3 + 2 * x)"), Formula("np.sum(np.sin(3 * x) * np.exp(x))")
    mixed = Formula("np.sum(x) ** 2 + np.sum(x ** 4)")
    return [
        Case((cubic, rng.normal(size=3), 1e-2)),
        Case((wavy, rng.normal(size=(2, 3)), 1e-1)),
        Case((mixed, rng.normal(size=(3, 3)), 1e-2)),
        Case((mixed, rng.normal(size=(4, 2)), 3e-2)),
        Case((wavy, rng.normal(size=(2, 2, 3)), 1e-2), "an array of three axes"),
        Case((cubic, np.asarray(rng.normal()), 1e-2), "a single number as the point"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _numerical(
    function: Function,
    point: np.ndarray,
    step: float,
    sides: int = 2,
    divisor: float = 2.0,
    diagonal: bool = False,
) -> np.ndarray:
    gradient = np.zeros(np.shape(point))
    for index in np.ndindex(gradient.shape):
        if diagonal and len(set(index)) > 1:
            continue
        above, below = np.array(point), np.array(point)
        above[index] += step
        if sides == 2:
            below[index] -= step
        gradient[index] = (function(above) - function(below)) / (divisor * step)
    return gradient


def _numerical_not_undone(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += step
        above = function(point)
        point[index] -= 2 * step
        gradient[index] = (above - function(point)) / (2 * step)
    return gradient


def _numerical_first_only(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    gradient = _numerical(function, point, step)
    gradient.flat[1:] = 0
    return gradient


def _numerical_of_one_number(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    gradient = np.zeros(np.shape(point))
    for index in np.ndindex(gradient.shape):
        up, down = function(point[index] + step), function(point[index] - step)
        gradient[index] = (up - down) / (2 * step)
    return gradient


def _numerical_all_at_once(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    slope = (function(point + step) - function(point - step)) / (2 * step)
    return np.full(np.shape(point), slope)


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="mse",
        lesson=LESSON,
        points=1,
        reference=losses.mse,
        cases=regression,
        section="Regression: mean squared error",
        think="Three steps: differences, their squares, one mean over everything.",
        misconceptions=(
            Misconception(
                "sum-instead-of-mean",
                lambda p, t: float(np.sum((p - t) ** 2)),
                "You add the squared errors up; a mean does not grow when the batch does.",
                "Repeat the batch twice: the sum doubles. What keeps the loss where it was?",
            ),
            Misconception(
                "mean-over-rows-only",
                lambda p, t: float(np.sum((p - t) ** 2) / len(p)),
                "You divide by the number of examples only; the mean here is over all elements, "
                "examples times outputs.",
                "How many squared numbers did you add up? Divide by that many.",
            ),
            Misconception(
                "half",
                lambda p, t: float(np.mean((p - t) ** 2) / 2),
                "Your value is half of it: the ½ of some textbooks is not part of this definition.",
                "Some books put ½ in front so that the 2 of the derivative cancels. Keras does "
                "not, nor do we.",
            ),
            Misconception(
                "absolute-instead-of-squared",
                lambda p, t: float(np.mean(np.abs(p - t))),
                "This is the mean absolute error: the differences are not squared.",
                "A Gaussian noise model squares the difference; an absolute value belongs to a "
                "Laplace one.",
            ),
            Misconception(
                "root",
                lambda p, t: float(np.sqrt(np.mean((p - t) ** 2))),
                "You took the square root at the end: that is the root mean squared error.",
                "The root has the units of the targets, but its gradient is another one. Stop "
                "one step earlier.",
            ),
            Misconception(
                "error-not-squared",
                lambda p, t: float(np.mean(p - t)),
                "The differences are averaged as they are, so errors up and down cancel.",
                "What would two errors of +1 and −1 give? They should not add up to nothing.",
            ),
            Misconception(
                "square-of-the-mean",
                lambda p, t: float(np.mean(p - t) ** 2),
                "You square the mean of the differences, so errors up and down cancel before.",
                "`np.mean(x) ** 2` squares one number, `np.mean(x**2)` each of them.",
            ),
            Misconception(
                "one-number-per-row",
                lambda p, t: np.mean((p - t) ** 2, axis=1),
                "You return one number per example; the loss of the batch is a single number.",
                "Which axes does your mean run over? It should run over both.",
            ),
            Misconception(
                "one-number-per-column",
                lambda p, t: np.mean((p - t) ** 2, axis=0),
                "You return one number per output; the loss of the batch is a single number.",
                "Which axes does your mean run over? It should run over both.",
            ),
            Misconception(
                "squares-not-averaged",
                lambda p, t: (p - t) ** 2,
                "You return the squared errors one by one; the loss is their mean, a single "
                "number.",
                "`np.mean` without an axis takes all elements.",
            ),
        ),
    ),
    Exercise(
        name="numerical_gradient",
        lesson=LESSON,
        points=2,
        reference=gradients.numerical_gradient,
        cases=functions_and_points,
        section="A witness: finite differences",
        think="For each entry: a copy one step up, a copy one step down, the slope between them.",
        misconceptions=(
            Misconception(
                "forward-difference",
                lambda f, x, step: _numerical(f, x, step, sides=1, divisor=1.0),
                "This is the forward difference: its error falls with the step, the central "
                "one's with its square.",
                "Look at both sides of the point, one step up and one step down.",
            ),
            Misconception(
                "divided-by-one-step",
                lambda f, x, step: _numerical(f, x, step, divisor=1.0),
                "Every entry is twice too large: the two points are 2·step apart, not step.",
                "Rise over run: how far apart are the points at which you call the function?",
            ),
            Misconception(
                "perturbation-not-undone",
                _numerical_not_undone,
                "A perturbation stays in the array: the later entries are measured at another "
                "point, and the caller's array has changed.",
                "Perturb a copy, or put the old value back before you go on.",
            ),
            Misconception(
                "diagonal-only",
                lambda f, x, step: _numerical(f, x, step, diagonal=True),
                "Only entries whose indices are equal are filled in; the others stay zero.",
                "A matrix needs two indices that run independently: `np.ndindex(point.shape)`.",
            ),
            Misconception(
                "all-entries-at-once",
                _numerical_all_at_once,
                "You move all entries together, which measures the sum of all partial derivatives.",
                "A partial derivative moves one coordinate and holds the others still.",
            ),
            Misconception(
                "half-forward",
                lambda f, x, step: _numerical(f, x, step, sides=1, divisor=2.0),
                "You look one step ahead only, but divide by two steps: about half the slope.",
                "The divisor is the distance between the two points that you compare. Is one of "
                "them the point itself, because `down = point` makes no copy?",
            ),
            Misconception(
                "backward-difference",
                lambda f, x, step: _numerical(f, x, -step, sides=1, divisor=1.0),
                "This is the backward difference: its error falls with the step, the central "
                "one's with its square.",
                "Look at both sides of the point, one step up and one step down.",
            ),
            Misconception(
                "divided-then-multiplied",
                lambda f, x, step: _numerical(f, x, step, divisor=2 / step**2),
                "`/ 2 * step` divides by 2 and then multiplies by the step: put the divisor in "
                "parentheses, `/ (2 * step)`.",
                "Python goes from left to right: a / b * c is (a / b) * c.",
            ),
            Misconception(
                "step-ignored",
                lambda f, x, step: _numerical(f, x, 1e-5),
                "You do not use the argument `step`: your differences have a step of their own.",
                "The caller says how far apart the points are. Which lines should know it?",
                noise=1e-5,
            ),
            Misconception(
                "first-entry-only",
                _numerical_first_only,
                "Only the first entry is filled in, the others are still zero: does your "
                "`return` stand inside the loop?",
                "A `return` ends the function at once. It belongs below the loop, as far left as "
                "the `for`.",
            ),
            Misconception(
                "second-name-for-the-point",
                lambda f, x, step: np.zeros(np.shape(x)),
                "Every slope comes out as zero: are the two points one and the same array? "
                "`up = point` is a second name for it, `up = point.copy()` a new array.",
                "Print both points before you call the function: they should differ.",
            ),
            Misconception(
                "one-number-instead-of-the-array",
                _numerical_of_one_number,
                "You hand the function a single number, `point[index] + step`; it needs the whole "
                "array, with that one entry moved.",
                "Copy the array, move one entry of the copy, call the function with the copy.",
            ),
        ),
    ),
    Exercise(
        name="mse_gradient",
        lesson=LESSON,
        points=2,
        reference=losses.mse_gradient,
        cases=regression,
        section="The gradient of the mean squared error",
        think="Differentiate one square, then ask by how many the mean divides.",
        misconceptions=(
            Misconception(
                "missing-2",
                lambda p, t: (p - t) / p.size,
                "The 2 from differentiating the square is missing.",
                "The loss has no ½ in front that could cancel the 2.",
            ),
            Misconception(
                "not-divided",
                lambda p, t: 2 * (p - t),
                "This is the gradient of the sum; the loss is a mean, so every entry is divided "
                "by the number of elements.",
                "Every element's square stands in the loss with a weight. Which weight?",
            ),
            Misconception(
                "divided-by-rows-only",
                lambda p, t: 2 * (p - t) / len(p),
                "You divide by the number of examples only; the loss divides by examples times "
                "outputs.",
                "Loss and gradient use the same divisor. Which one does your mse use?",
            ),
            Misconception(
                "gradient-by-targets",
                lambda p, t: 2 * (t - p) / p.size,
                "The sign is wrong: this is the gradient by the targets, and following it "
                "downhill would raise the loss.",
                "Where the prediction is too high, the loss must rise with the prediction.",
            ),
            Misconception(
                "sign-and-missing-2",
                lambda p, t: (t - p) / p.size,
                "The sign is wrong, and the 2 from differentiating the square is missing.",
                "Check one entry with `numerical_gradient`.",
            ),
            Misconception(
                "gradient-of-one-half-sum",
                lambda p, t: p - t,
                "This is the gradient of half the sum of squares: both the 2 and the division by "
                "the number of elements are missing.",
                "Write the loss down with its factor in front before you differentiate.",
            ),
            Misconception(
                "absolute-error",
                lambda p, t: np.sign(p - t) / p.size,
                "This is the gradient of the mean absolute error: it forgets how large each "
                "error is.",
                "The derivative of e² is proportional to e.",
            ),
            Misconception(
                "divided-then-multiplied",
                lambda p, t: 2 * (p - t) / len(p) * p.shape[1],
                "`/ N * D` divides by N and then multiplies by D: put the divisor in parentheses, "
                "`/ (N * D)`.",
                "Python goes from left to right: a / b * c is (a / b) * c.",
            ),
            Misconception(
                "divided-by-rows-only-and-missing-2",
                lambda p, t: (p - t) / len(p),
                "Two factors are missing: the 2 from differentiating the square, and the D, "
                "because the mean runs over all elements.",
                "Loss and gradient use the same divisor. Which one does your mse use?",
            ),
            Misconception(
                "finite-differences",
                lambda p, t: gradients.numerical_gradient(lambda x: losses.mse(x, t), p),
                "These are finite differences: they cost two losses for every element, and large "
                "errors drown them in rounding. Derive the formula.",
                "Finite differences are the witness. Write down the derivative of one square, "
                "then compare the two.",
                noise=0.02,
            ),
        ),
    ),
    *classification.EXERCISES,
)
