"""How fast a class is graded, beside nbgrader's `autograde` on the same submissions.

    python tests/benchmarks/grading.py [--nbgrader PYTHON] [--rounds 3] [--sizes 20 200 2000]
                                       [--own-words] [--whole]

The assignment is lesson 01 with all its prose and four of its exercises, as learners are handed it:
answer cells and check cells that nbgrader knows as such. What else the lesson runs (Keras, figures)
is left out; a second comparison adds one plotting cell, which nbgrader must execute and `course
grade` need not. In each check cell nbgrader runs the course's own `check`, so both judge by the
same cases, and their points are compared.

nbgrader is called as ``nbgrader autograde ps1``, once for the whole class: that spares it a start
for each learner. It grades one submission after another and has no option to do otherwise. It is
installed into an environment of its own unless an interpreter that has it is named. `course grade`
runs with all the isolation that the machine offers, on one core and on all, on the very same files.

Most answers are handed in by several learners, and `course grade` runs the same text once; with
``--own-words`` no two learners write the same.

With ``--whole`` the assignment is lesson 01 as it is handed out, every cell of it, with all its
exercises answered; `course grade` runs the answers, nbgrader the whole notebook. (Some minutes a
round; ``--nbgrader`` then names an environment that has what the course needs, too.)

Both run as their commands do, start-up included, with compiled bytecode, and alternate for some
rounds: the ratio is taken within each round, so that other work on the machine slows down both.
Then once more without start-up, as in the middle of a large class: nbgrader's time for all less its
time for one, and a second run in a process that has graded before. CPU seconds are those of the
command and all that it has started; memory is that of the largest of its processes.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from course_lib.sandbox import run as sandbox

ROOT = Path(__file__).resolve().parents[2]
LESSON = "01_losses"
CLASS = 20
Kind = Literal["whole lesson", "four exercises", "and a plot"]
SETUP = "import numpy as np\nfrom course_lib.exercises import check"
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
RIGHT = {
    "mse": "    return np.mean((predictions - targets) ** 2)",
    "mse_gradient": "    return 2 * (predictions - targets) / predictions.size",
    "softmax": "    powers = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
    "    return powers / powers.sum(axis=1, keepdims=True)",
    "cross_entropy": "    chosen = probabilities[np.arange(len(labels)), labels]\n"
    "    return -np.mean(np.log(np.maximum(chosen, 1e-7)))",
}
WRONG = {
    "mse": "    return np.mean((predictions - targets) ** 2) / 2",
    "mse_gradient": "    return (predictions - targets) / predictions.size",
    "softmax": "    powers = np.exp(logits)\n    return powers / powers.sum(axis=0)",
    "cross_entropy": "    return np.sum(-np.log(probabilities))",
}
BLANK = dict.fromkeys(RIGHT, STUB)
HOSTILE = (
    "import os\ndef mse(p, t): os._exit(0)",
    "def mse(p, t): return bytearray(10**12)",
    "def mse(p, t): return open('/etc/passwd').read()",
    "def mse(p, t):\n    return (",
    "from course_lib.foundations.losses import mse",
)
PLOT = (
    "import matplotlib.pyplot as plt\n"
    "x = np.linspace(-3, 3, 500)\n"
    "fig, axes = plt.subplots(2, 2)\n"
    "for axis, power in zip(axes.flat, range(1, 5)):\n    axis.plot(x, x ** power)\n"
    "plt.show()"
)


@dataclass(frozen=True)
class Cost:
    """Of one command: seconds by the clock and of processors, MiB of its largest process."""

    size: int
    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return (
            f"{self.wall:8.2f} s {60 * self.size / self.wall:8.0f} a minute "
            f"{1000 * self.wall / self.size:8.1f} ms each {self.cpu / self.size:7.3f} CPU s each "
            f"{self.memory:5.0f} MiB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nbgrader", type=Path, metavar="PYTHON")
    parser.add_argument("--skip-nbgrader", action="store_true")
    parser.add_argument("--own-words", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[20, 200, 2000])
    options = parser.parse_args()
    if options.whole and options.nbgrader is None:
        parser.error(
            "for --whole, name with --nbgrader a Python that has the course's packages, too"
        )
    holds, missing = sandbox.describe()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"isolation: {', '.join(holds)}; missing: {', '.join(missing) or 'none'}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if not options.skip_nbgrader:
            python = options.nbgrader or installed(place / "environment")
            kinds: list[Kind] = (
                ["whole lesson"] if options.whole else ["four exercises", "and a plot"]
            )
            for kind in kinds:
                compare(place / kind, python, kind, options.rounds, own_words=options.own_words)
        for size in options.sizes:
            mixed(place / f"class-{size}", size, own_words=options.own_words)


def compare(place: Path, python: Path, kind: Kind, rounds: int, *, own_words: bool) -> None:
    """The same submissions, graded by both, in turns."""
    whole, one = place / "whole", place / "one"
    submitted = assignment(whole, CLASS, kind, own_words=own_words)
    assignment(one, 1, kind)
    size = next(submitted.rglob("*.ipynb")).stat().st_size / 1024
    print(f"\n{CLASS} submissions of {LESSON}, {kind}, {size:.0f} KiB each")
    for course in (whole, one):
        measured([python, "-m", "nbgrader", "generate_assignment", "ps1", "--create"], course)
    autograde(one, python, 1)  # so that nobody's first run is measured
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    ours: dict[str, Callable[[int], Cost]] = {
        f"{name}, {jobs} {'core' if jobs == 1 else 'cores'}": lambda number, run=run, jobs=jobs: (
            run(submitted, place / f"{run.__name__}-{jobs}-{number}", jobs)
        )
        for name, run in (("course grade", grade), ("without start-up", warm))
        for jobs in (1, cores)
    }
    grade(one / "submitted", place / "first", 1)
    costs: dict[str, list[Cost]] = {}
    for number in range(rounds):
        theirs, single = autograde(whole, python, CLASS), autograde(one, python, 1)
        steady = Cost(CLASS - 1, theirs.wall - single.wall, theirs.cpu - single.cpu, theirs.memory)
        costs.setdefault("nbgrader autograde", []).append(theirs)
        costs.setdefault("nbgrader without start-up", []).append(steady)
        for name, run in ours.items():
            costs.setdefault(name, []).append(run(number))
    for name, found in costs.items():
        print(f"{name:26}{sorted(found, key=lambda cost: cost.wall)[len(found) // 2]}")
    for name in ours:
        kind = "nbgrader without start-up" if "without" in name else "nbgrader autograde"
        print(f"{name}: {ratios(costs[kind], costs[name])}")
    differing = differences(points_of(whole, python), place / f"grade-{cores}-0" / "grades.csv")
    print(f"points that differ between the two: {', '.join(differing) or 'none'}")


def ratios(theirs: Sequence[Cost], ours: Sequence[Cost]) -> str:
    """Submissions a minute and CPU seconds each, as multiples: the median, and each round."""
    clock = [(t.wall / t.size) / (o.wall / o.size) for t, o in zip(theirs, ours, strict=True)]
    cpu = [(t.cpu / t.size) / (o.cpu / o.size) for t, o in zip(theirs, ours, strict=True)]
    rounds = ", ".join(f"{ratio:.0f}" for ratio in clock)
    return (
        f"{median(clock):.0f} times as many a minute ({rounds}), {median(cpu):.0f} times less CPU"
    )


def mixed(place: Path, size: int, *, own_words: bool) -> None:
    """A class of answers that are right, wrong, blank, broken, slow to end or hostile."""
    submitted = assignment(place, size, hostile=True, own_words=own_words)
    cost = grade(submitted, place / "grades", 2)
    print(f"\n{f'{size} mixed submissions':26}{cost}")
    ended: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    with (place / "grades" / "results.jsonl").open() as lines:
        for record in map(json.loads, lines):
            ended[record["status"]] += 1
            answers.update(e["status"] for e in record["exercises"] if e["exercise"] in RIGHT)
    print("  submissions:", dict(ended))
    print("  answers:", dict(answers))


# --- the class -----------------------------------------------------------------------------------


def assignment(
    place: Path,
    size: int,
    kind: Kind = "four exercises",
    *,
    hostile: bool = False,
    own_words: bool = False,
) -> Path:
    """Write nbgrader's folders: ``source`` and ``submitted``; returns the second."""
    solved, handed_out = chosen("solutions", kind), chosen("notebooks", kind)
    write(place / "source/ps1/01.ipynb", solved)
    answers = {cell["id"]: cell["source"] for cell in solved["cells"]}
    draw = random.Random(size)
    for number in range(size):
        notebook = copy.deepcopy(handed_out)
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in RIGHT:
                body = draw.choice([RIGHT, RIGHT, WRONG, BLANK])[name]
                if own_words:
                    body = f"    {number}\n{body}"
                cell["source"] = "".join(cell["source"]).replace(STUB, body)
                if name == "mse" and hostile and draw.random() < 0.3:
                    cell["source"] = draw.choice(HOSTILE)
            elif name:
                cell["source"] = answers[cell["id"]]
        write(place / f"submitted/learner{number:05}/ps1/01.ipynb", notebook)
    return place / "submitted"


def chosen(edition: str, kind: Kind) -> dict[str, Any]:
    """The lesson, or its prose, four of its exercises with their checks, and perhaps a plot."""
    notebook: dict[str, Any] = json.loads((ROOT / edition / f"{LESSON}.ipynb").read_text("utf-8"))
    if kind == "whole lesson":
        return notebook
    wanted = {*RIGHT, *(f"{name}-check" for name in RIGHT)}
    kept = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        or cell["metadata"].get("nbgrader", {}).get("grade_id") in wanted
    ]
    sources = (SETUP, PLOT) if kind == "and a plot" else (SETUP,)
    first = [code(f"extra-{number}", source) for number, source in enumerate(sources)]
    return {**notebook, "cells": [*first, *kept]}


def code(name: str, source: str) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": source}
    return {**cell, "execution_count": None, "outputs": []}


def write(path: Path, notebook: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook, indent=1), "utf-8")


def points_of(course: Path, python: Path) -> dict[tuple[str, str], float]:
    """Points by learner and exercise in nbgrader's own gradebook."""
    script = (
        "import json\nfrom nbgrader.api import Gradebook\n"
        "with Gradebook('sqlite:///gradebook.db') as book:\n"
        "    print(json.dumps([[s.student.id, g.name, g.auto_score]\n"
        "        for s in book.assignment_submissions('ps1')\n"
        "        for n in s.notebooks for g in n.grades]))"
    )
    said = subprocess.run([python, "-c", script], cwd=course, check=True, capture_output=True)
    found = json.loads(said.stdout)
    return {(learner, name.removesuffix("-check")): score for learner, name, score in found}


def differences(theirs: Mapping[tuple[str, str], float], grades: Path) -> list[str]:
    with grades.open(newline="") as file:
        rows = list(csv.DictReader(file))
    ours = {
        (row["submission"].split("/")[0], row["exercise"]): float(row["points"]) for row in rows
    }
    return [" ".join(answer) for answer in theirs if theirs[answer] != ours[answer]]


# --- the commands --------------------------------------------------------------------------------


def grade(submitted: Path, out: Path, jobs: int) -> Cost:
    command = "from course_lib.cli import main; main()"
    options = ["grade", submitted, "--out", out, "--jobs", jobs]
    return measured([sys.executable, "-c", command, *options], ROOT, size_of(submitted))


WARM = """
import os, resource, sys, time
from pathlib import Path

from course_lib.grading.gradebook import grade
submitted, out, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
grade([submitted], out / "first", jobs=jobs, seed=1)
def cpu():  # of the servers, too, which are still there
    import psutil
    own = psutil.Process()
    return sum(sum(one.cpu_times()[:4]) for one in (own, *own.children(recursive=True)))
before, start = cpu(), time.perf_counter()
grade([submitted], out / "second", jobs=jobs, seed=1)
print(time.perf_counter() - start, cpu() - before)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def warm(submitted: Path, out: Path, jobs: int) -> Cost:
    """The same class a second time in one process."""
    command = [sys.executable, "-c", WARM, str(submitted), str(out), str(jobs)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as `course grade` sets it
    said = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout
    return Cost(size_of(submitted), *map(float, said.split()))


def autograde(course: Path, python: Path, size: int) -> Cost:
    shutil.rmtree(course / "autograded", ignore_errors=True)  # else it has nothing to do
    return measured([python, "-m", "nbgrader", "autograde", "ps1"], course, size)


def size_of(submitted: Path) -> int:
    return len(list(submitted.iterdir()))


def installed(place: Path) -> Path:
    """An interpreter of a new environment with nbgrader."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    wanted = ["nbgrader>=0.9.3,<0.10", "ipykernel", "numpy", "matplotlib"]
    subprocess.run([python, "-m", "pip", "install", "-qq", *wanted], check=True)
    return python


def measured(command: Sequence[object], folder: Path, size: int = 1) -> Cost:
    """Run a command; what it says is shown if it fails."""
    words = [str(word) for word in command]
    scripts = str(Path(words[0]).parent)  # nbgrader calls alembic by its name
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder) if folder != ROOT else os.environ.get("HOME", ""),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode(errors="replace"))
    return Cost(size, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
