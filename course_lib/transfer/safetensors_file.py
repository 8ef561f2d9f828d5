"""Reads the arrays of a safetensors file: a list of names, types and places, then the numbers.

Source: the format's description at https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CourseError

TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name, read-only.

    Raises:
        CourseError: the file cannot be read, is damaged, or keeps its numbers in another way.
    """
    try:
        content = memoryview(path.read_bytes())
        start = 8 + int.from_bytes(content[:8], "little")
        if len(content) < start:
            raise ValueError("it ends too early")
        listed = json.loads(bytes(content[8:start]))
        numbers = content[start:]
        return {n: _array(numbers, **entry) for n, entry in listed.items() if n != "__metadata__"}
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CourseError(
            f"{path} is refused: it is no file of safetensors that this course reads ({error}). "
            "Fetch it anew from where it was published."
        ) from error


def _array(
    numbers: memoryview, dtype: str, shape: list[int], data_offsets: list[int]
) -> np.ndarray:
    if dtype not in TYPES:
        raise ValueError(f"numbers of type {dtype}")
    start, end = data_offsets
    # Counted before an array is made, so that no announced size reserves memory.
    if not 0 <= start <= end <= len(numbers) or min(shape, default=0) < 0:
        raise ValueError("numbers outside the file")
    if math.prod(shape) * TYPES[dtype].itemsize != end - start:
        raise ValueError("not as many numbers as a shape says")
    return np.frombuffer(numbers[start:end], TYPES[dtype]).reshape(shape)
