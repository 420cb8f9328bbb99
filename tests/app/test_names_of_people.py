"""Pages call everybody whom they speak of by name, and read the name of nobody else.

In the firm of these tests works somebody whose address and name cannot be read: a page that reads the names of more
people than it speaks of fails, and in a large firm it would take that much longer.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.dashboards.service import dashboards, notes
from finer.dashboards.types import Draft as BoardDraft
from finer.dashboards.types import MetricPart, Tile, TileKind
from finer.decisions.service import cases
from finer.fraud.service import lists, rules
from finer.fraud.types import ListEffect, ListKind, NewEntry
from finer.identity.service import people, proposals, teams
from finer.identity.types.access import Role, User
from finer.identity.types.proposals import Proposal
from finer.ingest.service import drafts
from finer.kit.db import Database
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.scoring.service import models
from finer.screening.service import hits, subjects
from finer.screening.service import lists as screening_lists
from finer.screening.types import ListKind as ScreeningListKind
from finer.screening.types import Profile, Subject, SubjectKind
from finer.workspace.service import saved
from finer.workspace.types import Draft, Sharing
from tests.fraud.desk import text as rule_text
from tests.ingest.contract_texts import with_field
from tests.security.world import World
from tests.support.asgi import Driver
from tests.support.identity import Firm, owner_connection
from tests.support.models import model_text

_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_SET = "update identity_users set name_sealed = %s, email_sealed = %s where id = %s"


@dataclass
class Office:
    """A firm with people of their own names: analysts Ana and Budi, engineers Chen and Dewi."""

    world: World
    driver: Driver
    people: dict[str, User]

    def tx(self, name: str) -> Any:
        """A transaction of one of them."""
        return self.world.firm.tx(self.world.actor(self.people[name]))

    def ask(self, name: str, path: str, body: Any = b"") -> Any:
        """What one of them is answered."""
        token = self.world.session(self.people[name])
        headers = {"cookie": f"finer_session={token}", "x-requested-with": "finer"}
        answer = self.driver.call("GET" if body == b"" else "POST", f"/api/v1{path}", headers, body)
        assert answer.status in (200, 201), answer.text
        return answer.json() if "json" in answer.header("content-type") else answer.text

    def approved(self, kind: str, payload: Mapping[str, Any], maker: str, checker: str) -> Proposal:
        """What one of them proposed and another one approved."""
        with self.tx(maker) as tx:
            made = proposals.propose(tx, PROPOSAL_KINDS, kind, payload, "It is needed.")
        with self.tx(checker) as tx:
            return proposals.decide(
                tx, PROPOSAL_KINDS, made.id, approve=True, sha256=made.payload_sha256, reason="I read it."
            )


@pytest.fixture
def office(
    driver: Driver, database: Database, worker_database: Database, app_settings: Settings, database_url: str
) -> Iterator[Office]:
    mark = f"n{uuid.uuid4().hex[:16]}"
    world = World(Firm.made(database, app_settings, mark), worker_database, mark)
    analyst, engineer = Role.RISK_ANALYST, Role.DATA_ENGINEER
    known = {"Ana": analyst, "Budi": analyst, "Chen": engineer, "Dewi": engineer, "Unreadable": Role.AUDITOR}
    with world.firm.tx() as tx:
        found = {
            name: people.create_user(
                tx, app_settings, email=f"{name}@{mark}.example", name=name, role=role, password=None
            )
            for name, role in known.items()
        }
    unreadable = found.pop("Unreadable").id
    with owner_connection(database_url) as connection:
        query = "select name_sealed, email_sealed from identity_users where id = %s"
        before = connection.execute(query, (unreadable,)).fetchone()
        assert before is not None
        connection.execute(_SET, (before[1], before[0], unreadable))
        connection.commit()
        yield Office(world, driver, found)
        connection.execute(_SET, (*before, unreadable))
        connection.commit()


def test_screening_says_who_made_loaded_judged_and_approved(office: Office) -> None:
    with office.tx("Ana") as tx:
        screening_lists.create(tx, "un", ScreeningListKind.SANCTIONS, "")
    with office.tx("Budi") as tx:
        content = "id,name,birth_date\nq1,Vladimir Putin,1952-10-07\n"
        screening_lists.load_file(tx, "un", content, "un.csv", confirmed=False)
    with office.tx("Ana") as tx:
        profile = Profile(names=("Vladimir Putin",))
        [hit] = subjects.check(tx, Subject(kind=SubjectKind.PAYEE, reference="p1", profile=profile))
        payload = hits.dismissal(tx, hit.id, "A namesake.", hit.revision)
    office.approved(hits.DISMISS, payload, "Ana", "Budi")

    assert [one["author"] for one in office.ask("Ana", "/screening/lists")] == ["Ana"]
    assert [one["loaded_by"] for one in office.ask("Ana", "/screening/lists/un/loads")] == ["Budi"]
    found = office.ask("Ana", "/screening/hits?state=no_match")["items"]
    assert [one["judged_by"] for one in found] == ["Ana"]
    shown = office.ask("Ana", f"/screening/hits/{show_id('hit', hit.id)}")
    assert shown["hit"]["judged_by"] == "Ana"
    assert [(one["by"], one["approved_by"]) for one in shown["judgements"]] == [("Ana", "Budi")]
    again = {"kind": "payee", "reference": "p1", "names": ["Vladimir Putin"]}
    assert [one["judged_by"] for one in office.ask("Budi", "/screening/checks", again)["hits"]] == ["Ana"]
    said = {"state": "match", "reason": "The same man.", "revision": shown["hit"]["revision"]}
    judgement = office.ask("Budi", f"/screening/hits/{show_id('hit', hit.id)}/judgement", said)
    assert judgement["hit"]["judged_by"] == "Budi"
    new = {"name": "own", "kind": "watchlist", "description": ""}
    assert office.ask("Budi", "/screening/lists", new)["author"] == "Budi"
    file = {"text": "id,name\nq1,Somebody\n", "file_name": "own.csv"}
    assert office.ask("Ana", "/screening/lists/own/file", file)["loaded_by"] == "Ana"


def test_rules_say_who_wrote_and_who_approved(office: Office) -> None:
    with office.tx("Ana") as tx:
        draft = rules.create(tx, "large", rule_text("amount_usd > 9000"), "why")
        begun = rules.begin_price(tx, draft.id, 1, 30, 100).price
        assert begun is not None
        assert rules.note_price(tx, draft.id, msgspec.structs.replace(begun, state="done", events=1000, hits=5))
        version = rules.to_shadow(tx, draft.id, 1, confirmed=False)
    office.approved(rules.PUBLISH, rules.publication(version), "Ana", "Budi")

    detail = office.ask("Chen", "/rules/large")
    assert [(one["author"], one["approved_by"]) for one in detail["versions"]] == [("Ana", "Budi")]
    shown = office.ask("Chen", f"/rule-versions/{show_id('rlv', version.id)}")
    assert (shown["author"], shown["approved_by"]) == ("Ana", "Budi")
    assert [one["author"] for one in office.ask("Chen", "/rules/high_amount")["versions"]] == ["Finer"]


def test_lists_say_who_made_them_and_who_put_what_on_them(office: Office) -> None:
    with office.tx("Ana") as tx:
        lists.create(tx, "watched", ListKind.MERCHANT, ListEffect.NONE, "")
    with office.tx("Budi") as tx:
        lists.put(tx, "watched", [NewEntry(value="m1", reason="Seen before", source="")])

    assert [one["author"] for one in office.ask("Ana", "/lists") if one["name"] == "watched"] == ["Ana"]
    assert [one["added_by"] for one in office.ask("Ana", "/lists/watched/entries")["items"]] == ["Budi"]
    assert [one["added_by"] for one in office.ask("Ana", "/lists/watched/lookup", {"value": "m1"})] == ["Budi"]
    assert '"Budi"' in office.ask("Ana", "/lists/watched/export", {"reason": "For the shop."})
    entry = {"entries": [{"value": "m2", "reason": "Seen again"}]}
    assert office.ask("Budi", "/lists/watched/entries", entry)["author"] == "Ana"


def test_saved_queries_and_dashboards_say_who_owns_changed_and_noted(office: Office) -> None:
    with office.world.firm.tx() as tx:
        team = teams.create_team(tx, name="Desk")
        teams.create_team(tx, name="Another desk")
        teams.set_members(tx, team.id, [office.people["Dewi"].id])
    tile = Tile(id="a", title="Orders", kind=TileKind.TABLE, x=0, y=0, w=3, h=2,
                metric=MetricPart(name="orders_placed"))  # fmt: skip
    with office.tx("Chen") as tx:
        query = saved.create_saved(tx, Draft(name="Query", statement="select 1", sharing=Sharing.TENANT))
        board = dashboards.create_dashboard(tx, BoardDraft(name="Board", sharing=Sharing.TENANT, tiles=(tile,)))
    with office.tx("Dewi") as tx:
        notes.annotate(tx, board.id, _AT, "The shop was closed.")

    found = office.ask("Dewi", "/sql/saved")
    assert [one["owner_name"] for one in found["items"]] == ["Chen"]
    assert [one["name"] for one in found["teams"]] == ["Desk"]
    path = f"/sql/saved/{show_id(saved.PREFIX, query.id)}"
    assert office.ask("Dewi", path)["owner_name"] == "Chen"
    assert [one["changed_by"] for one in office.ask("Dewi", f"{path}/versions")["items"]] == ["Chen"]
    catalogued = office.ask("Dewi", "/catalogue/" + quote(f"query:{show_id(saved.PREFIX, query.id)}"))
    assert "Chen" in str(catalogued)
    found = office.ask("Dewi", "/dashboards")
    assert [one["owner_name"] for one in found["items"]] == ["Chen"]
    assert [one["name"] for one in found["teams"]] == ["Desk"]
    path = f"/dashboards/{show_id(dashboards.PREFIX, board.id)}"
    assert office.ask("Dewi", path)["owner_name"] == "Chen"
    assert [one["author"] for one in office.ask("Chen", f"{path}/annotations")["items"]] == ["Dewi"]


def test_contracts_say_who_wrote_and_who_published(office: Office) -> None:
    with office.tx("Chen") as tx:
        draft = drafts.begin_trial_of(tx, "transaction", with_field(), "why")
        assert draft.trial is not None
        drafts.note_trial(tx, draft.id, msgspec.structs.replace(draft.trial, state="done"))
    office.approved(drafts.PUBLISH, drafts.publication(draft), "Chen", "Dewi")
    with office.tx("Dewi") as tx:
        waits = drafts.create(tx, "transaction", None, "another")

    detail = office.ask("Ana", "/contracts/transaction")
    assert [(one["author"], one["published_by"]) for one in detail["versions"]] == [
        ("Chen", "Dewi"),
        ("Finer", "Finer"),
    ]
    assert [one["author"] for one in detail["drafts"]] == ["Dewi"]
    assert office.ask("Ana", f"/contract-drafts/{show_id('cver', waits.id)}")["author"] == "Dewi"


def test_models_say_who_learnt_owns_and_approved_them(office: Office) -> None:
    about: dict[str, Any] = {
        "name": "m", "product": "fraud", "text": model_text(), "known": {"amount_usd"}, "threshold": 0.5,
    }  # fmt: skip
    with office.tx("Ana") as tx:
        champion = models.register_model(tx, **about, owner=str(office.people["Chen"].id))
    with office.tx("Budi") as tx:
        models.crown(tx, champion.id)
    with office.tx("Dewi") as tx:
        candidate = models.register_model(tx, **about)

    said = {
        one["id"]: (one["author"], one["owner"], one["approved_by"]) for one in office.ask("Ana", "/models")["items"]
    }
    assert said[show_id("mdl", champion.id)] == ("Ana", "Chen", "Budi")
    assert said[show_id("mdl", candidate.id)] == ("Dewi", "Dewi", "")
    shown = office.ask("Ana", f"/models/{show_id('mdl', candidate.id)}")
    assert (shown["author"], shown["owner"]) == ("Dewi", "Dewi")
    other = shown["champion"]
    assert (other["author"], other["owner"], other["approved_by"]) == ("Ana", "Chen", "Budi")


def test_cases_and_alerts_say_who_has_them_and_who_can_have_them(office: Office) -> None:
    case = read_id("cas", office.world.samples().value("case_id"))
    with office.tx("Ana") as tx:
        cases.take(tx, case, cases.get_case(tx, case).version)

    assert [one["assignee"] for one in office.ask("Ana", "/cases")["items"]] == ["Ana"]
    shown = office.ask("Ana", f"/cases/{show_id('cas', case)}")
    assert shown["assignee"] == "Ana"
    given = {"version": shown["version"], "assignee_id": show_id("usr", office.people["Budi"].id)}
    assert office.ask("Ana", f"/cases/{show_id('cas', case)}/assignment", given)["assignee"] == "Budi"
    assert [one["name"] for one in office.ask("Ana", "/cases/analysts")] == ["Ana", "Budi"]
    assert [one["name"] for one in office.ask("Ana", "/alerts/assignable")["people"]] == ["Ana", "Budi"]


def test_proposals_say_who_made_approved_and_may_approve_them(office: Office) -> None:
    with office.tx("Ana") as tx:
        lists.create(tx, "trusted", ListKind.MERCHANT, ListEffect.ALLOW, "")
        payload = lists.allowance(tx, "trusted", [NewEntry(value="m1", reason="Our own shop", source="")])
    done = office.approved(lists.ALLOW, payload, "Ana", "Budi")
    with office.tx("Ana") as tx:
        payload = lists.allowance(tx, "trusted", [NewEntry(value="m2", reason="Our own shop", source="")])
        waits = proposals.propose(tx, PROPOSAL_KINDS, lists.ALLOW, payload, "It is ours.")
    gone = office.world.firm.user()
    with office.world.firm.tx() as tx:
        people.disable_user(tx, email=gone.email)

    found = {one["id"]: one for one in office.ask("Ana", "/proposals")}
    for one, approvers in ((done, []), (waits, ["Budi"])):
        listed, alone = found[show_id("pro", one.id)], office.ask("Budi", f"/proposals/{show_id('pro', one.id)}")
        assert listed["by"]["name"] == alone["by"]["name"] == "Ana"
        assert [each["by"]["name"] for each in alone["approvals"]] == (["Budi"] if one is done else [])
        assert [each["name"] for each in alone["approvers"]] == [each["name"] for each in listed["approvers"]]
        assert [each["name"] for each in alone["approvers"]] == approvers
