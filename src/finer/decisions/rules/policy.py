"""The policy that comes with Finer, what a firm can make of it, and the checklist of a case.

A checklist is copied into a case when it is opened, so nobody's ticks are lost when the policy changes. It changes when
further alerts show that the case is of another kind.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from finer.decisions.errors import CasePolicyNotAcceptable
from finer.decisions.types.cases import ChecklistItem, Priority, Typology
from finer.decisions.types.policy import DueTimes, PolicyContent, PolicyStep, PriorityFrom

DUE_MIN, DUE_MAX = 5, 30 * 24 * 60
"""Minutes that a case can be given."""
FROM_USD_MAX = 1_000_000_000
STEPS_MAX, TEXT_MIN, TEXT_MAX = 20, 3, 200
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _steps(**texts: str) -> list[PolicyStep]:
    return [PolicyStep(id=name, text=text) for name, text in texts.items()]


STANDARD = PolicyContent(
    priority_from_usd=PriorityFrom(urgent=1_000, high=250),
    due_minutes=DueTimes(urgent=60, high=4 * 60, normal=24 * 60),
    common=_steps(
        history="Compare the payments with what the customer usually does",
        links="Look for other customers who share a device, a payee or a contact",
    ),
    checklists={
        Typology.ACCOUNT_TAKEOVER: _steps(
            contact="Reach the customer by a number from before the first suspicious event",
            device="Check when the device was first seen and what else it did",
            changes="Look for changed contact details or new payees",
            secure="Block the account or card, or note why not",
        ),
        Typology.CARD: _steps(
            possession="Ask whether the customer still holds the card",
            merchant="Look for other cards with small payments at the same merchant",
            secure="Block and replace the card, or note why not",
        ),
        Typology.LAUNDERING: _steps(
            source="Establish where the money comes from",
            pattern="Add up round amounts under the reporting limit over 30 days",
            purpose="Compare turnover with the income that is on file",
            report="Decide whether a suspicious activity report is due, and note why",
        ),
        Typology.SCAM: _steps(
            contact="Ask the customer who told them to pay, and what for",
            payee="Check what else the payee received",
            recall="Ask the receiving bank to hold the money, or note why not",
        ),
        Typology.GENERAL: _steps(contact="Ask the customer whether they made the payment"),
    },
)


def checklist(policy: PolicyContent, typology: Typology) -> list[ChecklistItem]:
    """The steps of a new case of this typology."""
    return [ChecklistItem(id=one.id, text=one.text) for one in (*policy.common, *policy.checklists[typology])]


def changed_kind(policy: PolicyContent, typology: Typology, before: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """The steps of a case that turned out to be of another typology: its own, and what was ticked so far."""
    steps = checklist(policy, typology)
    ticked = {one.id: one for one in before if one.done_at is not None}
    names = {one.id for one in steps}
    return [ticked.get(one.id, one) for one in steps] + [one for name, one in ticked.items() if name not in names]


def checked(content: PolicyContent) -> PolicyContent:
    """The policy with blanks taken away and every step named. Raises CasePolicyNotAcceptable, with the place."""
    _check_priorities(content.priority_from_usd)
    _check_due(content.due_minutes)
    if missing := [one.value for one in Typology if one not in content.checklists]:
        raise CasePolicyNotAcceptable(f"These kinds of cases have no checklist: {', '.join(missing)}.")
    taken = {one.id for steps in (content.common, *content.checklists.values()) for one in steps}
    common = _checked("every case", content.common, taken)
    checklists = {one: _checked(one.value, content.checklists[one], taken) for one in Typology}
    for one in Typology:
        names = [step.id for step in (*common, *checklists[one])]
        if not names:
            raise CasePolicyNotAcceptable(f"A case of the kind {one.value} would have no step at all. Give it one.")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise CasePolicyNotAcceptable(f"Two steps of {one.value} have the id {twice}. Give each its own, or none.")
    return msgspec.structs.replace(content, common=common, checklists=checklists)


def differences(before: PolicyContent, after: PolicyContent) -> dict[str, Any]:
    """What a change of the policy changed, for the audit trail: US dollars, minutes, and texts of steps."""
    found: dict[str, Any] = {}
    for name in ("priority_from_usd", "due_minutes"):
        old, new = (msgspec.structs.asdict(getattr(one, name)) for one in (before, after))
        if changed := {key: [old[key], new[key]] for key in old if old[key] != new[key]}:
            found[name] = changed
    lists = {"common": (before.common, after.common)}
    lists |= {one.value: (before.checklists[one], after.checklists[one]) for one in Typology}
    steps = {name: _difference(*pair) for name, pair in lists.items() if pair[0] != pair[1]}
    return found | ({"steps": steps} if steps else {})


def _check_priorities(least: PriorityFrom) -> None:
    if not 0 <= least.high <= least.urgent <= FROM_USD_MAX:
        raise CasePolicyNotAcceptable(
            f"A case would be urgent from {least.urgent:,} US dollars of expected loss, and high from {least.high:,}. "
            f"Choose 0 to {FROM_USD_MAX:,}, and for urgent at least what high begins at."
        )


def _check_due(due: DueTimes) -> None:
    for name in Priority:
        minutes = getattr(due, name.value)
        if not DUE_MIN <= minutes <= DUE_MAX:
            raise CasePolicyNotAcceptable(
                f"Cases of the priority {name.value} would be due after {minutes:,} minutes. "
                f"Choose {DUE_MIN} minutes to {DUE_MAX // 1440} days."
            )
    if not due.urgent <= due.high <= due.normal:
        raise CasePolicyNotAcceptable(
            "The more urgent a case, the sooner it is due: urgent at most as long as high, and high as normal."
        )


def _difference(before: Sequence[PolicyStep], after: Sequence[PolicyStep]) -> Mapping[str, list[str]]:
    old, new = ([one.text for one in steps] for steps in (before, after))
    added, removed = [one for one in new if one not in old], [one for one in old if one not in new]
    return {"added": added, "removed": removed} if added or removed else {"order": new}


def _checked(where: str, steps: Sequence[PolicyStep], taken: set[str]) -> list[PolicyStep]:
    if len(steps) > STEPS_MAX:
        raise CasePolicyNotAcceptable(f"The checklist of {where} has {len(steps)} steps; {STEPS_MAX} is the limit.")
    named: list[PolicyStep] = []
    for place, one in enumerate(steps, 1):
        text = " ".join(one.text.split())
        if not TEXT_MIN <= len(text) <= TEXT_MAX or not text.isprintable():
            raise CasePolicyNotAcceptable(
                f"Step {place} of {where}: say what is to be done, in {TEXT_MIN} to {TEXT_MAX} characters."
            )
        if one.id and not _ID.fullmatch(one.id):
            raise CasePolicyNotAcceptable(
                f"Step {place} of {where}: an id has 1 to 40 small letters, digits and underscores."
            )
        name = one.id or next(each for each in (f"step_{n}" for n in itertools.count(1)) if each not in taken)
        taken.add(name)
        named.append(PolicyStep(id=name, text=text))
    return named
