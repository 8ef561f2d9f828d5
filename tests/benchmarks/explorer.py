"""How long an explorer takes to follow its slider, if the kernel draws it.

    python -m tests.benchmarks.explorer [--browser]

Prints medians: the kernel's share (slider value set to HTML ready) and, with --browser, the
whole way in JupyterLab (key pressed on the slider to new picture decoded), whose target is 150 ms.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from course_lib.lessons import root
from course_lib.plots import adam as figures

from ..browser.notebook import NO_BROWSER, Notebook, chromium, jupyterlab

EXPLORERS = ("average_explorer", "optimizer_explorer")
TARGET_MS = 150
PRESSES = 40
WATCH = """() => {
    window.waits = [];
    let pressed = 0;
    document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
    for (const content of document.querySelectorAll('.jp-OutputArea-output .widget-html-content'))
        new MutationObserver(async () => {
            const image = content.querySelector('img');
            if (!image || !pressed) return;
            await image.decode();
            window.waits.push(performance.now() - pressed);
            pressed = 0;
        }).observe(content, {childList: true});
}"""


def kernel_ms(name: str) -> float:
    """Median time from a slider's new value to the new picture, in this process."""
    explorer = getattr(figures, name)()
    sliders = [slider for slider in explorer.sliders.values() if hasattr(slider, "step")]
    times = []
    for turn in range(PRESSES):
        slider = sliders[turn % len(sliders)]
        start = time.perf_counter()
        slider.value += slider.step if slider.value < slider.max else -slider.step
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def browser_ms(name: str, notebook: Notebook, address: str) -> list[float]:
    """Times from a key press on the first slider to the new picture, in JupyterLab."""
    notebook.open(address, f"{name}.ipynb")
    notebook.run_all()
    page = notebook.page
    page.locator(".widget-html-content img").wait_for()
    page.evaluate(WATCH)
    handle = page.get_by_role("slider").first
    handle.focus()
    for turn in range(PRESSES):
        handle.press("ArrowRight" if turn < PRESSES / 2 else "ArrowLeft")
        page.wait_for_function(f"() => window.waits.length > {turn}", timeout=20_000)
        page.wait_for_timeout(50)
    times: list[float] = page.evaluate("() => window.waits")
    notebook.end()
    return times


def in_browser() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebooks = shutil.copytree(root() / "notebooks", Path(folder, "notebooks"))
        for name in EXPLORERS:
            code = f"from course_lib.plots.adam import {name}\n\n{name}()"
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
            book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(book, notebooks / f"{name}.ipynb")
        program = chromium(playwright)
        if program is None:
            sys.exit(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        with jupyterlab(Path(folder)) as address:
            for name in EXPLORERS:
                times = browser_ms(name, Notebook(browser.new_page()), address)
                median, slow = statistics.median(times), sorted(times)[int(0.9 * len(times))]
                word = "within" if median <= TARGET_MS else "over"
                print(
                    f"{name}: key to picture {median:.0f} ms, 90 % under {slow:.0f} ms "
                    f"({word} the target of {TARGET_MS} ms)"
                )
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", action="store_true", help="measure in JupyterLab as well")
    options = parser.parse_args()
    for name in EXPLORERS:
        print(f"{name}: kernel {kernel_ms(name):.0f} ms (median of {PRESSES})")
    if options.browser:
        in_browser()


if __name__ == "__main__":
    main()
