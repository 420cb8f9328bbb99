"""What must always be true of rules and lists, and several rules that are priced together."""

from __future__ import annotations

import uuid

import pytest

from finer.decisions.types.alerts import Action
from finer.fraud import invariants
from finer.fraud.errors import RuleChanged, RuleNotAcceptable, RuleNotFound
from finer.fraud.service import lists, rules
from finer.fraud.store.lists import ListStore
from finer.fraud.store.rules import RuleStore
from finer.fraud.types import ListEffect, ListKind, NewEntry
from tests.fraud.desk import acting, text
from tests.identity.conftest import clock, clocked, firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "settings"]


def test_invariants_find_a_lost_rule_set_and_a_wrong_count(firm: Firm) -> None:
    with firm.tx(acting(firm)) as tx:
        assert invariants.the_rule_set_in_force_is_there(tx) == []
        lists.create(tx, "risky", ListKind.MERCHANT, ListEffect.NONE, "")
        lists.put(tx, "risky", [NewEntry(value="m1", reason="seen", source="")])
        assert invariants.the_rule_set_in_force_is_there(tx) == []
        assert invariants.lists_count_their_entries(tx) == []
        ListStore(tx).change(lists.get_list(tx, "risky").id, entries=5)
        assert "5 entries, and has 1" in invariants.lists_count_their_entries(tx)[0]
        RuleStore(tx).set_head("000000000000")
        assert "is not kept" in invariants.the_rule_set_in_force_is_there(tx)[0]


def test_several_rules_are_priced_by_one_run_and_cancelled_together(firm: Firm) -> None:
    with firm.tx(acting(firm)) as tx:
        one, other = (rules.create(tx, name, text("amount_usd > 9", Action.REVIEW), "") for name in ("one", "other"))
        begun = rules.begin_prices(tx, [(one.id, 1), (other.id, 1)], 30, 100)
        prices = [each.price for each in begun]
        assert len({price.run for price in prices if price is not None}) == 1
        run = prices[0].run if prices[0] is not None else ""
        wanted = [(one.id, 1), (other.id, 1)]
        assert [each.rule for each in rules.being_priced(tx, wanted, run)] == ["one", "other"]
        rules.change(tx, other.id, text("amount_usd > 10", Action.REVIEW), "", 1)
        assert [each.rule for each in rules.being_priced(tx, wanted, run)] == ["one"]
        cancelled = rules.cancel_price(tx, one.id).price
        assert cancelled is not None
        assert cancelled.state == "cancelled"
        assert rules.being_priced(tx, wanted, run) == []


def test_what_cannot_be_priced_together_is_refused_whole(firm: Firm) -> None:
    with firm.tx(acting(firm)) as tx:
        one = rules.create(tx, "one", text("amount_usd > 9", Action.REVIEW), "")
        for wanted in ([], [(one.id, 1), (one.id, 1)], [(uuid.uuid4(), 1)] * 51):
            with pytest.raises(RuleNotAcceptable, match="versions are priced at a time"):
                rules.begin_prices(tx, wanted, 30, 100)
        with pytest.raises(RuleChanged):
            rules.begin_prices(tx, [(one.id, 7)], 30, 100)
        with pytest.raises(RuleNotFound):
            rules.begin_prices(tx, [(one.id, 1), (uuid.uuid4(), 1)], 30, 100)
        assert rules.get_version(tx, one.id).price is None
