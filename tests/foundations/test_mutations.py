"""The list of `tests/mutations.py` fits the reference as it is now (running it takes minutes)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

import course_lib.foundations

_SPEC = importlib.util.spec_from_file_location(
    "mutations", Path(__file__).parents[1] / "mutations.py"
)
mutations = importlib.util.module_from_spec(_SPEC)
sys.modules["mutations"] = mutations  # dataclasses look their module up
_SPEC.loader.exec_module(mutations)


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_mutation_changes_the_source_it_names(mutation):
    folder = Path(course_lib.foundations.__path__[0])
    source = (folder / f"{mutation.module}.py").read_text(encoding="utf-8")
    changed = mutation.apply(source)
    assert changed != source
    compile(changed, mutation.module, "exec")


def test_a_mutation_out_of_date_is_named():
    outdated = mutations.Mutation("gone", "sgd", "sgd_step", "no such text", "")
    with pytest.raises(ValueError, match="gone"):
        outdated.apply("\ndef sgd_step(weights):\n    return weights\n")
