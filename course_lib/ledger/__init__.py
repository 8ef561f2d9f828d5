"""The conventions ledger: where the paper, Keras and PyTorch mean different things by one word.

Each row asks one question and knows its possible answers, the `forms`: for each, the numbers that
a NumPy reference following it gives on a small fixed problem. A library is asked by running it on
the same problem; the form whose numbers come out is its answer. No library is imported here:
`ledger` and `Convention.measure` take the module `keras` or `torch` as an argument.
"""

from .convention import Convention, Library
from .rows import ROWS
from .table import ledger, row

__all__ = ["ROWS", "Convention", "Library", "ledger", "row"]
