"""The SQL of ingest."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from finer.ingest.rules.receipts import problems_of
from finer.ingest.tables import outcomes, quarantined_records, receipts, rollups
from finer.ingest.types import (
    BrokenField,
    FieldError,
    NewReceipt,
    Offsets,
    QuarantineCause,
    QuarantinedRecord,
    Receipt,
    ReceiptFilter,
)
from finer.kit.ids import new_id
from finer.kit.log import PostgresLog
from finer.kit.tx import Tx

_CHUNK = 2_000
_STEPS_S = (5, 3600)

# The append and the receipts that account for it are one statement: the receipts go on from the offset that it gives.
_APPEND = f"""
with appended as materialized (select case when %(count)s::int > 0 then {PostgresLog.APPEND} end as base)
insert into ingest_receipts (tenant_id, id, contract, source, stream, partition, first_offset, received, logged,
  quarantined, unknown_fields, problems, received_at, idempotency_key, body_hash)
select %(tenant)s, id, contract, source, stream, partition, base + skipped, received, logged, quarantined,
  array(select jsonb_array_elements_text(unknown_fields)), problems, received_at, idempotency_key,
  decode(body_hash, 'hex')
from appended, jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, contract text, source text, stream text, partition int,
  skipped bigint, received int, logged int, quarantined int, unknown_fields jsonb, problems jsonb,
  received_at timestamptz, idempotency_key text, body_hash text)
"""  # noqa: S608 - constants only

_INSERT_QUARANTINED = """
insert into ingest_quarantined_records (tenant_id, id, receipt_id, contract, line, field, rule, rules, errors, raw,
  raw_bytes, raw_sha256, received_at)
select %(tenant)s, r.id, r.receipt_id, %(contract)s, r.line, r.errors::jsonb -> 0 ->> 'field',
  r.errors::jsonb -> 0 ->> 'rule', array(select distinct e ->> 'rule' from jsonb_array_elements(r.errors::jsonb) as e),
  r.errors::jsonb, r.raw, r.raw_bytes, r.sha256, %(received_at)s
from unnest(%(ids)s::uuid[], %(receipts)s::uuid[], %(lines)s::bigint[], %(errors)s::text[], %(raws)s::bytea[],
  %(sizes)s::bigint[], %(hashes)s::bytea[]) as r(id, receipt_id, line, errors, raw, raw_bytes, sha256)
"""

# Outcome rows of a stream follow each other without overlap, so those of a receipt begin at the last row that
# starts at or before its first offset.
_FOUND_AGAIN = """
select coalesce(sum((select count(*) from unnest(o.duplicate_offsets) as d
                     where d >= r.first_offset and d < r.first_offset + r.logged)), 0)::bigint as duplicates,
       coalesce(sum((select count(*) from unnest(o.conflicting_offsets) as d
                     where d >= r.first_offset and d < r.first_offset + r.logged)), 0)::bigint as conflicts
from ingest_outcomes as o
where o.tenant_id = r.tenant_id and o.stream = r.stream and o.partition = r.partition
  and o.base_offset < r.first_offset + r.logged and o.end_offset > r.first_offset
  and o.base_offset >= coalesce((select max(p.base_offset) from ingest_outcomes as p where p.tenant_id = r.tenant_id
        and p.stream = r.stream and p.partition = r.partition and p.base_offset <= r.first_offset), 0)
"""

_SELECT_RECEIPTS = f"""
select r.id, r.contract, r.received, r.logged, r.quarantined, r.stream, r.partition, r.first_offset, r.received_at,
       r.source, r.unknown_fields, r.problems, f.duplicates, f.conflicts
from ingest_receipts as r, lateral ({_FOUND_AGAIN}) as f
where r.tenant_id = %(tenant)s
"""  # noqa: S608 - constants only

_RECEIPT_CHOICES = {
    "contract": "r.contract = %(contract)s",
    "source": "position(lower(%(source)s) in lower(r.source)) > 0",
    "done": "%(done)s = (r.first_offset is null or exists (select from unnest(%(streams)s::text[], "
    "%(partitions)s::int[], %(offsets)s::bigint[]) as c(stream, partition, consumed) where c.stream = r.stream "
    "and c.partition = r.partition and c.consumed >= r.first_offset + r.logged))",
    "before": "r.id < %(before)s",
}

_ADD_ROLLUP = """
insert into ingest_rollups as t (tenant_id, contract, step_s, bucket, writer, received, accepted, duplicates,
  quarantined, latency, last_at)
select %(tenant)s, %(contract)s, step_s, to_timestamp(floor(extract(epoch from %(at)s::timestamptz) / step_s) * step_s),
  %(writer)s, %(received)s, %(accepted)s, %(duplicates)s, %(quarantined)s, %(latency)s::bigint[], %(at)s
from unnest(%(steps)s::int[]) as step_s order by step_s
on conflict (tenant_id, contract, step_s, bucket, writer) do update set
  received = t.received + excluded.received, accepted = t.accepted + excluded.accepted,
  duplicates = t.duplicates + excluded.duplicates, quarantined = t.quarantined + excluded.quarantined,
  last_at = greatest(t.last_at, excluded.last_at),
  latency = case when cardinality(excluded.latency) = 0 then t.latency
    when cardinality(t.latency) = 0 then excluded.latency
    else array(select a + b from unnest(t.latency, excluded.latency) with ordinality as u(a, b, i) order by i) end
"""

# Counts since the beginning outlive the hours that they were made in: what is deleted is added to one row for all.
_CARRY_ROLLUPS = """
insert into ingest_rollups as t (tenant_id, contract, step_s, bucket, writer, received, accepted, duplicates,
  quarantined, latency, last_at)
select tenant_id, contract, step_s, %(carried)s, writer, sum(received), sum(accepted), sum(duplicates),
  sum(quarantined), '{}', max(last_at)
from ingest_rollups
where tenant_id = %(tenant)s and step_s = %(step)s and bucket > %(carried)s and bucket < %(before)s
group by tenant_id, contract, step_s, writer
on conflict (tenant_id, contract, step_s, bucket, writer) do update set
  received = t.received + excluded.received, accepted = t.accepted + excluded.accepted,
  duplicates = t.duplicates + excluded.duplicates, quarantined = t.quarantined + excluded.quarantined,
  last_at = greatest(t.last_at, excluded.last_at)
"""
_CARRIED = datetime(1970, 1, 2, tzinfo=UTC)


class IngestStore:
    """Receipts, quarantined records, outcomes and counts of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def append(self, header: str, batch: pa.RecordBatch, new: Sequence[NewReceipt]) -> None:
        """Append the accepted records to the event log and account for them by their receipts, of one contract.

        An idempotency key that another receipt has is a UNIQUE_VIOLATION of the transaction.
        """
        first = new[0]
        rows = [
            {
                "id": one.id,
                "contract": one.contract,
                "source": one.source,
                "stream": one.stream,
                "partition": one.partition,
                "skipped": one.skipped,
                "received": one.result.received,
                "logged": one.result.accepted,
                "quarantined": len(one.result.refused),
                "unknown_fields": one.result.unknown_fields,
                "problems": problems_of(one),
                "received_at": one.received_at,
                "idempotency_key": one.idempotency_key,
                "body_hash": None if one.body_hash is None else one.body_hash.hex(),
            }
            for one in new
        ]
        parameters = PostgresLog.append_parameters(first.stream, first.partition, self._tenant, header, batch)
        self._tx.write(_APPEND, parameters | {"rows": msgspec.json.encode(rows).decode()})

    def add_quarantined(self, new: Sequence[NewReceipt]) -> None:
        """Insert the refused records of these receipts."""
        for one in new:
            refused = one.result.refused
            for start in range(0, len(refused), _CHUNK):
                part = refused[start : start + _CHUNK]
                self._tx.write(
                    _INSERT_QUARANTINED,
                    {
                        "tenant": self._tenant,
                        "contract": one.contract,
                        "received_at": one.received_at,
                        "ids": [new_id() for _ in part],
                        "receipts": [one.id] * len(part),
                        "lines": [record.line for record in part],
                        "errors": [msgspec.json.encode(record.errors).decode() for record in part],
                        "raws": [record.raw for record in part],
                        "sizes": [record.raw_bytes for record in part],
                        "hashes": [record.sha256 for record in part],
                    },
                )

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

    def _receipts(self, condition: str, arguments: dict[str, Any], consumed: Offsets) -> list[Receipt]:
        rows = self._connection.exec_driver_sql(_SELECT_RECEIPTS + condition, {"tenant": self._tenant, **arguments})
        return [_receipt(row, consumed) for row in rows]

    def quarantined(
        self, contract: str | None, rule: str | None, receipt: uuid.UUID | None, before: uuid.UUID | None, limit: int
    ) -> list[QuarantinedRecord]:
        """Open quarantined records, newest first, older than `before`."""
        table = quarantined_records.c
        query = sa.select(
            table.id, table.receipt_id, table.contract, table.line, table.state, table.errors, table.raw,
            table.raw_bytes, table.received_at,
        ).where(table.tenant_id == self._tenant, table.state == "open")  # fmt: skip
        if contract is not None:
            query = query.where(table.contract == contract)
        if rule is not None:
            query = query.where(table.rules.any(rule))
        if receipt is not None:
            query = query.where(table.receipt_id == receipt)
        if before is not None:
            query = query.where(table.id < before)
        rows = self._connection.execute(query.order_by(table.id.desc()).limit(limit)).mappings()
        return [
            QuarantinedRecord(**{**row, "errors": msgspec.convert(row["errors"], list[FieldError])}) for row in rows
        ]

    def causes(self) -> list[QuarantineCause]:
        """Open quarantined records by contract, field and rule of their first error, most frequent first."""
        rows = self._connection.exec_driver_sql(
            "select c.contract, c.field, c.rule, c.records, e.reason "
            "from (select contract, field, rule, count(*) as records from ingest_quarantined_records "
            "      where tenant_id = %(tenant)s and state = 'open' group by contract, field, rule) as c, "
            "lateral (select q.errors -> 0 ->> 'reason' as reason from ingest_quarantined_records as q "
            "         where q.tenant_id = %(tenant)s and q.state = 'open' and q.contract = c.contract "
            "           and q.field = c.field and q.rule = c.rule order by q.id desc limit 1) as e "
            "order by c.records desc, c.contract, c.field, c.rule",
            {"tenant": self._tenant},
        )
        return [QuarantineCause(*row) for row in rows]

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
        latency: Iterable[int] = (),
    ) -> None:
        """Add to the counts of the five seconds and of the hour that `at` lies in."""
        self._tx.write(
            _ADD_ROLLUP,
            {
                "tenant": self._tenant, "contract": contract, "writer": writer, "at": at, "received": received,
                "accepted": accepted, "duplicates": duplicates, "quarantined": quarantined,
                "latency": list(latency), "steps": list(_STEPS_S),
            },
        )  # fmt: skip

    def counts(self, since: datetime) -> list[Any]:
        """Per contract: received, accepted, duplicates, quarantined and the last moment, by the hour since `since`."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, sum(received)::bigint, sum(accepted)::bigint, sum(duplicates)::bigint, "
                "sum(quarantined)::bigint, max(last_at) filter (where received > 0) from ingest_rollups "
                "where tenant_id = %s and step_s = 3600 and bucket > %s group by contract order by contract",
                (self._tenant, since),
            )
        )

    def buckets(self, since: datetime) -> list[Any]:
        """What the worker finished per contract and five seconds: (contract, bucket, accepted, latency)."""
        return list(
            self._connection.exec_driver_sql(
                "select contract, bucket, accepted, latency from ingest_rollups where tenant_id = %s and step_s = 5 "
                "and bucket >= %s and writer = 'worker' order by bucket",
                (self._tenant, since),
            )
        )

    def forget(self, now: datetime) -> None:
        """Delete fine counts after a day, coarse ones after 400 days, and receipts and outcomes after 30 days.

        Coarse counts stay in the sums over all time.
        """
        days = timedelta(days=1)
        coarse = {"tenant": self._tenant, "step": _STEPS_S[1], "carried": _CARRIED, "before": now - 400 * days}
        self._connection.exec_driver_sql(_CARRY_ROLLUPS, coarse)
        limits: tuple[tuple[sa.Table, Any], ...] = (
            (rollups, sa.and_(rollups.c.step_s == _STEPS_S[0], rollups.c.bucket < now - days)),
            (rollups, sa.and_(rollups.c.bucket > _CARRIED, rollups.c.bucket < now - 400 * days)),
            (outcomes, outcomes.c.recorded_at < now - 30 * days),
            (
                quarantined_records,
                sa.and_(quarantined_records.c.state != "open", quarantined_records.c.received_at < now - 30 * days),
            ),
            (
                receipts,
                sa.and_(
                    receipts.c.received_at < now - 30 * days,
                    ~sa.exists().where(
                        quarantined_records.c.tenant_id == receipts.c.tenant_id,
                        quarantined_records.c.receipt_id == receipts.c.id,
                    ),
                ),
            ),
        )
        for table, condition in limits:
            self._connection.execute(sa.delete(table).where(table.c.tenant_id == self._tenant, condition))

    def blank_refused(self, text: str) -> int:
        """Empty the quarantined records that hold this text."""
        emptied = self._connection.exec_driver_sql(
            "update ingest_quarantined_records set raw = '', errors = '[]' "
            "where tenant_id = %s and position(%s::bytea in raw) > 0",
            (self._tenant, text.encode()),
        )
        return emptied.rowcount

    def unaccounted(self) -> list[Any]:
        """Receipts whose quarantined records are not all there: (id, quarantined, kept)."""
        return list(
            self._connection.exec_driver_sql(
                "select r.id, r.quarantined, count(q.id) from ingest_receipts as r left join "
                "ingest_quarantined_records as q on q.tenant_id = r.tenant_id and q.receipt_id = r.id "
                "where r.tenant_id = %s and r.quarantined > 0 and r.received_at > now() - interval '30 days' "
                "group by r.id, r.quarantined having count(q.id) <> r.quarantined limit 100",
                (self._tenant,),
            )
        )

    def overlapping(self) -> list[Any]:
        """Receipts that claim a place in the log that an earlier receipt has: (id, stream, first offset)."""
        return list(
            self._connection.exec_driver_sql(
                "select id, stream, first_offset from (select id, stream, first_offset, "
                "max(first_offset + logged) over (partition by stream, partition order by first_offset, id "
                "rows between unbounded preceding and 1 preceding) as taken from ingest_receipts "
                "where tenant_id = %s and first_offset is not null) as r where first_offset < taken limit 100",
                (self._tenant,),
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
                "and r.partition = o.partition and r.first_offset <= d and d < r.first_offset + r.logged) limit 100",
                (self._tenant,),
            )
        )


def _receipt(row: Any, consumed: Offsets) -> Receipt:
    again = int(row.duplicates) + int(row.conflicts)
    done = row.first_offset is None or consumed.get((row.stream, row.partition), 0) >= row.first_offset + row.logged
    return Receipt(
        id=row.id,
        contract=row.contract,
        received=row.received,
        accepted=row.logged - again,
        duplicate=again,
        conflicting=int(row.conflicts),
        quarantined=row.quarantined,
        state="done" if done else "processing",
        received_at=row.received_at,
        source=row.source,
        unknown_fields=list(row.unknown_fields),
        problems=msgspec.convert(row.problems, list[BrokenField]),
    )
