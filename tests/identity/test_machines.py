"""Machines: API keys and OAuth clients, from making one to its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.identity.errors import ClientNotFound, KeyNotFound, NotAcceptable
from finer.identity.service import access_tokens, api_keys, audit
from finer.identity.types.access import MachineKind, Permission, Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import NO_TENANT
from tests.support.identity import Firm, client_from, client_of, probe_read, probe_write, sign_in, small_app

KEY, CLIENT = MachineKind.API_KEY, MachineKind.OAUTH_CLIENT
FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    # How machines work; that two people let one in is for test_maker_checker.py.
    alone = msgspec.structs.replace(firm.settings, approvals="none")
    return small_app(firm.database, alone, probe_read, probe_write)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


@pytest.fixture
def admin(firm: Firm, client: TestClient[Litestar]) -> TestClient[Litestar]:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    return client


def _made(admin: TestClient[Litestar], where: str = "api-keys", **more: Any) -> dict[str, Any]:
    answer = admin.post(f"/api/v1/{where}", json={"name": "feed", "scopes": ["events:write"]} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _writes(client: TestClient[Litestar], key: str) -> int:
    return client.post("/probe/write", headers={"Authorization": f"Bearer {key}"}).status_code


def _token(client: TestClient[Litestar], made: dict[str, Any], **more: str) -> Any:
    return client.post("/api/v1/oauth/token", auth=(made["client_id"], made["client_secret"]), data=FORM | more)


@pytest.mark.parametrize(("where", "secret"), [("api-keys", "key"), ("oauth/clients", "client_secret")])
def test_a_secret_is_shown_once_and_the_list_has_the_rest(admin: TestClient[Litestar], where: str, secret: str) -> None:
    made = _made(admin, where, days=30, networks=["203.0.113.0/24"])
    shown = admin.get(f"/api/v1/{where}")
    assert made[secret][-20:] not in shown.text
    [listed] = shown.json()
    assert listed == {name: value for name, value in made.items() if name != secret}
    assert listed["networks"] == ["203.0.113.0/24"]
    assert listed["last_used_at"] is listed["revoked_at"] is None


def test_keys_and_clients_are_listed_apart_and_no_one_s_id_ends_the_other(admin: TestClient[Litestar]) -> None:
    key, made = _made(admin), _made(admin, "oauth/clients")
    assert len(admin.get("/api/v1/api-keys").json()) == len(admin.get("/api/v1/oauth/clients").json()) == 1
    prefix = made["client_id"].removeprefix("fc_")
    assert admin.delete(f"/api/v1/api-keys/{prefix}").status_code == 404
    assert admin.delete(f"/api/v1/oauth/clients/{key['prefix']}").status_code == 404


def test_a_key_is_renamed_and_moved(admin: TestClient[Litestar], client: TestClient[Litestar]) -> None:
    made = _made(admin)
    changed = admin.patch(f"/api/v1/api-keys/{made['prefix']}", json={"name": "core feed"}).json()
    assert (changed["name"], changed["networks"]) == ("core feed", [])
    changed = admin.patch(f"/api/v1/api-keys/{made['prefix']}", json={"networks": ["10.0.0.0/8"]}).json()
    assert (changed["name"], changed["networks"]) == ("core feed", ["10.0.0.0/8"])
    refused = admin.patch(f"/api/v1/api-keys/{made['prefix']}", json={"networks": ["10.0.0.1/8"]})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:finer:problem:not-acceptable")
    assert admin.patch(f"/api/v1/api-keys/{made['prefix']}", json={"scopes": ["audit:read"]}).status_code == 400
    assert admin.patch("/api/v1/api-keys/00000000", json={"name": "x"}).status_code == 404


def test_while_both_secrets_work_a_sender_can_change_over(
    admin: TestClient[Litestar], firm: Firm, clock: FixedClock
) -> None:
    made = _made(admin)
    rotated = admin.post(f"/api/v1/api-keys/{made['prefix']}/rotation", json={"overlap_hours": 2}).json()
    assert rotated["prefix"] == made["prefix"]
    assert rotated["key"] != made["key"]
    assert [_writes(admin, one["key"]) for one in (made, rotated)] == [200, 200]
    clock.advance(timedelta(hours=2))
    assert [_writes(admin, one["key"]) for one in (made, rotated)] == [401, 200]


def test_a_rotation_without_overlap_ends_the_old_secret_at_once_and_may_last_longer(
    admin: TestClient[Litestar],
) -> None:
    made = _made(admin, days=1)
    body = {"overlap_hours": 0, "days": 90}
    rotated = admin.post(f"/api/v1/api-keys/{made['prefix']}/rotation", json=body).json()
    assert [_writes(admin, one["key"]) for one in (made, rotated)] == [401, 200]
    assert rotated["expires_at"] > made["expires_at"]
    assert admin.post(f"/api/v1/api-keys/{made['prefix']}/rotation", json={"overlap_hours": 721}).status_code == 400


def test_a_key_works_from_its_networks_only(admin: TestClient[Litestar], firm: Firm, clock: FixedClock) -> None:
    made = _made(admin, networks=["203.0.113.0/24"])
    app, _ = small_app(firm.database, firm.settings, probe_write)
    for address, status in (("203.0.113.7", 200), ("198.51.100.7", 403)):
        with client_from(app, address) as machine:
            answer = machine.post("/probe/write", headers={"Authorization": f"Bearer {made['key']}"})
            assert answer.status_code == status, address
    assert answer.json()["type"] == "urn:finer:problem:address-not-allowed"


def test_the_last_use_is_noted_at_most_once_a_minute(
    admin: TestClient[Litestar], firm: Firm, clock: FixedClock
) -> None:
    made = _made(admin)
    began = clock.now()
    for wait, seen in ((0, 0), (30, 0), (31, 61)):
        clock.advance(timedelta(seconds=wait))
        assert _writes(admin, made["key"]) == 200
        with firm.tx() as tx:
            assert api_keys.list_api_keys(tx)[0].last_used_at == began + timedelta(seconds=seen)


def test_who_made_changed_and_ended_a_machine_is_in_the_audit_trail(admin: TestClient[Litestar], firm: Firm) -> None:
    made = _made(admin, "oauth/clients")
    where = f"/api/v1/oauth/clients/{made['client_id']}"
    assert admin.patch(where, json={"name": "other"}).status_code == 200
    assert admin.post(f"{where}/rotation", json={}).status_code == 201
    assert admin.delete(where).status_code == 204
    with firm.tx() as tx:
        acts = [line.action for line in audit.list_audit(tx, 4, None)]
    assert acts == ["oauth_clients:revoke", "oauth_clients:rotate", "oauth_clients:change", "oauth_clients:create"]


def test_what_does_not_exist_for_this_firm_is_not_found(firm: Firm, other_firm: Firm) -> None:
    with firm.tx() as tx:
        scopes = [Permission.EVENTS_WRITE]
        machines = [
            api_keys.create_machine(tx, kind=kind, name="x", scopes=scopes, lifetime=timedelta(days=1))[0]
            for kind in MachineKind
        ]
    with other_firm.tx() as tx:
        for machine, missing in zip(machines, (KeyNotFound, ClientNotFound), strict=True):
            with pytest.raises(missing):
                api_keys.change_machine(tx, machine.kind, prefix=machine.prefix, name="mine now")
            with pytest.raises(missing):
                api_keys.rotate_machine(tx, machine.kind, prefix=machine.prefix, overlap=timedelta(0))
            with pytest.raises(missing):
                api_keys.revoke_machine(tx, machine.kind, prefix=machine.prefix)
        with pytest.raises(NotAcceptable, match="side by side"):
            api_keys.rotate_machine(tx, KEY, prefix="x", overlap=timedelta(days=31))


@pytest.mark.parametrize("how", ["basic", "form"])
def test_a_client_fetches_a_token_and_uses_it(admin: TestClient[Litestar], how: str) -> None:
    made = _made(admin, "oauth/clients", scopes=["events:write", "receipts:read"])
    who = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    answer = _token(admin, made) if how == "basic" else admin.post("/api/v1/oauth/token", data=FORM | who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "events:write receipts:read")
    assert _writes(admin, body["access_token"]) == 200
    machine = {"Authorization": f"Bearer {body['access_token']}"}
    assert admin.get("/probe/read", headers=machine).status_code == 403
    assert admin.get("/api/v1/me", headers=machine).status_code == 403


def test_a_token_may_ask_for_less_and_never_for_more(admin: TestClient[Litestar]) -> None:
    made = _made(admin, "oauth/clients", scopes=["events:write", "receipts:read"])
    less = _token(admin, made, scope="receipts:read").json()
    assert less["scope"] == "receipts:read"
    assert _writes(admin, less["access_token"]) == 403
    for scope in ("alerts:read", "events:write alerts:resolve", "everything", "events:write  receipts:read"):
        answer = _token(admin, made, scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
        (FORM | {"client_secret": "fs_x"}, "invalid_request"),
        (FORM | {"client_id": "fc_00000000"}, "invalid_request"),
    ],
)
def test_a_request_that_is_none_is_told_what_is_wrong(
    admin: TestClient[Litestar], data: dict[str, str], error: str
) -> None:
    made = _made(admin, "oauth/clients")
    answer = admin.post("/api/v1/oauth/token", auth=(made["client_id"], made["client_secret"]), data=data)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}


def test_json_and_repeated_parameters_are_no_form(admin: TestClient[Litestar]) -> None:
    assert admin.post("/api/v1/oauth/token", json=FORM).json()["error"] == "invalid_request"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("grant_type=client_credentials&grant_type=client_credentials", "grant_type=%ff&x=é"):
        answer = admin.post("/api/v1/oauth/token", content=body.encode(), headers=form)
        assert (answer.status_code, answer.json()["error"]) in {
            (400, "invalid_request"),
            (400, "unsupported_grant_type"),
        }


@pytest.mark.parametrize("header", ["Basic !!!", "Basic YQ==", "Digest abc", "Basic", "Basic /////w=="])
def test_a_header_that_cannot_be_read_is_nobody_s(client: TestClient[Litestar], header: str) -> None:
    answer = client.post("/api/v1/oauth/token", data=FORM, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_signing_key_is_replaced_and_the_tokens_of_the_old_one_live_on(
    admin: TestClient[Litestar], app: Litestar, firm: Firm, clock: FixedClock
) -> None:
    token = _token(admin, _made(admin, "oauth/clients")).json()["access_token"]
    before = {key["kid"] for key in admin.get("/api/v1/oauth/jwks").json()["keys"]}
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        fresh = access_tokens.rotate_signing_key(tx).kid
    with client_of(small_app(firm.database, firm.settings, probe_write)[0]) as other_process:
        keys = other_process.get("/api/v1/oauth/jwks").json()["keys"]
        assert {key["kid"] for key in keys} >= before | {fresh}
        assert all("d" not in key and key["alg"] == "ES256" and key["use"] == "sig" for key in keys)
        assert _writes(other_process, token) == 200
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        access_tokens.rotate_signing_key(tx, forget=True)
    with client_of(small_app(firm.database, firm.settings, probe_write)[0]) as other_process:
        assert len(other_process.get("/api/v1/oauth/jwks").json()["keys"]) == 1
        assert _writes(other_process, token) == 401


def test_keys_of_a_clock_that_ran_ahead_are_forgotten_and_do_not_sign(firm: Firm, clock: FixedClock) -> None:
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        clock.advance(timedelta(days=400))
        ahead = [access_tokens.rotate_signing_key(tx, forget=True).kid, access_tokens.rotate_signing_key(tx).kid]
        clock.advance(timedelta(days=-400))
        now = access_tokens.rotate_signing_key(tx)
        assert access_tokens.signer(tx).kid == now.kid
        assert ahead[0] in access_tokens.published_keys(tx)
        last = access_tokens.rotate_signing_key(tx, forget=True)
        assert set(access_tokens.published_keys(tx)) == {last.kid}


def test_a_signing_key_is_replaced_by_itself_after_a_month(firm: Firm, clock: FixedClock) -> None:
    with firm.database.transaction(NO_TENANT, SYSTEM) as tx:
        access_tokens.rotate_signing_key(tx, forget=True)
        first = access_tokens.signer(tx)
        clock.advance(timedelta(days=29))
        assert access_tokens.signer(tx).kid == first.kid
        clock.advance(timedelta(days=1))
        second = access_tokens.signer(tx)
        assert second.kid != first.kid
        assert set(access_tokens.published_keys(tx)) == {first.kid, second.kid}
        clock.advance(timedelta(hours=1))
        assert set(access_tokens.published_keys(tx)) == {second.kid}
        access_tokens.rotate_signing_key(tx, forget=True)
