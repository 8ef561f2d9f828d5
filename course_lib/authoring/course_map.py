"""The course as a picture: what builds on what, how long it takes, and ways through it.

All that it shows stands in the lessons' headers. The file holds beside the picture the words from
which it was drawn, so that `is_current` draws nothing.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CourseError
from ..lessons import Lesson, lessons, numbered, root
from ..plots.palette import BLUE, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "map.png"
WIDTH, HEIGHT, GAP, BETWEEN = 1.8, 0.96, 0.45, 0.34  # of a box, and to its neighbors, in inches
SHARP = 160  # pixels an inch


@dataclass(frozen=True)
class Way:
    """A way through the course: what a learner may want, its lessons' numbers, its stripe."""

    wish: str
    numbers: tuple[str, ...]
    stripe: dict[str, Any]


WAYS = (
    Way(
        "From losses to fine-tuning in a day",
        ("01", "02", "03", "04", "05", "06"),
        {"facecolor": BLUE},
    ),
    Way(
        "I only want to fine-tune",
        ("05", "06", "10", "11"),
        {"facecolor": ORANGE, "hatch": "////", "edgecolor": "white"},
    ),
)
"""Beside these there is the whole course."""


def file() -> Path:
    """Where the picture is."""
    return root() / "solutions" / NAME


def needs() -> dict[Lesson, list[Lesson]]:
    """For each lesson those that it builds on, without what these build on themselves.

    Raises:
        CourseError: a lesson builds on one that does not come before it.
    """
    known = {lesson.number: lesson for lesson in lessons()}
    before: dict[str, set[str]] = {}  # all that come before it
    for number, lesson in known.items():
        for one in lesson.after:
            if one not in before:
                raise CourseError(
                    f"{lesson.name}.py says that it builds on lesson {one} (after), which does not "
                    "come before it."
                )
        before[number] = set(lesson.after).union(*(before[one] for one in lesson.after))
    return {
        lesson: [
            known[one]
            for one in lesson.after
            if not any(one in before[other] for other in lesson.after)
        ]
        for lesson in known.values()
    }


def words() -> str:
    """The picture in words, for those who do not see it."""
    sentences = [
        f"{lesson.number} {lesson.title}, {lesson.minutes} minutes"
        + (f", builds on {' and '.join(one.number for one in direct)}" if direct else "")
        for lesson, direct in needs().items()
    ]
    return f"The course as a map. {'. '.join(sentences)}."


def ways() -> str:
    """The ways through the course as a list."""
    every = lessons()
    some = [(way.wish, [one for one in every if one.number in way.numbers]) for way in WAYS]
    return "\n".join(
        f"- **{wish}**: {_told(each)}." for wish, each in [*some, ("Everything", every)]
    )


def picture() -> str:
    """The picture and the ways in Markdown, as README shows them."""
    return f"![{words()}](solutions/{NAME})\n\n{ways()}\n"


def attached() -> str:
    """The same as the start page shows it."""
    return f"![{words()}](attachment:{NAME})\n\n{ways()}"


def is_current() -> bool:
    """Whether the file was drawn from what the lessons say now."""
    from PIL import Image

    try:
        with Image.open(file()) as found:
            return bool(found.info.get("Description") == _drawn())
    except OSError:
        return False


def draw() -> list[Path]:
    """Draw the picture if it is not current; says what changed."""
    if is_current():
        return []
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    corners = _corners()
    width = max(x for x, _ in corners.values()) + WIDTH + GAP / 2
    low, high = (end(y for _, y in corners.values()) for end in (min, max))
    bottom, top = low - 0.3 * len(WAYS) - 0.3, high + HEIGHT + 0.15
    figure = Figure(figsize=(width, top - bottom), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(bottom, top))
    axes.axis("off")
    line = {"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    for lesson, direct in needs().items():
        x, y = corners[lesson]
        _box(axes, lesson, (x, y))
        for one in direct:
            begin = corners[one][0] + WIDTH + 0.03, corners[one][1] + HEIGHT / 2
            passes_others = x - corners[one][0] > 1.5 * (WIDTH + GAP)
            bend = 0.9 if passes_others else 0.0  # to go below them
            arrow = {**line, "connectionstyle": f"arc3,rad={bend}"}
            axes.annotate("", (x - 0.03, y + HEIGHT / 2), begin, arrowprops=arrow, zorder=0)
    for place, way in enumerate(WAYS):
        some = [lesson for lesson in corners if lesson.number in way.numbers]
        y = low - 0.45 - 0.3 * place
        _stripe(axes, (GAP / 2, y), way)
        axes.text(GAP / 2 + 0.65, y + 0.07, f"{way.wish}: {_told(some)}", size=13, va="center")
    figure.savefig(file(), dpi=SHARP, metadata={"Description": _drawn(), "Software": None})
    return [file()]


def _corners() -> dict[Lesson, tuple[float, float]]:
    """Of each box, in inches: right of all that it needs, each column around the middle."""
    column: dict[Lesson, int] = {}
    for lesson, direct in needs().items():
        column[lesson] = 1 + max((column[one] for one in direct), default=-1)
    corners = {}
    for lesson, x in column.items():
        beside = [one for one in column if column[one] == x]
        row = (len(beside) - 1) / 2 - beside.index(lesson)
        corners[lesson] = (x * (WIDTH + GAP) + GAP / 2, row * (HEIGHT + BETWEEN))
    return corners


def _box(axes: Axes, lesson: Lesson, corner: tuple[float, float]) -> None:
    """A lesson's box, and at its foot a stripe for each way that goes through it."""
    from matplotlib.patches import FancyBboxPatch

    x, y = corner
    style = "round,pad=0,rounding_size=0.1"
    axes.add_patch(FancyBboxPatch(corner, WIDTH, HEIGHT, style, fc="white", ec=INK, lw=1.2))
    high = y + HEIGHT - 0.1
    axes.text(x + 0.1, high, lesson.number, size=14, weight="bold", va="top")
    axes.text(x + WIDTH - 0.1, high, f"{lesson.minutes} min", size=11.5, va="top", ha="right")
    title = textwrap.fill(lesson.title, 16)
    axes.text(x + 0.1, y + 0.38, title, size=12, va="center", linespacing=1.05)
    for place, way in enumerate(WAYS):
        if lesson.number in way.numbers:
            _stripe(axes, (x + 0.1 + 0.6 * place, y - 0.07), way)


def _stripe(axes: Axes, corner: tuple[float, float], way: Way) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, 0.5, 0.14, lw=0, zorder=3, **way.stripe))


def _told(some: list[Lesson]) -> str:
    return f"{numbered(some)}, about {round(sum(lesson.minutes for lesson in some) / 60)} hours"


def _drawn() -> str:
    """All that the picture shows."""
    return f"{words()}\n{ways()}"
