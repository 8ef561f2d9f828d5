"""The layers put together, in the order in which they are raised.

`Isolation.share` is called once, by the process that forks all others; then it is behind them,
too. `Isolation.separate` is called by a process that stands between it and one answer, and calls
`clean` when that has ended; `Isolation.enclose` is called by the answer itself.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import struct
from dataclasses import dataclass, field
from pathlib import Path

from . import NO_NETWORK, NO_REACH, NO_SIGHT, clear, landlock, namespaces
from .kernel import DUMPABLE, END_WITH_PARENT, NO_NEW_PRIVILEGES, SUBREAPER, libc, prctl, works
from .seccomp import filter_system_calls
from .view import DEVICES, course_free_folders, decided, world_readable

NOBODY = 65534


@dataclass
class Isolation:
    """The layers around the answers of one process that forks them.

    Attributes:
        folder: an empty folder of that process's own, on the outside.
        without: layers that are not to be used even if they are there.
        work: path of the working folder as the answer sees it.
        paths: which can be read there, and which below them not.
        user: which the answer becomes; None if it stays who it is.
        other_processes: how many processes of the answer's user are not the answer's, all of which
            a limit on processes counts; None if no limit binds that user.
    """

    folder: str
    without: frozenset[str] = frozenset()
    work: str = ""
    namespaces: bool = False
    landlock: int = 0
    paths: dict[str, bool] = field(default_factory=dict)
    ruleset: int = -1
    seccomp: bool = False
    user: int | None = None
    other_processes: int | None = None

    def share(self) -> None:
        """Build what all answers have in common."""
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
            self.work = self.folder
            Path(self.folder).chmod(0o711)
        ways = (world_readable(path, way_there=not self.namespaces) for path in readable)
        if self.user is not None and not all(ways):
            self.user = None  # the interpreter belongs to root alone, and answers need it
        if self.namespaces or self.user is not None:
            self.other_processes = (None if self.user is None else 0) if root else 1
        elif not root:
            self.other_processes = _tasks_of(os.geteuid())
        if "landlock" not in self.without:
            self.landlock = landlock.version()
        if self.landlock:  # found once: that takes longer than a fork
            self.paths = decided(*course_free_folders())
        if self.namespaces:
            self._restrict_files(str(Path(self.work).parent))
        self.seccomp = "seccomp" not in self.without and works(self._filter)
        # What is refused to others of the same user: to look into this process.
        prctl(DUMPABLE, 0)

    def separate(self) -> None:
        """Build what one answer has to itself: process numbers, its folder, its user.

        With namespaces it returns in a new process, the first of its numbers: when that ends, all
        others do. (It is not the answer itself: the first is not ended by a limit's signal.)
        """
        if self.user not in (None, NOBODY):
            self.user = _any_user()
        owner = self.user if self.user is not None else os.geteuid()
        if self.namespaces:
            namespaces.open_cell(self.work, owner)
            if os.fork() != 0:
                os._exit(0)
        else:
            prctl(END_WITH_PARENT, signal.SIGKILL)
            prctl(SUBREAPER, 1)
            self.work = str(Path(self.folder, secrets.token_hex(8)))
            Path(self.work).mkdir(mode=0o700)
            os.chown(self.work, owner, owner if self.user is not None else -1)
            self._restrict_files(self.work)

    def clean(self) -> None:
        """End what the answer has started; what is in namespaces ends by itself."""
        if not self.namespaces:
            _end_children()
            clear(self.work)

    def enclose(self) -> None:
        """Isolate this process, for good."""
        os.chdir(self.work)
        if self.user is not None:
            _become(self.user)
        prctl(END_WITH_PARENT, signal.SIGKILL)
        prctl(NO_NEW_PRIVILEGES, 1)
        _drop_capabilities()
        if self.landlock:
            landlock.restrict(self.ruleset)
        if self.seccomp:
            self._filter()

    def words(self) -> tuple[list[str], list[str]]:
        """Which limits hold here and which are missing."""
        limits = {
            NO_NETWORK: self.namespaces or self.seccomp,
            NO_SIGHT: self.namespaces or bool(self.landlock),
            "an empty working folder, the only one to write in": self.namespaces
            or (self.landlock >= landlock.WITH_TRUNCATE and self.seccomp),
            f"files in memory ({namespaces.FOLDER_BYTES >> 20} MiB)": self.namespaces,
            "no other programs": bool(self.landlock),
            NO_REACH: self.namespaces
            or self.user is not None
            or (self.landlock >= landlock.WITH_SIGNALS and self.seccomp),
            "an unprivileged user": os.geteuid() != 0 or self.user is not None,
            "no privileges and none to be gained": True,
            "refused system calls": self.seccomp,
        }
        return [w for w, holds in limits.items() if holds], [w for w, h in limits.items() if not h]

    def _filter(self) -> None:
        filter_system_calls(alone=self.namespaces)

    def _restrict_files(self, work: str) -> None:
        if self.landlock:
            self.ruleset = landlock.ruleset(self.landlock, self.paths, work)

    def _try_namespaces(self, readable: list[str], hidden: list[str]) -> None:
        self._enter_namespaces(readable, hidden)
        self.namespaces = True
        self.separate()

    def _enter_namespaces(self, readable: list[str], hidden: list[str]) -> None:
        """Returns in a new process, the first of its numbers; the old one waits for its end."""
        namespaces.apart()
        number = os.fork()
        if number != 0:
            os.closerange(0, 3)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) & 0xFF)
        prctl(END_WITH_PARENT, signal.SIGKILL)
        paths = decided([*readable, *DEVICES], hidden)
        namespaces.change_root(self.folder, paths)
        self.work = "/work/answer"


def _any_user() -> int:
    """A user that owns nothing and is nobody else's: processes are counted per user."""
    return (1 << 30) + secrets.randbits(29)


def _other_user(folder: str) -> int | None:
    """A user that owns nothing, if possible one of many; None if this process may not change."""
    probe = Path(folder, "probe")
    probe.mkdir()

    def become(user: int) -> None:
        os.chown(probe, user, user)
        _become(user)

    users = (_any_user(), NOBODY)
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
