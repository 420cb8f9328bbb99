"""Security alerts, their entries, and what ends an access at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.tables.audit import security_alert_entries, security_alerts
from finer.identity.tables.core import api_keys, sessions
from finer.identity.types.security_alerts import SecurityAlert, SecurityState
from finer.kit.cursors import Cursor
from finer.kit.tx import Tx

_FIELDS = SecurityAlert.__struct_fields__


class SecurityStore:
    """Security alerts of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant
        self._mine = security_alerts.c.tenant_id == tx.tenant

    def latest(self, rule: str, subject: str) -> SecurityAlert | None:
        """The latest alert of a rule about a subject, locked; whatever its state."""
        c = security_alerts.c
        query = sa.select(security_alerts).where(self._mine, c.rule == rule, c.subject == subject)
        query = query.order_by((c.state == SecurityState.CLOSED).asc(), c.last_at.desc()).limit(1).with_for_update()
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _alert(row)

    def add(self, alert: SecurityAlert) -> None:
        """A new alert."""
        values = {name: getattr(alert, name) for name in _FIELDS}
        self._connection.execute(security_alerts.insert().values(tenant_id=self._tenant, **values))

    def join(self, alert: uuid.UUID, reasons: Sequence[str], last_at: datetime) -> None:
        """One more hit of an alert that is not closed."""
        c = security_alerts.c
        changes = security_alerts.update().where(self._mine, c.id == alert)
        self._connection.execute(
            changes.values(reasons=list(reasons), last_at=sa.func.greatest(c.last_at, last_at), hits=c.hits + 1)
        )

    def link(self, alert: uuid.UUID, entries: Sequence[uuid.UUID], most: int) -> None:
        """Link entries of the trail to an alert, as long as it has fewer than `most`."""
        c = security_alert_entries.c
        counted = sa.select(sa.func.count()).where(c.tenant_id == self._tenant, c.alert_id == alert)
        room = most - int(self._connection.execute(counted).scalar_one())
        rows = [{"tenant_id": self._tenant, "alert_id": alert, "entry_id": entry} for entry in entries[: max(0, room)]]
        if rows:
            self._connection.execute(insert(security_alert_entries).on_conflict_do_nothing(), rows)

    def entries(self, alert: uuid.UUID) -> list[uuid.UUID]:
        """The linked entries."""
        c = security_alert_entries.c
        query = sa.select(c.entry_id).where(c.tenant_id == self._tenant, c.alert_id == alert)
        return list(self._connection.scalars(query))

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> SecurityAlert | None:
        """One alert."""
        query = sa.select(security_alerts).where(self._mine, security_alerts.c.id == identifier)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _alert(row)

    def page(
        self,
        states: Sequence[SecurityState],
        rule: str | None,
        subject: str | None,
        limit: int,
        before: Cursor | None,
    ) -> list[SecurityAlert]:
        """Alerts, the latest first."""
        c = security_alerts.c
        query = sa.select(security_alerts).where(self._mine)
        if states:
            query = query.where(c.state.in_(states))
        if rule is not None:
            query = query.where(c.rule == rule)
        if subject is not None:
            query = query.where(c.subject == subject)
        if before is not None:
            query = query.where(sa.tuple_(c.last_at, c.id) < sa.tuple_(sa.literal(before.at), sa.literal(before.id)))
        query = query.order_by(c.last_at.desc(), c.id.desc()).limit(limit)
        return [_alert(row) for row in self._connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """How many alerts there are in each state."""
        c = security_alerts.c
        query = sa.select(c.state, sa.func.count()).where(self._mine).group_by(c.state)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def change(self, alert: SecurityAlert) -> None:
        """Keep what a person said of an alert."""
        names = ("state", "assignee_id", "note", "changed_by", "changed_at", "version")
        values = {name: getattr(alert, name) for name in names}
        self._connection.execute(
            security_alerts.update().where(self._mine, security_alerts.c.id == alert.id).values(**values)
        )

    def end_sessions(self, user: uuid.UUID, now: datetime) -> int:
        """End every session of a person; returns how many there were."""
        c = sessions.c
        mine = (c.tenant_id == self._tenant) & (c.user_id == user) & c.revoked_at.is_(None)
        return self._connection.execute(sessions.update().where(mine).values(revoked_at=now)).rowcount

    def revoke_key(self, key: uuid.UUID, now: datetime) -> bool:
        """End an API key; False when there is none that still works."""
        c = api_keys.c
        mine = (c.tenant_id == self._tenant) & (c.id == key) & c.revoked_at.is_(None)
        return self._connection.execute(api_keys.update().where(mine).values(revoked_at=now)).rowcount == 1


def _alert(row: sa.Row[Any]) -> SecurityAlert:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return SecurityAlert(**fields | {"state": SecurityState(row.state)})
