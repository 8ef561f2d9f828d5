"""The learner's side of grading, and the format in which values cross over to it.

A process that runs this file gets one learner's program from `sandbox`, then arguments, and sends
values back. It knows no answer and no verdict. It is forked by `forkserver` or, where that cannot
be, started as ``python -I worker.py``. The file stands alone: standard library and NumPy, nothing
of course_lib, so that neither references nor exercises are ever in the learner's memory.
`sandbox` imports it for the format.

An answer is one "load" and then "call"s, each of which is followed by a frame with the arguments
of several cases and brings one reply for each case. Replies bear the id of the request.

A frame is a prefix (magic, length of the header, length of the payload), a JSON header and raw
little-endian array data. Nothing is evaluated or unpickled, and nothing is allocated for a
declared size before that many bytes have come.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import json
import linecache
import os
import signal
import struct
import sys
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

MAX_HEADER = 1 << 20
MAX_PAYLOAD = 64 << 20
MAX_DEPTH = 16
MAX_ITEMS = 20_000
MAX_TEXT = 200_000
MAX_DIMENSIONS = 32

_PREFIX = struct.Struct("<4sIQ")
_MAGIC = b"crs1"
_INTEGERS = range(-(1 << 63), 1 << 64)
_DTYPES = {
    np.dtype(code).newbyteorder("<").str: np.dtype(code).newbyteorder("<")
    for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
}

Message = dict[str, Any]
Enclose = Callable[[Message], tuple[list[str], list[str]]]


class ProtocolError(Exception):
    """Bytes that are no frame, or a frame that breaks the rules; says which rule."""


class TooLargeError(ProtocolError):
    """A value that does not fit into a frame."""


class Formula:
    """A function of one array ``x``, rebuilt from its text (parent to worker only)."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, x: np.ndarray) -> float:
        return float(eval(self.text, {"np": np, "x": x}))


class Other:
    """Stands for a value that is not sent: only what it is called."""

    def __init__(self, name: str) -> None:
        self.name = name


# --- values to bytes ---------------------------------------------------------------------------


def encode(message: Message, *, trusted: bool = False) -> bytes:
    """One frame.

    Args:
        message: texts as keys; values are None, bool, int, float, complex, str, NumPy scalars
            and arrays of plain numbers, and tuples and lists of them.
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
        if issubclass(kind, (np.ndarray, np.generic)):
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
        if kind is Formula and self.trusted:
            return {"formula": value.text}
        return self._other(value.name if kind is Other else kind.__name__)

    def _pack_numbers(self, value: Any, kind: type) -> Any:
        if issubclass(kind, np.generic):
            array, key = np.asarray(value), "scalar"
        else:
            array, key = np.ndarray.view(value, np.ndarray), "array"
        if array.dtype.kind in "fc" and array.dtype.itemsize > (8, 16)[array.dtype.kind == "c"]:
            array = array.astype("c16" if array.dtype.kind == "c" else "f8")  # long double
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in _DTYPES:
            return self._other(f"{kind.__name__} of {array.dtype.name}")
        if array.ndim > MAX_DIMENSIONS or self.size + array.nbytes > MAX_PAYLOAD:
            raise TooLargeError("the arrays are too large")
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
        if kind == "scalar":
            return self._array(content)[()]
        if kind == "tuple" and isinstance(content, list):
            return tuple(self.unpack(part, depth + 1) for part in content)
        if kind == "complex" and isinstance(content, list) and len(content) == 2:
            if all(isinstance(part, float) for part in content):
                return complex(*content)
        elif kind == "other" and isinstance(content, str):
            # An object whose type bears the name, which is all that a diagnosis will say of it.
            return type(_text(content)[:80].replace("\0", ""), (), {})()
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
            or not all(type(axis) is int and 0 <= axis <= MAX_PAYLOAD for axis in shape)
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


# --- the process -------------------------------------------------------------------------------


class _NoCourse:  # a finder, without the base class, whose import takes long
    """Refuses the course's own package to answers."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "course_lib":
            raise ImportError("answers may not use the course's own functions")


class Worker:
    """Serves requests until the parent closes the pipe.

    Args:
        requests, replies: file descriptors to read from and write to.
        enclose: takes on limits and walls, and says which hold and which are missing.
    """

    def __init__(self, requests: int, replies: int, enclose: Enclose) -> None:
        self.requests = requests
        self.replies = replies
        self.enclose = enclose
        self.frames = Frames(trusted=True)
        self.asking = threading.Lock()
        self.request = ""
        self.function: Callable[..., Any] | None = None
        self.titles: dict[str, str] = {}

    def serve(self) -> None:
        actions = {"setup": self._setup, "load": self._load, "call": self._call}
        while True:
            message = self._receive()
            self.request = message["id"]
            for reply in actions[message["kind"]](message):
                try:
                    self._send(reply)
                except TooLargeError:
                    large = f"{type(reply['value']).__name__} that is too large to be graded"
                    self._send({"kind": "value", "value": Other(large), "arguments": None})

    def _receive(self) -> Message:
        while (message := self.frames.next()) is None:
            chunk = os.read(self.requests, 1 << 16)
            if not chunk:
                raise EOFError
            self.frames.feed(chunk)
        return message

    def _send(self, message: Message) -> None:
        view = memoryview(encode({**message, "id": self.request}))
        while view:
            view = view[os.write(self.replies, view) :]

    def _setup(self, message: Message) -> Iterator[Message]:
        holds, missing = self.enclose(message)
        yield {"kind": "ready", "holds": tuple(holds), "missing": tuple(missing)}

    def _load(self, message: Message) -> Iterator[Message]:
        """Run the statements that the answer consists of, in a new module."""
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        namespace = module.__dict__
        for name in message["given"]:
            namespace[name] = self._given(name)
        for name in message["passing"]:
            namespace[name] = lambda answer, *rest, **options: answer
        self.function = None
        self.titles = {}
        try:
            with _quiet():
                for number, (title, source) in enumerate(message["segments"]):
                    file = f"<{number}>"
                    self.titles[file] = title
                    lines = source.splitlines(keepends=True)
                    linecache.cache[file] = (len(source), None, lines, file)
                    exec(compile(source, file, "exec", dont_inherit=True), namespace)
        except BaseException as error:
            yield self._raised(error)
            return
        function = namespace.get(message["name"])
        if callable(function):
            self.function = function
            yield {"kind": "loaded", "instead": ""}
        else:
            yield {"kind": "loaded", "instead": type(function).__name__}

    def _call(self, message: Message) -> Iterator[Message]:
        """The answer's function on each case, of which a frame of their own follows."""
        request = self.request
        for number, arguments in enumerate(self._receive()["cases"]):
            self.request = f"{request}/{number}"  # a second reply to a case is not the next one's
            yield self._called(arguments)

    def _called(self, arguments: tuple[Any, ...]) -> Message:
        function = self.function
        assert function is not None
        try:
            with _quiet():
                value = function(*arguments)
        except BaseException as error:  # SystemExit, too, is only a wrong answer
            return self._raised(error)
        return {"kind": "value", "value": value, "arguments": arguments}

    def _given(self, name: str) -> Callable[..., Any]:
        """A function that asks the parent for the course's own value."""

        def given(*arguments: Any, **keywords: Any) -> Any:
            with self.asking:
                self._send(
                    {
                        "kind": "ask",
                        "name": name,
                        "arguments": arguments,
                        "keywords": tuple(keywords.items()),
                    }
                )
                answer = self._receive()
            if answer["kind"] == "value":
                return answer["value"]
            kind, _, text = answer["error"].partition(": ")
            exception = getattr(builtins, kind, RuntimeError)
            raise exception(text)

        given.__name__ = given.__qualname__ = name
        return given

    def _raised(self, error: BaseException) -> Message:
        begun = isinstance(error, NotImplementedError) and _is_begun(self.function)
        line = self._own_line(error)
        return {"kind": "raised", "error": _one_line(error), "line": line, "begun": begun}

    def _own_line(self, error: BaseException) -> str:
        """The last line of the learner's own in the traceback, counted from its `def`."""
        if isinstance(error, SyntaxError) and error.filename in self.titles:
            return f"line {error.lineno}: {(error.text or '').strip()}"[:200]
        try:
            frames = traceback.extract_tb(error.__traceback__)
            inside = [frame for frame in frames if frame.filename in self.titles][-1]
        except Exception:  # none of them, or an exception that cannot even be looked at
            return ""
        line = inside.lineno or 1
        code = getattr(self.function, "__code__", None)
        own = (
            isinstance(code, types.CodeType)
            and code.co_filename == inside.filename
            and code.co_firstlineno <= line
        )
        first = code.co_firstlineno if own and code is not None else 1
        where = "" if own or self.function is None else f" of `{self.titles[inside.filename]}`"
        text = (inside.line or "").strip()[:200]
        return f"line {line - first + 1}{where}: {text}".rstrip(": ")


def set_limits(wanted: Message, besides: int | None = None) -> tuple[list[str], list[str]]:
    """Take on the limits; afterwards nothing in this process can lift them, unless it is root.

    Args:
        wanted: "memory" and "file_size" in bytes, "open_files", "processes", "cpu_seconds" and
            "wall_seconds".
        besides: how many processes of this user are not the answer's; None if a limit on their
            number would not bind it, or bind the user's other work.

    Returns:
        What holds here, and what this system lacks, in words.
    """
    # If the parent is killed, nobody else ends an answer that sleeps for ever.
    if hasattr(signal, "alarm"):
        signal.alarm(int(wanted["wall_seconds"]))
    words = (
        ("RLIMIT_AS", wanted["memory"], f"memory ({wanted['memory'] >> 20} MiB)"),
        ("RLIMIT_CPU", wanted["cpu_seconds"], f"processor time ({wanted['cpu_seconds']} s)"),
        ("RLIMIT_FSIZE", wanted["file_size"], f"file size ({wanted['file_size'] >> 20} MiB)"),
        ("RLIMIT_NOFILE", wanted["open_files"], f"open files ({wanted['open_files']})"),
        ("RLIMIT_CORE", 0, "no core dumps"),
    )
    holds: list[str] = []
    missing: list[str] = []
    for name, value, word in words:
        (holds if _limit(name, value) else missing).append(word)
    counted = besides is not None and _limit("RLIMIT_NPROC", wanted["processes"] + besides)
    (holds if counted else missing).append(f"processes ({wanted['processes']})")
    return holds, missing


def _limit(name: str, value: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    with contextlib.suppress(AttributeError, ValueError, OSError):
        number = getattr(resource, name)
        _, hard = resource.getrlimit(number)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))
        return True
    return False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _is_begun(function: Any) -> bool:
    """Whether it is more than the stub that was handed out, as `exercises.judge` sees it."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return False
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(code.co_flags & inspect.CO_VARARGS)
    arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return len(code.co_varnames) > arguments or set(code.co_names) != {"NotImplementedError"}


def _one_line(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a learner's exception may fail at telling what it is
        text = ""
    return f"{name}: {text[:200]}" if text else name


def hide_the_course() -> None:
    """The course's package can neither be imported nor found on the path."""
    sys.path[:] = [
        entry
        for entry in sys.path
        if not Path(entry, "course_lib").is_dir() or Path(entry, "numpy").is_dir()
    ]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not getattr(finder, "__module__", "").startswith("__editable__")
    ]
    sys.meta_path.insert(0, _NoCourse())


def silence() -> None:
    """The learner's code may print and read as it likes: 0, 1 and 2 lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)


def serve(requests: int, replies: int, enclose: Enclose) -> None:
    """Serve until the parent closes its end, then end this process."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        Worker(requests, replies, enclose).serve()
    os._exit(0)  # threads of the learner's must not keep the process


def main() -> None:
    requests, replies = os.dup(0), os.dup(1)
    silence()
    hide_the_course()
    serve(requests, replies, set_limits)


if __name__ == "__main__":
    main()
