"""What became of records: receipts and counts."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec

from finer.ingest.types.records import BodyResult

T = TypeVar("T")

READER = "pipeline"
"""The consumer of the event log that decides; its progress says whether a receipt is done."""


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A body to be accounted for. `skipped` rows of its batch come before its own; None when none was accepted."""

    id: uuid.UUID
    contract: str
    contract_version: str
    source: str
    result: BodyResult
    received_at: datetime
    stream: str
    partition: int
    skipped: int | None
    problems: list[BrokenField]
    idempotency_key: str | None = None
    body_hash: bytes | None = None


class BrokenField(msgspec.Struct, frozen=True):
    """A broken field of a refused record, as a receipt shows it."""

    line: int
    field: str
    rule: str
    value: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one body. Once `state` is done, received = accepted + duplicate + quarantined.

    `duplicate` counts records that were sent before, and among them `conflicting` those whose content differed;
    `released` counts those that came back from quarantine, and are accepted or duplicate since then.
    """

    id: uuid.UUID
    contract: str
    contract_version: str | None
    received: int
    accepted: int
    duplicate: int
    conflicting: int
    quarantined: int
    released: int
    state: Literal["processing", "done"]
    received_at: datetime
    source: str
    unknown_fields: list[str]
    problems: list[BrokenField]


class ReceiptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which receipts to list; None is any. `source` is found anywhere in a source; `before` is the last id seen."""

    contract: str | None = None
    source: str | None = None
    done: bool | None = None
    before: uuid.UUID | None = None


class ContractCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What came in for one contract over the last 24 hours, and per second just now."""

    contract: str
    received: int
    accepted: int
    duplicate: int
    quarantined: int
    released: int
    accepted_per_s: float
    last_event_at: datetime | None


class Throughput(msgspec.Struct, frozen=True):
    """Records accepted per second in the five seconds from `at`, which are over."""

    at: datetime
    events_per_s: float


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from a record's arrival to the commit of what was decided on it; None when nothing came in."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class WaitedCount(msgspec.Struct, frozen=True):
    """Records of a contract decided in a step of time from `at` on, counted by how long they had waited for it.

    `counts` has one entry for each bucket of `finer.ingest.rules.rates`.
    """

    contract: str
    at: datetime
    counts: list[int]


class StepCount(msgspec.Struct, frozen=True):
    """What came in for a contract in a step of time from `at` on; `processed` are finished, duplicates among them."""

    contract: str
    at: datetime
    received: int
    quarantined: int
    processed: int
    duplicates: int


class PassedCount(msgspec.Struct, frozen=True):
    """Records that came in from `at` on, and those of them that were not refused then."""

    at: datetime
    received: int
    passed: int


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by contract of the last 24 hours, and throughput and latency of the last five minutes."""

    contracts: list[ContractCounts]
    throughput: list[Throughput]
    latency: Latency


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list; `next` is the cursor of the page behind it, or None."""

    items: list[T]
    next: str | None


Offsets = dict[tuple[str, int], int]
"""How far a consumer has come: its next offset for every (stream, partition)."""
