"""Fixtures of identity: a firm with people, a clock that stands still, and cheap password hashes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.settings import Settings, load_settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm


@pytest.fixture
def settings() -> Settings:
    """Defaults, with the cheapest password hash there is."""
    return load_settings({}, argon2_memory_kib=8, argon2_iterations=1)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that moves only when told to."""
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def clocked(database: Database, clock: FixedClock) -> Database:
    """The test database as the API's role, on that clock."""
    return on_clock(database, clock)


@pytest.fixture
def firm(clocked: Database, settings: Settings) -> Firm:
    """A firm of its own, committed."""
    return Firm.made(clocked, settings, f"firm-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def other_firm(clocked: Database, settings: Settings) -> Firm:
    """Another firm, a stranger to the first."""
    return Firm.made(clocked, settings, f"other-{uuid.uuid4().hex[:12]}")
