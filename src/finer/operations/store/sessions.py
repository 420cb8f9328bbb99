"""The SQL of sessions by hour, region and channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.kit.tx import Tx
from finer.operations.tables import sessions
from finer.operations.types.sums import Filter
from finer.operations.types.visits import Visits, VisitsHere

_t = sessions.c
_COUNTS = ("sessions", "viewed", "added", "checked_out", "purchased", "single", "seconds")


class SessionStore:
    """Sessions of one tenant's customers."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def replace(self, since: datetime, until: datetime, found: Sequence[VisitsHere]) -> None:
        """Keep what was found of the hours from `since` on, before `until`, in the place of what was known of them."""
        known = (_t.tenant_id == self._tenant, _t.bucket >= since, _t.bucket < until)
        self._connection.execute(sessions.delete().where(*known))
        rows = [
            {"tenant_id": self._tenant, "bucket": one.bucket, "region": one.region, "channel": one.channel}
            | {name: getattr(one, name) for name in _COUNTS}
            for one in found
        ]
        if rows:
            self._connection.execute(sessions.insert(), rows)

    def forget(self, before: datetime) -> int:
        """Delete hours from before a moment; returns how many rows."""
        gone = sessions.delete().where(_t.tenant_id == self._tenant, _t.bucket < before)
        return self._connection.execute(gone).rowcount

    def by_bucket(self, bucket_s: int, span: tuple[datetime, datetime], chosen: Filter) -> list[Visits]:
        """Sessions by the bucket of time in which they began, a multiple of an hour; the earliest first."""
        at = sa.func.date_bin(sa.text(f"interval '{int(bucket_s)} seconds'"), _t.bucket, sa.text("timestamptz 'epoch'"))
        query = self._sums(at.label("at"), span, chosen).order_by(sa.text("at"))
        return [_visits(row, at=row.at) for row in self._connection.execute(query)]

    def by_label(self, dimension: str, span: tuple[datetime, datetime], chosen: Filter) -> list[Visits]:
        """Sessions by region or channel."""
        query = self._sums(_t[dimension].label("label"), span, chosen)
        return [_visits(row, label=row.label) for row in self._connection.execute(query)]

    def _sums(self, by: sa.ColumnElement[Any], span: tuple[datetime, datetime], chosen: Filter) -> sa.Select[Any]:
        query = sa.select(by, *(sa.func.sum(_t[name]).label(name) for name in _COUNTS)).where(
            _t.tenant_id == self._tenant, _t.bucket >= span[0], _t.bucket < span[1]
        )
        if chosen.region is not None:
            query = query.where(_t.region == chosen.region)
        if chosen.channel is not None:
            query = query.where(_t.channel == chosen.channel)
        return query.group_by(by)


def _visits(row: Any, *, at: datetime | None = None, label: str = "") -> Visits:
    return Visits(at=at, label=label, **{name: int(getattr(row, name)) for name in _COUNTS})
