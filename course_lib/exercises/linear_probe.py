"""Exercises of lesson 05 on top of fixed features: their scale, a linear probe, its score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..foundations import feature_extraction, gradients, losses, regularization
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "05_feature_extraction"
Variant = Callable[..., Any]


# --- cases: all sizes different; train and other far apart; classes of unequal size -------------


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
        # Finite differences by the bias are off by far more than the tolerance here.
        case(8, 3, 4, 0.3, size=1e8, kind="enormous features"),
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


def _constant_erased(train: Any, other: Any) -> tuple[Any, Any]:
    constant = train.std(axis=0) == 0
    scaled = _scaled(train, other, _no_zero(train.std(axis=0)))
    return np.where(constant, 0.0, scaled[0]), np.where(constant, 0.0, scaled[1])


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


def _probe_by_differences(x: Any, labels: Any, w: Any, b: Any, strength: float) -> tuple[Any, Any]:
    def loss(w: np.ndarray, b: np.ndarray) -> float:
        entropy = losses.softmax_cross_entropy(x @ w + b, labels)
        return entropy + regularization.l2_penalty(w, strength)

    numerical = gradients.numerical_gradient
    return numerical(lambda v: loss(v, b), w), numerical(lambda v: loss(w, v), b)


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
                "deviation-of-the-other",
                lambda t, o: (_one(t), (o - t.mean(axis=0)) / _no_zero(o.std(axis=0))),
                "You divide the other set by its own deviation; that comes from `train` too.",
                "Reuse what you computed from `train`.",
            ),
            Misconception(
                "mean-of-the-other",
                lambda t, o: (_one(t), (o - o.mean(axis=0)) / _no_zero(t.std(axis=0))),
                "You subtract the other set's own mean; that comes from `train` too.",
                "Reuse what you computed from `train`.",
            ),
            Misconception(
                "constant-feature-erased",
                _constant_erased,
                "You set a feature that never varies in training to 0 in the other set, too. It is "
                "divided by 1: what it does there stays visible.",
                "What becomes of a value of 2 in a feature that was 0 in training?",
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
                "You penalise the bias too; the penalty of this loss contains the weights only.",
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
                "weights-not-averaged",
                _probe(
                    slope=lambda z, onehot: losses.softmax(z) - onehot,
                    by_bias=lambda g, b, s: g.mean(axis=0),
                ),
                "The bias' gradient is averaged over the examples, the weights' is not: Xᵀ sums "
                "over them.",
                "Divide by N once, at the logits; then both are sums.",
            ),
            Misconception(
                "averaged-twice",
                _probe(slope=lambda z, onehot: (losses.softmax(z) - onehot) / len(z) ** 2),
                "You divide the cross-entropy's gradient by N twice.",
                "Divide by N once, at the logits; then both gradients are sums.",
            ),
            Misconception(
                "averaged-over-classes",
                _probe(slope=lambda z, onehot: (losses.softmax(z) - onehot) / z.size),
                "You divide by examples times classes; the cross-entropy has one term for each "
                "example, so divide by N.",
                "Write the loss down again: over what does the mean run?",
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
            Misconception(
                "finite-differences",
                _probe_by_differences,
                "These are finite differences: they cost two losses for every weight, and one "
                "large loss drowns them in rounding. Write the formula.",
                "Finite differences are the witness. The formula stands right above the exercise.",
                noise=0.02,
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
                "divided-by-all",
                lambda y, p, c: float(np.sum(y == p) / len(y) / len(np.unique(y))),
                "You divide the hits of each class by the number of all examples; divide them by "
                "the members of the class.",
                "Perfect predictions should score 1.",
            ),
            Misconception(
                "recall-of-class-1",
                lambda y, p, c: float(_recall(y == 1, p == 1)),
                "This is the recall of class 1 alone; every class that occurs counts.",
                "Calling everything 1 should not score 1.",
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
