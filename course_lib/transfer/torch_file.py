"""Reads weights that PyTorch saved, without PyTorch and without running what the file says.

A `.pth` file of PyTorch before 1.6 is five pickles (magic number, version, system, tensors, keys
of the storages), then for each storage an int64 count and that many little-endian numbers. A
pickle is a program. This reader lets it name four things, all of which end as NumPy arrays, and
refuses every other name before anything is called.
Source: `torch/serialization.py`, function `_legacy_save`.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import CourseError

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
MOST_MEMOS = 100_000
"""Pickles number what they refer back to; a huge number would make Python reserve its memory."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    length: int


class _Tensor(NamedTuple):
    """A tensor whose numbers come later in the file; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    """What stands in for `torch._utils._rebuild_tensor_v2`."""
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or not all(type(number) is int for number in numbers):
        raise pickle.UnpicklingError("a tensor is described wrongly")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            found = _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None
        # A pickle may also set attributes of a function: those of one that nobody else calls.
        return (lambda *arguments: _tensor(*arguments)) if found is _tensor else found

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 5:
            raise pickle.UnpicklingError("a storage is described wrongly")
        kind, dtype, key, _, length = pid[:5]
        if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError("a storage is described wrongly")
        if type(length) is not int or length < 0:
            raise pickle.UnpicklingError("a storage is described wrongly")
        return _Storage(key, dtype, length)


def read(path: Path) -> dict[str, np.ndarray]:
    """The named tensors of a file in PyTorch's format before version 1.6.

    Args:
        path: a state dictionary saved with `torch.save`; float32 and int64 tensors.

    Returns:
        Read-only arrays by name, in the order of the file.

    Raises:
        CourseError: the file cannot be read, is damaged, or asks for anything but arrays.
    """
    try:
        return _arrays(path.read_bytes())
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise CourseError(
            f"{path} is refused: it is no plain file of PyTorch weights in the format before "
            f"1.6 ({error}). Fetch it anew from where it was published."
        ) from error


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    stream = io.BytesIO(content)
    if (_unpickled(stream), _unpickled(stream)) != (MAGIC, VERSION):
        raise pickle.UnpicklingError("its first numbers are not PyTorch's")
    system, tensors, keys = _unpickled(stream), _unpickled(stream), _unpickled(stream)
    if system["little_endian"] is not True:
        raise pickle.UnpicklingError("its numbers are big-endian")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {}
    for key in keys:
        storage = storages[key]
        if int.from_bytes(stream.read(8), "little") != storage.length:
            raise pickle.UnpicklingError(f"storage {key} has another length than announced")
        numbers[key] = stream.read(storage.length * storage.dtype.itemsize)
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        dtype = tensor.storage.dtype
        # NumPy checks that shape, offset and strides stay inside the buffer.
        arrays[name] = np.ndarray(
            tensor.shape,
            dtype,
            numbers[tensor.storage.key],
            tensor.offset * dtype.itemsize,
            tuple(stride * dtype.itemsize for stride in tensor.strides),
        )
    return arrays


def _unpickled(stream: io.BytesIO) -> Any:
    """The next object of the stream, which is left right behind it."""
    start = stream.tell()
    for opcode, argument, _ in pickletools.genops(stream):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > MOST_MEMOS:
            raise pickle.UnpicklingError("it numbers more objects than weights can have")
    end = stream.tell()
    stream.seek(start)
    return _Unpickler(io.BytesIO(stream.read(end - start))).load()
