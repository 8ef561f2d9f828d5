"""Exercises of lesson 05: a split, inputs of a frozen network, its maps (more: `linear_probe`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import feature_extraction
from . import linear_probe
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "05_feature_extraction"
Variant = Callable[..., Any]


# --- cases: all sizes different; classes of unequal size ----------------------------------------


def splits(rng: np.random.Generator) -> list[Case]:
    def case(counts: dict[int, int], fraction: float, kind: str = ORDINARY) -> Case:
        labels = rng.permutation(np.repeat(list(counts), list(counts.values())))
        return Case((labels, fraction, rng.permutation(len(labels))), kind)

    return [
        case({0: 7, 1: 5, 2: 3}, 0.3),
        case({0: 9, 1: 6, 2: 4, 3: 13}, 0.22),
        case({0: 4, 1: 11}, 0.62),
        case({0: 8, 1: 4, 2: 12}, 0.25, "shares that are whole numbers"),
        case({0: 9, 1: 1, 2: 6}, 0.3, "a class of one example"),
        case({1: 6, 4: 5, 9: 7}, 0.45, "labels with gaps between them"),
    ]


def images(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.uniform(0, 255, (*shape, 3)),), kind)

    return [
        case(2, 4, 5),
        case(4, 6, 5),
        case(5, 2, 4),
        case(1, 3, 2, kind="a batch of one"),
        Case((rng.integers(0, 256, (2, 3, 4, 3), dtype=np.uint8),), "bytes"),
        Case((np.zeros((2, 2, 1, 3)),), "black images"),
    ]


def maps(rng: np.random.Generator) -> list[Case]:
    def case(*shape: int, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(1.0, 1.0, shape),), kind)

    return [
        case(2, 3, 4, 5),
        case(4, 5, 2, 3),
        case(3, 4, 4, 6),
        case(1, 3, 2, 4, kind="a batch of one"),
        case(3, 1, 1, 4, kind="maps of one place"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _first_of_each(labels: Any, order: Any, take: Callable[[int], int]) -> list[np.ndarray]:
    """For each class, its first `take(count)` indices in this order."""
    groups = [order[labels[order] == label] for label in np.unique(labels)]
    return [group[: take(len(group))] for group in groups]


def _others(order: Any, taken: Any) -> np.ndarray:
    rest: np.ndarray = order[~np.isin(order, taken)]
    return rest


def _split(take: Callable[[int, int, int, float], int]) -> Variant:
    """A variant from how many it takes of a class: take(count, N, C, fraction)."""

    def variant(labels: Any, fraction: float, order: Any) -> tuple[Any, Any]:
        n, c = len(labels), len(np.unique(labels))
        parts = _first_of_each(labels, order, lambda count: take(count, n, c, fraction))
        rest = _others(order, np.concatenate(parts))
        return _others(order, rest), rest

    return variant


def _by_class(rest: Callable[[Any, Any, Any], Any]) -> Variant:
    """What is taken stays grouped by class; `rest(labels, order, taken)` is the remainder."""

    def variant(labels: Any, fraction: float, order: Any) -> tuple[Any, Any]:
        parts = _first_of_each(labels, order, lambda count: math.ceil(fraction * count))
        taken = np.concatenate(parts)
        return taken, rest(labels, order, taken)

    return variant


def _chosen_from(members: Callable[[Any, Any, Any, Any], Any]) -> Variant:
    """A variant from what it takes of a class: members(labels, fraction, order, class)."""

    def variant(labels: Any, fraction: float, order: Any) -> tuple[Any, Any]:
        parts = [members(labels, fraction, order, label) for label in np.unique(labels)]
        rest = _others(order, np.concatenate(parts))
        return _others(order, rest), rest

    return variant


def _last_of_class(labels: Any, fraction: float, order: Any, label: int) -> Any:
    group = order[labels[order] == label]
    return group[len(group) - math.ceil(fraction * len(group)) :]


def _by_mask_of_the_file(labels: Any, fraction: float, order: Any, label: int) -> Any:
    group = order[labels == label]
    return group[: math.ceil(fraction * len(group))]


def _mask(indices: Any, labels: Any) -> np.ndarray:
    mask: np.ndarray = np.isin(np.arange(len(labels)), indices)
    return mask


def _rest_by_class(labels: Any, order: Any, taken: Any) -> np.ndarray:
    rest = _others(order, taken)
    return np.concatenate([rest[labels[rest] == label] for label in np.unique(labels)])


def _after(change: Callable[[Any, Any, Any, Any], tuple[Any, Any]]) -> Variant:
    """A variant from what it makes of the right answer: change(taken, rest, labels, order)."""

    def variant(labels: Any, fraction: float, order: Any) -> tuple[Any, Any]:
        taken, rest = feature_extraction.stratified_split(labels, fraction, order)
        return change(taken, rest, labels, order)

    return variant


_BGR = np.array(feature_extraction.IMAGENET_MEAN)
_TORCH_MEAN, _TORCH_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def _in_place(images: Any) -> Any:
    images = images[..., ::-1]
    images -= _BGR
    return images


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="stratified_split",
        lesson=LESSON,
        points=2,
        reference=feature_extraction.stratified_split,
        cases=splits,
        section="A split that keeps the classes",
        think="Walk through `order` class by class to decide who is taken; then walk through it "
        "once more, as it is, to write both lists down.",
        misconceptions=(
            Misconception(
                "not-stratified",
                lambda y, f, o: (o[: math.ceil(f * len(y))], o[math.ceil(f * len(y)) :]),
                "You take the first of all examples together, so a rare class may be missing; "
                "take the share of each class on its own.",
                "Count the classes in both parts: `np.bincount(labels[taken])`.",
            ),
            Misconception(
                "rounded-down",
                _split(lambda count, n, c, f: int(f * count)),
                "You round down, so that of a rare class nothing may be taken; round up.",
                "What is taken of a class of one example?",
            ),
            Misconception(
                "rounded-to-nearest",
                _split(lambda count, n, c, f: round(f * count)),
                "You round to the nearest number, so that of a rare class nothing may be taken; "
                "round up.",
                "What is taken of a class of one example?",
            ),
            Misconception(
                "rounded-down-but-one",
                _split(lambda count, n, c, f: max(1, int(f * count))),
                "You round down, and take one where that leaves none; round up instead.",
                "A class of three at a fraction of a half: how many are taken?",
            ),
            Misconception(
                "mask-of-the-file",
                _chosen_from(_by_mask_of_the_file),
                "`order[labels == c]` mixes two orders: the mask goes by the file, `order` does "
                "not, so you get examples of other classes too.",
                "What are the labels of `order`, in its own order? `labels[order]`.",
            ),
            Misconception(
                "last-of-each",
                _chosen_from(_last_of_class),
                "You take the last of each class in the given order; take the first.",
                "Which end of the list does your slice keep?",
            ),
            Misconception(
                "only-taken-sorted",
                _after(lambda t, r, *_: (np.sort(t), r)),
                "What is taken is sorted by index; it should keep the given order.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "masks-returned",
                _after(lambda t, r, y, o: (_mask(t, y), _mask(r, y))),
                "You return two masks; what is asked for is indices, in the given order.",
                "A mask forgets the order. `order[mask[order]]` keeps it.",
            ),
            Misconception(
                "share-of-everything",
                _split(lambda count, n, c, f: math.ceil(f * n)),
                "You take the share of all examples from every class: the count is that of the "
                "class.",
                "Print the length of what you cut for each class.",
            ),
            Misconception(
                "same-number-of-each",
                _split(lambda count, n, c, f: math.ceil(f * n / c)),
                "You take the same number of every class; take the same share, so that both parts "
                "have the classes in their old proportions.",
                "Compare `np.bincount(labels[taken]) / len(taken)` with that of all labels.",
            ),
            Misconception(
                "order-ignored",
                lambda y, f, o: feature_extraction.stratified_split(y, f, np.arange(len(y))),
                "You take the first of each class as they lie in the file; `order` says which "
                "come first. (Files are often sorted, by date or by source.)",
                "Where does `order` come in?",
            ),
            Misconception(
                "sorted",
                _after(lambda t, r, *_: (np.sort(t), np.sort(r))),
                "The right examples, but sorted by index: both parts should keep the given order.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "grouped-by-class",
                _by_class(_rest_by_class),
                "The right examples, but class after class: both parts should keep the given "
                "order.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "taken-grouped-by-class",
                _by_class(lambda y, o, t: _others(o, t)),
                "The right examples, but those taken come class after class: they should keep the "
                "given order too.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "rest-sorted",
                _by_class(lambda y, o, t: np.setdiff1d(o, t)),
                "The right examples in the wrong order: what you join or `setdiff1d` returns is "
                "grouped or sorted.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "only-rest-sorted",
                _after(lambda t, r, *_: (t, np.sort(r))),
                "The rest is sorted by index (as `setdiff1d` does); it should keep the given "
                "order.",
                "Go through `order` itself and ask of each index whether it is taken.",
            ),
            Misconception(
                "overlap",
                _after(lambda t, r, y, o: (t, o)),
                "The rest still contains what was taken: a model would be tested on what it has "
                "seen.",
                "Print `set(taken) & set(rest)`.",
            ),
            Misconception(
                "exchanged",
                _after(lambda t, r, *_: (r, t)),
                "The two parts are exchanged: first what is taken, then the rest.",
                "Which part should be about `fraction` of everything?",
            ),
            Misconception(
                "labels-returned",
                _after(lambda t, r, y, o: (y[t], y[r])),
                "You return the labels; what is asked for is where they are, the indices.",
                "The caller wants to write `images[taken]`.",
            ),
            Misconception(
                "places-in-order",
                _after(lambda t, r, y, o: (np.argsort(o)[t], np.argsort(o)[r])),
                "You return places in `order`; the indices are what stands there.",
                "One more look-up: `order[places]`.",
            ),
        ),
    ),
    Exercise(
        name="resnet50_preprocess",
        lesson=LESSON,
        points=2,
        reference=feature_extraction.resnet50_preprocess,
        cases=images,
        section="What ResNet50 expects",
        think="Two steps: turn the last axis round, so that blue comes first; subtract the mean "
        "of each colour in that same order. Nothing is divided.",
        misconceptions=(
            Misconception(
                "scaled-to-one",
                lambda x: x / 255,
                "You scale to 0..1. This ResNet50 was trained on 0..255 in BGR with the mean "
                "subtracted; on anything else its features mean nothing.",
                "Every pretrained network has its own preprocessing: look up this one's.",
            ),
            Misconception(
                "nothing-at-all",
                lambda x: x,
                "You return the images as they came: RGB, with their mean. This ResNet50 was "
                "trained on BGR with the mean subtracted.",
                "Every pretrained network has its own preprocessing: look up this one's.",
            ),
            Misconception(
                "scaled-to-plus-minus-one",
                lambda x: x / 127.5 - 1,
                "You scale to −1..1. That is for MobileNet and ResNet50V2; ResNet50 takes BGR "
                "minus the mean.",
                "Every pretrained network has its own preprocessing: look up this one's.",
            ),
            Misconception(
                "as-pytorch",
                lambda x: (x / 255 - _TORCH_MEAN) / _TORCH_STD,
                "This is what the ResNet50 of torchvision takes: RGB 0..1, minus the mean, over "
                "the standard deviation. The weights in Keras were trained in Caffe.",
                "Which range and which order of colours did Caffe read?",
            ),
            Misconception(
                "mean-in-rgb-order",
                lambda x: x[..., ::-1] - _BGR[::-1],
                "The colours are turned round but the means are not: 103.939 is the mean of blue.",
                "Which of the three means belongs to which colour?",
            ),
            Misconception(
                "no-channel-swap",
                lambda x: x - _BGR,
                "The colours are not turned round: red is treated as blue.",
                "The last axis comes in as red, green, blue.",
            ),
            Misconception(
                "centred-rgb",
                lambda x: x - _BGR[::-1],
                "Each colour loses its own mean, but the order is still red, green, blue; the "
                "network expects blue first.",
                "Turn the last axis round as well.",
            ),
            Misconception(
                "mean-added",
                lambda x: x[..., ::-1] + _BGR,
                "You add the mean: subtract it.",
                "The mean of all prepared images should be about zero.",
            ),
            Misconception(
                "mean-forgotten",
                lambda x: x[..., ::-1] * 1.0,
                "The colours are turned round, but the mean is not subtracted.",
                "The mean of all prepared images should be about zero.",
            ),
            Misconception(
                "also-divided-by-deviation",
                lambda x: (x[..., ::-1] - _BGR) / (255 * _TORCH_STD[::-1]),
                "You also divide by the standard deviation; Caffe did not.",
                "Two steps, and none of them is a division.",
            ),
            Misconception(
                "scaled-before-mean",
                lambda x: x[..., ::-1] / 255 - _BGR,
                "You scale to 0..1 first: minus 104 then leaves no picture, only the mean.",
                "In which range are the means given?",
            ),
            Misconception(
                "scaled-after-mean",
                lambda x: (x[..., ::-1] - _BGR) / 255,
                "You divide by 255 at the end; Caffe did not.",
                "Two steps, and none of them is a division.",
            ),
            Misconception(
                "mean-of-the-batch",
                lambda x: x[..., ::-1] - x[..., ::-1].mean(axis=(0, 1, 2)),
                "You subtract the mean of this batch; the network has seen ImageNet's mean, the "
                "same for every image.",
                "What would an image be that comes alone and is all red?",
            ),
            Misconception(
                "batch-reversed",
                lambda x: x[::-1] - _BGR,
                "`[::-1]` turns the first axis round: the images change places, and their colours "
                "do not.",
                "`...` stands for all axes before the ones that you write.",
            ),
            Misconception(
                "all-axes-flipped",
                lambda x: np.flip(x) - _BGR,
                "`np.flip` without an axis turns all of them round, so the images stand on their "
                "head and change places.",
                "Only the axis of the colours should be turned round: which one is it?",
            ),
            Misconception(
                "image-mirrored",
                lambda x: x[:, :, ::-1] - _BGR,
                "`[:, :, ::-1]` turns the third axis round. With a batch in front that is the "
                "width: you mirror the images and leave the colours.",
                "`...` stands for all axes before the ones that you write.",
            ),
            Misconception(
                "in-place",
                _in_place,
                "The numbers are right, but `-=` overwrites the caller's images, because a "
                "reversed view shares their memory: a cell that runs twice prepares them twice. "
                "(Keras' own function does so.)",
                "`x = x - mean` makes a new array, `x -= mean` does not.",
            ),
        ),
    ),
    Exercise(
        name="global_average_pool",
        lesson=LESSON,
        points=1,
        reference=feature_extraction.global_average_pool,
        cases=maps,
        section="From maps to numbers",
        think="One number for each image and each map: which axes have to disappear?",
        misconceptions=(
            Misconception(
                "over-channels",
                lambda x: x.mean(axis=-1),
                "You average over the channels, the last axis; average over the places, so that "
                "one number per channel remains.",
                "The result should have as many columns as there are feature maps.",
            ),
            Misconception(
                "sum",
                lambda x: x.sum(axis=(1, 2)),
                "You add the places up: a larger image would have larger features. Take the mean.",
                "The mean does not care how many places there are.",
            ),
            Misconception(
                "flatten",
                lambda x: x.reshape(len(x), -1),
                "You flatten: every place keeps its own numbers, and a head on top needs H·W "
                "times as many weights.",
                "Averaging removes the places: K numbers remain.",
            ),
            Misconception(
                "maximum",
                lambda x: x.max(axis=(1, 2)),
                "This is global maximum pooling: take the mean.",
                "Where does each place count the same?",
            ),
            Misconception(
                "channels-first",
                lambda x: x.mean(axis=(2, 3)),
                "You average over axes 2 and 3, right where channels come first (PyTorch). In "
                "Keras they are the last axis.",
                "Which two axes are height and width in (N, H, W, K)?",
            ),
            Misconception(
                "over-the-batch",
                lambda x: x.mean(axis=(0, 1, 2)),
                "You average over the images too: each image keeps its own features.",
                "The first axis should stay.",
            ),
            Misconception(
                "over-everything-of-an-image",
                lambda x: x.mean(axis=(1, 2, 3)),
                "You average over the channels too: each of them keeps its own number.",
                "The last axis should stay.",
            ),
            Misconception(
                "reshaped-not-moved",
                lambda x: x.reshape(len(x), x.shape[3], -1).mean(axis=-1),
                "`reshape` moves no axis: it only cuts the same row of numbers elsewhere, so your "
                "means mix the maps.",
                "Keep the maps last: `reshape(N, H * W, K)`. Then which axis is averaged?",
            ),
            Misconception(
                "axes-kept",
                lambda x: x.mean(axis=(1, 2), keepdims=True),
                "The numbers are right, but the two axes of length 1 should be gone: (N, K).",
                "`keepdims` is for broadcasting; here it is not needed.",
            ),
            Misconception(
                "one-axis-only",
                lambda x: x.mean(axis=1),
                "Only the height is averaged away; the width is still there.",
                "`axis` may be a tuple.",
            ),
            Misconception(
                "width-only",
                lambda x: x.mean(axis=2),
                "Only the width is averaged away; the height is still there.",
                "`axis` may be a tuple.",
            ),
        ),
    ),
    *linear_probe.EXERCISES,
)
