"""The contracts of every firm, as one process knows them: read once, and again when one has another version."""

from __future__ import annotations

import asyncio
import time
import uuid

from finer.ingest.service import contracts
from finer.ingest.types.contracts import FirmContracts
from finer.kit.actors import SYSTEM
from finer.kit.db import Database

_REFRESH_S = 60.0  # in case a notification got lost


class Registry:
    """Contracts by firm. Safe to use from several threads; no record costs a query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[uuid.UUID, tuple[float, FirmContracts]] = {}
        self._changes = 0

    def of(self, tenant: uuid.UUID) -> FirmContracts:
        """The contracts of a firm, read when they are new, changed or old."""
        found = self._fresh(tenant)
        return self._read(tenant) if found is None else found

    async def soon(self, tenant: uuid.UUID) -> FirmContracts:
        """As `of`, on the event loop: only what has to be read is waited for."""
        found = self._fresh(tenant)
        return await asyncio.to_thread(self._read, tenant) if found is None else found

    def notified(self, payload: str) -> None:
        """A firm has another version of a contract; an empty payload means that anything may have changed."""
        self._changes += 1
        if payload:
            self._known.pop(uuid.UUID(payload), None)
        else:
            self._known.clear()

    def _fresh(self, tenant: uuid.UUID) -> FirmContracts | None:
        known = self._known.get(tenant)
        return known[1] if known is not None and time.monotonic() - known[0] < _REFRESH_S else None

    def _read(self, tenant: uuid.UUID) -> FirmContracts:
        changes, now = self._changes, time.monotonic()
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            found = contracts.load(tx)
        if changes == self._changes:
            # A change that was told while this was read may be missing in it.
            self._known[tenant] = now, found
        return found
