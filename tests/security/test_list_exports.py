"""I01, B03, B11, C11: a list leaves Finer as other exports do: counted, as it is seen, and much of it by two people."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.decisions.service import alerts
from finer.decisions.types.alerts import Alert, AlertFilter
from finer.fraud.service import lists
from finer.fraud.types import ListEffect, ListKind, NewEntry
from finer.identity.errors import NotAcceptable
from finer.identity.service import audit, proposals
from finer.identity.types.access import Role, User
from finer.identity.types.audit import AuditFilter
from finer.identity.types.proposals import Proposal
from finer.kit.db import API, connect
from finer.kit.ids import show_id
from finer.warehouse.service.lake import LakeReader
from tests.security.world import World
from tests.support.alerts import raise_alerts
from tests.support.asgi import Answer, Driver

ALERTS = "/api/v1/alerts/exports"
_WHY = "The regulator wants March."


def _rows(file: Answer) -> list[dict[str, str]]:
    assert file.status == 200, file.text
    assert file.header("content-type") == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(file.body.decode("utf-8-sig"), newline="")))


def _headers(world: World, who: User, **more: str) -> dict[str, str]:
    return {"cookie": f"finer_session={world.session(who)}", "x-requested-with": "finer"} | more


def _raised(world: World, count: int, **changes: Any) -> str:
    """New alerts with a merchant of their own, by which they are found."""
    merchant = f"shop {uuid.uuid4().hex}"
    raise_alerts(world.worker, world.firm, count, **({"merchant_name": merchant} | changes))
    return merchant


def _list(world: World, count: int) -> str:
    """A list of that many accounts, each with the mark of the firm."""
    name = f"l_{uuid.uuid4().hex[:12]}"
    with world.firm.tx(world.actor(world.people[Role.RISK_ANALYST])) as tx:
        lists.create(tx, name, ListKind.ACCOUNT, ListEffect.NONE, "")
        lists.put(
            tx,
            name,
            [
                NewEntry(value=f"account-{n}-{world.mark}", reason="=1+1", source="test", expires_at=None)
                for n in range(count)
            ],
        )
    return name


def test_b03_a_file_of_alerts_shows_what_the_list_shows(driver: Driver, ours: World) -> None:
    account = f"account-{ours.mark}"
    merchant = _raised(ours, 3, account_id=account)
    for role in (Role.AUDITOR, Role.RISK_ANALYST):
        headers = ours.headers(role.value)
        file = driver.call("POST", ALERTS, headers, {"q": merchant})
        listed = driver.call("GET", f"/api/v1/alerts?q={merchant.replace(' ', '%20')}", headers).json()["items"]
        assert file.header("cache-control") == "no-store"
        assert file.header("content-disposition").startswith('attachment; filename="alerts-')
        assert account not in file.text
        for name in ("id", "state", "account_id", "customer_id", "card_last4", "event_id"):
            assert [row[name] for row in _rows(file)] == [one[name] for one in listed]
        assert {(row["amount"], row["currency"], row["amount_usd"]) for row in _rows(file)} == {
            ("1200.00", "PHP", "21.00")
        }


def test_c11_a_merchant_is_no_formula_in_a_file_of_alerts(driver: Driver, ours: World) -> None:
    merchant = f"=cmd|{uuid.uuid4().hex}"
    _raised(ours, 1, merchant_name=merchant)
    rows = _rows(driver.call("POST", ALERTS, ours.headers(Role.AUDITOR.value), {"q": merchant}))
    assert [row["merchant"] for row in rows] == [f"'{merchant}"]


def test_i01_a_file_of_alerts_holds_those_within_reach_only(driver: Driver, ours: World, theirs: World) -> None:
    merchant = _raised(ours, 2)
    analyst, colleague = ours.person(Role.RISK_ANALYST), ours.person(Role.RISK_ANALYST)
    with ours.firm.tx(ours.actor(analyst)) as tx:
        mine = alerts.list_alerts(tx, AlertFilter(text=merchant))[0][0]
        alerts.take_alert(tx, mine.id, mine.version)

    def exported(headers: dict[str, str]) -> set[str]:
        return {row["id"] for row in _rows(driver.call("POST", ALERTS, headers, {"q": merchant}))}

    assert len(exported(_headers(ours, analyst))) == 2
    assert show_id("alr", mine.id) not in exported(_headers(ours, colleague))
    assert len(exported(ours.headers(Role.AUDITOR.value))) == 2
    assert exported(theirs.headers(Role.RISK_ANALYST.value)) == set()


def test_i01_a_file_of_alerts_is_in_the_trail_and_sent_once(driver: Driver, ours: World) -> None:
    merchant, analyst = _raised(ours, 700), ours.person(Role.RISK_ANALYST)
    headers = _headers(ours, analyst, **{"idempotency-key": uuid.uuid4().hex})
    assert len(_rows(driver.call("POST", ALERTS, headers, {"q": merchant, "last_minutes": 60}))) == 700
    again = driver.call("POST", ALERTS, headers, {"q": merchant, "last_minutes": 60})
    assert (again.status, again.json()["type"]) == (409, "urn:finer:problem:already-done")
    with ours.firm.tx() as tx:
        wanted = AuditFilter(action="alerts:export", actor=show_id("usr", analyst.id))
        found = [line.detail for line in audit.search_audit(tx, wanted, 10)[0]]
    assert found == [{"rows": 700, "q": merchant, "last_minutes": 60, "sort": "newest"}]


@pytest.mark.parametrize(
    "body",
    [
        {"last_minutes": 5, "from": "2026-11-20T10:00:00Z"},
        {"last_minutes": 0},
        {"from": "2026-11-20T10:00:00"},
        {"limit": 5},
        {"min_amount_usd": -1},
    ],
)
def test_i01_a_file_of_alerts_needs_a_filter_that_makes_sense(
    driver: Driver, ours: World, body: dict[str, Any]
) -> None:
    assert driver.call("POST", ALERTS, ours.headers(Role.AUDITOR.value), body).status == 400


Take = Callable[..., Any]


def _taking_alerts(world: World, rows_max: int) -> Take:
    few = msgspec.structs.replace(world.firm.settings, export_rows_max=rows_max)

    def take(who: User, merchant: str, reason: str = "") -> Proposal | list[Alert]:
        with world.firm.tx(world.actor(who)) as tx:
            wanted, asked = AlertFilter(text=merchant), {"q": merchant}
            found = alerts.take_alerts(tx, few, PROPOSAL_KINDS, wanted, asked, reason)
            return found if isinstance(found, Proposal) else [alert for page in found for alert in page]

    return take


def _taking_lists(world: World, rows_max: int) -> Take:
    few = msgspec.structs.replace(world.firm.settings, export_rows_max=rows_max)

    def take(who: User, name: str, reason: str = "") -> Proposal | list[Any]:
        with world.firm.tx(world.actor(who)) as tx:
            found = lists.take_entries(tx, few, PROPOSAL_KINDS, name, reason)
            return found if isinstance(found, Proposal) else [entry for page in found for entry in page]

    return take


@pytest.mark.parametrize(("taking", "make"), [(_taking_alerts, _raised), (_taking_lists, _list)])
def test_b11_much_of_a_list_takes_two_people_and_is_not_taken_in_small_parts(
    ours: World, taking: Callable[[World, int], Any], make: Callable[[World, int], str]
) -> None:
    take, owner, checker = taking(ours, 10), ours.person(Role.RISK_ANALYST), ours.person(Role.ADMINISTRATOR)
    small, other = make(ours, 6), make(ours, 6)
    assert len(take(owner, small)) == 6
    with pytest.raises(NotAcceptable):  # 12 within a day
        take(owner, other)
    waits = take(owner, other, _WHY)
    assert isinstance(waits, Proposal)
    with ours.firm.tx(ours.actor(checker)) as tx:
        proposals.decide(
            tx, PROPOSAL_KINDS, waits.id, approve=True, sha256=waits.payload_sha256, reason="Looked at it."
        )
    assert len(take(owner, other)) == 6
    with pytest.raises(NotAcceptable):  # another question than the one that was approved
        take(owner, make(ours, 6))


def test_b11_files_of_alerts_and_of_lists_count_together(ours: World) -> None:
    owner = ours.person(Role.RISK_ANALYST)
    assert len(_taking_lists(ours, 10)(owner, _list(ours, 6))) == 6
    with pytest.raises(NotAcceptable):
        _taking_alerts(ours, 10)(owner, _raised(ours, 6))


def test_b03_a_file_of_a_list_shows_values_as_the_list_does(driver: Driver, ours: World, theirs: World) -> None:
    path = f"/api/v1/lists/{_list(ours, 3)}"
    headers = ours.headers(Role.AUDITOR.value)
    file = driver.call("POST", f"{path}/export", headers, {})
    shown = driver.call("GET", f"{path}/entries", headers).json()["items"]
    assert [row["value"] for row in _rows(file)] == [one["value"] for one in shown]
    assert f"account-1-{ours.mark}" not in file.text
    assert {row["reason"] for row in _rows(file)} == {"'=1+1"}
    assert driver.call("POST", f"{path}/export", theirs.headers(Role.AUDITOR.value), {}).status == 404


def test_i01_payments_behind_a_number_leave_as_a_noted_file(driver: Driver, ours: World) -> None:
    analyst = ours.person(Role.RISK_ANALYST)
    path = "/api/v1/performance/payments/export"
    file = driver.call("POST", path, _headers(ours, analyst), {"days": 7})
    assert file.status == 200
    assert file.body.decode("utf-8-sig").startswith('"event_id","occurred_at","amount"')
    with ours.firm.tx() as tx:
        wanted = AuditFilter(action="decisions:export", actor=show_id("usr", analyst.id))
        assert len(audit.search_audit(tx, wanted, 10)[0]) == 1
    assert driver.call("POST", path, _headers(ours, analyst), {"days": 0}).status == 400


def test_i01_an_export_holds_no_transaction_open_while_it_waits_for_the_lake(
    driver: Driver, ours: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slow(_self: LakeReader, tenant: uuid.UUID, _statement: str, _arguments: Any) -> pa.Table:
        """When it answers, the server has ended every transaction that has been idle meanwhile, as it does."""
        asked.append(tenant)
        with connect(database_url) as server:
            server.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
                "and application_name = %s and state like 'idle in transaction%%'",
                (API,),
            )
        return pa.Table.from_pylist([])

    monkeypatch.setattr(LakeReader, "read", slow)
    file = driver.call(
        "POST", "/api/v1/performance/payments/export", _headers(ours, ours.person(Role.RISK_ANALYST)), {"days": 7}
    )
    assert (file.status, asked) == (200, [ours.firm.tenant.id])
