"""Attacks of the catalogue that have a surface today: identity, session, authorisation (ids as in the catalogue)."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.identity.errors import SignInBusy
from finer.identity.routes.pool import SignInPool
from finer.identity.routes.session import LinkBody, PasswordBody
from finer.identity.service import api_keys, people, sessions
from finer.identity.tables import core
from finer.identity.types.access import Factor, Permission, Role
from tests.support.identity import (
    PASSWORD,
    Firm,
    client_of,
    forget_attempts,
    probe_read,
    probe_write,
    sign_in,
    small_app,
)


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Litestar:
    forget_attempts(database_url)
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    return small_app(firm.database, firm.settings, probe_read, probe_write)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def test_a02_one_kind_of_token_is_no_other(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    sign_in(client, user)
    session, key = client.cookies["finer_session"], firm.key()
    client.cookies.clear()
    for bearer in (link, user.email, key[3:], key.replace("fk_", "FK_")):
        assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401
    for cookie in (link, key[12:]):
        assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={cookie}"}).status_code == 401
    for token in (session, key):
        assert client.post("/api/v1/session/link", json={"token": token}).status_code == 401


def test_a05_a_session_planted_before_sign_in_is_not_taken_over(firm: Firm, client: TestClient[Litestar]) -> None:
    planted = "A" * 43
    client.cookies.set("finer_session", planted)
    answer = client.post("/api/v1/session", json={"email": firm.user().email, "password": PASSWORD})
    assert answer.status_code == 200
    assert planted not in answer.headers["set-cookie"]
    assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={planted}"}).status_code == 401


def test_a05_a_disabled_person_is_out_with_the_next_request(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    assert client.get("/api/v1/me").status_code == 200
    with firm.tx() as tx:
        people.disable_user(tx, email=user.email)
    assert client.get("/api/v1/me").status_code == 401


def test_a10_an_answer_does_not_tell_who_has_an_account(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()

    def refused(email: str) -> tuple[int, str, list[str]]:
        answer = client.post("/api/v1/session", json={"email": email, "password": "a wrong password"})
        return answer.status_code, answer.text, sorted(answer.headers)

    for _ in range(7):
        assert refused(user.email) == refused("nobody@nowhere.example")


def test_a12_a_storm_of_sign_ins_is_turned_away_at_once() -> None:
    gate = threading.Event()

    async def storm() -> list[object]:
        pool = SignInPool(threads=2, waiting=3)
        running = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(50)]
        await asyncio.sleep(0)
        done = [task for task in running if task.done()]
        gate.set()
        answers = await asyncio.gather(*running, return_exceptions=True)
        assert len(done) == 45
        assert await pool.run(lambda: "calm") == "calm"
        return list(answers)

    answers = asyncio.run(storm())
    assert answers.count(True) == 5
    assert sum(isinstance(answer, SignInBusy) for answer in answers) == 45


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "X-Requested-With": "finer"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://finer.test.evil.example"}, False),
        ({"Origin": "http://evil.example", "X-Requested-With": "finer"}, False),
        ({}, False),
        ({"X-Requested-With": "finer"}, True),
        ({"Origin": "http://finer.test"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_a_change_comes_from_finers_own_pages(firm: Firm, app: Litestar, headers: dict[str, str], passes: bool) -> None:
    with TestClient(app, base_url="http://finer.test", raise_server_exceptions=False) as client:
        sign_in(client, firm.user(Role.DATA_ENGINEER))
        answer = client.post("/probe/write", headers=headers)
        assert answer.status_code == (200 if passes else 403)
        if not passes:
            assert answer.json()["type"] == "urn:finer:problem:cross-site-request"
        assert client.get("/api/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
def test_another_site_cannot_sign_its_visitor_in(firm: Firm, app: Litestar, headers: dict[str, str]) -> None:
    body = {"email": firm.user().email, "password": PASSWORD}
    with TestClient(app, base_url="http://finer.test", raise_server_exceptions=False) as client:
        answer = client.post("/api/v1/session", json=body, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_b01_the_session_of_another_is_not_found(firm: Firm, other_firm: Firm, client: TestClient[Litestar]) -> None:
    victims = [firm.user(), other_firm.user()]
    theirs = []
    for home, victim in zip((firm, other_firm), victims, strict=True):
        with home.tx() as tx:
            sessions.begin_session(tx, victim.id, "test", factor=Factor.PASSWORD)
            theirs += [one.id for one in sessions.list_sessions(tx, home.settings, victim.id)]
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    for text in [f"ses_{one.hex}" for one in theirs] + [f"ses_{uuid.uuid4().hex}", "ses_1", "usr_" + "0" * 32, "%00"]:
        answer = client.delete(f"/api/v1/sessions/{text}")
        assert answer.status_code == 404, text
    for home, victim in zip((firm, other_firm), victims, strict=True):
        with home.tx() as tx:
            assert len(sessions.list_sessions(tx, home.settings, victim.id)) == 1


def test_b01_the_key_of_another_firm_is_not_found(firm: Firm, other_firm: Firm, client: TestClient[Litestar]) -> None:
    other_firm.key()
    with other_firm.tx() as tx:
        [theirs] = api_keys.list_api_keys(tx)
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    assert client.get("/api/v1/api-keys").json() == []
    assert client.delete(f"/api/v1/api-keys/{theirs.prefix}").status_code == 404
    with other_firm.tx() as tx:
        assert api_keys.list_api_keys(tx)[0].revoked_at is None


def test_b02_no_other_spelling_of_a_route_is_open(client: TestClient[Litestar]) -> None:
    spellings = [
        *("/api/v1/me/", "//api/v1/me", "/api/v1/./me", "/api/v1/x/../me"),
        *("/api/v1/me;x", "/API/V1/ME", "/api/v1/%6de", "/me"),
    ]
    tricks = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/api/v1/me", "X-Rewrite-URL": "/api/v1/me"}
    for path in ["/api/v1/me", *spellings]:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
            answer = client.request(method, path, headers=tricks)
            assert answer.status_code in (401, 404, 405), (method, path)


def test_b04_nobody_sets_what_the_server_sets(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    for column in core.api_keys.columns:
        if column.name in ("name", "scopes"):
            continue
        body = {"name": "x", "scopes": ["events:write"], column.name: "x"}
        assert client.post("/api/v1/api-keys", json=body).status_code == 400, column.name
    assert client.get("/api/v1/api-keys").json() == []


@pytest.mark.parametrize("scopes", [[], ["alerts:resolve"], ["users:write"], ["*"], ["events:write", "session:own"]])
def test_b14_no_key_can_be_made_for_more_than_machines_may(
    firm: Firm, client: TestClient[Litestar], scopes: list[str]
) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    assert client.post("/api/v1/api-keys", json={"name": "x", "scopes": scopes}).status_code == 422
    assert client.get("/api/v1/api-keys").json() == []


def test_b06_the_tenant_comes_from_the_session_alone(
    firm: Firm, other_firm: Firm, client: TestClient[Litestar]
) -> None:
    sign_in(client, firm.user())
    for name in ("Host", "X-Forwarded-Host", "X-Tenant", "X-Tenant-Id", "Forwarded", "X-Original-Host"):
        answer = client.get(
            "/api/v1/me", headers={name: other_firm.tenant.slug}, params={"tenant": str(other_firm.tenant.id)}
        )
        assert answer.json()["tenant"]["slug"] == firm.tenant.slug, name


def test_a_bad_key_is_not_overlooked_for_a_good_cookie(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user())
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer fk_00000000_" + "x" * 43}).status_code == 401


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"", {400}),
        (b"{", {400}),
        (b"[]", {400}),
        (b'{"email": "a@b.example"}', {400}),
        (b'{"email": 1, "password": null}', {400}),
        (b'{"email": "a@b.example", "password": "x", "role": "administrator"}', {400}),
        (b'{"email": "a\\u0000@b.example", "password": "\\u0000"}', {401}),
        (b'{"email": "\\ud800@b.example", "password": "x"}', {400, 401}),
        (b'{"email": "a@b.example", "password": "' + b"x" * 2**20 + b'"}', {400, 413}),
        (b'{"email": "' + b"x" * 10_000 + b'", "password": "x"}', {400}),
        (b"\xff\xfe", {400}),
    ],
)
def test_bad_bodies_of_a_sign_in_get_a_clear_answer(
    client: TestClient[Litestar], body: bytes, statuses: set[int]
) -> None:
    answer = client.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in statuses, answer.text
    assert len(answer.text) < 2000


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer fk_",
        "Bearer " + "x" * 8000,
        "Basic YTpi",
        "bearer fk_' or 1=1 --_x",
        "Bearer \xff\xfe",
    ],
)
def test_bad_authorization_headers_get_a_401(client: TestClient[Litestar], header: str) -> None:
    assert client.get("/api/v1/me", headers={b"Authorization": header.encode("latin-1")}).status_code == 401


def test_canary_no_secret_is_shown_or_logged(
    firm: Firm, client: TestClient[Litestar], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        user = firm.user(Role.ADMINISTRATOR)
        sign_in(client, user)
        token, key = client.cookies["finer_session"], firm.key(Permission.EVENTS_WRITE)
        with firm.tx() as tx:
            link = people.create_sign_in_link(tx, email=user.email)
        client.post("/api/v1/session/link", json={"token": link})
        client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD, "x": 1})
        client.post("/probe/write", headers={"Authorization": f"Bearer {key}"})
        shown = "".join(client.get(f"/api/v1/{path}").text for path in ("me", "sessions", "api-keys", "audit"))
    out, err = capfd.readouterr()
    shown += caplog.text + out + err + repr(PasswordBody(user.email, PASSWORD)) + repr(LinkBody(link))
    for secret in (PASSWORD, token, link, key[12:], "$argon2"):
        assert secret not in shown
