"""What a learner meets in JupyterLab, in a real browser: every notebook, exercises, explorers.

Screenshots of each test are kept in ``artefacts/browser/``.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from course_lib.authoring.build import BEGIN, END, STUB
from course_lib.exercises import Exercise, catalogue, judge
from course_lib.exercises.verdict import HEADINGS
from course_lib.learner.progress import FILE
from course_lib.lessons import Edition, Lesson, lessons, pages, root
from course_lib.settings import PROGRESS

from .notebook import Notebook, jupyterlab

pytestmark = pytest.mark.browser

SCREENSHOTS = root() / "artefacts" / "browser"
WIDGETS = "application/vnd.jupyter.widget-view+json"
PNG = "image/png"
SLIDER = ".jp-OutputArea :is([role=slider], input[type=range])"
CONTROLS = f"{SLIDER}, .jp-OutputArea select"
DARK_THEME = """() => window.jupyterapp.commands.execute(
    'apputils:change-theme', {theme: 'JupyterLab Dark'})"""
GAPS = """fold => {
    const [before, here, after] = [fold.previousElementSibling, fold, fold.nextElementSibling].map(
        element => element.getBoundingClientRect());
    return [here.top - before.bottom, after.top - here.bottom];
}"""
"""Above and below an element."""
WIDTHS = "element => [element.scrollWidth, element.clientWidth]"
PRINTED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stdout'] pre"
LINES = """printed => printed.map(pre => [
    pre.textContent.trimEnd().split("\\n").length,
    Math.round(pre.clientHeight / parseFloat(getComputedStyle(pre).lineHeight))])"""
EXPLORER = re.compile(r"\w+_explorer\(")

NOTEBOOKS = [(lesson, lesson.editions[-1]) for lesson in (*pages(), *lessons())]
"""All from which nothing is left to be written: pages, and the solved lessons."""

FIRST_EXERCISES = [
    next(exercise for exercise in catalogue().values() if exercise.lesson == lesson)
    for lesson in ("01_losses", "08_recurrence", "09_variational_autoencoder")
]
"""Of a lesson in NumPy, of one with Keras beside it, and of one that has trained before."""

Open = Callable[[str], Notebook]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies: the learners' notebooks and, in folders, the solved ones and the learners' again."""
    folder = tmp_path_factory.mktemp("course")
    for edition, copies in (("notebooks", ""), ("solutions", "solutions"), ("notebooks", "fresh")):
        shutil.copytree(
            root() / edition,
            folder / "notebooks" / copies,
            ignore=lambda _, names: [name for name in names if not name.endswith(".ipynb")],
            dirs_exist_ok=True,
        )
    return folder


@pytest.fixture(scope="module")
def address(own_browser: BrowserContext, folder: Path) -> Iterator[str]:
    """Of a JupyterLab on that folder."""
    with jupyterlab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def windows() -> list[Notebook]:
    """JupyterLab, loaded once for many notebooks; the last one may be closed."""
    return []


@pytest.fixture
def open_notebook(
    own_browser: BrowserContext,
    address: str,
    windows: list[Notebook],
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """Opens a notebook of that JupyterLab; afterwards the page must have nothing to complain of."""

    def open_(path: str) -> Notebook:
        if not windows or windows[-1].page.is_closed():
            windows.append(Notebook(own_browser.new_page()))
        windows[-1].open(address, path)
        return windows[-1]

    yield open_
    if not windows[-1].page.is_closed():
        picture(windows[-1], request.node.name.partition("[")[2].rstrip("]") or request.node.name)
        windows[-1].close()
    complaints = [complaint for window in windows for complaint in window.complaints]
    del windows[:-1], windows[-1].complaints[:]
    assert complaints == []


def picture(notebook: Notebook, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    notebook.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def path_of(lesson: Lesson, edition: str) -> str:
    return f"{lesson.name}.ipynb" if edition == "notebooks" else f"solutions/{lesson.name}.ipynb"


# --- every notebook runs, every explorer follows -----------------------------------------------


@pytest.mark.parametrize(("lesson", "edition"), NOTEBOOKS, ids=lambda v: getattr(v, "name", v))
def test_it_runs_and_its_explorers_follow(
    lesson: Lesson, edition: Edition, open_notebook: Open
) -> None:
    """Of a lesson, the explorers and what they need; all else is looked at as the file has it.

    (That the rest runs, too, with these outputs, is for nbval: see `lesson_runs`.)
    """
    notebook = open_notebook(path_of(lesson, edition))
    written = EXPLORER.findall(lesson.source.read_text(encoding="utf-8"))
    if written:
        notebook.run_for(notebook.cells_with("_explorer("))
    else:
        notebook.run_all()

    outputs = notebook.outputs()
    wrong = [o for _, o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    assert [output.get("evalue", output.get("text")) for output in wrong] == []
    assert notebook.page.locator("[data-mjx-error]").count() == 0  # formulas that cannot be set

    live = [cell for cell, output in outputs if lives(output)]
    explorers = [cell for cell in live if EXPLORER.search(notebook.source(cell))]
    assert len(explorers) == len(written)
    moved = 0
    for number, cell in enumerate(explorers, start=1):
        moved += explore(notebook, notebook.show(cell))
        picture(notebook, f"{lesson.name}-explorer-{number}")
    assert notebook.page.locator(CONTROLS).count() == moved  # none stands elsewhere
    assert words_of_pictures(notebook) == [
        output["metadata"][PNG]["alt"]
        for _, output in outputs
        if PNG in output.get("data", {}) and not lives(output)
    ]
    assert notebook.barriers() == []


def lives(output: dict[str, Any]) -> bool:
    """Whether it is an explorer, of widgets or of its own HTML, and not its picture alone."""
    data = output.get("data", {})
    return WIDGETS in data or {PNG, "text/html"} <= data.keys()


def words_of_pictures(notebook: Notebook) -> list[str | None]:
    """What a screen reader says in place of each picture; those of live explorers are elsewhere."""
    images = notebook.page.locator(".jp-RenderedImage img")
    return [image.get_attribute("alt") for image in images.all()]


def explore(notebook: Notebook, cell: Locator) -> int:
    """Move everything that can be moved: the picture and its words must follow each time.

    First with the keyboard alone, one control after the other, then one slider with the mouse.
    Gives the number of controls.
    """
    in_browser = cell.locator(".course-explorer").count()
    image = cell.locator(".course-explorer > svg" if in_browser else ".widget-html-content img")
    sliders, lists = cell.get_by_role("slider"), cell.get_by_role("combobox")

    def seen() -> list[object]:
        attributes = image.get_attribute("src"), image.get_attribute("alt")
        return [*attributes, image.get_attribute("aria-label"), image.inner_html()]

    def follows(move: Callable[[], object]) -> None:
        source, alt, words, content = seen()
        move()
        if in_browser:
            expect(image).not_to_have_attribute("aria-label", str(words))
            assert image.inner_html() != content
        else:
            expect(image).not_to_have_attribute("src", str(source))
            expect(image).not_to_have_attribute("alt", str(alt))

    expect(image).to_be_visible()
    expect(sliders.first).to_be_visible()
    # While widgets are being made, empty boxes hold their places.
    expect(cell.locator(".widget-box > :not(.jupyter-widgets)")).to_have_count(0)
    # JupyterLab's widgets give a slider no name: its label is what is read before it.
    labels = cell.locator(".widget-slider > .widget-label, label:has(+ input[type=range])")
    expect(labels).to_have_text([re.compile(r"\S")] * sliders.count())

    cell.locator(".jp-InputPrompt").click()
    for control in cell.locator(f".widget-text input, {CONTROLS}").all():
        notebook.tab_to(control)
        if control.get_attribute("type") == "range":
            now, end = control.input_value(), control.get_attribute("max")
            follows(partial(control.press, "ArrowLeft" if now == end else "ArrowRight"))
        elif control.get_attribute("role") == "slider":
            now, end = (control.get_attribute(f"aria-value{which}") for which in ("now", "max"))
            follows(partial(control.press, "ArrowLeft" if now == end else "ArrowRight"))
        elif (others := control.locator("option:not(:checked)")).count():
            follows(partial(control.select_option, others.first.inner_text()))
        else:
            follows(partial(notebook.page.keyboard.type, "kreikka"))
    follows(partial(drag, notebook, sliders.first))
    return sliders.count() + lists.count()


def drag(notebook: Notebook, handle: Locator) -> None:
    """With the mouse, to the middle of the slider or, from there, to its end."""
    handle.hover()
    box, track = handle.bounding_box(), handle.locator("xpath=../..").bounding_box()
    if handle.get_attribute("type") == "range":  # its handle is no element of its own
        track = box
    assert box is not None
    assert track is not None
    middle = track["x"] + track["width"] / 2
    to = middle if abs(middle - box["x"]) > track["width"] / 8 else track["x"] + track["width"]
    mouse = notebook.page.mouse
    mouse.down()
    mouse.move(to, box["y"] + box["height"] / 2, steps=3)
    mouse.up()


# --- an exercise, wrong and then right ---------------------------------------------------------


@pytest.mark.parametrize("exercise", FIRST_EXERCISES, ids=lambda e: f"{e.lesson}-{e.name}")
def test_a_mistake_is_named_and_the_right_answer_passes(
    exercise: Exercise, open_notebook: Open
) -> None:
    expected = judge(exercise.name, exercise.misconceptions[0].variant)
    notebook = open_notebook(f"{exercise.lesson}.ipynb")
    notebook.run_above(exercise.name)
    head, stub = notebook.source(exercise.name).split(f"\n    {STUB[0]}\n")
    assert stub.strip() == STUB[1]

    notebook.write(exercise.name, head, wrong_lines(exercise, head))
    notebook.run_with_next()
    verdict = notebook.show(f"{exercise.name}-check").get_by_role("status").first
    expect(verdict).to_contain_text(HEADINGS[expected.status])
    expect(verdict).to_contain_text(expected.message.replace("`", ""))
    verdict.locator("summary").first.press("Enter")
    expect(verdict.locator("details").first).to_have_attribute("open", "")
    assert notebook.barriers() == []
    picture(notebook, f"{exercise.lesson}-{exercise.name}-wrong")

    notebook.write(exercise.name, head, right_lines(exercise))
    notebook.run_with_next()
    expect(verdict).to_contain_text(HEADINGS["correct"])
    notebook.show(exercise.name)


# --- a link ------------------------------------------------------------------------------------


def test_a_link_leads_to_its_section(open_notebook: Open) -> None:
    """Of a notebook that it opens, and of the same one."""
    page = open_notebook("fresh/15_famous_mistakes.ipynb").page
    page.get_by_role("link", name="Kullback-Leibler divergence").click()
    expect(page.get_by_role("heading", name="3 A bound on the likelihood")).to_be_in_viewport()
    section = page.get_by_role("heading", name="7 The article's listing")
    expect(section).to_be_attached()  # cells are drawn one after the other
    page.get_by_role("link", name="7 The article's listing").click()
    expect(section).to_be_in_viewport(timeout=20_000)


def test_on_a_narrow_page_nothing_is_cut_off(open_notebook: Open) -> None:
    """Neither the three dots of a collapsed cell nor the last column of a printed table."""
    lesson = open_notebook("solutions/10_heads_and_augmentation.ipynb")
    usual = lesson.page.viewport_size
    assert usual is not None
    lesson.page.set_viewport_size({"width": 1024, "height": usual["height"]})
    lesson.show(lesson.cell_with("{'each class':>11}"))
    printed = lesson.page.locator(PRINTED)
    expect(printed.nth(3)).to_be_attached(timeout=20_000)  # cells are drawn one after the other
    lines = printed.evaluate_all(LINES)
    assert [shown for shown in lines if shown[0] != shown[1]] == []  # so that no line takes two
    widths = lesson.page.locator(".jp-WindowedPanel-outer:visible").evaluate(WIDTHS)
    lesson.page.set_viewport_size(usual)
    assert widths[0] <= widths[1]


# --- another day -------------------------------------------------------------------------------


def test_what_is_left_of_a_lesson_on_another_day(open_notebook: Open, folder: Path) -> None:
    """A guess, explorers that still answer, and a solved exercise, until progress is reset."""
    first, second, *_ = catalogue().values()
    lesson = open_notebook(f"fresh/{first.lesson}.ipynb")
    field = lesson.page.get_by_label("Your guess:").first
    field.click()
    field.press_sequentially("bad 00 add")  # by themselves these keys are commands of JupyterLab
    told = lesson.page.get_by_text("You guessed: bad 00 add", exact=True)
    expect(told).to_have_count(1)
    assert lesson.barriers() == []
    lesson.run_above(first.name)
    head, _ = lesson.source(first.name).split(f"\n    {STUB[0]}\n")
    lesson.write(first.name, head, right_lines(first))
    lesson.run_with_next()
    verdict = lesson.show(f"{first.name}-check").get_by_role("status").first
    expect(verdict).to_contain_text(HEADINGS["correct"])
    lesson.save()
    lesson.leave()

    again = open_notebook(f"fresh/{first.lesson}.ipynb")
    expect(again.page.get_by_label("Your guess:").first).to_have_value("bad 00 add")
    expect(again.page.get_by_text("You guessed: bad 00 add")).to_have_count(1)
    assert explore(again, again.show(again.cell_with("line_explorer("))) == 2
    again.leave()

    start = open_notebook(f"fresh/{pages()[0].name}.ipynb")
    cell = start.cell_with("my_progress")
    table = start.show(cell).get_by_role("table")  # it runs by itself
    expect(start.page.get_by_label("Your guess:")).to_have_count(0)  # it only tells of guesses
    expect(table).to_contain_text(f"1 of {len(catalogue())} exercises solved")
    row = table.get_by_role("row").filter(has=start.page.get_by_role("link", name="01 "))
    expect(row).to_contain_text(second.name)  # the next one
    row.locator("summary").press("Enter")
    expect(row.get_by_text(f"{first.name}: solved")).to_be_visible()

    environment = os.environ | {PROGRESS: str(folder / "notebooks" / "fresh" / FILE)}
    course = [sys.executable, "-c", "from course_lib.cli import main; main()"]
    subprocess.run([*course, "progress", "--reset", "--yes"], env=environment, check=True)
    start.run_cell(cell)
    expect(table).to_contain_text(f"0 of {len(catalogue())} exercises solved")
    expect(row).to_contain_text(first.name)

    for fold in start.page.locator("details:has-text('Answer')").all():
        above, below = fold.evaluate(GAPS)
        assert below >= above  # else it seems to belong to the next question

    start.page.evaluate(DARK_THEME)
    expect(start.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    expect(start.page.locator(".jp-MarkdownOutput img").first).to_have_css(
        "filter", re.compile(r"brightness\(0\.\d+\)")
    )
    assert start.barriers() == []


def test_of_widgets_whose_kernel_has_ended_the_pictures_are_left(open_notebook: Open) -> None:
    path = "fresh/15_famous_mistakes.ipynb"
    lesson = open_notebook(path)
    lesson.run_for(lesson.cells_with("_explorer("))
    stored = [output for _, output in lesson.outputs() if WIDGETS in output.get("data", {})]
    assert stored
    lesson.save()
    lesson.leave()

    # JupyterLab by itself shows an error in their place.
    again = open_notebook(path)
    notes = again.page.get_by_text("To move the sliders, run the cells above this one")
    expect(notes).to_have_count(len(stored))
    assert {output["metadata"][PNG]["alt"] for output in stored} <= {*words_of_pictures(again)}
    assert again.page.get_by_text("Error displaying widget").count() == 0
    again.leave()


# --- what is written in cells ------------------------------------------------------------------


def wrong_lines(exercise: Exercise, head: str) -> list[str]:
    """The body of the learner's function that makes the exercise's first known mistake."""
    (function,) = ast.parse(f"{head}\n    ...").body
    assert isinstance(function, ast.FunctionDef)
    arguments = ", ".join(argument.arg for argument in function.args.args)
    return [
        "    from course_lib.exercises import catalogue",
        "",
        f'    mistake = catalogue()["{exercise.name}"].misconceptions[0]',
        f"    return mistake.variant({arguments})",
    ]


def right_lines(exercise: Exercise) -> list[str]:
    """The body of the function in the solved edition."""
    solved = nbformat.read(root() / "solutions" / f"{exercise.lesson}.ipynb", as_version=4)
    (source,) = (cell.source for cell in solved.cells if cell.id == exercise.name)
    _, body = source.split(f"    {BEGIN}\n")
    body, _ = body.split(f"\n    {END}")
    return body.splitlines()
