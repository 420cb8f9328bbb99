"""Refused records, and what people do with them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

import msgspec

from finer.ingest.types.records import FieldError, Mapping


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which quarantined records; None is any, and no `state` means those that wait: open and edited ones.

    `act` is the last thing that was done with them.
    `rule` is any broken rule, and with `field` the first one; `text` is found in the reasons, and in the values that
    are not personal.
    """

    contract: str | None = None
    field: str | None = None
    rule: str | None = None
    text: str | None = None
    receipt: uuid.UUID | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: str | None = None
    act: uuid.UUID | None = None
    ids: tuple[uuid.UUID, ...] | None = None


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a refused record says: `raw` is the beginning of the `raw_bytes` that were sent, which broke `rules`.

    `names` are the columns of a CSV header, and `edited` is what somebody made of it. Where a `mapping` has read it, it
    is the record with this `number` of its file, in the columns of the file. The content of a released one is in the
    log, and no longer here.
    """

    id: uuid.UUID
    rules: tuple[str, ...]
    raw: bytes
    raw_bytes: int
    received_at: datetime
    names: tuple[str, ...] = ()
    number: int = 0
    mapping: Mapping | None = None
    edited: bytes | None = None


class QuarantinedRecord(KeptRecord, frozen=True, kw_only=True):
    """A refused record as it is kept, with every broken field; `remaining` is what an edited one still breaks."""

    receipt_id: uuid.UUID
    contract: str
    line: int
    state: str
    errors: list[FieldError]
    remaining: list[FieldError] | None = None
    act_id: uuid.UUID | None = None
    changed_at: datetime | None = None


class QuarantineCause(msgspec.Struct, frozen=True):
    """How many waiting records a rule holds back, with the newest reason as an example.

    Of them `edited` were changed, and `ready` keep the contract since then.
    """

    contract: str
    field: str
    rule: str
    records: int
    edited: int
    ready: int
    example: str


class Act(msgspec.Struct, kw_only=True):
    """What somebody does to the quarantined records of a selection, and how far it has come.

    Of the `matched` ones `done` were looked at and `changed` are different now. `failed` counts by "field rule" what
    the others, or the changed ones, still break. `cursor` is the last record done, `last` the last one of all.
    """

    id: uuid.UUID
    kind: Literal["edit", "undo", "release", "discard"]
    contract: str
    selection: Selection
    assignments: list[tuple[str, str]]
    reason: str
    state: Literal["running", "done", "cancelled", "failed"]
    matched: int
    done: int = 0
    changed: int = 0
    failed: dict[str, int] = {}
    cursor: uuid.UUID | None = None
    last: uuid.UUID | None = None
    cancelled: bool = False
    error: str = ""
    actor_kind: str
    actor_id: str
    actor_name: str
    created_at: datetime
    finished_at: datetime | None = None
