"""What the workspace's routes take and show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.datastructures import ResponseHeader

from finer.kit.ids import show_id
from finer.kit.schedules import words
from finer.workspace import types
from finer.workspace.service import runs, saved, schedules
from finer.workspace.types import (
    AlertRule,
    CatalogueTable,
    Chart,
    ParameterDefinition,
    ResultColumn,
    RunState,
    Sharing,
    Value,
    WatchState,
)

NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]
Statement = Annotated[str, msgspec.Meta(min_length=1, max_length=50_000)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Id = Annotated[str, msgspec.Meta(max_length=80)]
_Values = dict[Annotated[str, msgspec.Meta(max_length=64)], Value]


class QueryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question: a `statement`, or the id of a `saved` query. `wait_s` is how long the answer is waited for."""

    statement: Annotated[str, msgspec.Meta(max_length=50_000)] = ""
    saved: _Id | None = None
    parameters: _Values = {}
    kinds: Annotated[list[ParameterDefinition], msgspec.Meta(max_length=50)] = []
    rows_max: Annotated[int, msgspec.Meta(ge=1, le=runs.ROWS_MAX)] = 10_000
    as_of: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=20)] = 2.0
    fresh: bool = False


class StatementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement to be laid out or explained."""

    statement: Statement


class LaidOut(msgspec.Struct, frozen=True):
    """The same statement, laid out."""

    statement: str


class Explained(msgspec.Struct, frozen=True):
    """A statement in plain words, sentence by sentence, and the parameters that it names."""

    sentences: list[str]


class ExportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kind of file, and why: whoever approves a large export reads it."""

    format: Annotated[str, msgspec.Meta(pattern="^(arrow|csv|parquet)$")] = "csv"
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class SqlExportProposal(msgspec.Struct, frozen=True):
    """A large export waits for somebody else; ask for the same again once it is approved."""

    proposal: str


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a query took.

    `rows_read` are rows that came out of tables, less what a condition let reading leave out; null when it was ended
    early.
    """

    rows_read: int | None
    bytes_read: int
    cpu_s: float
    seconds: float
    memory_bytes: int


class SqlRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run; `columns`, `rows` and `cost` are known when it is done, `error` when it failed."""

    id: str
    state: RunState
    statement: str
    parameters: dict[str, Value]
    saved: str | None
    saved_version: int | None
    schedule: str | None
    as_of: datetime | None
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    rows: int | None
    truncated: bool
    result_bytes: int | None
    columns: list[ResultColumn]
    cost: Cost
    problem: str
    error: str
    position: int | None
    cached: bool


class SqlRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, the newest first; `next` is the cursor of the page behind it."""

    items: list[SqlRun]
    next: str | None


class SqlRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a result, each with one value for each column; `next` is the offset of the page behind it."""

    columns: list[ResultColumn]
    items: list[list[Any]]
    offset: int
    total: int
    next: int | None


class SqlCatalogue(msgspec.Struct, frozen=True):
    """What there is to ask."""

    items: list[CatalogueTable]


class SavedBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A query to keep. `version` is the one that is replaced; a new query has none."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    statement: Statement
    description: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    folder: _Text = ""
    tags: Annotated[list[Annotated[str, msgspec.Meta(max_length=40)]], msgspec.Meta(max_length=20)] = []
    sharing: Sharing = Sharing.OWN
    team: _Id | None = None
    parameters: Annotated[list[ParameterDefinition], msgspec.Meta(max_length=50)] = []
    chart: Chart | None = None
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 2)] = 0


class FavouriteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the caller keeps it at hand."""

    favourite: bool


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A saved query in its newest version; `mine` says whether the caller may change it."""

    id: str
    name: str
    description: str
    folder: str
    tags: list[str]
    owner: str
    owner_name: str
    mine: bool
    sharing: Sharing
    team: str | None
    version: int
    statement: str
    parameters: list[ParameterDefinition]
    chart: Chart | None
    created_at: datetime
    changed_at: datetime
    favourite: bool


class OwnTeam(msgspec.Struct, frozen=True):
    """A team of the caller, to share queries with."""

    id: str
    name: str


class SavedList(msgspec.Struct, frozen=True):
    """What the caller saved, and what is shared with them; and the caller's teams."""

    items: list[Saved]
    teams: list[OwnTeam]


class SavedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a saved query."""

    version: int
    statement: str
    parameters: list[ParameterDefinition]
    chart: Chart | None
    changed_by: str
    changed_at: datetime


class SavedVersions(msgspec.Struct, frozen=True):
    """Versions, the newest first."""

    items: list[SavedVersion]


class ScheduleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should happen by itself. `version` is the one that is replaced; a new schedule has none."""

    saved: _Id
    cron: Annotated[str, msgspec.Meta(min_length=9, max_length=100)]
    name: _Text = ""
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "UTC"
    parameters: _Values = {}
    alert: AlertRule | None = None
    active: bool = True
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 2)] = 0


class ScheduleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule (`schedule` says its cron expression in words), when it runs next, and where its alert stands."""

    id: str
    name: str
    saved: str
    cron: str
    schedule: str
    timezone: str
    parameters: dict[str, Value]
    alert: AlertRule | None
    active: bool
    version: int
    next_at: datetime | None
    last_run: str | None
    state: WatchState
    since: datetime | None
    reason: str
    problem: str


class Schedules(msgspec.Struct, frozen=True):
    """The caller's schedules, by name."""

    items: list[ScheduleDocument]


def show_run(run: types.Run) -> SqlRun:
    """A run as its owner sees it."""
    return SqlRun(
        id=show_id(runs.PREFIX, run.id), state=run.state, statement=run.statement, parameters=run.parameters,
        saved=None if run.saved_id is None else show_id(saved.PREFIX, run.saved_id), saved_version=run.saved_version,
        schedule=None if run.schedule_id is None else show_id(schedules.PREFIX, run.schedule_id),
        as_of=run.as_of, asked_at=run.asked_at, started_at=run.started_at,
        finished_at=run.finished_at, expires_at=run.expires_at, rows=run.rows,
        truncated=run.truncated, result_bytes=run.result_bytes, columns=list(run.columns),
        cost=msgspec.convert(msgspec.to_builtins(run.cost), Cost), problem=run.problem, error=run.error,
        position=run.position, cached=run.cached,
    )  # fmt: skip


def show_saved(found: types.SavedQuery, caller: str, names: dict[str, str]) -> Saved:
    """A saved query; `names` are those of people by id."""
    return Saved(
        id=show_id(saved.PREFIX, found.id), name=found.name, description=found.description, folder=found.folder,
        tags=list(found.tags), owner=show_id("usr", found.owner_id), mine=str(found.owner_id) == caller,
        owner_name=names.get(str(found.owner_id), "Somebody who is gone"), sharing=found.sharing,
        team=None if found.team_id is None else show_id("tem", found.team_id), version=found.version,
        statement=found.statement, parameters=list(found.parameters), chart=found.chart,
        created_at=found.created_at, changed_at=found.changed_at, favourite=found.favourite,
    )  # fmt: skip


def show_version(found: types.SavedVersion, names: dict[str, str]) -> SavedVersion:
    """A version; `names` are those of people by id."""
    return SavedVersion(
        version=found.version, statement=found.statement, parameters=list(found.parameters), chart=found.chart,
        changed_by=names.get(str(found.changed_by), "Somebody who is gone"), changed_at=found.changed_at,
    )  # fmt: skip


def show_schedule(found: types.Schedule) -> ScheduleDocument:
    """A schedule as its owner sees it."""
    plan = found.plan
    return ScheduleDocument(
        id=show_id(schedules.PREFIX, found.id), name=plan.name, saved=show_id(saved.PREFIX, plan.saved_id),
        cron=plan.cron, schedule=words(plan.cron), timezone=plan.timezone, parameters=plan.parameters,
        alert=plan.alert, active=plan.active,
        version=found.version, next_at=found.next_at, state=found.watch.state, since=found.watch.since,
        last_run=None if found.last_run_id is None else show_id(runs.PREFIX, found.last_run_id),
        reason=found.watch.reason, problem=found.problem,
    )  # fmt: skip
