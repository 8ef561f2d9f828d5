"""The pictures of lesson 08 say what a reader believes after each letter, whatever is typed."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.plots import Explorer
from course_lib.plots import recurrence as figures

LANGUAGES = ["English", "Finnish", "Welsh", "Danish"]


def read(word: str) -> np.ndarray:
    """After n letters the n-th language is the likeliest; from the fourth on it stays."""
    belief = np.full((len(word), len(LANGUAGES)), 0.1)
    for n in range(len(word)):
        belief[n, min(n, 3)] = 0.7
    return belief


@pytest.fixture
def explorer() -> Explorer:
    return figures.belief_explorer(read, LANGUAGES, "kreikka")


def test_the_belief_told_is_that_after_the_letters_read(explorer: Explorer) -> None:
    for letters, language in enumerate(["English", "Finnish", "Welsh", "Danish"], start=1):
        explorer.sliders["letters"].value = letters
        assert f"read as far as “{'kreikka'[:letters]}”: {language} 0.70" in explorer.alt
        assert "At its end: Danish 0.70" in explorer.alt
        bars = explorer.figure.axes[0].patches
        assert [round(bar.get_width(), 2) for bar in bars] == [0.7, 0.1, 0.1, 0.1, 0, 0]


def test_a_word_is_read_as_it_is_typed(explorer: Explorer) -> None:
    said = set()
    for end in range(1, 8):
        explorer.sliders["word"].value = "Sweden!"[:end]
        said.add(explorer.alt)
        assert f"The word “{'sweden!'[:end]}”" in explorer.alt
    assert len(said) == 7


@pytest.mark.parametrize("word", ["", "   ", "x", "ŵ5", "a" * 60, "<b>&"])
def test_no_word_is_without_picture_or_words(explorer: Explorer, word: str) -> None:
    explorer.sliders["word"].value = word
    for letters in (0, 1, figures.LETTERS):
        explorer.sliders["letters"].value = letters
        assert not explorer._failed
        assert "The word “" in explorer.alt
        assert "<img" in explorer.children[-1].value


def test_nothing_read_shows_nothing(explorer: Explorer) -> None:
    explorer.sliders["letters"].value = 0
    assert explorer.alt == "The word “kreikka”, of which no letter is read yet."
    assert all(bar.get_width() == 0 for bar in explorer.figure.axes[0].patches)


def test_the_best_method_has_the_ring() -> None:
    scores = {3: {"a": np.array([0.3, 0.4]), "b": np.array([0.5, 0.5])}}
    [axes] = figures.transfer_figure(scores, 0.125).figure.axes
    ring = axes.lines[-1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (50, 1)
