"""What a published network expects of the numbers in an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...foundations import feature_extraction
from ..convention import Convention

PIXEL = np.array([[[[200.0, 100.0, 50.0]]]])
"""One red, green and blue, as a batch of one image of one place."""


def _keras_resnet50_input(keras: Any) -> np.ndarray:
    # On a copy, because Keras overwrites arrays of floats.
    prepared: np.ndarray = keras.applications.resnet50.preprocess_input(PIXEL.copy())
    return prepared.ravel()


def _torch_resnet50_input(torch: Any) -> np.ndarray:
    from torchvision import models

    # One color everywhere, so that resizing and cropping change nothing.
    image = torch.tensor(PIXEL[0, 0, 0] / 255)[:, None, None].expand(3, 8, 8)
    prepared = models.ResNet50_Weights.DEFAULT.transforms()(image)
    means: np.ndarray = prepared.numpy().mean(axis=(1, 2))
    return means


ROWS = (
    Convention(
        id="resnet50-input",
        question="ResNet50 with its published weights: images are ...",
        forms={
            "BGR 0..255, minus the mean": feature_extraction.resnet50_preprocess(PIXEL).ravel(),
            "RGB 0..1, minus the mean, over the deviation": (
                (PIXEL / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
            ).ravel(),
            "RGB −1..1": (PIXEL / 127.5 - 1).ravel(),
        },
        paper="BGR 0..255, minus the mean",
        keras="BGR 0..255, minus the mean",
        pytorch="RGB 0..1, minus the mean, over the deviation",
        source="He et al. 2016, section 3.4 (a mean for every place), weights in Caffe's BGR",
        ask_keras=_keras_resnet50_input,
        ask_pytorch=_torch_resnet50_input,
    ),
)
