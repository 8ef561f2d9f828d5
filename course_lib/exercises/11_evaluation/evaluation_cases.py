"""Cases of lesson 11: groups of unequal size, unbalanced classes, ties, and classes never met."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def groups(rng: np.random.Generator) -> list[Case]:
    def case(sizes: tuple[int, ...], num_folds: int, kind: str = ORDINARY) -> Case:
        names = rng.permutation(len(sizes))
        return Case((rng.permutation(np.repeat(names, sizes)), num_folds), kind)

    fixed = np.array([2, 2, 0, 0, 3, 3, 1, 1, 4, 4, 4])
    return [
        case((9, 2, 7, 4, 5, 3), 3),
        case((11, 3, 8, 1, 6, 5, 2), 2),
        case((6, 13, 4, 9, 7), 4),
        case((5, 3, 8), 3, "as many folds as groups"),
        Case((rng.permutation(np.repeat([3, 8, 20, 41], [4, 7, 2, 5])), 3), "labels with gaps"),
        Case((fixed, 2), "several groups of one size"),
        case(tuple(1 + k % 7 for k in range(60)), 12, "many groups, some of one size"),
    ]


def predictions(rng: np.random.Generator) -> list[Case]:
    def case(size: int, shares: tuple[float, ...], kind: str = ORDINARY) -> Case:
        classes = len(shares)
        labels = rng.choice(classes, size, p=np.array(shares) / sum(shares))
        guesses = np.where(rng.random(size) < 0.5, labels, rng.integers(0, classes - 1, size))
        return Case((labels, guesses, classes), kind)

    return [
        case(25, (3, 2, 1)),
        case(40, (1, 1, 4, 2)),
        case(18, (1, 2)),
        case(900, (1, 1), "many examples"),
        Case((np.array([0, 0, 2, 2, 2]), np.array([2, 0, 2, 2, 0]), 4), "classes that never occur"),
        Case((np.array([1, 1, 0]), np.array([0, 0, 0]), 2), "predictions that are all one class"),
        Case((*rng.integers(0, 30, (2, 90)), 30), "many classes"),
    ]


def confusions(rng: np.random.Generator) -> list[Case]:
    def case(classes: int, kind: str = ORDINARY) -> Case:
        counts = rng.integers(1, 20, (classes, classes)) + np.diag(rng.integers(5, 20, classes))
        counts[0, 1:] += 7  # class 0 is often missed, so precision and recall are far apart
        return Case((counts,), kind)

    return [
        case(2),
        case(3),
        case(5),
        # One class twice as often there as called, and one the other way round.
        Case((np.array([[3, 2, 1], [0, 3, 0], [0, 1, 2]]),)),
        Case((np.array([[5, 2, 0], [3, 1, 0], [1, 4, 0]]),), "a class that is never predicted"),
        Case(
            (np.array([[5, 2, 3], [3, 0, 1], [1, 4, 6]]),),
            "a class that is never predicted rightly",
        ),
        Case((np.array([[1, 999], [999, 5000]]),), "a class that is hardly ever hit"),
        Case((np.array([[5, 0, 2], [0, 0, 0], [1, 3, 4]]),), "a class that never occurs"),
        Case((np.array([[3, 0, 1], [0, 0, 0], [2, 0, 6]]),), "a class that is not there at all"),
        Case((np.array([[0, 4], [3, 0]]),), "no hit at all"),
    ]


def scored(rng: np.random.Generator) -> list[Case]:
    def case(negatives: int, positives: int, kind: str = ORDINARY, ties: int = 0) -> Case:
        labels = rng.permutation(np.repeat([0, 1], [negatives, positives]))
        scores = rng.normal(0.3 + 0.8 * labels, 1.0)
        if ties:
            scores = np.rint(scores * ties) / ties
        return Case((labels, scores), kind)

    tied = np.array([0, 1, 0, 1, 1, 0])
    return [
        case(9, 5),
        case(14, 23),
        case(30, 6),
        case(12, 8, "scores with ties", ties=1),
        Case((tied, np.full(6, 0.5)), "scores that are all equal"),
        Case((tied, np.array([0.2, 0.8, 0.5, 0.5, 0.5, 0.9])), "scores with ties"),
        Case(
            (np.array([0, 0, 1, 1, 0, 1, 1]), np.array([-1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0])),
            "scores with ties",
        ),
        Case(
            (np.array([0, 1, 0, 1]), 0.75 + 2.0**-21 * np.array([1, 2, 0, 3])),
            "scores that are nearly equal",
        ),
        Case((np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9])), "a perfect order"),
        Case((np.array([0, 1, 0, 1, 1]), np.array([0.8, 0.3, 0.6, 0.4, 0.7])), "a poor order"),
        case(60, 50, "many examples"),
    ]


def confidences(rng: np.random.Generator) -> list[Case]:
    def case(
        size: int, classes: int, num_bins: int, kind: str = ORDINARY, kept: float = 0.6
    ) -> Case:
        """Off the inner edges; right in a share of cases that is not the confidence."""
        while True:
            logits = 1.5 * rng.normal(size=(size, classes))
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            sure = p.max(axis=1)
            p = p[np.abs(sure * num_bins - np.rint(sure * num_bins)) > 0.02]
            sure, said = p.max(axis=1), p.argmax(axis=1)
            right = rng.random(len(p)) < kept * sure
            labels = np.where(right, said, (said + rng.integers(1, classes, len(p))) % classes)
            excess = sure.mean() - right.mean()
            if (excess if kept < 1 else -excess) > 0.08:
                return Case((p, labels, num_bins), kind)

    mixed, _, _ = case(40, 2, 4).arguments
    sure, said = mixed.max(axis=1), mixed.argmax(axis=1)
    modest = np.where(sure < np.median(sure), said, 1 - said)  # right where it is least sure
    sums = np.array([0.75, 0.25, 0.875, 0.625, 0.75, 0.75 + 2.0**-10])
    on_edges = np.column_stack([sums, 1 - sums])
    each = (np.arange(60, 120) + 0.5) / 120  # one in each of the upper bins
    certain = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.3, 0.7], [0.9, 0.1]])
    return [
        case(40, 3, 5),
        case(60, 2, 4),
        case(25, 4, 10),
        case(45, 3, 6, kept=1.7),
        Case((mixed, modest, 4)),
        case(30, 3, 1, "a single bin"),
        Case((certain, np.array([0, 1, 1, 0, 0]), 4), "a probability of exactly one"),
        Case((on_edges, np.array([1, 0, 0, 0, 1, 0]), 4), "confidences on an edge of two bins"),
        Case((np.array([[0.55, 0.45]] * 4), np.array([0, 1, 1, 1]), 3), "one bin that is filled"),
        Case((np.column_stack([each, 1 - each]), np.arange(60) % 2, 120), "many bins"),
    ]


def pairs(rng: np.random.Generator) -> list[Case]:
    def case(size: int, draws: int, a: float, b: float, kind: str = ORDINARY) -> Case:
        hard = rng.random(size)
        correct_a = (hard < a).astype(int) ^ (rng.random(size) < 0.1)
        correct_b = (hard < b).astype(int) ^ (rng.random(size) < 0.1)
        return Case((correct_a, correct_b, rng.integers(0, size, (draws, size))), kind)

    even = rng.permutation(np.repeat([0, 1], [7, 9]))
    drawn = rng.integers(0, 16, (40, 16))
    right = np.array([1, 0, 1, 1, 0, 1])
    better = np.array([1, 1, 1, 1, 0, 1])
    last = np.repeat([0, 1], [1999, 1])
    by_one = np.array([np.arange(2000), np.zeros(2000, int)])
    # A is behind, but ahead where all resamples are put together.
    few = np.array([[0, 0, 0, 0], [0, 0, 0, 3], [1, 2, 3, 3]])
    return [
        # In powers of two: of shares, too, the sums are exact, and a tie is a tie.
        case(16, 60, 0.7, 0.6),
        case(32, 80, 0.6, 0.58),
        case(16, 50, 0.5, 0.55),
        case(8, 70, 0.8, 0.7),
        Case((even, np.roll(even, 3), drawn)),
        Case((np.array([1, 0, 0, 1]), np.array([0, 1, 1, 1]), few)),
        Case((right, right.copy(), rng.integers(0, 6, (7, 6))), "two models that are right alike"),
        Case((better, right, rng.integers(0, 6, (40, 6))), "one cell between them"),
        Case((1 - 0 * last, 1 - last, by_one), "one cell of many between them"),
    ]


def maps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        """Some places speak for the class and some against it."""
        while True:
            drawn, slopes = rng.normal(0.3, 1.0, shape), rng.normal(0.1, 1.0, shape)
            heat = drawn @ slopes.mean(axis=(0, 1))
            if np.sum(heat > 0.2) >= 2 and np.sum(heat < -0.2) >= 2:
                return Case((drawn, slopes), kind)

    against = rng.uniform(0.5, 2.0, (2, 3, 2))
    small = 0.001 * np.array([[[1.0, 2.0], [3.0, -5.0]], [[2.0, -1.0], [0.0, 4.0]]])
    gentle = 0.001 * np.array([[[1.0, 0.0], [3.0, 0.0]], [[1.0, 2.0], [-1.0, 2.0]]])
    return [
        case(3, 4, 5),
        case(5, 2, 3),
        case(4, 4, 6),
        case(2, 3, 1, kind="a single map"),
        Case((against, -against), "nothing that speaks for the class"),
        Case((small, gentle), "numbers that are small"),
        Case((np.zeros((3, 2, 2)), rng.normal(size=(3, 2, 2))), "maps of zeros"),
        Case((against, against.copy()), "nothing that speaks against the class"),
        case(60, 2, 2, kind="many places"),
        Case((np.array([[[1.0, 0.5], [0.0, 2.0]]]), np.array([[[1.0, -1.0], [1.0, -1.0]]]))),
    ]
