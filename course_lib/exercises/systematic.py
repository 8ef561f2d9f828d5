"""What the wrong numbers of an answer have in common: a factor, a sign, an amount, the axes.

Whatever is said of every number holds for all calls of which it is said, those by hand included,
and the calls that come out right are told.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..sandbox.calling import UNWRITTEN
from . import by_hand
from .diagnosis import Trial, array_of, close, differ_too, few, listed, parts, same_values
from .exercise import ORDINARY, Case, Exercise

Part = tuple[np.ndarray, np.ndarray]
"""What was expected and what came."""
Selection = Collection[int] | None
"""Which of the values that are returned in a tuple or list, from 0; None for all."""


@dataclass(frozen=True)
class Claim:
    """A sentence on the numbers, and whether it is true of those of one call."""

    text: str
    holds: Callable[[Trial], bool]


def systematic(exercise: Exercise, drawn: Sequence[Trial], trials: Sequence[Trial]) -> str:
    """What the wrong numbers have in common, or else the first that differs.

    Args:
        exercise: what was asked.
        drawn: the calls to speak of; each has returned arrays of the right shape and type.
        trials: all calls.
    """
    wrong = sorted((t for t in drawn if not t.correct), key=lambda t: t.case.kind != ORDINARY)
    kinds = list(dict.fromkeys(trial.case.kind for trial in wrong))
    special = ""
    if ORDINARY not in kinds and any(trial.case.kind not in kinds for trial in drawn):
        others = ", nor on ".join(few(kinds))
        special = f"It was right on the ordinary inputs that were tried, but not on {others}."
        if kinds == [by_hand.KIND]:
            special = "It was right on many of the calls that were tried, but not on all."
    number, want, got = next(_differences(wrong[0]))
    for selection in _selections(wrong, number):
        if found := _common(exercise, trials, kinds, selection):
            common, right = found
            where = _which(wrong[0], selection)
            if special:
                there = f"There, {where}, " if where else "There "
                return f"{special} {there}{common[0].lower()}{common[1:]}"
            return _after(where, common + right)
    call = _call(exercise, wrong[0].case)
    first = _first_difference(want, got, call, wrong[0].tolerance)
    first = _after(_which(wrong[0], {number}), first) + differ_too(wrong[0], number)
    return f"{special} {first}" if special else first


def _after(where: str, said: str) -> str:
    return f"{where[0].upper()}{where[1:]}: {said}" if where else said


def _differences(trial: Trial) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for number, (_, want, got) in enumerate(parts(trial.want.value, trial.got.value)):
        if not same_values(want, got, trial.tolerance):
            yield number, np.asarray(want), array_of(got)


def _selections(wrong: Sequence[Trial], first: int) -> list[Selection]:
    """All values that are wrong somewhere, and the first of them; all if their number varies."""
    if not isinstance(wrong[0].want.value, tuple):
        return [None]
    return [{number for trial in wrong for number, _, _ in _differences(trial)}, {first}]


def _which(trial: Trial, selection: Selection) -> str:
    """Where among several values: "in value 2 of the 3 that you return", "" if in all."""
    value = trial.want.value
    if selection is None or not isinstance(value, (tuple, list)):
        return ""
    if len(selection) == len(value) > 1:
        return ""
    numbers = listed([str(number + 1) for number in sorted(selection)])
    noun = "value" if len(selection) == 1 else "values"
    return f"in {noun} {numbers} of the {len(value)} that you return"


def _common(
    exercise: Exercise, trials: Sequence[Trial], kinds: Sequence[str], selection: Selection
) -> tuple[str, str] | None:
    """What holds on all calls of these kinds, and which other kinds come out right instead."""
    there = [trial for trial in trials if trial.case.kind in kinds or not trial.correct]
    elsewhere = [trial for trial in trials if trial.correct and trial.case.kind not in kinds]
    if not all(map(_comparable, there)):
        return None
    if any(want.dtype.kind == "b" for trial in there for want, _ in _selected(trial, selection)):
        return None  # yes and no have neither sign nor size
    for find in (_sign_or_factor, _offset, _transposed):
        claim = find(exercise, there, selection)
        if claim is not None and all(claim.holds(trial) for trial in there):
            right = dict.fromkeys(
                "some small calls" if trial.case.call else trial.case.kind
                for trial in elsewhere
                if not claim.holds(trial)
            )
            return claim.text, f" (On {' and '.join(right)} it is right.)" if right else ""
    return None


def _comparable(trial: Trial) -> bool:
    """Whether as many values came as were expected."""
    want, got = trial.want.value, trial.got.value
    if trial.got.state != "returned":
        return False
    return not isinstance(want, (tuple, list)) or (
        isinstance(got, (tuple, list)) and len(got) == len(want)
    )


def _selected(trial: Trial, selection: Selection) -> list[Part]:
    pairs = [(np.asarray(w), array_of(g)) for _, w, g in parts(trial.want.value, trial.got.value)]
    return [pair for number, pair in enumerate(pairs) if selection is None or number in selection]


def _holds(
    selection: Selection, turned: Callable[[Trial, np.ndarray], np.ndarray]
) -> Callable[[Trial], bool]:
    """Whether what came is what was expected, turned into something else in this way."""
    return lambda trial: all(
        got.dtype.kind in "iuf"
        and got.size == want.size
        and same_values(turned(trial, want), got + 0.0, trial.tolerance)
        for want, got in _selected(trial, selection)
    )


def _subject(there: Sequence[Trial], selection: Selection) -> str:
    several = any(want.size > 1 for t in there for want, _ in _selected(t, selection))
    return "Every number" if several else "Your value"


# --- sign and factor ----------------------------------------------------------------------------


def _sign_or_factor(
    exercise: Exercise, there: Sequence[Trial], selection: Selection
) -> Claim | None:
    factors = [(t, factor) for t in there if (factor := _factor(t, selection)) is not None]
    if not factors or not all(factor for _, factor in factors):
        return None
    subject = _subject(there, selection)
    first = factors[0][1]
    if all(math.isclose(factor, -1, rel_tol=1e-6) for _, factor in factors):
        text = f"{subject} has the right size, but the wrong sign."
        return Claim(text, _holds(selection, lambda _, want: -1.0 * want))
    if all(math.isclose(factor, first, rel_tol=1e-6) for _, factor in factors):
        # Two calls of a special kind may be off alike by chance.
        if len(factors) < (2 if any(t.case.kind == ORDINARY for t in there) else 3):
            return None
        text = f"{subject} is {first:.4g} times what it should be."
        return Claim(text, _holds(selection, lambda _, want: first * want))
    for sign, minus in ((1, ""), (-1, ", and has the wrong sign")):
        for words, count in _counts(exercise, there):
            if all(math.isclose(count(t), sign * factor, rel_tol=1e-6) for t, factor in factors):
                by = f"{subject} is off by a factor that is {words}{minus}"
                return Claim(
                    f"{by}: by what should it be divided, if by anything?",
                    _holds(selection, partial(_times, sign, count)),
                )
    # One number, or several that are the same, are some factor off whatever the mistake.
    if sum(_has_two_numbers(trial, selection) for trial, _ in factors) < 2:
        return None
    by_call = {id(trial): factor for trial, factor in factors}
    several = list(dict.fromkeys(f"{factor:.4g}" for _, factor in factors))
    return Claim(
        "In each call all numbers are off by one factor, which is not the same in every call: "
        f"{', '.join(several[:3])}. What do the calls differ in?",
        lambda trial: (
            not trial.correct
            and _holds(selection, lambda t, want: by_call.get(id(t), 1.0) * want)(trial)
        ),
    )


def _has_two_numbers(trial: Trial, selection: Selection) -> bool:
    """Whether two different numbers, neither of them 0, are expected."""
    expected = np.concatenate([np.ravel(want) for want, _ in _selected(trial, selection)])
    return len(set(expected.tolist()) - {0.0}) > 1


def _factor(trial: Trial, selection: Selection) -> float | None:
    """By which the numbers of a call are off; 0 if by none, None if all should be zero."""
    pairs = _selected(trial, selection)
    if any(want.shape != got.shape or got.dtype.kind not in "iuf" for want, got in pairs):
        return 0.0
    want = np.concatenate([np.ravel(want) for want, _ in pairs] or [np.zeros(0)])
    got = np.concatenate([np.ravel(got) for _, got in pairs] or [np.zeros(0)])
    large = np.abs(want) > 1e-9 * np.abs(want).max(initial=0.0)
    if not np.isfinite(got).all():
        return 0.0
    return float(np.median(got[large] / want[large])) if large.any() else None


Count = Callable[[Trial], float]


def _counts(exercise: Exercise, there: Sequence[Trial]) -> Iterator[tuple[str, Count]]:
    """Words for a factor that the first array among the arguments decides, and the factor."""
    shapes = [_shape(trial) for trial in there]
    if not all(shapes):
        return
    names = inspect.signature(exercise.reference).parameters
    arguments = zip(names, there[0].case.arguments, strict=False)
    name = next(n for n, value in arguments if isinstance(value, np.ndarray) and value.ndim)
    flat = all(len(shape) < 3 for shape in shapes)
    first, last = (
        ("the number of rows", "the number of columns")
        if flat
        else ("the length of the first axis", "the length of the last axis")
    )
    counts: dict[str, Count] = {
        first: lambda trial: _shape(trial)[0],
        last: lambda trial: _shape(trial)[-1],
        "the number of elements": lambda trial: math.prod(_shape(trial)),
    }
    if all(len(shape) == 1 for shape in shapes):
        counts = {"the length": counts["the number of elements"]}
    for words, count in counts.items():
        yield f"{words} of `{name}`", count
    for words, count in counts.items():
        yield f"one over {words} of `{name}`", partial(_one_over, count)


def _one_over(count: Count, trial: Trial) -> float:
    return 1 / count(trial)


def _times(sign: int, count: Count, trial: Trial, want: np.ndarray) -> np.ndarray:
    return np.asarray(sign * count(trial) * want)


def _shape(trial: Trial) -> tuple[int, ...]:
    """Of the first array among the arguments; () if there is none with numbers in it."""
    shapes = [a.shape for a in trial.case.arguments if isinstance(a, np.ndarray) and a.ndim]
    return shapes[0] if shapes and math.prod(shapes[0]) else ()


# --- amount and axes ----------------------------------------------------------------------------


def _offset(exercise: Exercise, there: Sequence[Trial], selection: Selection) -> Claim | None:
    parts_there = [pair for trial in there for pair in _selected(trial, selection)]
    firsts = [
        (float(w.flat[0]), float(g.flat[0]))
        for w, g in parts_there
        if w.size and w.shape == g.shape
    ]
    gaps = [got - want for want, got in firsts]
    if len(gaps) < 2 or not np.isfinite(gaps).all():
        return None
    text = f"{_subject(there, selection)} is off by the same amount: {gaps[0]:+.4g}."
    return Claim(text, _holds(selection, lambda _, want: want + gaps[0]))


def _transposed(exercise: Exercise, there: Sequence[Trial], selection: Selection) -> Claim | None:
    if not any(want.ndim > 1 for trial in there for want, _ in _selected(trial, selection)):
        return None
    text = "These are the right numbers, transposed: rows and columns are exchanged."
    return Claim(text, _holds(selection, lambda _, want: want.T + 0.0))


# --- the first difference -----------------------------------------------------------------------


def _first_difference(want: np.ndarray, got: np.ndarray, call: str, tolerance: float) -> str:
    if want.ndim == 0:
        return f"On {call}: {_expected(want, got)}.{_unwritten(got)}"
    place = tuple(int(i) for i in np.argwhere(~close(want, got, tolerance))[0])
    at = ", ".join(map(str, place))
    numbers = f"{_expected(want[place], got[place])}.{_unwritten(got[place])}"
    return f"The first difference, on {call}, is at [{at}]: {numbers}"


def _unwritten(got: Any) -> str:
    """A sentence, after a space, on a number that stood in memory."""
    if np.asarray(got).tobytes().strip(bytes([UNWRITTEN])):
        return ""
    return (
        " Nothing was written there, and the number is what stood in memory: `np.empty` fills in "
        "none, nor does `where=` without `out=`."
    )


def _expected(want: Any, got: Any) -> str:
    """Both numbers, with as many digits as it takes to tell them apart."""
    for digits in (6, 9, 12, 17):
        expected, actual = _number(want, digits), _number(got, digits)
        if expected != actual:
            break
    return f"expected {expected}, got {actual}"


def _call(exercise: Exercise, case: Case) -> str:
    """Which call: what is special about it, how large its first array is, and single numbers."""
    told: list[str] = []
    arrays = 0
    for name, value in zip(
        inspect.signature(exercise.reference).parameters, case.arguments, strict=False
    ):
        if isinstance(value, np.ndarray) and value.ndim:
            arrays += 1
            if arrays == 1:
                told.append(f"`{name}` of shape {value.shape}")
        elif isinstance(value, (int, float, str)):
            told.append(f"`{name}={value if isinstance(value, str) else _number(value, 6)}`")
    return f"{case.kind} ({', '.join(told)})" if told else case.kind


def _number(value: Any, digits: int) -> str:
    number = np.asarray(value).item()
    if isinstance(number, (bool, int)):
        return str(number)
    return f"{number + 0.0:.{digits}g}"  # 0 has no sign
