"""Exercises, the judge, and `check` for notebooks."""

from .catalogue import catalogue
from .check import check
from .exercise import Case, Exercise, Formula, Misconception, Outcome, Verdict
from .judge import judge

__all__ = [
    "Case",
    "Exercise",
    "Formula",
    "Misconception",
    "Outcome",
    "Verdict",
    "catalogue",
    "check",
    "judge",
]
