"""How platforms name what they let an instructor download, and what they take back.

As canvas-lms's lib/content_zipper.rb and app/models/assignment.rb, and Moodle's mod/assign, do it;
Blackboard and Brightspace as their help pages say.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

ANONYMOUS = "anon"
"""What Canvas writes in place of a name."""

_WORD = r"[^\x00-/:-@\[-^`{-\x7f\s]"  # of a name Canvas keeps letters, numbers and their marks
_CANVAS_NAME = re.compile(f"{_WORD}*")
_CANVAS = (
    re.compile(
        rf"(?:LATE_)?(?P<name>{ANONYMOUS})_(?:LATE_)?(?P<number>[0-9A-Za-z]{{5}})_\d{{3,}}_.+"
    ),
    # Such a name may be nothing at all.
    re.compile(rf"(?P<name>{_WORD}*?)(?:_LATE)?_(?P<number>\d+)_\d{{3,}}_.+", re.DOTALL),
)
_FOLDERS = (
    re.compile(r"(?P<name>.+?)[_ ](?P<number>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?"),
    # Brightspace: numbers of the person and of the folder, name, date, and the file's own name.
    re.compile(r"(?P<number>\d+)-\d+ - (?P<name>.+?) - (?=[^-]*\b\d{4}\b)[^-]+(?: - .*)?"),
    # nbgrader's exchange: name, assignment, time.
    re.compile(r"(?P<name>[^+]+)(?P<number>)\+[^+]+\+\d{4}-\d\d-\d\d .+"),
    # Autolab: address, number of the attempt, and the file's own name.
    re.compile(r"(?P<name>[^@]+@[^@_]+)(?P<number>)_\d+_.+"),
)
_BLACKBOARD = re.compile(r"(?P<person>.+?)_attempt_\d{4}(?:-\d\d){5}(?:_.*)?")


@dataclass(frozen=True)
class Person:
    """Somebody as a platform names them.

    Attributes:
        name: as it is shown there.
        number: that the platform knows them by, or ""; Moodle's is another one in each assignment.
        others: learners that it may be instead, if what the platform has written can be read so.
    """

    name: str
    number: str
    others: tuple[str, ...] = field(default=(), compare=False)

    @property
    def learner(self) -> str:
        return f"{self.name}_{self.number}" if self.number else self.name


def by_canvas(name: str) -> Person | None:
    """Who handed in a file that Canvas has named so, without its ending."""
    return _first(_CANVAS, [name])


def of_canvas(names: Iterable[str]) -> dict[str, Person]:
    """Who handed in the files of a folder that Canvas has named, without their endings.

    Somebody may be called "Anna_123", and a file "2024_mine": where a name can be read in several
    ways, those count in which the file's number is as long as other files' are.
    """
    found = {name: ways for name in names if (ways := canvas_ways(name))}
    lengths = {len(ways[0][1]) for ways in found.values() if len(ways) == 1}
    people: dict[str, Person] = {}
    for name, ways in found.items():
        fitting = [who for who, number in ways if len(number) in lengths]
        person, *others = fitting or [who for who, _ in ways]
        people[name] = replace(person, others=tuple(other.learner for other in others))
    return people


def canvas_ways(name: str) -> list[tuple[Person, str]]:
    """All ways to read a name that Canvas has given to a file: whose it is, the file's number."""
    first = by_canvas(name)
    if first is None or first.name == ANONYMOUS:
        return [(first, "")] if first is not None else []
    return [
        (Person(name[: way.start()].removesuffix("_LATE"), way[1]), way[2])
        for way in re.finditer(r"(?=_(\d+)_(\d{3,})_.)", name, re.DOTALL)
        if way.start() >= len(first.name) and _CANVAS_NAME.fullmatch(name[: way.start()])
    ]


def by_moodle(parts: Iterable[str]) -> Person | None:
    """Who handed in what lies in these folders, one of which Moodle has named."""
    return _first(_FOLDERS[:1], parts)


def by_folder(parts: Iterable[str]) -> Person | None:
    """The same, where Moodle or Brightspace has named a folder, or Brightspace the file."""
    return _first(_FOLDERS, parts)


def of_blackboard(names: Iterable[str]) -> dict[str, Person]:
    """Who handed in the files of a folder that Blackboard has named, without their endings.

    They begin with the assignment, which is the same for several, and the user name, which may hold
    an underscore, too.
    """
    found = {name: match["person"] for name in names if (match := _BLACKBOARD.fullmatch(name))}
    users: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for person in found.values():
        *words, user = person.split("_")
        users[tuple(words)].add(user)
    assignments = [words for words, some in users.items() if len(some) > 1]
    in_all = set.intersection(*users.values()) if users else set()
    if len(assignments) < len(users) or not (len(users) == 1 or in_all):
        assignments = _branches([person.split("_") for person in set(found.values())])
    return {name: Person(_user(told, assignments), "") for name, told in found.items()}


def _branches(people: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Beginnings behind which first stands more than one word that is no number."""
    following: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for words in people:
        for end in range(len(words)):
            following[tuple(words[:end])].add(words[end])
    several = sorted(
        (
            begun
            for begun, next_words in following.items()
            if len(next_words) > 1 and not any(word.isdigit() for word in next_words)
        ),
        key=len,
    )
    return [
        begun
        for n, begun in enumerate(several)
        if not any(begun[: len(b)] == b for b in several[:n])
    ]


def _user(person: str, assignments: Sequence[tuple[str, ...]]) -> str:
    """A user name, less the assignment before it."""
    words = tuple(person.split("_"))
    known = (len(a) for a in assignments if words[: len(a)] == a and len(a) < len(words))
    return "_".join(words[max(known, default=len(words) - 1) :])


def handed_in_by(parts: Sequence[str]) -> str:
    """Something that is the same for all of one person's in a path that a platform named; or ""."""
    last = PurePath(parts[-1]).stem
    if person := by_folder(parts) or by_canvas(last):
        return person.learner
    match = _BLACKBOARD.fullmatch(last)
    return match["person"] if match is not None else ""


def is_file(name: str) -> bool:
    """Whether Canvas or Blackboard may have named a file so, without its ending."""
    return by_canvas(name) is not None or _BLACKBOARD.fullmatch(name) is not None


def _first(patterns: Iterable[re.Pattern[str]], names: Iterable[str]) -> Person | None:
    found = (pattern.fullmatch(name) for name in names for pattern in patterns)
    match = next(filter(None, found), None)
    return Person(match["name"], match["number"]) if match is not None else None


def are_canvas(names: Iterable[str], most: int) -> bool:
    """Whether all names in a folder, but one in ten, are as Canvas makes them.

    Others number their files, too: ``ws_01_4711223_anna``. A number of Canvas does not begin with
    zero, is not everybody's, and mostly stands before no more files than one person hands in.

    Args:
        names: of files, without their endings.
        most: files that one person hands in.
    """
    people = [by_canvas(name) for name in names]
    known = Counter(person for person in people if person is not None)
    files = sorted(known.values())
    return (
        10 * (len(people) - known.total()) < len(people)
        and not any(person.number.startswith("0") for person in known)
        and files[len(files) // 2] <= most
        and (len(known) > 1 or len(people) == 1)
    )


def back_to_moodle(person: Person, file: str) -> str:
    """The name in a zip file under which Moodle gives a file to a person as feedback."""
    return f"{person.learner}_assignfeedback_file_{file}"
