"""Pictures of lesson 14: who looks at whom, layer by layer and head by head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .explorer import Draw, Explorer, choice, slider
from .palette import MOVING_TEXT, ORANGE, PLAIN


def attention_explorer(tokens: Sequence[str], weights: np.ndarray) -> Explorer:
    """The attention of one head of one layer, and where one token looks.

    Args:
        tokens: T pieces.
        weights: (L, H, T, T), of which each row sums to 1.

    Returns:
        An explorer with the controls ``layer``, ``head`` and ``token``.
    """
    layers, heads = weights.shape[:2]
    named = {f"{place} {token}": place for place, token in enumerate(tokens)}
    controls = {
        "layer": slider("layer", 1, 1, layers, 1),
        "head": slider("head", 1, 1, heads, 1),
        "token": choice("token", named, 1),
    }
    return Explorer(partial(_prepare, list(tokens), weights), controls, (7.2, 4.2))


def _prepare(tokens: Sequence[str], weights: np.ndarray, figure: Figure) -> Draw:
    places = np.arange(len(tokens))
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    figure.subplots_adjust(0.14, 0.2, 0.98, 0.9, wspace=0.35)
    image = left.imshow(weights[0, 0], cmap="gray_r", vmin=0, vmax=1, animated=True)
    left.set_xticks(places, tokens, rotation=90)
    left.set_yticks(places, tokens)
    left.set(xlabel="is looked at", ylabel="looks")
    row = Rectangle((-0.5, 0), len(tokens), 1, fill=False, edgecolor=ORANGE, lw=2, animated=True)
    left.add_patch(row)
    bars = right.barh(places, weights[0, 0, 0], **PLAIN, animated=True)
    right.set_yticks(places, tokens)
    right.invert_yaxis()
    right.set(xlim=(0, 1), xlabel="share")
    headline = figure.text(0.79, 0.92, "", **MOVING_TEXT)

    def draw(*, layer: float, head: float, token: int) -> str:
        table = weights[int(layer) - 1, int(head) - 1]
        image.set_data(table)
        row.set_y(token - 0.5)
        for bar, share in zip(bars, table[token], strict=True):
            bar.set_width(float(share))
        headline.set_text(f"where “{tokens[token]}” looks")
        most = int(table[token].argmax())
        return (
            f"In layer {int(layer)}, head {int(head)}, “{tokens[token]}” looks most at "
            f"“{tokens[most]}”: {table[token, most]:.2f} of its attention."
        )

    return draw
