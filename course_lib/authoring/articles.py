"""Row by row, what the five source articles contain and where the course takes it up.

The rows' one source is ``solutions/articles.yaml``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import yaml

from ..errors import CourseError
from ..files import from_yaml, text_of
from ..lessons import Lesson, lessons, root
from .links import book_anchor

LEFT_OUT = "left out"
WAYS = ("derived", "run", "measured", "corrected", "answered", LEFT_OUT)
KINDS = ("concept", "formula", "model", "procedure", "claim", "question", "tool")


@dataclass(frozen=True)
class Row:
    """One thing that an article contains.

    Attributes:
        article: its number, as ``000``.
        at: the section where it stands.
        kind: one of `KINDS`.
        what: in a few words of ours.
        how: what the course does with it, one of `WAYS`.
        see: lesson and heading, as ``01 5 Cross-entropy``; empty if it is left out.
        why: the reason, if it is left out; else empty.
    """

    article: str
    at: str
    kind: str
    what: str
    how: str
    see: tuple[str, ...] = ()
    why: str = ""


def articles() -> dict[str, tuple[str, list[Row]]]:
    """By number of the article, what it is about and its rows.

    Raises:
        CourseError: the file cannot be read as a list of articles, or a row says neither where
            the course takes it up nor why it does not.
    """
    path = root() / "solutions" / "articles.yaml"
    try:
        found = {
            entry["article"]: (
                entry["about"],
                [
                    Row(entry["article"], **{**row, "see": tuple(row.get("see", ()))})
                    for row in entry["rows"]
                ],
            )
            for entry in from_yaml(text_of(path))
        }
    except (yaml.YAMLError, TypeError, KeyError) as error:
        first_line = str(error).splitlines()[0]
        raise CourseError(f"solutions/articles.yaml cannot be read: {first_line}") from error
    for _, rows in found.values():
        for row in rows:
            whole = row.why if row.how == LEFT_OUT else row.see
            if row.how not in WAYS or row.kind not in KINDS or not whole:
                raise CourseError(
                    f"solutions/articles.yaml, article {row.article}, {row.what!r}: kind is one "
                    f"of {', '.join(KINDS)}; how is one of {', '.join(WAYS)}; what is left out "
                    "has a why, everything else a see."
                )
    return found


def places() -> dict[str, tuple[Lesson, str]]:
    """Of each heading of each lesson, as a row names it, the lesson and the heading."""
    return {
        f"{lesson.number} {heading}": (lesson, heading)
        for lesson in lessons()
        for heading in re.findall(r"(?m)^# ##+ (.+)$", text_of(lesson.source))
    }


def page() -> str:
    """The page in Markdown, with links from beside the lessons' notebooks.

    Raises:
        CourseError: a row names a heading that no lesson has, or see `articles`.
    """
    found, known = articles(), places()
    counts = Counter(row.how for _, rows in found.values() for row in rows)
    parts = [
        "# What the five articles say\n",
        "This course grew out of five articles on transfer learning. Here is, row by row, what "
        "they contain, and where it is derived, run, measured, corrected or answered: "
        + ", ".join(f"{counts[way]} {way}" for way in WAYS)
        + ".\n",
    ]
    for number, (about, rows) in found.items():
        parts.append(f"## Article {number}\n\n{about}.\n")
        parts += [_item(row, known) for row in rows]
        parts.append("")
    return "\n".join(parts)


def _item(row: Row, known: dict[str, tuple[Lesson, str]]) -> str:
    missing = [name for name in row.see if name not in known]
    if missing:
        raise CourseError(
            f"solutions/articles.yaml, article {row.article}, {row.what!r} names a heading that "
            f"no lesson has: {missing[0]}"
        )
    where = " and ".join(_link(*known[name]) for name in row.see)
    told = f"{LEFT_OUT}: {row.why}" if row.how == LEFT_OUT else f"{row.how} in {where}"
    return f"- {row.at}, {row.kind}. **{row.what}**: {told}."


def _link(lesson: Lesson, heading: str) -> str:
    shown = heading.replace("`", "")
    return f"[lesson {lesson.number}, {shown}]({lesson.name}.ipynb#{book_anchor(heading)})"
