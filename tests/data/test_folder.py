"""A learner's own folder of images, in the state in which such folders are."""

import warnings

import numpy as np
import pytest
from PIL import ExifTags, Image

from course_lib.data import folder
from course_lib.errors import CourseError, UsageError


def picture(path, color, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path, **options)
    return path


@pytest.fixture
def top(tmp_path):
    picture(tmp_path / "good" / "b.png", (255, 0, 0))
    picture(tmp_path / "good" / "more" / "a.bmp", (0, 255, 0), (30, 40))
    picture(tmp_path / "bad" / "c.png", (0, 0, 255))
    (tmp_path / ".cache").mkdir()
    (tmp_path / "good" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "notes.txt").write_text("files beside the classes are no matter")
    return tmp_path


def test_classes_are_folders_in_alphabetical_order(top):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = folder.load(top, image_size=8)
    assert found.class_names == ("bad", "good")
    assert found.labels.tolist() == [0, 1, 1]
    assert [file.name for file in found.files] == ["c.png", "b.png", "a.bmp"]
    assert found.images.shape == (3, 8, 8, 3)
    assert found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.images[:, 4, 4], [[0, 0, 255], [255, 0, 0], [0, 255, 0]])
    assert found.unreadable == ()


def test_gray_transparent_and_palette_images_become_rgb(tmp_path):
    for mode in ("L", "LA", "RGBA", "P", "1", "CMYK"):
        (tmp_path / "a").mkdir(exist_ok=True)
        Image.new(mode, (8, 8)).save(tmp_path / "a" / f"{mode}.tif")
    assert folder.load(tmp_path, 8).images.shape == (6, 8, 8, 3)


def test_a_palette_with_transparent_colors_is_no_reason_to_leave_an_image_out(tmp_path):
    (tmp_path / "a").mkdir()
    image = Image.new("P", (8, 8))
    image.putpalette([10, 20, 30, *range(253)])
    image.save(tmp_path / "a" / "icon.png", transparency=bytes([255, 128, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(folder.load(tmp_path, 8).images[0, 0, 0], [10, 20, 30])


@pytest.mark.parametrize(("note", "turned"), [(None, False), (6, True), (b"Exif\0\0MM", False)])
def test_photographs_stand_upright(tmp_path, note, turned):
    """A camera held upright stores its picture lying, and notes that it is to be turned by 90°."""
    lying = np.zeros((40, 40, 3), np.uint8)
    lying[:20] = 255
    exif = note or b""
    if isinstance(note, int):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = note
    (tmp_path / "a").mkdir()
    Image.fromarray(lying).save(tmp_path / "a" / "photo.jpg", exif=exif)
    [image] = folder.load(tmp_path, 8).images
    expected = np.rot90(lying, -1) if turned else lying
    assert np.abs(image.astype(int) - expected[2::5, 2::5]).mean() < 10


def test_images_are_cut_around_their_center(tmp_path):
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = 200
    (tmp_path / "a").mkdir()
    Image.fromarray(stripes).save(tmp_path / "a" / "wide.png")
    inside = folder.load(tmp_path, 10).images[:, :, 1:-1]  # Pillow lets a pixel of the rest in
    np.testing.assert_array_equal(inside, 200)


def test_what_is_transparent_lies_on_white(tmp_path):
    (tmp_path / "a").mkdir()
    hidden = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    hidden.save(tmp_path / "a" / "hidden.png")
    np.testing.assert_array_equal(folder.load(tmp_path, 8).images, 255)


def test_nothing_is_cut_off_if_it_is_asked_for(tmp_path):
    file = picture(tmp_path / "a" / "wide.png", (200, 200, 200), (60, 20))
    [image] = folder.load(tmp_path, (12, 12), pad_to_aspect_ratio=True).images
    np.testing.assert_array_equal(image[5:7], 200)
    np.testing.assert_array_equal(image[[0, -1]], 0)
    np.testing.assert_array_equal(folder.photograph(file, 12, pad_to_aspect_ratio=True), image)


def test_a_new_photograph_is_read_like_the_others(top):
    found = folder.load(top, 8)
    for file, image in zip(found.files, found.images, strict=True):
        np.testing.assert_array_equal(folder.photograph(str(file), (8, 8)), image)
    (top / "no.png").write_bytes(b"")
    for name, why in {"no.png": "not an image", "gone.png": "No such file"}.items():
        with pytest.raises(CourseError, match=f"{name} cannot be read as an image: {why}"):
            folder.photograph(top / name)


def test_what_the_system_adds_is_no_image_and_no_class(top):
    for name in ("good/Thumbs.db", "good/desktop.ini", "__MACOSX/good/b.png", "good/@eaDir/b.png"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert folder.load(top, 8).class_names == ("bad", "good")


def test_a_folder_may_be_told_from_home(top, monkeypatch):
    monkeypatch.setenv("HOME", str(top.parent))
    monkeypatch.setenv("USERPROFILE", str(top.parent))
    assert len(folder.load(f"~/{top.name}", 8).images) == 3


def test_what_is_loaded_is_shown_in_a_line(top):
    assert repr(folder.load(top, 8)) == "ImageFolder(class_names=('bad', 'good'), unreadable=())"


def test_one_class_whose_folders_look_like_classes(tmp_path):
    picture(tmp_path / "animals" / "cat" / "a.png", (255, 0, 0))
    with pytest.warns(UserWarning, match=r"one class only, “animals”: .* load .*animals"):
        folder.load(tmp_path, 8)


@pytest.mark.parametrize("names", [("train", "val"), ("Test", "training", "validation")])
def test_parts_of_a_data_set_are_no_classes(tmp_path, names):
    for name in names:
        picture(tmp_path / name / "cat" / "a.png", (255, 0, 0))
    with pytest.warns(UserWarning, match="look like parts of a data set, not like classes"):
        folder.load(tmp_path, 8)


def test_a_class_may_be_called_test(tmp_path):
    for name in ("test", "train_station"):
        picture(tmp_path / name / "a.png", (255, 0, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder.load(tmp_path, 8)


def test_unreadable_files_are_listed_and_not_fatal(top):
    (top / "bad" / "empty.png").write_bytes(b"")
    (top / "bad" / "notes.txt").write_text("not an image")
    whole = picture(top / "bad" / "cut.png", (1, 2, 3), (200, 200)).read_bytes()
    (top / "bad" / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.full((8, 8), 3000, np.uint16)).save(top / "bad" / "deep.png")
    (top / "bad" / "gone.png").symlink_to(top / "nowhere")
    (top / "bad" / "phone.HEIC").write_bytes(b"not decoded here")
    said = r"6 of 9 files were left out \(.*cut\.png: .*and 1 more\)"
    with pytest.warns(UserWarning, match=said):
        found = folder.load(top, 8)
    reasons = {path.name: reason for path, reason in found.unreadable}
    assert sorted(reasons) == sorted(
        ["cut.png", "deep.png", "empty.png", "gone.png", "notes.txt", "phone.HEIC"]
    )
    assert "truncated" in reasons["cut.png"]
    assert reasons["phone.HEIC"] == "HEIC is not read here: convert it to JPEG or PNG"
    assert reasons["empty.png"] == reasons["notes.txt"] == "not an image"
    assert reasons["gone.png"] == "No such file or directory"
    assert "8 bits" in reasons["deep.png"]
    assert len(found.images) == len(found.labels) == len(found.files) == 3


def test_what_could_have_been_an_image_is_named_first(top):
    for number in range(7):
        (top / "bad" / f"{number}.txt").write_text("a note")
    (top / "bad" / "z.heic").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"8 of 11 files were left out \([^;]*z\.heic: HEIC"):
        folder.load(top, 8)


def test_the_warning_names_some_of_many(top):
    for number in range(7):
        (top / "bad" / f"{number}.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"7 of 10 files .*4\.png: not an image; and 2 more\)"):
        folder.load(top, 8)


def test_an_image_that_would_exhaust_the_memory_is_left_out(top, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    picture(top / "bad" / "huge.png", (0, 0, 0), (60, 60))
    with pytest.warns(UserWarning, match=r"huge\.png: Image size \(3600 pixels\)"):
        assert len(folder.load(top, 8).images) == 3


def test_what_cannot_be_used_is_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="There is no folder"):
        folder.load(tmp_path / "absent")
    picture(tmp_path / "a.png", (0, 0, 0))
    with pytest.raises(CourseError, match="put the images of each class into one of its own"):
        folder.load(tmp_path)
    (tmp_path / "class").mkdir()
    with pytest.raises(CourseError, match=r"No file in .*class can be read as an image: put"):
        folder.load(tmp_path)
    (tmp_path / "class" / "a.heic").touch()
    with pytest.raises(CourseError, match=r"class can be read as an image \(a.heic: HEIC is not"):
        folder.load(tmp_path)
    for size in (0, (8, 9), "8"):
        with pytest.raises(UsageError, match="image_size is"):
            folder.load(tmp_path, size)
