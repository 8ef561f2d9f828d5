"""Links of a lesson: to its sections, to what it says to read, to where earlier lessons introduce
a word, to the next lesson and start page.

`course build` puts them into the notebooks, so that no source has to keep them right.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from urllib.parse import quote, unquote

from ..files import from_yaml, text_of
from ..lessons import LAST_PAGE, START_PAGE, Lesson, anchor_of, lessons, root
from .tables import Term, glossary, words_of

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


NO_PROSE = re.compile(
    r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|^(?:#|\||<)[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
"""Code, formulas, links, headings, tables, and the lines of folds."""


class Terms:
    """Words that earlier lessons have introduced: where a lesson first writes one, it links it.

    Args:
        lesson: in whose order of reading the texts come.
    """

    def __init__(self, lesson: Lesson) -> None:
        before = {one.number: one for one in lessons() if one.number < lesson.number}
        self._to = {
            term.term.lower(): _introduced(before[term.lesson], term)
            for term in glossary()
            if term.lesson in before and not term.ordinary
        }
        longest = sorted(self._to, key=len, reverse=True)
        words = "|".join(r"\s+".join(map(re.escape, term.split())) for term in longest)
        self._words = re.compile(rf"(?<![\w-])(?:{words or '(?!)'})(?![\w-])", re.IGNORECASE)

    def linked(self, text: str) -> str:
        """The next text, with these links."""
        if READING.search(text):
            return text
        parts = NO_PROSE.split(text)
        parts[::2] = [self._words.sub(self._link, prose) for prose in parts[::2]]
        return "".join(parts)

    def _link(self, word: re.Match[str]) -> str:
        address = self._to.pop(_plain(word[0]), "")
        return f"[{word[0]}]({address})" if address else word[0]


def _introduced(lesson: Lesson, term: Term) -> str:
    """Address of the section that a term is the heading of, or else of the first that writes it.

    A term that is the title of its lesson leads to the top.
    """
    word = re.compile(rf"\b{re.escape(term.seen_as or term.term)}", re.IGNORECASE)
    sections = _sections(lesson)
    in_headings = (heading for heading in sections if word.search(heading))
    in_texts = (heading for heading, text in sections.items() if word.search(text))
    heading = next(chain(in_headings, in_texts), "")
    if not heading or term.term.lower() == lesson.title.lower():
        return f"{lesson.name}.ipynb"
    return f"{lesson.name}.ipynb#{anchor_of(heading)}"


@cache
def _sections(lesson: Lesson) -> dict[str, str]:
    """Headings of a lesson and, on one line, the text below each, without the code."""
    cells = re.split(r"(?m)^# %%", text_of(lesson.source))
    text = "".join(cell for cell in cells if cell.startswith(" [markdown]"))
    _, *parts = re.split(r"(?m)^# ## (.+)$", text)
    texts = (" ".join(text.replace("\n# ", " ").split()) for text in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


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
    found = from_yaml(text_of(root() / "solutions" / "papers.yaml"))
    return {_plain(title): quote(address, safe=":/?=.") for title, address in found.items()}


def _plain(title: str) -> str:
    return " ".join(title.lower().split())
