"""Alerts on metrics, what became of them, and when nobody is told."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.dashboards.tables import alerts, happenings, silences
from finer.dashboards.types import AlertState, Happening, MetricAlert, Silence
from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.ids import new_id
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.workspace.types import Watch, WatchState

_CONTENT = "dashboards_alerts.content_sealed"
_REASON = "dashboards_silences.reason_sealed"


class AlertStore:
    """The alerts on metrics of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def one_at_once(self, owner: uuid.UUID) -> None:
        """Wait until no other request of somebody adds here, and let others wait until this transaction ends."""
        one_at_once(self._connection, "metric-alerts", self._tenant, owner)

    def add(self, identifier: uuid.UUID, alert: MetricAlert, owner: uuid.UUID) -> None:
        """A new alert."""
        self._connection.execute(
            alerts.insert().values(
                tenant_id=self._tenant, id=identifier, owner_id=owner, version=1,
                watch=msgspec.to_builtins(Watch()), **self._facts(identifier, alert),
            )
        )  # fmt: skip

    def change(self, identifier: uuid.UUID, version: int, alert: MetricAlert, watch: Watch, *, anew: bool) -> bool:
        """Another one in the place of `version`, looked at `anew` perhaps; False when somebody changed it first."""
        fresh = {"value": None, "looked_at": None, "problem": ""} if anew else {}
        return self._update(
            alerts.c.version == version, identifier, version=version + 1, watch=msgspec.to_builtins(watch),
            **fresh, **self._facts(identifier, alert),
        )  # fmt: skip

    def note(self, identifier: uuid.UUID, watch: Watch, value: float | None, problem: str = "") -> None:
        """Note how it stands after a look."""
        seen = {"watch": msgspec.to_builtins(watch), "value": value, "looked_at": self._tx.now(), "problem": problem}
        self._update(sa.true(), identifier, **seen)

    def hold_up(self, identifier: uuid.UUID, problem: str) -> None:
        """Note why it could not be looked at; how it stands, and when it was last seen, stay."""
        self._update(sa.true(), identifier, problem=problem)

    def pause(self, identifier: uuid.UUID, problem: str) -> None:
        """Look no more, and say why."""
        self._update(sa.true(), identifier, active=False, problem=problem)

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete an alert with its history and silences."""
        c = alerts.c
        self._connection.execute(alerts.delete().where(c.tenant_id == self._tenant, c.id == identifier))

    def find(
        self,
        *,
        owner: uuid.UUID | None = None,
        identifier: uuid.UUID | None = None,
        active: bool = False,
        hold: bool = False,
    ) -> list[AlertState]:
        """Alerts by owner, id, or those that are looked at; by name. With `hold` nobody changes them meanwhile."""
        c = alerts.c
        query = sa.select(alerts).where(c.tenant_id == self._tenant)
        if owner is not None:
            query = query.where(c.owner_id == owner)
        if identifier is not None:
            query = query.where(c.id == identifier)
        if active:
            query = query.where(c.active)
        if hold:
            query = query.order_by(c.id).with_for_update()
        rows = self._connection.execute(query).all()
        texts = unseal_all(self._tx, _CONTENT, [(row.id, bytes(row.content_sealed)) for row in rows])
        found = [_alert(row, text) for row, text in zip(rows, texts, strict=True) if text is not None]
        return sorted(found, key=lambda one: (one.alert.name.casefold(), one.id))

    def happened(self, alert: uuid.UUID, what: Happening) -> None:
        """Keep a change of an alert's state."""
        self._connection.execute(
            happenings.insert().values(
                tenant_id=self._tenant, id=new_id(), alert_id=alert, at=what.at, state=what.state, value=what.value,
                reason=what.reason, told=what.told,
            )
        )  # fmt: skip

    def history(self, alert: uuid.UUID, limit: int) -> list[Happening]:
        """What became of an alert, the latest first."""
        c = happenings.c
        query = sa.select(happenings).where(c.tenant_id == self._tenant, c.alert_id == alert)
        return [
            Happening(at=row.at, state=WatchState(row.state), value=row.value, reason=row.reason, told=row.told)
            for row in self._connection.execute(query.order_by(c.at.desc(), c.id.desc()).limit(limit))
        ]

    def forget(self, before: datetime) -> int:
        """Delete what happened, and silences that ended, before a moment."""
        c, s = happenings.c, silences.c
        gone = self._connection.execute(happenings.delete().where(c.tenant_id == self._tenant, c.at < before)).rowcount
        over = self._connection.execute(silences.delete().where(s.tenant_id == self._tenant, s.until < before)).rowcount
        return gone + over

    def silence(self, owner: uuid.UUID, silence: Silence) -> None:
        """Keep a silence."""
        self._connection.execute(
            silences.insert().values(
                tenant_id=self._tenant, id=silence.id, owner_id=owner, alert_id=silence.alert_id,
                grouped=silence.group, until=silence.until,
                reason_sealed=seal(self._tx, _REASON, silence.id, silence.reason),
            )
        )  # fmt: skip

    def end_silence(self, owner: uuid.UUID, identifier: uuid.UUID) -> bool:
        """End a silence of somebody; False when they have none of this id."""
        s = silences.c
        done = silences.delete().where(s.tenant_id == self._tenant, s.owner_id == owner, s.id == identifier)
        return self._connection.execute(done).rowcount == 1

    def silences(self, owner: uuid.UUID) -> list[Silence]:
        """The silences of somebody that are not over, the first to end first."""
        s = silences.c
        query = sa.select(silences).where(s.tenant_id == self._tenant, s.owner_id == owner, s.until > self._tx.now())
        rows = self._connection.execute(query.order_by(s.until, s.id)).all()
        texts = unseal_all(self._tx, _REASON, [(row.id, bytes(row.reason_sealed)) for row in rows])
        return [
            Silence(id=row.id, alert_id=row.alert_id, group=row.grouped, until=row.until, reason=text or "")
            for row, text in zip(rows, texts, strict=True)
        ]

    def _update(self, when: sa.ColumnElement[bool], identifier: uuid.UUID, **values: Any) -> bool:
        mine = (alerts.c.tenant_id == self._tenant) & (alerts.c.id == identifier) & when
        return self._connection.execute(alerts.update().where(mine).values(**values)).rowcount == 1

    def _facts(self, identifier: uuid.UUID, alert: MetricAlert) -> dict[str, Any]:
        content = msgspec.json.encode(alert).decode()
        return {"active": alert.active, "content_sealed": seal(self._tx, _CONTENT, identifier, content)}


def _alert(row: Any, text: str) -> AlertState:
    alert = msgspec.json.decode(text, type=MetricAlert)
    return AlertState(
        id=row.id, alert=msgspec.structs.replace(alert, active=row.active), owner_id=row.owner_id,
        version=row.version, watch=msgspec.convert(row.watch, Watch), value=row.value, looked_at=row.looked_at,
        problem=row.problem,
    )  # fmt: skip
