"""What quality looks like over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from finer.identity.service.authorisation import allowed
from finer.identity.service.tenants import get_tenant
from finer.identity.types.access import Permission, Role
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.quality import types
from finer.quality.service import overview, saying
from finer.quality.service.detection import PREFIX
from finer.quality.types import IncidentState, MonitorKind, MonitorState, Sensitivity, Severity

_Note = Annotated[str, msgspec.Meta(max_length=1000)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Version = Annotated[int, msgspec.Meta(ge=1, lt=2**31)]


class QualityScore(msgspec.Struct, frozen=True, kw_only=True):
    """The share of records that passed their contract when they arrived, 0 to 1; null without records."""

    hours: int
    received: int
    passed: int
    score: float | None


class QualityPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Records of an hour or a day from `at` on, and how many of them passed."""

    at: datetime
    received: int
    passed: int


class IncidentPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one monitor saw. Values and bounds are shares (0 to 1), records or seconds, or a stability index, by kind.

    `low` is null where only more than usual is unusual.
    """

    monitor: str
    kind: MonitorKind
    field: str
    value: float
    worst: float
    low: float | None
    high: float | None
    since: datetime
    detail: str
    settled: bool
    sentence: str


class FailingRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Which records failed, by `kind`: `event` ids, `quarantined` records or `receipt`s, the newest first.

    At most fifty of the last hour; `ids` is null for callers who may not see receipts.
    """

    kind: str
    records: int
    ids: list[str] | None


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as usual with the records of a contract. `parts` begin with the gravest."""

    id: str
    contract: str
    state: IncidentState
    severity: Severity
    sentence: str
    since: datetime
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    parts: list[IncidentPart]
    failing: FailingRecords
    note: str
    changed_by: str
    changed_at: datetime | None
    version: int


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents, the newest first."""

    items: list[IncidentView]
    next: str | None
    as_of: datetime


class ContractScore(msgspec.Struct, frozen=True, kw_only=True):
    """One contract: the score of the last day, of an hour and of thirty days, its monitors by state, what is open.

    `window` says what `score`, `received` and `passed` are of. `history` is of hours in lists, of days in details.
    """

    contract: str
    score: float | None
    received: int
    passed: int
    window: str
    open_incidents: int
    scores: list[QualityScore]
    history: list[QualityPoint]
    records_per_s: float | None
    last_record_at: datetime | None
    monitors_by_state: dict[str, int]


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Every contract with its scores, those with open incidents first, and the open incidents, newest first."""

    as_of: datetime
    contracts: list[ContractScore]
    incidents: list[IncidentView]


class MonitorView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is watched of a contract, where it stands, and what it saw last with what was usual then."""

    id: str
    contract: str
    kind: MonitorKind
    field: str
    state: MonitorState
    enabled: bool
    sensitivity: Sensitivity
    muted_until: datetime | None
    version: int
    at: datetime | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None


class ContractQuality(ContractScore, frozen=True, kw_only=True):
    """One contract whole: its scores, monitors, and open incidents."""

    as_of: datetime
    monitors: list[MonitorView]
    incidents: list[IncidentView]


class MonitorPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A value from `at` on with the band that was usual then; null where nothing could be said."""

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    unusual: bool


class MonitorDetail(MonitorView, frozen=True, kw_only=True):
    """A monitor with its history.

    `observations` are those that its band rests on, `needed` how many it takes; `basis` says with which earlier hours
    the band was learned besides the last two: hour of the day, hour of the week, or none yet (empty).
    """

    as_of: datetime
    observations: int
    needed: int
    basis: str
    learned_at: datetime | None
    history: list[MonitorPoint]
    incidents: list[IncidentView]


class MonitorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a monitor, in the place of `version`. `muted_until` is at most 90 days ahead."""

    version: _Version
    enabled: bool = True
    sensitivity: Sensitivity = Sensitivity.NORMAL
    muted_until: _Moment | None = None


class IncidentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is done about an incident, in the place of `version`, and why."""

    version: _Version
    note: _Note = ""


class Shower:
    """Shows incidents to one caller: in the firm's time, with keys if the caller may see receipts."""

    def __init__(self, tx: Tx) -> None:
        self._zone, self.now = ZoneInfo(get_tenant(tx).timezone), tx.now()
        human = tx.actor.kind == "user"
        self._keys = not human or allowed(Role(tx.actor.role), Permission.RECEIPTS_READ) is not None

    def incident(self, one: types.Incident) -> IncidentView:
        """An incident as the API shows it."""
        parts = [
            IncidentPart(
                monitor=show_id(overview.PREFIX, part.monitor), kind=part.kind, field=part.field, value=part.value,
                worst=part.worst, low=part.low, high=part.high, since=part.since, detail=part.detail,
                settled=part.settled, sentence=saying.part_sentence(part, one.contract, self._zone, self.now),
            )
            for part in one.parts
        ]  # fmt: skip
        failing = FailingRecords(
            kind=one.keys.kind, records=one.keys.records, ids=list(one.keys.ids) if self._keys else None
        )
        return IncidentView(
            id=show_id(PREFIX, one.id), contract=one.contract, state=one.state, severity=one.severity,
            sentence=saying.sentence(one, self._zone, self.now), since=one.since, opened_at=one.opened_at,
            last_at=one.last_at, closed_at=one.closed_at, parts=parts, failing=failing, note=one.note,
            changed_by=one.changed_by, changed_at=one.changed_at, version=one.version,
        )  # fmt: skip


def show_contract(one: types.ContractQuality) -> ContractScore:
    """A contract's scores as the API shows them."""
    return ContractScore(**_contract(one))


def show_contract_whole(
    one: types.ContractQuality,
    monitors: list[tuple[types.Monitor, MonitorState, types.Point | None]],
    shower: Shower,
) -> ContractQuality:
    """A contract with its monitors and incidents as the API shows it."""
    return ContractQuality(
        **_contract(one),
        as_of=shower.now,
        monitors=[MonitorView(**_monitor(*each)) for each in monitors],
        incidents=[shower.incident(each) for each in one.incidents],
    )


def _contract(one: types.ContractQuality) -> dict[str, Any]:
    day = one.scores[1]
    return {
        "contract": one.contract,
        "score": day.score,
        "received": day.received,
        "passed": day.passed,
        "window": f"{day.hours} h",
        "open_incidents": len(one.incidents),
        "scores": [
            QualityScore(hours=each.hours, received=each.received, passed=each.passed, score=each.score)
            for each in one.scores
        ],
        "history": [QualityPoint(at=each.at, received=each.received, passed=each.passed) for each in one.history],
        "records_per_s": one.records_per_s,
        "last_record_at": one.last_record_at,
        "monitors_by_state": {state.value: count for state, count in sorted(one.monitors.items())},
    }


def _monitor(one: types.Monitor, state: MonitorState, point: types.Point | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": show_id(overview.PREFIX, one.id),
        "contract": one.contract,
        "kind": one.kind,
        "field": one.field,
        "state": state,
        "enabled": one.enabled,
        "sensitivity": one.sensitivity,
        "muted_until": one.muted_until,
        "version": one.version,
    }
    if point is not None:
        shown |= {"at": point.at, "value": point.value, "low": point.low, "high": point.high}
    return shown


def show_monitor(
    found: tuple[types.Monitor, MonitorState, types.Watch | None],
    history: list[types.Point],
    incidents: list[types.Incident],
    shower: Shower,
) -> MonitorDetail:
    """A monitor with its history as the API shows it."""
    monitor, state, watch = found
    usual = types.Usual() if watch is None else watch.usual
    place = monitor.place
    return MonitorDetail(
        **_monitor(monitor, state, history[-1] if history else None),
        as_of=shower.now,
        observations=usual.observations[place] if place < len(usual.observations) else 0,
        needed=overview.NEEDED,
        basis=usual.basis,
        learned_at=usual.learned_at,
        history=[
            MonitorPoint(at=one.at, value=one.value, low=one.low, high=one.high, unusual=one.unusual) for one in history
        ],
        incidents=[shower.incident(one) for one in incidents],
    )
