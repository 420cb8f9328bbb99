"""One Finer for the tests of faults after which it is as before; the others start one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, serving


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """A running Finer."""
    with serving() as found:
        yield found
