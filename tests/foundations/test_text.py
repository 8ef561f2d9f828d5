"""The parts of an encoder of text against Keras, SciPy, finite differences, and by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy import stats

from course_lib.foundations import text as ours

RNG = np.random.default_rng(0)
MASK = np.array([1, 1, 1, 0, 1, 0])
QUERIES, KEYS, VALUES = RNG.normal(size=(3, 6, 4))


def array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("un", ["un"]),
        ("unaffable", ["un", "##aff", "##able"]),
        ("unable", ["un", "##able"]),
        ("unaffordable", ["[UNK]"]),
        ("able", ["[UNK]"]),
        ("u", ["[UNK]"]),
    ],
)
def test_pieces_are_the_longest_from_the_left(word: str, pieces: list[str]) -> None:
    assert ours.wordpiece(word, {"un", "##a", "##aff", "##able", "##un"}) == pieces


def test_the_longest_piece_wins_even_where_the_rest_is_then_unknown() -> None:
    assert ours.wordpiece("abc", {"a", "ab", "##bc"}) == ["[UNK]"]


def test_attention_is_that_of_keras() -> None:
    layer = keras.layers.Attention(use_scale=False)
    scaled = [QUERIES[None] / 2, VALUES[None], KEYS[None]]  # 2 is the root of 4 dimensions
    theirs = layer(scaled, mask=[None, np.array([MASK == 1])])
    mixed = ours.attention(QUERIES, KEYS, VALUES, MASK)
    np.testing.assert_allclose(mixed, array(theirs)[0], atol=1e-5)


def test_padding_is_not_looked_at_but_gets_a_row() -> None:
    weights = ours.attention_weights(QUERIES, KEYS, MASK)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:, MASK == 0] == 0).all()
    other = VALUES + 100 * (1 - MASK)[:, None]
    mixed = ours.attention(QUERIES, KEYS, VALUES, MASK)
    np.testing.assert_allclose(ours.attention(QUERIES, KEYS, other, MASK), mixed)
    assert mixed.shape == (6, 4)


def test_equal_keys_share_the_attention() -> None:
    ones = np.ones((3, 2))
    values = np.array([[0.0], [3.0], [99.0]])
    np.testing.assert_allclose(ours.attention(ones, ones, values, np.array([1, 1, 0])), 1.5)


def test_layer_norm_is_that_of_keras() -> None:
    gamma, beta, x = RNG.normal(size=4), RNG.normal(size=4), 3 * QUERIES + 1
    layer = keras.layers.LayerNormalization(epsilon=0.1)
    layer.build(x.shape)
    layer.set_weights([gamma, beta])
    np.testing.assert_allclose(ours.layer_norm(x, gamma, beta, 0.1), array(layer(x)), atol=1e-5)
    constant = ours.layer_norm(np.full((1, 4), 7.0), gamma, beta, 1e-12)
    np.testing.assert_allclose(constant, [beta])


def test_gelu_is_x_times_the_normal_distribution_and_that_of_keras() -> None:
    x = np.linspace(-6, 6, 25)
    np.testing.assert_allclose(ours.gelu(x), x * stats.norm.cdf(x), atol=1e-12)
    theirs = keras.activations.gelu(keras.ops.convert_to_tensor(x), approximate=False)
    np.testing.assert_allclose(ours.gelu(x), array(theirs), atol=1e-6)


def test_the_mean_is_over_real_tokens_and_of_length_one() -> None:
    pooled = ours.mean_pool(VALUES, MASK)
    assert np.linalg.norm(pooled) == pytest.approx(1)
    mean = VALUES[[0, 1, 2, 4]].mean(axis=0)
    np.testing.assert_allclose(pooled, mean / np.linalg.norm(mean))


def test_the_loss_counts_hidden_places_alone_and_is_that_of_keras() -> None:
    logits, targets = 2 * RNG.normal(size=(6, 5)), np.array([0, 4, 2, 2, 1, 3])
    masked = np.array([0, 1, 0, 0, 1, 1])
    theirs = keras.losses.sparse_categorical_crossentropy(
        targets[masked == 1], logits[masked == 1], from_logits=True
    )
    loss = ours.masked_token_loss(logits, targets, masked)
    assert loss == pytest.approx(array(theirs).mean(), rel=1e-5)
    large = ours.masked_token_loss(np.array([[1000.0, 0.0]]), np.array([1]), np.array([1]))
    assert large == 1000.0
