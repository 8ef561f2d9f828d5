"""Training by `fit`: the examples it is given, and that an interruption changes nothing."""

import os
import signal
import subprocess
import sys
import threading
from importlib import util
from pathlib import Path

import keras
import numpy as np
import pytest

from course_lib.errors import CourseError, UsageError
from course_lib.transfer import layerwise
from course_lib.transfer.training import Backup, Batches

pytestmark = pytest.mark.slow

LABELS = np.arange(12) % 2
ROWS = np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)
ROWS[:, 0] += 4 * LABELS
EPOCHS = 8


class Interruption(keras.callbacks.Callback):
    """Calls a function in the second batch of an epoch."""

    def __init__(self, epoch, interrupt):
        super().__init__()
        self.wanted, self.interrupt, self.epoch = epoch, interrupt, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == (self.wanted, 1):
            self.interrupt()


class Losses(keras.callbacks.Callback):
    """Puts these validation losses in the place of those that were measured."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.losses[epoch]


def fit(folder=None, *others, rate=0.05, losses=range(EPOCHS, 0, -1)):
    """A small model with all that changes in training; its weights and its EarlyStopping."""
    inputs = keras.Input((5,))
    kernel = np.random.default_rng(2).normal(size=(5, 6))
    x = keras.layers.Dense(6, "tanh", kernel_initializer=lambda *_, **__: kernel, name="a")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.5, seed=0, name="dropout")(x)
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name="logits")(x)
    model = keras.Model(inputs, logits)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 12, warmup_target=rate, warmup_steps=2)
    optimizer = layerwise.LayerwiseAdamW.by_group(schedule, model, ["norm"], 0.5, 0.01)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = Batches([ROWS, -ROWS], LABELS, slice(8), batch_size=4, seed=3)
    stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    callbacks = [Losses(losses), stopping]
    if folder is not None:
        callbacks.append(Backup(folder, batches, stopping))
    model.fit(
        batches,
        validation_data=(ROWS[8:], LABELS[8:]),
        epochs=EPOCHS,
        callbacks=[*callbacks, *others],
        shuffle=False,
        verbose=0,
    )
    return model.get_weights(), stopping


def assert_equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_step_is_traced_once(monkeypatch):
    """Of each variable one update; TensorFlow traces twice where a step makes variables."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("traces are TensorFlow's")
    traced, update = [], layerwise.LayerwiseAdamW.update_step

    def noted(self, gradient, variable, learning_rate):
        traced.append(variable.name)
        update(self, gradient, variable, learning_rate)

    monkeypatch.setattr(layerwise.LayerwiseAdamW, "update_step", noted)
    fit()
    assert len(traced) == 6  # kernels, biases, and two of the normalization


# --- batches -----------------------------------------------------------------------------------


def drawn(batches):
    """Examples (as they stand in ROWS) and signs of the variants that an epoch takes."""
    x = np.concatenate([batches[number][0] for number in range(len(batches))])
    rows = np.array([np.flatnonzero(np.isclose(abs(ROWS), abs(row)).all(axis=1))[0] for row in x])
    return rows, np.sign(x[:, 0] * ROWS[rows, 0]).astype(int)


def test_an_epoch_takes_each_chosen_example_once_with_its_label():
    batches = Batches([ROWS, -ROWS], LABELS, [3, 1, 11, 0, 5, 4], batch_size=4)
    assert len(batches) == 2
    rows, signs = drawn(batches)
    assert sorted(rows) == [0, 1, 3, 4, 5, 11]
    assert set(signs) == {-1, 1}
    np.testing.assert_array_equal(np.concatenate([batches[n][1] for n in (0, 1)]), LABELS[rows])


def test_order_and_variants_follow_from_seed_and_epoch():
    batches, same = (Batches([ROWS, -ROWS], LABELS, seed=1) for _ in range(2))
    other = Batches([ROWS, -ROWS], LABELS, seed=2)
    epochs = []
    for _ in range(3):
        for each in (batches, same, other):
            each.on_epoch_begin()
        epochs.append(drawn(batches))
        np.testing.assert_array_equal(drawn(same), epochs[-1])
        assert not np.array_equal(drawn(other), epochs[-1])
    assert not np.array_equal(epochs[0], epochs[1])
    again = Batches([ROWS, -ROWS], LABELS, seed=1)
    again.epoch = 2
    again.on_epoch_begin()
    np.testing.assert_array_equal(drawn(again), epochs[2])


@pytest.mark.parametrize(
    "chosen", [[0, 2, 4], np.array([4, 2, 0]), LABELS[:6].tolist() + [1] * 6, slice(0, 5, 2)]
)
def test_examples_are_chosen_as_in_numpy(chosen):
    if isinstance(chosen, list) and len(chosen) == 12:
        chosen = [not each for each in chosen]  # a mask
    assert sorted(drawn(Batches([ROWS], LABELS, chosen))[0]) == [0, 2, 4]


@pytest.mark.parametrize(
    ("types", "carried"),
    [
        (["uint8", "uint8"], "uint8"),
        (["float16"], "float16"),
        (["uint8", "float16"], "float32"),
        (["float64"], "float32"),
        (["int64"], "float32"),
    ],
)
def test_small_types_are_carried_to_the_device_as_they_are(types, carried):
    x, _ = Batches([np.abs(ROWS).astype(each) for each in types], LABELS)[0]
    assert x.dtype == carried


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"variants": [ROWS, ROWS[1:]]}, r"of one shape.* \(11, 5\) and \(12, 5\)"),
        ({"variants": []}, "these have none"),
        ({"variants": ROWS}, "12 labels for 5 examples"),
        ({"labels": LABELS[1:]}, "there are 11 labels for 12 examples"),
        ({"chosen": []}, "nothing to learn from"),
        ({"chosen": 3}, "nothing to learn from: 3"),
        ({"chosen": [12]}, "indices below 12"),
        ({"chosen": [True] * 5}, "a mask of 12"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 4.0}, r"batch_size is 4\.0"),
        ({"labels": LABELS / 3}, r"labels \(float64, shape \(12,\)\) are no classes"),
        ({"labels": LABELS - 1}, "integers from 0"),
        ({"labels": 1}, "are no classes"),
        ({"labels": np.eye(2)[LABELS] / 2}, "those of each example add up to 1"),
        ({"labels": np.array([[1.5, -0.5]] * 12)}, "none below 0"),
    ],
)
def test_what_says_nothing_is_one_sentence(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        Batches(**{"variants": [ROWS], "labels": LABELS} | arguments)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_that_were_divided_by_255_are_refused(channels):
    """In silence, a model that begins at the images would take them for black ones."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, channels)).astype("uint8")
    for prepared in (images / 255, (images / 255).astype(np.float16), images / 127.5 - 1):
        with pytest.raises(UsageError, match=r"values up to .*: give the images as they were read"):
            Batches([images.astype(prepared.dtype), prepared], LABELS)


@pytest.mark.parametrize(
    "taken",
    [
        np.zeros((12, 8, 8, 3)),  # blank
        np.full((12, 8, 8, 3), 1, np.uint8),  # bytes are as they were read
        np.full((12, 8, 8, 3), 1.5),
        np.full((12, 8, 8, 24), 0.5),  # maps
        np.full((12, 24), 0.5),  # rows
    ],
)
def test_what_may_be_as_small_is_taken(taken):
    x, _ = Batches([taken], LABELS)[0]
    np.testing.assert_array_equal(x, taken)


def test_a_column_of_labels_is_labels():
    np.testing.assert_array_equal(Batches([ROWS], LABELS[:, None].tolist()).labels, LABELS)


def test_validation_is_chosen_like_training_and_nothing_piles_up_over_epochs():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    mask = [True] * 8 + [False] * 4
    others = [not each for each in mask]
    training = Batches([ROWS], LABELS, mask, batch_size=4)
    threads, losses = [], []
    for chosen in (others, range(8, 12), (8, 9, 10, 11), slice(8, None)):
        validation = Batches([ROWS], LABELS, chosen)
        model.set_weights([np.eye(5, 2), np.zeros(2)])
        history = model.fit(
            training, validation_data=validation, epochs=5, shuffle=False, verbose=0
        )
        losses.append(history.history["val_loss"][0])
        threads.append(threading.active_count())
    np.testing.assert_allclose(losses[1:], losses[0], rtol=0.5)
    assert np.isfinite(losses).all()
    assert threads[0] == threads[-1]


def test_probabilities_of_0_and_1_are_labels():
    weights = []
    for labels, kind in ((LABELS, "Sparse"), (np.eye(2)[LABELS], "")):
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, None, True, "zeros")])
        loss = getattr(keras.losses, f"{kind}CategoricalCrossentropy")(from_logits=True)
        model.compile(keras.optimizers.SGD(0.5), loss)
        model.fit(Batches([ROWS], labels, batch_size=4), epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


# --- interrupted -------------------------------------------------------------------------------

BETTER = range(EPOCHS, 0, -1)
WORSE = [5, 4, 3, 6, 7, 8, 2, 1]
"""Best after the third epoch; EarlyStopping loses patience after the sixth."""


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize(("epoch", "losses"), [(0, BETTER), (1, WORSE), (4, WORSE)])
def test_interrupted_and_resumed_training_ends_as_if_it_had_not_been(epoch, losses, tmp_path):
    """With dropout, statistics, moments, schedule, order, variants and patience as they were."""
    whole, stopped = fit(tmp_path / "whole", losses=losses)
    folder = tmp_path / "interrupted"
    with pytest.raises(KeyboardInterrupt):
        fit(folder, Interruption(epoch, interrupt), losses=losses)
    again, stopped_again = fit(folder, losses=losses)
    assert_equal(again, whole)
    for name in ("best", "best_epoch", "wait", "stopped_epoch"):
        assert getattr(stopped_again, name) == getattr(stopped, name)
    finished, _ = fit(folder, losses=losses)  # ends at once
    assert_equal(finished, whole)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_training import Interruption, fit

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] == "writing":
    import keras
    keras.Model.save_weights, save = (
        lambda self, filepath, **named: (save(self, filepath, **named), kill())
        if self.optimizer.iterations == 6 else save(self, filepath, **named),
        keras.Model.save_weights,
    )
fit(sys.argv[2], Interruption(3, kill))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
@pytest.mark.parametrize("when", ["training", "writing"])
def test_killed_and_resumed_training_ends_as_if_it_had_not_been(when, tmp_path):
    """In the fourth epoch, or while the backup of the third is written."""
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(folder), when]
    run = subprocess.run(command, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    assert run.returncode == -signal.SIGKILL
    assert [backup.name for backup in folder.glob("epoch-*")] == [
        "epoch-00003" if when == "training" else "epoch-00002"
    ]
    assert_equal(fit(folder)[0], fit(tmp_path / "whole")[0])
    assert [backup.name for backup in folder.iterdir()] == [f"epoch-{EPOCHS:05}"]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="elsewhere Keras begins the first epoch twice"
)
def test_keeping_backups_changes_nothing(tmp_path):
    assert_equal(fit(tmp_path)[0], fit()[0])


def test_a_later_fit_of_the_same_model_begins_with_its_first_epoch(tmp_path):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = Batches([ROWS], LABELS)
    for _ in range(2):
        model.fit(batches, epochs=2, callbacks=[Backup(tmp_path, batches)], verbose=0)
    assert len(model.fit(batches, epochs=2, verbose=0).epoch) == 2


def test_backups_of_other_trainings_and_damaged_ones_are_refused(tmp_path):
    fit(tmp_path / "one")
    with pytest.raises(CourseError, match="is of another training"):
        fit(tmp_path / "one", rate=0.25)
    for name in ("latest.weights.h5", "rest.npz"):
        fit(tmp_path / name)
        [file] = tmp_path.glob(f"{name}/epoch-*/{name}")
        file.write_bytes(file.read_bytes()[:-100])
        with pytest.raises(CourseError, match="is damaged: delete it"):
            fit(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be written"):
        fit(tmp_path / "file" / "below")


@pytest.mark.skipif(util.find_spec("jax") is None, reason="JAX is not installed")
def test_it_resumes_on_jax():
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", __file__, "-k", "resumed"]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    subprocess.run(command, check=True, env=environment)
