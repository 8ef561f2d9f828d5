"""Cases of lesson 02: weights of both signs and of zero, no dropout rate of 0.5."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


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
        Case((np.array([0.0, 1.5, -0.2, 0.0]), 0.4), "weights that are exactly zero"),
        Case((np.array([0.0, 1.5, -0.2]), 0.0), "weights that are exactly zero"),
    ]
