"""Cases of lesson 13: labels with gaps, more features than classes, edges that are fixed."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def _exact(numbers: np.ndarray) -> np.ndarray:
    """The nearest that 32 bits hold as well, so that a difference is not a matter of rounding."""
    return np.round(numbers * 256) / 256


def runs(rng: np.random.Generator) -> list[Case]:
    """Accuracies with transfer and without, run by run."""

    def case(n: int, gain: float, kind: str = ORDINARY) -> Case:
        scratch = rng.uniform(0.5, 0.8, size=n)
        transferred = scratch + gain + np.linspace(-0.1, 0.08, n) + rng.normal(size=n) / 40
        return Case((_exact(transferred), _exact(scratch)), kind)

    same = np.array([0.5, 0.75, 0.625])
    return [
        Case((np.array([0.7, 0.5, 0.9]), np.array([0.4, 0.5, 0.3]))),
        case(3, 0.1),
        case(5, 0.15),
        case(8, 0.1),
        Case((np.array([0.5, 0.625, 0.875, 0.75]), np.array([0.375, 0.75, 0.5, 0.75]))),
        case(6, -0.1, "a transfer that hurts"),
        case(2, 0.1, "two runs"),
        Case((same + 0.125, same), "a gain that is the same in every run"),
        case(60, 0.1, "many runs"),
    ]


def curves(rng: np.random.Generator) -> list[Case]:
    """Sizes, accuracies, and a target between them or beyond."""
    sizes = np.array([10.0, 20.0, 50.0, 200.0])
    rising = np.array([0.5, 0.625, 0.75, 0.875])
    dip = np.array([0.5, 0.6875, 0.5625, 0.8125])
    drawn = _exact(np.cumsum(rng.uniform(0.05, 0.12, size=6)) + 0.3)
    many = np.cumsum(rng.integers(5, 40, size=6)).astype(float)
    return [
        Case((sizes, rising, 0.65625)),
        Case((sizes, rising, 0.84375)),
        Case((many, drawn, float(0.3 * drawn[2] + 0.7 * drawn[3]))),
        Case((many, drawn, float(0.8 * drawn[0] + 0.2 * drawn[1]))),
        Case((sizes, dip, 0.625), "a curve that dips"),
        Case((sizes, dip, 0.75), "a curve that dips"),
        Case((sizes, rising, 0.95), "a target that is never reached"),
        Case((sizes, rising, 0.4), "a target that the first size reaches"),
        Case((sizes, rising, 0.875), "a target that the last size reaches exactly"),
        Case((sizes, np.array([0.5, 0.75, 0.875, 1.0]), 1.0), "a target of 1"),
        Case((sizes, np.array([0.5, 0.5, 0.75, 0.75]), 0.75), "a curve with level parts"),
        Case((10.0 * np.arange(1, 61), _exact(np.linspace(0.25, 0.9, 60)), 0.84), "many sizes"),
    ]


def clouds(rng: np.random.Generator) -> list[Case]:
    """Features and labels, two of each class at least."""

    def case(sizes: tuple[int, ...], d: int, names: tuple[int, ...], far: float) -> Case:
        labels = np.repeat(names, sizes)
        centers = far * rng.normal(size=(len(names), d)) + 2
        features = np.repeat(centers, sizes, axis=0) + rng.normal(size=(len(labels), d))
        order = rng.permutation(len(labels))
        return Case((features[order], labels[order]))

    hand = np.array([[0.0], [2.0], [3.0], [9.0]])
    wide = np.array([[0.0, 0.0], [0.0, 4.0], [10.0, 0.0], [3.0, 3.5], [9.0, 1.0], [5.5, 0.0]])
    long = np.array([[1.0, 1.0], [1.0, 2.0], [8.0, 8.0], [8.0, 9.0], [2.0, 1.0], [9.0, 8.0]])
    tied = np.array([[-1.0], [1.0], [5.0], [9.0], [4.0]])
    twice = np.array([[0.0], [0.0], [6.0], [-4.0], [-5.0]])
    return [
        Case((hand, np.array([2, 2, 5, 5]))),
        Case((wide, np.array([3, 3, 7, 3, 7, 7]))),
        Case((long, np.array([1, 1, 4, 4, 1, 4]))),
        case((4, 7, 3), 3, (2, 5, 9), 1.2),
        case((12, 5), 2, (1, 3), 0.8),
        case((3, 4, 5, 9), 4, (0, 4, 6, 7), 1.0),
        case((8, 6, 10), 2, (1, 2, 8), 0.9),
        case((40, 30), 1, (1, 3), 1.0),
        Case((np.array([[0.0], [2.0], [4.0], [6.0], [1.0]]), np.array([3, 6, 6, 3, 3])), "ties"),
        Case((tied, np.array([2, 2, 2, 4, 4])), "ties"),
        Case((np.array([[0.0], [2.0], [4.0], [6.0], [1.0]]), np.array([6, 3, 3, 6, 6])), "ties"),
        Case((1e5 * wide, np.array([3, 3, 7, 3, 7, 7])), "features of hundred thousands"),
        Case((twice, np.array([1, 1, 1, 4, 4])), "two examples alike"),
    ]


def queries(rng: np.random.Generator) -> list[Case]:
    """Labeled examples and queries."""

    def case(shots: tuple[int, ...], d: int, names: tuple[int, ...], m: int) -> Case:
        labels = np.repeat(names, shots)
        centers = rng.normal(size=(len(names), d)) + 1.5
        support = np.repeat(centers, shots, axis=0) + rng.normal(size=(len(labels), d))
        order = rng.permutation(len(labels))
        return Case((support[order], labels[order], 2 * rng.normal(size=(m, d)) + 1.5))

    hand = np.array([[0.0], [4.0], [5.0], [13.0]])
    skew = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 9.0], [8.0, 1.0], [8.0, 3.0], [2.0, 3.0]])
    asked = np.array([[1.0, 4.0], [4.0, 4.0], [2.0, 2.5], [6.0, 9.0], [4.5, 0.0]])
    two = np.array([[0.0], [2.0], [4.0], [6.0]])
    return [
        Case((hand, np.array([3, 3, 8, 8]), np.array([[1.0], [4.5], [7.0]]))),
        Case((skew, np.array([2, 2, 2, 6, 6, 6]), asked)),
        case((3, 3, 3), 4, (1, 4, 6), 8),
        case((2, 5, 4), 2, (3, 5, 9), 12),
        case((4, 3, 6, 2), 3, (0, 2, 7, 8), 9),
        case((5, 5), 2, (2, 3), 7),
        Case((two, np.array([9, 9, 5, 5]), np.array([[3.0], [0.0]])), "ties"),
        Case((two, np.array([5, 5, 9, 9]), np.array([[3.0], [0.0]])), "ties"),
        Case((hand, np.array([-2, -2, 0, 0]), np.array([[1.0], [4.5], [7.0]])), "labels below 0"),
        Case(
            (1e5 * skew, np.array([2, 2, 2, 6, 6, 6]), 1e5 * asked), "features of hundred thousands"
        ),
    ]


def rounds(rng: np.random.Generator) -> list[Case]:
    """Weights, errors, the number of source rows, and both factors."""

    def case(source: int, target: int, beta_source: float, beta_target: float) -> Case:
        n = source + target
        errors = rng.integers(0, 2, size=n)
        errors[[0, source]] = 1
        errors[[source - 1, n - 1]] = 0
        return Case((rng.uniform(0.2, 2.0, size=n), errors, source, beta_source, beta_target))

    weights = np.array([1.0, 1.0, 2.0, 2.0, 4.0])
    return [
        Case((weights, np.array([1, 0, 1, 1, 0]), 3, 0.5, 0.25)),
        case(6, 3, 0.6, 0.3),
        case(4, 5, 0.8, 0.45),
        case(3, 8, 0.7, 0.2),
        Case((weights, np.zeros(5, int), 2, 0.5, 0.25), "no errors"),
        Case((weights - 1, np.array([1, 0, 1, 0, 1]), 2, 0.5, 0.25), "rows without weight"),
        Case((weights, np.ones(5, int), 2, 0.5, 0.25), "errors everywhere"),
        case(40, 30, 0.6, 0.3),
    ]


def pairs(rng: np.random.Generator) -> list[Case]:
    """Heads and tails, row by row."""

    def case(n: int, d: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, d)), 1 + 2 * rng.normal(size=(n, d))), kind)

    return [
        Case((np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[2.0, 6.0], [6.0, -1.0]]))),
        case(3, 2),
        case(4, 5),
        case(5, 3),
        case(1, 4, "a single pair"),
        Case((np.eye(3), 2 * np.eye(3)[[0, 1, 1]] + np.eye(3)), "a difference that comes twice"),
        case(60, 1, "many pairs"),
        Case((np.eye(3), np.eye(3) + np.arange(3.0)[:, None]), "a tail that is its own head"),
    ]


def places(rng: np.random.Generator) -> list[Case]:
    """A head, a relation, and vectors."""

    def case(v: int, d: int, head: int) -> Case:
        return Case((head, 1.5 * rng.normal(size=d), 2 * rng.normal(size=(v, d)) + 0.5))

    square = np.array([[1.0, 0.0], [1.0, 1.0], [9.0, 1.0], [0.1, 1.2], [-2.0, -2.0]])
    circle = np.array([[4.0, 1.0], [3.0, 1.0], [1.0, 3.0], [9.0, 9.5], [1.5, 1.0], [-1.0, 1.0]])
    behind = np.array([[1.0, 0.0], [-1.0, 1.0], [-2.0, 0.5], [-1.0, -3.0]])
    near = np.array([[5.0, 0.0], [4.0, 1.0], [0.0, 3.0], [-6.0, 0.5]])
    # The second is further off in angle, but in no coordinate as far as the third.
    spread = np.array(
        [[1.0, 1.0, 0.0, 0.0], [7.0, 2.8, 2.8, 2.8], [7.0, 4.0, 0.0, 0.0], [-1.0, 2.0, 0.0, 1.0]]
    )
    return [
        Case((0, np.array([0.0, 1.0]), square)),
        Case((1, np.array([-2.0, 2.0]), circle)),
        Case((1, np.array([-0.4, 0.1]), circle)),
        Case((0, np.array([1.0, -1.0, 0.0, 0.0]), spread)),
        *(case(v, d, head) for v, d, head in [(7, 3, 2), (9, 2, 5), (8, 4, 0), (12, 3, 11)]),
        *(case(v, d, head) for v, d, head in [(15, 2, 7), (20, 3, 9), (11, 2, 4), (16, 5, 3)]),
        Case((0, np.array([0.0, 0.5]), near), "a relation so short that the head is nearest"),
        Case((0, np.array([1.0, 0.0]), behind), "vectors that all lie the other way"),
        Case((1, np.array([1.0, 0.0]), behind[[1, 0, 2, 3]]), "vectors that all lie the other way"),
        Case((0, np.array([0.5, 0.0]), near[[0, 1, 0, 2]]), "a second vector like the head"),
    ]


def logits(rng: np.random.Generator) -> list[Case]:
    """Logits of a student, of its teacher, and a temperature."""

    def case(n: int, c: int, temperature: float, kind: str = ORDINARY) -> Case:
        return Case((*(2 * rng.normal(size=(2, n, c))), temperature), kind)

    large = np.array([[1000.0, 0.0, -1000.0], [0.0, 500.0, 400.0]])
    apart = np.array([[2000.0, 1999.0], [-2000.0, -2001.0]])
    return [
        Case((np.array([[0.0, 0.0]]), np.array([[2.0 * np.log(3.0), 0.0]]), 2.0)),
        case(4, 3, 2.0),
        case(3, 5, 4.0),
        case(6, 4, 0.5),
        case(5, 2, 3.0),
        case(1, 4, 2.0, "a single example"),
        case(4, 3, 1.0, "a temperature of 1"),
        Case((large, large[:, ::-1].copy(), 1.0), "logits of ±1,000"),
        Case((apart, apart[:, ::-1].copy(), 2.0), "logits of ±1,000"),
        case(60, 2, 2.0, "many examples"),
    ]
