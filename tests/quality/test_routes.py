"""Quality over HTTP: what people and machines of a firm see and may do, and what nobody gets by asking oddly."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from finer.identity.types.access import Role
from finer.kit.db import Database
from finer.kit.settings import Settings
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm

_ROOT = "/api/v1/quality"


@pytest.fixture(scope="module")
def world(database: Database, worker_database: Database, app_settings: Settings) -> World:
    mark = f"q{uuid.uuid4().hex[:16]}"
    return World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()


def ask(driver: Driver, world: World, role: Role, path: str, body: Any = b"", method: str = "") -> Any:
    headers = world.headers(role.value)
    return driver.call(method or ("GET" if body == b"" else "POST"), f"{_ROOT}{path}", headers, body)


def test_the_overview_puts_what_is_open_first(driver: Driver, world: World) -> None:
    incident = world.samples().value("incident_id")
    found = ask(driver, world, Role.DATA_ENGINEER, "").json()
    assert incident in {one["id"] for one in found["incidents"]}
    assert found["contracts"][0]["contract"] == "order"
    assert found["contracts"][0]["open_incidents"] >= 1
    assert {"contract", "score", "received", "passed", "window", "open_incidents"} <= set(found["contracts"][0])
    assert "of order is refused since" in found["incidents"][0]["sentence"]


def test_a_contract_is_shown_by_the_agreed_route(driver: Driver, world: World) -> None:
    world.samples().value("monitor_id")
    found = ask(driver, world, Role.AUDITOR, "/contracts/order").json()
    assert (found["contract"], found["window"], found["score"]) == ("order", "24 h", None)
    assert found["open_incidents"] == len(found["incidents"])
    assert found["monitors"][0]["kind"] == "validity"
    assert ask(driver, world, Role.AUDITOR, "/contracts/nothing").status == 404


def test_executives_see_how_many_failed_and_not_which(driver: Driver, world: World) -> None:
    incident = world.samples().value("incident_id")
    seen = ask(driver, world, Role.EXECUTIVE, f"/incidents/{incident}").json()
    assert seen["failing"] == {"kind": "event", "records": 1, "ids": None}
    assert ask(driver, world, Role.DATA_ENGINEER, f"/incidents/{incident}").json()["failing"]["ids"]


def test_an_incident_is_looked_into_and_called_normal(driver: Driver, world: World) -> None:
    incident = world.samples().value("incident_id")
    engineer, path = Role.DATA_ENGINEER, f"/incidents/{incident}"
    seen = ask(driver, world, engineer, f"{path}/acknowledge", {"version": 1, "note": "I ask them."}).json()
    assert (seen["state"], seen["note"], seen["version"]) == ("acknowledged", "I ask them.", 2)
    assert ask(driver, world, engineer, f"{path}/resolve", {"version": 1}).status == 409
    assert ask(driver, world, engineer, f"{path}/expect", {"version": 2}).json()["state"] == "expected"
    assert ask(driver, world, engineer, f"{path}/resolve", {"version": 3}).status == 409
    closed = ask(driver, world, engineer, "/incidents?closed=true").json()["items"]
    assert incident in {one["id"] for one in closed}


def test_a_monitor_is_set_and_its_history_is_shown(driver: Driver, world: World) -> None:
    monitor = world.samples().value("monitor_id")
    found = ask(driver, world, Role.DATA_ENGINEER, f"/monitors/{monitor}?hours=720").json()
    assert (found["history"], found["needed"], found["state"]) == ([], 30, "learning")
    body = {"version": found["version"], "enabled": False, "sensitivity": "low"}
    changed = ask(driver, world, Role.DATA_ENGINEER, f"/monitors/{monitor}", body, "PUT").json()
    assert (changed["state"], changed["sensitivity"]) == ("off", "low")
    assert ask(driver, world, Role.DATA_ENGINEER, f"/monitors/{monitor}", body, "PUT").status == 409
    late = {"version": found["version"] + 1, "muted_until": "2099-01-01T00:00:00Z"}
    assert ask(driver, world, Role.DATA_ENGINEER, f"/monitors/{monitor}", late, "PUT").status == 400
    assert ask(driver, world, Role.DATA_ENGINEER, f"/monitors/{monitor}?hours=99999").status == 400


def test_b01_incidents_and_monitors_of_other_firms_are_not_found(
    driver: Driver, world: World, database: Database, worker_database: Database, app_settings: Settings
) -> None:
    mark = f"q{uuid.uuid4().hex[:16]}"
    other = World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()
    incident, monitor = world.samples().value("incident_id"), world.samples().value("monitor_id")
    for path in (f"/incidents/{incident}", f"/monitors/{monitor}"):
        assert ask(driver, other, Role.DATA_ENGINEER, path).status == 404
    assert ask(driver, other, Role.DATA_ENGINEER, f"/incidents/{incident}/expect", {"version": 1}).status == 404
    assert ask(driver, other, Role.DATA_ENGINEER, f"/monitors/{monitor}", {"version": 1}, "PUT").status == 404
    assert world.mark not in ask(driver, other, Role.DATA_ENGINEER, "").text


def test_c01_names_in_queries_are_names_and_nothing_else(driver: Driver, world: World) -> None:
    for name in ("order'%3B%20drop%20table%20quality_incidents%3B%20--", "%22%20or%201=1", "..%2f..", "%00"):
        assert ask(driver, world, Role.DATA_ENGINEER, f"/contracts/{name}").status in {400, 404}
        assert ask(driver, world, Role.DATA_ENGINEER, f"/incidents?contract={name}").status in {200, 400}
    assert ask(driver, world, Role.DATA_ENGINEER, "/incidents?before=nothing").status == 400
    assert ask(driver, world, Role.DATA_ENGINEER, "").status == 200
