"""How long an explorer takes to follow its slider.

    python tests/benchmarks/explorer.py [--browser] [--screenshots FOLDER]

Prints medians: the kernel's share (slider value set to HTML ready) and, with --browser, the
whole way in JupyterLab and Chromium (key pressed on the slider to new picture decoded). The
target for the whole way is 150 ms. Needs nothing beyond the course for the first;
Playwright and a Chromium for the second (CHROMIUM names it if it is not /usr/bin/chromium).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nbformat

from course_lib.plots import losses as plots

EXPLORERS = ("logits_explorer", "line_explorer")
TARGET_MS = 150
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
PRESSES = 40

# The lamp "idle" comes on before the kernel is; execution counts do not lie.
READY = """() => {
    const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
    const session = panel && panel.context && panel.context.sessionContext;
    return Boolean(session && session.isReady && session.session
        && session.session.kernel && session.session.kernel.connectionStatus === 'connected'
        && session.session.kernel.status === 'idle');
}"""
EXECUTED = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    return cells.every(cell => cell.model.type !== 'code' || cell.model.executionCount);
}"""
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
    explorer = getattr(plots, name)()
    sliders = [slider for slider in explorer.sliders.values() if hasattr(slider, "step")]
    times = []
    for turn in range(PRESSES):
        slider = sliders[turn % len(sliders)]
        start = time.perf_counter()
        slider.value += slider.step if slider.value < slider.max else -slider.step
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[tuple[int, str]]:
    """A JupyterLab on this folder, gone afterwards: its port and token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
    ]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(600):
            with contextlib.suppress(URLError, ConnectionError):
                urlopen(f"http://127.0.0.1:{port}/api?token={token}", timeout=5).close()
                break
            time.sleep(0.1)
        yield port, token
    finally:
        server.terminate()
        server.wait(20)


def browser_ms(name: str, page: Any, address: tuple[int, str], folder: Path) -> list[float]:
    """Times from a key press on the first slider to the new picture, in JupyterLab."""
    port, token = address
    cell = nbformat.v4.new_code_cell(f"from course_lib.plots.losses import {name}\n\n{name}()")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / f"{name}.ipynb")
    page.goto(f"http://127.0.0.1:{port}/lab/tree/{name}.ipynb?token={token}&reset")
    page.wait_for_function(READY, timeout=120_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(EXECUTED, timeout=60_000)
    page.wait_for_selector(".widget-html-content img", timeout=60_000)
    page.evaluate(WATCH)
    handle = page.locator(".noUi-handle").first
    handle.focus()
    for turn in range(PRESSES):
        handle.press("ArrowRight" if turn < PRESSES / 2 else "ArrowLeft")
        page.wait_for_function(f"() => window.waits.length > {turn}", timeout=20_000)
        page.wait_for_timeout(50)
    times: list[float] = page.evaluate("() => window.waits")
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", action="store_true", help="measure in JupyterLab as well")
    parser.add_argument("--screenshots", type=Path, help="folder for a picture of each page")
    options = parser.parse_args()

    for name in EXPLORERS:
        print(f"{name}: kernel {kernel_ms(name):.0f} ms (median of {PRESSES})")
    if not options.browser:
        return

    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with (
        tempfile.TemporaryDirectory() as name_of_folder,
        jupyterlab(Path(name_of_folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name in EXPLORERS:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            times = browser_ms(name, page, address, Path(name_of_folder))
            median, slow = statistics.median(times), sorted(times)[int(0.9 * len(times))]
            word = "within" if median <= TARGET_MS else "over"
            print(
                f"{name}: key to picture {median:.0f} ms, 90 % under {slow:.0f} ms "
                f"({word} the target of {TARGET_MS} ms)"
            )
            if options.screenshots:
                options.screenshots.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=options.screenshots / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
