"""Exercises of lesson 06: what may move, rare classes, rates (and `batch_normalization`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import fine_tuning
from . import batch_normalization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "06_fine_tuning"
Variant = Callable[..., Any]


# --- cases: names that tell nothing, arrays of many shapes, classes of unequal size ---------------

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


def _training(shapes: Any, mask: Any) -> list[int]:
    """The size of each array that trains."""
    return [math.prod(shape) for shape, trains in zip(shapes, mask, strict=True) if trains]


def _by_count(weight: Callable[[Any, int, int], Any]) -> Variant:
    """A variant from weight(counts, N, C)."""

    def variant(labels: Any, num_classes: int) -> Any:
        counts = np.bincount(labels, minlength=num_classes)
        return weight(counts.astype(float), len(labels), num_classes)

    return variant


def _by_short_count(weight: Callable[[Any, int, int], Any]) -> Variant:
    """The same without `minlength`: classes behind the last that occurs are lost."""

    def variant(labels: Any, num_classes: int) -> Any:
        return weight(np.bincount(labels).astype(float), len(labels), num_classes)

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
            Misconception(
                "parentheses-missing",
                _mask(lambda i, s, bn, names: i >= (s & ~bn)),
                "`a >= start & b` is read as `a >= (start & b)`: put the comparison into "
                "parentheses.",
                "`&` binds tighter than `>=`, other than `and`.",
            ),
            Misconception(
                "parentheses-missing-behind",
                _mask(lambda i, s, bn, names: (~bn & i) >= s),
                "`a & b >= start` is read as `(a & b) >= start`: put the comparison into "
                "parentheses.",
                "`&` binds tighter than `>=`, other than `and`.",
            ),
            Misconception(
                "alphabetical",
                _mask(lambda i, s, bn, names: (names >= names[s]) & ~bn),
                "You compare the names as text, which sorts them by the alphabet; compare the "
                "layers' places.",
                "A list has `index`.",
            ),
            Misconception(
                "batch-normalisation-always-trains",
                _mask(lambda i, s, bn, names: (i >= s) | bn),
                "Every batch normalisation trains in yours, even those before the named layer; "
                "none of them should.",
                "`is_batchnorm` says which layers must not move.",
            ),
            Misconception(
                "places",
                _mask(lambda i, s, bn, names: np.flatnonzero((i >= s) & ~bn)),
                "You return the places of the layers that train; one truth value for every layer "
                "is asked for.",
                "The comparison itself gives the truth values.",
            ),
            Misconception(
                "places-from-where",
                _mask(lambda i, s, bn, names: np.where((i >= s) & ~bn)),
                "You return the places of the layers that train; one truth value for every layer "
                "is asked for.",
                "The comparison itself gives the truth values, without `np.where`.",
            ),
            Misconception(
                "names",
                _mask(lambda i, s, bn, names: names[(i >= s) & ~bn].tolist()),
                "You return the names of the layers that train; one truth value for every layer "
                "is asked for.",
                "The layers that stay frozen have an entry, too: False.",
            ),
            Misconception(
                "from-the-named-layer-on",
                _mask(lambda i, s, bn, names: ~bn[s:]),
                "You leave the layers before the named one out; they have an entry, too: False.",
                "The result has as many entries as there are layers.",
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
            Misconception(
                "first-array-only",
                lambda shapes, mask: math.prod(shapes[0]) if mask[0] else 0,
                "Only the first array is counted: does your `return` stand inside the loop?",
                "A `return` ends the function at once. It belongs below the loop, as far left as "
                "the `for`.",
            ),
            Misconception(
                "product-from-zero",
                lambda shapes, mask: 0,
                "Your result is always 0: a product that starts at 0 stays there. Start it at 1.",
                "0 is where a sum starts.",
            ),
            Misconception(
                "product-over-all",
                lambda shapes, mask: math.prod(_training(shapes, mask)),
                "You multiply the arrays with each other; inside an array the lengths are "
                "multiplied, but the arrays are added up.",
                "Two tables side by side have as many numbers as both together.",
            ),
            Misconception(
                "product-not-restarted",
                lambda shapes, mask: sum(np.cumprod(_training(shapes, mask)).tolist()),
                "Each array's product goes on from the one before: set it back to 1 for every "
                "array.",
                "Which line belongs inside the outer loop, and which before it?",
            ),
            Misconception(
                "frozen-as-one",
                lambda shapes, mask: sum(_training(shapes, mask)) + int(np.sum(~np.array(mask))),
                "Each frozen array counts as 1; it should not count at all.",
                "Which lines should run for frozen arrays?",
            ),
            Misconception(
                "axes-counted",
                _count(len),
                "You count axes; count the numbers along them, multiplied.",
                "`len` of a shape says how many lengths it has.",
            ),
            Misconception(
                "one-number-per-array",
                lambda shapes, mask: _training(shapes, mask),
                "You return one number for each array; add them up.",
                "A single integer is asked for.",
            ),
        ),
    ),
    *batch_normalization.EXERCISES,
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
                "One over the count: the ratios are right, but the loss shrinks, and its gradients "
                "with it. Multiply by N/C.",
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
            Misconception(
                "minlength-forgotten",
                _by_short_count(lambda k, n, c: _where_any(k, lambda k: n / (c * k))),
                "`np.bincount` stops at the last class that occurs; with `minlength=num_classes` "
                "it counts them all.",
                "The result has C entries, whatever the labels are.",
            ),
            Misconception(
                "minlength-forgotten-and-divided-by-zero",
                _by_short_count(lambda k, n, c: n / (c * k)),
                "`np.bincount` stops at the last class that occurs; with `minlength=num_classes` "
                "it counts them all. And a class without examples gives an infinite weight; here "
                "it gets 0.",
                "The result has C entries, whatever the labels are.",
            ),
            Misconception(
                "only-classes-that-occur",
                _by_count(lambda k, n, c: n / (c * k[k > 0])),
                "Classes without examples have no entry in your result; they get the weight 0.",
                "The result has C entries, whatever the labels are. `np.bincount` has `minlength`.",
            ),
            Misconception(
                "divided-then-multiplied",
                _by_count(lambda k, n, c: n / c * k),
                "`N / C * count` divides by C and then multiplies by the count: put the divisor "
                "into parentheses, `N / (C * count)`.",
                "Python goes from left to right: a / b * c is (a / b) * c.",
            ),
            Misconception(
                "one-minus-frequency",
                _by_count(lambda k, n, c: 1 - k / n),
                "One minus the frequency grows where a class is rare, but not as much: every "
                "class should weigh the same in total.",
                "Multiply each of your weights by its count: are the products equal?",
            ),
            Misconception(
                "absent-class-as-ordinary",
                _by_count(lambda k, n, c: np.where(k > 0, n / (c * np.maximum(k, 1)), 1.0)),
                "A class without examples gets the weight 1 in yours; here it gets 0.",
                "Which value stands for “no such examples”?",
            ),
            Misconception(
                "one-added-to-counts",
                _by_count(lambda k, n, c: n / (c * (k + 1))),
                "You add 1 to every count so as not to divide by zero, and all weights become "
                "wrong; treat only the absent class on its own.",
                "`np.where` chooses, entry by entry.",
            ),
            Misconception(
                "multiplied-by-classes",
                _by_count(lambda k, n, c: _where_any(k, lambda k: c * n / k)),
                "You multiply by C; the share of a class is N divided by C.",
                "For classes of equal size every weight should be 1.",
            ),
            Misconception(
                "n-and-c-exchanged",
                _by_count(lambda k, n, c: _where_any(k, lambda k: c / (n * k))),
                "N and C are exchanged: each class gets N/C, spread over its examples.",
                "For classes of equal size every weight should be 1.",
            ),
            Misconception(
                "relative-to-smallest",
                _by_count(lambda k, n, c: _where_any(k, lambda k: k.min() / k)),
                "You compare with the smallest class; compare with the mean count, N/C.",
                "The weights of all examples should add up to N.",
            ),
            Misconception(
                "counts",
                _by_count(lambda k, n, c: k),
                "These are the counts themselves: rare classes would count even less.",
                "Which class should get the largest weight?",
            ),
            Misconception(
                "whole-numbers",
                _by_count(lambda k, n, c: _where_any(k, lambda k: n // (c * k))),
                "`//` cuts the fraction off; divide with `/`.",
                "Weights need not be whole numbers.",
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
            Misconception(
                "base-in-the-power",
                _rates(lambda k, g, base, decay: (base * decay) ** k),
                "You raise the base rate to the power too; only the decay is.",
                "Powers come before products, unless parentheses say otherwise.",
            ),
            Misconception(
                "distance-as-factor",
                _rates(lambda k, g, base, decay: base * decay * k),
                "You multiply the decay by the distance to the output, which gives the last "
                "group a rate of 0; raise it to that power.",
                "Which power of the decay is 1?",
            ),
            Misconception(
                "factor-over-all",
                lambda g, base, decay: np.geomspace(base * decay, base, g),
                "Your decay lies between the first group and the last; it is the factor from "
                "each group to the next.",
                "Two groups from the output it is decay times decay.",
            ),
            Misconception(
                "evenly-spaced",
                lambda g, base, decay: np.linspace(base * decay, base, g),
                "Your rates are evenly spaced; it is the ratio between neighbours that should be "
                "the same, and it is the decay.",
                "Two groups from the output it is decay times decay.",
            ),
            Misconception(
                "share-subtracted",
                _rates(lambda k, g, base, decay: base - base * decay * k),
                "You subtract a share of the base rate from group to group, until rates are "
                "negative; multiply.",
                "Between neighbours it is the ratio that is the same.",
            ),
            Misconception(
                "inverse",
                _rates(lambda k, g, base, decay: base / (1 + decay * k)),
                "You divide by 1 + decay · distance; the decay itself is raised to the power.",
                "Between neighbours it is the ratio that is the same.",
            ),
            Misconception(
                "last-group-missing",
                _rates(lambda k, g, base, decay: base * decay ** k[k > 0]),
                "The last group has no rate: your exponents stop at 1, and its is 0.",
                "`range` and `np.arange` stop before their end: the end of G − 1, G − 2, … 0 is "
                "−1.",
            ),
        ),
    ),
)
