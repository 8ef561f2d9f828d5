"""The exercise of lesson 02 on ridge regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..foundations import regularization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "02_regularization"


# --- cases: a single example would hide mistakes ------------------------------------------------


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


# --- the exercise -------------------------------------------------------------------------------

EXERCISES = (
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
)
