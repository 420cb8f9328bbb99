"""What the windows forget because a person was erased, as rows that stand between the payments of the log.

Erasing gives an account another name in the lake. Whoever pays with it again begins anew there, and so must the
windows: the worker takes a row before its next batch, as it takes those of `label_rows`, and writes its offset down.

A row holds hashes by which a short id can be found, and is of use only where records from before it are read again: it
goes with the day of the log that holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from finer.fraud.rules.windows import PARTED, PARTED_BY
from finer.fraud.service.label_rows import CHANNEL
from finer.fraud.store.forgotten import ForgottenStore
from finer.fraud.store.label_rows import hash_column
from finer.kit.hashing import hash_strings
from finer.kit.tx import Tx

__all__ = ["PARTED", "Forgotten", "add", "drop", "pin", "pinned", "positions", "told", "waiting"]
Array = np.ndarray[Any, np.dtype[Any]]


class Forgotten(NamedTuple):
    """One row: its number, its offset (-1 while it waits), and by field the hashes of what makes the entity."""

    number: int
    offset: int
    hashes: tuple[tuple[str, int], ...]


def add(tx: Tx, parted: Mapping[tuple[str, ...], Sequence[Sequence[str]]]) -> int:
    """Let the windows forget entities, by the fields that they are made of, and wake the worker; returns how many."""
    rows = [
        dict(zip(fields, hashed, strict=True))
        for fields, found in parted.items()
        if found
        for hashed in zip(*(_hashes([values[at] for values in found]) for at in range(len(fields))), strict=True)
    ]
    if rows:
        ForgottenStore(tx).add(rows, tx.now())
        tx.notify(CHANNEL, [str(tx.tenant)])
    return len(rows)


def waiting(tx: Tx) -> list[Forgotten]:
    """Rows that no batch has taken, the oldest first."""
    return _rows(ForgottenStore(tx).waiting())


def pinned(tx: Tx, position: tuple[str, int], first: int) -> list[Forgotten]:
    """Rows that stand before a record of a position with an offset from `first` on, in their order."""
    return _rows(ForgottenStore(tx).pinned(*position, first))


def positions(tx: Tx) -> list[tuple[str, int]]:
    """Streams and partitions before whose records rows stand."""
    return ForgottenStore(tx).positions()


def pin(tx: Tx, position: tuple[str, int], offset: int, rows: Iterable[Forgotten]) -> None:
    """Write down before which record rows were taken."""
    ForgottenStore(tx).pin(*position, offset, [row.number for row in rows])


def drop(tx: Tx, begins: Mapping[tuple[str, int], int]) -> int:
    """Delete the rows of which the log holds no record before them: it begins at these offsets. Returns how many."""
    return sum(ForgottenStore(tx).drop(*position, begins.get(position, 0)) for position in positions(tx))


def told(rows: Iterable[Forgotten]) -> list[dict[str, Array]]:
    """Rows as the engine is told them: hashes by field, once for each kind of entity."""
    kinds: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for row in rows:
        kinds.setdefault(tuple(name for name, _ in row.hashes), []).append(tuple(value for _, value in row.hashes))
    return [
        {name: np.array([one[at] for one in found], np.int64).view(np.uint64) for at, name in enumerate(names)}
        for names, found in kinds.items()
    ]


def _rows(found: Iterable[Any]) -> list[Forgotten]:
    return [
        Forgotten(
            number=row.number,
            offset=-1 if row.log_offset is None else row.log_offset,
            hashes=tuple((name, value) for name in PARTED_BY if (value := getattr(row, hash_column(name))) is not None),
        )
        for row in found
    ]


def _hashes(texts: list[str]) -> list[int]:
    """Hashes of texts as PostgreSQL holds them, with a sign."""
    signed: list[int] = hash_strings(pa.array(texts, pa.string())).view(np.int64).tolist()
    return signed
