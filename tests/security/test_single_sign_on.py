"""A hostile OpenID provider: all that it, or whoever is between, can do wrong (A03, A04, E01 of the catalogue)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from litestar import Litestar
from litestar.testing import TestClient

from finer.identity.routes.account import AccountController
from finer.identity.routes.session import SessionController
from finer.identity.routes.sso import SsoController, SsoSettingsController
from finer.identity.service import audit, forgetting, people, sso
from finer.identity.service.sso import RoleMapping, SsoSetup
from finer.identity.store.firm import FirmStore
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.ids import show_id
from finer.kit.settings import Settings, load_settings
from tests.support.hostile_idp import CLIENT_ID, SECRET, HostileProvider, drip, hostile_provider, say
from tests.support.identity import Firm, client_of, forget_attempts, owner_connection, sign_in, small_app

_ROUTES = (AccountController, SessionController, SsoController, SsoSettingsController)
CALLBACK = "/api/v1/sso/callback"
Mode = Callable[[HostileProvider], None]


@pytest.fixture
def idp(clock: FixedClock) -> Iterator[HostileProvider]:
    with hostile_provider(lambda: clock.now().timestamp()) as found:
        yield found


@pytest.fixture
def trusting(idp: HostileProvider) -> Settings:
    """Settings under which the provider on this machine may be asked."""
    return load_settings({}, argon2_memory_kib=8, argon2_iterations=1, outbound_hosts=idp.host)


@pytest.fixture
def app(
    firm: Firm, trusting: Settings, idp: HostileProvider, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Litestar:
    _forget_attempts(database_url)
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    monkeypatch.setattr("finer.kit.outbound._TIMEOUT_S", 1.0)
    set_up(firm, idp)
    return small_app(firm.database, trusting, routes=_ROUTES)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def _forget_attempts(database_url: str) -> None:
    """All tests come from one address, which would have to wait after so many failures."""
    forget_attempts(database_url)


def set_up(firm: Firm, idp: HostileProvider, **changed: Any) -> None:
    settings: dict[str, Any] = {
        "name": "Acme ID", "issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": SECRET,
        "algorithms": ["RS256"], "scopes": ["profile"], "role_claim": "groups",
        "role_map": [RoleMapping("risk", Role.RISK_ANALYST), RoleMapping("ops", Role.EXECUTIVE)], "enabled": True,
    }  # fmt: skip
    with firm.tx() as tx:
        wanted = settings | changed
        secret = wanted.pop("client_secret")
        sso.set_provider(tx, SsoSetup(**wanted), secret)


def begin(client: TestClient[Litestar], firm: Firm, following: str = "/fraud") -> str:
    answer = client.post("/api/v1/sso/attempts", json={"firm": firm.tenant.slug, "next": following})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["location"])


def finish(client: TestClient[Litestar], answer: dict[str, str]) -> httpx.Response:
    found: httpx.Response = client.get(CALLBACK, params=answer, follow_redirects=False)
    return found


def attempt(client: TestClient[Litestar], firm: Firm, idp: HostileProvider, **changed: str | None) -> httpx.Response:
    return finish(client, idp.authorize(begin(client, firm), **changed))


def _is_in(answer: httpx.Response) -> bool:
    return any(
        "finer_session=" in cookie and "max-age=0" not in cookie.lower()
        for cookie in answer.headers.get_list("set-cookie")
    )


def _is_out(answer: httpx.Response, client: TestClient[Litestar], firm: Firm, people_before: int = 0) -> None:
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?sso=refused")
    assert not _is_in(answer)
    assert client.get("/api/v1/me").status_code == 401
    with firm.tx() as tx:
        assert len(people.list_users(tx)) == people_before


def _alg_none(header: dict[str, Any], claims: dict[str, Any]) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    return f"{part(header | {'alg': 'none'})}.{part(claims)}.AA"


def _hmac(secret: bytes) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    def signed(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header | {"alg": "HS256"}, claims, OctKey.import_key(secret), algorithms=["HS256"])

    return signed


def _by_stranger(idp: HostileProvider, **more: Any) -> None:
    idp.sign = lambda header, claims: jwt.encode(header | more, claims, idp.stranger, algorithms=["RS256"])


def _claims(**changed: Any) -> Mode:
    def set_mode(idp: HostileProvider) -> None:
        def change(claims: dict[str, Any]) -> None:
            for name, value in changed.items():
                if value is ...:
                    claims.pop(name)
                else:
                    claims[name] = claims[name] + value if name in ("iat", "exp") else value

        idp.change_claims = change

    return set_mode


def _metadata(**changed: Any) -> Mode:
    def set_mode(idp: HostileProvider) -> None:
        idp.change_metadata = lambda found: found.update(changed)

    return set_mode


def _header(**changed: Any) -> Mode:
    def set_mode(idp: HostileProvider) -> None:
        idp.change_header = lambda found: found.update(changed)

    return set_mode


def _tokens(**changed: Any) -> Mode:
    def set_mode(idp: HostileProvider) -> None:
        idp.change_tokens = lambda found: found.update(changed)

    return set_mode


def _responds(path: str, answer: Callable[[Any], None]) -> Mode:
    def set_mode(idp: HostileProvider) -> None:
        idp.respond[path] = answer

    return set_mode


def _userinfo_of_another(idp: HostileProvider) -> None:
    _claims(groups=...)(idp)
    idp.change_userinfo = lambda found: found.update(sub="boss-1", groups=["risk"])


def _two_keys_of_one_name(idp: HostileProvider) -> None:
    idp.change_jwks = lambda found: found["keys"].append(
        {**idp.stranger.as_dict(private=False), "kid": idp.kid, "use": "sig"}
    )


# What is refused after the provider was asked: each leaves no session, no person, and a line in the audit trail.
BAD_TOKENS: dict[str, Mode] = {
    "issuer of the token is another": _claims(iss="https://evil.example"),
    "issuer of the token has a slash more": lambda idp: _claims(iss=f"{idp.issuer}/")(idp),
    "issuer of the token is missing": _claims(iss=...),
    "audience is another client": _claims(aud="other"),
    "audience is missing": _claims(aud=...),
    "several audiences and nobody authorised": _claims(aud=[CLIENT_ID, "other"]),
    "another party is authorised": _claims(aud=[CLIENT_ID, "other"], azp="other"),
    "nonce of another sign-in": _claims(nonce="replayed"),
    "nonce is missing": _claims(nonce=...),
    "expired": _claims(exp=-400),
    "without an end": _claims(exp=...),
    "issued in the future": _claims(iat=120),
    "issued long ago": _claims(iat=-3600),
    "not valid yet": _claims(nbf=2**33),
    "subject is missing": _claims(sub=...),
    "subject is no text": _claims(sub=["ana-1"]),
    "access token was exchanged": _claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "not signed": lambda idp: setattr(idp, "sign", _alg_none),
    "signed with the client's secret": lambda idp: setattr(idp, "sign", _hmac(SECRET.encode())),
    "signed with the public key as a secret": lambda idp: setattr(idp, "sign", _hmac(idp.key.as_pem(private=False))),
    "signed by a stranger": _by_stranger,
    "signed by a stranger with an unknown key id": lambda idp: _by_stranger(idp, kid="evil"),
    "signed by a stranger who brings the key": lambda idp: _by_stranger(idp, jwk=idp.stranger.as_dict(private=False)),
    "signed by a stranger who says where the key is": lambda idp: _by_stranger(idp, jku=f"{idp.issuer}/evil"),
    "a true token that brings a key": lambda idp: _header(jwk=idp.stranger.as_dict(private=False))(idp),
    "a true token with an unknown extension": _header(crit=["x"], x=1),
    "a token of another kind": _header(typ="at+jwt"),
    "two keys of one name": _two_keys_of_one_name,
    "no keys": lambda idp: setattr(idp, "change_jwks", lambda found: found.update(keys=[])),
    "an oversized token": _claims(padding="a" * 20_000),
    "no ID token": _tokens(id_token=None),
    "another kind of access token": _tokens(token_type="mac"),
    "claims about somebody else": _userinfo_of_another,
    "keys behind a redirect": _responds(
        "/jwks", lambda handler: say(handler, 302, {}, Location="http://169.254.169.254/latest")
    ),
    "token endpoint behind a redirect": _responds("/token", lambda handler: say(handler, 307, {}, Location="/evil")),
    "token endpoint that drips": _responds("/token", drip),
    "token endpoint that floods": _responds("/token", lambda handler: say(handler, 200, "a" * 1_000_000)),
    "token endpoint that fails": _responds("/token", lambda handler: say(handler, 500, {})),
    "token endpoint that talks nonsense": _responds("/token", lambda handler: say(handler, 200, ["tokens"])),
}

# What is refused before the browser is sent anywhere.
BAD_METADATA: dict[str, Mode] = {
    "metadata of another issuer": _metadata(issuer="https://good.example"),
    "metadata with a slash more": lambda idp: _metadata(issuer=f"{idp.issuer}/")(idp),
    "PKCE downgrade": _metadata(code_challenge_methods_supported=["plain"]),
    "no code flow": _metadata(response_types_supported=["id_token"]),
    "keys at the metadata service": _metadata(jwks_uri="http://169.254.169.254/latest/meta-data"),
    "tokens at another port of this machine": _metadata(token_endpoint="http://127.0.0.1:5432/"),
    "keys in a file": _metadata(jwks_uri="file:///etc/passwd"),
    "person's data at a private host": _metadata(userinfo_endpoint="http://10.0.0.1/"),
    "sign-in page that is a script": _metadata(authorization_endpoint="javascript:alert(1)"),
    "metadata behind a redirect": _responds(
        "/.well-known/openid-configuration", lambda handler: say(handler, 301, {}, Location="http://127.0.0.1:1/")
    ),
    "metadata that is no object": _responds("/.well-known/openid-configuration", lambda handler: say(handler, 200, 7)),
    "metadata that never ends": _responds("/.well-known/openid-configuration", drip),
}


def test_a_good_provider_lets_people_in(client: TestClient[Litestar], firm: Firm, idp: HostileProvider) -> None:
    answer = attempt(client, firm, idp)
    assert (answer.status_code, answer.headers["location"]) == (303, "/fraud")
    me = client.get("/api/v1/me").json()
    assert (me["user"]["name"], me["user"]["role"]) == ("Ana Cruz", "risk_analyst")


def test_a03_there_are_fifteen_bad_modes_and_more() -> None:
    assert len(BAD_TOKENS) + len(BAD_METADATA) >= 15


@pytest.mark.parametrize("mode", BAD_TOKENS)
def test_a03_a_bad_answer_lets_nobody_in(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, mode: str
) -> None:
    location = begin(client, firm)
    BAD_TOKENS[mode](idp)
    _is_out(finish(client, idp.authorize(location)), client, firm)
    with firm.tx() as tx:
        [line] = audit.list_audit(tx, 1, None)
    assert (line.action, line.outcome) == ("session:begin", "refused")
    assert line.detail["reason"]
    assert "/evil" not in idp.asked


@pytest.mark.parametrize("mode", BAD_METADATA)
def test_a03_a_provider_that_says_wrong_things_of_itself_is_not_used(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, mode: str
) -> None:
    BAD_METADATA[mode](idp)
    answer = client.post("/api/v1/sso/attempts", json={"firm": firm.tenant.slug})
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:finer:problem:provider-unusable")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"}, {"iss": None}, {"iss": ""}, {"state": None}, {"state": "x"}, {"code": None},
        {"code": "made-up"}, {"code": ""}, {"error": "access_denied"}, {"state": f"{'0' * 32}.{'A' * 43}"},
    ],
)  # fmt: skip
def test_a03_an_answer_that_is_not_the_provider_s_lets_nobody_in(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, changed: dict[str, str | None]
) -> None:
    _is_out(attempt(client, firm, idp, **changed), client, firm)


def test_a03_a_parameter_twice_is_no_answer(client: TestClient[Litestar], firm: Firm, idp: HostileProvider) -> None:
    answer = idp.authorize(begin(client, firm))
    url = f"{CALLBACK}?{httpx.QueryParams(answer)}&iss={idp.issuer}"
    _is_out(client.get(url, follow_redirects=False), client, firm)


@pytest.mark.parametrize(
    ("asked", "said", "comes_in"),
    [
        ({"amr_values": ["mfa", "hwk"]}, {"amr": ["pwd", "mfa"]}, True),
        ({"amr_values": ["mfa"]}, {"amr": ["pwd"]}, False),
        ({"amr_values": ["mfa"]}, {}, False),
        ({"amr_values": ["mfa"]}, {"amr": "mfa"}, False),
        ({"amr_values": ["mfa"]}, {"amr": [["mfa"], {"mfa": 1}]}, False),
        ({"acr_values": ["urn:acme:strong"]}, {"acr": "urn:acme:strong"}, True),
        ({"acr_values": ["urn:acme:strong"]}, {"acr": "0"}, False),
        ({"acr_values": ["urn:acme:strong"]}, {"acr": ["urn:acme:strong"]}, False),
        ({"acr_values": ["urn:acme:strong"]}, {}, False),
        ({"acr_values": ["1"], "amr_values": ["mfa"]}, {"acr": "1", "amr": ["pwd"]}, False),
    ],
)
def test_a09_the_provider_has_to_say_how_strong_a_sign_in_was(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, asked: dict[str, Any], said: dict[str, Any],
    comes_in: bool,
) -> None:  # fmt: skip
    set_up(firm, idp, **asked)
    location = begin(client, firm)
    wanted = httpx.URL(location).params.get("acr_values")
    assert wanted == (" ".join(asked["acr_values"]) if "acr_values" in asked else None)
    idp.change_claims = lambda claims: claims.update(said)
    answer = finish(client, idp.authorize(location))
    if not comes_in:
        _is_out(answer, client, firm)
        return
    assert _is_in(answer)
    with firm.tx() as tx:
        assert audit.list_audit(tx, 1, None)[0].detail["factor"] == "sso_mfa"


def test_a09_a_firm_that_wants_a_second_factor_takes_a_provider_s_word_only_when_it_says_more(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    with firm.tx() as tx:
        FirmStore(tx).require_second_factor(True)
    assert _is_in(attempt(client, firm, idp))
    assert client.get("/api/v1/me").json()["second_factor_missing"] is True
    set_up(firm, idp, amr_values=["mfa"])
    idp.change_claims = lambda claims: claims.update({"amr": ["mfa"]})
    assert _is_in(attempt(client, firm, idp))
    assert client.get("/api/v1/me").json()["second_factor_missing"] is False


@pytest.mark.parametrize(
    ("age_s", "comes_in"),
    [(0, True), (3500, True), (3700, False), (-30, True), (-300, False), (None, False), ("now", False), (True, False)],
)
def test_a09_a_sign_in_at_the_provider_is_good_for_as_long_as_the_firm_says(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, clock: FixedClock, age_s: Any, comes_in: bool
) -> None:
    set_up(firm, idp, max_age_minutes=60)
    location = begin(client, firm)
    assert httpx.URL(location).params.get("max_age") == "3600"
    said = int(clock.now().timestamp()) - age_s if type(age_s) is int else age_s
    idp.change_claims = lambda claims: claims.update({} if age_s is None else {"auth_time": said})
    answer = finish(client, idp.authorize(location))
    if not comes_in:
        _is_out(answer, client, firm)
        return
    assert _is_in(answer)
    # The session ends with the hour that began at the provider, however much it is used.
    clock.advance(timedelta(seconds=3600 - max(0, age_s) - 10))
    assert client.get("/api/v1/me").status_code == (200 if age_s > 1800 else 401)  # idle for half an hour
    clock.advance(timedelta(seconds=11))
    assert client.get("/api/v1/me").status_code == 401


def test_a09_a_session_in_use_ends_with_the_sign_in_at_the_provider(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, clock: FixedClock
) -> None:
    set_up(firm, idp, max_age_minutes=60)
    idp.change_claims = lambda claims: claims.update(auth_time=int(clock.now().timestamp()))
    assert _is_in(attempt(client, firm, idp))
    for _ in range(5):
        clock.advance(timedelta(minutes=11))
        assert client.get("/api/v1/me").status_code == 200
        assert len(client.get("/api/v1/sessions").json()) == 1
    clock.advance(timedelta(minutes=6))
    assert client.get("/api/v1/me").status_code == 401


def test_a09_only_signing_in_anew_at_the_provider_proves_who_is_there(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, clock: FixedClock
) -> None:
    """A provider that knows the browser lets it pass without asking anybody anything."""

    def sensitive() -> tuple[int, str]:
        answer = client.post("/api/v1/account/totp")
        return answer.status_code, answer.json().get("type", "")

    def signs_in(when: int | None, **body: Any) -> httpx.Response:
        idp.change_claims = lambda claims: claims.update({} if when is None else {"auth_time": when})
        asked = {"firm": firm.tenant.slug, "next": "/account", **body}
        location = client.post("/api/v1/sso/attempts", json=asked).json()["location"]
        wanted = httpx.URL(location).params
        fresh = ("login", "0") if body.get("fresh") else (None, None)
        assert (wanted.get("prompt"), wanted.get("max_age")) == fresh
        return finish(client, idp.authorize(location))

    refused = (403, "urn:finer:problem:step-up-required")
    now = int(clock.now().timestamp())
    assert _is_in(signs_in(None))
    assert sensitive() == refused
    assert _is_in(signs_in(now - 7200))
    assert sensitive() == refused
    assert not _is_in(signs_in(now - 7200, fresh=True))  # the provider did not ask
    assert not _is_in(signs_in(None, fresh=True))
    assert sensitive() == refused
    assert _is_in(signs_in(now, fresh=True))
    assert sensitive()[0] == 200
    # When the person signed in is in the signed token, or nowhere.
    idp.person.pop("groups")
    idp.change_userinfo = lambda found: found.update(groups=["risk"], auth_time=now)
    assert _is_in(signs_in(None))
    assert sensitive() == refused


def test_a03_a_sign_in_ends_once_and_only_in_the_browser_that_began_it(
    client: TestClient[Litestar], app: Litestar, firm: Firm, idp: HostileProvider
) -> None:
    stolen = idp.authorize(begin(client, firm))
    with client_of(app) as thief:
        _is_out(finish(thief, stolen), thief, firm)
        begin(thief, firm)  # a cookie of the thief's own does not fit either
        _is_out(finish(thief, stolen), thief, firm)
    assert _is_in(finish(client, stolen))
    client.cookies.clear()
    _is_out(finish(client, stolen), client, firm, people_before=1)


def test_a03_a_code_of_one_sign_in_does_not_end_another(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    injected = idp.authorize(begin(client, firm))["code"]
    _is_out(attempt(client, firm, idp, code=injected), client, firm)


def test_a03_a_sign_in_ends_within_ten_minutes(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, clock: FixedClock
) -> None:
    answer = idp.authorize(begin(client, firm))
    clock.advance(timedelta(minutes=10))
    _is_out(finish(client, answer), client, firm)


def test_a03_an_answer_of_one_firm_s_provider_does_not_open_another_firm(
    client: TestClient[Litestar], firm: Firm, other_firm: Firm, idp: HostileProvider
) -> None:
    set_up(other_firm, idp)
    theirs = begin(client, other_firm)
    mine = idp.authorize(begin(client, firm))
    swapped = mine | {"state": idp.authorize(theirs)["state"]}
    _is_out(finish(client, swapped), client, firm)
    with other_firm.tx() as tx:
        assert people.list_users(tx) == []


def test_a03_a_provider_that_was_changed_meanwhile_ends_what_the_old_one_began(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    answer = idp.authorize(begin(client, firm))
    set_up(firm, idp, issuer="https://new.example", client_secret="other")
    _is_out(finish(client, answer), client, firm)
    set_up(firm, idp, enabled=False)
    assert client.post("/api/v1/sso/attempts", json={"firm": firm.tenant.slug}).status_code == 502


@pytest.mark.parametrize("verified", [True, False, None, "true"])
def test_a04_an_address_makes_nobody_into_somebody_else(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, verified: Any
) -> None:
    victim = firm.user(Role.ADMINISTRATOR)
    domain = victim.email.partition("@")[2]
    with firm.tx() as tx:
        sso.add_domain(tx, domain)
    for email in (victim.email, victim.email.upper(), f" {victim.email} "):
        subject = f"evil-{email}".replace(" ", "")
        idp.person = {"sub": subject, "name": "Evil", "groups": ["risk"], "email": email}
        if verified is not None:
            idp.person["email_verified"] = verified
        answer = attempt(client, firm, idp)
        if _is_in(answer):
            me = client.get("/api/v1/me").json()["user"]
            assert (verified, me["role"]) == (False, "risk_analyst")
            assert me["email"].endswith("@sso.invalid")
            client.cookies.clear()
    with firm.tx() as tx:
        assert people.get_user(tx, victim.id) == victim


def test_a04_an_address_outside_the_firm_s_domains_is_not_believed(
    client: TestClient[Litestar], firm: Firm, other_firm: Firm, idp: HostileProvider
) -> None:
    theirs = other_firm.user()
    for email in (theirs.email, "ceo@bank.example", "not an address"):
        idp.person = {"sub": f"s{len(email)}", "groups": ["risk"], "email": email, "email_verified": True}
        assert _is_in(attempt(client, firm, idp))
        assert client.get("/api/v1/me").json()["user"]["email"].endswith("@sso.invalid")
        client.cookies.clear()


def test_a04_the_same_subject_of_another_issuer_is_another_person(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, clock: FixedClock, trusting: Settings
) -> None:
    assert _is_in(attempt(client, firm, idp))
    first = client.get("/api/v1/me").json()["user"]["id"]
    client.cookies.clear()
    with hostile_provider(lambda: clock.now().timestamp()) as second:
        set_up(firm, second)
        both = load_settings({}, outbound_hosts=f"{idp.host},{second.host}")
        with client_of(small_app(firm.database, both)[0]) as other:
            assert _is_in(attempt(other, firm, second))
            assert other.get("/api/v1/me").json()["user"]["id"] != first


def test_who_has_no_mapped_role_stays_out_and_nobody_is_administrator_by_accident(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    for groups in (["administrator"], ["admin", "root"], [], "riskier", {"risk": True}, None, [["risk"]]):
        idp.person = {"sub": "eve", "groups": groups, "role": "administrator", "roles": ["administrator"]}
        _is_out(attempt(client, firm, idp), client, firm)


def test_a05_who_lost_the_role_or_was_disabled_is_out_everywhere(
    client: TestClient[Litestar], app: Litestar, firm: Firm, idp: HostileProvider
) -> None:
    assert _is_in(attempt(client, firm, idp))
    idp.person["groups"] = []
    with client_of(app) as elsewhere:
        assert not _is_in(attempt(elsewhere, firm, idp))
    assert client.get("/api/v1/me").status_code == 401
    idp.person["groups"] = ["ops"]
    assert _is_in(attempt(client, firm, idp))
    assert client.get("/api/v1/me").json()["user"]["role"] == "executive"
    with firm.tx() as tx:
        [person] = people.list_users(tx)
        people.disable_user(tx, email=person.email)
    assert client.get("/api/v1/me").status_code == 401
    assert not _is_in(attempt(client, firm, idp))


def test_an_erased_person_is_nobody_s_past(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, worker_database: Database
) -> None:
    assert _is_in(attempt(client, firm, idp))
    with firm.tx() as tx:
        [person] = people.list_users(tx)
    with worker_database.transaction(firm.tenant.id, SYSTEM) as tx:
        forgetting.erase_user(tx, person.id)
    assert client.get("/api/v1/me").status_code == 401
    assert _is_in(attempt(client, firm, idp))
    assert client.get("/api/v1/me").json()["user"]["id"] != show_id("usr", person.id)


@pytest.mark.parametrize(
    "following",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/api/v1/session", "",
     "/\tevil", "\r\nSet-Cookie: x=y", "/\u00fcber", "evil"],
)  # fmt: skip
def test_a_sign_in_leads_to_finer_s_own_pages_only(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider, following: str
) -> None:
    answer = finish(client, idp.authorize(begin(client, firm, following)))
    assert answer.headers["location"] == "/"


def test_a10_an_offer_says_nothing_about_accounts_or_firms(
    client: TestClient[Litestar], firm: Firm, other_firm: Firm
) -> None:
    person = firm.user()
    domain = person.email.partition("@")[2]
    with firm.tx() as tx:
        sso.add_domain(tx, domain)

    def offer(**asked: str) -> Any:
        return client.post("/api/v1/sso/offers", json=asked).json()

    assert offer(email=person.email) == offer(email=f"nobody@{domain}") == offer(firm=firm.tenant.slug)
    assert offer(firm=other_firm.tenant.slug) == offer(firm="no-such-firm") == {"firm": None, "name": None}
    assert offer(email=f"nobody@{other_firm.tenant.slug}.example") == offer(email="nonsense") == offer()


def test_a11_beginning_again_and_again_is_slowed(client: TestClient[Litestar], firm: Firm, database_url: str) -> None:
    body = {"firm": "no-such-firm"}
    codes = [client.post("/api/v1/sso/attempts", json=body).status_code for _ in range(51)]
    assert codes == [502] * 50 + [429]
    _forget_attempts(database_url)


def test_a_key_id_that_nobody_knows_is_asked_for_once(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    assert _is_in(attempt(client, firm, idp))
    asked = idp.asked.count("/jwks")
    for number in range(5):
        idp.change_header = lambda header, number=number: header.update(kid=f"made-up-{number}")  # type: ignore[misc]
        assert not _is_in(attempt(client, firm, idp))
    assert idp.asked.count("/jwks") == asked


def test_the_secret_is_sealed_and_leaves_with_no_answer(
    client: TestClient[Litestar], firm: Firm, database_url: str
) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    assert SECRET not in client.get("/api/v1/sso/provider").text
    with owner_connection(database_url) as connection:
        rows = connection.execute("select identity_sso_providers::text from identity_sso_providers").fetchall()
        trail = connection.execute("select detail::text from identity_audit_entries").fetchall()
    assert SECRET.encode().hex() not in str(rows)
    assert SECRET not in f"{rows}{trail}"


def test_a_secret_is_not_sent_to_another_provider_than_it_was_given_for(
    client: TestClient[Litestar], firm: Firm, idp: HostileProvider
) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    body = {"name": "Evil", "issuer": "https://evil.example", "client_id": CLIENT_ID, "enabled": True}
    assert client.put("/api/v1/sso/provider", json=body).status_code == 422
    assert client.put("/api/v1/sso/provider", json=body | {"issuer": idp.issuer, "enabled": False}).status_code == 200
    assert client.put("/api/v1/sso/provider", json=body | {"tenant_id": "x"}).status_code == 400


def test_e01_discovery_asks_nothing_inside(client: TestClient[Litestar], firm: Firm) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    inside = ("https://127.0.0.1", "https://169.254.169.254", "http://10.0.0.1", "https://[::1]", "https://localhost")
    for issuer in inside:
        answer = client.post("/api/v1/sso/discovery", json={"issuer": issuer})
        assert answer.status_code == 502, issuer
