"""What became known of frauds, as rows that stand between the payments of the log: the windows of frauds count them.

A row is made when a label changes what a payment is known as, and waits. The worker takes it before its next batch, and
writes down the offset of that batch in the transaction that commits it. Whoever reads the log again takes the row
before the record of that offset, so windows come out the same in whatever groups and however often it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from finer.fraud.rules.label_rows import KnownLabel, changes, standing
from finer.fraud.rules.windows import KNOWN_BY
from finer.fraud.store import lake
from finer.fraud.store.label_rows import LabelRowStore, hash_column
from finer.kit.hashing import hash_strings
from finer.kit.moments import microseconds
from finer.kit.tx import Tx

CHANNEL = "finer_label_rows"
"""Notified with the firm's id when rows wait."""
AT_ONCE_MAX = 5_000
"""So many rows are taken before one batch; more of them wait for the next."""
Array = np.ndarray[Any, np.dtype[Any]]


class LabelRow(NamedTuple):
    """One row: its number among the firm's, its offset (-1 while it waits), and what the engine takes of it.

    `known_us` are microseconds since 1970 UTC; `hashes` are those of the fields of KNOWN_BY, 0 for none.
    """

    number: int
    offset: int
    known_us: int
    weight: int
    hashes: tuple[int, ...]


def one_at_once(tx: Tx) -> None:
    """Let whoever adds rows wait for each other until the transaction ends; to be called before labels are read."""
    LabelRowStore(tx).one_at_once()


def labels_query() -> str:
    """SQL over the lake: all labels of the payments `$events` (ids) made from `$since` to `$until`, for `add`.

    Columns: event_id, verdict, known_at, in_lake (whether the payment is there), and the fields of KNOWN_BY.
    """
    return lake.labels_query(KNOWN_BY)


def add(tx: Tx, labels: Sequence[Mapping[str, Any]]) -> int:
    """Make the rows that the labels of some payments ask for, and wake the worker. Returns how many.

    `labels` are all rows of `labels_query` for those payments, in its order; payments that are not in the lake are left
    out. Doing it again makes none.
    """
    there = [one for one in labels if one["in_lake"]]
    store = LabelRowStore(tx)
    known = standing(KnownLabel(one["event_id"], one["verdict"], one["known_at"]) for one in there)
    found = changes(known, store.held([one.event_id for one in known]))
    if not found:
        return 0
    fields = {one["event_id"]: one for one in there}
    hashed = {name: _hashes([fields[change.event_id][name] for change in found]) for name in KNOWN_BY}
    store.add(
        [(change, {name: hashed[name][place] for name in KNOWN_BY}) for place, change in enumerate(found)], tx.now()
    )
    tx.notify(CHANNEL, [str(tx.tenant)])
    return len(found)


def naming(tx: Tx) -> list[str]:
    """Payments whose rows hold the hash of an account. None is added before the transaction ends."""
    one_at_once(tx)
    return LabelRowStore(tx).naming()


def part(tx: Tx, events: Sequence[str]) -> int:
    """Empty the hashes of accounts of payments that were parted from a person; returns how many rows had one."""
    return LabelRowStore(tx).part(events)


def waiting(tx: Tx) -> list[LabelRow]:
    """Rows that no batch has taken, the oldest first, at most AT_ONCE_MAX."""
    return _rows(LabelRowStore(tx).waiting(AT_ONCE_MAX))


def pinned(tx: Tx, position: tuple[str, int], first: int) -> list[LabelRow]:
    """Rows that stand before a record of a position with an offset from `first` on, in their order."""
    return _rows(LabelRowStore(tx).pinned(*position, first))


def positions(tx: Tx) -> list[tuple[str, int]]:
    """Streams and partitions before whose records rows stand."""
    return LabelRowStore(tx).positions()


def pin(tx: Tx, position: tuple[str, int], offset: int, rows: Iterable[LabelRow]) -> None:
    """Write down before which record rows were taken."""
    LabelRowStore(tx).pin(*position, offset, [row.number for row in rows])


def told(rows: Sequence[LabelRow]) -> tuple[dict[str, Array], Array, Array]:
    """Rows as the engine is told them: hashes by field, times, weights."""
    hashes = np.array([row.hashes for row in rows], np.int64).reshape(len(rows), len(KNOWN_BY)).view(np.uint64)
    times = np.array([row.known_us for row in rows], np.int64)
    weights = np.array([row.weight for row in rows], np.int64)
    return {name: np.ascontiguousarray(hashes[:, place]) for place, name in enumerate(KNOWN_BY)}, times, weights


def told_relation() -> str:
    """The rows of `told_arguments` as the relation that `finer.features.service.lake_query` asks for."""
    return lake.told_relation(KNOWN_BY)


def told_arguments(tx: Tx, since: datetime) -> dict[str, Any]:
    """The rows that have an offset and became known after a moment, as arguments of `told_relation`."""
    rows = LabelRowStore(tx).since(since)
    return {
        "told_events": [row.event_id for row in rows], "told_offsets": [row.log_offset for row in rows],
        "told_at": [row.known_at for row in rows], "told_weights": [row.weight for row in rows],
    }  # fmt: skip


def _rows(found: Iterable[Any]) -> list[LabelRow]:
    columns = [hash_column(name) for name in KNOWN_BY]
    return [
        LabelRow(
            number=row.number,
            offset=-1 if row.log_offset is None else row.log_offset,
            known_us=microseconds(row.known_at),
            weight=row.weight,
            hashes=tuple(getattr(row, column) or 0 for column in columns),
        )
        for row in found
    ]


def _hashes(texts: list[str | None]) -> list[int | None]:
    """Hashes of texts as PostgreSQL holds them, with a sign."""
    signed = hash_strings(pa.array(texts, pa.string())).view(np.int64).tolist()
    return [value or None for value in signed]
