"""The SQL of records that are changed: what they say, read thousands at a time, and what they say then."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from finer.ingest.store.mappings import MappingStore
from finer.ingest.store.quarantine import NOTHING, RAW_SEALED, RECORD_SEALED, chosen, read_payload
from finer.ingest.store.releases import BESIDE, WITH_WHAT_IS_KEPT
from finer.ingest.types.quarantine import KeptRecord, Selection
from finer.ingest.types.records import FieldError, Mapping
from finer.kit.crypto.bulk import sealer, unseal_bytes
from finer.kit.db import many_rows, write_all
from finer.kit.tx import Tx

Edit = tuple[uuid.UUID, bytes, list[FieldError]]
"""A record, what is kept of its change, and what it still breaks."""

_WAITING = f"""
select q.id, q.rules, q.raw_bytes, q.received_at, q.mapping_id, e.record_sealed,
       case when e.id is null or q.mapping_id is not null then p.raw_sealed end
{WITH_WHAT_IS_KEPT}"""
_KEPT = """
with given as (select * from unnest(%(ids)b::uuid[], %(sealed)b::bytea[], %(remaining)b::text[])
  as g(id, sealed, rest)),
kept as (insert into ingest_quarantine_edits (tenant_id, id, record_sealed) select %(tenant)s, id, sealed from given
  on conflict (tenant_id, id) do update set record_sealed = excluded.record_sealed)
update ingest_quarantined_records as q set state = 'edited', remaining = g.rest::jsonb, act_id = %(act)s,
  changed_at = %(at)s from given as g
where q.tenant_id = %(tenant)s and q.id = g.id and q.id >= %(first)s and q.id <= %(last)s
"""


class EditStore:
    """Records of one tenant that are changed."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._seal = sealer(tx, RECORD_SEALED)

    def waiting(
        self, wanted: Selection, after: uuid.UUID | None, until: uuid.UUID, part: int
    ) -> Iterator[list[KeptRecord]]:
        """The records that fit, behind `after` up to `until`, in the order of their ids; nobody else changes them now.

        At most `part` at once: they are opened when they are asked for.
        """
        condition, arguments = chosen(wanted)
        bounds = {"tenant": self._tx.tenant, "after": after or uuid.UUID(int=0), "upto": until}
        self._connection.exec_driver_sql(BESIDE.format("off"))
        rows = many_rows(self._connection, _WAITING.format(condition), {**bounds, **arguments})
        self._connection.exec_driver_sql(BESIDE.format("on"))
        known = MappingStore(self._tx).known({row[4] for row in rows})
        for start in range(0, len(rows), part):
            some = rows[start : start + part]
            edits = unseal_bytes(self._tx, RECORD_SEALED, [(row[0], row[5]) for row in some])
            sent = unseal_bytes(self._tx, RAW_SEALED, [(row[0], row[6]) for row in some])
            yield [_kept(row, edit, raw, known.get(row[4])) for row, edit, raw in zip(some, edits, sent, strict=True)]

    def keep(self, act: uuid.UUID, at: datetime, edits: Sequence[Edit]) -> None:
        """Keep changed records, each with what it still breaks; they stand in the order of their ids.

        May run in a thread beside another that uses this transaction: the two take turns at the server.
        """
        given = {
            "tenant": self._tx.tenant,
            "act": act,
            "at": at,
            "ids": [identifier for identifier, _, _ in edits],
            "sealed": [self._seal.seal(identifier, record) for identifier, record, _ in edits],
            "remaining": [msgspec.json.encode(errors).decode() if errors else "[]" for _, _, errors in edits],
            "first": edits[0][0],
            "last": edits[-1][0],
        }
        write_all(self._connection, [_KEPT], given)


def _kept(row: Sequence[Any], edited: bytes | None, raw: bytes | None, mapping: Mapping | None) -> KeptRecord:
    identifier, rules, raw_bytes, received_at, _, _, _ = row
    sent = NOTHING if raw is None else read_payload(raw)
    return KeptRecord(
        id=identifier, rules=tuple(rules), raw=sent.raw, raw_bytes=raw_bytes, received_at=received_at,
        names=sent.names, number=sent.number, mapping=mapping, edited=edited,
    )  # fmt: skip
