"""What watches the quality of all firms' records in `finer jobs`: every ten seconds, contract by contract."""

from __future__ import annotations

import asyncio
import uuid

import structlog

from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, NO_TENANT, Database
from finer.kit.errors import FinerError
from finer.quality.service import watching
from finer.quality.types import STEP_S
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_TROUBLE: tuple[type[Exception], ...] = (*DATABASE_GONE, FinerError)
_SETTLED_S = 3.5
"""How long after the end of a step it is looked at: the lake is about a second behind."""


class QualityWatch:
    """One for each jobs process; several share the work, since each contract is taken by one at a time."""

    def __init__(self, database: Database, reader: warehouse.LakeReader) -> None:
        self._database, self._reader = database, reader

    async def run(self) -> None:
        """Until cancelled: a while after the end of each step, or at once when the last look took longer."""
        while True:
            await asyncio.sleep(STEP_S - (self._database.clock.now().timestamp() - _SETTLED_S) % STEP_S)
            try:
                await asyncio.to_thread(self.tick)
            except _TROUBLE as error:
                _log.warning("quality could not be watched; what was missed is looked at later", error=str(error))

    def tick(self) -> int:
        """Look at every contract of every firm; returns how many steps were observed."""
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            firms = [one.id for one in tenants.list_tenants(tx)]
        return sum(self.look(firm) for firm in firms)

    def look(self, tenant: uuid.UUID) -> int:
        """Look at every contract of a firm. What goes wrong with one keeps no other from being looked at."""
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            due = watching.contracts_to_watch(tx)
        observed = 0
        for contract in due:
            try:
                observed += self._watch(tenant, contract)
            except DATABASE_GONE:
                raise
            except Exception as error:  # noqa: BLE001 - the watch over all others must go on
                problem = error.detail if isinstance(error, FinerError) else repr(error)
                _log.warning("a contract could not be watched", tenant=str(tenant), contract=contract, error=problem)
        return observed

    def _watch(self, tenant: uuid.UUID, contract: str) -> int:
        now = self._database.clock.now()

        def act(lake: warehouse.LakeReader) -> int:
            with self._database.transaction(tenant, SYSTEM) as tx:
                return watching.watch(tx, lake, contract, now)

        return warehouse.answered(self._reader, act)
