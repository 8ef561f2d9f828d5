"""Exercises of lesson 01 on classes: softmax, cross-entropy, both in one, its gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..foundations import gradients, losses
from .exercise import ORDINARY, Case, Exercise, Misconception

LESSON = "01_losses"
Softmax = Callable[[np.ndarray], np.ndarray]


# --- cases: N, D and C all different and none of them 1 or 2, unless the edge is the point ------


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
    def case(n: int, c: int, kind: str = ORDINARY) -> Case:
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
    def case(n: int, c: int, scale: float = 1.0, kind: str = ORDINARY) -> Case:
        return Case((rng.normal(size=(n, c), scale=scale), rng.integers(0, c, n)), kind)

    def one_hopeless() -> Case:
        # The loss is so large that the effect of a small step on the other rows is rounded away.
        rows = np.array([rng.permutation([0.0, 1.0, 2.0]) for _ in range(4)])
        rows[0] = 0, 1e8, 1
        labels = np.append(0, rng.integers(0, 3, 3))
        return Case((rows, labels), "a batch with one enormous loss")

    return [
        case(4, 3),
        case(7, 5, 2.0),
        case(6, 4, 1.5),
        case(5, 5),
        case(1, 4, kind="a batch of one"),
        case(5, 2, kind="two classes"),
        case(6, 3, 1e4, "logits of ±10,000"),
        Case((1e3 + rng.normal(size=(4, 3)), rng.integers(0, 3, 4)), "logits around 1,000"),
        one_hopeless(),
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


def _softmax_all_rows_together(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    shares: np.ndarray = e / e.sum()
    return shares


def _softmax_in_rows(maximum_as_column: bool, sum_as_column: bool) -> Softmax:
    def variant(z: np.ndarray) -> np.ndarray:
        e = np.exp(z - z.max(axis=1, keepdims=maximum_as_column))
        shares: np.ndarray = e / e.sum(axis=1, keepdims=sum_as_column)
        return shares

    return variant


def _one_off_whole_rows(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = losses.softmax(z)
    p[y] -= 1  # an IndexError where there are more classes than rows
    gradient: np.ndarray = p / len(z)
    return gradient


def _clipped(p: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = np.maximum(p, losses.CLIP)
    return clipped


# --- the exercises ------------------------------------------------------------------------------

EXERCISES = (
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
            Misconception(
                "over-everything-after-row-maximum",
                _softmax_all_rows_together,
                "The maximum is taken per row, but the sum over the whole array: all numbers "
                "together sum to one, not each row.",
                "A sum without an axis adds up all examples. Each example is a distribution of "
                "its own.",
            ),
            Misconception(
                "not-divided",
                lambda z: np.exp(z - z.max(axis=1, keepdims=True)),
                "These are the exponentials only: divide each row by its sum.",
                "The largest number of each of your rows is one, whatever the others are.",
            ),
            Misconception(
                "not-divided-not-shifted",
                np.exp,
                "These are the exponentials only: divide each row by its sum. (Large logits "
                "overflow, too: subtract the maximum of each row first.)",
                "What makes the numbers of one row sum to one?",
            ),
            *(
                Misconception(
                    f"keepdims-missing-in-{place}",
                    _softmax_in_rows(maximum_as_column, sum_as_column),
                    f"Is `keepdims=True` missing in {words}? Without it the rows' results have "
                    "shape (N,), and NumPy lines them up with the columns.",
                    "Print the shape of what you subtract and of what you divide by: (N, 1) "
                    "meets the rows, (N,) the columns.",
                )
                for place, words, maximum_as_column, sum_as_column in (
                    ("both", "the maximum and in the sum", False, False),
                    ("the-sum", "the sum", True, False),
                    ("the-maximum", "the maximum", False, True),
                )
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
                "labels-as-rows",
                lambda p, y: float(np.mean(-np.log(_clipped(p[y])))),
                "`probabilities[labels]` takes whole rows, those with the numbers of the labels; "
                "you want one number of each row.",
                "Two index arrays make pairs: the number of each row, and its label.",
            ),
            Misconception(
                "log-of-the-mean",
                lambda p, y: float(-np.log(_clipped(np.mean(_label_of(p, y))))),
                "You average the probabilities and then take the logarithm; each example has a "
                "logarithm of its own.",
                "The mean comes last: a sum of logarithms is the logarithm of a product.",
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
            Misconception(
                "labels-of-all-rows",
                lambda p, y: float(np.mean(-np.log(_clipped(p[:, y])))),
                "`p[:, labels]` takes from each row the entries of everybody's labels; only its "
                "own counts.",
                "`probabilities[np.arange(N), labels]` pairs each row with its own label.",
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
                "You take the logarithm of the softmax: a probability below about 5e-324 is "
                "rounded to zero, and its logarithm is −∞. Simplify log(exp(a)/b) on paper first.",
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
            Misconception(
                "only-onehot-divided",
                lambda z, y: losses.softmax(z) - _onehot(z, y) / len(z),
                "Only the one-hot labels are divided by N: `p - onehot / N` needs parentheses, "
                "`(p - onehot) / N`.",
                "Division binds tighter than subtraction. What do your rows sum to?",
            ),
            Misconception(
                "labels-as-numbers",
                lambda z, y: (losses.softmax(z) - y[:, None]) / len(z),
                "You subtract the class number from every entry of the row. One should be "
                "subtracted, and only at the label.",
                "A label says where, not how much. Which array has a 1 there and 0 elsewhere?",
            ),
            Misconception(
                "labels-as-numbers-and-not-divided",
                lambda z, y: losses.softmax(z) - y[:, None],
                "You subtract the class number from every entry of the row. One should be "
                "subtracted, only at the label; and the division by N is missing.",
                "A label says where, not how much. Which array has a 1 there and 0 elsewhere?",
            ),
            Misconception(
                "labels-of-all-rows",
                lambda z, y: (
                    (losses.softmax(z) - np.isin(np.arange(z.shape[1]), y).astype(float)) / len(z)
                ),
                "`p[:, labels] -= 1` subtracts one in every row at everybody's labels; each row "
                "has one label of its own.",
                "`p[np.arange(N), labels]` pairs each row with its own label.",
            ),
            Misconception(
                "labels-as-rows",
                _one_off_whole_rows,
                "`p[labels] -= 1` subtracts one from whole rows, those with the numbers of the "
                "labels; each row has one entry of its own to lower.",
                "`p[np.arange(N), labels]` pairs each row with its own label.",
            ),
            Misconception(
                "divided-by-classes",
                lambda z, y: (losses.softmax(z) - _onehot(z, y)) / z.shape[1],
                "You divide by the number of classes; the loss is a mean over the examples.",
                "Which axis has one entry per example? `len(logits)` is its length.",
            ),
            Misconception(
                "finite-differences",
                lambda z, y: gradients.numerical_gradient(
                    lambda x: losses.softmax_cross_entropy(x, y), z
                ),
                "These are finite differences: they cost two losses for every logit, and one large "
                "loss drowns them in rounding. Derive the formula.",
                "Finite differences are the witness. Derive the formula, then compare the two.",
                noise=0.02,
            ),
        ),
    ),
)
