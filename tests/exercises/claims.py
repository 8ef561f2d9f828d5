"""Reads what a wrong answer was told and computes again whether it is true of that answer.

Independent of the judge: sentences are read by their templates, numbers compared by NumPy here. A
sentence that no template reads is untrue, so that nothing new goes unchecked.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from course_lib.exercises import Case, Exercise, Misconception, Outcome, Verdict

ORDINARY, SMALL, AGAIN = "ordinary inputs", "a small call", "an earlier call, made again"


@dataclass(frozen=True)
class Call:
    """What was asked, what the right answer is, and what came."""

    case: Case
    want: Outcome
    got: Outcome
    tolerance: float

    @property
    def kind(self) -> str:
        return self.case.kind

    @property
    def right(self) -> bool:
        return alike(self.want, self.got, self.tolerance)


def alike(want: Outcome, got: Outcome, tolerance: float) -> bool:
    if want.state == got.state == "raised":
        return want.error.split(":")[0] == got.error.split(":")[0]
    if want.state != "returned" or got.state != "returned":
        return False
    return agree(want.value, got.value, tolerance) and all(
        unchanged(w, g) for w, g in zip(want.arguments, got.arguments, strict=True)
    )


def unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and not off(before, after, 1e-12).any()
    return bool(before == after)


def agree(want: Any, got: Any, tolerance: float) -> bool:
    if want is None or isinstance(want, str):
        return bool(want == got)
    if isinstance(want, (tuple, list)):
        same_number = isinstance(got, (tuple, list)) and len(got) == len(want)
        return same_number and all(agree(w, g, tolerance) for w, g in zip(want, got, strict=True))
    wanted, actual = np.asarray(want), array(got)
    if actual is None or wanted.shape != actual.shape:
        return False
    fits = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}[wanted.dtype.kind]
    return actual.dtype.kind in fits and not off(wanted, actual, tolerance).any()


def off(want: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    """Which numbers differ by more than an exercise allows."""
    if want.dtype.kind != "f":
        return np.asarray(want != got)
    if got.dtype.itemsize < 8 and got.dtype.kind == "f":
        tolerance = max(tolerance, 1e-3)
    size = np.abs(np.where(np.isfinite(want), want, 0))
    largest = size.max(initial=0.0)
    zero = 4 * np.finfo(got.dtype).eps if largest == 0 and got.dtype.kind == "f" else 0.0
    with np.errstate(invalid="ignore"):
        apart = ~(np.abs(got - want.astype(float)) <= tolerance * (size + 1e-3 * largest) + zero)
    if apart.any():  # infinities and NaN that agree
        apart &= ~((want == got) | (np.isnan(want) & np.isnan(got.astype(float))))
    return np.asarray(apart)


def array(value: Any) -> np.ndarray | None:
    try:
        made = np.asarray(value)
    except ValueError:
        return None
    return made if made.dtype.kind in "biufc" else None


def values(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def described(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) <= 40:
        return repr(str(value))
    made = array(value)
    if made is None:
        return f"a value of type {type(value).__name__}"
    return f"an array of shape {made.shape}" if made.ndim else "a single number"


# --- reading ------------------------------------------------------------------------------------

WHERE = r"[Ii]n values? (?P<which>[\d and,]+) of the (?P<of>\d+) that you return"
NUMBER = r"(-?inf|nan|[-+]?\d[\d.e+-]*?|True|False)"
BEFORE = r" (?:For example,|Another call (raises nothing|stays finite), but is wrong:) "
EXAMPLE = re.compile(rf"{BEFORE}`(.*)` should be (.*), yours (is|raises) (.*)\.$")
TWICE = re.compile(
    r" For example, `(.*)` should be (.*), yours (.*), and (.*) when it was called again\.$"
)
LEFT = re.compile(rf"{BEFORE}`(.*)` should leave (.*) as it is, yours makes it (.*)\.$")
SPECIAL = re.compile(
    r"It was right on (?:the ordinary inputs that were tried, but not on (.*?)"
    r"|many of the calls that were tried, but not on all)\. ?(?=There|The|In|On|$)"
)
NEITHER = re.compile(
    r" \(On (?:(?P<lost>.*) it gives NaN or infinity, too"
    r"|(?P<other>.*) something else comes out, which is not right either)\.\)"
)
BESIDES = re.compile(
    r" Besides, (?:in values? (?P<which>[\d and,]+) )?(?:(?:a whole number is|whole numbers are) "
    r"wanted, and yours (?:is a float|are floats)|truth values are wanted, True or False "
    r"\(type bool\), and yours are numbers)\."
)
MORE = re.compile(r"(?:, nor on |, on | and on | and )(one|\d+) more kinds? of calls$")
RIGHT_ON = re.compile(r" \(On (.*) it is right\.\)$")


def untrue(exercise: Exercise, calls: Sequence[Call], verdict: Verdict) -> list[str]:
    """What is not true in a verdict on these calls, in words; nothing if all is true."""
    message = verdict.message
    if match := BESIDES.search(message):
        whole = [_in_wanted_kinds(call, match) for call in calls]
        if all(call is made for call, made in zip(calls, whole, strict=True)):
            return [f"untrue: {match[0]}"]
        calls, message = whole, message[: match.start()] + message[match.end() :]
    if verdict.status == "correct":
        return [] if all(call.right for call in calls) else ["called correct"]
    if all(call.right for call in calls):
        return ["called wrong"]
    if message.startswith("Made twice, the same call does not give the same: "):
        return list(_untrue_of_the_unsteady(calls, message))
    once = [call for call in calls if call.kind != AGAIN]
    if not all(call.right for call in once):
        calls = once
    known = next((m for m in exercise.misconceptions if m.id == verdict.misconception), None)
    if known is not None:
        return list(_untrue_of_the_known(exercise, known, calls, message))
    said = list(_untrue_example(exercise, calls, message))
    drawn = [call for call in calls if not call.case.call]
    if all(call.right for call in drawn):
        drawn = list(calls)
    rest = LEFT.sub("", EXAMPLE.sub("", message))
    for template, check in TEMPLATES:
        if match := re.fullmatch(template, rest):
            if not check(exercise, drawn, match):
                said.append(f"untrue: {rest}")
            return said
    return [*said, *_untrue_of_the_numbers(exercise, drawn, calls, rest)]


def _in_wanted_kinds(call: Call, match: re.Match[str]) -> Call:
    """With integers where floats came in their place, and truth values for numbers."""
    if call.got.state != "returned":
        return call
    several = isinstance(call.want.value, (tuple, list))
    wants, gots = (list(v) if several else [v] for v in (call.want.value, call.got.value))
    which = {int(number) - 1 for number in re.findall(r"\d+", match["which"] or "")}
    changed = False
    for number, (want, got) in enumerate(zip(wants, gots, strict=True)):
        kinds = np.asarray(want).dtype.kind, np.asarray(got).dtype.kind
        asked = {"b": "truth values", "i": "whole number"}.get(kinds[0], "nothing")
        here = asked in match[0] and (not several or number in which)
        if here and kinds in {("i", "f"), ("b", "f"), ("b", "i")}:
            gots[number] = np.asarray(got).astype(np.asarray(want).dtype)
            changed = True
    made = type(call.got.value)(gots) if several else gots[0]
    return replace(call, got=replace(call.got, value=made)) if changed else call


def _untrue_of_the_unsteady(calls: Sequence[Call], message: str) -> Iterator[str]:
    pairs = [
        (next(call for call in calls if call.case.arguments is again.case.arguments), again)
        for again in calls
        if again.kind == AGAIN
    ]
    changed = [first for first, again in pairs if not alike(first.got, again.got, 1e-6)]
    if not changed:
        yield f"untrue: {message}"
    if match := TWICE.search(message):
        first = next((call for call in changed if call.case.call == match[1]), None)
        if first is None or match[3] == match[4]:
            yield f"no such call: {message}"


def told_kinds(text: str, calls: Sequence[Call], meant: set[str]) -> set[str] | None:
    """As `kinds_in`; with "2 more kinds of calls" all that are meant, if their number is right."""
    match = MORE.search(text)
    if match is None:
        return kinds_in(text, calls)
    named = kinds_in(text[: match.start()], calls) or set()
    more = 1 if match[1] == "one" else int(match[1])
    return meant if named < meant and len(named) == 2 and len(meant) == 2 + more else None


def kinds_in(text: str, calls: Sequence[Call]) -> set[str] | None:
    """The kinds of calls in "one, on two and on three"; None if it names anything else."""
    known = {call.kind for call in calls}
    found = set(re.split(r", nor on | and on |, on | and ", text))
    if found <= known:
        return found
    for kind in known:
        if text == kind:
            return {kind}
        for joint in (", nor on ", " and on ", ", on ", " and ", ", "):
            if text.startswith(kind + joint):
                others = kinds_in(text[len(kind + joint) :], calls)
                if others is not None:
                    return {kind} | others
    return None


def _untrue_of_the_known(
    exercise: Exercise, known: Misconception, calls: Sequence[Call], message: str
) -> Iterator[str]:
    from course_lib.sandbox.calling import call as called

    if not message.startswith(known.says):
        yield "not the sentence of the mistake"
    rest, _, example = message[len(known.says) :].partition(" For example, ")
    same = {id(c): _as_known(known, called(known.variant, c.case.arguments), c) for c in calls}
    hand = [call for call in calls if call.case.call]
    drawn = [call for call in calls if not call.case.call] or hand
    ordinary = [call for call in drawn if call.kind == ORDINARY]
    if not all(same[id(call)] for call in ordinary or drawn):
        yield "not that mistake on ordinary inputs"
    ways = (known.variant, *known.others)
    unexplained = [
        call
        for call in calls
        if not (call.right or same[id(call)])
        and all(_otherwise(called(way, call.case.arguments), call) for way in ways)
    ]
    others = {call.kind for call in unexplained}
    match = NEITHER.fullmatch(rest)
    meant = others - {SMALL} or others
    told = told_kinds(match["lost"] or match["other"], calls, meant) if match else set()
    if told != meant or (rest and not match):
        yield f"told {rest!r}, but something else is wrong on {others}"
    of_told = [call for call in unexplained if call.kind in (told or ())]
    lost = [
        c.got.state == "returned" and _all_finite(c.want) and not _all_finite(c.got)
        for c in of_told
    ]
    if match and bool(match["lost"]) != all(lost):
        yield f"told {rest!r} of {lost}"
    if example or told == {SMALL}:
        of_the_told = [call for call in unexplained if call.kind in (told or ())]
        yield from _untrue_example(exercise, of_the_told, message)


def _as_known(known: Misconception, theirs: Outcome, call: Call) -> bool:
    if alike(theirs, call.got, call.tolerance):
        return True
    if not known.noise or alike(call.want, theirs, call.tolerance):
        return False
    pairs = list(zip(values(theirs.value), values(call.got.value), strict=False))
    return all(np.abs(g - w).max() <= known.noise * np.abs(w).max() for w, g in pairs)


def _otherwise(theirs: Outcome, call: Call) -> bool:
    """Whether the call came out otherwise than in this way to make the mistake, and not right.

    Who keeps NaN or an error away has made no other mistake by that.
    """
    kept_away = all(map(_all_finite, (call.want, call.got))) and not _all_finite(theirs)
    return not kept_away and _neither(theirs, call)


def _neither(theirs: Outcome, call: Call) -> bool:
    """Whether a number of the call is neither the right one nor that of the mistake."""
    for outcome in (call.got, theirs):
        if not (call.want.state == outcome.state == "returned"):
            return True
        if not all(map(unchanged, call.want.arguments, outcome.arguments)):
            return True
    if _same_numbers(theirs.value, call.got.value, call.tolerance):
        return False
    if any(_other_shapes(call.want.value, outcome.value) for outcome in (call.got, theirs)):
        return True
    triples = zip(
        *(_pieces(call.want.value, o.value) for o in (call.want, theirs, call.got)), strict=True
    )
    return any(
        (off(w, g, call.tolerance) & off(t, g, call.tolerance) & ~_by_rounding(w, t, g)).any()
        for w, t, g in triples
        if w is not None and t is not None and g is not None
    )


def _same_numbers(theirs: Any, got: Any, tolerance: float) -> bool:
    """Whether they are the mistake's, as floats in place of integers perhaps."""
    pieces, made = (_pieces(theirs, value) for value in (theirs, got))
    several = [isinstance(value, (tuple, list)) for value in (theirs, got)]
    return (
        several[0] == several[1]
        and len(pieces) == len(made)
        and all(
            t is not None
            and g is not None
            and t.shape == g.shape
            and not off(t.astype(float), g.astype(float), tolerance).any()
            for t, g in zip(pieces, made, strict=True)
        )
    )


def _by_rounding(want: np.ndarray, theirs: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Which numbers are the mistake's next to the largest that was wanted: rounded zeros."""
    largest = np.abs(np.where(np.isfinite(want.astype(float)), want, 0)).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(got.astype(float) - theirs.astype(float)) <= 1e-12 * largest)


def _all_finite(outcome: Outcome) -> bool:
    pieces = [array(value) for value in values(outcome.value)]
    return outcome.state == "returned" and all(
        np.isfinite(piece.astype(complex)).all() for piece in pieces if piece is not None
    )


def _pieces(want: Any, value: Any) -> list[np.ndarray | None]:
    several = isinstance(want, (tuple, list)) and isinstance(value, (tuple, list))
    return [array(piece) for piece in (value if several else [value])]


def _other_shapes(want: Any, got: Any) -> bool:
    wanted, actual = _pieces(want, want), _pieces(want, got)
    return len(wanted) != len(actual) or any(
        w is None
        or g is None
        or w.shape != g.shape
        or g.dtype.kind not in {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}[w.dtype.kind]
        for w, g in zip(wanted, actual, strict=True)
    )


def _untrue_change(call: Call | None, kept: str, made: str) -> Iterator[str]:
    """Of a call that returns what it should, but changes one of its arguments."""
    if call is None or call.got.state != "returned":
        yield "an example of its own"
    elif not agree(call.want.value, call.got.value, call.tolerance):
        yield "an example that returns something wrong"
    elif kept == made or not any(
        _is_shown(kept, before) and _is_shown(made, after)
        for before, after in zip(call.want.arguments, call.got.arguments, strict=True)
    ):
        yield f"the example makes {call.got.arguments} of {call.want.arguments}"


def _untrue_example(exercise: Exercise, calls: Sequence[Call], message: str) -> Iterator[str]:
    hand = sorted((call for call in calls if call.case.call), key=_extremes)
    if left := LEFT.search(message):
        _, text, *shown = left.groups()
        yield from _untrue_change(_pasted(exercise, calls, text), *shown)
        return
    match = EXAMPLE.search(message)
    if not match:
        wrong = [
            c
            for c in hand
            if c.got.state == "returned" and not agree(c.want.value, c.got.value, c.tolerance)
        ]
        if any(_numbers_differ(call) for call in wrong):
            yield "no example, though there is one"
        return
    how, text, should, verb, yours = match.groups()
    call = _pasted(exercise, calls, text)
    raises = message.startswith("Your function raised ")
    lost = message.startswith("Your function gives ")
    if raises and (how == "raises nothing") != (verb == "is"):
        yield "not what its sentence says of errors"
    stays = verb == "is" and not re.search(r"\b(nan|inf)\b", yours)
    if lost and (how == "stays finite") != stays:
        yield "not what its sentence says of NaN and infinity"
    if call is None:
        yield "an example of its own"
    elif call.right:
        yield "an example that comes out right"
    elif not _is_shown(should, call.want.value):
        yield f"the example should be {call.want.value}"
    elif verb == "raises":
        if call.got.state != "raised" or not call.got.error.startswith(yours):
            yield f"the example raises {call.got.error}"
    elif call.got.state != "returned" or not _is_shown(yours, call.got.value):
        yield f"the example gives {call.got.value}"
    elif should == yours or agree(call.want.value, call.got.value, call.tolerance):
        yield "the example shows no difference"
    else:
        spoken_of = next((wrong[0] for c in calls if (wrong := _wrong_values(c))), None)
        earlier = hand[: hand.index(call)] if call in hand else hand
        if spoken_of in _wrong_values(call):
            earlier = [c for c in earlier if spoken_of in _wrong_values(c)]
        earlier = [c for c in earlier if not _only_the_shape_differs(c)]
        if any(not c.right and _numbers_differ(c) for c in earlier) and not any(
            c.got.state == "raised" for c in calls
        ):
            yield "a smaller example goes wrong"


def _pasted(exercise: Exercise, calls: Sequence[Call], text: str) -> Call | None:
    """The call of this text, or a wrong one that was drawn with what Python makes of it."""
    if hand := [call for call in calls if call.case.call == text and not call.right]:
        return hand[0]
    arguments = eval(text, {"np": np, exercise.name: lambda *given: given})
    return next(
        (
            call
            for call in calls
            if not (call.case.call or call.kind == AGAIN or call.right)
            and all(
                callable(a) or unchanged(b, a)
                for a, b in zip(arguments, call.case.arguments, strict=True)
            )
        ),
        None,
    )


def _extremes(call: Call) -> int:
    """How many arguments nobody multiplies by hand: beyond a thousand, or below 1e-4."""
    sizes = [[abs(number) for number in _numbers(value)] for value in call.case.arguments]
    return sum(any(size > 1000 or 0 < size < 1e-4 for size in each) for each in sizes)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, (int, float, np.ndarray, np.generic)):
        yield from np.ravel(value).tolist()


def _wrong_values(call: Call) -> list[int]:
    if call.got.state != "returned":
        return []
    want, got = call.want.value, call.got.value
    if isinstance(want, (tuple, list)) and not isinstance(got, (tuple, list)):
        return [0]  # there is but one, of another kind
    pairs = zip(values(want), values(got), strict=False)
    return [n for n, (w, g) in enumerate(pairs) if not agree(w, g, call.tolerance)]


def _numbers_differ(call: Call) -> bool:
    if call.got.state != "returned":
        return False
    several = isinstance(call.want.value, (tuple, list))
    stacked = several and isinstance(call.got.value, np.ndarray) and call.got.value.ndim > 0
    want = values(call.want.value)
    got = list(call.got.value) if stacked else values(call.got.value)
    if len(want) != len(got):
        return True
    for w, g in zip(want, got, strict=True):
        made = array(g)
        if made is None or made.shape != np.shape(w) or not np.array_equal(made, w):
            return True
    return False


def _only_the_shape_differs(call: Call) -> bool:
    """Whether the right numbers came in one row: such an example comes after others."""
    made = array(call.got.value) if call.got.state == "returned" else None
    want = None if isinstance(call.want.value, str) else array(call.want.value)
    if made is None or want is None or made.shape == want.shape:
        return False
    return agree(want.ravel(), made.ravel(), call.tolerance)


def _is_shown(text: str, value: Any) -> bool:
    if not isinstance(value, (tuple, list)) and array(value) is None and value is not None:
        return text == described(value)
    if " of " in text:  # described, not shown
        return True
    shown = eval(text, {"inf": math.inf, "nan": math.nan})
    return _nearly(shown, value)


def _nearly(shown: Any, value: Any) -> bool:
    if isinstance(value, tuple) != isinstance(shown, tuple):
        return False
    if isinstance(shown, (tuple, list)):
        if not isinstance(value, (tuple, list)) and not np.ndim(value):
            return False
        if shown and shown[-1] is Ellipsis:  # many texts: the first of them
            return len(value) >= len(shown) and all(map(_nearly, shown[:-1], value))
        return len(value) == len(shown) and all(map(_nearly, shown, value))
    if shown is None or isinstance(shown, bool):
        return bool(shown == value)
    if isinstance(shown, str) or isinstance(value, str):
        return bool(shown == value)
    return bool(np.isclose(shown, value, rtol=6e-5, atol=0, equal_nan=True))


# --- templates of the findings ------------------------------------------------------------------

Check = Callable[[Exercise, Sequence[Call], re.Match[str]], bool]


def _on(calls: Sequence[Call], kind: str | None) -> list[Call]:
    if kind in ("some small calls", f"some {ORDINARY}"):
        kind = SMALL if "small" in kind else ORDINARY
    return [call for call in calls if kind in (None, call.kind)]


def _timeout(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    return any(call.got.state == "timeout" for call in _on(calls, match["kind"]))


def _raised(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    if match["rest"]:
        ordinary = _on(calls, ORDINARY)
        right = [call.right for call in ordinary]
        how = "not always right" if any(right) else "not right either"
        if all(_equal_numbers(call) and _keeps_its_arguments(call) for call in ordinary):
            how = "right only up to the type of its numbers"
        if all(right) or match["how"] != how or any(c.got.state != "returned" for c in ordinary):
            return False
    there = _on(calls, match["kind"])
    if (match["kind"] == f"some {ORDINARY}") != (
        "returned" in {call.got.state for call in there} and there[0].kind == ORDINARY
    ):
        return False
    return any(
        call.got.state == "raised" and match["error"].startswith(call.got.error) for call in there
    )


def _equal_numbers(call: Call) -> bool:
    values = [call.want.value, call.got.value]
    pieces = [v if isinstance(v, (tuple, list)) else [v] for v in values]
    return len(pieces[0]) == len(pieces[1]) and all(map(np.array_equal, *pieces))


def _keeps_its_arguments(call: Call) -> bool:
    return all(map(unchanged, call.want.arguments, call.got.arguments))


def _nothing(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    there = [call for call in calls if match["on"] in (None, call.kind)]
    came = [call.got.state == "returned" and call.got.value is None for call in there]
    return all(came) if match["on"] is None else any(came)


def _several(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    for call in _on(calls, match["kind"]):
        want, got = call.want.value, call.got.value
        if type(want).__name__ != match["type"] or len(want) != int(match["number"]):
            continue
        found = (
            f"{len(got)} values"
            if isinstance(got, (tuple, list)) and len(got) != 1
            else described(got)
        )
        joined = isinstance(got, np.ndarray) and got.shape[:1] == (len(want),)
        if found == match["got"] and joined == bool(match["joined"]):
            return True
    return False


def _shape(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    always = match["kind"] is None and not match["which"] and not match[0].endswith("comma?")
    if always and any(array(call.got.value) is not None for call in calls):
        return False
    for call in _on(calls, match["kind"]):
        want, got = values(call.want.value), values(call.got.value)
        if match["which"] is None:
            want, got = [call.want.value], [call.got.value]
        elif len(want) != int(match["of"]):
            continue
        number = int(match["which"] or 1) - 1
        if number >= min(len(want), len(got)):
            continue
        w, g = want[number], got[number]
        if (described(w), described(g)) == (match["want"], match["got"]):
            too = [int(n) - 1 for n in re.findall(r"\d+", match["too"] or "")]
            others = [n for n in _wrong_values(call) if n != number]
            is_shape = array(g) is not None and not match[0].endswith("comma?")
            if too != (others if is_shape else []):
                return False
            if match["turned"]:
                return agree(np.asarray(w).T, g, call.tolerance)
            return np.shape(w) != (np.shape(array(g)) if array(g) is not None else None)
    return False


def _type(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    for call in _on(calls, match["kind"] or ORDINARY):
        for w, g in zip(values(call.want.value), values(call.got.value), strict=False):
            types = str(np.asarray(w).dtype), str(np.asarray(g).dtype)
            if types == (match["want"] or "bool", match["got"]):
                return not agree(w, g, call.tolerance)
    return False


def _float(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    """The right numbers, though floats where whole ones are wanted, as the one that is shown."""
    found = False
    for call in calls:
        want, got = values(call.want.value), values(call.got.value)
        if int(match["of"] or len(want)) != len(want):
            continue
        for number in [int(match["which"]) - 1] if match["which"] else range(len(want)):
            w, g = np.asarray(want[number]), np.asarray(got[number])
            if w.shape != g.shape or not (w == g).all():
                return False
            shown = g.ravel()[:1].tolist() == ([float(match["shown"])] if match["shown"] else [])
            types = w.dtype.kind in "iu" and g.dtype.kind == "f"
            found |= types and shown and bool(match["several"]) == (g.ndim > 0)
    return found


def _lost(call: Call) -> str:
    words = ""
    for w, g in zip(values(call.want.value), values(call.got.value), strict=False):
        bad = np.isfinite(np.asarray(w, float)) & ~np.isfinite(np.asarray(g, float))
        if bad.any():
            lost = np.asarray(g, float)[bad]
            signs = [
                name
                for name, sign in (("infinity", 1), ("minus infinity", -1))
                if sign in np.sign(lost)
            ]
            words += "NaN;" if np.isnan(lost).any() else f"{' and '.join(signs)};"
    return words


def _not_finite(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    word = "NaN|infinity and minus infinity|infinity|minus infinity"
    told = re.findall(rf"({word}) on (.+?)(?=, and (?:{word}) on |$)", match["told"])
    some = "some " + ORDINARY in match["told"]
    meant: dict[str, set[str]] = {word: set() for word, _ in told}
    for kind in {call.kind for call in calls}:
        first = next(filter(None, map(_lost, _on(calls, kind))), "").partition(";")[0]
        meant.setdefault(first, set()).add(kind)
    pieces = [
        (word, kind)
        for word, on in told
        for kind in told_kinds(on.replace("some " + ORDINARY, ORDINARY), calls, meant[word]) or {on}
    ]
    lost = {call.kind for call in calls if _lost(call)}
    if {kind for _, kind in pieces} != lost or len(pieces) != len(lost):
        return False
    if not all(
        any(f"{word};" in _lost(call) for call in _on(calls, kind)) for word, kind in pieces
    ):
        return False
    if ORDINARY in lost and some != any(_all_finite(call.got) for call in _on(calls, ORDINARY)):
        return False
    ordinary = [agree(c.want.value, c.got.value, c.tolerance) for c in _on(calls, ORDINARY)]
    if match["rest"] is None:
        return ORDINARY in lost
    return (
        ORDINARY not in lost
        and {
            ".": all(ordinary),
            ", but is not right either.": not any(ordinary),
            ", but is not always right.": len(set(ordinary)) == 2,
        }[match["rest"]]
    )


def _changed(exercise: Exercise, calls: Sequence[Call], match: re.Match[str]) -> bool:
    names = list(inspect.signature(exercise.reference).parameters)
    told = match["names"].split(" and ")
    if (len(told) > 1) != (match["s"] == "s") or (len(told) > 1) != (match["it"] == "them"):
        return False
    values = {agree(c.want.value, c.got.value, c.tolerance) for c in _on(calls, ORDINARY)}
    if match["how"] != (
        None if values <= {True} else "always right" if True in values else "right"
    ):
        return False
    for call in calls:
        pairs = zip(names, call.want.arguments, call.got.arguments, strict=False)
        changed = [f"`{name}`" for name, before, after in pairs if not unchanged(before, after)]
        if changed:
            return changed == told
    return False


def _texts(e: Exercise, drawn: Scope, match: re.Match[str]) -> bool:
    call = next(call for call in drawn if not call.right)
    told = [ast.literal_eval(match[name]) for name in ("want", "got")]
    values = [call.want.value, list(call.got.value)]
    return match["kind"] == call.kind and all(map(_begins, values, told))


def _no_texts(e: Exercise, drawn: Scope, match: re.Match[str]) -> bool:
    """On one kind of calls, if others return texts, and else on all."""
    texts = [
        isinstance(c.got.value, (list, tuple)) and all(isinstance(t, str) for t in c.got.value)
        for c in drawn
    ]
    there = [c for c in _on(drawn, match["kind"]) if described(c.got.value) == match["got"]]
    return bool(there) and any(texts) == bool(match["kind"])


def _begins(texts: list[str], told: list[Any]) -> bool:
    """Whether a list was told, or its beginning and an ellipsis."""
    if told[-1:] != [...]:
        return texts == told
    shown = told[:-1]
    return len(texts) > len(shown) > 0 and texts[: len(shown)] == shown


def _order(e: Exercise, drawn: Scope, match: re.Match[str]) -> bool:
    """Put into that order, all is right in every call."""
    places = [int(n) - 1 for n in (match["first"], *re.findall(r"\d+", match["others"]))]
    made = [
        replace(call.got, value=type(call.want.value)(call.got.value[place] for place in places))
        for call in drawn
        if call.want.state == "returned"
    ]
    wants = [call for call in drawn if call.want.state == "returned"]
    return all(alike(c.want, got, c.tolerance) for c, got in zip(wants, made, strict=True))


ON = r" \(on (?P<kind>.+?)\)"
TOO = r" Values? [\d and,]+ differs?, too\."
TEMPLATES: tuple[tuple[str, Check], ...] = (
    (r"On (?P<kind>.+?): expected (?P<want>\[.*\]), got (?P<got>\[.*\])\.", _texts),
    (rf"Expected a list of texts, got (?P<got>.*?)(?:{ON})?\.", _no_texts),
    (
        r"What you return is right, but in another order: your value (?P<first>\d+) is to come "
        r"first, then your values? (?P<others>[\d and,]+)\.",
        _order,
    ),
    (r"Your function had not returned after .* s on (?P<kind>.*): look for .*", _timeout),
    (
        rf"Your function raised (?P<error>.*?){ON}\.(?P<advice> .*?)?"
        r"(?P<rest> On ordinary inputs it raises nothing, but is (?P<how>.*)\.)?",
        _raised,
    ),
    (
        r"(?:Your function|On (?P<on>.*) your function) returned nothing \(None\): "
        r"is a `return` missing\?",
        _nothing,
    ),
    (
        r"Expected (?P<number>\d+) values in a (?P<type>tuple|list), got (?P<got>.*?)"
        r"(?P<joined>: put commas between them, and no array around them)?"
        rf"(?:{ON})?\.",
        _several,
    ),
    (
        r"(?:In value (?P<which>\d+) of the (?P<of>\d+) that you return: )?"
        r"Expected (?P<want>an array of shape \(.*?\)|a single number|a (?:tuple|list) of \d+), "
        r"got (?P<got>.*?)(?P<turned>: the right numbers, transposed)?"
        rf"(?:{ON}|)(?:\.(?P<too>{TOO})?|: does your `return` line end with a comma\?)",
        _shape,
    ),
    (
        r"(?:In value \d+ of the \d+ that you return: )?(?:The numbers should be of type "
        r"(?P<want>\w+)|Expected truth values, True or False \(type bool\)), "
        rf"yours are (?P<got>\w+)(?:{ON})?(?:\.|: `np\.zeros_like.*`\.)",
        _type,
    ),
    (
        r"(?:In value (?P<which>\d+) of the (?P<of>\d+) that you return: )?The numbers? (?:is|are) "
        r"right, but (?:it is a float|(?P<several>they are floats))(?:, as (?P<shown>\S+))?; "
        r"(?:a whole number is|whole numbers are) wanted: `.*` makes (?:one|them)\.",
        _float,
    ),
    (
        r"Your function gives (?P<told>.*?)\."
        r"(?: On ordinary inputs it stays finite(?P<rest>\.|, but .*\.))?",
        _not_finite,
    ),
    (
        r"Your function changes its argument(?P<s>s?) (?P<names>.*?) in place; the caller still "
        r"needs (?P<it>it|them)\. "
        r"`x(?: -= 1` and `x\[i\] = 1`|\[i\] = \.\.\.` and `x \+= \[0\]`) write into .*?"
        r"(?: What it returns is not (?P<how>always right|right) either\.)?",
        _changed,
    ),
)


# --- claims on the numbers ----------------------------------------------------------------------


def _untrue_of_the_numbers(
    exercise: Exercise, drawn: Sequence[Call], calls: Sequence[Call], told: str
) -> Iterator[str]:
    drawn = sorted(drawn, key=lambda call: call.kind != ORDINARY)
    scope = list(calls)
    rest = told
    if match := SPECIAL.match(rest):
        wrong = {call.kind for call in drawn if not call.right}
        kinds = (told_kinds(match[1], calls, wrong) or set()) if match[1] else {SMALL}
        kinds -= {SMALL} if match[1] else set()
        if kinds != wrong or ORDINARY in wrong:
            yield f"untrue: {match[0]} It is wrong on {wrong}."
        scope = [c for c in calls if c.kind in wrong or (c.kind == SMALL and not c.right)]
        rest = rest[match.end() :]
        rest = re.sub(r"^There,? ", "", rest)
        rest = re.sub(rf"^({WHERE}), ", r"\1: ", rest)
    if match := RIGHT_ON.search(rest):
        named, small, _ = match[1].partition("some small calls")
        named = named.removesuffix(" and ")
        kinds = (kinds_in(named, calls) or set()) if named else set()
        right_here = {SMALL} <= {call.kind for call in calls if call.right}
        if not all(call.right for call in calls if call.kind in kinds) or (
            not right_here if small else not kinds
        ):
            yield f"untrue: {match[0]}"
        scope = [
            call
            for call in scope
            if call.kind not in kinds and not (small and call.kind == SMALL and call.right)
        ]
        rest = rest[: match.start()]
    which: set[int] | None = None
    if match := re.search(r" Values? ([\d and,]+) differs?, too\.$", rest):
        first = next(call for call in drawn if not call.right)
        pairs = enumerate(zip(values(first.want.value), values(first.got.value), strict=True), 1)
        differ = [n for n, (w, g) in pairs if not agree(w, g, drawn[0].tolerance)]
        if list(map(int, re.findall(r"\d+", match[1]))) != differ[1:]:
            yield f"untrue: {match[0]}"
        rest = rest[: match.start()]
    if match := re.match(f"{WHERE}: ", rest):
        which = {int(number) - 1 for number in re.findall(r"\d+", match["which"])}
        rest = rest[match.end() :]
        of = {len(call.want.value) for call in drawn if not call.right}
        if int(match["of"]) not in of:
            yield f"untrue: {match[0]}"
    for template, check in CLAIMS:
        if match := re.fullmatch(template, rest):
            if not check(exercise, drawn if check is _first else scope, which, match):
                yield f"untrue: {told}"
            return
    yield f"no template reads: {told}"


def _pairs(call: Call, which: set[int] | None) -> list[tuple[np.ndarray, np.ndarray]]:
    want, got = values(call.want.value), values(call.got.value)
    if not isinstance(call.want.value, (tuple, list)):
        want, got = [call.want.value], [call.got.value]
    pairs = zip(want, got, strict=True)
    return [
        (np.asarray(w, float), np.asarray(g, float))
        for number, (w, g) in enumerate(pairs)
        if which is None or number in which
    ]


Scope = Sequence[Call]
Which = set[int] | None
NumbersCheck = Callable[[Exercise, Scope, Which, re.Match[str]], bool]


def _all(scope: Scope, which: Which, turned: Callable[[Call, np.ndarray], Any]) -> bool:
    return all(
        not off(np.asarray(turned(call, want), float), got, max(call.tolerance, 2e-3)).any()
        for call in scope
        for want, got in _pairs(call, which)
    )


def _subject(scope: Scope, which: Which, match: re.Match[str]) -> bool:
    several = any(want.size > 1 for call in scope for want, _ in _pairs(call, which))
    return several == (match["subject"].lower() == "every number")


def _sign(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    return _subject(scope, which, match) and _all(scope, which, lambda _, want: -want)


def _factor(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    factor = float(match["factor"])
    return _subject(scope, which, match) and _all(scope, which, lambda _, want: factor * want)


def _count(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    names = list(inspect.signature(e.reference).parameters)

    def factor(call: Call) -> float:
        shape = np.shape(call.case.arguments[names.index(match["name"])])
        number = {
            "the number of rows": shape[0] if len(shape) < 3 else math.nan,
            "the number of columns": shape[-1] if len(shape) < 3 else math.nan,
            "the length of the first axis": shape[0],
            "the length of the last axis": shape[-1],
            "the number of elements": math.prod(shape),
            "the length": shape[0] if len(shape) == 1 else math.nan,
        }[match["count"]]
        return (-1 if match["sign"] else 1) * (1 / number if match["over"] else number)

    return _subject(scope, which, match) and _all(
        scope, which, lambda call, want: factor(call) * want
    )


def _one_factor(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    factors = []
    for call in scope:
        want = np.concatenate([w.ravel() for w, _ in _pairs(call, which)])
        got = np.concatenate([g.ravel() for _, g in _pairs(call, which)])
        if not np.any(want):
            continue
        factor = got @ want / (want @ want)
        factors.append(factor)
        if call.right or off(factor * want, got, max(call.tolerance, 1e-5)).any():
            return False
    told = [float(text) for text in match["factors"].split(", ")]
    return len(told) > 1 and all(
        any(math.isclose(one, factor, rel_tol=1e-3) for factor in factors) for one in told
    )


def _amount(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    amount = float(match["amount"])
    return _subject(scope, which, match) and all(
        np.allclose(got - want, amount, rtol=1e-3, atol=1e-6 * np.abs(want).max(initial=0))
        for call in scope
        for want, got in _pairs(call, which)
    )


def _turned(e: Exercise, scope: Scope, which: Which, match: re.Match[str]) -> bool:
    return all(
        want.T.shape == got.shape and not off(want.T, got, call.tolerance).any()
        for call in scope
        for want, got in _pairs(call, which)
    )


def _first(e: Exercise, drawn: Scope, which: Which, match: re.Match[str]) -> bool:
    call = next(call for call in drawn if not call.right)
    if not (match["call"] == call.kind or match["call"].startswith(f"{call.kind} (")):
        return False
    names = list(inspect.signature(e.reference).parameters)
    arguments = dict(zip(names, call.case.arguments, strict=False))
    for name, shape in re.findall(r"`(\w+)` of shape (\(.*?\))[,)]", match["call"] + ")"):
        if str(np.shape(arguments[name])) != shape:
            return False
    for name, value in re.findall(r"`(\w+)=(.*?)`", match["call"]):
        given = arguments[name]
        if not (value == str(given) or math.isclose(float(value), given, rel_tol=1e-5)):
            return False
    several = isinstance(call.want.value, (tuple, list))
    number = 0
    wants, gots = [call.want.value], [call.got.value]
    if several:
        wants, gots = list(call.want.value), list(call.got.value)
        wrong = [i for i in range(len(wants)) if not agree(wants[i], gots[i], call.tolerance)]
        if which != {wrong[0]} and len(wants) > 1:
            return False
        number = wrong[0]
    want, got = np.asarray(wants[number]), np.asarray(gots[number])
    place: tuple[int, ...] = ()
    if match["at"] is not None:
        place = tuple(map(int, match["at"].split(", ")))
        if place != tuple(np.argwhere(off(want, got, call.tolerance))[0]):
            return False
    expected, actual = want[place], got[place]
    return match["want"] != match["got"] and all(
        _is_shown(text, number)
        for text, number in ((match["want"], expected), (match["got"], actual))
    )


SUBJECT = r"(?P<subject>[Ee]very number|[Yy]our value)"
CLAIMS: tuple[tuple[str, NumbersCheck], ...] = (
    (rf"{SUBJECT} has the right size, but the wrong sign\.", _sign),
    (rf"{SUBJECT} is (?P<factor>\S+) times what it should be\.", _factor),
    (
        rf"{SUBJECT} is off by a factor that is (?P<over>one over )?(?P<count>the [\w ]+?) "
        r"of `(?P<name>\w+)`(?P<sign>, and has the wrong sign)?: by what should .*",
        _count,
    ),
    (
        r"[Ii]n each call all numbers are off by one factor, which is not the same in every call: "
        r"(?P<factors>.*)\. What do the calls differ in\?",
        _one_factor,
    ),
    (rf"{SUBJECT} is off by the same amount: (?P<amount>\S+)\.", _amount),
    (r"(?:These|these) are the right numbers, transposed: .*", _turned),
    (
        r"(?:The first difference, on|On) (?P<call>.*?)(?:, is at \[(?P<at>.*)\])?: "
        rf"expected (?P<want>{NUMBER}), got (?P<got>{NUMBER})\.",
        _first,
    ),
)
