"""Lesson 10's reference: equations, NumPy and Keras agree."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.foundations import heads_and_augmentation as heads


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(10).normal(size=shape)


@pytest.mark.parametrize("pooling", ["flatten", "average"])
@pytest.mark.parametrize("hidden", [0, 5])
def test_parameters_are_those_that_keras_counts(keras64, pooling, hidden):
    layers = keras64.layers
    first = layers.Flatten() if pooling == "flatten" else layers.GlobalAveragePooling2D()
    dense = [layers.Dense(units) for units in (hidden, 3) if units]
    model = keras64.Sequential([keras64.Input((2, 4, 6)), first, *dense])
    assert heads.head_parameters(2, 4, 6, hidden, 3, pooling) == model.count_params()


def test_the_head_of_the_articles():
    assert heads.head_parameters(7, 7, 512, 1024, 2, "flatten") == 25_088 * 1024 + 1024 + 2050


def test_a_flip_is_that_of_keras_and_leaves_its_images_alone(keras64):
    images, flags = drawn(3, 4, 5, 2), np.array([True, False, True])
    before = images.copy()
    flipped = heads.flip_horizontal(images, flags)
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(flipped[flags], keras64.ops.flip(images[flags], axis=2))
    np.testing.assert_array_equal(flipped[~flags], images[~flags])
    np.testing.assert_array_equal(heads.flip_horizontal(flipped, flags), images)


def test_crops_are_those_of_keras(keras64):
    images, top, left = drawn(3, 6, 7, 2), np.array([0, 2, 3]), np.array([4, 1, 0])
    crops = heads.random_crop(images, 3, top, left)
    for crop, image, row, column in zip(crops, images, top, left, strict=True):
        theirs = keras64.ops.image.crop_images(
            image, top_cropping=int(row), left_cropping=int(column), target_height=3, target_width=3
        )
        np.testing.assert_array_equal(crop, theirs)


@pytest.mark.parametrize("size", [(5, 9), (2, 3), (4, 6), (12, 1), (1, 12)])
def test_resizing_is_its_equation_and_keras(keras64, size):
    images = drawn(2, 4, 6, 3)
    ours = heads.bilinear_resize(images, *size)
    theirs = keras64.ops.image.resize(images, size, interpolation="bilinear", antialias=False)
    np.testing.assert_allclose(ours, keras64.ops.convert_to_numpy(theirs), rtol=1e-5, atol=1e-5)
    assert ours.min() >= images.min()
    assert ours.max() <= images.max()


def test_a_resized_ramp_is_a_ramp():
    """Between the outermost centers a straight line is read without error."""
    ramp = np.broadcast_to(np.arange(8.0)[None, :, None, None], (1, 8, 3, 1))
    for size in (4, 16, 13):
        place = (np.arange(size) + 0.5) * 8 / size - 0.5
        resized = heads.bilinear_resize(ramp, size, 3)
        np.testing.assert_allclose(resized[0, :, 0, 0], np.clip(place, 0, 7), atol=1e-12)


@pytest.mark.parametrize("degrees", [20.0, -35.0, 0.5, 80.0])
@pytest.mark.parametrize("height", [1, 64, 101])
def test_a_column_from_the_center_to_the_moved_edge_leans_by_the_angle(degrees, height):
    moved = heads.shear_displacement(height, degrees)
    assert np.isclose(np.degrees(np.arctan2(moved, height / 2)), degrees)


def test_mixup_and_smoothing_keep_distributions(keras64):
    images, onehot, order = drawn(3, 2, 2, 1), np.eye(3), np.array([1, 2, 0])
    blended, labels = heads.mixup(images, onehot, 0.7, order)
    np.testing.assert_allclose(labels.sum(axis=1), 1)
    np.testing.assert_allclose(blended.mean(), images.mean())
    np.testing.assert_allclose(labels[0], [0.7, 0.3, 0])
    probabilities = np.full((3, 3), [0.2, 0.3, 0.5])
    by_keras = keras64.losses.categorical_crossentropy(onehot, probabilities, label_smoothing=0.3)
    ours = -(heads.smooth_labels(onehot, 0.3) * np.log(probabilities)).sum(axis=1)
    np.testing.assert_allclose(ours, keras64.ops.convert_to_numpy(by_keras), rtol=1e-6)
