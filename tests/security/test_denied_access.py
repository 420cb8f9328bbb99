"""What was denied, and what was looked at, is in the audit trail: once, soon, and without filling the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar, delete, get, post
from litestar.testing import TestClient

from finer.app.access_log import AccessLog
from finer.app.authentication import Authenticator
from finer.identity.service import audit
from finer.identity.types.access import Permission, Role
from finer.identity.types.audit import AuditFilter, AuditLine
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.errors import NotFound
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from tests.support.identity import Firm, client_of, sign_in, small_app


@get("/things/{thing:str}", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=False)
def thing(thing: str) -> str:
    raise NotFound(f"There is nothing with the id {thing!r}.")


@get("/secrets/{secret:str}", opt={"permission": Permission.ALERTS_READ, "sensitive": True}, sync_to_thread=True)
def secret(tx: Tx, secret: str) -> dict[str, list[str]]:
    return {"items": [secret] * 7}


@post("/forgetful", opt={"permission": Permission.ALERTS_RESOLVE}, sync_to_thread=True)
def forgetful(tx: Tx) -> None:
    """A change whose service writes no entry."""


@post("/apart", opt={"permission": Permission.ALERTS_RESOLVE}, sync_to_thread=False)
def apart() -> None:
    """A change that uses no transaction of the request."""


@delete("/admins-only", opt={"permission": Permission.USERS_WRITE}, sync_to_thread=True)
def admins_only(tx: Tx) -> None:
    """What an analyst may not do."""


@pytest.fixture
def log(clocked: Database) -> AccessLog:
    return AccessLog(clocked)


@pytest.fixture
def wired(clocked: Database, settings: Settings, log: AccessLog) -> tuple[Litestar, Authenticator]:
    return small_app(clocked, settings, thing, secret, forgetful, apart, admins_only, watch_by=log)


@pytest.fixture
def authenticator(wired: tuple[Litestar, Authenticator]) -> Authenticator:
    return wired[1]


@pytest.fixture
def client(wired: tuple[Litestar, Authenticator]) -> Iterator[TestClient[Any]]:
    with client_of(wired[0], **{"User-Agent": "browser\r\nFAKE entry\x1b[2J"}) as found:
        yield found


@pytest.fixture
def analyst(firm: Firm, client: TestClient[Any]) -> str:
    user = firm.user(Role.RISK_ANALYST)
    sign_in(client, user)
    return str(user.id)


def lines_of(firm: Firm, **wanted: Any) -> list[AuditLine]:
    with firm.tx() as tx:
        return audit.search_audit(tx, AuditFilter(**wanted), 500)[0]


def test_a_denied_request_is_written_although_it_changed_nothing(
    firm: Firm, client: TestClient[Any], analyst: str
) -> None:
    answer = client.delete("/admins-only")
    assert answer.status_code == 403
    [line] = lines_of(firm, outcome="denied")
    assert (line.actor_id, line.action, line.subject) == (analyst, "users:write", "DELETE /admins-only")
    assert line.request == answer.headers["x-request-id"]
    assert line.session.startswith("ses_")
    assert line.origin == "testclient"


def test_c12_what_a_client_says_of_itself_breaks_no_line(firm: Firm, client: TestClient[Any], analyst: str) -> None:
    client.delete("/admins-only")
    [line] = lines_of(firm, outcome="denied")
    assert "FAKE entry" in line.user_agent
    assert not {character for character in line.user_agent if not character.isprintable()}
    with firm.tx() as tx:
        lines = audit.export_audit(tx, AuditFilter(outcome="denied"), "jsonl").splitlines()
        table = audit.export_audit(tx, AuditFilter(outcome="denied"), "csv").decode()
    assert len(lines) == 1
    assert table.count("\r\n") == 2


def test_a_flood_of_denials_becomes_two_entries(
    firm: Firm, client: TestClient[Any], analyst: str, log: AccessLog, clock: FixedClock
) -> None:
    for _ in range(200):
        assert client.delete("/admins-only").status_code == 403
    log.flush()
    assert len(lines_of(firm, outcome="denied")) == 1
    clock.advance(timedelta(seconds=61))
    log.flush()
    last, first = lines_of(firm, outcome="denied")
    assert last.detail["count"] == 199
    assert first.detail == {"path": "/admins-only"}


def test_a_flood_of_different_denials_is_bounded(
    firm: Firm, client: TestClient[Any], analyst: str, log: AccessLog, clock: FixedClock
) -> None:
    for number in range(300):
        client.delete("/admins-only", headers={"origin": f"https://evil-{number}.example"})
        client.get(f"/things/alr_{number}")
    clock.advance(timedelta(seconds=61))
    log.flush()
    cross, missing = lines_of(firm, outcome="cross_site"), lines_of(firm, outcome="not_found")
    assert len(cross) == 2
    assert sum(line.detail.get("count", 1) for line in cross) == 300
    assert len(missing) == 1
    assert missing[0].detail["count"] == 300
    assert len(missing[0].detail["paths"]) == 5


def test_many_kinds_of_denials_are_counted_by_caller_only(firm: Firm, clocked: Database, clock: FixedClock) -> None:
    from finer.identity.service.denials import NOBODY, Denial, DenialBook

    book = DenialBook()

    def denial(number: int) -> Denial:
        return Denial(
            tenant=firm.tenant.id, actor=NOBODY, action="a", subject=f"GET /{number}", outcome="denied", path="/",
            at=clock.now(), origin=f"2001:db8::{number:x}", user_agent="", session="", request="",
        )  # fmt: skip

    written = sum(book.note(denial(number)) for number in range(10_000))
    assert written == 51
    due = book.due(clock.now() + timedelta(minutes=1))
    assert sum(tally.count for tally in due) + written == 10_000
    assert book.due(clock.now() + timedelta(minutes=2)) == []


def test_a_session_that_is_over_still_says_whose_it_was(
    firm: Firm, client: TestClient[Any], analyst: str, clock: FixedClock, authenticator: Authenticator
) -> None:
    clock.advance(timedelta(hours=13))
    authenticator.forget(client.cookies["finer_session"])
    assert client.get("/things/x").status_code == 401
    [line] = lines_of(firm, outcome="unauthenticated")
    assert line.actor_id == analyst


def test_a_stranger_leaves_no_entry(firm: Firm, client: TestClient[Any]) -> None:
    before = len(lines_of(firm))
    for credential in ("Bearer nonsense", "Bearer fk_00000000_x"):
        assert client.get("/things/x", headers={"authorization": credential}).status_code == 401
    assert client.get("/things/x").status_code == 401
    assert len(lines_of(firm)) == before


def test_a_sensitive_read_is_written_with_who_looked(firm: Firm, client: TestClient[Any], analyst: str) -> None:
    assert client.get("/secrets/alr_7?q=private").status_code == 200
    [line] = lines_of(firm, outcome="read")
    assert (line.actor_id, line.action, line.subject) == (analyst, "alerts:read", "/secrets/alr_7")
    assert line.detail == {"filters": ["q"]}


def test_a_change_that_nobody_wrote_down_is_written_by_the_edge(
    firm: Firm, client: TestClient[Any], analyst: str
) -> None:
    for path in ("/forgetful", "/apart"):
        assert client.post(path).status_code == 201
    assert {line.subject for line in lines_of(firm, action="alerts:resolve", outcome="done")} == {
        "/forgetful",
        "/apart",
    }


def test_a_change_that_was_written_down_is_not_written_twice(firm: Firm, client: TestClient[Any]) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    before = len(lines_of(firm, actor=None))
    made = client.post("/api/v1/api-keys", json={"name": "m", "scopes": ["events:write"]})
    if made.status_code == 201:
        assert len(lines_of(firm)) == before + 1


def test_rows_that_were_read_are_counted_by_the_minute(
    firm: Firm, client: TestClient[Any], analyst: str, log: AccessLog
) -> None:
    for _ in range(3):
        client.get("/secrets/x")
    log.flush()
    log.flush()
    with firm.tx() as tx:
        query = f"select rows, requests from identity_read_counts where tenant_id = '{firm.tenant.id}'"
        assert [tuple(row) for row in tx.connection.exec_driver_sql(query)] == [(21, 3)]


def test_the_other_firm_reads_none_of_it(firm: Firm, other_firm: Firm, client: TestClient[Any], analyst: str) -> None:
    client.delete("/admins-only")
    auditor = other_firm.user(Role.AUDITOR)
    sign_in(client, auditor)
    for name in ("from", "to"):
        # The framework would take a number for seconds since 1970.
        odd = client.get(f"/api/v1/audit?{name}=0.99")
        assert (odd.status_code, "date and time like" in odd.json()["detail"]) == (400, True)
    later = client.get("/api/v1/audit", params={"to": "2000-01-01T00:00:00Z"})
    assert later.json()["items"] == []
    page = client.get("/api/v1/audit?outcome=denied").json()
    assert page == {"items": [], "next": None}
    [line] = lines_of(firm, outcome="denied")
    shown = f"aud_{line.id.hex}"
    assert shown not in client.get("/api/v1/audit?limit=500").text
    assert client.get(f"/api/v1/audit?actor=usr_{analyst.replace('-', '')}").json()["items"] == []


def test_a_throttled_sign_in_is_written_in_the_trail_of_the_account(firm: Firm, client: TestClient[Any]) -> None:
    user = firm.user()
    body = {"email": user.email, "password": "wrong wrong wrong"}
    statuses = [client.post("/api/v1/session", json=body).status_code for _ in range(8)]
    assert statuses[-1] == 429
    assert {line.subject for line in lines_of(firm, outcome="throttled")} == {f"usr_{user.id.hex}"}
