"""One Finer for the tests of faults after which it is as before; the others start one of their own.

The last of them by its name, test_swapped_database.py, is the one after which it is not.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, serving


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """A running Finer."""
    with serving() as found:
        yield found
