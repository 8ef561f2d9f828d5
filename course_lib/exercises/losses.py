"""Exercises of lesson 01: losses and their gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..foundations import gradients, losses
from .exercise import Case, Exercise, Formula, Misconception

LESSON = "01_losses"
Function = Callable[[np.ndarray], float]


# --- cases: N, D and C all different and none of them 1 or 2, unless the edge is the point ------


def regression(rng: np.random.Generator) -> list[Case]:
    def pair(*shape: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        return scale * rng.normal(size=shape), scale * rng.normal(size=shape)

    same = rng.normal(size=(3, 5))
    return [
        Case(pair(4, 3)),
        Case(pair(7, 5)),
        Case(pair(3, 6, scale=2.5)),
        Case(pair(5, 5)),
        Case(pair(1, 4), "a batch of one"),
        Case(pair(6, 1), "a single output"),
        Case(pair(4, 3, scale=1e4), "large inputs"),
        Case((same, same.copy()), "perfect predictions"),
    ]


def logits(rng: np.random.Generator) -> list[Case]:
    rows = rng.normal(size=(4, 3))
    return [
        Case((rng.normal(size=(4, 3)),)),
        Case((rng.normal(size=(5, 7), scale=3.0),)),
        Case((rng.normal(size=(6, 6)),)),
        Case((rng.normal(size=(1, 4)),), "a batch of one"),
        Case((rng.normal(size=(3, 5), scale=1e4),), "logits of ±10,000"),
        Case((rows + np.array([[0.0], [-3e3], [5.0], [3e3]]),), "rows far apart from each other"),
    ]


def probabilities(rng: np.random.Generator) -> list[Case]:
    def case(n: int, c: int, kind: str = "ordinary inputs") -> Case:
        p = losses.softmax(rng.normal(size=(n, c)))
        return Case((p, rng.integers(0, c, n)), kind)

    sure = np.eye(4)[[0, 1, 2, 3, 0]]
    return [
        case(4, 3),
        case(6, 5),
        case(9, 4),
        case(5, 5),
        case(1, 4, "a batch of one"),
        case(5, 2, "two classes"),
        Case((sure, np.array([0, 1, 3, 3, 2])), "a probability of exactly zero"),
    ]


def logits_and_labels(rng: np.random.Generator) -> list[Case]:
    def case(n: int, c: int, scale: float = 1.0, kind: str = "ordinary inputs") -> Case:
        return Case((rng.normal(size=(n, c), scale=scale), rng.integers(0, c, n)), kind)

    return [
        case(4, 3),
        case(7, 5, 2.0),
        case(6, 4, 1.5),
        case(5, 5),
        case(1, 4, kind="a batch of one"),
        case(5, 2, kind="two classes"),
        case(6, 3, 1e4, "logits of ±10,000"),
        Case((1e3 + rng.normal(size=(4, 3)), rng.integers(0, 3, 4)), "logits around 1,000"),
    ]


def functions_and_points(rng: np.random.Generator) -> list[Case]:
    cubic, wavy = Formula("np.sum(x ** 3 + 2 * x)"), Formula("np.sum(np.sin(3 * x) * np.exp(x))")
    mixed = Formula("np.sum(x) ** 2 + np.sum(x ** 4)")
    return [
        Case((cubic, rng.normal(size=3), 1e-2)),
        Case((wavy, rng.normal(size=(2, 3)), 1e-2)),
        Case((mixed, rng.normal(size=(3, 3)), 1e-2)),
        Case((mixed, rng.normal(size=(4, 2)), 1e-3)),
        Case((wavy, rng.normal(size=(2, 2, 3)), 1e-2), "an array of three axes"),
        Case((cubic, np.asarray(rng.normal()), 1e-2), "a single number as the point"),
    ]


# --- wrong variants that need more than an expression -------------------------------------------


def _onehot(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    onehot = np.zeros_like(rows)
    onehot[np.arange(len(rows)), labels] = 1
    return onehot


def _log_sum_exp(z: np.ndarray) -> np.ndarray:
    top = z.max(axis=1, keepdims=True)
    total: np.ndarray = top[:, 0] + np.log(np.exp(z - top).sum(axis=1))
    return total


def _label_of(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    chosen: np.ndarray = rows[np.arange(len(rows)), labels]
    return chosen


def _softmax_unshifted(z: np.ndarray) -> np.ndarray:
    e = np.exp(z)
    shares: np.ndarray = e / e.sum(axis=1, keepdims=True)
    return shares


def _softmax_global_maximum(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    shares: np.ndarray = e / e.sum(axis=1, keepdims=True)
    return shares


def _softmax_over_columns(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=0, keepdims=True))
    shares: np.ndarray = e / e.sum(axis=0, keepdims=True)
    return shares


def _softmax_over_columns_row_shift(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    shares: np.ndarray = e / e.sum(axis=0, keepdims=True)
    return shares


def _softmax_over_everything(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    shares: np.ndarray = e / e.sum()
    return shares


def _clipped(p: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = np.maximum(p, losses.CLIP)
    return clipped


def _numerical(
    function: Function,
    point: np.ndarray,
    step: float,
    sides: int = 2,
    divisor: float = 2.0,
    diagonal: bool = False,
) -> np.ndarray:
    gradient = np.zeros(np.shape(point))
    for index in np.ndindex(gradient.shape):
        if diagonal and len(set(index)) > 1:
            continue
        above, below = np.array(point), np.array(point)
        above[index] += step
        if sides == 2:
            below[index] -= step
        gradient[index] = (function(above) - function(below)) / (divisor * step)
    return gradient


def _numerical_not_undone(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += step
        above = function(point)
        point[index] -= 2 * step
        gradient[index] = (above - function(point)) / (2 * step)
    return gradient


def _numerical_all_at_once(function: Function, point: np.ndarray, step: float) -> np.ndarray:
    slope = (function(point + step) - function(point - step)) / (2 * step)
    return np.full(np.shape(point), slope)


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
    Exercise(
        name="mse",
        lesson=LESSON,
        points=1,
        reference=losses.mse,
        cases=regression,
        section="Regression: mean squared error",
        think="Three steps: differences, their squares, one mean over everything.",
        misconceptions=(
            Misconception(
                "sum-instead-of-mean",
                lambda p, t: float(np.sum((p - t) ** 2)),
                "You add the squared errors up; a mean does not grow when the batch does.",
                "Repeat the batch twice: the sum doubles. What keeps the loss where it was?",
            ),
            Misconception(
                "mean-over-rows-only",
                lambda p, t: float(np.sum((p - t) ** 2) / len(p)),
                "You divide by the number of examples only; the mean here is over all elements, "
                "examples times outputs.",
                "How many squared numbers did you add up? Divide by that many.",
            ),
            Misconception(
                "half",
                lambda p, t: float(np.mean((p - t) ** 2) / 2),
                "Your value is half of it: the ½ of some textbooks is not part of this definition.",
                "Some books put ½ in front so that the 2 of the derivative cancels. Keras does "
                "not, nor do we.",
            ),
            Misconception(
                "absolute-instead-of-squared",
                lambda p, t: float(np.mean(np.abs(p - t))),
                "This is the mean absolute error: the differences are not squared.",
                "A Gaussian noise model squares the difference; an absolute value belongs to a "
                "Laplace one.",
            ),
            Misconception(
                "root",
                lambda p, t: float(np.sqrt(np.mean((p - t) ** 2))),
                "You took the square root at the end: that is the root mean squared error.",
                "The root has the units of the targets, but its gradient is another one. Stop "
                "one step earlier.",
            ),
            Misconception(
                "error-not-squared",
                lambda p, t: float(np.mean(p - t)),
                "The differences are averaged as they are, so errors up and down cancel.",
                "What would two errors of +1 and −1 give? They should not add up to nothing.",
            ),
            Misconception(
                "one-number-per-row",
                lambda p, t: np.mean((p - t) ** 2, axis=1),
                "You return one number per example; the loss of the batch is a single number.",
                "Which axes does your mean run over? It should run over both.",
            ),
        ),
    ),
    Exercise(
        name="numerical_gradient",
        lesson=LESSON,
        points=2,
        reference=gradients.numerical_gradient,
        cases=functions_and_points,
        section="A witness: finite differences",
        think="For each entry: a copy one step up, a copy one step down, the slope between them.",
        misconceptions=(
            Misconception(
                "forward-difference",
                lambda f, x, step: _numerical(f, x, step, sides=1, divisor=1.0),
                "This is the forward difference: its error falls with the step, the central "
                "one's with its square.",
                "Look at both sides of the point, one step up and one step down.",
            ),
            Misconception(
                "divided-by-one-step",
                lambda f, x, step: _numerical(f, x, step, divisor=1.0),
                "Every entry is twice too large: the two points are 2·step apart, not step.",
                "Rise over run: how far apart are the points at which you call the function?",
            ),
            Misconception(
                "perturbation-not-undone",
                _numerical_not_undone,
                "A perturbation stays in the array: the later entries are measured at another "
                "point, and the caller's array has changed.",
                "Perturb a copy, or put the old value back before you go on.",
            ),
            Misconception(
                "diagonal-only",
                lambda f, x, step: _numerical(f, x, step, diagonal=True),
                "Only entries whose indices are equal are filled in; the others stay zero.",
                "A matrix needs two indices that run independently: `np.ndindex(point.shape)`.",
            ),
            Misconception(
                "all-entries-at-once",
                _numerical_all_at_once,
                "You move all entries together, which measures the sum of all partial derivatives.",
                "A partial derivative moves one coordinate and holds the others still.",
            ),
            Misconception(
                "half-forward",
                lambda f, x, step: _numerical(f, x, step, sides=1, divisor=2.0),
                "You look one step ahead only, but divide by two steps: about half the slope.",
                "The divisor is the distance between the two points that you compare.",
            ),
        ),
    ),
    Exercise(
        name="mse_gradient",
        lesson=LESSON,
        points=2,
        reference=losses.mse_gradient,
        cases=regression,
        section="The gradient of the mean squared error",
        think="Differentiate one square, then ask by how many the mean divides.",
        misconceptions=(
            Misconception(
                "missing-2",
                lambda p, t: (p - t) / p.size,
                "The 2 from differentiating the square is missing.",
                "The loss has no ½ in front that could cancel the 2.",
            ),
            Misconception(
                "not-divided",
                lambda p, t: 2 * (p - t),
                "This is the gradient of the sum; the loss is a mean, so every entry is divided "
                "by the number of elements.",
                "Every element's square stands in the loss with a weight. Which weight?",
            ),
            Misconception(
                "divided-by-rows-only",
                lambda p, t: 2 * (p - t) / len(p),
                "You divide by the number of examples only; the loss divides by examples times "
                "outputs.",
                "Loss and gradient use the same divisor. Which one does your mse use?",
            ),
            Misconception(
                "gradient-by-targets",
                lambda p, t: 2 * (t - p) / p.size,
                "The sign is wrong: this is the gradient by the targets, and following it "
                "downhill would raise the loss.",
                "Where the prediction is too high, the loss must rise with the prediction.",
            ),
            Misconception(
                "sign-and-missing-2",
                lambda p, t: (t - p) / p.size,
                "The sign is wrong, and the 2 from differentiating the square is missing.",
                "Check one entry with `numerical_gradient`.",
            ),
            Misconception(
                "gradient-of-one-half-sum",
                lambda p, t: p - t,
                "This is the gradient of half the sum of squares: both the 2 and the division by "
                "the number of elements are missing.",
                "Write the loss down with its factor in front before you differentiate.",
            ),
            Misconception(
                "absolute-error",
                lambda p, t: np.sign(p - t) / p.size,
                "This is the gradient of the mean absolute error: it forgets how large each "
                "error is.",
                "The derivative of e² is proportional to e.",
            ),
        ),
    ),
    Exercise(
        name="softmax",
        lesson=LESSON,
        points=2,
        reference=losses.softmax,
        cases=logits,
        section="Classification: softmax",
        think="Exponentials of each row, divided by their sum in that row: and which shift keeps "
        "the exponentials finite?",
        misconceptions=(
            Misconception(
                "overflow",
                _softmax_unshifted,
                "Large logits overflow: exp(710) is already infinite. Subtract the maximum of "
                "each row first; no ratio changes.",
                "exp(z − c) / Σ exp(z − c) is the same for every c. Which c makes the largest "
                "exponent zero?",
            ),
            Misconception(
                "maximum-of-everything",
                _softmax_global_maximum,
                "You subtract the maximum of the whole array: a row far below it becomes 0/0.",
                "Each row needs its own shift: a maximum along axis 1, with `keepdims=True`.",
            ),
            Misconception(
                "wrong-axis",
                _softmax_over_columns,
                "You normalise over the examples: your columns sum to one, the rows do not.",
                "One row is one example, and its classes share the probability. Which axis runs "
                "over classes?",
            ),
            Misconception(
                "wrong-axis-in-the-sum",
                _softmax_over_columns_row_shift,
                "The maximum is taken per row, but the sum per column: the rows do not sum to one.",
                "Both the maximum and the sum run over the classes of one example.",
            ),
            Misconception(
                "over-everything",
                _softmax_over_everything,
                "You normalise over the whole array: all numbers together sum to one, not each "
                "row.",
                "A sum without an axis adds up all examples. Each example is a distribution of "
                "its own.",
            ),
            Misconception(
                "sigmoid",
                lambda z: 1 / (1 + np.exp(-z)),
                "This is the sigmoid of each logit: the classes of a row do not compete, and the "
                "row does not sum to one.",
                "Softmax divides by what the other classes of the row have.",
            ),
            Misconception(
                "not-exponentiated",
                lambda z: z / z.sum(axis=1, keepdims=True),
                "You divide the logits themselves by their sum; without the exponential there are "
                "negative “probabilities”.",
                "What turns any real number into a positive one?",
            ),
            Misconception(
                "log-softmax",
                lambda z: z - _log_sum_exp(z)[:, None],
                "These are the logarithms of the probabilities.",
                "One exponential is missing, or one logarithm is too many.",
            ),
        ),
    ),
    Exercise(
        name="cross_entropy",
        lesson=LESSON,
        points=2,
        reference=losses.cross_entropy,
        cases=probabilities,
        section="Cross-entropy",
        think="Pick one probability from each row, the label's; then logarithm, sign, mean.",
        misconceptions=(
            Misconception(
                "sum-instead-of-mean",
                lambda p, y: float(-np.log(_clipped(_label_of(p, y))).sum()),
                "You add up over the examples; the loss is their mean.",
                "Repeat the batch: the loss must stay where it is.",
            ),
            Misconception(
                "all-classes",
                lambda p, y: float(-np.log(_clipped(p)).sum(axis=1).mean()),
                "You add the log-probabilities of all classes; only the label's counts.",
                "`probabilities[np.arange(N), labels]` pairs each row with its own label.",
            ),
            Misconception(
                "mean-of-all-classes",
                lambda p, y: float(-np.log(_clipped(p)).mean()),
                "You average the log-probabilities of all classes and never look at the labels.",
                "`probabilities[np.arange(N), labels]` pairs each row with its own label.",
            ),
            Misconception(
                "divided-by-all-elements",
                lambda p, y: float(-np.log(_clipped(_label_of(p, y))).sum() / p.size),
                "You divide by examples times classes; there is one term per example, so divide "
                "by the number of examples.",
                "How many numbers does the sum have after the label's was picked from each row?",
            ),
            Misconception(
                "one-minus-p",
                lambda p, y: float(np.mean(1 - _label_of(p, y))),
                "This is the mean of 1 − p: it punishes a hopeless answer hardly more than a poor "
                "one. The likelihood asks for −log p.",
                "Maximum likelihood multiplies probabilities; what turns a product into a sum?",
            ),
            Misconception(
                "log-of-one-minus-p",
                lambda p, y: float(np.mean(-np.log(_clipped(1 - _label_of(p, y))))),
                "You take the logarithm of 1 − p, so the loss falls when the label gets less "
                "likely.",
                "A sure and right answer, p = 1, should cost nothing.",
            ),
            Misconception(
                "log-base-2",
                lambda p, y: float(np.mean(-np.log2(_clipped(_label_of(p, y))))),
                "Your logarithm has base 2: these are bits. Here, as in Keras, it is the natural "
                "one.",
                "log₂ x = ln x / ln 2: your value is 1.4427 times the right one.",
            ),
            Misconception(
                "log-base-10",
                lambda p, y: float(np.mean(-np.log10(_clipped(_label_of(p, y))))),
                "Your logarithm has base 10. Here, as in Keras, it is the natural one.",
                "`np.log` is the natural logarithm.",
            ),
            Misconception(
                "no-clip",
                lambda p, y: float(np.mean(-np.log(_label_of(p, y)))),
                "A probability of exactly zero makes the loss infinite: clip it below at 1e-7, as "
                "Keras does.",
                "`np.maximum(p, 1e-7)` before the logarithm.",
            ),
            Misconception(
                "binary-formula",
                lambda p, y: float(
                    np.mean(
                        -(
                            _onehot(p, y) * np.log(_clipped(p))
                            + (1 - _onehot(p, y)) * np.log(_clipped(1 - p))
                        ).sum(axis=1)
                    )
                ),
                "This is the binary formula, summed over the classes: it also counts −log(1 − p) "
                "of every wrong class.",
                "A softmax row is one choice among C, not C independent yes-or-no questions.",
            ),
            Misconception(
                "binary-formula-averaged",
                lambda p, y: float(
                    np.mean(
                        -(
                            _onehot(p, y) * np.log(_clipped(p))
                            + (1 - _onehot(p, y)) * np.log(_clipped(1 - p))
                        )
                    )
                ),
                "This is binary cross-entropy, averaged over the classes: it also counts "
                "−log(1 − p) of every wrong class.",
                "A softmax row is one choice among C, not C independent yes-or-no questions.",
            ),
            Misconception(
                "sign",
                lambda p, y: float(np.mean(np.log(_clipped(_label_of(p, y))))),
                "The minus is missing: this is the log-likelihood, which should rise. A loss "
                "should fall.",
                "Logarithms of probabilities are negative; the loss is positive.",
            ),
            Misconception(
                "class-number-as-factor",
                lambda p, y: float(np.mean(-y * np.log(_clipped(_label_of(p, y))))),
                "You multiply by the class number: class 0 would cost nothing and class 9 nine "
                "times as much.",
                "The label selects a term; it does not weigh it.",
            ),
        ),
    ),
    Exercise(
        name="softmax_cross_entropy",
        lesson=LESSON,
        points=2,
        reference=losses.softmax_cross_entropy,
        cases=logits_and_labels,
        section="Both in one: log-sum-exp",
        think="log(Σ exp z) − z[label], where the first term is computed with the maximum taken "
        "out and put back.",
        misconceptions=(
            Misconception(
                "log-of-softmax",
                lambda z, y: float(np.mean(-np.log(_label_of(losses.softmax(z), y)))),
                "You take the logarithm of the softmax: a probability below 1e-308 is rounded to "
                "zero, and its logarithm is −∞. Simplify log(exp(a)/b) on paper first.",
                "log of a quotient is a difference: one of its terms is just the logit.",
            ),
            Misconception(
                "clipped-softmax",
                lambda z, y: losses.cross_entropy(losses.softmax(z), y),
                "You clip probabilities at 1e-7, so no example can cost more than 16.1: with "
                "logits of ±10,000 the exact loss is in the thousands.",
                "Log-sum-exp needs no clip, because it never forms the probability.",
            ),
            Misconception(
                "unshifted-log-sum-exp",
                lambda z, y: float(np.mean(np.log(np.exp(z).sum(axis=1)) - _label_of(z, y))),
                "The exponential overflows: take the row's maximum out before, and add it back "
                "after the logarithm.",
                "log Σ exp z = m + log Σ exp(z − m), for every m.",
            ),
            Misconception(
                "sum-instead-of-mean",
                lambda z, y: float((_log_sum_exp(z) - _label_of(z, y)).sum()),
                "You add up over the examples; the loss is their mean.",
                "Repeat the batch: the loss must stay where it is.",
            ),
            Misconception(
                "maximum-not-added-back",
                lambda z, y: float(
                    np.mean(_log_sum_exp(z) - z.max(axis=1) - _label_of(z, y)),
                ),
                "You subtract the maximum inside the exponential, but do not add it back outside "
                "the logarithm.",
                "log Σ exp(z − m) = log Σ exp z − m. What is left to do with m?",
            ),
            Misconception(
                "sign",
                lambda z, y: float(np.mean(_label_of(z, y) - _log_sum_exp(z))),
                "The sign is wrong: this is the log-likelihood, which should rise. A loss should "
                "fall.",
                "The result can never be negative: no probability is above one.",
            ),
            Misconception(
                "label-forgotten",
                lambda z, y: float(np.mean(_log_sum_exp(z))),
                "The label's logit is not subtracted: the labels play no part.",
                "−log(exp(z[label]) / Σ exp z) has two terms.",
            ),
        ),
    ),
    Exercise(
        name="softmax_cross_entropy_gradient",
        lesson=LESSON,
        points=3,
        reference=losses.softmax_cross_entropy_gradient,
        cases=logits_and_labels,
        section="The gradient of softmax and cross-entropy",
        think="Probabilities, minus one at the label, divided as the loss divides.",
        misconceptions=(
            Misconception(
                "not-divided-by-n",
                lambda z, y: losses.softmax(z) - _onehot(z, y),
                "Not divided by N: the loss is a mean over the examples, so each contributes an "
                "N-th of its gradient.",
                "Repeat the batch: each row's gradient must halve.",
            ),
            Misconception(
                "divided-by-all-elements",
                lambda z, y: (losses.softmax(z) - _onehot(z, y)) / z.size,
                "You divide by examples times classes; the loss is a mean over examples only.",
                "Loss and gradient use the same divisor.",
            ),
            Misconception(
                "sign",
                lambda z, y: (_onehot(z, y) - losses.softmax(z)) / len(z),
                "The sign is wrong: raising the label's logit must lower the loss, so its entry "
                "is negative.",
                "Check one entry with `numerical_gradient`.",
            ),
            Misconception(
                "onehot-forgotten",
                lambda z, y: losses.softmax(z) / len(z),
                "The one-hot labels are not subtracted: every logit would be pushed down, the "
                "right one too.",
                "Each row must sum to zero. What do your rows sum to?",
            ),
            Misconception(
                "sigmoid-derivative",
                lambda z, y: (
                    (losses.softmax(z) - _onehot(z, y))
                    * losses.softmax(z)
                    * (1 - losses.softmax(z))
                    / len(z)
                ),
                "You multiply by p(1 − p) as for a squared error behind a sigmoid; p − onehot "
                "already contains the softmax's derivative.",
                "The p(1 − p) of the derivative cancels against the 1/p of the logarithm.",
            ),
            Misconception(
                "gradient-by-probabilities",
                lambda z, y: -_onehot(z, y) / losses.softmax(z) / len(z),
                "This is the gradient by the probabilities, −onehot/p; the chain rule still has "
                "to go through the softmax.",
                "Multiply by the Jacobian of softmax, p_i(δ_ij − p_j), and simplify.",
            ),
            Misconception(
                "overflow",
                lambda z, y: (_softmax_unshifted(z) - _onehot(z, y)) / len(z),
                "Large logits overflow: use a softmax that subtracts the row's maximum.",
                "You have written a stable softmax already: call it.",
            ),
            Misconception(
                "label-column-only",
                lambda z, y: (losses.softmax(z) - 1) * _onehot(z, y) / len(z),
                "Only the label's entry is filled in; the other logits have a gradient too: they "
                "should go down.",
                "Each row must sum to zero. What do your rows sum to?",
            ),
        ),
    ),
)
