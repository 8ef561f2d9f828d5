"""Cases of lesson 04: moments that are not zero, steps above 1, an epsilon that is seen."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def sequences(rng: np.random.Generator) -> list[Case]:
    return [
        Case((rng.normal(size=6), 0.9)),
        Case((rng.normal(size=9, loc=2.0), 0.7)),
        Case((rng.normal(size=12), 0.99)),
        Case((np.full(5, rng.uniform(1.0, 3.0)), 0.9), "a constant sequence"),
        Case((rng.normal(size=1), 0.8), "a single value"),
        Case((rng.normal(size=300, loc=2.0), 0.999), "a long sequence"),
    ]


def rmsprop_steps(rng: np.random.Generator) -> list[Case]:
    def case(
        shape: tuple[int, ...], rho: float, epsilon: float, size: float = 1.0, kind: str = ORDINARY
    ) -> Case:
        gradient = size * rng.normal(size=shape)
        average = size**2 * rng.uniform(0.05, 2.0, shape)
        return Case((rng.normal(size=shape), gradient, average, 0.1, rho, epsilon), kind)

    w, g = rng.normal(size=(2, 4))
    return [
        case((5,), 0.9, 1e-2),
        case((3, 4), 0.8, 0.1),
        case((6,), 0.95, 3e-2),
        Case((w, g, np.zeros(4), 0.05, 0.9, 1e-2), "the first step"),
        case((5,), 0.9, 1e-7, size=1e-5, kind="tiny gradients"),
        Case((w, np.zeros(4), np.zeros(4), 0.1, 0.9, 1e-7), "a gradient of zero"),
        case((120,), 0.9, 1e-2, kind="many weights"),
    ]


def adagrad_steps(rng: np.random.Generator) -> list[Case]:
    cases = rmsprop_steps(rng)
    return [Case((*c.arguments[:4], c.arguments[-1]), c.kind) for c in cases]


def walks(rng: np.random.Generator) -> list[Case]:
    """Learning rates that differ from step to step, and an epsilon that is seen."""

    def case(n: int, d: int, steps: int, kind: str = ORDINARY) -> Case:
        features, targets, start = rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)
        rates = rng.permutation(np.linspace(0.05, 0.3, steps))
        return Case((features, targets, start, rates, 0.9, 0.97, 0.05), kind)

    return [
        case(6, 2, 5),
        case(9, 4, 4),
        case(5, 3, 7),
        case(6, 2, 1, "a single step"),
        case(6, 2, 60, "many steps"),
        case(120, 3, 2, "many rows"),
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
    return [
        case((5,), 3, 0.9, 0.99, 1e-2),
        case((3, 4), 2, 0.8, 0.95, 0.1),
        case((6,), 12, 0.9, 0.97, 3e-2),
        Case((w, g, np.zeros(4), np.zeros(4), 1, 0.05, 0.9, 0.999, 1e-2), "the first step"),
        case((5,), 4, 0.9, 0.999, 1e-7, size=1e-6, kind="tiny gradients"),
        Case(
            (w, np.zeros(4), np.zeros(4), np.zeros(4), 1, 0.1, 0.9, 0.999, 1e-8),
            "a gradient of zero",
        ),
        # The correction of v is a twentieth still.
        case((4,), 3000, 0.9, 0.999, 1e-2, kind="a late step"),
        case((120,), 5, 0.9, 0.97, 1e-2, kind="many weights"),
    ]


def adamw_steps(rng: np.random.Generator) -> list[Case]:
    decays = [0.3, 0.05, 0.6, 0.1, 0.2, 0.4, 0.15, 0.25]
    return [
        Case((*case.arguments, decay), case.kind)
        for case, decay in zip(adam_steps(rng), decays, strict=True)
    ]


def gradients_and_norm(rng: np.random.Generator) -> list[Case]:
    def case(factor: float, *shapes: tuple[int, ...], kind: str = ORDINARY) -> Case:
        gradients = [rng.normal(size=shape) for shape in shapes]
        # Never so small that PyTorch's 1e-6 beside the norm would show.
        gradients = [g + 0.5 * np.sign(g) for g in gradients]
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        return Case((gradients, factor * norm), kind)

    return [
        case(0.3, (3, 4), (4,)),
        case(0.05, (5,), (2, 3), (3,)),
        case(0.8, (4, 2), (2,), (2, 5), (5,)),
        case(2.5, (3, 4), (4,), kind="a norm below the limit"),
        case(0.4, (6,), kind="a single array"),
        Case(([np.zeros((2, 3)), np.zeros(3)], 1.0), "gradients of zero"),
        case(0.5, *[(120,), (2, 3)] * 8, kind="many arrays"),
    ]
