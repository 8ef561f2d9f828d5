"""The solved lessons as a static site with search, which needs neither a network nor a kernel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat

from ..errors import CourseError
from ..lessons import lessons, root
from . import book_pages
from .run import read_notebook

MATHJAX = ("sphinx-mathjax-offline", "tex-svg.js")
"""The wheel that carries MathJax, and the one file of it that a page needs."""
STATIC = ("book.css", "book.js")
PICTURES = ("picture.png", "start.jpg", "map.png")

SPHINX: dict[str, Any] = {
    "project": "Transfer Learning from First Principles",
    "copyright": "the authors of the course. Prose and figures: CC BY 4.0. Code: MIT",
    "language": "en",
    "extensions": ["myst_nb"],
    "nb_execution_mode": "off",  # the notebooks hold their outputs
    "nb_ipywidgets_js": {},  # of widgets a page shows the stored picture
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
    "html_js_files": ["book.js"],
    "html_use_index": False,
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_last_updated_fmt": None,
    "mathjax_path": MATHJAX[1],
}


def make_book(out: Path, with_mistakes: bool = False) -> Path:
    """Write the site into the folder ``out``, which is made or replaced.

    Args:
        out: the folder.
        with_mistakes: add the known mistakes of all exercises, for instructors.

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
            _write_sources(sources, mathjax, with_mistakes)
            _run_sphinx(sources, site)
            (site / "_static").mkdir(exist_ok=True)
            words = book_pages.search_texts(site)
            (site / "_static" / "texts.js").write_text(words, encoding="utf-8")
            if place.exists():
                shutil.rmtree(place)
            site.rename(place)
    except OSError as error:
        raise CourseError(f"Cannot write {out}: {error.strerror or error}.") from None
    return out / "index.html"


def _write_sources(folder: Path, mathjax: Path, with_mistakes: bool) -> None:
    """Everything that Sphinx reads, its settings among it."""
    static = folder / "_static"
    static.mkdir(parents=True)
    shutil.copy(mathjax, static / mathjax.name)
    for name in STATIC:
        shutil.copy(Path(__file__).with_name(name), static)
    for lesson in lessons():
        notebook = lesson.notebook("solutions")
        nbformat.write(book_pages.lesson_page(read_notebook(notebook)), folder / notebook.name)
    for picture in PICTURES:
        shutil.copy(root() / "solutions" / picture, folder)
    for name, text in book_pages.texts(with_mistakes).items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    settings = "".join(f"{name} = {value!r}\n" for name, value in SPHINX.items())
    (folder / "conf.py").write_text(settings, encoding="utf-8")


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
