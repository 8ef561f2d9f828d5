"""An exercise from its Markdown file: ``NN_lesson/name.md`` beside this module.

A header between two lines ``---`` (YAML), the general hint, then a heading of the second level for
each known mistake, the most specific first::

    ## step-times-weights
    `weights - learning_rate * gradient * weights`
    Your step is multiplied by the weights, so that a weight of zero could never move.
    > The step depends on the gradient and the learning rate only.

That is its id; its code, an expression as inline code or a function's body as a fenced block, in
the reference's parameters; what the learner is told; and how to think about it. Further pieces of
code are other ways to write the same mistake, which a test runs. ``± 0.02`` behind the id is
`Misconception.noise`. Pieces of code under ``# Right answers`` are unusual right ones, for a test.
Under ``# To try by hand`` stand calls that one can compute by hand, one a line, the smallest first.

Code may use NumPy as ``np``, ``math`` and every function of `course_lib.foundations`.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import re
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import foundations
from ..errors import CourseError
from ..files import from_yaml, text_of
from . import by_hand
from .exercise import Case, Exercise, Misconception

RIGHT = "Right answers"
BY_HAND = "To try by hand"
Types = tuple[type, ...]
NUMBER: Types = (int, float)
TEXT: Types = (str,)
NEEDED = {"order": (int,), "points": NUMBER, "reference": TEXT, "cases": TEXT, "section": TEXT}
OPTIONAL = {"formula": TEXT, "tolerance": NUMBER, "seconds": NUMBER}
_INLINE = re.compile(r"`([^`]+)` *")


@dataclass(eq=False)
class Code:
    """A function from its body in a file; compiled when it is called for the first time."""

    body: str
    file: Path
    line: int
    reference: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """Raises CourseError: it is no Python."""
        parameters = ", ".join(inspect.signature(self.reference).parameters)
        above = "\n" * (self.line - 2)  # so that Python's lines are the file's
        source = f"{above}def answer({parameters}):\n{textwrap.indent(self.body, '    ')}"
        defined: dict[str, Any] = {}
        try:
            exec(compile(source, str(self.file), "exec"), _scope(), defined)
        except SyntaxError as error:
            line = max(error.lineno or 0, self.line)
            raise _error(self.file, line, f"this is no Python ({error.msg})") from None
        answer: Callable[..., Any] = defined["answer"]
        return answer


@dataclass
class _Part:
    """What stands under one heading; the first part, under none, is the general hint."""

    title: str
    line: int
    codes: list[tuple[int, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    quote: list[str] = field(default_factory=list)


def read(file: Path) -> Exercise:
    """The exercise that a file describes; its lesson and name are those of folder and file.

    Raises:
        CourseError: the file breaks a rule of the format; one sentence with file and line.
    """
    text = text_of(file)
    match = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
    if match is None:
        raise _error(file, 1, "an exercise begins with a header between two lines `---`")
    facts = _facts(file, match[1])
    first, *others = _parts(file, text[match.end() :], 1 + match[0].count("\n"))
    reference = _reference(file, facts.pop("reference"))
    codes = {
        part.line: tuple(Code(body, file, line, reference) for line, body in part.codes)
        for part in others
    }
    mistakes = [part for part in others if part.title not in (RIGHT, BY_HAND)]
    seen: set[str] = set()
    for part in mistakes:
        if part.title.split(" ± ")[0] in seen:
            raise _error(file, part.line, f"there is a mistake “{part.title}” above already")
        seen.add(part.title.split(" ± ")[0])
    del facts["order"]
    return Exercise(
        name=file.stem,
        lesson=file.parent.name,
        reference=reference,
        cases=_Cases(file.parent, facts.pop("cases")),
        misconceptions=tuple(_misconception(file, part, codes[part.line]) for part in mistakes),
        think=" ".join(first.text),
        right_answers=tuple(c for part in others if part.title == RIGHT for c in codes[part.line]),
        calls=_Calls(file, [part for part in others if part.title == BY_HAND]),
        **facts,
    )


def order(file: Path) -> tuple[str, int, str]:
    """By this the exercises are sorted: lesson, the header's ``order``, name."""
    match = re.search(r"^order: *(\d+)", text_of(file), re.MULTILINE)
    return file.parent.name, int(match[1]) if match else 0, file.stem


def _facts(file: Path, header: str) -> dict[str, Any]:
    import yaml

    try:
        facts = from_yaml(header)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise _error(file, line, f"the header is no YAML ({error.problem})") from None
    facts = facts if isinstance(facts, dict) else {}
    for key, kinds in {**NEEDED, **OPTIONAL}.items():
        if key in NEEDED and key not in facts:
            raise _error(file, 1, f"the header lacks `{key}`")
        value = facts.get(key)
        if kinds is NUMBER and isinstance(value, str):  # YAML wants 1.0e-4 where we write 1e-4
            with suppress(ValueError):
                facts[key] = value = float(value)
        if key in facts and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise _error(file, 1, f"`{key}` cannot be {value!r}")
    if unknown := facts.keys() - NEEDED.keys() - OPTIONAL.keys():
        raise _error(file, 1, f"the header has an unknown `{min(map(str, unknown))}`")
    return facts


def _parts(file: Path, text: str, line: int) -> list[_Part]:
    parts = [_Part("", line)]
    fence: list[str] | None = None
    for number, content in enumerate(text.splitlines(), start=line):
        if content.startswith("```"):
            if fence is not None:
                parts[-1].codes.append((number - len(fence), "\n".join(fence)))
            fence = [] if fence is None else None
        elif fence is not None:
            fence.append(content)
        elif content.startswith(("# ", "## ")):
            parts.append(_Part(content.lstrip("#").strip(), number))
        elif content.startswith("> "):
            parts[-1].quote.append(content[2:].strip())
        elif not parts[-1].text and (match := _INLINE.fullmatch(content)):
            parts[-1].codes.append((number, f"return {match[1]}"))
        elif content.strip():
            parts[-1].text.append(content.strip())
    if fence is not None:
        raise _error(file, parts[-1].line, "a block of code does not end in a line ```")
    return parts


def _misconception(file: Path, part: _Part, codes: tuple[Code, ...]) -> Misconception:
    name, _, noise = part.title.partition(" ± ")
    if not codes:
        raise _error(file, part.line, f"the mistake “{name}” has no code")
    if not part.text:
        raise _error(file, part.line, f"the mistake “{name}” has no sentence")
    try:
        allowed = float(noise or 0)
    except ValueError:
        raise _error(file, part.line, f"“± {noise}” is no number") from None
    says, think = " ".join(part.text), " ".join(part.quote)
    return Misconception(name, codes[0], says, think, allowed, codes[1:])


def _reference(file: Path, name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    try:
        reference: Callable[..., Any] = getattr(
            importlib.import_module(f"{foundations.__name__}.{module}"), function
        )
    except (ImportError, AttributeError):
        raise _error(file, 1, f"there is no {name} in course_lib.foundations") from None
    return reference


@dataclass(frozen=True, eq=False)
class _Cases:
    """A function of the module beside the exercises, ``03_sgd/sgd_cases.py``; imported when called.

    The folders' names are no identifiers, so no `import` statement could name these modules. Each
    has a name of its own, without which mypy could not tell them apart.
    """

    folder: Path
    name: str

    def __call__(self, rng: np.random.Generator) -> list[Case]:
        topic = self.folder.name.partition("_")[2]
        module = importlib.import_module(f"{__package__}.{self.folder.name}.{topic}_cases")
        try:
            draw: Callable[[np.random.Generator], list[Case]] = getattr(module, self.name)
        except AttributeError:
            raise CourseError(f"{topic}_cases.py has no function `{self.name}`.") from None
        return draw(rng)


@dataclass(frozen=True, eq=False)
class _Calls:
    """What stands under `BY_HAND`; it is read as Python when called: nothing else takes as long."""

    file: Path
    parts: Sequence[_Part]

    def __call__(self) -> tuple[Case, ...]:
        """Raises CourseError: a line is no call."""
        found: list[Case] = []
        for line, source in (code for part in self.parts for code in part.codes):
            try:
                found += by_hand.cases(source.removeprefix("return "))
            except Exception as error:  # whatever stands there is run
                raise _error(self.file, line, f"this is no call to try ({error})") from None
        return tuple(found)


@cache
def _scope() -> dict[str, Any]:
    """The names that code in a file may use."""
    names: dict[str, Any] = {"np": np, "math": math}
    for module in pkgutil.iter_modules(foundations.__path__):
        name = f"{foundations.__name__}.{module.name}"
        public = vars(importlib.import_module(name)).items()
        names |= {n: f for n, f in public if getattr(f, "__module__", "") == name and n[0] != "_"}
    return names


def _error(file: Path, line: int, problem: str) -> CourseError:
    return CourseError(f"{file.parent.name}/{file.name}, line {line}: {problem}.")
