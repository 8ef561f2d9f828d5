"""What the sentences of known mistakes claim of numbers is true of these mistakes.

A sentence with a word such as "twice" or "overflow" has its claim here, or is listed as one that
speaks of a step on the way, of which no outcome tells.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from claims import Call, off, unchanged, values

from course_lib.exercises import Exercise, catalogue
from course_lib.exercises.judge import run_cases

CLAIM = re.compile(
    r"\btwice\b|\bhalf\b|times (too|as much)|sign (is|are) wrong|wrong sign|[Ss]igns? .*wrong|"
    r"numbers? (are|is) right|overflow|infinite|NaN|always 0|transposed|negative in|in place(?! of)"
)
Check = Callable[[Exercise, Sequence[Call]], bool]


def times(factor: float | Callable[[Call], float], *which: int) -> Check:
    """The numbers are so many times what they should be; of a tuple, those of these values."""

    def check(exercise: Exercise, calls: Sequence[Call]) -> bool:
        return all(
            not off(
                np.asarray(want * (factor(call) if callable(factor) else factor), float),
                np.asarray(got, float),
                1e-6,
            ).any()
            for call in calls
            if call.got.state == "returned"
            for number, (want, got) in enumerate(
                zip(values(call.want.value), values(call.got.value), strict=True)
            )
            if not which or number + 1 in which
        )

    return check


def transposed(*which: int) -> Check:
    def check(exercise: Exercise, calls: Sequence[Call]) -> bool:
        return all(
            np.shape(call.got.value[n - 1]) == call.want.value[n - 1].T.shape
            and np.allclose(call.got.value[n - 1], call.want.value[n - 1].T)
            for call in calls
            for n in which
        )

    return check


def with_argument(name: str, factor: float | Callable[[Call], float]) -> Check:
    """The right answer to another question, in which an argument is so many times as large."""

    def check(exercise: Exercise, calls: Sequence[Call]) -> bool:
        place = list(inspect.signature(exercise.reference).parameters).index(name)
        for call in calls:
            arguments: list[Any] = list(call.case.arguments)
            arguments[place] = arguments[place] * (factor(call) if callable(factor) else factor)
            wanted = values(exercise.reference(*arguments))
            if not all(map(np.allclose, wanted, values(call.got.value))):
                return False
        return True

    return check


def not_finite(where: str, nan: bool = False) -> Check:
    """NaN or infinity on each call of this kind, and nowhere on ordinary inputs."""

    def lost(call: Call) -> bool:
        arrays = [np.asarray(value, float) for value in values(call.got.value)]
        return any((np.isnan(a) if nan else ~np.isfinite(a)).any() for a in arrays)

    def check(exercise: Exercise, calls: Sequence[Call]) -> bool:
        there = [call for call in calls if call.kind == where]
        ordinary = [call for call in calls if call.kind == "ordinary inputs"]
        return bool(there) and any(map(lost, there)) and not any(map(lost, ordinary))

    return check


def same_numbers(changed: bool = False) -> Check:
    """The right numbers, in another shape, of another type, or with arguments changed."""

    def check(exercise: Exercise, calls: Sequence[Call]) -> bool:
        returned = [call for call in calls if call.got.state == "returned"]
        kept = all(all(map(unchanged, c.want.arguments, c.got.arguments)) for c in returned)
        return kept != changed and all(
            np.allclose(np.ravel(want), np.ravel(got))
            for call in returned
            for want, got in zip(values(call.want.value), values(call.got.value), strict=True)
        )

    return check


def rows(call: Call) -> int:
    return len(call.case.arguments[0])


def columns(call: Call) -> int:
    return int(np.shape(call.case.arguments[0])[1])


def second_half_is_negative(exercise: Exercise, calls: Sequence[Call]) -> bool:
    for call in calls:
        step, total, warmup, _ = call.case.arguments
        done = (step - warmup) / (total - warmup)
        if step >= warmup and done != 0.5 and (call.got.value < 0) != (done > 0.5):
            return False
    return True


CLAIMS: dict[tuple[str, str], Check] = {
    ("mse", "half"): times(1 / 2),
    ("shear_displacement", "a-quarter-of-the-height"): times(1 / 2),
    ("transfer_gain", "sign"): times(-1, 1),
    ("gelu", "half-forgotten"): times(2),
    ("lasso_weights", "half-the-amount"): with_argument("strength", 1 / 2),
    ("lasso_weights", "twice-the-amount"): with_argument("strength", 2),
    ("masked_token_loss", "sign"): times(-1),
    ("relation_vector", "sum"): times(rows),
    ("distillation_loss", "sign"): times(-1),
    ("numerical_gradient", "divided-by-one-step"): times(2),
    ("mse_gradient", "gradient-by-targets"): times(-1),
    ("mse_gradient", "sign-and-missing-2"): times(-1 / 2),
    ("mse_gradient", "gradient-of-one-half-sum"): times(lambda c: rows(c) * columns(c) / 2),
    ("softmax", "overflow"): not_finite("logits of ±10,000"),
    ("softmax", "not-divided-not-shifted"): not_finite("logits of ±10,000"),
    ("cross_entropy", "no-clip"): not_finite("a probability of exactly zero"),
    ("softmax_cross_entropy", "unshifted-log-sum-exp"): not_finite("logits of ±10,000"),
    ("softmax_cross_entropy", "sign"): times(-1),
    ("softmax_cross_entropy_gradient", "sign"): times(-1),
    ("softmax_cross_entropy", "shifted-by-the-label"): not_finite("a logit of 720"),
    ("softmax_cross_entropy_gradient", "overflow"): not_finite("logits of ±10,000"),
    ("l2_penalty", "half"): times(1 / 2),
    ("l2_gradient", "sign"): times(-1),
    ("ridge_weights", "half-the-strength"): with_argument("strength", 1 / 2),
    ("ridge_weights", "twice-the-strength"): with_argument("strength", 2),
    ("ridge_weights", "right-side-not-divided"): times(rows),
    ("ridge_weights", "n-twice"): with_argument("strength", rows),
    ("ridge_weights", "strength-without-n"): with_argument("strength", lambda c: 1 / rows(c)),
    ("soft_threshold", "half-the-amount"): with_argument("amount", 1 / 2),
    ("lasso_subgradient", "divided-by-size"): not_finite("weights that are exactly zero", nan=True),
    ("lasso_subgradient", "sign"): times(-1),
    ("weight_decay_step", "factor-two"): with_argument("decay", 2),
    ("weight_decay_step", "weights-grow"): with_argument("decay", -1),
    ("least_squares_gradient", "sign"): times(-1),
    ("sgd_step", "in-place"): same_numbers(changed=True),
    ("momentum_step", "ascent"): with_argument("gradient", -1),
    ("cosine_with_warmup", "negative-half"): second_half_is_negative,
    ("hidden_layer_gradients", "transposed"): transposed(1, 3),
    ("adamw_step", "factor-two"): with_argument("weight_decay", 2),
    ("adamw_step", "weights-grow"): with_argument("weight_decay", -1),
    ("fine_tune", "in-place"): same_numbers(changed=True),
    ("resnet50_preprocess", "in-place"): same_numbers(changed=True),
    ("global_average_pool", "axes-kept"): same_numbers(),
    ("linear_probe_gradients", "penalty-sign"): with_argument("strength", -1),
    ("linear_probe_gradients", "overflow"): not_finite("features in the thousands"),
    ("trainable_parameters", "float"): same_numbers(),
    ("trainable_parameters", "product-from-zero"): times(0),
    ("class_weights", "number-of-classes-forgotten"): times(lambda c: c.case.arguments[1]),
    ("class_weights", "divided-by-zero"): not_finite("a class without examples"),
    ("precision_recall_f1", "zero-by-zero"): not_finite(
        "a class that is never predicted", nan=True
    ),
    ("residual_gradients", "weights-transposed"): transposed(2),
    ("rnn_gradients", "sign"): times(-1),
    ("last_valid", "with-an-axis-of-one"): same_numbers(),
    ("bernoulli_negative_log_likelihood", "sigmoid-then-logarithm"): not_finite("logits of 1,000"),
    ("masked_token_loss", "exponential-of-large-logits"): not_finite("logits of ±1,000"),
    ("bernoulli_negative_log_likelihood", "exponential-of-large-logits"): not_finite(
        "logits of 1,000"
    ),
    ("bernoulli_negative_log_likelihood", "sign"): times(-1),
    ("kl_to_standard_normal", "half-of-it"): times(1 / 2),
    ("kl_to_standard_normal", "sign"): times(-1),
    ("kl_gradients", "half-of-the-mean"): times(1 / 2, 1),
    ("kl_gradients", "twice"): times(2),
    ("kl_gradients", "half-of-both"): times(1 / 2),
    ("kl_gradients", "sign"): times(-1),
    ("kl_gradients", "sign-of-the-log-variance"): times(-1, 2),
    ("reparameterize_gradients", "sign"): times(-1, 2),
    ("binary_cross_entropy", "no-clip"): not_finite("a probability of exactly zero"),
    ("binary_cross_entropy", "clipped-below-only"): not_finite("a probability of exactly one"),
    ("binary_cross_entropy", "clipped-above-only"): not_finite("a probability of exactly zero"),
    ("binary_cross_entropy", "sign"): times(-1),
    ("kl_divergence_mean", "zero-times-logarithm"): not_finite(
        "probabilities of zero in p", nan=True
    ),
    ("kl_divergence_mean", "sign"): times(-1),
}
OF_A_STEP_ON_THE_WAY = {
    ("numerical_gradient", "half-forward"),  # "about half"
    ("cross_entropy", "class-number-as-factor"),
    ("soft_threshold", "away-from-zero"),
    ("lasso_weights", "half-the-curvature"),
    ("lasso_weights", "curvature-without-n"),
    ("largest_stable_learning_rate", "one-over-largest"),
    ("momentum_step", "velocity-subtracted"),
    ("momentum_step", "look-ahead-without-push"),
    ("momentum_step", "velocity-points-uphill"),
    ("momentum_step", "learning-rate-twice"),
    ("nesterov_step", "velocity-twice"),
    ("cosine_with_warmup", "not-halved"),
    ("adam_step_keras", "corrected-twice"),
    ("adamw_step", "decay-twice"),
    ("linear_probe_gradients", "averaged-twice"),
    ("linear_probe_gradients", "sign"),
    ("batchnorm_moving_update", "moved-away"),
    ("class_weights", "minlength-forgotten-and-divided-by-zero"),
    ("train_softmax", "bias-averaged"),
    ("train_softmax", "divided-by-n-twice"),
    ("train_softmax", "weights-averaged"),
    ("known_rate", "unknown-is-one-half"),
    ("shear_displacement", "from-the-lower-edge"),
    ("shear_displacement", "sine"),
    ("shear_displacement", "in-degrees-of-a-full-turn"),
    ("shear_displacement", "cosine"),
    ("bilinear_resize", "corners-aligned"),
    ("bilinear_resize", "no-half-pixel"),
    ("bilinear_resize", "half-pixel-added-only"),
    ("flip_horizontal", "half-a-turn"),
    ("flip_horizontal", "halves-exchanged"),
    ("mixup", "labels-not-mixed"),
    ("mixup", "halves"),
    ("mixup", "order-applied-to-both"),
    ("transfer_gain", "divided-by-n-minus-one"),
    ("distillation_loss", "log-of-softmax"),
    ("conv_output_size", "padded-by-half-a-kernel"),
    ("conv_output_size", "half-a-kernel-lost-on-each-side"),
    ("conv_output_size", "fraction"),
    ("residual_gradients", "not-transposed"),
    ("rnn_forward", "recurrent-transposed"),
    ("rnn_gradients", "not-transposed"),
    ("negative_elbo", "likelihood-sign"),
    ("vae_gradients", "pixels-alone-averaged-twice"),
    ("vae_gradients", "sign-at-the-logits"),
    ("vae_gradients", "log-variance-first"),
}


@pytest.mark.parametrize(("name", "mistake"), CLAIMS)
def test_a_sentence_is_true_of_its_mistake(name: str, mistake: str) -> None:
    exercise = catalogue()[name]
    known = {m.id: m for m in exercise.misconceptions}[mistake]
    for seed in range(5):
        cases = exercise.draw_cases(seed)
        wants = run_cases(exercise.reference, cases, exercise.seconds)
        for written in (known.variant, *known.others):
            gots = run_cases(written, cases, exercise.seconds)
            calls = [
                Call(case, want, got, exercise.tolerance)
                for case, want, got in zip(cases, wants, gots, strict=True)
            ]
            assert CLAIMS[name, mistake](exercise, calls), known.says


def test_no_sentence_claims_what_is_not_checked() -> None:
    claiming = {
        (exercise.name, known.id)
        for exercise in catalogue().values()
        for known in exercise.misconceptions
        if CLAIM.search(known.says)
    }
    assert claiming - CLAIMS.keys() - OF_A_STEP_ON_THE_WAY == set()
