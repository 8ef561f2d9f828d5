"""Sentences of documentation: of four fields, without the libraries' names, few of each file."""

from __future__ import annotations

import re

import numpy as np
import pytest

from course_lib.data import docstrings
from course_lib.errors import UsageError

NAMES = re.compile(
    r"matplotlib|pyplot|numpy|scipy|scikit-learn|sklearn|pandas|python|\bnp\b|\bplt\b|\bmpl\b", re.I
)
"""Of libraries: they would give the field away."""
Loaded = tuple[list[str], np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return docstrings.load(40)


def test_there_are_as_many_of_each_field_and_none_twice(loaded: Loaded) -> None:
    texts, fields, files = loaded
    assert np.bincount(fields).tolist() == len(docstrings.FIELDS) * [40]
    assert len(texts) == len(set(texts)) == len(fields) == len(files)


def test_a_file_has_one_field_and_few_texts(loaded: Loaded) -> None:
    _, fields, files = loaded
    assert np.bincount(files).max() <= 8
    assert all(len(set(fields[files == file])) == 1 for file in files)


def test_they_are_short_and_do_not_name_their_library(loaded: Loaded) -> None:
    texts, _, _ = loaded
    assert all(30 <= len(text) <= 120 for text in texts)
    assert not any(NAMES.search(text) for text in texts)
    assert not any("`" in text or "  " in text for text in texts)


def test_they_are_the_same_twice(loaded: Loaded) -> None:
    again = docstrings.load(40)
    assert again[0] == loaded[0]
    assert all(np.array_equal(*pair) for pair in zip(again[1:], loaded[1:], strict=True))


def test_more_of_a_file_are_given_where_they_are_wanted() -> None:
    texts, fields, files = docstrings.load(900, of_a_file=60)
    assert np.bincount(fields).tolist() == [900] * 4
    assert len(set(texts)) == 3600
    assert 8 < np.bincount(files).max() <= 60


def test_what_is_missing_is_said() -> None:
    with pytest.raises(UsageError, match=r"There are only \d+ such texts about plots: ask"):
        docstrings.load(100_000)
