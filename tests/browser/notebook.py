"""JupyterLab as a learner starts it, and a notebook in it as a learner uses it."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import symtable
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = (
    "no browser: install one (on Debian `apt-get install chromium`, elsewhere `playwright install "
    "chromium`) or set CHROMIUM to the program's path"
)

# A hang ends here; on a busy machine everything may take long.
MOMENT, LESSON = 120_000, 900_000  # milliseconds
expect.set_options(timeout=MOMENT)

OURS = {"include": [[".jp-MarkdownOutput"], [".jp-OutputArea-output"]]}
"""Of a page, what the notebook brings along: its text and its outputs."""

START = """
import sys
from dataclasses import replace
from pathlib import Path

from course_lib.learner.lab import open_lab
from course_lib.lessons import lessons

open_lab(replace(lessons()[0], root=Path(sys.argv[1])), sys.argv[2:])
"""

NOTEBOOK = "window.jupyterapp.shell.currentWidget"
OPEN = "path => void window.jupyterapp.commands.execute('docmanager:open', {path})"
CLOSE = """async () => {
    const {serviceManager, shell} = window.jupyterapp;
    await serviceManager.sessions.shutdownAll();
    for (const panel of [...shell.widgets('main')]) {
        if (panel.context) panel.context.model.dirty = false;  // else it asks whether to save
        panel.close();
    }
}"""
READY = f"""path => {{
    const panel = window.jupyterapp && {NOTEBOOK};
    const session = panel && panel.context && panel.context.sessionContext;
    const kernel = session && session.isReady && session.session && session.session.kernel;
    return Boolean(kernel && panel.context.path === path
        && kernel.connectionStatus === 'connected' && kernel.status === 'idle');
}}"""
CODE_CELLS = f"""{NOTEBOOK}.content.widgets
    .map((cell, index) => ({{cell, index}})).filter(({{cell}}) => cell.model.type === 'code')"""
# Run All stops at the first error. A count comes with the end of its cell's execution; the lamp
# alone says "idle" before the first one has begun.
DONE = f"""asked => {{
    const cells = {CODE_CELLS}.filter(({{index}}) => asked.includes(index))
        .map(({{cell}}) => cell.model);
    const failed = cells.some(({{outputs}}) => outputs.length
        && outputs.get(outputs.length - 1).type === 'error');
    const kernel = {NOTEBOOK}.context.sessionContext.session.kernel;
    return kernel.status === 'idle' && (failed || cells.every(cell => cell.executionCount));
}}"""


def chromium(playwright: Playwright) -> str | None:
    """Path of a browser: the one that CHROMIUM names, one on PATH, or Playwright's own."""
    own = playwright.chromium.executable_path
    installed = [*map(shutil.which, NAMES), own if Path(own).is_file() else None]
    return os.environ.get("CHROMIUM") or next(filter(None, installed), None)


def needed(sources: dict[str, str], cell_ids: list[str]) -> list[str]:
    """Of a notebook's cells, in order, these and those above that bind what they read."""
    found, read = [], set[str]()
    for cell_id, source in reversed(sources.items()):
        binds, changes, reads = names(source)
        if cell_id in cell_ids or (binds | changes) & read:
            found.append(cell_id)
            read = read - binds | reads
    return found[::-1]


def names(source: str) -> tuple[set[str], set[str], set[str]]:
    """Which names a cell binds, which it changes (`name[...] = `, `name.part = `), which it reads.

    At its top: the own variables of functions do not count.
    """
    top = symtable.symtable(source, "cell", "exec")
    changes = {
        ast.unparse(node.value).partition(".")[0].partition("[")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    tables = [top]
    for table in tables:
        tables += table.get_children()
    inside = {s.get_name() for table in tables[1:] for s in table.get_symbols() if s.is_global()}
    own = top.get_symbols()
    return (
        {s.get_name() for s in own if s.is_assigned() or s.is_imported()},
        changes,
        inside | {s.get_name() for s in own if s.is_referenced()},
    )


@contextlib.contextmanager
def jupyterlab(root: Path) -> Iterator[str]:
    """`course lab` on ``root/notebooks``, gone afterwards; gives the address that it prints.

    Neither settings of the person who runs the tests are read nor anything of theirs is written.
    """
    own = {f"JUPYTER_{kind}_DIR": str(root / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    # Kernels that know of pytest do not show what libraries in C write, as oneDNN its greeting.
    hidden = ("DISPLAY", "PYTEST_CURRENT_TEST", "TF_ENABLE_ONEDNN_OPTS")
    environment = {key: entry for key, entry in os.environ.items() if not key.endswith(hidden)}
    environment |= own | {"IPYTHONDIR": str(root / "ipython"), "CI": "true"}
    environment["COURSE_QUICK"] = "1"  # the numbers of long lessons are for nbval to check
    options = ["--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"]
    log = root / "errors.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", START, str(root), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        ) as server,
    ):
        assert server.stdout is not None
        addresses = (re.search(r"http://\S+", line) for line in server.stdout)
        address = next(filter(None, addresses), None)
        try:
            assert address is not None, log.read_text(encoding="utf-8")
            yield address[0]
        finally:
            server.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


class Notebook:
    """A notebook that is open in JupyterLab.

    Attributes:
        page: the browser's page.
        complaints: what no page of the course may do: errors of scripts, requests to elsewhere.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))

    def open(self, address: str, path: str) -> None:
        """Open the notebook of this path in the JupyterLab of this address; its kernel is ready."""
        lab = urlsplit(address)
        if urlsplit(self.page.url).netloc == lab.netloc:
            self.page.evaluate(OPEN, path)
        else:
            self.page.on("request", lambda request: self._watch(request.url, lab.netloc))
            # Without "reset" the tabs of the notebook before this one would come back.
            self.page.goto(f"{lab.scheme}://{lab.netloc}/lab/tree/{path}?{lab.query}&reset")
        self.page.wait_for_function(READY, arg=path, timeout=MOMENT)

    def _watch(self, url: str, here: str) -> None:
        # An attachment is asked for once before JupyterLab finds it in the notebook.
        if (
            urlsplit(url).scheme not in ("data", "blob", "attachment")
            and urlsplit(url).netloc != here
        ):
            self.complaints.append(f"request to elsewhere: {url}")

    def run_all(self) -> None:
        """Choose Run All Cells in a notebook without outputs, and wait for the end."""
        self._clear(cells := self._code_cells())
        self._choose("Run All Cells", cells)

    def run_for(self, cell_ids: list[str]) -> None:
        """Run these cells and those above that they need; the others keep the file's outputs.

        A lesson's settings of the environment are needed by whatever it imports.
        """
        sources = {cell_id: self.source(cell_id) for cell_id in self.cells_with("")}
        wanted = needed(sources, [*self.cells_with("os.environ"), *cell_ids])
        self._clear(cells := [self._index(cell_id) for cell_id in wanted])
        self.page.evaluate(
            f"""cells => {{
                const content = {NOTEBOOK}.content;
                content.deselectAll();
                content.activeCellIndex = cells[0];
                cells.forEach(index => content.select(content.widgets[index]));
                window.jupyterapp.commands.execute('notebook:run-cell');
            }}""",
            cells,
        )
        self._wait(cells)

    def _code_cells(self) -> list[int]:
        return [int(i) for i in self.page.evaluate(f"{CODE_CELLS}.map(({{index}}) => index)")]

    def _clear(self, cells: list[int]) -> None:
        """What this kernel has not run looks so."""
        self.page.evaluate(
            f"cells => {CODE_CELLS}.filter(({{index}}) => cells.includes(index))"
            ".forEach(({cell}) => cell.model.clearExecution())",
            cells,
        )

    def run_cell(self, cell_id: str) -> Locator:
        """Run one cell; gives its output, which may still be on its way."""
        cell = self.show(cell_id)
        cell.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Shift+Enter")
        return cell.locator(".jp-OutputArea")

    def run_above(self, cell_id: str) -> None:
        """Run all cells above this one and wait for the end."""
        self.show(cell_id).locator(".jp-InputPrompt").click()
        last = self._index(cell_id)
        self._choose("Run All Above Selected Cell", [i for i in self._code_cells() if i < last])

    def _choose(self, entry: str, cells: list[int]) -> None:
        """Choose this entry of the menu, which runs these cells."""
        self.page.get_by_role("menubar").get_by_text("Run", exact=True).click()
        self.page.get_by_role("menu").get_by_text(entry, exact=True).click()
        self._wait(cells)

    def _wait(self, cells: list[int]) -> None:
        # Asked four times a second, not for every frame: the kernel needs the processor.
        self.page.wait_for_function(DONE, arg=cells, timeout=LESSON, polling=250)

    def show(self, cell_id: str) -> Locator:
        """Scroll to a cell and give the whole of it, output included."""
        index = self._index(cell_id)
        self.page.evaluate(f"index => {NOTEBOOK}.content.scrollToItem(index, 'start')", index)
        cell = self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        cell.wait_for()
        return cell

    def _index(self, cell_id: str) -> int:
        of = f"id => {NOTEBOOK}.content.widgets.findIndex(cell => cell.model.id === id)"
        index: int = self.page.evaluate(of, cell_id)
        assert index >= 0, f"there is no cell {cell_id}"
        return index

    def cells_with(self, code: str) -> list[str]:
        """The ids of the cells in which this stands."""
        of = f"""code => {CODE_CELLS}.map(({{cell}}) => cell.model)
            .filter(model => model.sharedModel.getSource().includes(code)).map(({{id}}) => id)"""
        return [str(cell_id) for cell_id in self.page.evaluate(of, code)]

    def cell_with(self, code: str) -> str:
        """The id of the one cell in which this stands."""
        (cell_id,) = self.cells_with(code)
        return cell_id

    def source(self, cell_id: str) -> str:
        """What stands in a cell's editor."""
        of = f"index => {NOTEBOOK}.content.widgets[index].model.sharedModel.getSource()"
        return str(self.page.evaluate(of, self._index(cell_id)))

    def outputs(self) -> list[tuple[str, dict[str, Any]]]:
        """All outputs of all cells, in order: the cell's id and the output as a file has it."""
        of = f"""() => {CODE_CELLS}.flatMap(({{cell}}) =>
            cell.model.outputs.toJSON().map(output => [cell.model.id, output]))"""
        return [(cell_id, output) for cell_id, output in self.page.evaluate(of)]

    def barriers(self) -> list[str]:
        """What axe-core finds that keeps people from reading or using the text and the outputs."""
        found = Axe().run(self.page, OURS).response["violations"]
        return [f"{rule['help']}: {node['html']}" for rule in found for node in rule["nodes"]]

    def write(self, cell_id: str, head: str, body: list[str]) -> None:
        """Replace what stands in a cell: paste the head, type the lines below it key by key."""
        self.show(cell_id).locator(".cm-content").click()
        keyboard = self.page.keyboard
        keyboard.press("ControlOrMeta+a")
        keyboard.insert_text(head)
        for line in body:
            keyboard.press("Enter")
            keyboard.press("Shift+Home")  # over what the editor has indented by itself
            keyboard.type(line)
        assert self.source(cell_id).splitlines() == [*head.splitlines(), *body]

    def tab_to(self, control: Locator) -> None:
        """Go to a control with the Tab key; at most one other thing stands before it."""
        for _ in range(2):
            self.page.keyboard.press("Tab")
            if control.evaluate("control => control === document.activeElement"):
                return
        raise AssertionError(f"the keyboard does not reach {control}")

    def run_with_next(self) -> None:
        """Run the cell that was written in, and the one below it."""
        self.page.keyboard.press("Shift+Enter")
        self.page.keyboard.press("Shift+Enter")

    def save(self) -> None:
        """Write the file, outputs included."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def close(self) -> None:
        """Close it and end its kernel, so that only one is in memory at a time."""
        self.page.evaluate(CLOSE)

    def leave(self) -> None:
        """Leave JupyterLab, which is loaded anew for the next notebook, as on another day."""
        self.close()
        self.page.close()
