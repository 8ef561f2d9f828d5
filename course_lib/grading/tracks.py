"""Whether code may leave something behind in its process, judged by its text.

Answers of one submission share a process. An answer after one that may have left something, say a
patched NumPy, is worth a second look in a process of its own; after plain arithmetic it is not.
The text can only show that code is plain: whatever is unusual counts as leaving tracks.
"""

from __future__ import annotations

import ast
import builtins

MODULES = frozenset({"__future__", "functools", "itertools", "math", "numpy", "typing"})
_PLAIN = (
    "abs all any bool complex dict divmod enumerate filter float frozenset int isinstance len list "
    "map max min pow print range reversed round set slice sorted str sum tuple zip"
)
_EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception)
}
_REFUSED_BUILTINS = frozenset(dir(builtins)) - {*_PLAIN.split(), *_EXCEPTIONS}
_STATE = (
    "random seterr seterrcall setbufsize set_printoptions set_string_function setflags "
    "clear pop popitem setdefault update"
)
_REFUSED_ATTRIBUTES = frozenset(_STATE.split())
_REFUSED_NODES = (ast.ClassDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef)


def leaves_tracks(tree: ast.AST) -> bool:
    """Whether code that runs, or functions that it defines, may change more than its own names."""
    return any(map(_may_leave, ast.walk(tree)))


def _may_leave(node: ast.AST) -> bool:
    if isinstance(node, _REFUSED_NODES):
        return True
    if isinstance(node, ast.Name):
        return node.id in _REFUSED_BUILTINS or node.id.startswith("__")
    if isinstance(node, ast.Attribute):
        changed = not isinstance(node.ctx, ast.Load)
        return changed or node.attr.startswith("_") or node.attr in _REFUSED_ATTRIBUTES
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return any(isinstance(part, ast.Attribute) for part in ast.walk(node.value))
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] not in MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        return node.module not in MODULES or bool(names & {"*", *_REFUSED_ATTRIBUTES})
    return False
