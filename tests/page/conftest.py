"""One browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.page.browser import missing, open_browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """A real browser; the test is skipped where there is none."""
    absent = missing()
    if absent:
        pytest.skip(f"{absent} is not installed")
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
