"""The judge's findings on answers that are no known misconception."""

from __future__ import annotations

import inspect
import math
import re
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import Case, Exercise, Formula, Misconception, catalogue, judge
from course_lib.exercises.diagnosis import Trial, error_at, same_values
from course_lib.exercises.exercise import Outcome
from course_lib.exercises.judge import diagnose, run_cases

right = {name: exercise.reference for name, exercise in catalogue().items()}


def judged(name: str, function: Callable[..., Any]) -> tuple[str, str]:
    verdict = judge(name, function)
    assert verdict.points == (verdict.max_points if verdict.status == "correct" else 0)
    return verdict.status, verdict.message


def made_up(reference: Any, cases: Any, misconceptions: tuple[Misconception, ...] = ()) -> Exercise:
    return Exercise("x", "x", 1, reference, cases, misconceptions, think="", section="")


def raises(_: Any, __: Any) -> None:
    values = [1, 2]
    values[5]


def changes_its_argument(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    predictions -= targets
    return 2 * predictions / predictions.size


def changes_its_lists(
    parameters: list[np.ndarray], velocities: list[np.ndarray], *others: Any
) -> list[np.ndarray]:
    new: list[np.ndarray] = right["training_step"](parameters, velocities, *others)
    parameters[:], velocities[:] = new[:4], new[4:]
    return new


def single_numbers_only(logits: np.ndarray) -> np.ndarray:
    return math.exp(logits - logits.max())  # type: ignore[return-value,arg-type]


def sum_is_taken(predictions: np.ndarray, targets: np.ndarray) -> float:
    sum: Any = 0
    return sum((predictions - targets) ** 2)  # type: ignore[no-any-return]


def batch_of_one_wrong(logits: np.ndarray) -> np.ndarray:
    return right["softmax"](logits) if len(logits) > 1 else np.ones_like(logits)


def none_on_a_batch_of_one(logits: np.ndarray) -> np.ndarray | None:
    return right["softmax"](logits) if len(logits) > 1 else None


def nan_on_a_single_output(predictions: np.ndarray, targets: np.ndarray) -> float:
    return np.nan if predictions.shape[1] == 1 else right["mse"](predictions, targets)


@pytest.mark.parametrize(
    ("name", "answer", "status", "says"),
    [
        ("mse", raises, "error", "IndexError: list index out of range in line 3: `values[5]` ("),
        ("mse", lambda p: 0.0, "error", "could not be called as `mse(predictions, targets)`"),
        ("mse", lambda p, t: None, "wrong", "Your function returned nothing (None): is a `return`"),
        ("softmax", none_on_a_batch_of_one, "wrong", "On a batch of one your function returned"),
        ("mse", lambda p, t: "0.5", "wrong", "a single number, got '0.5'."),
        ("mse", lambda p, t: np.mean((p - t) ** 2).mean, "wrong", "are the brackets `()` behind"),
        ("softmax", single_numbers_only, "error", "those of NumPy, as `np.exp`, take arrays"),
        ("mse", sum_is_taken, "error", "Has your code given the name `sum` to something else?"),
        ("mse", lambda p, t: np.max((p - t) ** 2, axis=0), "wrong", "got an array of shape (3,)"),
        ("mse_gradient", lambda p, t: right["mse_gradient"](p, t).T, "wrong", "transposed"),
        ("mse_gradient", lambda p, t: (9 * (p - t)).astype(int), "wrong", "yours are int64"),
        ("mse_gradient", lambda p, t: right["mse_gradient"](p, t) + 0j, "wrong", "complex128"),
        ("mse", nan_on_a_single_output, "wrong", "NaN on a single output. On ordinary inputs it"),
        ("mse_gradient", changes_its_argument, "wrong", "changes its argument `predictions`"),
        ("training_step", changes_its_lists, "wrong", "`a *= 2` changes one of them, `2 * a` is"),
        ("mse", lambda p, t: 3 * right["mse"](p, t), "wrong", "is 3 times what it should be"),
        ("mse", lambda p, t: right["mse"](p, t) + 0.5, "wrong", "by the same amount: +0.5"),
        ("softmax", lambda z: -right["softmax"](z), "wrong", "wrong sign"),
        (
            "mse_gradient",
            lambda p, t: right["mse_gradient"](p, t) * p.shape[0],
            "wrong",
            "off by a factor that is the number of rows",
        ),
        (
            "softmax",
            lambda z: right["softmax"](z) / len(z),
            "wrong",
            "a factor that is one over the number of rows",
        ),
        (
            "softmax",
            batch_of_one_wrong,
            "wrong",
            "It was right on the ordinary inputs that were tried, but not on a batch of one.",
        ),
        ("softmax", lambda z: right["softmax"](2 * z), "wrong", "is at [0, 0]: expected"),
        ("trainable_mask", lambda names, first, norms: norms, "wrong", "expected False, got True"),
    ],
)
def test_findings(name: str, answer: Callable[..., Any], status: str, says: str) -> None:
    found = judged(name, answer)
    assert found[0] == status
    assert says in found[1]


def test_what_is_kept_between_calls_is_said() -> None:
    kept: list[float] = []

    def counts_its_calls(p: np.ndarray, t: np.ndarray) -> float:
        kept.append(1.0)
        return float(np.mean((p - t) ** 2)) * len(kept)

    def draws(mean: np.ndarray, log_variance: np.ndarray, noise: np.ndarray) -> np.ndarray:
        return mean + np.exp(log_variance / 2) * np.random.default_rng().normal(size=mean.shape)

    def right_but_for_the_last_call(p: np.ndarray, t: np.ndarray) -> float:
        kept.append(1.0)
        return float(np.mean((p - t) ** 2)) + (len(kept) == len(catalogue()["mse"].draw_cases(0)))

    for name, answer in (
        ("mse", counts_its_calls),
        ("reparameterize", draws),
        ("mse", right_but_for_the_last_call),
    ):
        kept.clear()
        verdict = judge(name, answer)
        assert verdict.status == "wrong"
        assert verdict.message.startswith("Made twice, the same call does not give the same")
        assert re.fullmatch(
            rf"`{name}\(.*\)` should be .*, yours was (.*), and was (?!\1 ).* when it was .*",
            verdict.counterexample,
        )


def test_signs_and_shares_of_what_is_not_finite_are_told() -> None:
    def nan_in_one_row(mean: np.ndarray, log_variance: np.ndarray, noise: np.ndarray) -> Any:
        deviation = noise.std(axis=0) if len(noise) > 1 else np.nan
        return mean + np.exp(log_variance / 2) * noise / deviation * noise.std(axis=0)

    def log_of_nothing(logits: np.ndarray, labels: np.ndarray) -> float:
        shifted = logits - logits.max()  # rows far below give the logarithm of 0
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        return float(np.mean(log_sum - shifted[np.arange(len(labels)), labels]))

    assert (
        "gives NaN on some ordinary inputs, on" in judge("reparameterize", nan_in_one_row).message
    )
    assert "minus infinity on logits of" in judge("softmax_cross_entropy", log_of_nothing).message


def test_a_zero_has_no_sign() -> None:
    exercise = made_up(lambda x: -0.0 * x, lambda rng: [Case((np.ones(3),))])
    cases = exercise.draw_cases(0)
    verdict = diagnose(exercise, cases, run_cases(np.cumsum, cases, 5))
    assert "expected 0, got 1." in verdict.message


def test_a_square_result_transposed_is_named() -> None:
    exercise = made_up(
        lambda x: 2 * x,
        lambda rng: [Case((rng.normal(size=(4, 4)),)), Case((rng.normal(size=(3, 3)),))],
    )
    cases = exercise.draw_cases(0)
    verdict = diagnose(exercise, cases, run_cases(lambda x: 2 * x.T, cases, 5))
    assert "transposed" in verdict.message


def test_noise_counts_only_where_the_known_mistake_is_wrong() -> None:
    def known(x: np.ndarray) -> np.ndarray:
        return 2 * x if len(x) == 3 else 3 * x

    exercise = made_up(
        lambda x: 2 * x,
        lambda rng: [Case((1 + rng.random(n),), f"{n} numbers") for n in (3, 4)],
        (Misconception("triple", known, "Three times.", noise=0.01),),
    )
    cases = exercise.draw_cases(0)

    def found(answer: Callable[..., Any]) -> str | None:
        return diagnose(exercise, cases, run_cases(answer, cases, 5)).misconception

    assert found(known) == "triple"
    assert found(lambda x: known(x) + (len(x) == 4) * 0.01) == "triple"
    assert found(lambda x: known(x) + (len(x) == 4) * 0.1) is None
    assert found(lambda x: known(x) + (len(x) == 3) * 0.01) is None
    assert found(lambda x: None if len(x) == 4 else 2 * x) is None


def test_one_wrong_value_of_several_is_named() -> None:
    exercise = made_up(
        lambda w, g: (w - g, g),
        lambda rng: [Case((rng.normal(size=3), rng.normal(size=3))) for _ in range(3)],
    )
    cases = exercise.draw_cases(0)

    def message(answer: Callable[..., Any]) -> str:
        return diagnose(exercise, cases, run_cases(answer, cases, 5)).message

    assert message(lambda w, g: (w - g, -g)).startswith("In value 2 of the 2 that you return: ")
    assert "wrong sign" in message(lambda w, g: (w - g, -g))
    assert "Expected 2 values in a tuple, got an array of shape (3,)" in message(lambda w, g: w - g)
    assert "Expected 2 values in a tuple, got 3 values (on" in message(lambda w, g: (w, g, g))


def test_a_loop_that_never_ends_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any) -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # the limit must not be swallowed here
                continue

    exercise = catalogue()["mse"]
    cases = exercise.draw_cases(0)
    outcomes = run_cases(endless, cases, seconds=0.2)
    assert [outcome.state for outcome in outcomes] == ["timeout"]
    verdict = diagnose(exercise, cases, outcomes)
    assert verdict.status == "timeout"
    assert "never ends" in verdict.message


def test_a_lost_process_is_an_error_that_says_why() -> None:
    exercise = catalogue()["mse"]
    cases = exercise.draw_cases(0)
    verdict = diagnose(exercise, cases, [Outcome("lost", error="memory limit")])
    assert verdict.status == "error"
    assert "memory limit" in verdict.message


def test_fewer_outcomes_than_cases_are_never_correct() -> None:
    exercise = catalogue()["mse"]
    cases = exercise.draw_cases(0)
    some = run_cases(exercise.reference, cases, 5)[:-1]
    assert diagnose(exercise, cases, some).status == "error"
    assert diagnose(exercise, cases, []).status == "error"


def test_a_list_that_contains_itself_is_told_at_once() -> None:
    def clipped(gradients: list[np.ndarray], max_norm: float) -> list[Any]:
        found: list[Any] = []
        for _ in gradients:
            found.append(found)
        return found

    status, message = judged("clip_by_global_norm", clipped)
    assert status == "error"
    assert "RecursionError: a list contains itself" in message


def test_it_works_off_the_main_thread() -> None:
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(judge("mse", right["mse"])))
    thread.start()
    thread.join()
    assert verdicts[0].status == "correct"


def test_a_mistake_with_something_else_on_top_is_still_named() -> None:
    def sum_and_broken_on_one(p: np.ndarray, t: np.ndarray) -> float:
        return 7.0 if len(p) == 1 else float(np.sum((p - t) ** 2))

    verdict = judge("mse", sum_and_broken_on_one)
    assert verdict.misconception == "sum-instead-of-mean"
    assert "a batch of one" in verdict.message


def test_what_is_right_where_the_named_mistake_is_not_is_no_other_mistake() -> None:
    def padding_added(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
        counts = mask.sum(axis=1, keepdims=True)
        return states.sum(axis=1) * (counts > 0) / np.maximum(counts, 1)  # right for an empty row

    verdict = judge("masked_mean", padding_added)
    assert verdict.misconception == "padding-added"
    assert verdict.message == "The padding is in the sum: only the count knows the mask."


def test_a_guard_against_what_the_named_mistake_runs_into_is_no_other_mistake() -> None:
    mistake = Misconception("m", lambda x: x / x.sum(), "You divide by the sum.")
    cases = [Case((np.array([1.0, 2.0]),)), Case((np.zeros(2),), "zeros")]
    exercise = made_up(lambda x: x / 2, lambda rng: cases, (mistake,))

    def answer(x: np.ndarray) -> np.ndarray:
        return x / x.sum() if x.any() else x + 1

    with np.errstate(invalid="ignore"):
        verdict = diagnose(exercise, cases, run_cases(answer, cases, 1.0))
    assert verdict.message == "You divide by the sum."


def test_lists_of_numbers_are_arrays_where_a_named_mistake_is_only_half_of_it() -> None:
    mistake = Misconception("m", lambda x: [float(v) + 1 for v in x], "You add one.")
    cases = [Case((np.array([1.0, 2.0]),)), Case((np.array([0.0, 3.0]),), "a zero")]
    exercise = made_up(lambda x: 2 * x, lambda rng: cases, (mistake,))

    def answer(x: np.ndarray) -> list[float]:
        return [float(v) + 1 if v or x[0] else 0.0 for v in x]

    verdict = diagnose(exercise, cases, run_cases(answer, cases, 1.0))
    assert verdict.message == "You add one."


def test_of_many_kinds_of_calls_two_are_named() -> None:
    def exchanged(confusion: np.ndarray) -> np.ndarray:
        hits = np.diag(confusion)
        with np.errstate(all="ignore"):
            precision, recall = hits / confusion.sum(axis=1), hits / confusion.sum(axis=0)
            f1 = 2 * precision * recall / (precision + recall)
        return np.column_stack([precision, recall, f1])

    verdict = judge("precision_recall_f1", exchanged)
    assert verdict.misconception == "exchanged"
    assert (
        "(On a class that is never predicted, a class that is never predicted rightly and 3 more "
        "kinds of calls it gives NaN or infinity, too.)" in verdict.message
    )


@pytest.mark.parametrize(
    ("name", "body", "mistake", "says"),
    [
        (
            "confusion_matrix",
            "m = np.zeros((num_classes, num_classes))\n"
            "    np.add.at(m, (predictions, labels), 1)\n    return m",
            "transposed",
            "what was said. Besides, whole numbers are wanted, and yours are floats.",
        ),
        (
            "confusion_matrix",
            "return right(labels, predictions, num_classes) + 1.0",
            None,
            "by the same amount: +1. Besides, whole numbers are wanted, and yours are floats. For",
        ),
        (
            "trainable_mask",
            "return 1 * right(layer_names, first_trainable, is_batchnorm ^ True)",
            "only-batch-normalisation",
            " Besides, truth values are wanted, True or False (type bool), and yours are numbers.",
        ),
        (
            "early_stopping",
            "best, last = right(validation_losses, patience)\n    return last + 0.0, best",
            "other-order",
            " Besides, in value 1 a whole number is wanted, and yours is a float.",
        ),
        (
            "confusion_matrix",
            "return right(labels, predictions, num_classes) / 2",
            None,
            "The numbers should be of type int64, yours are float64.",
        ),
    ],
)
def test_wrong_numbers_come_before_their_type(
    name: str, body: str, mistake: str | None, says: str
) -> None:
    verdict = judge(name, answer(name, body, right=right[name]))
    assert says in verdict.message
    assert verdict.misconception == mistake


def test_what_else_is_wrong_on_a_small_call_alone_is_shown() -> None:
    def sum_and_broken_on_one_number(p: np.ndarray, t: np.ndarray) -> Any:
        return np.sum((p - t) ** 2) + (p.size == 1)

    verdict = judge("mse", sum_and_broken_on_one_number)
    assert verdict.misconception == "sum-instead-of-mean"
    assert verdict.counterexample.endswith("should be 4, yours is 5.")
    assert verdict.message.endswith(
        "(On a small call something else comes out, which is not right either.) "
        f"For example, {verdict.counterexample}"
    )


def test_what_else_comes_out_of_a_kind_of_call_is_shown_if_it_is_short() -> None:
    def starts_anew_after_the_best(losses: np.ndarray, patience: int) -> tuple[int, int]:
        best = waited = 0
        for epoch, loss in enumerate(losses):
            waited = 0 if loss < losses[best] else waited + 1
            best = epoch if loss < losses[best] else best
            if waited > patience:
                return best, epoch
        return best, len(losses) - 1

    verdict = judge("early_stopping", starts_anew_after_the_best)
    assert verdict.misconception == "looked-ahead"
    assert "either.) For example, `early_stopping(np.array([" in verdict.message
    assert verdict.counterexample.endswith("should be (1, 3), yours is (1, 4).")


def test_whole_numbers_as_floats_are_no_second_mistake_beside_a_known_one() -> None:
    def all_of_them(shapes: Any, mask: Any) -> Any:
        return sum(np.prod(shape) for shape in shapes)  # of `()` it is 1.0

    verdict = judge("trainable_parameters", all_of_them)
    assert verdict.message == "You count the frozen arrays too."


def test_exit_in_an_answer_does_not_end_the_lesson() -> None:
    def leaves(*_: Any) -> None:
        raise SystemExit

    assert judged("mse", leaves)[0] == "error"


def test_interrupting_reaches_the_person() -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("mse", interrupted)


def test_an_unknown_exercise_is_named_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean “softmax_cross_entropy”"):
        judge("softmax_crossentropy", lambda: None)


# --- the edge of right and wrong -----------------------------------------------------------------


def test_a_small_number_in_place_of_the_clip_is_wrong_at_every_seed() -> None:
    def added(p: np.ndarray, labels: np.ndarray) -> Any:
        return -np.mean(np.log(p[np.arange(len(labels)), labels] + 1e-7))

    for seed in range(10):
        verdict = judge("cross_entropy", added, seed)
        assert verdict.misconception == "added-instead-of-clipped"


def test_arguments_that_change_by_more_than_rounding_are_changed() -> None:
    def moved(function: Any, point: np.ndarray, step: float) -> np.ndarray:
        gradient = right["numerical_gradient"](function, point, step)
        point += 1e-9
        return gradient

    assert "changes its argument `point`" in judged("numerical_gradient", moved)[1]


# --- comparison ----------------------------------------------------------------------------------


def test_values_are_compared_to_the_tolerance() -> None:
    want = np.array([1.0, 1e-3, 0.0])
    assert same_values(want, want * (1 + 0.9e-6), 1e-6)
    assert not same_values(want, want * (1 + 2e-6), 1e-6)
    assert not same_values(want, want + np.array([0, 0, 1e-8]), 1e-6)
    assert same_values(want, want + np.array([0, 0, 1e-10]), 1e-6)
    assert same_values(0.0, 4e-16, 1e-6)
    assert not same_values(0.0, 1e-12, 1e-6)
    assert same_values(np.nan, np.nan, 1e-6)
    assert not same_values(np.nan, 1.0, 1e-6)
    assert not same_values(np.array([True, False]), np.array([1, 0]), 1e-6)
    assert not same_values(np.array([1, 2]), np.array([1.0, 2.0]), 1e-6)
    assert not same_values(want, [[1.0], [2.0, 3.0]], 1e-6)
    assert not same_values(want, None, 1e-6)


def test_a_formula_is_a_function_of_one_array() -> None:
    assert Formula("np.sum(x ** 2)")(np.array([3.0, 4.0])) == 25


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("line 2: a[{0: 5}[0]]", "IndexError in line 2: `a[{0: 5}[0]]`"),
        ("line 2 of `f`: x", "IndexError in line 2 of `f`: `x`"),
        ("line 2: s = '`'", "IndexError in line 2: `s = '''`"),
        ("line 2", "IndexError in line 2"),
        ("", "IndexError"),
    ],
)
def test_a_quoted_line_is_marked_as_code(line: str, said: str) -> None:
    assert error_at("IndexError", line) == said


@pytest.mark.parametrize("seed", range(20))
def test_the_first_eigenvalue_is_not_taken_for_the_largest(seed: int) -> None:
    def first(hessian: np.ndarray) -> float:
        return float(2 / np.linalg.eigvals(hessian)[0])

    assert judge("largest_stable_learning_rate", first, seed=seed).status == "wrong"


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_no_case_shares_an_array_between_its_arguments(name: str) -> None:
    for case in catalogue()[name].cases(np.random.default_rng(0)):
        arrays = [each for each in case.arguments if isinstance(each, np.ndarray) and each.size]
        pairs = [(a, b) for i, a in enumerate(arrays) for b in arrays[:i]]
        assert not any(np.shares_memory(a, b) for a, b in pairs), case.kind


def test_nothing_is_said_of_every_call_where_one_small_call_fails() -> None:
    def clipped(gradients: Any, max_norm: float) -> Any:
        if len(gradients) == 2 and np.size(gradients[1]) == 1 and max_norm == 5.0:
            raise ValueError("too small")
        return [-gradient for gradient in right["clip_by_global_norm"](gradients, max_norm)]

    message = judged("clip_by_global_norm", clipped)[1]
    assert "very number" not in message
    assert "In each call" not in message


def answer(name: str, body: str, **notebook: Any) -> Callable[..., Any]:
    """A function of a notebook in which there are these things, too."""
    parameters = ", ".join(inspect.signature(right[name]).parameters)
    namespace = {"np": np, **notebook}
    exec(f"def {name}({parameters}):\n    {body}", namespace)
    made: Callable[..., Any] = namespace[name]
    return made


@pytest.mark.parametrize(
    ("name", "body", "notebook", "says"),
    [
        (
            "least_squares_gradient",
            "return 2 / len(X) * X.T @ (X @ weights - targets)",
            {"X": np.ones((40, 2))},
            "Your function never reads `features`. It reads `X`: it is the notebook's,",
        ),
        (
            "mse",
            "return np.mean((p - t) ** 2)",
            {"p": np.ones(4), "t": np.zeros(4)},
            "Your function never reads `predictions` and `targets`. It reads `p` and `t`: they are",
        ),
        ("mse", "return np.mean((prediction - targets) ** 2)", {}, "Is `predictions` meant?"),
        (
            "mse",
            "return np.mean((y - targets) ** 2)",
            {},
            "it calls `predictions` and `targets`; letters of a formula are no names.",
        ),
        (
            "masked_mean",
            "return (states * mask).sum(1) / mask.sum(1)[:, None]",
            {},
            "is `[:, :, None]` missing?",
        ),
        (
            "prototype_predict",
            "return labels[((queries - support) ** 2).sum(1).argmin()]",
            {},
            "`a[:, None] - b` makes all pairs.",
        ),
        ("minibatches", "return np.split(order, batch_size)", {}, "is the number of parts"),
        (
            "least_squares_gradient",
            "return 2 * features.T @ np.mean(features @ weights - targets)",
            {},
            "one of the two is a single number there",
        ),
        (
            "last_valid",
            "return states[np.arange(len(lengths)), lengths]",
            {},
            "is a 1 to be taken off, or is the array a place short?",
        ),
        (
            "rnn_forward",
            "out = []\n    return [out[t - 1] for t in range(len(inputs))]",
            {},
            "The list has no such place, or not yet",
        ),
        ("mse", "return 1 / 0", {}, "What stands below the `/` is 0 in this call"),
        ("mse", "return mse(targets, predictions)", {}, "a case in which it does not"),
    ],
)
def test_names_and_shapes_that_are_easily_mistaken(
    name: str, body: str, notebook: dict[str, Any], says: str
) -> None:
    assert says in judged(name, answer(name, body, **notebook))[1]


@pytest.mark.parametrize(
    ("body", "notebook"),
    [
        ("return np.mean((predictions - targets) * SCALE)", {"SCALE": np.ones(1)}),  # all are read
        ("return np.mean(predictions - t)", {"t": 1.0}),  # a constant
        ("f = lambda: (predictions, targets)\n    return t.mean()", {"t": np.ones(3)}),
        ("return eval('predictions - targets').mean() + t.mean()", {"t": np.ones(3)}),
        (
            "global t\n    t = np.ones(3)\n    return predictions.mean() + t.mean()",
            {"t": np.ones(3)},
        ),
    ],
)
def test_nothing_is_said_of_the_notebook_s_arrays_without_need(
    body: str, notebook: dict[str, Any]
) -> None:
    assert "never reads" not in judged("mse", answer("mse", body, **notebook))[1]


@pytest.mark.parametrize(
    ("name", "body", "example"),
    [
        ("mse_gradient", "return np.mean(2 * (predictions - targets))", "[[2, -1]], yours is 1"),
        ("largest_stable_learning_rate", "return 2 / np.linalg.eigvalsh(hessian)", "0.4, yours is"),
        ("global_average_pool", "return feature_maps.mean()", "[[2, 6.5]], yours is 4.25"),
    ],
)
def test_an_example_of_a_wrong_shape_shows_more_than_the_shape(
    name: str, body: str, example: str
) -> None:
    assert example in judged(name, answer(name, body))[1]


def test_two_numbers_that_are_zero_but_for_rounding_are_the_same() -> None:
    body = """if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    share = (step - warmup_steps) / (total_steps - warmup_steps)
    return base_learning_rate * np.cos(np.pi * share)"""
    said = judged("cosine_with_warmup", answer("cosine_with_warmup", body))[1]
    assert said == "In the second half your rate is negative: a cosine goes from 1 to −1."


@pytest.mark.parametrize(
    ("name", "places", "says"),
    [
        ("train_softmax", (2, 0, 1), "your value 2 is to come first, then your values 3 and 1."),
        ("nesterov_step", (1, 0), "your value 2 is to come first, then your value 1."),
        ("linear_probe_gradients", (1, 0), "your value 2 is to come first, then your value 1."),
    ],
)
def test_right_values_in_another_order_are_told(
    name: str, places: tuple[int, ...], says: str
) -> None:
    verdict = judge(name, lambda *given: tuple(right[name](*given)[place] for place in places))
    said = f"What you return is right, but in another order: {says}"
    assert verdict.misconception or verdict.message.startswith(said)
    wrong = judge(name, lambda *given: tuple(1.5 * right[name](*given)[p] for p in places))
    assert "in another order" not in wrong.message


def test_numbers_at_the_end_of_float64_are_compared_without_a_word_on_the_screen() -> None:
    """That is said by `check`, not by warnings of the course's own lines."""

    def unequal(train: np.ndarray, other: np.ndarray) -> Any:
        with np.errstate(all="ignore"):
            mean, deviation = train.mean(axis=0), train.std(axis=0)
            return tuple(np.nan_to_num((part - mean) / deviation) for part in (train, other))

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert judge("standardize", unequal).status == "wrong"
    assert [str(warning.message) for warning in seen] == []


def test_a_list_in_a_list_is_no_list_in_the_place_of_an_array() -> None:
    def of_lists(*given: Any) -> list[list[int]]:
        return [batch.tolist() for batch in right["minibatches"](*given)]

    verdict = judge("minibatches", of_lists)
    assert verdict.status == "correct"
    assert "What you return holds a list where an array is asked for: who" in verdict.message


def test_infinities_are_compared_without_a_warning() -> None:
    trial = Trial(Case(()), *(Outcome("returned", np.array([np.inf, 1.0])) for _ in "ab"), 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (near,) = trial.nearness(np.array([np.inf, 1.0]))
    assert near.tolist() == [False, True]


LONG = {
    "a list of 99000": lambda *_: [0.0] * 99_000,
    "a list of 9000": lambda *_: [[0.0] * 10] * 9_000,
    "a list of 440": lambda *_: [[0.0] * length for length in range(440)],
    "a tuple of 20000": lambda *_: (1,) * 20_000,
    "a list of 2": lambda *_: [np.zeros(1_000_000), np.zeros(1_000_000)],
    "a list of 501": lambda *_: ["x" * 100_000, *[""] * 500],
    "a list of 6000": lambda *_: ["x" * 100_000, *[""] * 5_999],
    "an array of shape (4000000,)": lambda *_: np.zeros(4_000_000, np.int8),
}


@pytest.mark.parametrize("says", LONG)
@pytest.mark.parametrize("name", ["mse", "softmax"])
def test_what_is_far_too_long_is_told_without_a_look_at_it(
    name: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asarray = np.asarray
    looked_at: list[int] = []

    def seen(value: Any, *rest: Any, **options: Any) -> np.ndarray:
        if isinstance(value, (list, tuple)):
            looked_at.append(len(value))
        return asarray(value, *rest, **options)

    monkeypatch.setattr(np, "asarray", seen)
    exercise = catalogue()[name]
    cases = exercise.draw_cases(0)
    value = LONG[says]()
    outcomes = [Outcome("returned", value, case.arguments) for case in cases]
    verdict = diagnose(exercise, cases, outcomes)
    assert verdict.status == "wrong"
    assert f"got {says}" in verdict.message
    assert max(looked_at, default=0) < 1_000


def test_a_list_of_texts_is_never_made_an_array() -> None:
    """Which would have room for the longest in each of its places."""
    exercise = catalogue()["mse"]
    cases = exercise.draw_cases(0)
    value = ["x" * 100_000, *[""] * 500]
    outcomes = [Outcome("returned", value, case.arguments) for case in cases]
    tracemalloc.start()
    try:
        verdict = diagnose(exercise, cases, outcomes)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert "got a list of 501" in verdict.message


def test_arguments_that_have_grown_are_told_without_a_look_at_them() -> None:
    def grows(sequences: list[list[float]], filler: float) -> Any:
        value = right["pad_sequences_right"](sequences, filler)
        sequences[0].extend([0.0] * 90_000)
        return value

    status, message = judged("pad_sequences_right", grows)
    assert status == "wrong"
    assert "changes its argument `sequences` in place" in message


def test_long_lists_may_be_right() -> None:
    def as_lists(sequences: list[list[float]], filler: float) -> Any:
        return tuple(part.tolist() for part in right["pad_sequences_right"](sequences, filler))

    assert judged("pad_sequences_right", as_lists)[0] == "correct"
