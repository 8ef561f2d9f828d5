"""Cases of lesson 14: vocabularies with traps, more tokens than dimensions, masks with gaps."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case

GAPS = "a mask with gaps"


def words(rng: np.random.Generator) -> list[Case]:
    """Words and vocabularies; some pieces begin words only, others stand inside only."""
    known = {"un", "u", "n", "##aff", "##a", "##f", "##able", "##ably", "##un", "able", "##s", "s"}
    letters = list("aekt")

    def made() -> Case:
        def draw(length: int) -> str:
            return "".join(rng.choice(letters, length))

        singles = {*letters, *(f"##{letter}" for letter in letters)}
        longer = {draw(2) for _ in range(6)} | {f"##{draw(n)}" for n in (2, 2, 2, 3, 3, 3)}
        return Case((draw(7), singles | longer))

    return [
        Case(("unable", known)),
        Case(("unaffable", known)),
        Case(("ununs", known)),
        *(made() for _ in range(4)),
        Case(("unaffordablenesses", known | {"##affordableness", "##es", "##affo"})),
        Case(("un", known), "a word that is one piece"),
        Case(("unaffordable", known), "a word in which a part is unknown"),
        Case(("ably", known), "a piece that may only stand inside"),
        Case(("abc", {"a", "ab", "##bc"}), "a longest piece after which there is no other"),
        Case(("x", known), "a letter that is unknown"),
        Case(("Un", known), "a capital letter that is unknown"),
        Case(("un" + 30 * "s", known), "a long word"),
        Case(("un" + 210 * "s", known), "a very long word"),
    ]


def heads(rng: np.random.Generator) -> list[Case]:
    """Queries, keys, values and a mask."""

    def case(t: int, d: int, mask: list[int], kind: str = ORDINARY) -> Case:
        return Case((*rng.normal(size=(3, t, d)) * 1.5, np.array(mask)), kind)

    queries, keys = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 3.0]])
    values = np.array([[1.0, 5.0], [3.0, -1.0]])
    ones, near = np.array([[1.0], [2.0], [0.0]]), np.array([1, 1, 0])
    return [
        Case((queries, keys, values, np.array([1, 1]))),
        case(4, 3, [1, 1, 1, 1]),
        case(5, 2, [1, 1, 1, 0, 0]),
        case(3, 6, [1, 1, 0]),
        case(5, 4, [0, 1, 1, 0, 1], GAPS),
        case(4, 3, [0, 0, 1, 0], "a single real token behind padding"),
        Case(
            (100 * ones, -10 * ones, np.array([[1.0], [2.0], [5.0]]), near),
            "scores far below padding's",
        ),
        Case((300 * queries, 300 * keys, values, np.array([1, 1])), "scores of some 100,000"),
        Case(
            (300 * ones, 300 * ones, ones, np.array([1, 0, 1])), "padding with the largest scores"
        ),
        case(60, 1, [1] * 59 + [0], "many tokens"),
    ]


def rows(rng: np.random.Generator) -> list[Case]:
    """Tokens, gamma, beta and epsilon."""

    def case(t: int, d: int, epsilon: float, kind: str = ORDINARY) -> Case:
        x = 2 * rng.normal(size=(t, d)) + rng.normal(size=(t, 1)) + 1
        return Case((x, rng.uniform(0.5, 2, size=d), rng.normal(size=d), epsilon), kind)

    hand = np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 1.0])
    same = np.full((2, 3), 5.0), np.array([1.0, 2.0, 0.5]), np.array([0.5, -1.0, 2.0])
    return [
        Case((*hand, 3.0)),
        case(4, 3, 0.5),
        case(3, 5, 0.25),
        case(5, 4, 0.75),
        case(6, 2, 0.1),
        Case((hand[0], np.array([-1.0, 2.0]), hand[2], 3.0), "a gamma below 0"),
        Case((*same, 0.01), "tokens whose numbers are all the same"),
        case(60, 2, 0.5, "many tokens"),
    ]


def numbers(rng: np.random.Generator) -> list[Case]:
    """Arrays of any shape."""
    return [
        Case((np.array([0.0, 1.0, -1.0]),)),
        Case((np.array([2.0, -2.0, 0.5]),)),
        Case((2 * rng.normal(size=(3, 4)),)),
        Case((2 * rng.normal(size=5),)),
        Case((np.array([1000.0, 0.25]),), "a number of 1,000"),
        Case((np.array([-1000.0, 0.25]),), "a number of −1,000"),
        Case((rng.normal(size=70),), "many numbers"),
    ]


def texts(rng: np.random.Generator) -> list[Case]:
    """Tokens of a text and a mask."""

    def case(t: int, d: int, mask: list[int], kind: str = ORDINARY) -> Case:
        return Case((2 * rng.normal(size=(t, d)) + 1, np.array(mask)), kind)

    hand = np.array([[3.0, 0.0], [3.0, 8.0], [9.0, 9.0]])
    return [
        Case((hand, np.array([1, 1, 0]))),
        case(4, 3, [1, 1, 1, 0]),
        case(5, 2, [1, 1, 0, 0, 0]),
        case(6, 4, [1, 1, 1, 1, 1, 0]),
        Case((hand / 16, np.array([1, 1, 0]))),  # their mean is shorter than 1
        case(4, 3, [1, 1, 1, 1], "a text without padding"),
        case(5, 3, [1, 0, 1, 1, 0], GAPS),
        case(4, 2, [0, 1, 0, 0], "a single real token behind padding"),
        Case((hand / 1024, np.array([1, 1, 0])), "numbers that are small"),
        case(60, 2, [1] * 59 + [0], "many tokens"),
    ]


def guesses(rng: np.random.Generator) -> list[Case]:
    """Logits, targets, and where a token was hidden."""

    def case(t: int, v: int, masked: list[int], kind: str = ORDINARY) -> Case:
        targets = rng.integers(0, v, size=t)
        return Case((2 * rng.normal(size=(t, v)), targets, np.array(masked)), kind)

    hand = np.array([[0.0, 0.0], [0.0, np.log(3.0)], [5.0, 0.0]])
    large = np.array([[1000.0, 0.0, -1000.0], [0.0, 500.0, 400.0], [3.0, 1.0, 2.0]])
    apart = np.array([[1000.0, 999.0], [-1000.0, -1001.0]])
    return [
        Case((hand, np.array([0, 1, 0]), np.array([1, 1, 0]))),
        case(5, 4, [0, 1, 0, 1, 0]),
        case(6, 3, [1, 0, 0, 1, 1, 0]),
        case(4, 7, [0, 1, 1, 0]),
        case(5, 3, [0, 0, 1, 0, 0], "a single hidden token"),
        case(3, 4, [1, 1, 1], "a text that is hidden altogether"),
        Case((large, np.array([1, 2, 0]), np.array([1, 1, 0])), "logits of ±1,000"),
        Case((apart, np.array([0, 1]), np.array([1, 1])), "rows of logits around 1,000 and −1,000"),
        case(60, 2, [1] * 59 + [0], "many tokens"),
    ]
