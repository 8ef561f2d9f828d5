"""One row of the ledger, and how a library is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Library = Literal["keras", "pytorch"]


@dataclass(frozen=True)
class Convention:
    """One row of the ledger.

    Attributes:
        id: what parity tests call the row.
        question: what the conventions differ in.
        forms: the possible answers, each with the numbers that follow from it.
        paper: the form of the paper, or words where it has none.
        keras: the form of Keras.
        pytorch: the form of PyTorch, or words where it has none.
        source: of the paper's form.
        ask_keras: from the module `keras` to its numbers.
        ask_pytorch: from the module `torch` to its numbers; None where ``pytorch`` is words.
        tolerance: relative, of the numbers.
    """

    id: str
    question: str
    forms: dict[str, Any]
    paper: str
    keras: str
    pytorch: str
    source: str
    ask_keras: Callable[[Any], Any]
    ask_pytorch: Callable[[Any], Any] | None = None
    tolerance: float = 1e-4

    def stated(self, library: Library) -> str:
        """The form (or words) written down for this library."""
        return self.keras if library == "keras" else self.pytorch

    def measure(self, library: Library, module: Any) -> str:
        """The form that this library follows, found by running it.

        Where the library has nothing to run, the words that are stated.

        Args:
            library: "keras" or "pytorch".
            module: the imported `keras` or `torch`.

        Raises:
            ValueError: its numbers belong to no form: the library has changed, or a form has.
        """
        ask = self.ask_keras if library == "keras" else self.ask_pytorch
        if ask is None:
            return self.stated(library)
        numbers = np.asarray(ask(module), dtype=float)
        for form, expected in self.forms.items():
            if np.allclose(numbers, expected, rtol=self.tolerance, atol=0):
                return form
        raise ValueError(f"{library} follows none of the forms of the row {self.id}: {numbers}")
