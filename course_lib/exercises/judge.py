"""From a function, or from what it returned elsewhere, to a Verdict with a diagnosis."""

from __future__ import annotations

import ast
import dis
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .. import lessons
from ..errors import NEAR, visible
from ..sandbox.calling import call, quiet
from . import by_hand, diagnosis
from .catalogue import find, names
from .exercise import (
    AGAIN,
    ORDINARY,
    Case,
    Exercise,
    Misconception,
    Outcome,
    Status,
    Verdict,
)
from .systematic import systematic
from .verdict import PLACE_IS_LOOKED_FOR

SHORT = 200
"""Letters of an example that only adds to a sentence."""
LETTERS = 2
"""A name of no more may be a letter of a formula."""
_title = cache(lessons.title)
NOT_ATTEMPTED = "Put your own lines in the place of `raise NotImplementedError()`."


def judge(name: str, function: Callable[..., Any], seed: int = 0, locate: bool = False) -> Verdict:
    """Judge ``function`` as an answer to the exercise ``name``, in this process.

    Each call gets its own copy of the arguments and, on the main thread of a system with
    interval timers, at most `Exercise.seconds`.

    Args:
        name: an exercise of `catalogue()`.
        function: the attempt, any callable.
        seed: of the random cases; the same seed gives the same verdict.
        locate: look for a place, one change of which makes the attempt right (`Verdict.place`);
            that may take 1.5 s more.

    Raises:
        KeyError: there is no such exercise (the message names the nearest one).
    """
    judgment = judged(name, function, seed)
    return judgment.located() if locate else judgment.verdict


@dataclass(frozen=True)
class Judgment:
    """A verdict and what it rests on, from which a place to look may follow."""

    exercise: Exercise
    function: Callable[..., Any]
    trials: Sequence[diagnosis.Trial]
    verdict: Verdict

    def located(self) -> Verdict:
        """The verdict, with a place to look if one is found."""
        if self.verdict.status not in PLACE_IS_LOOKED_FOR:
            return self.verdict
        from .locate import place  # not for those who are right

        return self.verdict.with_place(place(self.exercise, self.function, self.trials))


def judged(name: str, function: Callable[..., Any], seed: int = 0) -> Judgment:
    """As `judge`, but the place can be looked for later."""
    exercise = find(name)
    cases = exercise.draw_cases(seed)
    trials = _trials(exercise, cases, run_cases(function, cases, exercise.seconds))
    verdict = _diagnosis(exercise, trials)
    if verdict.status in PLACE_IS_LOOKED_FOR and not verdict.misconception:
        said = _of_the_notebook(function) + _written_sizes(function)
        verdict = replace(verdict, message=said + verdict.message)
    return Judgment(exercise, function, trials, verdict)


def _of_the_notebook(function: Callable[..., Any]) -> str:
    """Which array of the notebook is read in the place of an argument, before a space; or ""."""
    plain = inspect.unwrap(function)
    code = getattr(plain, "__code__", None)
    if code is None:
        return ""
    steps = list(dis.get_instructions(code))
    of_globals = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
    loaded = [step.argval for step in steps if "LOAD" in step.opname]
    pairs = [names for names in loaded if isinstance(names, tuple)]  # LOAD_FAST_LOAD_FAST
    read = {*loaded, *chain.from_iterable(pairs), *code.co_cellvars} - of_globals
    given = code.co_varnames[: code.co_argcount]
    ignored = [f"`{name}`" for name in given if name not in read]
    changed = {step.argval for step in steps if step.opname == "STORE_GLOBAL"}
    of_globals -= changed
    found = {name: plain.__globals__.get(name) for name in sorted(of_globals)}
    arrays = [f"`{name}`" for name, value in found.items() if isinstance(value, np.ndarray)]
    if not (ignored and arrays) or of_globals & {"locals", "eval", "exec", "vars"}:
        return ""
    it_is = "it is" if len(arrays) == 1 else "they are"
    return (
        f"Your function never reads {diagnosis.listed(ignored)}. It reads "
        f"{diagnosis.listed(arrays)}: {it_is} the notebook's, and the same in every call. "
    )


SMALLEST = 4
"""A size that is written into the code: 3 may be the colors of an image."""


def _written_sizes(function: Callable[..., Any]) -> str:
    """Which sizes of arrays stand in the code as numbers, before a space; or ""."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    sizes: list[int] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(attr="zeros" | "ones" | "empty" | "full"), [shape, *_]):
                lengths = shape.elts if isinstance(shape, (ast.Tuple, ast.List)) else [shape]
                numbers = [one.value for one in lengths if isinstance(one, ast.Constant)]
                sizes += [n for n in numbers if type(n) is int and n >= SMALLEST]
    if not sizes:
        return ""
    told = diagnosis.listed(list(map(str, dict.fromkeys(sizes))))
    several = len(set(sizes)) > 1
    return (
        f"Your code writes the size{'s' if several else ''} {told} itself, and in other calls "
        f"{'others are' if several else 'another is'} needed: the arguments know them, as "
        "`x.shape[1]`. "
    )


def run_cases(function: Callable[..., Any], cases: Sequence[Case], seconds: float) -> list[Outcome]:
    """Call ``function`` on every case; after the first call that hangs the rest are not tried."""
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(call(function, case.arguments, seconds))
        if outcomes[-1].state == "timeout":
            break
    return outcomes


def diagnose(exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Verdict:
    """Compare the outcomes of an attempt with the reference and name the mistake.

    The order of judgment: not attempted; correct; a known misconception that explains every
    outcome; another result of the same call; out of time; raised; wrong type or shape; a known
    misconception that explains the ordinary cases; wrong dtype; NaN or infinity; arguments
    changed; what is systematic about the difference. (A misconception comes before the general
    findings because it may itself raise, overflow or change its arguments, and its sentence says
    more.)

    Args:
        exercise: what was asked.
        cases: the calls, in order.
        outcomes: what came of them; fewer than cases if the attempt ran out of time.
    """
    return diagnosed(exercise, cases, outcomes)[0]


def diagnosed(
    exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> tuple[Verdict, Sequence[diagnosis.Trial]]:
    """As `diagnose`, with the trials that the verdict rests on."""
    trials = _trials(exercise, cases, outcomes)
    return _diagnosis(exercise, trials), trials


def _trials(
    exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> list[diagnosis.Trial]:
    missing = [Outcome("lost", error="it gave no answer")] * (len(cases) - len(outcomes))
    trials = []
    for case, got in zip(cases, [*outcomes, *missing], strict=True):
        want = known_outcome(exercise.reference, case)
        if got.state == "returned":
            value = diagnosis.shortened(want.value, got.value)
            arguments = diagnosis.shortened(want.arguments, got.arguments)
            got = replace(got, value=value, arguments=arguments)
        trials.append(diagnosis.Trial(case, want, got, exercise.tolerance))
    return trials


def _diagnosis(exercise: Exercise, trials: Sequence[diagnosis.Trial]) -> Verdict:
    with quiet():  # odd values are compared, too
        verdict = _without_output(exercise, trials)
    return replace(verdict, printed=printed(exercise, trials))


def _without_output(exercise: Exercise, trials: Sequence[diagnosis.Trial]) -> Verdict:
    first = trials[0].got
    if first.error.startswith("NotImplementedError") and not first.begun:
        return _verdict(exercise, "not attempted", NOT_ATTEMPTED)
    if all(trial.correct for trial in trials):
        message = f"Correct. {diagnosis.remark(trials)}".strip()
        return _verdict(exercise, "correct", message, points=exercise.points)
    once = [trial for trial in trials if trial.case.kind != AGAIN]
    drawn = [trial for trial in once if not trial.case.call]
    spoken_of = once if all(trial.correct for trial in drawn) else drawn
    known = _matching(exercise, spoken_of)
    if known is not None:
        return _named(exercise, known, once)
    if pairs := diagnosis.unsteady(trials):
        return _with_example(_verdict(exercise, "wrong", diagnosis.UNSTEADY), by_hand.twice(pairs))
    if all(trial.correct for trial in once):  # but not when it was made again
        return _explained(exercise, trials, trials)
    verdict = _explained(exercise, spoken_of, once)
    if verdict.misconception:
        return verdict
    return _with_example(verdict, by_hand.once(exercise.name, once))


CALLS_SHOWN = 2
"""Of the calls that print something."""


def printed(exercise: Exercise, trials: Sequence[diagnosis.Trial]) -> str:
    """What an attempt printed in its first calls, those that one can compute by hand before others.

    Each part is below a line that says of which call it is; "" if nothing was printed.
    """
    with_output = [trial for trial in trials if trial.got.printed]
    with_output.sort(key=lambda trial: not trial.case.call)
    parts = [
        "\n".join([f"In {_call(exercise, trial.case)} it printed:", *_lines(trial.got.printed)])
        for trial in with_output[:CALLS_SHOWN]
    ]
    if len(with_output) > CALLS_SHOWN:
        parts.append(f"(It printed in {len(with_output)} of {len(trials)} calls.)")
    return "\n".join(parts)


def _lines(text: str) -> list[str]:
    return [f"    {visible(line.expandtabs())}" for line in text.split("\n")]


def _call(exercise: Exercise, case: Case) -> str:
    """A call as one would write it, or with the shapes of its arguments."""
    if case.call:
        return case.call
    names = inspect.signature(exercise.reference).parameters
    shapes = [
        f"{name} of shape {np.shape(value)}" if isinstance(value, np.ndarray) else name
        for name, value in zip(names, case.arguments, strict=False)
    ]
    return f"{exercise.name}({', '.join(shapes)})"


def _explained(
    exercise: Exercise, spoken_of: Sequence[diagnosis.Trial], trials: Sequence[diagnosis.Trial]
) -> Verdict:
    """What is wrong, from what was drawn; from all if only a hand-sized call goes wrong."""
    if found := _first(diagnosis.NO_VALUES, exercise, spoken_of):
        status, message = found
        return _verdict(exercise, status, message + _not_run(exercise, trials[0].got.error))
    known = _matching(exercise, [t for t in spoken_of if t.case.kind == ORDINARY])
    if known is not None:
        return _named(exercise, known, trials)
    if turned := diagnosis.in_wanted_kinds(trials):  # the graver thing comes first
        alike, wanted = turned
        of_these = {id(trial) for trial in spoken_of}
        these = [b for a, b in zip(trials, alike, strict=True) if id(a) in of_these]
        if not all(trial.correct for trial in these):
            known = _matching(exercise, these)
            verdict = (
                _explained(exercise, these, alike)
                if known is None
                else _named(exercise, known, alike)
            )
            example = f" For example, {verdict.counterexample}" if verdict.counterexample else ""
            said = verdict.message.removesuffix(example)
            return replace(verdict, message=said + wanted + example)
    if found := _first(diagnosis.USELESS_VALUES, exercise, spoken_of):
        return _verdict(exercise, *found)
    return _verdict(exercise, "wrong", systematic(exercise, spoken_of, trials))


def _not_run(exercise: Exercise, error: str) -> str:
    """What to do, after a space, where a name is missing: another exercise's, or an argument's."""
    missing = re.match(r"NameError: name '(\w+)' is not defined", error)
    if missing is None or missing[1] == "np":
        return ""
    if missing[1] not in names():
        given = list(inspect.signature(exercise.reference).parameters)
        if near := get_close_matches(missing[1], given, n=1, cutoff=NEAR):
            return f" Is `{near[0]}` meant?"
        told = diagnosis.listed([f"`{name}`" for name in given])
        if len(missing[1]) > LETTERS:
            return ""
        return f" What the function is given, it calls {told}; letters of a formula are no names."
    other = find(missing[1])
    if other.lesson != exercise.lesson:
        return (
            f" It is an exercise of lesson {other.lesson.partition('_')[0]}: "
            f"`from {other.reference.__module__} import {missing[1]}` brings the course's own."
        )
    return (
        f" It is an exercise, too: run the cell of `{missing[1]}` and its check; after a restart, "
        "all cells above this one."
    )


def _named(exercise: Exercise, known: Misconception, trials: Sequence[diagnosis.Trial]) -> Verdict:
    """With the kinds of calls that the mistake does not explain, or the one small call."""
    others = [trial for trial in trials if not trial.correct and _differently(known, trial)]
    drawn = [trial for trial in others if trial.case.kind != by_hand.KIND]
    said = known.says
    if others:
        spoken_of = drawn or others
        on = diagnosis.listed(diagnosis.few(sorted({trial.case.kind for trial in spoken_of})))
        if all(_is_lost(trial) for trial in spoken_of):
            said += f" (On {on} it gives NaN or infinity, too.)"
        else:
            said += f" (On {on} something else comes out, which is not right either.)"
    small = by_hand.once(exercise.name, drawn or others)
    if drawn and len(small) > SHORT:  # the sentence may do without
        small = ""
    return _with_example(_verdict(exercise, "wrong", said, known), small)


def _is_lost(trial: diagnosis.Trial) -> bool:
    """Whether NaN or infinity came where a number was to come."""
    return (
        trial.got.state == "returned"
        and diagnosis.is_finite(trial.want)
        and not diagnosis.is_finite(trial.got)
    )


def _with_example(verdict: Verdict, small: str) -> Verdict:
    if not small:
        return verdict
    _, _, came = small.rpartition(", yours ")
    returned = not came.startswith("raises ")
    finite = returned and not re.search(r"\b(nan|inf)\b", came)
    before = "For example,"
    if verdict.status == "error" and returned:
        before = "Another call raises nothing, but is wrong:"
    elif verdict.message.startswith(diagnosis.GIVES) and finite:
        before = "Another call stays finite, but is wrong:"
    return replace(verdict, message=f"{verdict.message} {before} {small}", counterexample=small)


def _differently(known: Misconception, trial: diagnosis.Trial) -> bool:
    """Whether something of the learner's call is neither right nor what this mistake gives.

    Who keeps NaN or an error away, which the variant runs into, has made no other mistake by that;
    nor who gives its whole numbers as floats.
    """
    ways = (known.variant, *known.others)
    return not _same(known, trial) and all(_differs(way, trial) for way in ways)


def _differs(way: Callable[..., Any], trial: diagnosis.Trial) -> bool:
    variant = replace(trial, got=known_outcome(way, trial.case))
    finite = all(map(diagnosis.is_finite, (trial.want, trial.got)))
    if finite and not diagnosis.is_finite(variant.got):
        return False
    if diagnosis.same_numbers(variant.got, trial.got, trial.tolerance):
        return False
    if not (trial.same_shapes and variant.same_shapes):
        return True
    return any(
        bool((~right & ~alike & ~near).any())
        for right, alike, near in zip(
            trial.agreement(trial.want.value),
            trial.agreement(variant.got.value),
            trial.nearness(variant.got.value),
            strict=True,
        )
    )


_known_outcomes: WeakKeyDictionary[Case, dict[Callable[..., Any], Outcome]] = WeakKeyDictionary()


def known_outcome(function: Callable[..., Any], case: Case) -> Outcome:
    """What a reference or a known mistake does, computed once: a class shares its cases."""
    outcomes = _known_outcomes.setdefault(case, {})
    if function not in outcomes:
        outcomes[function] = call(function, case.arguments)
    return outcomes[function]


def _verdict(
    exercise: Exercise,
    status: Status,
    message: str,
    known: Misconception | None = None,
    points: float = 0.0,
) -> Verdict:
    think = known.think if known is not None and known.think else exercise.think
    does = "derives it" if exercise.formula else "is about it"
    where = f"Section “{exercise.section}” of lesson {_title(exercise.lesson)} {does}."
    return Verdict(
        status=status,
        points=points,
        max_points=exercise.points,
        misconception=known.id if known is not None else None,
        message=message,
        exercise=exercise.name,
        hints=() if status == "correct" else (think, where),
        formula=exercise.formula,
        anchor=lessons.anchor(exercise.lesson, exercise.section),
    )


def _first(
    findings: Sequence[diagnosis.Find], exercise: Exercise, trials: Sequence[diagnosis.Trial]
) -> diagnosis.Finding | None:
    return next((found for find in findings if (found := find(exercise, trials))), None)


def _matching(exercise: Exercise, trials: Sequence[diagnosis.Trial]) -> Misconception | None:
    """The first misconception that is wrong on these trials in exactly the learner's way."""
    if all(trial.correct for trial in trials):
        return None
    for known in exercise.misconceptions:
        if all(_same(known, trial) for trial in trials) and _by_more_than_an_error(known, trials):
            return known
    return None


def _by_more_than_an_error(known: Misconception, trials: Sequence[diagnosis.Trial]) -> bool:
    """Whether a wrong value came, or else the words of the error are those of the mistake."""
    wrong = [trial for trial in trials if not trial.correct]
    if any(trial.got.state != "raised" for trial in wrong):
        return True
    return any(
        all(known_outcome(way, trial.case).error == trial.got.error for trial in wrong)
        for way in (known.variant, *known.others)
    )


def _same(known: Misconception, trial: diagnosis.Trial) -> bool:
    """Whether the learner's call did what the variant does, to the tolerance or its noise."""
    as_known = replace(trial, want=known_outcome(known.variant, trial.case))
    if as_known.correct:
        return True
    # Where the variant is right, nothing but the right answer is the same as it.
    return (
        known.noise > 0
        and as_known.within(known.noise)
        and not replace(trial, got=as_known.want).correct
    )
