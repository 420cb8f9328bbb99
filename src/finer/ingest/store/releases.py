"""The SQL of records on their way out of quarantine: taken thousands at a time, and put back where they fail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from finer.ingest.store.mappings import MappingStore
from finer.ingest.store.quarantine import RAW_SEALED, RECORD_SEALED, chosen, read_payload
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.records import FieldError, Mapping
from finer.kit.crypto.bulk import unseal_bytes
from finer.kit.db import many_rows
from finer.kit.tx import Tx

_EDIT = msgspec.msgpack.Decoder(tuple[bytes, msgspec.Raw])
"""An edit as `service.repairs` keeps it: the record as a line, and how sensitive its new values are."""
_UNREADABLE = ["json", "invalid_utf8", "duplicate_key", "not_finite"]
"""Rules after which the bytes that were sent may be no JSON object with every name once."""

# The state is changed and the content read in one statement, so that what is read is exactly what is released; a record
# that somebody else takes is waited for, and passed over then. The range stands at each of the tables, so that they are
# read along their keys and laid beside each other. Ids are texts, because the seal wants them as texts and a million
# UUID objects cost as much as opening the seals.
_TAKE = """
with taken as (
  update ingest_quarantined_records as q set state = 'released', remaining = null, act_id = %(act)s, changed_at = %(at)s
  from ingest_quarantined_records as was
  where q.tenant_id = %(tenant)s {0} and q.id > %(after)s and q.id <= %(upto)s
    and was.tenant_id = %(tenant)s and was.id = q.id and was.id > %(after)s and was.id <= %(upto)s
  returning q.id, q.receipt_id, q.line, q.mapping_id, q.rules && %(unreadable)s::text[] as unreadable, q.raw_bytes,
    was.act_id, was.changed_at)
select t.id::text, t.receipt_id::text, t.line, t.mapping_id, t.unreadable, t.raw_bytes, t.act_id::text,
       t.changed_at::text, e.record_sealed, case when e.id is null or t.mapping_id is not null then p.raw_sealed end
from taken as t
left join ingest_quarantine_edits as e on e.tenant_id = %(tenant)s and e.id = t.id
  and e.id > %(after)s and e.id <= %(upto)s
left join ingest_quarantine_payloads as p on p.tenant_id = %(tenant)s and p.id = t.id
  and p.id > %(after)s and p.id <= %(upto)s
"""
_PUT_BACK = """
update ingest_quarantined_records as q set state = g.state, act_id = g.act, changed_at = g.at, remaining = g.rest::jsonb
from unnest(%(ids)s::uuid[], %(states)s::text[], %(acts)s::uuid[], %(times)s::timestamptz[], %(remaining)s::text[])
  as g(id, state, act, at, rest)
where q.tenant_id = %(tenant)s and q.id = g.id
"""
_EMPTY = """
with gone as materialized (
  select id from ingest_quarantined_records where tenant_id = %(tenant)s and id > %(after)s and id <= %(upto)s
    and act_id = %(act)s and state = 'released'),
edits as (
  delete from ingest_quarantine_edits as e using gone where e.tenant_id = %(tenant)s and e.id = gone.id
    and e.id > %(after)s and e.id <= %(upto)s)
delete from ingest_quarantine_payloads as p using gone where p.tenant_id = %(tenant)s and p.id = gone.id
  and p.id > %(after)s and p.id <= %(upto)s
"""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A record that was taken: `line` is what it says as a line of NDJSON, `edited` by somebody or as it was sent.

    The line is None where its bytes are none: it came as CSV, cannot be read, was cut off, or is erased. `act` and
    `changed_at` are what was last done with it.
    """

    id: str
    receipt: str
    place: int
    mapping: Mapping | None
    number: int
    line: bytes | None
    edited: bool
    act: str | None
    changed_at: str | None


class Step(msgspec.Struct, frozen=True):
    """The records of a selection behind `after` up to `upto`, which an act releases at a moment."""

    wanted: Selection
    after: uuid.UUID | None
    upto: uuid.UUID
    act: uuid.UUID
    at: datetime


class ReleaseStore:
    """Records of one tenant that leave quarantine in a step."""

    def __init__(self, tx: Tx, step: Step) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._step = step
        self._bounds = {
            "tenant": tx.tenant, "after": step.after or uuid.UUID(int=0), "upto": step.upto, "act": step.act,
            "at": step.at,
        }  # fmt: skip

    def take(self) -> list[Taken]:
        """Release the records of the step, and return what they hold by receipt and line."""
        condition, arguments = chosen(self._step.wanted)
        given = {**arguments, "unreadable": _UNREADABLE, **self._bounds}
        rows = many_rows(self._connection, _TAKE.format(condition), given)
        edits = unseal_bytes(self._tx, RECORD_SEALED, [(row[0], row[8]) for row in rows])
        sent = unseal_bytes(self._tx, RAW_SEALED, [(row[0], row[9]) for row in rows])
        known = MappingStore(self._tx).known({row[3] for row in rows})
        found = [_taken(row, edit, raw, known.get(row[3])) for row, edit, raw in zip(rows, edits, sent, strict=True)]
        found.sort(key=attrgetter("place"))
        found.sort(key=attrgetter("receipt"))
        return found

    def put_back(self, failed: Sequence[tuple[Taken, list[FieldError]]]) -> None:
        """These records wait as they did, with what they break; with nothing it is not known what."""
        given = {
            "tenant": self._tx.tenant,
            "ids": [one.id for one, _ in failed],
            "states": ["edited" if one.edited else "open" for one, _ in failed],
            "acts": [one.act for one, _ in failed],
            "times": [one.changed_at for one, _ in failed],
            "remaining": [msgspec.json.encode(errors).decode() if errors else None for _, errors in failed],
        }
        self._connection.exec_driver_sql(_PUT_BACK, given)

    def empty(self) -> None:
        """What was kept of those that are released is gone: it is in the log."""
        self._connection.exec_driver_sql(_EMPTY, self._bounds)


def _taken(row: Sequence[Any], edit: bytes | None, raw: bytes | None, mapping: Mapping | None) -> Taken:
    identifier, receipt, place, _, unreadable, raw_bytes, act, changed_at, _, _ = row
    sent = None if raw is None else read_payload(raw)
    number = 0 if sent is None else sent.number
    line = None
    if edit is not None:
        line = _EDIT.decode(edit)[0]
    elif sent is not None and not unreadable and not sent.names and raw_bytes <= len(sent.raw):
        # JSON has line breaks only between its tokens.
        line = sent.raw.replace(b"\n", b" ").replace(b"\r", b" ")
    return Taken(identifier, receipt, place, mapping, number, line, edit is not None, act, changed_at)
