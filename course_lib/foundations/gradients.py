"""Gradients by finite differences: the independent witness of every derivation.

Defined in lesson 01. Source: Nocedal & Wright, Numerical Optimization, 2nd edition, section 8.1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def numerical_gradient(
    function: Callable[[np.ndarray], float], point: np.ndarray, step: float = 1e-5
) -> np.ndarray:
    """Gradient of ``function`` at ``point`` by central differences.

    Each entry is (f(x + h e) - f(x - h e)) / 2h, whose error falls with h squared (truncation)
    and grows with 1/h (rounding).

    Args:
        function: maps an array of the shape of ``point`` to a number.
        point: array of any shape, not changed.
        step: h, in the units of ``point``.

    Returns:
        float64 array of the shape of ``point``.
    """
    point = np.asarray(point, dtype=float)
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (function(above) - function(below)) / (2 * step)
    return gradient
