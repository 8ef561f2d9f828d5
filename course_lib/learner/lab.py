"""JupyterLab on the lessons."""

from __future__ import annotations

import logging
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import CourseError
from ..lessons import Edition, Lesson, how_to_restore
from .doctor import require_essentials

OPTIONS = (
    "--log-level=ERROR",  # the greetings of Jupyter's parts would bury the address
    "--LabApp.log_level=ERROR",
    "--JupyterApp.answer_yes=True",  # one Ctrl-C is enough
    # Installed for the tests; it would warn that it is not set up.
    "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': False}",
    "--KernelManager.transport_encryption=auto",  # else every kernel warns that it is readable
)
EXTENSIONS = Path(__file__).with_name("labextensions")
"""Of JupyterLab; on Binder its own server finds them, because `binder/start` names their parent."""
KEPT = "MALLOC_TOP_PAD_", str(64 << 20)
"""What kernels are told, by the environment, to keep of the memory that they have freed (glibc).

Training frees and wants the same large arrays in each step: with it lesson 06 takes a fifth less of
a processor's time, and 80 MB more.
"""

WEB_LOGGERS = ("asyncio", "tornado.application", "tornado.general")
NOT_FOR_LEARNERS = (
    "@jupyterlab/apputils-extension:announcements",  # asks whether to fetch news
    "@jupyter/nbgrader",  # an instructor's menu; installed for the tests
)


def open_lab(
    lesson: Lesson, jupyter_options: Sequence[str] = (), edition: Edition = "notebooks"
) -> None:
    """Run JupyterLab with this lesson open until it is interrupted.

    With a browser it opens there; without one the address is printed. Busy ports are skipped.

    Args:
        lesson: the lesson or page to show; all others are beside it.
        jupyter_options: handed to JupyterLab.
        edition: the learner's notebook, or the solved one.

    Raises:
        CourseError: a package, or the lesson's notebook, is missing.
    """
    require_essentials()
    notebook = lesson.notebook(edition)
    if not notebook.is_file():
        raise CourseError(f"{notebook} is missing: {how_to_restore(notebook)}.")
    from jupyterlab.labapp import LabApp

    options = [
        *OPTIONS,
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
        f"--LabApp.default_url=/lab/tree/{lesson.name}.ipynb",
    ]
    if not has_browser():
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    server = LabApp.initialize_server(argv=[*options, *jupyter_options])
    os.environ.setdefault(*KEPT)
    server.web_app.settings["page_config_hook"] = _without_distractions
    for name in WEB_LOGGERS:
        logging.getLogger(name).addFilter(_is_no_closed_page)
    # What it logs on starting is the address again, three times over.
    server.log.addFilter(lambda record: record.funcName != "start_app")
    what = "The start page" if lesson.is_page else f"Lesson {lesson.name[:2]}, {lesson.title},"
    what += " solved," if edition == "solutions" else ""
    text = (
        f"{what} is in JupyterLab at\n\n"
        f"    {server.public_url}\n\n"
        "Leave this running while you work; Ctrl-C here ends it."
    )
    server.io_loop.add_callback(print, text, flush=True)  # once the server listens
    server.start()


def has_browser() -> bool:
    """Whether a browser window can be opened for the person who started this."""
    if os.environ.get("CI") and not sys.stdin.isatty():
        return False
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _is_no_closed_page(record: logging.LogRecord) -> bool:
    """Whether a record should be printed.

    Who closes a page while its kernel prints leaves messages without a reader. Tornado reports
    each of them with a traceback or several, but nothing is wrong.
    """
    from tornado.websocket import WebSocketClosedError

    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


def _without_distractions(handler: Any, page_config: dict[str, Any]) -> dict[str, Any]:
    """JupyterLab calls this for every page that it serves."""
    disabled = {*page_config.get("disabledExtensions", ()), *NOT_FOR_LEARNERS}
    return {**page_config, "disabledExtensions": sorted(disabled)}
