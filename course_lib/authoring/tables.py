"""What README, start page, instructor's page and book tell of the lessons, from what these say.

The glossary's one source is ``solutions/glossary.yaml``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import yaml

from ..errors import CourseError
from ..exercises import catalogue
from ..files import from_yaml, text_of
from ..lessons import Lesson, anchor_of, lessons, numbered, root
from . import course_map, online

SUMMARY = "What you have now"
"""Heading of the formulas at the end of each lesson."""


@dataclass(frozen=True)
class Term:
    """One entry of the glossary.

    Attributes:
        term: in English, as a lesson writes it.
        zh: in Chinese; several names in use are separated by commas.
        lesson: number of the lesson that introduces it, as ``01``.
        means: one line, no full stop.
        seen_as: how that lesson writes it, where that is not the term itself.
        ordinary: it is often read in another sense, or on every page: no text links it.
    """

    term: str
    zh: str
    lesson: str
    means: str
    seen_as: str = ""
    ordinary: bool = False


def glossary() -> list[Term]:
    """All entries in the order of the alphabet.

    Raises:
        CourseError: the file cannot be read as a list of entries.
    """
    path = root() / "solutions" / "glossary.yaml"
    try:
        entries = from_yaml(text_of(path))
        terms = [Term(**entry) for entry in entries]
    except (yaml.YAMLError, TypeError) as error:
        first_line = str(error).splitlines()[0]
        raise CourseError(
            f"solutions/glossary.yaml is not a list of term, zh, lesson, means: {first_line}"
        ) from error
    return sorted(terms, key=lambda term: term.term.lower())


def with_tables(text: str) -> str:
    """The text with each of `TABLES` as it is now, between its two markers.

    Raises:
        CourseError: a table begins and does not end.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        parts = text.split(begin)
        for number, part in enumerate(parts[1:], start=1):
            _, found, rest = part.partition(end)
            if not found:
                raise CourseError(f"After the line {begin.strip()} a line {end} is missing.")
            parts[number] = f"{table()}\n".lstrip("\n") + end + rest
        text = begin.join(parts)
    return text


def without_markers(text: str) -> str:
    """The text without the lines between which its tables stand."""
    return re.sub(rf"<!-- /?({'|'.join(TABLES)}) -->\n?", "", text)


def lesson_table() -> str:
    """The lessons, with links from the folder of the project, and what some of them use."""
    rows = [
        (
            f"[{lesson.number} {lesson.title}](notebooks/{lesson.name}.ipynb)",
            lesson.minutes,
            lesson.able,
        )
        for lesson in lessons()
    ]
    heads = ("lesson", "minutes", "you will be able to")
    pretrained = numbered(lesson for lesson in lessons() if lesson.weights)
    quicker = numbered(lesson for lesson in lessons() if lesson.gpu)
    uses = f"Pretrained networks are used in {pretrained}. A GPU makes {quicker} quicker."
    return f"{_table(heads, 'lrl', rows)}\n\n{uses}\n"


def exercise_table() -> str:
    """The exercises, their points and their lessons."""
    rows = [(f"`{e.name}`", f"{e.points:g}", e.lesson) for e in catalogue().values()]
    return _table(("exercise", "points", "lesson"), "lrl", rows)


def map_table() -> str:
    """The lessons, with links that work beside their notebooks, and sums."""
    counts = Counter(exercise.lesson for exercise in catalogue().values())
    rows: list[Sequence[object]] = [
        (_link(one, f"{one.number} {one.title}"), one.minutes, counts[one.name], one.able)
        for one in lessons()
    ]
    minutes, exercises = (sum(int(str(row[column])) for row in rows) for column in (1, 2))
    rows.append(("**all**", f"**{minutes}**", f"**{exercises}**", ""))
    return _table(("lesson", "minutes", "exercises", "you will be able to"), "lrrl", rows)


def hours() -> str:
    """How long the course takes, and in which pieces."""
    minutes = [lesson.minutes for lesson in lessons()]
    return (
        f"The {len(minutes)} lessons take about {round(sum(minutes) / 60)} hours if you do their "
        f"exercises, each between {min(minutes)} and {max(minutes)} minutes. A lesson comes in "
        "sections of about a quarter of an hour: stop after any of them, and go on another day. "
        "The minutes are those of the sections: the opening, the summary and breaks come on top."
    )


def glossary_table() -> str:
    """The terms whose lesson is there."""
    known = {lesson.number: lesson for lesson in lessons()}
    rows = [
        (term.term, term.zh, term.means, _link(known[term.lesson], term.lesson))
        for term in glossary()
        if term.lesson in known
    ]
    return _table(("term", "中文", "meaning", "lesson"), "llll", rows)


def words_of(lesson: Lesson) -> str:
    """The terms that this lesson introduces, as a table; "" if there are none."""
    rows = [(term.term, term.zh, term.means) for term in glossary() if term.lesson == lesson.number]
    return _table(("term", "中文", "meaning"), "lll", rows) if rows else ""


def abilities() -> str:
    """What each lesson teaches, with links to the summary at its end."""
    return "\n".join(
        f"- [{lesson.number} {lesson.title}]({lesson.name}.ipynb#{anchor_of(SUMMARY)}): "
        f"{' '.join(lesson.able.split())}."
        for lesson in lessons()
    )


def lesson_list() -> str:
    """The lessons and what each teaches, as a list with links for the book."""
    return "\n".join(
        f"- {_link(lesson, f'{lesson.number} {lesson.title}')}\n  {lesson.minutes} minutes: "
        f"{' '.join(lesson.able.split())}."
        for lesson in lessons()
    )


def glossary_list() -> str:
    """The terms in MyST, so that a search finds them; a table is too wide for a telephone."""
    known = {lesson.number: lesson for lesson in lessons()}
    entries = "\n".join(
        f"{term.term}\n  {term.zh}: {term.means} "
        f"({_link(known[term.lesson], f'lesson {term.lesson}')})\n"
        for term in glossary()
        if term.lesson in known
    )
    return f"```{{glossary}}\n{entries}```\n"


TABLES: dict[str, Callable[[], str]] = {
    "badge": online.binder_badge,
    "lessons": lesson_table,
    "exercises": exercise_table,
    "online": online.ways,
    "hours": hours,
    "map": map_table,
    "abilities": abilities,
    "picture": course_map.picture,
    "attached picture": course_map.attached,
    "glossary": glossary_table,
}
"""What stands in these texts between ``<!-- name -->`` and ``<!-- /name -->``."""


def _table(heads: Sequence[str], columns: str, rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; of each column a letter says how it stands, left or right."""
    rules = {"l": ":---", "r": "---:"}
    lines = [heads, [rules[column] for column in columns]] + [
        [_cell(str(c)) for c in row] for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Text as it may stand in a table: on one line, no bar."""
    return " ".join(text.split()).replace("|", r"\|")


def _link(lesson: Lesson, text: str) -> str:
    return f"[{text}]({lesson.name}.ipynb)"
