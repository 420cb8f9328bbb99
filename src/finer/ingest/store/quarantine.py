"""The SQL of quarantined records. What was sent is sealed; the rest is what people search for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.ingest.rules.classes import Guard
from finer.ingest.rules.shapes import Shape
from finer.ingest.store.mappings import MappingStore
from finer.ingest.tables import quarantine_edits, quarantine_payloads, quarantined_records
from finer.ingest.types.quarantine import QuarantineCause, QuarantinedRecord, Selection
from finer.ingest.types.receipts import NewReceipt
from finer.ingest.types.records import FieldError, Mapping, RefusedRecord
from finer.kit.crypto.bulk import Sealer, sealer, unseal_bytes
from finer.kit.ids import new_id
from finer.kit.tx import Tx

RAW_SEALED = "ingest_quarantine_payloads.raw_sealed"
RECORD_SEALED = "ingest_quarantine_edits.record_sealed"
_CHUNK = 2_000

# Most records of a body break the same: what is said of them is read once for all.
_INSERT_QUARANTINED = """
with said as materialized (select place, errors, errors -> 0 ->> 'field' as field, errors -> 0 ->> 'rule' as rule,
  array(select distinct e ->> 'rule' from jsonb_array_elements(errors) as e) as rules
  from jsonb_array_elements(%(said)s::jsonb) with ordinality as s(errors, place)),
given as materialized (select r.id, r.line, r.sealed, r.raw_bytes, r.sha256, s.errors, s.field, s.rule, s.rules
  from unnest(%(ids)b::uuid[], %(lines)s::bigint[], %(places)s::bigint[], %(sealed)b::bytea[], %(sizes)s::bigint[],
  %(hashes)b::bytea[]) as r(id, line, place, sealed, raw_bytes, sha256) join said as s using (place) order by r.id),
payloads as (
insert into ingest_quarantine_payloads (tenant_id, id, errors, raw_sealed, raw_sha256)
select %(tenant)s, id, errors, sealed, sha256 from given)
insert into ingest_quarantined_records (tenant_id, id, receipt_id, contract, line, field, rule, rules, raw_bytes,
  received_at, mapping_id)
select %(tenant)s, id, %(receipt)s, %(contract)s, line, field, rule, rules, raw_bytes, %(received_at)s, %(mapping)s
from given
"""

_CHOICES = {
    "contract": "q.contract = %(contract)s",
    "field": "q.field = %(field)s",
    "rule": "case when %(field)s::text is null then %(rule)s = any(q.rules) else q.rule = %(rule)s end",
    "receipt": "q.receipt_id = %(receipt)s",
    "since": "q.received_at >= %(since)s",
    "until": "q.received_at < %(until)s",
    "act": "q.act_id = %(last_act)s",
    "ids": "q.id = any(%(ids)s)",
    "source": "exists (select from ingest_receipts as r where r.tenant_id = q.tenant_id and r.id = q.receipt_id "
    "and position(lower(%(source)s) in lower(r.source)) > 0)",
    "text": "exists (select from ingest_quarantine_payloads as p where p.tenant_id = q.tenant_id and p.id = q.id "
    "and position(lower(%(text)s) in lower(p.errors::text)) > 0)",
}
_RECORDS = """
select q.id, q.receipt_id, q.contract, q.line, q.state, q.rules, q.raw_bytes, q.received_at, q.remaining, q.act_id,
       q.changed_at, q.mapping_id, p.errors, p.raw_sealed, e.record_sealed
from ingest_quarantined_records as q
left join ingest_quarantine_payloads as p on p.tenant_id = q.tenant_id and p.id = q.id
left join ingest_quarantine_edits as e on e.tenant_id = q.tenant_id and e.id = q.id
where q.tenant_id = %(tenant)s
"""
_CAUSES = """
select c.contract, c.field, c.rule, c.records, c.edited, c.ready, coalesce(e.reason, '')
from (select q.contract, q.field, q.rule, count(*) as records, count(*) filter (where q.state = 'edited') as edited,
             count(*) filter (where q.remaining = '[]') as ready
      from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {0} group by q.contract, q.field, q.rule) as c
left join lateral (select p.errors -> 0 ->> 'reason' as reason from ingest_quarantined_records as q
                   join ingest_quarantine_payloads as p on p.tenant_id = q.tenant_id and p.id = q.id
                   where q.tenant_id = %(tenant)s and q.contract = c.contract and q.field = c.field
                     and q.rule = c.rule {0} order by q.id desc limit 1) as e on true
order by c.records desc, c.contract, c.field, c.rule
"""


class QuarantineStore:
    """Quarantined records of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_quarantined(self, shape: Shape, new: Sequence[NewReceipt], seal: Sealer) -> None:
        """Insert the refused records of these receipts, what was sent sealed."""
        guard, mapping = Guard(shape.classified), MappingStore(self._tx).keep(shape.mapping)
        for one in new:
            refused = one.result.refused
            for start in range(0, len(refused), _CHUNK):
                part = refused[start : start + _CHUNK]
                # In their order, so that rows which follow each other in the file and in the table do so by key, too:
                # whoever walks along the keys finds dozens of them on a page instead of one.
                ids = sorted(new_id() for _ in part)
                said: dict[bytes, int] = {}
                places = [
                    said.setdefault(msgspec.json.encode(guard.guarded(record.errors)), len(said) + 1) for record in part
                ]
                self._tx.write(
                    _INSERT_QUARANTINED,
                    {
                        "tenant": self._tenant,
                        "contract": one.contract,
                        "received_at": one.received_at,
                        "mapping": mapping,
                        "ids": ids,
                        "receipt": one.id,
                        "lines": [record.line for record in part],
                        "said": (b"[%b]" % b",".join(said)).decode(),
                        "places": places,
                        "sealed": [
                            seal.seal(identifier, _payload(record))
                            for identifier, record in zip(ids, part, strict=True)
                        ],
                        "sizes": [record.raw_bytes for record in part],
                        "hashes": [record.sha256 for record in part],
                    },
                )

    def mappings(self, wanted: Selection) -> list[Mapping | None]:
        """By which mappings the records that fit came; None stands for those that came without one."""
        condition, arguments = chosen(wanted)
        fitting = f"from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {condition}"
        ids = (
            self._connection.exec_driver_sql(
                f"select distinct q.mapping_id {fitting}", {"tenant": self._tenant, **arguments}
            )
            .scalars()
            .all()
        )
        known = MappingStore(self._tx).known(ids)
        return [None if one is None else known[one] for one in ids]

    def sealer(self) -> Sealer:
        """What seals refused records of this tenant now."""
        return sealer(self._tx, RAW_SEALED)

    def quarantined(self, wanted: Selection, before: uuid.UUID | None, limit: int) -> list[QuarantinedRecord]:
        """Records that fit, newest first, older than `before`."""
        condition, arguments = chosen(wanted)
        if before is not None:
            condition += " and q.id < %(before)s"
        rows = self._connection.exec_driver_sql(
            f"{_RECORDS} {condition} order by q.id desc limit %(limit)s",
            {"tenant": self._tenant, "before": before, "limit": limit, **arguments},
        ).all()
        return self._opened(rows)

    def record(self, identifier: uuid.UUID, *, lock: bool = False) -> QuarantinedRecord | None:
        """One record, whatever its state; with `lock` nobody else changes it until this transaction ends."""
        rows = self._connection.exec_driver_sql(
            f"{_RECORDS} and q.id = %(id)s{' for update of q' if lock else ''}",
            {"tenant": self._tenant, "id": identifier},
        ).all()
        found = self._opened(rows)
        return found[0] if found else None

    def count(self, wanted: Selection) -> tuple[int, uuid.UUID | None]:
        """How many records fit, and the last id among them."""
        condition, arguments = chosen(wanted)
        fitting = f"from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {condition}"
        row = self._connection.exec_driver_sql(
            f"select (select count(*) {fitting}), (select q.id {fitting} order by q.id desc limit 1)",
            {"tenant": self._tenant, **arguments},
        ).one()
        return row[0], row[1]

    def knows(self, contract: str | None, field: str | None) -> bool:
        """Whether a record of that contract was ever refused for that field, whatever became of it; None is any."""
        found = self._connection.exec_driver_sql(
            "select exists(select from ingest_quarantined_records where tenant_id = %(tenant)s "
            "and contract = coalesce(%(contract)s, contract) and field = coalesce(%(field)s, field))",
            {"tenant": self._tenant, "contract": contract, "field": field},
        )
        return bool(found.scalar_one())

    def newest_ids(self, wanted: Selection, limit: int) -> list[uuid.UUID]:
        """The ids of records that fit, newest first."""
        condition, arguments = chosen(wanted)
        rows = self._connection.exec_driver_sql(
            f"select q.id from ingest_quarantined_records as q where q.tenant_id = %(tenant)s {condition} "  # noqa: S608 - conditions of ours
            "order by q.id desc limit %(limit)s",
            {"tenant": self._tenant, "limit": limit, **arguments},
        )
        return [row[0] for row in rows]

    def records(self, ids: Sequence[uuid.UUID]) -> list[QuarantinedRecord]:
        """These records, in the order of their receipts."""
        rows = self._connection.exec_driver_sql(
            f"{_RECORDS} and q.id = any(%(ids)s) order by q.receipt_id, q.id",
            {"tenant": self._tenant, "ids": list(ids)},
        ).all()
        return self._opened(rows)

    def causes(self, wanted: Selection) -> list[QuarantineCause]:
        """Records that fit by contract, field and rule of their first error, most frequent first."""
        condition, arguments = chosen(wanted)
        rows = self._connection.exec_driver_sql(_CAUSES.format(condition), {"tenant": self._tenant, **arguments})
        return [QuarantineCause(*row) for row in rows]

    def note_remaining(self, failures: Sequence[tuple[uuid.UUID, list[FieldError]]]) -> None:
        """Note what records break that could not be released."""
        self._connection.exec_driver_sql(
            "update ingest_quarantined_records as q set remaining = g.rest::jsonb "
            "from unnest(%s::uuid[], %s::text[]) as g(id, rest) where q.tenant_id = %s and q.id = g.id",
            (
                [identifier for identifier, _ in failures],
                [msgspec.json.encode(errors).decode() for _, errors in failures],
                self._tenant,
            ),
        )

    def set_state(self, act: uuid.UUID, at: datetime, ids: Sequence[uuid.UUID], state: str) -> None:
        """Give these records a state; opened again, they lose their edit."""
        self._connection.exec_driver_sql(
            "update ingest_quarantined_records set state = %s, remaining = null, act_id = %s, changed_at = %s "
            "where tenant_id = %s and id = any(%s)",
            (state, act, at, self._tenant, list(ids)),
        )
        if state == "open":
            self._connection.exec_driver_sql(
                "delete from ingest_quarantine_edits where tenant_id = %s and id = any(%s)", (self._tenant, list(ids))
            )

    def forget(self, now: datetime) -> None:
        """Delete records that wait no more after 30 days, and what was kept of them."""
        gone = (
            "delete from {} where tenant_id = %s and id in (select id from ingest_quarantined_records "
            "where tenant_id = %s and state in ('released', 'discarded') and received_at < %s)"
        )
        before = (self._tenant, self._tenant, now - timedelta(days=30))
        for table in (quarantine_edits, quarantine_payloads, quarantined_records):
            self._connection.exec_driver_sql(gone.format(table.name), before)

    def holding(self, wanted: re.Pattern[bytes]) -> Iterator[list[uuid.UUID]]:
        """The ids of records in whose sealed content this is found, some at a time."""
        for table, column, name in (
            (quarantine_payloads, quarantine_payloads.c.raw_sealed, RAW_SEALED),
            (quarantine_edits, quarantine_edits.c.record_sealed, RECORD_SEALED),
        ):
            after = uuid.UUID(int=0)
            while True:
                mine = (table.c.tenant_id == self._tenant) & (table.c.id > after) & column.is_not(None)
                rows = self._connection.execute(
                    sa.select(table.c.id, column).where(mine).order_by(table.c.id).limit(_CHUNK)
                ).all()
                if not rows:
                    break
                after = rows[-1][0]
                opened = unseal_bytes(self._tx, name, [(row[0], bytes(row[1])) for row in rows])
                found = [row[0] for row, plain in zip(rows, opened, strict=True) if plain and wanted.search(plain)]
                if found:
                    yield found

    def blank(self, ids: Sequence[uuid.UUID]) -> int:
        """Empty these records: what was sent, what was changed of it, and what was said of its values."""
        given = (self._tenant, list(ids))
        self._connection.exec_driver_sql(
            "delete from ingest_quarantine_edits where tenant_id = %s and id = any(%s)", given
        )
        self._connection.exec_driver_sql(
            "update ingest_quarantined_records set remaining = null, state = case when state = 'edited' then 'open' "
            "else state end where tenant_id = %s and id = any(%s)",
            given,
        )
        return self._connection.exec_driver_sql(
            "update ingest_quarantine_payloads set raw_sealed = null, errors = '[]' "
            "where tenant_id = %s and id = any(%s)",
            given,
        ).rowcount

    def unaccounted(self) -> list[Any]:
        """Receipts whose refused records are not all there: (id, quarantined, kept, released, kept as released)."""
        return list(
            self._connection.exec_driver_sql(
                "select r.id, r.quarantined, count(q.id) filter (where q.state <> 'released'), r.released, "
                "count(q.id) filter (where q.state = 'released') from ingest_receipts as r left join "
                "ingest_quarantined_records as q on q.tenant_id = r.tenant_id and q.receipt_id = r.id "
                "where r.tenant_id = %s and r.quarantined + r.released > 0 and r.received_at > now() - interval "
                "'30 days' group by r.id, r.quarantined, r.released "
                "having count(q.id) filter (where q.state <> 'released') <> r.quarantined "
                "or count(q.id) filter (where q.state = 'released') <> r.released limit 100",
                (self._tenant,),
            )
        )

    def _opened(self, rows: Sequence[Any]) -> list[QuarantinedRecord]:
        raws = unseal_bytes(self._tx, RAW_SEALED, [(row.id, _bytes(row.raw_sealed)) for row in rows])
        edits = unseal_bytes(self._tx, RECORD_SEALED, [(row.id, _bytes(row.record_sealed)) for row in rows])
        known = MappingStore(self._tx).known([row.mapping_id for row in rows])
        return [
            _record(row, raw, edit, known.get(row.mapping_id)) for row, raw, edit in zip(rows, raws, edits, strict=True)
        ]


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


class Payload(msgspec.Struct, array_like=True, frozen=True):
    """What is sealed of a record: its bytes, the columns of its header, value and reason of each error, its number."""

    raw: bytes
    names: tuple[str, ...]
    said: list[tuple[str, str]]
    number: int = 0


_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Payload)
NOTHING = Payload(b"", (), [])


def _payload(record: RefusedRecord) -> bytes:
    said = [(error.value, error.reason) for error in record.errors]
    return _ENCODER.encode(Payload(record.raw, record.names, said, record.number))


def read_payload(plain: bytes) -> Payload:
    """What was sealed of a record."""
    return _DECODER.decode(plain)


def _record(row: Any, plain: bytes | None, edited: bytes | None, mapping: Mapping | None) -> QuarantinedRecord:
    sent = NOTHING if plain is None else read_payload(plain)
    known = [FieldError(**error) for error in row.errors or ()]
    errors = [
        FieldError(error.field, error.rule, value, reason)
        for error, (value, reason) in zip(known, sent.said, strict=False)
    ]
    return QuarantinedRecord(
        id=row.id,
        receipt_id=row.receipt_id,
        contract=row.contract,
        line=row.line,
        state=row.state,
        rules=tuple(row.rules),
        errors=errors or known,
        raw=sent.raw,
        raw_bytes=row.raw_bytes,
        received_at=row.received_at,
        names=sent.names,
        number=sent.number,
        mapping=mapping,
        edited=edited,
        remaining=None if row.remaining is None else msgspec.convert(row.remaining, list[FieldError]),
        act_id=row.act_id,
        changed_at=row.changed_at,
    )


def chosen(wanted: Selection) -> tuple[str, dict[str, Any]]:
    """The condition behind `where tenant_id = ...`, and what stands in it."""
    arguments = msgspec.structs.asdict(wanted)
    parts = [choice for name, choice in _CHOICES.items() if arguments[name] is not None]
    arguments["last_act"] = arguments.pop("act")
    if wanted.ids is not None:
        arguments["ids"] = list(wanted.ids)
    parts.append("q.state in ('open', 'edited')" if wanted.state is None else "q.state = %(state)s")
    return "and " + " and ".join(parts), arguments
