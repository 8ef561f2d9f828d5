"""Notebooks made from the sources of their cells, and right answers as plain code."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_lib.exercises import Case, Exercise, catalogue
from course_lib.grading.marking import mark

SETUP = "import numpy as np\nfrom course_lib.exercises import check"

RIGHT = {
    "mse": """
def mse(predictions, targets):
    return np.mean((predictions - targets) ** 2)
""",
    "numerical_gradient": """
def numerical_gradient(function, point, step=1e-5):
    gradient = np.zeros(np.shape(point))
    for index in np.ndindex(gradient.shape):
        up, down = np.array(point), np.array(point)
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient
""",
    "mse_gradient": """
def mse_gradient(predictions, targets):
    return 2 * (predictions - targets) / predictions.size
""",
    "softmax": """
def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
""",
    "cross_entropy": """
def cross_entropy(probabilities, labels):
    chosen = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(chosen, 1e-7)).mean()
""",
    "softmax_cross_entropy": """
def softmax_cross_entropy(logits, labels):
    top = logits.max(axis=1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return np.mean(total - logits[np.arange(len(labels)), labels])
""",
    "softmax_cross_entropy_gradient": """
def softmax_cross_entropy_gradient(logits, labels):
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
""",
    "train_softmax": """
def train_softmax(images, labels, num_classes, learning_rate, steps):
    weights, bias, losses = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes), []
    for _ in range(steps):
        logits = images @ weights + bias
        losses.append(softmax_cross_entropy(logits, labels))
        upstream = softmax_cross_entropy_gradient(logits, labels)
        weights = weights - learning_rate * images.T @ upstream
        bias = bias - learning_rate * upstream.sum(axis=0)
    return weights, bias, np.array(losses)
""",
}
MAX_POINTS = sum(exercise.points for exercise in catalogue().values() if exercise.name in RIGHT)
Row = dict[str, str]


def notebook(*cells: str) -> bytes:
    """A notebook with these code cells after the set-up cell."""
    return notebook_of((SETUP, *cells))


def notebook_of(cells: Iterable[str]) -> bytes:
    """A notebook with these code cells."""
    made = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    return nbformat.writes(made).encode()


def answers(**changed: str) -> list[str]:
    """A cell for each exercise of lesson 01, right but for those given."""
    return [changed.get(name, source) for name, source in RIGHT.items()]


def in_own_words(cells: Iterable[str], number: int) -> list[str]:
    """The same answers as texts that nobody else hands in: of one text the grader runs one."""
    return [
        re.sub(r"^( +)return", rf"\g<1>{number}\n\g<1>return", cell, flags=re.M) for cell in cells
    ]


def call_of_f(
    *cases: Case, reference: Callable[..., Any] = lambda x: x, seconds: float = 5.0
) -> Exercise:
    """An exercise to write a function `f`, which is called on these cases."""
    return Exercise(
        name="f",
        lesson="01_losses",
        points=1,
        reference=reference,
        cases=lambda rng: list(cases),
        misconceptions=(),
        think="",
        section="",
        seconds=seconds,
    )


def rows(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def marked() -> Callable[..., dict[str, dict[str, Any]]]:
    """Marks a notebook of these cells: the entry of each exercise by name."""

    def run(*cells: str, seed: int = 7, **options: Any) -> dict[str, dict[str, Any]]:
        entries, _ = mark(notebook(*cells), "01_losses", seed, **options)
        return {entry.exercise: entry.to_json() for entry in entries}

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes LEARNER.ipynb files into a new folder."""

    def write(**learners: bytes) -> Path:
        place = tmp_path / "class"
        place.mkdir(exist_ok=True)
        for learner, data in learners.items():
            (place / f"{learner}.ipynb").write_bytes(data)
        return place

    return write


def reports(out: Path) -> dict[str, bytes]:
    """Each file that grading writes, but for the records."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name != "results.jsonl"]
    return {path.relative_to(out).as_posix(): content(path) for path in files}


def content(path: Path) -> bytes:
    """All of a file; of a workbook, which holds the time when it was made, the sheet."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet1.xml")
