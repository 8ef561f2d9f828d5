"""The isolation from the inside, and each of its layers left out in turn."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import string
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import course_lib
from course_lib.cli import course
from course_lib.errors import CourseError
from course_lib.grading.gradebook import grade
from course_lib.sandbox import isolation
from course_lib.sandbox import run as sandbox
from course_lib.sandbox.isolation import NO_NETWORK, NO_REACH, NO_SIGHT, clear
from course_lib.sandbox.isolation.view import course_free_folders, decided
from course_lib.sandbox.limits import Limits, for_keras
from course_lib.sandbox.process import ForkServer
from course_lib.sandbox.run import Calls, Program, SandboxError
from tests.grading.conftest import RIGHT, notebook

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="the isolation is Linux's own")
PACKAGE = Path(course_lib.__file__).resolve().parent
ONCE = Calls(((1.0,),), 5.0)

TRIES = f"""
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE = 56 if os.uname().machine == "x86_64" else 220

def read_course(): open({str(PACKAGE / "foundations/losses.py")!r}).read()
def list_course(): os.listdir({str(PACKAGE)!r})
def read_passwords(): open("/etc/passwd").read()
def write_in_temp(): open("/tmp/left-by-an-answer", "w").write("x")
def write_in_packages(): open(os.path.join(os.path.dirname(os.__file__), "x.py"), "w")
def link_out(): open({str(PACKAGE / "foundations/losses.py")!r}); os.link("/etc/passwd", "x")
def run_a_program(): os.posix_spawn("/bin/true", ["true"], {{}})
def run_a_file():
    with open("own", "w") as file: file.write("#!/bin/true")
    os.chmod("own", 0o700)
    os.posix_spawn(os.path.abspath("own"), ["own"], {{}})
def connect(): socket.create_connection(("127.0.0.1", 9), timeout=1)
def datagram(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
def local_socket(): socket.socket(socket.AF_UNIX)
def trace():
    if libc.ptrace(16, ctypes.c_long(PARENT), None, None): raise OSError(ctypes.get_errno())
def signal_parent(): os.kill(PARENT, 0)
def read_parent(): open(f"/proc/{{PARENT}}/environ", "rb").read()
def become_root():
    os.setuid(0)
    open("/etc/shadow")
def unshare():
    if libc.unshare(0x10000000): raise OSError(ctypes.get_errno())
def fork_many():
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)

def lock_a_library():
    import fcntl
    with open(os.__file__) as file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
def lock_its_bytes():
    import fcntl
    with open(os.__file__) as file: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
def watch_a_library():
    if libc.inotify_init1(0) < 0: raise OSError(ctypes.get_errno())

def change_rights(): os.chmod(os.__file__, os.stat(os.__file__).st_mode & 0o7777)
def change_rights_of_an_open_file():
    with open(os.__file__) as file: os.fchmod(file.fileno(), os.stat(os.__file__).st_mode & 0o7777)
def change_owner(): os.chown(os.__file__, -1, os.stat(os.__file__).st_gid)
def change_times():
    found = os.stat(os.__file__)
    os.utime(os.__file__, ns=(found.st_atime_ns, found.st_mtime_ns))
def mark_a_library():
    os.setxattr(os.__file__, "user.left", b"x")
    os.removexattr(os.__file__, "user.left")
def cut_a_file(): os.truncate(os.__file__, os.stat(os.__file__).st_size)
def limit_parent():
    import resource
    resource.prlimit(PARENT, resource.RLIMIT_CORE)
def slow_parent(): os.setpriority(os.PRIO_PROCESS, PARENT, os.getpriority(os.PRIO_PROCESS, PARENT))
def pin_parent(): os.sched_setaffinity(PARENT, os.sched_getaffinity(PARENT))
def leave_a_message():
    flags = os.O_RDWR | os.O_CREAT
    if libc.mq_open(b"/left", flags, 0o666, None) < 0: raise OSError(ctypes.get_errno())

def new_namespace(how):
    number = libc.syscall(*how)
    if number == 0: os._exit(0)
    if number < 0: raise OSError(ctypes.get_errno())
KINDS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
def clone():
    for kind in KINDS:
        try: new_namespace((CLONE, ctypes.c_ulong(kind | 17), 0, 0, 0, 0))
        except OSError: continue
        return
    raise OSError
def clone3():
    for kind in KINDS:
        how = kind.to_bytes(8, "little") + bytes(24) + (17).to_bytes(8, "little") + bytes(48)
        try: new_namespace((435, how, 88))
        except OSError: continue
        return
    raise OSError
def enter():
    for kind in ("user", "mnt", "net", "ipc", "uts", "pid"):
        try: handle = os.open(f"/proc/self/ns/{{kind}}", os.O_RDONLY)
        except OSError: continue
        if not libc.setns(handle, 0): return
    raise OSError
def send_out():
    near = (ctypes.c_int * 2)()
    if libc.socketpair(1, 2, 0, near): raise OSError
    name = bytes([1, 0, 0]) + b"listens PARENT"
    if not libc.connect(near[0], name, len(name)): return
    if libc.sendto(near[0], b"x", 1, 0, name, len(name)) == 1: return
    raise OSError

TRIES = [change_rights, change_rights_of_an_open_file, change_owner, change_times, mark_a_library,
         cut_a_file, limit_parent, slow_parent, pin_parent, leave_a_message, clone, clone3, enter,
         send_out, lock_a_library, lock_its_bytes, watch_a_library, read_course, list_course,
         read_passwords, write_in_temp, write_in_packages, link_out, run_a_program,
         run_a_file, connect, datagram, local_socket, trace,
         signal_parent, read_parent, become_root, unshare, fork_many]

def f(x):
    done = []
    for attempt in TRIES:
        try:
            attempt()
        except OSError:
            continue
        done.append(attempt.__name__)
    return tuple(done)
"""


def value(source: str, without: Sequence[str] = (), **limits: Any) -> Any:
    """What a function `f` of this program returns under the layers that are left."""
    module = "keras" if "import keras" in source else "numpy"
    program = Program("f", (("f", source),), module=module)
    attempt = sandbox.run(program, ONCE, Limits(grace=10.0, **limits), without=without)
    assert attempt.loading is None, attempt.loading
    assert attempt.outcomes[0].state == "returned", attempt.outcomes[0]
    return attempt.outcomes[0].value


def succeed(without: Sequence[str] = ()) -> set[str]:
    """Which tries to get out succeed without some layers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0listens {os.getpid()}")
        done = value(TRIES.replace("PARENT", str(os.getpid())), without)
    assert (
        not Path("/tmp/left-by-an-answer").exists()
        or Path("/tmp/left-by-an-answer").unlink() is None
    )
    return set(done)


def missing(without: Sequence[str] = ()) -> tuple[str, ...]:
    program = Program("f", (("f", "f = len"),))
    return sandbox.run(program, Calls(()), without=without).missing


READ = {"read_course", "list_course", "read_passwords"}
NET = {"connect", "datagram", "send_out"}
CHANGES = {"write_in_temp", "write_in_packages", "link_out", "cut_a_file", "change_rights"}
CHANGES |= {"change_rights_of_an_open_file", "change_owner", "change_times", "mark_a_library"}
REACH = {"trace", "read_parent", "limit_parent", "slow_parent", "pin_parent"}
NEW = {"unshare", "clone", "clone3", "enter"}


@linux
def test_nothing_gets_out() -> None:
    absent = missing()
    if NO_SIGHT in absent or NO_NETWORK in absent or NO_REACH in absent:
        pytest.skip(f"this machine lacks {', '.join(absent)}")
    assert succeed() == set()


@linux
@pytest.mark.parametrize("layer", isolation.LAYERS)
def test_without_one_layer_the_others_hold(layer: str) -> None:
    """Every limit that is said to hold does, whichever layer this machine lacks."""
    absent = missing([layer])
    got_out = succeed([layer])
    if NO_SIGHT not in absent:
        assert not got_out & READ
    if "an empty working folder, the only one to write in" not in absent:
        assert not got_out & CHANGES
    if "refused system calls" not in absent:
        assert not got_out & NEW
    if not {"refused system calls", "no other programs"} <= {*absent}:
        assert "leave_a_message" not in got_out
    if NO_NETWORK not in absent:
        assert not got_out & NET
    if NO_REACH not in absent:
        assert not got_out & REACH
    if "no other programs" not in absent:
        assert not got_out & {"run_a_program", "run_a_file"}
    assert "become_root" not in got_out
    if f"processes ({Limits().processes})" not in absent:
        assert "fork_many" not in got_out


@linux
def test_without_any_layer_it_still_works_and_says_so() -> None:
    absent = missing(isolation.LAYERS)
    assert {NO_NETWORK, NO_SIGHT, NO_REACH} <= set(absent)
    reads = f"def f(x): return len(open({str(PACKAGE / '__init__.py')!r}).read())"
    assert (
        value(reads, isolation.LAYERS) > 0
    )  # without isolation there are none: no other try is made


@linux
def test_answers_see_what_they_need() -> None:
    source = """
    import json, datetime, os, tempfile, sqlite3
    import scipy.linalg, sklearn.metrics
    import numpy as np
    def f(x):
        with tempfile.NamedTemporaryFile() as file: np.save(file, x)
        folder = os.getcwd()
        assert os.environ["HOME"] == os.environ["TMPDIR"] == folder
        assert os.urandom(3) and datetime.datetime.now()
        open("/dev/null", "w").write("x")
        return float(sklearn.metrics.accuracy_score([1], [1]) + scipy.linalg.norm([x]))
    """
    assert value(textwrap.dedent(source)) == 2.0
    assert value(textwrap.dedent(source), ["namespaces"]) == 2.0


@linux
@pytest.mark.parametrize("without", [(), ("namespaces",)])
def test_a_model_can_be_saved_and_loaded(without: tuple[str, ...]) -> None:
    source = """
    import keras, numpy as np, os, tempfile
    def f(x):
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
        model.save("model.keras")
        found = keras.models.load_model("model.keras")(np.ones((1, 3)))
        assert tempfile.gettempdir() == os.getcwd()
        return bool(np.all(found == model(np.ones((1, 3)))))
    """
    limits = for_keras(Limits(grace=30.0))
    program = Program("f", (("f", textwrap.dedent(source)),), module="keras")
    attempt = sandbox.run(program, Calls(((1.0,),), 60.0), limits, without=without)
    assert [outcome.value for outcome in attempt.outcomes] == [True], attempt


@linux
@pytest.mark.parametrize("without", [(), ("namespaces",)])
def test_nothing_passes_from_one_answer_to_the_next(without: tuple[str, ...]) -> None:
    leaves = """
    import os, numpy, time
    numpy.left = True
    open("left", "w").write("x")
    os.makedirs("a/b/c")
    os.chmod("a/b", 0)
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
    def f(x): return x
    """
    looks = """
    import os, numpy
    def f(x): return hasattr(numpy, "left"), tuple(os.listdir("."))
    """
    programs = [Program("f", (("f", textwrap.dedent(text)),)) for text in (leaves, looks)]
    for program in programs:
        attempt = sandbox.run(program, ONCE, without=without)
    assert attempt.outcomes[0].value == (False, ())


def kill_server() -> None:
    one = psutil.Process(sandbox._servers["numpy", ()]._popen.pid)
    below = one.children(recursive=True)
    one.kill()
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):  # the first has taken them along
            process.kill()
    assert all_end(below, 5)


def all_end(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether they end in time; when those whose parent is gone are buried is up to the system."""
    over = time.monotonic() + seconds
    while not (done := all(map(has_ended, processes))) and time.monotonic() < over:
        time.sleep(0.01)
    return done


def has_ended(one: psutil.Process) -> bool:
    try:
        return not one.is_running() or one.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop(one: psutil.Process) -> None:
    """With all that it has started: what forks may be a child of what was started here."""
    for process in (one, *one.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
            while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
                time.sleep(0.001)


@linux
def test_a_server_that_was_killed_is_replaced() -> None:
    for _ in range(3):
        assert value("def f(x): return x") == 1.0
        kill_server()
    assert value("def f(x): return x") == 1.0


@linux
def test_a_server_that_dies_when_it_is_asked_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It still takes the request, and is gone before the program is begun."""
    value("def f(x): return x")
    fork = ForkServer.fork

    def fork_and_die(server: ForkServer, word: str) -> tuple[socket.socket, socket.socket]:
        stop(psutil.Process(server._popen.pid))
        sockets = fork(server, word)
        server._popen.kill()
        server._popen.wait()
        monkeypatch.setattr(ForkServer, "fork", fork)
        return sockets

    monkeypatch.setattr(ForkServer, "fork", fork_and_die)
    assert value("def f(x): return x") == 1.0


@linux
@pytest.mark.parametrize("where", ["def f(x): time.sleep(30)", "time.sleep(30)"])
def test_a_server_killed_under_an_answer_is_our_failure(where: str) -> None:
    value("def f(x): return x")
    threading.Timer(0.3, kill_server).start()
    with pytest.raises(SandboxError, match="grade this submission again"):
        value(f"import time\n{where}")


@linux
def test_a_wall_that_could_be_had_before_is_not_done_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = ("namespaces",)
    monkeypatch.setitem(sandbox._layers, without, frozenset())
    with pytest.raises(SandboxError, match=r"it lacks .*files in memory"):
        value("def f(x): return x", without)


@linux
def test_when_the_grader_is_killed_everything_ends() -> None:
    script = """
    from tests.sandbox.test_isolation import value
    source = "import os, time\\nif os.fork() == 0: time.sleep(60)\\ndef f(x): time.sleep(60)"
    print("begun", flush=True)
    value(source)
    """
    root = PACKAGE.parent
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=root, stdout=subprocess.PIPE
    ) as grader:
        assert grader.stdout is not None
        grader.stdout.readline()
        own = psutil.Process(grader.pid)
        while len(started := own.children(recursive=True)) < 5:
            assert grader.poll() is None
        grader.send_signal(signal.SIGKILL)
        grader.wait()
    assert all_end(started, 20)


def test_elsewhere_answers_run_without_forking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CAN_FORK", False)
    assert value("def f(x): return x + 1") == 2.0
    absent = sandbox.describe()[1]
    assert {NO_NETWORK, NO_SIGHT, NO_REACH} <= set(absent)
    with pytest.raises(CourseError, match="--unsafe if you trust"):
        sandbox.require_isolation(absent)
    sandbox.require_isolation(set(absent) - {NO_SIGHT})


def test_without_walls_a_class_is_refused_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place, out = tmp_path / "class", tmp_path / "out"
    place.mkdir()
    (place / "anna.ipynb").write_bytes(notebook(RIGHT["mse"]))
    monkeypatch.setattr(sandbox, "CAN_FORK", False)
    with pytest.raises(CourseError, match="--unsafe if you trust"):
        grade([place], out)
    assert not out.exists()
    said: list[str] = []
    assert grade([place], out, unsafe=True, warn=said.append).graded == 1
    assert said == []


def test_one_file_is_graded_without_walls_and_a_person_is_told_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "anna.ipynb"
    file.write_bytes(notebook(RIGHT["mse"]))
    said: list[str] = []
    if NO_SIGHT not in sandbox.describe()[1]:
        assert grade([file], tmp_path / "isolated", warn=said.append).graded == 1
        assert said == []
    monkeypatch.setattr(sandbox, "CAN_FORK", False)

    def told_first(*_: object) -> None:
        assert said

    with_warning = grade([file], tmp_path / "own", warn=said.append, progress=told_first)
    assert with_warning.graded == 1
    course.main(["grade", str(file), "--out", str(tmp_path / "cli")], standalone_mode=False)
    said += capsys.readouterr().err.splitlines()
    assert [sentence.partition("anna.ipynb")[0] for sentence in said] == [
        f"Nothing here keeps the code in “{tmp_path}/"
    ] * 2
    assert said[0].endswith("your own; grade another person's on Linux.")


@linux
def test_a_module_that_cannot_be_imported_is_our_failure() -> None:
    server = ForkServer("no_such_module")
    with pytest.raises(OSError, match="No module named 'no_such_module'"):
        server.wait(60)
    server.end()
    program = Program("f", (("f", "f = len"),), module="nothing")
    with pytest.raises(SandboxError, match="No module named 'nothing'"):
        sandbox.run(program, ONCE)


LAYER = """
import keras
import numpy as np
def f(x):
    layer = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    return np.asarray(layer(np.full((1, 3), x, "float32")))
"""
LINE = """
import matplotlib.pyplot as plt
def f(x):
    [line] = plt.plot([x, 3 * x])
    return line.get_ydata()
"""


@linux
@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [("keras", LAYER, [[3.0, 3.0]]), ("matplotlib.pyplot", LINE, [1.0, 3.0])],
)
def test_what_takes_long_is_imported_once_for_many_answers(
    module: str, source: str, expected: list[object]
) -> None:
    if module == "keras":
        pytest.importorskip("tensorflow")
    servers = []
    for _ in range(2):
        program = Program("f", (("f", source),), module=module)
        [outcome] = sandbox.run(program, ONCE).outcomes
        assert outcome.value.tolist() == expected
        servers.append(sandbox._servers[module, ()])
    assert servers[0] is servers[1]


# --- the parts -----------------------------------------------------------------------------------


def test_the_deepest_decides(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for place in ("lib/course/venv/lib", "other"):
        (root / place).mkdir(parents=True)
    (root / "link").symlink_to(root / "other")
    readable = [f"{root}/lib", f"{root}/lib/course/venv", f"{root}/lib/course/venv/lib"]
    chosen = decided([*readable, f"{root}/link"], [f"{root}/lib/course", f"{root}/other/none"])
    assert list(chosen.items()) == [
        (f"{root}/lib", True),
        (f"{root}/other", True),
        (f"{root}/lib/course", False),
        (f"{root}/other/none", False),
        (f"{root}/lib/course/venv", True),
    ]


def test_the_course_is_hidden_wherever_it_lies() -> None:
    readable, hidden = course_free_folders()
    assert any(PACKAGE.is_relative_to(place) for place in hidden)
    for place in (PACKAGE / "foundations", PACKAGE.parent / "solutions"):
        verdicts = decided(readable, hidden)
        above = [path for path in verdicts if place.is_relative_to(path)]
        assert not above or not verdicts[above[-1]]


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_any_folder_can_be_cleared(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    top = tmp_path / "top"
    place = top
    for _ in range(60):
        place.mkdir()
        (place / "link").symlink_to(outside)
        (place / "file").touch(mode=0o000)
        os.mkfifo(place / "pipe")
        place = place / random.choice(string.ascii_letters * 2)
    deep = os.open(place.parent, os.O_RDONLY)
    for _ in range(2000):  # deeper than a path may be long
        os.mkdir("d", dir_fd=deep)
        below = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    (top / "locked" / "in").mkdir(parents=True)
    (top / "locked").chmod(0)
    clear(str(top))
    assert not top.exists()
    assert (outside / "file").exists()
