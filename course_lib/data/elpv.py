"""ELPV: 2,624 electroluminescence images of solar cells, each with a grade from experts.

Cells of 44 photographs of modules (one was photographed twice), cut out and levelled, 300x300
pixels in shades of gray, monocrystalline or polycrystalline. Experts gave each cell one of four
grades, written as probabilities of a defect: 0, 1/3, 2/3, 1.
The images come with the wheel `elpv-dataset` (CC BY-NC-SA 4.0) and are no part of this course.
Sources: Buerhop-Lutz et al., A Benchmark for Visual Identification of Defective Solar Cells in
Electroluminescence Imagery (2018); Deitsch et al., Automatic Classification of Defective
Photovoltaic Module Cells in Electroluminescence Images, Solar Energy 185 (2019).
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import numpy as np

from ..errors import CourseError
from .image_size import side_length

SHA256 = "78ce8c6eb2b8fb03e9d864c92380dde91c030f2a7ee99f72186a42e27ad20ad0"
"""Of labels.csv and the image files in its order, one after the other."""
PHOTOGRAPH_STARTS = (
    *range(0, 1254, 60),
    *range(1254, 1734, 60),
    1734,
    *range(1784, 2145, 60),
    *range(2216, 2456, 60),
    2444,
    2504,
    2564,
)
"""File, counted from 0, with which each photograph of a module begins.

Seen in the images, for the data set does not tell it: busbars, frames and brightness change there.
Most have 60 cells, 6 by 10; one each has 54 (from 1200), 50 (1734), 72 (2144) and 48 (2396).
"""
TWICE = 1734, 2276
"""The 50 cells from the first of these files on are the same as from the second one on: one module,
photographed twice, once sharp and once blurred."""


@dataclass(frozen=True)
class Split:
    """Indices of the images to learn from and of those to test on, both ascending."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Elpv:
    """The data set, in the order of its files; N is 2,624 unless it was cut.

    Attributes:
        images: (N, S, S, 1) uint8, shades of gray 0..255.
        probability: (N,) floats, 0, 1/3, 2/3 or 1: sound, sound but not surely, defective but not
            surely, defective. These are grades and no frequencies.
        cell_type: (N,) strings, "mono" or "poly".
        photograph: (N,) integers from 0, the photograph of a module that a cell was cut from; see
            `PHOTOGRAPH_STARTS`.
        module: (N,) integers, the module in that photograph. It is the number of its first
            photograph: one module was photographed twice, see `TWICE`.
    """

    images: np.ndarray
    probability: np.ndarray
    cell_type: np.ndarray
    photograph: np.ndarray
    module: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """(N,) integers: 1 for the two grades that say defective."""
        labels: np.ndarray = (self.probability > 0.5).astype(int)
        return labels

    def random_split(self, seed: int = 0, test_share: float = 0.25) -> Split:
        """Cells split at random, with equal shares of each probability and cell type.

        Cells of one module come to lie on both sides, so scores on the test part are too good
        for modules never seen; `module_split` avoids that.

        Args:
            seed: the same seed gives the same split.
            test_share: share of the cells that the test part gets, between 0 and 1.
        """
        from sklearn.model_selection import train_test_split

        strata = [
            f"{kind} {p:.2f}" for kind, p in zip(self.cell_type, self.probability, strict=True)
        ]
        train, test = train_test_split(
            np.arange(len(strata)), test_size=test_share, stratify=strata, random_state=seed
        )
        return Split(np.sort(train), np.sort(test))

    def module_split(self, seed: int = 0, test_share: float = 0.25) -> Split:
        """Whole modules split at random, with equal shares of each cell type.

        Args:
            seed: the same seed gives the same split.
            test_share: share of the modules that the test part gets, between 0 and 1.
        """
        random = np.random.default_rng(seed)
        tested: list[int] = []
        for kind in np.unique(self.cell_type):
            numbers = random.permutation(np.unique(self.module[self.cell_type == kind]))
            tested.extend(numbers[: round(test_share * len(numbers))])
        held_out = np.isin(self.module, tested)
        return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))


def load(image_size: int | tuple[int, int] = 128, every: int = 1) -> Elpv:
    """The data set, each image resized as soon as it is read.

    Args:
        image_size: pixels along each side, once or as a pair; 300 keeps the images as they are.
        every: 8 takes each eighth cell only, for a quick look.

    Raises:
        UsageError: there is no such size.
        CourseError: the wheel is missing or its files are not the published ones.
    """
    import keras

    image_size, folder = side_length(image_size), _folder()

    def cell(name: str) -> np.ndarray:
        size = images.shape[1:3]
        return np.asarray(keras.utils.load_img(folder / name, "grayscale", size, "bilinear"))

    try:
        table = (folder / "labels.csv").read_bytes()
        rows = [line.split() for line in table.decode("ascii").splitlines() if line.strip()]
        hashed = hashlib.sha256(table)
        for row in rows:  # read twice rather than kept: together they are 90 MB
            hashed.update((folder / row[0]).read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{_damaged(folder)} ({error}).") from error
    if hashed.hexdigest() != SHA256:
        raise CourseError(f"{_damaged(folder)}.")
    names = [row[0] for row in rows[::every]]
    images = np.empty((len(names), image_size, image_size, 1), np.uint8)
    with ThreadPoolExecutor() as pool:  # Pillow decodes without holding the interpreter's lock
        for number, image in enumerate(pool.map(cell, names)):
            images[number, :, :, 0] = image
    cell_type = np.array([row[2] for row in rows])
    probability = np.round(3 * np.array([float(row[1]) for row in rows])) / 3
    photograph = photographs(np.arange(len(rows)))
    first, second = photographs(np.array(TWICE))
    module = np.where(photograph == second, first, photograph)
    parts = (part[::every] for part in (probability, cell_type, photograph, module))
    return Elpv(images, *parts)


def photographs(files: np.ndarray) -> np.ndarray:
    """The photograph from which each cell was cut.

    There are 18 of monocrystalline and 26 of polycrystalline modules, the numbers that Deitsch et
    al. (2019), section 4.1, report.

    Args:
        files: (N,) integers, places in the order of the files, from 0.

    Returns:
        (N,) integers from 0 to 43.
    """
    return np.searchsorted(PHOTOGRAPH_STARTS, files, side="right") - 1


def _folder() -> Path:
    """Where the wheel put its files; the wheel's own code is not run."""
    spec = util.find_spec("elpv_dataset")
    if spec is None or not spec.submodule_search_locations:
        raise CourseError(
            "The images of solar cells are missing: pip install elpv-dataset (91 MB), "
            "then restart the kernel."
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _damaged(folder: Path) -> str:
    return (
        f"The images of solar cells in {folder} are not the published ones: "
        "pip install --force-reinstall elpv-dataset"
    )
