"""The SQL of quarantined records."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.ingest.tables import quarantined_records
from finer.ingest.types.receipts import NewReceipt, QuarantineCause, QuarantinedRecord
from finer.ingest.types.records import FieldError
from finer.kit.ids import new_id
from finer.kit.tx import Tx

_CHUNK = 2_000

_INSERT_QUARANTINED = """
insert into ingest_quarantined_records (tenant_id, id, receipt_id, contract, line, field, rule, rules, errors, raw,
  raw_bytes, raw_sha256, received_at)
select %(tenant)s, r.id, r.receipt_id, %(contract)s, r.line, r.errors::jsonb -> 0 ->> 'field',
  r.errors::jsonb -> 0 ->> 'rule', array(select distinct e ->> 'rule' from jsonb_array_elements(r.errors::jsonb) as e),
  r.errors::jsonb, r.raw, r.raw_bytes, r.sha256, %(received_at)s
from unnest(%(ids)s::uuid[], %(receipts)s::uuid[], %(lines)s::bigint[], %(errors)s::text[], %(raws)s::bytea[],
  %(sizes)s::bigint[], %(hashes)s::bytea[]) as r(id, receipt_id, line, errors, raw, raw_bytes, sha256)
"""


class QuarantineStore:
    """Quarantined records of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

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

    def forget(self, now: datetime) -> None:
        """Delete records that are open no more after 30 days."""
        table = quarantined_records.c
        self._connection.execute(
            sa.delete(quarantined_records).where(
                table.tenant_id == self._tenant, table.state != "open", table.received_at < now - timedelta(days=30)
            )
        )

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
