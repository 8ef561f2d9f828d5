"""Fine-tuning: a head on a backbone, and which of its layers may move.

Stages that stay frozen always say the same about an image. So they are computed once (see
`features.maps`), and the model that trains begins behind them: `assemble(..., start=...)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ..errors import UsageError
from ..foundations.fine_tuning import trainable_mask
from .backbones import Backbone, listed
from .features import POOLINGS, poolings
from .layerwise import flat

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

    Raises:
        UsageError: the features are no such table of numbers, or there are fewer than two classes.
    """
    features = np.asarray(features)
    if features.ndim != 2 or not features.size or not np.isfinite(features).all():
        raise UsageError(
            f"A head learns from rows of finite numbers, (N, F), not from shape {features.shape}"
            f"{' with NaN or infinity' if features.ndim == 2 and features.size else ''}."
        )
    if num_classes < 2:
        raise UsageError("A head has a logit for each class: num_classes is 2 or more.")
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
    stages: str | Sequence[str],
    pooling: str | Sequence[str] = ("average",),
    start: str = "",
) -> keras.Model:
    """Backbone and head as one model, which shares its layers with both.

    Everything but the head is frozen, in the backbone too; `unfreeze` changes that. Training then
    changes the backbone. A model that begins at the images computes with whatever it is given: give
    it what `Backbone.rgb` has checked.

    Args:
        backbone: see `backbones.load`.
        head: takes what `features.pooled` gives for these stages and this pooling.
        stages: what the head sees, one name or several; stages behind the last of them are left
            out.
        pooling: "average", "maximum" or both.
        start: stage behind which the model begins; it takes the maps of that stage, as
            `features.maps` computes them. The images themselves, RGB 0..255, if it is empty.

    Returns:
        Model from images (N, S, S, 3), or maps (N, s, s, K), to logits (N, C).

    Raises:
        UsageError: there is no such stage or pooling, a stage lies before the start, or the head
            takes another number of features.
    """
    rows = _pooled(backbone, stages, pooling)
    inputs = _start(backbone, start, stages) if start else backbone.model.input
    try:
        logits = head(rows)
    except ValueError:
        raise UsageError(
            f"This head does not take the {rows.shape[1]} numbers that {', '.join(listed(stages))} "
            f"with {' and '.join(listed(pooling))} pooling give for each image."
        ) from None
    for layer in backbone.model.layers:
        layer.trainable = False
    return keras.Model(inputs, logits, name=f"{backbone.name}-classifier")


def tail(
    backbone: Backbone,
    start: str,
    stages: str | Sequence[str],
    pooling: str | Sequence[str] = ("average",),
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
        UsageError: there is no such stage or pooling, or a stage lies before the start.
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

    Batch normalization stays frozen by ``trainable=False`` on each such layer, which keeps its
    stored statistics and puts it into inference mode. Nothing else does: in Keras 3, `fit`
    overrides ``training=False`` in the call of a functional model.

    Args:
        model: compile it after this.
        first_trainable: name of a layer, or of a stage for its first layer; "logits" for the head
            alone.

    Returns:
        How many numbers train.

    Raises:
        UsageError: no layer and no stage has this name.
    """
    layers = flat(model)
    names = [layer.name for layer in layers]
    if first_trainable not in names:
        of_stage = [name for name in names if name.startswith(f"{first_trainable}_")]
        if not of_stage:
            raise UsageError(
                f"This model has no layer and no stage {first_trainable!r}; "
                f"its last layer is {names[-1]!r}."
            )
        first_trainable = of_stage[0]
    normalizes = [isinstance(layer, keras.layers.BatchNormalization) for layer in layers]
    mask = trainable_mask(names, first_trainable, np.array(normalizes))
    for layer, trains in zip(layers, mask, strict=True):
        layer.trainable = bool(trains)
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def _start(backbone: Backbone, start: str, stages: str | Sequence[str]) -> Any:
    """Symbolic maps of a stage that lies before the others."""
    names = list(backbone.stages)
    [maps] = backbone.up_to(start).outputs
    early = [stage for stage in listed(stages) if names.index(stage) < names.index(start)]
    if early:
        raise UsageError(f"A model that starts behind {start} cannot see {', '.join(early)}.")
    return maps


def _pooled(backbone: Backbone, stages: str | Sequence[str], pooling: str | Sequence[str]) -> Any:
    """Symbolic rows of features, in the order of `features.pooled`."""
    maps = backbone.up_to(*listed(stages)).outputs
    rows = [POOLINGS[name]()(each) for each in maps for name in poolings(pooling)]
    return keras.layers.Concatenate()(rows) if len(rows) > 1 else rows[0]
