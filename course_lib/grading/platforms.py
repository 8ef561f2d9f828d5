"""How Moodle and Canvas name what they let an instructor download, and what they take back.

As canvas-lms's lib/content_zipper.rb and app/models/assignment.rb, and Moodle's mod/assign, do it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_CANVAS = re.compile(r"(?P<name>\w+?)(?:_LATE)?_(?P<number>\d+)_\d{3,}_.+")
_MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?")


@dataclass(frozen=True)
class Person:
    """Somebody as a platform names them.

    Attributes:
        name: as it is shown there.
        number: that the platform knows them by; Moodle's is another one in each assignment.
    """

    name: str
    number: str

    @property
    def learner(self) -> str:
        return f"{self.name}_{self.number}"


def by_canvas(name: str) -> Person | None:
    """Who handed in a file that Canvas has named so, without its ending."""
    found = _CANVAS.fullmatch(name)
    return Person(found["name"], found["number"]) if found is not None else None


def by_moodle(parts: Iterable[str]) -> Person | None:
    """Who handed in what lies in these folders, one of which Moodle has named."""
    found = next(filter(None, map(_MOODLE.fullmatch, parts)), None)
    return Person(found["name"], found["number"]) if found is not None else None


def are_canvas(names: Iterable[str], most: int) -> bool:
    """Whether all names in a folder are as Canvas makes them.

    Others number their files, too: ``ws_01_4711223_anna``. A number of Canvas does not begin with
    zero, is not everybody's, and stands before no more files than one person hands in.

    Args:
        names: of files, without their endings.
        most: files that one person hands in.
    """
    people = [by_canvas(name) for name in names]
    known = Counter(person for person in people if person is not None)
    return (
        0 < known.total() == len(people)
        and not any(person.number.startswith("0") for person in known)
        and max(known.values()) <= most
        and (len(known) > 1 or len(people) == 1)
    )


def back_to_moodle(person: Person, file: str) -> str:
    """The name in a zip file under which Moodle gives a file to a person as feedback."""
    return f"{person.learner}_assignfeedback_file_{file}"
