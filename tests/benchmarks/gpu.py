"""ResNet50 fine-tuned in Keras against torchvision's, in images per second on the same GPU.

    python tests/benchmarks/gpu.py [--batch-size 256] [--image-size 224] [--images 5120]
        [--epochs 3] [--rounds 5]

Both train every layer but batch normalization on the same random images, which lie in this
machine's memory as bytes: copying them to the device is part of the work. Keras does it by the
`Batches` and `fit` (bfloat16 by `accelerated`, layer-wise AdamW), torchvision in channels
last, bfloat16, compiled, with fused AdamW. In each round they run one after the other, each in a
process of its own, whose first epoch does not count, because it compiles. Prints the medians and
the median of the rounds' ratios; the status is 1 if Keras is slower. `KERAS_BACKEND=jax` or `torch`
chooses Keras' backend where TensorFlow is absent.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

import numpy as np

CLASSES = 2
TARGET = 1.0
RATE = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--images", type=int, default=5120)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=sorted(TRAINERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(TRAINERS[options.only](options)))
        return
    for module in ("torch", "torchvision"):
        if find_spec(module) is None:
            sys.exit(f"There is no {module} here to compare with: pip install torch torchvision.")
    speeds: dict[str, list[float]] = {name: [] for name in TRAINERS}
    for number in range(options.rounds):
        for name in TRAINERS:
            device, speed = measured(name)
            speeds[name].append(speed)
            print(f"round {number + 1}: {name} {speed:.1f} images a second ({device})", flush=True)
    ratios = [a / b for a, b in zip(speeds["keras"], speeds["torchvision"], strict=True)]
    for name, each in speeds.items():
        print(f"{name}: {statistics.median(each):.1f} images a second, median of {len(each)}")
    ratio = statistics.median(ratios)
    print(f"Keras / torchvision: {ratio:.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")
    sys.exit(ratio < TARGET)


def measured(name: str) -> tuple[str, float]:
    """Device and images per second of one of the two, in a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(f"{name} failed, see above.")
    device, speed = json.loads(run.stdout.splitlines()[-1])
    return device, speed


def examples(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """The same random images, bytes (N, S, S, 3), and labels (N,) for both."""
    random = np.random.default_rng(0)
    shape = (options.images, options.image_size, options.image_size, 3)
    return random.integers(0, 256, shape, np.uint8), random.integers(0, CLASSES, options.images)


def speed(seconds: Sequence[float], options: argparse.Namespace) -> float:
    """Images per second from the seconds of each epoch, without the first, which compiles."""
    return options.images / statistics.median(seconds[1:])


def keras_speed(options: argparse.Namespace) -> tuple[str, float]:
    """The course's own fine-tuning."""
    import keras

    from course_lib.transfer import backbones, devices, finetune, layerwise
    from course_lib.transfer.training import Batches

    images, labels = examples(options)
    with devices.accelerated():
        backbone = backbones.load("resnet50", options.image_size, weights="random")
    [first, *_] = (layer for layer in backbone.model.layers if layer.weights)
    last = list(backbone.stages)[-1:]
    head = finetune.head(np.ones((2, backbone.width), np.float32), CLASSES)
    model = finetune.assemble(backbone, head, last)
    finetune.unfreeze(model, first.name)
    batches = Batches([images], labels, batch_size=options.batch_size)
    optimizer = layerwise.LayerwiseAdamW.by_group(RATE, model, (), 1.0, weight_decay=0.01)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ends: list[float] = []  # of epochs; Keras reads the loss then, which waits for the device
    clock = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: ends.append(time.perf_counter()),
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()),
    )
    epochs = 1 + options.epochs
    model.fit(batches, epochs=epochs, shuffle=False, callbacks=[clock], verbose=0)
    seconds = np.diff(ends).tolist()
    return devices.report(), speed(seconds, options)


def torchvision_speed(options: argparse.Namespace) -> tuple[str, float]:
    """torchvision's ResNet50, trained as its users would for speed."""
    import torch
    import torchvision

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    images, labels = (torch.from_numpy(array) for array in examples(options))
    model = torchvision.models.resnet50(weights=None, num_classes=CLASSES)
    model = model.to(device, memory_format=torch.channels_last)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval().requires_grad_(False)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, RATE, fused=True)
    compiled = torch.compile(model)
    mean = torch.tensor((123.68, 116.779, 103.939), device=device)[:, None, None]

    def step(chosen: torch.Tensor) -> torch.Tensor:
        batch, targets = images[chosen], labels[chosen]
        if device.type == "cuda":
            batch, targets = batch.pin_memory(), targets.pin_memory()
        x = batch.to(device, non_blocking=True).permute(0, 3, 1, 2)  # channels last in memory
        with torch.autocast(device.type, torch.bfloat16):
            logits = compiled(x.float() - mean)
        loss = torch.nn.functional.cross_entropy(
            logits.float(), targets.to(device, non_blocking=True)
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    seconds = []
    for _ in range(1 + options.epochs):
        started = time.perf_counter()
        for chosen in torch.randperm(len(images)).split(options.batch_size):
            loss = step(chosen)
        loss.item()  # waits until the device has done it all
        seconds.append(time.perf_counter() - started)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    return f"PyTorch on {name}", speed(seconds, options)


TRAINERS: dict[str, Callable[[argparse.Namespace], tuple[str, float]]] = {
    "keras": keras_speed,
    "torchvision": torchvision_speed,
}


if __name__ == "__main__":
    main()
