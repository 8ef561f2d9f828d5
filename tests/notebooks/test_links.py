"""No link leads nowhere: files exist, and so do the headings that anchors name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml

from course_lib.authoring.links import READING, Terms, with_links
from course_lib.lessons import IN_ANCHORS, LAST_PAGE, START_PAGE, Lesson, find, lessons

from .reading import ROOT, anchors, cells_of, documents, links, raw_html, text_of


def dead_links(path: Path) -> list[str]:
    """Relative links of a document whose file or heading does not exist."""
    dead = []
    for link in links(text_of(path)):
        parts = urlsplit(link)
        if parts.scheme == "attachment":
            if f'"{parts.path}": {{' not in path.read_text(encoding="utf-8"):
                dead.append(link)
            continue
        if parts.scheme:
            continue
        target = path.parent / unquote(parts.path) if parts.path else path
        if not target.exists() or (
            parts.fragment and unquote(parts.fragment) not in anchors(target)
        ):
            dead.append(link)
    return dead


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path) == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_linked_heading_has_a_character_that_a_browser_encodes(path: Path) -> None:
    """JupyterLab looks for the encoded name among the headings' own, and finds none."""
    assert encoded_anchors(text_of(path)) == []


def encoded_anchors(text: str) -> list[str]:
    """Relative links to a heading with a character such as /, λ or (."""
    parts = {link: urlsplit(link) for link in links(text)}
    plain = rf"[\w.~{IN_ANCHORS}-]*"  # a parser of Markdown encodes what a browser would
    return [
        link
        for link, to in parts.items()
        if not to.scheme and not re.fullmatch(plain, unquote(to.fragment), re.ASCII)
    ]


def test_characters_that_a_browser_encodes_are_found() -> None:
    text = "[](#a/b) [](x.ipynb#p%28x%29) [](#2-%CE%BB) [](#λ) [](<#p(x)>) [](#It's-so:-yes,-1)"
    assert [unquote(link) for link in encoded_anchors(text)] == [
        "#a/b",
        "x.ipynb#p(x)",
        "#2-λ",
        "#λ",
        "#p(x)",
    ]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_markdown_holds_no_html(path: Path) -> None:
    """Its links and pictures would escape the checks, and editors show it as it stands.

    Folds are no exception to that: what is inside is Markdown, and read as such. Each cell of a
    notebook is rendered by itself, so a fold ends in the cell where it begins.
    """
    for part in cells_of(path):
        assert raw_html(part) == []


def test_lone_folds_are_found() -> None:
    fold = "<details>\n<summary>Unfold</summary>\n\nIt is $x$.\n\n</details>\n"
    assert raw_html(fold + "\n" + fold) == []
    assert raw_html(fold.replace("</details>", "")) != []
    assert raw_html("<details open>\n<summary>Unfold</summary>\n\n</details>\n") != []


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, here\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(
        "# Top\n[1](there.md) [2](there.md#a-heading-here) [3](#top) [4](https://example.org/x)\n"
        "[5](gone.md) [6](there.md#gone) [7](#gone) ![8](gone.png) `[9](code.md)`\n"
        "\n<!-- a comment -->\n\nText <img src='x.png'>\n",
        encoding="utf-8",
    )
    assert dead_links(tmp_path / "page.md") == ["gone.md", "there.md#gone", "#gone", "gone.png"]
    assert raw_html(text_of(tmp_path / "page.md")) == ["<img src='x.png'>"]


# --- what the build puts in ----------------------------------------------------------------------

LASTING = re.compile(
    r"https://(arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\.\d{4,5}/[\w.:%()/-]+|jmlr\.org/papers/\S+"
    r"|proceedings\.mlr\.press/\S+|openreview\.net/forum\?id=\w+|www\.deeplearningbook\.org/)"
)


def test_lessons_lead_to_each_other_and_to_the_pages() -> None:
    every = lessons()
    for number, lesson in enumerate(every):
        last = nbformat.read(lesson.notebook("notebooks"), as_version=4).cells[-1].source
        ways = [link.removesuffix(".ipynb") for link in links(last)]
        before, after = every[max(number - 1, 0) : number], every[number + 1 : number + 2]
        pages = [START_PAGE] if after else [LAST_PAGE, START_PAGE]
        assert ways == [*(one.name for one in (*after, *before)), *pages]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_elsewhere_have_the_form_of_an_address(path: Path) -> None:
    """Whether anybody answers there is not asked: no test uses the network."""
    for link in links(text_of(path)):
        parts = urlsplit(link)
        if parts.scheme and parts.scheme != "attachment":
            assert parts.scheme == "https", link
            assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), link


def test_every_known_paper_is_read_somewhere_and_has_a_lasting_address() -> None:
    papers = yaml.safe_load((ROOT / "solutions" / "papers.yaml").read_text(encoding="utf-8"))
    assert list(papers) == sorted(papers)
    assert [address for address in papers.values() if not LASTING.fullmatch(address)] == []
    lists = [
        READING.split(text_of(lesson.notebook("notebooks")))[-1].lower() for lesson in lessons()
    ]
    told = " ".join(" ".join(lists).split())
    assert [title for title in papers if f"[*{title.lower()}*](https" not in told] == []


def test_links_are_put_where_they_belong() -> None:
    adam = "*Adam: A Method\n  for Stochastic Optimization*"
    text = f"*Deep Learning*\n| 1 It's (so) | 15 |\n## Further reading\n{adam}, *Unknown*"
    assert with_links(text) == (
        "*Deep Learning*\n| [1 It's (so)](#1-It's-%28so%29) | 15 |\n## Further reading\n"
        f"[{adam}](https://arxiv.org/abs/1412.6980), *Unknown*"
    )
    assert with_links("| 1 | 15 |") == "| 1 | 15 |"


def test_a_word_of_an_earlier_lesson_leads_there_where_it_is_first_read() -> None:
    terms = Terms(find("03"))
    softmax, chain = "01_losses.ipynb#4-Classification:-softmax", "01_losses.ipynb#3-The-gradient"
    no_prose = "## Softmax\n`softmax` $softmax$ [softmax](x) | softmax-like\n| softmax | 1 |\n"
    made = terms.linked(
        f"{no_prose}Of softmax and, by the chain\nrule, of Adam: softmax, momentum."
    )
    assert made.startswith(f"{no_prose}Of [softmax]({softmax}")
    assert f"[chain\nrule]({chain}" in made
    assert made.endswith(", of Adam: softmax, momentum.")
    assert terms.linked("Chain rule and softmax") == "Chain rule and softmax"
    assert Terms(find("01")).linked("softmax") == "softmax"


@pytest.mark.parametrize("lesson", lessons()[1:], ids=lambda lesson: lesson.name)
def test_words_of_earlier_lessons_are_linked_a_few_times_in_a_lesson(lesson: Lesson) -> None:
    """To the section that introduces them, which `dead_links` sees to; never twice."""
    cells = nbformat.read(lesson.notebook("notebooks"), as_version=4).cells[:-1]
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    words = [
        word.lower()
        for word, number in re.findall(r"(?<!!)\[([\w\s-]+)\]\((\d\d)_\w+\.ipynb", "\n".join(texts))
        if number < lesson.number
    ]
    assert len({" ".join(word.split()) for word in words}) == len(words)
    assert 3 <= len(words) <= 20


@pytest.mark.parametrize("lesson", lessons()[1:], ids=lambda lesson: lesson.name)
def test_a_linked_word_leads_to_the_lesson_that_the_sentence_names(lesson: Lesson) -> None:
    """And there to where the word is explained, not to the summary."""
    text = " ".join(text_of(lesson.notebook("notebooks")).split())
    named = r"\[[\w -]+\]\((\d\d)_\w+\.ipynb[^)]*\) (?:of |\()lesson (\d\d)"
    assert [found[0] for found in re.finditer(named, text) if found[1] != found[2]] == []
    assert [link for link in links(text) if link.endswith(".ipynb#What-you-have-now")] == []
