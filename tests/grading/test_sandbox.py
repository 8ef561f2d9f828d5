"""The learner's process: what it may do, what it is given, and what becomes of liars."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from course_lib.exercises import Case, Exercise, catalogue
from course_lib.exercises.judge import diagnose
from course_lib.grading import servers, worker
from course_lib.grading.sandbox import (
    Attempt,
    Limits,
    Sandbox,
    StoppedError,
    WorkerError,
    describe,
)
from course_lib.grading.servers import Folder
from course_lib.grading.slicing import Program, Slices, Statement, statements

pytestmark = pytest.mark.slow

QUICK = Limits(grace=0.0, load=2.0, submission=20.0)
FAKE_START = """
import os, sys
sys.path.insert(0, {folder!r})
import worker
frames = worker.Frames(trusted=True)
def receive():
    while (message := frames.next()) is None:
        frames.feed(os.read(0, 65536) or sys.exit())
    return message
def send(**message):
    os.write(1, worker.encode(message))
first = receive()
send(kind="ready", id=first["id"], holds=(), missing=())
first = receive()
send(kind="loaded", id=first["id"], instead="")
request = receive()
cases = receive()["cases"]
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


def run(
    source: str,
    *,
    given: dict[str, Callable[..., Any]] | None = None,
    allowed: tuple[str, ...] = (),
    sandbox: Sandbox | None = None,
    seconds: float = 1.0,
    alone: bool = False,
) -> Attempt:
    program = Program("f", (("f", textwrap.dedent(source)),), given=allowed)
    cases = exercise().draw_cases(0)
    if sandbox is not None:
        return sandbox.run(program, exercise(seconds), cases, given or {}, alone=alone)
    with Sandbox(QUICK) as fresh:
        return fresh.run(program, exercise(seconds), cases, given or {})


def said(attempt: Attempt) -> tuple[str, str]:
    if attempt.problem is not None:
        return attempt.problem
    verdict = diagnose(exercise(), exercise().draw_cases(0), attempt.outcomes)
    return verdict.status, verdict.message


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(Limits(grace=0.0, load=5.0, submission=120.0)) as sandbox:
        yield sandbox


def test_the_worker_stands_alone() -> None:
    tree = ast.parse(Path(worker.__file__).read_text(encoding="utf-8"))
    modules = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        (node.module or ".").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
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
def test_nothing_of_this_process_reaches_the_learner(
    shared: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        """,
        sandbox=shared,
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
def test_findings(shared: Sandbox, source: str, status: str, says: str) -> None:
    found = said(run(source, sandbox=shared))
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
    with Sandbox(QUICK) as sandbox:
        found = said(run(source, sandbox=sandbox, seconds=0.5))
        assert found[0] == status
        assert says in found[1]
        assert said(run("def f(x): return x + 1", sandbox=sandbox))[0] == "correct"


def test_what_an_answer_leaves_behind_does_not_harm_the_next() -> None:
    with Sandbox(QUICK) as sandbox:
        leaves = """
        import os, threading, time
        calls = []
        def later():
            while len(calls) < CASES: time.sleep(0.01)
            time.sleep(1)
            os._exit(0)
        threading.Thread(target=later).start()
        def f(x):
            calls.append(x)
            return x + 1
        """.replace("CASES", str(len(exercise().draw_cases(0))))
        assert said(run(leaves, sandbox=sandbox))[0] == "correct"
        while sandbox._process is not None and sandbox._process.is_fresh():
            threading.Event().wait(0.05)
        assert said(run("def f(x): return x + 1", sandbox=sandbox))[0] == "correct"


def test_what_the_answer_has_started_ends_with_it() -> None:
    def descendants() -> set[int]:
        return {child.pid for child in psutil.Process().children(recursive=True)}

    with Sandbox(QUICK) as sandbox:
        sandbox.start()
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
        assert said(run(source, sandbox=sandbox))[0] == "correct"
        assert len(descendants() - before) >= 3
        assert said(run("def f(x): return x + 1", sandbox=sandbox, alone=True))[0] == "correct"
        assert len(descendants() - before) <= 1


def test_the_time_of_a_submission_is_limited() -> None:
    with Sandbox(Limits(grace=0.0, submission=0.6)) as sandbox:
        first = run("def f(x):\n    while True: pass", sandbox=sandbox, seconds=9)
        second = run("def f(x): return x + 1", sandbox=sandbox)
    for attempt in (first, second):
        assert attempt.problem is not None
        assert attempt.problem[0] == "timeout"
        assert "0.6 s that one submission may take were used up" in attempt.problem[1]


# --- functions that are given ------------------------------------------------------------------


def double(x: Any, times: int = 1) -> Any:
    if times < 0:
        raise ValueError("times must not be negative")
    return x * 2**times


@pytest.mark.parametrize(
    ("source", "allowed", "status", "says"),
    [
        ("def f(x): return double(x) - x + 1", ("double",), "correct", ""),
        ("def f(x): return double(x, times=0) + 1", ("double",), "correct", ""),
        ("TABLE = double(1)\ndef f(x): return x + TABLE - 1", ("double",), "correct", ""),
        ("def f(x): return double(x)", (), "error", "NameError: name 'double' is not defined"),
        ("def f(x): return double(x, -1)", ("double",), "error", "ValueError: times must not be"),
        ("def f(x): return double()", ("double",), "error", "TypeError: "),
        ("def f(x): return double(x, time=1)", ("double",), "error", "TypeError: "),
        ("def f(x): return double(10**9)", ("double",), "error", "arguments too large"),
        ("def f(x): return double([x] * 10**5)", ("double",), "error", "too many parts"),
        (
            "def f(x):\n    for _ in range(2000): double(1)",
            ("double",),
            "error",
            "RuntimeError: too many calls of the course's own function",
        ),
    ],
)
def test_given_functions(
    shared: Sandbox, source: str, allowed: tuple[str, ...], status: str, says: str
) -> None:
    given = {"double": double, "secret": lambda x: x}
    found = said(run(source, given=given, allowed=allowed, sandbox=shared, seconds=5))
    assert found[0] == status
    assert says in found[1]


def test_a_name_that_was_not_given_is_refused(shared: Sandbox) -> None:
    source = """
    import sys
    def f(x):
        own = [c.cell_contents for c in double.__closure__]
        me = next(c for c in own if hasattr(c, "_given"))
        return me._given("secret")(x)
    """
    found = said(run(source, given={"double": double}, allowed=("double",), sandbox=shared))
    assert "NameError: name 'secret' is not given here" in found[1]


# --- a process that does not keep to the protocol ---------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("os.write(1, b'hello' * 100)", "not a frame"),
        ("while True: os.write(1, b'crs1' + bytes(9))", "broke the rules"),
        ("while True: os.write(1, os.urandom(65536))", "not a frame"),
        ("os.write(1, worker._PREFIX.pack(b'crs1', 2**31, 0))", "more than it may hold"),
        ("os.write(1, worker._PREFIX.pack(b'crs1', 9, 2**60))", "more than it may hold"),
        ("send(kind='value', id='0', value=1, arguments=())", "a reply to no question"),
        ("send(kind='value', id=first['id'], value=1, arguments=())", "a reply to no question"),
        ("send(kind='loaded', id=request['id'] + '/0', instead='')", "a reply to another question"),
        ("send(kind='verdict', id=request['id'] + '/0')", "a reply to no question"),
        ("send(kind=['value'], id=request['id'] + '/0')", "a reply to no question"),
        ("send(kind='value', id=request['id'] + '/0', value=1)", "without its parts"),
        ("send(kind='value', id=request['id'] + '/0', value=1, arguments=3)", "without its parts"),
        (
            "send(kind='value', id=request['id'] + '/0', value=1, arguments=(1, 2))",
            "other arguments",
        ),
        ("send(kind='raised', id=request['id'] + '/0', error=3, line='')", "without its parts"),
        (
            "send(kind='value', id=request['id'] + '/1', value=1, arguments=())",
            "a reply to no question",
        ),
        ("os.write(1, b'crs1')", "ended by itself"),
    ],
)
def test_a_process_that_lies_is_found_out(tmp_path: Path, behaviour: str, says: str) -> None:
    script = tmp_path / "fake.py"
    start = FAKE_START.format(folder=str(Path(worker.__file__).parent))
    script.write_text(f"{start}\n{behaviour}\n", encoding="utf-8")
    with Sandbox(QUICK, command=[sys.executable, str(script)]) as sandbox:
        found = said(run("def f(x): return x", sandbox=sandbox))
    assert found[0] == "error"
    assert says in found[1]


def test_a_reply_too_many_costs_the_answer(tmp_path: Path) -> None:
    script = tmp_path / "fake.py"
    start = FAKE_START.format(folder=str(Path(worker.__file__).parent))
    reply = """
for number, arguments in enumerate(cases):
    answer = dict(kind="value", value=arguments[0] + 1, arguments=arguments)
    data = worker.encode({**answer, "id": f"{request['id']}/{number}"})
    os.write(1, data * (1 + number))
receive()
"""
    script.write_text(start + reply, encoding="utf-8")
    with Sandbox(QUICK, command=[sys.executable, str(script)]) as sandbox:
        status, message = said(run("def f(x): return x", sandbox=sandbox))
    assert status == "error"
    assert "a reply to no question" in message


def test_a_silent_process_times_out_and_stopping_does_not_wait(tmp_path: Path) -> None:
    script = tmp_path / "fake.py"
    start = FAKE_START.format(folder=str(Path(worker.__file__).parent))
    script.write_text(f"{start}\nreceive()\n", encoding="utf-8")
    command = [sys.executable, str(script)]
    with Sandbox(QUICK, command=command) as sandbox:
        assert said(run("def f(x): return x", sandbox=sandbox, seconds=0.2))[0] == "timeout"
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with Sandbox(Limits(), stop, command) as sandbox, pytest.raises(StoppedError):
        run("def f(x): return x", sandbox=sandbox, seconds=60)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([sys.executable, "-c", "import no_such_module"], "No module named 'no_such_module'"),
        (["/no/such/python"], "No such file"),
        ([sys.executable, "-c", "print('hello')"], "not a frame|bytes|protocol"),
    ],
)
def test_a_process_that_does_not_start_is_our_failure(command: list[str], says: str) -> None:
    with (
        Sandbox(QUICK, command=command) as sandbox,
        pytest.raises(WorkerError, match="does not start on this machine") as failure,
    ):
        sandbox.start()
    assert "\n" not in str(failure.value)
    assert any(word in str(failure.value) for word in says.split("|"))


# --- limits ------------------------------------------------------------------------------------


def test_limits_that_hold_are_described() -> None:
    holds, missing = describe()
    assert not set(holds) & set(missing)
    if sys.platform == "linux":
        assert "memory (2048 MiB)" in holds


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack some of the limits")
def test_limits_hold_in_the_process(shared: Sandbox) -> None:
    source = """
    import resource
    def f(x):
        names = ("AS", "FSIZE", "NOFILE", "CORE")
        return [list(resource.getrlimit(getattr(resource, "RLIMIT_" + n))) for n in names]
    """
    got = run(source, sandbox=shared).outcomes[0].value
    assert got == [[2 << 30] * 2, [16 << 20] * 2, [64] * 2, [0] * 2]


def test_a_disk_bomb_is_stopped_and_cleared_away(shared: Sandbox) -> None:
    source = """
    def f(x):
        with open("bomb", "wb") as file:
            for _ in range(100): file.write(bytes(1 << 20))
    """
    assert "OSError" in said(run(source, sandbox=shared))[1]


def test_folders_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("open('a', 'w').write('x')\ndef f(x): return x + 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_folders_of_killed_processes_are_removed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = Folder()
    just_made, killed, another = (tmp_path / n for n in ("answer-new", "answer-old", "old"))
    for folder in (just_made, killed, another):
        (folder / "inside").mkdir(parents=True)
    for folder in (Path(living.path), killed, another):
        os.utime(folder, (0, 0))
    servers._sweep.cache_clear()
    Folder().clear()
    assert set(tmp_path.iterdir()) == {Path(living.path), just_made, another}
    living.clear()


# --- right answers are right --------------------------------------------------------------------


def without_course_imports(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.ImportFrom) and (node.level or node.module == "__future__"))
    ]
    return ast.unparse(tree)


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_reference_is_right_through_the_pipe(shared: Sandbox, name: str) -> None:
    known = catalogue()[name]
    own = Path(inspect.getfile(known.reference))
    modules = [*(path for path in sorted(own.parent.glob("*.py")) if path != own), own]
    found: list[Statement] = []
    for number, path in enumerate(modules):
        found += statements(number, without_course_imports(path), first=len(found))
    program = Slices(found).program(name)
    cases = known.draw_cases(3)
    attempt = shared.run(program, known, cases, {})
    assert attempt.problem is None
    assert diagnose(known, cases, attempt.outcomes).status == "correct"
