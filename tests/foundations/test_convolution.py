"""Lesson 07's reference: equations, NumPy, finite differences and Keras agree."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.foundations import convolution
from course_lib.foundations.gradients import numerical_gradient

SHAPES = [  # images, kernels
    ((2, 6, 5, 3), (3, 2, 3, 4)),
    ((3, 4, 7, 1), (2, 3, 1, 2)),
    ((1, 3, 4, 2), (3, 4, 2, 1)),
    ((2, 3, 3, 2), (1, 1, 2, 3)),
]
PAIRS = pytest.mark.parametrize(("images", "kernels"), SHAPES)


def drawn(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape) for shape in shapes]


def by_equation(images: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Goodfellow et al., equation 9.6, one product at a time."""
    height, width, channels, filters = kernels.shape
    n, rows, columns, _ = images.shape
    out = np.zeros((n, rows - height + 1, columns - width + 1, filters))
    for m, i, j, f in np.ndindex(out.shape):
        out[m, i, j, f] = bias[f]
        for u, v, c in np.ndindex(height, width, channels):
            out[m, i, j, f] += images[m, i + u, j + v, c] * kernels[u, v, c, f]
    return out


# --- convolution ----------------------------------------------------------------------------------


@PAIRS
def test_convolution_is_its_equation_and_keras(keras64, images, kernels):
    images, kernels, bias = drawn(images, kernels, kernels[-1:])
    ours = convolution.conv2d(images, kernels, bias)
    np.testing.assert_allclose(ours, by_equation(images, kernels, bias), rtol=1e-12, atol=1e-12)
    layer = keras64.layers.Conv2D(kernels.shape[3], kernels.shape[:2])
    layer.build(images.shape)
    layer.set_weights([kernels, bias])
    theirs = keras64.ops.convert_to_numpy(layer(images))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@PAIRS
def test_its_gradients_are_slopes_and_those_of_keras(keras64, images, kernels):
    from course_lib.transfer.autodiff import gradient

    images, kernels, bias = drawn(images, kernels, kernels[-1:])
    [upstream] = drawn(convolution.conv2d(images, kernels, bias).shape)
    arguments = [images, kernels, bias]

    def ours(changed: np.ndarray, index: int) -> float:
        places = [changed if n == index else a for n, a in enumerate(arguments)]
        return float(np.sum(upstream * convolution.conv2d(*places)))

    def theirs(changed, index):
        x, k, b = (changed if n == index else a for n, a in enumerate(arguments))
        return keras64.ops.sum(upstream * (keras64.ops.conv(x, k, padding="valid") + b))

    for index, ours_by in enumerate(convolution.conv2d_gradients(images, kernels, upstream)):
        slope = numerical_gradient(lambda a, index=index: ours(a, index), arguments[index])
        np.testing.assert_allclose(ours_by, slope, rtol=1e-6, atol=1e-8)
        automatic = gradient(lambda a, index=index: theirs(a, index), arguments[index])
        np.testing.assert_allclose(ours_by, automatic, rtol=1e-9, atol=1e-9)


def test_both_gradients_are_convolutions_again():
    images, kernels = drawn((3, 6, 5, 2), (3, 2, 2, 4))
    [upstream] = drawn((3, 4, 4, 4))
    by_images, by_kernels, _ = convolution.conv2d_gradients(images, kernels, upstream)
    padded = np.pad(upstream, ((0, 0), (2, 2), (1, 1), (0, 0)))
    turned = kernels[::-1, ::-1].swapaxes(2, 3)
    np.testing.assert_allclose(by_images, convolution.conv2d(padded, turned, np.zeros(2)))
    as_images, as_kernels = images.transpose(3, 1, 2, 0), upstream.transpose(1, 2, 0, 3)
    again = convolution.conv2d(as_images, as_kernels, np.zeros(4)).transpose(1, 2, 0, 3)
    np.testing.assert_allclose(by_kernels, again)


def test_a_shifted_image_gives_a_shifted_map():
    images, kernels = drawn((1, 9, 9, 2), (3, 3, 2, 4))
    here = convolution.conv2d(images, kernels, np.ones(4))
    there = convolution.conv2d(np.roll(images, (2, 1), axis=(1, 2)), kernels, np.ones(4))
    np.testing.assert_allclose(here[:, :-2, :-1], there[:, 2:, 1:])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="kernels for 2 channels, images of 3"):
        convolution.conv2d(np.ones((1, 4, 4, 3)), np.ones((2, 2, 2, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="no window of 5 by 2 fits into"):
        convolution.conv2d(np.ones((1, 4, 4, 1)), np.ones((5, 2, 1, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="valid"):
        convolution.conv_output_size(5, 3, 1, "full")


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_sizes_are_those_of_keras(keras64, padding):
    for size, kernel, stride in itertools.product((6, 7, 10), (1, 2, 3, 4, 5), (1, 2, 3)):
        layer = keras64.layers.Conv1D(1, kernel, stride, padding=padding)
        theirs = layer.compute_output_shape((None, size, 1))[1]
        assert convolution.conv_output_size(size, kernel, stride, padding) == theirs


# --- pooling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pooling_and_its_gradient_are_those_of_keras(keras64, size):
    from course_lib.transfer.autodiff import gradient

    images, upstream = drawn((2, 2 * size, 3 * size, 4), (2, 2, 3, 4))
    theirs = keras64.ops.convert_to_numpy(keras64.layers.MaxPooling2D(size)(images))
    np.testing.assert_array_equal(convolution.max_pool2d(images, size), theirs)
    ours = convolution.max_pool2d_gradient(images, size, upstream)
    pooled = keras64.ops.max_pool
    automatic = gradient(lambda x: keras64.ops.sum(upstream * pooled(x, size)), images)
    np.testing.assert_allclose(ours, automatic, rtol=1e-12)
    slope = numerical_gradient(
        lambda x: float(np.sum(upstream * convolution.max_pool2d(x, size))), images
    )
    np.testing.assert_allclose(ours, slope, atol=1e-8)


def test_of_equals_the_first_gets_the_gradient_as_in_keras(keras64):
    if keras64.config.backend() != "tensorflow":
        pytest.skip("other backends break ties in other ways")
    from course_lib.transfer.autodiff import gradient

    images, upstream = np.zeros((1, 2, 4, 1)), np.array([[[[3.0], [5.0]]]])
    ours = convolution.max_pool2d_gradient(images, 2, upstream)
    assert ours[0, :, :, 0].tolist() == [[3, 0, 5, 0], [0, 0, 0, 0]]
    loss = lambda x: keras64.ops.sum(upstream * keras64.ops.max_pool(x, 2))  # noqa: E731
    np.testing.assert_array_equal(ours, gradient(loss, images))


def test_blocks_fill_the_image():
    with pytest.raises(ValueError, match="blocks of 2 do not fill images of 4 by 5"):
        convolution.max_pool2d(np.ones((1, 4, 5, 1)), 2)


# --- what a unit sees -----------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), max_size=4))
def test_the_receptive_field_is_what_a_unit_sees(layers):
    """Backwards through windows of ones, from a single unit: where does anything arrive?"""
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {place * stride + u for place in seen for u in range(kernel)}
    span = max(seen) - min(seen) + 1
    assert convolution.receptive_field(*zip(*layers, strict=True)) == span if layers else span == 1


def test_no_layers_see_one_place_and_lists_have_one_length():
    assert convolution.receptive_field([], []) == 1
    with pytest.raises(ValueError, match="argument 2"):
        convolution.receptive_field([3, 3], [1])


# --- depth ----------------------------------------------------------------------------------------


def test_residual_gradients_are_slopes_and_those_of_keras(keras64):
    from course_lib.transfer.autodiff import gradient

    x, weights, upstream = drawn((5, 4), (4, 4), (5, 4))

    def ours(x, weights):
        return float(np.sum(upstream * (x + np.maximum(x @ weights, 0))))

    def theirs(x, weights):
        hidden = keras64.ops.relu(keras64.ops.matmul(x, weights))
        return keras64.ops.sum(upstream * (x + hidden))

    by_x, by_weights = convolution.residual_gradients(x, weights, upstream)
    for ours_by, slope, automatic in [
        (by_x, numerical_gradient(lambda a: ours(a, weights), x), lambda a: theirs(a, weights)),
        (by_weights, numerical_gradient(lambda a: ours(x, a), weights), lambda a: theirs(x, a)),
    ]:
        np.testing.assert_allclose(ours_by, slope, rtol=1e-6, atol=1e-8)
        point = x if ours_by is by_x else weights
        np.testing.assert_allclose(ours_by, gradient(automatic, point), rtol=1e-12)


def test_the_plan_is_that_of_resnet50(keras64):
    """Layer by layer: kernel, stride, channels, and with them every parameter."""
    model = keras64.applications.ResNet50(weights=None)
    kinds = keras64.layers.Conv2D, keras64.layers.Dense
    theirs = {layer.name: layer for layer in model.layers if isinstance(layer, kinds)}
    plan = list(convolution.residual_network_plan())
    assert len(plan) == len(theirs) == 54
    for name, kernel, stride, inputs, outputs in plan:
        layer = theirs[name.replace("shortcut", "0") + ("" if name == "predictions" else "_conv")]
        shape = (inputs, outputs) if name == "predictions" else (kernel, kernel, inputs, outputs)
        assert layer.kernel.shape == shape
        assert getattr(layer, "strides", (stride,))[0] == stride


def test_arguments_stay_as_they_are():
    images, kernels, upstream = np.ones((2, 4, 4, 1)), np.ones((3, 3, 1, 2)), np.ones((2, 2, 2, 2))
    convolution.conv2d(images, kernels, np.ones(2))
    convolution.conv2d_gradients(images, kernels, upstream)
    convolution.max_pool2d_gradient(images, 2, upstream[..., :1])
    convolution.residual_gradients(kernels[0, :, 0], np.ones((2, 2)), kernels[0, :, 0])
    for argument in (images, kernels, upstream):
        np.testing.assert_array_equal(argument, 1)
