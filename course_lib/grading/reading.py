"""A notebook as a process of its own reads it, so that no file holds up or exhausts the grader.

Reading, parsing and cutting are `reader`'s; here its process is asked, and given up when it has
used what one notebook may use.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from ..sandbox import run as sandbox
from ..sandbox.limits import Limits
from ..sandbox.process import (
    CRASHED,
    OUT_OF_TIME,
    Countdown,
    DiedError,
    HungError,
    LostError,
)
from ..sandbox.run import Program, SandboxError, Segments
from ..sandbox.wire import Message, ProtocolError, encode
from .submission import UnreadableError

SECONDS = 10.0
"""Of a processor's time, for all that is done with one notebook's text."""
LIMITS = Limits(memory=1 << 30)
MODULE = "course_lib.grading.reader"
WITHOUT = ("namespaces", "user")
"""No code of the notebook's runs there; and the course's own notebooks are looked at."""
_ROOT = str(Path(__file__).resolve().parents[2])
_MAIN = f"import sys; sys.path.insert(0, {_ROOT!r}); from {MODULE} import main; main()"
TOO_LONG = f"Reading this notebook takes longer than {SECONDS:g} s; the file was set aside."


def launch_reader() -> None:
    """Have the process start that reads, which will soon be wanted."""
    sandbox.launch(MODULE, WITHOUT)


class Reading:
    """One notebook, read elsewhere; to be closed when it is marked.

    Args:
        data: the notebook.
        lesson: that it is of.
        names: of the functions that matter.
        lendable: of functions that the course would lend.
        known: of all exercises.
        stop: when set, waiting ends.

    Attributes:
        shown: for each answer that is there: its source, in printable lines.
        broken, notes, in_text: see `Submission`.
        imported: which of ``lendable`` the notebook imports from the course, or lacks though the
            lesson imports them.

    Raises:
        UnreadableError: it is no notebook, or needs more than `SECONDS` or the memory of `LIMITS`;
            also of all methods.
        SandboxError: no process can be started, or it was lost; also of all methods.
    """

    def __init__(
        self,
        data: bytes,
        lesson: str,
        names: Sequence[str],
        lendable: Sequence[str],
        known: Iterable[str],
        stop: Event,
    ) -> None:
        command = None if sandbox.CAN_FORK else (sys.executable, "-I", "-B", "-c", _MAIN)
        self._process = sandbox.started(MODULE, stop, LIMITS, WITHOUT, command, lesson)
        self._clock = Countdown(LIMITS.patience * SECONDS)
        try:
            answer = self._ask(
                {
                    "limits": tuple(asdict(LIMITS).items()),
                    "seconds": SECONDS,
                    "lesson": lesson,
                    "names": " ".join(names),  # one text takes less time than hundreds
                    "lendable": " ".join(lendable),
                    "known": " ".join(known),
                    "data": np.frombuffer(data, np.uint8),
                }
            )
            shown, broken, self.notes, in_text, imported = answer
            self.shown: dict[str, str] = dict(shown)
            self.broken: dict[str, str] = dict(broken)
            self.in_text, self.imported = frozenset(in_text), frozenset(imported)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End its process."""
        with contextlib.suppress(LostError):
            self._process.end(wait=False)

    def meant(self, name: str, parameters: Sequence[str]) -> str:
        """A function that takes the same arguments, or has nearly the name; or ""."""
        return str(self._asked("meant", name, tuple(parameters)))

    def programs(
        self,
        name: str,
        stand_ins: Mapping[str, Segments],
        accepted: Mapping[str, Segments],
        lent: Mapping[str, Segments],
    ) -> Iterator[tuple[Program | None, list[str]]]:
        """Programs that the answer may be, each once, with notes; the best of them counts.

        The first is a slice of the whole notebook. What the notebook's own check called right must
        be right here: so the others are what it judged, with what stood above. None in the place
        of one that is too long.

        Args:
            name: one of ``shown``.
            stand_ins, accepted: the course's own code for other functions.
            lent: its code for what the notebook imports, as long as the name means that.
        """
        given = (tuple(some.items()) for some in (stand_ins, accepted, lent))
        found = self._asked("first", name, *given)
        while found != ():
            if found is None:
                yield None, []
            else:
                *parts, notes = found
                yield Program(*parts), list(notes)
            found = self._asked("next")

    def _asked(self, question: str, *arguments: Any) -> Any:
        return self._ask({"question": question, "arguments": arguments})

    def _ask(self, message: Message) -> Any:
        try:
            self._process.send(encode(message, trusted=True), self._clock)
            reply = self._process.receive(self._clock)
        except HungError:  # reading never sleeps: it was kept from its processor time
            if sys.platform == "win32":  # where no other clock ends it
                raise UnreadableError(TOO_LONG) from None
            raise SandboxError("This machine had no time to read the notebook.") from None
        except (DiedError, ProtocolError) as error:
            raise self._lost() from error
        if "unreadable" in reply:
            raise UnreadableError(str(reply["unreadable"]))
        return reply["answer"]

    def _lost(self) -> Exception:
        try:
            how = self._process.end()
        except LostError as lost:
            return SandboxError(f"The process that reads notebooks was lost. {lost}".strip())
        if how == OUT_OF_TIME:
            return UnreadableError(TOO_LONG)
        if how.startswith(CRASHED):
            return UnreadableError(f"Reading this notebook failed: {how}.")
        # Killed, by whom is not known, or short of something of this machine's.
        return SandboxError(f"The process that read this notebook was lost: {how}.")
