"""Errors that a person can mend: one sentence saying what happened and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

NEAR = 0.65
"""So alike must a name be to an unknown one, as `difflib` measures it, to be offered as what was
meant: "sgd" for "sdg" is 0.67, "losses" for "nonsense" 0.57."""


class CourseError(Exception):
    """Something went wrong; the `course` command prints the sentence and ends with `status`."""

    status = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(CourseError):
    """The command was called wrongly: an unknown name, a missing path."""

    status = 2


JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # letters of some languages need them


def visible(text: str) -> str:
    """A text of somebody else's on one line, in which nothing controls a screen or a printer.

    What would, as the beginning of an escape sequence or a turn of the direction of writing, is
    shown as Python writes it.
    """
    return "".join(
        c if c.isprintable() or c in JOINERS else c.encode("unicode_escape").decode() for c in text
    )


NAMED = 20
"""Of files, submissions or learners to be told of, so many are named."""
LETTERS = 1000
"""In their names together, or little more."""
LONG = 200
"""So long may a name or path be in a sentence."""


def short(name: str) -> str:
    """A name or path, or both ends of a long one."""
    return name if len(name) <= LONG else f"{name[: LONG // 2]}…{name[-LONG // 2 :]}"


def named(told: Sequence[str]) -> str:
    """Files, submissions or learners in a sentence, not too many."""
    names: list[str] = []
    for name in told[:NAMED]:
        if sum(map(len, names)) > LETTERS:
            break
        names.append(f"“{short(name)}”")
    more = len(told) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def unknown(
    thing: str,
    name: str,
    known: Iterable[str],
    listed: Iterable[str] = (),
    called: Callable[[str], object] = str,
) -> str:
    """The sentence on a thing that there is not: it offers the nearest one that there is.

    Args:
        thing: what was asked for, in the reader's words: "lesson “loses”".
        name: of it, to be compared.
        known: names that there are.
        listed: what there is, to be told if nothing is near.
        called: from a known name to what is offered.
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=NEAR)
    if near:
        return f"There is no {thing}: did you mean “{called(near[0])}”?"
    others = list(listed)
    there = f": there {'is' if len(others) == 1 else 'are'} {', '.join(others)}" if others else ""
    return f"There is no {thing}{there}."
