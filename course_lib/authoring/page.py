"""The tables of the start page: the lessons, and the glossary in English and Chinese.

The glossary's one source is ``solutions/glossary.yaml``. A line ``<!-- lessons -->`` or
``<!-- glossary -->`` in the text of a page is where its table goes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from ..errors import CourseError
from ..exercises import catalogue
from ..files import text_of
from ..lessons import Lesson, lessons, root


@dataclass(frozen=True)
class Term:
    """One entry of the glossary.

    Attributes:
        term: in English, as a lesson writes it.
        zh: in Chinese; several names in use are separated by commas.
        lesson: number of the lesson that introduces it, as ``01``.
        means: one line, no full stop.
        seen_as: how that lesson writes it, where that is not the term itself.
    """

    term: str
    zh: str
    lesson: str
    means: str
    seen_as: str = ""


def glossary() -> list[Term]:
    """All entries in the order of the alphabet.

    Raises:
        CourseError: the file cannot be read as a list of entries.
    """
    path = root() / "solutions" / "glossary.yaml"
    try:
        entries = yaml.safe_load(text_of(path))
        terms = [Term(**entry) for entry in entries]
    except (yaml.YAMLError, TypeError) as error:
        first_line = str(error).splitlines()[0]
        raise CourseError(
            f"solutions/glossary.yaml is not a list of term, zh, lesson, means: {first_line}"
        ) from error
    return sorted(terms, key=lambda term: term.term.lower())


def with_tables(text: str) -> str:
    """The text of a page with its tables in place of their markers."""
    tables = {"lessons": lesson_table, "glossary": glossary_table}
    return re.sub(r"<!-- (lessons|glossary) -->", lambda marker: tables[marker[1]](), text)


def lesson_table() -> str:
    """Markdown table of the lessons with links that work beside their notebooks."""
    counts = [
        sum(exercise.lesson == lesson.name for exercise in catalogue().values())
        for lesson in lessons()
    ]
    rows = [
        f"| {_link(lesson, f'{lesson.name[:2]} {lesson.title}')} | {lesson.minutes} | {count} "
        f"| {' '.join(lesson.able.split())} |"
        for lesson, count in zip(lessons(), counts, strict=True)
    ]
    minutes = sum(lesson.minutes for lesson in lessons())
    return "\n".join(
        [
            "| lesson | minutes | exercises | you will be able to |",
            "|:---|---:|---:|:---|",
            *rows,
            f"| **all** | **{minutes}** | **{sum(counts)}** | |",
        ]
    )


def glossary_table() -> str:
    """Markdown table of the terms whose lesson is there."""
    known = {lesson.name[:2]: lesson for lesson in lessons()}
    rows = [
        f"| {term.term} | {term.zh} | {term.means} | {_link(known[term.lesson], term.lesson)} |"
        for term in glossary()
        if term.lesson in known
    ]
    return "\n".join(["| term | 中文 | meaning | lesson |", "|:---|:---|:---|:---|", *rows])


def _link(lesson: Lesson, text: str) -> str:
    return f"[{text}]({lesson.name}.ipynb)"
