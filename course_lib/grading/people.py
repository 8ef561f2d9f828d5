"""Whose a submission is, by the path below what an instructor named."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import named, visible
from ..exercises.catalogue import catalogue
from . import platforms
from .archives import SUFFIX

# Some browsers add an ending to what they do not know.
ENDING = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.IGNORECASE)

Parts = tuple[str, ...]
"""Names of folders and archives, and of the file, as they are on the disk."""

# What browsers, systems and clouds make of the name of a file that is there already.
_BEFORE = re.compile(r"(?:Copy of|Kopie von|Copie de|Copia de|Copia di) (?P<name>.+)")
_AFTER = re.compile(
    r"(?P<name>.+?)(?: ?\(\d{1,2}\)|-Copy\d{0,2}"
    r"|(?: - |[ _])(?:[Cc]opy|Kopie|[Cc]opie|[Cc]opia|副本)(?: ?\(?\d{1,2}\)?)?"
    r"|的副本(?: ?\d{1,2})?)"
)
_PART = re.compile(  # of a course
    r"(?:week|woche|lesson|lektion|assignment|homework|hw|ps|problem set|sheet|blatt|aufgabe|task"
    r"|exercise|übung|lab|unit|module|session|day|tag|chapter|kapitel|作业|第)[ _-]*\d{1,2}"
    r"[课周章]?",
    re.IGNORECASE,
)
_OF_THE_COURSE = frozenset({"notebooks", "solutions", "course_lib"})


def bare(name: str) -> str:
    """The name of a notebook's file or of an archive without its ending, or endings."""
    return ENDING.sub("", name.removesuffix(SUFFIX) if name.lower().endswith(SUFFIX) else name)


@dataclass(frozen=True)
class People:
    """Whose the submissions under one path are.

    Attributes:
        learners: of each submission, in the order given.
        around: folders in which the learners' own files and folders lie.
        notes: a sentence on each guess.
    """

    learners: list[str]
    around: set[Parts]
    notes: list[str]


def people(paths: Sequence[Parts]) -> People:
    """Whose each submission is.

    The name of a learner is that of the file, or of the topmost folder that is not named after a
    lesson, less what marks a copy. In downloads from Canvas, Moodle, Blackboard and Brightspace it
    is the name and the number that they put in front. A folder around all that holds folders or
    files of several people is taken for the class.

    Args:
        paths: of all submissions under one path that was named.
    """
    known = _by_platform(paths)
    others = [parts for parts in paths if parts not in known]
    depth = _depth(others)
    named_by_hand = {parts: _name(parts[depth:]) for parts in others}
    copies = _copies(set(named_by_hand.values()))
    found = [
        known[parts] if parts in known else copies.get(own := named_by_hand[parts], own)
        for parts in paths
    ]
    around = {parts[:depth] for parts in others}
    notes = []
    if told := sorted("/".join(parts) for parts in around if not all(map(_is_lesson, parts))):
        what = "is taken for the folder" if len(told) == 1 else "are taken for folders"
        notes.append(f"{named(told)} {what} of a class: what lies there are its learners.")
    if copies:
        told, plain = sorted(copies), sorted(set(copies.values()))
        are = "is" if len(told) == 1 else "are"
        notes.append(
            f"{named(told)} {are} counted for {named(plain)}: for each exercise the best answer "
            "counts."
        )
    if told := sorted(name for name in set(found) if _is_copy_of_a_lesson(name)):
        name = "names" if len(told) == 1 else "name"
        notes.append(
            f"{named(told)} {name} a lesson, and nobody: give each file the name of its learner."
        )
    found = [text(unicodedata.normalize("NFC", name)) for name in found]
    return People(found, around, notes)


def namesakes(submissions: Mapping[str, str]) -> list[str]:
    """A note on names that Moodle has numbered twice, as it does anew for each assignment.

    Args:
        submissions: id and learner of each.
    """
    numbered: dict[str, set[str]] = {}
    for submission, learner in submissions.items():
        if person := platforms.by_moodle(submission.split("/")):
            numbered.setdefault(person.name, set()).add(learner)
    several = [name for name, found in numbered.items() if len(found) > 1]
    if len(numbered) == 1 and len(numbered[several[0]] if several else ()) > 2:
        return []  # blind marking: all bear one name
    told = ", ".join(f"“{name}”" for name in sorted(several))
    if not told:
        return []
    return [
        f"Moodle's downloads hold several numbers for {told}: each is taken for a person of its "
        "own. Grade the downloads of different assignments into different folders."
    ]


def text(name: str) -> str:
    """A file name that can be written as UTF-8 and shown; what cannot be stays recognizable."""
    return visible(os.fsencode(name).decode("utf-8", "backslashreplace"))


def _by_platform(paths: Sequence[Parts]) -> dict[Parts, str]:
    """Whom the names tell that a platform has made."""
    found: dict[Parts, str] = {}
    files: dict[Parts, dict[str, list[Parts]]] = defaultdict(lambda: defaultdict(list))
    for parts in paths:
        unit = _unit(parts)  # what is inside, a learner has named
        if person := platforms.by_folder(map(bare, unit)):
            found[parts] = person.learner
        else:
            files[unit[:-1]][bare(unit[-1])].append(parts)
    most = len(_lessons())
    for units in files.values():
        people = platforms.of_blackboard(units)
        if platforms.are_canvas(units, most):
            people = {name: person for name in units if (person := platforms.by_canvas(name))}
        found |= {parts: people[name].learner for name in people for parts in units[name]}
    return found


def _unit(parts: Parts) -> Parts:
    """What was handed in: the notebook, or an archive around it that a platform has named."""
    for end, name in enumerate(parts[:-1], start=1):
        if name.lower().endswith(SUFFIX) and platforms.is_file(bare(name)):
            return parts[:end]
    return parts


def _depth(paths: Sequence[Parts]) -> int:
    """How many folders lie around the learners' own."""
    depth = 0
    while paths and all(len(parts) > depth + 1 for parts in paths):
        around = {bare(parts[depth]) for parts in paths}
        if len(around) > 1 and not all(map(_is_part, around)):
            break
        depth += 1
    people = {bare(parts[depth]) for parts in paths}
    others = sum(map(_is_of_the_course, people))  # one may lie beside the files of a class
    if len(people) < 2 or 3 * others >= len(people) or all(map(_is_part, people)):
        return 0
    return depth


def _name(parts: Parts) -> str:
    names = [bare(part) for part in parts]
    while len(names) > 1 and names[0] in _lessons():
        del names[0]
    return names[0]


def _copies(names: set[str]) -> dict[str, str]:
    """Names of copies, and of whom they are: of somebody who is there, or is nowhere else."""
    marked: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if (plain := _plain(name)) != name and not _is_lesson(plain):
            marked[plain].append(name)
    return {
        copy: plain
        for plain, copies in marked.items()
        for copy in copies
        if plain in names or len(copies) == 1
    }


def _plain(name: str) -> str:
    """A name less what marks a copy."""
    for mark in (_BEFORE, _AFTER):
        if found := mark.fullmatch(name):
            name = found["name"]
    return name


@lru_cache(1)
def _lessons() -> frozenset[str]:
    return frozenset(exercise.lesson for exercise in catalogue().values())


def _is_lesson(name: str) -> bool:
    """Whether that is the name of a lesson, or its number."""
    plain = _plain(name)
    return plain in _lessons() or plain in {lesson[:2] for lesson in _lessons()}


def _is_copy_of_a_lesson(name: str) -> bool:
    return _plain(name) != name and _is_lesson(name)


def _is_part(name: str) -> bool:
    """Whether that is a part of the course, and so nobody's name."""
    return _is_lesson(name) or _PART.fullmatch(name) is not None


def _is_of_the_course(name: str) -> bool:
    return name in _OF_THE_COURSE or _is_lesson(name)
