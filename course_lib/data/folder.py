"""A learner's own images: one folder for each class, as cameras and colleagues deliver them."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import CourseError

NAMED = 5
"""Unreadable files that the warning names; `ImageFolder.unreadable` has them all."""
_PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


@dataclass(frozen=True)
class ImageFolder:
    """Images by class; N readable images, C classes.

    Attributes:
        images: (N, S, S, 3) uint8, RGB 0..255.
        labels: (N,) integers in 0..C-1.
        class_names: C names of folders, in alphabetical order.
        files: N paths.
        unreadable: path and reason of each file that was left out.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    files: tuple[Path, ...]
    unreadable: tuple[tuple[Path, str], ...]


def load(path: Path | str, image_size: int = 224) -> ImageFolder:
    """The images below `path`, whose folders are the classes.

    Images are turned upright as their camera says, cut to a square around their centre, then
    resized. Files and folders whose names begin with a dot are ignored. Files that are no images
    of 8 bits a channel are left out, with a warning.

    Args:
        path: folder of one folder a class; images may lie in folders of these folders.
        image_size: pixels along each side.

    Raises:
        CourseError: there is no such folder, it has no folders, or a class has no image.
    """
    top = Path(path)
    if not top.is_dir():
        raise CourseError(f"There is no folder {top}: give the one that holds a folder a class.")
    classes = sorted(folder for folder in top.iterdir() if folder.is_dir() and _seen(folder, top))
    if not classes:
        raise CourseError(
            f"{top} has no folders: put the images of each class into one of its own."
        )
    if {folder.name.lower() for folder in classes} <= _PARTS:
        named = " and ".join(f"“{folder.name}”" for folder in classes)
        warnings.warn(
            f"The folders {named} look like parts of a data set, not like classes: to load one of "
            f"them, name it, as {classes[0]}.",
            stacklevel=2,
        )
    images: list[np.ndarray] = []
    labels: list[int] = []
    files: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for label, folder in enumerate(classes):
        for file in sorted(f for f in folder.rglob("*") if _is_file(f) and _seen(f, top)):
            try:
                images.append(_square(file, image_size))
            except Exception as error:  # decoders of damaged files raise nearly anything
                unreadable.append((file, _reason(error)))
                continue
            labels.append(label)
            files.append(file)
        if label not in labels:
            raise CourseError(
                f"No file in {folder} can be read as an image: "
                "put images there or move the folder away."
            )
    if unreadable:
        warnings.warn(_left_out(unreadable, len(files)), stacklevel=2)
    names = tuple(folder.name for folder in classes)
    return ImageFolder(np.stack(images), np.array(labels), names, tuple(files), tuple(unreadable))


def _square(file: Path, size: int) -> np.ndarray:
    """One image as it is meant to be seen, (size, size, 3)."""
    import keras
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is odd about a file, but can be read
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # may exhaust the memory
        with Image.open(file) as header:
            if header.mode[0] in "IF":  # Pillow would clip them to white
                raise ValueError("more than 8 bits a channel: convert it first")
        image = keras.utils.load_img(file, "rgb")
        with contextlib.suppress(Exception):  # what a camera noted may be damaged
            ImageOps.exif_transpose(image, in_place=True)
        return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))


def _is_file(path: Path) -> bool:
    return path.is_file() or path.is_symlink()  # a broken link is reported, not passed over


def _seen(path: Path, top: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(top).parts)


def _reason(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":  # its text names an object in memory
        return "not an image"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _left_out(unreadable: list[tuple[Path, str]], readable: int) -> str:
    named = "; ".join(f"{file}: {reason}" for file, reason in unreadable[:NAMED])
    more = f"; and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
    total = readable + len(unreadable)
    return f"{len(unreadable)} of {total} files were left out ({named}{more})."
