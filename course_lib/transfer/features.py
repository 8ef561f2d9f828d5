"""Features of images, computed once: what the stages of a backbone say about each image.

Each chunk of images is stored as soon as it is computed, under a key of everything that decides
its values. So an interrupted run goes on where it stopped, two processes cannot disturb each
other, and whatever changes is computed anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np

from ..errors import UsageError
from ..files import whole
from .backbones import Backbone
from .progress import progress

CHUNK = 128
"""Images in a file; no more than these are computed again after an interruption."""
FORMAT = 1
"""To be raised when this module or a network changes what it computes."""
ABANDONED = 3600.0
"""Seconds after which an unfinished file belongs to a process that was killed."""
POOLINGS: dict[str, type[keras.Layer]] = {
    "average": keras.layers.GlobalAveragePooling2D,
    "maximum": keras.layers.GlobalMaxPooling2D,
}

Preprocess = Callable[[np.ndarray], np.ndarray]


class Output(NamedTuple):
    """What is computed: a stage, and how its maps are pooled ("" for the maps themselves)."""

    stage: str
    pooling: str


def cache_folder() -> Path:
    """Where features are kept: `$COURSE_CACHE`, else this platform's folder for caches.

    Everything in it can be deleted at any time.
    """
    from platformdirs import user_cache_path

    chosen = os.environ.get("COURSE_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("transfer-learning-course")


def pooled(
    backbone: Backbone,
    images: np.ndarray,
    stages: Sequence[str] = (),
    pooling: Sequence[str] = ("average",),
    *,
    preprocess: Preprocess | None = None,
    batch_size: int = 32,
) -> np.ndarray:
    """One row of numbers for each image, from the cache as far as they are there.

    Args:
        backbone: see `backbones.load`.
        images: (N, S, S, 3) or (N, S, S, 1), as the backbone takes them.
        stages: names of stages; the last one if there are none.
        pooling: "average", "maximum" or both: what becomes of each channel of a stage.
        preprocess: takes the place of the backbone's own preprocessing, from RGB 0..255 in
            float32, (n, S, S, 3), to what the network gets: to measure what a wrong one costs.
        batch_size: images in one call of the network.

    Returns:
        (N, F) float32: for each stage and each pooling the channels of that stage.

    Raises:
        UsageError: there are no images, the backbone does not take them or has no such stage,
            or there is no such pooling.
        KeyboardInterrupt: what is finished is kept; the same call goes on from there.
    """
    unknown = [name for name in pooling if name not in POOLINGS]
    if unknown or not pooling:
        raise UsageError(
            f"There is no pooling {', '.join(unknown) or 'without a name'}: "
            f"there are {', '.join(POOLINGS)}."
        )
    names = stages or list(backbone.stages)[-1:]
    outputs = [Output(stage, name) for stage in names for name in pooling]
    return np.concatenate(_computed(backbone, images, outputs, preprocess, batch_size), axis=1)


def maps(
    backbone: Backbone, images: np.ndarray, stage: str = "", *, batch_size: int = 32
) -> np.ndarray:
    """Feature maps of one stage (the last one, if none is named), cached as in `pooled`.

    Returns:
        (N, s, s, K) float32.

    Raises:
        UsageError, KeyboardInterrupt: see `pooled`.
    """
    output = Output(stage or list(backbone.stages)[-1], "")
    return _computed(backbone, images, [output], None, batch_size)[0]


def _computed(
    backbone: Backbone,
    images: np.ndarray,
    outputs: Sequence[Output],
    preprocess: Preprocess | None,
    batch_size: int,
) -> list[np.ndarray]:
    """For each output an array with a row for each image."""
    images = backbone.checked(images)
    backbone.up_to(*(output.stage for output in outputs))  # an unknown stage is refused first
    if not len(images):
        raise UsageError("There are no images to compute features of.")
    folder = cache_folder() / "features"
    origin = _origin(backbone, preprocess)
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    names = [_names(origin, chunk, outputs) for chunk in chunks]
    paths = [[folder / f"{name}.npy" for name in row] for row in names]
    found = [[_read(path) for path in row] for row in paths]
    lacking = [number for number, row in enumerate(found) if any(part is None for part in row)]
    if lacking:
        forward = _forward(backbone, outputs, preprocess, min(batch_size, len(images)))
        kept, trouble = len(chunks) - len(lacking), None
        try:
            for number in progress(lacking, f"Features by {backbone.name}", f"x {CHUNK} images"):
                made = forward(chunks[number])
                found[number] = [*made]
                trouble = trouble or _write_all(paths[number], made)
                kept += not trouble
        except KeyboardInterrupt:
            print(f"Interrupted: {kept} of {len(chunks)} parts are kept; run it again to go on.")
            raise
        if trouble:
            print(f"Features cannot be kept for the next time ({trouble}): {folder}")
        _sweep(folder)
    columns = zip(*found, strict=True)
    return [np.concatenate([part for part in parts if part is not None]) for parts in columns]


def _forward(
    backbone: Backbone, outputs: Sequence[Output], preprocess: Preprocess | None, batch_size: int
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """From a chunk of images to its outputs, in batches of one size, so that one is compiled."""
    model = _model(backbone, tuple(outputs), prepared=preprocess is not None)

    def forward(chunk: np.ndarray) -> list[np.ndarray]:
        batches = []
        for start in range(0, len(chunk), batch_size):
            batch = backbone.rgb(chunk[start : start + batch_size])
            if preprocess is not None:
                batch = np.asarray(preprocess(batch), np.float32)
            if len(batch) < batch_size:
                batch = np.resize(batch, (batch_size, *batch.shape[1:]))  # repeats its images
            made = model.predict_on_batch(batch)
            batches.append(made if len(outputs) > 1 else [made])
        rows = (np.concatenate(parts)[: len(chunk)] for parts in zip(*batches, strict=True))
        return [np.asarray(part, np.float32) for part in rows]

    return forward


def _model(backbone: Backbone, outputs: tuple[Output, ...], prepared: bool) -> keras.Model:
    """The backbone up to these outputs: the same model each time, so that it is compiled once."""
    known = _models.setdefault(backbone.model, {})
    if (outputs, prepared) not in known:
        stages = list(dict.fromkeys(output.stage for output in outputs))
        trunk = backbone.up_to(*stages, prepared=prepared)
        by_stage = dict(zip(stages, trunk.outputs, strict=True))
        results = [
            POOLINGS[o.pooling]()(by_stage[o.stage]) if o.pooling else by_stage[o.stage]
            for o in outputs
        ]
        known[outputs, prepared] = keras.Model(trunk.input, results)
    return known[outputs, prepared]


_models: WeakKeyDictionary[keras.Model, dict[Any, keras.Model]] = WeakKeyDictionary()


# --- keys --------------------------------------------------------------------------------------


def _origin(backbone: Backbone, preprocess: Preprocess | None) -> str:
    """What decides the features of an image besides itself, in words.

    Preprocessing is known by what it does to a colour ramp: a function has no better name.
    """
    size = backbone.image_size
    ramp = np.linspace(0, 255, size * size * 3).reshape(1, size, size, 3).astype(np.float32)
    prepare = preprocess or backbone.prepare()
    prepared = keras.ops.convert_to_numpy(prepare(ramp.copy()))
    prepared = np.rint(1000 * prepared.astype(float)).astype(np.int64)  # free of rounding
    precision = keras.config.dtype_policy().name
    digest = hashlib.sha256(prepared.tobytes()).hexdigest()
    return f"{FORMAT} {backbone.name} {backbone.weights} {size} {precision} {digest}"


def _names(origin: str, chunk: np.ndarray, outputs: Sequence[Output]) -> list[str]:
    hashed = hashlib.sha256(f"{origin} {chunk.dtype.str} {chunk.shape}".encode())
    hashed.update(np.ascontiguousarray(chunk).data)
    content = hashed.hexdigest()
    return [
        hashlib.sha256(f"{content} {o.stage} {o.pooling}".encode()).hexdigest() for o in outputs
    ]


# --- files: 32 bytes of SHA-256, then the array as NumPy writes it ------------------------------


def _read(path: Path) -> np.ndarray | None:
    """The array, or None if it is not there; of a damaged file one sentence tells."""
    try:
        content = path.read_bytes()
    except OSError:  # writing it will tell what is wrong with the folder
        return None
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        print(f"Stored features were damaged and are computed again: {path}")
        return None
    array: np.ndarray = np.load(io.BytesIO(content[32:]), allow_pickle=False)
    return array


def _write_all(paths: Sequence[Path], arrays: Sequence[np.ndarray]) -> str | None:
    """Store each array, complete or not at all; returns what went wrong."""
    try:
        for path, array in zip(paths, arrays, strict=True):
            _write(path, array)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _write(path: Path, array: np.ndarray) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    content = stream.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_bytes(hashlib.sha256(content).digest() + content)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished."""
    for part in folder.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
        except OSError:  # another process was quicker, or (on Windows) is still at it
            continue
