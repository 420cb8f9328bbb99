"""Batches of made-up records."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from finer.warehouse.types import DecisionColumns, Label, LakeBatch

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABEL = Label(event_id="event-3", occurred_at=START, verdict="confirmed_fraud", known_at=START, source="ana")


def sample_batch(
    tenant: uuid.UUID, first: int, rows: int, *, extra: str | None = None, keep: list[bool] | None = None
) -> LakeBatch:
    """Transactions with the log offsets `first` and on; every tenth is blocked by the rule `velocity`."""
    numbers = np.arange(first, first + rows)
    times = pa.array([START + timedelta(seconds=int(n)) for n in numbers], pa.timestamp("us", "UTC"))
    columns = {
        "event_id": pa.array([f"event-{n}" for n in numbers]),
        "occurred_at": times,
        "account_id": pa.array([f"account-{n % 7}" for n in numbers]),
        "amount_minor": pa.array(numbers * 100 + 5),
        "currency": pa.array(["USD"] * rows),
        "merchant_name": pa.array([None if n % 3 == 0 else f"Shop {n % 3}" for n in numbers], pa.string()),
        "merchant_country": pa.array(["GB"] * rows),
        "channel": pa.array(["pos"] * rows),
        "received_at": times,
        "awaited": pa.array([False] * rows),
    }
    if extra is not None:
        columns[extra] = pa.array([f"{extra}-{n}" for n in numbers])
    blocked = numbers % 10 == 0
    return LakeBatch(
        tenant=tenant,
        stream="transaction",
        partition=0,
        next_offset=first + rows,
        events=pa.RecordBatch.from_pydict(columns),
        offsets=numbers,
        keep=None if keep is None else np.array(keep),
        decisions=DecisionColumns(
            actions=np.where(blocked, 2, 0).astype(np.uint8),
            fired=np.where(blocked, 0b10, 0).astype(np.uint64),
            rule_ids=("high_amount", "velocity"),
            scores=(numbers / 1000).astype(np.float32),
            features={
                "account.count_10s": numbers.astype(np.int64) % 5,
                "account.sum_24h": numbers * 0.1,
                "account.mean_30d": pa.array([None if n % 2 else n / 3 for n in numbers], pa.float64()),
                "account.previous_country": np.where(numbers % 2, 0, numbers + 1).astype(np.uint64),
            },
            exact=frozenset({"account.sum_24h"}),
            feature_set="fraud/1",
            rule_pack="default/1",
        ),
    )


def order_batch(tenant: uuid.UUID, first: int, rows: int) -> LakeBatch:
    """Orders with the log offsets `first` and on."""
    numbers = np.arange(first, first + rows)
    return LakeBatch(
        tenant=tenant,
        stream="order",
        partition=0,
        next_offset=first + rows,
        events=pa.RecordBatch.from_pydict(
            {
                "event_id": pa.array([f"order-{n}" for n in numbers]),
                "occurred_at": pa.array([START] * rows, pa.timestamp("us", "UTC")),
                "country": pa.array(["GB"] * rows),
                "amount_minor": pa.array(numbers * 10),
                "received_at": pa.array([START] * rows, pa.timestamp("us", "UTC")),
            }
        ),
        offsets=numbers,
    )
