"""Whose a submission is, by the path below what an instructor named."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ..errors import named, short, visible
from . import platforms
from .archives import SUFFIX
from .names import (
    GROUP,
    PART,
    TEAM,
    bare,
    is_lesson,
    is_numbered_lesson,
    is_of_nobody,
    is_of_the_course,
    is_of_the_instructor,
    is_personal,
    lesson_in,
    lessons,
    original,
    series,
    unmarked,
    without_lesson,
)
from .platforms import Person

Parts = tuple[str, ...]
"""Names of folders and archives, and of the file, as they are on the disk."""


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

    The name of a learner is that of the topmost folder that is no part of the course, else of the
    file, less a lesson's name and what marks a copy. In downloads from Canvas, Moodle, Blackboard
    and Brightspace it is the name and the number that they put in front. A folder around all that
    holds folders or files of several people is taken for the class.

    Args:
        paths: of all submissions under one path that was named.
        others: of what lies beside them.
    """
    known = _by_platform(paths)
    ours = [parts for parts in paths if parts not in known]
    starts = _starts(ours, [parts for parts in others if len(parts) > 1])
    start_of = dict(zip(ours, starts, strict=True))
    written = {parts: _name(parts[start:]) for parts, start in start_of.items()}
    written |= _of_groups(written, start_of)
    counted = _counted(set(written.values()))
    joined = _joined(known) | _of_the_platform(known, set(counted.values()))
    found = [known[p].learner if p in known else counted[written[p]] for p in paths]
    found = [joined.get(name, name) for name in found]
    around = {parts[:start] for parts, start in start_of.items()}
    learners = [spelled(name) for name in found]
    same = {name: plain for name, plain in (counted | joined).items() if name != plain}
    notes = [
        *_told_around(around),
        *_told_counted(same),
        *_told_in_doubt(known),
        *_told_inside({p: name for p, name in zip(paths, found, strict=True) if p in written}),
        *_told_lessons({*learners}),
        *_told_instructors({*learners}),
        *_told_alike({*learners}),
    ]
    return People(learners, around, notes)


def _told_around(around: set[Parts]) -> list[str]:
    told = sorted("/".join(parts) for parts in around if not all(map(is_lesson, parts)))
    what = "is taken for the folder" if len(told) == 1 else "are taken for folders"
    return [f"{named(told)} {what} of a class: what lies there are its learners."] if told else []


def _told_counted(counted: Mapping[str, str]) -> list[str]:
    told = sorted(counted)
    plain = list(dict.fromkeys(counted[name] for name in told))
    are = "is" if len(told) == 1 else "are"
    if not told:
        return []
    return [f"{named(told)} {are} counted for {named(plain)}: for each exercise the best counts."]


def _told_in_doubt(known: Mapping[Parts, Person]) -> list[str]:
    """A note on each name of a platform's that can be read in several ways."""
    told = {bare(_unit(parts)[-1]): person for parts, person in known.items() if person.others}
    return [
        f"“{short(name)}” is counted for “{person.learner}”; by its name it may also be by "
        f"{named(person.others)}."
        for name, person in sorted(told.items())
    ]


def _told_inside(learners: Mapping[Parts, str]) -> list[str]:
    """A note on notebooks that bear another name than the folder that they lie in."""
    told = []
    for parts, learner in learners.items():
        name = bare(parts[-1])
        other = without_lesson(name)
        named_so = len(parts) > 1 and other != name and is_personal(other)
        if named_so and not {*_words(other)} & {*_words(learner)}:
            told.append("/".join(parts))
    are = "is" if len(told) == 1 else "are"
    return [f"{named(told)} {are} counted for the folder's name, not the file's."] if told else []


def _words(name: str) -> list[str]:
    """Its words in small letters, which in some scripts have vowels as marks."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split()


def _told_lessons(learners: set[str]) -> list[str]:
    told = sorted(filter(is_numbered_lesson, learners))
    name = "names" if len(told) == 1 else "name"
    todo = "give each file the name of its learner"
    return [f"{named(told)} {name} a lesson, and nobody: {todo}."] if told else []


def _told_instructors(learners: set[str]) -> list[str]:
    told = sorted(filter(is_of_the_instructor, learners))
    are, them = ("is", "it") if len(told) == 1 else ("are", "them")
    todo = f"take {them} out if no learner handed {them} in"
    return [f"{named(told)} {are} graded like a learner: {todo}."] if told else []


def _told_alike(learners: set[str]) -> list[str]:
    """A note on names that differ in letters' case, order or signs only."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    numbered: dict[str, list[str]] = defaultdict(list)
    for name in sorted(learners):
        alike[tuple(sorted(_words(name)))].append(name)
        if match := re.fullmatch(r"(.*\w)[ _-]0?\d", name):
            numbered[match[1].casefold()].append(name)
    groups = [names for words, names in alike.items() if words]
    groups += numbered.values() if len(numbered) > 1 else []  # else they have but numbers
    told = [name for names in groups if len(names) > 1 for name in names]
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
    blind = several and (len(numbered[several[0]]) > 2 or _BLIND.match(several[0]))
    if len(numbered) == 1 and blind:
        return []  # blind marking: all bear one name
    told = ", ".join(f"“{name}”" for name in sorted(several))
    if not told:
        return []
    return [
        f"Moodle's downloads hold several numbers for {told}: each is taken for a person of its "
        "own. Grade the downloads of different assignments into different folders."
    ]


_BLIND = re.compile(r"participant|teilnehm|étudiant|estudiante|student|участник", re.IGNORECASE)


def text(name: str) -> str:
    """A file name that can be written as UTF-8 and shown; what cannot be stays recognizable."""
    return visible(os.fsencode(name).decode("utf-8", "backslashreplace"))


def spelled(name: str) -> str:
    """A learner's name as it is written everywhere: one for all of Unicode's ways to spell it."""
    plain = unicodedata.normalize("NFC", name)
    blanks = (" " if unicodedata.category(c) == "Zs" else c for c in plain)
    return text("".join(c for c in blanks if c not in "\u200b\ufeff").strip() or name)


def _by_platform(paths: Sequence[Parts]) -> dict[Parts, Person]:
    """Whom the names tell that a platform has made, less an instructor's marks.

    A learner may have named so what lies in a folder of theirs: beside other people's it counts
    for little what a folder holds that is called like one of them.
    """
    found: dict[Parts, Person] = {}
    inside: dict[Parts, dict[Parts, Person]] = defaultdict(dict)
    for parts, (place, person) in _named_by_platform(paths).items():
        inside[place][parts] = person
    among = [parts[:-1] for parts in paths]
    levels = zip(*among, strict=False)
    common = len(list(takewhile(lambda level: len(set(level)) == 1, levels)))
    matched = {parts for some in inside.values() for parts in some}
    others = any(_is_of_people(p[common:]) for p in paths if p not in matched)
    for place, some in inside.items():
        many = len({*some.values()}) >= MANY or any(map(_is_download, place[common:][:1]))
        if many or not others or not _is_of_people((*place[common:], "")):
            found |= some
    return found


MANY = 3
"""So many people's, a folder of a platform's names is surely a download."""


def _is_download(name: str) -> bool:
    """Whether it may be of a platform: with its number, a lesson's name, or nobody's at all."""
    name = bare(name)
    return bool(re.search(r"\d{2}", name) or lesson_in((name,)) or is_of_nobody(name))


def _is_of_people(parts: Parts) -> bool:
    """Whether the topmost folder, or the file, is no part of the course."""
    while len(parts) > 1 and (is_of_the_course(bare(parts[0])) or GROUP.fullmatch(bare(parts[0]))):
        parts = parts[1:]
    return len(parts) > 1 or bool(parts and parts[0])


def _named_by_platform(paths: Sequence[Parts]) -> dict[Parts, tuple[Parts, Person]]:
    """For each path that a platform named: the folder in which that stands, and whose it is."""
    found: dict[Parts, tuple[Parts, Person]] = {}
    files: dict[Parts, dict[str, list[Parts]]] = defaultdict(lambda: defaultdict(list))
    for parts in paths:
        unit = _unit(parts)  # what is inside, a learner has named
        for end, part in enumerate(unit):
            if person := platforms.by_folder([bare(part)]):
                found[parts] = unit[:end], person
                break
        else:
            name = bare(unit[-1])
            files[unit[:-1]][name if platforms.is_file(name) else original(name)].append(parts)
    most = len(lessons())
    for place, units in files.items():
        people = platforms.of_blackboard(units)
        if platforms.are_canvas(units, most):
            people = platforms.of_canvas(units)
        found |= {parts: (place, people[name]) for name in people for parts in units[name]}
    return found


def _joined(known: Mapping[Parts, Person]) -> dict[str, str]:
    """Learners whom Moodle has numbered anew for another lesson, and the number that counts."""
    lessons_of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for parts, person in known.items():
        if platforms.by_moodle(map(bare, parts)) == person:
            lessons_of[person.name][person.learner].add(lesson_in(parts))
    joined: dict[str, str] = {}
    if len(lessons_of) == 1:  # perhaps blind marking: all bear one name
        return {}
    for numbered in lessons_of.values():
        each = [lesson for some in numbered.values() for lesson in some]
        if all(each) and len(each) == len(set(each)):  # no lesson is there twice
            joined |= dict.fromkeys(numbered, min(numbered))
    return joined


def _of_the_platform(known: Mapping[Parts, Person], names: set[str]) -> dict[str, str]:
    """Names beside a platform's that are those of one of its people, who handed in late."""
    people: dict[str, set[str]] = defaultdict(set)
    for person in known.values():
        people[spelled(person.name).casefold()].add(person.learner)
    found = {name: people.get(spelled(name).casefold(), set()) for name in names}
    return {name: min(learners) for name, learners in found.items() if len(learners) == 1}


def _unit(parts: Parts) -> Parts:
    """What was handed in: the notebook, or an archive around it that a platform has named."""
    for end, name in enumerate(parts[:-1], start=1):
        if name.lower().endswith(SUFFIX) and platforms.is_file(bare(name)):
            return parts[:end]
    return parts


def _starts(paths: Sequence[Parts], others: Sequence[Parts]) -> list[int]:
    """How many folders lie around the learner's own, of each path."""
    starts = _known_starts(paths, others)
    while heaps := _series(paths, starts) or _heaps(paths, starts):
        starts = [
            start + (parts[: start + 1] in heaps)
            for parts, start in zip(paths, starts, strict=True)
        ]
    return starts


def _known_starts(paths: Sequence[Parts], others: Sequence[Parts]) -> list[int]:
    for among in ([*paths, *others], paths):
        around = 0
        while among and all(len(p) > around + 1 and p[around] == among[0][around] for p in among):
            around += 1
        if among is not paths and any(len(parts) == around + 1 for parts in paths):
            continue  # files of one's own
        for patterns in ((PART, GROUP), (PART,)):
            starts = [_start(parts, around, patterns) for parts in among]
            inside: dict[Parts, set[Parts]] = defaultdict(set)
            for parts, start in zip(among, starts, strict=True):
                inside[parts[:start]].add(parts[start:][:2])
            if any(starts) and _are_people(inside):
                return starts[: len(paths)]
    of_course = [_start(parts, 0, (PART,)) for parts in paths]
    alone = {bare(parts[start]) for parts, start in zip(paths, of_course, strict=True)}
    return of_course if len(alone) == 1 and all(map(is_personal, alone)) else [0] * len(paths)


def _series(paths: Sequence[Parts], starts: Sequence[int]) -> set[Parts]:
    """Folders in the learners' place that are counted, and in which the same people's work lies.

    What lies in them must be called after as many people as there are folders, or a third as many
    if the folders bear more than a number: learners who are counted call their files alike, too.
    """
    folders: dict[tuple[Parts, str], dict[Parts, set[str]]] = defaultdict(dict)
    for parts, start in zip(paths, starts, strict=True):
        kind = series(bare(parts[start])) if len(parts) > start + 1 else ""
        if kind:
            inside = folders[parts[:start], kind].setdefault(parts[: start + 1], set())
            inside.add(without_lesson(original(bare(parts[start + 1]))))
    found: set[Parts] = set()
    for (_, kind), some in folders.items():
        people = set().union(*some.values())
        again = len(people) < sum(map(len, some.values()))
        enough = 3 * len(people) if re.search(r"[^\W\d_]", kind) else len(people)
        if again and len(people) > 1 and enough >= len(some) and all(map(is_personal, people)):
            found |= some.keys()
    return found


def _heaps(paths: Sequence[Parts], starts: Sequence[int]) -> set[Parts]:
    """Folders in the learners' place, if all that they hold is called after several people.

    (Not archives, nor a folder beside files: a learner may have named what is in it.)
    """
    folders: dict[Parts, set[Parts]] = defaultdict(set)
    for parts, start in zip(paths, starts, strict=True):
        folders[parts[: start + 1]].add(parts[start + 1 :])
    tails = [tail for some in folders.values() for tail in some]
    if not all(tails) or any(folder[-1].lower().endswith(SUFFIX) for folder in folders):
        return set()
    deeper = {bare(tail[-1]) for tail in tails if len(tail) > 1}
    if not all(is_personal(bare(tail[0])) for tail in tails) or any(map(is_personal, deeper)):
        return set()  # of which some are one person's
    names = [{without_lesson(original(bare(t[0]))) for t in some} for some in folders.values()]
    several = any(len(some) > 1 for some in names)
    return {*folders} if several and sum(map(len, names)) == len(set().union(*names)) else set()


def _of_groups(written: Mapping[Parts, str], starts: Mapping[Parts, int]) -> dict[Parts, str]:
    """Names that occur in several groups, each with its group: they are different people."""
    groups: dict[str, set[str]] = defaultdict(set)
    inside = {}
    for parts, name in written.items():
        group = bare(parts[starts[parts] - 1]) if starts[parts] else ""
        if GROUP.fullmatch(group):
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
        of_course = is_of_the_course(name) and not name.isdigit()  # it may stand for a person
        if not (of_course or any(pattern.fullmatch(name) for pattern in patterns)):
            break
        start += 1
    return start


def _are_people(inside: Mapping[Parts, set[Parts]]) -> bool:
    """Whether what lies in these folders is called after several people.

    Args:
        inside: names of files, or of folders and what is in them.
    """
    found = {
        (*filter(GROUP.fullmatch, map(bare, above)), bare(parts[0]))
        for above, names in inside.items()
        for parts in names
    }
    others = sum(is_of_nobody(parts[-1]) for parts in found)  # one may lie beside a class
    teams = [some for above, some in inside.items() if above and TEAM.fullmatch(bare(above[-1]))]
    files = any(len(parts) == 1 for some in teams for parts in some)
    if files and max(len({parts[0] for parts in some}) for some in teams) < 2:
        return False  # each team has handed in one thing
    return len(found) > 1 and 3 * others < len(found)


def _name(parts: Parts) -> str:
    names = [bare(part) for part in parts]
    while len(names) > 1 and is_lesson(names[0]) and not names[0].isdigit():
        del names[0]
    return names[0]


def _counted(names: set[str]) -> dict[str, str]:
    """Whose each name is: less a lesson's, and a copy's if its learner is there or it is alone."""
    plain = {name: without_lesson(name) for name in names}
    marked: dict[str, list[str]] = defaultdict(list)
    for name in names:
        first = without_lesson(original(plain[name]))
        if first != plain[name] and not is_lesson(first):
            marked[first].append(name)
    for first, copies in marked.items():
        if first in plain.values() or len({plain[copy] for copy in copies}) == 1:
            plain |= dict.fromkeys(copies, first)
    plain |= _without_beginning(plain)
    there = {*plain.values()}
    plain |= {n: unmarked(own) for n, own in plain.items() if unmarked(own) in there}
    return plain


_TERM = re.compile(
    r"(?:ws|ss|sose|wise|fall|spring|autumn|winter|summer)[ _-]?(?:20)?\d\d(?:[_/-]?\d\d)?"
    r"|20\d\d",
    re.IGNORECASE,
)


def _without_beginning(plain: Mapping[str, str]) -> dict[str, str]:
    """Names less what they begin with that is counted, as ``ML_HW1_`` and ``ML_HW2_``.

    It is none of a person's: the same follows several of these, or all begin with the same.
    """
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for name, own in plain.items():
        words = re.split(r"([ _-]+)", own)
        for end in range(1, min(len(words) - 1, 9), 2):
            before, rest = "".join(words[:end]), "".join(words[end + 1 :])
            if re.search(r"\d{3}", _TERM.sub("", before)):
                break  # a person's number
            if (kind := series(before)) and is_personal(rest):
                found[kind][name] = before, rest
    stripped: dict[str, str] = {}
    for some in sorted(found.values(), key=lambda some: len(next(iter(some.values()))[0])):
        beginnings, rests = ({*each} for each in zip(*some.values(), strict=True))
        again = len(rests) < len(some) and len(beginnings) > 1
        if (again and 1 < len(rests) >= len(beginnings)) or (
            len(beginnings) == 1 and len(rests) == len(plain) > 1
        ):
            stripped |= {name: rest for name, (_, rest) in some.items()}
    return stripped
