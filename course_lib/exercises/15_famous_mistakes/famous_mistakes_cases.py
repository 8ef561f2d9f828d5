"""Cases of lesson 15: several axes, exact zeros and ones, orders that are no swap, ties."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def yes_or_no(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        labels = rng.integers(0, 2, shape)
        labels.flat[:3] = 0, 1, 1  # more than one of each kind
        return Case((rng.uniform(0.05, 0.95, shape), labels), kind)

    zero = np.array([0.0, 0.25, 0.5, 0.9])
    near = np.array([3e-8, 2e-7, 0.5])
    return [
        case(7),
        case(5, 3),
        case(4, 6),
        case(3, 2, 4),
        case(9, 1, kind="a single column"),
        Case((zero, np.array([1, 0, 1, 1])), "a probability of exactly zero"),
        Case((1 - zero, np.array([0, 1, 0, 0])), "a probability of exactly one"),
        Case((near, np.array([1, 1, 1])), "probabilities near the clip"),
        Case((1 - near, np.array([0, 0, 0])), "probabilities near the clip"),
        Case((rng.uniform(0.1, 0.9, 5), np.zeros(5, int)), "labels that are all 0"),
        case(70, kind="many examples"),
    ]


def pairs_of_distributions(rng: np.random.Generator) -> list[Case]:
    def case(rows: int, classes: int, kind: str = ORDINARY) -> Case:
        p, q = rng.dirichlet(np.full(classes, 1.5), (2, rows))
        return Case((p, 0.9 * q + 0.1 / classes), kind)

    def with_zeros(rows: int, classes: int) -> Case:
        p, q = case(rows, classes).arguments
        p[::2, 0] = 0
        return Case((p / p.sum(axis=1, keepdims=True), q), "probabilities of zero in p")

    same = rng.dirichlet(np.ones(4), 3)
    rare, half = np.array([[5e-4, 0.9995]]), np.array([[0.5, 0.5]])
    return [
        case(5, 3),
        case(4, 6),
        case(7, 2),
        case(3, 10),
        with_zeros(4, 3),
        Case((np.eye(3), np.full((3, 3), 1 / 3)), "labels that are sure"),
        Case((same, same.copy()), "a distribution and itself"),
        Case((rare, half), "a small probability in p"),
        Case((half, rare), "a small probability in q"),
        case(60, 2, "many rows"),
    ]


def shuffled(rng: np.random.Generator) -> list[Case]:
    def order(size: int) -> np.ndarray:
        """No order that is its own inverse: there, two mistakes would be right."""
        while True:
            drawn = rng.permutation(size)
            if np.sum(drawn[drawn] != np.arange(size)) > size // 2:
                return drawn

    def case(size: int, classes: int, kind: str = ORDINARY) -> Case:
        predictions = rng.permutation(np.arange(size) % classes)
        predictions[0] = classes  # one that occurs once
        return Case((predictions, order(size)), kind)

    return [
        case(9, 3),
        case(16, 5),
        case(25, 10),
        Case((rng.permutation(12) + 20, order(12)), "predictions that are all different"),
        Case((rng.dirichlet(np.ones(4), 8), order(8)), "rows of probabilities"),
        Case((rng.uniform(size=7), order(7)), "scores in place of classes"),
        case(60, 7, "many files"),
    ]


def checkpoints(rng: np.random.Generator) -> list[Case]:
    def case(size: int, kind: str = ORDINARY) -> Case:
        """The best on the test is neither the chosen one nor the last."""
        while True:
            worth = rng.uniform(0.5, 0.8, size)
            validation, test = np.round(worth + rng.uniform(-0.1, 0.1, (2, size)), 4)
            chosen, best = int(validation.argmax()), int(test.argmax())
            apart = len({chosen, best, size - 1, int((validation + test).argmax())}) > 2
            if apart and len(np.unique(validation)) == size == len(np.unique(test)):
                return Case((validation, test), kind)

    tied = np.array([0.5, 0.7, 0.6, 0.7, 0.7, 0.4])
    return [
        case(8),
        case(12),
        case(20),
        case(6),
        Case((tied, np.array([0.52, 0.61, 0.7, 0.66, 0.57, 0.9])), "a tie on the validation set"),
        Case(
            (tied[::-1].copy(), np.round(rng.uniform(0.4, 0.9, 6), 3)),
            "a tie on the validation set",
        ),
        Case(
            (np.linspace(0.8, 0.5, 5), np.linspace(0.6, 0.75, 5)), "a first checkpoint that is best"
        ),
        Case((np.array([0.75]), np.array([0.5])), "a single checkpoint"),
        Case((np.array([0.5, 0.6, 0.55]), np.array([0.7, 0.8, 0.9]))),
        Case((np.array([0.05, 0.2, 0.1]), np.array([0.3, 0.1, 0.2])), "accuracies below one half"),
        Case((np.zeros(3), np.array([0.2, 0.1, 0.3])), "accuracies that are all zero"),
        Case((np.array([0.6, 0.7, 0.7001]), np.array([0.5, 0.4, 0.3])), "nearly a tie"),
        Case((np.linspace(0.2, 0.9, 70), np.linspace(0.9, 0.3, 70)), "many checkpoints"),
    ]


def books(rng: np.random.Generator) -> list[Case]:
    def book() -> np.ndarray:
        digits: np.ndarray = np.r_[9, 7, 8, rng.integers(0, 10, 9)]
        return digits

    def mixed() -> np.ndarray:
        digits: np.ndarray = rng.permutation(np.r_[1, 1:10, 2, 5])
        return digits

    def case(draw: Callable[[], np.ndarray], checks: Collection[int]) -> Case:
        """Whose check digit is one of these."""
        while True:
            digits = draw()
            check = -np.sum(digits * np.tile([1, 3], 6)) % 10
            if check in checks:
                kind = ORDINARY if check else "a sum that is a multiple of ten"
                return Case((digits,), kind)

    return [
        *(case(book, [int(check)]) for check in rng.permutation(np.arange(1, 10))),
        case(mixed, range(1, 10)),
        Case((np.arange(12) % 10,)),
        case(book, [0]),
        case(book, [0]),
    ]
