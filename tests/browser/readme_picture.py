"""Takes the two pictures of the course anew: ``python -m tests.browser.readme_picture``.

README's: an explorer of lesson 01 and, below it, an exercise with a mistake in JupyterLab, from the
first slider to the end of the verdict. The start page's: pictures that the solved lessons hold.
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from PIL import Image, ImageOps
from playwright.sync_api import expect, sync_playwright

from course_lib.authoring.build import STUB
from course_lib.lessons import root

from .notebook import NO_BROWSER, Notebook, chromium, jupyterlab

LESSON, EXPLORER = "01_losses.ipynb", "logits_explorer("
EXERCISE = "softmax_cross_entropy_gradient"
MISTAKE = ["    onehot = np.eye(logits.shape[1])[labels]", "    return softmax(logits) - onehot"]
WIDTH, HEIGHT, SHARPER = 1060, 1640, 2  # the window in pixels of the page; those of the picture
MARGIN = 24  # white, in pixels of the picture
STRIP = (  # of the start page: lesson, end of the cell's source
    ("07_convolution", 'kernel_explorer(photographs.load("pagoda", 128))'),
    ("07_convolution", '"What EfficientNet-Lite0 answers, through your functions")'),
    ("09_variational_autoencoder", "plane_figure(lambda codes: decode(codes, plane))"),
)
STRIP_HEIGHT, GAP = 290, 20  # in its pixels
COLORS = 128  # enough for text and flat colors; a third of the bytes


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
            notebook.leave()
        browser.close()
    picture = ImageOps.expand(Image.open(io.BytesIO(taken)).convert("RGB"), MARGIN, "white")
    picture = picture.quantize(COLORS, dither=Image.Dither.NONE)
    picture.save(root() / "solutions" / "picture.png", optimize=True)
    strip([stored(*place) for place in STRIP]).save(root() / "solutions" / "start.jpg", quality=88)


def stored(lesson: str, source: str) -> Image.Image:
    """The picture below the cell of a solved lesson that ends like this."""
    book = nbformat.read(root() / "solutions" / f"{lesson}.ipynb", as_version=4)
    (cell,) = (cell for cell in book.cells if cell.source.endswith(source))
    (data,) = (output.data for output in cell.outputs if "image/png" in output.get("data", {}))
    return Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")


def strip(pictures: list[Image.Image]) -> Image.Image:
    """Pictures side by side, equally high, on white."""
    scaled = [
        picture.resize((round(picture.width * STRIP_HEIGHT / picture.height), STRIP_HEIGHT))
        for picture in pictures
    ]
    width = sum(picture.width for picture in scaled) + GAP * (len(scaled) + 1)
    made = Image.new("RGB", (width, STRIP_HEIGHT + 2 * GAP), "white")
    left = GAP
    for picture in scaled:
        made.paste(picture, (left, GAP))
        left += picture.width + GAP
    return made


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
