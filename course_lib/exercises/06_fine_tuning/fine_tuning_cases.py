"""Cases of lesson 06: names that tell nothing, many shapes, statistics unlike the batch's."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case

_WORDS = ("stem", "conv", "relu", "add", "pad", "pool", "join", "dense")


def networks(rng: np.random.Generator) -> list[Case]:
    def case(size: int, norm_first: bool = False, kind: str = ORDINARY) -> Case:
        """Names like conv1 and conv12; about every third layer is a batch normalization."""
        is_batchnorm = np.arange(size) % 3 == rng.integers(0, 3)
        is_batchnorm |= rng.random(size) < 0.15
        inner = np.arange(size // 4, size - 2)
        is_batchnorm[rng.choice(inner)] = norm_first  # there is one to start at, whatever was drawn
        words = np.where(is_batchnorm, "norm", rng.choice(_WORDS, size))
        numbers = rng.permutation(size)
        names = [f"{word}{number}" for word, number in zip(words, numbers, strict=True)]
        start = rng.choice(inner[is_batchnorm[inner] == norm_first])
        return Case((names, names[start], is_batchnorm), kind)

    named = ["input", "conv1", "conv1_bn", "conv10", "conv10_bn", "conv2", "norm", "add", "bn"]
    later = ["input", "conv21", "norm", "conv12", "conv12_bn", "add", "conv2", "scale", "conv1"]
    return [
        case(12),
        case(20),
        case(15),
        Case((named, "conv10", np.isin(np.arange(9), [2, 4, 6])), "names that mislead"),
        Case((later, "conv2", np.isin(np.arange(9), [2, 4, 7])), "names that mislead"),
        case(14, True, "a batch normalization as the layer to start at"),
        Case((named, "input", np.isin(np.arange(9), [2, 4, 6])), "all layers from the input on"),
        case(120, kind="many layers"),
    ]


def arrays_of_weights(rng: np.random.Generator) -> list[Case]:
    def shape(axes: int) -> tuple[int, ...]:
        return tuple(int(size) for size in rng.integers(2, 9, axes))

    def case(*axes: int, kind: str = ORDINARY) -> Case:
        """Some train and some do not, whatever was drawn."""
        mask = rng.permutation(np.arange(len(axes)) % 3 != 0)
        return Case(([shape(number) for number in axes], mask), kind)

    scalars = [(), shape(2), (), shape(1)]
    return [
        case(4, 1, 1, 1, 2, 1),
        case(2, 1, 2, 1),
        case(4, 1, 4, 1, 4, 1, 3, 1),
        Case(([shape(2), shape(1), shape(2), shape(1)], np.array([True, True, False, True]))),
        Case((scalars, np.array([True, True, False, False])), "an array of a single number"),
        Case(([shape(2), shape(1)], np.array([False, False])), "a frozen network"),
        Case(([(3, 4), (4,), (3, 4), (4,)], np.array([True, True, True, False])), "equal shapes"),
        Case(([(2,)] * 60, np.arange(60) % 3 != 0), "many arrays"),
    ]


def rare_classes(rng: np.random.Generator) -> list[Case]:
    def case(*counts: int, kind: str = ORDINARY) -> Case:
        labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        return Case((labels, len(counts)), kind)

    a, b, c = rng.choice(np.arange(3, 9), 3, replace=False)
    return [
        case(2 * a, b, 1),
        case(b, 30, c, 2),
        case(20, c),
        case(70, 1, 1),
        case(5, 5, 5, kind="classes of equal size"),
        case(6, 0, a + 8, 3, kind="a class without examples"),
        case(4, 9, 0, kind="a last class without examples"),
        case(*[2, 3] * 30, kind="many classes"),
        case(2100, 1, kind="a class that is very rare"),
    ]


def groups(rng: np.random.Generator) -> list[Case]:
    def case(number: int, low: float, high: float, kind: str = ORDINARY) -> Case:
        rate, decay = rng.uniform(0.01, 0.1), rng.uniform(low, high)
        return Case((number, float(rate), float(decay)), kind)

    return [
        case(4, 0.3, 0.45),
        case(3, 0.6, 0.8),
        case(7, 0.55, 0.9),
        case(1, 0.3, 0.6, "a single group"),
        case(5, 1.0, 1.0, "a decay of 1"),
        case(120, 0.94, 0.96, "many groups"),
    ]


def stored_statistics(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, epsilon: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        variance[-1] = max(0.05, 0.3 * epsilon)  # one channel hardly varies
        x = mean + 1.0 + 2.0 * np.sqrt(variance) * rng.normal(size=(n, k))
        gamma, beta = rng.uniform(0.3, 2.0, k), rng.normal(size=k)
        gamma[0] *= -1
        return Case((x, gamma, beta, mean, variance, epsilon), kind)

    x, gamma, beta, mean, variance, _ = case(5, 3, 0.1).arguments
    variance[1] = 0.0
    return [
        case(6, 3, 0.05),
        case(4, 7, 0.2),
        case(9, 5, 0.01),
        case(1, 4, 0.05, "a batch of one"),
        Case((x, gamma, beta, mean, variance, 1e-3), "a stored variance of zero"),
        case(120, 60, 0.05, "many examples"),
    ]


def batches(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, momentum: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        batch = mean + 1.5 + rng.uniform(0.5, 3.0, k) * rng.normal(size=(n, k))
        return Case((mean, variance, batch, momentum), kind)

    return [
        case(6, 3, 0.9),
        case(4, 7, 0.7),
        case(8, 5, 0.8),
        case(5, 3, 0.99),
        case(1, 4, 0.9, "a batch of one"),
        case(6, 3, 0.0, "a momentum of zero"),
        case(120, 60, 0.9, "many examples"),
    ]


def two_layers(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int, d: int, h: int, rates: tuple[float, float], steps: int, kind: str = ORDINARY
    ) -> Case:
        x, backbone, head = rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=h)
        targets = 1.0 + 2.0 * rng.normal(size=n)
        return Case((x, targets, 0.5 * backbone, 0.5 * head, rates, steps), kind)

    x, targets, backbone, head, *_ = case(6, 3, 2, (0.1, 0.1), 3).arguments
    return [
        case(7, 4, 3, (0.02, 0.05), 4),
        case(5, 3, 4, (0.06, 0.03), 3),
        case(9, 5, 2, (0.01, 0.08), 6),
        case(6, 4, 3, (0.03, 0.07), 1, "a single step"),
        case(6, 4, 3, (0.0, 0.07), 4, "a frozen backbone"),
        case(6, 4, 3, (0.05, 0.0), 4, "a frozen head"),
        Case((x, targets, backbone, np.zeros_like(head), (0.04, 0.08), 3), "a head of zeros"),
        case(6, 4, 3, (0.002, 0.003), 120, "many steps"),
        case(120, 4, 3, (0.02, 0.05), 3, "many examples"),
    ]


def judged_in_groups(rng: np.random.Generator) -> list[Case]:
    def case(*sizes: int, kind: str = ORDINARY) -> Case:
        """Both are right together in some groups, and A is ahead in the first."""
        names = 3 + 2 * rng.permutation(len(sizes))
        groups = rng.permutation(np.repeat(names, sizes))
        hard = rng.random(len(sizes))[(groups - 3) // 2]
        a = (rng.random(len(groups)) > 0.7 * hard).astype(int)
        b = np.where(rng.random(len(groups)) > 0.4, a, 1 - a)
        a[groups == names[0]], b[groups == names[0]] = 1, 0
        return Case((a, b, groups), kind)

    a, b, _ = case(5, 4, 3).arguments
    return [
        case(4, 9, 6, 2),
        case(7, 3, 5),
        case(12, 8, 10, 9, 3),
        case(6, 6, 6, kind="groups of equal size"),
        Case((a, b, np.arange(len(a))), "groups of a single example"),
        Case((a, 1 - a, np.arange(len(a)) // 5), "two methods that never agree"),
        Case((a, a.copy(), np.arange(len(a)) // 3), "two methods that always agree"),
        case(*[2] * 60, kind="many groups"),
    ]
