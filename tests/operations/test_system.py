"""How the firm's part of the system does: of its own records and work alone, for those who may see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from finer.app.board_routes import compute_board
from finer.app.boards import Scope
from finer.identity.types.access import Role
from finer.ingest.service import activity
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.operations.service import gauges, system
from tests.fraud.desk import payment
from tests.operations.conftest import Floor
from tests.operations.conftest import order as order_line
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

EVERYTHING = tuple(sorted({permission.value for permission in system.NEEDS.values()}))


def _board(firm: Firm, sees: tuple[str, ...] = EVERYTHING, span: str = "1h") -> dict[str, Any]:
    parts = compute_board(firm.database, Scope(tenant=firm.tenant.id, board="system", sees=sees, span=span))
    return {name: msgspec.json.decode(part) for name, part in parts.items()}


@pytest.fixture
def busy(floor: Floor, clock: FixedClock) -> Floor:
    """Some payments, one of them twice, and orders of which the sums are behind."""
    clock.advance(datetime.now(UTC) - clock.now())  # when records came is told by the database
    floor.send("transaction", [payment(number) for number in range(3)])
    floor.send("transaction", [payment(0), payment(9)])
    floor.keep()
    floor.send("order", [order_line(1, clock.now())])
    return floor


def _take(floor: Floor, delays_s: dict[str, float], database_ms: float = 1.0) -> None:
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        gauges.take(tx, delays_s, database_ms)


@pytest.mark.parametrize("span", ["1h", "24h", "30d"])
def test_what_comes_is_counted_and_timed_by_contract_and_over_time(busy: Floor, other_firm: Firm, span: str) -> None:
    found = _board(busy.firm, span=span)
    assert found["failed"] == []
    flows = {one["contract"]: one for one in found["contracts"]}
    paid = flows["transaction"]
    assert (paid["received"], paid["decided"], paid["duplicates"], paid["refused"]) == (5, 4, 1, 0)
    assert 0 < paid["p50_ms"] <= paid["p95_ms"] <= paid["p99_ms"]
    assert flows["order"]["received"] == 1
    assert sum(moment["values"]["received"] for moment in found["throughput"]) == 6
    assert len(found["throughput"]) == len(found["latency"])
    timed = [sample["values"] for sample in found["latency"] if sample["values"]]
    assert timed
    assert all(set(values) == {"p50_ms", "p95_ms", "p99_ms"} for values in timed)
    # Nothing of it is of another firm.
    others = _board(other_firm, span=span)
    assert others["contracts"] == []
    assert all(sample["values"] == {} for sample in others["latency"])


@pytest.mark.parametrize("span", ["1h", "24h"])
def test_what_comes_now_is_of_the_last_whole_minute_and_not_of_the_step_shown(
    busy: Floor, clock: FixedClock, span: str
) -> None:
    seen: dict[str, float] = {}
    # The database's own clock says when they came, which may be a minute after the one that this test began in.
    for _ in range(4):
        clock.advance(timedelta(minutes=1))
        for one in _board(busy.firm, span=span)["contracts"]:
            seen[one["contract"]] = seen.get(one["contract"], 0) + one["per_s"]
    assert seen == {"order": pytest.approx(1 / 60), "transaction": pytest.approx(5 / 60)}
    assert {one["per_s"] for one in _board(busy.firm, span=span)["contracts"]} == {0}


def test_what_waits_is_told_by_stage_with_its_history(busy: Floor, other_firm: Firm, clock: FixedClock) -> None:
    _take(busy, {"orders": 2.5}, database_ms=3.0)
    clock.advance(timedelta(minutes=2))
    _take(busy, {"orders": 1.5}, database_ms=4.0)
    found = _board(busy.firm)
    stages = {one["stage"]: one for one in found["stages"]}
    assert stages["decided"]["waiting_s"] == 0
    assert stages["sums"]["waiting_s"] >= 100
    assert stages["sums"]["slowest_s"] >= 100
    assert (stages["lake"]["slowest_s"], stages["lake"]["waiting_s"]) == (2.5, None)
    assert [sample["values"] for sample in found["delays"] if sample["values"]] == [{"orders": 2.5}, {"orders": 1.5}]
    assert [sample["values"] for sample in found["database"] if sample["values"]] == [
        {"answer_ms": 3.0}, {"answer_ms": 4.0},
    ]  # fmt: skip
    assert max(sample["values"].get("sums", 0) for sample in found["queues"]) >= 100
    busy.keep()
    after = {one["stage"]: one for one in _board(busy.firm)["stages"]}
    assert after["sums"]["waiting_s"] == 0
    assert {one["waiting_s"] for one in _board(other_firm)["stages"]} == {0, None}


def test_work_that_waits_and_work_that_failed_is_counted(floor: Floor, clock: FixedClock) -> None:
    clock.advance(datetime.now(UTC) - clock.now())
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        first, second = (runs.start(tx, name) for name in ("price_rule", "train_model"))
        assert first is not None
        assert second is not None
        runs.finish(tx, first, runs.RunState.FAILED, error="It broke.")
    found = _board(floor.firm)["jobs"]
    assert (found["open"], found["failed"]) == (1, 1)
    assert found["oldest_at"] is not None


def test_a_part_that_a_role_does_not_see_is_not_pulled(busy: Floor) -> None:
    _take(busy, {"orders": 2.5})
    found = _board(busy.firm, ("pipeline:read",))
    assert [found[name] for name in ("tables", "delays", "jobs")] == [None, None, None]
    assert [one["stage"] for one in found["stages"]] == ["decided", "sums"]
    assert found["failed"] == []


def test_each_role_gets_its_parts(driver: Driver, world: World) -> None:
    def shown(role: Role) -> set[str]:
        answer = driver.call("GET", "/api/v1/operations/system?span=1h", world.headers(role.value))
        assert answer.status == 200, answer.text
        return {name for name in system.NEEDS if answer.json()[name] is not None}

    assert shown(Role.DATA_ENGINEER) == shown(Role.EXECUTIVE) == set(system.NEEDS)
    assert shown(Role.RISK_ANALYST) == set(system.NEEDS) - {"jobs"}
    assert shown(Role.ADMINISTRATOR) == set(system.NEEDS) - {"jobs", "tables", "delays"}


def test_counts_of_hours_are_those_of_their_seconds(busy: Floor) -> None:
    with busy.database.transaction(busy.firm.tenant.id, SYSTEM, read_only=True) as tx:
        since, until = tx.now() - timedelta(hours=2), tx.now() + timedelta(hours=1)
        totals = []
        for step_s in (60, 3600, 86_400):
            begin = since if step_s < 86_400 else since - timedelta(days=1)
            counts = activity.counts_by_step(tx, begin, until, step_s)
            waited = activity.waited_by_step(tx, begin, until, step_s)
            totals.append(
                (
                    sum(one.received for one in counts),
                    sum(one.processed for one in counts),
                    sum(sum(one.counts) for one in waited),
                    activity.latency_of_steps(waited),
                )
            )
    assert totals[0] == totals[1] == totals[2]
    assert totals[0][:3] == (6, 6, 6)
