"""Exercises of lesson 05: splits, inputs of a frozen network, its features, a probe, its score."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import feature_extraction, losses
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "05_feature_extraction"
Variant = Callable[..., Any]


# --- cases: all sizes different; classes of unequal size; train and other far apart -------------


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


def two_sets(rng: np.random.Generator) -> list[Case]:
    def case(n: int, m: int, d: int, kind: str = ORDINARY) -> Case:
        scale, shift = rng.uniform(0.3, 6.0, d), rng.uniform(-8.0, 8.0, d)
        train = shift + scale * rng.normal(size=(n, d))
        other = shift + rng.uniform(0.5, 2.0, d) + 1.5 * scale * rng.normal(size=(m, d))
        return Case((train, other), kind)

    dead, _ = case(6, 4, 3).arguments
    dead[:, 1] = 0.0
    awake = rng.uniform(1.0, 3.0, (4, 3))
    return [
        case(7, 4, 3),
        case(5, 9, 4),
        case(12, 6, 2),
        Case((dead, awake), "a feature that is zero for all of train"),
        case(6, 1, 3, kind="a single other example"),
    ]


def probes(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int, d: int, c: int, strength: float, size: float = 1.0, kind: str = ORDINARY
    ) -> Case:
        features = size * rng.normal(size=(n, d))
        bias = rng.uniform(0.4, 1.5, c) * rng.choice([-1.0, 1.0], c)
        return Case(
            (features, rng.integers(0, c, n), rng.normal(size=(d, c)), bias, strength), kind
        )

    return [
        case(6, 3, 4, 0.3),
        case(4, 7, 3, 0.1),
        case(9, 4, 5, 0.6),
        case(7, 5, 2, 0.2, kind="two classes"),
        case(1, 4, 3, 0.4, kind="a batch of one"),
        case(5, 3, 4, 0.0, kind="a strength of zero"),
        case(6, 3, 4, 0.3, size=2e3, kind="features in the thousands"),
    ]


def predictions(rng: np.random.Generator) -> list[Case]:
    def case(counts: tuple[int, ...], kind: str = ORDINARY) -> Case:
        """Every class is predicted somewhere; about half of the predictions are right."""
        size, classes = sum(counts), len(counts)
        labels = rng.permutation(np.repeat(np.arange(classes), counts))
        guesses = rng.permutation(np.resize(np.arange(classes), size))
        return Case((labels, np.where(rng.random(size) < 0.4, labels, guesses), classes), kind)

    def everywhere(counts: tuple[int, ...], kind: str = ORDINARY) -> Case:
        drawn = case(counts, kind)
        while len(np.unique(drawn.arguments[1])) < len(counts):
            drawn = case(counts, kind)
        return drawn

    labels = rng.permutation(np.repeat([0, 1, 2], [9, 4, 2]))
    return [
        everywhere((13, 5, 3)),
        everywhere((4, 17, 6, 3)),
        everywhere((7, 23)),
        everywhere((10, 4, 0, 5), "a class without labels"),
        Case((labels, np.zeros_like(labels), 3), "the largest class for everything"),
        Case((labels, labels.copy(), 3), "perfect predictions"),
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


def _scaled(train: Any, other: Any, deviation: Any, mean: Any = None) -> tuple[Any, Any]:
    mean = train.mean(axis=0) if mean is None else mean
    return (train - mean) / deviation, (other - mean) / deviation


def _no_zero(deviation: Any) -> Any:
    return np.where(deviation == 0, 1.0, deviation)


def _one(features: Any) -> Any:
    return (features - features.mean(axis=0)) / _no_zero(features.std(axis=0))


def _together(train: Any, other: Any) -> tuple[Any, Any]:
    both = np.concatenate([train, other])
    return _scaled(train, other, _no_zero(both.std(axis=0)), both.mean(axis=0))


def _to_unit_range(train: Any, other: Any) -> tuple[Any, Any]:
    low = train.min(axis=0)
    return _scaled(train, other, _no_zero(train.max(axis=0) - low), low)


def _onehot(logits: Any, labels: Any) -> np.ndarray:
    onehot = np.zeros(logits.shape)
    onehot[np.arange(len(logits)), labels] = 1
    return onehot


def _unshifted(logits: Any) -> Any:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def _probe(
    slope: Variant = lambda z, onehot: (losses.softmax(z) - onehot) / len(z),
    penalty: Variant = lambda w, strength, n: 2 * strength * w,
    by_bias: Variant = lambda g, b, strength: g.sum(axis=0),
    logits: Variant = lambda x, w, b: x @ w + b,
) -> Variant:
    """A variant from its gradient at the logits, its penalty, or how it treats the bias."""

    def variant(x: Any, labels: Any, w: Any, b: Any, strength: float) -> tuple[Any, Any]:
        z = logits(x, w, b)
        g = slope(z, _onehot(z, labels))
        return x.T @ g + penalty(w, strength, len(x)), by_bias(g, b, strength)

    return variant


def _scores(score: Callable[[Any, Any], Any], over: str = "labels") -> Callable[..., list[Any]]:
    """score(is the label, is the prediction) of each class that occurs among these."""

    def scores(labels: Any, predictions: Any, classes: int) -> list[Any]:
        among = {"labels": labels, "predictions": predictions, "all": np.arange(classes)}[over]
        present = [label for label in range(classes) if np.any(among == label)]
        return [score(labels == label, predictions == label) for label in present]

    return scores


def _recall(true: Any, found: Any) -> Any:
    return np.mean(found[true])


_recalls = _scores(_recall)
_precisions = _scores(lambda true, found: np.mean(true[found]), over="predictions")
_f1 = _scores(lambda true, found: 2 * np.sum(true & found) / (np.sum(true) + np.sum(found)))
_one_against_rest = _scores(lambda true, found: np.mean(true == found), over="all")


def _adjusted(labels: Any, predictions: Any, classes: int) -> float:
    recalls = _recalls(labels, predictions, classes)
    chance = 1 / len(recalls)
    return float((np.mean(recalls) - chance) / (1 - chance))


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
    Exercise(
        name="standardize",
        lesson=LESSON,
        points=2,
        reference=feature_extraction.standardize,
        cases=two_sets,
        section="One scale for all features",
        think="Mean and deviation come from `train` alone, one of each per column; both sets are "
        "treated with them. Then ask what happens to a column that never varies.",
        misconceptions=(
            Misconception(
                "each-by-its-own",
                lambda t, o: (_one(t), _one(o)),
                "You scale the other set by its own mean and deviation: a single example could "
                "not be scaled so, and a shift between the sets would vanish.",
                "Reuse what you computed from `train`.",
            ),
            Misconception(
                "both-together",
                _together,
                "You compute mean and deviation from both sets: that lets the test data leak into "
                "the training.",
                "Whatever is fitted must not see the other set.",
            ),
            Misconception(
                "scale-of-the-other",
                lambda t, o: _scaled(t, o, _no_zero(o.std(axis=0)), o.mean(axis=0)),
                "You scale both sets by the other one; the training set gives the scale.",
                "Which of the two is there before any question is asked?",
            ),
            Misconception(
                "other-untouched",
                lambda t, o: (_one(t), o * 1.0),
                "Only the training set is scaled: the model would meet other numbers than it was "
                "trained on.",
                "Apply the same mean and deviation to both.",
            ),
            Misconception(
                "unbiased",
                lambda t, o: _scaled(t, o, _no_zero(t.std(axis=0, ddof=1))),
                "You divide by N − 1; here, as in scikit-learn, the variance is divided by N.",
                "Compute the standard deviation of what you return for `train`: it should be 1.",
            ),
            Misconception(
                "division-by-zero",
                lambda t, o: _scaled(t, o, t.std(axis=0)),
                "A feature that never varies in training has deviation 0, and you divide by it: "
                "put 1 in its place.",
                "`np.where` chooses between two arrays, entry by entry.",
            ),
            Misconception(
                "epsilon-for-zero",
                lambda t, o: _scaled(t, o, t.std(axis=0) + 1e-8),
                "You add a small number to the deviation. A feature that never varies in training "
                "is then multiplied by a hundred million wherever it does: put 1 in place of 0.",
                "What becomes of a value of 2 in a feature that was 0 in training?",
            ),
            Misconception(
                "variance",
                lambda t, o: _scaled(t, o, _no_zero(t.var(axis=0))),
                "You divide by the variance, whose units are squared: divide by its root.",
                "Compute the standard deviation of what you return for `train`: it should be 1.",
            ),
            Misconception(
                "one-scale-for-all",
                lambda t, o: _scaled(t, o, t.std(), t.mean()),
                "You use one mean and one deviation for all features; each column has its own.",
                "A loud feature should not drown a quiet one.",
            ),
            Misconception(
                "by-row",
                lambda t, o: (_one(t.T).T, _one(o.T).T),
                "You standardise each example over its features; it is each feature over the "
                "examples.",
                "Which axis counts the examples?",
            ),
            Misconception(
                "only-centred",
                lambda t, o: _scaled(t, o, 1.0),
                "The mean is gone, but the features still have different scales: divide by the "
                "deviation.",
                "Compute the standard deviation of what you return for `train`: it should be 1.",
            ),
            Misconception(
                "not-centred",
                lambda t, o: _scaled(t, o, _no_zero(t.std(axis=0)), 0.0),
                "You divide by the deviation, but the mean is still there: subtract it first.",
                "Compute the mean of what you return for `train`: it should be 0.",
            ),
            Misconception(
                "divided-before-centring",
                lambda t, o: tuple(x - t.mean(axis=0) / _no_zero(t.std(axis=0)) for x in (t, o)),
                "Parentheses are missing: only the mean is divided by the deviation.",
                "Division comes before subtraction.",
            ),
            Misconception(
                "to-unit-range",
                _to_unit_range,
                "You scale to 0..1 by minimum and maximum: one outlier would squeeze all others. "
                "Use mean and standard deviation.",
                "Compute the mean of what you return for `train`: it should be 0.",
            ),
        ),
    ),
    Exercise(
        name="linear_probe_gradients",
        lesson=LESSON,
        points=3,
        reference=feature_extraction.linear_probe_gradients,
        cases=probes,
        section="A linear probe",
        think="At the logits the gradient is (softmax − onehot)/N, as in lesson 01. A linear "
        "layer passes it on as Xᵀ times it, and as its sum over the examples. Only the weights "
        "have a penalty.",
        misconceptions=(
            Misconception(
                "bias-penalised",
                _probe(by_bias=lambda g, b, s: g.sum(axis=0) + 2 * s * b),
                "You penalise the bias too: it only says how frequent a class is, so leave it "
                "free.",
                "Which variables does the penalty Σ W² contain?",
            ),
            Misconception(
                "penalty-half",
                _probe(penalty=lambda w, s, n: s * w),
                "A factor 2 is missing in the penalty's gradient: the derivative of w² is 2w.",
                "Compare with your `l2_gradient` of lesson 02.",
            ),
            Misconception(
                "penalty-forgotten",
                _probe(penalty=lambda w, s, n: 0.0),
                "The penalty is missing in the gradient of the weights.",
                "Where does `strength` come in?",
            ),
            Misconception(
                "penalty-averaged",
                _probe(penalty=lambda w, s, n: 2 * s * w / n),
                "You divide the penalty by N too: only the cross-entropy is a mean over the "
                "examples.",
                "Write the loss down again: what stands inside the mean?",
            ),
            Misconception(
                "penalty-sign",
                _probe(penalty=lambda w, s, n: -2 * s * w),
                "The penalty has the wrong sign: descent would make the weights grow.",
                "This is the gradient of the loss, the step subtracts it later.",
            ),
            Misconception(
                "penalty-absolute",
                _probe(penalty=lambda w, s, n: s * np.sign(w)),
                "This is the penalty of the lasso, Σ|W|; here the weights are squared.",
                "Compare with your `l2_gradient` of lesson 02.",
            ),
            Misconception(
                "no-mean",
                _probe(slope=lambda z, onehot: losses.softmax(z) - onehot),
                "The cross-entropy is a mean over the examples: divide its gradient by N.",
                "Repeat the batch twice: the gradient should stay.",
            ),
            Misconception(
                "bias-averaged-again",
                _probe(by_bias=lambda g, b, s: g.mean(axis=0)),
                "You average the bias' gradient over the examples a second time: 1/N is in the "
                "gradient at the logits already.",
                "Give the features one more column, of ones: Xᵀ then sums over the examples.",
            ),
            Misconception(
                "bias-not-averaged",
                _probe(by_bias=lambda g, b, s: g.sum(axis=0) * len(g)),
                "The weights' gradient is averaged over the examples, the bias' is not.",
                "Both come from the same gradient at the logits.",
            ),
            Misconception(
                "bias-not-used",
                _probe(logits=lambda x, w, b: x @ w),
                "The bias plays no part in your logits.",
                "Logits are XW + b.",
            ),
            Misconception(
                "onehot-forgotten",
                _probe(slope=lambda z, onehot: losses.softmax(z) / len(z)),
                "The one-hot labels are not subtracted.",
                "The gradient at the logits sums to zero in each row.",
            ),
            Misconception(
                "sign",
                _probe(slope=lambda z, onehot: (onehot - losses.softmax(z)) / len(z)),
                "The cross-entropy's gradient has the wrong sign: p − onehot, not onehot − p.",
                "The label's logit should grow in descent, so its gradient is negative.",
            ),
            Misconception(
                "no-softmax",
                _probe(slope=lambda z, onehot: (z - onehot) / len(z)),
                "You subtract the labels from the logits; turn those into probabilities first.",
                "The gradient at the logits is softmax − onehot.",
            ),
            Misconception(
                "sigmoid",
                _probe(slope=lambda z, onehot: (1 / (1 + np.exp(-z)) - onehot) / len(z)),
                "You use a sigmoid for each class; the classes exclude each other, so take the "
                "softmax.",
                "The probabilities of each row should sum to 1.",
            ),
            Misconception(
                "softmax-over-examples",
                _probe(slope=lambda z, onehot: (losses.softmax(z.T).T - onehot) / len(z)),
                "Your softmax runs over the examples; it should run over the classes of each one.",
                "The probabilities of each row should sum to 1.",
            ),
            Misconception(
                "overflow",
                _probe(slope=lambda z, onehot: (_unshifted(z) - onehot) / len(z)),
                "Large logits overflow: use a softmax that subtracts the row's maximum.",
                "You wrote a stable softmax in lesson 01.",
            ),
        ),
    ),
    Exercise(
        name="balanced_accuracy",
        lesson=LESSON,
        points=2,
        reference=feature_extraction.balanced_accuracy,
        cases=predictions,
        section="What accuracy hides",
        think="For each class that occurs: of the examples with this label, which share was "
        "recognised? Then the plain mean of these shares.",
        misconceptions=(
            Misconception(
                "accuracy",
                lambda y, p, c: float(np.mean(y == p)),
                "This is plain accuracy: a frequent class counts more. Average the classes' "
                "recalls instead.",
                "Always guessing the largest class of three should score 1/3.",
            ),
            Misconception(
                "precision",
                lambda y, p, c: float(np.mean(_precisions(y, p, c))),
                "This is precision: of those called so, how many were it. Recall asks: of those "
                "that are it, how many were found?",
                "Do you choose the examples by their label or by their prediction?",
            ),
            Misconception(
                "absent-class-as-zero",
                lambda y, p, c: float(sum(_recalls(y, p, c)) / c),
                "A class without labels counts as recall 0 in your mean; leave it out.",
                "Nobody could have recognised what is not there.",
            ),
            Misconception(
                "absent-class-divides",
                lambda y, p, c: float(np.mean([_recall(y == k, p == k) for k in range(c)])),
                "A class without labels gives 0/0; leave it out of the mean.",
                "Nobody could have recognised what is not there.",
            ),
            Misconception(
                "f1",
                lambda y, p, c: float(np.mean(_f1(y, p, c))),
                "This is the mean F1 score, which mixes precision in; only recall counts here.",
                "False alarms for a class are misses of another: they are counted there.",
            ),
            Misconception(
                "one-against-rest",
                lambda y, p, c: float(np.mean(_one_against_rest(y, p, c))),
                "For each class you also count the examples that are rightly not called so; look "
                "only at those that have its label.",
                "Always guessing the largest class of three should score 1/3.",
            ),
            Misconception(
                "adjusted",
                _adjusted,
                "You rescale so that chance is 0 (scikit-learn's `adjusted=True`); here it stays "
                "the plain mean of the recalls.",
                "Always guessing the largest class of three should score 1/3.",
            ),
            Misconception(
                "worst-class",
                lambda y, p, c: float(np.min(_recalls(y, p, c))),
                "This is the recall of the worst class: take the mean of all.",
                "Every class has the same say.",
            ),
            Misconception(
                "sum-of-recalls",
                lambda y, p, c: float(np.sum(_recalls(y, p, c))),
                "You add the recalls up: take their mean.",
                "Perfect predictions should score 1.",
            ),
            Misconception(
                "error",
                lambda y, p, c: float(1 - np.mean(_recalls(y, p, c))),
                "This is the balanced error, one minus what is asked for.",
                "Perfect predictions should score 1.",
            ),
        ),
    ),
)
