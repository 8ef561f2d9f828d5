"""Whose a submission is: platforms' downloads, folders of a class, copies."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from course_lib.grading.archives import Archives
from course_lib.grading.discovery import ENDINGS, discover
from course_lib.grading.gradebook import grade

SOME, AB = {"Eva Paz", "ROY", "王五"}, {"anna", "ben"}


def found(place: Path, files: list[str]) -> tuple[set[str], str]:
    """Learners, and all notes."""
    for name in files:
        path = place / name if "." in name.rpartition("/")[2] else place / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}", "utf-8")
    sources, notes = discover([place])
    return {source.learner for source in sources}, "\n".join(notes).replace(str(place), "")


WEEKS = [
    ("Serie 1", "Serie 2"),
    ("W1", "W2"),
    ("KW43", "KW44"),
    ("1", "2"),
    ("01", "02"),
    ("Oktober", "November"),
    ("Oct 21", "Oct 28"),
    ("Week of Oct 21", "Week of Nov 4"),
    ("1. Woche", "2. Woche"),
    ("erste Woche", "zweite Woche"),
    ("week one", "week two"),
    ("Abgaben bis 21.10", "Abgaben bis 28.10"),
    ("Stufe A1", "Stufe A2"),
    ("Lesson 1 - Losses", "Lesson 2 - Regularization"),
    ("Lesson 1 (Losses)", "Lesson 2 (Regularization)"),
    ("hw1-submissions", "hw2-submissions"),
    ("Submissions Week 1", "Submissions Week 2"),
    ("Lektion 1 abgegeben", "Lektion 2 abgegeben"),
    ("U\u0308bung 1", "U\u0308bung 2"),
]


@pytest.mark.parametrize("weeks", WEEKS, ids=" and ".join)
@pytest.mark.parametrize("inside", ["{}", "{}/01_losses", "01_losses_{}"])
def test_folders_in_which_the_same_people_are_again(
    tmp_path: Path, weeks: tuple[str, str], inside: str
) -> None:
    people = ("anna", "ben", "cem")
    names, _ = found(tmp_path, [f"{week}/{inside.format(p)}" for week in weeks for p in people])
    assert names == {*people}


@pytest.mark.parametrize(
    "files",
    [
        ["student1/anfang", "student1/ende", "student2/anfang", "student2/ende"],
        [f"{number:02}/{name}" for number in range(1, 9) for name in ("anfang", "ende")],
        ["4711081/anna", "4711082/ben"],
        ["anna/anfang", "ben/anfang", "cem/ende"],
    ],
)
def test_learners_whose_files_have_the_same_names(tmp_path: Path, files: list[str]) -> None:
    names, _ = found(tmp_path, files)
    assert names == {file.split("/")[0] for file in files}


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (["ML_HW1_Kim", "ML_HW2_Kim", "ML_HW1_Lee"], {"Kim", "Lee"}),
        (
            [
                "WS2425_ML_Uebung01_Kim_Ali",
                "WS2425_ML_Uebung02_Kim_Ali",
                "WS2425_ML_Uebung01_Lee_Bo",
            ],
            {"Kim_Ali", "Lee_Bo"},
        ),
        (["A1_anna", "A2_anna", "A1_ben"], {"anna", "ben"}),
        (["01_anna", "02_anna", "01_ben"], {"anna", "ben"}),
        (["A1_anna", "A2_ben"], {"A1_anna", "A2_ben"}),  # perhaps their seats
        (["01_anna", "02_ben", "03_cem"], {"01_anna", "02_ben", "03_cem"}),  # or a list of people
        (["4711081_anna", "4711082_anna"], {"4711081_anna", "4711082_anna"}),
        (["ws_1_4711223_anna", "ws_1_4711224_ben"], {"4711223_anna", "4711224_ben"}),
        (["student_1", "student_2"], {"student_1", "student_2"}),
        (
            [f"{n:02} learner" for n in range(9)] + ["09 kim", "10 lee"],
            {*(f"{n:02} learner" for n in range(9)), "09 kim", "10 lee"},
        ),
        (["01-losses-anna", "02-regularization-anna", "ben"], {"anna", "ben"}),
        (["01 losses anna", "01_losses.ben", "cem-01-losses"], {"anna", "ben", "cem"}),
        (["01_losses (anna)", "Copy of 01_losses.ipynb - ben"], {"anna", "ben"}),
    ],
)
def test_beginnings_that_are_no_part_of_a_name(
    tmp_path: Path, files: list[str], learners: set[str]
) -> None:
    names, _ = found(tmp_path, [f"{file}.ipynb" for file in files])
    assert names == learners


def test_names_that_differ_in_a_number_are_told_of(tmp_path: Path) -> None:
    _, notes = found(tmp_path, ["kim_01", "kim_02", "lee_01", "lee_02"])
    assert "“kim_01”, “kim_02”, “lee_01”, “lee_02” are nearly the same" in notes


def test_what_may_be_the_instructor_s_is_told_of(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["anna", "Musterlösung", "template/01_losses"])
    assert names == {"anna", "Musterlösung", "template"}
    assert "“Musterlösung”, “template” are graded like a learner" in notes


def test_late_work_in_a_folder_is_its_learner_s(tmp_path: Path) -> None:
    for place in ("per Mail", "Nachzügler", "late", "Moodle-Download"):
        names, _ = found(tmp_path / place, ["anna", "ben", f"{place}/cem"])
        assert names == {"anna", "ben", "cem"}


def test_a_download_in_a_folder_beside_others(tmp_path: Path) -> None:
    moodle = [f"moodle/{p}_assignsubmission_file_/01" for p in ("Anna Smith_71", "Ben Kim_72")]
    for number, others in enumerate((["Cem"], ["Cem/01_losses"], ["mail/Cem", "mail/Dana"])):
        names, _ = found(tmp_path / str(number), [*moodle, *others])
        assert {"Anna Smith_71", "Ben Kim_72", "Cem"} <= names
        assert "moodle" not in names


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
        (["anna (copy)", "ben - Kopia", "gus - Cópia", "анна — копия", "王伟（1）"], None),
        (["01_losses_anna", "02_regularization_anna", "hw1_ben", "ben_hw2"], {"anna", "ben"}),
        (["Wu Ben - 01_losses (1)", "Wu Ben - Regularization"], {"Wu Ben"}),  # Google Classroom
        (["Kim A - Copy of 01_losses", "lesson1_4711223", "lesson2_4711223"], {"Kim A", "4711223"}),
        (["anna_v1", "anna_v12", "ben_final", "ben"], {"anna", "ben"}),
        (["anna 2026-10-01/01", "anna 2026-10-05/01", "2026-10-02_ben"], {"anna", "ben"}),
        (["Tarea 1 - Eva Paz", "Tarea 2 - Eva Paz", "TP1_ROY", "第一次作业-王五"], SOME),
        (["anna", "OK_anna", "anna - late", "ben (2 points)", "ben_resubmission", "ben"], AB),
        (["annak-main/01_losses", "annak-dev/01_losses", "annak/01_losses"], {"annak"}),
        (["01_losses (1) - Anna", "02_regularization 1_Anna"], {"Anna"}),  # forms
    ],
)
def test_copies_are_their_learner_s_with_a_note(
    tmp_path: Path, files: list[str], learners: set[str] | None
) -> None:
    names, notes = found(tmp_path, files)
    assert names == (learners or {"anna", "ben", "gus", "анна", "王伟"})
    assert "for each exercise the best counts." in notes


@pytest.mark.parametrize(
    "files",
    [
        ["kim (1)", "kim (2)"],  # an instructor's own numbers
        ["anna/01_losses-Copy1", "anna/01_losses", "ben/01_losses (1)"],
        ["Kim (Anna)", "Kim (Ben)"],
        ["lee_2", "lee_3", "lee"],
        ["Will Late", "Max Late", "May Open", "Late_Tom"],  # who are called so
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
        "“01_losses”, “01_losses (1)”, “01_losses (2)” name a lesson, and nobody: give each file "
        "the name of its learner."
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
            {"Anna Smith_71", "Ben-Ali Kim_72"},
        ),
        (
            ["anon_aB3dE_9876_01", "anon_aB3dE_9877_02", "LATE_anon_bC4eF_9878_123_x"],
            {"anon_aB3dE", "anon_bC4eF"},
        ),
        (
            [f"{work}_{user}_{ATTEMPT}-30" for work in ("HW_1", "HW_2") for user in ("a", "b")],
            {"a", "b"},
        ),
        (
            ["anna+01_losses+2026-11-03 16:22:33 UTC+aG/01_losses", "anna+02+2026-11-04 1 UTC/02"],
            {"anna"},
        ),
        (
            [f"{who}_handin.ipynb" for who in ("a@uni.edu_1", "a@uni.edu_2", "b@uni.edu_1")],
            {"a@uni.edu", "b@uni.edu"},
        ),
        (["Teilnehmer_in 4711_assignsubmission_file_/01"], {"Teilnehmer_in_4711"}),
        (["anna_smith", "ben_smith", "anna_jones"], "HW_1"),  # Blackboard's, with underscores
        (["a", "b"], "Losses_of_all"),
        (["मीना_1_101_a", "zoë_2_102_a", "_3_103_a"], {"मीना_1", "zoë_2", "_3"}),
        (  # of one person as many files as there are lessons, and more
            [f"a_1_{n}_x" for n in range(100, 117)] + ["b_2_200_x", "c_3_300_x"],
            {"a_1", "b_2", "c_3"},
        ),
    ],
)
def test_downloads(tmp_path: Path, files: list[str], learners: set[str] | str) -> None:
    if isinstance(learners, str):  # an assignment of Blackboard's
        files, learners = [f"{learners}_{user}_{ATTEMPT}-30" for user in files], {*files}
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
        (
            ["Losses/anna", "Losses/ben", "Regularization/anna", "Fine tuning/ben"],
            {"anna", "ben"},
            "",
        ),
        (
            ["Section A/anna", "Section A/ben", "Section B/carl"],
            {"anna", "ben", "carl"},
            "“Section A",
        ),
        (["Tutorial A/anna/01", "Tutorial B/ben/01"], {"anna", "ben"}, "“Tutorial A”"),
        (
            ["Section A/anna", "Section A/ben", "Section B/anna"],
            {"anna (Section A)", "ben", "anna (Section B)"},
            "“Section A”",
        ),
        (
            [
                f"Losses-20261103T142201Z-00{n}.zip/Losses/{who}/01"
                for n, who in ((1, "a"), (2, "b"))
            ],
            {"a", "b"},
            "“Losses-2026",
        ),
        (["anna", "ben", "late/carl", "late/anna"], {"anna", "ben", "carl"}, "“late”"),
        (
            ["Submitted files/A/01", "Submitted files/B/01", "Working files/A/01"],
            {"A", "B"},
            "“Submitted files”, “Working files”",
        ),
        (["graded/anna", "todo/ben", "todo/carl"], {"anna", "ben", "carl"}, "“graded”, “todo”"),
        (["Mon 10-12/anna", "Tuesday/ben"], AB, "“Mon 10-12”"),
        (["第1次作业/张三", "第1次作业/李四", "第2次作业/张三"], {"张三", "李四"}, "“第1次作业”"),
        (["TP1/Roy", "TP 2/Roy", "TP 2/Paz"], {"Roy", "Paz"}, "“TP 2”, “TP1”"),
        (["Maria/anna", "Maria/ben", "Tom/carl"], {"anna", "ben", "carl"}, "“Maria”, “Tom”"),
        (["x/anna/01_losses", "x/ben/01_losses", "y/carl/01_losses"], {*AB, "carl"}, "“x”, “y”"),
        (
            [f"section {s}/01_losses/anna" for s in "AB"],
            {"anna"},
            "“section A/01_losses”, “section B/01_losses”",
        ),
        (["wrap/anna/01_losses", "wrap/ben/x.pdf", "wrap/carl/y.pdf"], {"anna"}, "“/wrap/ben”"),
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
    assert not around or "of a class: what lies there are its learners." in notes


@pytest.mark.parametrize(
    "files",
    [
        ["anna/week 1/01_losses", "anna/week 2/02_regularization"],
        ["anna/01_losses", "anna/scratch"],
        ["anna/course/notebooks/01_losses", "anna/course/notebooks/02_regularization"],
        ["s01/losses", "s02/losses"],
        ["group 1/01", "group 2/01"],
        ["group 1/work", "group 2/mine", "group 3/solution"],
        ["01/work", "02/work", "03/work", "20/work"],  # pseudonyms
        ["anna/week 1/mine", "ben/week 1/mine"],
        ["anna/draft", "anna/final version", "ben/notebook 2", "ben/my work"],
        ["anna/1_submissions/01", "anna/2_revisions/01", "ben/1_submissions/01"],
        ["Mon/01_losses", "Ben/01_losses"],
        ["anna/desktop/01", "anna/downloads/01"],
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


def test_a_folder_around_the_class_says_nothing_of_people(tmp_path: Path) -> None:
    place = tmp_path / "TL@uni.de_2026_grading" / "class"
    _, notes = found(place, ["anna", "carl", "ben/report.pdf"])
    assert "“/ben” holds no notebook to grade (but “report.pdf”) and was skipped" in notes


def test_what_a_folder_of_a_learner_s_holds_does_not_name_others(tmp_path: Path) -> None:
    names, _ = found(tmp_path, ["anna", "ben", "carl/anna", "carl/dora"])
    assert names == {"anna", "ben", "carl"}
    with zipfile.ZipFile(tmp_path / "eve.zip", "w") as archive:
        for name in ("anna.ipynb", "ben.ipynb"):
            archive.writestr(name, "{}")
    with Archives(ENDINGS) as opened:
        sources, _ = discover([tmp_path], opened)
        alone, _ = discover([tmp_path / "carl", tmp_path / "eve.zip"], opened)
    assert {source.learner for source in sources} == {"anna", "ben", "carl", "eve"}
    assert {source.learner for source in alone} == {"anna", "dora", "ben"}


PRETENDED = ("anna+x+2026-11-03 y", "anna@uni.edu_1_x", f"hw_anna_{ATTEMPT}-30_x", "anna_1_100_x")


@pytest.mark.parametrize("name", [*PRETENDED, "A S_71_assignsubmission_file_1"])
def test_a_platform_s_name_in_a_learner_s_folder_is_no_other_s(tmp_path: Path, name: str) -> None:
    names, _ = found(tmp_path, ["anna/ps1/01", f"bob/ps1/{name}.ipynb", "carl/ps1/01"])
    assert names == {"anna", "bob", "carl"}


@pytest.mark.parametrize(
    ("file", "learner"),
    [
        (f"HW_bob_{ATTEMPT}-30_HW_anna_{ATTEMPT}-31_x", "bob"),
        ("Bob_71_assignsubmission_file_A S_72_assignsubmission_file_1", "Bob_71"),
    ],
)
def test_of_two_platform_s_names_the_first_counts(tmp_path: Path, file: str, learner: str) -> None:
    names, _ = found(tmp_path, [file])
    assert names == {learner}


@pytest.mark.parametrize("between", [" - ", "- ", " -", "_ ", " copy", "copy of ", " (1)", "hw1 "])
def test_no_name_takes_long(tmp_path: Path, between: str) -> None:
    """(Some patterns would take hours.)"""
    names, _ = found(tmp_path, [f"hw1 - {between * (220 // len(between))}x", "ben"])
    assert "ben" in names
    assert len(names) == 2


def test_vowel_signs_are_letters(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["मीना", "मोनू", "राम", "रोमी"])
    assert len(names) == 4
    assert not notes


@pytest.mark.parametrize(
    "files",
    [
        ["group 1/work", "group 1/scratch", "group 2/mine", "group 3/solution"],
        ["anna/ps1/problem1", "anna/ps1/problem2", "ben/ps1/problem1"],
    ],
)
def test_more_files_of_one_do_not_rename_the_others(tmp_path: Path, files: list[str]) -> None:
    names, _ = found(tmp_path, files)
    assert names == {file.split("/")[0] for file in files}


def test_one_learner_in_a_folder_of_the_course(tmp_path: Path) -> None:
    names, _ = found(tmp_path, ["week 1/anna/01_losses"])
    assert names == {"anna"}


def test_a_file_in_the_folder_of_another_name_is_told_of(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["Tom/01_losses_carl", "Eva Kim/01_losses_kim", "Ben/01_losses"])
    assert names == {"Tom", "Eva Kim", "Ben"}
    assert notes == "“Tom/01_losses_carl.ipynb” is counted for the folder's name, not the file's."


@pytest.mark.parametrize(
    ("files", "learners"),
    [
        (["{A}_71_{F}/01_losses", "{A}_81_{F}/02_regularization", "{B}_72_{F}/01_losses"], 2),
        (["Losses/{A}_71_{F}/x", "Regularization/{A}_81_{F}/x", "Losses/{B}_72_{F}/x"], 2),
        (["{A}_71_{F}/01_losses", "{A}_81_{F}/02_regularization"], 2),  # blind marking, perhaps
        (["{A}_71_{F}/01_losses", "{A}_81_{F}/01_losses"], 2),  # two people
        (["{A}_71_{F}/mine", "{A}_81_{F}/yours"], 2),
    ],
)
def test_a_person_whom_moodle_numbers_anew_for_another_lesson(
    tmp_path: Path, files: list[str], learners: int
) -> None:
    given = {"A": "Anna Kim", "B": "Ben", "F": "assignsubmission_file"}
    names, notes = found(tmp_path, [file.format(**given) for file in files])
    assert len(names) == learners
    assert ("“Anna Kim_81” is counted for “Anna Kim_71”" in notes) == ("Anna Kim_81" not in names)


def test_what_came_by_mail_is_of_the_platform_s_person(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["Anna K_71_assignsubmission_file/01", "late/Anna K", "late/B"])
    assert names == {"Anna K_71", "B"}
    assert "“Anna K” is counted for “Anna K_71”" in notes


def test_marks_do_not_hide_a_platform_s_name(tmp_path: Path) -> None:
    files = ["kim_101_901_01", "ott_102_902_01 (3 points)", "LATE - lee_103_903_01"]
    names, _ = found(tmp_path, files)
    assert names == {"kim_101", "ott_102", "lee_103"}


def test_what_nbgrader_keeps_is_accounted_for(tmp_path: Path) -> None:
    names, notes = found(
        tmp_path,
        ["submitted/anna/ps1/01", "source/ps1/01", "autograded/ben/ps1/01", "exchange.txt"],
    )
    assert names == {"anna"}
    assert notes == "Beside “/submitted” what nbgrader keeps was skipped: “autograded”, “source”."


def test_names_that_are_nearly_the_same_are_told_of(tmp_path: Path) -> None:
    names, notes = found(tmp_path, ["Anna Schmidt", "Schmidt_Anna", "ben", "Ben", "carl"])
    assert names == {"Anna Schmidt", "Schmidt_Anna", "ben", "Ben", "carl"}
    assert notes == (
        "“Anna Schmidt”, “Schmidt_Anna”, “Ben”, “ben” are nearly the same and are taken for "
        "different people."
    )


def test_a_name_is_spelled_in_one_way(tmp_path: Path) -> None:
    names, notes = found(
        tmp_path, ["Anna\u00a0S", "Anna S/x", "علی\u200cرضا", "\u200bBen ", "王\u3000伟"]
    )
    assert names == {"Anna S", "علی\u200cرضا", "Ben", "王 伟"}
    assert not notes


def test_receipts_and_words_beside_a_notebook_are_no_complaints(tmp_path: Path) -> None:
    _, notes = found(
        tmp_path,
        [
            f"HW_1_asmith_{ATTEMPT}-30_01",
            f"HW_1_asmith_{ATTEMPT}-30.txt",
            f"HW_1_bkim_{ATTEMPT}-31.txt",
            "A_71_assignsubmission_file/01",
            "A_71_assignsubmission_onlinetext/onlinetext.html",
        ],
    )
    assert "asmith_attempt" not in notes.split("Beside notebooks")[0]
    assert f"“/HW_1_bkim_{ATTEMPT}-31.txt” is not a notebook and was skipped" in notes
    assert "onlinetext.html” is not" not in notes
    assert "holds no notebook" not in notes


def test_two_downloads_that_are_named_one_after_the_other(tmp_path: Path) -> None:
    for number, name in ((1, "A_71"), (2, "B_72")):
        folder = tmp_path / f"download {number}" / f"{name}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "01.ipynb").write_text("{}", "utf-8")
        (folder / "figure.png").write_bytes(b"PNG")
    sources, notes = discover([tmp_path / "download 1", tmp_path / "download 2"])
    assert {source.learner for source in sources} == {"A_71", "B_72"}
    (note,) = notes
    assert note.startswith("Beside notebooks 2 files of kind .png were skipped")


def test_what_lies_beside_a_notebook_in_an_archive_is_no_complaint(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "carl.zip", "w") as archive:
        for name in ("Desktop.ini", "readme.txt", "New folder/01_losses.ipynb"):
            archive.writestr(name, "{}")
    (tmp_path / "anna.ipynb").write_text("{}", "utf-8")
    (tmp_path / "wrap").mkdir()
    with Archives(ENDINGS) as opened:
        sources, notes = discover([tmp_path], opened)
    assert {source.learner for source in sources} == {"anna", "carl"}
    assert len(notes) == 3
    assert "wrap” holds no notebook" in notes[0]
    assert all(note.startswith("Beside notebooks one file") for note in notes[1:])


CANVAS = ["anna_123_900111_01_losses", "ben_124_900122_mine", "cem_LATE_126_900144_01_losses"]


@pytest.mark.parametrize(
    ("file", "learner"),
    [
        ("anna_123_125_900133_01_losses", "anna_123_125"),  # called "Anna_123"
        ("anna_123_LATE_125_900133_01_losses", "anna_123_125"),
        ("anna_1234_125_900133_x", "anna_1234_125"),
        ("dora_125_900133_2024_mine", "dora_125"),
        ("dora_125_900133_2024_10_mine", "dora_125"),
        ("_125_900133_x", "_125"),
    ],
)
def test_a_name_may_end_in_a_number_and_a_file_begin_with_one(
    tmp_path: Path, file: str, learner: str
) -> None:
    names, notes = found(tmp_path, [*CANVAS, file])
    assert names == {"anna_123", "ben_124", "cem_126", learner}
    assert "may also be by" not in notes


def test_a_name_that_can_be_read_in_two_ways_is_told_of(tmp_path: Path) -> None:
    file = "anna_123_125125_900133_x"
    names, notes = found(tmp_path, [*CANVAS, file])
    assert names == {"anna_123", "ben_124", "cem_126"}
    said = f"“{file}” is counted for “anna_123”; by its name it may also be by “anna_123_125125”."
    assert said in notes


def test_canvas_is_told_its_own_number_of_the_learner(tmp_path: Path) -> None:
    for file in (*CANVAS, "anna_123_125_900133_01_losses"):
        (tmp_path / f"{file}.ipynb").write_text("{", "utf-8")
    grade([tmp_path], tmp_path / "out", seed=1)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/canvas.csv").read_text("utf-8"))))
    numbers = {row["Student"]: row["ID"] for row in rows if row["ID"]}
    assert numbers["anna_123"] == "123"
    assert numbers["anna_123_125"] == "125"
