"""What the name of a file or folder says besides whose it is: a lesson, a copy, a mark, a heap."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..exercises.catalogue import catalogue
from .archives import SUFFIX

# Some browsers add an ending to what they do not know.
ENDING = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.IGNORECASE)

_DATE = r"(?:20\d\d-\d\d-\d\d|\d{1,2}\.\d{1,2}\.(?:20)?\d\d)"
# What browsers, systems and clouds make of the name of a file that is there already.
_COPY = r"(?:copy|kopie|kopia|copia|copie|cópia|копия|副本)"
# What an instructor has done with it, or a learner once more.
_STATE = (
    r"(?:ok|late|too late|on time|graded|ungraded|not graded|to (?:be )?graded?|checked|unchecked"
    r"|to check|accepted|rejected|pending|open|closed|done|to ?do|submitted|resubmitted"
    r"|resubmissions?|second (?:try|attempt)|2nd (?:try|attempt)|redone|corrected|missing"
    r"|verspätet|zu spät|pünktlich|korrigiert|unkorrigiert|zu korrigieren|offen|fertig|abgegeben"
    r"|nachgereicht|corrigés?|à corriger|en retard|à temps|rendus?|entregad[oa]s?|tarde"
    r"|corregid[oa]s?|pendientes?|迟交|遲交|按时|补交|補交|已批改|未批改|已交|未交)"
)
_MARKS = (
    re.compile(rf"{_COPY} (?:of|von|av|de|di) (?P<name>.+)", re.IGNORECASE),
    re.compile(
        r"(?P<name>.+?)(?: ?[(（]\d{1,2}[)）]|-copy\d{0,2}"
        rf"|(?: [-—] |[ _]| \((?:another )?){_COPY}\)?(?: ?[(（]?\d{{1,2}}[)）]?)?"
        r"|的副本(?: ?\d{1,2})?|のコピー)",
        re.IGNORECASE,
    ),
    re.compile(rf"{_STATE}(?: [-—] |: ?)(?P<name>.+)", re.IGNORECASE),
    re.compile(
        rf"(?P<name>.+?)(?: [-—] {_STATE}|-(?:main|master|dev)"
        rf"| ?[(（\[](?:{_STATE}|final|[-+]?\d{{1,3}}(?:[.,/]\d+)? ?(?:p|pts?|points?|punkte?|分))"
        r"\.?[)）\]])",
        re.IGNORECASE,
    ),
)
# People may be called so: it marks a name only beside the same without it.
_WORDS = (
    re.compile(rf"{_STATE}[ _-](?P<name>.+)", re.IGNORECASE),
    re.compile(rf"(?P<name>.+?)[ _-]{_STATE}", re.IGNORECASE),
)
# Parts of a course, of which a folder of that name is no learner's.
_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
UNIT = (
    r"(?:(?:week|woche|semaine|semana|settimana|lesson|lektion|lección|leçon|assignment|homework|hw"
    r"|ps|problem set|sheet|blatt|übungsblatt|aufgabe|abgabe|task|exercises?|exercice|ejercicio"
    r"|esercizio|exercício|übung|uebung|lab|tp|td|tarea|práctica|practica|devoir|compito|opgave"
    r"|opdracht|inlämning|ödev|bài tập|zadanie|úloha|úkol|задание|дз|과제|الواجب|unit|module"
    r"|session|day|tag|chapter|kapitel|ex|l|(?:exercise|problem|assignment|work) ?sheet"
    r"|hausaufgabe|praktikum|zettel|einheit|termin|vorlesung|project|projekt|practical|coursework"
    r"|lecture|series?|série|entrega|esercitazione|неделя|作业|作業|课题|課題|实验|實驗)"
    rf"[ _#-]*\d{{1,2}}|第 ?{_NUMBER} ?[次回]?(?:课|周|章|作业|作業|课题|課題|实验|實驗)?)"
)
# What came in some way, from all or from some.
_CAME = (
    rf"(?:{_STATE}|submissions?|hand(?:ed)?[ _-]?ins?|abgaben?|rendus?|entregas?|consegne|uploads?"
    r"|exports?|latecomers|stragglers|nachzügler|nachreichungen|(?:(?:by|per|via|par|por)[ _-])?"
    r"e?-?mails?|(?:(?:moodle|canvas|blackboard|brightspace|ilias|olat|sakai|teams|drive)"
    r"(?:[ _-]?downloads?)?))"
)
PART = re.compile(
    rf"{UNIT}|{_CAME}|{_DATE}|submitted files|working files|more|rest|others?|misc"
    r"|.+-\d{8}T\d{6}Z(?:-\d+)?-\d{3}",  # Google Drive
    re.IGNORECASE,
)
_DAY = (
    r"(?:(?:mon|tues?|wed|thu(?:rs)?|fri|satur|sun|wednes)(?:day)?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|lundi|mardi|mercredi|jeudi|vendredi|lunes|martes|miércoles|jueves|viernes"
    r"|(?:周|星期)[一二三四五六日])"
)
# Who hand in together.
TEAM = re.compile(r"(?:group|gruppe|groupe|grupo|team)[ _-]*(?:\d{1,2}|[a-z])", re.IGNORECASE)
# Several people.
GROUP = re.compile(
    rf"{TEAM.pattern}|(?:section|tutorial|tutorium|class|klasse|course|kurs|seminar|period|stream)"
    rf"[ _-]*(?:\d{{1,2}}[a-z]?|[a-z]|mo|di|mi|do|fr|{_DAY})|(?:ta|tutor|tutorin)[ _-]\w+"
    rf"|{_DAY}(?:[ _-]\d[\d.:h -]*)?|(?:mo|di|mi|do|fr)[ _-]\d[\d.:h -]*|第?\d{{1,2}}[班组]",
    re.IGNORECASE,
)
# What counts folders and names: a number, its word, a month.
_COUNTING = re.compile(
    r"\d+|(?<![^\W\d_])(?:one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|fourth"
    r"|fifth|sixth|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn"
    r"|(?:erst|zweit|dritt|viert|fünft|sechst|siebt|acht|neunt|zehnt)e[rs]?"
    r"|premi[eè]re?|deuxième|troisième|primera?|segunda|tercera"
    r"|jan(?:uar|uary)?|feb(?:ruar|ruary)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli"
    r"|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)(?![^\W\d_])",
    re.IGNORECASE,
)
# Who are counted so themselves.
_COUNTED_PEOPLE = re.compile(
    r"(?:student|schüler|pupil|learner|user|participant|teilnehm|person|account|pc|platz|seat|kid)"
    r"\w*[ _-]*#",
    re.IGNORECASE,
)
# What an instructor calls his own.
_INSTRUCTORS = re.compile(
    r"[ _-]*(?:solutions?|sample solution|template|vorlage|muster(?:lösung)?|lösung(?:en)?|answer"
    r"[ _-]?key|reference|corrigé|solución|soluzione|starter|handout)[ _-]*",
    re.IGNORECASE,
)
OF_THE_COURSE = frozenset({"notebooks", "solutions", "course_lib"})
# What people call a notebook, or a folder of their own, that is named after nobody.
_OF_NOBODY = re.compile(
    r"(?:\d{1,2}[ _-])?(?:my|the|mein|meine|neue?s?|new|old|alt|final|last|first)?[ _-]*"
    r"(?:untitled|notebook|scratch|tests?|try|tries|attempt|draft|solutions?|answers?|work|play"
    r"|mine|problems?|playground|sandbox|experiments?|exercises?|examples?|parts?|notes?|old|new"
    r"|backup|temp|tmp|main|master|code|program|project|report|submissions?|revisions?|feedback"
    r"|assignments?|homework|hw|lesson|course"
    r"|downloads?|documents?|desktop|files?|archive|images?|figures?|data|plots?|helpers?|functions"
    r"|losses|training|questions?|practice|version|v|lösung(?:en)?|aufgaben?|entwurf|versuch"
    r"|übung(?:en)?|brouillon|essai|borrador|prueba|草稿|测试|答案|练习|作业|未命名)"
    r"(?:[ _-]*\d{0,2}[a-z]?)?|(?:my|the|mein|meine|new|old|final)",
    re.IGNORECASE,
)


def bare(name: str) -> str:
    """The name of a notebook's file or of an archive without its ending, or endings.

    It is spelled in one way, as a Mac and others write "ü" in two.
    """
    name = unicodedata.normalize("NFC", name)
    return ENDING.sub("", name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name) or name


def original(name: str) -> str:
    """A name less what marks a copy, another attempt, or what became of it."""
    for mark in _MARKS:
        found = mark.fullmatch(name)
        if found and re.search(r"\w", found["name"]):
            name = found["name"]
    return name


def unmarked(name: str) -> str:
    """A name less a word on what became of it, which may be a part of it, too."""
    found = next(filter(None, (mark.fullmatch(name) for mark in _WORDS)), None)
    return found["name"] if found is not None else name


def without_lesson(name: str) -> str:
    """A name less that of a lesson, of a part of the course, or a date, before or behind it.

    So is a version's behind it.
    """
    while not _is_part(name):
        found = next(filter(None, (mark.fullmatch(name) for mark in _marks_of_lessons())), None)
        if found is None or not re.search(r"[^\W\d_]|\d{3}", found["name"]):
            break
        name = found["name"]
        if inside := re.fullmatch(r"[(（\[](.+)[)）\]]", name):
            name = inside[1]
    return name


def series(name: str) -> str:
    """The name with a sign for each number, as those of a series have it in common; "" of none."""
    counted = _COUNTING.sub("#", name.casefold())
    people = _COUNTED_PEOPLE.fullmatch(counted) or GROUP.fullmatch(name)
    return "" if people or "#" not in counted else counted


@lru_cache(1)
def _marks_of_lessons() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A lesson's name, or that of a part of the course, before and behind a learner's."""
    topics = "|".join(sorted(topic for topic in _names_of_lessons() if not topic.isdigit()))
    copy = rf"(?:{_COPY} (?:of|von|av|de|di) )?"
    own = "|".join(re.sub("_", "[ _.-]+", lesson) for lesson in sorted(lessons()))
    lesson = rf"{copy}(?:(?:{own})(?:\.ipynb)?|(?:{topics})(?:[ _-]?\d\d)?|{UNIT}|{_DATE})"
    count = r"(?: ?[(（]\d{1,2}[)）]| \d{1,2}(?=_))?"  # Google's forms, OneDrive
    return (
        re.compile(rf"{lesson}{count}[ _.-]+(?P<name>[^ _.-].*)", re.IGNORECASE),
        re.compile(rf"(?P<name>.*?[^ _-])[ _-]+(?:{lesson}|v\d\d?|final)", re.IGNORECASE),
    )


@lru_cache(1)
def lessons() -> frozenset[str]:
    return frozenset(exercise.lesson for exercise in catalogue().values())


@lru_cache(1)
def _names_of_lessons() -> frozenset[str]:
    """Lessons by name, number and topic, in small letters and without signs."""
    names = {lesson.replace("_", "") for lesson in lessons()}
    topics = {name[2:] for name in names} - {"adam", "text"}  # which is said of much else
    return frozenset(names | topics | {name[:2] for name in names})


def is_lesson(name: str) -> bool:
    """Whether that is a lesson's name, number or topic."""
    return re.sub(r"[ _().-]+", "", original(name).casefold()) in _names_of_lessons()


def is_numbered_lesson(name: str) -> bool:
    """Whether it is a lesson's whole name."""
    return original(name) in lessons()


def is_of_the_course(name: str) -> bool:
    """Whether it is called after a part of the course, or several, and so after no person."""
    return _is_part(name) or _is_part(without_lesson(name))


def _is_part(name: str) -> bool:
    return name in OF_THE_COURSE or is_lesson(name) or PART.fullmatch(name) is not None


def is_of_the_instructor(name: str) -> bool:
    """Whether an instructor may call his own so: a solution, or what was handed out."""
    return _INSTRUCTORS.fullmatch(without_lesson(name)) is not None


def is_of_nobody(name: str) -> bool:
    """Whether it is called after a part of the course, or as people call what is theirs."""
    return is_of_the_course(name) or _OF_NOBODY.fullmatch(name) is not None


def is_personal(name: str) -> bool:
    """Whether it may be called after a person: after nothing else that is known."""
    plain = without_lesson(original(name))
    nobody = is_of_nobody(plain) or GROUP.fullmatch(plain)
    return not nobody and re.search(r"[^\W\d_]|\d{4}", plain) is not None


def lesson_in(parts: tuple[str, ...]) -> str:
    """The number of the lesson that one of these names bears, or ""."""
    for part in reversed(parts):
        words = f" {' '.join(re.split(r'[^a-z]+', bare(part).casefold()))} "
        for lesson in sorted(lessons()):
            if f" {' '.join(lesson.split('_')[1:])} " in words:
                return lesson[:2]
    return ""
