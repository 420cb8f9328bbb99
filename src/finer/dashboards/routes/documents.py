"""What the routes of dashboards take and show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.datastructures import ResponseHeader

from finer.dashboards import types
from finer.dashboards.service import notes
from finer.dashboards.service.dashboards import PREFIX
from finer.dashboards.types import Tile
from finer.kit.ids import show_id
from finer.operations.service.metrics import Metric
from finer.workspace.types import ResultColumn, Sharing

NOT_KEPT = [ResponseHeader(name="Cache-Control", value="no-store")]


class DashboardBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dashboard to keep. `version` is the one that is replaced; a new dashboard has none."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    description: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    sharing: Sharing = Sharing.OWN
    team: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    tiles: Annotated[list[Tile], msgspec.Meta(max_length=types.TILES_MAX)] = []
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 2)] = 0


class AnnotationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note about a moment."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class DigestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a dashboard comes by e-mail: cron, by the clock of a time zone."""

    cron: Annotated[str, msgspec.Meta(min_length=9, max_length=100)]
    timezone: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "UTC"


class TileExportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the dashboard was narrowed down, and why: whoever approves a large export reads it."""

    span: Annotated[str, msgspec.Meta(pattern="^(1h|6h|24h|7d|30d|90d)$")] | None = None
    filters: Annotated[list[Annotated[str, msgspec.Meta(max_length=300)]], msgspec.Meta(max_length=6)] = []
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class TileExportProposal(msgspec.Struct, frozen=True):
    """A large export waits for somebody else; ask for the same again once it is approved."""

    proposal: str


class AnnotationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A note; `mine` says whether the caller may take it away."""

    id: str
    at: datetime
    text: str
    author: str
    mine: bool


class Annotations(msgspec.Struct, frozen=True):
    """The notes of a dashboard, the latest moments first."""

    items: list[AnnotationDocument]


class DigestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """When the caller gets a dashboard by e-mail; `active` is false when they do not."""

    active: bool
    mail: bool
    """Whether this installation sends e-mail at all."""
    cron: str = ""
    timezone: str = ""
    next_at: datetime | None = None
    last_at: datetime | None = None
    problem: str = ""


class DashboardDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard in its newest version; `mine` says whether the caller may change it."""

    id: str
    name: str
    description: str
    owner_name: str
    mine: bool
    sharing: Sharing
    team: str | None
    version: int
    tiles: list[Tile]
    changed_at: datetime


class DashboardTeam(msgspec.Struct, frozen=True):
    """A team of the caller, to share dashboards with."""

    id: str
    name: str


class Dashboards(msgspec.Struct, frozen=True):
    """What the caller made, and what is shared with them; and the caller's teams."""

    items: list[DashboardDocument]
    teams: list[DashboardTeam]


class MetricDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that the caller may put on a tile."""

    name: str
    title: str
    about: str
    money: bool


class MetricChoices(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics that the caller may see, and what dashboards of metrics can be narrowed down to."""

    items: list[MetricDocument]
    regions: list[str]
    channels: list[str]


class TileRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the result behind a tile; `next` is the offset of the page behind it."""

    columns: list[ResultColumn]
    items: list[list[object]]
    offset: int
    total: int
    next: int | None


def show_dashboard(found: types.Dashboard, caller: str, names: dict[str, str]) -> DashboardDocument:
    """A dashboard; `names` are those of people by id."""
    return DashboardDocument(
        id=show_id(PREFIX, found.id), name=found.name, description=found.description,
        owner_name=names.get(str(found.owner_id), "Somebody who is gone"), mine=str(found.owner_id) == caller,
        sharing=found.sharing, team=None if found.team_id is None else show_id("tem", found.team_id),
        version=found.version, tiles=list(found.tiles), changed_at=found.changed_at,
    )  # fmt: skip


def show_annotations(
    found: list[types.Annotation], dashboard: types.Dashboard, caller: str, names: dict[str, str]
) -> Annotations:
    """Notes, and which of them the caller may take away."""
    return Annotations([
        AnnotationDocument(
            id=show_id(notes.PREFIX, one.id), at=one.at, text=one.text,
            author=names.get(str(one.author_id), "Somebody who is gone"),
            mine=caller in (str(one.author_id), str(dashboard.owner_id)),
        )
        for one in found
    ])  # fmt: skip


def show_digest(found: types.Digest | None, *, mail: bool) -> DigestDocument:
    """When the caller gets a dashboard by e-mail."""
    if found is None:
        return DigestDocument(active=False, mail=mail)
    return DigestDocument(
        active=found.next_at is not None, mail=mail, cron=found.cron, timezone=found.timezone, next_at=found.next_at,
        last_at=found.last_at, problem=found.problem,
    )  # fmt: skip


def show_metric(found: Metric) -> MetricDocument:
    """A metric."""
    return MetricDocument(name=found.name, title=found.title, about=found.about, money=found.money)
