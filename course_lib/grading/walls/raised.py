"""The layers put together: what a process that forks answers does, and what each answer does.

`Walls.raise_shared` is called once by a process that forks answers, one at a time; `raise_own`
before each fork, `enclose` in the forked process, and `end_own` when it is to end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from dataclasses import dataclass
from pathlib import Path

from . import NO_NETWORK, NO_REACH, NO_SIGHT, clear, landlock, namespaces
from .kernel import DUMPABLE, END_WITH_PARENT, NO_NEW_PRIVILEGES, SUBREAPER, libc, prctl, works
from .seccomp import filter_system_calls
from .view import DEVICES, course_free_folders, decided, world_readable


@dataclass
class Walls:
    """The walls of one process that forks answers.

    Attributes:
        folder: an empty folder of this process's own, on the outside.
        without: layers that are not to be used even if they are there.
        work: path of the working folder as the answer sees it.
        besides: how many processes of the answers' user there are already, all of which a limit
            on processes counts; None if no limit binds that user.
    """

    folder: str
    without: frozenset[str] = frozenset()
    work: str = ""
    namespaces: bool = False
    landlock: int = 0
    ruleset: int = -1
    seccomp: bool = False
    user: int | None = None
    besides: int | None = None
    home: int = -1

    def raise_shared(self) -> None:
        """Build what all answers have in common; afterwards this process is behind it, too."""
        with contextlib.suppress(OSError):  # if memory runs out, answers go before anything else
            Path("/proc/self/oom_score_adj").write_text("1000")
        readable, hidden = course_free_folders()
        root = os.geteuid() == 0
        self.user = _other_user(self.folder) if root and "user" not in self.without else None
        if "namespaces" not in self.without:
            self.namespaces = works(lambda: self._try_namespaces(readable, hidden))
        if self.namespaces:
            self._enter_namespaces(readable, hidden)
        else:
            self.work = str(Path(self.folder, "answer"))
            Path(self.folder).chmod(0o711)
            prctl(SUBREAPER, 1)
        ways = (world_readable(path, way_there=not self.namespaces) for path in readable)
        if self.user is not None and not all(ways):
            self.user = None  # the interpreter belongs to root alone, and answers need it
        if self.namespaces or self.user is not None:
            self.besides = (None if self.user is None else 0) if root else 2  # of ours
        elif not root:
            self.besides = _tasks_of(os.geteuid())
        if "landlock" not in self.without:
            self.landlock = landlock.version()
        if self.landlock:
            above = str(Path(self.work).parent)
            self.ruleset = landlock.ruleset(self.landlock, decided(readable, hidden), above)
        self.seccomp = "seccomp" not in self.without and works(filter_system_calls)
        # What is refused to others of the same user: to look into this process.
        prctl(DUMPABLE, 0)

    def raise_own(self) -> None:
        """Build what one answer has to itself: process numbers and its folder.

        The next process to be forked is the first of its numbers, and all others end with it.
        """
        owner = self.user if self.user is not None else os.geteuid()
        if self.namespaces:
            namespaces.open_cell(self.work, owner)
        else:
            Path(self.work).mkdir(mode=0o700)
            if self.user is not None:
                os.chown(self.work, owner, owner)

    def end_own(self, number: int | None) -> int | None:
        """End the answer's process, if there is one, with all that it has started.

        Returns:
            Its exit status if it had ended by itself, or minus the signal that ended it.
        """
        status = None
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        if self.namespaces:
            namespaces.close_cell(self.work, self.home)
        else:
            _end_children()
            clear(self.work)
        return status

    def enclose(self) -> None:
        """Close the walls behind this process, for good."""
        os.chdir(self.work)
        if self.user is not None:
            _become(self.user)
        prctl(NO_NEW_PRIVILEGES, 1)
        _drop_capabilities()
        if self.landlock:
            landlock.restrict(self.ruleset)
        if self.seccomp:
            filter_system_calls()

    def words(self) -> tuple[list[str], list[str]]:
        """Which walls hold here and which are missing."""
        walls = {
            NO_NETWORK: self.namespaces or self.seccomp,
            NO_SIGHT: self.namespaces or bool(self.landlock),
            "an empty working folder, the only one to write in": self.namespaces
            or bool(self.landlock),
            f"files in memory ({namespaces.FOLDER_BYTES >> 20} MiB)": self.namespaces,
            "no other programs": bool(self.landlock),
            NO_REACH: self.namespaces or self.user is not None or self.landlock >= 6,
            "an unprivileged user": os.geteuid() != 0 or self.user is not None,
            "no privileges and none to be gained": True,
            "refused system calls": self.seccomp,
        }
        return [w for w, holds in walls.items() if holds], [w for w, h in walls.items() if not h]

    def _try_namespaces(self, readable: list[str], hidden: list[str]) -> None:
        self._enter_namespaces(readable, hidden)
        self.namespaces = True
        self.raise_own()
        self.end_own(None)

    def _enter_namespaces(self, readable: list[str], hidden: list[str]) -> None:
        """Returns in a new process, the first of its numbers; the old one waits for its end."""
        namespaces.apart()
        number = os.fork()
        if number != 0:
            os.closerange(0, 3)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) & 0xFF)
        prctl(END_WITH_PARENT, signal.SIGKILL)
        self.home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        paths = decided([*readable, *DEVICES], hidden)
        namespaces.change_root(self.folder, paths)
        self.work = "/work/answer"


def _other_user(folder: str) -> int | None:
    """A user that owns nothing, of this process's own where possible; None if it may not change.

    (Processes are counted per user: those of one answer must not use up another's.)
    """
    probe = Path(folder, "probe")
    probe.mkdir()

    def become(user: int) -> None:
        os.chown(probe, user, user)
        _become(user)

    users = ((1 << 30) + os.getpid(), 65534)
    found = next((user for user in users if works(lambda: become(user))), None)  # noqa: B023
    probe.rmdir()
    return found


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _tasks_of(user: int) -> int:
    """Processes and threads of a user."""
    count = 0
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if place.stat().st_uid == user:
                count += sum(1 for _ in (place / "task").iterdir())
    return count


def _end_children() -> None:
    """Kill and bury all that has become a child of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        with contextlib.suppress(OSError):
            for number in children.read_text().split():
                os.kill(int(number), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _drop_capabilities() -> None:
    libc("capset", struct.pack("=Ii", 0x20080522, 0), bytes(24))
