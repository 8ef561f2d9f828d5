"""Records -> what an instructor wants to know of the whole class: counts, names, no records."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

from ..exercises.catalogue import catalogue
from ..exercises.verdict import HEADINGS
from . import tables
from .marking import BEST_FIRST, Marked
from .record import Graded

Points = tuple[float | None, float | None]
"""Points, and the most there are; None where nothing was graded, or known."""


@dataclass(frozen=True)
class Bar:
    """One piece of a bar: a status, how many have it, and its place as parts of 100."""

    status: str
    count: int
    start: float
    width: float


@dataclass(frozen=True)
class ExerciseSummary:
    """How one exercise went.

    Attributes:
        name, lesson, max_points: of the exercise.
        mean: points of all learners who were graded, of each the best.
        counts: learners by the status of their best, in the order in which the bar draws them.
        not_attempted: the learners who did not write it, sorted.
    """

    name: str
    lesson: str
    max_points: float
    mean: float
    counts: Mapping[str, int]
    not_attempted: Sequence[str]

    @property
    def bars(self) -> list[Bar]:
        total, start, bars = sum(self.counts.values()), 0.0, []
        for status, count in self.counts.items():
            width = 100 * count / total
            if count:
                bars.append(Bar(status, count, round(start, 3), round(width, 3)))
            start += width
        return bars

    @property
    def told(self) -> str:
        """The bar in words."""
        return ", ".join(f"{HEADINGS[b.status]}: {b.count}" for b in self.bars)


@dataclass(frozen=True)
class LearnerSummary:
    """A learner's points, and what could be reached, in each lesson and in all.

    Attributes:
        name: of the learner.
        lessons: in the order of `tables.lessons_of`; None where nothing was handed in.
        total: of what was handed in.
    """

    name: str
    lessons: Sequence[Points | None]
    total: Points


@dataclass(frozen=True)
class Bin:
    """How many learners have a total in one range of percent; ``width`` as parts of 100."""

    label: str
    count: int
    width: float


@dataclass(frozen=True)
class Totals:
    """What the class reached of what it could have, in percent, rounded."""

    mean: int
    median: int
    bins: Sequence[Bin]


@dataclass(frozen=True)
class Mistake:
    """How often a named mistake was made, and its sentence."""

    exercise: str
    id: str
    says: str
    count: int


@dataclass(frozen=True)
class RaisedError:
    """How many learners' answers to which exercises raised an error of these words."""

    error: str
    exercises: Sequence[str]
    count: int


@dataclass(frozen=True)
class Ungraded:
    """A submission without points, and why."""

    submission: str
    status: str
    message: str


def by_exercise(records: Sequence[Graded]) -> list[ExerciseSummary]:
    """All exercises that were graded, in the order of the lessons."""
    best: dict[tuple[str, str], tuple[Graded, Marked]] = {}
    for record, entry in _entries(records):
        before = best.setdefault((record.learner, entry.exercise), (record, entry))
        if BEST_FIRST.index(entry.status) < BEST_FIRST.index(before[1].status):
            best[record.learner, entry.exercise] = record, entry
    found: dict[str, _Tally] = {}
    for record, entry in best.values():
        tally = found.setdefault(entry.exercise, _Tally(record.lesson or "", entry.max_points))
        tally.counts[entry.status] += 1
        tally.points += entry.points or 0.0
        if entry.status == "not attempted":
            tally.not_attempted.add(record.learner)
    return [
        ExerciseSummary(
            name=name,
            lesson=tally.lesson,
            max_points=tally.max_points,
            mean=tally.points / tally.counts.total(),
            counts={status: tally.counts[status] for status in BEST_FIRST},
            not_attempted=sorted(tally.not_attempted),
        )
        for name, tally in ((name, found[name]) for name in catalogue() if name in found)
    ]


@dataclass
class _Tally:
    lesson: str
    max_points: float
    points: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    not_attempted: set[str] = field(default_factory=set)


def by_learner(records: Sequence[Graded]) -> list[LearnerSummary]:
    """All learners, in the order of the records."""
    lessons = tables.lessons_of(records)
    found = []
    for learner, own in tables.by_learner(records):
        here = [[r for r in own if r.lesson == lesson] for lesson in lessons]
        each = [tables.totals(handed) if handed else None for handed in here]
        found.append(LearnerSummary(learner, each, tables.totals(own)))
    return found


def totals(learners: Sequence[LearnerSummary]) -> Totals | None:
    """The totals of those who were graded; None if nobody was."""
    percents = [100 * got / of for got, of in (one.total for one in learners) if got and of]
    percents += [0.0 for got, of in (one.total for one in learners) if got == 0 and of]
    if not percents:
        return None
    counts = Counter(min(int(percent // STEP), 100 // STEP - 1) for percent in percents)
    most = max(counts.values())
    bins = [
        Bin(
            f"{start} to {start + STEP} %",
            counts[start // STEP],
            100 * counts[start // STEP] / most,
        )
        for start in range(0, 100, STEP)
    ]
    return Totals(round(mean(percents)), round(median(percents)), bins)


STEP = 20
"""Percent in a bin; who is on an edge is in the upper one, all the points are in the last."""


def wider_limits(records: Sequence[Graded]) -> list[str]:
    """The limits of answers for which others held, each once."""
    return sorted({entry.limits for _, entry in _entries(records) if entry.limits})


def in_order(learners: Sequence[LearnerSummary]) -> list[LearnerSummary]:
    """By name as a reader looks for it: case and accents come last."""

    def key(one: LearnerSummary) -> tuple[str, str]:
        apart = unicodedata.normalize("NFKD", one.name.casefold())
        return "".join(c for c in apart if not unicodedata.combining(c)), one.name

    return sorted(learners, key=key)


def mistakes(records: Sequence[Graded]) -> list[Mistake]:
    """Every misconception that was recognized, the most frequent first."""
    counts = Counter(
        (entry.exercise, entry.misconception)
        for _, entry in _entries(records)
        if entry.misconception
    )
    says = {
        (exercise.name, known.id): known.says
        for exercise in catalogue().values()
        for known in exercise.misconceptions
    }
    ordered = sorted(counts, key=lambda key: (-counts[key], key))
    return [Mistake(*key, says.get(key, ""), counts[key]) for key in ordered]


def errors(records: Sequence[Graded]) -> list[RaisedError]:
    """Every error that kept an answer from points, the one of most learners first.

    What many have in common may be the machine's: a module that is missing here.
    """
    learners: dict[str, set[str]] = {}
    exercises: dict[str, set[str]] = {}
    for record, entry in _entries(records):
        if entry.error:
            learners.setdefault(entry.error, set()).add(record.learner)
            exercises.setdefault(entry.error, set()).add(entry.exercise)
    ordered = sorted(learners, key=lambda error: (-len(learners[error]), error))
    return [RaisedError(one, sorted(exercises[one]), len(learners[one])) for one in ordered]


def attempted_nothing(records: Sequence[Graded]) -> list[str]:
    """Learners who handed in, but wrote no answer in anything that could be graded."""
    attempted: dict[str, bool] = {}
    for record, entry in _entries(records):
        wrote = entry.status != "not attempted"
        attempted[record.learner] = attempted.get(record.learner, False) or wrote
    return sorted(learner for learner, wrote in attempted.items() if not wrote)


def ungraded(records: Sequence[Graded]) -> list[Ungraded]:
    """Submissions that have no points, which is not the same as none earned."""
    return [
        Ungraded(record.submission, record.status, record.message)
        for record in records
        if record.status != "graded"
    ]


def _entries(records: Sequence[Graded]) -> Iterator[tuple[Graded, Marked]]:
    for record in records:
        if record.status == "graded":
            for entry in record.exercises:
                yield record, entry
