"""Where to look: the line of a wrong answer, one small edit of which makes it right.

The edits are tried, in this process, on a copy of the answer whose namespace is a copy, too. Only
answers that do nothing but compute are tried: they use Python's plain functions, NumPy and the
course's foundations, and what the notebook defines of the same kind. A time limit holds for each
call and for all of them. What an edited answer prints is not shown.
"""

from __future__ import annotations

import ast
import builtins
import copy
import dis
import inspect
import os
import random
import signal
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..sandbox.calling import OutOfTime, one_of_many, undisturbed
from .diagnosis import Trial
from .edits import Edit, edits, quoted
from .exercise import Exercise
from .grafts import grafts
from .markdown import Code
from .syntax import NUMPY, words

SECONDS = 1.5
"""All edits together take no longer."""
ONE_CALL = 0.05
"""Seconds for a call of an edited answer, or three times what the answer itself takes."""
TOGETHER, IN_ONE = 128, 32
"""So many edits are made before they are tried, and so many of one place are compiled as one."""
NUMBER = "__edit__"
"""Says which of them is tried."""
PATIENCE = 4.0
"""So many times as long if it computes, but other processes do, too."""
LEAST = 0.005
"""Seconds that must be left for another call."""
LARGEST = 1000
"""Lists and dictionaries of the notebook with more entries are not copied: nothing is tried."""
NODES, WIDEST = 1000, 60
"""A tree with more nodes, or a node with more parts, is not edited: the edits of pairs of parts
would be without number."""

_MODULES = words(
    "numpy math cmath statistics itertools functools operator collections "
    "heapq _heapq bisect _bisect"
)
_PACKAGES = ("course_lib.foundations", "scipy.special", "scipy.stats")
_BUILT_IN = words(
    "abs all any bool complex dict divmod enumerate filter float frozenset int isinstance iter "
    "len list map max min next pow print range reversed round set slice sorted str sum tuple type "
    "zip ValueError TypeError IndexError KeyError ZeroDivisionError Exception AssertionError "
    "NotImplementedError StopIteration ArithmeticError OverflowError"
)
_NO_COMPUTATION = words(
    "save savez savez_compressed savetxt load loadtxt genfromtxt fromfile fromregex tofile memmap "
    "dump open_memmap DataSource ctypeslib ctypes seterr seterrcall set_printoptions setflags "
    "setbufsize lib f2py test testing as_strided"
)
_WINDOWS = ("lib", "stride_tricks", "sliding_window_view")
_CONTAINERS = (np.ndarray, list, dict, set, tuple)
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, range, slice, type(...))


class _NotTriedError(Exception):
    """The answer does something other than compute, is large, or its source is not known."""


def place(
    exercise: Exercise,
    function: Callable[..., Any],
    trials: Sequence[Trial],
    seconds: float = SECONDS,
) -> str:
    """The place of which one change makes an answer right in every call; "" if none is found.

    Args:
        exercise: what was asked.
        function: a wrong answer. Neither it nor anything it refers to is changed.
        trials: every call, with what was expected and what the answer did.
        seconds: the search ends after this time.

    Returns:
        The line, counted from `def`, and what to look at: "line 2: the axis in `x.sum(axis=0)`".

    Raises:
        KeyboardInterrupt: as the person in front of it wanted.
    """
    found = repair(exercise, function, trials, seconds)
    return found.place if found is not None else ""


@dataclass(frozen=True)
class Repair:
    """What makes an answer right: an edit of its tree, and the function that comes of it."""

    edit: Edit
    tree: ast.FunctionDef
    function: Callable[..., Any]

    @property
    def place(self) -> str:
        return f"line {self.edit.line}: {self.edit.told()}{self._which()}"

    def _which(self) -> str:
        """In what the part stands, if it stands several times in its line."""
        part = self.edit.node
        nodes = [n for n in ast.walk(self.tree) if getattr(n, "lineno", 0) == self.edit.line]
        dumps = [ast.dump(node) for node in nodes]
        around = [n for n in nodes if isinstance(n, ast.expr) and part in ast.walk(n)]
        if not around or len(self.edit.changes) > 1:
            return ""
        outer = takewhile(lambda n: dumps.count(ast.dump(n)) > 1, around[::-1])
        count = len(list(outer)) + 1
        return "".join(f", in {quoted(n)}" for n in around[::-1][1:count])


def repair(
    exercise: Exercise,
    function: Callable[..., Any],
    trials: Sequence[Trial],
    seconds: float = SECONDS,
) -> Repair | None:
    """The first edit that makes an answer right in every call, as `place` tells of it."""
    end = time.perf_counter() + seconds
    # A wrong edit shows at once on what the answer itself gets wrong, and on small calls.
    calls = sorted(trials, key=lambda trial: (trial.correct, not trial.case.call))
    with _unseen(), suppress(_NotTriedError):
        answer = _Answer(function)
        limits = _limits(answer, calls, end)
        for edit, code in _compiled(answer, _edits(answer, exercise)):
            if time.perf_counter() >= end:
                break
            if _is_right(answer, code, calls, limits, end):
                with edit.made():
                    alone = answer.compiled()
                assert alone is not None
                return Repair(edit, answer.tree, answer.function_of(_Code(alone)))
    return None


@dataclass(frozen=True)
class _Code:
    """Of an edited answer; where it is that of several edits, the one that has this number."""

    code: types.CodeType
    number: int = 0


def _compiled(answer: _Answer, edits: Iterator[Edit]) -> Iterator[tuple[Edit, _Code]]:
    """Each edit that gives Python, in their order; those of one place are compiled as one."""
    while some := list(islice(edits, TOGETHER)):
        alike: dict[object, list[int]] = {}
        for number, edit in enumerate(some):
            put = _put(edit)
            alike.setdefault(number if put is None else put[:3], []).append(number)
        codes: dict[int, _Code | None] = {}
        for numbers in alike.values():
            for first in range(0, len(numbers), IN_ONE):
                these = numbers[first : first + IN_ONE]
                codes |= zip(these, _codes_of(answer, [some[n] for n in these]), strict=True)
        for number, edit in enumerate(some):
            if (code := codes[number]) is not None:
                yield edit, code


def _codes_of(answer: _Answer, edits: Sequence[Edit]) -> list[_Code | None]:
    """The code of each of several edits of one place; None if it is no Python."""
    if len(edits) > 1:
        with _one_of(edits).made():
            code = answer.compiled()
        if code is not None:
            return [_Code(code, number) for number in range(len(edits))]
        return [code for edit in edits for code in _codes_of(answer, [edit])]
    with edits[0].made():
        code = answer.compiled()
    return [_Code(code) if code is not None else None]


def _one_of(edits: Sequence[Edit]) -> Edit:
    """Of edits that put an expression into one place, that one which has the number `NUMBER`."""
    puts = [put for put in map(_put, edits) if put is not None]
    parent, name, index, new = puts[-1]
    for (*_, other), is_asked in reversed(list(zip(puts[:-1], _IS_ASKED, strict=False))):
        new = ast.IfExp(is_asked, other, new)
    before = getattr(parent, name)
    among = [*before[:index], new, *before[index + 1 :]] if isinstance(before, list) else new
    return replace(edits[0], changes=((parent, name, among),))


_IS_ASKED = [ast.parse(f"{NUMBER} == {number}", mode="eval").body for number in range(IN_ONE)]


def _put(edit: Edit) -> tuple[ast.AST, str, int, ast.expr] | None:
    """Where an edit puts an expression in the place of another, and which; None if it does not."""
    if len(edit.changes) > 1:
        return None
    ((parent, name, value),) = edit.changes
    before = getattr(parent, name)
    if not isinstance(value, list):
        before, value = [before], [value]
    if len(value) != len(before):
        return None
    pairs = [
        pair for pair in enumerate(zip(before, value, strict=True)) if pair[1][0] is not pair[1][1]
    ]
    if len(pairs) != 1:
        return None
    ((index, (old, new)),) = pairs
    if not isinstance(old, ast.expr) or not isinstance(getattr(old, "ctx", ast.Load()), ast.Load):
        return None
    if (
        not isinstance(new, ast.expr)
        or isinstance(old, ast.Starred)
        or isinstance(new, ast.Starred)
    ):
        return None
    return parent, name, index, new


def _edits(answer: _Answer, exercise: Exercise) -> Iterator[Edit]:
    functions = [name for name, value in answer.names.items() if callable(value)]
    return candidates(answer.tree, exercise, functions, answer.borrowed)


def candidates(
    tree: ast.FunctionDef, exercise: Exercise, functions: Collection[str], borrowed: dict[str, Any]
) -> Iterator[Edit]:
    """Small edits of an answer; then parts of right answers, put into it.

    Args:
        tree: a wrong answer.
        exercise: what was asked.
        functions: names that stand for the same functions in the answer and in right ones.
        borrowed: becomes what an edited answer needs beside NumPy, by names of ours.
    """
    yield from edits(tree)
    right = []
    for known in (exercise.reference, *exercise.right_answers):
        with suppress(_NotTriedError, SyntaxError):
            right.append(_right(known, exercise, borrowed))
    yield from grafts(tree, right, {*functions, *borrowed, *_BUILT_IN})


def _right(
    known: Callable[..., Any], exercise: Exercise, borrowed: dict[str, Any]
) -> ast.FunctionDef:
    """A right answer as a tree; what it takes from its module is ``borrowed``."""
    if isinstance(known, Code):
        source = textwrap.indent(known.body, "    ")
        given = ", ".join(inspect.signature(exercise.reference).parameters)
        (tree,) = ast.parse(f"def answer({given}):\n{source}").body
        assert isinstance(tree, ast.FunctionDef)
        return tree
    if not isinstance(known, types.FunctionType):
        raise _NotTriedError
    tree = _tree(known)
    tree.body = [s for s in map(_without_output, tree.body) if s is not None]
    for node in ast.walk(tree):
        value = known.__globals__.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Name) and value is not None and value is not np:
            node.id = f"__{node.id}__"
            borrowed[node.id] = value
    return tree


def _limits(answer: _Answer, trials: Sequence[Trial], end: float) -> list[float]:
    """How long each call may take."""
    limits = []
    plain = answer.compiled()
    code = _Code(plain) if plain is not None else None
    for trial in trials:
        start = time.perf_counter()
        if code is not None and end - start > LEAST:
            _outcome(answer, code, trial, end - start)
        limits.append(max(ONE_CALL, 3 * (time.perf_counter() - start)))
    return limits


def _is_right(
    answer: _Answer,
    code: _Code,
    trials: Sequence[Trial],
    limits: Sequence[float],
    end: float,
) -> bool:
    for trial, limit in zip(trials, limits, strict=True):
        left = end - time.perf_counter()
        if left < LEAST or not _outcome(answer, code, trial, min(limit, left)).correct:
            return False
    return True


def _outcome(answer: _Answer, code: _Code, trial: Trial, seconds: float) -> Trial:
    try:
        candidate = answer.function_of(code)
    except _NotTriedError:
        return trial
    if trial.got.error.startswith("ZeroDivisionError"):
        candidate = _dividing_by_no_zero(candidate)
    with _watched(seconds):
        got = one_of_many(candidate, trial.case.arguments, seconds, patience=PATIENCE)
        return replace(trial, got=got)


def _dividing_by_no_zero(function: Callable[..., Any]) -> Callable[..., Any]:
    """As it is, but an error where NumPy divides by zero: an infinity that nobody needs is none."""

    def strict(*given: Any) -> Any:
        with np.errstate(divide="raise", invalid="raise"):
            return function(*given)

    return strict


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    """Where no timer can end a call, each of its lines asks whether its time is up."""
    on_main = threading.current_thread() is threading.main_thread()
    if on_main and hasattr(signal, "setitimer"):
        yield
        return
    end = time.perf_counter() + seconds

    def watch(frame: types.FrameType, event: str, argument: object) -> Any:
        if time.perf_counter() > end and frame.f_code.co_filename == FILE:
            raise OutOfTime
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)


FILE = "<an edited answer>"


@contextmanager
def _unseen() -> Iterator[None]:
    """Nothing is shown, and chance goes on from where it was."""
    numbers, own = np.random.get_state(), random.getstate()
    try:
        with (
            undisturbed(),
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            yield
    finally:
        np.random.set_state(numbers)
        random.setstate(own)


class _Answer:
    """A learner's function as a tree to be edited, and how to make functions of it.

    Raises:
        _NotTriedError: it does more than compute, is large, or its source is not known.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not isinstance(function, types.FunctionType) or hasattr(function, "__wrapped__"):
            raise _NotTriedError
        self.function = function
        self.tree = _tree(function)
        if is_large(self.tree):
            raise _NotTriedError
        self.free = function.__code__.co_freevars
        cells = function.__closure__ or ()
        self.cells = dict(zip(self.free, cells, strict=True))
        self.module = ast.Module([self._wrapped()], [])
        ast.fix_missing_locations(self.module)
        code = self.compiled()
        if code is None or _looks(code) != _looks(function.__code__):
            raise _NotTriedError  # the file has changed since
        self.tree.body = [s for s in map(_without_output, self.tree.body) if s is not None]
        self.names: dict[str, Any] = {}
        self.borrowed: dict[str, Any] = {}
        _check(function, self.names, set())

    def _wrapped(self) -> ast.stmt:
        if not self.free:
            return self.tree
        names = [ast.arg(name) for name in self.free]
        given = ast.arguments([], names, None, [], [], None, [])
        return ast.FunctionDef("outer", given, [self.tree], [])

    def compiled(self) -> types.CodeType | None:
        """The function's code as the tree is now; None if that is no Python."""
        try:
            code = compile(self.module, FILE, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, TypeError, RecursionError, OverflowError):
            return None
        for _ in range(1 + bool(self.free)):
            code = next(part for part in code.co_consts if isinstance(part, types.CodeType))
        return code

    def function_of(self, code: _Code) -> Callable[..., Any]:
        """A function whose namespace, defaults and closure are copies."""
        names: dict[str, Any] = {**self.borrowed, NUMPY: np, "__builtins__": builtins}
        names[NUMBER] = code.number
        made: dict[Any, Any] = {}

        def twin(value: Any) -> Any:
            if not _is_of(self.function, value):
                return _copied(value)
            if value not in made:
                helper = value.__code__.replace(co_filename=FILE)  # its time is limited, too
                made[value] = _rebuilt(value, helper, names, twin)
            return made[value]

        made[self.function] = _rebuilt(self.function, code.code, names, twin)
        for name, value in self.names.items():
            names[name] = twin(value)
        function: Callable[..., Any] = made[self.function]
        return function


def _is_of(function: types.FunctionType, value: object) -> TypeGuard[types.FunctionType]:
    """Whether a value is a function of the same notebook."""
    return isinstance(value, types.FunctionType) and value.__globals__ is function.__globals__


def _rebuilt(
    function: types.FunctionType,
    code: types.CodeType,
    names: dict[str, Any],
    twin: Callable[[Any], Any],
) -> types.FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = tuple(types.CellType(twin(_content(cells[name]))) for name in code.co_freevars)
    defaults = tuple(map(_copied, function.__defaults__ or ())) or None
    made = types.FunctionType(code, names, function.__name__, defaults, closure)
    made.__kwdefaults__ = {k: _copied(v) for k, v in (function.__kwdefaults__ or {}).items()}
    return made


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise _NotTriedError from None


def _tree(function: types.FunctionType) -> ast.FunctionDef:
    """The function's `def`, its lines counted from there, without defaults and annotations."""
    try:
        source = textwrap.dedent("".join(inspect.getsourcelines(function)[0]))
        (tree,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError, IndexError):
        raise _NotTriedError from None
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        raise _NotTriedError
    tree.returns = None
    tree.args.defaults = []
    tree.args.kw_defaults = [None] * len(tree.args.kwonlyargs)
    given = (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)
    for argument in (*given, tree.args.vararg, tree.args.kwarg):
        if argument is not None:
            argument.annotation = None
    return tree


def is_large(tree: ast.FunctionDef) -> bool:
    """Whether it has too many parts to be edited."""
    parts = [sum(1 for _ in ast.iter_child_nodes(node)) for node in ast.walk(tree)]
    return len(parts) > NODES or max(parts) > WIDEST


def _without_output(statement: ast.stmt) -> ast.stmt | None:
    """Nothing for a line that only prints or documents."""
    if isinstance(statement, ast.Expr):
        match statement.value:
            case ast.Constant() | ast.Call(func=ast.Name(id="print" | "display")):
                return None
    return statement


def _looks(code: types.CodeType) -> tuple[object, ...]:
    """By this the code of another source is told; instructions depend on what surrounds it."""
    numbers = [part for part in code.co_consts if isinstance(part, (int, float))]
    return code.co_names, code.co_varnames, numbers


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _codes(part)


def _check(
    function: types.FunctionType, names: dict[str, Any], seen: set[types.FunctionType]
) -> None:
    """Collects the notebook's names that a function needs, and what they stand for.

    Raises:
        _NotTriedError: it does more than compute.
    """
    seen.add(function)
    for code in _codes(function.__code__):
        steps = list(dis.get_instructions(code))
        for index, step in enumerate(steps):
            name = step.argval
            if tuple(following.argval for following in steps[index : index + 3]) == _WINDOWS:
                continue
            if step.opname == "IMPORT_NAME" and name.split(".")[0] not in _MODULES:
                raise _NotTriedError
            attribute = step.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "IMPORT_FROM")
            if attribute and (name in _NO_COMPUTATION or name.startswith("__")):
                raise _NotTriedError
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                if name in function.__globals__:
                    names[name] = function.__globals__[name]
                    _check_value(names[name], function, names, seen)
                elif hasattr(builtins, name) and name not in _BUILT_IN:
                    raise _NotTriedError
    for cell in function.__closure__ or ():
        _check_value(_content(cell), function, names, seen)


def _check_value(
    value: Any, function: types.FunctionType, names: dict[str, Any], seen: set[types.FunctionType]
) -> None:
    if _is_of(function, value):
        if value not in seen:
            _check(value, names, seen)
        return
    home = ""
    if isinstance(value, types.ModuleType):
        home = value.__name__
    elif callable(value):
        home = getattr(value, "__module__", None) or type(value).__module__
        if getattr(value, "__name__", "") in _NO_COMPUTATION:
            raise _NotTriedError
    computes = home.split(".")[0] in _MODULES or home.startswith(_PACKAGES)
    if not computes and not isinstance(value, (*_PLAIN, *_CONTAINERS)):
        raise _NotTriedError


def _copied(value: Any) -> Any:
    """A value that an edited answer may change: arrays cannot be written to, lists are copies."""
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, (list, set, dict, tuple)):
        if len(value) > LARGEST:
            raise _NotTriedError
        if isinstance(value, dict):
            return {key: _copied(entry) for key, entry in value.items()}
        return (
            type(value)(map(_copied, value))
            if type(value) in (list, set, tuple)
            else copy.deepcopy(value)
        )
    return value
