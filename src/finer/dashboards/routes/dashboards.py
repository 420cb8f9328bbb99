"""HTTP of dashboards: kept, shared, taken along. What their tiles show comes from `finer.app.dashboard_routes`."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from litestar import Controller, Response, delete, get, post, put
from litestar.params import Parameter

from finer.dashboards.routes.documents import (
    NOT_KEPT,
    AnnotationBody,
    Annotations,
    DashboardBody,
    DashboardDocument,
    Dashboards,
    DashboardTeam,
    DigestBody,
    DigestDocument,
    MetricChoices,
    TileExportBody,
    TileExportProposal,
    TileRows,
    show_annotations,
    show_dashboard,
    show_digest,
    show_metric,
)
from finer.dashboards.service import dashboards, digests, notes, taking, viewing
from finer.dashboards.types import Annotation, Dashboard, Draft
from finer.identity.service import exports, people, proposals, teams
from finer.identity.service.authorisation import permissions_of
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission, Role
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.operations.service import metrics
from finer.workspace.service import runs

_FILES = {
    "200": {
        "description": "What is behind the tile, as a CSV file",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    },
    "202": {
        "description": "So much waits for a second person",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TileExportProposal"}}},
    },
}


class DashboardController(Controller):
    """Dashboards of people."""

    path = "/api/v1/dashboards"
    tags = ["Dashboards"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.DASHBOARDS_READ}, sync_to_thread=True, summary="Dashboards")
    def list(self, tx: Tx) -> Dashboards:
        """What the caller made and what is shared with them, by name."""
        found = dashboards.list_dashboards(tx)
        names = people.names(tx, [one.owner_id for one in found])
        mine = [DashboardTeam(show_id("tem", team), name) for team, name in teams.own_names(tx).items()]
        return Dashboards([show_dashboard(one, tx.actor.id, names) for one in found], mine)

    @get("/metrics", opt={"permission": Permission.DASHBOARDS_READ}, sync_to_thread=True, summary="Metrics")
    def metrics(self, tx: Tx) -> MetricChoices:
        """The metrics that the caller may put on a tile, and what they can be narrowed down to."""
        mine = permissions_of(Role(tx.actor.role))
        found = metrics.choices(tx)
        items = [show_metric(one) for one in metrics.METRICS.values() if one.needs in mine]
        return MetricChoices(items=items, regions=found.regions, channels=found.channels)

    @post("/", opt={"permission": Permission.DASHBOARDS_WRITE}, sync_to_thread=True, summary="Make a dashboard")
    def create(self, tx: Tx, data: DashboardBody) -> DashboardDocument:
        """Keep a dashboard for oneself, one's team or the firm."""
        return _shown(tx, dashboards.create_dashboard(tx, _draft(data)))

    @get(
        "/{dashboard_id:str}",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="One dashboard",
    )
    def detail(self, tx: Tx, dashboard_id: str) -> DashboardDocument:
        """A dashboard that the caller may see: its tiles, and not what they show."""
        return _shown(tx, dashboards.get_dashboard(tx, _id(dashboard_id)))

    @put(
        "/{dashboard_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Change a dashboard",
    )
    def change(self, tx: Tx, dashboard_id: str, data: DashboardBody) -> DashboardDocument:
        """Write one's own dashboard anew; whoever looks at it sees the change within seconds."""
        return _shown(tx, dashboards.change_dashboard(tx, _id(dashboard_id), data.version, _draft(data)))

    @delete(
        "/{dashboard_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Delete a dashboard",
    )
    def remove(self, tx: Tx, dashboard_id: str) -> None:
        """Delete one's own dashboard with its notes and digests."""
        dashboards.delete_dashboard(tx, _id(dashboard_id))

    @get(
        "/{dashboard_id:str}/annotations",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="Notes on a dashboard",
    )
    def annotations(self, tx: Tx, dashboard_id: str) -> Annotations:
        """What people noted about moments, the latest first."""
        return _notes(tx, dashboard_id, notes.list_annotations(tx, _id(dashboard_id)))

    @post(
        "/{dashboard_id:str}/annotations",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Note something",
    )
    def annotate(self, tx: Tx, dashboard_id: str, data: AnnotationBody) -> Annotations:
        """Note what happened at a moment, for everybody who sees the dashboard."""
        return _notes(tx, dashboard_id, notes.annotate(tx, _id(dashboard_id), data.at, data.text))

    @delete(
        "/{dashboard_id:str}/annotations/{annotation_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        status_code=200,
        sync_to_thread=True,
        summary="Take a note away",
    )
    def unannotate(self, tx: Tx, dashboard_id: str, annotation_id: str) -> Annotations:
        """Take one's own note away; the dashboard's owner takes any."""
        left = notes.remove_annotation(tx, _id(dashboard_id), read_id(notes.PREFIX, annotation_id))
        return _notes(tx, dashboard_id, left)

    @get(
        "/{dashboard_id:str}/digest",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="My digest of a dashboard",
    )
    def digest(self, tx: Tx, dashboard_id: str, settings: Settings) -> DigestDocument:
        """When the caller gets the dashboard by e-mail."""
        return show_digest(digests.own_digest(tx, _id(dashboard_id)), mail=bool(settings.mail_url))

    @put(
        "/{dashboard_id:str}/digest",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="Get a dashboard by e-mail",
    )
    def set_digest(self, tx: Tx, dashboard_id: str, data: DigestBody, settings: Settings) -> DigestDocument:
        """Get its numbers by e-mail at these times, to one's own address, with one's rights of then."""
        found = digests.set_digest(tx, _id(dashboard_id), data.cron, data.timezone)
        return show_digest(found, mail=bool(settings.mail_url))

    @delete(
        "/{dashboard_id:str}/digest",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="Get a dashboard by e-mail no more",
    )
    def end_digest(self, tx: Tx, dashboard_id: str) -> None:
        """End the caller's own digest."""
        digests.end_digest(tx, _id(dashboard_id))

    @get(
        "/{dashboard_id:str}/tiles/{tile:str}/rows",
        opt={"permission": Permission.DASHBOARDS_READ},
        sync_to_thread=True,
        summary="Rows behind a tile",
    )
    def rows(
        self,
        tx: Tx,
        settings: Settings,
        dashboard_id: str,
        tile: str,
        offset: Annotated[int, Parameter(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Parameter(ge=1, le=runs.PAGE_MAX)] = 1000,
    ) -> TileRows:
        """A page of the result behind a tile of a query, of as many rows as one person may export alone."""
        most = exports.rows_alone(settings, runs.EXPORT)
        page = viewing.rows_behind(tx, _id(dashboard_id), tile, offset, limit, most)
        return TileRows(columns=[*page.columns], items=page.rows, offset=offset, total=page.total, next=page.next)

    @post(
        "/{dashboard_id:str}/tiles/{tile:str}/export",
        opt={"permission": Permission.DASHBOARDS_READ, "step_up": True, "describe": {"responses": _FILES}},
        status_code=200,
        sync_to_thread=True,
        summary="Export what is behind a tile",
    )
    def export(
        self, tx: Tx, dashboard_id: str, tile: str, data: TileExportBody, settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | TileExportProposal]:
        """The whole result of a query, or the numbers of a metric, as CSV in which no spreadsheet finds a formula.

        A large one (FINER_EXPORT_ROWS_MAX) waits for somebody else first, and answers 202 with what waits.
        """
        filters = viewing.read_filters(data.span, data.filters)
        content = taking.export_tile(tx, settings, proposal_kinds, _id(dashboard_id), tile, filters, data.reason)
        if not isinstance(content, bytes):
            return Response(TileExportProposal(proposals.shown_id(content)), status_code=202)
        headers = {"content-disposition": f'attachment; filename="{dashboard_id}-{tile}.csv"'}
        return Response(content, media_type="text/csv", headers=headers)


def _id(shown: str) -> uuid.UUID:
    return read_id(dashboards.PREFIX, shown)


def _shown(tx: Tx, found: Dashboard) -> DashboardDocument:
    return show_dashboard(found, tx.actor.id, people.names(tx, [found.owner_id]))


def _notes(tx: Tx, dashboard_id: str, found: list[Annotation]) -> Annotations:
    names = people.names(tx, [one.author_id for one in found])
    return show_annotations(found, dashboards.get_dashboard(tx, _id(dashboard_id)), tx.actor.id, names)


def _draft(data: DashboardBody) -> Draft:
    return Draft(
        name=data.name, description=data.description, sharing=data.sharing, tiles=tuple(data.tiles),
        team_id=None if data.team is None else read_id("tem", data.team),
    )  # fmt: skip


ROUTES: list[Any] = [DashboardController]
