"""Exercises of lesson 03: gradient descent, mini-batches and schedules; EXERCISES has all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import gradients, losses, sgd
from . import backpropagation, momentum
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "03_sgd"
Variant = Callable[..., Any]


# --- cases ----------------------------------------------------------------------------------------


def regression_problems(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)), kind)

    return [
        case(6, 3),
        case(4, 7),
        case(9, 5),
        case(5, 5),
        case(1, 4, "a batch of one"),
        case(6, 1, "a single feature"),
        # Finite differences are off by far more than the tolerance here.
        Case(
            (rng.normal(size=(6, 3)), 1e8 * rng.normal(size=6), rng.normal(size=3)), "large targets"
        ),
    ]


def plain_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.02, 0.4)), kind)

    return [
        case(4),
        case(3, 5),
        case(6),
        Case((rng.normal(size=3), np.zeros(3), 0.3), "a gradient of zero"),
    ]


def hessians(rng: np.random.Generator) -> list[Case]:
    def case(size: int) -> Case:
        root = rng.normal(size=(size, size))
        return Case((root @ root.T + 0.3 * np.eye(size),))

    return [
        case(2),
        case(3),
        case(4),
        case(6),
        Case((np.diag(rng.uniform(0.5, 4.0, 3)),), "a diagonal matrix"),
        Case((np.diag([rng.uniform(1.0, 4.0), 0.0, 0.25]),), "a direction without curvature"),
        Case((np.array([[rng.uniform(0.5, 4.0)]]),), "a single weight"),
    ]


def orders(rng: np.random.Generator) -> list[Case]:
    def case(n: int, size: int, kind: str = ORDINARY) -> Case:
        order = rng.permutation(n)
        while n > 1 and np.all(np.diff(order) > 0):
            order = rng.permutation(n)
        return Case((order, size), kind)

    return [
        case(10, 4),
        case(17, 5),
        case(11, 3),
        case(12, 4, "a batch size that divides N"),
        case(6, 1, "batches of one"),
        case(5, 8, "a batch size above N"),
    ]


def schedule_steps(rng: np.random.Generator) -> list[Case]:
    # The last step is left out: there the rate is 0 and rounding would decide.
    def case(step: int, total: int, warmup: int, kind: str = ORDINARY) -> Case:
        return Case((step, total, warmup, float(rng.uniform(0.05, 0.9))), kind)

    return [
        case(3, 100, 10),
        case(7, 60, 20),
        case(37, 100, 10),
        case(59, 100, 10),
        case(88, 100, 10),
        case(0, 50, 5, "step 0"),
        case(5, 50, 5, "the last step of the warm-up"),
        case(0, 40, 0, "a schedule without warm-up"),
        case(13, 40, 0, "a schedule without warm-up"),
        case(49, 50, 5, "the last step but one"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _sgd_in_place(weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> np.ndarray:
    weights -= learning_rate * gradient
    return weights


def _of_largest(factor: float) -> Variant:
    return lambda hessian: float(factor * np.linalg.eigvalsh(hessian)[-1])


def _cut(order: np.ndarray, size: int, starts: range, longer: int = 0) -> list[np.ndarray]:
    return [order[start : start + size + longer] for start in starts]


def _schedule(
    rise: Variant = lambda s, w: s / w,
    done: Variant = lambda s, t, w: (s - w) / (t - w),
    fall: Variant = lambda x: (1 + math.cos(math.pi * x)) / 2,
) -> Variant:
    """The right schedule with its rise, the share done or the fall exchanged."""

    def variant(step: int, total: int, warmup: int, base: float) -> float:
        share = rise(step, warmup) if step < warmup else fall(done(step, total, warmup))
        return float(base * share)

    return variant


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="least_squares_gradient",
        lesson=LESSON,
        points=2,
        reference=sgd.least_squares_gradient,
        cases=regression_problems,
        section="Downhill on a straight line's error",
        think="The error of each example, then how much each weight had to do with it, then the "
        "mean's divisor.",
        misconceptions=(
            Misconception(
                "missing-two",
                lambda x, y, w: x.T @ (x @ w - y) / len(x),
                "The 2 is missing: it comes down when you differentiate the square, and this "
                "loss has no ½ to cancel it.",
                "Check one entry with `numerical_gradient`.",
            ),
            Misconception(
                "not-divided-by-n",
                lambda x, y, w: 2 * x.T @ (x @ w - y),
                "You do not divide by N: the loss is a mean over the examples.",
                "Repeat all examples: a mean and its gradient stay where they are.",
            ),
            Misconception(
                "missing-two-and-not-divided",
                lambda x, y, w: x.T @ (x @ w - y),
                "The 2 of the square is missing, and so is the division by N: the loss is a "
                "mean of squares, without a ½.",
                "Derive it for one example first; then take the mean over all.",
            ),
            Misconception(
                "divided-by-features",
                lambda x, y, w: 2 * x.T @ (x @ w - y) / x.shape[1],
                "You divide by the number of features; the loss is a mean over the N examples.",
                "`len(targets)` is the number of examples.",
            ),
            Misconception(
                "divided-by-all-elements",
                lambda x, y, w: 2 * x.T @ (x @ w - y) / x.size,
                "You divide by examples times features; the mean is over the N errors.",
                "How many errors Xw − y are there?",
            ),
            Misconception(
                "sign",
                lambda x, y, w: 2 * x.T @ (y - x @ w) / len(x),
                "The sign is wrong: this points downhill, and the gradient points uphill. The "
                "minus comes with the step.",
                "Where a prediction is too large, more of its feature should raise the loss.",
            ),
            Misconception(
                "features-not-transposed",
                lambda x, y, w: 2 * x @ (x @ w - y) / len(x),
                "You multiply the errors by X instead of Xᵀ: weight j belongs to column j of X, "
                "so its entry adds up over the examples.",
                "The result has one entry per weight. Follow the shapes: (D, N) times (N,).",
            ),
            Misconception(
                "targets-forgotten",
                lambda x, y, w: 2 * x.T @ (x @ w) / len(x),
                "The targets are not subtracted from the predictions.",
                "Where all predictions are right, the gradient is zero.",
            ),
            Misconception(
                "one-gradient-per-example",
                lambda x, y, w: 2 * (x @ w - y)[:, None] * x,
                "You return one gradient per example; take their mean.",
                "The result has one entry per weight.",
            ),
            Misconception(
                "star-instead-of-matrix-product",
                lambda x, y, w: 2 * x.T * (x @ w - y) / len(x),
                "`*` multiplies entry by entry: you have one column per example. The sum over "
                "the examples is missing; `@` multiplies and adds up.",
                "The result has one entry per weight.",
            ),
            Misconception(
                "chain-rule-forgotten",
                lambda x, y, w: 2 * (x @ w - y) / len(x),
                "This is the gradient by the predictions. The chain rule goes on to the "
                "weights: how does prediction n depend on weight j?",
                "The result has one entry per weight, not one per example.",
            ),
            Misconception(
                "size-of-error-only",
                lambda x, y, w: 2 * x.T @ np.abs(x @ w - y) / len(x),
                "You take the absolute errors: then a prediction that is too low pushes in the "
                "same direction as one that is too high.",
                "The derivative of e² is 2e, which keeps the sign of e.",
            ),
            Misconception(
                "error-squared",
                lambda x, y, w: 2 * x.T @ (x @ w - y) ** 2 / len(x),
                "The errors are still squared: a square falls to the first power when you "
                "differentiate it.",
                "An error down and an error up must push in opposite directions.",
            ),
            Misconception(
                "finite-differences",
                lambda x, y, w: gradients.numerical_gradient(lambda v: losses.mse(x @ v, y), w),
                "These are finite differences: they cost two losses for every weight, and large "
                "errors drown them in rounding. Write the formula.",
                "Finite differences are the witness. The formula stands right above the exercise.",
                noise=0.02,
            ),
        ),
    ),
    Exercise(
        name="sgd_step",
        lesson=LESSON,
        points=1,
        reference=sgd.sgd_step,
        cases=plain_steps,
        section="Downhill on a straight line's error",
        think="A small step from the weights, against the gradient.",
        misconceptions=(
            Misconception(
                "ascent",
                lambda w, g, lr: w + lr * g,
                "You walk uphill: the gradient points to where the loss grows.",
                "To make the loss smaller, go the other way.",
            ),
            Misconception(
                "multiplied",
                lambda w, g, lr: w * (lr * g),
                "You multiply the weights by the step; it should be subtracted.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "step-times-weights",
                lambda w, g, lr: w - lr * g * w,
                "Your step is multiplied by the weights, so that a weight of zero could never "
                "move.",
                "The step depends on the gradient and the learning rate only.",
            ),
            Misconception(
                "in-place",
                _sgd_in_place,
                "The numbers are right, but you change `weights` in place: the caller still needs "
                "the old ones.",
                "`w = w - x` makes a new array, `w -= x` writes into the one you were given.",
            ),
            Misconception(
                "learning-rate-forgotten",
                lambda w, g, lr: w - g,
                "The learning rate plays no part: you subtract the whole gradient.",
                "What should a learning rate of zero do?",
            ),
            Misconception(
                "divided-by-learning-rate",
                lambda w, g, lr: w - g / lr,
                "You divide by the learning rate: a smaller rate would make a larger step.",
                "What should a learning rate near zero do?",
            ),
            Misconception(
                "step-only",
                lambda w, g, lr: -lr * g,
                "You return the step; the weights that it leads to are asked for.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "step-uphill-only",
                lambda w, g, lr: lr * g,
                "This is the step alone, and it points uphill. Subtract it from the weights.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "gradient-forgotten",
                lambda w, g, lr: w - lr,
                "The gradient plays no part: every weight moves down by the learning rate.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "learning-rate-times-everything",
                lambda w, g, lr: lr * (w - g),
                "The learning rate multiplies the weights too; it belongs to the gradient only.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "exchanged",
                lambda w, g, lr: g - lr * w,
                "Weights and gradient are exchanged: you move the gradient along the weights.",
                "With a gradient of zero the weights should stay where they are.",
            ),
            Misconception(
                "size-of-gradient-only",
                lambda w, g, lr: w - lr * np.abs(g),
                "You take the absolute gradient, so that no weight can ever grow.",
                "Where the gradient is negative, the loss falls as the weight grows.",
            ),
            Misconception(
                "gradient-of-length-one",
                lambda w, g, lr: w - lr * g / np.linalg.norm(g),
                "You divide the gradient by its length, so that every step is equally long. A "
                "gradient that becomes smaller should make the step smaller.",
                "The rule uses the gradient as it is.",
            ),
            Misconception(
                "sign-of-gradient",
                lambda w, g, lr: w - lr * np.sign(g),
                "You use only the sign of the gradient, so that every weight moves equally far.",
                "A steeper direction should get a larger step.",
            ),
        ),
    ),
    Exercise(
        name="largest_stable_learning_rate",
        lesson=LESSON,
        points=2,
        reference=sgd.largest_stable_learning_rate,
        cases=hessians,
        section="How fast is too fast: the limit 2/λ",
        think="Along an eigenvector one step multiplies the error by 1 − ηλ. For which η is that "
        "between −1 and 1 for every λ?",
        misconceptions=(
            Misconception(
                "one-over-largest",
                lambda h: float(1 / np.linalg.eigvalsh(h)[-1]),
                "At 1/λmax the steepest direction is solved in one step, which is not the limit "
                "yet: up to twice that the error still shrinks, changing its sign.",
                "1 − ηλ may be negative, as long as its size is below 1.",
            ),
            Misconception(
                "fastest-rate",
                lambda h: float(2 / (np.linalg.eigvalsh(h)[-1] + np.linalg.eigvalsh(h)[0])),
                "2/(λmin + λmax) is the rate at which the descent is fastest. It still arrives "
                "at larger ones, up to a limit that λmax sets alone.",
                "For which λ does 1 − ηλ leave the interval first as η grows?",
            ),
            Misconception(
                "smallest-eigenvalue",
                lambda h: float(2 / np.linalg.eigvalsh(h)[0]),
                "You use the smallest eigenvalue; the limit is set by the direction that "
                "diverges first, the steepest.",
                "For which λ does 1 − ηλ leave the interval first as η grows?",
            ),
            Misconception(
                "second-eigenvalue",
                lambda h: float(2 / np.linalg.eigvalsh(h)[1]),
                "You take the eigenvalue at position 1, which is the largest only of two. They "
                "ascend: the largest is the last.",
                "Negative positions count from the end.",
            ),
            Misconception(
                "mean-eigenvalue",
                lambda h: float(2 / np.mean(np.linalg.eigvalsh(h))),
                "You use the mean of the eigenvalues: at that rate the steepest direction may "
                "diverge already.",
                "One direction that diverges is enough.",
            ),
            Misconception(
                "trace",
                lambda h: float(2 / np.trace(h)),
                "You use the trace, the sum of all eigenvalues: a safe rate, but not the largest.",
                "Each eigenvector is a problem of its own; do not add their curvatures up.",
            ),
            Misconception(
                "largest-diagonal-entry",
                lambda h: float(2 / np.max(np.diag(h))),
                "You use the largest entry, which is on the diagonal: the curvature along an axis. "
                "The steepest direction need not be an axis.",
                "Which directions does a symmetric matrix only stretch?",
            ),
            Misconception(
                "frobenius-norm",
                lambda h: float(2 / np.linalg.norm(h)),
                "You use the Frobenius norm, which mixes all eigenvalues; the largest alone sets "
                "the limit.",
                "`np.linalg.norm` of a matrix is the root of the sum of squares unless you ask "
                "for another norm.",
            ),
            *(
                Misconception(
                    name,
                    _of_largest(factor),
                    f"{words}: the steeper the loss, the larger your rate.",
                    "Should a steeper valley allow longer or shorter steps?",
                )
                for name, factor, words in (
                    ("largest-eigenvalue-itself", 1.0, "You return the largest eigenvalue"),
                    ("half-the-eigenvalue", 0.5, "You return λmax/2, the limit upside down"),
                    ("twice-the-eigenvalue", 2.0, "You multiply λmax by 2 instead of dividing"),
                )
            ),
            Misconception(
                "condition-number",
                lambda h: float(np.linalg.eigvalsh(h)[-1] / np.linalg.eigvalsh(h)[0]),
                "This is the condition number: it says how slow the descent is at best, not "
                "where it breaks.",
                "The limit has the units of one over a curvature.",
            ),
        ),
    ),
    Exercise(
        name="minibatches",
        lesson=LESSON,
        points=2,
        reference=sgd.minibatches,
        cases=orders,
        section="From the full batch to a few examples",
        think="Where does each batch start, and what does a slice do that runs past the end?",
        misconceptions=(
            Misconception(
                "last-batch-dropped",
                lambda o, b: _cut(o, b, range(0, len(o) - len(o) % b, b)),
                "The last, short batch is missing: its examples are never seen in this epoch.",
                "Ten examples in batches of four are 4 + 4 + 2.",
            ),
            Misconception(
                "last-full-batch-dropped",
                lambda o, b: _cut(o, b, range(0, len(o) - b, b)),
                "The last batch is missing, even when it is full: your starts end too early.",
                "Ten examples in batches of four start at 0, 4 and 8.",
            ),
            Misconception(
                "one-too-long",
                lambda o, b: _cut(o, b, range(0, len(o), b), longer=1),
                "The batches overlap: each has one example too many, which is the first of the "
                "next.",
                "A slice does not contain its end.",
            ),
            Misconception(
                "sliding-window",
                lambda o, b: _cut(o, b, range(0, len(o) - b + 1)),
                "The batches overlap: each starts one example after the one before, instead of a "
                "whole batch after.",
                "In one epoch each example belongs to exactly one batch.",
            ),
            Misconception(
                "a-batch-from-every-example",
                lambda o, b: _cut(o, b, range(len(o))),
                "A batch starts at every example: the starts should be a whole batch apart.",
                "`range` takes a third number, the step.",
            ),
            Misconception(
                "one-too-short",
                lambda o, b: _cut(o, b, range(0, len(o), b), longer=-1),
                "Each batch has one example too few: a slice leaves out its end anyway, so do "
                "not subtract 1.",
                "`order[0:4]` has four entries.",
            ),
            Misconception(
                "end-stays",
                lambda o, b: [o[start:b] for start in range(0, len(o), b)],
                "Every slice ends at `batch_size`, so that only the first is right: the end "
                "must move with the start.",
                "A batch that starts at 8 and has four examples ends before 12.",
            ),
            Misconception(
                "empty-batch-at-the-end",
                lambda o, b: _cut(o, b, range(0, len(o) + 1, b)),
                "Where the batch size divides N, an empty batch follows at the end.",
                "Twelve examples in batches of four start at 0, 4 and 8, and not at 12.",
            ),
            Misconception(
                "first-batch-only",
                lambda o, b: o[:b],
                "You return the first batch only: does your `return` stand inside the loop?",
                "A `return` ends the function at once. It belongs below the loop, as far left "
                "as the `for`.",
            ),
            Misconception(
                "list-of-the-first-batch",
                lambda o, b: [o[:b]],
                "Your list has the first batch only: does your `return` stand inside the loop?",
                "A `return` ends the function at once. It belongs below the loop, as far left "
                "as the `for`.",
            ),
            Misconception(
                "dealt-like-cards",
                lambda o, b: [o[start::b] for start in range(b)],
                "You deal the examples like cards, to `batch_size` batches; cut the order into "
                "pieces of `batch_size` neighbours instead.",
                "The first batch of ten examples in fours is `order[0:4]`.",
            ),
            Misconception(
                "as-a-matrix",
                lambda o, b: o.reshape(-1, b),
                "`reshape` works only where the batch size divides N; the last batch may be "
                "shorter.",
                "Arrays of different length fit into a list.",
            ),
            Misconception(
                "sorted",
                lambda o, b: _cut(np.sort(o), b, range(0, len(o), b)),
                "The batches are in sorted order: the order you were given is the shuffle, keep "
                "it.",
                "Cut `order` itself; its positions are 0 to N − 1, its entries are not.",
            ),
            Misconception(
                "sorted-within-batches",
                lambda o, b: [np.sort(part) for part in _cut(o, b, range(0, len(o), b))],
                "The right examples, but you sorted them within each batch: keep the given order.",
                "Slices of `order` are all that is needed.",
            ),
            Misconception(
                "size-as-count",
                lambda o, b: np.array_split(o, b),
                "You make `batch_size` batches; it is the number of examples in each.",
                "How many examples should the first batch have?",
            ),
            Misconception(
                "even-sizes",
                lambda o, b: np.array_split(o, -(-len(o) // b)),
                "You spread the examples evenly; every batch but the last should have exactly "
                "`batch_size` of them.",
                "Ten examples in batches of four are 4 + 4 + 2, not 4 + 3 + 3.",
            ),
            Misconception(
                "short-batch-first",
                lambda o, b: [part[::-1] for part in _cut(o[::-1], b, range(0, len(o), b))][::-1],
                "You cut from the end, so that the short batch comes first; it should come last.",
                "The first batch starts at position 0 and is full.",
            ),
        ),
    ),
    *momentum.EXERCISES,
    Exercise(
        name="cosine_with_warmup",
        lesson=LESSON,
        points=2,
        reference=sgd.cosine_with_warmup,
        cases=schedule_steps,
        section="Schedules: steps, cosine, warm-up",
        think="Two branches. In the second, first find which share of the steps after the "
        "warm-up is done: 0 at its end, 1 at the last step.",
        misconceptions=(
            Misconception(
                "warmup-not-counted-out",
                _schedule(done=lambda s, t, w: s / t),
                "The warm-up is not counted out of the cosine: the rate jumps where the warm-up "
                "ends.",
                "The cosine starts at `warmup_steps`, so the share done must be 0 there.",
            ),
            Misconception(
                "warmup-only-in-the-numerator",
                _schedule(done=lambda s, t, w: (s - w) / t),
                "You start the cosine at the end of the warm-up, but divide by all steps: it "
                "would not reach 0 at the end.",
                "How many steps does the cosine have?",
            ),
            Misconception(
                "negative-half",
                _schedule(fall=lambda x: math.cos(math.pi * x)),
                "In the second half your rate is negative: a cosine goes from 1 to −1.",
                "Shift it up and halve it, so that it goes from 1 to 0.",
            ),
            Misconception(
                "full-period",
                _schedule(fall=lambda x: (1 + math.cos(2 * math.pi * x)) / 2),
                "This is a whole period: the rate comes back to the base at the end.",
                "From 1 down to −1 a cosine needs half a period.",
            ),
            Misconception(
                "quarter-period",
                _schedule(fall=lambda x: math.cos(math.pi * x / 2)),
                "This is a quarter of a period, which falls steeply at the end; the schedule "
                "should flatten out there.",
                "From 1 down to −1 a cosine needs half a period; shift it up and halve it.",
            ),
            Misconception(
                "not-halved",
                _schedule(fall=lambda x: 1 + math.cos(math.pi * x)),
                "The cosine starts at twice the base rate: halve it.",
                "At the end of the warm-up both branches must agree.",
            ),
            Misconception(
                "linear-fall",
                _schedule(fall=lambda x: 1 - x),
                "The rate falls along a straight line; a cosine is asked for.",
                "The share done goes into a cosine.",
            ),
            Misconception(
                "warmup-one-ahead",
                _schedule(rise=lambda s, w: (s + 1) / w),
                "Your warm-up is one step ahead: at step 0 the rate should be 0.",
                "The base rate is reached at `warmup_steps`, not one step before.",
            ),
            Misconception(
                "everything-one-ahead",
                lambda s, t, w, b: sgd.cosine_with_warmup(s + 1, t, w, b),
                "The whole schedule is one step ahead: it should start from 0 at step 0.",
                "Use the step as it is.",
            ),
            Misconception(
                "ends-one-step-early",
                _schedule(done=lambda s, t, w: (s - w) / (t - w - 1)),
                "The cosine ends one step early: it should reach 0 at `total_steps`.",
                "From `warmup_steps` to `total_steps`, how many steps is that?",
            ),
            Misconception(
                "no-warmup",
                _schedule(rise=lambda s, w: 1.0),
                "During the warm-up your rate is the base rate already; it should grow from 0.",
                "What share of the warm-up is done at this step?",
            ),
            Misconception(
                "one-cosine-over-everything",
                lambda s, t, w, b: sgd.cosine_with_warmup(s, t, 0, b),
                "There is no warm-up: your cosine starts at step 0.",
                "Below `warmup_steps` another formula holds.",
            ),
            Misconception(
                "warmup-overwritten",
                lambda s, t, w, b: b * (1 + math.cos(math.pi * (s - w) / (t - w))) / 2,
                "During the warm-up you give the value of the cosine: is it overwritten there, "
                "because an `else` or a `return` is missing?",
                "Two branches: what does your function do after the first?",
            ),
            Misconception(
                "base-forgotten",
                lambda s, t, w, b: sgd.cosine_with_warmup(s, t, w, 1.0),
                "The base rate plays no part: your rate grows to 1.",
                "Both branches are shares of the base rate.",
            ),
            Misconception(
                "warmup-over-all-steps",
                lambda s, t, w, b: b * s / t if s < w else sgd.cosine_with_warmup(s, t, w, b),
                "Your warm-up divides by all steps, so that the rate jumps where it ends.",
                "The base rate should be reached at `warmup_steps`.",
            ),
            Misconception(
                "whole-numbers-only",
                _schedule(rise=lambda s, w: s // w),
                "`//` drops the fraction: during the warm-up your rate stays 0.",
                "`/` divides, `//` counts how often one number fits into the other.",
            ),
            Misconception(
                "upwards",
                _schedule(fall=lambda x: (1 - math.cos(math.pi * x)) / 2),
                "Your cosine rises from 0 after the warm-up; it should fall from the base rate.",
                "The cosine of 0 is 1. What should your branch give there?",
            ),
            Misconception(
                "pi-forgotten",
                _schedule(fall=lambda x: (1 + math.cos(x)) / 2),
                "π is missing: from 0 to 1, a cosine falls only to 0.54.",
                "Half a turn is π.",
            ),
            Misconception(
                "only-the-cosine-halved",
                _schedule(fall=lambda x: 1 + math.cos(math.pi * x) / 2),
                "You halve the cosine only: halve 1 + cos, with parentheses around the sum.",
                "At the end of the warm-up both branches must agree.",
            ),
            Misconception(
                "parentheses-around-the-difference",
                lambda s, t, w, b: (
                    b * s / w if s < w else b * (1 + math.cos(math.pi * s - w / t - w)) / 2
                ),
                "Parentheses are missing: `s - W / T - W` divides W by T first. You want (s − "
                "W)/(T − W).",
                "Division binds tighter than subtraction.",
            ),
            Misconception(
                "degrees",
                _schedule(fall=lambda x: (1 + math.cos(180 * x)) / 2),
                "NumPy's and Python's cosine take radians, not degrees.",
                "Half a turn is π.",
            ),
        ),
    ),
    *backpropagation.EXERCISES,
)
