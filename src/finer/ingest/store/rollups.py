"""The SQL of counts over time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from finer.ingest.tables import rollups
from finer.kit.tx import Tx

LIVE, LOADED = "worker", "worker, loaded"
"""Who writes counts of what the worker finished: of records that came live, and of those that were loaded later."""
_STEPS_S = (5, 3600)
_STEPS = f"{{{_STEPS_S[0]},{_STEPS_S[1]}}}"

_ADD_ROLLUP = """
insert into ingest_rollups as t (tenant_id, contract, step_s, bucket, writer, received, accepted, duplicates,
  quarantined, released, latency, last_at)
select %(tenant)s, %(contract)s, step_s, to_timestamp(floor(extract(epoch from %(at)s::timestamptz) / step_s) * step_s),
  %(writer)s, %(received)s, %(accepted)s, %(duplicates)s, %(quarantined)s, %(released)s, %(latency)s::bigint[], %(at)s
from unnest(%(steps)s::int[]) as step_s order by step_s
on conflict (tenant_id, contract, step_s, bucket, writer) do update set
  received = t.received + excluded.received, accepted = t.accepted + excluded.accepted,
  duplicates = t.duplicates + excluded.duplicates,
  quarantined = t.quarantined + excluded.quarantined, released = t.released + excluded.released,
  last_at = greatest(t.last_at, excluded.last_at),
  latency = case when cardinality(excluded.latency) = 0 then t.latency
    when cardinality(t.latency) = 0 then excluded.latency
    else array(select a + b from unnest(t.latency, excluded.latency) with ordinality as u(a, b, i) order by i) end
"""

# Counts since the beginning outlive the hours that they were made in: what is deleted is added to one row for all.
_CARRY_ROLLUPS = """
insert into ingest_rollups as t (tenant_id, contract, step_s, bucket, writer, received, accepted, duplicates,
  quarantined, released, latency, last_at)
select tenant_id, contract, step_s, %(carried)s, writer, sum(received), sum(accepted), sum(duplicates),
  sum(quarantined), sum(released), '{}', max(last_at)
from ingest_rollups
where tenant_id = %(tenant)s and step_s = %(step)s and bucket > %(carried)s and bucket < %(before)s
group by tenant_id, contract, step_s, writer
on conflict (tenant_id, contract, step_s, bucket, writer) do update set
  received = t.received + excluded.received, accepted = t.accepted + excluded.accepted,
  duplicates = t.duplicates + excluded.duplicates,
  quarantined = t.quarantined + excluded.quarantined, released = t.released + excluded.released,
  last_at = greatest(t.last_at, excluded.last_at)
"""

_CARRIED = datetime(1970, 1, 2, tzinfo=UTC)


class RollupStore:
    """Counts of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_rollup(
        self,
        contract: str,
        writer: str,
        at: datetime,
        *,
        received: int = 0,
        accepted: int = 0,
        duplicates: int = 0,
        quarantined: int = 0,
        released: int = 0,
        latency: Iterable[int] = (),
    ) -> None:
        """Add to the counts of the five seconds and of the hour that `at` lies in."""
        self._tx.write(
            _ADD_ROLLUP,
            {
                "tenant": self._tenant, "contract": contract, "writer": writer, "at": at, "received": received,
                "accepted": accepted, "duplicates": duplicates, "quarantined": quarantined, "released": released,
                # As text: a list of numbers is looked through for the smallest type that holds them all.
                "latency": "{" + ",".join(map(str, latency)) + "}", "steps": _STEPS,
            },
        )  # fmt: skip

    def counts(self, since: datetime) -> list[Any]:
        """Per contract since an hour: received, accepted, duplicates, quarantined, released, last moment."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, sum(received)::bigint, sum(accepted)::bigint, sum(duplicates)::bigint, "
                "sum(quarantined)::bigint, sum(released)::bigint, "
                "max(last_at) filter (where received > 0) from ingest_rollups "
                "where tenant_id = %s and step_s = 3600 and bucket > %s group by contract order by contract",
                (self._tenant, since),
            )
        )

    def buckets(self, since: datetime) -> list[Any]:
        """What the worker finished per contract and five seconds: (contract, bucket, accepted, latency)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, bucket, accepted, latency from ingest_rollups where tenant_id = %s and step_s = 5 "
                "and bucket >= %s and writer = any(%s) order by bucket",
                (self._tenant, since, [LIVE, LOADED]),
            )
        )

    def by_step(self, since: datetime, until: datetime, step_s: int) -> list[Any]:
        """What came in a span by contract and step: (contract, at, four counts)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, to_timestamp(floor(extract(epoch from bucket) / %(step)s) * %(step)s) as at, "
                "sum(received)::bigint as received, sum(quarantined)::bigint as quarantined, "
                "sum(accepted + duplicates)::bigint as processed, sum(duplicates)::bigint as duplicates "
                "from ingest_rollups where tenant_id = %(tenant)s and step_s = %(kept)s and bucket >= %(since)s "
                "and bucket < %(until)s group by 1, 2 order by 1, 2",
                {"tenant": self._tenant, "kept": _kept(step_s), "step": step_s, "since": since, "until": until},
            )
        )

    def waited(self, since: datetime, until: datetime, step_s: int, contract: str | None, *, live: bool) -> list[Any]:
        """How long records waited for the worker: (contract, at, counts by length of the wait)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, at, array_agg(records order by place) from (select contract, "
                "to_timestamp(floor(extract(epoch from bucket) / %(step)s) * %(step)s) as at, place, "
                "sum(n)::bigint as records from ingest_rollups, unnest(latency) with ordinality as u(n, place) "
                "where tenant_id = %(tenant)s and (%(contract)s::text is null or contract = %(contract)s) "
                "and step_s = %(kept)s and writer = any(%(writers)s) and bucket >= %(since)s and bucket < %(until)s "
                "group by 1, 2, 3) as counted group by 1, 2 order by at, contract",
                {
                    "tenant": self._tenant, "contract": contract, "step": step_s, "kept": _kept(step_s),
                    "since": since, "until": until, "writers": [LIVE] if live else [LIVE, LOADED],
                },
            )
        )  # fmt: skip

    def passed(self, since: datetime, *, fine: bool) -> list[Any]:
        """Records by contract from a moment on, and those that were not refused: (contract, received, passed)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, sum(received)::bigint as received, sum(received - quarantined)::bigint as passed "
                "from ingest_rollups where tenant_id = %s and step_s = %s and bucket >= %s group by 1 order by 1",
                (self._tenant, _STEPS_S[0] if fine else _STEPS_S[1], since),
            )
        )

    def passed_by(self, unit: str, since: datetime, contract: str | None) -> list[Any]:
        """Like `passed`, by hour or day: (contract, at, received, passed)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, date_trunc(%(unit)s, bucket, 'UTC') as at, sum(received)::bigint as received, "
                "sum(received - quarantined)::bigint as passed from ingest_rollups where tenant_id = %(tenant)s "
                "and step_s = %(coarse)s and bucket >= %(since)s "
                "and (%(contract)s::text is null or contract = %(contract)s) group by 1, 2 order by 1, 2",
                {
                    "tenant": self._tenant, "coarse": _STEPS_S[1], "unit": unit, "since": since,
                    "contract": contract,
                },
            )
        )  # fmt: skip

    def forget(self, now: datetime) -> None:
        """Delete fine counts after a day and coarse ones after 400 days; these stay in the sums over all time."""
        days = timedelta(days=1)
        coarse = {"tenant": self._tenant, "step": _STEPS_S[1], "carried": _CARRIED, "before": now - 400 * days}
        self._connection.exec_driver_sql(_CARRY_ROLLUPS, coarse)
        for old in (
            sa.and_(rollups.c.step_s == _STEPS_S[0], rollups.c.bucket < now - days),
            sa.and_(rollups.c.bucket > _CARRIED, rollups.c.bucket < now - 400 * days),
        ):
            self._connection.execute(sa.delete(rollups).where(rollups.c.tenant_id == self._tenant, old))


def _kept(step_s: int) -> int:
    """The counts that steps of a length are made of: those of hours are kept for longer."""
    return _STEPS_S[1] if step_s % _STEPS_S[1] == 0 else _STEPS_S[0]
