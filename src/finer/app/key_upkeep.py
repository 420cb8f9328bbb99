"""Replacing keys under load: in small transactions with pauses, from the command line and every hour."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from finer.kit.actors import SYSTEM
from finer.kit.crypto.fields import keyring
from finer.kit.crypto.keyring import rewrap, rewrap_installation
from finer.kit.crypto.rotation import (
    SETTLED,
    SealedTable,
    drop_superseded,
    is_superseded,
    key_counts,
    reseal,
    sealed_tables,
    supersede,
    waiting,
)
from finer.kit.db import NO_TENANT, Database

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)
BATCH = 1_000
_SHARE = 2 / 3
"""The share of time that a rotation may keep the database busy; the rest belongs to those who are served."""


@dataclass(frozen=True)
class KeyStatus:
    """The keys of one firm, and the rows that wait for a newer one."""

    firm_keys: int
    person_keys: int
    superseded: int
    oldest: datetime | None
    rows_waiting: int


def status(database: Database, tenant: uuid.UUID) -> KeyStatus:
    """How the keys of a firm stand."""
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        found = key_counts(tx)
        rows = sum(waiting(tx, sealed) for sealed in sealed_tables()) if found.superseded else 0
        return KeyStatus(found.firm, found.people, found.superseded, found.oldest, rows)


def rotate(
    database: Database, tenant: uuid.UUID, before: datetime, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Replace the keys of a firm that were made before then, and seal all their rows again; returns the rows.

    Stopped and called again with the same moment, it goes on where it was.
    """
    while _paced(lambda: _supersede(database, tenant, before)):
        pass
    return _reseal(database, tenant, progress)


def rotate_master(database: Database, tenants: Sequence[uuid.UUID]) -> int:
    """Make a new master key and wrap every data key with it; returns how many were wrapped.

    The old master key stays for an hour, for processes that have not noticed yet; `keep` retires it.
    """
    with database.transaction(NO_TENANT, SYSTEM) as tx:
        keyring(tx).service.rotate()
    return _rewrap(database, tenants)


def keep(database: Database, tenants: Sequence[uuid.UUID], data_key_days: int) -> None:
    """What is done every hour: keys of age replaced, interrupted rotations finished, keys of no use deleted."""
    for tenant in (NO_TENANT, *tenants):
        before = database.clock.now() - timedelta(days=data_key_days)
        rows = rotate(database, tenant, before)
        with database.transaction(tenant, SYSTEM) as tx:
            dropped = drop_superseded(tx) if is_superseded(tx) else 0
        if rows or dropped:
            _log.info("keys kept", tenant=str(tenant), rows_sealed=rows, keys_dropped=dropped)
    with database.transaction(NO_TENANT, SYSTEM) as tx:
        service = keyring(tx).service
    rotated_at = service.rotated_at()
    if rotated_at is not None and not _rewrap(database, tenants) and rotated_at < database.clock.now() - SETTLED:
        service.retire()


def _supersede(database: Database, tenant: uuid.UUID, before: datetime) -> int:
    with database.transaction(tenant, SYSTEM) as tx:
        return supersede(tx, before, BATCH)


def _reseal(database: Database, tenant: uuid.UUID, progress: Callable[[int], None]) -> int:
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        if not is_superseded(tx):
            return 0
    return sum(_reseal_table(database, tenant, sealed, progress) for sealed in sealed_tables())


def _reseal_table(database: Database, tenant: uuid.UUID, sealed: SealedTable, progress: Callable[[int], None]) -> int:
    done = 0
    after: tuple[object, ...] | None = None
    while True:

        def batch(start: tuple[object, ...] | None = after) -> tuple[tuple[object, ...] | None, int]:
            with database.transaction(tenant, SYSTEM) as tx:
                return reseal(tx, sealed, start, BATCH)

        after, rows = _paced(batch)
        done += rows
        progress(rows)
        if after is None:
            return done


def _rewrap(database: Database, tenants: Sequence[uuid.UUID]) -> int:
    moved = 0
    for tenant in (NO_TENANT, *tenants):  # the installation seals too: what signs access tokens is nobody's
        after: uuid.UUID | None = None
        while True:
            with database.transaction(tenant, SYSTEM) as tx:
                after, count = rewrap(keyring(tx), tx, after, BATCH)
            moved += count
            if after is None:
                break
    with database.transaction(NO_TENANT, SYSTEM) as tx:
        rewrap_installation(keyring(tx), tx)
    return moved


def _paced(step: Callable[[], _T]) -> _T:
    started = time.monotonic()
    found = step()
    time.sleep((time.monotonic() - started) * (1 / _SHARE - 1))
    return found
