"""What rules do, counted as it happens, and the brake that stops a rule which blocks too much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from finer.fraud.rules.brake import BrakeWatch, Tally, tally
from finer.fraud.rules.evaluate import Array
from finer.fraud.rules.rule_set import SCORE_RULE, CompiledRules
from finer.fraud.service.rule_sets import begin_change, renew
from finer.fraud.store.activity import ActivityStore
from finer.fraud.store.rules import RuleStore
from finer.fraud.types import ActivityHour, Brake, RuleActivity, RuleState, Verdicts
from finer.identity.service.audit import record_audit
from finer.identity.types.access import Permission
from finer.kit.columns import Columns
from finer.kit.moments import microseconds
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity

__all__ = ["BrakeWatch", "Tally", "count", "minute_at", "watch"]

KEPT = timedelta(days=8)
_MINUTE_US = 60_000_000


def count(rules: CompiledRules, verdicts: Verdicts, fresh: Array, columns: Columns) -> Tally:
    """What each rule did in a batch, duplicates left out."""
    usd, known = columns.values("amount_usd_minor"), columns.valid("amount_usd_minor")
    return tally(rules.rules, rules.shadow, verdicts, fresh, usd if known is None else np.where(known, usd, 0))


def count_challenger(found: Tally, verdicts: Verdicts, threshold: float, fresh: Array, columns: Columns) -> None:
    """Add to what the rules did how many payments a model that is only tried would have asked somebody to look at."""
    if verdicts.challenger_scores is None:
        return
    rows = (verdicts.challenger_scores >= threshold) & fresh
    hits = int(np.count_nonzero(rows))
    if hits:
        usd, known = columns.values("amount_usd_minor"), columns.valid("amount_usd_minor")
        found.add(SCORE_RULE, True, hits, 0, int((usd if known is None else np.where(known, usd, 0))[rows].sum()))


def record(tx: Tx, found: Tally) -> None:
    """Add what the rules did in a batch to the present minute."""
    ActivityStore(tx).add(tx.now(), ((rule, shadow, *sums) for (rule, shadow), sums in found.rows.items()))


def brakes_of(rules: CompiledRules) -> dict[str, Brake]:
    """The brakes of the rules in force, by rule."""
    return {rule.id: rule.brake for rule in rules.rules if rule.brake is not None}


def minute_at(moment: datetime) -> int:
    """A minute, counted since 1970."""
    return microseconds(moment) // _MINUTE_US


def watch(tx: Tx, brakes: Mapping[str, Brake]) -> BrakeWatch:
    """What the rules with brakes blocked so far. What a rule did before it last came into force does not count."""
    if not brakes:
        return BrakeWatch()
    since = tx.now() - timedelta(minutes=max(brake.minutes for brake in brakes.values()))
    live = {one.rule: one.live_at for one in RuleStore(tx).versions(states=[RuleState.LIVE])}
    counted = []
    for minute, rule, blocks in ActivityStore(tx).minutes(since):
        began = live.get(rule)
        if not rule or (rule in brakes and (began is None or minute > began)):
            counted.append((minute_at(minute), rule, int(blocks)))
    return BrakeWatch(counted)


def demote(tx: Tx, stopped: Mapping[str, str]) -> None:
    """Stop rules that blocked too much: they go on in shadow, everybody who works on rules is told."""
    store = begin_change(tx)
    live = {one.rule: one for one in store.versions(states=[RuleState.LIVE])}
    shadowed = {one.rule for one in store.versions(states=[RuleState.SHADOW])}
    for rule, why in stopped.items():
        version = live.get(rule)
        if version is None:
            continue
        # Another version that is tried in shadow keeps its place.
        state = RuleState.RETIRED if rule in shadowed else RuleState.SHADOW
        store.change(version.id, state=state, demoted_at=tx.now(), demotion=why, updated_at=tx.now())
        record_audit(tx, "rules:brake", f"rule:{rule}", {"version": version.version, "why": why})
    renew(tx)
    for rule, why in stopped.items():
        notifications.notify(
            tx,
            NewNotification(
                kind="rules.brake", severity=Severity.CRITICAL, key=f"rules.brake:{rule}", link=f"/rules/{rule}",
                title=f"The brake stopped the rule {rule}",
                text=f"{why} It goes on in shadow and blocks nothing until somebody restores it.",
                permission=Permission.RULES_READ,
            ),
        )  # fmt: skip


def since(tx: Tx, span: timedelta) -> list[RuleActivity]:
    """What the rules did within a time, live and in shadow apart."""
    return ActivityStore(tx).since(tx.now() - span)


def hours(tx: Tx, rule: str, span: timedelta) -> list[ActivityHour]:
    """What one rule did by hour within a time."""
    return ActivityStore(tx).hours(rule, tx.now() - span)


def forget_old(tx: Tx) -> int:
    """Delete minutes of more than eight days ago; alerts and the lake keep what rules did."""
    return ActivityStore(tx).forget(tx.now() - KEPT)
