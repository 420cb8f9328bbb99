"""The sums that dashboards show, held to the records in the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from finer.kit.log import PostgresLog
from finer.kit.moments import EPOCH
from finer.kit.tx import Tx
from finer.operations.rules.grouping import MEASURED
from finer.operations.rules.spans import kept_since
from finer.operations.service.rollups import CONSUMER
from finer.operations.store import lake
from finer.operations.store.rollups import RollupStore
from finer.operations.types.sums import DAY_S, MINUTE_S, OTHER, Sums

SAMPLE = 20
"""Days and minutes of each contract that are looked at."""
_APART = 3
"""Days that are looked at by region and channel, and by product: there may be thousands of sums in each."""
Read = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
_Key = tuple[int, str, str, str, str]
_Values = tuple[int, ...]
_LOOKED_AT: tuple[tuple[int, str, int, tuple[str, ...]], ...] = (
    (DAY_S, "day", SAMPLE, ()),
    (MINUTE_S, "minute", SAMPLE, ()),
    (DAY_S, "day", _APART, ("region", "channel")),
    (DAY_S, "day", _APART, ("product",)),
)
_SUMMED = ("records", "quantity", "amount", "costed", "costed_amount", "cost")


class Expected(msgspec.Struct, frozen=True):
    """What a query over the lake has to find of a contract; `when` is empty for records that no sum counts."""

    contract: str
    when: str
    query: str
    values: dict[str, Any]
    counted: dict[_Key, _Values]
    by: tuple[str, ...] = ()


def expected(tx: Tx) -> list[Expected]:
    """What the lake is to be held to: all records by kind, and a sample of days and minutes, of each contract.

    It is asked about those records alone that the sums count by now, whatever comes meanwhile. `tx` has to be one with
    `snapshot`: the sums would hold more than their offsets say where they are added to between two queries.
    """
    store, found = RollupStore(tx), []
    ends: dict[str, dict[int, int]] = {}
    for (stream, partition), (_, end) in PostgresLog.progress(tx.connection, CONSUMER).items():
        ends.setdefault(stream, {})[partition] = end
    # Minutes that are about to be forgotten do not take in late records any more.
    oldest = {DAY_S: EPOCH, MINUTE_S: kept_since(tx.now() + timedelta(days=1))[MINUTE_S]}
    until = tx.now() + timedelta(days=2)
    beginnings = store.beginnings()
    for contract, measured in sorted(MEASURED.items()):
        begun, done = beginnings.get(contract, {}), ends.get(contract, {})
        before = {one: (0, min(begun.get(one, end), end)) for one, end in done.items()}
        found.append(Expected(contract, "", lake.count(contract, before), {}, {}))
        partitions = {one: (since, done.get(one, 0)) for one, since in begun.items()}
        if not partitions:
            continue
        counted = dict(map(_counted, store.whole(contract)))
        found.append(Expected(contract, "altogether", lake.sums(contract, measured, partitions, None), {}, counted))
        for step_s, name, sample, by in _LOOKED_AT:
            counted = dict(map(_counted, store.of_buckets(contract, step_s, sample, (oldest[step_s], until), by)))
            if counted:
                values: dict[str, Any] = {one: store.values(contract, one) for one in by}
                values |= {"buckets": sorted({key[0] for key in counted})} | ({"other": OTHER} if by else {})
                query = lake.sums(contract, measured, partitions, step_s, by)
                found.append(Expected(contract, f"in a {name}", query, values, counted, by))
    return found


def differences(held: Sequence[Expected], read: Read) -> list[str]:
    """Where sums differ from the lake, as sentences; without a transaction, which would wait for the lake.

    `read` asks the firm's lake, and gives nothing for a contract that it does not hold.
    """
    found = []
    for one in held:
        rows = read(one.query, one.values)
        found += _compare(one, rows) if one.when else _left_out(one.contract, rows)
    return found


def _left_out(contract: str, rows: list[dict[str, Any]]) -> list[str]:
    records = sum(row["records"] for row in rows)
    if not records:
        return []
    return [
        f"Sums of {contract} lack {records:,} records of the lake that came before. The job rebuild_sums adds them."
    ]


def _counted(one: Sums) -> tuple[_Key, _Values]:
    begins = 0 if one.at is None else (one.at - EPOCH) // timedelta(seconds=1)
    values = (one.records, one.quantity, one.amount_minor, one.costed, one.costed_minor, one.cost_minor)
    return (begins, one.kind, one.status, one.currency, one.label), values


def _compare(expected: Expected, rows: list[dict[str, Any]]) -> list[str]:
    counted = expected.counted
    held: dict[_Key, _Values] = {
        (int(row["begins"]), row["kind"], row["status"], row["currency"], "\n".join(row[one] for one in expected.by)):
            tuple(int(row[name]) for name in _SUMMED)
        for row in rows
    }  # fmt: skip
    nothing = (0,) * len(_SUMMED)
    return [
        f"Sums of {expected.contract} ({', '.join(part for text in key[1:] for part in text.splitlines() if part)}) "
        f"{expected.when}"
        f"{f' from {EPOCH + timedelta(seconds=key[0]):%Y-%m-%d %H:%M} on' if key[0] else ''} are "
        f"{counted.get(key, nothing)}, the lake says {held.get(key, nothing)} (records, units, "
        "amount; with a cost: records, amount, cost). The job rebuild_sums makes them anew."
        for key in sorted(counted.keys() | held.keys())
        if counted.get(key, nothing) != held.get(key, nothing)
    ]
