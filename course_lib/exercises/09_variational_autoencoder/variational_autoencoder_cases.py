"""Cases of lesson 09: rows, pixels and codes differ in number, log-variances have both signs."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case

LARGE, LARGE_BELOW_0 = "logits of 1,000", "logits of −1,000"


def codes(rng: np.random.Generator) -> list[Case]:
    """Means and log-variances."""

    def case(n: int, d: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, d)), rng.normal(size=(n, d))), kind)

    return [
        Case((np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))),
        Case((np.array([[2.0], [-1.0]]), np.array([[2.0], [-1.0]]))),
        case(4, 2),
        case(3, 5),
        case(6, 3),
        case(1, 4, "a single code"),
        Case((np.zeros((2, 3)), np.zeros((2, 3))), "codes that are the prior"),
        Case((rng.normal(size=(2, 3)), np.full((2, 3), -20.0)), "a very small variance"),
        Case((rng.normal(size=(2, 3)), np.full((2, 3), 12.0)), "a very large variance"),
        Case((np.array([[8.0, -30.0]]), np.array([[0.5, -0.5]])), "means far from 0"),
        case(60, 1, "many codes"),
    ]


def samples(rng: np.random.Generator) -> list[Case]:
    """Three arrays of one shape: means or gradients, log-variances, noise."""

    def case(n: int, d: int, kind: str = ORDINARY) -> Case:
        drawn = rng.normal(size=(3, n, d))
        drawn[2, 0, :2] = 2.5, -3.0  # noise far out, whatever was drawn
        return Case(tuple(drawn), kind)

    apart = np.array([[25.0, 1e-3]])
    return [
        Case((np.array([[1.0, 3.0]]), np.array([[0.0, 2.0]]), np.array([[2.0, -1.0]]))),
        Case((np.array([[3.0], [-1.0]]), np.array([[2.0], [-2.0]]), np.array([[1.0], [2.0]]))),
        case(4, 2),
        case(3, 5),
        case(6, 3),
        case(1, 4, "a single code"),
        Case((*rng.normal(size=(2, 3, 2)), np.zeros((3, 2))), "noise of zero"),
        Case((apart, np.array([[12.0, -12.0]]), np.array([[1.5, -0.5]])), "variances far from 1"),
        case(60, 2, "many codes"),
    ]


def pictures(rng: np.random.Generator) -> list[Case]:
    """Logits and pixels, black and white or gray."""

    def case(n: int, p: int, kind: str = ORDINARY) -> Case:
        return Case((2 * rng.normal(size=(n, p)), rng.uniform(size=(n, p))), kind)

    coins = rng.integers(0, 2, size=(3, 6)).astype(float)
    return [
        Case((np.array([[0.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 1.0]]))),
        Case((np.array([[2.0, -1.0], [1.0, 3.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))),
        case(4, 2),
        case(3, 5),
        case(5, 4),
        Case((2 * rng.normal(size=(3, 6)), coins)),
        case(1, 6, "a single picture"),
        Case((np.array([[11.0, 2.0]]), np.array([[0.9, 0.1]])), "logits of 11"),
        Case((np.array([[-11.0, 2.0]]), np.array([[0.1, 0.9]])), "logits of −11"),
        Case(
            (np.array([[1000.0, 2.0], [1000.0, 0.0]]), np.array([[1.0, 0.5], [0.0, 0.25]])), LARGE
        ),
        Case(
            (np.array([[-1000.0, 2.0], [-1000.0, 0.0]]), np.array([[0.0, 0.5], [1.0, 0.25]])),
            LARGE_BELOW_0,
        ),
        case(60, 1, "many pictures"),
    ]


def decoded(rng: np.random.Generator) -> list[Case]:
    """Logits, pixels, means and log-variances."""

    def case(n: int, p: int, d: int, kind: str = ORDINARY) -> Case:
        logits, images = 2 * rng.normal(size=(n, p)), rng.uniform(size=(n, p))
        return Case((logits, images, *rng.normal(size=(2, n, d))), kind)

    hand = np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.array([[2.0]]), np.array([[0.0]])
    large = np.array([[1000.0, 2.0], [1.0, 1000.0]])
    ink = np.array([[1.0, 0.5], [0.0, 0.0]])
    return [
        Case(hand),
        case(4, 3, 2),
        case(3, 7, 2),
        case(5, 4, 3),
        case(1, 6, 4, "a single picture"),
        Case((large, ink, *rng.normal(size=(2, 2, 3))), LARGE),
        Case((-large, 1 - ink, *rng.normal(size=(2, 2, 3))), LARGE_BELOW_0),
        Case((*hand[:2], np.array([[30.0]]), np.array([[12.0]])), "a code far from the prior"),
        case(60, 1, 1, "many pictures"),
    ]


def networks(rng: np.random.Generator) -> list[Case]:
    """Pictures, noise, and an encoder and a decoder whose hidden units are partly off."""

    def case(n: int, p: int, h: int, d: int, kind: str = ORDINARY) -> Case:
        def layers(*sizes: int) -> list[np.ndarray]:
            inputs, hidden, outputs = sizes
            first = rng.normal(size=(inputs, hidden)), rng.normal(size=hidden)
            return [*first, rng.normal(size=(hidden, outputs)) / 2, rng.normal(size=outputs)]

        images, noise = rng.uniform(size=(n, p)), rng.normal(size=(n, d))
        noise[0, 0] = 2.5  # far out, whatever was drawn
        return Case((images, noise, layers(p, h, 2 * d), layers(d, h, p)), kind)

    eye = np.eye(2)
    encoder = [eye, np.zeros(2), eye, np.array([0.0, -1.0])]
    decoder = [np.array([[1.0, -1.0]]), np.ones(2), eye, np.zeros(2)]
    precise = [eye, np.zeros(2), eye, np.array([0.0, -8.0])]
    return [
        Case((np.array([[1.0, 1.0]]), np.array([[2.0]]), encoder, decoder), "a single picture"),
        case(3, 5, 4, 2),
        case(4, 3, 6, 1),
        case(5, 6, 7, 3),
        case(2, 4, 5, 2),
        case(1, 4, 6, 2, "a single picture"),
        Case((np.ones((1, 2)), np.array([[2.0]]), precise, decoder), "a variance near 0"),
        case(60, 2, 2, 1, "many pictures"),
    ]
