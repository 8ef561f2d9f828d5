"""Each lesson as on mybinder.org: 2 GB for all processes of a learner, one core.

    python tests/benchmarks/binder.py [LESSON ...]

Run it as root, in an environment made from requirements.lock. In a control group with the
memory limit of mybinder.org and without swap it starts JupyterLab by `binder/start`, as Binder
does, and beside it runs the learner's edition of each lesson with nothing in its cache. Prints
seconds, the peak of the kernel with the files it has mapped, the peak of all processes without such
files (they give way), and what this environment weighs. The status is 1 if a lesson fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from course_lib.lessons import Lesson, chosen, root

LIMIT = 2 * 1024**3
MIB = 1024**2
START = root() / "binder" / "start"
HEAVIEST = 8
# Version 2 of control groups, then version 1: folder, files of the limit, key of what is used.
GROUPS = (
    (Path("/sys/fs/cgroup"), {"memory.max": LIMIT, "memory.swap.max": 0}, "anon"),
    (Path("/sys/fs/cgroup/memory"), {"memory.limit_in_bytes": LIMIT}, "total_rss"),
)


class Group:
    """A control group of limited memory that remembers its peak while it is sampled."""

    def __init__(self) -> None:
        for parent, limits, key in GROUPS:
            if (parent / "cgroup.procs").exists():
                self.folder, self.key, self.peak = parent / f"course-{os.getpid()}", key, 0
                self.folder.mkdir()
                for name, limit in limits.items():
                    (self.folder / name).write_text(str(limit))
                return
        sys.exit("There are no control groups for memory here.")

    def join(self) -> None:
        """Put this process, and what it starts, into the group, on one core."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def used(self) -> int:
        stat = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        return int(stat[self.key])

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Watch the memory of the group in here."""
        self.peak, done = 0, threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                self.peak = max(self.peak, self.used())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@contextmanager
def jupyterlab(group: Group, folder: str) -> Iterator[None]:
    """The server of a learner, without a page open."""
    options = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--log-level=CRITICAL"]
    command = [START, sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, cwd=folder, preexec_fn=group.join, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def run(lesson: Lesson, group: Group, folder: str) -> bool:
    """Run one lesson in the group; says whether it came to its end."""
    report = Path(folder, "report.json")
    report.unlink(missing_ok=True)
    course = "from course_lib.cli import main; main()"
    command = [START, sys.executable, "-c", course, "run", lesson.name, "--json", report]
    environment = {**os.environ, "COURSE_CACHE": tempfile.mkdtemp(dir=folder)}
    with group.sampled():
        done = subprocess.run(
            command, env=environment, preexec_fn=group.join, stdout=subprocess.DEVNULL
        )
    if not report.exists():
        print(f"{lesson.name}: stopped with status {done.returncode}")
        return False
    [result] = json.loads(report.read_text())["lessons"]
    print(
        f"{lesson.name}: {result['seconds']:.0f} s, kernel {result['peak_memory'] / MIB:.0f} MiB, "
        f"all processes {group.peak / MIB:.0f} MiB, {result['error'] or 'ran to its end'}",
        flush=True,
    )
    return done.returncode == 0


def print_weight() -> None:
    """What the installed packages weigh, the heaviest by name."""
    weights = {
        distribution.metadata["Name"]: sum(
            path.stat().st_size
            for file in distribution.files or ()
            if (path := Path(str(distribution.locate_file(file)))).is_file()
        )
        for distribution in distributions()
    }
    print(f"{len(weights)} packages of {sum(weights.values()) / MIB:.0f} MiB in all")
    for name in sorted(weights, key=lambda name: -weights[name])[:HEAVIEST]:
        print(f"  {name} {weights[name] / MIB:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*")
    lessons = chosen(parser.parse_args().lessons)
    print_weight()
    group = Group()
    try:
        with tempfile.TemporaryDirectory() as folder, jupyterlab(group, folder):
            complete = [run(lesson, group, folder) for lesson in lessons]
    finally:
        group.folder.rmdir()
    sys.exit(not all(complete))


if __name__ == "__main__":
    main()
