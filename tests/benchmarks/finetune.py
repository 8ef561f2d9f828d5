"""What it saves to compute the frozen stages once.

    python tests/benchmarks/finetune.py [--image-size 128] [--start stage5] [--cells 640]
        [--epochs 5] [--repeats 3]

Fine-tunes the pretrained EfficientNet-Lite0 on solar cells in three ways, in one run: from stored
maps of the stage `--start`; the same stages, but from the images in every epoch; and every stage
from the images, the plain way. Prints medians of CPU seconds an epoch (so that other work on the
machine does not count) without compilation, and the accuracies of the test cells. The target is
4 times faster than the plain way at equal accuracy; the status is 1 if it is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from course_lib.data import elpv
from course_lib.transfer import backbones, features, finetune

TARGET = 4.0
NAME = "efficientnet-lite0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--start", default="stage5", help="stage whose maps are stored")
    parser.add_argument("--cells", type=int, default=640)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    cells = elpv.load(options.image_size)
    chosen = np.sort(np.random.default_rng(0).permutation(len(cells.images))[: options.cells])
    images, labels = cells.images[chosen], cells.labels[chosen]
    order = np.random.default_rng(1).permutation(len(chosen))
    train, test = np.split(order, [3 * len(order) // 4])

    backbone = backbones.load(NAME, options.image_size)
    pretrained = backbone.model.get_weights()
    last = list(backbone.stages)[-1:]
    started = time.process_time()
    maps = features.maps(backbone, images, options.start)
    print(f"maps of {options.start}, once: {time.process_time() - started:.1f} CPU s or cached")
    rows = features.pooled(backbone, images, last)
    head = finetune.head(rows[train], 2)
    finetune.fine_tune(head, [rows], labels, finetune.Plan(10, learning_rate=5e-3), train=train)
    head_weights = head.get_weights()

    stages = list(backbone.stages)
    moving = stages[stages.index(options.start) + 1]
    ways = {
        "from stored maps": (options.start, moving, maps),
        "the same stages, from images": ("", moving, backbone.rgb(images)),
        "all stages, from images": ("", stages[0], backbone.rgb(images)),
    }
    plan = finetune.Plan(epochs=options.epochs, learning_rate=5e-4)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    accuracies: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(options.repeats):
        for name, (start, first, inputs) in ways.items():
            taken = []
            for epochs in (1, options.epochs):  # the difference has no compilation in it
                backbone.model.set_weights(pretrained)
                head.set_weights(head_weights)
                model = finetune.assemble(backbone, head, last, start=start)
                finetune.unfreeze(model, finetune.stage_start(backbone, first))
                this = replace(plan, epochs=epochs, seed=seed)
                started = time.process_time()
                finetune.fine_tune(model, [inputs], labels, this, train=train)
                taken.append(time.process_time() - started)
            seconds[name].append((taken[1] - taken[0]) / (options.epochs - 1))
            said = model.predict(inputs[test], batch_size=64, verbose=0).argmax(axis=1)
            accuracies[name].append(float(np.mean(said == labels[test])))

    plain = statistics.median(seconds["all stages, from images"])
    for name, values in seconds.items():
        median = statistics.median(values)
        shown = " ".join(f"{accuracy:.1%}" for accuracy in accuracies[name])
        print(
            f"{name:29} {median:6.2f} CPU s an epoch of {len(train)} images "
            f"({1000 * median / len(train):.1f} ms an image), {plain / median:.1f} times as fast "
            f"as the plain way; accuracies {shown}"
        )
    ratio = plain / statistics.median(seconds["from stored maps"])
    print(f"{ratio:.2f} times as fast; the target is {TARGET:g}")
    sys.exit(ratio < TARGET)


if __name__ == "__main__":
    main()
