"""HTTP of the lake: its tables, its snapshots, and exports of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter
from litestar.response import Stream

from finer.identity.service import proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission, Role
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse import types
from finer.warehouse.service import exports, extracts
from finer.warehouse.service import lake as lakes
from finer.warehouse.service.lake import LakeReader
from finer.warehouse.types import BiAddress, ExportFormat, ExportState, Lake, NewExtract, Snapshot, Wanted

NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_MEDIA = {ExportFormat.CSV: "text/csv", ExportFormat.PARQUET: "application/vnd.apache.parquet"}
_FILES = {
    "200": {
        "description": "The rows as a file",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in _MEDIA.values()},
    }
}


class SnapshotPage(msgspec.Struct, frozen=True, kw_only=True):
    """Snapshots, the newest first; `next` is null on the last page."""

    items: list[Snapshot]
    next: int | None


class LakeExportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to export: rows that occurred from `from` (inclusive) to `to` (exclusive).

    `as_of` or `snapshot` ask an older state of the lake.
    """

    table: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    format: ExportFormat = ExportFormat.PARQUET
    since: _Moment | None = msgspec.field(default=None, name="from")
    until: _Moment | None = msgspec.field(default=None, name="to")
    as_of: _Moment | None = None
    snapshot: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Why, for whoever approves a large export."""


class LakeExportProposal(msgspec.Struct, frozen=True):
    """A large export waits for somebody else; ask for the same again once it is approved."""

    proposal: str


class LakeExport(msgspec.Struct, frozen=True, kw_only=True):
    """An export: `rows` of `rows_total` are written. Its file can be fetched while it is `ready`."""

    id: str
    table: str
    format: ExportFormat
    since: datetime | None = msgspec.field(name="from")
    until: datetime | None = msgspec.field(name="to")
    snapshot: int | None
    state: ExportState
    asked_at: datetime
    rows: int
    rows_total: int | None
    bytes: int | None
    finished_at: datetime | None
    expires_at: datetime | None
    problem: str | None


class LakeExports(msgspec.Struct, frozen=True):
    """Exports, the newest first."""

    items: list[LakeExport]


class LakeController(Controller):
    """Every record and decision, as files that can be queried."""

    path = "/api/v1/lake"
    tags = ["Lake"]

    @get("/", opt={"permission": Permission.LAKE_READ}, sync_to_thread=True, summary="The lake")
    def read(self, tx: Tx, lake: LakeReader) -> Lake:
        """Tables with rows, sizes and freshness, how far back the lake can be asked, and what upkeep did lately."""
        return lakes.state(tx, lake.access)

    @get("/snapshots", opt={"permission": Permission.LAKE_READ}, sync_to_thread=True, summary="Snapshots of the lake")
    def snapshots(
        self,
        tx: Tx,
        lake: LakeReader,
        limit: Annotated[int, Parameter(ge=1, le=500)] = 100,
        before: Annotated[int | None, Parameter(ge=0, lt=2**62)] = None,
    ) -> SnapshotPage:
        """States of the lake that can be asked again, each by its number or by any moment until the next one."""
        found = lakes.snapshots(lake.access, tx.tenant, limit, before)
        return SnapshotPage(items=found, next=found[-1].id if len(found) == limit else None)


class LakeExportController(Controller):
    """Tables of the lake, or parts of them, as files."""

    path = "/api/v1/lake/exports"
    tags = ["Lake"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.LAKE_EXPORT}, sync_to_thread=True, summary="Your exports")
    def list(self, tx: Tx) -> LakeExports:
        """The caller's latest exports; nobody sees those of others."""
        return LakeExports([_show(one) for one in exports.list_exports(tx)])

    @post(
        "/",
        opt={"permission": Permission.LAKE_EXPORT, "step_up": True},
        sync_to_thread=True,
        status_code=202,
        summary="Ask for an export",
    )
    def ask(
        self, tx: Tx, lake: LakeReader, data: LakeExportBody, proposal_kinds: Kinds
    ) -> LakeExport | LakeExportProposal:
        """Let a job write the rows to a file, masked as the caller sees them. The caller is told when it is ready.

        A large one (FINER_EXPORT_ROWS_MAX) waits for somebody else first, and answers with what waits.
        """
        if data.as_of is not None and data.snapshot is not None:
            raise InvalidInput("Give `as_of` or `snapshot`, not both.")
        wanted = Wanted(
            table=data.table,
            format=data.format,
            since=data.since,
            until=data.until,
            as_of=data.as_of or data.snapshot,
        )
        found = exports.ask_for_export(tx, lake.access, proposal_kinds, wanted, data.reason)
        return _show(found) if isinstance(found, types.Export) else LakeExportProposal(proposals.shown_id(found))

    @get("/{export_id:str}", opt={"permission": Permission.LAKE_EXPORT}, sync_to_thread=True, summary="An export")
    def read(self, tx: Tx, export_id: str) -> LakeExport:
        """How far an export of the caller is."""
        return _show(exports.get_export(tx, read_id("exp", export_id)))

    @delete(
        "/{export_id:str}",
        opt={"permission": Permission.LAKE_EXPORT},
        sync_to_thread=True,
        status_code=200,
        summary="End an export",
    )
    def end(self, tx: Tx, lake: LakeReader, export_id: str) -> LakeExport:
        """Cancel an export that is under way, or delete its file."""
        return _show(exports.end_export(tx, lake.access, read_id("exp", export_id)))

    @get(
        "/{export_id:str}/file",
        opt={"permission": Permission.LAKE_EXPORT, "describe": {"responses": _FILES}},
        sync_to_thread=True,
        summary="The file of an export",
        media_type="application/octet-stream",
    )
    def file(self, tx: Tx, lake: LakeReader, export_id: str) -> Stream:
        """The file, for who asked for it and in the role that it was made for, until it expires."""
        export, pieces = exports.take_export(tx, lake.access, read_id("exp", export_id))
        name = f"{export.wanted.table}-{export.asked_at:%Y%m%d-%H%M%S}.{export.wanted.format.value}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(export.bytes),
            "X-Content-Type-Options": "nosniff",
        }
        return Stream(pieces, media_type=_MEDIA[export.wanted.format], headers=headers)


class ExtractBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What BI tools are to read: the rows of the last `days` of tables, or all, as the role `shown_as` sees them."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=40)]
    tables: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(min_length=1, max_length=50)]
    days: Annotated[int, msgspec.Meta(ge=1, le=3660)] | None = None
    shown_as: Role = Role.EXECUTIVE
    every_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 24
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ExtractView(msgspec.Struct, frozen=True, kw_only=True):
    """An extract: `login` is its user in the BI database, and the schema that it reads."""

    id: str
    name: str
    tables: list[str]
    days: int | None
    shown_as: str
    every_hours: int
    login: str
    made_by: str
    made_at: datetime
    refreshed_at: datetime | None
    rows: int | None
    problem: str
    password_at: datetime | None


class ExtractPage(msgspec.Struct, frozen=True, kw_only=True):
    """The extracts of the firm; `address` is null when this installation has no BI database."""

    items: list[ExtractView]
    address: BiAddress | None
    roles: list[Role]
    """The roles that the caller may let an extract be masked for."""


class ExtractAsked(msgspec.Struct, frozen=True):
    """The proposal that waits for somebody else; null when the extract was made at once."""

    proposal: str | None


class ExtractPassword(msgspec.Struct, frozen=True, kw_only=True):
    """How to sign in to the BI database. The password is shown this once."""

    address: BiAddress
    login: str
    password: str


class ExtractRefresh(msgspec.Struct, frozen=True):
    """The run that copies the tables; null when one is queued already."""

    run: str | None


class ExtractController(Controller):
    """Parts of the lake that BI tools read as PostgreSQL."""

    path = "/api/v1/bi/extracts"
    tags = ["Lake"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.BI_READ}, sync_to_thread=True, summary="Extracts for BI tools")
    def list(self, tx: Tx, settings: Settings) -> ExtractPage:
        """What BI tools may read, how fresh it is, and where they find it."""
        return ExtractPage(
            items=[_show_extract(one) for one in extracts.list_extracts(tx)],
            address=extracts.address(settings),
            roles=extracts.roles_to_show(tx),
        )

    @post(
        "/",
        opt={"permission": Permission.BI_WRITE, "step_up": True},
        sync_to_thread=True,
        status_code=202,
        summary="Ask for an extract",
    )
    def ask(self, tx: Tx, lake: LakeReader, data: ExtractBody, proposal_kinds: Kinds) -> ExtractAsked:
        """Let BI tools read tables, masked; somebody else approves it, and a job copies them then and again."""
        wanted = NewExtract(
            name=data.name, tables=tuple(data.tables), days=data.days, shown_as=data.shown_as.value,
            every_hours=data.every_hours,
        )  # fmt: skip
        waits = extracts.ask_for_extract(tx, lake.access, proposal_kinds, wanted, data.reason)
        return ExtractAsked(None if waits is None else proposals.shown_id(waits))

    @post(
        "/{extract_id:str}/refresh",
        opt={"permission": Permission.BI_WRITE},
        sync_to_thread=True,
        status_code=202,
        summary="Copy an extract now",
    )
    def refresh(self, tx: Tx, extract_id: str) -> ExtractRefresh:
        """Let a job copy its tables again, besides its times."""
        found = extracts.refresh(tx, read_id(extracts.PREFIX, extract_id))
        return ExtractRefresh(None if found is None else show_id("run", found.id))

    @post(
        "/{extract_id:str}/password",
        opt={"permission": Permission.BI_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        status_code=200,
        summary="Another password of an extract",
    )
    def password(self, tx: Tx, settings: Settings, extract_id: str) -> ExtractPassword:
        """A password, shown this once; the one before ends with its sessions."""
        login, password, address = extracts.new_password(tx, settings, read_id(extracts.PREFIX, extract_id))
        return ExtractPassword(address=address, login=login, password=password)

    @delete(
        "/{extract_id:str}",
        opt={"permission": Permission.BI_CLOSE},
        sync_to_thread=True,
        summary="Close an extract",
    )
    def close(self, tx: Tx, settings: Settings, extract_id: str) -> None:
        """Take it back at once: its login, its sessions and its tables are gone."""
        extracts.close(tx, settings, read_id(extracts.PREFIX, extract_id))


def _show_extract(found: types.Extract) -> ExtractView:
    wanted = found.wanted
    return ExtractView(
        id=show_id(extracts.PREFIX, found.id), name=wanted.name, tables=[*wanted.tables], days=wanted.days,
        shown_as=wanted.shown_as, every_hours=wanted.every_hours, login=found.login, made_by=found.made_by,
        made_at=found.made_at, refreshed_at=found.refreshed_at, rows=found.rows, problem=found.problem,
        password_at=found.password_at,
    )  # fmt: skip


def _show(found: types.Export) -> LakeExport:
    wanted = found.wanted
    return LakeExport(
        id=show_id("exp", found.id),
        table=wanted.table,
        format=wanted.format,
        since=wanted.since,
        until=wanted.until,
        snapshot=wanted.as_of if isinstance(wanted.as_of, int) else None,
        state=found.state,
        asked_at=found.asked_at,
        rows=found.rows,
        rows_total=found.rows_total,
        bytes=found.bytes,
        finished_at=found.finished_at,
        expires_at=found.expires_at,
        problem=found.problem,
    )


ROUTES = [LakeController, LakeExportController, ExtractController]
