"""HTTP of questions: ask, look, fetch, cancel, take along; and what there is to ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import Parameter

from finer.identity.service import exports, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission, Principal
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.workspace.routes.documents import (
    NOT_KEPT,
    Explained,
    ExportBody,
    LaidOut,
    QueryBody,
    SqlCatalogue,
    SqlExportProposal,
    SqlRows,
    SqlRun,
    SqlRuns,
    StatementBody,
    show_run,
)
from finer.workspace.service import runs, saved, schedules
from finer.workspace.types import CatalogueTable, NewRun, Run

Ask = Callable[[Principal, NewRun, float], Awaitable[Run]]
"""What works a question off: the app's, since it opens transactions and waits outside of them."""
_MEDIA = {
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
_FILES = {
    "200": {
        "description": "The result as a file",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA.values()},
    },
    "202": {
        "description": "So large a result waits for a second person",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SqlExportProposal"}}},
    },
}


class QueryController(Controller):
    """Questions to the lake."""

    path = "/api/v1/sql"
    tags = ["SQL"]
    response_headers = NOT_KEPT

    @post(
        "/queries",
        opt={
            "permission": Permission.SQL_RUN,
            "recorded": "sql:run",
            "repeat": "The same question within seconds is answered from the first run.",
        },
        status_code=200,
        summary="Ask a question in SQL",
    )
    async def ask(self, request: Request[Principal, Any, Any], data: QueryBody, ask_lake: Ask) -> SqlRun:
        """Ask the lake in SQL (DuckDB's dialect, one SELECT), or run a saved query.

        The answer is waited for up to `wait_s`; a run that takes longer is looked up by its id. It runs in a process
        of its own with the rights of the caller: columns that the role may not see are masked before the statement
        meets them. Parameters (`:name`) are bound as values.
        """
        if bool(data.statement.strip()) == (data.saved is not None):
            raise InvalidInput("Send a statement, or the id of a saved query: one of the two.")
        asked = NewRun(
            statement=data.statement,
            saved_id=None if data.saved is None else read_id(saved.PREFIX, data.saved),
            parameters=data.parameters,
            kinds=tuple(data.kinds),
            rows_max=data.rows_max,
            as_of=data.as_of,
            fresh=data.fresh,
        )
        return show_run(await ask_lake(request.user, asked, data.wait_s))

    @get("/queries", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="What the caller asked")
    def history(
        self,
        tx: Tx,
        schedule: str | None = None,
        saved_query: Annotated[str | None, Parameter(query="saved")] = None,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> SqlRuns:
        """The caller's runs, the newest first; of one schedule or saved query when it is named."""
        found = runs.list_runs(
            tx,
            limit=limit,
            before=None if before is None else read_id(runs.PREFIX, before),
            schedule_id=None if schedule is None else read_id(schedules.PREFIX, schedule),
            saved_id=None if saved_query is None else read_id(saved.PREFIX, saved_query),
        )
        items = [show_run(one) for one in found]
        return SqlRuns(items=items, next=items[-1].id if len(items) == limit else None)

    @get("/queries/{sql_run_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="One run")
    def detail(self, tx: Tx, sql_run_id: str) -> SqlRun:
        """A run of the caller: how far it is, what it cost, or what went wrong and where."""
        return show_run(runs.get_run(tx, read_id(runs.PREFIX, sql_run_id)))

    @get(
        "/queries/{sql_run_id:str}/rows",
        opt={"permission": Permission.SQL_RUN},
        sync_to_thread=True,
        summary="Rows of a result",
    )
    def rows(
        self,
        tx: Tx,
        settings: Settings,
        sql_run_id: str,
        offset: Annotated[int, Parameter(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Parameter(ge=1, le=runs.PAGE_MAX)] = 1000,
    ) -> SqlRows:
        """A page of a result, of as many rows as one person may export alone (FINER_EXPORT_ROWS_MAX)."""
        most = exports.rows_alone(settings, runs.EXPORT)
        page = runs.read_page(tx, read_id(runs.PREFIX, sql_run_id), offset, limit, most)
        return SqlRows(columns=list(page.columns), items=page.rows, offset=offset, total=page.total, next=page.next)

    @post(
        "/queries/{sql_run_id:str}/export",
        opt={"permission": Permission.SQL_RUN, "step_up": True, "describe": {"responses": _FILES}},
        status_code=200,
        sync_to_thread=True,
        summary="Export a result",
    )
    def export(
        self, tx: Tx, sql_run_id: str, data: ExportBody, settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | SqlExportProposal]:
        """The whole result as CSV, in which no spreadsheet finds a formula, as Parquet, or as an Arrow IPC stream.

        A large one (FINER_EXPORT_ROWS_MAX; a row counts once for each KiB) waits for somebody else first, and answers
        202 with what waits.
        """
        identifier = read_id(runs.PREFIX, sql_run_id)
        content = runs.export(tx, settings, proposal_kinds, identifier, data.format, data.reason)
        if not isinstance(content, bytes):
            return Response(SqlExportProposal(proposals.shown_id(content)), status_code=202)
        name = f"{sql_run_id}.{data.format}"
        return Response(
            content, media_type=_MEDIA[data.format], headers={"content-disposition": f'attachment; filename="{name}"'}
        )

    @delete(
        "/queries/{sql_run_id:str}",
        opt={"permission": Permission.SQL_RUN},
        status_code=200,
        sync_to_thread=True,
        summary="Cancel a run",
    )
    def cancel(self, tx: Tx, sql_run_id: str) -> SqlRun:
        """End a run of the caller at once; one that is over stays as it is."""
        return show_run(runs.cancel(tx, read_id(runs.PREFIX, sql_run_id)))

    @get("/catalogue", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="What there is to ask")
    def catalogue(self, tx: Tx, sql_tables: Callable[[Tx], list[CatalogueTable]]) -> SqlCatalogue:
        """The tables of the lake with their columns, types and meaning, and how the caller sees each of them."""
        return SqlCatalogue(sql_tables(tx))

    @post(
        "/layout",
        opt={"permission": Permission.SQL_RUN, "recorded": "nothing", "repeat": "It changes nothing."},
        status_code=200,
        sync_to_thread=True,
        summary="Lay a statement out",
    )
    def layout(self, data: StatementBody) -> LaidOut:
        """The same statement with its clauses on lines of their own."""
        return LaidOut(runs.lay_out(data.statement))

    @post(
        "/explanation",
        opt={"permission": Permission.SQL_RUN, "recorded": "nothing", "repeat": "It changes nothing."},
        status_code=200,
        sync_to_thread=True,
        summary="Explain a statement",
    )
    def explanation(self, data: StatementBody) -> Explained:
        """What a statement does, in plain words."""
        return Explained(runs.explain(data.statement))
