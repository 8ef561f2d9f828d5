"""Cases of lesson 12: source and target differ in size, place and width; probabilities are far from
each other."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def errors(rng: np.random.Generator) -> list[Case]:
    return [
        Case((float(rng.uniform(0.05, 0.2)),)),
        Case((float(rng.uniform(0.3, 0.45)),)),
        Case((0.495,)),
        Case((0.0,), "domains that are never confused"),
        Case((0.5,), "domains that are confused half the time"),
        Case((float(rng.uniform(0.6, 0.9)),), "a classifier worse than chance"),
    ]


def two_samples(rng: np.random.Generator) -> list[Case]:
    def case(n: int, m: int, d: int, gamma: float, shift: float, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, d)), shift + rng.normal(size=(m, d)), gamma), kind)

    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return [
        case(5, 3, 2, 0.3, 1.0),
        case(4, 7, 3, 0.2, 0.5),
        case(6, 6, 2, 0.4, 1.5, "samples of one size"),
        case(2, 5, 1, 0.7, 1.0, "a source of two examples"),
        Case((square, square + 0, 0.8), "two equal samples"),
        case(4, 3, 2, 0.02, 8.0, "samples far apart"),
        case(24, 22, 1, 0.3, 1.0, "many examples"),
    ]


def two_domains(rng: np.random.Generator) -> list[Case]:
    def case(n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
        source = rng.uniform(-4, 4, d) + rng.uniform(0.5, 2, d) * rng.normal(size=(n, d))
        shift = rng.uniform(2, 5, d) * rng.choice([-1.0, 1.0], d)
        width = np.resize([0.3, 4.0], d)
        return source, source.mean(axis=0) + shift + width * rng.normal(size=(m, d))

    source, target = case(6, 4, 3)
    target[:, 1] = 2.0
    quiet, loud = case(5, 7, 3)
    quiet[:, 1] = 2.0
    first, narrow = case(4, 7, 3)
    narrow[:, 2] = 1e-5 * rng.normal(size=7)
    return [
        Case(case(7, 4, 3)),
        Case(case(5, 9, 4)),
        Case(case(6, 6, 2), "domains of one size"),
        Case((source, target), "a feature that never varies in the target"),
        Case((quiet, loud), "a feature that never varies in the source"),
        Case((first, narrow), "a feature that hardly varies in a domain"),
        Case(case(60, 55, 2), "many examples"),
    ]


def clouds(rng: np.random.Generator) -> list[Case]:
    def case(n: int, m: int, d: int, epsilon: float, kind: str = ORDINARY) -> Case:
        mixing = np.eye(d) + 0.6 * rng.normal(size=(d, d))
        source = rng.uniform(1, 3, d) + rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d)
        target = rng.uniform(-3, -1, d) + 2 * rng.normal(size=(m, d)) @ mixing
        return Case((source, target, epsilon), kind)

    # Of features that rise together every entry of the covariance has a root.
    rising = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 4.0], [5.0, 3.0]])
    steep = np.array([[-3.0, 0.0], [0.0, 2.0], [-1.0, 5.0], [4.0, 9.0], [2.0, 3.0]])
    return [
        case(8, 6, 3, 0.5),
        Case((rising, steep, 0.4)),
        case(7, 11, 4, 0.3),
        case(9, 9, 2, 1.0, "domains of one size"),
        case(8, 7, 2, 0.01, "a small epsilon"),
        case(4, 3, 6, 0.8, "fewer examples than features"),
        case(60, 55, 2, 0.5, "many examples"),
    ]


def probabilities(rng: np.random.Generator) -> list[Case]:
    def case(n: int, kind: str = ORDINARY) -> Case:
        drawn = rng.uniform(0.05, 0.6, n)
        drawn[:2] = 0.1, 0.85
        return Case((rng.permutation(drawn),), kind)

    return [
        case(5),
        case(8),
        Case((np.full(3, 0.3),), "examples that all look alike"),
        Case((np.array([0.4]),), "a single example"),
        Case((np.array([0.0, 0.25, 0.8]),), "an example that cannot be of the target"),
        Case((np.array([0.5, 0.25, 1 - 2.0**-20]),), "an example that is surely of the target"),
        case(60, "many examples"),
        Case(
            (np.append(np.full(2000, 1e-4), 0.5),),
            "many examples of which one looks like the target",
        ),
    ]


def gradients(rng: np.random.Generator) -> list[Case]:
    def case(n: int, d: int, strength: float, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, d)), rng.normal(size=(n, d)), strength), kind)

    return [
        case(4, 3, 0.3),
        case(3, 5, 2.5),
        case(1, 4, 0.7, "a single example"),
        case(3, 2, 0.0, "a strength of zero"),
        case(60, 1, 0.3, "many examples"),
    ]
