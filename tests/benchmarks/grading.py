"""How fast a class is graded, beside nbgrader's `autograde` on the same submissions.

    python tests/benchmarks/grading.py [--nbgrader PYTHON] [--sizes 20 200 2000] [--skip-nbgrader]

The assignment is four NumPy exercises of lesson 01; nbgrader checks each with two assertions. Both
graders run as their command does, start-up included, this one with all the walls that the machine
offers; then once more without start-up, as in the middle of a large class: nbgrader's time for 20
less its time for one, and a second run in a process that has graded before. nbgrader is installed
into an environment of its own unless an interpreter that has it is named. CPU seconds are those
of the command and all that it has started. Other work on the machine spoils the clock's figures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course_lib.grading import sandbox

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("mse", "mse_gradient", "softmax", "cross_entropy")
RIGHT = {
    "mse": "def mse(p, t):\n    return np.mean((p - t) ** 2)",
    "mse_gradient": "def mse_gradient(p, t):\n    return 2 * (p - t) / p.size",
    "softmax": "def softmax(z):\n    e = np.exp(z - z.max(axis=1, keepdims=True))\n"
    "    return e / e.sum(axis=1, keepdims=True)",
    "cross_entropy": "def cross_entropy(p, y):\n"
    "    return -np.mean(np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)))",
}
WRONG = {
    "mse": "def mse(p, t):\n    return np.mean((p - t) ** 2) / 2",
    "mse_gradient": "def mse_gradient(p, t):\n    return (p - t) / p.size",
    "softmax": "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=0)",
    "cross_entropy": "def cross_entropy(p, y):\n    return np.sum(-np.log(p))",
}
BLANK = {name: f"def {name}(*arguments):\n    raise NotImplementedError" for name in NAMES}
TESTS = {
    "mse": "assert np.isclose(mse(np.ones((2, 3)), np.zeros((2, 3))), 1)\n"
    "assert np.isclose(mse(np.zeros((2, 1)), np.full((2, 1), 3.0)), 9)",
    "mse_gradient": "assert np.allclose(mse_gradient(np.ones((2, 2)), np.zeros((2, 2))), 0.5)\n"
    "assert np.allclose(mse_gradient(np.ones((1, 2)), np.ones((1, 2))), 0)",
    "softmax": "assert np.allclose(softmax(np.zeros((2, 4))), 0.25)\n"
    "assert np.allclose(softmax(np.array([[1e4, 0.0]])), [[1, 0]])",
    "cross_entropy": "assert np.isclose(cross_entropy(np.full((3, 4), 0.25), np.arange(3)),"
    " np.log(4))\nassert np.isclose(cross_entropy(np.eye(2), np.arange(2)), 0)",
}
PLOT = (
    "import matplotlib.pyplot as plt\n"
    "x = np.linspace(-3, 3, 500)\n"
    "fig, axes = plt.subplots(2, 2)\n"
    "for axis, power in zip(axes.flat, range(1, 5)):\n    axis.plot(x, x ** power)\n"
    "plt.show()"
)


@dataclass(frozen=True)
class Cost:
    """Of one command: seconds by the clock, of processors, and MiB that its own process used."""

    wall: float
    cpu: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nbgrader", type=Path, metavar="PYTHON")
    parser.add_argument("--skip-nbgrader", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="*", default=[20, 200, 2000])
    options = parser.parse_args()
    holds, missing = sandbox.describe()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"walls: {', '.join(holds)}; missing: {', '.join(missing) or 'none'}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if not options.skip_nbgrader:
            python = options.nbgrader or installed(place / "environment")
            for extra in ((), (PLOT,)):
                compare(place / f"with-{len(extra)}-more", python, extra)
        for size in options.sizes:
            mixed(place / f"class-{size}", size)


def compare(place: Path, python: Path, extra: Sequence[str]) -> None:
    """The same 20 submissions, graded by both."""
    print(f"\n20 submissions{', with an unrelated plotting cell' if extra else ''}")
    submitted = assignment(place / "20", 20, extra)
    assignment(place / "1", 1, extra)
    theirs, one = nbgrader(place / "20", python), nbgrader(place / "1", python)
    print(row("nbgrader autograde", theirs, 20))
    steady = Cost(theirs.wall - one.wall, theirs.cpu - one.cpu, theirs.memory)
    print(row("  without start-up", steady, 19))
    for jobs in (1, 2):
        ours = course(submitted, place / f"grades-{jobs}", jobs)
        print(row(f"course grade --jobs {jobs}", ours, 20), ratio(theirs, 20, ours, 20))
        ours = warm(submitted, place / f"warm-{jobs}", jobs)
        print(row("  without start-up", ours, 20), ratio(steady, 19, ours, 20))


def ratio(theirs: Cost, their_size: int, ours: Cost, our_size: int) -> str:
    clock = theirs.wall / their_size / (ours.wall / our_size)
    cpu = theirs.cpu / their_size / (ours.cpu / our_size)
    return f"  {clock:.0f} times as fast, {cpu:.0f} times less CPU"


def mixed(place: Path, size: int) -> None:
    """A class of answers that are right, wrong, blank, broken, slow to end or hostile."""
    submitted = assignment(place, size, hostile=True)
    cost = course(submitted, place / "grades", 2)
    lines = (place / "grades" / "results.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    print(f"\n{row(f'{size} mixed submissions', cost, size)}")
    print("  submissions:", dict(Counter(record["status"] for record in records)))
    entries = [e for record in records for e in record["exercises"] if e["exercise"] in NAMES]
    print("  answers:", dict(Counter(entry["status"] for entry in entries)))


def row(name: str, cost: Cost, size: int) -> str:
    return (
        f"{name:28} {cost.wall:8.2f} s {60 * size / cost.wall:8.0f} a minute "
        f"{1000 * cost.wall / size:8.1f} ms each {cost.cpu / size:7.3f} CPU s each "
        f"{cost.memory:5.0f} MiB"
    )


# --- the class -----------------------------------------------------------------------------------


def assignment(place: Path, size: int, extra: Sequence[str] = (), *, hostile: bool = False) -> Path:
    """Write nbgrader's folders: ``source`` and ``submitted``; returns the second."""
    write(place / "source/ps1/01.ipynb", RIGHT, extra)
    draw = random.Random(size)
    bad = {
        "mse": [
            "import os\ndef mse(p, t): os._exit(0)",
            "def mse(p, t): return bytearray(10**12)",
            "def mse(p, t): return open('/etc/passwd').read()",
            "def mse(p, t):\n    return (",
            "from course_lib.foundations.losses import mse",
        ]
    }
    for number in range(size):
        answers = {name: draw.choice([RIGHT, RIGHT, WRONG, BLANK])[name] for name in NAMES}
        if hostile and draw.random() < 0.3:
            answers["mse"] = draw.choice(bad["mse"])
        write(place / f"submitted/learner{number:04}/ps1/01.ipynb", answers, extra)
    return place / "submitted"


def write(path: Path, answers: dict[str, str], extra: Sequence[str]) -> None:
    cells = [nbformat.v4.new_code_cell("import numpy as np"), *map(plain, extra)]
    for name in NAMES:
        solution = nbformat.v4.new_code_cell(answers[name])
        solution.metadata["nbgrader"] = metadata(name, solution=True)
        test = nbformat.v4.new_code_cell(TESTS[name])
        test.metadata["nbgrader"] = metadata(f"test-{name}", solution=False)
        cells += [solution, test]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def plain(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source)


def metadata(name: str, *, solution: bool) -> dict[str, object]:
    kind = {} if solution else {"points": 1}
    return {
        "schema_version": 3,
        "grade_id": name,
        "solution": solution,
        "grade": not solution,
        "locked": not solution,
        "task": False,
        **kind,
    }


# --- the commands --------------------------------------------------------------------------------


def course(submitted: Path, out: Path, jobs: int) -> Cost:
    command = "from course_lib.cli import main; main()"
    return measured(
        [sys.executable, "-c", command, "grade", submitted, "--out", out, "--jobs", jobs],
        ROOT,
    )


WARM = """
import os, resource, sys, time
from pathlib import Path
from course_lib.grading import process
from course_lib.grading.gradebook import grade
submitted, out, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
grade([submitted], out / "first", jobs=jobs)
def cpu():  # of the servers, too, which are still there
    import psutil
    own = psutil.Process()
    return sum(sum(one.cpu_times()[:4]) for one in (own, *own.children(recursive=True)))
before, start = cpu(), time.perf_counter()
grade([submitted], out / "second", jobs=jobs)
print(time.perf_counter() - start, cpu() - before)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def warm(submitted: Path, out: Path, jobs: int) -> Cost:
    """The same class a second time in one process."""
    command = [sys.executable, "-c", WARM, str(submitted), str(out), str(jobs)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Cost(*map(float, said.split()))


def nbgrader(place: Path, python: Path) -> Cost:
    (place / "nbgrader_config.py").write_text("c = get_config()\n")
    command = [python, "-m", "nbgrader"]
    measured([*command, "generate_assignment", "ps1", "--create"], place)
    return measured([*command, "autograde", "ps1"], place)


def installed(place: Path) -> Path:
    """An interpreter of a new environment with nbgrader."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    wanted = ["nbgrader>=0.9.3,<0.10", "ipykernel", "numpy", "matplotlib"]
    subprocess.run([python, "-m", "pip", "install", "-qq", *wanted], check=True)
    return python


def measured(command: Sequence[object], folder: Path) -> Cost:
    """Run a command; what it says is shown if it fails."""
    words = [str(word) for word in command]
    scripts = str(Path(words[0]).parent)  # nbgrader calls alembic by its name
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode(errors="replace"))
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
