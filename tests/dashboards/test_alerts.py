"""Alerts on metrics fire after their pending period, say so once, wait, group, are silenced, and settle."""

from __future__ import annotations

import base64
import hmac
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from finer.dashboards.errors import AlertNotFound, CannotBeUsed
from finer.dashboards.rules.telling import Told
from finer.dashboards.service import alerts
from finer.dashboards.types import AlertState, MetricAlert, Silence, Watched
from finer.identity.errors import PermissionMissing
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.columns import Columns
from finer.kit.db import Database
from finer.kit.ids import new_id
from finer.notifications import service as notifications
from finer.notifications.errors import HookNotFound, HookRefused
from finer.operations.service import rollups
from finer.quality.service.usual import seasonal_band
from finer.quality.types import Sensitivity
from finer.workspace.errors import CannotBeUsed as ConditionRefused
from finer.workspace.types import WatchState
from tests.workspace.conftest import Desk

_WATCHED = Watched(metric="orders_placed", span="24h")


@pytest.fixture
def floor(make_desk: Callable[[str], Desk]) -> Desk:
    """A firm of one test: what it counts is known."""
    return make_desk("metrics")


def _placed(worker: Database, desk: Desk, count: int, at: datetime | None = None) -> None:
    batch = pa.RecordBatch.from_pydict({
        "occurred_at": pa.array([at or datetime.now(UTC)] * count, pa.timestamp("us", "UTC")),
        "type": ["placed"] * count, "country": ["PH"] * count, "channel": ["web"] * count,
        "product_id": ["p"] * count, "currency": ["PHP"] * count, "amount_minor": [100] * count,
        "quantity": [1] * count,
    })  # fmt: skip
    with worker.transaction(desk.firm.tenant.id, SYSTEM) as tx:
        rollups.add(tx, "order", Columns(batch), np.ones(count, np.bool_))


def _watch(desk: Desk, condition: str = "value > 5", role: Role = Role.EXECUTIVE, **more: Any) -> AlertState:
    with desk.tx(role) as tx:
        given: dict[str, Any] = {"name": "Orders", "watched": _WATCHED, "condition": condition} | more
        return alerts.create_alert(tx, MetricAlert(**given))


def _look(desk: Desk, made: AlertState, role: Role = Role.EXECUTIVE) -> Told | None:
    with desk.tx(role) as tx:
        told = alerts.look(tx, alerts.get_alert(tx, made.id))
        alerts.tell(tx, [told] if told else [], "https://finer.example")
        return told


def _bell(desk: Desk, role: Role = Role.EXECUTIVE) -> list[tuple[str, bool]]:
    with desk.tx(role) as tx:
        found, _ = notifications.list_notifications(tx, limit=50)
    return [(one.title, one.settled_at is None) for one in found if one.kind == "metric_alert"]


def _state(desk: Desk, made: AlertState) -> WatchState:
    with desk.tx(Role.EXECUTIVE) as tx:
        return alerts.get_alert(tx, made.id).watch.state


def test_it_fires_once_hovers_and_settles_only_when_it_is_clearly_over(floor: Desk, worker_database: Database) -> None:
    made = _watch(floor, "value > 5", settles="value <= 3")
    _placed(worker_database, floor, 4)
    assert _look(floor, made) is None
    _placed(worker_database, floor, 4)
    told = _look(floor, made)
    assert told is not None
    assert told.reason == "Orders placed of the last 24h is 8."
    assert _look(floor, made) is None
    assert _bell(floor) == [("Orders fires", True)]
    with floor.tx(Role.EXECUTIVE) as tx:
        shown = alerts.get_alert(tx, made.id)
        # 8 is not above 9 any more, and not below 3 either: it goes on.
        alerts.change_alert(tx, made.id, 1, msgspec.structs.replace(shown.alert, mail=False, severity="critical"))
    assert _state(floor, made) is WatchState.FIRING
    with floor.tx(Role.EXECUTIVE) as tx:
        found = alerts.get_alert(tx, made.id)
        looser = msgspec.structs.replace(found.alert, condition="value > 9", settles="value <= 3")
        hovering = msgspec.structs.replace(found, alert=looser)
        assert alerts.look(tx, hovering) is None
        assert alerts.get_alert(tx, made.id).watch.state is WatchState.FIRING
        over = alerts.look(tx, msgspec.structs.replace(hovering, alert=msgspec.structs.replace(looser, settles="")))
        assert over is not None
        assert over.over
        alerts.tell(tx, [over], "https://finer.example")
        assert [one.state for one in alerts.history(tx, made.id)] == [WatchState.OK, WatchState.FIRING]
    assert _bell(floor) == [("Orders fires", False)]


def test_it_waits_for_its_pending_period(floor: Desk) -> None:
    made = _watch(floor, "value >= 0", pending_minutes=10)
    assert _look(floor, made) is None
    assert _state(floor, made) is WatchState.PENDING
    with floor.firm.tx() as tx:
        tx.connection.exec_driver_sql(
            "update dashboards_alerts set watch = jsonb_set(watch, '{since}', to_jsonb((now() - interval '11 minutes')"
            "::timestamptz)) where id = %s", (made.id,),
        )  # fmt: skip
    assert _look(floor, made) is not None


def test_a_silence_tells_nobody_and_what_holds_afterwards_is_told(floor: Desk) -> None:
    made = _watch(floor, "value >= 0")
    with floor.tx(Role.EXECUTIVE) as tx:
        with pytest.raises(CannotBeUsed):
            alerts.silence(tx, Silence(id=new_id(), alert_id=None, group="", until=tx.now(), reason="late"))
        until = tx.now() + timedelta(hours=1)
        one = alerts.silence(tx, Silence(id=new_id(), alert_id=made.id, group="", until=until, reason="release"))[0]
    assert _look(floor, made) is None
    assert (_state(floor, made), _bell(floor)) == (WatchState.FIRING, [])
    with floor.tx(Role.EXECUTIVE) as tx:
        assert alerts.end_silence(tx, one.id) == []
    assert _look(floor, made) is not None
    assert _bell(floor) == [("Orders fires", True)]


def test_alerts_of_a_group_are_one_line_and_one_mail(floor: Desk) -> None:
    made = [_watch(floor, "value >= 0", name=name, group="shop", mail=True) for name in ("A", "B")]
    with floor.tx(Role.EXECUTIVE) as tx:
        told = [alerts.look(tx, one) for one in made]
        alerts.tell(tx, [one for one in told if one is not None], "https://finer.example")
    assert len(_bell(floor)) == 1
    with floor.firm.tx(SYSTEM) as tx:
        rows = tx.connection.exec_driver_sql("select id from notifications_deliveries").all()
        assert len(rows) == 1
        mail = notifications.mail_to_send(tx, rows[0][0])
    assert mail is not None
    assert mail.subject == "A and 1 more fires"


def test_change_and_anomaly_are_conditions_too(floor: Desk, worker_database: Database) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    for week in range(1, 5):
        _placed(worker_database, floor, 100 + week, hour - timedelta(weeks=week))
    usual = _watch(floor, "value < low or value > high")
    _placed(worker_database, floor, 100, hour)
    assert _look(floor, usual) is None
    assert _state(floor, usual) is WatchState.OK
    _placed(worker_database, floor, 900, hour)
    told = _look(floor, usual)
    assert told is not None
    assert "is usual" in told.reason
    change = _watch(floor, "change > 0.5", watched=Watched(metric="orders_placed", span="7d"))
    assert _look(floor, change) is not None
    elsewhere = _watch(floor, "value > 0", watched=Watched(metric="orders_placed", region="Atlantis"))
    assert _look(floor, elsewhere) is None


def test_nothing_is_unusual_before_something_is_usual() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    history = [(at - timedelta(days=day), 100.0) for day in range(1, 3)]
    assert seasonal_band(history, at, Sensitivity.NORMAL) is None
    learned = seasonal_band([*history, (at - timedelta(days=3), 100.0)], at, Sensitivity.NORMAL)
    assert learned is not None
    assert learned[0] < 100 < learned[1]


@pytest.mark.parametrize("condition", ["value >", "wealth > 1", "value = 'a'", "value + 1"])
def test_conditions_that_say_nothing_are_refused(desk: Desk, condition: str) -> None:
    with pytest.raises(ConditionRefused):
        _watch(desk, condition)


def test_a05_a_metric_that_a_role_may_not_see_is_not_watched(desk: Desk) -> None:
    with pytest.raises(PermissionMissing):
        _watch(desk, role=Role.RISK_ANALYST)
    made = _watch(desk)
    with desk.tx(Role.MARKETING_MANAGER) as tx, pytest.raises(AlertNotFound):
        alerts.get_alert(tx, made.id)
    with desk.firm.tx(SYSTEM) as tx:
        alerts.put_to_rest(tx, [made])
        assert made.id not in {one.id for found in alerts.due(tx).values() for one in found}


def test_a_webhook_gets_a_signed_document(desk: Desk) -> None:
    with desk.tx(Role.ADMINISTRATOR) as tx:
        hook, secret = notifications.add_hook(tx, desk.settings, "Pager", "https://hooks.example/x")
    made = _watch(desk, "value >= 0", hook_id=hook.id)
    _look(desk, made)
    with desk.firm.tx(SYSTEM) as tx:
        (row,) = tx.connection.exec_driver_sql(
            "select id from notifications_deliveries where hook_id = %s", (hook.id,)
        ).all()
        call = notifications.hook_to_call(tx, row[0])
        assert call is not None
        notifications.delivered(tx, row[0])
        assert notifications.hook_to_call(tx, row[0]) is None
    said = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    good = base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), said, sha256)).decode()
    assert call.headers["webhook-signature"] == f"v1,{good}"
    assert msgspec.json.decode(call.body)["alerts"][0]["state"] == "firing"


@pytest.mark.parametrize(
    "url", ["http://hooks.example/x", "https://u:p@hooks.example", "https://hooks.example:22/", "x"]
)
def test_e01_a_webhook_leads_outside_by_https_only(desk: Desk, url: str) -> None:
    with desk.tx(Role.ADMINISTRATOR) as tx, pytest.raises(HookRefused):
        notifications.add_hook(tx, desk.settings, "Pager", url)


def test_webhooks_are_added_by_administrators_and_chosen_by_others(desk: Desk) -> None:
    with desk.tx(Role.EXECUTIVE) as tx, pytest.raises(PermissionMissing):
        notifications.add_hook(tx, desk.settings, "Mine", "https://hooks.example/x")
    with pytest.raises(HookNotFound):
        _watch(desk, hook_id=uuid.uuid4())
