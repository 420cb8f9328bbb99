"""HTTP of alerts on metrics: kept, looked at, silenced."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, post, put

from finer.dashboards.routes.documents import NOT_KEPT
from finer.dashboards.service import alerts
from finer.dashboards.types import (
    ALERT_PREFIX,
    SILENCE_PREFIX,
    AlertState,
    Happening,
    MetricAlert,
    Silence,
    Watched,
)
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.notifications.service import HOOK_PREFIX
from finer.notifications.types import Severity
from finer.quality.types import Sensitivity
from finer.workspace.types import WatchState

_Condition = Annotated[str, msgspec.Meta(max_length=1000)]
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_080)]
_Group = Annotated[str, msgspec.Meta(max_length=64)]


class MetricAlertBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert to keep. `version` is the one that is replaced; a new alert has none.

    `condition` and `settles` are about `value`, `change`, `low` and `high`.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    watched: Watched
    condition: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    settles: _Condition = ""
    sensitivity: Sensitivity = Sensitivity.NORMAL
    severity: Severity = Severity.WARNING
    pending_minutes: _Minutes = 0
    cooldown_minutes: _Minutes = 0
    group: _Group = ""
    mail: bool = False
    hook: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    active: bool = True
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 2)] = 0


class MetricAlertDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on a metric, where it stood when it was last looked at, and `problem`: why not since."""

    id: str
    name: str
    watched: Watched
    condition: str
    settles: str
    sensitivity: Sensitivity
    severity: Severity
    pending_minutes: int
    cooldown_minutes: int
    group: str
    mail: bool
    hook: str | None
    active: bool
    version: int
    state: WatchState
    since: datetime | None
    told_at: datetime | None
    reason: str
    value: float | None
    looked_at: datetime | None
    problem: str


class SilenceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell nobody until then: of one alert, of a group, or of all of the caller's without either."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    alert: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    group: _Group = ""


class SilenceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nobody is told."""

    id: str
    alert: str | None
    group: str
    until: datetime
    reason: str


class MetricAlerts(msgspec.Struct, frozen=True):
    """The caller's alerts on metrics, by name, and the silences that are not over."""

    items: list[MetricAlertDocument]
    silences: list[SilenceDocument]


class Silences(msgspec.Struct, frozen=True):
    """The caller's silences that are not over, the first to end first."""

    items: list[SilenceDocument]


class AlertHistory(msgspec.Struct, frozen=True):
    """What became of an alert, the latest first."""

    items: list[Happening]


class MetricAlertController(Controller):
    """Alerts on metrics."""

    path = "/api/v1/metric-alerts"
    tags = ["Dashboards"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.DASHBOARDS_WRITE}, sync_to_thread=True, summary="Alerts on metrics")
    def list(self, tx: Tx) -> MetricAlerts:
        """The caller's alerts, where each stands, and what is silenced."""
        return MetricAlerts([_shown(one) for one in alerts.list_alerts(tx)], _silences(alerts.list_silences(tx)))

    @post("/", opt={"permission": Permission.DASHBOARDS_WRITE}, sync_to_thread=True, summary="Watch a metric")
    def create(self, tx: Tx, data: MetricAlertBody) -> MetricAlertDocument:
        """Be told when a condition holds of a metric: in the bell, and by e-mail or webhook if asked for."""
        return _shown(alerts.create_alert(tx, _alert(data)))

    @put(
        "/{metric_alert_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Change an alert on a metric",
    )
    def change(self, tx: Tx, metric_alert_id: str, data: MetricAlertBody, settings: Settings) -> MetricAlertDocument:
        """Look out for something else, or be told otherwise; or pause it."""
        return _shown(alerts.change_alert(tx, _id(metric_alert_id), data.version, _alert(data), settings.web_url))

    @delete(
        "/{metric_alert_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Delete an alert on a metric",
    )
    def remove(self, tx: Tx, metric_alert_id: str, settings: Settings) -> None:
        """Look no more; its history goes with it."""
        alerts.delete_alert(tx, _id(metric_alert_id), settings.web_url)

    @get(
        "/{metric_alert_id:str}/history",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="What became of an alert on a metric",
    )
    def history(self, tx: Tx, metric_alert_id: str) -> AlertHistory:
        """Every change of its state, the latest first, and whether anybody was told."""
        return AlertHistory(alerts.history(tx, _id(metric_alert_id)))

    @post(
        "/silences",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        sync_to_thread=True,
        summary="Silence alerts on metrics",
    )
    def silence(self, tx: Tx, data: SilenceBody) -> Silences:
        """Be told nothing until then; alerts are looked at all the same, and what still holds is told afterwards."""
        wanted = Silence(
            id=new_id(), alert_id=None if data.alert is None else _id(data.alert), group=data.group,
            until=data.until, reason=data.reason,
        )  # fmt: skip
        return Silences(_silences(alerts.silence(tx, wanted)))

    @delete(
        "/silences/{silence_id:str}",
        opt={"permission": Permission.DASHBOARDS_WRITE},
        status_code=200,
        sync_to_thread=True,
        summary="End a silence",
    )
    def unsilence(self, tx: Tx, silence_id: str) -> Silences:
        """Be told again."""
        return Silences(_silences(alerts.end_silence(tx, read_id(SILENCE_PREFIX, silence_id))))


def _id(shown: str) -> uuid.UUID:
    return read_id(ALERT_PREFIX, shown)


def _alert(data: MetricAlertBody) -> MetricAlert:
    return MetricAlert(
        name=data.name.strip(), watched=data.watched, condition=data.condition, settles=data.settles,
        sensitivity=data.sensitivity, severity=data.severity, pending_minutes=data.pending_minutes,
        cooldown_minutes=data.cooldown_minutes, group=data.group.strip(), mail=data.mail, active=data.active,
        hook_id=None if data.hook is None else read_id(HOOK_PREFIX, data.hook),
    )  # fmt: skip


def _shown(found: AlertState) -> MetricAlertDocument:
    alert, watch = found.alert, found.watch
    return MetricAlertDocument(
        id=show_id(ALERT_PREFIX, found.id), name=alert.name, watched=alert.watched, condition=alert.condition,
        settles=alert.settles, sensitivity=alert.sensitivity, severity=alert.severity,
        pending_minutes=alert.pending_minutes, cooldown_minutes=alert.cooldown_minutes, group=alert.group,
        mail=alert.mail, hook=None if alert.hook_id is None else show_id(HOOK_PREFIX, alert.hook_id),
        active=alert.active, version=found.version, state=watch.state, since=watch.since, told_at=watch.told_at,
        reason=watch.reason, value=found.value, looked_at=found.looked_at, problem=found.problem,
    )  # fmt: skip


def _silences(found: list[Silence]) -> list[SilenceDocument]:
    return [
        SilenceDocument(
            id=show_id(SILENCE_PREFIX, one.id),
            alert=None if one.alert_id is None else show_id(ALERT_PREFIX, one.alert_id),
            group=one.group, until=one.until, reason=one.reason,
        )
        for one in found
    ]  # fmt: skip


ROUTES: list[Any] = [MetricAlertController]
