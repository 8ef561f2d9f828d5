"""A transformer that reads text, as BERT does: pieces of words, attention, and what is averaged.

T tokens of one text, D numbers for each, V pieces in the vocabulary. Sources: Vaswani et al.,
Attention Is All You Need (2017), section 3; Devlin et al., BERT (2019), section 3; Hendrycks &
Gimpel, Gaussian Error Linear Units (2016); Ba, Kiros & Hinton, Layer Normalization (2016);
Reimers & Gurevych, Sentence-BERT (2019), section 3.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from .losses import softmax

EPSILON = 1e-12
"""What BERT's layer normalization adds to a variance."""

Pair = tuple[np.ndarray, np.ndarray]
"""Of a dense layer kernel and bias, of a normalization gamma and beta."""


def wordpiece(word: str, vocabulary: Container[str]) -> list[str]:
    """The pieces of a word, from the left, each the longest that the vocabulary has.

    Args:
        word: without spaces, not empty.
        vocabulary: pieces; those that do not begin a word begin with ``##``.

    Returns:
        The pieces; ``["[UNK]"]`` if they do not make up the whole word.
    """
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def attention_weights(queries: np.ndarray, keys: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How much each token looks at each other one.

    Args:
        queries, keys: (T, D).
        mask: (T,) 1 for a real token, 0 for padding; at least one is real.

    Returns:
        (T, T), of which each row sums to 1; 0 in the columns of padding.
    """
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    return np.asarray(softmax(np.where(np.asarray(mask) > 0, scores, -np.inf)))


def attention(
    queries: np.ndarray, keys: np.ndarray, values: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """One head of scaled dot-product attention.

    Args:
        queries, keys, values: (T, D).
        mask: (T,) 1 for a real token, 0 for padding; at least one is real. It hides keys: each
            query, of padding too, gets its row.

    Returns:
        (T, D).
    """
    return np.asarray(attention_weights(queries, keys, mask) @ values)


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> np.ndarray:
    """Each row with mean 0 and variance 1, then stretched and moved column by column.

    Args:
        x: (T, D).
        gamma, beta: (D,).
        epsilon: is added to the variance.
    """
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = (centered**2).mean(axis=-1, keepdims=True)
    return np.asarray(gamma * centered / np.sqrt(variance + epsilon) + beta)


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the probability that a standard normal number is below x; any shape."""
    from scipy.special import erf  # here: the catalogue of exercises is read without SciPy

    result: np.ndarray = x * (1 + erf(x / np.sqrt(2))) / 2
    return result


def mean_pool(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One vector of length 1 for a text: the mean of its real tokens, scaled.

    Args:
        tokens: (T, D).
        mask: (T,) 1 for a real token, 0 for padding; at least one is real.

    Returns:
        (D,).
    """
    mean = tokens[np.asarray(mask) > 0].mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def masked_token_loss(logits: np.ndarray, targets: np.ndarray, masked: np.ndarray) -> float:
    """Mean cross-entropy over the places where a token was hidden.

    Args:
        logits: (T, V).
        targets: (T,) the tokens that stood there.
        masked: (T,) 1 where a token was hidden, at least once, else 0.
    """
    top = logits.max(axis=-1, keepdims=True)
    normalizer = top[:, 0] + np.log(np.exp(logits - top).sum(axis=-1))
    losses = normalizer - logits[np.arange(len(targets)), targets]
    return float(losses[np.asarray(masked) > 0].mean())


@dataclass(frozen=True)
class LayerWeights:
    """One layer of BERT; kernels are (inputs, outputs)."""

    query: Pair
    key: Pair
    value: Pair
    mixed: Pair
    mixed_norm: Pair
    inner: Pair
    outer: Pair
    outer_norm: Pair


@dataclass(frozen=True)
class EncoderWeights:
    """A whole encoder.

    Attributes:
        words: (V, D), a row for each piece.
        positions: (P, D), a row for each place, to which that of the first segment is added.
        norm: gamma and beta, (D,) each.
        layers: from the input side.
        heads: of attention, in each layer; they share D among themselves.
    """

    words: np.ndarray
    positions: np.ndarray
    norm: Pair
    layers: tuple[LayerWeights, ...]
    heads: int


def encoder_layer(
    hidden: np.ndarray, mask: np.ndarray, weights: LayerWeights, heads: int
) -> np.ndarray:
    """What a layer makes of the tokens (T, D): they look at each other, then each thinks alone."""

    def of_heads(pair: Pair) -> list[np.ndarray]:
        return np.split(hidden @ pair[0] + pair[1], heads, axis=1)

    parts = zip(*map(of_heads, (weights.query, weights.key, weights.value)), strict=True)
    mixed = np.concatenate([attention(q, k, v, mask) for q, k, v in parts], axis=1)
    mixed = mixed @ weights.mixed[0] + weights.mixed[1]
    hidden = layer_norm(hidden + mixed, *weights.mixed_norm, EPSILON)
    inner = gelu(hidden @ weights.inner[0] + weights.inner[1])
    outer = inner @ weights.outer[0] + weights.outer[1]
    return layer_norm(hidden + outer, *weights.outer_norm, EPSILON)


def encode(weights: EncoderWeights, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What BERT makes of the tokens of one text.

    Args:
        ids: (T,) rows of the vocabulary.
        mask: (T,) 1 for a real token, 0 for padding.

    Returns:
        (T, D).
    """
    hidden = weights.words[ids] + weights.positions[: len(ids)]
    hidden = layer_norm(hidden, *weights.norm, EPSILON)
    for layer in weights.layers:
        hidden = encoder_layer(hidden, mask, layer, weights.heads)
    return hidden
