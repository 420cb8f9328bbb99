"""Attacks of the catalogue on signing in and on proving who one is (ids as in the catalogue)."""

from __future__ import annotations

import ast
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Litestar
from litestar.testing import TestClient

import finer
from finer.identity.errors import NotAcceptable, SignInRefused
from finer.identity.service import people, sessions
from finer.identity.types.access import Factor, Role, User
from finer.kit.clock import FixedClock
from finer.kit.settings import load_settings
from tests.identity.test_factors import ACCOUNT, add_passkey, enrol
from tests.support.identity import (
    PASSWORD,
    Door,
    Firm,
    client_of,
    forget_attempts,
    owner_connection,
    sign_in,
    small_app,
)
from tests.support.passkeys import SoftPasskey


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Litestar:
    forget_attempts(database_url)
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    return small_app(firm.database, firm.settings)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def half_way(client: TestClient[Litestar], user: User) -> str:
    """Sign in by password as far as to the second factor; returns the token of the half-done sign-in."""
    answer = client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
    return str(answer.json()["second_factor"]["token"])


def finish(client: TestClient[Litestar], token: str, code: str) -> int:
    return client.post("/api/v1/session/second-factor", json={"token": token, "code": code}).status_code


def _routes(app: Litestar) -> list[tuple[str, str]]:
    handlers = [
        (method, route.path, handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
    ]
    return [
        (method, path.replace("{session_id:str}", "x").replace("{passkey_id:str}", "x").replace("{prefix:str}", "x"))
        for method, path, handler in handlers
        if method != "OPTIONS" and handler.opt.get("permission") not in ("public", None)
    ]


def test_a02_a_half_done_sign_in_opens_nothing(
    firm: Firm, app: Litestar, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user(Role.ADMINISTRATOR)
    sign_in(client, user)
    enrol(client, clock)
    token = half_way(client, user)
    client.cookies.clear()
    routes = _routes(app)
    assert len(routes) > 15
    for method, path in routes:
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"finer_session={token}"}):
            assert client.request(method, path, headers=headers).status_code == 401, (method, path)
    assert client.post("/api/v1/session/link", json={"token": token}).status_code == 401


def test_a02_no_other_token_stands_for_a_half_done_sign_in(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, _ = enrol(client, clock)
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    for token in (client.cookies["finer_session"], link, firm.key(), "", "x" * 43):
        assert finish(client, token, app.at(clock.now())) == 401


def test_a05_proving_again_changes_the_token_and_ends_the_old_one(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user())
    old = client.cookies["finer_session"]
    assert client.post(f"{ACCOUNT}/step-up", json={"password": PASSWORD}).status_code == 204
    new = client.cookies["finer_session"]
    assert new != old
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={old}"}).status_code == 401
    assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={new}"}).status_code == 200


def test_a05_signing_in_again_ends_the_session_that_the_browser_had(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    old = client.cookies["finer_session"]
    sign_in(client, user)
    assert len(client.get("/api/v1/sessions").json()) == 1
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Cookie": f"finer_session={old}"}).status_code == 401


def test_a05_a_live_stream_does_not_keep_a_session_alive(firm: Firm, clock: FixedClock) -> None:
    door = Door(firm.database, firm.settings)
    _, token = door.sign_in(firm.user().email, PASSWORD, "192.0.2.1", "")
    for _ in range(29):
        clock.advance(timedelta(minutes=1))
        assert door.look_up(token, touch=False) is not None
    clock.advance(timedelta(minutes=1))
    assert door.look_up(token, touch=False) is None


def test_a05_a_stream_does_not_hide_that_somebody_is_at_work(firm: Firm, clock: FixedClock) -> None:
    door = Door(firm.database, firm.settings)
    _, token = door.sign_in(firm.user().email, PASSWORD, "192.0.2.1", "")
    door.authenticator.forget(token)
    clock.advance(timedelta(minutes=20))
    assert door.look_up(token, touch=False) is not None
    known, _ = door.authenticator.remembered(token)
    assert not known
    assert door.look_up(token) is not None
    clock.advance(timedelta(minutes=20))
    assert door.look_up(token, touch=False) is not None


def test_a07_of_many_requests_with_one_code_exactly_one_gets_in(
    firm: Firm, app: Litestar, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    otp, codes = enrol(client, clock)
    for code in (otp.at(clock.now()), codes[0]):
        tokens = [half_way(client, user) for _ in range(3)]
        with client_of(app) as other, ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda token, code=code, other=other: finish(other, token, code), tokens))
        assert sorted(answers) == [200, 401, 401]


def test_a07_a_code_and_every_earlier_one_are_used_up(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, _ = enrol(client, clock)
    earlier, code = app.at(clock.now() - timedelta(seconds=30)), app.at(clock.now())
    assert finish(client, half_way(client, user), code) == 200
    assert finish(client, half_way(client, user), code) == 401
    assert finish(client, half_way(client, user), earlier) == 401
    assert client.post(f"{ACCOUNT}/step-up", json={"code": code}).status_code == 422
    clock.advance(timedelta(seconds=30))
    assert finish(client, half_way(client, user), app.at(clock.now())) == 200


def test_a07_codes_far_from_the_clock_and_of_others_do_not_fit(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user, other = firm.user(), firm.user()
    sign_in(client, other)
    theirs, _ = enrol(client, clock)
    sign_in(client, user)
    app, _ = enrol(client, clock)
    now = clock.now()
    for code in (theirs.at(now), app.at(now + timedelta(seconds=90)), app.at(now - timedelta(seconds=90))):
        assert finish(client, half_way(client, user), code) == 401
    assert finish(client, half_way(client, user), app.at(now + timedelta(seconds=30))) == 200


def test_a07_guessing_codes_is_slowed_down(firm: Firm, client: TestClient[Litestar], clock: FixedClock) -> None:
    user = firm.user()
    sign_in(client, user)
    app, _ = enrol(client, clock)
    token = half_way(client, user)
    right = app.at(clock.now())
    wrong = "000000" if right != "000000" else "111111"
    assert [finish(client, token, wrong) for _ in range(7)] == [401] * 5 + [429] * 2
    assert finish(client, half_way(client, user), right) == 429
    assert client.post(f"{ACCOUNT}/step-up", json={"code": wrong}).status_code == 429
    clock.advance(timedelta(seconds=4))
    assert finish(client, token, app.at(clock.now())) == 200


def test_a07_a_half_done_sign_in_ends_after_five_minutes_and_works_once(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, codes = enrol(client, clock)
    token = half_way(client, user)
    clock.advance(timedelta(minutes=5))
    assert finish(client, token, app.at(clock.now())) == 401
    token = half_way(client, user)
    assert finish(client, token, app.at(clock.now())) == 200
    assert finish(client, token, codes[0]) == 401
    token = half_way(client, user)
    with firm.tx() as tx:
        people.disable_user(tx, email=user.email)
    assert finish(client, token, codes[1]) == 401


LIES: list[dict[str, Any]] = [
    {"origin": "http://evil.example"},
    {"origin": "http://localhost:8001"},
    {"origin": "https://localhost:8000"},
    {"site": "evil.example"},
    {"verified": False},
    {"present": False},
    {"cross_origin": True},
    {"challenge": "AAAA"},
    {"kind": "webauthn.create"},
    {"handle": "AAAAAAAAAAAAAAAAAAAAAA"},
    {"count": 0},
    {"key": ec.generate_private_key(ec.SECP256R1())},
]


@pytest.mark.parametrize("lie", LIES, ids=[next(iter(lie)) + str(place) for place, lie in enumerate(LIES)])
def test_a08_a_passkey_that_lies_opens_nothing(firm: Firm, client: TestClient[Litestar], lie: dict[str, Any]) -> None:
    sign_in(client, firm.user())
    passkey, _ = add_passkey(client)
    options = client.post("/api/v1/session/passkey/options").json()["options"]
    assert client.post("/api/v1/session/passkey", json={"credential": passkey.answer(options)}).status_code == 200
    options = client.post("/api/v1/session/passkey/options").json()["options"]
    answer = client.post("/api/v1/session/passkey", json={"credential": passkey.answer(options, **lie)})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "lie", [lie for lie in LIES if not {"handle", "count", "key", "kind"} & set(lie)] + [{"kind": "webauthn.get"}]
)
def test_a08_no_passkey_is_registered_by_an_answer_that_lies(
    firm: Firm, client: TestClient[Litestar], lie: dict[str, Any]
) -> None:
    sign_in(client, firm.user())
    options = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    body = {"name": "x", "credential": SoftPasskey().register(options, **lie)}
    assert client.post(f"{ACCOUNT}/passkeys", json=body).status_code == 422
    assert client.get(ACCOUNT).json()["passkeys"] == []


def test_a08_a_challenge_works_once_for_its_purpose_and_its_person(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    sign_in(client, firm.user())
    passkey, _ = add_passkey(client)
    options = client.post("/api/v1/session/passkey/options").json()["options"]
    answer = {"credential": passkey.answer(options)}
    assert client.post("/api/v1/session/passkey", json=answer).status_code == 200
    assert client.post("/api/v1/session/passkey", json=answer).status_code == 401
    assert client.post("/api/v1/session/passkey", json={"credential": passkey.answer(options)}).status_code == 401
    assert client.post(f"{ACCOUNT}/step-up/passkey", json={"credential": passkey.answer(options)}).status_code == 422

    step_up = client.post(f"{ACCOUNT}/step-up/passkey/options").json()["options"]
    assert client.post("/api/v1/session/passkey", json={"credential": passkey.answer(step_up)}).status_code == 401

    old = client.post("/api/v1/session/passkey/options").json()["options"]
    clock.advance(timedelta(minutes=5))
    assert client.post("/api/v1/session/passkey", json={"credential": passkey.answer(old)}).status_code == 401


def test_a08_a_failed_answer_uses_its_challenge_up(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user())
    options = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    passkey = SoftPasskey()
    lie = {"name": "x", "credential": passkey.register(options, origin="http://evil.example")}
    assert client.post(f"{ACCOUNT}/passkeys", json=lie).status_code == 422
    truth = {"name": "x", "credential": passkey.register(options)}
    assert client.post(f"{ACCOUNT}/passkeys", json=truth).status_code == 422


def test_a08_a_passkey_of_one_person_proves_nothing_for_another(
    firm: Firm, other_firm: Firm, client: TestClient[Litestar]
) -> None:
    sign_in(client, other_firm.user())
    theirs, _ = add_passkey(client)
    user = firm.user()
    sign_in(client, user)
    mine, _ = add_passkey(client)
    options = client.post(f"{ACCOUNT}/step-up/passkey/options").json()["options"]
    assert client.post(f"{ACCOUNT}/step-up/passkey", json={"credential": theirs.answer(options)}).status_code == 422
    # Registered once, a credential cannot be registered by somebody else.
    options = client.post(f"{ACCOUNT}/step-up/passkey/options").json()["options"]
    assert client.post(f"{ACCOUNT}/step-up/passkey", json={"credential": mine.answer(options)}).status_code == 204
    options = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    stolen = {"name": "x", "credential": SoftPasskey(identifier=theirs.identifier).register(options)}
    assert client.post(f"{ACCOUNT}/passkeys", json=stolen).status_code == 409


def test_a08_a_challenge_to_register_is_of_no_use_to_others(
    firm: Firm, app: Litestar, client: TestClient[Litestar]
) -> None:
    sign_in(client, firm.user())
    options = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    with client_of(app) as thief:
        sign_in(thief, firm.user())
        body = {"name": "x", "credential": SoftPasskey().register(options)}
        assert thief.post(f"{ACCOUNT}/passkeys", json=body).status_code == 422


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"rawId": 1, "response": None},
        {"rawId": "!!", "response": {"clientDataJSON": "e30"}},
        {"id": "AA", "rawId": "AA", "response": {"clientDataJSON": 7}},
        {"response": {"clientDataJSON": "W1tbW1tbW1tbW1tbW1tbW1tbW1tb" * 400}},
        {"response": []},
    ],
)
def test_a08_nonsense_instead_of_a_passkey_is_refused(
    client: TestClient[Litestar], firm: Firm, credential: dict[str, Any]
) -> None:
    assert client.post("/api/v1/session/passkey", json={"credential": credential}).status_code == 401
    sign_in(client, firm.user())
    for path, body in (("/step-up/passkey", {}), ("/passkeys", {"name": "x"})):
        assert client.post(ACCOUNT + path, json={"credential": credential} | body).status_code == 422


def test_a09_a_link_does_not_pass_by_the_second_factor(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, _ = enrol(client, clock)
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    client.cookies.clear()
    half = client.post("/api/v1/session/link", json={"token": link}).json()
    assert half["user"] is None
    assert client.get("/api/v1/me").status_code == 401
    assert finish(client, half["second_factor"]["token"], app.at(clock.now())) == 200


def test_a09_every_way_to_a_session_goes_through_the_one_door() -> None:
    places = set()
    for path in sorted(Path(finer.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name == "begin_session":
                places.add(path.name)
    assert places == {"admission.py"}


def test_a09_a_password_is_no_step_up_for_whoever_has_a_second_factor(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user(Role.ADMINISTRATOR)
    sign_in(client, user)
    app, codes = enrol(client, clock)
    clock.advance(timedelta(minutes=10))
    assert client.post(f"{ACCOUNT}/step-up", json={"password": PASSWORD}).status_code == 204
    key = {"name": "feed", "scopes": ["events:write"], "reason": "The feed of the core."}
    refused = client.post("/api/v1/api-keys", json=key)
    assert refused.json()["type"] == "urn:finer:problem:step-up-required"
    assert refused.json()["methods"] == ["totp", "recovery"]
    changed = {"present": PASSWORD, "new": "seven quiet otters paint"}
    assert client.post(f"{ACCOUNT}/password", json=changed).status_code == 204
    assert client.post("/api/v1/api-keys", json=key).status_code == 403
    assert client.post(f"{ACCOUNT}/step-up", json={"code": app.at(clock.now())}).status_code == 204
    assert client.post("/api/v1/api-keys", json=key).status_code == 201
    assert client.post(f"{ACCOUNT}/step-up", json={"code": codes[0]}).status_code == 204
    assert client.post(f"{ACCOUNT}/step-up", json={"code": codes[0]}).status_code == 422


STEP_UP_ROUTES = [
    ("POST", "/api/v1/api-keys", {"name": "feed", "scopes": ["events:write"]}),
    ("POST", f"{ACCOUNT}/totp", None),
    ("POST", f"{ACCOUNT}/totp/confirm", {"code": "000000"}),
    ("DELETE", f"{ACCOUNT}/totp", None),
    ("POST", f"{ACCOUNT}/recovery-codes", None),
    ("POST", f"{ACCOUNT}/passkeys/options", None),
    ("POST", f"{ACCOUNT}/passkeys", {"name": "x", "credential": {}}),
    ("DELETE", f"{ACCOUNT}/passkeys/pky_{'0' * 32}", None),
]


def test_step_up_is_wanted_again_after_ten_minutes(firm: Firm, client: TestClient[Litestar], clock: FixedClock) -> None:
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    clock.advance(timedelta(minutes=10))
    assert client.post(f"{ACCOUNT}/totp").status_code == 200
    clock.advance(timedelta(seconds=1))
    for method, path, body in STEP_UP_ROUTES:
        refused = client.request(method, path, json=body)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:finer:problem:step-up-required"), path
        assert refused.json()["methods"] == ["password"]
    assert client.post(f"{ACCOUNT}/step-up", json={"password": "a wrong password"}).status_code == 422
    assert client.post(f"{ACCOUNT}/totp").status_code == 403
    assert client.post(f"{ACCOUNT}/step-up", json={"password": PASSWORD}).status_code == 204
    assert client.post(f"{ACCOUNT}/totp").status_code == 200


def test_step_up_by_guessing_is_slowed_down_with_the_sign_in(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    wrong = [client.post(f"{ACCOUNT}/step-up", json={"password": "a wrong password"}).status_code for _ in range(6)]
    assert wrong == [422] * 5 + [429]
    present = {"present": "a wrong password", "new": "seven quiet otters paint"}
    assert client.post(f"{ACCOUNT}/password", json=present).status_code == 429
    assert client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD}).status_code == 429


def test_a10_passkey_options_name_nobody(firm: Firm, client: TestClient[Litestar]) -> None:
    sign_in(client, firm.user())
    add_passkey(client)
    client.cookies.clear()
    one, two = (client.post("/api/v1/session/passkey/options").json()["options"] for _ in range(2))
    assert one.pop("challenge") != two.pop("challenge")
    assert one == two


def test_a10_the_time_of_a_refusal_does_not_tell_who_has_an_account(firm: Firm) -> None:
    # With hashes of full strength, which are nearly all of the time. The shortest of many is compared, as what a busy
    # machine adds says nothing about accounts.
    strong = Firm(firm.database, load_settings({}), firm.tenant)
    door, user = Door(firm.database, strong.settings), strong.user()
    taken: dict[str, list[float]] = {user.email: [], "nobody@nowhere.example": []}
    for _ in range(20):
        for email, times in taken.items():
            started = time.perf_counter()
            with pytest.raises(SignInRefused):
                door.sign_in(email, "a wrong password", "192.0.2.1", "")
            times.append(time.perf_counter() - started)
        _forget_attempts(firm)
    known, unknown = (min(times) for times in taken.values())
    assert 0.5 < known / unknown < 2


def _forget_attempts(firm: Firm) -> None:
    with owner_connection(firm.database.url) as connection:
        connection.execute("delete from identity_sign_in_attempts")
        connection.commit()


@pytest.mark.parametrize(
    "email",
    [
        "\u212aim@bank.example",  # the Kelvin sign, which lower case turns into k
        "k\u0131m@bank.example",  # a dotless i
        "\u043aim@bank.example",  # a Cyrillic ka
        "kim\u200b@bank.example",  # a zero-width space
        "\uff4bim@bank.example",  # a full-width k
        "kim@b\u0430nk.example",  # a Cyrillic a
        "kim@bank.example\u0000",
    ],
)
def test_a10_an_address_that_only_looks_like_another_is_refused(
    firm: Firm, client: TestClient[Litestar], email: str
) -> None:
    home = f"{secrets.token_hex(4)}.example"
    email = email.replace("bank.example", home)
    with firm.tx() as tx:
        people.create_user(tx, firm.settings, email=f"kim@{home}", name="Kim", role=Role.AUDITOR, password=PASSWORD)
    with firm.tx() as tx, pytest.raises(NotAcceptable):
        people.create_user(tx, firm.settings, email=email, name="Kim", role=Role.AUDITOR, password=None)
    assert client.post("/api/v1/session", json={"email": email, "password": PASSWORD}).status_code == 401


def test_a11_who_is_locked_out_by_others_gets_in_by_passkey_and_by_link(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    passkey, _ = add_passkey(client)
    wrong = {"email": user.email, "password": "a wrong password"}
    for _ in range(8):
        client.post("/api/v1/session", json=wrong)
    assert client.post("/api/v1/session", json=wrong | {"password": PASSWORD}).status_code == 429
    options = client.post("/api/v1/session/passkey/options").json()["options"]
    assert client.post("/api/v1/session/passkey", json={"credential": passkey.answer(options)}).status_code == 200


def test_a12_a_password_of_a_megabyte_costs_no_hash(
    firm: Firm, client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = firm.user()
    sign_in(client, user)

    def no_hash(*_: object) -> bool:
        raise AssertionError("a password was hashed")

    for module in ("sign_in", "proofs"):
        monkeypatch.setattr(f"finer.identity.service.{module}.verify_password", no_hash)
    monkeypatch.setattr("finer.identity.service.passwords.hash_password", no_hash)
    for length in (257, 15_000, 2**20):
        huge = "x" * length
        for path, body in (
            ("/api/v1/session", {"email": user.email, "password": huge}),
            (f"{ACCOUNT}/step-up", {"password": huge}),
            (f"{ACCOUNT}/step-up", {"code": huge}),
            (f"{ACCOUNT}/password", {"present": huge, "new": huge}),
            ("/api/v1/session/second-factor", {"token": "x", "code": huge}),
            ("/api/v1/session/link", {"token": huge}),
        ):
            assert client.post(path, json=body).status_code in (400, 413), (path, length)


def test_b01_what_belongs_to_somebody_else_is_not_found(
    firm: Firm, other_firm: Firm, app: Litestar, client: TestClient[Litestar]
) -> None:
    found = []
    for home in (firm, other_firm):
        with client_of(app) as victim:
            sign_in(victim, home.user())
            _, added = add_passkey(victim)
            found.append(added["passkey"]["id"])  # type: ignore[index]
            with home.tx() as tx:
                sessions.begin_session(tx, home.user().id, "x", factor=Factor.PASSWORD)
    sign_in(client, firm.user(Role.ADMINISTRATOR))
    for identifier in found:
        assert client.delete(f"{ACCOUNT}/passkeys/{identifier}").status_code == 404
        assert client.patch(f"{ACCOUNT}/passkeys/{identifier}", json={"name": "x"}).status_code == 404


def test_secrets_of_factors_are_sealed_and_hashed_in_the_database(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock, database_url: str
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, codes = enrol(client, clock)
    token = half_way(client, user)
    with owner_connection(database_url) as connection:
        tables = ("totp_factors", "recovery_codes", "pending_sign_ins", "sessions", "audit_entries")
        stored = "".join(
            str(row) for table in tables for row in connection.execute(f"select t::text from identity_{table} t")
        )
    for secret in (app.secret, pyotp.TOTP(app.secret).secret, *codes, *(code[2:7] + code[8:] for code in codes), token):
        assert secret not in stored
