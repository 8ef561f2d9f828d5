"""Exercises of lesson 04 on averages that forget: bias correction and RMSProp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import adam
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "04_adam"
Variant = Callable[..., Any]


# --- cases: an average that is not zero, an epsilon large enough to be seen ----------------------


def sequences(rng: np.random.Generator) -> list[Case]:
    return [
        Case((rng.normal(size=6), 0.9)),
        Case((rng.normal(size=9, loc=2.0), 0.7)),
        Case((rng.normal(size=12), 0.99)),
        Case((np.full(5, rng.uniform(1.0, 3.0)), 0.9), "a constant sequence"),
        Case((rng.normal(size=1), 0.8), "a single value"),
    ]


def rmsprop_steps(rng: np.random.Generator) -> list[Case]:
    def case(
        shape: tuple[int, ...], rho: float, epsilon: float, size: float = 1.0, kind: str = ORDINARY
    ) -> Case:
        gradient = size * rng.normal(size=shape)
        average = size**2 * rng.uniform(0.05, 2.0, shape)
        return Case((rng.normal(size=shape), gradient, average, 0.1, rho, epsilon), kind)

    w, g = rng.normal(size=(2, 4))
    zero = np.zeros(4)
    return [
        case((5,), 0.9, 1e-2),
        case((3, 4), 0.8, 0.1),
        case((6,), 0.95, 3e-2),
        Case((w, g, zero, 0.05, 0.9, 1e-2), "the first step"),
        case((5,), 0.9, 1e-7, size=1e-5, kind="tiny gradients"),
        Case((w, zero, zero, 0.1, 0.9, 1e-7), "a gradient of zero"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _averages(values: Any, beta: float, average: float = 0.0) -> np.ndarray:
    """Exponential averages without correction."""
    averages = np.empty(len(values))
    for index, value in enumerate(values):
        averages[index] = average = beta * average + (1 - beta) * value
    return averages


def _times(values: Any, first: int = 1) -> np.ndarray:
    return np.arange(first, first + len(values))


def _averages_fed_back(values: Any, beta: float) -> np.ndarray:
    averages, average = np.empty(len(values)), 0.0
    for index, value in enumerate(values):
        average = (beta * average + (1 - beta) * value) / (1 - beta ** (index + 1))
        averages[index] = average
    return averages


def _rmsprop(
    average: Variant = lambda a, g, rho: rho * a + (1 - rho) * g**2,
    update: Variant = lambda g, a, old, lr, epsilon: lr * g / np.sqrt(a + epsilon),
    returned: Variant = lambda stepped, a, old: (stepped, a),
) -> Variant:
    """A variant from its average, from what it subtracts or from what it returns."""

    def variant(w: Any, g: Any, a: Any, lr: float, rho: float, epsilon: float) -> tuple[Any, Any]:
        new = average(a, g, rho)
        result: tuple[Any, Any] = returned(w - update(g, new, a, lr, epsilon), new, a)
        return result

    return variant


def _with_epsilon_in_memory(
    w: Any, g: Any, a: Any, lr: float, rho: float, epsilon: float
) -> tuple[Any, Any]:
    stepped, average = adam.rmsprop_step(w, g, a, lr, rho, epsilon)
    return stepped, average + epsilon


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="bias_corrected_average",
        lesson=LESSON,
        points=2,
        reference=adam.bias_corrected_average,
        cases=sequences,
        section="An average that starts at zero: bias correction",
        think="Keep the plain average in one variable and go on from it; what you store at time "
        "t is that average divided by what its weights add up to.",
        misconceptions=(
            Misconception(
                "t-from-0",
                lambda x, b: _averages(x, b) / (1 - b ** _times(x, 0)),
                "You count t from 0: then 1 − β⁰ is 0, and the first value is divided by it.",
                "When the first value has come in, t is 1.",
            ),
            Misconception(
                "no-correction",
                _averages,
                "The correction is missing: the averages start near zero, whatever the values.",
                "Try a constant sequence: its average should be that constant from the start.",
            ),
            Misconception(
                "power-of-one-minus-beta",
                lambda x, b: _averages(x, b) / (1 - b) ** _times(x),
                "You divide by (1 − β)ᵗ: only the first value is right, and then the averages "
                "explode.",
                "What do the weights of the first t values add up to?",
            ),
            Misconception(
                "one-minus-power-of-one-minus-beta",
                lambda x, b: _averages(x, b) / (1 - (1 - b) ** _times(x)),
                "You divide by 1 − (1 − β)ᵗ: what is left of the starting zero after t steps is "
                "βᵗ.",
                "Each step multiplies the old average by β.",
            ),
            Misconception(
                "correction-fed-back",
                _averages_fed_back,
                "You go on from the corrected average, so that it is corrected again and again; "
                "keep the plain one and correct only what you store.",
                "You need two variables: the running average, and the list of corrected ones.",
            ),
            Misconception(
                "correction-of-the-last-step",
                lambda x, b: _averages(x, b) / (1 - b ** len(x)),
                "You correct all entries as if they were the last; each has its own t.",
                "At time t only t values have come in.",
            ),
            Misconception(
                "multiplied",
                lambda x, b: _averages(x, b) * (1 - b ** _times(x)),
                "You multiply by 1 − βᵗ, which makes small averages smaller still.",
                "The averages are too small by that factor.",
            ),
            Misconception(
                "beta-exchanged",
                lambda x, b: adam.bias_corrected_average(x, 1 - b),
                "β and 1 − β are exchanged: β is the share of the old average that stays.",
                "With β near 1 the average should move slowly.",
            ),
            Misconception(
                "beta-exchanged-in-the-average",
                lambda x, b: _averages(x, 1 - b) / (1 - b ** _times(x)),
                "In the average β and 1 − β are exchanged: β is the share of the old average "
                "that stays.",
                "With β near 1 the average should move slowly.",
            ),
            Misconception(
                "started-at-the-first-value",
                lambda x, b: _averages(x, b, x[0]),
                "You start at the first value, which gives it a large weight for good; start at "
                "zero and correct.",
                "With the correction all values are weighted by their age alone.",
            ),
            Misconception(
                "started-at-the-first-value-and-corrected",
                lambda x, b: _averages(x, b, x[0]) / (1 - b ** _times(x)),
                "You start at the first value, but divide as if you had started at zero: the "
                "first averages are far too large. Start at zero.",
                "The correction replaces what the zero at the start took away.",
            ),
            Misconception(
                "parentheses",
                lambda x, b: _averages(x, b) - b ** _times(x),
                "Parentheses are missing: `a / 1 - beta**t` divides by 1 and then subtracts βᵗ.",
                "Division comes before subtraction: put parentheses around 1 − βᵗ.",
            ),
            Misconception(
                "power-forgotten",
                lambda x, b: _averages(x, b) / (1 - b),
                "You divide by 1 − β at every time; the power is missing: 1 − βᵗ.",
                "The more values have come in, the less is missing.",
            ),
            Misconception(
                "beta-times-t",
                lambda x, b: _averages(x, b) / (1 - b * _times(x)),
                "You divide by 1 − β·t; it is a power, 1 − βᵗ.",
                "Each step multiplies the old average by β: what is left after t steps?",
            ),
            Misconception(
                "t-plus-one",
                lambda x, b: _averages(x, b) / (1 - b ** _times(x, 2)),
                "Your t is one too large: when the first value has come in, t is 1.",
                "The first corrected average should be the first value.",
            ),
            Misconception(
                "divided-by-what-is-missing",
                lambda x, b: _averages(x, b) / b ** _times(x),
                "You divide by βᵗ, which is the weight that is missing; divide by the weight that "
                "is there, 1 − βᵗ.",
                "As t grows, the divisor should come close to 1.",
            ),
            Misconception(
                "value-not-weighted",
                lambda x, b: _averages(x, b) / (1 - b) / (1 - b ** _times(x)),
                "The new value is not weighted by 1 − β, so this is a sum and not an average.",
                "Try a constant sequence: its average should be that constant.",
            ),
            Misconception(
                "first-value-skipped",
                lambda x, b: _averages(np.append(0.0, x[1:]), b) / (1 - b ** _times(x)),
                "The first value is left out: Python's indices start at 0, and t at 1.",
                "With `enumerate(values, start=1)` you get each value together with its t.",
            ),
            Misconception(
                "last-average-only",
                lambda x, b: adam.bias_corrected_average(x, b)[-1],
                "You return the last average only; store the one of every time, T in all.",
                "Make an array of T zeros before the loop and fill it.",
            ),
            Misconception(
                "returned-in-the-loop",
                lambda x, b: adam.bias_corrected_average(x, b)[:1],
                "You return after the first value: does your `return` stand inside the loop?",
                "A `return` ends the function at once. It belongs below the loop, as far left "
                "as the `for`.",
            ),
            Misconception(
                "plain-mean",
                lambda x, b: np.cumsum(x) / _times(x),
                "This is the plain mean of all values so far: it never forgets, and β plays no "
                "part.",
                "Newer values should count more.",
            ),
        ),
    ),
    Exercise(
        name="rmsprop_step",
        lesson=LESSON,
        points=2,
        reference=adam.rmsprop_step,
        cases=rmsprop_steps,
        section="A step size for every weight: AdaGrad and RMSProp",
        think="First the new average of squared gradients. Then a step in which each gradient is "
        "divided by the root of (average + epsilon).",
        misconceptions=(
            Misconception(
                "root-forgotten",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / (a + e)),
                "The root is missing: you divide by the mean square, whose units are those of "
                "the gradient squared.",
                "The R of RMS is the root.",
            ),
            Misconception(
                "epsilon-outside-root",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / (np.sqrt(a) + e)),
                "Your epsilon is added to the root, as PyTorch does; Keras adds it inside.",
                "See the conventions table: which row is about RMSProp?",
            ),
            Misconception(
                "gradient-not-squared",
                _rmsprop(average=lambda a, g, rho: rho * a + (1 - rho) * g),
                "You average the gradient itself; average its square. (Otherwise the average may "
                "be negative and has no root.)",
                "The S of RMS is the square.",
            ),
            Misconception(
                "rho-exchanged",
                _rmsprop(average=lambda a, g, rho: (1 - rho) * a + rho * g**2),
                "ρ and 1 − ρ are exchanged: ρ is the share of the old average that stays.",
                "With ρ near 1 the average should move slowly.",
            ),
            Misconception(
                "old-average",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / np.sqrt(old + e)),
                "You divide by the old average, which is zero at the first step; update it first.",
                "Which of the two lines of the rule comes first?",
            ),
            Misconception(
                "adagrad",
                _rmsprop(average=lambda a, g, rho: a + g**2),
                "You add the squares up, as AdaGrad does: the steps would only ever shrink. "
                "RMSProp averages them.",
                "Where does ρ come in?",
            ),
            Misconception(
                "gradient-not-averaged",
                _rmsprop(average=lambda a, g, rho: rho * a + g**2),
                "The new square is not weighted by 1 − ρ, so this is a sum and not an average.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "epsilon-forgotten",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / np.sqrt(a)),
                "The epsilon plays no part: a gradient that is always zero gives 0/0.",
                "What keeps the denominator above zero?",
            ),
            Misconception(
                "epsilon-added-to-step",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / np.sqrt(a) + e),
                "Your epsilon is added to the step instead of the average: division comes before "
                "addition.",
                "Put parentheses around the whole denominator.",
            ),
            Misconception(
                "epsilon-added-to-weights",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g / np.sqrt(a) - e),
                "Your epsilon is added to the weights instead of the average: division comes "
                "before addition.",
                "Both the average and epsilon belong under the root.",
            ),
            Misconception(
                "epsilon-kept-in-the-average",
                _with_epsilon_in_memory,
                "The step is right, but the average that you return has epsilon in it, and "
                "would gain one at each step.",
                "Add epsilon only where you take the root.",
            ),
            Misconception(
                "root-kept-in-the-average",
                _rmsprop(
                    average=lambda a, g, rho: np.sqrt(rho * a + (1 - rho) * g**2),
                    update=lambda g, a, old, lr, e: lr * g / (a + e),
                ),
                "You return the root of the average; the next step needs the average itself, "
                "before the root (and epsilon belongs under it).",
                "Take the root only where you divide.",
            ),
            Misconception(
                "absolute-values",
                _rmsprop(
                    average=lambda a, g, rho: rho * a + (1 - rho) * np.abs(g),
                    update=lambda g, a, old, lr, e: lr * g / (a + e),
                ),
                "You average absolute values; RMSProp averages squares and takes the root.",
                "RMS stands for root mean square.",
            ),
            Misconception(
                "weight-squared",
                _rmsprop(average=lambda a, g, rho: rho * a + ((1 - rho) * g) ** 2),
                "You square 1 − ρ together with the gradient; only the gradient is squared.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "one-size-for-all",
                _rmsprop(average=lambda a, g, rho: rho * a + (1 - rho) * np.mean(g**2)),
                "You take the mean over all gradients, so that all weights share one size; each "
                "weight has an average of its own, over time.",
                "`gradient**2` has an entry for each weight already.",
            ),
            Misconception(
                "gradient-squared-in-the-step",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g**2 / np.sqrt(a + e)),
                "You step by the squared gradient, which has lost its sign; only the average "
                "takes squares.",
                "Every weight of yours moves down, whatever its gradient.",
            ),
            Misconception(
                "gradient-missing-in-the-step",
                _rmsprop(update=lambda g, a, old, lr, e: lr / np.sqrt(a + e)),
                "The gradient is missing in the step: every weight moves down, whatever its "
                "gradient.",
                "What is divided by the root?",
            ),
            Misconception(
                "multiplied-by-the-root",
                _rmsprop(update=lambda g, a, old, lr, e: lr * g * np.sqrt(a + e)),
                "You multiply by the root; divide by it.",
                "Large gradients should not make the steps longer still.",
            ),
            Misconception(
                "learning-rate-forgotten",
                _rmsprop(update=lambda g, a, old, lr, e: g / np.sqrt(a + e)),
                "The learning rate plays no part.",
                "With a learning rate of zero nothing should move.",
            ),
            Misconception(
                "old-average-returned",
                _rmsprop(returned=lambda stepped, a, old: (stepped, old)),
                "The step is right, but you return the old average: nothing would be remembered.",
                "Return the average with the new square in it.",
            ),
            Misconception(
                "returned-the-other-way-round",
                _rmsprop(returned=lambda stepped, a, old: (a, stepped)),
                "Both results are right, but in the other order: first the weights, then the "
                "average.",
                "The docstring says in which order.",
            ),
            Misconception(
                "sign",
                _rmsprop(update=lambda g, a, old, lr, e: -lr * g / np.sqrt(a + e)),
                "The step goes uphill: subtract it from the weights.",
                "The gradient points to where the loss grows.",
            ),
            Misconception(
                "sign-of-gradient",
                _rmsprop(update=lambda g, a, old, lr, e: lr * np.sign(g)),
                "You move by the sign of the gradient; it is the averaged size that the gradient "
                "is divided by, not its own.",
                "The average plays no part in your step.",
            ),
        ),
    ),
)
