"""Data sets that the lessons use, none of which needs an internet connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        what: is in it, in words.
        package: that brings it, as pip knows it.
        module: of that package.
        file: in the module's folder; it is there if the data are.
    """

    what: str
    package: str
    module: str
    file: str


SOURCES = {
    "digits": Source(
        "handwritten digits", "scikit-learn", "sklearn", "datasets/data/digits.csv.gz"
    ),
    "elpv": Source("images of solar cells", "elpv-dataset", "elpv_dataset", "data/labels.csv"),
    "words": Source("words of 30 languages", "babel", "babel", "locale-data/en.dat"),
}
"""By the name that a lesson's header gives it."""
