"""The lock, the Binder folder, the licenses and the two commands of the README fit together."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_lib import __version__
from course_lib.learner.doctor import NEWEST, OLDEST
from course_lib.learner.lab import EXTENSIONS

ROOT = Path(__file__).parents[1]
LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "tests" / "requirements.lock"
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```bash\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
BOTH_LOCKS = pytest.mark.parametrize("lock", [LOCK, TEST_LOCK], ids=lambda lock: lock.parent.name)


def pins(lock: Path) -> list[Requirement]:
    """What a lock pins; markers kept, hashes dropped."""
    lines = re.findall(r"^([\w.-]+==[^\\\n]*)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return [Requirement(line) for line in lines]


def environment(version: tuple[int, int], system: str, machine: str) -> dict[str, str]:
    short = ".".join(map(str, version))
    return {
        "python_version": short,
        "python_full_version": f"{short}.13",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
        "platform_system": {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[system],
        "platform_machine": machine,
        "extra": "",
    }


ENVIRONMENTS = [
    environment((3, minor), system, machine)
    for minor in range(OLDEST[1], NEWEST[1] + 1)
    for system, machine in [
        ("linux", "x86_64"),
        ("linux", "aarch64"),
        ("darwin", "arm64"),
        ("win32", "AMD64"),
    ]
]


# --- locks -------------------------------------------------------------------------------------


@BOTH_LOCKS
def test_a_lock_names_no_address_and_no_folder(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"https?://|file:|--index-url|--find-links|(?<![\w.])/\w+", text) == []


@BOTH_LOCKS
def test_every_pin_has_hashes(lock: Path) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock)) > 100
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("lock", "extras"),
    [(LOCK, ("cpu", "offline")), (TEST_LOCK, ("cpu", "offline", "test", "book", "cluster"))],
    ids=["learners", "tests"],
)
@pytest.mark.parametrize(
    "environment",
    ENVIRONMENTS,
    ids=lambda e: f"{e['python_version']}-{e['sys_platform']}-{e['platform_machine']}",
)
def test_a_lock_satisfies_pyproject_everywhere(
    lock: Path, extras: tuple[str, ...], environment: dict[str, str]
) -> None:
    locked = {}
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(environment):
            name = canonicalize_name(pin.name)
            assert name not in locked, f"{name} is pinned twice"
            locked[name] = next(iter(pin.specifier)).version
    needed = [*PROJECT["dependencies"], *(each for extra in extras for each in EXTRAS[extra])]
    for requirement in map(Requirement, needed):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement.name} is not locked"
            assert requirement.specifier.contains(version), f"{requirement} has {version}"


def test_learners_get_the_same_versions_and_no_test_tools() -> None:
    learners, tests = ({(pin.name, str(pin)) for pin in pins(lock)} for lock in (LOCK, TEST_LOCK))
    assert learners < tests
    names = {name for name, _ in learners}
    assert names.isdisjoint({"pytest", "nbgrader", "mypy", "playwright", "sphinx", "distributed"})


# --- Binder ------------------------------------------------------------------------------------


def test_binder_installs_what_learners_install() -> None:
    """Without what the wheels in the lock ask for; a requirements.txt could not say so."""
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8").splitlines()
    installs = [line for line in script if line.startswith("pip ")]
    of_lock, of_course = COMMANDS[0].replace(" &&", "").splitlines()[2:0:-1]
    options = "pip install --no-cache-dir --no-deps"
    assert installs == [
        of_lock.replace("pip install --no-deps", options),
        of_course.replace("pip install --no-deps", options),
    ]
    assert {path.name for path in (ROOT / "binder").iterdir()} == {
        "postBuild",
        "runtime.txt",
        "start",
    }


def test_binder_runs_a_python_of_ours() -> None:
    runtime = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip()
    found = re.fullmatch(r"python-3\.(\d+)", runtime)
    assert found is not None
    assert OLDEST[1] <= int(found[1]) <= NEWEST[1]


@pytest.mark.skipif(sys.platform == "win32", reason="scripts for Linux")
@pytest.mark.parametrize("script", ["binder/postBuild", "binder/start", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_bytes().startswith(b"#!/bin/bash\n")
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux")
def test_start_hands_over_with_one_thread_and_the_smaller_network() -> None:
    show = (
        "import os, sys; e = os.environ; "
        "print(os.getpid(), e['OMP_NUM_THREADS'] + e['COURSE_OFFLINE'], *sys.argv[1:])"
    )
    with subprocess.Popen(
        [ROOT / "binder" / "start", sys.executable, "-c", show, "two words"],
        stdout=subprocess.PIPE,
        text=True,
    ) as start:
        assert start.communicate()[0].split(maxsplit=2) == [str(start.pid), "11", "two words\n"]


@pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux")
def test_start_shows_jupyterlab_our_extension() -> None:
    show = "from jupyter_core.paths import jupyter_path; print(*jupyter_path('labextensions'))"
    environment = os.environ | {"JUPYTER_PATH": "/elsewhere"}
    folders = subprocess.check_output(
        [ROOT / "binder" / "start", sys.executable, "-c", show], env=environment, text=True
    ).split()
    assert folders[:2] == [str(EXTENSIONS), "/elsewhere/labextensions"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux")
def test_post_build_gives_a_working_command(tmp_path: Path) -> None:
    """The steps of Binder's build, in a copy, where the packages of the lock are installed."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for folder in ("course_lib", "notebooks", "solutions", "binder"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for file in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-PROSE", "requirements.lock"):
        shutil.copy(ROOT / file, copy)
    before = {path for path in copy.rglob("*") if path.is_file()}

    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", venv], check=True)
    scripts = venv / "bin"
    here = os.pathsep.join([str(scripts), os.environ["PATH"]])
    # Where a nested environment finds the packages of the one that runs the tests.
    packages = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    environment = os.environ | {"PATH": here, "PYTHONPATH": packages, "PIP_NO_INDEX": "1"}
    # "0" is how pip's variable says that nothing is to be fetched for the build: flit_core is here.
    environment |= {"PIP_NO_BUILD_ISOLATION": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(["bash", "binder/postBuild"], cwd=copy, env=environment, check=True)
    assert {path for path in copy.rglob("*") if path.is_file()} == before

    program = "import course_lib.lessons as l; print(*[x.root for x in l.lessons()], sep='\\n')"
    python = [scripts / "python", "-c", program]
    roots = subprocess.check_output(python, env=environment, text=True, cwd=tmp_path)
    assert set(roots.split()) == {str(copy)}
    version = subprocess.check_output([scripts / "course", "--version"], env=environment, text=True)
    assert __version__ in version


def test_repo2docker_reads_the_folder() -> None:
    repo2docker = shutil.which("jupyter-repo2docker")
    if repo2docker is None:
        pytest.skip("jupyter-repo2docker is not installed (the course does not need it)")
    options = ["--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan"]
    plan = subprocess.check_output(
        [repo2docker, *options, ROOT], stderr=subprocess.STDOUT, text=True
    )
    assert "RUN ./binder/postBuild" in plan
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in plan


# --- README and licenses -----------------------------------------------------------------------


def test_the_readme_has_two_commands_that_first_ask_for_the_right_python() -> None:
    opens, tests = (command.strip().splitlines() for command in COMMANDS)
    assert opens[:2] == tests[:2]
    assert opens[1] == "pip install --no-deps -e . &&"  # refuses any other Python at once
    assert opens[2:] == ["pip install --no-deps -r requirements.lock &&", "course lab"]
    assert tests[2:] == ["pip install --no-deps -r tests/requirements.lock &&", "pytest"]
    assert f"(Python 3.{OLDEST[1]} to 3.{NEWEST[1]} on" in README


class Checkout:
    """A checkout whose commands only say that they were called, and nothing else is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = folder / "commands"
        self.commands.mkdir()
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        shutil.copy(ROOT / "README.md", folder)
        for name in ("awk", "bash", "dirname", "env", "mkdir", "sh", "touch", "true"):
            (self.commands / name).symlink_to(str(shutil.which(name)))
        for name in ("pip", "pytest", "chromium"):
            self.command(name, f'echo "called: {name} $*"')
        self.command("id", "echo 1000")
        make_venv = "mkdir -p .venv/bin && touch .venv/bin/activate"
        self.command("python3", f'[ "$1" = -m ] && {make_venv} || exec {sys.executable} "$@"')

    def command(self, name: str, does: str) -> None:
        (self.commands / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (self.commands / name).chmod(0o755)

    def ci(self) -> subprocess.CompletedProcess[str]:
        """What .ci/run does here, each time as if for the first time."""
        shutil.rmtree(self.folder / ".venv", ignore_errors=True)
        return subprocess.run(
            ["bash", self.folder / ".ci" / "run"],
            env={"PATH": str(self.commands)},
            capture_output=True,
            text=True,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if sys.platform == "win32":
        pytest.skip("a script for Linux")
    return Checkout(tmp_path)


def test_ci_runs_the_second_command_of_the_readme(checkout: Checkout) -> None:
    first = checkout.ci()
    assert first.returncode == 0, first.stderr
    called = [line for line in first.stdout.splitlines() if line.startswith("called: ")]
    assert called == [
        "called: pip install --no-deps -e .",
        "called: pip install --no-deps -r tests/requirements.lock",
        "called: pytest ",
    ]
    checkout.command("pytest", "exit 1")
    assert checkout.ci().returncode != 0


def test_ci_wants_a_fresh_checkout(checkout: Checkout) -> None:
    checkout.command("pip", "mkdir -p .venv/bin && .ci/run")
    nested = checkout.ci()
    assert nested.returncode == 1
    assert ".venv" in nested.stderr


def test_ci_names_the_browser_and_cuts_the_network_off_for_pytest_alone(
    checkout: Checkout,
) -> None:
    show = "import socket; print(*(name for _, name in socket.if_nameindex()))"
    interfaces = f"{sys.executable} -c '{show}'"
    checkout.command("pip", f'echo "pip: $({interfaces})"')
    checkout.command("pytest", f'echo "pytest: $CHROMIUM $({interfaces})"')
    done = checkout.ci()
    (pytest_line,) = re.findall(r"^pytest: (.*)$", done.stdout, flags=re.MULTILINE)
    here = " ".join(name for _, name in socket.if_nameindex())
    assert f"pip: {here}\n" in done.stdout
    left = here if "cannot be cut off" in done.stderr else "lo"
    assert pytest_line == f"{checkout.commands / 'chromium'} {left}"


def test_ci_installs_a_browser_or_fails(checkout: Checkout) -> None:
    (checkout.commands / "chromium").unlink()
    without = checkout.ci()
    assert without.returncode == 1
    assert "install Chromium" in without.stderr
    assert "called" not in without.stdout

    checkout.command("id", "echo 0")
    checkout.command("apt-get", "exit 100")
    assert checkout.ci().returncode == 1

    chromium = checkout.commands / "chromium"
    checkout.command("apt-get", f'echo "called: apt-get $*"; touch {chromium}; chmod +x {chromium}')
    (checkout.commands / "chmod").symlink_to(str(shutil.which("chmod")))
    installed = checkout.ci()
    assert installed.returncode == 0, installed.stderr
    assert "called: apt-get install -y --no-install-recommends chromium" in installed.stdout
    assert "called: pytest" in installed.stdout


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    files = [link for link in links if not link.startswith("https://")]
    assert "LICENSE" in files
    assert [link for link in files if not (ROOT / link.split("#")[0]).exists()] == []
    for page in re.findall(r"urlpath=lab/tree/([\w/.]+)\)", README):
        assert (ROOT / page).is_file()


def test_the_package_declares_its_licenses_and_range() -> None:
    for name in PROJECT["license-files"]:
        assert (ROOT / name).stat().st_size > 1000
    assert PROJECT["version"] == __version__
    wanted = f">={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"
    assert PROJECT["requires-python"] == wanted
    versions = [
        c.removeprefix("Programming Language :: Python :: ") for c in PROJECT["classifiers"]
    ]
    expected = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
    assert [version for version in versions if version.startswith("3")] == expected


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_every_requirement_can_be_read(extra: str) -> None:
    """Markers have a grammar of their own, and a wrong one only fails when someone installs."""
    for requirement in map(Requirement, EXTRAS[extra]):
        assert requirement.specifier
        if requirement.marker is not None:
            for environment in ENVIRONMENTS:
                requirement.marker.evaluate(environment)


def test_exactly_one_tensorflow_everywhere() -> None:
    for environment in ENVIRONMENTS:
        chosen = [
            requirement.name
            for requirement in map(Requirement, EXTRAS["cpu"])
            if requirement.marker is not None and requirement.marker.evaluate(environment)
        ]
        assert len(chosen) == 1, environment
