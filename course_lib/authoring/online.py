"""Where the course opens without being installed: Binder and Google Colab.

Both need the repository's address. It stands once, in pyproject.toml, as ``Repository`` under
``[project.urls]``; as long as it is not there, nothing leads anywhere.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode

from ..errors import CourseError
from ..files import text_of
from ..lessons import START_PAGE, Lesson, lessons, root

GITHUB = "https://github.com/"
COLAB = """\
import sys

if "google.colab" in sys.modules:
    from subprocess import check_call

    # Colab has the rest, and other versions of it would break the kernel that is running.
    packages = {packages}
    check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *packages])"""
COLAB_TEXT = """\
The next cell is for Google Colab, where it installs the course. (For a GPU there: **Runtime**,
**Change runtime type**.) Everywhere else it does nothing."""


def address() -> str:
    """Of the repository, as ``https://github.com/owner/name``; "" if it is not set."""
    found = str(_project(root()).get("urls", {}).get("Repository", ""))
    if found and not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", found.rstrip("/")):
        raise CourseError(f"The repository's address in pyproject.toml is no web address: {found}.")
    return found.rstrip("/").removesuffix(".git")


def binder_badge() -> str:
    """Markdown of the badge that opens the start page on mybinder.org; "" without an address."""
    where = address()
    if not where:
        return ""
    source = (
        f"gh/{where.removeprefix(GITHUB)}"
        if where.startswith(GITHUB)
        else f"git/{quote(where, safe='')}"
    )
    page = f"https://mybinder.org/v2/{source}/HEAD?urlpath=lab/tree/notebooks/{START_PAGE}.ipynb"
    return f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({page})"


def colab_address(lesson: Lesson) -> str:
    """Where the lesson opens in Google Colab, which reads from GitHub only; "" if it does not."""
    where = address()
    if not (lesson.colab and where.startswith(GITHUB)):
        return ""
    place = f"{where.removeprefix(GITHUB)}/blob/HEAD/notebooks/{lesson.name}.ipynb"
    return f"https://colab.research.google.com/github/{place}"


def colab_cells(lesson: Lesson) -> list[NotebookNode]:
    """Words and the cell that installs the course in Google Colab; none for other lessons."""
    if not colab_address(lesson):
        return []
    project = _project(lesson.root)
    offline = [
        re.split(r"[^\w-]", needed)[0] for needed in project["optional-dependencies"]["offline"]
    ]
    packages = (
        json.dumps([f"{project['name']} @ git+{address()}", *offline], indent=8)[:-1] + "    ]"
    )
    code = COLAB.format(packages=packages)
    return [nbformat.v4.new_markdown_cell(COLAB_TEXT), nbformat.v4.new_code_cell(code)]


def ways() -> str:
    """An item of README's list: what opens in the browser alone."""
    if not address():
        return ""
    links = [
        f"[lesson {lesson.number}]({link})"
        for lesson in lessons()
        if (link := colab_address(lesson))
    ]
    item = "- To work in the browser without installing anything, use the Binder badge."
    if links:
        item += (
            f"\n  For a GPU without owning one, open {' or '.join(links)}\n"
            "  in Google Colab: the first cell installs the course there."
        )
    return item


@cache
def _project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(text_of(folder / "pyproject.toml"))["project"]
    return project
