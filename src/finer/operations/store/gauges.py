"""The SQL of what is read of the system minute by minute, and of what became of a firm's payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.tx import Tx
from finer.operations.tables import gauges, outcomes
from finer.operations.types.goals import Outcomes
from finer.operations.types.system import Gauge, Readings

_ADD = """
insert into operations_gauges as t (tenant_id, name, label, step_s, bucket, samples, total, highest)
select %(tenant)s, g.name, g.label, s.step_s,
  to_timestamp(floor(extract(epoch from %(at)s::timestamptz) / s.step_s) * s.step_s), 1, g.value, g.value
from unnest(%(names)s::text[], %(labels)s::text[], %(values)s::double precision[]) as g(name, label, value)
  cross join unnest(%(steps)s::int[]) as s(step_s)
on conflict (tenant_id, name, label, step_s, bucket) do update set samples = t.samples + 1,
  total = t.total + excluded.total, highest = greatest(t.highest, excluded.highest)
"""
_t = gauges.c


class GaugeStore:
    """What was read of one tenant's part of the system."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, at: datetime, read: Sequence[Gauge], steps: Sequence[int]) -> None:
        """Add what was read at a moment to the bucket of each step that it lies in."""
        given: dict[str, Any] = {
            "tenant": self._tenant, "at": at, "steps": list(steps), "names": [one.name for one in read],
            "labels": [one.label for one in read], "values": [one.value for one in read],
        }  # fmt: skip
        self._connection.exec_driver_sql(_ADD, given)

    def by_bucket(
        self, names: Sequence[str], step_s: int, bucket_s: int, span: tuple[datetime, datetime]
    ) -> list[Readings]:
        """Readings by name, label and bucket of time, the earliest first."""
        at = sa.func.date_bin(sa.text(f"interval '{int(bucket_s)} seconds'"), _t.bucket, sa.text("timestamptz 'epoch'"))
        query = (
            sa.select(
                _t.name, _t.label, at.label("at"), sa.func.sum(_t.samples).label("samples"),
                sa.func.sum(_t.total).label("total"), sa.func.max(_t.highest).label("highest"),
            )
            .where(
                _t.tenant_id == self._tenant, _t.name.in_(names), _t.step_s == step_s, _t.bucket >= span[0],
                _t.bucket < span[1],
            )
            .group_by(_t.name, _t.label, sa.text("at"))
            .order_by(sa.text("at"), _t.name, _t.label)
        )  # fmt: skip
        return [
            Readings(
                name=row.name, label=row.label, at=row.at, samples=int(row.samples), total=row.total,
                highest=row.highest,
            )
            for row in self._connection.execute(query)
        ]  # fmt: skip

    def forget(self, kept_since: Mapping[int, datetime]) -> int:
        """Delete the readings of each step from before a moment; returns how many rows."""
        return sum(
            self._connection.execute(
                gauges.delete().where(_t.tenant_id == self._tenant, _t.step_s == step_s, _t.bucket < since)
            ).rowcount
            for step_s, since in kept_since.items()
        )


class OutcomeStore:
    """What became of one tenant's payments, as of the last look."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def find(self) -> Outcomes | None:
        """The last look; None before the first."""
        query = sa.select(outcomes.c.document).where(outcomes.c.tenant_id == self._tenant)
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else msgspec.convert(found, Outcomes)

    def keep(self, found: Outcomes) -> None:
        """Keep a look in the place of the one before."""
        values = {"as_of": found.as_of, "document": msgspec.to_builtins(found)}
        new = insert(outcomes).values(tenant_id=self._tenant, **values)
        self._connection.execute(new.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
