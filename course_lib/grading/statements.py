"""The top-level statements of a notebook, and which names each reads, binds and changes.

Asked of Python's own `symtable`, and of the syntax tree.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

from ..sandbox.worker import REFUSED

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_IMPORTS = (ast.Import, ast.ImportFrom)
CHECK = "check"
FOUNDATIONS = "course_lib.foundations"
"""Where the course's own functions are."""
PASSING = "def {}(answer, *rest, **options):\n    return answer\n"
"""Stands in for the course's `check`."""
SLOW = {"keras": "keras", "tensorflow": "keras", "matplotlib": "matplotlib.pyplot"}
"""Of packages whose import takes long: what a process imports before it runs such code."""
MAX_REMEMBERED = 2000
"""Length of the longest cell, or statement, whose analysis is kept for the next notebook."""


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
        flag: it is ``from __future__ import ...``, which holds for all that follows.
        of_course: names that it imports from the course.
        judges: functions that it calls with a name, as ``check(mse)``, and that name.
        hands_on: that, where nothing else is done: ``mse = check(mse)``.
        slow: of `SLOW`, the modules that it, or a function in it, imports.
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
    flag: bool
    of_course: frozenset[str]
    judges: frozenset[tuple[str, str]]
    hands_on: tuple[str, str] | None
    slow: frozenset[str]

    @property
    def reads(self) -> frozenset[str]:
        """Names that it or its functions read."""
        return self.now | self.later


def statements(cell: int, source: str, first: int) -> Iterator[Statement]:
    """The top-level statements of one cell, numbered from ``first``.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python cannot read the cell.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")  # as Python reads it
    cut = _known_cut if len(source) <= MAX_REMEMBERED else _cut
    for order, text in enumerate(cut(source), start=first):
        known = _known if len(text) <= MAX_REMEMBERED else _statement
        yield replace(known(text), cell=cell, order=order)


def _cut(source: str) -> tuple[str, ...]:
    """The sources of a cell's statements."""
    lines = [line.encode() for line in source.split("\n")]
    tree = syntax_tree(source, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with _PARSING:  # a kernel refuses `*0`, too, of which there is a tree
        compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
    return tuple(text for node in tree.body for text in (*_taken_out(node), *_texts(node, lines)))


_known_cut = lru_cache(maxsize=1024)(_cut)


def _taken_out(node: ast.stmt) -> Iterator[str]:
    """For ``check(Losses.mse)``, what gives a function of a class the name that it is judged by."""
    for inner in _outside_functions(node):
        if isinstance(inner, ast.Call) and _called(inner).removeprefix(".") == CHECK and inner.args:
            given = inner.args[0]
            if (
                isinstance(given, ast.Attribute)
                and isinstance(given.value, (ast.Name, ast.Call))
                and given.attr not in _BUILTINS
            ):
                yield f"{given.attr} = {ast.unparse(given)}"


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


def _texts(node: ast.stmt, lines: Sequence[bytes]) -> Iterator[str]:
    """The source of a statement; of an import of several names, one for each.

    Where one of them is missing the others are there, and the course's `check` stands alone.
    """
    if not isinstance(node, _IMPORTS):
        inside = [*_inner_imports(node)]
        yield _text(node, _without(inside, lines))
        for imported in inside:  # in a `try`, an `if` or a function: they are there anyway
            yield from _texts(imported, lines)
        return
    for one in _each(node):
        (name,) = one.names
        other = name.asname if any(_of_course(one)) and name.name != CHECK else None
        other = None if other == name.name else other
        one.names = [ast.alias(name.name)] if other else [name]
        yield ast.unparse(one)
        if other:  # under its own name it may be lent
            yield f"{other} = {name.name}"


def as_module(source: str) -> tuple[list[str], list[str], str]:
    """A module's text in which nothing is imported from the course, but from the notebook.

    Returns:
        Imports for the notebook to make, of the course's and of what takes long; the names that the
        module reads there; and its text.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python cannot read it.
    """
    tree = syntax_tree(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, _IMPORTS)]
    if any(_names_course(node) and not _is_alone(node, source) for node in nodes):
        return as_module(ast.unparse(tree))  # which gives each statement a line of its own
    slow = [node for node in nodes if any(_slow(node))]
    of_course = [node for node in nodes if _names_course(node)]
    lines = [line.encode() for line in source.split("\n")]
    imports: list[str] = []
    modules = sorted({module for node in slow for module in _slow(node)})
    read = [_OF_FILE.format(module.replace(".", "_")) for module in modules]  # nobody's own names
    loads = [f"import {module} as {name}" for module, name in zip(modules, read, strict=True)]
    read += _of_notebook(tree)
    for node in sorted(of_course, key=lambda node: -node.lineno):
        text = []
        for one in _each(node):
            (name,) = one.names
            bound = name.asname or name.name
            imports.append(ast.unparse(one))
            read.append(bound)
            text.append(_FROM_NOTEBOOK.format(bound))
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        indent = lines[first][: node.col_offset].decode()
        here = [(indent + line).encode() for part in text for line in part.split("\n")]
        lines[first : last + 1] = here
    return [*loads, *imports[::-1]], read, b"\n".join(lines).decode()


def _of_notebook(tree: ast.Module) -> Iterator[str]:
    """Names that a module takes from the notebook, by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "__main__":
            yield from (name.name for name in node.names if name.name != "*")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from ([node.attr] if node.value.id == "__main__" else [])


def _is_alone(node: ast.stmt, source: str) -> bool:
    """Whether no other statement stands in its lines."""
    lines = [line.encode() for line in source.split("\n")]
    before = lines[node.lineno - 1][: node.col_offset]
    after = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
    return not before.strip() and (not after.strip() or after.lstrip().startswith(b"#"))


_OF_FILE = "_{}_of_a_file"
_FROM_NOTEBOOK = (
    "try:\n"
    "    from __main__ import {0}\n"
    "except ImportError:\n"
    "    def _refuse(own, name='', *given, **named):\n"
    "        if str(name).startswith('__'): raise AttributeError(name)\n"
    f"        raise ImportError({REFUSED!r}, name='course_lib')\n"
    "    {0} = type('Refused', (type,), {{'__getattr__': _refuse}})('{0}', (), {{}})\n"
    "    {0}.__init__ = _refuse"
)
"""A class, for it may be one; what is asked of it is refused."""


def _names_course(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether it imports from the course, in a form of which `_each` makes names."""
    if isinstance(node, ast.ImportFrom):
        return any(_of_course(node))
    return all(n.asname and n.name.startswith(f"{FOUNDATIONS}.") for n in node.names)


def _inner_imports(node: ast.stmt) -> Iterator[ast.ImportFrom]:
    """Imports from the course inside of a statement; of functions', those under the own name."""
    block = {*_block(node)}
    of_course = (n for n in ast.walk(node) if isinstance(n, ast.ImportFrom) and any(_of_course(n)))
    return (n for n in of_course if n in block or not any(name.asname for name in n.names))


def _without(statements: Sequence[ast.stmt], lines: Sequence[bytes]) -> Sequence[bytes]:
    """The lines with `pass` in the place of each of these."""
    if not statements:
        return lines
    lines = [*lines]
    for one in sorted(statements, key=lambda s: (s.lineno, s.col_offset), reverse=True):
        first, last = one.lineno - 1, (one.end_lineno or one.lineno) - 1
        here = lines[first][: one.col_offset] + b"pass" + lines[last][one.end_col_offset :]
        lines[first : last + 1] = [here, *[b""] * (last - first)]
    return lines


def _each(node: ast.Import | ast.ImportFrom) -> Iterator[ast.Import | ast.ImportFrom]:
    """An import for each name; what is imported from the course in one form."""
    for name in node.names:
        package, _, module = name.name.rpartition(".")
        if isinstance(node, ast.Import) and name.asname and package == FOUNDATIONS:
            yield ast.ImportFrom(package, [ast.alias(module, name.asname)], 0)
        elif isinstance(node, ast.ImportFrom) and any(_of_course(node)) and name.name == "*":
            yield from (ast.ImportFrom(node.module, [ast.alias(n)], 0) for n in _public(node))
        elif isinstance(node, ast.ImportFrom):
            yield ast.ImportFrom(node.module, [name], node.level)
        else:
            yield ast.Import([name])


def _public(node: ast.ImportFrom) -> tuple[str, ...]:
    """What a star imports from the course: a module's functions, or else the `check`."""
    package, _, module = (node.module or "").rpartition(".")
    return functions().get(module, (CHECK,)) if package == FOUNDATIONS else (CHECK,)


@cache
def functions() -> dict[str, tuple[str, ...]]:
    """The public functions of each module of the foundations, none of which is imported."""
    files = (Path(__file__).parents[1] / "foundations").glob("*.py")
    texts = {file.stem: file.read_text("utf-8") for file in files}
    return {n: tuple(re.findall(r"^def ([a-z]\w*)", t, re.MULTILINE)) for n, t in texts.items()}


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
    deletes = frozenset(_deletes(node))
    of_course = frozenset(_of_course(node))
    return Statement(
        order=0,
        cell=0,
        source=_passing(node) or source,
        defines=frozenset(defines),
        aliases=frozenset(aliases),
        imports=frozenset(imports),
        binds=assigned - _only_augmented(node) - deletes,
        updates=frozenset(_updates(node)),
        deletes=deletes,
        fills=frozenset(_fills(node)),
        sets=sets,
        now=now,
        later=later,
        star=isinstance(node, ast.ImportFrom) and node.names[0].name == "*",
        flag=isinstance(node, ast.ImportFrom) and node.module == "__future__",
        of_course=of_course,
        judges=frozenset(_judges(node)),
        hands_on=_hands_on(node),
        slow=frozenset(module for part in ast.walk(node) for module in _slow(part)),
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


def _of_course(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_lib":
        yield from (name.asname or name.name for name in node.names)


def _passing(node: ast.stmt) -> str:
    """What stands for an import of the course's `check`, or ""."""
    if any(_of_course(node)) and isinstance(node, ast.ImportFrom):
        (name,) = node.names
        if name.name == "check":
            return PASSING.format(name.asname or name.name)
    return ""


def _judges(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Functions that are called with a name, or decorate it, and that name.

    Where a call names none, as `check(f)` in ``for f in (mse, softmax)`` does, all that are read,
    and the texts that it is given, as in ``check(globals()["mse"])``.
    """
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        for decorator in node.decorator_list:
            yield _called(decorator), node.name
    inside = list(_outside_functions(node))
    read = [n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    bound = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for inner in inside:
        if isinstance(inner, ast.Call):
            given = [*inner.args[:1], *(k.value for k in inner.keywords if k.arg == "function")]
            names = [one.id for one in given if isinstance(one, ast.Name)]
            if given and (not names or (bound & {*names} and not _hands_on(node))):
                texts = [
                    part.value
                    for one in given
                    for part in ast.walk(one)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                names = [*read, *texts] if _called(inner).removeprefix(".") == CHECK else []
            yield from ((_called(inner), name) for name in names)


def _hands_on(node: ast.stmt) -> tuple[str, str] | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name) and isinstance(value, ast.Call) and value.args:
            given = value.args[0]
            if isinstance(given, ast.Name) and given.id == target.id:
                return _called(value), target.id
    return None


def _slow(node: ast.AST) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module or ""]
    return (SLOW[package] for name in names if (package := name.split(".")[0]) in SLOW)


def _called(call: ast.expr) -> str:
    """The function that a call calls; of one in a module its last name, after a dot."""
    called = call.func if isinstance(call, ast.Call) else call
    if isinstance(called, ast.Attribute):
        return f".{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""
