"""Fixtures for tests of fraud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from finer.kit.db import WORKER, connect
from tests.fraud.desk import Desk
from tests.support.identity import Firm


@pytest.fixture
def desk(firm: Firm, database_url: str) -> Iterator[Desk]:
    """A firm's risk desk."""
    with connect(database_url, WORKER) as reader:
        found = Desk(firm, database_url, reader)
        yield found
        found.close()
