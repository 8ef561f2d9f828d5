"""What can be said about a wrong answer that is no known misconception.

Every finding looks at trials (a case, the expected and the actual outcome) and returns a status
with a sentence, or None. None of them knows the exercise's subject.

How near is near enough. An exercise accepts numbers that differ by its tolerance, one millionth
of the expected one by default. Rounding in float64 stays far below: right answers written in other
ways agree to a thousandth of that. Mistakes stay far above, because the cases are drawn so that
they show: none would pass with `SINGLE_PRECISION` either. That wider tolerance is for answers in
float32, which have rounded their arguments too: 3,000 becomes a number up to 1.2e-4 away, and
exp(3,000 - 2,999) is then wrong by a few 1e-4 of itself. Both margins are tested for every exercise
(tests/exercises/test_right_answers.py).
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np

from .exercise import AGAIN, ORDINARY, Case, Exercise, Outcome, Status

Finding = tuple[Status, str]
SINGLE_PRECISION = 1e-3
"""Tolerance for answers in float32 or float16: rounding there is no mistake."""
UNCHANGED = 1e-12
"""Tolerance for arguments after the call: += h and then -= h leaves a last digit behind."""
MOST_IN_ORDER = 4
"""Of more values than that no other order is tried."""
MOST_PARTS = 4_000
"""A list that has more of them, and more than twice as many as are wanted, is no array."""


@dataclass(frozen=True)
class Trial:
    """One call: what was expected of it and what it did."""

    case: Case
    want: Outcome
    got: Outcome
    tolerance: float

    @cached_property
    def correct(self) -> bool:
        """Same state, same values to the tolerance, and the same arguments afterwards."""
        want, got = self.want, self.got
        if want.state != got.state:
            return False
        if want.state == "raised":
            return want.error.split(":")[0] == got.error.split(":")[0]
        return same_values(want.value, got.value, self.tolerance) and same_values(
            want.arguments, got.arguments, UNCHANGED
        )

    @property
    def same_shapes(self) -> bool:
        """Whether as many arrays of the same shapes came, and no argument was changed."""
        want, got = self.want.value, self.got.value
        if self.want.state != "returned" or self.got.state != "returned":
            return False
        if not same_values(self.want.arguments, self.got.arguments, UNCHANGED):
            return False
        if isinstance(want, (tuple, list)) and not (
            isinstance(got, (tuple, list)) and len(got) == len(want)
        ):
            return False
        return all(
            is_numeric(w)
            and np.shape(w) == array_of(g).shape
            and _kind_fits(np.asarray(w), array_of(g))
            for _, w, g in parts(want, got)
        )

    def agreement(self, value: Any) -> Iterator[np.ndarray]:
        """For each number that came, array by array, whether it is that of ``value``."""
        several = isinstance(self.want.value, (tuple, list))
        for other, got in (
            zip(value, self.got.value, strict=True) if several else [(value, self.got.value)]
        ):
            yield close(np.asarray(other), array_of(got), self.tolerance)

    def nearness(self, value: Any) -> Iterator[np.ndarray]:
        """For each number that came, whether it is that of ``value`` next to what was wanted.

        Two numbers that should be zero, and are by rounding only, are the same.
        """
        several = isinstance(self.want.value, (tuple, list))
        triple = (value, self.want.value, self.got.value)
        for other, want, got in zip(*triple, strict=True) if several else [triple]:
            wanted = np.asarray(want, float)
            largest = np.abs(wanted).max(initial=0.0, where=np.isfinite(wanted))
            with np.errstate(all="ignore"):  # infinity less infinity
                gap = np.abs(np.asarray(array_of(got), float) - np.asarray(other, float))
            yield np.asarray(gap <= UNCHANGED * largest)

    def within(self, noise: float) -> bool:
        """Whether the same arrays came, no number further off than ``noise`` of their largest."""
        want, got = self.want.value, self.got.value
        if self.want.state != "returned" or self.got.state != "returned":
            return False
        if isinstance(want, (tuple, list)) and not (
            isinstance(got, (tuple, list)) and len(got) == len(want)
        ):
            return False
        return all(_near(w, g, noise) for _, w, g in parts(want, got))


def same_values(want: Any, got: Any, tolerance: float) -> bool:
    """Whether two values agree: arrays, numbers, or tuples and lists of them.

    Numbers agree if they differ by at most ``tolerance`` of the expected number plus a
    thousandth of that of the largest one (so that zeros may carry rounding; if all are zero,
    four units of rounding). Lists of numbers count as arrays, integers as floats (but not the
    reverse), and NaN equals NaN.
    """
    if want is got or _same_bytes(want, got):  # as almost all arguments: quicker than all below
        return True
    if isinstance(want, (tuple, list)):
        return (
            isinstance(got, (tuple, list))
            and len(got) == len(want)
            and all(same_values(w, g, tolerance) for w, g in zip(want, got, strict=True))
        )
    if not is_numeric(want):  # a Formula or text among the arguments
        return isinstance(got, type(want)) and bool(want == got)
    wanted, actual = np.asarray(want), array_of(got)
    if wanted.shape != actual.shape or not _kind_fits(wanted, actual):
        return False
    return bool(close(wanted, actual, tolerance).all())


def same_numbers(want: Outcome, got: Outcome, tolerance: float) -> bool:
    """Whether both returned the same numbers, of whatever type, and left the same arguments."""
    if not want.state == got.state == "returned" or not (
        same_values(want.arguments, got.arguments, UNCHANGED)
    ):
        return False
    several = [isinstance(value, (tuple, list)) for value in (want.value, got.value)]
    if several[0] != several[1] or (several[0] and len(want.value) != len(got.value)):
        return False
    return all(
        is_numeric(w)
        and is_numeric(g)
        and same_values(np.asarray(w, float), np.asarray(array_of(g), float), tolerance)
        for _, w, g in parts(want.value, got.value)
    )


def _same_bytes(want: Any, got: Any) -> bool:
    return (
        type(want) is np.ndarray
        and type(got) is np.ndarray
        and want.dtype == got.dtype
        and want.shape == got.shape
        and want.tobytes() == got.tobytes()
    )


def close(want: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    """For each number of two arrays of one shape whether they agree; see `same_values`."""
    if want.dtype.kind != "f":
        return np.asarray(want == got)
    if tolerance and got.dtype in (np.float16, np.float32):
        tolerance = max(tolerance, SINGLE_PRECISION)
    finite = np.isfinite(want)
    all_finite = bool(finite.all())
    sizes = np.abs(want if all_finite else want[finite])
    largest = float(sizes.max(initial=0.0))
    slack = tolerance * 1e-3 * largest
    if tolerance and largest == 0 and got.dtype.kind == "f":  # rounding is not zero
        slack = 4 * float(np.finfo(got.dtype).eps)
    if all_finite:  # as np.isclose, in a quarter of its time
        return np.asarray(np.abs(got - want) <= slack + tolerance * sizes)
    return np.asarray(np.isclose(got, want, rtol=tolerance, atol=slack, equal_nan=True))


def _near(want: Any, got: Any, noise: float) -> bool:
    if not is_numeric(want):
        return False
    wanted, actual = np.asarray(want, float), array_of(got)
    if wanted.shape != actual.shape or not _kind_fits(wanted, actual):
        return False
    gap, largest = np.abs(actual - wanted).max(initial=0.0), np.abs(wanted).max(initial=0.0)
    return bool(gap <= noise * largest)


def parts(want: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    """The pieces of a returned value with words for each ("" if there is only one)."""
    if isinstance(want, (tuple, list)) and isinstance(got, (tuple, list)):
        for number, (w, g) in enumerate(zip(want, got, strict=False), start=1):
            yield f"In value {number} of the {len(want)} that you return: ", w, g
    else:
        yield "", want, got


# --- findings, in the order in which they are tried ------------------------------------------


UNSTEADY = (
    "Made twice, the same call does not give the same: your function keeps something from one call "
    "to the next, or draws random numbers. (A list as a default argument is made once, for all "
    "calls.)"
)


def unsteady(trials: Sequence[Trial]) -> list[tuple[Trial, Trial]]:
    """The calls that were made twice and gave something else, the first time and the second."""
    pairs = [
        (next(first for first in trials if first.case.arguments is again.case.arguments), again)
        for again in trials
        if again.case.kind == AGAIN
    ]
    return [(first, again) for first, again in pairs if not _same_result(first.got, again.got)]


def _same_result(first: Outcome, again: Outcome) -> bool:
    if not {first.state, again.state} <= {"returned", "raised"}:
        return True  # it did not end: nothing is known
    if all(isinstance(one.value, (LongList, LongTuple)) for one in (first, again)):
        return len(first.value) == len(again.value)
    numbers = [(a, b) for _, a, b in parts(first.value, again.value) if is_numeric(a)]
    return first.state == again.state and all(same_values(a, b, 1e-6) for a, b in numbers)


def out_of_time(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    for trial in trials:
        if trial.got.state == "timeout":
            return "timeout", (
                f"Your function had not returned after {exercise.seconds:g} s on "
                f"{trial.case.kind}: look for a loop that never ends."
            )
        if trial.got.state == "lost":
            return "error", (
                f"The process that ran your function ended on {trial.case.kind}: "
                f"{trial.got.error or 'it crashed or asked for too much memory'}."
            )
    return None


def raised(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    for trial in trials:
        if trial.got.state != "raised" or trial.want.state == "raised":
            continue
        error, line = trial.got.error, trial.got.line
        # With the text of a line that does not raise it itself, an unfinished helper did.
        if trial.got.begun and ("NotImplementedError" in line or ":" not in line):
            return "error", (
                "Your function still runs into `raise NotImplementedError()`: delete that line, "
                "and end with a `return`."
            )
        if error.startswith("TypeError") and not line:
            signature = f"{exercise.name}{inspect.signature(exercise.reference)}"
            call = signature.split(" ->")[0]
            return "error", f"Your function could not be called as `{_bare(call)}`: {error}."
        alike = [t.got.state for t in trials if t.case.kind == trial.case.kind == ORDINARY]
        on = f"some {ORDINARY}" if "returned" in alike else trial.case.kind
        told = f"Your function raised {error_at(error, line)} (on {on})."
        return "error", f"{told}{advice(error, line)}{_elsewhere(exercise, trials)}"
    return None


def _elsewhere(exercise: Exercise, trials: Sequence[Trial]) -> str:
    """After a space, that ordinary calls go wrong without an error; "" if they do not."""
    ordinary = [trial for trial in trials if trial.case.kind == ORDINARY]
    right = {trial.correct for trial in ordinary}
    if right <= {True} or any(trial.got.state != "returned" for trial in ordinary):
        return ""
    how = "not always right" if True in right else "not right either"
    otherwise_wrong = wrong_type(exercise, ordinary) or changed_arguments(exercise, ordinary)
    if _equal(ordinary) and not otherwise_wrong:
        how = "right only up to the type of its numbers"
    return f" On ordinary inputs it raises nothing, but is {how}."


def error_at(error: str, line: str) -> str:
    """An error and where it happened: "ValueError: ... in line 3: `a + b`".

    Args:
        error: as `Outcome.error` has it.
        line: as `Outcome.line` has it.
    """
    where, colon, code = line.partition(": ")
    if colon:
        where += ": `{}`".format(code.replace("`", "'"))  # a backtick would end the code
    return f"{error} in {where}" if where else error


# A sum over the columns of (N, C) has shape (N,), and NumPy lines it up with the C.
_ROWS = r"could not be broadcast .*(\((\d+),\d+\) \(\2,\)|\((\d+),\) \(\3,\d+\))"
_COLUMNS_FIT = r"could not be broadcast .*\((\d+),(\d+)\) \((?!\1,)\d+,\2\)"
_OF_MATRICES = (
    "In `a @ b` the last axis of `a` is as long as the first of `b`: is a `.T` missing, are the "
    "two in the wrong order, or is `a * b` meant, entry by entry? (A size that is written into the "
    "code fits only by chance.)"
)
_OF_ROWS = "`.T` changes nothing in a row; `np.outer(a, b)` makes the table of all products."
_SLIPS = {
    "NameError: name 'np' is not defined": "`np` is NumPy, which nothing has imported: the cell of "
    "imports at the top of the lesson does so, by `import numpy as np`. Run that cell first; if it "
    "is gone, put that line back into the notebook.",
    "NameError: name": "Nothing there has that name: is it misspelled, or has the cell that "
    "defines it not been run, or been deleted?",
    "ModuleNotFoundError": "Where this ran there is no such module. If it is a file of your own, "
    "put its code into the notebook; else it is a package that is missing there, through no fault "
    "of the answer's: do without it, or ask for it to be installed.",
    r"'bitwise_xor'|for \^": "In Python a power is written `**`; `^` combines bits.",
    r"boolean (subtract|negative)": "Truth values are joined by `&` and `|` and turned round by "
    "`~`; `-` is for numbers.",
    "only .*arrays can be converted to Python scalars": "`float`, `int` and the functions of "
    "`math` take single numbers; those of NumPy, as `np.exp`, take arrays.",
    "all the input array": "Arrays are joined only where their shapes fit; flattened by `ravel()`, "
    "any two do.",
    "inhomogeneous": "Arrays of different length do not fit into one array; a list takes them.",
    "setting an array element with a sequence|could not be broadcast to indexing result": "A place "
    "for one number takes no row: the array that is filled needs an axis for each that comes. "
    "(`np.zeros_like(x)` has the shape and the type of `x`.)",
    "could not broadcast input array": "What is put into the array has another shape than the "
    "place that is to take it: is a sum, a mean or a maximum taken over another axis than is "
    "meant, or was the array made with too few axes, or too short?",
    "convert float (NaN|infinity) to integer|casting rule 'same_kind'": "An array of whole numbers "
    "takes nothing else: `np.zeros(n)` makes one that does, while `np.zeros_like(x)` has the type "
    "of `x`; and `a = a + b` makes a new array, where `a += b` writes into the old one.",
    "only integers, slices|arrays used as indices must be": "A place in brackets is a whole "
    "number: `np.argmax(x)` tells where the largest stands, `np.max(x)` how large it is; and `/` "
    "gives a float even where it comes out even, `//` an integer.",
    r"multiply sequence by non-int|unsupported operand .*'(list|tuple)'": "A list or tuple does "
    "not compute with its entries as an array does: go through it, `[2 * a for a in arrays]`.",
    r"(list|tuple) indices must be|'(list|tuple)' object has no attribute": "A list or tuple has "
    "no rows and columns to pick from: `np.array` makes an array of it. Does a function that you "
    "call return a list?",
    _ROWS: "To meet the rows of a matrix, one number per row has to be a column: is "
    "`keepdims=True` missing, or `[:, None]`?",
    r"could not be broadcast .*(\((\d+),(\d+),\d+\) \(\2,\3\)|\((\d+),(\d+)\) \(\4,\5,\d+\))": "To "
    "meet an array that has one axis more, the smaller one needs a last axis of length 1: is "
    "`[:, :, None]` missing?",
    r"could not be broadcast .*(\((\d+),\) \(\2(,\d+){2,}\)|\((\d+)(,\d+){2,}\) \(\4,\))": "To "
    "meet arrays of several axes, one number for each needs axes of length 1 behind it: is "
    "`[:, None, None]`, or one `None` more, missing?",
    _COLUMNS_FIT: "The columns fit, the rows do not: what does a row stand for in the "
    "one, and what in the other?",
    r"could not be broadcast .*\((\d+),(\d+)\) \(\2,\1\)": "One of the two arrays lies across: "
    "is a `.T` missing, or one too many?",
    r"could not be broadcast .*\((\d+),\d+\) \(\1,\d+\)": "The rows fit, the columns do not: where "
    "does their number come from? One that is written into the code, or counted from what occurs, "
    "fits only by chance; an argument knows it, as `x.shape[1]`.",
    r"shapes \(\d+,\) and \(\d+,\) not aligned": _OF_ROWS,
    r"not aligned": _OF_MATRICES,
    r"matmul: .*does not have enough dimensions \(has 0": "In `a @ b` one of the two is a single "
    "number there, and no array: is there an index too many, or does a function give one number "
    "where another gives an array?",
    r"matmul: .*mismatch": f"{_OF_MATRICES} (If both are rows: {_OF_ROWS})",  # it tells no shapes
    "array split does not result in an equal": "The second argument of `np.split` is the number of "
    "parts, or a list of the places to cut at; it is not the length of a part.",
    "boolean index did not match": "A condition in brackets chooses from an array of its own "
    "length: one that is made from `a[rows]` chooses from `b[rows]`, not from `b`.",
    "can be converted to a scalar index": "Where a slice begins and ends, a place in a list, and "
    "how often a loop runs, is one whole number each; here it is an array. Where each row has its "
    "own place, go through the rows, or give an array of places for each axis.",
    r"index (\d+) is out of bounds for axis \d+ with size \1\b": "Places are counted from 0, and "
    "the last one is one less than their number: is a 1 to be taken off, or is the array a place "
    "short?",
    "list index out of range": "The list has no such place, or not yet: places are counted from "
    "0, and an empty list has none.",
    "ZeroDivisionError": "What stands below the `/` is 0 in this call: does a condition let a case "
    "through that it should not, as `<=` in the place of `<`?",
    "RecursionError: maximum": "A function that calls itself needs a case in which it does not; is "
    "another one meant?",
    r"IndexError: .*\bout of (bounds|range)": "Places are counted from 0, so that the last one is "
    "one less than their number. Does the code take one length for another, or does it write a "
    "length itself, which fits only by chance? (Where a place is to stay inside: `min`, and for "
    "arrays `np.minimum`.)",
    "'float' object cannot be interpreted as an integer|sequence of integers or": "A number of "
    "places, or of rounds, is a whole number; `/` gives a float even where it comes out even, and "
    "`//` an integer.",
    "shape-mismatch for sum": "`np.tensordot(a, b, n)` sums over the last `n` axes of `a` and the "
    "first `n` of `b`, which must be of the same lengths: is one cut otherwise, or are two lengths "
    "taken to be equal?",
    r"AxisError: axis|too many indices for array": "The array has fewer axes there than the code "
    "takes it to have: which line before has lost one? A sum or a mean does without "
    "`keepdims=True`, an index that is a single number does, and `np.append` and `np.delete` "
    "without an axis leave one row.",
    r"signature matching types .*Str": "Text meets numbers there: is a name used where its place "
    "or its number is meant?",
    r"truth value of an array": "A comparison of an array has one answer for each entry, and `if`, "
    "`max` and `min` want a single one: `np.where`, `np.maximum` and `np.minimum` take all; `&`, "
    "`|` and `~` do what `and`, `or` and `not` do.",
}
"""What the errors of common slips look like, and a sentence for each."""
_OFTEN_TAKEN = ("sum", "max", "min", "abs", "len", "range", "round", "list", "zip", "sorted")
_LABELS_AS_NUMBERS = (
    "A label says which entry of a row, not how much of it: pick the entries by "
    "`[np.arange(N), labels]`, or make the labels one-hot."
)


def advice(error: str, line: str) -> str:
    """A sentence for a common slip, after a space, or ""."""
    without_indices = re.sub(r"\[[^\]]*\]", "", line)
    if re.search(_ROWS, error) and re.search(r"\blabels\b", without_indices):
        return f" {_LABELS_AS_NUMBERS}"
    called = re.search(r"'(?:int|float|list|tuple|str|ndarray)' object is not callable", error)
    taken = called and re.search(rf"(?<![.\w])({'|'.join(_OFTEN_TAKEN)})\(", line)
    if taken:
        return (
            f" Has your code given the name `{taken[1]}` to something else? Then rename that, and "
            f"run `del {taken[1]}` if it was in another cell."
        )
    said = next((say for slip, say in _SLIPS.items() if re.search(slip, error)), "")
    if re.search(_COLUMNS_FIT, error) and ("-" in line or ":" not in line):
        said = (
            "The columns fit, the rows do not: if each row of the one is to meet each of the "
            "other, `a[:, None] - b` makes all pairs."
        )
    said = said or _on_shapes(error, line)
    return f" {said}" if said else ""


def _on_shapes(error: str, line: str) -> str:
    """A sentence on shapes that do not fit, for which no other has been found, or ""."""
    shapes = [
        tuple(map(int, re.findall(r"\d+", shape)))
        for shape in re.findall(r"\(([\d,]+)\)", error.partition(" shape")[2])
    ]
    if "cannot reshape array" in error:
        size = re.search(r"of size (\d+) into", error)
        counted = size and shapes and int(size[1]) < math.prod(shapes[0])
        return (
            "`reshape` adds no entries and drops none: is a length written into the code, or "
            "counted from what occurs? It then fits only by chance."
            + " (`np.bincount` ends at the largest that occurs, if no `minlength` is given.)"
            * bool(counted)
        )
    if "operands could not be broadcast" not in error or len(shapes) < 2:
        return ""
    smaller, larger = sorted(shapes[:2], key=lambda shape: (len(shape), math.prod(shape)))
    if len(larger) == 1:
        chosen = re.search(r"\w\[\w+\]", line)
        return (
            "Two rows meet entry by entry only if they are equally long. "
            + "Does the one hold chosen entries, as `a[rows]`, and the other all? " * bool(chosen)
            + "Where each entry of the "
            "one is to meet each of the other, the one has to be a column, as in `a[:, None] > b`; "
            "`np.outer(a, b)` is the table of all products. (A length that is counted from what "
            "occurs fits only by chance: `np.bincount` takes `minlength`.)"
        )
    if len(smaller) == 1 and smaller[0] > max(larger):
        return (
            "Is the one with a single axis made of an array with more? `np.repeat` and `np.append` "
            "make one long row of all if no `axis` is given, and so does `ravel`."
        )
    if len(smaller) == len(larger):
        times = {b // a for a, b in zip(smaller, larger, strict=True) if a < b and not b % a}
        if all(a and not b % a for a, b in zip(smaller, larger, strict=True)) and len(times) == 1:
            number = times.pop()
            return (
                f"Where the two differ, the one is {number} times as long: is each entry of the "
                f"smaller to meet {number} of the other? `np.repeat(a, {number}, axis=1)` gives it "
                "as many places along that axis."
            )
    said = "Shapes are lined up from the last axis on; there two lengths are equal, or one is 1."
    if re.search(r"\[[^\]]*(\w ?:|: ?\w)[^\]]*\]", line):
        said += " (Slices of one length move both their ends, as `a[u : u + n]`.)"
    return said


def wrong_type(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    for trial in trials:
        want, got = trial.want.value, trial.got.value
        if got is None:
            always = all(trial.got.value is None for trial in trials)
            subject = "Your function" if always else f"On {trial.case.kind} your function"
            return "wrong", f"{subject} returned nothing (None): is a `return` missing?"
        if isinstance(want, (tuple, list)) and (
            not isinstance(got, (tuple, list)) or len(got) != len(want)
        ):
            several = isinstance(got, (tuple, list)) and len(got) != 1
            number = f"{len(got)} values" if several else describe(got)
            joined = isinstance(got, np.ndarray) and got.shape[:1] == (len(want),)
            how = ": put commas between them, and no array around them" if joined else ""
            expected = f"Expected {len(want)} values in a {type(want).__name__}"
            return "wrong", f"{expected}, got {number}{how} (on {trial.case.kind})."
        for place, (name, w, g) in enumerate(parts(want, got)):
            if isinstance(g, tuple) and len(g) == 1 and not same_values(w, g, trial.tolerance):
                return "wrong", (
                    f"{name}Expected {describe(w)}, got {describe(g)}: "
                    "does your `return` line end with a comma?"
                )
            if not is_numeric(g):
                found = f"{name}Expected {describe(w)}, got {describe(g)}"
                how = "."
                if "Tensor" in type(g).__name__:
                    how = ": `keras.ops.convert_to_numpy` makes an array of it."
                elif type(g).__name__ in ("builtin_function_or_method", "function", "method"):
                    how = ": are the brackets `()` behind its name missing?"
                return "wrong", f"{found}{_only_on(trial.case.kind, name, trials)}{how}"
            wanted, actual = np.asarray(w), array_of(g)
            if wanted.shape != actual.shape:
                turned = wanted.ndim > 1 and wanted.T.shape == actual.shape
                same = turned and same_values(wanted.T, actual, trial.tolerance)
                why = ": the right numbers, transposed" if same else ""
                found = f"{name}Expected {describe(w)}, got {describe(g)}{why}"
                on = _these(trial, name, trials)
                return "wrong", f"{found} (on {on}).{differ_too(trial, place)}"
    return None


def differ_too(trial: Trial, place: int) -> str:
    """Which of the values differ beside the one at a place, after a space; "" if none."""
    others = [
        str(other + 1)
        for other, (_, w, g) in enumerate(parts(trial.want.value, trial.got.value))
        if other != place and not same_values(w, g, trial.tolerance)
    ]
    if not others:
        return ""
    said = f"Value {others[0]} differs" if len(others) == 1 else f"Values {listed(others)} differ"
    return f" {said}, too."


def _these(trial: Trial, name: str, trials: Sequence[Trial]) -> str:
    """Such calls in words: "some" of them where this piece of others of the kind has its shape."""
    if trial.case.call:
        return "some small calls"
    alike = [
        np.shape(w) == array_of(g).shape
        for t in trials
        if t.case.kind == trial.case.kind == ORDINARY
        for piece, w, g in parts(t.want.value, t.got.value)
        if piece == name
    ]
    return f"some {ORDINARY}" if any(alike) else trial.case.kind


def _only_on(kind: str, name: str, trials: Sequence[Trial]) -> str:
    """On which kind of calls this piece is no number, after a space; "" if on all calls."""
    pieces = [
        g for t in trials for piece, _, g in parts(t.want.value, t.got.value) if piece == name
    ]
    return f" (on {kind})" if any(map(is_numeric, pieces)) else ""


def other_order(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    """For several values, all of which came, each in the place of another one."""
    want = trials[0].want.value
    if not isinstance(want, (tuple, list)) or not 1 < len(want) <= MOST_IN_ORDER:
        return None
    for order in permutations(range(len(want))):
        if all(_is_ordered(trial, order) for trial in trials):
            first, *others = order
            s = "s" * (len(others) > 1)
            then = f", then your value{s} {listed([str(n + 1) for n in others])}"
            return "wrong", (
                "What you return is right, but in another order: your value "
                f"{first + 1} is to come first{then}."
            )
    return None


def _is_ordered(trial: Trial, order: Sequence[int]) -> bool:
    """Whether what came, taken in this order, is what was wanted."""
    got = trial.got.value
    if not isinstance(got, (tuple, list)) or len(got) != len(order):
        return trial.correct  # where an error was wanted, too
    ordered = [got[place] for place in order]
    return replace(trial, got=replace(trial.got, value=ordered)).correct


def wrong_text(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    """For exercises whose answers are lists of texts: numbers have no part in it."""
    if not is_text(trials[0].want.value):
        return None
    for trial in trials:
        want, got = trial.want.value, trial.got.value
        if got is None or same_values(want, got, 0.0):
            continue
        if not is_text(got):
            on = f" (on {trial.case.kind})" if any(is_text(t.got.value) for t in trials) else ""
            return "wrong", f"Expected a list of texts, got {describe(got)}{on}."
        return "wrong", f"On {trial.case.kind}: expected {quoted(want)}, got {quoted(got)}."
    return changed_arguments(exercise, trials) or wrong_type(exercise, trials)


def wrong_kind(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    for trial in trials:
        for name, w, g in parts(trial.want.value, trial.got.value):
            wanted, actual = np.asarray(w), array_of(g)
            rounded = wanted.dtype.kind == "f" and actual.dtype.kind in "iu" and wanted.ndim > 0
            if not _kind_fits(wanted, actual) or (
                rounded and not same_values(wanted, actual, trial.tolerance)
            ):
                if wanted.dtype.kind in "iu" and actual.dtype.kind == "f" and _equal(trials, name):
                    return "wrong", f"{name}{_whole_number_wanted(actual)}"
                asked = f"The numbers should be of type {wanted.dtype}"
                if wanted.dtype.kind == "b":
                    asked = "Expected truth values, True or False (type bool)"
                kind = "some small calls" if trial.case.call else trial.case.kind
                on = "" if kind == ORDINARY else f" (on {kind})"
                why = "."
                if rounded:
                    why = ": `np.zeros_like(x)` and `np.full_like(x, 1)` have the type of `x`."
                return "wrong", f"{name}{asked}, yours are {actual.dtype}{on}{why}"
    return None


def in_wanted_kinds(trials: Sequence[Trial]) -> tuple[list[Trial], str] | None:
    """The trials as if whole numbers had not come as floats, nor truth values as 0 and 1.

    With a sentence, after a space, on what was wanted. None if nothing came so, or more is amiss
    with the kinds than that, or nothing but that is wrong.
    """
    told: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    made = []
    for trial in trials:
        if trial.got.state != "returned":
            made.append(trial)
            continue
        values = []
        for place, (_, want, got) in enumerate(parts(trial.want.value, trial.got.value)):
            wanted, actual = np.asarray(want), array_of(got)
            fits = not (is_numeric(want) and is_numeric(got)) or _kind_fits(wanted, actual)
            if fits:
                values.append(got)
                continue
            turned = _turned_into(wanted.dtype, actual)
            if turned is None:
                return None
            told.setdefault(place, (wanted, actual))
            values.append(turned)
        several = isinstance(trial.want.value, (tuple, list))
        if several and not (
            isinstance(trial.got.value, (tuple, list)) and len(values) == len(trial.got.value)
        ):
            return None
        value = tuple(values) if several else values[0]
        made.append(replace(trial, got=replace(trial.got, value=value)))
    if not told or all(trial.correct for trial in made):
        return None
    wanted, actual = next(iter(told.values()))
    numbers = [str(place + 1) for place in told]
    where = f"in value{'s' * (len(numbers) > 1)} {listed(numbers)} " if several else ""
    asked = "whole numbers are wanted, and yours are floats"
    if wanted.dtype.kind == "b":
        asked = "truth values are wanted, True or False (type bool), and yours are numbers"
    elif not wanted.ndim and len(told) == 1:
        asked = "a whole number is wanted, and yours is a float"
    return made, f" Besides, {where}{asked}."


def _turned_into(dtype: np.dtype[Any], numbers: np.ndarray) -> np.ndarray | None:
    """Numbers as they are wanted, if they are as good as that."""
    if dtype.kind not in "iub" or numbers.dtype.kind not in "iuf":
        return None
    with np.errstate(all="ignore"):
        whole = np.abs(numbers) < 1 << 53
        whole &= numbers == np.rint(numbers)
    if dtype.kind == "b":
        whole &= (numbers == 0) | (numbers == 1)
    return numbers.astype(dtype) if whole.all() else None


def _equal(trials: Sequence[Trial], name: str | None = None) -> bool:
    """Whether the numbers, or those of one piece, are what they should be, whatever their type."""
    return all(
        is_numeric(w) and np.array_equal(np.asarray(w), array_of(g))  # rows may differ in length
        for trial in trials
        for piece, w, g in parts(trial.want.value, trial.got.value)
        if name in (None, piece)
    )


def _whole_number_wanted(floats: np.ndarray) -> str:
    found = f", as {float(floats.flat[0])}" if floats.size else ""
    if floats.ndim:
        return (
            f"The numbers are right, but they are floats{found}; whole numbers are wanted: "
            "`np.array(x, int)` makes them."
        )
    return (
        f"The number is right, but it is a float{found}; a whole number is wanted: `int(x)` "
        "makes one."
    )


GIVES = "Your function gives "
"""So a sentence begins that tells of NaN or infinity."""


def not_finite(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    bad: dict[str, str] = {}
    for trial in trials:
        for _, w, g in parts(trial.want.value, trial.got.value):
            wanted, actual = np.asarray(w, float), np.asarray(array_of(g), float)
            lost = np.isfinite(wanted) & ~np.isfinite(actual)
            if lost.any():
                below = " and ".join(sorted({_infinity(x) for x in actual[lost]}))
                word = "NaN" if np.isnan(actual[lost]).any() else below
                bad.setdefault(trial.case.kind, word)
    if not bad:
        return None
    some = any(t.case.kind == ORDINARY and is_finite(t.got) for t in trials)
    where: dict[str, list[str]] = {}
    for kind, word in bad.items():
        where.setdefault(word, []).append(f"some {kind}" if some and kind == ORDINARY else kind)
    kinds = ", and ".join(f"{word} on {_and_on(few(on))}" for word, on in where.items())
    rest = "" if ORDINARY in bad else " On ordinary inputs it stays finite"
    if rest:
        right = {
            same_values(trial.want.value, trial.got.value, trial.tolerance)
            for trial in trials
            if trial.case.kind == ORDINARY
        }
        if False in right:
            rest += ", but is not always right" if True in right else ", but is not right either"
        rest += "."
    return "wrong", f"{GIVES}{kinds}.{rest}"


def changed_arguments(exercise: Exercise, trials: Sequence[Trial]) -> Finding | None:
    names = list(inspect.signature(exercise.reference).parameters)
    for trial in trials:
        pairs = zip(names, trial.want.arguments, trial.got.arguments, strict=False)
        changed = [name for name, w, g in pairs if not same_values(w, g, UNCHANGED)]
        if changed:
            named = " and ".join(f"`{name}`" for name in changed)
            noun = "arguments" if len(changed) > 1 else "argument"
            given = dict(zip(names, trial.got.arguments, strict=False))
            how = (
                "`x -= 1` and `x[i] = 1` write into the caller's array, also through a part of it "
                "or a second name, as in `y = x` or `y = x[:]`. Begin the function with an array "
                "of your own, `x = x.copy()`; or make a new one, as `x = x - 1` does."
            )
            if all(isinstance(given[name], list) for name in changed):
                of_lists = any(isinstance(entry, list) for n in changed for entry in given[n])
                own, new = "`a *= 2` changes", "2 * a"
                if of_lists:
                    own, new = "`s.append(0)` and `s += [0]` change", "s + [0]"
                how = (
                    "`x[i] = ...` and `x += [0]` write into the caller's list: begin the "
                    f"function with one of your own, `x = list(x)`. Its entries are the caller's "
                    f"still: {own} one of them, `{new}` is a new one."
                )
            return "wrong", (
                f"Your function changes its {noun} {named} in place; the caller still needs "
                f"{'them' if len(changed) > 1 else 'it'}. {how}{_besides(trials)}"
            )
    return None


def _besides(trials: Sequence[Trial]) -> str:
    """After a space, that what ordinary calls return is wrong, too; "" if it is right."""
    right = {
        same_values(trial.want.value, trial.got.value, trial.tolerance)
        for trial in trials
        if trial.case.kind == ORDINARY
    }
    if False not in right:
        return ""
    return f" What it returns is not {'always right' if True in right else 'right'} either."


def remark(trials: Sequence[Trial]) -> str:
    """What a right answer returns that later answers may stumble over, or ""."""
    for trial in trials:
        for _, want, got in parts(trial.want.value, trial.got.value):
            if not isinstance(want, np.ndarray) or not want.ndim:
                continue
            if isinstance(got, (list, tuple)):
                kind = type(got).__name__
                it_is = f"You return a {kind}, not an array"
                if isinstance(trial.want.value, (list, tuple)):
                    it_is = f"What you return holds a {kind} where an array is asked for"
                return (
                    f"{it_is}: who goes on to compute with it, as in `p - 1` or `p[:, 0]`, first "
                    "needs `np.array(p)`."
                )
            if isinstance(got, np.matrix):
                return (
                    "You return an `np.matrix`, for which `*` is the matrix product: `np.asarray` "
                    "makes an array of it, with which others can go on."
                )
            if got.dtype in (np.float16, np.float32) and want.dtype == np.float64:
                return (
                    f"Your numbers are rounded to {got.dtype}: what goes on from them inherits "
                    "the rounding, and may be refused for it."
                )
    return ""


def listed(words: Sequence[str]) -> str:
    """Some things in a sentence: "1, 2 and 3"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


MOST_NAMED = 2
"""So many kinds of calls are named in a sentence; of others their number is told."""


def few(kinds: Sequence[str]) -> list[str]:
    """Some kinds of calls, or the first of them and how many more there are."""
    more = len(kinds) - MOST_NAMED
    if more < 1:
        return list(kinds)
    rest = "one more kind of calls" if more == 1 else f"{more} more kinds of calls"
    return [*kinds[:MOST_NAMED], rest]


def _infinity(number: float) -> str:
    return "infinity" if number > 0 else "minus infinity"


def _and_on(words: Sequence[str]) -> str:
    """Some things in a sentence: "a, on b and on c", after an "on"."""
    return " and on ".join(filter(None, (", on ".join(words[:-1]), words[-1])))


Find = Callable[[Exercise, Sequence[Trial]], Finding | None]
NO_VALUES: tuple[Find, ...] = (out_of_time, raised, other_order, wrong_text, wrong_type)
USELESS_VALUES: tuple[Find, ...] = (wrong_kind, not_finite, changed_arguments)


# --- words and conversions ---------------------------------------------------------------------


class LongList(list[Any]):
    """A list that is far too long: of it only the length is told."""


class LongTuple(tuple[Any, ...]):
    """The same for a tuple."""


def shortened(want: Any, got: Any) -> Any:
    """What came, its lists marked that are far too long: nothing goes through them any more.

    Args:
        want: what was wanted: of tuples and lists of the same length each part is looked at.
        got: what came.
    """
    if not isinstance(got, (list, tuple)):
        return got
    if isinstance(want, (list, tuple)) and len(want) == len(got):
        made = [shortened(w, g) for w, g in zip(want, got, strict=True)]
        if all(m is g for m, g in zip(made, got, strict=True)):
            return got  # whatever its type is
        return made if isinstance(got, list) else tuple(made)
    most = max(MOST_PARTS, 2 * _parts_of(want, 1 << 30))
    if _parts_of(got, most) <= most:
        return got
    made = [shortened(None, g) if isinstance(g, (list, tuple)) else g for g in got]
    return LongList(made) if isinstance(got, list) else LongTuple(made)


def _parts_of(value: Any, most: int) -> int:
    """How many parts it has, those of its parts included; counting ends above ``most``."""
    if not isinstance(value, (list, tuple)):
        return int(np.size(value)) if isinstance(value, np.ndarray) else 1
    number = 0
    for part in value:
        number += _parts_of(part, most - number)
        if number > most:
            break
    return number


def _holds_text(value: list[Any] | tuple[Any, ...]) -> bool:
    """An array of texts has room for the longest in each of its places."""
    return any(
        isinstance(part, (str, bytes)) or (isinstance(part, (list, tuple)) and _holds_text(part))
        for part in value
    )


def is_numeric(value: Any) -> bool:
    """Whether it is a number, an array of them, or a list that is as good as one."""
    if isinstance(value, (list, tuple)):
        if isinstance(value, (LongList, LongTuple)) or _holds_text(value):
            return False
        try:
            value = np.asarray(value)
        except ValueError:  # rows of different length
            return False
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufc"
    return isinstance(value, (bool, int, float, complex, np.number, np.bool_))


def is_finite(outcome: Outcome) -> bool:
    """Whether a call has returned, and no number among what it returned is NaN or infinite."""
    if outcome.state != "returned":
        return False
    numbers = (value for _, value, _ in parts(outcome.value, outcome.value) if is_numeric(value))
    return all(
        # An array may be large, and a number beyond 64 bits.
        bool(np.isfinite(one if isinstance(one, np.ndarray) else np.asarray(one, complex)).all())
        for one in numbers
    )


def is_text(value: Any) -> bool:
    """Whether it is a list of texts, or a tuple of them."""
    return isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value)


LONGEST_TEXT, MOST_TEXTS = 40, 12


def quoted(texts: Sequence[str]) -> str:
    """A list of texts as one writes it in Python, as far as a sentence has room for it."""
    shown = [repr(str(text[:LONGEST_TEXT])) for text in texts[:MOST_TEXTS]]
    return f"[{', '.join([*shown, *(['...'] if len(texts) > MOST_TEXTS else [])])}]"


def array_of(value: Any) -> np.ndarray:
    """A numeric value as an array; a shape that equals nothing for anything else."""
    return np.asarray(value) if is_numeric(value) else np.empty((0,) * 9)


def _kind_fits(want: np.ndarray, got: np.ndarray) -> bool:
    accepted = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
    return got.dtype.kind in accepted.get(want.dtype.kind, want.dtype.kind)


def describe(value: Any) -> str:
    """What it is, in words: "an array of shape (4, 3)"."""
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return repr(str(value))
    if not is_numeric(value):
        return f"a value of type {type(value).__name__}"
    array = np.asarray(value)
    return "a single number" if array.ndim == 0 else f"an array of shape {array.shape}"


def _bare(signature: str) -> str:
    """A call without annotations: ``mse(predictions, targets)``."""
    name, inside = signature.split("(", 1)
    names = [part.split(":")[0].strip() for part in inside.rstrip(")").split(", ") if ":" in part]
    return f"{name}({', '.join(names)})"
