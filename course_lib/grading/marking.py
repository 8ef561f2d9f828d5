"""One submission -> the verdict on each exercise of its lesson."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from threading import Event
from time import monotonic, thread_time
from types import ModuleType
from typing import Any

from ..exercises.catalogue import catalogue
from ..exercises.diagnosis import Trial, advice, error_at
from ..exercises.exercise import Case, Exercise, Outcome, Status, Verdict
from ..exercises.judge import diagnosed
from ..exercises.verdict import PLACE_IS_LOOKED_FOR
from ..sandbox.limits import Limits, for_keras
from ..sandbox.process import Countdown
from ..sandbox.run import Attempt, Calls, Program, Segments, run
from ..sandbox.worker import STATEMENT
from .code_cells import defined_and_checked
from .reading import Reading
from .references import (
    helper,
    imported_modules,
    lent,
    module,
    modules_before,
    source_of,
    with_functions,
)
from .slicing import OWN
from .statements import functions
from .submission import FILE_BY_NAMES, printable

BEST_FIRST: tuple[Status, ...] = ("correct", "wrong", "error", "timeout", "not attempted")
"""What can come of an answer."""
FORGIVING_LOAD = 10.0
"""Seconds of processor time for all that a learner wrote above an answer."""
PLACE_SECONDS = 20.0
"""To look for the place of one mistake, at most."""
TOO_LONG = "The code that `{}` needs is too long to be graded."
NOT_WRITTEN = (
    "`%%writefile` takes the name of a file from a variable that is not known in grading: so that "
    "file is not there. Write its name itself."
)
TRIES = 3  # of an answer whose process is killed, or for which the machine has no time


@dataclass(frozen=True)
class Marked:
    """One exercise of one submission.

    Attributes:
        exercise: its name.
        status: of the verdict; of the submission, if that could not be graded.
        points: earned; None if nothing could be graded.
        max_points: that there are.
        misconception: id of the known mistake, or None.
        message, hints: as `Verdict` has them.
        notes: sentences on how it was graded.
        code: the answer, as far as it is shown.
        printed: as `Verdict` has it.
        limits: a sentence, if other limits held for it than for other answers.
        error: type and message of what was raised, if that is what is wrong, or "".
    """

    exercise: str
    status: str
    points: float | None
    max_points: float
    misconception: str | None = None
    message: str = ""
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    error: str = ""
    code: str = ""
    printed: str = ""
    limits: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Marked:
        """Raises: KeyError, TypeError or ValueError: it is none."""
        fields = cls.__dataclass_fields__
        known = {n: data.get(n, "") if n in _ADDED else data[n] for n in fields}
        known |= {"hints": tuple(data["hints"]), "notes": tuple(data["notes"])}
        texts = [known[n] for n in ("exercise", "status", "message", *_ADDED)]
        texts += [*known["hints"], *known["notes"]]
        texts += [known["misconception"]] if known["misconception"] is not None else []
        numbers = [known["max_points"], 0.0 if known["points"] is None else known["points"]]
        require_texts(texts)
        require_lists(data["hints"], data["notes"])
        if any(isinstance(n, bool) or not 0 <= n <= MAX_POINTS for n in numbers):
            raise ValueError("points are numbers from 0 on")
        if known["status"] not in (*BEST_FIRST, "unreadable", "crashed"):
            raise ValueError("no status is called so")
        return cls(**known)


MAX_POINTS = 1000
"""For one exercise."""
_ADDED = ("error", "code", "printed", "limits")
"""Fields that records of earlier versions do not have."""


def require_texts(found: Iterable[object]) -> None:
    """Raises: TypeError or ValueError: one is no text, or none that a file can hold."""
    for text in found:
        if not isinstance(text, str):
            raise TypeError("what is to be text is none")
        text.encode()


def require_lists(*found: object) -> None:
    """Raises: TypeError: one is no list."""
    if not all(isinstance(one, list) for one in found):
        raise TypeError("what is to be a list is none")


def lessons_with_exercises() -> tuple[str, ...]:
    """All lessons that have exercises, in order."""
    return tuple(dict.fromkeys(exercise.lesson for exercise in catalogue().values()))


def exercises_of(lesson: str) -> list[Exercise]:
    """The exercises of one lesson, in order."""
    return [exercise for exercise in catalogue().values() if exercise.lesson == lesson]


Functions = tuple[set[str], set[str]]
"""Which exercises' functions a file defines, and which of its own it has checked."""


def functions_in(data: bytes) -> Functions:
    """See `code_cells.defined_and_checked`."""
    return defined_and_checked(data, catalogue())


def lesson_of(data: bytes, names: Iterable[str] = (), found: Functions | None = None) -> str | None:
    """Which lesson a file belongs to, even if it is too broken to be parsed.

    It is the one that the notebook's metadata declare, if half of that lesson's functions are in
    its code; else the one most of whose functions that has checked, or else defined; if it defines
    none, the declared one; else the one that a name (of the file, of the assignment) holds.

    Args:
        data: the file.
        names: of the file and what it lies in.
        found: its functions, if they are known.
    """
    defined, checked = map(_by_lesson, found or functions_in(data))
    said = re.search(rb'"course"\s*:\s*\{[^{}]*"lesson"\s*:\s*"([\w.-]+)"', data)
    declared = said[1].decode("ascii", "replace") if said is not None else ""
    if declared in lessons_with_exercises():
        if 2 * defined[declared] >= len(exercises_of(declared)):
            return declared
        if not defined:
            return declared
    if defined:
        return max(lessons_with_exercises(), key=lambda lesson: (checked[lesson], defined[lesson]))
    for name in names:
        for lesson in lessons_with_exercises():
            if lesson in name:
                return lesson
    return None


def _by_lesson(functions: Iterable[str]) -> Counter[str]:
    """How many of these functions each lesson asks for."""
    return Counter(catalogue()[name].lesson for name in functions)


def other_lessons(found: Functions, lesson: str) -> tuple[list[str], list[str]]:
    """Lessons beside the submission's own whose exercises its code answers, too.

    Returns:
        Those that are to be graded: of a later lesson it has checked a function of its own, of an
        earlier one half of all (others may be there as helpers). And those that are not, though it
        has checked one, or defines half of all. Each has those first that have more in the file.
    """
    present, answered = map(_by_lesson, found)
    known = lessons_with_exercises()
    own = known.index(lesson) if lesson in known else len(known)
    graded, left_out = [], []
    for place, other in enumerate(known):
        half = len(exercises_of(other)) / 2
        if place == own:
            continue
        if answered[other] >= (1 if place > own else half):
            graded.append(other)
        elif answered[other] or present[other] >= half:
            left_out.append(other)

    def most(other: str) -> tuple[int, int]:
        return -answered[other], -present[other]

    return sorted(graded, key=most), sorted(left_out, key=most)


def mark(
    data: bytes,
    lesson: str,
    seed: int,
    *,
    locate: bool = False,
    limits: Limits | None = None,
    stop: Event | None = None,
    cache: VerdictCache | None = None,
) -> tuple[list[Marked], list[str]]:
    """Judge every exercise of the lesson.

    Args:
        data: the notebook.
        lesson: all of whose exercises count.
        seed: of the random cases.
        locate: look for the place of each mistake, as the last hint.
        limits: for the learner's processes.
        stop: when set, marking ends with `sandbox.process.StoppedError`.
        cache: what the run knows already, with these ``seed``, ``locate`` and ``limits``.

    Returns:
        What came of each exercise, in the lesson's order, and notes on the notebook.

    Raises:
        UnreadableError: ``data`` are no notebook.
        SandboxError: no process can be started.
    """
    exercises = exercises_of(lesson)
    stop = stop or Event()
    before = list(catalogue().values())
    before = before[: min(before.index(exercise) for exercise in exercises)]
    ours = lesson in lessons_with_exercises()
    helpers = dict(lent(lesson)) if ours else {}
    for name in helpers.keys() & catalogue().keys():
        del helpers[name]
    names = [exercise.name for exercise in exercises]
    of_before = modules_before([*before, *exercises])
    modules = of_before.keys() - helpers.keys()
    others = {name for m in modules for name in functions().get(m, ())} - catalogue().keys()
    lendable = [*(exercise.name for exercise in before), *helpers, *modules, *others]
    with closing(Reading(data, lesson, names, lendable, catalogue(), stop)) as reading:
        marker = _Marker(reading, seed, limits or Limits(), stop, locate, cache or VerdictCache())
        for exercise in before:
            if exercise.name in reading.imported and (source := source_of(exercise)) is not None:
                marker.lent[exercise.name] = source
        for name in helpers.keys() & reading.imported:
            marker.lent[name] = helpers[name]
        for name in modules & reading.imported - marker.lent.keys():
            marker.lent[name] = module(name, lesson)
        for name in others & reading.imported - marker.lent.keys():
            if (source := helper(name, lesson)) is not None:
                marker.lent[name] = source
        marker.modules = of_before | dict(imported_modules(lesson) if ours else {})
        return [marker.mark(exercise) for exercise in exercises], list(reading.notes)


def ungraded(lesson: str, status: str, message: str) -> list[Marked]:
    """What comes of each exercise of a submission that could not be graded at all."""
    return [
        Marked(exercise.name, status, None, exercise.points, message=message)
        for exercise in exercises_of(lesson)
    ]


@dataclass(frozen=True)
class _Judged:
    """A verdict, how it came about, and type and message of the error that it tells of, or "".

    ``program`` is what was judged, and ``trials`` its calls; none if it could not be called.
    ``to_the_end``: it was neither ended nor out of time.
    """

    verdict: Verdict
    notes: list[str] = field(default_factory=list)
    error: str = ""
    program: Program | None = None
    trials: Sequence[Trial] = ()
    limits: str = ""
    to_the_end: bool = False


MOST_CACHED = 5_000
"""Programs; a class of thousands has fewer that several hand in."""


class VerdictCache:
    """What came of the programs of a run: of the same program, with the same calls, comes the same.

    In a class many hand in the same few lines; they are run, judged and looked through once. What
    may have come by chance, or of this machine, is not taken for somebody else's: what is not right
    counts once two runs have said the same in every word, and what was ended never does.
    """

    def __init__(self) -> None:
        self._found: dict[bytes, _Judged] = {}
        self._once: dict[bytes, _Judged] = {}

    def get(self, exercise: Exercise, program: Program) -> _Judged | None:
        """What came of it, without notes and trials."""
        found = self._found.get(self._key(exercise, program))
        return replace(found, program=program) if found is not None else None

    def keep(self, exercise: Exercise, judged: _Judged) -> None:
        """Of a program that was run to its end."""
        program = judged.program
        if program is None or not judged.to_the_end:
            return
        key = self._key(exercise, program)
        if key not in self._once and len(self._once) >= MOST_CACHED:
            return
        kept = replace(judged, notes=[], program=None, trials=())
        before = self._once.setdefault(key, kept)
        if kept.verdict.status == "correct" or (before is not kept and before == kept):
            self._found.setdefault(key, kept)

    @staticmethod
    def _key(exercise: Exercise, program: Program) -> bytes:
        return sha256(repr((exercise.name, program)).encode("utf-8", "surrogatepass")).digest()


class _Marker:
    """Judges the exercises of one submission, in their order.

    Attributes:
        lent: the course's own code for what the learner imports from it.
        modules: those which are modules. What the lesson has asked for so far is in them, too.
        stand_ins: the same for earlier functions that the learner has not got right: no mistake is
            punished twice. (`mse = check(mse)` does so in the notebook.)
        accepted: the same for those that the learner has got right.
    """

    def __init__(
        self,
        reading: Reading,
        seed: int,
        limits: Limits,
        stop: Event,
        locate: bool,
        cache: VerdictCache,
    ) -> None:
        self.reading, self.seed, self.limits, self.stop = reading, seed, limits, stop
        self.locate, self.cache = locate, cache
        self.clock = Countdown(limits.submission)
        self.lent: dict[str, Segments] = {}
        self.modules: dict[str, ModuleType] = {}
        self.stand_ins: dict[str, Segments] = {}
        self.accepted: dict[str, Segments] = {}

    def mark(self, exercise: Exercise) -> Marked:
        judged = self._judge(exercise)
        if self.locate:
            judged = replace(judged, verdict=self._located(exercise, judged))
            self.cache.keep(exercise, judged)
        verdict = judged.verdict
        source = source_of(exercise)
        if source is not None:
            kept = self.accepted if verdict.status == "correct" else self.stand_ins
            kept[exercise.name] = source
        return Marked(
            exercise.name,
            verdict.status,
            verdict.points,
            verdict.max_points,
            verdict.misconception,
            verdict.message,
            tuple(verdict.hints),
            tuple(judged.notes),
            judged.error,
            self._shown(exercise.name, judged.program),
            verdict.printed,
            judged.limits,
        )

    def _shown(self, name: str, program: Program | None) -> str:
        """The answer as it was judged, where that is not the last one in the notebook."""
        segments = program.segments if program is not None else ()
        judged = [s for title, s in segments if title == name and _is_one(s, name)]
        return printable(judged[-1]) if judged else self.reading.shown.get(name, "")

    def _judge(self, exercise: Exercise) -> _Judged:
        name = exercise.name
        broken = self.reading.broken.get(name)
        if name not in self.reading.shown:
            if broken is not None:
                return _Judged(_without_points(exercise, "error", broken))
            missing = f"There is no function `{name}` in this notebook."
            parameters = list(inspect.signature(exercise.reference).parameters)
            if meant := self.reading.meant(name, parameters):
                missing += f" Is `{meant}` meant to be it? Functions are found by their names."
            if name in self.reading.in_text:
                missing = f"`def {name}` stands in a cell of text: turn it into a cell of code."
            return _Judged(_without_points(exercise, "not attempted", missing))
        if _is_imported(self.reading.shown[name]):
            said = f"`{name}` is the course's own in this notebook: write your own."
            return _Judged(_without_points(exercise, "not attempted", said))
        best: _Judged | None = None
        programs = self.reading.programs(name, self.stand_ins, self.accepted, self._lent())
        for program, notes in programs:
            if program is None:
                return _Judged(_without_points(exercise, "error", TOO_LONG.format(name)), notes)
            judged = self._tried(exercise, program, notes)
            if best is None or _is_better(judged, best):
                best = judged
            if best.verdict.status == "correct":
                break
        assert best is not None
        if _is_not_written(best):
            best = replace(best, notes=[*best.notes, NOT_WRITTEN])
        if best.verdict.status == "not attempted" and broken is not None:
            return _Judged(_without_points(exercise, "error", broken), best.notes)
        return best

    def _lent(self) -> dict[str, Segments]:
        """What is lent to the next answer."""
        found = dict(self.lent)
        so_far = {**self.accepted, **self.stand_ins}
        for name in found.keys() & self.modules.keys():
            in_it = {own: so_far[own] for own in so_far.keys() & vars(self.modules[name]).keys()}
            found[name] = with_functions(found[name], name, in_it)
        return found

    def _located(self, exercise: Exercise, judged: _Judged) -> Verdict:
        """The verdict, with a place to look if one is found."""
        verdict, program = judged.verdict, judged.program
        if program is None or not judged.trials or verdict.status not in PLACE_IS_LOOKED_FOR:
            return verdict
        from .place import place

        clock = Countdown(PLACE_SECONDS)  # of its own: no answer has less time for it

        def run_edited(program: Program, calls: Calls) -> Attempt:
            return run(program, calls, self.limits, clock=clock, stop=self.stop)

        return verdict.with_place(place(exercise, program, judged.trials, run_edited))

    def _notes(self, exercise: Exercise, program: Program) -> list[str]:
        """Which functions of the course's own were provided, and why."""
        notes = []
        for provided, _ in program.provided:
            name = provided.removeprefix(OWN.format(""))
            if name in self.modules and name in self.lent:
                notes.append(
                    f"Graded with the course's own module `{name}`, because the notebook imports "
                    "it."
                )
                continue
            if name not in catalogue():  # a helper that the lesson imports
                continue
            if name in self.lent and catalogue()[name].lesson != exercise.lesson:
                why = "the notebook imports it"
            elif name in self.stand_ins:
                why = "yours is not right yet"
                if name not in self.reading.shown:
                    why = "there is none in this notebook"
                elif _is_imported(self.reading.shown[name]):
                    why = "the notebook imports it"
            elif name in self.accepted:
                why = "with yours it fails"
            else:
                continue
            notes.append(f"Graded with the course's own `{name}`, because {why}.")
        return notes

    def _tried(self, exercise: Exercise, program: Program, notes: list[str]) -> _Judged:
        notes = notes + self._notes(exercise, program)
        if (known := self.cache.get(exercise, program)) is not None:
            return replace(known, notes=notes)
        cases, calls = _cases(exercise, self.seed)
        limits = self.limits
        if program.forgiving:
            limits = replace(limits, load=min(limits.load, FORGIVING_LOAD))
        before = thread_time()
        for _ in range(TRIES):
            start = monotonic()
            attempt = run(program, calls, limits, clock=self.clock, stop=self.stop)
            seconds = monotonic() - start
            if not attempt.doubtful or self.clock.left <= 0:
                break  # else something else may have been at work on this machine
        problem = _problem(exercise, attempt, limits)
        trials: Sequence[Trial] = ()
        if problem is not None:
            verdict = _without_points(exercise, *problem)
        else:
            verdict, trials = diagnosed(exercise, cases, attempt.outcomes)
        self.clock.left -= thread_time() - before  # what it costs here counts, too
        of = [attempt.loading] if attempt.loading is not None else attempt.outcomes
        error = next((outcome.error for outcome in of if outcome.state == "raised"), "")
        to_the_end = {outcome.state for outcome in of} <= {"returned", "raised"}
        if program.forgiving and seconds >= STATEMENT:
            to_the_end = False  # a statement may have been passed over for its time
        more = for_keras(self.limits)
        own_limits = f"memory ({more.memory >> 20} MiB), processes ({more.processes})"
        judged = _Judged(
            verdict,
            notes,
            error if verdict.status == "error" else "",
            program,
            trials,
            own_limits if program.module == "keras" else "",
            to_the_end,
        )
        if not self.locate:  # else the place is found first
            self.cache.keep(exercise, judged)
        return judged


def _is_imported(source: str) -> bool:
    """Whether what bears an answer's name is an import from the course."""
    return source.startswith(("from course_lib", "import course_lib"))


def _is_one(source: str, name: str) -> bool:
    """Whether it is one statement, and no cell of several, of which an error stopped the others."""
    if re.match(rf"@|(?:async )?(?:def|class) |(?:\w+ *= *)*{name} *(?::[^=\n]*)?=", source):
        return True
    inside = r"[ \t]|$|elif|else|except|finally|[)\]}#]"
    first, *rest = source.split("\n")
    compound = re.match(r"(?:if|try|for|while|with)\b", first)
    return compound is not None and all(re.match(inside, line) for line in rest)


def _is_not_written(judged: _Judged) -> bool:
    """Whether a module is not there, and the name of a file is made of variables."""
    segments = judged.program.segments if judged.program is not None else ()
    by_names = any(FILE_BY_NAMES in source for _, source in segments)
    return by_names and judged.error.startswith("ModuleNotFoundError")


_LACKS = re.compile(
    r"ModuleNotFoundError: No module named '([\w.]+)'"
    r"|FileNotFoundError: .*No such file or directory: '([\w./ -]+)'"
)


def _is_better(judged: _Judged, best: _Judged) -> bool:
    """Whether it counts, and not the best so far.

    Of two that are as bad, that one does which writes the file that the other has not found, or
    which knows the module for want of which the other lacks a name.
    """
    one, other = (BEST_FIRST.index(some.verdict.status) for some in (judged, best))
    lacks = _LACKS.match(best.error)
    if one == other and best.error.startswith("NameError"):
        return judged.error.startswith("ModuleNotFoundError")
    if one != other or lacks is None or judged.program is None:
        return one < other
    file = lacks[2] or lacks[1].replace(".", "/")
    name = rf"open\('(?:[\w./ -]+/)?{re.escape(file)}(?:\.py'|/|')"
    written = re.compile(rf"{name}|{re.escape(FILE_BY_NAMES)}")
    return any(written.search(source) for _, source in judged.program.segments)


def _problem(exercise: Exercise, attempt: Attempt, limits: Limits) -> tuple[Status, str] | None:
    """What kept an answer from being called, as a status and a sentence."""
    name, loading = exercise.name, attempt.loading or _lacking(attempt)
    if attempt.instead == "NoneType":
        return "not attempted", f"`{name}` is None in this notebook, and no function yet."
    if attempt.instead:
        return "error", f"`{name}` is not a function but a value of type {attempt.instead}."
    for ended in [loading] if loading is not None else attempt.outcomes[-1:]:
        if ended.state == "timeout" and "submission" in ended.error:
            return "timeout", (
                f"The {limits.submission:g} s that one submission may take were used up before "
                "this function was done."
            )
    return _not_loaded(name, loading, limits) if loading is not None else None


def _lacking(attempt: Attempt) -> Outcome | None:
    """What each call raised because the code that the answer needs lacks a module."""
    first, *others = attempt.outcomes or (Outcome("lost"),)
    lacks = first.error.startswith("ModuleNotFoundError") and " of `" in first.line
    alike = all((one.error, one.line) == (first.error, first.line) for one in others)
    return first if lacks and alike else None


def _not_loaded(name: str, loading: Outcome, limits: Limits) -> tuple[Status, str]:
    code = f"The code that `{name}` needs"
    if loading.state == "raised":
        told = error_at(loading.error, loading.line)
        return "error", f"{code} raised {told}.{advice(loading.error, loading.line)}"
    if loading.state == "timeout":
        return "timeout", (
            f"{code} had not finished after {limits.load:g} s: look for a loop at the top level of "
            "a cell."
        )
    if loading.error.startswith("it broke"):
        return "error", f"{code} {loading.error.removeprefix('it ')}."
    if loading.error.startswith("it is too long"):
        return "error", TOO_LONG.format(name)
    return "error", f"{code} ended its process: {loading.error}."


def _without_points(exercise: Exercise, status: Any, message: str) -> Verdict:
    return Verdict(status, 0.0, exercise.points, None, message, exercise.name)


@lru_cache(maxsize=64)
def _cases(exercise: Exercise, seed: int) -> tuple[list[Case], Calls]:
    cases = exercise.draw_cases(seed)
    return cases, Calls(tuple(case.arguments for case in cases), exercise.seconds)
