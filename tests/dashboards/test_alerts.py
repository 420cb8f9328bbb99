"""Alerts on metrics fire after their pending period, say so once, wait, group, are silenced, and settle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from finer.dashboards.errors import AlertNotFound, CannotBeUsed, ChangedMeanwhile
from finer.dashboards.service import alerts
from finer.dashboards.types import Silence, Watched
from finer.identity.errors import PermissionMissing
from finer.identity.service import people
from finer.identity.types.access import Role
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.runs import RunState
from finer.operations.service import metrics
from finer.quality.service.usual import seasonal_band
from finer.quality.types import Sensitivity
from finer.workspace.errors import CannotBeUsed as ConditionRefused
from finer.workspace.types import WatchState
from tests.dashboards.tower import PLACED, Tower
from tests.identity.conftest import clock, clocked, firm, settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "settings"]

WEB = "https://finer.example"


@pytest.fixture
def tower(firm: Firm, worker_database: Database, clock: FixedClock) -> Tower:
    return Tower(firm, on_clock(worker_database, clock), clock)


def _change(tower: Tower, alert: Any, **changes: Any) -> None:
    found = tower.get(alert)
    with tower.tx() as tx:
        alerts.change_alert(tx, alert, found.version, msgspec.structs.replace(found.alert, **changes), WEB)


def test_it_fires_once_hovers_and_settles_only_when_it_is_clearly_over(tower: Tower, clock: FixedClock) -> None:
    made = tower.watch("value > 5", settles="value <= 3", watched=Watched(metric="orders_placed", span="1h"))
    tower.placed(4)
    tower.look(1)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.OK, [])
    tower.placed(4, clock.now() + timedelta(minutes=2))
    tower.look(3)
    found = tower.get(made)
    assert found.watch.state is WatchState.FIRING
    assert found.watch.reason.startswith("Orders placed of the last hour is 8")
    assert tower.bell() == [("Orders fires", True)]
    # An hour after the first four: 4 is not above 5 any more, and not down to 3 either, so it goes on.
    tower.look(57, step=3)
    assert (tower.get(made).value, tower.get(made).watch.state) == (4, WatchState.FIRING)
    tower.look(4)
    assert tower.get(made).watch.state is WatchState.OK
    assert tower.bell() == [("Orders fires", False)]
    assert [(one.state, one.told) for one in tower.history(made)] == [
        (WatchState.OK, True), (WatchState.FIRING, True),
    ]  # fmt: skip


def test_it_waits_for_its_pending_period_and_begins_it_anew(tower: Tower) -> None:
    made = tower.watch("value < 3", pending_minutes=5)
    tower.look(3)
    assert tower.get(made).watch.state is WatchState.PENDING
    tower.placed(3)
    tower.look(1)
    assert tower.get(made).watch.state is WatchState.OK
    _change(tower, made, condition="value < 4")
    tower.look(5)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.PENDING, [])
    tower.look(1)
    assert tower.bell() == [("Orders fires", True)]


def test_without_any_cost_profit_is_not_known_and_nothing_fires(tower: Tower, clock: FixedClock) -> None:
    profit = Watched(metric="gross_profit", span="1h")
    little = tower.watch("value < 1000", watched=profit)
    unusual = tower.watch("value < 1000 or value < low", watched=profit)
    # The last whole hour is what is held to what is usual.
    tower.placed(3, clock.now() - timedelta(hours=1), kind="paid")
    tower.placed(3, kind="paid")
    with tower.tx() as tx:
        found = metrics.read_metric(metrics.ground_of(tx, "1h"), "gross_profit")
        assert (found.total, found.change, found.series) == (None, None, [])
    tower.look(1)
    assert [(tower.get(one).value, tower.get(one).watch.state) for one in (little, unusual)] == [
        (None, WatchState.OK), (None, WatchState.OK),
    ]  # fmt: skip
    assert tower.bell() == []
    tower.placed(1, kind="paid", cost=40)
    tower.look(1)
    assert (tower.get(little).value, tower.get(little).watch.state) == (0.6, WatchState.FIRING)
    assert tower.get(unusual).watch.state is WatchState.OK


def test_it_says_so_again_after_its_cooldown_and_not_before(tower: Tower) -> None:
    made = tower.watch("value < 3", cooldown_minutes=4)
    told = []
    for _ in range(9):
        tower.look(1)
        told.append(sum(one.told for one in tower.history(made)))
    assert told == [1, 1, 1, 1, 2, 2, 2, 2, 3]


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(hours=-7), timedelta(minutes=90)])
def test_a_clock_that_jumps_and_comes_back_fires_nothing(tower: Tower, clock: FixedClock, jump: timedelta) -> None:
    tower.placed(10)
    quiet = tower.watch("value < 3", watched=Watched(metric="orders_placed", span="1h"))
    waits = tower.watch("value > 3", pending_minutes=10)
    tower.look(2)
    clock.advance(jump)
    tower.look(1)
    clock.advance(-jump)
    tower.look(2)
    assert tower.bell() == []
    assert tower.get(quiet).watch.state is WatchState.OK
    assert (tower.get(waits).watch.state, tower.get(waits).problem) == (WatchState.PENDING, "")
    # It has held for four minutes in which somebody looked, whatever the clock said.
    tower.look(5)
    assert tower.bell() == []
    tower.look(1)
    assert tower.bell() == [("Orders fires", True)]


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(hours=-7), timedelta(minutes=90)])
def test_a_clock_that_jumps_loses_no_alert(tower: Tower, clock: FixedClock, jump: timedelta) -> None:
    tower.placed(10)
    made = tower.watch("value > 3", cooldown_minutes=10)
    tower.look(1)
    clock.advance(jump)
    tower.look(1)
    clock.advance(-jump)
    tower.look(8)
    assert tower.bell() == [("Orders fires", True)]
    assert sum(one.told for one in tower.history(made)) == 1
    tower.look(1)
    assert sum(one.told for one in tower.history(made)) == 2


@pytest.mark.parametrize("jump", [timedelta(days=3), timedelta(days=-3)])
def test_a_clock_that_was_wrong_and_stays_right_watches_as_before(
    tower: Tower, clock: FixedClock, jump: timedelta
) -> None:
    made = tower.watch("value > 3", pending_minutes=3)
    tower.look(1)
    clock.advance(jump)
    tower.placed(10, clock.now())
    tower.look(6)
    assert tower.bell() == [("Orders fires", True)]
    assert WatchState.ERROR in [one.state for one in tower.history(made)]


def test_a_silence_tells_nobody_and_what_holds_afterwards_is_told(tower: Tower) -> None:
    made = tower.watch("value < 3")
    with tower.tx() as tx, pytest.raises(CannotBeUsed):
        alerts.silence(tx, Silence(id=made, alert_id=None, group="", until=tx.now(), reason="late"))
    quiet = tower.silence(alert=made)
    tower.look(1)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.FIRING, [])
    with tower.tx() as tx:
        assert alerts.end_silence(tx, quiet) == []
        with pytest.raises(AlertNotFound):
            alerts.end_silence(tx, quiet)
    tower.look(1)
    assert tower.bell() == [("Orders fires", True)]


def test_what_is_over_in_a_silence_is_said_when_it_ends(tower: Tower) -> None:
    made = tower.watch("value < 3", mail=True)
    tower.look(1)
    tower.silence(hours=1)
    tower.placed(5)
    tower.look(30, step=5)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.OK, [("Orders fires", True)])
    assert len(tower.deliveries()) == 1
    tower.look(35, step=5)
    assert tower.bell() == [("Orders fires", False)]
    assert len(tower.deliveries()) == 2


def test_alerts_of_a_group_are_one_line_one_mail_and_one_silence(tower: Tower) -> None:
    made = [
        tower.watch(condition, name=name, group="shop", mail=True, severity=severity)
        for condition, name, severity in (("value < 3", "A", "warning"), ("value < 9", "B", "critical"))
    ]
    tower.look(1)
    assert tower.bell() == [("shop: 2 alerts fire", True)]
    assert len(tower.deliveries()) == 1
    tower.placed(5)
    tower.look(1)
    # A is over, and the line of the group says what is left.
    assert tower.bell() == [("B fires", True)]
    with tower.tx() as tx:
        alerts.delete_alert(tx, made[0], WEB)
    assert tower.bell() == [("B fires", True)]
    tower.silence(group="shop")
    tower.placed(9)
    tower.look(1)
    assert tower.bell() == [("B fires", True)]
    with tower.tx() as tx:
        alerts.delete_alert(tx, made[1], WEB)
    assert tower.bell() == [("B fires", False)]


def test_change_and_anomaly_are_conditions_too(tower: Tower, clock: FixedClock) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    for week in range(1, 5):
        tower.placed(100 + week, hour - timedelta(weeks=week))
    usual = tower.watch("value < low or value > high")
    tower.placed(100, hour)
    tower.look(1)
    assert tower.get(usual).watch.state is WatchState.OK
    tower.placed(900, hour)
    tower.placed(900, hour - timedelta(days=1))
    tower.placed(50, hour - timedelta(days=10))
    change = tower.watch("change > 0.5", watched=Watched(metric="orders_placed", span="7d"))
    elsewhere = tower.watch("value > 0", watched=Watched(metric="orders_placed", region="Atlantis"))
    tower.look(1)
    assert "is usual" in tower.get(usual).watch.reason
    assert tower.get(usual).watch.state is WatchState.FIRING
    assert tower.get(change).watch.state is WatchState.FIRING
    assert tower.get(elsewhere).watch.state is WatchState.OK


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (30, "is 30, as in the 24 hours before."),
        (40, "is 30, 25% less than in the 24 hours before."),
        (4, "is 30, 650% more than in the 24 hours before."),
        (3, "is 30, 10 times what it was in the 24 hours before."),
    ],
)
def test_a_change_is_told_as_people_would(tower: Tower, clock: FixedClock, before: int, said: str) -> None:
    tower.placed(before, clock.now() - timedelta(hours=30))
    tower.placed(30, clock.now() - timedelta(hours=3))
    made = tower.watch("change > -2")
    tower.look(1)
    assert tower.get(made).watch.reason.endswith(said)


def test_what_is_not_known_neither_fires_nor_settles(tower: Tower, clock: FixedClock) -> None:
    tower.placed(10, clock.now() - timedelta(hours=30))
    made = tower.watch("change < -0.5")
    tower.look(1)
    assert tower.get(made).watch.state is WatchState.FIRING
    # 20 hours later nothing was placed the day before either, so there is nothing to compare with.
    tower.clock.advance(timedelta(hours=20))
    tower.look(2)
    assert tower.get(made).watch.state is WatchState.FIRING
    fresh = tower.watch("change < -0.5", name="Fresh")
    tower.look(1)
    assert tower.get(fresh).watch.state is WatchState.OK


def test_nothing_is_unusual_before_something_is_usual() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    history = [(at - timedelta(days=day), 100.0) for day in range(1, 3)]
    assert seasonal_band(history, at, Sensitivity.NORMAL) is None
    learned = seasonal_band([*history, (at - timedelta(days=3), 100.0)], at, Sensitivity.NORMAL)
    assert learned is not None
    assert learned[0] < 100 < learned[1]


def test_sums_that_are_behind_are_not_judged_and_after_a_while_it_is_said(
    tower: Tower, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tower.watch("value < 3")
    came = clock.now() - timedelta(minutes=1)
    monkeypatch.setattr(alerts, "behind_since", lambda _: came)
    tower.look(10)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.OK, [])
    assert "08:59 UTC" in tower.get(made).problem
    tower.look(10)
    assert tower.bell() == [("Orders cannot be looked at", True)]
    monkeypatch.undo()
    tower.look(1)
    assert tower.get(made).problem == ""
    assert tower.bell() == [("Orders fires", True), ("Orders cannot be looked at", False)]


def test_one_that_cannot_be_looked_at_stays_as_it_was_and_leaves_the_others(
    tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    fires = tower.watch("value < 3")
    other = tower.watch("value < 3", name="Paid", watched=Watched(metric="orders_paid"))
    tower.look(1)
    read = metrics.read_metric

    def broken(at: Any, name: str) -> Any:
        if name == "orders_placed":
            at.tx.connection.exec_driver_sql("select 1 / 0")
        return read(at, name)

    monkeypatch.setattr(metrics, "read_metric", broken)
    assert tower.run("look_at_metrics").counts == {"alerts": 2, "told": 0}
    assert (tower.get(fires).watch.state, tower.get(other).problem) == (WatchState.FIRING, "")
    assert "Something went wrong" in tower.get(fires).problem
    assert ("Orders cannot be looked at", True) in tower.bell()


def test_trouble_with_somebodys_alerts_is_no_trouble_of_others(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    tower.watch("value < 3")
    tower.watch("value < 3", Role.MARKETING_MANAGER)
    first, look = tower.actor(Role.EXECUTIVE).id, alerts.look_at_own

    def broken(tx: Any, web_url: str) -> tuple[int, int]:
        if tx.actor.id == first:
            raise ZeroDivisionError
        return look(tx, web_url)

    monkeypatch.setattr(alerts, "look_at_own", broken)
    run = tower.run("look_at_metrics")
    assert (run.state, run.error[:40]) == (RunState.FAILED, "The alerts on metrics of 1 of 2 people c")
    assert (tower.bell(), tower.bell(Role.MARKETING_MANAGER)) == ([], [("Orders fires", True)])


def test_changing_what_is_looked_for_begins_anew_and_takes_back_what_was_told(tower: Tower) -> None:
    made = tower.watch("value < 3")
    tower.look(1)
    _change(tower, made, name="Fewer orders", cooldown_minutes=10)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.FIRING, [("Orders fires", True)])
    _change(tower, made, active=False)
    assert (tower.get(made).watch.state, tower.bell()) == (WatchState.OK, [("Orders fires", False)])
    tower.look(2)
    assert len(tower.history(made)) == 1
    with tower.tx() as tx, pytest.raises(ChangedMeanwhile):
        alerts.change_alert(tx, made, 1, tower.get(made).alert, WEB)
    # Resumed after a day: nobody looked meanwhile because nobody was to, so it is judged at once.
    tower.clock.advance(timedelta(days=1))
    _change(tower, made, active=True)
    tower.look(1)
    assert tower.bell()[0] == ("Fewer orders fires", True)


@pytest.mark.parametrize("condition", ["value >", "wealth > 1", "value = 'a'", "value + 1"])
def test_conditions_that_say_nothing_are_refused(tower: Tower, condition: str) -> None:
    with pytest.raises(ConditionRefused):
        tower.watch(condition)


def test_b02_a_metric_that_a_role_may_not_see_is_not_watched(tower: Tower) -> None:
    with pytest.raises(PermissionMissing):
        tower.watch(role=Role.RISK_ANALYST)
    made = tower.watch()
    with tower.tx(Role.MARKETING_MANAGER) as tx, pytest.raises(AlertNotFound):
        alerts.get_alert(tx, made)


def test_b02_who_loses_the_right_learns_no_number_more_and_who_is_shut_out_is_not_watched_for(tower: Tower) -> None:
    made = tower.watch("value >= 0", watched=PLACED)
    tower.look(1)
    owner = tower.people[Role.EXECUTIVE]
    with tower.firm.tx() as tx:
        tx.connection.exec_driver_sql("update identity_users set role = 'risk_analyst' where id = %s", (owner.id,))
    tower.placed(7)
    tower.look(1)
    found = tower.get(made)
    assert (found.value, found.watch.reason) == (0, "Orders placed of the last 24 hours is 0.")
    assert "permission" in found.problem
    with tower.firm.tx() as tx:
        people.disable_user(tx, email=owner.email)
    tower.look(1)
    found = tower.get(made)
    assert (found.alert.active, found.problem) == (False, "Its owner does not have alerts on metrics any more.")
    assert all(not is_open for _, is_open in tower.bell())


def test_old_happenings_and_silences_are_forgotten(tower: Tower, clock: FixedClock) -> None:
    made = tower.watch("value < 3")
    tower.look(1)
    tower.silence()
    clock.advance(timedelta(days=92))
    with tower.firm.tx() as tx:
        assert alerts.forget_old(tx) == 2
    assert (tower.history(made), tower.get(made).watch.state) == ([], WatchState.FIRING)
