"""Exercises of lesson 03: gradient descent, mini-batches, momentum, schedules, backpropagation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import sgd
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "03_sgd"
Variant = Callable[..., Any]


# --- cases: a velocity that is not zero, N, D, H and C all different --------------------------


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


def momentum_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, learning_rate: float, momentum: float) -> Case:
        weights, gradient, velocity = rng.normal(size=(3, *shape))
        return Case((weights, gradient, velocity, learning_rate, momentum))

    first = (rng.normal(size=4), rng.normal(size=4), np.zeros(4), 0.1, 0.9)
    return [
        case(5, learning_rate=0.1, momentum=0.9),
        case(3, 4, learning_rate=0.03, momentum=0.7),
        case(6, learning_rate=0.25, momentum=0.95),
        Case(first, "the first step, with a velocity of zero"),
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


def hidden_layers(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, h: int, c: int, kind: str = ORDINARY) -> Case:
        x, weights_out = rng.normal(size=(n, d)), rng.normal(size=(h, c))
        hidden = np.maximum(x @ rng.normal(size=(d, h)) + 0.1 * rng.normal(size=h), 0)
        hidden[0, :2] = 0.0, 0.7  # some of each, whatever was drawn
        if kind != ORDINARY:
            hidden[:, 1] = 0.0
        return Case((x, hidden, weights_out, rng.normal(size=(n, c)) / n), kind)

    return [
        case(6, 3, 5, 4),
        case(4, 7, 6, 3),
        case(8, 5, 4, 2),
        case(5, 4, 6, 3, "a unit that is zero for every example"),
        case(1, 3, 4, 2, "a batch of one"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _sgd_in_place(weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> np.ndarray:
    weights -= learning_rate * gradient
    return weights


def _cut(order: np.ndarray, size: int, starts: range, longer: int = 0) -> list[np.ndarray]:
    return [order[start : start + size + longer] for start in starts]


def _momentum(update: Variant) -> Variant:
    """A variant from where it moves, given (w, v, old v, ηg, η, μ) after v ← μv − ηg."""

    def variant(w: Any, g: Any, v: Any, lr: float, mu: float) -> tuple[Any, Any]:
        new = mu * v - lr * g
        return update(w, new, v, lr * g, lr, mu), new

    return variant


def _velocity(next_velocity: Variant, sign: float = 1.0) -> Variant:
    """A variant from its velocity as a function of (v, g, η, μ), moving by sign times it."""

    def variant(w: Any, g: Any, v: Any, lr: float, mu: float) -> tuple[Any, Any]:
        v = next_velocity(v, g, lr, mu)
        return w + sign * v, v

    return variant


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


def _backward(
    mask: Variant = lambda hidden, at: hidden > 0,
    bias: Variant = np.sum,
    divisor: Variant = lambda x: 1,
) -> Variant:
    """Backpropagation with the ReLU's mask, the sum for the biases or a divisor exchanged."""

    def variant(x: Any, hidden: Any, weights_out: Any, upstream: Any) -> tuple[Any, ...]:
        at = upstream @ weights_out.T
        at = at * mask(hidden, at)
        gradients = x.T @ at, bias(at, axis=0), hidden.T @ upstream, bias(upstream, axis=0)
        return tuple(gradient / divisor(x) for gradient in gradients)

    return variant


def _backward_transposed(*arguments: Any) -> tuple[Any, ...]:
    weights_in, bias_in, weights_out, bias_out = sgd.hidden_layer_gradients(*arguments)
    return weights_in.T, bias_in, weights_out.T, bias_out


def _backward_exchanged(*arguments: Any) -> tuple[Any, ...]:
    weights_in, bias_in, weights_out, bias_out = sgd.hidden_layer_gradients(*arguments)
    return weights_out, bias_out, weights_in, bias_in


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
                "error-squared",
                lambda x, y, w: 2 * x.T @ (x @ w - y) ** 2 / len(x),
                "The errors are still squared: a square falls to the first power when you "
                "differentiate it.",
                "An error down and an error up must push in opposite directions.",
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
                "smallest-eigenvalue",
                lambda h: float(2 / np.linalg.eigvalsh(h)[0]),
                "You use the smallest eigenvalue; the limit is set by the direction that "
                "diverges first, the steepest.",
                "For which λ does 1 − ηλ leave the interval first as η grows?",
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
            Misconception(
                "largest-eigenvalue-itself",
                lambda h: float(np.linalg.eigvalsh(h)[-1]),
                "You return the eigenvalue: the steeper the loss, the larger your rate.",
                "Should a steeper valley allow longer or shorter steps?",
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
    Exercise(
        name="momentum_step",
        lesson=LESSON,
        points=2,
        reference=sgd.momentum_step,
        cases=momentum_steps,
        section="A ball with mass: momentum",
        think="First the new velocity: what is left of the old one, and a push downhill that "
        "already contains the learning rate. Then move by the new velocity.",
        misconceptions=(
            Misconception(
                "averaged-gradient",
                _velocity(lambda v, g, lr, mu: mu * v - (1 - mu) * lr * g),
                "You multiply the gradient by 1 − momentum: that makes an average, as in Adam. "
                "Momentum adds the whole push.",
                "With a momentum of 0.9 your steps would be ten times too small.",
            ),
            Misconception(
                "old-velocity",
                _momentum(lambda w, new, v, step, lr, mu: w + v),
                "You move by the old velocity: the first step would go nowhere. Update the "
                "velocity first.",
                "Which of the two lines of the rule comes first?",
            ),
            Misconception(
                "velocity-subtracted",
                _momentum(lambda w, new, v, step, lr, mu: w - new),
                "The velocity is subtracted, but it points downhill already (it contains −ηg): "
                "this climbs.",
                "Add the velocity, as one adds a displacement.",
            ),
            Misconception(
                "ascent",
                _velocity(lambda v, g, lr, mu: mu * v + lr * g),
                "The gradient enters the velocity with the wrong sign: this climbs.",
                "The push is downhill, against the gradient.",
            ),
            Misconception(
                "velocity-points-uphill",
                _velocity(lambda v, g, lr, mu: mu * v + lr * g, sign=-1.0),
                "Your velocity points uphill and is subtracted. The one you are given points "
                "downhill (Keras), so the old part acts with the wrong sign.",
                "v ← μv − ηg, and then the weights add it.",
            ),
            Misconception(
                "learning-rate-twice",
                _momentum(lambda w, new, v, step, lr, mu: w + lr * new),
                "The learning rate acts twice: the velocity contains it already.",
                "On the first step the weights should move by −ηg.",
            ),
            Misconception(
                "pytorch-form",
                sgd.momentum_step_pytorch,
                "This is PyTorch's form, whose velocity does not contain the learning rate; in "
                "Keras' form it does. The paths differ once the rate changes.",
                "Put the learning rate into the velocity, and move by the velocity as it is.",
            ),
            Misconception(
                "learning-rate-on-everything",
                _velocity(lambda v, g, lr, mu: lr * (mu * v - g)),
                "The learning rate multiplies the old velocity too; it belongs to the gradient "
                "only.",
                "What is left of the old velocity depends on the momentum alone.",
            ),
            Misconception(
                "momentum-forgotten",
                _velocity(lambda v, g, lr, mu: -lr * g),
                "The old velocity is forgotten: this is a plain step.",
                "How much of the old velocity should be left?",
            ),
            Misconception(
                "nesterov",
                sgd.nesterov_step,
                "This is Nesterov's look-ahead, which is the next exercise; plain momentum moves "
                "by the velocity.",
                "The weights add the new velocity, nothing else.",
            ),
        ),
    ),
    Exercise(
        name="nesterov_step",
        lesson=LESSON,
        points=2,
        reference=sgd.nesterov_step,
        cases=momentum_steps,
        section="Looking ahead: Nesterov",
        think="The velocity is updated as before. Then the weights move by momentum times the "
        "**new** velocity, and by one more push of the gradient.",
        misconceptions=(
            Misconception(
                # w + μ·(old v) − ηg is w + (new v): both mistakes are this one function.
                "plain-momentum",
                sgd.momentum_step,
                "This is plain momentum: you add the new velocity, or, which is the same, the "
                "momentum times the old velocity and the push. Look ahead with the new one.",
                "Where would the new velocity, left to itself, carry the weights next?",
            ),
            Misconception(
                "look-ahead-with-old-velocity",
                _momentum(lambda w, new, v, step, lr, mu: w + new + mu * v),
                "You move by the new velocity and then look ahead along the old one.",
                "The look-ahead is momentum times the new velocity, and only the push is added "
                "to it.",
            ),
            Misconception(
                "velocity-twice",
                _momentum(lambda w, new, v, step, lr, mu: w + new + mu * new),
                "You add the whole new velocity and the look-ahead: the old velocity counts twice.",
                "Only the fresh push −ηg joins the look-ahead.",
            ),
            Misconception(
                "push-forgotten",
                _momentum(lambda w, new, v, step, lr, mu: w + mu * new),
                "The push of the gradient is missing after the look-ahead.",
                "With a momentum of zero it should be a plain step; yours stands still.",
            ),
            Misconception(
                "velocity-subtracted",
                _momentum(lambda w, new, v, step, lr, mu: w - mu * new - step),
                "The velocity is subtracted, but it points downhill already.",
                "Add the velocity, as one adds a displacement.",
            ),
            Misconception(
                "push-uphill",
                _momentum(lambda w, new, v, step, lr, mu: w + mu * new + step),
                "The push after the look-ahead goes uphill: subtract the gradient.",
                "With a momentum of zero it should be a plain step down.",
            ),
            Misconception(
                "pytorch-form",
                sgd.nesterov_step_pytorch,
                "This is PyTorch's form, whose velocity does not contain the learning rate; in "
                "Keras' form it does.",
                "Put the learning rate into the velocity.",
            ),
            Misconception(
                "averaged-gradient",
                lambda w, g, v, lr, mu: (
                    w + mu * (mu * v - (1 - mu) * lr * g) - lr * g,
                    mu * v - (1 - mu) * lr * g,
                ),
                "You multiply the gradient by 1 − momentum in the velocity: that makes an "
                "average, as in Adam.",
                "The velocity is updated exactly as in `momentum_step`.",
            ),
        ),
    ),
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
                "degrees",
                _schedule(fall=lambda x: (1 + math.cos(180 * x)) / 2),
                "NumPy's and Python's cosine take radians, not degrees.",
                "Half a turn is π.",
            ),
        ),
    ),
    Exercise(
        name="hidden_layer_gradients",
        lesson=LESSON,
        points=4,
        reference=sgd.hidden_layer_gradients,
        cases=hidden_layers,
        section="Two layers: backpropagation written out",
        think="From the back: the output layer's gradients need `hidden` and `upstream`. Bring "
        "`upstream` through `weights_out`, let through what the ReLU let through, and the first "
        "layer is done in the same way.",
        misconceptions=(
            Misconception(
                "mask-forgotten",
                _backward(mask=lambda hidden, at: np.ones_like(hidden)),
                "The ReLU is missing on the way back: where it gave 0, no gradient comes through.",
                "Compare with > 0: after a ReLU every entry is ≥ 0.",
            ),
            Misconception(
                "mask-from-the-gradient",
                _backward(mask=lambda hidden, at: at > 0),
                "You decide by the sign of the gradient what passes; the gate is decided by the "
                "forward pass.",
                "Negative gradients must pass, where the unit was on.",
            ),
            Misconception(
                "mask-inverted",
                _backward(mask=lambda hidden, at: hidden <= 0),
                "Your mask is the wrong way round: it lets through where the unit was off.",
                "What is the slope of the ReLU where its output is positive?",
            ),
            Misconception(
                "multiplied-by-activation",
                _backward(mask=lambda hidden, at: hidden),
                "You multiply by the activation; the slope of a ReLU is 0 or 1.",
                "How does `hidden` change if what goes into the ReLU grows by a little?",
            ),
            Misconception(
                "sigmoid-slope",
                _backward(mask=lambda hidden, at: hidden * (1 - hidden)),
                "h(1 − h) is the slope of a sigmoid; this layer has a ReLU.",
                "What is the slope of max(z, 0)?",
            ),
            Misconception(
                "divided-by-n-again",
                _backward(divisor=len),
                "You divide by N again: `upstream` is the gradient of a mean and contains 1/N "
                "already.",
                "Sum over the examples, nothing more.",
            ),
            Misconception(
                "bias-averaged",
                _backward(bias=np.mean),
                "The biases' gradients are averaged over the examples; sum them, as the matrix "
                "products do for the weights.",
                "`upstream` contains 1/N already.",
            ),
            Misconception(
                "transposed",
                _backward_transposed,
                "The weights' gradients are transposed: each has the shape of its weights, inputs "
                "first.",
                "A gradient is subtracted from its weights, so the shapes must agree.",
            ),
            Misconception(
                "layers-exchanged",
                _backward_exchanged,
                "The two layers are exchanged: first the inner layer's gradients, then the outer "
                "one's.",
                "The order of the result is weights_in, bias_in, weights_out, bias_out.",
            ),
        ),
    ),
)
