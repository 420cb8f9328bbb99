"""The SQL of watches, monitors and observations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.quality.tables import monitors, observations, watches
from finer.quality.types import (
    HOUR_S,
    Layout,
    Monitor,
    MonitorKind,
    Observation,
    Point,
    Progress,
    Sensitivity,
    Tally,
    Usual,
    Watch,
)

# One monitor's numbers out of the rows of its contract, joined to `buckets` moments at most.
_POINTS = """
select to_timestamp(floor(extract(epoch from at) / %(bucket)s) * %(bucket)s) as at, avg(measured[%(place)s]) as value,
       avg(lows[%(place)s]) as low, avg(highs[%(place)s]) as high, bool_or(%(place)s - 1 = any(unusual)) as unusual
from quality_observations
where tenant_id = %(tenant)s and contract = %(contract)s and step_s = %(step)s and at >= %(since)s and at < %(until)s
group by 1 order by 1
"""


class WatchStore:
    """What is watched of one tenant's contracts."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def take(self, contract: str) -> Watch | None:
        """The watch of a contract for this transaction alone, made when there is none; None when another has it."""
        found = self._locked(contract)
        if found is None and self.find(contract) is None:
            new = insert(watches).values(
                tenant_id=self._tenant, contract=contract, layout={}, usual={}, progress={}, first_at=self._tx.now()
            )
            self._connection.execute(new.on_conflict_do_nothing())
            found = self._locked(contract)
        return found

    def _locked(self, contract: str) -> Watch | None:
        query = sa.select(watches).where(self._of(watches), watches.c.contract == contract)
        row = self._connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
        return None if row is None else _watch(row)

    def find(self, contract: str, *, lock: bool = False) -> Watch | None:
        """The watch of a contract; with `lock`, nobody else changes it in this transaction."""
        query = sa.select(watches).where(self._of(watches), watches.c.contract == contract)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _watch(row)

    def all(self) -> dict[str, Watch]:
        """Every watch by contract."""
        query = sa.select(watches).where(self._of(watches)).order_by(watches.c.contract)
        return {row.contract: _watch(row) for row in self._connection.execute(query)}

    def keep(self, watch: Watch, *, learned: bool = False) -> None:
        """Keep where a watch stands; with `learned`, also what is counted and what is usual."""
        values: dict[str, Any] = {"progress": msgspec.to_builtins(watch.progress, str_keys=True)}
        if learned:
            values |= {"layout": msgspec.to_builtins(watch.layout), "usual": msgspec.to_builtins(watch.usual)}
        chosen = sa.and_(self._of(watches), watches.c.contract == watch.contract)
        self._connection.execute(watches.update().where(chosen).values(**values))

    def monitors(self, contract: str | None = None) -> list[Monitor]:
        """The monitors of a contract, or of all, by place."""
        query = sa.select(monitors).where(self._of(monitors))
        if contract is not None:
            query = query.where(monitors.c.contract == contract)
        rows = self._connection.execute(query.order_by(monitors.c.contract, monitors.c.place))
        return [_monitor(row) for row in rows]

    def monitor(self, identifier: uuid.UUID) -> Monitor | None:
        """One monitor."""
        query = sa.select(monitors).where(self._of(monitors), monitors.c.id == identifier)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _monitor(row)

    def add_monitors(self, contract: str, first_place: int, wanted: Sequence[tuple[MonitorKind, str]]) -> None:
        """New monitors at the places from `first_place` on."""
        rows = [
            {"tenant_id": self._tenant, "id": new_id(), "contract": contract, "kind": kind, "field": field,
             "place": first_place + index}
            for index, (kind, field) in enumerate(wanted)
        ]  # fmt: skip
        if rows:
            self._connection.execute(monitors.insert(), rows)

    def change_monitor(self, identifier: uuid.UUID, version: int, values: Mapping[str, Any]) -> bool:
        """Other settings in the place of `version`; False when somebody else changed it first."""
        chosen = sa.and_(self._of(monitors), monitors.c.id == identifier, monitors.c.version == version)
        changed = monitors.update().where(chosen).values(version=version + 1, **values)
        return self._connection.execute(changed).rowcount == 1

    def relearn(self, places: Sequence[int], contract: str, since: datetime, at: datetime) -> None:
        """What was observed from `since` to `at` is usual for these monitors."""
        chosen = sa.and_(self._of(monitors), monitors.c.contract == contract, monitors.c.place.in_(places))
        self._connection.execute(monitors.update().where(chosen).values(relearn_from=since, relearned_at=at))

    def add(self, contract: str, step_s: int, new: Sequence[Observation]) -> None:
        """Keep observations; one that is there already is replaced."""
        rows = [
            {
                "tenant_id": self._tenant, "contract": contract, "step_s": step_s, "at": one.tally.at,
                "layout": one.tally.layout, "received": one.tally.received, "quarantined": one.tally.quarantined,
                "processed": one.tally.processed, "duplicates": one.tally.duplicates, "rows": one.tally.rows,
                "delay_s": one.tally.delay_s, "nulls": list(one.tally.nulls), "bins": list(one.tally.bins),
                "measured": list(one.values), "lows": list(one.lows), "highs": list(one.highs),
                "spreads": list(one.spreads), "unusual": list(one.unusual),
            }
            for one in new
        ]  # fmt: skip
        if not rows:
            return
        statement = insert(observations)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
        self._connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed), rows)

    def observed(self, contract: str, step_s: int, since: datetime, until: datetime, limit: int) -> list[Observation]:
        """The latest observations of a span, at most `limit`, oldest first."""
        c = observations.c
        query = (
            sa.select(observations)
            .where(self._of(observations), c.contract == contract, c.step_s == step_s, c.at >= since, c.at < until)
            .order_by(c.at.desc())
            .limit(limit)
        )
        return [_observation(row) for row in reversed(self._connection.execute(query).all())]

    def same_hours(self, contract: str, since: datetime, now: datetime) -> list[Observation]:
        """The observations of whole hours that are the same hour of the day (UTC) as `now`, oldest first."""
        c = observations.c
        hour = sa.extract("hour", sa.func.timezone("UTC", c.at))
        query = sa.select(observations).where(
            self._of(observations), c.contract == contract, c.step_s == HOUR_S, c.at >= since, hour == now.hour
        )
        return [_observation(row) for row in self._connection.execute(query.order_by(c.at))]

    def by_hour(self, contract: str, since: datetime) -> list[tuple[datetime, int]]:
        """How many records came in each hour that was observed, oldest first."""
        c = observations.c
        query = sa.select(c.at, sa.func.greatest(c.received, c.rows)).where(
            self._of(observations), c.contract == contract, c.step_s == HOUR_S, c.at >= since
        )
        return [(row[0], row[1]) for row in self._connection.execute(query.order_by(c.at))]

    def points(self, monitor: Monitor, step_s: int, span: tuple[datetime, datetime], bucket_s: int) -> list[Point]:
        """What a monitor saw in a span, averaged over buckets of time."""
        given = {
            "tenant": self._tenant, "contract": monitor.contract, "place": monitor.place + 1, "step": step_s,
            "since": span[0], "until": span[1], "bucket": bucket_s,
        }  # fmt: skip
        rows = self._connection.exec_driver_sql(_POINTS, given)
        return [
            Point(at=row.at, value=row.value, low=row.low, high=row.high, unusual=bool(row.unusual)) for row in rows
        ]

    def forget(self, step_s: int, before: datetime) -> int:
        """Delete observations of a length from before a moment."""
        c = observations.c
        gone = observations.delete().where(self._of(observations), c.step_s == step_s, c.at < before)
        return self._connection.execute(gone).rowcount

    def impossible(self) -> list[Any]:
        """Observations that refuse or see again more than came: (contract, at)."""
        c = observations.c
        wrong = sa.or_(c.quarantined > c.received, c.duplicates > c.processed, c.rows < 0)
        query = sa.select(c.contract, c.at).where(self._of(observations), wrong).limit(20)
        return list(self._connection.execute(query))

    def _of(self, table: sa.Table) -> sa.ColumnElement[bool]:
        found: sa.ColumnElement[bool] = table.c.tenant_id == self._tenant
        return found


_KEY = ["tenant_id", "contract", "step_s", "at"]


def _watch(row: sa.Row[Any]) -> Watch:
    return Watch(
        contract=row.contract,
        first_at=row.first_at,
        layout=msgspec.convert(row.layout, Layout),
        usual=msgspec.convert(row.usual, Usual),
        progress=msgspec.convert(row.progress, Progress, strict=False),
    )


def _monitor(row: sa.Row[Any]) -> Monitor:
    values = dict(row._mapping)
    values.pop("tenant_id")
    return Monitor(**values | {"kind": MonitorKind(row.kind), "sensitivity": Sensitivity(row.sensitivity)})


def _observation(row: sa.Row[Any]) -> Observation:
    return Observation(
        tally=Tally(
            at=row.at, layout=row.layout, received=row.received, quarantined=row.quarantined,
            processed=row.processed, duplicates=row.duplicates, rows=row.rows, delay_s=row.delay_s,
            nulls=tuple(row.nulls), bins=tuple(row.bins),
        ),
        values=tuple(row.measured), lows=tuple(row.lows), highs=tuple(row.highs), spreads=tuple(row.spreads),
        unusual=tuple(row.unusual),
    )  # fmt: skip
