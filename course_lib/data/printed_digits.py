"""Digits that were printed, not written: the fonts that matplotlib ships, drawn at 8x8 pixels.

A second source of the ten classes of `digits`, in the same form, of which nobody had to label any:
who draws a digit knows which one it is. The fonts are DejaVu, STIX and Computer Modern.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FACES = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
"""Names of the font files."""
_LARGE = 64
"""Pixels along each side before a digit is shrunk to eight."""


def load(seed: int = 0, each: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Printed digits, each a little turned and of another width.

    As in the handwritten digits of scikit-learn, a digit fills the height of its image.

    Args:
        seed: of the turns and widths.
        each: images of every digit in every face.

    Returns:
        (images (N, 64) floats in 0..1, labels (N,) integers in 0..9), N = 10 · 19 · ``each``, in
        random order.
    """
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    folder, random = Path(get_data_path()) / "fonts" / "ttf", np.random.default_rng(seed)
    fonts = [ImageFont.truetype(str(folder / f"{face}.ttf"), _LARGE) for face in FACES]
    images, labels = [], []
    for font in fonts:
        for label in range(10):
            page = Image.new("L", (3 * _LARGE, 3 * _LARGE))
            ImageDraw.Draw(page).text((_LARGE, _LARGE), str(label), fill=255, font=font)
            for _ in range(each):
                turned = page.rotate(random.uniform(-12, 12), Image.Resampling.BILINEAR)
                ink = turned.crop(turned.getbbox())
                width = round(min(1.0, ink.width / ink.height * random.uniform(0.9, 1.5)) * _LARGE)
                canvas = Image.new("L", (_LARGE, _LARGE))
                shrunk = ink.resize((max(width, 8), _LARGE), Image.Resampling.BILINEAR)
                canvas.paste(shrunk, ((_LARGE - shrunk.width) // 2, 0))
                images.append(np.asarray(canvas.resize((8, 8), Image.Resampling.BOX)).ravel())
                labels.append(label)
    order = random.permutation(len(labels))
    return np.array(images)[order] / 255.0, np.array(labels)[order]
