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
SHORTEST, LONGEST = 30, 240
"""Characters of a text."""


def load(of_each: int = 350) -> tuple[list[str], np.ndarray]:
    """Texts and the numbers of their fields, in a fixed mixed order.

    Args:
        of_each: texts of each field.

    Returns:
        The texts, and (N,) integers, places in `FIELDS`.

    Raises:
        CourseError: a library has fewer of them.
    """
    texts, labels = [], []
    taken: set[str] = set()
    for number, (field, package) in enumerate(FIELDS.items()):
        found = [text for text in dict.fromkeys(_paragraphs(package)) if text not in taken]
        if len(found) < of_each:
            raise CourseError(
                f"Only {len(found)} texts about {field} are to be found in {package or 'Python'}: "
                "install the versions of requirements.lock."
            )
        chosen = np.random.default_rng(number).permutation(len(found))[:of_each]
        texts += [found[row] for row in chosen]
        labels += of_each * [number]
        taken |= set(found)
    order = np.random.default_rng(len(texts)).permutation(len(texts))
    return [texts[row] for row in order], np.array(labels)[order]


def _paragraphs(package: str) -> Iterator[str]:
    for file in _files(package):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
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
    return sorted(file for file in files if not {"tests", "test"} & set(file.parts))


def _cleaned(text: str) -> str:
    """Without marks of reStructuredText and without the names of the libraries."""
    text = re.sub(r":\w+(?::\w+)?:`~?\.?([^`]*)`", r"\1", text)
    return " ".join(NAMES.sub("", text.replace("`", "").replace("*", "")).split())
