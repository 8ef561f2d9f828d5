"""What `fit` is given to fine-tune: batches of variants of images, and a backup to resume from."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..errors import CourseError, UsageError

STOPPING = ("best", "wait", "best_epoch", "stopped_epoch")
"""What `EarlyStopping` knows beside the best weights."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no type hints
    """Batches of examples, in another order and in other variants in each epoch of `fit`.

    The order follows from the seed and the epoch alone if `fit` has ``shuffle=False``; otherwise
    Keras draws the order of the batches anew. Bytes and half precision stay what they are until
    they are on the device. (TensorFlow keeps what `fit` was given until the process ends: give the
    same arrays to several trainings, not copies of them.)

    Args:
        variants: arrays (N, ...), the same examples in each; one variant of an example is drawn
            in each epoch (see `finetune.FLIPS`).
        labels: (N,) or (N, 1) integers from 0, or (N, C) probabilities of the classes.
        chosen: the examples to learn from: indices, a mask (N,) or a slice.
        batch_size: examples in a batch; the last one may be smaller.
        seed: of the order and of the variants.

    Attributes:
        epoch: number of the next epoch, from 0; see `Backup`.

    Raises:
        UsageError: variants and labels differ in length or variants in shape, labels are neither
            classes nor probabilities, there is nothing to learn from, or images are in 0..1.
    """

    def __init__(
        self,
        variants: Sequence[np.ndarray],
        labels: Sequence[int] | np.ndarray,
        chosen: Any = slice(None),
        batch_size: int = 32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.variants = [np.asarray(variant) for variant in variants]
        self.labels = _checked(np.asarray(labels))
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0
        shapes = {variant.shape for variant in self.variants}
        if len(shapes) != 1 or shapes == {()}:
            raise UsageError(
                "Variants are a list of arrays of one shape, [images] if there is only one: these "
                f"have {' and '.join(map(str, sorted(shapes))) or 'none'}."
            )
        for variant in self.variants:
            _refuse_prepared(variant)
        if len(self.variants[0]) != len(self.labels):
            raise UsageError(
                "Labels and variants need one entry for each example, and variants are a list, "
                f"[images] if there is only one: there are {len(self.labels)} labels for "
                f"{len(self.variants[0])} examples."
            )
        try:
            whole = np.arange(len(self.labels))
            self.chosen = whole[chosen if isinstance(chosen, slice) else [*chosen]]
        except (IndexError, TypeError, ValueError):
            self.chosen = whole[[]]
        if not len(self.chosen) or self.chosen.ndim != 1:
            raise UsageError(
                f"These choose nothing to learn from: {str(chosen)[:40]}. Give indices below "
                f"{len(whole)}, a mask of {len(whole)} booleans or a slice."
            )
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise UsageError(f"batch_size is {batch_size!r}: give a whole number, 1 or more.")
        self._shuffle()

    def __len__(self) -> int:
        return math.ceil(len(self.chosen) / self.batch_size)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(number * self.batch_size, (number + 1) * self.batch_size)
        rows, picked = self._order[part], self._picks[part]
        x = np.empty((len(rows), *self.variants[0].shape[1:]), _carried(self.variants))
        for variant, array in enumerate(self.variants):
            x[picked == variant] = array[rows[picked == variant]]
        return x, self.labels[rows]

    def on_epoch_begin(self) -> None:
        """Shuffle. (Keras calls `on_epoch_end` once before the first epoch, too.)"""
        self._shuffle()
        self.epoch += 1

    def _shuffle(self) -> None:
        random = np.random.default_rng((self.seed, self.epoch))
        self._order = random.permutation(self.chosen)
        self._picks = random.integers(len(self.variants), size=len(self.chosen))


def _checked(labels: np.ndarray) -> np.ndarray:
    """Keras would round fractions and call them classes, and a class below 0 gives it NaN."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        if labels.min() < 0 or not np.allclose(labels.sum(axis=1), 1, atol=1e-3):
            raise UsageError(
                "Labels of shape (N, C) are probabilities: none below 0, and those of each example "
                "add up to 1."
            )
    elif labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise UsageError(
            f"These labels ({labels.dtype}, shape {labels.shape}) are no classes: take integers "
            "from 0, or for each example the probabilities of all classes, (N, C)."
        )
    return labels


def _refuse_prepared(variant: np.ndarray) -> None:
    """A model of `finetune.assemble` would take images in 0..1 for black ones, without a word."""
    colored = variant.ndim == 4 and variant.shape[3] in (1, 3)
    if not colored or not np.issubdtype(variant.dtype, np.floating):
        return
    high = float(variant.max(initial=0))
    if 0 < high <= 1:
        raise UsageError(
            f"These images have values up to {high:.3g}, but the course's networks take RGB 0..255 "
            "and prepare it themselves: give the images as they were read."
        )


def _carried(variants: Sequence[np.ndarray]) -> np.dtype[Any]:
    """Type in which examples go to the device: their own if it is small, float32 otherwise."""
    [dtype, *others] = {variant.dtype for variant in variants}
    return dtype if not others and dtype in (np.uint8, np.float16) else np.dtype(np.float32)


class Backup(keras.callbacks.BackupAndRestore):  # type: ignore[misc]  # Keras has no type hints
    """Keras' `BackupAndRestore`, after which training ends as if nothing had interrupted it.

    Keras keeps weights, optimizer and epoch. Here are also kept, after each epoch: the random
    state of dropout, what `EarlyStopping` has seen, and the place in the order of `Batches`. A
    backup is complete or not there, whenever the process is killed, and it stays when training
    has ended: the same `fit` again ends at once, with the same weights.

    Args:
        folder: of this training alone.
        batches: what `fit` is given, with ``shuffle=False``.
        stopping: the callback that may end the training; list it before this one.

    Raises:
        CourseError: by `fit`: the backup is damaged or of another training, or cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        batches: Batches,
        stopping: keras.callbacks.EarlyStopping | None = None,
    ) -> None:
        self.folder, self.batches, self.stopping = Path(folder), batches, stopping
        self._unfinished = self.folder / "unfinished"
        super().__init__(str(self._unfinished), delete_checkpoint=False)

    def on_train_begin(self, logs: Any = None) -> None:
        """Go on from the last complete backup, if there is one."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self.batches.epoch = 0
        finished = self._finished()
        if not finished:
            return
        try:
            with np.load(finished[-1] / "rest.npz", allow_pickle=False) as file:
                rest = dict(file)
            if str(rest["origin"]) != self._origin():
                raise CourseError(
                    f"The backup in {self.folder} is of another training (other data, layers or "
                    "settings): delete it or name another folder."
                )
            shutil.copytree(finished[-1], self._unfinished)
            super().on_train_begin(logs)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CourseError(
                f"The backup in {self.folder} is damaged: delete it to start anew."
            ) from error
        for number, variable in enumerate(_unsaved(self.model)):
            variable.assign(rest[f"state {number}"])
        self.batches.epoch = self.model._initial_epoch
        if self.stopping is not None:
            self._restore_stopping(self.stopping, rest)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the backup of this epoch, then delete the one before."""
        rest = {
            f"state {number}": keras.ops.convert_to_numpy(variable)
            for number, variable in enumerate(_unsaved(self.model))
        }
        if self.stopping is not None:
            rest |= {name: np.array(getattr(self.stopping, name), float) for name in STOPPING}
            best = self.stopping.best_weights or []
            rest |= {f"best {number:05}": array for number, array in enumerate(best)}
        earlier = self._finished()
        try:
            super().on_epoch_end(epoch, logs)
            np.savez(self._unfinished / "rest.npz", origin=np.array(self._origin()), **rest)
            self._unfinished.rename(self.folder / f"epoch-{epoch + 1:05}")
        except OSError as error:
            raise CourseError(
                f"The backup {self.folder} cannot be written ({error.strerror or error}): "
                "name another folder."
            ) from error
        for folder in earlier:
            shutil.rmtree(folder)

    def on_train_end(self, logs: Any = None) -> None:
        """Let the next `fit` of this model begin with its first epoch."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self.model._initial_epoch = None

    def _restore_stopping(
        self, stopping: keras.callbacks.EarlyStopping, rest: dict[str, np.ndarray]
    ) -> None:
        stopping.best = None if np.isnan(rest["best"]) else float(rest["best"])
        for name in STOPPING[1:]:
            setattr(stopping, name, int(rest[name]))
        best = [rest[name] for name in sorted(rest) if name.startswith("best ")]
        stopping.best_weights = best or None
        if stopping.stopped_epoch:
            self.model._initial_epoch = self.params["epochs"]

    def _finished(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*"))

    def _origin(self) -> str:
        """Equal for trainings that would go the same way: layers, what trains, data, settings."""
        batches, optimizer = self.batches, self.model.optimizer.get_config()
        shapes = [(weight.shape, weight.trainable) for weight in self.model.weights]
        told = [shapes, self.params["epochs"], batches.batch_size, batches.seed]
        told += [len(batches.variants), json.dumps(optimizer, sort_keys=True, default=repr)]
        hashed = hashlib.sha256(repr(told).encode())
        for array in (batches.labels, batches.chosen):
            hashed.update(np.ascontiguousarray(array).data)
        return hashed.hexdigest()


def _unsaved(model: keras.Model) -> list[keras.Variable]:
    """What changes in training but is not among the weights: the states of dropout."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]
