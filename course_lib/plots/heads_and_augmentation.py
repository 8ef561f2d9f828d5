"""Pictures of lesson 10: a photograph with all the switches of augmentation, and what they gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import affine_transform

from ..foundations.heads_and_augmentation import shear_displacement
from .explorer import Draw, Explorer, choice, slider
from .palette import GRAY, INK, ORANGE, style
from .picture import Picture, new_figure

FLIPS = {"none": (1, 1), "left and right": (1, -1), "upside down": (-1, 1)}
"""What rows and columns are multiplied with, counted from the center."""

# --- one photograph, all the switches -------------------------------------------------------------


def switches_explorer(photograph: np.ndarray) -> Explorer:
    """A photograph, and what is left of it after each switch of augmentation.

    Args:
        photograph: (S, S, 3) bytes.

    Returns:
        An explorer with the sliders ``shear`` and ``rotation`` (degrees), ``right``, ``down``,
        ``wider``, ``taller`` and ``brighter`` (percent), and the list ``flip``.
    """
    controls = {
        "shear": slider("shear, degrees", 0.0, -45.0, 45.0, 0.2),
        "rotation": slider("rotation, degrees", 0.0, -180.0, 180.0, 1.0),
        "right": slider("to the right, %", 0.0, -50.0, 50.0, 1.0),
        "down": slider("down, %", 0.0, -50.0, 50.0, 1.0),
        "wider": slider("wider, %", 0.0, -50.0, 100.0, 1.0),
        "taller": slider("taller, %", 0.0, -50.0, 100.0, 1.0),
        "brighter": slider("brighter, %", 0.0, -100.0, 100.0, 1.0),
        "flip": choice("flip", {name: name for name in FLIPS}, "none"),
    }
    return Explorer(partial(_prepare_switches, photograph), controls, size=(8.4, 4.2))


def _prepare_switches(photograph: np.ndarray, figure: Figure) -> Draw:
    size = len(photograph)
    figure.subplots_adjust(0.01, 0.02, 0.99, 0.92, wspace=0.04)
    panels = figure.subplots(1, 2)
    for axes, title in zip(panels, ("the photograph", "what the network is shown"), strict=True):
        axes.set(xticks=[], yticks=[], title=title)
        axes.spines[:].set(visible=True, color=GRAY)
    panels[0].imshow(photograph)
    shown = panels[1].imshow(np.zeros_like(photograph), animated=True)

    def draw(
        *,
        shear: float,
        rotation: float,
        right: float,
        down: float,
        wider: float,
        taller: float,
        brighter: float,
        flip: str,
    ) -> str:
        matrix = warp_matrix(shear, rotation, wider, taller, flip)
        shift = size / 100 * np.array([down, right])
        changed, outside = warped(photograph, matrix, shift)
        shown.set_data(np.clip(changed * (1 + brighter / 100), 0, 255).astype(np.uint8))
        edge = shear_displacement(size, shear)
        moved = [
            f"shear of {shear:.1f} degrees, the upper edge moves {edge:.1f} of {size} pixels",
            f"rotation of {rotation:.0f} degrees",
            f"{right:.0f}% to the right, {down:.0f}% down",
            f"{wider:.0f}% wider, {taller:.0f}% taller",
            f"{brighter:.0f}% brighter",
            f"flip: {flip}",
        ]
        told = f"{'; '.join(moved)}. {outside:.0%} of the picture lies outside the photograph."
        return told.replace("-", "−")

    return draw


def warp_matrix(
    shear: float = 0.0,
    rotation: float = 0.0,
    wider: float = 0.0,
    taller: float = 0.0,
    flip: str = "none",
) -> np.ndarray:
    """Where a point of the photograph goes, in rows and columns from the center: (2, 2).

    Args:
        shear: degrees; a positive one moves the upper edge to the right.
        rotation: degrees, counterclockwise.
        wider, taller: percent.
        flip: a name of `FLIPS`.
    """
    rows, columns = FLIPS[flip]
    scale = np.diag([rows * (1 + taller / 100), columns * (1 + wider / 100)])
    sheared = np.array([[1.0, 0.0], [-np.tan(np.radians(shear)), 1.0]])
    cosine, sine = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    matrix: np.ndarray = np.array([[cosine, -sine], [sine, cosine]]) @ sheared @ scale
    return matrix


def warped(image: np.ndarray, matrix: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, float]:
    """The image after its points have moved, and the share of it that lies outside the old one.

    Outside, the nearest pixel of the edge goes on, as in Keras' old ``ImageDataGenerator``.

    Args:
        image: (H, W, C).
        matrix: (2, 2), see `warp_matrix`.
        shift: (2,) rows and columns.
    """
    center = (np.array(image.shape[:2]) - 1) / 2
    back = np.linalg.inv(matrix)
    start = center - back @ (center + shift)
    channels = [
        affine_transform(channel.astype(float), back, start, order=1, mode="nearest")
        for channel in np.moveaxis(image, -1, 0)
    ]
    rows, columns = np.indices(image.shape[:2])
    places = np.tensordot(back, np.stack([rows, columns]), 1) + start[:, None, None]
    last = np.array(image.shape[:2])[:, None, None] - 0.5
    outside = np.any((places < -0.5) | (places > last), axis=0)
    return np.stack(channels, axis=-1), float(np.mean(outside))


# --- what a change gains --------------------------------------------------------------------------


@style()
def gains_figure(gains: Mapping[str, Mapping[str, tuple[float, float]]], label: str) -> Picture:
    """What each change of the training images gains, side by side for several data sets.

    Args:
        gains: by data set and then by change, the mean and its standard error; bars reach two of
            them to each side.
        label: of the gain.
    """
    rows = max(map(len, gains.values()))
    figure = new_figure((4.3 * len(gains), 0.3 * rows + 1.1))
    panels = figure.subplots(1, len(gains), squeeze=False)[0]
    told = []
    for axes, (data, of_data) in zip(panels, gains.items(), strict=True):
        for place, (mean, error) in enumerate(of_data.values()):
            reach = 2 * error
            color = INK if abs(mean) > reach else ORANGE
            axes.errorbar(mean, place, xerr=reach, fmt="o", color=color, capsize=3)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set(yticks=range(len(of_data)), yticklabels=of_data, title=data, xlabel=label)
        axes.set_ylim(len(of_data) - 0.5, -0.5)
        means = ", ".join(f"{name} {mean:+.1f}" for name, (mean, _) in of_data.items())
        told.append(f"{data}: {means}".replace("-", "−"))
    figure.tight_layout()
    return Picture(figure, f"{label}, by the change of the training images. {'. '.join(told)}.")


def stripes(size: int, columns: Sequence[int]) -> np.ndarray:
    """White images, each with an upright black line one pixel wide: (N, size, size, 1)."""
    images = np.full((len(columns), size, size, 1), 255, np.float32)
    images[np.arange(len(columns)), :, columns] = 0
    return images
