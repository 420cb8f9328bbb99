"""One Finer and one browser for all stories: each has a firm of its own, and the others' data beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browsing
from tests.support.server import Server, serving


@pytest.fixture(scope="package")
def installation() -> Iterator[Server]:
    """A running Finer, where passwords are hashed as fast as can be: pages wait for ten recovery codes."""
    with serving(FINER_ARGON2_MEMORY_KIB="8", FINER_ARGON2_ITERATIONS="1") as found:
        yield found


@pytest.fixture(scope="module")
def server(installation: Server, request: pytest.FixtureRequest) -> Server:
    """That Finer for a firm of this story."""
    return installation.for_firm(request.path.stem.removeprefix("test_").replace("_", "-"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Gone with the last story: it keeps an event loop running in its thread, which other tests would stumble over."""
    with browsing() as found:
        yield found
