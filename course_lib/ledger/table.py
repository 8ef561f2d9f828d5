"""The ledger as a folded table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .convention import Convention, Library
from .rows import ROWS


def row(id: str) -> Convention:
    """The row of this id.

    Raises:
        KeyError: there is none.
    """
    for convention in ROWS:
        if convention.id == id:
            return convention
    raise KeyError(f"the ledger has no row {id!r}")


def ledger(ids: Sequence[str] = (), keras: Any | None = None, torch: Any | None = None) -> str:
    """The table in Markdown, folded: who only wants to go on sees one line.

    Args:
        ids: rows to show, in this order; all if empty.
        keras: the module `keras`; given, its column is measured, otherwise it is as stated.
        torch: the module `torch`, likewise.

    Raises:
        KeyError: there is no row of an id.
        ValueError: a library follows none of a row's forms.
    """
    names = [
        "Question",
        "Paper",
        "Keras, measured" if keras is not None else "Keras",
        "PyTorch, measured" if torch is not None else "PyTorch",
        "Source of the paper's form",
    ]
    lines = [names, ["---"] * len(names)]
    for convention in [row(id) for id in ids] or ROWS:
        answers = [
            convention.stated(library) if module is None else convention.measure(library, module)
            for library, module in _modules(keras, torch)
        ]
        lines.append([convention.question, convention.paper, *answers, convention.source])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"<details>\n<summary>The table</summary>\n\n{table}\n\n</details>"


def _modules(keras: Any, torch: Any) -> tuple[tuple[Library, Any], tuple[Library, Any]]:
    return ("keras", keras), ("pytorch", torch)
