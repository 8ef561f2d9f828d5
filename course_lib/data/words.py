"""Words of 30 languages in Latin letters: names of places, languages, currencies and scripts.

They come with the package `babel`, which JupyterLab brings along: it holds the names of Unicode's
Common Locale Data Repository (CLDR, Unicode license). Here are those names that are one word of 3
to 12 letters and occur in one of the languages only, in small letters. Another version of Babel
has slightly other words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SOURCE = (
    *("cs", "de", "en", "es", "eu", "fi", "fr", "ga", "hu", "is", "it"),
    *("lt", "lv", "nl", "pl", "pt", "ro", "sl", "sq", "sv", "sw", "tr"),
)
"""22 languages to learn from, by their codes."""
TARGET = ("ca", "cy", "da", "et", "hr", "id", "nb", "sk")
"""8 others, of which there are to be few labels."""
KINDS = ("territories", "languages", "currencies", "scripts")
SHORTEST, LONGEST = 3, 12
PADDING = 0
"""The number that stands for no letter."""


@dataclass(frozen=True)
class Words:
    """N words of L languages, sorted by language and then alphabetically.

    Attributes:
        texts: the words.
        labels: (N,) integers, the language of each: a position in ``languages``.
        concepts: (N,) integers, the same for words that name the same thing or are connected by
            one that does: "Griechenland", "greacă" and "görög" are of one concept.
        languages: their codes.
    """

    texts: tuple[str, ...]
    labels: np.ndarray
    concepts: np.ndarray
    languages: tuple[str, ...]

    @property
    def alphabet(self) -> str:
        """Every letter that occurs, sorted."""
        return "".join(sorted(set("".join(self.texts))))

    def of(self, languages: Sequence[str]) -> Words:
        """The words of some of the languages, with labels that are positions among these."""
        chosen = np.isin(self.labels, [self.languages.index(code) for code in languages])
        position = [languages.index(code) if code in languages else -1 for code in self.languages]
        return Words(
            tuple(text for text, mine in zip(self.texts, chosen, strict=True) if mine),
            np.array(position)[self.labels[chosen]],
            self.concepts[chosen],
            tuple(languages),
        )

    def numbers(self, alphabet: str) -> list[list[int]]:
        """The letters of each word as positions in the alphabet, from 1 on.

        A letter that is not there is left out.
        """
        number = {letter: position for position, letter in enumerate(alphabet, start=1)}
        return [[number[c] for c in text if c in number] for text in self.texts]

    def split(self, seed: int = 0, test_share: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
        """Words to learn from and words to test on, with no concept on both sides.

        The same seed splits the concepts of all languages in the same way, also after `of`.

        Args:
            seed: the same seed gives the same split.
            test_share: share of the concepts that the test part gets, between 0 and 1.

        Returns:
            (train, test): indices, both ascending.
        """
        share = np.random.default_rng(seed).random(int(self.concepts.max()) + 1)
        tested = share[self.concepts] < test_share
        return np.flatnonzero(~tested), np.flatnonzero(tested)


def load() -> Words:
    """The words of all 30 languages."""
    concepts_of: dict[str, dict[str, set[str]]] = {}
    for code in (*SOURCE, *TARGET):
        for concept, name in _names(code):
            if (word := name.lower()) and _is_plain(name):
                concepts_of.setdefault(word, {}).setdefault(code, set()).add(concept)
    group = _connected([set.union(*by.values()) for by in concepts_of.values()])
    languages = tuple(sorted((*SOURCE, *TARGET)))
    rows = sorted(
        (languages.index(code), word, group[min(concepts)])
        for word, by in concepts_of.items()
        for code, concepts in by.items()
        if len(by) == 1
    )
    number = {name: n for n, name in enumerate(sorted({concept for *_, concept in rows}))}
    return Words(
        tuple(word for _, word, _ in rows),
        np.array([label for label, *_ in rows]),
        np.array([number[concept] for *_, concept in rows]),
        languages,
    )


def english_name(code: str) -> str:
    """What the language of a code is called in English."""
    from babel import Locale

    return str(Locale("en").languages[code])


def _names(code: str) -> Iterator[tuple[str, str]]:
    """What a language calls things, each with a key that is the same in all languages."""
    from babel import Locale

    locale = Locale(code)
    for kind in KINDS:
        for key, name in getattr(locale, kind).items():
            yield f"{kind} {key}", unicodedata.normalize("NFC", name)
    for key, zone in locale.time_zones.items():
        if "city" in zone:
            yield f"city {key}", unicodedata.normalize("NFC", zone["city"])


def _is_plain(name: str) -> bool:
    latin = (unicodedata.name(letter, "").startswith("LATIN") for letter in name.lower())
    return name.isalpha() and SHORTEST <= len(name.lower()) <= LONGEST and all(latin)


def _connected(sets: list[set[str]]) -> dict[str, str]:
    """For each member the first of all members that sets connect with it."""
    leader: dict[str, str] = {}

    def first(member: str) -> str:
        while (above := leader.setdefault(member, member)) != member:
            member = above
        return member

    for members in sets:
        low, *others = sorted(map(first, members))
        for other in others:
            leader[other] = low
    return {member: first(member) for member in leader}
