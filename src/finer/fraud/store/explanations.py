"""The SQL of explanations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.fraud.tables import explained, explanations
from finer.fraud.types import AlertExplanation
from finer.kit.row_sets import insert_all
from finer.kit.tx import Tx

_t = explanations.c


class ExplanationStore:
    """Explanations of one tenant's alerts."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def of(self, alerts: Sequence[uuid.UUID]) -> dict[uuid.UUID, AlertExplanation]:
        """By alert."""
        query = sa.select(_t.alert_id, _t.document).where(_t.tenant_id == self._tenant, _t.alert_id.in_(alerts))
        return {
            row.alert_id: msgspec.convert(row.document, AlertExplanation) for row in self._connection.execute(query)
        }

    def known(self, alerts: Sequence[uuid.UUID]) -> set[uuid.UUID]:
        """Those of some alerts that have one."""
        these = sa.any_(sa.literal(list(alerts), sa.ARRAY(sa.Uuid)))
        query = sa.select(_t.alert_id).where(_t.tenant_id == self._tenant, _t.alert_id == these)
        return set(self._connection.execute(query).scalars())

    def add(self, made: Iterable[tuple[uuid.UUID, str, AlertExplanation]], at: datetime) -> None:
        """Keep explanations; one that is there stays."""
        rows = [
            {"tenant_id": self._tenant, "alert_id": alert, "event_id": event, "made_at": at, "document": explanation}
            for alert, event, explanation in made
        ]
        insert_all(self._tx, explanations, rows, or_nothing=True)

    def until(self) -> datetime | None:
        """Until when all alerts are explained."""
        query = sa.select(explained.c.until).where(explained.c.tenant_id == self._tenant)
        return self._connection.execute(query).scalar_one_or_none()

    def note_until(self, until: datetime) -> None:
        """All alerts until then are explained."""
        new = insert(explained).values(tenant_id=self._tenant, until=until)
        again = new.on_conflict_do_update(index_elements=[explained.c.tenant_id], set_={"until": until})
        self._connection.execute(again)
