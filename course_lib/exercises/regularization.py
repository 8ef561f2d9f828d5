"""Exercises of lesson 02: penalties, proximal steps, dropout, weight decay."""

from __future__ import annotations

import numpy as np

from ..foundations import regularization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "02_regularization"


# --- cases: a dropout rate of 0.5 and a single example would hide mistakes --------------------


def weights_and_strength(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=shape), float(rng.uniform(0.05, 0.45))), kind)

    some_zeros = rng.normal(size=(4, 3)) * (rng.random((4, 3)) < 0.6)
    some_zeros[0, :2] = 0.0, 1.5
    return [
        case(5),
        case(4, 3),
        case(6),
        Case((rng.normal(size=(3, 7)), 2.5)),
        Case((np.round(some_zeros, 3), 0.3), "weights that are exactly zero"),
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


def ridge_problems(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, strength: float, kind: str = ORDINARY) -> Case:
        features = np.column_stack([rng.normal(size=(n, d - 1)), np.ones(n)])
        targets = features @ rng.normal(size=d) + 3.0 + 0.3 * rng.normal(size=n)
        return Case((features, targets, strength), kind)

    return [
        case(9, 4, 0.3),
        case(20, 6, 0.05),
        case(7, 3, 1.7),
        case(5, 5, 0.4),
        case(4, 7, 0.2, "fewer examples than features"),
    ]


def dropped_activations(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, rate: float, kind: str = ORDINARY) -> Case:
        keep = rng.random((n, d)) >= rate
        keep.flat[:2] = (True, rate == 0)
        return Case((rng.normal(size=(n, d)), keep, rate), kind)

    return [
        case(4, 6, 0.2),
        case(5, 3, 0.3),
        case(3, 8, 0.75),
        case(7, 7, 0.1),
        case(3, 4, 0.0, "a rate of zero"),
    ]


def decay_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, learning_rate: float, decay: float) -> Case:
        return Case((rng.normal(size=shape), rng.normal(size=shape), learning_rate, decay))

    return [
        case(5, learning_rate=0.1, decay=0.3),
        case(3, 4, learning_rate=0.02, decay=0.7),
        case(6, learning_rate=0.3, decay=0.05),
        Case((rng.normal(size=4), np.zeros(4), 0.2, 0.4), "a gradient of zero"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _ridge(x: np.ndarray, y: np.ndarray, strength: float, *, bias: bool = False) -> np.ndarray:
    flags = np.append(np.ones(x.shape[1] - 1), float(bias))
    return np.linalg.solve(x.T @ x / len(x) + strength * np.diag(flags), x.T @ y / len(x))


def _ridge_gram_of_rows(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    flags = np.append(np.ones(x.shape[1] - 1), 0.0)
    return np.linalg.solve(x @ x.T / len(x) + strength * np.diag(flags), x.T @ y / len(x))


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="l2_penalty",
        lesson=LESSON,
        points=1,
        reference=regularization.l2_penalty,
        cases=weights_and_strength,
        section="A price on large weights: L2",
        think="Square every weight, add the squares up, multiply by the strength.",
        misconceptions=(
            Misconception(
                "half",
                lambda w, s: float(s * np.sum(w**2) / 2),
                "Your value is half of it: some books write ½ in front of the penalty, Keras does "
                "not, nor do we.",
                "Look up the convention before you copy a strength from a paper: the factor 2 "
                "goes into the strength.",
            ),
            Misconception(
                "root",
                lambda w, s: float(s * np.sqrt(np.sum(w**2))),
                "You took the root: this is the norm, and the L2 penalty is the norm squared.",
                "Double all weights: the penalty should become four times as large.",
            ),
            Misconception(
                "mean-instead-of-sum",
                lambda w, s: float(s * np.mean(w**2)),
                "You take the mean over the weights; the penalty is their sum, so that every "
                "weight pays the same in a small and in a large layer.",
                "Add a hundred weights of zero: the penalty should not move.",
            ),
            Misconception(
                "strength-squared",
                lambda w, s: float(np.sum((s * w) ** 2)),
                "The strength is squared together with the weights.",
                "Double the strength: the penalty should double.",
            ),
            Misconception(
                "strength-forgotten",
                lambda w, s: float(np.sum(w**2)),
                "The strength plays no part in your value.",
                "What should a strength of zero give?",
            ),
            Misconception(
                "absolute-instead-of-squared",
                lambda w, s: float(s * np.sum(np.abs(w))),
                "This is the L1 penalty: the weights are not squared.",
                "L1 adds absolute values, L2 adds squares.",
            ),
            Misconception(
                "one-number-per-weight",
                lambda w, s: s * w**2,
                "You return one number per weight; the penalty is a single number, to be added to "
                "the loss.",
                "What is missing after the squares?",
            ),
        ),
    ),
    Exercise(
        name="l2_gradient",
        lesson=LESSON,
        points=1,
        reference=regularization.l2_gradient,
        cases=weights_and_strength,
        section="A price on large weights: L2",
        think="Differentiate strength · w² by one weight; the other terms of the sum do not "
        "contain it.",
        misconceptions=(
            Misconception(
                "missing-two",
                lambda w, s: s * w,
                "The 2 is missing: the derivative of w² is 2w, and this penalty has no ½ to "
                "cancel it.",
                "Check one entry with `numerical_gradient` of your `l2_penalty`.",
            ),
            Misconception(
                "weights-squared",
                lambda w, s: s * w**2,
                "You return the terms of the penalty itself; differentiate them.",
                "A penalty's gradient must push negative weights up, so it cannot be positive "
                "everywhere.",
            ),
            Misconception(
                "twice-the-square",
                lambda w, s: 2 * s * w**2,
                "You brought the 2 down but left the exponent as it was.",
                "The exponent of a power falls by one when you differentiate.",
            ),
            Misconception(
                "sign-of-weights",
                lambda w, s: s * np.sign(w),
                "This is the gradient of the L1 penalty, equally strong for all weights; that of "
                "L2 grows with the weight.",
                "Which penalty are you differentiating, |w| or w²?",
            ),
            Misconception(
                "absolute-weights",
                lambda w, s: 2 * s * np.abs(w),
                "The sign of the weights is lost: a step against this gradient would push "
                "negative weights away from zero.",
                "The penalty should pull from both sides towards zero.",
            ),
            Misconception(
                "strength-forgotten",
                lambda w, s: 2 * w,
                "The strength plays no part in your gradient.",
                "A constant factor of a function stays in its derivative.",
            ),
            Misconception(
                "mean-instead-of-sum",
                lambda w, s: 2 * s * w / w.size,
                "You divide by the number of weights: this is the gradient of a mean, and the "
                "penalty is a sum.",
                "How much does the penalty change if only one weight changes?",
            ),
            Misconception(
                "sign",
                lambda w, s: -2 * s * w,
                "The sign is wrong: the gradient points to where the penalty grows, away from "
                "zero; the minus comes with the step.",
                "Check one entry with `numerical_gradient` of your `l2_penalty`.",
            ),
        ),
    ),
    Exercise(
        name="ridge_weights",
        lesson=LESSON,
        points=3,
        reference=regularization.ridge_weights,
        cases=ridge_problems,
        section="The answer in one line: ridge regression",
        think="Write the gradient of ‖Xw − t‖²/N + strength · Σ w², set it to zero, collect the "
        "terms with w on one side. The last column of X is the bias: leave its weight out of the "
        "penalty.",
        misconceptions=(
            Misconception(
                "strength-without-n",
                lambda x, y, s: _ridge(x, y, s / len(x)),
                "The strength weighs too little, by a factor of N: the squared error is divided "
                "by N, the penalty is not.",
                "Divide XᵀX and Xᵀt by N, or multiply the strength by it.",
            ),
            Misconception(
                "bias-penalised",
                lambda x, y, s: _ridge(x, y, s, bias=True),
                "You penalise the bias too. Its column is the last one: put a zero there in the "
                "diagonal of the penalty.",
                "Add 100 to all targets: only the bias should change.",
            ),
            Misconception(
                "bias-penalised-strength-without-n",
                lambda x, y, s: _ridge(x, y, s / len(x), bias=True),
                "Two things: the strength weighs too little by a factor of N, and you penalise "
                "the bias (the last column) too.",
                "Divide XᵀX and Xᵀt by N; put a zero in the last place of the penalty's diagonal.",
            ),
            Misconception(
                "gram-of-rows",
                _ridge_gram_of_rows,
                "You form XXᵀ, which compares examples, N×N; the normal equations need XᵀX, which "
                "compares features, D×D.",
                "The unknowns are D weights: which product of X with its transpose is D×D?",
            ),
            Misconception(
                "penalty-forgotten",
                lambda x, y, s: _ridge(x, y, 0.0),
                "The penalty is missing: this is ordinary least squares, only the inverse of XᵀX.",
                "What does the gradient of strength · Σ w² add to the equation?",
            ),
            Misconception(
                "inverse-only",
                lambda x, y, s: np.linalg.inv(x.T @ x),
                "You return the inverse of XᵀX, a matrix; the weights are a vector, and the "
                "targets and the strength must play a part.",
                "Solve the whole equation: a matrix times w equals Xᵀt/N.",
            ),
            Misconception(
                "half-the-strength",
                lambda x, y, s: _ridge(x, y, s / 2),
                "Your penalty is half as strong as it should be: both terms have a 2 in their "
                "gradient, and it cancels.",
                "Write the 2 in front of both terms before you drop it.",
            ),
            Misconception(
                "twice-the-strength",
                lambda x, y, s: _ridge(x, y, 2 * s),
                "Your penalty is twice as strong as it should be: the 2 of the squared error's "
                "gradient is lost, that of the penalty is kept.",
                "Write the 2 in front of both terms before you drop it.",
            ),
            Misconception(
                "right-side-not-divided",
                lambda x, y, s: _ridge(x, y, s) * len(x),
                "Your weights are N times too large: XᵀX is divided by N and Xᵀt is not.",
                "The 1/N of the mean stands before both terms of the squared error's gradient.",
            ),
            Misconception(
                "strength-subtracted",
                lambda x, y, s: _ridge(x, y, -s),
                "The strength is subtracted from XᵀX/N; the two terms of the loss are added.",
                "Take care with the sign when you bring Xᵀt to the other side.",
            ),
        ),
    ),
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
        ),
    ),
    Exercise(
        name="dropout",
        lesson=LESSON,
        points=1,
        reference=regularization.dropout,
        cases=dropped_activations,
        section="Dropout: a coin for every unit",
        think="Each entry survives with probability 1 − rate. What must the survivors be "
        "multiplied by so that the mean stays where it was?",
        misconceptions=(
            Misconception(
                "no-scaling",
                lambda a, keep, rate: a * keep,
                "The survivors are not scaled up, so that in training the mean is too small by a "
                "factor of 1 − rate.",
                "Average over many masks: the result should be the activation itself.",
            ),
            Misconception(
                "divided-by-rate",
                lambda a, keep, rate: a * keep / rate,
                "You divide by the rate, the share that is dropped. (At a rate of 0.5 nobody "
                "would notice; the paper of 2014 writes p for the share that is kept.)",
                "With a rate of 0.2, what share of the entries survives?",
            ),
            Misconception(
                "scaled-down",
                lambda a, keep, rate: a * keep * (1 - rate),
                "You multiply by 1 − rate, which makes the mean smaller still. Multiplying is "
                "what the paper of 2014 does at test time, with all units.",
                "The survivors stand in for those that were dropped: should they grow or shrink?",
            ),
            Misconception(
                "mask-inverted",
                lambda a, keep, rate: a * (1 - keep) / (1 - rate),
                "You keep what should be dropped, and drop what should be kept.",
                "The mask is called `keep_mask`: what does True mean?",
            ),
            Misconception(
                "drop-rate-as-keep-rate",
                lambda a, keep, rate: a * (1 - keep) / rate,
                "You read the mask and the rate the other way round: True means keep, and the "
                "rate is the share that is dropped.",
                "The mask is called `keep_mask`: what does True mean?",
            ),
            Misconception(
                "share-counted-in-the-mask",
                lambda a, keep, rate: a * keep / np.mean(keep),
                "You divide by the share of this one mask that survives; divide by the "
                "probability of surviving, which does not depend on luck.",
                "Which argument have you not used?",
            ),
            Misconception(
                "everything-scaled",
                lambda a, keep, rate: a / (1 - rate),
                "Nothing is dropped: the mask plays no part.",
                "An entry whose mask is False should come out as zero.",
            ),
        ),
    ),
    Exercise(
        name="weight_decay_step",
        lesson=LESSON,
        points=2,
        reference=regularization.weight_decay_step,
        cases=decay_steps,
        section="Weight decay is not always L2",
        think="From the old weights take away two things: the learning rate times the gradient, "
        "and the learning rate times the decay times the old weights.",
        misconceptions=(
            Misconception(
                "decay-without-learning-rate",
                lambda w, g, lr, d: w - lr * g - d * w,
                "The decay is not multiplied by the learning rate, so that a schedule would not "
                "slow it down. Keras and PyTorch both multiply.",
                "With a learning rate of zero nothing should move.",
            ),
            Misconception(
                "factor-two",
                lambda w, g, lr, d: w - lr * (g + 2 * d * w),
                "Your decay is twice as strong: the 2 comes from differentiating w², and a "
                "decoupled decay has no square to differentiate.",
                "Which L2 strength gives the same step as a decay of d? That is where the 2 goes.",
            ),
            Misconception(
                "decay-after-step",
                lambda w, g, lr, d: (w - lr * g) * (1 - lr * d),
                "You decay the new weights, after the step; decay the old ones.",
                "Both terms are computed from the weights as they came in.",
            ),
            Misconception(
                "decay-forgotten",
                lambda w, g, lr, d: w - lr * g,
                "The decay plays no part: this is a plain step.",
                "With a gradient of zero the weights should still shrink.",
            ),
            Misconception(
                "gradient-forgotten",
                lambda w, g, lr, d: w - lr * d * w,
                "The gradient plays no part: the weights only shrink.",
                "The step down the loss is still to be taken.",
            ),
            Misconception(
                "gradient-decayed",
                lambda w, g, lr, d: w - lr * g * (1 - d),
                "You decay the gradient; it is the weights that should shrink.",
                "With a gradient of zero the weights should still shrink.",
            ),
            Misconception(
                "weights-grow",
                lambda w, g, lr, d: w - lr * g + lr * d * w,
                "The decay has the wrong sign: the weights grow.",
                "With a gradient of zero the weights should move towards zero.",
            ),
            Misconception(
                "ascent",
                lambda w, g, lr, d: w + lr * g - lr * d * w,
                "You walk up the gradient: subtract it.",
                "The gradient points to where the loss grows.",
            ),
        ),
    ),
)
