"""Rules in a list: one line for each, of its versions, its last day and its alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

import msgspec

from finer.decisions.types.alerts import RuleTotals
from finer.fraud.routes.documents import RuleCounts, RuleDraftSummary, RuleSummary, show_text
from finer.fraud.types import RuleActivity, RuleState, RuleVersion
from finer.kit.ids import show_id

_ORDER = (RuleState.LIVE, RuleState.SHADOW, RuleState.DRAFT, RuleState.RETIRED)


def summarise(
    versions: Iterable[RuleVersion], day: Iterable[RuleActivity], totals: Mapping[str, RuleTotals]
) -> list[RuleSummary]:
    """One line for each rule; `versions` come rule by rule."""
    counts = {
        (one.rule, one.shadow): RuleCounts(hits=one.hits, blocks=one.blocks, amount_usd_minor=one.amount_usd_minor)
        for one in day
    }
    return [
        _summary(rule, list(found), counts, totals.get(rule, RuleTotals(rule, 0, 0, 0)))
        for rule, found in groupby(versions, key=lambda one: one.rule)
    ]


def _summary(
    rule: str, versions: list[RuleVersion], counts: Mapping[tuple[str, bool], RuleCounts], totals: RuleTotals
) -> RuleSummary:
    newest = {state: one for one in reversed(versions) for state in [one.state]}
    shown = next(newest[state] for state in _ORDER if state in newest)
    demoted = next((one for one in versions if one.demoted_at is not None), None)
    text = show_text(shown.text)
    return RuleSummary(
        rule=rule, title=text.title, action=text.action, severity=text.severity, state=shown.state,
        version=shown.version, shadow_version=_number(newest.get(RuleState.SHADOW)),
        draft_version=_number(newest.get(RuleState.DRAFT)), draft=_draft(newest.get(RuleState.DRAFT)),
        owner=text.owner, brake=text.brake,
        demoted_at=None if demoted is None else demoted.demoted_at,
        demotion="" if demoted is None else demoted.demotion,
        live=counts.get((rule, False), RuleCounts()), shadow=counts.get((rule, True), RuleCounts()), open=totals.open,
        confirmed=totals.confirmed, dismissed=totals.dismissed, updated_at=shown.updated_at,
    )  # fmt: skip


def _draft(version: RuleVersion | None) -> RuleDraftSummary | None:
    if version is None:
        return None
    price = None if version.price is None else msgspec.structs.replace(version.price, segments=[])
    text = show_text(version.text)
    return RuleDraftSummary(
        id=show_id("rlv", version.id), revision=version.revision, version=version.version, title=text.title,
        action=text.action, price=price,
    )  # fmt: skip


def _number(version: RuleVersion | None) -> int | None:
    return None if version is None else version.version
