"""Exercise of lesson 03 on a network of two layers: its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import gradients, sgd
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "03_sgd"
Variant = Callable[..., Any]


# --- cases: N, D, H and C all different, some units on and some off -------------------------------


def hidden_layers(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int,
        d: int,
        h: int,
        c: int,
        kind: str = ORDINARY,
        *,
        scale: float = 1.0,
        active: float = 1.0,
        off: int = 0,
    ) -> Case:
        x, weights_out = rng.normal(size=(n, d)), scale * rng.normal(size=(h, c))
        hidden = np.maximum(x @ rng.normal(size=(d, h)) + 0.1 * rng.normal(size=h), 0)
        hidden[0, :2] = 0.0, 0.7  # some of each, whatever was drawn
        hidden[:, :off] = 0.0
        hidden = active * hidden
        return Case((x, hidden, weights_out, rng.normal(size=(n, c)) / n), kind)

    return [
        case(6, 3, 5, 4),
        case(4, 7, 6, 3),
        case(8, 5, 4, 2),
        case(5, 4, 6, 3, "a unit that is zero for every example", off=1),
        case(1, 3, 4, 2, "a batch of one"),
        # Finite differences drown in rounding: of the outer layer, of the inner layer.
        case(6, 3, 5, 4, "large weights", scale=1e8),
        case(5, 3, 4, 6, "large activations", active=1e8),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


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


def _backward_in_order(*places: int) -> Variant:
    def variant(*arguments: Any) -> tuple[Any, ...]:
        gradients_of = sgd.hidden_layer_gradients(*arguments)
        return tuple(gradients_of[place] for place in places)

    return variant


def _backward_by_differences(x: Any, hidden: Any, weights_out: Any, upstream: Any) -> Any:
    def loss(weights_in: Any, bias_in: Any, weights_out: Any) -> float:
        """Of weights that are added to those of the inner layer, which nobody has been told."""
        moved = hidden + (hidden > 0) * (x @ weights_in + bias_in)
        return float(np.sum(upstream * (moved @ weights_out)))

    zeros, none = np.zeros((x.shape[1], hidden.shape[1])), np.zeros(hidden.shape[1])
    return (
        gradients.numerical_gradient(lambda w: loss(w, none, weights_out), zeros),
        gradients.numerical_gradient(lambda b: loss(zeros, b, weights_out), none),
        gradients.numerical_gradient(lambda w: loss(zeros, none, w), weights_out),
        upstream.sum(axis=0),
    )


# --- the exercises --------------------------------------------------------------------------------

EXERCISES = (
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
                "tanh-slope",
                _backward(mask=lambda hidden, at: 1 - hidden**2),
                "1 − h² is the slope of tanh; this layer has a ReLU.",
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
                _backward_in_order(2, 3, 0, 1),
                "The two layers are exchanged: first the inner layer's gradients, then the outer "
                "one's.",
                "The order of the result is weights_in, bias_in, weights_out, bias_out.",
            ),
            Misconception(
                "weights-before-biases",
                _backward_in_order(0, 2, 1, 3),
                "You return both gradients of weights first, then both of biases; it should be "
                "layer by layer.",
                "The order of the result is weights_in, bias_in, weights_out, bias_out.",
            ),
            Misconception(
                "finite-differences",
                _backward_by_differences,
                "These are finite differences: they cost two passes for every weight, and large "
                "weights or activations drown them in rounding. Write the formula.",
                "Finite differences are the witness, in the cells below. The formulas stand above.",
                noise=0.02,
            ),
        ),
    ),
)
