"""Cases of lesson 05: all sizes differ, classes are of unequal size, the two sets far apart."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def splits(rng: np.random.Generator) -> list[Case]:
    def case(counts: dict[int, int], fraction: float, kind: str = ORDINARY) -> Case:
        labels = rng.permutation(np.repeat(list(counts), list(counts.values())))
        return Case((labels, fraction, rng.permutation(len(labels))), kind)

    return [
        case({0: 7, 1: 5, 2: 3}, 0.3),
        case({0: 9, 1: 6, 2: 4, 3: 13}, 0.22),
        case({0: 4, 1: 11}, 0.62),
        case({0: 8, 1: 4, 2: 12}, 0.25, "fractions that give whole numbers"),
        case({0: 9, 1: 1, 2: 6}, 0.3, "a class of one example"),
        case({1: 6, 4: 5, 9: 7}, 0.45, "labels with gaps between them"),
        case({0: 80, 1: 45, 2: 30}, 0.3, "many examples"),
        case(dict.fromkeys(range(60), 3), 0.4, "many classes"),
    ]


def images(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.uniform(0, 255, (*shape, 3)),), kind)

    return [
        case(2, 4, 5),
        case(4, 6, 5),
        case(5, 2, 4),
        case(1, 3, 2, kind="a batch of one"),
        Case((rng.integers(0, 256, (2, 3, 4, 3), dtype=np.uint8),), "bytes"),
        Case((np.zeros((2, 2, 1, 3)),), "black images"),
        Case((rng.uniform(0, 1, (2, 3, 2, 3)),), "images that are almost black"),
        case(60, 2, 12, kind="many images"),
    ]


def maps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        drawn = rng.normal(1.0, 1.0, shape)
        drawn[0, ..., 0] -= 3.0  # a map whose mean is negative
        return Case((drawn,), kind)

    return [
        case(2, 3, 4, 5),
        case(4, 5, 2, 3),
        case(3, 4, 4, 6),
        case(1, 3, 2, 4, kind="a batch of one"),
        case(3, 1, 1, 4, kind="maps of one place"),
        case(60, 12, 2, 60, kind="many maps"),
    ]


def two_sets(rng: np.random.Generator) -> list[Case]:
    def case(n: int, m: int, d: int, kind: str = ORDINARY) -> Case:
        scale, shift = rng.uniform(0.3, 6.0, d), rng.uniform(-8.0, 8.0, d)
        scale[:2] = 0.2, 5.0
        train = shift + scale * rng.normal(size=(n, d))
        other = shift + rng.uniform(0.5, 2.0, d) + 1.5 * scale * rng.normal(size=(m, d))
        return Case((train, other), kind)

    dead, _ = case(6, 4, 3).arguments
    dead[:, 1:] = 0.0, 2.0
    awake = rng.uniform(1.0, 3.0, (4, 3))
    return [
        case(7, 4, 3),
        case(5, 9, 4),
        case(12, 6, 2),
        Case((dead, awake), "a feature that never varies in train"),
        Case((1e-5 * (awake - 2), awake), "features that hardly vary in train"),
        case(6, 1, 3, kind="a single other example"),
        case(120, 130, 2, kind="many examples"),
    ]


def probes(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int, d: int, c: int, strength: float, size: float = 1.0, kind: str = ORDINARY
    ) -> Case:
        features = size * rng.normal(size=(n, d))
        bias = rng.uniform(0.4, 1.5, c) * rng.choice([-1.0, 1.0], c)
        labels = rng.integers(0, c, n)
        labels[-c:] = np.arange(c)[-n:]  # every class, if there are examples enough
        if kind == without_last:
            labels = np.minimum(labels, c - 2)
        weights = rng.normal(size=(d, c))
        if size > 1:  # where errors are 1 and −1, they must not cancel in each class
            told = np.argmax(features @ weights + bias, axis=1)
            if np.array_equal(np.sort(told), np.sort(labels)):
                labels[0] = (labels[0] + 1) % c
        return Case((features, labels, weights, bias, strength), kind)

    without_last = "a batch without the last class"

    return [
        case(6, 3, 4, 0.3),
        case(4, 7, 3, 0.1),
        case(9, 4, 5, 0.6),
        case(7, 5, 2, 0.2, kind="two classes"),
        case(1, 4, 3, 0.4, kind="a batch of one"),
        case(5, 3, 4, 0.0, kind="a strength of zero"),
        case(6, 3, 4, 0.3, size=2e3, kind="features in the thousands"),
        # Finite differences by the bias are off by far more than the tolerance here.
        case(8, 3, 4, 0.3, size=1e8, kind="enormous features"),
        case(120, 3, 60, 0.3, kind="many examples"),
        case(5, 3, 4, 0.2, kind=without_last),
    ]


def trainings(rng: np.random.Generator) -> list[Case]:
    """Few steps, so that each of them counts; the classes differ in size."""

    def case(
        n: int, d: int, strength: float, steps: int, rate: float, kind: str = ORDINARY
    ) -> Case:
        labels = np.resize([0, 1, 1], n)
        features = rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, d) + labels[:, None]
        return Case((features, labels, strength, steps, rate), kind)

    return [
        case(7, 3, 0.2, 5, 0.3),
        case(8, 4, 0.5, 3, 0.1),
        case(5, 2, 1.0, 12, 0.05),
        case(6, 3, 0.3, 1, 0.2, kind="a single step"),
        case(7, 2, 0.0, 4, 0.2, kind="a strength of zero"),
        case(6, 2, 0.2, 60, 0.05, kind="many steps"),
        case(120, 3, 0.2, 3, 0.1, kind="many examples"),
    ]


def groups(rng: np.random.Generator) -> list[Case]:
    """Few examples of each group are for testing; groups differ in size and in their rate."""

    def case(sizes: tuple[int, ...], tested: int, kind: str = ORDINARY) -> Case:
        group = np.repeat(rng.permutation(np.arange(3, 3 + len(sizes))), sizes)
        labels = (rng.random(len(group)) < np.resize([0.2, 0.85, 0.5], len(group))).astype(int)
        train, test = np.split(rng.permutation(len(group)), [-tested])
        while not set(group) <= set(group[train]):
            train, test = np.split(rng.permutation(len(group)), [-tested])
        labels[train[:3]] = 0, 1, 1  # both occur, and not equally often
        return Case((labels, group, train, test), kind)

    labels, group = np.array([1, 0, 0, 0, 0, 1, 1]), np.array([5, 5, 5, 2, 2, 2, 9])
    unknown = (labels, group, np.array([0, 1, 6]), np.array([3, 2, 5, 4]))  # known and not in turn
    return [
        case((7, 5, 6), 4),
        case((4, 9, 6, 5), 7),
        case((8, 6), 5),
        Case((labels, group, np.array([1, 5, 6, 2]), np.array([3, 0, 4]))),
        case((6, 5, 7), 1, kind="a single test example"),
        Case(unknown, "groups that training does not have"),
        case((4,) * 40, 60, kind="many groups"),
    ]


def predictions(rng: np.random.Generator) -> list[Case]:
    def case(counts: tuple[int, ...], kind: str = ORDINARY) -> Case:
        """Every class is predicted somewhere; about half of the predictions are right."""
        size, classes = sum(counts), len(counts)
        labels = rng.permutation(np.repeat(np.arange(classes), counts))
        guesses = rng.permutation(np.resize(np.arange(classes), size))
        return Case((labels, np.where(rng.random(size) < 0.4, labels, guesses), classes), kind)

    def everywhere(counts: tuple[int, ...], kind: str = ORDINARY) -> Case:
        drawn = case(counts, kind)
        while len(np.unique(drawn.arguments[1])) < len(counts):
            drawn = case(counts, kind)
        return drawn

    labels = rng.permutation(np.repeat([0, 1, 2], [9, 4, 2]))
    many = np.repeat(np.arange(60), 2)
    return [
        everywhere((13, 5, 3)),
        everywhere((4, 17, 6, 3)),
        everywhere((7, 23)),
        everywhere((10, 4, 0, 5), "a class without labels"),
        Case((labels, rng.permutation(labels), 4), "a class that occurs nowhere"),
        Case((labels, np.zeros_like(labels), 3), "predictions that are all the largest class"),
        Case((labels, labels.copy(), 3), "perfect predictions"),
        Case((many, np.where(many < 15, many, 0), 60), "many classes"),
    ]
