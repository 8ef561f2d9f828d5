"""How near feature extraction comes to the bare network.

    python tests/benchmarks/features.py [--backbone NAME] [--size S] [--images N] [--repeats R]

By turns, in one process: the network's forward pass as the backend compiles it, on one batch
again and again; and `features.pooled` on images that it has never seen, from uint8 in memory to
files in the cache. Both have compiled before. Prints images a second of both, medians over the
repeats, and their ratio; the target is 0.9, and the status is 1 if it is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from course_lib.transfer import backbones, devices, features

TARGET = 0.9


def compiled(model: keras.Model) -> Callable[[Any], Any]:
    """The bare forward pass, as each backend's manual advises."""
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        function = tf.function(lambda batch: model(batch, training=False))
        return lambda batch: function(batch).numpy()
    if backend == "jax":
        import jax

        state = (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )
        function = jax.jit(lambda batch: model.stateless_call(*state, batch, training=False)[0])
        return lambda batch: np.asarray(function(batch))
    import torch

    def forward(batch: Any) -> Any:
        with torch.inference_mode():
            return model(batch, training=False).cpu().numpy()

    return forward


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    backbone = backbones.load(options.backbone, options.size, weights="random")
    random = np.random.default_rng(0)
    size = features.GPU_BATCH if devices.has_gpu() else features.BATCH
    shape = options.images, options.size, options.size, 3
    batch = keras.ops.convert_to_tensor(
        random.uniform(0, 255, (size, *shape[1:])).astype(np.float32)
    )
    forward = compiled(backbone.model)

    def bare() -> None:
        for _ in range(options.images // size):
            forward(batch)

    rates: dict[str, list[float]] = {"bare forward pass": [], "features.pooled": []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COURSE_CACHE"] = folder
        forward(batch)  # compiles
        features.pooled(backbone, np.zeros((size, *shape[1:]), np.uint8))  # compiles, too
        for _ in range(options.repeats):
            images = random.integers(0, 256, shape, dtype=np.uint8)
            rates["bare forward pass"].append(options.images / seconds(bare))
            elapsed = seconds(lambda: features.pooled(backbone, images))  # noqa: B023
            rates["features.pooled"].append(options.images / elapsed)
    ratios = [ours / bare for bare, ours in zip(*rates.values(), strict=True)]
    print(f"{options.backbone}, {options.size} px, batch {size}, {keras.config.backend()}")
    for name, values in rates.items():
        print(f"{name:18} {statistics.median(values):6.0f} images/s, each:", end=" ")
        print(" ".join(f"{value:.0f}" for value in values))
    ratio = statistics.median(ratios)
    print(f"ratio {ratio:.2f} (target {TARGET}), each:", " ".join(f"{r:.2f}" for r in ratios))
    return int(ratio < TARGET)


if __name__ == "__main__":
    sys.exit(main())
