"""A browser for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from .notebook import NO_BROWSER, chromium

SIZE: Any = {"width": 1400, "height": 900}


# Of one file, not of the session: while Playwright is on, asyncio.run() fails in this process.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def options(playwright: Playwright) -> dict[str, Any]:
    """Of each browser that is started."""
    program = chromium(playwright)
    if program is None:
        pytest.skip(NO_BROWSER)
    return {"executable_path": program, "args": ["--disable-gpu"]}


@pytest.fixture(scope="module")
def browser(playwright: Playwright, options: dict[str, Any]) -> Iterator[Browser]:
    """Forgets everything with each page."""
    browser = playwright.chromium.launch(**options)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def own_browser(
    playwright: Playwright, options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """Keeps what it has loaded for the next page, as a learner's does."""
    profile: Path = tmp_path_factory.mktemp("profile")
    browser = playwright.chromium.launch_persistent_context(profile, viewport=SIZE, **options)
    yield browser
    browser.close()
