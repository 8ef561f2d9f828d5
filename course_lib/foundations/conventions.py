"""The conventions ledger: where the paper, Keras and PyTorch mean different things by one word.

Each row asks one question and knows its possible answers, the `forms`: for each, the numbers that
a NumPy reference following it gives on a small fixed problem. A library is asked by running it on
the same problem; the form whose numbers come out is its answer. This module imports no library:
`ledger` and `Convention.measure` take the module `keras` or `torch` as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import adam, feature_extraction, fine_tuning, losses, regularization, sgd
from .gradients import numerical_gradient

WEIGHTS = np.array([0.75, -1.5, 0.5])
GRADIENTS = np.array([[1.0, -0.5, 0.25], [0.5, 0.75, -2.0], [-0.25, 1.5, 1.0], [2.0, 0.5, 0.5]])
RATES = (0.125, 0.125, 0.03125, 0.03125)
"""Learning rates of the four steps, exact in binary; the drop tells momentum's forms apart."""
CURVATURES = np.array([4.0, 1.0, 0.25])
"""Of the quadratic ½ Σ c w², for the one row where the gradient depends on the weights."""
EPSILON = 0.0625
NO_EPSILON = 1e-12
LOGITS = np.array([[2.0, -1.0, 0.5, 0.0], [0.25, 1.0, -0.5, -2.0], [1.0, 1.5, 0.0, -1.0]])
LABELS = np.array([0, 2, 1])
TARGETS = np.eye(4)[LABELS]

Steps = Callable[[int, np.ndarray], np.ndarray]
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


def row(id: str) -> Convention:
    """The row of this id.

    Raises:
        KeyError: there is none.
    """
    for convention in ROWS:
        if convention.id == id:
            return convention
    raise KeyError(f"the ledger has no row {id!r}")


def ledger(ids: Sequence[str] = (), keras: Any | None = None, torch: Any | None = None) -> str:
    """The table in Markdown.

    Args:
        ids: rows to show, in this order; all if empty.
        keras: the module `keras`; given, its column is measured, otherwise it is as stated.
        torch: the module `torch`, likewise.

    Raises:
        KeyError: there is no row of an id.
        ValueError: a library follows none of a row's forms.
    """
    names = [
        "Question",
        "Paper",
        "Keras, measured" if keras is not None else "Keras",
        "PyTorch, measured" if torch is not None else "PyTorch",
        "Source of the paper's form",
    ]
    lines = [names, ["---"] * len(names)]
    for convention in [row(id) for id in ids] or ROWS:
        answers = [
            convention.stated(library) if module is None else convention.measure(library, module)
            for library, module in _modules(keras, torch)
        ]
        lines.append([convention.question, convention.paper, *answers, convention.source])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _modules(keras: Any, torch: Any) -> tuple[tuple[Library, Any], tuple[Library, Any]]:
    return ("keras", keras), ("pytorch", torch)


# --- the same four steps in NumPy, Keras and PyTorch --------------------------------------------


def _fixed(index: int, weights: np.ndarray) -> np.ndarray:
    gradient: np.ndarray = GRADIENTS[index]
    return gradient


def _quadratic(index: int, weights: np.ndarray) -> np.ndarray:
    gradient: np.ndarray = CURVATURES * weights
    return gradient


def _numpy_path(
    step: Callable[..., tuple[np.ndarray, ...]],
    states: int,
    *rest: float,
    gradients: Steps = _fixed,
    counted: bool = False,
) -> np.ndarray:
    """Weights after four steps of a rule step(w, g, *states, [t], η, *rest)."""
    weights, state = WEIGHTS, [np.zeros_like(WEIGHTS)] * states
    for index, rate in enumerate(RATES):
        counter = [index + 1] if counted else []
        gradient = gradients(index, weights)
        weights, *state = step(weights, gradient, *state, *counter, rate, *rest)
    return weights


def _keras_path(keras: Any, optimizer: Any, gradients: Steps = _fixed) -> np.ndarray:
    variable = keras.Variable(WEIGHTS, dtype="float32")
    for index, rate in enumerate(RATES):
        optimizer.learning_rate = rate
        gradient = gradients(index, keras.ops.convert_to_numpy(variable))
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
    weights: np.ndarray = keras.ops.convert_to_numpy(variable)
    return weights


def _torch_path(
    torch: Any, optimizer: Callable[..., Any], gradients: Steps = _fixed, **options: Any
) -> np.ndarray:
    parameter = torch.nn.Parameter(torch.tensor(WEIGHTS))
    rule = optimizer([parameter], lr=RATES[0], **options)
    for index, rate in enumerate(RATES):
        rule.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradients(index, parameter.detach().numpy()))
        rule.step()
    weights: np.ndarray = parameter.detach().numpy()
    return weights


def _torch_default(torch: Any, optimizer: Callable[..., Any], name: str) -> float:
    return float(optimizer([torch.nn.Parameter(torch.zeros(1))], lr=1.0).defaults[name])


# --- forms that no lesson's reference has, because only the ledger needs them --------------------

Stepped = tuple[np.ndarray, ...]
DECAY = 0.25


def _averaged_momentum(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step_pytorch(w, (1 - momentum) * g, v, rate, momentum)


def _sgd_decayed(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step(w - rate * DECAY * w, g, v, rate, momentum)


def _sgd_decayed_by_schedule(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step(w - rate / RATES[0] * DECAY * w, g, v, rate, momentum)


def _sgd_penalised(w: Any, g: Any, v: Any, rate: float, momentum: float) -> Stepped:
    return sgd.momentum_step_pytorch(w, g + DECAY * w, v, rate, momentum)


def _nesterov_of_the_paper(momentum: float) -> np.ndarray:
    """θ after four steps on the quadratic: the gradient is taken at θ + μv."""
    weights, velocity = WEIGHTS, np.zeros_like(WEIGHTS)
    for index, rate in enumerate(RATES):
        gradient = _quadratic(index, weights + momentum * velocity)
        weights, velocity = sgd.momentum_step(weights, gradient, velocity, rate, momentum)
    return weights


def _rmsprop_outside(w: Any, g: Any, a: Any, rate: float, rho: float, epsilon: float) -> Stepped:
    a = rho * a + (1 - rho) * g**2
    return w - rate * g / (np.sqrt(a) + epsilon), a


def _adagrad_outside(w: Any, g: Any, a: Any, rate: float, epsilon: float) -> Stepped:
    a = a + g**2
    return w - rate * g / (np.sqrt(a) + epsilon), a


def _adam_inside(w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float) -> Stepped:
    beta_1, beta_2, epsilon = rest
    _, m, v = adam.adam_step(w, g, m, v, t, rate, *rest)
    root = np.sqrt(v / (1 - beta_2**t) + epsilon)
    return w - rate * m / (1 - beta_1**t) / root, m, v


def _adam_counted_from(first: int) -> np.ndarray:
    def step(w: Any, g: Any, m: Any, v: Any, t: int, *rest: float) -> Stepped:
        return adam.adam_step(w, g, m, v, t - 1 + first, *rest)

    return _numpy_path(step, 2, 0.9, 0.99, NO_EPSILON, counted=True)


def _adam_uncorrected(w: Any, g: Any, m: Any, v: Any, rate: float, *rest: float) -> Stepped:
    beta_1, beta_2, epsilon = rest
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
    return w - rate * m / (np.sqrt(v) + epsilon), m, v


def _adam_penalised(w: Any, g: Any, m: Any, v: Any, t: int, *rest: float) -> Stepped:
    return adam.adam_step(w, g + DECAY * w, m, v, t, *rest)


def _adam_decayed_by_schedule(
    w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float
) -> Stepped:
    return adam.adam_step(w - rate / RATES[0] * DECAY * w, g, m, v, t, rate, *rest)


def _adam_decayed_after(
    w: Any, g: Any, m: Any, v: Any, t: int, rate: float, *rest: float
) -> Stepped:
    w, m, v = adam.adam_step(w, g, m, v, t, rate, *rest)
    return w - rate * DECAY * w, m, v


def _adam_path(step: Callable[..., Stepped], epsilon: float, *rest: float) -> np.ndarray:
    return _numpy_path(step, 2, 0.9, 0.99, epsilon, *rest, counted=True)


# --- questions to the libraries that take more than a line ----------------------------------------


def _keras_after_softmax(keras: Any) -> Any:
    # In the precision of the loss: a cast on the way would lose the logits.
    logits = keras.ops.convert_to_tensor(_FAR_APART, keras.config.floatx())
    activated = keras.activations.softmax(logits)
    return keras.losses.SparseCategoricalCrossentropy()(np.array([1]), activated)


def _torch_after_softmax(torch: Any) -> Any:
    activated = torch.nn.functional.softmax(torch.tensor(_FAR_APART), dim=1)
    return torch.nn.NLLLoss()(torch.log(activated), torch.tensor([1]))


def _keras_l2_gradient(keras: Any) -> np.ndarray:
    # The penalty is a quadratic, so central differences are exact at any step: a wide one
    # keeps the rounding of float32 out.
    penalty = keras.regularizers.L2(DECAY)
    return numerical_gradient(lambda w: float(penalty(keras.ops.cast(w, "float32"))), WEIGHTS, 1.0)


def _torch_l2_gradient(torch: Any) -> np.ndarray:
    parameter = torch.nn.Parameter(torch.tensor(WEIGHTS))
    parameter.grad = torch.zeros_like(parameter)
    torch.optim.SGD([parameter], lr=1.0, weight_decay=DECAY).step()
    moved: np.ndarray = WEIGHTS - parameter.detach().numpy()
    return moved


def _keras_bias_share(keras: Any) -> float:
    """1 if the bias is penalised like the weights, 0 if it is not."""
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(DECAY))
    layer.build((None, 3))
    layer.bias.assign([1.0, 1.0])
    paid = sum(float(keras.ops.convert_to_numpy(loss)) for loss in layer.losses)
    for_weights = regularization.l2_penalty(keras.ops.convert_to_numpy(layer.kernel), DECAY)
    return round((paid - for_weights) / (2 * DECAY), 4)


def _torch_bias_share(torch: Any) -> float:
    layer = torch.nn.Linear(3, 2)
    torch.nn.init.ones_(layer.bias)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    torch.optim.SGD(layer.parameters(), lr=1.0, weight_decay=DECAY).step()
    return float(1 - layer.bias[0]) / DECAY


def _keras_dropout(keras: Any) -> np.ndarray:
    ones = keras.ops.ones((10_000,))
    dropped = keras.layers.Dropout(0.2, seed=0)(ones, training=True)
    result: np.ndarray = keras.ops.convert_to_numpy(dropped)
    return result


def _torch_dropout(torch: Any) -> np.ndarray:
    dropped = torch.nn.functional.dropout(torch.ones(10_000), 0.2, training=True)
    result: np.ndarray = dropped.numpy()
    return result


def _keras_clipnorm(keras: Any) -> np.ndarray:
    variables = [keras.Variable(np.zeros(2), dtype="float32") for _ in range(2)]
    optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor(g, "float32") for g in CLIPPED], variables)
    return np.concatenate([-keras.ops.convert_to_numpy(variable) for variable in variables])


def _torch_clip_grad_norm(torch: Any) -> np.ndarray:
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in CLIPPED]
    for parameter, gradient in zip(parameters, CLIPPED, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float32)
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    return np.concatenate([parameter.grad.numpy() for parameter in parameters])


CLIPPED = [np.array([3.0, 1.0]), np.array([0.5, 0.25])]


def _keras_resnet50_input(keras: Any) -> np.ndarray:
    # On a copy, because Keras overwrites arrays of floats.
    prepared: np.ndarray = keras.applications.resnet50.preprocess_input(PIXEL.copy())
    return prepared.ravel()


def _torch_resnet50_input(torch: Any) -> np.ndarray:
    from torchvision import models

    # One colour everywhere, so that resizing and cropping change nothing.
    image = torch.tensor(PIXEL[0, 0, 0] / 255)[:, None, None].expand(3, 8, 8)
    prepared = models.ResNet50_Weights.DEFAULT.transforms()(image)
    means: np.ndarray = prepared.numpy().mean(axis=(1, 2))
    return means


def _keras_batchnorm(keras: Any, trainable: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The stored mean and variance after one batch in training mode."""
    layer = keras.layers.BatchNormalization(momentum=0.75)
    layer.trainable = trainable
    layer(keras.ops.convert_to_tensor(GRADIENTS, "float32"), training=True)
    mean, variance = map(keras.ops.convert_to_numpy, (layer.moving_mean, layer.moving_variance))
    return mean, variance


def _torch_batchnorm(
    torch: Any, momentum: float, trainable: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    layer = torch.nn.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
    layer.requires_grad_(trainable)
    layer(torch.tensor(GRADIENTS))
    return layer.running_mean.numpy(), layer.running_var.numpy()


def _numpy_batchnorm(momentum: float) -> tuple[np.ndarray, np.ndarray]:
    return fine_tuning.batchnorm_moving_update(np.zeros(3), np.ones(3), GRADIENTS, momentum)


PIXEL = np.array([[[[200.0, 100.0, 50.0]]]])
"""One red, green and blue, as a batch of one image of one place."""


def _keras_cosine(keras: Any) -> list[float]:
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 80, warmup_target=0.5, warmup_steps=20)
    return [float(schedule(step)) for step in (10, 20, 50, 70)]


def _numpy_cosine(total: int) -> list[float]:
    return [sgd.cosine_with_warmup(step, total, 20, 0.5) for step in (10, 20, 50, 70)]


# --- the rows -----------------------------------------------------------------------------------

_PROBABILITIES = losses.softmax(LOGITS)
_SURE = np.eye(4)[[0, 1, 1]]
_FAR_APART = np.array([[1000.0, 0.0, 0.0]])

ROWS: tuple[Convention, ...] = (
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
        "backends clip): what does a wrong class cost whose logit is 1000 higher?",
        forms={
            "1000, from the logits": losses.softmax_cross_entropy(_FAR_APART, np.array([1])),
            "−log 1e-7, clipped": losses.cross_entropy(np.eye(3)[[0]], np.array([1])),
            "infinity, the probability is 0": np.inf,
        },
        paper="1000, from the logits",
        keras="1000, from the logits",
        pytorch="infinity, the probability is 0",
        source="Goodfellow et al. 2016, eq. 6.30",
        ask_keras=_keras_after_softmax,
        ask_pytorch=_torch_after_softmax,
        tolerance=1e-3,
    ),
    Convention(
        id="l2-half",
        question="L2 of strength λ: half or not?",
        forms={
            "λ Σw², gradient 2λw": regularization.l2_gradient(WEIGHTS, DECAY),
            "½λ Σw², gradient λw": DECAY * WEIGHTS,
        },
        paper="½λ Σw², gradient λw",
        keras="λ Σw², gradient 2λw",
        pytorch="½λ Σw², gradient λw",
        source="Goodfellow et al. 2016, eq. 7.2",
        ask_keras=_keras_l2_gradient,
        ask_pytorch=_torch_l2_gradient,
    ),
    Convention(
        id="l2-bias",
        question="L2: is the bias penalised?",
        forms={"no": 0.0, "yes": 1.0},
        paper="no",
        keras="no",
        pytorch="yes",
        source="Goodfellow et al. 2016, section 7.1",
        ask_keras=_keras_bias_share,
        ask_pytorch=_torch_bias_share,
    ),
    Convention(
        id="sgd-weight-decay",
        question="SGD's `weight_decay`: where does it act?",
        forms={
            "on the weights, times η": _numpy_path(_sgd_decayed, 1, 0.5),
            "on the weights, times the schedule": _numpy_path(_sgd_decayed_by_schedule, 1, 0.5),
            "in the gradient": _numpy_path(_sgd_penalised, 1, 0.5),
        },
        paper="on the weights, times the schedule",
        keras="on the weights, times η",
        pytorch="in the gradient",
        source="Loshchilov & Hutter 2019, algorithm 1",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.SGD(1.0, momentum=0.5, weight_decay=DECAY)
        ),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.SGD, momentum=0.5, weight_decay=DECAY
        ),
    ),
    Convention(
        id="momentum-learning-rate",
        question="Momentum: where is the learning rate, and is the gradient weighted?",
        forms={
            "in the velocity: v ← μv − ηg": _numpy_path(sgd.momentum_step, 1, 0.9),
            "outside: v ← μv + g": _numpy_path(sgd.momentum_step_pytorch, 1, 0.9),
            "outside: v ← μv + (1 − μ)g": _numpy_path(_averaged_momentum, 1, 0.9),
        },
        paper="in the velocity: v ← μv − ηg",
        keras="in the velocity: v ← μv − ηg",
        pytorch="outside: v ← μv + g",
        source="Sutskever et al. 2013, eq. 1 and 2",
        ask_keras=lambda keras: _keras_path(keras, keras.optimizers.SGD(1.0, momentum=0.9)),
        ask_pytorch=lambda torch: _torch_path(torch, torch.optim.SGD, momentum=0.9),
    ),
    Convention(
        id="nesterov-gradient",
        question="Nesterov: where is the gradient taken?",
        forms={
            "at the weights that are kept": _numpy_path(
                sgd.nesterov_step, 1, 0.9, gradients=_quadratic
            ),
            "at the weights that are kept, η outside v": _numpy_path(
                sgd.nesterov_step_pytorch, 1, 0.9, gradients=_quadratic
            ),
            "at the look-ahead point θ + μv": _nesterov_of_the_paper(0.9),
        },
        paper="at the look-ahead point θ + μv",
        keras="at the weights that are kept",
        pytorch="at the weights that are kept, η outside v",
        source="Sutskever et al. 2013, eq. 3 and 4",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True), _quadratic
        ),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.SGD, _quadratic, momentum=0.9, nesterov=True
        ),
    ),
    Convention(
        id="cosine-length",
        question="Cosine decay: does `decay_steps` contain the warm-up?",
        forms={"no": _numpy_cosine(100), "yes": _numpy_cosine(80)},
        paper="has no warm-up",
        keras="no",
        pytorch="has no warm-up",
        source="Loshchilov & Hutter 2017, eq. 5",
        ask_keras=_keras_cosine,
    ),
    Convention(
        id="dropout-scale",
        question="Dropout: what is scaled, and when?",
        forms={
            "kept units by 1/(1 − rate), in training": regularization.dropout(
                np.ones(1), np.array([True]), 0.2
            )[0],
            "all weights by the share kept, at test time": 1.0,
        },
        paper="all weights by the share kept, at test time",
        keras="kept units by 1/(1 − rate), in training",
        pytorch="kept units by 1/(1 − rate), in training",
        source="Srivastava et al. 2014, section 4 and figure 2",
        ask_keras=lambda keras: _keras_dropout(keras).max(),
        ask_pytorch=lambda torch: _torch_dropout(torch).max(),
    ),
    Convention(
        id="dropout-rate",
        question="Dropout: the number is the share of units that is ...",
        forms={"dropped": 0.2, "kept": 0.8},
        paper="kept",
        keras="dropped",
        pytorch="dropped",
        source="Srivastava et al. 2014, section 4",
        ask_keras=lambda keras: np.mean(_keras_dropout(keras) == 0),
        ask_pytorch=lambda torch: np.mean(_torch_dropout(torch) == 0),
        tolerance=0.1,  # of 10,000 random units
    ),
    Convention(
        id="adagrad-epsilon",
        question="AdaGrad: where is ε?",
        forms={
            "inside the root": _numpy_path(adam.adagrad_step, 1, EPSILON),
            "outside the root": _numpy_path(_adagrad_outside, 1, EPSILON),
        },
        paper="outside the root",
        keras="inside the root",
        pytorch="outside the root",
        source="Duchi et al. 2011, figure 1",
        ask_keras=lambda keras: _keras_path(
            keras,
            keras.optimizers.Adagrad(1.0, initial_accumulator_value=0.0, epsilon=EPSILON),
        ),
        ask_pytorch=lambda torch: _torch_path(torch, torch.optim.Adagrad, eps=EPSILON),
    ),
    Convention(
        id="adagrad-start",
        question="AdaGrad: the sum of squares starts at",
        forms={"0": 0.0, "0.1": 0.1},
        paper="0",
        keras="0.1",
        pytorch="0",
        source="Duchi et al. 2011, figure 1",
        ask_keras=lambda keras: keras.optimizers.Adagrad().initial_accumulator_value,
        ask_pytorch=lambda torch: _torch_default(
            torch, torch.optim.Adagrad, "initial_accumulator_value"
        ),
    ),
    Convention(
        id="rmsprop-epsilon",
        question="RMSProp: where is ε?",
        forms={
            "inside the root": _numpy_path(adam.rmsprop_step, 1, 0.9, EPSILON),
            "outside the root": _numpy_path(_rmsprop_outside, 1, 0.9, EPSILON),
        },
        paper="has none",
        keras="inside the root",
        pytorch="outside the root",
        source="Tieleman & Hinton 2012, lecture 6.5",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.RMSprop(1.0, rho=0.9, epsilon=EPSILON)
        ),
        ask_pytorch=lambda torch: _torch_path(torch, torch.optim.RMSprop, alpha=0.9, eps=EPSILON),
    ),
    Convention(
        id="rmsprop-rho",
        question="RMSProp: ρ by default",
        forms={"0.9": 0.9, "0.99": 0.99},
        paper="0.9",
        keras="0.9",
        pytorch="0.99",
        source="Tieleman & Hinton 2012, lecture 6.5",
        ask_keras=lambda keras: keras.optimizers.RMSprop().rho,
        ask_pytorch=lambda torch: _torch_default(torch, torch.optim.RMSprop, "alpha"),
    ),
    Convention(
        id="adam-step",
        question="Adam: the exponent of β at the first step",
        forms={
            "1": _adam_counted_from(1),
            "2": _adam_counted_from(2),
            "no correction": _numpy_path(_adam_uncorrected, 2, 0.9, 0.99, NO_EPSILON),
        },
        paper="1",
        keras="1",
        pytorch="1",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.Adam(1.0, 0.9, 0.99, NO_EPSILON)
        ),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=NO_EPSILON
        ),
    ),
    Convention(
        id="adam-epsilon",
        question="Adam: ε is added to the root of ...",
        forms={
            "v corrected, outside the root": _adam_path(adam.adam_step, EPSILON),
            "v as it is, outside the root (ε̂)": _adam_path(adam.adam_step_keras, EPSILON),
            "v corrected, inside the root": _adam_path(_adam_inside, EPSILON),
        },
        paper="v corrected, outside the root",
        keras="v as it is, outside the root (ε̂)",
        pytorch="v corrected, outside the root",
        source="Kingma & Ba 2015, algorithm 1; ε̂ before section 2.1",
        ask_keras=lambda keras: _keras_path(keras, keras.optimizers.Adam(1.0, 0.9, 0.99, EPSILON)),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=EPSILON
        ),
    ),
    Convention(
        id="adam-epsilon-default",
        question="Adam: ε by default",
        forms={"1e-7": 1e-7, "1e-8": 1e-8},
        paper="1e-8",
        keras="1e-7",
        pytorch="1e-8",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: keras.optimizers.Adam().epsilon,
        ask_pytorch=lambda torch: _torch_default(torch, torch.optim.Adam, "eps"),
    ),
    Convention(
        id="adam-weight-decay",
        question="Adam's (not AdamW's) `weight_decay`: where does it act?",
        forms={
            "on the weights, times η": _adam_path(adam.adamw_step, NO_EPSILON, DECAY),
            "in the gradient": _adam_path(_adam_penalised, NO_EPSILON),
        },
        paper="has none",
        keras="on the weights, times η",
        pytorch="in the gradient",
        source="Kingma & Ba 2015, algorithm 1",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.Adam(1.0, 0.9, 0.99, NO_EPSILON, weight_decay=DECAY)
        ),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.Adam, betas=(0.9, 0.99), eps=NO_EPSILON, weight_decay=DECAY
        ),
    ),
    Convention(
        id="adamw-decay",
        question="AdamW: what is decayed, and times what?",
        forms={
            "the old weights, times η": _adam_path(adam.adamw_step, NO_EPSILON, DECAY),
            "the old weights, times the schedule": _adam_path(
                _adam_decayed_by_schedule, NO_EPSILON
            ),
            "the new weights, times η": _adam_path(_adam_decayed_after, NO_EPSILON),
        },
        paper="the old weights, times the schedule",
        keras="the old weights, times η",
        pytorch="the old weights, times η",
        source="Loshchilov & Hutter 2019, algorithm 2",
        ask_keras=lambda keras: _keras_path(
            keras, keras.optimizers.AdamW(1.0, DECAY, 0.9, 0.99, NO_EPSILON)
        ),
        ask_pytorch=lambda torch: _torch_path(
            torch, torch.optim.AdamW, betas=(0.9, 0.99), eps=NO_EPSILON, weight_decay=DECAY
        ),
    ),
    Convention(
        id="adamw-decay-default",
        question="AdamW: `weight_decay` by default",
        forms={"0.004": 0.004, "0.01": 0.01},
        paper="has none",
        keras="0.004",
        pytorch="0.01",
        source="Loshchilov & Hutter 2019, section 4",
        ask_keras=lambda keras: keras.optimizers.AdamW().weight_decay,
        ask_pytorch=lambda torch: _torch_default(torch, torch.optim.AdamW, "weight_decay"),
    ),
    Convention(
        id="clip-norm",
        question="Clipping by norm (`clipnorm`, `clip_grad_norm_`): whose norm?",
        forms={
            "of all arrays together": np.concatenate(adam.clip_by_global_norm(CLIPPED, 1.0)),
            "of each array": np.concatenate(
                [adam.clip_by_global_norm([array], 1.0)[0] for array in CLIPPED]
            ),
        },
        paper="of all arrays together",
        keras="of each array",
        pytorch="of all arrays together",
        source="Pascanu et al. 2013, algorithm 1",
        ask_keras=_keras_clipnorm,
        ask_pytorch=_torch_clip_grad_norm,
    ),
    Convention(
        id="resnet50-input",
        question="ResNet50 with its published weights: images are ...",
        forms={
            "BGR 0..255, minus the mean": feature_extraction.resnet50_preprocess(PIXEL).ravel(),
            "RGB 0..1, minus the mean, over the deviation": (
                (PIXEL / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
            ).ravel(),
            "RGB −1..1": (PIXEL / 127.5 - 1).ravel(),
        },
        paper="BGR 0..255, minus the mean",
        keras="BGR 0..255, minus the mean",
        pytorch="RGB 0..1, minus the mean, over the deviation",
        source="He et al. 2016, section 3.4 (a mean for every place), weights in Caffe's BGR",
        ask_keras=_keras_resnet50_input,
        ask_pytorch=_torch_resnet50_input,
    ),
    Convention(
        id="batchnorm-momentum",
        question="Batch normalisation: momentum is the share of ...",
        forms={
            "the old statistics": _numpy_batchnorm(0.75)[0],
            "the batch": _numpy_batchnorm(0.25)[0],
        },
        paper="has none",
        keras="the old statistics",
        pytorch="the batch",
        source="Ioffe & Szegedy 2015, algorithm 2",
        ask_keras=lambda keras: _keras_batchnorm(keras)[0],
        ask_pytorch=lambda torch: _torch_batchnorm(torch, 0.75)[0],
    ),
    Convention(
        id="batchnorm-variance",
        question="Batch normalisation: the stored variance averages variances that are ...",
        forms={
            "biased, ÷ N": _numpy_batchnorm(0.75)[1],
            "unbiased, ÷ (N − 1)": 0.75 + 0.25 * GRADIENTS.var(axis=0, ddof=1),
        },
        paper="unbiased, ÷ (N − 1)",
        keras="biased, ÷ N",
        pytorch="unbiased, ÷ (N − 1)",
        source="Ioffe & Szegedy 2015, algorithm 2",
        ask_keras=lambda keras: _keras_batchnorm(keras)[1],
        ask_pytorch=lambda torch: _torch_batchnorm(torch, 1 - 0.75)[1],
    ),
    Convention(
        id="batchnorm-epsilon-default",
        question="Batch normalisation: ε by default",
        forms={"1e-3": 1e-3, "1e-5": 1e-5},
        paper="has none",
        keras="1e-3",
        pytorch="1e-5",
        source="Ioffe & Szegedy 2015, algorithm 1",
        ask_keras=lambda keras: keras.layers.BatchNormalization().epsilon,
        ask_pytorch=lambda torch: torch.nn.BatchNorm1d(1).eps,
    ),
    Convention(
        id="batchnorm-frozen",
        question="Batch normalisation with frozen weights, in training: the stored statistics ...",
        forms={"stay": 0.0, "move": 1.0},
        paper="has none",
        keras="stay",
        pytorch="move",
        source="Ioffe & Szegedy 2015",
        ask_keras=lambda keras: np.any(_keras_batchnorm(keras, trainable=False)[0]),
        ask_pytorch=lambda torch: np.any(_torch_batchnorm(torch, 0.75, trainable=False)[0]),
    ),
)
