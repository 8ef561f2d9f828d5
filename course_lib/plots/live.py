"""A curve that grows while a model trains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from IPython.display import display
from matplotlib.ticker import MaxNLocator

from .palette import INK, LINES, style
from .picture import Picture, new_figure


class LiveCurve(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no type hints
    """Draws a metric of `fit` after each epoch, in one figure that is drawn anew each time.

    Args:
        start: the metric before the first epoch.
        levels: what the curve is to be compared with, by name: horizontal lines.
        metric: its name in the logs of `fit`.
        label: what the metric is called in the figure.

    Attributes:
        values: the metric before the first epoch and after each since; NaN for epochs of an earlier
            run that this one goes on from.
    """

    def __init__(
        self,
        start: float,
        levels: Mapping[str, float],
        metric: str = "val_accuracy",
        label: str = "accuracy",
    ) -> None:
        super().__init__()
        self.levels, self.metric, self.label = dict(levels), metric, label
        self.values = [start]

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Show the figure with what there is before training."""
        self.values = self.values[:1]
        self._shown: Any = display(self.picture(), display_id=True)  # type: ignore[no-untyped-call]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Draw the curve anew, in the same place."""
        self.values += [math.nan] * (epoch + 1 - len(self.values))
        self.values.append(float((logs or {})[self.metric]))
        if self._shown is not None:  # outside a notebook there is nothing to draw into
            self._shown.update(self.picture())

    @style()
    def picture(self) -> Picture:
        """The curve as it is now."""
        figure = new_figure((7.4, 3.3))
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.plot(range(len(self.values)), self.values, label="fine-tuned", **LINES[0])
        end = max(1, self.params.get("epochs", 1) if self.params else len(self.values) - 1)
        for name, level in self.levels.items():
            axes.axhline(level, color=INK, linestyle=":", linewidth=1)
            axes.text(end, level, name, ha="right", va="top", color=INK)
        axes.set(xlim=(-0.02 * end, 1.02 * end), xlabel="epoch", ylabel=self.label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if self.metric.endswith("accuracy"):
            axes.set(ylim=(0, 1.02))
        told = ", ".join(f"{value:.2f}" for value in self.values if not math.isnan(value))
        compared = "".join(f" {name}: {level:.2f}." for name, level in self.levels.items())
        return Picture(figure, f"{self.label}, before and after each epoch: {told}.{compared}")
