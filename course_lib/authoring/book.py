"""The solved lessons as a static site with search, which needs neither a network nor a kernel."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

from ..errors import CourseError
from ..exercises.verdict import VERDICT_TYPE
from ..files import text_of
from ..lessons import lessons, root
from .build import BEGIN, END
from .run import read_notebook
from .tables import glossary_list, lesson_list

MATHJAX = ("sphinx-mathjax-offline", "tex-svg.js")
"""The wheel that carries MathJax, and the one file of it that a page needs."""

STYLE = """
.bd-article img { height: auto; }  /* narrower than drawn, yet not squeezed */
.bd-article code.literal .pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.bd-article td code.literal .pre { overflow-wrap: normal; }  /* a wide table scrolls */
.bd-article .output.text_plain pre { white-space: pre-wrap; }  /* words in place of a picture */
.bd-article dt { font-weight: bold; }
mjx-container { max-width: 100%; overflow: auto hidden; }
@media (min-width: 1200px) {  /* the lessons' longest lines of code need no scrolling */
  html { --pst-sidebar-secondary: 13rem; }
  .bd-sidebar-primary { flex-basis: 14rem; }
  .bd-main .bd-content .bd-article-container .bd-article { padding-inline: 1.5rem; }
  .bd-article pre { font-size: 0.79rem; padding-inline: 0.7rem; }
}
"""

SPHINX: dict[str, Any] = {
    "project": "Transfer Learning from First Principles",
    "copyright": "the authors of the course. Prose and figures: CC BY 4.0. Code: MIT",
    "language": "en",
    "extensions": ["myst_nb"],
    "nb_execution_mode": "off",  # the notebooks hold their outputs
    "nb_ipywidgets_js": {},  # a page shows the stored picture of each explorer
    "nb_render_markdown_format": "myst",  # for the tables that lessons print
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 3,
    "html_theme": "sphinx_book_theme",
    "html_title": "Transfer Learning from First Principles",
    "html_theme_options": {
        "show_toc_level": 2,
        "use_download_button": False,
        "navbar_persistent": [],  # the sidebar has the search
        "footer_content_items": ["copyright.html"],
    },
    "html_static_path": ["_static"],
    "html_css_files": ["book.css"],
    "html_use_index": False,
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_last_updated_fmt": None,
    "mathjax_path": MATHJAX[1],
}


def make_book(out: Path) -> Path:
    """Write the site into the folder ``out``, which is made or replaced.

    Returns:
        The page to open first.

    Raises:
        CourseError: a package of the extra ``book`` is missing, ``out`` holds something else, or
            Sphinx has something to say (a dead link, a notebook that it cannot read).
    """
    for module in SPHINX["extensions"] + [SPHINX["html_theme"]]:
        if find_spec(module) is None:
            raise CourseError(
                f"The book needs {module}: run `pip install --no-deps -r tests/requirements.lock`."
            )
    mathjax = _mathjax()
    if out.exists() and not (out.is_dir() and (_is_site(out) or not any(out.iterdir()))):
        raise CourseError(f"{out} holds something that is not a book: give another folder.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Made beside it, the new one takes the old one's place at once, or the old one stays.
        place = out.absolute()
        with tempfile.TemporaryDirectory(prefix=".course-book-", dir=place.parent) as folder:
            sources, site = Path(folder, "sources"), Path(folder, "site")
            _write_sources(sources, mathjax)
            _run_sphinx(sources, site)
            if place.exists():
                shutil.rmtree(place)
            site.rename(place)
    except OSError as error:
        raise CourseError(f"Cannot write {out}: {error.strerror or error}.") from None
    return out / "index.html"


def page(notebook: NotebookNode) -> NotebookNode:
    """A solved lesson as a page: pictures have their alternative text, solutions no markers."""
    shown = copy.deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type != "code":
            cell.source = re.sub(r"\]\(#([^)]+)\)", _slug, cell.source)
            continue
        lines = cell.source.splitlines()
        cell.source = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
        for output in cell.outputs:
            output.get("data", {}).pop(VERDICT_TYPE, None)  # beside it is the same as HTML
            if "image/png" in output.get("data", {}):
                cell.metadata["mystnb"] = {"image": {"alt": output.data["text/plain"]}}
    return shown


def _slug(link: re.Match[str]) -> str:
    """A link to a heading, which has another anchor here than in JupyterLab."""
    anchor = re.sub(r"[^\w-]", "", unquote(link[1]).lower())
    return f"](#{anchor})"


def _write_sources(folder: Path, mathjax: Path) -> None:
    """Everything that Sphinx reads, its settings among it."""
    static = folder / "_static"
    static.mkdir(parents=True)
    shutil.copy(mathjax, static / mathjax.name)
    (static / "book.css").write_text(STYLE, encoding="utf-8")
    solutions = root() / "solutions"
    for lesson in lessons():
        notebook = lesson.notebook("solutions")
        nbformat.write(page(read_notebook(notebook)), folder / notebook.name)
    shutil.copy(solutions / "picture.png", folder)
    readme = text_of(solutions / "README.md")
    notation = readme[readme.index("## Notation") + 1 :]
    for name, text in (
        ("index", _first_page()),
        ("glossary", f"# Glossary, English and Chinese\n\n{glossary_list()}"),
        ("notation", notation),
    ):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    settings = "".join(f"{name} = {value!r}\n" for name, value in SPHINX.items())
    (folder / "conf.py").write_text(settings, encoding="utf-8")


def _first_page() -> str:
    """README's title, sentences and picture, then what each lesson teaches."""
    readme = text_of(root() / "README.md")
    head, end, _ = re.split(r"^(!\[.*\)\n)", readme, maxsplit=1, flags=re.MULTILINE)
    head = re.sub(r"(?s)<!-- badge -->.*<!-- /badge -->\n", "", head)
    head += end.replace("solutions/picture.png", "picture.png")
    names = "\n".join(lesson.name for lesson in lessons())
    return (
        f"{head}\nThese pages hold the lessons with their solutions and outputs. Sliders and "
        "checks need the notebooks themselves.\n\nAfter a lesson you are able to do this:\n\n"
        f"{lesson_list()}\n\n```{{toctree}}\n:hidden:\n\n{names}\nglossary\nnotation\n```\n"
    )


def _mathjax() -> Path:
    """The file of MathJax in its wheel."""
    wheel, name = MATHJAX
    try:
        found = [path for path in files(wheel) or () if path.name == name]
    except PackageNotFoundError:
        found = []
    if not found:
        raise CourseError(
            f"The book needs {wheel}: run `pip install --no-deps -r tests/requirements.lock`."
        )
    return Path(str(found[0].locate()))


def _is_site(folder: Path) -> bool:
    return (folder / "index.html").is_file() and (folder / "searchindex.js").is_file()


def _run_sphinx(sources: Path, site: Path) -> None:
    """Sphinx in a process of its own: it keeps state, and a second book would meet it."""
    command = [sys.executable, "-m", "sphinx", "-qN", "-b", "html", str(sources), str(site)]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    said = run.stderr.replace(f"{sources}/", "").strip()
    if said or run.returncode:
        raise CourseError(f"The book is not in order: {said or run.stdout}")
