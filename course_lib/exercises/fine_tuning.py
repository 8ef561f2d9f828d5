"""Exercises of lesson 06: what may move, batch normalisation, rare classes, rates by layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import fine_tuning
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "06_fine_tuning"
Variant = Callable[..., Any]


# --- cases: names that tell nothing, statistics unlike the batch's, an epsilon that is seen -----

_WORDS = ("stem", "conv", "relu", "add", "pad", "pool", "join", "dense")


def networks(rng: np.random.Generator) -> list[Case]:
    def case(size: int, norm_first: bool = False, kind: str = ORDINARY) -> Case:
        """Names like conv1 and conv12; at least every third layer is a batch normalisation."""
        is_batchnorm = np.arange(size) % 3 == rng.integers(0, 3)
        is_batchnorm |= rng.random(size) < 0.15
        words = np.where(is_batchnorm, "norm", rng.choice(_WORDS, size))
        numbers = rng.permutation(size)
        names = [f"{word}{number}" for word, number in zip(words, numbers, strict=True)]
        inner = np.arange(size // 4, size - 2)
        start = rng.choice(inner[is_batchnorm[inner] == norm_first])
        return Case((names, names[start], is_batchnorm), kind)

    named = ["input", "conv1", "conv1_bn", "conv10", "conv10_bn", "conv2", "norm", "add", "bn"]
    later = ["input", "conv21", "norm", "conv12", "conv12_bn", "add", "conv2", "scale", "conv1"]
    return [
        case(12),
        case(20),
        case(15),
        Case((named, "conv10", np.isin(np.arange(9), [2, 4, 6])), "names that mislead"),
        Case((later, "conv2", np.isin(np.arange(9), [2, 4, 7])), "names that mislead"),
        case(14, True, "a batch normalisation as the first to train"),
        Case((named, "input", np.isin(np.arange(9), [2, 4, 6])), "all layers from the input on"),
    ]


def arrays_of_weights(rng: np.random.Generator) -> list[Case]:
    def shape(axes: int) -> tuple[int, ...]:
        return tuple(int(size) for size in rng.integers(2, 9, axes))

    def case(*axes: int, kind: str = ORDINARY) -> Case:
        """Some train and some do not, whatever was drawn."""
        mask = rng.permutation(np.arange(len(axes)) % 3 != 0)
        return Case(([shape(number) for number in axes], mask), kind)

    scalars = [(), shape(2), (), shape(1)]
    return [
        case(4, 1, 1, 1, 2, 1),
        case(2, 1, 2, 1),
        case(4, 1, 4, 1, 4, 1, 3, 1),
        Case((scalars, np.array([True, True, False, False])), "an array of a single number"),
        Case(([shape(2), shape(1)], np.array([False, False])), "a frozen network"),
    ]


def stored_statistics(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, epsilon: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        x = mean + 1.0 + 2.0 * np.sqrt(variance) * rng.normal(size=(n, k))
        gamma, beta = rng.uniform(0.3, 2.0, k), rng.normal(size=k)
        return Case((x, gamma, beta, mean, variance, epsilon), kind)

    x, gamma, beta, mean, variance, _ = case(5, 3, 0.1).arguments
    variance[1] = 0.0
    return [
        case(6, 3, 0.05),
        case(4, 7, 0.2),
        case(9, 5, 0.01),
        case(1, 4, 0.05, "a batch of one"),
        Case((x, gamma, beta, mean, variance, 1e-3), "a stored variance of zero"),
    ]


def batches(rng: np.random.Generator) -> list[Case]:
    def case(n: int, k: int, momentum: float, kind: str = ORDINARY) -> Case:
        mean, variance = rng.uniform(-2.0, 2.0, k), rng.uniform(0.05, 3.0, k)
        batch = mean + 1.5 + rng.uniform(0.5, 3.0, k) * rng.normal(size=(n, k))
        return Case((mean, variance, batch, momentum), kind)

    return [
        case(6, 3, 0.9),
        case(4, 7, 0.7),
        case(8, 5, 0.8),
        case(5, 3, 0.99),
        case(1, 4, 0.9, "a batch of one"),
        case(6, 3, 0.0, "a momentum of zero"),
    ]


def rare_classes(rng: np.random.Generator) -> list[Case]:
    def case(*counts: int, kind: str = ORDINARY) -> Case:
        labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        return Case((labels, len(counts)), kind)

    a, b, c = rng.choice(np.arange(3, 9), 3, replace=False)
    return [
        case(2 * a, b, 1),
        case(b, 30, c, 2),
        case(20, c),
        case(5, 5, 5, kind="classes of equal size"),
        case(6, 0, a + 8, 3, kind="a class without examples"),
        case(4, 9, 0, kind="a class without examples"),
    ]


def groups(rng: np.random.Generator) -> list[Case]:
    def case(number: int, low: float, high: float, kind: str = ORDINARY) -> Case:
        rate, decay = rng.uniform(0.01, 0.1), rng.uniform(low, high)
        return Case((number, float(rate), float(decay)), kind)

    return [
        case(4, 0.3, 0.45),
        case(3, 0.6, 0.8),
        case(7, 0.55, 0.9),
        case(1, 0.3, 0.6, "a single group"),
        case(5, 1.0, 1.0, "a decay of 1"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _mask(trains: Callable[[Any, int, Any, Any], Any]) -> Variant:
    """A variant from trains(place of each layer, place of the named one, is_batchnorm, names)."""

    def variant(layer_names: Any, first_trainable: str, is_batchnorm: Any) -> Any:
        places, start = np.arange(len(layer_names)), layer_names.index(first_trainable)
        return trains(places, start, is_batchnorm, np.array(layer_names))

    return variant


def _contains(names: Any, *words: str) -> Any:
    return np.array([any(word in name for word in words) for name in names])


def _from_first(similar: Callable[[str, str], bool]) -> Variant:
    """Starts at the first layer of which similar(its name, the name asked for)."""

    def variant(layer_names: Any, first_trainable: str, is_batchnorm: Any) -> Any:
        found = [similar(name, first_trainable) for name in layer_names]
        return np.cumsum(found).astype(bool) & ~is_batchnorm

    return variant


def _count(number: Callable[[tuple[int, ...]], Any], kept: bool = True) -> Variant:
    """A variant from the number that it adds up for each array."""

    def variant(shapes: Any, mask: Any) -> Any:
        return sum(
            number(shape) for shape, trains in zip(shapes, mask, strict=True) if trains == kept
        )

    return variant


def _normalised(
    deviation: Variant = lambda variance, epsilon: np.sqrt(variance + epsilon),
    mean: Variant = lambda x, stored: stored,
    variance: Variant = lambda x, stored: stored,
    result: Variant = lambda z, gamma, beta: gamma * z + beta,
) -> Variant:
    """A variant from its deviation, its statistics, or what it does with gamma and beta."""

    def variant(x: Any, gamma: Any, beta: Any, m: Any, v: Any, epsilon: float) -> Any:
        z = (x - mean(x, m)) / deviation(variance(x, v), epsilon)
        return result(z, gamma, beta)

    return variant


def _of_batch_mean(x: Any, stored: Any) -> Any:
    return x.mean(axis=0)


def _of_batch_variance(x: Any, stored: Any) -> Any:
    return x.var(axis=0)


def _moved(
    mix: Variant = lambda old, new, momentum: momentum * old + (1 - momentum) * new,
    variance: Variant = lambda batch, mean: batch.var(axis=0),
    mean: Variant = lambda batch: batch.mean(axis=0),
) -> Variant:
    """A variant from how it mixes old and new, or from its statistics of the batch."""

    def variant(m: Any, v: Any, batch: Any, momentum: float) -> tuple[Any, Any]:
        return mix(m, mean(batch), momentum), mix(v, variance(batch, m), momentum)

    return variant


def _reversed_mix(old: Any, new: Any, momentum: float) -> Any:
    return (1 - momentum) * old + momentum * new


def _unbiased(batch: Any, mean: Any) -> Any:
    return batch.var(axis=0, ddof=1)


def _only(which: int) -> Variant:
    """Only one of the two statistics moves."""

    def variant(m: Any, v: Any, batch: Any, momentum: float) -> tuple[Any, Any]:
        new = fine_tuning.batchnorm_moving_update(m, v, batch, momentum)
        return (new[0], v * 1.0) if which == 0 else (m * 1.0, new[1])

    return variant


def _by_count(weight: Callable[[Any, int, int], Any]) -> Variant:
    """A variant from weight(counts, N, C)."""

    def variant(labels: Any, num_classes: int) -> Any:
        counts = np.bincount(labels, minlength=num_classes)
        return weight(counts.astype(float), len(labels), num_classes)

    return variant


def _where_any(counts: Any, weights: Callable[[Any], Any]) -> Any:
    return np.where(counts > 0, weights(np.maximum(counts, 1)), 0.0)


def _rates(rate: Callable[[Any, int, float, float], Any]) -> Variant:
    """A variant from rate(groups from the output, G, base, decay)."""

    def variant(num_groups: int, base: float, decay: float) -> Any:
        return rate(np.arange(num_groups)[::-1], num_groups, base, decay)

    return variant


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="trainable_mask",
        lesson=LESSON,
        points=2,
        reference=fine_tuning.trainable_mask,
        cases=networks,
        section="Which layers may move",
        think="Find the place of the named layer. A layer trains if its place is not before that "
        "one and it is no batch normalisation.",
        misconceptions=(
            Misconception(
                "batch-normalisation-trained",
                _mask(lambda i, s, bn, names: i >= s),
                "Batch normalisation trains too: its stored statistics would drift to those of "
                "your few images. Keep it frozen, wherever it stands.",
                "`is_batchnorm` says which layers must not move.",
            ),
            Misconception(
                "named-layer-excluded",
                _mask(lambda i, s, bn, names: (i > s) & ~bn),
                "The named layer itself stays frozen: it should be the first that trains.",
                "Is the comparison `>` or `>=`?",
            ),
            Misconception(
                "everything-trainable",
                _mask(lambda i, s, bn, names: np.ones(len(i), bool)),
                "Everything trains: nothing of what was learned before is protected.",
                "All layers before the named one stay as they are.",
            ),
            Misconception(
                "all-but-batch-normalisation",
                _mask(lambda i, s, bn, names: ~bn),
                "The layers before the named one train too; they should stay as they are.",
                "Where does `first_trainable` come in?",
            ),
            Misconception(
                "nothing-trainable",
                _mask(lambda i, s, bn, names: np.zeros(len(i), bool)),
                "Nothing trains: that is feature extraction. From the named layer on, layers "
                "should move.",
                "Count the true entries: how many did you expect?",
            ),
            Misconception(
                "input-side",
                _mask(lambda i, s, bn, names: (i <= s) & ~bn),
                "You train the layers on the input side; those are the general ones, which stay.",
                "The names run from the input to the output.",
            ),
            Misconception(
                "frozen-mask",
                _mask(lambda i, s, bn, names: ~((i >= s) & ~bn)),
                "Your mask says which layers are frozen; it should say which ones train.",
                "Count the true entries: how many did you expect?",
            ),
            Misconception(
                "only-named-layer",
                _mask(lambda i, s, bn, names: (i == s) & ~bn),
                "Only the named layer trains; all after it should too.",
                "It is the first that trains, not the only one.",
            ),
            Misconception(
                "only-batch-normalisation",
                _mask(lambda i, s, bn, names: (i >= s) & bn),
                "You train only batch normalisation; it is the one kind that should not.",
                "`~` turns booleans round.",
            ),
            Misconception(
                "or-instead-of-and",
                _mask(lambda i, s, bn, names: (i >= s) | ~bn),
                "You join the two conditions by “or”; both must hold.",
                "A layer trains if its place allows it and its kind allows it.",
            ),
            Misconception(
                "named-layer-always",
                _mask(lambda i, s, bn, names: (i == s) | (i >= s) & ~bn),
                "The named layer trains even if it is a batch normalisation; that stays frozen "
                "wherever it stands.",
                "There is no exception for the first.",
            ),
            Misconception(
                "by-name",
                _mask(lambda i, s, bn, names: (i >= s) & ~_contains(names, "bn")),
                "You recognise batch normalisation by “bn” in its name; names are free. "
                "`is_batchnorm` says it.",
                "In Keras: `isinstance(layer, keras.layers.BatchNormalization)`.",
            ),
            Misconception(
                "name-begins-the-same",
                _from_first(lambda name, first: first.startswith(name)),
                "You start at a layer whose name is only a part of the one that is asked for, as "
                "conv1 is of conv10; compare the whole name.",
                "A list has `index`.",
            ),
            Misconception(
                "name-contained",
                _from_first(lambda name, first: first in name),
                "You start at a layer whose name only contains the one that is asked for, as "
                "conv21 contains conv2; compare the whole name.",
                "A list has `index`.",
            ),
        ),
    ),
    Exercise(
        name="trainable_parameters",
        lesson=LESSON,
        points=1,
        reference=fine_tuning.trainable_parameters,
        cases=arrays_of_weights,
        section="Counting what is trained",
        think="An array has as many numbers as the product of its lengths. Add that up over the "
        "arrays that train.",
        misconceptions=(
            Misconception(
                "all-counted",
                lambda shapes, mask: sum(math.prod(shape) for shape in shapes),
                "You count the frozen arrays too.",
                "`zip` walks through shapes and mask together.",
            ),
            Misconception(
                "frozen-counted",
                _count(math.prod, kept=False),
                "You count the frozen arrays instead of those that train.",
                "What does True mean in the mask?",
            ),
            Misconception(
                "sum-of-lengths",
                _count(sum),
                "You add the lengths of an array up; multiply them.",
                "How many numbers are in a table of 3 rows and 4 columns?",
            ),
            Misconception(
                "arrays-counted",
                _count(lambda shape: 1),
                "You count arrays; count the numbers in them.",
                "A kernel and its bias are two arrays, but many numbers.",
            ),
            Misconception(
                "single-number-as-zero",
                _count(lambda shape: math.prod(shape) if shape else 0),
                "An array of shape () is a single number: it counts as 1.",
                "What is the product of no factors?",
            ),
            Misconception(
                "float",
                _count(lambda shape: np.prod(shape)),
                "The number is right but not an integer: `np.prod(())` is the float 1.0.",
                "`math.prod` keeps integers, and so does `int`.",
            ),
            Misconception(
                "biases-forgotten",
                _count(lambda shape: math.prod(shape) if len(shape) > 1 else 0),
                "You leave out arrays with one axis: biases, γ and β are parameters too.",
                "Every array counts that trains.",
            ),
            Misconception(
                "last-length-only",
                _count(lambda shape: shape[-1] if shape else 1),
                "You count only the last length of each array; all of them multiply.",
                "How many numbers are in a table of 3 rows and 4 columns?",
            ),
            Misconception(
                "first-length-only",
                _count(lambda shape: shape[0] if shape else 1),
                "You count only the first length of each array (as `len` does); all of them "
                "multiply.",
                "How many numbers are in a table of 3 rows and 4 columns?",
            ),
        ),
    ),
    Exercise(
        name="batchnorm_inference",
        lesson=LESSON,
        points=2,
        reference=fine_tuning.batchnorm_inference,
        cases=stored_statistics,
        section="Batch normalisation at inference",
        think="Centre by the stored mean, divide by the root of (stored variance + epsilon), then "
        "scale by gamma and shift by beta.",
        misconceptions=(
            Misconception(
                "batch-statistics",
                _normalised(mean=_of_batch_mean, variance=_of_batch_variance),
                "You use the mean and variance of this batch, as in training: the answer for an "
                "image would depend on its neighbours. At inference the stored ones count.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "batch-mean",
                _normalised(mean=_of_batch_mean),
                "You subtract the mean of this batch; at inference the stored mean counts.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "batch-variance",
                _normalised(variance=_of_batch_variance),
                "You divide by the deviation of this batch; at inference the stored variance "
                "counts.",
                "Send one example alone and then with others: the result must not change.",
            ),
            Misconception(
                "epsilon-outside-root",
                _normalised(lambda v, e: np.sqrt(v) + e),
                "Your epsilon is added to the root; in batch normalisation it stands inside, "
                "unlike in Adam.",
                "Epsilon has the units of the variance.",
            ),
            Misconception(
                "epsilon-forgotten",
                _normalised(lambda v, e: np.sqrt(v)),
                "The epsilon plays no part: a channel that never varies divides by zero.",
                "Add it to the variance before the root.",
            ),
            Misconception(
                "variance-as-deviation",
                _normalised(lambda v, e: v + e),
                "You divide by the variance; its root is missing.",
                "Both sides of a fraction should have the same units.",
            ),
            Misconception(
                "stored-as-deviation",
                _normalised(lambda v, e: v),
                "You divide by the stored variance as if it were the deviation: add epsilon and "
                "take the root.",
                "Both sides of a fraction should have the same units.",
            ),
            Misconception(
                "multiplied",
                lambda x, g, b, m, v, e: g * (x - m) * np.sqrt(v + e) + b,
                "You multiply by the deviation; divide by it.",
                "After centring and scaling the variance should be about 1.",
            ),
            Misconception(
                "gamma-and-beta-exchanged",
                _normalised(result=lambda z, gamma, beta: beta * z + gamma),
                "Gamma and beta are exchanged: gamma scales, beta shifts.",
                "Keras starts gamma at 1 and beta at 0, so that they change nothing.",
            ),
            Misconception(
                "gamma-and-beta-forgotten",
                _normalised(result=lambda z, gamma, beta: z),
                "Gamma and beta are missing: a frozen layer keeps the scale and shift that it "
                "learned.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "beta-forgotten",
                _normalised(result=lambda z, gamma, beta: gamma * z),
                "Beta is missing: shift the result by it.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "gamma-forgotten",
                _normalised(result=lambda z, gamma, beta: z + beta),
                "Gamma is missing: scale by it before you shift.",
                "After centring and scaling come two more operations.",
            ),
            Misconception(
                "beta-scaled",
                _normalised(result=lambda z, gamma, beta: gamma * (z + beta)),
                "Gamma scales beta too: multiply first, then shift.",
                "Which of the two comes last?",
            ),
            Misconception(
                "not-centred",
                _normalised(mean=lambda x, stored: 0.0),
                "The stored mean is not subtracted.",
                "What would the result be for an example that equals the stored mean?",
            ),
        ),
    ),
    Exercise(
        name="batchnorm_moving_update",
        lesson=LESSON,
        points=2,
        reference=fine_tuning.batchnorm_moving_update,
        cases=batches,
        section="Batch normalisation remembers",
        think="Twice the same mixture: momentum times the old, 1 − momentum times the batch's. "
        "Mean and variance of the batch are taken over the examples, divided by N.",
        misconceptions=(
            Misconception(
                "momentum-reversed",
                _moved(_reversed_mix),
                "Momentum is the share of the old statistics in Keras; you give it to the batch, "
                "as PyTorch does.",
                "With Keras' default of 0.99 the statistics should move slowly.",
            ),
            Misconception(
                "as-pytorch",
                _moved(_reversed_mix, variance=_unbiased),
                "This is PyTorch's rule: momentum is the share of the batch, the variance is "
                "unbiased. In Keras momentum is the share of the old statistics, and the variance "
                "is divided by N.",
                "See the conventions table: two rows are about batch normalisation.",
            ),
            Misconception(
                "unbiased-variance",
                _moved(variance=_unbiased),
                "You divide the batch's variance by N − 1; Keras divides by N. (The paper and "
                "PyTorch do as you did.)",
                "What is the variance of a batch of one?",
            ),
            Misconception(
                "new-only",
                _moved(lambda old, new, momentum: new * 1.0),
                "You replace the stored statistics by those of the batch; they are an average "
                "over many batches.",
                "Where does the momentum come in?",
            ),
            Misconception(
                "new-not-weighted",
                _moved(lambda old, new, momentum: momentum * old + new),
                "The batch's statistics are not weighted by 1 − momentum, so this is a sum and no "
                "average.",
                "The weights of an average add up to one.",
            ),
            Misconception(
                "deviation",
                _moved(variance=lambda batch, mean: batch.std(axis=0)),
                "You mix the batch's standard deviation into a variance.",
                "Do not take the root: the layer takes it when it divides.",
            ),
            Misconception(
                "around-the-stored-mean",
                _moved(variance=lambda batch, mean: np.mean((batch - mean) ** 2, axis=0)),
                "You compute the variance around the stored mean; it is the batch's own, around "
                "the batch's mean.",
                "`batch.var(axis=0)` looks at nothing but the batch.",
            ),
            Misconception(
                "mean-of-squares",
                _moved(variance=lambda batch, mean: np.mean(batch**2, axis=0)),
                "This is the mean of the squares: the square of the mean is not subtracted.",
                "A constant channel has variance 0.",
            ),
            Misconception(
                "one-for-all-channels",
                _moved(
                    mean=lambda batch: np.full(batch.shape[1], batch.mean()),
                    variance=lambda batch, mean: np.full(batch.shape[1], batch.var()),
                ),
                "You take one mean and one variance over all channels; each channel has its own.",
                "Which axis counts the examples?",
            ),
            Misconception(
                "only-mean-moves",
                _only(0),
                "The variance stays as it was; it moves by the same rule as the mean.",
                "Both return values have the same form.",
            ),
            Misconception(
                "only-variance-moves",
                _only(1),
                "The mean stays as it was; it moves by the same rule as the variance.",
                "Both return values have the same form.",
            ),
            Misconception(
                "nothing-moves",
                _moved(lambda old, new, momentum: old * 1.0),
                "Nothing moves: that is what a frozen layer does. In training the statistics "
                "follow the batches.",
                "Where does the batch come in?",
            ),
        ),
    ),
    Exercise(
        name="class_weights",
        lesson=LESSON,
        points=1,
        reference=fine_tuning.class_weights,
        cases=rare_classes,
        section="Weights for rare classes",
        think="Each class should get the same share of N, that is N/C, spread over its examples. "
        "Then ask what happens to a class that has none.",
        misconceptions=(
            Misconception(
                "not-normalised",
                _by_count(lambda k, n, c: _where_any(k, lambda k: 1 / k)),
                "One over the count: the ratios are right, but the loss shrinks, and with it the "
                "effective learning rate. Multiply by N/C.",
                "The weights of all examples should add up to N.",
            ),
            Misconception(
                "number-of-classes-forgotten",
                _by_count(lambda k, n, c: _where_any(k, lambda k: n / k)),
                "C is missing: the weights of all examples should add up to N, yours add up to "
                "C times as much.",
                "Each class gets N/C.",
            ),
            Misconception(
                "frequency",
                _by_count(lambda k, n, c: k / n),
                "This is the frequency itself: rare classes would count even less. Turn it round.",
                "Which class should get the largest weight?",
            ),
            Misconception(
                "sum-to-one",
                _by_count(
                    lambda k, n, c: (
                        _where_any(k, lambda k: 1 / k) / np.sum(_where_any(k, lambda k: 1 / k))
                    )
                ),
                "Your weights sum to 1 over the classes; weighted by the counts they should add "
                "up to N.",
                "For classes of equal size every weight should be 1.",
            ),
            Misconception(
                "sum-to-number-of-classes",
                _by_count(
                    lambda k, n, c: (
                        c * _where_any(k, lambda k: 1 / k) / np.sum(_where_any(k, lambda k: 1 / k))
                    )
                ),
                "Your weights sum to C over the classes; weighted by the counts they should add "
                "up to N.",
                "Compute the mean of `weights[labels]`.",
            ),
            Misconception(
                "relative-to-largest",
                _by_count(lambda k, n, c: _where_any(k, lambda k: k.max() / k)),
                "You compare with the largest class; compare with the mean count, N/C.",
                "The weights of all examples should add up to N.",
            ),
            Misconception(
                "divided-by-zero",
                _by_count(lambda k, n, c: n / (c * k)),
                "A class without examples gives an infinite weight; here it gets 0.",
                "`np.where` chooses, but it computes both sides: divide by at least 1.",
            ),
            Misconception(
                "absent-class-as-one-example",
                _by_count(lambda k, n, c: n / (c * np.maximum(k, 1))),
                "A class without examples is treated as if it had one; here it gets 0.",
                "`np.where(counts > 0, ..., 0)`.",
            ),
            Misconception(
                "absent-classes-not-counted",
                _by_count(lambda k, n, c: _where_any(k, lambda m: n / (np.sum(k > 0) * m))),
                "You divide by the number of classes that occur; C is the number of all.",
                "Use the argument `num_classes`.",
            ),
            Misconception(
                "weights-of-examples",
                lambda labels, c: fine_tuning.class_weights(labels, c)[labels],
                "You return a weight for every example; one for every class is asked for.",
                "The result has C entries.",
            ),
        ),
    ),
    Exercise(
        name="layerwise_learning_rates",
        lesson=LESSON,
        points=1,
        reference=fine_tuning.layerwise_learning_rates,
        cases=groups,
        section="Smaller steps for older layers",
        think="How many groups lie between a group and the output? The decay is multiplied in "
        "once for each step away from it.",
        misconceptions=(
            Misconception(
                "reversed",
                _rates(lambda k, g, base, decay: base * decay ** k[::-1]),
                "The input side has the largest rate; its layers are the most general and should "
                "move the least.",
                "The result runs from the input to the output, and the last entry is the base "
                "rate.",
            ),
            Misconception(
                "grows-towards-input",
                _rates(lambda k, g, base, decay: base / decay**k),
                "You divide by the decay, which is at most 1, so older layers move more; multiply "
                "by it.",
                "Which entry should be the largest?",
            ),
            Misconception(
                "base-at-the-input",
                _rates(lambda k, g, base, decay: base / decay ** k[::-1]),
                "The base rate belongs to the output side, and no group has a larger one; yours "
                "starts at the input and grows.",
                "The last entry is the base rate.",
            ),
            Misconception(
                "additive",
                _rates(lambda k, g, base, decay: base - decay * k),
                "You subtract the decay from group to group, until rates are negative; multiply.",
                "Between neighbours it is the ratio that is the same.",
            ),
            Misconception(
                "linear",
                _rates(lambda k, g, base, decay: base * (1 - (1 - decay) * k)),
                "You lose the same amount from group to group; it should be the same share of "
                "what is left.",
                "Between neighbours it is the ratio that is the same.",
            ),
            Misconception(
                "multiplied-by-distance",
                _rates(lambda k, g, base, decay: np.where(k > 0, base * decay * k, base)),
                "You multiply the decay by the distance to the output; raise it to that power.",
                "Two groups from the output it is decay times decay.",
            ),
            Misconception(
                "last-decayed-too",
                _rates(lambda k, g, base, decay: base * decay ** (k + 1)),
                "The exponents start at 1: the last group should have the base rate itself.",
                "Which power of the decay is 1?",
            ),
            Misconception(
                "one-minus-decay",
                _rates(lambda k, g, base, decay: base * (1 - decay) ** k),
                "You multiply by 1 − decay; the decay is the factor itself.",
                "With a decay of 1 all rates are equal.",
            ),
            Misconception(
                "exponential",
                _rates(lambda k, g, base, decay: base * np.exp(-decay * k)),
                "You use exp(−decay · distance); the decay itself is raised to the power.",
                "With a decay of 1 all rates are equal.",
            ),
            Misconception(
                "one-step-only",
                _rates(lambda k, g, base, decay: np.where(k > 0, base * decay, base)),
                "All groups but the last have the same rate: the decay is multiplied in once for "
                "each step away from the output.",
                "Two groups from the output it is decay times decay.",
            ),
            Misconception(
                "all-equal",
                _rates(lambda k, g, base, decay: np.full(g, base)),
                "All groups have the base rate: older layers should move less.",
                "Where does the decay come in?",
            ),
        ),
    ),
)
