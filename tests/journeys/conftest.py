"""A browser for stories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browsing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each story: it keeps an event loop running in its thread, which other tests would stumble over."""
    with browsing() as found:
        yield found
