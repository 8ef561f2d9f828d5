"""Exercises of lesson 06 on batch normalisation: at inference, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import fine_tuning
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "06_fine_tuning"
Variant = Callable[..., Any]


# --- cases: statistics unlike the batch's, an epsilon that is seen -------------------------------


def stored_statistics(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, epsilon: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        x = mean + 1.0 + 2.0 * np.sqrt(variance) * rng.normal(size=(n, k))
        gamma, beta = rng.uniform(0.3, 2.0, k), rng.normal(size=k)
        return Case((x, gamma, beta, mean, variance, epsilon), kind)

    x, gamma, beta, mean, variance, _ = case(5, 3, 0.1).arguments
    variance[1] = 0.0
    return [
        case(6, 3, 0.05),
        case(4, 7, 0.2),
        case(9, 5, 0.01),
        case(1, 4, 0.05, "a batch of one"),
        Case((x, gamma, beta, mean, variance, 1e-3), "a stored variance of zero"),
    ]


def batches(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, momentum: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        batch = mean + 1.5 + rng.uniform(0.5, 3.0, k) * rng.normal(size=(n, k))
        return Case((mean, variance, batch, momentum), kind)

    return [
        case(6, 3, 0.9),
        case(4, 7, 0.7),
        case(8, 5, 0.8),
        case(5, 3, 0.99),
        case(1, 4, 0.9, "a batch of one"),
        case(6, 3, 0.0, "a momentum of zero"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _normalised(
    deviation: Variant = lambda variance, epsilon: np.sqrt(variance + epsilon),
    mean: Variant = lambda x, stored: stored,
    variance: Variant = lambda x, stored: stored,
    result: Variant = lambda z, gamma, beta: gamma * z + beta,
) -> Variant:
    """A variant from its deviation, its statistics, or what it does with gamma and beta."""

    def variant(x: Any, gamma: Any, beta: Any, m: Any, v: Any, epsilon: float) -> Any:
        z = (x - mean(x, m)) / deviation(variance(x, v), epsilon)
        return result(z, gamma, beta)

    return variant


def _of_batch_mean(x: Any, stored: Any) -> Any:
    return x.mean(axis=0)


def _of_batch_variance(x: Any, stored: Any) -> Any:
    return x.var(axis=0)


def _moved(
    mix: Variant = lambda old, new, momentum: momentum * old + (1 - momentum) * new,
    variance: Variant = lambda batch, mean: batch.var(axis=0),
    mean: Variant = lambda batch: batch.mean(axis=0),
) -> Variant:
    """A variant from how it mixes old and new, or from its statistics of the batch."""

    def variant(m: Any, v: Any, batch: Any, momentum: float) -> tuple[Any, Any]:
        return mix(m, mean(batch), momentum), mix(v, variance(batch, m), momentum)

    return variant


def _reversed_mix(old: Any, new: Any, momentum: float) -> Any:
    return (1 - momentum) * old + momentum * new


def _unbiased(batch: Any, mean: Any) -> Any:
    return batch.var(axis=0, ddof=1)


def _only(which: int) -> Variant:
    """Only one of the two statistics moves."""

    def variant(m: Any, v: Any, batch: Any, momentum: float) -> tuple[Any, Any]:
        new = fine_tuning.batchnorm_moving_update(m, v, batch, momentum)
        return (new[0], v * 1.0) if which == 0 else (m * 1.0, new[1])

    return variant


def _around_new_mean(m: Any, v: Any, batch: Any, momentum: float) -> tuple[Any, Any]:
    mean = momentum * m + (1 - momentum) * batch.mean(axis=0)
    return mean, momentum * v + (1 - momentum) * np.mean((batch - mean) ** 2, axis=0)


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="batchnorm_inference",
        lesson=LESSON,
        points=2,
        reference=fine_tuning.batchnorm_inference,
        cases=stored_statistics,
        section="Batch normalisation at inference",
        think="Centre by the stored mean, divide by the root of (stored variance + epsilon), then "
        "scale by gamma and shift by beta.",
        misconceptions=(
            Misconception(
                "batch-statistics",
                _normalised(mean=_of_batch_mean, variance=_of_batch_variance),
                "You use the mean and variance of this batch, as in training: the answer for an "
                "image would depend on its neighbours. At inference the stored ones count.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "batch-mean",
                _normalised(mean=_of_batch_mean),
                "You subtract the mean of this batch; at inference the stored mean counts.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "batch-variance",
                _normalised(variance=_of_batch_variance),
                "You divide by the deviation of this batch; at inference the stored variance "
                "counts.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "epsilon-outside-root",
                _normalised(lambda v, e: np.sqrt(v) + e),
                "Your epsilon is added to the root; in batch normalisation it stands inside, "
                "unlike in Adam.",
                "Epsilon has the units of the variance.",
            ),
            Misconception(
                "epsilon-forgotten",
                _normalised(lambda v, e: np.sqrt(v)),
                "The epsilon plays no part: a channel that never varies divides by zero.",
                "Add it to the variance before the root.",
            ),
            Misconception(
                "variance-as-deviation",
                _normalised(lambda v, e: v + e),
                "You divide by the variance; its root is missing.",
                "Both sides of a fraction should have the same units.",
            ),
            Misconception(
                "stored-as-deviation",
                _normalised(lambda v, e: v),
                "You divide by the stored variance as if it were the deviation: add epsilon and "
                "take the root.",
                "Both sides of a fraction should have the same units.",
            ),
            Misconception(
                "multiplied",
                lambda x, g, b, m, v, e: g * (x - m) * np.sqrt(v + e) + b,
                "You multiply by the deviation; divide by it.",
                "After centring and scaling the variance should be about 1.",
            ),
            Misconception(
                "gamma-and-beta-exchanged",
                _normalised(result=lambda z, gamma, beta: beta * z + gamma),
                "Gamma and beta are exchanged: gamma scales, beta shifts.",
                "Keras starts gamma at 1 and beta at 0, so that they change nothing.",
            ),
            Misconception(
                "gamma-and-beta-forgotten",
                _normalised(result=lambda z, gamma, beta: z),
                "Gamma and beta are missing: a frozen layer keeps the scale and shift that it "
                "learned.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "beta-forgotten",
                _normalised(result=lambda z, gamma, beta: gamma * z),
                "Beta is missing: shift the result by it.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "gamma-forgotten",
                _normalised(result=lambda z, gamma, beta: z + beta),
                "Gamma is missing: scale by it before you shift.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "beta-scaled",
                _normalised(result=lambda z, gamma, beta: gamma * (z + beta)),
                "Gamma scales beta too: multiply first, then shift.",
                "Which of the two comes last?",
            ),
            Misconception(
                "not-centred",
                _normalised(mean=lambda x, stored: 0.0),
                "The stored mean is not subtracted.",
                "What would the result be for an example that equals the stored mean?",
            ),
            Misconception(
                "parentheses-around-the-difference",
                lambda x, g, b, m, v, e: g * x - m / np.sqrt(v + e) + b,
                "Only the stored mean is divided: `g * (x - m) / s` needs the parentheses around "
                "the difference.",
                "Products and quotients come before differences.",
            ),
            Misconception(
                "epsilon-behind-the-division",
                lambda x, g, b, m, v, e: g * (x - m) / np.sqrt(v) + e + b,
                "Your epsilon is added to the result; it belongs under the root, to the variance.",
                "Count the parentheses around what the root is taken of.",
            ),
            Misconception(
                "epsilon-of-its-own",
                _normalised(lambda v, e: np.sqrt(v + 1e-5)),
                "You do not use the argument `epsilon`: your root has a constant of its own.",
                "The caller says how large it is; libraries differ in that.",
                noise=0.02,
            ),
            Misconception(
                "each-example-by-itself",
                lambda x, g, b, m, v, e: (
                    g * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + e) + b
                ),
                "You normalise each example over its channels: that is layer normalisation. Here "
                "each channel has a stored mean and variance.",
                "Which of the arguments have the shape (K,)?",
            ),
            Misconception(
                "all-numbers-together",
                lambda x, g, b, m, v, e: g * (x - x.mean()) / np.sqrt(x.var() + e) + b,
                "You take one mean and one variance of the whole batch; at inference the stored "
                "ones count, one of each for every channel.",
                "Which of the arguments have the shape (K,)?",
            ),
            Misconception(
                "beta-divided-too",
                lambda x, g, b, m, v, e: (g * (x - m) + b) / np.sqrt(v + e),
                "Beta is divided by the deviation too; it is added at the very end.",
                "Where do the parentheses end?",
            ),
            Misconception(
                "divided-by-gamma",
                lambda x, g, b, m, v, e: (x - m) / (np.sqrt(v + e) * g) + b,
                "You divide by gamma; multiply by it.",
                "Gamma is the deviation that the network has chosen.",
            ),
            Misconception(
                "sign",
                lambda x, g, b, m, v, e: g * (m - x) / np.sqrt(v + e) + b,
                "The difference is the wrong way round: x minus the stored mean.",
                "With a positive gamma, should a larger input give a larger or a smaller output?",
            ),
            Misconception(
                "statistics-forgotten",
                lambda x, g, b, m, v, e: g * x + b,
                "You scale and shift, but do not normalise: the stored mean and variance play no "
                "part.",
                "Before gamma and beta come two operations.",
            ),
        ),
    ),
    Exercise(
        name="batchnorm_moving_update",
        lesson=LESSON,
        points=2,
        reference=fine_tuning.batchnorm_moving_update,
        cases=batches,
        section="Batch normalisation remembers",
        think="Twice the same mixture: momentum times the old, 1 − momentum times the batch's. "
        "Mean and variance of the batch are taken over the examples, divided by N.",
        misconceptions=(
            Misconception(
                "momentum-reversed",
                _moved(_reversed_mix),
                "Momentum is the share of the old statistics in Keras; you give it to the batch, "
                "as PyTorch does.",
                "With Keras' default of 0.99 the statistics should move slowly.",
            ),
            Misconception(
                "as-pytorch",
                _moved(_reversed_mix, variance=_unbiased),
                "This is PyTorch's rule: momentum is the share of the batch, the variance is "
                "unbiased. In Keras momentum is the share of the old statistics, and the variance "
                "is divided by N.",
                "See the conventions table: two rows are about batch normalisation.",
            ),
            Misconception(
                "unbiased-variance",
                _moved(variance=_unbiased),
                "You divide the batch's variance by N − 1; Keras divides by N. (The paper and "
                "PyTorch do as you did.)",
                "What is the variance of a batch of one?",
            ),
            Misconception(
                "new-only",
                _moved(lambda old, new, momentum: new * 1.0),
                "You replace the stored statistics by those of the batch; they are an average "
                "over many batches.",
                "Where does the momentum come in?",
            ),
            Misconception(
                "new-not-weighted",
                _moved(lambda old, new, momentum: momentum * old + new),
                "The batch's statistics are not weighted by 1 − momentum, so this is a sum and no "
                "average.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "deviation",
                _moved(variance=lambda batch, mean: batch.std(axis=0)),
                "You mix the batch's standard deviation into a variance.",
                "Do not take the root: the layer takes it when it divides.",
            ),
            Misconception(
                "around-the-stored-mean",
                _moved(variance=lambda batch, mean: np.mean((batch - mean) ** 2, axis=0)),
                "You compute the variance around the stored mean; it is the batch's own, around "
                "the batch's mean.",
                "`batch.var(axis=0)` looks at nothing but the batch.",
            ),
            Misconception(
                "mean-of-squares",
                _moved(variance=lambda batch, mean: np.mean(batch**2, axis=0)),
                "This is the mean of the squares: the square of the mean is not subtracted.",
                "A constant channel has variance 0.",
            ),
            Misconception(
                "one-for-all-channels",
                _moved(
                    mean=lambda batch: np.full(batch.shape[1], batch.mean()),
                    variance=lambda batch, mean: np.full(batch.shape[1], batch.var()),
                ),
                "You take one mean and one variance over all channels; each channel has its own.",
                "Which axis counts the examples?",
            ),
            Misconception(
                "only-mean-moves",
                _only(0),
                "The variance stays as it was; it moves by the same rule as the mean.",
                "Both return values have the same form.",
            ),
            Misconception(
                "only-variance-moves",
                _only(1),
                "The mean stays as it was; it moves by the same rule as the variance.",
                "Both return values have the same form.",
            ),
            Misconception(
                "nothing-moves",
                _moved(lambda old, new, momentum: old * 1.0),
                "Nothing moves: that is what a frozen layer does. In training the statistics "
                "follow the batches.",
                "Where does the batch come in?",
            ),
            Misconception(
                "returned-in-the-other-order",
                lambda m, v, batch, momentum: _moved()(m, v, batch, momentum)[::-1],
                "You return the variance first; the mean comes first, as in the arguments.",
                "Which of the two can be negative?",
            ),
            Misconception(
                "around-the-new-mean",
                _around_new_mean,
                "You compute the batch's variance around the mean that you have just mixed; it "
                "is taken around the batch's own.",
                "`batch.var(axis=0)` looks at nothing but the batch.",
            ),
            Misconception(
                "parentheses",
                _moved(lambda old, new, momentum: momentum * old + 1 - momentum * new),
                "`1 - momentum * new` multiplies first: put `1 - momentum` into parentheses.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "old-not-weighted",
                _moved(lambda old, new, momentum: old + (1 - momentum) * new),
                "The old statistics are not weighted by the momentum, so this is a sum and no "
                "average.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "over-the-channels",
                _moved(
                    variance=lambda batch, mean: batch.var(axis=1),
                    mean=lambda batch: batch.mean(axis=1),
                ),
                "Your mean and variance run over the channels of each example; they should run "
                "over the examples, one of each for every channel.",
                "The result has the shape of the stored statistics, (K,). Which axis has to go?",
            ),
            Misconception(
                "plain-mean",
                _moved(lambda old, new, momentum: (old + new) / 2),
                "You take the mean of old and new: the momentum plays no part.",
                "How much should one batch count against all those before it?",
            ),
            Misconception(
                "moved-away",
                _moved(lambda old, new, momentum: old - (1 - momentum) * (new - old)),
                "The sign is wrong: the statistics move away from those of the batch.",
                "With a momentum of 0 only those of the batch should be left.",
            ),
            Misconception(
                "same-weight-for-both",
                _moved(lambda old, new, momentum: momentum * (old + new)),
                "You give old and new the same weight; the new ones get 1 − momentum.",
                "The weights of an average add up to one.",
            ),
        ),
    ),
)
