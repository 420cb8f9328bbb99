"""Catalogue and lineage over HTTP, as people of a firm see them."""

from __future__ import annotations

import uuid
from typing import Any, cast
from urllib.parse import quote

import pyarrow as pa
import pytest

from finer.identity.types.access import Role
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.lineage.rules.build import Lineage
from finer.lineage.service import catalogue
from finer.lineage.types import Node, NodeKind
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm


@pytest.fixture
def get(driver: Driver, database: Database, worker_database: Database, app_settings: Settings) -> Any:
    mark = f"l{uuid.uuid4().hex[:16]}"
    world = World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()
    headers = world.headers(Role.DATA_ENGINEER.value)

    def ask(path: str, status: int = 200) -> Any:
        answer = driver.call("GET", f"/api/v1{path}", headers)
        assert answer.status == status, answer.text
        return answer.json()

    return ask


def test_a_rule_is_found_and_leads_to_the_fields_that_it_reads(get: Any) -> None:
    found = get("/catalogue?search=far%20above%20habit")
    assert [one["id"] for one in found["items"]] == ["rule:far_above_habit"]
    assert found["kinds"]["rule"] >= 10
    detail = get("/catalogue/" + quote("rule:far_above_habit"))
    assert "feature:account.mean_30d" in {one["id"] for one in detail["sources"]}
    assert [one["id"] for one in detail["readers"]] == ["alert:verdict"]
    graph = get("/lineage/graph?node=" + quote("rule:far_above_habit"))
    assert {"field:transaction.amount_minor", "alert:verdict"} <= {one["id"] for one in graph["nodes"]}
    assert graph["whole"]


def test_what_reads_a_field_is_told(get: Any) -> None:
    readers = {one["id"] for one in get("/lineage/fields/transaction/merchant_country")["readers"]}
    assert {"feature:account.previous_country", "rule:country_change_too_fast"} <= readers
    get("/lineage/fields/transaction/nothing", 404)


def test_what_a_dashboard_shows_is_followed_back_to_fields(
    driver: Driver, database: Database, worker_database: Database, app_settings: Settings
) -> None:
    mark = f"l{uuid.uuid4().hex[:16]}"
    world = World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()

    def ask(role: Role, method: str, path: str, body: Any = b"") -> Any:
        answer = driver.call(method, f"/api/v1{path}", world.headers(role.value), body)
        assert answer.status in (200, 201), answer.text
        return answer.json()

    query = ask(Role.DATA_ENGINEER, "POST", "/sql/saved", {
        "name": "Payments by channel", "sharing": "own", "statement": "select channel from transactions",
    })  # fmt: skip
    tile = {"kind": "number", "x": 0, "y": 0, "w": 6, "h": 3}
    board = ask(Role.DATA_ENGINEER, "POST", "/dashboards", {"name": "Mine", "sharing": "own", "tiles": [
        tile | {"id": "a", "title": "Revenue", "metric": {"name": "revenue"}},
        tile | {"id": "b", "title": "By channel", "x": 6, "query": {"saved": query["id"]}},
    ]})  # fmt: skip
    node = f"dashboard:{board['id']}"
    sources = {one["id"] for one in ask(Role.DATA_ENGINEER, "GET", f"/catalogue/{quote(node)}")["sources"]}
    assert sources == {"metric:revenue", f"query:{query['id']}"}
    schedule = ask(Role.DATA_ENGINEER, "POST", "/sql/schedules", {
        "name": "Mornings", "saved": query["id"], "cron": "0 6 * * *",
    })  # fmt: skip
    readers = {one["id"] for one in ask(Role.DATA_ENGINEER, "GET", "/lineage/fields/order/amount")["readers"]}
    assert {"metric:revenue", node} <= readers
    scheduled = ask(Role.DATA_ENGINEER, "GET", f"/catalogue/{quote('schedule:' + schedule['id'])}")
    assert [one["id"] for one in scheduled["sources"]] == [f"query:{query['id']}"]
    alert = ask(Role.EXECUTIVE, "POST", "/metric-alerts", {
        "name": "Little revenue", "watched": {"metric": "revenue"}, "condition": "value < 10",
    })  # fmt: skip
    seen = ask(Role.EXECUTIVE, "GET", "/lineage/fields/order/amount")["readers"]
    assert {"dashboard:finance", "dashboard:orders", f"metric_alert:{alert['id']}"} <= {one["id"] for one in seen}
    # Of what goods cost gross profit alone is made, times how many they are; and one page shows it.
    for column in ("unit_cost", "quantity"):
        told = ask(Role.EXECUTIVE, "GET", f"/lineage/fields/order/{column}")["readers"]
        seen = {one["id"] for one in told if one["kind"] in ("metric", "dashboard")}
        assert seen == {"metric:gross_profit", "dashboard:finance"}
    # Nobody else learns that it is there.
    assert driver.call("GET", f"/api/v1/catalogue/{quote(node)}", world.headers("executive")).status == 404


class _Lake:
    """Holds one value of every column."""

    def read(self, _tenant: uuid.UUID, _query: str) -> pa.Table:
        return pa.table({"v": ["1234"]})


def test_b03_a_machine_is_shown_no_value_that_another_one_sent(database: Database, app_settings: Settings) -> None:
    firm = Firm.made(database, app_settings, f"l{uuid.uuid4().hex[:16]}")
    classes = {"channel": "internal", "unit_cost_minor": "sensitive", "customer_id": "personal"}
    nodes = [
        Node(id=f"lake:orders.{name}", kind=NodeKind.LAKE, name=name, parent="orders", data_class=known)
        for name, known in classes.items()
    ]
    held = Lineage(nodes, [])
    machine = Actor(kind="key", id=str(uuid.uuid4()), name="a feed", role=Role.SERVICE.value)
    with firm.tx(machine) as tx:
        shown = {one.name: catalogue.entry(tx, held, cast(Any, _Lake()), one.id).example for one in nodes}
    assert shown == {"channel": "1234", "unit_cost_minor": None, "customer_id": None}


def test_what_is_not_there_is_said(get: Any) -> None:
    assert get("/catalogue?search=xyzzy")["items"] == []
    assert "finds what it has" in get("/catalogue/rule:nothing", 404)["detail"]
    get("/lineage/graph?node=nothing", 404)
