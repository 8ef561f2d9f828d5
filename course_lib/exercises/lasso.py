"""Exercises of lesson 02 on L1: soft-thresholding and the subgradient."""

from __future__ import annotations

import numpy as np

from ..foundations import gradients, regularization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "02_regularization"


# --- cases: large and small weights of both signs, and weights of zero --------------------------


def weights_and_strength(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=shape), float(rng.uniform(0.05, 0.45))), kind)

    some_zeros = rng.normal(size=(4, 3)) * (rng.random((4, 3)) < 0.6)
    some_zeros[0, :2] = 0.0, 1.5
    large = 1e8 * rng.normal(size=(4, 3))  # finite differences are off by 1 % here
    return [
        case(5),
        case(4, 3),
        case(6),
        Case((rng.normal(size=(3, 7)), 2.5)),
        Case((np.round(some_zeros, 3), 0.3), "weights that are exactly zero"),
        Case((large, 0.3), "large weights"),
    ]


def weights_and_amount(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, amount: float, kind: str = ORDINARY) -> Case:
        signs = np.where(np.arange(np.prod(shape)) % 2, -1.0, 1.0).reshape(shape)
        return Case((signs * rng.uniform(0.02, 2.0, shape), amount), kind)

    return [
        case(12, amount=0.6),
        case(4, 5, amount=0.9),
        case(15, amount=0.35),
        case(6, amount=0.0, kind="an amount of zero"),
        case(5, amount=3.0, kind="an amount above every weight"),
    ]


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="soft_threshold",
        lesson=LESSON,
        points=2,
        reference=regularization.soft_threshold,
        cases=weights_and_amount,
        section="Weights of exactly zero: L1 and soft-thresholding",
        think="Work on the size |w| first: make it smaller by the amount but never below zero. "
        "Then give it its sign back.",
        misconceptions=(
            Misconception(
                "hard-threshold",
                lambda w, a: np.where(np.abs(w) > a, w, 0.0),
                "This is the hard threshold: small weights become zero, but large ones should "
                "shrink by the amount too.",
                "The L1 penalty pulls on large weights as strongly as on small ones.",
            ),
            Misconception(
                "sign-lost",
                lambda w, a: np.maximum(np.abs(w) - a, 0),
                "The sign is lost: negative weights come out positive.",
                "Shrink the size, then give it its sign back.",
            ),
            Misconception(
                "no-stop-at-zero",
                lambda w, a: w - a * np.sign(w),
                "You do not stop at zero: weights smaller than the amount change their sign.",
                "A size cannot be negative: where should |w| − amount end?",
            ),
            Misconception(
                "negative-weights-grow",
                lambda w, a: np.where(np.abs(w) > a, w - a, 0.0),
                "You subtract the amount from negative weights too, which moves them away from "
                "zero.",
                "Draw the function: it should be the same seen from both sides of zero.",
            ),
            Misconception(
                "subtracted-everywhere",
                lambda w, a: w - a,
                "You subtract the amount from every weight; each should move towards zero, and "
                "not beyond it.",
                "In which direction does a negative weight move towards zero?",
            ),
            Misconception(
                "negative-weights-dropped",
                lambda w, a: np.maximum(w - a, 0),
                "All negative weights become zero, the large ones as well.",
                "Draw the function: it should be the same seen from both sides of zero.",
            ),
            Misconception(
                "clipped",
                lambda w, a: np.clip(w, -a, a),
                "You clip the weights to ±amount: that is the part which soft-thresholding takes "
                "away.",
                "What you return and the right answer add up to the weights.",
            ),
            Misconception(
                "half-the-amount",
                lambda w, a: np.sign(w) * np.maximum(np.abs(w) - a / 2, 0),
                "Each weight moves by half the amount: minimise ½(v − w)² + amount · |v|; the ½ "
                "belongs to the square.",
                "For positive v the derivative is (v − w) + amount.",
            ),
            Misconception(
                "two-branches",
                lambda w, a: np.where(w > a, w - a, w + a),
                "Every weight that is not above the amount is moved up; weights between −amount "
                "and amount should become zero.",
                "There are three cases. Does your second condition have its minus, w < −amount?",
            ),
            Misconception(
                "away-from-zero",
                lambda w, a: np.where(np.abs(w) > a, w + a * np.sign(w), 0.0),
                "Large weights move away from zero: the amount has the wrong sign there.",
                "A weight of 2 and an amount of 0.5: which number is nearer to zero?",
            ),
            Misconception(
                "small-ones-kept",
                lambda w, a: np.where(np.abs(w) > a, w - a * np.sign(w), w),
                "Weights below the amount stay as they are; they should become exactly zero.",
                "Move towards zero by the amount and stop there: where does a small weight end?",
            ),
            Misconception(
                "set-to-the-amount",
                lambda w, a: np.where(np.abs(w) > a, a * np.sign(w), 0.0),
                "Every large weight ends at ±amount, however large it was; it should only lose the "
                "amount.",
                "A weight of 2 and an amount of 0.5: how far should it move?",
            ),
            Misconception(
                "minimum-instead-of-maximum",
                lambda w, a: np.sign(w) * np.minimum(np.abs(w) - a, 0),
                "The minimum with 0 keeps what is below zero; a size is what is above: take the "
                "maximum.",
                "|w| − amount is negative for small weights. What should become of it there?",
            ),
            Misconception(
                "shrunk-by-a-share",
                lambda w, a: w * (1 - a),
                "Each weight loses a share of itself, as under L2; under L1 all lose the same "
                "amount.",
                "How far does a weight of 2 move, how far one of 1?",
            ),
            Misconception(
                "l2-step",
                lambda w, a: w / (1 + 2 * a),
                "This is the step of the L2 penalty: every weight shrinks by the same factor and "
                "none becomes zero.",
                "Minimise ½(v − w)² + amount · |v|, not amount · v².",
            ),
        ),
    ),
    Exercise(
        name="lasso_subgradient",
        lesson=LESSON,
        points=1,
        reference=regularization.lasso_subgradient,
        cases=weights_and_strength,
        section="Weights of exactly zero: L1 and soft-thresholding",
        think="What is the slope of |w| on the right of zero, on the left, and what do we choose "
        "at zero?",
        misconceptions=(
            Misconception(
                "plus-at-zero",
                lambda w, s: np.where(w >= 0, s, -s),
                "A weight of exactly zero gets +strength; at zero we choose 0, so that a weight "
                "that is zero stays there.",
                "Is there a comparison with ≥ that should be told apart from >?",
            ),
            Misconception(
                "minus-at-zero",
                lambda w, s: np.where(w > 0, s, -s),
                "A weight of exactly zero gets −strength; at zero we choose 0, so that a weight "
                "that is zero stays there.",
                "Two branches are not enough: there are three cases.",
            ),
            Misconception(
                "divided-by-size",
                lambda w, s: s * w / np.abs(w),
                "w/|w| is 0/0 for a weight of exactly zero, which gives NaN; there we choose 0.",
                "NumPy has a function that returns −1, 0 or 1.",
            ),
            Misconception(
                "absolute-weights",
                lambda w, s: s * np.abs(w),
                "You return the terms of the penalty itself; its slope does not depend on how "
                "large the weight is.",
                "Draw |w|: how steep is it at 0.1, and at 10?",
            ),
            Misconception(
                "always-plus",
                lambda w, s: np.full(w.shape, s),
                "You return +strength for every weight, as if the penalty were the sum of the "
                "weights without absolute values.",
                "How steep is |w| on the left of zero?",
            ),
            Misconception(
                "strength-forgotten",
                lambda w, s: np.sign(w),
                "The strength plays no part in your subgradient.",
                "A constant factor of a function stays in its derivative.",
            ),
            Misconception(
                "l2-gradient",
                lambda w, s: 2 * s * w,
                "This is the gradient of the L2 penalty, which fades near zero. That of L1 keeps "
                "its size, which is why it makes weights exactly zero.",
                "Which penalty are you differentiating, |w| or w²?",
            ),
            Misconception(
                "sign",
                lambda w, s: -s * np.sign(w),
                "The sign is wrong: the subgradient points away from zero; the minus comes with "
                "the step.",
                "Check a weight that is not zero with `numerical_gradient`.",
            ),
            Misconception(
                "always-plus-but-zero",
                lambda w, s: s * np.abs(np.sign(w)),
                "The sign is lost: you return +strength for negative weights, too.",
                "How steep is |w| on the left of zero?",
            ),
            Misconception(
                "negative-weights-forgotten",
                lambda w, s: np.where(w > 0, s, 0.0),
                "Negative weights get no subgradient; on the left of zero |w| falls with slope −1.",
                "There are three cases: right of zero, left of it, and zero itself.",
            ),
            Misconception(
                "times-the-weights",
                lambda w, s: s * w,
                "Your subgradient grows with the weight; the slope of |w| is the same at 0.1 "
                "and at 10.",
                "Draw |w|: how steep is it at 0.1, and at 10?",
            ),
            Misconception(
                "twice",
                lambda w, s: 2 * s * np.sign(w),
                "There is no 2: it comes from differentiating a square, and |w| has none.",
                "How much does |w| grow if a positive w grows by 1?",
            ),
            Misconception(
                "penalty-itself",
                regularization.l1_penalty,
                "This is the penalty, a single number; its subgradient has one entry for each "
                "weight.",
                "By how much does the penalty change if one weight changes a little?",
            ),
            Misconception(
                "step-taken",
                lambda w, s: w - s * np.sign(w),
                "These are the weights after a step; only the subgradient is asked for.",
                "The optimizer takes the step. What does it need from you?",
            ),
            Misconception(
                "finite-differences",
                lambda w, s: gradients.numerical_gradient(
                    lambda v: regularization.l1_penalty(v, s), w
                ),
                "These are finite differences: they cost two penalties for every weight, and large "
                "weights drown them in rounding. Write down the slope of |w|.",
                "Finite differences are the witness. What is the slope right of zero, and left?",
                noise=0.05,
            ),
        ),
    ),
)
