"""The fixtures of identity, for attacks on it; and the whole application with two furnished firms, for the campaign."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from finer.app.api import create_app
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import Database
from finer.kit.settings import Settings
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.security.world import World
from tests.support.asgi import Driver, driving
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


@pytest.fixture(scope="session")
def campaign_settings(database_url: str, data_path: Path, keys: Keyring) -> Settings:
    """Settings of the application under attack; hashing passwords costs next to nothing."""
    assert keys is not None  # the key file is there before the application looks for it
    return Settings(
        database_url=database_url,
        data_dir=str(data_path),
        argon2_memory_kib=8,
        argon2_iterations=1,
        database_pool_connections=4,
    )


@pytest.fixture(scope="package")
def app(campaign_settings: Settings) -> Litestar:
    """The whole application."""
    return create_app(campaign_settings)


@pytest.fixture(scope="package")
def driver(app: Litestar) -> Iterator[Driver]:
    """The application, started; it ends with these tests, since it says of the whole process what it hears."""
    with driving(app) as found:
        yield found


@pytest.fixture(scope="module")
def ours(database: Database, worker_database: Database, campaign_settings: Settings) -> World:
    """The attacker's own firm."""
    return new_world(database, worker_database, campaign_settings)


@pytest.fixture(scope="module")
def theirs(database: Database, worker_database: Database, campaign_settings: Settings) -> World:
    """The firm that is attacked."""
    return new_world(database, worker_database, campaign_settings)


def new_world(database: Database, worker: Database, settings: Settings) -> World:
    """A furnished firm with a mark of its own."""
    mark = f"m{uuid.uuid4().hex[:16]}"
    return World(Firm.made(database, settings, mark), worker, mark).furnish()
