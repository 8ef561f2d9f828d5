"""Cases of lesson 08: T, I and H differ, states start away from zero, lengths are unequal."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case


def recurrent_networks(rng: np.random.Generator) -> list[Case]:
    def case(steps: int, inputs: int, hidden: int, kind: str = ORDINARY) -> Case:
        weights = [rng.normal(size=(inputs, hidden)), 0.7 * rng.normal(size=(hidden, hidden))]
        bias, state = rng.normal(size=hidden), rng.uniform(-0.9, 0.9, hidden)
        return Case((rng.normal(size=(steps, inputs)), *weights, bias, state), kind)

    by_hand = (
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        np.array([[0.0, 1.0], [0.0, 0.0]]),
        np.array([0.0, 1.0]),
        np.array([1.0, 0.0]),
    )
    return [
        Case(by_hand),
        case(4, 3, 2),
        case(6, 2, 5),
        case(5, 4, 3),
        case(3, 3, 3, "as many inputs as units"),
        case(1, 2, 3, "a single step"),
        case(4, 3, 1, "a single unit"),
        case(14, 2, 5, "many steps"),
    ]


def chains(rng: np.random.Generator) -> list[Case]:
    """Upstream is not zero anywhere in most, and only at the end in one."""

    def case(steps: int, inputs: int, hidden: int, kind: str = ORDINARY) -> Case:
        x, state = rng.normal(size=(steps, inputs)), rng.uniform(-0.8, 0.8, hidden)
        w_in, recurrent = rng.normal(size=(inputs, hidden)), rng.normal(size=(hidden, hidden))
        states, before = np.empty((steps, hidden)), state
        for t in range(steps):
            before = states[t] = np.tanh(0.6 * (x[t] @ w_in + before @ recurrent))
        return Case((x, states, 0.6 * recurrent, state, rng.normal(size=(steps, hidden))), kind)

    by_hand = (
        np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 0.0]]),
        np.array([[0.5, -0.5], [0.0, 0.5], [-0.5, 0.0]]),
        np.array([[0.0, 2.0], [1.0, 0.0]]),
        np.array([0.5, 0.25]),
        np.array([[1.0, -1.0], [2.0, 1.0], [-1.0, 3.0]]),
    )
    at_end = case(5, 2, 4, "a loss of the last state alone")
    at_end.arguments[-1][:-1] = 0
    return [
        Case(by_hand),
        case(4, 3, 2),
        case(6, 2, 5),
        case(5, 4, 3),
        at_end,
        case(1, 3, 2, "a single step"),
        case(14, 2, 5, "many steps"),
    ]


def lstm_steps(rng: np.random.Generator) -> list[Case]:
    def case(inputs: int, hidden: int, kind: str = ORDINARY, size: float = 1.0) -> Case:
        weights = (rng.normal(size=(inputs, 4 * hidden)), rng.normal(size=(hidden, 4 * hidden)))
        output, cell = rng.uniform(-0.9, 0.9, hidden), rng.normal(scale=1.5, size=hidden)
        x, bias = size * rng.normal(size=inputs), rng.normal(size=4 * hidden)
        return Case((x, output, cell, *weights, bias), kind)

    by_hand = (
        np.array([1.0]),
        np.array([0.0]),
        np.array([2.0]),
        np.array([[1.0, -1.0, 2.0, 0.0]]),
        np.zeros((1, 4)),
        np.array([0.0, 1.0, 0.0, 1.0]),
    )
    empty = list(case(3, 2).arguments)
    empty[1], empty[2] = np.zeros(2), np.zeros(2)
    half_empty = list(case(3, 4).arguments)
    half_empty[1], half_empty[2] = half_empty[1] * [0, 0, 1, 1], half_empty[2] * [0, 1, 1, 0]
    return [
        Case(by_hand),
        case(3, 2),
        Case(tuple(half_empty)),
        case(2, 5),
        case(4, 3),
        case(4, 4, "as many inputs as units", 0.2),
        case(4, 3, "large sums", 4.0),
        Case(tuple(empty), "a memory of zeros"),
    ]


def lists(rng: np.random.Generator) -> list[Case]:
    def case(*lengths: int, value: float, kind: str = ORDINARY) -> Case:
        numbers = [[float(n) for n in rng.integers(1, 90, length)] for length in lengths]
        return Case((numbers, value), kind)

    return [
        Case(([[7.0, 3.0], [5.0], [1.0, 2.0, 4.0]], 0.0)),
        case(2, 5, 3, value=0.0),
        case(4, 1, 6, 2, value=-1.0),
        case(3, 3, 1, 4, 2, value=7.5),
        case(3, 0, 2, value=-2.0, kind="an empty sequence"),
        case(4, 4, value=0.0, kind="sequences of one length"),
        case(5, value=0.0, kind="a single sequence"),
        Case(([[0.0, 4.0], [2.0, 0.0, 0.0], [3.0]], 0.0), "the value among the numbers"),
        case(*[1, 3] * 30, 200, value=0.0, kind="many sequences"),
    ]


def ends(rng: np.random.Generator) -> list[Case]:
    def case(*lengths: int, steps: int, hidden: int, kind: str = ORDINARY) -> Case:
        states = rng.normal(size=(len(lengths), steps, hidden))
        return Case((states, np.array(lengths)), kind)

    by_hand = np.array([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
    return [
        Case((by_hand, np.array([2, 1]))),
        case(2, 5, 1, 3, steps=5, hidden=3),
        case(4, 2, 3, steps=6, hidden=2),
        case(1, 3, 2, 4, 2, steps=4, hidden=5),
        case(4, 4, 4, steps=4, hidden=2, kind="sequences without padding"),
        case(3, steps=5, hidden=2, kind="a batch of one"),
        case(1, 1, steps=4, hidden=3, kind="sequences of one step"),
        case(*[1, 70] * 30, steps=70, hidden=1, kind="many sequences"),
        Case((by_hand * [[[1.0], [1.0], [0.0]]], np.array([2, 2])), "padding of zeros"),
    ]


def masked(rng: np.random.Generator) -> list[Case]:
    def case(rows: list[str], hidden: int, kind: str = ORDINARY) -> Case:
        mask = np.array([[sign == "x" for sign in row] for row in rows])
        states = rng.normal(size=(*mask.shape, hidden))
        states[0, :, 0] *= np.arange(mask.shape[1]) != 2  # a real state may be 0
        return Case((states, mask), kind)

    by_hand = np.array([[[2.0], [4.0], [9.0]], [[3.0], [8.0], [5.0]]])
    return [
        Case((by_hand, np.array([[True, True, False], [True, False, True]]))),
        case(["xxx..", "xxxxx", "x...."], 3),
        case(["x.xx", "xx..", ".xxx"], 2),
        case([".x.x.x", "xxxx..", "...xxx", "xx...."], 4),
        case(["xx.", "...", "xxx"], 2, "an empty row"),
        case(["xxxx", "xxxx"], 3, "no padding"),
        case(["xx.x"], 2, "a batch of one"),
        case(["x" * 70, "x." * 35] * 30, 1, "many sequences"),
    ]
