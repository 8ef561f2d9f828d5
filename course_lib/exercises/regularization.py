"""Exercises of lesson 02: L2, dropout, weight decay (and those of `ridge` and `lasso`)."""

from __future__ import annotations

import numpy as np

from ..foundations import gradients, regularization
from . import lasso, ridge
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "02_regularization"


# --- cases: a dropout rate of 0.5 would hide mistakes -------------------------------------------


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


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="l2_penalty",
        lesson=LESSON,
        points=1,
        reference=regularization.l2_penalty,
        cases=lasso.weights_and_strength,
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
        cases=lasso.weights_and_strength,
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
    *ridge.EXERCISES,
    *lasso.EXERCISES,
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
