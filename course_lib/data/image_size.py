"""Square images: their size as a number, or as the pair that Keras' users write."""

from __future__ import annotations

import operator

from ..errors import UsageError


def side_length(image_size: int | tuple[int, int], smallest: int = 1) -> int:
    """Pixels along each side.

    Args:
        image_size: a whole number, or two equal ones: height and width.
        smallest: number that is accepted.

    Raises:
        UsageError: it is neither, or too small.
    """
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    try:
        height, width = map(operator.index, pair)
    except (TypeError, ValueError):
        raise UsageError(
            f"image_size is {image_size!r}: give the pixels along each side, a whole number."
        ) from None
    if height != width:
        raise UsageError(f"image_size is {height} by {width}, but images are made square here.")
    if height < smallest:
        raise UsageError(f"image_size is {height}: it has to be {smallest} or more.")
    return height
