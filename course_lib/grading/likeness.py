"""Which answers are the same code, whatever their names, layout, comments and annotations."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .slicing import Slices, syntax_tree

Prints = dict[str, str]
"""By exercise, a hash of the answer's normal form."""

MAX_REMEMBERED = 2000
"""Length of the longest answer whose hash is kept: short ones are often the same."""
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)


def code_prints(slices: Slices, entries: Iterable[Mapping[str, Any]]) -> Prints:
    """A hash for each attempted answer: the function and the helpers that it reads.

    Args:
        slices: of a notebook.
        entries: its verdicts; what was not attempted is the stub that everybody was given.
    """
    statuses = {entry["exercise"]: entry["status"] for entry in entries}
    names = list(statuses)
    attempted = [name for name in names if statuses[name] != "not attempted"]
    prints = {}
    for name in attempted:
        if slices.answer(name) is None:
            continue
        others = [other for other in names if other != name]
        sources = tuple(source for _, source in slices.program(name, others).segments)
        kept = sum(map(len, sources)) <= MAX_REMEMBERED
        found = (_known if kept else _code_print)(sources, tuple(names))
        if found is not None:
            prints[name] = found
    return prints


def _code_print(sources: tuple[str, ...], keep: tuple[str, ...]) -> str | None:
    try:
        form = normal_form(sources, keep)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # code like this is one of a kind anyway
    return hashlib.sha256(form.encode("utf-8", "backslashreplace")).hexdigest()[:16]


_known = lru_cache(maxsize=1024)(_code_print)


def normal_form(sources: Sequence[str], keep: Iterable[str] = ()) -> str:
    """Statements as text that does not change when the names that they bind do.

    Args:
        sources: of the statements.
        keep: names that stay as they are: those of the exercises.
    """
    trees = [syntax_tree(source) for source in sources]
    shared = _Names(set(keep))
    for tree in trees:
        for node in tree.body:
            shared.bind(node, inside=False)
    statements = [node for tree in trees for node in tree.body]
    kept = [node for node in statements if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return "\n".join(ast.dump(_Renamed(shared).visit(node)) for node in kept)


class _Names:
    """New names in the order in which the old ones are bound; imports are named by origin."""

    def __init__(self, keep: set[str], outer: _Names | None = None) -> None:
        self._keep = keep
        self._outer = outer
        self._level: int = outer._level + 1 if outer is not None else 0
        self.new: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name in self.new:
            return self.new[name]
        return self._outer[name] if self._outer is not None else name

    def bind(self, node: ast.AST, inside: bool) -> None:
        """Take up what a statement binds; ``inside`` of its functions, or outside."""
        for part in ast.walk(node) if inside else _at_top(node):
            for name, origin in _bound(part):
                if name not in self._keep:
                    self.new.setdefault(name, origin or f"{self._level}.{len(self.new)}")

    def inside(self) -> _Names:
        """For the names of a function in here."""
        return _Names(self._keep, self)


def _at_top(node: ast.AST) -> Iterable[ast.AST]:
    pending = [node]
    while pending:
        part = pending.pop(0)
        yield part
        if not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(part))


def _bound(node: ast.AST) -> Iterable[tuple[str, str]]:
    """Names that this node binds, and where an imported one comes from."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, ""
    elif isinstance(node, ast.arg):
        yield node.arg, ""
    elif isinstance(node, _NAMED) and node.name:
        yield node.name, ""
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], f"{module}{alias.name}"


class _Renamed(ast.NodeTransformer):
    """Replaces names, and drops docstrings and annotations."""

    def __init__(self, names: _Names) -> None:
        self._names = names

    def _scope(self, node: ast.AST) -> ast.AST:
        inner = self._names.inside()
        for child in ast.iter_child_nodes(node):
            inner.bind(child, inside=True)
        return _Renamed(inner).generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._names[node.name]
        node.returns = None
        node.body = _without_docstring(node.body)
        return self._scope(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names[node.name]
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._names[node.name] if node.name else None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names[node.id]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._names[node.arg]
        node.annotation = None
        return node


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:] or [ast.Pass()]
    return body
