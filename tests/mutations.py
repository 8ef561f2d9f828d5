"""Would the tests notice? Change one thing in the reference, run its tests, print the survivors.

    python tests/mutations.py            all mutations, about 10 minutes
    python tests/mutations.py epsilon    those whose name contains "epsilon"

Each mutation is a text substitution in one module of `course_lib.foundations`. The changed source
is executed in this process only, no file is written. A mutation survives if no test of its
module fails; the exit status is the number of survivors. Before a module is changed, its tests
must pass as it is.
"""

# ruff: noqa: E501 - the mutations are a table

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent / "foundations"


@dataclass(frozen=True)
class Mutation:
    """In ``function`` of ``module``, the text ``before`` becomes ``after``."""

    name: str
    module: str
    function: str
    before: str
    after: str

    def apply(self, source: str) -> str:
        """The changed source.

        Raises:
            ValueError: the text is not there exactly once, so the mutation is out of date.
        """
        head, definition, rest = source.partition(f"\ndef {self.function}(")
        body, following, tail = rest.partition("\n\n\n")
        if not definition or body.count(self.before) != 1:
            raise ValueError(f"{self.name}: “{self.before}” is not once in {self.function}")
        return head + definition + body.replace(self.before, self.after) + following + tail


R, S, A = "regularization", "sgd", "adam"
F, T = "feature_extraction", "fine_tuning"
_CORRECTED = "m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)"
_MOMENTS = "return beta_1 * m + (1 - beta_1) * gradient, beta_2 * v + (1 - beta_2) * gradient**2"

MUTATIONS = (
    Mutation("epsilon inside, paper", A, "adam_step", "(np.sqrt(v_hat) + epsilon)", "np.sqrt(v_hat + epsilon)"),
    Mutation("epsilon hat, paper", A, "adam_step", "(np.sqrt(v_hat) + epsilon)", "(np.sqrt(v_hat) + epsilon / np.sqrt(1 - beta_2**step))"),
    Mutation("epsilon inside, Keras", A, "adam_step_keras", "(np.sqrt(v) + epsilon)", "np.sqrt(v + epsilon)"),
    Mutation("epsilon of the paper, Keras", A, "adam_step_keras", "(np.sqrt(v) + epsilon)", "(np.sqrt(v) + epsilon * np.sqrt(1 - beta_2**step))"),
    Mutation("epsilon outside, RMSProp", A, "rmsprop_step", "np.sqrt(average + epsilon)", "(np.sqrt(average) + epsilon)"),
    Mutation("epsilon outside, AdaGrad", A, "adagrad_step", "np.sqrt(accumulated + epsilon)", "(np.sqrt(accumulated) + epsilon)"),
    Mutation("no bias correction, paper", A, "adam_step", _CORRECTED, "m_hat, v_hat = m, v"),
    Mutation("no bias correction of m, Keras", A, "adam_step_keras", " / (1 - beta_1**step)", ""),
    Mutation("no bias correction of v, Keras", A, "adam_step_keras", " * np.sqrt(1 - beta_2**step)", ""),
    Mutation("no bias correction, average", A, "bias_corrected_average", " / (1 - beta ** (index + 1))", ""),
    Mutation("step counter, average", A, "bias_corrected_average", "(index + 1)", "(index + 2)"),
    Mutation("step counter + 1, paper", A, "adam_step", _CORRECTED, _CORRECTED.replace("step", "(step + 1)")),
    Mutation("step counter + 1, Keras", A, "adam_step_keras", "beta_2**step) / (1 - beta_1**step)", "beta_2**(step + 1)) / (1 - beta_1**(step + 1))"),
    Mutation("step counter from 0, Keras", A, "adam_step_keras", "beta_2**step) / (1 - beta_1**step)", "beta_2**(step - 1)) / (1 - beta_1**(step - 1))"),
    Mutation("step counter + 1, AMSGrad", A, "amsgrad_step_keras", "beta_2**step) / (1 - beta_1**step)", "beta_2**(step + 1)) / (1 - beta_1**(step + 1))"),
    Mutation("betas exchanged", A, "_moments", _MOMENTS, _MOMENTS.replace("beta_1", "beta_0").replace("beta_2", "beta_1").replace("beta_0", "beta_2")),
    Mutation("AMSGrad forgets its maximum", A, "amsgrad_step_keras", "np.maximum(v_max, v)", "v"),
    Mutation("AdamW without the learning rate", A, "adamw_step", "learning_rate * weight_decay * weights", "weight_decay * weights"),
    Mutation("AdamW decay twice as strong", A, "adamw_step", "learning_rate * weight_decay * weights", "2 * learning_rate * weight_decay * weights"),
    Mutation("clipping scales up", A, "clip_by_global_norm", " if norm > max_norm else 1.0", ""),
    Mutation("momentum's sign", S, "momentum_step", "momentum * velocity - learning_rate", "-momentum * velocity - learning_rate"),
    Mutation("momentum's velocity subtracted", S, "momentum_step", "weights + velocity", "weights - velocity"),
    Mutation("momentum weights the gradient by 1 − μ", S, "momentum_step", "- learning_rate * gradient", "- (1 - momentum) * learning_rate * gradient"),
    Mutation("Nesterov is plain momentum", S, "nesterov_step", "weights + momentum * velocity - learning_rate * gradient", "weights + velocity"),
    Mutation("Nesterov's sign", S, "nesterov_step", "weights + momentum * velocity", "weights - momentum * velocity"),
    Mutation("SGD's sign", S, "sgd_step", "weights - learning_rate", "weights + learning_rate"),
    Mutation("least squares without the mean", S, "least_squares_gradient", "@ weights, targets)", "@ weights, targets) * len(features)"),
    Mutation("ReLU's mask forgotten", S, "hidden_layer_gradients", " * (hidden > 0)", ""),
    Mutation("stability limit 1/λ", S, "largest_stable_learning_rate", "2 / steepest", "1 / steepest"),
    Mutation("warm-up counted in the cosine", S, "cosine_with_warmup", "(total_steps - warmup_steps)", "total_steps"),
    Mutation("last batch dropped", S, "minibatches", "range(0, len(order), batch_size)", "range(0, len(order) - batch_size + 1, batch_size)"),
    Mutation("factor 2 of L2's penalty", R, "l2_penalty", "strength * np.sum", "0.5 * strength * np.sum"),
    Mutation("factor 2 of L2's gradient", R, "l2_gradient", "2 * strength", "strength"),
    Mutation("ridge strength without N", R, "ridge_weights", "penalty = strength *", "penalty = strength / count *"),
    Mutation("bias penalised", R, "_penalised", "flags[-1] = 0", "flags[-1] = 1"),
    Mutation("hard threshold", R, "soft_threshold", "np.maximum(np.abs(weights) - amount, 0)", "np.abs(weights) * (np.abs(weights) > amount)"),
    Mutation("dropout divides by the rate", R, "dropout", "/ (1 - rate)", "/ rate"),
    Mutation("decay without the learning rate", R, "weight_decay_step", "learning_rate * decay * weights", "decay * weights"),
    Mutation("early stopping one epoch late", R, "early_stopping", ">= patience", "> patience"),
    Mutation("split rounds down", F, "stratified_split", "math.ceil(fraction * len(places))", "int(fraction * len(places))"),
    Mutation("split of everything together", F, "stratified_split", "in_order == label", "in_order == in_order"),
    Mutation("split takes the last of a class", F, "stratified_split", "places[: math", "places[::-1][: math"),
    Mutation("split forgets the order", F, "stratified_split", "return order[chosen], order[~chosen]", "return np.sort(order[chosen]), np.sort(order[~chosen])"),
    Mutation("channels not turned round", F, "resnet50_preprocess", "images[..., ::-1]", "images"),
    Mutation("mean in the order of RGB", F, "resnet50_preprocess", "np.array(IMAGENET_MEAN)", "np.array(IMAGENET_MEAN)[::-1]"),
    Mutation("pooled over channels first", F, "global_average_pool", "axis=(1, 2)", "axis=(2, 3)"),
    Mutation("largest in place of mean", F, "global_average_pool", "np.mean(", "np.max("),
    Mutation("deviation unbiased", F, "standardize", "train.std(axis=0)", "train.std(axis=0, ddof=1)"),
    Mutation("constant feature divides", F, "standardize", "np.where(constant, 1.0, train.std(axis=0))", "train.std(axis=0)"),
    Mutation("constant feature by its deviation", F, "standardize", "train.max(axis=0) == train.min(axis=0)", "train.std(axis=0) == 0"),
    Mutation("other set by its own mean", F, "standardize", "(other - mean)", "(other - other.mean(axis=0))"),
    Mutation("probe's penalty forgotten", F, "linear_probe_gradients", " + l2_gradient(weights, strength)", ""),
    Mutation("probe's bias averaged again", F, "linear_probe_gradients", "slope.sum(axis=0)", "slope.mean(axis=0)"),
    Mutation("probe's bias penalised", F, "linear_probe_gradients", "slope.sum(axis=0)", "slope.sum(axis=0) + l2_gradient(bias, strength)"),
    Mutation("precision in place of recall", F, "balanced_accuracy", "np.mean(predictions[labels == label] == label)", "np.mean(labels[predictions == label] == label)"),
    Mutation("absent class counts", F, "balanced_accuracy", "np.mean(recalls)", "np.sum(recalls) / num_classes"),
    Mutation("named layer stays frozen", T, "trainable_mask", ">= start", "> start"),
    Mutation("batch normalisation trains", T, "trainable_mask", " & ~np.asarray(is_batchnorm, bool)", ""),
    Mutation("frozen counted", T, "trainable_parameters", " if trains)", ")"),
    Mutation("lengths added", T, "trainable_parameters", "math.prod(shape)", "sum(shape)"),
    Mutation("epsilon outside, batch normalisation", T, "batchnorm_inference", "np.sqrt(moving_variance + epsilon)", "(np.sqrt(moving_variance) + epsilon)"),
    Mutation("batch's own mean", T, "batchnorm_inference", "x - moving_mean", "x - x.mean(axis=0)"),
    Mutation("momentum of the mean is PyTorch's", T, "batchnorm_moving_update", "momentum * moving_mean + (1 - momentum) *", "(1 - momentum) * moving_mean + momentum *"),
    Mutation("momentum of the variance is PyTorch's", T, "batchnorm_moving_update", "momentum * moving_variance + (1 - momentum) *", "(1 - momentum) * moving_variance + momentum *"),
    Mutation("moving variance unbiased", T, "batchnorm_moving_update", "batch.var(axis=0)", "batch.var(axis=0, ddof=1)"),
    Mutation("class weights without C", T, "class_weights", "num_classes * np.maximum", "np.maximum"),
    Mutation("absent class has a weight", T, "class_weights", "counts > 0, len", "counts >= 0, len"),
    Mutation("rates from the output", T, "layerwise_learning_rates", "[::-1]", ""),
    Mutation("rates grow", T, "layerwise_learning_rates", "* decay**distances", "/ decay**distances"),
)  # fmt: skip


def tests_pass(module: str) -> bool:
    """Whether all tests of this module pass, in this process.

    Raises:
        RuntimeError: pytest could not run them.
    """
    import pytest

    sys.modules.pop(f"test_{module}", None)  # it may hold functions of the last mutation
    file = str(TESTS / f"test_{module}.py")
    options = ["-x", "-q", "-n", "0", "-o", "addopts=", "-p", "no:cacheprovider"]
    with contextlib.redirect_stdout(io.StringIO()):
        status = pytest.main([file, *options, "-p", "no:warnings"])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests of {module} did not run (pytest status {status})")
    return status == pytest.ExitCode.OK


def survives(mutation: Mutation) -> bool:
    """Whether the tests of the mutated module all pass."""
    module = importlib.import_module(f"course_lib.foundations.{mutation.module}")
    file = str(module.__file__)
    source = Path(file).read_text(encoding="utf-8")
    changed = mutation.apply(source)
    try:
        exec(compile(changed, file, "exec"), module.__dict__)
        return tests_pass(mutation.module)
    finally:
        exec(compile(source, file, "exec"), module.__dict__)


def main(words: list[str]) -> int:
    """Run the mutations whose names contain one of the words (all if there are none)."""
    chosen = [m for m in MUTATIONS if not words or any(word in m.name for word in words)]
    sound: set[str] = set()
    survivors = 0
    for mutation in chosen:
        if mutation.module not in sound and not tests_pass(mutation.module):
            sys.exit(f"the tests of {mutation.module} fail without any mutation")
        sound.add(mutation.module)
        start = time.perf_counter()
        alive = survives(mutation)
        survivors += alive
        seconds = time.perf_counter() - start
        found = "SURVIVED" if alive else "caught"
        print(f"{found:8}  {mutation.module:14} {mutation.name}  ({seconds:.1f} s)", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutations caught")
    return survivors


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(TESTS.parents[1]))
    sys.exit(main(sys.argv[1:]))
