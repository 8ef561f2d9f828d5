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
_COPY = r"(?:copy|kopie|kopia|copie|copia|cópia|копия|副本)"
_COPIES = (
    re.compile(rf"{_COPY} (?:of|von|av|de|di) (?P<name>.+)", re.IGNORECASE),
    re.compile(
        r"(?P<name>.+?)(?: ?[(（]\d{1,2}[)）]|-copy\d{0,2}"
        rf"|(?: [-—] |[ _]| \((?:another )?){_COPY}\)?(?: ?[(（]?\d{{1,2}}[)）]?)?"
        r"|的副本(?: ?\d{1,2})?|のコピー)",
        re.IGNORECASE,
    ),
)
# Parts of a course, of which a folder of that name is no learner's.
_UNIT = (
    r"(?:week|woche|lesson|lektion|assignment|homework|hw|ps|problem set|sheet|blatt|aufgabe|task"
    r"|exercise|übung|lab|unit|module|session|day|tag|chapter|kapitel|作业|第)[ _-]*\d{1,2}"
    r"[课周章]?"
)
_PART = re.compile(
    rf"{_UNIT}|late|verspätet|resubmissions?|submitted files|working files"
    r"|.+-\d{8}T\d{6}Z(?:-\d+)?-\d{3}",  # Google Drive
    re.IGNORECASE,
)
# Several people, or several who hand in together.
_GROUP = re.compile(
    r"(?:section|tutorial|tutorium|group|gruppe|class|klasse|course|kurs|team)[ _-]*"
    r"(?:\d{1,2}|[a-z])|第?\d{1,2}[班组]",
    re.IGNORECASE,
)
_OF_THE_COURSE = frozenset({"notebooks", "solutions", "course_lib"})


def bare(name: str) -> str:
    """The name of a notebook's file or of an archive without its ending, or endings."""
    return ENDING.sub("", name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name) or name


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


def people(paths: Sequence[Parts], others: Sequence[Parts] = ()) -> People:
    """Whose each submission is.

    The name of a learner is that of the file, or of the topmost folder that is no part of the
    course, less a lesson's name and what marks a copy. In downloads from Canvas, Moodle, Blackboard
    and Brightspace it is the name and the number that they put in front. A folder around all that
    holds folders or files of several people is taken for the class.

    Args:
        paths: of all submissions under one path that was named.
        others: of what lies beside them.
    """
    known = _by_platform(paths)
    ours = [parts for parts in paths if parts not in known]
    starts = _starts(ours, [parts for parts in others if len(parts) > 1])
    written = {parts: _name(parts[start:]) for parts, start in zip(ours, starts, strict=True)}
    written |= _of_groups(written, dict(zip(ours, starts, strict=True)))
    counted = _counted(set(written.values()))
    found = [known[p] if p in known else counted.get(written[p], written[p]) for p in paths]
    around = {parts[:start] for parts, start in zip(ours, starts, strict=True)}
    learners = [spelled(name) for name in found]
    notes = [
        *_told_around(around),
        *_told_counted({name: plain for name, plain in counted.items() if name != plain}),
        *_told_lessons({*learners}),
        *_told_alike({*learners}),
    ]
    return People(learners, around, notes)


def _told_around(around: set[Parts]) -> list[str]:
    told = sorted("/".join(parts) for parts in around if not all(map(_is_lesson, parts)))
    what = "is taken for the folder" if len(told) == 1 else "are taken for folders"
    return [f"{named(told)} {what} of a class: what lies there are its learners."] if told else []


def _told_counted(counted: Mapping[str, str]) -> list[str]:
    told, plain = sorted(counted), sorted(set(counted.values()))
    are = "is" if len(told) == 1 else "are"
    if not told:
        return []
    return [f"{named(told)} {are} counted for {named(plain)}: for each exercise the best counts."]


def _told_lessons(learners: set[str]) -> list[str]:
    told = sorted(filter(_is_numbered_lesson, learners)) if len(learners) > 1 else []
    name = "names" if len(told) == 1 else "name"
    todo = "give each file the name of its learner"
    return [f"{named(told)} {name} a lesson, and nobody: {todo}."] if told else []


def _told_alike(learners: set[str]) -> list[str]:
    """A note on names that differ in letters' case, order or signs only."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(learners):
        folded = unicodedata.normalize("NFKC", name).casefold()
        alike[tuple(sorted(filter(None, re.split(r"[\W_]+", folded))))].append(name)
    told = [name for words, names in alike.items() if words and len(names) > 1 for name in names]
    return (
        [f"{named(told)} are nearly the same and are taken for different people."] if told else []
    )


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


def spelled(name: str) -> str:
    """A learner's name as it is written everywhere: one for all of Unicode's ways to spell it."""
    plain = unicodedata.normalize("NFC", name)
    blanks = (" " if unicodedata.category(c) == "Zs" else c for c in plain)
    return text("".join(c for c in blanks if c not in "\u200b\ufeff").strip() or name)


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


def _starts(paths: Sequence[Parts], others: Sequence[Parts]) -> list[int]:
    """How many folders lie around the learner's own, of each path."""
    for among in ([*paths, *others], paths):
        around = 0
        while among and all(len(p) > around + 1 and p[around] == among[0][around] for p in among):
            around += 1
        if among is not paths and any(len(parts) == around + 1 for parts in paths):
            continue  # files of one's own
        for patterns in ((_PART, _GROUP), (_PART,)):
            starts = [_start(parts, around, patterns) for parts in among]
            inside: dict[Parts, set[Parts]] = defaultdict(set)
            for parts, start in zip(among, starts, strict=True):
                inside[parts[:start]].add(parts[start:][:2])
            if any(starts) and _are_people(inside):
                return starts[: len(paths)]
    return [0] * len(paths)


def _of_groups(written: Mapping[Parts, str], starts: Mapping[Parts, int]) -> dict[Parts, str]:
    """Names that occur in several groups, each with its group: they are different people."""
    groups: dict[str, set[str]] = defaultdict(set)
    inside = {}
    for parts, name in written.items():
        group = bare(parts[starts[parts] - 1]) if starts[parts] else ""
        if _GROUP.fullmatch(group):
            inside[parts] = group
            groups[name].add(group)
    return {
        parts: f"{written[parts]} ({group})"
        for parts, group in inside.items()
        if len(groups[written[parts]]) > 1
    }


def _start(parts: Parts, around: int, patterns: Sequence[re.Pattern[str]]) -> int:
    start = min(around, len(parts) - 1)
    while len(parts) > start + 1:
        name = bare(parts[start])
        is_lesson = _is_lesson(name) and not name.isdigit()  # a number may stand for a person
        if not (is_lesson or any(pattern.fullmatch(name) for pattern in patterns)):
            break
        start += 1
    return start


def _are_people(inside: Mapping[Parts, set[Parts]]) -> bool:
    """Whether what lies in these folders is called after several people.

    Args:
        inside: names of files, or of folders and what is in them.
    """
    found = {bare(parts[0]) for names in inside.values() for parts in names}
    others = sum(map(_is_of_the_course, found))  # one may lie beside the files of a class
    groups = [some for parts, some in inside.items() if parts and _GROUP.fullmatch(parts[-1])]
    files = any(len(parts) == 1 for some in groups for parts in some)
    if files and max(len({parts[0] for parts in some}) for some in groups) < 2:
        return False  # each group has handed in one thing
    return len(found) > 1 and 3 * others < len(found)


def _name(parts: Parts) -> str:
    names = [bare(part) for part in parts]
    while len(names) > 1 and names[0] in _lessons():
        del names[0]
    return names[0]


def _counted(names: set[str]) -> dict[str, str]:
    """Whose each name is: less a lesson's, and a copy's if its learner is there or it is alone."""
    plain = {name: _without_lesson(name) for name in names}
    marked: dict[str, list[str]] = defaultdict(list)
    for name in names:
        original = _without_lesson(_original(plain[name]))
        if original != plain[name] and not _is_lesson(original):
            marked[original].append(name)
    for original, copies in marked.items():
        if original in plain.values() or len({plain[copy] for copy in copies}) == 1:
            plain |= dict.fromkeys(copies, original)
    return plain


def _original(name: str) -> str:
    """A name less what marks a copy."""
    for mark in _COPIES:
        if found := mark.fullmatch(name):
            name = found["name"]
    return name


def _without_lesson(name: str) -> str:
    """A name less that of a lesson, or of a part of the course, before or behind it.

    So is a version's behind it.
    """
    if _is_of_the_course(name):
        return name
    found = next(filter(None, (mark.fullmatch(name) for mark in _marks_of_lessons())), None)
    is_name = found is not None and re.search(r"[^\W\d_]|\d{3}", found["name"]) is not None
    return found["name"] if found is not None and is_name else name


@lru_cache(1)
def _marks_of_lessons() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A lesson's name, or that of a part of the course, before and behind a learner's."""
    topics = "|".join(sorted(topic for topic in _names_of_lessons() if not topic.isdigit()))
    copy = rf"(?:{_COPY} (?:of|von|av|de|di) )?"
    lesson = rf"{copy}(?:{'|'.join(sorted(_lessons()))}|{topics}|{_UNIT})"
    return (
        re.compile(rf"{lesson}(?: - |[ _-])+(?P<name>.+)", re.IGNORECASE),
        re.compile(rf"(?P<name>.+?)(?: - |[ _-])+(?:{lesson}|v\d|final)", re.IGNORECASE),
    )


@lru_cache(1)
def _lessons() -> frozenset[str]:
    return frozenset(exercise.lesson for exercise in catalogue().values())


@lru_cache(1)
def _names_of_lessons() -> frozenset[str]:
    """Lessons by name, number and topic, in small letters and without signs."""
    names = {lesson.replace("_", "") for lesson in _lessons()}
    topics = {name[2:] for name in names} - {"adam", "text"}  # which is said of much else
    return frozenset(names | topics | {name[:2] for name in names})


def _is_lesson(name: str) -> bool:
    """Whether that is a lesson's name, number or topic."""
    return re.sub(r"[ _-]+", "", _original(name).casefold()) in _names_of_lessons()


def _is_numbered_lesson(name: str) -> bool:
    return _original(name) in _lessons()


def _is_of_the_course(name: str) -> bool:
    return name in _OF_THE_COURSE or _is_lesson(name) or _PART.fullmatch(name) is not None
