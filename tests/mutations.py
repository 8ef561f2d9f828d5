"""Would the tests notice? Put a known mistake in a reference's place and run its tests.

    python tests/mutations.py               all known mistakes of all exercises, about half an hour
    python tests/mutations.py adam_step     those of one exercise
    python tests/mutations.py mse/half      one of them

A mistake is put in the place of the reference in this process only. It survives if none of the
tests of its lesson's topic in tests/foundations that name the reference fails; the exit status is
the number of survivors. Before any mistake, these tests must pass.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.exercises import Exercise

TESTS = Path(__file__).parent / "foundations"


def tests_of(exercise: Exercise) -> list[str]:
    """The tests that name an exercise's function, as pytest wants them named."""
    file = TESTS / f"test_{exercise.lesson.partition('_')[2]}.py"
    source = file.read_text("utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    naming = []
    for node in functions:
        parts = [ast.get_source_segment(source, part) or "" for part in node.decorator_list]
        text = "\n".join([*parts, ast.get_source_segment(source, node) or ""])
        if node.name.startswith("test_") and re.search(rf"\b{exercise.name}\b", text):
            naming.append(f"{file}::{node.name}")
    return naming


def all_pass(tests: Sequence[str]) -> bool:
    """Whether all of these tests pass, in this process.

    Raises:
        RuntimeError: pytest could not run them.
    """
    import pytest

    for test in tests:  # its module may hold the last mistake
        sys.modules.pop(Path(test.partition("::")[0]).stem, None)
    options = ["-x", "-q", "-n", "0", "-o", "addopts=", "-p", "no:cacheprovider"]
    with contextlib.redirect_stdout(io.StringIO()):
        status = pytest.main([*tests, *options, "-p", "no:warnings"])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"{tests} did not run (pytest status {status})")
    return status == pytest.ExitCode.OK


@contextlib.contextmanager
def in_place_of(reference: Callable[..., Any], variant: Callable[..., Any]) -> Iterator[None]:
    """Whoever takes the reference from its module gets the variant."""
    signature = inspect.signature(reference)

    def mistaken(*arguments: Any, **keywords: Any) -> Any:
        bound = signature.bind(*arguments, **keywords)
        bound.apply_defaults()
        return variant(*bound.args)

    module = sys.modules[reference.__module__]
    setattr(module, reference.__name__, mistaken)
    try:
        yield
    finally:
        setattr(module, reference.__name__, reference)


def main(words: list[str]) -> int:
    """Run the mistakes of these exercises, or these mistakes (all, if there are no words)."""
    from course_lib.exercises import catalogue

    chosen = [
        (exercise, known)
        for exercise in catalogue().values()
        for known in exercise.misconceptions
        if not words or {exercise.name, f"{exercise.name}/{known.id}"} & set(words)
    ]
    sound: set[str] = set()
    survivors = 0
    for exercise, known in chosen:
        tests = tests_of(exercise)
        if exercise.name not in sound and not (tests and all_pass(tests)):
            sys.exit(f"the tests of {exercise.name} fail without any mistake, or there are none")
        sound.add(exercise.name)
        start = time.perf_counter()
        with in_place_of(exercise.reference, known.variant):
            alive = all_pass(tests)
        survivors += alive
        seconds = time.perf_counter() - start
        found = "SURVIVED" if alive else "caught"
        print(f"{found:8}  {exercise.name}/{known.id}  ({seconds:.1f} s)", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mistakes caught")
    return survivors


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(TESTS.parents[1]))
    sys.exit(main(sys.argv[1:]))
