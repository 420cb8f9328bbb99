"""Attack B11 on what gives power: machines, single sign-on, what sign-in asks for, and exports of much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import msgspec
import pyotp
import pytest
from litestar.testing import TestClient

from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.rules.addresses import are_wider
from finer.identity.rules.grants import allowed, permissions_of
from finer.identity.service import audit, sso, tenants
from finer.identity.types.access import Factor, Permission, Role
from finer.identity.types.audit import AuditFilter
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.ids import new_id
from tests.support.identity import PASSWORD, Firm, client_of, probe_read, probe_write, sign_in, small_app

FORM = {"grant_type": "client_credentials"}
KEY = {"name": "feed", "scopes": ["events:write"], "days": 30, "reason": "The feed of the core."}
PROVIDER = {
    "name": "Acme ID", "issuer": "https://id.example", "client_id": "finer", "client_secret": "hush-hush-1",
    "role_map": [{"value": "risk", "role": "risk_analyst"}], "enabled": True, "reason": "We move to it.",
}  # fmt: skip


class House:
    """Browsers of two administrators, an engineer and an auditor of one firm, and a machine without a cookie."""

    def __init__(self, firm: Firm, stack: ExitStack) -> None:
        few = msgspec.structs.replace(firm.settings, export_rows_max=5)
        app = small_app(firm.database, few, probe_read, probe_write)[0]
        self.firm = firm
        self.machine = stack.enter_context(client_of(app))
        roles = {
            "maker": Role.ADMINISTRATOR, "checker": Role.ADMINISTRATOR, "engineer": Role.DATA_ENGINEER,
            "auditor": Role.AUDITOR, "analyst": Role.RISK_ANALYST,
        }  # fmt: skip
        self.clients: dict[str, TestClient[Any]] = {}
        for name, role in roles.items():
            self.clients[name] = stack.enter_context(client_of(app))
            sign_in(self.clients[name], firm.user(role))

    def __getitem__(self, name: str) -> TestClient[Any]:
        return self.clients[name]

    def decide(self, proposal: str, by: str = "checker", act: str = "approval") -> Any:
        path = f"/api/v1/proposals/{proposal}"
        seen = self[by].get(path).json()
        return self[by].post(f"{path}/{act}", json={"sha256": seen["sha256"], "reason": "Looked at it."})

    def writes(self, key: str) -> int:
        return self.machine.post("/probe/write", headers={"Authorization": f"Bearer {key}"}).status_code

    def actions(self) -> list[str]:
        with self.firm.tx() as tx:
            return [line.action for line in audit.list_audit(tx, 500, None)]


@pytest.fixture
def house(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    with ExitStack() as stack:
        yield House(firm, stack)


def _made(house: House, by: str = "maker", where: str = "api-keys", **more: Any) -> dict[str, Any]:
    answer = house[by].post(f"/api/v1/{where}", json=KEY | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _working(house: House, **more: Any) -> dict[str, Any]:
    made = _made(house, **more)
    assert house.decide(made["proposal"]).status_code == 200
    return made


def test_b11_a_key_opens_nothing_before_somebody_else_approves_it(house: House) -> None:
    made = _made(house, "engineer")
    assert made["approved_at"] is None
    assert house.writes(made["key"]) == 401
    own = house.decide(made["proposal"], by="engineer")
    assert (own.status_code, own.json()["type"]) == (403, "urn:finer:problem:permission-missing")
    assert house["auditor"].post(f"/api/v1/proposals/{made['proposal']}/approval", json={}).status_code == 403
    shown = house["checker"].get(f"/api/v1/proposals/{made['proposal']}").json()
    assert made["key"][12:] not in str(shown)
    assert shown["payload"]["scopes"] == ["events:write"]
    assert [one["what"] for one in shown["changes"]] == ["feed (API key)", "From", "Until"]
    assert house.decide(made["proposal"]).json()["state"] == "executed"
    assert house.writes(made["key"]) == 200
    [listed] = house["engineer"].get("/api/v1/api-keys").json()
    assert listed["approved_at"] is not None
    assert listed["proposal"] is None


def test_b11_the_administrator_who_made_a_key_cannot_approve_it(house: House) -> None:
    made = _made(house)
    assert house.decide(made["proposal"], "maker").status_code == 403
    assert house.writes(made["key"]) == 401


def test_b11_a_client_gets_no_token_before_it_is_approved(house: House) -> None:
    made = _made(house, where="oauth/clients")
    who = (made["client_id"], made["client_secret"])
    assert house.machine.post("/api/v1/oauth/token", auth=who, data=FORM).status_code == 401
    house.decide(made["proposal"])
    token = house.machine.post("/api/v1/oauth/token", auth=who, data=FORM).json()["access_token"]
    assert house.writes(token) == 200


@pytest.mark.parametrize(("act", "by"), [("rejection", "checker"), ("withdrawal", "maker")])
def test_b11_a_key_that_nobody_wanted_ends(house: House, act: str, by: str) -> None:
    made = _made(house)
    path = f"/api/v1/proposals/{made['proposal']}"
    answer = house.decide(made["proposal"], by, act) if act == "rejection" else house[by].post(f"{path}/{act}")
    assert answer.status_code == 200, answer.text
    assert house.writes(made["key"]) == 401
    [listed] = house["maker"].get("/api/v1/api-keys").json()
    assert listed["revoked_at"] is not None
    assert house.decide(made["proposal"]).status_code == 409


def test_b11_a_waiting_key_can_be_revoked_and_nothing_else(house: House) -> None:
    made = _made(house)
    path = f"/api/v1/api-keys/{made['prefix']}"
    assert house["maker"].patch(path, json={"name": "another"}).status_code == 422
    assert house["maker"].post(f"{path}/rotation", json={}).status_code == 422
    assert house["maker"].delete(path).status_code == 204
    assert house.decide(made["proposal"]).status_code == 422
    assert house.writes(made["key"]) == 401


def test_what_can_no_longer_be_done_does_not_hide_the_other_proposals(house: House) -> None:
    made = _working(house, networks=["203.0.113.0/24"])
    path = f"/api/v1/api-keys/{made['prefix']}"
    assert house["maker"].patch(path, json={"networks": [], "reason": "It roams."}).status_code == 200
    house["maker"].delete(path)
    [listed] = [one for one in house["checker"].get("/api/v1/proposals").json() if one["state"] == "waiting"]
    assert listed["changes"][0]["what"] == "This can no longer be done"


def test_b11_nobody_widens_a_key_alone_and_everybody_narrows_it(house: House) -> None:
    made = _working(house, networks=["203.0.113.0/24"])
    path = f"/api/v1/api-keys/{made['prefix']}"
    assert house["maker"].patch(path, json={"networks": []}).status_code == 422  # nobody said why
    wider = {"networks": ["203.0.113.0/24", "198.51.100.0/24"], "name": "feeds", "reason": "A second site."}
    asked = house["maker"].patch(path, json=wider).json()
    assert (asked["name"], asked["networks"]) == ("feeds", ["203.0.113.0/24"])
    narrower = house["maker"].patch(path, json={"networks": ["203.0.113.7/32"]}).json()
    assert narrower["networks"] == ["203.0.113.7/32"]
    assert house.decide(asked["proposal"]).status_code == 409  # it was narrowed since
    again = house["maker"].patch(path, json=wider).json()
    assert house.decide(again["proposal"]).status_code == 200
    [listed] = house["maker"].get("/api/v1/api-keys").json()
    assert listed["networks"] == ["198.51.100.0/24", "203.0.113.0/24"]


def test_b11_a_new_secret_waits_for_nobody_and_a_later_end_does(house: House) -> None:
    made = _working(house)
    path = f"/api/v1/api-keys/{made['prefix']}/rotation"
    at_once = house["maker"].post(path, json={"overlap_hours": 0}).json()
    assert house.writes(at_once["key"]) == 200
    assert house.writes(made["key"]) == 401
    longer = house["maker"].post(path, json={"overlap_hours": 0, "days": 900, "reason": "Lasts."}).json()
    assert house.writes(longer["key"]) == 200
    assert longer["expires_at"] == made["expires_at"]
    house.decide(longer["proposal"])
    [listed] = house["maker"].get("/api/v1/api-keys").json()
    assert listed["expires_at"] > made["expires_at"]


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ([], ["203.0.113.0/24"], False), (["203.0.113.0/24"], [], True), ([], [], False),
        (["203.0.113.0/24"], ["203.0.113.128/25"], False), (["203.0.113.128/25"], ["203.0.113.0/24"], True),
        (["203.0.113.0/24"], ["2001:db8::/48"], True), (["2001:db8::/32", "10.0.0.0/8"], ["2001:db8::/48"], False),
    ],
)  # fmt: skip
def test_what_is_wider(old: list[str], new: list[str], wider: bool) -> None:
    assert are_wider(old, new) is wider


def test_b11_nobody_switches_single_sign_on_on_alone(house: House) -> None:
    asked = house["maker"].put("/api/v1/sso/provider", json=PROVIDER)
    assert asked.status_code == 200, asked.text
    assert asked.json()["provider"]["enabled"] is False
    offer = {"firm": house.firm.tenant.slug}
    assert house.machine.post("/api/v1/sso/offers", json=offer).json()["name"] is None
    seen = house["checker"].get(f"/api/v1/proposals/{asked.json()['proposal']}")
    assert "hush-hush" not in seen.text
    assert seen.json()["changes"] == [{"what": "Single sign-on", "before": "off", "after": "on"}]
    assert house.decide(asked.json()["proposal"]).status_code == 200
    assert house.machine.post("/api/v1/sso/offers", json=offer).json()["name"] == "Acme ID"
    with house.firm.tx() as tx:
        provider = sso.find_provider(tx)
        assert provider is not None
        assert sso.get_secret(tx, provider) == "hush-hush-1"
        assert "hush-hush" not in str(audit.list_audit(tx, 500, None))


def test_b11_nobody_changes_who_comes_in_alone(house: House) -> None:
    house.decide(house["maker"].put("/api/v1/sso/provider", json=PROVIDER).json()["proposal"])
    same: dict[str, Any] = PROVIDER | {"client_secret": None}
    roles = [{"value": "risk", "role": "administrator"}]
    asked = house["maker"].put("/api/v1/sso/provider", json=same | {"role_map": roles}).json()
    assert asked["provider"]["role_map"] == PROVIDER["role_map"]
    change = house["checker"].get(f"/api/v1/proposals/{asked['proposal']}").json()["changes"]
    assert change == [
        {"what": "Who comes in as what", "before": "risk as risk analyst", "after": "risk as administrator"}
    ]
    other = same | {"issuer": "https://evil.example", "client_secret": "x"}
    assert house["maker"].put("/api/v1/sso/provider", json=other).status_code == 422
    renamed = house["maker"].put("/api/v1/sso/provider", json=same | {"name": "ID", "client_secret": "hush-2"})
    assert renamed.json()["provider"]["name"] == "ID"
    assert house.decide(asked["proposal"]).status_code == 409  # the name has changed since
    off = house["maker"].put("/api/v1/sso/provider", json=same | {"enabled": False}).json()
    assert off["provider"]["enabled"] is False


def test_b11_asking_for_less_at_sign_in_takes_two_and_asking_for_more_does_not(house: House) -> None:
    path = "/api/v1/firm/sign-in"
    assert house["maker"].get(path).json() == {"second_factor_required": False, "proposal": None}
    assert house["engineer"].put(path, json={"second_factor_required": True}).status_code == 403
    assert house["maker"].put(path, json={"second_factor_required": True}).json()["second_factor_required"] is True
    with house.firm.tx() as tx:
        tx.connection.exec_driver_sql("update identity_sessions set factor = %s", (Factor.TOTP.value,))
    assert house["maker"].put(path, json={"second_factor_required": False}).status_code == 422
    less = {"second_factor_required": False, "reason": "Phones are lost."}
    asked = house["maker"].put(path, json=less).json()
    assert asked["second_factor_required"] is True
    assert house.decide(asked["proposal"], "maker").status_code == 403
    house.decide(asked["proposal"])
    assert house["maker"].get(path).json()["second_factor_required"] is False


def test_b11_an_export_of_much_takes_two(house: House, clock: FixedClock) -> None:
    much = {"format": "csv"}
    assert house["auditor"].post("/api/v1/audit/exports", json=much).status_code == 422  # nobody said why
    asked = house["auditor"].post("/api/v1/audit/exports", json=much | {"reason": "The yearly audit."})
    assert asked.status_code == 202, asked.text
    proposal = asked.json()["proposal"]
    again = house["auditor"].post("/api/v1/audit/exports", json=much | {"reason": "The yearly audit."})
    assert again.json()["proposal"] == proposal
    assert "audit:export" not in house.actions()
    assert house.decide(proposal).status_code == 200
    other = {"format": "csv", "outcome": "refused", "reason": ""}
    assert house["maker"].post("/api/v1/audit/exports", json=much).status_code == 422  # not their approval
    few = house["auditor"].post("/api/v1/audit/exports", json=other)
    assert few.status_code == 200
    done = house["auditor"].post("/api/v1/audit/exports", json=much)
    assert done.status_code == 200, done.text
    assert done.text.count("\n") > 5
    assert "audit:export" in house.actions()
    clock.advance(timedelta(hours=24, seconds=1))
    sign_in(house["auditor"], house.firm.user(Role.AUDITOR))
    assert house["auditor"].post("/api/v1/audit/exports", json=much).status_code == 422


def test_b11_much_is_not_exported_in_many_small_parts(house: House, clock: FixedClock) -> None:
    little = {"format": "csv", "action": "session:begin"}
    path = "/api/v1/audit/exports"
    with house.firm.tx() as tx:
        several = audit.count_export(tx, AuditFilter(action="session:begin"))
    assert 2 < several <= 5
    assert house["auditor"].post(path, json=little).status_code == 200
    more = house["auditor"].post(path, json=little | {"reason": "Once more."})
    assert more.status_code == 202, more.text
    assert house["maker"].post(path, json=little).status_code == 200  # what others took does not count
    clock.advance(timedelta(hours=24, seconds=1))
    sign_in(house["auditor"], house.firm.user(Role.AUDITOR))
    assert house["auditor"].post(path, json={"format": "csv", "outcome": "refused"}).status_code == 200


def test_b11_whoever_asked_for_an_export_sees_who_can_approve_it_and_takes_it_back(house: House) -> None:
    asked = house["auditor"].post("/api/v1/audit/exports", json={"format": "csv", "reason": "The yearly audit."})
    path = f"/api/v1/proposals/{asked.json()['proposal']}"
    shown = house["auditor"].get(path).json()
    assert (shown["mine"], shown["decidable"]) == (True, False)
    names = {one["name"] for one in shown["approvers"]}
    assert names == {house["maker"].get("/api/v1/me").json()["user"]["name"],
                     house["checker"].get("/api/v1/me").json()["user"]["name"]}  # fmt: skip
    assert house["maker"].post(f"{path}/withdrawal").status_code == 403  # somebody else's
    assert house["engineer"].post(f"{path}/withdrawal").status_code == 404
    withdrawn = house["auditor"].post(f"{path}/withdrawal")
    assert (withdrawn.status_code, withdrawn.json()["state"], withdrawn.json()["approvers"]) == (200, "withdrawn", [])
    assert house["auditor"].post("/api/v1/audit/exports", json={"format": "csv"}).status_code == 422


def test_b11_whoever_may_propose_sees_what_they_proposed() -> None:
    for kind in PROPOSAL_KINDS.values():
        for role in Role:
            if kind.propose in permissions_of(role) and role is not Role.SERVICE:
                assert allowed(role, Permission.PROPOSALS_READ) is not None, (kind.name, role)


def test_a09_without_the_second_factor_that_the_firm_wants_only_the_own_account_opens(house: House) -> None:
    assert house["analyst"].get("/probe/read").status_code == 200
    assert house["maker"].put("/api/v1/firm/sign-in", json={"second_factor_required": True}).status_code == 200
    refused = house["analyst"].get("/probe/read")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:finer:problem:second-factor-missing")
    me = house["analyst"].get("/api/v1/me").json()
    assert me["second_factor_missing"] is True
    assert me["permissions"] == ["session:own"]
    for path in ("/api/v1/sessions", "/api/v1/me/permissions", "/api/v1/users"):
        assert house["analyst"].get(path).status_code == 403, path
    assert house["analyst"].get("/api/v1/account").status_code == 200


def test_a09_setting_the_second_factor_up_opens_the_rest_and_it_cannot_be_taken_off_again(
    house: House, clock: FixedClock
) -> None:
    house["maker"].put("/api/v1/firm/sign-in", json={"second_factor_required": True})
    secret = house["analyst"].post("/api/v1/account/totp").json()["secret"]
    code = pyotp.TOTP(secret).at(clock.now())
    assert house["analyst"].post("/api/v1/account/totp/confirm", json={"code": code}).status_code == 200
    assert house["analyst"].get("/probe/read").status_code == 200
    assert house["analyst"].get("/api/v1/me").json()["second_factor_missing"] is False
    last = house["analyst"].delete("/api/v1/account/totp")
    assert (last.status_code, last.json()["type"]) == (422, "urn:finer:problem:not-acceptable")


def test_a09_a_new_firm_lets_nobody_past_their_own_account_without_a_second_factor(firm: Firm) -> None:
    with firm.database.transaction(new_id(), SYSTEM) as tx:
        slug = f"new-{tx.tenant.hex[:8]}"
        made = tenants.create_tenant(tx, slug=slug, name="New", base_currency="PHP", timezone="UTC")
    fresh = Firm(firm.database, firm.settings, made)
    app = small_app(fresh.database, fresh.settings, probe_read, probe_write)[0]
    with client_of(app) as client:
        sign_in(client, fresh.user(Role.ADMINISTRATOR))
        assert client.get("/api/v1/me").json()["second_factor_missing"] is True
        assert client.get("/api/v1/users").status_code == 403
        assert client.post("/api/v1/account/totp").status_code == 200


def test_a09_a_weaker_proof_takes_nothing_from_a_session(house: House, clock: FixedClock) -> None:
    house["maker"].put("/api/v1/firm/sign-in", json={"second_factor_required": True})
    secret = house["analyst"].post("/api/v1/account/totp").json()["secret"]
    code = pyotp.TOTP(secret).at(clock.now())
    house["analyst"].post("/api/v1/account/totp/confirm", json={"code": code})
    assert house["analyst"].post("/api/v1/account/step-up", json={"password": PASSWORD}).status_code == 204
    assert house["analyst"].get("/probe/read").status_code == 200


def test_one_person_is_signed_in_with_ten_browsers_at_most(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    user = firm.user()
    app = small_app(firm.database, firm.settings)[0]
    with ExitStack() as stack:
        browsers = [stack.enter_context(client_of(app)) for _ in range(12)]
        for browser in browsers:
            clock = firm.database.clock
            assert isinstance(clock, FixedClock)
            clock.advance(timedelta(seconds=5))
            sign_in(browser, user)
        assert [browser.get("/api/v1/me").status_code for browser in browsers] == [401] * 2 + [200] * 10
