"""Queries of Finer's own code over a tenant's lake: trusted, in this process, over the newest commit."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from finer.decisions.types.alerts import ActionWord, TimelineEvent
from finer.ingest.service.contracts import contracts
from finer.kit.documents import show_money
from finer.kit.late import LateModule
from finer.kit.money import Money
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.rules import DECISIONS, LABELS, table_of
from finer.warehouse.store.access import LakeAccess, unavailable
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.statistics import wrong_statistics
from finer.warehouse.types import LakeTable, Position, WrongStatistics

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_NO_TABLE = "Catalog Error: Table with name "
_ITS_NAME = re.compile(rf"{_NO_TABLE}(\S+) does not exist")
_OF_CATALOGUE = f"{_NO_TABLE}ducklake_"
_NEAR, _FAR = timedelta(days=7), timedelta(days=120)
_TIMELINE = """
with mine as materialized (
  select event_id, occurred_at, amount_minor, currency, merchant_name, merchant_country, channel,
         log_partition, log_offset
    from transactions
   where account_id = $account and occurred_at between $since and $until
), around as (
  (select * from mine where occurred_at <= $at order by occurred_at desc, log_offset desc limit $before)
  union all
  (select * from mine where occurred_at > $at order by occurred_at, log_offset limit $after)
)
select * from around order by occurred_at desc, log_offset desc
"""
_ACTIONS = """
select log_partition, log_offset, action from decisions
 where occurred_at between $first and $last and log_offset in (select unnest($offsets::bigint[]))
"""
_REPEATED = (
    "select log_partition, count(*) - count(distinct log_offset) as repeated from {table} group by log_partition"
)
_ARRIVED = "where received_at >= $since and received_at < $until"
_LAST = "select log_partition, max(log_offset) as last from {table} group by log_partition"
_UNMATCHED = (
    "select count(*) filter (b.log_offset is null) as left_over, count(*) filter (a.log_offset is null) as missing "
    "from {one} a full join {other} b using (log_partition, log_offset)"
)


class LakeReader:
    """One DuckDB for the whole process, with the lakes in use attached. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        *,
        memory_mb: int = 512,
        threads: int = 2,
        attachments: Attachments | None = None,
    ) -> None:
        """`attachments` are those of who writes to the same lakes and closes them; then no DuckDB is opened."""
        self.access = LakeAccess(url, settings)
        self._attachments = attachments or Attachments(self.access, capacity=4, memory_mb=memory_mb, threads=threads)

    def read(
        self, tenant: uuid.UUID, statement: str, arguments: dict[str, Any] | None = None, *, contract: str = ""
    ) -> pa.Table:
        """The answer of a query that Finer's own code wrote; tables are named plainly, `$name` are arguments.

        It may name the tables of Finer's own contracts, and that of `contract`, which the firm may have made.

        Raises LakeEmpty when the tenant has no lake or nothing of such a table yet, LookupError for any other table
        that is not there, LakeUnavailable when the lake cannot be read.
        """
        with self._cursor(tenant, contract) as cursor:
            return cursor.execute(statement, arguments or {}).to_arrow_table()

    def batches(
        self, tenant: uuid.UUID, contract: str, since: datetime, until: datetime, rows: int = 16_384
    ) -> Iterator[pa.RecordBatch]:
        """The records of a contract that arrived from `since` to before `until`, at most `rows` at a time.

        Empty when the lake holds none. Raises LakeUnavailable.
        """
        statement = f'select * from "{table_of(contract)}" {_ARRIVED}'  # noqa: S608 - a name of ours
        try:
            yield from self.stream(tenant, statement, {"since": since, "until": until}, rows, contract=contract)
        except LakeEmpty:
            return

    def stream(
        self,
        tenant: uuid.UUID,
        statement: str,
        arguments: dict[str, Any],
        rows: int = 16_384,
        *,
        contract: str = "",
    ) -> Iterator[pa.RecordBatch]:
        """The answer of a query that Finer's own code wrote, at most `rows` rows at a time. Raises as `read`."""
        with self._cursor(tenant, contract) as cursor:
            yield from cursor.execute(statement, arguments).to_arrow_reader(rows)

    def count(self, tenant: uuid.UUID, contract: str, since: datetime, until: datetime) -> int:
        """How many records `batches` gives. Raises LakeUnavailable."""
        statement = f'select count(*) as n from "{table_of(contract)}" {_ARRIVED}'  # noqa: S608 - a name of ours
        try:
            found = self.read(tenant, statement, {"since": since, "until": until}, contract=contract)
            return int(_rows(found)[0]["n"])
        except LakeEmpty:
            return 0

    def newest(self, tenant: uuid.UUID, contract: str, rows: int = 20) -> list[dict[str, Any]]:
        """The newest records of a contract; empty when the lake holds none."""
        statement = f'select * from "{table_of(contract)}" order by received_at desc limit {int(rows)}'  # noqa: S608
        try:
            return _rows(self.read(tenant, statement, contract=contract))
        except LakeEmpty:
            return []

    def tables(self, tenant: uuid.UUID) -> list[LakeTable]:
        """The tables of a tenant with their columns and row counts; empty without a lake."""
        with self.access.catalogue() as connection:
            catalogue = Catalogue(connection, tenant)
            return list(catalogue.tables().values()) if catalogue.exists() else []

    def positions(self, tenant: uuid.UUID) -> dict[Position, int]:
        """The next log offset of each position that the lake does not hold yet; empty without a lake."""
        with self.access.catalogue() as connection:
            catalogue = Catalogue(connection, tenant)
            return catalogue.positions() if catalogue.exists() else {}

    def wrong_statistics(self, tenant: uuid.UUID) -> list[WrongStatistics]:
        """Columns of which the catalogue says what the files contradict; empty without a lake."""
        with self.access.catalogue() as connection:
            there = Catalogue(connection, tenant).exists()
            return wrong_statistics(connection, tenant) if there else []

    def repeated_offsets(self, tenant: uuid.UUID, table: str) -> dict[int, int]:
        """How many rows of a table repeat a log offset, by partition; partitions without any are left out."""
        rows = _rows(self.read(tenant, _REPEATED.format(table=table)))
        return {row["log_partition"]: row["repeated"] for row in rows if row["repeated"]}

    def last_offsets(self, tenant: uuid.UUID, table: str) -> dict[int, int]:
        """The largest log offset in a table, by partition."""
        rows = _rows(self.read(tenant, _LAST.format(table=table)))
        return {row["log_partition"]: row["last"] for row in rows}

    def unmatched(self, tenant: uuid.UUID, one: str, other: str) -> tuple[int, int]:
        """Rows of `one` whose log record is not in `other`, and the reverse."""
        (row,) = _rows(self.read(tenant, _UNMATCHED.format(one=one, other=other)))
        return row["left_over"], row["missing"]

    def records_of_customer(self, tenant: uuid.UUID, customer_id: str, limit: int) -> dict[str, list[Any]]:
        """A customer's newest records by table, at most `limit` of each, as the lake keeps them."""
        return {
            table.name: _rows(
                self.read(
                    tenant,
                    f"select * from {table.name} where customer_id = $customer "  # noqa: S608 - a name of our catalogue
                    f"order by occurred_at desc limit {limit}",
                    {"customer": customer_id},
                )
            )
            for table in self.tables(tenant)
            if any(column.name == "customer_id" for column in table.columns)
        }

    def account_timeline(
        self, tenant: uuid.UUID, account_id: str, at: datetime, event_id: str, limit: int = 20
    ) -> list[TimelineEvent]:
        """The account's transactions around a moment, newest first: three quarters of `limit` up to it.

        `this` is true for `event_id`. Empty when nothing has reached the lake yet.
        """
        after = limit // 4
        arguments = {"account": account_id, "at": at, "before": limit - after, "after": after}
        try:
            found: list[dict[str, Any]] = []
            # Most accounts have enough close by, and the files' time ranges keep a close look cheap.
            for reach in (_NEAR, _FAR):
                window = {"since": at - reach, "until": at + reach}
                found = _rows(self.read(tenant, _TIMELINE, arguments | window))
                if len(found) >= limit - after:
                    break
            actions = self._actions(tenant, found)
        except LakeEmpty:
            return []
        return [_timeline_event(row, actions, event_id) for row in found]

    def close(self) -> None:
        """Close DuckDB with everything attached."""
        self._attachments.close()

    @contextmanager
    def _cursor(self, tenant: uuid.UUID, contract: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in the tenant's lake. What DuckDB raises becomes LakeEmpty or another error, see `read`."""
        try:
            with self._attachments.use(tenant) as lake:
                cursor = self._attachments.duckdb.cursor()
                try:
                    cursor.execute(f"use {lake}")
                    yield cursor
                finally:
                    cursor.close()
        except duckdb.Error as error:
            # Of the same class are unknown functions, and a catalogue that has lost tables of its own.
            if str(error).startswith(_NO_TABLE) and not str(error).startswith(_OF_CATALOGUE):
                missing = _ITS_NAME.match(str(error))
                if missing and missing[1] not in {DECISIONS, LABELS, *map(table_of, [*contracts(), contract])}:
                    raise LookupError(f"No contract of Finer's own has a table {missing[1]} in the lake.") from error
                raise LakeEmpty(f"The lake does not hold this yet: {str(error).splitlines()[0]}") from error
            raise unavailable("The lake cannot be read.", error) from error

    def _actions(self, tenant: uuid.UUID, found: list[dict[str, Any]]) -> dict[tuple[int, int], ActionWord]:
        if not found:
            return {}
        arguments = {
            "first": found[-1]["occurred_at"],
            "last": found[0]["occurred_at"],
            "offsets": [row["log_offset"] for row in found],
        }
        rows = _rows(self.read(tenant, _ACTIONS, arguments))
        return {(row["log_partition"], row["log_offset"]): row["action"] for row in rows}


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _timeline_event(row: dict[str, Any], actions: dict[tuple[int, int], ActionWord], event_id: str) -> TimelineEvent:
    return TimelineEvent(
        event_id=row["event_id"],
        occurred_at=row["occurred_at"],
        amount=show_money(Money(row["amount_minor"], row["currency"])),
        merchant_name=row["merchant_name"],
        merchant_country=row["merchant_country"],
        channel=row["channel"],
        action=actions.get((row["log_partition"], row["log_offset"])),
        this=row["event_id"] == event_id,
    )
