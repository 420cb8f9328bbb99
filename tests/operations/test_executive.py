"""Figures that a firm is held to: right, each by itself, and pulled for those alone who may see them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.app.board_routes import compute_board
from finer.app.boards import Scope
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.operations.rules import goals
from finer.operations.service import executive, gauges
from finer.operations.types.goals import OutcomeDay, Outcomes
from finer.operations.types.sums import HOUR_S, MINUTE_S
from tests.fraud.desk import payment
from tests.operations.conftest import Floor
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
EVERYTHING = tuple(sorted({permission.value for permission in executive.NEEDS.values()}))


def _board(firm: Firm, sees: tuple[str, ...] = EVERYTHING, span: str = "7d") -> dict[str, Any]:
    parts = compute_board(firm.database, Scope(tenant=firm.tenant.id, board="executive", sees=sees, span=span))
    return {name: msgspec.json.decode(part) for name, part in parts.items()}


def _lake(_tenant: uuid.UUID, statement: str, given: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Two days of payments, as the lake tells them."""
    if "above" in given:
        return [{"day": date(2026, 3, 2), "payments": 4, "covered": 3}]
    if "as missed_usd_minor" in statement:
        day = {"payments": 1000, "alerts": 9, "blocks": 4, "judged": 5, "fraud": 3, "caught": 3, "legitimate": 2}
        return [
            {"day": date(2026, 2, 20), **day, "missed_usd_minor": 500_00},
            {"day": date(2026, 3, 2), **day, "missed_usd_minor": 100_00},
        ]
    if "as again" in statement:
        return [
            {"day": date(2026, 3, 2), "rule": "r", "model": None, "again": False, "payments": 1, "usd_minor": 900_00}
        ]
    return []


def _measure(floor: Floor) -> None:
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        found = executive.measure_outcomes(tx.now(), executive.to_be_measured(tx), _lake)
        assert executive.keep_outcomes(tx, found) == 2


def test_what_became_of_payments_is_held_to_goals_and_to_the_period_before(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    _measure(floor)
    found = _board(floor.firm)
    assert found["failed"] == []
    assert datetime.fromisoformat(found["measured_at"]) == NOW
    stopped = found["false_positives"]
    assert stopped["value"] == pytest.approx(2 / 997)
    assert (stopped["holds"], stopped["before"]) == (False, pytest.approx(2 / 997))
    assert [point["value"] is None for point in stopped["series"]] == [True] * 6 + [False]
    assert (found["coverage"]["value"], found["coverage"]["holds"]) == (0.75, False)
    assert found["coverage"]["parts"] == {"payments": 4, "covered": 3}
    assert (found["protected"]["value"], found["protected"]["before"]) == (0.9, 0.0)
    assert found["protected"]["holds"]
    # Over a month both days are within, and nothing is before.
    month = _board(floor.firm, span="30d")
    assert month["false_positives"]["parts"]["payments"] == 2000
    assert month["false_positives"]["before"] is None


def test_before_an_alert_was_judged_no_goal_of_false_positives_is_held(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    days = [
        OutcomeDay(
            day=date(2026, 3, day), payments=1000, fraud=3, caught=caught, legitimate=legitimate, protected_usd_minor=0,
            missed_usd_minor=1,
        )
        for day, caught, legitimate in ((1, 0, 0), (2, 1, 0))
    ]  # fmt: skip
    for known, value, holds in ((days[:1], None, None), (days, 0.0, True)):
        with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
            executive.keep_outcomes(tx, Outcomes(as_of=clock.now(), days=known))
        found = _board(floor.firm)["false_positives"]
        assert (found["value"], found["holds"]) == (value, holds)
        assert [point["value"] for point in found["series"]][-2:] == [None, value]


def test_what_comes_in_is_timed_and_held_to_its_contract(floor: Floor, clock: FixedClock) -> None:
    clock.advance(datetime.now(UTC) - clock.now())  # when records came is told by the database
    at = clock.now()
    live = [payment(number, occurred_at=at.isoformat()) for number in range(3)]
    # What was loaded later waits behind much of its own kind, and says nothing of how fast payments are decided on.
    floor.send("transaction", [*live, payment(3, occurred_at=(at - timedelta(hours=1)).isoformat())])
    found = _board(floor.firm)
    assert found["latency"]["parts"]["payments"] == 3
    assert found["latency"]["value"] is not None
    assert found["latency"]["target"] == {"unit": "ms", "value": 500.0, "at_most": True}
    assert (found["quality"]["value"], found["quality"]["holds"]) == (1.0, True)
    assert found["quality"]["parts"] == {"records": 4, "refused": 0}
    assert found["incidents"] == 0
    assert found["alerts"]["open"] == 0


def test_freshness_is_the_share_of_minutes_in_which_the_lake_kept_up(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    for delays in ({"transactions": 1.5}, {"transactions": 1.0, "orders": 6.0}, {}, {"transactions": 2.0}):
        with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
            gauges.take(tx, delays, 1.0)
        clock.advance(timedelta(minutes=1))
    found = _board(floor.firm)["freshness"]
    # A minute without records says nothing.
    assert found["value"] == pytest.approx(2 / 3)
    assert found["parts"] == {"minutes": 3, "late": 1, "delay_ms": 2000}
    assert not found["holds"]
    clock.advance(timedelta(days=3))
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert gauges.forget_old(tx) > 6
    # Hours are kept: the figure stands.
    assert _board(floor.firm)["freshness"]["value"] == pytest.approx(2 / 3)
    clock.advance(timedelta(days=400))
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert gauges.forget_old(tx) > 2
        assert tx.connection.exec_driver_sql("select count(*) from operations_gauges").scalar() == 0


def test_before_anything_was_measured_nothing_is_held_or_missed(other_firm: Firm) -> None:
    found = _board(other_firm)
    assert found["failed"] == []
    assert found["measured_at"] is None
    for name in goals.TARGETS:
        assert (found[name]["value"], found[name]["holds"], found[name]["before"]) == (None, None, None)


def test_firms_do_not_see_each_others_figures(floor: Floor, other_firm: Firm, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    _measure(floor)
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        gauges.take(tx, {"transactions": 1.0}, 1.0)
    with other_firm.tx() as tx:
        assert tx.connection.exec_driver_sql("select count(*) from operations_outcomes").scalar() == 0
        assert tx.connection.exec_driver_sql("select count(*) from operations_gauges").scalar() == 0


def test_a_figure_that_a_role_does_not_see_is_not_pulled(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    clock.advance(NOW - clock.now())

    def never(*_: Any) -> Any:
        raise AssertionError

    for name in ("_false_positives", "_covered", "_protected", "_latency"):
        monkeypatch.setattr(executive, name, never)
    found = _board(floor.firm, ("quality:read",))
    assert found["failed"] == []
    assert found["quality"] is not None
    assert all(found[name] is None for name in executive.NEEDS if name not in {"quality", "incidents"})


def test_each_role_gets_its_figures(driver: Driver, world: World) -> None:
    def shown(role: Role) -> set[str]:
        answer = driver.call("GET", "/api/v1/operations/executive?span=7d", world.headers(role.value))
        assert answer.status == 200, answer.text
        return {name for name in executive.NEEDS if answer.json()[name] is not None}

    whole = set(executive.NEEDS) - {"measured_at"}  # nobody has looked yet
    assert shown(Role.EXECUTIVE) == whole
    assert shown(Role.AUDITOR) == whole
    assert shown(Role.RISK_ANALYST) == whole
    assert shown(Role.ADMINISTRATOR) == {"latency", "quality", "incidents", "alerts"}
    bad = driver.call("GET", "/api/v1/operations/executive?span=24h", world.headers(Role.EXECUTIVE.value))
    assert bad.status == 400


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(0, 5)), max_size=15),
    st.sampled_from(sorted(goals.PERIODS.values())),
)
def test_a_period_and_the_one_before_share_no_day_and_miss_none(rows: list[tuple[int, int, int]], length: int) -> None:
    today = date(2026, 3, 2)
    measured = {
        today - timedelta(days=back): OutcomeDay(
            day=today - timedelta(days=back), payments=paid + good, fraud=0, legitimate=good,
            protected_usd_minor=0, missed_usd_minor=0,
        )
        for back, paid, good in rows
    }  # fmt: skip
    days = goals.days_of(today, length)

    def paid(of: Any) -> float | None:
        return float(sum(one.payments for one in of)) if of else None

    found = goals.goal(
        "latency",
        goals.TARGETS["latency"],
        days,
        measured,
        paid,
        lambda of: {"payments": sum(one.payments for one in of)},
    )
    backs = {(today - day).days: one.payments for day, one in measured.items()}
    assert (found.value or 0) == sum(paid for back, paid in backs.items() if back < length)
    assert (found.before or 0) == sum(paid for back, paid in backs.items() if length <= back < 2 * length)
    assert sum(point.value or 0 for point in found.series) == (found.value or 0)
    assert len(found.series) == length
    assert found.holds is (None if found.value is None else found.value <= 500)


def test_readings_of_minutes_and_hours_say_the_same(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    for second in (0, 20, 70):
        clock.advance(NOW + timedelta(seconds=second) - clock.now())
        with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
            gauges.take(tx, {"orders": float(second)}, 1.0)
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM, read_only=True) as tx:
        rows = tx.connection.exec_driver_sql(
            "select step_s, samples, total, highest from operations_gauges where name = %s order by step_s, bucket",
            (gauges.DELAY,),
        ).all()
    assert [tuple(row) for row in rows] == [(MINUTE_S, 2, 20, 20), (MINUTE_S, 1, 70, 70), (HOUR_S, 3, 90, 70)]
