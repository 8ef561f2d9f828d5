"""What stands on the pages of the book that are no lessons, and how a lesson becomes a page."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..exercises import catalogue
from ..exercises.verdict import VERDICT_TYPE
from ..files import text_of
from ..lessons import START_PAGE, Lesson, lessons, root
from ..plots.browser import live_html
from . import articles, course_map
from .build import BEGIN, END, without_solution
from .links import book_anchor
from .tables import glossary_list, hours, lesson_list, without_markers

FOLDED = {"answer": ("Show one answer", "Hide it"), "code": ("Show the code", "Hide the code")}
"""What unfolds and folds a cell again."""


def lesson_page(notebook: NotebookNode) -> NotebookNode:
    """A solved lesson as a page.

    Each exercise is as learners find it, and below it, folded, is one answer. Folded is also what
    the lesson's author folded. Pictures have their alternative text; explorers that need no kernel
    live.
    """
    shown = copy.deepcopy(notebook)
    cells = []
    for cell in shown.cells:
        if cell.cell_type != "code":
            cell.source = re.sub(r"\]\((\w+\.ipynb)?#([^)]+)\)", _slug, cell.source)
            cells.append(cell)
            continue
        if BEGIN in cell.source:
            cells.append(nbformat.v4.new_code_cell(without_solution(cell.source)))
            lines = cell.source.splitlines()
            cell.source = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
            _fold(cell, "answer")
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            _fold(cell, "code")
        for output in cell.outputs:
            output.get("data", {}).pop(VERDICT_TYPE, None)  # beside it is the same as HTML
            if "image/png" in output.get("data", {}):
                alt = {"alt": output.data["text/plain"]}
                cell.metadata.setdefault("mystnb", {})["image"] = alt
                picture = output.metadata.get("image/png", {})
                if "explorer" in picture:
                    output.data["text/html"] = live_html(output.data["image/png"], picture)
        cells.append(cell)
    shown.cells = cells
    return shown


def texts(with_mistakes: bool) -> dict[str, str]:
    """The other pages in Markdown, by name: ``index`` has the contents of the book."""
    readme = text_of(root() / "solutions" / "README.md")
    maintaining, notation = readme.split("## Notation\n")
    teaching = text_of(root() / "course_lib" / "grading" / "README.md")
    pages = {
        "glossary": f"# Glossary, English and Chinese\n\n{glossary_list()}",
        "notation": f"# Notation\n{notation}",
        "articles": articles.page(),
        "teaching": _alone(teaching),
        "maintaining": _alone(maintaining),
    }
    contents = {
        "Lessons": [lesson.name for lesson in lessons()],
        "To look things up": ["glossary", "notation", "articles"],
        "Teach and maintain": ["teaching", "maintaining"],
    }
    if with_mistakes:
        known = {f"mistakes_{lesson.name}": mistakes(lesson) for lesson in lessons()}
        contents["Known mistakes"] = [*known]
        pages |= known
    return pages | {"index": home(contents)}


def home(contents: dict[str, list[str]]) -> str:
    """The first page, from README and the start page; contents: names of pages by caption."""
    readme = text_of(root() / "README.md")
    head, picture, rest = re.split(r"^(!\[.*\)\n)", readme, maxsplit=1, flags=re.MULTILINE)
    promise = re.sub(r"(?s)<!-- badge -->.*<!-- /badge -->\n", "", head).strip()
    you_know, install = rest.split("\n## ")[0].split("In a copy of this repository", 1)
    start = text_of(root() / "solutions" / f"{START_PAGE}.py").replace("\n# ", " ")
    (strip,) = re.findall(r"!\[[^]]+\]\(attachment:start\.jpg\)", start)
    ways = course_map.attached().replace("attachment:", "")
    first = lessons()[0]
    trees = "".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n\n"
        for caption, names in contents.items()
    )
    return (
        f"{promise}\n\n{strip.replace('attachment:', '')}\n\n"
        f"```{{container}} begin\n[Begin with lesson {first.number}, {first.title}]"
        f"({first.name}.ipynb)\n```\n\n{you_know.strip()} {hours()}\n\n"
        "These pages hold the lessons with their outputs; the answers are folded. Checks and most "
        "sliders need the notebooks themselves: see [below](#install-it).\n\n"
        f"## Lessons\n\n{ways}\n\nAfter a lesson you are able to do this:\n\n"
        f"````{{container}} lessons\n{lesson_list()}\n````\n\n"
        f"## Install it\n\n{picture.replace('solutions/', '')}\n"
        f"In a copy of the course's repository{without_markers(install)}\n\n{trees}"
    )


def mistakes(lesson: Lesson) -> str:
    """The known mistakes of a lesson's exercises, and what is said to each, from their files."""
    parts = [f"# Mistakes in lesson {lesson.number}, {lesson.title}\n"]
    for exercise in catalogue().values():
        if exercise.lesson == lesson.name:
            file = root() / "course_lib" / "exercises" / lesson.name / f"{exercise.name}.md"
            _, _, text = text_of(file).split("---\n", 2)
            pieces = re.split(r"(?ms)^(```.*?^```)$", text)
            pieces[::2] = [re.sub(r"(?m)^#+ ", "### ", piece) for piece in pieces[::2]]
            parts.append(f"## `{exercise.name}`\n{''.join(pieces)}")
    return "\n".join(parts)


def search_texts(site: Path) -> str:
    """A script with the words of every page of a site, as Sphinx's search reads them."""
    words = {
        path.name: re.sub(r"(?s)<(script|style|svg)\b.*?</\1>|<img[^>]*>|</?span[^>]*>", "", text)
        for path in sorted(site.glob("*.html"))
        for text in re.findall(r'(?s)<article class="bd-article">.*?</article>', text_of(path))
    }
    pages = {name: f'<div role="main">{text}</div>' for name, text in words.items()}
    return f"globalThis.TEXTS = {json.dumps(pages, ensure_ascii=False)};\n"


def _fold(cell: NotebookNode, what: str) -> None:
    show, hide = FOLDED[what]
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    cell.metadata["mystnb"] = {"code_prompt_show": show, "code_prompt_hide": hide}


def _slug(link: re.Match[str]) -> str:
    """A link to a heading, which has another anchor here than in JupyterLab."""
    return f"]({link[1] or ''}#{book_anchor(link[2])})"


def _alone(text: str) -> str:
    """A Markdown file without its links to other files, which are not in the book."""
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", without_markers(text))
