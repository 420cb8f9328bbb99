"""Explains every alert soon after it was raised, in `finer jobs`: beside the pipeline, which waits for nothing.

An alert is explained from what the lake keeps of its payment, which is there a second or two later. Until when all
alerts of a firm are explained is kept, so that none is forgotten when a process ends.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Raised
from finer.fraud.service import explanations
from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, NO_TENANT, Database
from finer.kit.errors import FinerError
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_log = structlog.get_logger(__name__)
_TROUBLE: tuple[type[Exception], ...] = (*DATABASE_GONE, FinerError)
_EVERY_S = 2.0
_PAGE = 10_000
_TOGETHER = 1_000
"""Alerts that are explained together: what the lake is asked for costs nearly as much for one of them."""
_OVERLAP = timedelta(minutes=1)
"""An alert may commit some time after the moment at which it was raised."""
_REST, _REST_MAX = timedelta(seconds=2), timedelta(seconds=30)
_PATIENCE = timedelta(minutes=10)
"""How long the lake may take to hold a payment; after that its alert goes without."""


class AlertExplainer:
    """One for each jobs process; several do the same work, and what is kept first stands."""

    def __init__(self, database: Database, reader: warehouse.LakeReader) -> None:
        self._database, self._reader = database, reader
        self._rests: dict[uuid.UUID, tuple[datetime, timedelta]] = {}
        """Until when a firm is left alone, because its lake is behind, and for how long it was."""

    async def run(self) -> None:
        """Until cancelled: every other second."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await asyncio.to_thread(self.tick)
            except _TROUBLE as error:
                _log.warning("alerts could not be explained; they are later", error=str(error))

    def tick(self) -> int:
        """Explain what is new at every firm; returns how many alerts were explained."""
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            firms = tenants.list_tenants(tx)
        now = self._database.clock.now()
        due = [firm for firm in firms if firm.id not in self._rests or self._rests[firm.id][0] <= now]
        return sum(self.look(firm.id, ZoneInfo(firm.timezone)) for firm in due)

    def look(self, tenant: uuid.UUID, zone: ZoneInfo) -> int:
        """Explain what is new at one firm, the latest first."""
        began = self._database.clock.now()
        until, explained = began - _OVERLAP, 0
        for page in self._pages(tenant):
            with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
                missing = explanations.unexplained(tx, [one.id for one in page])
            waiting = [one for one in page if one.id in missing]
            for first in range(0, len(waiting), _TOGETHER):
                some = waiting[first : first + _TOGETHER]
                done = self._explain(tenant, zone, some)
                explained += len(done)
                late = [one.raised_at for one in some if one.id not in done and one.raised_at > began - _PATIENCE]
                if late and not done:
                    # The lake does not hold them yet, and what is older may be as late: no use to ask for it all.
                    self._rest(tenant, began)
                    return explained
                until = min([until, *late])
        self._rests.pop(tenant, None)
        with self._database.transaction(tenant, SYSTEM) as tx:
            explanations.keep(tx, [], until)
        return explained

    def _rest(self, tenant: uuid.UUID, now: datetime) -> None:
        """Leave a firm alone for a while, each time for longer."""
        _, before = self._rests.get(tenant, (now, _REST / 2))
        rest = min(2 * before, _REST_MAX)
        self._rests[tenant] = now + rest, rest

    def _pages(self, tenant: uuid.UUID) -> Iterator[list[Raised]]:
        """The alerts since the last look, page by page."""
        before: Raised | None = None
        while True:
            with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
                page = decisions.raised_alerts(tx, explanations.explained_until(tx), before, _PAGE)
            yield page
            if len(page) < _PAGE:
                return
            before = page[-1]

    def _explain(self, tenant: uuid.UUID, zone: ZoneInfo, alerts: Sequence[Raised]) -> set[uuid.UUID]:
        times = [one.occurred_at for one in alerts]
        arguments = {"events": [one.event_id for one in alerts], "since": min(times), "until": max(times)}
        made = []
        try:
            for batch in self._reader.stream(tenant, explanations.recorded_query(), arguments):
                with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
                    found = explanations.explain(tx, batch, zone)
                made += [(one.id, one.event_id, found[one.event_id]) for one in alerts if one.event_id in found]
        except LakeEmpty:
            return set()
        with self._database.transaction(tenant, SYSTEM) as tx:
            explanations.keep(tx, made)
            if made:
                decisions.announce_alerts(tx)
        return {alert for alert, _, _ in made}
