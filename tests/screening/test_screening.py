"""Screening a firm's people: hits, judgements that are remembered, lists that change, two people for a high score."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from finer.app.job_types import Ground
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.screening import screen
from finer.identity.errors import OwnProposal, PermissionMissing
from finer.identity.service import proposals
from finer.identity.types.access import Role
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.crypto.fields import destroy
from finer.kit.db import Database
from finer.kit.runs import Run
from finer.kit.settings import Settings
from finer.screening import invariants
from finer.screening.errors import (
    HitChanged,
    HitNotFound,
    JudgementNotAcceptable,
    ScreeningListNotAcceptable,
    ScreeningListNotFound,
    SubjectNotAcceptable,
)
from finer.screening.rules.candidates import Candidates
from finer.screening.service import hits, lists, subjects
from finer.screening.store.lists import ListStore
from finer.screening.store.subjects import SubjectStore
from finer.screening.types import Hit, HitFilter, HitState, ListKind, Profile, Subject, SubjectKind
from tests.fraud.desk import acting
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
PUTIN = "id,name,aliases,birth_date,countries\nq1,Vladimir Putin,Putin Vladimir Vladimirovich,1952-10-07,ru\n"
KIM = "q2,Kim Jong Un,,1984-01-08,kp\n"


class Desk:
    """People of a firm who screen."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.analyst, self.second = acting(firm), acting(firm)

    def listed(self, text: str = PUTIN, *, name: str = "un", confirmed: bool = False) -> None:
        """A file becomes a list."""
        with self.firm.tx(self.analyst) as tx:
            if not any(one.name == name for one in lists.all_lists(tx)):
                lists.create(tx, name, ListKind.SANCTIONS, "")
            lists.load_file(tx, name, text, "un.csv", confirmed=confirmed)

    def check(self, name: str = "Vladimir Putin", reference: str = "p1", **profile: Any) -> list[Hit]:
        """Screen a payee."""
        subject = Subject(kind=SubjectKind.PAYEE, reference=reference, profile=Profile(names=(name,), **profile))
        with self.firm.tx(self.analyst) as tx:
            return subjects.check(tx, subject)

    def judge(self, hit: Hit, state: HitState = HitState.MATCH, reason: str = "The same man.") -> Hit:
        """Say something of a hit."""
        with self.firm.tx(self.analyst) as tx:
            return hits.judge(tx, hit.id, state, reason, hit.revision)

    def queue(self, *states: HitState) -> list[Hit]:
        """What waits."""
        with self.firm.tx(self.analyst) as tx:
            return hits.list_hits(tx, HitFilter(states=states or (HitState.OPEN, HitState.UNSURE)))


@pytest.fixture
def desk(firm: Firm) -> Desk:
    """A firm that screens against a list of one."""
    found = Desk(firm)
    found.listed()
    return found


def test_a_payee_who_is_listed_is_a_hit_with_both_records_side_by_side(desk: Desk) -> None:
    (hit,) = desk.check("Wladimir Putin", birth_dates=("1952",), countries=("PH",))
    assert (hit.state, hit.entry_name, hit.list_name) == (HitState.OPEN, "Vladimir Putin", "un")
    with desk.firm.tx(desk.analyst) as tx:
        found = hits.compared(tx, hit.id)
    assert found.subject.names == ("Wladimir Putin",)
    assert found.entry.profile.birth_dates == ("1952-10-07",)
    assert {one.name: one.score for one in found.features}["country"] == 1
    assert desk.check("Maria Santos", "p2") == []


def test_a_judged_pair_is_not_asked_again_unless_one_of_the_two_changes(desk: Desk) -> None:
    (hit,) = desk.check(countries=("PH",))
    assert hit.score < 0.9
    judged = desk.judge(hit, HitState.NO_MATCH, "Another birth date.")
    (again,) = desk.check(countries=("PH",))
    assert (again.state, again.revision) == (HitState.NO_MATCH, judged.revision)
    assert desk.queue() == []
    (changed,) = desk.check(countries=("SG",))
    assert (changed.state, changed.again) == (HitState.OPEN, "The subject's record changed.")
    desk.judge(changed, HitState.NO_MATCH, "Still another.")
    desk.listed(PUTIN.replace("1952-10-07", "1952"))
    (renewed,) = desk.check(countries=("SG",))
    assert (renewed.state, renewed.again) == (HitState.OPEN, "The entry of the list changed.")
    with desk.firm.tx(desk.analyst) as tx:
        assert [one.reason for one in hits.compared(tx, hit.id).judgements] == ["Still another.", "Another birth date."]


def test_a_new_file_takes_off_what_it_does_not_have(desk: Desk) -> None:
    desk.check()
    with pytest.raises(ScreeningListNotAcceptable, match="Confirm that it is whole"):
        desk.listed("id,name\nq9,Somebody Else\n")
    desk.listed("id,name\nq9,Somebody Else\n", confirmed=True)
    (gone,) = desk.queue(HitState.GONE)
    assert gone.again == "The entry went off the list."
    with desk.firm.tx(desk.analyst) as tx:
        newest, first = lists.loads(tx, "un")
        assert (newest.added, newest.removed, newest.entries, first.version) == (1, 1, 1, 1)
        assert hits.compared(tx, gone.id).entry.profile.birth_dates == ("1952-10-07",)
    with pytest.raises(ScreeningListNotAcceptable, match="holds already"):
        desk.listed("id,name\nq9,Somebody Else\n")


def test_b11_nobody_clears_a_high_score_alone(desk: Desk, settings: Settings) -> None:
    (hit,) = desk.check()
    with pytest.raises(JudgementNotAcceptable, match="two people"):
        desk.judge(hit, HitState.NO_MATCH)
    with desk.firm.tx(desk.analyst) as tx:
        payload = hits.dismissal(tx, hit.id, "A namesake of another age.", hit.revision)
        made = proposals.act_or_propose(tx, settings, PROPOSAL_KINDS, hits.DISMISS, payload, "A namesake.")
    assert made is not None
    (waiting,) = desk.queue(HitState.WAITING)
    with pytest.raises(HitChanged):
        desk.judge(waiting, HitState.MATCH)
    sha256 = made.payload_sha256
    with desk.firm.tx(desk.analyst) as tx, pytest.raises(OwnProposal):
        proposals.decide(tx, PROPOSAL_KINDS, made.id, approve=True, sha256=sha256, reason="I say so.")
    with desk.firm.tx(acting(desk.firm, Role.AUDITOR)) as tx, pytest.raises(PermissionMissing):
        proposals.decide(tx, PROPOSAL_KINDS, made.id, approve=True, sha256=sha256, reason="I say so.")
    with desk.firm.tx(desk.second) as tx:
        proposals.decide(tx, PROPOSAL_KINDS, made.id, approve=True, sha256=sha256, reason="I read it.")
        found = hits.compared(tx, hit.id)
    assert found.hit.state is HitState.NO_MATCH
    said = found.judgements[0]
    assert (said.by, said.approved_by, said.reason) == (desk.analyst.id, desk.second.id, "A namesake of another age.")


def test_a_dismissal_that_is_rejected_leaves_the_hit_open(desk: Desk) -> None:
    (hit,) = desk.check()
    with desk.firm.tx(desk.analyst) as tx:
        payload = hits.dismissal(tx, hit.id, "A namesake.", hit.revision)
        made = proposals.propose(tx, PROPOSAL_KINDS, hits.DISMISS, payload, "A namesake.")
    with desk.firm.tx(desk.second) as tx:
        proposals.decide(
            tx, PROPOSAL_KINDS, made.id, approve=False, sha256=made.payload_sha256, reason="It is the same man."
        )
    assert [one.state for one in desk.queue()] == [HitState.OPEN]


def test_two_people_at_once_and_judgements_without_a_reason_are_refused(desk: Desk) -> None:
    (hit,) = desk.check()
    with pytest.raises(JudgementNotAcceptable, match="Say why"):
        desk.judge(hit, HitState.MATCH, " ")
    desk.judge(hit)
    with pytest.raises(HitChanged):
        desk.judge(hit, HitState.UNSURE)
    with desk.firm.tx(desk.analyst) as tx, pytest.raises(HitNotFound):
        hits.judge(tx, uuid.uuid4(), HitState.MATCH, "why not", 1)


def test_b01_another_firm_sees_none_of_it(desk: Desk, other_firm: Firm) -> None:
    (hit,) = desk.check()
    with other_firm.tx() as tx:
        with pytest.raises(HitNotFound):
            hits.compared(tx, hit.id)
        with pytest.raises(ScreeningListNotFound):
            lists.get_list(tx, "un")
        assert hits.list_hits(tx, HitFilter()) == []
        assert len(lists.candidates(tx)) == 0


def test_who_was_erased_is_nobody_any_more(desk: Desk, worker_database: Database) -> None:
    (hit,) = desk.check()
    with worker_database.transaction(desk.firm.tenant.id, SYSTEM) as tx:
        destroy(tx, "payee:p1")
        found = hits.compared(tx, hit.id)
    assert (found.hit.subject_name, found.hit.reference, found.features) == ("(erased)", "(erased)", ())


@pytest.mark.parametrize(
    "profile",
    [
        {"name": " "}, {"name": "..."}, {"reference": ""}, {"birth_dates": ("yesterday",)}, {"countries": ("Peru",)},
        {"identifiers": tuple(f"n{n}" for n in range(30))}, {"name": "x" * 500},
    ],
)  # fmt: skip
def test_who_cannot_be_compared_is_refused(desk: Desk, profile: dict[str, Any]) -> None:
    with pytest.raises(SubjectNotAcceptable):
        desk.check(**profile)


CUSTOMERS = [
    {"customer_id": "c1", "full_name": "Vladimir Putin", "date_of_birth": None, "gender": "Male",
     "citizenship_code": "1", "residence_country": "PH"},
    {"customer_id": "c2", "full_name": "Maria Santos", "date_of_birth": None, "gender": None, "citizenship_code": None,
     "residence_country": None},
    {"customer_id": "c3", "full_name": "Kim Jong-un", "date_of_birth": "1984-01-08", "gender": None,
     "citizenship_code": None, "residence_country": "KP"},
]  # fmt: skip


def test_new_entries_are_held_against_everybody_and_only_new_entries(desk: Desk) -> None:
    desk.check("Kim Jong Un", "p9")
    with desk.firm.tx() as tx:
        assert subjects.screen_customers(tx, CUSTOMERS, lists.candidates(tx)) == 1
        subjects.note_screened(tx, subjects.waiting_lists(tx))
    assert [one.reference for one in desk.queue()] == ["c1"]
    desk.listed(PUTIN + KIM)
    with desk.firm.tx() as tx:
        waiting = subjects.waiting_lists(tx)
        against = subjects.new_entries(tx, waiting)
        assert len(against) == 1
        assert subjects.screen_customers(tx, CUSTOMERS, against) == 1
        assert subjects.screen_payees(tx, against, None, 10) == (1, 1, None)
        subjects.note_screened(tx, waiting)
        assert subjects.waiting_lists(tx) == []
    assert sorted(one.reference for one in desk.queue()) == ["c1", "c3", "p9"]


def test_the_job_runs_where_there_is_no_lake_yet(
    desk: Desk, database_url: str, worker_database: Database, tmp_path: Path
) -> None:
    desk.check("Kim Jong Un", "p9")
    desk.listed(PUTIN + KIM)
    with desk.firm.tx() as tx:
        asked = runs.start(tx, lists.SCREEN_JOB)
        assert asked is not None
        record = runs.get(tx, asked)
        assert record is not None
    ground = Ground(worker_database, database_url, Settings(data_dir=str(tmp_path)))
    assert screen(ground, Run(record, desk.firm.tenant.id)) == {"customers": 0, "payees": 1, "hits": 1}
    assert screen(ground, Run(record, desk.firm.tenant.id)) == {"customers": 0, "payees": 0, "hits": 0}


def test_invariants_find_what_is_wrong(desk: Desk) -> None:
    (hit,) = desk.check()
    with desk.firm.tx(desk.analyst) as tx:
        assert invariants.lists_count_their_entries(tx) == []
        assert invariants.judged_hits_have_a_judgement(tx) == []
        ListStore(tx).change(lists.get_list(tx, "un").id, entries=7)
        assert "7 entries" in invariants.lists_count_their_entries(tx)[0]
        SubjectStore(tx).set_state(hit.id, hit.revision, HitState.NO_MATCH)
        assert "nobody" in invariants.judged_hits_have_a_judgement(tx)[0]


def test_a_list_that_is_deleted_is_screened_against_no_more(desk: Desk) -> None:
    desk.check()
    with desk.firm.tx(desk.analyst) as tx:
        lists.delete(tx, "un")
        assert isinstance(lists.candidates(tx), Candidates)
    assert desk.check("Vladimir Putin", "p5") == []
    assert desk.queue() == []
