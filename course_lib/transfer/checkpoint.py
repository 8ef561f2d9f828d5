"""Training that a power cut cannot undo: everything it needs to go on, in one file.

An .npz of plain arrays: weights, states of dropout, moments of the optimizer, the best weights so
far, and the losses. It appears under its name only when it is complete.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from ..errors import CourseError
from ..files import atomic_write
from .layerwise import flat


class Saved(NamedTuple):
    """A training after some of its epochs.

    Attributes:
        state: of all variables of the model and of its optimizer.
        best: weights of the best epoch.
        losses, validation_losses, best_epoch: those of `Training`.
    """

    state: list[np.ndarray]
    best: list[np.ndarray]
    losses: list[float]
    validation_losses: list[float]
    best_epoch: int


def fingerprint(model: keras.Model, *decides: object) -> str:
    """Equal for trainings that would go the same way: layers, what trains, plan and data."""
    hashed = hashlib.sha256(" ".join(layer.compute_dtype for layer in flat(model)).encode())
    for weight in model.weights:  # not their names: Keras numbers layers without a name
        hashed.update(f"{weight.shape} {weight.trainable}".encode())
    for each in decides:
        content = np.ascontiguousarray(each).data if isinstance(each, np.ndarray) else repr(each)
        hashed.update(content.encode() if isinstance(content, str) else content)
    return hashed.hexdigest()


def state(model: keras.Model) -> list[np.ndarray]:
    """All that changes in training, the states of dropout included."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in _variables(model)]


def restore(model: keras.Model, state: list[np.ndarray]) -> None:
    """Put a model and its optimizer, which is built, into a state.

    Keras draws random numbers while it prepares the first epoch: call this after that.
    """
    for variable, array in zip(_variables(model), state, strict=True):
        variable.assign(array)


def write(path: Path, origin: str, saved: Saved) -> None:
    """Replace the file at ``path``.

    Raises:
        CourseError: it cannot be written.
    """
    arrays = {
        f"{kind} {number:05}": array
        for kind, group in (("state", saved.state), ("best", saved.best))
        for number, array in enumerate(group)
    } | {
        "origin": np.array(origin),
        "losses": np.array(saved.losses, float),
        "validation_losses": np.array(saved.validation_losses, float),
        "best_epoch": np.array(saved.best_epoch),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise CourseError(
            f"The checkpoint {path} cannot be written ({error.strerror}): name another file."
        ) from error


def read(path: Path, origin: str) -> Saved:
    """What `write` saved.

    Raises:
        CourseError: the file is damaged, or of a training with other data or another plan.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        belongs = str(arrays["origin"]) == origin
        state, best = (
            [arrays[name] for name in sorted(arrays) if name.startswith(f"{kind} ")]
            for kind in ("state", "best")
        )
        saved = Saved(
            state,
            best,
            arrays["losses"].tolist(),
            arrays["validation_losses"].tolist(),
            int(arrays["best_epoch"]),
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CourseError(f"The checkpoint {path} is damaged: delete it to start anew.") from error
    if not belongs:
        raise CourseError(
            f"The checkpoint {path} is of another training (other data, layers or plan): "
            "delete it or name another file."
        )
    return saved


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
