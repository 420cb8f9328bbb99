"""Dashboards over HTTP: right sums, for those who may see them, and the same bytes for all of these."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pytest

from finer.app.board_routes import _alive, compute_board
from finer.app.boards import Scope
from finer.identity.service import people, sessions
from finer.identity.types.access import Permission, Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.columns import Columns
from finer.kit.db import Database, connect
from finer.kit.live import receive
from finer.kit.settings import Settings
from finer.operations.rules.grouping import MEASURED
from finer.operations.service import orders, rollups
from finer.operations.store import lake
from finer.operations.types.orders import AGE_EDGES_S, Stage
from finer.operations.types.sums import MINUTE_S
from tests.operations.conftest import Floor
from tests.operations.conftest import order as order_line
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Door, Firm

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_ROOT = "/api/v1/operations"


def _boards(database: Database, tenant: uuid.UUID, board: str, **changes: Any) -> dict[str, Any]:
    scope = Scope(tenant=tenant, board=board, sees=("finance:read",), span="24h")
    parts = compute_board(database, msgspec.structs.replace(scope, **changes))
    return {name: msgspec.json.decode(part) for name, part in parts.items()}


def _figures(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found}


def test_money_is_summed_up_in_the_firms_currency_and_held_to_the_period_before(
    floor: Floor, clock: FixedClock
) -> None:
    clock.advance(NOW - clock.now())
    yesterday = NOW - timedelta(hours=30)
    floor.send("order", [
        order_line(1, NOW, type="paid"),
        order_line(2, NOW - timedelta(hours=3), type="paid", currency="USD", unit_price=1, amount=2),
        order_line(3, NOW - timedelta(hours=3), type="returned", quantity=-1, amount=-10),
        order_line(4, NOW - timedelta(hours=2)),
        order_line(5, yesterday, type="paid"),
        order_line(6, NOW, type="paid", currency="XTS"),
    ])  # fmt: skip
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance")
    assert found["currency"] == "PHP"
    assert found["failed"] == []
    figures = _figures(found["figures"])
    # 20 PHP and 2 USD paid (one USD is 1 / 0.0175 PHP), 10 PHP returned; what has no rate is shown and not added.
    assert figures["revenue"]["amount"]["minor"] == 2000 + 11429 - 1000
    assert figures["revenue"]["records"] == 4
    assert {one["amount"]["currency"]: one["converted"] is None for one in figures["revenue"]["by_currency"]} == {
        "PHP": False, "USD": False, "XTS": True,
    }  # fmt: skip
    # The hour under way is not compared.
    assert figures["revenue"]["change"] == pytest.approx((11429 - 1000 - 2000) / 2000)
    assert figures["ordered"]["amount"]["text"] == "20.00 PHP"
    assert figures["ordered"]["change"] is None
    assert len(found["series"]) == 24
    assert sum(one["values"]["revenue"] for one in found["series"]) == figures["revenue"]["amount"]["minor"]
    assert [one["label"] for one in found["regions"]] == ["Philippines"]
    # What came before all that is compared is no beginning, and the page says so.
    assert found["newest"] == "2026-03-02T00:00:00Z"
    clock.advance(timedelta(days=400))
    later = _boards(floor.firm.database, floor.firm.tenant.id, "orders", sees=())
    assert (later["newest"], sum(one["records"] for one in later["stages"])) == ("2026-03-02T00:00:00Z", 0)


def test_margin_is_of_the_revenue_alone_whose_cost_is_known(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    hour = NOW - timedelta(hours=3)
    sold = order_line(1, hour, type="paid", unit_cost=6)
    floor.send("order", [
        sold,
        order_line(2, hour, type="paid", product_id="p2"),
        order_line(3, hour, type="paid", unit_cost=0),
        order_line(4, hour, type="returned", quantity=-1, amount=-10, unit_cost=6),
        order_line(5, hour, type="paid", currency="USD", unit_price=1, amount=2, unit_cost=1.5),
        order_line(6, hour, type="paid", currency="XTS", unit_cost=1),
        order_line(7, hour, type="placed", unit_cost=1),
    ])  # fmt: skip
    # Late, of the day before; what comes once more counts once, also when it says another cost.
    floor.send("order", [order_line(8, NOW - timedelta(hours=30), type="paid", unit_cost=9), sold | {"unit_cost": 1}])
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance")
    assert found["failed"] == []
    margin = found["margin"]
    own, dollars = {one["revenue"]["currency"]: one for one in margin["by_currency"]}, 11429
    # 20 sold for 12, 20 for nothing, and 10 that came back with the 6 that they cost.
    assert (own["PHP"]["revenue"]["minor"], own["PHP"]["cost"]["minor"], own["PHP"]["records"]) == (3000, 600, 3)
    assert own["PHP"]["share"] == 0.8
    # 50 of the 70 pesos that moved; what came back moved, too.
    assert own["PHP"]["known"] == pytest.approx(50 / 70, abs=1e-4)
    # A loss: two dollars for what cost three.
    assert (own["USD"]["share"], own["USD"]["known"]) == (-0.5, 1.0)
    assert own["XTS"]["share"] == 0.9
    # What has no rate is not in the whole.
    assert margin["revenue"]["minor"] == 3000 + dollars
    share = (3000 + dollars - 600 - 17143) / (3000 + dollars)
    assert margin["share"] == pytest.approx(share, abs=1e-4)
    assert margin["change"] == pytest.approx(share - 0.1, abs=1e-4)
    profit = _figures(found["figures"])["gross_profit"]
    assert profit["amount"]["minor"] == sum(one["values"]["gross_profit"] for one in found["series"])
    assert (profit["amount"]["minor"], profit["records"]) == (3000 - 600 + 11429 - 17143, 5)


def test_margin_by_region_channel_and_product_is_of_what_has_a_cost(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    hour = NOW - timedelta(hours=3)
    floor.send("order", [
        order_line(1, hour, type="paid", unit_cost=6),
        order_line(2, hour, type="paid", product_id="p2", channel="app"),
        order_line(3, hour, type="returned", quantity=-1, amount=-10, unit_cost=6),
        order_line(4, hour, type="paid", country="Japan", currency="USD", unit_price=1, amount=2, unit_cost=1.5),
        order_line(5, hour, type="paid", country="Japan", currency="XTS", unit_cost=1),
        order_line(6, hour, type="placed", country="Atlantis", unit_cost=1),
        order_line(7, hour, type="paid", country="Lemuria"),
        *(order_line(10 + n, hour, type="paid", product_id=f"q{n}", quantity=1, unit_price=1, amount=1, unit_cost=n)
          for n in range(2)),
    ])  # fmt: skip
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance")
    assert found["failed"] == []
    regions = {one["label"]: one for one in found["regions"]}
    # 20 and twice 1 paid, 10 back: 12 with a cost of 6 + 0 + 1, beside 20 without one.
    own = regions["Philippines"]["margin"]
    assert (own["revenue"]["minor"], own["cost"]["minor"], own["records"]) == (1200, 700, 4)
    assert own["share"] == pytest.approx(5 / 12, abs=1e-4)
    assert own["known"] == pytest.approx(32 / 52, abs=1e-4)
    # In the firm's currency; what has no rate is not in it.
    assert regions["Japan"]["amount"]["minor"] == 11429
    assert regions["Japan"]["margin"]["cost"]["text"] == "171.43 PHP"
    assert regions["Japan"]["margin"]["share"] == pytest.approx(-0.5, abs=1e-4)
    assert regions["Lemuria"]["margin"] is None
    assert {one["label"]: one["margin"] is None for one in found["channels"]} == {"web": False, "app": True}
    products = {one["label"]: one["margin"] for one in found["products"]}
    assert (products["q0"]["share"], products["q1"]["share"], products["p2"]) == (1.0, 0.0, None)
    for parts in (found["regions"], found["channels"], found["products"]):
        assert sum(one["margin"]["cost"]["minor"] for one in parts if one["margin"]) == found["margin"]["cost"]["minor"]
    # What orders are placed for is nobody's margin.
    assert all("margin" not in one for one in _boards(floor.firm.database, floor.firm.tenant.id, "orders")["regions"])


def test_products_beyond_a_dozen_have_their_margin_in_one_line(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    floor.send("order", [
        order_line(n, NOW, type="paid", product_id=f"p{n}", quantity=1, unit_price=20 - n, amount=20 - n, unit_cost=5)
        for n in range(15)
    ])  # fmt: skip
    floor.keep()
    *_, last = _boards(floor.firm.database, floor.firm.tenant.id, "finance")["products"]
    assert (last["label"], last["records"], last["margin"]["records"]) == ("(other)", 3, 3)
    assert (last["margin"]["revenue"]["minor"], last["margin"]["cost"]["minor"]) == (800 + 700 + 600, 1500)


def test_without_any_cost_there_is_no_margin(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    floor.send("order", [order_line(1, NOW, type="paid"), order_line(2, NOW, type="placed", unit_cost=3)])
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance")
    margin = found["margin"]
    assert (margin["share"], margin["change"], margin["known"], margin["by_currency"]) == (None, None, 0.0, [])
    assert _figures(found["figures"])["gross_profit"]["amount"] is None
    assert all("gross_profit" not in one["values"] for one in found["series"])


def test_a_dashboard_narrowed_to_what_there_is_not_shows_nothing_and_fails_nothing(floor: Floor) -> None:
    floor.send("order", [order_line(1, NOW - timedelta(hours=1))])
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "orders", region="Atlantis")
    assert found["failed"] == []
    assert all(one["records"] == 0 and one["change"] is None for one in found["stages"])
    assert found["ages"] is None
    assert found["choices"] == {"regions": ["Philippines"], "channels": ["web"]}


def test_a_clock_that_jumps_back_or_ahead_shifts_what_is_shown_and_counts_nothing_twice(
    floor: Floor, clock: FixedClock
) -> None:
    clock.advance(NOW - clock.now())
    firm = floor.firm.tenant.id

    def placed() -> tuple[int, int]:
        """Lines of orders in the stages and in the chart."""
        found = _boards(floor.database, firm, "orders")
        assert found["failed"] == []
        return _figures(found["stages"])["placed"]["records"], sum(one["values"]["placed"] for one in found["series"])

    floor.send("order", [order_line(1, NOW), order_line(2, NOW - timedelta(hours=2))])
    floor.keep()
    assert placed() == (2, 2)
    # Back by an hour: what came meanwhile has not happened yet for the chart, and is not counted anew when it has.
    clock.advance(timedelta(hours=-1))
    floor.send("order", [order_line(3, clock.now())])
    floor.keep()
    behind = placed()
    assert behind[0] in (2, 3)
    clock.advance(timedelta(hours=1))
    assert placed() == (3, 3)
    # Ahead by two days and back again.
    clock.advance(timedelta(days=2))
    floor.keep()
    assert placed() == (0, 0)
    clock.advance(timedelta(days=-2))
    assert placed() == (3, 3)


def test_a_tile_that_fails_leaves_the_others(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(orders, "_shares", broken)
    found = _boards(floor.firm.database, floor.firm.tenant.id, "orders")
    assert found["failed"] == ["regions", "channels", "products"]
    assert found["regions"] is None
    assert found["stages"] is not None


def test_money_is_narrowed_down_by_region(floor: Floor, clock: FixedClock) -> None:
    clock.advance(NOW - clock.now())
    lines = [order_line(1, NOW, type="paid"), order_line(2, NOW, type="paid", country="Japan", unit_price=5, amount=10)]
    floor.send("order", lines)
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance", region="Japan")
    assert _figures(found["figures"])["revenue"]["amount"]["minor"] == 1000
    assert found["choices"]["regions"] == ["Japan", "Philippines"]


def test_numbers_that_are_behind_say_since_when_and_to_their_firm_alone(
    floor: Floor, other_firm: Firm, clock: FixedClock
) -> None:
    begun = datetime.now(UTC)
    clock.advance(begun - clock.now())
    floor.send("order", [order_line(1, begun)])
    # What came a moment ago is on its way, and nothing that anybody has to be told.
    assert _boards(floor.firm.database, floor.firm.tenant.id, "finance")["behind_since"] is None
    clock.advance(timedelta(minutes=5))
    for board in ("finance", "orders"):
        since = datetime.fromisoformat(_boards(floor.firm.database, floor.firm.tenant.id, board)["behind_since"])
        assert abs(since - begun) < timedelta(minutes=1)
        assert _boards(other_firm.database, other_firm.tenant.id, board)["behind_since"] is None
    floor.keep()
    found = _boards(floor.firm.database, floor.firm.tenant.id, "finance")
    assert found["behind_since"] is None
    assert _figures(found["figures"])["ordered"]["records"] == 1


def test_who_sees_no_money_gets_no_amounts(floor: Floor) -> None:
    floor.send("order", [order_line(1, NOW - timedelta(hours=1))])
    floor.keep()
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        orders.keep_ages(tx, orders.look_at_ages(NOW, _waiting))
    seen = _boards(floor.firm.database, floor.firm.tenant.id, "orders")
    assert seen["ages"]["stuck"][0]["amount"]["text"] == "20.00 PHP"
    hidden = _boards(floor.firm.database, floor.firm.tenant.id, "orders", sees=())
    assert "20.00" not in msgspec.json.encode(hidden).decode()
    assert _figures(hidden["stages"])["placed"]["records"] == _figures(seen["stages"])["placed"]["records"]


def _waiting(statement: str, _: dict[str, Any]) -> list[dict[str, Any]]:
    if statement == lake.AGES:
        return [{"stage": "placed", "place": 1, "orders": 4}, {"stage": "placed", "place": None, "orders": 2}]
    if statement == lake.STUCK:
        row = {"order_id": "order-1", "stage": "placed", "since": NOW - timedelta(days=2), "region": "Philippines"}
        return [row | {"currency": "PHP", "waiting": 2, "lines": 1, "amount": 2000}]
    # The one order that was shipped says nothing of what is usual.
    return [{"stage": "placed", "orders": 200, "usual_s": 600.0}, {"stage": "paid", "orders": 1, "usual_s": 0.0}]


def test_what_waits_is_kept_with_what_is_usual(floor: Floor) -> None:
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM) as tx:
        assert orders.keep_ages(tx, orders.look_at_ages(NOW, _waiting)) == 2
    ages = _boards(floor.firm.database, floor.firm.tenant.id, "orders")["ages"]
    placed, paid, _ = ages["stages"]
    assert placed["counts"] == [4, 0, 0, 0, 0, 0, 2]
    assert (placed["stuck"], placed["stuck_after_s"], placed["usual_s"]) == (2, 1200.0, 600.0)
    assert (paid["stage"], paid["stuck_after_s"], paid["usual_s"]) == (Stage.PAID, 3 * 86_400.0, None)


def test_pollers_get_compressed_bytes_once_and_then_nothing(driver: Driver, world: World) -> None:
    headers = world.headers(Role.EXECUTIVE.value)
    first = driver.call("GET", f"{_ROOT}/finance?span=7d", headers | {"accept-encoding": "gzip, br"})
    assert first.status == 200
    assert first.header("content-encoding") == "gzip"
    assert msgspec.json.decode(gzip.decompress(first.body))["bucket_s"] == 6 * 3600
    again = driver.call("GET", f"{_ROOT}/finance?span=7d", headers | {"if-none-match": first.header("etag")})
    assert (again.status, again.body) == (304, b"")
    assert [one.header("cache-control") for one in (first, again)] == ["no-store"] * 2
    # The same snapshot for another person who may see the same.
    other = driver.call("GET", f"{_ROOT}/finance?span=7d", world.headers(Role.AUDITOR.value))
    assert other.header("etag") == first.header("etag")
    assert other.json()["currency"] == "PHP"


def test_the_role_decides_what_is_sent(driver: Driver, world: World) -> None:
    whole = driver.call("GET", f"{_ROOT}/orders", world.headers(Role.EXECUTIVE.value)).json()
    part = driver.call("GET", f"{_ROOT}/orders", world.headers(Role.MARKETING_MANAGER.value)).json()
    assert whole["stages"][0]["amount"]["currency"] == "PHP"
    assert part["stages"][0]["amount"] is None
    assert part["stages"][0]["by_currency"] is None


@pytest.mark.parametrize("query", ["span=2h", "span=", "region=" + "x" * 65, "channel=" + "%00" * 3, "span[]=1h"])
def test_odd_questions_are_refused_or_show_nothing(driver: Driver, world: World, query: str) -> None:
    answer = driver.call("GET", f"{_ROOT}/orders?{query}", world.headers(Role.EXECUTIVE.value))
    assert answer.status in {200, 400}, answer.text


def test_w04_a_stream_tells_what_changes_to_its_firm_alone(
    driver: Driver, world: World, database: Database, app_settings: Settings
) -> None:
    other = Firm.made(database, app_settings, f"other-{uuid.uuid4().hex[:12]}")
    batch = pa.RecordBatch.from_pydict({
        "occurred_at": pa.array([datetime.now(UTC)], pa.timestamp("us", "UTC")), "type": ["placed"],
        "country": [f"land of {world.mark}"], "product_id": ["p"], "currency": ["PHP"], "amount_minor": [777_77],
        "quantity": [1],
    })  # fmt: skip
    with world.worker.transaction(world.firm.tenant.id, SYSTEM) as tx:
        assert rollups.add(tx, "order", Columns(batch), np.ones(1, np.bool_)) == 2
    stranger = World(other, world.worker, "stranger").furnish()
    mine = _told(driver, f"{_ROOT}/orders/stream?span=1h", world.headers(Role.EXECUTIVE.value))
    theirs = _told(driver, f"{_ROOT}/orders/stream?span=1h", stranger.headers(Role.EXECUTIVE.value))
    assert f"land of {world.mark}" in mine
    assert "event: board" in theirs
    assert world.mark not in theirs


def _told(driver: Driver, path: str, headers: Mapping[str, str]) -> str:
    """What a stream tells first. It is listened to for a moment; a busy machine needs longer to make its numbers."""
    return next((text for _ in range(200) if (text := driver.call("GET", path, headers).text)), "")


def test_a05_rights_that_change_are_told_and_end_the_stream_of_whoever_lost_them(
    database: Database, database_url: str, app_settings: Settings
) -> None:
    firm = Firm.made(database, app_settings, f"firm-{uuid.uuid4().hex[:12]}")
    door, user = Door(database, app_settings), firm.user(Role.EXECUTIVE)
    principal, token = door.sign_in(user.email, "correct horse battery staple", "192.0.2.1", "test")
    scope = Scope(tenant=firm.tenant.id, board="finance", span="24h")
    request: Any = SimpleNamespace(
        headers={"authorization": f"Bearer {token}"},
        route_handler=SimpleNamespace(opt={"permission": Permission.FINANCE_READ}),
    )
    alive = _alive(SimpleNamespace(authenticator=door.authenticator), request, scope)

    async def ask() -> bool:
        return await alive()

    assert asyncio.run(ask())
    with connect(database_url) as listener:
        listener.execute("listen finer_access")
        assert principal.session_id is not None
        with firm.tx() as tx:
            sessions.end_session(tx, user.id, principal.session_id)
        assert ("finer_access", f"{firm.tenant.id} {user.id}") in receive(listener, 5)
        assert not asyncio.run(ask())
        with firm.tx() as tx:
            people.disable_user(tx, email=user.email)
        assert ("finer_access", f"{firm.tenant.id} {user.id}") in receive(listener, 5)


def test_the_lake_tells_what_waits_and_how_long_is_usual() -> None:
    lines = [
        *(("done", kind, NOW - timedelta(days=3) + at, 100) for kind, at in _LIFE.items()),
        ("late", "placed", NOW - timedelta(days=2), 300),
        ("late", "placed", NOW - timedelta(days=2), 400),
        ("fresh", "placed", NOW - timedelta(minutes=10), 500),
        ("sent", "placed", NOW - timedelta(hours=9), 600),
        ("sent", "paid", NOW - timedelta(hours=8), 600),
        ("gone", "placed", NOW - timedelta(days=2), 700),
        ("gone", "cancelled", NOW - timedelta(days=2), -700),
        ("stock", "adjustment", NOW - timedelta(days=2), -5),
    ]
    with duckdb.connect() as connection:
        connection.execute(
            "create table orders (order_id text, type text, occurred_at timestamptz, country text, currency text, "
            "amount_minor bigint)"
        )
        connection.executemany("insert into orders values (?, ?, ?, 'PH', 'PHP', ?)", lines)

        def read(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = connection.execute(statement, given).to_arrow_table().to_pylist()
            return found

        since = {"since": NOW - timedelta(days=60)}
        counted = read(lake.AGES, since | {"now": NOW, "edges": list(AGE_EDGES_S)})
        assert {(row["stage"], row["place"], row["orders"]) for row in counted} == {
            ("placed", 1, 1), ("placed", 4, 1), ("paid", 3, 1),
        }  # fmt: skip
        wanted = {"limit": 10, "stages": ["placed", "paid"], "before": [NOW - timedelta(days=1)] * 2}
        (late,) = read(lake.STUCK, since | wanted)
        assert (late["order_id"], late["stage"], late["lines"], late["amount"], late["waiting"]) == (
            "late", "placed", 2, 700, 1,
        )  # fmt: skip
        usual = {row["stage"]: (row["orders"], row["usual_s"]) for row in read(lake.PASSAGES, since)}
        assert usual["shipped"] == (1, 86_400)
        assert usual["placed"][0] == 2


_LIFE = {
    "placed": timedelta(0), "paid": timedelta(hours=1), "shipped": timedelta(hours=5), "delivered": timedelta(hours=29),
}  # fmt: skip


def test_the_lake_adds_up_as_the_sums_do() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table transactions as select 0 as log_partition, i as log_offset, 'purchase' as type, "
            "null::text as status, 'PHP' as currency, 5::bigint as amount_minor, "
            "timestamptz '2026-03-02 09:00:00+00' + i * interval 20 second as occurred_at from range(6) r(i)"
        )
        statement = lake.sums("transaction", MEASURED["transaction"], {0: (1, 6)}, MINUTE_S)
        begins = int(datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp())
        found = connection.execute(statement, {"buckets": [begins]}).fetchall()
        assert found == [(begins, "purchase", "", "PHP", 2, 0, 10, 0, 0, 0)]
        statement = lake.sums("transaction", MEASURED["transaction"], {0: (1, 5)}, None)
        assert connection.execute(statement).fetchall() == [(0, "purchase", "", "PHP", 4, 0, 20, 0, 0, 0)]


def test_a_lake_from_before_costs_were_known_adds_up_and_so_does_one_that_knows_them() -> None:
    statement = lake.sums("order", MEASURED["order"], {0: (0, 99)}, None)
    with duckdb.connect() as connection:
        connection.execute(
            "create table orders as select 0 as log_partition, i as log_offset, 'paid' as type, 'PHP' as currency, "
            "2::bigint as quantity, 900::bigint as amount_minor, now() as occurred_at from range(3) r(i)"
        )
        assert connection.execute(statement).fetchall() == [(0, "paid", "", "PHP", 3, 6, 2700, 0, 0, 0)]
        connection.execute("alter table orders add column unit_cost_minor bigint")
        connection.execute("insert into orders select * replace (10 as log_offset) from orders limit 1")
        connection.execute(
            "update orders set quantity = 1000000000, unit_cost_minor = 10::bigint ** 18 where log_offset > 9"
        )
        assert connection.execute(statement).fetchall() == [
            (0, "paid", "", "PHP", 4, 1_000_000_006, 3600, 1, 900, 10**27)
        ]
