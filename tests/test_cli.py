"""The `course` command: names, one sentence for what a person can mend, and its statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

from course_lib import cli, lessons
from course_lib.authoring import build
from course_lib.errors import CourseError, UsageError
from course_lib.learner import doctor, lab

SOURCE = """\
# ---
# jupyter:
#   course:
#     title: {title}
#     minutes: 5
#     able: "count | to two"
# ---

# %%
{code}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of a page and two lessons, the second of which fails."""
    for edition in lessons.EDITIONS:
        (tmp_path / edition).mkdir()
    codes = {"00_start_here": "'page'", "01_losses": "1 + 1", "02_regularization": "1 / 0"}
    for name, code in codes.items():
        source = SOURCE.format(title=name[3:].title(), code=code)
        if name.startswith("00"):
            source = source.replace("minutes", "page: true\n#     minutes")
        (tmp_path / "solutions" / f"{name}.py").write_text(source, encoding="utf-8")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.setattr(lessons, "root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Call:
    """One call of the command: its status and what it wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["course", *arguments])
            with pytest.raises(SystemExit) as ended:
                cli.main()
        self.status = ended.value.code or 0
        self.out, self.err = capsys.readouterr()

    @property
    def sentence(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


# --- lessons and their names -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["01", "1", "losses", "Losses", "01_losses", "01_losses.ipynb", "solutions/01_losses.py",
     r"notebooks\01_losses.ipynb"],
)  # fmt: skip
def test_a_lesson_has_many_names(project: Path, name: str) -> None:
    found = lessons.find(name)
    assert found == lessons.Lesson("01_losses", "Losses", 5, "count | to two", project)
    assert found.notebook("notebooks") == project / "notebooks" / "01_losses.ipynb"
    assert found.source == project / "solutions" / "01_losses.py"
    assert found.editions == lessons.EDITIONS


def test_a_file_elsewhere_is_not_taken_for_the_lesson_of_its_name(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "notebooks")
    assert lessons.find("01_losses.ipynb") == lessons.find("../solutions/01_losses.py")
    (project / "mine").mkdir()
    monkeypatch.chdir(project / "mine")
    Path("01_losses.ipynb").touch()
    with pytest.raises(UsageError, match=r"“01_losses\.ipynb” is not the course's own file, which"):
        lessons.find("01_losses.ipynb")


@pytest.mark.parametrize("name", ["00", "0", "start_here", "notebooks/00_start_here.ipynb"])
def test_a_page_is_no_lesson_but_can_be_named(project: Path, name: str) -> None:
    page = lessons.find(name)
    assert page.is_page
    assert page.editions == ("notebooks",)
    assert lessons.pages() == [page]
    assert page not in lessons.lessons()
    assert page not in lessons.chosen([])
    assert lessons.chosen(["01", name]) == [page, lessons.find("01")]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("loses", "“01_losses”"), ("02_regularizations", "“02_regularization”"),
     ("nonsense", "there are 00_start_here, 01_losses, 02_regularization."),
     ("11", "there are 00_start_here, 01_losses, 02_regularization.")],
)  # fmt: skip
def test_an_unknown_lesson_names_the_nearest(project: Path, name: str, nearest: str) -> None:
    with pytest.raises(UsageError) as raised:
        lessons.find(name)
    assert f"“{name}”" in str(raised.value)
    assert nearest in str(raised.value)


def test_chosen_lessons_come_once_and_in_the_order_of_teaching(project: Path) -> None:
    everything = [lesson.name for lesson in lessons.lessons()]
    assert everything == ["01_losses", "02_regularization"]
    assert [lesson.name for lesson in lessons.chosen(["2", "losses", "01"])] == everything
    assert [lesson.name for lesson in lessons.chosen([])] == everything


@pytest.mark.parametrize(
    "text",
    ["", "# %%\n1", "# ---\n# a: [\n# ---\n", "# ---\n# jupyter: {course: {title: A}}\n# ---\n",
     "# ---\n# 3\n# ---\n"],
)  # fmt: skip
def test_a_source_without_its_facts_is_named(project: Path, text: str) -> None:
    (project / "solutions" / "03_sgd.py").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"03_sgd\.py .* header needs"):
        lessons.lessons()


def test_a_source_that_cannot_be_read_is_named(project: Path) -> None:
    broken = project / "solutions" / "03_sgd.py"
    broken.write_bytes(b"# \xff")
    with pytest.raises(
        CourseError, match=r"03_sgd\.py cannot be read \(it is not UTF-8 text\): re"
    ):
        lessons.lessons()
    broken.unlink()
    broken.mkdir()
    with pytest.raises(CourseError, match=r"03_sgd\.py cannot be read \(.+\): restore"):
        lessons.lessons()


@pytest.mark.parametrize(
    ("numbers", "told"),
    [("", "no lesson"), ("3", "lesson 03"), ("56", "lessons 05 and 06"),
     ("1234", "lessons 01 to 04"), ("643219", "lessons 01 to 04, 06 and 09")],
)  # fmt: skip
def test_lessons_are_counted_up_in_words(tmp_path: Path, numbers: str, told: str) -> None:
    some = [lessons.Lesson(f"0{number}_a", "", 1, "", tmp_path) for number in numbers]
    assert lessons.numbered(some) == told


def test_a_package_without_lessons_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lessons, "__file__", str(tmp_path / "site" / "course_lib" / "lessons.py"))
    with pytest.raises(CourseError, match=r"pip install .* -e"):
        lessons.root()


# --- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["labb"], "No such command 'labb'. Did you mean 'lab'? (`course --help` tells more)."),
        (["help"], "No such command 'help' (`course --help` tells more)."),
        (["--verison"], "Did you mean '--version'?"),
        (["--version=2"], "'--version' does not take a value"),
        (["run", "01_loses"], "There is no lesson “01_loses”: did you mean “01_losses”?"),
        (["lab", "loses"], "There is no lesson “loses”: did you mean “01_losses”?"),
        (["build", "loses"], "There is no lesson “loses”: did you mean “01_losses”?"),
        (["lab", "01", "02"], "One lesson at a time: “02” is one too many."),
        (["lab", "--port", "1"], "No such option '--port' (`course lab --help` tells more)."),
        (["run", "--jobs", "0"], "'--jobs': 0 is not in the range x>=1"),
        (["run", "--edition", "solution"], "is not one of 'notebooks', 'solutions'"),
        (["run", "--json", ""], "'--json': the path is empty"),
        (["grade"], "Missing argument 'PATH ...' (`course grade --help` tells more)."),
        (["grade", "."], "Missing option '--out' (`course grade --help` tells more)."),
        (["grade", ".", "--out", "b", "--seed", "-1"], "'--seed': -1 is not in the range x>=0"),
        (["grade", "no-such-folder", "--out", "out"], "Path 'no-such-folder' does not exist"),
        (["grade", ".", "--out", ""], "'--out': the path is empty"),
        (["grade", "", "--out", "b"], "Path '' does not exist"),
        (["doctor", "please"], "Got unexpected extra argument (please)"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    call = Call(capsys, *arguments)
    assert call.status == 2
    assert said in call.sentence
    assert call.out == ""


def test_run_fails_if_a_lesson_does(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = project / "report.json"
    call = Call(capsys, "run", "--jobs", "2", "--json", str(report))
    assert call.status == 1
    assert "02_regularization failed: cell 1, `1 / 0`: ZeroDivisionError" in call.out
    assert report.is_file()
    assert Call(capsys, "run", "losses").status == 0


def test_grade_ends_in_a_summary(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    submissions = tmp_path / "submissions"
    submissions.mkdir()
    answer = "def mse(predictions, targets):\n    return float(((predictions - targets)**2).mean())"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(answer)])
    nbformat.write(notebook, submissions / "ann.ipynb")
    (submissions / "bob.ipynb").write_text("{", encoding="utf-8")
    out = tmp_path / "out"
    call = Call(capsys, "grade", str(submissions), "--out", str(out), "--seed", "3")
    assert call.status == 0
    assert "1 graded, 1 unreadable; seed 3" in call.out
    assert str(out / "gradebook.csv") in call.out.splitlines()


def test_build_check_tells_drift(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from course_lib.authoring import build

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "drift", lambda: ["notebooks/01_losses.ipynb is stale."])
        call = Call(capsys, "build", "--check")
        assert (call.status, call.out.splitlines()[0]) == (1, "notebooks/01_losses.ipynb is stale.")
        patch.setattr(build, "drift", list)
        assert Call(capsys, "build", "--check").status == 0


def test_doctor_fails_if_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [doctor.Finding("ok", "Python"), doctor.Finding("note", "no GPU")]
    monkeypatch.setattr(doctor, "ALL", (lambda: found,))
    assert Call(capsys, "doctor").status == 0
    found.append(doctor.Finding("missing", "package keras", "pip install keras"))
    call = Call(capsys, "doctor")
    assert call.status == 1
    assert "missing package keras\n        -> pip install keras\n" in call.out


def test_build_without_names_builds_pages_too(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from course_lib.authoring import build

    asked: list[list[str]] = []

    def built(chosen: Sequence[lessons.Lesson], _: object) -> list[Path]:
        asked.append([each.name for each in chosen])
        return []

    monkeypatch.setattr(build, "build", built)
    assert Call(capsys, "build").status == Call(capsys, "build", "00").status == 0
    assert asked == [[], ["00_start_here"]]  # no names: everything


def test_an_interrupt_is_one_sentence_and_status_130(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "open_lab", interrupted)
    before = signal.getsignal(signal.SIGINT)
    try:
        call = Call(capsys, "lab")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # it is ending already
    finally:
        signal.signal(signal.SIGINT, before)
    assert call.status == 130
    assert call.err.strip().startswith("Interrupted")


def test_help_is_quick_because_it_imports_little() -> None:
    program = (
        "import sys\nfrom course_lib.cli import main\nsys.argv = ['course', '--help']\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    look = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert look.returncode == 0
    for verb in ("lab", "doctor", "run", "grade", "build", "fetch", "progress"):
        assert f"  {verb} " in look.stdout
    assert "..." not in look.stdout.split("Commands:")[1]  # no sentence is cut off
    assert look.stdout.index("  lab ") < look.stdout.index("  build ")
    slow = {"numpy", "keras", "nbformat", "jupytext", "matplotlib", "rich", "psutil", "yaml"}
    assert slow.isdisjoint(look.stderr.split())


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_nothing_is_said_of_a_reader_that_has_gone() -> None:
    """As in `course doctor | head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "from course_lib.cli import main; main()"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""


def test_names_that_a_pipe_cannot_encode_are_escaped(tmp_path: Path) -> None:
    """As on Windows, where a pipe has the encoding of the country."""
    (tmp_path / "class").mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("def mse(p, t): return 0")]
    )
    nbformat.write(notebook, tmp_path / "class" / "ann.ipynb")
    (tmp_path / "class" / "王.txt").touch()
    program = "from course_lib.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "grade", "class", "--out", "grades"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
    )
    assert done.returncode == 0
    assert "\\u738b.txt” is not a notebook and was skipped;" in done.stdout.decode("cp1252")


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
def test_no_sentence_controls_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b]0;title\x07\x1b[31m\u202ex.ipynb"
    (tmp_path / name).symlink_to(tmp_path / "x")
    for path in (tmp_path, tmp_path / name):
        call = Call(capsys, "grade", str(path), "--out", str(tmp_path / "out"))
        assert call.status != 0
        assert call.sentence.isprintable()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_sentence() -> None:
    command = [sys.executable, "-c", "from course_lib.cli import main; main()"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "[Errno 28] No space left on device: make room, then try again.\n"


# --- lab ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "lesson", "options"),
    [
        ([], "00_start_here", ()),
        (["02"], "02_regularization", ()),
        (["02", "--", "--port", "9999"], "02_regularization", ("--port", "9999")),
        (["--", "--port=9999"], "00_start_here", ("--port=9999",)),
    ],
)
def test_lab_opens_a_lesson_and_hands_options_on(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    lesson: str,
    options: tuple[str, ...],
) -> None:
    opened = []
    monkeypatch.setattr(lab, "open_lab", lambda *what: opened.append(what))
    assert Call(capsys, "lab", *arguments).status == 0
    ((named, handed_on, edition),) = opened
    assert (named.name, handed_on, edition) == (lesson, options, "notebooks")


def test_lab_says_when_the_notebook_is_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "notebooks" / "02_regularization.ipynb").unlink()
    call = Call(capsys, "lab", "02")
    assert call.status == 1
    assert call.sentence.endswith("02_regularization.ipynb is missing: run `course reset 02`.")


def test_reset_says_where_the_answers_are(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Path("notebooks/01_losses-kept.ipynb"), Path("notebooks/01_losses.ipynb")]
    monkeypatch.setattr(build, "reset", lambda chosen: files if chosen[0].number == "01" else [])
    call = Call(capsys, "reset", "losses")
    assert call.status == 0
    assert f"{files[0]} holds your answers\n{files[1]} is as it was at first\n" in call.out
    assert "Reload Notebook from Disk" in call.out
    assert "Nothing was changed" in Call(capsys, "reset", "02").out
    assert Call(capsys, "reset").status == 2


def test_lab_opens_the_solved_lesson(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        lab, "open_lab", lambda one, options, edition: opened.append((one.name, edition))
    )
    for arguments in (("01",), ("--solution", "01"), ("01", "--solution")):
        Call(capsys, "lab", *arguments)
    assert [edition for *_, edition in opened] == ["notebooks", "solutions", "solutions"]
    call = Call(capsys, "lab", "--solution")
    assert (call.status, len(opened)) == (2, 3)
    assert "Which lesson's solution?" in call.sentence


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named so on Linux")
def test_without_a_display_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not lab.has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.get", lambda: object())
    assert lab.has_browser()


@pytest.mark.skipif(os.name == "nt", reason="shells close handles there in other ways")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_lose_nothing(tmp_path: Path, closed: str) -> None:
    """The next file that is opened would take their place."""
    place = tmp_path / "anna.ipynb"
    cell = {"cell_type": "code", "source": "def mse(p, t): return 0", "metadata": {}}
    place.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    command = f"{sys.executable} -m course_lib.cli grade anna.ipynb --out out {closed}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, check=False)
    assert done.returncode == 0
    (line,) = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert json.loads(line)["status"] == "graded"
    assert (tmp_path / "out/summary.html").is_file()
