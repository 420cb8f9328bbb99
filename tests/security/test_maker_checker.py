"""Attack B11: one person must not get done alone what takes two, in no order of requests and not twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from finer.app.proposals import PROPOSAL_KINDS
from finer.identity.errors import (
    NotAcceptable,
    OwnProposal,
    PermissionMissing,
    ProposalChanged,
    ProposalClosed,
    ProposalExpired,
    ProposalNotFound,
    ProposalStale,
)
from finer.identity.service import people, proposals, staff
from finer.identity.service.authorisation import permissions_of
from finer.identity.service.proposals import needs_approval
from finer.identity.service.staff import ENABLE, ROLE
from finer.identity.types.access import Permission, Principal, Role, User
from finer.identity.types.proposals import Proposal, ProposalState
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from tests.support.identity import Firm, client_of, owner_connection, sign_in, small_app

REASON = "Moves to the audit team."


def acting(user: User) -> Actor:
    return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value)


class Office:
    """A firm with two administrators and an analyst whose role is to change."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.maker, self.checker = firm.user(Role.ADMINISTRATOR), firm.user(Role.ADMINISTRATOR)
        self.analyst = firm.user(Role.RISK_ANALYST)

    def propose(self, role: Role = Role.AUDITOR, by: User | None = None) -> Proposal:
        payload = {"user": show_id("usr", self.analyst.id), "role": role.value}
        with self.firm.tx(acting(by or self.maker)) as tx:
            return proposals.propose(tx, PROPOSAL_KINDS, ROLE, payload, REASON)

    def decide(self, proposal: Proposal, by: User, *, approve: bool = True, sha256: bytes | None = None) -> Proposal:
        seen = proposal.payload_sha256 if sha256 is None else sha256
        with self.firm.tx(acting(by)) as tx:
            return proposals.decide(
                tx, PROPOSAL_KINDS, proposal.id, approve=approve, sha256=seen, reason="Looked at it."
            )

    def role(self) -> Role:
        with self.firm.tx() as tx:
            return people.get_user(tx, self.analyst.id).role


@pytest.fixture
def office(firm: Firm) -> Office:
    return Office(firm)


def test_two_people_change_a_role_and_the_audit_names_both(office: Office) -> None:
    proposal = office.propose()
    assert office.role() is Role.RISK_ANALYST
    done = office.decide(proposal, office.checker)
    assert done.state is ProposalState.EXECUTED
    assert office.role() is Role.AUDITOR
    with office.firm.tx() as tx:
        rows = tx.connection.execute(
            sa.text("select action, actor_id, detail from identity_audit_entries where tenant_id = :t order by id"),
            {"t": tx.tenant},
        ).all()
    said = {row.action: row for row in rows}
    assert said["proposals:make"].actor_id == str(office.maker.id)
    assert said["proposals:approve"].actor_id == str(office.checker.id)
    assert said["proposals:approve"].detail["maker"] == show_id("usr", office.maker.id)
    assert said["proposals:approve"].detail["sha256"] == proposal.payload_sha256.hex()
    assert said["users:role"].detail == {"from": "risk_analyst", "to": "auditor"}


def test_b11_the_maker_cannot_decide(office: Office) -> None:
    proposal = office.propose()
    for approve in (True, False):
        with pytest.raises(OwnProposal):
            office.decide(proposal, office.maker, approve=approve)
    assert office.role() is Role.RISK_ANALYST


def test_b11_the_database_itself_refuses_the_maker(office: Office) -> None:
    proposal = office.propose()
    statements = {
        "insert into identity_approvals values (%(t)s, %(p)s, %(maker)s, true, %(hash)s, 'I may', now())": "not by its",
        "insert into identity_approvals values (%(t)s, %(p)s, %(checker)s, true, '\\x00', 'other', now())": "as it was",
        "update identity_proposals set state = 'executed', decided_at = now() where id = %(p)s": "somebody else",
        "update identity_proposals set payload = '{}' where id = %(p)s": "permission denied",
        "update identity_proposals set expires_at = 'infinity' where id = %(p)s": "permission denied",
        "delete from identity_approvals where proposal_id = %(p)s": "permission denied",
        "delete from identity_proposals where id = %(p)s": "permission denied",
    }
    values = {
        "t": office.firm.tenant.id,
        "p": proposal.id,
        "maker": office.maker.id,
        "checker": office.checker.id,
        "hash": proposal.payload_sha256,
    }
    for statement, reason in statements.items():
        with pytest.raises(sa.exc.DatabaseError, match=reason), office.firm.tx() as tx:
            tx.connection.exec_driver_sql(statement, values)


def test_b11_not_even_the_owner_can_change_a_payload_behind_its_hash(office: Office, database_url: str) -> None:
    proposal = office.propose()
    with (
        owner_connection(database_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="ck_identity_proposals_hash"),
    ):
        connection.execute("update identity_proposals set payload = '{}' where id = %s", (proposal.id,))


def test_b11_an_approval_names_the_payload_that_was_seen(office: Office) -> None:
    mild, strong = office.propose(Role.AUDITOR), office.propose(Role.ADMINISTRATOR)
    with pytest.raises(ProposalChanged):
        office.decide(strong, office.checker, sha256=mild.payload_sha256)
    assert office.role() is Role.RISK_ANALYST


def test_b11_what_has_changed_since_is_not_overwritten(office: Office) -> None:
    first, second = office.propose(Role.AUDITOR), office.propose(Role.EXECUTIVE)
    office.decide(first, office.checker)
    with pytest.raises(ProposalStale):
        office.decide(second, office.checker)
    assert office.role() is Role.AUDITOR
    assert office.decide(second, office.checker, approve=False).state is ProposalState.REJECTED


def test_b11_an_expired_proposal_cannot_be_approved(office: Office, clock: FixedClock) -> None:
    proposal = office.propose()
    clock.advance(timedelta(days=7))
    with pytest.raises(ProposalExpired):
        office.decide(proposal, office.checker)
    with office.firm.tx(acting(office.checker)) as tx:
        assert proposals.state_of(tx, proposals.get_proposal(tx, PROPOSAL_KINDS, proposal.id)) == "expired"


def test_b11_approving_twice_does_it_once(office: Office) -> None:
    proposal = office.propose()
    office.decide(proposal, office.checker)
    for approve in (True, False):
        with pytest.raises(ProposalClosed):
            office.decide(proposal, office.checker, approve=approve)


def test_b11_what_was_rejected_or_withdrawn_stays_so(office: Office) -> None:
    rejected, withdrawn = office.propose(), office.propose()
    office.decide(rejected, office.checker, approve=False)
    with office.firm.tx(acting(office.checker)) as tx, pytest.raises(OwnProposal):
        proposals.withdraw(tx, PROPOSAL_KINDS, withdrawn.id)
    with office.firm.tx(acting(office.maker)) as tx:
        assert proposals.withdraw(tx, PROPOSAL_KINDS, withdrawn.id).state is ProposalState.WITHDRAWN
        with pytest.raises(ProposalClosed):
            proposals.withdraw(tx, PROPOSAL_KINDS, withdrawn.id)
    for proposal in (rejected, withdrawn):
        with pytest.raises(ProposalClosed):
            office.decide(proposal, office.checker)
    assert office.role() is Role.RISK_ANALYST


def test_b11_many_approvals_at_once_do_it_once(office: Office) -> None:
    checkers = [office.checker, *(office.firm.user(Role.ADMINISTRATOR) for _ in range(3))]
    proposal = office.propose()

    def attempt(by: User) -> str:
        try:
            return office.decide(proposal, by).state.value
        except ProposalClosed:
            return "closed"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, checkers * 2))
    assert sorted(answers) == ["closed"] * 7 + ["executed"]


def test_b11_the_maker_lost_the_permission_in_the_meantime(office: Office) -> None:
    proposal = office.propose()
    with office.firm.tx(SYSTEM) as tx:
        staff.change_role(tx, office.maker.id, Role.EXECUTIVE)
    with pytest.raises(ProposalStale, match="may not propose"):
        office.decide(proposal, office.checker)


def test_b11_the_checker_lost_the_permission_a_moment_ago(office: Office) -> None:
    proposal = office.propose()
    with office.firm.tx(SYSTEM) as tx:
        staff.disable(tx, office.checker.id)
    with pytest.raises(PermissionMissing):
        office.decide(proposal, office.checker)


def test_b11_a_machine_neither_proposes_nor_approves(office: Office) -> None:
    proposal = office.propose()
    machine = Actor(kind="key", id=str(uuid.uuid4()), name="machine", role=Role.ADMINISTRATOR.value)
    payload = {"user": show_id("usr", office.analyst.id), "role": "auditor"}
    with office.firm.tx(machine) as tx:
        with pytest.raises(PermissionMissing):
            proposals.propose(tx, PROPOSAL_KINDS, ROLE, payload, REASON)
        with pytest.raises(PermissionMissing):
            proposals.decide(
                tx, PROPOSAL_KINDS, proposal.id, approve=True, sha256=proposal.payload_sha256, reason="ok ok"
            )
    held = permissions_of(Role.SERVICE)
    assert not {one for one in held if one.value.endswith((":approve", ":decide", ":make"))}


def test_b11_nobody_approves_their_own_promotion(office: Office) -> None:
    # The checker is the one whose role would change: approving it would be granting it to oneself.
    payload = {"user": show_id("usr", office.checker.id), "role": Role.AUDITOR.value}
    with office.firm.tx(acting(office.maker)) as tx:
        proposal = proposals.propose(tx, PROPOSAL_KINDS, ROLE, payload, REASON)
    with pytest.raises(FinerError, match="own role"):
        office.decide(proposal, office.checker)


def test_b01_a_proposal_of_another_firm_does_not_exist(office: Office, other_firm: Firm) -> None:
    proposal = office.propose()
    stranger = other_firm.user(Role.ADMINISTRATOR)
    with other_firm.tx(acting(stranger)) as tx:
        with pytest.raises(ProposalNotFound):
            proposals.get_proposal(tx, PROPOSAL_KINDS, proposal.id)
        with pytest.raises(ProposalNotFound):
            proposals.decide(
                tx, PROPOSAL_KINDS, proposal.id, approve=True, sha256=proposal.payload_sha256, reason="ok ok"
            )
        assert proposals.list_proposals(tx, PROPOSAL_KINDS, None) == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"user": "usr_x", "role": "auditor"}, REASON),
        ({"user": "", "role": "auditor"}, REASON),
        ({"role": "auditor"}, REASON),
        ({"user": "ANALYST", "role": "service"}, REASON),
        ({"user": "ANALYST", "role": "owner"}, REASON),
        ({"user": "ANALYST", "role": ["auditor"]}, REASON),
        ({"user": "ANALYST", "role": "risk_analyst"}, REASON),
        ({"user": "MAKER", "role": "auditor"}, REASON),
        ({"user": "ANALYST", "role": "auditor"}, " x "),
        ({"user": "ANALYST", "role": "auditor"}, "x" * 1001),
    ],
)
def test_what_makes_no_sense_is_not_proposed(office: Office, payload: dict[str, Any], reason: str) -> None:
    known = {"ANALYST": show_id("usr", office.analyst.id), "MAKER": show_id("usr", office.maker.id)}
    filled = {key: known.get(value, value) if isinstance(value, str) else value for key, value in payload.items()}
    with office.firm.tx(acting(office.maker)) as tx, pytest.raises(FinerError):
        proposals.propose(tx, PROPOSAL_KINDS, ROLE, filled, reason)


def test_a_kind_that_does_not_exist_is_refused(office: Office) -> None:
    with office.firm.tx(acting(office.maker)) as tx, pytest.raises(NotAcceptable, match="people:role"):
        proposals.propose(tx, PROPOSAL_KINDS, "money:send", {}, REASON)


def test_a_setting_says_what_takes_two(office: Office) -> None:
    def asked(approvals: str) -> list[bool]:
        chosen = msgspec.structs.replace(office.firm.settings, approvals=approvals)
        return [needs_approval(chosen, kind) for kind in (ROLE, ENABLE)]

    assert asked("all") == [True, True]
    assert asked("none") == [False, False]
    assert asked("people:enable, erasure") == [False, True]
    alone = msgspec.structs.replace(office.firm.settings, approvals="none")
    payload = {"user": show_id("usr", office.analyst.id), "role": "auditor"}
    with office.firm.tx(acting(office.analyst)) as tx, pytest.raises(PermissionMissing):
        proposals.act_or_propose(tx, alone, PROPOSAL_KINDS, ROLE, payload, "")
    with office.firm.tx(acting(office.maker)) as tx:
        assert proposals.act_or_propose(tx, alone, PROPOSAL_KINDS, ROLE, payload, "") is None
    assert office.role() is Role.AUDITOR


_STEP = st.tuples(
    st.sampled_from(["propose", "approve", "reject", "withdraw"]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from([Role.AUDITOR, Role.EXECUTIVE]),
)


@given(st.lists(_STEP, min_size=3, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_b11_whatever_three_administrators_do_two_of_them_agreed(
    firm: Firm, steps: list[tuple[str, int, int, Role]]
) -> None:
    office = Office(firm)
    admins = [office.maker, office.checker, firm.user(Role.ADMINISTRATOR)]
    made: list[Proposal] = []
    for act, who, which, role in steps:
        try:
            if act == "propose":
                made.append(office.propose(role, admins[who]))
            elif made and act == "withdraw":
                with firm.tx(acting(admins[who])) as tx:
                    proposals.withdraw(tx, PROPOSAL_KINDS, made[which % len(made)].id)
            elif made:
                office.decide(made[which % len(made)], admins[who], approve=act == "approve")
        except FinerError:
            continue
    with firm.tx(acting(office.maker)) as tx:
        final = {one.id: one for one in proposals.list_proposals(tx, PROPOSAL_KINDS, None)}
    for one in made:
        checkers = {said.checker_id for said in final[one.id].approvals if said.approved}
        assert (final[one.id].state is ProposalState.EXECUTED) == bool(checkers)
        assert one.maker_id not in checkers
        assert final[one.id].payload == one.payload
    now = [final[one.id] for one in made]
    executed = [proposals.payload_of(one)["role"] for one in now if one.state is ProposalState.EXECUTED]
    assert office.role().value in (executed or ["risk_analyst"])


@pytest.fixture
def clients(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, TestClient[Litestar]]]:
    """Signed-in browsers of the maker, the checker and the analyst."""
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    app, _ = small_app(office.firm.database, office.firm.settings)
    with ExitStack() as stack:
        found = {}
        for name, user in (("maker", office.maker), ("checker", office.checker), ("analyst", office.analyst)):
            found[name] = stack.enter_context(client_of(app))
            sign_in(found[name], user)
        yield found


def test_b11_over_http_from_invitation_to_approval(office: Office, clients: dict[str, TestClient[Litestar]]) -> None:
    body = {"email": f"new@{office.firm.tenant.slug}.example", "name": "New Admin", "role": "administrator"}
    invited = clients["maker"].post("/api/v1/users", json=body | {"reason": "Second administrator."})
    assert invited.status_code == 201, invited.text
    assert invited.json()["link"] is None
    assert invited.json()["user"]["disabled_at"] is not None
    again = clients["maker"].post(f"/api/v1/users/{invited.json()['user']['id']}/invitation")
    assert again.status_code == 422
    path = f"/api/v1/proposals/{invited.json()['proposal']}"
    seen = clients["checker"].get(path).json()
    assert seen["decidable"]
    assert not clients["maker"].get(path).json()["decidable"]
    verdict = {"sha256": seen["sha256"], "reason": "We know each other."}
    assert clients["maker"].post(f"{path}/approval", json=verdict).status_code == 403
    assert clients["analyst"].get(path).status_code == 404  # sees what they proposed themselves
    assert clients["analyst"].post(f"{path}/approval", json=verdict).status_code == 404
    wrong = verdict | {"sha256": "0" * 64}
    assert clients["checker"].post(f"{path}/approval", json=wrong).status_code == 409
    done = clients["checker"].post(f"{path}/approval", json=verdict)
    assert done.json()["state"] == "executed"
    people_now = {one["id"]: one for one in clients["maker"].get("/api/v1/users").json()}
    assert people_now[invited.json()["user"]["id"]]["disabled_at"] is None


def test_a_role_change_over_http_ends_the_sessions(office: Office, clients: dict[str, TestClient[Litestar]]) -> None:
    path = f"/api/v1/users/{show_id('usr', office.analyst.id)}"
    asked = clients["maker"].put(f"{path}/role", json={"role": "auditor", "reason": REASON})
    assert asked.json()["user"]["role"] == "risk_analyst"
    proposal = clients["checker"].get("/api/v1/proposals").json()[0]
    assert proposal["changes"] == [{"what": "Role of A Person", "before": "risk analyst", "after": "auditor"}]
    assert clients["analyst"].get("/api/v1/me").status_code == 200
    body = {"sha256": proposal["sha256"], "reason": "Agreed with both."}
    assert clients["checker"].post(f"/api/v1/proposals/{proposal['id']}/approval", json=body).status_code == 200
    assert clients["analyst"].get("/api/v1/me").status_code == 401


def test_disabling_waits_for_nobody_and_spares_the_last_administrator(
    office: Office, clients: dict[str, TestClient[Litestar]]
) -> None:
    def post(user: User, act: str, **body: str) -> Any:
        return clients["maker"].post(f"/api/v1/users/{show_id('usr', user.id)}/{act}", json=body or None)

    assert post(office.analyst, "disabling").json()["disabled_at"] is not None
    assert clients["analyst"].get("/api/v1/me").status_code == 401
    assert post(office.analyst, "enabling", reason="Back again.").json()["proposal"] is not None  # approves rules
    manager = office.firm.user(Role.CUSTOMER_MANAGER)
    assert post(manager, "disabling").status_code == 200
    assert post(manager, "enabling", reason="Back again.").json()["proposal"] is None
    assert post(office.maker, "disabling").status_code == 403
    assert post(office.checker, "disabling").status_code == 200
    assert post(office.checker, "enabling", reason="Back again.").json()["proposal"] is not None
    with office.firm.tx() as tx, pytest.raises(FinerError, match="last administrator"):
        staff.disable(tx, office.maker.id)


def test_an_invitation_lets_in_who_was_invited_and_is_not_made_for_others(
    office: Office, clients: dict[str, TestClient[Litestar]]
) -> None:
    body = {"email": f"ana@{office.firm.tenant.slug}.example", "name": "Ana Cruz", "role": "customer_manager"}
    invited = clients["maker"].post("/api/v1/users", json=body)
    assert invited.json()["proposal"] is None
    assert invited.json()["user"]["email"].startswith("a***@")
    path = f"/api/v1/users/{invited.json()['user']['id']}/invitation"
    assert clients["maker"].post(path).status_code == 201
    token = invited.json()["link"].partition("token=")[2]
    with client_of(small_app(office.firm.database, office.firm.settings)[0]) as fresh:
        assert fresh.post("/api/v1/session/link", json={"token": token}).status_code == 200
    refused = clients["maker"].post(path)
    assert refused.status_code == 422
    assert "has signed in before" in refused.json()["detail"]


def test_b14_no_key_opens_the_routes_of_people(office: Office) -> None:
    app, authenticator = small_app(office.firm.database, office.firm.settings)
    key = office.firm.key(Permission.EVENTS_WRITE)
    principal = authenticator.look_up(key)
    assert isinstance(principal, Principal)
    with client_of(app, authorization=f"Bearer {key}") as client:
        for path in ("/users", "/proposals", "/teams", "/roles", "/me/permissions"):
            assert client.get(f"/api/v1{path}").status_code == 403
