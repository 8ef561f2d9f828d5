"""Domain adaptation for features of your own, and gradient reversal as a Keras layer.

Nothing here needs a label of the target. What a method learns from the source and from target
examples at hand, it applies to target examples that come later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..errors import UsageError
from ..foundations import domain_adaptation


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of the features of one domain.

    Attributes:
        mean: (D,).
        deviation: (D,), 1 where a feature is constant.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Scale:
        """Measured on examples of the domain, no labels needed.

        Args:
            features: (N, D), N > 1.

        Raises:
            UsageError: it is no table of numbers with two rows or more.
        """
        features = _table("features", features)
        constant = features.max(axis=0) == features.min(axis=0)
        return cls(features.mean(axis=0), np.where(constant, 1.0, features.std(axis=0)))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Examples of this domain, one or many, (N, D), in units of its deviations.

        Raises:
            UsageError: they have another number of features.
        """
        features = np.asarray(features, dtype=float)
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise UsageError(
                f"This domain was measured with {len(self.mean)} features: give an array of shape "
                f"(N, {len(self.mean)}), not {features.shape}."
            )
        scaled: np.ndarray = (features - self.mean) / self.deviation
        return scaled


def coral(source: np.ndarray, target: np.ndarray, epsilon: float = 1.0) -> np.ndarray:
    """The source with the target's mean and covariance, to train a classifier on.

    The classifier is then asked about target features as they are. With fewer examples than
    features a small epsilon aligns noise: standardize both domains first, and try 1, 10, 100.

    Args:
        source: (N, D).
        target: (M, D), unlabeled.
        epsilon: added to the diagonals of both covariances, positive.

    Returns:
        (N, D).

    Raises:
        UsageError: a table is none, they have different numbers of features, or epsilon is not
            positive.
    """
    source, target = _table("source", source), _table("target", target)
    if source.shape[1] != target.shape[1]:
        raise UsageError(
            f"The source has {source.shape[1]} features and the target {target.shape[1]}: both "
            "must come from the same network."
        )
    if not epsilon > 0:
        raise UsageError(f"epsilon is {epsilon:g}: give a number above 0, such as 1.")
    return domain_adaptation.coral(source, target, epsilon)


def _table(name: str, features: np.ndarray) -> np.ndarray:
    """Features as (N, D) floats."""
    try:
        table = np.asarray(features, dtype=float)
    except (TypeError, ValueError):
        raise UsageError(f"{name} is no array of numbers: give one of shape (N, D).") from None
    if table.ndim != 2 or len(table) < 2 or not table.shape[1]:
        raise UsageError(
            f"{name} has the shape {table.shape}: give a row of features for each of two or more "
            "examples, shape (N, D); pool maps first."
        )
    if not np.isfinite(table).all():
        raise UsageError(f"{name} has a number that is not finite: look where it comes from.")
    return table


@keras.saving.register_keras_serializable("course_lib")
class GradientReversal(keras.layers.Layer):  # type: ignore[misc]  # Keras has no type hints
    """Forward nothing happens; backward the gradient is multiplied by -strength.

    A classifier of domains behind it learns to tell domains apart, and what stands before it
    learns to prevent that (Ganin et al. 2016, section 4.2). On every backend of Keras: the output
    is -strength · x + (1 + strength) · x, where no gradient passes through the second term.

    Args:
        strength: λ, at least 0.
    """

    def __init__(self, strength: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        if not strength >= 0:
            raise UsageError(f"The strength is {strength:g}: give 0 or more; the layer reverses.")
        self.strength = float(strength)

    def call(self, inputs: Any) -> Any:
        """The inputs, up to rounding."""
        passed = keras.ops.stop_gradient(inputs * (1 + self.strength))
        return passed - inputs * self.strength

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to make another like it."""
        config: dict[str, Any] = super().get_config()
        return config | {"strength": self.strength}
