"""Single sign-on against a certified provider, and setting it up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.app.single_sign_on import CALLBACK
from finer.identity.errors import AlreadyExists, NotAcceptable, ProviderNotFound
from finer.identity.rules import oidc
from finer.identity.service import audit, people, sso
from finer.identity.service.sso import RoleMapping, SsoSetup
from finer.identity.types.access import Role
from finer.kit.clock import SystemClock
from finer.kit.db import Database
from finer.kit.settings import Settings, load_settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm, client_of, sign_in, small_app
from tests.support.oidc_provider import CLIENT_ID, SECRET, RealProvider, real_provider

REDIRECT = f"http://127.0.0.1:8000{CALLBACK}"
BODY: dict[str, Any] = {
    "name": "Acme ID", "issuer": "https://id.example", "client_id": "finer", "client_secret": "first",
    "role_map": [{"value": "risk", "role": "risk_analyst"}, {"value": "all", "role": "executive"}], "enabled": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[RealProvider]:
    with real_provider(REDIRECT) as found:
        yield found


@pytest.fixture
def clocked(database: Database) -> Database:
    """The provider goes by the machine's clock, so here Finer does too."""
    return on_clock(database, SystemClock())


@pytest.fixture
def settings(provider: RealProvider) -> Settings:
    return load_settings({}, argon2_memory_kib=8, argon2_iterations=1, outbound_hosts=provider.host)


@pytest.fixture
def app(firm: Firm, settings: Settings, provider: RealProvider, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    with firm.tx() as tx:
        setup = SsoSetup(
            name="Acme ID", issuer=provider.issuer, client_id=CLIENT_ID, algorithms=["RS256"],
            scopes=["profile", "email", "groups"], role_claim="groups",
            role_map=[RoleMapping("risk", Role.RISK_ANALYST), RoleMapping("all", Role.EXECUTIVE)], enabled=True,
        )  # fmt: skip
        sso.set_provider(tx, setup, SECRET)
        sso.add_domain(tx, f"{firm.tenant.slug}.example")
    return small_app(firm.database, settings)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def _through(client: TestClient[Litestar], firm: Firm, provider: RealProvider, account: str) -> httpx.Response:
    begun = client.post("/api/v1/sso/attempts", json={"firm": firm.tenant.slug, "next": "/pipeline"})
    assert begun.status_code == 200, begun.text
    answer = provider.sign_in(begun.json()["location"], account, REDIRECT)
    found: httpx.Response = client.get(CALLBACK, params=answer, follow_redirects=False)
    return found


def test_a_certified_provider_lets_a_new_person_in_and_knows_them_again(
    client: TestClient[Litestar], firm: Firm, provider: RealProvider
) -> None:
    answer = _through(client, firm, provider, "Ana Cruz+all+risk")
    assert (answer.status_code, answer.headers["location"]) == (303, "/pipeline")
    me = client.get("/api/v1/me").json()
    # The first row of the table that fits wins, whatever the order of the groups.
    assert (me["user"]["name"], me["user"]["role"]) == ("Ana Cruz", "risk_analyst")
    [session] = client.get("/api/v1/sessions").json()
    assert session["factor"] == "sso"
    client.delete("/api/v1/session")
    assert _through(client, firm, provider, "Ana Cruz+all+risk").headers["location"] == "/pipeline"
    assert client.get("/api/v1/me").json()["user"]["id"] == me["user"]["id"]
    with firm.tx() as tx:
        lines = [line for line in audit.list_audit(tx, 50, None) if line.action == "users:create"]
    assert len(lines) == 1


def test_a_person_without_a_mapped_group_stays_out(
    client: TestClient[Litestar], firm: Firm, provider: RealProvider
) -> None:
    answer = _through(client, firm, provider, "Eve+visitors")
    assert answer.headers["location"] == "/sign-in?sso=refused"
    assert client.get("/api/v1/me").status_code == 401
    with firm.tx() as tx:
        assert people.list_users(tx) == []


def test_who_refuses_consent_is_not_in(client: TestClient[Litestar], firm: Firm, provider: RealProvider) -> None:
    begun = client.post("/api/v1/sso/attempts", json={"firm": firm.tenant.slug}).json()["location"]
    state = httpx.URL(begun).params["state"]
    refused = {"error": "access_denied", "state": state, "iss": provider.issuer}
    assert client.get(CALLBACK, params=refused, follow_redirects=False).headers["location"] == "/sign-in?sso=refused"


def test_new_signing_keys_of_the_provider_are_found(
    client: TestClient[Litestar], firm: Firm, provider: RealProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _through(client, firm, provider, "Ana Cruz+risk").headers["location"] == "/pipeline"
    client.cookies.clear()
    provider.rotate_keys()
    monkeypatch.setattr("finer.identity.service.oidc._ASK_AGAIN_S", 0.0)
    assert _through(client, firm, provider, "Ana Cruz+risk").headers["location"] == "/pipeline"


def test_the_provider_s_metadata_is_read_before_it_is_used(
    client: TestClient[Litestar], firm: Firm, provider: RealProvider
) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    found = client.post("/api/v1/sso/discovery", json={"issuer": provider.issuer}).json()
    assert (found["issuer"], found["keys"], found["names_issuer"]) == (provider.issuer, 1, True)
    assert "RS256" in found["algorithms"]
    refused = client.post("/api/v1/sso/discovery", json={"issuer": f"{provider.issuer}/other"})
    assert (refused.status_code, refused.json()["type"]) == (502, "urn:finer:problem:provider-unusable")


def test_an_administrator_sets_single_sign_on_up_and_ends_it(client: TestClient[Litestar], firm: Firm) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    off = BODY | {"enabled": False}  # switching it on takes two: tests/security/test_two_people.py
    assert client.put("/api/v1/sso/provider", json=off).status_code == 200
    shown = client.get("/api/v1/sso/provider").json()
    assert shown["redirect_uri"] == REDIRECT
    assert shown["domains"] == [f"{firm.tenant.slug}.example"]
    assert "service" not in shown["roles"]
    assert shown["provider"]["role_map"] == BODY["role_map"]
    assert shown["provider"]["scopes"] == ["openid", "profile", "email"]
    assert not {"client_secret", "client_secret_sealed"} & set(shown["provider"])
    assert client.delete("/api/v1/sso/provider").status_code == 204
    assert client.delete("/api/v1/sso/provider").status_code == 404
    assert client.get("/api/v1/sso/provider").json()["provider"] is None
    assert client.put("/api/v1/sso/provider", json=BODY | {"client_secret": None}).status_code == 422


def test_an_auditor_sees_the_settings_and_changes_nothing(client: TestClient[Litestar], firm: Firm) -> None:
    sign_in(client, firm.user(Role.AUDITOR))
    assert client.get("/api/v1/sso/provider").status_code == 200
    assert client.put("/api/v1/sso/provider", json=BODY).status_code == 403
    sign_in(client, firm.user(Role.RISK_ANALYST))
    assert client.get("/api/v1/sso/provider").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://id.example?x=1", "client_secret": "x"}, {"issuer": "id.example", "client_secret": "x"},
        {"algorithms": ["HS256"]}, {"algorithms": ["none"]}, {"role_claim": ""}, {"role_claim": " groups"},
        {"scopes": ["open id"]}, {"name": " "}, {"client_secret": ""},
        {"role_map": [{"value": "x", "role": "service"}]}, {"role_map": [{"value": "", "role": "executive"}]},
        {"role_map": [{"value": "x", "role": "executive"}, {"value": "x", "role": "administrator"}]},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_told_so(
    client: TestClient[Litestar], firm: Firm, changed: dict[str, Any]
) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    answer = client.put("/api/v1/sso/provider", json=BODY | {"enabled": False} | changed)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:finer:problem:not-acceptable")


def test_a_domain_belongs_to_one_firm(firm: Firm, other_firm: Firm) -> None:
    domain = f"d-{firm.tenant.slug}.example"
    with firm.tx() as tx:
        sso.add_domain(tx, domain)
        assert domain in sso.list_domains(tx)
        with pytest.raises(AlreadyExists, match=r"this firm's already\. Nothing was changed"):
            sso.add_domain(tx, domain)
    with other_firm.tx() as tx:
        with pytest.raises(AlreadyExists, match=r"another firm's already\. Take it from that one first"):
            sso.add_domain(tx, domain)
        with pytest.raises(ProviderNotFound):
            sso.remove_domain(tx, domain)
        for bad in ("example", "Acme.example", "a b.example", "-x.example", ""):
            with pytest.raises(NotAcceptable):
                sso.add_domain(tx, bad)
    with firm.tx() as tx:
        sso.remove_domain(tx, domain)
        assert domain not in sso.list_domains(tx)


def test_a_firm_changes_its_name_and_look(client: TestClient[Litestar], firm: Firm) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    body = {"name": "Acme Bank", "logo_text": "Acme", "timezone": "Asia/Bangkok", "primary_color": "#AA3300"}
    changed = client.put("/api/v1/firm", json=body)
    assert changed.status_code == 200, changed.text
    assert changed.json() == client.get("/api/v1/firm").json() == client.get("/api/v1/me").json()["tenant"]
    assert changed.json()["branding"] == {"logo_text": "Acme", "primary_color": "#aa3300"}
    assert (changed.json()["base_currency"], changed.json()["timezone"]) == ("PHP", "Asia/Bangkok")
    for wrong in ({"primary_color": "red"}, {"timezone": "Mars/Base"}, {"name": " "}, {"primary_color": "#fff"}):
        assert client.put("/api/v1/firm", json=body | wrong).status_code == 422
    assert client.put("/api/v1/firm", json=body | {"base_currency": "USD"}).status_code == 400


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["b", "a"]}, Role.RISK_ANALYST),
        ({"groups": "a"}, Role.RISK_ANALYST),
        ({"groups": ["c"]}, None),
        ({"groups": ["A"]}, None),
        ({}, None),
        ({"groups": {"a": 1}}, None),
    ],
)
def test_the_first_row_that_fits_gives_the_role(claims: dict[str, Any], role: Role | None) -> None:
    assert oidc.role_of(_provider("groups"), claims) is role


def test_a_claim_may_lie_deeper() -> None:
    claims = {"realm": {"roles": ["a"]}, "realm.roles": ["b"]}
    assert oidc.role_of(_provider("realm.roles"), claims) is Role.RISK_ANALYST


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ana\u202e Cruz\n"}, "Ana Cruz"),
        ({"preferred_username": "ana"}, "ana"),
        ({"name": "", "email": "ana@x.example"}, "ana@x.example"),
        ({"name": ["x"]}, "Somebody"),
        ({"name": "a" * 500}, "a" * 120),
    ],
)
def test_a_name_is_fit_to_be_shown(claims: dict[str, Any], name: str) -> None:
    assert oidc.shown_name(claims) == name


def test_a_weak_or_strange_key_is_not_used() -> None:
    weak = {"kty": "RSA", "n": "A" * 171, "e": "AQAB", "kid": "k"}
    with pytest.raises(oidc.Refused, match="2048"):
        oidc.choose_key([weak], "k", "RS256")
    assert oidc.choose_key([{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}], None, "ES256") is None
    assert oidc.choose_key([weak | {"use": "enc"}], "k", "RS256") is None
    assert oidc.choose_key([weak | {"alg": "PS256"}], "k", "RS256") is None
    with pytest.raises(oidc.Refused):
        oidc.choose_key([{"kty": "RSA", "n": "!" * 400, "e": "AQAB"}], None, "RS256")
    for body in (b"[]", b"{}", b'{"keys": 1}', b"\xff", b'{"keys": [' + b"1," * 60 + b"1]}"):
        with pytest.raises(oidc.Refused):
            oidc.read_keys(body)


def _provider(claim: str) -> Any:
    table = [RoleMapping("a", Role.RISK_ANALYST), RoleMapping("b", Role.EXECUTIVE)]
    return type("Provider", (), {"role_claim": claim, "role_map": table})
