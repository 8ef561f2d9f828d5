"""Weights of PyTorch are read as arrays, and nothing else in such a file has any effect."""

import io
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from course_lib.errors import CourseError
from course_lib.transfer import torch_file


class Global:
    """Pickles as the name `module.name`, whether or not there is such a thing."""

    def __init__(self, module: str, name: str) -> None:
        self.name = f"{module} {name}"


class Call:
    """Pickles as a call of a global."""

    def __init__(self, function: Global, *arguments: object) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    def __init__(self, kind: str, key: str, length: int) -> None:
        self.id = ("storage", Global("torch", kind), key, "cpu", length, None)


class Pickler(pickle._Pickler):  # the one in Python: its methods can be overridden
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Global):
            self.write(b"c" + value.name.replace(" ", "\n").encode() + b"\n")
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(b"R")
        else:
            super().save(value, save_persistent_id)


def tensor(kind, key, length, offset, shape, strides):
    function = Global("torch._utils", "_rebuild_tensor_v2")
    storage = Storage(kind, key, length)
    return Call(function, storage, offset, shape, strides, False, OrderedDict())


def saved(path: Path, tensors, arrays, magic=torch_file.MAGIC) -> Path:
    stream = io.BytesIO()
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    for value in (magic, torch_file.VERSION, system, tensors, list(arrays)):
        Pickler(stream, 2).dump(value)
    for array in arrays.values():
        stream.write(np.int64(array.size).tobytes() + array.tobytes())
    path.write_bytes(stream.getvalue())
    return path


KERNEL = np.arange(6, dtype="<f4")
COUNT = np.array([7], dtype="<i8")


@pytest.fixture
def good(tmp_path):
    """A kernel stored transposed, the second half of it on its own, and a counter."""
    tensors = OrderedDict(
        kernel=tensor("FloatStorage", "a", 6, 0, (3, 2), (1, 3)),
        half=tensor("FloatStorage", "a", 6, 3, (3,), (1,)),
        counter=tensor("LongStorage", "b", 1, 0, (), ()),
    )
    return saved(tmp_path / "good.pth", tensors, {"a": KERNEL, "b": COUNT})


def test_arrays_have_their_names_types_strides_and_offsets(good):
    arrays = torch_file.read(good)
    assert list(arrays) == ["kernel", "half", "counter"]
    np.testing.assert_array_equal(arrays["kernel"], KERNEL.reshape(2, 3).T)
    np.testing.assert_array_equal(arrays["half"], [3, 4, 5])
    assert arrays["counter"] == 7
    assert arrays["counter"].dtype == np.int64


@pytest.mark.parametrize(
    "function",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("numpy", "fromfile"),
        ("torch", "DoubleStorage"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "OrderedDict.fromkeys"),
    ],
)
def test_every_other_name_is_refused_before_it_is_called(tmp_path, function):
    marker = tmp_path / "ran"
    tensors = {"kernel": Call(Global(*function), f"touch {marker}")}
    path = saved(tmp_path / "hostile.pth", tensors, {})
    with pytest.raises(CourseError, match=r"refused.*asks for " + ".".join(function)):
        torch_file.read(path)
    assert not marker.exists()


def test_a_pickle_cannot_change_the_reader(tmp_path):
    before = torch_file._tensor.__defaults__, dict(vars(torch_file._tensor))
    path = tmp_path / "hostile.pth"
    attributes = {"__defaults__": (1, 2), "__doc__": "changed"}
    stream = io.BytesIO()
    stream.write(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n")
    stream.write(pickle.dumps((None, attributes), 2)[2:-1] + b"b.")
    path.write_bytes(stream.getvalue())
    with pytest.raises(CourseError, match="refused"):
        torch_file.read(path)
    assert (torch_file._tensor.__defaults__, vars(torch_file._tensor)) == before
    assert "stands in" in torch_file._tensor.__doc__


def test_a_pickle_cannot_reserve_memory_by_a_large_number(tmp_path):
    path = tmp_path / "hostile.pth"
    path.write_bytes(b"\x80\x02Nr" + (2**31 - 1).to_bytes(4, "little") + b".")
    with pytest.raises(CourseError, match="more objects"):
        torch_file.read(path)


@pytest.mark.parametrize(
    "wrong",
    [
        tensor("FloatStorage", "a", 6, 0, (7,), (1,)),  # larger than its storage
        tensor("FloatStorage", "a", 6, 5, (2,), (1,)),  # begins too late
        tensor("FloatStorage", "a", 6, 0, (2,), (-1,)),  # before its storage
        tensor("FloatStorage", "a", 5, 0, (2,), (1,)),  # another length than the file has
        Call(Global("torch._utils", "_rebuild_tensor_v2"), "a", 0, (2,), (1,)),  # no storage
        [1, 2],
    ],
)
def test_a_tensor_that_does_not_fit_its_numbers_is_refused(tmp_path, wrong):
    path = saved(tmp_path / "wrong.pth", {"kernel": wrong}, {"a": KERNEL})
    with pytest.raises(CourseError, match="refused"):
        torch_file.read(path)


def test_a_file_cut_short_anywhere_is_refused(good, tmp_path):
    whole = good.read_bytes()
    cut = tmp_path / "cut.pth"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(CourseError, match="refused"):
            torch_file.read(cut)


def test_another_file_is_refused_and_an_absent_one_named(tmp_path):
    with pytest.raises(CourseError, match="not PyTorch's"):
        torch_file.read(saved(tmp_path / "other.pth", {}, {}, magic=1))
    with pytest.raises(CourseError, match=r"absent\.pth cannot be read"):
        torch_file.read(tmp_path / "absent.pth")
