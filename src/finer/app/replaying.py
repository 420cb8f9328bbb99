"""One payment decided again, found by the id of its decision, its alert or its event."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Verdict
from finer.fraud.service import replay
from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.errors import NotFound
from finer.kit.ids import read_id
from finer.kit.tx import Tx
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def replay_one(database: Database, reader: warehouse.LakeReader, tenant: uuid.UUID, identifier: str) -> replay.Replayed:
    """Decide a payment again by what decided it: `dec_...`, `alr_...`, or the id of its event.

    Raises NotFound when there is no such decision, or the lake does not hold its payment (yet).
    """
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        event, stored, period = _asked(tx, identifier)
        zone = ZoneInfo(tenants.get_tenant(tx).timezone)
    arguments = {"events": [event], "since": period[0], "until": period[1]}
    try:
        table = reader.read(tenant, replay.recorded_query(), arguments)
    except LakeEmpty:
        table = None
    if table is None or table.num_rows == 0:
        raise NotFound(f"The lake holds no decided payment {event!r}. It is there a second or two after its decision.")
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        found = replay.replay(tx, table.combine_chunks().to_batches()[0], zone)[0]
    return found if stored is None else replay.held_to(found, stored)


def _asked(tx: Tx, identifier: str) -> tuple[str, Verdict | None, tuple[datetime, datetime]]:
    if identifier.startswith("dec_"):
        decision = decisions.get_decision(tx, read_id("dec", identifier))
        return decision.event_id, decision.verdict, _EVER
    if identifier.startswith("alr_"):
        alert = decisions.get_alert(tx, read_id("alr", identifier))
        return alert.event_id, alert.verdict, (alert.occurred_at, alert.occurred_at)
    return identifier, None, _EVER
