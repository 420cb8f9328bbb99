"""The lake: writing, asking, upkeep, and what it holds of a customer."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from finer.ingest.types.receipts import READER
from finer.kit.clock import Clock, SystemClock
from finer.kit.log import PostgresLog, decode_columns
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse import invariants
from finer.warehouse.errors import LakeEmpty, NotInLakeYet
from finer.warehouse.rules import column_name, table_of
from finer.warehouse.store import history
from finer.warehouse.store.access import LakeAccess, schema_name
from finer.warehouse.store.answers import answered
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.erasing import PARTED, PARTED_PAYMENTS, Parted
from finer.warehouse.store.erasing import part_customer as part_in_lake
from finer.warehouse.store.freshness import FreshnessStore
from finer.warehouse.store.places import place_of
from finer.warehouse.store.readers import create_reader, drop_reader, list_readers
from finer.warehouse.store.reading import LakeReader
from finer.warehouse.store.sandbox import BYTES_MAX as SQL_BYTES_MAX
from finer.warehouse.store.sandbox import Question, SandboxLimits, run_sandboxed
from finer.warehouse.store.sandbox_pool import Sandboxes, Stop
from finer.warehouse.store.shown import expressions, shown_type
from finer.warehouse.store.sink import with_labels
from finer.warehouse.store.upkeep import compact_quietly
from finer.warehouse.store.writer import LakeWriter, recorded_offsets
from finer.warehouse.types import (
    Compaction,
    DecisionColumns,
    Freshness,
    Label,
    Lake,
    LakeBatch,
    LakeTable,
    Position,
    Shown,
    Snapshot,
    SqlResult,
)

__all__ = [
    "PARTED",
    "DecisionColumns",
    "LakeAccess",
    "LakeBatch",
    "LakeReader",
    "LakeWriter",
    "Sandboxes",
    "Shown",
    "Stop",
    "answered",
    "append_labels",
    "broken_invariants",
    "column_name",
    "compact",
    "create_reader",
    "describe",
    "drop_reader",
    "expressions",
    "freshness",
    "label",
    "lake_offsets",
    "list_readers",
    "part_customer",
    "parted_payments",
    "records_of_customer",
    "schema_name",
    "shown_type",
    "snapshots",
    "sql",
    "state",
    "table_of",
]

_log = structlog.get_logger(__name__)
ROWS_MAX_DEFAULT = 10_000
_PAYMENTS = "transaction"


def try_storage(settings: Settings) -> str:
    """Where the files of lakes are, after one was written there and deleted. Raises LakeUnavailable within seconds."""
    place = place_of(settings, to_try=True)
    place.try_out()
    return place.prefix + place.root


def freshness(tx: Tx) -> list[Freshness]:
    """How current each table of the tenant's lake is."""
    return FreshnessStore(tx).all()


def lake_offsets(access: LakeAccess, tenant: uuid.UUID) -> dict[Position, int]:
    """The next log offset of each (stream, partition) that a tenant's lake does not hold; empty without a lake."""
    return recorded_offsets(access, tenant)


def describe(access: LakeAccess, tenant: uuid.UUID) -> list[LakeTable]:
    """The tables of the tenant's lake, with columns and row counts; empty without a lake."""
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        return list(catalogue.tables().values()) if catalogue.exists() else []


def sql(
    access: LakeAccess,
    tenant: uuid.UUID,
    statement: str,
    *,
    rows_max: int = ROWS_MAX_DEFAULT,
    timeout_s: float | None = None,
    memory_mb: int | None = None,
    as_of: datetime | int | None = None,
    bytes_max: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    shown: Callable[[Iterable[LakeTable]], Shown] | None = None,
    secret: bytes = b"",
    pool: Sandboxes | None = None,
    stop: Stop | None = None,
) -> SqlResult:
    """Run one SELECT that a person wrote, in a process of its own, over the newest commit of the tenant's lake.

    `as_of` asks an older state instead: the one of that moment, or the snapshot of that number. `shown` says of any
    tables which columns are seen as tokens or in part, whatever the query does with them; `secret` is what tokens are
    made with, and must be the firm's own. `parameters` are bound to `$name`. Limits not given are those of the
    settings. Raises SqlNotAllowed, SqlFailed, SqlTooLarge, SqlTimeout, SqlCancelled, LakeEmpty or SnapshotGone.
    """
    tables = history.files(access, tenant, as_of, mentioned_in=statement)
    limits = SandboxLimits(
        rows_max=rows_max,
        memory_mb=memory_mb or access.settings.sql_memory_mb,
        timeout_s=timeout_s or access.settings.sql_timeout_s,
        bytes_max=bytes_max or SQL_BYTES_MAX,
        threads=min(4, os.cpu_count() or 1),
    )
    lake = [one.table for one in tables]
    question = Question(
        tables=tables,
        statement=statement,
        shown={} if shown is None else expressions(lake, shown(lake), secret),
        parameters=parameters or {},
    )
    return run_sandboxed(question, limits, pool=pool, stop=stop)


def state(tx: Tx, access: LakeAccess) -> Lake:
    """The firm's lake: tables with sizes and freshness, and how far back it can be asked."""
    known = {one.table: one for one in freshness(tx)}
    tables, oldest = history.stored(access, tx.tenant)
    return Lake(
        as_of=tx.now(),
        storage="folder" if access.place.local else "object storage",
        tables=[msgspec.structs.replace(one, freshness=known.get(one.name)) for one in tables],
        oldest_snapshot=oldest,
        snapshots_keep_days=access.settings.lake_snapshots_keep_days,
    )


def snapshots(access: LakeAccess, tenant: uuid.UUID, limit: int, before: int | None = None) -> list[Snapshot]:
    """The states of the lake that can be asked again, with a number below `before`, the newest first."""
    return history.snapshots(access, tenant, limit, before)


def compact(access: LakeAccess, tenant: uuid.UUID, *, clock: Clock | None = None) -> Compaction:
    """One round of upkeep of a tenant's lake: merge files, forget snapshots, delete unnamed files, mend statistics."""
    now = (clock or SystemClock()).now()
    return compact_quietly(access, tenant, now, timedelta(days=access.settings.lake_snapshots_keep_days))


def part_customer(
    access: LakeAccess,
    tenant: uuid.UUID,
    customer_id: str,
    salt: str,
    columns: Mapping[str, Mapping[str, str]],
    entities: Sequence[tuple[str, ...]] = (),
) -> tuple[dict[str, int], Parted]:
    """Part a customer's records in the lake from them; `columns` says by contract what becomes of which field.

    Returns the rows changed, by table, and by the fields of each of the `entities`, which begin with the account, the
    values that no record names any more. Raises LakeUnavailable; doing it again is right, and tells only what is left.
    """
    by_table = {table_of(contract): wanted for contract, wanted in columns.items()}
    return part_in_lake(access, tenant, customer_id, salt, by_table, entities)


def parted_payments(access: LakeAccess, tenant: uuid.UUID, events: Sequence[str]) -> list[str]:
    """Which of some payments have been parted from whoever made them. Raises LakeUnavailable."""
    reader = LakeReader(access.url, access.settings, threads=1)
    try:
        with suppress(LakeEmpty):
            return list(reader.read(tenant, PARTED_PAYMENTS, {"events": list(events)}).column("event_id").to_pylist())
        return []
    finally:
        reader.close()


def records_of_customer(reader: LakeReader, tenant: uuid.UUID, customer_id: str, limit: int) -> dict[str, list[Any]]:
    """A customer's newest records by table, at most `limit` of each, as the lake keeps them."""
    return reader.records_of_customer(tenant, customer_id, limit)


def append_labels(access: LakeAccess, tenant: uuid.UUID, labels: Sequence[Label]) -> None:
    """Add labels to the lake in one commit; doing it again changes nothing."""
    with with_labels(access, tenant, labels):
        pass


def label(tx: Tx, access: LakeAccess, query: str, labels: Sequence[Label]) -> list[dict[str, Any]]:
    """Add labels as `append_labels` does; returns what a query over the lake answers of their payments.

    The query is about `$events`, made from `$since` to `$until`; its column `in_lake` says whether a payment is there.
    Raises NotInLakeYet when one is not, and is among the payments that were decided and that the lake has still to
    take; LakeUnavailable when the lake cannot be written to or read.
    """
    found: list[dict[str, Any]] = []
    with with_labels(access, tx.tenant, labels) as reader:
        decided = PostgresLog.progress(tx.connection, READER)
        # Each stretch by itself: the files of the days between, of which no payment is labelled, are not read.
        for stretch in _stretches(labels):
            ids = sorted({one.event_id for one in stretch})
            wanted = {"events": ids, "since": stretch[0].occurred_at, "until": stretch[-1].occurred_at}
            with suppress(LakeEmpty):
                found += reader.read(tx.tenant, query, wanted).to_pylist()
    missing = {one.event_id for one in labels} - {row["event_id"] for row in found if row["in_lake"]}
    if missing:
        held = recorded_offsets(access, tx.tenant)
        coming = {
            event
            for position, (_, end) in decided.items()
            if position[0] == _PAYMENTS
            for event in _among(tx, position, held.get(position, 0), end, missing)
        }
        if coming:
            raise NotInLakeYet(
                f"{len(coming)} labelled {'payment is' if len(coming) == 1 else 'payments are'} not in the lake yet. "
                "Their labels are, and windows count them as soon as the payments are there.",
                retry_after_s=30,
            )
        _log.warning("labels of payments that the lake does not know", tenant=str(tx.tenant), payments=len(missing))
    return found


def _stretches(labels: Sequence[Label]) -> list[list[Label]]:
    """Labels in the order of their payments, parted where a day and more has none."""
    found: list[list[Label]] = []
    for one in sorted(labels, key=lambda one: one.occurred_at):
        if found and one.occurred_at - found[-1][-1].occurred_at < timedelta(days=1):
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _among(tx: Tx, position: Position, first: int, end: int, events: set[str]) -> set[str]:
    """Which of some events the log holds from one offset to before another."""
    found: set[str] = set()
    for payload in PostgresLog.payloads(tx, position, first, end):
        there = decode_columns([payload], {"event_id"}).column(0)
        found.update(there.filter(pc.is_in(there, pa.array(events, there.type))).to_pylist())
    return found


def broken_invariants(reader: LakeReader, tenant: uuid.UUID, expected: dict[str, int] | None = None) -> list[str]:
    """Everything that does not hold for a tenant's lake; `expected` records by contract are compared when given."""
    found = invariants.no_offset_twice(reader, tenant)
    found += invariants.one_decision_per_transaction(reader, tenant)
    found += invariants.nothing_beyond_recorded(reader, tenant)
    found += invariants.statistics_hold(reader, tenant)
    if expected is not None:
        found += invariants.rows_equal_log(reader, tenant, expected)
    return found
