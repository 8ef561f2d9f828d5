"""Bytes of a notebook -> the learner's code, whatever state the file is in.

Functions are found by name in the syntax tree of the cells, never by cell id: copied, moved,
deleted or edited cells do not matter. What an answer consists of is decided by `slicing`.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import stat
import string
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import CourseError, visible
from ..lessons import root
from ..sandbox.run import Segments
from ..sandbox.worker import RUN
from .history import Cell, with_history
from .slicing import Slices, with_judged
from .statements import MAX_REMEMBERED, Statement, as_module, statements, syntax_tree

MAX_BYTES = 64 << 20
LARGE_BYTES = 10 << 20
MAX_PARTS = 2_000_000  # JSON of 7 MB with so many takes 200 MB of memory
MAX_CELL = 200_000
MAX_CODE = 400_000
MAX_TEXT = 400_000  # of cells of text, in which a definition may stand by mistake
MAX_STATEMENTS = 5_000
MAX_CELLS = 20_000
MAX_OLD_CELLS = 2_000  # of an old format, whose conversion takes long
MAX_COUNT = 1_000_000  # cells that a kernel has run
MAX_OUTPUTS = 100  # of a cell, among which an error is looked for
MAX_SHOWN = 4000
"""Of an answer, so many characters are shown beside its verdict."""
MAX_NOTES = 30
MAX_MAGIC_WORK = 150_000
"""Of the cells of a notebook, magics times characters: IPython reads a cell once for each."""

# Too little of something, or a disk that is gone: what is read was there when it was found.
_FAULTS_HERE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ETIMEDOUT}
    | {errno.ENOENT, errno.ENOTCONN, errno.ESTALE}
)
# Cell magics that run the rest of their cell as Python, in the notebook's own names.
_TRANSPARENT = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun"})
# Also a cell that is indented as a whole, and prompts that were copied with the code.
_MAGIC_LINE = re.compile(
    r"^[ \t]*(?:[%!?]|[,;/][ \t,;/]*|>>> |In \[\d+\]: )|=[ \t]*[%!]|\?[ \t]*$|\A\s*^[ \t]+\S",
    re.MULTILINE,
)
# `%time statement`, as IPython writes it: it runs the statement in the notebook's own names.
_TIME = re.compile(
    r"get_ipython\(\)\.run_line_magic\('time', ('[^-'].*'|\"[^-\"].*\")\)$", re.MULTILINE
)
# `%run file.py`, likewise, and `%%writefile file.py`, whose cell goes to the answer's own folder.
_RUN = re.compile(
    r"get_ipython\(\)\.run_line_magic\('run', '(?:-i )?([\w./${}-]+)'\)$", re.MULTILINE
)
# `%env NAME=value`, and `%pylab`, which brings the names of NumPy and of Matplotlib.
_ENVIRONMENT = re.compile(
    r"get_ipython\(\)\.run_line_magic\('(?:set_)?env', '(\w+)(?:\s*=|\s)\s*([^'{}$\\]*)'\)$",
    re.MULTILINE,
)
_PYLAB = re.compile(
    r"get_ipython\(\)\.run_line_magic\('pylab', '(--no-import-all)?[ \w]*'\)$", re.MULTILINE
)
# Commands that a kernel takes without their `%`, too.
_AUTOMAGIC = re.compile(
    r"^(?:pip|conda|mamba|uv|ls|ll|cd|pwd|mkdir|cat|cp|mv|rm|who|whos)(?:[ \t]+[\w.~/-].*)?$",
    re.MULTILINE,
)
_PLAIN_IMPORT = r"(?:import|from) (?:numpy|scipy|math|string|itertools|functools|collections)\b"
_WRITE = re.compile(r"%%(?:write)?file\s+(-a\s+|--append\s+)?(\S.*?)(\s+(?:-a|--append))?\s*\Z")
# Where kernels of Colab and Kaggle run.
_HERE = re.compile(r"\A(?:/content|/kaggle/working)/(?=.)")
_SEEN = "__import__('importlib').invalidate_caches()"  # on the path it may stand already
FILE_BY_NAMES = "open(''.join(("
"""So begins what writes a file whose name is made of variables."""


_OTHER_FILES = {
    b"%pdf": "The file is a PDF.",
    b"<!doctype html": "The file is a web page, perhaps one that asks to sign in.",
    b"<html": "The file is a web page, perhaps one that asks to sign in.",
    b"version https://git-lfs": "The file is a pointer of Git LFS; `git lfs pull` gets what it "
    "points to.",
    b"pk\x03\x04": "The file is an archive (zip), or a document of Word.",
    b"\x1f\x8b": "The file is an archive (gzip).",
    b"{\\rtf": "The file is a document (RTF).",
    b"<?xml": "The file is XML.",
}
"""What else bears the name of a notebook, by its beginning in small letters."""
ASKED_FOR = "Hand in the notebook itself, NAME.ipynb."


class UnreadableError(Exception):
    """The file is no notebook; says why in one sentence."""


@dataclass(frozen=True)
class Submission:
    """The code of one notebook.

    Attributes:
        slices: the top-level statements, from which the program of each answer is cut.
        as_it_ran: the same of the cells that have run, in the order in which they did.
        broken: for each name that a cell with a syntax error seems to define: a sentence.
        notes: what was found odd, a sentence each.
        in_text: names of functions that seem to be defined in cells of text.
    """

    slices: Slices
    broken: dict[str, str]
    notes: tuple[str, ...]
    in_text: frozenset[str] = frozenset()
    as_it_ran: Slices = field(default_factory=lambda: Slices([]))


def read(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes; symbolic links are not followed.

    Raises:
        UnreadableError: it is something else, is larger, or cannot be opened.
        OSError: it cannot be opened or read now, through no fault of the file's.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        number = os.open(path, flags)
    except OSError as error:
        if error.errno in _FAULTS_HERE:
            raise
        if error.errno == errno.ELOOP:
            raise UnreadableError("The file is a symbolic link, which is not followed.") from None
        raise UnreadableError(f"The file cannot be opened: {error.strerror}.") from None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise UnreadableError("This is not a regular file.")
        try:
            data = file.read(limit + 1)
        except OSError as error:
            if error.errno in _FAULTS_HERE:
                raise
            raise UnreadableError(f"The file cannot be read: {error.strerror}.") from None
    if len(data) > limit:
        raise UnreadableError(f"The file is larger than {limit >> 20} MB; clear its outputs.")
    return data


def parse(data: bytes, names: Iterable[str], lesson: str = "") -> Submission:
    """The code cells of a notebook, cut into statements.

    Args:
        data: the file.
        names: of the functions that matter, to be looked for in cells with a syntax error.
        lesson: whose own text is no answer by mistake.

    Raises:
        UnreadableError: it is not a notebook.
    """
    notes: list[str] = []
    notebook = _notebook(data, notes)
    found: list[Statement] = []
    read_cells: dict[int, Cell] = {}
    broken: dict[str, str] = {}
    names = tuple(names)
    in_text: set[str] = set()
    newer = _newer_python(notebook)
    left, text_left, magics = MAX_CODE, MAX_TEXT, MAX_MAGIC_WORK
    full = False
    for number, count, failed, source in _cells(notebook, notes):
        if not number:
            source, text_left = source[:text_left], max(text_left - len(source), 0)
            own = source.strip() in texts_of(lesson) if names else True
            in_text.update(name for name in names if not own and _defines(source, name))
            continue
        if len(source) > min(MAX_CELL, left):
            sentence = f"Code cell {number} is too long"
            notes.append(f"{sentence} and was left out.")
            for name in names:
                if _defines(source, name):
                    broken[name] = f"{sentence}, so `{name}` could not be graded."
            continue
        left -= len(source)
        before = len(found)
        try:
            python, work = _python(source, magics)
            magics -= work
            if python is not None:
                ran = count is not None
                read_cells[number] = Cell(count or number, source, python, ran, failed)
                left_over = statements(number, python, first=len(found))
                found += islice(left_over, MAX_STATEMENTS - len(found))
                full = full or next(left_over, None) is not None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            del found[before:]
            sentence = f"Code cell {number} cannot be read as Python{_where(error)}{newer}"
            notes.append(f"{sentence}; it was left out.")
            for name in names:
                if _defines(source, name):
                    broken[name] = f"{sentence}, so `{name}` could not be graded."
    if full:
        notes.append(f"Only the first {MAX_STATEMENTS} statements of the notebook were read.")
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"There are {len(notes) - MAX_NOTES} more notes of this kind."]
    found = with_judged(found, names)
    slices = Slices(with_history(found, read_cells))
    as_it_ran = _as_it_ran(found, read_cells, names)
    return Submission(slices, broken, tuple(notes), frozenset(in_text), as_it_ran)


def _as_it_ran(
    found: Sequence[Statement], cells: Mapping[int, Cell], names: Sequence[str]
) -> Slices:
    """The statements of the cells that have run, in the order of their numbers."""
    ran = [s for s in found if cells[s.cell].ran]
    ran.sort(key=lambda s: (cells[s.cell].count, s.order))
    failed = frozenset(number for number, cell in cells.items() if cell.failed)
    ran = with_judged([replace(s, order=n) for n, s in enumerate(ran)], names)
    return Slices(with_history(ran, cells), failed)


def handed_out(lesson: str) -> frozenset[str]:
    """Sources of the statements in the notebook that learners get; none if it is not here."""
    return frozenset(statement.source for statement in _handed_out(lesson))


def imports_of(lesson: str) -> dict[str, str]:
    """What that notebook imports of plain libraries, by the names that it binds."""
    return {
        name: statement.source
        for statement in _handed_out(lesson)
        if re.match(_PLAIN_IMPORT, statement.source)
        for name in statement.imports
    }


@lru_cache(maxsize=64)
def helpers_of(lesson: str) -> dict[str, Segments]:
    """Functions that it defines for learners, with what they need, by their names."""
    slices, found = Slices(_handed_out(lesson)), dict[str, Segments]()
    for statement in slices.statements:
        given = (
            statement.source.startswith("def ") and "NotImplementedError" not in statement.source
        )
        for name in statement.defines if given else ():
            program = slices.program(name)
            own = [source for _, source in program.segments]
            if not program.provided and not any("course_lib" in source for source in own):
                found[name] = program.segments
    return found


def course_imports_of(lesson: str) -> frozenset[str]:
    """Names that it imports from the course."""
    return frozenset(name for statement in _handed_out(lesson) for name in statement.of_course)


@lru_cache(maxsize=64)
def texts_of(lesson: str) -> frozenset[str]:
    """The cells of text of the notebook that learners get."""
    return frozenset(source.strip() for number, source in _cells_of(lesson) if not number)


def code_of(lesson: str) -> list[str]:
    """Its cells of code."""
    return [source for number, source in _cells_of(lesson) if number]


@lru_cache(maxsize=64)
def _cells_of(lesson: str) -> tuple[tuple[int, str], ...]:
    try:
        notebook = _notebook(read(root() / "notebooks" / f"{lesson}.ipynb"), [])
    except (CourseError, UnreadableError, OSError):
        return ()
    return tuple((number, source) for number, _, _, source in _cells(notebook, []))


@lru_cache(maxsize=64)
def _handed_out(lesson: str) -> tuple[Statement, ...]:
    try:
        data = read(root() / "notebooks" / f"{lesson}.ipynb")
        return parse(data, ()).slices.statements
    except (CourseError, UnreadableError, OSError):
        return ()


def printable(source: str) -> str:
    """The beginning of an answer, `MAX_SHOWN` characters, in lines that can be shown."""
    more = ["…"] if len(source) > MAX_SHOWN else []
    return "\n".join([*map(visible, source[:MAX_SHOWN].expandtabs(4).split("\n")), *more])


def _defines(source: str, name: str) -> bool:
    """Whether text that cannot be parsed seems to define a function."""
    pattern = rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{name}\b"
    return re.search(pattern, source, re.MULTILINE) is not None


def _newer_python(notebook: dict[str, Any]) -> str:
    """Why a newer Python may have read what this one cannot."""
    told = _mapping(_mapping(notebook.get("metadata")).get("language_info")).get("version")
    found = re.match(r"3\.(\d{1,3})\b", told) if isinstance(told, str) else None
    if found is None or int(found[1]) <= sys.version_info[1]:
        return ""
    here = ".".join(map(str, sys.version_info[:2]))
    return f" (the notebook's Python is {found[0]}, the grader's {here})"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _notebook(data: bytes, notes: list[str]) -> dict[str, Any]:
    """The notebook as JSON of format 4."""
    if not data.strip(b" \t\r\n\0"):
        raise UnreadableError(f"The file is empty. {ASKED_FOR}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("The file is text in UTF-16; notebooks are UTF-8. Save it again.")
    for beginning, said in _OTHER_FILES.items():
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(beginning):
            raise UnreadableError(f"{said} {ASKED_FOR}")
    if b"\0" in data:
        raise UnreadableError(
            f"The file holds null bytes: it is damaged, or not a notebook. {ASKED_FOR}"
        )
    if len(data) > LARGE_BYTES:
        notes.append(f"The file has {len(data) / 1e6:.0f} MB; clear large outputs before saving.")
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_PARTS:
        raise UnreadableError("The file holds too many separate values; clear its outputs.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"The file is not UTF-8 text (byte {error.start}). {ASKED_FOR}"
        ) from None
    if data.startswith(b"\xef\xbb\xbf"):
        notes.append("The file begins with a byte order mark, which notebooks should not have.")
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        if re.search(r"^(?:<<<<<<<|>>>>>>>) ", text, re.MULTILINE):
            raise UnreadableError(
                "The file holds an unfinished merge of Git's: settle it, and hand it in again."
            ) from None
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise UnreadableError(
                f"The file is cut off in line {error.lineno}: "
                "save the notebook and hand it in again."
            ) from None
        raise UnreadableError(
            f"The file is not JSON: {error.msg} in line {error.lineno}. {ASKED_FOR}"
        ) from None
    except RecursionError:
        raise UnreadableError("The file is nested too deeply to be a notebook.") from None
    except ValueError:
        raise UnreadableError("The file is not JSON: it holds a number of absurd length.") from None
    if not isinstance(tree, dict):
        raise UnreadableError(f"The file is JSON, but not a notebook. {ASKED_FOR}")
    notebook: dict[str, Any] = tree
    version = notebook.get("nbformat", 4)
    if version != 4:
        notebook = _converted(text, notebook, version, notes)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise UnreadableError(
            f"The file is JSON, but not a notebook: it has no list of cells. {ASKED_FOR}"
        )
    if not cells:
        raise UnreadableError("The notebook has no cells.")
    return notebook


def _converted(
    text: str, notebook: dict[str, Any], version: Any, notes: list[str]
) -> dict[str, Any]:
    if (
        type(version) is not int
        or version not in (1, 2, 3)
        or not {"worksheets", "cells"} & set(notebook)
    ):
        raise UnreadableError(
            f"The file is JSON, but not a notebook of a known format. {ASKED_FOR}"
        )
    sheets = notebook.get("worksheets")
    parts = [notebook, *(sheets if isinstance(sheets, list) else ())]
    cells = [_mapping(part).get("cells") for part in parts]
    if sum(len(some) for some in cells if isinstance(some, list)) > MAX_OLD_CELLS:
        raise UnreadableError(
            f"The notebook has the old format {version} and more than {MAX_OLD_CELLS} cells: open "
            "and save it in JupyterLab, and hand it in again."
        )
    import nbformat

    if "metadata" not in notebook:  # its converters stumble over that, too
        text = json.dumps({**notebook, "metadata": {}})
    try:
        converted = nbformat.reads(text, as_version=4)
    except Exception as error:  # whatever its converters stumble over
        raise UnreadableError(
            f"The notebook has the old format {version} and cannot be converted: "
            f"{type(error).__name__}."
        ) from None
    notes.append(f"The notebook has the old format {version} and was converted.")
    return dict(converted)


def _cells(
    notebook: dict[str, Any], notes: list[str]
) -> Iterator[tuple[int, int | None, bool, str]]:
    """Of each cell its number among the code cells, from 1, or 0 for text; the number that its
    kernel gave it, if it ran; whether it ended with an error; and its source.
    """
    number = 0
    if len(notebook["cells"]) > MAX_CELLS:
        notes.append(f"Only the first {MAX_CELLS} cells of the notebook were read.")
    for cell in islice(notebook["cells"], MAX_CELLS):
        kind, source = _mapping(cell).get("cell_type"), _mapping(cell).get("source")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str) or not isinstance(kind, str):
            notes.append("A cell without type or source was left out.")
            continue
        number += kind == "code"
        count, outputs = cell.get("execution_count"), cell.get("outputs")
        shown = outputs[:MAX_OUTPUTS] if isinstance(outputs, list) else []
        yield (
            number if kind == "code" else 0,
            count if type(count) is int and 0 < count < MAX_COUNT else None,
            any(_mapping(output).get("output_type") == "error" for output in shown),
            # Half a character of UTF-16 is none, and Python could not read it.
            re.sub("[\ud800-\udfff]", "\ufffd", source.replace("\r\n", "\n").replace("\r", "\n")),
        )


def _python(source: str, most: int) -> tuple[str | None, int]:
    """The cell as plain Python, with the same line numbers; None if it is another language.

    Args:
        source: of the cell.
        most: work that IPython may have with it, where plain Python fails.

    Returns:
        The code, and the work that IPython had with it.

    Raises:
        SyntaxError: it is neither Python nor IPython.
    """
    while (first := source.lstrip()).startswith("%%"):
        line, _, below = first.partition("\n")
        if written := _WRITE.match(line):
            ended = below if below.endswith("\n") else f"{below}\n"  # as a kernel has it
            return _written(written[2], "a" if written[1] or written[3] else "w", ended), 0
        magic = re.match(r"%%\s*(\w*)", first)
        if magic is None or magic[1] not in _TRANSPARENT:
            return None, 0
        head = source[: len(source) - len(first)]
        source = head + "\n" + first.partition("\n")[2]
        if not source.strip():
            return None, 0
    is_python = _known_to_be_python if len(source) <= MAX_REMEMBERED else _is_python
    if not is_python(source):
        source = _AUTOMAGIC.sub("pass", source)
        found = _MAGIC_LINE.findall(source)
        # IPython takes off one of `;;;` each time that it reads the cell.
        work = sum(max(sum(map(mark.count, ",;/")), 1) for mark in found) * len(source)
        if not 0 < work <= most:
            return source, 0
        from IPython.core.inputtransformer2 import TransformerManager

        transformer: Any = TransformerManager
        try:
            python = str(transformer().transform_cell(source))
        except (SyntaxError, RecursionError, MemoryError):
            raise
        except Exception as error:
            raise ValueError(f"IPython fails at it, {type(error).__name__}") from error
        python = _RUN.sub(_run, python)
        python = _ENVIRONMENT.sub(r"__import__('os').environ['\1'] = '\2'", python)
        python = _PYLAB.sub(_pylab, python)
        return _TIME.sub(_timed, python), work
    return source, 0


def _is_python(source: str) -> bool:
    try:
        syntax_tree(source)
    except SyntaxError:
        return False
    return True


_known_to_be_python = lru_cache(maxsize=1024)(_is_python)


def _written(file: str, mode: str, text: str) -> str:
    """What `%%writefile` does, as Python, and what the written module needs of others.

    What it imports from the course, which is not there in grading, it gets from the notebook, which
    imports it, so that it can be lent. So does the notebook what takes long to import.
    """
    imports: list[str] = []
    read: list[str] = []
    parts, file = _expanded(file), file.strip("'\"")
    if parts or file.endswith(".py"):
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            imports, read, text = as_module(text)
    file = _HERE.sub("", file)
    folder = file.rpartition("/")[0]
    made = f"__import__('os').makedirs({folder!r}, exist_ok=True), {_SEEN}, " if folder else ""
    opened = f"open({file!r}, "
    if parts:
        path = f"''.join(({', '.join(parts)},))"
        folder = f"__import__('os').path.dirname('./' + {path})"
        made = f"__import__('os').makedirs({folder}, exist_ok=True), {_SEEN}, "
        opened = f"open({path}, "
    names = "".join(f", {name}" for name in read)
    return "\n".join([*imports, f"{made}{opened}{mode!r}).write({text!r}){names}"])


def _expanded(file: str) -> list[str]:
    """The parts of a name with `$name` or `{name}` in it, as IPython cuts them; none of another."""
    quoted = file.startswith("'")  # where `$` is no sign
    if not re.search("{" if quoted else "[${]", file):
        return []
    from IPython.utils.text import DollarFormatter

    parts: list[str] = []
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for text, name, more, _ in (string.Formatter if quoted else DollarFormatter)().parse(
            file.strip("'\"")
        ):
            parts += [repr(text)] if text else []
            if name is not None:
                expression = f"{name}:{more}" if more else name
                compile(expression, "<a name>", "eval", dont_inherit=True)
                parts.append(f"format({expression})")
        return parts if any(part.startswith("format(") for part in parts) else []
    return []


def _run(magic: re.Match[str]) -> str:
    """What `%run file.py` does, as Python."""
    parts = _expanded(magic[1])
    file = f"''.join(({', '.join(parts)},))" if parts else repr(_HERE.sub("", magic[1]))
    return f"__import__('builtins').{RUN}({file}, globals())"


def _pylab(magic: re.Match[str]) -> str:
    """What `%pylab` imports."""
    names = "; import numpy; from matplotlib import pyplot as plt"
    return "import numpy as np" + (
        names if magic[1] else "; from pylab import *; from numpy import *"
    )


def _timed(magic: re.Match[str]) -> str:
    """The statement that `%time` runs; if that is a magic again, the call as it is."""
    (quoted,) = syntax_tree(magic[1]).body
    assert isinstance(quoted, ast.Expr)  # so the pattern wants it
    statement = str(ast.literal_eval(quoted.value))
    try:
        syntax_tree(statement, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return magic[0]
    return statement


def _where(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f": {error.msg} in its line {error.lineno}"
    return f": {' '.join(str(error).split())[:100] or type(error).__name__}"
