"""Cases of lesson 10: all lengths differ, so that no axis can stand in for another."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def heads(rng: np.random.Generator) -> list[Case]:
    fixed = [
        Case((1, 2, 3, 0, 2, "flatten")),
        Case((1, 2, 3, 0, 2, "average")),
        Case((2, 3, 4, 5, 2, "flatten")),
        Case((2, 3, 4, 5, 2, "average")),
        Case((2, 3, 4, 1, 2, "average")),
        Case((7, 7, 512, 1024, 2, "flatten")),
        Case((7, 6, 512, 0, 1000, "average")),
    ]
    drawn = [
        Case((*(int(rng.integers(low, low + 5)) for low in (2, 8, 14, 20, 26)), pooling))
        for pooling in ("flatten", "average", "flatten", "average")
    ]
    return fixed + drawn


def flagged(rng: np.random.Generator) -> list[Case]:
    def case(n: int, h: int, w: int, c: int, flags: list[int], kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, h, w, c)), np.array(flags, bool)), kind)

    dark = np.array([0.0, 1.0, 2.0, 3.0, 0.0, 0.0]).reshape(2, 1, 3, 1)
    return [
        Case((np.arange(1.0, 5).reshape(1, 2, 2, 1), np.array([True]))),
        Case((np.arange(1.0, 9).reshape(2, 1, 2, 2), np.array([True, False]))),
        Case((dark, np.array([True, True]))),
        case(3, 4, 5, 2, [1, 0, 1]),
        case(4, 3, 2, 5, [0, 1, 1, 0]),
        case(5, 2, 6, 3, [1, 0, 0, 1, 0]),
        case(3, 2, 3, 4, [0, 0, 0], "no flag"),
        case(2, 3, 4, 1, [1, 1], "every flag"),
        case(60, 1, 2, 1, [1, 0] * 30, "many images"),
    ]


def crops(rng: np.random.Generator) -> list[Case]:
    def case(
        h: int, w: int, c: int, size: int, top: list[int], left: list[int], kind: str = ORDINARY
    ) -> Case:
        images = rng.normal(size=(len(top), h, w, c))
        return Case((images, size, np.array(top), np.array(left)), kind)

    small = np.arange(1.0, 13).reshape(1, 3, 4, 1)
    return [
        Case((small, 2, np.array([1]), np.array([2]))),
        Case((np.concatenate([small, 10 * small]), 2, np.array([0, 1]), np.array([1, 0]))),
        case(5, 6, 2, 3, [1, 2, 0], [3, 0, 2]),
        case(7, 6, 5, 4, [0, 3, 1, 2], [2, 1, 0, 1]),
        case(6, 8, 1, 2, [4, 1], [0, 5]),
        case(4, 4, 2, 4, [0, 0], [0, 0], "a crop as large as the image"),
        case(5, 7, 2, 1, [4, 0, 2], [1, 6, 3], "a crop of one pixel"),
        case(25, 26, 1, 22, [3, 1], [2, 4], "a large crop"),
        case(3, 4, 1, 2, [0, 1] * 30, [2, 1, 0] * 20, "many images"),
    ]


def resized(rng: np.random.Generator) -> list[Case]:
    def case(shape: tuple[int, ...], height: int, width: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=shape), height, width), kind)

    row = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    return [
        Case((row, 1, 4)),
        Case((np.array([0.0, 4.0, 12.0]).reshape(1, 3, 1, 1), 2, 1)),
        Case((np.array([[0.0, 4.0], [12.0, 8.0]]).reshape(1, 2, 2, 1), 3, 4)),
        case((2, 3, 4, 2), 5, 9),
        case((1, 6, 5, 3), 4, 3),
        case((3, 4, 7, 1), 9, 4),
        case((2, 8, 6, 2), 4, 3, "half the size"),
        case((2, 3, 4, 3), 3, 4, "the same size"),
        case((1, 5, 4, 2), 1, 1, "a single pixel"),
        Case((1000 * row, 2, 3), "numbers in the thousands"),
        case((1, 1, 2, 1), 1, 600, "many columns"),
        case((1, 2, 1, 1), 600, 1, "many rows"),
        case((60, 1, 2, 1), 1, 3, "many images"),
        case((1, 6, 9, 2), 2, 3, "a third of the size"),
    ]


def shears(rng: np.random.Generator) -> list[Case]:
    fixed = [(2, 45.0), (224, 0.2), (100, -20.0), (64, 60.0), (7, 30.0), (300, 10.0), (50, 80.0)]
    fixed.append((30, -89.0))
    drawn = zip(rng.integers(30, 300, 4), rng.uniform(10, 70, 4) * [1, -1, 1, -1], strict=True)
    return [
        *(Case(each) for each in fixed),
        *(Case((int(height), float(degrees))) for height, degrees in drawn),
        Case((80, 0.0), "no angle"),
    ]


def blends(rng: np.random.Generator) -> list[Case]:
    def case(
        shape: tuple[int, ...],
        labels: list[int],
        share: float,
        order: list[int],
        kind: str = ORDINARY,
    ) -> Case:
        onehot = np.eye(max(labels) + 1)[labels]
        return Case((rng.normal(size=shape), onehot, share, np.array(order)), kind)

    two = np.array([1.0, 5.0]).reshape(2, 1, 1, 1)
    return [
        Case((two, np.eye(2), 0.75, np.array([1, 0]))),
        Case((two, np.eye(2), 0.25, np.array([1, 0]))),
        case((3, 2, 4, 2), [0, 1, 2], 0.7, [1, 2, 0]),
        case((4, 3, 2, 1), [2, 0, 1, 0], 0.9, [2, 0, 3, 1]),
        case((5, 2, 3, 2), [1, 0, 3, 2, 1], 0.4, [3, 2, 4, 1, 0]),
        case((4, 2, 2, 3), [0, 1, 2, 1], 0.6, [1, 3, 0, 2]),
        case((3, 2, 3, 1), [0, 1, 1], 1.0, [1, 2, 0], "a share of 1"),
        case((3, 2, 3, 1), [0, 1, 1], 0.0, [1, 2, 0], "a share of 0"),
        case((3, 2, 3, 1), [0, 1, 2], 0.8, [0, 2, 1], "an image with itself"),
        case((60, 1, 2, 1), [0, 1] * 30, 0.7, [*range(1, 60), 0], "many images"),
    ]


def labels(rng: np.random.Generator) -> list[Case]:
    def case(classes: int, chosen: list[int], amount: float, kind: str = ORDINARY) -> Case:
        return Case((np.eye(classes)[chosen], amount), kind)

    return [
        case(2, [0], 0.2),
        case(4, [1, 3], 0.4),
        case(3, [0, 2, 1, 1], 0.1),
        case(5, [4, 0, 2], 0.3),
        case(10, [7, 1, 3, 3, 9], float(rng.uniform(0.05, 0.4))),
        case(6, [2, 5], float(rng.uniform(0.5, 0.9))),
        case(3, [0, 2], 0.0, "no smoothing"),
        case(4, [1, 2, 0], 1.0, "nothing left of the label"),
        case(2, [0, 1] * 30, 0.2, "many examples"),
        case(300, [299, 7], 0.2, "many classes"),
    ]
