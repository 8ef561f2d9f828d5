"""Sentences of documentation: of four fields, without the libraries' names, few of each file."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.data import docstrings
from course_lib.errors import CourseError

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
    assert np.bincount(files).max() <= docstrings.MOST
    assert all(len(set(fields[files == file])) == 1 for file in files)


def test_they_are_short_and_do_not_name_their_library(loaded: Loaded) -> None:
    texts, _, _ = loaded
    assert all(docstrings.SHORTEST <= len(text) <= docstrings.LONGEST for text in texts)
    assert not any(docstrings.NAMES.search(text) for text in texts)
    assert not any("`" in text or "  " in text for text in texts)


def test_they_are_the_same_twice(loaded: Loaded) -> None:
    again = docstrings.load(40)
    assert again[0] == loaded[0]
    assert all(np.array_equal(*pair) for pair in zip(again[1:], loaded[1:], strict=True))


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docstrings, "FIELDS", {"plots": "a_library_that_is_not_there"})
    with pytest.raises(CourseError, match="Only 0 texts about plots"):
        docstrings.load(5)
