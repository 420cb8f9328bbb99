"""HTTP of quality: scores, monitors, incidents. Parse, call, answer."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, get, post, put
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.kit.ids import read_id
from finer.kit.tx import Tx
from finer.quality.routes.documents import (
    ContractQuality,
    IncidentBody,
    IncidentPage,
    IncidentView,
    MonitorBody,
    MonitorDetail,
    Quality,
    Shower,
    show_contract,
    show_contract_whole,
    show_monitor,
)
from finer.quality.service import incidents, overview
from finer.quality.service.detection import PREFIX
from finer.quality.types import IncidentFilter

_READ, _MANAGE = Permission.QUALITY_READ, Permission.QUALITY_MANAGE
_HOURS_MAX = 2400


class QualityController(Controller):
    """Whether records are as usual."""

    path = "/api/v1/quality"
    tags = ["Quality"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="Quality of every contract")
    def read(self, tx: Tx) -> Quality:
        """The score of every contract with its last day by the hour, and what is not as usual now."""
        shower, found = Shower(tx), overview.list_qualities(tx)
        going_on, _ = incidents.list_incidents(tx, IncidentFilter(open=True), limit=200)
        return Quality(
            as_of=shower.now,
            contracts=[show_contract(one) for one in found],
            incidents=[shower.incident(one) for one in going_on],
        )

    @get("/contracts/{contract:str}", opt={"permission": _READ}, sync_to_thread=True, summary="Quality of a contract")
    def contract(self, tx: Tx, contract: str) -> ContractQuality:
        """One contract: scores, thirty days by the day, its monitors and what is open."""
        found = overview.get_quality(tx, contract)
        return show_contract_whole(found, overview.list_monitors(tx, contract), Shower(tx))

    @get("/monitors/{monitor_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One monitor")
    def monitor(
        self, tx: Tx, monitor_id: str, hours: Annotated[int, Parameter(ge=1, le=_HOURS_MAX)] = 3
    ) -> MonitorDetail:
        """A monitor with what it saw in the last `hours` and the band that was usual then."""
        return _monitor(tx, monitor_id, hours)

    @put("/monitors/{monitor_id:str}", opt={"permission": _MANAGE}, sync_to_thread=True, summary="Change a monitor")
    def change_monitor(self, tx: Tx, monitor_id: str, data: MonitorBody) -> MonitorDetail:
        """Switch it off or on, mute it for a while, or make it more or less sensitive."""
        overview.change_monitor(
            tx, read_id(overview.PREFIX, monitor_id), data.version, enabled=data.enabled,
            sensitivity=data.sensitivity, muted_until=data.muted_until,
        )  # fmt: skip
        return _monitor(tx, monitor_id, 3)

    @get("/incidents", opt={"permission": _READ}, sync_to_thread=True, summary="Incidents")
    def incidents(
        self,
        tx: Tx,
        closed: bool | None = None,
        contract: str | None = None,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> IncidentPage:
        """What was not as usual, the newest first, page by page; kept for 400 days."""
        wanted = IncidentFilter(open=None if closed is None else not closed, contract=contract)
        found, following = incidents.list_incidents(tx, wanted, limit=limit, before=before)
        shower = Shower(tx)
        return IncidentPage(items=[shower.incident(one) for one in found], next=following, as_of=shower.now)

    @get("/incidents/{incident_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One incident")
    def incident(self, tx: Tx, incident_id: str) -> IncidentView:
        """What one incident is about, and which records failed."""
        return Shower(tx).incident(incidents.get_incident(tx, read_id(PREFIX, incident_id)))

    @post(
        "/incidents/{incident_id:str}/acknowledge", opt={"permission": _MANAGE}, sync_to_thread=True,
        status_code=200, summary="Look into an incident",
    )  # fmt: skip
    def acknowledge(self, tx: Tx, incident_id: str, data: IncidentBody) -> IncidentView:
        """Say that somebody looks into it. It stays open until the data are as usual again."""
        return _shown(tx, incidents.acknowledge(tx, read_id(PREFIX, incident_id), data.version, data.note))

    @post(
        "/incidents/{incident_id:str}/resolve", opt={"permission": _MANAGE}, sync_to_thread=True,
        status_code=200, summary="Close an incident",
    )  # fmt: skip
    def resolve(self, tx: Tx, incident_id: str, data: IncidentBody) -> IncidentView:
        """Close it by hand. If the data stay unusual for five minutes more, there will be a new one."""
        return _shown(tx, incidents.resolve(tx, read_id(PREFIX, incident_id), data.version, data.note))

    @post(
        "/incidents/{incident_id:str}/expect", opt={"permission": _MANAGE}, sync_to_thread=True,
        status_code=200, summary="Call it normal",
    )  # fmt: skip
    def expect(self, tx: Tx, incident_id: str, data: IncidentBody) -> IncidentView:
        """Say that this is normal now. Its monitors learn anew from when the incident began."""
        return _shown(tx, incidents.expect(tx, read_id(PREFIX, incident_id), data.version, data.note))


def _monitor(tx: Tx, shown: str, hours: int) -> MonitorDetail:
    found = overview.get_monitor(tx, read_id(overview.PREFIX, shown))
    history = overview.history_of(tx, found[0], hours)
    return show_monitor(found, history, overview.incidents_of(tx, found[0]), Shower(tx))


def _shown(tx: Tx, found: Any) -> IncidentView:
    return Shower(tx).incident(found)


ROUTES: list[Any] = [QualityController]
