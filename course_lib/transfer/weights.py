"""Published weights: where they lie, how they get there, and whether they are the right ones.

Files live where Keras itself keeps them, so that what one of the two has fetched serves the
other. Keras' own download waits for ever on a stalled server and deletes a file that it does not
recognize; this one does neither.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..errors import CourseError
from ..files import atomic_write
from ..progress_bar import bar

SILENCE = 10.0
"""Seconds without a byte after which a download is given up."""
CHUNK = 2**18
MB = 10**6


def in_wheel(package: str, name: str, missing: str) -> Path:
    """Where an installed wheel put its file of this name; nothing of the wheel is imported.

    Raises:
        CourseError: the wheel is not installed; ``missing`` says what is missing and how to get it.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise CourseError(f"{missing}, then restart the kernel.")


@dataclass(frozen=True)
class WeightsFile:
    """A published file of weights and its MD5 or SHA-256, in hexadecimal digits."""

    url: str
    digest: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def path(self) -> Path:
        """Where Keras looks for it."""
        return keras_home() / "models" / self.name


RESNET50 = WeightsFile(
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "4d473c1dd8becc155b73f8504c6f6626",
)
VGG16 = WeightsFile(
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "6d6bbae143d832006294945121d1f1fc",
)


class NotFetchedError(CourseError):
    """Weights could not be fetched; the sentence says where to put them by hand.

    Attributes:
        reason: why, in a few words.
    """

    def __init__(self, file: WeightsFile, reason: str) -> None:
        super().__init__(
            f"{file.name} could not be fetched from {file.url} ({reason}): try again with an "
            f"internet connection, or put the file at {file.path} by hand."
        )
        self.reason = reason


def keras_home() -> Path:
    """The folder in which Keras keeps what it fetched: `$KERAS_HOME`, else `~/.keras`."""
    # In a container whose user has no home, Path.expanduser would raise; Keras uses this.
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME") or "~/.keras"))  # noqa: PTH111


def digest(path: Path, algorithm: str) -> str:
    """Hash of a file in hexadecimal digits; `algorithm` is one that `hashlib` knows."""
    with path.open("rb") as stream:
        hashed = hashlib.new(algorithm, usedforsecurity=False)
        while chunk := stream.read(CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


def verify(path: Path, expected: str, remedy: str = "move it away, then try again") -> None:
    """Raise unless the file is the published one; it is left where it is.

    Args:
        expected: MD5 or SHA-256 in hexadecimal digits.
        remedy: what the reader of the error is to do.

    Raises:
        CourseError: the file cannot be read, or its hash is another.
    """
    try:
        found = digest(path, _algorithm(expected))
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    if found != expected:
        raise CourseError(
            f"{path} is not the published file (its {_algorithm(expected).upper()} is {found}, "
            f"not {expected}): {remedy}."
        )


def fetch(file: WeightsFile, silence: float = SILENCE, patience: float | None = None) -> Path:
    """Path of the verified file, downloaded with a progress bar unless it is there already.

    The file appears under its name only when it is complete and verified.

    Args:
        silence: seconds without a byte after which the download is given up.
        patience: seconds that the whole download may take; None for any time.

    Raises:
        NotFetchedError: it could not be fetched.
        CourseError: it is there, but is not the published file.
    """
    if file.path.exists():
        verify(file.path, file.digest)
        return file.path
    try:
        return _download(file, silence, patience)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise NotFetchedError(file, _plain(reason)) from error


def _download(file: WeightsFile, silence: float, patience: float | None) -> Path:
    start = time.monotonic()
    request = urllib.request.Request(file.url, headers={"User-Agent": "course"})
    hashed = hashlib.new(_algorithm(file.digest), usedforsecurity=False)
    with urllib.request.urlopen(request, timeout=silence) as response:
        size = response.length
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file.path) as part:
            with part.open("wb") as stream, bar(file.name, "MB") as show:
                megabytes = None if size is None else size // MB
                # read1 returns after one packet, so that a slow drip cannot outlast the patience
                while chunk := response.read1(CHUNK):
                    stream.write(chunk)
                    hashed.update(chunk)
                    show(stream.tell() // MB, megabytes)
                    if patience is not None and time.monotonic() - start > patience:
                        raise TimeoutError(f"not complete after {patience:.0f} s")
                received = stream.tell()
            if size is not None and received != size:
                raise OSError(f"the connection ended after {received} of {size} bytes")
            if hashed.hexdigest() != file.digest:
                raise OSError("what came is not the published file: its hash is another")
    return file.path


def _algorithm(digest: str) -> str:
    return "sha256" if len(digest) == 64 else "md5"


def _plain(reason: object) -> str:
    if isinstance(reason, TimeoutError) and not str(reason).startswith("not complete"):
        return "the server does not answer"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason)
