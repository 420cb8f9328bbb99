from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.identity.routes.edge import undeclared_routes
from finer.identity.service import api_keys, authorisation, people
from finer.identity.types.access import Permission, Role
from finer.kit.settings import Settings, load_settings
from tests.support.identity import (
    PASSWORD,
    Firm,
    client_of,
    probe_read,
    probe_undeclared,
    probe_write,
    sign_in,
    small_app,
)


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """Identity's routes and three probes; nothing is remembered, so that every request asks the database."""
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    return small_app(firm.database, firm.settings, probe_read, probe_write, probe_undeclared)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def _session_cookies(answer: httpx.Response) -> list[str]:
    """The cookies that carry a session, without the mark that nobody is signed in."""
    return [cookie for cookie in answer.headers.get_list("set-cookie") if "finer_session=" in cookie]


def test_sign_in_sets_a_cookie_that_scripts_cannot_read(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    answer = client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == f"usr_{user.id.hex}"
    [cookie] = _session_cookies(answer)
    assert cookie.startswith("finer_session=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert "secure" not in parts
    assert answer.headers["cache-control"] == "no-store"
    assert client.cookies["finer_session"] not in answer.text


@pytest.mark.parametrize("how", ["https request", "https public address"])
def test_over_https_the_cookie_is_tied_to_the_host(firm: Firm, settings: Settings, how: str) -> None:
    user = firm.user()
    public = "https://finer.example" if how == "https public address" else ""
    chosen = load_settings({}, argon2_memory_kib=8, argon2_iterations=1, public_url=public)
    app, _ = small_app(firm.database, chosen)
    client = TestClient(app, base_url="http://finer.example" if public else "https://finer.test")
    with client:
        answer = client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
        [cookie] = _session_cookies(answer)
        assert cookie.startswith("__Host-finer_session=")
        assert "secure" in cookie.lower()
        assert "domain" not in cookie.lower()
        token = cookie.partition("=")[2].partition(";")[0]
        client.cookies.clear()
        own = client.get("/api/v1/me", headers={"Cookie": f"__Host-finer_session={token}"})
        planted = client.get("/api/v1/me", headers={"Cookie": f"finer_session={token}"})
        assert (own.status_code, planted.status_code == 200) == (200, bool(public))


def test_me_says_who_where_and_what_is_allowed(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user(Role.RISK_ANALYST)
    sign_in(client, user)
    me = client.get("/api/v1/me").json()
    assert me["user"] == {"id": f"usr_{user.id.hex}", "name": "A Person", "email": user.email, "role": "risk_analyst"}
    assert (me["tenant"]["slug"], me["tenant"]["base_currency"]) == (firm.tenant.slug, "PHP")
    assert set(me["tenant"]["branding"]) == {"logo_text", "primary_color"}
    assert me["permissions"] == sorted(authorisation.permissions_of(Role.RISK_ANALYST))


def test_signing_out_ends_the_session_everywhere(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user())
    token = client.cookies["finer_session"]
    answer = client.delete("/api/v1/session")
    assert answer.status_code == 204
    gone = {cookie.partition("=")[0]: cookie.lower() for cookie in _session_cookies(answer)}
    assert len(gone) == 2
    assert all("max-age=0" in cookie for cookie in gone.values())
    assert "secure" in gone["__Host-finer_session"]
    assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={token}"}).status_code == 401


def test_a_link_signs_in(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user(password=None)
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    assert client.post("/api/v1/session/link", json={"token": link}).status_code == 200
    assert client.get("/api/v1/me").json()["user"]["email"] == user.email
    refused = client.post("/api/v1/session/link", json={"token": "x" * 43})
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:finer:problem:sign-in-refused")


def test_i_see_my_sessions_and_end_one(firm: Firm, app: Litestar, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    with client_of(app) as elsewhere:
        sign_in(elsewhere, user)
        sessions = client.get("/api/v1/sessions").json()
        assert sorted(one["current"] for one in sessions) == [False, True]
        other = next(one["id"] for one in sessions if not one["current"])
        assert client.delete(f"/api/v1/sessions/{other}").status_code == 204
        assert elsewhere.get("/api/v1/me").status_code == 401
        assert client.delete(f"/api/v1/sessions/{other}").status_code == 404
    assert client.get("/api/v1/me").status_code == 200


def test_a_key_is_made_shown_once_and_revoked(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user(Role.DATA_ENGINEER))
    body = {"name": "feed", "scopes": ["events:write"], "days": 30, "reason": "The feed of the core."}
    made = client.post("/api/v1/api-keys", json=body)
    assert made.status_code == 201
    with firm.tx() as tx:
        api_keys.approve_machine(tx, api_keys.list_api_keys(tx)[0])
    key = made.json()["key"]
    listed = client.get("/api/v1/api-keys")
    assert [one["name"] for one in listed.json()] == ["feed"]
    assert key[12:] not in listed.text
    machine = {"Authorization": f"Bearer {key}"}
    assert client.post("/probe/write", headers=machine).status_code == 200
    assert client.delete(f"/api/v1/api-keys/{listed.json()[0]['prefix']}").status_code == 204
    assert client.post("/probe/write", headers=machine).status_code == 401


def test_the_audit_trail_is_for_those_who_audit(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user(Role.AUDITOR))
    page = client.get("/api/v1/audit", params={"limit": 1}).json()
    assert [one["action"] for one in page["items"]] == ["session:begin"]
    following = client.get("/api/v1/audit", params={"limit": 1, "before": page["next"]}).json()
    assert following["items"][0]["action"] == "users:create"
    sign_in(client, firm.user(Role.MARKETING_MANAGER))
    assert client.get("/api/v1/audit").status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SERVICE])
def test_the_guard_lets_exactly_those_through_whom_the_table_names(
    firm: Firm, client: TestClient[Litestar], role: Role
) -> None:
    sign_in(client, firm.user(role))
    granted = authorisation.permissions_of(role)
    for path, permission in (
        ("/probe/read", Permission.ALERTS_READ),
        ("/api/v1/api-keys", Permission.API_KEYS_READ),
        ("/api/v1/audit", Permission.AUDIT_READ),
        ("/api/v1/me", Permission.SESSION_OWN),
    ):
        answer = client.get(path)
        assert answer.status_code == (200 if permission in granted else 403), path
        if answer.status_code == 403:
            assert answer.json()["permission"] == permission
    assert client.post("/probe/write").status_code == (200 if Permission.EVENTS_WRITE in granted else 403)


def test_a_key_has_its_scopes_and_no_session(firm: Firm, client: TestClient[Litestar]) -> None:
    machine = {"Authorization": f"Bearer {firm.key(Permission.RECEIPTS_READ)}"}
    assert client.post("/probe/write", headers=machine).status_code == 403
    for method, path in (("GET", "/me"), ("GET", "/sessions"), ("DELETE", "/session"), ("GET", "/api-keys")):
        assert client.request(method, f"/api/v1{path}", headers=machine).status_code == 403


def test_a_route_without_a_permission_is_found_and_lets_nobody_in(
    firm: Firm, app: Litestar, client: TestClient[Litestar]
) -> None:
    handlers: list[Any] = [handler for route in app.routes for handler in getattr(route, "route_handlers", [])]
    ours = [handler for handler in handlers if not handler.fn.__module__.startswith("litestar.")]
    assert ["probe_undeclared" in name for name in undeclared_routes(ours)] == [True]
    assert client.get("/probe/undeclared").status_code == 401
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    assert client.get("/probe/undeclared").status_code == 403


def test_which_methods_a_route_takes_is_open_to_everybody(client: TestClient[Litestar]) -> None:
    assert client.options("/api/v1/me").status_code == 204
