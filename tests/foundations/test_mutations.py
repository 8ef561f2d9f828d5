"""The tests here notice known mistakes: a few, of which `tests/mutations.py` tries all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "mutations.py"
FEW = ("mse/half", "softmax/wrong-axis", "numerical_gradient/forward-difference")


@pytest.mark.slow
def test_a_few_known_mistakes_are_noticed() -> None:
    run = subprocess.run([sys.executable, SCRIPT, *FEW], capture_output=True, text=True)
    assert run.stdout.splitlines()[-1:] == ["3 of 3 mistakes caught"], run.stdout + run.stderr
    assert run.returncode == 0
