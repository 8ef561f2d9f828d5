"""ELPV: 2,624 electroluminescence images of solar cells, each with its probability of a defect.

Cells of 44 modules, cut out and levelled, 300x300 pixels in shades of grey, monocrystalline or
polycrystalline. Experts gave each cell one of four probabilities of a defect: 0, 1/3, 2/3, 1.
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
from itertools import groupby
from pathlib import Path

import numpy as np

from ..errors import CourseError
from .image_size import side_length

SHA256 = "78ce8c6eb2b8fb03e9d864c92380dde91c030f2a7ee99f72186a42e27ad20ad0"
"""Of labels.csv and the image files in its order, one after the other."""
MODULE_CELLS = 60
"""Cells of a usual module, 6 by 10."""


@dataclass(frozen=True)
class Split:
    """Indices of the images to learn from and of those to test on, both ascending."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Elpv:
    """The data set, in the order of its files; N is 2,624 unless it was cut.

    Attributes:
        images: (N, S, S, 1) uint8, shades of grey 0..255.
        probability: (N,) floats, probability of a defect: 0, 1/3, 2/3 or 1.
        cell_type: (N,) strings, "mono" or "poly".
        module: (N,) integers, the module that a cell was probably cut from; see `modules`.
    """

    images: np.ndarray
    probability: np.ndarray
    cell_type: np.ndarray
    module: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """(N,) integers: 1 where a defect is more probable than not."""
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
    return Elpv(images, probability[::every], cell_type[::every], modules(cell_type)[::every])


def modules(cell_type: np.ndarray) -> np.ndarray:
    """The module of each cell, inferred: the data set does not tell it.

    Files follow each other module by module. Each run of one cell type is cut every 60 cells;
    what remains is a module of its own from 30 cells on, and belongs to the one before otherwise
    (there are modules of 72 cells). The result has 18 monocrystalline and 26 polycrystalline
    modules, the numbers that Deitsch et al. (2019), section 4.1, report.

    Args:
        cell_type: (N,) in the order of the files.

    Returns:
        (N,) integers from 0.
    """
    numbers: list[int] = []
    for _, run in groupby(cell_type):
        cells = len(list(run))
        last = max(1, (cells + MODULE_CELLS // 2) // MODULE_CELLS) - 1
        first = numbers[-1] + 1 if numbers else 0
        numbers.extend(first + min(cell // MODULE_CELLS, last) for cell in range(cells))
    return np.array(numbers)


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
