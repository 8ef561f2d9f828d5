"""Features of images, computed once: what the stages of a backbone say about each image.

Each chunk of images is stored as soon as it is computed, as an .npz under a key of everything that
decides its values, among it the weights as they are. So an interrupted run goes on where it
stopped, two processes cannot disturb each other, and a network that was trained is computed anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np

from .. import settings
from ..errors import CourseError, UsageError
from ..files import atomic_write
from ..progress_bar import track
from .backbones import Backbone, listed
from .devices import has_gpu, out_of_memory

CHUNK = 128
"""Images in a file; no more than these are computed again after an interruption."""
BATCH, GPU_BATCH = 16, 128
"""Images in one call of a network, without a GPU and with one; half as many where the memory does
not suffice, and so on. On a CPU, larger batches gain nothing and lose where an array grows beyond
what the C library keeps for the next one (32 MB)."""
FORMAT = 3
"""To be raised when this module or a network changes what it computes."""
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

    chosen = settings.cache()
    if chosen:  # not Path.expanduser, which raises for a user who does not exist
        return Path(os.path.expanduser(chosen))  # noqa: PTH111
    return user_cache_path("transfer-learning-course")


def pooled(
    backbone: Backbone,
    images: np.ndarray,
    stages: str | Sequence[str] = (),
    pooling: str | Sequence[str] = ("average",),
    *,
    preprocess: Preprocess | None = None,
    batch_size: int | None = None,
) -> np.ndarray:
    """One row of numbers for each image, from the cache as far as they are there.

    Args:
        backbone: see `backbones.load`.
        images: (N, S, S, 3) or (N, S, S, 1), as the backbone takes them.
        stages: names of stages, or one name; the last one if there are none.
        pooling: "average", "maximum" or both: what becomes of each channel of a stage.
        preprocess: takes the place of the backbone's own preprocessing, from RGB 0..255 in
            float32, (n, S, S, 3), to what the network gets: to measure what a wrong one costs.
        batch_size: images in one call of the network, at most; it does not change the result.

    Returns:
        (N, F) float32: for each stage and each pooling the channels of that stage.

    Raises:
        UsageError: there are no images, the backbone does not take them or has no such stage,
            there is no such pooling, or what ``preprocess`` gives has another shape.
        CourseError: the memory does not suffice for one image.
        KeyboardInterrupt: what is finished is kept; the same call goes on from there.
    """
    names = listed(stages) or list(backbone.stages)[-1:]
    outputs = [Output(stage, name) for stage in names for name in poolings(pooling)]
    return np.concatenate(_computed(backbone, images, outputs, preprocess, batch_size), axis=1)


def poolings(names: str | Sequence[str]) -> tuple[str, ...]:
    """The names of `POOLINGS` that are meant.

    Raises:
        UsageError: there is none, or one that is not of this list.
    """
    names = listed(names)
    unknown = [name for name in names if name not in POOLINGS]
    if unknown or not names:
        raise UsageError(
            f"There is no pooling {', '.join(unknown) or 'without a name'}: "
            f"there are {', '.join(POOLINGS)}."
        )
    return names


def maps(
    backbone: Backbone, images: np.ndarray, stage: str = "", *, batch_size: int | None = None
) -> np.ndarray:
    """Feature maps of one stage (the last one, if none is named), cached as in `pooled`.

    Returns:
        (N, s, s, K) float32.

    Raises:
        UsageError, CourseError, KeyboardInterrupt: see `pooled`.
    """
    if not isinstance(stage, str):
        raise UsageError(f"Maps are of one stage: give its name, not {stage!r}.")
    output = Output(stage or list(backbone.stages)[-1], "")
    return _computed(backbone, images, [output], None, batch_size)[0]


def _computed(
    backbone: Backbone,
    images: np.ndarray,
    outputs: Sequence[Output],
    preprocess: Preprocess | None,
    batch_size: int | None,
) -> list[np.ndarray]:
    """For each output an array with a row for each image."""
    images = backbone.checked(images)
    trunk = backbone.up_to(*(output.stage for output in outputs))  # refuses an unknown stage
    if not len(images):
        raise UsageError("There are no images to compute features of.")
    if batch_size is not None and (not isinstance(batch_size, (int, np.integer)) or batch_size < 1):
        raise UsageError(f"batch_size is {batch_size!r}: give a whole number of images, 1 or more.")
    folder = cache_folder() / "features"
    keys = _keys(backbone, trunk, outputs)
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    given = (_prepared(backbone, chunk, preprocess) if preprocess else chunk for chunk in chunks)
    paths = [[folder / f"{name}.npz" for name in _names(keys, each)] for each in given]
    shapes = [
        maps.shape[-1:] if output.pooling else maps.shape[1:]
        for maps, output in zip(trunk.outputs, outputs, strict=True)
    ]
    arrays = [np.empty((len(images), *shape), np.float32) for shape in shapes]

    def fill(number: int, parts: Sequence[np.ndarray | None]) -> bool:
        """Put a chunk's outputs where they belong, if all of them are there."""
        for array, part in zip(arrays, parts, strict=True):
            if part is None:
                return False
            array[number * CHUNK : (number + 1) * CHUNK] = part
        return True

    missing = [n for n, row in enumerate(paths) if not fill(n, [stored(path) for path in row])]
    if missing:
        forward = _forward(backbone, outputs, preprocess, batch_size, len(images))
        done, trouble = len(chunks) - len(missing), ""
        try:
            for n in track(missing, f"Features by {backbone.name}", f"x {CHUNK} images"):
                computed = forward(chunks[n])
                fill(n, computed)
                trouble = trouble or store(paths[n], computed)
                done += not trouble
        except KeyboardInterrupt:
            print(f"Interrupted: {done} of {len(chunks)} parts are kept; run it again to go on.")
            raise
        if trouble:
            print(f"Features cannot be kept for the next time ({trouble}): {folder}")
        _give_back()
    return arrays


def _give_back() -> None:
    """Give freed memory back to the system: glibc would keep a few hundred MB for what comes."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _forward(
    backbone: Backbone,
    outputs: Sequence[Output],
    preprocess: Preprocess | None,
    batch_size: int | None,
    images: int,
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """From a chunk of images to its outputs, in batches of one size, so that one is compiled."""
    model = _model(backbone, tuple(outputs), preprocess is not None)
    size = min(batch_size or (GPU_BATCH if has_gpu() else BATCH), CHUNK, images)

    def compute(batch: np.ndarray) -> list[np.ndarray]:
        nonlocal size
        if len(batch) > size:  # the memory did not suffice for more
            halves = (compute(half) for half in np.array_split(batch, 2))
            return [np.concatenate(pair) for pair in zip(*halves, strict=True)]
        try:
            made = model.predict_on_batch(batch)
        except Exception as error:
            if not out_of_memory(error):
                raise
            if len(batch) == 1:
                raise CourseError(
                    f"The device has no memory left for one image of {backbone.image_size} by "
                    f"{backbone.image_size} pixels: take smaller ones, or a smaller network."
                ) from error
            size = (len(batch) + 1) // 2
            print(f"The device has no memory for {len(batch)} images at once: {size} from now on.")
            return compute(batch)
        return made if len(outputs) > 1 else [made]

    def forward(chunk: np.ndarray) -> list[np.ndarray]:
        if preprocess is None:
            chunk = backbone.colors(chunk)
        else:
            chunk = _prepared(backbone, chunk, preprocess)
        step, batches = size, []
        for start in range(0, len(chunk), step):
            batch = chunk[start : start + step]
            if len(batch) < step:
                batch = np.resize(batch, (step, *batch.shape[1:]))  # repeats its images
            batches.append(compute(batch))
        rows = (np.concatenate(parts)[: len(chunk)] for parts in zip(*batches, strict=True))
        return [np.asarray(part, np.float32) for part in rows]

    return forward


def _prepared(backbone: Backbone, chunk: np.ndarray, preprocess: Preprocess) -> np.ndarray:
    """Images as the network gets them, by another preprocessing than its own."""
    rgb = backbone.rgb(chunk)
    prepared = np.asarray(preprocess(rgb.copy()), np.float32)
    if prepared.shape != rgb.shape:
        raise UsageError(
            f"preprocess makes {prepared.shape} of images of shape {rgb.shape}: it must keep it."
        )
    return prepared


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


# --- files -------------------------------------------------------------------------------------


def _keys(backbone: Backbone, trunk: keras.Model, outputs: Sequence[Output]) -> list[str]:
    """For each output, what decides it besides the image: above all the weights as they are now.

    The backbone's own preprocessing is known by what it does to a color ramp.
    """
    size = backbone.image_size
    ramp = np.linspace(0, 255, size * size * 3).reshape(1, size, size, 3).astype(np.float32)
    prepared = keras.ops.convert_to_numpy(backbone.prepare()(ramp))
    prepared = np.rint(1000 * prepared.astype(float)).astype(np.int64)  # free of rounding
    origin = f"{FORMAT} {backbone.name} {size} {backbone.precision} {digest(prepared)}"
    weights = {layer.name: digest(*layer.get_weights()) for layer in trunk.layers}
    return [
        " ".join(
            [origin, output.stage, output.pooling]
            + [weights[layer.name] for layer in backbone.up_to(output.stage).layers]
        )
        for output in outputs
    ]


def _names(keys: Sequence[str], chunk: np.ndarray) -> list[str]:
    """Of the chunk's files; another preprocessing is known by what it makes of these images."""
    content = f"{chunk.dtype.str} {chunk.shape} {digest(chunk)}"
    return [hashlib.sha256(f"{key} {content}".encode()).hexdigest() for key in keys]


def digest(*arrays: np.ndarray) -> str:
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def stored(path: Path) -> np.ndarray | None:
    """The array, or None if it is not there; of a damaged file one sentence tells."""
    try:
        with np.load(path, allow_pickle=False) as file:
            array: np.ndarray = file["features"]
            return array
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        print(f"Stored features were damaged and are computed again: {path}")
    except OSError:  # writing it will tell what is wrong with the folder
        pass
    return None


def store(paths: Sequence[Path], arrays: Sequence[np.ndarray]) -> str:
    """Store each array, complete or not at all; returns what went wrong, or nothing."""
    try:
        for path, array in zip(paths, arrays, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as part, part.open("wb") as file:
                np.savez(file, features=array)
    except OSError as error:
        return error.strerror or str(error)
    return ""
