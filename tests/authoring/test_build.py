"""Both editions follow from the source, in the same bytes each time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest

from course_lib import lessons as course_lessons
from course_lib.authoring import build as building
from course_lib.authoring import course_map, links, online
from course_lib.data import SOURCES
from course_lib.errors import CourseError
from course_lib.exercises import catalogue
from course_lib.lessons import Lesson, lessons

HEADER = """\
# ---
# jupyter:
#   course:
#     title: Tiny
#     minutes: 1
#     able: add two numbers
# ---

"""
TINY = (
    HEADER
    + """\
# %% [markdown]
# # Tiny

# %% tags=["nbval-check-output"]
print(1 + 1)

# %% [markdown]
# The same cell again:

# %% tags=["nbval-check-output"]
print(1 + 1)
"""
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty course; `lesson(project, source)` puts the one lesson into it."""
    for edition in ("notebooks", "solutions"):
        (tmp_path / edition).mkdir()
    readme = "<!-- {0} -->\n\n<!-- /{0} -->\n"
    (tmp_path / "README.md").write_text(readme.format("lessons") + readme.format("exercises"))
    shutil.copy(course_lessons.root() / "pyproject.toml", tmp_path)
    for module in (building, course_map, online, course_lessons):
        monkeypatch.setattr(module, "root", lambda: tmp_path)
    return tmp_path


def lesson(project: Path, source: str, name: str = "90_tiny") -> Lesson:
    (project / "solutions" / f"{name}.py").write_text(source, encoding="utf-8")
    (found,) = lessons()
    return found


# --- the lessons of the course -------------------------------------------------------------------


def test_the_editions_on_disk_are_what_their_sources_say() -> None:
    assert building.drift() == []


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.name)
def test_a_header_names_the_data_and_the_network_that_its_lesson_loads(one: Lesson) -> None:
    source = one.source.read_text(encoding="utf-8")
    imported = re.findall(r"^from course_lib\.data import (.*)$", source, re.MULTILINE)
    named = {name for line in imported for name in line.split(", ")}
    named |= {"digits"} if named & {"glyphs"} else set()  # drawn to stand beside them
    assert {name for name in SOURCES if name in named} == set(one.data)
    loads = re.search(
        r"\b(backbones\.load|efficientnet_lite\.load_weights|minilm\.minilm_weights)\(", source
    )
    assert (loads is not None) == bool(one.weights)


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.name)
def test_learners_get_no_solution_and_no_output(one: Lesson) -> None:
    notebook = nbformat.read(one.notebook("notebooks"), as_version=4)
    text = one.notebook("notebooks").read_text(encoding="utf-8")
    assert building.BEGIN not in text
    assert building.END not in text
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, cell.id, "exec")
            assert cell.outputs == []
            assert cell.execution_count is None
    stubs = sum(cell.source.count("raise NotImplementedError()") for cell in notebook.cells)
    assert stubs == sum(e.lesson == one.name for e in catalogue().values())


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.name)
def test_nbgrader_accepts_the_notebook_and_strips_it_as_we_do(one: Lesson) -> None:
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.preprocessors import ClearSolutions

    solved = nbformat.read(one.notebook("solutions"), as_version=4)
    MetadataValidator().validate_nb(solved)
    stripped, _ = ClearSolutions().preprocess(solved, {})
    ours = nbformat.read(one.notebook("notebooks"), as_version=4)
    start_page = ours.cells[-1].source.removeprefix(stripped.cells[-1].source)
    assert start_page == links.to_pages(one)
    assert [c.source for c in stripped.cells[:-1]] == [c.source for c in ours.cells[:-1]]
    points = {
        c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points
        for c in ours.cells
        if c.metadata.get("nbgrader", {}).get("grade")
    }
    expected = {f"{e.name}-check": e.points for e in catalogue().values() if e.lesson == one.name}
    assert points == expected


def test_solved_outputs_hold_no_error_warning_or_time() -> None:
    for one in lessons():
        for cell in nbformat.read(one.notebook("solutions"), as_version=4).cells:
            assert "execution" not in cell.metadata
            for output in cell.get("outputs", ()):
                assert output.output_type != "error"
                assert output.get("name") != "stderr", output.text


# --- a lesson of our own -------------------------------------------------------------------------


def test_the_same_source_gives_the_same_bytes(project: Path) -> None:
    one = lesson(project, TINY)
    assert {path.name for path in building.build()} == {"90_tiny.ipynb", "README.md", "map.png"}
    paths = [one.notebook(edition) for edition in building.EDITIONS]
    first = [path.read_bytes() for path in paths]
    assert building.drift() == []
    assert building.build() == []
    for path in paths:
        path.unlink()
    building.build()
    assert [path.read_bytes() for path in paths] == first


def test_a_solved_edition_keeps_outputs_and_tags(project: Path) -> None:
    one = lesson(project, TINY)
    building.build()
    cells = nbformat.read(one.notebook("solutions"), as_version=4).cells
    outputs = [cell.outputs[0].text for cell in cells if cell.cell_type == "code"]
    assert outputs == ["2\n", "2\n"]
    assert cells[1].metadata.tags == ["nbval-check-output"]


@pytest.mark.parametrize("tagged", [True, False])
def test_of_pictures_that_are_not_ours_only_the_words_are_stored(tagged: bool) -> None:
    stream = nbformat.v4.new_output("stream", text="/home/somebody\n")
    picture = nbformat.v4.new_output(
        "execute_result",
        {"text/plain": "A dark cell.", "image/png": "AAAA"},
        metadata={"image/png": {"alt": "A dark cell."}},
        execution_count=1,
    )
    ended_bar = nbformat.v4.new_output("display_data", {})
    cell = nbformat.v4.new_code_cell("show()", outputs=[stream, picture, ended_bar])
    cell.metadata["tags"] = ["not-stored"] if tagged else []
    notebook = nbformat.v4.new_notebook(cells=[cell])
    building._drop_fleeting_outputs(notebook)
    nbformat.validate(notebook)
    if tagged:
        assert [output.data for output in cell.outputs] == [{"text/plain": "A dark cell."}]
        assert cell.outputs[0].metadata == {}
    else:
        assert cell.outputs == [stream, picture]


def test_ids_are_unique_and_survive_changes_elsewhere(project: Path) -> None:
    before = building.solution_edition(lesson(project, TINY)).cells
    after = building.solution_edition(lesson(project, TINY.replace("# # Tiny", "# # Small"))).cells
    assert len({cell.id for cell in before}) == len(before)
    assert [cell.id for cell in before[1:]] == [cell.id for cell in after[1:]]
    assert before[0].id != after[0].id


def edit_source(project: Path) -> None:
    path = project / "solutions" / "90_tiny.py"
    path.write_text(path.read_text() + "\n# %%\nprint(3)\n")


def edit_learners_notebook(project: Path) -> None:
    path = project / "notebooks" / "90_tiny.ipynb"
    path.write_text(path.read_text().replace("1 + 1", "1 + 2", 1))


def edit_solved_notebook(project: Path) -> None:
    path = project / "solutions" / "90_tiny.ipynb"
    path.write_text(path.read_text().replace("1 + 1", "1 + 2", 1))


def clear_outputs(project: Path) -> None:
    path = project / "solutions" / "90_tiny.ipynb"
    path.write_text(path.read_text().replace('"execution_count": 2', '"execution_count": null'))


def delete_solved_notebook(project: Path) -> None:
    (project / "solutions" / "90_tiny.ipynb").unlink()


def garble(project: Path) -> None:
    for edition in ("notebooks", "solutions"):
        (project / edition / "90_tiny.ipynb").write_bytes(b"\xff\xfe")


def add_a_stray_notebook(project: Path) -> None:
    shutil.copy(project / "notebooks" / "90_tiny.ipynb", project / "notebooks" / "91_stray.ipynb")


def edit_readme(project: Path) -> None:
    path = project / "README.md"
    path.write_text(path.read_text().replace("add two numbers", "fly"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit_source, "notebooks/90_tiny.ipynb is not what 90_tiny.py says."),
        (edit_learners_notebook, "notebooks/90_tiny.ipynb is not what 90_tiny.py says."),
        (edit_solved_notebook, "solutions/90_tiny.ipynb is not what 90_tiny.py says."),
        (clear_outputs, "solutions/90_tiny.ipynb was not executed from top to bottom."),
        (
            delete_solved_notebook,
            "solutions/90_tiny.ipynb is missing: run `course build 90`.",
        ),
        (garble, "notebooks/90_tiny.ipynb is not what 90_tiny.py says."),
        (
            garble,
            "solutions/90_tiny.ipynb is not a notebook that Jupyter can read (UnicodeDecode"
            "Error): run `course build 90`.",
        ),
        (add_a_stray_notebook, "notebooks/91_stray.ipynb has no source in solutions/."),
        (edit_readme, "The tables of README.md are not up to date."),
    ],
)
def test_drift_is_found(project: Path, change: object, says: str) -> None:
    lesson(project, TINY)
    building.build()
    change(project)  # type: ignore[operator]
    assert says in building.drift()


def test_what_a_learner_changed_is_kept(project: Path) -> None:
    one = lesson(project, TINY)
    building.build()
    notebook = one.notebook("notebooks")
    built = notebook.read_bytes()
    for number, kept in enumerate(("90_tiny-kept.ipynb", "90_tiny-kept1.ipynb")):
        edit_learners_notebook(project)
        answers = notebook.read_bytes()
        assert building.build() == [notebook.with_name(kept), notebook], number
        assert notebook.with_name(kept).read_bytes() == answers
        assert notebook.read_bytes() == built
    assert building.drift() == []


def test_a_lesson_is_put_back_without_running_it(project: Path) -> None:
    one = lesson(project, TINY)
    building.build()
    notebook, solved = one.notebook("notebooks"), one.notebook("solutions").read_bytes()
    built = notebook.read_bytes()
    edit_learners_notebook(project)
    answers = notebook.read_bytes()
    assert building.reset([one]) == [notebook.with_name("90_tiny-kept.ipynb"), notebook]
    assert notebook.with_name("90_tiny-kept.ipynb").read_bytes() == answers
    assert notebook.read_bytes() == built
    assert building.reset([one]) == []
    notebook.unlink()
    assert building.reset([one]) == [notebook]
    assert notebook.read_bytes() == built
    assert one.notebook("solutions").read_bytes() == solved


def test_what_is_only_out_of_date_or_was_only_run_is_not_kept(project: Path) -> None:
    one = lesson(project, TINY)
    building.build()
    edit_source(project)
    ran = nbformat.read(one.notebook("notebooks"), as_version=4)
    ran.cells[1].outputs = [nbformat.v4.new_output("stream", text="2\n")]
    ran.metadata.language_info["version"] = "3.11.7"
    nbformat.write(ran, one.notebook("notebooks"))
    building.build()
    assert list(project.glob("notebooks/*kept*")) == []


def test_a_build_of_one_lesson_leaves_nothing_stale(project: Path) -> None:
    page = HEADER.replace("title", "page: true\n#     title") + "# %% [markdown]\n{}\n"
    tables = "# <!-- map -->\n# <!-- /map -->\n#\n# end"
    (project / "solutions" / "00_page.py").write_text(page.format(tables), encoding="utf-8")
    one = lesson(project, TINY)
    building.build([one])
    assert building.drift() == []
    start = nbformat.read(project / "notebooks" / "00_page.ipynb", as_version=4)
    assert "[90 Tiny](90_tiny.ipynb) | 1 | 0 | add two numbers |" in start.cells[0].source
    assert "<!--" not in start.cells[0].source


def test_a_cell_that_fails_writes_nothing_and_is_named(project: Path) -> None:
    one = lesson(project, TINY + "\n# %%\n1 / 0\n")
    with pytest.raises(CourseError, match=r"1 / 0.*ZeroDivisionError"):
        building.build()
    assert not one.notebook("notebooks").exists()
    assert not one.notebook("solutions").exists()


EXERCISE = '''\
# %% [markdown]
# ## Regression: mean squared error
#
# It squares $$y -
# t$$.

# %%
def mse(predictions, targets):
    """Mean squared error."""
    ### BEGIN SOLUTION
    return ((predictions - targets) ** 2).mean()
    ### END SOLUTION


# %%
mse = check(mse)
'''


@pytest.fixture
def only_mse(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    mse = replace(catalogue()["mse"], lesson="90_tiny", formula="y - t")
    monkeypatch.setattr(building, "catalogue", lambda: {"mse": mse})


@pytest.mark.usefixtures("only_mse")
def test_the_stub_stands_where_the_solution_was(project: Path) -> None:
    learner = building.learner_edition(lesson(project, HEADER + EXERCISE))
    assert learner.cells[1].source == (
        "def mse(predictions, targets):\n"
        '    """Mean squared error."""\n'
        "    # YOUR CODE HERE\n"
        "    raise NotImplementedError()"
    )
    assert learner.cells[1].id == "mse"
    assert learner.cells[2].metadata.nbgrader.points == 1


@pytest.mark.usefixtures("only_mse")
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("mse = check(mse)", "pass", "the catalogue has"),
        ("### END SOLUTION", "", "markers do not pair up"),
        ("## Regression: mean squared error", "## Something", "no heading"),
        ("y -\n# t", "y + t", "the formula of mse does not stand in it"),
        ("def mse(", "def mes(", "the catalogue has"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(
    project: Path, old: str, new: str, says: str
) -> None:
    with pytest.raises(CourseError, match=says):
        building.solution_edition(lesson(project, HEADER + EXERCISE.replace(old, new)))


def test_a_page_brings_its_pictures_along(project: Path) -> None:
    page = TINY.replace("course:\n", "course:\n#     page: true\n", 1)
    page = page.replace("# # Tiny\n", "# # Tiny\n#\n# ![a picture](attachment:tiny.png)\n")
    lesson(project, TINY)
    (project / "solutions" / "91_page.py").write_text(page, encoding="utf-8")
    found = course_lessons.find("91_page")
    assert found.is_page
    with pytest.raises(CourseError, match=r"^solutions/tiny\.png cannot be read: No such file"):
        building.learner_edition(found)
    (project / "solutions" / "tiny.png").write_bytes(b"pixels")
    first, *others = building.learner_edition(found).cells
    assert first.attachments == {"tiny.png": {"image/png": "cGl4ZWxz"}}
    assert all("attachments" not in cell for cell in others)
