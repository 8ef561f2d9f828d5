"""Exercises of lesson 04: exponential averages, RMSProp, Adam in two conventions, AdamW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import adam
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "04_adam"
Variant = Callable[..., Any]


# --- cases: moments that are not zero, steps above 1, an epsilon large enough to be seen ---------


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


def gradients_and_norm(rng: np.random.Generator) -> list[Case]:
    def case(factor: float, *shapes: tuple[int, ...], kind: str = ORDINARY) -> Case:
        gradients = [rng.normal(size=shape) for shape in shapes]
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        return Case((gradients, factor * norm), kind)

    return [
        case(0.3, (3, 4), (4,)),
        case(0.05, (5,), (2, 3), (3,)),
        case(0.8, (4, 2), (2,), (2, 5), (5,)),
        case(2.5, (3, 4), (4,), kind="a norm below the limit"),
        case(0.4, (6,), kind="a single array"),
        Case(([np.zeros((2, 3)), np.zeros(3)], 1.0), "gradients of zero"),
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
) -> Variant:
    """A variant from its average or from what it subtracts."""

    def variant(w: Any, g: Any, a: Any, lr: float, rho: float, epsilon: float) -> tuple[Any, Any]:
        new = average(a, g, rho)
        return w - update(g, new, a, lr, epsilon), new

    return variant


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


def _norm(gradients: Any) -> float:
    return float(np.sqrt(sum(np.sum(g**2) for g in gradients)))


def _clipped(gradients: Any, norm: float, max_norm: float) -> list[Any]:
    return [g * (max_norm / norm if norm > max_norm else 1.0) for g in gradients]


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
            "addition. (Published code has this bug.)",
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
                "Which of the two does the order of the lines decide?",
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
    Exercise(
        name="clip_by_global_norm",
        lesson=LESSON,
        points=2,
        reference=adam.clip_by_global_norm,
        cases=gradients_and_norm,
        section="When one gradient explodes: clipping by the global norm",
        think="One norm for all entries of all arrays, then one factor for all of them, which is "
        "never above 1.",
        misconceptions=(
            Misconception(
                "one-by-one",
                lambda gs, n: [_clipped([g], _norm([g]), n)[0] for g in gs],
                "You clip each array by its own norm, which changes the direction of the whole; "
                "take one norm over all arrays. (Keras: `clipnorm` against `global_clipnorm`.)",
                "All arrays should shrink by the same factor.",
            ),
            Misconception(
                "by-value",
                lambda gs, n: [np.clip(g, -n, n) for g in gs],
                "You clip every entry to ±max_norm; it is the norm of all entries together that "
                "may not exceed it.",
                "The direction should stay: all entries shrink by the same factor.",
            ),
            Misconception(
                "scaled-up-when-small",
                lambda gs, n: [g * (np.float64(n) / _norm(gs)) for g in gs],
                "You scale small gradients up to the limit (and divide by zero if all are zero); "
                "below the limit they should stay as they are.",
                "What should clipping do to gradients that are small enough?",
            ),
            Misconception(
                "squared-norm",
                lambda gs, n: _clipped(gs, _norm(gs) ** 2, n),
                "You compare with the squared norm: the root is missing.",
                "Compute the norm of what you return: it should be `max_norm`.",
            ),
            Misconception(
                "sum-of-norms",
                lambda gs, n: _clipped(gs, sum(_norm([g]) for g in gs), n),
                "You add the norms of the arrays up; add their squares up and take the root.",
                "Imagine all arrays laid end to end: what is the length of that one vector?",
            ),
            Misconception(
                "largest-norm",
                lambda gs, n: _clipped(gs, max(_norm([g]) for g in gs), n),
                "You use the norm of the largest array; all of them count.",
                "Imagine all arrays laid end to end: what is the length of that one vector?",
            ),
            Misconception(
                "absolute-values",
                lambda gs, n: _clipped(gs, float(sum(np.abs(g).sum() for g in gs)), n),
                "You add absolute values up (the L1 norm); the norm here is the root of the sum "
                "of squares.",
                "Compute the norm of what you return: it should be `max_norm`.",
            ),
            Misconception(
                "divided-by-norm",
                lambda gs, n: [g / _norm(gs) if _norm(gs) > n else g * 1.0 for g in gs],
                "You divide by the norm and forget to multiply by `max_norm`: the result has "
                "norm 1.",
                "Compute the norm of what you return: it should be `max_norm`.",
            ),
            Misconception(
                "not-clipped",
                lambda gs, n: [g * 1.0 for g in gs],
                "Nothing is clipped: you return the gradients as they came in.",
                "Compute the norm of what you return: it should be at most `max_norm`.",
            ),
        ),
    ),
)
