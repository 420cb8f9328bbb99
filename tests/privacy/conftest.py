"""Fixtures of privacy: a firm with the people who work on requests."""

from __future__ import annotations

import pytest

from finer.identity.types.access import Role
from finer.kit.actors import Actor
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


@pytest.fixture
def jobs(worker_database: Database, clock: FixedClock) -> Database:
    """The database as jobs have it, on the clock of the test."""
    return on_clock(worker_database, clock)


def _actor(firm: Firm, role: Role) -> Actor:
    user = firm.user(role, password=None)
    return Actor(kind="user", id=str(user.id), name=user.name, role=role.value)


@pytest.fixture
def manager(firm: Firm) -> Actor:
    """A customer manager, who takes requests in and proposes."""
    return _actor(firm, Role.CUSTOMER_MANAGER)


@pytest.fixture
def administrator(firm: Firm) -> Actor:
    """An administrator, who approves."""
    return _actor(firm, Role.ADMINISTRATOR)
