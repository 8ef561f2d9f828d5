"""The cells of ELPV: their splits, their modules, and files that are not as published."""

import shutil
from importlib import util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.data import elpv
from course_lib.errors import CourseError

needs_wheel = pytest.mark.skipif(
    util.find_spec("elpv_dataset") is None,
    reason="elpv-dataset is not installed (extra `offline`)",
)


@pytest.fixture(scope="module")
def cells():
    return elpv.load(image_size=32)


@pytest.fixture
def made_up():
    """Six modules of each type, 60 cells each, without pictures."""
    random = np.random.default_rng(0)
    cell_type = np.repeat(["mono", "poly"], 360)
    probability = random.choice([0, 1 / 3, 2 / 3, 1], size=720, p=[0.5, 0.2, 0.1, 0.2])
    images = np.zeros((720, 1, 1, 1), np.uint8)
    module = np.repeat(np.arange(12), 60)
    return elpv.Elpv(images, probability, cell_type, module, module)


@needs_wheel
def test_the_numbers_are_the_published_ones(cells):
    assert cells.images.shape == (2624, 32, 32, 1)
    assert cells.images.dtype == np.uint8
    # Deitsch et al. (2019), table 1: cells by type and probability of a defect
    for kind, counts in {"mono": (588, 117, 56, 313), "poly": (920, 178, 50, 402)}.items():
        of_kind = cells.probability[cells.cell_type == kind]
        found = [np.sum(np.isclose(of_kind, p)) for p in (0, 1 / 3, 2 / 3, 1)]
        assert tuple(found) == counts
    assert set(cells.probability) == {0, 1 / 3, 2 / 3, 1}
    assert cells.labels.sum() == 56 + 313 + 50 + 402


@needs_wheel
def test_photographs_of_modules_are_as_many_as_published(cells):
    for kind, number in {"mono": 18, "poly": 26}.items():
        assert len(np.unique(cells.photograph[cells.cell_type == kind])) == number
    sizes = np.bincount(cells.photograph)
    assert {n: size for n, size in enumerate(sizes) if size != 60} == {
        20: 54,
        29: 50,
        36: 72,
        40: 48,
    }
    for photograph in range(44):  # none is of two kinds
        assert len(set(cells.cell_type[cells.photograph == photograph])) == 1


@needs_wheel
def test_the_module_that_was_photographed_twice_is_one(cells):
    """Of each of its cells the most similar one in any other photograph is its twin."""
    first, second = (np.arange(start, start + 50) for start in elpv.TWICE)
    assert set(cells.module[first]) == set(cells.module[second]) == {29}
    others = ~np.isin(cells.photograph, (29, 38))
    np.testing.assert_array_equal(cells.module[others], cells.photograph[others])
    across = np.diff(cells.images[..., 0].astype(np.float32), axis=2).reshape(len(cells.images), -1)
    across -= across.mean(axis=1, keepdims=True)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    likeness = across[first] @ across.T
    likeness[:, cells.photograph == 29] = -1
    np.testing.assert_array_equal(likeness.argmax(axis=1), second)
    for seed in range(10):
        held_out = cells.module_split(seed).test
        assert len({n in held_out for n in (*first, *second)}) == 1


@needs_wheel
def test_images_are_resized_without_aliases(cells):
    whole = elpv.load(image_size=300)
    assert whole.images.shape == (2624, 300, 300, 1)
    small = elpv.load(image_size=30).images[:50, :, :, 0]
    means = whole.images[:50].reshape(50, 30, 10, 30, 10).mean((2, 4))
    assert np.abs(small - means).mean() < 1.9  # 1.5; taking every tenth pixel gives 2.4


def test_random_splits_are_stratified_and_follow_their_seed(made_up):
    split = made_up.random_split(seed=3)
    again, other = made_up.random_split(seed=3), made_up.random_split(seed=4)
    np.testing.assert_array_equal(split.test, again.test)
    assert not np.array_equal(split.test, other.test)
    assert sorted([*split.train, *split.test]) == list(range(720))
    assert len(split.test) == 180
    for kind in ("mono", "poly"):
        for probability in np.unique(made_up.probability):
            stratum = (made_up.cell_type == kind) & (made_up.probability == probability)
            assert abs(stratum[split.test].sum() - stratum.sum() / 4) <= 1


def test_module_splits_cut_no_module(made_up):
    split = made_up.module_split(seed=3, test_share=1 / 3)
    again, other = (made_up.module_split(seed, test_share=1 / 3) for seed in (3, 4))
    np.testing.assert_array_equal(split.test, again.test)
    assert not np.array_equal(split.test, other.test)
    assert sorted([*split.train, *split.test]) == list(range(720))
    assert not set(made_up.module[split.train]) & set(made_up.module[split.test])
    assert (made_up.cell_type[split.test] == "mono").sum() == 120
    assert (made_up.cell_type[split.test] == "poly").sum() == 120


@needs_wheel
def test_every_eighth_cell_keeps_what_belongs_to_it(cells):
    fewer = elpv.load(image_size=32, every=8)
    assert len(fewer.images) == 328
    for name in ("images", "probability", "cell_type", "photograph", "module"):
        assert (getattr(fewer, name) == getattr(cells, name)[::8]).all()


def test_a_missing_wheel_is_one_sentence(monkeypatch):
    monkeypatch.setattr(elpv.util, "find_spec", lambda _: None)
    with pytest.raises(CourseError, match="pip install elpv-dataset"):
        elpv.load()


@needs_wheel
def test_changed_files_are_refused(monkeypatch, tmp_path):
    original = Path(util.find_spec("elpv_dataset").submodule_search_locations[0]) / "data"
    copy = tmp_path / "data"
    copy.mkdir()
    shutil.copy(original / "labels.csv", copy)
    (copy / "images").symlink_to(original / "images")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(elpv.util, "find_spec", lambda _: spec)
    text = (copy / "labels.csv").read_text()
    (copy / "labels.csv").write_text(text.replace("cell0004.png  0.0", "cell0004.png  1.0"))
    with pytest.raises(CourseError, match=r"not the published ones.*--force-reinstall"):
        elpv.load(32)
    (copy / "images").unlink()
    with pytest.raises(CourseError, match=r"not the published ones.*cell0001"):
        elpv.load(32)
