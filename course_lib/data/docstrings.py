"""Sentences of documentation: first paragraphs of the docstrings of installed libraries.

They come from Matplotlib, NumPy, scikit-learn and Python's standard library, whose licenses (BSD
and PSF) allow it, and whose versions the lock pins. The names of the libraries are taken out, so
that what a text is about has to be read from the rest.
"""

from __future__ import annotations

import ast
import re
import sysconfig
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import numpy as np

from ..errors import CourseError

FIELDS = {"plots": "matplotlib", "arrays": "numpy", "learning": "sklearn", "system": ""}
"""Each field, and the package that it is read from; "" for the standard library."""
STANDARD = [
    "argparse.py",
    "asyncio",
    "email",
    "ftplib.py",
    "http",
    "logging",
    "multiprocessing",
    "pathlib.py",
    "shutil.py",
    "smtplib.py",
    "socket.py",
    "ssl.py",
    "subprocess.py",
    "tarfile.py",
    "tempfile.py",
    "threading.py",
    "unittest",
    "urllib",
    "zipfile",
    "zipfile.py",
]
NAMES = re.compile(
    r"matplotlib|pyplot|numpy|scipy|scikit-learn|sklearn|pandas|python|\bnp\b|\bplt\b|\bmpl\b", re.I
)
SHORTEST, LONGEST = 30, 120
"""Characters of a text."""
MOST = 8
"""Texts of one file."""
LEFT_OUT = {"test", "tests", "externals", "extern"}
"""Folders with tests, or with parts of other libraries."""


def load(of_each: int = 120) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts, their fields and the files that they stand in, in a fixed mixed order.

    Args:
        of_each: texts of each field.

    Returns:
        The texts; (N,) integers, places in `FIELDS`; (N,) integers, one for each file. Texts of
        one file are alike, and belong on the same side of a split.

    Raises:
        CourseError: a library has fewer of them.
    """
    texts: list[str] = []
    labels: list[int] = []
    groups: list[int] = []
    taken: set[str] = set()
    for number, (field, package) in enumerate(FIELDS.items()):
        start = len(texts)
        files = _files(package)
        for place in np.random.default_rng(number).permutation(len(files)):
            new = [text for text in _paragraphs(files[place]) if text not in taken]
            new = list(dict.fromkeys(new))[: min(MOST, start + of_each - len(texts))]
            taken.update(new)
            texts += new
            labels += len(new) * [number]
            groups += len(new) * [1000 * number + int(place)]
            if len(texts) == start + of_each:
                break
        else:
            raise CourseError(
                f"Only {len(texts) - start} texts about {field} are to be found in "
                f"{package or 'Python'}: install the versions of requirements.lock."
            )
    order = np.random.default_rng(len(texts)).permutation(len(texts))
    files_of = np.unique(groups, return_inverse=True)[1]
    return [texts[row] for row in order], np.array(labels)[order], files_of[order]


def _paragraphs(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            text = _cleaned((ast.get_docstring(node) or "").split("\n\n")[0])
            if SHORTEST <= len(text) <= LONGEST and text.count(" ") >= 4:
                yield text


def _files(package: str) -> list[Path]:
    if package:
        spec = util.find_spec(package)
        folders = [Path(it) for it in (spec.submodule_search_locations or ())] if spec else []
    else:
        library = Path(sysconfig.get_paths()["stdlib"])
        folders = [library / name for name in STANDARD]
    files = [file for it in folders for file in ([it] if it.suffix else it.rglob("*.py"))]
    return sorted(file for file in files if not LEFT_OUT & set(file.parts))


def _cleaned(text: str) -> str:
    """Without marks of reStructuredText and without the names of the libraries."""
    text = re.sub(r":\w+(?::\w+)?:`~?\.?([^`]*)`", r"\1", text)
    return " ".join(NAMES.sub("", text.replace("`", "").replace("*", "")).split())
