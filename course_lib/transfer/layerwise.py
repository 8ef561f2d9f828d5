"""A learning rate for each group of layers: small near the input, full in the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ..errors import UsageError
from ..foundations.fine_tuning import layerwise_learning_rates
from .backbones import listed


def groups(model: keras.Model, ends: str | Sequence[str]) -> list[list[keras.Layer]]:
    """The layers that train, grouped by stage, from the input side to the output side.

    Args:
        model: its layers lie in the order of computation.
        ends: layers in which stages end, in any order; those that the model lacks are ignored, if
            it has one of them.

    Returns:
        One list for each stage with layers that train; layers behind the last end, the head,
        are the last list.

    Raises:
        UsageError: the model has none of the ends.
    """
    found: list[list[keras.Layer]] = [[]]
    ends, layers = listed(ends), flat(model)
    if ends and not {layer.name for layer in layers} & {*ends}:
        raise UsageError(
            f"No layer of this model is called {' or '.join(ends)}: ends are names of layers, as "
            "in the values of Backbone.stages."
        )
    for layer in layers:
        if layer.trainable_weights:
            found[-1].append(layer)
        if layer.name in ends:
            found.append([])
    return [group for group in found if group]


def flat(model: keras.Model) -> list[keras.Layer]:
    """All layers in the order of computation, those of models inside the model included."""
    layers = []
    for layer in model.layers:
        layers += flat(layer) if isinstance(layer, keras.Model) else [layer]
    return layers


@keras.saving.register_keras_serializable("course_lib")
class LayerwiseAdamW(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no type hints
    """AdamW as in Keras, with a factor on the learning rate of each variable.

    Decay is decoupled (Loshchilov & Hutter 2019) and follows the variable's own rate. It shrinks
    kernels only: biases and the scales of normalizations are left alone. A model that was saved
    with it loads again where this module is imported.

    Args:
        learning_rate: number or schedule, of variables with the factor 1.
        factors: factor by the path of the variable; 1 where it is not named.
        weight_decay: share that a step takes away, times the learning rate.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        factors: Mapping[str, float] | None = None,
        weight_decay: float = 0.0,
        name: str = "layerwise_adamw",
        **settings: Any,
    ) -> None:
        super().__init__(learning_rate, name=name, **settings)
        self.factors = dict(factors or {})
        self.decay = weight_decay
        self._factor: list[float] = []
        self._decays: list[bool] = []

    @classmethod
    def by_group(
        cls,
        learning_rate: Any,
        model: keras.Model,
        ends: str | Sequence[str],
        decay: float,
        weight_decay: float = 0.0,
    ) -> LayerwiseAdamW:
        """The last group of the model learns at ``learning_rate``, each one before it slower.

        Args:
            learning_rate: number or schedule.
            model: whose `trainable` flags are set. The moments are made for what trains now: Keras
                refuses to train what is unfrozen afterwards.
            ends: see `groups`.
            decay: factor from group to group, see `layerwise_learning_rates`.
            weight_decay: see the class.

        Raises:
            UsageError: nothing in the model trains, it has none of the ends, or decay is not in
                0..1.
        """
        found = groups(model, ends)
        if not found:
            raise UsageError("Every layer of this model is frozen: unfreeze some before training.")
        if not 0 < decay <= 1:
            raise UsageError(f"The factor from group to group is {decay:g}: take one in 0..1.")
        factors = {
            variable.path: float(factor)
            for group, factor in zip(
                found, layerwise_learning_rates(len(found), 1.0, decay), strict=True
            )
            for layer in group
            for variable in layer.trainable_variables
        }
        optimizer = cls(learning_rate, factors, weight_decay)
        # Were its moments made in the first step, TensorFlow would trace that step twice.
        optimizer.build(model.trainable_variables)
        return optimizer

    def build(self, variables: list[Any]) -> None:
        """Make the moments; the position of a variable tells its factor from now on."""
        if self.built:
            return
        super().build(variables)
        self._factor = [self.factors.get(variable.path, 1.0) for variable in variables]
        self._decays = [len(variable.shape) > 1 for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        index = self._get_variable_index(variable)
        rate = keras.ops.cast(learning_rate, variable.dtype) * self._factor[index]
        if self.decay and self._decays[index]:
            self.assign_sub(variable, variable * rate * self.decay)
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to make another like it."""
        config: dict[str, Any] = super().get_config()
        config.pop("weight_decay", None)  # of the base class, which knows no factors
        return config | {"factors": self.factors, "weight_decay": self.decay}
