"""What a kernel keeps of the cells that have run: `_`, `Out`, `In` and the like, as statements.

They are written only where a notebook reads such a name that it has not bound itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .statements import Statement, statements, syntax_tree

_LAST = ("_", "__", "___")
_OUTPUT = re.compile(r"_{1,3}|_\d{1,9}|_oh|Out")
_INPUT = re.compile(r"_i{1,3}|_i\d{1,9}|_ih|In")


@dataclass(frozen=True)
class Cell:
    """A code cell that could be read.

    Attributes:
        count: the number that its kernel gave it when it last ran; else its place.
        source: its text.
        python: the same as plain Python.
        ran: whether a kernel gave it a number.
        failed: whether an error stands below it, so that its kernel left out the rest of it.
    """

    count: int
    source: str
    python: str
    ran: bool = True
    failed: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the value of its last statement is shown below it, and kept."""
        body = syntax_tree(self.python, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body
        last = body[-1] if body else None
        if not isinstance(last, ast.Expr) or last.end_lineno is None:
            return False
        rest = self.python.split("\n")[last.end_lineno - 1].encode()[last.end_col_offset :]
        return b";" not in rest.partition(b"#")[0]


def with_history(found: Sequence[Statement], cells: Mapping[int, Cell]) -> list[Statement]:
    """The statements, with others between them that bind what a kernel keeps.

    Args:
        found: all statements of a notebook.
        cells: by the numbers that they have in ``found``.
    """
    wanted = sorted(set(_unbound(found)))
    outputs = any(map(_OUTPUT.fullmatch, wanted))
    inputs = [name for name in wanted if _INPUT.fullmatch(name)]
    if not outputs and not inputs:
        return [*found]
    written: list[Statement] = []

    def write(source: str, cell: int) -> None:
        written.extend(statements(cell, source, first=len(written)))

    write("_ = __ = ___ = ''\nOut = {}\n_oh = {}\nIn = ['']\n_ih = ['']", 0)
    theirs = False  # no kernel changes what a learner has bound
    above: list[Cell] = []
    for one, after in zip(found, (*found[1:], None), strict=True):
        cell = cells[one.cell]
        if not above or above[-1] is not cell:
            above.append(cell)
            write("\n".join(_inputs(inputs, above)), one.cell)
        theirs = theirs or not one.binds.isdisjoint(_LAST)
        if outputs and (after is None or after.cell != one.cell) and cell.is_shown:
            write(_output(one.source, cell.count, theirs), one.cell)
        else:
            written.append(replace(one, order=len(written)))
    return written


def _unbound(found: Sequence[Statement]) -> Iterator[str]:
    """Names that are read, and not bound above by a statement of the notebook."""
    bound: set[str] = set()
    for one in found:
        yield from (one.now | one.later) - bound
        bound |= one.binds


def _inputs(wanted: Sequence[str], cells: Sequence[Cell]) -> Iterator[str]:
    """What a kernel binds of ``wanted`` before it runs the last of these cells."""
    this = cells[-1]
    for name in wanted:
        if name in {"In", "_ih"}:
            yield f"{name}.append({this.source!r})"
        elif name == f"_i{this.count}":
            yield f"{name} = {this.source!r}"
        elif name in {"_i", "_ii", "_iii"}:
            ago = len(name)
            yield f"{name} = {cells[-ago].source if ago <= len(cells) else ''!r}"


def _output(expression: str, count: int, theirs: bool) -> str:
    """What a kernel does with the last expression of a cell."""
    shifts = [] if theirs else ["___ = __", "__ = _", f"_ = _{count}"]
    kept = [*shifts, f"Out[{count}] = _oh[{count}] = _{count}"]
    return f"_{count} = ({expression}\n)\nif _{count} is not None: {'; '.join(kept)}"
