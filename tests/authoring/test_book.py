"""The book: every solved lesson as a page that asks nothing of the network."""

import errno
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import expect, sync_playwright

from course_lib.authoring import book, book_pages
from course_lib.authoring.build import BEGIN
from course_lib.cli import course
from course_lib.errors import CourseError
from course_lib.exercises import catalogue
from course_lib.lessons import lessons
from tests.browser.notebook import NO_BROWSER, chromium

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """What a page shows as pictures and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.pictures: list[dict[str, str | None]] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "img":
            self.pictures.append(named)
        if tag in ("img", "script") and "src" in named:
            self.loaded.append(named["src"] or "")
        if tag == "link" and named.get("rel") in ("stylesheet", "preload"):
            self.loaded.append(named.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return book.make_book(tmp_path_factory.mktemp("book") / "site", with_mistakes=True).parent


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_page_of_a_lesson_shows_its_pictures_in_words_too(site, lesson):
    page = Page(site / f"{lesson.name}.html")
    stored = [
        output.data["text/plain"]
        for cell in nbformat.read(lesson.notebook("solutions"), as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    words = [picture.get("alt") for picture in page.pictures]
    assert [alt for alt in words if alt in stored] == stored
    assert all(words)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_page_of_a_lesson_has_no_markers_of_solutions(site, lesson):
    assert BEGIN not in (site / f"{lesson.name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_every_answer_is_folded_and_its_question_is_not(lesson):
    page = book_pages.lesson_page(nbformat.read(lesson.notebook("solutions"), as_version=4))
    answers = [
        number
        for number, cell in enumerate(page.cells)
        if "nbgrader" in cell.metadata and cell.metadata.nbgrader.solution
    ]
    assert len(answers) == sum(e.lesson == lesson.name for e in catalogue().values())
    for number in answers:
        answer, question = page.cells[number], page.cells[number - 1]
        assert "hide-input" in answer.metadata.tags
        assert answer.metadata.mystnb.code_prompt_show == "Show one answer"
        assert question.source.endswith("raise NotImplementedError()")
        assert "hide-input" not in question.metadata.get("tags", [])


def test_the_mistakes_are_there_on_request_only(site):
    text = (site / "mistakes_01_losses.html").read_text(encoding="utf-8")
    for mistake in catalogue()["mse"].misconceptions:
        assert f">{mistake.id}<" in text
    assert not any(name.startswith("mistakes") for name in book_pages.texts(with_mistakes=False))
    assert "mistakes_0" not in book_pages.texts(with_mistakes=False)["index"]


INK_AND_GROUND = """element => {
    let ground = element;
    while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)")
        ground = ground.parentElement;
    return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
        .map(color => color.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0));
}"""
"""How light words are, and what they stand on: red, green and blue together."""


@pytest.mark.browser
def test_a_browser_shows_the_contents_whole_and_sentences_of_what_it_finds(site):
    """At the usual widths of a screen; opened as files, as the command says."""
    with sync_playwright() as playwright:
        program = chromium(playwright)
        if program is None:
            pytest.skip(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        page = browser.new_page()
        page.route("**/tex-svg.js*", lambda route: route.abort())
        for lesson in lessons():  # the column is there before the formulas are drawn
            page.goto((site / f"{lesson.name}.html").as_uri(), wait_until="domcontentloaded")
            for width in (1280, 1440, 1920):
                page.set_viewport_size({"width": width, "height": 850})
                column = page.locator(".bd-sidebar-secondary")
                within, shown = column.evaluate("e => [e.scrollWidth, e.clientWidth]")
                assert within <= shown, (lesson.name, width)
        page.unroute("**/tex-svg.js*")
        page.goto((site / "01_losses.html").as_uri())
        picture = page.locator("course-line svg[role=img]")
        expect(picture).to_have_attribute("aria-label", re.compile("slope 0.00"))
        page.get_by_role("slider", name="slope").press("ArrowRight")
        expect(picture).to_have_attribute("aria-label", re.compile("slope 0.02"))
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")  # its script follows
        for words in ("course-line label", "[role=status] code"):
            ink, ground = page.locator(words).first.evaluate(INK_AND_GROUND)
            assert ink > ground + 300, words
        page.emulate_media(color_scheme="light")
        page.goto((site / "search.html").as_uri() + "?q=softmax")
        expect(page.locator("#search-results .context").first).to_contain_text("softmax")
        for name in ("index", "teaching"):
            page.goto((site / f"{name}.html").as_uri())
            barriers = Axe().run(page, {"include": [[".bd-article"]]}).response["violations"]
            assert [rule["help"] for rule in barriers] == []
        browser.close()


def test_tables_that_lessons_print_are_tables(site):
    text = (site / "01_losses.html").read_text(encoding="utf-8")
    assert re.search(r"<th[^>]*>(<p>)?Keras, measured(</p>)?</th>", text)


def test_pages_load_nothing_from_elsewhere(site):
    pages = sorted(site.glob("*.html"))
    assert len(pages) > len(lessons())
    for path in pages:
        for address in Page(path).loaded:
            if address.startswith("data:image/png;"):
                continue  # the picture in place of an explorer where no script runs
            assert not re.match(r"(https?:)?//", address), f"{path.name} loads {address}"
            assert (site / address.split("?")[0]).is_file(), f"{path.name} lacks {address}"


def test_formulas_are_drawn_by_the_mathjax_that_comes_along(site):
    assert 'src="_static/tex-svg.js' in (site / "01_losses.html").read_text(encoding="utf-8")


def test_search_knows_the_words_of_the_lessons(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert '"softmax"' in index or "softmax:" in index
    assert (site / "search.html").is_file()


def test_first_page_names_every_lesson(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    for lesson in lessons():
        assert f'href="{lesson.name}.html"' in text


def test_glossary_leads_to_the_lessons(site):
    text = (site / "glossary.html").read_text(encoding="utf-8")
    assert re.search(r'<dt id="term-cross-entropy">', text)  # where the search leads to
    assert "交叉熵" in text
    assert 'href="01_losses.html"' in text


def test_a_dead_link_stops_the_book(tmp_path, monkeypatch):
    """Of one page, which is made sooner."""
    monkeypatch.setattr(book, "lessons", tuple)
    monkeypatch.setattr(book_pages, "texts", lambda _: {"index": "# Home\n\n[gone](nowhere.md)\n"})
    with pytest.raises(CourseError, match=r"not in order: index\.md.*nowhere\.md"):
        book.make_book(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = CliRunner().invoke(course, ["book", "--out", str(tmp_path)])
    assert isinstance(result.exception, CourseError)
    assert "something that is not a book" in str(result.exception)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.fixture
def old(tmp_path, monkeypatch):
    """An old book; making the new one takes no time."""

    def run_sphinx(sources, site):
        site.mkdir()
        (site / "index.html").write_text("new", encoding="utf-8")

    monkeypatch.setattr(book, "_run_sphinx", run_sphinx)
    old = tmp_path / "site"
    old.mkdir()
    for name in ("index.html", "searchindex.js", "06_gone.html"):
        (old / name).write_text("old", encoding="utf-8")
    return old


def test_an_old_book_is_replaced(old):
    book.make_book(old)
    assert (old / "index.html").read_text(encoding="utf-8") == "new"
    assert not (old / "06_gone.html").exists()


def test_an_old_book_stays_if_the_new_one_cannot_be_written(old, monkeypatch):
    def full(path, text, **_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CourseError, match=r"Cannot write .*site: No space left on device\.$"):
        book.make_book(old)
    assert (old / "06_gone.html").exists()
    assert list(old.parent.iterdir()) == [old]


def test_without_its_wheels_it_says_what_to_install(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(book, "MATHJAX", ("no-such-wheel", "tex-svg.js"))
        with pytest.raises(CourseError, match="no-such-wheel: run `pip install"):
            book.make_book(tmp_path / "site")
    monkeypatch.setitem(book.SPHINX, "html_theme", "no_such_theme")
    with pytest.raises(CourseError, match="no_such_theme: run `pip install"):
        book.make_book(tmp_path / "site")
