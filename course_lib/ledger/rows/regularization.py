"""L2 and dropout: half or not, on which weights, dropped or kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...foundations import regularization
from ...foundations.gradients import numerical_gradient
from ..convention import Convention
from ..problem import DECAY, WEIGHTS


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
    """1 if the bias is penalized like the weights, 0 if it is not."""
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


ROWS = (
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
        question="L2: is the bias penalized?",
        forms={"no": 0.0, "yes": 1.0},
        paper="no",
        keras="no",
        pytorch="yes",
        source="Goodfellow et al. 2016, section 7.1",
        ask_keras=_keras_bias_share,
        ask_pytorch=_torch_bias_share,
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
)
