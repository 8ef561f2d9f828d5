"""The words of Babel: one language each, and no concept on both sides of a split."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.data import words


@pytest.fixture(scope="module")
def all_words() -> words.Words:
    return words.load()


def test_there_are_words_of_every_language(all_words: words.Words) -> None:
    assert len(all_words.languages) == 30
    assert set(all_words.languages) == {*words.SOURCE, *words.TARGET}
    assert np.bincount(all_words.labels, minlength=30).min() > 60
    assert len(all_words.texts) == len(all_words.labels) == len(all_words.concepts) > 10_000


def test_each_word_is_of_one_language_short_and_in_small_latin_letters(
    all_words: words.Words,
) -> None:
    assert len(set(all_words.texts)) == len(all_words.texts)
    assert {len(text) for text in all_words.texts} == set(range(3, 13))
    assert all(text == text.lower() and text.isalpha() for text in all_words.texts)
    assert not set(all_words.alphabet) & set("αя中ا")


def test_names_of_the_same_thing_are_one_concept(all_words: words.Words) -> None:
    concept = dict(zip(all_words.texts, all_words.concepts, strict=True))
    greek = ["griechenland", "griechisch", "greacă", "görögország", "græsk"]
    assert len({concept[word] for word in greek}) == 1
    assert concept["griechisch"] != concept["spanisch"]
    assert len(set(concept.values())) > 1000


def test_a_split_has_no_concept_on_both_sides(all_words: words.Words) -> None:
    train, test = all_words.split(seed=3, test_share=0.25)
    assert not set(all_words.concepts[train]) & set(all_words.concepts[test])
    assert sorted([*train, *test]) == list(range(len(all_words.texts)))
    assert 0.2 < len(test) / len(all_words.texts) < 0.3
    assert [list(part) for part in all_words.split(3)] != [list(p) for p in all_words.split(4)]


def test_languages_chosen_keep_their_words_and_the_split(all_words: words.Words) -> None:
    few = all_words.of(("nb", "da"))
    assert few.languages == ("nb", "da")
    norwegian = [t for t, label in zip(few.texts, few.labels, strict=True) if label == 0]
    nb = all_words.languages.index("nb")
    assert norwegian == [
        text for text, label in zip(all_words.texts, all_words.labels, strict=True) if label == nb
    ]
    tested = {all_words.texts[n] for n in all_words.split(seed=5)[1]}
    assert {few.texts[n] for n in few.split(seed=5)[1]} == tested & set(few.texts)


def test_letters_have_numbers_from_one_on(all_words: words.Words) -> None:
    numbers = all_words.numbers(all_words.alphabet)
    assert min(map(min, numbers)) == 1
    assert max(map(max, numbers)) == len(all_words.alphabet)
    letters = [all_words.alphabet[n - 1] for n in numbers[77]]
    assert "".join(letters) == all_words.texts[77]
    assert words.Words(("bad",), np.zeros(1, int), np.zeros(1, int), ("en",)).numbers("ab") == [
        [2, 1]
    ]


def test_languages_have_names() -> None:
    assert words.english_name("cy") == "Welsh"
