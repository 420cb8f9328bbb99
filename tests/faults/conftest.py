"""One Finer for the tests of faults after which it serves as before, in any order; the others start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, serving


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """A running Finer."""
    with serving() as found:
        yield found
