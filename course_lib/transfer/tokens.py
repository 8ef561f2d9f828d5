"""From text to the pieces that BERT knows, and their rows in its vocabulary.

The vocabulary is that of BERT-uncased (Devlin et al. 2019, Google; Apache-2.0), unchanged.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..errors import CourseError, UsageError
from ..foundations.text import wordpiece

VOCABULARY = Path(__file__).parents[1] / "data" / "wordpiece_vocabulary.txt"
PADDING, UNKNOWN, START, END, HIDDEN = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
LONGEST_WORD = 100
"""Characters; a longer one is unknown as a whole."""
CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
"""Characters that are words of their own."""


def vocabulary(path: Path = VOCABULARY) -> dict[str, int]:
    """The pieces of a vocabulary, one a line, and their rows.

    Raises:
        CourseError: the file cannot be read or lacks the pieces that every text needs.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CourseError(f"{path} cannot be read as a vocabulary ({why}).") from error
    rows = {piece: row for row, piece in enumerate(lines) if piece}
    missing = [piece for piece in (PADDING, UNKNOWN, START, END) if piece not in rows]
    if missing or rows[PADDING] != 0:
        raise CourseError(f"{path} is no vocabulary of BERT: {', '.join(missing) or PADDING}.")
    return rows


def words(text: str) -> list[str]:
    """A text in small letters without accents, cut at spaces and around punctuation.

    Characters that cannot be seen are dropped, and a Chinese character is a word of its own, both
    as BERT's own tokenizer does it.
    """
    return "".join(_spaced(text)).split()


def _spaced(text: str) -> Iterator[str]:
    for character in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(character)
        if character.isspace() or kind == "Zs":
            yield " "
        elif kind[0] == "C" or kind == "Mn" or character == "\ufffd":
            continue
        elif _stands_alone(character, kind):
            yield f" {character} "
        else:
            yield character


def _stands_alone(character: str, kind: str) -> bool:
    if character.isascii():
        return not character.isalnum()
    return kind[0] == "P" or any(low <= ord(character) <= high for low, high in CHINESE)


def pieces(text: str, rows: dict[str, int]) -> list[str]:
    """The pieces of a text, between the one that starts and the one that ends it.

    Raises:
        UsageError: there is nothing to read in it, or most of its words are unknown.
    """
    if not isinstance(text, str):
        raise UsageError(f"A text is a string, not {type(text).__name__}.")
    split = [
        wordpiece(word, rows) if len(word) <= LONGEST_WORD else [UNKNOWN] for word in words(text)
    ]
    if not split:
        raise UsageError("There is an empty text: leave it out, there is nothing to read in it.")
    if 2 * sum(parts == [UNKNOWN] for parts in split) > len(split):
        raise UsageError(
            f"Most words of “{text[:40]}” are unknown to this encoder, which reads English: "
            "take one that was trained on this script."
        )
    return [START, *(piece for parts in split for piece in parts), END]


def padded(rows: Sequence[Sequence[int]], multiple: int = 8) -> np.ndarray:
    """(N, T) int32: rows of the vocabulary, filled up with 0, T a multiple."""
    longest = max(map(len, rows))
    array = np.zeros((len(rows), -(-longest // multiple) * multiple), np.int32)
    for line, numbers in zip(array, rows, strict=True):
        line[: len(numbers)] = numbers
    return array
