"""What it saves to compute the frozen stages once, and whether it costs accuracy.

    python tests/benchmarks/finetune.py [--image-size 128] [--start stage4] [--last stage5]
        [--every 1] [--epochs 3] [--folds 4]

Fine-tunes the pretrained EfficientNet-Lite0 on solar cells in three ways, in one run: as lesson 06
does, from stored maps of the stage `--start` to the stage `--last`, where the network ends; the
same stages, but from the images in every epoch; and the plain way, every stage of the whole network
from the images. Each fold tests on cells that the others learn from, with a seed of its own, so
that in the end each way has been asked about every cell once. Prints CPU seconds an epoch (so that
other work on the machine does not count), medians without the first epoch, which compiles; the
accuracies; and of each pair the difference on the same cells with its standard error. The target
is 4 times faster than the plain way at equal accuracy; the status is 1 if the ratio is missed, or
if the stored maps lose by more than two standard errors.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from course_lib.data import elpv
from course_lib.transfer import backbones, features, finetune, layerwise
from course_lib.transfer.training import Batches

TARGET = 4.0
NAME = "efficientnet-lite0"
BOTH = ("average", "maximum")
STORED, SAME, PLAIN = "from stored maps", "the same stages, from images", "all stages, from images"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--start", default="stage4", help="stage whose maps are stored")
    parser.add_argument("--last", default="stage5", help="stage behind which the rest is left out")
    parser.add_argument("--every", type=int, default=1, help="2 takes each second cell only")
    parser.add_argument("--epochs", type=int, default=3, help="two or more")
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args()

    cells = elpv.load(options.image_size, options.every)
    labels = cells.labels
    backbone = backbones.load(NAME, options.image_size)
    pretrained = backbone.model.get_weights()
    started = time.process_time()
    maps = features.maps(backbone, cells.images, options.start)
    print(f"maps of {options.start}, once: {time.process_time() - started:.1f} CPU s or cached")
    images = backbone.rgb(cells.images)
    stages = list(backbone.stages)
    moving = stages[stages.index(options.start) + 1]
    some, whole = ((options.start, options.last), BOTH), ((stages[-1],), BOTH[:1])
    ways = {
        STORED: (some, options.start, moving, maps),
        SAME: (some, "", moving, images),
        PLAIN: (whole, "", stages[0], images),
    }
    rows = {seen: features.pooled(backbone, cells.images, *seen) for seen in (some, whole)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    right = {name: np.zeros(len(labels), bool) for name in ways}
    folds = np.array_split(np.random.default_rng(0).permutation(len(labels)), options.folds)
    for seed, test in enumerate(folds):
        train = np.setdiff1d(np.arange(len(labels)), test)
        for name, (seen, start, first, inputs) in ways.items():
            backbone.model.set_weights(pretrained)
            head = finetune.head(rows[seen][train], 2)
            batches = Batches([rows[seen]], labels, train, seed=seed)
            rate = schedule(5e-3, 10 * len(batches))
            fit(head, keras.optimizers.AdamW(rate, weight_decay=0.01), batches, 10)
            model = finetune.assemble(backbone, head, *seen, start=start)
            finetune.unfreeze(model, finetune.stage_start(backbone, first))
            batches = Batches([inputs], labels, train, seed=seed)
            optimizer = layerwise.LayerwiseAdamW.by_group(
                schedule(1e-3, options.epochs * len(batches)),
                model,
                list(backbone.stages.values()),
                0.7,
                weight_decay=0.01,
            )
            epochs = fit(model, optimizer, batches, options.epochs)
            seconds[name] += epochs[1:]
            said = model.predict(inputs[test], batch_size=64, verbose=0).argmax(axis=1)
            right[name][test] = said == labels[test]
            print(
                f"fold {seed + 1}: {name:29} {statistics.median(epochs[1:]):6.2f} CPU s an epoch, "
                f"accuracy {np.mean(right[name][test]):.1%}",
                flush=True,
            )
    sys.exit(not judged(seconds, right, len(labels) - len(folds[0])))


def schedule(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Warm-up in a tenth of the steps, then half a cosine to 0."""
    warm = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm), warmup_target=peak, warmup_steps=warm
    )


def fit(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, batches: Batches, epochs: int
) -> list[float]:
    """Train; the CPU seconds of each epoch."""
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: ends.append(time.process_time()),
        on_epoch_end=lambda epoch, logs: ends.append(time.process_time()),
    )
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(batches, epochs=epochs, shuffle=False, callbacks=[clock], verbose=0)
    return [float(seconds) for seconds in np.diff(ends)]


def judged(seconds: dict[str, list[float]], right: dict[str, np.ndarray], images: int) -> bool:
    """Prints the results; whether the target is met."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    for name, value in median.items():
        print(
            f"{name:29} {value:6.2f} CPU s an epoch of {images} images "
            f"({1000 * value / images:.1f} ms an image), {median[PLAIN] / value:.2f} times as fast "
            f"as the plain way; accuracy {np.mean(right[name]):.2%}"
        )
    equal = True
    for other in (SAME, PLAIN):
        wins, losses = np.sum(right[STORED] & ~right[other]), np.sum(right[other] & ~right[STORED])
        cells = len(right[other])
        difference, error = (wins - losses) / cells, np.sqrt(wins + losses) / cells
        print(
            f"{STORED} against {other}: alone right on {wins} cells to {losses}, "
            f"{100 * difference:+.2f} ± {100 * error:.2f} points"
        )
        equal = equal and bool(difference >= -2 * error)
    ratio = median[PLAIN] / median[STORED]
    print(f"{ratio:.2f} times as fast; the target is {TARGET:g}")
    return equal and ratio >= TARGET


if __name__ == "__main__":
    main()
