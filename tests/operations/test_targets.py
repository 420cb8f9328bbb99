"""What a firm wants to reach: plans spread over their months, goals of its own, by whoever may set them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.app.board_routes import compute_board
from finer.app.boards import Scope
from finer.identity.service.audit import list_audit
from finer.identity.types.access import Role
from finer.kit.clock import FixedClock
from finer.operations.errors import TargetsNotAcceptable
from finer.operations.rules.plans import checked, planned
from finer.operations.service import targets
from finer.operations.types.goals import Plan, Targets
from tests.operations.conftest import Floor
from tests.operations.conftest import order as order_line
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_PATH = "/api/v1/operations/targets"


def _plan(month: str, minor: int, currency: str = "PHP") -> Plan:
    return Plan(month=month, currency=currency, amounts_minor={"revenue": minor})


def _set(firm: Firm, **wanted: Any) -> Targets:
    with firm.tx() as tx:
        return targets.change(tx, targets.in_force(tx).version, Targets(**wanted))


def _board(firm: Firm, board: str, span: str, **chosen: Any) -> dict[str, Any]:
    sees = ("finance:read", "pipeline:read")
    parts = compute_board(firm.database, Scope(tenant=firm.tenant.id, board=board, sees=sees, span=span, **chosen))
    return {name: msgspec.json.decode(part) for name, part in parts.items()}


@given(st.integers(0, 24 * 61), st.integers(0, 24 * 61), st.sampled_from(["UTC", "Asia/Manila", "Europe/Berlin"]))
def test_a_plan_is_spread_over_its_month_and_parts_of_it_add_up(one: int, other: int, zone: str) -> None:
    plans = [_plan("2026-02", 28_000_000), _plan("2026-03", 31_000_000), _plan("2026-04", 30_000_000)]
    begin = datetime(2026, 2, 2, tzinfo=UTC)
    first, last = sorted((begin + timedelta(hours=one), begin + timedelta(hours=other)))
    end = begin + timedelta(hours=24 * 61)
    parts = [planned(plans, "revenue", "PHP", span, zone) for span in ((begin, first), (first, last), (last, end))]
    whole = planned(plans, "revenue", "PHP", (begin, end), zone)
    assert whole is not None
    assert abs(sum(part or 0 for part in parts) - whole) <= 2
    assert planned(plans, "revenue", "PHP", (begin, begin + timedelta(days=1)), "UTC") == 1_000_000


def test_a_month_without_a_plan_promises_nothing_and_neither_does_another_currency() -> None:
    span = (datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC))
    assert planned([_plan("2026-02", 1)], "revenue", "PHP", span, "UTC") is None
    assert planned([_plan("2026-02", 1), _plan("2026-03", 1, "USD")], "revenue", "PHP", span, "UTC") is None
    assert planned([_plan("2026-02", 1), _plan("2026-03", 1)], "refunds", "PHP", span, "UTC") is None


@pytest.mark.parametrize(
    "wanted",
    [
        Targets(goals={"speed": 1.0}), Targets(goals={"latency": 0.0}), Targets(goals={"quality": 1.01}),
        Targets(goals={"latency": float("nan")}), Targets(plans=[_plan("2026-13", 1)]),
        Targets(plans=[_plan("2026-03", -1)]), Targets(plans=[_plan("2026-03", 1), _plan("2026-03", 2)]),
        Targets(plans=[Plan(month="2026-03", currency="PHP", amounts_minor={"profit": 1})]),
        Targets(plans=[_plan(f"20{year}-01", 1) for year in range(10, 71)]),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_refused(wanted: Targets) -> None:
    with pytest.raises(TargetsNotAcceptable):
        checked(wanted)


def test_revenue_is_held_to_what_was_planned_up_to_now(floor: Floor, other_firm: Firm, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    floor.send("order", [order_line(1, NOW - timedelta(hours=3), type="paid")])
    floor.keep()
    _set(floor.firm, plans=[Plan(month="2026-03", currency="", amounts_minor={"revenue": 31 * 24 * 6_00})])
    found = _board(floor.firm, "finance", "24h")
    assert found["failed"] == []
    figures = {one["name"]: one["plan"] for one in found["figures"]}
    # From 10:00 of the day before up to now, 6 PHP an hour, and all of it in March of the firm's calendar.
    assert figures["revenue"]["text"] == "141.00 PHP"
    assert figures["ordered"] is None
    assert {moment["values"]["plan"] for moment in found["series"]} == {600}
    narrow = _board(floor.firm, "finance", "24h", region="Philippines")
    assert all(one["plan"] is None for one in narrow["figures"])
    assert all("plan" not in moment["values"] for moment in narrow["series"])
    # A week begins in February, for which nothing was planned.
    assert all(one["plan"] is None for one in _board(floor.firm, "finance", "7d")["figures"])
    assert all(one["plan"] is None for one in _board(other_firm, "finance", "24h")["figures"])


def test_a_firm_is_held_to_goals_of_its_own(floor: Floor, other_firm: Firm) -> None:
    _set(floor.firm, goals={"latency": 20.0, "quality": 0.99})
    assert _board(floor.firm, "executive", "7d")["latency"]["target"]["value"] == 20.0
    assert _board(other_firm, "executive", "7d")["latency"]["target"]["value"] == 500.0
    with floor.firm.tx() as tx:
        # What the house wants anyway is not kept as the firm's own.
        assert targets.in_force(tx).goals == {"latency": 20.0}


def test_a_plan_stays_in_the_currency_in_which_it_was_made(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    _set(floor.firm, plans=[_plan("2026-03", 100, "USD"), _plan("2026-04", 100, "USD")])
    found = _set(floor.firm, plans=[_plan("2026-03", 100, ""), _plan("2026-04", 200, ""), _plan("2026-05", 100, "")])
    assert [plan.currency for plan in found.plans] == ["USD", "PHP", "PHP"]


def test_months_that_no_page_shows_make_room(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    found = _set(floor.firm, plans=[_plan(f"20{22 + at // 12}-{at % 12 + 1:02}", 1) for at in range(60)])
    assert found.plans[0].month == "2025-01"
    found = _set(floor.firm, plans=[*found.plans, _plan("2027-01", 1)])
    assert (found.plans[-1].month, len(found.plans)) == ("2027-01", 25)


def test_targets_are_set_by_version_written_down_and_shown_at_once(driver: Driver, world: World) -> None:
    executive = world.headers(Role.EXECUTIVE.value)
    before = driver.call("GET", _PATH, executive).json()
    body = {"version": before["version"], "goals": {"latency": 50}, "plans": [
        {"month": "2099-03", "amounts_minor": {"revenue": 100_00}}, {"month": "2099-04", "amounts_minor": {}},
    ]}  # fmt: skip
    after = driver.call("PUT", _PATH, executive, body)
    assert after.status == 200, after.text
    assert after.json()["plans"] == [
        {"month": "2099-03", "amounts": {"revenue": {"minor": 10000, "currency": "PHP", "text": "100.00 PHP"}}}
    ]
    assert after.json()["goals"] == {"latency": 50.0}
    assert after.json()["standard"]["latency"]["value"] == 500
    assert driver.call("PUT", _PATH, executive, body).status == 409
    body |= {"version": after.json()["version"]}
    assert driver.call("PUT", _PATH, executive, body).json()["version"] == after.json()["version"]
    assert driver.call("PUT", _PATH, executive, body | {"goals": {"quality": 2}}).status == 422
    assert driver.call("GET", _PATH, world.headers(Role.AUDITOR.value)).json()["version"] == after.json()["version"]
    assert driver.call("PUT", _PATH, world.headers(Role.AUDITOR.value), body).status == 403
    with world.firm.tx() as tx:
        written = [one.detail for one in list_audit(tx, 50, None) if one.action == "targets:set"]
    assert [one["months"] for one in written] == [["2099-03"]]
