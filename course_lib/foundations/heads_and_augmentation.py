"""Heads of a frozen network, and changes of its images, as lesson 10 derives them.

Images are (N, H, W, C), one-hot labels (N, C). New arrays are returned.
Sources: Lin, Chen & Yan, Network in network (2014), section 3.2; Zhang, Cisse, Dauphin & Lopez-Paz,
mixup (2018), eq. 1; Szegedy et al., Rethinking the Inception architecture (2016), section 7.
"""

from __future__ import annotations

import math

import numpy as np

# --- heads ----------------------------------------------------------------------------------------


def head_parameters(
    height: int, width: int, channels: int, hidden: int, classes: int, pooling: str
) -> int:
    """Numbers to be learned in a head on feature maps: weights and biases.

    Args:
        height, width, channels: of the feature maps.
        hidden: units of a hidden layer; 0 for none.
        classes: outputs.
        pooling: "flatten" keeps every place, "average" one number of each channel.
    """
    inputs = channels if pooling == "average" else height * width * channels
    if hidden == 0:
        return (inputs + 1) * classes
    return (inputs + 1) * hidden + (hidden + 1) * classes


# --- changes of images ----------------------------------------------------------------------------


def flip_horizontal(images: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Left and right exchanged in the images that have a flag.

    Args:
        images: (N, H, W, C).
        flags: (N,) booleans.
    """
    flipped = np.array(images)
    flipped[flags] = flipped[flags][:, :, ::-1]
    return flipped


def random_crop(images: np.ndarray, size: int, top: np.ndarray, left: np.ndarray) -> np.ndarray:
    """A square out of each image, at offsets of its own.

    Args:
        images: (N, H, W, C).
        size: rows and columns of each square.
        top, left: (N,) integers, first row and first column of each square.

    Returns:
        (N, size, size, C).
    """
    rows, columns = (np.asarray(start)[:, None] + np.arange(size) for start in (top, left))
    squares: np.ndarray = images[
        np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
    return squares


def bilinear_resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Images of another size: each new pixel is read between the old ones, first by rows.

    Pixels are squares whose centers lie at a half. Beyond the outermost centers the outermost
    pixels go on. Shrinking averages over nothing (no antialiasing), as `keras.ops.image.resize`.

    Args:
        images: (N, H, W, C).
        height, width: of the new images.

    Returns:
        (N, height, width, C) floats.
    """
    resized = np.asarray(images, float)
    for axis, size in ((1, height), (2, width)):
        old = resized.shape[axis]
        place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
        before = np.floor(place).astype(int)
        after = np.minimum(before + 1, old - 1)
        shape = [1] * resized.ndim
        shape[axis] = size
        share = (place - before).reshape(shape)
        resized = (1 - share) * resized.take(before, axis) + share * resized.take(after, axis)
    return resized


def shear_displacement(height: float, degrees: float) -> float:
    """How far a shear about the center moves the upper edge sideways, with the sign of the angle.

    Args:
        height: of the image, in pixels.
        degrees: between the sheared columns and upright ones, -90 < degrees < 90.

    Returns:
        Pixels.
    """
    return height / 2 * math.tan(math.radians(degrees))


# --- softer labels --------------------------------------------------------------------------------


def mixup(
    images: np.ndarray, onehot: np.ndarray, share: float, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each image blended with another one, and its label in the same shares (Zhang et al., eq. 1).

    Args:
        images: (N, H, W, C).
        onehot: (N, K).
        share: of the image itself, from 0 to 1.
        order: (N,) integers, the partner of each image.

    Returns:
        Images and labels.
    """
    return (
        share * images + (1 - share) * images[order],
        share * onehot + (1 - share) * onehot[order],
    )


def smooth_labels(onehot: np.ndarray, amount: float) -> np.ndarray:
    """Labels less sure of themselves: a share of the amount goes to all classes alike.

    Szegedy et al. 2016, section 7; ``label_smoothing`` in Keras.

    Args:
        onehot: (N, C).
        amount: from 0 to 1.

    Returns:
        (N, C), rows as large in sum as before.
    """
    smooth: np.ndarray = (1 - amount) * onehot + amount / onehot.shape[1]
    return smooth
