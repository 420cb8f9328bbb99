"""What puts new alerts into cases, in `finer jobs`: a moment after they were raised, and what was missed every minute.

It works beside the pipeline and not in it: a payment waits for no case.
"""

from __future__ import annotations

import asyncio
import threading
import uuid

import structlog

from finer.decisions.service import grouping
from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, NO_TENANT, Database
from finer.kit.errors import FinerError

_log = structlog.get_logger(__name__)
_TROUBLE: tuple[type[Exception], ...] = (*DATABASE_GONE, FinerError)
_BREATH_S = 0.3
"""How long alerts are waited for that belong together."""
_LOOK_ANYWAY_S = 60.0


class CaseKeeper:
    """One for each jobs process; of several, one at a time groups the alerts of a firm."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._marked: set[uuid.UUID] = set()
        self._lock = threading.Lock()

    def mark(self, payload: str) -> None:
        """Alerts of this firm are new or changed; an empty payload says to look everywhere. For a listener's thread."""
        if payload:
            with self._lock:
                self._marked.add(uuid.UUID(payload))
        else:
            self.look_everywhere()

    async def run(self) -> None:
        """Until cancelled."""
        waited = _LOOK_ANYWAY_S
        while True:
            try:
                if waited >= _LOOK_ANYWAY_S:
                    await asyncio.to_thread(self.look_everywhere)
                    waited = 0.0
                await asyncio.to_thread(self.work_off)
            except _TROUBLE as error:
                _log.warning("alerts could not be put into cases; it is tried again", error=str(error))
            await asyncio.sleep(_BREATH_S)
            waited += _BREATH_S

    def look_everywhere(self) -> None:
        """Mark every firm."""
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            firms = {one.id for one in tenants.list_tenants(tx)}
        with self._lock:
            self._marked |= firms

    def work_off(self) -> int:
        """Group the alerts of the firms that were marked; returns how many alerts."""
        with self._lock:
            firms, self._marked = self._marked, set()
        return sum(self._group_whatever(firm) for firm in sorted(firms))

    def group(self, tenant: uuid.UUID) -> int:
        """Put every alert of a firm into its case, a bounded number in one transaction."""
        total = 0
        while True:
            with self._database.transaction(tenant, SYSTEM) as tx:
                done = grouping.group_alerts(tx)
            total += done
            if done < grouping.AT_ONCE:
                return total

    def _group_whatever(self, tenant: uuid.UUID) -> int:
        try:
            return self.group(tenant)
        except DATABASE_GONE:
            raise
        except Exception as error:  # noqa: BLE001 - the alerts of all other firms must find their cases
            problem = error.detail if isinstance(error, FinerError) else repr(error)
            _log.warning("alerts of a firm could not be put into cases", tenant=str(tenant), error=problem)
            return 0
