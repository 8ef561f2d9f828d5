"""Cases of lesson 02: weights of both signs and of zero, no dropout rate of 0.5."""

from __future__ import annotations

import math

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
        case(120, 2, 0.4, "many rows"),
    ]


def decay_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, learning_rate: float, decay: float, kind: str = ORDINARY) -> Case:
        weights, gradient = rng.normal(size=(2, *shape))
        return Case((weights, gradient, learning_rate, decay), kind)

    return [
        case(5, learning_rate=0.1, decay=0.3),
        case(3, 4, learning_rate=0.02, decay=0.7),
        case(6, learning_rate=0.3, decay=0.05),
        Case((rng.normal(size=4), np.zeros(4), 0.2, 0.4), "a gradient of zero"),
        case(120, learning_rate=0.1, decay=0.3, kind="many weights"),
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
        case(120, 3, 0.4, "many examples"),
    ]


def weights_and_strength(rng: np.random.Generator) -> list[Case]:
    def not_small(*shape: int) -> np.ndarray:
        drawn = rng.normal(size=shape)
        return np.copysign(np.maximum(np.abs(drawn), 0.02), drawn)

    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((not_small(*shape), float(rng.uniform(0.05, 0.45))), kind)

    some_zeros = not_small(4, 3) * (rng.random((4, 3)) < 0.6)
    some_zeros[0, :2] = 0.0, 1.5
    large = 1e8 * rng.normal(size=(4, 3))  # finite differences are off by 1 % here
    return [
        case(5),
        case(4, 3),
        case(6),
        Case((not_small(3, 7), 2.5)),
        Case((np.round(some_zeros, 3), 0.3), "weights that are exactly zero"),
        Case((large, 0.3), "large weights"),
        Case((np.array([0.001, -2.0, 0.5]), 0.3), "a small weight"),
        case(120, kind="many weights"),
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
        Case((np.array([0.0, 1.5, -0.2]), 0.0), "a weight of zero with an amount of zero"),
        case(120, amount=0.5, kind="many weights"),
    ]


def sparse_regressions(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int, strength: float, truth: tuple[float, ...], kind: str = ORDINARY, steps: int = 100
    ) -> Case:
        # Orthogonal columns of different lengths, so that 100 steps have arrived long before the
        # last, and the edges do not depend on the draw. Only the bias is not orthogonal to them.
        columns = np.linalg.qr(rng.normal(size=(n, len(truth))))[0] * math.sqrt(n)
        columns = columns * np.linspace(1.0, 1.4, len(truth))
        targets = columns @ np.array(truth) + 3.0 + 0.02 * rng.normal(size=n)
        return Case((np.column_stack([columns, np.ones(n)]), targets, strength, steps), kind)

    return [
        case(24, 0.5, (2.0, -1.5, 0.02)),
        case(30, 0.8, (0.02, 1.0, -2.0, 0.01)),
        case(20, 0.3, (-1.0, 0.02, 1.5)),
        case(24, 0.0, (1.0, -2.0, 0.5), "a strength of zero"),
        case(24, 0.5, (2.0, -1.5, 1.0), "two steps", steps=2),
        case(120, 0.5, (2.0, -1.5, 0.02), "many examples"),
    ]


def validation_curves(rng: np.random.Generator) -> list[Case]:
    def case(losses: list[float], patience: int, kind: str = ORDINARY) -> Case:
        scaled = rng.uniform(0.1, 0.3) * np.array(losses) + rng.uniform(0.1, 1.0)
        return Case((scaled, patience), kind)

    # 55 epochs without improvement are forgiven, 70 are not.
    long = [*range(200, 100, -1), *[150] * 55, *range(99, 40, -1), *[150] * 70, 1]
    return [
        case([9, 7, 5, 6, 4, 6, 7, 8, 3, 2], 3),
        case([8, 6, 7, 5, 6, 7, 9, 1, 2, 3, 4], 4),
        case([7, 5, 6, 4, 3, 3.8, 3.6, 3.4, 2, 1], 3),
        case([9, 8, 6, 7, 5, 6, 4, 5, 6, 3], 4),
        case([5, 4, 3, 2, 1], 2, "losses that always fall"),
        case([3, 2, 2.5, 1], 1, "a patience of one"),
        case([4, 3, 3, 3, 3, 2], 3, "losses that stay the same"),
        case([1, 2, 3, 4, 5], 2, "losses that always rise"),
        Case((1e6 * np.array([9.0, 7, 8, 6, 9, 8, 5]), 2), "losses of millions"),
        case(long, 60, "a long training"),
        case([4, 3, 5, 3, 5, 6], 2, "a loss that equals the best again"),
    ]
