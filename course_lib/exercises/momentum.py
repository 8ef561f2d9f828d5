"""Exercises of lesson 03 on steps with a velocity: momentum, and Nesterov's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import sgd
from .exercise import Case, Exercise, Misconception

LESSON = "03_sgd"
Variant = Callable[..., Any]


# --- cases: a velocity that is not zero -----------------------------------------------------------


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


# --- wrong variants that need more than an expression -------------------------------------------


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


# --- the exercises --------------------------------------------------------------------------------

EXERCISES = (
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
                "returned-in-the-other-order",
                lambda *arguments: sgd.momentum_step(*arguments)[::-1],
                "The right numbers in the other order: return the weights first, then the "
                "velocity.",
                "The docstring says what comes first.",
            ),
            Misconception(
                "old-velocity-returned",
                lambda w, g, v, lr, mu: (sgd.momentum_step(w, g, v, lr, mu)[0], v),
                "The weights are right, but you return the old velocity: the next step needs "
                "the new one.",
                "Which velocity did the weights move by?",
            ),
            Misconception(
                "velocity-never-decays",
                _velocity(lambda v, g, lr, mu: v - lr * g),
                "The old velocity is kept whole: the momentum plays no part, and the ball never "
                "slows down.",
                "How much of the old velocity should be left?",
            ),
            Misconception(
                "decays-to-one-minus-momentum",
                _velocity(lambda v, g, lr, mu: (1 - mu) * v - lr * g),
                "You keep the share 1 − momentum of the old velocity; the momentum itself is "
                "the share that is kept.",
                "With a momentum of 0.9, most of the velocity should be left.",
            ),
            Misconception(
                "momentum-on-everything",
                _velocity(lambda v, g, lr, mu: mu * (v - lr * g)),
                "The momentum multiplies the new push too; it belongs to the old velocity only.",
                "With a momentum of zero it should be a plain step; yours stands still.",
            ),
            Misconception(
                "learning-rate-forgotten",
                _velocity(lambda v, g, lr, mu: mu * v - g),
                "The learning rate plays no part: the push is the whole gradient.",
                "On the first step the weights should move by −ηg.",
            ),
            Misconception(
                "look-ahead-without-push",
                _momentum(lambda w, new, v, step, lr, mu: w + mu * new),
                "The momentum acts twice: on the old velocity, and again when you move by the "
                "new one.",
                "The weights add the new velocity as it is.",
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
                "pytorch-form-averaged",
                lambda w, g, v, lr, mu: sgd.momentum_step_pytorch(w, (1 - mu) * g, v, lr, mu),
                "Two differences: you multiply the gradient by 1 − momentum, which makes an "
                "average, and your velocity does not contain the learning rate. Here it is v ← "
                "μv − ηg.",
                "On the first step the weights should move by −ηg.",
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
                "returned-in-the-other-order",
                lambda *arguments: sgd.nesterov_step(*arguments)[::-1],
                "The right numbers in the other order: return the weights first, then the "
                "velocity.",
                "The docstring says what comes first.",
            ),
            Misconception(
                "old-velocity-returned",
                lambda w, g, v, lr, mu: (sgd.nesterov_step(w, g, v, lr, mu)[0], v),
                "The weights are right, but you return the old velocity: the next step needs "
                "the new one.",
                "Which velocity did you look ahead with?",
            ),
            Misconception(
                "whole-velocity-and-push",
                _momentum(lambda w, new, v, step, lr, mu: w + new - step),
                "You add the whole new velocity and the push; the look-ahead is momentum times "
                "the new velocity.",
                "With a momentum of zero it should be a plain step; yours is twice as long.",
            ),
            Misconception(
                "push-without-learning-rate",
                lambda w, g, v, lr, mu: (w + mu * (mu * v - lr * g) - g, mu * v - lr * g),
                "The learning rate is missing in the last push: subtract ηg.",
                "With a momentum of zero it should be a plain step.",
            ),
            Misconception(
                "velocity-looks-ahead-too",
                lambda w, g, v, lr, mu: (
                    sgd.nesterov_step(w, g, v, lr, mu)[0],
                    mu * (mu * v - lr * g) - lr * g,
                ),
                "The weights are right, but you return the step that they made. The velocity is "
                "μv − ηg, without the look-ahead.",
                "The velocity is updated exactly as in `momentum_step`.",
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
)
