"""Weights and data on this machine, so that no lesson needs an internet connection."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import CourseError
from ..transfer.weights import RESNET50, WeightsFile, fetch
from .doctor import Finding, data_sets, finding_of, small_network, text_encoder, vgg16


def fetch_supplies(file: WeightsFile = RESNET50) -> Iterator[Finding]:
    """Fetch what is not there yet, and say of each thing where it is or what to do about it.

    Data, the small network, VGG16 and the encoder of text come with the packages; only the
    weights of ResNet50 are fetched, with a progress bar.
    """
    yield from data_sets()
    small = small_network()
    yield small
    yield from vgg16()
    yield from text_encoder()
    before = file.path.exists()
    try:
        path = fetch(file)
    except CourseError as error:
        failed = finding_of(error, "missing", "weights")
        until = "; until then lessons use EfficientNet-Lite0" if small.level == "ok" else ""
        yield Finding("missing", failed.what, failed.do + until)
        return
    yield Finding("ok", f"weights: ResNet50 {'was' if before else 'is now'} in {path.parent}")
