"""Letters and digits drawn in the typefaces that Matplotlib ships, as 8x8 pictures.

The size is that of scikit-learn's handwritten digits, so that both can be read by one network.
Fonts: DejaVu (Bitstream Vera license), STIX (SIL Open Font License) and Computer Modern (BaKoMa
license); see `fonts/ttf` in Matplotlib's data.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

FAMILIES = {
    "DejaVuSans": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
    "STIXGeneral": ("", "Bol", "Italic", "BolIta"),
}
"""Four families, each with the endings of its regular, bold, slanted and bold slanted file."""
FILES = tuple(family + ending for family, endings in FAMILIES.items() for ending in endings)
_HEIGHT = 48
"""Pixels of a drawn figure before it is made small."""


@lru_cache(maxsize=2048)
def _drawn(character: str, file: str) -> np.ndarray:
    """One character in large pixels, from 0 to 1, without a margin."""
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{file}.ttf"))
    font.set_size(_HEIGHT, 72)
    font.set_text(character)
    font.draw_glyphs_to_bitmap()
    ink = np.asarray(font.get_image(), float) / 255
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def draw(
    characters: str, file: str = "DejaVuSans", side: int = 8, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Each character once, as high as the picture.

    Args:
        characters: what is drawn.
        file: one of `FILES`.
        side: pixels along each side of a picture.
        rng: for a hand that is not steady: turned, slanted, stretched and moved a little. Without
            it nothing is.

    Returns:
        (len(characters), side·side), 0 paper and 1 ink.
    """
    return np.array([_small(_drawn(character, file), side, rng) for character in characters])


def alphabet(
    characters: str, copies: int, seed: int = 0, side: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Characters in all of `FILES` by an unsteady hand, and which of the characters each is.

    Args:
        characters: the classes, in the order of their labels.
        copies: of each character in each file.
        seed: the same seed gives the same pictures.
        side: pixels along each side.

    Returns:
        (images (N, side·side), labels (N,)), N = copies · len(FILES) · len(characters).
    """
    rng = np.random.default_rng(seed)
    rounds = [draw(characters, file, side, rng) for _ in range(copies) for file in FILES]
    return np.concatenate(rounds), np.tile(np.arange(len(characters)), len(rounds))


def _small(ink: np.ndarray, side: int, rng: np.random.Generator | None) -> np.ndarray:
    """Means of the ink over the pixels of a small picture."""
    from scipy.ndimage import affine_transform

    fine = 4 * side
    scale = max(ink.shape) / (0.98 * fine)
    linear, shift = scale * np.eye(2), np.zeros(2)
    if rng is not None:
        angle, slant = rng.normal(0, 0.15), rng.normal(0, 0.2)
        stretch = np.diag(np.exp(rng.normal(0, 0.1, 2)))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = linear @ turn @ np.array([[1.0, 0.0], [slant, 1.0]]) @ stretch
        shift = scale * rng.normal(0, fine / 30, 2)
    middle = (np.array(ink.shape) - 1) / 2
    offset = middle + shift - linear @ np.full(2, (fine - 1) / 2)
    drawn = affine_transform(ink, linear, offset, (fine, fine), order=1)
    small: np.ndarray = drawn.reshape(side, 4, side, 4).mean(axis=(1, 3)).ravel()
    return small
