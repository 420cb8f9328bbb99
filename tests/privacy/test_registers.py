"""The breach register, retention, and the catalogue against what really exists."""

from __future__ import annotations

import importlib
from datetime import timedelta
from pathlib import Path

import pytest

import finer
from finer.identity.service import people, sessions
from finer.identity.types.access import Factor
from finer.ingest.service import contracts
from finer.kit.actors import Actor
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.schema import metadata
from finer.operations.rules.grouping import MEASURED
from finer.privacy.errors import BreachNotFound, CannotBeUsed, StepNotPossible
from finer.privacy.rules.catalogue import rewriting
from finer.privacy.service import breaches, catalogue, retention
from finer.privacy.types import BreachState, Law
from tests.support.identity import Firm


def _tables() -> dict[str, list[str]]:
    source = Path(finer.__path__[0])
    for tables in sorted([*source.glob("*/tables.py"), *source.glob("*/tables/*.py")]):
        importlib.import_module(".".join(("finer", *tables.relative_to(source).with_suffix("").parts)))
    return {
        name: [column.name for column in table.columns]
        for name, table in metadata.tables.items()
        if "tenant_id" in table.columns
    }


def _contracts() -> dict[str, list[str]]:
    return {name: [field.name for field in one.fields] for name, one in contracts.contracts().items()}


@pytest.mark.parametrize("contract", sorted(MEASURED))
def test_erasing_a_person_changes_nothing_that_sums_are_made_by(contract: str) -> None:
    # `finer verify` holds the sums to the lake, also after the person of some of its records was erased.
    part = catalogue.catalogue().contracts[contract]
    written = {name.removesuffix("_minor") for name in MEASURED[contract].columns}
    assert written & rewriting(part).keys() == set()


def test_every_column_and_every_contract_field_is_in_the_catalogue() -> None:
    assert catalogue.gaps(_tables(), _contracts()) == []


def test_a_new_field_and_a_gone_one_are_noticed() -> None:
    tables, contracts = _tables(), _contracts()
    tables["identity_users"] = [*tables["identity_users"], "shoe_size"]
    tables["identity_sessions"].remove("user_agent")
    contracts["order"] = [*contracts["order"], "gift_note"]
    contracts.pop("activity")
    found = " ".join(catalogue.gaps(tables, contracts))
    for sentence in (
        "identity_users.shoe_size: say in",
        "identity_sessions.user_agent is in the catalogue, but does not exist",
        "order.gift_note: say in",
        "The contract activity is in the catalogue, but does not exist",
    ):
        assert sentence in found


def test_every_personal_field_says_why_and_for_how_long() -> None:
    for one in catalogue.list_entries():
        assert all((one.about, one.purpose, one.lawful_basis, one.retention, one.recipients, one.protection))
        assert (one.erasure == "shred") == one.protection.startswith(("sealed by the person", "keyed hash")) or (
            one.erasure != "shred"
        )


def test_a_breach_runs_its_clocks_until_everybody_was_told(
    firm: Firm, other_firm: Firm, administrator: Actor, clock: FixedClock
) -> None:
    aware = clock.now() - timedelta(hours=10)
    with firm.tx(administrator) as tx:
        found = breaches.open_breach(
            tx, title="Laptop lost", description="With a list", aware_at=aware, laws=[Law.SINGAPORE, Law.GDPR, Law.GDPR]
        )
        assert [(one.law, one.due_at) for one in found.clocks] == [
            (Law.GDPR, aware + timedelta(hours=72)),
            (Law.SINGAPORE, None),
        ]
        found = breaches.assess_breach(
            tx, found.id, state=BreachState.NOTIFIABLE, people_affected=612, version=found.version
        )
        assert found.clocks[1].due_at is not None
        with pytest.raises(StepNotPossible, match="not been told"):
            breaches.assess_breach(tx, found.id, state=BreachState.CLOSED, people_affected=612, version=found.version)
        for law in (Law.GDPR, Law.SINGAPORE):
            found = breaches.note_notification(tx, found.id, law=law, notified_at=clock.now(), reason="")
        with pytest.raises(StepNotPossible, match="Somebody else"):
            breaches.assess_breach(tx, found.id, state=BreachState.CLOSED, people_affected=612, version=1)
        done = breaches.assess_breach(
            tx, found.id, state=BreachState.CLOSED, people_affected=612, version=found.version
        )
        assert done.state is BreachState.CLOSED
        with pytest.raises(BreachNotFound):
            breaches.note_notification(tx, found.id, law=Law.THAILAND, notified_at=None, reason="later")
        with pytest.raises(CannotBeUsed):
            breaches.note_notification(
                tx, found.id, law=Law.GDPR, notified_at=clock.now() + timedelta(hours=1), reason=""
            )
    with other_firm.tx() as tx:
        assert breaches.list_breaches(tx) == []
        with pytest.raises(BreachNotFound):
            breaches.get_breach(tx, found.id)


def test_retention_counts_first_and_lets_go_of_what_is_past_its_time(
    firm: Firm, jobs: Database, clock: FixedClock
) -> None:
    user = firm.user()
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "old", factor=Factor.PASSWORD)
        people.create_sign_in_link(tx, email=user.email)
    clock.advance(timedelta(days=60))
    with firm.tx() as tx:
        sessions.begin_session(tx, user.id, "new", factor=Factor.PASSWORD)
        assert retention.set_term(tx, "sessions", 30).rules[0].due == 1
        with pytest.raises(CannotBeUsed):
            retention.set_term(tx, "sessions", 0)
        with pytest.raises(CannotBeUsed):
            retention.set_term(tx, "everything", 5)
    with jobs.transaction(firm.tenant.id, Actor(kind="system", id="finer", name="Finer")) as tx:
        assert {one.what: one.due for one in retention.report(tx).rules} == {
            "sessions": 1,
            "sign_in_links": 1,
            "alerts": 0,
            "requests": 0,
        }
        retention.run(tx)
        assert sum(one.due for one in retention.report(tx).rules) == 0
        assert len(sessions.list_sessions(tx, firm.settings, user.id)) == 1
