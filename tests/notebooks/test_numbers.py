"""No number is typed into prose that a cell could print.

A *claim* is a number in a sentence or formula that looks like a result: a decimal fraction, a
percentage, a number with thousands separators, or a whole number after a word such as "about".
Each must stand in an output that is tagged to be compared (`nbval-check-output`), or in the
lesson's code, where it is a setting and not a result. What is said to be rounded must be the
rounding of such an output. What is neither is listed below, with the reason.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from decimal import Decimal

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.lessons import Lesson, lessons

from .reading import markdown_of, notebook, prose

HEDGED = r"(?:\b(?:about|almost|nearly|roughly)|≈|\\approx)\s*"
CLAIM = re.compile(
    rf"(?P<hedge>{HEDGED})?(?<![\w.^])"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+)(?!\.?\d)\s*(?P<percent>\\?%)?",
    re.IGNORECASE,
)
PRINTED = re.compile(r"(?<![\w.])\d[\d,]*\.?\d*(?:[eE][+-]?\d+)?")


def claims(book: NotebookNode) -> Iterator[tuple[str, bool]]:
    """Numbers in prose that look like results, and whether they are said to be rounded."""
    text = prose(markdown_of(book).partition("### Further reading")[0])
    for match in CLAIM.finditer(text):
        number, hedged = match["number"], bool(match["hedge"])
        if hedged or match["percent"] or "." in number or "," in number:
            yield number, hedged


def printed(book: NotebookNode) -> set[Decimal]:
    """Numbers in the outputs that are compared in every run."""
    texts = [
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in book.cells
        if "nbval-check-output" in cell.metadata.get("tags", ())
        for output in cell.outputs
    ]
    return {value(found) for found in PRINTED.findall("\n".join(texts))}


def settings(book: NotebookNode) -> set[Decimal]:
    """Numbers in the code."""
    return {
        Decimal(token.string.replace("_", ""))
        for cell in book.cells
        if cell.cell_type == "code"
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline)
        if token.type == tokenize.NUMBER and not token.string.lower().endswith("j")
    }


def value(number: str) -> Decimal:
    return Decimal(number.replace(",", "").rstrip("."))


def unproven(book: NotebookNode) -> set[str]:
    """Claims that no compared output and no code of the lesson holds."""
    results = printed(book)
    exact = results | settings(book)

    def proven(claim: Decimal, hedged: bool) -> bool:
        return any(round_like(claim, r) == claim for r in results) if hedged else claim in exact

    return {number for number, hedged in claims(book) if not proven(value(number), hedged)}


def round_like(claim: Decimal, result: Decimal) -> Decimal:
    """The result with as many decimals as the claim."""
    return round(result, max(0, -int(claim.as_tuple().exponent)))


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_numbers_in_prose_are_printed(lesson: Lesson) -> None:
    assert unproven(notebook(lesson)) == set(), "print it in a cell tagged nbval-check-output"


def test_typed_numbers_are_found() -> None:
    text = (
        "About 96 of 100, not 97.1 %, at a rate of 0.125; 12 % or $0.30$, of 1,797 images. "
        "Section 3, $10^{-7}$ and `0.77` are no results. Nearly 41.\n\n### Further reading\n\n5.5"
    )
    output = new_output("stream", text="accuracy 95.8% of 1797\nloss 0.3")
    checked = new_code_cell(
        "fit(rate=0.125)", metadata={"tags": ["nbval-check-output"]}, outputs=[output]
    )
    other = new_code_cell("fit()", outputs=[new_output("stream", text="97.1 12 41")])
    book = new_notebook(cells=[new_markdown_cell(text), checked, other])
    assert unproven(book) == {"97.1", "12", "41"}
