"""The SQL of sums by minute, hour and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from finer.kit.tx import Tx
from finer.operations.tables import rollups, values
from finer.operations.types.sums import DAY_S, HOUR_S, MINUTE_S, OTHER, SUMMED, Filter, Grain, Groups, Sums


def _known(name: str) -> str:
    return f"""case when u.{name} = '' or exists (select from operations_values as k where k.tenant_id = %(tenant)s
    and (k.contract, k.dimension, k.value) = (%(contract)s, '{name}', u.{name})) then u.{name} else %(other)s end"""


_BEGIN = """
insert into operations_beginnings (tenant_id, contract, partition, from_offset)
values (%(tenant)s, %(contract)s, %(partition)s, %(offset)s) on conflict do nothing
"""
_FROM_THE_FIRST = "(tenant_id, contract, partition) do update set from_offset = excluded.from_offset"
_BROUGHT = """
unnest(%(minutes)s::int[], %(grains)s::text[], %(kinds)s::text[], %(statuses)s::text[], %(currencies)s::text[],
    %(regions)s::text[], %(channels)s::text[], %(products)s::text[], %(records)s::bigint[], %(quantities)s::bigint[],
    %(amounts)s::numeric[], %(costed)s::bigint[], %(costed_amounts)s::numeric[], %(costs)s::numeric[])
    as u(minute, grain, kind, status, currency, region, channel, product, records, quantity, amount, costed,
      costed_amount, cost)
"""
# Values that have not been met before, as long as there is room for more. An empty one needs no row.
_MEET = """
with met as (
  select dimension, value, row_number() over (partition by dimension) as place
  from unnest(%(dimensions)s::text[], %(values)s::text[]) as v(dimension, value)
  where not exists (select from operations_values as k where k.tenant_id = %(tenant)s
    and (k.contract, k.dimension, k.value) = (%(contract)s, v.dimension, v.value)))
insert into operations_values (tenant_id, contract, dimension, value)
select %(tenant)s, %(contract)s, dimension, value
from met join unnest(%(all)s::text[], %(rooms)s::int[]) as r(dimension, room) using (dimension)
where place <= room - (select count(*) from operations_values as k where k.tenant_id = %(tenant)s
  and k.contract = %(contract)s and k.dimension = met.dimension)
on conflict do nothing
"""
_ADD = f"""
insert into operations_rollups as t (tenant_id, contract, grain, step_s, bucket, kind, status, currency, region,
  channel, product, records, quantity, amount_minor, costed, costed_minor, cost_minor)
select %(tenant)s, %(contract)s, u.grain, s.step_s, to_timestamp(u.minute::bigint * 60 / s.step_s * s.step_s), u.kind,
  u.status, u.currency, {_known("region")}, {_known("channel")}, {_known("product")},
  sum(u.records), sum(u.quantity), sum(u.amount), sum(u.costed), sum(u.costed_amount), sum(u.cost)
from {_BROUGHT} join unnest(%(steps)s::int[], %(since)s::timestamptz[]) as s(step_s, since)
  on to_timestamp(u.minute::bigint * 60) >= s.since and (u.grain = 'place' or s.step_s > {MINUTE_S})
group by 3, 4, 5, 6, 7, 8, 9, 10, 11 order by 3, 4, 5, 6, 7, 8, 9, 10, 11
on conflict (tenant_id, contract, grain, step_s, bucket, kind, status, currency, region, channel, product)
do update set records = t.records + excluded.records, quantity = t.quantity + excluded.quantity,
  amount_minor = t.amount_minor + excluded.amount_minor, costed = t.costed + excluded.costed,
  costed_minor = t.costed_minor + excluded.costed_minor, cost_minor = t.cost_minor + excluded.cost_minor
"""  # noqa: S608 - nothing but our own text
# A day is its hours and an hour its minutes, where both are kept from the first to the last; and the same by product.
_UNEQUAL = """
with sums as (
  select contract, grain, step_s, kind, status, currency,
    date_bin(%(coarse)s * interval '1 second', bucket, 'epoch') as at,
    array[sum(records), sum(quantity), sum(amount_minor), sum(costed), sum(costed_minor), sum(cost_minor)] as summed
  from operations_rollups where tenant_id = %(tenant)s and bucket >= %(since)s
    and ((step_s = %(fine)s and grain = %(fine_grain)s) or (step_s = %(coarse)s and grain = 'place'))
  group by 1, 2, 3, 4, 5, 6, 7)
select contract, at, kind from sums group by contract, at, kind, status, currency
having count(*) <> 2 or min(summed) <> max(summed)
order by 1, 2, 3 limit 20
"""
_ROOMS = {"region": 250, "channel": 50, "product": 20_000}
_t = rollups.c


class RollupStore:
    """Sums of one tenant's records."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, contract: str, groups: Groups, kept_since: Mapping[int, datetime]) -> None:
        """Add to the sums. `kept_since` says by length from when on: what happened before is not added to those."""
        met = {
            "region": set(groups.regions) - {""}, "channel": set(groups.channels) - {""},
            "product": set(groups.products) - {""},
        }  # fmt: skip
        values = [(dimension, value) for dimension, found in met.items() for value in sorted(found)]
        given: dict[str, Any] = {
            "tenant": self._tenant, "contract": contract, "other": OTHER, "all": list(_ROOMS),
            "rooms": list(_ROOMS.values()), "dimensions": [dimension for dimension, _ in values],
            "values": [value for _, value in values], "steps": list(kept_since), "since": list(kept_since.values()),
        }  # fmt: skip
        given |= {name: list(getattr(groups, name)) for name in Groups.__struct_fields__}
        for name in ("minutes", *SUMMED):
            # As text: a list of numbers is looked through for the smallest type that holds them all.
            given[name] = "{" + ",".join(map(str, given[name])) + "}"
        self._connection.exec_driver_sql(_MEET, given)
        self._connection.exec_driver_sql(_ADD, given)

    def begin(self, contract: str, partition: int, offset: int) -> None:
        """Note that records of a contract are summed up from an offset on, if that was not noted before."""
        given = {"tenant": self._tenant, "contract": contract, "partition": partition, "offset": offset}
        self._connection.exec_driver_sql(_BEGIN, given)

    def begin_anew(self, contract: str, partition: int) -> None:
        """Note that records of a contract are summed up from the first one on."""
        given = {"tenant": self._tenant, "contract": contract, "partition": partition, "offset": 0}
        self._connection.exec_driver_sql(_BEGIN.replace("do nothing", _FROM_THE_FIRST), given)

    def clear(self, contract: str) -> None:
        """Delete all sums of a contract."""
        self._connection.execute(rollups.delete().where(_t.tenant_id == self._tenant, _t.contract == contract))

    def by_bucket(
        self, contract: str, step_s: int, bucket_s: int, span: tuple[datetime, datetime], chosen: Filter
    ) -> list[Sums]:
        """Sums by kind, status, currency and bucket of time, the earliest first."""
        at = sa.func.date_bin(sa.text(f"interval '{int(bucket_s)} seconds'"), _t.bucket, sa.text("timestamptz 'epoch'"))
        query = self._sums(contract, Grain.PLACE, step_s, span, chosen, at.label("at")).order_by(sa.text("at"))
        return [_sums(row, at=row.at) for row in self._connection.execute(query)]

    def by_label(
        self, contract: str, dimension: str, step_s: int, span: tuple[datetime, datetime], chosen: Filter
    ) -> list[Sums]:
        """Sums by kind, status, currency and what `dimension` (region, channel or product) says."""
        grain = Grain.PRODUCT if dimension == "product" else Grain.PLACE
        query = self._sums(contract, grain, step_s, span, chosen, _t[dimension].label("label"))
        return [_sums(row, label=row.label) for row in self._connection.execute(query)]

    def values(self, contract: str, dimension: str) -> list[str]:
        """The values of a dimension that are counted by themselves, in alphabetical order."""
        c = values.c
        query = sa.select(c.value).where(c.tenant_id == self._tenant, c.contract == contract, c.dimension == dimension)
        return list(self._connection.execute(query.order_by(c.value)).scalars())

    def newest(self, contracts: Sequence[str]) -> datetime | None:
        """The last day (midnight UTC) that has a record of one of the contracts; None when there never was one."""
        of_each = [
            sa.select(sa.func.max(_t.bucket).label("at")).where(self._of(one, Grain.PLACE, DAY_S)) for one in contracts
        ]
        found = sa.union_all(*of_each).subquery()
        newest: datetime | None = self._connection.execute(sa.select(sa.func.max(found.c.at))).scalar_one()
        return newest

    def whole(self, contract: str) -> list[Sums]:
        """Everything of a contract that was ever counted, by kind, status and currency."""
        query = (
            sa.select(_t.kind, _t.status, _t.currency, *_SUMS)
            .where(self._of(contract, Grain.PLACE, DAY_S))
            .group_by(_t.kind, _t.status, _t.currency)
        )
        return [_sums(row) for row in self._connection.execute(query)]

    def of_buckets(
        self, contract: str, step_s: int, limit: int, span: tuple[datetime, datetime], by: Sequence[str] = ()
    ) -> list[Sums]:
        """The sums by kind of some buckets that lie in a span as a whole; which ones is left to chance.

        With dimensions of one grain in `by`, by these, too: the label of a sum is what they say, a line for each.
        """
        grain = Grain.PRODUCT if "product" in by else Grain.PLACE
        labels = [_t[one] for one in by]
        within = (_t.bucket >= span[0], _t.bucket <= span[1] - timedelta(seconds=step_s))
        some = sa.select(_t.bucket).where(self._of(contract, grain, step_s), *within).distinct().subquery()
        chosen = sa.select(some.c.bucket).order_by(sa.func.random()).limit(limit)
        query = (
            sa.select(_t.bucket.label("at"), _t.kind, _t.status, _t.currency, *labels, *_SUMS)
            .where(self._of(contract, grain, step_s), _t.bucket.in_(chosen))
            .group_by(_t.bucket, _t.kind, _t.status, _t.currency, *labels)
        )
        return [
            _sums(row, at=row.at, label="\n".join(getattr(row, one) for one in by))
            for row in self._connection.execute(query)
        ]

    def beginnings(self) -> dict[str, dict[int, int]]:
        """From which offset on records are summed up, by contract and partition."""
        rows = self._connection.exec_driver_sql(
            "select contract, partition, from_offset from operations_beginnings where tenant_id = %s", (self._tenant,)
        )
        found: dict[str, dict[int, int]] = {}
        for contract, partition, offset in rows:
            found.setdefault(contract, {})[partition] = offset
        return found

    def unequal(self, kept_since: Mapping[int, datetime]) -> list[Any]:
        """Where sums of one length do not add up to those of another: (contract, at, kind)."""
        pairs = ((MINUTE_S, HOUR_S, Grain.PLACE), (HOUR_S, DAY_S, Grain.PLACE), (HOUR_S, HOUR_S, Grain.PRODUCT))
        return [
            row
            for fine, coarse, grain in pairs
            for row in self._connection.exec_driver_sql(
                _UNEQUAL,
                {"tenant": self._tenant, "fine": fine, "coarse": coarse, "fine_grain": grain.value,
                 "since": kept_since[fine]},
            )
        ]  # fmt: skip

    def forget(self, kept_since: Mapping[int, datetime]) -> int:
        """Delete the sums of each step from before a moment; returns how many rows."""
        return sum(
            self._connection.execute(
                rollups.delete().where(_t.tenant_id == self._tenant, _t.step_s == step_s, _t.bucket < since)
            ).rowcount
            for step_s, since in kept_since.items()
        )

    def _sums(
        self,
        contract: str,
        grain: Grain,
        step_s: int,
        span: tuple[datetime, datetime],
        chosen: Filter,
        by: sa.ColumnElement[Any],
    ) -> sa.Select[Any]:
        query = sa.select(by, _t.kind, _t.status, _t.currency, *_SUMS).where(
            self._of(contract, grain, step_s), _t.bucket >= span[0], _t.bucket < span[1]
        )
        if grain is Grain.PLACE:
            wanted: Iterable[tuple[Any, str | None]] = ((_t.region, chosen.region), (_t.channel, chosen.channel))
            for column, value in wanted:
                query = query if value is None else query.where(column == value)
        return query.group_by(by, _t.kind, _t.status, _t.currency)

    def _of(self, contract: str, grain: Grain, step_s: int) -> sa.ColumnElement[bool]:
        return sa.and_(_t.tenant_id == self._tenant, _t.contract == contract, _t.grain == grain, _t.step_s == step_s)


_SUMS: Sequence[Any] = (
    sa.func.sum(_t.records).label("records"),
    sa.func.sum(_t.quantity).label("quantity"),
    sa.func.sum(_t.amount_minor).label("amount_minor"),
    sa.func.sum(_t.costed).label("costed"),
    sa.func.sum(_t.costed_minor).label("costed_minor"),
    sa.func.sum(_t.cost_minor).label("cost_minor"),
)


def _sums(row: Any, *, at: datetime | None = None, label: str = "") -> Sums:
    return Sums(
        kind=row.kind, status=row.status, currency=row.currency, records=int(row.records), quantity=int(row.quantity),
        amount_minor=int(row.amount_minor), costed=int(row.costed), costed_minor=int(row.costed_minor),
        cost_minor=int(row.cost_minor), at=at, label=label,
    )  # fmt: skip
