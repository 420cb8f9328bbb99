"""The SQL of receipts, and of the log that they account for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from finer.ingest.tables import outcomes, quarantined_records, receipts, releases
from finer.ingest.types.receipts import BrokenField, NewReceipt, Offsets, Receipt, ReceiptFilter
from finer.kit.log import PostgresLog
from finer.kit.tx import Tx

# The append and the receipts that account for it are one statement: the receipts go on from the offset that it gives.
_APPEND = f"""
with appended as materialized (select case when %(count)s::int > 0 then {PostgresLog.APPEND} end as base)
insert into ingest_receipts (tenant_id, id, contract, source, stream, partition, first_offset, received, logged,
  quarantined, unknown_fields, problems, received_at, idempotency_key, body_hash, contract_version)
select %(tenant)s, id, contract, source, stream, partition, base + skipped, received, logged, quarantined,
  array(select jsonb_array_elements_text(unknown_fields)), problems, received_at, idempotency_key,
  decode(body_hash, 'hex'), contract_version
from appended, jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, contract text, source text, stream text, partition int,
  skipped bigint, received int, logged int, quarantined int, unknown_fields jsonb, problems jsonb,
  received_at timestamptz, idempotency_key text, body_hash text,
  contract_version text)
"""  # noqa: S608 - constants only

# Outcome rows of a stream follow each other without overlap, so those of a receipt begin at the last row that
# starts at or before its first offset.
_FOUND_AGAIN = """
select coalesce(sum((select count(*) from unnest(o.duplicate_offsets) as d
                     where d >= {0}.first_offset and d < {0}.first_offset + {0}.logged)), 0)::bigint as duplicates,
       coalesce(sum((select count(*) from unnest(o.conflicting_offsets) as d
                     where d >= {0}.first_offset and d < {0}.first_offset + {0}.logged)), 0)::bigint as conflicts
from ingest_outcomes as o
where o.tenant_id = {0}.tenant_id and o.stream = {0}.stream and o.partition = {0}.partition
  and o.base_offset < {0}.first_offset + {0}.logged and o.end_offset > {0}.first_offset
  and o.base_offset >= coalesce((select max(p.base_offset) from ingest_outcomes as p where p.tenant_id = {0}.tenant_id
        and p.stream = {0}.stream and p.partition = {0}.partition and p.base_offset <= {0}.first_offset), 0)
"""

_SELECT_RECEIPTS = f"""
select r.id, r.contract, r.contract_version, r.received, r.logged, r.quarantined, r.released, r.stream, r.partition,
       r.first_offset, r.received_at, r.source, r.unknown_fields, r.problems, f.duplicates + g.duplicates as duplicates,
       f.conflicts + g.conflicts as conflicts, g.partition as released_in, g.until as released_until
from ingest_receipts as r, lateral ({_FOUND_AGAIN.format("r")}) as f,
  lateral (select coalesce(sum(a.duplicates), 0)::bigint as duplicates,
                  coalesce(sum(a.conflicts), 0)::bigint as conflicts, max(s.partition) as partition,
                  max(s.first_offset + s.logged) as until
           from ingest_releases as s, lateral ({_FOUND_AGAIN.format("s")}) as a
           where s.tenant_id = r.tenant_id and s.receipt_id = r.id) as g
where r.tenant_id = %(tenant)s
"""  # noqa: S608 - constants only

# The receipt and what is left in quarantine of it change together, so that a receipt adds up at every moment.
_RELEASE = """
with given as (select * from unnest(%(receipts)s::uuid[], %(rows)s::int[], %(starts)s::bigint[])
  as g(receipt_id, rows, first_offset)), noted as (
insert into ingest_releases (tenant_id, stream, partition, first_offset, logged, receipt_id, act_id, released_at)
select %(tenant)s, %(stream)s, %(partition)s, first_offset, rows, receipt_id, %(act)s, %(at)s from given)
update ingest_receipts as r set quarantined = r.quarantined - g.rows, released = r.released + g.rows
from given as g where r.tenant_id = %(tenant)s and r.id = g.receipt_id
"""

# A contract whose newest record of some age has been consumed does not wait; only of one that does are receipts looked
# at further back, and of no more than a query may read many times a minute.
_WAITING = """
with c as (select * from unnest(%(streams)s::text[], %(partitions)s::int[], %(offsets)s::bigint[])
  as c(stream, partition, consumed))
select min(waiting.received_at)
from unnest(%(contracts)s::text[]) as k(contract)
cross join lateral (select stream, partition, first_offset + logged as until from ingest_receipts
  where tenant_id = %(tenant)s and contract = k.contract and logged > 0 and received_at <= %(before)s
  order by id desc limit 1) as newest
left join c as n on n.stream = newest.stream and n.partition = newest.partition
cross join lateral (select min(r.received_at) as received_at from (
    select stream, partition, first_offset + logged as until, received_at from ingest_receipts
    where tenant_id = %(tenant)s and contract = k.contract and logged > 0 order by id desc limit 10000) as r
  left join c on c.stream = r.stream and c.partition = r.partition
  where r.until > coalesce(c.consumed, 0)) as waiting
where newest.until > coalesce(n.consumed, 0)
"""

_RECEIPT_CHOICES = {
    "contract": "r.contract = %(contract)s",
    "source": "position(lower(%(source)s) in lower(r.source)) > 0",
    "done": "%(done)s = not exists (select from (select r.partition, r.first_offset + r.logged as until "
    "union all select s.partition, s.first_offset + s.logged from ingest_releases as s "
    "where s.tenant_id = r.tenant_id and s.receipt_id = r.id) as part where part.until is not null and not exists ("
    "select from unnest(%(streams)s::text[], %(partitions)s::int[], %(offsets)s::bigint[]) "
    "as c(stream, partition, consumed) where c.stream = r.stream and c.partition = part.partition "
    "and c.consumed >= part.until))",
    "before": "r.id < %(before)s",
}


ReleasedPart = tuple[uuid.UUID, int]
"""A receipt, and how many of its records are released."""


class ReceiptStore:
    """Receipts and outcomes of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def append(self, header: str, batch: pa.RecordBatch, new: Sequence[NewReceipt]) -> None:
        """Append the accepted records to the event log and account for them by their receipts, of one contract.

        The worker is told in a transaction that commits ahead of the disk, and has to be notified after any other.
        An idempotency key that another receipt has is a UNIQUE_VIOLATION of the transaction.
        """
        first = new[0]
        rows = [
            {
                "id": one.id,
                "contract": one.contract,
                "contract_version": one.contract_version,
                "source": one.source,
                "stream": one.stream,
                "partition": one.partition,
                "skipped": one.skipped,
                "received": one.result.received,
                "logged": one.result.accepted,
                "quarantined": len(one.result.refused),
                "unknown_fields": one.result.unknown_fields,
                "problems": one.problems,
                "received_at": one.received_at,
                "idempotency_key": one.idempotency_key,
                "body_hash": None if one.body_hash is None else one.body_hash.hex(),
            }
            for one in new
        ]
        parameters = PostgresLog.append_parameters(
            first.stream, first.partition, self._tenant, header, batch, tell=self._tx.ahead
        )
        self._tx.write(_APPEND, parameters | {"rows": msgspec.json.encode(rows).decode()})

    def release(
        self, header: str, batch: pa.RecordBatch, place: tuple[str, int], act: uuid.UUID, parts: Sequence[ReleasedPart]
    ) -> None:
        """Append records that come from quarantine to the log, and account for them by the receipts they came with.

        The rows of `batch` are those of `parts`, one part behind the other; `place` is stream and partition.
        """
        stream, partition = place
        # Locked in one order, so that two releases never wait for each other.
        self._connection.exec_driver_sql(
            "select id from ingest_receipts where tenant_id = %s and id = any(%s) order by id for update",
            (self._tenant, [receipt for receipt, _ in parts]),
        )
        base = PostgresLog.append(self._connection, stream, partition, self._tenant, header, batch)
        starts = list(accumulate((rows for _, rows in parts), initial=base))[:-1]
        given = {
            "tenant": self._tenant, "stream": stream, "partition": partition, "act": act, "at": self._tx.now(),
            "receipts": [receipt for receipt, _ in parts], "rows": [rows for _, rows in parts],
            "starts": starts,
        }  # fmt: skip
        self._connection.exec_driver_sql(_RELEASE, given)

    def move(self, stream: str, partition: int, base: int, end: int, moved_to: int) -> None:
        """Let the receipts of records at `base` up to `end` follow them to where they stand in the log now."""
        for table in (receipts, releases):
            here = table.c.first_offset.between(base, end - 1)
            mine = (table.c.tenant_id == self._tenant) & (table.c.stream == stream) & (table.c.partition == partition)
            moved = {"first_offset": table.c.first_offset + (moved_to - base)}
            self._connection.execute(table.update().where(mine, here).values(moved))

    def by_keys(self, keys: Sequence[str]) -> dict[str, tuple[uuid.UUID, bytes | None]]:
        """Receipts that were given for these idempotency keys, with the hash of their body."""
        found = self._connection.execute(
            sa.select(receipts.c.idempotency_key, receipts.c.id, receipts.c.body_hash).where(
                receipts.c.tenant_id == self._tenant, receipts.c.idempotency_key.in_(keys)
            )
        )
        return {key: (identifier, body_hash) for key, identifier, body_hash in found}

    def receipt(self, identifier: uuid.UUID, consumed: Offsets) -> Receipt | None:
        """One receipt."""
        rows = self._receipts("and r.id = %(id)s", {"id": identifier}, consumed)
        return rows[0] if rows else None

    def receipts(self, wanted: ReceiptFilter, limit: int, consumed: Offsets) -> list[Receipt]:
        """Receipts that fit, newest first."""
        arguments: dict[str, Any] = {
            **msgspec.structs.asdict(wanted),
            "limit": limit,
            "streams": [stream for stream, _ in consumed],
            "partitions": [partition for _, partition in consumed],
            "offsets": list(consumed.values()),
        }
        chosen = "".join(f"and {_RECEIPT_CHOICES[name]} " for name in _RECEIPT_CHOICES if arguments[name] is not None)
        return self._receipts(f"{chosen}order by r.id desc limit %(limit)s", arguments, consumed)

    def waiting_since(self, contracts: Sequence[str], consumed: Offsets, before: datetime) -> datetime | None:
        """When the oldest records came that are not consumed, of contracts of which some came by `before` are not.

        Of each contract the newest 10,000 receipts are looked at.
        """
        since: datetime | None = self._connection.exec_driver_sql(
            _WAITING,
            {
                "tenant": self._tenant,
                "contracts": list(contracts),
                "before": before,
                "streams": [stream for stream, _ in consumed],
                "partitions": [partition for _, partition in consumed],
                "offsets": list(consumed.values()),
            },
        ).scalar_one()
        return since

    def _receipts(self, condition: str, arguments: dict[str, Any], consumed: Offsets) -> list[Receipt]:
        rows = self._connection.exec_driver_sql(_SELECT_RECEIPTS + condition, {"tenant": self._tenant, **arguments})
        return [_receipt(row, consumed) for row in rows]

    def add_outcome(
        self, stream: str, partition: int, base: int, end: int, duplicates: list[int], conflicts: list[int]
    ) -> None:
        """Remember which records of a stretch of the log were seen before; once per stretch."""
        self._tx.write(
            "insert into ingest_outcomes (tenant_id, stream, partition, base_offset, end_offset, duplicate_offsets, "
            "conflicting_offsets) values (%s, %s, %s, %s, %s, %s::bigint[], %s::bigint[]) "
            "on conflict (tenant_id, stream, partition, base_offset) do nothing",
            (self._tenant, stream, partition, base, end, duplicates, conflicts),
        )

    def seen_before(self, stream: str, partition: int, base: int, end: int) -> list[int]:
        """The offsets of a stretch of the log that were seen before."""
        rows = self._connection.exec_driver_sql(
            "select d from ingest_outcomes as o, unnest(o.duplicate_offsets || o.conflicting_offsets) as d "
            "where o.tenant_id = %(tenant)s and o.stream = %(stream)s and o.partition = %(partition)s "
            "and o.base_offset < %(end)s and o.end_offset > %(base)s and d >= %(base)s and d < %(end)s",
            {"tenant": self._tenant, "stream": stream, "partition": partition, "base": base, "end": end},
        )
        return [int(row[0]) for row in rows]

    def forget(self, now: datetime) -> None:
        """Delete outcomes after 30 days, and receipts that no quarantined record belongs to any more."""
        before = now - timedelta(days=30)
        self._connection.execute(
            sa.delete(outcomes).where(outcomes.c.tenant_id == self._tenant, outcomes.c.recorded_at < before)
        )
        held = sa.exists().where(
            quarantined_records.c.tenant_id == receipts.c.tenant_id, quarantined_records.c.receipt_id == receipts.c.id
        )
        self._connection.execute(
            sa.delete(receipts).where(receipts.c.tenant_id == self._tenant, receipts.c.received_at < before, ~held)
        )
        kept = sa.exists().where(receipts.c.tenant_id == releases.c.tenant_id, receipts.c.id == releases.c.receipt_id)
        self._connection.execute(
            sa.delete(releases).where(releases.c.tenant_id == self._tenant, releases.c.released_at < before, ~kept)
        )

    def overlapping(self) -> list[Any]:
        """Receipts that claim a place in the log that an earlier receipt has: (id, stream, first offset)."""
        return list(
            self._connection.exec_driver_sql(
                "select id, stream, first_offset from (select id, stream, first_offset, "
                "max(first_offset + logged) over (partition by stream, partition order by first_offset, id "
                "rows between unbounded preceding and 1 preceding) as taken from ("
                "select id, stream, partition, first_offset, logged from ingest_receipts "
                "where tenant_id = %s and first_offset is not null "
                "union all select receipt_id, stream, partition, first_offset, logged from ingest_releases "
                "where tenant_id = %s) as parts) as r where first_offset < taken limit 100",
                (self._tenant, self._tenant),
            )
        )

    def foreign_outcomes(self) -> list[Any]:
        """Duplicates and conflicts whose place belongs to no receipt: (stream, partition, offset)."""
        return list(
            self._connection.exec_driver_sql(
                "select o.stream, o.partition, d from ingest_outcomes as o, "
                "unnest(o.duplicate_offsets || o.conflicting_offsets) as d "
                "where o.tenant_id = %s and o.recorded_at > now() - interval '1 day' and not exists ("
                "select from ingest_receipts as r where r.tenant_id = o.tenant_id and r.stream = o.stream "
                "and r.partition = o.partition and r.first_offset <= d and d < r.first_offset + r.logged) "
                "and not exists (select from ingest_releases as s where s.tenant_id = o.tenant_id "
                "and s.stream = o.stream and s.partition = o.partition and s.first_offset <= d "
                "and d < s.first_offset + s.logged) limit 100",
                (self._tenant,),
            )
        )


def _receipt(row: Any, consumed: Offsets) -> Receipt:
    again = int(row.duplicates) + int(row.conflicts)
    done = row.first_offset is None or consumed.get((row.stream, row.partition), 0) >= row.first_offset + row.logged
    came_back = row.released_until is None or consumed.get((row.stream, row.released_in), 0) >= row.released_until
    return Receipt(
        id=row.id,
        contract=row.contract,
        contract_version=row.contract_version,
        received=row.received,
        accepted=row.logged + row.released - again,
        duplicate=again,
        conflicting=int(row.conflicts),
        quarantined=row.quarantined,
        released=row.released,
        state="done" if done and came_back else "processing",
        received_at=row.received_at,
        source=row.source,
        unknown_fields=list(row.unknown_fields),
        problems=msgspec.convert(row.problems, list[BrokenField]),
    )
