"""Rules as a firm writes them: drafts, shadow, two people, the brake, and decisions that can be made again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.decisions.types.alerts import Action
from finer.fraud.errors import RuleChanged, RuleNotAcceptable, RuleNotFound
from finer.fraud.rules.pack import RULES
from finer.fraud.service import brakes, rule_sets, rules
from finer.fraud.types import Brake, RuleState
from finer.identity.errors import OwnProposal, PermissionMissing, ProposalStale
from finer.identity.service import audit
from finer.identity.types.access import Role
from finer.kit.clock import FixedClock
from finer.kit.conditions.errors import ConditionError
from finer.kit.db import DATABASE_GONE, connect
from finer.notifications import service as notifications
from tests.fraud.desk import Desk, acting, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


def test_who_writes_nothing_has_the_built_in_rules(desk: Desk) -> None:
    desk.send([payment(1, 900), payment(2)])
    desk.work()
    (alert,) = desk.alerts().values()
    assert alert.event_id == "e1"
    assert alert.verdict.rule_pack == rule_sets.built_in_rules().version
    with desk.firm.tx(desk.writer) as tx:
        assert [one.rule for one in rules.list_versions(tx)] == [rule.id for rule in RULES]
        assert {(one.version, one.state) for one in rules.list_versions(tx)} == {(1, RuleState.LIVE)}


def test_the_first_draft_makes_the_built_in_rules_the_firms_own_and_changes_no_decision(desk: Desk) -> None:
    with desk.firm.tx(desk.writer) as tx:
        rules.create(tx, "large", text("amount_usd > 5000"), "")
        assert rule_sets.load(tx).version == rule_sets.built_in_rules().version
    version = desk.shadowed("larger", text("amount_usd > 6000"))
    with desk.firm.tx(desk.writer) as tx:
        found = rule_sets.load(tx)
        assert found.rules == rule_sets.built_in_rules().rules
        assert [rule.id for rule in found.shadow] == ["larger"]
    assert version.shadow_at == desk.firm.database.clock.now()


def test_a_rule_in_shadow_is_counted_and_decides_nothing(desk: Desk) -> None:
    desk.shadowed("cheap", text("amount_usd < 10"))
    desk.send([payment(1, 5), payment(2, 50)])
    desk.work()
    assert desk.alerts() == {}
    assert [tried for _, _, tried in desk.lake.decided().values()] == [["cheap"], []]
    with desk.firm.tx(desk.writer) as tx:
        found = {(one.rule, one.shadow): (one.hits, one.blocks) for one in brakes.since(tx, timedelta(days=1))}
    assert found == {("", False): (2, 0), ("cheap", True): (1, 0)}


def test_a_rule_goes_live_by_a_second_person_and_decides_from_the_next_batch_on(desk: Desk) -> None:
    desk.send([payment(1, 5)])
    desk.work()
    version = desk.shadowed("cheap", text("amount_usd < 10"))
    proposal = desk.propose(version)
    with pytest.raises(OwnProposal):
        desk.approve(proposal, desk.writer)
    with pytest.raises(PermissionMissing):
        desk.approve(proposal, acting(desk.firm, Role.ADMINISTRATOR))
    desk.approve(proposal)
    assert desk.version(version).state is RuleState.LIVE
    desk.send([payment(2, 5)])
    desk.work()
    (alert,) = desk.alerts().values()
    assert (alert.event_id, alert.action) == ("e2", "block")
    assert alert.verdict.reasons == ["It is 5.00 USD."]
    with desk.firm.tx(desk.writer) as tx:
        assert alert.verdict.rule_pack == rule_sets.load(tx).version
        actions = [line.action for line in audit.list_audit(tx, 50, None)]
    assert {"rules:draft", "rules:shadow", "rules:publish"} <= set(actions)


def test_a_new_version_takes_the_place_of_the_live_one_and_a_changed_text_voids_the_proposal(desk: Desk) -> None:
    first = desk.live("cheap", text("amount_usd < 10"))
    second = desk.shadowed("cheap", text("amount_usd < 8", Action.REVIEW))
    assert second.version == 2
    proposal = desk.propose(second)
    third = desk.shadowed("cheap", text("amount_usd < 7"))
    with pytest.raises((ProposalStale, RuleChanged)):
        desk.approve(proposal)
    desk.approve(desk.propose(third))
    assert desk.version(first).state is RuleState.RETIRED
    assert desk.version(second).state is RuleState.RETIRED


def test_who_approves_reads_sentences_and_no_templates(desk: Desk) -> None:
    desk.live("cheap", text("amount_usd < 10", reason="It is {amount_usd:usd}, which is cheap."))
    second = desk.shadowed("cheap", text("amount_usd < 8", reason="Only {amount_usd:usd}."))
    third = msgspec.structs.replace(second.text, reason="Only {amount:usd}.")
    kind = PROPOSAL_KINDS[rules.PUBLISH]
    with desk.firm.tx(desk.checker) as tx:
        told = {one.what: (one.before, one.after) for one in kind.describe(tx, rules.publication(second))}
    assert told["Reason, with example values"] == ("It is 7.50 USD, which is cheap.", "Only 6.00 USD.")
    assert told["In words"][1] == "the amount in US dollars is below 8"
    assert not [one for one in told.values() if "{" in "".join(one)]
    desk.approve(desk.propose(second))
    with desk.firm.tx(desk.checker) as tx:
        told = {
            one.what: (one.before, one.after)
            for one in kind.describe(tx, rules.publication(desk.shadowed("cheap", third)))
        }
    assert told["Reason, as it is written"] == ("Only {amount_usd:usd}.", "Only {amount:usd}.")


def test_one_person_stops_a_live_rule_at_once_and_it_goes_on_in_shadow(desk: Desk) -> None:
    version = desk.live("cheap", text("amount_usd < 10"))
    with desk.firm.tx(desk.writer) as tx:
        rules.stop(tx, version.id, "It blocks good people.")
    desk.send([payment(1, 5)])
    desk.work()
    assert desk.alerts() == {}
    assert [tried for _, _, tried in desk.lake.decided().values()] == [["cheap"]]
    with desk.firm.tx(desk.writer) as tx:
        assert rules.retire(tx, version.id, "Not needed.").state is RuleState.RETIRED


@pytest.mark.parametrize(
    ("condition", "says", "position"),
    [
        ("amountt > 3", "There is no column amountt", 0),
        ("is_spending and merchant_id > 3", "is a number", 30),
        ("amount / 0 > 3", "division by zero", 9),
        ("in_list(merchant_id, 'nowhere')", "no list nowhere", 21),
        ("amount >", "missing after", 7),
        ("select 1", "not part of", 0),
        ("", "is empty", 0),
    ],
)
def test_a_condition_that_cannot_be_is_told_with_its_place(
    desk: Desk, condition: str, says: str, position: int
) -> None:
    with desk.firm.tx(desk.writer) as tx, pytest.raises(ConditionError, match=says) as error:
        rules.create(tx, "odd", text(condition), "")
    assert error.value.position == position


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"condition": "1 = 1"}, "names no column"),
        ({"condition": " or ".join(f"merchant_name like '%{n}%'" for n in range(60))}, "steps"),
        ({"reason": "Of {nobody}."}, "no such column"),
        ({"reason": "Of {customer_id}."}, "not everybody"),
        ({"reason": "Of {channel:usd}."}, "is a text"),
        ({"reason": "Of {amount_usd:often}."}, "written|writes"),
        ({"reason": "A brace {"}, "in braces"),
        ({"title": "x"}, "title"),
        ({"action": Action.REVIEW, "brake": Brake(most=5)}, "does not block"),
        ({"brake": Brake()}, "needs a number"),
        ({"brake": Brake(share=1.5)}, "share"),
        ({"brake": Brake(most=5, minutes=0)}, "minutes"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(desk: Desk, changes: dict[str, object], says: str) -> None:
    written = text("amount_usd > 10", **changes) if "condition" not in changes else text(**changes)  # type: ignore[arg-type]
    with desk.firm.tx(desk.writer) as tx, pytest.raises(RuleNotAcceptable, match=says):
        rules.create(tx, "odd", written, "")


def test_a_division_by_zero_is_null_and_the_rule_does_not_hold(desk: Desk) -> None:
    desk.live("ratio", text("100 / account.mean_30d > 0 and amount_usd < 10"))
    desk.send([payment(1, 0.01, type="refund"), payment(2, 5)])
    desk.work()
    assert [alert.event_id for alert in desk.alerts().values()] == ["e2"]


def test_a_rule_is_priced_before_it_is_tried_and_one_for_everybody_has_to_be_meant(desk: Desk) -> None:
    with desk.firm.tx(desk.writer) as tx:
        draft = rules.create(tx, "unpriced", text("amount_usd > 3"), "")
        with pytest.raises(RuleNotAcceptable, match="Price this rule first"):
            rules.to_shadow(tx, draft.id, 1, confirmed=True)
    with pytest.raises(RuleNotAcceptable, match="holds for 90% of all payments"):
        desk.shadowed("everybody", text("amount_usd > 0"), hits=900)
    with pytest.raises(RuleNotAcceptable, match="microseconds"):
        desk.shadowed("dear", text("amount_usd > 0"), us_per_event=50.0)


def test_two_who_change_one_draft_do_not_overwrite_each_other(desk: Desk) -> None:
    with desk.firm.tx(desk.writer) as tx:
        draft = rules.create(tx, "both", text("amount_usd > 3"), "")
        rules.change(tx, draft.id, text("amount_usd > 4"), "", 1)
    with desk.firm.tx(desk.checker) as tx, pytest.raises(RuleChanged, match="revision 2"):
        rules.change(tx, draft.id, text("amount_usd > 5"), "", 1)
    with desk.firm.tx(desk.checker) as tx, pytest.raises(RuleChanged, match="has a draft already"):
        rules.create(tx, "both", text("amount_usd > 3"), "")


def test_a_firm_sees_no_rule_of_another(desk: Desk, other_firm: Firm) -> None:
    version = desk.live("cheap", text("amount_usd < 10"))
    with other_firm.tx(acting(other_firm)) as tx:
        with pytest.raises(RuleNotFound):
            rules.get_version(tx, version.id)
        with pytest.raises(RuleNotFound):
            rules.list_versions(tx, "cheap")
        assert rule_sets.load(tx).version == rule_sets.built_in_rules().version


def test_the_brake_holds_a_rule_to_its_cap_and_tells_everybody(desk: Desk, clock: FixedClock) -> None:
    version = desk.live("cheap", text("amount_usd < 10", brake=Brake(most=3, minutes=60)))
    clock.advance(timedelta(minutes=2))
    desk.send([payment(number, 5) for number in range(3)])
    desk.work()
    assert len(desk.alerts()) == 3
    desk.send([payment(number, 5) for number in range(10, 12)])
    desk.work()
    assert len(desk.alerts()) == 3  # the batch that would have passed the cap is decided without the rule
    stopped = desk.version(version)
    assert (stopped.state, stopped.demoted_at) == (RuleState.SHADOW, clock.now())
    assert "5 payments within 60 minutes; 3 is its cap" in stopped.demotion
    with desk.firm.tx(desk.writer) as tx:
        told, _ = notifications.list_notifications(tx)
        assert [(one.kind, one.link) for one in told] == [("rules.brake", "/rules/cheap")]
        assert "rules:brake" in [line.action for line in audit.list_audit(tx, 50, None)]
        assert rule_sets.load(tx).version == desk.tenants.of(desk.firm.tenant.id).rules.version


def test_a_rule_that_was_stopped_is_restored_by_a_person_and_its_cap_begins_anew(desk: Desk, clock: FixedClock) -> None:
    version = desk.live("cheap", text("amount_usd < 10", brake=Brake(most=1)))
    clock.advance(timedelta(minutes=2))
    desk.send([payment(1, 5), payment(2, 5)])
    desk.work()
    assert desk.alerts() == {}
    with desk.firm.tx(desk.checker) as tx:
        rules.restore(tx, version.id, "It was a test.")
    clock.advance(timedelta(minutes=2))
    desk.send([payment(3, 5)])
    desk.work()
    assert list(desk.alerts()) == ["e3"]
    with desk.firm.tx(desk.writer) as tx, pytest.raises(RuleChanged, match="did not stop"):
        rules.restore(tx, version.id, "Again.")


def test_the_brake_remembers_what_a_worker_before_it_counted(desk: Desk, clock: FixedClock) -> None:
    version = desk.live("cheap", text("amount_usd < 10", brake=Brake(most=3)))
    clock.advance(timedelta(minutes=2))
    desk.send([payment(number, 5) for number in range(3)])
    desk.work()
    desk.start()
    desk.send([payment(9, 5)])
    desk.work()
    assert desk.version(version).state is RuleState.SHADOW
    assert len(desk.alerts()) == 3


def test_what_the_brake_stops_is_not_committed_by_a_worker_whose_connection_a_crash_has_ended(
    desk: Desk, clock: FixedClock, database_url: str
) -> None:
    version = desk.live("cheap", text("amount_usd < 10", brake=Brake(most=1)))
    clock.advance(timedelta(minutes=2))
    desk.send([payment(1, 5)])
    desk.work()
    desk.send([payment(2, 5), payment(3, 5)])
    with connect(database_url) as server:
        server.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'desk'")
    with pytest.raises(DATABASE_GONE):  # the log may hold other records at these offsets by now
        desk.work()
    assert desk.version(version).state is RuleState.LIVE
    desk.start()
    desk.work()
    assert desk.version(version).state is RuleState.SHADOW


def test_a_share_stops_a_rule_only_where_there_are_enough_payments(desk: Desk, clock: FixedClock) -> None:
    version = desk.live("cheap", text("amount_usd < 10", brake=Brake(share=0.1)))
    clock.advance(timedelta(minutes=2))
    desk.send([payment(number, 5) for number in range(20)])
    desk.work()
    assert desk.version(version).state is RuleState.LIVE
    desk.send([payment(number, 5 if number % 4 == 0 else 50) for number in range(100, 400)])
    desk.work()
    assert desk.version(version).state is RuleState.SHADOW


def test_what_is_decided_again_is_decided_by_what_was_in_force_then(desk: Desk) -> None:
    desk.send([payment(1, 5)])
    desk.work()
    desk.live("cheap", text("amount_usd < 10"))
    desk.send([payment(2, 5)])
    desk.work()
    desk.live("cheap", text("amount_usd < 4"))
    desk.send([payment(3, 5)])
    desk.work()
    first = desk.lake.decided()
    assert [held for _, held, _ in first.values()] == [[], ["cheap"], []]
    assert len({version for version, _, _ in first.values()}) == 3
    desk.start()  # a worker whose lake holds nothing takes everything through once more
    desk.work()
    assert desk.lake.decided() == first
    assert len(desk.alerts()) == 1
