"""Hostile and broken submissions: what each does, what it may earn, and what must be said of it.

In most of them the answer `mse` attacks and the other answers are right; there an attack is the
text of one cell. `COURSE` stands for the folder of the course's package, `CLASS` for the folder
of all submissions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from course_lib.exercises import catalogue
from course_lib.exercises.catalogue import using
from course_lib.grading import marking
from course_lib.sandbox.limits import Limits

from .conftest import MAX_POINTS, RIGHT, answers, notebook

MSE = "def mse(predictions, targets):\n    return np.mean((predictions - targets) ** 2)\n"
OTHERS = MAX_POINTS - 1  # what the honest answers beside `mse` earn


@dataclass(frozen=True)
class Attack:
    """One submission.

    Attributes:
        data: the notebook.
        status: of its answer `mse`, or of the submission if that could not be graded.
        says: a part of the sentence on it.
        points: of the submission; None if it could not be graded.
    """

    data: bytes
    status: str
    says: str
    points: float | None = OTHERS


def attack(mse: str, status: str, says: str, *more: str) -> Attack:
    """An attack by the cell that defines `mse` (and more cells before it)."""
    points = OTHERS + (status == "correct")
    return Attack(notebook(*more, *answers(mse=mse.strip("\n"))), status, says, points)


def body(*lines: str) -> str:
    """A function `mse` of these lines, with a false answer if they come to an end."""
    return "\n".join(["def mse(p, t):", *(f"    {line}" for line in lines), "    return 0.125"])


ENDLESS = {
    "loop": attack(body("while True: pass"), "timeout", "had not returned after 0.5 s"),
    "loop ignoring signals": attack(
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n" + body("while True: pass"),
        "timeout",
        "had not returned after 0.5 s",
    ),
    "loop without the interpreter": attack(
        "import itertools, collections\n"
        + body("collections.deque(itertools.repeat(0), maxlen=0)"),
        "timeout",
        "had not returned after 0.5 s",
    ),
    "backtracking": attack(
        "import re\n" + body("re.match('(a+)+$', 'a' * 60 + 'b')"), "timeout", "had not returned"
    ),
    "sleep": attack("import time\n" + body("time.sleep(1e6)"), "timeout", "had not returned"),
    "stopping itself": attack(
        "import os, signal, time\n" + body("os.kill(os.getpid(), signal.SIGSTOP)", "time.sleep(9)"),
        "timeout",
        "had not returned",
    ),
    "loop at the top level of its cell": attack(
        "while True:\n    " + MSE.replace("\n    ", " ") + "    SEEN = 1",
        "timeout",
        "look for a loop at the top level of a cell",
    ),
    "loop at the top level of another cell": attack(
        MSE, "correct", "Correct.", "while True: pass", "import time\ntime.sleep(1e6)"
    ),
    "endless constant": attack(
        "N = 7 ** 7 ** 10\n" + body("return N"), "timeout", "look for a loop at the top level"
    ),
}

ENDINGS = {
    "exit": attack("import os\n" + body("os._exit(0)"), "error", "ended by itself (status 0)"),
    "exit with a lie": attack(
        "import sys\n" + body("print('all tests passed', flush=True)", "sys.exit(0)"),
        "error",
        "SystemExit: 0",
    ),
    "exit on import": attack("import os\nos._exit(0)\n" + MSE, "correct", "Correct."),
    "exit in a decorator": attack(
        "import os\ndef leave(f): os._exit(3)\n@leave\n" + MSE,
        "error",
        "ended its process: it ended by itself (status 3)",
    ),
    "segfault": attack(
        "import ctypes\n" + body("ctypes.string_at(0)"), "error", "it crashed (SIGSEGV)"
    ),
    "abort": attack("import os\n" + body("os.abort()"), "error", "it crashed (SIG"),
    "recursion": attack(
        "import sys\nsys.setrecursionlimit(10**9)\ndef mse(p, t): return mse(p, t) + 1",
        "error",
        "",
    ),
    "handles closed": attack(
        # Whether it ends by itself or is ended first is a race.
        "import os\n" + body("os.closerange(0, 999)"),
        "error",
        "The process that ran your function ended",
    ),
    "thread that exits later": attack(
        "import os, sys, threading, time\n"
        "HERE = sys.modules['__main__']\n"
        "def later():\n"
        "    while sys.modules['__main__'] is HERE: time.sleep(0.001)\n"
        "    os._exit(0)\n"  # under the next answer
        "STARTED = threading.Thread(target=later).start()\n"
        "def mse(p, t, started=STARTED): return np.mean((p - t) ** 2)",
        "correct",
        "Correct.",
    ),
    "exit at exit": attack(
        "import atexit, os\natexit.register(os._exit, 5)\n" + MSE, "correct", "Correct."
    ),
    "exit of a value": attack(
        "import os\nclass V(float):\n    def __del__(self): os._exit(1)\n"
        "def mse(p, t): return V(3)",
        "error",
        "it ended by itself",
    ),
}

BOMBS = {
    "memory": attack(body("return bytearray(10**12)"), "error", "MemoryError"),
    "memory by and by": attack(
        body("x = []", "while True: x.append(np.empty(10**7))"), "error", "MemoryError"
    ),
    "fork": attack("import os\n" + body("while True: os.fork()"), "error", ""),
    "fork and hold": attack(
        "import os, time\n"
        + body("for _ in range(3):", "    if os.fork() == 0: time.sleep(1e6)", "os._exit(0)"),
        "error",
        "it ended by itself",
    ),
    "threads": attack(
        "import threading, time\n"
        + body("while True: threading.Thread(target=time.sleep, args=(99,)).start()"),
        "error",
        "RuntimeError: can't start new thread",
    ),
    "one large file": attack(
        body("with open('x', 'wb') as f:", "    while True: f.write(bytes(1 << 20))"),
        "error",
        "OSError: [Errno 27] File too large",
    ),
    "many files": attack(
        body(
            "for n in range(10**6):",
            "    with open(f'{n}', 'wb') as f: f.write(bytes(1 << 20))",
        ),
        "error",
        "OSError: [Errno 28] No space left on device",
    ),
    "many empty files": attack(
        body("for n in range(10**6): open(f'{n}', 'wb').close()"), "error", "No space left"
    ),
    "deep folders": attack(
        "import os\n" + body("for _ in range(300):", "    os.mkdir('d')", "    os.chdir('d')"),
        "wrong",
        "",
    ),
    "handles": attack(
        "import os\n" + body("x = []", "while True: x.append(os.open('/dev/null', 0))"),
        "error",
        "OSError: [Errno 24] Too many open files",
    ),
    "output": attack(
        "import os\n" + body("for _ in range(300): print('x' * 10**6); os.write(2, b'x' * 10**6)"),
        "wrong",
        "",
    ),
    "a large value": attack(
        "def mse(p, t): return np.zeros(10**7)", "wrong", "too large to be graded"
    ),
    "an endless list": attack(
        "def mse(p, t):\n    x = []\n    x.append(x)\n    return x",
        "error",
        "a list contains itself",
    ),
    "an absurd number": attack("def mse(p, t): return 1 << 10**7", "wrong", "beyond 64 bits"),
    "shared memory": attack(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        + body(
            "if libc.shmget(0, 1 << 20, 0o1600) < 0 and libc.memfd_create(b'x', 0) < 0:",
            "    raise OSError(ctypes.get_errno(), 'refused')",
        ),
        "error",
        "PermissionError: [Errno 1] refused",
    ),
}

OTHER_PROCESSES = {
    "kill the parent": attack(
        "import os\n" + body("os.kill(os.getppid(), 9)"), "error", "PermissionError"
    ),
    "kill everything": attack(
        "import os\n"
        + body("for n in (-1, 1, 0, 2, 3):", "    try: os.kill(n, 9)", "    except OSError: pass"),
        "error",
        "it was killed",
    ),
    "kill by number": attack(
        "import os\n"
        + body(
            "for n in range(3, 40_000):",
            "    try: os.kill(n, 9)",
            "    except ProcessLookupError: continue",
            "    raise RuntimeError('somebody was there')",
        ),
        "wrong",
        "",
    ),
    "trace another process": attack(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        + body(
            "for n in (os.getppid(), 1, os.getpid()):",
            "    if libc.ptrace(16, n, 0, 0) == 0: return (p - t) ** 2",
            "raise OSError(ctypes.get_errno(), 'refused')",
        ),
        "error",
        "PermissionError: [Errno 1] refused",
    ),
    "another program": attack(
        "import subprocess\n" + body("subprocess.run(['/bin/sh', '-c', 'echo'], check=True)"),
        "error",
        "Error",
    ),
    "python again": attack(
        "import os, sys\n" + body("os.execv(sys.executable, ['python', '-c', ''])"),
        "error",
        "Error",
    ),
    "become root": attack(
        "import os\n" + body("os.setuid(0)"), "error", "PermissionError: [Errno 1]"
    ),
    "new namespaces": attack(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        + body(
            "if libc.unshare(0x10000000) and libc.mount(b'x', b'/', b'tmpfs', 0, None):",
            "    raise OSError(ctypes.get_errno(), 'refused')",
        ),
        "error",
        "PermissionError: [Errno 1] refused",
    ),
    "lift the limits": attack(
        "import resource\n"
        + body("resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)"),
        "error",
        "ValueError: not allowed to raise maximum limit",
    ),
}

_SEARCH = """
import os
def search(name):
    for folder, _, files in os.walk("/"):
        if name in files and "grading" not in folder:
            return open(os.path.join(folder, name)).read()
    raise LookupError("nothing is there")
"""
THEFT = {
    "reference from disk": attack(
        "def mse(p, t): return exec(open('COURSE/foundations/losses.py').read())",
        "error",
        "Error: [Errno",
    ),
    "reference by searching": attack(
        _SEARCH + body("exec(search('losses.py'))"), "error", "LookupError: nothing is there"
    ),
    "solutions by searching": attack(
        _SEARCH + body("search('01_losses.ipynb')"), "error", "LookupError: nothing is there"
    ),
    "a neighbor's notebook": attack(
        body("return len(open('CLASS/good.ipynb').read())"), "error", "Error: [Errno"
    ),
    "list of the class": attack(
        "import os\n" + body("return len(os.listdir('CLASS'))"), "error", "Error: [Errno"
    ),
    "passwords": attack(body("return len(open('/etc/passwd').read())"), "error", "Error: [Errno"),
    "change a neighbor": attack(
        body("open('CLASS/good.ipynb', 'w').write('')"), "error", "Error: [Errno"
    ),
    "write outside": attack(body("open('/tmp/left', 'w').write('')"), "error", "Error: [Errno"),
    "change the interpreter": attack(
        body("open(np.__file__, 'a').write('x')"), "error", "Error: [Errno"
    ),
    "symbolic link out": attack(
        "import os\n" + body("os.symlink('CLASS', 'x')", "return len(os.listdir('x'))"),
        "error",
        "Error: [Errno",
    ),
    "hard link out": attack(
        "import os\n" + body("os.link('CLASS/good.ipynb', 'x')"), "error", "Error: [Errno"
    ),
    "import of the reference": attack(
        "from course_lib.foundations.losses import mse",
        "not attempted",
        "`mse` is the course's own in this notebook",
    ),
    "import of the reference under another name": attack(
        "import course_lib.foundations.losses as c\nmse = c.mse",
        "error",
        "answers may not use the course's own functions",
    ),
    "import by its text": attack(
        "def mse(p, t): return __import__('course_lib.foundations.losses')",
        "error",
        "answers may not use the course's own functions",
    ),
    "import by a loader": attack(
        "import importlib.util\n"
        "spec = importlib.util.spec_from_file_location('x', 'COURSE/foundations/losses.py')\n"
        "x = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(x)\n"
        "def mse(p, t): return x.mse(p, t)",
        "error",
        "",
    ),
    "import past the guard": attack(
        "import sys, os\n"
        "def mse(p, t):\n"
        "    sys.meta_path = [f for f in sys.meta_path if f.__module__ != 'sandbox.worker']\n"
        "    sys.path.insert(0, os.path.dirname('COURSE'))\n"
        "    from course_lib.foundations.losses import mse as answer\n"
        "    return answer(p, t)",
        "error",
        "ModuleNotFoundError: No module named 'course_lib'",
    ),
    "memory": attack(
        "import gc, types\n"
        + body(
            "for f in gc.get_objects():",
            "    if isinstance(f, types.FunctionType) and f.__name__ == 'mse' and f is not mse:",
            "        return f(p, t)",
        ),
        "wrong",
        "",
    ),
    "frames": attack(
        "import sys\n"
        + body(
            "frame = sys._getframe()",
            "while frame := frame.f_back:",
            "    for name in ('reference', 'expected', 'exercise', 'verdict', 'cases'):",
            "        if name in {**frame.f_globals, **frame.f_locals}: return p.sum()",
            "raise LookupError('nothing is there')",
        ),
        "error",
        "LookupError: nothing is there",
    ),
    "other processes' memory": attack(
        "import os\n"
        + body(
            "for n in os.listdir('/proc'):",
            "    if n.isdigit(): open(f'/proc/{n}/mem', 'rb').read(1)",
            "raise LookupError('nothing is there')",
        ),
        "error",
        "Error: ",
    ),
    "environment": attack(
        "import os\n" + body("return float(os.environ['COURSE_TEST_SECRET'])"), "error", "KeyError"
    ),
}

_HANDLES = """
import os, struct
def tell(data):
    for n in range(3, 60):
        try: os.write(n, data)
        except OSError: pass
"""
LIES = {
    "noise for a frame": attack(
        _HANDLES + body("tell(b'\\x80\\x04K\\x01.' * 99)"), "error", "the bytes are not a frame"
    ),
    "pickle in a frame": attack(
        _HANDLES + body("tell(struct.pack('<4sIQ', b'crs1', 4, 0) + b'cos\\n')"),
        "error",
        "the header is not JSON",
    ),
    "giant header": attack(
        _HANDLES + body("tell(struct.pack('<4sIQ', b'crs1', 1 << 31, 1 << 60))"),
        "error",
        "more than it may hold",
    ),
    "forged reply": attack(
        _HANDLES
        + body(
            'text = b\'{"kind": "value", "id": "0", "value": 1, "arguments": null}\'',
            "tell(struct.pack('<4sIQ', b'crs1', len(text), 0) + text)",
        ),
        "error",
        "a reply to no question",
    ),
    "endless stream": attack(
        _HANDLES + body("while True: tell(b'crs1' + bytes(65536))"),
        "error",
        "broke the rules of grading",
    ),
    "half a frame": attack(
        _HANDLES + body("tell(b'crs1')", "os._exit(0)"), "error", "it ended by itself"
    ),
    "verdict from the worker": attack(
        "import gc\n"
        + body(
            "w = [o for o in gc.get_objects() if type(o).__name__ == 'Worker'][0]",
            "w.send({'kind': 'verdict', 'status': 'correct', 'points': 99})",
        ),
        "error",
        "a reply to no question",
    ),
    "two replies": attack(
        "import gc\n"
        + body(
            "w = [o for o in gc.get_objects() if type(o).__name__ == 'Worker'][0]",
            "w.send({'kind': 'value', 'value': 1.0, 'arguments': (p, t)})",
        ),
        "error",
        "a reply to no question",
    ),
    "a worker of its own": attack(
        "import sys\n"
        + body("sys.modules['sandbox.worker'].encode = lambda *a, **k: b'correct' * 99"),
        "error",
        "the bytes are not a frame",
    ),
    "patched packing": attack(
        "import json\n" + body('json.dumps = lambda *a, **k: \'{"status": "correct"}\''),
        "error",
        "broke the rules of grading",
    ),
    "objects": attack(
        "def mse(p, t): return np.array([print, mse], dtype=object)",
        "wrong",
        "got a value of type ndarray of object",
    ),
    "structured dtype": attack(
        "def mse(p, t): return np.zeros(3, dtype='U5,f8')", "wrong", "got a value of type"
    ),
    "wrong shape": attack("def mse(p, t): return (p - t) ** 2", "wrong", ""),
    "equal to everything": attack(
        "class Yes(float):\n    __eq__ = __le__ = __lt__ = __ge__ = lambda *a: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda *a: 0.0\n    __hash__ = float.__hash__\n"
        "def mse(p, t): return Yes(0.125)",
        "wrong",
        "",
    ),
    "an array to everything": attack(
        "class Any:\n    def __array__(self, *a, **k): return np.zeros(())\n"
        "    __float__ = lambda self: 0.0\n    __array_ufunc__ = lambda *a, **k: True\n"
        "def mse(p, t): return Any()",
        "wrong",
        "got a value of type Any",
    ),
    "a lying array": attack(
        "class Liar(np.ndarray):\n    __eq__ = lambda *a: True\n"
        "    __array_ufunc__ = lambda *a, **k: np.True_\n    shape = ()\n"
        "def mse(p, t): return np.zeros(()).view(Liar)",
        "wrong",
        "",
    ),
    "patched NumPy": attack(
        "np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = "
        "lambda *a, **k: True\ndef mse(p, t): return 0.125",
        "wrong",
        "",
    ),
    "patched language": attack(
        "import builtins\nbuiltins.isinstance = builtins.all = lambda *a: True\n"
        "def mse(p, t): return 0.125",
        "wrong",
        "",
    ),
    "patched check": attack(
        "import sys, types\nsys.modules['course_lib'] = types.ModuleType('course_lib')\n"
        "def mse(p, t): return 0.125",
        "wrong",
        "",
    ),
    "random": attack(body("return np.random.default_rng().normal()"), "wrong", ""),
    "right by the clock": attack(
        "import time\nSTART = time.monotonic()\n"
        + body("if time.monotonic() < START: return np.mean((p - t) ** 2)"),
        "wrong",
        "",
    ),
    "right the first time": attack(
        "CALLS = []\n"
        + body("CALLS.append(1)", "if len(CALLS) == 1: return ((p - t) ** 2).mean()"),
        "wrong",
        "",
    ),
    "arguments changed": attack(
        body("p[...] = t", "return ((p - t) ** 2).mean()"), "wrong", "in place"
    ),
    "a hostile error": attack(
        "class E(Exception):\n    def __str__(self): raise E\n    __repr__ = __str__\n"
        "def mse(p, t): raise E",
        "error",
        "raised E",
    ),
    "HTML in an error": attack(
        body("raise ValueError('<script>alert(1)</script><img src=x onerror=alert(2)>')"),
        "error",
        "<script>alert(1)</script>",
    ),
    "printing without end": attack(
        body("while True: print('x' * 10**6)"), "timeout", "not returned"
    ),
    "printing much": attack(
        body("print('x' * 10**7)", "print('\\n' * 10**6)", "return float(((p - t) ** 2).mean())"),
        "correct",
        "Correct.",
    ),
    "printing what controls": attack(
        body("print('\\x1b[2J\\x07\\u202e\\u2028\\x00\\ud800<script>alert(1)</script>')"),
        "wrong",
        "",
    ),
    "another place to print to": attack(
        "import sys\n"
        + body("sys.stdout._kept = sys.stdout._left = sys.stdout = None", "print(1)"),
        "error",
        "",
    ),
    "printed by a reply": attack(
        "import gc\n"
        + body(
            "w = [o for o in gc.get_objects() if type(o).__name__ == 'Worker'][0]",
            "reply = {'kind': 'value', 'call': 0, 'state': 'returned', 'value': 1.0}",
            "w.send({**reply, 'arguments': (p, t), 'printed': 'x\\n' * 60_000})",
        ),
        "error",
        "a reply to no question",
    ),
    "a formula in an error": attack(
        body("raise ValueError('=cmd|calc!A0\\n,=1+1,\\x00\\x1b[2J')"),
        "error",
        "=cmd|calc!A0 ,=1+1",
    ),
}

NETWORK = {
    "web": attack(
        "import urllib.request\n"
        + body("urllib.request.urlopen('http://127.0.0.1:9/', timeout=9)"),
        "error",
        "Error",
    ),
    "datagrams": attack(
        "import socket\n"
        + body("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"),
        "error",
        "Error: [Errno",
    ),
    "a local service": attack(
        "import socket\n" + body("socket.socket(socket.AF_UNIX).connect('/run/dbus/socket')"),
        "error",
        "Error: [Errno",
    ),
}

HONEST = {
    "good": attack(MSE, "correct", "Correct."),
    "warnings": attack(
        "import sys, warnings, logging\n"
        "def mse(p, t):\n    warnings.warn('careful')\n    logging.error('so what')\n"
        "    print('noise', file=sys.stderr)\n    np.log(np.zeros(3))\n"
        "    return np.mean((p - t) ** 2)",
        "correct",
        "Correct.",
    ),
    "a file of its own": attack(
        "import tempfile, os\n"
        "def mse(p, t):\n    with tempfile.TemporaryFile() as f: np.save(f, p)\n"
        "    open('notes.txt', 'w').write('x')\n    assert os.listdir('.')\n"
        "    return np.mean((p - t) ** 2)",
        "correct",
        "Correct.",
    ),
    "unicode": attack(
        "# ‮ 🦊 ﷽ \u200b\n"
        "def größe(α, β): return np.mean((α - β) ** 2)\n"
        "def mse(p, t):\n    '''Ｚ̷ა ლ'''\n    return größe(p, t)",
        "correct",
        "Correct.",
    ),
    "half": attack("def mse(p, t): return np.mean((p - t) ** 2) / 2", "wrong", "half"),
}


def _json(**changed: object) -> bytes:
    return json.dumps({**json.loads(notebook(*answers())), **changed}).encode()


def _with_output(megabytes: int) -> bytes:
    cells = json.loads(notebook(*answers()))["cells"]
    cells[0]["outputs"] = [{"output_type": "stream", "name": "x", "text": "x" * (megabytes << 20)}]
    return _json(cells=cells)


def _code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}


_GOOD = notebook(*answers())
FILES = {
    "empty": Attack(b"", "unreadable", "The file is empty.", None),
    "null bytes": Attack(b"\0" * 9999, "unreadable", "The file is empty.", None),
    "null bytes inside": Attack(_GOOD[:99] + b"\0" + _GOOD[99:], "unreadable", "null bytes", None),
    "noise": Attack(bytes(range(1, 256)) * 99, "unreadable", "not UTF-8", None),
    "cut off": Attack(_GOOD[: len(_GOOD) // 2], "unreadable", "cut off in line", None),
    "UTF-16": Attack(_GOOD.decode().encode("utf-16"), "unreadable", "UTF-16", None),
    "a picture": Attack(b"\x89PNG\r\n\x1a\n" + b"def mse" * 9, "unreadable", "not UTF-8", None),
    "nested arrays": Attack(b"[" * 200_000, "unreadable", "nested too deeply", None),
    "nested objects": Attack(b'{"a":' * 200_000, "unreadable", "nested too deeply", None),
    "an absurd number": Attack(
        b'{"nbformat": ' + b"9" * 10_000 + b"}", "unreadable", "number of absurd length", None
    ),
    "no notebook": Attack(b'{"nbformat": 4}', "unreadable", "no list of cells", None),
    "a list": Attack(b"[1, 2]", "unreadable", "not a notebook", None),
    "an unknown format": Attack(_json(nbformat=99), "unreadable", "of a known format", None),
    "too many values": Attack(
        b'{"cells": [' + b"0," * 8_100_000 + b"0]}", "unreadable", "too many separate", None
    ),
    "30 MB": Attack(_with_output(30), "correct", "Correct.", MAX_POINTS),
    "odd cells": Attack(
        _json(cells=[None, 7, {}, _code(None), _code([1]), *json.loads(_GOOD)["cells"]]),
        "correct",
        "Correct.",
        MAX_POINTS,
    ),
    "null bytes in a cell": Attack(
        _json(cells=[*json.loads(_GOOD)["cells"], _code("def mse(p, t):\n    return '\0'")]),
        "correct",
        "Correct.",
        MAX_POINTS,
    ),
    "lone surrogates": Attack(
        _json(cells=[_code("mse = '\ud800'"), *json.loads(_GOOD)["cells"]]),
        "correct",
        "Correct.",
        MAX_POINTS,
    ),
    "nested code": Attack(
        notebook(*answers(), "x = " + "(" * 50_000), "correct", "Correct.", MAX_POINTS
    ),
    "nested answer": attack("def mse(p, t): return " + "-" * 90_000 + "1", "error", ""),
    "a long cell": Attack(
        notebook("x = 1\n" * 100_000, *answers()), "correct", "Correct.", MAX_POINTS
    ),
    "magic": Attack(
        notebook("!rm -rf ~\n%run CLASS/good.ipynb\n%%bash\nrm -rf ~", *answers()),
        "correct",
        "Correct.",
        MAX_POINTS,
    ),
    "untouched": Attack(
        notebook(*(f"def {name}(*a): raise NotImplementedError" for name in RIGHT)),
        "not attempted",
        "Put your own lines",
        0,
    ),
}

NAMES = {
    "..\\..\\up": HONEST["good"],
    "-rf": HONEST["good"],
    "=HYPERLINK(1)": HONEST["good"],
    "@SUM(A1)": HONEST["half"],
    "+1,2\t3": HONEST["half"],
    "<script>alert(1)<&": HONEST["good"],
    "new\nline": HONEST["good"],
    "CON": HONEST["good"],
    "ünï\u202ecode🦊": HONEST["good"],
    "{{ 7*7 }}%s": HONEST["good"],
    "x" * 240: HONEST["good"],
}

GROUPS = {
    "endless": ENDLESS,
    "ending": ENDINGS,
    "bomb": BOMBS,
    "process": OTHER_PROCESSES,
    "theft": THEFT,
    "lie": LIES,
    "network": NETWORK,
    "honest": HONEST,
    "file": FILES,
}
ATTACKS = {
    "good": HONEST["good"],
    **{f"{group} {name}": one for group, all_ in GROUPS.items() for name, one in all_.items()},
    **NAMES,
}
ASLEEP = tuple(f"endless {name}" for name in ("loop ignoring signals", "sleep", "stopping itself"))
"""No limit on the processor's time ends them; the clock on the wall does, three times."""
BUSY = (
    *(name for name in ATTACKS if name.startswith("endless ") and name not in ASLEEP),
    "ending recursion",
    "lie printing without end",
)
"""They use all the processor's time that they get, and are waited for until they have had it."""
_MSE_IN_HALF_A_SECOND = replace(catalogue()["mse"], seconds=0.5)


def mark(data: bytes, *where: Any, **options: Any) -> Any:
    """As `marking.mark` does, within limits that soon show what an attack does."""
    limits = Limits(grace=0.0, load=3.0, memory=1 << 30, patience=1.5)
    if data in [ATTACKS[name].data for name in ASLEEP]:
        limits = replace(limits, patience=2.0)
    elif data in [ATTACKS[name].data for name in BUSY]:
        limits = replace(limits, load=0.5, patience=20.0)
    else:
        return marking.mark(data, *where, limits=limits, **options)
    with using([_MSE_IN_HALF_A_SECOND]):
        return marking.mark(data, *where, limits=limits, **options)
