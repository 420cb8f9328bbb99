"""Fixtures for all tests: a real, migrated PostgreSQL per test process, and transactions that are rolled back."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
import structlog
from httpx._transports import default as httpx_transport
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from finer.app.api import create_app
from finer.kit.actors import SYSTEM
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import API, NO_TENANT, WORKER, Database, begin_tenant
from finer.kit.migration import migrate
from finer.kit.postgres import EmbeddedPostgres
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from tests.support.asgi import Driver, driving

# As structlog does it by itself, but with tracebacks as Python prints them: drawing frames around them took 10 s.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.dev.set_exc_info,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
settings.register_profile(
    "finer", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=False
)
settings.load_profile("finer")

# httpx reads the certificates of the machine anew for each client, which takes 30 ms of CPU. Tests make hundreds of
# clients, nearly all of them for plain HTTP.
httpx_transport.create_ssl_context = functools.cache(httpx.create_ssl_context)  # type: ignore[attr-defined]

# Folders whose files take longest, in the order in which parallel runs hand them out: the shorter files fill the gaps.
_LONGEST = ("journeys", "faults", "sources", "warehouse", "security")
# What the names of files begin with whose tests share a server: they go to one test process.
_TOGETHER = (
    ("tests/journeys/",),
    tuple(f"tests/faults/test_{name}.py" for name in ("set_aside", "stop", "swapped_database")),
)
# So many new objects make Python look for garbage. What tests make is small and gone soon, and applications, which
# are large, are made by the hundred: with Python's 700, looking took a fifth of the time of all tests.
_GARBAGE_AFTER = 100_000
# The database of a test process is thrown away, so nothing waits for its disk. Tests of crashes start servers of their
# own, which write as Finer does.
_NOTHING_TO_KEEP = ("fsync", "full_page_writes", "synchronous_commit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, all others as they were."""
    items.sort(key=lambda item: _LONGEST.index(name) if (name := item.path.parent.name) in _LONGEST else len(_LONGEST))


class _Scheduler(LoadFileScheduling):  # type: ignore[misc]
    """A file to one test process, and those that share a server, which takes 10 s of CPU to start, all to one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((names[0] for names in _TOGETHER if nodeid.startswith(names)), str(super()._split_scope(nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduler | None:
    """Whenever whole files are asked for, as tools/checks.py does, and where a run says no more than `-n 2`.

    Tests of one file share what is dear to make, or follow one another.
    """
    return _Scheduler(config, log) if config.getoption("dist") in {"load", "loadfile"} else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Each of several test processes begins to load the tests elsewhere, and finds the others compiled by the others.

    Otherwise all compile the same file at the same time: pytest rewrites every assert, which takes 7 s for all files.
    """
    given = getattr(session.config, "workerinput", None)
    if given is None:
        return
    asked = [session.config.rootpath / name.partition("::")[0] for name in session.config.args]
    files = sorted({file for path in asked for file in (path.rglob("test_*.py") if path.is_dir() else [path])})
    first = len(files) * int(given["workerid"].removeprefix("gw")) // given["workercount"]
    for file in files[first:] + files[:first]:
        name = ".".join(file.relative_to(session.config.rootpath).with_suffix("").parts)
        # pytest loads it once more, and tells what is wrong, or that all of it is skipped.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def pytest_collection_finish() -> None:
    """What is loaded now stays: looking for garbage in it over and over would take some hundredths of the time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """An application sets the threshold of Finer's processes when it starts (finer.app.process); tests keep theirs."""
    gc.set_threshold(_GARBAGE_AFTER)


@pytest.fixture(scope="session")
def data_path() -> Iterator[Path]:
    """A folder of this test process, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="finer-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(data_path: Path) -> Iterator[EmbeddedPostgres]:
    """A running, migrated PostgreSQL of this test process."""
    server = EmbeddedPostgres(data_path)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        for name in _NOTHING_TO_KEEP:
            connection.execute(f"alter system set {name} = off")
        connection.execute("select pg_reload_conf()")
    migrate(server.url)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def database_url(postgres: EmbeddedPostgres) -> str:
    """The owner's address of the test database."""
    return os.environ.get("FINER_TEST_DATABASE_URL") or postgres.url


@pytest.fixture(scope="session")
def keys(database_url: str, data_path: Path) -> Keyring:
    """The keys of the test database."""
    found = Keyring(KeyFile(data_path / "master.key"))
    small = Database(database_url, API, connections=1, keys=found)
    with small.transaction(NO_TENANT, SYSTEM) as tx:
        found.establish(tx)
    small.close()
    return found


@pytest.fixture(scope="session")
def database(database_url: str, keys: Keyring) -> Iterator[Database]:
    """The test database as the API's role."""
    found = Database(database_url, API, connections=8, keys=keys)
    yield found
    found.close()


@pytest.fixture(scope="session")
def worker_database(database_url: str, keys: Keyring) -> Iterator[Database]:
    """The test database as the worker's role."""
    found = Database(database_url, WORKER, connections=4, keys=keys)
    yield found
    found.close()


@pytest.fixture(scope="module")
def app_settings(database_url: str, data_path: Path, keys: Keyring) -> Settings:
    """Settings of an API on the test database, with cheap password hashes."""
    return Settings(
        database_url=database_url, data_dir=str(data_path), argon2_memory_kib=8, argon2_iterations=1,
        database_pool_connections=4,
    )  # fmt: skip


@pytest.fixture(scope="module")
def driver(app_settings: Settings) -> Iterator[Driver]:
    """The whole API, asked without a socket."""
    with driving(create_app(app_settings)) as found:
        yield found


@pytest.fixture
def tenant() -> uuid.UUID:
    """A tenant id that nobody else uses; row-level security needs no more."""
    return uuid.uuid4()


def _rolled_back(database: Database, tenant: uuid.UUID) -> Iterator[Tx]:
    connection: sa.Connection
    with database.engine.connect() as connection:
        outer = connection.begin()
        begin_tenant(connection, tenant)
        yield Tx(connection=connection, tenant=tenant, actor=SYSTEM, clock=database.clock, keys=database.keys)
        outer.rollback()


@pytest.fixture
def tx(database: Database, tenant: uuid.UUID) -> Iterator[Tx]:
    """A transaction of `tenant` as the API's role, rolled back at the end."""
    yield from _rolled_back(database, tenant)


@pytest.fixture
def worker_tx(worker_database: Database, tenant: uuid.UUID) -> Iterator[Tx]:
    """A transaction of `tenant` as the worker's role, rolled back at the end."""
    yield from _rolled_back(worker_database, tenant)
