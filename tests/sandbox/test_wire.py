"""The format in which values cross: what goes in comes out, and nothing else gets through."""

from __future__ import annotations

import json
import math
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from course_lib.exercises.diagnosis import same_values
from course_lib.sandbox import wire as worker
from course_lib.sandbox.calling import Formula
from course_lib.sandbox.wire import (
    MAX_ITEMS,
    Frames,
    ProtocolError,
    TooLargeError,
    decode,
    encode,
)


def crossed(value: Any, *, trusted: bool = False) -> Any:
    frames = Frames(trusted=trusted)
    frames.feed(encode({"value": value}, trusted=trusted))
    message = frames.next()
    assert message is not None
    assert not frames
    return message["value"]


def framed(header: Any, payload: bytes = b"", *, magic: bytes = b"crs1") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return worker._PREFIX.pack(magic, len(text), len(payload)) + text + payload


numbers = st.one_of(
    npst.arrays(
        st.sampled_from(["?", "i1", ">i4", "<i8", "u2", "<f2", ">f4", "<f8", "c8", ">c16"]),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.complex_numbers(allow_nan=False),
)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.one_of(numbers, st.none(), texts, st.sets(texts, max_size=4)),
    lambda parts: st.one_of(st.lists(parts, max_size=4), st.tuples(parts, parts)),
    max_leaves=8,
)


def exactly_equal(a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(exactly_equal, a, b))
    if isinstance(a, np.ndarray):
        same = a.dtype == b.dtype.newbyteorder(a.dtype.byteorder)
        return same and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    return type(a) is type(b) and a == b


@given(values)
def test_values_come_back_as_they_were(value: Any) -> None:
    assert exactly_equal(value, crossed(value))


def test_arrays_stay_as_they_are_in_memory() -> None:
    """Whether `ravel` is a view of an array, or a copy, hangs on that."""
    rows = np.arange(6.0).reshape(2, 3)
    for array in (rows, rows.T, rows[:, ::2], np.ones((3, 1)), np.arange(24).reshape(2, 3, 4).T):
        back = crossed(array)
        assert exactly_equal(array, back)
        if array.flags.forc:
            assert back.flags.c_contiguous == array.flags.c_contiguous
            assert back.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize("value", [np.float64(0.1), np.int32(4), np.bool_(True), np.complex64(1j)])
def test_numpy_scalars_stay_scalars(value: Any) -> None:
    back = crossed(value)
    assert type(back) is type(value)
    assert back == value


def test_nan_infinity_and_minus_zero() -> None:
    nan, infinity, zero = crossed((math.nan, -math.inf, -0.0))
    assert math.isnan(nan)
    assert infinity == -math.inf
    assert math.copysign(1, zero) == -1


def test_arrays_are_writable_and_independent() -> None:
    a, b = crossed((np.zeros(3), np.ones(3)))
    a += 1
    assert np.array_equal(b, np.ones(3))


class Matrix(np.ndarray):
    def tobytes(self, *_: Any) -> bytes:
        raise AssertionError("a learner's method was called")


class Number(float):
    def __float__(self) -> float:
        raise AssertionError("a learner's method was called")


class Array:
    def __array__(self) -> np.ndarray:
        raise AssertionError("a learner's method was called")

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return np.ndarray


def test_subclasses_become_their_base_without_calling_them() -> None:
    assert type(crossed(np.eye(2).view(Matrix))) is np.ndarray
    assert type(crossed(Number(2.0))) is float
    assert type(crossed(np.str_("a"))) is str
    assert crossed(np.longdouble(0.5)) == 0.5


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Array(), "Array"),
        ({"a": 1}, "dict"),
        ({"a", 1}, "set"),
        (frozenset("a"), "frozenset"),
        (np.array([None]), "ndarray of object"),
        (np.array(["a"]), "ndarray of str32"),
        (np.zeros(2, dtype=[("a", "f8")]), "ndarray of void64"),
        (2**70, "int beyond 64 bits"),
        (Formula("x"), "Formula"),
    ],
)
def test_anything_else_arrives_as_the_name_of_its_type(value: Any, name: str) -> None:
    assert type(crossed(value)).__name__ == name


def test_formulas_go_one_way_only() -> None:
    assert crossed(Formula("np.sum(x ** 2)"), trusted=True)(np.array([1.0, 2.0])) == 5
    with pytest.raises(ProtocolError):
        decode(b'{"value": {"formula": "1"}}', b"")
    with pytest.raises(ProtocolError, match="type dict cannot be sent"):
        encode({"value": {}}, trusted=True)


def circle() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


@pytest.mark.parametrize(
    "value",
    [
        circle(),
        [0.0] * (MAX_ITEMS + 1),
        "a" * 300_000,
        np.broadcast_to(np.zeros(1), (10**6, 10**6)),
        [np.zeros(2**22), np.zeros(2**22), np.zeros(2**22)],
    ],
)
def test_values_that_are_too_large_are_refused_before_they_are_copied(value: Any) -> None:
    with pytest.raises(TooLargeError):
        encode({"value": value})


array = {"dtype": "<f8", "shape": [2], "offset": 0}


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ([], b""),
        (b"{", b""),
        (b"\xff", b""),
        (b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", b""),
        (b'{"a": ' + b"9" * 5_000 + b"}", b""),
        ({"a": {"pickle": "x"}}, b""),
        ({"a": {"array": array, "b": 1}}, bytes(16)),
        ({"a": {"array": array}}, bytes(15)),
        ({"a": {"array": array}}, bytes(17)),
        ({"a": {"array": {**array, "offset": 8}}}, bytes(24)),
        ({"a": {"array": {**array, "offset": -8}}}, bytes(16)),
        ({"a": {"array": {**array, "offset": True}}}, bytes(16)),
        ({"a": {"array": {**array, "shape": [-2]}}}, bytes(16)),
        ({"a": {"array": {**array, "shape": [2.0]}}}, bytes(16)),
        ({"a": {"array": {**array, "shape": [1] * 40}}}, bytes(8)),
        ({"a": {"array": {**array, "shape": [2**26] * 30}}}, bytes(16)),
        ({"a": {"array": {**array, "shape": [0] + [2**26] * 30}}}, b""),
        ({"a": {"array": {**array, "dtype": "|O"}}}, bytes(16)),
        ({"a": {"array": {**array, "dtype": ["<f8"]}}}, bytes(16)),
        ({"a": {"array": {**array, "dtype": "(1000000,)f8"}}}, bytes(16)),
        ({"a": {"array": array}, "b": {"array": array}}, bytes(16)),
        ({"a": {"scalar": None}}, b""),
        ({"a": {"complex": [1.0]}}, b""),
        ({"a": {"tuple": {}}}, b""),
        ({"a": {"set": {}}}, b""),
        ({"a": {"set": [[]]}}, b""),
        ({"a": {"set": ["a", 1]}}, b""),
        ({"a": [0] * (MAX_ITEMS + 1)}, b""),
        (pickle.dumps(array), b""),
    ],
)
def test_broken_rules(header: Any, payload: bytes) -> None:
    frames = Frames()
    frames.feed(framed(header, payload))
    with pytest.raises(ProtocolError):
        frames.next()


def test_truth_values_are_only_true_and_false() -> None:
    place = {"dtype": "|b1", "shape": [3], "offset": 0}
    frames = Frames()
    frames.feed(framed({"a": {"array": place}}, b"\x00\x01\x02"))
    message = frames.next()
    assert message is not None
    assert np.array_equal(message["a"], [False, True, True])


def test_a_declared_size_is_refused_at_once_and_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        for header, payload in ((2**32 - 1, 0), (10, 2**63), (10, worker.MAX_PAYLOAD + 1)):
            frames = Frames()
            frames.feed(worker._PREFIX.pack(b"crs1", header, payload))
            with pytest.raises(ProtocolError):
                frames.next()
        waiting = Frames()
        waiting.feed(worker._PREFIX.pack(b"crs1", 10, worker.MAX_PAYLOAD))
        assert waiting.next() is None
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def drained(stream: bytes, step: int) -> None:
    frames = Frames()
    for start in range(0, len(stream), step):
        frames.feed(stream[start : start + step])
        while frames.next() is not None:
            pass


@given(st.binary(max_size=300), st.integers(1, 50))
def test_random_bytes_are_refused_or_awaited(data: bytes, step: int) -> None:
    for stream in (data, b"crs1" + data, framed(data)):
        try:
            drained(stream, step)
        except ProtocolError:
            continue


@settings(max_examples=200)
@given(values, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_mutated_frames_never_do_worse_than_a_protocol_error(
    value: Any, changes: list[tuple[int, int]]
) -> None:
    frame = bytearray(encode({"id": "a", "value": value}))
    for place, byte in changes:
        frame[place % len(frame)] = byte
    try:
        drained(bytes(frame), 64)
    except ProtocolError:
        return


@given(values, values)
def test_the_judge_can_compare_whatever_comes_through(value: Any, other: Any) -> None:
    assert same_values(np.eye(2), crossed(value), 1e-6) in (True, False)
    assert same_values((1.0, [2]), (crossed(value), crossed(other)), 0.0) in (True, False)
