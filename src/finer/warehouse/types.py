"""The nouns of the warehouse: what goes into the lake, and what comes out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]
Position = tuple[str, int]
"""A stream of the event log and a partition of it."""
Shown = Mapping[str, Mapping[str, str]]
"""How columns are shown, by table and column: `token`, or a partial form of `finer.kit.masking`; others are clear."""


class DecisionColumns(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided for every row of a batch, and the values it was decided on; all arrays of shape (rows,).

    `actions` uint8 (0 approve, 1 review, 2 block), `fired` uint64 with bit i set when `rule_ids[i]` held, `scores`
    float32 or None without a model; `shadow` and `shadow_ids` are the same as `fired` for rules that are only tried,
    `challenger` and its scores the same as the model and `scores` for a model that is only tried.
    `features` are NumPy arrays or Arrow arrays (for nulls and texts) by name; those named in `exact` are kept as 64-bit
    floats, all other numbers as 32-bit ones. NumPy uint64 is taken as a hash with 0 for "no value".
    """

    actions: Array
    fired: Array
    rule_ids: tuple[str, ...]
    scores: Array | None
    features: dict[str, Array | pa.Array]
    exact: frozenset[str] = frozenset()
    feature_set: str
    rule_pack: str
    model: str | None = None
    shadow: Array | None = None
    shadow_ids: tuple[str, ...] = ()
    challenger: str | None = None
    challenger_scores: Array | None = None


class LakeBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive records of one tenant and one log position on their way to the lake.

    `events` are the accepted columns of the contract `stream`, `offsets` int64 their log offsets, `keep` a boolean
    mask without the duplicates (None: all rows are kept). The arrays must not be changed after they were handed over.
    """

    tenant: uuid.UUID
    stream: str
    partition: int
    next_offset: int
    events: pa.RecordBatch
    offsets: Array
    keep: Array | None = None
    decisions: DecisionColumns | None = None


class Label(msgspec.Struct, frozen=True):
    """What a person found out about a transaction, and since when it is known."""

    event_id: str
    occurred_at: datetime
    verdict: str
    known_at: datetime
    source: str


class Freshness(msgspec.Struct, frozen=True):
    """How current a table of the lake is.

    `seconds` is the age of its newest row, `delay_s` how old the oldest row of the latest commit was when it became
    visible to queries: a quiet source makes the first grow, only a slow lake the second.
    """

    table: str
    seconds: float | None
    rows: int
    newest: datetime | None
    delay_s: float


class LakeColumn(msgspec.Struct, frozen=True):
    """A column as SQL sees it."""

    name: str
    type: str


class LakeTable(msgspec.Struct, frozen=True):
    """A table of the lake and how many rows it has. `by_month`: its files are kept apart by month."""

    name: str
    rows: int
    columns: tuple[LakeColumn, ...]
    by_month: bool = False


class TableFiles(msgspec.Struct, frozen=True, kw_only=True):
    """A table as the files that hold it, now or at `snapshot`.

    `deletes` names, for some files, the file of their deleted row numbers. `partial` are files that were merged later
    and hold newer rows too; the rows of the snapshot are told by their own snapshot number.
    """

    table: LakeTable
    files: list[str]
    deletes: dict[str, str] = {}
    partial: set[str] = set()
    snapshot: int | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """A state of a lake that can be queried again; `changes` says what made it, such as `append to orders`."""

    id: int
    at: datetime
    changes: tuple[str, ...]


class QueryCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a query took: rows and bytes read from files, seconds of processors and of the clock, bytes of memory.

    `rows_read` counts what came out of the tables, less what reading could leave out; None when the query was ended
    before it had read everything.
    """

    rows_read: int | None = None
    bytes_read: int = 0
    cpu_s: float = 0.0
    seconds: float = 0.0
    memory_bytes: int = 0


class SqlResult(msgspec.Struct, frozen=True):
    """The answer of a query; `truncated` says that there were more rows than asked for."""

    table: pa.Table
    truncated: bool
    seconds: float
    cost: QueryCost = QueryCost()


class TableState(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the lake as it is stored: rows, files and their bytes, the months that they are kept apart by.

    `months` is 0 for a table that is not kept apart by month.
    """

    name: str
    rows: int
    columns: int
    files: int
    bytes: int
    months: int
    freshness: Freshness | None = None


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    """A firm's lake: its tables, and how far back it can be asked.

    `storage` is `folder` or `object storage`.
    """

    as_of: datetime
    storage: str
    tables: list[TableState]
    oldest_snapshot: datetime | None
    snapshots_keep_days: int


class ExportFormat(StrEnum):
    """What kind of file an export is."""

    PARQUET = "parquet"
    CSV = "csv"


class ExportState(StrEnum):
    """How far an export is. `expired`: its file is gone."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be exported: a table, from `since` (inclusive) to `until` (exclusive) by occurred_at.

    `as_of` asks an older state of the lake, by moment or by snapshot.
    """

    table: str
    format: ExportFormat
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | int | None = None


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export as it is kept. `rows_total` is known once it runs, `bytes` once the file is whole."""

    id: uuid.UUID
    wanted: Wanted
    state: ExportState
    asked_by: str
    role: str
    asked_at: datetime
    rows: int
    rows_total: int | None
    bytes: int | None
    finished_at: datetime | None
    expires_at: datetime | None
    problem: str | None


class Bins(msgspec.Struct, frozen=True):
    """How values of a column are counted: in intervals of numbers by their upper edges, or by value.

    One bin more is for what fits none: numbers above the last edge, values that are not listed.
    """

    column: str
    edges: tuple[float, ...] | None = None
    values: tuple[str, ...] = ()


class StepProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The records that arrived in a step of time from `at` on.

    `delay_s` is the median of the seconds from what happened to its arrival; `nulls` counts the empty values by column,
    `counts` the values in the bins of each `Bins`.
    """

    at: datetime
    rows: int
    delay_s: float | None
    nulls: list[int]
    counts: list[list[int]]


class ColumnSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What values a column has: how many are filled and distinct, the most frequent, the deciles of numbers."""

    column: str
    rows: int
    filled: int
    distinct: int
    top: tuple[str, ...]
    deciles: tuple[float, ...] | None


class KeyTest(StrEnum):
    """Which records are meant by what their column holds."""

    ABSENT = "absent"
    BETWEEN = "between"
    VALUE = "value"
    OTHER = "other"
    ANY = "any"


class WrongStatistics(msgspec.Struct, frozen=True):
    """A column of which the catalogue says what its files contradict.

    `files_with_nulls` hold nulls or lack the column, and it is said to have none. `files_without_bounds` have values
    and do not say which, and bounds are said of all. `narrow`: some values lie outside of what is said.
    """

    table: str
    column: str
    files_with_nulls: int
    files_without_bounds: int
    narrow: bool


class Compaction(msgspec.Struct, frozen=True):
    """What one round of upkeep did to a tenant's lake; `columns_mended` are those with wrong statistics."""

    files_before: int
    files_after: int
    snapshots_expired: int
    files_deleted: int
    columns_mended: int


class NewExtract(msgspec.Struct, frozen=True, kw_only=True):
    """What a BI tool is to read: tables of the lake, their rows of the last `days` (without, all), masked for a role.

    It is copied again every `every_hours`.
    """

    name: str
    tables: tuple[str, ...]
    days: int | None
    shown_as: str
    every_hours: int


class Extract(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of tables in the BI database, which one login may read. `login` is the name of its schema, too."""

    id: uuid.UUID
    wanted: NewExtract
    login: str
    made_by: str
    made_at: datetime
    refreshed_at: datetime | None
    rows: int | None
    problem: str
    password_at: datetime | None
    """When a password was given out last; before the first one nobody can sign in."""


class BiAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where BI tools find the extracts, as PostgreSQL."""

    host: str
    port: int
    database: str
