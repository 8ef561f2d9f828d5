"""Zip files of platforms, of learners and of attackers."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.grading import archives, discovery
from course_lib.grading.archives import Archives
from course_lib.grading.discovery import ENDINGS, discover
from course_lib.grading.gradebook import grade
from course_lib.sandbox import run

from .conftest import RIGHT, notebook, rows

GOOD = notebook(RIGHT["mse"])
MOODLE = "TL101-Lesson 1-44120"


def packed(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def listed(names: list[str], count: int | None = None) -> bytes:
    """A zip file that is only the list of its files, and may tell another number of them."""
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 2048, *[0] * 6, len(name), *[0] * 6)
        + name
        for name in (written.encode() for written in names)
    )
    told = (len(names) if count is None else count) & 0xFFFF
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(entries), 0, 0)


def found(path: Path) -> tuple[dict[str, str], list[str]]:
    """Learner of each submission, and the notes."""
    with Archives(ENDINGS) as opened:
        sources, notes = discover([path], opened)
        assert all(source.trouble or source.path.read_bytes() for source in sources)
    assert not any(
        source.path.exists() for source in sources if not source.path.is_relative_to(path)
    )
    return {source.id: source.learner for source in sources}, notes


def troubles(path: Path) -> dict[str, str]:
    """Why the submissions of a learner cannot be unpacked."""
    with Archives(ENDINGS) as opened:
        return {one.learner: one.trouble for one in discover([path], opened)[0] if one.trouble}


def test_a_download_is_graded_as_it_is(tmp_path: Path) -> None:
    download = tmp_path / f"{MOODLE}.zip"
    files = {
        "Meyer Anna_903411_assignsubmission_file/01_losses.ipynb": GOOD,
        "王 小明_903412_assignsubmission_file/lesson/01.ipynb": GOOD,
        "王 小明_903412_assignsubmission_file/lesson/figure.png": b"PNG",
        "Kim B_903413_assignsubmission_file/all.zip": packed(
            {"__MACOSX/._x.ipynb": b"?", "x.ipynb": GOOD}
        ),
        "Lee C_903414_assignsubmission_file/report.pdf": b"%PDF",
    }
    download.write_bytes(packed(files))
    summary = grade([download], tmp_path / "out", seed=1)
    table = rows((tmp_path / "out/gradebook.csv").read_text("utf-8"))
    assert {row["learner"]: row["mse"] for row in table} == {
        "Meyer Anna_903411": "1",
        "王 小明_903412": "1",
        "Kim B_903413": "1",
    }
    assert summary.notes == (
        f"“{download}/Lee C_903414_assignsubmission_file” holds no notebook to grade (but "
        "“report.pdf”) and was skipped; if it was handed in, ask for the .ipynb file.",
        "Beside notebooks one file of kind .png was skipped: "
        f"“{download}/王 小明_903412_assignsubmission_file/lesson/figure.png”.",
    )
    again = grade([download], tmp_path / "out", resume=True)
    assert again.notes[-1] == "3 of 3 were graded before and kept."


def test_whose_the_files_in_archives_are(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    for name, files in {
        "anna": {"01_losses.ipynb": GOOD},
        "ben": {"week 1/01_losses.ipynb": GOOD, "week 2/02.ipynb": GOOD},
        "carl": {"carl/course/notebooks/01_losses.ipynb": GOOD},
    }.items():
        (place / f"{name}.zip").write_bytes(packed(files))
    assert set(found(place)[0].values()) == {"anna", "ben", "carl"}
    canvas = tmp_path / "submissions.zip"
    canvas.write_bytes(
        packed(
            {
                "annam_345_678901_01.ipynb": GOOD,
                "benk_LATE_346_678902_01.zip": packed({"01/01.ipynb": GOOD}),
            }
        )
    )
    assert set(found(canvas)[0].values()) == {"annam_345", "benk_346"}


def test_names_from_a_mac(tmp_path: Path) -> None:
    """They are UTF-8, and the archive does not say so."""
    name = "Zoë.ipynb"
    data = packed({name: GOOD})
    flags = struct.pack("<H", 0x800)
    assert data.count(flags) >= 2
    (tmp_path / "x.zip").write_bytes(data.replace(b"\x14\0" + flags, b"\x14\0\0\0"))
    assert zipfile.ZipFile(tmp_path / "x.zip").namelist() != [name]
    assert set(found(tmp_path / "x.zip")[0].values()) == {"Zoë"}


def test_several_downloads_side_by_side(tmp_path: Path) -> None:
    """And somebody hands in a zip of two notebooks."""
    two = packed({"a.ipynb": GOOD, "b.ipynb": GOOD})
    canvas = {"meyeranna_345_678901_work.zip": two, "kimb_346_678902_01.ipynb": GOOD}
    (tmp_path / "canvas.zip").write_bytes(packed(canvas))
    moodle = {"Lee C_903414_assignsubmission_file/01.ipynb": GOOD}
    (tmp_path / f"{MOODLE}.zip").write_bytes(packed(moodle))
    learners, notes = found(tmp_path)
    assert set(learners.values()) == {"meyeranna_345", "kimb_346", "Lee C_903414"}
    assert not notes


def test_blind_marking_is_no_confusion(tmp_path: Path) -> None:
    files = {f"Participant_{n}_assignsubmission_file/01.ipynb": GOOD for n in range(101, 105)}
    (tmp_path / f"{MOODLE}.zip").write_bytes(packed(files))
    learners, notes = found(tmp_path / f"{MOODLE}.zip")
    assert len(set(learners.values())) == 4
    assert not notes


@pytest.mark.parametrize(
    "name",
    ["../evil.ipynb", "/etc/evil.ipynb", "a/../../evil.ipynb", "..\\evil.ipynb", "C:\\evil.ipynb"],
)
def test_nothing_leaves_its_folder(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "in" / "class.zip"
    archive.parent.mkdir()
    archive.write_bytes(packed({name: GOOD, "anna.ipynb": GOOD}))
    learners, (note,) = found(archive)
    assert set(learners.values()) == {"anna"}
    assert note == f"“{archive}/{name}” would lie outside of the archive and was skipped."
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "class.zip"]


@pytest.mark.parametrize("name", ["", "\0x.ipynb", "/", "."])
def test_a_file_without_a_name_costs_nothing_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "anna.ipynb").write_bytes(GOOD)
    (tmp_path / "bob.zip").write_bytes(listed([name]))
    learners, notes = found(tmp_path)
    assert set(learners.values()) == {"anna"}
    if name != "/":
        what = "holds something without a name, which was skipped."
        assert notes[0] == f"“{tmp_path / 'bob.zip'}” {what}"


@pytest.mark.parametrize(
    "name", ["Lesson 1: losses.ipynb", "work 12:30/01_losses.ipynb", "C:01_losses.ipynb"]
)
@pytest.mark.parametrize("windows", [False, True])
def test_signs_that_a_system_does_not_allow_cost_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, windows: bool
) -> None:
    if windows:
        monkeypatch.setattr(archives, "_SIGNS", {ord(":"): "_"})
    elif os.name == "nt":
        pytest.skip("Windows allows no colon")
    (tmp_path / "bob.zip").write_bytes(packed({name: GOOD}))
    learners, _ = found(tmp_path)
    shown = name.removesuffix(".ipynb")
    assert learners == {f"bob/{shown.replace(':', '_') if windows else shown}": "bob"}


@pytest.mark.skipif(os.name == "nt", reason="names of files are bytes on POSIX only")
def test_a_system_without_all_letters_unpacks_all_names(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(packed({"王/01.ipynb": GOOD, "anna/01.ipynb": GOOD}))
    program = (
        "import json, pathlib, sys\n"
        "from course_lib.grading.archives import Archives\n"
        "from course_lib.grading.discovery import ENDINGS, discover\n"
        "from course_lib.grading.report import file_names\n"
        "with Archives(ENDINGS) as archives:\n"
        "    sources, _ = discover([pathlib.Path(sys.argv[1])], archives)\n"
        "    for file in file_names(source.learner for source in sources).values():\n"
        "        pathlib.Path(file).touch()\n"
        "print(json.dumps([source.learner for source in sources]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "all.zip")],
        cwd=tmp_path,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == ["anna", "王"]


def test_links_and_twins_and_depths(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("ben.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("anna.ipynb", GOOD)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("anna.ipynb", GOOD)
        archive.writestr("x/" * 50 + "deep.ipynb", GOOD)
    learners, notes = found(tmp_path / "x.zip")
    assert set(learners.values()) == {"anna"}
    assert any("ben.ipynb” is a symbolic link" in note for note in notes)
    assert any("anna (2).ipynb” is so called here, as its own" in note for note in notes)
    assert any("deep.ipynb” lies too deep" in note for note in notes)


def test_twins_are_numbered_without_trying_all_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    whole = Path.open

    def counted(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        tried.extend([path.name] if mode == "xb" else [])
        return whole(path, mode, *more, **options)

    monkeypatch.setattr(Path, "open", counted)
    (tmp_path / "bob.zip").write_bytes(listed(["x"] * 300))
    with pytest.raises(UsageError, match=r"no notebook to grade"):
        found(tmp_path)
    assert len(tried) < 700


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([".."] * 200, "/..”, “"),
        (
            [f"../{n}" for n in range(200)],
            "/../0”, “{0}/../1”, “{0}/../2”, “{0}/../3”, “{0}/../4”",
        ),
        (["x"] * 200, "/x (2)”, “{0}/x (3)”"),
        (["x/" * 50 + f"{n}.ipynb" for n in range(200)], "/0.ipynb”, “{0}/1.ipynb”"),
        ([f"a/{n}/.ipynb_checkpoints/x" for n in range(90)], "/a/0/.ipynb_checkpoints”"),
        ([f"a/.{n}/x.ipynb" for n in range(90)], "/a/.0”, “{0}/a/.1”"),
        ([f"x.{n}" for n in range(100)], "3 files of kind .0 were skipped"),
        ([f"a_{n}_assignsubmission_file/x.txt" for n in range(120)], "one file of kind .png"),
    ],
)
def test_an_archive_does_not_flood_the_notes(tmp_path: Path, names: list[str], said: str) -> None:
    (tmp_path / "anna.ipynb").write_bytes(GOOD)
    inner = packed({f"{n}.zip": listed(names) for n in range(3)} | {"a/b/c.ipynb": GOOD})
    (tmp_path / "bob.zip").write_bytes(inner)
    (tmp_path / "carl.zip").write_bytes(packed({"01.ipynb": GOOD, "x.png": b""}))
    learners, notes = found(tmp_path)
    assert {"anna", "bob", "carl"} == set(learners.values())
    people = archives.MAX_NOTEBOOKS if "assignsubmission" in names[0] else 0
    assert len(notes) <= people + 23
    assert sum(map(len, notes)) < 2000 + 400 * len(notes)
    assert any(said.format(tmp_path / "bob.zip/0.zip") in note for note in notes)


@pytest.mark.parametrize("count", [None, 3])
@pytest.mark.parametrize(
    ("names", "more"),
    [
        (["x"] * (archives.MAX_FILES + 1), "50000 files"),
        (["x" * 60_000] * 400, "20 MB of names"),
    ],
    ids=["files", "names"],
)
def test_a_list_without_end_is_not_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    more: str,
    count: int | None,
) -> None:
    """Whatever number of files it tells."""
    (tmp_path / "anna.ipynb").write_bytes(GOOD)
    (tmp_path / "bob.zip").write_bytes(packed({"i.zip": listed(names, count), "x.ipynb": GOOD}))
    whole = zipfile.ZipInfo.__init__

    def few(info: zipfile.ZipInfo, name: str = "", *more: Any) -> None:
        assert name in ("i.zip", "x.ipynb")
        whole(info, name, *more)

    monkeypatch.setattr(zipfile.ZipInfo, "__init__", few)
    learners, (note,) = found(tmp_path)
    assert set(learners.values()) == {"anna", "bob"}
    assert f"bob.zip/i.zip” holds more than {more}" in note


@pytest.mark.parametrize("name", ["{}.txt", "{}/x.txt"], ids=["files", "folders"])
def test_archives_in_archives_share_the_number_of_files_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    what = "folders" if "/" in name else "files"
    small = packed({name.format(n): b"" for n in range(30)})
    inner = packed({f"{n}.zip": small for n in range(5)} | {"01.ipynb": GOOD})
    for learner in ("bob", "carl"):
        (tmp_path / f"{learner}.zip").write_bytes(inner)
    whole = archives._Allowance.__init__

    def less(allowed: archives._Allowance, *given: Any) -> None:
        whole(allowed, *given)
        setattr(allowed, what, 100)

    monkeypatch.setattr(archives._Allowance, "__init__", less)
    learners, notes = found(tmp_path)
    assert set(learners.values()) == {"bob", "carl"}
    assert sum(f"{what} with the archives around it" in note for note in notes) == 4


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "LZMA"])
def test_what_would_be_unpacked_at_once_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    with zipfile.ZipFile(tmp_path / "bob.zip", "w", way) as archive:
        archive.writestr("01.ipynb", bytes(1 << 20))

    def read(*_: object) -> bytes:
        raise AssertionError("it is not to be read")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    with Archives(ENDINGS) as opened:
        (source,), _ = discover([tmp_path], opened)
    assert source.trouble == (
        "It cannot be unpacked from its archive: it is packed by another method than Deflate. "
        "Hand in the notebook itself, NAME.ipynb."
    )


def test_no_page_holds_what_controls_a_screen(tmp_path: Path) -> None:
    place = tmp_path / "class"
    place.mkdir()
    (place / "anna.ipynb").write_bytes(GOOD)
    for name in ("bob\x1b[31m\u202e.zip", "eve\n\x85x.zip"):
        (place / name).write_bytes(b"PK\3\4nonsense")
    with Archives(ENDINGS) as opened:
        sources, _ = discover([place], opened)
    told = [source.trouble for source in sources if source.trouble]
    assert len(told) == 2
    assert all(trouble.isprintable() for trouble in told)


def test_bombs_cost_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "class").mkdir()
    bomb = tmp_path / "class" / "bomb.zip"
    bomb.write_bytes(packed({"a.ipynb": bytes(5_000_000)}))
    (tmp_path / "class/anna.ipynb").write_bytes(GOOD)
    for name in ("MAX_BYTES", "MAX_HANDED_IN"):
        monkeypatch.setattr(discovery, name, 1 << 20)
    with pytest.raises(UsageError, match="holds more than 1 MB: unpack it yourself"):
        found(bomb)
    (tmp_path / "class/carl.zip").write_bytes(packed({"01.ipynb": GOOD}))
    learners, _ = found(tmp_path / "class")
    assert set(learners.values()) == {"anna", "carl", "bomb"}  # it costs nobody else anything
    assert troubles(tmp_path / "class")["bomb"].startswith("“bomb.zip” holds more than 1 MB")
    nested = GOOD
    for _ in range(5):
        nested = packed({"again.zip": nested})
    bomb.write_bytes(nested)
    learners, _ = found(tmp_path / "class")
    assert set(learners.values()) == {"anna", "carl", "bomb"}
    assert "lies in too many archives" in troubles(tmp_path / "class")["bomb"]


@pytest.mark.parametrize("name", ["anna.zip", "anna/lesson.zip", "anna/lesson/01.zip"])
@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_damaged_archive_is_a_sentence(tmp_path: Path, cut: int, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(packed({"01.ipynb": GOOD})[:cut])
    (tmp_path / "ben.ipynb").write_bytes(GOOD)
    learners, notes = found(tmp_path)
    assert set(learners.values()) == {"anna", "ben"}
    assert not notes
    said = troubles(tmp_path)["anna"]
    assert said.startswith(f"“{Path(name).name}” is no zip file that can be read: ")
    assert said.endswith("Hand in the notebook itself, NAME.ipynb.")
    (tmp_path / "anna").mkdir(exist_ok=True)
    (tmp_path / "anna/02.ipynb").write_bytes(GOOD)  # beside it, that is all she needs
    assert set(troubles(tmp_path)) == set()
    learners, (note,) = found(tmp_path)
    assert set(learners.values()) == {"anna", "ben"}
    assert note.startswith(f"“{tmp_path / name}” is no zip file that can be read: ")
    with pytest.raises(UsageError, match="no zip file that can be read"):
        found(tmp_path / name)


@pytest.mark.parametrize(
    "way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_a_damaged_file_in_an_archive_is_told_truly(tmp_path: Path, way: int, at: float) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", way) as archive:
        archive.writestr("01.ipynb", GOOD)
        end = archive.infolist()[0].compress_size
    damaged = bytearray(data.getvalue())
    place = 38 + int(at * end)
    damaged[place : place + 8] = b"\xff\x00\xff\x00\xff\x00\xff\x00"
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "anna.zip").write_bytes(damaged)
    (folder / "ben.ipynb").write_bytes(GOOD)
    grade([folder], tmp_path / "out", seed=1)
    anna, ben = rows((tmp_path / "out/gradebook.csv").read_text("utf-8"))
    assert (anna["learner"], ben["learner"], ben["mse"]) == ("anna", "ben", "1")
    page = (tmp_path / "out/feedback/anna.html").read_text("utf-8")
    assert "It cannot be unpacked from its archive: " in page
    assert "empty" not in page


def test_of_a_file_behind_a_password_that_is_said(tmp_path: Path) -> None:
    data = bytearray(packed({"01.ipynb": GOOD}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    (tmp_path / "anna.zip").write_bytes(data)
    with Archives(ENDINGS) as opened:
        (source,), notes = discover([tmp_path], opened)
        assert source.trouble.startswith(
            "It cannot be unpacked from its archive: it is protected by a password."
        )
    assert not notes


def test_archives_in_archives_share_what_one_may_hand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "MAX_HANDED_IN", 1 << 20)
    large = packed({"a.ipynb": bytes(700_000)})
    (tmp_path / "anna.zip").write_bytes(packed({f"{n}.zip": large for n in range(4)}))
    (tmp_path / "ben.zip").write_bytes(packed({"01.ipynb": GOOD}))
    with Archives(ENDINGS) as opened:
        sources, notes = discover([tmp_path], opened)
        unpacked = sum(source.path.stat().st_size for source in sources)
    assert unpacked < 1 << 20
    assert "ben" in {source.learner for source in sources}
    assert sum("holds more than 1 MB with the archives around it" in note for note in notes) == 3


@pytest.mark.parametrize("packs", [False, True])
def test_nobody_hands_in_hundreds(tmp_path: Path, packs: bool) -> None:
    few = packed({"x.txt": b""})
    many = (
        {f"{n}.zip": few for n in range(400)}
        if packs
        else dict.fromkeys(map(_name, range(400)), GOOD)
    )
    (tmp_path / "anna.zip").write_bytes(packed(many))
    (tmp_path / "ben.ipynb").write_bytes(GOOD)
    learners, _ = found(tmp_path)
    assert set(learners.values()) == {"anna", "ben"}
    assert "holds more than 300 files" in troubles(tmp_path)["anna"]


def _name(number: int) -> str:
    return f"{number}.ipynb"


def test_a_download_is_nobody_s_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One notebook may be graded without isolation, as it is one's own; a class may not."""
    (tmp_path / "class.zip").write_bytes(packed({"anna.ipynb": GOOD, "ben.ipynb": GOOD}))
    refused = CourseError("no isolation")

    def refuse(missing: object) -> None:
        raise refused

    monkeypatch.setattr(run, "require_isolation", refuse)
    with pytest.raises(CourseError) as told:
        grade([tmp_path / "class.zip"], tmp_path / "out")
    assert told.value is refused


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("张三", "gbk"),
        ("王小明_101_assignsubmission_file_", "gbk"),
        ("佐藤 さくら", "cp932"),
        ("Иван Петров", "cp866"),
        ("Zoë Müller", "cp437"),
        ("Größe", "utf-8"),
    ],
)
def test_names_in_the_encoding_of_a_country(tmp_path: Path, name: str, encoding: str) -> None:
    """As archives hold them that do not say which it is."""
    plain = "x" * len(name.encode(encoding))
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr(f"{plain}/01_losses.ipynb", GOOD)
        archive.writestr("ben/01_losses.ipynb", GOOD)
    data = (tmp_path / "class.zip").read_bytes()
    (tmp_path / "class.zip").write_bytes(data.replace(plain.encode(), name.encode(encoding)))
    with Archives(ENDINGS) as opened:
        found, _ = discover([tmp_path / "class.zip"], opened)
    assert {source.learner.partition("_")[0] for source in found} == {name.partition("_")[0], "ben"}
