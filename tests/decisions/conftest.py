"""The fixtures of identity, and a firm that works cases."""

from __future__ import annotations

import pytest

from finer.kit.clock import FixedClock
from finer.kit.db import Database
from tests.decisions.desk import CaseDesk
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


@pytest.fixture
def desk(firm: Firm, worker_database: Database, clock: FixedClock) -> CaseDesk:
    """A firm's case desk."""
    return CaseDesk(firm, on_clock(worker_database, clock))
