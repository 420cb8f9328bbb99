"""Every change, every sensitive look and every refusal of the live routes leaves its entry: the matrix, walked again.

The matrix (authz_matrix.csv) says what each principal gets from each route. Here each answer's X-Request-Id is looked
for in the trail.
"""

from __future__ import annotations

import uuid

import pytest
from litestar import Litestar

from finer.app.api import route_handlers
from finer.identity.service import audit
from finer.identity.types.audit import AuditFilter
from finer.kit.db import Database
from finer.kit.settings import Settings
from tests.security.matrix import Row, live_routes, read_rows
from tests.security.world import PRINCIPALS, Samples, World, body_of
from tests.support.asgi import Answer, Driver
from tests.support.identity import Firm

_NOBODY = ("anonymous", "expired")
RECORDED = {"POST /api/v1/events/{contract}", "POST /api/v1/decisions"}
"""Machines' records: receipts, the event log and decisions are the record of them."""

UNCHANGING = {"POST /api/v1/contracts/validation", "POST /api/v1/sql/explanation", "POST /api/v1/sql/layout"}
"""They look at a text that they are sent, and keep nothing."""

SENSITIVE = {
    "/api/v1/alerts/{alert_id}",
    "/api/v1/audit",
    "/api/v1/quarantine",
    "/api/v1/security-alerts/{access_alert_id}",
}


@pytest.fixture
def world(database: Database, worker_database: Database, campaign_settings: Settings) -> World:
    mark = f"c{uuid.uuid4().hex[:16]}"
    return World(Firm.made(database, campaign_settings, mark), worker_database, mark).furnish()


def _ask(driver: Driver, row: Row, headers: dict[str, str], samples: Samples) -> Answer:
    path = row.path.format_map({name: samples.value(name) for name in row.parameters})
    body = body_of(samples, f"{row.method} {row.path}") if row.writes else b""
    return driver.call(row.method, path, headers, body)


def _outcomes(world: World) -> dict[str, set[str]]:
    """The outcomes of the firm's entries by request."""
    found: dict[str, set[str]] = {}
    with world.firm.tx() as tx:
        before: str | None = None
        while True:
            lines, before = audit.search_audit(tx, AuditFilter(), 500, before)
            for line in lines:
                found.setdefault(line.request, set()).add(line.outcome)
            if before is None:
                return found


def test_every_change_leaves_an_entry(app: Litestar, driver: Driver, world: World) -> None:
    asked: dict[str, str] = {}
    public = live_routes(app)
    rows = [row for row in read_rows() if row.writes and f"{row.method} {row.path}" not in RECORDED | UNCHANGING]
    rows = [row for row in rows if not public[row.method, row.path]]
    for row in rows:
        for who in PRINCIPALS:
            if who in _NOBODY or not row.expected[who].startswith("2"):
                continue
            answer = _ask(driver, row, world.headers(who), world.samples())
            if 200 <= answer.status < 300:
                asked[answer.header("x-request-id")] = f"{who}: {row.method} {row.path}"
    assert len(asked) > 20
    known = _outcomes(world)
    assert sorted(name for request, name in asked.items() if request not in known) == []


def test_only_records_of_machines_are_recorded_elsewhere(app: Litestar) -> None:
    """A question in SQL writes its entry itself, in the transaction that begins its run; some only ask."""
    exempt = {
        f"{method} {path}"
        for handler in route_handlers(app)
        for path in handler.paths
        for method in handler.http_methods
        if handler.opt.get("recorded")
    }
    machines = {"POST /{contract:str}", "POST /", "POST /stripe/{hook:str}", "POST /plaid/{hook:str}"}
    asks = {"POST /explanation", "POST /layout", "POST /queries", "POST /validation", "POST /{name:str}/lookup"}
    asks |= {"POST /{dashboard_id:str}/tiles/{tile:str}/refresh"}
    assert exempt == machines | asks


@pytest.mark.parametrize("who", ["auditor", "risk_analyst"])
def test_every_sensitive_look_leaves_an_entry(driver: Driver, world: World, who: str) -> None:
    rows = [row for row in read_rows() if row.path in SENSITIVE and row.expected[who] == "200" and not row.writes]
    assert rows
    headers, samples = world.headers(who), world.samples()
    asked = {_ask(driver, row, headers, samples).header("x-request-id"): row.path for row in rows}
    known = _outcomes(world)
    assert {path: known.get(request) for request, path in asked.items()} == {row.path: {"read"} for row in rows}


def test_every_refusal_of_a_known_caller_leaves_an_entry(driver: Driver, world: World) -> None:
    """A firm has at most 50 kinds of denial a minute one by one, so each caller starts with a book of its own."""
    for who in PRINCIPALS[2:]:
        headers, samples = world.headers(who), world.samples()
        refused = [row for row in read_rows() if row.expected[who] == "403"][:40]
        services = driver.app.state["services"]
        services.access_log.flush(all_of_them=True)
        asked = {_ask(driver, row, headers, samples).header("x-request-id"): row for row in refused}
        known = _outcomes(world)
        missing = [f"{who}: {row.method} {row.path}" for request, row in asked.items() if request not in known]
        assert missing == []
