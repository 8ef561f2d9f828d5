"""Exercise of lesson 04 on gradients that explode: clipping by the global norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..foundations import adam
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "04_adam"


# --- cases: norms above and below the limit ------------------------------------------------------


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


def _norm(gradients: Any) -> float:
    return float(np.sqrt(sum(np.sum(g**2) for g in gradients)))


def _clipped(gradients: Any, norm: float, max_norm: float) -> list[Any]:
    return [g * (max_norm / norm if norm > max_norm else 1.0) for g in gradients]


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
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
                "laid-end-to-end-without-flattening",
                lambda gs, n: _clipped(gs, float(np.linalg.norm(np.concatenate(gs))), n),
                "The arrays have different shapes, and NumPy cannot join them into one. Flatten "
                "each with `ravel()` before you join them, or add their sums of squares up.",
                "Each array by itself has a sum of squares, whatever its shape.",
            ),
            Misconception(
                "factor-upside-down",
                lambda gs, n: [g * (_norm(gs) / n if _norm(gs) > n else 1.0) for g in gs],
                "Your factor is upside down: gradients above the limit grow.",
                "Which of `max_norm` and the norm is the smaller one when you clip?",
            ),
            Misconception(
                "maximum-instead-of-minimum",
                lambda gs, n: [g * np.maximum(1.0, np.float64(n) / _norm(gs)) for g in gs],
                "Your factor is never below 1: large gradients stay, and small ones grow up to "
                "the limit. It should never be above 1.",
                "The smaller of 1 and max_norm / norm: is that a minimum or a maximum?",
            ),
            Misconception(
                "squares-of-sums",
                lambda gs, n: _clipped(gs, float(np.sqrt(sum(np.sum(g) ** 2 for g in gs))), n),
                "You add the entries of each array up and square the sum; square every entry "
                "first, then add.",
                "Entries of different sign should not cancel in a length.",
            ),
            Misconception(
                "mean-over-the-arrays",
                lambda gs, n: _clipped(gs, _norm(gs) / np.sqrt(len(gs)), n),
                "You take the mean over the arrays; their squares are added up.",
                "Imagine all arrays laid end to end: what is the length of that one vector?",
            ),
            Misconception(
                "largest-entry",
                lambda gs, n: _clipped(gs, max(float(np.abs(g).max()) for g in gs), n),
                "You use the largest entry; the norm is the root of the sum of all squares.",
                "Imagine all arrays laid end to end: what is the length of that one vector?",
            ),
            Misconception(
                "root-of-the-factor",
                lambda gs, n: [
                    g * (np.sqrt(n) / _norm(gs) if _norm(gs) ** 2 > n else 1.0) for g in gs
                ],
                "You compare the squared norm with `max_norm` and take the root of both; the "
                "norm itself, after its root, is compared and divided.",
                "Compute the norm of what you return: it should be `max_norm`.",
            ),
            Misconception(
                "spectral-norm",
                lambda gs, n: _clipped(
                    gs, float(np.sqrt(sum(np.linalg.norm(g, 2) ** 2 for g in gs))), n
                ),
                "`np.linalg.norm(g, 2)` of a matrix is its largest singular value; the root of "
                "the sum of squares is `np.linalg.norm(g)`.",
                "Sum the squares of all entries, whatever the shape.",
            ),
            Misconception(
                "upper-side-only",
                lambda gs, n: [np.minimum(g, n) for g in gs],
                "You cut off the entries above `max_norm`; it is the norm of all entries together "
                "that may not exceed it.",
                "The direction should stay: all entries shrink by the same factor.",
            ),
            Misconception(
                "nothing-returned-below-the-limit",
                lambda gs, n: [g * n / _norm(gs) for g in gs] if _norm(gs) > n else None,
                "Above the limit you are right; below it your function returns nothing (None). "
                "Return the gradients there as they are.",
                "What does your function do where the `if` does not hold?",
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
