"""Sums of the firm's records: what a batch adds to the minutes, hours and days in which its records happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from finer.ingest.service import receipts
from finer.kit.columns import Columns
from finer.kit.errors import Conflict
from finer.kit.log import Position, PostgresLog
from finer.kit.tx import Tx
from finer.operations.rules.grouping import MEASURED, group
from finer.operations.rules.spans import kept_since
from finer.operations.store import lake
from finer.operations.store.rollups import RollupStore
from finer.operations.types.sums import DAY_S, HOUR_S, MINUTE_S, SUMMED, Array, Grain, Groups

CHANNEL = "finer_operations"
"""Notified with the tenant's id whenever sums have changed."""
REBUILD_JOB = "rebuild_sums"
CONSUMER = "rollups"
"""The consumer of the event log that keeps the sums; it follows the pipeline."""
SUMMED_UP = frozenset(MEASURED)
"""The contracts whose records are summed up."""
READ = {contract: frozenset({"occurred_at", *measured.columns}) for contract, measured in MEASURED.items()}
"""The columns that their sums are made from, by contract."""
_AT_ONCE = 10_000  # groups of one statement
_KEEPS_UP = timedelta(seconds=5)
"""Sums that hold everything older than this keep up: ten times what they usually are behind."""
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def begin(tx: Tx, position: Position, offset: int) -> None:
    """Note that sums hold the records of a stream from this offset on; only the first call says something."""
    RollupStore(tx).begin(*position, offset)


def add(tx: Tx, contract: str, columns: Columns, fresh: Array) -> int:
    """Add records to the sums; returns to how many. `fresh`, shape (rows,), bool: seen for the first time.

    Call it in the transaction that moves the consumer. A late record counts in the minute in which it happened, unless
    minutes of then are not kept any more.
    """
    groups = group(columns, MEASURED[contract], fresh)
    if groups is None:
        return 0
    RollupStore(tx).add(contract, groups, {**kept_since(tx.now()), DAY_S: _ALWAYS})
    tx.notify(CHANNEL, [str(tx.tenant)])
    return len(groups.minutes)


def sums_of_lake(
    read: Callable[[str, dict[str, Any]], dict[str, list[Any]]],
    contract: str,
    ends: Mapping[int, int],
    now: datetime,
) -> list[Groups]:
    """What a contract's records add up to in the lake, each partition up to its end, in parts to be added.

    `read` asks the firm's lake and gives columns; nothing at all stands for a lake without the contract. It may take
    its time, which is why there is no transaction here.
    """
    if not ends:
        return []
    kept = kept_since(now)
    given = {"minutes": kept[MINUTE_S], "hours": kept[HOUR_S]}
    parts = []
    for grain in Grain:
        columns = read(lake.groups(contract, MEASURED[contract], grain, ends), given)
        for first in range(0, len(columns.get("minutes", ())), _AT_ONCE):
            part = {name: columns[name][first : first + _AT_ONCE] for name in Groups.__struct_fields__}
            parts.append(Groups(**part | {name: [int(value) for value in part[name]] for name in SUMMED}))
    return parts


def replace(tx: Tx, contract: str, ends: Mapping[int, int], found: Sequence[Groups], now: datetime) -> int:
    """Keep the sums of the lake in the place of those of a contract; returns how many groups they are.

    Call it with the same `now` and `ends` as for `sums_of_lake`: what comes behind the ends is added to these. Raises
    Conflict when the sums hold more than up to the ends: somebody has moved the consumer since.
    """
    store = RollupStore(tx)
    _check_ends(tx, contract, ends)
    store.clear(contract)
    # Once more: a partition of which nothing was summed up before has no row that could have been held.
    _check_ends(tx, contract, ends)
    for groups in found:
        store.add(contract, groups, {**kept_since(now), DAY_S: _ALWAYS})
    for partition in ends:
        store.begin_anew(contract, partition)
    tx.notify(CHANNEL, [str(tx.tenant)])
    return sum(len(groups.minutes) for groups in found)


def _check_ends(tx: Tx, contract: str, ends: Mapping[int, int]) -> None:
    if PostgresLog.held(tx, CONSUMER, contract) != dict(ends):
        raise Conflict(f"Sums of {contract} have grown while the lake was read. Nothing was changed; try again.")


def behind_since(tx: Tx) -> datetime | None:
    """When the firm's oldest records came that its sums do not hold yet; None while they keep up."""
    return receipts.waiting_since(tx, CONSUMER, sorted(SUMMED_UP), _KEEPS_UP)


def forget_old(tx: Tx) -> int:
    """Delete sums of minutes and hours that have had their time; those of days stay."""
    return RollupStore(tx).forget(kept_since(tx.now()))
