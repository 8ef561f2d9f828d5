"""Fine-tuning: a head on a backbone, which of its layers may move, how fast, and for how long.

Stages that stay frozen always say the same about an image. So they are computed once (see
`features.maps`), and the model that trains begins behind them: `assemble(..., start=...)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from ..errors import UsageError
from ..foundations.fine_tuning import trainable_mask
from ..progress_bar import track
from . import checkpoint as checkpoints
from .backbones import Backbone
from .devices import memory_error, out_of_memory
from .features import POOLINGS
from .layerwise import LayerwiseAdamW, flat
from .prefetch import Ahead

FLIPS: dict[str, tuple[int, ...]] = {
    "as it is": (),
    "mirrored": (2,),
    "upside down": (1,),
    "turned by 180°": (1, 2),
}
"""Axes of (N, S, S, C) along which each variant of an image is turned round.

All that a solar cell allows: its fingers and busbars run the same way in each, which a quarter
turn would change.
"""


# --- models ------------------------------------------------------------------------------------


def head(
    features: np.ndarray, num_classes: int, *, dropout: float = 0.2, l2: float = 1e-3, seed: int = 0
) -> keras.Model:
    """A linear classifier that standardizes its inputs first; dropout and L2 are lesson 02's.

    Args:
        features: (N, F), those to learn from; their means and deviations stay in the model.
        num_classes: C.
        dropout: share of the standardized features that a step of training leaves out.
        l2: strength of the penalty on the weights, not on the biases.
        seed: of dropout. The weights start at zero: a convex problem needs no random start.

    Returns:
        Model from (N, F) to logits (N, C), in float32 whatever the precision.
    """
    inputs = keras.Input(features.shape[1:], name="features")
    deviation = features.std(axis=0, dtype=np.float64)
    standardized = keras.layers.Normalization(
        mean=features.mean(axis=0, dtype=np.float64),
        variance=np.where(deviation > 0, deviation, 1.0) ** 2,
        dtype="float32",
        name="standardized",
    )(inputs)
    kept = keras.layers.Dropout(dropout, seed=seed, dtype="float32", name="dropout")(standardized)
    logits = keras.layers.Dense(
        num_classes,
        kernel_initializer="zeros",
        kernel_regularizer=keras.regularizers.L2(l2),
        dtype="float32",
        name="logits",
    )(kept)
    return keras.Model(inputs, logits, name="head")


def assemble(
    backbone: Backbone,
    head: keras.Model,
    stages: Sequence[str],
    pooling: Sequence[str] = ("average",),
    start: str = "",
) -> keras.Model:
    """Backbone and head as one model, which shares its layers with both.

    Training it changes the backbone, whose name in the cache of features stays: compute features
    before, or set the weights back.

    Args:
        backbone: see `backbones.load`.
        head: takes what `features.pooled` gives for these stages and this pooling.
        stages: what the head sees; stages behind the last of them are left out.
        pooling: "average", "maximum" or both.
        start: stage behind which the model begins; it takes the maps of that stage, as
            `features.maps` computes them. The images themselves, RGB 0..255, if it is empty.

    Returns:
        Model from images (N, S, S, 3), or maps (N, s, s, K), to logits (N, C).

    Raises:
        UsageError: there is no such stage, or a stage lies before the start.
    """
    rows = _pooled(backbone, stages, pooling)
    inputs = _start(backbone, start, stages) if start else backbone.model.input
    return keras.Model(inputs, head(rows), name=f"{backbone.name}-classifier")


def tail(
    backbone: Backbone, start: str, stages: Sequence[str], pooling: Sequence[str] = ("average",)
) -> keras.Model:
    """The way from the maps of one stage to what a head sees, to be gone once for each image.

    Args:
        backbone: see `backbones.load`.
        start: stage whose maps the model takes, as `features.maps` computes them.
        stages: see `assemble`.
        pooling: see `assemble`.

    Returns:
        Model from (N, s, s, K) to the rows that `features.pooled` gives, (N, F).

    Raises:
        UsageError: there is no such stage, or a stage lies before the start.
    """
    rows = _pooled(backbone, stages, pooling)
    return keras.Model(_start(backbone, start, stages), rows)


def stage_start(backbone: Backbone, stage: str) -> str:
    """Name of the first layer of a stage.

    Raises:
        UsageError: there is no such stage.
    """
    backbone.up_to(stage)
    names = list(backbone.stages)
    before = names.index(stage) - 1
    layers: list[str] = [layer.name for layer in backbone.model.layers]
    end = backbone.stages[names[before]] if before >= 0 else backbone.prepared
    return layers[layers.index(end) + 1]


def unfreeze(model: keras.Model, first_trainable: str) -> int:
    """Let the layers from the named one on train, and no other; see `trainable_mask`.

    Batch normalisation stays frozen by ``trainable=False`` on each such layer, which keeps its
    stored statistics and puts it into inference mode. Nothing else does: in Keras 3, `fit`
    overrides ``training=False`` in the call of a functional model.

    Args:
        model: compile it after this, or let `fine_tune` do so.
        first_trainable: name of a layer; "logits" for the head alone.

    Returns:
        How many numbers train.

    Raises:
        UsageError: no layer has this name.
    """
    layers = flat(model)
    names = [layer.name for layer in layers]
    if first_trainable not in names:
        raise UsageError(f"This model has no layer {first_trainable!r}; its last is {names[-1]!r}.")
    normalises = [isinstance(layer, keras.layers.BatchNormalization) for layer in layers]
    mask = trainable_mask(names, first_trainable, np.array(normalises))
    for layer, trains in zip(layers, mask, strict=True):
        layer.trainable = bool(trains)
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def _start(backbone: Backbone, start: str, stages: Sequence[str]) -> Any:
    """Symbolic maps of a stage that lies before the others."""
    names = list(backbone.stages)
    [maps] = backbone.up_to(start).outputs
    early = [stage for stage in stages if names.index(stage) < names.index(start)]
    if early:
        raise UsageError(f"A model that starts behind {start} cannot see {', '.join(early)}.")
    return maps


def _pooled(backbone: Backbone, stages: Sequence[str], pooling: Sequence[str]) -> Any:
    """Symbolic rows of features, in the order of `features.pooled`."""
    maps = backbone.up_to(*stages).outputs
    rows = [POOLINGS[name]()(each) for each in maps for name in pooling]
    return keras.layers.Concatenate()(rows) if len(rows) > 1 else rows[0]


# --- training ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        epochs: at most.
        batch_size: examples in a step, of all devices together. It is part of the recipe and does
            not follow the memory: the result depends on it.
        learning_rate: of the last group of layers, at its highest.
        layer_decay: factor on the rate from group to group towards the input.
        warmup: share of all steps over which the rate rises from 0; then half a cosine to 0.
        weight_decay: of AdamW, times the learning rate.
        patience: epochs without a better validation loss after which training stops; never, if 0.
        seed: of the order of the examples and of their variants.
    """

    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 5e-4
    layer_decay: float = 0.5
    warmup: float = 0.1
    weight_decay: float = 0.01
    patience: int = 0
    seed: int = 0

    def schedule(self, examples: int) -> keras.optimizers.schedules.CosineDecay:
        """The learning rate by step: `cosine_with_warmup` of lesson 03, as Keras has it."""
        total = self.epochs * math.ceil(examples / self.batch_size)
        warm = max(1, round(self.warmup * total))
        return keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total - warm), warmup_target=self.learning_rate, warmup_steps=warm
        )


@dataclass
class Training:
    """What happened.

    Attributes:
        losses: of the training examples, an epoch each.
        validation_losses: an epoch each; empty without validation examples.
        best_epoch: whose weights the model has now, from 1; 0 if no epoch was completed.
        ended: why it ended.
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    ended: Literal["complete", "stopped early", "interrupted"] = "complete"


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no type hints
    """Batches of examples in a given order, each example in one of its variants.

    Each batch is made while the device computes with the one before. Bytes and half precision stay
    what they are until they are on the device.

    Args:
        variants: arrays (N, ...), the same examples in each; bytes or any float type.
        labels: (N,) integers, or (N, C) probabilities of the classes.
        weights: (N,) of the examples in the loss.
        order: indices of the examples, each batch takes the next ones.
        picks: which variant, for each entry of ``order``.
        batch_size: the last batch may be smaller.
    """

    def __init__(
        self,
        variants: Sequence[np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray,
        order: np.ndarray,
        picks: np.ndarray,
        batch_size: int,
    ) -> None:
        super().__init__()
        dtype = _carried(variants)

        def batch(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            part = slice(number * batch_size, (number + 1) * batch_size)
            chosen, picked = order[part], picks[part]
            x = np.empty((len(chosen), *variants[0].shape[1:]), dtype)
            for variant, array in enumerate(variants):
                x[picked == variant] = array[chosen[picked == variant]]
            return x, labels[chosen], weights[chosen]

        self._batches = Ahead(batch, math.ceil(len(order) / batch_size))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._batches[number]


def _carried(variants: Sequence[np.ndarray]) -> np.dtype[Any]:
    """Type in which examples go to the device: their own if it is small, float32 otherwise."""
    [dtype, *others] = {variant.dtype for variant in variants}
    return dtype if not others and dtype in (np.uint8, np.float16) else np.dtype(np.float32)


def fine_tune(
    model: keras.Model,
    variants: Sequence[np.ndarray],
    labels: np.ndarray,
    plan: Plan,
    *,
    train: np.ndarray,
    validation: np.ndarray | None = None,
    class_weights: np.ndarray | None = None,
    ends: Sequence[str] = (),
    checkpoint: Path | None = None,
) -> Training:
    """Train what is not frozen with AdamW, layer-wise rates, warm-up and cosine.

    The model ends with the best weights: those of the epoch with the lowest validation loss or,
    without validation examples, those of the last epoch. Ctrl-C (Interrupt in JupyterLab) ends
    the training early, keeps the best so far and says so.

    Args:
        model: gives logits (N, C); see `assemble` and `unfreeze`.
        variants: what the model takes, (N, ...), once for each variant of the images that
            training may choose from at random (see `FLIPS`). Validation uses the first.
        labels: (N,) integers in 0..C-1; or (N, C), what is believed of each example, as
            probabilities of the classes that add up to 1.
        plan: how to train.
        train: indices of the examples to learn from.
        validation: indices of the examples that choose the epoch.
        class_weights: (C,), see `foundations.fine_tuning.class_weights`; an example with
            probabilities for a label gets the weight that is to be expected.
        ends: last layers of stages, which separate the groups of layers with one rate each
            (`Backbone.stages` has them as values).
        checkpoint: file to which each finished epoch is saved. If it exists, training goes on
            from there, and ends with the weights that it would have had without the break.

    Raises:
        UsageError: everything is frozen, or the data do not fit each other or the model.
        CourseError: the memory is exhausted, or the checkpoint is damaged or of another training.
    """
    _check(model, variants, labels, class_weights, train, validation)
    weights = _example_weights(labels, class_weights)
    loss = (
        keras.losses.SparseCategoricalCrossentropy
        if labels.ndim == 1
        else keras.losses.CategoricalCrossentropy
    )
    model.compile(
        LayerwiseAdamW.by_group(
            plan.schedule(len(train)), model, ends, plan.layer_decay, plan.weight_decay
        ),
        loss(from_logits=True),
    )
    model.optimizer.build(model.trainable_variables)
    run = Training()
    state: list[np.ndarray] = []
    best = model.get_weights()
    origin = checkpoints.fingerprint(model, plan, labels, weights, train, validation)
    if checkpoint is not None and checkpoint.exists():
        state, best, run.losses, run.validation_losses, run.best_epoch = checkpoints.read(
            checkpoint, origin
        )
    steps = math.ceil(len(train) / plan.batch_size)
    bar: Any = track(range(plan.epochs * steps), "Fine-tuning", "batches")
    for _ in range(len(run.losses) * steps + 1):  # the first shows the bar
        next(bar, None)
    try:
        for epoch in range(len(run.losses), plan.epochs):
            if plan.patience and epoch - run.best_epoch >= plan.patience:
                run.ended = "stopped early"
                break
            random = np.random.default_rng((plan.seed, epoch))
            order = random.permutation(train)
            picks = random.integers(len(variants), size=len(order))
            batches = Batches(variants, labels, weights, order, picks, plan.batch_size)
            history = model.fit(
                batches,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                shuffle=False,  # of batches; the examples in them are in random order already
                callbacks=[_Epoch(bar, state)],
            )
            state = []
            run.losses.append(float(history.history["loss"][-1]))
            if validation is not None:
                held_out = Batches(
                    variants[:1], labels, weights, validation, 0 * validation, plan.batch_size
                )
                run.validation_losses.append(float(model.evaluate(held_out, verbose=0)))
            losses = run.validation_losses
            if validation is None or losses[-1] <= min(losses):
                best, run.best_epoch = model.get_weights(), epoch + 1
            if checkpoint is not None:
                saved = checkpoints.Saved(
                    checkpoints.state(model), best, run.losses, losses, run.best_epoch
                )
                checkpoints.write(checkpoint, origin, saved)
    except KeyboardInterrupt:
        run.ended = "interrupted"
        print(_interrupted(run, plan))
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise memory_error(plan.batch_size, model.input_shape) from error
    finally:
        bar.close()
    model.set_weights(best)
    return run


class _Epoch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no type hints
    """Begins an epoch in a saved state, if there is one, and moves a bar on after each batch."""

    def __init__(self, bar: Iterator[Any], state: list[np.ndarray]) -> None:
        super().__init__()
        self._bar, self._state = bar, state

    def on_train_begin(self, logs: Any = None) -> None:
        if self._state:
            checkpoints.restore(self.model, self._state)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Not at its end: for that Keras would wait for the device after each batch."""
        if batch:
            next(self._bar, None)

    def on_train_end(self, logs: Any = None) -> None:
        next(self._bar, None)


def _interrupted(run: Training, plan: Plan) -> str:
    if not run.best_epoch:
        return "Interrupted before an epoch was complete: the model is as it was."
    return (
        f"Interrupted after {len(run.losses)} of {plan.epochs} epochs: "
        f"the model has the weights of epoch {run.best_epoch}, the best so far."
    )


def _example_weights(labels: np.ndarray, class_weights: np.ndarray | None) -> np.ndarray:
    if class_weights is None:
        return np.ones(len(labels), np.float32)
    weights = np.asarray(class_weights, np.float32)
    chosen: np.ndarray = weights[labels] if labels.ndim == 1 else labels @ weights
    return chosen


def _check(
    model: keras.Model,
    variants: Sequence[np.ndarray],
    labels: np.ndarray,
    class_weights: np.ndarray | None,
    *indices: np.ndarray | None,
) -> None:
    """One sentence for what would otherwise be an error deep inside Keras, or silence."""
    lengths = {len(array) for array in (*variants, labels)}
    if len(lengths) != 1:
        raise UsageError(
            "Labels and variants need one entry for each example: they have "
            f"{', '.join(map(str, sorted(lengths)))} entries."
        )
    for chosen in indices:
        if chosen is not None and not len(chosen):
            raise UsageError("There are no examples to learn from, or none to validate on.")
    if labels.ndim == 2:
        if labels.min() < 0 or not np.allclose(labels.sum(axis=1), 1, atol=1e-3):
            raise UsageError(
                "Labels of shape (N, C) are probabilities: none below 0, and those of each example "
                "add up to 1."
            )
    elif not np.issubdtype(labels.dtype, np.integer):
        raise UsageError(
            f"Labels of type {labels.dtype} are no classes: take integers, or for each example the "
            "probabilities of all classes, (N, C)."
        )
    classes, told = model.output_shape[-1], labels.shape[1] if labels.ndim == 2 else None
    highest = int(labels.max()) if told is None else told - 1
    if class_weights is not None and len(class_weights) <= highest:
        raise UsageError(f"There are {len(class_weights)} class weights, but a label is {highest}.")
    if highest >= classes or told not in (None, classes):
        raise UsageError(f"The model tells {classes} classes apart, but the labels {highest + 1}.")
