"""Reads the arrays of an ONNX file, without ONNX and without running what the file describes.

An ONNX file is a protocol buffer: fields, each a number and a value, some of which are messages of
fields again. The trained weights are the initializers of its graph: name, type, shape and
little-endian numbers. This reader looks at those and passes over the rest.
Source: `onnx/onnx.proto`, messages ModelProto, GraphProto and TensorProto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CourseError

GRAPH, INITIALIZER = 7, 5
SHAPE, TYPE, NAME, NUMBERS, EXTERNAL, LOCATION = 1, 2, 8, 9, 13, 14
TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Kinds of values, the lowest three bits of what stands before each."""


def read(path: Path) -> dict[str, np.ndarray]:
    """The named initializers of an ONNX file.

    Args:
        path: a model with its weights inside; float32, int8, int32, int64 and bool.

    Returns:
        Read-only arrays by name, in the order of the file.

    Raises:
        CourseError: the file cannot be read, is damaged, or keeps its numbers in another way.
    """
    try:
        content = memoryview(path.read_bytes())
        graphs = [_bytes(value) for number, value in _fields(content) if number == GRAPH]
        tensors = [_bytes(v) for graph in graphs for n, v in _fields(graph) if n == INITIALIZER]
        return dict(_tensor(tensor) for tensor in tensors)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{path} is refused: it is no plain file of ONNX weights ({error}). "
            "Fetch it anew from where it was published."
        ) from error


def _tensor(message: memoryview) -> tuple[str, np.ndarray]:
    shape: list[int] = []
    kind, name, numbers = 0, "", memoryview(b"")
    for number, value in _fields(message):
        if number == SHAPE:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif number == TYPE and isinstance(value, int):
            kind = value
        elif number == NAME:
            name = bytes(_bytes(value)).decode()
        elif number == NUMBERS:
            numbers = _bytes(value)
        elif number == EXTERNAL or (number == LOCATION and value != 0):
            raise ValueError("a tensor's numbers lie in another file")
    if kind not in TYPES:
        raise ValueError(f"tensor {name} is of type {kind}")
    # The bytes are counted before an array is made, so that no announced size reserves memory.
    if math.prod(shape) * TYPES[kind].itemsize != len(numbers):
        raise ValueError(f"tensor {name} has not as many numbers as its shape says")
    return name, np.frombuffer(numbers, TYPES[kind]).reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == BYTES:
            length, place = _varint(message, place)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"a field of kind {kind}")
        if length > len(message) - place:
            raise ValueError("it ends too early")
        yield key >> 3, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    number = 0
    for count, byte in enumerate(message[place : place + 10]):
        number |= (byte & 127) << 7 * count
        if byte < 128:
            return number, place + count + 1
    raise ValueError("a number without an end")


def _varints(message: memoryview) -> list[int]:
    numbers, place = [], 0
    while place < len(message):
        number, place = _varint(message, place)
        numbers.append(number)
    return numbers


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message should")
    return value
