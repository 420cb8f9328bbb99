"""HTTP of security alerts: accesses that look unauthorised, what people say of them, what is done at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, get, post
from litestar.params import Parameter

from finer.identity.routes.audit import AuditEntry, show_entry
from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import security_alerts
from finer.identity.types import security_alerts as types
from finer.identity.types.access import Permission
from finer.identity.types.security_alerts import Containment, SecurityState
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx

_Text = Annotated[str, msgspec.Meta(max_length=300)]


class SecurityAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An access that looks unauthorised, with its reasons as sentences; `hits` counts how often it was seen."""

    id: str
    rule: str
    title: str
    severity: Literal["low", "medium", "high"]
    subject: str
    subject_name: str
    state: SecurityState
    reasons: list[str]
    first_at: datetime
    last_at: datetime
    hits: int
    assignee: str | None
    note: str
    changed_by: str
    changed_at: datetime | None
    version: int


class SecurityAlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, the latest first, and how many there are in each state; `next` is null on the last page."""

    items: list[SecurityAlert]
    next: str | None
    counts: dict[str, int]


class SecurityAlertDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One alert and the entries of the audit trail behind it, the newest first."""

    alert: SecurityAlert
    timeline: list[AuditEntry]


class SecurityChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of an alert, and the version of the alert they looked at."""

    state: SecurityState
    version: int
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ContainmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do at once."""

    act: Containment


class SecurityAlertController(Controller):
    """Accesses that look unauthorised."""

    path = "/api/v1/security-alerts"
    tags = ["Security alerts"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.SECURITY_ALERTS_READ}, sync_to_thread=True, summary="List security alerts")
    def list(
        self,
        tx: Tx,
        alert_state: Annotated[SecurityState | None, Parameter(query="state")] = None,
        rule: _Text | None = None,
        subject: _Text | None = None,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> SecurityAlertPage:
        """Alerts by state, rule and subject (usr_..., key_... or an address), the latest first."""
        states = () if alert_state is None else (alert_state,)
        found, following = security_alerts.list_security_alerts(
            tx, states=states, rule=rule, subject=subject, limit=limit, before=before
        )
        counts = security_alerts.count_security_alerts(tx)
        return SecurityAlertPage(items=[_show(alert) for alert in found], next=following, counts=counts)

    @get(
        "/{access_alert_id:str}",
        opt={"permission": Permission.SECURITY_ALERTS_READ},
        sync_to_thread=True,
        summary="One security alert",
    )
    def detail(self, tx: Tx, access_alert_id: str) -> SecurityAlertDetail:
        """One alert with its reasons and the entries of the trail behind it."""
        alert = security_alerts.get_security_alert(tx, read_id("sal", access_alert_id))
        lines = security_alerts.timeline(tx, alert)
        return SecurityAlertDetail(alert=_show(alert), timeline=[show_entry(line) for line in lines])

    @post(
        "/{access_alert_id:str}/state",
        opt={"permission": Permission.SECURITY_ALERTS_RESOLVE},
        sync_to_thread=True,
        status_code=200,
        summary="Acknowledge, close or reopen",
    )
    def change(self, tx: Tx, access_alert_id: str, data: SecurityChange) -> SecurityAlert:
        """Take an alert on, close it with a note, or open it again. 409 when somebody else was quicker."""
        return _show(
            security_alerts.change_security_alert(
                tx, read_id("sal", access_alert_id), state=data.state, note=data.note, version=data.version
            )
        )

    @post(
        "/{access_alert_id:str}/containment",
        opt={"permission": Permission.SECURITY_ALERTS_RESOLVE, "step_up": True},
        sync_to_thread=True,
        status_code=200,
        summary="End the access",
    )
    def contain(self, tx: Tx, access_alert_id: str, data: ContainmentBody) -> SecurityAlert:
        """End all sessions of the person, disable the person, or revoke the key; it works within a second."""
        return _show(security_alerts.contain(tx, read_id("sal", access_alert_id), data.act))


def _show(alert: types.SecurityAlert) -> SecurityAlert:
    fields: dict[str, Any] = {name: getattr(alert, name, None) for name in SecurityAlert.__struct_fields__}
    return SecurityAlert(
        **fields
        | {
            "id": show_id("sal", alert.id),
            "title": security_alerts.title_of(alert.rule),
            "assignee": None if alert.assignee_id is None else show_id("usr", alert.assignee_id),
        }
    )
