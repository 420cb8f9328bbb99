"""The SQL of receipts, and of the log that they account for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import sqlalchemy as sa

from finer.ingest.rules.receipts import problems_of
from finer.ingest.tables import outcomes, quarantined_records, receipts
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
select r.id, r.contract, r.contract_version, r.received, r.logged, r.quarantined, r.stream, r.partition,
       r.first_offset, r.received_at, r.source, r.unknown_fields, r.problems, f.duplicates, f.conflicts
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


class ReceiptStore:
    """Receipts and outcomes of one tenant."""

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
                "contract_version": one.contract_version,
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
        contract_version=row.contract_version,
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
