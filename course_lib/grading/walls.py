"""Walls around learners' processes on Linux, built from the kernel's own means through ctypes.

Stands alone like `worker`, beside which it is loaded: nothing of course_lib. Each wall is a layer
that is used where this machine offers it, and `Walls.words` says which hold and which are missing:

* namespaces (as root, or where users may make user namespaces): a view of the file system that
  holds the interpreter, its packages and nothing else; no network; no other process; a working
  folder of limited size in memory. (user_namespaces(7), pid_namespaces(7), pivot_root(2))
* Landlock: only the same folders can be read, only the working folder written, no program
  started, no other process traced. (landlock(7))
* seccomp: no sockets, no tracing of processes, no new namespaces, no memory that the limits do
  not count. (seccomp(2))
* an unprivileged user when started as root, and no capabilities in any case. (capabilities(7))

`raise_shared` is called once by a process that forks answers, one at a time; `raise_own` before
each fork, `enclose` in the forked process, and `end_own` when it is to end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import secrets
import signal
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LAYERS = ("namespaces", "landlock", "seccomp", "user")
NO_NETWORK, NO_SIGHT = "no network", "no sight of other files"
NO_REACH = "no reach to other processes"
FOLDER_BYTES = 64 << 20
FOLDER_FILES = 4096

_NEW_MOUNTS, _NEW_HOST_NAME, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PIDS, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_DETACH = 2
_EVERYTHING_BELOW = 0x8000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER, _DUMPABLE, _SUBREAPER, _END_WITH_PARENT = 38, 22, 2, 4, 36, 1
# The same on all machines since Linux 5.1.
_MOUNT_SETATTR, _RULESET, _ADD_RULE, _RESTRICT = 442, 444, 445, 446

# Landlock's rights on files, of its first version: execute, write, read, list, then the rest.
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_MAKE_CHARACTER, _MAKE_BLOCK = 1 << 6, 1 << 11
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE_CONTROL

# Per machine: its number in a filter, then the system calls that are refused.
_MACHINES = {
    "x86_64": (
        0xC000003E,
        {
            "pivot_root": 155,
            "socket": 41,
            "ptrace": 101,
            "process_vm_readv": 310,
            "process_vm_writev": 311,
            "mount": 165,
            "umount2": 166,
            "unshare": 272,
            "setns": 308,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "bpf": 321,
            "perf_event_open": 298,
            "userfaultfd": 323,
            "shmget": 29,
            "semget": 64,
            "msgget": 68,
            "memfd_create": 319,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "pivot_root": 41,
            "socket": 198,
            "ptrace": 117,
            "process_vm_readv": 270,
            "process_vm_writev": 271,
            "mount": 40,
            "umount2": 39,
            "unshare": 97,
            "setns": 268,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "bpf": 280,
            "perf_event_open": 241,
            "userfaultfd": 282,
            "shmget": 194,
            "semget": 190,
            "msgget": 186,
            "memfd_create": 279,
        },
    ),
}
_REFUSED_EVERYWHERE = {"io_uring_setup": 425, "open_tree": 428, "pidfd_getfd": 438}
_X32 = 0x40000000

Step = Callable[[], object]


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
            self.namespaces = _works(lambda: self._try_namespaces(readable, hidden))
        if self.namespaces:
            self._enter_namespaces(readable, hidden)
        else:
            self.work = str(Path(self.folder, "answer"))
            Path(self.folder).chmod(0o711)
            _prctl(_SUBREAPER, 1)
        ways = (_world_readable(path, way_there=not self.namespaces) for path in readable)
        if self.user is not None and not all(ways):
            self.user = None  # the interpreter belongs to root alone, and answers need it
        if self.namespaces or self.user is not None:
            self.besides = (None if self.user is None else 0) if root else 2  # of ours
        elif not root:
            self.besides = _tasks_of(os.geteuid())
        if "landlock" not in self.without:
            self.landlock = _landlock_version()
        if self.landlock:
            above = str(Path(self.work).parent)
            self.ruleset = _ruleset(self.landlock, decided(readable, hidden), above)
        self.seccomp = "seccomp" not in self.without and _works(_filter_system_calls)
        # What is refused to others of the same user: to look into this process.
        _prctl(_DUMPABLE, 0)

    def raise_own(self) -> None:
        """Build what one answer has to itself: process numbers and its folder.

        The next process to be forked is the first of its numbers, and all others end with it.
        """
        owner = self.user if self.user is not None else os.geteuid()
        if self.namespaces:
            size = f"size={FOLDER_BYTES},nr_inodes={FOLDER_FILES},mode=700,uid={owner},gid={owner}"
            _mount("answer", self.work, "tmpfs", _NO_SETUID | _NO_DEVICES | _NO_EXEC, size)
            _unshare(_NEW_PIDS)
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
            _libc("setns", self.home, _NEW_PIDS)
            _libc("umount2", self.work.encode(), _DETACH)
        else:
            _end_children()
            clear(self.work)
        return status

    def enclose(self) -> None:
        """Close the walls behind this process, for good."""
        os.chdir(self.work)
        if self.user is not None:
            _become(self.user)
        _prctl(_NO_NEW_PRIVILEGES, 1)
        _drop_capabilities()
        if self.landlock:
            for path in _OF_PROCESSES:
                _allow(self.ruleset, path, _READ | _LIST)
            _syscall(_RESTRICT, self.ruleset, 0)
            os.close(self.ruleset)
        if self.seccomp:
            _filter_system_calls()

    def words(self) -> tuple[list[str], list[str]]:
        """Which walls hold here and which are missing."""
        walls = {
            NO_NETWORK: self.namespaces or self.seccomp,
            NO_SIGHT: self.namespaces or bool(self.landlock),
            "an empty working folder, the only one to write in": self.namespaces
            or bool(self.landlock),
            f"files in memory ({FOLDER_BYTES >> 20} MiB)": self.namespaces,
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
        user, group = os.geteuid(), os.getegid()
        own = _NEW_MOUNTS | _NEW_NETWORK | _NEW_IPC | _NEW_HOST_NAME | _NEW_PIDS
        _unshare(own if user == 0 else own | _NEW_USER)
        if user != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        number = os.fork()
        if number != 0:
            os.closerange(0, 3)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) & 0xFF)
        _prctl(_END_WITH_PARENT, signal.SIGKILL)
        self.home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        _change_root(self.folder, decided([*readable, *_DEVICES], hidden))
        self.work = "/work/answer"


# --- what may be seen ----------------------------------------------------------------------------

_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
_OF_PROCESSES = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo")  # TensorFlow asks who it is


def course_free_folders() -> tuple[list[str], list[str]]:
    """Folders that Python needs, and those of the course that are hidden even inside of them."""
    library = Path(sys.base_prefix, "lib")
    wanted = [*_SYSTEM, *map(str, (library, *sysconfig.get_paths().values()))]
    wanted += [entry for entry in sys.path if Path(entry).is_dir()]
    own = {"data", "include", "platinclude", "scripts"}
    unwanted = {sysconfig.get_path(name) for name in own} | {sys.prefix, sys.base_prefix}
    package = Path(__file__).resolve().parents[1]
    hidden = []
    for place in (package.parent, *map(Path, sys.path)):
        if (place / package.name).is_dir():
            # Among other packages only the course's own; otherwise the whole project lies there.
            hidden.append(place / package.name if (place / "numpy").is_dir() else place)
    projects = {str(path.resolve()) for path in hidden}
    readable = [
        path
        for path in dict.fromkeys(wanted)
        if path not in unwanted
        and Path(path).exists()
        and str(Path(path).resolve()) not in projects
    ]
    return readable, sorted(projects)


def decided(readable: Iterable[str], hidden: Iterable[str]) -> dict[str, bool]:
    """For each path that matters whether it can be read, the upper before the lower.

    The deepest decides. A path on which its nearest ancestor decides the same is left out;
    symbolic links stand for what they lead to.
    """
    wishes = {os.path.realpath(path): True for path in readable}
    wishes |= {os.path.realpath(path): False for path in hidden}
    kept: dict[str, bool] = {}
    for path in sorted(wishes, key=lambda path: (path.count("/"), path)):
        above = [str(parent) for parent in Path(path).parents if str(parent) in kept]
        if wishes[path] != (bool(above) and kept[above[0]]):
            kept[path] = wishes[path]
    return kept


def _world_readable(path: str, *, way_there: bool) -> bool:
    """Whether any user can read it, and can get there."""
    place = Path(path).resolve()
    needed = {place: 0o5 if place.is_dir() else 0o4}
    if way_there:
        needed |= dict.fromkeys(place.parents, 0o1)
    return all(way.stat().st_mode & rights == rights for way, rights in needed.items())


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
    found = next((user for user in users if _works(lambda: become(user))), None)  # noqa: B023
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


# --- endings -------------------------------------------------------------------------------------


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


def clear(folder: str) -> None:
    """Remove a folder, however deep it is and whatever the rights on what is in it.

    (`shutil.rmtree` recurses, and gives up where a folder was made unreadable.)
    """
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            Path(entry.path).chmod(0o700)
            for inner in os.scandir(entry.path):
                if inner.is_dir(follow_symlinks=False):
                    Path(inner.path).chmod(0o700)
                Path(inner.path).rename(Path(folder, secrets.token_hex(8)))
            Path(entry.path).rmdir()
    Path(folder).rmdir()


# --- namespaces ----------------------------------------------------------------------------------


def _change_root(root: str, paths: dict[str, bool]) -> None:
    """Make ``root`` the top of a read-only file system that holds these paths and ``/work``."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("view", root, "tmpfs", _NO_SETUID, "size=1m,mode=755")
    for path, readable in paths.items():
        inside = root + path
        if not readable:
            _mount("hidden", inside, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=64k,mode=755")
        else:
            Path(inside).parent.mkdir(parents=True, exist_ok=True)
            if Path(path).is_dir():
                Path(inside).mkdir(exist_ok=True)
            else:
                Path(inside).touch()
            _mount(path, inside, None, _BIND | _RECURSIVE)
    for link in (*_SYSTEM, *sys.path, *sysconfig.get_paths().values()):
        target, place = os.path.realpath(link), Path(root + link)
        if target != link and not place.exists() and Path(root + target).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
    Path(root, "work", "answer").mkdir(parents=True)
    Path(root, "proc").mkdir(exist_ok=True)
    with contextlib.suppress(OSError):  # some containers forbid it
        flags = _NO_SETUID | _NO_DEVICES | _NO_EXEC
        _mount("proc", f"{root}/proc", "proc", flags, "hidepid=2,subset=pid")
    attributes = struct.pack("=4Q", _READ_ONLY | _NO_SETUID, 0, 0, 0)
    place_text = ctypes.c_char_p(root.encode())
    _syscall(_MOUNT_SETATTR, -100, place_text, _EVERYTHING_BELOW, attributes, len(attributes))
    os.chdir(root)
    here = ctypes.c_char_p(b".")
    _syscall(_MACHINES[platform.machine()][1]["pivot_root"], here, here)
    _libc("umount2", here, _DETACH)
    os.chdir("/")


def _unshare(flags: int) -> None:
    _libc("unshare", flags)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str = ""
) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _libc("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])


# --- Landlock ------------------------------------------------------------------------------------


def _landlock_version() -> int:
    with contextlib.suppress(OSError):
        return _syscall(_RULESET, None, 0, 1)
    return 0


def _ruleset(version: int, paths: dict[str, bool], work: str) -> int:
    """A set of rules: ``paths`` can be read, ``work`` written, no port used, nobody signalled."""
    newest = min(version, 6)
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(newest, 16)) - 1
    parts = [files, 0b11, 0b11][: 1 + (newest >= 4) + (newest >= 6)]
    attributes = struct.pack(f"={len(parts)}Q", *parts)
    ruleset = _syscall(_RULESET, attributes, len(attributes), 0)

    def allow_around(path: str) -> None:
        """Allow a folder less what is hidden in it: rules can only add, never take away."""
        deeper = [other for other in paths if other.startswith(f"{path}/")]
        if not deeper:
            _allow(ruleset, path, _READ | _LIST)
            return
        _allow(ruleset, path, _LIST)
        for entry in os.scandir(path):
            if paths.get(entry.path, True) and not entry.is_symlink():
                allow_around(entry.path)

    for path, readable in paths.items():
        if readable and Path(path).exists():
            allow_around(path)
    for path in _DEVICES:
        _allow(ruleset, path, _READ | _WRITE)
    _allow(ruleset, work, files & ~(_EXECUTE | _MAKE_CHARACTER | _MAKE_BLOCK | _DEVICE_CONTROL))
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Add a rule; what is not there needs none."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights &= -1 if Path(path).is_dir() else _OF_FILES
            _syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, handle), 0)
        finally:
            os.close(handle)


# --- privileges and system calls -----------------------------------------------------------------


def _drop_capabilities() -> None:
    _libc("capset", struct.pack("=Ii", 0x20080522, 0), bytes(24))


def _filter_system_calls() -> None:
    """Refuse the system calls of the table with EPERM, and those of other machines with death."""
    number, refused = _MACHINES[platform.machine()]
    calls = [*refused.values(), *_REFUSED_EVERYWHERE.values()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    steps = [(load, 0, 0, 4), (equal, 1, 0, number), (give, 0, 0, 0x80000000), (load, 0, 0, 0)]
    tests = [(equal, call) for call in calls]
    if platform.machine() == "x86_64":  # the same calls have other numbers there
        tests.append((at_least, _X32))
    steps += [(kind, len(tests) - place, 0, value) for place, (kind, value) in enumerate(tests)]
    steps += [(give, 0, 0, 0x7FFF0000), (give, 0, 0, 0x00050001)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *s) for s in steps))
    _prctl(_NO_NEW_PRIVILEGES, 1)
    _prctl(_SECCOMP, _FILTER, struct.pack("@HP", len(steps), ctypes.addressof(program)))


# --- system calls --------------------------------------------------------------------------------


def _works(step: Step) -> bool:
    """Whether a step that cannot be undone would succeed: tried in a process of its own."""
    number = os.fork()
    if number == 0:
        with contextlib.suppress(BaseException):
            step()
            os._exit(0)
        os._exit(1)
    return os.waitpid(number, 0)[1] == 0


def _prctl(option: int, *arguments: object) -> None:
    wide = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)]
    _libc("prctl", option, *wide[:4])


def _syscall(number: int, *arguments: object) -> int:
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _libc("syscall", ctypes.c_long(number), *wide)


def _libc(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    result = int(getattr(_library(), name)(*arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
