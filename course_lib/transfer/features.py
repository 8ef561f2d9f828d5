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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np

from .. import settings
from ..errors import CourseError, UsageError
from ..files import atomic_write
from ..progress_bar import track
from .backbones import Backbone
from .devices import largest_batch, out_of_memory
from .prefetch import Ahead

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

    chosen = settings.cache()
    if chosen:  # not Path.expanduser, which raises for a user who does not exist
        return Path(os.path.expanduser(chosen))  # noqa: PTH111
    return user_cache_path("transfer-learning-course")


def pooled(
    backbone: Backbone,
    images: np.ndarray,
    stages: Sequence[str] = (),
    pooling: Sequence[str] = ("average",),
    *,
    preprocess: Preprocess | None = None,
    batch_size: int | None = None,
) -> np.ndarray:
    """One row of numbers for each image, from the cache as far as they are there.

    Args:
        backbone: see `backbones.load`.
        images: (N, S, S, 3) or (N, S, S, 1), as the backbone takes them.
        stages: names of stages; the last one if there are none.
        pooling: "average", "maximum" or both: what becomes of each channel of a stage.
        preprocess: takes the place of the backbone's own preprocessing, from RGB 0..255 in
            float32, (n, S, S, 3), to what the network gets: to measure what a wrong one costs.
        batch_size: images in one call of the network; by default as many as the memory of a GPU
            takes, see `devices.largest_batch`. It does not change the result.

    Returns:
        (N, F) float32: for each stage and each pooling the channels of that stage.

    Raises:
        UsageError: there are no images, the backbone does not take them or has no such stage,
            or there is no such pooling.
        CourseError: the memory does not suffice for one image.
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
    backbone: Backbone, images: np.ndarray, stage: str = "", *, batch_size: int | None = None
) -> np.ndarray:
    """Feature maps of one stage (the last one, if none is named), cached as in `pooled`.

    Returns:
        (N, s, s, K) float32.

    Raises:
        UsageError, CourseError, KeyboardInterrupt: see `pooled`.
    """
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
        prepare = _prepare(backbone, preprocess)
        prepared = Ahead(lambda n: prepare(chunks[lacking[n]]), len(lacking))
        forward = _forward(backbone, outputs, preprocess is not None, batch_size, len(images))
        label, unit = f"Features by {backbone.name}", f"x {CHUNK} images"
        store = _Store()
        try:
            with store:
                for n in track(range(len(lacking)), label, unit):
                    made = forward(prepared[n])
                    found[lacking[n]] = [*made]
                    store.keep(paths[lacking[n]], made)
        except KeyboardInterrupt:
            kept = len(chunks) - len(lacking) + store.kept
            print(f"Interrupted: {kept} of {len(chunks)} parts are kept; run it again to go on.")
            raise
        if store.trouble:
            print(f"Features cannot be kept for the next time ({store.trouble}): {folder}")
        _sweep(folder)
    columns = zip(*found, strict=True)
    return [np.concatenate([part for part in parts if part is not None]) for parts in columns]


def _prepare(
    backbone: Backbone, preprocess: Preprocess | None
) -> Callable[[np.ndarray], np.ndarray]:
    """From a chunk of images to what the model takes."""
    if preprocess is None:
        return backbone.colours
    return lambda chunk: np.asarray(preprocess(backbone.rgb(chunk)), np.float32)


def _forward(
    backbone: Backbone,
    outputs: Sequence[Output],
    prepared: bool,
    batch_size: int | None,
    images: int,
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """From a prepared chunk to its outputs, in batches of one size, so that one is compiled."""
    model = _model(backbone, tuple(outputs), prepared)
    size = min(batch_size or largest_batch(model), CHUNK, images)

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
        step, batches = size, []
        for start in range(0, len(chunk), step):
            batch = chunk[start : start + step]
            if len(batch) < step:
                batch = np.resize(batch, (step, *batch.shape[1:]))  # repeats its images
            batches.append(compute(batch))
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
    digest = hashlib.sha256(prepared.tobytes()).hexdigest()
    return f"{FORMAT} {backbone.name} {backbone.weights} {size} {backbone.precision} {digest}"


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


class _Store:
    """Writes files in a thread of its own, so that the device need not wait for the disk.

    Attributes:
        kept: how many times all files were written.
        trouble: what went wrong; after that nothing is written.
    """

    def __init__(self) -> None:
        self.kept, self.trouble = 0, ""
        self._worker = ThreadPoolExecutor(1, "course-store")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown()  # waits until all is written

    def keep(self, paths: Sequence[Path], arrays: Sequence[np.ndarray]) -> None:
        """Store each array, complete or not at all."""
        self._worker.submit(self._write_all, paths, arrays)

    def _write_all(self, paths: Sequence[Path], arrays: Sequence[np.ndarray]) -> None:
        if self.trouble:
            return
        try:
            for path, array in zip(paths, arrays, strict=True):
                _write(path, array)
        except (OSError, MemoryError) as error:
            self.trouble = getattr(error, "strerror", None) or str(error) or "no memory is left"
        else:
            self.kept += 1


def _write(path: Path, array: np.ndarray) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    content = stream.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part:
        part.write_bytes(hashlib.sha256(content).digest() + content)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished."""
    for part in folder.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
        except OSError:  # another process was quicker, or (on Windows) is still at it
            continue
