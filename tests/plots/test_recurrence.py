"""The pictures of lesson 08 say what a reader believes after each letter, whatever is typed."""

from __future__ import annotations

import itertools

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


def test_a_typed_word_is_read_to_its_end(explorer: Explorer) -> None:
    letters = explorer.sliders["letters"]
    for word in ("saksa", "saksalainen", "x"):
        explorer.sliders["word"].value = word
        assert (letters.value, letters.max) == (len(word), len(word))
        assert f"read as far as “{word}”" in explorer.alt
    explorer.sliders["word"].value = ""
    assert (letters.value, letters.max) == (0, 1)


def test_of_a_long_word_it_is_said_how_much_is_read(explorer: Explorer) -> None:
    said = f"Only the first {figures.LETTERS} letters are read."
    for more in (0, 1, 20):
        explorer.sliders["word"].value = "a" * (figures.LETTERS + more)
        assert explorer.sliders["letters"].value == figures.LETTERS
        [headline] = explorer.figure.texts
        assert (said in explorer.alt) == (said in headline.get_text()) == (more > 0)


@pytest.mark.parametrize("word", ["x", "kreikka", "a" * 14])
@pytest.mark.parametrize("ends", [[0.97, 0.01, 0.01, 0.01], [0.3, 0.3, 0.3, 0.1], [0.5, 0.5, 0, 0]])
def test_names_lie_behind_the_curves_and_apart(word: str, ends: list[float]) -> None:
    languages = ["Portuguese", "Norwegian", "Hungarian", "Indonesian"]
    explorer = figures.belief_explorer(lambda text: np.tile(ends, (len(text), 1)), languages, word)
    axes = explorer.figure.axes[1]
    names = [text for text in axes.texts if text.get_text() in languages]
    boxes = [name.get_window_extent() for name in names]
    end = max(axes.transData.transform(line.get_xydata())[:, 0].max() for line in axes.lines[:3])
    assert len(names) == 3
    assert all(end < box.x0 and box.x1 < axes.bbox.x1 and box.y0 > axes.bbox.y0 for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_nothing_read_shows_nothing(explorer: Explorer) -> None:
    explorer.sliders["letters"].value = 0
    assert explorer.alt == "The word “kreikka”, of which no letter is read yet."
    assert all(bar.get_width() == 0 for bar in explorer.figure.axes[0].patches)


def test_the_best_method_has_the_ring() -> None:
    scores = {3: {"a": np.array([0.3, 0.4]), "b": np.array([0.5, 0.5])}}
    [axes] = figures.transfer_figure(scores, 0.125).figure.axes
    ring = axes.lines[-1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (50, 1)
