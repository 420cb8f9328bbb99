"""B01: ids of another firm in bodies, in queries, and behind an id of one's own; paths are tried by test_matrix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from finer.identity.types.access import Role
from tests.security.matrix import read_rows
from tests.security.test_matrix import REFUSED, SEEN, TOLD
from tests.security.world import PRINCIPALS, Samples, World
from tests.support.asgi import Driver
from tests.support.fingerprint import changed, fingerprint

_DOCUMENT = Path(__file__).resolve().parents[2] / "web" / "openapi.json"
_SCHEDULE = {"cron": "0 9 * * *"}
_QUERY = {"name": "matrix", "statement": "select 1"}
_IN_BODIES: list[tuple[Role, str, Callable[[Samples], dict[str, Any]]]] = [
    (Role.RISK_ANALYST, "POST /api/v1/alerts/{alert_id}/assignment",
     lambda s: {"version": 1, "assignee_id": s.value("user_id")}),
    (Role.RISK_ANALYST, "POST /api/v1/alerts/{alert_id}/assignment",
     lambda s: {"version": 1, "team_id": s.value("team_id")}),
    (Role.RISK_ANALYST, "POST /api/v1/cases/{case_id}/assignment",
     lambda s: {"version": 3, "assignee_id": s.value("user_id")}),
    (Role.RISK_ANALYST, "POST /api/v1/cases/{case_id}/assignment",
     lambda s: {"version": 3, "team_id": s.value("team_id")}),
    (Role.RISK_ANALYST, "POST /api/v1/cases/{case_id}/actions",
     lambda s: {"alert_id": s.value("alert_id"), "kind": "block_card", "reason": "matrix"}),
    (Role.RISK_ANALYST, "POST /api/v1/cases/{case_id}/labels",
     lambda s: {"alerts": [s.value("alert_id")], "verdict": "confirmed_fraud", "source": "customer", "reason": "m"}),
    (Role.ADMINISTRATOR, "PUT /api/v1/teams/{team_id}/members", lambda s: {"members": [s.value("user_id")]}),
    (Role.DATA_ENGINEER, "POST /api/v1/sql/queries", lambda s: {"saved": s.value("saved_id"), "wait_s": 0}),
    (Role.DATA_ENGINEER, "POST /api/v1/sql/saved",
     lambda s: _QUERY | {"sharing": "team", "team": s.value("team_id")}),
    (Role.DATA_ENGINEER, "PUT /api/v1/sql/saved/{saved_id}",
     lambda s: _QUERY | {"sharing": "team", "team": s.value("team_id"), "version": 1}),
    (Role.DATA_ENGINEER, "POST /api/v1/sql/schedules", lambda s: _SCHEDULE | {"saved": s.value("saved_id")}),
    (Role.DATA_ENGINEER, "PUT /api/v1/sql/schedules/{schedule_id}",
     lambda s: _SCHEDULE | {"saved": s.value("saved_id"), "version": 1}),
    (Role.DATA_ENGINEER, "POST /api/v1/sources/trials",
     lambda s: {"source": s.value("source_id"), "contract": "transaction",
                "connection": {"type": "stripe", "api_version": "2025-09-30.clover"}}),
]  # fmt: skip
_NAMED = ("user_id", "alert_id", "receipt_id", "saved_id", "schedule_id", "sql_run_id", "source_id")


def test_b01_an_id_of_another_firm_in_a_body_names_nothing(
    driver: Driver, ours: World, theirs: World, database_url: str
) -> None:
    mine, foreign, wrong = ours.samples(), theirs.samples(), []
    analyst = ours.headers(Role.RISK_ANALYST.value)
    # Only who works on a case does anything with it.
    taken = driver.call("POST", mine.path("/api/v1/cases/{case_id}/taking"), analyst, {"version": 2})
    assert taken.status == 200, taken.text
    asked = []
    for role, route, body in _IN_BODIES:
        method, _, path = route.partition(" ")
        asked.append((method, mine.path(path), ours.headers(role.value), body(foreign)))
    before = fingerprint(database_url, without_columns=SEEN)
    for method, path, headers, content in asked:
        answer = driver.call(method, path, headers, content)
        if answer.status not in (404, 422) or theirs.mark in answer.everything():
            wrong.append(f"{method} {path} {content}: {answer.status} {answer.text[:200]}")
    assert wrong == []
    assert changed(before, fingerprint(database_url, without_columns=SEEN)) <= TOLD


def test_b01_a_part_of_another_firm_is_not_behind_an_id_of_ones_own(
    driver: Driver, ours: World, theirs: World, database_url: str
) -> None:
    mine, foreign, asked, wrong = ours.samples(), theirs.samples(), [], []
    for row in read_rows():
        last = row.parameters[-1] if len(row.parameters) > 1 else "path"
        if last in ("field", "step", "law", "path", "tile"):
            continue
        who = next((one for one in PRINCIPALS if row.expected[one] not in REFUSED), Role.RISK_ANALYST.value)
        path = mine.path(row.path.replace(f"{{{last}}}", foreign.value(last)))
        body = {"version": 2, "reason": "matrix"} if row.writes else b""
        asked.append((row.method, path, ours.headers(who), body, row.expected[who]))
    before = fingerprint(database_url, without_columns=SEEN)
    for method, path, headers, body, usual in asked:
        answer = driver.call(method, path, headers, body)
        if answer.status not in (404, 403 if usual == "403" else 404) or theirs.mark in answer.everything():
            wrong.append(f"{method} {path}: {answer.status}")
    assert len(asked) >= 3
    assert wrong == []
    assert changed(before, fingerprint(database_url, without_columns=SEEN)) <= TOLD


def _text_parameters(path: str) -> list[str]:
    found = json.loads(_DOCUMENT.read_text())["paths"].get(path, {}).get("get", {}).get("parameters", [])
    return [one["name"] for one in found if one["in"] == "query" and "string" in json.dumps(one["schema"])]


@pytest.mark.parametrize("who", [Role.RISK_ANALYST, Role.DATA_ENGINEER])
def test_b01_an_id_of_another_firm_in_a_query_finds_nothing(
    driver: Driver, ours: World, theirs: World, database_url: str, who: Role
) -> None:
    mine, foreign, headers, wrong = ours.samples(), theirs.samples(), ours.headers(who.value), []
    named = [foreign.value(name) for name in _NAMED]
    rows = [
        (mine.path(row.path), name)
        for row in read_rows()
        if row.method == "GET" and row.expected[who.value] == "200" and "stream" not in row.path
        for name in _text_parameters(row.path)
    ]
    assert len(rows) > 15
    before = fingerprint(database_url, without_columns=SEEN)
    for path, name in rows:
        for identifier in named:
            answer = driver.call("GET", f"{path}?{name}={quote(identifier)}", headers)
            # What was asked for may be said again; what it names may not.
            said = answer.everything().replace(identifier, "")
            if answer.status not in (200, 400, 404, 422) or theirs.mark in said:
                wrong.append(f"GET {path}?{name}={identifier}: {answer.status}")
    assert wrong == []
    assert changed(before, fingerprint(database_url, without_columns=SEEN)) <= TOLD
