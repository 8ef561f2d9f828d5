"""What an answer consists of: its function and the statements that this needs, nothing else.

A notebook's plots, training runs and endless loops are not executed to grade a function. From
the function, the names that it reads are followed back to the top-level statements that bind
them. Which names a statement reads and binds is asked of Python's own `symtable`.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from bisect import insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

from ..sandbox.run import Program, Segments, module_of

_FILLING = frozenset({"np", "numpy", "random"})  # whose functions fill what they are given
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_IMPORTS = (ast.Import, ast.ImportFrom)
PASSING = "def {}(answer, *rest, **options):\n    return answer\n"
"""Stands in for the course's `check`."""
OF_NOTEBOOKS: dict[str, Segments] = {
    "display": (("display", "def display(*values, **options): return None\n"),),
    "get_ipython": (
        (
            "get_ipython",
            "def get_ipython(): return Shell()\n"
            "class Shell:\n    def __getattr__(self, name): return lambda *a, **k: None\n",
        ),
    ),
}
"""What every notebook has, and no other Python; harmless where nobody looks."""
MAX_REMEMBERED = 2000
"""Length of the longest statement whose analysis is kept for the next notebook."""


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell.

    Attributes:
        order: its place in the notebook.
        cell: number of its code cell.
        source: its text.
        defines: names bound by `def`, `class` or `= lambda`, also inside `if`, `try`, `with`.
        aliases: names bound as ``name = other``.
        imports: names bound by an import.
        binds: all names that it binds anew.
        updates: names whose value it changes: ``x += 1``, ``x[0] = 1``, ``x.append(1)``.
        deletes: names that it unbinds: ``del x``.
        fills: functions that it calls with a name, which they may fill, and that name: ``f(x)``.
        sets: names that its functions bind when they are called: ``global x``.
        now: names that it reads when it runs.
        later: names that its functions read when they are called.
        star: it is ``from module import *``.
        passing: names under which it imports the course's `check`.
    """

    order: int
    cell: int
    source: str
    defines: frozenset[str]
    aliases: frozenset[str]
    imports: frozenset[str]
    binds: frozenset[str]
    updates: frozenset[str]
    deletes: frozenset[str]
    fills: frozenset[tuple[str, str]]
    sets: frozenset[str]
    now: frozenset[str]
    later: frozenset[str]
    star: bool
    passing: frozenset[str]


def statements(cell: int, source: str, first: int) -> Iterator[Statement]:
    """The top-level statements of one cell, numbered from ``first``.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python cannot read the cell.
    """
    lines = [line.encode() for line in source.split("\n")]
    tree = syntax_tree(source, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for order, node in enumerate(tree.body, start=first):
        text = _text(node, lines)
        known = _known if len(text) <= MAX_REMEMBERED else _statement
        yield replace(known(text), cell=cell, order=order)


_PARSING = Lock()


def syntax_tree(source: str, flags: int = 0) -> ast.Module:
    """`ast.parse`, in one thread at a time.

    Python 3.11 counts the depth of all threads' trees together, and may then fail on a good one
    (https://github.com/python/cpython/issues/106905).

    Args:
        source: of a cell or a statement.
        flags: of `compile`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be parsed.
    """
    with _PARSING:
        tree: ast.Module = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | flags, True)
    return tree


def _text(node: ast.stmt, lines: Sequence[bytes]) -> str:
    """The source of a statement, decorators included (columns count UTF-8 bytes)."""
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    end = (node.end_lineno or node.lineno) - 1
    inside = [*lines[start : end + 1]]
    inside[-1] = inside[-1][: node.end_col_offset]
    if not decorators:
        inside[0] = inside[0][node.col_offset :]
    return b"\n".join(inside).decode()


def _statement(source: str) -> Statement:
    """One statement as if it stood alone: most are in everybody's notebook."""
    (node,) = syntax_tree(source, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body
    now, later, assigned, sets = _names(source)
    defines: set[str] = set()
    aliases: set[str] = set()
    imports: set[str] = set()
    for inner in _block(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defines.add(inner.name)
        elif isinstance(inner, _IMPORTS):
            imports.update(name.asname or name.name.split(".")[0] for name in inner.names)
        elif isinstance(inner, (ast.Assign, ast.AnnAssign)):
            targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if isinstance(inner.value, ast.Lambda):
                defines |= names
            elif isinstance(inner.value, (ast.Name, ast.Attribute)):
                aliases |= names
    updates = set(_updates(node))
    passing = frozenset(_passing(node))
    star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    # `f = check(f)` hands f on: it never counts as what binds f.
    deletes = frozenset(_deletes(node))
    bound = frozenset() if _is_checked(node) else assigned - _only_augmented(node) - deletes
    return Statement(
        order=0,
        cell=0,
        source=source,
        defines=frozenset(defines),
        aliases=frozenset(aliases),
        imports=frozenset(imports),
        binds=bound,
        updates=frozenset(updates),
        deletes=deletes,
        fills=frozenset(_fills(node)),
        sets=sets,
        now=now,
        later=later,
        star=star,
        passing=passing,
    )


_known = lru_cache(maxsize=2048)(_statement)


def _names(source: str) -> tuple[frozenset[str], ...]:
    """Global names that a statement reads at once, that its functions read, that it binds, and that
    its functions bind.
    """
    now: set[str] = set()
    later: set[str] = set()
    sets: set[str] = set()
    top = symtable.symtable(source, "<cell>", "exec")

    def collect(table: symtable.SymbolTable, deferred: bool) -> None:
        for symbol in table.get_symbols():
            if table is not top and symbol.is_declared_global() and symbol.is_assigned():
                sets.add(symbol.get_name())
                later.add(symbol.get_name())  # `x += 1` reads it, too
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                (later if deferred else now).add(symbol.get_name())
        for child in table.get_children():
            comprehension = child.get_name() in {"listcomp", "setcomp", "dictcomp", "genexpr"}
            function = child.get_type() == "function" and not comprehension
            collect(child, deferred or function)

    collect(top, False)
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    return frozenset(now), frozenset(later), frozenset(bound), frozenset(sets)


def _block(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statement itself, and those inside of `if`, `try` and `with`."""
    yield node
    if isinstance(node, (ast.If, ast.Try, ast.With, ast.AsyncWith)):
        for part in ("body", "handlers", "orelse", "finalbody"):
            for inner in getattr(node, part, []):
                for statement in inner.body if isinstance(inner, ast.ExceptHandler) else [inner]:
                    yield from _block(statement)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(node))


def _updates(node: ast.stmt) -> Iterator[str]:
    for inner in _outside_functions(node):
        if isinstance(inner, ast.AugAssign):
            yield from _root(inner.target)
        elif isinstance(inner, ast.Assign):
            for target in inner.targets:
                if not isinstance(target, ast.Name):
                    yield from _root(target)
        elif (
            isinstance(inner, ast.Expr)
            and isinstance(inner.value, ast.Call)
            and isinstance(inner.value.func, ast.Attribute)
        ):
            yield from _root(inner.value.func)


def _deletes(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Delete):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _fills(node: ast.stmt) -> Iterator[tuple[str, str]]:
    for inner in _outside_functions(node):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            for function in _root(inner.value.func):
                for argument in inner.value.args:
                    yield from ((function, name) for name in _root(argument))


def _root(target: ast.expr) -> Iterator[str]:
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id


def _only_augmented(node: ast.stmt) -> set[str]:
    inside = list(_outside_functions(node))
    augmented = {i.target for i in inside if isinstance(i, ast.AugAssign)}
    stored = {
        i.id
        for i in inside
        if isinstance(i, ast.Name) and isinstance(i.ctx, ast.Store) and i not in augmented
    }
    return {target.id for target in augmented if isinstance(target, ast.Name)} - stored


def _passing(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_lib":
        for name in node.names:
            if name.name == "check":
                yield name.asname or name.name


def _is_checked(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name == "check"


def _is_of_course(statement: Statement, name: str) -> bool:
    if name not in statement.imports:
        return False
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] == "course_lib"
        and any(alias.name == name and alias.asname in (None, name) for alias in node.names)
        for node in ast.walk(syntax_tree(statement.source))
    )


class Slices:
    """Cuts programs out of a notebook's statements.

    Args:
        found: all top-level statements, in notebook order.
    """

    def __init__(self, found: Sequence[Statement]) -> None:
        self._all = tuple(found)
        self._binding: dict[str, list[Statement]] = {}
        for statement in self._all:
            for name in statement.binds:
                self._binding.setdefault(name, []).append(statement)
        self._functions = frozenset(name for s in self._all for name in s.defines | s.imports)
        self._defined = frozenset(name for s in self._all for name in s.defines)
        self._setting: dict[str, frozenset[str]] = {}
        for statement in self._all:
            for name in statement.defines if statement.sets else ():
                self._setting[name] = self._setting.get(name, frozenset()) | statement.sets
        for statement in self._all if self._setting else ():
            for name in {n for f in statement.now for n in self._setting.get(f, ())}:
                if name not in statement.binds:  # the function that it calls binds it
                    insort(self._binding.setdefault(name, []), statement, key=lambda s: s.order)
        self._passing = frozenset(name for s in self._all for name in s.passing)
        self._stars = [statement for statement in self._all if statement.star]

    def answer(self, name: str) -> Statement | None:
        """The statement that defines the learner's function, or None.

        The last `def`, `lambda` or alias; only if there is none, another assignment
        (``f = partial(g)``), and at last an import: ``mse = mse(a, b)`` in a scratch cell does
        not make a number of the answer.
        """
        binding = self._binding.get(name, [])
        for chosen in (
            [s for s in binding if name in s.defines | s.aliases],
            [s for s in binding if name not in s.imports],
            binding,
        ):
            if chosen:
                return chosen[-1]
        return None

    def imported(self, among: Collection[str]) -> set[str]:
        """Which of the names ``among`` the notebook only ever imports from the course."""
        return {
            name
            for name in among
            if (binding := self._binding.get(name))
            and all(_is_of_course(statement, name) for statement in binding)
        }

    def program(self, name: str, stand_ins: Mapping[str, Segments] | None = None) -> Program:
        """The program of one answer.

        Args:
            name: of a function for which `answer` is not None.
            stand_ins: code that is provided for these names, where they are read, in place of what
                the notebook binds them to.
        """
        provided = {n: source for n, source in OF_NOTEBOOKS.items() if n not in self._binding}
        provided |= {n: ((n, PASSING.format(n)),) for n in self._passing}
        provided |= stand_ins or {}
        provided.pop(name, None)
        seen: set[str] = set()
        chosen = self._reach(name, provided, seen)
        answer = self.answer(name)
        # Imports first: a notebook may have run its cells in another order.
        chosen.sort(key=lambda s: (not (s.imports or s.star), s.order))
        segments = tuple(
            (name if s is answer else ", ".join(sorted(s.binds)) or "your code", s.source)
            for s in chosen
        )
        return Program(
            name,
            segments,
            provided=tuple((read, provided[read]) for read in sorted(seen & set(provided))),
            module=module_of([source for _, source in segments]),
        )

    def notes(self, name: str) -> list[str]:
        """A sentence on each decision that the learner should know of."""
        answer = self.answer(name)
        defined = [s for s in self._binding.get(name, []) if name in s.defines]
        if answer is None or len(defined) < 2:
            return []
        return [
            f"`{name}` is defined {len(defined)} times; the last one (code cell {answer.cell}) was "
            "graded."
        ]

    def _reach(self, name: str, provided: Collection[str], seen: set[str]) -> list[Statement]:
        """The statements that the answer needs; names met on the way are put into ``seen``."""
        answer = self.answer(name)
        assert answer is not None
        chosen = {answer.order: answer}
        pending = [answer]
        while pending:
            statement = pending.pop()
            for read, at_once in [
                *((read, True) for read in sorted(statement.now)),
                *((read, False) for read in sorted(statement.later)),
            ]:
                seen.add(read)
                if read in provided or (read == name and not at_once):
                    continue
                for needed in self._resolve(read, statement, at_once, answer):
                    if needed.order not in chosen:
                        chosen[needed.order] = needed
                        pending.append(needed)
        return list(chosen.values())

    def _is_function(self, statement: Statement, name: str) -> bool:
        alias = name in statement.aliases and statement.now & self._functions
        return name in statement.defines or bool(alias)

    def _resolve(
        self, name: str, reader: Statement, at_once: bool, answer: Statement
    ) -> list[Statement]:
        """The statements that give ``name`` the value that ``reader`` will find.

        A statement that runs now finds what was bound before it. A function finds, when it is
        called, the last definition or import of a helper, but of plain data (which scratch cells
        further down bind again) the value at the answer.
        """
        binding = self._binding.get(name, [])
        if not at_once and reader in binding:  # it calls itself
            return [reader]
        binding = [s for s in binding if s is not reader]
        if not binding:
            return [] if name in _BUILTINS else self._stars
        if name in _BUILTINS and not self._is_rebound(name, reader if at_once else answer):
            return []
        lasting = [s for s in binding if self._is_function(s, name)]
        lasting = lasting or [s for s in binding if name in s.imports]
        if lasting and not at_once:
            return [lasting[-1]]
        anchor = reader.order if at_once else answer.order
        before = [s for s in binding if s.order < anchor]
        base = before[-1] if before else binding[0]
        if base in lasting:
            return [base]
        end = anchor if before else len(self._all)
        after = [s.order for s in binding if s.order > base.order]
        end = min([end, *after])
        changes = [s for s in self._all[base.order + 1 : end] if self._changes(s, name)]
        return [base, *changes]

    def _is_rebound(self, name: str, reader: Statement) -> bool:
        """Whether a name of Python's own means something else by then.

        A later ``sum = 0`` does not count, nor one that ``del sum`` has undone.
        """
        if any(name in s.defines | s.imports for s in self._binding[name]):
            return True
        before = [s for s in self._all[: reader.order] if name in s.binds | s.deletes]
        return bool(before) and name in before[-1].binds

    def _changes(self, statement: Statement, name: str) -> bool:
        """Whether it changes the value that a name stands for, as far as can be seen."""
        return name in statement.updates or any(
            filled == name and (function in self._defined or function in _FILLING)
            for function, filled in statement.fills
        )
