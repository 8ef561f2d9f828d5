"""Which exercises the code of a file defines and checks, even if it is too broken to be parsed.

The grader itself looks for that, so as to know which lesson a file is of: nothing is built up here
that a file could make large, and nothing of it is parsed as Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from .submission import MAX_PARTS

MAX_CODE = 8 << 20
"""Bytes of the code cells' lines, and `EACH` more for each; what is behind is not looked at."""
EACH = 40
MAX_FOUND = 50_000
DEEPEST = 6  # cells are at 3, in old formats at 5
_KEYS = (b'"source"', b'"input"')  # the second in old formats
# A text that is cut off, too: else each of its quotation marks would be tried.
_TOKEN = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+"?+)(\s*+:)?|[\[\]{}]', re.DOTALL)
# Comments and texts, also such as have no end.
_ASIDE = re.compile(
    r'#[^\n]*+|"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|'
    r"'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?|"
    r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?|'
    r"'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'?",
    re.DOTALL,
)
# These begin with a fixed word, which is found in no time in a file of any size.
_DEF = re.compile(r"def[ \t]+([a-z_0-9]{1,200})")
_CHECK = re.compile(r"check\(\s*+(?:function\s*+=\s*+)?([a-z_0-9]{1,200})")
_LAMBDA = re.compile(r"\b([a-z_0-9]{1,200}) ?= ?lambda\b")
_DECORATED = re.compile(r"@(?:\w{1,200}\.)?check\s++def[ \t]+([a-z_0-9]{1,200})")
# Otherwise than by the check itself; and texts that are run may bind anything.
_BOUND = re.compile(r"\b([a-z_0-9]{1,200}) ?= ?+(?!=|[\w.]{0,200}check\()")
_BY_TEXT = re.compile(r"\b(?:exec|globals|locals|vars|setattr)\(")


def defined_and_checked(data: bytes, known: Collection[str]) -> tuple[set[str], set[str]]:
    """Which of the ``known`` functions a file defines, and which of its own it hands to the check.

    Only its code cells count, without comments and texts. Of a file that is no whole JSON, and has
    none of them there, all that is in it counts.
    """
    cells = list(_code_cells(data))
    code = [_ASIDE.sub(" ", source) for source in cells if source is not None]
    defined, checked = _names(code, _DEF, _LAMBDA), _names(code, _CHECK, _DECORATED)
    if not any(map(_BY_TEXT.search, code)):
        checked &= defined | _names(code, _BOUND)
    if None in cells and not (defined | checked) & set(known):
        whole = [data.decode("latin-1")]
        defined, checked = _names(whole, _DEF), _names(whole, _CHECK)
    return defined & set(known), checked & set(known)


def _names(texts: Iterable[str], *patterns: re.Pattern[str]) -> set[str]:
    found = (one for text in texts for words in patterns for one in words.finditer(text))
    return {one[1] for one in islice(found, MAX_FOUND)}


@dataclass(slots=True)
class _Object:
    """What is known of an object of JSON that may be a cell."""

    key: bytes = b""
    kind: bytes = b""
    lines: list[bytes] = field(default_factory=list)


def _code_cells(data: bytes) -> Iterator[str | None]:
    """The source of each code cell; None at the end if the file is no whole JSON."""
    depth, left = 0, MAX_CODE
    inside: list[_Object | None] = [None] * (DEEPEST + 1)  # at each depth; None for a list
    whole = False
    too_many = sum(map(data.count, (b"[", b"{", b","))) > MAX_PARTS
    for token in _TOKEN.finditer(b"" if too_many else data):
        text, colon = token[1], token[2]
        if text is None and token[0] in b"]}":
            one = inside[depth] if depth <= DEEPEST else None
            if one is not None and one.kind == b'"code"':
                yield _decoded(one.lines)
            elif one is not None:
                left += sum(EACH + len(line) for line in one.lines)
            depth -= 1
            whole = depth == 0
            if depth <= 0:
                break
            continue
        if text is None:
            depth += 1
            if depth <= DEEPEST:
                inside[depth] = _Object() if token[0] == b"{" else None
            continue
        if not 0 < depth <= DEEPEST:
            continue
        here, above = inside[depth], inside[depth - 1]
        if here is not None and colon:
            here.key = text
        elif here is not None and here.key == b'"cell_type"':
            here.kind = text
        elif (one := here or above) is not None and one.key in _KEYS:
            cost = EACH + len(text)
            if cost <= left:
                left -= cost
                one.lines.append(text)
    if not whole:
        yield None


def _decoded(lines: list[bytes]) -> str:
    """The text of some texts of JSON; "" if they are none."""
    joined = b"".join(line[1:-1] for line in lines).decode("utf-8", "replace")
    try:
        return str(json.loads(f'"{joined}"', strict=False))
    except ValueError:
        return ""
