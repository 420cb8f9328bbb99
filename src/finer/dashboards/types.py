"""The nouns of dashboards."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from finer.notifications.types import Severity
from finer.quality.types import Sensitivity
from finer.workspace.types import ResultColumn, Sharing, Value, Watch, WatchState

ALERT_PREFIX, SILENCE_PREFIX = "mal", "sil"
COLUMNS = 12
ROWS_MAX = 400
TILES_MAX = 30
TILE_ROWS = 1_000
"""Rows of a result that a tile shows; all of them are behind it."""
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Name = Annotated[str, msgspec.Meta(max_length=64)]
TileId = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]{1,16}$")]


class TileKind(StrEnum):
    """How a tile shows what it has."""

    BAR = "bar"
    LINE = "line"
    NUMBER = "number"
    TABLE = "table"


class Direction(StrEnum):
    """On which side of a threshold is bad."""

    ABOVE = "above"
    BELOW = "below"


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line that a value should not cross. Amounts are in major units of the firm's currency."""

    value: float
    side: Direction = Direction.ABOVE
    severity: Annotated[str, msgspec.Meta(pattern="^(warning|critical)$")] = "warning"
    label: _Name = ""


class MetricPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A metric over a span, by time or by `by` (region, channel or product)."""

    name: _Name
    span: Annotated[str, msgspec.Meta(pattern="^(1h|6h|24h|7d|30d|90d)$")] = "24h"
    by: Annotated[str, msgspec.Meta(pattern="^(region|channel|product)?$")] = ""


class QueryPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A saved query with the values of its parameters, and which columns of its result are drawn."""

    saved: Annotated[str, msgspec.Meta(pattern="^sav_[0-9a-f]{32}$")]
    parameters: dict[_Name, Value] = {}
    x: _Text = ""
    y: Annotated[list[_Text], msgspec.Meta(max_length=8)] = []
    series: _Text = ""


class Tile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tile on a grid of 12 columns: of a metric, or of a saved query."""

    id: TileId
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    kind: TileKind
    x: Annotated[int, msgspec.Meta(ge=0, lt=COLUMNS)]
    y: Annotated[int, msgspec.Meta(ge=0, lt=ROWS_MAX)]
    w: Annotated[int, msgspec.Meta(ge=1, le=COLUMNS)]
    h: Annotated[int, msgspec.Meta(ge=1, le=24)]
    metric: MetricPart | None = None
    query: QueryPart | None = None
    thresholds: Annotated[list[Threshold], msgspec.Meta(max_length=5)] = []


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes down as a dashboard."""

    name: str
    description: str = ""
    sharing: Sharing = Sharing.OWN
    team_id: uuid.UUID | None = None
    tiles: tuple[Tile, ...] = ()


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard in its newest version."""

    id: uuid.UUID
    name: str
    description: str
    owner_id: uuid.UUID
    sharing: Sharing
    team_id: uuid.UUID | None
    version: int
    tiles: tuple[Tile, ...]
    created_at: datetime
    changed_at: datetime


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """How a dashboard is narrowed down while somebody looks: values by column, and a span in place of each tile's."""

    span: str | None = None
    values: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> str | None:
        """The value that a column is narrowed down to."""
        return dict(self.values).get(name)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sees of a dashboard: everybody with an equal sight sees the same.

    `open` are the tiles whose data the viewer may see, in `role`, whose masks they have.
    """

    dashboard: uuid.UUID
    version: int
    role: str
    open: tuple[str, ...]
    filters: Filters = Filters()


class TileState(StrEnum):
    """Where a tile stands: `waiting` has no result yet; `changed` asks to look at the dashboard anew."""

    CHANGED = "changed"
    FAILED = "failed"
    REFUSED = "refused"
    SHOWN = "shown"
    WAITING = "waiting"


class TileData(msgspec.Struct, frozen=True, kw_only=True):
    """What one tile shows, as rows. Numbers of a metric of money are minor units: divide by 10 to the `exponent`.

    `problem` says what went wrong, also when an older result is shown. `rows` are the first of `total`. `value` and
    `change` are those of a metric. `unfiltered` names filters that this tile knows nothing of. `behind_since` is when
    the oldest records came that a metric does not hold yet, None while it keeps up.
    """

    state: TileState
    as_of: datetime | None = None
    problem: str = ""
    refreshing: bool = False
    columns: list[ResultColumn] = []
    rows: list[list[Any]] = []
    total: int = 0
    value: int | None = None
    change: float | None = None
    currency: str = ""
    exponent: int = 0
    unfiltered: list[str] = []
    behind_since: datetime | None = None


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """A note about a moment, drawn on every tile over time."""

    id: uuid.UUID
    at: datetime
    text: str
    author_id: uuid.UUID
    created_at: datetime


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody gets a dashboard by e-mail, with their own rights of then."""

    id: uuid.UUID
    dashboard: uuid.UUID
    person_id: uuid.UUID
    cron: str
    timezone: str
    next_at: datetime | None
    last_at: datetime | None
    problem: str = ""


class Watched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an alert on a metric looks at: a metric over a span, of a part of the records perhaps."""

    metric: _Name
    span: Annotated[str, msgspec.Meta(pattern="^(1h|6h|24h|7d)$")] = "1h"
    region: _Text = ""
    channel: _Text = ""


class MetricAlert(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody wants to be told of a metric, and how.

    `condition` is about `value` (major units), `change` (0.1: a tenth more than the span before), and `low` and `high`,
    between which the last whole hour usually is (then `value` is that hour). Once it fires, it goes on until
    `settles` holds; without one, until the condition does not hold. Alerts of one `group` are told together.
    """

    name: str
    watched: Watched
    condition: str
    settles: str = ""
    sensitivity: Sensitivity = Sensitivity.NORMAL
    severity: Severity = Severity.WARNING
    pending_minutes: int = 0
    cooldown_minutes: int = 0
    group: str = ""
    mail: bool = False
    hook_id: uuid.UUID | None = None
    active: bool = True


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on a metric with its owner, where it stood when it was last looked at, and why not since."""

    id: uuid.UUID
    alert: MetricAlert
    owner_id: uuid.UUID
    version: int
    watch: Watch
    value: float | None
    looked_at: datetime | None
    problem: str = ""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert's state, and whether anybody was told."""

    at: datetime
    state: WatchState
    value: float | None
    reason: str
    told: bool


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nobody is told of alerts of one owner: of one alert, of a group, or of all."""

    id: uuid.UUID
    alert_id: uuid.UUID | None
    group: str
    until: datetime
    reason: str
