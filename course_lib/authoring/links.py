"""Links of a lesson: to its sections, to what it says to read, to the next lesson and start page.

`course build` puts them into the notebooks, so that no source has to keep them right.
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote, unquote

import yaml

from ..files import text_of
from ..lessons import LAST_PAGE, START_PAGE, Lesson, anchor_of, lessons, root
from .tables import words_of

READING = re.compile(r"^#+ Further reading$", re.MULTILINE)
SECTION = re.compile(r"^\| (\d+ [^|]+?) \| (\d+) \|$", re.MULTILINE)
"""A row of the table at a lesson's top: section and minutes."""


def with_links(text: str) -> str:
    """A text cell whose table of sections leads to them, and whose works have their addresses."""
    text = SECTION.sub(lambda row: f"| [{row[1]}](#{anchor_of(row[1])}) | {row[2]} |", text)
    found = READING.search(text)
    if found is None:
        return text
    before, reading = text[: found.end()], text[found.end() :]
    return before + re.sub(r"\*([^*]+)\*", _work, reading)


def book_anchor(heading: str) -> str:
    """Of a heading, or of its anchor in JupyterLab, on a page of the book."""
    return re.sub(r"[^\w-]", "", unquote(heading).replace(" ", "-").lower())


def closing(lesson: Lesson) -> str:
    """The last text of a lesson in both editions: where to go on, and the words that it taught."""
    every = lessons()
    place = every.index(lesson)
    ways = [f"**Next:** {_link(one)}." for one in every[place + 1 : place + 2]]
    ways += [f"Before: {_link(one)}." for one in every[:place][-1:]]
    text = " ".join(ways)
    words = words_of(lesson)
    if words:
        summary = f"<summary>Words of lesson {lesson.number}, English and Chinese</summary>"
        text += f"\n\n<details>\n{summary}\n\n{words}\n\n</details>"
    return text


def to_pages(lesson: Lesson) -> str:
    """What the learner's edition adds to that: start page and last page lie beside it."""
    text = f"Your progress, help and the glossary are on the [start page]({START_PAGE}.ipynb)."
    if lesson == lessons()[-1]:
        text = f"This was the last lesson: see [what you have done]({LAST_PAGE}.ipynb).\n\n{text}"
    return f"\n\n{text}"


def _link(lesson: Lesson) -> str:
    return f"[lesson {lesson.number}, {lesson.title}]({lesson.name}.ipynb)"


def _work(title: re.Match[str]) -> str:
    address = _papers().get(_plain(title[1]))
    return f"[{title[0]}]({address})" if address else title[0]


@cache
def _papers() -> dict[str, str]:
    """Addresses by title, see ``solutions/papers.yaml``."""
    found = yaml.safe_load(text_of(root() / "solutions" / "papers.yaml"))
    return {_plain(title): quote(address, safe=":/?=.") for title, address in found.items()}


def _plain(title: str) -> str:
    return " ".join(title.lower().split())
