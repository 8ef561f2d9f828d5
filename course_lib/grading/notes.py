"""What was passed over, in sentences: one on all of a kind in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import named


@dataclass(frozen=True)
class Kind:
    """What is said of a file or folder: behind its name, or behind those of several.

    Attributes:
        one: behind one.
        several: behind several, if that is something else.
    """

    one: str
    several: str = ""


def skipped(one: str, several: str = "") -> Kind:
    """Of what was skipped, and why."""
    return Kind(f"{one} and was skipped", f"{several or one} and were skipped")


LINK = skipped("is a symbolic link", "are symbolic links")


class Notes:
    """Sentences in the order in which what they tell was met."""

    def __init__(self) -> None:
        self._told: dict[tuple[Kind | str, object], dict[str, None]] = {}

    def add(self, kind: Kind, name: object, place: object) -> None:
        """Tell of a file or folder, in one sentence with all of its kind in that place."""
        self._told.setdefault((kind, place), {})[str(name)] = None

    def say(self, sentence: str) -> None:
        self._told[sentence, None] = {}

    def tell_of(self, name: object) -> bool:
        """Whether a file or folder was added."""
        return any(str(name) in names for names in self._told.values())

    def __iter__(self) -> Iterator[str]:
        for (kind, _), names in self._told.items():
            if isinstance(kind, str):
                yield kind
            else:
                said = kind.several if kind.several and len(names) > 1 else kind.one
                yield f"{named([*names])} {said}."
