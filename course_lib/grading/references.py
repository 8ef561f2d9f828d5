"""The code of the course's own functions, to be run in the place of a learner's.

An answer that builds on an earlier one is judged with the course's own where the learner's is not
right, so that no mistake is punished twice. It runs in the learner's process: nothing is computed
here for anybody. What is given is the function and what it needs, of exercises that come before.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from ..exercises.catalogue import catalogue
from ..exercises.exercise import Exercise
from ..sandbox.run import Segments
from ..sandbox.worker import REFUSED
from .slicing import Slices
from .statements import FOUNDATIONS, statements, syntax_tree
from .submission import code_of


@lru_cache(maxsize=256)
def source_of(exercise: Exercise) -> Segments | None:
    """Statements that define the reference under the exercise's name; None if it has no such."""
    reference = exercise.reference
    if not isinstance(reference, FunctionType):
        return None
    segments = _needed(reference, frozenset())
    if segments is None:
        return None
    if reference.__name__ != exercise.name:
        segments = (*segments, (exercise.name, f"{exercise.name} = {reference.__name__}"))
    return segments


@lru_cache(maxsize=64)
def lent(lesson: str) -> Mapping[str, Segments]:
    """What a lesson's notebook imports from the course's foundations, by its name there.

    Functions that are no exercise, and modules with the functions of theirs that are none of this
    lesson or a later one. (Exercises of earlier lessons are given by `source_of`.)
    """
    asked = _asked_from(lesson)
    found: dict[str, Segments] = {}
    for name, original, value in _imported_from_foundations(lesson):
        if isinstance(value, ModuleType):
            found[name] = _module(value, name, asked)
        elif (
            isinstance(value, FunctionType)
            and original not in catalogue()
            and not _is_asked(original, asked)
        ):
            segments = _needed(value, frozenset())
            if segments is not None and not any(_is_private(title) for title, _ in segments):
                found[name] = (*segments, (name, f"{name} = {original}"))
    return found


def _imported_from_foundations(lesson: str) -> Iterator[tuple[str, str, Any]]:
    """What a lesson's notebook imports from there: its name there, its own name, what it is."""
    cells = [source for source in code_of(lesson) if FOUNDATIONS in source]
    for statement in (one for source in cells for one in statements(0, source, 0)):
        (node,) = syntax_tree(statement.source).body[:1] or (None,)
        if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith(FOUNDATIONS):
            continue
        for alias in node.names:
            value = getattr(import_module(str(node.module)), alias.name, None)
            if value is None:
                value = import_module(f"{node.module}.{alias.name}")
            yield alias.asname or alias.name, alias.name, value


def with_functions(segments: Segments, name: str, functions: Mapping[str, Segments]) -> Segments:
    """A module, as `module` and `lent` have it, with more functions: by name, the code of each."""
    more = (part for code in functions.values() for part in code)
    inside = ", ".join(f"{own}={own}" for own in functions)
    return (*segments, *more, (name, f"vars({name}).update({inside})"))


@lru_cache(maxsize=64)
def imported_modules(lesson: str) -> Mapping[str, ModuleType]:
    """The modules of the foundations that a lesson's notebook imports, by their names there."""
    return {
        name: value
        for name, _, value in _imported_from_foundations(lesson)
        if isinstance(value, ModuleType)
    }


def modules_before(exercises: Collection[Exercise]) -> dict[str, ModuleType]:
    """The modules of the foundations that these exercises are of, by their names."""
    found = (inspect.getmodule(exercise.reference) for exercise in exercises)
    modules = {m.__name__.rpartition("."): m for m in found if m is not None}
    return {name: m for (package, _, name), m in modules.items() if package == FOUNDATIONS}


@lru_cache(maxsize=64)
def module(name: str, lesson: str) -> Segments:
    """A module of the foundations, with its functions that are asked for before this lesson; of
    one in which this lesson's are, with those that its notebook imports.
    """
    asked, found = _asked_from(lesson), import_module(f"{FOUNDATIONS}.{name}")
    if found not in (inspect.getmodule(catalogue()[one].reference) for one in asked):
        return _module(found, name, asked)
    given = {own: code for own, code in lent(lesson).items() if own in vars(found)}
    return (*(part for code in given.values() for part in code), (name, _as_module(name, given)))


@lru_cache(maxsize=64)
def helper(name: str, lesson: str) -> Segments | None:
    """A function of the foundations' earlier modules that is no exercise, with what it needs."""
    asked = _asked_from(lesson)
    order = list(catalogue().values())
    before = [exercise for exercise in order if exercise.name not in asked]
    for own in modules_before(before).values():
        value = vars(own).get(name)
        if isinstance(value, FunctionType) and value.__module__ == own.__name__:
            segments = _needed(value, frozenset())
            if segments is not None and not any(title in asked for title, _ in segments):
                return segments
    return None


def _asked_from(lesson: str) -> set[str]:
    """All that this lesson and the later ones ask for."""
    order = list(catalogue().values())
    first = next(n for n, exercise in enumerate(order) if exercise.lesson == lesson)
    return {exercise.name for exercise in order[first:]}


def _is_asked(name: str, asked: Collection[str]) -> bool:
    """Whether an exercise asks for it, or for what it is a variant of: another form of the answer,
    as `momentum_step_pytorch` is.
    """
    return any(f"{name}_".startswith(f"{one}_") for one in asked)


def _is_private(title: str) -> bool:
    """A function for this module's own use: what brings such with it is an experiment, no helper,
    and its parts may be what an exercise asks for.
    """
    return title.startswith("_")


def _module(module: ModuleType, name: str, asked: Collection[str]) -> Segments:
    segments: Segments = ()
    given = []
    for own, value in vars(module).items():
        public = isinstance(value, FunctionType) and not own.startswith("_")
        if public and value.__module__ == module.__name__ and not _is_asked(own, asked):
            more = _needed(value, frozenset())
            if more is not None:
                segments += more
                given.append(own)
    return (*segments, (name, _as_module(name, given)))


def _as_module(name: str, functions: Collection[str]) -> str:
    inside = ", ".join(f"{own}={own}" for own in ("__getattr__", *functions))
    return (
        "import types\n"
        "def __getattr__(name):\n"
        "    if name.startswith('__'): raise AttributeError(name)\n"
        f"    raise ImportError({REFUSED!r})\n"
        f"{name} = types.ModuleType({name!r})\n"
        f"vars({name}).update({inside})"
    )


def _needed(function: FunctionType, above: frozenset[str]) -> Segments | None:
    """A function with all that it reads, also from other modules of the course."""
    text = "".join(linecache.getlines(function.__code__.co_filename))
    if not text or function.__name__ in above:
        return None
    tree = syntax_tree(text)
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if _is_of_course(node)
        for alias in node.names  # type: ignore[attr-defined]
    }
    kept = [node for node in tree.body if not _is_of_course(node) and not _is_of_future(node)]
    slices = Slices(list(statements(1, ast.unparse(ast.Module(kept, [])), first=0)))
    if slices.answer(function.__name__) is None:
        return None
    program = slices.program(function.__name__, dict.fromkeys(imported, ()))
    segments: Segments = ()
    for name, _ in program.provided:
        other: Any = function.__globals__.get(name)
        if not isinstance(other, FunctionType):
            return None
        more = _needed(other, above | {function.__name__})
        if more is None:
            return None
        segments += more
    return segments + program.segments


def _is_of_course(node: ast.stmt) -> bool:
    if not isinstance(node, ast.ImportFrom):
        return False
    return node.level > 0 or (node.module or "").split(".")[0] == "course_lib"


def _is_of_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
