"""Killed, full or doubled: what was graded stays, and nothing is mixed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.grading.gradebook import grade
from course_lib.grading.results import Results

from .conftest import RIGHT, answers, in_own_words, notebook, reports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX"),
]

Folder = Callable[..., Path]
GOOD = notebook(*answers())
MISTAKES = (
    "def mse(p, t):\n    return np.mean((p - t) ** 2) / 2",
    "def mse(p, t):\n    return 1 / 0",
)


def command(place: Path, out: Path, *options: str) -> list[str]:
    main = "import sys; from course_lib.cli import main; sys.argv[0] = 'course'; main()"
    return [sys.executable, "-c", main, "grade", str(place), "--out", str(out), *options]


def run(place: Path, out: Path, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
    arguments = command(place, out, *options)
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, **more)  # type: ignore[call-overload,no-any-return]


def bodies(out: Path) -> dict[str, bytes]:
    return {name: text.split(b"<footer>")[0] for name, text in reports(out).items()}


def whole_lines(out: Path) -> int:
    try:
        return (out / "results.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def one_sentence(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


@pytest.fixture(scope="module")
def a_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve notebooks: right, wrong in two ways, untouched, broken."""
    blank = [f"def {name}(*a):\n    raise NotImplementedError" for name in RIGHT]
    kinds = [answers(), *(answers(mse=mistake) for mistake in MISTAKES), blank, [], answers()]
    place = tmp_path_factory.mktemp("class")
    for n in range(12):
        cells = in_own_words(kinds[n % len(kinds)], n)
        (place / f"learner{n:02}.ipynb").write_bytes(notebook(*cells) if cells else b"{")
    return place


@pytest.fixture(scope="module")
def whole(a_class: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes of it undisturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    grade([a_class], out, seed=5, jobs=1)
    return out


def test_killed_at_random_moments_it_ends_as_if_undisturbed(
    a_class: Path, whole: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn"
    seed = random.SystemRandom().randrange(2**32)
    moments = random.Random(seed)
    kills = 0
    while True:
        process = subprocess.Popen(
            command(a_class, torn, "--seed", "5", "--jobs", "2", "--resume"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        before = whole_lines(torn)
        if kills < 4:
            wanted = before + moments.randrange(1, 4)
            while process.poll() is None and whole_lines(torn) < min(wanted, 12):
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
        _, said = process.communicate(timeout=120)
        assert whole_lines(torn) >= before
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said.decode()
        kills += 1
    assert kills, f"never killed (random seed {seed})"
    done = [json.loads(line) for line in (torn / "results.jsonl").read_text().splitlines()]
    assert [r["message"] for r in done if r["status"] == "crashed"] == []
    assert sorted(record["submission"] for record in done) == [f"learner{n:02}" for n in range(12)]
    assert reports(torn) == reports(whole), f"random seed {seed}"


def test_killed_while_the_reports_are_written(
    a_class: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn = tmp_path / "torn"
    replaced: list[Path] = []
    replace = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if len(replaced) == 7:
            raise KeyboardInterrupt
        replaced.append(target)
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            grade([a_class], torn, seed=5)
    written = reports(torn)
    assert len(written) == 7
    assert written.items() <= reports(whole).items()
    grade([a_class], torn, resume=True)
    assert reports(torn) == reports(whole)


def test_what_a_killed_run_has_half_written_is_removed(
    a_class: Path, whole: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn"
    (torn / "feedback").mkdir(parents=True)
    (torn / ".grades.csv.12-34.part").write_text("submission,exer")
    (torn / "feedback" / ".learner04.html.12-34.part").touch()
    grade([a_class], torn, seed=5)
    assert reports(torn) == reports(whole)


# --- a full disk ---------------------------------------------------------------------------------


def test_a_file_that_may_not_grow_stops_the_run(a_class: Path, whole: Path, tmp_path: Path) -> None:
    import resource

    out = tmp_path / "out"
    size = sum(map(len, (whole / "results.jsonl").read_bytes().splitlines(True)[:3])) + 100

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    stopped = run(a_class, out, "--seed", "5", "--jobs", "1", preexec_fn=limited)
    assert stopped.returncode == 1
    assert "cannot be written" in one_sentence(stopped.stderr)
    assert (out / "results.jsonl").read_bytes().endswith(b"\n")
    assert whole_lines(out) == 3
    assert reports(out) == {}
    assert run(a_class, out, "--resume").returncode == 0
    assert reports(out) == reports(whole)


def in_own_mounts(*script: str) -> Sequence[str]:
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", "\n".join(script))


def can_mount(place: Path) -> bool:
    try:
        mount = in_own_mounts(f"mount -t tmpfs -o size=4k tmpfs '{place}'")
        return subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("of_records", "more"), [(0.4, 0), (1, 30_000)], ids=["records", "reports"]
)
def test_a_disk_that_is_really_full(
    a_class: Path, whole: Path, tmp_path: Path, of_records: float, more: int
) -> None:
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("this machine lets nobody mount a small disk")
    size = int(of_records * (whole / "results.jsonl").stat().st_size) + more
    result = subprocess.run(
        in_own_mounts(
            f"mount -t tmpfs -o size={size} tmpfs '{disk}'",
            f"! {shlex.join(command(a_class, disk / 'out', '--jobs', '1', '--seed', '5'))}",
            f"cp -r '{disk}/out' '{copy}'",
            f"find '{copy}' -name '.*'",
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert "No space left on device" in one_sentence(result.stderr)
    assert result.stdout == ""  # no temporary file is left
    assert (copy / "results.jsonl").read_bytes().endswith(b"\n")
    assert 0 < whole_lines(copy) <= 12
    assert (whole_lines(copy) == 12) == bool(more)
    # (In mounts of its own a run has other limits, and the foot of each page says so.)
    assert bodies(copy).items() <= bodies(whole).items()
    grade([a_class], copy, resume=True)
    assert reports(copy) == reports(whole)


# --- two runs ------------------------------------------------------------------------------------


def test_two_runs_cannot_mix_and_a_dead_one_blocks_nobody(folder: Folder, tmp_path: Path) -> None:
    hangs = notebook("import time\nWAIT = time.sleep(25)\ndef mse(p, t): return WAIT")
    place, out = folder(a=GOOD, b=hangs), tmp_path / "out"
    first = subprocess.Popen(command(place, out, "--jobs", "1", "--seed", "1"))
    try:
        while whole_lines(out) < 1:
            assert first.poll() is None
            time.sleep(0.02)
        before = (out / "results.jsonl").read_bytes()
        for options in ((), ("--resume",)):
            second = run(place, out, *options)
            assert second.returncode == 2
            assert "Another run is writing to" in one_sentence(second.stderr)
        with pytest.raises(UsageError, match="Another run is writing to"):
            grade([place], out, resume=True)
        assert (out / "results.jsonl").read_bytes() == before
    finally:
        first.kill()
        first.wait()
    assert run(place / "a.ipynb", out, "--resume").returncode == 0


def test_two_runs_in_one_process(folder: Folder, tmp_path: Path) -> None:
    place, out = folder(a=GOOD), tmp_path / "out"

    def again(*_: object) -> None:
        with pytest.raises(UsageError, match="Another run is writing to"):
            grade([place], out, resume=True)

    assert grade([place], out, progress=again).graded == 1


def test_an_empty_file_of_results_blocks_nobody(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").touch()
    assert grade([folder(a=GOOD)], tmp_path).graded == 1


DAMAGE = {
    "status": ["borrect", None, 1, []],
    "learner": [[], None, 3],
    "message": [7, None, "\ud800"],
    "lesson": [3, []],
    "seed": ["x", -1, True, None, 1.5],
    "notes": [[1], 5, "ab", ["\ud800"], {}],
    "exercises": [5, [1], {}],
}
OF_AN_EXERCISE = {
    "status": ["borrect", None, []],
    "points": ["1", float("nan"), 1e308, -1, True, []],
    "max_points": [None, "x", float("inf")],
    "misconception": [["a"], 4],
    "message": [1, None, "\ud800"],
    "hints": [[1], 4, "ab", {"a": 1}],
    "exercise": [[], 1],
}


@pytest.mark.parametrize(
    ("inside", "field", "value"),
    [
        (inside, field, value)
        for inside, kinds in ((False, DAMAGE), (True, OF_AN_EXERCISE))
        for field, values in kinds.items()
        for value in values
    ],
)
def test_a_record_that_is_none_is_not_kept_but_the_others_are(
    whole: Path, tmp_path: Path, inside: bool, field: str, value: object
) -> None:
    first, *rest = (whole / "results.jsonl").read_text("utf-8").splitlines()
    record = json.loads(first)
    (record["exercises"][0] if inside else record)[field] = value
    lines = [json.dumps(record), *rest]
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    with Results(tmp_path, resume=True, seed=None) as results:
        assert results.damaged == [1]
    found = (tmp_path / "results.jsonl").read_text("utf-8").splitlines()
    assert list(map(json.loads, found)) == list(map(json.loads, rest))


NO_RECORDS = (
    *(b"null", b"[1]", b"{", b'"\xc3', b'{"a": 1}', b"\xff\xfe{\0}\0", b"7"),
    *(b"\0" * 500, b"[" * 100_000, b'{"exercises": [], "notes": []}'),
)


def test_what_is_whole_is_kept_beside_damaged_lines(
    a_class: Path, whole: Path, tmp_path: Path
) -> None:
    lines = (whole / "results.jsonl").read_bytes().splitlines(True)
    damaged = [part for line in lines for part in (b"\n", b"\0\n", line)]
    damaged[1::3] = [NO_RECORDS[n % len(NO_RECORDS)] + b"\n" for n in range(12)]
    damaged[5], damaged[-1] = lines[1][:80] + b"\n", lines[-1][:-9] + b"\n"
    (tmp_path / "results.jsonl").write_bytes(b"".join(damaged))
    notes = grade([a_class], tmp_path, resume=True).notes
    numbers = [*range(2, 36, 3), 6, 36]
    told = ", ".join(map(str, sorted(numbers)))
    assert (
        f"Lines {told} of results.jsonl were damaged: what stood there was graded again." in notes
    )
    assert "10 of 12 were graded before and kept." in notes
    assert reports(tmp_path) == reports(whole)
    done = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert sorted(record["submission"] for record in done) == [f"learner{n:02}" for n in range(12)]


@pytest.mark.parametrize("content", [b"null\n", b"\0\n[1]\n", "{}\n{}\n".encode("utf-16")])
def test_a_file_without_any_whole_record_is_not_overwritten(
    a_class: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "results.jsonl").write_bytes(content)
    with pytest.raises(CourseError, match=r"results.jsonl” holds no whole record .*: delete it"):
        grade([a_class], tmp_path, resume=True)
    assert (tmp_path / "results.jsonl").read_bytes() == content


@pytest.mark.parametrize("line", ["[1]", "{}", "3", '"x', "[" * 100_000])
def test_what_was_under_way_may_be_damaged(folder: Folder, tmp_path: Path, line: str) -> None:
    out = tmp_path / "out"
    place = folder(anna=GOOD)
    grade([place], out)
    (out / "under_way.txt").write_text(line + "\n", "utf-8")
    assert grade([place], out, resume=True).graded == 1


@pytest.mark.parametrize("name", ["results.jsonl", "under_way.txt"])
@pytest.mark.parametrize("through_link", [False, True])
def test_nobody_waits_for_a_pipe_in_place_of_a_file(
    folder: Folder, tmp_path: Path, name: str, through_link: bool
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    os.mkfifo(out / "pipe" if through_link else out / name)
    if through_link:
        (out / name).symlink_to(out / "pipe")
    done = run(folder(anna=GOOD), out, "--resume")
    assert done.returncode == 1
    said = one_sentence(done.stderr)
    assert said == f"“{out / name}” is no file: move it, or choose another folder with --out."
