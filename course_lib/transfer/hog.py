"""Histograms of oriented gradients: features of images made by hand, before networks made them.

Source: Dalal & Triggs, Histograms of Oriented Gradients for Human Detection (2005): nine unsigned
orientations, blocks of 2x2 cells at steps of one cell, normalization "L2-Hys".
"""

from __future__ import annotations

import numpy as np

from ..errors import UsageError

BINS = 9
"""Of 20 degrees each; light on dark counts like dark on light."""
CLIP = 0.2
"""Largest entry of a normalized block."""
CHUNK = 128
"""Images at a time, for the sake of memory."""


def hog(images: np.ndarray, cell: int = 8) -> np.ndarray:
    """One row of numbers for each image: how strong edges of each direction are in each place.

    Args:
        images: (N, S, S) or (N, S, S, 1), shades of gray.
        cell: pixels along each side of a cell; S is a multiple of it.

    Returns:
        (N, (S / cell - 1)² · 36) float32, each block of 36 of length 1, or 0 without an edge.

    Raises:
        UsageError: the images have another shape, or fewer than two cells on a side.
    """
    images = np.asarray(images)
    side = images.shape[1] if images.ndim > 1 else 0
    if images.shape[1:] not in ((side, side), (side, side, 1)) or side % cell or side < 2 * cell:
        raise UsageError(
            f"Gray square images are needed whose sides are a multiple of {cell} pixels and at "
            f"least {2 * cell}, not an array of shape {images.shape}."
        )
    gray = images.reshape(-1, side, side)
    parts = [_chunk(gray[start : start + CHUNK], cell) for start in range(0, len(gray), CHUNK)]
    return np.concatenate(parts)


def _chunk(gray: np.ndarray, cell: int) -> np.ndarray:
    down, right = np.gradient(gray.astype(np.float32), axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.arctan2(down, right) % np.pi * (BINS / np.pi)  # in bins, 0 to 9
    lower = angle.astype(int)
    upper_share = angle - lower  # each edge counts in the two bins that are nearest
    count, cells = len(gray), gray.shape[1] // cell
    place = np.arange(gray.shape[1]) // cell
    first = np.arange(count)[:, None, None] * cells**2 + place[:, None] * cells + place
    histogram = np.zeros(count * cells**2 * BINS)
    for number, share in ((lower, 1 - upper_share), (lower + 1, upper_share)):
        index = first * BINS + number % BINS
        histogram += np.bincount(index.ravel(), (share * strength).ravel(), histogram.size)
    by_cell = histogram.reshape(count, cells, cells, BINS).astype(np.float32)
    corners = [by_cell[:, y : cells - 1 + y, x : cells - 1 + x] for y in (0, 1) for x in (0, 1)]
    blocks = _normalized(np.minimum(_normalized(np.concatenate(corners, axis=-1)), CLIP))
    return blocks.reshape(count, -1)


def _normalized(blocks: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(blocks, axis=-1, keepdims=True)
    normalized: np.ndarray = blocks / np.maximum(length, 1e-6)
    return normalized
