"""The conventions ledger is true of the installed libraries, and its forms can be told apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from course_lib import ledger as package
from course_lib.ledger import ROWS, ledger, row

WORDS = {"has none", "has no warm-up"}
each_row = pytest.mark.parametrize("convention", ROWS, ids=lambda convention: convention.id)


@each_row
def test_keras_follows_the_stated_form(convention):
    keras = pytest.importorskip("keras")
    if "Keras on TensorFlow" in convention.question and keras.config.backend() != "tensorflow":
        pytest.skip("the row tells of Keras on TensorFlow")
    assert convention.measure("keras", keras) == convention.keras


@each_row
def test_pytorch_follows_the_stated_form(convention):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: stated, not measured")
    if convention.id == "resnet50-input":
        pytest.importorskip("torchvision", reason="torchvision is not installed: stated")
    torch.manual_seed(0)
    assert convention.measure("pytorch", torch) == convention.pytorch


@each_row
def test_forms_differ_by_more_than_the_tolerance(convention):
    for one, other in itertools.permutations(convention.forms.values(), 2):
        assert not np.allclose(one, other, rtol=5 * convention.tolerance, atol=0)


@each_row
def test_every_answer_is_a_form_or_says_that_there_is_none(convention):
    for answer in (convention.paper, convention.pytorch):
        assert answer in convention.forms or answer in WORDS
    assert convention.keras in convention.forms
    assert (convention.ask_pytorch is None) == (convention.pytorch in WORDS)


def test_ids_are_unique():
    assert len({convention.id for convention in ROWS}) == len(ROWS)


def test_numbers_of_no_form_are_refused():
    class Changed:
        """Stands for a Keras whose default has moved."""

        class optimizers:  # noqa: N801
            class Adam:
                epsilon = 1e-3

    with pytest.raises(ValueError, match="adam-epsilon-default"):
        row("adam-epsilon-default").measure("keras", Changed)


def test_an_unknown_row_is_named():
    with pytest.raises(KeyError, match="adam-epsilom"):
        row("adam-epsilom")


def table_of(text):
    """The lines between those that fold it."""
    assert text.startswith("<details>\n<summary>The table</summary>\n\n")
    assert text.endswith("\n\n</details>")
    return text.split("\n\n")[1].splitlines()


def test_the_table_shows_the_rows_asked_for_and_measures_what_it_is_given():
    keras = pytest.importorskip("keras")
    stated = table_of(ledger(["adam-epsilon", "l2-half"]))
    measured = table_of(ledger(["adam-epsilon", "l2-half"], keras=keras))
    assert len(stated) == 4
    assert measured[2:] == stated[2:]
    assert "Keras, measured" in measured[0]
    assert len(table_of(ledger())) == 2 + len(ROWS)
    assert {line.count("|") for line in table_of(ledger())} == {6}


def test_the_ledger_imports_no_library():
    import subprocess
    import sys

    code = f"import {package.__name__}, sys; print({{'keras', 'torch'}} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout.strip() == "set()", printed.stderr
