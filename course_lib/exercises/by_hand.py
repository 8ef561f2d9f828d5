"""Hand-sized calls: read from an exercise's file, and told where an answer goes wrong on one."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .diagnosis import Trial, array_of, describe, is_numeric, is_text, parts, quoted, same_values
from .exercise import ORDINARY, Case, Formula, Outcome

KIND = "a small call"
MOST = 40
"""An array of more numbers is described, not shown."""
LONGEST = 1000
"""A call of more letters is nothing to paste."""
DIGITS = (5, 8, 12, 17)
"""As many as it takes to tell two numbers apart."""
# Such an error is the same in every call; a call to try would not explain it.
_WHATEVER_THE_CALL = ("NameError", "ImportError", "ModuleNotFoundError", "NotImplementedError")


def cases(source: str) -> tuple[Case, ...]:
    """The cases that lines such as ``mse(np.array([[3.0]]), np.array([[1.0]]))`` stand for.

    Arguments are Python with NumPy as ``np``; a ``lambda x: ...`` becomes a `Formula`.

    Raises:
        SyntaxError: the source is no Python.
        ValueError: a line is no call by position.
    """
    found, lines = [], source.splitlines()
    for line in ast.parse(source).body:
        text = _on_one_line("\n".join(lines[line.lineno - 1 : line.end_lineno]))
        if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)):
            raise ValueError(f"`{text}` is no call")
        if line.value.keywords:
            raise ValueError(f"`{text}` names its arguments")
        found.append(Case(tuple(map(_argument, line.value.args)), KIND, text))
    return tuple(found)


def _on_one_line(source: str) -> str:
    joined = " ".join(source.split())
    return re.sub(r"(?<=[(\[]) ", "", re.sub(r",? (?=[)\]])", "", joined))


def _argument(node: ast.expr) -> Any:
    if isinstance(node, ast.Lambda):
        return Formula(ast.unparse(node.body))
    return eval(compile(ast.Expression(node), "<call>", "eval"), {"np": np})


def once(name: str, trials: Sequence[Trial]) -> str:
    """The first of the hand-sized calls that goes wrong, with both values.

    If any of all calls raises, one that raises is looked for first, unless ordinary ones, or all
    that were drawn, return something wrong and none of them raises. Of several values, the first
    that is wrong in the first of all calls shall be wrong: messages speak of that. So do they where
    arguments are changed, and nothing else is wrong with what was drawn. Calls in which only the
    shape is wrong, and calls with very large or very small numbers, come after others. If no
    hand-sized call goes wrong, it is the shortest of the others to write, of ordinary inputs first;
    "" if that is too long, or some did not end.

    Args:
        name: of the function that is called.
        trials: calls to look through.
    """
    wrong = [trial for trial in trials if not trial.correct]
    spoken_of = next((values for trial in wrong if (values := _wrong_values(trial))), [])

    drawn = {trial.got.state for trial in wrong if not trial.case.call}
    ordinary = {trial.got.state for trial in wrong if trial.case.kind == ORDINARY}
    first = "returned" if {"returned"} in (ordinary, drawn) else "raised"
    changed = drawn and all(map(_only_changes, [trial for trial in wrong if not trial.case.call]))

    def rank(trial: Trial) -> tuple[bool, bool, bool, int]:
        in_others = not set(spoken_of[:1]) <= set(_wrong_values(trial))
        if changed:
            in_others = not _only_changes(trial)
        return trial.got.state != first, in_others, _by_shape_only(trial), _extremes(trial.case)

    for trial in sorted((trial for trial in wrong if trial.case.call), key=rank):
        if told := _told(trial, trial.case.call):
            return told
    if any(trial.got.state in ("timeout", "lost") for trial in wrong):
        return ""  # that is what the message speaks of
    others = [(written(name, t.case.arguments), t) for t in wrong if not t.case.call]
    for call, trial in sorted(others, key=lambda one: (one[1].case.kind != ORDINARY, len(one[0]))):
        if 0 < len(call) <= LONGEST and (told := _told(trial, call)):
            return told
    return ""


def _only_changes(trial: Trial) -> bool:
    """Whether the right value comes, so that only arguments can be wrong afterwards."""
    want, got = trial.want, trial.got
    return got.state == "returned" and same_values(want.value, got.value, trial.tolerance)


def _wrong_values(trial: Trial) -> list[int]:
    """Which of the values that were returned are wrong, from 0."""
    want, got = trial.want.value, trial.got.value
    if trial.got.state != "returned" or is_text(want):
        return []
    return [
        number
        for number, (_, w, g) in enumerate(parts(want, got))
        if not same_values(w, g, trial.tolerance)
    ]


def _by_shape_only(trial: Trial) -> bool:
    """Whether the right numbers came, in another shape: of one number that explains little."""
    want, got = trial.want.value, trial.got.value
    if trial.got.state != "returned" or not (is_numeric(want) and is_numeric(got)):
        return False
    wanted, actual = np.ravel(want), np.ravel(got)
    return np.shape(want) != np.shape(got) and same_values(wanted, actual, trial.tolerance)


def written(name: str, arguments: Sequence[Any]) -> str:
    """A call as Python that makes the same arguments; "" if they cannot be written."""
    try:
        return f"{name}({', '.join(map(_literal, arguments))})"
    except TypeError:
        return ""


def _literal(value: Any) -> str:
    if isinstance(value, Formula):
        return f"lambda x: {value.text}"
    if isinstance(value, np.ndarray) and value.size <= LONGEST:
        listed = value.tolist()
        made = np.array(listed)
        if (made.dtype, made.shape) == (value.dtype, value.shape) and np.isfinite(made).all():
            return f"np.array({listed})"
    if isinstance(value, (set, frozenset)) and value:
        return f"{{{', '.join(map(_literal, sorted(value)))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    if value is None or isinstance(value, (int, str)):
        return repr(value)
    if isinstance(value, float) and np.isfinite(value):
        return repr(float(value))
    raise TypeError(f"{type(value).__name__} has no literal")


def twice(pairs: Sequence[tuple[Trial, Trial]]) -> str:
    """The first of the hand-sized calls that comes out in two ways, with both; "" if none does."""
    for first, again in pairs:
        if not first.case.call or first.want.state != "returned":
            continue
        for digits in DIGITS:
            one, other = (_came(trial.got, digits) for trial in (first, again))
            if one != other:
                wanted = shown(first.want.value, digits)
                ways = f"yours {one}, and {other} when it was called again"
                return f"`{first.case.call}` should be {wanted}, {ways}."
    return ""


def _came(got: Outcome, digits: int) -> str:
    if got.state == "raised":
        return f"raised {got.error.split(':')[0]}"
    return f"was {shown(got.value, digits)}"


def _extremes(case: Case) -> int:
    """How many arguments hold a number beyond a thousand, or below a ten-thousandth."""
    return sum(not _is_plain(argument) for argument in case.arguments)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    sizes = np.abs(np.asarray(value, float)) if is_numeric(value) else np.zeros(0)
    return bool(((sizes == 0) | (sizes >= 1e-4) & (sizes <= 1000)).all())


def _told(trial: Trial, call: str) -> str:
    want, got = trial.want, trial.got
    if got.state == "raised":
        error = got.error.split(":")[0]
        if error in _WHATEVER_THE_CALL:
            return ""
        return f"`{call}` should be {shown(want.value)}, yours raises {error}."
    if got.state != "returned":
        return ""
    if same_values(want.value, got.value, trial.tolerance):
        return _changed(trial, call)
    whole = is_numeric(want.value) and np.asarray(want.value).dtype.kind in "iu"
    if whole and np.array_equal(want.value, array_of(got.value)):
        return ""  # floats, shown as 2.5e+09 in place of 2500000000
    for digits in DIGITS:
        wanted, actual = shown(want.value, digits), shown(got.value, digits)
        if wanted != actual:
            return f"`{call}` should be {wanted}, yours is {actual}."
    return ""  # it differs in type: the message says so


def _changed(trial: Trial, call: str) -> str:
    """The first argument that was changed in place, before and after."""
    for before, after in zip(trial.want.arguments, trial.got.arguments, strict=True):
        for digits in DIGITS[:2]:  # a last digit is no example
            kept, made = shown(before, digits), shown(after, digits)
            if kept != made:
                return f"`{call}` should leave {kept} as it is, yours makes it {made}."
    return ""


def shown(value: Any, digits: int = 5) -> str:
    """A returned value as one would write it down: ``[[1, 2.5], [0, 3]]``."""
    if value is None:
        return "None"
    if is_text(value) and value:
        return quoted(value)
    if isinstance(value, (tuple, list)) and len(value) > MOST:
        return describe(value)
    if isinstance(value, tuple):
        inside = ", ".join(shown(part, digits) for part in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(shown(part, digits) for part in value)}]"
    if not is_numeric(value):
        return describe(value)
    array = np.asarray(value)
    if array.size > MOST:
        return describe(value)
    if array.ndim:
        return f"[{', '.join(shown(part, digits) for part in array)}]"
    number = array.item()
    if isinstance(number, float):
        return f"{number + 0.0:.{digits}g}"  # no "-0"
    return str(number)
