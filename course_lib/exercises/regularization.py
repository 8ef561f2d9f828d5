"""Exercises of lesson 02: penalties, proximal steps, dropout, weight decay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..foundations import gradients, regularization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "02_regularization"


# --- cases: a dropout rate of 0.5 and a single example would hide mistakes --------------------


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


def _ridge_left(
    left: Callable[[np.ndarray, float], np.ndarray],
) -> Callable[[np.ndarray, np.ndarray, float], np.ndarray]:
    """A wrong matrix on the left of the normal equations, the right side as it should be."""
    return lambda x, y, s: np.linalg.solve(left(x, s), x.T @ y / len(x))


def _ridge_divided(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    flags = np.append(np.ones(x.shape[1] - 1), 0.0)
    quotient: np.ndarray = (x.T @ y / len(x)) / (x.T @ x / len(x) + strength * np.diag(flags))
    return quotient


def _ridge_not_centred(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    columns = x[:, :-1]
    penalty = strength * np.eye(columns.shape[1])
    weights = np.linalg.solve(columns.T @ columns / len(x) + penalty, columns.T @ y / len(x))
    return np.append(weights, y.mean())


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
            Misconception(
                "sum-squared",
                lambda w, s: float(s * np.sum(w) ** 2),
                "You square the sum; square each weight first, or opposite signs cancel.",
                "Two weights of +1 and −1: they should not come for free.",
            ),
            Misconception(
                "doubled-instead-of-squared",
                lambda w, s: float(s * np.sum(w * 2)),
                "`* 2` doubles the weights; squaring is `** 2`.",
                "Your value is negative for negative weights. A penalty never is.",
            ),
            Misconception(
                "first-axis-only",
                lambda w, s: s * sum(w**2),
                "Your sum runs over the first axis only, which is all there is for a vector, but "
                "not for a matrix: add up over all entries. (Python's `sum` and a loop "
                "`for w in weights` go through the first axis, too.)",
                "The layer's weights are a matrix. `np.sum` without an axis adds up everything.",
            ),
            Misconception(
                "product-of-vectors",
                lambda w, s: s * (w @ w),
                "`weights @ weights` is the sum of the squares only for a vector. For a matrix it "
                "is a product of matrices.",
                "Square each entry, whatever the shape, then add up.",
            ),
            Misconception(
                "product-of-transposed",
                lambda w, s: s * w.T @ w,
                "`weights.T @ weights` is the sum of the squares only for a vector. For a matrix "
                "it is a matrix again.",
                "Square each entry, whatever the shape, then add up.",
            ),
            Misconception(
                "spectral-norm",
                lambda w, s: float(s * np.linalg.norm(w, 2) ** 2),
                "For a matrix, `np.linalg.norm(weights, 2)` is its largest singular value, not "
                "the root of the sum of all squares.",
                "`np.linalg.norm` without the 2 is what you mean; or square and add up yourself.",
            ),
            Misconception(
                "gradient",
                lambda w, s: 2 * s * w,
                "This is the gradient of the penalty; here the penalty itself is asked for, a "
                "single number.",
                "The gradient is the next exercise.",
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
            Misconception(
                "strength-squared",
                lambda w, s: 2 * s**2 * w,
                "The strength is squared; it is a constant factor and stays as it is.",
                "Double the strength: the gradient should double.",
            ),
            Misconception(
                "added-up",
                lambda w, s: float(2 * s * np.sum(w)),
                "You add up over the weights; the gradient has one entry for each weight.",
                "Which terms of the sum are left when you differentiate by one weight?",
            ),
            Misconception(
                "weights-forgotten",
                lambda w, s: 2 * s,
                "You return 2 · strength; the derivative of w² is 2w, and the w is missing.",
                "A weight of zero pays nothing and should not be pulled at all.",
            ),
            Misconception(
                "penalty-itself",
                regularization.l2_penalty,
                "This is the penalty, a single number; its gradient has one entry for each weight.",
                "By how much does the penalty change if one weight changes a little?",
            ),
            Misconception(
                "gradient-of-the-norm",
                lambda w, s: s * w / np.linalg.norm(w),
                "This is the gradient of the norm; the penalty is the norm squared, without a "
                "root to differentiate.",
                "Which penalty are you differentiating, √Σw² or Σw²?",
            ),
            Misconception(
                "step-taken",
                lambda w, s: w - 2 * s * w,
                "These are the weights after a step; only the gradient is asked for.",
                "The optimizer takes the step. What does it need from you?",
            ),
            Misconception(
                "finite-differences",
                lambda w, s: gradients.numerical_gradient(
                    lambda v: regularization.l2_penalty(v, s), w
                ),
                "These are finite differences: they cost two penalties for every weight, and large "
                "weights drown them in rounding. Derive the formula.",
                "Finite differences are the witness. Write down the derivative of one square, "
                "then compare the two.",
                noise=0.05,
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
                "least-squares",
                lambda x, y, s: np.linalg.lstsq(x, y, rcond=None)[0],
                "The penalty is missing: this is ordinary least squares, and the strength plays no "
                "part.",
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
            Misconception(
                "left-side-not-divided",
                lambda x, y, s: _ridge(x, y, s / len(x)) / len(x),
                "Xᵀt is divided by N and XᵀX is not: your weights are far too small.",
                "The 1/N of the mean stands before both terms of the squared error's gradient.",
            ),
            Misconception(
                "divided-by-features",
                lambda x, y, s: _ridge(x, y, s * x.shape[1] / len(x)),
                "You divide by the number of features; the mean runs over the N examples.",
                "Which axis of X has one entry per example?",
            ),
            Misconception(
                "n-twice",
                lambda x, y, s: _ridge(x, y, s * len(x)),
                "Your penalty is N times too strong: divide XᵀX and Xᵀt by N, or multiply the "
                "strength by N, but not both.",
                "Write the equation down once with 1/N on the left, and multiply it by N.",
            ),
            Misconception(
                "first-column-not-penalised",
                _ridge_left(
                    lambda x, s: x.T @ x / len(x) + s * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
                ),
                "You leave the first weight out of the penalty; the bias is the last one.",
                "In Python, -1 is the last index.",
            ),
            Misconception(
                "strength-on-every-entry",
                _ridge_left(lambda x, s: x.T @ x / len(x) + s),
                "You add the strength to every entry of XᵀX/N; it belongs on the diagonal only, "
                "and not in the bias's place there.",
                "strength · w is a matrix times w: which matrix? `np.eye` makes it.",
            ),
            Misconception(
                "strength-on-every-entry-without-n",
                lambda x, y, s: np.linalg.solve(x.T @ x + s, x.T @ y),
                "You add the strength to every entry of XᵀX; it belongs on the diagonal only, "
                "and not in the bias's place there. The division by N is missing, too.",
                "strength · w is a matrix times w: which matrix? `np.eye` makes it.",
            ),
            Misconception(
                "columns-not-centred",
                _ridge_not_centred,
                "You solve for the weights as if there were no bias, and then call the mean of the "
                "targets the bias. That is right only for columns with mean zero.",
                "Keep the column of ones in the equation, and its weight out of the penalty.",
            ),
            Misconception(
                "bias-left-out",
                lambda x, y, s: _ridge_not_centred(x, y, s)[:-1],
                "The bias is missing: you dropped its column. It belongs into the equation, only "
                "not into the penalty.",
                "All D columns of X take part; a zero in the diagonal spares the last one.",
            ),
            Misconception(
                "divided-by-the-matrix",
                _ridge_divided,
                "`/` divides entry by entry; for a matrix times w equal to a vector use "
                "`np.linalg.solve(matrix, vector)`.",
                "The answer has one number for each feature. What shape has yours?",
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
            Misconception(
                "divided-by-rate-first",
                lambda a, keep, rate: a * keep * (1 / rate),
                "You divide by the rate, the share that is dropped. (A rate of zero, where nothing "
                "is dropped, even ends in a division by zero.)",
                "With a rate of 0.2, what share of the entries survives?",
            ),
            Misconception(
                "mask-inverted-no-scaling",
                lambda a, keep, rate: a * (1 - keep),
                "Two things: you keep what should be dropped, and the survivors are not scaled up.",
                "The mask is called `keep_mask`: what does True mean?",
            ),
            Misconception(
                "parentheses-missing",
                lambda a, keep, rate: a * keep / 1 - rate,
                "`/ 1 - rate` divides by 1 and then subtracts the rate: put the divisor in "
                "parentheses, `/ (1 - rate)`.",
                "Division binds tighter than subtraction.",
            ),
            Misconception(
                "dropped-stay-as-they-are",
                lambda a, keep, rate: np.where(keep, a / (1 - rate), a),
                "The entries that should be dropped stay as they are; they should become zero.",
                "What does the mean over many masks become, if nothing is ever lost?",
            ),
            Misconception(
                "dropped-cut-out",
                lambda a, keep, rate: a[keep] / (1 - rate),
                "You cut the dropped entries out, and the shape is lost; they should be zeros in "
                "their places.",
                "The next layer expects as many inputs as before. Which factor makes one zero?",
            ),
            Misconception(
                "multiplied-by-rate",
                lambda a, keep, rate: a * keep * rate,
                "You multiply by the rate; the survivors stand in for those that were dropped and "
                "have to grow.",
                "With a rate of 0.2, how many survivors share the work of how many entries?",
            ),
            Misconception(
                "test-time-of-the-paper",
                lambda a, keep, rate: a * (1 - rate),
                "This is what the paper of 2014 does at test time; here it is training: apply the "
                "mask, and scale the survivors up.",
                "An entry whose mask is False should come out as zero.",
            ),
            Misconception(
                "nothing-done",
                lambda a, keep, rate: a,
                "You return the activations unchanged, which is what dropout does when it is not "
                "training.",
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
            Misconception(
                "learning-rate-forgotten",
                lambda w, g, lr, d: w - g - d * w,
                "The learning rate plays no part: it multiplies the gradient and the decay.",
                "With a learning rate of zero nothing should move.",
            ),
            Misconception(
                "constant-pull",
                lambda w, g, lr, d: w - lr * g - lr * d,
                "You subtract the same number from every weight; the decay takes a share of each, "
                "in proportion to the weight.",
                "A negative weight should move up, towards zero.",
            ),
            Misconception(
                "share-kept",
                lambda w, g, lr, d: d * w - lr * g,
                "You keep only the share `decay` of the weights; the decay says how much is lost.",
                "With a decay of zero this should be a plain step.",
            ),
            Misconception(
                "step-instead-of-weights",
                lambda w, g, lr, d: lr * g + lr * d * w,
                "This is what should be subtracted from the weights; return the new weights.",
                "With a learning rate of zero the weights should come out as they came in.",
            ),
            Misconception(
                "decay-after-step-without-learning-rate",
                lambda w, g, lr, d: (w - lr * g) * (1 - d),
                "Two things: you decay the new weights, and the decay is not multiplied by the "
                "learning rate.",
                "Both terms are computed from the weights as they came in, both times the "
                "learning rate.",
            ),
            Misconception(
                "pull-of-l1",
                lambda w, g, lr, d: w - lr * (g + d * np.sign(w)),
                "Every weight loses the same amount, as under L1; weight decay takes a share of "
                "each weight.",
                "A weight twice as large should lose twice as much.",
            ),
            Misconception(
                "gradient-decayed-too",
                lambda w, g, lr, d: w - lr * g - d * g,
                "You multiply the decay by the gradient; it is the weights that should shrink.",
                "With a gradient of zero the weights should still shrink.",
            ),
        ),
    ),
)
