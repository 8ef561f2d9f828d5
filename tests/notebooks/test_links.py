"""No link leads nowhere: files exist, and so do the headings that anchors name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from .reading import ROOT, anchors, cells_of, documents, links, raw_html, text_of


def dead_links(path: Path) -> list[str]:
    """Relative links of a document whose file or heading does not exist."""
    dead = []
    for link in links(text_of(path)):
        parts = urlsplit(link)
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
