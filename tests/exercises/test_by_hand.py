"""Calls to try by hand: small, right, and such that every known mistake shows on one of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from course_lib.exercises import Exercise, Formula, Verdict, by_hand, catalogue, judge
from course_lib.exercises.diagnosis import Trial
from course_lib.exercises.exercise import ORDINARY
from course_lib.sandbox.calling import call

EXERCISES = list(catalogue().values())


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from numbers(part)
    elif not isinstance(value, (str, set, Formula)):
        yield from np.asarray(value, float).ravel()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_a_call_can_be_computed_by_hand_and_pasted(exercise: Exercise) -> None:
    most = 40 if exercise.name in ("vae_gradients", "lstm_step") else 24
    assert len(exercise.by_hand) >= 2
    for case in exercise.by_hand:
        value = exercise.reference(*case.arguments)
        assert len(list(numbers(case.arguments))) <= most, case.call
        assert len(list(numbers(value))) <= most, case.call
        for given in numbers(case.arguments):  # np.log of a round number is one, too
            assert float(f"{given:.7g}") == given or round(np.exp(given), 3) == pytest.approx(
                np.exp(given)
            )
        assert not any(gap in case.call for gap in ("( ", "[ ", " )", " ]", "\n")), case.call
        namespace = {"np": np, exercise.name: exercise.reference}
        pasted = eval(case.call, namespace)
        assert by_hand.shown(pasted) == by_hand.shown(value), case.call


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_known_mistake_shows_on_a_call(exercise: Exercise) -> None:
    cases = exercise.draw_cases(0)
    wanted = [call(exercise.reference, case.arguments) for case in cases]
    hidden = set()
    for known in exercise.misconceptions:
        trials = [
            Trial(case, want, call(known.variant, case.arguments), exercise.tolerance)
            for case, want in zip(cases, wanted, strict=True)
        ]
        on_ordinary_inputs = any(not t.correct for t in trials if t.case.kind == ORDINARY)
        if on_ordinary_inputs and not by_hand.once(
            exercise.name, [t for t in trials if t.case.call]
        ):
            hidden.add((exercise.name, known.id))
    assert not hidden


def told(name: str, function: Any) -> Verdict:
    verdict = judge(name, function)
    assert verdict.status in ("wrong", "error")
    if verdict.counterexample:
        said = verdict.message.removesuffix(verdict.counterexample)
        assert said.endswith((" For example, ", ", but is wrong: "))
    return verdict


def test_a_call_that_was_drawn_is_shown_where_no_small_one_goes_wrong() -> None:
    def wrong_for_many_rows(z: np.ndarray) -> np.ndarray:
        return catalogue()["softmax"].reference(z if len(z) < 5 else -z)

    verdict = told("softmax", wrong_for_many_rows)
    example = re.fullmatch(r"`(.*)` should be (.*), yours is (.*)\.", verdict.counterexample)
    assert example is not None
    for function, shown in ((catalogue()["softmax"].reference, 2), (wrong_for_many_rows, 3)):
        pasted = eval(example[1], {"np": np, "softmax": function})
        assert by_hand.shown(pasted) == example[shown]


@pytest.mark.parametrize(
    "arguments",
    [
        (np.array([[0.1, -2.5e-7]]), True, 3, 0.25, None),
        ({"a"}, {"x": (1.5,), "y": [np.arange(3)]}, "it's"),
    ],
)
def test_a_call_is_written_as_python(arguments: tuple[object, ...]) -> None:
    text = by_hand.written("f", arguments)
    assert repr(eval(text, {"np": np, "f": lambda *given: given})) == repr(arguments)


def test_a_set_is_written_in_one_order() -> None:
    assert by_hand.written("f", ({"c", "a", "b"},)) == "f({'a', 'b', 'c'})"


@pytest.mark.parametrize(
    "value",
    [np.array([np.nan]), np.zeros((0, 3)), np.ones(2, "f"), np.inf, object(), np.zeros(10_000)],
)
def test_what_cannot_be_written_is_not(value: object) -> None:
    assert by_hand.written("f", (value,)) == ""


def test_the_message_ends_with_the_smallest_call_that_goes_wrong() -> None:
    def of_first_rows(predictions: np.ndarray, targets: np.ndarray) -> Any:
        return np.mean((predictions[:1] - targets[:1]) ** 2)

    call_to_try = "`mse(np.array([[3.0], [1.0]]), np.array([[1.0], [2.0]]))`"
    assert told("mse", of_first_rows).counterexample == f"{call_to_try} should be 2.5, yours is 4."


def test_a_call_with_plain_numbers_is_preferred() -> None:
    def rows_multiplied(
        inputs: Any, states: Any, weights_recurrent: Any, state: Any, upstream: Any
    ) -> Any:
        delta = upstream[-1] * (1 - states[-1] ** 2)
        return inputs[-1].T @ delta, state.T @ delta, delta

    assert told("rnn_gradients", rows_multiplied).counterexample == (
        "`rnn_gradients(np.array([[1.0]]), np.array([[0.5, 0.0]]), np.array([[1.0, 2.0], "
        "[3.0, 1.0]]), np.array([0.0, 0.5]), np.array([[1.0, 2.0]]))` should be "
        "([[0.75, 2]], [[0, 0], [0.375, 1]], [0.75, 2]), yours raises ValueError."
    )


def test_a_call_where_the_value_spoken_of_is_wrong_comes_before_a_smaller_one() -> None:
    def scaled(x: np.ndarray) -> np.ndarray:
        deviation = x.std(axis=0)
        return (x - x.mean(axis=0)) / np.where(deviation == 0, 1, deviation) ** 3

    verdict = told("standardize_by_domain", lambda source, target: (scaled(source), scaled(target)))
    assert verdict.message.startswith("In value 1 of the 2 that you return: ")
    assert "yours is ([[-0.45928], [0], [0.45928]], " in verdict.counterexample


def test_an_error_is_told_where_another_call_would_not_raise_it() -> None:
    raising = told("mse", lambda predictions, targets: predictions @ targets)
    assert raising.counterexample.endswith("should be 2, yours raises ValueError.")
    unknown = told("mse", lambda predictions, targets: nothing)  # type: ignore[name-defined] # noqa: F821
    assert unknown.counterexample == ""


def test_a_right_number_of_the_wrong_type_needs_no_call() -> None:
    right = catalogue()["head_parameters"].reference
    as_float = told("head_parameters", lambda *given: right(*given) / 1)
    assert as_float.message.startswith("The number is right, but it is a float")
    assert as_float.counterexample == ""


def test_a_named_mistake_and_a_right_answer_need_no_call() -> None:
    exercise = catalogue()["mse"]
    assert told("mse", exercise.misconceptions[0].variant).counterexample == ""
    assert judge("mse", exercise.reference).counterexample == ""


def test_a_changed_argument_is_shown_before_and_after() -> None:
    def clips_in_place(gradients: Any, max_norm: float) -> Any:
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        for g in gradients:
            g *= min(1.0, max_norm / norm) if norm else 1.0
        return gradients

    assert told("clip_by_global_norm", clips_in_place).counterexample == (
        "`clip_by_global_norm([np.array([3.0, 4.0])], 1.0)` should leave [[3, 4]] as it is, "
        "yours makes it [[0.6, 0.8]]."
    )


def test_a_last_digit_is_no_example_of_a_changed_argument() -> None:
    def decays_in_place(weights: Any, gradient: Any, learning_rate: float, decay: float) -> Any:
        weights *= 1 - learning_rate * decay
        weights -= learning_rate * gradient
        return weights

    verdict = told("weight_decay_step", decays_in_place)
    assert verdict.message.startswith("Your function changes its argument `weights` in place")
    assert verdict.counterexample.endswith(" should leave [2] as it is, yours makes it [1.8].")


def test_where_an_argument_is_changed_the_example_is_of_that():
    """And not of a corner in which the value is wrong, too."""

    def answer(weights, amount):
        result = weights
        result[np.abs(weights) < amount] = 0
        result[weights > amount] -= amount
        result[weights < -amount] += amount
        return result

    verdict = judge("soft_threshold", answer)
    assert "changes its argument `weights` in place" in verdict.message
    assert verdict.counterexample.endswith(" should leave [3] as it is, yours makes it [2].")


def test_an_answer_that_is_right_but_on_a_small_call_is_wrong() -> None:
    def picky(predictions: np.ndarray, targets: np.ndarray) -> Any:
        return 0.0 if predictions.size == 2 else np.mean((predictions - targets) ** 2)

    verdict = told("mse", picky)
    assert verdict.message.startswith(
        "It was right on many of the calls that were tried, but not on all."
    )
    assert "should be 2, yours is 0." in verdict.counterexample


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (np.float64(2), "2"),
        (np.array([[1.0, -0.0]]), "[[1, 0]]"),
        ((np.array([True]), 1 / 3), "([True], 0.33333)"),
        ((1.0,), "(1,)"),
        (np.zeros((9, 9)), "an array of shape (9, 9)"),
        ("text", "'text'"),
    ],
)
def test_values_are_shown_as_one_writes_them(value: Any, text: str) -> None:
    assert by_hand.shown(value) == text


def test_single_numbers_among_the_arguments_are_shown() -> None:
    message = told("cosine_with_warmup", lambda step, total, warmup, base: 0.123).message
    assert "`step=3`, `total_steps=100`, `warmup_steps=10`" in message


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("largest_stable_learning_rate", lambda hessian: 2 / np.linalg.eigvals(hessian)[0]),
        ("largest_stable_learning_rate", lambda hessian: 2 / np.linalg.eigvals(hessian)[-1]),
        ("lasso_subgradient", lambda w, s: s * w / (np.abs(w) + 1e-8)),
        ("global_average_pool", lambda x: x.sum((1, 2)) / (x != 0).sum((1, 2))),
        (
            "standardize",
            lambda train, other: tuple(
                np.where(train.std(0) == 0, x, (x - train.mean(0)) / (train.std(0) + 1e-300))
                for x in (train, other)
            ),
        ),
    ],
)
def test_no_luck_makes_a_wrong_answer_right(name: str, answer: Any) -> None:
    for seed in range(20):
        assert judge(name, answer, seed).status == "wrong", seed


def test_what_is_said_is_true_of_the_answer() -> None:
    def unclipped(gradients: list[np.ndarray], max_norm: float) -> list[np.ndarray]:
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        return [g * max_norm / max(norm, 1.0) for g in gradients]

    assert (
        "It was right on the ordinary inputs that were tried, but not on"
        in told("clip_by_global_norm", unclipped).message
    )
    both = told("sgd_step", lambda weights, gradient, rate: (weights, gradient))
    assert "got a tuple of 2" in both.message
    averaged = told("softmax", lambda z: np.exp(z - z.max(1, keepdims=True)) / z.shape[0])
    assert "mean is asked" not in averaged.message

    def uphill(features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return -2 * features.T @ (features @ weights - targets)

    sign = "a factor that is the number of rows of `features`, and has the wrong sign"
    assert sign in told("least_squares_gradient", uphill).message


SLIPS = {"1 - x": lambda x: 1 - x, "x ** 2": np.square, "2 * x": lambda x: 2 * x}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_a_rate_taken_for_another_shows_on_a_call(exercise: Exercise) -> None:
    """No call hides it by having it at 0, at 1/2 or at 1."""
    given = [case.arguments for case in exercise.draw_cases(0)]
    for place in range(min(map(len, given))):
        if not all(isinstance(arguments[place], float) for arguments in given):
            continue
        for slip in SLIPS.values():

            def answer(*arguments: Any, place: int = place, slip: Any = slip) -> Any:
                parts = list(arguments)
                parts[place] = float(slip(parts[place]))
                return exercise.reference(*parts)

            answer.__name__ = exercise.name
            verdict = judge(exercise.name, answer)
            assert verdict.status != "correct"
            assert verdict.misconception or verdict.counterexample, (place, verdict.message)


NEVER_ZERO = {"step", "max_norm", "fraction", "temperature", "target", "beta_source", "beta_target"}
"""Arguments for which zero has no meaning."""
NEAR_ONE = {"momentum", "rho", "beta", "beta_1", "beta_2", "beta_source", "beta_target", "rate"}
NEVER_SOME_ZEROS = {"sizes", "q", "noise"}


def gates(name: str, value: Any) -> Iterator[Any]:
    """What some put before the answer, for an argument that seems not to be meant."""
    if isinstance(value, float):
        if name not in NEVER_ZERO:
            yield lambda given: given or 0.01
        if name in NEAR_ONE:
            yield lambda given: min(given, 0.999)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and name not in NEVER_SOME_ZEROS:
        yield lambda given: given if np.all(given) else np.zeros_like(given)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_no_argument_is_taken_for_none_given(exercise: Exercise) -> None:
    """Nor is a coefficient cut off below one, or an array left out that holds a zero."""
    cases = exercise.draw_cases(0)
    wanted = [call(exercise.reference, case.arguments) for case in cases]
    for place, name in enumerate(inspect.signature(exercise.reference).parameters):
        for gate in gates(name, cases[0].arguments[place]):

            def answer(*arguments: Any, place: int = place, gate: Any = gate) -> Any:
                parts = list(arguments)
                parts[place] = gate(parts[place])
                return exercise.reference(*parts)

            trials = [
                Trial(case, want, call(answer, case.arguments), exercise.tolerance)
                for case, want in zip(cases, wanted, strict=True)
            ]
            assert not all(trial.correct for trial in trials), name
