"""A browser for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from .notebook import NO_BROWSER, chromium


# Of one file, not of the session: while Playwright is on, asyncio.run() fails in this process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = chromium(playwright)
        if program is None:
            pytest.skip(NO_BROWSER)
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        yield browser
        browser.close()
