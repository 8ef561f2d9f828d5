"""Whose a submission is: platforms' downloads, folders of a class, copies."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from course_lib.grading.archives import Archives
from course_lib.grading.discovery import ENDINGS, discover


def found(place: Path, files: list[str]) -> tuple[set[str], str]:
    """Learners, and all notes."""
    for name in files:
        path = place / name if "." in name.rpartition("/")[2] else place / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", "utf-8")
    sources, notes = discover([place])
    return {source.learner for source in sources}, "\n".join(notes).replace(str(place), "")


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (["anna", "anna (1)"], {"anna"}),  # a browser
        (["anna", "anna(2)", "ben"], {"anna", "ben"}),
        (["Copy of anna", "ben"], {"anna", "ben"}),  # Google Drive
        (["anna - Copy", "anna - Copy (2)", "anna"], {"anna"}),  # Windows
        (["Kopie von anna", "ben - Kopie"], {"anna", "ben"}),
        (["anna copy", "ben copy 2"], {"anna", "ben"}),  # macOS
        (["anna-Copy1", "anna"], {"anna"}),  # JupyterLab
        (["王小明 - 副本", "李雷的副本"], {"王小明", "李雷"}),
        (["anna/01_losses", "anna (1)/02_regularization"], {"anna"}),  # unpacked twice
    ],
)
def test_copies_are_their_learner_s_with_a_note(
    tmp_path: Path, files: list[str], learners: set[str]
) -> None:
    names, notes = found(tmp_path, files)
    assert names == learners
    assert "for each exercise the best answer counts." in notes


@pytest.mark.parametrize(
    "files",
    [
        ["kim (1)", "kim (2)"],  # an instructor's own numbers
        ["anna/01_losses-Copy1", "anna/01_losses", "ben/01_losses (1)"],
        ["Kim (Anna)", "Kim (Ben)"],
        ["lee_2", "lee_3", "lee"],
    ],
)
def test_what_is_no_copy(tmp_path: Path, files: list[str]) -> None:
    names, notes = found(tmp_path, files)
    assert names == {name.split("/")[0] for name in files}
    assert not notes


def test_a_copy_of_a_lesson_is_nobody_s_name(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["01_losses", "01_losses (1)", "01_losses (2)"])
    assert names == {"01_losses", "01_losses (1)", "01_losses (2)"}
    assert notes == (
        "“01_losses (1)”, “01_losses (2)” name a lesson, and nobody: give each file the name of "
        "its learner."
    )


ATTEMPT = "attempt_2026-11-30-10-20"


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (
            [
                f"HW_1_asmith_{ATTEMPT}-30_01",
                f"HW_1_asmith_{ATTEMPT}-31_01",
                f"HW_1_bkim_{ATTEMPT}-32_mine",
            ],
            {"asmith", "bkim"},
        ),
        ([f"Lesson 1_asmith_{ATTEMPT}-30"], {"asmith"}),
        (
            [
                "71-9 - Anna Smith - Nov 30, 2026 1020 AM/01",
                "71-9 - Anna Smith - Dec 1, 2026 905 PM/01",
                "72-9 - Ben-Ali Kim - 30 November, 2026 1020 - mine",
            ],
            {"Anna Smith_71-9", "Ben-Ali Kim_72-9"},
        ),
        (
            ["anon_aB3dE_9876_01", "anon_aB3dE_9877_02", "LATE_anon_bC4eF_9878_123_x"],
            {"anon_aB3dE", "anon_bC4eF"},
        ),
    ],
)
def test_downloads(tmp_path: Path, files: list[str], learners: set[str]) -> None:
    names, notes = found(tmp_path, files)
    assert names == learners
    assert not notes


@pytest.mark.parametrize(
    ("files", "learners", "around"),
    [
        (["class/anna", "class/ben", "class/cy/01_losses"], {"anna", "ben", "cy"}, "“class”"),
        (
            [
                "Submitted files/A B/Lesson 1/Version 1/01",
                "Submitted files/C/Lesson 1/Version 2/01",
            ],
            {"A B", "C"},
            "“Submitted files”",
        ),
        (
            ["HW/Smith, Anna(as)/Submission attachment(s)/01", "HW/Kim, B(bk)/x/01"],
            {"Smith, Anna(as)", "Kim, B(bk)"},
            "“HW”",
        ),
        (["c/a", "c/b", "c/d", "c/01_losses"], {"a", "b", "d", "01_losses"}, "“c”"),
        (["week1/anna", "week1/ben", "week2/anna"], {"anna", "ben"}, "“week1”, “week2”"),
        (["c/d/Week 1/anna/01", "c/d/Week 1/ben/01"], {"anna", "ben"}, "“c/d/Week 1”"),
        (["c/01_losses/anna", "c/02_regularization/ben"], {"anna", "ben"}, "“c/01_losses”, “c/02"),
    ],
)
def test_folders_around_a_class_are_nobody_s(
    tmp_path: Path, files: list[str], learners: set[str], around: str
) -> None:
    names, notes = found(tmp_path, files)
    assert names == learners
    assert notes.startswith(around)
    assert notes.endswith("of a class: what lies there are its learners.")


@pytest.mark.parametrize(
    "files",
    [
        ["anna/week 1/01_losses", "anna/week 2/02_regularization"],
        ["anna/01_losses", "anna/scratch"],
        ["anna/course/notebooks/01_losses", "anna/course/notebooks/02_regularization"],
        ["s01/losses", "s02/losses"],
        ["group 1/01", "group 2/01"],
        ["anna/week 1/mine", "ben/week 1/mine"],
    ],
)
def test_folders_of_learners_are_theirs(tmp_path: Path, files: list[str]) -> None:
    names, notes = found(tmp_path, files)
    assert names == {name.split("/")[0] for name in files}
    assert not notes


@pytest.mark.parametrize(
    "inside",
    ["annam_345_assignsubmission_file/01.ipynb", "annam_345_678903_01.ipynb", "x/annam_345.ipynb"],
)
def test_nobody_is_somebody_else_by_names_in_an_archive(tmp_path: Path, inside: str) -> None:
    (tmp_path / "annam_345_678901_01.ipynb").write_text("{}", "utf-8")
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("a.ipynb", "{}")
    with zipfile.ZipFile(tmp_path / "benk_346_678902_x.zip", "w") as archive:
        archive.writestr(inside, "{}")
        archive.writestr("annam_345_678904_x.zip", nested.getvalue())
    with Archives(ENDINGS) as opened:
        sources, _ = discover([tmp_path], opened)
    assert sorted(source.learner for source in sources) == ["annam_345", "benk_346", "benk_346"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            ["class/anna", "class/ben", "class/lee/report.pdf", "class/lee/data.csv"],
            "“/class/lee” holds no notebook to grade (but “data.csv”, “report.pdf”) and was "
            "skipped; if it was handed in, ask for the .ipynb file.",
        ),
        (["class/anna", "class/ben", "class/lee.pdf"], "“/class/lee.pdf” is not a notebook and"),
        (
            [
                "week 1/A_71_assignsubmission_file/01",
                "week 1/B_72_assignsubmission_file/01.pdf",
                "week 2/A_81_assignsubmission_file/02",
            ],
            "“/week 1/B_72_assignsubmission_file” holds no notebook to grade (but “01.pdf”)",
        ),
    ],
)
def test_whoever_handed_in_no_notebook_is_named(
    tmp_path: Path, files: list[str], said: str
) -> None:
    _, notes = found(tmp_path, files)
    assert said in notes
    assert "Beside notebooks" not in notes
