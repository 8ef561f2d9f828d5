"""Cases of lesson 01. N, D and C all differ and none is 1 or 2, unless the edge is the point."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case, Formula
from course_lib.foundations import losses

WITHOUT_LAST = "a batch without the last class"


def _with_the_last(labels: np.ndarray, classes: int) -> np.ndarray:
    """Where the last class does not occur, who counts classes by labels counts too few."""
    labels[-1] = classes - 1
    return labels


def regression(rng: np.random.Generator) -> list[Case]:
    def pair(*shape: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        return scale * rng.normal(size=shape), scale * rng.normal(size=shape)

    same = rng.normal(size=(3, 5))
    return [
        Case(pair(4, 3)),
        Case(pair(7, 5)),
        Case(pair(3, 6, scale=2.5)),
        Case(pair(5, 5)),
        Case(pair(1, 4), "a batch of one"),
        Case(pair(6, 1), "a single output"),
        Case(pair(4, 3, scale=1e8), "large inputs"),  # finite differences are off by 1 % here
        Case((same, same.copy()), "perfect predictions"),
        Case(pair(120, 2), "many rows"),
    ]


def functions_and_points(rng: np.random.Generator) -> list[Case]:
    cubic, wavy = Formula("np.sum(x ** 3 + 2 * x)"), Formula("np.sum(np.sin(3 * x) * np.exp(x))")
    mixed = Formula("np.sum(x) ** 2 + np.sum(x ** 4)")
    narrow = Formula("np.sum(x * np.exp(-((1e7 * x) ** 2)))")  # which is zero for a larger step
    steep = Formula("np.sum(np.exp(1e5 * x))")  # a step of 1e-5 is no small one
    return [
        Case((cubic, rng.normal(size=3), 1e-2)),
        Case((wavy, rng.normal(size=(2, 3)), 1e-1)),
        Case((mixed, rng.normal(size=(3, 3)), 1e-2)),
        Case((mixed, rng.normal(size=(4, 2)), 3e-2)),
        Case((narrow, 1e-8 * rng.normal(size=(2, 3)), 1e-8)),
        Case((wavy, rng.normal(size=(2, 2, 3)), 1e-2), "an array of three axes"),
        Case((steep, 1e-5 * rng.normal(size=4), 1e-5), "the default step"),
        Case((cubic, np.asarray(rng.normal()), 1e-2), "a single number as the point"),
        Case((cubic, rng.normal(size=120), 0.5), "a long point"),
    ]


def logits(rng: np.random.Generator) -> list[Case]:
    rows = rng.normal(size=(4, 3))
    return [
        Case((rng.normal(size=(4, 3)),)),
        Case((rng.normal(size=(5, 7), scale=3.0),)),
        Case((rng.normal(size=(6, 6)),)),
        Case((rng.normal(size=(1, 4)),), "a batch of one"),
        Case((rng.normal(size=(3, 5), scale=1e4),), "logits of ±10,000"),
        Case((1e4 * np.array([[-1.0, 1.0, 0.0], [0.5, 0.9, -0.8]]),), "logits of ±10,000"),
        Case((rows - 3e3,), "logits around −3,000"),
        Case((rows + np.array([[0.0], [2e3], [5.0], [3e3]]),), "rows far apart from each other"),
        Case((rng.normal(size=(120, 3)),), "many rows"),
    ]


def probabilities(rng: np.random.Generator) -> list[Case]:
    def case(n: int, c: int, kind: str = ORDINARY) -> Case:
        p = losses.softmax(rng.normal(size=(n, c)))
        return Case((p, _with_the_last(rng.integers(0, c, n), c)), kind)

    sure = np.eye(4)[[0, 1, 2, 3, 0]]
    return [
        case(4, 3),
        case(6, 5),
        case(9, 4),
        case(5, 5),
        case(1, 4, "a batch of one"),
        case(5, 2, "two classes"),
        Case((sure, np.array([0, 1, 3, 3, 2])), "a probability of exactly zero"),
        Case((np.array([[1 - 2e-7, 2e-7]]), np.array([1])), "a probability of 2e-7"),
        Case((np.array([[1e-9, 1 - 1e-9]]), np.array([0])), "a probability of 1e-9"),
        case(120, 3, "many rows"),
        Case((losses.softmax(rng.normal(size=(4, 3))), np.array([1, 0, 0, 1])), WITHOUT_LAST),
    ]


def logits_and_labels(rng: np.random.Generator) -> list[Case]:
    def case(n: int, c: int, scale: float = 1.0, kind: str = ORDINARY) -> Case:
        rows = rng.normal(size=(n, c), scale=scale)
        return Case((rows, _with_the_last(rng.integers(0, c, n), c)), kind)

    def one_hopeless() -> Case:
        # The loss is so large that the effect of a small step on the other rows is rounded away.
        rows = np.array([rng.permutation([0.0, 1.0, 2.0]) for _ in range(4)])
        rows[0] = 0, 1e8, 1
        labels = _with_the_last(np.append(0, rng.integers(0, 3, 3)), 3)
        return Case((rows, labels), "a batch with one enormous loss")

    return [
        case(4, 3),
        case(7, 5, 2.0),
        case(6, 4, 1.5),
        case(5, 5),
        case(1, 4, kind="a batch of one"),
        case(5, 2, kind="two classes"),
        Case((rng.normal(size=(4, 3)) - 1e3, np.array([2, 1, 0, 1])), "logits around −1,000"),
        case(6, 3, 1e4, "logits of ±10,000"),
        Case((1e3 + rng.normal(size=(4, 3)), np.array([1, 0, 2, 0])), "logits around 1,000"),
        # exp(720) is infinite, and exp(−720) is not yet zero.
        Case((np.array([[0.0, 720.0, 1.0], [1.0, 0.0, 2.0]]), np.array([0, 2])), "a logit of 720"),
        one_hopeless(),
        case(120, 3, kind="many rows"),
        Case((rng.normal(size=(5, 4)), np.array([2, 0, 1, 0, 2])), WITHOUT_LAST),
    ]


def images_to_train_on(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, c: int, rate: float, steps: int, kind: str = ORDINARY) -> Case:
        labels = np.append(np.arange(c), rng.integers(0, c, n - c))
        return Case((rng.normal(size=(n, d)), labels, c, rate, steps), kind)

    unseen = (rng.normal(size=(5, 3)), np.array([1, 0, 1, 0, 0]), 4, 0.7, 3)
    return [
        case(7, 4, 3, 0.5, 4),
        case(9, 5, 4, 1.5, 3),
        case(6, 3, 5, 0.3, 6),
        case(8, 6, 3, 0.8, 1, "a single step"),
        Case(unseen, "a class without examples"),
        case(8, 5, 3, 0.4, 120, "many steps"),
        case(120, 4, 3, 0.4, 3, "many images"),
        Case((rng.normal(size=(5, 3)), rng.integers(0, 130, 5), 130, 0.5, 2), "many classes"),
    ]
