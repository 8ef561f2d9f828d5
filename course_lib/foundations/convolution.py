"""Convolution, pooling, what a unit sees, and the residual sum, as lesson 07 derives them.

N images of H by W places with C channels, kernels of h by w places, F filters; images are
(N, H, W, C) and kernels (h, w, C, F), as in Keras. What networks call convolution does not turn
the kernel round: it is cross-correlation. Gradients are those of sum(upstream · output): a mean
over the batch has put its 1/N into ``upstream`` already.
Sources: Goodfellow, Bengio & Courville, Deep Learning (2016), chapter 9; Dumoulin & Visin, A guide
to convolution arithmetic for deep learning (2016); He, Zhang, Ren & Sun, Deep residual learning
(2016); Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks (2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def conv_output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """Places along one side of a convolution's output, as Keras counts them.

    Args:
        size: places along that side of the input, at least ``kernel`` if nothing is padded.
        kernel: places along that side of the kernel.
        stride: from one window to the next, at least 1.
        padding: "valid" (windows lie inside the image: Dumoulin & Visin 2016, relationship 5) or
            "same" (as many zeros around it as ceil(size / stride) windows need).

    Raises:
        ValueError: the padding is neither, or no window fits.
    """
    if padding == "same":
        return -(-size // stride)
    if padding != "valid":
        raise ValueError(f'padding is "valid" or "same", not {padding!r}')
    if kernel > size:
        raise ValueError(f"no window of {kernel} fits into {size}")
    return (size - kernel) // stride + 1


def conv2d(images: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A layer of F filters over all windows that lie inside the images, one place apart.

    y[n, i, j, f] = Σ x[n, i + u, j + v, c] k[u, v, c, f] + b[f], the sum over u, v and c
    (Goodfellow et al. 2016, eq. 9.6).

    Args:
        images: (N, H, W, C).
        kernels: (h, w, C, F).
        bias: (F,).

    Returns:
        (N, H - h + 1, W - w + 1, F).

    Raises:
        ValueError: the numbers of channels differ, or no window fits.
    """
    images, kernels = np.asarray(images, float), np.asarray(kernels, float)
    if images.shape[-1] != kernels.shape[2]:
        raise ValueError(f"kernels for {kernels.shape[2]} channels, images of {images.shape[-1]}")
    rows, columns = (images.shape[axis] - kernels.shape[axis - 1] + 1 for axis in (1, 2))
    if min(rows, columns) < 1:
        height, width = kernels.shape[:2]
        raise ValueError(f"no window of {height} by {width} fits into {images.shape[1:3]}")
    total: np.ndarray = np.zeros((len(images), rows, columns, kernels.shape[3])) + bias
    for u, v in np.ndindex(kernels.shape[:2]):
        total += images[:, u : u + rows, v : v + columns] @ kernels[u, v]
    return total


def conv2d_gradients(
    images: np.ndarray, kernels: np.ndarray, upstream: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backpropagation through `conv2d`: what each place gave, it gets back.

    By the kernels it is a convolution of the images with ``upstream`` as the kernel; by the images
    one of the padded ``upstream`` with the kernels turned round (Goodfellow et al. 2016,
    eq. 9.11 and 9.13).

    Args:
        images: (N, H, W, C).
        kernels: (h, w, C, F).
        upstream: (N, H - h + 1, W - w + 1, F), gradient of the loss at the output.

    Returns:
        Gradients by images, kernels and bias, of the shapes of these.
    """
    images, kernels = np.asarray(images, float), np.asarray(kernels, float)
    rows, columns = upstream.shape[1:3]
    grad_images, grad_kernels = np.zeros_like(images), np.zeros_like(kernels)
    everywhere = ((0, 1, 2), (0, 1, 2))
    for u, v in np.ndindex(kernels.shape[:2]):
        window = np.s_[:, u : u + rows, v : v + columns]
        grad_images[window] += upstream @ kernels[u, v].T
        grad_kernels[u, v] = np.tensordot(images[window], upstream, everywhere)
    return grad_images, grad_kernels, upstream.sum(axis=(0, 1, 2))


def max_pool2d(images: np.ndarray, size: int) -> np.ndarray:
    """The largest of each block of size by size places, each channel by itself.

    Args:
        images: (N, H, W, C), H and W multiples of ``size``.
        size: places along each side of a block.

    Returns:
        (N, H / size, W / size, C) (Goodfellow et al. 2016, section 9.3).

    Raises:
        ValueError: the blocks do not fill the images.
    """
    largest: np.ndarray = _blocks(np.asarray(images), size).max(axis=3)
    return largest


def max_pool2d_gradient(images: np.ndarray, size: int, upstream: np.ndarray) -> np.ndarray:
    """Backpropagation through `max_pool2d`: only the largest of a block moves the output.

    Where several are equally large, the first of them gets it all, as in TensorFlow.

    Args:
        images: (N, H, W, C), H and W multiples of ``size``.
        size: places along each side of a block.
        upstream: (N, H / size, W / size, C).

    Returns:
        Shape of ``images``.

    Raises:
        ValueError: the blocks do not fill the images.
    """
    images = np.asarray(images)
    blocks = _blocks(images, size)
    gradient = np.zeros(blocks.shape)
    winners = blocks.argmax(axis=3)[:, :, :, None]
    np.put_along_axis(gradient, winners, np.asarray(upstream)[:, :, :, None], axis=3)
    n, rows, columns, _, channels = blocks.shape
    places = gradient.reshape(n, rows, columns, size, size, channels)
    return places.transpose(0, 1, 3, 2, 4, 5).reshape(images.shape)


def receptive_field(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """How many places of the image, along one side, one unit behind these layers sees.

    Each layer adds kernel - 1 steps, and a step is as long as the strides before it make it
    (Araujo et al. 2019, eq. 2).

    Args:
        kernels: places along that side of each layer's window, from the image on.
        strides: of the same layers.

    Returns:
        1 for no layers at all.
    """
    seen, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        seen += (kernel - 1) * step
        step *= stride
    return seen


def residual_gradients(
    x: np.ndarray, weights: np.ndarray, upstream: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Backpropagation through x + relu(x @ weights) (He et al. 2016, eq. 1).

    Args:
        x: (N, D).
        weights: (D, D).
        upstream: (N, D), gradient of the loss at the sum.

    Returns:
        Gradients by x (N, D) and by the weights (D, D).
    """
    at_sums = upstream * (x @ weights > 0)
    return upstream + at_sums @ weights.T, x.T @ at_sums


def residual_network_plan(
    blocks: Sequence[int] = (3, 4, 6, 3), filters: int = 64, classes: int = 1000
) -> Iterator[tuple[str, int, int, int, int]]:
    """Every convolution of a bottleneck ResNet as Keras builds it, and its dense layer.

    Args:
        blocks: in each stage; (3, 4, 6, 3) is ResNet50 (He et al. 2016, table 1).
        filters: of the narrow layers of the first stage; every stage doubles them.
        classes: of the dense layer.

    Yields:
        (name, kernel, stride, inputs, outputs); the stride of a stage is that of its first 1x1
        convolution and of its shortcut.
    """
    yield "conv1", 7, 2, 3, filters
    inputs = filters
    for stage, count in enumerate(blocks):
        narrow, wide = filters * 2**stage, 4 * filters * 2**stage
        for block in range(count):
            stride = 2 if block == 0 and stage > 0 else 1
            name = f"conv{stage + 2}_block{block + 1}"
            if block == 0:
                yield f"{name}_shortcut", 1, stride, inputs, wide
            yield f"{name}_1", 1, stride, inputs, narrow
            yield f"{name}_2", 3, 1, narrow, narrow
            yield f"{name}_3", 1, 1, narrow, wide
            inputs = wide
    yield "predictions", 1, 1, inputs, classes


def _blocks(images: np.ndarray, size: int) -> np.ndarray:
    """(N, H, W, C) as (N, H / size, W / size, size², C)."""
    n, height, width, channels = images.shape
    if height % size or width % size:
        raise ValueError(f"blocks of {size} do not fill images of {height} by {width}")
    split = images.reshape(n, height // size, size, width // size, size, channels)
    rows = split.transpose(0, 1, 3, 2, 4, 5)
    return rows.reshape(n, height // size, width // size, size * size, channels)
