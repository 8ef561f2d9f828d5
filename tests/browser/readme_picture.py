"""Takes the picture of the README anew: ``python -m tests.browser.readme_picture``.

An explorer of lesson 01 and, below it, an exercise with a mistake in JupyterLab, from the first
slider to the end of the verdict.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import expect, sync_playwright

from course_lib.authoring.build import STUB
from course_lib.lessons import root

from .notebook import NO_BROWSER, Notebook, chromium, jupyterlab

LESSON, EXPLORER = "01_losses.ipynb", "logits_explorer("
EXERCISE = "softmax_cross_entropy_gradient"
MISTAKE = ["    onehot = np.eye(logits.shape[1])[labels]", "    return softmax(logits) - onehot"]
WIDTH, HEIGHT, SHARPER = 1060, 1400, 2  # the window in pixels of the page; those of the picture
MARGIN = 24  # white, in pixels of the picture
COLOURS = 128  # enough for text and flat colours; a third of the bytes


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copytree(root() / "notebooks", Path(folder, "notebooks"))
        program = chromium(playwright)
        if program is None:
            sys.exit(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SHARPER
        )
        with jupyterlab(Path(folder)) as address:
            notebook = Notebook(page)
            notebook.open(address, LESSON)
            taken = scene(notebook)
            notebook.end()
        browser.close()
    picture = ImageOps.expand(Image.open(io.BytesIO(taken)).convert("RGB"), MARGIN, "white")
    picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(root() / "solutions" / "picture.png", optimize=True)


def scene(notebook: Notebook) -> bytes:
    """From the explorer to the verdict, without what JupyterLab has around them."""
    page = notebook.page
    for side in ("left", "right"):
        page.evaluate(f"() => window.jupyterapp.shell.collapse{side.title()}()")
    notebook.run_above(EXERCISE)
    head, _ = notebook.source(EXERCISE).split(f"\n    {STUB[0]}\n")
    notebook.write(EXERCISE, head, MISTAKE)
    notebook.run_with_next()
    check = notebook.show(f"{EXERCISE}-check")
    expect(check.get_by_role("status").first).to_be_visible()
    explorer = notebook.show(notebook.cell_with(EXPLORER))
    expect(explorer.get_by_role("slider").first).to_be_visible()
    page.evaluate("() => document.activeElement.blur()")

    top = explorer.locator(".jp-Cell-inputArea").bounding_box()
    bottom = check.locator(".jp-OutputArea").bounding_box()
    assert top is not None
    assert bottom is not None
    height = bottom["y"] + bottom["height"] - top["y"]
    return page.screenshot(clip={**top, "height": height})


if __name__ == "__main__":
    main()
