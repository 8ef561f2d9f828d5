"""Squared error and cross-entropy: divided by what, of what, and what certainty costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...foundations import losses
from ..convention import Convention

LOGITS = np.array([[2.0, -1.0, 0.5, 0.0], [0.25, 1.0, -0.5, -2.0], [1.0, 1.5, 0.0, -1.0]])
LABELS = np.array([0, 2, 1])
TARGETS = np.eye(4)[LABELS]
_PROBABILITIES = losses.softmax(LOGITS)
_SURE = np.eye(4)[[0, 1, 1]]
_FAR_APART = np.array([[1000.0, 0.0, 0.0]])


def _keras_after_softmax(keras: Any) -> Any:
    # In the precision of the loss: a cast on the way would lose the logits.
    logits = keras.ops.convert_to_tensor(_FAR_APART, keras.config.floatx())
    activated = keras.activations.softmax(logits)
    return keras.losses.SparseCategoricalCrossentropy()(np.array([1]), activated)


def _torch_after_softmax(torch: Any) -> Any:
    activated = torch.nn.functional.softmax(torch.tensor(_FAR_APART), dim=1)
    return torch.nn.CrossEntropyLoss()(activated, torch.tensor([1]))


ROWS = (
    Convention(
        id="mse-mean",
        question="Squared error: divided by what?",
        forms={
            "all elements": losses.mse(LOGITS, TARGETS),
            "examples": losses.mse(LOGITS, TARGETS) * 4,
            "nothing, half the sum": losses.mse(LOGITS, TARGETS) * 12 / 2,
        },
        paper="nothing, half the sum",
        keras="all elements",
        pytorch="all elements",
        source="Bishop 2006, eq. 1.2",
        ask_keras=lambda keras: keras.losses.MeanSquaredError()(TARGETS, LOGITS),
        ask_pytorch=lambda torch: torch.nn.MSELoss()(torch.tensor(LOGITS), torch.tensor(TARGETS)),
    ),
    Convention(
        id="cross-entropy-mean",
        question="Cross-entropy: divided by what?",
        forms={
            "examples": losses.softmax_cross_entropy(LOGITS, LABELS),
            "nothing, the sum": losses.softmax_cross_entropy(LOGITS, LABELS) * 3,
            "all elements": losses.softmax_cross_entropy(LOGITS, LABELS) / 4,
        },
        paper="nothing, the sum",
        keras="examples",
        pytorch="examples",
        source="Bishop 2006, eq. 4.108",
        ask_keras=lambda keras: keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
            LABELS, LOGITS
        ),
        ask_pytorch=lambda torch: torch.nn.CrossEntropyLoss()(
            torch.tensor(LOGITS), torch.tensor(LABELS)
        ),
    ),
    Convention(
        id="cross-entropy-input",
        question="Cross-entropy: of what, by default?",
        forms={
            "probabilities": losses.cross_entropy(_PROBABILITIES, LABELS),
            "logits": losses.softmax_cross_entropy(_PROBABILITIES, LABELS),
        },
        paper="probabilities",
        keras="probabilities",
        pytorch="logits",
        source="Bishop 2006, eq. 4.108",
        ask_keras=lambda keras: keras.losses.SparseCategoricalCrossentropy()(
            LABELS, keras.ops.convert_to_tensor(_PROBABILITIES, "float32")
        ),
        ask_pytorch=lambda torch: torch.nn.CrossEntropyLoss()(
            torch.tensor(_PROBABILITIES), torch.tensor(LABELS)
        ),
    ),
    Convention(
        id="cross-entropy-of-zero",
        question="Cross-entropy: what does a probability of 0 cost?",
        forms={
            "−log 1e-7, clipped": losses.cross_entropy(_SURE, LABELS),
            "infinity": np.inf,
        },
        paper="infinity",
        keras="−log 1e-7, clipped",
        pytorch="infinity",
        source="Bishop 2006, eq. 4.108",
        ask_keras=lambda keras: keras.losses.SparseCategoricalCrossentropy()(
            LABELS, keras.ops.convert_to_tensor(_SURE, "float32")
        ),
        ask_pytorch=lambda torch: torch.nn.NLLLoss()(
            torch.log(torch.tensor(_SURE)), torch.tensor(LABELS)
        ),
        tolerance=1e-3,
    ),
    Convention(
        id="cross-entropy-of-softmax",
        question="Cross-entropy behind a softmax activation (Keras on TensorFlow; its other "
        "backends clip), three classes: what does it cost if a wrong one's logit is 1000 higher?",
        forms={
            "1000, from the logits": losses.softmax_cross_entropy(_FAR_APART, np.array([1])),
            "−log 1e-7, clipped": losses.cross_entropy(np.eye(3)[[0]], np.array([1])),
            "log(e + 2), softmax is taken again": losses.softmax_cross_entropy(
                np.eye(3)[[0]], np.array([1])
            ),
        },
        paper="1000, from the logits",
        keras="1000, from the logits",
        pytorch="log(e + 2), softmax is taken again",
        source="Goodfellow et al. 2016, eq. 6.30",
        ask_keras=_keras_after_softmax,
        ask_pytorch=_torch_after_softmax,
        tolerance=1e-3,
    ),
)
