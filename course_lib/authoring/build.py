"""Both editions of a lesson from its one source.

``solutions/NN_name.py`` (Jupytext percent format) becomes ``solutions/NN_name.ipynb``, executed
and with its outputs, and ``notebooks/NN_name.ipynb``, which learners open: solutions replaced by
a stub, no outputs. A page (see `course_lib.lessons.pages`) has the second edition only. The same
source gives the same bytes; ``check`` tells when a file on disk is not what its source says.
"""

from __future__ import annotations

import ast
import base64
import copy
import hashlib
import json
import mimetypes
import re
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from ..errors import CourseError
from ..exercises import Exercise, catalogue
from ..files import atomic_write, text_of
from ..lessons import EDITIONS, Lesson, lessons, pages, root
from . import course_map
from .links import Terms, closing, to_pages, with_links
from .online import colab_cells
from .run import OnCell, execute, read_notebook
from .tables import with_tables, without_markers

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
"""What nbgrader puts in place of a solution, so that both strip a notebook to the same code."""

CELL_METADATA = ("jupyter", "nbgrader", "tags")
"""What a cell mark may say; `jupyter={"source_hidden": true}` folds a cell of plumbing."""

DROPPED_OUTPUTS = ("application/vnd.jupyter.widget-view+json",)
"""Widgets die with their kernel; what stays of an explorer is its static picture."""


KEPT = "-kept"
"""Ends the name of a learner's notebook that `build` found changed."""

NOT_STORED = "not-stored"
"""Tag of cells whose pictures are not ours to distribute, or whose words depend on the machine: of
their outputs only the text that stands for a picture is stored."""


def build(chosen: Sequence[Lesson] = (), on_cell: OnCell | None = None) -> list[Path]:
    """Write the editions of these lessons (of all, if none is named), the pages, README's tables.

    A learner's notebook that was changed is kept under another name before it is replaced.

    Returns:
        The files that changed.

    Raises:
        CourseError: a source breaks a rule of the course, or a cell of it fails. Nothing of that
            lesson is written then.
    """
    changed = []
    for lesson in chosen or lessons():
        if not lesson.is_page:
            solved = solution_edition(lesson)
            execute(solved, lesson.name, on_cell)
            _drop_fleeting_outputs(solved)
            changed += _write_learner_edition(lesson)
            changed += _write(lesson.notebook("solutions"), to_text(solved))
    changed += course_map.draw()
    for page in pages():
        changed += _write_learner_edition(page)
    for lesson in lessons():
        changed += _write_words(lesson)
    for text in _texts_with_tables():
        changed += _write(text, with_tables(text_of(text)))
    return changed


def reset(chosen: Sequence[Lesson]) -> list[Path]:
    """Put learners' notebooks back as they were handed out; what was changed is kept beside them.

    Returns:
        The files that changed.

    Raises:
        CourseError: a source breaks a rule of the course.
    """
    return [file for lesson in chosen for file in _write_learner_edition(lesson)]


def drift() -> list[str]:
    """What is on disk but does not follow from the sources, one sentence each.

    Outputs are not computed again here (nbval does that); but every code cell of a solved
    edition must have been executed, once and in order.
    """
    found = []
    sources = [*pages(), *lessons()]
    for lesson in sources:
        learner, solved = (lesson.notebook(edition) for edition in EDITIONS)
        if not _holds(learner, to_text(learner_edition(lesson))):
            found.append(f"{_name(learner)} is not what {lesson.name}.py says.")
        if lesson.is_page:
            continue
        try:
            existing = read_notebook(solved)
        except CourseError as error:
            found.append(str(error))
            continue
        counts = [cell.execution_count for cell in _code_cells(existing)]
        if to_text(_without_outputs(existing)) != to_text(solution_edition(lesson)):
            found.append(f"{_name(solved)} is not what {lesson.name}.py says.")
        elif counts != list(range(1, len(counts) + 1)):
            found.append(f"{_name(solved)} was not executed from top to bottom.")
    for edition in EDITIONS:
        known = {each.notebook(edition) for each in sources if edition in each.editions}
        for path in sorted((root() / edition).glob("*.ipynb")):
            if path not in known and not is_kept(path):
                found.append(f"{_name(path)} has no source in solutions/.")
    if not course_map.is_current():
        found.append(f"{_name(course_map.file())} is not the map of these lessons.")
    for path in _texts_with_tables():
        text = text_of(path)
        if text != with_tables(text):
            found.append(f"The tables of {path.relative_to(root())} are not up to date.")
    return found


def solution_edition(lesson: Lesson) -> NotebookNode:
    """The lesson as a notebook with its solutions, not executed.

    Raises:
        CourseError: the source cannot be read or breaks a rule (see `_check_rules`).
    """
    try:
        source = jupytext.read(lesson.source, fmt="py:percent")
    except Exception as error:
        raise CourseError(f"{_name(lesson.source)} cannot be read: {error}") from error
    exercises = {e.name: e for e in catalogue().values() if e.lesson == lesson.name}
    cells: list[NotebookNode] = []
    terms = Terms(lesson)
    for cell in source.cells:
        metadata = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        if cell.cell_type == "code":
            grading = _grading_metadata(cell.source, exercises)
            if grading:
                metadata["nbgrader"] = grading
            cells.append(nbformat.v4.new_code_cell(cell.source, metadata=metadata))
        else:
            text = cell.source
            if lesson.is_page:
                text = without_markers(with_tables(text))
            elif cells:  # not on the title, which says what will be learned
                text = terms.linked(with_links(text))
            else:
                text = with_links(text)
            pictures = _attachments(lesson, text)
            cells.append(nbformat.v4.new_markdown_cell(text, metadata=metadata, **pictures))
    cells[1:1] = colab_cells(lesson)
    if not lesson.is_page:
        cells.append(nbformat.v4.new_markdown_cell(closing(lesson)))
    _check_rules(lesson, cells, exercises)
    _set_ids(cells)
    metadata = {
        "course": {"lesson": lesson.name},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return notebook


def learner_edition(lesson: Lesson) -> NotebookNode:
    """The lesson as learners get it: stubs in place of solutions, no outputs."""
    notebook = solution_edition(lesson)
    for cell in _code_cells(notebook):
        cell.source = without_solution(cell.source)
    if not lesson.is_page:
        notebook.cells[-1].source += to_pages(lesson)
    notebook.metadata.course["digest"] = _digest(notebook)
    return notebook


def without_solution(source: str) -> str:
    """Code with everything between the solution markers replaced by the stub."""
    lines, inside = [], False
    for line in source.splitlines():
        if line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + stub for stub in STUB]
            inside = True
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def to_text(notebook: NotebookNode) -> str:
    """The bytes of a notebook file, as text: keys sorted, one newline at the end."""
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


# --- exercises -----------------------------------------------------------------------------------


def _grading_metadata(source: str, exercises: dict[str, Exercise]) -> dict[str, Any] | None:
    """nbgrader's metadata for the cell that answers or checks an exercise, from its code.

    The points come from the catalogue: there is one place that knows them.
    """
    common = {"schema_version": 3, "task": False}
    for statement in ast.parse(source).body:
        match statement:
            case ast.FunctionDef(name=name) if name in exercises and BEGIN in source:
                return {**common, "grade": False, "grade_id": name, "locked": False} | {
                    "solution": True
                }
            case ast.Assign(value=ast.Call(func=ast.Name("check"), args=[ast.Name(name), *_])):
                return {**common, "grade": True, "grade_id": f"{name}-check", "locked": True} | {
                    "solution": False,
                    "points": exercises[name].points if name in exercises else 0,
                }
    return None


def _check_rules(lesson: Lesson, cells: list[NotebookNode], exercises: dict[str, Exercise]) -> None:
    """Every exercise of the catalogue is asked and checked once, in order, in its section."""

    def broken(rule: str) -> CourseError:
        return CourseError(f"{_name(lesson.source)}: {rule}.")

    graded = [
        cell.metadata["nbgrader"]["grade_id"] for cell in cells if "nbgrader" in cell.metadata
    ]
    expected = [grade_id for name in exercises for grade_id in (name, f"{name}-check")]
    if graded != expected:
        raise broken(f"its exercise and check cells are {graded}, the catalogue has {expected}")
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (?:\d+ )?(.+)$", text, flags=re.MULTILINE)
    for exercise in exercises.values():
        if exercise.section not in headings:
            raise broken(
                f"{exercise.name} is said to be derived in “{exercise.section}”, no heading"
            )
        if " ".join(exercise.formula.split()) not in " ".join(text.split()):
            raise broken(f"the formula of {exercise.name} does not stand in it")
    for cell in cells:
        markers = [
            line.strip() for line in cell.source.splitlines() if line.strip() in (BEGIN, END)
        ]
        solution = cell.metadata.get("nbgrader", {}).get("solution", False)
        if markers != ([BEGIN, END] if solution else []):
            raise broken(f"solution markers do not pair up in the cell `{cell.source[:40]}`")


# --- notebooks -----------------------------------------------------------------------------------


def _set_ids(cells: list[NotebookNode]) -> None:
    """Ids that only change with their own cell: nbgrader's, or a hash of the source."""
    seen: dict[str, int] = {}
    for cell in cells:
        grading = cell.metadata.get("nbgrader")
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        wanted = grading["grade_id"] if grading else digest
        seen[wanted] = seen.get(wanted, 0) + 1
        cell.id = wanted if seen[wanted] == 1 else f"{wanted}-{seen[wanted]}"


def _attachments(lesson: Lesson, text: str) -> dict[str, Any]:
    """The pictures ``attachment:NAME`` of a cell, from beside the source into the notebook itself.

    So they are shown wherever the notebook is, as in a JupyterLab that serves ``notebooks/`` only.
    """
    attached = {}
    for name in re.findall(r"\(attachment:([\w.]+)\)", text):
        kind, file = mimetypes.guess_type(name)[0], lesson.source.with_name(name)
        try:
            attached[name] = {str(kind): base64.b64encode(file.read_bytes()).decode()}
        except OSError as error:
            raise CourseError(f"{_name(file)} cannot be read: {error.strerror}.") from None
    return {"attachments": attached} if attached else {}


def _code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def _without_outputs(notebook: NotebookNode) -> NotebookNode:
    bare = copy.deepcopy(notebook)
    for cell in _code_cells(bare):
        cell.outputs, cell.execution_count = [], None
    return bare


def _drop_fleeting_outputs(notebook: NotebookNode) -> None:
    """Leave only what is the same in every run (and on every machine with these packages)."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in _code_cells(notebook):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            data = output.get("data", {})
            for kind in DROPPED_OUTPUTS:
                data.pop(kind, None)
            if "image/png" in data:  # of an explorer that lives in the browser stays the same
                data.pop("text/html", None)
        if NOT_STORED in cell.metadata.get("tags", ()):
            cell.outputs = [_words(output) for output in cell.outputs if "data" in output]
        # A progress bar leaves an empty output behind.
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def _words(output: NotebookNode) -> NotebookNode:
    """The output without its pictures, and without what described these."""
    output.data = {kind: text for kind, text in output.data.items() if kind == "text/plain"}
    output.metadata = {}
    return output


# --- files ---------------------------------------------------------------------------------------


def _texts_with_tables() -> list[Path]:
    """README and the instructor's page, as far as they are there."""
    names = ("README.md", "course_lib/grading/README.md")
    return [path for name in names if (path := root() / name).is_file()]


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _holds(path: Path, text: str) -> bool:
    try:
        return text_of(path) == text
    except CourseError:
        return False


def is_kept(path: Path) -> bool:
    """Whether this is what `build` kept of a learner's work."""
    return re.search(rf"{KEPT}\d*\.ipynb$", path.name) is not None


def _write_learner_edition(lesson: Lesson) -> list[Path]:
    """Replace the notebook in ``notebooks/``; what a learner has made of it is kept beside it."""
    path, text = lesson.notebook("notebooks"), to_text(learner_edition(lesson))
    kept = []
    if path.is_file() and not _holds(path, text) and not _is_as_built(path):
        names = (path.with_name(f"{path.stem}{KEPT}{n or ''}.ipynb") for n in count())
        kept = [next(name for name in names if not name.exists())]
        shutil.copy2(path, kept[0])
    return kept + _write(path, text)


def _write_words(lesson: Lesson) -> list[Path]:
    """Write a lesson whose words alone have changed, as its link to the next; outputs stay."""
    path, fresh = lesson.notebook("solutions"), solution_edition(lesson)
    if not path.is_file():
        return []
    cells, old = list(_code_cells(fresh)), list(_code_cells(read_notebook(path)))
    if [cell.source for cell in cells] != [cell.source for cell in old]:
        return []
    for cell, executed in zip(cells, old, strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    return _write_learner_edition(lesson) + _write(path, to_text(fresh))


def _is_as_built(path: Path) -> bool:
    """Whether a learner's notebook has the cells that some build gave it."""
    try:
        notebook = read_notebook(path)
        return bool(notebook.metadata.course.digest == _digest(notebook))
    except (CourseError, AttributeError):
        return False


def _digest(notebook: NotebookNode) -> str:
    """Changes with what the cells say, not with outputs or with what JupyterLab notes."""
    said = json.dumps([(cell.cell_type, cell.source) for cell in notebook.cells])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _write(path: Path, text: str) -> list[Path]:
    """Replace a file as a whole, or not at all; says whether it changed."""
    if _holds(path, text):
        return []
    try:
        with atomic_write(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CourseError(f"Cannot write {_name(path)}: {error.strerror}.") from None
    return [path]
