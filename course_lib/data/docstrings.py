"""Sentences of documentation: first paragraphs of the docstrings of four libraries.

They come from Matplotlib, NumPy, scikit-learn and Python's standard library, whose licenses, with
their versions, are in ``docstrings_licenses.txt``. They lie beside this file, so that they are the
same with every version: a line of ``docstrings.txt`` is a field, the number of a file and a text of
30 to 120 characters, without the names of the libraries, so that what it is about has to be read
from the rest. The files of a field are in a random order.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np

from ..errors import UsageError

FIELDS = ("plots", "arrays", "learning", "system")
"""What the texts are about; the last ones are Python's own."""
FILE = Path(__file__).with_suffix(".txt")


def load(of_each: int = 120, of_a_file: int = 8) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts, their fields and the files that they stand in, in a fixed mixed order.

    Args:
        of_each: texts of each field.
        of_a_file: texts of one file, at most; there are up to 60.

    Returns:
        The texts; (N,) integers, places in `FIELDS`; (N,) integers, one for each file. Texts of
        one file are alike, and belong on the same side of a split.

    Raises:
        UsageError: there are fewer of them.
    """
    lines = [line.split("\t") for line in FILE.read_text(encoding="utf-8").split("\n")[:-1]]
    taken: dict[str, tuple[int, int]] = {}
    for number, field in enumerate(FIELDS):
        wanted = (number + 1) * of_each
        for file, rows in groupby((line for line in lines if line[0] == field), lambda row: row[1]):
            new = dict.fromkeys(text for *_, text in rows if text not in taken)
            for text in list(new)[: min(of_a_file, wanted - len(taken))]:
                taken[text] = number, int(file)
        if len(taken) < wanted:
            found = of_each - wanted + len(taken)
            raise UsageError(f"There are only {found} such texts about {field}: ask for fewer.")
    texts, labels = list(taken), np.array(list(taken.values()))
    order = np.random.default_rng(len(texts)).permutation(len(texts))
    files = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    return [texts[row] for row in order], labels[order, 0], files[order]
