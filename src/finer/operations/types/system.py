"""How the firm's part of the system does."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Gauge(msgspec.Struct, frozen=True):
    """What was read of something at a moment; `label` tells several of one name apart."""

    name: str
    label: str
    value: float


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a gauge in one bucket of time: how often, what the readings add up to, and the highest."""

    name: str
    label: str
    at: datetime
    samples: int
    total: float
    highest: float


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements by name in one bucket of time; what was not measured then is left out."""

    at: datetime
    values: dict[str, float]


class ContractFlow(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a contract in a span, and how many milliseconds records waited to be decided.

    `per_s` is what was received by second in the last whole minute, whatever the span.
    """

    contract: str
    per_s: float
    received: int
    decided: int
    duplicates: int
    refused: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class StageDelay(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes to a stage: most records of the span (99 of 100, or the slowest reading), and now.

    `waiting_s` is for how long the oldest records wait for it, 0 while it keeps up, None where that is not known.
    """

    stage: Literal["decided", "sums", "lake"]
    slowest_s: float | None
    waiting_s: float | None


class TableFreshness(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the lake: rows, its newest one, the age of that, and how long rows took into it last."""

    table: str
    rows: int
    newest: datetime | None
    age_s: float | None
    delay_s: float


class JobsNow(msgspec.Struct, frozen=True, kw_only=True):
    """Work of the firm that has not ended, since when the oldest waits, and how much failed in the span."""

    open: int
    oldest_at: datetime | None
    failed: int
