"""A learner's own images: one folder for each class, as cameras and colleagues deliver them."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import CourseError
from ..progress_bar import track
from .image_size import side_length

NAMED = 5
"""Unreadable files that the warning names; `ImageFolder.unreadable` has them all."""
NO_IMAGE = "not an image"
_PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
_OF_THE_SYSTEM = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini"})
_CONVERTED_FIRST = frozenset(
    {".heic", ".heif", ".avif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".svg", ".pdf"}
)


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

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    class_names: tuple[str, ...]
    files: tuple[Path, ...] = field(repr=False)
    unreadable: tuple[tuple[Path, str], ...]


def load(
    path: Path | str,
    image_size: int | tuple[int, int] = 224,
    *,
    pad_to_aspect_ratio: bool = False,
) -> ImageFolder:
    """The images below `path`, whose folders are the classes.

    Each image is read as `photograph` does. Hidden files and folders (a dot begins their names) and
    those that Windows, macOS and network drives add are ignored. Files that are no images of 8
    bits a channel are left out, with a warning.

    Args:
        path: folder of one folder a class; images may lie in folders of these folders.
        image_size: pixels along each side, once or as a pair.
        pad_to_aspect_ratio: see `photograph`.

    Raises:
        UsageError: there is no such size.
        CourseError: there is no such folder, it has no folders, or a class has no image.
    """
    top, size = _path(path), side_length(image_size)
    if not top.is_dir():
        raise CourseError(f"There is no folder {top}: give the one that holds a folder a class.")
    classes = sorted(folder for folder in top.iterdir() if folder.is_dir() and _seen(folder, top))
    if not classes:
        raise CourseError(
            f"{top} has no folders: put the images of each class into one of its own."
        )
    _warn_of_no_classes(classes)
    given = [(file, label) for label, folder in enumerate(classes) for file in _files(folder, top)]
    images = np.empty((len(given), size, size, 3), np.uint8)
    labels: list[int] = []
    files: list[Path] = []
    unreadable: list[tuple[Path, str]] = []

    def read(file: Path) -> np.ndarray | str:
        try:
            return _read(file, size, pad_to_aspect_ratio)
        except Exception as error:  # decoders of damaged files raise nearly anything
            return _reason(file, error)

    with (
        _odd_files(),
        ThreadPoolExecutor() as pool,
    ):  # Pillow decodes without the interpreter's lock
        made = pool.map(read, [file for file, _ in given])
        for file, label in track(given, f"Images of {top.name}", "files"):
            image = next(made)
            if isinstance(image, str):
                unreadable.append((file, image))
                continue
            images[len(files)] = image
            labels.append(label)
            files.append(file)
    for label, folder in enumerate(classes):
        if label not in labels:
            first = next(
                (f" ({f.name}: {why})" for f, why in unreadable if folder in f.parents), ""
            )
            raise CourseError(
                f"No file in {folder} can be read as an image{first}: "
                "put images there or move the folder away."
            )
    if unreadable:
        warnings.warn(_left_out(unreadable, len(files)), stacklevel=2)
    names = tuple(folder.name for folder in classes)
    return ImageFolder(
        images[: len(files)], np.array(labels), names, tuple(files), tuple(unreadable)
    )


def photograph(
    file: Path | str,
    image_size: int | tuple[int, int] = 224,
    *,
    pad_to_aspect_ratio: bool = False,
) -> np.ndarray:
    """One image as `load` reads it, (S, S, 3) uint8, RGB 0..255.

    It is turned upright as its camera says, laid on white where it is transparent, cut to a square
    around its center, then resized, a small one enlarged. Of a moving picture it is the first one.

    Args:
        file: the image.
        image_size: pixels along each side, once or as a pair.
        pad_to_aspect_ratio: do not cut off what lies beside the square: fill up with black.

    Raises:
        UsageError: there is no such size.
        CourseError: the file cannot be read as an image; the sentence says why.
    """
    path, size = _path(file), side_length(image_size)
    try:
        with _odd_files():
            return _read(path, size, pad_to_aspect_ratio)
    except Exception as error:
        raise CourseError(f"{path} cannot be read as an image: {_reason(path, error)}.") from error


def _read(file: Path, size: int, pad: bool) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(file) as image:
        if image.mode[0] in "IF":  # Pillow would clip them to white
            raise ValueError("more than 8 bits a channel: convert it first")
        image.load()
        with contextlib.suppress(Exception):  # what a camera noted may be damaged
            ImageOps.exif_transpose(image, in_place=True)
        shown: Image.Image = image
        if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
            above = image.convert("RGBA")
            shown = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
        fitted = (ImageOps.pad if pad else ImageOps.fit)(
            shown.convert("RGB"), (size, size), Image.Resampling.BILINEAR
        )
        return np.asarray(fitted)


@contextlib.contextmanager
def _odd_files() -> Iterator[None]:
    """No word of what is odd about a file but can be read; what may exhaust the memory cannot."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _warn_of_no_classes(classes: list[Path]) -> None:
    """Tell of folders that somebody hardly means as classes."""
    parts = [folder for folder in classes if folder.name.lower() in _PARTS]
    if parts == classes or len(parts) > 1:
        named = " and ".join(f"“{folder.name}”" for folder in parts)
        warnings.warn(
            f"The folders {named} look like parts of a data set, not like classes: to load one of "
            f"them, name it, as {parts[0]}.",
            stacklevel=3,
        )
    elif len(classes) == 1 and any(folder.is_dir() for folder in classes[0].iterdir()):
        warnings.warn(
            f"There is one class only, “{classes[0].name}”: if its folders are the classes, load "
            f"{classes[0]}.",
            stacklevel=3,
        )


def _path(path: Path | str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path's own raises without a home


def _files(folder: Path, top: Path) -> list[Path]:
    """In alphabetical order; a broken link is reported, not passed over."""
    found = (f for f in folder.rglob("*") if f.is_file() or f.is_symlink())
    return sorted(file for file in found if _seen(file, top))


def _seen(path: Path, top: Path) -> bool:
    parts = path.relative_to(top).parts
    return not any(part.startswith(".") or part.lower() in _OF_THE_SYSTEM for part in parts)


def _reason(file: Path, error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":  # its text names an object in memory
        if file.suffix.lower() in _CONVERTED_FIRST:
            return f"{file.suffix[1:].upper()} is not read here: convert it to JPEG or PNG"
        return NO_IMAGE
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _left_out(unreadable: list[tuple[Path, str]], readable: int) -> str:
    """What could have been an image comes first."""
    first = sorted(unreadable, key=lambda pair: pair[1] == NO_IMAGE)
    named = "; ".join(f"{file}: {reason}" for file, reason in first[:NAMED])
    more = f"; and {len(first) - NAMED} more" if len(first) > NAMED else ""
    return f"{len(first)} of {readable + len(first)} files were left out ({named}{more})."
