"""The nouns of the workspace."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from finer.warehouse.types import QueryCost

Value = str | int | float | bool | None
"""A value of a parameter as JSON has it; dates and timestamps are ISO 8601 texts."""
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class ParameterKind(StrEnum):
    """What a parameter holds."""

    BOOLEAN = "boolean"
    DATE = "date"
    NUMBER = "number"
    TEXT = "text"
    TIMESTAMP = "timestamp"


class ParameterDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parameter of a saved query: `:name` in its statement. Without a default somebody has to give a value."""

    name: _Name
    kind: ParameterKind
    label: Annotated[str, msgspec.Meta(max_length=120)] = ""
    default: Value = None


class ChartKind(StrEnum):
    """How a result is drawn."""

    AREA = "area"
    BAR = "bar"
    LINE = "line"
    NUMBER = "number"
    PIE = "pie"
    SCATTER = "scatter"
    TABLE = "table"


class Chart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chart of a saved query: columns of its result by name."""

    kind: ChartKind
    x: Annotated[str, msgspec.Meta(max_length=200)] = ""
    y: Annotated[list[Annotated[str, msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=20)] = []
    series: Annotated[str, msgspec.Meta(max_length=200)] = ""
    stacked: bool = False


class Sharing(StrEnum):
    """Who else may see and run a saved query."""

    OWN = "own"
    TEAM = "team"
    TENANT = "tenant"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes down as a saved query."""

    name: str
    statement: str
    description: str = ""
    folder: str = ""
    tags: tuple[str, ...] = ()
    sharing: Sharing = Sharing.OWN
    team_id: uuid.UUID | None = None
    parameters: tuple[ParameterDefinition, ...] = ()
    chart: Chart | None = None


class SavedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A saved query in its newest version."""

    id: uuid.UUID
    name: str
    description: str
    folder: str
    tags: tuple[str, ...]
    owner_id: uuid.UUID
    sharing: Sharing
    team_id: uuid.UUID | None
    version: int
    statement: str
    parameters: tuple[ParameterDefinition, ...]
    chart: Chart | None
    created_at: datetime
    changed_at: datetime
    favourite: bool = False


class SavedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a saved query: what changed hands is always one of these."""

    version: int
    statement: str
    parameters: tuple[ParameterDefinition, ...]
    chart: Chart | None
    changed_by: uuid.UUID
    changed_at: datetime


class RunState(StrEnum):
    """How far a run has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks: a statement of their own, or a saved query in its newest version."""

    statement: str = ""
    saved_id: uuid.UUID | None = None
    schedule_id: uuid.UUID | None = None
    parameters: dict[str, Value] = {}
    kinds: tuple[ParameterDefinition, ...] = ()
    """What the parameters of a statement of one's own are; those of a saved query are kept with it."""
    rows_max: int = 10_000
    as_of: datetime | None = None
    """Ask the lake as it was at that moment."""
    fresh: bool = False
    """Ask the lake again, even when the same was asked a moment ago."""


class ResultColumn(msgspec.Struct, frozen=True):
    """A column of a result, with its SQL-like type for people: number, text, boolean, date, timestamp or other."""

    name: str
    type: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one person. Its result is kept until `expires_at`."""

    id: uuid.UUID
    person_id: str
    state: RunState
    statement: str
    parameters: dict[str, Value]
    saved_id: uuid.UUID | None
    saved_version: int | None
    schedule_id: uuid.UUID | None
    rows_max: int
    as_of: datetime | None = None
    asked_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    rows: int | None = None
    truncated: bool = False
    result_bytes: int | None = None
    columns: tuple[ResultColumn, ...] = ()
    cost: QueryCost = QueryCost()
    problem: str = ""
    """The slug of the error that ended it."""
    error: str = ""
    role: str = ""
    """The role whose masks the result has."""
    position: int | None = None
    """Where in the statement the error is, in characters from its beginning."""
    cached: bool = False
    """Whether this answer was given to the same question a moment before."""

    @property
    def over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state not in (RunState.QUEUED, RunState.RUNNING)


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a result from `offset` on; `next` is the offset of the page behind it, or None."""

    columns: tuple[ResultColumn, ...]
    rows: list[list[Any]]
    offset: int
    total: int
    next: int | None


class AlertTest(StrEnum):
    """Of which rows of a result an alert's condition must hold."""

    ANY_ROW = "any_row"
    ALL_ROWS = "all_rows"
    FIRST_ROW = "first_row"
    ROW_COUNT = "row_count"


class WatchState(StrEnum):
    """What became of an alert at its latest run; `pending` holds, but not for long enough yet."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    ERROR = "error"


class AlertRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a scheduled query raises its voice: a condition over the columns of its result.

    For `row_count` the condition is about the one column `row_count`. It fires when it has held for `pending_minutes`,
    and says so again after `cooldown_minutes`; 0 is at once, and never again.
    """

    test: AlertTest
    condition: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    severity: Annotated[str, msgspec.Meta(pattern="^(info|warning|critical)$")] = "warning"
    pending_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0
    cooldown_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alert stands: since when its condition holds, and when people were last told."""

    state: WatchState = WatchState.OK
    since: datetime | None = None
    told_at: datetime | None = None
    reason: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to happen by itself: a saved query, when, with which parameters, and what to look out for."""

    name: str
    saved_id: uuid.UUID
    cron: str
    timezone: str = "UTC"
    parameters: dict[str, Value] = {}
    alert: AlertRule | None = None
    active: bool = True


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its owner, when it runs next, and how its latest run went."""

    id: uuid.UUID
    plan: Plan
    owner_id: uuid.UUID
    version: int
    created_at: datetime
    next_at: datetime | None
    last_run_id: uuid.UUID | None
    watch: Watch
    problem: str = ""
    """Why it runs no more, when Finer itself paused it."""


class CatalogueColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column as the caller's queries see it: its type then, what it means, and how it is shown."""

    name: str
    type: str
    description: str = ""
    data_class: str = "internal"
    shown: str = "clear"
    """`clear`, `token` (tells values apart), `part` or `absent`."""


class CatalogueTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the lake."""

    name: str
    rows: int
    description: str
    columns: list[CatalogueColumn]
