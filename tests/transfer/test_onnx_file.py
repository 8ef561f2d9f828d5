"""Weights of ONNX are read as arrays, and nothing else in such a file has any effect."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from course_lib.errors import CourseError
from course_lib.transfer import onnx_file


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, array: np.ndarray, kind: int = 1, packed: bool = False) -> bytes:
    """An initializer; shapes may be packed into one field or not."""
    shape = b"".join(map(varint, array.shape))
    dims = field(1, shape) if packed else b"".join(field(1, size) for size in array.shape)
    return dims + field(2, kind) + field(8, name.encode()) + field(9, array.tobytes())


def model(*initializers: bytes) -> bytes:
    node = field(1, field(4, b"Conv") + field(1, b"kernel"))
    graph = node + b"".join(field(5, initializer) for initializer in initializers)
    version, fixed = field(1, 8), varint(99 << 3 | 5) + bytes(4) + varint(98 << 3 | 1) + bytes(8)
    return version + field(2, b"a producer") + field(7, graph) + fixed


KERNEL = np.arange(6, dtype="<f4").reshape(3, 2)
GOOD = model(
    tensor("kernel", KERNEL),
    tensor("packed", KERNEL, packed=True),
    tensor("places", np.array([3, -1], "<i8"), kind=7),
    tensor("scalar", np.array(2, "<i4"), kind=6),
)


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return onnx_file.read(path)


def test_arrays_have_their_names_types_and_shapes(tmp_path: Path) -> None:
    arrays = read(tmp_path, GOOD)
    assert list(arrays) == ["kernel", "packed", "places", "scalar"]
    for name in ("kernel", "packed"):
        np.testing.assert_array_equal(arrays[name], KERNEL)
        assert not arrays[name].flags.writeable
    assert arrays["places"].tolist() == [3, -1]
    assert arrays["scalar"] == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (field(1, 7) + tensor("kernel", KERNEL), "not as many numbers"),
        (field(1, 2**62) + tensor("kernel", KERNEL), "not as many numbers"),
        (field(1, 2**64 - 1) * 2 + tensor("kernel", KERNEL), "not as many numbers"),
        (tensor("kernel", KERNEL, kind=8), "of type 8"),  # strings
        (tensor("kernel", KERNEL) + field(14, 1), "another file"),
        (tensor("kernel", KERNEL) + field(13, field(1, b"location")), "another file"),
        (tensor("kernel", KERNEL) + varint(9 << 3) + varint(3), "a number stands where"),
        (tensor("kernel", KERNEL) + field(8, b"\xff\xfe"), "utf-8"),
        (tensor("kernel", KERNEL) + varint(1 << 3 | 3), "kind 3"),  # groups, long abolished
        (tensor("kernel", KERNEL) + b"\x80" * 11, "without an end"),
        (varint(9 << 3 | 2) + varint(2**40), "too early"),
    ],
)
def test_a_tensor_that_does_not_fit_its_numbers_is_refused(
    tmp_path: Path, wrong: bytes, sentence: str
) -> None:
    with pytest.raises(CourseError, match=rf"is refused.*{sentence}.*Fetch it anew"):
        read(tmp_path, model(wrong))


def test_an_announced_size_reserves_no_memory(tmp_path: Path) -> None:
    content = model(field(1, 2**40) + tensor("kernel", KERNEL))
    tracemalloc.start()
    with pytest.raises(CourseError, match="refused"):
        read(tmp_path, content)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_a_file_cut_short_gives_no_wrong_array(tmp_path: Path) -> None:
    """Between two fields of the outermost message there is nothing that says that it was cut."""
    whole, refused = read(tmp_path, GOOD), 0
    for length in range(len(GOOD)):
        try:
            assert list(read(tmp_path, GOOD[:length])) in ([], list(whole))
        except CourseError:
            refused += 1
    assert refused > 0.8 * len(GOOD)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"absent\.onnx cannot be read"):
        onnx_file.read(tmp_path / "absent.onnx")
