"""The learner's process: what it may do, what it is given, and what becomes of liars."""

from __future__ import annotations

import ast
import os
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from course_lib.exercises import Case, Exercise, catalogue
from course_lib.exercises.judge import diagnose
from course_lib.grading.marking import _problem
from course_lib.grading.references import source_of
from course_lib.sandbox import calling, limits, wire, worker
from course_lib.sandbox import run as sandbox
from course_lib.sandbox.limits import Limits
from course_lib.sandbox.process import Countdown, StoppedError
from course_lib.sandbox.run import Attempt, Calls, Program, SandboxError, describe

pytestmark = pytest.mark.slow

QUICK = Limits(grace=0.0, load=2.0, patience=1.5, submission=20.0)
FAKE_START = """
import os, sys
sys.path.insert(0, {folder!r})
from sandbox import wire
frames = wire.Frames(trusted=True)
def receive():
    while (message := frames.next()) is None:
        frames.feed(os.read(0, 65536) or sys.exit())
    return message
def send(**message):
    os.write(1, wire.encode(message))
receive()
send(kind="ready", holds=(), missing=())
send(kind="loaded", state="returned", instead="")
calls = receive()["calls"]
"""


def exercise(seconds: float = 1.0) -> Exercise:
    return Exercise(
        name="f",
        lesson="01_losses",
        points=1,
        reference=lambda x: x + 1,
        cases=lambda rng: [Case((rng.normal(size=3),)), Case((rng.normal(size=(2, 2)),))],
        misconceptions=(),
        think="",
        section="",
        seconds=seconds,
    )


def run(source: str, allowed: Limits = QUICK, seconds: float = 1.0, **options: Any) -> Attempt:
    program = Program("f", (("f", textwrap.dedent(source)),))
    arguments = tuple(case.arguments for case in exercise().draw_cases(0))
    return sandbox.run(program, Calls(arguments, seconds), allowed, **options)


def said(attempt: Attempt) -> tuple[str, str]:
    problem = _problem(exercise(), attempt, QUICK)
    if problem is not None:
        return problem
    verdict = diagnose(exercise(), exercise().draw_cases(0), attempt.outcomes)
    return verdict.status, verdict.message


@pytest.mark.parametrize("module", [calling, limits, wire, worker])
def test_the_worker_stands_alone(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    modules = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 0
    }
    assert all(node.level < 2 for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    assert modules <= {*sys.stdlib_module_names, "numpy"}


def test_values_cross_and_prints_do_not() -> None:
    attempt = run(
        """
        import sys, os
        def f(x):
            print("noise" * 1000)
            os.write(1, b"more"); os.write(2, b"noise"); sys.stderr.write("noise")
            assert sys.stdin.read() == ""
            return x + 1
        """
    )
    assert said(attempt) == ("correct", "Correct.")


@pytest.mark.skipif(sys.platform != "linux", reason="others have two pipes")
def test_nothing_of_this_process_reaches_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    handle = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(handle, True)
    attempt = run(
        """
        import os, sys
        def f(x):
            def is_open(number):
                try: os.fstat(number)
                except OSError: return False
                return True
            report = [os.environ.get("SECRET"), os.listdir("."), sum(map(is_open, range(5000)))]
            report.append([p for p in sys.path if os.path.isdir(os.path.join(p, "course_lib"))])
            report.append("course_lib" in " ".join(sys.modules))
            return report
        """
    )
    os.close(handle)
    secret, files, handles, paths, known = attempt.outcomes[0].value
    assert secret is None
    assert files == []
    assert handles == 3 + 1  # silent 0, 1, 2, and the socket
    assert paths == []
    assert known is False


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        (
            "def f(x):\n    a = [1]\n    return a[4]",
            "error",
            "IndexError: list index out of range in line 3: `return a[4]` (",
        ),
        (
            "def g(x):\n    # why\n    return x.no\ndef f(x): return g(x)",
            "error",
            "AttributeError: 'numpy.ndarray' object has no attribute 'no' in line 3 of `f`: `",
        ),
        ("def f(x): raise NotImplementedError", "not attempted", "Put your own lines"),
        ("def f(x): raise SystemExit(3)", "error", "SystemExit: 3"),
        ("def f(x): raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
        ("def f(): return 1", "error", "could not be called as"),
        ("def f(x): x += 1; return x", "wrong", "changes its argument `x` in place"),
        ("def f(x): return {}", "wrong", "got a value of type dict"),
        ("async def f(x): return x", "wrong", "got a value of type coroutine"),
        ("def f(x): return [0.0] * 10**6", "wrong", "of type list that is too large to be graded"),
        ("def f(x): return 'a' * 10**7", "wrong", "of type str that is too large to be graded"),
        ("def f(x): return bytearray(10**10)", "error", "MemoryError"),
        ("f = 3", "error", "`f` is not a function but a value of type int."),
        (
            "f = nothing",
            "error",
            "raised NameError: name 'nothing' is not defined in line 1: `f = nothing`.",
        ),
        ("def f(x): return (", "error", "SyntaxError"),
        ("import course_lib", "error", "ImportError: answers may not use the course's own"),
        (
            "def f(x):\n    from course_lib.foundations.losses import mse",
            "error",
            "ImportError: answers may not use the course's own functions in line 2",
        ),
        (
            "class E(Exception):\n    def __str__(self): raise ValueError\ndef f(x): raise E",
            "error",
            "raised E",
        ),
        (
            "class A:\n    __array__ = __float__ = __eq__ = lambda *a: True\ndef f(x): return A()",
            "wrong",
            "got a value of type A",
        ),
        ("def f(x): raise ValueError('a\\nb\\x1b[31m' + '\\ud800' * 500)", "error", "a b�[31m?"),
    ],
)
def test_findings(source: str, status: str, says: str) -> None:
    found = said(run(source))
    assert found[0] == status
    assert says in found[1]
    assert "\n" not in found[1]


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        ("def f(x):\n    while True: pass", "timeout", "had not returned after"),
        (
            "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
            "    except (OSError, ValueError): pass\ndef f(x):\n    while True: pass",
            "timeout",
            "had not returned after",
        ),
        ("import time\ntime.sleep(100)\ndef f(x): return x", "timeout", "not finished after 2 s"),
        ("import os\ndef f(x): os._exit(0)", "error", "it ended by itself (status 0)"),
        ("import os\nos._exit(7)\ndef f(x): return x", "error", "it ended by itself (status 7)"),
        (
            "import ctypes\ndef f(x): ctypes.string_at(0)",
            "error",
            "it crashed (SIGSEGV)",
        ),
        ("import os\ndef f(x): os.abort()", "error", "it crashed (SIG"),
        ("import os\ndef f(x):\n    os.closerange(0, 50)\n    return x", "error", "ended on"),
        (
            "import os\ndef f(x):\n    for n in range(3, 9):\n        try: os.write(n, b'x' * 99)"
            "\n        except OSError: pass\n    return x + 1",
            "error",
            "it broke the rules of grading",
        ),
    ],
)
def test_a_lost_process_costs_its_answer_only(source: str, status: str, says: str) -> None:
    found = said(run(source, seconds=0.5))
    assert found[0] == status
    assert says in found[1]
    assert said(run("def f(x): return x + 1"))[0] == "correct"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a group of processes is ended")
def test_what_the_answer_has_started_ends_with_it() -> None:
    def descendants() -> set[int]:
        return {child.pid for child in psutil.Process().children(recursive=True)}

    describe()
    before = descendants()
    source = """
    import os, time
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            if os.fork() > 0: os._exit(0)
            time.sleep(60)
    def f(x): return x + 1
    """
    assert said(run(source))[0] == "correct"
    deadline = time.monotonic() + 20
    while descendants() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants() - before == set()


def test_time_is_the_processors_and_a_sleeper_is_ended_by_the_clock_on_the_wall() -> None:
    slow = (
        "import time\nNAPS = [0, 0, 1.2]\ndef f(x):\n    time.sleep(NAPS.pop())\n    return x + 1"
    )
    assert said(run(slow, replace(QUICK, patience=30.0), seconds=0.5))[0] == "correct"
    attempt = run("import time\ndef f(x): time.sleep(60)", seconds=0.5)
    assert attempt.outcomes[-1].state == "timeout"
    assert attempt.doubtful
    busy = run("def f(x):\n    while True: pass", replace(QUICK, patience=60.0), seconds=0.5)
    assert busy.outcomes[-1].state == "timeout"
    assert not busy.doubtful


def test_the_time_of_a_submission_is_limited() -> None:
    clock = Countdown(0.6)
    first = run("import time\ndef f(x): time.sleep(60)", seconds=9, clock=clock)
    second = run("def f(x): return x + 1", clock=clock)
    for attempt in (first, second):
        status, message = said(attempt)
        assert status == "timeout"
        assert "that one submission may take were used up" in message


def test_provided_functions_run_in_modules_of_their_own() -> None:
    double = (("double", "WEIGHT = 2\ndef double(x): return WEIGHT * x"),)
    source = "WEIGHT = 0\ndef f(x): return double(x) - x + 1"
    program = Program("f", (("f", source),), (("double", double),))
    arguments = tuple(case.arguments for case in exercise().draw_cases(0))
    assert said(sandbox.run(program, Calls(arguments)))[0] == "correct"


# --- a process that does not keep to the protocol ---------------------------------------------


RETURNED = "send(kind='value', call=0, state='returned'"


@pytest.mark.parametrize(
    ("behavior", "says"),
    [
        ("os.write(1, b'hello' * 100)", "not a frame"),
        ("while True: os.write(1, b'crs1' + bytes(9))", "broke the rules"),
        ("while True: os.write(1, os.urandom(65536))", "not a frame"),
        ("os.write(1, wire._PREFIX.pack(b'crs1', 2**31, 0))", "more than it may hold"),
        ("os.write(1, wire._PREFIX.pack(b'crs1', 9, 2**60))", "more than it may hold"),
        ("send(kind='value', call=1, state='returned', value=1, arguments=())", "no question"),
        ("send(kind='loaded', state='returned', instead='')", "a reply to no question"),
        ("send(kind=['value'], call=0)", "a reply to no question"),
        ("send(kind='value', call=0)", "without its parts"),
        ("send(kind='value', call=0, state='returned', value=1)", "without its parts"),
        ("send(kind='value', call=0, state='returned', value=1, arguments=3)", "its parts"),
        (f"{RETURNED}, value=1, arguments=(1, 2), printed='')", "other arguments"),
        (f"{RETURNED}, value=1, arguments=(1,), printed=7)", "without its parts"),
        ("send(kind='value', call=0, state='raised', error=3, line='')", "without its parts"),
        ("os.write(1, b'crs1')", "ended by itself"),
    ],
)
def test_a_process_that_lies_is_found_out(tmp_path: Path, behavior: str, says: str) -> None:
    script = tmp_path / "fake.py"
    start = FAKE_START.format(folder=str(Path(worker.__file__).parents[1]))
    script.write_text(f"{start}\n{behavior}\n", encoding="utf-8")
    found = said(run("def f(x): return x", command=[sys.executable, str(script)]))
    assert found[0] == "error"
    assert says in found[1]


def test_a_silent_process_times_out_and_stopping_does_not_wait(tmp_path: Path) -> None:
    script = tmp_path / "fake.py"
    start = FAKE_START.format(folder=str(Path(worker.__file__).parents[1]))
    script.write_text(f"{start}\nreceive()\n", encoding="utf-8")
    command = [sys.executable, str(script)]
    assert said(run("def f(x): return x", seconds=0.2, command=command))[0] == "timeout"
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(StoppedError):
        run("def f(x): return x", seconds=60, stop=stop, command=command)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([sys.executable, "-c", "import no_such_module"], "No module named 'no_such_module'"),
        (["/no/such/python"], "No such file"),
        ([sys.executable, "-c", "print('hello')"], "hello|not a frame|ended by itself|killed"),
    ],
)
def test_a_process_that_does_not_start_is_our_failure(command: list[str], says: str) -> None:
    with pytest.raises(SandboxError, match="does not start on this machine") as failure:
        run("def f(x): return x", command=command)
    assert "\n" not in str(failure.value)
    assert any(word in str(failure.value) for word in says.split("|"))


# --- limits ------------------------------------------------------------------------------------


def test_limits_that_hold_are_described() -> None:
    holds, missing = describe()
    assert not set(holds) & set(missing)
    if sys.platform == "linux":
        assert "memory (2048 MiB)" in holds


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack some of the limits")
def test_limits_hold_in_the_process() -> None:
    source = """
    import resource
    def f(x):
        names = ("AS", "FSIZE", "NOFILE", "CORE")
        return [list(resource.getrlimit(getattr(resource, "RLIMIT_" + n))) for n in names]
    """
    got = run(source).outcomes[0].value
    assert got == [[2 << 30] * 2, [16 << 20] * 2, [64] * 2, [0] * 2]


def test_a_disk_bomb_is_stopped_and_cleared_away() -> None:
    source = """
    def f(x):
        with open("bomb", "wb") as file:
            for _ in range(100): file.write(bytes(1 << 20))
    """
    assert "OSError" in said(run(source))[1]


def test_folders_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("open('a', 'w').write('x')\ndef f(x): return x + 1")
    assert list(tmp_path.iterdir()) == []


# --- right answers are right --------------------------------------------------------------------


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_reference_is_right_by_its_code_alone(name: str) -> None:
    known = catalogue()[name]
    source = source_of(known)
    assert source is not None
    later = list(catalogue())[list(catalogue()).index(name) + 1 :]
    assert not {title for title, _ in source} & set(later)  # it gives nothing away
    cases = known.draw_cases(3)
    calls = Calls(tuple(case.arguments for case in cases), known.seconds)
    attempt = sandbox.run(Program(name, source), calls)
    assert attempt.loading is None
    assert diagnose(known, cases, attempt.outcomes).status == "correct"
