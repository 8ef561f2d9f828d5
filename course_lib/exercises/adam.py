"""Exercises of lesson 04: Adam in two conventions, and AdamW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import adam
from . import averages, clipping
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "04_adam"
Variant = Callable[..., Any]


# --- cases: moments that are not zero, steps above 1, an epsilon large enough to be seen ---------


def adam_steps(rng: np.random.Generator) -> list[Case]:
    def case(
        shape: tuple[int, ...],
        step: int,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        size: float = 1.0,
        kind: str = ORDINARY,
    ) -> Case:
        gradient, m = size * rng.normal(size=(2, *shape))
        v = size**2 * rng.uniform(0.05, 2.0, shape)
        weights = rng.normal(size=shape)
        return Case((weights, gradient, m, v, step, 0.1, beta_1, beta_2, epsilon), kind)

    w, g = rng.normal(size=(2, 4))
    zero = np.zeros(4)
    return [
        case((5,), 3, 0.9, 0.99, 1e-2),
        case((3, 4), 2, 0.8, 0.95, 0.1),
        case((6,), 12, 0.9, 0.97, 3e-2),
        Case((w, g, zero, zero, 1, 0.05, 0.9, 0.999, 1e-2), "the first step"),
        case((5,), 4, 0.9, 0.999, 1e-7, size=1e-6, kind="tiny gradients"),
        Case((w, zero, zero, zero, 1, 0.1, 0.9, 0.999, 1e-8), "a gradient of zero"),
    ]


def adamw_steps(rng: np.random.Generator) -> list[Case]:
    decays = [0.3, 0.05, 0.6, 0.1, 0.2, 0.4]
    return [
        Case((*case.arguments, decay), case.kind)
        for case, decay in zip(adam_steps(rng), decays, strict=True)
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _paper(m: Any, v: Any, c1: float, c2: float, lr: float, epsilon: float) -> Any:
    return lr * (m / c1) / (np.sqrt(v / c2) + epsilon)


def _keras(m: Any, v: Any, c1: float, c2: float, lr: float, epsilon: float) -> Any:
    return lr * np.sqrt(c2) / c1 * m / (np.sqrt(v) + epsilon)


def _adam(
    update: Variant,
    first: Variant = lambda m, g, beta: beta * m + (1 - beta) * g,
    second: Variant = lambda v, g, m, beta: beta * v + (1 - beta) * g**2,
    correction: Variant = lambda beta, t: 1 - beta**t,
    returned: Variant = lambda m, v, c1, c2: (m, v),
) -> Variant:
    """A variant from what it subtracts, its moments, their correction or what it returns."""

    def variant(
        w: Any, g: Any, m: Any, v: Any, t: int, lr: float, b1: float, b2: float, epsilon: float
    ) -> tuple[Any, Any, Any]:
        m = first(m, g, b1)
        v = second(v, g, m, b2)
        c1, c2 = correction(b1, t), correction(b2, t)
        return (w - update(m, v, c1, c2, lr, epsilon), *returned(m, v, c1, c2))

    return variant


def _by_gradient(update: Variant) -> Variant:
    """Moves by the gradient itself, with the moments as they should be."""

    def variant(
        w: Any, g: Any, m: Any, v: Any, t: int, lr: float, b1: float, b2: float, epsilon: float
    ) -> tuple[Any, Any, Any]:
        c1 = 1 - b1**t
        instead = g * c1 if update is _paper else g  # the paper's m has been divided by c1
        _, m, v = _adam(update)(w, g, m, v, t, lr, b1, b2, epsilon)
        return w - update(instead, v, c1, 1 - b2**t, lr, epsilon), m, v

    return variant


def _old_moments_returned(step: Variant) -> Variant:
    return lambda w, g, m, v, *rest: (step(w, g, m, v, *rest)[0], m, v)


def _swapped_betas(step: Variant) -> Variant:
    def variant(
        w: Any, g: Any, m: Any, v: Any, t: int, lr: float, b1: float, b2: float, epsilon: float
    ) -> Any:
        return step(w, g, m, v, t, lr, b2, b1, epsilon)

    return variant


def _adamw(
    before: Variant = lambda w, lr, d: w,
    gradient: Variant = lambda g, w, d: g,
    update: Variant = _keras,
    after: Variant = lambda stepped, w, m, v, lr, d: stepped,
) -> Variant:
    """A variant from what it does to the weights before, to the gradient, or after the step."""

    def variant(
        w: Any, g: Any, m: Any, v: Any, t: int, lr: float, b1: float, b2: float, epsilon: float,
        d: float,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        stepped, m, v = _adam(update)(
            before(w, lr, d), gradient(g, w, d), m, v, t, lr, b1, b2, epsilon
        )
        return after(stepped, w, m, v, lr, d), m, v

    return variant


def _decayed(w: Any, lr: float, d: float) -> Any:
    return w * (1 - lr * d)


def _adamw_adapted(corrected: bool) -> Variant:
    """The decay added to m, before or after the correction of m."""

    def variant(
        w: Any, g: Any, m: Any, v: Any, t: int, lr: float, b1: float, b2: float, epsilon: float,
        d: float,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        decay = d * w * (1 - b1**t if corrected else 1.0)
        step = _adam(lambda m, v, c1, c2, lr, e: _keras(m + decay, v, c1, c2, lr, e))
        result: tuple[Any, Any, Any] = step(w, g, m, v, t, lr, b1, b2, epsilon)
        return result

    return variant


# --- mistakes that both conventions of Adam share -------------------------------------------------


def _shared_by_adam(update: Variant) -> tuple[Misconception, ...]:
    return (
        Misconception(
            "no-bias-correction",
            _adam(update, correction=lambda b, t: 1.0),
            "The bias correction is missing: m and v start at zero, so in the first steps both "
            "are too small.",
            "By which factor is an average too small that has seen t values and started at 0?",
        ),
        Misconception(
            "step-from-0",
            _adam(update, correction=lambda b, t: 1 - b ** (t - 1)),
            "You count the steps from 0: `step` is 1 at the first step already. (One less makes "
            "1 − β⁰ = 0, and you divide by it.)",
            "Use `step` as it is.",
        ),
        Misconception(
            "step-plus-one",
            _adam(update, correction=lambda b, t: 1 - b ** (t + 1)),
            "You add 1 to the step: it counts from 1 already. (Keras' own counter starts at 0, "
            "which is why its code adds 1.)",
            "Use `step` as it is.",
        ),
        Misconception(
            "corrected-moments-returned",
            _adam(update, returned=lambda m, v, c1, c2: (m / c1, v / c2)),
            "You return the corrected moments: they would be corrected again in the next step. "
            "Return m and v as they are before the correction.",
            "The correction serves this one update only.",
        ),
        Misconception(
            "v-from-m",
            _adam(update, second=lambda v, g, m, b: b * v + (1 - b) * m**2),
            "v averages the squares of m; it should average the squares of the gradient.",
            "Both moments look at the same gradient, each in its own way.",
        ),
        Misconception(
            "power-of-one-minus-beta",
            _adam(update, correction=lambda b, t: (1 - b) ** t),
            "You correct with (1 − β)ᵗ: after t steps what is missing is βᵗ, so the weights add "
            "up to 1 − βᵗ.",
            "The correction should come close to 1 as t grows. Does yours?",
        ),
        Misconception(
            "one-minus-power-of-one-minus-beta",
            _adam(update, correction=lambda b, t: 1 - (1 - b) ** t),
            "You correct with 1 − (1 − β)ᵗ: what is left of the starting zero after t steps is βᵗ.",
            "Each step multiplies the old average by β.",
        ),
        Misconception(
            "beta-times-step",
            _adam(update, correction=lambda b, t: 1 - b * t),
            "You correct with 1 − β·t; it is a power, 1 − βᵗ.",
            "Each step multiplies the old average by β: what is left after t steps?",
        ),
        Misconception(
            "epsilon-inside-root",
            _adam(
                (lambda m, v, c1, c2, lr, e: lr * (m / c1) / np.sqrt(v / c2 + e))
                if update is _paper
                else (lambda m, v, c1, c2, lr, e: lr * np.sqrt(c2) / c1 * m / np.sqrt(v + e))
            ),
            "Your epsilon is inside the root; in Adam it is added to the root. Inside, an "
            "epsilon of 1e-8 acts like 1e-4.",
            "epsilon has the units of the gradient, not of its square.",
        ),
        Misconception(
            "epsilon-added-to-weights",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, c2, lr, 0.0) - e),
            "Your epsilon is added to the weights instead of the root: division comes before "
            "addition.",
            "Put parentheses around the whole denominator.",
        ),
        Misconception(
            "epsilon-forgotten",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, c2, lr, 0.0)),
            "The epsilon plays no part: a gradient that is always zero gives 0/0.",
            "Where does the formula keep the denominator above zero?",
        ),
        Misconception(
            "betas-exchanged",
            _swapped_betas(_adam(update)),
            "The betas are exchanged: beta_1 belongs to m, beta_2 to v.",
            "Which average has the longer memory at the usual 0.9 and 0.999?",
        ),
        Misconception(
            "corrections-exchanged",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c2, c1, lr, e)),
            "The corrections are exchanged: m is corrected with beta_1, v with beta_2.",
            "Each average is corrected with its own beta.",
        ),
        Misconception(
            "v-corrected-with-beta-1",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, c1, lr, e)),
            "You correct v with beta_1; it was averaged with beta_2.",
            "Each average is corrected with its own beta.",
        ),
        Misconception(
            "sign",
            _adam(lambda m, v, c1, c2, lr, e: -update(m, v, c1, c2, lr, e)),
            "The step goes uphill: subtract it from the weights.",
            "m is an average of gradients, and gradients point uphill.",
        ),
        Misconception(
            "gradient-not-squared",
            _adam(update, second=lambda v, g, m, b: b * v + (1 - b) * g),
            "v averages the gradient itself; it should average its square. (Otherwise it may be "
            "negative and has no root.)",
            "m is the mean of the gradient, v the mean of its square.",
        ),
        Misconception(
            "gradient-not-averaged",
            _adam(update, first=lambda m, g, b: b * m + g),
            "m adds the whole gradient to what is left of it, as momentum does; in Adam the "
            "gradient is weighted by 1 − β₁, which makes an average.",
            "The weights of an average add up to one.",
        ),
        Misconception(
            "root-forgotten",
            _adam(
                (lambda m, v, c1, c2, lr, e: lr * (m / c1) / (v / c2 + e))
                if update is _paper
                else (lambda m, v, c1, c2, lr, e: lr * c2 / c1 * m / (v + e))
            ),
            "You divide by v itself; divide by its root, which has the units of the gradient.",
            "If all gradients were ten times as large, Adam's step should hardly change.",
        ),
        Misconception(
            "m-not-corrected",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, 1.0, c2, lr, e)),
            "v is corrected, m is not: at the first step m is only a tenth of the gradient at the "
            "usual β₁ of 0.9.",
            "Both averages started at zero.",
        ),
        Misconception(
            "v-not-corrected",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, 1.0, lr, e)),
            "m is corrected, v is not: v is too small at first, and you divide by its root, so "
            "the first steps are much too long.",
            "Both averages started at zero.",
        ),
        Misconception(
            "power-forgotten",
            _adam(update, correction=lambda b, t: 1 - b),
            "You correct with 1 − β at every step; the power is missing: 1 − βᵗ.",
            "The more gradients have come in, the less is missing.",
        ),
        Misconception(
            "parentheses-of-the-correction",
            _adam(
                (lambda m, v, c1, c2, lr, e: update(m - (1 - c1), v - (1 - c2), 1.0, 1.0, lr, e))
                if update is _paper
                else (lambda m, v, c1, c2, lr, e: (lr * np.sqrt(c2) - (1 - c1)) * m / (v**0.5 + e))
            ),
            "Parentheses are missing: `a / 1 - beta**t` divides by 1 and then subtracts βᵗ.",
            "Division comes before subtraction: put parentheses around 1 − βᵗ.",
        ),
        Misconception(
            "gradient-instead-of-m",
            _by_gradient(update),
            "You move by the gradient; Adam moves by its average m.",
            "Where does m come in, once it is computed?",
        ),
        Misconception(
            "learning-rate-forgotten",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, c2, 1.0, e)),
            "The learning rate plays no part.",
            "With a learning rate of zero nothing should move.",
        ),
        Misconception(
            "beta-1-for-both",
            lambda w, g, m, v, t, lr, b1, b2, e: _adam(update)(w, g, m, v, t, lr, b1, b1, e),
            "You use beta_1 for v as well; v has its own, beta_2.",
            "Which average has the longer memory at the usual 0.9 and 0.999?",
        ),
        Misconception(
            "shares-exchanged",
            _adam(
                update,
                first=lambda m, g, b: (1 - b) * m + b * g,
                second=lambda v, g, m, b: (1 - b) * v + b * g**2,
            ),
            "In both averages β and 1 − β are exchanged: β is the share of the old one that stays.",
            "With β near 1 an average should move slowly.",
        ),
        Misconception(
            "square-not-averaged",
            _adam(update, second=lambda v, g, m, b: b * v + g**2),
            "The new square is not weighted by 1 − β₂, so v is a sum and not an average.",
            "The weights of an average add up to one.",
        ),
        Misconception(
            "weight-squared",
            _adam(update, second=lambda v, g, m, b: b * v + ((1 - b) * g) ** 2),
            "You square 1 − β₂ together with the gradient; only the gradient is squared.",
            "The weights of an average add up to one.",
        ),
        Misconception(
            "one-size-for-all",
            _adam(update, second=lambda v, g, m, b: b * v + (1 - b) * np.mean(g**2)),
            "You take the mean over all gradients, so that all weights share one size; each "
            "weight has an average of its own, over time.",
            "`gradient**2` has an entry for each weight already.",
        ),
        Misconception(
            "epsilon-added-to-the-quotient",
            _adam(lambda m, v, c1, c2, lr, e: update(m, v, c1, c2, lr, 0.0) + lr * e),
            "Your epsilon is added to the quotient instead of the root: division comes before "
            "addition.",
            "Put parentheses around the whole denominator.",
        ),
        Misconception(
            "old-moments-returned",
            _old_moments_returned(_adam(update)),
            "The step is right, but you return the old moments: nothing would be remembered.",
            "Return m and v with the new gradient in them.",
        ),
        Misconception(
            "moments-exchanged",
            _adam(update, returned=lambda m, v, c1, c2: (v, m)),
            "The step is right, but you return v before m.",
            "The docstring says in which order.",
        ),
        Misconception(
            "m-old",
            lambda w, g, m, v, t, lr, b1, b2, e: (
                w - update(m, b2 * v + (1 - b2) * g**2, 1 - b1**t, 1 - b2**t, lr, e),
                b1 * m + (1 - b1) * g,
                b2 * v + (1 - b2) * g**2,
            ),
            "You move by the old m; update both moments first.",
            "On the first step the old m is zero: would the weights move at all?",
        ),
    )


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    *averages.EXERCISES,
    Exercise(
        name="adam_step",
        lesson=LESSON,
        points=3,
        reference=adam.adam_step,
        cases=adam_steps,
        section="Adam, line by line",
        think="Five lines: m, v, both corrected, the step. Write them in the paper's order and "
        "compare symbol by symbol.",
        misconceptions=(
            *_shared_by_adam(_paper),
            Misconception(
                "multiplied-by-the-correction",
                _adam(lambda m, v, c1, c2, lr, e: _paper(m, v, 1 / c1, 1 / c2, lr, e)),
                "You multiply by 1 − βᵗ, which makes moments that are too small smaller still.",
                "The moments are too small by that factor.",
            ),
            Misconception(
                "epsilon-hat",
                adam.adam_step_keras,
                "This is Keras' form, with the epsilon beside the root of the uncorrected v; in "
                "the paper's algorithm 1 it stands beside the root of the corrected one.",
                "Correct v first, then take the root, then add epsilon.",
            ),
        ),
    ),
    Exercise(
        name="adam_step_keras",
        lesson=LESSON,
        points=2,
        reference=adam.adam_step_keras,
        cases=adam_steps,
        section="Two places for epsilon: the paper and Keras",
        think="Pull both corrections out into the learning rate: that of v leaves its root. What "
        "remains is m divided by (root of v, plus epsilon).",
        misconceptions=(
            Misconception(
                "epsilon-of-the-paper",
                adam.adam_step,
                "This is the paper's algorithm 1: its epsilon stands beside the root of the "
                "corrected v. Keras adds it to the root of v as it is.",
                "Both forms agree for an epsilon of zero; move the correction out of the root "
                "before you add it.",
            ),
            Misconception(
                "root-of-correction-forgotten",
                _adam(lambda m, v, c1, c2, lr, e: lr * c2 / c1 * m / (np.sqrt(v) + e)),
                "The correction of v comes out of a root, so it stands before the fraction as a "
                "root.",
                "√(v/c) is √v/√c.",
            ),
            Misconception(
                "correction-upside-down",
                _adam(lambda m, v, c1, c2, lr, e: lr * c1 / np.sqrt(c2) * m / (np.sqrt(v) + e)),
                "The correction is upside down: m is too small and is divided by its correction.",
                "Which of the two corrections ends up in the numerator?",
            ),
            Misconception(
                "root-of-both-corrections",
                _adam(lambda m, v, c1, c2, lr, e: _keras(m, v, np.sqrt(c1), c2, lr, e)),
                "You take the root of both corrections; only that of v comes out of a root.",
                "m stands in the formula without a root.",
            ),
            Misconception(
                "correction-of-v-upside-down",
                _adam(lambda m, v, c1, c2, lr, e: lr / np.sqrt(c2) / c1 * m / (np.sqrt(v) + e)),
                "The correction of v is upside down: v is in the denominator and is itself "
                "divided by its correction, so the root of that comes into the numerator.",
                "a / √(v/c) is a √c / √v.",
            ),
            Misconception(
                "corrected-twice",
                _adam(lambda m, v, c1, c2, lr, e: _keras(m / c1, v / c2, c1, c2, lr, e)),
                "You correct twice: in the learning rate and in the moments.",
                "Once the corrections are in the learning rate, m and v stay as they are.",
            ),
            *_shared_by_adam(_keras),
        ),
    ),
    Exercise(
        name="adamw_step",
        lesson=LESSON,
        points=2,
        reference=adam.adamw_step,
        cases=adamw_steps,
        section="AdamW: decay that bypasses the moments",
        think="First shrink the weights by the learning rate times the decay, then take the step "
        "of `adam_step_keras` with the gradient as it came in.",
        misconceptions=(
            Misconception(
                "decay-in-gradient",
                _adamw(gradient=lambda g, w, d: g + d * w),
                "You add the decay to the gradient (L2): Adam then divides it by the root of v, "
                "and weights with large gradients hardly decay.",
                "The moments should not know of the decay.",
            ),
            Misconception(
                "l2-in-gradient",
                _adamw(gradient=lambda g, w, d: g + 2 * d * w),
                "You add the gradient of an L2 penalty to the gradient: Adam then divides it by "
                "the root of v, and weights with large gradients hardly decay.",
                "The moments should not know of the decay.",
            ),
            Misconception(
                "decay-twice",
                _adamw(before=_decayed, gradient=lambda g, w, d: g + d * w),
                "You decay twice: in the weights and in the gradient.",
                "The moments should not know of the decay.",
            ),
            Misconception(
                "decay-without-learning-rate",
                _adamw(before=lambda w, lr, d: w * (1 - d)),
                "The decay is not multiplied by the learning rate. (The paper keeps the two "
                "apart; Keras and PyTorch multiply.)",
                "With a learning rate of zero nothing should move.",
            ),
            Misconception(
                "decay-adapted",
                _adamw_adapted(corrected=True),
                "You divide the decay by the root of v as well; it should be the same share of "
                "every weight.",
                "The decay bypasses the moments: apply it to the weights before the step.",
            ),
            Misconception(
                "decay-adapted-and-corrected",
                _adamw_adapted(corrected=False),
                "You add the decay to m, so that it is bias-corrected and divided by the root of "
                "v; it should be the same share of every weight.",
                "The decay bypasses the moments: apply it to the weights before the step.",
            ),
            Misconception(
                "decay-after-step",
                _adamw(after=lambda stepped, w, m, v, lr, d: stepped * (1 - lr * d)),
                "You decay the new weights, after the step; Keras decays the old ones first.",
                "First shrink, then step: the decay should not touch what this step adds.",
            ),
            Misconception(
                "factor-two",
                _adamw(before=lambda w, lr, d: w * (1 - 2 * lr * d)),
                "Your decay is twice as strong: the 2 comes from differentiating w², and a "
                "decoupled decay has no square to differentiate.",
                "What share of a weight should be lost when its gradient is zero?",
            ),
            Misconception(
                "weights-grow",
                _adamw(before=lambda w, lr, d: w * (1 + lr * d)),
                "The decay has the wrong sign: the weights grow.",
                "Look at a weight whose gradient is zero: it should move towards zero.",
            ),
            Misconception(
                "decay-after-without-learning-rate",
                _adamw(after=lambda stepped, w, m, v, lr, d: stepped * (1 - d)),
                "You decay after the step and without the learning rate; Keras decays the old "
                "weights first, by the learning rate times the decay.",
                "With a learning rate of zero nothing should move.",
            ),
            Misconception(
                "same-amount-for-all",
                _adamw(before=lambda w, lr, d: w - lr * d),
                "You subtract the same amount from every weight; the decay takes a share of each.",
                "A weight of zero should not decay, and a negative one should grow towards zero.",
            ),
            Misconception(
                "lost-share-kept",
                _adamw(before=lambda w, lr, d: lr * d * w),
                "You keep the share that should be lost: subtract it from the weights.",
                "With a decay of zero the weights should stay.",
            ),
            Misconception(
                "no-decay",
                _adamw(),
                "The decay plays no part: this is plain Adam.",
                "Look at a weight whose gradient is zero: it should move towards zero.",
            ),
            Misconception(
                "epsilon-of-the-paper",
                _adamw(before=_decayed, update=_paper),
                "The decay is right; your epsilon stands beside the root of the corrected v, as "
                "in the paper. This step follows Keras.",
                "Take the step with your `adam_step_keras`.",
            ),
            Misconception(
                "no-bias-correction",
                _adamw(
                    before=_decayed,
                    update=lambda m, v, c1, c2, lr, e: _keras(m, v, 1.0, 1.0, lr, e),
                ),
                "The decay is right; the bias correction of the moments is missing.",
                "Take the step with your `adam_step_keras`.",
            ),
        ),
    ),
    *clipping.EXERCISES,
)
