"""The rooms of course_lib import downwards only; imports inside functions count."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import course_lib

# From the ground up; rooms of one floor do not know each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("files", "settings"),
    ("progress_bar",),
    ("lessons",),
    ("foundations",),
    ("data",),
    ("plots",),
    ("transfer",),
    ("ledger",),
    ("sandbox",),
    ("exercises",),
    ("grading",),
    ("authoring",),
    ("learner",),
    ("cli",),
)
HOUSE = Path(course_lib.__file__).parent


def rooms_imported(file: Path) -> Iterator[str]:
    """The room of each module of the course that a file imports, anywhere in it."""
    package = ["course_lib", *file.relative_to(HOUSE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            base = [*start, *(node.module or "").split(".")] if node.module else start
            # `from .. import settings` names a room, `from .settings import quick` a function.
            names = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            root, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if root == "course_lib" and room and not room.startswith("__"):
                yield room


def test_every_import_goes_down() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    files = [file for file in HOUSE.rglob("*.py") if file != HOUSE / "__init__.py"]
    assert {file.relative_to(HOUSE).parts[0].removesuffix(".py") for file in files} == set(floor)
    upwards = {
        f"{file.relative_to(HOUSE)} imports {room}"
        for file in files
        for room in rooms_imported(file)
        if (own := file.relative_to(HOUSE).parts[0].removesuffix(".py")) != room
        and floor[room] >= floor[own]
    }
    assert not upwards
