"""Three photographs that come with installed packages, and the names of ImageNet's classes.

- "pagoda": scikit-learn's china.jpg, by danielbuechele on Flickr, CC BY 2.0.
- "flower": scikit-learn's flower.jpg, by vultilion on Flickr, CC BY 2.0.
- "officer": matplotlib's grace_hopper.jpg, Grace Hopper, United States Navy, public domain.

The names in ``imagenet_classes.txt`` are the first of those that WordNet gives to each class, in
ImageNet's order (WordNet 3.0, copyright 2006 by Princeton University, free for any purpose).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UsageError
from ..files import text_of

NAMES = ("pagoda", "flower", "officer")


def load(name: str, size: int = 224) -> np.ndarray:
    """The middle of a photograph as a square, RGB 0..255, (size, size, 3) bytes.

    Args:
        name: "pagoda", "flower" or "officer".
        size: pixels along each side.

    Raises:
        UsageError: there is no photograph of this name.
    """
    if name not in NAMES:
        raise UsageError(f"There is no photograph {name!r}: there are {', '.join(NAMES)}.")
    with Image.open(_file(name)) as photograph:
        rgb = photograph.convert("RGB")
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    square = rgb.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


def imagenet_classes() -> list[str]:
    """The names of the 1,000 classes, as the outputs of an ImageNet network are numbered."""
    return text_of(Path(__file__).with_name("imagenet_classes.txt")).splitlines()


def _file(name: str) -> Path:
    if name == "officer":
        import matplotlib

        return Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    file = {"pagoda": "china.jpg", "flower": "flower.jpg"}[name]
    return Path(str(resources.files("sklearn.datasets.images") / file))
