"""Cases of lesson 03: all sizes differ, velocities are not zero, some hidden units are off."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


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
        # Finite differences are off by far more than the tolerance here.
        Case(
            (rng.normal(size=(6, 3)), 1e8 * rng.normal(size=6), rng.normal(size=3)), "large targets"
        ),
        case(120, 2, "many rows"),
    ]


def plain_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.02, 0.4)), kind)

    return [
        case(4),
        case(3, 5),
        case(6),
        Case((rng.normal(size=3), np.zeros(3), 0.3), "a gradient of zero"),
        case(120, kind="many weights"),
        Case((rng.normal(size=3), 0.1 * rng.uniform(-1, 1, 3), 0.3), "a short gradient"),
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
        Case((np.diag([0.0, rng.uniform(1.0, 4.0), 0.25]),), "a direction without curvature"),
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
        case(250, 1, "many batches"),
        case(300, 130, "large batches"),
    ]


def walks(rng: np.random.Generator) -> list[Case]:
    """Batches and learning rates that differ from step to step."""

    short_first = "a first batch that is shorter"

    def case(n: int, d: int, size: int, kind: str = ORDINARY) -> Case:
        order = np.roll(np.arange(n), 1 + int(rng.integers(n - 1)))
        batches = [order[i : i + size] for i in range(0, n, size)]
        batches = batches[::-1] if kind == short_first else batches
        rates = rng.permutation(np.linspace(0.02, 0.1, len(batches)))
        features, targets, start = rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)
        return Case((features, targets, start, batches, rates), kind)

    return [
        case(10, 2, 4),
        case(8, 3, 3),
        case(11, 2, 5),
        case(9, 3, 4, short_first),
        case(4, 3, 1, "batches of one"),
        case(6, 2, 6, "a single step"),
        case(120, 2, 1, "many steps"),
        case(120, 3, 120, "large batches"),
    ]


def training_batches(rng: np.random.Generator) -> list[Case]:
    """Velocities are not zero, and every batch has hidden units that are on and that are off."""

    def case(n: int, d: int, h: int, c: int, kind: str = ORDINARY) -> Case:
        x, weights_in = rng.normal(size=(n, d)), rng.normal(size=(d, h))
        bias_in = -np.median(x @ weights_in, axis=0) + 0.1  # some of each, whatever was drawn
        bias_in[:2] = -(x @ weights_in)[0, :2] + (0.2, -0.2)
        parameters = [weights_in, bias_in, rng.normal(size=(h, c)), rng.normal(size=c)]
        velocities = [0.1 * rng.normal(size=p.shape) for p in parameters]
        labels = rng.integers(0, c, size=n)
        labels[-1] = c - 1
        if kind == without_last:
            labels = np.minimum(labels, c - 2)
        rate, momentum = float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.6, 0.95))
        return Case((parameters, velocities, x, labels, rate, momentum), kind)

    without_last = "a batch without the last class"
    return [
        case(6, 3, 5, 4),
        case(4, 7, 6, 3),
        case(8, 5, 4, 2),
        case(1, 3, 4, 2, "a batch of one"),
        case(120, 3, 5, 4, "many rows"),
        case(5, 3, 6, 4, without_last),
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
        Case((49, 50, 5, 0.5), "the last step but one"),
    ]


def momentum_steps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, learning_rate: float, momentum: float, kind: str = ORDINARY) -> Case:
        weights, gradient, velocity = rng.normal(size=(3, *shape))
        return Case((weights, gradient, velocity, learning_rate, momentum), kind)

    first = (rng.normal(size=4), rng.normal(size=4), np.zeros(4), 0.1, 0.9)
    return [
        case(5, learning_rate=0.1, momentum=0.9),
        case(3, 4, learning_rate=0.03, momentum=0.7),
        case(6, learning_rate=0.25, momentum=0.95),
        Case(first, "the first step, with a velocity of zero"),
        case(120, learning_rate=0.1, momentum=0.8, kind="many weights"),
    ]


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
        hidden[-1, -1] = 1e-6  # on, if only just
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
        case(120, 3, 4, 2, "many rows"),
    ]
