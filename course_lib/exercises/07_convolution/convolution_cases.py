"""Cases of lesson 07: all lengths differ, kernels are not symmetric, no two numbers are equal."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import ORDINARY, Case
from course_lib.foundations.convolution import conv_output_size

BY_HAND = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])[None, :, :, None]
"""One image of 3 by 3 places with one channel."""

KERNEL_BY_HAND = np.array([[1.0, 2], [3, 4]])[:, :, None, None]


def sizes(rng: np.random.Generator) -> list[Case]:
    fixed = [
        Case((5, 3, 1, "valid")),
        Case((5, 3, 1, "same")),
        Case((8, 3, 2, "valid")),
        Case((7, 3, 2, "same")),
        Case((5, 2, 2, "valid")),
        Case((5, 2, 2, "same")),
        Case((10, 4, 3, "valid")),
        Case((10, 4, 5, "same")),
        Case((9, 4, 1, "same")),
        Case((224, 7, 2, "same")),
        Case((227, 11, 4, "valid")),
        Case((3, 3, 2, "valid"), "a kernel as large as the image"),
        Case((6, 1, 1, "valid"), "a kernel of one place"),
        Case((6, 1, 2, "same"), "a kernel of one place with a stride of 2"),
    ]
    drawn = [
        Case((int(size), int(kernel), int(stride), padding))
        for size, kernel, stride in zip(
            rng.integers(20, 90, 6), rng.integers(2, 8, 6), rng.integers(2, 5, 6), strict=True
        )
        for padding in ("valid", "same")
    ]
    return fixed + drawn


def windows(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int,
        height: int,
        width: int,
        kernel: tuple[int, int],
        channels: int,
        filters: int,
        kind: str = ORDINARY,
    ) -> Case:
        images = rng.normal(size=(n, height, width, channels))
        kernels = rng.normal(size=(*kernel, channels, filters))
        return Case((images, kernels, rng.uniform(1, 2, filters)), kind)

    return [
        Case((BY_HAND, KERNEL_BY_HAND, np.array([10.0]))),
        case(2, 6, 5, (3, 2), 4, 3),
        case(3, 5, 7, (2, 3), 2, 5),
        case(4, 6, 6, (3, 3), 3, 2),
        case(1, 5, 6, (2, 2), 3, 4, "a single image"),
        case(2, 5, 4, (3, 2), 1, 3, "images of one channel"),
        case(2, 4, 5, (2, 3), 3, 1, "a single filter"),
        case(2, 3, 4, (1, 1), 3, 2, "a kernel of one place"),
        case(2, 3, 4, (3, 4), 2, 3, "a kernel as large as the image"),
        case(60, 3, 4, (2, 3), 2, 3, "many images"),
        case(1, 14, 13, (12, 11), 2, 3, "a large kernel"),
        case(1, 60, 3, (2, 2), 1, 2, "tall images"),
        case(1, 2, 60, (2, 2), 1, 2, "wide images"),
        case(1, 3, 3, (2, 2), 24, 22, "many channels and filters"),
    ]


def windows_backwards(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int,
        height: int,
        width: int,
        kernel: tuple[int, int],
        channels: int,
        filters: int,
        kind: str = ORDINARY,
        *,
        larger_images: float = 1.0,
        larger_kernels: float = 1.0,
    ) -> Case:
        images = larger_images * rng.normal(size=(n, height, width, channels))
        kernels = larger_kernels * rng.normal(size=(*kernel, channels, filters))
        rows, columns = (
            conv_output_size(size, window, 1, "valid")
            for size, window in zip((height, width), kernel, strict=True)
        )
        return Case((images, kernels, rng.normal(size=(n, rows, columns, filters))), kind)

    by_hand = np.array([[1.0, 0], [2, 5]])[None, :, :, None]
    return [
        Case((BY_HAND, KERNEL_BY_HAND, by_hand)),
        case(2, 6, 5, (3, 2), 4, 3),
        case(3, 5, 7, (2, 3), 2, 5),
        case(4, 6, 6, (3, 3), 3, 2),
        case(1, 5, 6, (2, 2), 3, 4, "a single image"),
        case(2, 5, 4, (3, 2), 1, 3, "images of one channel"),
        case(2, 3, 4, (1, 1), 3, 2, "a kernel of one place"),
        case(2, 3, 4, (3, 4), 2, 3, "a kernel as large as the image"),
        # Finite differences drown in rounding: by the kernels, by the images.
        case(2, 5, 4, (2, 3), 2, 3, "large images", larger_images=1e8),
        case(2, 5, 4, (2, 3), 2, 3, "large kernels", larger_kernels=1e8),
        # Not larger, so that finite differences are told soon.
        case(25, 2, 3, (2, 2), 1, 2, "many images"),
        case(1, 13, 3, (12, 2), 1, 2, "a tall kernel"),
        case(1, 3, 13, (2, 12), 1, 2, "a wide kernel"),
        case(1, 60, 3, (2, 2), 1, 2, "tall images"),
        case(1, 2, 60, (2, 2), 1, 2, "wide images"),
        case(1, 3, 3, (2, 2), 24, 22, "many channels and filters"),
    ]


def blocks(rng: np.random.Generator) -> list[Case]:
    return [Case((images, size), kind) for images, size, kind in _blocks(rng)]


def blocks_backwards(rng: np.random.Generator) -> list[Case]:
    def upstream(images: np.ndarray, size: int) -> np.ndarray:
        n, height, width, channels = images.shape
        return rng.normal(size=(n, height // size, width // size, channels))

    return [
        Case((images, size, upstream(images, size)), kind) for images, size, kind in _blocks(rng)
    ]


def _blocks(rng: np.random.Generator) -> list[tuple[np.ndarray, int, str]]:
    """Images without ties and sizes; some numbers are negative, and some blocks all through."""

    def case(
        n: int, height: int, width: int, channels: int, size: int, kind: str = ORDINARY
    ) -> tuple[np.ndarray, int, str]:
        places = n * height * width * channels
        shape = n, height, width, channels
        order = rng.permutation(places).reshape(shape) - places // 2
        images: np.ndarray = order + rng.uniform(0.1, 0.4, shape)
        images[0, :size, :size, 0] = -np.abs(images[0, :size, :size, 0])
        if size > 1:  # almost a tie
            images[-1, 0, :2, -1] = places + np.array([0.001, 0.0])
        return images, size, kind

    by_hand = np.array([[1.0, 5, 0, 2], [7, 3, 4, -1], [-3, -8, 6, 9], [-6, -2, 12, 8]])
    return [
        (by_hand[None, :, :, None], 2, ORDINARY),
        case(2, 4, 6, 3, 2),
        case(3, 6, 4, 2, 2),
        case(2, 6, 9, 4, 3),
        case(1, 8, 4, 3, 4, "a single image"),
        case(2, 4, 6, 1, 2, "images of one channel"),
        case(2, 3, 3, 4, 3, "a block as large as the image"),
        case(2, 3, 4, 2, 1, "blocks of one place"),
        case(60, 2, 4, 3, 2, "many images"),
        case(1, 24, 12, 3, 12, "large blocks"),
        case(1, 60, 40, 1, 2, "large images"),
        case(1, 2, 4, 60, 2, "many channels"),
    ]


def chains(rng: np.random.Generator) -> list[Case]:
    drawn = []
    for length in (3, 4, 5, 6):
        kernels, strides = rng.integers(2, 8, length), rng.integers(1, 4, length)
        strides[[0, -1]] = 2, 3
        drawn.append(Case((kernels.tolist(), strides.tolist())))
    return [
        Case(([3, 3], [1, 1])),
        Case(([3, 2, 3], [1, 2, 1])),
        Case(([5, 3, 2], [2, 1, 3])),
        Case(([7, 3, 1, 3], [2, 2, 1, 2])),
        Case(([3, 2, 4], [3, 2, 1])),
        *drawn,
        Case(([3], [2]), "a single layer"),
        Case(([1, 1], [2, 2]), "windows of one place"),
        Case(([], []), "no layers at all"),
        Case(([3, 2] * 60, [1] * 120), "many layers"),
    ]


def residual_layers(rng: np.random.Generator) -> list[Case]:
    def case(
        n: int, d: int, kind: str = ORDINARY, *, larger_x: float = 1.0, larger_weights: float = 1.0
    ) -> Case:
        x, weights = larger_x * rng.normal(size=(n, d)), larger_weights * rng.normal(size=(d, d))
        # Some of each, whatever was drawn: on in the first column, off in the second.
        signs = np.sign(x[0] @ weights[:, :2]) * np.array([1, -1])
        weights[:, :2] *= np.where(signs == 0, 1, signs)
        return Case((x, weights, rng.normal(size=(n, d))), kind)

    by_hand = (
        np.array([[2.0, -1.0]]),
        np.array([[1.0, 0.0], [-2.0, 3.0]]),
        np.array([[5.0, 7.0]]),
    )
    return [
        Case(by_hand),
        case(5, 3),
        case(3, 6),
        case(4, 4),
        Case((np.array([[1.0, 2.0]]), np.diag([1e-6, -1e-6]), np.array([[3.0, 5.0]])), "tiny sums"),
        case(1, 5, "a batch of one"),
        # Finite differences drown in rounding: by the weights, by the input.
        case(3, 4, "large inputs", larger_x=1e8),
        case(3, 4, "large weights", larger_weights=1e8),
        case(120, 3, "many rows"),
        case(2, 60, "many features"),
    ]
