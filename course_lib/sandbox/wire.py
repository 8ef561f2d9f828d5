"""The format in which values cross over between this side and a process for somebody's code.

A frame is a prefix (magic, length of the header, length of the payload), a JSON header and raw
little-endian array data. Nothing is evaluated or unpickled, and nothing is allocated for a
declared size before that many bytes have come. Both sides load this module: standard library and
NumPy only.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from .calling import Formula

MAX_HEADER = 1 << 20
MAX_PAYLOAD = 64 << 20
MAX_DEPTH = 16
MAX_ITEMS = 100_000
MAX_TEXT = 200_000
MAX_DIMENSIONS = 32
MAX_AXIS = 1 << 40
MAX_TYPES = 20
"""Of objects of types that are not sent, those of so many types keep their type's name."""

_PREFIX = struct.Struct("<4sIQ")
_MAGIC = b"crs1"
_INTEGERS = range(-(1 << 63), 1 << 64)
_DTYPES = {
    np.dtype(code).newbyteorder("<").str: np.dtype(code).newbyteorder("<")
    for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
}

Message = dict[str, Any]


class ProtocolError(Exception):
    """Bytes that are no frame, or a frame that breaks the rules; says which rule."""


class TooLargeError(ProtocolError):
    """A value that does not fit into a frame."""


class Other:
    """Stands for a value that is not sent: only what it is called."""

    def __init__(self, name: str) -> None:
        self.name = name


# --- values to bytes ---------------------------------------------------------------------------


def encode(message: Message, *, trusted: bool = False) -> bytes:
    """One frame.

    Args:
        message: texts as keys; values are None, bool, int, float, complex, str, NumPy scalars
            and arrays of plain numbers, tuples and lists of them, and sets of texts.
        trusted: of the parent: a `Formula` may be sent, and anything that cannot be is an error.
            Otherwise it is replaced by the name of its type.

    Raises:
        TooLargeError: it does not fit into a frame.
        ProtocolError: ``trusted``, and something is of a type that cannot be sent.
    """
    writer = _Writer(trusted)
    header = json.dumps({key: writer.pack(value) for key, value in message.items()}).encode()
    if len(header) > MAX_HEADER:
        raise TooLargeError("the value has too many parts")
    return _PREFIX.pack(_MAGIC, len(header), writer.size) + header + b"".join(writer.buffers)


class _Writer:
    """Never calls a method that a learner's class could define: only those of the base types."""

    def __init__(self, trusted: bool) -> None:
        self.trusted = trusted
        self.buffers: list[bytes] = []
        self.size = 0
        self.items = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise TooLargeError("the value has too many parts")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, (np.ndarray, np.generic)) and not issubclass(kind, np.str_):
            return self._pack_numbers(value, kind)
        if issubclass(kind, int):
            number = int.__index__(value)
            return number if number in _INTEGERS else self._other("int beyond 64 bits")
        if issubclass(kind, float):
            return float.__float__(value)
        if issubclass(kind, complex):
            return {"complex": [value.real, value.imag]}
        if issubclass(kind, str):
            if len(text := str.__str__(value)) > MAX_TEXT:
                raise TooLargeError("the text is too long")
            return text
        if issubclass(kind, list):
            return [self.pack(part, depth + 1) for part in list.__iter__(value)]
        if issubclass(kind, tuple):
            return {"tuple": [self.pack(part, depth + 1) for part in tuple.__iter__(value)]}
        if issubclass(kind, set) and all(type(part) is str for part in set.__iter__(value)):
            return {"set": [self.pack(part, depth + 1) for part in set.__iter__(value)]}
        if kind is Formula and self.trusted:
            return {"formula": value.text}
        return self._other(value.name if kind is Other else kind.__name__)

    def _pack_numbers(self, value: Any, kind: type) -> Any:
        if issubclass(kind, np.generic):
            array, key = np.asarray(value), "scalar"
        else:
            array, key = np.ndarray.view(value, np.ndarray), "array"
            if array.flags.f_contiguous and not array.flags.c_contiguous:
                array, key = array.T, "transposed"  # stays as it is in memory
        if array.dtype.kind in "fc" and array.dtype.itemsize > (8, 16)[array.dtype.kind == "c"]:
            array = array.astype("c16" if array.dtype.kind == "c" else "f8")  # long double
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in _DTYPES:
            return self._other(f"{kind.__name__} of {array.dtype.name}")
        if array.ndim > MAX_DIMENSIONS or self.size + array.nbytes > MAX_PAYLOAD:
            raise TooLargeError(f"the arrays are too large (more than {MAX_PAYLOAD >> 20} MiB)")
        place = {"dtype": dtype, "shape": list(array.shape), "offset": self.size}
        self.buffers.append(array.astype(_DTYPES[dtype], copy=False).tobytes())
        self.size += array.nbytes
        return {key: place}

    def _other(self, name: str) -> Any:
        if self.trusted:
            raise ProtocolError(f"a value of type {name} cannot be sent")
        return {"other": name[:80]}


# --- bytes to values ---------------------------------------------------------------------------


class Frames:
    """Cuts a stream of bytes into messages; holds at most one frame of the largest size.

    Args:
        trusted: the other side is the parent: it may send a `Formula`.
    """

    def __init__(self, *, trusted: bool = False) -> None:
        self.trusted = trusted
        self._buffer = bytearray()

    def __bool__(self) -> bool:
        """Whether there are bytes that no message has used up."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> None:
        self._buffer += chunk

    def next(self) -> Message | None:
        """The next message, or None until more bytes have come.

        Raises:
            ProtocolError: the bytes are not a frame.
        """
        if not _MAGIC.startswith(bytes(self._buffer[: len(_MAGIC)])):
            raise ProtocolError("the bytes are not a frame")
        if len(self._buffer) < _PREFIX.size:
            return None
        _, header, payload = _PREFIX.unpack_from(self._buffer)
        if header > MAX_HEADER or payload > MAX_PAYLOAD:
            raise ProtocolError("the frame declares more than it may hold")
        end = _PREFIX.size + header + payload
        if len(self._buffer) < end:
            return None
        start = _PREFIX.size + header
        message = decode(
            bytes(self._buffer[_PREFIX.size : start]),
            bytes(self._buffer[start:end]),
            trusted=self.trusted,
        )
        del self._buffer[:end]
        return message


def decode(header: bytes, payload: bytes, *, trusted: bool = False) -> Message:
    """The message of one frame; every array is a new one, in the machine's own byte order.

    Raises:
        ProtocolError: a rule of the format is broken.
    """
    try:
        tree = json.loads(header, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the header is not JSON") from error
    if not isinstance(tree, dict):
        raise ProtocolError("the header is not a message")
    reader = _Reader(payload, trusted)
    message = {key: reader.unpack(value) for key, value in tree.items()}
    if reader.position != len(payload):
        raise ProtocolError("the frame holds bytes that belong to no array")
    return message


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("an integer beyond 64 bits")
    return int(digits)


class _Reader:
    def __init__(self, payload: bytes, trusted: bool) -> None:
        self.payload = payload
        self.trusted = trusted
        self.position = 0
        self.items = 0
        self.others: dict[str, Any] = {}

    def _other(self, content: str) -> Any:
        """An object whose type bears the name, which is all that is known of the value."""
        name = "".join(c if c.isprintable() else "?" for c in _text(content)[:80])
        if len(self.others) >= MAX_TYPES:
            name = next(iter(self.others)) if name not in self.others else name
        return self.others.setdefault(name, type(name, (), {})())

    def unpack(self, node: Any, depth: int = 0) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise ProtocolError("the value has too many parts")
        if node is None or isinstance(node, (bool, float)):
            return node
        if isinstance(node, int):
            if node not in _INTEGERS:
                raise ProtocolError("an integer beyond 64 bits")
            return node
        if isinstance(node, str):
            return _text(node)
        if isinstance(node, list):
            return [self.unpack(part, depth + 1) for part in node]
        if not isinstance(node, dict) or len(node) != 1:
            raise ProtocolError("a value of no known kind")
        ((kind, content),) = node.items()
        if kind == "array":
            return self._array(content)
        if kind == "transposed":
            return self._array(content).T
        if kind == "scalar":
            return self._array(content)[()]
        if kind == "tuple" and isinstance(content, list):
            return tuple(self.unpack(part, depth + 1) for part in content)
        if kind == "set" and isinstance(content, list):
            # Of texts alone: their hashes are random, so that nobody can have them all collide.
            if all(isinstance(part, str) for part in content):
                return {self.unpack(part, depth + 1) for part in content}
        elif kind == "complex" and isinstance(content, list) and len(content) == 2:
            if all(isinstance(part, float) for part in content):
                return complex(*content)
        elif kind == "other" and isinstance(content, str):
            return self._other(content)
        elif kind == "formula" and isinstance(content, str) and self.trusted:
            return Formula(content)
        raise ProtocolError("a value of no known kind")

    def _array(self, place: Any) -> np.ndarray:
        if not isinstance(place, dict) or set(place) != {"dtype", "shape", "offset"}:
            raise ProtocolError("an array without dtype, shape and offset")
        name, shape, offset = place["dtype"], place["shape"], place["offset"]
        dtype = _DTYPES.get(name) if isinstance(name, str) else None
        if dtype is None:
            raise ProtocolError("an array of a dtype that is not allowed")
        if (
            not isinstance(shape, list)
            or len(shape) > MAX_DIMENSIONS
            or not all(type(axis) is int and 0 <= axis <= MAX_AXIS for axis in shape)
        ):
            raise ProtocolError("an array of an impossible shape")
        count = 1
        for axis in shape:
            count *= axis
        # Arrays follow each other without gap or overlap, so that they cannot hold more bytes
        # than have come.
        if type(offset) is not int or offset != self.position:
            raise ProtocolError("an array that does not begin where the last one ended")
        if count * dtype.itemsize > len(self.payload) - offset:
            raise ProtocolError("an array larger than the frame")
        self.position += count * dtype.itemsize
        if dtype.kind == "b":  # only 0 and 1 are truth values to NumPy
            flat: np.ndarray = np.frombuffer(self.payload, np.uint8, count, offset) != 0
        else:
            flat = np.frombuffer(self.payload, dtype, count, offset)
        try:
            return flat.astype(dtype.newbyteorder("=")).reshape(shape)
        except ValueError as error:  # an empty array whose other axes are too large for NumPy
            raise ProtocolError("an array of an impossible shape") from error


def _text(text: str) -> str:
    """Without lone surrogates, which no file could be written with."""
    return text.encode("utf-8", "replace").decode()
