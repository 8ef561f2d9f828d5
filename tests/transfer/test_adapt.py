"""Adapting features of one's own: what it does, and a sentence for each thing that does not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from course_lib.errors import UsageError
from course_lib.foundations import domain_adaptation
from course_lib.transfer import adapt
from course_lib.transfer.autodiff import gradient

RANDOM = np.random.default_rng(0)
SOURCE, TARGET = 3 + RANDOM.normal(size=(20, 4)), 2 * RANDOM.normal(size=(15, 4))


def test_a_domain_is_measured_once_and_used_for_later_examples() -> None:
    scale = adapt.Scale.of(TARGET)
    ours = domain_adaptation.standardize_by_domain(SOURCE, TARGET)[1]
    np.testing.assert_allclose(scale(TARGET), ours)
    np.testing.assert_allclose(scale(TARGET[:1]), ours[:1])


def test_coral_is_that_of_the_lesson() -> None:
    ours = domain_adaptation.coral(SOURCE, TARGET, 0.5)
    np.testing.assert_allclose(adapt.coral(SOURCE, TARGET, 0.5), ours)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: adapt.coral(SOURCE, TARGET[:, :3]), "4 features and the target 3"),
        (lambda: adapt.coral(SOURCE[0], TARGET), r"source has the shape \(4,\)"),
        (lambda: adapt.coral(SOURCE, TARGET[:1]), r"target has the shape \(1, 4\)"),
        (lambda: adapt.coral(SOURCE, np.full((5, 4), np.nan)), "not finite"),
        (lambda: adapt.coral([["a", "b"]], TARGET), "no array of numbers"),
        (lambda: adapt.coral(SOURCE, TARGET, 0.0), "epsilon is 0"),
        (lambda: adapt.Scale.of(np.zeros((2, 3, 3, 4))), "pool maps first"),
        (lambda: adapt.Scale.of(TARGET)(SOURCE[:, :2]), "measured with 4 features"),
        (lambda: adapt.GradientReversal(-1.0), "strength is -1"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(call: Callable[[], object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call()


def test_the_layer_passes_values_on_and_reverses_gradients() -> None:
    import keras

    layer = adapt.GradientReversal(0.3, dtype="float64")
    passed = keras.ops.convert_to_numpy(layer(SOURCE))
    np.testing.assert_allclose(passed, SOURCE, rtol=8 * np.finfo(passed.dtype).eps)  # JAX: float32
    weights = keras.ops.convert_to_tensor(RANDOM.normal(size=(4,)), dtype="float64")

    def loss(x: object, layer: Callable[[object], object]) -> object:
        return keras.ops.sum(keras.ops.tanh(keras.ops.matmul(layer(x), weights)))

    reversed_ = gradient(lambda x: loss(x, layer), SOURCE)
    plain = gradient(lambda x: loss(x, lambda inputs: inputs), SOURCE)
    np.testing.assert_allclose(reversed_, -0.3 * plain)


def test_a_model_with_the_layer_is_saved_and_loaded(tmp_path: object) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,)), adapt.GradientReversal(0.7, name="back")])
    file = f"{tmp_path}/model.keras"
    model.save(file)
    assert keras.saving.load_model(file).get_layer("back").strength == 0.7
