"""Attacks on what somebody may see and do inside their own firm, and across firms: B01, B03, B04, B05, B13."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from finer.app.streams import AlertAudience, AlertMessage
from finer.decisions.errors import AlertChanged, AlertNotFound, NotAssignable
from finer.decisions.service import alerts as service
from finer.decisions.types.alerts import Alert, AlertFilter, AlertState
from finer.identity.errors import PermissionMissing, TooManyReveals
from finer.identity.service import teams
from finer.identity.service.authorisation import masking_of, reach_of
from finer.identity.types.access import Permission, Role, User
from finer.ingest.routes.quarantine_documents import show_quarantined
from finer.ingest.service import contracts
from finer.ingest.types.contracts import FirmContracts
from finer.ingest.types.quarantine import QuarantinedRecord
from finer.ingest.types.records import FieldError
from finer.kit.actors import Actor
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass, mask
from tests.support.alerts import ACCOUNT, CUSTOMER, DEVICE, alert_routes, new_alert, raise_alerts
from tests.support.identity import Firm, client_of, sign_in, small_app

CLEAR = (ACCOUNT, CUSTOMER, DEVICE)
READERS = [Role.ADMINISTRATOR, Role.AUDITOR, Role.RISK_ANALYST]


def acting(user: User, *own: uuid.UUID) -> Actor:
    return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value, teams=own)


@pytest.fixture
def app(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    return small_app(firm.database, firm.settings, alert_routes())[0]


@pytest.fixture
def browser(app: Litestar) -> Iterator[Callable[[User], TestClient[Litestar]]]:
    with ExitStack() as stack:

        def open_for(user: User) -> TestClient[Litestar]:
            client = stack.enter_context(client_of(app))
            sign_in(client, user)
            return client

        yield open_for


def _path(alert: Alert, act: str = "") -> str:
    return f"/api/v1/alerts/{show_id('alr', alert.id)}{act}"


@pytest.mark.parametrize("role", READERS)
def test_b03_no_role_sees_a_customer_in_clear_anywhere(
    firm: Firm, worker_database: Database, browser: Callable[[User], TestClient[Litestar]], role: Role
) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    client = browser(firm.user(role))
    answers = [client.get("/api/v1/alerts"), client.get(_path(alert))]
    for answer in answers:
        assert answer.status_code == 200
        assert not [secret for secret in CLEAR if secret in answer.text]
        assert "****7766" in answer.text
        assert "4242" in answer.text


def test_b03_the_stream_masks_for_each_viewer(firm: Firm, worker_database: Database) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    message = AlertMessage(alert)
    seen = []
    for role in (*READERS, Role.CREDIT_OFFICER):
        actor = acting(firm.user(role))
        audience = AlertAudience(reach_of(actor, Permission.ALERTS_READ), masking_of(actor), summaries=False)
        seen.append(message(audience))
    assert seen[-1] is None
    for text in seen[:-1]:
        assert text is not None
        assert not [secret for secret in CLEAR if secret.encode() in text]


def test_b01_the_stream_keeps_to_what_a_viewer_reaches(firm: Firm, worker_database: Database) -> None:
    ana, budi = firm.user(), firm.user()
    [alert] = raise_alerts(worker_database, firm, 1)
    with firm.tx(acting(budi)) as tx:
        taken = service.take_alert(tx, alert.id, alert.version)
    watchers = {user.id: acting(user) for user in (ana, budi)}
    seen = {
        user: AlertMessage(taken)(
            AlertAudience(reach_of(actor, Permission.ALERTS_READ), masking_of(actor), summaries=True)
        )
        for user, actor in watchers.items()
    }
    assert seen[ana.id] == b"event: resync\ndata: {}\n\n"
    assert show_id("alr", alert.id).encode() in (seen[budi.id] or b"")
    with firm.tx(acting(budi)) as tx:
        closed = service.resolve_alert(tx, alert.id, AlertState.DISMISSED, "", taken.version)
    actor = watchers[ana.id]
    audience = AlertAudience(reach_of(actor, Permission.ALERTS_READ), masking_of(actor), summaries=True)
    assert AlertMessage(closed)(audience) is None


@pytest.mark.parametrize("secret", CLEAR)
@pytest.mark.parametrize("role", READERS)
def test_b05_a_masked_field_is_not_searched(
    firm: Firm,
    worker_database: Database,
    browser: Callable[[User], TestClient[Litestar]],
    role: Role,
    secret: str,
) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    client = browser(firm.user(role))
    for text in (secret, secret[-4:], secret.lower(), "%", "_"):
        assert client.get("/api/v1/alerts", params={"q": text}).json()["items"] == []
    assert len(client.get("/api/v1/alerts", params={"q": alert.event_id}).json()["items"]) == 1
    for name in ("account_id", "customer_id", "device_id"):
        odd = client.get("/api/v1/alerts", params={name: secret, "sort": name})
        assert odd.status_code == 400 or len(odd.json()["items"]) == 1


def test_b05_the_operator_may_search_everything(firm: Firm, worker_database: Database) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    with firm.tx() as tx:
        assert [one.id for one in service.list_alerts(tx, AlertFilter(text=ACCOUNT))[0]] == [alert.id]


def test_b01_an_alert_out_of_reach_answers_as_one_that_does_not_exist(
    firm: Firm, other_firm: Firm, worker_database: Database, browser: Callable[[User], TestClient[Litestar]]
) -> None:
    ana, budi = firm.user(), firm.user()
    [foreign] = raise_alerts(worker_database, other_firm, 1)
    [taken] = raise_alerts(worker_database, firm, 1)
    with firm.tx(acting(budi)) as tx:
        service.take_alert(tx, taken.id, taken.version)
    client = browser(ana)
    bodies: dict[str, dict[str, Any]] = {
        "": {},
        "/resolution": {"verdict": "dismissed", "version": 2},
        "/assignment": {"version": 2},
        "/taking": {"version": 2},
        "/reveal": {"field": "account_id", "reason": "curious"},
    }
    for act, body in bodies.items():
        answers = []
        for identifier in (foreign.id, taken.id, new_id()):
            path = f"/api/v1/alerts/{show_id('alr', identifier)}{act}"
            answer = client.post(path, json=body) if act else client.get(path)
            shown = answer.text.replace(show_id("alr", identifier), "ID")
            answers.append((answer.status_code, shown))
        assert answers[0][0] == 404
        assert len(set(answers)) == 1, answers
    assert client.get("/api/v1/alerts").json()["items"] == []
    with other_firm.tx() as tx:
        assert service.get_alert(tx, foreign.id) == foreign


def test_b13_the_children_of_a_row_are_reached_with_it(firm: Firm, worker_database: Database) -> None:
    ana, budi = firm.user(), firm.user()
    with firm.tx() as tx:
        desk = teams.create_team(tx, name="Desk").id
    alerts = raise_alerts(worker_database, firm, 4)
    with firm.tx(acting(budi, desk)) as tx:
        service.take_alert(tx, alerts[0].id, 1)
        service.assign_alert(tx, alerts[1].id, 1, assignee=None, team=desk)
        service.assign_alert(tx, alerts[2].id, 1, assignee=ana.id, team=None)

    def reached(actor: Actor) -> list[int]:
        with firm.tx(actor) as tx:
            listed = {one.id for one in service.list_alerts(tx, AlertFilter())[0]}
        return [place for place, alert in enumerate(alerts) if alert.id in listed]

    assert reached(acting(budi, desk)) == [0, 1, 3]
    assert reached(acting(budi)) == [0, 3]
    assert reached(acting(ana)) == [2, 3]
    assert reached(acting(firm.user(Role.AUDITOR))) == [0, 1, 2, 3]
    assert reached(acting(firm.user(Role.CREDIT_OFFICER))) == []


_MOVES = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 1), st.none() | st.integers(0, 2), st.none() | st.integers(0, 1)
    ),
    max_size=8,
)  # fmt: skip


@given(_MOVES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_b13_however_alerts_are_passed_on_the_list_is_what_the_check_allows(
    firm: Firm, worker_database: Database, moves: list[tuple[int, int, int | None, int | None]]
) -> None:
    staff = [firm.user(), firm.user(), firm.user(Role.CREDIT_OFFICER)]
    with firm.tx() as tx:
        desks = [teams.create_team(tx, name=f"Desk {new_id().hex}").id for _ in range(2)]
    actors = [acting(staff[0], desks[0]), acting(staff[1], *desks), acting(staff[2])]
    alerts = raise_alerts(worker_database, firm, 2)
    for who, which, to, team in moves:
        try:
            with firm.tx(actors[who]) as tx:
                version = service.get_alert(tx, alerts[which].id).version
                service.assign_alert(
                    tx,
                    alerts[which].id,
                    version,
                    assignee=None if to is None else staff[to].id,
                    team=None if team is None else desks[team],
                )
        except (AlertNotFound, PermissionMissing):
            continue
    for actor in actors:
        with firm.tx(actor) as tx:
            listed = {one.id for one in service.list_alerts(tx, AlertFilter(limit=500))[0]}
            for alert in alerts:
                try:
                    service.get_alert(tx, alert.id)
                    assert alert.id in listed
                except AlertNotFound:
                    assert alert.id not in listed


def test_assigning_needs_the_version_that_was_looked_at_and_somebody_who_works_on_alerts(
    firm: Firm, worker_database: Database
) -> None:
    ana, auditor = firm.user(), firm.user(Role.AUDITOR)
    [alert] = raise_alerts(worker_database, firm, 1)
    with firm.tx(acting(ana)) as tx:
        with pytest.raises(NotAssignable):
            service.assign_alert(tx, alert.id, 1, assignee=auditor.id, team=None)
        assert service.take_alert(tx, alert.id, 1).assignment.assignee_id == ana.id
        with pytest.raises(AlertChanged):
            service.take_alert(tx, alert.id, 1)
        people, _ = service.assignable(tx)
        assert people[ana.id] == ana.name
        assert auditor.id not in people


def test_reveal_takes_the_alert_a_reason_and_leaves_a_line(
    firm: Firm, worker_database: Database, browser: Callable[[User], TestClient[Litestar]]
) -> None:
    ana = firm.user()
    [alert] = raise_alerts(worker_database, firm, 1)
    client = browser(ana)
    wanted = {"field": "account_id", "reason": "The customer called and gave this number."}
    refused = client.post(_path(alert, "/reveal"), json=wanted)
    assert refused.status_code == 403
    assert "Take it first" in refused.json()["detail"]
    assert client.post(_path(alert, "/taking"), json={"version": 1}).json()["assignee_id"] == show_id("usr", ana.id)
    assert client.post(_path(alert, "/reveal"), json=wanted | {"reason": "  x "}).status_code == 422
    assert client.post(_path(alert, "/reveal"), json=wanted | {"field": "verdict"}).status_code == 400
    shown = client.post(_path(alert, "/reveal"), json=wanted)
    assert shown.json() == {"field": "account_id", "value": ACCOUNT, "left": 49}
    assert shown.headers["cache-control"] == "no-store"
    assert ACCOUNT not in client.get(_path(alert)).text
    with firm.tx() as tx:
        lines = list(tx.connection.exec_driver_sql(
            "select actor_id, subject, detail from identity_audit_entries where action = 'reveal'"
        ))  # fmt: skip
    assert [(row.actor_id, row.subject) for row in lines] == [(str(ana.id), show_id("alr", alert.id))]
    assert lines[0].detail == wanted | {"field": "account_id"}


def test_b03_reveals_are_counted_even_when_asked_for_at_once(
    firm: Firm, worker_database: Database, clock: FixedClock
) -> None:
    ana = acting(firm.user())
    [alert] = raise_alerts(worker_database, firm, 1)
    with firm.tx(ana) as tx:
        service.take_alert(tx, alert.id, 1)

    def attempt(_: int) -> int:
        try:
            with firm.tx(ana) as tx:
                return service.reveal(tx, alert.id, "account_id", "Looking at many.")[1]
        except TooManyReveals:
            return -1

    with ThreadPoolExecutor(4) as pool:
        left = list(pool.map(attempt, range(60)))
    assert sorted(left) == [-1] * 10 + list(range(50))
    clock.advance(timedelta(minutes=61))
    assert attempt(0) == 49


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.EXECUTIVE, Role.CUSTOMER_MANAGER])
def test_b02_roles_without_the_permission_reveal_nothing(
    firm: Firm, worker_database: Database, browser: Callable[[User], TestClient[Litestar]], role: Role
) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    answer = browser(firm.user(role)).post(
        _path(alert, "/reveal"), json={"field": "account_id", "reason": "I would like to know."}
    )
    assert answer.status_code == 403
    assert ACCOUNT not in answer.text


_FIRST_CONTRACTS = FirmContracts(contracts.contracts(), {})


def _quarantined() -> QuarantinedRecord:
    raw = b'{"customer_id":"CUST-0055443322","email":"ana.cruz@x.com","annual_income":52300,"amount":-5}'
    return QuarantinedRecord(
        id=new_id(),
        receipt_id=new_id(),
        contract="customer_profile",
        line=1,
        state="open",
        rules=("pattern", "unknown", "invalid_json"),
        names=(),
        errors=[
            FieldError("customer_id", "pattern", "CUST-0055443322", "customer_id must match."),
            FieldError("nonsense", "unknown", "ana.cruz@x.com", "nonsense is unknown."),
            FieldError("", "invalid_json", raw.decode(), "The line is no JSON."),
        ],
        raw=raw,
        raw_bytes=len(raw),
        received_at=new_alert().received_at,
    )


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.DATA_ENGINEER, Role.RISK_ANALYST])
def test_b03_a_quarantined_record_does_not_show_whom_it_is_about(firm: Firm, role: Role) -> None:
    shown = mask(show_quarantined(_quarantined(), _FIRST_CONTRACTS), masking_of(acting(firm.user(role))))
    text = msgspec.json.encode(shown).decode()
    assert not [secret for secret in ("CUST-0055443322", "ana.cruz", "52300") if secret in text]
    assert shown.raw is None
    assert [one.rule for one in shown.errors] == ["pattern", "unknown", "invalid_json"]
    assert shown.errors[0].value == "****3322"
    assert shown.errors[0].data_class is DataClass.PERSONAL


def test_the_machine_that_sent_a_record_sees_it_whole(firm: Firm) -> None:
    machine = Actor(kind="key", id=str(uuid.uuid4()), name="machine", role=Role.SERVICE.value)
    record = show_quarantined(_quarantined(), _FIRST_CONTRACTS)
    assert mask(record, masking_of(machine)) is record


def test_b04_no_write_takes_what_the_server_sets(
    firm: Firm, worker_database: Database, browser: Callable[[User], TestClient[Litestar]]
) -> None:
    [alert] = raise_alerts(worker_database, firm, 1)
    analyst, admin = browser(firm.user()), browser(firm.user(Role.ADMINISTRATOR))
    extra = {
        "tenant_id": str(uuid.uuid4()), "id": "x", "state": "executed", "role_": "administrator", "maker_id": "x",
        "checker_id": "x", "approved": True, "verified": True, "created_at": "2020-01-01", "disabled_at": None,
        "version_": 9, "resolved_by": "x", "password_hash": "x", "expires_at": "2999-01-01", "members_": [],
    }  # fmt: skip
    user = show_id("usr", firm.user().id)
    writes: list[tuple[TestClient[Litestar], str, str, dict[str, Any]]] = [
        (analyst, "POST", _path(alert, "/resolution"), {"verdict": "dismissed", "version": 1}),
        (analyst, "POST", _path(alert, "/assignment"), {"version": 1}),
        (analyst, "POST", _path(alert, "/taking"), {"version": 1}),
        (analyst, "POST", _path(alert, "/reveal"), {"field": "account_id", "reason": "because"}),
        (admin, "POST", "/api/v1/users", {"email": "new@x.example", "name": "New", "role": "auditor"}),
        (admin, "PUT", f"/api/v1/users/{user}/role", {"role": "auditor", "reason": "because"}),
        (admin, "POST", f"/api/v1/users/{user}/enabling", {"reason": "because"}),
        (admin, "POST", "/api/v1/teams", {"name": "Desk"}),
        (admin, "POST", f"/api/v1/proposals/pro_{'0' * 32}/approval", {"sha256": "0" * 64, "reason": "because"}),
    ]
    with firm.tx() as tx:
        before = _counts(tx)
    for client, method, path, body in writes:
        for name, value in extra.items():
            answer = client.request(method, path, json=body | {name: value})
            assert answer.status_code in (400, 422), f"{method} {path} took {name}: {answer.status_code}"
    with firm.tx() as tx:
        assert _counts(tx) == before
        assert service.get_alert(tx, alert.id) == alert


def _counts(tx: Any) -> list[int]:
    tables = ("identity_users", "identity_teams", "identity_proposals", "identity_approvals", "identity_reveals")
    return [tx.connection.exec_driver_sql(f"select count(*) from {name}").scalar_one() for name in tables]
