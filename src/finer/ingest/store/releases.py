"""The SQL of records on their way out of quarantine: what they hold, read and taken away thousands at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec

from finer.ingest.store.mappings import MappingStore
from finer.ingest.store.quarantine import RAW_SEALED, RECORD_SEALED, chosen, read_payload
from finer.ingest.tables import quarantine_edits, quarantine_payloads
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.records import Mapping
from finer.kit.crypto.bulk import unseal_bytes
from finer.kit.db import many_rows, write_all
from finer.kit.tx import Tx

_EDIT = msgspec.msgpack.Decoder(tuple[bytes, msgspec.Raw])
"""An edit as `service.repairs` keeps it: the record as a line, and how sensitive its new values are."""
_UNREADABLE = ["json", "invalid_utf8", "duplicate_key", "not_finite"]
"""Rules after which the bytes that were sent may be no JSON object with every name once."""

# The range stands at each of the tables, so that they are read along their keys and laid beside each other: row-level
# security keeps a join from looking up one row after the other, and without nested loops nobody tries.
BESIDE = "set local enable_nestloop = {}"
WITH_WHAT_IS_KEPT = """\
from ingest_quarantined_records as q
left join ingest_quarantine_edits as e on e.tenant_id = q.tenant_id and e.id = q.id
  and e.tenant_id = %(tenant)s and e.id > %(after)s and e.id <= %(upto)s
left join ingest_quarantine_payloads as p on p.tenant_id = q.tenant_id and p.id = q.id
  and p.tenant_id = %(tenant)s and p.id > %(after)s and p.id <= %(upto)s
where q.tenant_id = %(tenant)s {0} and q.id > %(after)s and q.id <= %(upto)s
order by q.id for update of q
"""
# Ids are texts, because the seal wants them as texts and a million UUID objects cost as much as opening the seals.
_HELD = f"""
select q.id::text, q.receipt_id::text, q.line, q.mapping_id, q.rules && %(unreadable)s::text[], q.raw_bytes,
       e.record_sealed, case when e.id is null or q.mapping_id is not null then p.raw_sealed end
{WITH_WHAT_IS_KEPT}"""

# A list of thousands that the planner can see is estimated value by value, which takes longer than finding the rows.
_LISTED = "id = any(array(select unnest(%(ids)s::uuid[])))"
_RELEASED = f"""
update ingest_quarantined_records set state = 'released', remaining = null, act_id = %(act)s, changed_at = %(at)s
where tenant_id = %(tenant)s and {_LISTED}
"""  # noqa: S608 - constants only
_EMPTIED = f"delete from {{}} where tenant_id = %(tenant)s and {_LISTED}"  # noqa: S608 - constants only


class Held(msgspec.Struct, frozen=True, gc=False):
    """A record that waits: `line` is what it says as a line of NDJSON, `edited` by somebody or as it was sent.

    The line is None where its bytes are none: it came as CSV, cannot be read, was cut off, or is erased.
    """

    id: str
    receipt: str
    mapping: Mapping | None
    number: int
    line: bytes | None
    edited: bool


class ReleaseStore:
    """Records of one tenant that leave quarantine."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def held(self, wanted: Selection, after: uuid.UUID | None, until: uuid.UUID, part: int) -> Iterator[list[Held]]:
        """The records that fit, behind `after` up to `until`; nobody else changes these now.

        Those of one mapping, and of these those of one receipt, stand together in the order of their lines. At most
        `part` at once: they are opened when they are asked for.
        """
        condition, arguments = chosen(wanted)
        bounds = {"after": after or uuid.UUID(int=0), "upto": until, "unreadable": _UNREADABLE}
        self._connection.exec_driver_sql(BESIDE.format("off"))
        rows = many_rows(self._connection, _HELD.format(condition), {"tenant": self._tenant, **bounds, **arguments})
        self._connection.exec_driver_sql(BESIDE.format("on"))
        known = MappingStore(self._tx).known({row[3] for row in rows})
        rows.sort(key=itemgetter(1, 2))
        if known:
            rows.sort(key=lambda row: str(row[3]))
        for start in range(0, len(rows), part):
            some = rows[start : start + part]
            edits = self._opened(RECORD_SEALED, some, 6)
            sent = self._opened(RAW_SEALED, some, 7)
            yield [_held(row, edit, raw, known.get(row[3])) for row, edit, raw in zip(some, edits, sent, strict=True)]

    def _opened(self, column: str, rows: Sequence[Sequence[Any]], place: int) -> list[bytes | None]:
        """What is sealed at `place` of each row; most records have only one of the two, the rest costs nothing."""
        opened: list[bytes | None] = [None] * len(rows)
        sealed = [at for at, row in enumerate(rows) if row[place] is not None]
        plain = unseal_bytes(self._tx, column, [(rows[at][0], rows[at][place]) for at in sealed])
        if len(sealed) == len(rows):
            return plain
        for at, value in zip(sealed, plain, strict=True):
            opened[at] = value
        return opened

    def release(self, act: uuid.UUID, at: datetime, ids: Sequence[str]) -> None:
        """These records are released, and what was kept of them is gone: it is in the log.

        May run in a thread beside another that uses this transaction: the two take turns at the server.
        """
        given = {"tenant": self._tenant, "act": act, "at": at, "ids": f"{{{','.join(ids)}}}"}
        emptied = [_EMPTIED.format(table.name) for table in (quarantine_edits, quarantine_payloads)]
        write_all(self._connection, [_RELEASED, *emptied], given)


def _held(row: Sequence[Any], edit: bytes | None, raw: bytes | None, mapping: Mapping | None) -> Held:
    identifier, receipt, _, _, unreadable, raw_bytes, _, _ = row
    sent = None if raw is None else read_payload(raw)
    number = 0 if sent is None else sent.number
    if edit is not None:
        return Held(identifier, receipt, mapping, number, _EDIT.decode(edit)[0], edited=True)
    line = None
    if sent is not None and not unreadable and not sent.names and raw_bytes <= len(sent.raw):
        # JSON has line breaks only between its tokens.
        line = sent.raw.replace(b"\n", b" ").replace(b"\r", b" ")
    return Held(identifier, receipt, mapping, number, line, edited=False)
