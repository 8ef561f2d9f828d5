"""Pictures of lesson 08: a chain of states, a word letter by letter, who wins with few labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from .explorer import Draw, Explorer, slider
from .palette import BLUE, GRAY, INK, LINES, ORANGE, PLAIN, style
from .picture import Picture, new_figure
from .training import curves as curves

SHOWN = 6
"""Languages of which the explorer shows the probability."""
LETTERS = 14
"""As many letters of a word the explorer reads and shows."""
LONGER = f" Only the first {LETTERS} letters are read."
"""Said of a longer word."""


@style()
def chain_figure() -> Picture:
    """The recurrent network unrolled: one cell, the same weights at every step."""
    figure = new_figure((9.2, 2.2))
    axes = figure.add_axes((0.005, 0.01, 0.99, 0.98))
    axes.set(xlim=(0, 9.2), ylim=(0, 2.2))
    axes.set_axis_off()
    steps = ("1", "2", "3", "T")
    places = (1.9, 3.8, 5.7, 8.3)
    axes.text(0.45, 1.25, "$h_0$", size=15, ha="center", va="center")
    before = 0.75
    for number, at in zip(steps, places, strict=True):
        axes.text(at, 1.25, f"$h_{number}$", size=15, ha="center", va="center")
        axes.text(at, 0.3, f"$x_{number}$", size=15, ha="center", va="center")
        axes.annotate("", (at, 0.98), (at, 0.52), arrowprops=_ARROW | {"color": BLUE})
        axes.text(at + 0.13, 0.7, "$W$", size=12, color=BLUE)
        if number == "T":
            axes.text((before + at - 0.3) / 2, 1.25, "· · ·", size=15, ha="center", va="center")
        else:
            axes.annotate("", (at - 0.3, 1.25), (before, 1.25), arrowprops=_ARROW)
            axes.text((before + at - 0.3) / 2, 1.42, "$U$", size=12, ha="center")
        before = at + 0.3
    axes.text(9.2, 1.95, "every step: the same W, U and b", ha="right", weight="bold")
    return Picture(
        figure,
        "A chain of states from left to right: h0, h1, h2, h3 and so on to hT. Each state comes "
        "from the one before it through U and from its own input x below it through W, the same "
        "weights at every step.",
    )


_ARROW: dict[str, Any] = {"arrowstyle": "->", "linewidth": 1.8}


@style()
def transfer_figure(scores: Mapping[int, Mapping[str, np.ndarray]], chance: float) -> Picture:
    """Accuracy of each method for each number of labels, with its spread.

    Args:
        scores: by the number of labels of each language and then by method, (R,) accuracies 0..1.
        chance: accuracy of guessing.
    """
    methods = list(next(iter(scores.values())))
    figure = new_figure((9.2, 0.9 + 0.36 * len(methods)))
    figure.set_layout_engine("constrained")
    told = []
    panels = figure.subplots(1, len(scores), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (size, by_method) in zip(panels, scores.items(), strict=True):
        means = [100 * np.mean(by_method[method]) for method in methods]
        spread = [100 * np.std(by_method[method], ddof=1) for method in methods]
        axes.axvline(100 * chance, color=GRAY, linewidth=3, zorder=0)
        axes.errorbar(means, range(len(methods)), xerr=spread, **LINES[0] | {"linestyle": "none"})
        best = int(np.argmax(means))
        axes.plot(means[best], best, "o", markersize=13, markerfacecolor="none", color=ORANGE)
        axes.set(title=f"{size} words of each language", xlabel="accuracy in %")
        list_of = ", ".join(f"{m} {value:.0f}" for m, value in zip(methods, means, strict=True))
        told.append(f"{size} words of each: {list_of}")
    panels[0].set(yticks=range(len(methods)), yticklabels=methods)
    panels[0].margins(y=0.14)
    panels[0].invert_yaxis()
    return Picture(
        figure,
        "Accuracy in %, mean and standard deviation over the draws, a ring around the best, a gray "
        f"line at chance. {'; '.join(told)}.",
    )


def belief_explorer(
    read: Callable[[str], np.ndarray], languages: Sequence[str], word: str
) -> Explorer:
    """A word, typed letter by letter, and which language a network takes it for on the way.

    Args:
        read: from a word of T letters to (T, L), the probability of each language after each
            letter.
        languages: L names.
        word: to begin with.

    Returns:
        An explorer with a text ``word`` and a slider ``letters``, which goes to the end of each
        word that is typed.
    """
    typed = ipywidgets.Text(
        value=word,
        description="word",
        continuous_update=True,
        style={"description_width": "initial"},
        layout={"flex": "1 1 19em", "width": "auto", "max_width": "30em"},
    )
    length = len(_shown(word))
    letters = slider("letters read", min(3, length), 0, max(1, length), 1)

    def to_the_end(_: Any) -> None:
        length = len(_shown(typed.value))
        letters.max = max(1, length)  # a slider has two ends
        letters.value = length

    typed.observe(to_the_end, names="value")

    def prepare(figure: Figure) -> Draw:
        return _prepare_belief(read, languages, figure)

    return Explorer(prepare, {"word": typed, "letters": letters}, size=(9.2, 3.4))


def _shown(word: str) -> str:
    return word.strip().lower()[:LETTERS]


def _prepare_belief(
    read: Callable[[str], np.ndarray], languages: Sequence[str], figure: Figure
) -> Draw:
    figure.subplots_adjust(0.14, 0.16, 0.985, 0.83, wspace=0.2)
    left, right = figure.subplots(1, 2)
    left.set(xlim=(0, 1), ylim=(SHOWN - 0.4, -0.6), yticks=[], xlabel="probability")
    left.set_title("after the letters read")
    bars = left.barh(range(SHOWN), [0.0] * SHOWN, height=0.65, **PLAIN, **_MOVING)
    names = [left.text(-0.02, n, "", va="center", ha="right", **_MOVING) for n in range(SHOWN)]
    right.set(xlim=(0.5, LETTERS + 4.5), ylim=(0, 1.02), xticks=[])  # with room for a name
    right.set_title("after each letter")
    lines = [right.plot([], [], **line, **_MOVING)[0] for line in LINES]
    labels = [right.text(0, 0, "", va="center", size=9, **_MOVING) for _ in LINES]
    places = range(1, LETTERS + 1)
    spelled = [right.text(n, -0.1, "", ha="center", size=12, **_MOVING) for n in places]
    mark = right.axvline(0, color=GRAY, linewidth=6, zorder=0, **_MOVING)
    headline = figure.text(0.5, 0.93, "", weight="bold", size=11, ha="center", **_MOVING)

    def draw(*, word: str, letters: float) -> str:
        text = _shown(word)
        longer = len(word.strip().lower()) > LETTERS
        count = min(round(letters), len(text))
        for artist in (*names, *labels, *spelled, headline):
            artist.set_text("")
        for n, letter in enumerate(text):
            spelled[n].set(text=letter, color=INK, weight="bold" if n < count else "normal")
        for bar, line in zip(bars, [*lines, *[None] * SHOWN], strict=False):
            bar.set_width(0)
            if line is not None:
                line.set_data([], [])
        mark.set_xdata([count or -9])
        if not count:
            headline.set_text("no letter read yet")
            return f"The word “{text}”, of which no letter is read yet.{LONGER * longer}"
        belief = read(text)
        order = np.argsort(-belief[count - 1], kind="stable")[:SHOWN]
        for n, language in enumerate(order):
            bars[n].set_width(belief[count - 1, language])
            names[n].set_text(languages[language])
        final = np.argsort(-belief[-1], kind="stable")[: len(lines)]
        for line, label, language in zip(lines, labels, final, strict=True):
            line.set_data(np.arange(1, len(text) + 1), belief[:, language])
            label.set(text=languages[language], x=len(text) + 0.5, y=belief[-1, language])
        _spread_out(labels)
        told = ", ".join(f"{languages[k]} {belief[count - 1, k]:.2f}" for k in order[:3])
        told_of_it = f".{LONGER}" if longer else ""
        headline.set_text(f"“{text[:count]}”: {languages[order[0]]}{told_of_it}")
        return (
            f"The word “{text}”, read as far as “{text[:count]}”: {told}. At its end: "
            f"{', '.join(f'{languages[k]} {belief[-1, k]:.2f}' for k in final)}.{LONGER * longer}"
        )

    return draw


def _spread_out(labels: Sequence[Any], least: float = 0.075) -> None:
    """Names behind the ends of lines, moved up where they would overlap each other or the axis."""
    below = 0.04 - least
    for label in sorted(labels, key=lambda text: float(text.get_position()[1])):
        below = max(float(label.get_position()[1]), below + least)
        label.set_y(below)


_MOVING: dict[str, Any] = {"animated": True}
