"""How long a check takes, how long the place to look, and how often it is found.

    python tests/benchmarks/check.py [LESSON ...]

On the wrong answers of ``tests/exercises/wrong_answers``, in seconds of this process; a lesson is
named by the beginning of its file's name.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "exercises"))

from learners import answers

from course_lib.exercises.judge import judged


def main(lessons: list[str]) -> None:
    checks, places, named, placed, either = [], [], 0, 0, 0
    for name, function in answers():
        if lessons and not name.startswith(tuple(lessons)):
            continue
        start = time.process_time()
        judgment = judged(function.__name__, function)
        checks.append(time.process_time() - start)
        start = time.process_time()
        verdict = judgment.located()
        places.append(time.process_time() - start)
        named += bool(verdict.misconception)
        placed += bool(verdict.place)
        either += bool(verdict.misconception or verdict.place)
    print(f"{len(checks)} wrong answers: {named} named, {placed} placed, {either} one or both")
    print(f"check: median {median(checks):.3f} s, at most {max(checks):.3f} s")
    print(f"place: median {median(places):.2f} s, at most {max(places):.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
