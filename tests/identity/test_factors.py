from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from finer.identity.rules import familiarity, recovery, relying_party, totp
from finer.identity.rules.step_up import missing_factors, strongest_proofs
from finer.identity.service import factors, people
from finer.identity.service.password_policy import is_breached
from finer.identity.types.access import Factor, Role
from finer.kit.clock import FixedClock
from finer.kit.settings import load_settings
from tests.support.identity import PASSWORD, Firm, client_of, forget_attempts, sign_in, small_app
from tests.support.passkeys import SoftPasskey

ACCOUNT = "/api/v1/account"


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Litestar:
    forget_attempts(database_url)
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    return small_app(firm.database, firm.settings)[0]


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with client_of(app) as found:
        yield found


def enrol(client: TestClient[Litestar], clock: FixedClock) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an authenticator app for whoever is signed in; returns it with the recovery codes."""
    app = pyotp.TOTP(client.post(f"{ACCOUNT}/totp").json()["secret"])
    done = client.post(f"{ACCOUNT}/totp/confirm", json={"code": app.at(clock.now())})
    assert done.status_code == 200, done.text
    clock.advance(timedelta(seconds=30))
    return app, done.json()["recovery_codes"]


def add_passkey(client: TestClient[Litestar], name: str = "Laptop") -> tuple[SoftPasskey, dict[str, object]]:
    """Register a passkey for whoever is signed in."""
    passkey = SoftPasskey()
    options = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    added = client.post(f"{ACCOUNT}/passkeys", json={"name": name, "credential": passkey.register(options)})
    assert added.status_code == 201, added.text
    return passkey, added.json()


def test_an_app_is_asked_for_at_sign_in_once_a_code_of_it_was_entered(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    begun = client.post(f"{ACCOUNT}/totp").json()
    assert begun["uri"].startswith("otpauth://totp/Finer%20")
    assert client.post(f"{ACCOUNT}/totp/confirm", json={"code": "000000"}).status_code == 422
    assert client.get(ACCOUNT).json()["totp_since"] is None
    sign_in(client, user)

    app, codes = enrol(client, clock)
    assert len(set(codes)) == 10
    account = client.get(ACCOUNT).json()
    assert account["totp_since"] is not None
    assert account["recovery_codes_left"] == 10

    answer = client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
    assert "finer_session=" not in str(answer.headers)
    half = answer.json()
    assert (half["user"], half["permissions"]) == (None, [])
    assert half["second_factor"]["methods"] == ["totp", "recovery"]
    body = {"token": half["second_factor"]["token"], "code": " ".join(app.at(clock.now()))}
    done = client.post("/api/v1/session/second-factor", json=body)
    assert done.json()["user"]["id"] == f"usr_{user.id.hex}"
    assert [one["factor"] for one in client.get("/api/v1/sessions").json()] == ["totp"]


def test_a_recovery_code_stands_in_for_the_app_once(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    _, codes = enrol(client, clock)
    for code, status in ((codes[3], 200), (codes[3], 401), (codes[4].upper().replace("-", " "), 200)):
        half = client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD}).json()
        body = {"token": half["second_factor"]["token"], "code": code}
        assert client.post("/api/v1/session/second-factor", json=body).status_code == status
    assert client.get(ACCOUNT).json()["recovery_codes_left"] == 8
    fresh = client.post(f"{ACCOUNT}/recovery-codes").json()["recovery_codes"]
    assert client.get(ACCOUNT).json()["recovery_codes_left"] == 10
    assert not set(fresh) & set(codes)


def test_removing_the_last_factor_takes_the_recovery_codes_with_it(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user()
    sign_in(client, user)
    app, _ = enrol(client, clock)
    clock.advance(timedelta(minutes=10))
    assert client.delete(f"{ACCOUNT}/totp").json()["methods"] == ["totp", "recovery"]
    assert client.post(f"{ACCOUNT}/step-up", json={"code": app.at(clock.now())}).status_code == 204
    assert client.delete(f"{ACCOUNT}/totp").status_code == 204
    assert client.delete(f"{ACCOUNT}/totp").status_code == 404
    assert client.get(ACCOUNT).json()["recovery_codes_left"] == 0
    sign_in(client, user)


def test_an_operator_takes_lost_factors_away(firm: Firm, client: TestClient[Litestar], clock: FixedClock) -> None:
    user = firm.user()
    sign_in(client, user)
    enrol(client, clock)
    add_passkey(client)
    with firm.tx() as tx:
        factors.reset_factors(tx, email=user.email)
    assert client.get("/api/v1/me").status_code == 401
    sign_in(client, user)
    account = client.get(ACCOUNT).json()
    assert (account["totp_since"], account["passkeys"], account["recovery_codes_left"]) == (None, [], 0)


def test_a_passkey_signs_in_alone_and_is_listed_renamed_and_removed(firm: Firm, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    passkey, added = add_passkey(client)
    assert len(added["recovery_codes"]) == 10  # type: ignore[arg-type]
    listed = client.get(ACCOUNT).json()["passkeys"]
    assert [(one["name"], one["last_used_at"]) for one in listed] == [("Laptop", None)]

    options = client.post("/api/v1/session/passkey/options").json()["options"]
    assert (options["allowCredentials"], options["userVerification"]) == ([], "required")
    done = client.post("/api/v1/session/passkey", json={"credential": passkey.answer(options)})
    assert done.json()["user"]["id"] == f"usr_{user.id.hex}"
    assert client.get("/api/v1/sessions").json()[0]["factor"] == "passkey"

    path = f"{ACCOUNT}/passkeys/{listed[0]['id']}"
    assert client.patch(path, json={"name": "Work laptop"}).status_code == 204
    [renamed] = client.get(ACCOUNT).json()["passkeys"]
    assert renamed["name"] == "Work laptop"
    assert renamed["last_used_at"] is not None
    again = client.post(f"{ACCOUNT}/passkeys/options").json()["options"]
    assert len(again["excludeCredentials"]) == 1
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.get(ACCOUNT).json()["recovery_codes_left"] == 0


def test_a_passkey_steps_up(firm: Firm, client: TestClient[Litestar], clock: FixedClock) -> None:
    sign_in(client, firm.user())
    passkey, _ = add_passkey(client)
    clock.advance(timedelta(minutes=11))
    assert client.post(f"{ACCOUNT}/totp").json()["methods"] == ["passkey", "recovery"]
    options = client.post(f"{ACCOUNT}/step-up/passkey/options").json()["options"]
    assert len(options["allowCredentials"]) == 1
    before = client.cookies["finer_session"]
    done = client.post(f"{ACCOUNT}/step-up/passkey", json={"credential": passkey.answer(options)})
    assert done.status_code == 204
    assert client.cookies["finer_session"] != before
    assert client.post(f"{ACCOUNT}/totp").status_code == 200


def test_passkeys_need_a_host_name(firm: Firm) -> None:
    settings = load_settings({}, argon2_memory_kib=8, argon2_iterations=1, public_url="http://192.0.2.7:8000")
    app = small_app(firm.database, settings)[0]
    with TestClient(app, base_url="http://192.0.2.7:8000") as client:
        client.headers["X-Requested-With"] = "finer"
        refused = client.post("/api/v1/session/passkey/options")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:finer:problem:passkeys-unavailable")
        sign_in(client, firm.user())
        assert client.get(ACCOUNT).json()["passkey_origin"] is None


def test_changing_the_password_ends_everything_else(firm: Firm, app: Litestar, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    with client_of(app) as elsewhere:
        sign_in(elsewhere, user)
        new = "seven quiet otters paint"
        wrong = client.post(f"{ACCOUNT}/password", json={"present": "a wrong password", "new": new})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:finer:problem:proof-refused")
        assert elsewhere.get("/api/v1/me").status_code == 200
        assert client.post(f"{ACCOUNT}/password", json={"present": PASSWORD, "new": new}).status_code == 204
        assert client.get("/api/v1/me").status_code == 200
        assert elsewhere.get("/api/v1/me").status_code == 401
        assert elsewhere.post("/api/v1/session", json={"email": user.email, "password": PASSWORD}).status_code == 401
        sign_in(elsewhere, user, new)
    auditor = firm.user(Role.AUDITOR)
    sign_in(client, auditor)
    actions = [one["action"] for one in client.get("/api/v1/audit").json()["items"]]
    assert {"users:change_password", "session:end_others", "session:prove"} <= set(actions)


def test_somebody_without_a_password_sets_one_after_a_fresh_sign_in(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    user = firm.user(password=None)
    with firm.tx() as tx:
        link = people.create_sign_in_link(tx, email=user.email)
    body = {"present": "", "new": "seven quiet otters paint"}
    client.post("/api/v1/session/link", json={"token": link})
    clock.advance(timedelta(minutes=11))
    assert client.post(f"{ACCOUNT}/password", json=body).status_code == 422
    client.post("/api/v1/session/link", json={"token": link})
    assert client.post(f"{ACCOUNT}/password", json=body).status_code == 204
    assert client.post("/api/v1/session/link", json={"token": link}).status_code == 401
    sign_in(client, user, body["new"])


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("aaaaaaaaaaaaaaaa", "Repeats"),
        ("password1234", "common password"),
        ("Password1234!", "commonly used"),
        ("qwertyuiop12", "commonly used"),
        ("a person 1234", "easy to guess"),
        ("purple monkey dishwasher", "leaked"),
    ],
)
def test_a_password_that_others_would_guess_is_refused(firm: Firm, tmp_path: Path, password: str, why: str) -> None:
    leaked = [f"word number {number}" for number in range(400)] + ["purple monkey dishwasher"]
    lines = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in leaked)
    file = tmp_path / "leaked.txt"
    file.write_bytes(b"".join(f"{line}:{place}\r\n".encode() for place, line in enumerate(lines)))
    settings = load_settings({}, argon2_memory_kib=8, argon2_iterations=1, breached_passwords_file=str(file))
    with client_of(small_app(firm.database, settings)[0]) as client:
        sign_in(client, firm.user())
        answer = client.post(f"{ACCOUNT}/password", json={"present": PASSWORD, "new": password})
    assert answer.status_code == (400 if len(password) > 256 else 422)
    if answer.status_code == 422:
        assert why in answer.json()["detail"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_every_line_of_a_list_of_leaked_passwords_is_found(tmp_path: Path, ending: str) -> None:
    words = [f"w{number}" for number in range(257)]
    lines = sorted(
        f"{hashlib.sha1(one.encode()).hexdigest().upper()}:{7 ** (place % 9)}" for place, one in enumerate(words)
    )
    file = tmp_path / "leaked.txt"
    file.write_bytes((ending or "\n").join(lines).encode() + ending.encode())
    settings = load_settings({}, breached_passwords_file=str(file))
    assert all(is_breached(settings, word) for word in words)
    assert not any(is_breached(settings, f"v{number}") for number in range(300))
    file.write_bytes(b"")
    assert not is_breached(settings, "w1")


def test_a_sign_in_from_a_new_place_is_shown_until_it_is_recognised(firm: Firm, app: Litestar) -> None:
    user = firm.user()
    with client_of(app, **{"User-Agent": "Home/1.0"}) as home, client_of(app, **{"User-Agent": "Thief/1.0"}) as away:
        sign_in(home, user)
        sign_in(home, user)
        assert home.get(ACCOUNT).json()["notices"] == []
        sign_in(away, user)
        assert away.get(ACCOUNT).json()["notices"] == []
        [notice] = home.get(ACCOUNT).json()["notices"]
        assert (notice["user_agent"], notice["unfamiliar"]) == ("Thief/1.0", True)
        path = f"/api/v1/sessions/{notice['id']}/recognise"
        assert away.post(path).status_code == 404
        assert away.delete("/api/v1/session").status_code == 204
        assert len(home.get(ACCOUNT).json()["notices"]) == 1
        assert home.post(path).status_code == 204
        assert home.get(ACCOUNT).json()["notices"] == []


def test_i_end_all_my_other_sessions(firm: Firm, app: Litestar, client: TestClient[Litestar]) -> None:
    user = firm.user()
    sign_in(client, user)
    with client_of(app) as one, client_of(app) as two:
        sign_in(one, user)
        sign_in(two, user)
        assert len(client.get("/api/v1/sessions").json()) == 3
        assert client.delete("/api/v1/sessions").status_code == 204
        assert [one.get("/api/v1/me").status_code, two.get("/api/v1/me").status_code] == [401, 401]
    assert [one["current"] for one in client.get("/api/v1/sessions").json()] == [True]


def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    firm: Firm, client: TestClient[Litestar], clock: FixedClock
) -> None:
    sign_in(client, firm.user())
    for _ in range(29):
        clock.advance(timedelta(minutes=1))
        assert client.get("/api/v1/me", headers={"X-Unattended": "1"}).status_code == 200
    clock.advance(timedelta(minutes=1))
    assert client.get("/api/v1/me", headers={"X-Unattended": "1"}).status_code == 401


def test_the_rules_of_factors() -> None:
    weak = strongest_proofs(password=True, totp=False, passkey=False)
    strong = strongest_proofs(password=True, totp=True, passkey=True)
    assert weak == (Factor.PASSWORD,)
    assert strong == (Factor.PASSKEY, Factor.TOTP, Factor.RECOVERY)
    assert strongest_proofs(password=False, totp=False, passkey=False) == (Factor.LINK, Factor.SSO, Factor.SSO_MFA)
    assert missing_factors(Factor.PASSWORD, weak) == missing_factors(Factor.PASSKEY, strong) == ()
    assert missing_factors(Factor.LINK, strong) == missing_factors(Factor.PASSWORD, strong) == strong


def test_codes_are_read_as_people_type_them() -> None:
    assert totp.read_code(" 123 456 ") == "123456"
    assert [totp.read_code(text) for text in ("", "12345", "1234567", "١٢٣٤٥٦", "12345a")] == [None] * 5
    assert recovery.read_recovery_code("3 K7M2Q 9XW4T") == (3, "k7m2q9xw4t")
    assert recovery.read_recovery_code(recovery.show_recovery_code(9, "k7m2q9xw4t")) == (9, "k7m2q9xw4t")
    assert [recovery.read_recovery_code(text) for text in ("", "3-short-short", "3-k7m2q-9xw4l")] == [None] * 3


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://finer.bank.example", ("finer.bank.example", "https://finer.bank.example")),
        ("https://finer.bank.example:8443", ("finer.bank.example", "https://finer.bank.example:8443")),
        ("http://127.0.0.1:8000", ("localhost", "http://localhost:8000")),
        ("http://localhost:9000", ("localhost", "http://localhost:9000")),
        ("http://finer.bank.example", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]:8000", None),
    ],
)
def test_passkeys_are_made_for_the_host_that_people_open(url: str, site: tuple[str, str] | None) -> None:
    found = relying_party.relying_party(url)
    assert (None if found is None else (found.id, found.origin)) == site


def test_a_place_is_familiar_by_network_and_by_device() -> None:
    seen = [("192.0.2.7", "Browser/1.2 (Linux)"), ("2001:db8:1:2::3", "App/3")]
    assert not familiarity.is_unfamiliar("192.0.2.99", "Browser/2.0 (Linux)", seen)
    assert not familiarity.is_unfamiliar("2001:db8:1:9::1", "App/4", seen)
    assert familiarity.is_unfamiliar("198.51.100.1", "App/3", seen)
    assert familiarity.is_unfamiliar("192.0.2.7", "Other/1", seen)
    assert not familiarity.is_unfamiliar("192.0.2.7", "Other/1", [])
